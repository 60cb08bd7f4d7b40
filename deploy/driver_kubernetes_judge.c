/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to steps. A change of a template ends in one of three ways: the server took it; it did not and the workload is as it was found,
 * so it is asked again with the version of now; or somebody else has changed it, and a person decides. Where it is not known (a conflict,
 * no answer, a server that is ill), the workload is looked at: its template tells.
 *
 * A template that is put back is read from the revision that holds it, compared with the digest that was planned, and sent: what it holds is
 * kept in the step's memory, and nowhere else. */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { TRIES_MAX = 5, BUSY_MAX = 10, CONFLICT_MS = 10, BUSY_MS = 2000, BUSY_MAX_MS = 60 * 1000 };

/* The driver's memory between answers, in judging's `at`. */
enum {
	AT_LOOKING = 1,
	AT_LOGIN = 2,
	AT_PODS = 4,
	AT_PLAIN = 8,
	AT_SENT = 16, /* what was made of a revision has been asked for */
	AT_TRY = 32,
	AT_BUSY = 2048
}; /* the last two count: tries, times that it was busy */

static int tries(const struct judging *j)
{
	return *j->at / AT_TRY % (AT_BUSY / AT_TRY);
}

/* Once more with new credentials (a token may have run out); what is refused then is refused. True: the verdict is given. */
static bool login_again(const struct judging *j, const char *text, struct verdict *v)
{
	if ((*j->at & AT_LOGIN) != 0) {
		verdict_failed(v, "%s", text);
		return true;
	}
	*j->at |= AT_LOGIN;
	verdict_again(v, -1, "the login is refused, trying once more: %s", text);
	return true;
}

/* Busy or ill: how long to wait; false: it has been asked often enough. */
static bool wait_for(const struct judging *j, int64_t asked_ms, int64_t *wait_ms)
{
	int n = *j->at / AT_BUSY;
	*j->at += AT_BUSY;
	*wait_ms = asked_ms > 0 ? (asked_ms < BUSY_MAX_MS ? asked_ms : BUSY_MAX_MS) : BUSY_MS;
	return n < BUSY_MAX;
}

static cJSON *note_of(const struct judging *j)
{
	cJSON *note = NULL;
	return json_parse(j->step->note, strlen(j->step->note), NULL, &note, NULL) == ERR_OK ? note : NULL;
}

static bool is_among(const cJSON *list, const char *hash)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, list)
		if (cJSON_IsString(one) && strcmp(one->valuestring, hash) == 0)
			return true;
	return false;
}

/* The first container whose image is not the one meant; NULL: none. */
static const char *other_image(const cJSON *note, const cJSON *object, const char **image)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, kube_at(note, "images")) {
		const char *is = kube_image(kube_at(object, "spec.template"), one->string);
		if (cJSON_IsString(one) && strcmp(is, one->valuestring) != 0) {
			*image = is;
			return one->string;
		}
	}
	return NULL;
}

/* ---- looking what became of a change ---- */

static void look_again(const struct judging *j, int64_t wait_ms, const char *text, struct verdict *v)
{
	*j->at |= AT_LOOKING;
	verdict_again(v, wait_ms, "%s", text);
	v->next = j->step->probe;
}

/* The change itself: of a step that reads a revision first what was made of that. */
static const struct ask *change_of(const struct judging *j)
{
	return (*j->at & AT_SENT) != 0 && j->memory != NULL && *j->memory != NULL ? *j->memory : &j->step->ask;
}

