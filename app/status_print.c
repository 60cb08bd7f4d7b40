/* SPDX-License-Identifier: Apache-2.0 */
#include "app/status_print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "tui/fleet_state.h"

/* Columns of the table, shown where any node has the signal. */
static const enum signal_id columns[] = {
	SIGNAL_REQUESTS, SIGNAL_ERRORS, SIGNAL_LATENCY_P50, SIGNAL_LATENCY_P99, SIGNAL_QUEUE, SIGNAL_TOKENS, SIGNAL_TTFT_P95, SIGNAL_KV_CACHE,
	SIGNAL_GPU_UTIL, SIGNAL_GPU_MEMORY, SIGNAL_GPU_TEMP, SIGNAL_ACCURACY,
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0], VALUE_COLUMNS = 7, NODE_MAX = 32, MODEL_MAX = 20, VERSION_MAX = 12, REASON_MAX = 60 };

static const char *severity_word(const struct node_row *n)
{
	static const char *const words[SEVERITY_COUNT] = { "ok", "info", "warn", "crit", "down" };
	return n->seen_ms == 0 ? "unknown" : words[n->severity];
}

/* ---- table ---- */

static int worst_first(const void *a, const void *b)
{
	const struct node_row *x = *(const struct node_row *const *)a, *y = *(const struct node_row *const *)b;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return (x > y) - (x < y); /* by group and name, as they stand in the view */
}

static const struct node_row **sorted_nodes(const struct fleet_view *v)
{
	const struct node_row **nodes = calloc(v->n_nodes + 1, sizeof *nodes);
	for (size_t i = 0; nodes != NULL && i < v->n_nodes; i++)
		nodes[i] = &v->nodes[i];
	if (nodes != NULL && v->n_nodes > 0)
		qsort(nodes, v->n_nodes, sizeof *nodes, worst_first);
	return nodes;
}

struct widths {
	int node, model, version;
};

static struct widths measure(const struct fleet_view *v)
{
	struct widths w = { 4, 5, 7 };
	for (size_t i = 0; i < v->n_nodes; i++) {
		w.node = cells_wider(w.node, v->nodes[i].node, NODE_MAX);
		w.model = cells_wider(w.model, v->nodes[i].model, MODEL_MAX);
		w.version = cells_wider(w.version, v->nodes[i].version, VERSION_MAX);
	}
	return w;
}

static void put_totals(const struct fleet_view *v, struct buf *to)
{
	char at[TIME_TEXT];
	text_safe(to, v->name, strlen(v->name));
	buf_printf(to, "%s%zu nodes: %d down, %d crit, %d warn, %d ok", v->name[0] != '\0' ? "  " : "", v->n_nodes, v->n_by_severity[SEVERITY_DOWN],
	           v->n_by_severity[SEVERITY_CRIT], v->n_by_severity[SEVERITY_WARN],
	           v->n_by_severity[SEVERITY_OK] + v->n_by_severity[SEVERITY_INFO]);
	if (v->n_unknown > 0)
		buf_printf(to, ", %d not polled yet", v->n_unknown);
	buf_printf(to, "  as of %s\n", format_time(v->t_ms / 1000 * 1000, at));
}

static void put_node(const struct fleet_view *v, const struct node_row *n, const struct widths *w, struct buf *to)
{
	char text[UNIT_TEXT_SIZE];
	cells_put(to, severity_word(n), 7);
	cells_put(to, n->node, w->node);
	cells_put(to, n->model, w->model);
	cells_put(to, n->version, w->version);
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (!isnan(v->total[columns[i]]))
			cells_put_right(to, unit_format(signal_info(columns[i])->unit, n->value[columns[i]], VALUE_COLUMNS, text), VALUE_COLUMNS);
	text_cut(to, n->reason, strlen(n->reason), REASON_MAX);
	cells_end(to);
}

static enum err print_table(const struct fleet_view *v, struct buf *to)
{
	const struct node_row **nodes = sorted_nodes(v);
	if (nodes == NULL)
		return ERR_MEMORY;
	struct widths w = measure(v);
	put_totals(v, to);
	cells_put(to, "STATE", 7);
	cells_put(to, "NODE", w.node);
	cells_put(to, "MODEL", w.model);
	cells_put(to, "VERSION", w.version);
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (!isnan(v->total[columns[i]]))
			cells_put_right(to, signal_info(columns[i])->title, VALUE_COLUMNS);
	buf_puts(to, "WHY\n");
	for (size_t i = 0; i < v->n_nodes; i++)
		put_node(v, nodes[i], &w, to);
	free(nodes);
	return to->err;
}

