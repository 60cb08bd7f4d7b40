/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall status: the fleet, once. Where nobody records the store it is polled for two rounds first, so that the answer is of now. */
#include "app/commands.h"

#include <stdio.h>

#include "config.h"

#include "app/context.h"
#include "app/paths.h"
#include "app/round.h"
#include "app/status_print.h"
#include "base/clock.h"
#include "recorder/thread.h"

/* ERR_LATER: somebody else records, which is as good. */
static enum err poll_now(struct context *c, const struct cli *cli, struct why *why)
{
	struct recorder_thread *t = NULL;
	enum err e = context_fleet(c, cli, why);
	if (e == ERR_OK)
		e = path_make_parents(buf_text(&c->store), why);
	if (e != ERR_OK)
		return e;
	int64_t longest_ms = round_longest_ms(c->fleet);
	const struct recorder_thread_options o = { .store_path = buf_text(&c->store), .fleet = c->fleet, .profiles = c->profiles,
		                                   .clock = clock_system(), .log = c->log, .version = PACKAGE_VERSION,
		                                   .ssh_config = cli_value(cli, "ssh-config") };
	e = recorder_thread_start(&o, &t, why);
	if (e != ERR_OK)
		return e;
	c->fleet = NULL; /* the thread's now */
	round_wait(t, longest_ms);
	recorder_thread_stop(t);
	return ERR_OK;
}

static enum err status(const struct cli *cli, struct context *c, struct buf *out, enum severity *worst, struct why *why)
{
	enum cells_format format;
	int64_t at = clock_wall_ms(clock_system());
	enum err e = cells_format_of(cli_value(cli, "format"), &format, why);
	if (e == ERR_OK && cli_has(cli, "at"))
		e = parse_time(cli_value(cli, "at"), at, &at, why);
	if (e != ERR_OK)
		return e;
	if (!cli_has(cli, "at") && !cli_has(cli, "no-poll")) {
		e = poll_now(c, cli, why);
		if (e != ERR_OK && e != ERR_LATER)
			return e;
		at = clock_wall_ms(clock_system());
	}
	return status_of_store(buf_text(&c->store), at, format, out, worst, why);
}

static int run(const struct cli *cli)
{
	struct context c;
	struct buf out;
	struct why why = { "" };
	enum severity worst = SEVERITY_OK;
	buf_init(&out, 64 * 1024 * 1024);
	enum err e = context_init(&c, cli, &why);
	if (e == ERR_OK)
		e = status(cli, &c, &out, &worst, &why);
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	context_release(&c);
	buf_release(&out);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return cli_has(cli, "exit-code") && worst >= SEVERITY_CRIT ? EXIT_NO : EXIT_YES;
}

static const struct cli_option options[] = {
	{ "at", "TIME", "as of then: '10m ago', '2026-11-23 03:12'; nothing is polled" },
	{ "format", "FORMAT", "table, json or csv" },
	{ "no-poll", NULL, "only read the store, also when nobody records it" },
	{ "exit-code", NULL, "exit 1 when a node is critical or down" },
	{ "ssh-config", "FILE", "read this instead of the user's and the system's ssh_config" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_status = {
	.name         = "status",
	.arguments    = "",
	.summary      = "print the fleet once, worst nodes first",
	.details      = "Where no recorder holds the store, the fleet is polled for two rounds (rates need two scrapes) and recorded, then printed. What a "
	                "server does not tell shows as --.",
	.options      = options,
	.takes_common = true,
	.run          = run,
};