/* The same request with the version that was just read. */
static void patch_again(const struct judging *j, const struct kube_state *s, struct verdict *v)
{
	if (tries(j) >= TRIES_MAX) {
		verdict_failed(v, "it was changed by others each of %d times that the change was asked for", TRIES_MAX);
		return;
	}
	int n = tries(j);
	*j->at = (*j->at + AT_TRY) & ~AT_LOOKING;
	verdict_again(v, CONFLICT_MS << n, "it has another version by now, and is otherwise as it was: asking again");
	const struct ask *change = change_of(j);
	if (j->is_probe) /* it is only told that it had not happened */
		return;
	ask_copy(j->arena, change, &v->next);
	v->next.body = kube_body_with_version(j->arena, change->body != NULL ? change->body : "{}", s->resource_version);
	if (v->next.body == NULL)
		verdict_failed(v, "the change cannot be made again: its body is damaged");
}

/* What a note compares with. */
struct compared {
	const char *sign, *rest;
	char        old_sign[KUBE_HASH], old_rest[KUBE_HASH];
};

/* Notes that were written before signs were keyed have plain hashes, and the uid as it is. */
static bool is_old(const cJSON *note)
{
	return kube_number(note, "form", 0) != KUBE_FORM;
}

static void compared_of(const cJSON *note, const struct kube_state *s, struct compared *to)
{
	kube_hash_of_old(s->template, to->old_sign);
	kube_hash_of_old(s->rest_text, to->old_rest);
	to->sign = is_old(note) ? to->old_sign : s->sign;
	to->rest = is_old(note) ? to->old_rest : s->rest;
}

static bool is_owner(const cJSON *note, const struct kube_state *s)
{
	return strcmp(is_old(note) ? s->uid : s->owner, kube_string(note, "uid")) == 0;
}

/* A member of the spec: what else was changed meanwhile stays as it is, but resuming rolls out the template that was seen, and no other. */
static void judge_value(const struct judging *j, const cJSON *note, const cJSON *object, const struct kube_state *s, const char *sign, struct verdict *v)
{
	const char *member = kube_string(note, "member"), *now = kube_value_text(j->arena, object, member);
	if (strcmp(now, kube_string(note, "will")) == 0)
		verdict_done(v, "its %.40s is %.40s already", member, now);
	else if (strcmp(now, kube_string(note, "was")) != 0)
		verdict_failed(v, "somebody else has set its %.40s to %.40s since it was looked at: look again, and decide anew", member, now);
	else if (strcmp(member, "paused") == 0 && !is_among(kube_at(note, "from"), sign))
		verdict_failed(v, "somebody else has changed its template since it was looked at: look again, and decide anew");
	else
		patch_again(j, s, v);
}

static void judge_state(const struct judging *j, const cJSON *note, const cJSON *object, struct verdict *v)
{
	struct why why = { "" };
	struct kube_state s;
	struct arena scratch; /* the step's own grows with each look */
	arena_init(&scratch);
	const struct kube_resource *r = kube_resource(kube_kind_of(j->settings));
	bool is_read = kube_state_read(&scratch, r, object, &s, &why) == ERR_OK;
	struct compared is = { .sign = "", .rest = "" };
	if (is_read)
		compared_of(note, &s, &is);
	if (!is_read)
		verdict_failed(v, "%s", why.text);
	else if (!is_owner(note, &s))
		verdict_failed(v, "another %s of that name stands there now", r->word);
	else if (j->step->tag == KUBE_TAG_VALUE)
		judge_value(j, note, object, &s, is.sign, v);
	else if (strcmp(is.sign, kube_string(note, "to")) == 0)
		verdict_done(v, "its template is the one meant already");
	else if (!is_among(kube_at(note, "from"), is.sign))
		verdict_failed(v, "somebody else has changed its template since it was looked at: look again, and decide anew");
	else if (s.is_paused && kube_kind_of(j->settings) != KUBE_ROLLOUT)
		verdict_failed(v, "it has been paused since it was looked at");
	else if (strcmp(is.rest, kube_string(note, "rest")) != 0)
		verdict_failed(v, "somebody else has changed its specification since it was looked at: look again, and decide anew");
	else
		patch_again(j, &s, v);
	arena_release(&scratch);
}

