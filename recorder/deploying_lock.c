/* SPDX-License-Identifier: Apache-2.0
 *
 * The locks of a run (deploy/lock.h): taken on all machines that it is about to change before the first of them is touched and whenever it goes on, renewed while it is not over, given back when it is.
 * In rounds, some machines at a time. The first by name that can be locked goes first and alone: of two that want the same machines at the same instant one gets that one, and the other nothing. */
#include "recorder/deploying_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "deploy/lock.h"

enum { BAR_TEXT = 590, BAR_WIDTH = 140, HOST_TEXT = 200, WHAT_TEXT = 200, LEADERS_MAX = 3 };

enum lock_round { ROUND_NONE, ROUND_TAKE, ROUND_BEAT, ROUND_FREE };

/* A unit's. */
struct lock_of {
	struct acting   *acting;
	struct errand   *errand;
	struct locking   locking;  /* what is under way */
	int64_t          again_ms; /* it waits until then; monotonic, 0: it does not */
	struct lock_seen seen;     /* what came of the last */
	bool             is_wanted, is_begun, is_done; /* in this round */
	bool             is_ours, is_new; /* new: since the last round that took */
	bool             bears;    /* a person went on although it can't be locked */
	char             takes[LOCK_KEY]; /* a person was told of this one, which is stale: to go on is to take it over */
};

struct locks {
	struct lock_of *units;
	size_t          n, leader, n_leaders; /* SIZE_MAX: there is none, or is none any more */
	enum lock_round round;
	bool            is_held;     /* since the run goes on all were asked for, and it may */
	bool            may_be_ours; /* from before this recorder */
	bool            is_over;     /* they were given back */
	int64_t         beat_ms;     /* monotonic */
};

/* ---- which ---- */

static bool can_lock(const struct acting *a, size_t i)
{
	const struct plan_unit *u = &a->plan->units[i];
	return a->scope != NULL && a->plan->lock[0] != '\0' && plan_unit_acts(u) && u->no_lock[0] == '\0' && lock_is_possible(a->scope->driver, &u->unit);
}

static bool has_any(const struct acting *a)
{
	for (size_t i = 0; i < a->plan->n_units && a->plan->lock[0] != '\0'; i++)
		if (can_lock(a, i))
			return true;
	return false;
}

static struct locks *locks_of(struct acting *a)
{
	struct locks *k = a->locks;
	if (k != NULL)
		return k;
	k = calloc(1, sizeof *k);
	if (k != NULL)
		k->units = calloc(a->plan->n_units + 1, sizeof *k->units);
	if (k == NULL || k->units == NULL) {
		free(k);
		return NULL;
	}
	k->n = a->plan->n_units;
	for (size_t i = 0; i < k->n; i++) {
		k->units[i].acting = a;
		snprintf(k->units[i].takes, sizeof k->units[i].takes, "%s", a->plan->units[i].takes_lock);
	}
	a->locks = k;
	return k;
}

/* ---- one machine ---- */

static void turn(struct lock_of *l, const struct answer *answer);

static void answered(void *ctx, const struct answer *answer)
{
	struct lock_of *l = ctx;
	l->errand = NULL;
	turn(l, answer);
	deploying_wake(l->acting->deploying);
}

static void end(struct lock_of *l, const struct lock_seen *seen)
{
	l->is_done = true;
	l->seen = *seen;
}

static void ask(struct lock_of *l)
{
	struct acting *a = l->acting;
	struct lock_seen none = { .state = LOCK_UNKNOWN };
	struct why why = { "" };
	if (hands_ask(a->deploying->hands, a->scope->deploy, &a->scope->settings, l->locking.unit, &l->locking.next, answered, l, &l->errand, &why) == ERR_OK)
		return;
	snprintf(none.text, sizeof none.text, "%s", why.text);
	end(l, &none);
}

