/* SPDX-License-Identifier: Apache-2.0
 *
 * What following a log costs: lines taken and lines skipped, a frame of the screen while it is flooded, and a key of the search over all that is kept.
 * One line a figure, `name value unit`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collectors/log_ring.h"
#include "tui/screens.h"
#include "tui/view.h"

/* A turn takes what collectors/log_follow.h allows. */
enum { TEXT_MAX = 32 * 1024 * 1024, PIECE = 64 * 1024, FRAMES = 200, KEYS = 20, TURN_LINES = 4000, TURN_BYTES = 1024 * 1024 };

struct bench {
	char            *text;
	size_t           n, lines;
	struct log_ring *ring;
	struct log_list  list;
	struct log_view  log;
	struct view      view;
	struct screen   *screen;
	struct canvas   *canvas;
};

static double now_s(void)
{
	return (double)clock_mono_us(clock_system()) / 1e6;
}

/* As vLLM writes them, 110 bytes or so; every hundredth is a warning. */
static void make_text(struct bench *b)
{
	b->text = malloc(TEXT_MAX);
	if (b->text == NULL)
		abort();
	while (b->n + 256 < TEXT_MAX) {
		b->n += (size_t)snprintf(b->text + b->n, 256, "2026-11-27T03:12:%02zu+00:00 vllm[1911]: %s 11-27 03:12:07 [engine.py:310] Added request cmpl-%08zx\n",
		                         b->lines % 60, b->lines % 100 == 0 ? "WARNING" : "INFO", b->lines * 7919);
		b->lines++;
	}
}

static void feed(struct bench *b, bool is_bounded)
{
	double begun = now_s();
	for (size_t at = 0; at < b->n; at += PIECE) {
		if (is_bounded && at % (128 * PIECE) == 0)
			log_ring_allow(b->ring, TURN_LINES, TURN_BYTES);
		log_ring_feed(b->ring, b->text + at, at + PIECE < b->n ? PIECE : b->n - at);
	}
	double took = now_s() - begun;
	const char *what = is_bounded ? "flood" : "taken";
	printf("log_%s_lines %.2f Mlines/s\n", what, (double)b->lines / took / 1e6);
	printf("log_%s_throughput %.0f MB/s\n", what, (double)b->n / took / 1e6);
}

static void open_screen(struct bench *b)
{
	static const char *const logs[] = { "/var/log/server.log" };
	struct requests none = { 0 };
	struct log_need need;
	struct why why;
	if (log_list_init(&b->list, &(struct log_wishes){ .logs = logs, .n_logs = 1 }) != ERR_OK || canvas_new(58, 200, &b->canvas, &why) != ERR_OK)
		abort();
	b->log = (struct log_view){ .node = "gpu-a-01", .way = "", .trouble = "",
		                    .status = { .state = LOG_LISTED, .text = "", .key = "", .list = &b->list, .ring = b->ring } };
	b->view.log = &b->log;
	b->screen = log_screen_new("gpu-a-01");
	if (b->screen == NULL)
		abort();
	b->screen->kind->update(b->screen, &b->view);
	b->screen->kind->command(b->screen, &b->view, COMMAND_ENTER, "", &none);
	b->screen->kind->follows(b->screen, &need);
	b->log.status.key = need.key;
	b->log.status.state = LOG_FOLLOWING;
}

/* A turn's lines come, the screen is told, and draws. */
static void frames(struct bench *b, const char *name)
{
	double took = 0;
	for (int i = 0; i < FRAMES; i++) {
		log_ring_allow(b->ring, TURN_LINES, TURN_BYTES);
		log_ring_feed(b->ring, b->text + (size_t)i * PIECE, 8 * PIECE);
		double begun = now_s();
		b->screen->kind->update(b->screen, &b->view);
		canvas_clear(b->canvas);
		b->screen->kind->draw(b->screen, &b->view, b->canvas);
		took += now_s() - begun;
	}
	printf("%s %.0f us\n", name, took / FRAMES * 1e6);
}

static void keys(struct bench *b, const char *name, const char *text)
{
	double begun = now_s();
	for (int i = 0; i < KEYS; i++) {
		b->screen->kind->filter(b->screen, text);
		b->screen->kind->update(b->screen, &b->view);
	}
	printf("%s %.2f ms\n", name, (now_s() - begun) / KEYS * 1e3);
}

int main(void)
{
	static struct bench b;
	make_text(&b);
	if (log_ring_new(&b.ring) != ERR_OK)
		abort();
	feed(&b, false);
	feed(&b, true);
	open_screen(&b);
	frames(&b, "log_frame_200x60");
	keys(&b, "log_search_key", "cmpl-0001");
	frames(&b, "log_frame_200x60_searched");
	keys(&b, "log_search_key_expression", "/cmpl-0+1");
	b.screen->kind->free(b.screen);
	canvas_free(b.canvas);
	log_list_release(&b.list);
	log_ring_free(b.ring);
	free(b.text);
	return 0;
}
