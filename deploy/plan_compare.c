/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/plan_compare.h"

#include <stdio.h>
#include <string.h>

static const struct plan_version *version_at(const struct deploy_plan *p, const char *id)
{
	for (size_t i = 0; i < p->n_versions; i++)
		if (strcmp(p->versions[i].version.id, id) == 0)
			return &p->versions[i];
	return NULL;
}

/* As the planner names what runs (planner_versions.c); "" not known. */
static const char *running(const struct deploy_plan *p, const struct plan_sight *now)
{
	const struct version *v;
	switch (now->deploy->running) {
	case VERSION_DRIVER:
		v = found_running(now->found);
		return v != NULL ? v->id : "";
	case VERSION_SIGNAL:
		for (size_t i = 0; i < p->n_versions && now->label[0] != '\0'; i++)
			if (strcmp(p->versions[i].label, now->label) == 0)
				return p->versions[i].version.id;
		return now->label;
	case VERSION_UNKNOWN:
	case VERSION_STORE:
		break;
	}
	return "";
}

static const char *name_of(const struct deploy_plan *p, const struct plan_sight *now, const char *id)
{
	const struct plan_version *v = version_at(p, id);
	const struct version *there = v != NULL ? &v->version : found_by_id(now->found, id);
	return there != NULL && there->name[0] != '\0' ? there->name : id;
}

static const char *forbidden(const struct found *f)
{
	for (size_t i = 0; i < f->n_warnings; i++)
		if (f->warnings[i].level == WARNING_FORBIDS)
			return f->warnings[i].text[0] != '\0' ? f->warnings[i].text : "its driver forbids it";
	return NULL;
}

enum plan_match plan_compare(const struct deploy_plan *p, const struct plan_unit *u, const struct plan_sight *now, char to[PLAN_DIFFERENCE])
{
	to[0] = '\0';
	if (now->found == NULL) {
		snprintf(to, PLAN_DIFFERENCE, "it cannot be looked at: %.200s", now->why[0] != '\0' ? now->why : "no answer");
		return PLAN_DIFFERS;
	}
	const char *is = running(p, now), *no = forbidden(now->found);
	if (no != NULL) {
		snprintf(to, PLAN_DIFFERENCE, "%.250s", no);
		return PLAN_DIFFERS;
	}
	if (is[0] != '\0' && u->from[0] != '\0' && strcmp(is, u->from) != 0) {
		snprintf(to, PLAN_DIFFERENCE, "it runs %.90s by now, and ran %.90s when this was planned", name_of(p, now, is), name_of(p, now, u->from));
		return PLAN_DIFFERS;
	}
	if (p->kind == DEPLOY_REDEPLOY && u->found.is_ready && !now->found->is_ready) { /* a rollback is there for what is not well */
		snprintf(to, PLAN_DIFFERENCE, "it is not ready, and was when this was planned");
		return PLAN_DIFFERS_BEARABLY;
	}
	return PLAN_MATCHES;
}
