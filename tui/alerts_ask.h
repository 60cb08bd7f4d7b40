/* SPDX-License-Identifier: Apache-2.0
 *
 * What people do about alerts, as dialogs that end in a request (struct requests, `ask`): acknowledge, take that back, silence, note. */
#ifndef PITWALL_TUI_ALERTS_ASK_H
#define PITWALL_TUI_ALERTS_ASK_H

#include "base/buf.h"
#include "tui/screen.h"
#include "tui/view.h"

#include <stddef.h>
#include <stdint.h>

struct alert_group_item;

/* The groups a command is about; all is lent for the call. */
struct alerts_subject {
	const struct alert_group_item *const *groups;
	size_t                                n;
};

/* COMMAND_ACK, COMMAND_UNACK, COMMAND_SILENCE, COMMAND_NOTE about these groups: a dialog to push, or a sentence why not. COMMAND_VIEW_SILENCES: the list
 * of silences, at one that hides one of them. NEXT_IGNORED: another command. */
enum next alerts_command(enum command c, const struct view *v, const struct alerts_subject *s, struct requests *out);

/* Whether the command is of use. */
bool alerts_offers(enum command c, const struct view *v, const struct alerts_subject *s);

/* COMMAND_ROLLBACK, COMMAND_REDEPLOY about one group: of its model, else of its node, with what it says as the reason. A rollback goes to just the
 * version that the suggestion (NULL: none) says was there before. */
struct version_suggestion;
enum next alerts_deploy(enum command c, const struct view *v, const struct alert_group_item *g, const struct version_suggestion *s, struct requests *out);

/* A note on a node (NULL: none), or on the view time alone. */
enum next note_command(const struct view *v, const char *node, struct requests *out);

struct silence_row;
/* COMMAND_UNSILENCE about this one (NULL: none is selected): a dialog, or a sentence why not. */
enum next unsilence_command(const struct view *v, const struct silence_row *s, struct requests *out);
bool      unsilence_offers(const struct view *v, const struct silence_row *s);

/* The matchers of one as people write them; "" where they cannot be read. */
enum err silence_matchers_text(const struct silence_row *s, struct buf *to);

#endif
