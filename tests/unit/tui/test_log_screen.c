/* SPDX-License-Identifier: Apache-2.0
 *
 * The screen of a node's logs: how it looks, how one moves in it while lines come and go, and what is found. The log is the test's own. */
#include "tests/unit/unit.h"

#include "tests/unit/tui/golden.h"
#include "tui/log_search.h"
#include "tui/screens.h"
#include "tui/view.h"

struct stage {
	struct log_list  list;
	struct log_ring *ring;
	struct log_view  log;
	struct view      view;
	struct screen   *screen;
	struct canvas   *canvas;
	struct requests  asked;
	char             key[LOG_KEY_MAX];
};

static const char *const logs[] = { "/var/log/vllm/server.log" };
static const char *const units[] = { "vllm" };

static void answer(struct stage *s)
{
	struct log_need need;
	assert_true(s->screen->kind->follows(s->screen, &need));
	assert_string_equal(need.node, "gpu-a-07");
	snprintf(s->key, sizeof s->key, "%s", need.key);
	s->log.status.key = s->key;
	s->log.status.is_list = need.key[0] == '\0';
	if (s->log.status.state <= LOG_FOLLOWING)
		s->log.status.state = need.key[0] == '\0' ? LOG_LISTED : LOG_FOLLOWING;
	s->screen->kind->update(s->screen, &s->view);
}

static void set_up(struct stage *s, int rows, int cols)
{
	static const char said[] = "file 0 183204 bytes\nunit vllm.service loaded active running vLLM server\n"
				   "unit backup.service loaded failed failed Nightly backup\ncontainer docker chat|Up 3 hours|vllm/vllm-openai:v0.11\n"
				   "kernel journalctl\njournal\n";
	struct why why;
	memset(s, 0, sizeof *s);
	assert_int_equal(log_list_init(&s->list, &(struct log_wishes){ units, logs, 1, 1 }), ERR_OK);
	assert_int_equal(log_list_feed(&s->list, said, sizeof said - 1), ERR_OK);
	assert_int_equal(log_ring_new(&s->ring), ERR_OK);
	assert_int_equal(canvas_new(rows, cols, &s->canvas, &why), ERR_OK);
	s->log = (struct log_view){ .node = "gpu-a-07", .way = "ssh gpu-a-07", .trouble = "", .status = { .text = "", .list = &s->list, .ring = s->ring } };
	s->view.log = &s->log;
	s->screen = log_screen_new("gpu-a-07");
	assert_non_null(s->screen);
	answer(s);
}

static void tear_down(struct stage *s)
{
	s->screen->kind->free(s->screen);
	canvas_free(s->canvas);
	log_ring_free(s->ring);
	log_list_release(&s->list);
}

static void draw(struct stage *s)
{
	canvas_clear(s->canvas);
	s->screen->kind->draw(s->screen, &s->view, s->canvas);
}

static void press(struct stage *s, enum command c)
{
	draw(s);
	memset(&s->asked, 0, sizeof s->asked);
	s->screen->kind->command(s->screen, &s->view, c, "", &s->asked);
	answer(s);
}

static void look_for(struct stage *s, const char *text)
{
	s->screen->kind->filter(s->screen, text);
	s->screen->kind->update(s->screen, &s->view);
}

static void say(struct stage *s, const char *text)
{
	log_ring_feed(s->ring, text, strlen(text));
	s->screen->kind->update(s->screen, &s->view);
}

static void say_numbers(struct stage *s, int from, int to)
{
	char line[64];
	for (int i = from; i < to; i++) {
		snprintf(line, sizeof line, "line %d\n", i);
		log_ring_feed(s->ring, line, strlen(line));
	}
	s->screen->kind->update(s->screen, &s->view);
}

static void say_story(struct stage *s)
{
	say(s, "2026-11-27T03:12:07+00:00 vllm[1911]: INFO 11-27 03:12:07 [engine.py:310] Added request cmpl-7f3a\n"
	       "2026-11-27T03:12:09+00:00 vllm[1911]: WARNING 11-27 03:12:09 [scheduler.py:1480] Sequence group cmpl-7f31 is preempted by mode\n"
	       "2026-11-27T03:12:11+00:00 vllm[1911]: ERROR 11-27 03:12:11 [async_llm.py:420] EngineCore encountered an issue\n"
	       "2026-11-27T03:12:11+00:00 vllm[1911]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has a total capacity "
	       "of 79.11 GiB of which 1.02 GiB is free. Process 21 has 78.08 GiB memory in use.\n"
	       "2026-11-27T03:12:12+00:00 vllm[1911]: \033[32mINFO\033[0m a word of \xe6\xbc\xa2\xe5\xad\x97, a bell \a and a\ttab\n");
	log_ring_note(s->ring, "12,331 lines skipped");
	say(s, "2026-11-27T03:12:13+00:00 vllm[1911]: INFO bye\n");
	s->log.status.rate = 3.2;
}

