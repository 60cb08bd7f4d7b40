/* SPDX-License-Identifier: Apache-2.0
 *
 * What is usual for a signal, model by model: the median of all that a model's nodes had in their histories. Almost half of
 * them may be sick without moving it far, and a model on a single node has its own past to be compared with. Nodes whose model is not
 * known are taken together by profile.
 *
 * Zero is an idle node or no traffic and tells nothing of what a working one has: it does not count, but for counts of requests, of which
 * at least one is taken as usual. */
#ifndef PITWALL_TUI_USUAL_H
#define PITWALL_TUI_USUAL_H

#include "base/err.h"
#include "tui/view.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. */
struct usual {
	enum signal_id      signal;
	struct usual_model *models; /* by key */
	size_t              n;
};
void usual_release(struct usual *u);

/* Brings it to that fleet and signal. What was usual before stays until the new median is a tenth away. On failure it is empty. */
enum err usual_update(struct usual *u, enum signal_id signal, const struct fleet_view *v);

/* For the node's model; NaN: nothing is known. */
double usual_of(const struct usual *u, const struct node_row *n);

/* By what a node is taken together with others: its model, else its profile. Lent by the node. */
const char *usual_name(const struct node_row *n);

#endif
