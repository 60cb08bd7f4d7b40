/* SPDX-License-Identifier: Apache-2.0
 *
 * Before a wave is begun: its units are looked at again, by their driver and by the signals in the store. The sheet was made minutes or hours ago, and what is changed is to be
 * what a person confirmed. What differs stops the run (deploy/plan_compare.h); what is down counts among those that may be away. */
#include "recorder/deploying_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/health.h"
#include "deploy/plan_compare.h"

enum { VERSIONS_BACK_MS = 10 * 60 * 1000, STOP_TEXT = 256 };

struct before {
	struct acting      *acting;  /* NULL: it is gone, and the worker's answer is for nobody */
	struct deploying   *deploying;
	struct arena        arena;
	struct holding     *fleet;
	struct grave       *grave;   /* where the arena goes */
	struct looks        looks;
	size_t             *units;   /* of each look, in the plan */
	size_t              wave;
	bool                is_reading, is_read;
	/* the worker's */
	const char         *model;
	const char *const  *nodes;
	size_t              n_nodes;
	bool                wants_versions;
	int64_t             now_ms;
	struct health_node *now;
	enum err            err;
	struct why          why;
};

/* The arena and the fleet stay until the hands have forgotten what they were lent. */
static void before_free(struct before *b)
{
	looks_release(&b->looks);
	deploying_bury(b->deploying, b->grave, &b->arena, b->fleet);
	free(b);
}

/* ---- making one ---- */

static size_t count_units(const struct acting *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->plan->n_units; i++)
		n += run_may_begin(a->run, i);
	return n;
}

static enum err fill(struct before *b, struct why *why)
{
	const struct acting *a = b->acting;
	const struct deploy_scope *scope = a->scope;
	size_t n = 0;
	const char **nodes = arena_zeroed(&b->arena, scope->n_nodes + 1, sizeof *nodes);
	b->units = arena_zeroed(&b->arena, count_units(a) + 1, sizeof *b->units);
	b->now = arena_zeroed(&b->arena, scope->n_nodes + 1, sizeof *b->now);
	if (nodes == NULL || b->units == NULL || b->now == NULL)
		return why_memory(why);
	for (size_t i = 0; i < scope->n_nodes; i++)
		nodes[i] = arena_text(&b->arena, scope->nodes[i]);
	b->nodes = nodes;
	b->n_nodes = scope->n_nodes;
	b->model = arena_text(&b->arena, a->plan->model);
	b->wants_versions = scope->deploy->running == VERSION_SIGNAL;
	for (size_t i = 0; i < a->plan->n_units; i++)
		if (run_may_begin(a->run, i))
			b->units[n++] = i;
	enum err e = arena_failed(&b->arena) ? why_memory(why) : looks_init(&b->looks, b->deploying, scope, n, &b->arena, why);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		b->looks.items[i].look.unit = &a->plan->units[b->units[i]].unit;
	return e;
}

void acting_before_begin(struct acting *a, size_t wave)
{
	struct why why = { "" };
	acting_before_leave(a);
	struct before *b = calloc(1, sizeof *b);
	struct grave *g = calloc(1, sizeof *g);
	if (b == NULL || g == NULL) {
		free(b);
		free(g);
		run_looked(a->run, wave, "out of memory");
		return;
	}
	*b = (struct before){ .acting = a, .deploying = a->deploying, .fleet = a->fleet, .grave = g, .wave = wave };
	holding_ref(b->fleet);
	arena_init(&b->arena);
	if (fill(b, &why) == ERR_OK) {
		a->before = b;
		acting_locks_again(a);
		return;
	}
	before_free(b);
	run_looked(a->run, wave, why.text);
}

void acting_before_leave(struct acting *a)
{
	struct before *b = a->before;
	a->before = NULL;
	if (b == NULL)
		return;
	if (!b->is_reading) {
		before_free(b);
		return;
	}
	looks_release(&b->looks); /* the worker has the rest */
	b->acting = NULL;
}

/* ---- the store, on a worker ---- */

static void read_work(void *ctx)
{
	struct before *b = ctx;
	struct reader *r = NULL;
	struct version_health *versions;
	size_t n;
	const struct health_question q = { .model = b->model, .nodes = b->nodes, .n_nodes = b->n_nodes, .now_ms = b->now_ms, .back_ms = VERSIONS_BACK_MS };
	b->err = reader_open(b->deploying->store_path, READER_OWN, &r, &b->why);
	if (b->err == ERR_OK)
		b->err = b->wants_versions ? health_look(r, &b->arena, &q, &versions, &n, b->now, &b->why)
		                           : health_now(r, b->model, b->nodes, b->n_nodes, b->now_ms, b->now, &b->why);
	reader_close(r);
}

