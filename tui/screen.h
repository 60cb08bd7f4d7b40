/* SPDX-License-Identifier: Apache-2.0
 *
 * A screen is a const record of functions and a state of its own. It reads the view (what is known as of the view time) and draws; what
 * it wants done it asks for through `struct requests`, which the console carries out after the screen has returned. Screens stand on a
 * stack; a dialog is a screen too. Screens never touch the terminal, the store or the network. */
#ifndef PITWALL_TUI_SCREEN_H
#define PITWALL_TUI_SCREEN_H

#include "base/err.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lend; /* tui/lend.h: a program to lend the terminal to */
struct request; /* alerts/request.h: what a person asks the recorder for */
struct screen;
struct view;  /* tui/view.h: what there is to show, as of the view time */
struct log_need; /* likewise */
struct needs; /* likewise: what a screen wants to be in it */

/* What a screen says of an input it was given. */
enum next {
	NEXT_IGNORED, /* not mine: the console may handle it */
	NEXT_STAY,    /* handled; nothing to draw */
	NEXT_REDRAW,  /* handled; draw me again */
	NEXT_CLOSE    /* take me off the stack */
};

/* What a screen asks for. The console carries it out; the screen has no other way to act. */
struct requests {
	struct screen *push;       /* a screen to put on top; ownership passes */
	bool           to_root;    /* close every screen but the first (before `push`) */
	bool           quit;       /* leave the console */
	bool           has_time;   /* go to view time time_ms */
	int64_t        time_ms;
	bool           live;       /* follow the newest moment */
	bool           pause;      /* stop the view time where it is */
	int            signal;     /* enum signal_id to choose for every screen; meant when has_signal */
	bool           has_signal;
	const char    *message;    /* a line to show for a moment; a literal or lent by the screen's state */
	struct lend   *lend;       /* the terminal is lent to this program; ownership passes */
	struct request *ask;       /* put to the recorder; ownership passes; freed with request_free */
	const char    *node;       /* of a command that the screen leaves to the host (NEXT_IGNORED): the node that it is about; lent */
	void         (*confirmed)(void *ctx); /* called once the screen is gone: what a dialog's yes means to whoever made it. May push nothing itself */
	void          *confirmed_ctx;
};

struct screen_kind {
	const char *name;    /* in the status bar: "FLEET" */
	unsigned    context; /* its CONTEXT_ bit */
	bool        is_dialog; /* drawn over the screen below */
	/* Asked when the screen above it is closed: it led there and has nothing more to say, so that it goes too. May be NULL. */
	bool (*is_over)(const struct screen *s);
	void (*draw)(const struct screen *s, const struct view *view, struct canvas *into);
	enum next (*command)(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out);
	/* A key before the key map has it, for a screen that is typed into; NEXT_IGNORED: it is looked up there. May be NULL. */
	enum next (*key)(struct screen *s, struct key k, struct requests *out);
	/* Called before `key`: how long before that key nothing had been typed. May be NULL. */
	void (*pace)(struct screen *s, int64_t quiet_ms);
	/* For a screen that wants a deliberate answer: a frame that shows it on top has gone out (is_uncovered: the one before showed another on top). Returns
	 * after how many ms `settled` is to be called, 0: it need not; another number later counts from then. Both may be NULL. */
	int (*shown)(struct screen *s, bool is_uncovered);
	/* That time has passed; what had been typed and not been read yet was thrown away. was_quiet: there was nothing such, nor any other input since. */
	enum next (*settled)(struct screen *s, const struct view *view, bool was_quiet, struct requests *out);
	/* Pasted text, for a screen that is typed into; NULL: it is refused with a sentence. */
	enum next (*paste)(struct screen *s, const char *text, size_t n);
	/* Is the command of use on this screen now? Its label stands in the key bar only then. NULL: all are, always. */
	bool (*offers)(const struct screen *s, const struct view *view, enum command c);
	/* A click at a cell of the canvas it drew into, or the wheel; may be NULL. */
	enum next (*mouse)(struct screen *s, const struct view *view, int row, int col, int button, struct requests *out);
	/* The view changed (new data, other time): clamp selections, drop caches; may be NULL. */
	void (*update)(struct screen *s, const struct view *view);
	/* What must be in the view besides the fleet. `out` is zeroed before, but for what the screens below a dialog need; texts are lent by the
	 * screen's state. May be NULL. */
	void (*needs)(const struct screen *s, const struct view *view, struct needs *out);
	/* The log that it follows, for as long as it is on the stack, be it covered. False: none. May be NULL; what is lent is the screen's. */
	bool (*follows)(const struct screen *s, struct log_need *out);
	/* Text that filters what is shown ("" for all); may be NULL: then '/' is not offered. */
	void (*filter)(struct screen *s, const char *text);
	/* The filter there is now, "" for none; lent. Not NULL where `filter` is there. */
	const char *(*filtered)(const struct screen *s);
	void (*free)(struct screen *s);
};

/* Every screen's struct begins with this. */
struct screen {
	const struct screen_kind *kind;
};

#endif
