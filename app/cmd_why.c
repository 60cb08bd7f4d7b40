/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall why: what changed when an alert began, or around a moment on a node. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "alerts/changed.h"
#include "app/context.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "rules/detail.h"
#include "store/reader.h"

enum { OUTPUT_MAX = 16 * 1024 * 1024, EVENTS_SHOWN = 20 };

/* ---- the question ---- */

static bool is_number(const char *text, int64_t *out)
{
	return parse_i64(text[0] == '#' ? text + 1 : text, 1, INT64_MAX, out) == ERR_OK;
}

/* A node, at --at; or an alert by its number. */
static enum err question_of(const struct cli *c, struct reader *r, struct arena *a, struct changed_question *q, struct why *why)
{
	int64_t now = clock_wall_ms(clock_system()), at = now, id;
	enum err e = cli_has(c, "at") ? parse_time(cli_value(c, "at"), now, &at, why) : ERR_OK;
	if (e != ERR_OK)
		return why_prefix(why, ERR_USAGE, "--at");
	if (is_number(c->arguments[0], &id)) {
		e = changed_question_of_alert(r, id, at, a, q, why);
		if (e != ERR_NOT_FOUND)
			return e;
	}
	*q = (struct changed_question){ .node = c->arguments[0], .group = "", .model = "", .onset_ms = at, .until_ms = now, .onset = "then" };
	return ERR_OK;
}

/* ---- the answer as text ---- */

static void put_safe(struct buf *to, const char *text)
{
	text_safe(to, text, strlen(text));
}

static void put_events(const struct changed *c, struct buf *to)
{
	size_t first = c->n_events > EVENTS_SHOWN ? c->n_events - EVENTS_SHOWN : 0;
	if (c->n_events > 0)
		buf_puts(to, "\nevents nearby\n");
	if (first > 0)
		buf_printf(to, "      (%zu earlier ones)\n", first);
	for (size_t i = first; i < c->n_events; i++) {
		char at[TIME_TEXT];
		const struct changed_event *e = &c->events[i];
		buf_printf(to, "      %s ", format_time(e->wall_ms / 1000 * 1000, at));
		put_safe(to, e->name);
		buf_puts(to, e->name[0] != '\0' ? " " : "");
		put_safe(to, e->kind);
		buf_puts(to, ": ");
		put_safe(to, e->text);
		buf_putc(to, '\n');
	}
}

static enum err print_table(const struct cli *cli, const struct changed *c, struct buf *to)
{
	char onset[TIME_TEXT], until[TIME_TEXT];
	put_safe(to, cli->arguments[0]);
	buf_printf(to, "  what changed at %s, looked at until %s; %zu node%s, %zu series%s\n", format_time(c->onset_ms / 1000 * 1000, onset),
	           format_time(c->until_ms / 1000 * 1000, until), c->n_nodes, c->n_nodes == 1 ? "" : "s", c->n_series,
	           c->is_cut ? " (not all: there are more than are looked at)" : "");
	if (c->note[0] != '\0')
		buf_printf(to, "%s\n", c->note);
	for (size_t i = 0; i < c->n; i++) {
		buf_printf(to, "%.2f  ", c->rows[i].score);
		put_safe(to, c->rows[i].text);
		buf_putc(to, '\n');
		if (cli_has(cli, "reasons")) {
			buf_puts(to, "      ");
			put_safe(to, c->rows[i].reasons);
			buf_putc(to, '\n');
		}
	}
	put_events(c, to);
	return to->err;
}

/* ---- the command ---- */

static enum err read_changed(const struct cli *cli, const struct context *c, struct arena *a, struct changed **out, struct why *why)
{
	struct reader *r = NULL;
	struct detail_engine *details = NULL;
	struct changed_question q;
	enum err e = reader_open(buf_text(&c->store), READER_OWN, &r, why);
	if (e == ERR_OK)
		e = detail_engine_new(c->profiles, &details, why);
	if (e == ERR_OK)
		e = question_of(cli, r, a, &q, why);
	if (e == ERR_OK) {
		q.details = details;
		e = changed_read(r, &q, a, out, why);
	}
	detail_engine_free(details);
	reader_close(r);
	return e;
}

static enum err why_command(const struct cli *cli, struct context *c, struct buf *out, bool *is_clear, struct why *why)
{
	const char *format = cli_value(cli, "format");
	bool is_json = format != NULL && strcmp(format, "json") == 0;
	struct arena a;
	struct changed *changed = NULL;
	if (format != NULL && !is_json && strcmp(format, "table") != 0)
		return why_set(why, ERR_USAGE, "unknown format '%s'; there are table and json", format);
	arena_init(&a);
	enum err e = read_changed(cli, c, &a, &changed, why);
	if (e == ERR_OK && (e = is_json ? changed_json(changed, out) : print_table(cli, changed, out)) != ERR_OK)
		why_set(why, e, "the answer is too large to print");
	if (e == ERR_OK)
		*is_clear = changed->is_clear;
	arena_release(&a);
	return e;
}

static int run(const struct cli *cli)
{
	struct context c;
	struct buf out;
	struct why why = { "" };
	bool is_clear = false;
	buf_init(&out, OUTPUT_MAX);
	enum err e = context_init(&c, cli, &why);
	if (e == ERR_OK) {
		e = why_command(cli, &c, &out, &is_clear, &why);
		context_release(&c);
	}
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return is_clear ? EXIT_YES : EXIT_NO;
}

static const struct cli_option options[] = {
	{ "at", "TIME", "when it began: '10m ago', '2026-11-23 03:12'; else now; of an alert: as of then" },
	{ "format", "FORMAT", "table or json" },
	{ "reasons", NULL, "say what each score is made of" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_why = {
	.name          = "why",
	.arguments     = "NODE|ALERT",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "rank what changed when an alert began, or around a moment on a node",
	.details       = "Signals of the same node, group and model are compared between the half hour before and the five minutes after, and ranked together with "
	                 "events nearby and what the nodes in trouble have in common, the likeliest cause first. An alert is named by its number. Exits with "
	                 "1 where no cause is clear.",
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
