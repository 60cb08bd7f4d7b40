/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry a target, with the values of its newest signal frame and a ring of past ones for the sparklines. Nodes are made of targets only
 * when a snapshot is asked for. A frame may be committed up to a second after its time, and so after T has passed it: each move reads an
 * overlap again and takes from it what is newer than what the target has. */
#include "tui/fleet_state.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tui/fleet_state_private.h"

enum {
	OVERLAP_MS       = 15 * 1000,     /* how late a frame may be committed and still be seen in its turn */
	LOOKBACK_MS      = 5 * 60 * 1000, /* as PromQL's: an older value is no value */
	LATE_LEAST_MS    = 30 * 1000,
	STEP_DEFAULT_MS  = 10 * 1000,
	STEP_MIN_MS      = 1000,
	STEP_MAX_MS      = 60 * 1000,
	SCRAPE_EVENTS_MAX = 10000,        /* in one move; the newest */
	NODE_EVENTS_MAX   = 50,           /* of one node, looking for why it is down */
	NODES_ASKED_MAX   = 5000,         /* after a jump */
	FAILURE_TEXT_MAX  = 240,
	CARRY_STEPS      = 3,             /* a gap of so few steps in a sparkline is filled with the value before it */
};

enum err fleet_state_new(struct fleet_state **out, struct why *why)
{
	struct fleet_state *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->step_ms = STEP_DEFAULT_MS;
	*out = s;
	return ERR_OK;
}

static void target_release(struct target_state *t)
{
	labels_unref(t->labels);
	free(t->url);
	free(t->signals);
	free(t->values);
	free(t->failure_text);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		free(t->history[i]);
}

static void forget(struct fleet_state *s)
{
	for (size_t i = 0; i < s->n_targets; i++)
		target_release(&s->targets[i]);
	free(s->targets);
	s->targets = NULL;
	s->n_targets = s->cap_targets = 0;
	s->t_ms = 0;
}

void fleet_state_free(struct fleet_state *s)
{
	if (s == NULL)
		return;
	forget(s);
	free(s);
}

/* ---- targets ---- */

