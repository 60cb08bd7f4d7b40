/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

const struct cli_option cli_common_options[] = {
	{ "config", "FILE", "the fleet file; else $PITWALL_CONFIG, $XDG_CONFIG_HOME/pitwall/fleet.yml, /etc/pitwall/fleet.yml" },
	{ "store",  "FILE", "the store; else $PITWALL_STORE, $XDG_STATE_HOME/pitwall/pitwall.db" },
	{ "log",    "FILE", "write a log there; without it nothing is logged" },
	{ NULL, NULL, NULL },
};

static const struct cli_command *command_find(const char *name)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

static const char *command_suggest(const char *name)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	const char *names[32];
	assert(n <= sizeof names / sizeof names[0]);
	for (size_t i = 0; i < n; i++)
		names[i] = all[i]->name;
	return suggest(name, names, n);
}

static const struct cli_option *option_in(const struct cli_option *o, const char *name, size_t len)
{
	for (; o != NULL && o->name != NULL; o++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct cli_option *option_find(const struct cli_command *c, const char *name, size_t len)
{
	const struct cli_option *o = option_in(c->options, name, len);
	if (o == NULL && c->takes_common)
		o = option_in(cli_common_options, name, len);
	return o;
}

static const char *option_suggest(const struct cli_command *c, const char *name)
{
	const char *names[32];
	size_t n = 0;
	for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
		names[n++] = o->name;
	if (c->takes_common)
		for (const struct cli_option *o = cli_common_options; o->name != NULL; o++)
			names[n++] = o->name;
	assert(n <= sizeof names / sizeof names[0]);
	return suggest(name, names, n);
}

static enum err unknown(struct why *why, const char *what, const char *word, const char *near, const char *dashes, const char *help_of)
{
	if (near != NULL)
		return why_set(why, ERR_USAGE, "unknown %s '%s%s'; did you mean '%s%s'?", what, dashes, word, dashes, near);
	return why_set(why, ERR_USAGE, "unknown %s '%s%s'; see 'pitwall%s%s --help'", what, dashes, word, help_of[0] != '\0' ? " " : "", help_of);
}

/* Takes the option at argv[*i] (and its value behind it). */
static enum err option_take(struct cli *c, int argc, char **argv, int *i, struct why *why)
{
	const char *word = argv[*i] + 2, *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const struct cli_option *o = option_find(c->command, word, len);
	if (o == NULL)
		return unknown(why, "option", word, option_suggest(c->command, word), "--", c->command->name);
	const char *value = NULL;
	if (o->value == NULL && equals != NULL)
		return why_set(why, ERR_USAGE, "option '--%s' takes no value", o->name);
	if (o->value != NULL) {
		if (equals != NULL)
			value = equals + 1;
		else if (o->value[0] == '[' && (*i + 1 == argc || argv[*i + 1][0] == '-'))
			value = NULL;
		else if (*i + 1 < argc)
			value = argv[++*i];
		else
			return why_set(why, ERR_USAGE, "option '--%s' wants a value: --%s %s", o->name, o->name, o->value);
	}
	if (c->n_options == CLI_OPTIONS_MAX)
		return why_set(why, ERR_USAGE, "more than %d options", CLI_OPTIONS_MAX);
	c->options[c->n_options].name = o->name;
	c->options[c->n_options].value = value;
	c->n_options++;
	return ERR_OK;
}

static enum err check_count(const struct cli *c, struct why *why)
{
	const struct cli_command *k = c->command;
	if (c->n_arguments < k->min_arguments)
		return why_set(why, ERR_USAGE, "'pitwall %s' wants %s; see 'pitwall %s --help'", k->name, k->arguments, k->name);
	if (k->max_arguments >= 0 && c->n_arguments > k->max_arguments)
		return why_set(why, ERR_USAGE, "unexpected word '%s'; see 'pitwall%s%s --help'", c->arguments[k->max_arguments],
		               k->name[0] != '\0' ? " " : "", k->name);
	return ERR_OK;
}

enum err cli_parse(int argc, char **argv, struct cli *out, bool *help, struct why *why)
{
	struct cli c = { .command = command_find("") };
	static char output[] = "--output"; /* what -o is short for, as everywhere */
	int i = 1, kept = 0;
	*help = false;
	if (argc > 1 && argv[1][0] != '-') {
		c.command = command_find(argv[1]);
		if (c.command == NULL)
			return unknown(why, "command", argv[1], command_suggest(argv[1]), "", "");
		i = 2;
	}
	c.arguments = argv + i;
	for (bool options = true; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			*help = true;
			*out = c;
			return ERR_OK;
		} else if (options && argv[i][0] == '-' && argv[i][1] == '-') {
			enum err e = option_take(&c, argc, argv, &i, why);
			if (e != ERR_OK)
				return e;
		} else if (options && strcmp(argv[i], "-o") == 0 && option_find(c.command, "output", 6) != NULL) {
			argv[i] = output;
			enum err e = option_take(&c, argc, argv, &i, why);
			if (e != ERR_OK)
				return e;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			return unknown(why, "option", argv[i], NULL, "", c.command->name);
		} else {
			c.arguments[kept++] = argv[i];
		}
	}
	c.n_arguments = kept;
	enum err e = check_count(&c, why);
	if (e == ERR_OK)
		*out = c;
	return e;
}

bool cli_has(const struct cli *c, const char *option)
{
	for (size_t i = 0; i < c->n_options; i++)
		if (strcmp(c->options[i].name, option) == 0)
			return true;
	return false;
}

const char *cli_value(const struct cli *c, const char *option)
{
	const char *value = NULL; /* the last one counts */
	for (size_t i = 0; i < c->n_options; i++)
		if (strcmp(c->options[i].name, option) == 0)
			value = c->options[i].value;
	return value;
}

int cli_fail(enum err e, const struct why *why)
{
	fprintf(stderr, "pitwall: %s\n", why->text[0] != '\0' ? why->text : err_text(e));
	return EXIT_USAGE;
}
