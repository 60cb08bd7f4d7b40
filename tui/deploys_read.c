/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/deploys_data.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/alerts_data.h"

static const int64_t DAY_MS = 24 * 3600 * 1000;

/* ---- plans ---- */

struct held_plan {
	atomic_int          refs;
	struct arena        arena;
	struct deploy_plan *plan;
	char                hash[PLAN_HASH];
	struct why          why;
};

enum err held_plan_new(const char *text, const char *hash, struct held_plan **out, struct why *why)
{
	struct held_plan *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	p->refs = 1;
	arena_init(&p->arena);
	snprintf(p->hash, sizeof p->hash, "%s", hash);
	enum err e = plan_read(&p->arena, text, strlen(text), &p->plan, &p->why);
	if (e == ERR_MEMORY || arena_failed(&p->arena)) {
		held_plan_unref(p);
		return why_memory(why);
	}
	if (e != ERR_OK)
		p->plan = NULL;
	*out = p;
	return ERR_OK;
}

struct held_plan *held_plan_ref(struct held_plan *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void held_plan_unref(struct held_plan *p)
{
	if (p == NULL || atomic_fetch_sub(&p->refs, 1) > 1)
		return;
	arena_release(&p->arena);
	free(p);
}

const struct deploy_plan *held_plan_of(const struct held_plan *p)
{
	return p->plan;
}

const char *held_plan_why(const struct held_plan *p)
{
	return p->plan == NULL ? p->why.text : "";
}

bool held_plan_is(const struct held_plan *p, const char *hash)
{
	return p != NULL && hash[0] != '\0' && strcmp(p->hash, hash) == 0;
}

/* ---- copies ---- */

static struct deployment_change copy_change(struct arena *a, const struct deployment_change *r)
{
	struct deployment_change to = *r;
	to.actor = alerts_actor_copy(a, &r->actor);
	to.text = arena_text(a, r->text);
	return to;
}

static struct deployment_step copy_step(struct arena *a, const struct deployment_step *r)
{
	struct deployment_step to = *r;
	to.unit = arena_text(a, r->unit);
	to.title = arena_text(a, r->title);
	to.key = arena_text(a, r->key);
	to.text = arena_text(a, r->text);
	return to;
}

static struct deployment_at copy_at(struct arena *a, const struct deployment_at *r)
{
	struct deployment_at to = *r;
	struct deployment_row *row = &to.row;
	row->kind = arena_text(a, r->row.kind);
	row->scope = arena_text(a, r->row.scope);
	row->model = arena_text(a, r->row.model);
	row->driver = arena_text(a, r->row.driver);
	row->target = arena_text(a, r->row.target);
	row->from = arena_text(a, r->row.from);
	row->to = arena_text(a, r->row.to);
	row->plan = "";
	row->hash = arena_text(a, r->row.hash);
	row->request = arena_text(a, r->row.request);
	row->actor = alerts_actor_copy(a, &r->row.actor);
	row->reason = arena_text(a, r->row.reason);
	to.last = copy_change(a, &r->last);
	to.lease.holder = arena_text(a, r->lease.holder);
	return to;
}

/* ---- all of them ---- */

void deploys_view_free(struct deploys_view *v)
{
	if (v == NULL)
		return;
	arena_release(&v->arena);
	free(v);
}

static enum err take(void *ctx, const struct deployment_at *at)
{
	struct deploys_view *v = ctx;
	if (v->n < DEPLOYS_MAX)
		v->items[v->n++].at = copy_at(&v->arena, at);
	return arena_failed(&v->arena) ? ERR_MEMORY : ERR_OK;
}

static int rank(const struct deploy_item *i)
{
	return deployment_is_active(i->at.last.state) ? 0 : i->at.last.state == DEPLOYMENT_WAITING ? 1 : 2;
}

static int in_order(const void *a, const void *b)
{
	const struct deploy_item *x = a, *y = b;
	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (x->at.row.planned_ms != y->at.row.planned_ms)
		return x->at.row.planned_ms > y->at.row.planned_ms ? -1 : 1;
	return (x->at.row.id < y->at.row.id) - (x->at.row.id > y->at.row.id);
}

static enum err see_step(void *ctx, const struct deployment_step *s)
{
	struct deploy_item *i = ctx;
	if (s->direction == STEP_FORWARD && s->wave + 1 > i->wave)
		i->wave = s->wave + 1;
	return ERR_OK;
}

/* How many waves a plan has stands in its JSON alone; the whole of it is read once. */
static enum err see_waves(void *ctx, const struct deployment_at *at)
{
	struct deploy_item *i = ctx;
	struct held_plan *p = NULL;
	enum err e = held_plan_new(at->row.plan, at->row.hash, &p, NULL);
	if (e == ERR_OK && held_plan_of(p) != NULL)
		i->n_waves = held_plan_of(p)->n_waves;
	held_plan_unref(p);
	return e;
}

/* Counted once for each plan. */
static enum err find_waves(struct reader *r, struct deploys_memory *m, struct deploy_item *i, size_t slot, int64_t t_ms, struct why *why)
{
	enum err e = reader_deployment_steps(r, i->at.row.id, t_ms, see_step, i, why);
	if (e == ERR_OK && m->known[slot].n_waves > 0 && strcmp(m->known[slot].hash, i->at.row.hash) == 0) {
		i->n_waves = m->known[slot].n_waves;
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = reader_deployment(r, i->at.row.id, t_ms, see_waves, i, why);
	if (e == ERR_OK) {
		snprintf(m->known[slot].hash, sizeof m->known[slot].hash, "%s", i->at.row.hash);
		m->known[slot].n_waves = i->n_waves;
	}
	return e;
}

void deploys_memory_release(struct deploys_memory *m)
{
	held_plan_unref(m->held);
	*m = (struct deploys_memory){ 0 };
}

enum err deploys_read(struct reader *r, int64_t t_ms, struct deploys_memory *m, struct deploys_view **out, struct why *why)
{
	struct deploys_view *v = calloc(1, sizeof *v);
	if (v == NULL)
		return why_memory(why);
	arena_init(&v->arena);
	v->t_ms = t_ms;
	v->items = arena_zeroed(&v->arena, DEPLOYS_MAX, sizeof *v->items);
	enum err e = v->items == NULL ? why_memory(why) : reader_deployments(r, t_ms - DEPLOYS_BACK_DAYS * DAY_MS, t_ms, DEPLOYS_MAX, take, v, why);
	if (e == ERR_OK && v->n > 1)
		qsort(v->items, v->n, sizeof *v->items, in_order);
	for (size_t i = 0; e == ERR_OK && i < v->n && rank(&v->items[i]) == 0; i++) {
		v->n_active++;
		if (i < DEPLOYS_LOOKED_AT)
			e = find_waves(r, m, &v->items[i], i, t_ms, why);
	}
	if (e != ERR_OK)
		deploys_view_free(v);
	else
		*out = v;
	return e == ERR_MEMORY ? why_memory(why) : e;
}

/* ---- one ---- */

void deploy_detail_free(struct deploy_detail *d)
{
	if (d == NULL)
		return;
	held_plan_unref(d->held);
	arena_release(&d->arena);
	free(d);
}

struct reading {
	struct deploy_detail *d;
	struct held_plan    **held; /* the memory's */
	size_t                change_room, step_room;
	enum err              err;
};

static enum err take_one(void *ctx, const struct deployment_at *at)
{
	struct reading *w = ctx;
	struct deploy_detail *d = w->d;
	d->at = copy_at(&d->arena, at);
	if (!held_plan_is(*w->held, at->row.hash)) {
		held_plan_unref(*w->held);
		*w->held = NULL;
		w->err = held_plan_new(at->row.plan, at->row.hash, w->held, NULL);
	}
	if (w->err == ERR_OK)
		d->held = held_plan_ref(*w->held);
	return w->err;
}

/* Room that doubles; what was there stays in the arena until all of it goes. */
static void *room(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return items;
	size_t wanted = *cap == 0 ? 32 : 2 * *cap;
	void *to = arena_zeroed(a, wanted, size);
	if (to == NULL)
		return NULL;
	if (n > 0)
		memcpy(to, items, n * size);
	*cap = wanted;
	return to;
}

static enum err take_change(void *ctx, const struct deployment_change *ch)
{
	struct reading *w = ctx;
	struct deploy_detail *d = w->d;
	if (d->n_changes == DEPLOY_CHANGES_MAX) /* the oldest goes */
		memmove(d->changes, d->changes + 1, --d->n_changes * sizeof *d->changes);
	d->changes = room(&d->arena, d->changes, d->n_changes, &w->change_room, sizeof *d->changes);
	if (d->changes == NULL)
		return ERR_MEMORY;
	d->changes[d->n_changes++] = copy_change(&d->arena, ch);
	return arena_failed(&d->arena) ? ERR_MEMORY : ERR_OK;
}

static enum err take_step(void *ctx, const struct deployment_step *s)
{
	struct reading *w = ctx;
	struct deploy_detail *d = w->d;
	if (d->n_steps == DEPLOY_STEPS_MAX)
		return ERR_OK;
	d->steps = room(&d->arena, d->steps, d->n_steps, &w->step_room, sizeof *d->steps);
	if (d->steps == NULL)
		return ERR_MEMORY;
	d->steps[d->n_steps++] = copy_step(&d->arena, s);
	return arena_failed(&d->arena) ? ERR_MEMORY : ERR_OK;
}

/* The recorder has answered the request with why it plans nothing. */
static enum err see_answer(void *ctx, const struct request_row *q)
{
	struct deploy_detail *d = ctx;
	d->err = q->err;
	d->why = arena_text(&d->arena, q->text[0] != '\0' || q->err == ERR_OK ? q->text : err_text(q->err));
	return ERR_OK;
}

static enum err find_id(struct reader *r, struct deploy_detail *d, const char *request, struct why *why)
{
	snprintf(d->request, sizeof d->request, "%s", request);
	enum err e = reader_deployment_of_request(r, request, &d->id, why);
	if (e != ERR_NOT_FOUND)
		return e;
	d->id = 0;
	e = reader_request(r, request, see_answer, d, why);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err read_one(struct reader *r, struct reading *w, int64_t t_ms, struct why *why)
{
	struct deploy_detail *d = w->d;
	enum err e = reader_deployment(r, d->id, t_ms, take_one, w, why);
	if (e == ERR_NOT_FOUND) { /* as of T it was not planned yet */
		d->id = 0;
		d->err = ERR_NOT_FOUND;
		d->why = "it was not planned yet at this time";
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = reader_deployment_changes(r, d->id, t_ms, take_change, w, why);
	if (e == ERR_OK)
		e = reader_deployment_steps(r, d->id, t_ms, take_step, w, why);
	if (e == ERR_OK) {
		d->plan = held_plan_of(d->held);
		d->plan_why = held_plan_why(d->held);
	}
	return e;
}

enum err deploy_detail_read(struct reader *r, int64_t id, const char *request, int64_t t_ms, struct deploys_memory *m, struct deploy_detail **out,
                            struct why *why)
{
	struct deploy_detail *d = calloc(1, sizeof *d);
	if (d == NULL)
		return why_memory(why);
	arena_init(&d->arena);
	d->id = id;
	d->why = d->plan_why = "";
	struct reading w = { .d = d, .held = &m->held };
	enum err e = id == 0 ? find_id(r, d, request, why) : ERR_OK;
	if (e == ERR_OK && d->id != 0)
		e = read_one(r, &w, t_ms, why);
	if (e == ERR_OK && arena_failed(&d->arena))
		e = ERR_MEMORY;
	if (e != ERR_OK)
		deploy_detail_free(d);
	else
		*out = d;
	return e == ERR_MEMORY ? why_memory(why) : e;
}
