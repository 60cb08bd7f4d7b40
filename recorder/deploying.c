/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/deploying_private.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"

enum { DATA_MAX = 8 * 1024 };

/* ---- fleets ---- */

void holding_ref(struct holding *h)
{
	h->refs++;
}

void holding_drop(struct holding *h)
{
	if (h == NULL || --h->refs > 0)
		return;
	struct deploying *d = h->deploying;
	if (h->released != NULL)
		h->released(h->ctx);
	free(h);
	deploying_part_closed(d);
}

void deploying_use(struct deploying *d, const struct fleet *f, void (*released)(void *ctx), void *ctx)
{
	struct holding *h = calloc(1, sizeof *h);
	if (h == NULL || d->is_closing) {
		free(h);
		released(ctx);
		return;
	}
	*h = (struct holding){ .fleet = f, .released = released, .ctx = ctx, .deploying = d, .refs = 1 };
	d->n_open++;
	struct holding *before = d->now;
	d->now = h;
	holding_drop(before);
	deploying_wake(d);
}

const struct fleet_deploy *deploying_of_node(const struct fleet *f, const char *node, const char *model)
{
	for (size_t i = 0; i < f->n_targets; i++)
		if (strcmp(f->targets[i].node, node) == 0 && strcmp(f->targets[i].model, model) == 0)
			return fleet_deploy_of(f, f->targets[i].group, model);
	return NULL;
}

const char *deploying_fleet_stamp(struct arena *a, const struct fleet *f)
{
	return arena_printf(a, "%016llx", (unsigned long long)fleet_stamp(f));
}

/* ---- the end ---- */

enum { LEAVE_MS = 2000 /* a machine that doesn't answer keeps nobody for longer */ };

static void graves_empty(struct deploying *d)
{
	while (d->graves != NULL) {
		struct grave *g = d->graves;
		d->graves = g->next;
		arena_release(&g->arena);
		holding_drop(g->fleet);
		free(g);
	}
}

void deploying_bury(struct deploying *d, struct grave *g, struct arena *arena, struct holding *fleet)
{
	*g = (struct grave){ .next = d->graves, .arena = *arena, .fleet = fleet };
	d->graves = g;
	if (d->hands != NULL && arena->chunks != NULL) /* else it has become another's */
		hands_forget(d->hands);
	if (d->hands == NULL || !hands_is_lending(d->hands))
		graves_empty(d);
}

void deploying_part_closed(struct deploying *d)
{
	assert(d->n_open > 0);
	if (--d->n_open > 0)
		return;
	void (*closed)(void *) = d->closed;
	void *ctx = d->closed_ctx;
	free(d->store_path);
	free(d);
	if (closed != NULL)
		closed(ctx);
}

static void hands_closed(void *ctx)
{
	struct deploying *d = ctx;
	d->hands = NULL;
	graves_empty(d);
	deploying_part_closed(d);
}

static void close_now(struct deploying *d)
{
	loop_timer_close(d->tick);
	store_on_commit(d->o.store, NULL, NULL);
	loop_wake_close(d->committed);
	while (d->actings != NULL)
		acting_free(d->actings);
	while (d->replies != NULL) { /* their files stay; the next recorder finds them answered */
		struct reply *r = d->replies;
		d->replies = r->next;
		free(r);
	}
	while (d->begun != NULL) {
		struct begun *b = d->begun;
		d->begun = b->next;
		free(b);
	}
	struct holding *now = d->now;
	d->now = NULL;
	holding_drop(now);
	if (d->hands != NULL) {
		d->n_open++;
		hands_close(d->hands, hands_closed, d);
	}
	deploying_part_closed(d);
}

/* Locks of what is over, which would keep everybody away until they are stale. */
static void step_leaving(struct deploying *d)
{
	bool is_late = clock_mono_ms(d->o.clock) >= d->leave_ms;
	for (struct acting *a = d->actings, *next; a != NULL; a = next) {
		next = a->next;
		if (is_late || !acting_is_leaving(a) || acting_locks_give_back(a))
			acting_free(a);
	}
	if (d->actings == NULL)
		close_now(d);
}

