/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver systemd with what systemd 252 really says (tests/unit/deploy/test_systemd_live.c has the real one). */
#include "tests/unit/unit.h"

#include "deploy/systemd.h"
#include "tests/unit/deploy/driver_bench.h"

static const char plain[] = "unit: vllm.service\nstable: 2s\n";

/* `show`, in an order of its own. */
#define SHOWN(active, sub, result, code, status, pid, restarts, invocation, more)                                                              \
	"MainPID=" pid "\nStatusText=\nResult=" result "\nNRestarts=" restarts "\nExecMainCode=" code "\nExecMainStatus=" status                     \
	"\nId=vllm.service\nLoadState=loaded\nActiveState=" active "\nSubState=" sub "\nFragmentPath=/etc/systemd/system/vllm.service\n"            \
	"ActiveEnterTimestamp=Mon 2026-11-23 14:52:43 UTC\nJob=\nNeedDaemonReload=no\nInvocationID=" invocation "\n" more
#define OLD "80d93b024cd643c2beb5d681ed100e8e"
#define NEW "ed93b77fbe1d420ea9e99447fd159142"
static const char old_run[] = SHOWN("active", "running", "success", "0", "0", "3400", "0", OLD, "");
static const char new_run[] = SHOWN("active", "running", "success", "0", "0", "3500", "0", NEW, "");
static const char other_process[] = SHOWN("active", "running", "success", "0", "0", "3600", "1", NEW, "");
static const char missing_program[] = SHOWN("failed", "failed", "exit-code", "1", "203", "0", "0", NEW, "");
static const char crash_loop[] = SHOWN("activating", "auto-restart", "exit-code", "1", "3", "0", "4", NEW, "");
static const char too_often[] = SHOWN("failed", "failed", "start-limit-hit", "1", "7", "0", "5", NEW, "");
static const char no_memory[] = SHOWN("failed", "failed", "oom-kill", "2", "9", "0", "0", NEW, "");
static const char dumped[] = SHOWN("failed", "failed", "core-dump", "3", "11", "0", "0", NEW, "");
static const char too_slow[] = SHOWN("failed", "failed", "timeout", "2", "9", "0", "0", NEW, "");
static const char loading[] = SHOWN("activating", "start", "success", "0", "0", "3500", "0", NEW, "StatusText=loading 40%\n");
static const char stopping[] = SHOWN("deactivating", "stop-sigterm", "success", "0", "0", "3400", "0", OLD, "");
static const char queued[] = SHOWN("inactive", "dead", "success", "0", "0", "0", "0", OLD, "Job=77\n");
static const char ended[] = SHOWN("inactive", "dead", "success", "1", "0", "0", "0", NEW, "");
static const char forgotten[] = SHOWN("inactive", "dead", "success", "0", "0", "0", "0", "", "");
static const char gone[] = "LoadState=not-found\nActiveState=inactive\nSubState=dead\nInvocationID=\n";

static void begin(struct driver_bench *b, const char *options, const char *shown)
{
	driver_bench_init(b, driver_find("systemd"), options);
	if (b->err != ERR_OK)
		fail_msg("%s", b->why.text);
	const struct answer a = answered(0, shown);
	assert_int_equal(driver_bench_look_all(b, &a, 1), LOOK_DONE);
	assert_int_equal(driver_bench_plan(b, DEPLOY_REDEPLOY, found_running(&b->look.found)->id), ERR_OK);
}

/* ---- options ---- */

