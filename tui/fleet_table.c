/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fleet_table.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tui/signal_look.h"
#include "tui/widget_bar.h"

enum {
	NAME_MIN = 12, NAME_MAX = 32, MODEL_MAX = 20, VERSION_MAX = 16, STATE_COLS = 6, NARROW = 60, NAMES_LOOKED_AT = 2000,
	VALUE_COLS = 6, SPARK_MIN = 8, REASON_MIN = 18, REASON_MAX = 64, TEXT_BYTES = 256
};

/* What a column shows, besides the signals and the ways to sort. */
enum { SHOWS_NODES = FLEET_BY_VERSION + 1, SHOWS_SPARK, SHOWS_REASON };

/* The columns of signals: short titles, and which go first when there is no room (the largest). */
static const struct {
	enum signal_id id;
	const char    *title;
	int            priority;
} signals[] = {
	{ SIGNAL_REQUESTS, "req/s", 3 },      { SIGNAL_ERRORS, "errors", 2 },      { SIGNAL_LATENCY_P50, "p50", 14 },
	{ SIGNAL_LATENCY_P95, "p95", 19 },    { SIGNAL_LATENCY_P99, "p99", 1 },    { SIGNAL_LATENCY_MEAN, "mean", 20 },
	{ SIGNAL_QUEUE, "queue", 4 },         { SIGNAL_RUNNING, "run", 21 },       { SIGNAL_TOKENS, "tok/s", 10 },
	{ SIGNAL_TTFT_P95, "ttft", 12 },      { SIGNAL_KV_CACHE, "kv", 9 },        { SIGNAL_GPU_UTIL, "gpu", 6 },
	{ SIGNAL_GPU_MEMORY, "mem", 17 },     { SIGNAL_GPU_TEMP, "temp", 13 },     { SIGNAL_GPU_POWER, "power", 22 },
	{ SIGNAL_ACCURACY, "acc", 11 },       { SIGNAL_CPU, "cpu", 23 },           { SIGNAL_MEMORY, "ram", 24 },
};
enum { N_SIGNALS = sizeof signals / sizeof signals[0], PRIORITY_SPARK = 5, PRIORITY_NODES = 5, PRIORITY_MODEL = 7, PRIORITY_REASON = 8,
       PRIORITY_VERSION = 15 };

struct columns {
	struct table_column items[TABLE_COLUMNS_MAX];
	int                 shows[TABLE_COLUMNS_MAX]; /* enum signal_id, FLEET_BY_* or SHOWS_* */
	size_t              n;
};

static void add(struct columns *to, int shows, struct table_column column)
{
	if (to->n == TABLE_COLUMNS_MAX)
		return;
	to->items[to->n] = column;
	to->shows[to->n++] = shows;
}

static int longest(const struct fleet_table *t, const char *(*text)(const struct fleet_row *), int least, int most)
{
	for (size_t i = 0; i < t->rows->n && i < NAMES_LOOKED_AT && least < most; i++) {
		size_t n = strnlen(text(&t->rows->items[i]), (size_t)most);
		if ((int)n > least)
			least = (int)n;
	}
	return least;
}

static bool has_signal(const struct fleet_table *t, enum signal_id id)
{
	return t->view->fleet == NULL || !isnan(t->view->fleet->total[id]) || id == t->view->signal;
}

static void fill_columns(const struct fleet_table *t, int cols, struct columns *to)
{
	int state = cols < NARROW ? 1 : STATE_COLS;
	int name = longest(t, fleet_row_name, NAME_MIN, NAME_MAX);
	to->n = 0;
	add(to, FLEET_BY_STATE, (struct table_column){ state == 1 ? "" : "state", state, state, -1, 0 });
	add(to, FLEET_BY_NAME, (struct table_column){ t->by_model ? "model" : "node", name < cols / 3 ? name : cols / 3, name, -1, 0 });
	if (t->by_model)
		add(to, SHOWS_NODES, (struct table_column){ "nodes", VALUE_COLS, VALUE_COLS, 1, PRIORITY_NODES });
	else
		add(to, FLEET_BY_MODEL, (struct table_column){ "model", 8, longest(t, fleet_row_model, 8, MODEL_MAX), -1, PRIORITY_MODEL });
	add(to, FLEET_BY_VERSION, (struct table_column){ "version", 7, longest(t, fleet_row_version, 7, VERSION_MAX), -1, PRIORITY_VERSION });
	for (size_t i = 0; i < N_SIGNALS; i++) {
		if (!has_signal(t, signals[i].id))
			continue;
		bool chosen = signals[i].id == t->view->signal || (int)signals[i].id == t->sort;
		add(to, (int)signals[i].id, (struct table_column){ signals[i].title, VALUE_COLS, VALUE_COLS, 1, chosen ? 1 : signals[i].priority });
	}
	add(to, SHOWS_SPARK, (struct table_column){ signal_info(t->view->signal)->title, SPARK_MIN, HISTORY_POINTS, -1, PRIORITY_SPARK });
	add(to, SHOWS_REASON, (struct table_column){ "what is wrong", REASON_MIN, REASON_MAX, -1, PRIORITY_REASON });
}

/* ---- cells ---- */

struct drawing {
	const struct fleet_table *t;
	struct columns            columns;
	char                     *text; /* of the cell asked for last; TEXT_BYTES */
};

static const struct fleet_row *row_at(const void *context, size_t row)
{
	return &((const struct drawing *)context)->t->rows->items[row];
}

