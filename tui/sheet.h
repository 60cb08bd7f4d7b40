/* SPDX-License-Identifier: Apache-2.0
 *
 * The sheet: all that a redeploy or rollback would do, before it is done, and the one place where it is confirmed. It is opened at once, and filled when the
 * plan stands in the store; the confirmation wants a deliberate key (tui/arming.h). */
#ifndef PITWALL_TUI_SHEET_H
#define PITWALL_TUI_SHEET_H

#include "tui/deploys_ask.h"
#include "tui/screen.h"

#include <stdint.h>

/* Of a plan that is asked for by the request of that id; NULL: who asks has to be asked first, and the sheet asks for the plan then. Texts are copied. NULL: out
 * of memory. */
struct screen *sheet_screen_new(const struct deploy_wish *w, const char *request, const struct view *v);

/* Of one that was planned. */
struct screen *sheet_screen_of(int64_t deployment);

#endif