/* What a GET gave; it may be asked again whatever came. NULL: nothing yet or at all, and the verdict says so. `what` (NULL: nothing) begins the sentence of a refusal.
 * The caller deletes it. */
static cJSON *read_look(const struct judging *j, const char *what, struct verdict *v)
{
	char text[256];
	int64_t wait_ms;
	cJSON *object = NULL;
	struct judging harmless = *j;
	harmless.is_probe = true;
	if (verdict_of_silence(&harmless, v))
		return NULL;
	switch (kube_read(j->answer, &object, &wait_ms, text, sizeof text)) {
	case KUBE_OK:
		return object;
	case KUBE_LOGIN:
		login_again(j, text, v);
		break;
	case KUBE_AGAIN:
	case KUBE_CONFLICT:
		if (wait_for(j, wait_ms, &wait_ms))
			verdict_again(v, wait_ms, "the cluster is busy: %s", text);
		else
			verdict_failed(v, "the cluster stays busy: %s", text);
		break;
	case KUBE_NO:
		verdict_failed(v, "%s%s%s", what != NULL ? what : "", what != NULL ? ": " : "", text);
		break;
	}
	cJSON_Delete(object);
	return NULL;
}

static void judge_look(const struct judging *j, const cJSON *note, struct verdict *v)
{
	cJSON *object = read_look(j, NULL, v);
	if (object != NULL)
		judge_state(j, note, object, v);
	cJSON_Delete(object);
	if (v->kind == VERDICT_AGAIN && v->next.kind == ASK_NONE && !j->is_probe)
		v->next = j->step->probe;
}

/* ---- reading the revision that holds a template ---- */

static bool reads_first(const cJSON *note)
{
	return kube_string(note, "digest")[0] != '\0';
}

/* The change, made of the revision (the only item of a list) and what the step shows of it. */
static void make_change(const struct judging *j, const cJSON *note, const cJSON *list, struct verdict *v)
{
	enum kube_kind kind = kube_kind_of(j->settings);
	const cJSON *items = kube_at(list, "items"), *revision = cJSON_GetArraySize(items) == 1 ? cJSON_GetArrayItem(items, 0) : NULL;
	char digest[KUBE_HASH];
	if (revision == NULL && cJSON_IsArray(items)) {
		verdict_failed(v, "revision %.100s, which held what is to be put back, is gone, and nothing was sent", kube_string(note, "revision"));
		return;
	}
	struct ask *change = j->memory != NULL ? arena_zeroed(j->arena, 1, sizeof *change) : NULL;
	kube_held_digest(j->arena, kind, revision, digest);
	if (change == NULL || digest[0] == '\0' || strcmp(digest, kube_string(note, "digest")) != 0 || j->step->shown.kind != ASK_HTTP) {
		verdict_failed(v, "revision %.100s is not what it was when this was planned, and nothing was sent: look again, and decide anew",
		               kube_string(note, "revision"));
		return;
	}
	const char *cause = kind == KUBE_DEPLOYMENT ? kube_annotation(revision, "kubernetes.io/change-cause") : "";
	*change = j->step->shown;
	change->body = kube_body(j->arena, kind, kube_held(kind, revision), kube_string(note, "rv"), cause);
	*j->memory = change;
	*j->at = AT_SENT;
	verdict_again(v, -1, "revision %.100s is as it was planned: asking for the change", kube_string(note, "revision"));
	v->next = *change;
}

static void judge_source(const struct judging *j, const cJSON *note, struct verdict *v)
{
	char what[160];
	snprintf(what, sizeof what, "revision %.60s, which holds what is to be put back, can't be read, and nothing was sent", kube_string(note, "revision"));
	cJSON *list = read_look(j, what, v);
	if (list != NULL)
		make_change(j, note, list, v);
	cJSON_Delete(list);
}

/* ---- changes of a template ---- */

