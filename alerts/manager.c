/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/manager_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* A rule that fails is blind, and what it gave before is neither over nor there: as in Prometheus it is seen for the look-back's time. */
enum { LOOK_BACK_MS = 5 * 60 * 1000 };

#define METRIC_FAILING "pitwall_rules_failing"

/* ---- times ---- */

/* Source: Prometheus, rules/group.go (Group.hash). */
static uint64_t hash_of(const struct rulebook_group *g)
{
	struct buf b;
	size_t file_len = strlen(g->source) - strlen(g->group->name) - 1;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "file\xff");
	buf_put(&b, g->source, file_len);
	buf_puts(&b, "\xff" "name\xff");
	buf_puts(&b, g->group->name);
	buf_puts(&b, "\xff");
	uint64_t hash = hash64_prometheus(b.data, b.len);
	buf_release(&b);
	return hash;
}

/* The last evaluation time at or before now_ms. In nanoseconds, as Prometheus reckons (Group.EvalTimestamp). */
static int64_t evaluation_at(const struct running_group *g, int64_t now_ms)
{
	int64_t interval = g->interval_ms * INT64_C(1000000), now = now_ms * INT64_C(1000000) + 999999;
	int64_t offset = (int64_t)(hash_of(&g->of) % (uint64_t)interval), moved = now - offset;
	return (moved - moved % interval + offset) / INT64_C(1000000);
}

/* ---- a group ---- */

static enum err put_sample(struct running_group *g, const struct labels *l, int64_t t_ms, double v)
{
	struct why ignored = { "" };
	if (rules_frame_put(&g->frame, &g->m->versions, l, v) != ERR_OK)
		return ERR_MEMORY;
	return recent_put(g->m->recent, g->of.source, l, t_ms, v, &ignored);
}

static enum err on_put(void *ctx, const struct labels *l, int64_t t_ms, double v)
{
	return put_sample(ctx, l, t_ms, v);
}

static void on_changed(void *ctx, const struct rule *r, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	manager_changed(ctx, r, a, before, at_ms);
}

static int64_t on_number(void *ctx)
{
	return manager_number(((struct running_group *)ctx)->m);
}

void manager_group_free(struct running_group *g)
{
	if (g == NULL)
		return;
	alert_group_free(g->group);
	rules_frame_release(&g->frame);
	labels_unref(g->failing_series);
	manager_free_health(g);
	free(g->good_ms);
	free(g->told);
	rulebook_file_unref(g->file);
	free(g);
}

static enum err make_group(struct running_group *g, struct why *why)
{
	struct alert_manager *m = g->m;
	const struct label pairs[] = { { LABEL_NAME, METRIC_FAILING, sizeof LABEL_NAME - 1, sizeof METRIC_FAILING - 1 },
		                           { "source", g->of.source, 6, (uint32_t)strlen(g->of.source) } };
	const struct alert_group_options o = { .group = g->of.group, .source = &m->source, .external = m->o.external, .external_url = m->external_url,
		                                   .clock = m->o.clock, .put = on_put, .changed = on_changed, .number = on_number,
		                                   .ctx = g };
	g->good_ms = calloc(g->of.group->n_rules + 1, sizeof *g->good_ms);
	g->told = calloc(g->of.group->n_rules + 1, sizeof *g->told);
	if (g->good_ms == NULL || g->told == NULL)
		return why_memory(why);
	enum err e = labels_new(pairs, 2, &g->failing_series, why);
	if (e == ERR_OK)
		e = manager_name_health(g, why);
	return e == ERR_OK ? alert_group_new(&o, &g->group, why) : e;
}

enum err manager_group_new(struct alert_manager *m, const struct rulebook_group *of, int64_t interval_ms, int64_t now_ms,
                          struct running_group **out, struct why *why)
{
	struct running_group *g = calloc(1, sizeof *g);
	if (g == NULL)
		return why_memory(why);
	*g = (struct running_group){ .m = m, .file = rulebook_file_ref(of->file), .of = *of, .interval_ms = interval_ms };
	rules_frame_init(&g->frame);
	g->last_ms = evaluation_at(g, now_ms);
	enum err e = make_group(g, why);
	if (e != ERR_OK) {
		manager_group_free(g);
		return e;
	}
	*out = g;
	return ERR_OK;
}

