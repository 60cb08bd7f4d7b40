/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/log_ring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NOTE_MAX = 200, TAB = 8, IS_CUT = 1, IS_NOTE = 2, LAST_BYTES = 64 * 1024, LAST_LINES = 1000 };

struct slot {
	uint32_t at;
	uint16_t n;
	uint8_t  flags;
};

/* Lines lie in `bytes` one behind the other, each in one piece; one that would not fit before the end begins at 0, and what is left there stays
 * empty until the next time round. */
struct log_ring {
	char       *bytes;
	struct slot slots[LOG_RING_LINES]; /* of line number i: slots[i % LOG_RING_LINES] */
	uint64_t    first, past;
	uint32_t    head;                  /* where the next line goes */
	char        part[LOG_RING_LINE];   /* a line whose end has not come */
	size_t      n_part;
	bool        has_part, is_part_cut; /* there is one, be it empty; more came of it than there is room for */
	bool        was_cr;                /* an LF that comes now belongs to the CR before it */
	bool        is_skipping;           /* the allowance is used up: line ends are counted */
	bool        drops_rest;            /* of a line whose beginning was not taken */
	size_t      left_lines, left_bytes;
	uint64_t    came, skipped, skipped_now; /* now: since lines were last taken */
	char        clean[LOG_RING_LINE];
	char        last[LAST_BYTES];      /* the end of what is being skipped, as it came */
	size_t      n_last;
	bool        is_last_cut;           /* it does not begin where a line does */
};

enum err log_ring_new(struct log_ring **out)
{
	struct log_ring *r = calloc(1, sizeof *r);
	if (r == NULL || (r->bytes = malloc(LOG_RING_BYTES)) == NULL) {
		free(r);
		return ERR_MEMORY;
	}
	r->left_lines = r->left_bytes = SIZE_MAX;
	*out = r;
	return ERR_OK;
}

void log_ring_free(struct log_ring *r)
{
	if (r == NULL)
		return;
	free(r->bytes);
	free(r);
}

const char *log_count_text(uint64_t n, char to[LOG_COUNT_TEXT])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			to[at++] = ',';
		to[at++] = digits[i];
	}
	to[at] = '\0';
	return to;
}

/* ---- the lines that are kept ---- */

static struct slot *slot(struct log_ring *r, uint64_t number)
{
	return &r->slots[number % LOG_RING_LINES];
}

static bool is_in(const struct slot *s, uint32_t from, size_t n)
{
	return s->at < from + n && from < (uint64_t)s->at + s->n;
}

/* Makes room for n bytes in one piece and returns where. What lies behind `head` is older than all that lies before it. */
static uint32_t make_room(struct log_ring *r, size_t n)
{
	if (r->past - r->first == LOG_RING_LINES)
		r->first++;
	if (r->head + n > LOG_RING_BYTES) {
		while (r->first < r->past && slot(r, r->first)->at >= r->head)
			r->first++;
		r->head = 0;
	}
	while (r->first < r->past && is_in(slot(r, r->first), r->head, n))
		r->first++;
	return r->head;
}

static void push(struct log_ring *r, const char *text, size_t n, int flags)
{
	uint32_t at = make_room(r, n);
	if (n > 0)
		memcpy(r->bytes + at, text, n);
	*slot(r, r->past) = (struct slot){ .at = at, .n = (uint16_t)n, .flags = (uint8_t)flags };
	r->past++;
	r->head = at + (uint32_t)n;
}

void log_ring_note(struct log_ring *r, const char *text)
{
	size_t n = strlen(text);
	push(r, text, n < NOTE_MAX ? n : NOTE_MAX, IS_NOTE);
}

/* ---- a line as it is kept ---- */

/* Where an escape sequence ends that begins at p, with its ESC. One that is malformed ends before the byte that makes it so, and an operating system
 * command that does not end takes nothing with it: a log may hide nothing that way. Source: ECMA-48, 5.3, 5.4 and 8.3.89. */
