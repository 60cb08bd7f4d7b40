/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks at units, some at a time, each for so long at most: a driver says what is asked, the hands ask it. For a plan (deploying_survey.c), and for what is about to be
 * touched (deploying_before.c). */
#include "recorder/deploying_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void done(struct looking *l)
{
	l->is_done = true;
	l->looks->n_done++;
	deploying_wake(l->looks->deploying);
}

static bool lock_step(struct looking *l, const struct answer *answer);

static void lock_answered(void *ctx, const struct answer *answer)
{
	struct looking *l = ctx;
	l->errand = NULL;
	if (!lock_step(l, answer))
		done(l);
}

/* False: nothing is under way any more. */
static bool lock_step(struct looking *l, const struct answer *answer)
{
	const struct looks *all = l->looks;
	const struct deploy_scope *scope = all->scope;
	struct deploying *d = all->deploying;
	struct why why = { "" };
	l->locking.last = answer;
	l->locking.now_ms = clock_wall_ms(d->o.clock);
	switch (lock_turn(&l->locking)) {
	case LOOK_ASK:
		if (hands_ask(d->hands, scope->deploy, &scope->settings, l->look.unit, &l->locking.next, lock_answered, l, &l->errand, &why) == ERR_OK)
			return true;
		l->lock.state = LOCK_UNKNOWN;
		snprintf(l->lock.text, sizeof l->lock.text, "%s", why.text);
		return false;
	case LOOK_WAIT:
		l->again_ms = clock_mono_ms(d->o.clock) + (l->locking.wait_ms > 0 ? l->locking.wait_ms : 1);
		return true;
	case LOOK_DONE:
	case LOOK_FAILED:
		break;
	}
	l->lock = l->locking.seen;
	return false;
}

/* False: nothing was begun. */
static bool look_at_lock(struct looking *l)
{
	const struct looks *all = l->looks;
	if (all->lock == NULL || !lock_is_possible(all->scope->driver, l->look.unit))
		return false;
	l->locking = (struct locking){ .driver = all->scope->driver, .settings = &all->scope->settings, .unit = l->look.unit, .wish = LOCK_LOOKS, .path = all->lock,
		                       .holder = { "", "", "", "" }, .takes = "", .arena = all->arena };
	l->is_lock_asked = true;
	return lock_step(l, NULL);
}

static void end_look(struct looking *l, enum err e, const char *text)
{
	l->err = e;
	snprintf(l->why.text, sizeof l->why.text, "%s", text);
	if (e != ERR_OK || !look_at_lock(l))
		done(l);
}

static void turn(struct looking *l, const struct answer *answer);

static void look_answered(void *ctx, const struct answer *answer)
{
	struct looking *l = ctx;
	l->errand = NULL;
	turn(l, answer);
}

static void turn(struct looking *l, const struct answer *answer)
{
	const struct looks *all = l->looks;
	const struct deploy_scope *scope = all->scope;
	struct deploying *d = all->deploying;
	struct why why = { "" };
	l->look.last = answer;
	l->look.now_ms = clock_wall_ms(d->o.clock);
	enum look_turn t = scope->driver->look(&l->look, &why);
	if (arena_failed(all->arena)) {
		end_look(l, ERR_MEMORY, "out of memory");
		return;
	}
	switch (t) {
	case LOOK_ASK:
		if (hands_ask(d->hands, scope->deploy, &scope->settings, l->look.unit, &l->look.next, look_answered, l, &l->errand, &why) != ERR_OK)
			end_look(l, ERR_LATER, why.text);
		break;
	case LOOK_WAIT:
		l->again_ms = clock_mono_ms(d->o.clock) + (l->look.wait_ms > 0 ? l->look.wait_ms : 1);
		break;
	case LOOK_DONE:
		end_look(l, ERR_OK, "");
		break;
	case LOOK_FAILED:
		end_look(l, ERR_NETWORK, why.text[0] != '\0' ? why.text : "it could not be looked at");
		break;
	}
}

static void begin_looks(struct looks *all)
{
	int64_t now = clock_mono_ms(all->deploying->o.clock);
	for (size_t i = 0; i < all->n && all->n_begun - all->n_done < DEPLOYING_LOOKS; i++) {
		struct looking *l = &all->items[i];
		if (l->has_begun)
			continue;
		l->has_begun = true;
		l->until_ms = now + DEPLOYING_LOOK_MS;
		all->n_begun++;
		turn(l, NULL);
	}
}

static void step_look(struct looking *l, int64_t now)
{
	if (now >= l->until_ms) {
		if (l->errand != NULL)
			errand_drop(l->errand);
		l->errand = NULL;
		if (l->is_lock_asked) {
			snprintf(l->lock.text, sizeof l->lock.text, "no answer in time");
			done(l);
		} else {
			end_look(l, ERR_TIMEOUT, "it did not answer in time");
		}
	} else if (l->again_ms != 0 && now >= l->again_ms) {
		l->again_ms = 0;
		if (!l->is_lock_asked)
			turn(l, NULL);
		else if (!lock_step(l, NULL))
			done(l);
	}
}

enum err looks_init(struct looks *all, struct deploying *d, const struct deploy_scope *scope, size_t n, struct arena *a, struct why *why)
{
	*all = (struct looks){ .deploying = d, .scope = scope, .arena = a, .items = calloc(n + 1, sizeof *all->items), .n = n };
	if (all->items == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++) {
		struct looking *l = &all->items[i];
		l->looks = all;
		l->look.deploy = scope->deploy;
		l->look.settings = &scope->settings;
		l->look.arena = a;
	}
	return ERR_OK;
}

bool looks_step(struct looks *all)
{
	begin_looks(all);
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].has_begun && !all->items[i].is_done)
			step_look(&all->items[i], clock_mono_ms(all->deploying->o.clock));
	return all->n_done == all->n;
}

void looks_release(struct looks *all)
{
	for (size_t i = 0; all->items != NULL && i < all->n; i++)
		if (all->items[i].errand != NULL)
			errand_drop(all->items[i].errand);
	free(all->items);
	*all = (struct looks){ .items = NULL };
}
