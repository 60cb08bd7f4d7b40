/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as rows of a table: on the events screen and on a node's. */
#ifndef PITWALL_TUI_EVENTS_TABLE_H
#define PITWALL_TUI_EVENTS_TABLE_H

#include "base/err.h"
#include "tui/canvas.h"
#include "tui/view.h"
#include "tui/widget_table.h"

#include <stdbool.h>
#include <stddef.h>

struct event_list {
	const struct event_row **rows; /* lent by the view */
	size_t                   n, cap;
};
enum err event_list_room(struct event_list *l, size_t n); /* on failure the list is empty */
void     event_list_release(struct event_list *l);

/* Where the event stands; 0 when it is not there. */
size_t event_list_find(const struct event_list *l, int64_t id);

/* Draws into the present region; clamps `state`. Ages are told as of the view time. */
void events_table_draw(const struct event_list *l, const struct view *view, struct table_state *state, bool has_node, bool is_focused,
                       struct canvas *c);

#endif
