/* SPDX-License-Identifier: Apache-2.0
 *
 * Redeploys and rollbacks on screens: how the sheet, the run and the list look in each state, and what their keys ask for. */
#include "tests/unit/unit.h"

#include "alerts/request.h"
#include "deploy/plan_lock.h"
#include "tests/unit/tui/deploys_stage.h"
#include "tests/unit/tui/golden.h"
#include "tests/unit/tui/sample_deploys.h"
#include "tests/unit/tui/sample_view.h"
#include "tui/console.h"
#include "tui/deploys_ask.h"
#include "tui/screens.h"
#include "tui/sheet.h"
#include "tui/sheet_lines.h"

static struct why why;

enum shown_as { UTF8, MONO, VT100, LOOKS };
static const char *const look_names[LOOKS] = { "", "_mono", "_vt100" };

static struct canvas *canvas_of(int rows, int cols, enum shown_as look)
{
	struct canvas *c = NULL;
	assert_ok(canvas_new(rows, cols, &c, &why));
	canvas_set_ascii(c, look == VT100);
	canvas_set_mono(c, look != UTF8);
	return c;
}

/* ---- pictures ---- */

static const struct {
	const char *name;
	int         rows, cols;
} sizes[] = { { "80x24", 22, 80 }, { "120x40", 38, 120 }, { "40x10", 8, 40 } };

static void shoot(struct screen *s, const struct view *v, const char *what, enum scene scene, int rows, int cols, const char *size, enum shown_as look)
{
	char name[128];
	struct canvas *c = canvas_of(rows, cols, look);
	s->kind->update(s, v);
	s->kind->draw(s, v, c); /* what it finds out is known the second time */
	canvas_clear(c);
	s->kind->draw(s, v, c);
	snprintf(name, sizeof name, "%s_%s_%s%s", what, scene_name(scene), size, look_names[look]);
	golden_check(c, name);
	canvas_free(c);
}

static void shoot_all(const char *what, enum scene scene)
{
	struct sample *sample = sample_new(48, 0);
	struct view *v = sample_view(sample);
	struct sample_deploys *d = sample_deploys_new(v, scene, false);
	const struct deploy_wish w = { DEPLOY_ROLLBACK, "ranker", "", "ErrorRatioHigh: 7.1% of the requests of ranker fail", 1 };
	struct screen *s = what[0] == 'r' ? run_screen_new(SAMPLE_DEPLOY_ID) : what[0] == 'd' ? deploys_screen_new() : sheet_screen_new(&w, SAMPLE_DEPLOY_REQUEST, v);
	assert_non_null(s);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		shoot(s, v, what, scene, sizes[i].rows, sizes[i].cols, sizes[i].name, UTF8);
	shoot(s, v, what, scene, 22, 80, "80x24", MONO);
	shoot(s, v, what, scene, 22, 80, "80x24", VT100);
	s->kind->free(s);
	sample_deploys_free(d);
	sample_free(sample);
}

static void test_the_sheet(void **state)
{
	(void)state;
	for (int i = 0; i < SCENE_RUNNING; i++)
		shoot_all("sheet", (enum scene)i);
}

static void test_the_run(void **state)
{
	(void)state;
	for (int i = SCENE_RUNNING; i < SCENES; i++)
		shoot_all("run", (enum scene)i);
}

static void test_the_list(void **state)
{
	(void)state;
	shoot_all("deploys", SCENE_SECOND);
	shoot_all("deploys", SCENE_RUNNING);
	shoot_all("deploys", SCENE_INTERRUPTED);
}

