/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/chart_feed.h"

#include "query/store_source.h"

enum { SAMPLES_MAX = 5000000, STEP_MIN_MS = 1000, POINTS_MIN = 2, POINTS_MAX = 2000 };

void chart_results_release(struct chart_results *r)
{
	for (size_t i = 0; i < r->n; i++)
		query_result_release(&r->results[i]);
	r->n = 0;
}

/* The steps stand on whole multiples of their width, so that a chart that moves on keeps its old points where they were. */
static void place(const struct chart_need *need, int64_t t_ms, struct chart_view *v)
{
	int points = need->points < POINTS_MIN ? POINTS_MIN : need->points > POINTS_MAX ? POINTS_MAX : need->points;
	int64_t step = need->span_ms / points;
	if (step > STEP_MIN_MS)
		step = (step + STEP_MIN_MS - 1) / STEP_MIN_MS * STEP_MIN_MS;
	v->step_ms = query_step(step < STEP_MIN_MS ? STEP_MIN_MS : step);
	v->end_ms = (t_ms - need->offset_ms) / v->step_ms * v->step_ms;
	v->start_ms = v->end_ms - (need->span_ms + v->step_ms - 1) / v->step_ms * v->step_ms;
}

static enum err evaluate(struct query_source *source, const char *expression, const struct chart_view *v, const atomic_bool *cancelled,
                         struct query_result *out, struct why *why)
{
	struct query *q = NULL;
	enum err e = query_parse(expression, &q, NULL, why);
	const struct query_options options = { .max_samples = SAMPLES_MAX, .cancelled = cancelled };
	if (e == ERR_OK)
		e = query_range(q, source, v->start_ms, v->end_ms, v->step_ms, &options, out, why);
	query_free(q);
	return e;
}

/* From the first moment of any chart to the last, and the step that is not whole yet. */
static enum err read_marks(struct reader *r, int64_t t_ms, struct charts_view *all, struct arena *a, struct why *why)
{
	int64_t from = t_ms, until = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct chart_view *v = &all->items[i];
		from = v->start_ms < from ? v->start_ms : from;
		until = v->end_ms + v->step_ms > until ? v->end_ms + v->step_ms : until;
	}
	return all->n == 0 ? ERR_OK : marks_read(r, from - 1, until < t_ms ? until : t_ms, a, &all->marks, why);
}

enum err charts_read(struct reader *r, const struct chart_need *needs, size_t n, int64_t t_ms, const atomic_bool *cancelled, struct arena *a,
                     struct chart_results *results, struct charts_view **out, struct why *why)
{
	struct charts_view *all = arena_zeroed(a, 1, sizeof *all);
	if (all == NULL)
		return why_memory(why);
	all->items = arena_zeroed(a, n, sizeof *all->items);
	if (all->items == NULL)
		return why_memory(why);
	struct query_source source = store_source(r);
	for (size_t i = 0; i < n; i++) {
		struct chart_view *v = &all->items[i];
		struct query_result *result = &results->results[results->n];
		struct why mistake = { "" };
		v->expression = arena_text(a, needs[i].expression);
		place(&needs[i], t_ms, v);
		v->err = evaluate(&source, needs[i].expression, v, cancelled, result, &mistake);
		v->why = arena_text(a, mistake.text);
		if (v->err == ERR_OK) { /* the results' from here on, also where nobody wants it any more */
			v->series = &result->series;
			v->resolution_ms = result->resolution_ms;
			results->n++;
		}
		if (*cancelled)
			return why_set(why, ERR_CANCELLED, "cancelled");
		all->n++;
	}
	enum err e = arena_failed(a) ? why_memory(why) : read_marks(r, t_ms, all, a, why);
	if (e == ERR_OK)
		*out = all;
	return e;
}
