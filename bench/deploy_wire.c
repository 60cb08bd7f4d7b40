/* SPDX-License-Identifier: Apache-2.0
 *
 * How soon something is done after it was confirmed: from the key `y` on the sheet of a console that records itself, and from the confirmation that `pitwall rollback --yes` leaves for a
 * recorder, until the first request that changes a node is on the wire, as the node sees it. A node of a group goes back to the version of the others again and again, at moments
 * that fall anywhere between the looks of the recorder. */
#include "bench/deploy_figures.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/deploy_peer.h"
#include "bench/keys.h"
#include "bench/process.h"
#include "store/deployments.h"

enum { NODES = 6, OLD_NODES = 3, TIMES = 60, GAP_MS = 1000, DEADLINE_US = 30 * 1000 * 1000, KNOWN_MS = 40 * 1000, BACK_MS = 200, BACKS_MAX = 20 };

static const char deploy[] = "      waves: [ 100% ]\n      soak: 1s\n      gate: { latency: off, errors: off, quality: off, memory: off, requests: 0 }\n";

static unsigned seed = 7;

static void give_up(const char *what)
{
	fprintf(stderr, "bench_deploy: %s\n", what);
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print(const char *name, double ms[TIMES])
{
	qsort(ms, TIMES, sizeof *ms, by_size);
	printf("%s_p50 %.0f ms\n%s_p99 %.0f ms\n%s_max %.0f ms\n", name, ms[TIMES / 2], name, ms[(TIMES - 1) * 99 / 100], name, ms[TIMES - 1]);
	fflush(stdout);
}

/* The node runs what is to be left again. */
static void make_ready(struct deploy_peer *p)
{
	deploy_peer_set_version(p, 0, 2);
	deploy_peer_forget(p);
	process_sleep_ms(rand_r(&seed) % GAP_MS);
}

/* ---- by the command ---- */

/* When the second request was begun to be written since the watch was read last: the plan's is the first. */
static int64_t confirmed_us(int watch)
{
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct pollfd ready = { .fd = watch, .events = POLLIN };
	for (int n = 0; poll(&ready, 1, DEADLINE_US / 1000) > 0;) {
		int64_t now_us = bench_now_us();
		ssize_t got = read(watch, bytes, sizeof bytes);
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *e = (const struct inotify_event *)(const void *)(bytes + at);
			at += (ssize_t)(sizeof *e + e->len);
			if (++n == 2)
				return now_us;
		}
	}
	give_up("nothing was confirmed");
	return 0;
}

static double measure_command(struct deploy_peer *p, int watch)
{
	const char *const argv[] = { process_pitwall(), "rollback", "node:gpu-000", "--yes", "--config", process_file("wire.yml"), "--store", process_file("wire.db"), NULL };
	make_ready(p);
	pid_t pid = process_start(argv, "rollback.out", "rollback.log");
	int64_t begin_us = confirmed_us(watch);
	int status = process_wait(pid); /* when the run is over */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || deploy_peer_version(p, 0) != 1)
		give_up("a rollback did not end well");
	return (double)(deploy_peer_first_us(p) - begin_us) / 1e3;
}

static void measure_commands(struct deploy_peer *p)
{
	static double ms[TIMES];
	const char *const argv[] = { process_pitwall(), "record", "--config", process_file("wire.yml"), "--store", process_file("wire.db"), NULL };
	pid_t recorder = process_start(argv, "record.out", "record.log");
	process_sleep_ms(KNOWN_MS); /* that the version was good before is known after half a minute */
	int watch = inotify_init1(IN_CLOEXEC);
	if (watch < 0 || inotify_add_watch(watch, process_file("wire.db-requests"), IN_CREATE) < 0)
		give_up(strerror(errno));
	for (int i = 0; i < TIMES; i++)
		ms[i] = measure_command(p, watch);
	close(watch);
	process_stop(recorder);
	print("deploy_wire_after_yes", ms);
}

/* ---- on the sheet ---- */

static enum err keep_state(void *ctx, const struct deployment_at *d)
{
	*(enum deployment_state *)ctx = d->last.state;
	return ERR_OK;
}

static void wait_done(struct pty *p, struct reader *r)
{
	enum deployment_state state = DEPLOYMENT_PLANNED;
	struct why why;
	int64_t id, until = bench_now_us() + DEADLINE_US;
	while (state != DEPLOYMENT_DONE) {
		if (bench_now_us() > until || reader_deployment_id(r, &id, &why) != ERR_OK || reader_deployment(r, id, INT64_MAX - 1, keep_state, &state, &why) != ERR_OK)
			give_up("a rollback did not end well");
		pty_pump(p, 20);
	}
}

/* Over the sheet there may be the run. */
static void go_back(struct pty *p)
{
	for (int i = 0; strstr(pty_row(p, 0), "NODE") == NULL; i++) {
		if (i == BACKS_MAX)
			give_up("the console does not come back to the node");
		pty_send(p, "\177");
		pty_read_for_ms(p, BACK_MS);
	}
}

static double measure_key(struct deploy_peer *p, struct pty *console, struct reader *r)
{
	int64_t first_us;
	go_back(console);
	deploy_peer_set_version(p, 0, 2);
	deploy_peer_forget(p);
	pty_send(console, "R");
	pty_wait_text(console, "\u25ba y starts it");
	pty_read_for_ms(console, rand_r(&seed) % GAP_MS);
	int64_t begin_us = bench_now_us();
	pty_send(console, "y");
	while ((first_us = deploy_peer_first_us(p)) == 0 && bench_now_us() < begin_us + DEADLINE_US)
		pty_pump(console, 1);
	wait_done(console, r);
	return (double)(first_us - begin_us) / 1e3;
}

static void measure_keys(struct deploy_peer *p)
{
	static double ms[TIMES];
	const char *const argv[] = { process_pitwall(), "--config", process_file("wire.yml"), "--store", process_file("wire.db"), NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv };
	struct pty *console = pty_start(&o);
	struct reader *r;
	struct why why;
	pty_wait_text(console, "FLEET");
	if (reader_open(process_file("wire.db"), READER_OWN, &r, &why) != ERR_OK)
		give_up(why.text);
	pty_send(console, "t");
	pty_wait_text(console, "gpu-001");
	pty_send(console, "/gpu-000\r");
	pty_wait_no_text(console, "gpu-001");
	pty_send(console, "\r");
	pty_wait_text(console, "NODE");
	for (int i = 0; i < TIMES; i++)
		ms[i] = measure_key(p, console, r);
	reader_close(r);
	pty_free(console);
	print("deploy_wire_after_key", ms);
}

void deploy_wire(void)
{
	struct deploy_peer *p = deploy_peer_start(NODES, OLD_NODES);
	deploy_peer_write_fleet(p, process_file("wire.yml"), "1s", deploy);
	measure_commands(p);
	measure_keys(p);
	deploy_peer_stop(p);
}
