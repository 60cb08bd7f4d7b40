/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/run_panes.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "tui/alerts_text.h"
#include "tui/deploys_text.h"
#include "tui/glyph.h"
#include "tui/paragraph.h"
#include "tui/run_curves.h"

enum { ROWS_FOR_WAVES = 12, ROWS_FOR_LOG = 9, WAVES_MOST = 6, MAP_MOST = 6, GATE_MOST = 4, WHY_MOST = 3, LABEL_COLS = 16, NUMBERS_COLS = 27, WIDE = 110 };

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* ---- head ---- */

static int draw_head(const struct run_pane_data *d, struct canvas *c)
{
	const struct deployment_at *at = &d->detail->at;
	char right[ALERTS_TEXT] = "", who[ALERTS_TEXT], age[ALERTS_TEXT], by[ALERTS_TEXT];
	int cols = canvas_region(c).cols, rows = canvas_region(c).rows, col = 1;
	struct buf name;
	if (d->progress != NULL && d->detail->plan->n_waves > 0 && deployment_is_active(at->last.state))
		snprintf(right, sizeof right, "wave %zu of %zu", d->progress->wave + (d->progress->wave < d->detail->plan->n_waves), d->detail->plan->n_waves);
	int room = cols - (int)strlen(right) - 3;
	buf_init(&name, 512);
	deploy_name(&at->row, &name);
	canvas_enter(c, (struct rect){ 0, 0, 1, room > 10 ? room : cols });
	col += canvas_put(c, 0, col, ROLE_TITLE, buf_text(&name));
	canvas_add_flags(c, (struct rect){ 0, 1, 1, col - 1 }, CELL_BOLD);
	col += canvas_printf(c, 0, col, ROLE_TEXT, "  %.100s -> %.100s", at->row.from[0] != '\0' ? at->row.from : "?", at->row.to[0] != '\0' ? at->row.to : "?");
	snprintf(by, sizeof by, "  by %.240s", actor_text(&at->row.actor, who));
	if (col + (int)strlen(by) <= canvas_region(c).cols)
		canvas_put(c, 0, col, ROLE_SECOND, by);
	else
		canvas_put_width(c, 0, col, canvas_region(c).cols - col, -1, ROLE_SECOND, by);
	canvas_leave(c);
	if (room > 10)
		canvas_put(c, 0, cols - (int)strlen(right) - 1, ROLE_SECOND, right);
	buf_release(&name);
	if (rows < 2)
		return 1;
	canvas_put_char(c, 1, 1, deploy_role(at->last.state), deploy_glyph(at->last.state));
	col = 3 + canvas_printf(c, 1, 3, deploy_role(at->last.state), "%s for %s", deployment_state_name(at->last.state),
	                        since_text(at->last.at_ms, d->view->t_ms, age));
	if (at->last.text[0] == '\0')
		return 2;
	if (rows < ROWS_FOR_WAVES || col + 2 + text_width(at->last.text, strlen(at->last.text)) < cols) {
		canvas_printf(c, 1, col, ROLE_TEXT, ": %.800s", at->last.text);
		return 2;
	}
	canvas_enter(c, (struct rect){ 2, 0, WHY_MOST, cols });
	int why = paragraph_draw(c, 0, 3, cols - 4, ROLE_TEXT, at->last.text);
	canvas_leave(c);
	return 2 + smaller(why, WHY_MOST);
}

/* ---- waves ---- */

static void draw_bar(struct canvas *c, int row, int col, int cols, const struct wave_progress *w)
{
	int done = w->n > 0 ? (int)((double)cols * (double)w->n_done / (double)w->n) : 0;
	int failed = w->n > 0 ? (int)ceil((double)cols * (double)w->n_failed / (double)w->n) : 0;
	if (cols < 4)
		return;
	failed = smaller(failed, cols - done);
	canvas_fill(c, (struct rect){ row, col, 1, cols }, ROLE_FAINT, GLYPH_SHADE);
	canvas_fill(c, (struct rect){ row, col, 1, done }, ROLE_OK, GLYPH_FULL);
	canvas_fill(c, (struct rect){ row, col + done, 1, failed }, ROLE_CRIT, canvas_is_mono(c) ? 'X' : GLYPH_FULL);
}

