/* SPDX-License-Identifier: Apache-2.0
 *
 * What a round of alerts costs: 1,000 targets with 20 signals and 200 series of their own, 20 alerting rules over the signals, 10,000 alerts of which half
 * fire and half are pending; following the store is part of it. And a storm: 5,000 alerts more in one round. One figure a line: name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "alerts/manager.h"

enum { TARGETS = 1000, SIGNALS = 20, SERIES = 200, STEP_MS = 10000, WARM_UP = 35, ROUNDS = 12, RULES = 20 };

struct bench {
	char                  folder[64], path[96];
	struct test_clock     clock;
	struct store         *store;
	struct alert_manager *manager;
	int64_t               targets[TARGETS], group;
	const struct layout  *signals, *series, *results;
	uint64_t              version;
	double                values[SIGNALS], said[SERIES];
	int64_t               now_ms;
};

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_alerts: %s\n", why->text);
	exit(1);
}

/* Rules 0 to 9 hold for all targets: 5 fire, 5 are pending for ever. 10 to 14 are the storm, the others never hold. Every second one is over a range. */
static char *make_rules(void)
{
	struct buf text;
	buf_init(&text, 100000);
	buf_puts(&text, "groups:\n  - name: g\n    interval: 10s\n    rules:\n");
	for (int i = 0; i < RULES; i++) {
		buf_printf(&text, "      - alert: A%d\n        expr: ", i);
		if (i % 2 == 0)
			buf_printf(&text, "signal:s%d > 1", i);
		else
			buf_printf(&text, "avg_over_time(signal:s%d[5m]) > 1", i);
		buf_printf(&text, "\n        for: %s\n        labels: { severity: %s }\n", i < 5 ? "0s" : i < 10 ? "10h" : "0s", i % 3 == 0 ? "page" : "ticket");
		buf_puts(&text, "        annotations: { summary: '{{ $labels.node }}: {{ $value | humanize }} is too high', runbook: 'look at {{ $labels.node }}' }\n");
	}
	return buf_take(&text);
}

static const struct layout *make_layout(struct bench *b, const char *prefix, const char *suffix, size_t n)
{
	struct labels *series[SERIES];
	const struct layout *l = NULL;
	struct why why;
	for (size_t i = 0; i < n; i++) {
		char metric[32];
		snprintf(metric, sizeof metric, "%s%zu%s", prefix, i, suffix);
		series[i] = labels_of(LABEL_NAME, metric, NULL);
	}
	need(store_layout(b->store, series, n, &l, &why), &why);
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	return l;
}

static void begin(struct bench *b)
{
	struct why why;
	*b = (struct bench){ .now_ms = INT64_C(1700000000000) };
	snprintf(b->folder, sizeof b->folder, "/tmp/pitwall-bench-XXXXXX");
	if (mkdtemp(b->folder) == NULL)
		exit(1);
	snprintf(b->path, sizeof b->path, "%s/s.db", b->folder);
	test_clock_init(&b->clock, b->now_ms);
	const struct store_options o = { .path = b->path, .clock = &b->clock.clock, .commit_ms = 10 };
	need(store_open(&o, &b->store, &why), &why);
	for (int i = 0; i < TARGETS; i++) {
		char node[32], group[32];
		snprintf(node, sizeof node, "gpu-%04d.example", i);
		snprintf(group, sizeof group, "pool-%d", i % 16);
		struct labels *l = labels_of("node", node, "group", group, "model", i % 2 == 0 ? "chat" : "search", "instance", node, "job", group, "profile", "vllm",
		                             NULL);
		need(store_target(b->store, l, "http://x", &b->targets[i], &why), &why);
		labels_unref(l);
	}
	b->signals = make_layout(b, "signal:s", "", SIGNALS);
	b->series = make_layout(b, "series_", "_total", SERIES);
	struct labels *l = labels_of(TARGET_RULES, "bench.yml;g", NULL);
	need(store_target(b->store, l, "", &b->group, &why), &why);
	labels_unref(l);
}

