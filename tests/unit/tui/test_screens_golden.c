/* SPDX-License-Identifier: Apache-2.0
 *
 * How the screens look, at the sizes that matter. The golden texts show characters and roles. */
#include "tests/unit/unit.h"

#include "tests/unit/tui/golden.h"
#include "tests/unit/tui/sample_view.h"
#include "tui/screens.h"

enum look { UTF8, ASCII_MONO };

struct shot {
	const char *name;
	int         rows, cols; /* of the screen's area: the terminal's less the two bars */
	enum look   look;
	size_t      nodes;
	unsigned    flags;
	enum signal_id signal; /* SIGNAL_UP: as it is */
	const char *filter;
	int         pane;          /* so often Tab is pressed first */
	enum command commands[12]; /* given before the picture is taken */
	size_t      n_series;
	const char *mistake;
};

static void give(struct screen *screen, const struct view *view, enum command command, struct canvas *c)
{
	struct requests r = { 0 };
	canvas_clear(c);
	screen->kind->draw(screen, view, c);
	screen->kind->command(screen, view, command, "", &r);
	assert_null(r.push);
}

static void take(const struct shot *shot, struct screen *screen)
{
	struct sample *s = sample_new(shot->nodes, shot->flags);
	struct canvas *c = NULL;
	struct why why;
	struct view *view = sample_view(s);
	view->signal = shot->signal == SIGNAL_UP ? view->signal : shot->signal;
	assert_int_equal(canvas_new(shot->rows, shot->cols, &c, &why), ERR_OK);
	canvas_set_ascii(c, shot->look == ASCII_MONO);
	canvas_set_mono(c, shot->look == ASCII_MONO);
	if (screen->kind->update != NULL)
		screen->kind->update(screen, view);
	screen->kind->draw(screen, view, c);
	sample_answer(s, screen, shot->n_series, shot->mistake);
	if (shot->filter != NULL) {
		screen->kind->filter(screen, shot->filter);
		screen->kind->update(screen, view);
	}
	for (int i = 0; i < shot->pane; i++)
		give(screen, view, COMMAND_NEXT_PANE, c);
	for (size_t i = 0; i < sizeof shot->commands / sizeof shot->commands[0] && shot->commands[i] != COMMAND_NONE; i++)
		give(screen, view, shot->commands[i], c);
	sample_answer(s, screen, shot->n_series, shot->mistake);
	canvas_clear(c);
	screen->kind->draw(screen, view, c);
	golden_check(c, shot->name);
	screen->kind->free(screen);
	canvas_free(c);
	sample_free(s);
}

