/* SPDX-License-Identifier: Apache-2.0
 *
 * Marks: what happened, for the time axes of charts. Alerts that began and were resolved, acknowledgements, deployments, changes of version, restarts,
 * notes; read from the store for a span of time, and picked for one chart by the nodes or the model that it is about. */
#ifndef PITWALL_TUI_MARKS_H
#define PITWALL_TUI_MARKS_H

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"
#include "tui/widget_chart.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

/* In the order in which one stands for others that fall into its column. */
enum mark_kind { MARK_ALERT, MARK_DEPLOY, MARK_VERSION, MARK_RESTART, MARK_ACK, MARK_RESOLVED, MARK_NOTE, MARK_KINDS };

struct mark {
	int64_t        at_ms;
	enum mark_kind kind;
	enum severity  severity; /* of an alert */
	const char    *node, *model; /* "": of none in particular */
	const char    *text;     /* as people gave it and nodes sent it */
};

struct marks_view {
	struct mark *items; /* oldest first */
	size_t       n;
	bool         is_cut; /* there are more, which are older */
};

enum { MARKS_MAX = 2000, MARKS_SHOWN = 400 };

/* What happened in (after_ms, until_ms], as of until_ms; into the arena. Blocks on the disk. */
enum err marks_read(struct reader *r, int64_t after_ms, int64_t until_ms, struct arena *a, struct marks_view *out, struct why *why);

/* Which marks a chart has: those of its nodes, else those of its model, else all. What is of no node or model in particular is on every chart. */
struct mark_filter {
	const char *const *nodes;
	size_t             n_nodes;
	const char        *model; /* NULL: any; with nodes: theirs */
};

/* The newest MARKS_SHOWN of [from_ms, until_ms] into `to`; returns how many. A chart ends on a whole step: what came in the step that is not there yet
 * (late_ms) counts as of its end. Texts stay lent by the view. */
size_t marks_pick(const struct marks_view *v, const struct mark_filter *f, int64_t from_ms, int64_t until_ms, int64_t late_ms,
                  struct chart_mark to[MARKS_SHOWN]);

#endif
