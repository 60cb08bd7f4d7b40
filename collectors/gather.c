/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/gather.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/num.h"
#include "base/text.h"
#include "collectors/gather_private.h"

enum {
	TIMEOUT_DEFAULT_MS = 5000,
	TIMEOUT_MIN_MS     = 2000,
	TIMEOUT_MAX_MS     = 600000,
	KEEP_BYTES         = 64 * 1024, /* a buffer that grew beyond it is given back after the gather */
};

static enum err part_init(struct gather_part *p, const struct source *source, struct why *why)
{
	*p = (struct gather_part){ .source = source, .asked_ms = -1 };
	buf_init(&p->page, GATHER_PART_MAX);
	if (source->memory_size == 0)
		return ERR_OK;
	p->memory = calloc(1, source->memory_size);
	return p->memory != NULL ? ERR_OK : why_memory(why);
}

enum err gather_new(const struct gather_options *options, struct gather **out, struct why *why)
{
	static const struct source_settings none;
	const struct source *const *list = options->sources != NULL ? options->sources : sources;
	size_t n = options->sources != NULL ? options->n_sources : n_sources;
	assert(n < GATHER_SOURCES_MAX);
	int64_t timeout_ms = options->section_timeout_ms != 0 ? options->section_timeout_ms : TIMEOUT_DEFAULT_MS;
	if (timeout_ms < TIMEOUT_MIN_MS || timeout_ms > TIMEOUT_MAX_MS)
		return why_set(why, ERR_RANGE, "the time of a section must be 2s to 10m");
	struct gather *g = calloc(1, sizeof *g);
	if (g == NULL)
		return why_memory(why);
	enum err e = ERR_OK;
	g->clock = options->clock;
	g->settings = options->settings != NULL ? options->settings : &none;
	g->section_timeout_ms = timeout_ms;
	buf_init(&g->in, GATHER_OUTPUT_MAX + 1);
	buf_init(&g->noise, 256);
	findings_init(&g->found);
	g->parts = calloc(n + 1, sizeof *g->parts);
	if (g->parts == NULL)
		e = why_memory(why);
	for (size_t i = 0; e == ERR_OK && i < n + 1; i++) {
		e = part_init(&g->parts[i], i == 0 ? &machine_source : list[i - 1], why);
		g->n_parts++;
	}
	if (e != ERR_OK) {
		gather_free(g);
		return e;
	}
	*out = g;
	return ERR_OK;
}

void gather_free(struct gather *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->n_parts; i++) {
		struct gather_part *p = &g->parts[i];
		if (p->memory != NULL && p->source->forget != NULL)
			p->source->forget(p->memory);
		free(p->memory);
		buf_release(&p->page);
	}
	free(g->parts);
	buf_release(&g->in);
	buf_release(&g->noise);
	findings_release(&g->found);
	free(g);
}

void gather_part_fail(struct gather_part *p, const char *format, ...)
{
	char       raw[sizeof p->reason];
	struct buf safe;
	va_list    args;
	va_start(args, format);
	int n = vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	p->state = GATHER_SOURCE_FAILED;
	p->reason[0] = '\0';
	buf_init(&safe, 4 * sizeof raw);
	if (n > 0 && text_cut(&safe, raw, strlen(raw), 160) == ERR_OK)
		snprintf(p->reason, sizeof p->reason, "%s", buf_text(&safe));
	buf_release(&safe);
}

static void release_if_big(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_release(b);
}

void gather_drop_input(struct gather *g)
{
	for (size_t i = 0; i < g->n_parts; i++) {
		struct gather_part *p = &g->parts[i];
		if (!p->is_awaited)
			continue;
		p->is_awaited = false;
		buf_clear(&p->page); /* what it said before is as old as its next time is due */
		gather_part_fail(p, "it was asked and the machine did not answer");
	}
	buf_clear(&g->in);
	release_if_big(&g->in);
	g->line_at = g->scanned = g->n_output = g->n_noise = 0;
	g->reading = NULL;
	g->is_under_way = false;
}

void gather_reset(struct gather *g)
{
	gather_drop_input(g);
	buf_clear(&g->noise);
	g->has_program = false;
	machine_source.forget(g->parts[0].memory);
	for (size_t i = 0; i < g->n_parts; i++)
		g->parts[i].is_forced = g->parts[i].state == GATHER_SOURCE_ABSENT || g->parts[i].state == GATHER_SOURCE_FAILED;
}

/* A twentieth early: gathers come a little unevenly, and a source that is asked every 30 s is not to wait for the gather after. */
static bool is_due(const struct gather_part *p, int64_t now_ms)
{
	const struct source *s = p->source;
	int64_t every_ms = p->state == GATHER_SOURCE_ABSENT && s->absent_ms > s->every_ms ? s->absent_ms : s->every_ms;
	if (p->is_unwanted)
		return false;
	return p->asked_ms < 0 || p->is_forced || now_ms - p->asked_ms >= every_ms - every_ms / 20;
}

