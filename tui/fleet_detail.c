/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fleet_detail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "tui/signal_look.h"
#include "tui/small_chart.h"
#include "tui/widget_bar.h"

enum {
	ROWS_FOR_SELECTED = 14, ROWS_FOR_WRONG = 21, ROWS_LARGE = 38, COLS_FOR_SELECTED = 40, COLS_FOR_CHARTS = 100,
	GAUGE_COLS = 26, GAUGE_LINES_MAX = 5, CHART_ROWS_MIN = 9,
	CHART_ROWS_ENOUGH = 24, CHART_COLS_MIN = 58, CHARTS_MAX_SHOWN = 12, WRONG_REASON = 60, TITLE_MAX = 1024
};

/* ---- the plan ---- */

static int count_wrong(const struct fleet_view *f)
{
	return f == NULL ? 0 : f->n_by_severity[SEVERITY_WARN] + f->n_by_severity[SEVERITY_CRIT] + f->n_by_severity[SEVERITY_DOWN];
}

static int count_signals(const struct fleet_view *f)
{
	int n = 0;
	for (size_t id = 0; f != NULL && id < SIGNAL_COUNT; id++)
		n += signal_is_shown((enum signal_id)id) && !isnan(f->total[id]);
	return n;
}

static int smaller(int a, int b) { return a < b ? a : b; }
static int larger(int a, int b) { return a > b ? a : b; }

struct fleet_detail_plan fleet_detail_plan(const struct view *view, int rows, int cols, bool as_table, int main_rows)
{
	struct fleet_detail_plan p = { 0 };
	int wrong = count_wrong(view->fleet);
	if (rows < ROWS_FOR_SELECTED || cols < COLS_FOR_SELECTED)
		return p;
	p.selected_rows = rows >= ROWS_LARGE ? 3 : 2;
	/* A table says itself what is wrong. */
	if (rows >= ROWS_FOR_WRONG && !as_table && wrong > 0)
		p.wrong_rows = 1 + smaller(wrong, larger(3, rows / 6));
	int spare = rows - main_rows - p.selected_rows - p.wrong_rows;
	if (spare > 0) {
		int lines = 1 + (count_signals(view->fleet) * GAUGE_COLS + cols - 1) / cols;
		int more = smaller(spare, larger(0, smaller(lines, 1 + GAUGE_LINES_MAX) - p.selected_rows));
		p.selected_rows += more;
		spare -= more;
	}
	bool has_charts = cols >= COLS_FOR_CHARTS && spare >= CHART_ROWS_MIN + 1;
	if (spare > 0 && wrong > 0 && rows >= ROWS_FOR_WRONG) {
		int full = 1 + wrong, room = has_charts ? spare - CHART_ROWS_MIN - 1 : spare;
		int more = smaller(room, larger(0, full - p.wrong_rows));
		if (p.wrong_rows + more >= 2) {
			p.wrong_rows += more;
			spare -= more;
		}
	}
	if (has_charts)
		p.chart_rows = spare;
	p.rows = p.selected_rows + p.wrong_rows + p.chart_rows;
	return p;
}

/* ---- what is selected ---- */

static void selected_title(const struct fleet_row *r, struct buf *title)
{
	const char *model = fleet_row_model(r), *version = fleet_row_version(r);
	buf_puts(title, fleet_row_name(r));
	if (r->node != NULL && model[0] != '\0')
		buf_printf(title, "  %s", model);
	if (version[0] != '\0')
		buf_printf(title, " %s", version);
	if (r->node != NULL && r->node->n_versions > 1)
		buf_printf(title, " +%d", r->node->n_versions - 1);
	if (r->model != NULL)
		buf_printf(title, "  %d nodes", r->model->n_nodes);
}

static void draw_selected_rule(const struct fleet_row *r, struct canvas *c)
{
	struct buf title;
	enum severity s = fleet_row_severity(r);
	const char *reason = fleet_row_reason(r);
	int cols = canvas_region(c).cols;
	buf_init(&title, TITLE_MAX);
	selected_title(r, &title);
	/* Where both do not fit, the reason matters more than the model. */
	if (text_width(buf_text(&title), title.len) + text_width(reason, strlen(reason)) + 7 > cols) {
		buf_clear(&title);
		buf_puts(&title, fleet_row_name(r));
	}
	canvas_rule(c, 0, buf_text(&title), reason[0] != '\0' ? reason : severity_word(s));
	int title_cols = text_width(buf_text(&title), title.len);
	buf_release(&title);
	/* The reason is the one thing on this rule that is about state. */
	int width = text_width(reason, strlen(reason));
	if (s != SEVERITY_OK && width > 0 && cols - 3 - width >= title_cols + 4)
		canvas_set_role(c, (struct rect){ 0, cols - 2 - width, 1, width }, severity_role(s));
}

