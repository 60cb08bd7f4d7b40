/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done to a workload beside its template: paused, resumed, scaled, its traffic shared out. Each is a merge patch of one field with the
 * resourceVersion that was read, and the way back is the value that was found. Whatever else somebody changes meanwhile stays as it is. */
#include "deploy/driver_kubernetes_plan.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/num.h"

enum { REPLICAS_MAX = 10000 };

enum action { ACTION_PAUSE, ACTION_RESUME, ACTION_SCALE, ACTION_PROMOTE, ACTION_RETRY, ACTION_ABORT, ACTION_TRAFFIC, ACTION_COUNT };

#define OF(kind) (1u << (kind))

static const struct {
	struct driver_action is;
	unsigned             kinds;
} actions[] = {
	{ { "pause",   -1, "let nothing roll out for now" }, OF(KUBE_DEPLOYMENT) | OF(KUBE_ROLLOUT) },
	{ { "resume",  -1, "let roll out what was paused" }, OF(KUBE_DEPLOYMENT) | OF(KUBE_ROLLOUT) },
	{ { "scale",   REPLICAS_MAX, "another number of replicas" }, OF(KUBE_DEPLOYMENT) | OF(KUBE_STATEFULSET) | OF(KUBE_ROLLOUT) },
	{ { "promote", -1, "go on with the newest: past a pause, or with all traffic" }, OF(KUBE_ROLLOUT) | OF(KUBE_INFERENCE) },
	{ { "retry",   -1, "roll out once more what was aborted" }, OF(KUBE_ROLLOUT) },
	{ { "abort",   -1, "end the rollout: traffic returns to what was stable" }, OF(KUBE_ROLLOUT) },
	{ { "traffic", 100, "that share of the traffic, in percent, to the newest revision" }, OF(KUBE_INFERENCE) },
};
_Static_assert(sizeof actions / sizeof actions[0] == ACTION_COUNT, "a row for every action");

/* ACTION_COUNT: none. "scale=3" is a word and its number. */
static enum action find(enum kube_kind k, const char *word, int64_t *number)
{
	for (int i = 0; i < ACTION_COUNT; i++) {
		size_t n = strlen(actions[i].is.word);
		bool is = strncmp(word, actions[i].is.word, n) == 0 && (actions[i].kinds & OF(k)) != 0;
		if (is && actions[i].is.most < 0 && word[n] == '\0')
			return (enum action)i;
		if (is && actions[i].is.most >= 0 && word[n] == '=' && parse_i64(word + n + 1, 0, actions[i].is.most, number) == ERR_OK)
			return (enum action)i;
	}
	return ACTION_COUNT;
}

const struct driver_action *kube_action_at(const struct settings *s, size_t i)
{
	enum kube_kind k = kube_kind_of(s);
	for (size_t n = 0; n < ACTION_COUNT; n++)
		if ((actions[n].kinds & OF(k)) != 0 && i-- == 0)
			return &actions[n].is;
	return NULL;
}

bool kube_is_action(const struct settings *s, const char *word)
{
	int64_t number;
	return find(kube_kind_of(s), word, &number) != ACTION_COUNT;
}

static void wait_until_seen(struct kube_making *m, struct steps *to, const struct kube_aim *aim)
{
	kube_plan_add_wait(m, to, PHASE_CHANGE, KUBE_TAG_SEEN, arena_printf(m->p->arena, "wait for the controller to see it"), aim);
}

static void plan_pause(struct kube_making *m, bool pauses, const struct kube_aim *aim)
{
	bool was = cJSON_IsTrue(kube_at(m->before, "paused"));
	const struct kube_value value = { "paused", was ? "true" : "false", pauses ? "true" : "false" }, back = { value.member, value.will, value.was };
	kube_plan_try_value(m, arena_printf(m->p->arena, "%s %s", pauses ? "pause" : "resume", m->name), &value, aim);
	wait_until_seen(m, m->p->forward, aim);
	if (!pauses)
		kube_plan_add_ready(m, m->p->forward, aim);
	kube_plan_add_value(m, m->p->back, arena_printf(m->p->arena, "%s %s", was ? "pause" : "resume", m->name), &back, aim);
	if (was == pauses)
		plan_warn(m->p, WARNING_NOTE, was ? "it is paused already" : "it is not paused");
}

