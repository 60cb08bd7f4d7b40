/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/tui/sample_deploys.h"

#include <math.h>

enum { N_UNITS = 16, N_WAVES = 4, STEPS = 4 };

struct sample_deploys {
	struct arena         arena;
	struct deploy_plan   plan;
	struct deploys_view  list;
	struct deploy_detail detail;
	int64_t              t_ms;
	bool                 is_hostile;
};

static const struct actor alice = { "alice", "alice", "10.0.0.5" }, bob = { "bob", "svc-ops", "" }, pitwall = { "", "", "" };

static const char *text(struct sample_deploys *s, const char *tame)
{
	static const char hostile[] = "\033[2J\033[31mred\033[0m \xe2\x80\xae" "gnp.exe 漢字 \xff\xfe\nline two %s%n";
	return arena_text(&s->arena, s->is_hostile ? hostile : tame);
}

/* ---- the plan ---- */

static void add_step(struct sample_deploys *s, struct steps *to, enum phase phase, const char *title, bool changes)
{
	struct step *st = &to->items[to->n++];
	*st = (struct step){ .phase = phase, .title = text(s, title), .note = "", .changes = changes, .is_repeatable = true };
}

static void add_steps(struct sample_deploys *s, struct plan_unit *u)
{
	u->forward.items = arena_zeroed(&s->arena, STEPS, sizeof *u->forward.items);
	u->back.items = arena_zeroed(&s->arena, STEPS, sizeof *u->back.items);
	assert_false(arena_failed(&s->arena));
	add_step(s, &u->forward, PHASE_DRAIN, "take it out of the balancer", true);
	ask_http(&s->arena, &u->forward.items[0].ask, "POST", arena_printf(&s->arena, "http://%s:8000/drain", s->is_hostile ? "x" : u->unit.node),
	         "{\"state\":\"draining\",\"why\":\"rollback of ranker\"}");
	add_step(s, &u->forward, PHASE_CHANGE, "switch current to 12.3", true);
	ask_run(&s->arena, &u->forward.items[1].ask, "ln", "-sfn", "--", "/srv/ranker/releases/12.3", "/srv/ranker/current.new", NULL);
	add_step(s, &u->forward, PHASE_CHANGE, "restart ranker.service", true);
	ask_run(&s->arena, &u->forward.items[2].ask, "sudo", "-n", "systemctl", "restart", "--", "ranker.service", NULL);
	add_step(s, &u->forward, PHASE_READY, "wait until it serves 12.3", false);
	ask_http(&s->arena, &u->forward.items[3].ask, "GET", arena_printf(&s->arena, "http://%s:8000/v2/models/ranker/ready", s->is_hostile ? "x" : u->unit.node), NULL);
	add_step(s, &u->back, PHASE_CHANGE, "switch current to 12.4", true);
	add_step(s, &u->back, PHASE_CHANGE, "restart ranker.service", true);
	add_step(s, &u->back, PHASE_READY, "wait until it serves 12.4", false);
}

static size_t wave_of(size_t unit)
{
	return unit == 0 ? 0 : unit < 4 ? 1 : unit < 8 ? 2 : unit < 15 ? 3 : N_WAVES;
}

static void add_units(struct sample_deploys *s)
{
	struct deploy_plan *p = &s->plan;
	p->units = arena_zeroed(&s->arena, N_UNITS, sizeof *p->units);
	assert_non_null(p->units);
	p->n_units = N_UNITS;
	p->n_waves = N_WAVES;
	p->at_once = 2;
	for (size_t i = 0; i < N_UNITS; i++) {
		struct plan_unit *u = &p->units[i];
		const char *name = text(s, arena_printf(&s->arena, "gpu-a-%02zu", i + 1));
		u->unit = (struct unit){ .name = name, .node = name, .model = "ranker", .group = "rankers-eu", .url = "", .destination = "", .user = "" };
		u->from = "12.4";
		u->skipped = i == 15 ? text(s, "it did not answer: connection timed out") : "";
		u->wave = wave_of(i);
		u->key = u->wave < N_WAVES ? arena_printf(&s->arena, "k-%zu", i) : "";
		add_steps(s, u);
	}
}

