/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet screen: all nodes as a heat map or a table, and below it what is selected and what is wrong. The selection follows a node, not
 * a row: the list is sorted anew with every answer. */
#include "tui/screens.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/deploys_ask.h"
#include "tui/fleet_detail.h"
#include "tui/fleet_map.h"
#include "tui/fleet_rows.h"
#include "tui/fleet_table.h"
#include "tui/heat_scale.h"
#include "tui/view.h"
#include "tui/widget_bar.h"
#include "tui/widget_heat.h"
#include "tui/widget_table.h"

enum { NAME_BYTES = 512, FILTER_BYTES = 128, TAGS_MAX = 4096, LEGEND_ROWS = 1 };
enum { MODEL_COLS_MAX = 16, MODEL_VALUE_COLS = 9 /* of ", " and " 182ms" */ };

/* What drawing finds out and moving needs: the sizes of the parts. A cache, no state. */
struct seen {
	struct map        map;
	int               map_top, map_rows, table_rows, cols;
	struct table_state table;
};

struct fleet_screen {
	struct screen     screen;
	struct fleet_rows rows;
	struct heat_scale scale;
	bool              as_table, by_model, turned, touched; /* touched: the user has moved the selection */
	int               sort;
	size_t            selected;      /* row */
	char              name[NAME_BYTES]; /* of what is selected */
	char              filter[FILTER_BYTES];
	char            **tags;
	size_t            n_tags;
	struct seen      *seen;
};

static const struct fleet_row *selected_row(const struct fleet_screen *f)
{
	return f->selected < f->rows.n ? &f->rows.items[f->selected] : NULL;
}

/* ---- tags ---- */

static size_t tag_find(const struct fleet_screen *f, const char *name)
{
	for (size_t i = 0; i < f->n_tags; i++)
		if (strcmp(f->tags[i], name) == 0)
			return i;
	return SIZE_MAX;
}

static bool is_tagged(const void *ctx, const char *name)
{
	return tag_find(ctx, name) != SIZE_MAX;
}

static void toggle_tag(struct fleet_screen *f, const char *name)
{
	size_t at = tag_find(f, name);
	if (at != SIZE_MAX) {
		free(f->tags[at]);
		f->tags[at] = f->tags[--f->n_tags];
		return;
	}
	if (f->n_tags == TAGS_MAX)
		return;
	char **grown = realloc(f->tags, (f->n_tags + 1) * sizeof *grown);
	if (grown == NULL)
		return;
	f->tags = grown;
	if ((f->tags[f->n_tags] = strdup(name)) != NULL)
		f->n_tags++;
}

/* ---- the list ---- */

static void select_row(struct fleet_screen *f, size_t row)
{
	f->selected = row;
	snprintf(f->name, sizeof f->name, "%s", row < f->rows.n ? fleet_row_name(&f->rows.items[row]) : "");
}

/* The map has its own order, that of the fleet; only the table is sorted. */
static void refill(struct fleet_screen *f, const struct view *view)
{
	bool nodes = !f->as_table || !f->by_model;
	fleet_rows_fill(&f->rows, view->fleet, !nodes, f->filter, f->as_table ? f->sort : FLEET_BY_STATE, f->turned);
	if (!f->as_table)
		fleet_rows_in_fleet_order(&f->rows);
	size_t at = SIZE_MAX;
	for (size_t i = 0; i < f->rows.n && f->touched && at == SIZE_MAX; i++)
		if (strcmp(fleet_row_name(&f->rows.items[i]), f->name) == 0)
			at = i;
	if (at == SIZE_MAX)
		at = f->as_table ? 0 : fleet_rows_worst(&f->rows); /* until the user moves, what is worst is shown */
	select_row(f, at);
	if (!f->as_table)
		heat_scale_update(&f->scale, view->signal, view->fleet, &f->rows);
}

static void update(struct screen *s, const struct view *view)
{
	refill((struct fleet_screen *)s, view);
}

static void filter(struct screen *s, const char *text)
{
	struct fleet_screen *f = (struct fleet_screen *)s;
	snprintf(f->filter, sizeof f->filter, "%s", text);
}

