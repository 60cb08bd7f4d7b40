/* SPDX-License-Identifier: Apache-2.0
 *
 * The real program, run without a terminal: a command to its end, with what it printed. */
#ifndef PITWALL_TESTS_COMMAND_H
#define PITWALL_TESTS_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

enum { COMMAND_OUTPUT_MAX = 1 << 20 };

struct command_run {
	const char        *folder;    /* where what it prints goes, as files `out` and `out.err` */
	const char *const *more;      /* words behind those of the line, ended by NULL; may be NULL */
	bool               has_blanks; /* a '_' in a word of the line, from the third on, stands for a blank */
	/* Called while it runs; may be NULL. `printed`: what it has printed so far. */
	void             (*meanwhile)(pid_t child, const char *printed);
	/* taken */
	int                code;      /* 255: it ended by a signal */
	char               out[COMMAND_OUTPUT_MAX], err[COMMAND_OUTPUT_MAX];
};

/* `words` begin with the program's own name and end with NULL. It dies with the test. Its output goes to FOLDER/NAME and FOLDER/NAME.err. All here fail the test (cmocka)
 * when they can't do what they say. */
pid_t command_start(const char *folder, const char *name, const char *const *words);
/* What it has printed so far; `to` has COMMAND_OUTPUT_MAX bytes. */
void  command_read(const char *folder, const char *name, char *to);
/* The line's words, parted by blanks, are the program's arguments. */
void  command_run(struct command_run *c, const char *line);

#endif
