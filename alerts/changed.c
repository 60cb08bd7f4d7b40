/* SPDX-License-Identifier: Apache-2.0
 *
 * The ranking. Each series is measured for itself; what moved the same way is counted by signal and becomes a row; rows are scored, sorted, and folded
 * where they are the same thing twice. */
#include "alerts/changed_private.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	BEFORE_FEWEST = 6,              /* values, or there is nothing to compare with */
	MOVE_EARLIEST_MS = 20 * 60 * 1000,
	CANCEL_EVERY = 64,
	EARLY_MS = 5 * 60 * 1000, LATE_MS = 30 * 1000, EARLY_FADE_MS = 10 * 60 * 1000, LATE_FADE_MS = 2 * 60 * 1000,
};

/* A series has moved when chance does so in fewer than one of a hundred, and by two of its steps. */
static const double MOVED_P = 0.01, MOVED_EFFECT = 2, EFFECT_HALF = 4;
/* Rows are the same thing when they correlate by so much, and go on doing so beside the step that both made. */
static const double SAME_WHOLE = 0.95, SAME_WITHIN = 0.7;

enum way { WAY_UP, WAY_DOWN, WAY_GONE, WAYS, WAY_NONE = WAYS };

/* What a signal's moving tells. Symptoms of trouble are not its cause as often as what fills up or breaks. Of what counts up for ever, each one more
 * counts: `least` stands in for the unit's. What is not here is no cause. */
static const struct {
	const char *word;
	double      weight, least;
} kinds[SIGNAL_COUNT] = {
	[SIGNAL_XID] = { "fault", 0.95, 0.1 },
	[SIGNAL_ECC] = { "fault", 0.95, 0.1 },
	[SIGNAL_FAULT] = { "fault", 0.95, 0.1 },
	[SIGNAL_OOM_KILLS] = { "fault", 0.95, 0.1 },
	[SIGNAL_RESTARTS] = { "restart", 0.85, 0.1 },
	[SIGNAL_THROTTLED] = { "heat", 0.9, 0 },
	[SIGNAL_DISK] = { "saturation", 0.75, 0 },
	[SIGNAL_CLOCK] = { "clock", 0.5, 0 },
	[SIGNAL_UP] = { "silence", 0.9, 0 },
	[SIGNAL_GPU_TEMP] = { "heat", 0.9, 0 },
	[SIGNAL_KV_CACHE] = { "saturation", 0.85, 0 },
	[SIGNAL_GPU_MEMORY] = { "saturation", 0.8, 0 },
	[SIGNAL_MEMORY] = { "saturation", 0.8, 0 },
	[SIGNAL_QUEUE] = { "saturation", 0.75, 0 },
	[SIGNAL_CPU] = { "saturation", 0.75, 0 },
	[SIGNAL_ACCURACY] = { "quality", 0.75, 0 },
	[SIGNAL_GPU_POWER] = { "power", 0.7, 0 },
	[SIGNAL_ERRORS] = { "symptom", 0.7, 0 },
	[SIGNAL_LATENCY_P50] = { "symptom", 0.6, 0 }, [SIGNAL_LATENCY_P95] = { "symptom", 0.6, 0 }, [SIGNAL_LATENCY_P99] = { "symptom", 0.6, 0 },
	[SIGNAL_LATENCY_MEAN] = { "symptom", 0.6, 0 }, [SIGNAL_TTFT_P95] = { "symptom", 0.6, 0 },
	[SIGNAL_REQUESTS] = { "traffic", 0.55, 0 }, [SIGNAL_TOKENS] = { "traffic", 0.55, 0 }, [SIGNAL_RUNNING] = { "traffic", 0.55, 0 },
	[SIGNAL_GPU_UTIL] = { "traffic", 0.55, 0 },
};
static const double GONE_WEIGHT = 0.4, BETTER_WEIGHT = 0.4;
static const double SCORE_LEAST = 0.03; /* what is less is no row */

/* What counts as one step, by unit. */
static const struct shift_least leasts[] = {
	[UNIT_NONE] = { 0.02, 0 },      [UNIT_RATIO] = { 0.005, 0 }, [UNIT_SECONDS] = { 0.0002, 0.1 }, [UNIT_PER_SECOND] = { 0.05, 0.1 },
	[UNIT_COUNT] = { 1, 0.1 },      [UNIT_CELSIUS] = { 2, 0 },   [UNIT_WATTS] = { 5, 0.1 },        [UNIT_BYTES] = { 1, 0.1 },
	[UNIT_TEXT] = { 1, 0 },
};

struct measured {
	struct shift shift;
	enum way     way;
	bool         has_enough;
};

