/* SPDX-License-Identifier: Apache-2.0
 *
 * A storm of alerts on the screen: 5,000 fire, each a group of its own, which is the worst case. What the feed's worker needs to read them, and what the
 * thread that has the keys needs for a new view, for a key, and for a letter of a filter, each to the bytes of the frame. One line a figure, `name value unit`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"
#include "tui/alerts_detail.h"
#include "tui/encode.h"
#include "tui/screens.h"

enum { ALERTS = 5000, KEYS = 500, READS = 5, ROWS = 40, COLS = 120 };
static const int64_t T = 1795442851000;

struct bench {
	struct terminfo     info;
	struct theme        theme;
	struct encoder     *encoder;
	struct canvas      *canvas;
	struct buf          out;
	struct view         view;
	struct alerts_view *alerts;
	struct screen      *screen;
};

static void fail(const char *what, const struct why *why)
{
	fprintf(stderr, "bench_storm: %s: %s\n", what, why->text);
	exit(1);
}

static void put_alert(struct changes *c, int64_t id)
{
	char node[32], key[96];
	snprintf(node, sizeof node, "gpu-%c-%04d", (char)('a' + id % 7), (int)id);
	snprintf(key, sizeof key, "{alertname=\"LatencyHigh\",node=\"%s\"}", node);
	struct labels *l = labels_of("alertname", "LatencyHigh", "model", "chat-70b", "node", node, "severity", id % 3 == 0 ? "critical" : "warning", NULL);
	struct labels *result = labels_of("node", node, NULL), *notes = labels_of("summary", "p99 above 0.5s for five minutes", NULL);
	const struct alert_row a = { .id = id, .rule = "LatencyHigh", .source = "rules.yml;serving", .expr = "signal:latency_seconds:p99 > 0.5", .group_key = key,
		                     .labels = l, .result = result, .annotations = notes, .severity = id % 3 == 0 ? SEVERITY_CRIT : SEVERITY_WARN,
		                     .value = 0.7, .active_ms = T - 60000 - id, .fired_ms = T - 30000 - id };
	changes_alert(c, &a);
	labels_unref(l);
	labels_unref(result);
	labels_unref(notes);
}

static void fill(const char *path)
{
	struct test_clock clock;
	struct store *store = NULL;
	struct changes *c = NULL;
	struct why why = { "" };
	test_clock_init(&clock, T);
	const struct store_options o = { .path = path, .clock = &clock.clock };
	if (store_open(&o, &store, &why) != ERR_OK || changes_new(&c, &why) != ERR_OK)
		fail("cannot make a store", &why);
	for (int64_t i = 1; i <= ALERTS; i++)
		put_alert(c, i);
	if (store_commit(store, c, NULL, &why) != ERR_OK || store_flush(store, &why) != ERR_OK)
		fail("cannot write it", &why);
	store_close(store);
}

static void read_alerts(struct bench *b, const char *path)
{
	struct reader *r = NULL;
	struct why why = { "" };
	int64_t us = 0;
	if (reader_open(path, READER_OWN, &r, &why) != ERR_OK)
		fail("cannot open it", &why);
	for (int i = 0; i < READS; i++) {
		alerts_view_free(b->alerts);
		b->alerts = NULL;
		int64_t from = clock_mono_us(clock_system());
		if (alerts_read(r, T, &b->alerts, &why) != ERR_OK)
			fail("cannot read it", &why);
		us += clock_mono_us(clock_system()) - from;
	}
	reader_close(r);
	printf("storm_read_time %.1f ms\n", (double)us / READS / 1000);
}

static void frame(struct bench *b)
{
	canvas_clear(b->canvas);
	b->screen->kind->draw(b->screen, &b->view, b->canvas);
	buf_clear(&b->out);
	if (encoder_frame(b->encoder, b->canvas, -1, -1, &b->out) != ERR_OK)
		exit(1);
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void print(const char *name, int64_t *us, size_t n)
{
	qsort(us, n, sizeof *us, by_value);
	printf("storm_%s_p50 %.3f ms\nstorm_%s_p99 %.3f ms\n", name, (double)us[n / 2] / 1000, name, (double)us[n * 99 / 100] / 1000);
}

static void measure_keys(struct bench *b)
{
	static const enum command walk[] = { COMMAND_DOWN, COMMAND_PAGE_DOWN, COMMAND_TAG, COMMAND_LAST, COMMAND_UP, COMMAND_SORT, COMMAND_FIRST };
	static int64_t us[KEYS];
	for (int i = 0; i < KEYS; i++) {
		struct requests r = { 0 };
		int64_t from = clock_mono_us(clock_system());
		b->screen->kind->command(b->screen, &b->view, walk[i % 7], "", &r);
		frame(b);
		us[i] = clock_mono_us(clock_system()) - from;
	}
	print("key", us, KEYS);
}

static void measure_updates(struct bench *b, const char *name, const char *filter)
{
	static int64_t us[KEYS];
	for (int i = 0; i < KEYS; i++) {
		int64_t from = clock_mono_us(clock_system());
		if (filter != NULL)
			b->screen->kind->filter(b->screen, i % 2 == 0 ? filter : "");
		b->screen->kind->update(b->screen, &b->view);
		frame(b);
		us[i] = clock_mono_us(clock_system()) - from;
	}
	print(name, us, KEYS);
}

int main(void)
{
	static struct bench b;
	char folder[] = "/tmp/pitwall-storm-XXXXXX", path[64], other[80];
	struct why why = { "" };
	if (mkdtemp(folder) == NULL || terminfo_load("xterm-256color", &b.info, &why) != ERR_OK || theme_load("dark", NULL, &b.theme, &why) != ERR_OK ||
	    encoder_new(&b.info, &b.theme, DEPTH_256, &b.encoder, &why) != ERR_OK || canvas_new(ROWS, COLS, &b.canvas, &why) != ERR_OK)
		fail("cannot begin", &why);
	snprintf(path, sizeof path, "%s/s.db", folder);
	buf_init(&b.out, 16 << 20);
	fill(path);
	read_alerts(&b, path);
	b.view = (struct view){ .mode = VIEW_LIVE, .t_ms = T, .now_ms = T, .alerts = b.alerts, .unowned_after_ms = 1, .recorder = "", .trouble = "" };
	b.screen = alerts_screen_new();
	if (b.screen == NULL)
		fail("no screen", &why);
	measure_updates(&b, "new_view", NULL);
	measure_keys(&b);
	measure_updates(&b, "filter", "gpu-a crit");
	b.screen->kind->free(b.screen);
	alerts_view_free(b.alerts);
	encoder_free(b.encoder);
	canvas_free(b.canvas);
	buf_release(&b.out);
	for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", "-lease", NULL }; *end != NULL; end++) {
		snprintf(other, sizeof other, "%s%s", path, *end);
		unlink(other);
	}
	rmdir(folder);
	return 0;
}
