/* SPDX-License-Identifier: Apache-2.0
 *
 * How far back following begins. What rules look back over beyond keep_max_ms is read from the store, a selector at a time and once for each: right for an
 * objective's three days of two models, and slow for six hours of each node, whose frames lie all over the file. Where selectors want most of what was
 * recorded anyway, all of it is read once more in the order in which it was written, for all of them. */
#include "alerts/recent_private.h"

#include <stdlib.h>

static int by_back(const void *a, const void *b)
{
	const struct selector *x = *(struct selector *const *)a, *y = *(struct selector *const *)b;
	return (x->of.back_ms > y->of.back_ms) - (x->of.back_ms < y->of.back_ms);
}

static bool is_long(const struct recent *r, const struct selector *s)
{
	return s->of.back_ms > r->o.keep_max_ms && !s->is_beyond;
}

static size_t list_long(struct recent *r, struct selector **to)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_selectors; i++)
		if (is_long(r, &r->selectors[i]))
			to[n++] = &r->selectors[i];
	if (n > 1)
		qsort(to, n, sizeof(struct selector *), by_back);
	return n;
}

/* Samples that its series will have in keep_ms, by what they had in the time that was read; and what memory takes for it more than so far. */
static double samples_of(const struct selector *s, int64_t keep_ms, double window_ms, double *more)
{
	double samples = 0;
	for (size_t i = 0; i < s->held.n; i++) {
		struct held *h = s->held.items[i];
		samples += (double)h->n * (double)keep_ms / window_ms;
		if (h->keep_ms >= keep_ms)
			continue;
		*more += (double)h->n * (double)(keep_ms - h->keep_ms) / window_ms;
		h->keep_ms = keep_ms; /* counted */
	}
	return samples;
}

/* What counting did to them. */
static void restore_keep(struct recent *r)
{
	for (size_t i = 0; i < r->all.n; i++)
		r->all.items[i]->keep_ms = 0;
	for (size_t i = 0; i < r->n_selectors; i++) {
		const struct selector *s = &r->selectors[i];
		for (size_t k = 0; k < s->held.n; k++)
			if (s->held.items[k]->keep_ms < s->keep_ms)
				s->held.items[k]->keep_ms = s->keep_ms;
	}
}

bool recent_plan(struct recent *r, int64_t now_ms)
{
	double window_ms = (double)(now_ms - r->from_ms), memory = (double)r->samples, cost = 0, best = 0;
	struct selector **all = calloc(r->n_selectors + 1, sizeof *all);
	size_t n = all != NULL && window_ms > 0 ? list_long(r, all) : 0, chosen = 0; /* without memory it goes the long way */
	for (size_t i = 0; i < n; i++) {
		int64_t keep_ms = all[i]->of.back_ms + RECENT_SLACK_MS;
		cost += r->o.selected_percent / 100.0 * samples_of(all[i], keep_ms, window_ms, &memory);
		double gain = cost - (double)r->n_frames * (double)keep_ms / window_ms;
		if (memory > (double)r->o.samples_max / 4 * 3)
			break;
		if (gain > best) {
			best = gain;
			chosen = i + 1;
		}
	}
	restore_keep(r);
	for (size_t i = 0; i < chosen; i++)
		all[i]->keep_ms = all[i]->of.back_ms + RECENT_SLACK_MS;
	free(all);
	return chosen > 0;
}
