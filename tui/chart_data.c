/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/chart_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void chart_data_release(struct chart_data *d)
{
	free(d->values);
	*d = (struct chart_data){ 0 };
}

/* ---- which ---- */

struct rank {
	const struct series *series;
	double               largest;
};

static double largest(const struct series *s)
{
	double most = -INFINITY;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] > most)
			most = s->v[i];
	return most;
}

static int by_size(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	if (x->largest != y->largest)
		return x->largest < y->largest ? 1 : -1;
	return labels_compare(x->series->labels, y->series->labels);
}

static int by_labels(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	return labels_compare(x->series->labels, y->series->labels);
}

/* ---- names ---- */

static bool is_same_everywhere(const struct rank *all, size_t n, const struct label *l)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(labels_get(all[i].series->labels, l->name), l->value) != 0)
			return false;
	return true;
}

/* A single label needs no name; of several, only those that tell the series apart. */
static void name_series(const struct rank *all, size_t n, const struct series *s, const char *expression, char to[SERIES_NAME])
{
	struct buf name;
	const struct labels *l = s->labels;
	buf_init(&name, 4096);
	if (labels_count(l) == 1)
		buf_puts(&name, labels_at(l, 0)->value);
	for (size_t i = 0; n > 1 && labels_count(l) > 1 && i < labels_count(l); i++) {
		if (!is_same_everywhere(all, n, labels_at(l, i)))
			buf_printf(&name, "%s%s", name.len > 0 ? " " : "", labels_at(l, i)->value);
	}
	if (name.len == 0 && labels_count(l) > 0)
		labels_print(l, &name);
	if (name.len == 0)
		buf_puts(&name, expression);
	/* A character that is cut in two is drawn as one that is not known. */
	size_t len = strnlen(buf_text(&name), SERIES_NAME - 1);
	memcpy(to, buf_text(&name), len);
	to[len] = '\0';
	buf_release(&name);
}

/* ---- values ---- */

static void lay(const struct chart_data *d, const struct series *s, double *to)
{
	for (size_t i = 0; i < d->points; i++)
		to[i] = (double)NAN;
	for (size_t i = 0; i < s->n; i++) {
		int64_t at = s->t_ms[i] - d->start_ms;
		if (at >= 0 && at / d->step_ms < (int64_t)d->points)
			to[at / d->step_ms] = s->v[i];
	}
}

static void fill_page(struct chart_data *d, const struct chart_view *v, struct rank *all, size_t n)
{
	static const enum role roles[CHART_SERIES_MAX] = { ROLE_SERIES_1, ROLE_SERIES_2, ROLE_SERIES_3, ROLE_SERIES_4 };
	size_t shown = n - d->first < CHART_SERIES_MAX ? n - d->first : CHART_SERIES_MAX;
	d->values = calloc(shown * d->points, sizeof *d->values);
	if (d->values == NULL)
		return;
	qsort(all + d->first, shown, sizeof *all, by_labels);
	for (size_t i = 0; i < shown; i++) {
		double *values = d->values + i * d->points;
		lay(d, all[d->first + i].series, values);
		name_series(all, n, all[d->first + i].series, v->expression, d->names[i]);
		d->series[i] = (struct chart_series){ values, roles[i], d->names[i] };
	}
	d->n = shown;
}

void chart_data_fill(struct chart_data *d, const struct chart_view *v, size_t first)
{
	chart_data_release(d);
	d->start_ms = v->start_ms;
	d->end_ms = v->end_ms;
	d->step_ms = v->step_ms > 0 ? v->step_ms : 1;
	d->resolution_ms = v->resolution_ms;
	d->points = v->end_ms >= v->start_ms ? (size_t)((v->end_ms - v->start_ms) / d->step_ms) + 1 : 0;
	size_t n = v->err == ERR_OK && v->series != NULL ? v->series->n : 0;
	if (n > SERIES_MAX)
		n = SERIES_MAX;
	if (n == 0 || d->points == 0)
		return;
	struct rank *all = malloc(n * sizeof *all);
	if (all == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		all[i] = (struct rank){ &v->series->items[i], largest(&v->series->items[i]) };
	qsort(all, n, sizeof *all, by_size);
	d->n_all = n;
	d->first = first < n ? first : (n - 1) / CHART_SERIES_MAX * CHART_SERIES_MAX;
	fill_page(d, v, all, n);
	free(all);
}

struct chart chart_of_data(const struct chart_data *d, enum signal_unit unit, int glyphs)
{
	return (struct chart){ .start_ms = d->start_ms, .end_ms = d->end_ms, .points = d->points, .series = d->series, .n_series = d->n,
	                       .unit = unit, .low = (double)NAN, .high = (double)NAN, .glyphs = (enum glyph_mode)glyphs };
}
