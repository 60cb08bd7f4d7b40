/* SPDX-License-Identifier: Apache-2.0
 *
 * How soon an acknowledgement is seen: ten consoles and a recorder, programs of their own, on one store of a simulated fleet of 256 nodes. One console after the
 * other takes an alert on; from its last key until the comment stands on the screen of each of the nine others. One figure a line: name value unit.
 * Argument: how often (40). */
#include "tests/unit/unit.h"

#include "bench/keys.h"
#include "bench/process.h"
#include "tests/e2e/colleagues.h"

enum { NODES = 256, ACKS_MAX = 1000, GAP_MS = 1000 };

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The nine times of one acknowledgement, in ms. */
static void measure(struct colleagues *c, int number, double *ms)
{
	char comment[32];
	int64_t seen_us[COLLEAGUES];
	int who = number % COLLEAGUES;
	snprintf(comment, sizeof comment, "number %d is mine", number);
	int64_t begin_us = colleagues_acknowledge(c, who, comment);
	colleagues_see(c, comment, seen_us);
	for (int i = 0; i < COLLEAGUES; i++)
		if (i != who)
			*ms++ = (double)(seen_us[i] - begin_us) / 1e3;
	colleagues_unacknowledge(c, who);
	colleagues_see(c, "nobody", seen_us);
}

int main(int argc, char **argv)
{
	static double ms[ACKS_MAX * (COLLEAGUES - 1)];
	struct colleagues c;
	unsigned seed = 7;
	long acks = argc > 1 ? strtol(argv[1], NULL, 10) : 40;
	if (acks < 1 || acks > ACKS_MAX) {
		fprintf(stderr, "bench_colleagues: from 1 to %d acknowledgements\n", ACKS_MAX);
		return 2;
	}
	pid_t sim = process_start_sim(NODES);
	colleagues_add_alert(process_file("fleet.yml"), process_file("rules.yml"), "HallOnFire");
	colleagues_start(&c, process_file("fleet.yml"), process_file("s.db"), "HallOnFire");
	for (int i = 0; i < acks; i++) {
		process_sleep_ms(rand_r(&seed) % GAP_MS); /* so that it falls anywhere between the looks of recorder and consoles */
		measure(&c, i, &ms[i * (COLLEAGUES - 1)]);
	}
	size_t n = (size_t)acks * (COLLEAGUES - 1);
	qsort(ms, n, sizeof *ms, by_size);
	printf("colleagues_ack_seen_p50 %.0f ms\ncolleagues_ack_seen_p99 %.0f ms\ncolleagues_ack_seen_max %.0f ms\n", ms[n / 2], ms[(n - 1) * 99 / 100], ms[n - 1]);
	colleagues_leave(&c);
	process_stop(sim);
	process_remove_folder();
	return 0;
}
