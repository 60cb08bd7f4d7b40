/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store costs: 256 targets of 500 series each at 10 s. A third of the series changes from frame to frame, as counters and gauges
 * of inference servers do. Prints one line a figure: name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/reader.h"
#include "store/store.h"

enum { TARGETS = 256, SERIES = 500, SIGNALS = 20, ROUNDS = 360, STEP_MS = 10000 };

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_store: %s\n", why->text);
	exit(1);
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double wall_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t roll(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static const struct layout *make_layout(struct store *s, const char *prefix, int n)
{
	struct labels *series[SERIES];
	const struct layout *l = NULL;
	struct why why;
	for (int i = 0; i < n; i++) {
		char name[64], le[16];
		snprintf(name, sizeof name, "%s_%d_total", prefix, i / 20);
		snprintf(le, sizeof le, "%d", i % 20);
		series[i] = labels_of("__name__", name, "le", le, "model_name", "meta-llama/Llama-3.1-8B-Instruct", NULL);
	}
	need(store_layout(s, series, (size_t)n, &l, &why), &why);
	for (int i = 0; i < n; i++)
		labels_unref(series[i]);
	return l;
}

/* Counters that rise, decimals that wander, sums with all their bits, and many that stay. */
static void move_values(double *v, uint32_t *seed)
{
	for (int i = 0; i < SERIES; i++) {
		if (i % 10 < 2)
			v[i] += roll(seed) % 50;
		else if (i % 50 == 5)
			v[i] = (double)(roll(seed) % 100000) / 1000;
		else if (i % 50 == 6)
			v[i] += (double)roll(seed) / 3e6;
	}
}

static void fill(struct store *s, const int64_t *targets, const struct layout *scrape, const struct layout *signal, uint32_t *seed)
{
	static double values[TARGETS][SERIES];
	struct why why;
	for (int round = 1; round <= ROUNDS; round++) {
		for (int t = 0; t < TARGETS; t++) {
			move_values(values[t], seed);
			int64_t at = (int64_t)round * STEP_MS + t * 30;
			need(store_append(s, targets[t], STREAM_SCRAPE, at, scrape, values[t], &why), &why);
			need(store_append(s, targets[t], STREAM_SIGNAL, at + 1, signal, values[t], &why), &why);
		}
		need(store_flush(s, &why), &why);
	}
}

static enum err count_values(void *ctx, const struct frame *f)
{
	size_t *n = ctx;
	*n += f->n;
	return ERR_OK;
}

static double time_frames(struct reader *r, int64_t after_ms, int64_t until_ms, bool newest)
{
	struct why why;
	double best = 1e9;
	for (int i = 0; i < 20; i++) {
		size_t n = 0;
		double start = wall_seconds();
		need(reader_frames(r, STREAM_SIGNAL, 0, after_ms, until_ms, newest, count_values, &n, &why), &why);
		double took = wall_seconds() - start;
		best = took < best && n > 0 ? took : best;
	}
	return best * 1e3;
}

static double time_select(struct reader *r, const struct matcher *m, size_t n, int64_t until_ms)
{
	struct why why;
	double best = 1e9;
	for (int i = 0; i < 5; i++) {
		struct series_set set;
		double start = wall_seconds();
		need(reader_select(r, m, n, 0, until_ms, 50000000, &set, &why), &why);
		double took = wall_seconds() - start;
		best = took < best && set.n > 0 ? took : best;
		series_set_release(&set);
	}
	return best * 1e3;
}

static void read_back(const char *path)
{
	struct reader *r;
	struct why why;
	struct matcher m[3];
	const int64_t end = (int64_t)(ROUNDS + 1) * STEP_MS;
	need(reader_open(path, READER_OWN, &r, &why), &why);
	need(matcher_init(&m[0], MATCH_EQUAL, "__name__", "scrape_0_total", &why), &why);
	need(matcher_init(&m[1], MATCH_EQUAL, "le", "1", &why), &why);
	need(matcher_init(&m[2], MATCH_EQUAL, "instance", "node-7:8000", &why), &why);
	printf("store_select_one_series_1h %.3f ms\n", time_select(r, m, 3, end));
	printf("store_select_one_metric_256_targets_1h %.3f ms\n", time_select(r, m, 2, end));
	printf("store_newest_signals_256_targets %.3f ms\n", time_frames(r, end - 300000, end, true));
	printf("store_newest_signals_256_targets_past %.3f ms\n", time_frames(r, end / 2 - 300000, end / 2, true));
	printf("store_signal_frames_10min_256_targets %.3f ms\n", time_frames(r, end - 600000, end, false));
	for (size_t i = 0; i < 3; i++)
		matcher_release(&m[i]);
	reader_close(r);
}

int main(void)
{
	char folder[] = "/tmp/bench_store.XXXXXX", path[64];
	struct why why;
	struct store *s;
	struct stat st;
	int64_t targets[TARGETS];
	uint32_t seed = 1;
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/x.db", folder);
	struct store_options o = { .path = path, .clock = clock_system() };
	need(store_open(&o, &s, &why), &why);
	for (int t = 0; t < TARGETS; t++) {
		char instance[32];
		snprintf(instance, sizeof instance, "node-%d:8000", t);
		struct labels *labels = labels_of("instance", instance, "job", "chat", NULL);
		need(store_target(s, labels, "http://node/metrics", &targets[t], &why), &why);
		labels_unref(labels);
	}
	const struct layout *scrape = make_layout(s, "scrape", SERIES), *signal = make_layout(s, "signal", SIGNALS);
	double cpu = cpu_seconds(), samples = (double)TARGETS * (SERIES + SIGNALS) * ROUNDS;
	fill(s, targets, scrape, signal, &seed);
	cpu = cpu_seconds() - cpu;
	read_back(path);
	store_close(s);
	if (stat(path, &st) == 0)
		printf("store_bytes_per_sample %.3f bytes\n", (double)st.st_size / samples);
	printf("store_append_cpu %.3f s/Msample\n", cpu / samples * 1e6);
	unlink(path);
	return rmdir(folder) == 0 ? 0 : 1;
}
