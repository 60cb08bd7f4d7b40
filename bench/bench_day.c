/* SPDX-License-Identifier: Apache-2.0
 *
 * A day of a store, written without waiting for the day: NODES nodes (node_values.h, 500 series) polled every 10 s, what pitwall says of each poll and 20
 * signals beside it, committed every second of that time as a recorder would, and folded into blocks. Then what the file and the writing cost, and what
 * readers take. bench_day [NODES [HOURS]], 100 and 24 where left out. Nothing is synced: of the writing, bytes and processor time are measured, not the disk.
 * Ten nodes' values are made and shared by all; what one node says does nothing for another's blocks. Prints one line a figure. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/num.h"
#include "bench/node_values.h"
#include "store/reader.h"
#include "store/store.h"

enum { KINDS = 10, NODES_MAX = 1000, REPORTS = 6, SIGNALS = 20, STEP_MS = 10000, COMMITS_A_ROUND = 10, CHARTS = 20, TURNS = 7 };
#define START_MS INT64_C(1764000000000)
#define HOUR_MS (INT64_C(3600) * 1000)

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_day: %s\n", why->text);
	exit(1);
}

static double seconds(clockid_t which)
{
	struct timespec t;
	clock_gettime(which, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- a disk that counts and never waits ---- */

/* SQLite has one table of methods for files that are locked and one for others, as its log is. */
static struct {
	sqlite3_vfs   vfs, *real;
	struct kind {
		const sqlite3_io_methods *real;
		sqlite3_io_methods        ours;
	} kinds[4];
	atomic_ullong written[2]; /* to the store, to its log */
} disk;

static int write_to(sqlite3_file *f, size_t kind, const void *from, int n, sqlite3_int64 at)
{
	atomic_fetch_add(&disk.written[kind > 0], (unsigned long long)n);
	return disk.kinds[kind].real->xWrite(f, from, n, at);
}

static int write_0(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) { return write_to(f, 0, from, n, at); }
static int write_1(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) { return write_to(f, 1, from, n, at); }
static int write_2(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) { return write_to(f, 2, from, n, at); }
static int write_3(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) { return write_to(f, 3, from, n, at); }

static int no_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return SQLITE_OK;
}

static int disk_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	static int (*const writes[])(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) = { write_0, write_1, write_2, write_3 };
	(void)v;
	int rc = disk.real->xOpen(disk.real, name, f, flags, out_flags);
	size_t k = 0;
	if (rc != SQLITE_OK || f->pMethods == NULL)
		return rc;
	while (k < 4 && disk.kinds[k].real != NULL && disk.kinds[k].real != f->pMethods)
		k++;
	if (k == 4)
		return rc;
	if (disk.kinds[k].real == NULL) {
		disk.kinds[k].real = f->pMethods;
		disk.kinds[k].ours = *f->pMethods;
		disk.kinds[k].ours.xWrite = writes[k];
		disk.kinds[k].ours.xSync = no_sync;
	}
	f->pMethods = &disk.kinds[k].ours;
	return rc;
}

static void count_writes(void)
{
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "counting";
	disk.vfs.xOpen = disk_open;
	sqlite3_vfs_register(&disk.vfs, 1);
}

/* ---- writing ---- */

struct fleet {
	struct store        *store;
	int                  nodes, rounds;
	int64_t              targets[NODES_MAX];
	const struct layout *layouts[STREAM_COUNT];
	struct node_values   kinds[KINDS];
	double               samples;
};

static const struct layout *layout_of(struct store *s, struct labels **series, size_t n)
{
	const struct layout *l = NULL;
	struct why why;
	need(store_layout(s, series, n, &l, &why), &why);
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	return l;
}

