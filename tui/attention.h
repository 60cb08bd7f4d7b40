/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether somebody is to be called to the screen: a group of alerts fires as critical that did not a moment ago. */
#ifndef PITWALL_TUI_ATTENTION_H
#define PITWALL_TUI_ATTENTION_H

#include "base/buf.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ATTENTION_GROUPS_MAX = 4096 }; /* of more at once the last are not told apart */

struct alert_group_item;

struct attention {
	uint64_t *seen;  /* of the keys of critical groups, in order; owned */
	size_t    n;
	bool      has_looked;
};
/* Zeroed is a fine start. */
void attention_release(struct attention *a);

/* Looks at a new view: the worst group that is critical and was not at the last look; NULL: nobody is to be called. Only what is live calls anybody;
 * what is there at the first look does not. Lent by the view. */
const struct alert_group_item *attention_due(struct attention *a, const struct view *v);

/* What is called out: the alert, where, and what about it. */
enum err attention_text(const struct alert_group_item *g, struct buf *to);

#endif
