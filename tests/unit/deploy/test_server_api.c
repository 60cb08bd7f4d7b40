/* SPDX-License-Identifier: Apache-2.0
 *
 * What the drivers of model servers share: where a server is, what goes into its URLs, numbered versions. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/driver_bench.h"

#include "deploy/server_api.h"

static struct driver_bench bench;

static void test_where_it_is(void **state)
{
	static const struct {
		const char *label, *options, *target;
		bool        is_local;
		enum err    err;
		const char *base;
		bool        is_on_machine;
	} rows[] = {
		{ "the port beside", "{}", "http://gpu-1:8002", false, ERR_OK, "http://gpu-1:8000", false },
		{ "an address of six", "{}", "http://[fd00::1]:8002", false, ERR_OK, "http://[fd00::1]:8000", false },
		{ "the target's own", "url: '{url}'\n", "https://gpu-1:8002", false, ERR_OK, "https://gpu-1:8002", false },
		{ "the node's name", "url: 'http://{node}.example:8000/triton'\n", "http://gpu-1:8002", false, ERR_OK, "http://here.example:8000/triton", false },
		{ "a loopback that we see too", "{}", "http://127.0.0.1:8002", false, ERR_OK, "http://127.0.0.1:8000", false },
		{ "the machine's loopback", "url: 'http://127.0.0.1:8000'\n", "http://gpu-1:8002", true, ERR_OK, "http://127.0.0.1:8000", true },
		{ "the loopback of no machine", "url: 'http://localhost:8000'\n", "http://gpu-1:8002", false, ERR_UNSUPPORTED, "", false },
		{ "no target", "{}", "", true, ERR_UNSUPPORTED, "", false },
		{ "no target that is needed", "url: 'http://gpu-1:8000'\n", "", true, ERR_OK, "http://gpu-1:8000", false },
		{ "a target without a host", "{}", "http://", true, ERR_FORMAT, "", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct server_api api = { "", "", false };
		driver_bench_init(&bench, driver_find("triton"), rows[i].options);
		assert_row(rows[i].label, bench.err == ERR_OK);
		bench.unit.url = rows[i].target;
		bench.unit.is_local = rows[i].is_local;
		enum err e = server_api_of(&bench.settings, &bench.unit, &bench.arena, &api, &bench.why);
		if (e != rows[i].err || strcmp(api.base, rows[i].base) != 0 || api.is_on_machine != rows[i].is_on_machine)
			fail_msg("%s: %s '%s' %d", rows[i].label, err_text(e), api.base, api.is_on_machine);
		driver_bench_release(&bench);
	}
}

static void test_what_a_query_holds(void **state)
{
	struct arena a;
	(void)state;
	arena_init(&a);
	assert_string_equal(server_query(&a, "http://h/m", "url", "s3://b/x y.mar?z#&=+", "n", "..", NULL), "http://h/m?url=s3%3A%2F%2Fb%2Fx%20y.mar%3Fz%23%26%3D%2B&n=%2E%2E");
	assert_string_equal(server_query(&a, "http://h/m", NULL), "http://h/m");
	arena_release(&a);
}

static void test_why_it_was_refused(void **state)
{
	static const struct {
		const char *said, *want;
	} rows[] = {
		{ "{\"error\":\"no such model\"}", "no such model" }, { "{\"code\":404,\"message\":\"gone\"}", "gone" },       { "{\"error\":{\"message\":\"full\",\"code\":400}}", "full" },
		{ "{\"status\":\"scaled\"}", "scaled" },              { "\nplain\nmore", "plain" },                          { "", "" },
		{ "{\"error\":7}", "{\"error\":7}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(400, rows[i].said);
		char said[200];
		server_said(&a, said, sizeof said);
		if (strcmp(said, rows[i].want) != 0)
			fail_msg("%s: '%s'", rows[i].said, said);
	}
	const struct answer hostile = answered(400, "{\"error\":\"\\u001b[31mred\"}");
	char said[200];
	server_said(&hostile, said, sizeof said);
	assert_null(strchr(said, '\x1b'));
}

static void test_numbers_of_versions(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "+1", "01", "1.0", " 1", "1 ", "1e3", "9223372036854775808", "18446744073709551617", "x", "0x1" };
	int64_t n = 7;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_row(bad[i], !served_number(bad[i], &n) && n == 7);
	assert_true(served_number("9223372036854775807", &n) && n == INT64_MAX);
}

/* The highest are kept, the highest first. */
static void test_more_versions_than_are_kept(void **state)
{
	static struct served s;
	(void)state;
	s.n = 0;
	for (int64_t i = 1; i <= 2 * FOUND_VERSIONS_MAX; i++)
		served_add(&s, i * 7 % (2 * FOUND_VERSIONS_MAX + 1) + 1000);
	assert_int_equal(s.n, FOUND_VERSIONS_MAX);
	assert_true(s.items[0].number == 1000 + 2 * FOUND_VERSIONS_MAX && s.items[s.n - 1].number == 1001 + FOUND_VERSIONS_MAX);
	for (size_t i = 1; i < s.n; i++)
		assert_true(s.items[i - 1].number > s.items[i].number);
	assert_null(served_add(&s, 1));
	assert_ptr_equal(served_add(&s, s.items[3].number), &s.items[3]);
	assert_int_equal(s.n, FOUND_VERSIONS_MAX);
}

static void test_folders(void **state)
{
	static struct served s;
	const struct answer a = answered(0, "1\nconfig.pbtxt\n22\n\n0\n-3\n333");
	(void)state;
	s.n = 0;
	served_read_folders(&a, &s);
	assert_int_equal(s.n, 3);
	assert_true(s.items[0].number == 333 && s.items[2].number == 1 && s.items[1].is_folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_it_is),
		cmocka_unit_test(test_what_a_query_holds),
		cmocka_unit_test(test_why_it_was_refused),
		cmocka_unit_test(test_numbers_of_versions),
		cmocka_unit_test(test_more_versions_than_are_kept),
		cmocka_unit_test(test_folders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
