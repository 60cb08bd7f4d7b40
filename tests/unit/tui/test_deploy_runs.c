/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a run, and how screens that are about something else tell of one. How the run looks: test_deploys.c. */
#include "tests/unit/unit.h"

#include "alerts/request.h"
#include "tests/unit/tui/deploys_stage.h"
#include "tests/unit/tui/golden.h"
#include "tests/unit/tui/sample_deploys.h"
#include "tests/unit/tui/sample_view.h"
#include "tui/alerts_detail.h"
#include "tui/console.h"
#include "tui/deploy_progress.h"
#include "tui/deploys_ask.h"
#include "tui/deploys_text.h"
#include "tui/screens.h"

/* ---- the run ---- */

static void test_controls(void **state)
{
	static const struct {
		const char *label;
		enum scene  scene;
		uint32_t    key;
		const char *typed; /* NULL: a plain question; "-": none at all */
		const char *verb;  /* "": nothing is asked for */
	} rows[] = {
		{ "pause", SCENE_RUNNING, ' ', "-", "pause" },
		{ "go on after a pause", SCENE_PAUSED, ' ', "-", "resume" },
		{ "go on after a stop", SCENE_STOPPED, ' ', NULL, "resume" },
		{ "go on after an interruption", SCENE_INTERRUPTED, ' ', NULL, "resume" },
		{ "nothing to pause", SCENE_DONE, ' ', "-", "" },
		{ "undo", SCENE_RUNNING, 'u', "ranker", "undo" },
		{ "undo, another name typed", SCENE_STOPPED, 'u', "rank", "" },
		{ "undo of one that is over", SCENE_DONE, 'u', "-", "" },
		{ "abort", SCENE_RUNNING, 'a', NULL, "abort" },
		{ "skip what failed", SCENE_STOPPED, 'k', NULL, "skip" },
		{ "nothing failed", SCENE_PAUSED, 'k', "-", "" },
		{ "pass the gate", SCENE_STOPPED, 'g', "ranker", "pass" },
		{ "no gate", SCENE_RUNNING, 'g', "-", "" },
		{ "abandon", SCENE_INTERRUPTED, 'A', "ranker", "abandon" },
		{ "abandon one that runs", SCENE_RUNNING, 'A', "-", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		stage_open(&s, run_screen_new(SAMPLE_DEPLOY_ID), rows[i].scene);
		stage_paint(&s);
		stage_press(&s, rows[i].key);
		bool has_dialog = strcmp(stage_top(&s), "DEPLOY") != 0;
		assert_row(rows[i].label, has_dialog == (rows[i].typed == NULL || rows[i].typed[0] != '-'));
		if (has_dialog && rows[i].typed != NULL)
			stage_type(&s, rows[i].typed);
		if (has_dialog)
			stage_press(&s, KEY_ENTER);
		assert_row(rows[i].label, s.n_asks == (rows[i].verb[0] != '\0'));
		if (s.n_asks > 0) {
			assert_row(rows[i].label, s.ask->kind == REQUEST_CONTROL && s.ask->deployment == SAMPLE_DEPLOY_ID);
			assert_row(rows[i].label, strcmp(s.ask->verb, rows[i].verb) == 0);
		}
		stage_close(&s);
	}
}

static void test_the_undo_dialog(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, run_screen_new(SAMPLE_DEPLOY_ID), SCENE_STOPPED);
	stage_paint(&s);
	stage_press(&s, 'u');
	golden_check(s.canvas, "run_undo_80x24");
	stage_press(&s, KEY_ESCAPE); /* what it would have asked for goes */
	assert_int_equal(s.n_asks, 0);
	stage_close(&s);
}

/* What the gate does not look at stands in no limit. */
static void test_a_gate_that_is_off(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, run_screen_new(SAMPLE_DEPLOY_ID), SCENE_RUNNING);
	struct deploy_plan *p = (struct deploy_plan *)(uintptr_t)deploy_detail_of(s.view, SAMPLE_DEPLOY_ID)->plan;
	p->gate.latency_ratio = p->gate.error_add = 0;
	stage_paint(&s);
	golden_check(s.canvas, "run_gate_off_80x24");
	stage_close(&s);
}

