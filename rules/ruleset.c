/* SPDX-License-Identifier: Apache-2.0
 *
 * An instant selector of a rule means what the target said just now, since a series that it did not say is stale; so instant selectors
 * look back a millisecond and select one sample a series. Only where a rule uses `offset` do they look back two scrapes. */
#include "rules/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "rules/detail.h"
#include "rules/signal.h"

static const size_t RING_BYTES_MAX = (size_t)8 << 20; /* of one target */

struct survey {
	struct ruleset *set;
	size_t          cap;
	size_t          at; /* second walk: the selector that is next */
	int64_t         back_ms;
	bool            has_offset;
};

/* First walk, with a look-back of 1 ms: collects the selectors and the longest way back. */
static enum err survey_first(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	struct survey  *v = ctx;
	struct ruleset *s = v->set;
	if (s->n_selectors == v->cap) {
		size_t                  cap = v->cap == 0 ? 64 : 2 * v->cap;
		struct window_selector *more = realloc(s->selectors, cap * sizeof *more);
		if (more == NULL)
			return ERR_MEMORY;
		s->selectors = more;
		v->cap = cap;
	}
	s->selectors[s->n_selectors++] = (struct window_selector){ .m = m, .n = n };
	if (back_ms > v->back_ms)
		v->back_ms = back_ms;
	return ERR_OK;
}

/* Second walk, with a look-back that no range has: an instant selector's way back is that and its offset. */
static enum err survey_second(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	struct survey *v = ctx;
	(void)m;
	(void)n;
	if (back_ms > INT64_C(1) << 50)
		v->has_offset = true;
	return ERR_OK;
}

static enum err survey_rules(struct ruleset *s, int64_t interval_ms, struct why *why)
{
	struct survey v = { .set = s };
	for (size_t r = 0; r < s->n; r++) {
		enum err e = query_selectors(s->rules[r]->query, 1, survey_first, &v);
		if (e == ERR_OK)
			e = query_selectors(s->rules[r]->query, INT64_C(1) << 50, survey_second, &v);
		if (e != ERR_OK)
			return why_set(why, e, "%s", err_text(e));
	}
	s->lookback_ms = v.has_offset ? 2 * interval_ms : 1;
	s->keep_ms = v.back_ms + s->lookback_ms;
	return ERR_OK;
}

/* Which selectors could mean a recorded series: those that ask for a recorded name, or for no one name. */
static enum err mark_seeing(struct ruleset *s, struct why *why)
{
	s->may_see_results = calloc(s->n_selectors + 1, sizeof *s->may_see_results);
	if (s->may_see_results == NULL)
		return why_memory(why);
	for (size_t k = 0; k < s->n_selectors; k++) {
		const struct window_selector *sel = &s->selectors[k];
		bool                          may = true;
		for (size_t i = 0; i < sel->n; i++) {
			if (sel->m[i].kind != MATCH_EQUAL || strcmp(sel->m[i].name, LABEL_NAME) != 0)
				continue;
			may = strcmp(sel->m[i].value, signal_info(SIGNAL_UP)->metric) == 0;
			for (size_t r = 0; r < s->n && !may; r++)
				may = strcmp(s->rules[r]->name, sel->m[i].value) == 0;
			break;
		}
		s->may_see_results[k] = may;
	}
	return ERR_OK;
}