/* ---- an evaluation ---- */

/* What a rule that failed gave before goes on for a while. */
static enum err carry(struct running_group *g, size_t rule, int64_t at_ms)
{
	size_t n;
	struct labels *const *given = alert_group_given(g->group, rule, &n);
	enum err e = ERR_OK;
	if (at_ms - g->good_ms[rule] >= LOOK_BACK_MS)
		return ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		double v;
		if (rules_frame_before(&g->frame, given[i], &v))
			e = put_sample(g, given[i], at_ms - g->of.group->offset_ms, v);
	}
	return e;
}

static enum err after_step(struct running_group *g, int64_t at_ms)
{
	double n_failing = 0;
	enum err e = ERR_OK;
	for (size_t i = 0; i < g->of.group->n_rules && e == ERR_OK; i++) {
		const struct rule_health *h = alert_group_health(g->group, i);
		manager_tell_health(g, i, h);
		if (h->err == ERR_OK)
			g->good_ms[i] = at_ms;
		else
			e = carry(g, i, at_ms);
		n_failing += h->err != ERR_OK;
	}
	return e == ERR_OK ? put_sample(g, g->failing_series, at_ms - g->of.group->offset_ms, n_failing) : e;
}

static enum err evaluate(struct running_group *g, int64_t at_ms, struct why *why)
{
	struct alert_manager *m = g->m;
	int64_t t_ms = at_ms - g->of.group->offset_ms;
	if (rules_frame_begin(&g->frame, &m->versions) != ERR_OK)
		return why_memory(why);
	g->last_ms = at_ms;
	enum err e = alert_group_step(g->group, at_ms, why);
	if (e == ERR_OK && after_step(g, at_ms) != ERR_OK)
		e = why_memory(why);
	if (e == ERR_OK)
		e = recent_put_end(m->recent, g->of.source, t_ms, why);
	if (e == ERR_OK)
		manager_note_times(m, g);
	if (e != ERR_OK)
		return e;
	m->frames[m->n_frames++] = (struct alert_frame){ .source = g->of.source, .at_ms = t_ms, .series = g->frame.series, .values = g->frame.values,
		                                             .n = g->frame.n, .n_live = g->frame.n_live, .version = g->frame.version };
	return ERR_OK;
}

/* ---- what the rules look at ---- */

struct selecting {
	struct recent_selector *items;
	size_t                  n, cap;
	int64_t                 offset_ms; /* of the group */
};

static enum err add_selector(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	struct selecting *s = ctx;
	if (s->n == s->cap) {
		size_t cap = s->cap != 0 ? s->cap * 2 : 64;
		struct recent_selector *items = realloc(s->items, cap * sizeof *items);
		if (items == NULL)
			return ERR_MEMORY;
		s->items = items;
		s->cap = cap;
	}
	s->items[s->n++] = (struct recent_selector){ m, n, back_ms + s->offset_ms };
	return ERR_OK;
}

enum err manager_select_all(struct alert_manager *m, struct why *why)
{
	struct selecting s = { .items = NULL };
	enum err e = ERR_OK;
	for (size_t i = 0; i < m->n_groups; i++) {
		const struct rule_group *g = m->groups[i]->of.group;
		s.offset_ms = g->offset_ms;
		for (size_t k = 0; k < g->n_rules && e == ERR_OK; k++)
			e = query_selectors(g->rules[k].query, LOOK_BACK_MS, add_selector, &s);
	}
	e = e == ERR_OK ? recent_set_selectors(m->recent, s.items, s.n, why) : why_memory(why);
	free(s.items);
	m->has_selectors = e == ERR_OK;
	return e;
}

/* ---- a round ---- */

