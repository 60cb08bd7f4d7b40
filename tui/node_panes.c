/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_panes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "tui/fleet_rows.h"
#include "tui/glyph.h"
#include "tui/gpu_table.h"
#include "tui/node_host.h"
#include "tui/node_services.h"
#include "tui/node_tables.h"
#include "tui/signal_look.h"
#include "tui/small_chart.h"
#include "tui/widget_bar.h"
#include "tui/widget_spark.h"

enum {
	COLS_TWO = 120, COLS_THREE = 180, COLUMNS_MAX = 3, CHART_ROWS_MIN = 8, PANE_LEAST = 2, OPENED_LEAST = 5, FOCUS_LEAST = 8, URGENT_MOST = 4,
	EVENTS_BESIDE_CHART = 4, MORE_CHART_ROWS = 10, ROWS_FOR_PROCESSES = 30, TITLE_COLS = 9, VALUE_COLS = 7, SPARK_MIN = 8, BAR_MIN = 6, BAR_MAX = 24
};

size_t node_signals(const struct node_row *row, enum signal_id to[SIGNAL_COUNT])
{
	size_t all, n = 0;
	const enum signal_id *order = signal_order(&all);
	for (size_t i = 0; row != NULL && i < all; i++)
		if (!isnan(row->value[order[i]]) || row->history[order[i]] != NULL)
			to[n++] = order[i];
	return n;
}

enum signal_id node_signal(const struct node_row *row, enum signal_id chosen)
{
	enum signal_id all[SIGNAL_COUNT];
	size_t n = node_signals(row, all);
	for (size_t i = 0; i < n; i++)
		if (all[i] == chosen)
			return chosen;
	return n > 0 ? all[0] : chosen;
}

size_t node_pane_rows(const struct node_pane_data *d, enum node_pane p)
{
	enum signal_id shown[SIGNAL_COUNT];
	switch (p) {
	case PANE_SIGNALS: return node_signals(d->row, shown);
	case PANE_TARGETS: return d->node != NULL ? d->node->n_targets : 0;
	case PANE_GPUS: return d->node != NULL ? d->node->n_gpus : 0;
	case PANE_PROCESSES: return d->node != NULL ? gpu_processes(d->node, d->gpu, &(size_t){ 0 }) : 0;
	case PANE_HOST: return d->node != NULL ? host_lines(d->node->host) : 0;
	case PANE_SERVICES: return d->node != NULL ? d->node->n_services : 0;
	case PANE_SERVED: return d->node != NULL && d->node->n_served > 1 ? d->node->n_served : 0; /* a single one stands in the head */
	case PANE_EVENTS: return d->events->n;
	case PANE_CHART:
	case PANE_MORE:
	case NODE_PANES: break;
	}
	return 0;
}

/* Of those rows, how many are not as they should be. */
static size_t pane_wrong(const struct node_pane_data *d, enum node_pane p)
{
	size_t n = 0;
	if (d->node == NULL)
		return 0;
	switch (p) {
	case PANE_TARGETS:
		for (size_t i = 0; i < d->node->n_targets; i++)
			n += d->node->targets[i].was_polled && !d->node->targets[i].is_up;
		return n;
	case PANE_GPUS:
		for (size_t i = 0; i < d->node->n_gpus; i++)
			n += d->node->gpus[i].severity >= SEVERITY_WARN;
		return n;
	case PANE_HOST: return host_lines_wrong(d->node->host);
	case PANE_SERVICES: return services_wrong(d->node);
	case PANE_SIGNALS:
	case PANE_PROCESSES:
	case PANE_EVENTS:
	case PANE_SERVED:
	case PANE_CHART:
	case PANE_MORE:
	case NODE_PANES: break;
	}
	return 0;
}

/* ---- where they stand ---- */

struct slot {
	enum node_pane pane;
	int            rank;   /* what has the lowest is served first; with too little room the highest goes */
	int            least, urgent, want, rows; /* urgent: with so many all that is wrong is seen */
};

struct column {
	struct slot slots[NODE_PANES];
	int         n;
};

enum { RANK_FOCUS, RANK_WRONG, RANK_SIGNALS, RANK_TABLE, RANK_EVENTS, RANK_SERVED, RANK_CHART, RANKS };

