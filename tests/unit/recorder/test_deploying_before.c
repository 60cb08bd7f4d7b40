/* SPDX-License-Identifier: Apache-2.0
 *
 * The look before a wave: a driver of the test's says what each unit is now, the store says who is up, and the run is told what differs from its plan. Three units in two waves, two of which may be
 * away at once. */
#include "tests/unit/unit.h"

#include <math.h>

#include "deploy/plan_compare.h"
#include "recorder/deploying_private.h"
#include "rules/signal.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"

enum { UNITS = 3, NODES = 4 /* one of them is no unit */, DEADLINE_MS = 60 * 1000, TURN_MS = 2, ROWS = 8 };
static const int64_t NOW = INT64_C(1790000000000);
static const char *const names[NODES] = { "a", "b", "c", "d" };
static struct why why;

/* What the look at a unit finds. */
enum sight { AS_PLANNED, ANOTHER, NOT_READY, SILENT, FORBIDDEN };

struct stage {
	struct store_folder folder;
	struct test_clock   clock;
	struct store       *store;
	struct loop        *loop;
	struct loop_timer  *turn;
	struct deploying    deploying;
	struct holding      fleet;
	struct acting       acting;
	struct fleet_deploy deploy;
	struct driver       driver;
	struct deploy_scope scope;
	struct deploy_plan  plan;
	struct plan_unit    units[UNITS];
	struct plan_version versions[2];
	struct step         steps[1];
	struct unit         scope_units[UNITS];
	int64_t             until_ms;
	char                told[ROWS][PLAN_DIFFERENCE]; /* "UNIT: TEXT" */
	size_t              n_told;
};

static enum sight sights[UNITS];
static size_t n_looks;

static enum look_turn look(struct look *l, struct why *w)
{
	enum sight is = sights[l->unit->name[0] - 'a'];
	n_looks++;
	if (is == SILENT) {
		why_set(w, ERR_NETWORK, "no route to host");
		return LOOK_FAILED;
	}
	struct version *v = found_version(l);
	v->id = v->name = is == ANOTHER ? "v9" : "v1";
	v->is_running = true;
	l->found.is_ready = is != NOT_READY;
	l->found.before = "";
	if (is == FORBIDDEN)
		found_warn(l, WARNING_FORBIDS, "it is masked");
	return LOOK_DONE;
}

static void differs(struct acting *a, struct changes *c, const struct todo *t)
{
	struct stage *s = a->deploying->o.ctx;
	(void)c;
	assert_true(s->n_told < ROWS);
	snprintf(s->told[s->n_told++], sizeof s->told[0], "%s: %.200s", a->plan->units[t->unit].unit.name, t->text);
}

/* ---- the store ---- */

static void say_up(struct stage *s, const char *node, bool is_up)
{
	struct labels *target = labels_of("instance", node, "node", node, "model", "m", NULL), *series[] = { labels_of(LABEL_NAME, signal_info(SIGNAL_UP)->metric, NULL) };
	const struct layout *layout;
	const double v[] = { is_up };
	int64_t id;
	assert_ok(store_target(s->store, target, "http://127.0.0.1/", &id, &why));
	assert_ok(store_layout(s->store, series, 1, &layout, &why));
	assert_ok(store_append(s->store, id, STREAM_SIGNAL, NOW - 1000, layout, v, &why));
	labels_unref(target);
	labels_unref(series[0]);
}

/* ---- a run about to begin its first wave ---- */

static void turn(void *ctx)
{
	struct stage *s = ctx;
	struct changes *c;
	assert_ok(changes_new(&c, &why));
	acting_before_step(&s->acting, c, differs);
	changes_free(c);
	if (s->acting.before == NULL || clock_mono_ms(clock_system()) > s->until_ms)
		loop_stop(s->loop);
}

static void make_plan(struct stage *s, enum deploy_kind kind)
{
	static const char *const argv[] = { "x" };
	s->versions[0] = (struct plan_version){ .version = { .id = "v1", .name = "v1" }, .label = "1", .evidence = "", .n_units = UNITS };
	s->versions[1] = (struct plan_version){ .version = { .id = "v2", .name = "v2" }, .label = "2", .evidence = "" };
	s->steps[0] = (struct step){ .phase = PHASE_CHANGE, .title = "change", .note = "", .changes = true, .is_repeatable = true, .ask = { .kind = ASK_RUN, .argv = argv, .n_argv = 1 } };
	for (size_t i = 0; i < UNITS; i++) {
		const struct unit unit = { .name = names[i], .node = names[i], .model = "m", .group = "", .url = "", .destination = "", .user = "" };
		s->scope_units[i] = unit;
		s->units[i] = (struct plan_unit){ .unit = unit, .from = "v1", .skipped = "", .no_lock = "", .takes_lock = "", .key = "k", .wave = i == UNITS - 1, .found = { .is_ready = true },
			                          .forward = { .items = s->steps, .n = 1 }, .back = { .items = s->steps, .n = 1 } };
	}
	s->plan = (struct deploy_plan){ .kind = kind, .key = "k", .scope = "s", .model = "m", .lock = "", .versions = s->versions, .n_versions = 2, .from = &s->versions[0], .to = &s->versions[1],
		                        .units = s->units, .n_units = UNITS, .n_waves = 2, .at_once = 2 };
}

