/* SPDX-License-Identifier: Apache-2.0
 *
 * What the alerts screen lists: groups, filtered and sorted; what is silenced or inhibited is one row at the end until it is unfolded. And which of
 * them are tagged, by their keys, so that a tag stays with its group. */
#ifndef PITWALL_TUI_ALERTS_ROWS_H
#define PITWALL_TUI_ALERTS_ROWS_H

#include "base/err.h"
#include "tui/alerts_data.h"

#include <stdbool.h>
#include <stddef.h>

/* By state: as the view has them. */
enum alerts_sort { ALERTS_BY_STATE, ALERTS_BY_SINCE, ALERTS_BY_OWNER, ALERTS_BY_RULE, ALERTS_BY_MODEL, ALERTS_BY_NODE, ALERTS_SORTS };

struct alerts_rows {
	const struct alert_group_item **items; /* lent by the view; NULL: the row that stands for what is folded away */
	size_t                          n, cap;
	size_t                          n_shown, n_hidden; /* that pass the filter; n_hidden of what is hidden, folded away or not */
};

/* Every word of the filter must be part of the rule, model, node, summary, owner, state or severity, without regard to case. What fires
 * stays before what does not, whatever the order. On failure the list is empty. */
enum err alerts_rows_fill(struct alerts_rows *r, const struct alerts_view *v, const char *filter, enum alerts_sort sort, bool turned,
                          bool is_unfolded);
void     alerts_rows_release(struct alerts_rows *r);

/* Where the group with that key stands; SIZE_MAX: nowhere. */
size_t alerts_rows_find(const struct alerts_rows *r, const char *key);

enum { ALERTS_TAGS_MAX = 500 }; /* as many as one request may name */

struct alerts_tags {
	char  **keys; /* in byte order; owned */
	size_t  n;
};
bool     alerts_tags_has(const struct alerts_tags *t, const char *key);
enum err alerts_tags_turn(struct alerts_tags *t, const char *key); /* tags it, or takes the tag off. ERR_LIMIT, ERR_MEMORY: as it was */
/* Takes off the tags of groups that are not there any more. */
void     alerts_tags_keep(struct alerts_tags *t, const struct alerts_view *v);
void     alerts_tags_clear(struct alerts_tags *t); /* and gives all back */

#endif
