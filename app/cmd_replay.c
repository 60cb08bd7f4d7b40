/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall replay: the console on any store or exported file, which is only read. */
#include "app/commands.h"

#include "app/console_run.h"
#include "base/clock.h"
#include "base/num.h"

static int run(const struct cli *cli)
{
	struct console_run r = { .store_path = cli->arguments[0] };
	struct why why = { "" };
	int signal_number = 0;
	enum err e = ERR_OK;
	console_run_from_cli(&r, cli);
	if (cli_has(cli, "at"))
		e = parse_time(cli_value(cli, "at"), clock_wall_ms(clock_system()), &r.at_ms, &why);
	if (e == ERR_OK && cli_has(cli, "speed") && parse_f64(cli_value(cli, "speed"), 0.125, 1024, &r.speed) != ERR_OK)
		e = why_set(&why, ERR_USAGE, "--speed wants a number from 0.125 to 1024, not '%s'", cli_value(cli, "speed"));
	if (e == ERR_OK)
		e = console_run(&r, &signal_number, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return signal_number != 0 ? 128 + signal_number : EXIT_YES;
}

static const struct cli_option options[] = {
	CONSOLE_CLI_OPTIONS,
	{ "at", "TIME", "begin there; else at the last moment" },
	{ "speed", "X", "how fast it plays: 1 is as it was" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_replay = {
	.name          = "replay",
	.arguments     = "FILE",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "open the console on a store or an exported file, as it looked then",
	.details       = "The file is checked and only read. It opens paused at its last moment; p plays, [ and ] step, ( and ) change the speed, :at goes to a time.",
	.options       = options,
	.run           = run,
};
