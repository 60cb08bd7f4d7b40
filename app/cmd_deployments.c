/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall deployments: what was redeployed and rolled back, and what is to become of a run. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/asking.h"
#include "app/deploy_confirm.h"
#include "app/deployments_print.h"
#include "app/paths.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/suggest.h"
#include "deploy/describe.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024 };
static const int64_t WEEK_MS = INT64_C(7) * 24 * 3600 * 1000;

/* Names of CONTROL_LIST (deploy/run.h), and what is done here. */
static const char *const verbs[] = { "list", "show", "confirm", "watch", "pause", "resume", "abort", "undo", "abandon", "skip", "pass" };
enum { N_VERBS = sizeof verbs / sizeof verbs[0], FIRST_CONTROL = 4 };

/* ---- reading ---- */

static enum err print(const struct cli *c, const char *verb, int64_t id, struct reader *r, struct buf *out, struct why *why)
{
	enum cells_format format = CELLS_TABLE;
	int64_t now_ms = clock_wall_ms(clock_system()), at_ms = now_ms, since_ms = now_ms - WEEK_MS;
	enum err e = cells_format_of(cli_value(c, "format"), &format, why);
	if (e == ERR_OK)
		e = cli_time(c, "at", &at_ms, why);
	if (e == ERR_OK)
		e = cli_time(c, "since", &since_ms, why);
	if (e != ERR_OK)
		return e;
	if (strcmp(verb, "list") == 0)
		return deployments_print(r, since_ms, at_ms, format, out, why);
	if (format == CELLS_CSV)
		return why_set(why, ERR_USAGE, "there are the formats table and json");
	return deployment_print(r, id, at_ms, format, out, why);
}

static int read_store(const struct cli *c, const char *verb, int64_t id)
{
	struct buf path, out;
	struct reader *r = NULL;
	struct why why = { "" };
	buf_init(&path, PATH_BYTES);
	buf_init(&out, OUTPUT_MAX);
	enum err e = store_of(c, &path, &why);
	if (e == ERR_OK)
		e = reader_open(buf_text(&path), READER_OWN, &r, &why);
	if (e == ERR_OK)
		e = print(c, verb, id, r, &out, &why);
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	reader_close(r);
	buf_release(&path);
	buf_release(&out);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

/* ---- asking ---- */

static enum err check_there(const struct asker *a, int64_t id, struct why *why)
{
	struct arena arena;
	struct deployment_at d;
	arena_init(&arena);
	enum err e = deployment_read(a->reader, id, INT64_MAX / 2, &arena, &d, why);
	if (e == ERR_OK && deployment_is_over(d.last.state))
		e = why_set(why, ERR_USAGE, "deployment %lld is over: %s", (long long)id, deployment_state_name(d.last.state));
	arena_release(&arena);
	return e;
}

static int act(const struct cli *c, struct asker *a, const char *verb, int64_t id)
{
	struct why why = { "" };
	struct request r = { .kind = REQUEST_CONTROL, .deployment = id, .verb = verb, .comment = cli_value(c, "reason") };
	if (strcmp(verb, "watch") == 0)
		return deploy_watch(a, id);
	enum err e = deploy_need_recorder(a, &why);
	if (e == ERR_OK && strcmp(verb, "confirm") == 0)
		return deploy_confirm(c, a, id, false);
	if (e == ERR_OK)
		e = check_there(a, id, &why);
	if (e != ERR_OK)
		return deploy_fail(e, &why);
	int code = asker_ask(a, &r);
	return code == EXIT_YES && cli_has(c, "watch") ? deploy_watch(a, id) : code;
}

static int ask(const struct cli *c, const char *verb, int64_t id)
{
	struct asker a;
	struct why why = { "" };
	enum err e = asker_init(&a, c, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	int code = act(c, &a, verb, id);
	asker_release(&a);
	return code;
}

/* ---- the documentation of drivers ---- */

static int print_drivers(const struct cli *c)
{
	struct buf out;
	struct why why = { "" };
	const char *format = cli_value(c, "format");
	buf_init(&out, OUTPUT_MAX);
	enum err e = ERR_OK;
	if (format == NULL || strcmp(format, "markdown") == 0)
		e = drivers_print_markdown(&out);
	else if (strcmp(format, "roff") == 0)
		e = drivers_print_roff(&out);
	else
		e = why_set(&why, ERR_USAGE, "the drivers are printed as markdown or roff");
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

/* ---- the command line ---- */

static enum err read_words(const struct cli *c, const char **verb, int64_t *id, struct why *why)
{
	*verb = c->n_arguments > 0 ? c->arguments[0] : "list";
	size_t i = 0;
	while (i < N_VERBS && strcmp(verbs[i], *verb) != 0)
		i++;
	if (i == N_VERBS) {
		const char *near = suggest(*verb, verbs, N_VERBS);
		return near != NULL ? why_set(why, ERR_USAGE, "'pitwall deployments' does not know '%.60s'; did you mean '%s'?", *verb, near)
		                    : why_set(why, ERR_USAGE, "'pitwall deployments' does not know '%.60s'; 'pitwall deployments --help' says what it knows", *verb);
	}
	if (i == 0)
		return c->n_arguments <= 1 ? ERR_OK : why_set(why, ERR_USAGE, "'list' takes nothing more");
	if (c->n_arguments < 2)
		return why_set(why, ERR_USAGE, "'%s' wants the number of a deployment; 'pitwall deployments' lists them", *verb);
	if (parse_i64(c->arguments[1], 1, INT64_MAX, id) != ERR_OK)
		return why_set(why, ERR_USAGE, "'%.60s' is no number of a deployment; 'pitwall deployments' lists them", c->arguments[1]);
	return ERR_OK;
}

static int run(const struct cli *c)
{
	struct why why = { "" };
	const char *verb = NULL;
	int64_t id = 0;
	if (c->n_arguments == 1 && strcmp(c->arguments[0], "drivers") == 0)
		return print_drivers(c);
	if (read_words(c, &verb, &id, &why) != ERR_OK)
		return cli_fail(ERR_USAGE, &why);
	return strcmp(verb, "list") == 0 || strcmp(verb, "show") == 0 ? read_store(c, verb, id) : ask(c, verb, id);
}

static const struct cli_option options[] = {
	{ "since", "TIME", "of list: planned since then; else in the last week" },
	{ "at", "TIME", "of list and show: as it was then" },
	{ "reason", "TEXT", "why, for the audit" },
	{ "watch", NULL, "of resume, skip, pass and undo: follow the run then" },
	CONFIRM_OPTIONS,
	ASKING_OPTIONS,
	{ NULL, NULL, NULL },
};

const struct cli_command command_deployments = {
	.name          = "deployments",
	.arguments     = "[list | show|confirm|watch|pause|resume|abort|undo|abandon|skip|pass ID]",
	.max_arguments = 2,
	.summary       = "list redeploys and rollbacks, show their journal, and say what is to become of one",
	.details       = "'show' prints all that happened to one; 'confirm' shows a plan that waits (for a second person, say) and confirms it; 'watch' follows a run. What was begun always ends: "
	                 "'pause' begins nothing new until 'resume', 'abort' begins nothing more and stops, 'undo' likewise and then puts back all that was touched. When a step or gate failed, or the "
	                 "recorder was gone, the run waits: 'resume' tries again, 'skip' leaves out the unit that failed, 'pass' accepts what the gate found (an admin may), 'abandon' leaves "
	                 "everything as it is and sets the model free. Exits 0 when it is done (of confirm and watch: the run was, or was left to go on), 1 when a run stopped or was undone, or nobody "
	                 "records, 2 when it was refused.",
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
