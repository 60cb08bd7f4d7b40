/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers docker and compose: the steps, and what answers to them mean. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/docker_bench.h"

/* ---- the steps ---- */

static void test_the_steps(void **state)
{
	static const struct {
		const char *label, *options, *host, *version, *forward, *back;
	} rows[] = {
		{ "plain", OPTIONS, HOST, IMAGE_2,
		  "create chat-pitwall-" KEY " of image reg.example/chat|stop the old one|rename the old one to chat-before-" KEY
		  "|rename the new one to chat|start chat|wait until it is healthy|",
		  "stop what this run made|rename what this run made to chat-failed-" KEY
		  "|rename the old one to chat|start the old one|wait until it is healthy|" },
		{ "one that the engine starts again by itself", OPTIONS,
		  "\"NetworkMode\":\"front\",\"RestartPolicy\":{\"Name\":\"always\"}", IMAGE_2,
		  "create chat-pitwall-" KEY
		  " of image reg.example/chat|stop the old one|keep the old one down|rename the old one to chat-before-" KEY
		  "|rename the new one to chat|start chat|"
		  "wait until it is healthy|",
		  "stop what this run made|keep what this run made down|rename what this run made to chat-failed-" KEY
		  "|rename the old one to chat|give the old one its restart policy again|"
		  "start the old one|wait until it is healthy|" },
		{ "an image that is fetched", OPTIONS, HOST, "v9",
		  "fetch image reg.example/chat|look whether the image is there|create chat-pitwall-" KEY
		  " of image reg.example/chat|stop the old one|rename the old one to chat-before-" KEY "|"
		  "rename the new one to chat|start chat|wait until it is healthy|",
		  "stop what this run made|rename what this run made to chat-failed-" KEY
		  "|rename the old one to chat|start the old one|wait until it is healthy|" },
		{ "what stands around it", OPTIONS "drain: [[lb, out]]\nundrain: [[lb, in]]\nready: \"http://127.0.0.1:8000/health\"\n",
		  HOST, "v2",
		  "create chat-pitwall-" KEY " of image reg.example/chat|drain|stop the old one|rename the old one to chat-before-" KEY
		  "|rename the new one to chat|start chat|wait until it is healthy|"
		  "wait until it serves|undrain|",
		  "stop what this run made|rename what this run made to chat-failed-" KEY
		  "|rename the old one to chat|start the old one|wait until it is healthy|wait until it serves|undrain|" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_with("docker", rows[i].options);
		assert_row(rows[i].label, look_at(ENGINE, LIST, old_with(CONFIG, rows[i].host, ""), IMAGE, IMAGES) == LOOK_DONE);
		assert_row(rows[i].label, driver_bench_plan(&bench, DEPLOY_REDEPLOY, rows[i].version) == ERR_OK);
		if (strcmp(titles_of(&bench.forward), rows[i].forward) != 0)
			fail_msg("%s: %s", rows[i].label, titles_of(&bench.forward));
		if (strcmp(titles_of(&bench.back), rows[i].back) != 0)
			fail_msg("%s: %s", rows[i].label, titles_of(&bench.back));
		for (size_t k = 0; k < bench.forward.n; k++)
			assert_row(bench.forward.items[k].title, bench.forward.items[k].is_repeatable);
		driver_bench_release(&bench);
	}
}

static void test_what_is_fetched(void **state)
{
	static const struct {
		const char *label, *options, *version, *config, *want; /* "" nothing; the URL or the words */
		enum deploy_kind kind;
	} rows[] = {
		{ "what is there", "", "v2", CONFIG, "", DEPLOY_REDEPLOY },
		{ "what is not there", "", "v9", CONFIG, "http://localhost/v1.41/images/create?fromImage=reg.example%2Fchat&tag=v9",
		  DEPLOY_REDEPLOY },
		{ "a whole name", "", "other.example:5000/chat", CONFIG,
		  "http://localhost/v1.41/images/create?fromImage=other.example%3A5000%2Fchat&tag=latest", DEPLOY_REDEPLOY },
		{ "by digest", "", "reg.example/chat@sha256:" HEX("e"), CONFIG,
		  "http://localhost/v1.41/images/create?fromImage=reg.example%2Fchat&tag=sha256%3A" HEX("e"), DEPLOY_REDEPLOY },
		{ "always, what runs", "pull: always\n", IMAGE_1, CONFIG,
		  "http://localhost/v1.41/images/create?fromImage=reg.example%2Fchat&tag=v1", DEPLOY_REDEPLOY },
		{ "always, another", "pull: always\n", IMAGE_2, CONFIG, "", DEPLOY_REDEPLOY },
		{ "always, but back: a tag may mean anything by now", "pull: always\n", IMAGE_1, CONFIG, "", DEPLOY_ROLLBACK },
		{ "always, pinned by digest", "pull: always\n", IMAGE_1, "\"Image\":\"reg.example/chat@sha256:" HEX("d") "\"", "",
		  DEPLOY_REDEPLOY },
		{ "by a command", "pull_command: [docker, pull, \"{image}\"]\n", "v9", CONFIG, "docker pull reg.example/chat:v9",
		  DEPLOY_REDEPLOY },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char options[256];
		snprintf(options, sizeof options, "%s%s", OPTIONS, rows[i].options);
		open_with("docker", options);
		assert_row(rows[i].label, look_at(ENGINE, LIST, old_with(rows[i].config, HOST, ""), IMAGE, IMAGES) == LOOK_DONE);
		if (driver_bench_plan(&bench, rows[i].kind, rows[i].version) != ERR_OK)
			fail_msg("%s: %s", rows[i].label, bench.why.text);
		const struct step *first = &bench.forward.items[0];
		bool fetches = strncmp(first->title, "fetch", 5) == 0;
		const char *got = !fetches ? "" : first->ask.kind == ASK_RUN ? driver_bench_words(&bench, &first->ask) : first->ask.url;
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: '%s'", rows[i].label, got);
		driver_bench_release(&bench);
	}
}

static void test_what_never_is_fetched(void **state)
{
	(void)state;
	open_with("docker", OPTIONS "pull: never\n");
	assert_int_equal(look_at(ENGINE, LIST, old_with(CONFIG, HOST, ""), IMAGE, IMAGES), LOOK_DONE);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v9"), ERR_UNSUPPORTED);
	assert_non_null(strstr(bench.why.text, "'pull' is never"));
}

static void test_how_long_a_stop_may_take(void **state)
{
	static const struct {
		const char *label, *options, *config, *want;
		int64_t     at_least_ms;
	} rows[] = {
		{ "the engine's own", OPTIONS, CONFIG, "stop?t=10", 10000 },
		{ "the container's", OPTIONS, CONFIG ",\"StopTimeout\":45", "stop?t=45", 45000 },
		{ "without end", OPTIONS, CONFIG ",\"StopTimeout\":-1", "stop?t=3600", 3600000 },
		{ "the file's", OPTIONS "stop_timeout: 90s\n", CONFIG ",\"StopTimeout\":45", "stop?t=90", 90000 },
		{ "less than a second", OPTIONS "stop_timeout: 300ms\n", CONFIG, "stop?t=1", 1000 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_planned(rows[i].options, ENGINE, rows[i].config, HOST, "");
		const struct step *s = driver_bench_step(&bench.forward, "stop");
		assert_row(rows[i].label, strstr(s->ask.url, rows[i].want) != NULL);
		assert_row(rows[i].label, s->ask.timeout_ms > rows[i].at_least_ms && s->deadline_ms > s->ask.timeout_ms);
		driver_bench_release(&bench);
	}
}

/* What earlier runs put aside is removed, but for what `keep` leaves; its volumes stay. */
static void test_what_is_removed(void **state)
{
	static const char list[] = "[" ENTRY(OLD, "chat", IMAGE_1, "running", "\"io.pitwall.run\":\"k2\"") "," ENTRY(
		KEPT, "chat-before-k2", IMAGE_2, "exited",
		"\"io.pitwall.run\":\"k1\"") "," ENTRY(NEW, "chat-failed-k3", IMAGE_3, "exited",
	                                               "\"io.pitwall.run\":\"k3\"") "," ENTRY(HEX("e"), "chat-before-lunch", IMAGE_3,
	                                                                                      "exited", "") "]";
	static const struct {
		const char *options;
		int         n;
	} rows[] = { { "keep: 1\n", 2 }, { "keep: 2\n", 1 }, { "keep: 3\n", 0 } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char options[256];
		int n = 0;
		snprintf(options, sizeof options, "%s%s", OPTIONS, rows[i].options);
		open_with("docker", options);
		assert_int_equal(look_at(ENGINE, list, old_with(CONFIG, HOST, ""), IMAGE, IMAGES), LOOK_DONE);
		assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, IMAGE_2), ERR_OK);
		for (size_t k = 0; k < bench.forward.n; k++) {
			const struct step *s = &bench.forward.items[k];
			if (strcmp(s->ask.method, "DELETE") != 0)
				continue;
			n++;
			assert_non_null(strstr(s->ask.url, "force=false&v=false"));
			assert_null(strstr(s->ask.url, HEX("e")));
		}
		assert_int_equal(n, rows[i].n);
		driver_bench_release(&bench);
	}
}