static const char *escape_end(const char *p, const char *end)
{
	p++;
	if (p == end)
		return p;
	if (*p == '[') {
		for (p++; p < end && *p >= ' ' && *p <= '?';)
			p++;
		return p < end && *p >= '@' && *p <= '~' ? p + 1 : p;
	}
	if (*p == ']') {
		for (const char *at = p + 1; at < end; at++) {
			if (*at == '\a')
				return at + 1;
			if (*at == '\033')
				return at + 1 < end && at[1] == '\\' ? at + 2 : at;
		}
		return p + 1;
	}
	while (p < end && *p >= ' ' && *p <= '/')
		p++;
	return p < end && *p >= '0' && *p <= '~' ? p + 1 : p;
}

struct cleaned {
	char  *to;
	size_t n;
	size_t cols;
	bool   is_cut;
};

static bool put(struct cleaned *c, const char *text, size_t n, size_t cols)
{
	if (c->n + n > LOG_RING_LINE) {
		c->is_cut = true;
		return false;
	}
	memcpy(c->to + c->n, text, n);
	c->n += n;
	c->cols += cols;
	return true;
}

static bool put_character(struct cleaned *c, const char **p, const char *end)
{
	static const char blanks[TAB] = { ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ' };
	char utf8[TEXT_UTF8_MAX];
	size_t tab = TAB - c->cols % TAB;
	if (**p == '\t') {
		++*p;
		return put(c, blanks, tab, tab);
	}
	size_t n = text_encode(text_decode(p, end, NULL), utf8);
	return put(c, utf8, n, (size_t)text_width(utf8, n));
}

static void clean(struct cleaned *c, const char *p, const char *end)
{
	while (p < end) {
		const char *run = p;
		while (p < end && *p >= ' ' && *p <= '~')
			p++;
		size_t n = (size_t)(p - run), room = LOG_RING_LINE - c->n;
		put(c, run, n < room ? n : room, n < room ? n : room);
		c->is_cut |= n > room;
		if (c->is_cut || p == end)
			return;
		if (*p == '\033')
			p = escape_end(p, end);
		else if (!put_character(c, &p, end))
			return;
	}
}

/* ---- lines out of bytes ---- */

static void count_skipped(struct log_ring *r, uint64_t n)
{
	r->came += n;
	r->skipped += n;
	r->skipped_now += n;
}

static void take_line(struct log_ring *r, const char *text, size_t n, bool is_cut)
{
	struct cleaned c = { .to = r->clean, .is_cut = false };
	clean(&c, text, text + n);
	push(r, c.to, c.n, is_cut || c.is_cut ? IS_CUT : 0);
	r->came++;
	r->left_lines--;
	r->left_bytes -= n < r->left_bytes ? n : r->left_bytes;
	r->is_skipping = r->left_lines == 0 || r->left_bytes == 0;
}

/* A piece of a line whose end is not in sight. */
static void keep_part(struct log_ring *r, const char *text, size_t n)
{
	size_t room = LOG_RING_LINE - r->n_part;
	r->is_part_cut |= n > room;
	n = n < room ? n : room;
	memcpy(r->part + r->n_part, text, n);
	r->n_part += n;
	r->has_part = true;
}

static void end_line(struct log_ring *r, const char *text, size_t n)
{
	if (r->drops_rest) {
		r->drops_rest = r->has_part = r->is_part_cut = false;
		r->n_part = 0;
		count_skipped(r, 1);
		return;
	}
	if (!r->has_part) {
		take_line(r, text, n < LOG_RING_LINE ? n : LOG_RING_LINE, n > LOG_RING_LINE);
		return;
	}
	keep_part(r, text, n);
	size_t n_part = r->n_part;
	bool is_cut = r->is_part_cut;
	r->n_part = 0;
	r->has_part = r->is_part_cut = false;
	take_line(r, r->part, n_part, is_cut);
}

static void keep_last(struct log_ring *r, const char *p, size_t n)
{
	if (r->n_last == 0)
		r->is_last_cut = r->drops_rest || r->has_part;
	if (n > LAST_BYTES) {
		p += n - LAST_BYTES;
		n = LAST_BYTES;
		r->n_last = 0;
		r->is_last_cut = true;
	}
	size_t gone = r->n_last + n > LAST_BYTES ? r->n_last + n - LAST_BYTES : 0;
	if (gone > 0) {
		memmove(r->last, r->last + gone, r->n_last - gone);
		r->n_last -= gone;
		r->is_last_cut = true;
	}
	memcpy(r->last + r->n_last, p, n);
	r->n_last += n;
}

/* In a flood: no look at what the lines say. */
static void skip(struct log_ring *r, const char *p, const char *end)
{
	uint64_t n = 0;
	keep_last(r, p, (size_t)(end - p));
	for (const char *lf; (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1)
		n++;
	count_skipped(r, n);
	r->drops_rest = p < end;
}

/* The first CR or LF, or `end`. */
static const char *line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));
	const char *stop = lf != NULL ? lf : end;
	const char *cr = memchr(p, '\r', (size_t)(stop - p));
	return cr != NULL ? cr : stop;
}