/* Targets are kept in the order of their ids, as the store lists them. */
static size_t target_place(const struct fleet_state *s, int64_t id)
{
	size_t low = 0, high = s->n_targets;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->targets[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct target_state *target_find(struct fleet_state *s, int64_t id)
{
	size_t i = target_place(s, id);
	return i < s->n_targets && s->targets[i].id == id ? &s->targets[i] : NULL;
}

static enum err target_add(struct fleet_state *s, const struct target_info *info, struct target_state **out)
{
	if (s->n_targets == s->cap_targets) {
		size_t cap = s->cap_targets == 0 ? 64 : s->cap_targets * 2;
		struct target_state *grown = realloc(s->targets, cap * sizeof *grown);
		if (grown == NULL)
			return ERR_MEMORY;
		s->targets = grown;
		s->cap_targets = cap;
	}
	char *url = strdup(info->url);
	if (url == NULL)
		return ERR_MEMORY;
	size_t at = target_place(s, info->id);
	memmove(&s->targets[at + 1], &s->targets[at], (s->n_targets - at) * sizeof s->targets[0]);
	s->targets[at] = (struct target_state){ .id = info->id, .labels = labels_ref(info->labels), .url = url };
	s->n_targets++;
	*out = &s->targets[at];
	return ERR_OK;
}

static enum err see_target(void *ctx, const struct target_info *info)
{
	struct fleet_state *s = ctx;
	struct target_state *t = target_find(s, info->id);
	if (t == NULL) {
		enum err e = target_add(s, info, &t);
		if (e != ERR_OK)
			return e;
	}
	t->is_listed = true;
	return ERR_OK;
}

static enum err list_targets(struct fleet_state *s, struct reader *r, int64_t t_ms, struct why *why)
{
	for (size_t i = 0; i < s->n_targets; i++)
		s->targets[i].is_listed = false;
	enum err e = reader_targets(r, t_ms, see_target, s, why);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

/* ---- frames ---- */

static enum err learn_layout(struct target_state *t, const struct layout *l)
{
	size_t n = layout_size(l);
	uint8_t *signals = malloc(n + 1);
	double *values = malloc((n + 1) * sizeof *values);
	if (signals == NULL || values == NULL) {
		free(signals);
		free(values);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < n; i++)
		signals[i] = (uint8_t)signal_by_metric(labels_metric(layout_series(l, i)));
	_Static_assert(SIGNAL_COUNT < 256, "a signal fits a byte");
	free(t->signals);
	free(t->values);
	t->signals = signals;
	t->values = values;
	t->layout = l;
	t->n = n;
	return ERR_OK;
}

/* What one target's cells of a signal are as one value; NaN when there is none. */
static double target_value(const struct target_state *t, enum signal_id id)
{
	struct signal_fold fold = signal_fold_start(id);
	for (size_t i = 0; i < t->n; i++)
		if (t->signals[i] == id)
			signal_fold_add(&fold, t->values[i]);
	return signal_fold_value(&fold);
}

static enum err remember(struct target_state *t, enum signal_id id, int64_t bucket, double v)
{
	float *ring = t->history[id];
	if (ring == NULL) {
		if (isnan(v))
			return ERR_OK;
		ring = malloc(HISTORY_POINTS * sizeof *ring);
		if (ring == NULL)
			return ERR_MEMORY;
		for (int i = 0; i < HISTORY_POINTS; i++)
			ring[i] = NAN;
		t->history[id] = ring;
	}
	int64_t gap = bucket - t->bucket;
	float before = ring[t->bucket % HISTORY_POINTS];
	for (int64_t b = gap > HISTORY_POINTS ? bucket - HISTORY_POINTS : t->bucket + 1; b < bucket; b++)
		ring[b % HISTORY_POINTS] = gap <= CARRY_STEPS ? before : (float)NAN;
	ring[bucket % HISTORY_POINTS] = (float)v;
	return ERR_OK;
}

/* A target's first gap says nothing: what is asked at once when recording begins is asked again at its place, which may be soon. */
static void learn_interval(struct fleet_state *s, struct target_state *t, int64_t gap_ms)
{
	bool is_first = !t->has_gap;
	t->has_gap = true;
	if (is_first)
		return;
	if (t->interval_ms == 0 || gap_ms < t->interval_ms)
		t->interval_ms = gap_ms;
	if (s->interval_ms == 0 || t->interval_ms < s->interval_ms)
		s->interval_ms = t->interval_ms;
}

static enum err see_frame(void *ctx, const struct frame *f)
{
	struct fleet_state *s = ctx;
	struct target_state *t = target_find(s, f->target);
	if (t == NULL || f->wall_ms <= t->last_ms)
		return ERR_OK;
	enum err e = ERR_OK;
	if (f->layout == NULL)
		t->n = 0, t->layout = NULL;
	else if (f->layout != t->layout)
		e = learn_layout(t, f->layout);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < t->n; i++)
		t->values[i] = is_stale(f->values[i]) ? (double)NAN : f->values[i];
	int64_t bucket = f->wall_ms / s->step_ms;
	if (t->last_ms == 0)
		t->bucket = bucket;
	else
		learn_interval(s, t, f->wall_ms - t->last_ms);
	for (size_t id = 0; id < SIGNAL_COUNT && e == ERR_OK; id++)
		if (id != SIGNAL_VERSION)
			e = remember(t, (enum signal_id)id, bucket, target_value(t, (enum signal_id)id));
	t->bucket = bucket;
	t->last_ms = f->wall_ms;
	return e;
}

/* ---- why they are down ---- */

bool target_is_up(const struct target_state *t)
{
	return target_value(t, SIGNAL_UP) > 0;
}

/* Events come newest first, and some a second time. What is only a warning about a scrape says nothing about whether there was one. */
static enum err see_scrape_event(void *ctx, const struct event *ev)
{
	struct fleet_state *s = ctx;
	struct target_state *t = target_find(s, ev->target);
	bool is_newer = t != NULL && (ev->wall_ms > t->told_ms || (ev->wall_ms == t->told_ms && ev->id > t->told_id));
	if (!is_newer || (ev->severity != SEVERITY_OK && ev->severity != SEVERITY_CRIT && ev->severity != SEVERITY_DOWN))
		return ERR_OK;
	char *text = ev->severity == SEVERITY_OK ? NULL : strndup(ev->text, FAILURE_TEXT_MAX);
	if (ev->severity != SEVERITY_OK && text == NULL)
		return ERR_MEMORY;
	free(t->failure_text);
	t->failure_text = text;
	t->failure = ev->severity;
	t->told_ms = ev->wall_ms;
	t->told_id = ev->id;
	return ERR_OK;
}

/* After a jump: each node that has a silent target is asked about; its newest event may be months old. */
static enum err learn_failures(struct fleet_state *s, struct reader *r, int64_t t_ms, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0, n_asked = 0; i < s->n_targets && n_asked < NODES_ASKED_MAX && e == ERR_OK; i++) {
		const struct target_state *t = &s->targets[i];
		if (!t->is_listed || t->last_ms == 0 || target_is_up(t) || t->told_ms != 0)
			continue;
		n_asked++;
		e = reader_events(r, labels_get(t->labels, "node"), "scrape", 0, t_ms, NODE_EVENTS_MAX, see_scrape_event, s, why);
	}
	return e;
}

static int64_t step_for(int64_t interval_ms)
{
	if (interval_ms <= 0)
		return STEP_DEFAULT_MS;
	int64_t step = (interval_ms + 999) / 1000 * 1000;
	return step < STEP_MIN_MS ? STEP_MIN_MS : step > STEP_MAX_MS ? STEP_MAX_MS : step;
}

static enum err reload(struct fleet_state *s, struct reader *r, int64_t t_ms, struct why *why)
{
	forget(s);
	s->interval_ms = 0;
	enum err e = list_targets(s, r, t_ms, why);
	int64_t span = s->step_ms * HISTORY_POINTS;
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SIGNAL, 0, t_ms - (span > LOOKBACK_MS ? span : LOOKBACK_MS), t_ms, false, see_frame, s, why);
	return e == ERR_OK ? learn_failures(s, r, t_ms, why) : e;
}