/* ---- what answers mean ---- */

static void test_what_answers_mean(void **state)
{
	static const struct {
		const char       *label, *step;
		int               status;
		const char       *text;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "stopped", "stop", 204, "", VERDICT_DONE, "stopped" },
		{ "stopped already", "stop", 304, "", VERDICT_DONE, "already" },
		{ "gone before it was stopped", "stop", 404, MESSAGE("No such container: x"), VERDICT_FAILED, "No such container" },
		{ "started", "start chat", 204, "", VERDICT_DONE, "started" },
		{ "started already", "start chat", 304, "", VERDICT_DONE, "already" },
		{ "no such program", "start chat", 400, MESSAGE("OCI runtime create failed: exec: no such file"), VERDICT_FAILED,
		  "OCI runtime create failed" },
		{ "the port is bound already", "start chat", 500,
		  MESSAGE("driver failed programming external connectivity: Bind for 0.0.0.0:8000 failed: port is already allocated"),
		  VERDICT_FAILED, "port is already allocated" },
		{ "no text at all", "start chat", 500, "", VERDICT_FAILED, "status 500" },
		{ "an escape in the text", "start chat", 500, MESSAGE("a\\u001b[2Jb"), VERDICT_FAILED, "\xe2\x90\x9b[2Jb" },
		{ "renamed, running or not", "rename the old", 204, "", VERDICT_DONE, "renamed" },
		{ "the image can't be had", "fetch", 404, MESSAGE("pull access denied"), VERDICT_FAILED, "pull access denied" },
		{ "it failed on the way, with status 200", "fetch", 200,
		  "{\"status\":\"Pulling\"}\n{\"errorDetail\":{\"message\":\"x\"},\"error\":\"manifest unknown\"}\n", VERDICT_FAILED,
		  "manifest unknown" },
		{ "it was fetched", "fetch", 200, "{\"status\":\"Pulling\"}\n{\"status\":\"Status: Downloaded newer image\"}\n",
		  VERDICT_DONE, "fetched" },
		{ "it is not there after all", "look whether", 404, MESSAGE("No such image"), VERDICT_FAILED, "No such image" },
	};
	(void)state;
	open_with("docker", OPTIONS);
	assert_int_equal(look_at(ENGINE, LIST, old_with(CONFIG, HOST, ""), IMAGE, IMAGES), LOOK_DONE);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v9"), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].text);
		struct verdict v;
		judge_all(driver_bench_step(&bench.forward, rows[i].step), &a, 1, 0, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, (int)v.kind, v.text);
	}
}

