/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collectors/source_services.h"
#include "tests/unit/collectors/source_bench.h"

#define HEAD "== system running\n== boot 1700000000\n"
#define UNIT(name, state, sub, result, restarts, started, code, status)                                                              \
	"Type=simple\nResult=" result "\nNRestarts=" restarts "\nActiveEnterTimestampMonotonic=5000000\nStateChangeTimestampMonotonic=9000000\n" \
	"ExecMainStartTimestampMonotonic=" started "\nExecMainCode=" code "\nExecMainStatus=" status "\nMemoryCurrent=258048\nTasksCurrent=3\n" \
	"CPUUsageNSec=1500000000\nLoadState=loaded\nActiveState=" state "\nSubState=" sub "\nId=" name "\n"

static enum err parse(struct source_bench *b, const char *text)
{
	return source_bench_parse(b, text, strlen(text), 0, false);
}

static void check(const struct source_bench *b, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!source_bench_has(b, lines[i])) {
			source_bench_print(b);
			fail_msg("not there: %s", lines[i]);
		}
}
#define CHECK(b, ...) check(b, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void a_unit_is_told(void **state)
{
	(void)state;
	struct source_bench b;
	assert_true(source_bench_open(&b, &systemd_source, false));
	assert_int_equal(parse(&b, HEAD "== units active 200\n== units failed 1\n" UNIT("vllm.service", "active", "running", "success", "2",
	                                                                                "4", "0", "0")
	                       "\n" UNIT("x.service", "failed", "failed", "exit-code", "0", "4", "1", "7")
	                       "\n" UNIT("vllm.service", "active", "running", "success", "2", "4", "0", "0")
	                       "== user\n" UNIT("vllm.service", "inactive", "dead", "success", "0", "4", "0", "0")), ERR_OK);
	CHECK(&b, "node_systemd_system_running 1", "node_systemd_units{state=\"active\"} 200", "node_systemd_units{state=\"failed\"} 1",
	      "node_systemd_unit_state{name=\"vllm.service\",state=\"active\",type=\"simple\"} 1",
	      "node_systemd_unit_state{name=\"vllm.service\",state=\"failed\",type=\"simple\"} 0",
	      "node_systemd_unit_state{name=\"x.service\",state=\"failed\",type=\"simple\"} 1",
	      "node_systemd_unit_state{name=\"vllm.service\",state=\"inactive\",type=\"simple\",manager=\"user\"} 1",
	      "node_systemd_service_restart_total{name=\"vllm.service\"} 2",
	      "node_systemd_unit_start_time_seconds{name=\"vllm.service\"} 1700000005",
	      "node_systemd_unit_tasks_current{name=\"vllm.service\"} 3", "pitwall_systemd_unit_memory_bytes{name=\"vllm.service\"} 258048",
	      "pitwall_systemd_unit_cpu_seconds_total{name=\"vllm.service\"} 1.5");
	/* Once, although it was named twice. */
	const char *first = strstr(buf_text(&b.out.page), "node_systemd_service_restart_total{name=\"vllm.service\"}");
	assert_null(strstr(first + 1, "node_systemd_service_restart_total{name=\"vllm.service\"}"));
	assert_int_equal(b.out.n_events, 0);
	source_bench_close(&b);
}

#define GOOD HEAD UNIT("v.service", "active", "running", "success", "0", "4000000", "0", "0")
static const struct { const char *label, *before, *after, *event; enum finding_severity severity; } changes[] = {
	{ "nothing new", GOOD, GOOD, NULL, FINDING_INFO },
	{ "failed", GOOD, HEAD UNIT("v.service", "failed", "failed", "exit-code", "0", "4000000", "1", "7"),
	  "unit 'v.service' failed: exit-code (exit status 7)", FINDING_CRITICAL },
	{ "failed: no such program", GOOD, HEAD UNIT("v.service", "failed", "failed", "exit-code", "0", "4000000", "1", "203"),
	  "(exit status 203: its program cannot be run)", FINDING_CRITICAL },
	{ "crashed", GOOD, HEAD UNIT("v.service", "failed", "failed", "core-dump", "0", "4000000", "3", "11"),
	  "failed: core-dump (signal 11, core dumped)", FINDING_CRITICAL },
	{ "restarts", GOOD, HEAD UNIT("v.service", "active", "running", "success", "3", "8000000", "0", "0"),
	  "unit 'v.service' was restarted by systemd, 3 times so far", FINDING_WARN },
	{ "in a loop", GOOD, HEAD UNIT("v.service", "activating", "auto-restart", "exit-code", "1", "8000000", "1", "3"),
	  "unit 'v.service' was restarted by systemd after 'exit-code' (exit status 3), 1 times so far", FINDING_WARN },
	{ "by hand", GOOD, HEAD UNIT("v.service", "active", "running", "success", "0", "8000000", "0", "0"), "was started again", FINDING_INFO },
	{ "back", HEAD UNIT("v.service", "failed", "failed", "exit-code", "0", "4000000", "1", "7"), GOOD, "'v.service' is active again",
	  FINDING_INFO },
	{ "new and failed", HEAD, HEAD UNIT("v.service", "failed", "failed", "timeout", "0", "0", "2", "9"), "failed: timeout (signal 9)",
	  FINDING_CRITICAL },
	{ "new and good", HEAD, GOOD, NULL, FINDING_INFO },
};

