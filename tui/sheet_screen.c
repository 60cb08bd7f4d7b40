/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "tui/alerts_text.h"
#include "tui/arming.h"
#include "tui/deploys_data.h"
#include "tui/deploys_text.h"
#include "tui/prompt.h"
#include "tui/screens.h"
#include "tui/sheet_actions.h"
#include "tui/sheet_foot.h"
#include "tui/sheet_lines.h"
#include "tui/sheet_places.h"
#include "tui/sheet_versions.h"
#include "tui/widget_table.h"

enum {
	PERCENT_COLS  = 7, /* how far one has read */
	ACTION_WORD = 64, FOOT_ROWS = 3, ROWS_FOR_FOOT = 7, REASON_MAX = REQUEST_TEXT_MAX, TARGET_MAX = REQUEST_TARGET_MAX, VERSION_MAX = 512,
	CONFIRMED_MS = 15 * 1000, /* a confirmation that nothing came of in that time may be given again */
};

/* What drawing finds out. */
struct sheet_seen {
	struct sheet_lines lines;
	unsigned           of;     /* the sheet's `change` that they were made at; 0: never */
	int                cols, top, rows;
};

struct sheet_screen {
	struct screen       screen;
	struct deploy_wish  wish;    /* texts are those below */
	char                target[TARGET_MAX + 1], version[VERSION_MAX + 1], reason[REASON_MAX + 1], who[REQUEST_NAME_MAX + 1], origin[REQUEST_NAME_MAX + 1];
	char                request[REQUEST_ID];
	int64_t             id, now_ms, asked_ms, confirmed_ms; /* 0: not; confirmed: asked of the recorder */
	enum sheet_mode     mode;
	struct prompt       prompt;
	struct arming       arming;
	char                hash[PLAN_HASH]; /* of the plan that is shown */
	bool               *unfolded;
	size_t              n_units, cursor;
	struct table_state *chosen;   /* among versions, or what else could be done */
	enum deploy_kind    kind;     /* of the wish where a version is meant: what else is done is asked for as a redeploy */
	size_t              action;   /* of the plan's, that a number is written for, with its word and the highest number */
	char                word[ACTION_WORD];
	int64_t             most;
	struct sheet_places places;   /* to choose among, where there is no plan */
	struct sheet_seen  *seen;
	unsigned            change;
	int64_t             quiet_ms;
	bool                has_led, is_begun; /* to the run's own screen; what was confirmed here is a run by now */
	struct why          said;
};

static const struct deploy_detail *detail(const struct sheet_screen *s, const struct view *v)
{
	const struct deploy_detail *d = v->deploy;
	if (d == NULL)
		return NULL;
	return s->id != 0 ? deploy_detail_of(v, s->id) : s->request[0] != '\0' && strcmp(d->request, s->request) == 0 ? d : NULL;
}

static const struct deploy_plan *plan(const struct sheet_screen *s, const struct view *v)
{
	const struct deploy_detail *d = detail(s, v);
	return d != NULL ? d->plan : NULL;
}

static const struct driver_action *action(const struct sheet_screen *s, const struct view *v)
{
	const struct deploy_plan *p = plan(s, v);
	return p != NULL && s->action < p->n_actions ? &p->actions[s->action] : NULL;
}

static bool is_written(const struct sheet_screen *s)
{
	return s->mode == SHEET_ASKS_WHO || s->mode == SHEET_WRITES_REASON || s->mode == SHEET_WRITES_NUMBER;
}

/* ---- what it is about ---- */

/* Another plan: the first node's requests are shown, those of the others are folded. */
static void take_plan(struct sheet_screen *s, const struct deploy_detail *d)
{
	snprintf(s->hash, sizeof s->hash, "%s", d->at.row.hash);
	free(s->unfolded);
	s->n_units = 0;
	s->cursor = 0;
	s->seen->top = 0;
	s->unfolded = d->plan != NULL ? calloc(d->plan->n_units + 1, sizeof *s->unfolded) : NULL;
	if (s->unfolded == NULL)
		return;
	s->n_units = d->plan->n_units;
	for (size_t i = 0; i < s->n_units; i++)
		if (plan_unit_acts(&d->plan->units[i])) {
			s->unfolded[i] = true;
			break;
		}
}

