/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast the query engine is: small rules at an instant, as the recorder evaluates them after each scrape, and a fleet-wide quantile over
 * a range, as a screen asks for it. Prints "name value unit" lines. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "query/memory_source.h"
#include "query/query.h"

static double seconds_now(void)
{
	return (double)clock_mono_us(clock_system()) / 1e6;
}

static void add(struct memory_source *m, const struct labels *l, int64_t t_ms, double v)
{
	if (memory_source_add(m, l, t_ms, v) != ERR_OK)
		exit(2);
}

static void instant(const char *metric, const char *text)
{
	enum { RUNS = 50000 };
	struct memory_source m;
	struct query *q = NULL;
	memory_source_init(&m);
	struct labels *l = labels_of(LABEL_NAME, "requests_total", "instance", "node-1:8000", "job", "vllm", "model", "m", NULL);
	for (int i = 0; i < 11; i++)
		add(&m, l, i * 5000, i * 7);
	labels_unref(l);
	if (query_parse(text, &q, NULL, NULL) != ERR_OK)
		exit(2);
	double start = seconds_now();
	for (int i = 0; i < RUNS; i++) {
		struct query_result r = { 0 };
		if (query_instant(q, &m.source, 50000, NULL, &r, NULL) != ERR_OK || r.series.n != 1)
			exit(2);
		query_result_release(&r);
	}
	double took = seconds_now() - start;
	printf("%s %.2f us\n%s_per_second %.0f 1/s\n", metric, took / RUNS * 1e6, metric, RUNS / took);
	query_free(q);
	memory_source_release(&m);
}

enum { NODES = 1000, BUCKETS = 20, SAMPLES = 120 };

/* One list of times for all series of a node, as a store's reader gives them and the recorder's window has them. */
static void add_bucket(struct memory_source *m, int node, int bucket, int64_t *times, double *values)
{
	char instance[32], le[32];
	snprintf(instance, sizeof instance, "node-%d:8000", node);
	snprintf(le, sizeof le, "%g", 0.001 * (1 << bucket));
	struct labels *l = labels_of(LABEL_NAME, "x_bucket", "instance", instance, "job", "vllm", "le", bucket == BUCKETS - 1 ? "+Inf" : le, NULL);
	m->set.items[m->set.n++] = (struct series){ .labels = l, .n = SAMPLES, .t_ms = times, .v = values, .in_block = true };
	for (int i = 0; i < SAMPLES; i++) {
		times[i] = i * 15000;
		values[i] = i * (bucket + 1) * 3 + node;
	}
}

static void add_fleet(struct memory_source *m)
{
	int64_t *times = malloc(NODES * SAMPLES * sizeof *times + NODES * BUCKETS * SAMPLES * sizeof(double));
	double *values = (double *)(void *)(times + NODES * SAMPLES);
	m->set.block = times;
	m->set.items = calloc(NODES * BUCKETS, sizeof *m->set.items);
	if (times == NULL || m->set.items == NULL)
		exit(2);
	for (int i = 0; i < NODES * BUCKETS; i++)
		add_bucket(m, i / BUCKETS, i % BUCKETS, times + i / BUCKETS * SAMPLES, values + i * SAMPLES);
}

static double processor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The least processor time of some runs: the others had the caches of somebody else. n_steps 1: an instant. */
static void fleet(const char *metric, struct memory_source *m, const char *text, size_t n_steps, size_t n_series)
{
	enum { RUNS = 9, FIRST_MS = 300000, STEP_MS = 30000 };
	struct query *q = NULL;
	double least = INFINITY;
	if (query_parse(text, &q, NULL, NULL) != ERR_OK)
		exit(2);
	for (int i = 0; i < RUNS; i++) {
		struct query_result r = { 0 };
		int64_t last_ms = FIRST_MS + (int64_t)(n_steps - 1) * STEP_MS;
		double start = processor_seconds();
		enum err e = n_steps == 1 ? query_instant(q, &m->source, FIRST_MS, NULL, &r, NULL) : query_range(q, &m->source, FIRST_MS, last_ms, STEP_MS, NULL, &r, NULL);
		least = fmin(least, processor_seconds() - start);
		if (e != ERR_OK || r.series.n != n_series)
			exit(2);
		query_result_release(&r);
	}
	printf("%s %.1f ms\n", metric, least * 1e3);
	query_free(q);
}

#define P99 "histogram_quantile(0.99, sum by (le, instance) (rate(x_bucket[5m])))"

static void fleets(void)
{
	enum { STEPS = 49 };
	struct memory_source m;
	memory_source_init(&m);
	add_fleet(&m);
	fleet("query_range_quantile_1000x20x49", &m, P99, STEPS, NODES);
	fleet("query_top_10_of_1000", &m, "topk(10, " P99 ")", 1, 10);
	memory_source_release(&m);
}

int main(void)
{
	instant("query_instant_rate", "rate(requests_total[1m])");
	instant("query_instant_sum_rate", "sum by (instance, model) (rate(requests_total[1m])) * 2 > 0");
	fleets();
	return 0;
}