/* Texts and asks are there for one turn. */
static void turn(struct lock_of *l, const struct answer *answer)
{
	struct acting *a = l->acting;
	char host[HOST_TEXT], what[WHAT_TEXT];
	struct arena arena;
	arena_init(&arena);
	snprintf(host, sizeof host, "%.*s", (int)strcspn(a->deploying->holder, ":"), a->deploying->holder);
	snprintf(what, sizeof what, LOCK_WHAT, acting_verb(a), a->plan->scope, acting_to(a));
	l->locking.holder = (struct lock_holder){ a->plan->key, a->first.who, host, what };
	l->locking.last = answer;
	l->locking.now_ms = clock_wall_ms(a->deploying->o.clock);
	l->locking.arena = &arena;
	switch (lock_turn(&l->locking)) {
	case LOOK_ASK:
		ask(l);
		break;
	case LOOK_WAIT:
		l->again_ms = clock_mono_ms(a->deploying->o.clock) + (l->locking.wait_ms > 0 ? l->locking.wait_ms : 1);
		break;
	case LOOK_DONE:
	case LOOK_FAILED:
		end(l, &l->locking.seen);
		break;
	}
	arena_release(&arena);
}

static void send(struct acting *a, size_t i)
{
	struct lock_of *l = &a->locks->units[i];
	l->is_begun = true;
	l->again_ms = 0;
	l->locking = (struct locking){ .driver = a->scope->driver, .settings = &a->scope->settings, .unit = &a->plan->units[i].unit, .path = a->plan->lock, .takes = l->takes,
		                       .wish = a->locks->round == ROUND_FREE ? LOCK_GIVES_BACK : LOCK_TAKES };
	turn(l, NULL);
}

static void wait_for(struct lock_of *l)
{
	if (l->again_ms == 0 || clock_mono_ms(l->acting->deploying->o.clock) < l->again_ms)
		return;
	l->again_ms = 0;
	turn(l, NULL);
}

/* ---- rounds ---- */

static bool is_anothers(const struct lock_of *l)
{
	return l->seen.state == LOCK_HELD || l->seen.state == LOCK_STALE;
}

/* The first by name of those that are wanted and were not begun. */
static size_t next_leader(const struct locks *k)
{
	size_t first = SIZE_MAX;
	const struct plan_unit *units = k->units[0].acting->plan->units;
	for (size_t i = 0; i < k->n; i++)
		if (k->units[i].is_wanted && !k->units[i].is_begun && (first == SIZE_MAX || strcmp(units[i].unit.name, units[first].unit.name) < 0))
			first = i;
	return first;
}

static void begin_round(struct locks *k, enum lock_round round, bool (*wanted)(const struct acting *a, size_t i))
{
	const struct acting *a = k->units[0].acting;
	k->round = round;
	for (size_t i = 0; i < k->n; i++) {
		struct lock_of *l = &k->units[i];
		l->is_wanted = wanted(a, i);
		l->is_begun = l->is_done = false;
		if (round == ROUND_TAKE)
			l->is_new = false;
	}
	k->leader = round == ROUND_TAKE ? next_leader(k) : SIZE_MAX;
	k->n_leaders = 1;
}

/* One that does not answer, or can have none, leads nobody; but not for ever. */
static void choose_leader(struct locks *k)
{
	const struct lock_of *l = k->leader != SIZE_MAX ? &k->units[k->leader] : NULL;
	if (l != NULL && l->is_done && (l->seen.state == LOCK_UNKNOWN || l->seen.state == LOCK_CANNOT))
		k->leader = k->n_leaders++ < LEADERS_MAX ? next_leader(k) : SIZE_MAX;
}

/* True: it is over. */
static bool step_round(struct acting *a)
{
	struct locks *k = a->locks;
	size_t under_way = 0, left = 0;
	choose_leader(k);
	const struct lock_of *leader = k->leader != SIZE_MAX ? &k->units[k->leader] : NULL;
	bool is_led = leader != NULL && !leader->is_done, is_lost = leader != NULL && leader->is_done && is_anothers(leader);
	for (size_t i = 0; i < k->n; i++)
		under_way += k->units[i].is_wanted && k->units[i].is_begun && !k->units[i].is_done;
	for (size_t i = 0; i < k->n; i++) {
		struct lock_of *l = &k->units[i];
		if (!l->is_wanted || l->is_done)
			continue;
		if (!l->is_begun && is_lost) {
			l->is_wanted = false;
			continue;
		}
		left++;
		if (l->is_begun)
			wait_for(l);
		else if (under_way < DEPLOYING_LOOKS && (!is_led || i == k->leader)) {
			under_way++;
			send(a, i);
		}
	}
	return left == 0;
}