static void make_layouts(struct fleet *f)
{
	static const char *const reports[REPORTS] = { "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added",
		                                      "scrape_response_size_bytes", "scrape_samples_post_metric_relabeling" };
	struct labels *series[NODE_SERIES];
	enum node_kind kind;
	for (size_t i = 0; i < NODE_SERIES; i++)
		series[i] = node_series(i, &kind);
	f->layouts[STREAM_SCRAPE] = layout_of(f->store, series, NODE_SERIES);
	for (size_t i = 0; i < REPORTS; i++)
		series[i] = labels_of(LABEL_NAME, reports[i], NULL);
	f->layouts[STREAM_REPORT] = layout_of(f->store, series, REPORTS);
	for (size_t i = 0; i < SIGNALS; i++) {
		char name[32];
		snprintf(name, sizeof name, "signal:number_%zu", i);
		series[i] = labels_of(LABEL_NAME, name, NULL);
	}
	f->layouts[STREAM_SIGNAL] = layout_of(f->store, series, SIGNALS);
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

/* Rates and quantiles have many digits, shares and counts few; rounded as signals are. */
static void signals_of(const struct node_values *n, double to[SIGNALS])
{
	for (size_t i = 0; i < SIGNALS; i++)
		to[i] = round_f64(i % 3 == 0 ? n->v[i * 25 + 24] / (n->v[i * 25 % 375 + 23] + 1) : i % 3 == 1 ? n->v[385 + i % 8] : n->load * (double)(i + 1) / 7);
}

static void poll(struct fleet *f, int node, int round)
{
	const struct node_values *n = &f->kinds[node % KINDS];
	struct why why;
	uint64_t noise = ((uint64_t)node * 7919 + (uint64_t)round) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	int64_t at = START_MS + (int64_t)round * STEP_MS + (int64_t)node * STEP_MS / f->nodes + (int64_t)(noise % 4);
	const double reports[REPORTS] = { 1, 0.004 + (double)noise / 4e9, NODE_SERIES, 0, 68000 + (double)(noise % 300), NODE_SERIES };
	double signals[SIGNALS];
	signals_of(n, signals);
	need(store_append(f->store, f->targets[node], STREAM_SCRAPE, at, f->layouts[STREAM_SCRAPE], n->v, &why), &why);
	need(store_append(f->store, f->targets[node], STREAM_REPORT, at, f->layouts[STREAM_REPORT], reports, &why), &why);
	need(store_append(f->store, f->targets[node], STREAM_SIGNAL, at, f->layouts[STREAM_SIGNAL], signals, &why), &why);
	f->samples += NODE_SERIES + REPORTS + SIGNALS;
}

/* Returns the processor seconds that making values took. */
static double fill(struct fleet *f)
{
	struct why why;
	double making = 0;
	for (int round = 0; round < f->rounds; round++) {
		double start = seconds(CLOCK_THREAD_CPUTIME_ID);
		for (int k = 0; k < KINDS; k++)
			node_values_next(&f->kinds[k]);
		making += seconds(CLOCK_THREAD_CPUTIME_ID) - start;
		for (int node = 0; node < f->nodes; node++) {
			poll(f, node, round);
			if ((node + 1) % (f->nodes > COMMITS_A_ROUND ? f->nodes / COMMITS_A_ROUND : 1) == 0)
				need(store_flush(f->store, &why), &why);
		}
	}
	need(store_flush(f->store, &why), &why);
	return making;
}

/* ---- reading ---- */

struct look {
	const char *path;
	int         nodes;
	int64_t     end_ms;
};

static struct reader *open_store(const char *path)
{
	struct reader *r = NULL;
	struct why why;
	need(reader_open(path, READER_OWN, &r, &why), &why);
	return r;
}

/* One metric, of one node or (negative) of all: how many samples there were. */
static size_t select_range(struct reader *r, const char *metric, const char *gpu, int node, int64_t from_ms, int64_t until_ms)
{
	char instance[32];
	struct matcher m[3];
	size_t n = 0, samples = 0;
	struct why why;
	struct series_set set;
	snprintf(instance, sizeof instance, "node-%d:8000", node);
	need(matcher_init(&m[n++], MATCH_EQUAL, LABEL_NAME, metric, &why), &why);
	if (gpu != NULL)
		need(matcher_init(&m[n++], MATCH_EQUAL, "gpu", gpu, &why), &why);
	if (node >= 0)
		need(matcher_init(&m[n++], MATCH_EQUAL, "instance", instance, &why), &why);
	need(reader_select(r, m, n, from_ms, until_ms, 500000000, &set, &why), &why);
	for (size_t i = 0; i < set.n; i++)
		samples += set.items[i].n;
	series_set_release(&set);
	while (n > 0)
		matcher_release(&m[--n]);
	return samples;
}

static enum err count_values(void *ctx, const struct frame *f)
{
	*(size_t *)ctx += f->n;
	return ERR_OK;
}

static size_t newest_signals(struct reader *r, int64_t at_ms)
{
	size_t n = 0;
	struct why why;
	need(reader_frames(r, STREAM_SIGNAL, 0, at_ms - 300000, at_ms, true, count_values, &n, &why), &why);
	return n;
}

static size_t one_series_day(const struct look *l, struct reader *r, int turn)
{
	return select_range(r, "DCGM_FI_DEV_POWER_USAGE", "3", turn * 13 % l->nodes, l->end_ms - 24 * HOUR_MS, l->end_ms);
}

static size_t one_metric_hour(const struct look *l, struct reader *r, int turn)
{
	return select_range(r, "vllm:num_requests_running", NULL, -1, l->end_ms - (turn + 1) * HOUR_MS, l->end_ms - turn * HOUR_MS);
}

static size_t newest_now(const struct look *l, struct reader *r, int turn) { return turn >= 0 ? newest_signals(r, l->end_ms) : 0; }
static size_t newest_past(const struct look *l, struct reader *r, int turn) { return newest_signals(r, l->end_ms - HOUR_MS / 2 - turn * HOUR_MS / 10); }

/* The screen of a node at another time: an hour of each of its charts. */
static size_t seek(const struct look *l, struct reader *r, int turn)
{
	size_t n = 0;
	int64_t until = l->end_ms - HOUR_MS / 3 - turn * 37 * 60000;
	for (int i = 0; i < CHARTS; i++) {
		char name[32];
		snprintf(name, sizeof name, "signal:number_%d", i);
		n += select_range(r, name, NULL, 5 % l->nodes, until - HOUR_MS, until);
	}
	return n;
}

static size_t first_chart(const struct look *l, struct reader *r, int turn)
{
	int64_t first, last; /* the last thing that happened is that recording began, which was now */
	struct why why;
	struct reader *own = open_store(l->path);
	(void)r;
	need(reader_bounds(own, &first, &last, &why), &why);
	size_t n = newest_signals(own, l->end_ms) + select_range(own, "signal:number_0", NULL, turn % l->nodes, l->end_ms - HOUR_MS, l->end_ms);
	reader_close(own);
	return n;
}

/* Each turn looks at something else, as far as there is: what was read before helps little. The median and the least of what they took, and the least of
 * processor time, which other programs don't change much. */
static void measure(const char *name, const struct look *l, struct reader *r, size_t (*fn)(const struct look *l, struct reader *r, int turn))
{
	double took[TURNS], least_cpu = 1e9;
	size_t samples = 0;
	for (int turn = 0; turn < TURNS; turn++) {
		double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
		samples = fn(l, r, turn);
		double t = (seconds(CLOCK_MONOTONIC) - start) * 1e3;
		cpu = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e3;
		least_cpu = cpu < least_cpu ? cpu : least_cpu;
		int at = turn;
		for (; at > 0 && took[at - 1] > t; at--)
			took[at] = took[at - 1];
		took[at] = t;
	}
	printf("day_%s %.3f ms\nday_%s_least %.3f ms\nday_%s_cpu %.3f ms\n", name, took[TURNS / 2], name, took[0], name, least_cpu);
	printf("day_%s_samples %zu samples\n", name, samples);
}

static void read_back(const struct look *l)
{
	struct reader *r = open_store(l->path);
	measure("open_to_first_chart", l, r, first_chart);
	measure("one_series_24h", l, r, one_series_day);
	measure("one_metric_all_nodes_1h", l, r, one_metric_hour);
	measure("newest_signals_now", l, r, newest_now);
	measure("newest_signals_past", l, r, newest_past);
	measure("seek_20_charts", l, r, seek);
	reader_close(r);
}

static int number_of(const char *text, int64_t most)
{
	int64_t n;
	if (parse_i64(text, 1, most, &n) == ERR_OK)
		return (int)n;
	fprintf(stderr, "usage: bench_day [NODES [HOURS]], up to %d and 48\n", NODES_MAX);
	exit(2);
}

static void print_costs(const struct fleet *f, const char *path, double cpu, double wall)
{
	struct rusage u;
	struct stat st;
	getrusage(RUSAGE_SELF, &u);
	if (stat(path, &st) == 0)
		printf("day_bytes_per_sample %.3f bytes\nday_file %.1f MB\n", (double)st.st_size / f->samples, (double)st.st_size / 1e6);
	double store = (double)atomic_load(&disk.written[0]), wal = (double)atomic_load(&disk.written[1]);
	printf("day_written_per_sample %.3f bytes\nday_written_to_log_per_sample %.3f bytes\n", (store + wal) / f->samples, wal / f->samples);
	printf("day_cpu %.3f s/Msample\nday_samples %.1f Msamples\nday_wall %.1f s\n", cpu / f->samples * 1e6, f->samples / 1e6, wall);
	printf("day_rss_peak %.1f MB\n", (double)u.ru_maxrss / 1e3);
}

int main(int argc, char **argv)
{
	static struct fleet f;
	char folder[] = "/tmp/bench_day.XXXXXX", path[64];
	struct why why;
	f.nodes = argc > 1 ? number_of(argv[1], NODES_MAX) : 100;
	f.rounds = (int)((argc > 2 ? number_of(argv[2], 48) : 24) * HOUR_MS / STEP_MS);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/x.db", folder);
	count_writes();
	struct store_options o = { .path = path, .clock = clock_system(), .folding = FOLD_UNASKED };
	need(store_open(&o, &f.store, &why), &why);
	for (uint64_t k = 0; k < KINDS; k++)
		node_values_init(&f.kinds[k], k + 1);
	make_layouts(&f);
	make_targets(&f);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC), making = fill(&f);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu - making;
	wall = seconds(CLOCK_MONOTONIC) - wall - making;
	read_back(&(struct look){ path, f.nodes, START_MS + (int64_t)f.rounds * STEP_MS });
	store_close(f.store);
	print_costs(&f, path, cpu, wall);
	if (getenv("BENCH_DAY_KEEP") == NULL) {
		unlink(path);
		rmdir(folder);
	} else {
		fprintf(stderr, "bench_day: %s stays\n", path);
	}
	return 0;
}