static void begin(struct stage *s, enum deploy_kind kind)
{
	*s = (struct stage){ .until_ms = clock_mono_ms(clock_system()) + DEADLINE_MS };
	store_folder_make(&s->folder, "before");
	test_clock_init(&s->clock, NOW);
	assert_ok(store_open(&(struct store_options){ .path = s->folder.path, .clock = &s->clock.clock }, &s->store, &why));
	assert_ok(loop_new(&s->loop, &why));
	assert_ok(loop_timer_new(s->loop, turn, s, &s->turn, &why));
	s->deploy = (struct fleet_deploy){ .name = "s", .model = "m", .group = "", .running = VERSION_DRIVER, .history = VERSION_STORE };
	s->driver = (struct driver){ .name = "fake", .has_running = true, .look = look };
	s->scope = (struct deploy_scope){ .deploy = &s->deploy, .driver = &s->driver, .target = "s", .units = s->scope_units, .n_units = UNITS, .nodes = names, .n_nodes = NODES };
	make_plan(s, kind);
	/* It never is what wakes or closes: each part of it counts. */
	s->deploying = (struct deploying){ .o = { .loop = s->loop, .clock = &s->clock.clock, .ctx = s }, .store_path = s->folder.path, .is_closing = true, .n_open = 1 };
	s->fleet = (struct holding){ .deploying = &s->deploying, .refs = 1 };
	s->acting = (struct acting){ .deploying = &s->deploying, .fleet = &s->fleet, .plan = &s->plan, .scope = &s->scope };
	assert_ok(run_new(&s->plan, &s->acting.run, &why));
	run_is(s->acting.run, DEPLOYMENT_RUNNING);
	for (size_t i = 0; i < UNITS; i++)
		sights[i] = AS_PLANNED;
	n_looks = 0;
}

static void end(struct stage *s)
{
	acting_before_leave(&s->acting);
	loop_timer_close(s->turn);
	loop_free(s->loop); /* with what a worker had */
	assert_int_equal(s->deploying.n_open, 1);
	assert_null(s->deploying.graves);
	assert_int_equal(s->fleet.refs, 1);
	run_free(s->acting.run);
	store_close(s->store);
	store_folder_remove(&s->folder);
}

/* What the run wants next; a look before a wave is taken first. */
static void next(struct stage *s, struct todo *t)
{
	for (run_next(s->acting.run, NOW, t); t->kind == TODO_LOOK; run_next(s->acting.run, NOW, t)) {
		assert_ok(store_flush(s->store, &why));
		acting_before_begin(&s->acting, t->wave);
		assert_non_null(s->acting.before);
		loop_timer_start(s->turn, 0, TURN_MS);
		loop_run(s->loop);
		loop_timer_stop(s->turn);
		assert_null(s->acting.before);
	}
}

static void assert_told(const char *label, const struct stage *s, const char *const *want)
{
	size_t n = 0;
	while (n < ROWS && want[n] != NULL)
		n++;
	if (s->n_told != n)
		fail_msg("%s: %zu are told of, the first is '%s'", label, s->n_told, s->told[0]);
	for (size_t i = 0; i < n; i++)
		if (strstr(s->told[i], want[i]) == NULL)
			fail_msg("%s: '%s'", label, s->told[i]);
}

/* ---- tests ---- */

