/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver docker on what a real engine said (20.10.24). The recordings are not part of the project: they are looked for where PITWALL_SHARED
 * points, and the tests are skipped without them. */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/slurp.h"
#include "tests/unit/deploy/driver_bench.h"

enum { RECORDING_MAX = 1 << 20, TEXTS = 16 };

static struct why why;
static struct driver_bench bench;
static char *texts[TEXTS];
static size_t n_texts;

static const char *folder(void)
{
	static char path[4096];
	struct stat st;
	const char *shared = getenv("PITWALL_SHARED");
	snprintf(path, sizeof path, "%s/samples/ops/docker-live", shared != NULL ? shared : "../shared");
	if (stat(path, &st) != 0) {
		print_message("# skipped: no recordings at '%s' (set PITWALL_SHARED)\n", path);
		skip();
	}
	return path;
}

/* A recording: the request, "---", the status line and headers, an empty line, the body. */
static struct answer recorded(const char *name)
{
	char path[8192];
	struct buf text;
	snprintf(path, sizeof path, "%s/%s.http", folder(), name);
	buf_init(&text, RECORDING_MAX);
	assert_ok(slurp(path, RECORDING_MAX, &text, NULL, &why));
	const char *status = strstr(buf_text(&text), "---\nHTTP/");
	assert_row(name, status != NULL && n_texts < TEXTS);
	const char *crlf = strstr(status, "\r\n\r\n"), *lf = strstr(status, "\n\n"), *body = crlf != NULL ? crlf + 4 : lf != NULL ? lf + 2 : "";
	char *copy = texts[n_texts++] = strdup(body);
	assert_non_null(copy);
	for (size_t n = strlen(copy); n > 0 && (copy[n - 1] == '\n' || copy[n - 1] == '\r'); n--)
		copy[n - 1] = '\0';
	struct answer a = answered((int)strtol(strchr(status, ' '), NULL, 10), copy);
	buf_release(&text);
	return a;
}

static int end(void **state)
{
	(void)state;
	if (bench.driver != NULL)
		driver_bench_release(&bench);
	memset(&bench, 0, sizeof bench);
	while (n_texts > 0)
		free(texts[--n_texts]);
	return 0;
}

static void begin(const char *options, const char *inspect)
{
	folder();
	driver_bench_init(&bench, driver_find("docker"), options);
	const struct answer answers[] = { recorded("01-version"), recorded("14-list"), recorded(inspect), recorded("16-image-inspect"),
		                          recorded("15-images") };
	if (driver_bench_look_all(&bench, answers, sizeof answers / sizeof answers[0]) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void judge(const char *title, const char *const *names, int64_t after_ms, struct verdict *v)
{
	int at = 0;
	*v = (struct verdict){ .kind = VERDICT_AGAIN };
	for (size_t i = 0; names[i] != NULL && v->kind == VERDICT_AGAIN; i++) {
		const struct answer a = recorded(names[i]);
		driver_bench_judge(&bench, driver_bench_step(&bench.forward, title), &a, false, after_ms, &at, v);
	}
}

static void test_what_a_real_engine_tells(void **state)
{
	(void)state;
	begin("labels: { com.docker.compose.service: vllm }\n", "13-inspect-healthy");
	const struct found *f = &bench.look.found;
	assert_true(f->is_ready);
	assert_int_equal(f->n_versions, 3);
	assert_string_equal(f->versions[0].image, "registry.example/vllm:v1");
	assert_true(f->versions[0].is_running && f->versions[0].since_ms == 1795445262799);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "project infer"));
}

static void test_one_that_is_starting_is_not_ready(void **state)
{
	(void)state;
	begin("container: infer-vllm-1\n", "12-inspect-starting");
	assert_false(bench.look.found.is_ready);
}

/* As the recorded create was, but for what is ours. */
static void test_what_would_be_created(void **state)
{
	static const char *const parts[] = {
		"\"Image\":\"registry.example/vllm:v2\"",
		"\"Env\":[\"MODEL=llama-8b\"]",
		"\"Binds\":[\"/srv/docker/models:/models:ro\"]",
		"\"NetworkMode\":\"none\"",
		"\"RestartPolicy\":{\"Name\":\"unless-stopped\",\"MaximumRetryCount\":0}",
		"\"com.docker.compose.config-hash\":\"abc\"",
		"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"test -f /run/ok\"],\"Interval\":1000000000,\"Timeout\":2000000000,\"Retries\":2}",
		"\"Cmd\":[\"/bin/sh\",\"-c\",",
	};
	struct verdict v;
	int at = 0;
	(void)state;
	begin("container: infer-vllm-1\n", "13-inspect-healthy");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v2"), ERR_OK);
	const struct answer told = recorded("13-inspect-healthy");
	driver_bench_judge(&bench, driver_bench_step(&bench.forward, "create"), &told, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		assert_row(parts[i], strstr(v.next.body, parts[i]) != NULL);
	assert_null(strstr(v.next.body, "Hostname"));
	assert_null(strstr(v.next.body, "NetworkingConfig"));
}

static void test_what_its_answers_mean(void **state)
{
	static const struct {
		const char       *label, *step, *names[4];
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "stopped", "stop", { "42-stop-old" }, VERDICT_DONE, "stopped" },
		{ "started", "start infer", { "43-start-new" }, VERDICT_DONE, "started" },
		{ "started already", "start infer", { "17-start-again-304" }, VERDICT_DONE, "already" },
		{ "renamed", "rename the old", { "40-rename-old" }, VERDICT_DONE, "renamed" },
		{ "no such image",
		  "create",
		  { "13-inspect-healthy", "31-err-404-image-on-create" },
		  VERDICT_FAILED,
		  "No such image: registry.example/vllm:v9" },
		{ "the name is taken by one that is not ours",
		  "create",
		  { "13-inspect-healthy", "32-err-409-name", "13-inspect-healthy" },
		  VERDICT_FAILED,
		  "did not make" },
		{ "no such program", "start infer", { "61-start-badcmd" }, VERDICT_FAILED, "OCI runtime create failed" },
		{ "no such container", "stop", { "30-err-404-container" }, VERDICT_FAILED, "No such container" },
	};
	(void)state;
	begin("container: infer-vllm-1\n", "13-inspect-healthy");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v2"), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict v;
		size_t before = n_texts;
		judge(rows[i].step, rows[i].names, 0, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, (int)v.kind, v.text);
		while (n_texts > before)
			free(texts[--n_texts]);
	}
}

/* One that starts, is healthy, is not, and never came up; the key of a run is not in any. */
static void test_waiting_for_the_old_one(void **state)
{
	static const struct {
		const char       *name;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "12-inspect-starting", VERDICT_AGAIN, "healthcheck has not passed" },
		{ "13-inspect-healthy", VERDICT_DONE, "healthy" },
		{ "54-inspect-v3-unhealthy", VERDICT_FAILED, "another image" },
		{ "62-inspect-badcmd", VERDICT_FAILED, "another image" },
	};
	(void)state;
	begin("container: infer-vllm-1\n", "13-inspect-healthy");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v2"), ERR_OK);
	const struct step *wait = driver_bench_step(&bench.back, "wait until");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = recorded(rows[i].name);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, wait, &a, false, 0, &at, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].name, (int)v.kind, v.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_what_a_real_engine_tells, end),
		cmocka_unit_test_teardown(test_one_that_is_starting_is_not_ready, end),
		cmocka_unit_test_teardown(test_what_would_be_created, end),
		cmocka_unit_test_teardown(test_what_its_answers_mean, end),
		cmocka_unit_test_teardown(test_waiting_for_the_old_one, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