static void test_going_about(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, run_screen_new(SAMPLE_DEPLOY_ID), SCENE_RUNNING);
	stage_paint(&s);
	stage_press(&s, KEY_UP); /* to the wave before */
	stage_press(&s, KEY_RIGHT);
	stage_press(&s, KEY_ENTER);
	assert_string_equal(stage_top(&s), "NODE");
	stage_close(&s);
}

/* ---- on every screen ---- */

static void test_the_banner(void **state)
{
	static const struct {
		enum scene  scene;
		const char *want; /* NULL: no line */
	} rows[] = {
		{ SCENE_ASKING, NULL },
		{ SCENE_PLANNED, NULL },
		{ SCENE_DONE, NULL },
		{ SCENE_SECOND, "rollback of ranker waits for a second person" },
		{ SCENE_RUNNING, "rollback of ranker: wave 3 of 4, 27 steps done" },
		{ SCENE_UNDOING, "rollback of ranker: puts back what was touched, 30 steps done" },
		{ SCENE_PAUSED, "unfinished: rollback of ranker, paused 30s ago: look at the queue first" },
		{ SCENE_INTERRUPTED, "unfinished: rollback of ranker, interrupted 15s ago: the recorder that ran it is gone" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sample *sample = sample_new(3, 0);
		struct sample_deploys *d = sample_deploys_new(sample_view(sample), rows[i].scene, false);
		struct buf text;
		enum role role;
		buf_init(&text, 1000);
		bool has_any = deploys_banner(sample_view(sample), &text, &role);
		assert_row(scene_name(rows[i].scene), has_any == (rows[i].want != NULL));
		if (has_any && strcmp(buf_text(&text), rows[i].want) != 0)
			fail_msg("%s: '%s'", scene_name(rows[i].scene), buf_text(&text));
		buf_release(&text);
		sample_deploys_free(d);
		sample_free(sample);
	}
}

static void test_the_banner_in_a_console(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, fleet_screen_new(), SCENE_RUNNING);
	stage_paint(&s);
	golden_check(s.canvas, "deploy_banner_running");
	stage_close(&s);
	stage_open(&s, fleet_screen_new(), SCENE_STOPPED);
	stage_paint(&s);
	golden_check(s.canvas, "deploy_banner_stopped");
	stage_close(&s);
}

static void test_what_is_unfinished_is_offered(void **state)
{
	static const struct {
		enum scene first, then;
		int        n; /* how often it is */
	} rows[] = {
		{ SCENE_INTERRUPTED, SCENE_INTERRUPTED, 1 }, { SCENE_STOPPED, SCENE_STOPPED, 1 }, { SCENE_RUNNING, SCENE_INTERRUPTED, 1 },
		{ SCENE_RUNNING, SCENE_STOPPED, 0 },         { SCENE_DONE, SCENE_DONE, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct deploys_offered o = { 0 };
		int n = 0;
		for (int k = 0; k < 3; k++) {
			struct sample *sample = sample_new(3, 0);
			struct sample_deploys *d = sample_deploys_new(sample_view(sample), k == 0 ? rows[i].first : rows[i].then, false);
			struct screen *s = deploys_offer(&o, sample_view(sample));
			n += s != NULL;
			if (s != NULL)
				s->kind->free(s);
			sample_deploys_free(d);
			sample_free(sample);
		}
		assert_row(scene_name(rows[i].then), n == rows[i].n);
	}
	struct stage s;
	struct deploys_offered o = { 0 };
	stage_open(&s, fleet_screen_new(), SCENE_INTERRUPTED);
	console_push(s.console, deploys_offer(&o, s.view));
	stage_paint(&s);
	golden_check(s.canvas, "deploy_unfinished");
	stage_press(&s, KEY_ENTER);
	assert_string_equal(stage_top(&s), "DEPLOY");
	stage_close(&s);
}

/* ---- alerts ---- */

static void test_rollback_of_an_alert(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, alert_screen_new("{alertname=\"ErrorRatioHigh\",model=\"ranker\"}"), SCENE_ASKING);
	struct screen *alert = alert_screen_new("{alertname=\"ErrorRatioHigh\",model=\"ranker\"}");
	sample_answer(s.sample, alert, 1, NULL);
	struct version_suggestion why_it_began = { .model = "ranker", .from = "12.3", .to = "12.4", .n_nodes = 12, .at_ms = s.view->t_ms - 560000, .before_ms = 250000 };
	struct alerts_detail with = *s.view->alerts_detail;
	with.suggestion = &why_it_began;
	s.view->alerts_detail = &with;
	console_changed(s.console);
	stage_paint(&s);
	golden_check(s.canvas, "alert_suggestion_80x24");
	stage_press(&s, 'R');
	assert_int_equal(s.n_asks, 1);
	assert_string_equal(s.ask->target, "ranker");
	assert_string_equal(s.ask->to, "12.3");
	assert_string_equal(s.ask->comment, "ErrorRatioHigh: 7.1% of the requests of ranker fail");
	assert_true(s.ask->alert > 0);
	/* A redeploy goes nowhere else. */
	stage_press(&s, KEY_ESCAPE);
	stage_press(&s, 'D');
	assert_string_equal(s.ask->verb, "redeploy");
	assert_string_equal(s.ask->to, "");
	alert->kind->free(alert);
	stage_close(&s);
}

