/* SPDX-License-Identifier: Apache-2.0
 *
 * A target keeps a list of all signals that it gave lately, in the order of the rules; an evaluation fills in their values, and what it
 * does not fill in is stale. So a signal that comes and goes (a quantile without traffic) does not change the layout of the frames.
 *
 * Invariants of the list: (1) it is sorted by rule, results of one rule by their labels; signal:up comes first with the rule UP_RULE, and what is known of
 * the certificate and of series that are not kept last, as if of two rules behind all others;
 * (2) no two entries have equal labels. */
#include "rules/eval.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/stale.h"
#include "rules/eval_private.h"
#include "rules/ruleset.h"
#include "rules/signal.h"

enum {
	SERIES_MAX_DEFAULT = 20000,
	SIGNALS_MAX = 1024, /* of one target */
	ABSENT_MAX = 60,    /* evaluations after which an absent signal may leave the list */
	SAMPLES_MAX = 2000000,
	UP_RULE = -1,
};

struct signal_engine {
	struct signal_options o;
	const struct profile **profiles; /* without mistakes */
	size_t                n_profiles;
	struct ruleset       *sets; /* of the profiles that targets have, one a range; the set without rules among them */
	struct labels        *up;   /* {__name__="signal:up"} */
	struct labels        *certificate; /* likewise, of SIGNAL_CERTIFICATE */
	struct labels        *dropped;     /* and of SIGNAL_DROPPED */
};

/* ---- the engine ---- */

static enum err name_signal(enum signal_id id, struct labels **out, struct why *why)
{
	const struct label name = { LABEL_NAME, signal_info(id)->metric, sizeof LABEL_NAME - 1, (uint32_t)strlen(signal_info(id)->metric) };
	return labels_new(&name, 1, out, why);
}

enum err signal_engine_new(const struct signal_options *o, struct signal_engine **out, struct why *why)
{
	struct signal_engine *e = calloc(1, sizeof *e);
	struct ruleset       *none = NULL;
	if (e == NULL)
		return why_memory(why);
	if (o != NULL)
		e->o = *o;
	if (e->o.series_max == 0)
		e->o.series_max = SERIES_MAX_DEFAULT;
	enum err err = name_signal(SIGNAL_UP, &e->up, why);
	if (err == ERR_OK)
		err = name_signal(SIGNAL_CERTIFICATE, &e->certificate, why);
	if (err == ERR_OK)
		err = name_signal(SIGNAL_DROPPED, &e->dropped, why);
	if (err == ERR_OK)
		err = ruleset_new(NULL, RULESET_SIGNALS, 0, 1000, 1, &none, why);
	e->sets = none;
	if (err != ERR_OK) {
		signal_engine_free(e);
		return err;
	}
	*out = e;
	return ERR_OK;
}

void signal_engine_free(struct signal_engine *e)
{
	if (e == NULL)
		return;
	while (e->sets != NULL) {
		struct ruleset *next = e->sets->next;
		ruleset_free(e->sets);
		e->sets = next;
	}
	labels_unref(e->up);
	labels_unref(e->certificate);
	labels_unref(e->dropped);
	free(e->profiles);
	free(e);
}

static const struct profile *find_profile(const struct signal_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_profiles; i++)
		if (strcmp(e->profiles[i]->head.name, name) == 0)
			return e->profiles[i];
	return NULL;
}

/* NULL: it was not made yet. */
static struct ruleset *find_set(const struct signal_engine *e, const struct profile *p, int64_t range_ms)
{
	struct ruleset *s = e->sets;
	while (s != NULL && (s->profile != p || (p != NULL && s->range_ms != range_ms)))
		s = s->next;
	return s;
}

static enum err make_set(const struct signal_engine *e, const struct profile *p, int64_t range_ms, struct ruleset **out, struct why *why)
{
	int64_t interval_ms = range_ms / 4 < 1 ? 1 : range_ms / 4;
	return ruleset_new(p, RULESET_SIGNALS, range_ms, interval_ms, e->o.series_max, out, why);
}

