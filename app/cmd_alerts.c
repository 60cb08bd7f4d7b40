/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall alerts: the alerts as of a moment, or what was in a range of time. */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/alerts_print.h"
#include "app/asking.h"
#include "app/paths.h"
#include "app/rules_print.h"
#include "base/clock.h"
#include "base/num.h"
#include "tui/alerts_detail.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024, LIMIT_STANDARD = 1000, LIMIT_MAX = 100000 };
static const int64_t DAY_MS = 24 * 3600 * 1000;

/* ---- as of a moment ---- */

static enum err print_now(struct reader *r, int64_t at_ms, enum cells_format format, struct buf *out, bool *wanted, struct why *why)
{
	struct alerts_view *v = NULL;
	enum err e = alerts_read(r, at_ms, &v, why);
	if (e == ERR_OK && (e = alerts_print(v, format, out)) != ERR_OK)
		why_set(why, e, "there are too many alerts to print");
	if (e == ERR_OK)
		*wanted = alerts_want_someone(v);
	alerts_view_free(v);
	return e;
}

/* ---- how the rules are ---- */

static enum err print_rules(struct reader *r, int64_t at_ms, enum cells_format format, struct buf *out, bool *wanted, struct why *why)
{
	struct rule_lines *l = NULL;
	enum err e = rule_lines_read(r, at_ms, &l, why);
	if (e == ERR_OK && (e = rules_print(l, format, out)) != ERR_OK)
		why_set(why, e, "there are too many rules to print");
	if (e == ERR_OK)
		*wanted = l->n_failing > 0;
	rule_lines_free(l);
	return e;
}

/* ---- history ---- */

struct keeping {
	struct arena      arena;
	struct alert_row *rows;
	size_t            n, limit;
};

static enum err keep_row(void *ctx, const struct alert_row *r)
{
	struct keeping *k = ctx;
	k->rows[k->n] = alert_row_copy(&k->arena, r);
	k->n++;
	return arena_failed(&k->arena) ? ERR_MEMORY : ERR_OK;
}

static enum err history_limits(const struct cli *c, int64_t at_ms, int64_t *after_ms, int64_t *limit, struct why *why)
{
	*after_ms = at_ms - DAY_MS;
	*limit = LIMIT_STANDARD;
	enum err e = cli_time(c, "since", after_ms, why);
	if (e == ERR_OK && cli_has(c, "limit") && parse_i64(cli_value(c, "limit"), 1, LIMIT_MAX, limit) != ERR_OK)
		e = why_set(why, ERR_USAGE, "--limit wants a number from 1 to %d, not '%s'", LIMIT_MAX, cli_value(c, "limit"));
	if (e == ERR_OK && *after_ms >= at_ms)
		e = why_set(why, ERR_USAGE, "--since is not before the time that is shown");
	return e;
}

static enum err print_history(const struct cli *c, struct reader *r, int64_t at_ms, enum cells_format format, struct buf *out, struct why *why)
{
	int64_t after_ms, limit;
	struct keeping k = { .n = 0 };
	enum err e = history_limits(c, at_ms, &after_ms, &limit, why);
	if (e != ERR_OK)
		return e;
	arena_init(&k.arena);
	k.rows = calloc((size_t)limit + 1, sizeof *k.rows);
	e = k.rows == NULL ? why_memory(why)
	                   : reader_alert_history(r, after_ms, at_ms, cli_value(c, "search"), (size_t)limit + 1, keep_row, &k, why);
	if (e == ERR_OK) {
		const struct alert_history h = { .after_ms = after_ms, .until_ms = at_ms, .rows = k.rows, .n = k.n > (size_t)limit ? (size_t)limit : k.n,
			                         .is_cut = k.n > (size_t)limit };
		e = alert_history_print(&h, format, out);
		if (e != ERR_OK)
			why_set(why, e, "there are too many alerts to print");
	}
	for (size_t i = 0; i < k.n; i++)
		alert_row_release(&k.rows[i]);
	free(k.rows);
	arena_release(&k.arena);
	return e;
}

static enum err check_words(const struct cli *c, struct why *why)
{
	static const char *const of_history[] = { "search", "since", "limit" };
	for (size_t i = 0; i < sizeof of_history / sizeof of_history[0]; i++)
		if (cli_has(c, of_history[i]) && !cli_has(c, "history"))
			return why_set(why, ERR_USAGE, "--%s goes with --history", of_history[i]);
	if (cli_has(c, "rules") && cli_has(c, "history"))
		return why_set(why, ERR_USAGE, "--rules does not go with --history");
	return cli_has(c, "exit-code") && cli_has(c, "history") ? why_set(why, ERR_USAGE, "--exit-code does not go with --history") : ERR_OK;
}

static enum err alerts(const struct cli *c, struct buf *out, bool *wanted, struct why *why)
{
	struct buf path;
	struct reader *r = NULL;
	enum cells_format format = CELLS_TABLE;
	int64_t at_ms = clock_wall_ms(clock_system());
	buf_init(&path, PATH_BYTES);
	enum err e = cells_format_of(cli_value(c, "format"), &format, why);
	if (e == ERR_OK)
		e = check_words(c, why);
	if (e == ERR_OK)
		e = cli_time(c, "at", &at_ms, why);
	if (e == ERR_OK)
		e = store_of(c, &path, why);
	if (e == ERR_OK)
		e = reader_open(buf_text(&path), READER_OWN, &r, why);
	if (e == ERR_OK)
		e = cli_has(c, "rules") ? print_rules(r, at_ms, format, out, wanted, why) : cli_has(c, "history") ? print_history(c, r, at_ms, format, out, why)
		    : print_now(r, at_ms, format, out, wanted, why);
	reader_close(r);
	buf_release(&path);
	return e;
}

static int run(const struct cli *c)
{
	struct buf out;
	struct why why = { "" };
	bool wanted = false;
	buf_init(&out, OUTPUT_MAX);
	enum err e = alerts(c, &out, &wanted, &why);
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return cli_has(c, "exit-code") && wanted ? EXIT_NO : EXIT_YES;
}

static const struct cli_option options[] = {
	{ "at", "TIME", "as of then: '10m ago', '2026-11-23 03:12'" },
	{ "history", NULL, "what fired in the day before, newest first" },
	{ "since", "TIME", "with --history: from then on, in place of a day" },
	{ "search", "TEXT", "with --history: only those with this in name, labels or annotations" },
	{ "limit", "N", "with --history: so many at most; else 1000" },
	{ "rules", NULL, "how the rules are: when they were evaluated, how long that took, what they gave, which of them fail and why" },
	{ "format", "FORMAT", "table, json or csv" },
	{ "exit-code", NULL, "exit 1 when a warning or worse fires that nobody has acknowledged and no silence or other alert hides; with --rules: when a rule fails" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_alerts = {
	.name         = "alerts",
	.arguments    = "",
	.summary      = "print the alerts that fire, are pending, or were resolved a while ago",
	.details      = "Groups that fire come first, the worst of them before the others. OWNER says who has acknowledged an alert; 'nobody' has one that "
	                "fires; silenced and inhibited ones need nobody, and neither do those for information. Alerts of Alertmanagers' own, where the fleet file has them shown, stand "
	                "among ours; FROM says whose they are, and they want nobody here.",
	.options      = options,
	.takes_common = true,
	.run          = run,
};
