/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PITWALL_TUI_NODE_FACTS_H
#define PITWALL_TUI_NODE_FACTS_H

#include "base/arena.h"
#include "base/err.h"
#include "tui/view.h"

/* Fills the view's host and services from its targets' details and its events, which must be there. The texts stay those of the details, the rest
 * comes from the arena. Fails with ERR_MEMORY only; the view may then have some of it. */
enum err node_facts_fill(struct node_view *v, struct arena *a);

#endif