static void judge_taken(const struct judging *j, const cJSON *note, const cJSON *object, struct verdict *v)
{
	bool is_trial = !j->step->changes;
	const char *member = kube_string(note, "member"), *value = member[0] != '\0' ? kube_value_text(j->arena, object, member) : "";
	const char *image = "", *container = other_image(note, object, &image);
	if (strcmp(value, kube_string(note, "will")) != 0)
		verdict_failed(v, "the cluster made something else of it: its %.40s %s %.40s (an admission webhook?)", member, is_trial ? "would be" : "is", value);
	else if (container != NULL)
		verdict_failed(v, "the cluster made something else of it: container %.60s %s %.100s (an admission webhook?)", container,
		               is_trial ? "would run" : "runs", image);
	else
		verdict_done(v, is_trial ? "the cluster would take it" : "the cluster has taken it");
}

static void judge_refused(const struct judging *j, enum kube_answer kind, const char *text, int64_t wait_ms, struct verdict *v)
{
	switch (kind) {
	case KUBE_CONFLICT:
		look_again(j, -1, "it has another version than the one that was read: looking at it", v);
		break;
	case KUBE_LOGIN:
		login_again(j, text, v);
		break;
	case KUBE_AGAIN:
		if (!wait_for(j, wait_ms, &wait_ms))
			verdict_failed(v, "the cluster stays busy: %s", text);
		else if (j->answer->status == 429 || !j->step->changes) /* it was not even looked at, or was to have no effect */
			verdict_again(v, wait_ms, "the cluster is busy: %s", text);
		else
			look_again(j, wait_ms, "the cluster is ill, and may have taken it: looking at it", v);
		break;
	case KUBE_OK:
	case KUBE_NO:
		verdict_failed(v, "%s", text);
		break;
	}
}

/* Without what was read for the change: the words go into the journal. */
static enum kube_answer read_words(const struct judging *j, cJSON **object, int64_t *wait_ms, char *text, size_t size)
{
	const char *sent = (*j->at & AT_SENT) != 0 ? change_of(j)->body : NULL;
	cJSON *body = NULL;
	if (sent == NULL)
		return kube_read(j->answer, object, wait_ms, text, size);
	bool is_read = json_parse(sent, strlen(sent), NULL, &body, NULL) == ERR_OK;
	enum kube_answer kind = kube_read_without(j->answer, kube_template_in(body), object, wait_ms, text, size);
	if (kind != KUBE_OK && !is_read)
		snprintf(text, size, "HTTP %d", j->answer->status);
	cJSON_Delete(body);
	return kind;
}

static void judge_patch(const struct judging *j, const cJSON *note, struct verdict *v)
{
	char text[256];
	int64_t wait_ms;
	cJSON *object = NULL;
	if (j->answer->err != ERR_OK) {
		if (j->answer->was_sent && j->step->changes && j->answer->err != ERR_DENIED)
			look_again(j, BUSY_MS, "no answer came: looking whether it was taken", v);
		else
			verdict_of_silence(j, v);
		return;
	}
	enum kube_answer kind = read_words(j, &object, &wait_ms, text, sizeof text);
	if (kind == KUBE_OK)
		judge_taken(j, note, object, v);
	else if (kind == KUBE_NO && j->answer->status >= 200 && j->answer->status < 300 && j->step->changes && wait_for(j, 0, &wait_ms))
		look_again(j, -1, "the answer is none of Kubernetes: looking whether it was taken", v);
	else
		judge_refused(j, kind, text, wait_ms, v);
	cJSON_Delete(object);
}

/* ---- waiting ---- */

/* How far it was when the workload was last looked at, in thousandths, kept where a change counts its tries; 0: not known. */
static void keep_progress(const struct judging *j, double progress)
{
	*j->at = *j->at % AT_BUSY + AT_BUSY * (progress >= 0 && progress <= 1 ? 1 + (int)(progress * 1000) : 0);
}

static double kept_progress(const struct judging *j)
{
	return *j->at / AT_BUSY > 0 ? (*j->at / AT_BUSY - 1) / 1000.0 : (double)NAN;
}

