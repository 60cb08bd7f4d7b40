/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sheet_foot.h"

#include <stdio.h>
#include <string.h>

#include "tui/alerts_text.h"
#include "tui/deploys_ask.h"
#include "tui/glyph.h"
#include "tui/paragraph.h"

enum { LABEL_COLS = 8, LONG_MS = 8000 };

/* By the account, for which the system vouches. */
static bool is_same_person(const struct view *v, const struct actor *a)
{
	const char *account = v->person.account != NULL ? v->person.account : "";
	return account[0] != '\0' && a->account[0] != '\0' ? strcmp(account, a->account) == 0
	                                                   : v->person.who != NULL && strcmp(v->person.who, a->who) == 0;
}

const char *sheet_why_not(const struct view *v, const struct deploy_detail *d)
{
	const char *why = "";
	if (d == NULL || d->id == 0)
		return "there is no plan yet";
	if (deploy_refusal(v)[0] != '\0')
		return deploy_refusal(v);
	if (d->plan == NULL)
		return d->plan_why;
	if (plan_is_forbidden(d->plan, &why))
		return why;
	switch (d->at.last.state) {
	case DEPLOYMENT_PLANNED: return "";
	case DEPLOYMENT_WAITING: return is_same_person(v, &d->at.last.actor) ? "you have confirmed it: another person has to, on their own console" : "";
	case DEPLOYMENT_RUNNING:
	case DEPLOYMENT_PAUSED:
	case DEPLOYMENT_STOPPED:
	case DEPLOYMENT_INTERRUPTED:
	case DEPLOYMENT_UNDOING: return "it was confirmed; Enter shows how far it is";
	case DEPLOYMENT_EXPIRED: return "too old: what was found may have changed; n plans again";
	case DEPLOYMENT_DONE:
	case DEPLOYMENT_UNDONE:
	case DEPLOYMENT_ABANDONED:
	case DEPLOYMENT_REFUSED:
	case DEPLOYMENT_STATE_COUNT: break;
	}
	return "it is over; Enter shows what became of it";
}

/* ---- the rows ---- */

static void draw_label(struct canvas *c, int row, const char *label)
{
	canvas_put_width(c, row, 1, LABEL_COLS, -1, ROLE_SECOND, label);
}

static void draw_typed(struct prompt *p, struct canvas *c, int row, int col)
{
	int at_row, at_col, cols = canvas_region(c).cols;
	canvas_enter(c, (struct rect){ row, col, 1, cols - col - 1 });
	prompt_draw(p, c, &at_row, &at_col);
	canvas_add_flags(c, (struct rect){ at_row, at_col, 1, 1 }, CELL_UNDERLINE);
	canvas_leave(c);
}

static void draw_reason(const struct sheet_foot *f, struct prompt *typed, struct canvas *c, int row)
{
	int cols = canvas_region(c).cols;
	if (f->mode == SHEET_WRITES_REASON) {
		draw_label(c, row, "reason");
		draw_typed(typed, c, row, 1 + LABEL_COLS);
		return;
	}
	draw_label(c, row, "reason");
	canvas_put_width(c, row, 2 + LABEL_COLS, cols - LABEL_COLS - 3, -1, f->reason[0] != '\0' ? ROLE_TEXT : ROLE_FAINT,
	                 f->reason[0] != '\0' ? f->reason : "none is given; r writes one");
}

/* What is typed of the name, its end where it is long. */
static void draw_name(const struct arming *a, struct canvas *c, int row)
{
	int cols = canvas_region(c).cols, col = 1;
	col += canvas_printf(c, row, col, ROLE_TITLE, "type %.80s and Enter: ", a->name);
	col += canvas_put(c, row, col, ROLE_TITLE, a->typed);
	canvas_add_flags(c, (struct rect){ row, col < cols - 1 ? col : cols - 1, 1, 1 }, CELL_UNDERLINE);
	if (a->says[0] != '\0')
		canvas_put(c, row, col + 2, ROLE_CRIT, a->says);
}

static void draw_armed(const struct sheet_foot *f, struct canvas *c, int row)
{
	const struct arming *a = f->arming;
	bool is_second = f->detail->at.last.state == DEPLOYMENT_WAITING;
	char text[ALERTS_TEXT];
	int cols = canvas_region(c).cols;
	canvas_put_char(c, row, 1, ROLE_TITLE, GLYPH_PLAY);
	if (a->by_name)
		snprintf(text, sizeof text, "y, then %.60s typed out, %s", a->name, is_second ? "confirms it as the second" : "starts it");
	else
		snprintf(text, sizeof text, "y %s", is_second ? "confirms it as the second" : "starts it");
	canvas_put_width(c, row, 3, cols - 4, -1, ROLE_TITLE, text);
	canvas_add_flags(c, (struct rect){ row, 3, 1, cols - 4 }, CELL_BOLD);
}

