/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialogs of tui/alerts_ask.h. Each holds copies of all that it is about, so that it stays what it was while the view goes on. Enter
 * makes a request of it (struct requests, `ask`) and closes; what is wrong with it is said, and it stays. */
#ifndef PITWALL_TUI_ALERTS_DIALOG_H
#define PITWALL_TUI_ALERTS_DIALOG_H

#include "alerts/request.h"
#include "tui/screen.h"
#include "tui/view.h"

#include <stddef.h>
#include <stdint.h>

/* What a dialog is made of; texts and keys are copied. */
struct alerts_dialog_options {
	enum request_kind  kind;
	const char        *title, *keys_text; /* keys_text: of the lower edge, "Enter acknowledge   Tab next   Esc leave it" */
	const char        *about;             /* what it is done to, perhaps several lines */
	const char *const *keys;              /* of ack and unack */
	size_t             n_keys;
	const char        *matchers;          /* of silence, as people write them */
	const char        *silence;           /* of unsilence: its id */
	int64_t            alert;             /* of note; 0: none, likewise the next two */
	const char        *node;
	int64_t            at_ms;
};

/* NULL: out of memory. */
struct screen *alerts_dialog_new(const struct alerts_dialog_options *o, const struct view *v);

/* "18:30" (UTC; tomorrow's, if that was today's already), "2h", "90m", "2026-11-24 09:00": a moment that is still to come. ERR_FORMAT, ERR_RANGE. */
enum err alerts_until(const char *text, int64_t now_ms, int64_t *out_ms, struct why *why);

#endif