/* The cause first, then the chosen signal, then the others in their order. */
static enum signal_id nth_signal(const struct view *v, const struct fleet_row *r, size_t *at)
{
	size_t n;
	const enum signal_id *order = signal_order(&n);
	enum signal_id cause = r->node != NULL ? r->node->cause : SIGNAL_COUNT;
	bool has_cause = cause < SIGNAL_COUNT && signal_is_shown(cause);
	while (*at < n + 2) {
		size_t i = (*at)++;
		enum signal_id id = i == 0 ? cause : i == 1 ? v->signal : order[i - 2];
		if ((i == 0 && !has_cause) || (i == 1 && (id == cause || !signal_is_shown(id))) || (i > 1 && (id == cause || id == v->signal)))
			continue;
		if (i < 2 || !isnan(fleet_row_value(r, id)) || fleet_row_history(r, id) != NULL)
			return id;
	}
	return SIGNAL_COUNT;
}

static void draw_selected(const struct view *v, const struct fleet_row *r, int rows, struct canvas *c)
{
	int cols = canvas_region(c).cols, across = larger(1, (cols - 1) / GAUGE_COLS), width = (cols - 1) / across;
	size_t at = 0;
	draw_selected_rule(r, c);
	for (int i = 0; i < across * (rows - 1); i++) {
		enum signal_id id = nth_signal(v, r, &at);
		if (id == SIGNAL_COUNT)
			return;
		bool is_cause = r->node != NULL && r->node->cause == id;
		signal_gauge(c, 1 + i / across, 1 + i % across * width, width - 2, id, fleet_row_value(r, id), fleet_row_history(r, id),
		             is_cause ? severity_role(r->node->severity) : ROLE_COUNT);
	}
}

/* ---- what is wrong ---- */

/* The next of the nodes that are wrong, worst first; *severity and *at say where to go on. NULL: no more. */
static const struct node_row *next_wrong(const struct fleet_view *f, enum severity *severity, size_t *at)
{
	for (; *severity >= SEVERITY_WARN; (*severity)--, *at = 0)
		for (; *at < f->n_nodes; (*at)++)
			if (f->nodes[*at].severity == *severity && f->nodes[*at].seen_ms + f->nodes[*at].n_targets != 0)
				return &f->nodes[(*at)++];
	return NULL;
}

static void draw_wrong_row(const struct node_row *n, int row, struct canvas *c)
{
	int cols = canvas_region(c).cols;
	enum role role = severity_role(n->severity);
	int name = cols < 60 ? 14 : cols < 140 ? 18 : 28, model = cols < 60 ? 0 : cols < 140 ? 14 : 22;
	int col = 1;
	canvas_put_char(c, row, col, role, severity_glyph(n->severity));
	col += 2;
	canvas_put(c, row, col, role, severity_word(n->severity));
	col += 5;
	col += canvas_put_width(c, row, col, name, -1, ROLE_TEXT, n->node) + 1;
	if (model > 0)
		col += canvas_put_width(c, row, col, model, -1, ROLE_SECOND, n->model) + 1;
	int spark = cols < 100 ? 0 : cols < 140 ? HISTORY_POINTS / 3 : HISTORY_POINTS, reason = cols - 1 - col - (spark > 0 ? spark + 1 : 0);
	reason = smaller(reason, WRONG_REASON);
	canvas_put_width(c, row, col, reason, -1, ROLE_TEXT, n->reason);
	if (spark > 0 && n->cause < SIGNAL_COUNT)
		signal_spark(c, row, col + reason + 1, spark, n->cause, n->history[n->cause], n->value[n->cause], role);
}

static void draw_wrong(const struct fleet_view *f, int rows, struct canvas *c)
{
	char note[96];
	const int *n = f->n_by_severity;
	enum severity severity = SEVERITY_DOWN;
	size_t at = 0;
	const struct node_row *node;
	snprintf(note, sizeof note, "%d crit %d warn %d down", n[SEVERITY_CRIT], n[SEVERITY_WARN], n[SEVERITY_DOWN]);
	canvas_rule(c, 0, "what is wrong", note);
	for (int row = 1; row < rows && (node = next_wrong(f, &severity, &at)) != NULL; row++)
		draw_wrong_row(node, row, c);
}

/* ---- charts of the worst ---- */

/* A grid for so many charts, as many of them as have room: none too small to be read, and none so high that it says no more for it. */
struct grid {
	int n, across, down;
};

static int divide_up(int a, int b) { return (a + b - 1) / b; }