/* What runs is not ended, only left: the journal says how far it came. */
void deploying_close(struct deploying *d, void (*done)(void *ctx), void *ctx)
{
	assert(!d->is_closing);
	d->is_closing = true;
	d->closed = done;
	d->closed_ctx = ctx;
	d->leave_ms = clock_mono_ms(d->o.clock) + LEAVE_MS;
	survey_drop_all(d);
	loop_timer_start(d->tick, DEPLOYING_TICK_MS, DEPLOYING_TICK_MS);
	step_leaving(d);
}

/* ---- what is told ---- */

struct actor actor_copy(struct arena *a, const struct actor *from)
{
	const char *who = arena_text(a, from->who), *account = arena_text(a, from->account), *origin = arena_text(a, from->origin);
	return (struct actor){ who != NULL ? who : "", account != NULL ? account : "", origin != NULL ? origin : "" };
}

/* Without memory for it the file stays until the next recorder, which finds it answered. */
void deploying_answer(struct deploying *d, const char *request, enum err e, const char *text)
{
	struct changes *c;
	struct why why = { "" };
	struct reply *r = calloc(1, sizeof *r);
	enum err failed = changes_new(&c, &why);
	if (failed == ERR_OK) {
		uint64_t ticket = 0;
		changes_request(c, &(struct request_row){ .id = request, .at_ms = clock_wall_ms(d->o.clock), .err = e, .text = text });
		failed = store_commit(d->o.store, c, &ticket, &why);
		if (r != NULL)
			r->ticket = ticket;
	}
	if (failed != ERR_OK)
		log_error(d->o.log, "deploying", "cannot answer a request: %s", why.text);
	if (failed != ERR_OK || r == NULL) {
		free(r);
		return;
	}
	snprintf(r->request, sizeof r->request, "%s", request);
	r->next = d->replies;
	d->replies = r;
	deploying_wake(d);
}

static void step_replies(struct deploying *d)
{
	for (struct reply **at = &d->replies; *at != NULL;) {
		struct reply *r = *at;
		if (!store_is_committed(d->o.store, r->ticket)) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		d->o.answered(d->o.ctx, r->request);
		free(r);
	}
}

/* What charts, what-changed and other consoles read. */
static enum err put_data(const struct acting *a, struct buf *to)
{
	char from[PLAN_FROM];
	cJSON *o = cJSON_CreateObject();
	cJSON_AddNumberToObject(o, "deployment", (double)a->id);
	cJSON_AddStringToObject(o, "kind", acting_verb(a));
	cJSON_AddStringToObject(o, "scope", a->plan->scope);
	cJSON_AddStringToObject(o, "model", a->plan->model);
	cJSON_AddStringToObject(o, "from", plan_from(a->plan, from));
	cJSON_AddStringToObject(o, "to", acting_to(a));
	enum err e = json_put_tree(to, o);
	cJSON_Delete(o);
	return e;
}

void deploying_event(struct deploying *d, struct changes *c, const struct acting *a, enum severity severity, const char *text)
{
	struct buf data;
	buf_init(&data, DATA_MAX);
	if (put_data(a, &data) != ERR_OK)
		buf_clear(&data);
	changes_event(c, &(struct event){ .wall_ms = clock_wall_ms(d->o.clock), .severity = severity, .kind = "deploy", .node = "", .text = text,
	                                  .data = buf_text(&data) });
	buf_release(&data);
	log_info(d->o.log, "deploying", "%s", text);
}

void deploying_audit(struct deploying *d, struct changes *c, const struct acting *a, const struct actor *who, const char *action, const char *text)
{
	struct buf detail;
	cJSON *o = cJSON_CreateObject();
	buf_init(&detail, DATA_MAX);
	cJSON_AddNumberToObject(o, "deployment", (double)a->id);
	cJSON_AddStringToObject(o, "plan", a->hash);
	cJSON_AddStringToObject(o, "text", text);
	if (a->reason[0] != '\0')
		cJSON_AddStringToObject(o, "reason", a->reason);
	if (json_put_tree(&detail, o) != ERR_OK)
		buf_clear(&detail);
	cJSON_Delete(o);
	changes_audit(c, &(struct audit_row){ .at_ms = clock_wall_ms(d->o.clock), .actor = *who, .action = action, .subject = a->plan->scope,
	                                      .detail = buf_text(&detail) });
	buf_release(&detail);
}