static const char *gate_word(const struct wave_progress *w)
{
	static const char *const words[] = { [WAVE_GATE_NONE] = "", [WAVE_GATE_LOOKING] = "gate", [WAVE_GATE_PASSED] = "passed", [WAVE_GATE_FAILED] = "FAILED", [WAVE_GATE_ACCEPTED] = "accepted" };
	return words[w->gate];
}

static void draw_wave(const struct run_pane_data *d, size_t i, struct canvas *c, int row)
{
	const struct wave_progress *w = &d->progress->waves[i];
	char eta[DURATION_TEXT] = "-", age[DURATION_TEXT], label[64];
	int cols = canvas_region(c).cols;
	bool is_over = w->is_over, is_now = i == d->progress->wave && deployment_is_active(d->detail->at.last.state);
	enum role role = w->gate == WAVE_GATE_FAILED || w->n_failed > 0 ? ROLE_CRIT : is_over ? ROLE_OK : is_now ? ROLE_INFO : ROLE_FAINT;
	canvas_put_char(c, row, 1, role, w->gate == WAVE_GATE_FAILED ? GLYPH_SQUARE : is_over ? GLYPH_DOT : is_now ? GLYPH_PLAY : ' ');
	snprintf(label, sizeof label, "%zu %s%s", i + 1, i == 0 && w->n == 1 && d->detail->plan->n_waves > 1 ? "canary " : "", gate_word(w));
	canvas_put_width(c, row, 3, LABEL_COLS, -1, i == d->wave ? ROLE_TITLE : ROLE_TEXT, label);
	draw_bar(c, row, 4 + LABEL_COLS, cols - LABEL_COLS - NUMBERS_COLS - 6, w);
	enum deployment_state state = d->detail->at.last.state;
	if (w->left_ms >= 0 && state != DEPLOYMENT_UNDOING && !deployment_is_over(state))
		snprintf(eta, sizeof eta, "%s", w->left_ms < 1000 ? "0s" : format_age(w->left_ms / 1000 * 1000, age));
	canvas_printf(c, row, cols - NUMBERS_COLS - 1, ROLE_TEXT, "%5zu %5zu %5zu %8s", w->n_done, w->n_failed, w->n_left, eta);
	if (i == d->wave)
		canvas_set_ground(c, (struct rect){ row, 0, 1, cols }, ROLE_SELECTED);
}

/* Of many waves those around the one that is shown. */
static void draw_waves(const struct run_pane_data *d, struct canvas *c)
{
	int rows = canvas_region(c).rows - 1, n = (int)d->detail->plan->n_waves, top = (int)d->wave - rows / 2;
	top = top > n - rows ? n - rows : top;
	top = top < 0 ? 0 : top;
	canvas_rule(c, 0, "waves", " done  fail  left      eta");
	for (int i = 0; i < rows && top + i < n; i++)
		draw_wave(d, (size_t)(top + i), c, 1 + i);
}

/* ---- nodes ---- */

static const struct {
	uint32_t    glyph;
	enum role   role;
	const char *word;
} looks[] = {
	[UNIT_WAITS] = { GLYPH_SHADE, ROLE_FAINT, "waits" },    [UNIT_LEFT_OUT] = { '-', ROLE_FAINT, "left out" }, [UNIT_GOING] = { GLYPH_PLAY, ROLE_INFO, "" },
	[UNIT_DONE] = { GLYPH_DOT, ROLE_OK, "done" },           [UNIT_FAILED] = { GLYPH_SQUARE, ROLE_CRIT, "failed" },
	[UNIT_UNDOING] = { GLYPH_DOWN, ROLE_WARN, "undoing" },  [UNIT_UNDONE] = { 'u', ROLE_SECOND, "put back" },
};
static_assert(sizeof looks / sizeof looks[0] == UNIT_STATE_COUNT, "a row for every state");

