/* SPDX-License-Identifier: Apache-2.0
 *
 * Which value is how hot. A signal with a range of its own (a ratio, a temperature) has that range for all nodes. Of the others a fast
 * and a slow model have nothing in common but that each has something usual: the scale is how many times the usual of its model
 * (tui/usual.h) a node has, in steps of equal factors, so that what is usual is the same calm step for all. Both resist noise: what is
 * usual is held until the data have left it by a tenth, a step until the value is well past its edge. */
#ifndef PITWALL_TUI_HEAT_SCALE_H
#define PITWALL_TUI_HEAT_SCALE_H

#include "tui/fleet_rows.h"
#include "tui/usual.h"

#include <stdbool.h>
#include <stdint.h>

struct heat_node {
	uint64_t name;  /* hashed */
	double   usual; /* of its model; NaN: not known, or the scale is not by it */
	uint8_t  step;  /* HEAT_NONE: no value */
};

/* Zeroed is empty. */
struct heat_scale {
	enum signal_id    signal;
	bool              is_relative; /* low and high are times what is usual */
	double            low, high;   /* low may be the larger: where small values are bad, they are the hot ones */
	struct usual      usual;
	struct heat_node *nodes;       /* of the rows, in their order */
	size_t            n;
};

/* `nodes` are rows of nodes, any of the fleet's; all of the fleet says what is usual. On failure n is 0. */
void heat_scale_update(struct heat_scale *h, enum signal_id signal, const struct fleet_view *fleet, const struct fleet_rows *nodes);
void heat_scale_release(struct heat_scale *h);

/* "0%..100%", "0.4x..7x". */
enum { HEAT_RANGE_SIZE = 64 };
const char *heat_scale_range(const struct heat_scale *h, char to[HEAT_RANGE_SIZE]);

#endif
