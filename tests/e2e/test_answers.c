/* SPDX-License-Identifier: Apache-2.0
 *
 * What a terminal says of itself, late, in pieces or never: the console asks and does not wait, takes the theme that fits, and no answer is
 * ever taken for what a person typed. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define LIGHT "rgb:fafa/fafa/fafa"
#define DARK  "rgb:1010/1010/1010"
/* What xterm says to the four questions of a console. */
#define ANSWERS "\033]11;rgb:ffff/ffff/ffff\033\\\033[?2026;2$y\033[2;4R\033[?64;1;2;6;9;15;18;21;22c"

/* far below what waiting for an answer would take on a busy machine; above the 25 ms of a lone Esc */
enum { AT_ONCE_MS = 5000, QUIET_MS = 60 };

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- light and dark ---- */

/* The ground of the status bar's end, beside the clock. */
static bool is_light(struct pty *p, const void *context)
{
	(void)context;
	uint32_t c = pty_background(p, 0, 79);
	return (c >> 16) + (c >> 8 & 0xff) + (c & 0xff) > 3 * 128;
}

static bool is_dark(struct pty *p, const void *context)
{
	return !is_light(p, context);
}

static void assert_theme(struct pty *p, const char *label, bool wants_light)
{
	pty_wait(p, wants_light ? is_light : is_dark, NULL, label);
	/* Keys come after the answers: what they did has been done. */
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-3");
	assert_row(label, is_light(p, NULL) == wants_light);
}

static void the_theme_follows_the_background(void **state)
{
	static const struct {
		const char *label, *background, *words[3], *in_file;
		bool        wants_light;
	} rows[] = {
		{ "a light one",                  LIGHT,            { NULL }, NULL, true },
		{ "a light one in short",         "rgb:f/f/f",      { NULL }, NULL, true },
		{ "a dark one",                   DARK,             { NULL }, NULL, false },
		{ "one that is not said",         NULL,             { NULL }, NULL, false },
		{ "an answer that is none",       "rgb:gggg/ffff/ffff", { NULL }, NULL, false },
		{ "dark was asked for",           LIGHT,            { "--theme", "dark" }, NULL, false },
		{ "light was asked for",          DARK,             { "--theme", "light" }, NULL, true },
		{ "dark, by the fleet file",      LIGHT,            { NULL }, "theme: dark\n", false },
		{ "light, by the fleet file",     DARK,             { NULL }, "theme: light\n", true },
		{ "the command line over the file", LIGHT,          { "--theme", "dark" }, "theme: light\n", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct small_fleet f;
		small_fleet_make(&f);
		if (rows[i].in_file != NULL) {
			FILE *to = fopen(f.config, "a");
			assert_non_null(to);
			fputs(rows[i].in_file, to);
			assert_int_equal(fclose(to), 0);
		}
		const struct console_start o = { .words = rows[i].words, .background = rows[i].background };
		struct pty *p = small_fleet_console(&f, &o);
		pty_wait_text(p, "3 ok");
		assert_theme(p, rows[i].label, rows[i].wants_light);
		console_leave(p);
		small_fleet_remove(&f);
	}
}

static void a_theme_that_was_chosen_stays(void **state)
{
	struct small_fleet f;
	const struct console_start o = { .is_silent = true };
	(void)state;
	small_fleet_make(&f);
	struct pty *p = small_fleet_console(&f, &o);
	pty_wait_text(p, "3 ok");
	pty_send(p, ":theme light\r");
	pty_wait(p, is_light, NULL, "the light theme");
	pty_send(p, ":theme dark\r");
	pty_wait(p, is_dark, NULL, "the dark theme");
	pty_send(p, ANSWERS);
	assert_theme(p, "an answer after that", false);
	console_leave(p);
	small_fleet_remove(&f);
}

/* ---- silence ---- */

static void silence_costs_nothing(void **state)
{
	struct small_fleet f;
	const struct console_start o = { .is_silent = true };
	(void)state;
	small_fleet_make(&f);
	int64_t began_ms = now_ms();
	struct pty *p = small_fleet_console(&f, &o);
	pty_wait_text(p, "FLEET");
	assert_true(now_ms() - began_ms < AT_ONCE_MS);
	pty_send(p, "?");
	pty_wait_text(p, "keys of FLEET");
	pty_send(p, "q");
	pty_wait_no_text(p, "keys of FLEET");
	pty_wait_text(p, "3 ok");
	assert_true(is_dark(p, NULL));
	/* They come after all, long after: the light theme is taken, and nothing was typed. */
	pty_send(p, ANSWERS);
	assert_theme(p, "late answers", true);
	assert_true(pty_has_text(p, "FLEET"));
	pty_send(p, "q");
	pty_wait_text(p, "leave pitwall?");
	int64_t left_ms = now_ms();
	pty_send(p, "\r");
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(now_ms() - left_ms < AT_ONCE_MS);
	pty_free(p);
	small_fleet_remove(&f);
}

/* ---- answers in pieces ---- */

static struct pty *start_little(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/tests/e2e/console_program", dir == NULL ? "." : dir);
	const char *const argv[] = { path, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv, .is_silent = true };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "downs=0");
	return p;
}

/* A slow link cuts where it likes and lets time pass. One cut only is left out: behind an ESC or its next byte, which are keys by
 * themselves. */
static void answers_in_pieces_are_no_keys(void **state)
{
	static const struct {
		const char *label, *parts[4];
	} rows[] = {
		{ "a background",     { "\033]11;rg", "b:ffff/jjjj/", "qqqq\033", "\\" } },
		{ "ended by BEL",     { "\033]1", "1;rgb:0/0/", "0\007" } },
		{ "attributes",       { "\033[?", "64;1", ";2c" } },
		{ "a mode",           { "\033[?2026", ";2", "$", "y" } },
		{ "a cursor's place", { "\033[2", ";4", "R" } },
		{ "a device string",  { "\033P1$", "rjjq", "\033\\" } },
		{ "a click",          { "\033[<", "0;3;", "4M" } },
	};
	(void)state;
	struct pty *p = start_little();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char want[32];
		for (size_t k = 0; k < 4 && rows[i].parts[k] != NULL; k++) {
			pty_send(p, rows[i].parts[k]);
			pty_wait_quiet(p, QUIET_MS);
		}
		pty_send(p, "j");
		snprintf(want, sizeof want, "downs=%zu filter=", i + 1);
		pty_wait_text(p, "downs=");
		while (!pty_has_text(p, want) && pty_pump(p, 2000))
			;
		if (!pty_has_text(p, want) || pty_has_text(p, "leave pitwall?"))
			fail_msg("%s: want %s, have |%s|", rows[i].label, want, pty_row(p, 2));
	}
	pty_free(p);
}

/* A key is pressed again and again until it does something. */
static bool moves(struct pty *p, const void *context)
{
	(void)context;
	pty_send(p, "j");
	return pty_has_text(p, "downs=") && !pty_has_text(p, "downs=0");
}

static void an_answer_without_end_does_not_take_the_keyboard(void **state)
{
	static const char *const rows[] = { "\033]11;rgb:ff", "\033P1$r", "\033[?64;" };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pty *p = start_little();
		pty_send(p, rows[i]);
		pty_wait_quiet(p, QUIET_MS);
		pty_wait(p, moves, NULL, rows[i] + 1);
		pty_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_theme_follows_the_background),
		cmocka_unit_test(a_theme_that_was_chosen_stays),
		cmocka_unit_test(silence_costs_nothing),
		cmocka_unit_test(answers_in_pieces_are_no_keys),
		cmocka_unit_test(an_answer_without_end_does_not_take_the_keyboard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
