/* SPDX-License-Identifier: Apache-2.0
 *
 * One redeploy or rollback that was confirmed: waves, nodes, the gate, the log; and what can be done about it. What is asked of it goes to the recorder, which
 * alone runs it: leaving this screen, or losing the terminal, stops nothing. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tui/deploy_progress.h"
#include "tui/deploys_ask.h"
#include "tui/deploys_data.h"
#include "tui/deploys_text.h"
#include "tui/dialog.h"
#include "tui/run_panes.h"
#include "tui/view.h"

struct run_screen {
	struct screen          screen;
	int64_t                id;
	struct arena           arena;      /* of the progress */
	struct deploy_progress progress;
	bool                   has_progress;
	bool                   is_following; /* the wave that it is in is the one that is shown */
	size_t                 wave, unit;
	struct run_panes      *panes;
	struct why             said;
};

static const struct deploy_detail *detail(const struct run_screen *s, const struct view *v)
{
	return deploy_detail_of(v, s->id);
}

static const struct deploy_plan *plan(const struct run_screen *s, const struct view *v)
{
	const struct deploy_detail *d = detail(s, v);
	return d != NULL && s->has_progress ? d->plan : NULL;
}

/* The first node of the wave in which something failed, else in which something goes on, else the first. */
static size_t worth_seeing(const struct run_screen *s, const struct deploy_plan *p)
{
	size_t n, first = plan_wave_units(p, s->wave, &n), best = first;
	for (size_t i = first; i < first + n; i++) {
		if (s->progress.units[i].state == UNIT_FAILED)
			return i;
		if (s->progress.units[i].state == UNIT_GOING && s->progress.units[best].state != UNIT_GOING)
			best = i;
	}
	return n > 0 ? best : SIZE_MAX;
}

static void update(struct screen *screen, const struct view *view)
{
	struct run_screen *s = (struct run_screen *)screen;
	const struct deploy_detail *d = detail(s, view);
	arena_reset(&s->arena);
	s->has_progress = d != NULL && d->plan != NULL &&
	                  deploy_progress_make(&s->arena, d->plan, d->steps, d->n_steps, view->t_ms, &s->progress) == ERR_OK;
	if (!s->has_progress || d->plan->n_waves == 0)
		return;
	size_t last = d->plan->n_waves - 1;
	if (s->is_following) {
		s->wave = s->progress.wave < last ? s->progress.wave : last;
		s->unit = worth_seeing(s, d->plan);
	}
	s->wave = s->wave < last ? s->wave : last;
}

static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	(void)view;
	out->deployment = ((const struct run_screen *)screen)->id;
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct run_screen *s = (const struct run_screen *)screen;
	struct rect all = canvas_region(c);
	const struct deploy_detail *d = detail(s, view);
	if (d == NULL) {
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND, "reading the store");
		return;
	}
	const struct run_pane_data data = { .view = view, .detail = d, .progress = plan(s, view) != NULL ? &s->progress : NULL, .wave = s->wave, .unit = s->unit };
	run_panes_draw(s->panes, &data, c);
}

/* ---- going about ---- */

static bool turn_wave(struct run_screen *s, const struct deploy_plan *p, bool is_on)
{
	if (is_on ? s->wave + 1 >= p->n_waves : s->wave == 0)
		return true;
	s->wave = is_on ? s->wave + 1 : s->wave - 1;
	s->unit = worth_seeing(s, p);
	return true;
}

/* Left and right go from node to node, up and down by a row of them, and beyond the last to the next wave. */
static bool move(struct run_screen *s, const struct view *v, enum command c)
{
	const struct deploy_plan *p = plan(s, v);
	size_t n, first = p != NULL ? plan_wave_units(p, s->wave, &n) : 0, row = s->panes->map_cols > 0 ? (size_t)s->panes->map_cols : 1;
	if (c == COMMAND_PAGE_UP || c == COMMAND_PAGE_DOWN) {
		s->panes->log_top += c == COMMAND_PAGE_DOWN ? 5 : -5; /* drawing keeps it within what there is */
		return true;
	}
	if (p == NULL || (c != COMMAND_UP && c != COMMAND_DOWN && c != COMMAND_LEFT && c != COMMAND_RIGHT && c != COMMAND_FIRST && c != COMMAND_LAST))
		return false;
	s->is_following = c == COMMAND_FIRST ? s->is_following : false;
	size_t at = s->unit >= first && s->unit < first + n ? s->unit - first : 0;
	if (c == COMMAND_LAST) {
		s->is_following = true;
		update(&s->screen, v);
		return true;
	}
	if (c == COMMAND_UP && at < row)
		return turn_wave(s, p, false);
	if (c == COMMAND_DOWN && at + row >= n)
		return turn_wave(s, p, true);
	at = c == COMMAND_UP ? at - row : c == COMMAND_DOWN ? at + row : c == COMMAND_LEFT ? at - (at > 0) : c == COMMAND_RIGHT ? at + (at + 1 < n) : 0;
	s->unit = first + at;
	return true;
}