/* Nothing of theirs gets out of its row, at any size. */
static void test_hostile(void **state)
{
	static const int tried[] = { 1, 2, 3, 5, 8, 12, 22, 38 };
	(void)state;
	for (int scene = 0; scene < SCENES; scene++) {
		struct sample *sample = sample_new(16, SAMPLE_HOSTILE);
		struct view *v = sample_view(sample);
		struct sample_deploys *d = sample_deploys_new(v, (enum scene)scene, true);
		struct screen *screens[] = { sheet_screen_of(SAMPLE_DEPLOY_ID), run_screen_new(SAMPLE_DEPLOY_ID), deploys_screen_new() };
		for (size_t k = 0; k < 3; k++) {
			screens[k]->kind->update(screens[k], v);
			for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
				struct requests r = { 0 };
				struct canvas *c = canvas_of(tried[i], tried[i] * 4 - 3, (enum shown_as)(i % LOOKS));
				screens[k]->kind->draw(screens[k], v, c);
				for (int row = 0; row < canvas_rows(c); row++)
					for (int col = 0; col < canvas_cols(c); col++) {
						uint32_t ch = canvas_cell(c, row, col)->text[0];
						assert_true(ch == 0 || (ch >= 0x20 && ch != 0x7f && !(ch >= 0x80 && ch < 0xa0) && !(ch >= 0x202a && ch <= 0x202e)));
					}
				screens[k]->kind->command(screens[k], v, i % 2 == 0 ? COMMAND_DOWN : COMMAND_LAST, "", &r);
				canvas_free(c);
			}
			screens[k]->kind->free(screens[k]);
		}
		sample_deploys_free(d);
		sample_free(sample);
	}
}

/* ---- with keys, in a console ---- */


static void test_rollback_of_a_node(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, node_screen_new("gpu-a-07"), SCENE_ASKING);
	stage_press(&s, 'R');
	assert_string_equal(stage_top(&s), "SHEET");
	assert_non_null(s.ask);
	assert_int_equal(s.ask->kind, REQUEST_PLAN);
	assert_string_equal(s.ask->verb, "rollback");
	assert_string_equal(s.ask->target, "gpu-a-07");
	assert_string_equal(s.ask->to, "");
	/* Nothing is confirmed before there is something to confirm. */
	stage_settle(&s, true);
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 1);
	stage_press(&s, KEY_ESCAPE);
	assert_string_equal(stage_top(&s), "NODE");
	stage_close(&s);
}

static void test_redeploy_of_a_model(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, fleet_screen_new(), SCENE_ASKING);
	stage_press(&s, 'm');
	stage_press(&s, 'D');
	assert_int_equal(s.n_asks, 1);
	assert_string_equal(s.ask->verb, "redeploy");
	assert_string_equal(s.ask->target, s.view->fleet->models[0].model[0] != '\0' ? s.ask->target : "");
	bool is_model = false;
	for (size_t i = 0; i < s.view->fleet->n_models; i++)
		is_model |= strcmp(s.ask->target, s.view->fleet->models[i].model) == 0;
	assert_true(is_model);
	stage_close(&s);
}

/* A model that is deployed in several places: one is chosen from a list. */
static void test_several_places(void **state)
{
	struct stage s;
	(void)state;
	const struct deploy_wish w = { DEPLOY_REDEPLOY, "ranker", "", "", 0 };
	struct sample *sample = sample_new(48, 0);
	struct view *v = sample_view(sample);
	struct sample_deploys *d = sample_deploys_new(v, SCENE_NO_PLAN, false);
	sample_deploys_detail(d)->err = ERR_USAGE;
	sample_deploys_detail(d)->why = "'ranker' is deployed in 2 places; name one of scope:ranker-eu, scope:ranker-us";
	struct screen *screen = sheet_screen_new(&w, SAMPLE_DEPLOY_REQUEST, v);
	shoot(screen, v, "sheet_places", SCENE_NO_PLAN, 22, 80, "80x24", UTF8);
	screen->kind->free(screen);
	sample_deploys_free(d);
	sample_free(sample);

	stage_open(&s, node_screen_new("gpu-a-07"), SCENE_ASKING);
	stage_press(&s, 'D');
	assert_int_equal(s.n_asks, 1);
	stage_press(&s, KEY_ENTER); /* there is nothing to choose yet */
	assert_int_equal(s.n_asks, 1);
	struct deploy_detail *answer = sample_deploys_detail(s.deploys);
	memcpy(answer->request, s.ask->id, sizeof answer->request);
	answer->err = ERR_USAGE;
	answer->why = "'ranker' is deployed in 2 places; name one of scope:ranker-eu, scope:ranker-us";
	console_changed(s.console);
	stage_paint(&s);
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 1);
	stage_press(&s, KEY_DOWN);
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 2);
	assert_string_equal(s.ask->verb, "redeploy");
	assert_string_equal(s.ask->target, "scope:ranker-us");
	stage_press(&s, KEY_ENTER); /* what was chosen among is gone */
	assert_int_equal(s.n_asks, 2);
	assert_string_equal(stage_top(&s), "SHEET");
	stage_close(&s);
}