static void test_fleet(void **state)
{
	static const struct shot shots[] = {
		{ .name = "fleet_map_80x24", .rows = 22, .cols = 80, .nodes = 256 },
		{ .name = "fleet_map_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 256, .look = ASCII_MONO },
		{ .name = "fleet_map_48_80x24", .rows = 22, .cols = 80, .nodes = 48 },
		{ .name = "fleet_map_48_120x40", .rows = 38, .cols = 120, .nodes = 48 },
		{ .name = "fleet_map_1000_80x24", .rows = 22, .cols = 80, .nodes = 1000 },
		{ .name = "fleet_map_1000_200x60", .rows = 58, .cols = 200, .nodes = 1000 },
		{ .name = "fleet_map_own_range", .rows = 22, .cols = 80, .nodes = 48, .signal = SIGNAL_GPU_TEMP },
		{ .name = "fleet_map_48_250x70", .rows = 68, .cols = 250, .nodes = 48 },
		{ .name = "fleet_map_1000_250x70", .rows = 68, .cols = 250, .nodes = 1000 },
		{ .name = "fleet_map_all_well_250x70", .rows = 68, .cols = 250, .nodes = 48, .flags = SAMPLE_ALL_WELL },
		{ .name = "fleet_map_20x5", .rows = 3, .cols = 20, .nodes = 48 },
		{ .name = "fleet_map_all_down", .rows = 22, .cols = 80, .nodes = 48, .flags = SAMPLE_ALL_DOWN },
		{ .name = "fleet_map_all_well", .rows = 38, .cols = 120, .nodes = 48, .flags = SAMPLE_ALL_WELL },
		{ .name = "fleet_map_none", .rows = 22, .cols = 80, .nodes = 0 },
		{ .name = "fleet_map_filter", .rows = 22, .cols = 80, .nodes = 256, .filter = "chat" },
		{ .name = "fleet_map_filter_nothing", .rows = 22, .cols = 80, .nodes = 256, .filter = "no such node" },
		{ .name = "fleet_map_tagged", .rows = 22, .cols = 80, .nodes = 48, .commands = { COMMAND_TAG, COMMAND_TAG, COMMAND_DOWN } },
		{ .name = "fleet_table_80x24", .rows = 22, .cols = 80, .nodes = 256, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 256, .look = ASCII_MONO, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_20x5", .rows = 3, .cols = 20, .nodes = 48, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_120x40", .rows = 38, .cols = 120, .nodes = 48, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_48_200x60", .rows = 58, .cols = 200, .nodes = 20, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_48_250x70", .rows = 68, .cols = 250, .nodes = 48, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_16_250x70", .rows = 68, .cols = 250, .nodes = 16, .commands = { COMMAND_TOGGLE } },
		{ .name = "fleet_table_models_250x70", .rows = 68, .cols = 250, .nodes = 256, .commands = { COMMAND_BY_MODEL } },
		{ .name = "fleet_table_models", .rows = 22, .cols = 120, .nodes = 256, .commands = { COMMAND_BY_MODEL } },
		{ .name = "fleet_table_sorted", .rows = 22, .cols = 80, .nodes = 48,
		  .commands = { COMMAND_TOGGLE, COMMAND_SORT, COMMAND_SORT_TURN, COMMAND_DOWN } },
		{ .name = "fleet_map_hostile", .rows = 22, .cols = 80, .nodes = 48, .flags = SAMPLE_HOSTILE },
		{ .name = "fleet_table_hostile", .rows = 22, .cols = 80, .nodes = 48, .flags = SAMPLE_HOSTILE, .commands = { COMMAND_TOGGLE } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], fleet_screen_new());
}

static void test_node(void **state)
{
	static const struct shot shots[] = {
		{ .name = "node_80x24", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1 },
		{ .name = "node_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .look = ASCII_MONO },
		{ .name = "node_80x24_events", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .pane = 6, .commands = { COMMAND_DOWN } },
		{ .name = "node_80x24_gpus", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1,
		  .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_DOWN } },
		{ .name = "node_80x24_gpus_ascii_mono", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .look = ASCII_MONO,
		  .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "node_80x24_processes", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1,
		  .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_DOWN } },
		{ .name = "node_120x40_gpus", .rows = 38, .cols = 120, .nodes = 48, .n_series = 1,
		  .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_DOWN } },
		{ .name = "node_200x60_gpus_ascii_mono", .rows = 58, .cols = 200, .nodes = 48, .n_series = 1, .look = ASCII_MONO,
		  .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_LAST } },
		{ .name = "node_hostile_gpus", .rows = 22, .cols = 80, .nodes = 48, .flags = SAMPLE_HOSTILE, .n_series = 1,
		  .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_DOWN } },
		{ .name = "node_20x5", .rows = 3, .cols = 20, .nodes = 48, .n_series = 1 },
		{ .name = "node_120x40", .rows = 38, .cols = 120, .nodes = 48, .n_series = 1 },
		{ .name = "node_200x60", .rows = 58, .cols = 200, .nodes = 48, .n_series = 1 },
		{ .name = "node_250x70", .rows = 68, .cols = 250, .nodes = 48, .n_series = 1 },
		{ .name = "node_80x24_host", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .pane = 4, .commands = { COMMAND_DOWN } },
		{ .name = "node_80x24_services", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .pane = 5, .commands = { COMMAND_DOWN } },
		{ .name = "node_machine_80x24", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .flags = SAMPLE_MACHINES | SAMPLE_ALL_WELL },
		{ .name = "node_machine_120x40_ascii_mono", .rows = 38, .cols = 120, .nodes = 48, .n_series = 1, .look = ASCII_MONO,
		  .flags = SAMPLE_MACHINES | SAMPLE_ALL_WELL },
		{ .name = "node_machine_120x40", .rows = 38, .cols = 120, .nodes = 48, .n_series = 1, .flags = SAMPLE_MACHINES | SAMPLE_ALL_WELL },
		{ .name = "node_machine_200x60", .rows = 58, .cols = 200, .nodes = 48, .n_series = 1, .flags = SAMPLE_MACHINES | SAMPLE_ALL_WELL },
		{ .name = "node_machine_250x70", .rows = 68, .cols = 250, .nodes = 48, .n_series = 1, .flags = SAMPLE_MACHINES | SAMPLE_ALL_WELL },
		{ .name = "node_gone", .rows = 22, .cols = 80, .nodes = 0 },
		{ .name = "node_hostile", .rows = 38, .cols = 120, .nodes = 48, .flags = SAMPLE_HOSTILE, .n_series = 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], node_screen_new(shots[i].flags & SAMPLE_HOSTILE ? "\033[2J\033[31mred\033[0m" : "gpu-a-07"));
}

