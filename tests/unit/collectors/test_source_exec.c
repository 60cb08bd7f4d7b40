/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/source_services.h"
#include "tests/unit/collectors/source_bench.h"

static struct source_exec execs[20];

static void exec_of(struct source_bench *b, size_t i, const char *name, const char *format, const char *const *argv, size_t n_argv,
                    const char *const *paths, size_t n_paths)
{
	execs[i] = (struct source_exec){ .name = name, .argv = argv, .n_argv = n_argv, .format = format, .paths = paths, .n_paths = n_paths };
	b->settings.execs = execs;
	b->settings.n_execs = i + 1;
}

static const char *const any[] = { "any" };

#define PATHS(...) (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
#define NO_PATHS NULL, 0

/* What a command prints, as the script sends it; lines are what must be found. */
static const struct {
	const char *label, *format;
	const char *const *paths;
	size_t      n_paths;
	const char *said, *lines[4], *why;
} rows[] = {
	{ "pairs", "pairs", NO_PATHS, "|queue depth: 4\n|temp=41.5\n|free 12\n|ok true\n|word hello\n|\n|== said =0\n",
	  { "exec_x_queue_depth 4", "exec_x_temp 41.5", "exec_x_free 12", "exec_x_ok 1" }, NULL },
	{ "odd keys", "pairs", NO_PATHS, "|a\"b{c}: 1\n|9: 2\n|== said =0\n", { "exec_x_a_b_c_ 1", "exec_x__9 2" }, NULL },
	{ "a key with a colon", "pairs", NO_PATHS, "|disk:/dev/sda = 7\n|== said =0\n", { "exec_x_disk__dev_sda 7" }, NULL },
	{ "no pairs", "pairs", NO_PATHS, "|hello\n|nan NaN\n|inf inf\n|== said =0\n", { NULL },
	  "exec 'x': it printed no line of a key and a number" },
	{ "nothing", "pairs", NO_PATHS, "|== said =0\n", { "pitwall_exec_success{exec=\"x\"} 0" },
	  "exec 'x': it printed no line of a key and a number" },
	{ "JSON", "json", PATHS("depth=queue.depth", "first=list[0].v", "on=on", "text=s", "nested=m[1][0]"),
	  "|{\"queue\":{\"depth\":3},\"list\":[{\"v\":1e3}],\"on\":false,\"s\":\"2.5\",\n|\"m\":[[],[9]]}\n|== said =0\n",
	  { "exec_x_depth 3", "exec_x_first 1000", "exec_x_on 0", "exec_x_text 2.5" }, NULL },
	{ "JSON, some missing", "json", PATHS("a=a", "b=b.c", "d=d"), "|{\"a\":1,\"b\":[],\"d\":2}\n|== said =0\n", { "exec_x_a 1", "exec_x_d 2" },
	  "exec 'x': there is no number at '=b.c'" },
	{ "JSON, hostile paths", "json", PATHS("a=[", "b=a.", "c=a[-1]", "d=a[99999999999999999999]", "e=.", "f=[0]]", "g"),
	  "|{\"a\":[1]}\n|== said =0\n", { NULL }, "exec 'x': there is no number at '=['" },
	{ "no JSON", "json", PATHS("a=a"), "|{\"a\":\n|== said =0\n", { NULL }, "exec 'x': it printed no JSON: " },
	{ "a page", "prometheus", NO_PATHS, "|# HELP up x\n|# TYPE up gauge\n|up{job=\"a\\\"b\"} 1 1700000000000\n|a:b 2\n|n NaN\n|== said =0\n",
	  { "up{job=\"a\\\"b\"} 1", "a:b 2" }, NULL },
	{ "a page of OpenMetrics", "prometheus", NO_PATHS, "|# TYPE c counter\n|c_total 5\n|# EOF\n|\n|== said =0\n", { "c_total 5" }, NULL },
	{ "a bad page", "prometheus", NO_PATHS, "|good 1\n|bad{ 2\n|== said =0\n", { "pitwall_exec_success{exec=\"x\"} 0" },
	  "exec 'x': line 2: " },
	{ "status", "pairs", NO_PATHS, "|a 1\n|== said warning: disk =2\n", { "exec_x_a 1", "pitwall_exec_success{exec=\"x\"} 0" },
	  "exec 'x': it ended with status 2: warning: disk" },
	{ "not there", "pairs", NO_PATHS, "|\n|== said sh: nosuch: not found =127\n", { NULL },
	  "exec 'x': it cannot be run: sh: nosuch: not found" },
	{ "too late", "pairs", NO_PATHS, "|a 1\n|== said =124\n", { NULL }, "exec 'x': it did not end in time" },
	{ "cut", "pairs", NO_PATHS, "|a 1\n|b 2", { NULL }, "exec 'x': it printed more than is read" },
	{ "its own end", "pairs", NO_PATHS, "|== said =0\n|a 1\n|== said x=y=0\n", { "exec_x_a 1" }, NULL },
	{ "a mark in its output", "pairs", NO_PATHS, "|== exec 0\n|a 1\n|== said =0\n== exec 0\n|a 7\n== exec 5\n== exec -1\n|b 2\n",
	  { "exec_x_a 1" }, NULL },
	{ "not run", "pairs", NO_PATHS, NULL, { NULL }, "exec 'x' was not run: " },
	{ "a format", "xml", NO_PATHS, "|<a/>\n|== said =0\n", { NULL }, "exec 'x': its format 'xml' is not known" },
};