static const char *filtered(const struct screen *s)
{
	return ((const struct fleet_screen *)s)->filter;
}

/* ---- drawing ---- */

/* What the glyphs of the tiles mean, and what the signal is; each as a whole or not at all. */
static void draw_key(struct canvas *c, int col, const struct signal_info *info)
{
	static const enum severity shown[] = { SEVERITY_CRIT, SEVERITY_WARN, SEVERITY_DOWN };
	int cols = canvas_region(c).cols;
	for (size_t i = 0; i < sizeof shown / sizeof shown[0] && col + 2 + (int)strlen(severity_name(shown[i])) <= cols; i++) {
		canvas_put_char(c, 0, col, severity_role(shown[i]), shown[i] == SEVERITY_CRIT ? 'X' : severity_glyph(shown[i]));
		col += 2 + canvas_put(c, 0, col + 2, ROLE_SECOND, severity_name(shown[i])) + 2;
	}
	if (cols > col + (int)strlen(info->sentence))
		canvas_put(c, 0, col, ROLE_FAINT, info->sentence);
}

/* "0%..100%"; or "0.4x..7x usual, ranker 164ms", which is said of the selected node's model: as much of it as there is room for. Half a
 * range would be a wrong one. */
static int draw_range(const struct fleet_screen *f, struct canvas *c, int col, int room)
{
	char range[HEAT_RANGE_SIZE], value[UNIT_TEXT_SIZE];
	double usual = f->scale.is_relative && f->selected < f->scale.n ? f->scale.nodes[f->selected].usual : (double)NAN;
	heat_scale_range(&f->scale, range);
	int used = text_width(range, strlen(range));
	if (used > room)
		return 0;
	canvas_put(c, 0, col, ROLE_SECOND, range);
	if (!f->scale.is_relative || used + 6 > room)
		return used;
	used += canvas_put(c, 0, col + used, ROLE_SECOND, " usual");
	if (isnan(usual))
		return used;
	const char *name = f->scale.usual.n > 1 ? usual_name(f->rows.items[f->selected].node) : "";
	int width = text_width(name, strlen(name)), most = room - used - MODEL_VALUE_COLS;
	width = width > MODEL_COLS_MAX ? MODEL_COLS_MAX : width;
	if (name[0] != '\0' && width <= most) {
		used += canvas_put(c, 0, col + used, ROLE_SECOND, ", ");
		used += canvas_put_width(c, 0, col + used, width, -1, ROLE_SECOND, name);
	} else if (name[0] != '\0' || most < 0) {
		return used;
	}
	return used + canvas_printf(c, 0, col + used, ROLE_SECOND, " %s", unit_format(signal_info(f->scale.signal)->unit, usual, 6, value));
}

static void draw_legend(const struct fleet_screen *f, const struct view *view, struct canvas *c)
{
	const struct signal_info *info = signal_info(view->signal);
	int cols = canvas_region(c).cols, col = 1 + canvas_put(c, 0, 1, ROLE_TITLE, info->title) + 1;
	char text[FILTER_BYTES + 32] = "";
	if (f->filter[0] != '\0')
		snprintf(text, sizeof text, "/%s (%zu)", f->filter, f->rows.n);
	int filter_cols = text_width(text, strlen(text));
	col += heat_scale_draw(c, 0, col) + 1;
	int range = draw_range(f, c, col, cols - col - (filter_cols > 0 ? filter_cols + 2 : 0));
	col += range > 0 ? range + 2 : 0;
	if (filter_cols > 0)
		canvas_put(c, 0, col, ROLE_MATCH, text);
	else
		draw_key(c, col, info);
}

