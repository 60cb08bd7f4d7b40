/* SPDX-License-Identifier: Apache-2.0
 *
 * The screens there are. Each is made here by what makes it; all else goes through tui/screen.h. NULL: out of memory. */
#ifndef PITWALL_TUI_SCREENS_H
#define PITWALL_TUI_SCREENS_H

#include "rules/signal.h"
#include "tui/screen.h"

/* All nodes: heat map or table. The bottom of the stack. */
struct screen *fleet_screen_new(void);

/* One node: signals, targets, GPUs, versions, events. The name is copied. */
struct screen *node_screen_new(const char *node);

/* A chart of one signal: of some nodes (names copied; n 0: of the whole fleet, by model). */
struct screen *chart_screen_of_signal(enum signal_id id, const char *const *nodes, size_t n);

/* A chart of any PromQL expression (copied). */
struct screen *chart_screen_of_query(const char *expression);

/* What happened: of one node, or (NULL) everywhere. */
struct screen *events_screen_new(const char *node);

/* The logs of a node: what there is, then the live tail of one. The name is copied. */
struct screen *log_screen_new(const char *node);

/* The alerts there are, in their groups. */
struct screen *alerts_screen_new(void);

/* How the rules are. */
struct screen *rules_screen_new(void);

/* All about one group of alerts. The key is copied. */
struct screen *alert_screen_new(const char *key);

/* Redeploys and rollbacks: those there are. */
struct screen *deploys_screen_new(void);

/* One that was confirmed: how far it is, and what can be done about it. */
struct screen *run_screen_new(int64_t deployment);

/* The sheet of one that is to be confirmed: tui/sheet.h. */

/* The silences there are, those to come and those over lately. `selected` (copied): the one to begin at; NULL: the first. */
struct screen *silences_screen_new(const char *selected);

#endif