/* Tiles in rows; which rows are seen follows the selection. */
static void draw_map(struct run_panes *p, const struct run_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	size_t n, first = plan_wave_units(d->detail->plan, d->wave, &n);
	int pitch = all.cols >= WIDE ? 2 : 1, cols = (all.cols - 2) / pitch;
	cols = cols < 1 ? 1 : cols;
	p->map_cols = cols;
	int rows = ((int)n + cols - 1) / cols, at = d->unit >= first && d->unit < first + n ? (int)(d->unit - first) / cols : 0;
	int top = at >= all.rows ? at - all.rows + 1 : 0;
	for (int row = 0; row < all.rows && top + row < rows; row++)
		for (int col = 0; col < cols; col++) {
			size_t i = (size_t)(top + row) * (size_t)cols + (size_t)col;
			if (i >= n)
				break;
			enum unit_state s = d->progress->units[first + i].state;
			canvas_put_char(c, row, 1 + col * pitch, looks[s].role, looks[s].glyph);
			if (first + i == d->unit)
				canvas_add_flags(c, (struct rect){ row, 1 + col * pitch, 1, 1 }, CELL_REVERSE);
		}
}

/* The selected node: what it does now, how far that is. */
static void draw_unit(const struct run_pane_data *d, struct canvas *c, int row)
{
	char text[ALERTS_TEXT];
	int cols = canvas_region(c).cols, col = 1;
	if (d->unit >= d->detail->plan->n_units)
		return;
	const struct plan_unit *pu = &d->detail->plan->units[d->unit];
	const struct unit_progress *u = &d->progress->units[d->unit];
	canvas_put_char(c, row, col, looks[u->state].role, looks[u->state].glyph);
	col += 2 + canvas_put(c, row, col + 2, ROLE_TITLE, pu->unit.name) + 2;
	if (u->state == UNIT_LEFT_OUT) {
		canvas_put(c, row, col, ROLE_SECOND, pu->is_same ? "runs it already" : pu->skipped);
		return;
	}
	col += canvas_printf(c, row, col, looks[u->state].role, "%s", looks[u->state].word);
	if (u->step == NULL)
		return;
	if (looks[u->state].word[0] != '\0')
		col += 2;
	col += canvas_put(c, row, col, ROLE_TEXT, u->step->title) + 1;
	if (u->step->state == STEP_BEGUN && isfinite(u->step->progress))
		col += canvas_printf(c, row, col, ROLE_INFO, "%.0f%% ", 100 * fmin(fmax(u->step->progress, 0), 1));
	if (u->step->state == STEP_BEGUN)
		col += canvas_printf(c, row, col, ROLE_SECOND, "%s ", since_text(u->step->began_ms, d->view->t_ms, text));
	if (col + 4 < cols)
		canvas_put_width(c, row, col, cols - col - 1, -1, ROLE_SECOND, u->step->text);
}

static void gate_title(const struct run_pane_data *d, char to[ALERTS_TEXT])
{
	const struct fleet_gate *g = &d->detail->plan->gate;
	char soak[DURATION_TEXT];
	size_t n = (size_t)snprintf(to, ALERTS_TEXT, "gate: ");
	if (g->latency_ratio > 0)
		n += (size_t)snprintf(to + n, ALERTS_TEXT - n, "p99 <= %gx, ", g->latency_ratio);
	if (g->error_add > 0)
		n += (size_t)snprintf(to + n, ALERTS_TEXT - n, "errors <= +%g%%, ", g->error_add * 100);
	snprintf(to + n, ALERTS_TEXT - n, "%s", format_duration(g->soak_ms, soak));
}

