/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/exposition.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/stale.h"
#include "collectors/ceiling.h"
#include "collectors/parse.h"
#include "collectors/plan.h"
#include "collectors/wide.h"

/* What is known of texts, and plans that nobody has, are forgotten when each target was predicted so many times since: it is for beginnings and for changes. */
enum { ROUNDS_AT_REST = 2, BODIES_AT_REST = 16 };

struct exposition {
	struct exposition_pool *pool;
	struct plan            *plan;   /* NULL: nothing is remembered */
	double                 *values; /* one a line of the plan */
	double                 *by_series; /* only where a series stands twice, or not all are kept; stale where no line is */
	struct ceiling          ceiling;
	struct exposition_cut   cut;    /* of the plan; none dropped: all is kept */
	char                   *cut_metric;
	struct exposition_stats stats;
};

const char *metric_type_name(enum metric_type t)
{
	static const char *const names[] = {
#define X(name, text) text,
		METRIC_TYPE_LIST(X)
#undef X
	};
	return names[t];
}

static bool ends_in_eof(const char *body, size_t len)
{
	static const char mark[] = "# EOF";
	if (len > 0 && body[len - 1] == '\n')
		len--;
	size_t n = sizeof mark - 1;
	return len >= n && memcmp(body + len - n, mark, n) == 0 && (len == n || body[len - n - 1] == '\n');
}