enum err fleet_state_move(struct fleet_state *s, struct reader *r, int64_t t_ms, struct why *why)
{
	enum err e;
	if (s->t_ms != 0 && t_ms >= s->t_ms && t_ms - s->t_ms < s->step_ms * HISTORY_POINTS) {
		e = list_targets(s, r, t_ms, why);
		if (e == ERR_OK)
			e = reader_frames(r, STREAM_SIGNAL, 0, s->t_ms - OVERLAP_MS, t_ms, false, see_frame, s, why);
		if (e == ERR_OK)
			e = reader_events(r, NULL, "scrape", s->t_ms - OVERLAP_MS, t_ms, SCRAPE_EVENTS_MAX, see_scrape_event, s, why);
	} else {
		e = reload(s, r, t_ms, why);
	}
	/* The step follows how often the targets are polled, which the frames have just told. */
	if (e == ERR_OK && s->interval_ms != 0 && step_for(s->interval_ms) != s->step_ms) {
		s->step_ms = step_for(s->interval_ms);
		e = reload(s, r, t_ms, why);
	}
	if (e != ERR_OK) {
		forget(s);
		return e == ERR_MEMORY ? why_memory(why) : e;
	}
	s->t_ms = t_ms;
	return ERR_OK;
}

bool target_is_fresh(const struct fleet_state *s, const struct target_state *t)
{
	return t->last_ms != 0 && s->t_ms - t->last_ms < LOOKBACK_MS;
}

bool target_is_late(const struct fleet_state *s, const struct target_state *t)
{
	int64_t most = 3 * t->interval_ms < LATE_LEAST_MS ? LATE_LEAST_MS : 3 * t->interval_ms;
	return s->t_ms - t->last_ms > most;
}
