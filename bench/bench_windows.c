/* SPDX-License-Identifier: Apache-2.0
 *
 * What alert rules with long windows cost a round: 1,000 targets polled every 10 s for six hours and more, rules over 1 h and 6 h of one series of each.
 * Each rule is measured alone, in a manager of its own: the first round, which reads the windows from the store, and the rounds after it; following the
 * store is part of them. Then all of them at once. One figure a line: name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alerts/manager.h"

enum { TARGETS = 1000, SERIES = 6, STEP_MS = 10000, HISTORY = 6 * 360 + 30, ROUNDS = 9 };

static const struct {
	const char *name, *expr;
} rules[] = {
	{ "avg_1h", "avg_over_time(signal:s0[1h]) > 1e9" },
	{ "avg_6h", "avg_over_time(signal:s1[6h]) > 1e9" },
	{ "max_6h", "max_over_time(signal:s1[6h]) > 1e9" },
	{ "rate_1h", "rate(signal:s2_total[1h]) > 1e9" },
	{ "rate_6h", "rate(signal:s2_total[6h]) > 1e9" },
	{ "quantile_1h", "quantile_over_time(0.9, signal:s3[1h]) > 1e9" },
	{ "quantile_6h", "quantile_over_time(0.9, signal:s3[6h]) > 1e9" },
	{ "ratio_1h", "sum by (model) (rate(signal:s2_total[1h])) / sum by (model) (rate(signal:s4_total[1h])) > 1e9" },
	{ "stddev_6h", "stddev_over_time(signal:s1[6h]) > 1e9" },
};
enum { RULES = sizeof rules / sizeof rules[0] };

struct bench {
	char                 folder[64], path[96];
	struct test_clock    clock;
	struct store        *store;
	int64_t              targets[TARGETS];
	const struct layout *layout;
	uint64_t             random;
	double               values[TARGETS][SERIES];
	int64_t              now_ms;
};

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_windows: %s\n", why->text);
	exit(1);
}

static void begin(struct bench *b)
{
	static const char *const names[SERIES] = { "signal:s0", "signal:s1", "signal:s2_total", "signal:s3", "signal:s4_total", "signal:s5" };
	struct labels *series[SERIES];
	struct why why;
	b->now_ms = INT64_C(1700000000000);
	b->random = 88172645463325252U;
	snprintf(b->folder, sizeof b->folder, "/tmp/pitwall-bench-XXXXXX");
	if (mkdtemp(b->folder) == NULL)
		exit(1);
	snprintf(b->path, sizeof b->path, "%s/s.db", b->folder);
	test_clock_init(&b->clock, b->now_ms);
	const struct store_options o = { .path = b->path, .clock = &b->clock.clock, .commit_ms = 10 };
	need(store_open(&o, &b->store, &why), &why);
	for (int i = 0; i < TARGETS; i++) {
		char node[32];
		snprintf(node, sizeof node, "gpu-%04d.example", i);
		struct labels *l = labels_of("node", node, "model", i % 2 == 0 ? "chat" : "search", "instance", node, "job", "vllm", NULL);
		need(store_target(b->store, l, "http://x", &b->targets[i], &why), &why);
		labels_unref(l);
	}
	for (size_t i = 0; i < SERIES; i++)
		series[i] = labels_of(LABEL_NAME, names[i], NULL);
	need(store_layout(b->store, series, SERIES, &b->layout, &why), &why);
	for (size_t i = 0; i < SERIES; i++)
		labels_unref(series[i]);
}

static double random_ratio(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return (double)(b->random >> 11) / 9007199254740992.0;
}

/* Gauges wander, counters rise. */
static void record(struct bench *b)
{
	struct why why;
	b->now_ms += STEP_MS;
	test_clock_advance(&b->clock, STEP_MS);
	for (int i = 0; i < TARGETS; i++) {
		double *v = b->values[i];
		for (size_t k = 0; k < SERIES; k++)
			v[k] = k == 2 || k == 4 ? v[k] + (double)(int)(random_ratio(b) * 100) : v[k] * 0.9 + random_ratio(b);
		need(store_append(b->store, b->targets[i], STREAM_SIGNAL, b->now_ms - STEP_MS / 2 + i, b->layout, v, &why), &why);
	}
	need(store_flush(b->store, &why), &why);
}

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double round_ms(const struct bench *b, struct alert_manager *m)
{
	struct alert_round r;
	struct why why;
	double began = cpu_ms();
	need(alert_manager_round(m, b->now_ms, &r, &why), &why);
	double took = cpu_ms() - began;
	if (alert_manager_stats(m).rules_failing > 0) {
		fprintf(stderr, "bench_windows: a rule failed\n");
		exit(1);
	}
	changes_free(r.changes);
	return took;
}

static struct alert_manager *load(const struct bench *b, size_t first, size_t n)
{
	static struct fleet_alerting alerting = { .interval_ms = STEP_MS };
	struct alert_manager *m = NULL;
	struct rulebook *book = NULL;
	struct buf text;
	struct why why;
	buf_init(&text, 100000);
	buf_puts(&text, "groups:\n  - name: g\n    interval: 10s\n    rules:\n");
	for (size_t i = first; i < first + n; i++)
		buf_printf(&text, "      - alert: A%zu\n        expr: '%s'\n", i, rules[i].expr);
	const struct rulebook_text file = { "bench.yml", buf_text(&text), text.len };
	const struct rulebook_options o = { .texts = &file, .n_texts = 1 };
	const struct alert_manager_options options = { .store_path = b->path, .clock = clock_system() };
	need(rulebook_read(&o, NULL, NULL, &book, &why), &why);
	need(alert_manager_new(&options, &m, &why), &why);
	need(alert_manager_load(m, book, &alerting, b->now_ms, &why), &why);
	buf_release(&text);
	return m;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(struct bench *b, const char *name, size_t first, size_t n)
{
	double took[ROUNDS];
	struct alert_manager *m = load(b, first, n);
	printf("windows_%s_first_round %.1f ms\n", name, round_ms(b, m));
	for (int i = 0; i < ROUNDS; i++) {
		record(b);
		took[i] = round_ms(b, m);
	}
	qsort(took, ROUNDS, sizeof *took, by_size);
	struct alert_manager_stats s = alert_manager_stats(m);
	printf("windows_%s_round %.1f ms\nwindows_%s_worst %.1f ms\nwindows_%s_kept %.1f MiB\n", name, took[ROUNDS / 2], name, took[ROUNDS - 1], name,
	       (double)s.recent.samples * 16 / 1048576);
	fflush(stdout);
	alert_manager_free(m);
}

static void clean_up(struct bench *b)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	store_close(b->store);
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s%s", b->path, ends[i]);
		unlink(path);
	}
	rmdir(b->folder);
}

/* bench_windows [NAME...]: those alone. */
static bool is_asked_for(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	static struct bench b;
	begin(&b);
	for (int i = 0; i < HISTORY; i++)
		record(&b);
	for (size_t i = 0; i < RULES; i++)
		if (is_asked_for(argc, argv, rules[i].name))
			measure(&b, rules[i].name, i, 1);
	if (is_asked_for(argc, argv, "all"))
		measure(&b, "all", 0, RULES);
	clean_up(&b);
	return 0;
}