/* What a yes would be said to, as one number. */
static uint64_t subject(const struct sheet_screen *s, const struct view *v, const struct deploy_detail *d)
{
	if (s->confirmed_ms != 0 || s->mode == SHEET_ASKS_WHO || sheet_why_not(v, d)[0] != '\0')
		return 0;
	uint64_t h = hash64(s->hash, strlen(s->hash), (uint64_t)d->at.last.state + 1);
	return h != 0 ? h : 1;
}

static void arm(struct sheet_screen *s, const struct view *v)
{
	const struct deploy_detail *d = detail(s, v);
	const struct deploy_plan *p = d != NULL ? d->plan : NULL;
	uint64_t about = d != NULL ? subject(s, v, d) : 0;
	arming_about(&s->arming, about, about != 0 && p != NULL && p->confirm == CONFIRM_NAME ? p->name : NULL);
}

/* Of one that somebody else planned, or at another time: what a new plan of it would be asked for. */
static void take_wish(struct sheet_screen *s, const struct deployment_row *r)
{
	s->wish.kind = s->kind = strcmp(r->kind, "rollback") == 0 ? DEPLOY_ROLLBACK : DEPLOY_REDEPLOY;
	s->wish.alert = r->alert;
	snprintf(s->target, sizeof s->target, "%s", r->target);
	snprintf(s->reason, sizeof s->reason, "%s", r->reason);
}

static void take_person(struct sheet_screen *s, const struct view *v)
{
	s->now_ms = v->now_ms;
	if (s->who[0] == '\0' && v->person.who != NULL)
		snprintf(s->who, sizeof s->who, "%s", v->person.who);
	if (v->person.origin != NULL)
		snprintf(s->origin, sizeof s->origin, "%s", v->person.origin);
}

static void update(struct screen *screen, const struct view *view)
{
	struct sheet_screen *s = (struct sheet_screen *)screen;
	const struct deploy_detail *d = detail(s, view);
	s->change++;
	take_person(s, view);
	sheet_places_take(&s->places, d);
	if (s->confirmed_ms != 0 && (view->now_ms - s->confirmed_ms > CONFIRMED_MS || (d != NULL && d->at.last.at_ms > s->confirmed_ms)))
		s->confirmed_ms = 0;
	if (d != NULL && d->id != 0) {
		s->id = d->id;
		s->is_begun = deployment_is_active(d->at.last.state) || (deployment_is_over(d->at.last.state) && d->at.began_ms != 0);
		if (s->target[0] == '\0')
			take_wish(s, &d->at.row);
		if (strcmp(s->hash, d->at.row.hash) != 0 || (d->plan != NULL && s->unfolded == NULL))
			take_plan(s, d);
	}
	arm(s, view);
}

static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	const struct sheet_screen *s = (const struct sheet_screen *)screen;
	(void)view;
	out->deployment = s->id;
	out->deployment_request = s->id == 0 && s->request[0] != '\0' ? s->request : NULL;
}

/* ---- drawing ---- */

static void draw_head(const struct sheet_screen *s, const struct view *v, struct canvas *c)
{
	const struct deploy_detail *d = detail(s, v);
	const struct deploy_plan *p = plan(s, v);
	char state[ALERTS_TEXT] = "", age[ALERTS_TEXT];
	int cols = canvas_region(c).cols;
	if (d != NULL && d->id != 0)
		snprintf(state, sizeof state, "%s %.60s ago", deployment_state_name(d->at.last.state), since_text(d->at.last.at_ms, v->t_ms, age));
	int right = (int)strlen(state), room = cols - right - 3, col = 1;
	const char *kind = p != NULL ? d->at.row.kind : s->wish.kind == DEPLOY_ROLLBACK ? "rollback" : "redeploy";
	canvas_enter(c, (struct rect){ 0, 0, 1, room > 10 ? room : cols });
	col += canvas_printf(c, 0, col, ROLE_TITLE, "%s of %.200s", kind, s->target);
	canvas_add_flags(c, (struct rect){ 0, 1, 1, col - 1 }, CELL_BOLD);
	if (p != NULL && strcmp(p->scope, s->target) != 0)
		col += canvas_printf(c, 0, col, ROLE_SECOND, "  %.100s", p->scope);
	if (p != NULL)
		canvas_printf(c, 0, col, ROLE_SECOND, "  by %.60s", p->driver);
	canvas_leave(c);
	if (room > 10)
		canvas_put(c, 0, cols - right - 1, d != NULL && d->id != 0 ? deploy_role(d->at.last.state) : ROLE_SECOND, state);
}