static enum err open_store(struct alert_manager *m, struct why *why)
{
	struct recent_options o = m->o.recent;
	enum err e = reader_open(m->store_path, READER_OWN, &m->reader, why);
	if (e != ERR_OK)
		return e;
	o.reader = m->reader;
	e = recent_new(&o, &m->recent, why);
	if (e != ERR_OK) {
		reader_close(m->reader);
		m->reader = NULL;
		return e;
	}
	m->source = recent_source(m->recent);
	return ERR_OK;
}

static enum err begin(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	enum err e = m->changes != NULL ? ERR_OK : changes_new(&m->changes, why);
	if (e == ERR_OK && m->reader == NULL)
		e = open_store(m, why);
	if (e == ERR_OK && !m->has_selectors)
		e = manager_select_all(m, why);
	if (e == ERR_OK)
		e = recent_follow(m->recent, now_ms, why);
	if (e == ERR_OK && !m->is_restored)
		e = manager_restore(m, now_ms, why);
	m->is_restored |= e == ERR_OK;
	return e;
}

static enum err evaluate_due(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	enum err e = ERR_OK;
	m->n_frames = 0;
	for (size_t i = 0; i < m->n_groups && e == ERR_OK; i++) {
		struct running_group *g = m->groups[i];
		int64_t at_ms = evaluation_at(g, now_ms);
		if (at_ms > g->last_ms)
			e = evaluate(g, at_ms, why);
		else if (at_ms < g->last_ms) /* the clock was set back */
			g->last_ms = at_ms;
	}
	return e;
}

/* Once: what costs time from now on. */
static void tell_beyond(struct alert_manager *m, int64_t now_ms)
{
	struct recent_stats s = recent_stats(m->recent);
	char text[200];
	bool is_beyond = s.selectors_beyond > 0;
	if (is_beyond && !m->has_told_beyond) {
		snprintf(text, sizeof text, "the rules look at more series than are kept in memory (%zu): %zu selectors are read from the store, which takes longer",
		         s.series, s.selectors_beyond);
		changes_event(m->changes, &(struct event){ .wall_ms = now_ms, .severity = SEVERITY_WARN, .kind = "rule", .node = "", .text = text });
	}
	m->has_told_beyond = is_beyond;
	bool is_long = s.selectors_too_long > 0;
	if (is_long && !m->has_told_long) {
		snprintf(text, sizeof text, "the rules look further back than is kept in memory (%zu MiB): %zu selectors are read from the store, which takes longer",
		         s.samples / 65536, s.selectors_too_long);
		changes_event(m->changes, &(struct event){ .wall_ms = now_ms, .severity = SEVERITY_WARN, .kind = "rule", .node = "", .text = text });
	}
	m->has_told_long = is_long;
}

static enum err settle(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	enum err e = m->has_moved ? manager_inhibit(m, now_ms, why) : ERR_OK;
	manager_forget_groups(m);
	if (e == ERR_OK)
		e = manager_judge_acks(m, now_ms, why);
	if (e != ERR_OK)
		return e;
	tell_beyond(m, now_ms);
	manager_write_rows(m);
	manager_forget_rows(m, now_ms);
	manager_forget_groups(m);
	manager_forget_silences(m, now_ms);
	m->has_moved = false;
	return m->failed == ERR_OK ? manager_write_health(m, now_ms, why) : why_memory(why);
}

static void free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

static int64_t next_due(const struct alert_manager *m)
{
	int64_t next_ms = INT64_MAX;
	for (size_t i = 0; i < m->n_groups; i++)
		if (m->groups[i]->last_ms + m->groups[i]->interval_ms < next_ms)
			next_ms = m->groups[i]->last_ms + m->groups[i]->interval_ms;
	return next_ms;
}

