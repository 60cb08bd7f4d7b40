/* SPDX-License-Identifier: Apache-2.0
 *
 * reader_select. The metric's name finds layouts, these the tracks that used them; only such tracks are walked, and only frames of such
 * layouts are decoded. The layout of each frame alone says where a series ends. Here samples are gathered frame by frame, whatever comes; for what is as
 * usual see select_columns.c. */
#include "store/select_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/room.h"
#include "base/stale.h"

enum { ROOM_FIRST = 16, SAMPLES_FIRST = 512 }; /* room for so many at first, where the window has that many frames */

/* ---- which series ---- */

static size_t *slot_of(const struct select_call *c, const struct labels *labels)
{
	size_t at = labels_hash(labels) & (c->n_slots - 1);
	while (c->slots[at] != 0 && !labels_equal(c->all[c->slots[at] - 1].out.labels, labels))
		at = (at + 1) & (c->n_slots - 1);
	return &c->slots[at];
}

/* Room for one series more of this track. */
static bool grow_slots(struct select_call *c)
{
	if ((c->n_all - c->first + 1) * 2 <= c->n_slots)
		return true;
	size_t n = c->n_slots == 0 ? 64 : c->n_slots * 2;
	size_t *more = calloc(n, sizeof *more);
	if (more == NULL)
		return false;
	free(c->slots);
	c->slots = more;
	c->n_slots = n;
	for (size_t i = c->first; i < c->n_all; i++)
		*slot_of(c, c->all[i].out.labels) = i + 1;
	return true;
}

/* The series with these labels among those of this track, made when it is not there. Takes the labels over. */
static enum err series_of(struct select_call *c, struct labels *labels, size_t *index, struct why *why)
{
	size_t *slot = grow_slots(c) ? slot_of(c, labels) : NULL;
	if (slot != NULL && *slot != 0) {
		labels_unref(labels);
		*index = *slot - 1;
		return ERR_OK;
	}
	struct gathered *g = slot != NULL && room_for(&c->all, &c->cap_all, c->n_all + 1, ROOM_FIRST, sizeof *g) ? &c->all[c->n_all] : NULL;
	if (g == NULL) {
		labels_unref(labels);
		return why_memory(why);
	}
	*g = (struct gathered){ .out = { .labels = labels } };
	*index = c->n_all++;
	*slot = c->n_all;
	return ERR_OK;
}

/* So that decoding steps over the others. */
static enum err want_picks(const struct layout *l, struct picks *p, struct why *why)
{
	p->is_wanted = calloc(l->n + 1, sizeof *p->is_wanted);
	if (p->is_wanted == NULL)
		return why_memory(why);
	for (size_t i = 0; i < p->n; i++)
		p->is_wanted[p->items[i].position] = true;
	p->want = (struct frame_want){ p->is_wanted, p->n > 0 ? p->items[p->n - 1].position + 1 : 0 };
	return ERR_OK;
}

/* Finds which series of the layout may match by name. Like targets have the same layout, so that this is mostly known. */
static enum err find_named(struct select_call *c, const struct layout *l, int64_t id, struct why *why)
{
	if (c->named == id)
		return ERR_OK;
	c->named = 0;
	c->n_positions = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (!uses_name_may_match(c->m, c->n_m, l->series[i]))
			continue;
		if (!room_for(&c->positions, &c->cap_positions, c->n_positions + 1, ROOM_FIRST, sizeof *c->positions))
			return why_memory(why);
		c->positions[c->n_positions++] = i;
	}
	c->named = id;
	return ERR_OK;
}

static enum err pick_one(struct select_call *c, const struct layout *l, size_t position, const struct labels *target, struct picks *p, struct why *why)
{
	struct labels *full;
	enum err e = labels_with_target(l->series[position], target, &full, why);
	if (e != ERR_OK)
		return e;
	if (!c->is_by_name && !matchers_match(c->m, c->n_m, full)) {
		labels_unref(full);
		return ERR_OK;
	}
	struct pick *one = &p->items[p->n];
	one->position = position;
	size_t before = c->n_all;
	e = series_of(c, full, &one->series, why);
	if (c->n_all > before)
		c->all[before].out.place = series_place(c->target, c->stream, p->layout, position);
	p->n += e == ERR_OK;
	return e;
}

