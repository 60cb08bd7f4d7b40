/* SPDX-License-Identifier: Apache-2.0
 *
 * What the recorder before this one left unfinished: read from the store by a worker, taken up on the loop as interrupted. Plans that nobody had confirmed are over: what they were made from may
 * not be so any more. One that waits for its second person goes on waiting, as long as it would have and by the same rules: the fleet's files are as they were, and no other run of the model has begun. */
#include "recorder/deploying_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { UNFINISHED_MAX = 64, RETRY_MS = 5000, OTHERS_MAX = 1000, OTHERS_BACK_MS = DEPLOYING_PLAN_MS };

struct left {
	int64_t                   id;
	struct deployment_at      at;     /* texts in the arena */
	struct deployment_change *changes;
	struct deployment_step   *steps;
	size_t                    n_changes, cap_changes, n_steps, cap_steps;
	bool                      is_overtaken; /* another run of the model began since it was planned */
	enum err                  err;
	struct why                why;
};

struct loading {
	struct deploying *deploying;
	struct arena      arena;
	struct left       left[UNFINISHED_MAX];
	size_t            n_left;
	struct left      *current;
	int64_t           now_ms, last_id;
	enum err          err;
	struct why        why;
};

/* ---- on the worker ---- */

static enum err see_id(void *ctx, const struct deployment_at *d)
{
	struct loading *l = ctx;
	if (deployment_is_over(d->last.state) || l->n_left == UNFINISHED_MAX)
		return ERR_OK;
	l->left[l->n_left++].id = d->row.id;
	return ERR_OK;
}

static const char *keep(struct loading *l, const char *text)
{
	const char *copy = arena_text(&l->arena, text);
	return copy != NULL ? copy : "";
}

static enum err see_deployment(void *ctx, const struct deployment_at *d)
{
	struct loading *l = ctx;
	struct deployment_at *to = &l->current->at;
	*to = *d;
	const char **texts[] = { &to->row.kind, &to->row.scope, &to->row.model, &to->row.driver, &to->row.target, &to->row.from, &to->row.to, &to->row.plan, &to->row.hash,
		                 &to->row.request, &to->row.reason };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = keep(l, *texts[i]);
	to->row.actor = actor_copy(&l->arena, &d->row.actor);
	to->last.actor = actor_copy(&l->arena, &d->last.actor);
	to->last.text = keep(l, d->last.text);
	return ERR_OK;
}

/* Room for one more in an array of the arena; what it had before stays there. NULL: no memory. */
static void *room(struct loading *l, void *items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return items;
	size_t more = *cap == 0 ? 64 : *cap * 2;
	void *bigger = arena_zeroed(&l->arena, more, size);
	if (bigger == NULL)
		return NULL;
	if (n > 0)
		memcpy(bigger, items, n * size);
	*cap = more;
	return bigger;
}

static enum err see_change(void *ctx, const struct deployment_change *c)
{
	struct loading *l = ctx;
	struct left *left = l->current;
	struct deployment_change *items = room(l, left->changes, left->n_changes, &left->cap_changes, sizeof *items);
	if (items == NULL)
		return ERR_MEMORY;
	left->changes = items;
	items[left->n_changes] = *c;
	items[left->n_changes].actor = actor_copy(&l->arena, &c->actor);
	items[left->n_changes++].text = keep(l, c->text);
	return ERR_OK;
}

static enum err see_step(void *ctx, const struct deployment_step *s)
{
	struct loading *l = ctx;
	struct left *left = l->current;
	struct deployment_step *items = room(l, left->steps, left->n_steps, &left->cap_steps, sizeof *items);
	if (items == NULL)
		return ERR_MEMORY;
	left->steps = items;
	items[left->n_steps] = *s;
	items[left->n_steps].unit = keep(l, s->unit);
	items[left->n_steps].title = keep(l, s->title);
	items[left->n_steps].key = keep(l, s->key);
	items[left->n_steps++].text = keep(l, s->text);
	return ERR_OK;
}

static enum err see_other(void *ctx, const struct deployment_at *d)
{
	struct loading *l = ctx;
	const struct deployment_at *at = &l->current->at;
	if (d->row.id != l->current->id && strcmp(d->row.model, at->row.model) == 0 && d->began_ms >= at->row.planned_ms)
		l->current->is_overtaken = true;
	return ERR_OK;
}

