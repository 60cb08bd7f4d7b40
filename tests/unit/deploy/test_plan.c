/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan as JSON and back, and what is refused of others' JSON. */
#include "tests/unit/unit.h"

#include "deploy/plan_private.h"
#include "tests/unit/deploy/plan_maker.h"

static struct why why;
static struct maker m;

static int setup(void **state)
{
	(void)state;
	maker_init(&m, 12);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	maker_release(&m);
	return 0;
}

static struct deploy_plan *make(void)
{
	struct deploy_plan *p = NULL;
	assert_ok(planner_make(&m.arena, &m.in, &p, &why));
	return p;
}

static struct buf written(const struct deploy_plan *p)
{
	struct buf b;
	buf_init(&b, PLAN_BYTES_MAX);
	assert_int_equal(plan_write(p, &b), ERR_OK);
	return b;
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	m.deploy.is_protected = m.deploy.takes_two = true;
	m.deploy.on_failure = GATE_UNDO;
	m.units[3].found = NULL;
	m.units[3].why = "no answer: \"connection\trefused\"";
	m.found[5].versions[0].is_running = false;
	m.found[5].versions[1].is_running = true;
	struct deploy_plan *p = make(), *back = NULL;
	struct driver_action actions[] = { { "pause", -1, "let nothing roll out for now" }, { "scale", 10000, "another number" } };
	p->actions = actions;
	p->n_actions = 2;
	struct buf first = written(p), second;
	assert_ok(plan_read(&m.arena, buf_text(&first), first.len, &back, &why));
	second = written(back);
	assert_string_equal(buf_text(&first), buf_text(&second));
	assert_int_equal(back->kind, DEPLOY_ROLLBACK);
	assert_string_equal(back->to->version.id, "v13");
	assert_string_equal(back->to->evidence, "served 6d 2h, p99 0.81 s, errors 0.1 %");
	assert_string_equal(back->to->label, "13");
	assert_null(back->from); /* two run side by side */
	char runs[PLAN_FROM];
	assert_string_equal(plan_from(back, runs), "v14, v13");
	assert_true(back->gate.latency_ratio == 1.2 && back->gate.min_requests == 20 && back->gate.ready_ms == 900000 && back->on_failure == GATE_UNDO);
	assert_true(back->n_actions == 2 && back->actions[0].most == -1 && back->actions[1].most == 10000);
	assert_string_equal(back->actions[1].word, "scale");
	assert_string_equal(back->actions[0].sentence, "let nothing roll out for now");
	assert_true(back->takes_two && back->confirm == CONFIRM_NAME && back->alert == 7 && back->made_ms == MAKER_NOW_MS);
	const struct plan_unit *u = &back->units[0];
	assert_string_equal(u->unit.destination, "node-01");
	assert_string_equal(u->found.before, "{\"release\":\"v14\"}");
	assert_string_equal(u->key, "0193a5c2-f0e1-1");
	assert_int_equal(u->forward.n, 3);
	const struct step *s = &u->forward.items[1];
	assert_true(s->phase == PHASE_CHANGE && s->tag == 2 && s->changes && !s->is_repeatable && s->deadline_ms == 900000 && s->probe.kind == ASK_RUN);
	assert_string_equal(s->ask.argv[2], "v13");
	assert_string_equal(s->note, "{\"version\":\"v13\"}");
	u = &back->units[back->n_units - 1];
	assert_true(!plan_unit_acts(u) && u->wave == back->n_waves);
	buf_release(&first);
	buf_release(&second);
}

/* Texts of the outside are for people, asks are what is sent. */
static void bytes_that_are_no_text(void **state)
{
	(void)state;
	struct buf b;
	m.found[0].versions[0].cause = "by \xff\x1b[2J";
	m.in.reason = "\xc3";
	struct deploy_plan *p = make(), *back = NULL;
	b = written(p);
	assert_ok(plan_read(&m.arena, buf_text(&b), b.len, &back, &why));
	assert_string_equal(back->reason, "\xef\xbf\xbd");
	assert_string_equal(back->versions[0].version.cause, "by \xef\xbf\xbd\x1b[2J");
	p->units[0].forward.items[1].ask.argv = (const char *const[]){ "run", "\xff" };
	p->units[0].forward.items[1].ask.n_argv = 2;
	buf_clear(&b);
	assert_int_equal(plan_write(p, &b), ERR_FORMAT);
	buf_release(&b);
}

static void what_is_too_large_is_not_written(void **state)
{
	(void)state;
	struct buf b;
	struct deploy_plan *p = make();
	buf_init(&b, 1000);
	assert_int_equal(plan_write(p, &b), ERR_LIMIT);
	buf_release(&b);
	buf_init(&b, PLAN_BYTES_MAX);
	p->n_warnings = PLAN_WARNINGS_MAX + 1;
	assert_int_equal(plan_write(p, &b), ERR_LIMIT);
	buf_release(&b);
}

