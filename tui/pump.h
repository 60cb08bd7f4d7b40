/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins a console to a terminal and a loop: input to events, events to wishes, wishes to frames. A key is painted at once; new data are
 * painted together, the clock once a second, and nothing at all when nothing changed. */
#ifndef PITWALL_TUI_PUMP_H
#define PITWALL_TUI_PUMP_H

#include "base/loop.h"
#include "tui/console.h"
#include "tui/terminal.h"

struct pump_options {
	struct loop                *loop;
	const struct clock         *clock;
	const struct console_host  *host;     /* copied; COMMAND_THEME and COMMAND_MOUSE never reach it */
	const struct keymap        *keys;     /* lent */
	const char                 *theme;    /* a name, or "auto": dark, or light where the terminal says that it is */
	const char                 *config_dir; /* where themes of the user's are; may be NULL */
	struct terminal_options     terminal;
	/* The console has ended: `signal` is the number of the signal that asked for it (0: none), `why` a sentence or "". The terminal is
	 * as it was before. Called once, from the loop with nothing of the pump on the stack. */
	void (*ended)(void *context, int signal, const char *why);
	void *context;
};

struct lend; /* tui/lend.h */
struct pump; /* opaque: laid out in pump.c */

/* Takes the terminal and paints the first frame. `first` passes to it, also on failure. */
enum err pump_new(const struct pump_options *o, struct screen *first, struct pump **out, struct why *why);
/* Gives the terminal back. Not from within a call of the host; from `ended` it is fine. NULL is fine. */
void pump_free(struct pump *p);

/* The view is another, or holds other things. */
void pump_changed(struct pump *p);
void pump_message(struct pump *p, enum role role, const char *text);
/* Calls somebody to the screen (tui/calling.h): multiplexers mark the window by the bell, terminals show the text. */
void pump_call(struct pump *p, enum fleet_attention how, const char *text);
/* Puts a screen on top; ownership passes. Not from within a call of the host. */
void pump_push(struct pump *p, struct screen *s);
/* Lends the terminal; likewise. */
void pump_lend(struct pump *p, struct lend *l);
struct console *pump_console(struct pump *p);

#endif
