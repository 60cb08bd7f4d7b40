/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver's options in the fleet file, as rows of a table: the reader checks them, the documentation prints them. */
#ifndef PITWALL_DEPLOY_OPTION_H
#define PITWALL_DEPLOY_OPTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/err.h"
#include "config/deploying.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_TEXT,
	OPTION_CHOICE,   /* one of the words of `range`, which are parted by '|' */
	OPTION_INTEGER,  /* within `range`, "1..65535" */
	OPTION_BOOL,
	OPTION_DURATION, /* 2m; at least 1 ms */
	OPTION_WORDS,    /* a list of texts, or one text that is one word */
	OPTION_COMMANDS, /* a list of commands, each a list of words */
	OPTION_MAP,      /* texts by name */
	OPTION_TREE,     /* anything: the driver reads the tree itself (setting_tree), in its `check` first */
};

struct option {
	const char      *name;
	enum option_kind kind;
	bool             is_required;
	const char      *range;    /* for people too; "" none */
	const char      *standard; /* the value when it is not given; "" none (0, false, nothing) */
	const char      *sentence;
};

struct words {
	const char *const *items;
	size_t             n;
};

/* The options' values for one scope, in the order of the table. */
struct settings {
	const struct option *options;
	size_t               n;
	struct setting      *values;
};
struct setting {
	bool                    is_given;
	const char             *text;    /* also of a choice; "" none */
	int64_t                 number;  /* of integers, durations in ms, booleans as 0 and 1 */
	struct words            words;   /* of OPTION_WORDS; of OPTION_MAP: name, value, name, value ... */
	const struct words     *commands;
	size_t                  n_commands;
	const struct yaml_node *node;    /* NULL: not given */
};

/* Reads d->options by the table; mistakes go to `diagnostics` with their places, of `file`. ERR_FORMAT: there were some. All in the arena. */
enum err settings_read(struct arena *a, const struct option *options, size_t n, const struct fleet_deploy *d, const char *file, struct diagnostics *diagnostics,
                       struct settings *out, struct why *why);

/* By name, which must be in the table (assert). */
const struct setting *setting(const struct settings *s, const char *name);
const char           *setting_text(const struct settings *s, const char *name);
int64_t               setting_number(const struct settings *s, const char *name);
bool                  setting_bool(const struct settings *s, const char *name);

/* A text with {name} in it filled in: "{model}", "{version}", "{node}", "{previous}", and "{{" for a brace. Names and values alternate, NULL ends. An unknown name is
 * ERR_FORMAT. Values are put in as they are: for words of an argv, never for a shell's text. */
enum err template_fill(struct arena *a, const char *text, const char *const *names_values, const char **out, struct why *why);

/* The options of a driver as Markdown table rows, and as roff. */
enum err options_print_markdown(const struct option *options, size_t n, struct buf *to);
enum err options_print_roff(const struct option *options, size_t n, struct buf *to);

#endif
