/* SPDX-License-Identifier: Apache-2.0
 *
 * What the command line says of itself: --help and the man page, both printed from the records. */
#include "app/cli.h"

#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tui/command.h"

enum { TEXT_COLUMNS = 78 };

/* Words of `text` in lines of at most TEXT_COLUMNS columns, each behind `indent` blanks; the cursor stands at column `at`. */
static void put_wrapped(struct buf *to, const char *text, int indent, int at)
{
	while (*text != '\0') {
		int len = (int)strcspn(text, " \n");
		if (at > indent && at + 1 + len > TEXT_COLUMNS) {
			buf_putc(to, '\n');
			at = 0;
		} else if (at > indent) {
			buf_putc(to, ' ');
			at++;
		}
		if (at < indent) {
			buf_fill(to, ' ', (size_t)(indent - at));
			at = indent;
		}
		buf_put(to, text, (size_t)len);
		at += len;
		text += len;
		if (*text == '\n') {
			buf_putc(to, '\n');
			at = 0;
		}
		if (*text != '\0')
			text++;
	}
	buf_putc(to, '\n');
}

static void put_option(struct buf *to, const struct cli_option *o)
{
	size_t before = to->len;
	buf_printf(to, "  --%s%s%s", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
	int used = (int)(to->len - before);
	if (used > 20) {
		buf_putc(to, '\n');
		used = 0;
	}
	put_wrapped(to, o->sentence, 22, used);
}

static void put_overview(struct buf *to)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	buf_puts(to, "\nCommands:\n");
	for (size_t i = 0; i < n; i++) {
		if (all[i]->name[0] == '\0')
			continue;
		buf_printf(to, "  %-10s", all[i]->name);
		put_wrapped(to, all[i]->summary, 14, 12);
	}
	buf_puts(to, "\n'pitwall COMMAND --help' tells more of each; 'pitwall --version' is the version.\n");
}

static bool has_option(const struct cli_command *c, const char *name)
{
	for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return true;
	return false;
}

enum err cli_print_help(const struct cli_command *c, struct buf *to)
{
	bool is_console = c->name[0] == '\0';
	buf_printf(to, "usage: pitwall%s%s", is_console ? "" : " ", c->name);
	if (c->takes_common || c->options != NULL)
		buf_puts(to, " [OPTION...]");
	if (c->arguments[0] != '\0')
		buf_printf(to, " %s", c->arguments);
	buf_puts(to, "\n\n");
	put_wrapped(to, c->summary, 0, 0);
	if (c->details[0] != '\0') {
		buf_putc(to, '\n');
		put_wrapped(to, c->details, 0, 0);
	}
	buf_puts(to, "\nOptions:\n");
	for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
		put_option(to, o);
	if (c->takes_common)
		for (const struct cli_option *o = cli_common_options; o->name != NULL; o++)
			if (!has_option(c, o->name)) /* its own says more */
				put_option(to, o);
	put_option(to, &(struct cli_option){ "help", NULL, "print this" });
	if (is_console)
		put_overview(to);
	return to->err;
}

/* ---- roff ---- */

static void roff_text(struct buf *to, const char *text)
{
	bool line_start = true;
	for (; *text != '\0'; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			buf_puts(to, "\\&");
		line_start = *text == '\n';
		if (*text == '-')
			buf_puts(to, "\\-");
		else if (*text == '\\')
			buf_puts(to, "\\e");
		else
			buf_putc(to, *text);
	}
}

static void roff_option(struct buf *to, const struct cli_option *o)
{
	buf_puts(to, ".TP\n.B \\-\\-");
	roff_text(to, o->name);
	if (o->value != NULL)
		buf_printf(to, " \\fI%s\\fR", o->value);
	buf_putc(to, '\n');
	roff_text(to, o->sentence);
	buf_puts(to, ".\n");
}

static void roff_sentence(struct buf *to, const char *text)
{
	size_t at = to->len;
	roff_text(to, text);
	if (to->err == ERR_OK && to->len > at)
		to->data[at] = (char)toupper((unsigned char)to->data[at]);
	buf_puts(to, ".\n");
}

static void roff_command(struct buf *to, const struct cli_command *c)
{
	buf_puts(to, ".SS \"pitwall");
	if (c->name[0] != '\0')
		buf_printf(to, " %s", c->name);
	buf_puts(to, c->options != NULL || c->takes_common ? " [OPTION...]" : "");
	if (c->arguments[0] != '\0')
		buf_printf(to, " %s", c->arguments);
	buf_puts(to, "\"\n");
	roff_sentence(to, c->summary);
	if (c->details[0] != '\0') {
		buf_puts(to, ".PP\n");
		roff_text(to, c->details);
		buf_putc(to, '\n');
	}
	for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
		roff_option(to, o);
}

static const char man_head[] =
	".TH PITWALL 1 \"\" \"pitwall " PACKAGE_VERSION "\" \"User Commands\"\n"
	".SH NAME\npitwall \\- terminal operations console for fleets of model\\-inference nodes\n"
	".SH SYNOPSIS\n.B pitwall\n[\\fIOPTION\\fR...]\n.br\n.B pitwall\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
	".SH DESCRIPTION\n"
	"pitwall polls inference servers over HTTP, keeps what they say in one SQLite file, computes signals from it, and shows the fleet in a\n"
	"terminal, live or as of any moment that was recorded.\n"
	"Several consoles may read one store; one process at a time records into it.\n";

