/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collectors/source_services.h"
#include "tests/unit/collectors/source_bench.h"

#define ID "fea99c07e76352eb2a16b2a5f5e0425d1c3fba1efead5c4fc15c0935b8787b65"

#define CONTAINER(state, code, oom, restarts, started, image, health)                                                             \
	"{\"Id\":\"" ID "\",\"Name\":\"/vllm\",\"Image\":\"sha256:" image "\",\"RestartCount\":" restarts ",\"State\":{\"Status\":\"" state    \
	"\",\"ExitCode\":" code ",\"OOMKilled\":" oom ",\"StartedAt\":\"" started "\",\"FinishedAt\":\"0001-01-01T00:00:00Z\",\"Health\":" \
	health "},\"Config\":{\"Image\":\"registry.example/vllm:" image "\",\"Labels\":{\"com.docker.compose.service\":\"chat\"}}}\n"

static enum err parse(struct source_bench *b, const char *containers)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	buf_printf(&text, "== engine docker\n%s", containers);
	enum err e = source_bench_parse(b, text.data, text.len, 0, false);
	buf_release(&text);
	return e;
}

static void one_container_is_told(void **state)
{
	(void)state;
	struct source_bench b;
	assert_true(source_bench_open(&b, &container_source, false));
	assert_int_equal(parse(&b, CONTAINER("running", "0", "false", "2", "2026-11-23T14:48:16.614290929Z", "v3", "{\"Status\":\"healthy\"}")),
	                 ERR_OK);
	static const char *const lines[] = {
		"container_state{name=\"vllm\",state=\"running\"} 1",
		"container_state{name=\"vllm\",state=\"exited\"} 0",
		"container_health{name=\"vllm\",health=\"healthy\"} 1",
		"container_restarts_total{name=\"vllm\"} 2",
		"container_start_time_seconds{name=\"vllm\"} 1795445296.614",
		"container_oom_killed{name=\"vllm\"} 0",
		"container_info{name=\"vllm\",id=\"" ID "\",image=\"registry.example/vllm:v3\",image_id=\"sha256:v3\",compose_service=\"chat\"} 1",
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (!source_bench_has(&b, lines[i])) {
			source_bench_print(&b);
			fail_msg("not there: %s", lines[i]);
		}
	assert_int_equal(b.out.n_events, 0);
	source_bench_close(&b);
}

#define AT_1 "2026-11-23T14:48:16Z"
#define AT_2 "2026-11-23T15:00:00Z"
#define GOOD CONTAINER("running", "0", "false", "0", AT_1, "v1", "null")

static const struct { const char *label, *before, *after, *event; enum finding_severity severity; } changes[] = {
	{ "nothing new", GOOD, GOOD, NULL, FINDING_INFO },
	{ "restarted by policy", GOOD, CONTAINER("running", "0", "false", "1", AT_2, "v1", "null"),
	  "container 'vllm' was restarted by its engine, 1 times so far", FINDING_WARN },
	{ "restarted after the OOM killer", GOOD, CONTAINER("running", "0", "true", "1", AT_2, "v1", "null"), "(killed, out of memory)",
	  FINDING_WARN },
	{ "started anew", GOOD, CONTAINER("running", "0", "false", "0", AT_2, "v1", "null"), "container 'vllm' was started", FINDING_INFO },
	{ "ended well", GOOD, CONTAINER("exited", "0", "false", "0", AT_1, "v1", "null"), "container 'vllm' is 'exited': exit code 0",
	  FINDING_INFO },
	{ "ended badly", GOOD, CONTAINER("exited", "3", "false", "0", AT_1, "v1", "null"), "is 'exited': exit code 3", FINDING_CRITICAL },
	{ "killed", GOOD, CONTAINER("exited", "137", "false", "0", AT_1, "v1", "null"), "exit code 137, signal 9", FINDING_CRITICAL },
	{ "killed by the kernel", GOOD, CONTAINER("exited", "137", "true", "0", AT_1, "v1", "null"), "killed, out of memory", FINDING_CRITICAL },
	{ "another image", GOOD, CONTAINER("running", "0", "false", "0", AT_1, "v2", "null"),
	  "has another image: 'registry.example/vllm:v2', before 'registry.example/vllm:v1'", FINDING_INFO },
	{ "unhealthy", GOOD, CONTAINER("running", "0", "false", "0", AT_1, "v1", "{\"Status\":\"unhealthy\"}"), "is unhealthy", FINDING_WARN },
	{ "healthy again", CONTAINER("running", "0", "false", "0", AT_1, "v1", "{\"Status\":\"unhealthy\"}"),
	  CONTAINER("running", "0", "false", "0", AT_1, "v1", "{\"Status\":\"healthy\"}"), "is healthy again", FINDING_INFO },
};

static void changes_are_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct source_bench b;
		assert_true(source_bench_open(&b, &container_source, false));
		assert_row(changes[i].label, parse(&b, changes[i].before) == ERR_OK && b.out.n_events == 0);
		assert_row(changes[i].label, parse(&b, changes[i].after) == ERR_OK);
		if (b.out.n_events != (changes[i].event != NULL) || (changes[i].event != NULL && (!source_bench_told(&b, changes[i].event) ||
		                                                                                  b.out.events[0].severity != changes[i].severity))) {
			source_bench_print(&b);
			fail_msg("%s: other events", changes[i].label);
		}
		source_bench_close(&b);
	}
}