static void test_chart(void **state)
{
	static const struct shot shots[] = {
		{ .name = "chart_80x24", .rows = 22, .cols = 80, .nodes = 16, .n_series = 2,
		  .commands = { COMMAND_LEFT, COMMAND_PAGE_UP, COMMAND_PAGE_UP, COMMAND_LEFT } },
		{ .name = "chart_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 16, .n_series = 2, .look = ASCII_MONO },
		{ .name = "chart_20x5", .rows = 3, .cols = 20, .nodes = 16, .n_series = 1 },
		{ .name = "chart_120x40_many", .rows = 38, .cols = 120, .nodes = 16, .n_series = 11, .commands = { COMMAND_ZOOM_OUT, COMMAND_DOWN } },
		{ .name = "chart_page_2", .rows = 22, .cols = 80, .nodes = 16, .n_series = 11,
		  .commands = { COMMAND_DOWN, COMMAND_DOWN, COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "chart_200x60", .rows = 58, .cols = 200, .nodes = 16, .n_series = 4 },
		{ .name = "chart_250x70", .rows = 68, .cols = 250, .nodes = 16, .n_series = 4 },
		{ .name = "chart_nothing", .rows = 22, .cols = 80, .nodes = 16, .n_series = 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], chart_screen_of_signal(SIGNAL_LATENCY_P99, NULL, 0));
	const struct shot mistake = { .name = "chart_mistake", .rows = 22, .cols = 60, .nodes = 16,
		                      .mistake = "1:5: there is no function 'rat'; did you mean 'rate'? A function's name stands before its brackets" };
	take(&mistake, chart_screen_of_query("1 + rat(x[5m])"));
	const struct shot query = { .name = "chart_query", .rows = 22, .cols = 80, .nodes = 16, .n_series = 1 };
	take(&query, chart_screen_of_query("sum by (node) (rate(vllm:request_success_total[5m]))"));
}

/* What happened, on the time axes: of one node, of the whole fleet, under the cursor, where there is little room, and by letter alone. */
static void test_marks(void **state)
{
	static const struct shot shots[] = {
		{ .name = "chart_marks_80x24", .rows = 22, .cols = 80, .nodes = 16, .n_series = 1 },
		{ .name = "chart_marks_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 16, .n_series = 1, .look = ASCII_MONO },
		{ .name = "chart_marks_80x24_cursor", .rows = 22, .cols = 80, .nodes = 16, .n_series = 1,
		  .commands = { COMMAND_PAGE_UP, COMMAND_PAGE_UP, COMMAND_PAGE_UP, COMMAND_LEFT, COMMAND_LEFT, COMMAND_LEFT, COMMAND_LEFT } },
		{ .name = "chart_marks_20x5", .rows = 3, .cols = 20, .nodes = 16, .n_series = 1 },
		{ .name = "chart_marks_60x8", .rows = 6, .cols = 60, .nodes = 16, .n_series = 1 },
		{ .name = "chart_marks_200x60", .rows = 58, .cols = 200, .nodes = 16, .n_series = 1 },
		{ .name = "chart_marks_hostile", .rows = 22, .cols = 80, .nodes = 16, .n_series = 1, .flags = SAMPLE_HOSTILE,
		  .commands = { COMMAND_PAGE_UP, COMMAND_PAGE_UP, COMMAND_PAGE_UP, COMMAND_LEFT, COMMAND_LEFT, COMMAND_LEFT, COMMAND_LEFT } },
	};
	static const struct shot fleet_shots[] = {
		{ .name = "fleet_marks_200x60", .rows = 58, .cols = 200, .nodes = 20, .flags = SAMPLE_MARKS },
		{ .name = "fleet_marks_200x60_ascii_mono", .rows = 58, .cols = 200, .nodes = 20, .flags = SAMPLE_MARKS, .look = ASCII_MONO },
	};
	static const struct shot node_shots[] = {
		{ .name = "node_marks_80x24", .rows = 22, .cols = 80, .nodes = 48, .n_series = 1, .flags = SAMPLE_MARKS },
		{ .name = "node_marks_200x60", .rows = 58, .cols = 200, .nodes = 48, .n_series = 1, .flags = SAMPLE_MARKS },
	};
	const char *node = "gpu-a-07";
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++) {
		struct shot shot = shots[i];
		shot.flags |= SAMPLE_MARKS;
		take(&shot, chart_screen_of_signal(SIGNAL_LATENCY_P99, &node, shot.flags & SAMPLE_HOSTILE ? 0 : 1));
	}
	for (size_t i = 0; i < sizeof fleet_shots / sizeof fleet_shots[0]; i++)
		take(&fleet_shots[i], fleet_screen_new());
	for (size_t i = 0; i < sizeof node_shots / sizeof node_shots[0]; i++)
		take(&node_shots[i], node_screen_new(node));
}

static void test_events(void **state)
{
	static const struct shot shots[] = {
		{ .name = "events_80x24", .rows = 22, .cols = 80, .nodes = 16, .commands = { COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "events_250x70", .rows = 68, .cols = 250, .nodes = 16 },
		{ .name = "events_20x5", .rows = 3, .cols = 20, .nodes = 16 },
		{ .name = "events_120x40_ascii_mono", .rows = 38, .cols = 120, .nodes = 16, .look = ASCII_MONO },
		{ .name = "events_filter", .rows = 22, .cols = 80, .nodes = 16, .filter = "version gpu-a-03" },
		{ .name = "events_hostile", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_HOSTILE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], events_screen_new(NULL));
	const struct shot node = { .name = "events_node", .rows = 22, .cols = 80, .nodes = 16 };
	take(&node, events_screen_new("gpu-a-07"));
}

static void test_alerts(void **state)
{
	static const struct shot shots[] = {
		{ .name = "alerts_80x24", .rows = 22, .cols = 80, .nodes = 16 },
		{ .name = "alerts_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 16, .look = ASCII_MONO, .commands = { COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "alerts_20x5", .rows = 3, .cols = 20, .nodes = 16 },
		{ .name = "alerts_200x60", .rows = 58, .cols = 200, .nodes = 16, .commands = { COMMAND_FOLD } },
		{ .name = "alerts_tagged", .rows = 22, .cols = 80, .nodes = 16, .commands = { COMMAND_TAG, COMMAND_TAG, COMMAND_SORT, COMMAND_SORT, COMMAND_SORT } },
		{ .name = "alerts_unfolded", .rows = 22, .cols = 120, .nodes = 16, .commands = { COMMAND_LAST, COMMAND_FOLD, COMMAND_LAST } },
		{ .name = "alerts_filter", .rows = 22, .cols = 80, .nodes = 16, .filter = "CHAT warn" },
		{ .name = "alerts_none", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_ALL_WELL },
		{ .name = "alerts_hostile", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_HOSTILE },
		{ .name = "alerts_external_80x24", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_EXTERNAL, .commands = { COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "alerts_external_unfolded", .rows = 30, .cols = 120, .nodes = 16, .flags = SAMPLE_EXTERNAL, .commands = { COMMAND_FOLD, COMMAND_LAST } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], alerts_screen_new());
}

static void test_rules(void **state)
{
	static const struct shot shots[] = {
		{ .name = "rules_80x24", .rows = 22, .cols = 80, .nodes = 16 },
		{ .name = "rules_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 16, .look = ASCII_MONO, .commands = { COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "rules_20x5", .rows = 3, .cols = 20, .nodes = 16 },
		{ .name = "rules_200x60", .rows = 58, .cols = 200, .nodes = 16 },
		{ .name = "rules_filter", .rows = 22, .cols = 80, .nodes = 16, .filter = "SITE" },
		{ .name = "rules_hostile", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_HOSTILE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], rules_screen_new());
}

static void test_alert(void **state)
{
	static const struct shot shots[] = {
		{ .name = "alert_80x24", .rows = 22, .cols = 80, .nodes = 16, .n_series = 2 },
		{ .name = "alert_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 16, .n_series = 2, .look = ASCII_MONO, .pane = 2 },
		{ .name = "alert_80x24_changed", .rows = 22, .cols = 80, .nodes = 16, .n_series = 2, .pane = 1, .commands = { COMMAND_DOWN } },
		{ .name = "alert_80x24_about", .rows = 22, .cols = 80, .nodes = 16, .n_series = 2, .pane = 3, .commands = { COMMAND_DOWN } },
		{ .name = "alert_20x5", .rows = 3, .cols = 20, .nodes = 16, .n_series = 2 },
		{ .name = "alert_80x40", .rows = 38, .cols = 80, .nodes = 16, .n_series = 2, .commands = { COMMAND_ZOOM_OUT } },
		{ .name = "alert_200x60", .rows = 58, .cols = 200, .nodes = 16, .n_series = 2 },
		{ .name = "alert_marks_80x40", .rows = 38, .cols = 80, .nodes = 16, .n_series = 2, .flags = SAMPLE_MARKS },
		{ .name = "alert_hostile", .rows = 22, .cols = 80, .nodes = 16, .n_series = 1, .flags = SAMPLE_HOSTILE },
		{ .name = "alert_gone", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_ALL_WELL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], alert_screen_new("{alertname=\"ErrorRatioHigh\",model=\"ranker\"}"));
}

static void test_external(void **state)
{
	const struct shot theirs = { .name = "alert_external_80x24", .rows = 22, .cols = 80, .nodes = 16, .pane = 3, .flags = SAMPLE_EXTERNAL };
	const struct shot ours = { .name = "alert_there_80x24", .rows = 22, .cols = 80, .nodes = 16, .pane = 3, .flags = SAMPLE_EXTERNAL };
	const struct shot members = { .name = "alert_acked_there", .rows = 38, .cols = 80, .nodes = 16, .flags = SAMPLE_EXTERNAL };
	(void)state;
	take(&theirs, alert_screen_new("am: PaymentsDown"));
	take(&ours, alert_screen_new("{alertname=\"QueueGrowing\",model=\"search\"}"));
	take(&members, alert_screen_new("{alertname=\"QueueGrowing\",model=\"search\"}"));
}

static void test_silences(void **state)
{
	static const struct shot shots[] = {
		{ .name = "silences_80x24", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_EXTERNAL },
		{ .name = "silences_80x24_ascii_mono", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_EXTERNAL, .look = ASCII_MONO, .commands = { COMMAND_LAST } },
		{ .name = "silences_20x5", .rows = 3, .cols = 20, .nodes = 16, .flags = SAMPLE_EXTERNAL },
		{ .name = "silences_200x60", .rows = 58, .cols = 200, .nodes = 16, .flags = SAMPLE_EXTERNAL, .commands = { COMMAND_DOWN, COMMAND_DOWN } },
		{ .name = "silences_hostile", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_EXTERNAL | SAMPLE_HOSTILE },
		{ .name = "silences_none", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_ALL_WELL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		take(&shots[i], silences_screen_new(NULL));
	const struct shot at = { .name = "silences_at_one", .rows = 22, .cols = 80, .nodes = 16, .flags = SAMPLE_EXTERNAL };
	take(&at, silences_screen_new("b-2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fleet), cmocka_unit_test(test_node), cmocka_unit_test(test_chart), cmocka_unit_test(test_events),
		cmocka_unit_test(test_alerts), cmocka_unit_test(test_rules), cmocka_unit_test(test_alert), cmocka_unit_test(test_external), cmocka_unit_test(test_silences),
		cmocka_unit_test(test_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