static struct grid plan_grid(int n, int rows, int cols)
{
	int across_most = larger(1, cols / CHART_COLS_MIN), down_most = larger(1, rows / CHART_ROWS_MIN);
	struct grid g = { .n = smaller(smaller(n, CHARTS_MAX_SHOWN), across_most * down_most) };
	g.down = smaller(down_most, larger(divide_up(g.n, across_most), smaller(g.n, divide_up(rows, CHART_ROWS_ENOUGH))));
	g.across = g.down > 0 ? divide_up(g.n, g.down) : 0;
	g.down = g.across > 0 ? divide_up(g.n, g.across) : 0;
	return g;
}

/* The last column and row take what does not divide. */
static struct rect grid_place(const struct grid *g, int i, int rows, int cols)
{
	int x = i % g->across, y = i / g->across;
	int left = cols * x / g->across, right = cols * (x + 1) / g->across, top = rows * y / g->down, bottom = rows * (y + 1) / g->down;
	return (struct rect){ top, left, bottom - top, right - left - 1 };
}

static bool model_has_past(const struct view *v, size_t i)
{
	return i < v->fleet->n_models && v->fleet->models[i].history[v->signal] != NULL;
}

static int count_models(const struct view *v)
{
	int n = 0;
	for (size_t i = 0; i < v->fleet->n_models && n < CHARTS_MAX_SHOWN; i++)
		n += model_has_past(v, i);
	return n;
}

static void draw_node_chart(const struct view *v, const struct node_row *n, struct canvas *c)
{
	enum signal_id id = n->cause < SIGNAL_COUNT && signal_is_shown(n->cause) ? n->cause : v->signal;
	const struct mark_filter f = { .nodes = &n->node, .n_nodes = 1, .model = n->model };
	small_chart_draw(c, v, n->node, id, n->history[id], severity_role(n->severity), &f);
}

static void draw_model_chart(const struct view *v, const struct model_row *m, struct canvas *c)
{
	struct buf name;
	buf_init(&name, TITLE_MAX);
	buf_printf(&name, m->n_nodes == 1 ? "%s, %d node" : "%s, %d nodes", m->model[0] != '\0' ? m->model : "no model", m->n_nodes);
	const struct mark_filter f = { .model = m->model };
	small_chart_draw(c, v, buf_text(&name), v->signal, m->history[v->signal], ROLE_SERIES_1, &f);
	buf_release(&name);
}

/* First what is wrong, the worst first, and then, where there is room left, the models by the chosen signal. */
static void draw_charts(const struct view *v, int rows, struct canvas *c)
{
	const struct fleet_view *f = v->fleet;
	int cols = canvas_region(c).cols, wrong = count_wrong(f), models = count_models(v);
	const struct grid grid = plan_grid(wrong + models, rows - 1, cols);
	enum severity severity = SEVERITY_DOWN;
	size_t at = 0, model = 0;
	char note[64];
	snprintf(note, sizeof note, "%s%s by model", wrong > 0 ? "what is wrong, " : "", signal_info(v->signal)->title);
	canvas_rule(c, 0, wrong > 0 ? "the worst" : "by model", grid.n <= wrong ? "by what is wrong" : wrong > 0 ? note : signal_info(v->signal)->title);
	canvas_enter(c, (struct rect){ 1, 0, rows - 1, cols });
	for (int i = 0; i < grid.n; i++) {
		const struct node_row *n = next_wrong(f, &severity, &at);
		canvas_enter(c, grid_place(&grid, i, rows - 1, cols));
		while (n == NULL && model < f->n_models && !model_has_past(v, model))
			model++;
		if (n != NULL)
			draw_node_chart(v, n, c);
		else if (model < f->n_models)
			draw_model_chart(v, &f->models[model++], c);
		canvas_leave(c);
	}
	canvas_leave(c);
}

void fleet_detail_draw(const struct fleet_detail_plan *plan, const struct view *view, const struct fleet_row *selected, struct canvas *c)
{
	int cols = canvas_region(c).cols, row = 0;
	if (plan->rows == 0 || view->fleet == NULL)
		return;
	if (selected != NULL && plan->selected_rows > 0) {
		canvas_enter(c, (struct rect){ row, 0, plan->selected_rows, cols });
		draw_selected(view, selected, plan->selected_rows, c);
		canvas_leave(c);
	}
	row += plan->selected_rows;
	if (plan->wrong_rows > 0) {
		canvas_enter(c, (struct rect){ row, 0, plan->wrong_rows, cols });
		draw_wrong(view->fleet, plan->wrong_rows, c);
		canvas_leave(c);
	}
	row += plan->wrong_rows;
	if (plan->chart_rows > 0) {
		canvas_enter(c, (struct rect){ row, 0, plan->chart_rows, cols });
		draw_charts(view, plan->chart_rows, c);
		canvas_leave(c);
	}
}