static void load_work(void *ctx)
{
	struct loading *l = ctx;
	struct reader *r = NULL;
	l->err = reader_open(l->deploying->store_path, READER_OWN, &r, &l->why);
	if (l->err == ERR_OK)
		l->err = reader_deployment_id(r, &l->last_id, &l->why);
	if (l->err == ERR_OK)
		l->err = reader_deployments(r, INT64_MAX - 1, INT64_MAX - 1, UNFINISHED_MAX, see_id, l, &l->why);
	for (size_t i = 0; i < l->n_left && l->err == ERR_OK; i++) {
		struct left *left = l->current = &l->left[i];
		left->err = reader_deployment(r, left->id, INT64_MAX - 1, see_deployment, l, &left->why);
		if (left->err == ERR_OK)
			left->err = reader_deployment_changes(r, left->id, INT64_MAX - 1, see_change, l, &left->why);
		if (left->err == ERR_OK)
			left->err = reader_deployment_steps(r, left->id, INT64_MAX - 1, see_step, l, &left->why);
		if (left->err == ERR_OK && left->at.last.state == DEPLOYMENT_WAITING)
			left->err = reader_deployments(r, left->at.row.planned_ms - OTHERS_BACK_MS, INT64_MAX - 1, OTHERS_MAX, see_other, l, &left->why);
	}
	if (l->err == ERR_OK && arena_failed(&l->arena))
		l->err = why_memory(&l->why);
	reader_close(r);
}

/* ---- on the loop ---- */

static enum err restore(struct acting *a, const struct left *left, struct why *why)
{
	enum err e = plan_read(&a->arena, left->at.row.plan, strlen(left->at.row.plan), &a->plan, why);
	if (e == ERR_OK)
		e = run_new(a->plan, &a->run, why);
	for (size_t i = 0; i < left->n_changes && e == ERR_OK; i++)
		e = run_restore_change(a->run, &left->changes[i], why);
	for (size_t i = 0; i < left->n_steps && e == ERR_OK; i++) {
		const struct deployment_step *s = &left->steps[i];
		e = run_restore_step(a->run, s, why);
		if (s->unit[0] == '\0') {
			a->gate.last_seq = s->seq;
			a->gate.wave = s->wave;
			a->gate.began_ms = s->began_ms;
		}
	}
	return e;
}

static void set_state(struct deploying *d, struct acting *a, enum deployment_state s, const char *text)
{
	struct changes *c;
	struct why why = { "" };
	char line[700];
	if (changes_new(&c, &why) != ERR_OK)
		return;
	changes_deployment_change(c, &(struct deployment_change){ .deployment = a->id, .at_ms = clock_wall_ms(d->o.clock), .state = s, .actor = { "", "", "" }, .text = text });
	if (s == DEPLOYMENT_INTERRUPTED) {
		snprintf(line, sizeof line, "%s of %s to %s is unfinished: resume, undo or abandon it", acting_verb(a), a->plan->scope, acting_to(a));
		deploying_event(d, c, a, SEVERITY_WARN, line);
	}
	if (store_commit(d->o.store, c, &a->ticket, &why) != ERR_OK)
		log_error(d->o.log, "deploying", "cannot note that a deployment is unfinished: %s", why.text);
	run_is(a->run, s);
}

/* Why a plan that waits for its second person waits no longer; NULL: it does. */
static const char *why_over(const struct deploying *d, struct acting *a, const struct left *left, int64_t age_ms)
{
	if (a->scope == NULL || a->plan->fleet[0] == '\0' || strcmp(a->plan->fleet, deploying_fleet_stamp(&a->arena, d->now->fleet)) != 0)
		return "the recorder that planned it ended, and the fleet's files are not as they were";
	if (left->is_overtaken)
		return "the recorder that planned it ended, and another run of the model has begun since";
	return age_ms >= DEPLOYING_PLAN_MS ? "nobody confirmed it" : NULL;
}

static void take_up_waiting(struct deploying *d, struct acting *a, const struct left *left)
{
	int64_t age_ms = clock_wall_ms(d->o.clock) - left->at.row.planned_ms;
	const char *over = why_over(d, a, left, age_ms);
	a->looked_ms = clock_mono_ms(d->o.clock);
	a->planned_mono_ms = a->looked_ms - (age_ms > 0 ? age_ms : 0);
	if (over != NULL)
		set_state(d, a, DEPLOYMENT_EXPIRED, over);
	else
		log_info(d->o.log, "deploying", "%s of %s to %s waits for a second person still", acting_verb(a), a->plan->scope, acting_to(a));
}

