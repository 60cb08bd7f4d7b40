/* SPDX-License-Identifier: Apache-2.0
 *
 * The console without a terminal: keys go in, a canvas comes out. */
#include "tests/unit/unit.h"

#include "tests/unit/tui/sample_view.h"
#include "tui/console.h"
#include "tui/dialog.h"
#include "tui/leaving.h"
#include "tui/screens.h"

struct stage {
	struct sample     *sample;
	struct console    *console;
	struct canvas     *canvas;
	struct test_clock  clock;
	struct keymap      keys;
	int                n_paused;
	size_t             n_acting; /* so many runs does it carry out */
	char               answer;
};

static const struct view *host_view(void *ctx)
{
	return sample_view(((struct stage *)ctx)->sample);
}

static void detach(void *ctx) { ((struct stage *)ctx)->answer = 'd'; }
static void interrupt(void *ctx) { ((struct stage *)ctx)->answer = 'i'; }

static enum next host_command(void *ctx, enum command c, const char *argument, struct requests *out)
{
	struct stage *s = ctx;
	(void)argument;
	if (c == COMMAND_QUIT && s->n_acting > 0) {
		out->push = leaving_new(host_view(s), s->n_acting, &(struct leaving_answers){ .detach = detach, .interrupt = interrupt, .ctx = s });
		return NEXT_REDRAW;
	}
	if (c != COMMAND_PAUSE)
		return NEXT_IGNORED;
	s->n_paused++;
	out->message = "time stands";
	return NEXT_REDRAW;
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof *s);
	struct why why;
	assert_non_null(s);
	const struct console_host host = { .context = s, .view = host_view, .command = host_command };
	test_clock_init(&s->clock, (int64_t)SAMPLE_T_S * 1000);
	keymap_init(&s->keys);
	s->sample = sample_new(48, 0);
	assert_int_equal(canvas_new(24, 80, &s->canvas, &why), ERR_OK);
	assert_int_equal(console_new(&host, &s->clock.clock, &s->keys, fleet_screen_new(), &s->console, &why), ERR_OK);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;
	console_free(s->console);
	canvas_free(s->canvas);
	sample_free(s->sample);
	free(s);
	return 0;
}

static void draw(struct stage *s)
{
	int row, col;
	console_draw(s->console, s->canvas, &row, &col);
}

static enum console_wish press(struct stage *s, uint32_t code)
{
	const struct input_event e = { .kind = INPUT_KEY, .key = { .code = code } };
	enum console_wish w = console_event(s->console, &e);
	draw(s);
	return w;
}

static void type(struct stage *s, const char *text)
{
	for (; *text != '\0'; text++)
		press(s, (uint32_t)(unsigned char)*text);
}