static void make_lines(const struct sheet_screen *s, const struct view *v, int cols)
{
	struct sheet_seen *seen = s->seen;
	if (seen->of == s->change && seen->cols == cols)
		return;
	const struct sheet_lines_options o = { .plan = plan(s, v), .view = v, .deployment = s->id, .unfolded = s->unfolded, .cols = cols };
	sheet_lines_fill(&seen->lines, &o); /* where memory ran out it is cut, and made again at the next change */
	seen->of = s->change;
	seen->cols = cols;
}

static void draw_line(const struct sheet_line *l, struct canvas *c)
{
	int col = 1 + l->indent;
	if (l->is_rule) {
		canvas_rule(c, 0, l->text, l->note[0] != '\0' ? l->note : NULL);
		return;
	}
	canvas_put(c, 0, 1, ROLE_TEXT, l->label);
	if (l->glyph > 1)
		canvas_put_char(c, 0, col, l->role, l->glyph);
	if (l->glyph != 0)
		col += 2;
	int used = canvas_put(c, 0, col, l->role, l->text);
	if (l->is_bold)
		canvas_add_flags(c, (struct rect){ 0, col, 1, used }, CELL_BOLD);
	if (l->note[0] != '\0')
		canvas_put(c, 0, col + used + 2, ROLE_SECOND, l->note);
}

static void draw_plan(const struct sheet_screen *s, const struct view *v, struct canvas *c)
{
	struct sheet_seen *seen = s->seen;
	struct rect all = canvas_region(c);
	make_lines(s, v, all.cols);
	int n = (int)seen->lines.n, at = (int)s->cursor < n ? (int)s->cursor : n - 1;
	bool is_part = n > all.rows && all.cols > 20;
	seen->rows = all.rows;
	if (at < seen->top)
		seen->top = at;
	if (at >= seen->top + all.rows)
		seen->top = at - all.rows + 1;
	seen->top = seen->top > n - all.rows ? n - all.rows : seen->top;
	seen->top = seen->top < 0 ? 0 : seen->top;
	for (int i = 0; i < all.rows && seen->top + i < n; i++) {
		const struct sheet_line *l = &seen->lines.items[seen->top + i];
		canvas_enter(c, (struct rect){ i, 0, 1, is_part && i == all.rows - 1 ? all.cols - PERCENT_COLS : all.cols });
		draw_line(l, c);
		canvas_leave(c);
		if (seen->top + i == at && !l->is_rule && (l->unit != SIZE_MAX || at > 0))
			canvas_set_ground(c, (struct rect){ i, 0, 1, all.cols }, ROLE_SELECTED);
	}
	if (is_part)
		canvas_printf(c, all.rows - 1, all.cols - PERCENT_COLS, ROLE_FAINT, " %3d%% ", (int)(100LL * (seen->top + all.rows) / n > 100 ? 100 : 100LL * (seen->top + all.rows) / n));
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct sheet_screen *s = (const struct sheet_screen *)screen;
	struct rect all = canvas_region(c);
	const struct deploy_detail *d = detail(s, view);
	int foot = all.rows >= ROWS_FOR_FOOT ? FOOT_ROWS : 1;
	draw_head(s, view, c);
	if (all.rows - foot - 1 > 0) {
		canvas_enter(c, (struct rect){ 1, 0, all.rows - foot - 1, all.cols });
		if (s->mode == SHEET_CHOOSES && plan(s, view) != NULL)
			sheet_versions_draw(plan(s, view), view, s->chosen, c);
		else if ((s->mode == SHEET_ACTS || s->mode == SHEET_WRITES_NUMBER) && plan(s, view) != NULL)
			sheet_actions_draw(plan(s, view), s->chosen, c);
		else if (plan(s, view) != NULL && s->unfolded != NULL)
			draw_plan(s, view, c);
		else if (s->places.n > 0)
			sheet_places_draw(&s->places, s->target, view, c);
		else
			sheet_waiting_draw(view, d, s->target, s->asked_ms, c);
		canvas_leave(c);
	}
	const struct sheet_foot f = { .view = view, .detail = d, .mode = s->mode, .arming = &s->arming, .reason = s->reason,
		                      .action = action(s, view), .is_confirmed = s->confirmed_ms != 0, .said = s->said.text };
	struct prompt *typed;
	memcpy(&typed, &(const struct prompt *){ &s->prompt }, sizeof typed); /* drawing scrolls it */
	canvas_enter(c, (struct rect){ all.rows - foot, 0, foot, all.cols });
	sheet_foot_draw(&f, typed, c);
	canvas_leave(c);
}

