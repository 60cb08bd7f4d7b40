/* SPDX-License-Identifier: Apache-2.0
 *
 * The mouse, as a terminal reports it: off until it is asked for, and off again at the end. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct small_fleet fleet;

static int set_up(void **state)
{
	(void)state;
	small_fleet_make(&fleet);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	small_fleet_remove(&fleet);
	return 0;
}

static struct pty *start(const char *option)
{
	const char *const words[] = { option, NULL };
	const struct console_start o = { .words = words };
	struct pty *p = small_fleet_console(&fleet, &o);
	pty_wait_text(p, "3 ok");
	return p;
}

/* The row of the screen that a text is in. */
static int row_of(struct pty *p, const char *text)
{
	for (int row = 1; row < 24; row++)
		if (strstr(pty_row(p, row), text) != NULL)
			return row;
	fail_msg("'%s' is not on the screen", text);
	return -1;
}

struct place {
	int         row;
	const char *text;
};

static bool is_selected(struct pty *p, const void *context)
{
	const struct place *at = context;
	struct pty_cell cell;
	pty_cell(p, at->row, 1, &cell);
	return cell.is_bold && cell.bg != PTY_DEFAULT_COLOUR && strstr(pty_row(p, at->row), at->text) != NULL;
}

static void wait_selected(struct pty *p, int row, const char *text)
{
	const struct place at = { row, text };
	pty_wait(p, is_selected, &at, text);
}

static void to_table(struct pty *p)
{
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-3");
	pty_wait_text(p, "node");
}

static void it_selects_opens_and_scrolls(void **state)
{
	(void)state;
	struct pty *p = start("--mouse");
	assert_true(pty_is_mouse_on(p));
	to_table(p);
	int first = row_of(p, " gpu-a-1");
	pty_click(p, first + 2, 5);
	wait_selected(p, first + 2, "gpu-a-3");
	pty_wheel_up(p, first, 5);
	wait_selected(p, first + 1, "gpu-a-2");
	pty_wheel_up(p, first, 5);
	wait_selected(p, first, "gpu-a-1");
	pty_wheel_down(p, first, 5);
	wait_selected(p, first + 1, "gpu-a-2");
	pty_click(p, 23, 5); /* the key bar: nothing is there to select */
	pty_click(p, 0, 5);
	pty_click(p, first, 5);
	wait_selected(p, first, "gpu-a-1");
	pty_click(p, first, 5);
	pty_wait_text(p, "NODE");
	pty_send(p, "\033");
	pty_wait_text(p, "FLEET");
	pty_send(p, "?");
	pty_wait_text(p, "keys of FLEET");
	pty_wait_text(p, "Up k");
	for (int i = 0; i < 3; i++)
		pty_wheel_down(p, 10, 10);
	pty_wait_no_text(p, "Up k");
	for (int i = 0; i < 3; i++)
		pty_wheel_up(p, 10, 10);
	pty_wait_text(p, "Up k");
	pty_send(p, "q");
	pty_wait_no_text(p, "keys of FLEET");
	pty_send(p, "c");
	pty_wait_text(p, "CHART");
	pty_wheel_up(p, 10, 40);
	pty_wait_text(p, "span "); /* a shorter one */
	pty_send(p, "\033");
	pty_wait_text(p, "FLEET");
	pty_send(p, "/");
	pty_click(p, first + 2, 5); /* the filter has the keyboard, and the mouse waits */
	pty_send(p, "gpu-a-2\r");
	pty_wait_no_text(p, "gpu-a-3");
	pty_send(p, "\033");
	pty_wait_text(p, "gpu-a-3");
	pty_send(p, "q\r");
	assert_int_equal(pty_wait_exit(p), 0);
	assert_false(pty_is_mouse_on(p));
	pty_free(p);
}

static void it_is_the_terminals_until_asked_for(void **state)
{
	(void)state;
	struct pty *p = start(NULL);
	size_t n;
	const char *bytes = pty_bytes(p, &n);
	assert_false(pty_is_mouse_on(p));
	assert_null(memmem(bytes, n, "\033[?100", 6));
	pty_send(p, ":mouse\r");
	pty_wait_text(p, "the mouse is taken");
	assert_true(pty_is_mouse_on(p));
	to_table(p);
	int first = row_of(p, " gpu-a-1");
	pty_click(p, first + 1, 5);
	wait_selected(p, first + 1, "gpu-a-2");
	pty_send(p, ":mouse\r");
	pty_wait_text(p, "the mouse is the terminal's again");
	assert_false(pty_is_mouse_on(p));
	pty_send(p, ":mouse\r");
	pty_wait_text(p, "the mouse is taken");
	console_leave(p);
}

static void help_tells_of_it(void **state)
{
	(void)state;
	struct pty *p = start(NULL);
	pty_send(p, "?G");
	pty_wait_text(p, "take the mouse");
	pty_send(p, "q");
	console_leave(p);
	const char *const argv[] = { pitwall_path(), "--help", NULL };
	const struct pty_options o = { .rows = 60, .cols = 100, .argv = argv };
	p = pty_start(&o);
	assert_int_equal(pty_wait_exit(p), 0);
	assert_true(pty_has_text(p, "--mouse"));
	pty_free(p);
}

static void nothing_is_left_behind(void **state)
{
	static const struct {
		const char *label;
		int         number;
	} rows[] = { { "TERM", SIGTERM }, { "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ABRT", SIGABRT } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pty *p = start(i % 2 == 0 ? "--mouse" : NULL);
		if (i % 2 != 0) {
			pty_send(p, ":mouse\r");
			pty_wait_text(p, "the mouse is taken");
		}
		assert_row(rows[i].label, pty_is_mouse_on(p));
		pty_signal(p, rows[i].number);
		pty_wait_exit(p);
		assert_row(rows[i].label, !pty_is_mouse_on(p) && !pty_is_alternate(p) && pty_is_cursor_visible(p));
		pty_free(p);
	}
}

static void it_goes_with_the_terminal_and_comes_back(void **state)
{
	(void)state;
	struct pty *p = start("--mouse");
	pty_send(p, "\032");
	pty_wait_stopped(p);
	assert_false(pty_is_mouse_on(p));
	assert_false(pty_is_alternate(p));
	pty_signal(p, SIGCONT);
	pty_wait_text(p, "FLEET");
	pty_wait_text(p, "3 ok");
	assert_true(pty_is_mouse_on(p));
	console_leave(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_selects_opens_and_scrolls), cmocka_unit_test(it_is_the_terminals_until_asked_for),
		cmocka_unit_test(help_tells_of_it),             cmocka_unit_test(nothing_is_left_behind),
		cmocka_unit_test(it_goes_with_the_terminal_and_comes_back),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