enum err ruleset_name(const struct ruleset *s, size_t r, const struct labels *result, struct labels **out, struct why *why)
{
	const struct rule *rule = s->rules[r];
	if (s->bare[r] != NULL && (result == NULL || labels_count(result) == 0)) {
		*out = labels_ref(s->bare[r]);
		return ERR_OK;
	}
	struct labels_builder b;
	labels_builder_init(&b);
	labels_builder_from(&b, result);
	labels_builder_set(&b, LABEL_NAME, rule->name);
	for (size_t i = 0; i < rule->n_labels; i++)
		labels_builder_set_n(&b, rule->labels[i].name, rule->labels[i].name_len, rule->labels[i].value, rule->labels[i].value_len);
	enum err e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

static bool is_of_kind(const struct rule *rule, enum ruleset_kind kind)
{
	bool is_detail = strncmp(rule->name, DETAIL_PREFIX, strlen(DETAIL_PREFIX)) == 0;
	return rule->kind == RULE_RECORD && is_detail == (kind == RULESET_DETAILS);
}

static enum err collect_records(struct ruleset *s, enum ruleset_kind kind, struct why *why)
{
	s->rules = calloc(s->file->n_records + 1, sizeof *s->rules);
	s->bare = calloc(s->file->n_records + 1, sizeof *s->bare);
	if (s->rules == NULL || s->bare == NULL)
		return why_memory(why);
	for (size_t g = 0; g < s->file->n_groups; g++) {
		for (size_t i = 0; i < s->file->groups[g].n_rules; i++) {
			const struct rule *rule = &s->file->groups[g].rules[i];
			if (!is_of_kind(rule, kind))
				continue;
			if (s->range_ms != s->profile->head.window_ms)
				query_widen_ranges(rule->query, s->profile->head.window_ms, s->range_ms);
			s->rules[s->n++] = rule;
		}
	}
	for (size_t r = 0; r < s->n; r++) {
		enum err e = ruleset_name(s, r, NULL, &s->bare[r], why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* Alerting rules in a profile are fine; a rule that looks back further than a window in memory reaches is not. */
static enum err check_reach(const struct ruleset *s, struct why *why)
{
	if (s->profile == NULL || s->keep_ms <= RULESET_BACK_MAX_MS + s->lookback_ms)
		return ERR_OK;
	yaml_error(s->profile->tree, yaml_root(s->profile->tree), "rules of a profile may look back one hour at the most");
	return why_set(why, ERR_FORMAT, "'%s': rules of a profile may look back one hour at the most", s->profile->file);
}

/* Looked up by address, as selectors are few. */
static bool may_see_results(void *ctx, const struct matcher *m, size_t n)
{
	const struct ruleset *s = ctx;
	(void)n;
	for (size_t k = 0; k < s->n_selectors; k++)
		if (s->selectors[k].m == m)
			return s->may_see_results[k];
	return true;
}

/* Details are looked at by several threads, signals by the recorder's alone. */
static enum err make_batch(struct ruleset *s, struct why *why)
{
	struct query **queries = malloc((s->n + 1) * sizeof(struct query *));
	if (queries == NULL)
		return why_memory(why);
	for (size_t r = 0; r < s->n; r++)
		queries[r] = s->rules[r]->query;
	enum err e = query_batch_new(queries, s->n, may_see_results, s, &s->batch, why);
	free(queries);
	if (e == ERR_OK)
		shape_cache_mark(s->shapes, s->batch, s->may_see_results);
	return e;
}

enum err ruleset_new(const struct profile *profile, enum ruleset_kind kind, int64_t range_ms, int64_t interval_ms, size_t series_max,
                     struct ruleset **out, struct why *why)
{
	struct ruleset *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->profile = profile;
	s->range_ms = range_ms;
	enum err e = ERR_OK;
	if (profile != NULL) {
		e = rule_file_read(profile->tree, true, &s->file, why);
		if (e == ERR_OK)
			e = collect_records(s, kind, why);
	}
	if (e == ERR_OK)
		e = survey_rules(s, interval_ms, why);
	if (e == ERR_OK)
		e = check_reach(s, why);
	if (e == ERR_OK)
		e = mark_seeing(s, why);
	if (e == ERR_OK) {
		size_t rows = (size_t)(s->keep_ms / interval_ms) + 2, most = RING_BYTES_MAX / (rows * sizeof(double));
		e = shape_cache_new(s->selectors, s->n_selectors, series_max < most ? series_max : most, &s->shapes, why);
	}
	if (e == ERR_OK && kind == RULESET_SIGNALS)
		e = make_batch(s, why);
	if (e != ERR_OK) {
		ruleset_free(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void ruleset_free(struct ruleset *s)
{
	if (s == NULL)
		return;
	for (size_t r = 0; r < s->n; r++)
		labels_unref(s->bare[r]);
	shape_cache_free(s->shapes);
	query_batch_free(s->batch);
	rule_file_free(s->file);
	free(s->rules);
	free(s->bare);
	free(s->selectors);
	free(s->may_see_results);
	free(s);
}
