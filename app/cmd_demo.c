/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall demo: the console on a simulated fleet, with a store of its own that goes with it. */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"

#include "app/console_run.h"
#include "app/context.h"
#include "app/paths.h"
#include "app/round.h"
#include "app/sim_options.h"
#include "app/status_print.h"
#include "base/clock.h"
#include "recorder/thread.h"
#include "sim/sim.h"

enum { FLEET_TEXT_MAX = 4 * 1024 * 1024, STATUS_TEXT_MAX = 64 * 1024 * 1024 };

struct demo {
	struct sim      *sim;
	struct profiles *profiles;
	struct fleet    *fleet;
	struct buf       folder, store; /* the folder is removed at the end unless --store named a store */
	bool             keeps;
};

static enum err make_fleet(struct demo *d, struct why *why)
{
	struct diagnostics mistakes;
	struct buf yaml;
	diagnostics_init(&mistakes);
	buf_init(&yaml, FLEET_TEXT_MAX);
	enum err e = profiles_load(NULL, 0, &mistakes, &d->profiles, why);
	if (e == ERR_OK && sim_fleet_yaml(d->sim, &yaml) != ERR_OK)
		e = why_set(why, ERR_LIMIT, "the simulated fleet's file is too large");
	if (e == ERR_OK)
		e = fleet_parse(buf_text(&yaml), yaml.len, "demo", d->profiles, &mistakes, &d->fleet, why);
	buf_release(&yaml);
	diagnostics_release(&mistakes);
	return e;
}

static enum err make_store_path(struct demo *d, const struct cli *cli, struct why *why)
{
	d->keeps = cli_has(cli, "store");
	if (d->keeps)
		return buf_puts(&d->store, cli_value(cli, "store"));
	enum err e = path_scratch(&d->folder, why);
	if (e == ERR_OK)
		buf_printf(&d->store, "%s/demo.db", buf_text(&d->folder));
	return e;
}

/* Where there is no terminal: the fleet once, after full rounds of polling. */
static enum err print_once(struct demo *d, struct why *why)
{
	struct recorder_thread *t = NULL;
	struct buf out;
	int64_t longest_ms = round_longest_ms(d->fleet);
	const struct recorder_thread_options o = { .store_path = buf_text(&d->store), .fleet = d->fleet, .profiles = d->profiles,
		                                   .clock = clock_system(), .version = PACKAGE_VERSION };
	buf_init(&out, STATUS_TEXT_MAX);
	enum err e = recorder_thread_start(&o, &t, why);
	if (e == ERR_OK) {
		d->fleet = NULL;
		round_wait(t, longest_ms);
		recorder_thread_stop(t);
		e = status_of_store(buf_text(&d->store), clock_wall_ms(clock_system()), CELLS_TABLE, &out, NULL, why);
	}
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e;
}

static enum err show(struct demo *d, const struct cli *cli, int *signal_number, struct why *why)
{
	struct console_run r = { .store_path = buf_text(&d->store), .fleet = d->fleet, .profiles = d->profiles, .ends_with_screen = true };
	console_run_from_cli(&r, cli);
	enum err e = console_run(&r, signal_number, why);
	d->fleet = r.fleet;
	return e;
}

static int run(const struct cli *cli)
{
	struct demo d = { 0 };
	struct why why = { "" };
	int signal_number = 0;
	buf_init(&d.folder, PATH_BYTES);
	buf_init(&d.store, PATH_BYTES);
	enum err e = sim_from_cli(cli, NULL, &d.sim, &why);
	if (e == ERR_OK)
		e = sim_start(d.sim, &why);
	if (e == ERR_OK)
		e = make_fleet(&d, &why);
	if (e == ERR_OK)
		e = make_store_path(&d, cli, &why);
	if (e == ERR_OK)
		e = isatty(STDOUT_FILENO) ? show(&d, cli, &signal_number, &why) : print_once(&d, &why);
	if (d.folder.len > 0)
		path_scratch_remove(buf_text(&d.folder));
	fleet_free(d.fleet);
	profiles_free(d.profiles);
	sim_free(d.sim);
	buf_release(&d.folder);
	buf_release(&d.store);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return signal_number != 0 ? 128 + signal_number : EXIT_YES;
}

static const struct cli_option options[] = {
	SIM_CLI_OPTIONS,
	CONSOLE_CLI_OPTIONS,
	{ "store", "FILE", "keep what is recorded there; else it goes when the demo ends" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_demo = {
	.name      = "demo",
	.arguments = "",
	.summary   = "open the console on a simulated fleet, with nothing to configure",
	.details   = "Real HTTP servers on loopback answer as inference servers do, and are polled and recorded as a real fleet is. Where standard output is no "
	             "terminal, the fleet is printed once as plain text after it was polled.",
	.options   = options,
	.run       = run,
};