/* ---- what is done about it ---- */

struct act {
	enum control control;
	const char  *title, *text, *yes;
	bool         is_typed;   /* the name has to be typed */
	unsigned     states;     /* in which it is of use, as run_control (deploy/run.h) has it */
};

#define IN(state) (1u << DEPLOYMENT_##state)

static const struct act acts[] = {
	{ CONTROL_UNDO, "put all back?", "What was touched goes back to what was found; what is under way ends first.", "put back", true,
	  IN(RUNNING) | IN(PAUSED) | IN(STOPPED) | IN(INTERRUPTED) },
	{ CONTROL_ABORT, "abort?", "Nothing new is begun; what is under way ends, then it stops.\nWhat was touched stays as it is until it is undone.", "abort", false,
	  IN(RUNNING) | IN(UNDOING) },
	{ CONTROL_SKIP, "leave out what failed?", "The node that failed stays as it is now, and the run goes on without it.", "leave out", false, IN(STOPPED) },
	{ CONTROL_PASS, "pass the gate?", "What the gate found is accepted, in your name, and the next wave begins.", "pass", true, IN(STOPPED) },
	{ CONTROL_ABANDON, "abandon it?", "All stays as it is now, half done perhaps; the model is free for another run.", "abandon", true,
	  IN(PAUSED) | IN(STOPPED) | IN(INTERRUPTED) },
};

static const struct act *act_of(enum command c)
{
	static const struct {
		enum command command;
		enum control control;
	} of[] = {
		{ COMMAND_RUN_UNDO, CONTROL_UNDO }, { COMMAND_RUN_ABORT, CONTROL_ABORT },     { COMMAND_RUN_SKIP, CONTROL_SKIP },
		{ COMMAND_RUN_PASS, CONTROL_PASS }, { COMMAND_RUN_ABANDON, CONTROL_ABANDON },
	};
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		for (size_t k = 0; of[i].command == c && k < sizeof acts / sizeof acts[0]; k++)
			if (acts[k].control == of[i].control)
				return &acts[k];
	return NULL;
}

static bool has_failed_gate(const struct run_screen *s)
{
	for (size_t i = 0; s->has_progress && s->progress.waves != NULL && i <= s->wave; i++)
		if (s->progress.waves[i].gate == WAVE_GATE_FAILED)
			return true;
	return false;
}

static bool is_of_use(const struct run_screen *s, const struct deploy_detail *d, const struct act *a)
{
	if (!(a->states & 1u << d->at.last.state))
		return false;
	if (a->control == CONTROL_PASS)
		return has_failed_gate(s);
	return a->control != CONTROL_SKIP || (s->has_progress && s->progress.n_failed > 0);
}

/* "117 nodes were touched; 3 of them failed." */
static void say_touched(const struct run_screen *s, const struct deploy_plan *p, struct buf *to)
{
	size_t touched = 0;
	for (size_t i = 0; p != NULL && i < p->n_units; i++)
		touched += s->progress.units[i].step != NULL;
	if (p != NULL)
		buf_printf(to, "\n%zu of %zu nodes were touched%s", touched, s->progress.n, s->progress.n_failed > 0 ? ", " : ".");
	if (p != NULL && s->progress.n_failed > 0)
		buf_printf(to, "%zu failed.", s->progress.n_failed);
}

static enum next ask(struct run_screen *s, const struct view *v, enum control c, struct request **to, struct requests *out)
{
	const struct asker a = asker_of(v);
	s->said.text[0] = '\0';
	if (deploy_ask_control(&a, s->id, c, "", to, &s->said) != ERR_OK)
		out->message = s->said.text;
	return NEXT_REDRAW;
}