static void add_versions(struct sample_deploys *s)
{
	struct deploy_plan *p = &s->plan;
	const struct plan_version versions[] = {
		{ .version = { .id = "12.4", .name = text(s, "12.4"), .image = "", .tag = "12.4", .model_version = "4", .config_hash = "9f2c41", .by = text(s, "ci-deploy"),
		    .cause = text(s, "ranker 12.4: new features"), .since_ms = s->t_ms - 560000, .is_running = true, .is_present = true, .data = "" },
		  .health = HEALTH_BAD, .evidence = text(s, "errors 7.1 % since it came, 0.1 % before"), .n_units = 15 },
		{ .version = { .id = "12.3", .name = text(s, "12.3"), .image = "", .tag = "12.3", .model_version = "4", .config_hash = "77aa01", .by = "", .cause = "",
		    .since_ms = s->t_ms - 6 * 86400000LL, .is_present = true, .data = "" },
		  .health = HEALTH_GOOD, .evidence = text(s, "served 6d, p99 0.18 s, errors 0.1 %") },
		{ .version = { .id = "12.2", .name = text(s, "12.2"), .image = "", .tag = "12.2", .model_version = "3", .config_hash = "77aa01", .by = "", .cause = "",
		    .since_ms = s->t_ms - 20 * 86400000LL, .data = "" },
		  .health = HEALTH_UNKNOWN, .evidence = "" },
	};
	p->versions = arena_zeroed(&s->arena, 3, sizeof *p->versions);
	assert_non_null(p->versions);
	memcpy(p->versions, versions, sizeof versions);
	p->n_versions = 3;
	p->from = &p->versions[0];
	p->to = &p->versions[1];
}

static void add_warnings(struct sample_deploys *s, enum scene scene)
{
	const struct warning warnings[] = {
		{ scene == SCENE_FORBIDDEN ? WARNING_FORBIDS : WARNING_SERIOUS,
		  text(s, scene == SCENE_FORBIDDEN ? "no source of versions is declared for ranker: say `running: signal` in its `deploy`, or use a driver that tells"
		                                   : "gpu-a-16 does not answer: it is left out") },
		{ WARNING_CARE, text(s, "the configuration changed between 12.3 and 12.4 (77aa01, 9f2c41)") },
		{ WARNING_NOTE, text(s, "ranker was redeployed 9m20s ago by ci-deploy") },
	};
	size_t from = scene == SCENE_BY_NAME || scene == SCENE_FORBIDDEN ? 0 : 1;
	s->plan.warnings = arena_zeroed(&s->arena, 3, sizeof *s->plan.warnings);
	assert_non_null(s->plan.warnings);
	for (size_t i = from; i < 3; i++)
		s->plan.warnings[s->plan.n_warnings++] = warnings[i];
}

static void make_plan(struct sample_deploys *s, enum scene scene)
{
	struct deploy_plan *p = &s->plan;
	*p = (struct deploy_plan){ .kind = DEPLOY_ROLLBACK, .key = "k", .scope = "rankers-eu", .model = "ranker", .driver = "release-symlink", .target = "ranker",
		                   .gate = { 1.2, 0.01, 0.02, 1.1, 20, 120000, 600000, 300000 }, .on_failure = GATE_STOP,
		                   .confirm = scene == SCENE_BY_NAME ? CONFIRM_NAME : CONFIRM_KEY, .name = scene == SCENE_BY_NAME ? "ranker" : "",
		                   .takes_two = scene == SCENE_SECOND, .reason = text(s, "ErrorRatioHigh: 7.1% of the requests of ranker fail"), .alert = 1,
		                   .made_ms = s->t_ms - 12000, .took_ms = scene == SCENE_PLANNED ? 0 : 740000 };
	add_units(s);
	add_versions(s);
	add_warnings(s, scene);
}

/* ---- the journal ---- */

