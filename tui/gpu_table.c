/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/gpu_table.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tui/node_tables.h"
#include "tui/signal_look.h"
#include "tui/widget_bar.h"
#include "tui/widget_spark.h"

enum { TEXT_BYTES = 96, VALUE_COLS = 6, MEMORY_COLS = 11, BAR_MIN = 4, COLS_WIDE = 100, STATE_WIDE = 36 };

enum {
	GPU_ID, GPU_NAME, GPU_UTIL, GPU_MEMORY, GPU_TEMPERATURE, GPU_POWER, GPU_CLOCK, GPU_HOT_MEMORY, GPU_ECC, GPU_PCIE, GPU_NVLINK, GPU_XIDS,
	GPU_SOURCE, GPU_STATE, GPU_COLUMNS
};

static const struct table_column gpu_columns[GPU_COLUMNS] = {
	[GPU_ID] = { "gpu", 3, 6, -1, 0 },            [GPU_NAME] = { "name", 16, 24, -1, 9 },    [GPU_UTIL] = { "use", 6, 12, 1, 0 },
	[GPU_MEMORY] = { "mem", 11, 18, 1, 0 },       [GPU_TEMPERATURE] = { "temp", 5, 5, 1, 1 }, [GPU_POWER] = { "power", 9, 9, 1, 2 },
	[GPU_CLOCK] = { "MHz", 9, 9, 1, 3 },          [GPU_HOT_MEMORY] = { "mem temp", 8, 8, 1, 10 },
	[GPU_ECC] = { "ecc c/u", 7, 9, 1, 6 },        [GPU_PCIE] = { "pcie", 9, 10, -1, 7 },     [GPU_NVLINK] = { "nvlink", 8, 9, -1, 8 },
	[GPU_XIDS] = { "xid", 6, 12, -1, 5 },         [GPU_SOURCE] = { "source", 10, 20, -1, 11 },
	[GPU_STATE] = { "state", 24, 80, -1, 0 },
};

struct drawing {
	const struct node_view *node;
	size_t                  from; /* the first row that is shown */
	const int              *of;   /* which of gpu_columns a column is */
	char                   *text;
};

/* Whether there is anything to write into a column. */
static bool has_value(const struct gpu_row *g, int column)
{
	switch (column) {
	case GPU_NAME: return g->name[0] != '\0';
	case GPU_TEMPERATURE: return !isnan(g->temperature);
	case GPU_POWER: return !isnan(g->power) || !isnan(g->power_limit_watts);
	case GPU_CLOCK: return !isnan(g->clock_hertz);
	case GPU_HOT_MEMORY: return !isnan(g->memory_temperature);
	case GPU_ECC: return !isnan(g->ecc_corrected) || !isnan(g->ecc_uncorrected);
	case GPU_PCIE: return !isnan(g->pcie_width) || !isnan(g->pcie_generation);
	case GPU_NVLINK: return g->nvlinks_active > 0 || g->nvlink_errors > 0;
	case GPU_XIDS: return g->xids[0] != '\0';
	case GPU_SOURCE: return g->source[0] != '\0';
	case GPU_STATE: return g->state[0] != '\0';
	default: return true;
	}
}

static size_t choose_columns(const struct node_view *node, int cols, struct table_column columns[GPU_COLUMNS], int of[GPU_COLUMNS])
{
	size_t n = 0;
	for (int k = 0; k < GPU_COLUMNS; k++) {
		bool is_any = false;
		for (size_t i = 0; i < node->n_gpus && !is_any; i++)
			is_any = has_value(&node->gpus[i], k);
		if (!is_any)
			continue;
		columns[n] = gpu_columns[k];
		if (k == GPU_STATE && cols >= COLS_WIDE)
			columns[n].least = STATE_WIDE;
		of[n++] = k;
	}
	return n;
}

/* ---- cells that are pictures ---- */

static void draw_bar(struct canvas *c, int cols, enum signal_id id, double v)
{
	enum role role = signal_role(id, v);
	const struct signal_info *info = signal_info(id);
	if (cols >= BAR_MIN)
		bar_draw(c, 0, 0, cols, v, info->worse == WORSE_HIGH && info->warn > 0 ? info->warn : (double)NAN,
		         role == ROLE_TEXT || role == ROLE_FAINT ? ROLE_OK : role);
}

static void draw_util(struct canvas *c, int cols, const void *context, size_t row)
{
	double v = ((const struct drawing *)context)->node->gpus[row].util;
	draw_bar(c, cols - VALUE_COLS - 1, SIGNAL_GPU_UTIL, v);
	signal_put(c, 0, cols - VALUE_COLS, VALUE_COLS, SIGNAL_GPU_UTIL, v, signal_role(SIGNAL_GPU_UTIL, v));
}

