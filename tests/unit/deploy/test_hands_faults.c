/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers of machines, and hands, while memory runs out: an ask is whole or not made, and an errand answers once or was not begun. */
#include "tests/unit/unit.h"

#include "deploy/remote.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/deploy/driver_bench.h"
#include "tests/unit/faults.h"

/* ---- drivers ---- */

struct tried {
	const char *driver, *options, *to;
	const char *answers[4];
	struct answer shown[4];
};

static const struct tried tried[] = {
	{ "systemd", "unit: '{model}.service'\nversion_command: [ x ]\ndrain: [ [ lb, drain ] ]\nready: /health\n", "v1",
	  { "LoadState=loaded\nActiveState=active\nSubState=running\nInvocationID=a\nNeedDaemonReload=yes\n", "v1\n" }, { { 0 } } },
	{ "release-symlink", "root: /srv\nunit: a.service\ncomplete: [ m ]\nmanifest: S\nkeep: 1\n", "v2",
	  { "current releases/v1\nrelease v1\nrevision a\nrelease v2\nrelease v0\nprocess v1\nlog deployed as release v1 by ann\n",
	    "LoadState=loaded\nActiveState=active\nSubState=running\nInvocationID=a\n" }, { { 0 } } },
	{ "command", "current: [ c ]\nlist: [ l ]\napply: [ [ a, '{version}' ] ]\ncheck_ready: [ [ r ] ]\n", "v2", { "v1\n", "v2\tnew\nv1\n" }, { { 0 } } },
	{ "http", "current: { url: '{url}/c', version: v }\nlist: { url: '{url}/l', versions: a }\n"
	          "apply: { url: '{url}/x/{version}', body: '\"{version}\"', headers: { X-A: '{version}' }, check: { v: '{version}' } }\n", "v2",
	  { "{\"v\":\"v1\"}", "{\"a\":[\"v2\",\"v1\"]}" }, { { 0 } } },
	{ "triton", "unload_first: true\n", "6",
	  { "[{\"name\":\"chat\",\"version\":\"7\",\"state\":\"READY\"},{\"name\":\"chat\",\"version\":\"6\",\"state\":\"UNAVAILABLE\",\"reason\":\"x\"}]", "{\"name\":\"chat\"}" }, { { 0 } } },
	{ "torchserve", "archive: '{version}.mar'\nkeep_workers: false\n", "3",
	  { "[{\"modelVersion\":\"2\",\"maxWorkers\":1,\"workers\":[{\"status\":\"READY\"}]}]", "[{\"modelVersion\":\"2\",\"maxWorkers\":1},{\"modelVersion\":\"1\"}]" }, { { 0 } } },
	{ "tfserving", "config_file: /c\nlabel: stable\n", "42",
	  { "model_config_list { config { name: 'chat' base_path: '/m' version_labels { key: 'stable' value: 41 } } }",
	    "{\"model_version_status\":[{\"version\":\"41\",\"state\":\"AVAILABLE\",\"status\":{\"error_code\":\"OK\"}}]}", "41\n42\n" }, { { 0 } } },
	{ "vllm", "{ lora: polite, lora_path: '/a/{version}' }", "8", { "{\"data\":[{\"id\":\"polite\",\"root\":\"/a/7\"}]}", "{\"is_sleeping\":true}", "7\n8\n" }, { { 0 } } },
	{ "vllm", "restart: { driver: command, current: [ c ], list: [ l ], apply: [ [ a, '{version}' ] ], undrain: [ [ u ] ] }\n", "v2",
	  { "v1\n", "v2\tnew\nv1\n", "{\"data\":[{\"id\":\"chat\",\"root\":\"/m\"}]}", "{}" }, { { 0 } } },
};

static enum err whole(const struct ask *a)
{
	for (size_t i = 0; i < a->n_argv; i++)
		assert_non_null(a->argv[i]);
	for (size_t i = 0; i < a->n_headers; i++)
		assert_true(a->headers[i].name != NULL && a->headers[i].value != NULL);
	assert_true(a->kind != ASK_HTTP || (a->method != NULL && a->url != NULL));
	return ERR_OK;
}

static void judge_all(struct driver_bench *b, const struct steps *steps, const struct answer *answers)
{
	for (size_t i = 0; i < steps->n; i++) {
		struct arena arena;
		arena_init(&arena);
		for (size_t k = 0; k < 4; k++) {
			struct verdict v = { .kind = VERDICT_DONE };
			int at = 0;
			const struct judging j = { .deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .step = &steps->items[i], .answer = &answers[k / 2],
				                       .is_probe = k % 2 == 1, .arena = &arena, .at = &at };
			b->driver->judge(&j, &v);
		}
		arena_release(&arena);
	}
}