static bool row_has(const struct stage *s, int row, const char *text)
{
	char line[512];
	size_t n = 0;
	for (int col = 0; col < canvas_cols(s->canvas) && n < sizeof line - 1; col++) {
		uint32_t c = canvas_cell(s->canvas, row, col)->text[0];
		line[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	line[n] = '\0';
	return strstr(line, text) != NULL;
}

static bool shows(const struct stage *s, const char *text)
{
	for (int row = 0; row < canvas_rows(s->canvas); row++)
		if (row_has(s, row, text))
			return true;
	return false;
}

static bool last_row_has(const struct stage *s, const char *text)
{
	return row_has(s, canvas_rows(s->canvas) - 1, text);
}

/* The useful keys are those that a narrow bar keeps. */
static void test_key_bar(void **state)
{
	struct stage *s = *state;
	static const char *const kept[] = { "Enter open", "/ filter", "t map/table", "s signal", "p pause", "? help" };
	draw(s);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		assert_row(kept[i], last_row_has(s, kept[i]));
}

static void test_filter_and_escape_agree(void **state)
{
	struct stage *s = *state;
	type(s, "/gpu-a-02");
	press(s, KEY_ENTER);
	assert_true(shows(s, "/gpu-a-02 (1)"));
	press(s, KEY_ESCAPE); /* the screen takes its filter away itself */
	assert_false(shows(s, "/gpu-a-02"));
	type(s, "/");
	assert_false(last_row_has(s, "gpu-a-02")); /* nothing old is offered */
	type(s, "gpu-b");
	press(s, KEY_ENTER);
	type(s, "/");
	assert_true(last_row_has(s, "/gpu-b")); /* what there is now is */
	type(s, "-01");
	press(s, KEY_ESCAPE); /* leaving the prompt puts back what was there */
	assert_true(shows(s, "/gpu-b ("));
	assert_false(shows(s, "/gpu-b-01"));
}

static void test_filter_of_a_drill_down_is_known(void **state)
{
	struct stage *s = *state;
	type(s, "m"); /* a row a model */
	press(s, KEY_ENTER);
	type(s, "/");
	assert_false(last_row_has(s, "/ "));
	press(s, KEY_ESCAPE);
	press(s, KEY_ESCAPE);
	type(s, "/");
	assert_true(last_row_has(s, "/ "));
}

static void test_stack(void **state)
{
	struct stage *s = *state;
	draw(s);
	press(s, KEY_ENTER);
	assert_string_equal(console_top(s->console)->kind->name, "NODE");
	type(s, "c");
	assert_string_equal(console_top(s->console)->kind->name, "CHART");
	type(s, "?");
	assert_int_equal(console_top(s->console)->kind->context, CONTEXT_HELP);
	press(s, KEY_ESCAPE);
	assert_string_equal(console_top(s->console)->kind->name, "CHART");
	type(s, "qq");
	assert_string_equal(console_top(s->console)->kind->name, "FLEET");
	for (int i = 0; i < 40; i++) { /* more views than the stack holds */
		press(s, KEY_ENTER);
		type(s, "c");
	}
	assert_true(row_has(s, 0, "CHART") || row_has(s, 0, "NODE"));
}

static void test_quit_is_asked(void **state)
{
	struct stage *s = *state;
	assert_int_equal(press(s, KEY_ESCAPE), CONSOLE_PAINT);
	assert_false(shows(s, "leave pitwall?"));
	press(s, 'q');
	assert_true(shows(s, "leave pitwall?"));
	assert_int_equal(press(s, 'n'), CONSOLE_PAINT);
	assert_false(shows(s, "leave pitwall?"));
	press(s, 'q');
	assert_int_equal(press(s, 'y'), CONSOLE_QUIT);
}

/* Where runs depend on the console there is more to ask; what is no answer is none. */
static void test_quit_asks_about_runs(void **state)
{
	static const struct {
		const char       *label, *keys;
		size_t            n_acting;
		enum console_wish last;
		char              answer; /* '\0': none */
		bool              stays;
	} rows[] = {
		{ "nothing runs",     "qi",   0, CONSOLE_NOTHING, '\0', true },
		{ "stay",             "q\033", 1, CONSOLE_PAINT, '\0', false },
		{ "no",               "qn",   1, CONSOLE_PAINT,   '\0', false },
		{ "another key",      "qx",   1, CONSOLE_NOTHING, '\0', true },
		{ "in the background", "q\r", 1, CONSOLE_QUIT,    'd',  false },
		{ "yes",              "qy",   2, CONSOLE_QUIT,    'd',  false },
		{ "interrupt",        "qi",   2, CONSOLE_QUIT,    'i',  false },
	};
	struct stage *s = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum console_wish last = CONSOLE_NOTHING;
		s->answer = '\0';
		s->n_acting = rows[i].n_acting;
		for (const char *c = rows[i].keys; *c != '\0'; c++) {
			last = press(s, *c == '\r' ? KEY_ENTER : *c == '\033' ? KEY_ESCAPE : (uint32_t)(unsigned char)*c);
			if (c == rows[i].keys)
				assert_row(rows[i].label, shows(s, "leave pitwall?") && shows(s, "i interrupt") == (rows[i].n_acting > 0));
		}
		assert_row(rows[i].label, s->answer == rows[i].answer && shows(s, "leave pitwall?") == rows[i].stays);
		assert_row(rows[i].label, last == rows[i].last);
		if (rows[i].stays)
			press(s, KEY_ESCAPE);
	}
	s->n_acting = 3;
	press(s, 'q');
	assert_true(shows(s, "carries out 3 deployments"));
}

static void test_messages_go(void **state)
{
	struct stage *s = *state;
	type(s, "p");
	assert_int_equal(s->n_paused, 1);
	assert_true(last_row_has(s, "time stands"));
	type(s, "l");
	assert_false(last_row_has(s, "time stands"));
	type(s, "p");
	test_clock_advance(&s->clock, 60 * 1000);
	console_tick(s->console);
	draw(s);
	assert_false(last_row_has(s, "time stands"));
}

static void test_prompt_says_what_it_does_not_know(void **state)
{
	struct stage *s = *state;
	type(s, ":evnts");
	press(s, KEY_ENTER);
	assert_true(last_row_has(s, "did you mean 'events'?"));
	type(s, ":paus"); /* the only one that begins so */
	press(s, KEY_ENTER);
	assert_int_equal(s->n_paused, 1);
	type(s, ":");
	press(s, KEY_ENTER);
	assert_int_equal(s->n_paused, 1);
}

static void test_trouble_stands_in_the_last_row(void **state)
{
	struct stage *s = *state;
	sample_view(s->sample)->trouble = "nobody records this store";
	draw(s);
	assert_true(last_row_has(s, "nobody records"));
	type(s, "p"); /* what was just said is seen first */
	assert_true(last_row_has(s, "time stands"));
	type(s, "l");
	assert_true(last_row_has(s, "nobody records"));
}

static enum console_wish mouse(struct stage *s, int row, int col, int button)
{
	const struct input_event e = { .kind = INPUT_MOUSE, .row = row, .col = col, .button = button };
	enum console_wish w = console_event(s->console, &e);
	draw(s);
	return w;
}

static enum console_wish click(struct stage *s, int row, int col)
{
	return mouse(s, row, col, MOUSE_LEFT);
}

static int column_of(const struct stage *s, int row, const char *title)
{
	for (int col = 0; col < canvas_cols(s->canvas); col++) {
		size_t n = 0;
		while (title[n] != '\0' && canvas_cell(s->canvas, row, col + (int)n)->text[0] == (uint32_t)(unsigned char)title[n])
			n++;
		if (title[n] == '\0')
			return col;
	}
	return -1;
}

static void test_a_click_on_a_title_sorts(void **state)
{
	struct stage *s = *state;
	type(s, "t");
	int node = column_of(s, 1, "node");
	assert_true(node > 0);
	click(s, 1, node);
	assert_true(row_has(s, 2, "gpu-a-01"));
	click(s, 1, node);
	assert_true(row_has(s, 2, "gpu-c-16"));
	click(s, 1, node);
	assert_true(row_has(s, 2, "gpu-a-01"));
	click(s, 4, node); /* the third row */
	press(s, KEY_ENTER);
	assert_true(shows(s, "gpu-a-03"));
}

/* The wheel moves where the view has nothing better to do with it; what is not the list's does not select. */
static void test_the_wheel_moves_the_selection(void **state)
{
	struct stage *s = *state;
	int last = canvas_rows(s->canvas) - 1;
	type(s, "t");
	click(s, 1, column_of(s, 1, "node"));
	click(s, 2, 5);
	mouse(s, 10, 5, MOUSE_WHEEL_DOWN);
	mouse(s, 10, 5, MOUSE_WHEEL_DOWN);
	mouse(s, 10, 5, MOUSE_WHEEL_UP);
	for (int row = last - 2; row <= last; row++) /* the parts below the list, and the key bar */
		assert_int_equal(click(s, row, 5), CONSOLE_NOTHING);
	press(s, KEY_ENTER);
	assert_true(shows(s, "gpu-a-02"));
	assert_string_equal(console_top(s->console)->kind->name, "NODE");
}

static void test_the_last_page_of_help_is_full(void **state)
{
	struct stage *s = *state;
	type(s, "?G");
	assert_true(row_has(s, canvas_rows(s->canvas) - 2, "suspend"));
	assert_true(shows(s, "redraw"));
	press(s, KEY_UP); /* and one up is one up */
	assert_false(shows(s, "suspend"));
	type(s, "g");
	assert_true(row_has(s, 2, "move up"));
}

static void count_one(void *ctx)
{
	++*(int *)ctx;
}

/* What is typed into it is its own, whatever the keys do elsewhere, and only the whole word is a yes. */
static void test_a_word_is_to_be_typed(void **state)
{
	static const struct {
		const char *label, *keys;
		bool        is_open;
		int         n_yes;
	} rows[] = {
		{ "nothing", "\r", true, 0 },
		{ "a part", "gpu-q\r", true, 0 },
		{ "more than it", "gpu-q-1x\r", true, 0 },
		{ "it, in other letters", "GPU-Q-1\r", true, 0 },
		{ "it", "gpu-q-1\r", false, 1 },
		{ "it, mended", "gpu-q-2\b1\r", false, 1 },
		{ "it, after a mistake", "x\r\bgpu-q-1\r", false, 1 },
		{ "a y and an n", "y\bn\r", true, 0 },
		{ "it, and then no", "gpu-q-1\033", false, 0 },
	};
	struct stage *s = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int n_yes = 0;
		const struct requests yes = { .confirmed = count_one, .confirmed_ctx = &n_yes };
		console_push(s->console, dialog_typed_new("delete it?", "type its name, gpu-q-1, to delete it", "gpu-q-1", "delete", "keep", &yes));
		draw(s);
		assert_row(rows[i].label, shows(s, "type its name") && !last_row_has(s, "q close"));
		for (const char *c = rows[i].keys; *c != '\0'; c++)
			press(s, *c == '\r' ? KEY_ENTER : *c == '\b' ? KEY_BACKSPACE : *c == '\033' ? KEY_ESCAPE : (uint32_t)(unsigned char)*c);
		assert_row(rows[i].label, shows(s, "type its name") == rows[i].is_open && n_yes == rows[i].n_yes);
		assert_row(rows[i].label, shows(s, "that is not gpu-q-1") == rows[i].is_open);
		if (rows[i].is_open)
			press(s, KEY_ESCAPE);
	}
}