/* The word needs the glyph's place and a blank before it. */
static void draw_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct fleet_row *r = row_at(context, row);
	enum severity s = fleet_row_severity(r);
	bool known = fleet_row_is_known(r) || s != SEVERITY_OK;
	canvas_put_char(c, 0, 0, known ? severity_role(s) : ROLE_UNKNOWN, known ? severity_glyph(s) : '?');
	if (cols >= STATE_COLS)
		canvas_put(c, 0, 2, known ? severity_role(s) : ROLE_UNKNOWN, known ? severity_word(s) : "n/a");
}

static void draw_spark(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct drawing *d = context;
	const struct fleet_row *r = row_at(context, row);
	enum signal_id id = d->t->view->signal;
	enum severity s = fleet_row_severity(r);
	signal_spark(c, 0, 0, cols, id, fleet_row_history(r, id), fleet_row_value(r, id), s == SEVERITY_OK ? ROLE_SECOND : severity_role(s));
}

static void put_value(const struct drawing *d, const struct fleet_row *r, enum signal_id id, struct table_cell *out)
{
	double v = fleet_row_value(r, id);
	out->text = unit_format(signal_info(id)->unit, v, VALUE_COLS, d->text);
	out->role = signal_role(id, v);
	if (r->node != NULL && r->node->cause == id && !isnan(v))
		out->role = severity_role(r->node->severity);
}

/* "12.4" or, while several are being served, "12.4 +1". */
static void put_version(const struct drawing *d, const struct fleet_row *r, struct table_cell *out)
{
	const char *version = fleet_row_version(r);
	int n = r->node != NULL ? r->node->n_versions : r->model->n_versions;
	out->role = ROLE_SECOND;
	if (version[0] == '\0') {
		out->text = "--";
		out->role = ROLE_FAINT;
	} else if (n > 1) {
		snprintf(d->text, TEXT_BYTES, "%s +%d", version, n - 1);
		out->text = d->text;
		out->role = ROLE_INFO;
	} else {
		out->text = version;
	}
}

static void put_reason(const struct drawing *d, const struct fleet_row *r, struct table_cell *out)
{
	out->role = ROLE_SECOND;
	out->text = fleet_row_reason(r);
	if (r->model == NULL)
		return;
	const int *n = r->model->n_by_severity;
	int at = 0;
	d->text[0] = '\0';
	for (int s = SEVERITY_DOWN; s >= SEVERITY_WARN; s--)
		if (n[s] > 0)
			at += snprintf(d->text + at, TEXT_BYTES - (size_t)at, "%s%d %s", at > 0 ? ", " : "", n[s], severity_name((enum severity)s));
	out->text = d->text;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct fleet_row *r = row_at(context, row);
	int shows = d->columns.shows[column];
	if (shows < SIGNAL_COUNT) {
		put_value(d, r, (enum signal_id)shows, out);
	} else if (shows == FLEET_BY_STATE) {
		out->draw = draw_state;
	} else if (shows == SHOWS_SPARK) {
		out->draw = draw_spark;
	} else if (shows == FLEET_BY_NAME) {
		out->text = fleet_row_name(r);
	} else if (shows == FLEET_BY_MODEL) {
		out->text = fleet_row_model(r);
		out->role = ROLE_SECOND;
	} else if (shows == FLEET_BY_VERSION) {
		put_version(d, r, out);
	} else if (shows == SHOWS_NODES) {
		snprintf(d->text, TEXT_BYTES, "%d", r->model->n_nodes);
		out->text = d->text;
	} else {
		put_reason(d, r, out);
	}
}

static bool is_tagged(const void *context, size_t row)
{
	const struct drawing *d = context;
	return d->t->is_tagged(d->t->tags, fleet_row_name(row_at(context, row)));
}

/* ---- the table ---- */

static bool is_largest_first(const struct fleet_table *t)
{
	if (t->sort < SIGNAL_COUNT)
		return (signal_info((enum signal_id)t->sort)->worse == WORSE_LOW) == t->turned;
	return t->sort == FLEET_BY_STATE ? !t->turned : t->turned;
}

void fleet_table_draw(const struct fleet_table *t, struct table_state *state, struct canvas *c)
{
	struct rect all = canvas_region(c);
	char text[TEXT_BYTES] = "";
	struct drawing d = { .t = t, .text = text };
	fill_columns(t, all.cols, &d.columns);
	table_clamp(state, t->rows->n, all.rows - 1);
	state->is_unsorted = true;
	for (size_t i = 0; i < d.columns.n; i++) {
		if (d.columns.shows[i] == t->sort) {
			state->is_unsorted = false;
			state->sort_column = i;
			state->sort_down = is_largest_first(t);
		}
	}
	const struct table_source source = { .context = &d, .rows = t->rows->n, .cell = cell,
		                             .is_tagged = t->is_tagged != NULL ? is_tagged : NULL };
	table_draw(c, d.columns.items, d.columns.n, state, &source);
}

bool fleet_table_has(int sort)
{
	if (sort >= SIGNAL_COUNT)
		return sort <= FLEET_BY_VERSION;
	for (size_t i = 0; i < N_SIGNALS; i++)
		if ((int)signals[i].id == sort)
			return true;
	return false;
}

int fleet_table_sort_at(const struct fleet_table *t, int cols, int col)
{
	struct columns columns;
	fill_columns(t, cols, &columns);
	size_t i = table_column_at(columns.items, columns.n, cols, col);
	if (i == SIZE_MAX)
		return -1;
	return columns.shows[i] == SHOWS_SPARK ? (int)t->view->signal : columns.shows[i] <= FLEET_BY_VERSION ? columns.shows[i] : -1;
}
