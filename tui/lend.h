/* SPDX-License-Identifier: Apache-2.0
 *
 * Lending the terminal to another program, as a job-control shell does: the program runs in a process group of its own in the terminal's
 * foreground, and what it left of the terminal's modes is undone when it has ended. No shell reads its words.
 *
 * Threads: the loop's. */
#ifndef PITWALL_TUI_LEND_H
#define PITWALL_TUI_LEND_H

#include "base/err.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>

enum { LEND_WORDS_MAX = 48 };

/* What is to be run. */
struct lend {
	char **argv;   /* ended by NULL; argv[0] is looked for in PATH unless it holds a slash */
	char  *name;   /* "ssh gpu-a-1", for the line that is printed before it and for messages after it */
	char  *advice; /* what to do when it ends with 255, which is how ssh says that it got nowhere; "" nothing */
	/* It has ended: with its exit status, 128 and the number of the signal that killed it, or -1 when it could not be run. From the loop. May
	 * be NULL. */
	void (*ended)(void *ctx, int status);
	void  *ctx;
};

/* Copies all texts. NULL: out of memory, or more than LEND_WORDS_MAX words. */
struct lend *lend_new(const char *const *argv, const char *name, const char *advice);
void         lend_free(struct lend *l);

struct loan; /* opaque: laid out in lend.c; a program that has the terminal */

/* Runs it. `fd` is the terminal, in the modes that the program is to find, and this process in its foreground; both descriptors of the terminal
 * stay the caller's. `over` is told once, from the loop, when the terminal has been taken back: `text` says how it ended where that was not
 * well, else "". On failure nothing was lent. `l` is lent until loan_free. */
enum err loan_new(struct loop *loop, int fd, const struct lend *l, void (*over)(void *ctx, int status, const char *text), void *ctx,
                  struct loan **out, struct why *why);
/* Ends the program and what it started in its group: SIGHUP, half a second later SIGKILL. `over` comes when it is gone. */
void     loan_end(struct loan *l);
/* This process was stopped and continued: whoever did that has the terminal's foreground now, and it goes to the program again. */
void     loan_go_on(struct loan *l);
/* After `over`, also from within it. A program that still runs is killed and the terminal taken back. NULL is fine. */
void     loan_free(struct loan *l);

#endif
