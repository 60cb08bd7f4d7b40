/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/plan_maker.h"

#include <stdio.h>
#include <string.h>

static struct maker *the_maker;

static const char *version_text(const struct version *v) { return v->id[0] != '\0' ? v->id : "(none)"; }

static void restart(struct planning *p, struct steps *to, const char *version, bool is_odd)
{
	struct arena *a = p->arena;
	struct step *s = steps_add(p, to, PHASE_DRAIN, "take %s out of rotation", p->unit->name);
	if (s == NULL)
		return;
	ask_http(a, &s->ask, "POST", ask_url(a, p->unit->url, "drain", NULL), NULL);
	s->changes = s->is_repeatable = true;
	s = steps_add(p, to, PHASE_CHANGE, "start %s", version);
	if (s == NULL)
		return;
	ask_run(a, &s->ask, "run-model", "--version", version, "--key", p->key, is_odd ? "--slowly" : NULL, NULL);
	ask_run(a, &s->probe, "run-model", "--show", NULL);
	s->tag = 2;
	s->note = arena_printf(a, "{\"version\":\"%s\"}", version);
	s->changes = true;
	s->deadline_ms = 900000;
	s = steps_add(p, to, PHASE_READY, "wait until %s serves", version);
	if (s != NULL)
		ask_http(a, &s->ask, "GET", ask_url(a, p->unit->url, "ready", NULL), NULL);
}

static enum err plan(struct planning *p, struct why *why)
{
	const struct maker *m = the_maker;
	const char *node = p->unit->name;
	if (m->unsupported != NULL && strcmp(node, m->unsupported) == 0)
		return why_set(why, ERR_UNSUPPORTED, "the unit is masked");
	if (m->warned != NULL && strcmp(node, m->warned) == 0)
		plan_warn(p, m->level, "the disk is nearly full");
	restart(p, p->forward, version_text(p->to), m->odd != NULL && strcmp(node, m->odd) == 0);
	const struct version *before = found_running(p->found);
	restart(p, p->back, before != NULL ? version_text(before) : "(none)", false);
	return ERR_OK;
}

static void judge(const struct judging *j, struct verdict *v)
{
	(void)j;
	verdict_done(v, "done");
}

static struct version version_of(const char *id, const char *config_hash, int64_t since_ms, bool is_running)
{
	return (struct version){ .id = id, .name = id, .image = "registry/ranker", .tag = id, .model_version = id + 1, .config_hash = config_hash, .by = "ci",
	                         .cause = "merge", .since_ms = since_ms, .is_running = is_running, .is_present = true, .data = "" };
}

static void init_unit(struct maker *m, size_t i)
{
	snprintf(m->names[i], sizeof m->names[i], "node-%02zu", i + 1);
	snprintf(m->urls[i], sizeof m->urls[i], "http://%s.example:8000", m->names[i]);
	struct found *f = &m->found[i];
	f->versions[0] = version_of("v14", "c2", MAKER_NOW_MS - 3600000, true);
	f->versions[1] = version_of("v13", "c1", MAKER_NOW_MS - 86400000, false);
	f->versions[2] = version_of("v12", "c1", MAKER_NOW_MS - 2 * 86400000, false);
	f->n_versions = 3;
	f->before = "{\"release\":\"v14\"}";
	f->is_ready = true;
	m->units[i] = (struct planner_unit){
		.unit = { .name = m->names[i], .node = m->names[i], .model = "ranker", .group = "rankers-eu", .url = m->urls[i], .destination = m->names[i], .user = "" },
		.found = f, .why = "", .running = "", .is_up = true,
	};
}

void maker_init(struct maker *m, size_t n)
{
	static const struct version_health health[3] = {
		{ .label = "14", .health = HEALTH_BAD, .evidence = "served 1h, p99 2.4 s, errors 6 %", .first_ms = MAKER_NOW_MS - 3600000 },
		{ .label = "13", .health = HEALTH_GOOD, .evidence = "served 6d 2h, p99 0.81 s, errors 0.1 %", .first_ms = MAKER_NOW_MS - 86400000 },
		{ .label = "12", .health = HEALTH_GOOD, .evidence = "served 9d, p99 0.79 s, errors 0.1 %", .first_ms = MAKER_NOW_MS - 2 * 86400000 },
	};
	memset(m, 0, sizeof *m);
	the_maker = m;
	arena_init(&m->arena);
	m->deploy = (struct fleet_deploy){
		.name = "rankers-eu", .model = "ranker", .group = "rankers-eu", .driver = "fake", .running = VERSION_DRIVER, .history = VERSION_DRIVER,
		.waves = { { false, 1 }, { true, 0.25 }, { true, 0.5 } }, .n_waves = 3, .max_unavailable = { true, 0.1 },
		.gate = { 1.2, 0.01, 0.02, 1.1, 20, 120000, 600000, 900000 },
	};
	m->driver = (struct driver){ .name = "fake", .summary = "", .notes = "", .has_history = true, .has_running = true, .plan = plan, .judge = judge };
	for (size_t i = 0; i < n; i++)
		init_unit(m, i);
	memcpy(m->health, health, sizeof health);
	m->in = (struct planner_input){
		.deploy = &m->deploy, .driver = &m->driver, .kind = DEPLOY_ROLLBACK, .key = "0193a5c2-f0e1", .target = "ranker", .wished = "", .units = m->units,
		.n_units = n, .health = m->health, .n_health = 3, .active = "", .reason = "p99 is high", .alert = 7, .alert_model = "ranker", .now_ms = MAKER_NOW_MS,
		.capacity = 3.0 * (double)n, /* of a model that has more than this scope, so that no name is to be typed */
	};
}

void maker_release(struct maker *m)
{
	arena_release(&m->arena);
	the_maker = NULL;
}
