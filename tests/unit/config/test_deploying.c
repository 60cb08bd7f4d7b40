/* SPDX-License-Identifier: Apache-2.0
 *
 * `deploy:` of groups and models: values, defaults, whose holds, and what is wrong with its place. */
#include "tests/unit/unit.h"

#include <math.h>

#include "tests/unit/config/fleet_text.h"

#define GROUP(deploy) "groups:\n  - { name: eu, model: ranker, targets: [ \"http://h:1/metrics\" ], deploy: " deploy " }\n"

static struct fleet *good(const char *text)
{
	struct fleet *f = NULL;
	const char *mistakes = fleet_text_said(text, "", &f);
	if (f == NULL || mistakes[0] != '\0')
		fail_msg("%s", mistakes);
	return f;
}

static bool is_near(double a, double b) { return fabs(a - b) < 1e-9; }

static void test_defaults(void **state)
{
	(void)state;
	struct fleet *f = good(GROUP("{ driver: systemd, unit: ranker.service }"));
	assert_int_equal(f->n_deploys, 1);
	const struct fleet_deploy *d = &f->deploys[0];
	assert_string_equal(d->name, "eu");
	assert_string_equal(d->model, "ranker");
	assert_string_equal(d->group, "eu");
	assert_string_equal(d->driver, "systemd");
	assert_int_equal(d->running, VERSION_UNKNOWN);
	assert_int_equal(d->history, VERSION_UNKNOWN);
	assert_int_equal(d->n_waves, 4);
	assert_true(!d->waves[0].is_share && is_near(d->waves[0].n, 1));
	assert_true(d->waves[1].is_share && is_near(d->waves[1].n, 0.25));
	assert_true(d->waves[3].is_share && is_near(d->waves[3].n, 1));
	assert_true(d->max_unavailable.is_share && is_near(d->max_unavailable.n, 0.1));
	assert_true(is_near(d->gate.latency_ratio, 1.2) && is_near(d->gate.error_add, 0.01) && is_near(d->gate.quality_drop, 0.02) && is_near(d->gate.memory_ratio, 1.1));
	assert_int_equal(d->gate.min_requests, DEPLOY_MIN_REQUESTS);
	assert_int_equal(d->gate.soak_ms, DEPLOY_SOAK_MS);
	assert_int_equal(d->gate.window_ms, DEPLOY_WINDOW_MS);
	assert_int_equal(d->gate.ready_ms, DEPLOY_READY_MS);
	assert_int_equal(d->on_failure, GATE_STOP);
	assert_false(d->is_protected || d->takes_two || d->auto_rollback.is_on);
	assert_null(d->auth);
	assert_null(d->tls);
	assert_int_equal(d->line, 2);
	fleet_free(f);
}

static const char all[] =
	"groups:\n"
	"  - name: eu\n"
	"    model: ranker\n"
	"    targets: [ \"http://h:1/metrics\" ]\n"
	"    deploy:\n"
	"      driver: triton\n"
	"      running: signal\n"
	"      history: store\n"
	"      waves: [ 2, 12.5% ]\n"
	"      max_unavailable: 3\n"
	"      soak: 5m\n"
	"      window: 30m\n"
	"      ready: 1h\n"
	"      gate: { latency: 1.5, errors: 0.5%, quality: 0.03, memory: off, requests: 0 }\n"
	"      on_failure: undo\n"
	"      protected: true\n"
	"      auto_rollback: { within: 10m, for: 30s, per_day: 3, pause: 2h }\n"
	"      auth: { bearer: { env: TRITON_TOKEN } }\n"
	"      tls: { server_name: triton.example }\n"
	"      model: [ a, { b: c } ]\n"
	"      drain: true\n";