/* Used of total, where that is known; else the ratio. */
static void draw_memory(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct gpu_row *g = &((const struct drawing *)context)->node->gpus[row];
	char used[UNIT_TEXT_SIZE], total[UNIT_TEXT_SIZE], text[2 * UNIT_TEXT_SIZE];
	double ratio = isnan(g->memory) && g->memory_total_bytes > 0 ? g->memory_used_bytes / g->memory_total_bytes : g->memory;
	enum role role = signal_role(SIGNAL_GPU_MEMORY, ratio);
	unit_format(UNIT_BYTES, g->memory_used_bytes, 5, used);
	if (isnan(g->memory_used_bytes))
		snprintf(text, sizeof text, "%s", unit_format(UNIT_RATIO, ratio, VALUE_COLS, used));
	else if (isnan(g->memory_total_bytes))
		snprintf(text, sizeof text, "%s", used);
	else
		snprintf(text, sizeof text, "%s/%s", used, unit_format(UNIT_BYTES, g->memory_total_bytes, 5, total));
	draw_bar(c, cols - MEMORY_COLS - 1, SIGNAL_GPU_MEMORY, ratio);
	canvas_put_width(c, 0, cols - MEMORY_COLS, MEMORY_COLS, 1, isnan(ratio) && !isnan(g->memory_used_bytes) ? ROLE_TEXT : role, text);
}

/* ---- cells that are texts ---- */

/* A count or a clock in MHz, whole, in five columns at the most. */
static const char *whole(double v, char to[UNIT_TEXT_SIZE])
{
	if (isnan(v))
		return "--";
	if (v < -0.5 || v >= 99999.5)
		return unit_format(UNIT_COUNT, v, 5, to);
	snprintf(to, UNIT_TEXT_SIZE, "%.0f", v);
	return to;
}

static void write_pair(double a, double b, char *to)
{
	char first[UNIT_TEXT_SIZE], second[UNIT_TEXT_SIZE];
	if (isnan(b))
		snprintf(to, TEXT_BYTES, "%s", whole(a, first));
	else
		snprintf(to, TEXT_BYTES, "%s/%s", whole(a, first), whole(b, second));
}

static void write_power(const struct gpu_row *g, char *to)
{
	char first[UNIT_TEXT_SIZE], second[UNIT_TEXT_SIZE];
	snprintf(to, TEXT_BYTES, "%s%s%s", unit_format(UNIT_WATTS, g->power, 4, first), isnan(g->power_limit_watts) ? "" : "/",
	         isnan(g->power_limit_watts) ? "" : unit_format(UNIT_WATTS, g->power_limit_watts, 4, second));
}

/* A narrow link is always wrong; a slow one is what an idle GPU has. */
static enum role write_pcie(const struct gpu_row *g, char *to)
{
	char a[UNIT_TEXT_SIZE], b[UNIT_TEXT_SIZE];
	if (g->pcie_width < g->pcie_width_max) {
		snprintf(to, TEXT_BYTES, "x%s of x%s", whole(g->pcie_width, a), whole(g->pcie_width_max, b));
		return ROLE_WARN;
	}
	if (isnan(g->pcie_generation) && isnan(g->pcie_width))
		snprintf(to, TEXT_BYTES, "--");
	else if (isnan(g->pcie_generation))
		snprintf(to, TEXT_BYTES, "x%s", whole(g->pcie_width, a));
	else if (isnan(g->pcie_width))
		snprintf(to, TEXT_BYTES, "gen%s", whole(g->pcie_generation, a));
	else
		snprintf(to, TEXT_BYTES, "gen%s x%s", whole(g->pcie_generation, a), whole(g->pcie_width, b));
	return g->pcie_generation < g->pcie_generation_max && g->util > 0.1 ? ROLE_WARN : ROLE_SECOND;
}

static enum role write_nvlink(const struct gpu_row *g, char *to)
{
	char a[UNIT_TEXT_SIZE];
	if (g->nvlink_errors > 0) {
		snprintf(to, TEXT_BYTES, "%s err", whole(g->nvlink_errors, a));
		return ROLE_WARN;
	}
	snprintf(to, TEXT_BYTES, "%s%s", whole(g->nvlinks_active, a), g->nvlinks_active > 0 ? " links" : "");
	return ROLE_SECOND;
}

static enum role state_role(const struct gpu_row *g)
{
	return g->severity > SEVERITY_OK ? severity_role(g->severity) : ROLE_SECOND;
}

