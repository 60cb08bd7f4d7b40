/* SPDX-License-Identifier: Apache-2.0
 *
 * What a name stands for: scopes, units with their addresses and machines, and the sentences where it stands for nothing or for several. The drivers are the test's own. */
#include "tests/unit/unit.h"

#include <string.h>

#include "deploy/plan.h"
#include "deploy/scope.h"
#include "tests/unit/config/fleet_text.h"
#include "tests/unit/faults.h"

static struct why why;

/* ---- drivers ---- */

static enum err check_never(const struct fleet_deploy *d, const struct settings *s, struct why *w)
{
	(void)d;
	return strcmp(setting_text(s, "unit"), "never") == 0 ? why_set(w, ERR_FORMAT, "'unit' is never that") : ERR_OK;
}

static const struct option options[] = { { "unit", OPTION_TEXT, true, "", "", "The unit." } };
static const struct driver drivers[] = {
	{ .name = "shell", .summary = "s", .notes = "", .options = options, .n_options = 1, .needs_machine = true, .has_running = true, .check = check_never },
	{ .name = "server", .summary = "s", .notes = "", .options = options, .n_options = 0, .has_history = true, .has_running = true },
	{ .name = "cluster", .summary = "s", .notes = "", .options = options, .n_options = 0, .is_whole = true, .has_history = true, .has_running = true },
	{ .name = "blind", .summary = "s", .notes = "", .options = options, .n_options = 0 },
};

const struct driver *driver_at(size_t i)
{
	return i < sizeof drivers / sizeof drivers[0] ? &drivers[i] : NULL;
}

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; driver_at(i) != NULL; i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}

/* ---- a fleet with all there is ---- */

static const char fleet_text[] =
	"groups:\n"
	"  - name: rankers-eu\n"
	"    model: ranker\n"
	"    endpoints: [ dcgm, { profile: triton, port: 8002 } ]\n"
	"    nodes: [ \"eu-[1-2]\", { name: eu-3, address: 10.0.0.3 } ]\n"
	"    ssh: { user: ops, port: 2222 }\n"
	"    deploy: { driver: shell, unit: ranker.service }\n"
	"  - { name: rankers-us, model: ranker, profile: triton, nodes: [ \"us-[1-2]\" ], deploy: { driver: server, history: store } }\n"
	"  - { name: chat, model: llama, profile: vllm, nodes: [ c-1, c-2 ] }\n"
	"  - { name: chat-canary, model: llama, profile: vllm, nodes: [ c-3 ] }\n"
	"  - { name: lab, model: llama, profile: vllm, nodes: [ lab-1 ], deploy: none }\n"
	"  - { name: same, model: same, profile: vllm, nodes: [ s-1, s-2 ] }\n"
	"  - { name: other, model: other, profile: vllm, nodes: [ o-1 ] }\n"
	"  - { name: more, model: other, profile: vllm, nodes: [ o-2 ] }\n"
	"  - { name: bare, profile: vllm, nodes: [ b-1 ] }\n"
	"  - { name: machines, ssh: yes, nodes: [ c-1 ] }\n"
	"  - { name: here, model: small, targets: [ \"local:\", { url: \"http://127.0.0.1:8000/metrics\", node: box } ], deploy: { driver: server } }\n"
	"  - { name: late, model: late, profile: vllm, nodes: [ eu-1 ], deploy: { driver: server } }\n"
	"  - { name: noshell, model: noshell, profile: vllm, nodes: [ n-1 ], deploy: { driver: shell, unit: a } }\n"
	"  - { name: wrong, model: wrong, profile: vllm, nodes: [ w-1 ], deploy: { driver: shell, unt: a } }\n"
	"  - { name: never, model: never, profile: vllm, nodes: [ v-1 ], ssh: yes, deploy: { driver: shell, unit: never } }\n"
	"  - { name: nodriver, model: nodriver, profile: vllm, nodes: [ x-1 ], deploy: { driver: servr } }\n"
	"  - { name: blind, model: blind, profile: vllm, nodes: [ y-1 ], deploy: { driver: blind, running: driver } }\n"
	"models:\n"
	"  - { name: llama, deploy: { driver: cluster } }\n"
	"  - { name: same, deploy: { driver: server } }\n"
	"  - { name: other, deploy: { driver: server } }\n"
	"  - { name: nobody, deploy: { driver: server } }\n";

