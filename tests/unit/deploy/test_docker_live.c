/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver docker against a real dockerd. Skipped where there is none. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "deploy/ask.h"
#include "tests/unit/deploy/dockerd.h"
#include "tests/unit/deploy/driver_bench.h"

static struct hands_bench hands, far; /* here, and by way of a real sshd */
static struct sshd *server;
static struct dockerd docker;
static struct driver_bench bench;
static const char *absent;
static struct why  no_server = { "no sshd is there" };
static const char secret[] = "hunter2-and-more";

static int set_up(void **state)
{
	(void)state;
	hands_bench_init(&hands, NULL);
	absent = dockerd_start(&docker, &hands);
	if (absent != NULL)
		return 0;
	dockerd_make_image(&docker, "registry.example/chat:v1", "one");
	dockerd_make_image(&docker, "registry.example/chat:v2", "two");
	dockerd_make_image(&docker, "registry.example/other:v1", "three");
	if (sshd_start(&(const struct sshd_options){ .user_key = NULL }, &server, &no_server) != ERR_OK)
		server = NULL;
	if (server != NULL)
		hands_bench_init(&far, server);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dockerd_stop(&docker);
	hands_bench_release(&hands);
	if (server != NULL)
		hands_bench_release(&far);
	sshd_stop(server);
	return 0;
}

static void need_docker(void)
{
	if (absent == NULL)
		return;
	print_message("# %s\n", absent);
	skip();
}

static int begin(void **state)
{
	char script[2048];
	(void)state;
	if (absent != NULL)
		return 0;
	snprintf(script, sizeof script,
	         "for c in $(docker ps -aq); do docker rm -f $c >/dev/null; done\n"
	         "docker run -d --name chat --network none -e TOKEN=%s -e MODEL=llama --label team=search --restart always --memory 64m -v "
	         "models:/models -w /tmp --user 0:0 "
	         "registry.example/chat:v1 /bin/sh -c 'trap \"exit 0\" TERM; echo kept >/scratch/file; while :; do sleep 0.1; done' "
	         ">/dev/null",
	         secret);
	dockerd_do(&docker, script);
	return 0;
}

