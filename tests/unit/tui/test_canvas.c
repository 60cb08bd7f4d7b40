/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/tui/golden.h"
#include "tui/keymap.h"
#include "tui/widget_bar.h"
#include "tui/widget_chart.h"
#include "tui/widget_heat.h"
#include "tui/widget_spark.h"
#include "tui/widget_table.h"

#include <math.h>

static struct canvas *make(int rows, int cols)
{
	struct canvas *c;
	struct why why = { "" };
	if (canvas_new(rows, cols, &c, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return c;
}

static void draw_texts(struct canvas *c)
{
	canvas_rule(c, 0, "title", "note");
	canvas_put(c, 1, 0, ROLE_TEXT, "hostile \033[2J\xff\xe2\x80\xae end");
	canvas_put(c, 2, 33, ROLE_WARN, "cut at the edge");
	canvas_put(c, 3, -2, ROLE_CRIT, "xxcut at the left");
	canvas_put_width(c, 4, 1, 10, -1, ROLE_TEXT, "a longer text than that");
	canvas_put_width(c, 4, 12, 8, 1, ROLE_OK, "right");
	canvas_put_width(c, 4, 21, 9, 0, ROLE_OK, "mid");
	canvas_put(c, 5, 1, ROLE_TEXT, "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97");
	canvas_put(c, 5, 2, ROLE_INFO, "ab"); /* through the middle of two wide ones */
	canvas_put(c, 5, 39, ROLE_INFO, "\xe6\xbc\xa2"); /* half of it does not fit */
	canvas_enter(c, (struct rect){ 6, 10, 2, 10 });
	canvas_put(c, 0, 0, ROLE_TITLE, "only ten columns of this");
	canvas_put(c, 5, 0, ROLE_TITLE, "not at all");
	canvas_enter(c, (struct rect){ 1, -5, 5, 100 });
	canvas_put(c, 0, 0, ROLE_TITLE, "half inside");
	canvas_leave(c);
	canvas_leave(c);
	canvas_set_ground(c, (struct rect){ 4, 0, 1, 100 }, ROLE_SELECTED);
	canvas_add_flags(c, (struct rect){ 5, 2, 1, 2 }, CELL_BOLD | CELL_UNDERLINE);
}

static void test_texts(void **state)
{
	struct canvas *c = make(9, 40);
	(void)state;
	draw_texts(c);
	golden_check(c, "canvas-texts");
	canvas_clear(c);
	canvas_set_ascii(c, true);
	draw_texts(c);
	golden_check(c, "canvas-texts-ascii");
	canvas_free(c);
}

static const struct table_column columns[] = {
	{ "S", 1, 1, -1, 0 }, { "NODE", 8, 20, -1, 0 }, { "P99", 6, 6, 1, 1 }, { "MODEL", 10, 16, -1, 3 }, { "HISTORY", 8, 30, -1, 2 },
};

static void draw_history(struct canvas *c, int cols, const void *context, size_t row)
{
	const float values[] = { 1, 2, 3, 4, 5, 6, 7, (float)row };
	(void)context;
	spark_draw(c, 0, 0, cols, values, 8, 0, 8, ROLE_SECOND, ROLE_WARN);
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	static const char *const texts[] = { "!", "gpu-a-01", "182ms", "ranker", "" };
	(void)context;
	(void)row;
	out->text = texts[column];
	out->role = column == 0 ? ROLE_WARN : ROLE_TEXT;
	out->draw = column == 4 ? draw_history : NULL;
}

static bool is_tagged(const void *context, size_t row)
{
	(void)context;
	return row == 3;
}

static void test_table(void **state)
{
	const struct table_source source = { NULL, 40, cell, is_tagged };
	struct table_state t = { .sort_column = 2, .sort_down = true };
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct canvas *c = make(8, i == 0 ? 80 : 24);
		table_command(&t, COMMAND_DOWN, 40, 7);
		table_clamp(&t, 40, 7);
		table_draw(c, columns, 5, &t, &source);
		golden_check(c, i == 0 ? "table-80" : "table-24");
		canvas_free(c);
	}
	assert_true(table_command(&t, COMMAND_LAST, 40, 7));
	assert_int_equal(t.selected, 39);
	assert_int_equal(t.top, 33);
	table_clamp(&t, 0, 7);
	assert_int_equal(t.selected, 0);
	assert_int_equal(t.top, 0);
}

static void test_chart(void **state)
{
	static const struct { enum glyph_mode mode; const char *name; } rows[] = {
		{ GLYPHS_BRAILLE, "chart-braille" }, { GLYPHS_BLOCKS, "chart-blocks" }, { GLYPHS_ASCII, "chart-ascii" },
	};
	double a[120], b[120];
	(void)state;
	for (int i = 0; i < 120; i++) {
		a[i] = i < 80 ? 0.06 + 0.02 * sin(i / 9.0) : 0.17;
		b[i] = i > 40 && i < 50 ? (double)NAN : 0.03;
	}
	const struct chart_series series[] = { { a, ROLE_SERIES_1, "gpu-a-01" }, { b, ROLE_SERIES_2, "median" } };
	const struct chart_threshold limit = { 0.12, ROLE_CRIT, "crit" };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct chart chart = { .start_ms = 1700000000000, .end_ms = 1700003600000, .points = 120, .series = series, .n_series = 2,
				       .thresholds = &limit, .n_thresholds = 1, .unit = UNIT_SECONDS, .low = NAN, .high = NAN,
				       .cursor_ms = 1700002600000, .glyphs = rows[i].mode };
		struct canvas *c = make(20, 80);
		canvas_enter(c, (struct rect){ 0, 0, 15, 80 });
		chart_draw(c, &chart);
		canvas_leave(c);
		canvas_enter(c, (struct rect){ 15, 0, 5, 80 });
		assert_int_equal(chart_readout_draw(c, &chart), 4);
		canvas_leave(c);
		golden_check(c, rows[i].name);
		canvas_free(c);
		int col = chart_column(&chart, 80, chart.cursor_ms);
		int64_t back = chart_time(&chart, 80, col);
		assert_true(llabs(back - chart.cursor_ms) <= chart_column_ms(&chart, 80));
	}
}