/* The row of the canvas as text, blanks at its end left out. */
static const char *row_text(const struct stage *s, int row)
{
	static char text[1024];
	size_t n = 0;
	for (int col = 0; col < canvas_cols(s->canvas) && n + 2 < sizeof text; col++) {
		const struct cell *c = canvas_cell(s->canvas, row, col);
		if (c->width > 0)
			text[n++] = c->text[0] < 0x7f ? (char)c->text[0] : '?';
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return text;
}

static void expect(struct stage *s, const char *label, int row, const char *want)
{
	draw(s);
	int at = row >= 0 ? row : canvas_rows(s->canvas) + row;
	if (strstr(row_text(s, at), want) == NULL)
		fail_msg("%s: row %d is \"%s\", without \"%s\"", label, at, row_text(s, at), want);
}

/* ---- how it looks ---- */

static void goldens(void **state)
{
	static const struct {
		const char  *name;
		int          rows, cols;
		bool         is_plain, is_list;
		const char  *text; /* that is looked for */
		enum command commands[8];
	} shots[] = {
		{ .name = "logs_list_80x24", .rows = 22, .cols = 80, .is_list = true, .commands = { COMMAND_DOWN } },
		{ .name = "logs_list_filter", .rows = 22, .cols = 80, .is_list = true, .text = "VLLM" },
		{ .name = "logs_80x24", .rows = 22, .cols = 80 },
		{ .name = "logs_80x24_ascii_mono", .rows = 22, .cols = 80, .is_plain = true, .text = "info", .commands = { COMMAND_UP, COMMAND_UP } },
		{ .name = "logs_80x24_wrapped", .rows = 22, .cols = 80, .text = "memory", .commands = { COMMAND_WRAP, COMMAND_MATCH_BACK } },
		{ .name = "logs_80x24_sideways", .rows = 22, .cols = 80, .commands = { COMMAND_RIGHT, COMMAND_RIGHT } },
		{ .name = "logs_120x40_only", .rows = 38, .cols = 120, .text = "//11-27 \\d+:12:1", .commands = { COMMAND_ONLY, COMMAND_UP } },
		{ .name = "logs_120x40_mistake", .rows = 38, .cols = 120, .text = "/(" },
		{ .name = "logs_20x5", .rows = 3, .cols = 20 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof shots / sizeof *shots; i++) {
		struct stage s;
		set_up(&s, shots[i].rows, shots[i].cols);
		canvas_set_ascii(s.canvas, shots[i].is_plain);
		canvas_set_mono(s.canvas, shots[i].is_plain);
		if (!shots[i].is_list) {
			press(&s, COMMAND_ENTER);
			say_story(&s);
		}
		if (shots[i].text != NULL)
			look_for(&s, shots[i].text + (shots[i].text[0] == '/' && shots[i].text[1] == '/'));
		for (size_t k = 0; k < sizeof shots[i].commands / sizeof *shots[i].commands && shots[i].commands[k] != COMMAND_NONE; k++)
			press(&s, shots[i].commands[k]);
		draw(&s);
		golden_check(s.canvas, shots[i].name);
		tear_down(&s);
	}
}

static void states_are_told(void **state)
{
	static const struct {
		const char      *label;
		struct log_status status;
		const char      *want, *trouble;
	} rows[] = {
		{ "connecting", { .state = LOG_CONNECTING }, "asking ssh gpu-a-07", "" },
		{ "reading", { .state = LOG_LISTING }, "reading the list", "" },
		{ "slow", { .state = LOG_FOLLOWING, .rate = 0.4 }, "following on ssh gpu-a-07, 0.4 lines/s", "" },
		{ "fast", { .state = LOG_FOLLOWING, .rate = 123456.7 }, "following on ssh gpu-a-07, 123457 lines/s", "" },
		{ "waiting", { .state = LOG_WAITING, .reach = REACH_CLOSED, .text = "gpu-a-07 closed the connection", .retry_ms = 3400 },
		  "cut short: gpu-a-07 closed the connection; again in 4s", "" },
		{ "the end of a command", { .state = LOG_ENDED, .reach = REACH_OK, .text = "the command ended there" }, "the command ended there", "" },
		{ "refused", { .state = LOG_ENDED, .reach = REACH_KEY_UNKNOWN, .text = "it is not in known_hosts" },
		  "host key unknown: it is not in known_hosts; compare the key", "" },
		{ "no way", { .state = LOG_ENDED }, "no way there", "no way there is known" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stage s;
		set_up(&s, 22, 100);
		s.log.status = rows[i].status;
		s.log.trouble = rows[i].trouble;
		s.log.status.text = rows[i].status.text != NULL ? rows[i].status.text : "";
		s.log.status.list = &s.list;
		s.log.status.ring = s.ring;
		s.log.status.key = "";
		s.screen->kind->update(s.screen, &s.view);
		expect(&s, rows[i].label, -1, rows[i].want);
		tear_down(&s);
	}
}

/* ---- moving ---- */

static void it_stands_still_until_told(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, 12, 80);
	press(&s, COMMAND_ENTER);
	assert_string_equal(s.key, "file:/var/log/vllm/server.log");
	say_numbers(&s, 0, 100);
	expect(&s, "the newest is at the bottom", -2, "line 99");
	press(&s, COMMAND_DOWN);
	expect(&s, "down at the end is nothing", 0, "100 lines");
	press(&s, COMMAND_UP);
	expect(&s, "up stops it", 0, "paused, 0 new below");
	say_numbers(&s, 100, 150);
	expect(&s, "more came", 0, "paused, 50 new below");
	expect(&s, "and is not shown", -2, "line 99");
	press(&s, COMMAND_PAGE_UP);
	press(&s, COMMAND_PAGE_UP);
	expect(&s, "two pages up", 1, "line 80");
	press(&s, COMMAND_FIRST);
	expect(&s, "the first", 1, "line 0");
	expect(&s, "fills the screen", -2, "line 9");
	press(&s, COMMAND_LAST);
	expect(&s, "the newest again", -2, "line 149");
	expect(&s, "and followed", 0, "150 lines");
	press(&s, COMMAND_UP);
	press(&s, COMMAND_PAGE_DOWN);
	say_numbers(&s, 150, 151);
	expect(&s, "down past the end follows too", -2, "line 150");
	tear_down(&s);
}

static void lines_that_go_take_the_reader_along(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, 12, 80);
	press(&s, COMMAND_ENTER);
	say_numbers(&s, 0, 100);
	press(&s, COMMAND_FIRST);
	say_numbers(&s, 100, LOG_RING_LINES + 1000);
	expect(&s, "the oldest there is", 1, "line 1000");
	press(&s, COMMAND_DOWN);
	expect(&s, "from there on", 0, "paused");
	say_numbers(&s, 0, 2 * LOG_RING_LINES); /* all of them are others now, and nobody told the screen before it draws */
	expect(&s, "again the oldest", 1, "line 10000");
	log_ring_clear(s.ring);
	s.screen->kind->update(s.screen, &s.view);
	expect(&s, "nothing at all", 0, " 0 lines");
	press(&s, COMMAND_UP);
	press(&s, COMMAND_MATCH_NEXT);
	tear_down(&s);
}

static void what_is_found_is_gone_to(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, 12, 80);
	press(&s, COMMAND_ENTER);
	press(&s, COMMAND_MATCH_NEXT);
	assert_non_null(strstr(s.asked.message, "nothing is looked for"));
	say_numbers(&s, 0, 300);
	look_for(&s, "LINE 10");
	expect(&s, "11 of them", 0, "/LINE 10 11 lines");
	press(&s, COMMAND_MATCH_BACK);
	expect(&s, "the newest", 0, "paused, 1");
	press(&s, COMMAND_MATCH_BACK);
	press(&s, COMMAND_MATCH_NEXT);
	press(&s, COMMAND_MATCH_NEXT);
	assert_non_null(strstr(s.asked.message, "from the oldest"));
	expect(&s, "the oldest", -2, "line 1");
	press(&s, COMMAND_ONLY);
	expect(&s, "only those", 1, "line 10");
	expect(&s, "a screen of them", -2, "line 108");
	say_numbers(&s, 1000, 1001);
	expect(&s, "new ones are looked at", 0, "/LINE 10 12 lines only");
	press(&s, COMMAND_LAST);
	expect(&s, "the new one", -2, "line 1000");
	press(&s, COMMAND_BACK);
	expect(&s, "all again", 0, "301 lines");
	look_for(&s, "no such");
	press(&s, COMMAND_ONLY);
	expect(&s, "nothing", 1, "");
	press(&s, COMMAND_MATCH_NEXT);
	assert_string_equal(s.asked.message, "no line matches");
	press(&s, COMMAND_BACK);
	press(&s, COMMAND_BACK);
	assert_string_equal(s.key, ""); /* the list */
	tear_down(&s);
}

