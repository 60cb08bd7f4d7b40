/* SPDX-License-Identifier: Apache-2.0
 *
 * What the simulated fleet costs: 256 nodes, every endpoint scraped over one kept connection, as a collector does every 5 s. The client's
 * own processor time is not counted. One figure a line: name value unit. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sim/sim.h"

enum { ROUNDS = 12, INTERVAL_S = 5, ENDPOINTS_MAX = 2 * SIM_NODES_BENCH, ANSWER_MAX = 1 << 20 };

/* The machine's clock, with what the benchmark skips. */
struct skipping_clock {
	struct clock        clock;
	_Atomic int64_t     skipped_us;
	const struct clock *machine;
};

static int64_t skipped(const struct clock *c) { return atomic_load(&((const struct skipping_clock *)c)->skipped_us); }
static int64_t mono_us(const struct clock *c) { return clock_mono_us(((const struct skipping_clock *)c)->machine) + skipped(c); }
static int64_t wall_ms(const struct clock *c) { return clock_wall_ms(((const struct skipping_clock *)c)->machine) + skipped(c) / 1000; }

static double seconds_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time of all threads but this one. */
static double others_seconds(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID); }

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		fprintf(stderr, "bench_sim: cannot connect to port %d\n", port);
		exit(1);
	}
	return fd;
}

/* One scrape; returns the bytes of the body. */
static size_t scrape(int fd, const char *path, char *buffer)
{
	size_t have = 0, body = 0, head = 0;
	int    n = snprintf(buffer, 256, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/plain\r\n\r\n", path);
	if (write(fd, buffer, (size_t)n) != n)
		exit(1);
	while (head == 0 || have < head + body) {
		ssize_t got = read(fd, buffer + have, ANSWER_MAX - 1 - have);
		if (got <= 0)
			exit(1);
		have += (size_t)got;
		buffer[have] = '\0';
		const char *end = head == 0 ? strstr(buffer, "\r\n\r\n") : NULL, *length = strstr(buffer, "Content-Length: ");
		if (end != NULL && length != NULL) {
			head = (size_t)(end - buffer) + 4;
			body = strtoul(length + 16, NULL, 10);
		}
	}
	return body;
}

static size_t dial_all(struct sim *s, int fds[ENDPOINTS_MAX], const char *paths[ENDPOINTS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < sim_count(s); i++) {
		struct sim_truth t;
		sim_truth(s, i, &t);
		paths[n] = strcmp(t.profile, "tensorflow-serving") == 0 ? "/monitoring/prometheus/metrics" : "/metrics";
		fds[n++] = dial(t.port);
		if (t.gpu_port != 0) {
			paths[n] = "/metrics";
			fds[n++] = dial(t.gpu_port);
		}
	}
	return n;
}

int main(void)
{
	static int         fds[ENDPOINTS_MAX];
	static const char *paths[ENDPOINTS_MAX];
	struct skipping_clock clock = { { wall_ms, mono_us }, 0, clock_system() };
	const char        *quiet[] = { "none" };
	struct sim_options o = { .nodes = SIM_NODES_BENCH, .seed = 1, .incidents = quiet, .n_incidents = 1, .clock = &clock.clock };
	struct sim        *s = NULL;
	struct why         why = { "" };
	double             before = seconds_of(CLOCK_MONOTONIC);
	char              *buffer = malloc(ANSWER_MAX);
	size_t             bytes = 0;

	if (buffer == NULL || sim_new(&o, &s, &why) != ERR_OK || sim_start(s, &why) != ERR_OK) {
		fprintf(stderr, "bench_sim: %s\n", why.text);
		return 1;
	}
	printf("sim_start_256 %.1f ms\n", (seconds_of(CLOCK_MONOTONIC) - before) * 1000);
	size_t n = dial_all(s, fds, paths);
	double cpu = 0;
	for (int round = -1; round < ROUNDS; round++) { /* the first warms up and is not counted */
		if (round == 0) {
			cpu = others_seconds();
			bytes = 0;
		}
		atomic_fetch_add(&clock.skipped_us, INTERVAL_S * 1000000);
		for (size_t i = 0; i < n; i++)
			bytes += scrape(fds[i], paths[i], buffer);
	}
	cpu = (others_seconds() - cpu) / ROUNDS;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("sim_endpoints_256 %zu count\n", n);
	printf("sim_round_bytes_256 %.0f bytes\n", (double)bytes / ROUNDS);
	printf("sim_scrape_cpu %.1f us\n", cpu / (double)n * 1e6);
	printf("sim_core_share_256_5s %.2f percent\n", cpu / INTERVAL_S * 100);
	printf("sim_rss_256 %.1f MB\n", (double)usage.ru_maxrss / 1024);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	free(buffer);
	sim_free(s);
	return 0;
}
