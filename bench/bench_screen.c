/* SPDX-License-Identifier: Apache-2.0
 *
 * What a frame costs: bytes and microseconds to compose, compare and encode, on xterm-256color with the dark theme. One line a figure,
 * `name value unit`. No terminal is needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tui/encode.h"
#include "tui/heat_scale.h"
#include "tui/widget_bar.h"
#include "tui/widget_heat.h"
#include "tui/widget_spark.h"

enum { NODES = 1000, FRAMES = 200, TABLE_ROWS = 20, MODELS = 12 };

struct bench {
	struct terminfo info;
	struct theme    theme;
	struct encoder *encoder;
	struct canvas  *canvas;
	struct buf      out;
	struct keymap   keys;
	uint8_t         steps[NODES];
	int             values[TABLE_ROWS];
	int             selected, rows, cols;
	uint32_t        seed;
};

static uint32_t next_random(struct bench *b)
{
	b->seed = b->seed * 1664525u + 1013904223u;
	return b->seed >> 8;
}

static void draw_map(struct bench *b)
{
	struct canvas *c = b->canvas;
	int width = b->cols < 110 ? 1 : b->cols < 180 ? 2 : 3, across = (b->cols - 10) / width;
	int bottom = b->rows - (b->rows < 40 ? 7 : 22);
	canvas_clear(c);
	canvas_fill(c, (struct rect){ 0, 0, 1, b->cols }, ROLE_BAR, ' ');
	canvas_printf(c, 0, 1, ROLE_BAR_NAME, "FLEET  prod-eu  live 1s");
	for (int i = 0; i < NODES && 2 + i / across < bottom; i++)
		tile_draw(c, 2 + i / across, 9 + i % across * width, width == 1 ? 1 : width - 1,
			  i == b->selected ? SEVERITY_CRIT : SEVERITY_OK, b->steps[i], NULL);
	canvas_rule(c, bottom, "alerts", "3 crit 17 warn");
	for (int i = 0; i < TABLE_ROWS && bottom + 1 + i < b->rows - 1; i++) {
		canvas_printf(c, bottom + 1 + i, 1, ROLE_TEXT, "gpu-a-%03d  latency_p99 %6d >120", i * 7, b->values[i]);
		if (i == b->selected)
			canvas_set_ground(c, (struct rect){ bottom + 1 + i, 0, 1, b->cols }, ROLE_SELECTED);
	}
	key_bar_draw(c, b->rows - 1, &b->keys, CONTEXT_FLEET);
}

static void draw_table(struct bench *b)
{
	struct canvas *c = b->canvas;
	float history[60];
	canvas_clear(c);
	canvas_rule(c, 0, "nodes", "worst first");
	for (int row = 1; row < b->rows - 1; row++) {
		for (int i = 0; i < 60; i++)
			history[i] = (float)(next_random(b) % 100);
		canvas_printf(c, row, 1, ROLE_TEXT, "gpu-b-%03d  ranker   %4u ms  %3u%%", row, next_random(b) % 1000, next_random(b) % 100);
		spark_draw(c, row, 40, b->cols - 42 > 60 ? 60 : b->cols - 42, history, 60, 0, 100, ROLE_SECOND, ROLE_WARN);
	}
	key_bar_draw(c, b->rows - 1, &b->keys, CONTEXT_NODE);
}

static void tick(struct bench *b)
{
	for (int i = 0; i < NODES * 3 / 100; i++) {
		uint8_t *step = &b->steps[next_random(b) % NODES];
		*step = (uint8_t)(*step == 0 ? 1 : *step == HEAT_STEPS - 1 ? HEAT_STEPS - 2 : *step + (int)(next_random(b) % 2) * 2 - 1);
	}
	for (int i = 0; i < TABLE_ROWS; i++)
		b->values[i] += (int)(next_random(b) % 21) - 10;
	draw_map(b);
}

static void move_selection(struct bench *b)
{
	b->selected = (b->selected + 1) % 4;
	draw_map(b);
}

static void change_view(struct bench *b)
{
	static bool is_table; /* which of the two comes next */
	is_table = !is_table;
	if (is_table)
		draw_table(b);
	else
		draw_map(b);
}

static void first_paint(struct bench *b)
{
	encoder_invalidate(b->encoder);
	draw_map(b);
}

