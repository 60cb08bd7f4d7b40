/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines out of bytes, and the ring that keeps the newest of them. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "base/text.h"
#include "collectors/log_ring.h"

static struct log_ring *made(void)
{
	struct log_ring *r = NULL;
	assert_int_equal(log_ring_new(&r), ERR_OK);
	return r;
}

/* All lines with a '|' behind each, "..." behind one that was cut, "#" before a note. */
static void print(const struct log_ring *r, struct buf *to)
{
	for (uint64_t i = log_ring_first(r); i < log_ring_past(r); i++) {
		struct log_line l = log_ring_at(r, i);
		buf_puts(to, l.is_note ? "#" : "");
		buf_put(to, l.text, l.n);
		buf_puts(to, l.is_cut ? "...|" : "|");
	}
}

static void check(const struct log_ring *r, const char *label, const char *want)
{
	struct buf got;
	buf_init(&got, 1024 * 1024);
	print(r, &got);
	if (strcmp(buf_text(&got), want) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", label, buf_text(&got), want);
	buf_release(&got);
}

static const struct {
	const char *label, *in;
	size_t      n; /* 0: up to the NUL */
	const char *want;
} rows[] = {
	{ "two lines", "one\ntwo\n", 0, "one|two|" },
	{ "no last newline", "one\ntwo", 0, "one|two|" },
	{ "CR LF", "one\r\ntwo\r\n", 0, "one|two|" },
	{ "empty lines", "\n\na\n\n", 0, "||a||" },
	{ "a CR hides nothing", "10%\r20%\rdone\n", 0, "10%|20%|done|" },
	{ "CR at the end", "one\r", 0, "one|" },
	{ "NULs stay", "a\0b\n", 4, NULL },
	{ "colours go", "\033[31mred\033[0m and \033[1;32mgreen\033[m\n", 0, "red and green|" },
	{ "a title goes", "\033]0;title\aa\033]2;x\033\\b\n", 0, "ab|" },
	{ "a command that does not end hides nothing", "a\033]0;rest of it\n", 0, "a0;rest of it|" },
	{ "a malformed sequence hides nothing", "a\033[3\001b\n", 0, "a\001b|" },
	{ "an escape at the end", "a\033\nb\033[\n", 0, "a|b|" },
	{ "other escapes", "\033(Ba\0337b\033=c\n", 0, "abc|" },
	{ "tabs", "a\tb\n1234567\tx\n12345678\tx\n", 0, "a       b|1234567 x|12345678        x|" },
	{ "tabs behind wide characters", "\xe6\xbc\xa2\tx\n", 0, "\xe6\xbc\xa2      x|" },
	{ "invalid UTF-8", "a\xff\xc3(\n", 0, "a\xef\xbf\xbd\xef\xbf\xbd(|" },
	{ "half a character at the end", "a\xe6\xbc", 0, "a\xef\xbf\xbd\xef\xbf\xbd|" },
	{ "other controls stay for the canvas", "a\001\bz\n", 0, "a\001\bz|" },
};

static void lines_are_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = rows[i].n > 0 ? rows[i].n : strlen(rows[i].in);
		for (size_t step = 1; step <= n; step++) { /* in pieces of every size: the same lines */
			struct log_ring *r = made();
			for (size_t at = 0; at < n; at += step)
				log_ring_feed(r, rows[i].in + at, at + step < n ? step : n - at);
			log_ring_end(r);
			if (rows[i].want != NULL) {
				check(r, rows[i].label, rows[i].want);
			} else {
				struct log_line l = log_ring_at(r, log_ring_first(r));
				assert_int_equal(l.n, n - 1);
				assert_memory_equal(l.text, rows[i].in, n - 1);
			}
			log_ring_free(r);
		}
	}
}

