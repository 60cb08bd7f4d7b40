/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/heat_scale.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tui/widget_heat.h"

/* Times what is usual. The usual value lies in the middle of the third of the eight steps; 3 times, where health warns of a latency
 * (rules/health.h), in the sixth, and its 6 times in the last. */
static const double LOW_TIMES = 0.4, HIGH_TIMES = 7;

static void fit(struct heat_scale *h)
{
	const struct signal_info *info = signal_info(h->signal);
	h->is_relative = info->top <= 0 && info->unit != UNIT_RATIO;
	if (h->is_relative) {
		h->low = LOW_TIMES;
		h->high = HIGH_TIMES;
	} else if (info->worse == WORSE_LOW) {
		h->low = info->top;
		h->high = info->crit;
	} else {
		h->low = 0;
		h->high = info->top > 0 ? info->top : info->crit > 0 ? info->crit : 1;
	}
}

static double fraction(const struct heat_scale *h, double v, double usual)
{
	if (!h->is_relative)
		return (v - h->low) / (h->high - h->low);
	if (v <= 0)
		return 0;
	return log(v / usual / h->low) / log(h->high / h->low);
}

static uint8_t step_before(const struct heat_scale *h, size_t i, uint64_t name)
{
	if (i < h->n && h->nodes[i].name == name)
		return h->nodes[i].step;
	for (size_t k = 0; k < h->n; k++)
		if (h->nodes[k].name == name)
			return h->nodes[k].step;
	return HEAT_NONE;
}

void heat_scale_update(struct heat_scale *h, enum signal_id signal, const struct fleet_view *fleet, const struct fleet_rows *nodes)
{
	if (signal != h->signal)
		h->n = 0;
	h->signal = signal;
	fit(h);
	if (h->is_relative && usual_update(&h->usual, signal, fleet) != ERR_OK)
		h->n = 0; /* then no tile has a value, for a moment */
	struct heat_node *now = malloc((nodes->n + 1) * sizeof *now);
	if (now == NULL) {
		h->n = 0;
		return;
	}
	for (size_t i = 0; i < nodes->n; i++) {
		const struct node_row *n = nodes->items[i].node;
		assert(n != NULL);
		uint64_t name = hash64(n->node, strlen(n->node), 0);
		double usual = h->is_relative ? usual_of(&h->usual, n) : (double)NAN;
		now[i] = (struct heat_node){ name, usual, heat_step(fraction(h, n->value[signal], usual), step_before(h, i, name)) };
	}
	free(h->nodes);
	h->nodes = now;
	h->n = nodes->n;
}

void heat_scale_release(struct heat_scale *h)
{
	usual_release(&h->usual);
	free(h->nodes);
	*h = (struct heat_scale){ 0 };
}

const char *heat_scale_range(const struct heat_scale *h, char to[HEAT_RANGE_SIZE])
{
	char low[UNIT_TEXT_SIZE], high[UNIT_TEXT_SIZE];
	enum signal_unit unit = signal_info(h->signal)->unit;
	if (h->is_relative)
		snprintf(to, HEAT_RANGE_SIZE, "%gx..%gx", h->low, h->high);
	else
		snprintf(to, HEAT_RANGE_SIZE, "%s..%s", unit_format(unit, h->low, 8, low), unit_format(unit, h->high, 8, high));
	return to;
}
