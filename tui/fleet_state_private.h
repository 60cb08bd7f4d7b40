/* SPDX-License-Identifier: Apache-2.0
 *
 * What fleet_state.c keeps and fleet_view.c and node_view.c make snapshots of. */
#ifndef PITWALL_TUI_FLEET_STATE_PRIVATE_H
#define PITWALL_TUI_FLEET_STATE_PRIVATE_H

#include "base/labels.h"
#include "base/stale.h"
#include "rules/health.h"
#include "rules/signal.h"
#include "store/reader.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target_state {
	int64_t              id;
	struct labels       *labels;     /* owned */
	char                *url;        /* owned */
	bool                 is_listed;  /* polled at T */
	int64_t              last_ms;    /* newest signal frame's time; 0: none */
	int64_t              interval_ms; /* the smallest distance of two frames, but the first; 0: not known */
	bool                 has_gap;    /* two frames were seen; the distance of the first two says nothing */
	const struct layout *layout;     /* of the newest frame; the reader's */
	size_t               n;          /* of values and signals */
	uint8_t             *signals;    /* enum signal_id of each series; SIGNAL_COUNT: none */
	double              *values;     /* NaN: absent */
	int64_t              bucket;     /* newest step in the rings */
	float               *history[SIGNAL_COUNT];
	int64_t              told_ms, told_id; /* of the newest event about its scrapes; 0: none is known */
	enum severity        failure;    /* that it tells; SEVERITY_OK: that it answers again */
	char                *failure_text; /* owned; NULL: none */
};

struct fleet_state {
	int64_t              t_ms;       /* 0: empty */
	int64_t              step_ms, interval_ms;
	struct target_state *targets;    /* by id */
	size_t               n_targets, cap_targets;
};

bool target_is_up(const struct target_state *t); /* as its newest frame says */
/* Its values are young enough to count at the state's T. */
bool target_is_fresh(const struct fleet_state *s, const struct target_state *t);
/* It has missed two answers and more: another one that tells the same is to be believed rather. */
bool target_is_late(const struct fleet_state *s, const struct target_state *t);
/* Polled at T, and of that node; a target without a node label is a node of its own. */
bool target_is_of_node(const struct target_state *t, const char *node);

#endif
