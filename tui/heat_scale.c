/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/heat_scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tui/widget_heat.h"

/* The next of 1, 2, 5, 10, ... that is not below v. */
static double round_up(double v)
{
	double decade = pow(10, floor(log10(v)));
	double times = v / decade;
	return decade * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The value that nine in ten nodes do not pass: a few sick ones must not make all others look alike. 0 where there is none. */
static double usual_largest(const struct heat_scale *h, const struct fleet_rows *nodes)
{
	double *values = malloc((nodes->n + 1) * sizeof *values);
	size_t n = 0;
	if (values == NULL)
		return 0;
	for (size_t i = 0; i < nodes->n; i++) {
		double v = fleet_row_value(&nodes->items[i], h->signal);
		if (isfinite(v) && v > 0)
			values[n++] = v;
	}
	if (n > 1)
		qsort(values, n, sizeof *values, compare_doubles);
	double v = n > 0 ? values[n * 9 / 10 < n ? n * 9 / 10 : n - 1] : 0;
	free(values);
	return v;
}

/* A signal without a fixed scale goes from 0 to a round number above what is usual, which shrinks only when that fell to a quarter. */
static void fit(struct heat_scale *h, const struct signal_info *info, const struct fleet_rows *nodes)
{
	double largest = usual_largest(h, nodes);
	if (info->top > 0) {
		h->low = info->worse == WORSE_LOW ? info->top : 0;
		h->high = info->worse != WORSE_LOW ? info->top : info->crit > 0 ? info->crit : 0;
		return;
	}
	h->low = 0;
	if (largest > h->high || largest < h->high / 4)
		h->high = largest > 0 ? round_up(largest) : 1;
}

static uint8_t step_before(const struct heat_scale *h, size_t i, uint64_t name)
{
	if (i < h->n && h->names[i] == name)
		return h->steps[i];
	for (size_t k = 0; k < h->n; k++)
		if (h->names[k] == name)
			return h->steps[k];
	return HEAT_NONE;
}

void heat_scale_update(struct heat_scale *h, enum signal_id signal, const struct fleet_rows *nodes)
{
	if (signal != h->signal) {
		h->signal = signal;
		h->high = 0;
		h->n = 0;
	}
	fit(h, signal_info(signal), nodes);
	uint8_t *steps = malloc(nodes->n + 1);
	uint64_t *names = malloc((nodes->n + 1) * sizeof *names);
	if (steps == NULL || names == NULL) {
		free(steps);
		free(names);
		h->n = 0;
		return;
	}
	for (size_t i = 0; i < nodes->n; i++) {
		const char *name = fleet_row_name(&nodes->items[i]);
		names[i] = hash64(name, strlen(name), 0);
		double v = fleet_row_value(&nodes->items[i], signal);
		steps[i] = heat_step((v - h->low) / (h->high - h->low), step_before(h, i, names[i]));
	}
	free(h->steps);
	free(h->names);
	h->steps = steps;
	h->names = names;
	h->n = nodes->n;
}

void heat_scale_release(struct heat_scale *h)
{
	free(h->steps);
	free(h->names);
	*h = (struct heat_scale){ 0 };
}
