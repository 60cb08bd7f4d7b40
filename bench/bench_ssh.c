/* SPDX-License-Identifier: Apache-2.0
 *
 * One console and 100 machines over SSH, of which 20 hang in four ways (bench/ssh_fleet.h): the real program on a pty, with real sshds on
 * loopback. Are the healthy ones polled on time, and what does it cost here? The sshds and the shells, which are on this machine as well,
 * cost far more and are not in any figure. One figure a line: name value unit. Arguments: seconds that are measured (120), keys pressed
 * meanwhile (600), seconds of the interval (10). */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "bench/keys.h"
#include "bench/process.h"
#include "bench/ssh_fleet.h"
#include "collectors/schedule.h"
#include "recorder/report.h"
#include "store/reader.h"

enum { ROWS = 24, COLS = 80, BEGIN_MS = 180000, LOOK_MS = 500, TIMEOUT_MS = 5000, TIMES_MAX = 65536, NODES_MAX = 256 };

static const int counts[SSH_NODE_COUNT] = { [SSH_NODE_OK] = 80, [SSH_NODE_MUTE] = 5, [SSH_NODE_STOPPED] = 5, [SSH_NODE_GPU] = 5,
                                            [SSH_NODE_SHELL] = 5 };

static struct pty *start(void)
{
	static char home[256];
	snprintf(home, sizeof home, "HOME=%.200s", process_folder());
	const char *const env[] = { home, "TERM=xterm-256color", NULL };
	const char *const argv[] = { process_pitwall(), "--config", process_file("fleet.yml"), "--ssh-config", process_file("ssh_config"),
		                         "--store", process_file("ssh.db"), NULL };
	const struct pty_options o = { .rows = ROWS, .cols = COLS, .argv = argv, .env = env };
	return pty_start(&o);
}

/* ---- what it costs ---- */

struct cost {
	double rss_mb, cpu_s;
	int    threads, descriptors;
};

static void look(struct cost *c, pid_t pid)
{
	double rss_mb = process_rss_mb(pid);
	int threads = process_threads(pid), descriptors = process_descriptors(pid);
	c->rss_mb = rss_mb > c->rss_mb ? rss_mb : c->rss_mb;
	c->threads = threads > c->threads ? threads : c->threads;
	c->descriptors = descriptors > c->descriptors ? descriptors : c->descriptors;
}

/* Keys all the while, at even distances. */
static void measure(struct pty *p, double seconds, int keys, struct keys *pressed, struct cost *cost)
{
	pid_t pid = pty_pid(p);
	int64_t gap_ms = (int64_t)(seconds * 1000) / (keys > 0 ? keys : 1), begin = bench_now_us();
	cost->cpu_s = process_cpu_seconds(pid);
	while (bench_now_us() - begin < (int64_t)(seconds * 1e6)) {
		pty_read_for_ms(p, gap_ms);
		keys_press(pressed, p);
		look(cost, pid);
	}
	cost->cpu_s = process_cpu_seconds(pid) - cost->cpu_s;
}

/* ---- the store ---- */

static void check(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_ssh: %s\n", why->text);
	exit(1);
}

struct found {
	int64_t ids[NODES_MAX];
	char    groups[NODES_MAX][16], urls[NODES_MAX][64];
	size_t  n;
};

static enum err on_target(void *ctx, const struct target_info *t)
{
	struct found *f = ctx;
	if (f->n == NODES_MAX)
		return ERR_LIMIT;
	f->ids[f->n] = t->id;
	snprintf(f->groups[f->n], sizeof f->groups[0], "%s", labels_get(t->labels, "group"));
	snprintf(f->urls[f->n++], sizeof f->urls[0], "%s", t->url);
	return ERR_OK;
}

static enum err count_up(void *ctx, const struct frame *f)
{
	*(int *)ctx += f->n > REPORT_UP && f->values[REPORT_UP] > 0;
	return ERR_OK;
}

/* The healthy nodes that answered within the last minute. */
static int nodes_up(struct reader *r)
{
	static struct found found;
	struct why why = { "" };
	int64_t now = clock_wall_ms(clock_system());
	int n = 0;
	found.n = 0;
	check(reader_targets(r, now, on_target, &found, &why), &why);
	for (size_t i = 0; i < found.n; i++)
		if (strcmp(found.groups[i], ssh_node_name(SSH_NODE_OK)) == 0)
			check(reader_frames(r, STREAM_REPORT, found.ids[i], now - 60000, now, true, count_up, &n, &why), &why);
	return n;
}

/* Until each healthy node has answered once; how long that took, in seconds. */
static double wait_until_all_answer(struct pty *p, int64_t begin)
{
	struct reader *r = NULL;
	struct why why = { "" };
	check(reader_open(process_file("ssh.db"), READER_OWN, &r, &why), &why);
	while (nodes_up(r) < counts[SSH_NODE_OK] && bench_now_us() - begin < (int64_t)BEGIN_MS * 1000)
		pty_read_for_ms(p, LOOK_MS);
	reader_close(r);
	return (double)(bench_now_us() - begin) / 1e6;
}

struct gathers {
	int64_t from_ms, until_ms, interval_ms;
	int     nodes[SSH_NODE_COUNT], due[SSH_NODE_COUNT], begun[SSH_NODE_COUNT], good[SSH_NODE_COUNT];
	int     n_nodes_behind;  /* healthy nodes that miss one or more */
	double *late_ms, *took_s; /* of the healthy ones that were good */
	size_t  n;
	int     kind;            /* of the target whose frames are read */
	int64_t place_ms;
};