static void test_creating(void **state)
{
	struct verdict v;
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, "");
	const struct step *s = driver_bench_step(&bench.forward, "create");
	const char *temp = "chat-pitwall-" KEY;
	const struct {
		const char       *label;
		struct answer     answers[3];
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "created",
		  { answered(200, old_with(CONFIG, HOST, "")), answered(201, "{\"Id\":\"" NEW "\"}"),
		    answered(200, new_with(temp, IMAGE_2, RUNNING, KEY)) },
		  VERDICT_DONE,
		  "created bbbbbbbbbbbb" },
		{ "by the request whose answer was lost",
		  { answered(200, old_with(CONFIG, HOST, "")), answered(409, MESSAGE("Conflict")),
		    answered(200, new_with(temp, IMAGE_2, RUNNING, KEY)) },
		  VERDICT_DONE,
		  "created" },
		{ "the name is somebody else's",
		  { answered(200, old_with(CONFIG, HOST, "")), answered(409, MESSAGE("Conflict")),
		    answered(200, new_with(temp, IMAGE_2, RUNNING, "k9")) },
		  VERDICT_FAILED,
		  "taken by a container that this run did not make" },
		{ "the tag moved meanwhile",
		  { answered(200, old_with(CONFIG, HOST, "")), answered(201, "{}"), answered(200, new_with(temp, IMAGE_3, RUNNING, KEY)) },
		  VERDICT_FAILED,
		  "means another image by now" },
		{ "the image is gone",
		  { answered(200, old_with(CONFIG, HOST, "")), answered(404, MESSAGE("No such image: reg.example/chat:v2")),
		    answered(0, "") },
		  VERDICT_FAILED,
		  "No such image" },
		{ "an option that it does not take",
		  { answered(200, old_with(CONFIG, HOST, "")), answered(400, MESSAGE("invalid mount")), answered(0, "") },
		  VERDICT_FAILED,
		  "invalid mount" },
		{ "the old one is gone",
		  { answered(404, MESSAGE("No such container")), answered(0, ""), answered(0, "") },
		  VERDICT_FAILED,
		  "the container is gone" },
		{ "another was told of",
		  { answered(200, new_with("chat", IMAGE_1, RUNNING, "")), answered(0, ""), answered(0, "") },
		  VERDICT_FAILED,
		  "another container" },
		{ "nonsense", { answered(200, "{\"Id\":7}"), answered(0, ""), answered(0, "") }, VERDICT_FAILED, "not known" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		judge_all(s, rows[i].answers, 3, 0, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, (int)v.kind, v.text);
		assert_hides(v.text);
	}
}

