/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans while memory runs out: made, written, read and printed whole, or not at all. */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/plan_maker.h"
#include "tests/unit/faults.h"

static struct maker m;
static struct buf want_json, want_text;
static struct why why;

static enum err steps(struct deploy_plan **p, struct deploy_plan **back, struct buf *json, struct buf *text, struct why *w)
{
	enum err e = planner_make(&m.arena, &m.in, p, w);
	if (e == ERR_OK)
		e = plan_write(*p, json);
	if (e == ERR_OK)
		e = plan_read(&m.arena, buf_text(json), json->len, back, w);
	if (e == ERR_OK)
		e = plan_print(*back, text);
	if (e != ERR_OK && w->text[0] == '\0')
		why_set(w, e, "%s", err_text(e));
	return e;
}

static enum err run(void *ctx, struct why *w)
{
	struct deploy_plan *p = NULL, *back = NULL;
	struct buf json, text;
	(void)ctx;
	arena_init(&m.arena);
	buf_init(&json, PLAN_BYTES_MAX);
	buf_init(&text, PLAN_BYTES_MAX);
	enum err e = steps(&p, &back, &json, &text, w);
	fault_end();
	if (e == ERR_OK) {
		fault_same(buf_text(&json), buf_text(&want_json));
		fault_same(buf_text(&text), buf_text(&want_text));
	}
	buf_release(&json);
	buf_release(&text);
	arena_release(&m.arena);
	return e;
}

static void a_plan_is_whole_or_none(void **state)
{
	struct deploy_plan *p = NULL, *back = NULL;
	(void)state;
	maker_init(&m, 5);
	m.units[1].found = NULL;
	m.units[1].why = "no route to host";
	m.odd = "node-05";
	buf_init(&want_json, PLAN_BYTES_MAX);
	buf_init(&want_text, PLAN_BYTES_MAX);
	assert_ok(steps(&p, &back, &want_json, &want_text, &why));
	arena_release(&m.arena);
	fault_loop("a plan", ERR_OK, run, NULL);
	buf_release(&want_json);
	buf_release(&want_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_plan_is_whole_or_none) };
	return cmocka_run_group_tests_name("plans without memory", tests, NULL, NULL);
}