static bool is_plain(const struct buf *argument)
{
	static const char others[] = "_=;:.,/@+-";
	for (size_t i = 0; i < argument->len; i++) {
		char c = argument->data[i];
		bool is_word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!is_word && (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return argument->err == ERR_OK;
}

static void put_section(struct gather_part *p, int64_t now_ms, struct buf *to)
{
	struct buf argument;
	buf_init(&argument, GATHER_ARGUMENT_MAX);
	if (p->source->ask != NULL)
		p->source->ask(p->memory, &argument);
	p->asked_ms = now_ms;
	p->is_forced = false;
	if (!is_plain(&argument)) {
		buf_clear(&p->page);
		gather_part_fail(p, "what it wants to ask cannot be sent");
		buf_release(&argument);
		return;
	}
	buf_printf(to, " %s", p->source->name);
	if (p->pid != 0)
		buf_printf(to, "~%llu.%llu", (unsigned long long)p->pid, (unsigned long long)p->start);
	if (argument.len > 0)
		buf_printf(to, "=%s", argument.data);
	buf_release(&argument);
	p->is_awaited = true;
}

/* The kernel's, since whoever can guess it can say what he wants in the name of every source. */
static enum err make_nonce(char nonce[GATHER_NONCE_TEXT], struct why *why)
{
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return why_set(why, ERR_IO, "the system gives no random bytes");
	snprintf(nonce, GATHER_NONCE_TEXT, "%016llx", (unsigned long long)random);
	return ERR_OK;
}

static void take_back(struct gather *g, struct buf *to, size_t begin, bool had_program)
{
	for (size_t i = 0; i < g->n_parts; i++) {
		if (!g->parts[i].is_awaited)
			continue;
		g->parts[i].is_awaited = false;
		g->parts[i].is_forced = true;
	}
	g->has_program = had_program;
	if (to->data != NULL) {
		to->len = begin;
		to->data[begin] = '\0';
	}
}

enum err gather_request(struct gather *g, struct buf *to, struct why *why)
{
	bool    had_program = g->has_program;
	size_t  begin = to->len;
	int64_t now_ms = clock_mono_ms(g->clock);
	if (g->is_under_way)
		return why_set(why, ERR_LATER, "the machine has not answered yet");
	enum err e = make_nonce(g->nonce, why);
	if (e == ERR_OK && !g->has_program)
		e = gather_program(g, to, why);
	if (e != ERR_OK)
		return e;
	g->has_program = true;
	buf_puts(to, g->nonce);
	for (size_t i = 0; i < g->n_parts; i++)
		if (is_due(&g->parts[i], now_ms))
			put_section(&g->parts[i], now_ms, to);
	buf_putc(to, '\n');
	if (to->err != ERR_OK) {
		e = to->err;
		take_back(g, to, begin, had_program);
		return e == ERR_MEMORY ? why_memory(why) : why_set(why, e, "a request is too long");
	}
	buf_clear(&g->found.page);
	if (g->were_events_seen)
		g->found.n_events = g->found.n_more_events = 0;
	g->were_events_seen = false;
	g->asked_wall_ms = clock_wall_ms(g->clock);
	g->asked_mono_ms = now_ms;
	g->n_output = g->n_noise = 0;
	g->is_under_way = true;
	return ERR_OK;
}

int64_t gather_longest_ms(const struct gather *g)
{
	int64_t sum = 0;
	for (size_t i = 0; i < g->n_parts; i++)
		sum += g->parts[i].is_awaited ? g->section_timeout_ms + 2000 : 0; /* one for head's limit, one until it is killed */
	return sum;
}

const struct findings *gather_findings(struct gather *g)
{
	struct findings *f = &g->found;
	buf_clear(&f->page);
	f->page.max = FINDINGS_PAGE_MAX;
	if (g->parts[0].page.len == 0)
		machine_put(g->parts[0].memory, f);
	for (size_t i = 0; i < g->n_parts; i++) {
		struct gather_part *p = &g->parts[i];
		/* room for the lines about the sources, 64 of 128 bytes twice */
		if (p->page.len == 0 || f->page.len + p->page.len > FINDINGS_PAGE_MAX - 16384) {
			if (p->page.len > 0)
				gather_part_fail(p, "all sources together say too much");
			continue;
		}
		buf_put(&f->page, p->page.data, p->page.len);
	}
	for (size_t i = 0; i < g->n_parts; i++) {
		const struct gather_part *p = &g->parts[i];
		const char *labels[] = { "source", p->source->name, NULL };
		if (p->state == GATHER_SOURCE_GOOD || p->state == GATHER_SOURCE_FAILED)
			findings_put(f, "pitwall_source_success", p->state == GATHER_SOURCE_GOOD ? 1 : 0, labels);
	}
	for (size_t i = 0; i < g->n_parts; i++) {
		const struct gather_part *p = &g->parts[i];
		const char *labels[] = { "source", p->source->name, NULL };
		if (p->state == GATHER_SOURCE_GOOD || p->state == GATHER_SOURCE_FAILED)
			findings_put(f, "pitwall_source_duration_seconds", p->seconds, labels);
	}
	g->were_events_seen = true;
	return f;
}

size_t gather_source_count(const struct gather *g)
{
	return g->n_parts;
}

struct gather_source gather_source_at(const struct gather *g, size_t i)
{
	const struct gather_part *p = &g->parts[i];
	return (struct gather_source){
		.name = p->source->name,
		.summary = p->source->summary,
		.state = p->state,
		.reason = p->reason,
		.seconds = p->seconds,
		.asked_ms = p->asked_ms,
	};
}
