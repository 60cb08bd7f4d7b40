/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall sim: only the simulated fleet. */
#include "app/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/sim_options.h"
#include "sim/sim.h"

/* Blocks the signals that end the program, so that they can be waited for. */
static void wait_for_end(void)
{
	sigset_t ends;
	int number;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	while (sigwait(&ends, &number) == EINTR)
		;
}

static void block_ends(void)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
}

static int run(const struct cli *c)
{
	struct sim *sim = NULL;
	struct buf yaml;
	struct why why = { "" };
	buf_init(&yaml, 4 * 1024 * 1024);
	block_ends();
	enum err e = sim_from_cli(c, NULL, &sim, &why);
	if (e == ERR_OK)
		e = sim_start(sim, &why);
	if (e == ERR_OK)
		e = sim_fleet_yaml(sim, &yaml);
	if (e == ERR_OK) {
		fputs(buf_text(&yaml), stdout);
		if (fflush(stdout) != 0)
			e = why_errno(&why, errno, "cannot print the fleet file");
	}
	if (e == ERR_OK)
		wait_for_end();
	buf_release(&yaml);
	sim_free(sim);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static const struct cli_option options[] = {
	SIM_CLI_OPTIONS,
	{ "port", "PORT", "the first of the ports, which are contiguous; else the system chooses" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_sim = {
	.name      = "sim",
	.arguments = "",
	.summary   = "serve a simulated fleet on loopback and print a fleet file for it",
	.details   = "Real HTTP servers answer on 127.0.0.1 as vLLM, Triton, TensorFlow Serving, TorchServe and DCGM exporters do, driven by one "
	             "queueing model. The fleet file goes to standard output once all of them listen. Ends on SIGINT or SIGTERM.",
	.options   = options,
	.run       = run,
};