/* ---- asking ---- */

static struct asker asker(const struct sheet_screen *s)
{
	return (struct asker){ s->who, s->origin, s->now_ms };
}

static void ask_plan(struct sheet_screen *s, struct requests *out)
{
	const struct asker a = asker(s);
	s->said.text[0] = '\0';
	if (deploy_ask_plan(&a, &s->wish, &out->ask, &s->said) != ERR_OK)
		return;
	memcpy(s->request, out->ask->id, sizeof s->request);
	s->id = s->confirmed_ms = 0;
	s->hash[0] = '\0';
	s->asked_ms = s->now_ms;
	s->mode = SHEET_READS;
	arming_about(&s->arming, 0, NULL);
}

static void ask_who(struct sheet_screen *s)
{
	s->mode = SHEET_ASKS_WHO;
	prompt_open(&s->prompt, '>', "", NULL, NULL);
}

static void lead(struct sheet_screen *s, struct requests *out)
{
	out->push = run_screen_new(s->id);
	s->has_led = out->push != NULL;
}

/* Whoever comes back from a run wants to be where it was asked for. */
static bool is_over(const struct screen *screen)
{
	const struct sheet_screen *s = (const struct sheet_screen *)screen;
	return s->has_led && s->is_begun;
}

static void confirm(struct sheet_screen *s, const struct view *v, struct requests *out)
{
	const struct deploy_detail *d = detail(s, v);
	const struct asker a = asker(s);
	if (d == NULL || d->plan == NULL)
		return;
	if (s->who[0] == '\0') {
		ask_who(s);
		return;
	}
	if (deploy_ask_confirm(&a, s->id, s->hash, d->plan->confirm == CONFIRM_NAME ? d->plan->name : "", &out->ask, &s->said) != ERR_OK)
		return;
	s->confirmed_ms = s->now_ms;
	if (!d->plan->takes_two || d->at.last.state == DEPLOYMENT_WAITING)
		lead(s, out);
}

static int shown(struct screen *screen, bool is_uncovered)
{
	return arming_shown(&((struct sheet_screen *)screen)->arming, is_uncovered);
}

static enum next settled(struct screen *screen, const struct view *view, bool was_quiet, struct requests *out)
{
	struct sheet_screen *s = (struct sheet_screen *)screen;
	if (arming_settled(&s->arming, was_quiet))
		confirm(s, view, out);
	arm(s, view);
	return NEXT_REDRAW;
}

/* ---- keys ---- */

static void pace(struct screen *screen, int64_t quiet_ms)
{
	((struct sheet_screen *)screen)->quiet_ms = quiet_ms;
}

