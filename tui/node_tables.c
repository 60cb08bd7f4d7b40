/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "tui/signal_look.h"
#include "tui/widget_bar.h"
#include "tui/widget_spark.h"

enum { TEXT_BYTES = 64, VALUE_COLS = 6, BAR_MIN = 4 };

struct drawing {
	const struct node_view *node;
	const struct view      *view;
	char                   *text;
};

static void draw(const struct table_column *columns, size_t n, const struct table_source *source, struct table_state *state,
                 bool is_focused, struct canvas *c)
{
	table_clamp(state, source->rows, canvas_region(c).rows - 1);
	struct table_state shown = *state;
	shown.is_unsorted = true;
	if (!is_focused)
		shown.selected = SIZE_MAX;
	table_draw(c, columns, n, &shown, source);
}

/* ---- targets ---- */

enum { TARGET_STATE, TARGET_JOB, TARGET_AGE, TARGET_TOOK, TARGET_SAMPLES, TARGET_URL, TARGET_ERROR };

static const struct table_column target_columns[] = {
	[TARGET_STATE] = { "state", 6, 6, -1, 0 },    [TARGET_JOB] = { "job", 6, 12, -1, 3 },       [TARGET_AGE] = { "age", 6, 7, 1, 4 },
	[TARGET_TOOK] = { "took", 6, 6, 1, 5 },       [TARGET_SAMPLES] = { "samples", 7, 7, 1, 6 }, [TARGET_URL] = { "url", 16, 60, -1, 7 },
	[TARGET_ERROR] = { "last error", 20, 120, -1, 1 },
};

static enum severity target_severity(const struct target_row *t)
{
	return !t->was_polled || t->is_up ? SEVERITY_OK : SEVERITY_DOWN;
}

static void draw_target_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct target_row *t = &((const struct drawing *)context)->node->targets[row];
	enum severity s = target_severity(t);
	enum role role = t->was_polled ? severity_role(s) : ROLE_UNKNOWN;
	(void)cols;
	canvas_put_char(c, 0, 0, role, t->was_polled ? severity_glyph(s) : '?');
	canvas_put(c, 0, 2, role, !t->was_polled ? "n/a" : t->is_up ? "up" : "DOWN");
}

static void target_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct target_row *t = &d->node->targets[row];
	char age[DURATION_TEXT];
	int64_t old = d->view->t_ms - t->last_ms;
	out->role = ROLE_SECOND;
	switch (column) {
	case TARGET_STATE: out->draw = draw_target_state; break;
	case TARGET_JOB: out->text = t->job[0] != '\0' ? t->job : t->profile; out->role = ROLE_TEXT; break;
	case TARGET_AGE:
		snprintf(d->text, TEXT_BYTES, "%s", t->last_ms == 0 ? "--" : format_age(old > 0 ? old / 1000 * 1000 : 0, age));
		out->text = d->text;
		break;
	case TARGET_TOOK: out->text = unit_format(UNIT_SECONDS, t->scrape_seconds, VALUE_COLS, d->text); out->role = ROLE_TEXT; break;
	case TARGET_SAMPLES: out->text = unit_format(UNIT_COUNT, t->samples, VALUE_COLS, d->text); out->role = ROLE_TEXT; break;
	case TARGET_URL: out->text = t->url; break;
	default: out->text = t->error; out->role = t->is_up ? ROLE_SECOND : ROLE_WARN; break;
	}
}

void targets_table_draw(const struct node_view *node, const struct view *view, struct table_state *state, bool is_focused,
                        struct canvas *c)
{
	char text[TEXT_BYTES] = "";
	const struct drawing d = { node, view, text };
	const struct table_source source = { .context = &d, .rows = node->n_targets, .cell = target_cell };
	struct table_column columns[sizeof target_columns / sizeof target_columns[0]];
	size_t n = sizeof columns / sizeof columns[0];
	bool has_error = false;
	memcpy(columns, target_columns, sizeof columns);
	for (size_t i = 0; i < node->n_targets; i++)
		has_error |= node->targets[i].error[0] != '\0';
	draw(columns, has_error ? n : n - 1, &source, state, is_focused, c);
}

/* ---- GPUs ---- */

enum { GPU_ID, GPU_NAME, GPU_UTIL, GPU_MEMORY, GPU_TEMPERATURE, GPU_POWER };

static const struct table_column gpu_columns[] = {
	[GPU_ID] = { "gpu", 3, 12, -1, 0 },      [GPU_NAME] = { "name", 8, 28, -1, 2 },          [GPU_UTIL] = { "use", 6, 24, 1, 0 },
	[GPU_MEMORY] = { "mem", 6, 24, 1, 0 }, [GPU_TEMPERATURE] = { "temp", 6, 6, 1, 1 }, [GPU_POWER] = { "power", 6, 6, 1, 1 },
};

static void draw_gauge(struct canvas *c, int cols, enum signal_id id, double v)
{
	int bar = cols - VALUE_COLS - 1;
	enum role role = signal_role(id, v);
	const struct signal_info *info = signal_info(id);
	signal_put(c, 0, cols - VALUE_COLS, VALUE_COLS, id, v, role);
	if (bar >= BAR_MIN)
		bar_draw(c, 0, 0, bar, v, info->worse == WORSE_HIGH && info->warn > 0 ? info->warn : (double)NAN,
		         role == ROLE_TEXT || role == ROLE_FAINT ? ROLE_OK : role);
}

static void draw_util(struct canvas *c, int cols, const void *context, size_t row)
{
	draw_gauge(c, cols, SIGNAL_GPU_UTIL, ((const struct drawing *)context)->node->gpus[row].util);
}

static void draw_memory(struct canvas *c, int cols, const void *context, size_t row)
{
	draw_gauge(c, cols, SIGNAL_GPU_MEMORY, ((const struct drawing *)context)->node->gpus[row].memory);
}

static void gpu_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct gpu_row *g = &d->node->gpus[row];
	switch (column) {
	case GPU_ID: out->text = g->gpu; break;
	case GPU_NAME: out->text = g->name; out->role = ROLE_SECOND; break;
	case GPU_UTIL: out->draw = draw_util; break;
	case GPU_MEMORY: out->draw = draw_memory; break;
	case GPU_TEMPERATURE:
		out->text = unit_format(UNIT_CELSIUS, g->temperature, VALUE_COLS, d->text);
		out->role = signal_role(SIGNAL_GPU_TEMP, g->temperature);
		break;
	default:
		out->text = unit_format(UNIT_WATTS, g->power, VALUE_COLS, d->text);
		out->role = signal_role(SIGNAL_GPU_POWER, g->power);
		break;
	}
}

void gpus_table_draw(const struct node_view *node, struct table_state *state, bool is_focused, struct canvas *c)
{
	char text[TEXT_BYTES] = "";
	const struct drawing d = { node, NULL, text };
	const struct table_source source = { .context = &d, .rows = node->n_gpus, .cell = gpu_cell };
	draw(gpu_columns, sizeof gpu_columns / sizeof gpu_columns[0], &source, state, is_focused, c);
}
