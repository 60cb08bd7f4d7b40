/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/exposition.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/parse.h"
#include "collectors/plan.h"

struct exposition {
	struct exposition_pool *pool;
	struct plan            *plan;   /* NULL: nothing is remembered */
	double                 *values; /* one a line of the plan */
	struct past            *past;   /* likewise; NULL where a series stands twice: then the last line must win each time */
	double                 *by_series; /* only where a series stands twice */
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
	*out = e;
	return ERR_OK;
}

void exposition_reset(struct exposition *e)
{
	plan_unref(e->plan);
	free(e->values);
	free(e->past);
	free(e->by_series);
	e->plan = NULL;
	e->values = e->by_series = NULL;
	e->past = NULL;
}

void exposition_free(struct exposition *e)
{
	if (e == NULL)
		return;
	exposition_reset(e);
	free(e);
}

struct exposition_stats exposition_stats(const struct exposition *e) { return e->stats; }

static void publish(struct exposition *e, bool layout_changed, bool was_predicted, struct scrape *out)
{
	const struct plan *p = e->plan;
	size_t n = exposition_layout_size(p->layout);
	if (p->series_of != NULL)
		for (size_t i = 0; i < p->n_lines; i++)
			e->by_series[p->series_of[i]] = e->values[i];
	*out = (struct scrape){
		.layout = p->layout,
		.values = p->series_of != NULL ? e->by_series : e->values,
		.n = n,
		.families = p->families,
		.n_families = p->n_families,
		.layout_changed = layout_changed,
		.was_predicted = was_predicted,
		.samples = p->n_lines,
		.duplicates = p->n_lines - n,
		.timestamps = p->timestamps,
		.exemplars = p->exemplars,
		.format = p->format,
	};
}

/* Makes what the strict parser found the thing that is remembered. On failure nothing has changed. */
static enum err learn(struct exposition *e, const struct draft *d, const char *body, size_t len, enum exposition_format format,
                      struct scrape *out)
{
	struct exposition made = { .pool = e->pool, .stats = e->stats };
	size_t   n = d->n_lines, twice = d->n_lines - d->n_series;
	enum err err = plan_get(e->pool, d, body, len, format, e->plan != NULL ? e->plan->layout : NULL, &made.plan);
	if (err != ERR_OK)
		return err;
	made.values = malloc((n + 1) * sizeof *made.values);
	if (twice > 0)
		made.by_series = malloc(d->n_series * sizeof *made.by_series);
	else
		made.past = malloc((n + 1) * sizeof *made.past);
	if (made.values == NULL || (twice > 0 ? made.by_series == NULL : made.past == NULL)) {
		exposition_reset(&made);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < n; i++) {
		made.values[i] = d->values[i];
		if (twice == 0)
			past_set(&made.past[i], body + d->lines[i].value_at, d->lines[i].value_len);
	}
	bool changed = e->plan == NULL || e->plan->layout != made.plan->layout;
	made.stats.relearned += e->plan != NULL;
	exposition_reset(e);
	*e = made;
	publish(e, changed, false, out);
	return ERR_OK;
}

enum err exposition_parse_strict(struct exposition *e, const char *body, size_t len, enum exposition_format format, struct scrape *out,
                                 struct why *why)
{
	if (len > UINT32_MAX / 2)
		return why_set(why, ERR_LIMIT, "a body of more than 2 GiB");
	struct draft *d = &e->pool->draft;
	struct parser ps = { .body = body, .end = body + len, .p = body, .is_openmetrics = format == EXPOSITION_OPENMETRICS,
		             .scratch = e->pool->scratch, .d = d, .before = e->plan != NULL ? e->plan->layout : NULL, .why = why };
	enum err err = ps.before != NULL ? draft_expect(d, ps.before) : ERR_OK;
	if (err == ERR_OK)
		err = ps.is_openmetrics ? openmetrics_parse(&ps) : text_parse(&ps);
	else
		why_set(why, err, "%s", err_text(err));
	if (err == ERR_OK) {
		err = learn(e, d, body, len, format, out);
		if (err != ERR_OK)
			why_set(why, err, "%s", err_text(err));
	}
	if (err != ERR_OK)
		e->stats.failed++;
	e->pool->scratch = ps.scratch;
	draft_clear(d);
	return err;
}

enum err exposition_parse(struct exposition *e, const char *body, size_t len, enum exposition_format format, struct scrape *out,
                          struct why *why)
{
	if (e->plan != NULL && e->plan->format == format && plan_predict(e->plan, body, len, e->values, e->past)) {
		e->stats.predicted++;
		publish(e, false, true, out);
		return ERR_OK;
	}
	return exposition_parse_strict(e, body, len, format, out, why);
}
