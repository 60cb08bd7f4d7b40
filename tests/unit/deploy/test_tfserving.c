/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver tfserving with answers of the test's: the whole file is rewritten from what was read, a label moves in two steps, nobody's change is overwritten. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/driver_bench.h"

static struct driver_bench bench;

static const char file[] = "model_config_list {\n  # mine\n  config { name: 'other' base_path: '/models/other' }\n"
                           "  config { name: 'encoder' base_path: '/models/encoder' model_version_policy { specific { versions: 41 } } version_labels { key: 'stable' value: 41 } }\n}\n";
static const char unlabelled[] = "model_config_list { config { name: 'encoder' base_path: 's3://b/e' } config { name: 'other' base_path: '/models/other' } }\n";

#define STATUS(version, state, code, text) \
	"{\"version\":\"" version "\",\"state\":\"" state "\",\"status\":{\"error_code\":\"" code "\",\"error_message\":\"" text "\"}}"
#define STATUSES(list) "{\"model_version_status\":[" list "]}"

static void begin(const char *options)
{
	driver_bench_init(&bench, driver_find("tfserving"), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
	bench.unit.url = "http://srch-1:8501";
	bench.unit.model = "encoder";
}

static void look(const char *text, const char *status)
{
	const struct answer answers[] = { answered(0, text), answered(200, status), answered(0, "40\n41\n42\n") };
	if (driver_bench_look_all(&bench, answers, 3) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void test_options(void **state)
{
	static const struct {
		const char *label, *options, *says;
	} rows[] = {
		{ "no file", "label: x\n", "" },
		{ "a file that is no path", "config_file: models.config\n", "whole path" },
		{ "a label that is none", "config_file: /m\nlabel: 'a b'\n", "letters" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find("tfserving"), rows[i].options);
		if (bench.err != ERR_FORMAT || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, bench.why.text);
		driver_bench_release(&bench);
	}
}

static void test_looking(void **state)
{
	(void)state;
	begin("{ config_file: /etc/models.config, label: stable }");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "")));
	assert_int_equal(bench.look.found.n_versions, 3);
	assert_string_equal(found_running(&bench.look.found)->id, "41");
	assert_true(found_by_id(&bench.look.found, "42")->is_present);
	driver_bench_release(&bench);
}

static void test_looks_that_fail(void **state)
{
	static const struct {
		const char   *label;
		struct answer file, status;
		const char   *says;
	} rows[] = {
		{ "no file", { .why = "", .status = 1, .text = "cat: no", .n = 7 }, { .why = "", .text = "" }, "can't be read" },
		{ "no model", { .why = "", .status = 0, .text = "model_config_list { }", .n = 21 }, { .why = "", .text = "" }, "no model 'encoder'" },
		{ "no text of its kind", { .why = "", .status = 0, .text = "{", .n = 1 }, { .why = "", .text = "" }, "line 1" },
		{ "no status", { .why = "", .status = 0, .text = file, .n = sizeof file - 1 }, { .why = "", .status = 500, .text = "oops", .n = 4 }, "status 500" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer answers[] = { rows[i].file, rows[i].status };
		begin("config_file: /etc/models.config\n");
		if (driver_bench_look_all(&bench, answers, 2) != LOOK_FAILED || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, bench.why.text);
		driver_bench_release(&bench);
	}
}

/* The bytes of `file` with one text in another's place. */
static const char *with(const char *text, const char *was, const char *is)
{
	const char *at = strstr(text, was);
	assert_non_null(at);
	return arena_printf(&bench.arena, "%.*s%s%s", (int)(at - text), text, is, at + strlen(was));
}

static const struct step *put_of(const struct steps *s, size_t which)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].ask.kind == ASK_PUT && which-- == 0)
			return &s->items[i];
	fail_msg("there are not so many writings");
	abort(); /* it does not come back, which a compiler is not told */
}

static void test_a_label_moves_in_two_steps(void **state)
{
	(void)state;
	begin("{ config_file: /etc/models.config, label: stable }");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "42"), ERR_OK);
	const char *beside = with(file, "versions: 41", "versions: 42 versions: 41"), *moved = with(beside, "value: 41", "value: 42");
	assert_string_equal(put_of(&bench.forward, 0)->ask.body, beside);
	assert_string_equal(put_of(&bench.forward, 1)->ask.body, moved);
	assert_string_equal(put_of(&bench.forward, 0)->ask.path, "/etc/models.config");
	assert_string_equal(bench.forward.items[2].title, "wait until version 42 is AVAILABLE"); /* between the two */
	assert_string_equal(bench.forward.items[5].ask.url, "http://srch-1:8501/v1/models/encoder/labels/stable");
	assert_string_equal(put_of(&bench.back, 0)->ask.body, beside);
	assert_string_equal(put_of(&bench.back, 1)->ask.body, file);
	driver_bench_release(&bench);
}

/* What is absent is unloaded: the other model is in each text, and so is the comment. */
static void test_other_models_stay_in_the_file(void **state)
{
	(void)state;
	begin("config_file: /etc/models.config\n");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "42"), ERR_OK);
	assert_string_equal(put_of(&bench.forward, 0)->ask.body, with(file, "versions: 41", "versions: 42 versions: 41")); /* the label's version with it */
	assert_string_equal(put_of(&bench.back, 0)->ask.body, file);
	driver_bench_release(&bench);
	begin("config_file: /etc/models.config\n");
	look(unlabelled, STATUSES(STATUS("41", "AVAILABLE", "OK", "")));
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "'latest'"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "40"), ERR_OK);
	assert_string_equal(put_of(&bench.forward, 0)->ask.body, with(unlabelled, "'s3://b/e' }", "'s3://b/e'  model_version_policy { specific { versions: 40 } } }"));
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "becomes 'specific'"));
	driver_bench_release(&bench);
}

