/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/group.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rulebook.h"
#include "base/stale.h"

/* The series that a rule gave, to tell those that are gone. */
struct given {
	struct labels **items; /* referenced; in the order of their hashes */
	size_t          n, cap;
};

/* The series of one alert, made when they are first needed. */
struct alert_names {
	struct labels *of; /* the alert's labels: the same object as long as it is there */
	struct labels *pending, *firing, *for_state;
};

struct running {
	struct alert_group *group;
	const struct rule  *rule;
	struct alert_life  *life; /* of an alert */
	struct rule_health  health;
	struct given        before, now;
	struct alert_names *names; /* [n_names]: in the order of the life's alerts */
	size_t              n_names, cap_names;
};

struct alert_group {
	struct alert_group_options o;
	struct query_memory       *memory;
	struct running            *rules; /* [o.group->n_rules] */
	struct given               gone;  /* of rules that are no more; stale at the next evaluation */
};

/* ---- what was given ---- */

static void given_clear(struct given *g)
{
	for (size_t i = 0; i < g->n; i++)
		labels_unref(g->items[i]);
	g->n = 0;
}

static enum err given_add(struct given *g, const struct labels *l)
{
	if (g->n == g->cap) {
		size_t cap = g->cap != 0 ? g->cap * 2 : 16;
		struct labels **items = realloc(g->items, cap * sizeof *items);
		if (items == NULL)
			return ERR_MEMORY;
		g->items = items;
		g->cap = cap;
	}
	g->items[g->n++] = labels_ref(l);
	return ERR_OK;
}

static int by_hash(const void *a, const void *b)
{
	const struct labels *const *x = a, *const *y = b;
	uint64_t l = labels_hash(*x), r = labels_hash(*y);
	return l != r ? (l > r) - (l < r) : labels_compare(*x, *y);
}

static enum err put(struct running *r, const struct labels *l, int64_t t_ms, double v)
{
	enum err e = given_add(&r->now, l);
	return e == ERR_OK ? r->group->o.put(r->group->o.ctx, l, t_ms, v) : e;
}

/* Marks what is gone, and what is there now is what was there before the next time. */
static enum err end_gone(struct running *r, int64_t t_ms)
{
	enum err e = ERR_OK;
	size_t at = 0;
	if (r->now.n > 0)
		qsort(r->now.items, r->now.n, sizeof *r->now.items, by_hash);
	for (size_t i = 0; i < r->before.n && e == ERR_OK; i++) {
		while (at < r->now.n && by_hash(&r->now.items[at], &r->before.items[i]) < 0)
			at++;
		if (at == r->now.n || !labels_equal(r->now.items[at], r->before.items[i]))
			e = r->group->o.put(r->group->o.ctx, r->before.items[i], t_ms, stale_mark());
	}
	struct given was = r->before;
	r->before = r->now;
	r->now = was;
	given_clear(&r->now);
	return e;
}

/* ---- rules that record ---- */