/* ---- progress ---- */

static void test_progress(void **state)
{
	struct sample *sample = sample_new(3, 0);
	struct sample_deploys *d = sample_deploys_new(sample_view(sample), SCENE_STOPPED, false);
	struct deploy_detail *t = sample_deploys_detail(d);
	struct deploy_progress p;
	struct arena a;
	(void)state;
	arena_init(&a);
	assert_int_equal(deploy_progress_make(&a, t->plan, t->steps, t->n_steps, sample_view(sample)->t_ms, &p), ERR_OK);
	assert_int_equal(p.wave, 2);
	assert_int_equal(p.n, 15);
	assert_int_equal(p.n_done, 7);
	assert_int_equal(p.n_failed, 1);
	assert_int_equal(p.waves[0].gate, WAVE_GATE_PASSED);
	assert_int_equal(p.waves[2].gate, WAVE_GATE_FAILED);
	assert_int_equal(p.waves[2].n_done, 3);
	assert_int_equal(p.waves[2].left_ms, -1);
	assert_int_equal(p.waves[3].n_left, 7);
	/* Four rounds of 40 s and a soak of 2 min. */
	assert_int_equal(p.waves[3].left_ms, 4 * 40000 + 120000);
	assert_int_equal(p.units[15].state, UNIT_LEFT_OUT);
	assert_int_equal(p.units[7].state, UNIT_FAILED);
	assert_int_equal(p.units[8].state, UNIT_WAITS);
	/* A person let it go on: the next wave begins. */
	struct deployment_step *next = &t->steps[t->n_steps++];
	*next = t->steps[0];
	next->seq = (int64_t)t->n_steps;
	next->wave = 3;
	next->unit = "gpu-a-09";
	next->state = STEP_BEGUN;
	next->progress = 0.5;
	assert_int_equal(deploy_progress_make(&a, t->plan, t->steps, t->n_steps, sample_view(sample)->t_ms, &p), ERR_OK);
	assert_int_equal(p.wave, 3);
	assert_int_equal(p.waves[2].gate, WAVE_GATE_ACCEPTED);
	assert_int_equal(p.units[8].state, UNIT_GOING);
	assert_true(p.units[8].progress > 0.12 && p.units[8].progress < 0.13);
	t->n_steps--;
	/* A journal that names units and waves which the plan does not have. */
	t->steps[0].unit = "nobody";
	t->steps[4].wave = 1000;
	assert_int_equal(deploy_progress_make(&a, t->plan, t->steps, t->n_steps, sample_view(sample)->t_ms, &p), ERR_OK);
	assert_int_equal(p.waves[0].gate, WAVE_GATE_NONE);
	assert_int_equal(p.wave, 2);
	arena_release(&a);
	sample_deploys_free(d);
	sample_free(sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_the_undo_dialog),
		cmocka_unit_test(test_a_gate_that_is_off),
		cmocka_unit_test(test_going_about),
		cmocka_unit_test(test_the_banner),
		cmocka_unit_test(test_the_banner_in_a_console),
		cmocka_unit_test(test_what_is_unfinished_is_offered),
		cmocka_unit_test(test_rollback_of_an_alert),
		cmocka_unit_test(test_progress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