static void change(struct sample_deploys *s, int64_t ago_s, enum deployment_state state, struct actor actor, const char *said)
{
	struct deploy_detail *d = &s->detail;
	d->changes[d->n_changes] = (struct deployment_change){ .id = (int64_t)d->n_changes + 1, .deployment = SAMPLE_DEPLOY_ID, .at_ms = s->t_ms - ago_s * 1000,
		                                               .state = state, .actor = actor, .text = text(s, said) };
	d->at.last = d->changes[d->n_changes++];
	if (state == DEPLOYMENT_RUNNING && d->at.began_ms == 0)
		d->at.began_ms = d->at.last.at_ms;
	if (deployment_is_over(state))
		d->at.ended_ms = d->at.last.at_ms;
}

static void step(struct sample_deploys *s, size_t unit, enum step_direction direction, size_t index, int64_t began_s, int64_t ended_s, enum step_state state,
                 const char *said, double progress)
{
	struct deploy_detail *d = &s->detail;
	const struct plan_unit *u = &s->plan.units[unit];
	d->steps[d->n_steps] = (struct deployment_step){ .deployment = SAMPLE_DEPLOY_ID, .seq = (int64_t)d->n_steps + 1, .wave = u->wave, .unit = u->unit.name,
		.direction = direction, .index = index, .title = (direction == STEP_FORWARD ? u->forward : u->back).items[index].title, .key = "",
		.began_ms = s->t_ms - began_s * 1000, .ended_ms = ended_s != 0 ? s->t_ms - ended_s * 1000 : 0, .state = state, .text = text(s, said), .progress = progress };
	d->n_steps++;
	d->at.n_steps++;
	d->at.n_done += state == STEP_DONE;
	d->at.n_failed += state == STEP_FAILED;
}

static void gate(struct sample_deploys *s, size_t wave, int64_t began_s, int64_t ended_s, enum step_state state, const char *said)
{
	struct deploy_detail *d = &s->detail;
	d->steps[d->n_steps] = (struct deployment_step){ .deployment = SAMPLE_DEPLOY_ID, .seq = (int64_t)d->n_steps + 1, .wave = wave, .unit = "",
		.title = text(s, "gate of the wave"), .key = "", .began_ms = s->t_ms - began_s * 1000, .ended_ms = ended_s != 0 ? s->t_ms - ended_s * 1000 : 0,
		.state = state, .text = text(s, said), .progress = (double)NAN };
	d->n_steps++;
}

/* All four steps of a unit, 40 s. */
static void unit_done(struct sample_deploys *s, size_t unit, int64_t began_s)
{
	static const int64_t ends[STEPS] = { 2, 3, 6, 40 };
	for (size_t i = 0; i < STEPS; i++)
		step(s, unit, STEP_FORWARD, i, began_s - (i > 0 ? ends[i - 1] : 0), began_s - ends[i], STEP_DONE, i == 3 ? "ready after 34s" : "", 1);
}

static void run(struct sample_deploys *s, enum scene scene)
{
	change(s, 600, DEPLOYMENT_RUNNING, alice, "confirmed");
	unit_done(s, 0, 600);
	gate(s, 0, 560, 440, STEP_GATE_PASSED, "p99 0.18 s, 0.98 times before\nerrors 0.1 %, 7.1 % before");
	for (size_t i = 1; i < 4; i++)
		unit_done(s, i, 440 - 40 * (int64_t)(i / 3));
	gate(s, 1, 350, 230, STEP_GATE_PASSED, "p99 0.18 s, 0.99 times before");
	unit_done(s, 4, 225);
	unit_done(s, 5, 225);
	if (scene == SCENE_DONE || scene == SCENE_STOPPED) {
		unit_done(s, 6, 180);
		step(s, 7, STEP_FORWARD, 0, 180, 178, STEP_DONE, "", 1);
		step(s, 7, STEP_FORWARD, 1, 178, 177, scene == SCENE_DONE ? STEP_DONE : STEP_FAILED, "no space left on device (exit 1)", (double)NAN);
	} else {
		step(s, 6, STEP_FORWARD, 0, 60, 58, STEP_DONE, "", 1);
		step(s, 6, STEP_FORWARD, 1, 58, 57, STEP_DONE, "", 1);
		step(s, 6, STEP_FORWARD, 2, 57, 54, STEP_DONE, "", 1);
		step(s, 6, STEP_FORWARD, 3, 54, 0, STEP_BEGUN, "loading the model: 13 of 30 GiB", 0.43);
		step(s, 7, STEP_FORWARD, 0, 20, 0, STEP_BEGUN, "", (double)NAN);
	}
}