/* Of one signal: who has it, and for each way who moved so. Series come node by node, so that remembering the last node counts each once. */
struct tally {
	struct changed_count count[CHANGED_FLEET];
	size_t               last_node, best; /* SIZE_MAX: none yet */
	double               best_score;
};

struct ranking {
	const struct changed_input *in;
	struct arena               *a;
	struct shift_window         window;
	struct measured            *measured; /* of each series */
	bool                       *answers;  /* each node: there is somebody who would tell if it had anything to say */
	struct tally                all[SIGNAL_COUNT], ways[SIGNAL_COUNT][WAYS];
	size_t                      n_enough;
	struct changed_drafts       drafts;
};

/* ---- shared with the other files ---- */

struct changed_draft *changed_draft_add(struct changed_drafts *d)
{
	if (d->n == d->cap)
		return NULL;
	d->items[d->n] = (struct changed_draft){ .row = { .before = (double)NAN, .after = (double)NAN, .signal = SIGNAL_COUNT, .label = "", .node = "" } };
	return &d->items[d->n++];
}

double changed_timing(int64_t onset_ms, int64_t at_ms)
{
	int64_t early = onset_ms - at_ms - EARLY_MS, late = at_ms - onset_ms - LATE_MS;
	return early > 0 ? exp(-(double)early / EARLY_FADE_MS) : late > 0 ? exp(-(double)late / LATE_FADE_MS) : 1;
}

double changed_near(enum changed_scope scope, struct changed_count c)
{
	static const double most[CHANGED_SCOPES] = { 1, 0.85, 0.75, 0.6 };
	double share = c.all > 0 ? (double)c.moved / (double)c.all : 1;
	return scope == CHANGED_NODE || scope == CHANGED_FLEET ? most[scope] : most[scope] * (0.4 + 0.6 * share);
}

/* ---- series ---- */

static size_t slot_of(const struct changed_input *in, int64_t t_ms)
{
	int64_t at = t_ms <= in->start_ms ? 0 : (t_ms - in->start_ms + in->step_ms - 1) / in->step_ms;
	return at > (int64_t)in->n_slots ? in->n_slots : (size_t)at;
}

/* Right after the alert began the minute before it is taken for what came after: rates were moving already. */
static struct shift_window window_of(const struct changed_input *in)
{
	bool is_early = in->until_ms - in->onset_ms < CHANGED_GUARD_MS;
	size_t guard = slot_of(in, in->onset_ms - CHANGED_GUARD_MS);
	return (struct shift_window){ .n = in->n_slots, .before_end = guard, .after_from = is_early ? guard : slot_of(in, in->onset_ms),
		                          .move_from = slot_of(in, in->onset_ms - MOVE_EARLIEST_MS) };
}

static enum signal_unit unit_of(enum signal_id id)
{
	return id == SIGNAL_UP ? UNIT_RATIO : signal_info(id)->unit;
}

static size_t last_value(const struct ranking *r, const float *v)
{
	size_t i = r->window.n;
	while (i > 0 && isnan(v[i - 1]))
		i--;
	return i;
}

static void measure(struct ranking *r, const struct changed_series *s, double *scratch, struct measured *m)
{
	m->way = WAY_NONE;
	struct shift_least least = leasts[signal_info(s->signal)->unit];
	if (kinds[s->signal].least > 0)
		least = (struct shift_least){ kinds[s->signal].least, 0 };
	bool is_measured = shift_measure(s->v, &r->window, least, scratch, &m->shift);
	m->has_enough = is_measured && m->shift.ks.n_a >= BEFORE_FEWEST;
	if (m->has_enough && m->shift.ks.p < MOVED_P && fabs(m->shift.effect) >= MOVED_EFFECT)
		m->way = m->shift.effect > 0 ? WAY_UP : WAY_DOWN;
	if (is_measured || m->shift.ks.n_b > 0 || m->shift.ks.n_a < BEFORE_FEWEST || !r->answers[s->node])
		return;
	size_t last = last_value(r, s->v); /* it was there until about then, and not since */
	m->has_enough = last + 60 * 1000 / (size_t)r->in->step_ms >= r->window.before_end;
	if (m->has_enough) {
		m->way = WAY_GONE;
		m->shift.moved = last;
	}
}