/* A number is asked for in the word of the action that it goes with. */
static enum next take_number(struct sheet_screen *s, enum prompt_result r, struct requests *out)
{
	int64_t n;
	if (r == PROMPT_CANCELLED)
		s->mode = SHEET_ACTS;
	if (r != PROMPT_ACCEPTED || out == NULL)
		return NEXT_REDRAW;
	if (parse_i64(prompt_text(&s->prompt), 0, s->most, &n) != ERR_OK) {
		snprintf(s->said.text, sizeof s->said.text, "a whole number from 0 to %lld", (long long)s->most);
		out->message = s->said.text;
		prompt_open(&s->prompt, '>', "", NULL, NULL);
		return NEXT_REDRAW;
	}
	snprintf(s->version, sizeof s->version, "%s=%lld", s->word, (long long)n);
	s->wish.kind = DEPLOY_REDEPLOY;
	ask_plan(s, out);
	return NEXT_REDRAW;
}

/* `out` NULL: nothing can be accepted (a paste). */
static enum next typed(struct sheet_screen *s, enum prompt_result r, struct requests *out)
{
	const char *text = prompt_text(&s->prompt);
	if (s->mode == SHEET_WRITES_NUMBER)
		return take_number(s, r, out);
	if (r == PROMPT_ACCEPTED && s->mode == SHEET_WRITES_REASON && strcmp(text, s->reason) != 0) {
		snprintf(s->reason, sizeof s->reason, "%.*s", REASON_MAX, text);
		ask_plan(s, out); /* the reason is part of the plan: another one makes another plan */
		return NEXT_REDRAW;
	}
	if (r == PROMPT_ACCEPTED && s->mode == SHEET_ASKS_WHO && text[0] != '\0') {
		snprintf(s->who, sizeof s->who, "%.*s", REQUEST_NAME_MAX, text);
		s->mode = SHEET_READS;
		if (s->id == 0)
			ask_plan(s, out);
		return NEXT_REDRAW;
	}
	if (r == PROMPT_CANCELLED && s->mode == SHEET_ASKS_WHO)
		return NEXT_CLOSE;
	if ((r == PROMPT_ACCEPTED || r == PROMPT_CANCELLED) && s->mode == SHEET_WRITES_REASON)
		s->mode = SHEET_READS;
	return NEXT_REDRAW;
}

static enum next key(struct screen *screen, struct key k, struct requests *out)
{
	struct sheet_screen *s = (struct sheet_screen *)screen;
	if (is_written(s)) {
		if (k.code == KEY_BACKSPACE && prompt_text(&s->prompt)[0] == '\0')
			return NEXT_STAY; /* which the prompt takes for leaving it */
		return typed(s, prompt_key(&s->prompt, k), out);
	}
	return s->mode == SHEET_READS && arming_key(&s->arming, k, s->quiet_ms) ? NEXT_REDRAW : NEXT_IGNORED;
}

static enum next paste(struct screen *screen, const char *text, size_t n)
{
	struct sheet_screen *s = (struct sheet_screen *)screen;
	if (is_written(s))
		return typed(s, prompt_paste(&s->prompt, text, n), NULL);
	arming_paste(&s->arming);
	return NEXT_REDRAW;
}

/* ---- commands ---- */

static bool move(struct sheet_screen *s, const struct view *v, enum command c)
{
	const struct deploy_plan *p = plan(s, v);
	if (s->mode == SHEET_CHOOSES)
		return table_command(s->chosen, c, p != NULL ? p->n_versions : 0, s->seen->rows - 1);
	if (s->mode == SHEET_ACTS)
		return table_command(s->chosen, c, p != NULL ? p->n_actions : 0, s->seen->rows - 1);
	if (p == NULL && s->places.n > 0)
		return table_command(&s->places.at, c, s->places.n, SCOPE_CHOICES_MAX);
	struct table_state t = { .selected = s->cursor, .top = (size_t)s->seen->top };
	if (!table_command(&t, c, s->seen->lines.n, s->seen->rows))
		return false;
	s->cursor = t.selected;
	return true;
}