static struct fleet *fleet;

static struct fleet *read_fleet(const char *text)
{
	struct fleet *f = NULL;
	const char *said = fleet_text_said(text, "", &f);
	if (f == NULL)
		fail_msg("%s", said);
	return f;
}

static int set_up(void **state)
{
	if (fleet_text_set_up(state) != 0)
		return -1;
	fleet = read_fleet(fleet_text);
	return 0;
}

static int tear_down(void **state)
{
	fleet_free(fleet);
	return fleet_text_tear_down(state);
}

/* ---- finding ---- */

/* SCOPE DRIVER: unit@url, ... of n nodes */
static void print_scope(const struct deploy_scope *s, struct buf *to)
{
	buf_printf(to, "%s %s:", s->deploy->name, s->driver->name);
	for (size_t i = 0; i < s->n_units; i++)
		buf_printf(to, " %s", s->units[i].name);
	buf_puts(to, " of");
	for (size_t i = 0; i < s->n_nodes; i++)
		buf_printf(to, " %s", s->nodes[i]);
}

static void test_targets(void **state)
{
	static const struct {
		const char *target;
		enum err    err;
		const char *want; /* the scope, or a part of the sentence */
	} rows[] = {
		{ "rankers-eu", ERR_OK, "rankers-eu shell: eu-1 eu-2 eu-3 of eu-1 eu-2 eu-3" },
		{ "rankers-us", ERR_OK, "rankers-us server: us-1 us-2 of us-1 us-2" },
		{ "scope:rankers-us", ERR_OK, "rankers-us server: us-1 us-2 of us-1 us-2" },
		{ "eu-2", ERR_OK, "rankers-eu shell: eu-2 of eu-1 eu-2 eu-3" },
		{ "node:eu-2", ERR_OK, "rankers-eu shell: eu-2 of eu-1 eu-2 eu-3" },
		{ "ranker", ERR_USAGE, "'ranker' is deployed in 2 places; name one of scope:rankers-eu, scope:rankers-us" },
		{ "eu-1", ERR_USAGE, "'eu-1' has 2 that are deployed by themselves; name one of node:eu-1@rankers-eu, node:eu-1@late" },
		{ "node:eu-1@rankers-eu", ERR_OK, "rankers-eu shell: eu-1 of eu-1 eu-2 eu-3" },
		{ "eu-1@rankers-eu", ERR_OK, "rankers-eu shell: eu-1 of eu-1 eu-2 eu-3" },
		{ "eu-1,eu-3@rankers-eu", ERR_OK, "rankers-eu shell: eu-1 eu-3 of eu-1 eu-2 eu-3" },
		{ "group:rankers-eu@rankers-eu", ERR_OK, "rankers-eu shell: eu-1 eu-2 eu-3 of eu-1 eu-2 eu-3" },
		{ "node:eu-1@nobody", ERR_NOT_FOUND, "there is no node 'eu-1@nobody'" },
		{ "eu-9,eu-1@rankers-eu", ERR_NOT_FOUND, "there is no node 'eu-9'" },
		{ "node:@rankers-eu", ERR_NOT_FOUND, "there is no node '@rankers-eu'" },
		{ "eu-3,eu-2", ERR_OK, "rankers-eu shell: eu-2 eu-3 of eu-1 eu-2 eu-3" },
		{ "node:us-1,us-2", ERR_OK, "rankers-us server: us-1 us-2 of us-1 us-2" },
		{ "eu-2,us-1", ERR_USAGE, "'eu-2,us-1' has 2 that are deployed by themselves; name one of node:eu-2,us-1@rankers-eu, node:eu-2,us-1@rankers-us" },
		{ "eu-2,us-1@rankers-us", ERR_OK, "rankers-us server: us-1 of us-1 us-2" },
		{ "eu-2,eu-9", ERR_NOT_FOUND, "there is no node 'eu-9'" },
		{ "node:eu-2,", ERR_NOT_FOUND, "there is no node ''" },
		{ "eu-2,rankers-eu", ERR_NOT_FOUND, "there is no node 'rankers-eu'" },
		{ "llama", ERR_OK, "llama cluster: llama of c-1 c-2 c-3" },
		{ "c-3", ERR_OK, "llama cluster: llama of c-1 c-2 c-3" },
		{ "chat", ERR_OK, "llama cluster: llama of c-1 c-2 c-3" },
		{ "same", ERR_OK, "same server: s-1 s-2 of s-1 s-2" },
		{ "other", ERR_USAGE, "'other' is a model and a group, which are not the same here; name one of model:other, group:other" },
		{ "model:other", ERR_OK, "other server: o-1 o-2 of o-1 o-2" },
		{ "group:other", ERR_OK, "other server: o-1 of o-1 o-2" },
		{ "lab", ERR_UNSUPPORTED, "group 'lab' says 'deploy: none'" },
		{ "lab-1", ERR_UNSUPPORTED, "group 'lab' says 'deploy: none'" },
		{ "bare", ERR_UNSUPPORTED, "nothing says how 'bare' is deployed: give group 'bare' a 'model' and a section 'deploy'" },
		{ "b-1", ERR_UNSUPPORTED, "nothing says how 'b-1' is deployed: give group 'bare'" },
		{ "small", ERR_OK, "small server: box of box" },
		{ "nobody", ERR_NOT_FOUND, "there is no model, group or node 'nobody'" },
		{ "scope:nobody", ERR_NOT_FOUND, "no scope 'nobody' has any node" },
		{ "rankes-eu", ERR_NOT_FOUND, "did you mean 'rankers-eu'?" },
		{ "group:ranker", ERR_NOT_FOUND, "there is no group 'ranker'" },
		{ "", ERR_NOT_FOUND, "there is no model, group or node ''" },
		{ "noshell", ERR_UNSUPPORTED, "driver 'shell' works on the machine of 'n-1', which can't be reached: say 'ssh: yes' in group 'noshell'" },
		{ "wrong", ERR_FORMAT, "driver 'shell' has no option 'unt'; did you mean 'unit'?" },
		{ "never", ERR_FORMAT, "'unit' is never that" },
		{ "nodriver", ERR_UNSUPPORTED, "there is no driver 'servr'; did you mean 'server'?" },
		{ "blind", ERR_FORMAT, "driver 'blind' can't tell which version runs: 'running' must be signal" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		struct buf text;
		struct deploy_scope *s = NULL;
		why.text[0] = '\0';
		arena_init(&a);
		buf_init(&text, 4096);
		/* the machine of the group `here` is this one, under its own name */
		enum err e = scope_find(fleet, rows[i].target, &a, &s, &why);
		if (e == ERR_OK)
			print_scope(s, &text);
		else
			buf_puts(&text, why.text);
		bool is_small = strcmp(rows[i].target, "small") == 0;
		if (e != rows[i].err || (!is_small && strstr(buf_text(&text), rows[i].want) == NULL) || (is_small && s->n_nodes != 2))
			fail_msg("%s: %s: %s", rows[i].target, err_text(e), buf_text(&text));
		assert_row(rows[i].target, (s != NULL) == (e == ERR_OK));
		if (e == ERR_OK)
			assert_string_equal(s->target, rows[i].target);
		buf_release(&text);
		arena_release(&a);
	}
}

/* What a sentence offers is found, and is what was asked for or a part of it. */
static void test_choices(void **state)
{
	static const struct { const char *target; size_t n; const char *first; } rows[] = {
		{ "ranker", 2, "scope:rankers-eu" }, { "other", 2, "model:other" }, { "eu-1", 2, "node:eu-1@rankers-eu" }, { "eu-2,us-1", 2, "node:eu-2,us-1@rankers-eu" }, { "nobody", 0, NULL }, { "lab", 0, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		const char *choices[SCOPE_CHOICES_MAX];
		struct deploy_scope *s = NULL;
		arena_init(&a);
		assert_true(scope_find(fleet, rows[i].target, &a, &s, &why) != ERR_OK);
		size_t n = scope_choices(why.text, &a, choices);
		assert_row(rows[i].target, n == rows[i].n && (n == 0 || strcmp(choices[0], rows[i].first) == 0));
		for (size_t k = 0; k < n; k++)
			assert_row(choices[k], scope_find(fleet, choices[k], &a, &s, &why) == ERR_OK);
		arena_release(&a);
	}
	struct arena a;
	const char *choices[SCOPE_CHOICES_MAX];
	arena_init(&a);
	assert_int_equal(scope_choices("'a' is deployed in 40 places; name one of scope:b, scope:c, ...", &a, choices), 2);
	assert_int_equal(scope_choices("name one of ", &a, choices), 0);
	arena_release(&a);
}

static void test_units(void **state)
{
	static const struct {
		const char *target, *unit, *node, *model, *group, *url, *destination, *user;
		int         port;
		bool        is_local;
	} rows[] = {
		{ "rankers-eu", "eu-1", "eu-1", "ranker", "rankers-eu", "http://eu-1:8002", "eu-1", "ops", 2222, false }, /* not dcgm's */
		{ "rankers-eu", "eu-3", "eu-3", "ranker", "rankers-eu", "http://10.0.0.3:8002", "10.0.0.3", "ops", 2222, false },
		{ "rankers-us", "us-1", "us-1", "ranker", "rankers-us", "http://us-1:8002", "", "", 0, false },
		{ "llama", "llama", "", "llama", "chat", "http://c-1:8000", "c-1", "", 0, false }, /* its machine stands in another group */
		{ "small", "box", "box", "small", "here", "http://127.0.0.1:8000", "", "", 0, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		struct deploy_scope *s = NULL;
		const struct unit *u = NULL;
		arena_init(&a);
		assert_ok(scope_find(fleet, rows[i].target, &a, &s, &why));
		for (size_t k = 0; k < s->n_units; k++)
			if (strcmp(s->units[k].name, rows[i].unit) == 0)
				u = &s->units[k];
		if (u == NULL) {
			fail_msg("%s: no unit '%s'", rows[i].target, rows[i].unit);
			return;
		}
		assert_string_equal(u->node, rows[i].node);
		assert_string_equal(u->model, rows[i].model);
		assert_string_equal(u->group, rows[i].group);
		assert_string_equal(u->url, rows[i].url);
		assert_string_equal(u->destination, rows[i].destination);
		assert_string_equal(u->user, rows[i].user);
		assert_int_equal(u->port, rows[i].port);
		assert_int_equal(u->is_local, rows[i].is_local);
		arena_release(&a);
	}
}

static void test_sources(void **state)
{
	static const struct {
		const char         *driver;
		enum version_source running, history, want_running, want_history;
	} rows[] = {
		{ "server", VERSION_UNKNOWN, VERSION_UNKNOWN, VERSION_DRIVER, VERSION_DRIVER },
		{ "server", VERSION_SIGNAL, VERSION_STORE, VERSION_SIGNAL, VERSION_STORE },
		{ "shell", VERSION_UNKNOWN, VERSION_UNKNOWN, VERSION_DRIVER, VERSION_UNKNOWN },
		{ "blind", VERSION_UNKNOWN, VERSION_UNKNOWN, VERSION_UNKNOWN, VERSION_UNKNOWN },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct fleet_deploy in = { .name = "x", .running = rows[i].running, .history = rows[i].history };
		struct fleet_deploy out;
		deploy_resolve(&in, driver_find(rows[i].driver), &out);
		assert_row(rows[i].driver, out.running == rows[i].want_running && out.history == rows[i].want_history);
	}
}

static void test_alerts(void **state)
{
	static const struct {
		const char *node, *group, *model;
		enum err    err;
		const char *target;
	} rows[] = {
		{ "us-1", "rankers-us", "ranker", ERR_OK, "node:us-1" },
		{ "eu-1", "late", "late", ERR_OK, "group:late" }, /* the node serves two */
		{ "", "rankers-eu", "ranker", ERR_OK, "group:rankers-eu" },
		{ "", "", "llama", ERR_OK, "model:llama" },
		{ "gone", "", "llama", ERR_OK, "model:llama" },
		{ "", "", "ranker", ERR_USAGE, "" },
		{ "lab-1", "lab", "llama", ERR_UNSUPPORTED, "" }, /* not the whole model because the node is taken out */
		{ "", "", "", ERR_NOT_FOUND, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		struct deploy_scope *s = NULL;
		struct labels *l = labels_of("node", rows[i].node, "group", rows[i].group, "model", rows[i].model, NULL);
		assert_non_null(l);
		arena_init(&a);
		enum err e = scope_of_alert(fleet, l, &a, &s, &why);
		if (e != rows[i].err || (e == ERR_OK && strcmp(s->target, rows[i].target) != 0))
			fail_msg("%s %s %s: %s: %s", rows[i].node, rows[i].group, rows[i].model, err_text(e), e == ERR_OK ? s->target : why.text);
		labels_unref(l);
		arena_release(&a);
	}
}

static void test_check(void **state)
{
	struct diagnostics d;
	struct buf text;
	(void)state;
	diagnostics_init(&d);
	buf_init(&text, 20000);
	assert_ok(deploy_check(fleet, "f", &d, &why));
	diagnostics_sort(&d);
	assert_ok(diagnostics_print(&d, &text));
	assert_string_equal(buf_text(&text),
	                    "f:7:5: warning: driver 'shell' can't tell what ran before: without 'history: store' no rollback is planned\n"
	                    "f:19:69: warning: driver 'shell' can't tell what ran before: without 'history: store' no rollback is planned\n"
	                    "f:19:69: driver 'shell' works on the machine of 'n-1', which can't be reached: say 'ssh: yes' in group 'noshell'\n"
	                    "f:20:65: driver 'shell' needs 'unit': The unit.\n"
	                    "f:20:90: driver 'shell' has no option 'unt'; did you mean 'unit'?\n"
	                    "f:21:75: 'unit' is never that\n"
	                    "f:22:71: there is no driver 'servr'; did you mean 'server'?\n"
	                    "f:23:65: driver 'blind' can't tell which version runs: 'running' must be signal\n"
	                    "f:28:21: warning: no node serves 'nobody' yet that this 'deploy' would hold for\n");
	buf_release(&text);
	diagnostics_release(&d);
}

/* Many nodes of many groups: found in a time that a loop can spare; more than a plan can hold are refused. */
static void test_many(void **state)
{
	struct buf text;
	struct arena a;
	struct deploy_scope *s = NULL;
	(void)state;
	buf_init(&text, 1 << 20);
	buf_puts(&text, "groups:\n  - { name: g, model: m, profile: vllm, ssh: yes, nodes: [ \"n-[1-5000]\" ], deploy: { driver: shell, unit: u } }\n"
	                "  - { name: h, model: k, profile: vllm, nodes: [ \"n-[1-5001]\" ], deploy: { driver: server } }\n");
	struct fleet *f = read_fleet(buf_text(&text));
	arena_init(&a);
	assert_ok(scope_find(f, "m", &a, &s, &why));
	assert_int_equal(s->n_units, 5000);
	assert_string_equal(s->units[4999].destination, s->units[4999].name);
	assert_int_equal(scope_find(f, "k", &a, &s, &why), ERR_LIMIT);
	arena_release(&a);
	fleet_free(f);
	buf_release(&text);
}

static enum err find_once(void *ctx, struct why *w)
{
	struct arena a;
	struct deploy_scope *s = NULL;
	arena_init(&a);
	enum err e = scope_find(fleet, ctx, &a, &s, w);
	fault_end();
	assert_true((e == ERR_OK) == (s != NULL));
	arena_release(&a);
	return e;
}

static enum err check_once(void *ctx, struct why *w)
{
	struct diagnostics d;
	(void)ctx;
	diagnostics_init(&d);
	enum err e = deploy_check(fleet, "f", &d, w);
	bool has_failed = fault_end();
	assert_true(has_failed || (d.n_errors == 6 && d.n_warnings == 3));
	diagnostics_release(&d);
	return e;
}

static void test_faults(void **state)
{
	static char rankers[] = "rankers-eu", whole[] = "llama", several[] = "ranker", none[] = "rankes-eu", wrong[] = "wrong";
	(void)state;
	fault_loop("a group", ERR_OK, find_once, rankers);
	fault_loop("a model", ERR_OK, find_once, whole);
	fault_loop("several", ERR_USAGE, find_once, several);
	fault_loop("none", ERR_NOT_FOUND, find_once, none);
	fault_loop("mistakes", ERR_FORMAT, find_once, wrong);
	fault_loop("the check", ERR_OK, check_once, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_targets), cmocka_unit_test(test_choices), cmocka_unit_test(test_units), cmocka_unit_test(test_sources), cmocka_unit_test(test_alerts),
		                            cmocka_unit_test(test_check),   cmocka_unit_test(test_many),  cmocka_unit_test(test_faults) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
