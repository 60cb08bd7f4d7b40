/* SPDX-License-Identifier: Apache-2.0
 *
 * What a machine's shell prints, taken apart into sections. Input is looked at a line at a time, and only its beginning; a section's text
 * stays where it was read until its end is there. The frame is in gather.h. */
#include "collectors/gather_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

#define MARK "@@pitwall "

enum { MARK_LEN = sizeof MARK - 1, WORDS_MAX = 6, WORD_MAX = 64, STATUS_TIMEOUT = 124, STATUS_ABSENT = 127, STATUS_KILLED = 137, STATUS_ENDED = 143 };

/* The words of a line of ours, behind the nonce. */
struct marker {
	char   words[WORDS_MAX][WORD_MAX];
	size_t n;
};

static bool marker_read(const char *line, size_t n, struct marker *m)
{
	m->n = 0;
	for (const char *p = line, *end = line + n; p < end;) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		const char *stop = blank != NULL ? blank : end;
		size_t      len = (size_t)(stop - p);
		if (m->n == WORDS_MAX || len == 0 || len >= WORD_MAX || memchr(p, '\0', len) != NULL)
			return false;
		memcpy(m->words[m->n], p, len);
		m->words[m->n++][len] = '\0';
		p = blank != NULL ? blank + 1 : end;
	}
	return m->n > 0;
}

static bool is_mark(const struct gather *g, const char *line, size_t n)
{
	size_t nonce = GATHER_NONCE_TEXT - 1;
	return n > MARK_LEN + nonce + 1 && memcmp(line, MARK, MARK_LEN) == 0 && memcmp(line + MARK_LEN, g->nonce, nonce) == 0 &&
	       line[MARK_LEN + nonce] == ' ';
}

static struct gather_part *find_awaited(struct gather *g, const char *name)
{
	for (size_t i = 0; i < g->n_parts; i++)
		if (g->parts[i].is_awaited && strcmp(g->parts[i].source->name, name) == 0)
			return &g->parts[i];
	return NULL;
}

static double uptime_of(const char *word)
{
	double seconds = NAN; /* stays, where the word is no number */
	parse_f64(word, 0, 1e10, &seconds);
	return seconds;
}

static enum gather_state broken(struct gather *g, struct why *why, const char *sentence)
{
	gather_drop_input(g);
	why_set(why, ERR_FORMAT, "%s", sentence);
	return GATHER_BROKEN;
}

static enum gather_state on_begin(struct gather *g, const struct marker *m, struct why *why)
{
	int64_t pid = 0, start = 0;
	g->reading = m->n == 5 ? find_awaited(g, m->words[1]) : NULL;
	if (g->reading == NULL)
		return broken(g, why, "the machine answered with a section that was not asked for");
	if (parse_i64(m->words[2], 0, INT64_MAX, &pid) != ERR_OK || parse_i64(m->words[3], 0, INT64_MAX, &start) != ERR_OK)
		pid = start = 0;
	g->pid = (uint64_t)pid;
	g->start = (uint64_t)start;
	g->begun_uptime = uptime_of(m->words[4]);
	g->begun_mono_ms = clock_mono_ms(g->clock);
	g->has_status = false;
	g->text_at = g->line_at; /* set behind the line by the caller */
	return GATHER_MORE;
}

static enum gather_state on_status(struct gather *g, const struct marker *m, struct why *why)
{
	int64_t status;
	if (g->reading == NULL || g->has_status || m->n != 3 || parse_i64(m->words[1], 0, 255, &status) != ERR_OK)
		return broken(g, why, "the machine's shell answered in a way that cannot be understood");
	g->has_status = true;
	g->status = (int)status;
	g->seconds = round((uptime_of(m->words[2]) - g->begun_uptime) * 100) / 100; /* the kernel says hundredths */
	/* the newline before the line is the frame's */
	g->text_n = g->line_at > g->text_at ? g->line_at - 1 - g->text_at : 0;
	return GATHER_MORE;
}

