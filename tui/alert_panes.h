/* SPDX-License-Identifier: Apache-2.0
 *
 * The panes of the screen of one group of alerts: which there are, where they stand at a size, how each is drawn. */
#ifndef PITWALL_TUI_ALERT_PANES_H
#define PITWALL_TUI_ALERT_PANES_H

#include "tui/alert_lines.h"
#include "tui/alerts_data.h"
#include "tui/alerts_detail.h"
#include "tui/canvas.h"
#include "tui/chart_data.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>
#include <stddef.h>

/* Tab goes from one to the next. */
enum alert_pane { ALERT_PANE_MEMBERS, ALERT_PANE_CHANGED, ALERT_PANE_HISTORY, ALERT_PANE_ABOUT, ALERT_PANES };

struct alert_pane_data {
	const struct view             *view;
	const struct alert_group_item *group;
	const struct alert_lines      *lines;
	bool                           has_lines;  /* they were read */
	const struct changed_sight    *changed;    /* of the selected alert; NULL: not read yet */
	const struct version_suggestion *suggestion; /* what may be why; NULL: nothing is known */
	const struct chart_data       *chart;
	const char                    *chart_why;  /* why there is none: a sentence */
	const char                    *op;         /* of the threshold; NULL: there is none */
	double                         threshold;
	int64_t                        span_ms;
	enum alert_pane                focus;
};

/* Where the user is in each, and what drawing found out. Zeroed is a fine start. */
struct alert_panes {
	struct table_state tables[ALERT_PANES];
	int                top;                  /* of what is said about it: rows that have gone off */
	int                visible[ALERT_PANES];
	int                about_rows;           /* in all, when last drawn */
};

/* Draws head and panes into the present region. */
void alert_panes_draw(struct alert_panes *p, const struct alert_pane_data *d, struct canvas *c);

/* There is no such group at this time (d->group is NULL): `why`, and what is known of its past. */
void alert_panes_draw_gone(struct alert_panes *p, const struct alert_pane_data *d, const char *why, struct canvas *c);

#endif