/* What is tagged on the fleet is what is meant, in the fleet's order. */
static void test_tagged_nodes(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, fleet_screen_new(), SCENE_ASKING);
	char want[300];
	const struct node_row *nodes = s.view->fleet->nodes;
	stage_press(&s, KEY_END);
	stage_press(&s, ' ');
	stage_press(&s, KEY_HOME);
	stage_press(&s, ' ');
	stage_press(&s, KEY_RIGHT);
	stage_press(&s, 'D');
	assert_int_equal(s.n_asks, 1);
	size_t first = SIZE_MAX, second = SIZE_MAX;
	for (size_t i = 0; i < s.view->fleet->n_nodes; i++)
		for (size_t k = i + 1; k < s.view->fleet->n_nodes; k++) {
			snprintf(want, sizeof want, "%s,%s", nodes[i].node, nodes[k].node);
			if (strcmp(s.ask->target, want) != 0)
				continue;
			first = i;
			second = k;
		}
	assert_true(first == 0 && second != SIZE_MAX); /* and not the one that is selected */
	assert_string_equal(s.ask->verb, "redeploy");
	stage_close(&s);
}

static void test_confirm_by_a_key(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_press(&s, 'y'); /* typed ahead */
	assert_int_equal(stage_settle(&s, true), 500);
	stage_press(&s, 'y');
	assert_int_equal(s.n_asks, 0);
	assert_int_equal(stage_settle(&s, true), 80);
	assert_int_equal(s.n_asks, 1);
	assert_int_equal(s.ask->kind, REQUEST_CONFIRM);
	assert_int_equal(s.ask->deployment, SAMPLE_DEPLOY_ID);
	assert_string_equal(s.ask->name, "");
	assert_string_equal(stage_top(&s), "DEPLOY");
	/* Below it the sheet stays, and does not ask twice. */
	stage_press(&s, 'q');
	assert_string_equal(stage_top(&s), "SHEET");
	stage_settle(&s, true);
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 1);
	stage_close(&s);
}

/* Once there is a run, whoever leaves it is where it was asked for. */
static void test_back_from_a_run(void **state)
{
	static const struct { const char *label; enum deployment_state state; bool is_begun; const char *want; } rows[] = {
		{ "it runs", DEPLOYMENT_RUNNING, true, "NODE" }, { "it is done", DEPLOYMENT_DONE, true, "NODE" }, { "it stopped", DEPLOYMENT_STOPPED, true, "NODE" },
		{ "it was refused", DEPLOYMENT_REFUSED, false, "SHEET" }, { "it is not begun yet", DEPLOYMENT_PLANNED, false, "SHEET" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		stage_open(&s, node_screen_new("gpu-a-07"), SCENE_PLANNED);
		console_push(s.console, sheet_screen_of(SAMPLE_DEPLOY_ID));
		stage_settle(&s, true);
		stage_press(&s, 'y');
		stage_settle(&s, true);
		assert_string_equal(stage_top(&s), "DEPLOY");
		struct deploy_detail *d = sample_deploys_detail(s.deploys);
		d->at.last.state = rows[i].state;
		d->at.began_ms = rows[i].is_begun ? s.view->t_ms : 0;
		console_changed(s.console);
		stage_press(&s, KEY_ESCAPE);
		if (strcmp(stage_top(&s), rows[i].want) != 0)
			fail_msg("%s: it leads to %s", rows[i].label, stage_top(&s));
		stage_close(&s);
	}
}

static void test_a_paste_confirms_nothing(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_settle(&s, true);
	const struct input_event pasted = { .kind = INPUT_PASTE, .text = "y\n", .text_len = 2 };
	console_event(s.console, &pasted);
	stage_settle(&s, true);
	stage_settle(&s, true);
	/* A paste without brackets is many keys at once. */
	for (const char *p = "deploy"; *p != '\0'; p++) {
		const struct input_event e = { .kind = INPUT_KEY, .key = { .code = (uint32_t)*p } };
		console_event(s.console, &e);
	}
	stage_settle(&s, true);
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 0);
	/* What is in the line yet counts as typed. */
	stage_press(&s, 'y');
	stage_settle(&s, false);
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 0);
	stage_close(&s);
}