static void draw_confirm(const struct sheet_foot *f, struct prompt *typed, struct canvas *c, int row)
{
	const struct arming *a = f->arming;
	int cols = canvas_region(c).cols;
	const char *text = sheet_why_not(f->view, f->detail);
	enum role role = text[0] != '\0' && f->detail != NULL && f->detail->id != 0 && f->detail->at.last.state == DEPLOYMENT_PLANNED ? ROLE_CRIT : ROLE_SECOND;
	if (f->mode == SHEET_ASKS_WHO) {
		int col = 1 + canvas_put(c, row, 1, ROLE_TITLE, "who are you? ");
		draw_typed(typed, c, row, col);
		return;
	}
	if (f->mode == SHEET_WRITES_NUMBER && f->action != NULL) {
		int col = 1 + canvas_printf(c, row, 1, ROLE_TITLE, "%.20s to (0 to %lld): ", f->action->word, (long long)f->action->most);
		draw_typed(typed, c, row, col);
		return;
	}
	if (a->phase == ARMING_ARMED) {
		draw_armed(f, c, row);
		return;
	}
	if (a->phase == ARMING_TYPING) {
		draw_name(a, c, row);
		return;
	}
	if (f->said[0] != '\0') {
		text = f->said;
		role = ROLE_CRIT;
	} else if (f->is_confirmed) {
		text = "confirmed; waiting for the recorder";
	} else if (a->phase == ARMING_HELD) {
		text = "one moment";
	} else if (a->phase == ARMING_RAW) {
		text = a->says[0] != '\0' ? a->says : "read it: it can be confirmed in a moment";
		role = a->says[0] != '\0' ? ROLE_WARN : ROLE_SECOND;
	}
	canvas_put_width(c, row, 1, cols - 2, -1, role, text);
}

static void rule_note(const struct sheet_foot *f, char to[ALERTS_TEXT])
{
	char who[ALERTS_TEXT], age[ALERTS_TEXT];
	const struct deploy_detail *d = f->detail;
	to[0] = '\0';
	if (d == NULL || d->id == 0)
		return;
	if (d->at.last.state == DEPLOYMENT_WAITING)
		snprintf(to, ALERTS_TEXT, "%.60s confirmed %.20s ago, waits for a second person", actor_text(&d->at.last.actor, who),
		         since_text(d->at.last.at_ms, f->view->t_ms, age));
	else if (d->plan != NULL)
		snprintf(to, ALERTS_TEXT, "%splan %.8s", d->plan->takes_two ? "takes two persons  " : "", d->at.row.hash);
}

void sheet_foot_draw(const struct sheet_foot *f, struct prompt *typed, struct canvas *c)
{
	char note[ALERTS_TEXT];
	if (canvas_region(c).rows < 3) {
		if (f->mode == SHEET_WRITES_REASON)
			draw_reason(f, typed, c, 0);
		else
			draw_confirm(f, typed, c, 0);
		return;
	}
	rule_note(f, note);
	canvas_rule(c, 0, "confirm", note[0] != '\0' ? note : NULL);
	draw_reason(f, typed, c, 1);
	draw_confirm(f, typed, c, 2);
}

/* ---- no plan yet ---- */

/* How many nodes the console knows that the target may mean. */
static size_t count_nodes(const struct view *v, const char *target)
{
	size_t n = 0;
	for (size_t i = 0; v->fleet != NULL && i < v->fleet->n_nodes; i++) {
		const struct node_row *r = &v->fleet->nodes[i];
		n += strcmp(r->model, target) == 0 || strcmp(r->node, target) == 0 || strcmp(r->group, target) == 0;
	}
	return n;
}

/* What the last answers of the target's nodes said that they run. */
static int draw_known(const struct view *v, const char *target, struct canvas *c, int row)
{
	enum { SHOWN = 8 };
	const char *seen[SHOWN];
	size_t n_seen = 0;
	for (size_t i = 0; v->fleet != NULL && i < v->fleet->n_nodes && n_seen < SHOWN; i++) {
		const struct node_row *r = &v->fleet->nodes[i];
		bool is_known = r->version[0] == '\0' || (strcmp(r->model, target) != 0 && strcmp(r->node, target) != 0 && strcmp(r->group, target) != 0);
		for (size_t k = 0; k < n_seen && !is_known; k++)
			is_known = strcmp(seen[k], r->version) == 0;
		if (is_known)
			continue;
		seen[n_seen++] = r->version;
		canvas_printf(c, row++, 1, ROLE_TEXT, "runs %.200s", r->version);
	}
	return row;
}

void sheet_waiting_draw(const struct view *v, const struct deploy_detail *d, const char *target, int64_t asked_ms, struct canvas *c)
{
	char age[ALERTS_TEXT];
	int cols = canvas_region(c).cols, row = 0;
	size_t n = count_nodes(v, target);
	if (d != NULL && (d->err != ERR_OK || (d->id != 0 && d->plan == NULL))) {
		row += paragraph_draw(c, row, 1, cols - 2, ROLE_CRIT, d->err != ERR_OK ? "it cannot be planned:" : "the plan cannot be read:");
		paragraph_draw(c, row, 1, cols - 2, ROLE_TEXT, d->err != ERR_OK ? d->why : d->plan_why);
		return;
	}
	if (asked_ms == 0)
		canvas_put(c, row++, 1, ROLE_SECOND, "reading the store");
	else if (n > 0)
		canvas_printf(c, row++, 1, ROLE_SECOND, "asking %zu node%s what runs there and what could  %s", n, n == 1 ? "" : "s",
		              since_text(asked_ms, v->now_ms, age));
	else
		canvas_printf(c, row++, 1, ROLE_SECOND, "asking what runs there and what could  %s", since_text(asked_ms, v->now_ms, age));
	row = draw_known(v, target, c, row);
	if (asked_ms != 0 && v->now_ms - asked_ms > LONG_MS)
		paragraph_draw(c, row + 1, 1, cols - 2, ROLE_WARN,
		               v->recorder == NULL || v->recorder[0] == '\0' ? "nobody records this store: the plan is made once a recorder runs"
		                                                             : "a node that does not answer is waited for until its time limit");
}