static void open_bench(const char *more)
{
	char options[512];
	snprintf(options, sizeof options, "container: chat\nsocket: %s\nstable: 300ms\n%s", docker.socket, more);
	driver_bench_init(&bench, driver_find("docker"), options);
	if (bench.err != ERR_OK || driver_bench_look_live(&bench, &hands) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static const char *id_of(const char *tag)
{
	for (size_t i = 0; i < bench.look.found.n_versions; i++)
		if (strcmp(bench.look.found.versions[i].tag, tag) == 0)
			return bench.look.found.versions[i].id;
	fail_msg("there is no version '%s'", tag);
	return "";
}

static void plan_to(const char *tag)
{
	if (driver_bench_plan(&bench, DEPLOY_REDEPLOY, id_of(tag)) != ERR_OK)
		fail_msg("%s", bench.why.text);
}

static void take_all(const struct steps *s)
{
	struct verdict v;
	if (!driver_bench_take_all(&bench, &hands, s, &v))
		fail_msg("%s", v.text);
}

static const char *say(const char *script) { return dockerd_do(&docker, script); }

static void assert_runs(const char *file)
{
	char script[128];
	snprintf(script, sizeof script, "docker exec chat /bin/cat /%s", file);
	say(script);
	assert_string_equal(say("docker inspect -f '{{.State.Running}}' chat"), "true");
}

/* ---- looking ---- */

static void test_what_is_found(void **state)
{
	(void)state;
	need_docker();
	open_bench("");
	const struct found *f = &bench.look.found;
	assert_int_equal(f->n_versions, 2);
	assert_true(f->is_ready && f->versions[0].is_running && !f->versions[1].is_running);
	assert_string_equal(f->versions[0].tag, "v1");
	assert_string_equal(f->versions[0].image, "registry.example/chat:v1");
	assert_string_equal(f->versions[1].tag, "v2");
	assert_true(f->versions[0].since_ms > 0);
	assert_true(driver_bench_warns(&bench, WARNING_NOTE, "TOKEN") && driver_bench_warns(&bench, WARNING_NOTE, "MODEL"));
	driver_bench_release(&bench);
}

static void assert_hides(const char *text) { assert_null(text != NULL ? strstr(text, secret) : NULL); }

static void test_no_value_of_a_variable_is_in_the_plan(void **state)
{
	(void)state;
	need_docker();
	open_bench("");
	plan_to("v2");
	const struct steps *both[] = { &bench.forward, &bench.back };
	assert_hides(bench.look.found.before);
	for (size_t w = 0; w < 2; w++)
		for (size_t i = 0; i < both[w]->n; i++) {
			assert_hides(both[w]->items[i].note);
			assert_hides(both[w]->items[i].ask.body);
			assert_hides(both[w]->items[i].ask.url);
			assert_hides(both[w]->items[i].title);
		}
	driver_bench_release(&bench);
}

/* ---- there and back ---- */

static void assert_configured(void)
{
	char want[64];
	snprintf(want, sizeof want, "TOKEN=%s", secret);
	assert_non_null(strstr(say("docker inspect -f '{{.Config.Env}}' chat"), want));
	assert_string_equal(
		say("docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.NetworkMode}}' chat"),
		"67108864 always none");
	assert_string_equal(say("docker inspect -f '{{.Config.WorkingDir}} {{.Config.User}} {{index .Config.Labels \"team\"}}' chat"),
	                    "/tmp 0:0 search");
	assert_non_null(strstr(say("docker inspect -f '{{.HostConfig.Binds}}' chat"), "models:/models"));
	assert_string_equal(say("docker exec chat /bin/cat /scratch/file"), "kept");
}

static void test_there_and_back(void **state)
{
	(void)state;
	need_docker();
	open_bench("");
	plan_to("v2");
	char old[80];
	snprintf(old, sizeof old, "%s", say("docker inspect -f '{{.Id}}' chat"));
	take_all(&bench.forward);
	assert_runs("two");
	assert_configured();
	assert_non_null(strstr(say("docker inspect -f '{{.Config.Env}}' chat"), "FROM_IMAGE=two"));
	assert_string_equal(say("docker inspect -f '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}} {{.Id}}' chat-before-run-1-here "
	                        "| cut -c 1-8"),
	                    "false no");
	take_all(&bench.back);
	assert_runs("one");
	assert_configured();
	assert_string_equal(say("docker inspect -f '{{.Id}}' chat"), old);
	assert_string_equal(say("docker inspect -f '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}' chat-failed-run-1-here"),
	                    "false no");
	driver_bench_release(&bench);
}

static void test_there_and_back_over_ssh(void **state)
{
	char options[256];
	struct verdict v;
	(void)state;
	need_docker();
	if (server == NULL || !sshd_has_shell(server)) {
		print_message("# %s\n", no_server.text);
		skip();
	}
	snprintf(options, sizeof options, "container: chat\nsocket: %s\nstable: 300ms\n", docker.socket);
	driver_bench_init(&bench, driver_find("docker"), options);
	bench.unit = hands_bench_there(&far);
	if (bench.err != ERR_OK || driver_bench_look_live(&bench, &far) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
	plan_to("v2");
	if (!driver_bench_take_all(&bench, &far, &bench.forward, &v))
		fail_msg("%s", v.text);
	assert_runs("two");
	assert_configured();
	if (!driver_bench_take_all(&bench, &far, &bench.back, &v))
		fail_msg("%s", v.text);
	assert_runs("one");
	driver_bench_release(&bench);
}

static void test_each_step_twice(void **state)
{
	struct verdict v;
	(void)state;
	need_docker();
	open_bench("");
	plan_to("v2");
	const struct steps *both[] = { &bench.forward, &bench.back };
	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i < both[w]->n; i++)
			for (int n = 0; n < 2; n++) {
				driver_bench_take(&bench, &hands, &both[w]->items[i], &v);
				if (v.kind != VERDICT_DONE)
					fail_msg("%s: %s", both[w]->items[i].title, v.text);
			}
		assert_runs(w == 0 ? "two" : "one");
	}
	driver_bench_release(&bench);
}

/* A run that ended after any of its steps, or with the next one under way, comes back to what was. */
static void test_back_from_each_step(void **state)
{
	struct verdict v;
	(void)state;
	need_docker();
	for (size_t n = 0, all = 1; n <= all; n++) {
		begin(NULL);
		open_bench("");
		plan_to("v2");
		all = bench.forward.n;
		for (size_t i = 0; i < n; i++) {
			driver_bench_take(&bench, &hands, &bench.forward.items[i], &v);
			assert_int_equal(v.kind, VERDICT_DONE);
		}
		take_all(&bench.back);
		assert_runs("one");
		assert_configured();
		driver_bench_release(&bench);
	}
}

/* ---- what goes wrong ---- */

static void test_a_program_that_is_not_in_the_image(void **state)
{
	struct verdict v;
	(void)state;
	need_docker();
	say("mkdir -p empty; echo x >empty/x; tar -C empty -c . | docker import - registry.example/chat:v3 >/dev/null");
	open_bench("");
	plan_to("v3");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "it can't be started"));
	take_all(&bench.back);
	assert_runs("one");
	driver_bench_release(&bench);
	say("docker rm -f chat-failed-run-1-here >/dev/null; docker rmi registry.example/chat:v3 >/dev/null");
}