static const struct { const char *label, *text; int status; enum err want; const char *why; } answers[] = {
	{ "no tool", "", 127, ERR_NOT_FOUND, NULL },
	{ "no container", "== engine docker\n", 0, ERR_OK, NULL },
	{ "no rights", "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock\n", 1, ERR_FORMAT,
	  "this user may not ask the container engine: add it to the group 'docker', or run rootless" },
	{ "no daemon", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n", 1, ERR_NOT_FOUND,
	  "the container engine does not run, or answers elsewhere: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
	  "daemon running?" },
	{ "too late", "", 124, ERR_FORMAT, "the container engine did not answer in time" },
	{ "nonsense", "== engine docker\n{\"a\":\n", 0, ERR_FORMAT, "1 containers were told in another form than is known" },
	{ "other JSON", "== engine docker\n{}\n[]\n{\"State\":[]}\n{\"State\":{\"Status\":7},\"Id\":1}\n", 0, ERR_FORMAT,
	  "3 containers were told in another form than is known" },
	{ "words", "== engine docker\n\033[31mpanic\n", 0, ERR_FORMAT, "the container engine said '\xe2\x90\x9b[31mpanic'" },
};

static void answers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct source_bench b;
		assert_true(source_bench_open(&b, &container_source, false));
		enum err e = source_bench_parse(&b, answers[i].text, strlen(answers[i].text), answers[i].status, false);
		if (e != answers[i].want || (answers[i].why != NULL && strcmp(b.why.text, answers[i].why) != 0)) {
			source_bench_print(&b);
			fail_msg("%s: %s", answers[i].label, err_text(e));
		}
		source_bench_close(&b);
	}
}

/* One that ran and does so no more is worth a word, and so is one that is refused. */
static void an_engine_that_stops_is_a_failure(void **state)
{
	static const char stopped[] = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
	struct source_bench b;
	(void)state;
	assert_true(source_bench_open(&b, &container_source, false));
	assert_int_equal(source_bench_parse(&b, stopped, strlen(stopped), 1, false), ERR_NOT_FOUND);
	assert_int_equal(parse(&b, ""), ERR_OK);
	assert_int_equal(source_bench_parse(&b, stopped, strlen(stopped), 1, false), ERR_FORMAT);
	source_bench_close(&b);
}

static void odd_values_do_not_harm(void **state)
{
	(void)state;
	struct source_bench b;
	assert_true(source_bench_open(&b, &container_source, false));
	assert_int_equal(parse(&b, CONTAINER("running", "-5", "1", "1e300", "0000-99-99T", "\\u00e9\\n\\\"", "7")), ERR_OK);
	assert_true(source_bench_has(&b, "container_state{name=\"vllm\",state=\"running\"} 1"));
	assert_null(strstr(buf_text(&b.out.page), "restarts_total"));
	assert_null(strstr(buf_text(&b.out.page), "start_time"));
	source_bench_close(&b);
}