/* A set is made to find mistakes, and kept only once a target has it: of ten profiles a fleet has two or three. */
enum err signal_engine_add(struct signal_engine *e, const struct profile *p, struct why *why)
{
	struct ruleset *s = NULL;
	if (find_profile(e, p->head.name) != NULL)
		return why_set(why, ERR_EXISTS, "a profile '%s' is there already", p->head.name);
	enum err err = make_set(e, p, p->head.window_ms, &s, why);
	if (err != ERR_OK)
		return err;
	ruleset_free(s);
	const struct profile **more = realloc(e->profiles, (e->n_profiles + 1) * sizeof *more);
	if (more == NULL)
		return why_memory(why);
	e->profiles = more;
	e->profiles[e->n_profiles++] = p;
	return ERR_OK;
}

/* ---- targets ---- */

static enum err target_reserve(struct signal_target *t, size_t cap, struct why *why)
{
	if (cap <= t->cap)
		return ERR_OK;
	struct entry *entries = realloc(t->entries, cap * sizeof *entries);
	if (entries != NULL)
		t->entries = entries;
	struct labels **series = realloc(t->series, cap * sizeof *series);
	if (series != NULL)
		t->series = series;
	double *values = realloc(t->values, cap * sizeof *values);
	if (values != NULL)
		t->values = values;
	if (entries == NULL || series == NULL || values == NULL)
		return why_memory(why);
	t->cap = cap;
	return ERR_OK;
}

static enum err target_select(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                              size_t max_samples, struct series_set *out, struct why *why);

static int64_t target_begins(const struct query_source *self, int64_t after_ms, int64_t until_ms);

static enum err target_set(struct signal_engine *e, const char *profile, int64_t interval_ms, const struct ruleset **out, struct why *why)
{
	const struct profile *p = profile[0] != '\0' ? find_profile(e, profile) : NULL;
	if (p == NULL && profile[0] != '\0')
		return why_set(why, ERR_NOT_FOUND, "there is no usable profile '%s'", profile);
	int64_t range_ms = p == NULL ? 0 : p->head.window_ms < 4 * interval_ms ? 4 * interval_ms : p->head.window_ms;
	struct ruleset *s = find_set(e, p, range_ms);
	if (s == NULL) { /* intervals come in few sizes, so that sets are few */
		enum err err = make_set(e, p, range_ms, &s, why);
		if (err != ERR_OK)
			return err;
		s->next = e->sets;
		e->sets = s;
	}
	*out = s;
	return ERR_OK;
}

enum err signal_target_new(struct signal_engine *e, const char *profile, int64_t interval_ms, void *target_ctx, struct signal_target **out,
                           struct why *why)
{
	const struct ruleset *set = NULL;
	assert(interval_ms > 0);
	enum err err = target_set(e, profile == NULL ? "" : profile, interval_ms, &set, why);
	if (err != ERR_OK)
		return err;
	struct signal_target *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	t->engine = e;
	t->set = set;
	t->ctx = target_ctx;
	t->source = (struct query_source){ .select = target_select, .begins = target_begins, .ctx = t };
	t->reported = calloc(set->n + 1, sizeof *t->reported);
	err = t->reported == NULL ? why_memory(why) : target_reserve(t, set->n + 4, why);
	if (err == ERR_OK)
		err = window_new(set->shapes, set->keep_ms, interval_ms, &t->window, why);
	if (err != ERR_OK) {
		signal_target_free(t);
		return err;
	}
	t->entries[0] = (struct entry){ .rule = UP_RULE };
	t->series[0] = labels_ref(e->up);
	t->values[0] = 0;
	t->n = 1;
	t->has_new_series = true;
	*out = t;
	return ERR_OK;
}