static void draw_map(const struct fleet_screen *f, const struct view *view, struct canvas *c, struct rect r)
{
	struct seen *seen = f->seen;
	canvas_enter(c, r);
	draw_legend(f, view, c);
	canvas_leave(c);
	r.row++;
	r.rows--;
	seen->map_rows = r.rows;
	if (seen->map.n != f->rows.n || f->scale.n < f->rows.n)
		return; /* out of memory: there will be another frame */
	int at = f->selected < seen->map.n ? seen->map.places[f->selected].row : 0;
	if (at < seen->map_top)
		seen->map_top = at;
	if (at >= seen->map_top + r.rows)
		seen->map_top = at - r.rows + 1;
	if (seen->map_top > seen->map.rows - r.rows)
		seen->map_top = seen->map.rows > r.rows ? seen->map.rows - r.rows : 0;
	canvas_enter(c, (struct rect){ r.row, 1, r.rows, r.cols - 1 });
	map_draw(&seen->map, c, &f->rows, &f->scale, f->selected, is_tagged, f, seen->map_top);
	canvas_leave(c);
}

static void draw_table(const struct fleet_screen *f, const struct view *view, struct canvas *c, struct rect r)
{
	struct seen *seen = f->seen;
	seen->table_rows = r.rows - 1;
	seen->table.selected = f->selected;
	canvas_enter(c, r);
	const struct fleet_table t = { .rows = &f->rows, .view = view, .by_model = f->by_model, .sort = f->sort, .turned = f->turned,
		                       .is_tagged = is_tagged, .tags = f };
	fleet_table_draw(&t, &seen->table, c);
	canvas_leave(c);
}

static void draw_nothing(const struct fleet_screen *f, const struct view *view, struct canvas *c)
{
	struct rect r = canvas_region(c);
	const char *text = view->fleet == NULL          ? "reading the store"
	                   : f->filter[0] != '\0'       ? "nothing matches the filter; / changes it"
	                   : view->fleet->n_nodes == 0  ? "no target is polled at this time"
	                                                : "";
	canvas_put_width(c, r.rows / 2, 0, r.cols, 0, ROLE_SECOND, text);
	if (view->fleet == NULL || view->fleet->n_nodes > 0 || view->mode != VIEW_LIVE || r.rows < 8)
		return;
	canvas_put_width(c, r.rows / 2 + 2, 0, r.cols, 0, ROLE_SECOND, "without a fleet file, what answers on this machine's well-known ports is shown");
	canvas_put_width(c, r.rows / 2 + 3, 0, r.cols, 0, ROLE_SECOND, "man pitwall-fleet: how to name servers    pitwall demo: a simulated fleet");
}

/* The map takes the largest tiles for which the detail leaves it room, and the detail then what the map leaves over. */
static struct fleet_detail_plan make_plan(const struct fleet_screen *f, const struct view *view, struct rect all)
{
	if (f->as_table)
		return fleet_detail_plan(view, all.rows, all.cols, true, f->rows.n < (size_t)all.rows ? (int)f->rows.n + 1 : all.rows);
	struct fleet_detail_plan plan = fleet_detail_plan(view, all.rows, all.cols, false, all.rows);
	map_fill(&f->seen->map, &f->rows, all.rows - plan.rows - LEGEND_ROWS, all.cols - 1);
	return fleet_detail_plan(view, all.rows, all.cols, false, f->seen->map.rows + LEGEND_ROWS);
}

static void draw(const struct screen *s, const struct view *view, struct canvas *c)
{
	const struct fleet_screen *f = (const struct fleet_screen *)s;
	struct rect all = canvas_region(c);
	f->seen->cols = all.cols;
	if (f->rows.n == 0) {
		draw_nothing(f, view, c);
		return;
	}
	struct fleet_detail_plan plan = make_plan(f, view, all);
	struct rect main = { 0, 0, all.rows - plan.rows, all.cols };
	if (f->as_table)
		draw_table(f, view, c, main);
	else
		draw_map(f, view, c, main);
	canvas_enter(c, (struct rect){ main.rows, 0, plan.rows, all.cols });
	fleet_detail_draw(&plan, view, selected_row(f), c);
	canvas_leave(c);
}

/* ---- commands ---- */

static enum next open_selected(struct fleet_screen *f, const struct view *view, struct requests *out)
{
	const struct fleet_row *row = selected_row(f);
	if (row == NULL)
		return NEXT_STAY;
	if (row->node != NULL) {
		out->push = node_screen_new(row->node->node);
		return NEXT_REDRAW;
	}
	/* A model opens as the list of its nodes. */
	snprintf(f->filter, sizeof f->filter, "%s", row->model->model);
	f->by_model = false;
	f->touched = false;
	refill(f, view);
	return NEXT_REDRAW;
}