static void test_a_name_that_somebody_else_took(void **state)
{
	struct verdict v;
	(void)state;
	need_docker();
	say("docker create --name chat-before-run-1-here --network none registry.example/chat:v1 >/dev/null");
	open_bench("");
	plan_to("v2");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "is taken"));
	take_all(&bench.back);
	assert_runs("one");
	say("docker inspect chat-before-run-1-here >/dev/null");
	driver_bench_release(&bench);
}

static void test_one_that_ends_right_after_its_start(void **state)
{
	struct verdict v;
	(void)state;
	need_docker();
	say("docker rm -f chat >/dev/null; docker run -d --name chat --network none registry.example/chat:v1 /bin/sh -c '/bin/cat /one || "
	    "exit 3; exec /bin/sleep 1000' >/dev/null");
	open_bench("stop_timeout: 1s\n");
	plan_to("v2");
	assert_false(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_non_null(strstr(v.text, "exit status 3"));
	take_all(&bench.back);
	assert_runs("one");
	driver_bench_release(&bench);
}

static void test_a_healthcheck_that_takes_its_time(void **state)
{
	struct verdict v;
	int at = 0;
	(void)state;
	need_docker();
	say("docker rm -f chat >/dev/null; docker run -d --name chat --network none --health-cmd 'test -f /tmp/up' --health-interval 1s "
	    "--health-retries 100 registry.example/chat:v1 /bin/sh -c "
	    "'trap \"exit 0\" TERM; (sleep 1; echo >/tmp/up) & while :; do sleep 0.1; done' >/dev/null");
	open_bench("");
	plan_to("v2");
	const struct step *wait = driver_bench_step(&bench.forward, "wait until");
	for (const struct step *s = bench.forward.items; s < wait; s++)
		driver_bench_take(&bench, &hands, s, &v);
	struct heard h;
	hands_bench_ask(&hands, &bench.unit, &wait->ask, &h);
	driver_bench_judge(&bench, wait, &h.answer, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	assert_non_null(strstr(v.text, "healthcheck has not passed"));
	heard_release(&h);
	driver_bench_take(&bench, &hands, wait, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	assert_string_equal(v.text, "healthy");
	assert_runs("two");
	driver_bench_release(&bench);
}

static void test_a_tag_that_moved(void **state)
{
	(void)state;
	need_docker();
	say("docker tag registry.example/chat:v1 registry.example/chat:latest; docker rm -f chat >/dev/null; "
	    "docker run -d --name chat --network none registry.example/chat:latest /bin/sh -c 'trap \"exit 0\" TERM; while :; do sleep "
	    "0.1; done' >/dev/null; "
	    "docker tag registry.example/chat:v2 registry.example/chat:latest");
	open_bench("");
	char before[80];
	snprintf(before, sizeof before, "%s", found_running(&bench.look.found)->id);
	assert_string_equal(found_running(&bench.look.found)->tag, "v1"); /* by another name that its image has */
	plan_to("latest");
	take_all(&bench.forward);
	assert_runs("two");
	driver_bench_release(&bench);
	open_bench("");
	assert_string_equal(bench.look.found.versions[1].id, before); /* the one before, by its kept container */
	assert_string_equal(bench.look.found.versions[1].cause, "ran here before, and its container is kept");
	driver_bench_release(&bench);
	say("docker rmi registry.example/chat:latest >/dev/null");
}

static void test_an_image_that_cannot_be_fetched(void **state)
{
	struct verdict v;
	(void)state;
	need_docker();
	open_bench("");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "127.0.0.1:9/chat:v9"), ERR_OK);
	driver_bench_take(&bench, &hands, &bench.forward.items[0], &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "can't be fetched"));
	assert_runs("one");
	driver_bench_release(&bench);
}