static void test_confirm_by_name(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_BY_NAME);
	stage_settle(&s, true);
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 0);
	golden_check(s.canvas, "sheet_typing_80x24");
	stage_type(&s, "ranker");
	stage_press(&s, KEY_ENTER);
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 1);
	assert_string_equal(s.ask->name, "ranker");
	stage_close(&s);
}

static void test_a_changed_plan_is_looked_at_again(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_settle(&s, true);
	stage_paint(&s);
	golden_check(s.canvas, "sheet_armed_80x24");
	sample_deploys_detail(s.deploys)->at.row.hash = "another";
	console_changed(s.console);
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 0);
	stage_close(&s);
}

/* The half second begins anew when another view was over it. */
static void test_covered(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_settle(&s, true);
	stage_press(&s, '?');
	stage_paint(&s);
	console_shown(s.console);
	stage_press(&s, 'q');
	assert_string_equal(stage_top(&s), "SHEET");
	stage_paint(&s);
	assert_int_equal(console_shown(s.console), 500);
	stage_press(&s, 'y');
	console_settled(s.console, true);
	assert_int_equal(s.n_asks, 0);
	stage_close(&s);
}

static void test_two_persons(void **state)
{
	struct stage s;
	(void)state;
	/* Alice has confirmed, and can't again. */
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_SECOND);
	stage_settle(&s, true);
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 0);
	/* Bob can. */
	s.view->person = (struct view_person){ .who = "bob", .account = "bob", .origin = "", .console = "other", .refusal = "" };
	stage_close(&s);
	stage_open(&s, deploys_screen_new(), SCENE_SECOND);
	s.view->person = (struct view_person){ .who = "bob", .account = "bob", .origin = "", .console = "other", .refusal = "" };
	stage_press(&s, KEY_ENTER);
	assert_string_equal(stage_top(&s), "SHEET");
	stage_settle(&s, true);
	golden_check(s.canvas, "sheet_second_armed_80x24");
	stage_press(&s, 'y');
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 1);
	assert_string_equal(s.ask->who, "bob");
	assert_string_equal(stage_top(&s), "DEPLOY");
	stage_close(&s);
}

static void test_what_cannot_be_confirmed(void **state)
{
	static const enum scene scenes[] = { SCENE_FORBIDDEN, SCENE_EXPIRED, SCENE_RUNNING, SCENE_DONE, SCENE_NO_PLAN };
	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		struct stage s;
		stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), scenes[i]);
		stage_settle(&s, true);
		stage_press(&s, 'y');
		stage_settle(&s, true);
		assert_row(scene_name(scenes[i]), s.n_asks == 0);
		stage_close(&s);
	}
	for (int past = 0; past < 2; past++) {
		struct stage s;
		stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
		if (past)
			s.view->mode = VIEW_PAUSED;
		else
			s.view->person.refusal = "--read-only was given: nothing can be asked for";
		console_changed(s.console);
		stage_settle(&s, true);
		stage_press(&s, 'y');
		stage_settle(&s, true);
		assert_int_equal(s.n_asks, 0);
		stage_close(&s);
	}
}

static void test_versions_and_reason(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_press(&s, 'v');
	golden_check(s.canvas, "sheet_versions_80x24");
	stage_press(&s, KEY_DOWN);
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 1);
	assert_int_equal(s.ask->kind, REQUEST_PLAN);
	assert_string_equal(s.ask->to, "12.2");
	assert_string_equal(s.ask->verb, "rollback");
	assert_string_equal(s.ask->target, "ranker");
	assert_int_equal(s.ask->alert, 1);
	stage_press(&s, 'r');
	stage_type(&s, " yq");
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 2);
	assert_string_equal(s.ask->comment, "ErrorRatioHigh: 7.1% of the requests of ranker fail yq");
	assert_string_equal(s.ask->to, "12.2");
	stage_close(&s);
}