static enum next open_dialog(struct run_screen *s, const struct view *v, const struct act *a, struct requests *out)
{
	const struct deploy_detail *d = detail(s, v);
	struct requests yes = { 0 };
	struct buf text;
	ask(s, v, a->control, &yes.ask, out);
	if (yes.ask == NULL || d == NULL)
		return NEXT_REDRAW;
	const char *name = d->at.row.target[0] != '\0' ? d->at.row.target : d->at.row.scope;
	buf_init(&text, 2000);
	buf_puts(&text, a->text);
	say_touched(s, plan(s, v), &text);
	bool is_typed = a->is_typed && name[0] != '\0' && strlen(name) < 200;
	if (is_typed)
		buf_printf(&text, "\nType %s to confirm:", name);
	out->push = is_typed ? dialog_typed_new(a->title, buf_text(&text), name, a->yes, "leave it", &yes)
	                     : dialog_new(a->title, buf_text(&text), a->yes, "leave it", &yes);
	if (out->push == NULL) {
		request_free(yes.ask);
		out->message = "out of memory";
	}
	buf_release(&text);
	return NEXT_REDRAW;
}

/* Pausing harms nothing and goes at once; so does going on, but for a run whose recorder has gone, of which one should know what it did. */
static enum next hold(struct run_screen *s, const struct view *v, const struct deploy_detail *d, struct requests *out)
{
	static const struct act resume = { CONTROL_RESUME, "go on?", "It goes on where it was; what failed or may not have ended is tried again.", "go on", false, 0 };
	enum deployment_state state = d->at.last.state;
	if (state == DEPLOYMENT_RUNNING || state == DEPLOYMENT_UNDOING)
		return ask(s, v, CONTROL_PAUSE, &out->ask, out);
	if (state == DEPLOYMENT_PAUSED)
		return ask(s, v, CONTROL_RESUME, &out->ask, out);
	if (state == DEPLOYMENT_STOPPED || state == DEPLOYMENT_INTERRUPTED)
		return open_dialog(s, v, &resume, out);
	out->message = "it does not run";
	return NEXT_REDRAW;
}

static enum next act(struct run_screen *s, const struct view *v, enum command c, struct requests *out)
{
	const struct act *a = act_of(c);
	const struct deploy_detail *d = detail(s, v);
	if (a == NULL && c != COMMAND_RUN_HOLD)
		return NEXT_IGNORED;
	if (d == NULL || deploy_refusal(v)[0] != '\0') {
		out->message = d == NULL ? "reading the store" : deploy_refusal(v);
		return NEXT_REDRAW;
	}
	if (v->person.must_ask) {
		out->message = "several people use this account: say who you are first, by an acknowledgement or a plan of your own";
		return NEXT_REDRAW;
	}
	if (a == NULL)
		return hold(s, v, d, out);
	if (is_of_use(s, d, a))
		return open_dialog(s, v, a, out);
	out->message = a->control == CONTROL_SKIP   ? "nothing has failed that it waits for"
	               : a->control == CONTROL_PASS ? "no gate waits to be passed"
	                                            : "that is not possible as it is now";
	return NEXT_REDRAW;
}

static enum next open_node(const struct run_screen *s, const struct view *v, struct requests *out)
{
	const struct deploy_plan *p = plan(s, v);
	const char *node = p != NULL && s->unit < p->n_units ? p->units[s->unit].unit.node : "";
	if (node[0] != '\0')
		out->push = node_screen_new(node);
	return NEXT_REDRAW;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct run_screen *s = (struct run_screen *)screen;
	(void)argument;
	if (move(s, view, c))
		return NEXT_REDRAW;
	return c == COMMAND_ENTER ? open_node(s, view, out) : act(s, view, c, out);
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct run_screen *s = (const struct run_screen *)screen;
	const struct deploy_detail *d = detail(s, view);
	const struct act *a = act_of(c);
	bool can_ask = d != NULL && deploy_refusal(view)[0] == '\0';
	if (c == COMMAND_RUN_HOLD)
		return can_ask && deployment_is_active(d->at.last.state);
	return a == NULL || (can_ask && is_of_use(s, d, a));
}

/* ---- life ---- */

static void release(struct screen *screen)
{
	struct run_screen *s = (struct run_screen *)screen;
	arena_release(&s->arena);
	free(s->panes);
	free(s);
}

static const struct screen_kind kind = {
	.name = "DEPLOY", .context = CONTEXT_RUN, .draw = draw, .command = command, .offers = offers, .update = update, .needs = needs, .free = release,
};

struct screen *run_screen_new(int64_t deployment)
{
	struct run_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->id = deployment;
	s->is_following = true;
	s->unit = SIZE_MAX;
	arena_init(&s->arena);
	s->panes = calloc(1, sizeof *s->panes);
	if (s->panes == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}
