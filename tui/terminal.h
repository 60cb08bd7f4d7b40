/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal: the only place that knows terminfo, termios and escape sequences. It shows canvases, one write a frame, never waits for a
 * slow link, asks the terminal what it can do without waiting for the answer, and leaves it as it was, whatever ends the program. */
#ifndef PITWALL_TUI_TERMINAL_H
#define PITWALL_TUI_TERMINAL_H

#include "base/err.h"
#include "config/fleet.h"
#include "tui/canvas.h"
#include "tui/input.h"
#include "tui/terminfo.h"
#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>

struct terminal_options {
	int         in_fd, out_fd;  /* both of one terminal */
	const char *term;           /* TERM */
	const char *colorterm;      /* COLORTERM, NULL when not set */
	bool        no_color;       /* NO_COLOR is set and not empty */
	bool        is_utf8;        /* of the locale */
	bool        is_remote;      /* over SSH: a lone Esc is given more time */
	bool        wants_mouse;    /* takes the terminal's own selection away, so off by default */
};
/* What the environment says, for these descriptors; texts are lent by the environment. */
void terminal_options_from_env(struct terminal_options *o, int in_fd, int out_fd);

struct terminal; /* opaque: laid out in terminal.c */

/* Looks and writes nothing. ERR_UNSUPPORTED: not a terminal, or one that can't show screens; `why` names what to use instead. `theme` is
 * lent until terminal_set_theme. */
enum err terminal_new(const struct terminal_options *o, const struct theme *theme, struct terminal **out, struct why *why);
/* Takes the terminal: modes, alternate screen, questions. May be called again after terminal_stop. */
enum err terminal_start(struct terminal *t, struct why *why);
/* Gives it back as it was; does nothing when it was not taken. Takes a fifth of a second at the most. */
void terminal_stop(struct terminal *t);
void terminal_free(struct terminal *t); /* stops it first */

int               terminal_fd(const struct terminal *t); /* to poll; non-blocking */
enum colour_depth terminal_depth(const struct terminal *t);
bool              terminal_is_ascii(const struct terminal *t);
bool              terminal_is_mono(const struct terminal *t);
int               terminal_escape_ms(const struct terminal *t);
const struct terminfo *terminal_info(const struct terminal *t);

/* The size now: the kernel's, else LINES and COLUMNS, else the description's 24x80. Within 1 and 1000. */
void terminal_size(const struct terminal *t, int *rows, int *cols);

void terminal_set_theme(struct terminal *t, const struct theme *theme);
/* Has the mouse reported to us from now on, or not any more; the terminal's own selection then wants Shift. Goes out with the next frame. */
void terminal_set_mouse(struct terminal *t, bool is_wanted);
bool terminal_has_mouse(const struct terminal *t);
/* Calls somebody to it (tui/calling.h); goes out with the next frame. Nothing where the terminal is not taken. */
void terminal_call(struct terminal *t, enum fleet_attention how, const char *text);
void terminal_repaint(struct terminal *t); /* the next frame draws everything */

/* Shows the canvas, with the cursor at (row, col) or hidden (row < 0). ERR_LATER: the frame before is not out yet; draw again later, with
 * what is to be seen then. ERR_IO: the terminal is gone. */
enum err terminal_draw(struct terminal *t, const struct canvas *c, int row, int col, struct why *why);
/* Bytes of a frame are left: write when the descriptor takes them. */
bool     terminal_has_rest(const struct terminal *t);
enum err terminal_flush(struct terminal *t, struct why *why);

/* Up to `room` bytes of input; 0 for none now. ERR_IO: the terminal is gone. */
enum err terminal_read(struct terminal *t, void *to, size_t room, size_t *n, struct why *why);

/* Takes an answer (INPUT_REPORT). */
enum { TERMINAL_LOOK_CHANGED = 1, TERMINAL_IS_LIGHT = 2, TERMINAL_IS_DARK = 4 };
unsigned terminal_report(struct terminal *t, const struct input_event *e);

#endif
