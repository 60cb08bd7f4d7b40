/* SPDX-License-Identifier: Apache-2.0
 *
 * The snapshot of one node: its targets and why they fail, its GPUs, its machine, what it serves, what happened to it. */
#include "tui/fleet_state.h"

#include <math.h>
#include <string.h>

#include "tui/fleet_state_private.h"
#include "tui/node_facts.h"
#include "tui/node_gpus.h"

enum { EVENTS_SHOWN = 100, ERRORS_LOOKED_AT = 200, SERVED_MAX = 64 };

struct work {
	const struct fleet_state *s;
	struct arena             *a;
	struct node_view         *v;
};

bool target_is_of_node(const struct target_state *t, const char *node)
{
	const char *name = labels_get(t->labels, "node");
	return t->is_listed && strcmp(name[0] != '\0' ? name : labels_get(t->labels, "instance"), node) == 0;
}

/* ---- targets ---- */

static struct target_row *row_of(struct node_view *v, int64_t target)
{
	for (size_t i = 0; i < v->n_targets; i++)
		if (v->targets[i].id == target)
			return &v->targets[i];
	return NULL;
}

static enum err fill_targets(struct work *w)
{
	w->v->targets = arena_zeroed(w->a, w->s->n_targets, sizeof *w->v->targets);
	if (w->v->targets == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < w->s->n_targets; i++) {
		const struct target_state *t = &w->s->targets[i];
		if (!target_is_of_node(t, w->v->node))
			continue;
		w->v->targets[w->v->n_targets++] = (struct target_row){
			.id = t->id, .job = arena_text(w->a, labels_get(t->labels, "job")), .url = arena_text(w->a, t->url),
			.profile = arena_text(w->a, labels_get(t->labels, "profile")), .scrape_seconds = (double)NAN, .samples = (double)NAN, .error = "",
		};
	}
	return arena_failed(w->a) ? ERR_MEMORY : ERR_OK;
}

static enum err see_report(void *ctx, const struct frame *f)
{
	struct target_row *row = row_of(((struct work *)ctx)->v, f->target);
	if (row == NULL || f->layout == NULL)
		return ERR_OK;
	row->was_polled = true;
	row->last_ms = f->wall_ms;
	for (size_t i = 0; i < f->n; i++) {
		const char *metric = labels_metric(layout_series(f->layout, i));
		if (strcmp(metric, "up") == 0)
			row->is_up = f->values[i] > 0;
		else if (strcmp(metric, "scrape_duration_seconds") == 0)
			row->scrape_seconds = f->values[i];
		else if (strcmp(metric, "scrape_samples_scraped") == 0)
			row->samples = f->values[i];
	}
	return ERR_OK;
}

static enum err fill_reports(struct work *w, struct reader *r, struct why *why)
{
	for (size_t i = 0; i < w->v->n_targets; i++) {
		enum err e = reader_frames(r, STREAM_REPORT, w->v->targets[i].id, w->s->t_ms - 5 * 60 * 1000, w->s->t_ms, true, see_report, w, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static int64_t interval_of(const struct work *w, int64_t target)
{
	for (size_t i = 0; i < w->s->n_targets; i++)
		if (w->s->targets[i].id == target)
			return w->s->targets[i].interval_ms;
	return 0;
}

static enum err fill_details(struct work *w, struct reader *r, struct detail_engine *engine, const atomic_bool *cancelled, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < w->v->n_targets && engine != NULL && e == ERR_OK; i++) {
		struct target_row *row = &w->v->targets[i];
		const struct detail_target t = { .id = row->id, .profile = row->profile, .interval_ms = interval_of(w, row->id) };
		struct details *details = NULL;
		e = detail_engine_read(engine, r, &t, w->s->t_ms, cancelled, w->a, &details, why);
		row->details = details;
	}
	return e;
}

/* Newest first: the first one about a target tells its state. A recovery is an event too, with no severity. */
static enum err see_scrape_event(void *ctx, const struct event *ev)
{
	struct work *w = ctx;
	struct target_row *row = row_of(w->v, ev->target);
	if (row == NULL || row->error_ms != 0)
		return ERR_OK;
	row->error_ms = ev->wall_ms;
	row->error = ev->severity == SEVERITY_OK ? "" : arena_text(w->a, ev->text);
	return ERR_OK;
}

/* ---- versions ---- */

static enum err fill_served(struct work *w)
{
	w->v->served = arena_zeroed(w->a, SERVED_MAX, sizeof *w->v->served);
	if (w->v->served == NULL)
		return ERR_MEMORY;
	for (size_t k = 0; k < w->s->n_targets; k++) {
		const struct target_state *t = &w->s->targets[k];
		if (!target_is_of_node(t, w->v->node) || !target_is_fresh(w->s, t))
			continue;
		for (size_t i = 0; i < t->n && w->v->n_served < SERVED_MAX; i++) {
			const struct labels *series = layout_series(t->layout, i);
			if (t->signals[i] != SIGNAL_VERSION || isnan(t->values[i]))
				continue;
			w->v->served[w->v->n_served++] = (struct served_row){ arena_text(w->a, labels_get(series, "model")),
			                                                      arena_text(w->a, labels_get(series, "version")) };
		}
	}
	return arena_failed(w->a) ? ERR_MEMORY : ERR_OK;
}

enum err fleet_state_node(const struct fleet_state *s, struct reader *r, struct detail_engine *details, const char *node,
                          const atomic_bool *cancelled, struct arena *a, struct node_view **out, struct why *why)
{
	struct node_view *v = arena_zeroed(a, 1, sizeof *v);
	struct work w = { s, a, v };
	if (v == NULL)
		return why_memory(why);
	v->t_ms = s->t_ms;
	v->node = arena_text(a, node);
	enum err e = fill_targets(&w);
	if (e == ERR_OK)
		e = fill_reports(&w, r, why);
	if (e == ERR_OK)
		e = fill_details(&w, r, details, cancelled, why);
	if (e == ERR_OK)
		e = reader_events(r, node, "scrape", 0, s->t_ms, ERRORS_LOOKED_AT, see_scrape_event, &w, why);
	if (e == ERR_OK)
		e = fill_served(&w);
	if (e == ERR_OK)
		e = node_gpus_fill(w.s, w.a, w.v);
	if (e == ERR_OK)
		e = events_read(r, node, NULL, s->t_ms, EVENTS_SHOWN, a, &v->events, why);
	if (e == ERR_OK)
		e = node_facts_fill(v, a);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e == ERR_OK)
		*out = v;
	return e;
}
