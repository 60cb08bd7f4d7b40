/* SPDX-License-Identifier: Apache-2.0
 *
 * A rollback of 100 nodes in waves of 25. A node takes 20 to 30 s to load, each wave soaks for 30 s; no run can be shorter than the slowest node of each wave and the soaks together. What it
 * takes on top of that is pitwall's own, and so is its processor time, of which what recording the same nodes costs without a run is told apart. */
#include "bench/deploy_figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/deploy_peer.h"
#include "bench/process.h"
#include "store/deployments.h"

enum { NODES = 100, OLD_NODES = 4, WAVE = 25, SOAK_MS = 30 * 1000, LOAD_MIN_MS = 20 * 1000, LOAD_STEP_MS = 1000, LOAD_STEPS = 11, KNOWN_MS = 60 * 1000 };

static const char deploy[] = "      waves: [ 25 ]\n      max_unavailable: 25\n      window: 1m\n      soak: 30s\n";

static void give_up(const char *what)
{
	fprintf(stderr, "bench_deploy: %s\n", what);
	exit(1);
}

struct seen {
	enum deployment_state state;
	int64_t               began_ms, ended_ms;
	int64_t               load_ms[NODES + 1]; /* the slowest node of a wave */
	size_t                n_waves;
};

static enum err see_deployment(void *ctx, const struct deployment_at *d)
{
	struct seen *s = ctx;
	s->state = d->last.state;
	s->began_ms = d->began_ms;
	s->ended_ms = d->ended_ms;
	return ERR_OK;
}

static int64_t load_ms_of(long node)
{
	return LOAD_MIN_MS + node % LOAD_STEPS * LOAD_STEP_MS;
}

static enum err see_step(void *ctx, const struct deployment_step *step)
{
	struct seen *s = ctx;
	if (step->wave >= NODES)
		return ERR_RANGE;
	s->n_waves = step->wave + 1 > s->n_waves ? step->wave + 1 : s->n_waves;
	if (strncmp(step->unit, "gpu-", 4) != 0)
		return ERR_OK;
	int64_t ms = load_ms_of(strtol(step->unit + 4, NULL, 10));
	s->load_ms[step->wave] = ms > s->load_ms[step->wave] ? ms : s->load_ms[step->wave];
	return ERR_OK;
}

static void look(const char *store, struct seen *s)
{
	struct reader *r;
	struct why why;
	if (reader_open(store, READER_OWN, &r, &why) != ERR_OK || reader_deployment(r, 1, INT64_MAX - 1, see_deployment, s, &why) != ERR_OK ||
	    reader_deployment_steps(r, 1, INT64_MAX - 1, see_step, s, &why) != ERR_OK)
		give_up(why.text);
	reader_close(r);
}

static void print(const struct seen *s, double cpu_s, double idle_share)
{
	double took_s = (double)(s->ended_ms - s->began_ms) / 1e3, least_s = 0;
	for (size_t i = 0; i < s->n_waves; i++)
		least_s += (double)(s->load_ms[i] + SOAK_MS) / 1e3;
	printf("deploy_100_waves %zu waves\ndeploy_100_took %.2f s\ndeploy_100_least %.2f s\n", s->n_waves, took_s, least_s);
	printf("deploy_100_own_time %.2f percent_of_the_run\n", (took_s - least_s) / took_s * 100);
	printf("deploy_100_recording_cpu %.2f percent_of_a_core\ndeploy_100_own_cpu %.2f percent_of_a_core\n", idle_share * 100, (cpu_s / took_s - idle_share) * 100);
}

void deploy_waves(void)
{
	struct deploy_peer *p = deploy_peer_start(NODES + OLD_NODES, OLD_NODES);
	const char *store = process_file("waves.db"), *config = process_file("waves.yml");
	const char *const record[] = { process_pitwall(), "record", "--config", config, "--store", store, NULL };
	const char *const rollback[] = { process_pitwall(), "rollback", "group:rankers", "--confirm", "rankers", "--config", config, "--store", store, NULL };
	struct seen seen = { .n_waves = 0 };
	for (int i = 0; i < NODES; i++)
		deploy_peer_set_load(p, i, load_ms_of(i));
	deploy_peer_write_fleet(p, config, "2s", deploy);
	pid_t recorder = process_start(record, "record.out", "record.log");
	process_sleep_ms(KNOWN_MS / 3);
	double cpu = process_cpu_seconds(recorder);
	process_sleep_ms(KNOWN_MS * 2 / 3);
	double idle_share = (process_cpu_seconds(recorder) - cpu) / (KNOWN_MS * 2.0 / 3e3);
	cpu = process_cpu_seconds(recorder);
	int status = process_wait(process_start(rollback, "rollback.out", "rollback.log"));
	cpu = process_cpu_seconds(recorder) - cpu;
	look(store, &seen);
	if (status != 0 || seen.state != DEPLOYMENT_DONE)
		give_up("the rollback of 100 nodes did not end well");
	process_stop(recorder);
	print(&seen, cpu, idle_share);
	deploy_peer_stop(p);
}