static void plan_scale(struct kube_making *m, int64_t n, const struct kube_aim *aim)
{
	int64_t was = kube_number(m->before, "replicas", 1);
	const char *scaler = kube_string(m->before, "scaler");
	bool is_paused = cJSON_IsTrue(kube_at(m->before, "paused"));
	const struct kube_value value = { "replicas", arena_printf(m->p->arena, "%lld", (long long)was), arena_printf(m->p->arena, "%lld", (long long)n) },
				back = { value.member, value.will, value.was };
	kube_plan_try_value(m, arena_printf(m->p->arena, "scale %s from %lld to %lld replicas", m->name, (long long)was, (long long)n), &value, aim);
	wait_until_seen(m, m->p->forward, aim);
	kube_plan_add_value(m, m->p->back, arena_printf(m->p->arena, "scale %s to %lld replicas", m->name, (long long)was), &back, aim);
	if (!is_paused) { /* else no rollout ends */
		kube_plan_add_ready(m, m->p->forward, aim);
		kube_plan_add_ready(m, m->p->back, aim);
	}
	if (scaler[0] != '\0')
		plan_warn(m->p, WARNING_SERIOUS, "the autoscaler %.100s sets its replicas: it will take this back", scaler);
	if (n == 0)
		plan_warn(m->p, WARNING_SERIOUS, "with no replicas nothing serves");
}

/* What was aborted is degraded until it is tried again, or another template comes: it is not waited for. */
static void plan_abort(struct kube_making *m, const struct kube_aim *aim)
{
	kube_plan_add_set(m, m->p->forward, arena_printf(m->p->arena, "abort %s", m->name), "status", "{\"status\":{\"abort\":true}}", aim);
	kube_plan_add_set(m, m->p->back, arena_printf(m->p->arena, "retry %s", m->name), "status", "{\"status\":{\"abort\":false}}", aim);
	plan_warn(m->p, WARNING_NOTE, "traffic returns to what was stable; the template stays the new one, so a rollback is still to be done");
}

static enum err plan_traffic(struct kube_making *m, int64_t canary, struct why *why)
{
	if (!cJSON_IsTrue(kube_at(m->before, "serverless")))
		return why_set(why, ERR_UNSUPPORTED, "without Knative its traffic can't be shared out: canaryTrafficPercent does nothing there");
	kube_plan_traffic(m,
	                  canary < 0 ? arena_printf(m->p->arena, "send all traffic of %s to its newest revision", m->name)
	                             : arena_printf(m->p->arena, "send %lld %% of the traffic of %s to its newest revision", (long long)canary, m->name),
	                  canary);
	return ERR_OK;
}

enum err kube_plan_action(struct kube_making *m, const char *word, struct why *why)
{
	int64_t number = 0;
	struct kube_aim aim;
	kube_plan_aim_found(m, &aim);
	switch (find(m->kind, word, &number)) {
	case ACTION_PAUSE:
	case ACTION_RESUME:
		plan_pause(m, strcmp(word, actions[ACTION_PAUSE].is.word) == 0, &aim);
		return ERR_OK;
	case ACTION_SCALE:
		plan_scale(m, number, &aim);
		return ERR_OK;
	case ACTION_PROMOTE:
		if (m->kind == KUBE_INFERENCE)
			return plan_traffic(m, -1, why);
		kube_plan_rollout_verb(m, word);
		return ERR_OK;
	case ACTION_RETRY:
		kube_plan_rollout_verb(m, word);
		return ERR_OK;
	case ACTION_ABORT:
		plan_abort(m, &aim);
		return ERR_OK;
	case ACTION_TRAFFIC:
		return plan_traffic(m, number, why);
	case ACTION_COUNT:
		break;
	}
	return why_set(why, ERR_UNSUPPORTED, "'%.60s' is nothing that can be done to a %s", word, m->resource->name);
}