static void ask_for_pods(const struct judging *j, const cJSON *note, struct verdict *v)
{
	const char *selector = kube_string(note, "selector");
	if (selector[0] == '\0')
		return;
	keep_progress(j, v->progress);
	*j->at |= AT_PODS;
	kube_get(j->arena, kube_url_query(j->arena, kube_url_object(j->arena, j->settings, NULL, "pods", NULL), "labelSelector", selector),
	         &v->next);
	v->wait_ms = -1;
}

/* While it is not done, every other look is at the pods: they tell why. */
static void judge_pods(const struct judging *j, struct verdict *v)
{
	char text[256], trouble[200] = "";
	int64_t wait_ms;
	cJSON *list = NULL;
	*j->at &= ~AT_PODS;
	if (j->answer->err == ERR_OK && kube_read(j->answer, &list, &wait_ms, text, sizeof text) == KUBE_OK)
		kube_pods_trouble(list, "", trouble, sizeof trouble);
	cJSON_Delete(list);
	verdict_again(v, 0, "%s", trouble[0] != '\0' ? trouble : "its pods are coming up");
	v->progress = kept_progress(j);
}

static void judge_progress(const struct judging *j, const cJSON *note, const cJSON *object, struct verdict *v)
{
	struct why why = { "" };
	struct kube_state s;
	struct arena scratch;
	arena_init(&scratch);
	enum kube_kind kind = kube_kind_of(j->settings);
	const char *image = "", *container = other_image(note, object, &image);
	if (kube_state_read(&scratch, kube_resource(kind), object, &s, &why) != ERR_OK)
		verdict_failed(v, "%s", why.text);
	else if (!is_owner(note, &s))
		verdict_failed(v, "another %s of that name stands there now", kube_resource(kind)->word);
	else if (container != NULL)
		verdict_failed(v, "somebody else has changed it: container %.60s is to run %.120s", container, image);
	else if (j->step->tag == KUBE_TAG_SEEN)
		verdict_done(v, "the controller has seen it");
	else if (s.is_paused)
		verdict_again(v, 0, "it is paused: nothing rolls out until it is resumed");
	else
		kube_rollout(kind, object, v);
	if (v->kind == VERDICT_AGAIN && kind != KUBE_INFERENCE)
		ask_for_pods(j, note, v);
	arena_release(&scratch);
}

/* Argo's controller says which generation it has seen as a text. */
static bool is_seen(const cJSON *object)
{
	char generation[24];
	const cJSON *seen = kube_at(object, "status.observedGeneration");
	int64_t n = kube_number(object, "metadata.generation", 0);
	snprintf(generation, sizeof generation, "%lld", (long long)n);
	return cJSON_IsString(seen) ? strcmp(seen->valuestring, generation) == 0 : kube_number(object, "status.observedGeneration", 0) >= n;
}

static void judge_ready(const struct judging *j, const cJSON *note, struct verdict *v)
{
	char text[256];
	int64_t wait_ms;
	cJSON *object = NULL;
	if ((*j->at & AT_PODS) != 0) {
		judge_pods(j, v);
		return;
	}
	if (verdict_of_silence(j, v))
		return;
	switch (kube_read(j->answer, &object, &wait_ms, text, sizeof text)) {
	case KUBE_OK:
		*j->at &= ~AT_LOGIN; /* loading outlasts a token */
		if (j->step->tag == KUBE_TAG_SEEN && !is_seen(object))
			verdict_again(v, 0, "waiting for the controller to see the change");
		else
			judge_progress(j, note, object, v);
		break;
	case KUBE_LOGIN:
		login_again(j, text, v);
		break;
	case KUBE_AGAIN: /* until the step's deadline: it only looks */
	case KUBE_CONFLICT:
		verdict_again(v, wait_ms > 0 ? (wait_ms < BUSY_MAX_MS ? wait_ms : BUSY_MAX_MS) : BUSY_MS, "the cluster is busy: %s", text);
		break;
	case KUBE_NO:
		verdict_failed(v, "%s", text);
		break;
	}
	cJSON_Delete(object);
}