/* As a planner does it: what an arena has failed in is not used. */
static enum err drive(struct driver_bench *b, const struct tried *t, struct why *why)
{
	enum look_turn turn = driver_bench_look(b, NULL);
	for (size_t i = 0; turn == LOOK_ASK && !arena_failed(&b->arena) && i < 4 && t->answers[i] != NULL; i++) {
		whole(&b->look.next);
		turn = driver_bench_look(b, &t->shown[i]);
	}
	if (arena_failed(&b->arena) || turn != LOOK_DONE)
		return arena_failed(&b->arena) ? why_memory(why) : why_set(why, ERR_MEMORY, "%s", b->why.text);
	struct version to = { t->to, t->to, "", "", "", "", "", "", 0, false, false, "" };
	const struct version *there = found_by_id(&b->look.found, t->to);
	b->planning = (struct planning){ .deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .found = &b->look.found, .kind = DEPLOY_REDEPLOY,
		                             .to = there != NULL ? there : &to, .key = "k", .arena = &b->arena, .forward = &b->forward, .back = &b->back };
	enum err e = b->driver->plan(&b->planning, why);
	if (e != ERR_OK || arena_failed(&b->arena))
		return arena_failed(&b->arena) ? why_memory(why) : e;
	for (size_t i = 0; i < b->forward.n; i++)
		whole(&b->forward.items[i].ask);
	judge_all(b, &b->forward, t->shown);
	return ERR_OK;
}

static enum err driver_run(void *ctx, struct why *why)
{
	const struct tried *t = ctx;
	struct driver_bench *b;
	fault_pause();
	b = malloc(sizeof *b);
	assert_non_null(b);
	driver_bench_init(b, driver_find(t->driver), t->options);
	assert_int_equal(b->err, ERR_OK);
	b->unit.url = "http://h:1";
	fault_resume();
	enum err e = drive(b, t, why);
	fault_end();
	driver_bench_release(b);
	free(b);
	return e;
}

static void test_drivers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
		struct tried t = tried[i];
		for (size_t k = 0; k < 4 && t.answers[k] != NULL; k++)
			t.shown[k] = answered(t.answers[k][0] == '{' || t.answers[k][0] == '[' ? 200 : 0, t.answers[k]);
		fault_loop(t.driver, ERR_OK, driver_run, &t);
	}
}

/* ---- programs ---- */

static enum err program_run(void *ctx, struct why *why)
{
	const struct ask *a = ctx;
	const struct login nobody = { 0 };
	struct buf to;
	buf_init(&to, REMOTE_MAX);
	enum err e = remote_program(a, &nobody, "0123456789abcdef0123456789abcdef", 1000, &to, why);
	fault_end();
	assert_true(e != ERR_OK || strstr(buf_text(&to), "end \"$?\"\n") != NULL);
	buf_release(&to);
	return e;
}

static void test_programs(void **state)
{
	static const char *const words[] = { "a", "b" };
	static struct ask asks[] = {
		{ .kind = ASK_RUN, .argv = words, .n_argv = 2, .input = "x" },
		{ .kind = ASK_PUT, .path = "/x", .body = "y" },
		{ .kind = ASK_HTTP, .method = "POST", .url = "http://h/", .headers = { { "A", "b" } }, .n_headers = 1, .body = "z" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
		fault_loop("a program", ERR_OK, program_run, &asks[i]);
}

/* ---- errands ---- */

struct counted {
	int      n;
	enum err err;
};

static void on_answer(void *ctx, const struct answer *a)
{
	struct counted *c = ctx;
	c->n++;
	c->err = a->err;
}

static bool has_answered(const void *what) { return ((const struct counted *)what)->n > 0; }

static enum err errand_run(void *ctx, struct why *why)
{
	struct hands_bench b;
	struct counted c = { 0 };
	struct errand *e = NULL;
	struct unit here = hands_bench_here();
	static const char *const words[] = { "echo", "x" };
	const struct ask a = { .kind = ASK_RUN, .argv = words, .n_argv = 2 };
	(void)ctx;
	fault_pause();
	hands_bench_init(&b, NULL);
	fault_resume();
	enum err err = hands_ask(b.hands, &hands_bench_deploy, NULL, &here, &a, on_answer, &c, &e, why);
	if (err == ERR_OK) {
		loop_turn_until(b.loop, has_answered, &c, "an answer");
		assert_int_equal(c.n, 1);
		err = c.err == ERR_OK ? ERR_OK : why_set(why, ERR_MEMORY, "no answer for want of memory");
	}
	fault_end();
	hands_bench_release(&b);
	return err;
}

static void test_errands(void **state)
{
	(void)state;
	fault_loop_some("an errand", ERR_OK, errand_run, NULL, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_errands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