static void changes_are_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct source_bench b;
		assert_true(source_bench_open(&b, &systemd_source, false));
		assert_row(changes[i].label, parse(&b, changes[i].before) == ERR_OK && b.out.n_events == 0);
		assert_row(changes[i].label, parse(&b, changes[i].after) == ERR_OK);
		bool is_right = b.out.n_events == (changes[i].event != NULL);
		if (is_right && changes[i].event != NULL)
			is_right = source_bench_told(&b, changes[i].event) && b.out.events[0].severity == changes[i].severity &&
			           (b.out.events[0].wall_ms == 1700000009000 || b.out.events[0].wall_ms == 1700000008000);
		if (!is_right) {
			source_bench_print(&b);
			fail_msg("%s: other events", changes[i].label);
		}
		source_bench_close(&b);
	}
}

static const struct { const char *label, *text; int status; enum err want; const char *why, *line; } answers[] = {
	{ "no systemd", "", 127, ERR_NOT_FOUND, "", NULL },
	{ "nothing", "", 0, ERR_FORMAT, "systemctl said ''", NULL },
	{ "no bus", "== system Failed to connect to bus: No such file or directory\n", 0, ERR_FORMAT,
	  "systemd does not answer: Failed to connect to bus: No such file or directory", NULL },
	{ "degraded", "== system degraded\n", 0, ERR_OK, "", "node_systemd_system_running 0" },
	{ "too late", "== system running\n", 124, ERR_FORMAT, "systemctl did not answer in time", NULL },
	{ "not there", HEAD "Id=nosuch.service\nLoadState=not-found\nActiveState=inactive\n\n" UNIT("v.service", "active", "x", "y", "0", "0",
	                                                                                            "0", "0"), 0,
	  ERR_FORMAT, "there is no unit 'nosuch.service' on this machine",
	  "node_systemd_unit_state{name=\"v.service\",state=\"active\",type=\"simple\"} 1" },
	{ "only with the user", HEAD "Id=v.service\nLoadState=not-found\n== user\n" UNIT("v.service", "active", "x", "y", "0", "0", "0", "0"),
	  0, ERR_OK, "",
	  "node_systemd_unit_state{name=\"v.service\",state=\"active\",type=\"simple\",manager=\"user\"} 1" },
	{ "not set", HEAD "Id=v.service\nMemoryCurrent=[not set]\nTasksCurrent=18446744073709551615\nNRestarts=-1\nActiveState=active\n", 0,
	  ERR_OK, "",
	  "node_systemd_unit_state{name=\"v.service\",state=\"active\"} 1" },
	{ "hostile", HEAD "Id=\"\\\033[31m\xff.service\nActiveState=active\n== units \xff 7\n== units x -7\n== boot 99999999999999999\n", 0,
	  ERR_OK, "",
	  "node_systemd_unit_state{name=\"\\\"\\\\\033[31m\xef\xbf\xbd.service\",state=\"active\"} 1" },
};

static void answers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct source_bench b;
		assert_true(source_bench_open(&b, &systemd_source, false));
		enum err e = source_bench_parse(&b, answers[i].text, strlen(answers[i].text), answers[i].status, false);
		if (e != answers[i].want || strcmp(b.why.text, answers[i].why) != 0 || (answers[i].line != NULL &&
		                                                                        !source_bench_has(&b, answers[i].line))) {
			source_bench_print(&b);
			fail_msg("%s: %s", answers[i].label, err_text(e));
		}
		source_bench_close(&b);
	}
}