/* What a source said: its samples replace those from before. */
static enum err parse_section(struct gather *g, struct gather_part *p, int status, struct why *why)
{
	struct section in = {
		.text = g->in.data + g->text_at,
		.n = g->text_n,
		.status = status,
		.is_cut = g->text_n > SECTION_MAX,
		.asked_ms = g->asked_wall_ms,
		.answered_ms = clock_wall_ms(g->clock),
	};
	struct findings *f = &g->found;
	if (in.is_cut)
		in.n = SECTION_MAX;
	g->in.data[g->text_at + in.n] = '\0'; /* a byte of the frame, or of what is cut */
	buf_clear(&f->page);
	f->page.max = GATHER_PART_MAX;
	enum err e = p->source->parse(&in, g->settings, p->memory, f, why);
	if (e == ERR_OK && in.is_cut)
		e = why_set(why, ERR_LIMIT, "it said more than %d KiB; the rest is missing", SECTION_MAX / 1024);
	if (e == ERR_OK && f->page.err == ERR_LIMIT)
		e = why_set(why, ERR_LIMIT, "more was found than %d KiB of samples; the rest is missing", GATHER_PART_MAX / 1024);
	else if (e == ERR_OK && f->page.err != ERR_OK)
		e = why_memory(why);
	struct buf old = p->page;
	p->page = f->page;
	f->page = old;
	return e;
}

/* The status for a parser, and whether the script ended at all. */
static int status_of(const struct gather *g, const struct marker *end)
{
	int64_t bound;
	if (g->has_status)
		return g->status;
	if (g->text_n > SECTION_MAX) /* its reader had enough, and it was ended by that */
		return 0;
	if (parse_i64(end->words[1], 0, 255, &bound) == ERR_OK && bound != STATUS_TIMEOUT && bound != STATUS_KILLED && bound != STATUS_ENDED)
		return bound == 0 ? STATUS_KILLED : (int)bound; /* the shell that ran it was killed */
	return STATUS_TIMEOUT;
}

static void judge(struct gather *g, struct gather_part *p, int status, enum err e, const struct why *why)
{
	bool is_mute = p->page.len == 0, has_ended = g->has_status || g->text_n > SECTION_MAX;
	p->state = GATHER_SOURCE_GOOD;
	p->reason[0] = '\0';
	if (status == STATUS_TIMEOUT) {
		gather_part_fail(p, "it did not end within %lld s", (long long)(g->section_timeout_ms / 1000));
	} else if (!has_ended) {
		gather_part_fail(p, "its shell was killed, with status %d", status);
	} else if (e == ERR_NOT_FOUND || (e != ERR_OK && status == STATUS_ABSENT && is_mute)) {
		gather_part_fail(p, "%s", why->text[0] != '\0' ? why->text : "the machine has no such tool");
		p->state = GATHER_SOURCE_ABSENT;
	} else if (e != ERR_OK) {
		gather_part_fail(p, "%s", why->text[0] != '\0' ? why->text : err_text(e));
	}
}

static enum gather_state on_end(struct gather *g, const struct marker *m, struct why *why)
{
	struct gather_part *p = g->reading;
	struct why reason = { "" };
	if (p == NULL || m->n != 2)
		return broken(g, why, "the machine's shell answered in a way that cannot be understood");
	if (!g->has_status) {
		g->text_n = g->line_at > g->text_at ? g->line_at - 1 - g->text_at : 0;
		g->seconds = NAN;
	}
	int status = status_of(g, m);
	/* without a status, it may still be there */
	p->pid = g->has_status ? 0 : g->pid;
	p->start = g->has_status ? 0 : g->start;
	p->seconds = g->seconds >= 0 ? g->seconds : (double)(clock_mono_ms(g->clock) - g->begun_mono_ms) / 1e3;
	p->is_awaited = false;
	g->reading = NULL;
	judge(g, p, status, parse_section(g, p, status, &reason), &reason);
	return GATHER_MORE;
}

static enum gather_state on_busy(struct gather *g, const struct marker *m, struct why *why)
{
	struct gather_part *p = m->n == 2 && g->reading == NULL ? find_awaited(g, m->words[1]) : NULL;
	if (p == NULL)
		return broken(g, why, "the machine answered with a section that was not asked for");
	struct why reason = { "" };
	p->is_awaited = false;
	p->seconds = 0;
	g->text_at = g->line_at; /* to its parser it is one more run that did not end and said nothing */
	g->text_n = 0;
	(void)parse_section(g, p, STATUS_TIMEOUT, &reason);
	gather_part_fail(p, "its last run hangs: process %llu of the machine has not ended", (unsigned long long)p->pid);
	return GATHER_MORE;
}