static enum err measure_all(struct ranking *r, struct why *why)
{
	const struct changed_input *in = r->in;
	double *scratch = arena_zeroed(r->a, in->n_slots + 1, sizeof *scratch);
	r->measured = arena_zeroed(r->a, in->n_series + 1, sizeof *r->measured);
	r->answers = arena_zeroed(r->a, in->n_nodes + 1, sizeof *r->answers);
	if (scratch == NULL || r->measured == NULL || r->answers == NULL)
		return why_memory(why);
	for (size_t i = 0; i < in->n_series; i++)
		if (in->series[i].signal == SIGNAL_UP && last_value(r, in->series[i].v) > r->window.after_from + KS_FEWEST)
			r->answers[in->series[i].node] = true;
	for (size_t i = 0; i < in->n_series; i++) {
		if (i % CANCEL_EVERY == 0 && in->cancelled != NULL && atomic_load(in->cancelled))
			return why_set(why, ERR_CANCELLED, "cancelled");
		measure(r, &in->series[i], scratch, &r->measured[i]);
		r->n_enough += r->measured[i].has_enough;
	}
	return ERR_OK;
}

static double effect_part(const struct measured *m)
{
	double steps = fabs(m->shift.effect);
	return m->way == WAY_GONE ? 1 : steps / (steps + EFFECT_HALF);
}

static double timing_of(const struct ranking *r, const struct measured *m)
{
	return changed_timing(r->in->onset_ms, r->in->start_ms + (int64_t)m->shift.moved * r->in->step_ms);
}

/* ---- from series to rows ---- */

/* On the node each series counts, further away each node once. */
static void count_in(struct tally *t, enum changed_scope scope, size_t node)
{
	if (scope == CHANGED_NODE || t->last_node != node)
		t->count[scope].moved++;
	t->last_node = node;
}

static void tally_series(struct ranking *r, size_t i)
{
	const struct changed_series *s = &r->in->series[i];
	const struct measured *m = &r->measured[i];
	enum changed_scope scope = r->in->nodes[s->node].scope;
	if (!m->has_enough || scope >= CHANGED_FLEET)
		return;
	count_in(&r->all[s->signal], scope, s->node);
	if (m->way == WAY_NONE)
		return;
	struct tally *t = &r->ways[s->signal][m->way];
	double score = effect_part(m) * (m->way == WAY_GONE ? 1 : m->shift.ks.d) * timing_of(r, m);
	bool is_nearer = t->best == SIZE_MAX || scope < r->in->nodes[r->in->series[t->best].node].scope;
	bool is_as_near = t->best != SIZE_MAX && scope == r->in->nodes[r->in->series[t->best].node].scope;
	count_in(t, scope, s->node);
	if (is_nearer || (is_as_near && score > t->best_score)) {
		t->best = i;
		t->best_score = score;
	}
}

static double product(const struct changed_parts *p)
{
	return p->effect * p->sure * p->timing * p->near * p->kind;
}

/* What moves the good way is seldom what went wrong. */
static double weight_of(enum signal_id id, enum way way, const char **word)
{
	enum worse worse = signal_info(id)->worse;
	bool is_better = (worse == WORSE_HIGH && way == WAY_DOWN) || (worse == WORSE_LOW && way == WAY_UP);
	*word = way == WAY_GONE ? "silence" : is_better ? "for the better" : kinds[id].word;
	return way == WAY_GONE ? GONE_WEIGHT : is_better ? BETTER_WEIGHT : kinds[id].weight;
}

static void add_signal(struct ranking *r, enum signal_id id, enum way way)
{
	const struct tally *t = &r->ways[id][way];
	const struct changed_series *s = &r->in->series[t->best];
	const struct measured *m = &r->measured[t->best];
	const struct changed_node *node = &r->in->nodes[s->node];
	struct changed_draft *d = changed_draft_add(&r->drafts);
	if (d == NULL)
		return;
	bool is_gone = way == WAY_GONE;
	d->series = s;
	d->is_gone = is_gone;
	double weight = weight_of(id, way, &d->kind_word);
	struct changed_row *row = &d->row;
	row->what = CHANGED_SIGNAL;
	row->scope = node->scope;
	row->signal = id;
	row->node = node->name;
	row->before = m->shift.before;
	row->after = m->shift.after;
	row->unit = unit_of(id);
	row->moved_ms = r->in->start_ms + (int64_t)m->shift.moved * r->in->step_ms;
	for (int scope = 0; scope < CHANGED_FLEET; scope++)
		row->count[scope] = (struct changed_count){ t->count[scope].moved, r->all[id].count[scope].moved };
	row->parts = (struct changed_parts){ effect_part(m), is_gone ? 1 : m->shift.ks.d, timing_of(r, m),
		                                 changed_near(row->scope, row->count[row->scope]), weight };
	row->score = product(&row->parts);
}