static void long_lines_are_cut(void **state)
{
	static char text[3 * LOG_RING_LINE];
	static const struct {
		const char *label;
		size_t      n, want;
		char        fill;
		bool        is_cut;
	} lengths[] = {
		{ "just fits", LOG_RING_LINE, LOG_RING_LINE, 'x', false },     { "one more", LOG_RING_LINE + 1, LOG_RING_LINE, 'x', true },
		{ "far longer", 3 * LOG_RING_LINE - 2, LOG_RING_LINE, 'x', true }, { "grows by cleaning", LOG_RING_LINE, LOG_RING_LINE - 2, '\xff', true },
		{ "tabs", LOG_RING_LINE, LOG_RING_LINE, '\t', true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (size_t step = 1000; step <= sizeof text; step += sizeof text - 1000) {
			struct log_ring *r = made();
			size_t n = lengths[i].n + 1;
			memset(text, lengths[i].fill, lengths[i].n);
			text[n - 1] = '\n';
			for (size_t at = 0; at < n; at += step)
				log_ring_feed(r, text + at, at + step < n ? step : n - at);
			log_ring_feed(r, "next\n", 5);
			struct log_line l = log_ring_at(r, log_ring_first(r));
			if (l.n != lengths[i].want || l.is_cut != lengths[i].is_cut || log_ring_came(r) != 2)
				fail_msg("%s: %zu bytes%s", lengths[i].label, l.n, l.is_cut ? ", cut" : "");
			assert_int_equal(log_ring_at(r, log_ring_past(r) - 1).n, 4);
			log_ring_free(r);
		}
	}
}

/* Every line says its own number and is of another length: what is kept is the newest, whole and in order. */
static void fill(struct log_ring *r, uint64_t n, size_t longest)
{
	static char line[LOG_RING_LINE + 32];
	for (uint64_t i = 0; i < n; i++) {
		int head = snprintf(line, 32, "%llu ", (unsigned long long)log_ring_past(r));
		size_t more = longest > 0 ? (size_t)(i * 7919 % longest) : 0;
		memset(line + head, 'a' + (int)(i % 26), more);
		line[head + (int)more] = '\n';
		log_ring_feed(r, line, (size_t)head + more + 1);
	}
}

static size_t check_all(const struct log_ring *r)
{
	size_t bytes = 0;
	for (uint64_t i = log_ring_first(r); i < log_ring_past(r); i++) {
		struct log_line l = log_ring_at(r, i);
		char head[32];
		int n = snprintf(head, sizeof head, "%llu ", (unsigned long long)i);
		assert_true(l.n >= (size_t)n);
		assert_memory_equal(l.text, head, (size_t)n);
		for (size_t k = (size_t)n; k < l.n; k++)
			assert_int_equal(l.text[k], l.text[n]);
		bytes += l.n;
	}
	return bytes;
}

static void the_oldest_lines_go(void **state)
{
	static const struct {
		const char *label;
		uint64_t    lines;
		size_t      longest;
		size_t      least_bytes; /* what must still be there */
	} fills[] = {
		{ "few", 10, 100, 0 }, { "by count", 3 * LOG_RING_LINES + 7, 0, 0 }, { "by bytes", 3000, 8000, LOG_RING_BYTES - 3 * LOG_RING_LINE },
		{ "both", 40000, 900, LOG_RING_BYTES - 3 * LOG_RING_LINE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
		struct log_ring *r = made();
		fill(r, fills[i].lines, fills[i].longest);
		assert_true(log_ring_past(r) - log_ring_first(r) <= LOG_RING_LINES);
		size_t bytes = check_all(r);
		if (bytes > LOG_RING_BYTES || bytes < fills[i].least_bytes)
			fail_msg("%s: %zu bytes are there", fills[i].label, bytes);
		assert_int_equal(log_ring_past(r), fills[i].lines);
		log_ring_clear(r);
		assert_int_equal(log_ring_first(r), log_ring_past(r));
		fill(r, 100, 1000);
		check_all(r);
		log_ring_free(r);
	}
}

static void what_is_too_much_comes_later(void **state)
{
	struct log_ring *r = made();
	(void)state;
	log_ring_allow(r, 2, 1000);
	log_ring_feed(r, "1\n2\n3\n4\nhalf", 12);
	check(r, "two lines are allowed", "1|2|");
	log_ring_allow(r, 2, 1000);
	check(r, "it was not much that was left", "1|2|3|4|");
	log_ring_feed(r, " a line\n5\n6\n7\n", 14);
	log_ring_allow(r, 100, 3);
	check(r, "the half line is whole", "1|2|3|4|half a line|5|6|7|");
	log_ring_feed(r, "abcdef\n8\n9", 10);
	check(r, "by bytes", "1|2|3|4|half a line|5|6|7|abcdef|");
	log_ring_end(r);
	check(r, "at the end", "1|2|3|4|half a line|5|6|7|abcdef|8|9|");
	assert_int_equal(log_ring_came(r), 11);
	assert_int_equal(log_ring_skipped(r), 0);
	log_ring_free(r);
}

/* Numbered lines, in pieces of `step` bytes, between one taking and the next. */
static void flood(struct log_ring *r, int lines, size_t width, size_t step)
{
	struct buf text;
	buf_init(&text, 64 * 1024 * 1024);
	for (int i = 0; i < lines; i++)
		buf_printf(&text, "%*d\n", (int)width, i);
	for (size_t at = 0; at < text.len; at += step)
		log_ring_feed(r, text.data + at, at + step < text.len ? step : text.len - at);
	assert_int_equal(text.err, ERR_OK);
	buf_release(&text);
}

static void a_flood_is_counted(void **state)
{
	static const struct {
		const char *label;
		int         lines;
		size_t      width, step, last; /* last: as many are taken of its end */
	} floods[] = {
		{ "short lines, by count", 50000, 6, 1000, 1000 },      { "in one piece", 50000, 6, 64 * 1024 * 1024, 1000 },
		{ "long lines, by bytes", 5000, 1023, 777, 63 },        { "in pieces of the room there is", 5000, 1023, 64 * 1024, 63 },
		{ "a line just as long", 300, 64 * 1024 - 1, 5000, 0 }, { "longer ones", 300, 70000, 5000, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
		struct log_ring *r = made();
		char want[64];
		log_ring_allow(r, 10, 100 * 1024);
		flood(r, floods[i].lines, floods[i].width, floods[i].step);
		uint64_t taken = log_ring_past(r);
		assert_int_equal(log_ring_came(r), floods[i].lines);
		log_ring_allow(r, 10, 100 * 1024);
		struct log_line note = log_ring_at(r, taken);
		uint64_t left = log_ring_past(r) - taken - 1;
		if (!note.is_note || left < floods[i].last || left > floods[i].last + 1)
			fail_msg("%s: %d lines of its end", floods[i].label, (int)left);
		assert_int_equal(log_ring_skipped(r), (uint64_t)floods[i].lines - taken - left);
		assert_int_equal(log_ring_came(r), floods[i].lines);
		snprintf(want, sizeof want, "%d", floods[i].lines - 1);
		struct log_line l = log_ring_at(r, log_ring_past(r) - 1);
		if (left > 0 && memcmp(l.text + l.n - strlen(want), want, strlen(want)) != 0)
			fail_msg("%s: the last is %.*s", floods[i].label, (int)l.n, l.text);
		log_ring_feed(r, "whole\n", 6);
		l = log_ring_at(r, log_ring_past(r) - 1);
		assert_true(l.n == 5 && memcmp(l.text, "whole", 5) == 0);
		log_ring_free(r);
	}
}

static void counts_are_grouped(void **state)
{
	char text[LOG_COUNT_TEXT];
	(void)state;
	assert_string_equal(log_count_text(0, text), "0");
	assert_string_equal(log_count_text(999, text), "999");
	assert_string_equal(log_count_text(12331, text), "12,331");
	assert_string_equal(log_count_text(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_split),   cmocka_unit_test(long_lines_are_cut), cmocka_unit_test(the_oldest_lines_go),
		cmocka_unit_test(what_is_too_much_comes_later), cmocka_unit_test(a_flood_is_counted), cmocka_unit_test(counts_are_grouped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