static void test_names_that_systemctl_would_make_others_of(void **state)
{
	static const struct {
		const char *unit;
		bool        is_good;
	} rows[] = {
		{ "vllm.service", true },       { "vllm@gpu-0.service", true }, { "a\\x20b.service", true }, { "{model}-{node}.service", true },
		{ "../x", false },              { "a b.service", false },       { "vllm", false },           { "--help.service", false },
		{ "x.service;reboot", false },  { ".service", false },          { "\xc3\xa4.service", false }, { "$(id).service", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct driver_bench b;
		char options[128];
		snprintf(options, sizeof options, "unit: '%s'\n", rows[i].unit);
		driver_bench_init(&b, driver_find("systemd"), options);
		assert_row(rows[i].unit, (b.err == ERR_OK) == rows[i].is_good);
		driver_bench_release(&b);
	}
}

static void test_a_model_cannot_make_another_unit(void **state)
{
	struct driver_bench b;
	(void)state;
	driver_bench_init(&b, driver_find("systemd"), "unit: '{model}.service'\n");
	assert_int_equal(b.err, ERR_OK);
	b.unit.model = "../../x --now";
	assert_int_equal(driver_bench_look(&b, NULL), LOOK_FAILED);
	assert_non_null(strstr(b.why.text, "no name of a unit"));
	driver_bench_release(&b);
}

static void test_what_is_sent(void **state)
{
	static const struct {
		const char *label, *options, *restart, *show;
	} rows[] = {
		{ "sudo", "unit: vllm.service\n", "sudo -n -- systemctl restart --no-block -- vllm.service", "env TZ=UTC systemctl show -p " },
		{ "without", "unit: vllm.service\nsudo: false\n", "systemctl restart --no-block -- vllm.service", "env TZ=UTC systemctl show -p " },
		{ "the account's own", "unit: vllm.service\nuser: true\n", "systemctl --user restart --no-block -- vllm.service",
		  "env TZ=UTC systemctl --user show -p " },
		{ "reload", "unit: vllm.service\nverb: reload\nsudo: false\n", "systemctl reload --no-block -- vllm.service", "env TZ=UTC systemctl show -p " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct driver_bench b;
		begin(&b, rows[i].options, old_run);
		assert_int_equal(b.forward.n, 2);
		assert_string_equal(driver_bench_words(&b, &b.forward.items[0].ask), rows[i].restart);
		assert_row(rows[i].label, strncmp(driver_bench_words(&b, &b.forward.items[1].ask), rows[i].show, strlen(rows[i].show)) == 0);
		assert_row(rows[i].label, b.forward.items[0].changes && !b.forward.items[1].changes);
		bool is_reload = strcmp(rows[i].label, "reload") == 0;
		assert_row(rows[i].label, b.forward.items[0].is_repeatable == is_reload && (b.forward.items[0].probe.kind == ASK_RUN) == !is_reload);
		driver_bench_release(&b);
	}
}

/* ---- looking ---- */

static void test_what_is_found(void **state)
{
	static const struct {
		const char        *label, *shown;
		enum warning_level level;
		const char        *says;
		bool               is_ready;
	} rows[] = {
		{ "runs", old_run, WARNING_LEVEL_COUNT, "", true },
		{ "no such unit", gone, WARNING_FORBIDS, "knows no unit 'vllm.service'", false },
		{ "masked", "LoadState=masked\nActiveState=inactive\nSubState=dead\n", WARNING_FORBIDS, "masked", false },
		{ "bad file", "LoadState=bad-setting\nActiveState=inactive\nSubState=dead\n", WARNING_FORBIDS, "cannot be read", false },
		{ "changed on disk", "LoadState=loaded\nActiveState=active\nSubState=running\nNeedDaemonReload=yes\n", WARNING_CARE, "daemon-reload", true },
		{ "failed", missing_program, WARNING_CARE, "203: its program is missing", false },
		{ "crash loop", crash_loop, WARNING_CARE, "4 restarts so far: it exited with status 3", false },
		{ "stopped", forgotten, WARNING_NOTE, "does not run now", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct driver_bench b;
		const struct answer a = answered(0, rows[i].shown);
		driver_bench_init(&b, driver_find("systemd"), plain);
		assert_row(rows[i].label, driver_bench_look_all(&b, &a, 1) == LOOK_DONE);
		assert_row(rows[i].label, rows[i].says[0] == '\0' ? b.look.found.n_warnings == 0 : driver_bench_warns(&b, rows[i].level, rows[i].says));
		assert_row(rows[i].label, b.look.found.is_ready == rows[i].is_ready);
		driver_bench_release(&b);
	}
}

static void test_the_version_that_runs(void **state)
{
	static const struct {
		const char *label, *said;
		int         status;
		const char *id;
	} rows[] = {
		{ "a line", "v1.2.3\nmore\n", 0, "v1.2.3" },     { "blanks around it", "  v1 \r\n", 0, "v1" },
		{ "a failure", "v1\n", 1, "as installed" },      { "nothing", "\n", 0, "as installed" },
		{ "control bytes", "v\x1b[31m1\n", 0, "as installed" }, { "no UTF-8", "v\xff\n", 0, "as installed" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct driver_bench b;
		const struct answer answers[] = { answered(0, old_run), answered(rows[i].status, rows[i].said) };
		driver_bench_init(&b, driver_find("systemd"), "unit: vllm.service\nversion_command: [ ranker, --version ]\n");
		assert_row(rows[i].label, driver_bench_look_all(&b, answers, 2) == LOOK_DONE);
		assert_string_equal(driver_bench_words(&b, &b.look.next), "ranker --version");
		assert_string_equal(found_running(&b.look.found)->id, rows[i].id);
		assert_row(rows[i].label, found_running(&b.look.found)->since_ms == INT64_C(1795445563000));
		driver_bench_release(&b);
	}
}

static void test_a_rollback_is_not_for_this_driver(void **state)
{
	struct driver_bench b;
	(void)state;
	begin(&b, plain, old_run);
	assert_int_equal(driver_bench_plan(&b, DEPLOY_ROLLBACK, "v1"), ERR_UNSUPPORTED);
	assert_non_null(strstr(b.why.text, "'release-symlink' or 'command' can"));
	driver_bench_release(&b);
}

/* ---- the restart ---- */

static void test_what_systemctl_and_sudo_say(void **state)
{
	static const struct {
		const char       *label;
		int               status;
		const char       *said;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "done", 0, "", VERDICT_DONE, "systemd has begun" },
		{ "the old unit file", 0, "Warning: The unit file, source configuration file or drop-ins of vllm.service changed on disk. Run 'systemctl daemon-reload'\n",
		  VERDICT_DONE, "old unit file" },
		{ "sudo refuses", 1, "sudo: a password is required\n", VERDICT_FAILED, "sudo refuses: sudo: a password is required; allow exactly this" },
		{ "polkit refuses", 1, "Failed to restart vllm.service: Interactive authentication required.\n", VERDICT_FAILED, "may not do that" },
		{ "access denied", 4, "Failed to restart vllm.service: Access denied\n", VERDICT_FAILED, "may not do that" },
		{ "no such unit", 5, "Failed to restart nosuch.service: Unit nosuch.service not found.\n", VERDICT_FAILED, "no such unit" },
		{ "a name made another", 5, "Invalid unit name \"../x\" escaped as \"..-x\" (maybe you should use systemd-escape?).\n", VERDICT_FAILED, "for another" },
		{ "no sudo", 127, "env: 'sudo': No such file or directory\n", VERDICT_FAILED, "a command is missing" },
		{ "something else", 1, "Job for vllm.service failed\x1b[0m.\n", VERDICT_FAILED, "status 1: Job for" },
	};
	struct driver_bench b;
	(void)state;
	begin(&b, plain, old_run);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].said);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&b, &b.forward.items[0], &a, false, 0, &at, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, v.kind, v.text);
	}
	driver_bench_release(&b);
}