static void gpu_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct gpu_row *g = &d->node->gpus[row];
	d->text[0] = '\0';
	out->text = d->text;
	switch (d->of[column]) {
	case GPU_ID: out->text = g->gpu[0] != '\0' ? g->gpu : g->uuid; break;
	case GPU_NAME: out->text = g->name; out->role = ROLE_SECOND; break;
	case GPU_UTIL: out->draw = draw_util; break;
	case GPU_MEMORY: out->draw = draw_memory; break;
	case GPU_TEMPERATURE:
		unit_format(UNIT_CELSIUS, g->temperature, 5, d->text);
		out->role = signal_role(SIGNAL_GPU_TEMP, g->temperature);
		break;
	case GPU_POWER: write_power(g, d->text); out->role = signal_role(SIGNAL_GPU_POWER, g->power); break;
	case GPU_CLOCK: write_pair(g->clock_hertz / 1e6, g->clock_max_hertz / 1e6, d->text); break;
	case GPU_HOT_MEMORY: unit_format(UNIT_CELSIUS, g->memory_temperature, 5, d->text); break;
	case GPU_ECC:
		write_pair(g->ecc_corrected, g->ecc_uncorrected, d->text);
		out->role = g->ecc_uncorrected > 0 ? ROLE_CRIT : g->ecc_corrected > 0 ? ROLE_TEXT : ROLE_SECOND;
		break;
	case GPU_PCIE: out->role = write_pcie(g, d->text); break;
	case GPU_NVLINK: out->role = write_nvlink(g, d->text); break;
	case GPU_XIDS: out->text = g->xids; out->role = severity_role(g->xid_severity); break;
	case GPU_SOURCE: out->text = g->source; out->role = ROLE_SECOND; break;
	default: out->text = g->state; out->role = state_role(g); break;
	}
}

void gpus_table_draw(const struct node_view *node, struct table_state *state, bool is_focused, struct canvas *c)
{
	char text[TEXT_BYTES] = "";
	int of[GPU_COLUMNS];
	struct table_column columns[GPU_COLUMNS];
	size_t n = choose_columns(node, canvas_region(c).cols, columns, of);
	const struct drawing d = { .node = node, .of = of, .text = text };
	const struct table_source source = { .context = &d, .rows = node->n_gpus, .cell = gpu_cell };
	node_table_draw(columns, n, &source, state, is_focused, c);
}

/* ---- processes ---- */

enum { PROCESS_GPU, PROCESS_PID, PROCESS_USER, PROCESS_MEMORY, PROCESS_NAME };

static const struct table_column process_columns[] = {
	[PROCESS_GPU] = { "gpu", 3, 6, -1, 0 },  [PROCESS_PID] = { "pid", 7, 8, 1, 2 },      [PROCESS_USER] = { "user", 8, 14, -1, 1 },
	[PROCESS_MEMORY] = { "mem", 6, 6, 1, 0 }, [PROCESS_NAME] = { "process", 14, 200, -1, 0 },
};

size_t gpu_processes(const struct node_view *node, size_t gpu, size_t *from)
{
	size_t first = 0, n = 0;
	*from = 0;
	if (gpu == SIZE_MAX)
		return node->n_processes;
	while (first < node->n_processes && node->processes[first].gpu < gpu)
		first++;
	while (first + n < node->n_processes && node->processes[first + n].gpu == gpu)
		n++;
	*from = first;
	return n;
}

static void process_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct gpu_process_row *p = &d->node->processes[d->from + row];
	assert(p->gpu < d->node->n_gpus);
	switch (column) {
	case PROCESS_GPU: out->text = d->node->gpus[p->gpu].gpu; break;
	case PROCESS_PID: out->text = p->pid[0] != '\0' ? p->pid : "--"; out->role = ROLE_SECOND; break;
	case PROCESS_USER: out->text = p->user[0] != '\0' ? p->user : "--"; break;
	case PROCESS_MEMORY: out->text = unit_format(UNIT_BYTES, p->memory_bytes, VALUE_COLS, d->text); break;
	default: out->text = p->process; out->role = ROLE_SECOND; break;
	}
}

void processes_table_draw(const struct node_view *node, size_t gpu, struct table_state *state, bool is_focused, struct canvas *c)
{
	char text[TEXT_BYTES] = "";
	struct drawing d = { .node = node, .text = text };
	const struct table_source source = { .context = &d, .rows = gpu_processes(node, gpu, &d.from), .cell = process_cell };
	node_table_draw(process_columns, sizeof process_columns / sizeof process_columns[0], &source, state, is_focused, c);
}