/* ---- JSON ---- */

static void put_json_node(const struct node_row *n, struct buf *to)
{
	char at[TIME_TEXT];
	buf_putc(to, '{');
	cells_put_member(to, "node", n->node);
	cells_put_member(to, "group", n->group);
	cells_put_member(to, "model", n->model);
	cells_put_member(to, "version", n->version);
	cells_put_member(to, "profile", n->profile);
	cells_put_member(to, "state", severity_word(n));
	cells_put_member(to, "reason", n->reason);
	buf_printf(to, "\"targets\":%d,\"targets_up\":%d,\"seen\":", n->n_targets, n->n_targets_up);
	buf_printf(to, n->seen_ms != 0 ? "\"%s\"" : "null%s", n->seen_ms != 0 ? format_time(n->seen_ms, at) : "");
	buf_puts(to, ",\"signals\":{");
	bool first = true;
	for (size_t id = 0; id < SIGNAL_COUNT; id++) {
		if (id == SIGNAL_VERSION)
			continue;
		buf_printf(to, "%s\"%s\":", first ? "" : ",", signal_info((enum signal_id)id)->metric);
		first = false;
		if (isfinite(n->value[id]))
			json_put_f64(to, n->value[id]);
		else
			buf_puts(to, "null");
	}
	buf_puts(to, "}}");
}

static enum err print_json(const struct fleet_view *v, struct buf *to)
{
	char at[TIME_TEXT];
	buf_putc(to, '{');
	cells_put_member(to, "fleet", v->name);
	cells_put_member(to, "time", format_time(v->t_ms, at));
	buf_puts(to, "\"nodes\":[");
	for (size_t i = 0; i < v->n_nodes; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_json_node(&v->nodes[i], to);
	}
	return buf_puts(to, "\n]}\n");
}

/* ---- CSV (RFC 4180) ---- */

static enum err print_csv(const struct fleet_view *v, struct buf *to)
{
	char number[NUMBER_TEXT];
	buf_puts(to, "node,group,model,version,profile,state,reason");
	for (size_t id = 0; id < SIGNAL_COUNT; id++)
		if (id != SIGNAL_VERSION)
			buf_printf(to, ",%s", signal_info((enum signal_id)id)->metric);
	buf_puts(to, "\r\n");
	for (size_t i = 0; i < v->n_nodes; i++) {
		const struct node_row *n = &v->nodes[i];
		cells_put_csv(to, n->node);
		cells_put_csv(to, n->group);
		cells_put_csv(to, n->model);
		cells_put_csv(to, n->version);
		cells_put_csv(to, n->profile);
		cells_put_csv(to, severity_word(n));
		cells_put_csv(to, n->reason);
		for (size_t id = 0; id < SIGNAL_COUNT; id++)
			if (id != SIGNAL_VERSION)
				buf_printf(to, "%s%s", id > 0 ? "," : "", isnan(n->value[id]) ? "" : format_f64(n->value[id], number));
		buf_puts(to, "\r\n");
	}
	return to->err;
}

enum err status_print(const struct fleet_view *v, enum cells_format format, struct buf *to)
{
	switch (format) {
	case CELLS_JSON: return print_json(v, to);
	case CELLS_CSV: return print_csv(v, to);
	case CELLS_TABLE: break;
	}
	return print_table(v, to);
}

static enum severity worst_of(const struct fleet_view *v)
{
	enum severity worst = SEVERITY_OK;
	for (size_t i = 0; i < v->n_nodes; i++)
		if (v->nodes[i].severity > worst)
			worst = v->nodes[i].severity;
	return worst;
}

enum err status_of_store(const char *path, int64_t t_ms, enum cells_format format, struct buf *to, enum severity *worst, struct why *why)
{
	struct reader *r = NULL;
	struct fleet_state *state = NULL;
	struct fleet_view *v = NULL;
	struct arena arena;
	arena_init(&arena);
	enum err e = reader_open(path, READER_OWN, &r, why);
	if (e == ERR_OK)
		e = fleet_state_new(&state, why);
	if (e == ERR_OK)
		e = fleet_state_move(state, r, t_ms, why);
	if (e == ERR_OK)
		e = fleet_state_view(state, r, &arena, &v, why);
	if (e == ERR_OK && (e = status_print(v, format, to)) != ERR_OK)
		why_set(why, e, "the fleet is too large to print");
	if (e == ERR_OK && worst != NULL)
		*worst = worst_of(v);
	fleet_state_free(state);
	reader_close(r);
	arena_release(&arena);
	return e;
}