static void test_renaming(void **state)
{
	struct verdict v;
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, "");
	const char *aside = "chat-before-" KEY;
	const struct {
		const char       *label, *step;
		struct answer     answers[2];
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "the old one, a second time",
		  "rename the old",
		  { answered(400, MESSAGE("same name")), answered(200, inspect_of(OLD, aside, IMAGE_1, RUNNING, CONFIG, HOST, "")) },
		  VERDICT_DONE,
		  "already" },
		{ "the old one, to a name that is taken",
		  "rename the old",
		  { answered(409, MESSAGE("Conflict")), answered(200, old_with(CONFIG, HOST, "")) },
		  VERDICT_FAILED,
		  "it is called chat" },
		{ "the old one is gone",
		  "rename the old",
		  { answered(404, MESSAGE("No such container")), answered(404, MESSAGE("No such container")) },
		  VERDICT_FAILED,
		  "the container is gone" },
		{ "the new one, a second time",
		  "rename the new",
		  { answered(404, MESSAGE("No such container")), answered(200, new_with("chat", IMAGE_2, RUNNING, KEY)) },
		  VERDICT_DONE,
		  "already" },
		{ "the new one, to a name that is taken",
		  "rename the new",
		  { answered(409, MESSAGE("Conflict")), answered(200, new_with("chat", IMAGE_2, RUNNING, "k9")) },
		  VERDICT_FAILED,
		  "did not make, bbbbbbbbbbbb" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		judge_all(driver_bench_step(&bench.forward, rows[i].step), rows[i].answers, 2, 0, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, (int)v.kind, v.text);
	}
}