static void test_heat(void **state)
{
	(void)state;
	assert_int_equal(heat_step(NAN, 3), HEAT_NONE);
	assert_int_equal(heat_step(-1, HEAT_NONE), 0);
	assert_int_equal(heat_step(5, HEAT_NONE), HEAT_STEPS - 1);
	assert_int_equal(heat_step(3.1 / 8, HEAT_NONE), 3);
	assert_int_equal(heat_step(3.1 / 8, 2), 2); /* within a quarter past the edge: it stays */
	assert_int_equal(heat_step(3.3 / 8, 2), 3);
	assert_int_equal(heat_step(2.9 / 8, 3), 3);
	assert_int_equal(heat_step(2.7 / 8, 3), 2);
	for (int mono = 0; mono < 2; mono++) {
		struct canvas *c = make(3, 40);
		canvas_set_mono(c, mono == 1);
		heat_scale_draw(c, 0, 0);
		for (int s = 0; s < SEVERITY_COUNT; s++) {
			tile_draw(c, 1, s * 2, 1, (enum severity)s, 5, NULL);
			tile_draw(c, 2, s * 4, 3, (enum severity)s, 6, "93");
		}
		tile_draw(c, 1, 20, 1, SEVERITY_OK, HEAT_NONE, NULL);
		bar_draw(c, 0, 10, 10, 0.37, 0.8, ROLE_SERIES_1);
		bar_draw(c, 0, 22, 10, NAN, NAN, ROLE_SERIES_1);
		golden_check(c, mono == 1 ? "heat-mono" : "heat");
		canvas_free(c);
	}
}

static void test_bars(void **state)
{
	static struct keymap keys;
	struct fleet_view fleet = { .name = "prod-eu", .n_by_severity = { 978, 0, 17, 3, 2 }, .interval_ms = 5000 };
	struct view view = { .t_ms = 1700000000000, .now_ms = 1700000014000, .last_ms = 1700000013000, .fleet = &fleet, .speed = 8 };
	static const int widths[] = { 120, 80, 40, 20 };
	char name[32];
	(void)state;
	keymap_init(&keys);
	for (size_t i = 0; i < 4; i++) {
		struct canvas *c = make(5, widths[i]);
		view.mode = VIEW_LIVE;
		view.last_ms = 1700000013000;
		status_bar_draw(c, 0, "FLEET", &view);
		view.last_ms = 1699999990000;
		status_bar_draw(c, 1, "FLEET", &view);
		view.mode = VIEW_PLAYING;
		status_bar_draw(c, 2, "FLEET", &view);
		view.mode = VIEW_PAUSED;
		status_bar_draw(c, 3, "FLEET", &view);
		key_bar_draw(c, 4, &keys, CONTEXT_FLEET);
		snprintf(name, sizeof name, "bars-%d", widths[i]);
		golden_check(c, name);
		canvas_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts), cmocka_unit_test(test_table), cmocka_unit_test(test_chart),
		cmocka_unit_test(test_heat),  cmocka_unit_test(test_bars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