static void add_signals(struct ranking *r)
{
	for (int id = 0; id < SIGNAL_COUNT; id++) {
		r->all[id].last_node = SIZE_MAX;
		for (int way = 0; way < WAYS; way++)
			r->ways[id][way] = (struct tally){ .last_node = SIZE_MAX, .best = SIZE_MAX };
	}
	for (size_t i = 0; i < r->in->n_series; i++)
		tally_series(r, i);
	for (int id = 0; id < SIGNAL_COUNT; id++)
		for (int way = 0; way < WAYS && kinds[id].word != NULL; way++)
			if (r->ways[id][way].best != SIZE_MAX)
				add_signal(r, (enum signal_id)id, (enum way)way);
}

static int best_first(const void *a, const void *b)
{
	const struct changed_draft *x = a, *y = b;
	if (x->row.score != y->row.score)
		return x->row.score < y->row.score ? 1 : -1;
	if (x->row.what != y->row.what)
		return x->row.what < y->row.what ? -1 : 1;
	return (x->row.signal > y->row.signal) - (x->row.signal < y->row.signal);
}

/* ---- who is in trouble ---- */

/* Those that are known to be, and the nodes on which the signal that tells most of it moved the same way. */
static bool *find_bad(struct ranking *r)
{
	bool *is_bad = arena_zeroed(r->a, r->in->n_nodes + 1, sizeof *is_bad);
	if (is_bad == NULL)
		return NULL;
	for (size_t i = 0; i < r->in->n_nodes; i++)
		is_bad[i] = r->in->nodes[i].is_affected || r->in->nodes[i].scope == CHANGED_NODE;
	if (r->drafts.n == 0 || r->drafts.items[0].row.score < CHANGED_CLEAR)
		return is_bad;
	const struct changed_series *best = r->drafts.items[0].series;
	enum way way = r->measured[best - r->in->series].way;
	for (size_t i = 0; i < r->in->n_series; i++)
		if (r->in->series[i].signal == best->signal && r->measured[i].way == way)
			is_bad[r->in->series[i].node] = true;
	return is_bad;
}

/* ---- folding ---- */

static bool is_same_count(struct changed_count a, struct changed_count b)
{
	return a.moved == b.moved && a.all == b.all;
}

/* Labels that as many have are taken for those of the same nodes. What nobody says any more goes with the silence itself. */
static bool is_same_thing(const struct ranking *r, const struct changed_draft *best, const struct changed_draft *d)
{
	if (best->row.what == CHANGED_LABEL && d->row.what == CHANGED_LABEL)
		return is_same_count(best->bad, d->bad) && is_same_count(best->good, d->good);
	if (best->series == NULL || d->series == NULL)
		return false;
	if (d->is_gone)
		return best->is_gone || (best->row.signal == SIGNAL_UP && best->row.after < best->row.before);
	if (best->is_gone)
		return false;
	struct shift_likeness l = shift_likeness(best->series->v, d->series->v, &r->window);
	return fabs(l.whole) > SAME_WHOLE && fabs(l.within) > SAME_WITHIN;
}

static enum err fold_into(struct ranking *r, struct changed_draft *best, const struct changed_draft *d)
{
	const char **with = arena_zeroed(r->a, best->row.n_with + 1, sizeof *with);
	if (with == NULL)
		return ERR_MEMORY;
	if (best->row.n_with > 0)
		memcpy(with, best->row.with, best->row.n_with * sizeof *with);
	with[best->row.n_with++] = d->row.label;
	best->row.with = with;
	return ERR_OK;
}

static enum err fold(struct ranking *r)
{
	struct changed_drafts *d = &r->drafts;
	size_t kept = 0;
	for (size_t i = 0; i < d->n; i++) {
		size_t k = 0;
		if (d->items[i].row.score < SCORE_LEAST)
			continue;
		while (k < kept && !is_same_thing(r, &d->items[k], &d->items[i]))
			k++;
		if (k == kept)
			d->items[kept++] = d->items[i];
		else if (fold_into(r, &d->items[k], &d->items[i]) != ERR_OK)
			return ERR_MEMORY;
	}
	d->n = kept;
	return ERR_OK;
}

/* ---- the result ---- */

static enum err label_signals(struct ranking *r)
{
	for (size_t i = 0; i < r->drafts.n; i++) {
		struct changed_draft *d = &r->drafts.items[i];
		if (d->series == NULL)
			continue;
		struct buf text;
		buf_init(&text, 512);
		bool has_part = d->series->part[0] != '\0';
		buf_printf(&text, "%s%s%s%s", signal_info(d->row.signal)->title, has_part ? " (" : "", d->series->part, has_part ? ")" : "");
		d->row.label = changed_take(r->a, &text);
		if (d->row.label == NULL)
			return ERR_MEMORY;
	}
	return ERR_OK;
}