static void test_waiting(void **state)
{
	static const struct {
		const char       *label, *states[2]; /* one after the other */
		int64_t           after_ms;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "healthy", { RUNNING ",\"Health\":{\"Status\":\"healthy\"}" }, 0, VERDICT_DONE, "healthy" },
		{ "the healthcheck has not passed yet",
		  { RUNNING ",\"Health\":{\"Status\":\"starting\",\"Log\":[{\"Output\":\"loading shard 3\"}]}" },
		  60000,
		  VERDICT_AGAIN,
		  "loading shard 3" },
		{ "it loads for longer than its start period",
		  { RUNNING ",\"Health\":{\"Status\":\"unhealthy\"}" },
		  60000,
		  VERDICT_AGAIN,
		  "unhealthy" },
		{ "a health that nobody knows",
		  { RUNNING ",\"Health\":{\"Status\":\"\\u001b[2J\"}" },
		  60000,
		  VERDICT_AGAIN,
		  "no known state" },
		{ "no healthcheck, just started", { RUNNING }, 1000, VERDICT_AGAIN, "it runs" },
		{ "no healthcheck, for a while", { RUNNING }, 5000, VERDICT_DONE, "for a while" },
		{ "a healthcheck that is switched off",
		  { RUNNING ",\"Health\":{\"Status\":\"none\"}" },
		  5000,
		  VERDICT_DONE,
		  "for a while" },
		{ "it ended right after its start",
		  { "\"Status\":\"exited\",\"Running\":false,\"ExitCode\":3" },
		  0,
		  VERDICT_FAILED,
		  "exit status 3" },
		{ "killed for want of memory",
		  { "\"Status\":\"exited\",\"Running\":false,\"ExitCode\":137,\"OOMKilled\":true" },
		  0,
		  VERDICT_FAILED,
		  "killed for want of memory" },
		{ "it never came up",
		  { "\"Status\":\"created\",\"Running\":false,\"ExitCode\":127,\"Error\":\"no such file\"" },
		  0,
		  VERDICT_FAILED,
		  "no such file" },
		{ "started again and again",
		  { "\"Status\":\"restarting\",\"Running\":true,\"Pid\":0,\"ExitCode\":1" },
		  0,
		  VERDICT_FAILED,
		  "does not stay up" },
		{ "another process than before",
		  { RUNNING, "\"Status\":\"running\",\"Running\":true,\"Pid\":78" },
		  1000,
		  VERDICT_FAILED,
		  "started again" },
		{ "paused", { "\"Status\":\"paused\",\"Running\":true,\"Pid\":77" }, 60000, VERDICT_AGAIN, "paused" },
	};
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, "");
	const struct step *s = driver_bench_step(&bench.forward, "wait until");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer answers[2] = { { .err = ERR_OK } };
		size_t n = 0;
		struct verdict v;
		for (; n < 2 && rows[i].states[n] != NULL; n++)
			answers[n] = answered(200, new_with("chat", IMAGE_2, rows[i].states[n], KEY));
		judge_all(s, answers, n, rows[i].after_ms, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, (int)v.kind, v.text);
	}
	struct verdict v;
	const struct answer other = answered(200, new_with("chat", IMAGE_2, RUNNING, "k9")),
			    image = answered(200, new_with("chat", IMAGE_3, RUNNING, KEY)), gone = answered(404, MESSAGE("gone"));
	judge_all(s, &other, 1, 60000, &v);
	assert_true(v.kind == VERDICT_FAILED && strstr(v.text, "taken the name") != NULL);
	judge_all(s, &image, 1, 60000, &v);
	assert_true(v.kind == VERDICT_FAILED && strstr(v.text, "another image") != NULL);
	judge_all(s, &gone, 1, 60000, &v);
	assert_true(v.kind == VERDICT_FAILED && strstr(v.text, "is gone") != NULL);
}