void signal_target_free(struct signal_target *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		labels_unref(t->entries[i].result);
		labels_unref(t->series[i]);
	}
	window_free(t->window);
	free(t->entries);
	free(t->series);
	free(t->values);
	free(t->reported);
	free(t);
}

size_t signal_target_bytes(const struct signal_target *t)
{
	return sizeof *t + t->cap * (sizeof *t->entries + sizeof *t->series + sizeof *t->values) + (t->set->n + 1) * sizeof *t->reported +
	       window_bytes(t->window);
}

static void report(struct signal_target *t, size_t rule, const char *name, const char *text)
{
	const struct signal_options *o = &t->engine->o;
	if (o->report == NULL || t->reported[rule])
		return;
	t->reported[rule] = true;
	o->report(o->ctx, t->ctx, name, text);
}

/* ---- the source that rules read: the window, then what earlier rules gave ---- */

static enum err add_results(const struct signal_target *t, const struct matcher *m, size_t n, int64_t at_ms, struct series_set *set,
                            struct why *why)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->entries[i].rule >= t->rule || is_stale(t->values[i]) || !matchers_match(m, n, t->series[i]))
			continue;
		struct series *items = realloc(set->items, (set->n + 1) * sizeof *items);
		if (items == NULL)
			return why_memory(why);
		set->items = items;
		int64_t *t_ms = malloc(sizeof *t_ms);
		double  *v = malloc(sizeof *v);
		if (t_ms == NULL || v == NULL) {
			free(t_ms);
			free(v);
			return why_memory(why);
		}
		*t_ms = at_ms;
		*v = t->values[i];
		items[set->n++] = (struct series){ .labels = labels_ref(t->series[i]), .n = 1, .t_ms = t_ms, .v = v };
	}
	return ERR_OK;
}

static enum err target_select(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                              size_t max_samples, struct series_set *out, struct why *why)
{
	struct signal_target *t = self->ctx;
	struct series_set     set = { .items = NULL };
	enum err              e = window_select(t->window, m, n, after_ms, until_ms, max_samples, &set, why);
	if (e != ERR_OK)
		return e;
	size_t k = window_selector_index(t->window, m, t->selector_hint);
	t->selector_hint = k + 1;
	if (k == t->set->n_selectors || t->set->may_see_results[k])
		e = add_results(t, m, n, until_ms, &set, why);
	if (e != ERR_OK) {
		series_set_release(&set);
		return e;
	}
	*out = set;
	return ERR_OK;
}

/* All rules of a scrape ask for the same window: that is answered from what was found first. */
static int64_t target_begins(const struct query_source *self, int64_t after_ms, int64_t until_ms)
{
	struct signal_target *t = self->ctx;
	if (t->after_ms != after_ms || t->until_ms != until_ms) {
		t->begins_ms = window_begins(t->window, after_ms, until_ms);
		t->after_ms = after_ms;
		t->until_ms = until_ms;
	}
	return t->begins_ms;
}

/* ---- evaluation ---- */

/* Lets go of signals that have been absent for long; only when the layout changes anyway. */
static void forget_absent(struct signal_target *t)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->entries[i].absent > ABSENT_MAX) {
			labels_unref(t->entries[i].result);
			labels_unref(t->series[i]);
			continue;
		}
		t->entries[kept] = t->entries[i];
		t->series[kept] = t->series[i];
		t->values[kept++] = t->values[i];
	}
	t->n = kept;
}