/* What the driver of the plan can do instead: where it has nothing of the kind the key says so. */
static void test_actions(void **state)
{
	static struct driver_action actions[] = { { "pause", -1, "let nothing roll out for now" }, { "scale", 10000, "another number of replicas" } };
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_press(&s, 'a');
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 0);
	sample_deploys_plan(s.deploys)->actions = actions;
	sample_deploys_plan(s.deploys)->n_actions = 2;
	console_changed(s.console);
	stage_press(&s, 'a');
	golden_check(s.canvas, "sheet_actions_80x24");
	stage_press(&s, KEY_ESCAPE);
	assert_string_equal(stage_top(&s), "SHEET");
	stage_press(&s, 'a');
	stage_press(&s, 'y'); /* nothing is confirmed among them */
	stage_settle(&s, true);
	assert_int_equal(s.n_asks, 0);
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 1);
	assert_int_equal(s.ask->kind, REQUEST_PLAN);
	assert_string_equal(s.ask->verb, "redeploy"); /* though the sheet was of a rollback */
	assert_string_equal(s.ask->to, "pause");
	assert_string_equal(s.ask->target, "ranker");
	stage_close(&s);
}

static void test_an_action_with_a_number(void **state)
{
	static struct driver_action actions[] = { { "pause", -1, "let nothing roll out for now" }, { "scale", 10000, "another number of replicas" } };
	static const char *const no_numbers[] = { "", "x", "-1", "10001", "3x" };
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	sample_deploys_plan(s.deploys)->actions = actions;
	sample_deploys_plan(s.deploys)->n_actions = 2;
	console_changed(s.console);
	stage_press(&s, 'a');
	stage_press(&s, KEY_DOWN);
	stage_press(&s, KEY_ENTER);
	for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++) {
		stage_type(&s, no_numbers[i]);
		stage_press(&s, KEY_ENTER);
		assert_row(no_numbers[i], s.n_asks == 0);
	}
	stage_type(&s, "1");
	golden_check(s.canvas, "sheet_number_80x24");
	stage_type(&s, "2");
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 1);
	assert_string_equal(s.ask->verb, "redeploy");
	assert_string_equal(s.ask->to, "scale=12");
	stage_close(&s);
}

/* A version that is chosen afterwards is gone back to, as the sheet was opened for. */
static void test_a_version_after_an_action(void **state)
{
	static struct driver_action actions[] = { { "pause", -1, "let nothing roll out for now" } };
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	sample_deploys_plan(s.deploys)->actions = actions;
	sample_deploys_plan(s.deploys)->n_actions = 1;
	console_changed(s.console);
	stage_press(&s, 'a');
	stage_press(&s, KEY_ENTER);
	assert_string_equal(s.ask->verb, "redeploy");
	struct deploy_detail *answer = sample_deploys_detail(s.deploys); /* its plan */
	memcpy(answer->request, s.ask->id, sizeof answer->request);
	console_changed(s.console);
	stage_paint(&s);
	stage_press(&s, 'v');
	stage_press(&s, KEY_DOWN);
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 2);
	assert_string_equal(s.ask->verb, "rollback");
	assert_string_equal(s.ask->to, "12.2");
	stage_close(&s);
}

/* Who may not act is offered nothing. */
static void test_actions_of_a_viewer(void **state)
{
	static struct driver_action actions[] = { { "pause", -1, "let nothing roll out for now" } };
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	sample_deploys_plan(s.deploys)->actions = actions;
	sample_deploys_plan(s.deploys)->n_actions = 1;
	s.view->person.refusal = "--read-only was given: nothing can be asked for";
	console_changed(s.console);
	stage_press(&s, 'a');
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 0);
	stage_close(&s);
}

static void test_unfolding(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	stage_paint(&s);
	stage_press(&s, 'f');
	stage_press(&s, KEY_END);
	golden_check(s.canvas, "sheet_end_80x24");
	stage_press(&s, 'f');
	stage_press(&s, KEY_HOME);
	for (int i = 0; i < 21; i++)
		stage_press(&s, KEY_DOWN);
	golden_check(s.canvas, "sheet_sent_80x24");
	stage_close(&s);
}