static enum gather_state on_marker(struct gather *g, const char *line, size_t n, struct why *why)
{
	size_t skip = MARK_LEN + GATHER_NONCE_TEXT;
	struct marker m;
	if (!marker_read(line + skip, n - skip, &m))
		return broken(g, why, "the machine's shell answered in a way that cannot be understood");
	if (strcmp(m.words[0], "begin") == 0 && g->reading == NULL)
		return on_begin(g, &m, why);
	if (strcmp(m.words[0], "status") == 0)
		return on_status(g, &m, why);
	if (strcmp(m.words[0], "end") == 0)
		return on_end(g, &m, why);
	if (strcmp(m.words[0], "busy") == 0)
		return on_busy(g, &m, why);
	if (strcmp(m.words[0], "done") == 0 && g->reading == NULL)
		return GATHER_DONE;
	return broken(g, why, "the machine's shell answered in a way that cannot be understood");
}

/* What a login shell says, kept for the sentence about a connection that ends. */
static void note_noise(struct gather *g, const char *line, size_t n)
{
	size_t blanks = 0;
	g->n_noise += n + 1;
	while (blanks < n && (line[blanks] == ' ' || line[blanks] == '\t' || line[blanks] == '\r'))
		blanks++;
	if (g->noise.len == 0 && blanks < n && g->noise.err == ERR_OK)
		buf_put(&g->noise, line + blanks, n - blanks < 200 ? n - blanks : 200);
}

/* Drops what is done with, unless that would move more than it frees. */
static void compact(struct gather *g)
{
	size_t keep_at = g->reading != NULL ? g->text_at : g->line_at;
	if (keep_at == 0 || (keep_at < g->in.len && keep_at < g->in.len / 2))
		return;
	memmove(g->in.data, g->in.data + keep_at, g->in.len - keep_at);
	g->in.len -= keep_at;
	g->line_at -= keep_at;
	g->scanned -= keep_at;
	g->text_at -= g->reading != NULL ? keep_at : g->text_at;
}

static enum gather_state take_lines(struct gather *g, struct why *why)
{
	const char *newline;
	while ((newline = memchr(g->in.data + g->scanned, '\n', g->in.len - g->scanned)) != NULL) {
		const char *line = g->in.data + g->line_at;
		size_t      n = (size_t)(newline - line);
		enum gather_state state = GATHER_MORE;
		bool was_reading = g->reading != NULL;
		if (is_mark(g, line, n))
			state = on_marker(g, line, n, why);
		else if (!was_reading)
			note_noise(g, line, n);
		if (state == GATHER_BROKEN)
			return state;
		g->line_at = g->scanned = (size_t)(newline - g->in.data) + 1;
		if (!was_reading && g->reading != NULL)
			g->text_at = g->line_at;
		if (state != GATHER_MORE)
			return state;
	}
	g->scanned = g->in.len;
	return GATHER_MORE;
}

enum gather_state gather_feed(struct gather *g, const char *bytes, size_t n, struct why *why)
{
	g->n_output += n;
	if (!g->is_under_way) {
		g->n_noise += n;
		if (g->n_noise <= GATHER_NOISE_MAX)
			return GATHER_DONE;
		return broken(g, why, "the machine says much that it was not asked");
	}
	if (g->n_output > GATHER_OUTPUT_MAX) {
		why_set(why, ERR_LIMIT, "the machine said more than %d MiB in one gather", GATHER_OUTPUT_MAX / 1024 / 1024);
		gather_drop_input(g);
		return GATHER_BROKEN;
	}
	if (n == 0)
		return GATHER_MORE;
	if (buf_put(&g->in, bytes, n) != ERR_OK)
		return broken(g, why, "out of memory for what the machine says");
	enum gather_state state = take_lines(g, why);
	if (state == GATHER_BROKEN)
		return state;
	size_t pending = g->reading == NULL ? g->in.len - g->line_at : 0;
	if (g->n_noise + pending > GATHER_NOISE_MAX)
		return broken(g, why, "the machine says too much before it answers");
	if (state == GATHER_DONE) {
		gather_drop_input(g);
		buf_clear(&g->noise);
		return state;
	}
	compact(g);
	return state;
}

enum err gather_closed(struct gather *g, struct why *why)
{
	struct buf safe;
	buf_init(&safe, 2048);
	text_cut(&safe, buf_text(&g->noise), g->noise.len, 120);
	const char *when = g->is_under_way ? "the machine's shell ended before it had answered" : "the machine's shell ended";
	if (safe.len > 0)
		why_set(why, ERR_NETWORK, "%s; it said '%s'", when, buf_text(&safe));
	else
		why_set(why, ERR_NETWORK, "%s", when);
	buf_release(&safe);
	return ERR_NETWORK;
}