static int map_rows(const struct run_pane_data *d, int cols)
{
	size_t n;
	plan_wave_units(d->detail->plan, d->wave, &n);
	int per_row = (cols - 2) / (cols >= WIDE ? 2 : 1);
	return per_row > 0 ? smaller(((int)smaller((int)n, 100000) + per_row - 1) / per_row, MAP_MOST) : 1;
}

/* ---- the gate ---- */

static const char *gate_text(const struct run_pane_data *d)
{
	const struct deployment_step *s = d->progress->waves[d->wave].gate_step;
	return s != NULL ? s->text : "";
}

static int gate_rows(const struct run_pane_data *d)
{
	int n = 0;
	for (const char *p = gate_text(d); *p != '\0' && n < GATE_MOST; n++) {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return n;
}

static void draw_gate(const struct run_pane_data *d, struct canvas *c, int row, int rows)
{
	const char *p = gate_text(d);
	enum wave_gate g = d->progress->waves[d->wave].gate;
	char line[1024];
	int cols = canvas_region(c).cols;
	for (int i = 0; i < rows && *p != '\0'; i++) {
		size_t n = strcspn(p, "\n");
		snprintf(line, sizeof line, "%s%.*s", i == 0 ? "gate " : "     ", (int)(n < 1000 ? n : 1000), p);
		canvas_put_width(c, row + i, 1, cols - 2, -1, g == WAVE_GATE_FAILED ? ROLE_CRIT : g == WAVE_GATE_PASSED ? ROLE_OK : ROLE_TEXT, line);
		p += n + (p[n] == '\n');
	}
}

/* ---- the log ---- */

/* Steps and changes, newest first. */
struct run_line {
	int64_t     at_ms;
	enum role   role;
	uint32_t    glyph;
	const char *unit, *title, *text, *word;
};

static struct run_line line_of_step(const struct deployment_step *s)
{
	bool is_bad = s->state == STEP_FAILED || s->state == STEP_GATE_FAILED;
	bool is_gate = s->unit[0] == '\0';
	return (struct run_line){ .at_ms = s->ended_ms != 0 ? s->ended_ms : s->began_ms, .unit = is_gate ? "gate" : s->unit,
		                  .role = is_bad ? ROLE_CRIT : s->state == STEP_BEGUN ? ROLE_INFO : s->state == STEP_SKIPPED ? ROLE_SECOND : ROLE_OK,
		                  .glyph = is_bad ? GLYPH_SQUARE : s->state == STEP_BEGUN ? GLYPH_PLAY : GLYPH_DOT,
		                  .word = is_gate || s->state != STEP_SKIPPED ? "" : "skipped ", .title = is_gate ? "" : s->title, .text = s->text };
}

static struct run_line line_of_change(const struct deployment_change *ch)
{
	return (struct run_line){ .at_ms = ch->at_ms, .role = deploy_role(ch->state), .glyph = deploy_glyph(ch->state), .unit = deployment_state_name(ch->state),
		                  .title = ch->actor.who, .text = ch->text, .word = ch->actor.who[0] != '\0' ? "by " : "" };
}

/* The i-th of both, merged: steps in the order in which they were begun, changes by their times. */
static void draw_log(struct run_panes *p, const struct run_pane_data *d, struct canvas *c)
{
	const struct deploy_detail *t = d->detail;
	int rows = canvas_region(c).rows, cols = canvas_region(c).cols, n = (int)(t->n_steps + t->n_changes);
	char when[ALERTS_TEXT], first[1024];
	p->log_top = p->log_top > n - rows ? n - rows : p->log_top;
	p->log_top = p->log_top < 0 ? 0 : p->log_top;
	size_t step = t->n_steps, change = t->n_changes;
	for (int i = 0; i < p->log_top + rows && step + change > 0; i++) {
		bool is_step = change == 0 || (step > 0 && t->steps[step - 1].began_ms >= t->changes[change - 1].at_ms);
		const struct run_line l = is_step ? line_of_step(&t->steps[--step]) : line_of_change(&t->changes[--change]);
		int row = i - p->log_top, col;
		if (row < 0)
			continue;
		col = 1 + canvas_put(c, row, 1, ROLE_SECOND, moment_text(l.at_ms, d->view->t_ms, when)) + 1;
		canvas_put_char(c, row, col, l.role, l.glyph);
		col += 2 + canvas_put(c, row, col + 2, ROLE_TEXT, l.unit) + 1;
		col += canvas_printf(c, row, col, ROLE_SECOND, "%s%s", l.word, l.title);
		snprintf(first, sizeof first, "%.*s", (int)strcspn(l.text, "\n"), l.text);
		if (first[0] != '\0' && col + 4 < cols)
			canvas_put_width(c, row, col + 1, cols - col - 2, -1, l.role == ROLE_CRIT ? ROLE_CRIT : ROLE_SECOND, first);
	}
}

/* ---- all ---- */

static void draw_nodes(struct run_panes *p, const struct run_pane_data *d, int rows, struct canvas *c)
{
	char title[ALERTS_TEXT], note[ALERTS_TEXT];
	size_t n;
	plan_wave_units(d->detail->plan, d->wave, &n);
	snprintf(title, sizeof title, "wave %zu: %zu node%s", d->wave + 1, n, n == 1 ? "" : "s");
	gate_title(d, note);
	canvas_rule(c, 0, title, canvas_region(c).cols >= 60 ? note : NULL);
	canvas_enter(c, (struct rect){ 1, 0, rows, canvas_region(c).cols });
	draw_map(p, d, c);
	canvas_leave(c);
	draw_unit(d, c, 1 + rows);
}

static void draw_log_pane(struct run_panes *p, const struct run_pane_data *d, int row, struct canvas *c)
{
	struct rect all = canvas_region(c);
	if (all.rows - row < 2)
		return;
	canvas_rule(c, row, "log", all.cols >= 60 ? "PgUp PgDn" : NULL);
	canvas_enter(c, (struct rect){ row + 1, 0, all.rows - row - 1, all.cols });
	draw_log(p, d, c);
	canvas_leave(c);
}

void run_panes_draw(struct run_panes *p, const struct run_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	int row = draw_head(d, c);
	if (d->progress == NULL || d->detail->plan->n_waves == 0) {
		if (all.rows > row)
			paragraph_draw(c, row++, 1, all.cols - 2, ROLE_WARN, d->progress == NULL ? d->detail->plan_why : "nothing is to be done");
		draw_log_pane(p, d, row, c);
		return;
	}
	if (all.rows >= ROWS_FOR_WAVES) {
		int waves = 1 + smaller((int)d->detail->plan->n_waves, all.rows >= 30 ? 2 * WAVES_MOST : WAVES_MOST);
		canvas_enter(c, (struct rect){ row, 0, waves, all.cols });
		draw_waves(d, c);
		canvas_leave(c);
		row += waves;
	} else if (all.rows > row) {
		draw_wave(d, d->wave, c, row++);
	}
	if (all.rows >= ROWS_FOR_LOG) {
		int map = smaller(map_rows(d, all.cols), all.rows >= ROWS_FOR_WAVES ? MAP_MOST : 1);
		canvas_enter(c, (struct rect){ row, 0, map + 2, all.cols });
		draw_nodes(p, d, map, c);
		canvas_leave(c);
		row += map + 2;
	} else if (all.rows > row) {
		draw_unit(d, c, row++);
	}
	int gate = smaller(gate_rows(d), all.rows - row - (all.rows >= ROWS_FOR_LOG ? 2 : 0));
	if (gate > 0) {
		draw_gate(d, c, row, gate);
		row += gate;
	}
	if (gate > 0 && all.rows - row > 2)
		row += run_curves_draw(d->detail->plan, d->wave, d->view->fleet, c, row);
	draw_log_pane(p, d, row, c);
}