static int smaller(int a, int b) { return a < b ? a : b; }

static int rank_of(const struct node_pane_data *d, enum node_pane p, bool has_wrong)
{
	static const int ranks[NODE_PANES] = {
		[PANE_SIGNALS] = RANK_SIGNALS, [PANE_TARGETS] = RANK_TABLE, [PANE_GPUS] = RANK_TABLE,    [PANE_HOST] = RANK_TABLE,
		[PANE_SERVICES] = RANK_TABLE,  [PANE_EVENTS] = RANK_EVENTS, [PANE_SERVED] = RANK_SERVED, [PANE_CHART] = RANK_CHART,
		[PANE_PROCESSES] = RANK_SERVED,
	};
	has_wrong |= p == PANE_PROCESSES && d->focus == PANE_GPUS; /* who looks at a GPU wants to see what runs on it */
	return p == d->focus ? RANK_FOCUS : has_wrong ? RANK_WRONG : ranks[p];
}

static void add_slot(struct column *col, const struct node_pane_data *d, enum node_pane p, bool is_alone)
{
	size_t many = node_pane_rows(d, p), wrong = pane_wrong(d, p);
	int n = many > 1000 ? 1000 : (int)many, titles = p == PANE_SIGNALS || p == PANE_HOST || p == PANE_SERVED ? 0 : 1;
	struct slot s = { .pane = p, .rank = rank_of(d, p, wrong > 0) };
	if (p == PANE_CHART && node_pane_rows(d, PANE_SIGNALS) == 0) {
		return; /* it says nothing, and has not for as long as signals are remembered: there is nothing to chart either */
	} else if (p == PANE_CHART) {
		s.least = s.want = is_alone ? 0 : CHART_ROWS_MIN; /* in the only column it gets what is left */
	} else if (n > 0) {
		s.want = 1 + titles + n;
		s.least = p == d->focus ? smaller(1 + (p == PANE_SIGNALS ? OPENED_LEAST : FOCUS_LEAST), s.want) : 1 + smaller(n, PANE_LEAST);
		s.urgent = wrong == 0 ? 0 : 1 + smaller((int)(wrong < 1000 ? wrong : 1000), URGENT_MOST);
	} else {
		return;
	}
	col->slots[col->n++] = s;
}

/* Gives each pane its least, dropping those that matter least, the last ones first, where even that is too much. Returns what is left over. */
static int give_least(struct column *col, int rows)
{
	int sum = 0;
	for (int i = 0; i < col->n; i++)
		sum += col->slots[i].rows = col->slots[i].least;
	for (int rank = RANKS - 1; rank > RANK_FOCUS; rank--)
		for (int i = col->n - 1; i >= 0 && sum > rows; i--)
			if (col->slots[i].rank == rank) {
				sum -= col->slots[i].rows;
				col->slots[i].rows = 0;
			}
	for (int i = 0; i < col->n && sum > rows; i++) { /* one pane is left, and is too high */
		int over = smaller(sum - rows, col->slots[i].rows);
		col->slots[i].rows -= over;
		sum -= over;
	}
	return rows - sum;
}

static int grow(struct slot *s, int to, int spare)
{
	int more = s->rows == 0 ? 0 : smaller(spare, to - s->rows);
	if (more <= 0)
		return spare;
	s->rows += more;
	return spare - more;
}

static int grow_all(struct column *col, int rank, int spare)
{
	for (int i = 0; i < col->n; i++)
		if (col->slots[i].rank == rank)
			spare = grow(&col->slots[i], col->slots[i].want, spare);
	return spare;
}

static struct slot *slot_of(struct column *col, enum node_pane p)
{
	for (int i = 0; i < col->n; i++)
		if (col->slots[i].pane == p)
			return &col->slots[i];
	return NULL;
}

/* What the user went to is served first, then what is wrong. Events and chart can use any room and come last. Returns what nothing had
 * use for. */