#define HEAD "\"plan\":1,\"kind\":\"rollback\",\"key\":\"k\""
static void plans_of_others_are_refused(void **state)
{
	(void)state;
	static const struct { const char *label, *in; enum err want; } rows[] = {
		{ "an empty one is one",         "{" HEAD "}", ERR_OK },
		{ "one unit",                    "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k-1\"}]}", ERR_OK },
		{ "one that does nothing",       "{" HEAD ",\"units\":[{\"name\":\"a\",\"same\":true}]}", ERR_OK },
		{ "no object",                   "[]", ERR_FORMAT },
		{ "no JSON",                     "{", ERR_FORMAT },
		{ "of a later pitwall",          "{\"plan\":2,\"key\":\"k\"}", ERR_FORMAT },
		{ "no key",                      "{\"plan\":1}", ERR_FORMAT },
		{ "a key with a slash",          "{\"plan\":1,\"key\":\"a/b\"}", ERR_FORMAT },
		{ "another kind",                "{\"plan\":1,\"key\":\"k\",\"kind\":\"delete\"}", ERR_FORMAT },
		{ "a wave that is not there",    "{" HEAD ",\"waves\":2,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\"}]}", ERR_FORMAT },
		{ "nothing at once",             "{" HEAD ",\"waves\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\"}]}", ERR_FORMAT },
		{ "a gap between waves",         "{" HEAD ",\"waves\":3,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\"},{\"name\":\"b\",\"key\":\"l\",\"wave\":2}]}",
		                                 ERR_FORMAT },
		{ "a wave past the last",        "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\"},{\"name\":\"b\",\"key\":\"l\",\"wave\":1}]}",
		                                 ERR_FORMAT },
		{ "begins with the second wave", "{" HEAD ",\"waves\":2,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\",\"wave\":1}]}", ERR_FORMAT },
		{ "left out, and in a wave",     "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"skipped\":\"x\"}]}", ERR_FORMAT },
		{ "two of one name",             "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\"},{\"name\":\"a\",\"key\":\"l\"}]}",
		                                 ERR_FORMAT },
		{ "a unit without a name",       "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"key\":\"k\"}]}", ERR_FORMAT },
		{ "a unit without a key",        "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\"}]}", ERR_FORMAT },
		{ "to a version that is none",   "{" HEAD ",\"to\":1}", ERR_RANGE },
		{ "a step of a strange phase",   "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\",\"forward\":[{\"phase\":\"burn\"}]}]}", ERR_FORMAT },
		{ "an ask without a kind",       "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\",\"forward\":[{\"ask\":{}}]}]}", ERR_FORMAT },
		{ "a port past the last",        "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\",\"port\":65536}]}", ERR_RANGE },
		{ "a deadline without end",      "{" HEAD ",\"waves\":1,\"at_once\":1,\"units\":[{\"name\":\"a\",\"key\":\"k\",\"back\":[{\"deadline\":1e15}]}]}", ERR_RANGE },
		{ "a limit that is no number",   "{" HEAD ",\"gate\":{\"error_add\":\"x\"}}", ERR_FORMAT },
		{ "a limit below nothing",       "{" HEAD ",\"gate\":{\"error_add\":-1}}", ERR_RANGE },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct deploy_plan *p = NULL;
		enum err e = plan_read(&m.arena, rows[i].in, strlen(rows[i].in), &p, &why);
		if (e != rows[i].want)
			fail_msg("%s: %s: %s", rows[i].label, err_text(e), why.text);
		assert_row(rows[i].label, (e == ERR_OK) == (p != NULL));
	}
}

static void more_than_there_may_be(void **state)
{
	(void)state;
	static const struct { const char *label, *key; size_t max; const char *item; } rows[] = {
		{ "units", "units", PLAN_UNITS_MAX, "{}" }, { "versions", "versions", PLAN_VERSIONS_MAX, "{}" }, { "warnings", "warnings", PLAN_WARNINGS_MAX, "{}" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b;
		struct deploy_plan *p = NULL;
		buf_init(&b, 1 << 20);
		buf_printf(&b, "{" HEAD ",\"%s\":[", rows[i].key);
		for (size_t k = 0; k < rows[i].max + 1; k++)
			buf_printf(&b, "%s%s", k > 0 ? "," : "", rows[i].item);
		buf_puts(&b, "]}");
		assert_row(rows[i].label, plan_read(&m.arena, buf_text(&b), b.len, &p, &why) == ERR_RANGE);
		buf_release(&b);
	}
}

static void the_hash_is_that_of_the_text(void **state)
{
	(void)state;
	char hash[PLAN_HASH];
	plan_hash("abc", 3, hash); /* FIPS 180-2, B.1 */
	assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_warning_may_forbid(void **state)
{
	(void)state;
	const char *reason = NULL;
	assert_false(plan_is_forbidden(make(), &reason));
	m.in.active = "bob rolls ranker back";
	assert_true(plan_is_forbidden(make(), &reason));
	assert_string_equal(reason, "bob rolls ranker back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_large_is_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(plans_of_others_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_there_may_be, setup, teardown),
		cmocka_unit_test(the_hash_is_that_of_the_text),
		cmocka_unit_test_setup_teardown(a_warning_may_forbid, setup, teardown),
	};
	return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