/* Puts a new signal in its place; takes over both references. */
static enum err insert(struct signal_target *t, int rule, struct labels *result, struct labels *series, double v, struct why *why)
{
	forget_absent(t);
	enum err e = t->n >= SIGNALS_MAX ? why_set(why, ERR_LIMIT, "gives more than %d series with the other rules", SIGNALS_MAX)
	             : t->n < t->cap     ? ERR_OK
	                                 : target_reserve(t, 2 * t->cap, why);
	if (e != ERR_OK) {
		labels_unref(result);
		labels_unref(series);
		return e;
	}
	size_t at = t->n;
	for (; at > 0; at--) {
		const struct entry *before = &t->entries[at - 1];
		if (before->rule < rule || (before->rule == rule && labels_compare(t->series[at - 1], series) < 0))
			break;
		t->entries[at] = t->entries[at - 1];
		t->series[at] = t->series[at - 1];
		t->values[at] = t->values[at - 1];
	}
	t->entries[at] = (struct entry){ .rule = rule, .result = result };
	t->series[at] = series;
	t->values[at] = v;
	t->n++;
	t->has_new_series = true;
	return ERR_OK;
}

static enum err fill(struct signal_target *t, size_t i, double v, struct why *why)
{
	if (!is_stale(t->values[i]))
		return why_set(why, ERR_EXISTS, "gives the same series twice, or one that an earlier rule gave");
	t->values[i] = v;
	return ERR_OK;
}

static bool is_result(const struct entry *e, int rule, const struct labels *result)
{
	return e->rule == rule && (e->result == result || (e->result != NULL && result != NULL && labels_equal(e->result, result)));
}

/* One sample of the rule's result. `hint` is where the rule's next entry is expected. */
static enum err take_sample(struct signal_target *t, int rule, struct labels *result, double v, size_t *hint, struct why *why)
{
	if (isnan(v))
		return ERR_OK;
	for (size_t i = 0; i < t->n; i++) {
		size_t at = (*hint + i) % t->n;
		if (is_result(&t->entries[at], rule, result)) {
			*hint = at + 1;
			return fill(t, at, v, why);
		}
	}
	struct labels *series = NULL;
	enum err       e = ruleset_name(t->set, (size_t)rule, result, &series, why);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < t->n; i++) {
		if (labels_equal(t->series[i], series)) {
			labels_unref(series);
			return fill(t, i, v, why);
		}
	}
	return insert(t, rule, result == NULL ? NULL : labels_ref(result), series, v, why);
}

static enum err take_result(struct signal_target *t, int rule, const struct query_result *r, struct why *why)
{
	size_t hint = (size_t)rule + 1; /* signal:up comes first */
	if (r->type == VALUE_SCALAR)
		return take_sample(t, rule, NULL, r->scalar, &hint, why);
	enum err e = ERR_OK;
	for (size_t i = 0; i < r->series.n && e == ERR_OK; i++) {
		const struct series *s = &r->series.items[i];
		if (s->n > 0)
			e = take_sample(t, rule, s->labels, s->v[s->n - 1], &hint, why);
	}
	return e;
}

/* Results of a rule that failed half-way. */
static void drop_results(struct signal_target *t, int rule)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->entries[i].rule == rule)
			t->values[i] = stale_mark();
	}
}

static void evaluate_rule(struct signal_target *t, size_t r, int64_t wall_ms)
{
	struct query_options o = { .batch = t->set->batch, .lookback_ms = t->set->lookback_ms, .max_samples = SAMPLES_MAX };
	struct query_result  result = { .type = VALUE_VECTOR };
	struct why           why = { "" };
	t->rule = (int)r;
	enum err e = query_instant(t->set->rules[r]->query, &t->source, wall_ms, &o, &result, &why);
	if (e == ERR_OK) {
		e = take_result(t, (int)r, &result, &why);
		if (e != ERR_OK)
			drop_results(t, (int)r);
		query_result_release(&result);
	}
	if (e != ERR_OK)
		report(t, r, t->set->rules[r]->name, why.text);
}

static void evaluate_rules(struct signal_target *t, int64_t wall_ms)
{
	const uint8_t *empty = window_empty(t->window);
	query_batch_begin(t->set->batch, empty);
	for (size_t r = 0; r < t->set->n; r++)
		if (empty == NULL || !query_is_marked_empty(t->set->rules[r]->query, empty))
			evaluate_rule(t, r, wall_ms);
	query_batch_end(t->set->batch);
}