static void read_done(void *ctx, bool is_cancelled)
{
	struct before *b = ctx;
	struct deploying *d = b->deploying;
	(void)is_cancelled;
	b->is_reading = false;
	b->is_read = true;
	if (b->acting == NULL)
		before_free(b);
	deploying_wake(d);
	deploying_part_closed(d);
}

static void begin_reading(struct before *b)
{
	struct deploying *d = b->deploying;
	b->now_ms = clock_wall_ms(d->o.clock);
	b->is_reading = true;
	d->n_open++;
	if (loop_work_new(d->o.loop, read_work, read_done, b, NULL, NULL) == ERR_OK)
		return;
	d->n_open--;
	b->is_reading = false;
	b->is_read = true;
	b->err = why_memory(&b->why);
}

/* ---- what came of it ---- */

static int by_name(const void *node, const void *item)
{
	return strcmp(node, *(const char *const *)item);
}

/* A scope's nodes stand by name. */
static const struct health_node *now_of(const struct before *b, const char *node)
{
	const char *const *at = bsearch(node, b->nodes, b->n_nodes, sizeof *b->nodes, by_name);
	return at != NULL ? &b->now[at - b->nodes] : NULL;
}

static void tell_down(const struct before *b)
{
	const struct acting *a = b->acting;
	size_t n = 0;
	if (b->err != ERR_OK || a->plan->is_whole)
		return;
	for (size_t i = 0; i < b->n_nodes; i++)
		n += b->now[i].is_down;
	for (size_t i = 0; i < a->plan->n_units; i++) {
		const struct health_node *now = now_of(b, a->plan->units[i].unit.node);
		n -= now != NULL && now->is_down;
		run_down(a->run, i, now != NULL && now->is_down);
	}
	run_down_beside(a->run, n);
}

/* More are down than anybody has accepted, and each unit that serves would be one more than may be away. */
static const char *too_many_down(const struct before *b, char to[STOP_TEXT])
{
	struct acting *a = b->acting;
	size_t n = run_n_down(a->run), before = a->n_down;
	if (n <= before || n < a->plan->at_once || b->err != ERR_OK || a->plan->is_whole)
		return NULL;
	a->n_down = n;
	snprintf(to, STOP_TEXT, "%zu node%s of %.100s %s down, and %zu were when this was planned or last gone on with: max_unavailable allows %zu to be away", n,
	         n == 1 ? "" : "s", a->plan->scope, n == 1 ? "is" : "are", before, a->plan->at_once);
	return to;
}

static void compare(const struct before *b, struct changes *c, void (*differs)(struct acting *a, struct changes *c, const struct todo *t))
{
	struct acting *a = b->acting;
	char text[PLAN_DIFFERENCE];
	for (size_t i = 0; i < b->looks.n; i++) {
		const struct looking *l = &b->looks.items[i];
		const struct plan_unit *u = &a->plan->units[b->units[i]];
		const struct health_node *now = b->err == ERR_OK ? now_of(b, u->unit.node) : NULL;
		const struct plan_sight sight = { .deploy = a->scope->deploy, .found = l->err == ERR_OK ? &l->look.found : NULL, .why = l->why.text,
			                          .label = now != NULL ? now->label : "" };
		enum plan_match m = plan_compare(a->plan, u, &sight, text);
		struct todo t;
		const char *silence = acting_locks_silence(a, b->units[i]);
		if (m == PLAN_MATCHES && silence != NULL) {
			m = PLAN_DIFFERS_BEARABLY;
			snprintf(text, sizeof text, "it cannot be locked against other stores: %.180s", silence);
		}
		if (m == PLAN_MATCHES || (m == PLAN_DIFFERS_BEARABLY && run_is_borne(a->run, b->units[i])))
			continue;
		run_differs(a->run, b->units[i], text, m == PLAN_DIFFERS_BEARABLY, &t);
		t.text = text;
		differs(a, c, &t);
	}
}

void acting_before_step(struct acting *a, struct changes *c, void (*differs)(struct acting *a, struct changes *c, const struct todo *t))
{
	struct before *b = a->before;
	char stops[STOP_TEXT];
	if (b == NULL || b->is_reading || acting_locks_are_busy(a) || (!b->is_read && !looks_step(&b->looks)))
		return;
	if (!b->is_read) {
		begin_reading(b);
		return;
	}
	tell_down(b);
	compare(b, c, differs);
	run_looked(a->run, b->wave, too_many_down(b, stops));
	acting_before_leave(a);
}
