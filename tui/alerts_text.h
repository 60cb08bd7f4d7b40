/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of alerts, the same on all screens. */
#ifndef PITWALL_TUI_ALERTS_TEXT_H
#define PITWALL_TUI_ALERTS_TEXT_H

#include "base/buf.h"
#include "tui/alerts_data.h"
#include "tui/role.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stddef.h>

enum { ALERTS_TEXT = 256 };

/* "gpu-a-01", "12 nodes", "" */
const char *alerts_nodes_text(const struct alert_group_item *g, char to[ALERTS_TEXT]);

/* Who has it, or what it is where nobody need: "alice", "nobody", "was alice" (void since), "pending", "silenced". */
const char *alerts_owner_text(const struct alert_group_item *g, char to[ALERTS_TEXT]);

/* Whether an acknowledgement of it has become void, and nobody has it since: by itself, and not since somebody took it back. */
bool alerts_is_void(const struct alert_group_item *g);

/* Whether nobody has had it for too long. */
bool alerts_stands_out(const struct alert_group_item *g, const struct view *v);

/* The ink of a group, by its phase: that of its severity only while it fires. */
enum role alerts_role(const struct alert_group_item *g);

/* "firing for 4m12s", "pending for 20s", "resolved 3m ago" as of the view time. */
const char *alerts_state_text(const struct alert_group_item *g, int64_t t_ms, char to[ALERTS_TEXT]);

/* "alice from 10.0.0.5"; "alice (svc-ops) from 10.0.0.5" where the account says something else. */
const char *actor_text(const struct actor *a, char to[ALERTS_TEXT]);

/* "acknowledged 3m ago by alice until 15:04Z: on it", or why that is over. */
enum err ack_sentence(struct buf *to, const struct ack_row *a, int64_t t_ms);

/* Who has it, or what hides it, in a sentence; returns its ink. */
enum role alerts_owner_sentence(const struct alert_group_item *g, const struct view *v, struct buf *to);

/* What an Alertmanager says of an alert (its `there` is not NULL): "am: suppressed; silenced by bob until 18:00:00Z: work; told to page". */
enum err alerts_there_sentence(struct buf *to, const struct alert_item *a, const struct alerts_view *v);

/* An Alertmanager that does not answer, and since when, in a sentence; "" where all do. */
enum err alerts_trouble_sentence(struct buf *to, const struct alerts_view *v);

/* Seconds are enough: "4m12s", "" for a time that is not. */
const char *since_text(int64_t from_ms, int64_t t_ms, char to[ALERTS_TEXT]);

/* "14:07:31Z", with the date before it where it is another one than the view's. */
const char *moment_text(int64_t at_ms, int64_t t_ms, char to[ALERTS_TEXT]);

#endif