static enum err name_result(const struct rule *r, const struct labels *result, struct labels **out, struct why *why)
{
	struct labels_builder b;
	labels_builder_init(&b);
	labels_builder_from(&b, result);
	labels_builder_set(&b, LABEL_NAME, r->name);
	for (size_t i = 0; i < r->n_labels; i++)
		labels_builder_set_n(&b, r->labels[i].name, r->labels[i].name_len, r->labels[i].value, r->labels[i].value_len);
	enum err e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

static enum err name_all(const struct rule *r, const struct series_set *result, struct labels **names, struct labels **sorted, struct why *why)
{
	for (size_t i = 0; i < result->n; i++) {
		enum err e = name_result(r, result->items[i].labels, &names[i], why);
		if (e != ERR_OK)
			return e;
		sorted[i] = names[i];
	}
	if (result->n > 0)
		qsort(sorted, result->n, sizeof *sorted, by_hash);
	for (size_t i = 1; i < result->n; i++)
		if (labels_equal(sorted[i - 1], sorted[i]))
			return why_set(why, ERR_EXISTS, "two results have the same labels once the rule's are laid over them");
	return ERR_OK;
}

static enum err record(struct running *r, int64_t t_ms, const struct series_set *result, struct why *why)
{
	size_t limit = r->group->o.group->limit;
	if (limit > 0 && result->n > limit)
		return why_set(why, ERR_LIMIT, "%zu results, and the limit of the group is %zu", result->n, limit);
	struct labels **names = calloc(2 * result->n + 1, sizeof *names);
	if (names == NULL)
		return why_memory(why);
	enum err e = name_all(r->rule, result, names, names + result->n, why);
	for (size_t i = 0; i < result->n && e == ERR_OK; i++)
		e = put(r, names[i], t_ms, result->items[i].v[0]);
	for (size_t i = 0; i < result->n; i++)
		labels_unref(names[i]);
	free(names);
	return e;
}

/* ---- rules that alert ---- */

static enum err alert_series(const struct alert *a, const char *metric, const char *state, struct labels **out, struct why *why)
{
	struct labels_builder b;
	labels_builder_init(&b);
	labels_builder_from(&b, a->labels);
	labels_builder_set(&b, LABEL_NAME, metric);
	if (state != NULL)
		labels_builder_set(&b, "alertstate", state);
	enum err e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

static void names_release(struct alert_names *n)
{
	labels_unref(n->of);
	labels_unref(n->pending);
	labels_unref(n->firing);
	labels_unref(n->for_state);
}

/* A walk over the alerts of a life, which stay in their order: those of before up to `from` have been looked at, the first `to` are of this walk. */
struct naming {
	struct running *r;
	size_t          from, to;
};

static enum err names_of(struct naming *w, const struct alert *a, struct alert_names **out)
{
	struct running *r = w->r;
	while (w->from < r->n_names && r->names[w->from].of != a->labels)
		names_release(&r->names[w->from++]);
	if (w->from == r->n_names && w->to == r->cap_names) {
		size_t cap = r->cap_names != 0 ? r->cap_names * 2 : 8;
		struct alert_names *names = realloc(r->names, cap * sizeof *names);
		if (names == NULL)
			return ERR_MEMORY;
		r->names = names;
		r->cap_names = cap;
	}
	struct alert_names n = { .of = NULL };
	if (w->from < r->n_names)
		n = r->names[w->from++];
	else
		n.of = labels_ref(a->labels);
	r->names[w->to] = n;
	*out = &r->names[w->to++];
	if (w->from < w->to) /* behind the end of those of before */
		w->from = r->n_names = w->to;
	return ERR_OK;
}

static void names_end(struct naming *w)
{
	while (w->from < w->r->n_names)
		names_release(&w->r->names[w->from++]);
	w->r->n_names = w->to;
}

static enum err put_alert(struct naming *w, const struct alert *a, int64_t t_ms, struct why *why)
{
	struct alert_names *n;
	bool fires = a->state == ALERT_FIRING;
	if (names_of(w, a, &n) != ERR_OK)
		return why_memory(why);
	struct labels **state = fires ? &n->firing : &n->pending;
	enum err e = *state != NULL ? ERR_OK : alert_series(a, "ALERTS", fires ? "firing" : "pending", state, why);
	if (e == ERR_OK && n->for_state == NULL)
		e = alert_series(a, "ALERTS_FOR_STATE", NULL, &n->for_state, why);
	if (e == ERR_OK)
		e = put(w->r, *state, t_ms, 1);
	return e == ERR_OK ? put(w->r, n->for_state, t_ms, (double)(a->active_ms / 1000)) : e;
}

static enum err alert(struct running *r, int64_t at_ms, int64_t t_ms, const struct series_set *result, struct why *why)
{
	struct naming w = { .r = r };
	enum err e = alert_life_step(r->life, at_ms, result, why);
	for (size_t i = 0; i < alert_life_count(r->life) && e == ERR_OK; i++) {
		const struct alert *a = alert_life_at(r->life, i);
		if (a->state != ALERT_INACTIVE)
			e = put_alert(&w, a, t_ms, why);
	}
	names_end(&w);
	return e;
}

static void on_change(void *ctx, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	struct running *r = ctx;
	const struct alert_group_options *o = &r->group->o;
	if (o->changed != NULL)
		o->changed(o->ctx, r->rule, a, before, at_ms);
}

static int64_t number(void *ctx)
{
	const struct alert_group_options *o = &((struct running *)ctx)->group->o;
	return o->number != NULL ? o->number(o->ctx) : 0;
}

/* What `query` of a template asks. */
static enum err ask(void *ctx, const char *expression, int64_t at_ms, struct query_result *out, struct why *why)
{
	const struct running *r = ctx;
	struct query *q = NULL;
	enum err e = query_parse(expression, &q, NULL, why);
	if (e == ERR_OK)
		e = query_instant(q, r->group->o.source, at_ms, NULL, out, why);
	query_free(q);
	return e;
}

/* ---- evaluation ---- */

/* A scalar is one result without labels. */
static enum err result_of(struct query_result *q, struct series *scalar, int64_t *t_ms, struct series_set *out, struct why *why)
{
	if (q->type == VALUE_VECTOR) {
		*out = q->series;
		return ERR_OK;
	}
	if (q->type != VALUE_SCALAR)
		return why_set(why, ERR_FORMAT, "the expression gives neither a vector nor a number");
	struct labels *none = NULL;
	enum err e = labels_new(NULL, 0, &none, why);
	*scalar = (struct series){ .labels = none, .n = 1, .t_ms = t_ms, .v = &q->scalar };
	*out = (struct series_set){ .items = scalar, .n = 1 };
	return e;
}

static enum err evaluate(struct running *r, int64_t at_ms, struct why *why)
{
	const struct query_options options = { .memory = r->group->memory };
	struct query_result result;
	struct series_set set = { .n = 0 };
	struct series scalar = { .labels = NULL };
	int64_t t_ms = at_ms - r->group->o.group->offset_ms;
	enum err e = query_instant(r->rule->query, r->group->o.source, t_ms, &options, &result, why);
	if (e != ERR_OK)
		return e;
	e = result_of(&result, &scalar, &t_ms, &set, why);
	if (e == ERR_OK)
		e = r->life != NULL ? alert(r, at_ms, t_ms, &set, why) : record(r, t_ms, &set, why);
	r->health.n_results = set.n;
	labels_unref(scalar.labels);
	query_result_release(&result);
	return e;
}

static enum err step_rule(struct running *r, int64_t at_ms, struct why *why)
{
	struct why reason = { "" };
	const struct clock *clock = r->group->o.clock;
	int64_t began_us = clock != NULL ? clock_mono_us(clock) : 0;
	r->health.at_ms = at_ms;
	r->health.text[0] = '\0';
	r->health.err = evaluate(r, at_ms, &reason);
	r->health.took_us = clock != NULL ? clock_mono_us(clock) - began_us : 0;
	if (r->health.err == ERR_OK)
		return end_gone(r, at_ms - r->group->o.group->offset_ms);
	snprintf(r->health.text, sizeof r->health.text, "%s", reason.text);
	given_clear(&r->now); /* what it gave before is still what it gave last */
	return r->health.err == ERR_MEMORY ? why_memory(why) : ERR_OK;
}

enum err alert_group_step(struct alert_group *g, int64_t at_ms, struct why *why)
{
	for (size_t i = 0; i < g->o.group->n_rules; i++) {
		enum err e = step_rule(&g->rules[i], at_ms, why);
		if (e != ERR_OK)
			return e;
	}
	enum err e = ERR_OK;
	for (size_t i = 0; i < g->gone.n && e == ERR_OK; i++)
		e = g->o.put(g->o.ctx, g->gone.items[i], at_ms - g->o.group->offset_ms, stale_mark());
	given_clear(&g->gone);
	return e;
}

/* ---- after a change ---- */

static enum err take_rule(struct running *to, struct running *from, int64_t now_ms, struct why *why)
{
	struct given was = to->before;
	to->before = from->before;
	from->before = was;
	for (size_t i = 0; to->life != NULL && i < alert_life_count(from->life); i++) {
		enum err e = alert_life_restore(to->life, alert_life_at(from->life, i), now_ms, now_ms, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err alert_group_take(struct alert_group *g, struct alert_group *before, int64_t now_ms, bool *is_taken, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t k = 0; k < before->o.group->n_rules; k++)
		is_taken[k] = false;
	for (size_t i = 0; i < g->o.group->n_rules && e == ERR_OK; i++) {
		size_t k = 0;
		while (k < before->o.group->n_rules && (is_taken[k] || !rule_continues(g->rules[i].rule, before->rules[k].rule)))
			k++;
		if (k == before->o.group->n_rules)
			continue;
		is_taken[k] = true;
		e = take_rule(&g->rules[i], &before->rules[k], now_ms, why);
	}
	for (size_t k = 0; k < before->o.group->n_rules; k++)
		for (size_t i = 0; i < before->rules[k].before.n && !is_taken[k] && e == ERR_OK; i++)
			e = given_add(&g->gone, before->rules[k].before.items[i]) == ERR_OK ? ERR_OK : why_memory(why);
	return e;
}

struct labels *const *alert_group_given(const struct alert_group *g, size_t rule, size_t *n)
{
	assert(rule < g->o.group->n_rules);
	*n = g->rules[rule].before.n;
	return g->rules[rule].before.items;
}

const struct rule_health *alert_group_health(const struct alert_group *g, size_t rule)
{
	assert(rule < g->o.group->n_rules);
	return &g->rules[rule].health;
}

struct alert_life *alert_group_life(struct alert_group *g, size_t rule)
{
	assert(rule < g->o.group->n_rules);
	return g->rules[rule].life;
}

/* ---- life ---- */

static enum err begin_rule(struct alert_group *g, struct running *r, const struct rule *rule, struct why *why)
{
	struct why reason = { "" };
	*r = (struct running){ .group = g, .rule = rule };
	if (rule->kind != RULE_ALERT)
		return ERR_OK;
	const struct alert_life_options o = { .rule = rule, .limit = g->o.group->limit, .external = g->o.external, .external_url = g->o.external_url,
		                                  .query = ask, .changed = on_change, .number = number, .ctx = r };
	enum err e = alert_life_new(&o, &r->life, &reason);
	return e == ERR_OK ? ERR_OK : why_set(why, e, "alert '%.100s': %s", rule->name, reason.text);
}

enum err alert_group_new(const struct alert_group_options *o, struct alert_group **out, struct why *why)
{
	struct alert_group *g = calloc(1, sizeof *g);
	if (g == NULL)
		return why_memory(why);
	g->o = *o;
	g->rules = calloc(o->group->n_rules + 1, sizeof *g->rules);
	enum err e = g->rules == NULL ? why_memory(why) : query_memory_new(&g->memory, why);
	for (size_t i = 0; i < o->group->n_rules && e == ERR_OK; i++)
		e = begin_rule(g, &g->rules[i], &o->group->rules[i], why);
	if (e != ERR_OK) {
		alert_group_free(g);
		return e;
	}
	*out = g;
	return ERR_OK;
}

void alert_group_free(struct alert_group *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; g->rules != NULL && i < g->o.group->n_rules; i++) {
		struct running *r = &g->rules[i];
		given_clear(&r->before);
		given_clear(&r->now);
		free(r->before.items);
		free(r->now.items);
		for (size_t k = 0; k < r->n_names; k++)
			names_release(&r->names[k]);
		free(r->names);
		alert_life_free(r->life);
	}
	given_clear(&g->gone);
	free(g->gone.items);
	query_memory_free(g->memory);
	free(g->rules);
	free(g);
}
