/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver ray while memory runs out: a look, a plan and the request are whole or none. A list that lacks an application would delete it. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "tests/unit/deploy/driver_bench.h"
#include "tests/unit/faults.h"

static const char options[] = "{ url: 'http://head:8265', model_name: m, version_at: /deployments/D/user_config/version, value: 'x-{version}' }";
static const char list[] =
	"{\"deploy_mode\":\"MULTI_APP\",\"http_options\":{\"port\":8000},\"applications\":{"
	"\"o\":{\"status\":\"RUNNING\",\"last_deployed_time_s\":1.5,\"deployed_app_config\":{\"name\":\"o\",\"args\":{\"t\":1.0,\"k\":\"secret\"}},\"deployments\":{\"O\":{\"status\":\"HEALTHY\"}}},"
	"\"m\":{\"status\":\"RUNNING\",\"last_deployed_time_s\":2,\"deployed_app_config\":{\"name\":\"m\",\"deployments\":[{\"name\":\"D\",\"user_config\":{\"version\":\"x-1\"}}]},"
	"\"deployments\":{\"D\":{\"status\":\"HEALTHY\"}}}}}";

static struct buf want;

static void print(const struct driver_bench *b, const char *body, struct buf *to)
{
	buf_printf(to, "%s\n%s\n", b->look.found.before, body);
	for (size_t i = 0; i < b->forward.n + b->back.n; i++) {
		const struct step *s = i < b->forward.n ? &b->forward.items[i] : &b->back.items[i - b->forward.n];
		buf_printf(to, "%s %s\n", s->title, s->note);
		ask_print(&s->ask, 1 << 16, to);
		ask_print(&s->shown, 1 << 16, to);
	}
}

static enum err look(struct driver_bench *b)
{
	const struct answer a = answered(200, list);
	return driver_bench_look_all(b, &a, 1) == LOOK_DONE ? ERR_OK : ERR_MEMORY;
}

static enum err plan(struct driver_bench *b)
{
	static const struct version to = { "2", "2", "", "", "", "", "", "", 0, false, false, "" };
	b->planning = (struct planning){ .deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .found = &b->look.found, .kind = DEPLOY_REDEPLOY, .to = &to, .key = "run-1",
		                         .now_ms = 1, .arena = &b->arena, .forward = &b->forward, .back = &b->back };
	return b->driver->plan(&b->planning, &b->why);
}

/* The request that replaces the list. */
static enum err change(struct driver_bench *b, const char **body)
{
	const struct answer a = answered(200, list);
	struct verdict v;
	int at = 0;
	driver_bench_judge(b, &b->forward.items[0], &a, false, 0, &at, &v);
	if (v.kind == VERDICT_FAILED)
		return why_set(&b->why, ERR_MEMORY, "%.100s", v.text);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	assert_string_equal(v.next.method, "PUT");
	*body = v.next.body;
	return ERR_OK;
}

static enum err all_of_it(void *ctx, struct why *sentence)
{
	static struct driver_bench b;
	const char *body = "";
	struct buf got;
	(void)ctx;
	fault_pause();
	driver_bench_init(&b, driver_find("ray"), options);
	fault_resume();
	b.why.text[0] = '\0';
	enum err e = look(&b);
	e = e == ERR_OK ? plan(&b) : e;
	e = e == ERR_OK ? change(&b, &body) : e;
	fault_end();
	*sentence = b.why;
	if (e != ERR_OK && b.why.text[0] == '\0')
		fail_msg("%s: fails without a sentence", fault_label());
	if (e == ERR_OK) {
		buf_init(&got, 1 << 20);
		print(&b, body, &got);
		if (want.len == 0)
			buf_puts(&want, buf_text(&got));
		fault_same(buf_text(&got), buf_text(&want));
		buf_release(&got);
	}
	driver_bench_release(&b);
	return e;
}

static void test_all_of_it(void **state)
{
	struct why why;
	(void)state;
	buf_init(&want, 1 << 20);
	fault_pause();
	assert_int_equal(all_of_it(NULL, &why), ERR_OK);
	fault_resume();
	assert_non_null(strstr(buf_text(&want), "[{\"name\":\"o\",\"args\":{\"t\":1.0,\"k\":\"secret\"}},{\"name\":\"m\",\"deployments\":[{\"name\":\"D\",\"user_config\":{\"version\":\"x-2\"}}]}]"));
	fault_loop("ray", ERR_OK, all_of_it, NULL);
	buf_release(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_of_it) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
