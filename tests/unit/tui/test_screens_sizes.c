/* SPDX-License-Identifier: Apache-2.0
 *
 * Every screen at every kind of size, with names that try to break it: nothing but whole, safe characters gets into the canvas, and the
 * regions that a screen enters it leaves. Run under sanitizers this finds what reaches past its edges. */
#include "tests/unit/unit.h"

#include "tests/unit/tui/sample_view.h"
#include "tui/screens.h"

static const int rows_tried[] = { 1, 2, 3, 4, 5, 6, 8, 10, 13, 14, 18, 21, 22, 30, 38, 48, 60, 68 };
static const int cols_tried[] = { 1, 2, 3, 5, 9, 15, 19, 20, 26, 39, 40, 58, 61, 80, 99, 100, 119, 120, 178, 181, 200, 250 };

static bool is_safe(uint32_t character)
{
	return character >= 0x20 && character != 0x7f && !(character >= 0x80 && character < 0xa0) && !(character >= 0x202a && character <= 0x202e);
}

static void check_cells(const char *label, const struct canvas *c)
{
	for (int row = 0; row < canvas_rows(c); row++) {
		for (int col = 0; col < canvas_cols(c); col++) {
			const struct cell *cell = canvas_cell(c, row, col);
			const struct cell *right = canvas_cell(c, row, col + 1);
			assert_row(label, cell->role < ROLE_COUNT && cell->ground < ROLE_COUNT);
			assert_row(label, cell->width == 0 || is_safe(cell->text[0]));
			assert_row(label, !canvas_is_ascii(c) || cell->width == 0 || cell->text[0] < 0x7f);
			assert_row(label, cell->width != 2 || (right != NULL && right->width == 0));
			assert_row(label, cell->width != 0 || (col > 0 && canvas_cell(c, row, col - 1)->width == 2));
		}
	}
}

static void draw_at(struct sample *s, struct screen *screen, int rows, int cols, bool plain)
{
	char label[64];
	struct canvas *c = NULL;
	struct why why;
	snprintf(label, sizeof label, "%s at %dx%d%s", screen->kind->name, cols, rows, plain ? ", ASCII" : "");
	assert_int_equal(canvas_new(rows, cols, &c, &why), ERR_OK);
	canvas_set_ascii(c, plain);
	canvas_set_mono(c, plain);
	screen->kind->draw(screen, sample_view(s), c);
	struct rect r = canvas_region(c);
	assert_row(label, r.rows == rows && r.cols == cols);
	check_cells(label, c);
	canvas_free(c);
}

/* Moves about at each size too: what drawing remembered of the size before must not lead astray. */
static void try_sizes(struct sample *s, struct screen *screen)
{
	static const enum command walk[] = { COMMAND_DOWN, COMMAND_RIGHT, COMMAND_PAGE_DOWN, COMMAND_LAST, COMMAND_UP, COMMAND_LEFT,
	                                     COMMAND_FIRST };
	size_t step = 0;
	sample_answer(s, screen, 9, NULL);
	for (size_t y = 0; y < sizeof rows_tried / sizeof rows_tried[0]; y++) {
		for (size_t x = 0; x < sizeof cols_tried / sizeof cols_tried[0]; x++) {
			struct requests r = { 0 };
			draw_at(s, screen, rows_tried[y], cols_tried[x], (x + y) % 3 == 0);
			screen->kind->command(screen, sample_view(s), walk[step++ % (sizeof walk / sizeof walk[0])], "", &r);
			if (screen->kind->mouse != NULL)
				screen->kind->mouse(screen, sample_view(s), rows_tried[y] / 2, cols_tried[x] / 2, 1, &r);
			assert_null(r.push);
		}
	}
	screen->kind->free(screen);
}

static void try_all(unsigned flags, size_t n_nodes)
{
	struct sample *s = sample_new(n_nodes, flags);
	const char *name = n_nodes > 0 ? sample_view(s)->fleet->nodes[0].node : "gpu";
	struct screen *fleet = fleet_screen_new();
	struct requests r = { 0 };
	try_sizes(s, fleet);
	fleet = fleet_screen_new();
	fleet->kind->command(fleet, sample_view(s), COMMAND_TOGGLE, "", &r);
	try_sizes(s, fleet);
	fleet = fleet_screen_new();
	fleet->kind->command(fleet, sample_view(s), COMMAND_BY_MODEL, "", &r);
	try_sizes(s, fleet);
	try_sizes(s, node_screen_new(name));
	try_sizes(s, chart_screen_of_signal(SIGNAL_ERRORS, &name, 1));
	try_sizes(s, chart_screen_of_query(name));
	try_sizes(s, events_screen_new(NULL));
	try_sizes(s, alerts_screen_new());
	try_sizes(s, rules_screen_new());
	try_sizes(s, silences_screen_new(NULL));
	try_sizes(s, alert_screen_new("am: PaymentsDown"));
	try_sizes(s, alert_screen_new("{alertname=\"ErrorRatioHigh\",model=\"ranker\"}"));
	sample_free(s);
}

static void test_tame(void **state)
{
	(void)state;
	try_all(0, 300);
}

static void test_hostile(void **state)
{
	(void)state;
	try_all(SAMPLE_HOSTILE, 100);
}

static void test_no_values(void **state)
{
	(void)state;
	try_all(SAMPLE_NO_VALUES | SAMPLE_ALL_WELL, 30);
}

static void test_empty(void **state)
{
	(void)state;
	try_all(0, 0);
}

/* Before the first answer there is no fleet, no node, nothing. */
static void test_before_the_first_answer(void **state)
{
	(void)state;
	struct sample *s = sample_new(3, 0);
	sample_view(s)->fleet = NULL;
	struct screen *const screens[] = { fleet_screen_new(), node_screen_new("gpu-a-01"), chart_screen_of_signal(SIGNAL_QUEUE, NULL, 0),
		                           events_screen_new("gpu-a-01"), alerts_screen_new(), alert_screen_new("{}"), rules_screen_new() };
	for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
		struct requests r = { 0 };
		screens[i]->kind->update(screens[i], sample_view(s));
		draw_at(s, screens[i], 22, 80, false);
		screens[i]->kind->command(screens[i], sample_view(s), COMMAND_DOWN, "", &r);
		screens[i]->kind->command(screens[i], sample_view(s), COMMAND_SORT, "", &r);
		assert_null(r.push);
		screens[i]->kind->free(screens[i]);
	}
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tame), cmocka_unit_test(test_hostile), cmocka_unit_test(test_no_values), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_before_the_first_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