static void test_what_differs(void **state)
{
	static const struct {
		const char      *label;
		enum deploy_kind kind;
		enum sight       a, b, c;
		const char      *told[ROWS];
		bool             begins; /* a step */
	} rows[] = {
		{ "as planned", DEPLOY_ROLLBACK, AS_PLANNED, AS_PLANNED, AS_PLANNED, { NULL }, true },
		{ "another version", DEPLOY_ROLLBACK, AS_PLANNED, ANOTHER, AS_PLANNED, { "b: it runs v9 by now, and ran v1" }, false },
		{ "all of the wave", DEPLOY_ROLLBACK, ANOTHER, SILENT, AS_PLANNED, { "a: it runs v9", "b: it cannot be looked at: no route to host" }, false },
		{ "one of a later wave is not looked at", DEPLOY_ROLLBACK, AS_PLANNED, AS_PLANNED, ANOTHER, { NULL }, true },
		{ "forbidden", DEPLOY_ROLLBACK, FORBIDDEN, AS_PLANNED, AS_PLANNED, { "a: it is masked" }, false },
		{ "not ready, which is what a rollback is for", DEPLOY_ROLLBACK, NOT_READY, AS_PLANNED, AS_PLANNED, { NULL }, true },
		{ "not ready, in a redeploy", DEPLOY_REDEPLOY, NOT_READY, AS_PLANNED, AS_PLANNED, { "a: it is not ready, and was" }, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		struct todo t;
		begin(&s, rows[i].kind);
		sights[0] = rows[i].a;
		sights[1] = rows[i].b;
		sights[2] = rows[i].c;
		next(&s, &t);
		assert_told(rows[i].label, &s, rows[i].told);
		assert_row(rows[i].label, n_looks == 2);
		assert_row(rows[i].label, rows[i].begins ? t.kind == TODO_BEGIN : t.kind == TODO_STATE && t.state == DEPLOYMENT_STOPPED);
		end(&s);
	}
}

/* A person goes on: what is only not ready is accepted, what runs another version is told of again. */
static void test_going_on(void **state)
{
	static const struct {
		const char *label;
		enum sight  is;
		bool        begins;
		const char *told[ROWS];
	} rows[] = {
		{ "it is only not ready", NOT_READY, true, { "a: it is not ready" } },
		{ "it runs another", ANOTHER, false, { "a: it runs v9", "a: it runs v9" } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		struct todo t;
		begin(&s, DEPLOY_REDEPLOY);
		sights[0] = rows[i].is;
		next(&s, &t);
		assert_int_equal(t.state, DEPLOYMENT_STOPPED);
		run_is(s.acting.run, t.state);
		assert_ok(run_control(s.acting.run, CONTROL_RESUME, &why));
		next(&s, &t);
		assert_true(t.kind == TODO_STATE && t.state == DEPLOYMENT_RUNNING);
		run_is(s.acting.run, t.state);
		next(&s, &t);
		assert_told(rows[i].label, &s, rows[i].told);
		assert_row(rows[i].label, (t.kind == TODO_BEGIN) == rows[i].begins);
		end(&s);
	}
}

/* More nodes are down than when it was planned, and as many as may be away: the wave is not begun, once. */
static void test_too_many_are_down(void **state)
{
	static const struct {
		const char *label;
		bool        is_up[NODES];
		size_t      n_down; /* accepted before */
		const char *stops;  /* NULL: it does not */
	} rows[] = {
		{ "all are up", { true, true, true, true }, 0, NULL },
		{ "one is down", { true, true, true, false }, 0, NULL },
		{ "two are", { true, true, false, false }, 0, "2 nodes of s are down, and 0 were when this was planned" },
		{ "two are, and were", { true, true, false, false }, 2, NULL },
		{ "those that are about to be changed count too", { false, false, true, true }, 1, "2 nodes of s are down, and 1 were" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		struct todo t;
		begin(&s, DEPLOY_ROLLBACK);
		for (size_t k = 0; k < NODES; k++)
			say_up(&s, names[k], rows[i].is_up[k]);
		s.acting.n_down = rows[i].n_down;
		next(&s, &t);
		if (rows[i].stops == NULL)
			assert_row(rows[i].label, t.kind == TODO_BEGIN);
		else if (t.kind != TODO_STATE || t.state != DEPLOYMENT_STOPPED || strstr(t.text, rows[i].stops) == NULL)
			fail_msg("%s: '%s'", rows[i].label, t.kind == TODO_STATE ? t.text : "it begins");
		end(&s);
	}
}

/* A store that can't be read tells nothing: the looks alone count. */
static void test_without_the_store(void **state)
{
	struct stage s;
	struct todo t;
	char nowhere[] = "/nowhere/at/all";
	(void)state;
	begin(&s, DEPLOY_ROLLBACK);
	s.deploying.store_path = nowhere;
	next(&s, &t);
	assert_int_equal(t.kind, TODO_BEGIN);
	end(&s);
}

/* The run goes while it is looked at, or while a worker reads: nothing of it is left, and nobody is told. */
static void test_leaving(void **state)
{
	(void)state;
	for (int turns = 0; turns < 3; turns++) {
		struct stage s;
		struct todo t;
		struct changes *c;
		begin(&s, DEPLOY_ROLLBACK);
		sights[0] = ANOTHER;
		run_next(s.acting.run, NOW, &t);
		assert_int_equal(t.kind, TODO_LOOK);
		acting_before_begin(&s.acting, t.wave);
		assert_ok(changes_new(&c, &why));
		for (int i = 0; i < turns; i++)
			acting_before_step(&s.acting, c, differs);
		changes_free(c);
		assert_non_null(s.acting.before);
		acting_before_leave(&s.acting);
		assert_null(s.acting.before);
		assert_int_equal(s.n_told, 0);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_differs), cmocka_unit_test(test_going_on), cmocka_unit_test(test_too_many_are_down), cmocka_unit_test(test_without_the_store), cmocka_unit_test(test_leaving),
	};
	return cmocka_run_group_tests_name("deploying_before", tests, NULL, NULL);
}
