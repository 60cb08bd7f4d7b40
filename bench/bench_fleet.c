/* SPDX-License-Identifier: Apache-2.0
 *
 * What questions about a whole fleet cost, through a store: NODES nodes (node_values.h, 500 series) polled every 10 s, of which the newest frames stand as
 * they were written and the others in blocks. bench_fleet [NODES [ROUNDS [STORE]]], 1,000 and 180 where left out: half an hour. A STORE that is named stays,
 * and is asked as it is where it is there. Each question is asked of a store that was just opened, whose pages the system may have in memory, and again of
 * the same reader. Prints one line a figure: the least processor time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "bench/node_values.h"
#include "query/query.h"
#include "query/store_source.h"
#include "store/store.h"

enum { KINDS = 10, NODES_MAX = 2000, STEP_MS = 10000, COMMITS_A_ROUND = 10, TURNS = 7, STEPS = 49 };
#define START_MS INT64_C(1764000000000)

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_fleet: %s\n", why->text);
	exit(1);
}

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- writing ---- */

struct fleet {
	struct store        *store;
	int                  nodes, rounds;
	int64_t              targets[NODES_MAX];
	const struct layout *layout;
	struct node_values   kinds[KINDS];
};

static void make_layout(struct fleet *f)
{
	struct labels *series[NODE_SERIES];
	struct why why;
	enum node_kind kind;
	for (size_t i = 0; i < NODE_SERIES; i++)
		series[i] = node_series(i, &kind);
	need(store_layout(f->store, series, NODE_SERIES, &f->layout, &why), &why);
	for (size_t i = 0; i < NODE_SERIES; i++)
		labels_unref(series[i]);
}

static void make_targets(struct fleet *f)
{
	struct why why;
	for (int t = 0; t < f->nodes; t++) {
		char instance[32];
		snprintf(instance, sizeof instance, "node-%d:8000", t);
		struct labels *labels = labels_of("instance", instance, "job", "chat", NULL);
		need(store_target(f->store, labels, "http://node/metrics", &f->targets[t], &why), &why);
		labels_unref(labels);
	}
}

static void fill(struct fleet *f)
{
	struct why why;
	for (int round = 0; round < f->rounds; round++) {
		for (int k = 0; k < KINDS; k++)
			node_values_next(&f->kinds[k]);
		for (int node = 0; node < f->nodes; node++) {
			int64_t at = START_MS + (int64_t)round * STEP_MS + (int64_t)node * STEP_MS / f->nodes;
			need(store_append(f->store, f->targets[node], STREAM_SCRAPE, at, f->layout, f->kinds[node % KINDS].v, &why), &why);
			if ((node + 1) % (f->nodes > COMMITS_A_ROUND ? f->nodes / COMMITS_A_ROUND : 1) == 0)
				need(store_flush(f->store, &why), &why);
		}
	}
	need(store_flush(f->store, &why), &why);
}

static void make_store(struct fleet *f, const char *path)
{
	struct why why;
	const struct store_options o = { .path = path, .clock = clock_system(), .folding = FOLD_UNASKED };
	for (int k = 0; k < KINDS; k++)
		node_values_init(&f->kinds[k], (uint64_t)k + 1);
	need(store_open(&o, &f->store, &why), &why);
	make_layout(f);
	make_targets(f);
	fill(f);
}

/* ---- asking ---- */

struct question {
	const char *name, *text;
	bool        is_range;
	size_t      n_series; /* of the answer; 0: one a node */
};

static double ask(const struct query *q, struct reader *r, const struct question *question, int64_t end_ms, size_t n_series)
{
	enum { RANGE_STEP_MS = 30000 };
	struct query_source source = store_source(r);
	struct query_result result = { 0 };
	struct why why;
	double began = cpu_ms();
	need(question->is_range ? query_range(q, &source, end_ms - (STEPS - 1) * RANGE_STEP_MS, end_ms, RANGE_STEP_MS, NULL, &result, &why)
	                        : query_instant(q, &source, end_ms, NULL, &result, &why),
	     &why);
	double took = cpu_ms() - began;
	if (result.series.n != n_series) {
		fprintf(stderr, "bench_fleet: %zu series and not %zu\n", result.series.n, n_series);
		exit(1);
	}
	query_result_release(&result);
	return took;
}

static void measure(const char *path, const struct fleet *f, const struct question *question)
{
	struct query *q = NULL;
	struct why why;
	double first = (double)INFINITY, again = (double)INFINITY;
	int64_t end_ms = START_MS + (int64_t)f->rounds * STEP_MS;
	size_t n = question->n_series != 0 ? question->n_series : (size_t)f->nodes;
	need(query_parse(question->text, &q, NULL, &why), &why);
	for (int turn = 0; turn < TURNS; turn++) {
		struct reader *r = NULL;
		need(reader_open(path, READER_OWN, &r, &why), &why);
		first = fmin(first, ask(q, r, question, end_ms, n));
		again = fmin(again, ask(q, r, question, end_ms, n));
		reader_close(r);
	}
	printf("fleet_%s_first %.1f ms\nfleet_%s_again %.1f ms\n", question->name, first, question->name, again);
	query_free(q);
}

#define P99 "histogram_quantile(0.99, sum by (le, instance) (rate(vllm:time_to_first_token_seconds_bucket[5m])))"

static const struct question questions[] = {
	{ "range_quantile_49_steps", P99, true, 0 },
	{ "top_10_now", "topk(10, " P99 ")", false, 10 },
	{ "gauge_now", "vllm:num_requests_running", false, 0 },
	{ "gauge_49_steps", "vllm:num_requests_running", true, 0 },
};

static int number_of(const char *text, int64_t most)
{
	int64_t n;
	if (parse_i64(text, 10, most, &n) == ERR_OK)
		return (int)n;
	fprintf(stderr, "usage: bench_fleet [NODES [ROUNDS [STORE]]], up to %d and 10000\n", NODES_MAX);
	exit(2);
}

int main(int argc, char **argv)
{
	static struct fleet f;
	char folder[] = "/tmp/bench_fleet.XXXXXX", path[64];
	f.nodes = argc > 1 ? number_of(argv[1], NODES_MAX) : 1000;
	f.rounds = argc > 2 ? number_of(argv[2], 10000) : 180;
	if (argc <= 3 && mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/x.db", folder);
	const char *store = argc > 3 ? argv[3] : path;
	if (access(store, F_OK) != 0)
		make_store(&f, store);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		measure(store, &f, &questions[i]);
	store_close(f.store);
	if (argc > 3)
		return 0;
	unlink(path);
	return rmdir(folder) == 0 ? 0 : 1;
}