static void begin_frame(struct signal_target *t, bool is_up)
{
	for (size_t i = 1; i < t->n; i++)
		t->values[i] = stale_mark();
	t->values[0] = is_up ? 1 : 0;
}

void signal_target_certificate(struct signal_target *t, int64_t expires_ms)
{
	t->expires_ms = expires_ms;
}

/* Where there is no room for it, it is absent. */
static void put_certificate(struct signal_target *t, int64_t wall_ms)
{
	struct why why;
	struct labels *series = t->engine->certificate;
	double left_s = (double)(t->expires_ms - wall_ms) / 1000;
	if (t->expires_ms == 0)
		return;
	for (size_t i = 1; i < t->n; i++) {
		if (!labels_equal(t->series[i], series))
			continue;
		if (is_stale(t->values[i]) || t->values[i] > left_s)
			t->values[i] = left_s;
		return;
	}
	(void)insert(t, (int)t->set->n, NULL, labels_ref(series), left_s, &why);
}

void signal_target_dropped(struct signal_target *t, size_t n)
{
	t->n_dropped = n;
}

/* A rule may not give it: what it says is not that. */
static void put_dropped(struct signal_target *t)
{
	struct why why;
	struct labels *series = t->engine->dropped;
	if (t->n_dropped == 0)
		return;
	for (size_t i = 1; i < t->n; i++) {
		if (!labels_equal(t->series[i], series))
			continue;
		t->values[i] = (double)t->n_dropped;
		return;
	}
	(void)insert(t, (int)t->set->n + 1, NULL, labels_ref(series), (double)t->n_dropped, &why);
}

static void end_frame(struct signal_target *t, int64_t wall_ms, struct signal_frame *out)
{
	put_certificate(t, wall_ms);
	put_dropped(t);
	for (size_t i = 1; i < t->n; i++) {
		t->entries[i].absent = is_stale(t->values[i]) ? t->entries[i].absent + 1 : 0;
		t->values[i] = round_f64(t->values[i]);
	}
	*out = (struct signal_frame){ .series = t->series, .values = t->values, .n = t->n, .has_new_series = t->has_new_series };
	t->has_new_series = false;
}

static enum err take_layout(struct signal_target *t, struct labels *const *series, size_t n, struct why *why)
{
	size_t   n_left_out = 0;
	enum err e = window_set_layout(t->window, series, n, &n_left_out, why);
	if (e != ERR_OK) {
		t->has_layout = false;
		return e;
	}
	t->has_layout = true;
	if (n_left_out > 0) {
		char text[128];
		snprintf(text, sizeof text, "%zu series more than its rules may look at; signals leave them out", n_left_out);
		report(t, t->set->n, "", text);
	}
	return ERR_OK;
}

enum err signal_target_scrape(struct signal_target *t, int64_t wall_ms, struct labels *const *series, const double *values, size_t n,
                              bool is_new_layout, struct signal_frame *out, struct why *why)
{
	if (is_new_layout || !t->has_layout || window_has_outlived(t->window)) {
		enum err e = take_layout(t, series, n, why);
		if (e != ERR_OK)
			return e;
	}
	window_push(t->window, wall_ms, values, n);
	t->after_ms = t->until_ms = 0;
	begin_frame(t, true);
	t->selector_hint = 0;
	evaluate_rules(t, wall_ms);
	end_frame(t, wall_ms, out);
	return ERR_OK;
}

void signal_target_restarted(struct signal_target *t)
{
	window_clear(t->window);
}

enum err signal_target_failed(struct signal_target *t, int64_t wall_ms, struct signal_frame *out, struct why *why)
{
	(void)why;
	window_push_stale(t->window, wall_ms);
	begin_frame(t, false);
	end_frame(t, wall_ms, out);
	return ERR_OK;
}