/* "Up k" as Up, k in bold. */
static void roff_keys(struct buf *to, const char *keys)
{
	while (*keys != '\0') {
		size_t n = strcspn(keys, " ");
		char key[32];
		snprintf(key, sizeof key, "%.*s", (int)n, keys);
		buf_puts(to, "\\fB");
		roff_text(to, key);
		buf_puts(to, "\\fR");
		keys += n + strspn(keys + n, " ");
		if (*keys != '\0')
			buf_puts(to, ", ");
	}
}

static void roff_contexts(struct buf *to, unsigned contexts)
{
	static const struct {
		unsigned    context;
		const char *name;
	} names[] = { { CONTEXT_FLEET, "fleet" }, { CONTEXT_NODE, "node" }, { CONTEXT_CHART, "chart" }, { CONTEXT_EVENTS, "events" },
	            { CONTEXT_LOGS, "logs" },   { CONTEXT_ALERTS, "alerts" }, { CONTEXT_ALERT, "alert" },
	            { CONTEXT_RULES, "rules" },

	            { CONTEXT_SILENCES, "silences" } };
	if ((contexts & CONTEXT_VIEWS) == CONTEXT_VIEWS)
		return;
	const char *before = " (";
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((contexts & names[i].context) != 0) {
			buf_printf(to, "%s%s", before, names[i].name);
			before = ", ";
		}
	buf_putc(to, ')');
}

/* From the one table of commands that key map and help come from too. */
static void roff_console_commands(struct buf *to)
{
	size_t n;
	const struct command_info *table = command_table(&n);
	buf_puts(to, ".SH KEYS\nC\\- stands for Ctrl. Every command can also be typed by its name behind\n.BR : ,\n"
	             "and be given other keys in a key file:\n.BR \"map C\\-n down\" ,\n.BR \"map x:chart zoom\\-in\" ,\n.BR \"unmap C\\-z\" .\n");
	for (size_t i = 0; i < n; i++) {
		buf_puts(to, ".TP\n");
		roff_keys(to, table[i].keys);
		buf_puts(to, table[i].keys[0] != '\0' ? "  \\fI:" : "\\fI:");
		roff_text(to, table[i].name);
		buf_puts(to, "\\fR\n");
		roff_text(to, table[i].sentence);
		roff_contexts(to, table[i].contexts);
		buf_putc(to, '\n');
	}
}

static const char man_tail[] =
	".SH EXAMPLES\n"
	".TP\n.B pitwall demo \\-\\-incident gpu\\-throttle\nthe console on a simulated fleet with too hot GPUs\n"
	".TP\n.B pitwall \\-\\-config fleet.yml \\-\\-at \\(aq2h ago\\(aq\nthe console on a fleet of your own, as it looked two hours ago\n"
	".TP\n.B pitwall query \\(aqtopk(5, signal:latency_seconds:p99)\\(aq\nthe five slowest nodes\n"
	".TP\n.B pitwall export \\-\\-from \\(aq2026\\-11\\-23 03:00\\(aq \\-\\-to \\(aq2026\\-11\\-23 04:30\\(aq \\-\\-output night.pitwall\n"
	"an incident as a file that\n.B pitwall replay night.pitwall\nopens\n"
	".TP\n.B curl \\-s http://127.0.0.1:8000/metrics | pitwall check \\-\\-metrics \\-\nwhether a server's metrics are well formed\n"
	".SH EXIT STATUS\n"
	".TP\n.B 0\nsuccess\n"
	".TP\n.B 1\nwhat was asked is not so (a check failed, nobody is up)\n"
	".TP\n.B 2\nbad usage, or input that can't be used\n"
	".SH ENVIRONMENT\n"
	".TP\n.B PITWALL_CONFIG\nthe fleet file, where \\-\\-config is not given\n"
	".TP\n.B PITWALL_STORE\nthe store, where \\-\\-store is not given\n"
	".TP\n.B XDG_CONFIG_HOME, XDG_STATE_HOME\nwhere the fleet file and the store are looked for otherwise\n"
	".TP\n.B NO_COLOR\nset and not empty: no colours\n"
	".TP\n.B TERM, LANG, LC_ALL, COLORTERM\nwhat the terminal can do\n"
	".SH FILES\n"
	".TP\n.I $XDG_CONFIG_HOME/pitwall/fleet.yml, /etc/pitwall/fleet.yml\nthe fleet file; see\n.BR pitwall\\-fleet (5)\n"
	".TP\n.I $XDG_STATE_HOME/pitwall/pitwall.db\nthe store\n"
	".SH SEE ALSO\n.BR pitwall\\-fleet (5)\n";

enum err cli_print_man(struct buf *to)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	buf_puts(to, man_head);
	buf_puts(to, ".SH COMMANDS\n");
	for (size_t i = 0; i < n; i++)
		roff_command(to, all[i]);
	buf_puts(to, ".SH COMMON OPTIONS\nTaken by the console and by every command that reads a fleet file or a store.\n");
	for (const struct cli_option *o = cli_common_options; o->name != NULL; o++)
		roff_option(to, o);
	roff_console_commands(to);
	return buf_puts(to, man_tail);
}