/* A connection that ended does not end the job: whether it was asked for is told by the InvocationID. */
static void test_after_an_interruption_the_invocation_tells(void **state)
{
	static const struct {
		const char       *label, *shown;
		enum verdict_kind kind;
	} rows[] = {
		{ "the same run", old_run, VERDICT_AGAIN }, { "a new one", new_run, VERDICT_DONE },      { "it stops", stopping, VERDICT_DONE },
		{ "a job waits", queued, VERDICT_DONE },    { "a new one that failed", missing_program, VERDICT_DONE }, { "nonsense", "x", VERDICT_FAILED },
	};
	struct driver_bench b;
	(void)state;
	begin(&b, plain, old_run);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(0, rows[i].shown);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&b, &b.forward.items[0], &a, true, 0, &at, &v);
		if (v.kind != rows[i].kind)
			fail_msg("%s: %d '%s'", rows[i].label, v.kind, v.text);
	}
	const struct answer lost = { .err = ERR_NETWORK, .why = "cut short", .was_sent = true, .text = "" }, unsent = { .err = ERR_NETWORK, .why = "refused", .text = "" };
	struct verdict v;
	int at = 0;
	driver_bench_judge(&b, &b.forward.items[0], &lost, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	driver_bench_judge(&b, &b.forward.items[0], &unsent, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	driver_bench_release(&b);
}

/* A simple service whose program is missing starts with status 0: only what it does afterwards tells. */
static void test_what_becomes_of_it(void **state)
{
	static const struct {
		const char       *label, *shown;
		int64_t           after_ms;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "the program is missing", missing_program, 500, VERDICT_FAILED, "status 203: its program is missing or cannot be run (EXEC)" },
		{ "it ends again and again", crash_loop, 500, VERDICT_FAILED, "again and again (4 restarts): it exited with status 3" },
		{ "it was started too often", too_often, 500, VERDICT_FAILED, "reset-failed" },
		{ "out of memory", no_memory, 500, VERDICT_FAILED, "want of memory" },
		{ "a signal", dumped, 500, VERDICT_FAILED, "killed by signal 11, and dumped core" },
		{ "its own time limit", too_slow, 500, VERDICT_FAILED, "time limit" },
		{ "it loads", loading, 500, VERDICT_AGAIN, "activating (start): loading 40%" },
		{ "the old one stops", stopping, 500, VERDICT_AGAIN, "the run of before" },
		{ "the old one runs", old_run, 500, VERDICT_AGAIN, "the run of before" },
		{ "the job waits", queued, 60000, VERDICT_AGAIN, "the run of before" },
		{ "not yet", forgotten, 500, VERDICT_AGAIN, "does not run yet" },
		{ "it ended by itself", ended, 6000, VERDICT_FAILED, "does not run" },
		{ "nothing is known of it", forgotten, 6000, VERDICT_FAILED, "does not run" },
		{ "the unit is gone", gone, 500, VERDICT_FAILED, "not there any more" },
		{ "nonsense", "\xff\n=\n", 500, VERDICT_FAILED, "did not tell" },
		{ "up, for now", new_run, 500, VERDICT_AGAIN, "watched for 2 s" },
	};
	struct driver_bench b;
	(void)state;
	begin(&b, plain, old_run);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(0, rows[i].shown);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&b, &b.forward.items[1], &a, false, rows[i].after_ms, &at, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, v.kind, v.text);
	}
	driver_bench_release(&b);
}