static void write_journal(struct sample_deploys *s, enum scene scene)
{
	change(s, 640, DEPLOYMENT_PLANNED, alice, "");
	s->detail.changes[0].at_ms = scene < SCENE_RUNNING ? s->t_ms - 12000 : s->t_ms - 640000;
	s->detail.at.last = s->detail.changes[0];
	if (scene == SCENE_SECOND)
		change(s, 5, DEPLOYMENT_WAITING, alice, "confirmed; a second person is wanted");
	if (scene == SCENE_EXPIRED)
		change(s, 1, DEPLOYMENT_EXPIRED, pitwall, "nobody confirmed it for 10m");
	if (scene < SCENE_RUNNING)
		return;
	run(s, scene);
	switch ((int)scene) {
	case SCENE_PAUSED: change(s, 30, DEPLOYMENT_PAUSED, bob, "look at the queue first"); break;
	case SCENE_STOPPED:
		gate(s, 2, 140, 20, STEP_GATE_FAILED, "errors 4.2 %, at most 1.1 % is allowed\np99 0.31 s, 1.7 times before, at most 1.2\nquality 0.95, as before");
		change(s, 20, DEPLOYMENT_STOPPED, pitwall, "the gate after wave 3: errors 4.2%, before 0.1%, others 0.1%, limit +1.0%; p99 310ms, before 180ms, limit x1.20");
		break;
	case SCENE_INTERRUPTED: change(s, 15, DEPLOYMENT_INTERRUPTED, pitwall, "the recorder that ran it is gone"); break;
	case SCENE_UNDOING:
		change(s, 30, DEPLOYMENT_UNDOING, bob, "");
		step(s, 5, STEP_BACK, 0, 28, 27, STEP_DONE, "", 1);
		step(s, 5, STEP_BACK, 1, 27, 24, STEP_DONE, "", 1);
		step(s, 5, STEP_BACK, 2, 24, 4, STEP_DONE, "", 1);
		step(s, 4, STEP_BACK, 0, 28, 0, STEP_BEGUN, "", (double)NAN);
		break;
	case SCENE_DONE: change(s, 2, DEPLOYMENT_DONE, pitwall, "all waves done"); break;
	default: break;
	}
}

/* ---- the list ---- */

static void list(struct sample_deploys *s, const struct deployment_at *at, size_t wave, size_t n_waves)
{
	struct deploy_item *i = &s->list.items[s->list.n++];
	*i = (struct deploy_item){ *at, wave, n_waves };
	s->list.n_active += deployment_is_active(at->last.state);
}

