/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/arena.h"
#include "config/profile.h"

#include <unistd.h>

static const char *const none[] = { "/nowhere" };

static const struct profile *guess(const struct profiles *p, const char *const *metrics, size_t n)
{
	struct profile_guess g;
	profile_guess_init(&g, p);
	for (size_t i = 0; i < n; i++)
		profile_guess_add(&g, metrics[i], strlen(metrics[i]));
	return profile_guess_result(&g);
}

static void test_builtin(void **state)
{
	static const struct {
		const char *metrics[3], *want;
	} rows[] = {
		{ { "process_cpu_seconds_total", "vllm:num_requests_running", "python_gc" }, "vllm" },
		{ { "vllm:num_requests_running", "nv_inference_count", "x" }, "triton" },
		{ { "nv_inference_count", "vllm:num_requests_running", "x" }, "triton" },
		{ { ":tensorflow:serving:request_count", "x", "y" }, "tensorflow-serving" },
		{ { "Requests2XX", "x", "y" }, "torchserve" },
		{ { "DCGM_FI_DEV_GPU_TEMP", "x", "y" }, "dcgm" },
		{ { "node_load1", "go_goroutines", "y" }, "node" },
		{ { "node_load1", "nvidia_smi_index", "pitwall_machine_info" }, "machine" },
		{ { "pitwall_machine_info", "vllm:num_requests_running", "nv_inference_count" }, "machine" },
		{ { "http_requests_total", "x", "y" }, "generic" },
	};
	struct diagnostics d;
	struct profiles *p;
	struct why why;
	(void)state;
	diagnostics_init(&d);
	assert_int_equal(profiles_load(none, 1, &d, &p, &why), ERR_OK);
	assert_int_equal(d.n, 0);
	for (size_t i = 1; i < profiles_count(p); i++)
		assert_true(strcmp(profiles_at(p, i - 1)->head.name, profiles_at(p, i)->head.name) < 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct profile *got = guess(p, rows[i].metrics, 3);
		assert_row(rows[i].want, got != NULL && strcmp(got->head.name, rows[i].want) == 0);
	}
	assert_null(guess(p, NULL, 0));
	const struct profile *tf = profiles_find(p, "tensorflow-serving");
	assert_int_equal(tf->head.port, 8501);
	assert_string_equal(tf->head.path, "/monitoring/prometheus/metrics");
	assert_string_equal(tf->head.scheme, "http");
	assert_int_equal(tf->head.window_ms, 60000);
	assert_true(tf->is_builtin);
	assert_non_null(yaml_get(yaml_root(tf->tree), "groups"));
	assert_string_equal(profiles_suggest(p, "tritn"), "triton");
	assert_null(profiles_find(p, "tritn"));
	profiles_free(p);
	diagnostics_release(&d);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_folders(void **state)
{
	char a[] = "/tmp/pitwall-[a]-XXXXXX", b[] = "/tmp/pitwall-b-XXXXXX"; /* brackets: a folder's name is no pattern */
	struct diagnostics d;
	struct profiles *p;
	struct why why;
	char path[256];
	(void)state;
	assert_non_null(mkdtemp(a));
	assert_non_null(mkdtemp(b));
	write_file(a, "mine.yml", "profile: { name: vllm, summary: mine, port: 1 }\ngroups: []\n");
	write_file(b, "mine.yml", "profile: { name: vllm, summary: theirs, port: 2 }\ngroups: []\n");
	write_file(b, "new.yml", "profile: { name: new, match: { metrics: [ \"new_\" ], rank: 3 } }\n");
	write_file(b, "broken.yml", "profile: { name: triton, port: x }\n");
	diagnostics_init(&d);
	assert_int_equal(profiles_load((const char *const[]){ a, b }, 2, &d, &p, &why), ERR_OK);
	assert_string_equal(profiles_find(p, "vllm")->head.summary, "mine");
	assert_false(profiles_find(p, "vllm")->is_builtin);
	assert_int_equal(profiles_find(p, "new")->head.rank, 3);
	assert_true(profiles_find(p, "triton")->is_builtin);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.items[0].text, "'port' must be a whole number from 1 to 65535, not 'x'");
	profiles_free(p);
	diagnostics_release(&d);
	static const char *const names[] = { "mine.yml", "new.yml", "broken.yml" };
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", a, names[i]);
		unlink(path);
		snprintf(path, sizeof path, "%s/%s", b, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(a) | rmdir(b), 0);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *in, *said;
	} rows[] = {
		{ "groups: []\n", "f:1:1: a profile file is a mapping with 'profile' and 'groups'\n" },
		{ "profile: x\n", "f:1:10: 'profile' must be a mapping, not 'x'\n" },
		{ "profile: { port: 1 }\n", "f:1:10: a profile needs a 'name'\n" },
		{ "profile: { name: X }\n", "f:1:18: a profile's name begins with a small letter and has only small letters, digits, '-' and '_'\n" },
		{ "profile: { name: x, prt: 1 }\n", "f:1:21: unknown key 'prt'; did you mean 'port'?\n" },
		{ "profile: { name: x, path: m }\n", "f:1:27: 'path' must begin with '/' and hold nothing that a URL cannot\n" },
		{ "profile: { name: x, scheme: ftp }\n", "f:1:29: 'scheme' must be http or https\n" },
		{ "profile: { name: x, window: 5 }\n", "f:1:29: 'window' must be a duration from 1s to 1d, as in 30s or 1m30s, not '5'\n" },
		{ "profile: { name: x, match: { metrics: [] } }\n", "f:1:39: 'metrics' needs 1 to 64 prefixes\n" },
		{ "profile: { name: x, match: { rank: 2000 } }\n", "f:1:36: 'rank' must be a whole number from -1000 to 1000, not '2000'\n" },
		{ "profile: { name: x }\nrules: []\n", "f:2:1: unknown key 'rules'\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct diagnostics d;
		struct yaml *y;
		struct arena a;
		struct buf got;
		struct profile_head head;
		diagnostics_init(&d);
		arena_init(&a);
		buf_init(&got, 4096);
		assert_int_equal(yaml_parse(rows[i].in, strlen(rows[i].in), "f", &d, &y), ERR_OK);
		assert_row(rows[i].in, !profile_head_read(y, &a, &head));
		diagnostics_print(&d, &got);
		if (strcmp(buf_text(&got), rows[i].said) != 0)
			print_error("%s", buf_text(&got));
		assert_row(rows[i].in, strcmp(buf_text(&got), rows[i].said) == 0);
		buf_release(&got);
		arena_release(&a);
		yaml_discard(y);
		diagnostics_release(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_builtin), cmocka_unit_test(test_folders), cmocka_unit_test(test_mistakes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