static void load(struct bench *b)
{
	static const char *const by[] = { "alertname", "model" };
	static struct fleet_alerting alerting = { .group_by = by, .n_group_by = 2, .interval_ms = STEP_MS };
	char *rules = make_rules();
	const struct rulebook_text text = { "bench.yml", rules, strlen(rules) };
	const struct rulebook_options o = { .texts = &text, .n_texts = 1 };
	const struct alert_manager_options m = { .store_path = b->path, .clock = clock_system() };
	struct rulebook *book = NULL;
	struct why why;
	need(rulebook_read(&o, NULL, NULL, &book, &why), &why);
	need(alert_manager_new(&m, &b->manager, &why), &why);
	need(alert_manager_load(b->manager, book, &alerting, b->now_ms, &why), &why);
	free(rules);
}

static void record(struct bench *b)
{
	struct why why;
	b->now_ms += STEP_MS;
	test_clock_advance(&b->clock, STEP_MS);
	for (int i = 0; i < TARGETS; i++) {
		for (size_t k = 0; k < SERIES; k += 7)
			b->said[k] += i;
		for (size_t k = 0; k < SIGNALS; k++)
			b->values[k] += 1e-7;
		need(store_append(b->store, b->targets[i], STREAM_SCRAPE, b->now_ms - STEP_MS / 2 + i, b->series, b->said, &why), &why);
		need(store_append(b->store, b->targets[i], STREAM_SIGNAL, b->now_ms - STEP_MS / 2 + i, b->signals, b->values, &why), &why);
	}
	need(store_flush(b->store, &why), &why);
}

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A round; what it gives is written, which is not part of the time. */
static double round_ms(struct bench *b)
{
	struct alert_round r;
	struct why why;
	double began = cpu_ms();
	need(alert_manager_round(b->manager, b->now_ms, &r, &why), &why);
	double took = cpu_ms() - began;
	for (size_t i = 0; i < r.n_frames; i++) {
		const struct alert_frame *f = &r.frames[i];
		if (b->version != f->version)
			need(store_layout(b->store, f->series, f->n, &b->results, &why), &why);
		b->version = f->version;
		need(store_append(b->store, b->group, STREAM_SIGNAL, f->at_ms, b->results, f->values, &why), &why);
	}
	if (r.changes != NULL)
		need(store_commit(b->store, r.changes, NULL, &why), &why);
	need(store_flush(b->store, &why), &why);
	return took;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void clean_up(struct bench *b)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	alert_manager_free(b->manager);
	store_close(b->store);
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s%s", b->path, ends[i]);
		unlink(path);
	}
	rmdir(b->folder);
}

int main(void)
{
	struct bench b;
	struct alerts_now now;
	struct why why;
	struct rusage usage;
	double took[ROUNDS];
	begin(&b);
	for (int i = 0; i < WARM_UP; i++)
		record(&b);
	load(&b);
	record(&b);
	printf("alerts_first_round %.1f ms\n", round_ms(&b)); /* reads what the rules look back over */
	record(&b);
	printf("alerts_round_idle %.1f ms\n", round_ms(&b));
	for (size_t k = 0; k < 10; k++)
		b.values[k] = 2;
	for (int i = 0; i < WARM_UP; i++) { /* until the averages have followed */
		record(&b);
		round_ms(&b);
	}
	for (int i = 0; i < ROUNDS; i++) {
		record(&b);
		took[i] = round_ms(&b);
	}
	need(alert_manager_now(b.manager, b.now_ms, &now, &why), &why);
	printf("alerts_instances %zu\n", now.n);
	qsort(took, ROUNDS, sizeof *took, by_size);
	printf("alerts_round %.1f ms\n", took[ROUNDS / 2]);
	printf("alerts_round_worst %.1f ms\n", took[ROUNDS - 1]);
	for (size_t k = 10; k < 15; k++)
		b.values[k] = 1e6;
	double storm = 0;
	for (int i = 0; i < 2; i++) { /* what is recorded after the time of an evaluation is for the next one */
		record(&b);
		double one = round_ms(&b);
		storm = one > storm ? one : storm;
	}
	printf("alerts_storm_round %.1f ms\n", storm);
	need(alert_manager_now(b.manager, b.now_ms, &now, &why), &why);
	printf("alerts_instances_in_storm %zu\n", now.n);
	struct alert_manager_stats s = alert_manager_stats(b.manager);
	printf("alerts_series %zu\nalerts_samples_kept %.1f MiB\n", s.recent.series, (double)s.recent.samples * 16 / 1048576);
	getrusage(RUSAGE_SELF, &usage);
	printf("alerts_memory %.1f MiB\n", (double)usage.ru_maxrss / 1024);
	clean_up(&b);
	return 0;
}