static void test_a_label_above_is_told(void **state)
{
	(void)state;
	begin("config_file: /etc/models.config\n");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "40"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_SERIOUS, "label 'stable' keeps version 41"));
	driver_bench_release(&bench);
}

static void test_what_cannot_be_planned(void **state)
{
	static const char *const awkward[] = { "v1", "", "0", "-1", "42 } } }", "42\n", "99999999999999999999", "99" };
	(void)state;
	begin("config_file: /etc/models.config\n");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "") "," STATUS("39", "END", "NOT_FOUND", "gone")));
	for (size_t i = 0; i + 1 < sizeof awkward / sizeof awkward[0]; i++)
		assert_row(awkward[i], driver_bench_plan(&bench, DEPLOY_ROLLBACK, awkward[i]) == ERR_UNSUPPORTED);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "39"), ERR_UNSUPPORTED); /* its folder is gone */
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "41"), ERR_UNSUPPORTED);
	driver_bench_release(&bench);
}

static const struct {
	const char       *label, *title;
	int64_t           after_ms;
	int               status;
	const char       *said;
	enum verdict_kind kind;
	const char       *says;
} judged[] = {
	{ "as it was", "look", 0, 0, file, VERDICT_DONE, "it is" },
	{ "changed by somebody", "look", 0, 0, unlabelled, VERDICT_FAILED, "plan again" },
	{ "not there any more", "look", 0, 1, "cat: no such file", VERDICT_FAILED, "can't be read" },
	{ "written", "write", 0, 0, "", VERDICT_DONE, "written" },
	{ "not written", "write", 0, 1, "no space left", VERDICT_FAILED, "no space left" },
	{ "not read yet", "wait until version 42", 0, 200, STATUSES(STATUS("41", "AVAILABLE", "OK", "")), VERDICT_AGAIN, "was not read yet" },
	{ "never read", "wait until version 42", 90000, 200, STATUSES(STATUS("41", "AVAILABLE", "OK", "")), VERDICT_AGAIN, "poll_wait_seconds" },
	{ "loading", "wait until version 42", 0, 200, STATUSES(STATUS("42", "LOADING", "OK", "")), VERDICT_AGAIN, "is loading" },
	{ "max_num_load_retries", "wait until version 42", 120000, 200, STATUSES(STATUS("42", "LOADING", "OK", "")), VERDICT_AGAIN, "tried again" },
	{ "available", "wait until version 42", 0, 200, STATUSES(STATUS("42", "AVAILABLE", "OK", "") "," STATUS("41", "END", "OK", "")), VERDICT_DONE, "is AVAILABLE" },
	{ "a higher one is served", "wait until version 42", 0, 200, STATUSES(STATUS("43", "AVAILABLE", "OK", "") "," STATUS("42", "AVAILABLE", "OK", "")), VERDICT_AGAIN, "43" },
	{ "failed", "wait until version 42", 0, 200, STATUSES(STATUS("42", "END", "UNKNOWN", "no saved model")), VERDICT_FAILED, "no saved model" },
	{ "no data", "wait until version 42", 0, 200, STATUSES(""), VERDICT_AGAIN, "not read yet" },
	{ "no JSON", "wait until version 42", 0, 200, "x", VERDICT_AGAIN, "no status" },
	{ "unknown to it", "wait until version 42", 0, 404, "{\"error\":\"Servable not found\"}", VERDICT_AGAIN, "no status" },
};

static void test_judging(void **state)
{
	(void)state;
	begin("config_file: /etc/models.config\n");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "42"), ERR_OK);
	for (size_t i = 0; i < sizeof judged / sizeof judged[0]; i++) {
		const struct answer a = answered(judged[i].status, judged[i].said);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, driver_bench_step(&bench.forward, judged[i].title), &a, false, judged[i].after_ms, &at, &v);
		if (v.kind != judged[i].kind || strstr(v.text, judged[i].says) == NULL)
			fail_msg("%s: %d '%s'", judged[i].label, v.kind, v.text);
	}
	const struct answer ours = answered(0, put_of(&bench.forward, 0)->ask.body); /* written, and then interrupted */
	struct verdict v;
	int at = 0;
	driver_bench_judge(&bench, &bench.forward.items[0], &ours, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	driver_bench_release(&bench);
}

/* A failure from before is told until the server has read the file. */
static void test_an_old_failure_is_not_a_new_one(void **state)
{
	const struct answer failed = answered(200, STATUSES(STATUS("42", "END", "UNKNOWN", "no saved model")));
	struct verdict v;
	int at = 0;
	(void)state;
	begin("config_file: /etc/models.config\n");
	look(file, STATUSES(STATUS("41", "AVAILABLE", "OK", "") "," STATUS("42", "END", "UNKNOWN", "no saved model")));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "42"), ERR_OK);
	const struct step *s = driver_bench_step(&bench.forward, "wait until version 42");
	driver_bench_judge(&bench, s, &failed, false, 1000, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	driver_bench_judge(&bench, s, &failed, false, 600000, &at, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	driver_bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_looks_that_fail),
		cmocka_unit_test(test_a_label_moves_in_two_steps),
		cmocka_unit_test(test_other_models_stay_in_the_file),
		cmocka_unit_test(test_a_label_above_is_told),
		cmocka_unit_test(test_what_cannot_be_planned),
		cmocka_unit_test(test_judging),
		cmocka_unit_test(test_an_old_failure_is_not_a_new_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