static void check_all(const struct fleet *f)
{
	const struct fleet_deploy *d = fleet_deploy_find(f, "eu");
	assert_non_null(d);
	assert_int_equal(d->running, VERSION_SIGNAL);
	assert_int_equal(d->history, VERSION_STORE);
	assert_int_equal(d->n_waves, 2);
	assert_true(is_near(d->waves[0].n, 2) && is_near(d->waves[1].n, 0.125));
	assert_true(!d->max_unavailable.is_share && is_near(d->max_unavailable.n, 3));
	assert_int_equal(d->gate.soak_ms, 300000);
	assert_int_equal(d->gate.window_ms, 1800000);
	assert_int_equal(d->gate.ready_ms, 3600000);
	assert_true(is_near(d->gate.latency_ratio, 1.5) && is_near(d->gate.error_add, 0.005) && is_near(d->gate.quality_drop, 0.03) && is_near(d->gate.memory_ratio, 0));
	assert_int_equal(d->gate.min_requests, 0);
	assert_int_equal(d->on_failure, GATE_UNDO);
	assert_true(d->is_protected && d->auto_rollback.is_on);
	assert_int_equal(d->auto_rollback.within_ms, 600000);
	assert_int_equal(d->auto_rollback.for_ms, 30000);
	assert_int_equal(d->auto_rollback.per_day, 3);
	assert_int_equal(d->auto_rollback.pause_ms, 7200000);
	assert_string_equal(d->auth->secret.name, "TRITON_TOKEN");
	assert_string_equal(d->tls->server_name, "triton.example");
}

static void test_all(void **state)
{
	(void)state;
	struct fleet *f = good(all), *again = NULL;
	struct why why;
	check_all(f);
	assert_ok(fleet_refresh(f, fleet_text_profiles(), NULL, &again, &why)); /* reads what was kept of it */
	check_all(again);
	fleet_free(f);
	fleet_free(again);
}

/* What is the driver's stays, with its places, after the file's own tree is gone. */
static void test_options(void **state)
{
	(void)state;
	struct fleet *f = good(all);
	const struct yaml_node *o = f->deploys[0].options;
	assert_int_equal(o->kind, YAML_MAP);
	assert_int_equal(o->n, 2);
	assert_string_equal(o->keys[0]->text, "model");
	assert_string_equal(o->keys[1]->text, "drain");
	assert_int_equal(o->keys[1]->line, 21);
	assert_int_equal(o->keys[1]->col, 7);
	const struct yaml_node *model = yaml_get(o, "model");
	assert_int_equal(model->n, 2);
	assert_int_equal(model->items[0]->line, 20);
	assert_string_equal(yaml_get(model->items[1], "b")->text, "c");
	fleet_free(f);
	f = good(GROUP("{ driver: command }"));
	assert_int_equal(f->deploys[0].options->n, 0);
	fleet_free(f);
}

