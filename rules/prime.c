/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling a target's window from the store, frame by frame as they were committed. */
#include "rules/prime.h"

#include <stdlib.h>

#include "rules/eval_private.h"
#include "rules/ruleset.h"

struct prime {
	struct window       *w;
	const struct layout *layout; /* of the last frame */
	struct why          *why;
};

static enum err set_layout(struct window *w, const struct layout *layout, struct why *why)
{
	size_t          n = layout_size(layout);
	struct labels **series = malloc((n + 1) * sizeof *series);
	if (series == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++)
		series[i] = labels_ref(layout_series(layout, i));
	enum err e = window_set_layout(w, series, n, NULL, why);
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	free(series);
	return e;
}

static enum err take_frame(void *ctx, const struct frame *f)
{
	struct prime *p = ctx;
	if (f->layout == NULL) {
		window_push_stale(p->w, f->wall_ms);
		return ERR_OK;
	}
	if (f->layout != p->layout) {
		enum err e = set_layout(p->w, f->layout, p->why);
		if (e != ERR_OK)
			return e;
		p->layout = f->layout;
	}
	window_push(p->w, f->wall_ms, f->values, f->n);
	return ERR_OK;
}

enum err window_prime(struct window *w, struct reader *r, int64_t target_id, int64_t after_ms, int64_t until_ms, struct why *why)
{
	struct prime p = { .w = w, .why = why };
	enum err     e = reader_frames(r, STREAM_SCRAPE, target_id, after_ms, until_ms, false, take_frame, &p, why);
	if (e != ERR_OK)
		window_clear(w);
	return e;
}

enum err signal_target_prime(struct signal_target *t, struct reader *r, int64_t target_id, int64_t now_ms, struct why *why)
{
	t->has_layout = false;
	return window_prime(t->window, r, target_id, now_ms - t->set->keep_ms, now_ms, why);
}