/* What the run made is found by its label, wherever it stands. */
static void test_the_way_back(void **state)
{
	static const char made[] = "[" ENTRY(NEW, "chat", IMAGE_2, "running", "\"io.pitwall.run\":\"" KEY "\"") "]";
	static const char aside[] = "[" ENTRY(NEW, "chat-failed-" KEY, IMAGE_2, "exited", "\"io.pitwall.run\":\"" KEY "\"") "]";
	static const char others[] =
		"[" ENTRY(OLD, "chat", IMAGE_1, "running", "\"io.pitwall.run\":\"k9\"") "]"; /* a filter that was not heeded */
	static const char two[] = "[" ENTRY(NEW, "a", IMAGE_2, "running", "\"io.pitwall.run\":\"" KEY "\"") "," ENTRY(
		KEPT, "b", IMAGE_2, "running", "\"io.pitwall.run\":\"" KEY "\"") "]";
	static const struct {
		const char       *label, *step, *list;
		int               status;
		enum verdict_kind kind;
		const char       *says, *url; /* what is asked for in between; "" nothing */
	} rows[] = {
		{ "stopped", "stop what", made, 204, VERDICT_DONE, "stopped", "/containers/" NEW "/stop?t=10" },
		{ "stopped already", "stop what", made, 304, VERDICT_DONE, "stopped", "/stop" },
		{ "gone in between", "stop what", made, 404, VERDICT_DONE, "stopped", "/stop" },
		{ "it can't be", "stop what", made, 500, VERDICT_FAILED, "can't be stopped", "/stop" },
		{ "none was made", "stop what", "[]", 0, VERDICT_DONE, "made none", "" },
		{ "others are never touched", "stop what", others, 0, VERDICT_DONE, "made none", "" },
		{ "two of them", "stop what", two, 0, VERDICT_FAILED, "more than one container has the label", "" },
		{ "no list", "stop what", "{}", 0, VERDICT_FAILED, "does not tell its containers", "" },
		{ "put aside", "rename what", made, 204, VERDICT_DONE, "renamed", "/containers/" NEW "/rename?name=chat-failed-" KEY },
		{ "put aside already", "rename what", aside, 0, VERDICT_DONE, "already", "" },
	};
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, "");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer first = answered(200, rows[i].list),
				    second = answered(rows[i].status, rows[i].status < 400 ? "" : MESSAGE("no"));
		const struct step *s = driver_bench_step(&bench.back, rows[i].step);
		struct verdict v;
		int at = 0;
		assert_non_null(strstr(s->ask.url, "filters=%7B%22label%22%3A%5B%22io.pitwall.run%3D" KEY "%22%5D%7D"));
		driver_bench_judge(&bench, s, &first, false, 0, &at, &v);
		assert_row(rows[i].label, (v.kind == VERDICT_AGAIN) == (rows[i].url[0] != '\0'));
		if (v.kind == VERDICT_AGAIN) {
			assert_row(rows[i].label, strstr(v.next.url, rows[i].url) != NULL);
			driver_bench_judge(&bench, s, &second, false, 0, &at, &v);
		}
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, (int)v.kind, v.text);
	}
}

/* Nothing is known of what was sent: all may be sent again. */
static void test_no_answer(void **state)
{
	const struct answer lost = { .err = ERR_NETWORK, .why = "the connection was cut", .was_sent = true, .text = "" };
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, "");
	const struct steps *both[] = { &bench.forward, &bench.back };
	for (size_t w = 0; w < 2; w++)
		for (size_t i = 0; i < both[w]->n; i++) {
			struct verdict v;
			judge_all(&both[w]->items[i], &lost, 1, 0, &v);
			assert_row(both[w]->items[i].title, v.kind == VERDICT_AGAIN && strstr(v.text, "was cut") != NULL);
		}
}

static void test_being_connected_already(void **state)
{
	struct verdict v;
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, NETWORKS(BACK));
	const struct step *s = driver_bench_step(&bench.forward, "connect");
	const struct answer answers[] = { answered(403, MESSAGE("endpoint with name chat already exists in network back")),
		                          answered(200, inspect_of(NEW, "chat-pitwall-" KEY, IMAGE_2, RUNNING, CONFIG, HOST, NETWORKS(BACK))) };
	judge_all(s, answers, 2, 0, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	const struct answer refused[] = { answers[0], answered(200, inspect_of(NEW, "chat-pitwall-" KEY, IMAGE_2, RUNNING, CONFIG, HOST,
		                                                               NETWORKS(""))) };
	judge_all(s, refused, 2, 0, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
}

/* ---- compose ---- */

#define SERVICE "\"com.docker.compose.service\":\"chat\",\"com.docker.compose.project\":\"shop\",\"com.docker.compose.oneoff\":\"False\""
#define ONE_OFF "\"com.docker.compose.service\":\"chat\",\"com.docker.compose.project\":\"shop\",\"com.docker.compose.oneoff\":\"True\""
#define SERVICES "[" ENTRY(OLD, "chat", IMAGE_1, "running", SERVICE) "," ENTRY(NEW, "shop-chat-run-1", IMAGE_1, "running", ONE_OFF) "]"

static void open_compose(const char *options, const char *images)
{
	open_with("compose", options);
	if (look_at(ENGINE, SERVICES, old_with(CONFIG ",\"Labels\":{" SERVICE "}", HOST, ""), IMAGE, images) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void test_compose_itself(void **state)
{
	static const char up[] = "env TAG=v2 docker --host unix:///run/d.sock compose --project-directory /srv/chat --file a.yml "
	                         "--project-name shop up --detach --no-deps --pull missing --no-build chat";
	(void)state;
	open_compose("service: chat\nproject: shop\nsocket: /run/d.sock\nvia: cli\ndirectory: /srv/chat\nfiles: [a.yml]\nvariable: TAG\n",
	             IMAGES);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, IMAGE_2), ERR_OK);
	assert_string_equal(driver_bench_words(&bench, &bench.forward.items[0].ask), up);
	assert_string_equal(titles_of(&bench.forward), "compose up chat with tag v2|wait until it is healthy|");
	assert_string_equal(titles_of(&bench.back), "compose up chat with tag v1|wait until it is healthy|");
	const struct answer other = answered(200, inspect_of(NEW, "chat", IMAGE_1, RUNNING, CONFIG, HOST, ""));
	struct verdict v;
	judge_all(&bench.forward.items[1], &other, 1, 60000, &v); /* the file does not use the variable */
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "another image"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, IMAGE_1), ERR_OK);
	assert_non_null(strstr(driver_bench_words(&bench, &bench.forward.items[0].ask), "TAG=v1 docker"));
	assert_non_null(strstr(driver_bench_words(&bench, &bench.forward.items[0].ask), "--force-recreate chat"));
}