static enum next chart_selected(struct fleet_screen *f, const struct view *view, struct requests *out)
{
	const struct fleet_row *row = selected_row(f);
	if (f->n_tags > 0) {
		out->push = chart_screen_of_signal(view->signal, (const char *const *)f->tags, f->n_tags);
	} else if (row != NULL && row->node != NULL) {
		const char *name = row->node->node;
		out->push = chart_screen_of_signal(view->signal, &name, 1);
	} else {
		out->push = chart_screen_of_signal(view->signal, NULL, 0);
	}
	return NEXT_REDRAW;
}

/* Names of the tagged nodes with commas between; tags of models are not of them. False: there is no room for all. */
static bool put_tagged(const struct fleet_screen *f, const struct view *view, struct buf *to)
{
	for (size_t i = 0; view->fleet != NULL && i < view->fleet->n_nodes; i++) {
		const char *name = view->fleet->nodes[i].node;
		bool is_again = i > 0 && strcmp(view->fleet->nodes[i - 1].node, name) == 0;
		if (!is_again && is_tagged(f, name))
			buf_printf(to, "%s%s", to->len > 0 ? "," : "", name);
	}
	return to->err == ERR_OK;
}

/* Of the nodes that are tagged, else of the node, else of the model. */
static enum next deploy_selected(const struct fleet_screen *f, const struct view *view, enum command c, struct requests *out)
{
	const struct fleet_row *row = selected_row(f);
	struct buf tagged;
	buf_init(&tagged, REQUEST_TARGET_MAX);
	bool has_room = put_tagged(f, view, &tagged);
	if (!has_room)
		out->message = "too many nodes are tagged: name their group or model, or tag fewer";
	if (!has_room || tagged.len > 0) {
		enum next n = has_room ? deploy_command(c, view, &(struct deploy_wish){ .target = buf_text(&tagged), .version = "", .reason = "" }, out) : NEXT_REDRAW;
		buf_release(&tagged);
		return n;
	}
	buf_release(&tagged);
	if (row == NULL)
		return NEXT_STAY;
	const struct deploy_wish w = { .target = row->node != NULL ? row->node->node : row->model->model, .version = "", .reason = "" };
	return deploy_command(c, view, &w, out);
}

static void next_sort(struct fleet_screen *f, const struct view *view, int direction)
{
	for (int i = 0; i < FLEET_BY_VERSION + 1; i++) {
		f->sort = (f->sort + direction + FLEET_BY_VERSION + 1) % (FLEET_BY_VERSION + 1);
		if (f->sort >= SIGNAL_COUNT || (fleet_table_has(f->sort) && view->fleet != NULL && !isnan(view->fleet->total[f->sort])))
			return;
	}
}

static bool move(struct fleet_screen *f, enum command c)
{
	size_t to = f->selected;
	if (!f->as_table) {
		if (c != COMMAND_LEFT && c != COMMAND_RIGHT && c != COMMAND_UP && c != COMMAND_DOWN && c != COMMAND_PAGE_UP &&
		    c != COMMAND_PAGE_DOWN && c != COMMAND_FIRST && c != COMMAND_LAST)
			return false;
		to = map_move(&f->seen->map, f->selected, c);
	} else {
		f->seen->table.selected = f->selected;
		if (!table_command(&f->seen->table, c, f->rows.n, f->seen->table_rows))
			return false;
		to = f->seen->table.selected;
	}
	f->touched = true;
	select_row(f, to);
	return true;
}

/* Back takes away what narrows the list, one thing at a time; there is nothing to back out of below that. */
static enum next back(struct fleet_screen *f)
{
	if (f->filter[0] == '\0' && f->n_tags == 0)
		return NEXT_IGNORED;
	if (f->filter[0] != '\0')
		f->filter[0] = '\0';
	else
		while (f->n_tags > 0)
			free(f->tags[--f->n_tags]);
	return NEXT_REDRAW;
}

