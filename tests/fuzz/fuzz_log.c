/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes from a machine whose log is followed: lines for the ring, in pieces, with an allowance now and then, and what its list says. The first
 * byte says which, the second how long the pieces are. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "collectors/log_list.h"
#include "collectors/log_program.h"
#include "collectors/log_ring.h"

static void check_ring(const struct log_ring *r)
{
	uint64_t first = log_ring_first(r), past = log_ring_past(r), lines = 0;
	size_t bytes = 0;
	HOLDS(past - first <= LOG_RING_LINES);
	for (uint64_t i = first; i < past; i++) {
		struct log_line l = log_ring_at(r, i);
		HOLDS(l.n <= LOG_RING_LINE);
		HOLDS(text_is_utf8(l.text, l.n));
		HOLDS(memchr(l.text, '\n', l.n) == NULL && memchr(l.text, '\r', l.n) == NULL && memchr(l.text, '\t', l.n) == NULL);
		bytes += l.n;
		lines += !l.is_note;
	}
	HOLDS(bytes <= LOG_RING_BYTES);
	HOLDS(first > 0 || lines + log_ring_skipped(r) == log_ring_came(r));
}

static void feed_ring(const char *p, size_t n, size_t step, bool is_flood)
{
	struct log_ring *r = NULL;
	if (log_ring_new(&r) != ERR_OK)
		abort();
	if (is_flood)
		log_ring_allow(r, 2, 64);
	for (size_t at = 0, i = 1; at < n; at += step, i++) {
		log_ring_feed(r, p + at, at + step < n ? step : n - at);
		if (is_flood && i % 8 == 0)
			log_ring_allow(r, 2, 64);
	}
	check_ring(r);
	log_ring_end(r);
	check_ring(r);
	log_ring_free(r);
}

static void check_program(const struct log_choice *c)
{
	struct buf program;
	struct why why = { "" };
	buf_init(&program, LOG_PROGRAM_MAX);
	HOLDS(log_program_follow(c, 500, "0123456789abcdef", &program, &why) == ERR_OK);
	buf_release(&program);
}

static void feed_list(const char *p, size_t n, size_t step)
{
	static const char *const logs[] = { "/var/log/x.log", "ray" };
	struct log_list l;
	if (log_list_init(&l, &(struct log_wishes){ .logs = logs, .n_logs = 2 }) != ERR_OK)
		abort();
	for (size_t at = 0; at < n; at += step)
		HOLDS(log_list_feed(&l, p + at, at + step < n ? step : n - at) == ERR_OK);
	HOLDS(l.n >= 2 && l.n <= LOG_LIST_MAX);
	for (size_t i = 0; i < l.n; i++) {
		const struct log_choice *c = &l.items[i];
		HOLDS(log_list_find(&l, c->key) == c);
		HOLDS(c->name[0] != '-' && strpbrk(c->name, " '\"$`;&|<>()\n") == NULL);
		check_program(c);
	}
	log_list_release(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	char *text = fuzz_text(data + 2, size - 2);
	size_t step = 1 + data[1];
	if (data[0] % 3 == 0)
		feed_list(text, size - 2, step);
	else
		feed_ring(text, size - 2, step, data[0] % 3 == 2);
	free(text);
	return 0;
}