static void outputs_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct source_bench b;
		char text[4096] = "";
		assert_true(source_bench_open(&b, &exec_source, false));
		exec_of(&b, 0, "x", rows[i].format, any, 1, rows[i].paths, rows[i].n_paths);
		if (rows[i].said != NULL)
			snprintf(text, sizeof text, "== exec 0\n%s", rows[i].said);
		enum err e = source_bench_parse(&b, text, strlen(text), 0, false);
		bool is_right = rows[i].why == NULL ? e == ERR_OK && source_bench_has(&b, "pitwall_exec_success{exec=\"x\"} 1")
		                                    : e == ERR_FORMAT && strncmp(b.why.text, rows[i].why, strlen(rows[i].why)) == 0;
		for (size_t k = 0; k < 4 && rows[i].lines[k] != NULL; k++)
			is_right = is_right && source_bench_has(&b, rows[i].lines[k]);
		if (!is_right) {
			source_bench_print(&b);
			fail_msg("%s: %s", rows[i].label, err_text(e));
		}
		source_bench_close(&b);
	}
}

/* The section's clock ran out while the second of three was running. */
static void the_clock_ends_it(void **state)
{
	(void)state;
	static const char text[] = "== exec 0\n|a 1\n|== said =0\n\n== exec 1\n|a 2\n";
	struct source_bench b;
	assert_true(source_bench_open(&b, &exec_source, false));
	exec_of(&b, 0, "x", "pairs", any, 1, NO_PATHS);
	exec_of(&b, 1, "y", "pairs", any, 1, NO_PATHS);
	exec_of(&b, 2, "z", "pairs", any, 1, NO_PATHS);
	assert_int_equal(source_bench_parse(&b, text, strlen(text), 124, false), ERR_FORMAT);
	assert_string_equal(b.why.text, "exec 'y': it did not end in time");
	assert_true(source_bench_has(&b, "exec_x_a 1"));
	assert_true(source_bench_has(&b, "pitwall_exec_success{exec=\"y\"} 0"));
	assert_int_equal(source_bench_parse(&b, text, strlen("== exec 0\n|a 1\n|== said =0\n\n"), 124, false), ERR_FORMAT);
	assert_string_equal(b.why.text, "exec 'y' was not run: those before it took too long");
	source_bench_close(&b);
}

static void ask(bool is_busybox)
{
	struct source_bench b;
	if (!source_bench_open(&b, &exec_source, is_busybox))
		skip();
	source_bench_tool(&b, "pairs", "echo \"arguments: $#\"; echo \"last=${3}\"; echo 'some words' >&2");
	source_bench_tool(&b, "json", "printf '{\"a\":[{\"b\":7}]}'");
	source_bench_tool(&b, "page", "echo 'up{x=\"y\"} 1'");
	source_bench_tool(&b, "bad", "echo 'nonsense {'; echo 'what is \033[1mwrong' >&2; exit 3");
	source_bench_tool(&b, "large", "i=0; while [ $i -lt 30000 ]; do echo 'key_of_some_length 1234567890'; i=$((i+1)); done");
	exec_of(&b, 0, "pairs one", "pairs", (const char *const[]){ "pairs", "it's; exit 9", "*", "5" }, 4, NO_PATHS);
	exec_of(&b, 1, "json", "json", (const char *const[]){ "json" }, 1, PATHS("v=a[0].b"));
	exec_of(&b, 2, "page", "prometheus", (const char *const[]){ "page" }, 1, NO_PATHS);
	exec_of(&b, 3, "bad", "prometheus", (const char *const[]){ "bad" }, 1, NO_PATHS);
	exec_of(&b, 4, "large", "pairs", (const char *const[]){ "large" }, 1, NO_PATHS);
	exec_of(&b, 5, "nosuch", "pairs", (const char *const[]){ "nosuch" }, 1, NO_PATHS);
	enum err e = source_bench_ask(&b);
	static const char *const lines[] = {
		"exec_pairs_one_arguments 3", "exec_pairs_one_last 5", "pitwall_exec_success{exec=\"pairs one\"} 1", "exec_json_v 7", "up{x=\"y\"} 1",
		"pitwall_exec_success{exec=\"page\"} 1", "pitwall_exec_success{exec=\"bad\"} 0", "pitwall_exec_success{exec=\"large\"} 0",
		"pitwall_exec_success{exec=\"nosuch\"} 0",
	};
	bool is_right = e == ERR_FORMAT && strstr(b.why.text, "exec 'bad': line 1: ") == b.why.text &&
	strstr(b.why.text, "it said 'what is ") != NULL;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		is_right = is_right && source_bench_has(&b, lines[i]);
	if (!is_right) {
		source_bench_print(&b);
		fail_msg("%s", err_text(e));
	}
	source_bench_close(&b);
}

static void too_many(void **state)
{
	(void)state;
	struct source_bench b;
	assert_true(source_bench_open(&b, &exec_source, false));
	source_bench_tool(&b, "any", "echo a 1");
	for (size_t i = 0; i < 20; i++)
		exec_of(&b, i, "x", "pairs", any, 1, NO_PATHS);
	assert_int_equal(source_bench_ask(&b), ERR_LIMIT);
	assert_string_equal(b.why.text, "only the first 16 of 20 execs are run");
	source_bench_close(&b);
}

static void dash_asks(void **state) { (void)state; ask(false); }
static void busybox_asks(void **state) { (void)state; ask(true); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_are_read), cmocka_unit_test(the_clock_ends_it), cmocka_unit_test(dash_asks),
		cmocka_unit_test(busybox_asks), cmocka_unit_test(too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