/* The place to type is there even where nothing else has room. */
static void test_a_word_can_be_typed_anywhere(void **state)
{
	struct stage *s = *state;
	struct why why;
	const struct requests yes = { .quit = true };
	assert_int_equal(canvas_resize(s->canvas, 5, 20, &why), ERR_OK);
	console_push(s->console, dialog_typed_new("delete it?", "a\nb\nc\nd\ne\ntype it", "a-name-that-is-longer-than-the-row", "delete", "keep", &yes));
	type(s, "a-name-that-is-longer");
	assert_true(shows(s, "s-longer"));
	const struct input_event paste = { .kind = INPUT_PASTE, .text = "-than-the-row", .text_len = 13 };
	assert_int_equal(console_event(s->console, &paste), CONSOLE_PAINT); /* refused */
	assert_int_equal(press(s, KEY_ENTER), CONSOLE_PAINT);
	for (int i = 0; i < 400; i++)
		press(s, 'x');
	press(s, KEY_ENTER);
	assert_true(console_top(s->console)->kind->is_dialog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_key_bar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter_and_escape_agree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter_of_a_drill_down_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_word_is_to_be_typed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_word_can_be_typed_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quit_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quit_asks_about_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prompt_says_what_it_does_not_know, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trouble_stands_in_the_last_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_click_on_a_title_sorts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_wheel_moves_the_selection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_last_page_of_help_is_full, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