/* Who confirmed it first. */
static struct actor first_of(const struct left *left)
{
	for (size_t i = 0; i < left->n_changes; i++)
		if ((left->changes[i].state == DEPLOYMENT_WAITING || left->changes[i].state == DEPLOYMENT_RUNNING) && left->changes[i].actor.account[0] != '\0')
			return left->changes[i].actor;
	return left->at.row.actor;
}

static void take_up(struct deploying *d, const struct left *left)
{
	struct why why = left->why;
	if (acting_find(d, left->id) != NULL) /* it was not lost with another one */
		return;
	struct acting *a = acting_new(d, d->now, &why);
	enum err e = a == NULL ? ERR_MEMORY : left->err;
	if (e == ERR_OK)
		e = restore(a, left, &why);
	if (e != ERR_OK) {
		log_error(d->o.log, "deploying", "cannot take up deployment %lld: %s", (long long)left->id, why.text);
		if (a != NULL)
			acting_free(a);
		return;
	}
	a->id = left->id;
	snprintf(a->hash, sizeof a->hash, "%s", left->at.row.hash);
	a->reason = arena_text(&a->arena, left->at.row.reason);
	a->asker = actor_copy(&a->arena, &left->at.row.actor);
	const struct actor first = first_of(left);
	a->first = actor_copy(&a->arena, &first);
	a->began_ms = left->at.began_ms;
	a->planned_mono_ms = clock_mono_ms(d->o.clock);
	a->n_down = plan_n_down(a->plan);
	if (scope_find(d->now->fleet, arena_printf(&a->arena, "scope:%s", a->plan->scope), &a->arena, &a->scope, &why) != ERR_OK)
		a->scope = NULL; /* told when somebody wants to go on with it */
	if (deployment_is_active(run_state(a->run)))
		acting_locks_restored(a);
	switch (run_state(a->run)) {
	case DEPLOYMENT_PLANNED:
		set_state(d, a, DEPLOYMENT_EXPIRED, "the recorder that planned it ended");
		break;
	case DEPLOYMENT_WAITING:
		take_up_waiting(d, a, left);
		break;
	case DEPLOYMENT_RUNNING:
	case DEPLOYMENT_UNDOING:
		set_state(d, a, DEPLOYMENT_INTERRUPTED, "the recorder that ran it ended");
		break;
	case DEPLOYMENT_PAUSED:
	case DEPLOYMENT_STOPPED:
	case DEPLOYMENT_INTERRUPTED:
	case DEPLOYMENT_DONE:
	case DEPLOYMENT_UNDONE:
	case DEPLOYMENT_ABANDONED:
	case DEPLOYMENT_REFUSED:
	case DEPLOYMENT_EXPIRED:
	case DEPLOYMENT_STATE_COUNT:
		break;
	}
}

static void load_done(void *ctx, bool is_cancelled)
{
	struct loading *l = ctx;
	struct deploying *d = l->deploying;
	(void)is_cancelled;
	d->is_loading = false;
	d->load_ms = clock_mono_ms(d->o.clock) + RETRY_MS;
	if (l->err != ERR_OK && !d->is_closing)
		log_warn(d->o.log, "deploying", "cannot read what was left unfinished: %s", l->why.text);
	if (l->err == ERR_OK && !d->is_closing) {
		d->is_loaded = true;
		d->last_id = l->last_id > d->last_id ? l->last_id : d->last_id;
		for (size_t i = 0; i < l->n_left; i++)
			take_up(d, &l->left[i]);
	}
	arena_release(&l->arena);
	free(l);
	if (d->is_loaded)
		deploying_wake(d);
	deploying_part_closed(d);
}

void deploying_load(struct deploying *d)
{
	struct loading *l = calloc(1, sizeof *l);
	if (l == NULL)
		return;
	l->deploying = d;
	arena_init(&l->arena);
	d->n_open++;
	d->is_loading = true;
	if (loop_work_new(d->o.loop, load_work, load_done, l, NULL, NULL) == ERR_OK)
		return;
	d->is_loading = false;
	d->n_open--;
	free(l);
}