enum exposition_format exposition_format_of(const char *content_type, const char *body, size_t len)
{
	static const char openmetrics[] = "application/openmetrics-text", text[] = "text/plain";
	size_t n = 0;
	if (content_type != NULL) {
		content_type += strspn(content_type, " \t");
		n = strcspn(content_type, "; \t");
	}
	if (n == sizeof openmetrics - 1 && strncasecmp(content_type, openmetrics, n) == 0)
		return EXPOSITION_OPENMETRICS;
	/* Who names a version of the text format means it. */
	if (n == sizeof text - 1 && strncasecmp(content_type, text, n) == 0 && strstr(content_type + n, "version=") != NULL)
		return EXPOSITION_TEXT;
	return ends_in_eof(body, len) ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

enum err exposition_new(struct exposition_pool *pool, struct exposition **out)
{
	struct exposition *e = calloc(1, sizeof *e);
	if (e == NULL)
		return ERR_MEMORY;
	e->pool = pool;
	pool->n_targets++;
	*out = e;
	return ERR_OK;
}

void exposition_reset(struct exposition *e)
{
	plan_unref(e->plan);
	free(e->values);
	free(e->by_series);
	free(e->cut_metric);
	e->cut = (struct exposition_cut){ 0 };
	e->cut_metric = NULL;
	e->plan = NULL;
	e->values = e->by_series = NULL;
}

void exposition_free(struct exposition *e)
{
	if (e == NULL)
		return;
	exposition_reset(e);
	if (--e->pool->n_targets == 0)
		plans_forget_kept(e->pool);
	free(e);
}

struct exposition_stats exposition_stats(const struct exposition *e) { return e->stats; }

static void publish(struct exposition *e, bool layout_changed, bool was_predicted, struct scrape *out)
{
	const struct plan *p = e->plan;
	const uint32_t *series_of = p->notes->series_of;
	size_t n = exposition_layout_size(p->layout);
	if (series_of != NULL)
		for (size_t i = 0; i < p->n_lines; i++)
			if (series_of[i] != CHOICE_DROPPED)
				e->by_series[series_of[i]] = e->values[i];
	*out = (struct scrape){
		.layout = p->layout,
		.values = series_of != NULL ? e->by_series : e->values,
		.n = n,
		.families = p->notes->families,
		.n_families = p->notes->n_families,
		.layout_changed = layout_changed,
		.was_predicted = was_predicted,
		.samples = p->n_lines,
		.duplicates = p->n_lines - p->n_said,
		.timestamps = p->timestamps,
		.exemplars = p->exemplars,
		.format = p->format,
		.cut = e->cut.dropped > 0 ? &e->cut : NULL,
	};
}

/* Room for a value a line, and one a series where these are not the same. */
static enum err make_values(struct exposition *made, const struct draft *d, const struct choice *h)
{
	size_t n = d->n_lines, twice = d->n_lines - d->n_series;
	made->values = malloc((n + 1) * sizeof *made->values);
	if (twice > 0 || h->place != NULL) {
		made->by_series = malloc((h->n + 1) * sizeof *made->by_series);
		for (size_t i = 0; made->by_series != NULL && i < h->n; i++)
			made->by_series[i] = stale_mark();
	}
	bool has_all = made->values != NULL && ((twice == 0 && h->place == NULL) || made->by_series != NULL);
	return has_all ? ERR_OK : ERR_MEMORY;
}

static enum err take_cut(struct exposition *made, const struct choice *h)
{
	made->cut = h->cut;
	if (h->cut.metric == NULL)
		return ERR_OK;
	made->cut_metric = strdup(h->cut.metric);
	made->cut.metric = made->cut_metric;
	return made->cut_metric != NULL ? ERR_OK : ERR_MEMORY;
}

/* Makes what the strict parser found the thing that is remembered. On failure nothing has changed. */
static enum err learn(struct exposition *e, const struct draft *d, const char *body, size_t len, enum exposition_format format,
                      struct scrape *out)
{
	struct exposition made = { .pool = e->pool, .ceiling = e->ceiling, .stats = e->stats };
	const struct exposition_layout *before = e->plan != NULL ? e->plan->layout : NULL;
	struct choice choice = { 0 };
	enum err err = ceiling_choose(&e->ceiling, d, before, &choice);
	if (err == ERR_OK)
		err = plan_get(e->pool, d, body, len, format, before, &choice, &made.plan);
	if (err == ERR_OK)
		err = make_values(&made, d, &choice);
	if (err == ERR_OK)
		err = take_cut(&made, &choice);
	made.ceiling.allowance = before != NULL ? e->ceiling.allowance - choice.cost : ceiling_hourly(&e->ceiling, choice.n);
	choice_release(&choice);
	if (err != ERR_OK) {
		exposition_reset(&made);
		return err;
	}
	if (d->n_lines > 0)
		memcpy(made.values, d->values, d->n_lines * sizeof *d->values);
	bool changed = before != made.plan->layout;
	made.stats.relearned += e->plan != NULL;
	exposition_reset(e);
	*e = made;
	publish(e, changed, false, out);
	return ERR_OK;
}

void exposition_limit(struct exposition *e, size_t max_series, int64_t interval_ms)
{
	e->ceiling = (struct ceiling){ .max_series = max_series, .interval_ms = interval_ms };
	e->ceiling.allowance = ceiling_hourly(&e->ceiling, e->plan != NULL ? exposition_layout_size(e->plan->layout) : 0);
}

/* `known` NULL: every line is parsed strictly. */
static enum err parse_all(struct exposition *e, struct known *known, const char *body, size_t len, enum exposition_format format,
                          struct scrape *out, struct why *why)
{
	if (len > UINT32_MAX / 2)
		return why_set(why, ERR_LIMIT, "a body of more than 2 GiB");
	struct draft *d = &e->pool->draft;
	struct parser ps = { .body = body, .end = body + len, .p = body, .is_openmetrics = format == EXPOSITION_OPENMETRICS,
		             .scratch = e->pool->scratch, .d = d, .known = len <= KNOWN_BODY_MAX ? known : NULL, .is_wide = wide_is_there(), .why = why };
	if (ps.known != NULL) {
		known_begin(ps.known);
		e->pool->n_in_a_row = 0;
	}
	enum err err = ps.is_openmetrics ? openmetrics_parse(&ps) : text_parse(&ps);
	if (err == ERR_OK) {
		err = learn(e, d, body, len, format, out);
		if (err != ERR_OK)
			why_set(why, err, "%s", err_text(err));
	}
	if (err != ERR_OK)
		e->stats.failed++;
	e->stats.known_lines += ps.n_known;
	e->pool->scratch = ps.scratch;
	draft_clear(d);
	return err;
}

enum err exposition_parse_strict(struct exposition *e, const char *body, size_t len, enum exposition_format format, struct scrape *out,
                                 struct why *why)
{
	return parse_all(e, NULL, body, len, format, out, why);
}

static void note_predicted(struct exposition *e)
{
	struct exposition_pool *pool = e->pool;
	e->stats.predicted++;
	if (++pool->n_in_a_row < ROUNDS_AT_REST * pool->n_targets + BODIES_AT_REST || (pool->known.n_bytes == 0 && pool->n_kept == 0))
		return;
	known_forget(&pool->known);
	plans_forget_kept(pool);
}

enum err exposition_parse(struct exposition *e, const char *body, size_t len, enum exposition_format format, struct scrape *out,
                          struct why *why)
{
	if (e->ceiling.max_series > 0 && e->plan != NULL)
		ceiling_pass(&e->ceiling, exposition_layout_size(e->plan->layout));
	if (e->plan != NULL && e->plan->format == format && plan_predict(e->plan, body, len, e->values)) {
		note_predicted(e);
		publish(e, false, true, out);
		return ERR_OK;
	}
	return parse_all(e, &e->pool->known, body, len, format, out, why);
}
