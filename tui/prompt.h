/* SPDX-License-Identifier: Apache-2.0
 *
 * The line at the bottom that is typed into: ':' for commands, '/' for a filter. Edits UTF-8 by what is seen (a letter with its marks is
 * one), remembers lines, and offers completions. It decides nothing: the console asks what became of a key. */
#ifndef PITWALL_TUI_PROMPT_H
#define PITWALL_TUI_PROMPT_H

#include "base/buf.h"
#include "tui/canvas.h"
#include "tui/input.h"

#include <stdbool.h>
#include <stddef.h>

enum { PROMPT_LINE_MAX = 4096, PROMPT_HISTORY = 100, COMPLETIONS_MAX = 64 };

enum prompt_result { PROMPT_IGNORED, PROMPT_SAME, PROMPT_CHANGED, PROMPT_ACCEPTED, PROMPT_CANCELLED };

struct completion {
	const char *text;     /* the whole line as it would be; lent by the completer */
	const char *sentence; /* what it is; "" */
};

/* Fills `out` with at most `max` lines that `line` may become; returns how many. */
typedef size_t prompt_completer(const void *context, const char *line, struct completion *out, size_t max);

struct prompt {
	char              sign;        /* ':' or '/'; 0: closed */
	struct buf        line;
	size_t            cursor;      /* a byte of `line` */
	char             *history[PROMPT_HISTORY]; /* oldest first; owned; of ':' only */
	size_t            n_history, at_history;   /* at == n: the line being typed */
	prompt_completer *completer;
	const void       *context;
	struct completion completions[COMPLETIONS_MAX];
	size_t            n_completions, chosen; /* chosen == n: none */
	int               scroll;      /* columns that have gone off at the left */
};

void prompt_init(struct prompt *p);
void prompt_release(struct prompt *p);

void prompt_open(struct prompt *p, char sign, const char *text, prompt_completer *completer, const void *context);
void prompt_close(struct prompt *p); /* and remembers a line of ':' */

enum prompt_result prompt_key(struct prompt *p, struct key k);
/* Puts a text in at the cursor, line ends as blanks. */
enum prompt_result prompt_paste(struct prompt *p, const char *text, size_t n);
const char        *prompt_text(const struct prompt *p);

/* Draws into the present region: the line in its last row, completions in those above as far as they go. Where the cursor belongs goes to
 * *row and *col, in coordinates of the region. */
void prompt_draw(struct prompt *p, struct canvas *c, int *row, int *col);

#endif
