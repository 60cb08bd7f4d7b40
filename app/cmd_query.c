/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall query: PromQL over the store. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/paths.h"
#include "base/clock.h"
#include "base/num.h"
#include "query/format.h"
#include "query/query.h"
#include "query/store_source.h"
#include "store/reader.h"

enum { POINTS = 250, OUTPUT_MAX = 1024 * 1024 * 1024 };

struct asked {
	bool    is_range;
	int64_t at_ms, start_ms, end_ms, step_ms;
};

static enum err time_option(const struct cli *c, const char *option, int64_t now_ms, int64_t *out, struct why *why)
{
	if (!cli_has(c, option))
		return ERR_OK;
	enum err e = parse_time(cli_value(c, option), now_ms, out, why);
	return e == ERR_OK ? e : why_prefix(why, ERR_USAGE, "--%s", option);
}

static enum err read_times(const struct cli *c, struct asked *a, struct why *why)
{
	int64_t now = clock_wall_ms(clock_system());
	*a = (struct asked){ .is_range = cli_has(c, "start") || cli_has(c, "end") || cli_has(c, "step"), .at_ms = now, .end_ms = now };
	if (a->is_range && cli_has(c, "at"))
		return why_set(why, ERR_USAGE, "--at is one moment and --start is a range: give one of them");
	if (a->is_range && !cli_has(c, "start"))
		return why_set(why, ERR_USAGE, "a range begins somewhere: --start TIME");
	enum err e = time_option(c, "at", now, &a->at_ms, why);
	if (e == ERR_OK)
		e = time_option(c, "start", now, &a->start_ms, why);
	if (e == ERR_OK)
		e = time_option(c, "end", now, &a->end_ms, why);
	if (e != ERR_OK || !a->is_range)
		return e;
	const char *step = cli_value(c, "step");
	if (step != NULL && (parse_duration(step, strlen(step), &a->step_ms) != ERR_OK || a->step_ms <= 0))
		return why_set(why, ERR_USAGE, "--step wants a duration such as 30s, not '%s'", step);
	if (step == NULL) {
		a->step_ms = query_step((a->end_ms - a->start_ms) / POINTS / 1000 * 1000 + 1000);
		if (a->step_ms >= rollup_widths_ms[0])
			a->start_ms = a->start_ms / a->step_ms * a->step_ms; /* where rollups have their windows */
	}
	return ERR_OK;
}

static enum err evaluate(const struct cli *c, const struct asked *a, const char *path, struct query_result *out, struct why *why)
{
	struct reader *reader = NULL;
	struct query *q = NULL;
	struct query_position where = { 0 };
	const struct query_options options = { 0 };
	enum err e = query_parse(c->arguments[0], &q, &where, why);
	if (e != ERR_OK)
		return why_prefix(why, ERR_USAGE, "%d:%d", where.line, where.column);
	e = reader_open(path, READER_OWN, &reader, why);
	if (e == ERR_OK) {
		const struct query_source source = store_source(reader);
		e = a->is_range ? query_range(q, &source, a->start_ms, a->end_ms, a->step_ms, &options, out, why)
		                : query_instant(q, &source, a->at_ms, &options, out, why);
	}
	reader_close(reader);
	query_free(q);
	return e;
}

typedef enum err (*format_fn)(const struct query_result *r, struct buf *to);

static enum err format_named(const char *name, format_fn *out, struct why *why)
{
	if (name == NULL || strcmp(name, "table") == 0)
		*out = format_table;
	else if (strcmp(name, "json") == 0)
		*out = format_json;
	else if (strcmp(name, "csv") == 0)
		*out = format_csv;
	else
		return why_set(why, ERR_USAGE, "unknown format '%s'; there are table, json and csv", name);
	return ERR_OK;
}

static void print_warnings(const struct query_result *r)
{
	char width[DURATION_TEXT];
	for (size_t i = 0; i < r->n_warnings; i++)
		fprintf(stderr, "pitwall: %s\n", r->warnings[i]);
	if (r->resolution_ms > 0)
		fprintf(stderr, "pitwall: read from rollups of %s\n", format_duration(r->resolution_ms, width));
}

static enum err query(const struct cli *c, struct buf *out, struct why *why)
{
	struct buf path;
	struct asked asked;
	format_fn format = NULL;
	struct query_result result = { 0 };
	buf_init(&path, PATH_BYTES);
	enum err e = format_named(cli_value(c, "format"), &format, why);
	if (e == ERR_OK)
		e = read_times(c, &asked, why);
	if (e == ERR_OK)
		e = path_store(cli_value(c, "store"), &path, why);
	if (e == ERR_OK)
		e = evaluate(c, &asked, buf_text(&path), &result, why);
	if (e == ERR_OK) {
		if (format == format_table)
			print_warnings(&result); /* JSON carries them itself */
		e = format(&result, out);
		if (e != ERR_OK)
			why_set(why, e, "the result is too large to print");
		query_result_release(&result);
	}
	buf_release(&path);
	return e;
}

static int run(const struct cli *c)
{
	struct buf out;
	struct why why = { "" };
	const char *format = cli_value(c, "format");
	buf_init(&out, OUTPUT_MAX);
	enum err e = query(c, &out, &why);
	if (e != ERR_OK && format != NULL && strcmp(format, "json") == 0) {
		buf_clear(&out);
		format_json_error("bad_data", why.text, &out);
	}
	fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static const struct cli_option options[] = {
	{ "at", "TIME", "as of then: '10m ago', '2026-11-23 03:12'; else now" },
	{ "start", "TIME", "the first moment of a range" },
	{ "end", "TIME", "its last moment; else now" },
	{ "step", "DURATION", "from one point to the next; else for some 250 points" },
	{ "format", "FORMAT", "table, json (as the Prometheus HTTP API answers) or csv" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_query = {
	.name          = "query",
	.arguments     = "EXPR",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "evaluate a PromQL expression over the store",
	.details       = "Semantics are those of Prometheus 3: look-back of 5 minutes, ranges open on the left, staleness marks.",
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