static void give(struct alert_manager *m, struct alert_round *out)
{
	free_texts(m->gone, m->n_gone);
	m->gone = m->gone_next;
	m->n_gone = m->n_gone_next;
	m->gone_next = NULL;
	m->n_gone_next = 0;
	*out = (struct alert_round){ .frames = m->frames, .n_frames = m->n_frames, .gone = (const char *const *)m->gone, .n_gone = m->n_gone,
		                         .n_evaluated = m->n_frames, .next_ms = next_due(m),
		                         .health = m->has_health ? &m->health_frame : NULL };
	if (changes_is_empty(m->changes))
		return;
	out->changes = m->changes;
	m->changes = NULL;
}

enum err alert_manager_round(struct alert_manager *m, int64_t now_ms, struct alert_round *out, struct why *why)
{
	int64_t began_us = m->o.clock != NULL ? clock_mono_us(m->o.clock) : 0;
	if (m->book == NULL)
		return why_set(why, ERR_USAGE, "no rules were loaded");
	m->failed = ERR_OK;
	enum err e = begin(m, now_ms, why);
	if (e == ERR_OK)
		e = evaluate_due(m, now_ms, why);
	if (e == ERR_OK)
		e = settle(m, now_ms, why);
	if (e == ERR_OK)
		give(m, out);
	m->round_us = m->o.clock != NULL ? clock_mono_us(m->o.clock) - began_us : 0;
	return e;
}

/* ---- how it is ---- */

size_t alert_manager_rules(const struct alert_manager *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_groups; i++)
		n += m->groups[i]->of.group->n_rules;
	return n;
}

struct rule_state alert_manager_rule(const struct alert_manager *m, size_t i)
{
	size_t g = 0;
	while (i >= m->groups[g]->of.group->n_rules)
		i -= m->groups[g++]->of.group->n_rules;
	const struct running_group *r = m->groups[g];
	return (struct rule_state){ r->of.source, &r->of.group->rules[i], alert_group_health(r->group, i) };
}

struct alert_manager_stats alert_manager_stats(const struct alert_manager *m)
{
	struct alert_manager_stats s = { .groups = m->n_groups, .alerts = m->n_rows, .last_round_us = m->round_us };
	for (size_t i = 0; i < m->n_groups; i++) {
		s.rules += m->groups[i]->of.group->n_rules;
		for (size_t k = 0; k < m->groups[i]->of.group->n_rules; k++)
			s.rules_failing += alert_group_health(m->groups[i]->group, k)->err != ERR_OK;
	}
	if (m->recent != NULL)
		s.recent = recent_stats(m->recent);
	return s;
}

/* ---- life ---- */

enum err alert_manager_new(const struct alert_manager_options *o, struct alert_manager **out, struct why *why)
{
	struct alert_manager *m = calloc(1, sizeof *m);
	if (m == NULL)
		return why_memory(why);
	m->o = *o;
	m->o.external = o->external != NULL ? labels_ref(o->external) : NULL;
	m->store_path = strdup(o->store_path);
	m->external_url = o->external_url != NULL ? strdup(o->external_url) : NULL;
	silences_init(&m->prepared);
	rules_frame_init(&m->health);
	if (ack_book_new(&m->ack_book, why) != ERR_OK || m->store_path == NULL || (o->external_url != NULL && m->external_url == NULL)) {
		alert_manager_free(m);
		return why_memory(why);
	}
	*out = m;
	return ERR_OK;
}

void alert_manager_free(struct alert_manager *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n_groups; i++)
		manager_group_free(m->groups[i]);
	free(m->groups);
	manager_forget_groups(m);
	manager_free_rows(m);
	manager_free_acks(m);
	ack_book_free(m->ack_book);
	manager_free_silences(m);
	free(m->now_silenced);
	free(m->now_acks);
	free(m->now_unacked);
	free_texts(m->gone, m->n_gone);
	free_texts(m->gone_next, m->n_gone_next);
	rules_frame_release(&m->health);
	free(m->frames);
	changes_free(m->changes);
	recent_free(m->recent);
	reader_close(m->reader);
	rulebook_free(m->book);
	labels_drop(m->o.external);
	free(m->store_path);
	free(m->external_url);
	free(m);
}
