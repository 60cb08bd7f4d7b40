/* SPDX-License-Identifier: Apache-2.0
 *
 * The console without a terminal: a stack of screens, the key map, the prompt, messages, the status bar and the key bar. Events go in, a
 * canvas comes out; tui/pump.h joins it to a real terminal and a loop. What it can't do itself (go to a time, make a screen by name) it
 * asks its host for. */
#ifndef PITWALL_TUI_CONSOLE_H
#define PITWALL_TUI_CONSOLE_H

#include "base/clock.h"
#include "base/err.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/input.h"
#include "tui/keymap.h"
#include "tui/screen.h"

#include <stdbool.h>

/* What the console asks of whoever made it. All functions are called on the UI thread and may not block. */
struct console_host {
	void *context;
	/* What there is to show; lent until console_changed is next called. Never NULL. */
	const struct view *(*view)(void *context);
	/* What must be in the view from now on; `n` is lent for the call. Called when it may have changed. */
	void (*needs)(void *context, const struct needs *n);
	/* Carries out the parts of requests that concern the view (has_time, live, pause, signal), and takes `ask` over. */
	void (*requests)(void *context, const struct requests *r);
	/* A command that neither the screen nor the console took (times, signals, views by name, a theme); `argument` is "" without one. May
	 * ask for things through `out`. NEXT_IGNORED: not known either; of COMMAND_QUIT on the last view: the console asks its own question. */
	enum next (*command)(void *context, enum command c, const char *argument, struct requests *out);
};

struct console; /* opaque: laid out in console.c */

/* `first` (ownership passes, also on failure) is the screen at the bottom of the stack; it is never closed. `keys` is lent. */
enum err console_new(const struct console_host *host, const struct clock *clock, const struct keymap *keys, struct screen *first,
		     struct console **out, struct why *why);
void     console_free(struct console *c);

/* The view is another one, or what it holds has changed: screens are told, and needs are asked for anew. */
void console_changed(struct console *c);
/* Only times moved on: the next paint shows them. */
void console_tick(struct console *c);

/* What the pump has to do after an event. */
enum console_wish { CONSOLE_NOTHING, CONSOLE_PAINT, CONSOLE_REPAINT_ALL, CONSOLE_SUSPEND, CONSOLE_LEND, CONSOLE_QUIT };
enum console_wish console_event(struct console *c, const struct input_event *e);
/* A command as if its key had been pressed. */
enum console_wish console_command(struct console *c, enum command command, const char *argument);

/* Shows a sentence in the last row until the next key, at least for a moment; copied. */
void console_message(struct console *c, enum role role, const char *text);

/* Of CONSOLE_LEND: the program that the terminal is wanted for; the caller's. NULL: none. */
struct lend *console_take_lend(struct console *c);
/* Puts a screen on top, from outside an event: an answer that somebody waited for. Ownership passes. */
void console_push(struct console *c, struct screen *s);

/* A frame with what was drawn last has gone out. After how many ms console_settled is to be called, 0: it need not (struct screen_kind, `shown`). */
int               console_shown(struct console *c);
/* The terminal showed something else meanwhile. */
void              console_hidden(struct console *c);
/* was_quiet: no input was waiting. */
enum console_wish console_settled(struct console *c, bool was_quiet);

/* Draws everything, for the canvas' size. Where the cursor of the prompt is goes to *row and *col, -1 when there is none. */
void console_draw(struct console *c, struct canvas *into, int *row, int *col);

/* The screen on top; lent. */
const struct screen *console_top(const struct console *c);

#endif