static void one_log_is_chosen_by_itself(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s, 12, 80);
	s.list.n = 1;
	s.screen->kind->update(s.screen, &s.view);
	answer(&s);
	assert_string_equal(s.key, "file:/var/log/vllm/server.log");
	struct requests out = { 0 };
	assert_int_equal(s.screen->kind->command(s.screen, &s.view, COMMAND_BACK, "", &out), NEXT_IGNORED);
	tear_down(&s);
}

/* ---- hostile lines at all sizes ---- */

static bool is_safe(uint32_t c)
{
	return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !(c >= 0x202a && c <= 0x202e);
}

static void no_line_reaches_past_the_screen(void **state)
{
	static const char bad[] = "\033[2J\033]0;x\a\xff\xfe \xe2\x80\xae turned \xf0\x9f\x98\x80\xf0\x9f\x98\x80 e\xcc\x81\xcc\x81\xcc\x81\xcc\x81 \xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\n";
	static const int sizes[][2] = { { 1, 1 }, { 2, 3 }, { 3, 2 }, { 4, 19 }, { 5, 20 }, { 22, 80 }, { 68, 250 } };
	static const enum command walk[] = { COMMAND_UP, COMMAND_RIGHT, COMMAND_MATCH_BACK, COMMAND_WRAP, COMMAND_PAGE_UP, COMMAND_ONLY, COMMAND_FIRST,
		                             COMMAND_DOWN, COMMAND_WRAP, COMMAND_PAGE_DOWN, COMMAND_LEFT, COMMAND_ONLY, COMMAND_LAST };
	static char line[LOG_RING_LINE + 100];
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct stage s;
		set_up(&s, sizes[i][0], sizes[i][1]);
		press(&s, COMMAND_ENTER);
		for (int k = 0; k < 40; k++)
			say(&s, bad);
		memset(line, 'x', sizeof line);
		line[sizeof line - 2] = '\n';
		line[sizeof line - 1] = '\0';
		say(&s, line);
		say(&s, "\n\n");
		look_for(&s, i % 2 == 0 ? "\xe6\xbc\xa2" : "/[^x]+|x$");
		for (size_t k = 0; k < 3 * sizeof walk / sizeof *walk; k++) {
			press(&s, walk[k % (sizeof walk / sizeof *walk)]);
			draw(&s);
			for (int row = 0; row < sizes[i][0]; row++)
				for (int col = 0; col < sizes[i][1]; col++)
					assert_true(canvas_cell(s.canvas, row, col)->width == 0 || is_safe(canvas_cell(s.canvas, row, col)->text[0]));
			assert_int_equal(canvas_region(s.canvas).rows, sizes[i][0]);
		}
		tear_down(&s);
	}
}