static void unfold_all(struct sheet_screen *s)
{
	bool has_folded = false;
	for (size_t i = 0; i < s->n_units; i++)
		has_folded |= !s->unfolded[i];
	for (size_t i = 0; i < s->n_units; i++)
		s->unfolded[i] = has_folded;
	s->change++;
}

/* What is chosen is planned like a version: the new sheet says what it would do. */
static enum next act(struct sheet_screen *s, const struct deploy_plan *p, struct requests *out)
{
	if (p == NULL || s->chosen->selected >= p->n_actions)
		return NEXT_STAY;
	const struct driver_action *one = &p->actions[s->chosen->selected];
	s->action = s->chosen->selected;
	snprintf(s->word, sizeof s->word, "%s", one->word);
	s->most = one->most;
	if (one->most >= 0) {
		s->mode = SHEET_WRITES_NUMBER;
		prompt_open(&s->prompt, '>', "", NULL, NULL);
		return NEXT_REDRAW;
	}
	snprintf(s->version, sizeof s->version, "%s", s->word);
	s->wish.kind = DEPLOY_REDEPLOY;
	ask_plan(s, out);
	return NEXT_REDRAW;
}

static enum next enter(struct sheet_screen *s, const struct view *v, struct requests *out)
{
	const struct deploy_detail *d = detail(s, v);
	const struct deploy_plan *p = plan(s, v);
	if (p == NULL && sheet_places_selected(&s->places) != NULL) {
		snprintf(s->target, sizeof s->target, "%s", sheet_places_selected(&s->places));
		ask_plan(s, out);
		return NEXT_REDRAW;
	}
	if (s->mode == SHEET_ACTS)
		return act(s, p, out);
	if (s->mode == SHEET_CHOOSES) {
		if (p == NULL || s->chosen->selected >= p->n_versions)
			return NEXT_STAY;
		snprintf(s->version, sizeof s->version, "%.*s", VERSION_MAX, p->versions[s->chosen->selected].version.id);
		s->wish.kind = s->kind;
		ask_plan(s, out);
		return NEXT_REDRAW;
	}
	const struct sheet_line *l = p != NULL && s->cursor < s->seen->lines.n ? &s->seen->lines.items[s->cursor] : NULL;
	if (l != NULL && l->unit < s->n_units) {
		s->unfolded[l->unit] = !s->unfolded[l->unit];
		s->change++;
	} else if (d != NULL && d->id != 0 && d->at.last.state != DEPLOYMENT_PLANNED && d->at.last.state != DEPLOYMENT_WAITING) {
		lead(s, out);
	}
	return NEXT_REDRAW;
}

static enum next write_reason(struct sheet_screen *s)
{
	s->mode = SHEET_WRITES_REASON;
	prompt_open(&s->prompt, '>', s->reason, NULL, NULL);
	return NEXT_REDRAW;
}

static enum next choose(struct sheet_screen *s, const struct view *v, struct requests *out)
{
	const struct deploy_plan *p = plan(s, v);
	if (p == NULL || p->n_versions == 0) {
		out->message = p == NULL ? "there is no plan yet" : "no other version is known";
		return NEXT_REDRAW;
	}
	s->mode = s->mode == SHEET_CHOOSES ? SHEET_READS : SHEET_CHOOSES;
	*s->chosen = (struct table_state){ .is_unsorted = true };
	for (size_t i = 0; i < p->n_versions; i++)
		if (&p->versions[i] == p->to)
			s->chosen->selected = i;
	return NEXT_REDRAW;
}

static enum next choose_action(struct sheet_screen *s, const struct view *v, struct requests *out)
{
	const struct deploy_plan *p = plan(s, v);
	if (p == NULL || p->n_actions == 0 || deploy_refusal(v)[0] != '\0') {
		out->message = deploy_refusal(v)[0] != '\0' ? deploy_refusal(v) : p == NULL ? "there is no plan yet" : "its driver can do nothing else";
		return NEXT_REDRAW;
	}
	s->mode = s->mode == SHEET_ACTS ? SHEET_READS : SHEET_ACTS;
	*s->chosen = (struct table_state){ .is_unsorted = true };
	return NEXT_REDRAW;
}