/* The part of a transcript that `show` printed. */
static void real_answers_are_read(void **state)
{
	(void)state;
	static const struct { const char *file, *line; enum err want; } files[] = {
		{ "ops/systemd-live/01-start.txt", "pitwall_systemd_unit_memory_bytes{name=\"vllm.service\"} 258048", ERR_OK },
		{ "ops/systemd-live/03-crash-startlimit.txt", "node_systemd_service_restart_total{name=\"crash.service\"} 3", ERR_OK },
		{ "ops/systemd-live/08-autorestart.txt", "node_systemd_unit_state{name=\"autorestart.service\",state=\"activating\"} 1", ERR_OK },
		{ "ops/systemd-live/09-nosuch.txt", "node_systemd_system_running 1", ERR_FORMAT },
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct source_bench b;
		struct buf text = source_bench_sample(files[i].file), section;
		buf_init(&section, 1 << 20);
		char *begin = strstr(text.data, "\nMainPID=");
		assert_row(files[i].file, begin != NULL && source_bench_open(&b, &systemd_source, false));
		char *end = strstr(begin, "[exit");
		buf_printf(&section, HEAD "%.*s", (int)(end - begin), begin);
		enum err e = parse(&b, section.data);
		if (e != files[i].want || !source_bench_has(&b, files[i].line)) {
			source_bench_print(&b);
			fail_msg("%s: %s", files[i].file, err_text(e));
		}
		buf_release(&text);
		buf_release(&section);
		source_bench_close(&b);
	}
}

/* ---- the script ---- */

static const char systemctl[] =
	"case \"$*\" in\n"
	"is-system-running) echo degraded; exit 1 ;;\n"
	"list-units*) cat <<'END'\n"
	"vllm.service loaded active running vLLM\n"
	"\xe2\x97\x8f old.service loaded failed failed Old way to mark it\n"
	"bad\\x2dname.service loaded failed failed Bad\n"
	"gone.service not-found inactive dead gone\n"
	"END\n"
	";;\n"
	"*--user*show*) echo Id=mine.service; echo LoadState=loaded; echo ActiveState=active ;;\n"
	"*show*)\n"
	"	while [ \"$1\" != -- ]; do shift; done; shift\n"
	"	for u; do echo \"Id=$u\"; echo LoadState=loaded; echo ActiveState=active; echo; done ;;\n"
	"esac\n";

static void ask(bool is_busybox)
{
	struct source_bench b;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!source_bench_open(&b, &systemd_source, is_busybox))
		skip();
	assert_int_equal(source_bench_ask(&b), ERR_NOT_FOUND);
	source_bench_tool(&b, "systemctl", "echo offline; exit 1");
	assert_int_equal(source_bench_ask(&b), ERR_NOT_FOUND);
	source_bench_tool(&b, "systemctl", systemctl);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	CHECK(&b, "node_systemd_system_running 0", "node_systemd_units{state=\"failed\"} 2", "node_systemd_units{state=\"active\"} 1",
	      "node_systemd_units{state=\"inactive\"} 1", "node_systemd_unit_state{name=\"vllm*.service\",state=\"active\"} 1",
	      "node_systemd_unit_state{name=\"old.service\",state=\"active\"} 1",
	      "node_systemd_unit_state{name=\"bad\\\\x2dname.service\",state=\"active\"} 1");
	assert_null(strstr(buf_text(&b.out.page), "mine.service"));
	/* Names of the fleet file's are words, whatever is in them; and a user's manager is asked where it is there. */
	b.settings.units = (const char *const[]){ "a'b; touch $here/evil.service", "*" };
	b.settings.n_units = 2;
	assert_int_equal(mkdir(source_bench_path(&b, "systemd"), 0700), 0);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/systemd/private", b.folder);
	assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	CHECK(&b, "node_systemd_unit_state{name=\"a'b; touch $here/evil.service\",state=\"active\"} 1",
	      "node_systemd_unit_state{name=\"*\",state=\"active\"} 1",
	      "node_systemd_unit_state{name=\"mine.service\",state=\"active\",manager=\"user\"} 1");
	close(s);
	source_bench_close(&b);
}

static void dash_asks(void **state) { (void)state; ask(false); }
static void busybox_asks(void **state) { (void)state; ask(true); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_is_told), cmocka_unit_test(changes_are_events), cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(real_answers_are_read), cmocka_unit_test(dash_asks), cmocka_unit_test(busybox_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
