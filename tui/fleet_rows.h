/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fleet screen lists: nodes or models, filtered and sorted, under one face. */
#ifndef PITWALL_TUI_FLEET_ROWS_H
#define PITWALL_TUI_FLEET_ROWS_H

#include "base/err.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stddef.h>

/* A node or a model (exactly one is not NULL), lent by the view. */
struct fleet_row {
	const struct node_row  *node;
	const struct model_row *model;
};

const char   *fleet_row_name(const struct fleet_row *r);
const char   *fleet_row_model(const struct fleet_row *r);
const char   *fleet_row_version(const struct fleet_row *r);
const char   *fleet_row_reason(const struct fleet_row *r);
double        fleet_row_value(const struct fleet_row *r, enum signal_id id);
const float  *fleet_row_history(const struct fleet_row *r, enum signal_id id);
enum severity fleet_row_severity(const struct fleet_row *r);
bool          fleet_row_is_known(const struct fleet_row *r);

/* What to sort by: a signal, or one of these. */
enum { FLEET_BY_STATE = SIGNAL_COUNT, FLEET_BY_NAME, FLEET_BY_MODEL, FLEET_BY_VERSION };

struct fleet_rows {
	struct fleet_row *items;
	size_t            n, cap;
};
void fleet_rows_release(struct fleet_rows *r);

/* Lists the fleet's nodes or models that the filter lets through: every word of it must be part of the node, group, model, version,
 * profile or state, without regard to case. By FLEET_BY_STATE the worst come first; `turned` turns any order round; equals stay in the
 * fleet's order; absent values come last either way. On failure the list is empty. */
enum err fleet_rows_fill(struct fleet_rows *r, const struct fleet_view *v, bool by_model, const char *filter, int sort, bool turned);

/* Puts a list back into the fleet's own order (by group and name). */
void fleet_rows_in_fleet_order(struct fleet_rows *r);

/* The first of the worst; 0 in an empty list. */
size_t fleet_rows_worst(const struct fleet_rows *r);

const char *severity_word(enum severity s); /* "ok", "info", "warn", "CRIT", "DOWN" */

#endif
