/* SPDX-License-Identifier: Apache-2.0
 *
 * What asking a machine over SSH costs an interval, in bytes, round trips and processor time here: by our own SSH, by the OpenSSH client as
 * the collector runs it (one shell that stays), and as a script would do it, with a new `ssh -S SOCKET` each interval over a master
 * connection. All three ask for the same (the host's source, which is due in every gather) from the same sshd; a relay in between counts.
 * One figure a line: name value unit. Arguments: intervals (60), machines (8). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "bench/process.h"
#include "bench/relay.h"
#include "bench/ssh_fleet.h"
#include "collectors/machine.h"
#include "collectors/source_host.h"

enum { MACHINES_MAX = 16, WARM_UP = 3, INTERVAL_MS = 250, DEADLINE_MS = 60000, LOOK_MS = 20 };

static const struct source *const asked[] = { &host_source };
static const char                 ssh[] = "/usr/bin/ssh";

struct cost {
	struct relay_counts bytes;
	double              cpu_s;
	int                 gathers;
};

static void check(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_ssh_cost: %s\n", why->text);
	exit(1);
}

/* ---- processor time ---- */

static double seconds_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static double own_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return seconds_of(&u);
}

/* Of a process of one thread, to the nanosecond (/proc/PID/schedstat): /proc/PID/stat counts hundredths of a second. */
static double process_seconds(pid_t pid)
{
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	FILE *f = fopen(path, "r");
	if (f != NULL) {
		if (fscanf(f, "%llu", &ns) != 1)
			ns = 0;
		fclose(f);
	}
	return (double)ns / 1e9;
}

static bool is_ssh(pid_t pid)
{
	char path[64], name[32] = "";
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	bool is_so = fgets(name, sizeof name, f) != NULL && strcmp(name, "ssh\n") == 0;
	fclose(f);
	return is_so;
}

/* Of the OpenSSH clients that are children of ours. */
static double clients_seconds(void)
{
	char path[64];
	int child;
	double sum = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
	FILE *f = fopen(path, "r");
	while (f != NULL && fscanf(f, "%d", &child) == 1)
		if (is_ssh(child))
			sum += process_seconds(child);
	if (f != NULL)
		fclose(f);
	return sum;
}

static double all_seconds(void)
{
	return own_seconds() + clients_seconds();
}

/* ---- the collector ---- */

struct run {
	struct loop              *loop;
	struct machine_collector *c;
	int                       n, wanted;
	struct one {
		struct run *run;
		int         good;
	} machines[MACHINES_MAX];
	bool                      is_measuring;
	struct relay_counts       begin_bytes;
	double                    begin_s;
	int                       begin_good, good;
	struct cost               cost;
};

static int fewest(const struct run *r)
{
	int least = r->machines[0].good;
	for (int i = 1; i < r->n; i++)
		least = r->machines[i].good < least ? r->machines[i].good : least;
	return least;
}

static struct relay_counts since(struct relay_counts begin)
{
	struct relay_counts now = relay_counts();
	return (struct relay_counts){ .up = now.up - begin.up, .down = now.down - begin.down, .turns = now.turns - begin.turns };
}

static void on_closed(void *ctx)
{
	struct run *r = ctx;
	loop_stop(r->loop);
}

static void close_all(void *ctx)
{
	struct run *r = ctx;
	machine_collector_close(r->c, on_closed, r);
}

static void on_scrape(void *ctx, const struct machine_scrape *s)
{
	struct one *m = ctx;
	struct run *r = m->run;
	if (s->result != REACH_OK) {
		fprintf(stderr, "bench_ssh_cost: %s\n", s->text);
		exit(1);
	}
	m->good++;
	r->good++;
	if (!r->is_measuring && fewest(r) == WARM_UP) {
		r->is_measuring = true;
		r->begin_bytes = relay_counts();
		r->begin_s = all_seconds();
		r->begin_good = r->good;
	} else if (r->is_measuring && r->cost.gathers == 0 && fewest(r) == WARM_UP + r->wanted) {
		r->cost = (struct cost){ .bytes = since(r->begin_bytes), .cpu_s = all_seconds() - r->begin_s, .gathers = r->good - r->begin_good };
		if (loop_post(r->loop, close_all, r) != ERR_OK)
			exit(1);
	}
}

static struct cost measure_collector(enum ssh_mode mode, int machines, int intervals)
{
	struct run r = { .n = machines, .wanted = intervals };
	struct why why = { "" };
	check(loop_new(&r.loop, &why), &why);
	const struct machine_collector_options o = { .loop = r.loop, .clock = clock_system(), .ssh_config = process_file("relay_config"),
		                                         .sources = asked, .n_sources = 1 };
	check(machine_collector_new(&o, &r.c, &why), &why);
	for (int i = 0; i < machines; i++) {
		char name[16];
		struct machine *m = NULL;
		snprintf(name, sizeof name, "r-%d", i + 1);
		r.machines[i].run = &r;
		const struct machine_options mo = { .name = name, .destination = name, .mode = mode, .interval_ms = INTERVAL_MS,
		                                    .timeout_ms = DEADLINE_MS, .done = on_scrape, .ctx = &r.machines[i] };
		check(machine_add(r.c, &mo, true, &m, &why), &why);
	}
	loop_run(r.loop);
	loop_free(r.loop);
	return r.cost;
}

/* ---- as a script would ---- */

static const char *socket_of(int i)
{
	char name[16];
	snprintf(name, sizeof name, "master-%d", i + 1);
	return process_file(name);
}