/* What an engine of version 20.10 said to the calls that the script makes with curl. */
static void real_answers_are_read(void **state)
{
	(void)state;
	static const struct { const char *file, *lines[4]; } files[] = {
		{ "ops/docker-live/54-inspect-v3-unhealthy.http",
		  { "container_state{name=\"infer-vllm-1\",state=\"running\"} 1", "container_health{name=\"infer-vllm-1\",health=\"unhealthy\"} 1",
		    "container_start_time_seconds{name=\"infer-vllm-1\"} 1795445296.614" } },
		{ "ops/docker-live/62-inspect-badcmd.http",
		  { "container_state{name=\"badcmd\",state=\"created\"} 1", "container_restarts_total{name=\"badcmd\"} 0" } },
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct source_bench b;
		struct buf text = source_bench_sample(files[i].file);
		const char *body = strstr(text.data, "\n{");
		assert_row(files[i].file, body != NULL && source_bench_open(&b, &container_source, false));
		assert_row(files[i].file, parse(&b, body + 1) == ERR_OK);
		for (size_t k = 0; k < 4 && files[i].lines[k] != NULL; k++)
			if (strstr(buf_text(&b.out.page), files[i].lines[k]) == NULL && !source_bench_has(&b, files[i].lines[k])) {
				source_bench_print(&b);
				fail_msg("not there: %s", files[i].lines[k]);
			}
		buf_release(&text);
		source_bench_close(&b);
	}
}

/* ---- the script ---- */

#define FAKE_IDS "echo " ID "; echo 'a warning'"
#define FAKE_BODY "cat <<'END'\n" GOOD "END"

static void ask_command(bool is_busybox)
{
	struct source_bench b;
	if (!source_bench_open(&b, &container_source, is_busybox))
		skip();
	/* An old Podman: no .State.Health in its templates. */
	source_bench_tool(&b, "podman", "case $1 in\nps) " FAKE_IDS " ;;\ninspect)\n"
	                  "case \"$*\" in *.State.Health*) echo 'template: no field Health' >&2; exit 125 ;; *" ID "*) " FAKE_BODY "\n;; esac ;;\nesac");
	if (source_bench_ask(&b) != ERR_OK || !source_bench_has(&b, "container_restarts_total{name=\"vllm\"} 0")) {
		source_bench_print(&b);
		fail_msg("podman was not read");
	}
	source_bench_tool(&b, "docker", "echo 'permission denied while trying to connect' >&2; exit 1");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_non_null(strstr(b.why.text, "group 'docker'"));
	source_bench_tool(&b, "docker", "exit 0");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	assert_int_equal(b.out.page.len, 0);
	source_bench_close(&b);
}

static void ask_socket(bool is_busybox)
{
	struct source_bench b;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!source_bench_open(&b, &container_source, is_busybox))
		skip();
	assert_int_equal(source_bench_ask(&b), access("/var/run/docker.sock", F_OK) == 0 ? ERR_FORMAT : ERR_NOT_FOUND);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/docker.sock", b.folder);
	assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_non_null(strstr(b.why.text, "neither docker, podman nor curl"));
	source_bench_tool(&b, "curl", "case \"$*\" in\n*/containers/json*) echo '[{\"Id\":\"" ID "\",\"Names\":[\"/vllm\"]}]' ;;\n"
	                  "*/containers/" ID "/json) " FAKE_BODY "\n;;\nesac");
	if (source_bench_ask(&b) != ERR_OK || !source_bench_has(&b, "container_state{name=\"vllm\",state=\"running\"} 1")) {
		source_bench_print(&b);
		fail_msg("the socket was not read");
	}
	source_bench_tool(&b, "curl", "echo \"curl: (7) Couldn't connect to server\" >&2; exit 7");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_non_null(strstr(b.why.text, "does not run"));
	close(s);
	source_bench_close(&b);
}

static void dash_command(void **state) { (void)state; ask_command(false); }
static void busybox_command(void **state) { (void)state; ask_command(true); }
static void dash_socket(void **state) { (void)state; ask_socket(false); }
static void busybox_socket(void **state) { (void)state; ask_socket(true); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_container_is_told), cmocka_unit_test(changes_are_events), cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(an_engine_that_stops_is_a_failure),
		cmocka_unit_test(odd_values_do_not_harm), cmocka_unit_test(real_answers_are_read), cmocka_unit_test(dash_command),
		cmocka_unit_test(busybox_command), cmocka_unit_test(dash_socket), cmocka_unit_test(busybox_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
