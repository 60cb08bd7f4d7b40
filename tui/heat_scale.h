/* SPDX-License-Identifier: Apache-2.0
 *
 * Which value is how hot: the scale of a signal over a fleet, and each node's step on it. Both resist noise: the scale only changes when
 * the data leave it far, and a step only when the value is well past its edge. */
#ifndef PITWALL_TUI_HEAT_SCALE_H
#define PITWALL_TUI_HEAT_SCALE_H

#include "tui/fleet_rows.h"

#include <stdint.h>

struct heat_scale {
	enum signal_id signal;
	double         low, high; /* low may be the larger: where small values are bad, they are the hot ones */
	uint8_t       *steps;     /* of the rows, in their order; HEAT_NONE: no value */
	uint64_t      *names;     /* hashes of the nodes that the steps belong to */
	size_t         n, cap;
};

/* On failure n is 0. */
void heat_scale_update(struct heat_scale *h, enum signal_id signal, const struct fleet_rows *nodes);
void heat_scale_release(struct heat_scale *h);

#endif