static enum err on_frame(void *ctx, const struct frame *f)
{
	struct gathers *g = ctx;
	if (f->n <= REPORT_DURATION)
		return ERR_OK;
	bool is_good = f->values[REPORT_UP] > 0;
	g->begun[g->kind]++;
	g->good[g->kind] += is_good;
	if (g->kind != SSH_NODE_OK || !is_good || g->n == TIMES_MAX)
		return ERR_OK;
	int64_t late = ((f->wall_ms - g->place_ms) % g->interval_ms + g->interval_ms) % g->interval_ms;
	g->late_ms[g->n] = late > g->interval_ms / 2 ? 0 : (double)late; /* the wall clock is slewed: a little early is on time */
	g->took_s[g->n++] = f->values[REPORT_DURATION];
	return ERR_OK;
}

static int kind_of(const char *group)
{
	int k = 0;
	while (k < SSH_NODE_COUNT - 1 && strcmp(ssh_node_name((enum ssh_node_kind)k), group) != 0)
		k++;
	return k;
}

/* How often the place comes in (from, until]. */
static int places_in(int64_t place_ms, const struct gathers *g)
{
	int64_t first = g->from_ms + 1 + (((place_ms - g->from_ms - 1) % g->interval_ms) + g->interval_ms) % g->interval_ms;
	return first > g->until_ms ? 0 : (int)((g->until_ms - first) / g->interval_ms) + 1;
}

static void read_store(struct gathers *g)
{
	struct reader *r = NULL;
	struct why why = { "" };
	static struct found found;
	check(reader_open(process_file("ssh.db"), READER_OWN, &r, &why), &why);
	check(reader_targets(r, g->until_ms, on_target, &found, &why), &why);
	for (size_t i = 0; i < found.n; i++) {
		g->kind = kind_of(found.groups[i]);
		g->place_ms = schedule_place(found.urls[i], g->interval_ms, found.n);
		g->nodes[g->kind]++;
		int due = places_in(g->place_ms, g), good_before = g->good[g->kind];
		g->due[g->kind] += due;
		check(reader_frames(r, STREAM_REPORT, found.ids[i], g->from_ms, g->until_ms, false, on_frame, g, &why), &why);
		g->n_nodes_behind += g->kind == SSH_NODE_OK && g->good[g->kind] - good_before < due;
	}
	reader_close(r);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_times(const char *name, double *values, size_t n, double by, const char *unit)
{
	if (n == 0)
		return;
	qsort(values, n, sizeof *values, by_size);
	printf("%s_p50 %.1f %s\n%s_p99 %.1f %s\n%s_max %.1f %s\n", name, values[n / 2] * by, unit, name, values[(n - 1) * 99 / 100] * by, unit,
	       name, values[n - 1] * by, unit);
}

static void print_gathers(struct gathers *g)
{
	for (int k = 0; k < SSH_NODE_COUNT; k++) {
		const char *name = ssh_node_name((enum ssh_node_kind)k);
		printf("ssh_%s_nodes %d of_%d\nssh_%s_gathers_due %d\nssh_%s_gathers_tried %d\nssh_%s_gathers_good %d\n", name, g->nodes[k],
		       counts[k], name, g->due[k], name, g->begun[k], name, g->good[k]);
	}
	printf("ssh_ok_missed %d gathers\nssh_ok_nodes_behind %d nodes\n", g->due[SSH_NODE_OK] - g->good[SSH_NODE_OK], g->n_nodes_behind);
	print_times("ssh_ok_late", g->late_ms, g->n, 1, "ms");
	print_times("ssh_ok_gather", g->took_s, g->n, 1000, "ms");
}

/* ---- all of it ---- */

static void run(double seconds, int keys, int interval_s)
{
	static struct keys pressed;
	static double late_ms[TIMES_MAX], took_s[TIMES_MAX];
	const struct clock *clock = clock_system();
	struct gathers g = { .interval_ms = interval_s * 1000, .late_ms = late_ms, .took_s = took_s };
	struct cost cost = { 0 };
	int64_t begin = bench_now_us();
	struct pty *p = start();
	printf("ssh_first_paint %.1f ms\n", pty_first_paint_ms(p, begin));
	printf("ssh_all_answer %.1f s\n", wait_until_all_answer(p, begin));
	ssh_fleet_freeze();
	g.from_ms = clock_wall_ms(clock);
	measure(p, seconds, keys, &pressed, &cost);
	g.until_ms = clock_wall_ms(clock);
	pty_read_for_ms(p, 2 * TIMEOUT_MS); /* the last ones that were begun have ended, and are committed */
	read_store(&g);
	print_gathers(&g);
	keys_print(&pressed, "ssh");
	printf("ssh_rss %.1f MB\nssh_threads %d\nssh_descriptors %d\n", cost.rss_mb, cost.threads, cost.descriptors);
	printf("ssh_cpu_share %.1f %%\nssh_cpu_per_node_and_interval %.2f ms\n", cost.cpu_s / seconds * 100,
	       cost.cpu_s * 1000 / (g.begun[SSH_NODE_OK] + g.begun[SSH_NODE_GPU] > 0 ? g.begun[SSH_NODE_OK] + g.begun[SSH_NODE_GPU] : 1));
	pty_free(p);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 120;
	int keys = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 600, interval_s = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 10;
	if (!ssh_fleet_is_possible())
		return 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	ssh_fleet_start(counts, interval_s);
	run(seconds, keys, interval_s);
	ssh_fleet_end();
	process_remove_folder();
	return 0;
}
