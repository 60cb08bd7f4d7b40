/* SPDX-License-Identifier: Apache-2.0
 *
 * What "what changed" costs the worker: a group of 100 nodes with 25 signal series each, every 10 s, half of which move when the alert begins; read
 * from a store and ranked. Processor time. One figure a line: name value unit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "alerts/changed.h"
#include "base/clock.h"
#include "store/reader.h"
#include "store/store.h"

enum { NODES = 100, SERIES = 25, STEP_S = 10, FRAMES = 36 * 60 / STEP_S, ROUNDS = 10 };
static const int64_t T0 = INT64_C(1790000000000);

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_changed: %s\n", why->text);
	exit(1);
}

static double noise(void)
{
	static uint64_t seed = 1;
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 40) / (double)(1 << 24) - 0.5;
}

/* The signals but for the version, and of those that are a GPU's one more. */
static size_t make_series(struct labels *to[SERIES])
{
	static const enum signal_id again[] = { SIGNAL_GPU_UTIL, SIGNAL_GPU_MEMORY, SIGNAL_GPU_TEMP, SIGNAL_GPU_POWER, SIGNAL_LATENCY_P50, SIGNAL_QUEUE };
	size_t n = 0;
	for (int id = 0; id < SIGNAL_COUNT; id++)
		if (id != SIGNAL_VERSION)
			to[n++] = labels_of(LABEL_NAME, signal_info((enum signal_id)id)->metric, "gpu", "0", NULL);
	for (size_t i = 0; n < SERIES; i++)
		to[n++] = labels_of(LABEL_NAME, signal_info(again[i])->metric, "gpu", "1", NULL);
	return n;
}

static void fill_store(const char *path)
{
	struct labels       *series[SERIES];
	double               values[SERIES];
	struct test_clock    clock;
	struct why           why = { "" };
	struct store        *s = NULL;
	const struct layout *layout = NULL;
	int64_t              ids[NODES];
	size_t               n = make_series(series);
	test_clock_init(&clock, T0);
	const struct store_options o = { .path = path, .clock = &clock.clock };
	need(store_open(&o, &s, &why), &why);
	need(store_layout(s, series, n, &layout, &why), &why);
	for (int i = 0; i < NODES; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%03d", i);
		struct labels *l = labels_of("instance", name, "node", name, "group", "g", "model", "m", "zone", i % 3 == 0 ? "a" : "b", NULL);
		need(store_target(s, l, "http://127.0.0.1/", &ids[i], &why), &why);
		labels_unref(l);
	}
	for (int f = 0; f < FRAMES; f++) {
		bool is_after = f >= 31 * 60 / STEP_S;
		for (int i = 0; i < NODES; i++) {
			for (size_t k = 0; k < n; k++)
				values[k] = k == 0 ? 1 : 100 + 4 * noise() + (is_after && k % 2 == 0 && i % 2 == 0 ? 60 : 0);
			need(store_append(s, ids[i], STREAM_SIGNAL, T0 + f * STEP_S * INT64_C(1000), layout, values, &why), &why);
		}
	}
	need(store_flush(s, &why), &why);
	store_close(s);
	for (size_t k = 0; k < n; k++)
		labels_unref(series[k]);
}

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void measure(const char *path)
{
	struct why     why = { "" };
	struct reader *r = NULL;
	double         sum = 0, most = 0;
	size_t         n_series = 0, rows = 0;
	const int64_t  onset = T0 + 31 * 60 * INT64_C(1000);
	const struct changed_question q = { .node = "n000", .group = "", .model = "", .onset_ms = onset, .until_ms = onset + CHANGED_AFTER_MS };
	need(reader_open(path, READER_OWN, &r, &why), &why);
	for (int i = 0; i < ROUNDS; i++) {
		struct arena    a;
		struct changed *c = NULL;
		arena_init(&a);
		double begin = cpu_ms();
		need(changed_read(r, &q, &a, &c, &why), &why);
		double took = cpu_ms() - begin;
		sum += took;
		most = took > most ? took : most;
		n_series = c->n_series;
		rows = c->n;
		arena_release(&a);
	}
	printf("changed_series %zu series\nchanged_rows %zu rows\nchanged_100_nodes %.1f ms\nchanged_100_nodes_worst %.1f ms\n", n_series, rows, sum / ROUNDS, most);
	reader_close(r);
}

int main(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lease", ".lock" };
	char folder[] = "/tmp/pitwall-bench-XXXXXX", path[64], file[96];
	if (mkdtemp(folder) == NULL) {
		perror("bench_changed");
		return 1;
	}
	snprintf(path, sizeof path, "%s/s.db", folder);
	fill_store(path);
	measure(path);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(file, sizeof file, "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(folder) == 0 ? 0 : 1;
}