static enum next again(struct sheet_screen *s, const struct view *v, struct requests *out)
{
	if (deploy_refusal(v)[0] != '\0')
		out->message = deploy_refusal(v);
	else
		ask_plan(s, out);
	return NEXT_REDRAW;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct sheet_screen *s = (struct sheet_screen *)screen;
	(void)argument;
	if (move(s, view, c))
		return NEXT_REDRAW;
	switch ((int)c) {
	case COMMAND_ENTER: return enter(s, view, out);
	case COMMAND_UNFOLD: unfold_all(s); return NEXT_REDRAW;
	case COMMAND_VERSIONS: return choose(s, view, out);
	case COMMAND_ACTIONS: return choose_action(s, view, out);
	case COMMAND_REASON: return write_reason(s);
	case COMMAND_PLAN_AGAIN: return again(s, view, out);
	case COMMAND_BACK:
		if (s->mode != SHEET_CHOOSES && s->mode != SHEET_ACTS)
			return NEXT_IGNORED;
		s->mode = SHEET_READS;
		return NEXT_REDRAW;
	default: return NEXT_IGNORED;
	}
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct sheet_screen *s = (const struct sheet_screen *)screen;
	const struct deploy_plan *p = plan(s, view);
	if (c == COMMAND_ENTER && s->places.n > 0)
		return true;
	if (c == COMMAND_ACTIONS)
		return p != NULL && p->n_actions > 0 && deploy_refusal(view)[0] == '\0';
	if (c == COMMAND_VERSIONS || c == COMMAND_UNFOLD || c == COMMAND_ENTER)
		return p != NULL;
	return c != COMMAND_PLAN_AGAIN || deploy_refusal(view)[0] == '\0';
}

/* ---- life ---- */

static void release(struct screen *screen)
{
	struct sheet_screen *s = (struct sheet_screen *)screen;
	if (s->seen != NULL)
		sheet_lines_release(&s->seen->lines);
	sheet_places_release(&s->places);
	prompt_release(&s->prompt);
	free(s->seen);
	free(s->chosen);
	free(s->unfolded);
	free(s);
}

static const struct screen_kind kind = {
	.name = "SHEET", .context = CONTEXT_SHEET, .draw = draw, .command = command, .key = key, .pace = pace, .shown = shown, .settled = settled,
	.paste = paste, .offers = offers, .update = update, .needs = needs, .free = release,
	.is_over = is_over,
};

static struct sheet_screen *make(void)
{
	struct sheet_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->wish = (struct deploy_wish){ .target = s->target, .version = s->version, .reason = s->reason };
	prompt_init(&s->prompt);
	sheet_places_init(&s->places);
	arming_about(&s->arming, 0, NULL);
	s->seen = calloc(1, sizeof *s->seen);
	s->chosen = calloc(1, sizeof *s->chosen);
	if (s->seen != NULL)
		sheet_lines_init(&s->seen->lines);
	if (s->seen == NULL || s->chosen == NULL) {
		release(&s->screen);
		return NULL;
	}
	return s;
}

struct screen *sheet_screen_new(const struct deploy_wish *w, const char *request, const struct view *v)
{
	struct sheet_screen *s = make();
	if (s == NULL)
		return NULL;
	s->wish.kind = s->kind = w->kind;
	s->wish.alert = w->alert;
	snprintf(s->target, sizeof s->target, "%s", w->target);
	snprintf(s->version, sizeof s->version, "%s", w->version);
	snprintf(s->reason, sizeof s->reason, "%s", w->reason);
	snprintf(s->request, sizeof s->request, "%s", request != NULL ? request : "");
	s->asked_ms = v->now_ms;
	take_person(s, v);
	if (request == NULL)
		ask_who(s);
	return &s->screen;
}

struct screen *sheet_screen_of(int64_t deployment)
{
	struct sheet_screen *s = make();
	if (s == NULL)
		return NULL;
	s->id = deployment;
	return &s->screen;
}