/* What an unfolded unit's rows say, without blanks. */
static void put_squeezed(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text != ' ' && *text != '\n' && *text != '\t')
			buf_putc(to, *text);
}

/* The commands that lock a machine are shown like each other one: whole. */
static void test_locks_are_shown(void **state)
{
	struct stage s;
	struct sheet_lines lines;
	struct ask take, give_back;
	struct buf have, want, text;
	(void)state;
	stage_open(&s, sheet_screen_of(SAMPLE_DEPLOY_ID), SCENE_PLANNED);
	struct deploy_plan *p = sample_deploys_plan(s.deploys);
	bool *unfolded = calloc(p->n_units, sizeof *unfolded);
	size_t at = 0;
	while (!plan_unit_acts(&p->units[at]))
		at++;
	unfolded[at] = true;
	p->lock = "/tmp/.pitwall-lock-ranker-1";
	p->units[at].unit.destination = "gpu-a-01";
	sheet_lines_init(&lines);
	assert_ok(sheet_lines_fill(&lines, &(struct sheet_lines_options){ .plan = p, .view = s.view, .deployment = SAMPLE_DEPLOY_ID, .unfolded = unfolded, .cols = 80 }));
	buf_init(&have, PLAN_BYTES_MAX);
	buf_init(&want, PLAN_BYTES_MAX);
	buf_init(&text, PLAN_BYTES_MAX);
	for (size_t i = 0; i < lines.n; i++)
		put_squeezed(&have, lines.items[i].text);
	plan_lock_asks(p, &p->units[at], &lines.arena, &take, &give_back);
	ask_print(&take, PLAN_BYTES_MAX, &text);
	put_squeezed(&want, buf_text(&text));
	assert_non_null(strstr(buf_text(&have), buf_text(&want)));
	assert_non_null(strstr(buf_text(&want), "take"));
	buf_clear(&text);
	buf_clear(&want);
	ask_print(&give_back, PLAN_BYTES_MAX, &text);
	put_squeezed(&want, buf_text(&text));
	assert_non_null(strstr(buf_text(&have), buf_text(&want)));
	buf_release(&have);
	buf_release(&want);
	buf_release(&text);
	sheet_lines_release(&lines);
	free(unfolded);
	stage_close(&s);
}

/* Who sits here is asked first where several people use the account. */
static void test_who(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s, node_screen_new("gpu-a-07"), SCENE_ASKING);
	s.view->person = (struct view_person){ .who = "", .account = "ops", .origin = "", .console = "me", .refusal = "", .must_ask = true };
	stage_press(&s, 'R');
	assert_int_equal(s.n_asks, 0);
	stage_type(&s, "carol");
	stage_press(&s, KEY_ENTER);
	assert_int_equal(s.n_asks, 1);
	assert_string_equal(s.ask->who, "carol");
	assert_string_equal(s.ask->target, "gpu-a-07");
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sheet),
		cmocka_unit_test(test_the_run),
		cmocka_unit_test(test_the_list),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_rollback_of_a_node),
		cmocka_unit_test(test_redeploy_of_a_model),
		cmocka_unit_test(test_several_places),
		cmocka_unit_test(test_tagged_nodes),
		cmocka_unit_test(test_confirm_by_a_key),
		cmocka_unit_test(test_back_from_a_run),
		cmocka_unit_test(test_a_paste_confirms_nothing),
		cmocka_unit_test(test_confirm_by_name),
		cmocka_unit_test(test_a_changed_plan_is_looked_at_again),
		cmocka_unit_test(test_covered),
		cmocka_unit_test(test_two_persons),
		cmocka_unit_test(test_what_cannot_be_confirmed),
		cmocka_unit_test(test_versions_and_reason),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_an_action_with_a_number),
		cmocka_unit_test(test_a_version_after_an_action),
		cmocka_unit_test(test_actions_of_a_viewer),
		cmocka_unit_test(test_unfolding),
		cmocka_unit_test(test_locks_are_shown),
		cmocka_unit_test(test_who),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