static void list_past(struct sample_deploys *s)
{
	static const struct {
		const char           *kind, *target, *from, *to;
		enum deployment_state state;
		int64_t               ago_s;
		size_t                steps;
	} rows[] = {
		{ "redeploy", "ranker", "12.3", "12.4", DEPLOYMENT_DONE, 1900, 60 },       { "rollback", "gpu-b-03", "2026-11-02", "2026-10-30", DEPLOYMENT_UNDONE, 90000, 4 },
		{ "redeploy", "embed", "3", "3", DEPLOYMENT_ABANDONED, 190000, 11 },       { "rollback", "search", "7.1.0", "7.0.9", DEPLOYMENT_REFUSED, 290000, 0 },
		{ "rollback", "search", "7.1.0", "7.0.9", DEPLOYMENT_EXPIRED, 291000, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t at = s->t_ms - rows[i].ago_s * 1000;
		const struct deployment_at d = {
			.row = { .id = 6 - (int64_t)i, .kind = rows[i].kind, .scope = "s", .model = i == 1 ? "chat-70b" : rows[i].target, .driver = "systemd", .target = text(s, rows[i].target),
			         .from = rows[i].from, .to = rows[i].to, .plan = "", .hash = "", .request = "", .actor = i % 2 == 0 ? bob : alice, .reason = "", .planned_ms = at },
			.last = { .at_ms = at + 700000, .state = rows[i].state, .actor = pitwall, .text = text(s, i == 3 ? "bob acts on search already" : "") },
			.began_ms = rows[i].steps > 0 ? at + 20000 : 0, .ended_ms = at + 700000, .n_steps = rows[i].steps, .n_done = rows[i].steps, .lease = { .holder = "" },
		};
		list(s, &d, 0, 0);
	}
}

struct sample_deploys *sample_deploys_new(struct view *v, enum scene scene, bool is_hostile)
{
	struct sample_deploys *s = calloc(1, sizeof *s);
	assert_non_null(s);
	arena_init(&s->arena);
	s->t_ms = v->t_ms;
	s->is_hostile = is_hostile;
	make_plan(s, scene);
	s->list.items = arena_zeroed(&s->arena, 8, sizeof *s->list.items);
	s->detail = (struct deploy_detail){ .request = SAMPLE_DEPLOY_REQUEST, .id = SAMPLE_DEPLOY_ID, .why = "", .plan = &s->plan, .plan_why = "",
		                            .changes = arena_zeroed(&s->arena, 8, sizeof *s->detail.changes),
		                            .steps = arena_zeroed(&s->arena, 100, sizeof *s->detail.steps) };
	assert_false(arena_failed(&s->arena));
	s->detail.at = (struct deployment_at){
		.row = { .id = SAMPLE_DEPLOY_ID, .kind = "rollback", .scope = "rankers-eu", .model = "ranker", .driver = "release-symlink", .target = text(s, "ranker"),
		         .from = "12.4", .to = "12.3", .plan = "", .hash = "7f3a90b1c2d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e", .request = SAMPLE_DEPLOY_REQUEST, .actor = alice, .reason = s->plan.reason,
		         .alert = 1, .planned_ms = v->t_ms - (scene < SCENE_RUNNING ? 12000 : 640000) },
		.lease = { .holder = "" },
	};
	write_journal(s, scene);
	if (scene == SCENE_ASKING || scene == SCENE_NO_PLAN) {
		s->detail.id = 0;
		s->detail.plan = NULL;
		s->detail.err = scene == SCENE_NO_PLAN ? ERR_NOT_FOUND : ERR_OK;
		s->detail.why = scene == SCENE_NO_PLAN ? text(s, "'ranker' has no `deploy`: add one to its group") : "";
	} else {
		list(s, &s->detail.at, scene >= SCENE_RUNNING ? 3 : 0, scene >= SCENE_RUNNING ? N_WAVES : 0);
	}
	list_past(s);
	s->list.t_ms = v->t_ms;
	v->deploys = &s->list;
	v->deploy = &s->detail;
	v->person = (struct view_person){ .who = "alice", .account = "alice", .origin = "10.0.0.5", .console = "me", .refusal = "" };
	return s;
}

void sample_deploys_free(struct sample_deploys *s)
{
	if (s == NULL)
		return;
	arena_release(&s->arena);
	free(s);
}

struct deploy_detail *sample_deploys_detail(struct sample_deploys *s)
{
	return &s->detail;
}

struct deploy_plan *sample_deploys_plan(struct sample_deploys *s)
{
	return &s->plan;
}

const char *scene_name(enum scene scene)
{
	static const char *const names[SCENES] = {
		[SCENE_ASKING] = "asking", [SCENE_NO_PLAN] = "no_plan", [SCENE_PLANNED] = "planned", [SCENE_BY_NAME] = "by_name", [SCENE_FORBIDDEN] = "forbidden",
		[SCENE_SECOND] = "second", [SCENE_EXPIRED] = "expired", [SCENE_RUNNING] = "running", [SCENE_PAUSED] = "paused", [SCENE_STOPPED] = "stopped",
		[SCENE_INTERRUPTED] = "interrupted", [SCENE_UNDOING] = "undoing", [SCENE_DONE] = "done",
	};
	return names[scene];
}