static pid_t start_master(int i)
{
	struct stat st;
	char host[16];
	snprintf(host, sizeof host, "r-%d", i + 1);
	const char *const argv[] = { ssh, "-F", process_file("relay_config"), "-M", "-N", "-S", socket_of(i), host, NULL };
	pid_t pid = process_start(argv, "master.out", "master.log");
	for (int ms = 0; stat(socket_of(i), &st) != 0; ms += LOOK_MS) {
		if (ms > DEADLINE_MS) {
			fprintf(stderr, "bench_ssh_cost: no master connection came up\n");
			exit(1);
		}
		process_sleep_ms(LOOK_MS);
	}
	return pid;
}

/* Its two ends: to write to, to read from. */
static pid_t start_client(int i, int *in, int *out)
{
	int to[2], from[2];
	char host[16];
	snprintf(host, sizeof host, "r-%d", i + 1);
	const char *const argv[] = { ssh, "-F", process_file("relay_config"), "-S", socket_of(i), "-T", host, gather_command(), NULL };
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*in = to[1];
	*out = from[0];
	return pid;
}

/* One gather; what the client cost is added to `cpu_s`. */
static void gather_once(struct gather *g, int i, double *cpu_s)
{
	static char bytes[65536];
	struct why why = { "" };
	struct buf request;
	struct rusage used;
	enum gather_state state = GATHER_MORE;
	int in, out, status;
	pid_t pid = start_client(i, &in, &out);
	gather_reset(g);
	buf_init(&request, GATHER_REQUEST_MAX);
	check(gather_request(g, &request, &why), &why);
	if (write(in, request.data, request.len) != (ssize_t)request.len)
		exit(1);
	for (ssize_t n; state == GATHER_MORE && (n = read(out, bytes, sizeof bytes)) > 0;)
		state = gather_feed(g, bytes, (size_t)n, &why);
	check(state == GATHER_DONE ? ERR_OK : ERR_FORMAT, &why);
	close(in);
	close(out);
	if (wait4(pid, &status, 0, &used) == pid)
		*cpu_s += seconds_of(&used);
	buf_release(&request);
}

static struct cost measure_script(int machines, int intervals)
{
	struct cost c = { .gathers = 0 };
	pid_t masters[MACHINES_MAX];
	struct gather *gathers[MACHINES_MAX];
	struct relay_counts begin = { 0 };
	struct why why = { "" };
	double clients_s = 0, begin_s = 0;
	const struct gather_options o = { .clock = clock_system(), .sources = asked, .n_sources = 1 };
	for (int i = 0; i < machines; i++) {
		masters[i] = start_master(i);
		check(gather_new(&o, &gathers[i], &why), &why);
	}
	for (int k = 0; k < WARM_UP + intervals; k++) {
		if (k == WARM_UP) {
			begin = relay_counts();
			begin_s = all_seconds();
			clients_s = 0;
		}
		for (int i = 0; i < machines; i++)
			gather_once(gathers[i], i, &clients_s);
	}
	c.bytes = since(begin);
	c.cpu_s = all_seconds() - begin_s + clients_s;
	c.gathers = machines * intervals;
	for (int i = 0; i < machines; i++) {
		gather_free(gathers[i]);
		process_stop(masters[i]);
	}
	return c;
}

/* ---- all of it ---- */

static void write_relay_config(int machines, int port)
{
	FILE *f = fopen(process_file("relay_config"), "w");
	if (f == NULL)
		exit(1);
	fprintf(f, "Include %s\n", process_file("ssh_config"));
	for (int i = 1; i <= machines; i++)
		fprintf(f, "Host r-%d\n\tHostName 127.0.9.%d\n\tPort %d\n", i, i, port);
	fclose(f);
}

static void print_cost(const char *name, const struct cost *c, const struct cost *ours)
{
	double n = c->gathers, m = ours->gathers;
	double up = (double)c->bytes.up / n, down = (double)c->bytes.down / n, turns = (double)c->bytes.turns / n, cpu = c->cpu_s * 1000 / n;
	printf("ssh_cost_%s_sent %.0f bytes\nssh_cost_%s_received %.0f bytes\nssh_cost_%s_round_trips %.2f\nssh_cost_%s_cpu %.3f ms\n", name,
	       up, name, down, name, turns, name, cpu);
	if (c == ours)
		return;
	printf("ssh_cost_%s_sent_ratio %.1f\nssh_cost_%s_received_ratio %.2f\nssh_cost_%s_cpu_ratio %.1f\n", name,
	       up / ((double)ours->bytes.up / m), name, down / ((double)ours->bytes.down / m), name, cpu / (ours->cpu_s * 1000 / m));
}

int main(int argc, char **argv)
{
	int intervals = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 60, machines = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 8;
	struct sockaddr_in to[MACHINES_MAX];
	if (!ssh_fleet_is_possible() || access(ssh, X_OK) != 0 || machines < 1 || machines > MACHINES_MAX)
		return 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	ssh_fleet_start((const int[SSH_NODE_COUNT]){ [SSH_NODE_OK] = machines }, 10);
	for (int i = 0; i < machines; i++)
		to[i] = ssh_fleet_address(SSH_NODE_OK, i + 1);
	write_relay_config(machines, relay_start(to, machines));
	struct cost libssh2 = measure_collector(SSH_MODE_LIBSSH2, machines, intervals);
	struct cost openssh = measure_collector(SSH_MODE_OPENSSH, machines, intervals);
	struct cost script = measure_script(machines, intervals);
	print_cost("libssh2", &libssh2, &libssh2);
	print_cost("openssh", &openssh, &libssh2);
	print_cost("control_master", &script, &libssh2);
	ssh_fleet_end();
	process_remove_folder();
	return 0;
}