static void measure(struct bench *b, const char *name, void (*frame)(struct bench *b))
{
	const struct clock *clock = clock_system();
	size_t bytes = 0;
	int64_t us = 0;
	for (int i = 0; i < FRAMES; i++) {
		int64_t from = clock_mono_us(clock);
		frame(b);
		buf_clear(&b->out);
		if (encoder_frame(b->encoder, b->canvas, -1, -1, &b->out) != ERR_OK)
			exit(1);
		us += clock_mono_us(clock) - from;
		bytes += b->out.len;
	}
	printf("screen_%s_%dx%d_bytes %zu bytes\n", name, b->cols, b->rows, bytes / FRAMES);
	printf("screen_%s_%dx%d_time %.1f us\n", name, b->cols, b->rows, (double)us / FRAMES);
}

/* A healthy fleet whose models are decades apart; each value wanders by a tenth around its model's own. */
static void make_noise(struct bench *b, struct node_row *nodes)
{
	for (size_t i = 0; i < NODES; i++) {
		double usual = 0.016 * (double)(1 << i % MODELS);
		nodes[i].value[SIGNAL_LATENCY_P99] = usual * (0.9 + 0.2 * (double)next_random(b) / (1 << 24));
	}
}

/* What it costs to say how hot each node is, and how many tiles noise alone changes. */
static void measure_heat(struct bench *b)
{
	static const char *const models[MODELS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" };
	static struct node_row nodes[NODES];
	static float histories[NODES][HISTORY_POINTS];
	static char names[NODES][16];
	static uint8_t steps[NODES];
	const struct fleet_view fleet = { .nodes = nodes, .n_nodes = NODES };
	struct fleet_rows rows = { 0 };
	struct heat_scale scale = { 0 };
	int64_t us = 0;
	size_t changed = 0;
	for (size_t i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof names[i], "gpu-%03zu", i);
		nodes[i] = (struct node_row){ .node = names[i], .group = "", .model = models[i % MODELS], .profile = "", .version = "", .reason = "" };
		nodes[i].history[SIGNAL_LATENCY_P99] = histories[i];
	}
	for (int frame = 0; frame < FRAMES; frame++) {
		make_noise(b, nodes);
		for (size_t i = 0; i < NODES; i++)
			for (int k = frame == 0 ? 0 : frame % HISTORY_POINTS; k < (frame == 0 ? HISTORY_POINTS : frame % HISTORY_POINTS + 1); k++)
				histories[i][k] = (float)nodes[i].value[SIGNAL_LATENCY_P99];
		if (fleet_rows_fill(&rows, &fleet, false, "", FLEET_BY_NAME, false) != ERR_OK)
			exit(1);
		int64_t from = clock_mono_us(clock_system());
		heat_scale_update(&scale, SIGNAL_LATENCY_P99, &fleet, &rows);
		us += clock_mono_us(clock_system()) - from;
		for (size_t i = 0; i < NODES; i++) {
			changed += frame > 0 && steps[i] != scale.nodes[i].step;
			steps[i] = scale.nodes[i].step;
		}
	}
	printf("screen_heat_scale_time %.1f us\n", (double)us / FRAMES);
	printf("screen_heat_scale_noise %.2f tiles\n", (double)changed / (FRAMES - 1));
	heat_scale_release(&scale);
	fleet_rows_release(&rows);
}

int main(void)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 60, 200 }, { 70, 250 } };
	static struct bench b;
	struct why why = { "" };
	keymap_init(&b.keys);
	buf_init(&b.out, 16 << 20);
	if (terminfo_load("xterm-256color", &b.info, &why) != ERR_OK || theme_load("dark", NULL, &b.theme, &why) != ERR_OK ||
	    encoder_new(&b.info, &b.theme, DEPTH_256, &b.encoder, &why) != ERR_OK || canvas_new(24, 80, &b.canvas, &why) != ERR_OK) {
		fprintf(stderr, "bench_screen: %s\n", why.text);
		return 1;
	}
	encoder_set_repeat(b.encoder, true);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		b.rows = sizes[i][0];
		b.cols = sizes[i][1];
		b.seed = 7;
		for (int k = 0; k < NODES; k++)
			b.steps[k] = (uint8_t)(next_random(&b) % 100 < 70 ? next_random(&b) % 3 : next_random(&b) % HEAT_STEPS);
		if (canvas_resize(b.canvas, b.rows, b.cols, &why) != ERR_OK)
			return 1;
		measure(&b, "first_paint", first_paint);
		measure(&b, "tick", tick);
		measure(&b, "selection", move_selection);
		measure(&b, "view_change", change_view);
	}
	measure_heat(&b);
	encoder_free(b.encoder);
	canvas_free(b.canvas);
	buf_release(&b.out);
	return 0;
}