static int share_out(struct column *col, enum node_pane focus, int rows)
{
	int spare = give_least(col, rows);
	struct slot *events = slot_of(col, PANE_EVENTS), *chart = slot_of(col, PANE_CHART);
	if (focus != PANE_SIGNALS) /* there the user has not gone: a node opens with it */
		spare = grow_all(col, RANK_FOCUS, spare);
	for (int i = 0; i < col->n; i++)
		spare = grow(&col->slots[i], col->slots[i].urgent, spare);
	for (int rank = 0; rank < RANKS; rank++)
		spare = rank == RANK_EVENTS ? spare : grow_all(col, rank, spare);
	if (chart == NULL || chart->rows + spare < CHART_ROWS_MIN)
		return events == NULL ? spare : grow(events, events->want, spare);
	int over = chart->rows + spare - CHART_ROWS_MIN;
	if (events != NULL && over >= EVENTS_BESIDE_CHART)
		spare = spare - over / 3 + grow(events, events->want, over / 3);
	chart->rows += spare;
	return 0;
}

/* ---- panes ---- */

static void draw_rule(const struct node_pane_data *d, enum node_pane p, const char *title, const char *note, struct canvas *c)
{
	char text[80];
	snprintf(text, sizeof text, "%s%s", p == d->focus ? "\u25ba " : "", title);
	canvas_rule(c, 0, text, note);
}

static void draw_signal(const struct node_pane_data *d, enum signal_id id, int row, struct canvas *c)
{
	int cols = canvas_region(c).cols;
	const struct signal_info *info = signal_info(id);
	double v = d->row == NULL ? (double)NAN : d->row->value[id];
	const float *history = d->row == NULL ? NULL : d->row->history[id];
	enum role role = d->row != NULL && d->row->cause == id ? severity_role(d->row->severity) : signal_role(id, v);
	int bar = (cols - TITLE_COLS - VALUE_COLS - 6) / 3;
	bar = bar > BAR_MAX ? BAR_MAX : bar;
	canvas_put_width(c, row, 1, TITLE_COLS, -1, ROLE_SECOND, info->title);
	int col = 1 + TITLE_COLS + 1;
	if (bar >= BAR_MIN) {
		double limit = info->warn > 0 && info->worse == WORSE_HIGH ? signal_fraction(id, info->warn) : (double)NAN;
		if (info->top > 0)
			bar_draw(c, row, col, bar, signal_fraction(id, v), limit, role == ROLE_TEXT || role == ROLE_FAINT ? ROLE_OK : role);
		col += bar + 1;
	}
	signal_put(c, row, col, VALUE_COLS, id, v, role);
	col += VALUE_COLS + 2;
	if (cols - 1 - col >= SPARK_MIN)
		signal_spark(c, row, col, cols - 1 - col, id, history, v, role == ROLE_TEXT ? ROLE_SECOND : role);
}

static void draw_signals(struct node_panes *p, const struct node_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	enum signal_id shown[SIGNAL_COUNT];
	struct table_state *t = &p->tables[PANE_SIGNALS];
	char span[DURATION_TEXT], note[64] = "";
	size_t n = node_signals(d->row, shown);
	if (d->view->fleet != NULL)
		snprintf(note, sizeof note, "last %s", format_age(d->view->fleet->history_step_ms * HISTORY_POINTS, span));
	draw_rule(d, PANE_SIGNALS, "signals", note, c);
	for (size_t i = 0; i < n; i++)
		if (shown[i] == d->signal)
			t->selected = i;
	table_clamp(t, n, all.rows - 1);
	for (int row = 1; row < all.rows && t->top + (size_t)row - 1 < n; row++) {
		size_t i = t->top + (size_t)row - 1;
		draw_signal(d, shown[i], row, c);
		if (i != t->selected)
			continue;
		struct rect line = { row, 0, 1, d->focus == PANE_SIGNALS ? all.cols : TITLE_COLS + 2 };
		canvas_set_ground(c, line, ROLE_SELECTED);
		canvas_add_flags(c, line, CELL_BOLD);
	}
}

static size_t pick_marks(const struct node_pane_data *d, struct chart_mark to[MARKS_SHOWN])
{
	const struct mark_filter f = { .nodes = &d->name, .n_nodes = 1, .model = d->row != NULL ? d->row->model : NULL };
	return d->view->charts == NULL ? 0 : marks_pick(&d->view->charts->marks, &f, d->chart->start_ms, d->chart->end_ms, d->chart->step_ms, to);
}