static void test_the_same_process_for_a_while(void **state)
{
	static const char *const good[] = { old_run, loading, new_run, new_run, new_run, NULL }, *const bad[] = { new_run, new_run, other_process, NULL };
	struct driver_bench b;
	struct verdict v;
	int at = 0;
	(void)state;
	begin(&b, plain, old_run);
	for (size_t i = 0; good[i] != NULL; i++) {
		const struct answer a = answered(0, good[i]);
		driver_bench_judge(&b, &b.forward.items[1], &a, false, (int64_t)i * 1000, &at, &v);
		assert_int_equal(v.kind, good[i + 1] != NULL ? VERDICT_AGAIN : VERDICT_DONE);
	}
	at = 0;
	for (size_t i = 0; bad[i] != NULL; i++) {
		const struct answer a = answered(0, bad[i]);
		driver_bench_judge(&b, &b.forward.items[1], &a, false, (int64_t)i * 1000, &at, &v);
		assert_int_equal(v.kind, bad[i + 1] != NULL ? VERDICT_AGAIN : VERDICT_FAILED);
	}
	assert_non_null(strstr(v.text, "replaced while it was watched"));
	driver_bench_release(&b);
}

static void test_drain_and_ready(void **state)
{
	struct driver_bench b;
	struct verdict v;
	int at = 0;
	(void)state;
	driver_bench_init(&b, driver_find("systemd"),
	                  "unit: vllm.service\ndrain: [ [ lb, drain, '{node}' ] ]\nundrain: [ [ lb, enter, '{node}' ] ]\nready: /health\n");
	assert_int_equal(b.err, ERR_OK);
	b.unit.node = "a; reboot";
	b.unit.url = "http://127.0.0.1:8000";
	const struct answer shown = answered(0, old_run);
	assert_int_equal(driver_bench_look_all(&b, &shown, 1), LOOK_DONE);
	assert_int_equal(driver_bench_plan(&b, DEPLOY_REDEPLOY, "as installed"), ERR_OK);
	assert_int_equal(b.forward.n, 5);
	assert_string_equal(b.forward.items[0].ask.argv[2], "a; reboot");
	assert_int_equal(b.forward.items[0].phase, PHASE_DRAIN);
	assert_string_equal(b.forward.items[3].ask.url, "http://127.0.0.1:8000/health");
	assert_true(b.forward.items[3].ask.is_on_machine);
	assert_int_equal(b.forward.items[4].phase, PHASE_ENTER);
	const struct answer loading_503 = answered(503, "loading"), ok = answered(200, "");
	driver_bench_judge(&b, &b.forward.items[3], &loading_503, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	driver_bench_judge(&b, &b.forward.items[3], &ok, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	driver_bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_that_systemctl_would_make_others_of),
		cmocka_unit_test(test_a_model_cannot_make_another_unit),
		cmocka_unit_test(test_what_is_sent),
		cmocka_unit_test(test_what_is_found),
		cmocka_unit_test(test_the_version_that_runs),
		cmocka_unit_test(test_a_rollback_is_not_for_this_driver),
		cmocka_unit_test(test_what_systemctl_and_sudo_say),
		cmocka_unit_test(test_after_an_interruption_the_invocation_tells),
		cmocka_unit_test(test_what_becomes_of_it),
		cmocka_unit_test(test_the_same_process_for_a_while),
		cmocka_unit_test(test_drain_and_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