static enum next command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct fleet_screen *f = (struct fleet_screen *)s;
	(void)argument;
	if (move(f, c))
		return NEXT_REDRAW;
	if (c == COMMAND_ENTER)
		return open_selected(f, view, out);
	if (c == COMMAND_VIEW_CHART)
		return chart_selected(f, view, out);
	if (c == COMMAND_ROLLBACK || c == COMMAND_REDEPLOY)
		return deploy_selected(f, view, c, out);
	enum next n = NEXT_REDRAW;
	if (c == COMMAND_TOGGLE) {
		f->as_table = !f->as_table;
	} else if (c == COMMAND_BY_MODEL) {
		f->by_model = !f->by_model;
		f->as_table = true;
		f->touched = false;
	} else if (c == COMMAND_SORT || c == COMMAND_SORT_BACK) {
		next_sort(f, view, c == COMMAND_SORT ? 1 : -1);
		f->as_table = true;
	} else if (c == COMMAND_SORT_TURN) {
		f->turned = !f->turned;
	} else if (c == COMMAND_TAG && selected_row(f) != NULL) {
		toggle_tag(f, f->name);
		move(f, f->as_table ? COMMAND_DOWN : COMMAND_RIGHT);
	} else if (c == COMMAND_BACK) {
		n = back(f);
	} else {
		return NEXT_IGNORED;
	}
	refill(f, view);
	return n;
}

/* A click on a title sorts by that column, and again turns the order round. */
static enum next sort_at(struct fleet_screen *f, const struct view *view, int col)
{
	const struct fleet_table t = { .rows = &f->rows, .view = view, .by_model = f->by_model, .sort = f->sort, .turned = f->turned };
	int sort = fleet_table_sort_at(&t, f->seen->cols, col);
	if (sort < 0)
		return NEXT_IGNORED;
	f->turned = sort == f->sort && !f->turned;
	f->sort = sort;
	refill(f, view);
	return NEXT_REDRAW;
}

/* The fleet's row at a place of the screen, SIZE_MAX for none: not what would be there if the list or map went on below its part. */
static size_t row_at(const struct fleet_screen *f, int row, int col)
{
	const struct seen *seen = f->seen;
	int first = f->as_table ? 1 : LEGEND_ROWS, rows = f->as_table ? seen->table_rows : seen->map_rows;
	if (row < first || row - first >= rows)
		return SIZE_MAX;
	return f->as_table ? table_row_at(&seen->table, f->rows.n, row) : map_at(&seen->map, row - first + seen->map_top, col - 1);
}

static enum next mouse(struct screen *s, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct fleet_screen *f = (struct fleet_screen *)s;
	size_t hit = row_at(f, row, col);
	if (button == 0 && f->as_table && row == 0)
		return sort_at(f, view, col);
	if (button != 0 || hit == SIZE_MAX)
		return NEXT_IGNORED;
	bool again = f->touched && hit == f->selected;
	f->touched = true;
	select_row(f, hit);
	return again ? open_selected(f, view, out) : NEXT_REDRAW;
}

/* ---- life ---- */

static void release(struct screen *s)
{
	struct fleet_screen *f = (struct fleet_screen *)s;
	fleet_rows_release(&f->rows);
	heat_scale_release(&f->scale);
	for (size_t i = 0; i < f->n_tags; i++)
		free(f->tags[i]);
	free(f->tags);
	map_release(&f->seen->map);
	free(f->seen);
	free(f);
}

static const struct screen_kind kind = {
	.name = "FLEET", .context = CONTEXT_FLEET, .draw = draw, .command = command, .mouse = mouse, .update = update, .filter = filter,
	.filtered = filtered, .free = release,
};

struct screen *fleet_screen_new(void)
{
	struct fleet_screen *f = calloc(1, sizeof *f);
	struct seen *seen = calloc(1, sizeof *seen);
	if (f == NULL || seen == NULL) {
		free(f);
		free(seen);
		return NULL;
	}
	f->screen.kind = &kind;
	f->seen = seen;
	f->sort = FLEET_BY_STATE;
	return &f->screen;
}