static void draw_chart(const struct node_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	struct chart_mark marks[MARKS_SHOWN];
	enum signal_id id = d->signal;
	struct chart_threshold thresholds[2];
	char title[SIGNAL_TITLE], note[64], span[DURATION_TEXT];
	snprintf(note, sizeof note, "%s  +/- zoom  c larger", format_duration(d->span_ms, span));
	draw_rule(d, PANE_CHART, signal_title(id, title), note, c);
	canvas_enter(c, (struct rect){ 1, 0, all.rows - 1, all.cols });
	if (d->chart->n > 0) {
		struct chart chart = chart_of_data(d->chart, signal_info(id)->unit, d->view->glyphs);
		chart.thresholds = thresholds;
		chart.n_thresholds = signal_thresholds(id, thresholds);
		chart.marks = marks;
		chart.n_marks = pick_marks(d, marks);
		chart_draw(c, &chart);
	} else {
		canvas_put_width(c, (all.rows - 1) / 2, 0, all.cols, 0, ROLE_SECOND, "no value in this span");
	}
	canvas_leave(c);
}

/* The next of the signals that have a past, what makes the node sick first; the chosen one has a chart already. SIGNAL_COUNT: no more. */
static enum signal_id next_more(const struct node_pane_data *d, size_t *at)
{
	enum signal_id shown[SIGNAL_COUNT], cause = d->row->cause;
	size_t n = node_signals(d->row, shown);
	for (; *at <= n; (*at)++) {
		enum signal_id id = *at == 0 ? cause : shown[*at - 1];
		if (id >= SIGNAL_COUNT || id == d->signal || (*at > 0 && id == cause) || !signal_is_shown(id) || d->row->history[id] == NULL)
			continue;
		(*at)++;
		return id;
	}
	return SIGNAL_COUNT;
}

/* Charts of signals one below the other, from *at on. */
static void draw_more(const struct node_pane_data *d, size_t *at, struct canvas *c)
{
	struct rect all = canvas_region(c);
	int rows = all.rows - 1, n = 0, most = rows / MORE_CHART_ROWS;
	enum signal_id ids[SIGNAL_COUNT];
	while (n < most && n < SIGNAL_COUNT && (ids[n] = next_more(d, at)) != SIGNAL_COUNT)
		n++;
	if (n > 0)
		draw_rule(d, PANE_MORE, "more signals", NULL, c);
	for (int i = 0; i < n; i++) {
		int top = rows * i / n, bottom = rows * (i + 1) / n;
		enum role role = d->row->cause == ids[i] ? severity_role(d->row->severity) : ROLE_SERIES_1;
		canvas_enter(c, (struct rect){ 1 + top, 0, bottom - top, all.cols - 1 });
		const struct mark_filter f = { .nodes = &d->name, .n_nodes = 1, .model = d->row->model };
		small_chart_draw(c, d->view, "", ids[i], d->row->history[ids[i]], role, &f);
		canvas_leave(c);
	}
}

static void draw_served(const struct node_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	draw_rule(d, PANE_SERVED, "models", NULL, c);
	for (int row = 1; row < all.rows && (size_t)row <= d->node->n_served; row++) {
		const struct served_row *s = &d->node->served[row - 1];
		canvas_put_width(c, row, 1, all.cols / 2 - 2, -1, ROLE_TEXT, s->model);
		canvas_put_width(c, row, all.cols / 2, all.cols - all.cols / 2 - 1, -1, ROLE_SECOND, s->version[0] != '\0' ? s->version : "--");
	}
}

enum { NOTE_BYTES = 160 };

/* How many rows there are; of the host what it runs; of GPUs that are looked at, what the selected one is and who tells of it. */
static void write_note(const struct node_panes *p, const struct node_pane_data *d, enum node_pane pane, size_t n, char to[NOTE_BYTES])
{
	const char *more = pane == PANE_GPUS && d->node->has_more_gpus ? "the first " : "";
	size_t at = p->tables[PANE_GPUS].selected;
	if (pane == PANE_HOST)
		snprintf(to, NOTE_BYTES, "%.60s", d->node->host->kernel);
	else if (pane == PANE_GPUS && d->focus == PANE_GPUS && at < n)
		snprintf(to, NOTE_BYTES, "%.40s  %.40s  %zu of %s%zu", d->node->gpus[at].name, d->node->gpus[at].source, at + 1, more, n);
	else
		snprintf(to, NOTE_BYTES, "%s%zu", more, n);
}

