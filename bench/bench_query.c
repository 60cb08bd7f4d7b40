/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast the query engine is: small rules at an instant, as the recorder evaluates them after each scrape, and a fleet-wide quantile over
 * a range, as a screen asks for it. Prints "name value unit" lines. */
#include <stdio.h>
#include <stdlib.h>

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

static void add_bucket(struct memory_source *m, int node, int bucket)
{
	char instance[32], le[32];
	snprintf(instance, sizeof instance, "node-%d:8000", node);
	snprintf(le, sizeof le, "%g", bucket == 19 ? 1.0 / 0.0 : 0.001 * (1 << bucket));
	struct labels *l = labels_of(LABEL_NAME, "x_bucket", "instance", instance, "job", "vllm", "le", bucket == 19 ? "+Inf" : le, NULL);
	struct series *s = &m->set.items[m->set.n++];
	enum { SAMPLES = 120 };
	*s = (struct series){ .labels = l, .n = SAMPLES, .t_ms = calloc(SAMPLES, sizeof *s->t_ms), .v = calloc(SAMPLES, sizeof *s->v) };
	for (int i = 0; i < SAMPLES; i++) {
		s->t_ms[i] = i * 15000;
		s->v[i] = i * (bucket + 1) * 3 + node;
	}
}

static void fleet_quantile(void)
{
	enum { NODES = 256, BUCKETS = 20, STEPS = 49 };
	struct memory_source m;
	struct query *q = NULL;
	struct query_result r = { 0 };
	memory_source_init(&m);
	m.set.items = calloc(NODES * BUCKETS, sizeof *m.set.items);
	for (int i = 0; m.set.items != NULL && i < NODES * BUCKETS; i++)
		add_bucket(&m, i / BUCKETS, i % BUCKETS);
	if (query_parse("histogram_quantile(0.99, sum by (le, instance) (rate(x_bucket[5m])))", &q, NULL, NULL) != ERR_OK)
		exit(2);
	double start = seconds_now();
	if (query_range(q, &m.source, 300000, 300000 + (STEPS - 1) * 30000, 30000, NULL, &r, NULL) != ERR_OK || r.series.n != NODES)
		exit(2);
	printf("query_range_quantile_256x20x49 %.1f ms\n", (seconds_now() - start) * 1e3);
	query_result_release(&r);
	query_free(q);
	memory_source_release(&m);
}

int main(void)
{
	instant("query_instant_rate", "rate(requests_total[1m])");
	instant("query_instant_sum_rate", "sum by (instance, model) (rate(requests_total[1m])) * 2 > 0");
	fleet_quantile();
	return 0;
}
