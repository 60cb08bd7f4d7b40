/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/run_curves.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tui/deploy_progress.h"
#include "tui/signal_look.h"

enum { CURVES_MAX = 4, LEFT = 6 /* where the gate's other lines begin */, TITLE_COLS = 8, VALUE_COLS = 6, CURVE_MIN = 8, CURVE_MAX = 30, APART = 2 };

struct curve {
	enum signal_id id;
	double         value; /* NaN: absent */
	float          history[HISTORY_POINTS];
};

static bool is_of_wave(const struct deploy_plan *p, size_t first, size_t n, const struct node_row *row)
{
	for (size_t i = first; i < first + n; i++)
		if (strcmp(p->units[i].unit.node, row->node) == 0)
			return true;
	return false;
}

struct mean {
	double sum;
	int    n;
};

static void add(struct mean *m, double v)
{
	if (!isnan(v)) {
		m->sum += v;
		m->n++;
	}
}

static double mean_of(const struct mean *m)
{
	return m->n > 0 ? m->sum / m->n : (double)NAN;
}

/* False: no node of the wave has it, now or before. */
static bool fill(struct curve *curve, enum signal_id id, const struct node_row *const *nodes, size_t n)
{
	struct mean points[HISTORY_POINTS] = { { 0, 0 } }, now = { 0, 0 };
	bool has_any = false;
	for (size_t i = 0; i < n; i++) {
		const float *history = nodes[i]->history[id];
		add(&now, nodes[i]->value[id]);
		for (int k = 0; history != NULL && k < HISTORY_POINTS; k++)
			add(&points[k], (double)history[k]);
	}
	*curve = (struct curve){ .id = id, .value = mean_of(&now) };
	for (int k = 0; k < HISTORY_POINTS; k++) {
		curve->history[k] = (float)mean_of(&points[k]);
		has_any |= points[k].n > 0;
	}
	return has_any || now.n > 0;
}

enum { NODES_MAX = 512 }; /* more do not change a mean that eight rows of a cell can show */

static size_t find(const struct deploy_plan *p, size_t wave, const struct fleet_view *v, struct curve to[CURVES_MAX])
{
	const struct {
		enum signal_id id;
		double         limit; /* 0: the gate does not look at it */
	} looked_at[CURVES_MAX] = {
		{ SIGNAL_LATENCY_P99, p->gate.latency_ratio },
		{ SIGNAL_ERRORS, p->gate.error_add },
		{ SIGNAL_ACCURACY, p->gate.quality_drop },
		{ SIGNAL_GPU_MEMORY, p->gate.memory_ratio },
	};
	const struct node_row *nodes[NODES_MAX];
	size_t n_units, first = plan_wave_units(p, wave, &n_units), n_nodes = 0, n = 0;
	for (size_t i = 0; v != NULL && i < v->n_nodes && n_nodes < NODES_MAX && n_nodes < n_units; i++)
		if (is_of_wave(p, first, n_units, &v->nodes[i]))
			nodes[n_nodes++] = &v->nodes[i];
	for (size_t i = 0; i < CURVES_MAX; i++)
		if (looked_at[i].limit > 0 && fill(&to[n], looked_at[i].id, nodes, n_nodes))
			n++;
	return n;
}

int run_curves_draw(const struct deploy_plan *p, size_t wave, const struct fleet_view *v, struct canvas *c, int row)
{
	struct curve curves[CURVES_MAX];
	size_t n = find(p, wave, v, curves);
	int room = canvas_region(c).cols - LEFT - 1, least = TITLE_COLS + VALUE_COLS + 1 + CURVE_MIN + APART;
	while (n > 1 && (int)n * least > room)
		n--;
	if (n == 0 || room < least)
		return 0;
	int each = room / (int)n, picture = each - TITLE_COLS - VALUE_COLS - 1 - APART;
	picture = picture > CURVE_MAX ? CURVE_MAX : picture;
	for (size_t i = 0; i < n; i++) {
		int col = LEFT + (int)i * (TITLE_COLS + VALUE_COLS + 1 + picture + APART);
		canvas_put_width(c, row, col, TITLE_COLS, -1, ROLE_SECOND, signal_info(curves[i].id)->title);
		signal_put(c, row, col + TITLE_COLS, VALUE_COLS, curves[i].id, curves[i].value, ROLE_COUNT);
		signal_spark(c, row, col + TITLE_COLS + VALUE_COLS + 1, picture, curves[i].id, curves[i].history, curves[i].value, signal_role(curves[i].id, curves[i].value));
	}
	return 1;
}