/* They stand by index: where nobody looks at them and there is no room for all, the worst is among those that are seen. */
static void draw_gpus(struct node_panes *p, const struct node_pane_data *d, struct canvas *c)
{
	const struct node_view *node = d->node;
	struct table_state *t = &p->tables[PANE_GPUS], unlooked = *t;
	size_t worst = 0;
	for (size_t i = 1; i < node->n_gpus; i++)
		if (node->gpus[i].severity > node->gpus[worst].severity)
			worst = i;
	if (node->n_gpus > 0 && node->gpus[worst].severity >= SEVERITY_WARN)
		unlooked.selected = worst;
	gpus_table_draw(node, d->focus == PANE_GPUS ? t : &unlooked, d->focus == PANE_GPUS, c);
}

/* A table under its rule; where it is tight the rule takes the place of the row of titles. */
static void draw_table_pane(struct node_panes *p, const struct node_pane_data *d, enum node_pane pane, struct canvas *c)
{
	static const char *const titles[FOCUS_PANES] = {
		[PANE_TARGETS] = "targets", [PANE_GPUS] = "gpus",         [PANE_PROCESSES] = "on the gpus",
		[PANE_HOST] = "host",       [PANE_SERVICES] = "services", [PANE_EVENTS] = "events",
	};
	struct rect all = canvas_region(c);
	char note[NOTE_BYTES];
	size_t n = node_pane_rows(d, pane);
	int top = pane != PANE_HOST && (all.rows >= 6 || (size_t)all.rows >= n + 2) ? 1 : 0; /* the host's has no titles */
	write_note(p, d, pane, n, note);
	p->visible[pane] = all.rows - top - 1;
	canvas_enter(c, (struct rect){ top, 0, all.rows - top, all.cols });
	if (pane == PANE_TARGETS)
		targets_table_draw(d->node, d->view, &p->tables[pane], d->focus == pane, c);
	else if (pane == PANE_GPUS)
		draw_gpus(p, d, c);
	else if (pane == PANE_PROCESSES)
		processes_table_draw(d->node, d->gpu, &p->tables[pane], d->focus == pane, c);
	else if (pane == PANE_HOST)
		host_lines_draw(d->node->host, &p->tables[pane], d->focus == pane, c);
	else if (pane == PANE_SERVICES)
		services_table_draw(d->node, d->view, &p->tables[pane], d->focus == pane, c);
	else
		events_table_draw(d->events, d->view, &p->tables[pane], false, d->focus == pane, c);
	canvas_leave(c);
	draw_rule(d, pane, titles[pane], note, c);
}

static void draw_pane(struct node_panes *p, const struct node_pane_data *d, enum node_pane pane, size_t *more, struct canvas *c)
{
	if (pane == PANE_SIGNALS)
		draw_signals(p, d, c);
	else if (pane == PANE_CHART)
		draw_chart(d, c);
	else if (pane == PANE_MORE)
		draw_more(d, more, c);
	else if (pane == PANE_SERVED)
		draw_served(d, c);
	else
		draw_table_pane(p, d, pane, c);
}

/* ---- all of it ---- */

/* Name, model and version, profile, group; at the right how it is. */
static void draw_head(const struct node_pane_data *d, struct canvas *c)
{
	int cols = canvas_region(c).cols;
	const struct node_row *r = d->row;
	char state[160] = "not in the fleet at this time";
	enum role role = ROLE_UNKNOWN;
	if (r != NULL) {
		bool is_known = r->seen_ms != 0 || r->severity != SEVERITY_OK;
		role = is_known ? severity_role(r->severity) : ROLE_UNKNOWN;
		snprintf(state, sizeof state, "%s%s%s", is_known ? severity_word(r->severity) : "?", r->reason[0] != '\0' ? "  " : "", r->reason);
	}
	int width = text_width(state, strlen(state)) + 2, room = cols - 2;
	width = width > room * 2 / 3 ? room * 2 / 3 : width;
	canvas_put_char(c, 0, cols - 1 - width, role, r != NULL ? severity_glyph(r->severity) : '?');
	canvas_put_width(c, 0, cols + 1 - width, width - 2, -1, role, state);
	canvas_enter(c, (struct rect){ 0, 0, 1, cols - width - 2 });
	int col = 1 + canvas_put(c, 0, 1, ROLE_TITLE, d->name);
	canvas_add_flags(c, (struct rect){ 0, 1, 1, col - 1 }, CELL_BOLD);
	if (r != NULL) {
		col += 2 + canvas_printf(c, 0, col + 2, ROLE_TEXT, "%s %s", r->model, r->version);
		if (r->n_versions > 1)
			col += canvas_printf(c, 0, col, ROLE_INFO, " +%d", r->n_versions - 1);
		col += 2 + canvas_put(c, 0, col + 2, ROLE_SECOND, r->profile);
		canvas_put(c, 0, col + 2, ROLE_SECOND, r->group);
	}
	canvas_leave(c);
}

