/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: one record a subcommand, from which parsing, `--help` and the man page all come. */
#ifndef PITWALL_APP_CLI_H
#define PITWALL_APP_CLI_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, the same for every subcommand. */
enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2 };

struct cli_option {
	const char *name;     /* without the dashes */
	const char *value;    /* what it takes, as the help names it ("FILE"); in brackets ("[FILE]") where it may be left out; NULL: it takes nothing */
	const char *sentence; /* lower case, no full stop */
};

struct cli;

struct cli_command {
	const char              *name;
	const char              *arguments;      /* as usage shows them; "" none */
	int                      min_arguments, max_arguments;
	const char              *summary;        /* one line */
	const char              *details;        /* a paragraph or more for --help and the man page; "" none */
	const struct cli_option *options;        /* up to a NULL name */
	bool                     takes_common;   /* --config, --store, --log as well */
	int (*run)(const struct cli *c);         /* returns the exit code */
};

enum { CLI_OPTIONS_MAX = 16 };

struct cli {
	const struct cli_command *command;
	struct {
		const char *name, *value;
	} options[CLI_OPTIONS_MAX];
	size_t n_options;
	char **arguments;
	int    n_arguments;
};

/* All subcommands, the console ("") first. */
const struct cli_command *const *cli_commands(size_t *n);
extern const struct cli_option   cli_common_options[];

/* Understands the words behind the program's name. ERR_USAGE with a sentence. `--help` sets *help and stops there. Words stay lent. */
enum err cli_parse(int argc, char **argv, struct cli *out, bool *help, struct why *why);

bool        cli_has(const struct cli *c, const char *option);
const char *cli_value(const struct cli *c, const char *option); /* NULL: not given */

/* Prints "pitwall: SENTENCE" on standard error and returns the exit code that fits the error: 2. */
int cli_fail(enum err e, const struct why *why);

/* Help of one command ("" prints the overview too), and the man page in roff. */
enum err cli_print_help(const struct cli_command *c, struct buf *to);
enum err cli_print_man(struct buf *to);

#endif
