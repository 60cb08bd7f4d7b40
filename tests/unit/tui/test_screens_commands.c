/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands do to the screens: where they go, what they ask for. */
#include "tests/unit/unit.h"

#include "tests/unit/tui/sample_view.h"
#include "tui/screens.h"

struct stage {
	struct sample *sample;
	struct view   *view;
	struct screen *screen;
	struct canvas *canvas;
	struct requests last; /* of the last command */
};

static void open_stage_with(struct stage *s, struct screen *screen, size_t n_nodes, unsigned flags)
{
	struct why why;
	*s = (struct stage){ .sample = sample_new(n_nodes, flags), .screen = screen };
	s->view = sample_view(s->sample);
	assert_int_equal(canvas_new(22, 80, &s->canvas, &why), ERR_OK);
	sample_answer(s->sample, screen, 6, NULL);
	screen->kind->draw(screen, s->view, s->canvas);
}

static void open_stage(struct stage *s, struct screen *screen, size_t n_nodes)
{
	open_stage_with(s, screen, n_nodes, 0);
}

static void close_stage(struct stage *s)
{
	s->screen->kind->free(s->screen);
	canvas_free(s->canvas);
	sample_free(s->sample);
}

/* Gives a command, and draws as the console would. A screen that is pushed is freed here; its name stays in `pushed`. */
static enum next give(struct stage *s, enum command c, const char **pushed)
{
	s->last = (struct requests){ 0 };
	enum next next = s->screen->kind->command(s->screen, s->view, c, "", &s->last);
	if (pushed != NULL)
		*pushed = s->last.push != NULL ? s->last.push->kind->name : "";
	if (s->last.push != NULL)
		s->last.push->kind->free(s->last.push);
	canvas_clear(s->canvas);
	s->screen->kind->draw(s->screen, s->view, s->canvas);
	return next;
}

