/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows below a sheet: the reason, and where it stands with being confirmed; and what is shown while there is no plan yet. */
#ifndef PITWALL_TUI_SHEET_FOOT_H
#define PITWALL_TUI_SHEET_FOOT_H

#include "tui/arming.h"
#include "tui/canvas.h"
#include "tui/deploys_data.h"
#include "tui/prompt.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stdint.h>

enum sheet_mode { SHEET_READS, SHEET_CHOOSES /* a version */, SHEET_ACTS /* chooses something else to do */, SHEET_WRITES_NUMBER /* for that */, SHEET_WRITES_REASON, SHEET_ASKS_WHO };

struct sheet_foot {
	const struct view          *view;
	const struct deploy_detail *detail; /* NULL: nothing is known */
	enum sheet_mode             mode;
	const struct arming        *arming;
	const char                 *reason, *said; /* said: why what was asked for could not be; "" */
	const struct driver_action *action; /* that a number is written for; else NULL */
	bool                        is_confirmed;  /* and the recorder has not said anything to it yet */
};

/* Why it can't be confirmed here and now, a sentence; "": it can. */
const char *sheet_why_not(const struct view *v, const struct deploy_detail *d);

/* Three rows, or one. `typed` is drawn where something is written (its scroll is moved). */
void sheet_foot_draw(const struct sheet_foot *f, struct prompt *typed, struct canvas *c);

/* There is no plan: who is asked, what is known, or why there will be none. */
void sheet_waiting_draw(const struct view *v, const struct deploy_detail *d, const char *target, int64_t asked_ms, struct canvas *c);

#endif
