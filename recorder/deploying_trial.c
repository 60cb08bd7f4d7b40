/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plan would have the other side try without effect is tried before anybody confirms it, so that the sheet says what it says: it would take it, or its words. All units at once, each for so
 * long at most; silence is told as silence. The run tries it once more, as its own step.
 *
 * What is sent may hold secrets (a template that was read for it): it stands in memory alone, and what is told of it is what the driver's judge would have the journal say. */
#include "recorder/deploying_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "deploy/planner.h"

enum { TRIALS_MAX = 16, TEXT_MAX = 600, TEXT_WIDTH = 300, PAUSE_MS = 500 };

struct trial {
	struct trials          *trials;
	const struct plan_unit *unit;
	const struct step      *step;
	struct errand          *errand;
	struct arena            arena;
	int                     at;     /* the driver's, with memory */
	void                   *memory;
	struct ask              asked;  /* last; in the arena */
	int64_t                 began_ms, again_ms, until_ms; /* began by the wall clock, the others monotonic; again 0: not waiting */
	bool                    is_done;
	struct verdict          last;   /* VERDICT_AGAIN: it was not known in time */
};

struct trials {
	struct deploying          *deploying;
	const struct deploy_scope *scope;
	size_t                     n;
	struct trial               items[TRIALS_MAX];
};

/* ---- one ---- */

static void send(struct trial *t);

/* A shorter pause than a step's own: somebody waits for the sheet. */
static int64_t pause_ms(const struct verdict *v)
{
	return v->wait_ms > 0 ? v->wait_ms : PAUSE_MS;
}

static void answered(void *ctx, const struct answer *answer)
{
	struct trial *t = ctx;
	const struct deploy_scope *scope = t->trials->scope;
	struct deploying *d = t->trials->deploying;
	t->errand = NULL;
	t->last = (struct verdict){ .kind = VERDICT_FAILED };
	const struct judging j = { .deploy = scope->deploy, .settings = &scope->settings, .unit = &t->unit->unit, .step = t->step, .answer = answer, .began_ms = t->began_ms,
		                   .now_ms = clock_wall_ms(d->o.clock), .arena = &t->arena, .at = &t->at, .memory = &t->memory };
	scope->driver->judge(&j, &t->last);
	if (arena_failed(&t->arena))
		t->last = (struct verdict){ .kind = VERDICT_AGAIN, .text = "out of memory" };
	t->is_done = t->last.kind != VERDICT_AGAIN || arena_failed(&t->arena);
	if (!t->is_done && t->last.next.kind != ASK_NONE)
		t->asked = t->last.next;
	if (!t->is_done && t->last.wait_ms < 0)
		send(t); /* at once, and not with the next tick */
	else if (!t->is_done)
		t->again_ms = clock_mono_ms(d->o.clock) + pause_ms(&t->last);
	deploying_wake(d);
}

static void send(struct trial *t)
{
	const struct deploy_scope *scope = t->trials->scope;
	struct why why = { "" };
	t->again_ms = 0;
	if (hands_ask(t->trials->deploying->hands, scope->deploy, &scope->settings, &t->unit->unit, &t->asked, answered, t, &t->errand, &why) == ERR_OK)
		return;
	t->is_done = true;
	t->last = (struct verdict){ .kind = VERDICT_AGAIN };
	snprintf(t->last.text, sizeof t->last.text, "%.250s", why.text);
}

static void step(struct trial *t)
{
	int64_t now = clock_mono_ms(t->trials->deploying->o.clock);
	if (t->is_done || (now < t->until_ms && (t->again_ms == 0 || now < t->again_ms)))
		return;
	if (now < t->until_ms) {
		send(t);
		return;
	}
	if (t->errand != NULL)
		errand_drop(t->errand);
	t->errand = NULL;
	t->is_done = true;
	t->last.kind = VERDICT_AGAIN; /* with what was said last */
}

/* ---- all ---- */

static const struct step *trial_of(const struct plan_unit *u)
{
	for (size_t i = 0; i < u->forward.n; i++)
		if (u->forward.items[i].is_trial)
			return &u->forward.items[i];
	return NULL;
}

static void begin(struct trials *all, const struct plan_unit *u, const struct step *s)
{
	struct deploying *d = all->deploying;
	struct trial *t = &all->items[all->n++];
	*t = (struct trial){ .trials = all, .unit = u, .step = s, .asked = s->ask, .began_ms = clock_wall_ms(d->o.clock) };
	t->until_ms = clock_mono_ms(d->o.clock) + DEPLOYING_TRIAL_MS;
	t->last.kind = VERDICT_AGAIN;
	arena_init(&t->arena);
	send(t);
}

enum err trials_new(struct deploying *d, const struct deploy_scope *scope, const struct deploy_plan *p, struct trials **out, struct why *why)
{
	struct trials *all = NULL;
	*out = NULL;
	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = &p->units[i];
		const struct step *s = plan_unit_acts(u) ? trial_of(u) : NULL;
		if (s == NULL || (all != NULL && all->n == TRIALS_MAX))
			continue;
		if (all == NULL && (all = calloc(1, sizeof *all)) == NULL)
			return why_memory(why);
		all->deploying = d;
		all->scope = scope;
		begin(all, u, s);
	}
	*out = all;
	return ERR_OK;
}

bool trials_step(struct trials *all)
{
	bool are_done = true;
	for (size_t i = 0; i < all->n; i++) {
		step(&all->items[i]);
		are_done = are_done && all->items[i].is_done;
	}
	return are_done;
}

/* Never taken for a yes: no answer is no answer. */
static enum warning_level sentence(const struct trial *t, struct buf *to)
{
	char within[DURATION_TEXT];
	switch (t->last.kind) {
	case VERDICT_DONE:
		buf_puts(to, "tried without effect: ");
		text_cut(to, t->last.text, strlen(t->last.text), TEXT_WIDTH);
		return WARNING_NOTE;
	case VERDICT_FAILED:
		buf_puts(to, "tried without effect, and it would not be taken: ");
		text_cut(to, t->last.text, strlen(t->last.text), TEXT_WIDTH);
		return WARNING_FORBIDS;
	case VERDICT_AGAIN:
		break;
	}
	buf_printf(to, "whether it would be taken is not known: tried without effect, and nothing certain came within %s", format_age(DEPLOYING_TRIAL_MS, within));
	if (t->last.text[0] != '\0') {
		buf_puts(to, ": ");
		text_cut(to, t->last.text, strlen(t->last.text), TEXT_WIDTH);
	}
	return WARNING_CARE;
}

enum err trials_tell(const struct trials *all, struct arena *a, struct deploy_plan *p, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < all->n && e == ERR_OK; i++) {
		const struct trial *t = &all->items[i];
		struct buf text;
		buf_init(&text, 2 * TEXT_MAX);
		if (all->n > 1) {
			text_cut(&text, t->unit->unit.name, strlen(t->unit->unit.name), TEXT_WIDTH / 4);
			buf_puts(&text, ": ");
		}
		enum warning_level level = sentence(t, &text);
		e = text.err == ERR_OK ? planner_tell(a, p, level, buf_text(&text), why) : why_memory(why);
		buf_release(&text);
	}
	return e;
}

void trials_free(struct trials *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i].errand != NULL)
			errand_drop(all->items[i].errand);
		arena_release(&all->items[i].arena);
	}
	free(all);
}