/* ---- searching ---- */

static void matches_are_found(void **state)
{
	static const struct {
		const char *label, *search, *text, *want; /* "at+len at+len", "?" for a mistake */
	} rows[] = {
		{ "nothing", "", "abc", "" },
		{ "a text", "b", "abcb", "1+1 3+1" },
		{ "upper and lower case", "GpU", "gpu GPU", "0+3 4+3" },
		{ "one behind the other", "aa", "aaaa", "0+2 2+2" },
		{ "longer than the line", "abcd", "abc", "" },
		{ "no expression", "a.c", "abc a.c", "4+3" },
		{ "an expression", "/a.c", "abc a.c", "0+3 4+3" },
		{ "case counts in one", "/GPU", "gpu GPU", "4+3" },
		{ "unless it says so", "/(?i)GPU", "gpu GPU", "0+3 4+3" },
		{ "empty matches are none", "/x*", "aax", "2+1" },
		{ "a lone slash is a text", "/", "a/b", "1+1" },
		{ "wrong", "/(", "(", "?" },
	};
	(void)state;
	struct log_search *s = calloc(1, sizeof *s);
	assert_non_null(s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char got[64] = "";
		size_t at, len, n = 0;
		log_search_set(s, rows[i].search);
		for (size_t from = 0; log_search_find(s, rows[i].text, strlen(rows[i].text), from, &at, &len); from = at + len)
			n += (size_t)snprintf(got + n, sizeof got - n, "%s%zu+%zu", n > 0 ? " " : "", at, len);
		if (s->mistake.text[0] != '\0')
			snprintf(got, sizeof got, "?");
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].label, got, rows[i].want);
	}
	log_search_release(s);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goldens), cmocka_unit_test(states_are_told), cmocka_unit_test(it_stands_still_until_told),
		cmocka_unit_test(lines_that_go_take_the_reader_along), cmocka_unit_test(what_is_found_is_gone_to),
		cmocka_unit_test(one_log_is_chosen_by_itself), cmocka_unit_test(no_line_reaches_past_the_screen), cmocka_unit_test(matches_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
