/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/rules_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/stale.h"

enum { FEW = 64 }; /* so many places may stay empty at any time */

static const struct labels *series_labels(const void *owner, size_t number)
{
	return ((const struct rules_frame *)owner)->series[number];
}

void rules_frame_init(struct rules_frame *f)
{
	*f = (struct rules_frame){ 0 };
	labels_index_init(&f->index, series_labels, f);
}

void rules_frame_release(struct rules_frame *f)
{
	for (size_t i = 0; i < f->n; i++)
		labels_unref(f->series[i]);
	free(f->series);
	free(f->values);
	free(f->last);
	free(f->is_set);
	labels_index_release(&f->index);
	rules_frame_init(f);
}

static enum err grow(struct rules_frame *f)
{
	size_t cap = f->cap != 0 ? f->cap * 2 : 16;
	struct labels **series = realloc(f->series, cap * sizeof(struct labels *));
	f->series = series != NULL ? series : f->series;
	double *values = realloc(f->values, cap * sizeof *values);
	f->values = values != NULL ? values : f->values;
	double *last = realloc(f->last, cap * sizeof *last);
	f->last = last != NULL ? last : f->last;
	bool *is_set = realloc(f->is_set, cap * sizeof *is_set);
	f->is_set = is_set != NULL ? is_set : f->is_set;
	if (series == NULL || values == NULL || last == NULL || is_set == NULL)
		return ERR_MEMORY;
	f->cap = cap;
	return ERR_OK;
}

/* Gives up the places of those that were not there the last time. */
static void drop_empty(struct rules_frame *f)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (is_stale(f->values[i])) {
			labels_unref(f->series[i]);
			continue;
		}
		f->series[kept] = f->series[i];
		f->values[kept++] = f->values[i];
	}
	f->n = kept;
	labels_index_fill(&f->index, kept); /* never grows by it */
}

enum err rules_frame_begin(struct rules_frame *f, uint64_t *versions)
{
	if (f->n > FEW && f->n_live < f->n / 2) {
		drop_empty(f);
		f->version = ++*versions;
	}
	if (f->cap == 0 && grow(f) != ERR_OK)
		return ERR_MEMORY;
	memcpy(f->last, f->values, f->n * sizeof *f->last);
	for (size_t i = 0; i < f->n; i++) {
		f->values[i] = stale_mark();
		f->is_set[i] = false;
	}
	f->n_live = 0;
	return ERR_OK;
}

static enum err add(struct rules_frame *f, uint64_t *versions, const struct labels *l, size_t *at)
{
	if ((f->n == f->cap && grow(f) != ERR_OK) || labels_index_room(&f->index, f->n, f->n + 1) != ERR_OK)
		return ERR_MEMORY;
	*at = f->n;
	f->series[f->n] = labels_ref(l);
	f->values[f->n] = f->last[f->n] = stale_mark();
	f->is_set[f->n] = false;
	labels_index_put(&f->index, f->n++);
	f->version = ++*versions;
	return ERR_OK;
}

enum err rules_frame_put(struct rules_frame *f, uint64_t *versions, const struct labels *l, double v)
{
	size_t at;
	bool is_there = labels_index_find(&f->index, l, &at);
	if (!is_there && is_stale(v))
		return ERR_OK;
	if (!is_there && add(f, versions, l, &at) != ERR_OK)
		return ERR_MEMORY;
	if (f->is_set[at])
		return ERR_OK;
	f->is_set[at] = true;
	f->values[at] = v;
	f->n_live += !is_stale(v);
	return ERR_OK;
}

bool rules_frame_before(const struct rules_frame *f, const struct labels *l, double *v)
{
	size_t at;
	if (!labels_index_find(&f->index, l, &at) || is_stale(f->last[at]))
		return false;
	*v = f->last[at];
	return true;
}