/* Where it is low, processes are shown to who looks at the GPUs. */
static bool is_left_out(const struct node_pane_data *d, enum node_pane p, int rows)
{
	return p == PANE_PROCESSES && rows < ROWS_FOR_PROCESSES && d->focus != PANE_GPUS && d->focus != PANE_PROCESSES;
}

static int fill_columns(const struct node_pane_data *d, int cols, int rows, struct column out[COLUMNS_MAX])
{
	static const struct {
		enum node_pane pane;
		int            column[COLUMNS_MAX]; /* by how many columns there are */
	} places[] = {
		{ PANE_SIGNALS, { 0, 0, 0 } },   { PANE_CHART, { 0, 0, 0 } }, { PANE_TARGETS, { 0, 1, 2 } },  { PANE_GPUS, { 0, 1, 2 } },
		{ PANE_PROCESSES, { 0, 1, 2 } }, { PANE_HOST, { 0, 0, 1 } },  { PANE_SERVICES, { 0, 1, 2 } }, { PANE_SERVED, { 0, 1, 2 } },
		{ PANE_EVENTS, { 0, 1, 1 } },
	};
	bool has_middle = d->events->n > 0 || node_pane_rows(d, PANE_HOST) > 0; /* the middle one of three is for these */
	int n = cols >= COLS_THREE && has_middle ? 3 : cols >= COLS_TWO ? 2 : 1;
	for (int i = 0; i < COLUMNS_MAX; i++)
		out[i].n = 0;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (!(places[i].pane == PANE_GPUS && n > 1) && !is_left_out(d, places[i].pane, rows))
			add_slot(&out[places[i].column[n - 1]], d, places[i].pane, n == 1);
	}
	return n;
}

/* Side by side with others a table of GPUs has no room for what it can say: it lies below them, over the whole width. Returns its height. */
static int draw_gpu_strip(struct node_panes *p, const struct node_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	size_t n = node_pane_rows(d, PANE_GPUS);
	int most = d->focus == PANE_GPUS ? all.rows * 3 / 5 : all.rows * 2 / 5, rows = n > 1000 ? most : smaller((int)n + 2, most);
	if (n == 0 || rows < 2)
		return 0;
	canvas_enter(c, (struct rect){ all.rows - rows, 0, rows, all.cols });
	draw_table_pane(p, d, PANE_GPUS, c);
	canvas_leave(c);
	return rows;
}

void node_panes_draw(struct node_panes *p, const struct node_pane_data *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	struct column columns[COLUMNS_MAX];
	int n = fill_columns(d, all.cols, all.rows, columns), bottom = all.rows;
	size_t more = 0;
	p->has_chart = false;
	draw_head(d, c);
	if (n > 1)
		bottom -= draw_gpu_strip(p, d, c);
	for (int k = 0; k < n; k++) {
		int left = all.cols * k / n, row = 1;
		int spare = share_out(&columns[k], d->focus, bottom - 1);
		if (spare > MORE_CHART_ROWS && d->row != NULL)
			columns[k].slots[columns[k].n++] = (struct slot){ .pane = PANE_MORE, .rows = spare };
		for (int i = 0; i < columns[k].n; i++) {
			const struct slot *s = &columns[k].slots[i];
			if (s->rows <= 0)
				continue;
			p->has_chart |= s->pane == PANE_CHART;
			canvas_enter(c, (struct rect){ row, left, s->rows, all.cols * (k + 1) / n - left });
			draw_pane(p, d, s->pane, &more, c);
			canvas_leave(c);
			row += s->rows;
		}
	}
}