static void drop_round(struct locks *k)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->units[i].errand != NULL)
			errand_drop(k->units[i].errand);
		k->units[i].errand = NULL;
		k->units[i].again_ms = 0;
	}
	k->round = ROUND_NONE;
}

static bool is_ours(const struct acting *a, size_t i) { return a->locks->units[i].is_ours; }
static bool is_new(const struct acting *a, size_t i) { return a->locks->units[i].is_new; }
static bool is_or_may_be_ours(const struct acting *a, size_t i) { return can_lock(a, i) && (a->locks->units[i].is_ours || a->locks->may_be_ours); }
static bool was_silent(const struct acting *a, size_t i)
{
	return can_lock(a, i) && !a->locks->units[i].is_ours && a->locks->units[i].seen.state == LOCK_UNKNOWN && run_may_begin(a->run, i);
}

/* ---- what came of it ---- */

/* What keeps the run from going on; NULL: nothing. What a person is told of now is accepted by going on. */
static const char *trouble_of(struct lock_of *l, const char **then)
{
	*then = "";
	switch (l->seen.state) {
	case LOCK_TAKEN:
	case LOCK_KEPT:
	case LOCK_FREE:
	case LOCK_UNKNOWN: /* its wave's look says more */
		return NULL;
	case LOCK_HELD:
		return l->seen.text;
	case LOCK_STALE:
		snprintf(l->takes, sizeof l->takes, "%s", l->seen.key);
		*then = ": to resume is to take it over";
		return l->seen.text;
	case LOCK_CANNOT:
		if (l->bears)
			return NULL;
		l->bears = true;
		*then = ": to resume is to go on without a lock there";
		return l->seen.text;
	}
	return NULL;
}

static void bar(struct acting *a, bool is_taken_over, size_t n, size_t first, const char *text, const char *then)
{
	struct buf said;
	buf_init(&said, BAR_TEXT);
	text_cut(&said, a->plan->units[first].unit.name, strlen(a->plan->units[first].unit.name), BAR_WIDTH / 4);
	if (n > 1)
		buf_printf(&said, " (and %zu more)", n - 1);
	buf_printf(&said, ": %s", is_taken_over ? "its lock was taken over: " : "");
	text_cut(&said, text, strlen(text), BAR_WIDTH);
	buf_puts(&said, then);
	run_bar(a->run, buf_text(&said));
	buf_release(&said);
	a->locks->is_held = true; /* it may say that it stops */
}

static void end_take(struct acting *a)
{
	struct locks *k = a->locks;
	size_t n = 0, first = 0;
	const char *text = "", *then = "";
	for (size_t i = 0; i < k->n; i++) {
		struct lock_of *l = &k->units[i];
		const char *its_then;
		if (!l->is_wanted)
			continue;
		l->is_new = l->seen.state == LOCK_TAKEN;
		l->is_ours = l->seen.state == LOCK_TAKEN || l->seen.state == LOCK_KEPT || (l->is_ours && l->seen.state == LOCK_UNKNOWN);
		const char *trouble = trouble_of(l, &its_then);
		if (trouble != NULL && n++ == 0) {
			first = i;
			text = trouble;
			then = its_then;
		}
	}
	k->is_held = true;
	if (n == 0)
		return;
	bar(a, false, n, first, text, then);
	begin_round(k, ROUND_FREE, is_new); /* whoever has the others is not kept from these */
}