void log_ring_feed(struct log_ring *r, const char *bytes, size_t n)
{
	const char *p = bytes, *end = bytes + n;
	if (n > 0 && r->was_cr && *p == '\n' && !r->is_skipping)
		p++;
	if (n > 0)
		r->was_cr = false;
	while (p < end && !r->is_skipping) {
		const char *stop = line_end(p, end);
		if (stop == end) {
			keep_part(r, p, (size_t)(stop - p));
			return;
		}
		end_line(r, p, (size_t)(stop - p));
		p = stop + 1;
		if (*stop == '\r' && p < end && *p == '\n')
			p++;
		else if (*stop == '\r' && p == end)
			r->was_cr = true;
	}
	if (p < end)
		skip(r, p, end);
}

void log_ring_end(struct log_ring *r)
{
	if (r->is_skipping)
		log_ring_allow(r, 1, 1);
	if (r->has_part || r->drops_rest)
		end_line(r, "", 0);
	r->was_cr = false;
}

/* Of what was skipped, where the last lines begin; n of them. The end of what is there: nothing can be taken back. */
static const char *last_lines(const struct log_ring *r, uint64_t *n)
{
	const char *p = r->last, *end = r->last + r->n_last;
	if (r->is_last_cut) {
		const char *lf = memchr(p, '\n', r->n_last);
		p = lf != NULL ? lf + 1 : end;
	}
	*n = 0;
	for (const char *at = p, *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1)
		++*n;
	for (; *n > LAST_LINES; --*n)
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	return p;
}

void log_ring_allow(struct log_ring *r, size_t lines, size_t bytes)
{
	char count[LOG_COUNT_TEXT], text[NOTE_MAX];
	uint64_t n;
	const char *end = r->last + r->n_last, *p = last_lines(r, &n);
	r->skipped_now -= n;
	r->skipped -= n;
	r->came -= n;
	if (r->skipped_now > 0) {
		snprintf(text, sizeof text, "%s line%s skipped", log_count_text(r->skipped_now, count), r->skipped_now == 1 ? "" : "s");
		log_ring_note(r, text);
	}
	if (p < end || (r->n_last > 0 && !r->drops_rest)) {
		r->drops_rest = r->has_part = r->is_part_cut = false;
		r->n_part = 0;
	}
	r->skipped_now = 0;
	r->n_last = 0;
	r->is_skipping = false;
	r->left_lines = r->left_bytes = SIZE_MAX;
	log_ring_feed(r, p, (size_t)(end - p)); /* the last lines of a flood are those that one wants most */
	r->left_lines = lines;
	r->left_bytes = bytes;
	r->is_skipping = lines == 0 || bytes == 0;
}

void log_ring_clear(struct log_ring *r)
{
	r->first = r->past;
	r->head = 0;
	r->n_part = 0;
	r->has_part = r->is_part_cut = r->was_cr = r->drops_rest = false;
	r->came = r->skipped = r->skipped_now = 0;
	r->n_last = 0;
}

/* ---- looking ---- */

uint64_t log_ring_first(const struct log_ring *r) { return r->first; }
uint64_t log_ring_past(const struct log_ring *r) { return r->past; }
uint64_t log_ring_came(const struct log_ring *r) { return r->came; }
uint64_t log_ring_skipped(const struct log_ring *r) { return r->skipped; }

struct log_line log_ring_at(const struct log_ring *r, uint64_t number)
{
	assert(number >= r->first && number < r->past);
	const struct slot *s = &r->slots[number % LOG_RING_LINES];
	return (struct log_line){ .text = r->bytes + s->at, .n = s->n, .is_cut = (s->flags & IS_CUT) != 0, .is_note = (s->flags & IS_NOTE) != 0 };
}
