/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall: the console, live; it records too unless a recorder holds the store. */
#include "app/commands.h"

#include <string.h>

#include "app/console_run.h"
#include "app/context.h"
#include "base/clock.h"

static enum err run_console(struct context *c, const struct cli *cli, int *signal_number, struct why *why)
{
	struct console_run r = { 0 };
	enum err e = context_fleet(c, cli, why);
	if (e == ERR_OK && cli_has(cli, "at"))
		e = parse_time(cli_value(cli, "at"), clock_wall_ms(clock_system()), &r.at_ms, why);
	if (e != ERR_OK)
		return e;
	console_run_from_cli(&r, cli);
	struct buf theme, keys; /* the fleet goes to the recorder, and its texts with it */
	buf_init(&theme, 256);
	buf_init(&keys, 4096);
	buf_puts(&theme, r.theme[0] != '\0' ? r.theme : c->fleet->theme);
	buf_puts(&keys, r.keys[0] != '\0' ? r.keys : c->fleet->keys);
	r.theme = buf_text(&theme);
	r.keys = buf_text(&keys);
	r.store_path = buf_text(&c->store);
	r.profiles = c->profiles;
	r.log = c->log;
	r.ssh_config = cli_value(cli, "ssh-config");
	r.fleet = c->fleet;
	e = console_run(&r, signal_number, why);
	c->fleet = r.fleet; /* NULL once it was taken */
	buf_release(&theme);
	buf_release(&keys);
	return e;
}

static int run(const struct cli *cli)
{
	struct context c;
	struct why why = { "" };
	int signal_number = 0;
	enum err e = context_init(&c, cli, &why);
	if (e == ERR_OK)
		e = run_console(&c, cli, &signal_number, &why);
	context_release(&c);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return signal_number != 0 ? 128 + signal_number : EXIT_YES;
}

static const struct cli_option options[] = {
	CONSOLE_CLI_OPTIONS,
	{ "ssh-config", "FILE", "read this instead of the user's and the system's ssh_config" },
	{ "at", "TIME", "begin at that time, paused: '10m ago', '2026-11-23 03:12'" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_console = {
	.name         = "",
	.arguments    = "",
	.summary      = "open the console on the fleet; it records too unless a recorder holds the store",
	.details      = "Without a fleet file it watches this machine and the inference servers and exporters that answer on their well-known loopback ports. "
	                "Where another process records the store, the console is a viewer, and takes over when that process is gone. '?' shows the keys. "
	                "A console that records and whose terminal is lost, or given back with ':detach', goes on in the background while a redeploy or rollback is under way, "
	                "then ends; 'on_hangup' in the fleet file says otherwise.",
	.options      = options,
	.takes_common = true,
	.run          = run,
};