static void row_text(const struct stage *s, int row, char to[512])
{
	size_t n = 0;
	for (int col = 0; col < canvas_cols(s->canvas) && n < 511; col++) {
		uint32_t c = canvas_cell(s->canvas, row, col)->text[0];
		to[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	to[n] = '\0';
}

/* Is the text anywhere on the screen? */
static bool shows(const struct stage *s, const char *text)
{
	for (int row = 0; row < canvas_rows(s->canvas); row++) {
		char line[512];
		row_text(s, row, line);
		if (strstr(line, text) != NULL)
			return true;
	}
	return false;
}

static bool rule_shows(const struct stage *s, const char *name)
{
	for (int row = 1; row < canvas_rows(s->canvas); row++) {
		char line[512];
		row_text(s, row, line);
		if (line[0] == '?' && strstr(line, name) != NULL)
			return true;
	}
	return false;
}

/* ---- the fleet ---- */

static void test_the_worst_is_selected_until_one_moves(void **state)
{
	struct stage s;
	(void)state;
	open_stage(&s, fleet_screen_new(), 48);
	assert_true(rule_shows(&s, "gpu-b-15"));
	give(&s, COMMAND_FIRST, NULL);
	assert_true(rule_shows(&s, "gpu-a-01"));
	give(&s, COMMAND_RIGHT, NULL);
	assert_true(rule_shows(&s, "gpu-a-02"));
	close_stage(&s);
}

static void test_selection_follows_the_node(void **state)
{
	struct stage s;
	(void)state;
	open_stage(&s, fleet_screen_new(), 48);
	give(&s, COMMAND_TOGGLE, NULL);
	give(&s, COMMAND_DOWN, NULL); /* the second worst */
	assert_true(rule_shows(&s, "gpu-a-07"));
	give(&s, COMMAND_SORT, NULL);
	assert_true(rule_shows(&s, "gpu-a-07"));
	s.view->fleet->nodes[6].severity = SEVERITY_OK; /* it is well again, and sinks in the list */
	s.screen->kind->update(s.screen, s.view);
	give(&s, COMMAND_SORT_TURN, NULL);
	assert_true(rule_shows(&s, "gpu-a-07"));
	give(&s, COMMAND_TOGGLE, NULL);
	assert_true(rule_shows(&s, "gpu-a-07"));
	close_stage(&s);
}

static void test_filter_and_back(void **state)
{
	struct stage s;
	(void)state;
	open_stage(&s, fleet_screen_new(), 48);
	give(&s, COMMAND_TOGGLE, NULL);
	s.screen->kind->filter(s.screen, "CHAT warn");
	s.screen->kind->update(s.screen, s.view);
	s.screen->kind->draw(s.screen, s.view, s.canvas);
	give(&s, COMMAND_NONE, NULL);
	assert_true(shows(&s, "nothing matches the filter"));
	s.screen->kind->filter(s.screen, "crit");
	s.screen->kind->update(s.screen, s.view);
	give(&s, COMMAND_NONE, NULL);
	assert_true(shows(&s, "gpu-b-02") && shows(&s, "gpu-a-07") && !shows(&s, "gpu-a-01"));
	assert_int_equal(give(&s, COMMAND_BACK, NULL), NEXT_REDRAW);
	assert_true(shows(&s, "gpu-a-01"));
	assert_int_equal(give(&s, COMMAND_BACK, NULL), NEXT_IGNORED);
	close_stage(&s);
}

static void test_tags(void **state)
{
	struct stage s;
	const char *pushed;
	(void)state;
	open_stage(&s, fleet_screen_new(), 48);
	give(&s, COMMAND_TOGGLE, NULL);
	give(&s, COMMAND_TAG, NULL);
	give(&s, COMMAND_TAG, NULL);
	assert_int_equal(canvas_cell(s.canvas, 1, 0)->text[0], '*');
	assert_int_equal(canvas_cell(s.canvas, 2, 0)->text[0], '*');
	assert_int_equal(canvas_cell(s.canvas, 3, 0)->text[0], ' ');
	give(&s, COMMAND_UP, NULL);
	give(&s, COMMAND_TAG, NULL); /* takes the second off again */
	assert_int_equal(canvas_cell(s.canvas, 2, 0)->text[0], ' ');
	give(&s, COMMAND_VIEW_CHART, &pushed);
	assert_string_equal(pushed, "CHART");
	assert_int_equal(give(&s, COMMAND_BACK, NULL), NEXT_REDRAW);
	assert_int_equal(canvas_cell(s.canvas, 1, 0)->text[0], ' ');
	close_stage(&s);
}

static void test_drilling_in(void **state)
{
	struct stage s;
	const char *pushed;
	(void)state;
	open_stage(&s, fleet_screen_new(), 48);
	give(&s, COMMAND_ENTER, &pushed);
	assert_string_equal(pushed, "NODE");
	give(&s, COMMAND_BY_MODEL, &pushed);
	assert_true(shows(&s, "nodes") && shows(&s, "chat-70b"));
	give(&s, COMMAND_ENTER, &pushed); /* a model opens as the list of its nodes */
	assert_string_equal(pushed, "");
	assert_true(shows(&s, "gpu-b-01") && !shows(&s, "gpu-a-01"));
	close_stage(&s);
}

/* ---- the others ---- */

static void test_node(void **state)
{
	struct stage s;
	const char *pushed;
	(void)state;
	open_stage(&s, node_screen_new("gpu-a-07"), 48);
	give(&s, COMMAND_DOWN, NULL);
	assert_true(s.last.has_signal && s.last.signal == SIGNAL_ERRORS);
	give(&s, COMMAND_ENTER, &pushed);
	assert_string_equal(pushed, "CHART");
	give(&s, COMMAND_VIEW_EVENTS, &pushed);
	assert_string_equal(pushed, "EVENTS");
	give(&s, COMMAND_NEXT_PANE, NULL);
	give(&s, COMMAND_NEXT_PANE, NULL);
	assert_true(shows(&s, "tritonserver") && !shows(&s, "notebook.py")); /* what the first GPU is used by */
	give(&s, COMMAND_DOWN, NULL);
	assert_true(shows(&s, "notebook.py"));
	give(&s, COMMAND_LAST, NULL); /* a GPU that nothing uses */
	assert_false(shows(&s, "tritonserver"));
	give(&s, COMMAND_FIRST, NULL);
	give(&s, COMMAND_NEXT_PANE, NULL);
	assert_true(shows(&s, "tritonserver"));
	give(&s, COMMAND_NEXT_PANE, NULL);
	give(&s, COMMAND_NEXT_PANE, NULL);
	give(&s, COMMAND_NEXT_PANE, NULL);
	give(&s, COMMAND_ENTER, NULL); /* on the newest event */
	assert_true(s.last.has_time);
	assert_int_equal(s.last.time_ms, s.view->t_ms - 4000);
	assert_int_equal(give(&s, COMMAND_BACK, NULL), NEXT_IGNORED);
	close_stage(&s);
}

static const char *charted(const struct stage *s, struct needs *n)
{
	memset(n, 0, sizeof *n);
	s->screen->kind->needs(s->screen, s->view, n);
	return n->n_charts > 0 ? n->charts[0].expression : "";
}

/* A machine has no latency: its own first signal is charted, and what is chosen for the other screens stays. */
static void test_a_node_charts_what_it_has(void **state)
{
	struct stage s;
	struct needs *n = calloc(1, sizeof *n);
	(void)state;
	assert_non_null(n);
	open_stage_with(&s, node_screen_new("gpu-a-07"), 16, SAMPLE_MACHINES | SAMPLE_ALL_WELL);
	s.screen->kind->draw(s.screen, s.view, s.canvas);
	assert_false(shows(&s, "p99"));
	assert_true(shows(&s, "cpu") && shows(&s, "memory"));
	struct canvas *wide = NULL;
	struct why why;
	assert_int_equal(canvas_new(38, 120, &wide, &why), ERR_OK);
	s.screen->kind->draw(s.screen, s.view, wide); /* there is room for a chart now */
	canvas_free(wide);
	assert_string_equal(charted(&s, n), "max by (node) (signal:cpu_util:ratio{node=\"gpu-a-07\"})");
	assert_int_equal(s.view->signal, SIGNAL_LATENCY_P99);
	give(&s, COMMAND_DOWN, NULL); /* moving is choosing: from what is shown, not from what is not there */
	assert_true(s.last.has_signal && s.last.signal == SIGNAL_MEMORY);
	give(&s, COMMAND_SIGNAL_BACK, NULL);
	assert_true(s.last.has_signal && s.last.signal == SIGNAL_MEMORY); /* round from the first */
	s.view->signal = SIGNAL_MEMORY;
	give(&s, COMMAND_SIGNAL, NULL);
	assert_true(s.last.has_signal && s.last.signal == SIGNAL_CPU);
	assert_int_equal(s.screen->kind->command(s.screen, s.view, COMMAND_SIGNAL, "p99", &s.last), NEXT_IGNORED); /* a name is not the node's business */
	free(n);
	close_stage(&s);
}

/* Tab goes to each pane that there is and round; the one that is gone to has room, at the smallest usual size too. */
static void test_tab_leads_to_every_pane(void **state)
{
	static const struct {
		const char *rule, *row;
	} panes[] = {
		{ "targets", "connection refused" }, { "gpus", "1 of 4" },               { "on the gpus", "python3" },
		{ "host", "of 64 cpus" },            { "services", "nvidia-persistenced" }, { "events", "recording began" }, { "signals", "p99" },
	};
	struct stage s;
	(void)state;
	open_stage(&s, node_screen_new("gpu-a-07"), 48);
	for (size_t i = 0; i < sizeof panes / sizeof panes[0]; i++) {
		char rule[32];
		give(&s, COMMAND_NEXT_PANE, NULL);
		snprintf(rule, sizeof rule, "? ? %s ", panes[i].rule);
		assert_row(panes[i].rule, shows(&s, rule));
		for (int k = 0; k < 8 && !shows(&s, panes[i].row); k++)
			give(&s, COMMAND_DOWN, NULL);
		assert_row(panes[i].rule, shows(&s, panes[i].row));
	}
	close_stage(&s);
	open_stage_with(&s, node_screen_new("gpu-a-07"), 48, SAMPLE_MACHINES);
	s.view->node = NULL; /* of what is not there Tab knows nothing */
	s.screen->kind->update(s.screen, s.view);
	give(&s, COMMAND_NEXT_PANE, NULL);
	assert_true(shows(&s, "? ? signals "));
	close_stage(&s);
}

/* With all panes at 80x24, what is wrong is in sight before anyone goes there. */
static void test_what_is_wrong_goes_first(void **state)
{
	static const char *const seen[] = { "DOWN dcgm", "98% 62G free", "2.5 errors/s", "failed       triton-ranker", "killed, out of m", "Xid 79" };
	struct stage s;
	(void)state;
	open_stage(&s, node_screen_new("gpu-a-07"), 48);
	give(&s, COMMAND_NONE, NULL);
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		assert_row(seen[i], shows(&s, seen[i]));
	close_stage(&s);
}

static void test_chart_cursor(void **state)
{
	struct stage s;
	struct needs *n = calloc(1, sizeof *n);
	(void)state;
	assert_non_null(n);
	open_stage(&s, chart_screen_of_signal(SIGNAL_LATENCY_P99, NULL, 0), 16);
	assert_int_equal(give(&s, COMMAND_ENTER, NULL), NEXT_STAY); /* no cursor yet */
	assert_false(s.last.has_time);
	give(&s, COMMAND_FIRST, NULL);
	assert_true(shows(&s, "cursor 13:5"));
	give(&s, COMMAND_RIGHT, NULL);
	give(&s, COMMAND_ENTER, NULL);
	assert_true(s.last.has_time);
	assert_true(s.last.time_ms > s.view->t_ms - 16 * 60000 && s.last.time_ms < s.view->t_ms - 14 * 60000);
	give(&s, COMMAND_LEFT, NULL);
	assert_int_equal(give(&s, COMMAND_BACK, NULL), NEXT_REDRAW); /* takes the cursor away */
	assert_int_equal(give(&s, COMMAND_BACK, NULL), NEXT_IGNORED);
	give(&s, COMMAND_ZOOM_OUT, NULL);
	give(&s, COMMAND_PAN_BACK, NULL);
	s.screen->kind->needs(s.screen, s.view, n);
	assert_int_equal(n->charts[0].span_ms, 30 * 60000);
	assert_int_equal(n->charts[0].offset_ms, 15 * 60000);
	give(&s, COMMAND_PAN_ON, NULL);
	give(&s, COMMAND_PAN_ON, NULL); /* not into the future */
	s.screen->kind->needs(s.screen, s.view, n);
	assert_int_equal(n->charts[0].offset_ms, 0);
	free(n);
	close_stage(&s);
}

static void test_chart_follows_the_signal(void **state)
{
	struct stage s;
	struct needs *n = calloc(1, sizeof *n);
	(void)state;
	assert_non_null(n);
	open_stage(&s, chart_screen_of_signal(SIGNAL_LATENCY_P99, NULL, 0), 16);
	s.view->signal = SIGNAL_QUEUE;
	s.screen->kind->needs(s.screen, s.view, n);
	assert_string_equal(n->charts[0].expression, "sum by (model) (signal:queue)");
	s.screen->kind->update(s.screen, s.view);
	give(&s, COMMAND_NONE, NULL);
	assert_true(shows(&s, "queue") && shows(&s, "reading the store")); /* never the old picture under the new title */
	free(n);
	close_stage(&s);
}

static void test_events(void **state)
{
	struct stage s;
	(void)state;
	open_stage(&s, events_screen_new(NULL), 16);
	give(&s, COMMAND_DOWN, NULL);
	give(&s, COMMAND_ENTER, NULL);
	assert_true(s.last.has_time);
	assert_int_equal(s.last.time_ms, s.view->t_ms - 61000 - 4000);
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_worst_is_selected_until_one_moves), cmocka_unit_test(test_selection_follows_the_node),
		cmocka_unit_test(test_filter_and_back), cmocka_unit_test(test_tags), cmocka_unit_test(test_drilling_in), cmocka_unit_test(test_node),
		cmocka_unit_test(test_a_node_charts_what_it_has), cmocka_unit_test(test_tab_leads_to_every_pane),
		cmocka_unit_test(test_what_is_wrong_goes_first),
		cmocka_unit_test(test_chart_cursor), cmocka_unit_test(test_chart_follows_the_signal), cmocka_unit_test(test_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