/* Somebody took it over, by choice, since we were not heard of. */
static void end_beat(struct acting *a)
{
	struct locks *k = a->locks;
	size_t n = 0, first = 0;
	enum deployment_state s = run_state(a->run);
	for (size_t i = 0; i < k->n; i++) {
		struct lock_of *l = &k->units[i];
		if (!l->is_wanted || !is_anothers(l))
			continue;
		l->is_ours = false;
		first = n++ == 0 ? i : first;
	}
	if (n > 0 && (s == DEPLOYMENT_RUNNING || s == DEPLOYMENT_UNDOING))
		bar(a, true, n, first, k->units[first].seen.text, "");
}

static void end_free(struct locks *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->units[i].is_wanted)
			k->units[i].is_ours = k->units[i].is_new = false;
}

/* ---- from outside ---- */

bool acting_locks_hold(struct acting *a)
{
	enum deployment_state s = run_state(a->run);
	if ((s != DEPLOYMENT_RUNNING && s != DEPLOYMENT_UNDOING) || (a->locks == NULL && !has_any(a)))
		return true;
	return a->locks != NULL && a->locks->is_held && a->locks->round != ROUND_TAKE;
}

bool acting_locks_are_busy(const struct acting *a)
{
	return a->locks != NULL && a->locks->round != ROUND_NONE;
}

void acting_locks_again(struct acting *a)
{
	if (a->locks != NULL && a->locks->is_held && a->locks->round == ROUND_NONE)
		begin_round(a->locks, ROUND_TAKE, was_silent);
}

const char *acting_locks_silence(const struct acting *a, size_t unit)
{
	const struct lock_of *l = a->locks != NULL && can_lock(a, unit) ? &a->locks->units[unit] : NULL;
	return l != NULL && !l->is_ours && l->seen.state == LOCK_UNKNOWN && l->is_begun ? l->seen.text : NULL;
}

void acting_locks_rest(struct acting *a)
{
	if (a->locks != NULL)
		a->locks->is_held = false;
}

void acting_locks_restored(struct acting *a)
{
	struct locks *k = has_any(a) ? locks_of(a) : NULL;
	if (k != NULL)
		k->may_be_ours = true;
}

static void begin_what_is_due(struct acting *a)
{
	struct locks *k = a->locks;
	int64_t now = clock_mono_ms(a->deploying->o.clock);
	enum deployment_state s = run_state(a->run);
	bool goes_on = s == DEPLOYMENT_RUNNING || s == DEPLOYMENT_UNDOING;
	if (goes_on && !k->is_held)
		begin_round(k, ROUND_TAKE, can_lock);
	else if (now - k->beat_ms >= LOCK_BEAT_MS)
		begin_round(k, ROUND_BEAT, is_ours);
	else
		return;
	k->beat_ms = now;
}

void acting_locks_step(struct acting *a)
{
	if (a->locks == NULL && acting_locks_hold(a))
		return;
	struct locks *k = locks_of(a);
	if (k == NULL)
		return; /* for want of memory it waits */
	if (k->round == ROUND_NONE)
		begin_what_is_due(a);
	if (k->round == ROUND_NONE || !step_round(a))
		return;
	enum lock_round was = k->round;
	k->round = ROUND_NONE;
	if (was == ROUND_TAKE)
		end_take(a);
	else if (was == ROUND_BEAT)
		end_beat(a);
	else
		end_free(k);
}

bool acting_locks_give_back(struct acting *a)
{
	struct locks *k = a->locks;
	if (k == NULL || k->is_over)
		return true;
	if (k->round != ROUND_FREE) {
		drop_round(k);
		begin_round(k, ROUND_FREE, is_or_may_be_ours);
	}
	if (!step_round(a))
		return false;
	k->round = ROUND_NONE;
	k->is_over = true;
	return true;
}

bool acting_locks_are_left(const struct acting *a)
{
	return a->locks != NULL && !a->locks->is_over;
}

void acting_locks_leave(struct acting *a)
{
	struct locks *k = a->locks;
	a->locks = NULL;
	if (k == NULL)
		return;
	drop_round(k);
	free(k->units);
	free(k);
}