static void test_what_compose_cannot(void **state)
{
	static const struct {
		const char *label, *variable, *images, *version, *says;
	} rows[] = {
		{ "no variable", "", IMAGES, IMAGE_2, "'variable'" },
		{ "a tag that would be an option", "variable: TAG\n", IMAGES, "-x", "no tag" },
		{ "a tag with a blank", "variable: TAG\n", IMAGES, "v 9", "no tag" },
		{ "a tag with a variable in it", "variable: TAG\n", IMAGES, "$(id)", "no tag" },
		{ "a whole name", "variable: TAG\n", IMAGES, "other/chat:v9", "no tag" },
		{ "an image without one", "variable: TAG\n",
		  "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example/chat:v1\"]},{\"Id\":\"" IMAGE_2
		  "\",\"RepoDigests\":[\"reg.example/chat@sha256:" HEX("e") "\"]}]",
		  IMAGE_2, "no tag" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char options[256];
		snprintf(options, sizeof options, "service: chat\nsocket: /run/d.sock\nvia: cli\ndirectory: /srv/chat\n%s", rows[i].variable);
		open_compose(options, rows[i].images);
		bool is_refused = driver_bench_plan(&bench, DEPLOY_REDEPLOY, rows[i].version) == ERR_UNSUPPORTED;
		if (!is_refused || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, is_refused ? bench.why.text : "planned");
		driver_bench_release(&bench);
	}
}

static void test_compose_without_a_way_back(void **state)
{
	(void)state;
	open_compose("service: chat\nsocket: /run/d.sock\nvia: cli\ndirectory: /srv/chat\nvariable: TAG\n",
	             "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":null},{\"Id\":\"" IMAGE_2
	             "\",\"RepoTags\":[\"reg.example/chat:v1\"]}]"); /* its tag moved */
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, IMAGE_2), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_SERIOUS, "compose can't go back"));
	assert_int_equal(bench.back.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_steps),
		cmocka_unit_test(test_what_is_fetched),
		cmocka_unit_test_teardown(test_what_never_is_fetched, close_bench),
		cmocka_unit_test(test_how_long_a_stop_may_take),
		cmocka_unit_test(test_what_is_removed),
		cmocka_unit_test_teardown(test_what_answers_mean, close_bench),
		cmocka_unit_test_teardown(test_creating, close_bench),
		cmocka_unit_test_teardown(test_renaming, close_bench),
		cmocka_unit_test_teardown(test_waiting, close_bench),
		cmocka_unit_test_teardown(test_the_way_back, close_bench),
		cmocka_unit_test_teardown(test_no_answer, close_bench),
		cmocka_unit_test_teardown(test_being_connected_already, close_bench),
		cmocka_unit_test_teardown(test_compose_itself, close_bench),
		cmocka_unit_test(test_what_compose_cannot),
		cmocka_unit_test_teardown(test_compose_without_a_way_back, close_bench),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