/* ---- turning ---- */

/* Often while something is under way, else seldom. */
static void on_tick(void *ctx)
{
	struct deploying *d = ctx;
	bool is_busy = false;
	if (d->is_closing) {
		step_leaving(d);
		return;
	}
	if (!d->is_loaded && !d->is_loading && d->now != NULL && clock_mono_ms(d->o.clock) >= d->load_ms)
		deploying_load(d);
	if (d->is_loaded)
		deploying_watch(d);
	if (d->graves != NULL && !hands_is_lending(d->hands))
		graves_empty(d);
	step_replies(d);
	survey_step(d);
	for (struct acting *a = d->actings, *next; a != NULL; a = next) {
		next = a->next;
		is_busy |= acting_pump(a);
	}
	is_busy |= d->surveys != NULL || d->replies != NULL;
	if (!is_busy && d->is_fast)
		loop_timer_start(d->tick, DEPLOYING_IDLE_MS, DEPLOYING_IDLE_MS);
	d->is_fast = is_busy;
}

void deploying_wake(struct deploying *d)
{
	if (d->is_closing)
		return;
	d->is_fast = true;
	loop_timer_start(d->tick, 0, DEPLOYING_TICK_MS);
}

static void on_committed(void *ctx)
{
	struct deploying *d = ctx;
	if (d->is_fast)
		deploying_wake(d);
}

static void send_committed(void *ctx)
{
	const struct deploying *d = ctx;
	loop_wake_send(d->committed);
}

/* ---- what people ask ---- */

static enum err take_of_deployment(struct deploying *d, const struct request *r, const struct actor *actor, struct why *why)
{
	char text[200];
	struct acting *a = acting_find(d, r->deployment);
	if (a != NULL)
		return r->kind == REQUEST_CONFIRM ? acting_confirm(a, r, actor, why) : acting_control(a, r, actor, why);
	snprintf(text, sizeof text, "deployment %lld is over, or was planned before the recorder began: plan again", (long long)r->deployment);
	deploying_answer(d, r->id, ERR_NOT_FOUND, text);
	return ERR_OK;
}

enum err deploying_take(struct deploying *d, const struct request *r, const struct actor *actor, struct why *why)
{
	if (d->is_closing || d->now == NULL || !d->is_loaded)
		return why_set(why, ERR_LATER, "what was left unfinished is still being read");
	return r->kind == REQUEST_PLAN ? survey_begin(d, r, actor, false, why) : take_of_deployment(d, r, actor, why);
}

/* ---- the beginning ---- */

static void name_holder(struct deploying *d)
{
	char host[200] = "";
	if (gethostname(host, sizeof host - 1) != 0)
		snprintf(host, sizeof host, "?");
	snprintf(d->holder, sizeof d->holder, "%s:%ld", host, (long)getpid());
}

enum err deploying_new(const struct deploying_options *o, struct deploying **out, struct why *why)
{
	struct deploying *d = calloc(1, sizeof *d);
	if (d == NULL)
		return why_memory(why);
	d->o = *o;
	d->o.store_path = NULL;
	d->n_open = 1;
	name_holder(d);
	const struct hands_options hands = { .loop = o->loop, .clock = o->clock, .version = o->version, .ssh_config = o->ssh_config, .control_dir = o->control_dir };
	d->store_path = strdup(o->store_path);
	enum err e = d->store_path == NULL ? why_memory(why) : loop_timer_new(o->loop, on_tick, d, &d->tick, why);
	if (e == ERR_OK)
		e = loop_wake_new(o->loop, on_committed, d, &d->committed, why);
	if (e == ERR_OK)
		e = hands_new(&hands, &d->hands, why);
	if (e == ERR_OK) {
		store_on_commit(o->store, send_committed, d);
		*out = d;
		return ERR_OK;
	}
	loop_timer_close(d->tick);
	loop_wake_close(d->committed);
	free(d->store_path);
	free(d);
	return e;
}