static int oldest_first(const void *a, const void *b)
{
	const struct changed_event *x = a, *y = b;
	return (x->wall_ms > y->wall_ms) - (x->wall_ms < y->wall_ms);
}

static enum err copy_events(const struct ranking *r, struct changed *c)
{
	const struct changed_input *in = r->in;
	c->events = arena_zeroed(r->a, in->n_events + 1, sizeof *c->events);
	if (c->events == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < in->n_events; i++) {
		const struct changed_event *e = &in->events[i];
		bool has_node = e->node < in->n_nodes;
		c->events[i] = (struct changed_event){ .wall_ms = e->wall_ms, .node = e->node, .severity = e->severity,
			                                   .is_of_model = e->is_of_model, .scope = changed_scope_of(in, e),
			                                   .kind = arena_text(r->a, e->kind), .text = arena_text(r->a, e->text),
			                                   .name = arena_text(r->a, has_node ? in->nodes[e->node].name : "") };
	}
	c->n_events = in->n_events;
	if (c->n_events > 1)
		qsort(c->events, c->n_events, sizeof *c->events, oldest_first);
	return ERR_OK;
}

static const char *note_of(const struct ranking *r, bool is_clear)
{
	if (is_clear)
		return "";
	if (r->n_enough > 0)
		return "no clear cause: nothing that is watched here moved much, or at the right time";
	return r->in->until_ms - r->in->onset_ms < CHANGED_GUARD_MS ? "not enough to say yet: it only just began"
	                                                           : "not enough to say: there are too few values before or after";
}

static enum err finish(struct ranking *r, struct changed **out)
{
	struct changed *c = arena_zeroed(r->a, 1, sizeof *c);
	if (c == NULL)
		return ERR_MEMORY;
	size_t n = r->drafts.n < CHANGED_ROWS_MAX ? r->drafts.n : CHANGED_ROWS_MAX;
	c->onset_ms = r->in->onset_ms;
	c->until_ms = r->in->until_ms;
	c->n_nodes = r->in->n_nodes;
	c->n_series = r->in->n_series;
	c->rows = arena_zeroed(r->a, n + 1, sizeof *c->rows);
	if (c->rows == NULL || copy_events(r, c) != ERR_OK)
		return ERR_MEMORY;
	for (size_t i = 0; i < n; i++) {
		struct changed_draft *d = &r->drafts.items[i];
		if (changed_word(r->in, r->a, d) != ERR_OK)
			return ERR_MEMORY;
		d->row.node = arena_text(r->a, d->row.node);
		c->rows[c->n++] = d->row;
	}
	c->is_clear = c->n > 0 && c->rows[0].score >= CHANGED_CLEAR;
	c->note = note_of(r, c->is_clear);
	if (arena_failed(r->a))
		return ERR_MEMORY;
	*out = c;
	return ERR_OK;
}

static enum err draft(struct ranking *r)
{
	struct changed_drafts *d = &r->drafts;
	add_signals(r);
	if (d->n > 1)
		qsort(d->items, d->n, sizeof *d->items, best_first);
	const bool *is_bad = find_bad(r);
	if (is_bad == NULL)
		return ERR_MEMORY;
	changed_add_events(r->in, d);
	enum err e = changed_add_labels(r->in, is_bad, r->a, d);
	if (e == ERR_OK)
		e = label_signals(r);
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].row.what != CHANGED_SIGNAL)
			d->items[i].row.score = product(&d->items[i].row.parts);
	if (d->n > 1)
		qsort(d->items, d->n, sizeof *d->items, best_first);
	return e == ERR_OK ? fold(r) : e;
}

enum err changed_rank(const struct changed_input *in, struct arena *a, struct changed **out, struct why *why)
{
	enum { DRAFTS_MAX = SIGNAL_COUNT * WAYS + 200 };
	assert(in->step_ms > 0);
	struct ranking *r = calloc(1, sizeof *r);
	if (r == NULL)
		return why_memory(why);
	r->in = in;
	r->a = a;
	r->window = window_of(in);
	r->drafts.items = arena_zeroed(a, DRAFTS_MAX, sizeof *r->drafts.items);
	r->drafts.cap = DRAFTS_MAX;
	enum err e = r->drafts.items == NULL ? why_memory(why) : measure_all(r, why);
	if (e == ERR_OK && (draft(r) != ERR_OK || finish(r, out) != ERR_OK))
		e = why_memory(why);
	free(r);
	return e;
}