static enum err pick(struct select_call *c, const struct layout *l, const struct labels *target, struct picks *p, struct why *why)
{
	enum err e = find_named(c, l, p->layout, why);
	if (e != ERR_OK)
		return e;
	p->items = malloc((c->n_positions + 1) * sizeof *p->items);
	if (p->items == NULL)
		return why_memory(why);
	for (size_t i = 0; i < c->n_positions && e == ERR_OK; i++)
		e = pick_one(c, l, c->positions[i], target, p, why);
	return e == ERR_OK ? want_picks(l, p, why) : e;
}

static struct picks *picks_of(const struct select_call *c, int64_t layout)
{
	for (size_t i = 0; layout != 0 && i < c->n_picks; i++)
		if (c->picks[i].layout == layout)
			return &c->picks[i];
	return NULL;
}

static void forget_picks(struct select_call *c)
{
	for (size_t i = 0; i < c->n_picks; i++) {
		free(c->picks[i].items);
		free(c->picks[i].is_wanted);
	}
	free(c->picks);
	c->picks = NULL;
	c->n_picks = 0;
}

static enum err make_picks(struct select_call *c, const struct track_use *uses, size_t n, const struct labels *target, struct why *why)
{
	c->picks = calloc(n, sizeof *c->picks);
	if (c->picks == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++) {
		const struct layout *l;
		bool is_used = false;
		for (size_t k = 0; k < c->steps.n && !is_used; k++)
			is_used = c->steps.items[k].layout == uses[i].layout;
		if (!is_used)
			continue;
		enum err e = reader_layout(c->r, uses[i].layout, &l, why);
		if (e != ERR_OK)
			return e;
		struct picks *p = &c->picks[c->n_picks++];
		p->layout = uses[i].layout;
		e = pick(c, l, target, p, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- samples ---- */

static enum err add_sample(struct select_call *c, struct gathered *g, int64_t at_ms, double v, struct why *why)
{
	if (c->samples >= c->max_samples)
		return why_set(why, ERR_LIMIT, "more than %zu samples: ask for a shorter time or fewer series", c->max_samples);
	if (g->out.n == g->cap) {
		size_t first = c->steps.n < SAMPLES_FIRST ? c->steps.n : SAMPLES_FIRST;
		size_t cap = g->cap == 0 ? first : g->cap * 2;
		int64_t *t = realloc(g->out.t_ms, cap * sizeof *t);
		if (t != NULL)
			g->out.t_ms = t;
		double *values = t != NULL ? realloc(g->out.v, cap * sizeof *values) : NULL;
		if (values == NULL)
			return why_memory(why);
		g->out.v = values;
		g->cap = cap;
	}
	g->out.t_ms[g->out.n] = at_ms;
	g->out.v[g->out.n++] = v;
	c->samples++;
	return ERR_OK;
}

/* Series that stood in the frame before and are not in this one end here. */
static enum err end_missing(struct select_call *c, int64_t at_ms, uint64_t step, struct why *why)
{
	for (size_t i = c->first; i < c->n_all; i++) {
		struct gathered *g = &c->all[i];
		if (!g->is_live || g->seen == step)
			continue;
		g->is_live = false;
		enum err e = add_sample(c, g, at_ms, stale_mark(), why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* Of a row of a block the columns are taken as they are: what is asked for once holds for the rows behind. */
static enum err enter_block_row(struct select_call *c, const struct step *at, int stream, const struct picks *p, struct why *why)
{
	enum err e = ERR_OK;
	size_t next = c->block_row + 1;
	if (c->block != NULL && c->block->id == at->block && next < c->block->head.n_rows && c->block->head.id[next] == at->id) {
		c->block_row = next;
	} else {
		c->block_end = 0;
		e = reader_block_find(c->r, at->target, stream, at->id, &c->block, &c->block_row, why);
	}
	if (e == ERR_OK && (c->block_row >= c->block_end || c->block_picks != p)) {
		e = reader_block_row(c->r, c->block, c->block_row, &p->want, why);
		c->block_picks = p;
		c->block_end = c->block->end;
	}
	return e == ERR_NOT_FOUND ? db_corrupt(&c->r->db, "a frame is gone", why) : e;
}

enum err select_enter_step(struct select_call *c, const struct step *at, int stream, const struct picks *p, struct why *why)
{
	if (at->block != 0)
		return enter_block_row(c, at, stream, p, why);
	c->block = NULL;
	c->cursor.want = &p->want;
	return cursor_step(c->r, &c->cursor, &c->steps, at, stream, why);
}

static double value_of(const struct select_call *c, size_t position)
{
	return c->block != NULL ? c->block->columns[position][c->block_row - c->block->first] : c->cursor.state.v[position];
}

static enum err take_step(struct select_call *c, const struct step *at, int stream, uint64_t number, struct why *why)
{
	const struct picks *p = picks_of(c, at->layout);
	bool in_window = at->at_ms > c->after_ms;
	enum err e = reader_check(c->r, why);
	if (e == ERR_OK && p != NULL && p->n > 0)
		e = select_enter_step(c, at, stream, p, why);
	for (size_t i = 0; p != NULL && i < p->n && e == ERR_OK; i++) {
		struct gathered *g = &c->all[p->items[i].series];
		double v = value_of(c, p->items[i].position);
		bool was_live = g->is_live;
		g->seen = number;
		g->is_live = !is_stale(v);
		if (in_window && (g->is_live || was_live))
			e = add_sample(c, g, at->at_ms, v, why);
	}
	return e == ERR_OK && in_window ? end_missing(c, at->at_ms, number, why) : e;
}

static enum err select_track(struct select_call *c, const struct track_use *uses, size_t n, struct why *why)
{
	const struct labels *target;
	enum err e = reader_target_labels(c->r, uses->target, &target, why);
	if (e != ERR_OK || !uses_target_may_match(c->m, c->n_m, target))
		return e;
	if (c->range != NULL && !c->range->of(c->range->ctx, uses->target, uses->stream, &c->after_ms, &c->until_ms))
		return ERR_OK;
	e = walk_track(c->r, uses->target, uses->stream, c->after_ms, c->until_ms, true, &c->steps, why);
	c->target = uses->target;
	c->stream = uses->stream;
	c->first = c->n_all;
	if (c->n_slots > 0)
		memset(c->slots, 0, c->n_slots * sizeof *c->slots);
	c->cursor.id = 0;
	c->block = NULL;
	c->block_picks = NULL;
	c->block_end = 0;
	if (e == ERR_OK)
		e = make_picks(c, uses, n, target, why);
	bool by_columns = e == ERR_OK && columns_suffice(c);
	if (by_columns)
		e = columns_take(c, uses->stream, why);
	for (size_t i = 0; i < c->steps.n && e == ERR_OK && c->n_picks > 0 && !by_columns; i++)
		e = take_step(c, &c->steps.items[i], uses->stream, i + 1, why);
	forget_picks(c);
	return e;
}

static size_t uses_of_track(const struct select_call *c, size_t from)
{
	size_t n = 1;
	while (from + n < c->n_uses && c->uses[from + n].target == c->uses[from].target && c->uses[from + n].stream == c->uses[from].stream)
		n++;
	return n;
}

/* Where a good part of all tracks is walked, and not only a few. */
static enum err read_ahead(struct select_call *c, struct why *why)
{
	enum { TRACKS_MIN = 32, PART = 4 };
	size_t n = 0;
	unsigned streams = 0;
	for (size_t i = 0; i < c->n_uses; i += uses_of_track(c, i)) {
		const struct labels *target;
		enum err e = reader_target_labels(c->r, c->uses[i].target, &target, why);
		if (e != ERR_OK)
			return e;
		if (c->uses[i].stream < 0 || c->uses[i].stream >= STREAM_COUNT || !uses_target_may_match(c->m, c->n_m, target))
			continue;
		n++;
		streams |= 1U << c->uses[i].stream;
	}
	if (n < TRACKS_MIN)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_TRACK_COUNT);
	enum err e = s == NULL ? db_error(&c->r->db, why) : db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e;
	if ((int64_t)n >= sqlite3_column_int64(s, 0) / PART)
		reader_rows_ahead(c->r, streams);
	sqlite3_reset(s);
	return ERR_OK;
}

static enum err select_body(void *ctx, struct why *why)
{
	struct select_call *c = ctx;
	c->r->is_track_by_track = true;
	enum err e = uses_find(&c->r->db, c->m, c->n_m, &c->uses, &c->n_uses, why);
	if (e == ERR_OK)
		e = read_ahead(c, why);
	for (size_t i = 0, n; i < c->n_uses && e == ERR_OK; i += n) {
		n = uses_of_track(c, i);
		e = select_track(c, &c->uses[i], n, why);
	}
	return e;
}

/* ---- the result ---- */

static void series_release(struct series *s)
{
	labels_unref(s->labels);
	if (!s->in_block && !s->is_lent) {
		free(s->t_ms);
		free(s->v);
	}
	*s = (struct series){ 0 };
}

void series_set_release(struct series_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		series_release(&s->items[i]);
	for (size_t i = 0; i < s->n_pieces; i++)
		free(s->pieces[i]);
	free(s->pieces);
	free(s->items);
	free(s->block);
	*s = (struct series_set){ 0 };
}

/* Two tracks said the same series: one series of both, by time; where both have a moment, the first one's value. */
static enum err merge(struct series *into, struct series *from, struct why *why)
{
	struct series sum = { .labels = into->labels, .place = into->place };
	sum.t_ms = malloc((into->n + from->n) * sizeof *sum.t_ms);
	sum.v = malloc((into->n + from->n) * sizeof *sum.v);
	if (sum.t_ms == NULL || sum.v == NULL) {
		free(sum.t_ms);
		free(sum.v);
		return why_memory(why);
	}
	for (size_t i = 0, j = 0; i < into->n || j < from->n;) {
		bool first = j == from->n || (i < into->n && into->t_ms[i] <= from->t_ms[j]);
		if (first && j < from->n && into->t_ms[i] == from->t_ms[j])
			j++;
		const struct series *s = first ? into : from;
		size_t *at = first ? &i : &j;
		sum.t_ms[sum.n] = s->t_ms[*at];
		sum.v[sum.n++] = s->v[(*at)++];
	}
	into->labels = NULL;
	series_release(into);
	series_release(from);
	*into = sum;
	return ERR_OK;
}

/* In the order in which they were found: those of a track beside each other. */
static enum err join_equal(struct series_set *set, struct why *why)
{
	size_t n_slots = 16, kept = 0;
	while (n_slots < set->n * 2)
		n_slots *= 2;
	uint32_t *slots = set->n < UINT32_MAX / 2 ? calloc(n_slots, sizeof *slots) : NULL; /* index + 1; 0: empty */
	enum err e = slots == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < set->n; i++) {
		struct series moved = set->items[i];
		size_t at = labels_hash(moved.labels) & (n_slots - 1);
		while (e == ERR_OK && slots[at] != 0 && !labels_equal(set->items[slots[at] - 1].labels, moved.labels))
			at = (at + 1) & (n_slots - 1);
		if (e == ERR_OK && slots[at] != 0) {
			e = merge(&set->items[slots[at] - 1], &set->items[i], why);
			if (e == ERR_OK)
				continue;
		}
		set->items[i] = (struct series){ 0 };
		set->items[kept++] = moved;
		if (e == ERR_OK)
			slots[at] = (uint32_t)kept;
	}
	free(slots);
	set->n = kept;
	return e;
}

/* Moves those with samples out; frees the others. */
static enum err finish(struct select_call *c, struct series_set *set, struct why *why)
{
	set->items = calloc(c->n_all + 1, sizeof *set->items);
	if (set->items == NULL)
		return why_memory(why);
	set->pieces = c->pieces;
	set->n_pieces = c->n_pieces;
	c->pieces = NULL;
	c->n_pieces = 0;
	for (size_t i = 0; i < c->n_all; i++) {
		struct series *s = &c->all[i].out;
		if (s->n == 0)
			continue;
		set->items[set->n++] = *s;
		*s = (struct series){ 0 };
	}
	return join_equal(set, why);
}

static enum err run_select(struct select_call c, struct series_set *out, struct why *why)
{
	struct series_set set = { 0 };
	c.is_by_name = true;
	for (size_t i = 0; i < c.n_m; i++)
		c.is_by_name &= strcmp(c.m[i].name, LABEL_NAME) == 0;
	enum err e = reader_call(c.r, select_body, &c, why);
	if (e == ERR_OK)
		e = finish(&c, &set, why);
	for (size_t i = 0; i < c.n_all; i++)
		series_release(&c.all[i].out);
	for (size_t i = 0; i < c.n_pieces; i++)
		free(c.pieces[i]);
	free(c.pieces);
	free(c.positions);
	free(c.all);
	free(c.uses);
	forget_picks(&c);
	free(c.slots);
	walk_steps_release(&c.steps);
	frame_state_release(&c.cursor.state);
	if (e != ERR_OK) {
		series_set_release(&set);
		return e;
	}
	*out = set;
	return ERR_OK;
}

enum err reader_select(struct reader *r, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms, size_t max_samples,
                       struct series_set *out, struct why *why)
{
	return run_select((struct select_call){ .r = r, .m = m, .n_m = n, .after_ms = after_ms, .until_ms = until_ms, .max_samples = max_samples }, out, why);
}

enum err reader_select_range(struct reader *r, const struct matcher *m, size_t n, const struct select_range *range, size_t max_samples,
                             struct series_set *out, struct why *why)
{
	return run_select((struct select_call){ .r = r, .m = m, .n_m = n, .range = range, .max_samples = max_samples }, out, why);
}