/* ---- compose ---- */

static void test_a_service_of_compose_by_the_api(void **state)
{
	(void)state;
	need_docker();
	say("docker rm -f chat >/dev/null; docker run -d --name shop-chat-1 --network none --label com.docker.compose.project=shop --label "
	    "com.docker.compose.service=chat "
	    "--label com.docker.compose.oneoff=False --label com.docker.compose.config-hash=abc --label com.docker.compose.image=sha256:0 "
	    "registry.example/chat:v1 "
	    "/bin/sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done' >/dev/null");
	char options[512];
	snprintf(options, sizeof options, "service: chat\nproject: shop\nsocket: %s\nstable: 300ms\n", docker.socket);
	driver_bench_init(&bench, driver_find("compose"), options);
	if (bench.err != ERR_OK || driver_bench_look_live(&bench, &hands) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
	assert_true(driver_bench_warns(&bench, WARNING_CARE, "behind compose's back"));
	plan_to("v2");
	take_all(&bench.forward);
	say("docker exec shop-chat-1 /bin/cat /two");
	assert_string_equal(say("docker inspect -f '{{index .Config.Labels \"com.docker.compose.config-hash\"}} {{index .Config.Labels "
	                        "\"com.docker.compose.project\"}}' shop-chat-1"),
	                    "abc shop");
	assert_string_equal(say("docker inspect -f '{{index .Config.Labels \"com.docker.compose.image\"}}' shop-chat-1"), id_of("v2"));
	take_all(&bench.back);
	say("docker exec shop-chat-1 /bin/cat /one");
	driver_bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_found, begin),
		cmocka_unit_test_setup(test_no_value_of_a_variable_is_in_the_plan, begin),
		cmocka_unit_test_setup(test_there_and_back, begin),
		cmocka_unit_test_setup(test_there_and_back_over_ssh, begin),
		cmocka_unit_test_setup(test_each_step_twice, begin),
		cmocka_unit_test_setup(test_back_from_each_step, begin),
		cmocka_unit_test_setup(test_a_program_that_is_not_in_the_image, begin),
		cmocka_unit_test_setup(test_a_name_that_somebody_else_took, begin),
		cmocka_unit_test_setup(test_one_that_ends_right_after_its_start, begin),
		cmocka_unit_test_setup(test_a_healthcheck_that_takes_its_time, begin),
		cmocka_unit_test_setup(test_a_tag_that_moved, begin),
		cmocka_unit_test_setup(test_an_image_that_cannot_be_fetched, begin),
		cmocka_unit_test_setup(test_a_service_of_compose_by_the_api, begin),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