static void test_words(void **state)
{
	static const struct {
		const char *label, *text;
		bool        is_on;
	} rows[] = {
		{ "yes", "{ driver: x, auto_rollback: yes }", true },        { "true", "{ driver: x, auto_rollback: true }", true },
		{ "no", "{ driver: x, auto_rollback: no }", false },         { "false", "{ driver: x, auto_rollback: false }", false },
		{ "an empty mapping", "{ driver: x, auto_rollback: {} }", true }, { "nothing written", "{ driver: x, auto_rollback: }", false },
		{ "two people and no", "{ driver: x, auto_rollback: no, two_person: true }", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[1000];
		snprintf(text, sizeof text, "groups: [ { name: g, model: m, targets: [ \"http://h:1/\" ], deploy: %s } ]\n", rows[i].text);
		struct fleet *f = good(text);
		assert_row(rows[i].label, f->n_deploys == 1 && f->deploys[0].auto_rollback.is_on == rows[i].is_on);
		fleet_free(f);
	}
	struct fleet *f = good(GROUP("{ driver: x, waves: 20%, max_unavailable: 100% }"));
	assert_int_equal(f->deploys[0].n_waves, 1);
	assert_true(is_near(f->deploys[0].waves[0].n, 0.2) && is_near(f->deploys[0].max_unavailable.n, 1));
	fleet_free(f);
}

static void test_lock(void **state)
{
	static const struct { const char *label, *text, *want; } rows[] = {
		{ "not said", "{ driver: x }", "/tmp" },
		{ "nothing written", "{ driver: x, lock: }", "/tmp" },
		{ "yes", "{ driver: x, lock: yes }", "/tmp" },
		{ "no", "{ driver: x, lock: no }", "" },
		{ "a folder", "{ driver: x, lock: /srv/locks }", "/srv/locks" },
		{ "with a stroke", "{ driver: x, lock: /srv/locks// }", "/srv/locks" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[500];
		snprintf(text, sizeof text, "groups: [ { name: g, model: m, targets: [ \"http://h:1/\" ], deploy: %s } ]\n", rows[i].text);
		struct fleet *f = good(text);
		assert_row(rows[i].label, f->n_deploys == 1 && strcmp(f->deploys[0].lock, rows[i].want) == 0 && f->deploys[0].options->n == 0);
		fleet_free(f);
	}
}

static void test_whose(void **state)
{
	static const char text[] =
		"groups:\n"
		"  - { name: eu, model: ranker, targets: [ \"http://a:1/\" ], deploy: { driver: systemd } }\n"
		"  - { name: us, model: ranker, targets: [ \"http://b:1/\" ] }\n"
		"  - { name: lab, model: ranker, targets: [ \"http://c:1/\" ], deploy: none }\n"
		"  - { name: chat, model: chat, targets: [ \"http://d:1/\" ], deploy: }\n"
		"models: [ { name: ranker, deploy: { driver: triton } }, { name: chat } ]\n";
	static const struct {
		const char *group, *model, *want; /* driver; NULL: none */
	} rows[] = {
		{ "eu", "ranker", "systemd" }, { "us", "ranker", "triton" }, { "lab", "ranker", NULL }, { "chat", "chat", NULL },
		{ "eu", "chat", NULL },        { "nowhere", "ranker", "triton" }, { "us", "x", NULL },
	};
	(void)state;
	struct fleet *f = good(text);
	assert_int_equal(f->n_deploys, 2);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct fleet_deploy *d = fleet_deploy_of(f, rows[i].group, rows[i].model);
		assert_row(rows[i].group, rows[i].want == NULL ? d == NULL : d != NULL && strcmp(d->driver, rows[i].want) == 0);
	}
	assert_string_equal(fleet_deploy_find(f, "ranker")->group, "");
	assert_null(fleet_deploy_find(f, "us"));
	fleet_free(f);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
		{ "no mapping", "[ 1 ]", "f:1:69: 'deploy' must be a mapping, not a list\n" },
		{ "no driver", "{ protected: true }", "f:1:69: 'deploy' needs a 'driver'\n" },
		{ "no name of a driver", "{ driver: ../x }", "f:1:79: '../x' is no name of a driver\n" },
		{ "a source that is none", "{ driver: x, running: store }", "f:1:91: 'running' must be driver or signal, not 'store'\n" },
		{ "a history that is none", "{ driver: x, history: signal }", "f:1:91: 'history' must be driver or store, not 'signal'\n" },
		{ "no waves", "{ driver: x, waves: [] }", "f:1:89: 'waves' needs 1 to 16 items, as in [ 1, 25%, 50%, 100% ]\n" },
		{ "a wave of nothing", "{ driver: x, waves: [ 0 ] }", "f:1:91: 'waves' must be a number from 1 to 100000 or a share as in 25%, not '0'\n" },
		{ "a wave of no share", "{ driver: x, waves: [ 0% ] }", "f:1:91: 'waves' must be a number from 1 to 100000 or a share as in 25%, not '0%'\n" },
		{ "more than all", "{ driver: x, waves: [ 101% ] }", "f:1:91: 'waves' must be a number from 1 to 100000 or a share as in 25%, not '101%'\n" },
		{ "half a node", "{ driver: x, waves: [ 0.5 ] }", "f:1:91: 'waves' must be a number from 1 to 100000 or a share as in 25%, not '0.5'\n" },
		{ "a percent sign alone", "{ driver: x, waves: [ \"%\" ] }", "f:1:91: 'waves' must be a number from 1 to 100000 or a share as in 25%, not '%'\n" },
		{ "no number", "{ driver: x, max_unavailable: many }", "f:1:99: 'max_unavailable' must be a number from 1 to 100000 or a share as in 25%, not 'many'\n" },
		{ "too long", "{ driver: x, soak: 2d }", "f:1:88: 'soak' must be a duration from 0s to 1d, as in 30s or 1m30s, not '2d'\n" },
		{ "errors of zero", "{ driver: x, gate: { errors: 0 } }", "f:1:98: 'errors' must be a share above 0, as in 1% or 0.01, or off, not '0'\n" },
		{ "a latency that is a share", "{ driver: x, gate: { latency: 20% } }", "f:1:99: 'latency' must be a number from 1 to 100, as in 1.2, or off, not '20%'\n" },
		{ "a gate's key", "{ driver: x, gate: { latncy: 2 } }", "f:1:90: unknown key 'latncy'; did you mean 'latency'?\n" },
		{ "on failure", "{ driver: x, on_failure: panic }", "f:1:94: 'on_failure' must be stop or undo, not 'panic'\n" },
		{ "protected", "{ driver: x, protected: perhaps }", "f:1:93: 'protected' must be true or false, not 'perhaps'\n" },
		{ "by itself", "{ driver: x, auto_rollback: often }", "f:1:97: 'auto_rollback' must be yes, no or a mapping, as in { within: 30m, per_day: 1 }\n" },
		{ "by itself, never", "{ driver: x, auto_rollback: { per_day: 0 } }", "f:1:108: 'per_day' must be a whole number from 1 to 100, not '0'\n" },
		{ "a lock that is no folder", "{ driver: x, lock: tmp }", "f:1:88: 'lock' must be yes, no, or a whole path of 200 bytes at most, not 'tmp'\n" },
		{ "a lock in the root", "{ driver: x, lock: // }", "f:1:88: 'lock' must be yes, no, or a whole path of 200 bytes at most, not '//'\n" },
		{ "two people and none", "{ driver: x, two_person: true, auto_rollback: yes }",
		  "f:1:100: 'two_person' wants two people and 'auto_rollback' none: only one of them can be\n" },
		{ "a secret", "{ driver: x, auth: { bearer: abc } }",
		  "f:1:98: 'bearer' must not be written into the file; say where it is: { env: NAME }, { file: PATH } or { command: [ WORD, ... ] }\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[1000];
		snprintf(text, sizeof text, "groups: [ { name: g, model: m, targets: [ \"http://h:1/\" ], deploy:  %s } ]\n", rows[i].text);
		const char *said = fleet_text_said(text, "", NULL);
		if (strcmp(said, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, said);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(fleet_text_said("groups: [ { name: g, targets: [ \"http://h:1/\" ], deploy: { driver: x } } ]\n", "", NULL),
	                    "f:1:50: what is deployed is a model: give the group a 'model'\n");
	assert_string_equal(fleet_text_said("groups: [ { name: m, model: m, targets: [ \"http://h:1/\" ], deploy: { driver: x } } ]\n",
	                                    "models: [ { name: m, deploy: { driver: x } } ]\n", NULL),
	                    "f:2:22: group 'm' has a 'deploy' of its own, and so has the model of that name: call the group otherwise\n");
	assert_string_equal(fleet_text_said("groups: [ { name: g, targets: [ \"http://h:1/\" ] } ]\n", "defaults: { deploy: none }\n", NULL),
	                    "f:2:13: unknown key 'deploy'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_defaults), cmocka_unit_test(test_all),      cmocka_unit_test(test_options),
		                            cmocka_unit_test(test_words),    cmocka_unit_test(test_whose),    cmocka_unit_test(test_mistakes),
		                            cmocka_unit_test(test_names),    cmocka_unit_test(test_lock) };
	return cmocka_run_group_tests(tests, fleet_text_set_up, fleet_text_tear_down);
}