/* ---- what may be done twice ---- */

/* An old controller has no /status of its own: then the object itself takes it. */
static void judge_set(const struct judging *j, struct verdict *v)
{
	char text[256];
	int64_t wait_ms;
	static const char sub[] = "/status?";
	if (verdict_of_silence(j, v))
		return;
	enum kube_answer kind = kube_read(j->answer, NULL, &wait_ms, text, sizeof text);
	const char *at = j->step->ask.url != NULL ? strstr(j->step->ask.url, sub) : NULL;
	if (kind == KUBE_OK) {
		verdict_done(v, "done");
	} else if (kind == KUBE_LOGIN) {
		login_again(j, text, v);
	} else if (kind == KUBE_AGAIN || kind == KUBE_CONFLICT) {
		if (wait_for(j, wait_ms, &wait_ms))
			verdict_again(v, wait_ms, "the cluster is busy: %s", text);
		else
			verdict_failed(v, "the cluster stays busy: %s", text);
	} else if (j->answer->status == 404 && at != NULL && (*j->at & AT_PLAIN) == 0) {
		*j->at |= AT_PLAIN;
		verdict_again(v, -1, "it has no status of its own to be set: asking the object itself");
		ask_copy(j->arena, &j->step->ask, &v->next);
		v->next.url = arena_printf(j->arena, "%.*s%s", (int)(at - j->step->ask.url), j->step->ask.url, at + sizeof sub - 2);
	} else {
		verdict_failed(v, "%s", text);
	}
}

static void judge_pod(const struct judging *j, struct verdict *v)
{
	char text[256];
	int64_t wait_ms;
	if (verdict_of_silence(j, v))
		return;
	enum kube_answer kind = kube_read(j->answer, NULL, &wait_ms, text, sizeof text);
	if (kind == KUBE_OK)
		verdict_done(v, "it is being deleted");
	else if (j->answer->status == 404 || kind == KUBE_CONFLICT)
		verdict_done(v, "it is gone already");
	else if (kind == KUBE_LOGIN)
		login_again(j, text, v);
	else if (kind == KUBE_AGAIN && wait_for(j, wait_ms, &wait_ms))
		verdict_again(v, wait_ms, "not now: %s", text); /* 429: a disruption budget */
	else
		verdict_failed(v, "%s", text);
}

void kube_judge(const struct judging *j, struct verdict *v)
{
	cJSON *note = note_of(j);
	bool is_guarded = j->step->tag == KUBE_TAG_PATCH || j->step->tag == KUBE_TAG_VALUE; /* a resourceVersion goes with it */
	if (note == NULL || j->answer == NULL)
		verdict_failed(v, "the step is damaged: its note cannot be read");
	else if (is_guarded && (j->is_probe || (*j->at & AT_LOOKING) != 0))
		judge_look(j, note, v);
	else if (is_guarded && reads_first(note) && (*j->at & AT_SENT) == 0)
		judge_source(j, note, v);
	else if (is_guarded)
		judge_patch(j, note, v);
	else if (j->step->tag == KUBE_TAG_READY || j->step->tag == KUBE_TAG_SEEN)
		judge_ready(j, note, v);
	else if (j->step->tag == KUBE_TAG_POD)
		judge_pod(j, v);
	else
		judge_set(j, v);
	if (v->kind == VERDICT_AGAIN && v->next.kind == ASK_NONE && !j->is_probe)
		v->next = *change_of(j); /* never whatever was asked last */
	if (v->kind == VERDICT_AGAIN && arena_failed(j->arena))
		verdict_failed(v, "there is no memory to ask again");
	cJSON_Delete(note);
}
