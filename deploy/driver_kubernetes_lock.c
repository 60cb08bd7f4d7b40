/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of a workload: a Lease (coordination.k8s.io/v1) beside it, of which nothing is copied to pods (docs/decisions/0029-a-lease-beside-the-workload.md). It is read, and then made or patched
 * with the resourceVersion that was read, so that of two who want it one gets a conflict, reads again, and finds the other.
 *
 *     holderIdentity              the run's key; nobody's where there is none
 *     acquireTime, renewTime      the API server's clock, as its answers' Date has it: no other is compared with it
 *     leaseDurationSeconds        whoever was not heard of for so long, 10 minutes at the most, is gone
 *     annotations pitwall/...     who, on which host, what, for people
 *
 * Who looks tries without effect what taking it would send, so that a login that may not is told on the sheet. */
#include "deploy/driver_kubernetes.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collectors/digest.h"
#include "deploy/lock.h"

enum { TRIES_MAX = 5, WAIT_MS = 500, WAIT_MAX_MS = 5000, NAME_MAX_ = 253, HASH_SHOWN = 8, DURATION_MAX_S = 600, TIMES = 40, WHO_WIDTH = 30, HOST_WIDTH = 40, WHAT_WIDTH = 60 };

enum at { AT_BEGIN, AT_READ, AT_MADE, AT_TAKEN, AT_KEPT, AT_FREED, AT_TRIED };

static const struct kube_resource leases = { .group = "coordination.k8s.io", .version = "v1", .plural = "leases" };
static const char who_key[] = "pitwall/who", host_key[] = "pitwall/host", what_key[] = "pitwall/what";

/* ---- names ---- */

/* "pitwall-deployment-llama-8b": kinds have no '-', so that no two workloads have one name. */
static const char *lease_name(struct arena *a, const struct settings *s)
{
	char hash[DIGEST_TEXT] = "";
	const char *name = arena_printf(a, "pitwall-%s-%s", kube_resource(kube_kind_of(s))->word, setting_text(s, "name"));
	if (strlen(name) <= NAME_MAX_)
		return name;
	if (digest_text(name, strlen(name), hash) != ERR_OK)
		a->failed = true;
	return arena_printf(a, "%.*s-%.*s", NAME_MAX_ - HASH_SHOWN - 1, name, HASH_SHOWN, hash);
}

static const char *place(struct arena *a, const struct settings *s)
{
	return arena_printf(a, "Lease %s/%s", setting_text(s, "namespace"), lease_name(a, s));
}

/* ---- times ---- */

static int64_t now_of(const struct locking *l)
{
	return l->last != NULL && l->last->date_ms > 0 ? l->last->date_ms : l->now_ms;
}

/* A MicroTime has six digits behind the second, or is refused. */
static const char *micro_time(struct arena *a, int64_t ms)
{
	char text[TIME_TEXT];
	return arena_printf(a, "%.19s.000000Z", format_time(ms / 1000 * 1000, text));
}

/* ---- asks ---- */

static enum look_turn ask(struct locking *l, enum at at)
{
	l->at = (int)at;
	l->next.timeout_ms = LOCK_ASK_MS;
	return LOOK_ASK;
}

static enum look_turn read_it(struct locking *l)
{
	kube_get(l->arena, kube_url_object(l->arena, l->settings, &leases, leases.plural, lease_name(l->arena, l->settings)), &l->next);
	return ask(l, AT_READ);
}

static enum look_turn read_again(struct locking *l)
{
	if (++l->tries < TRIES_MAX)
		return read_it(l);
	l->seen.state = LOCK_UNKNOWN;
	snprintf(l->seen.text, sizeof l->seen.text, "others changed the Lease each of %d times that it was asked for", TRIES_MAX);
	return LOOK_DONE;
}

static void add_text(struct locking *l, cJSON *o, const char *key, const char *text)
{
	if (cJSON_AddStringToObject(o, key, text) == NULL)
		l->arena->failed = true;
}

static void add_item(struct locking *l, cJSON *o, const char *key, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(o, key, item))
		return;
	cJSON_Delete(item);
	l->arena->failed = true;
}

static void put_people(struct locking *l, cJSON *metadata)
{
	cJSON *annotations = cJSON_AddObjectToObject(metadata, "annotations");
	add_text(l, annotations, who_key, lock_plain(l->arena, l->holder.who));
	add_text(l, annotations, host_key, lock_plain(l->arena, l->holder.host));
	add_text(l, annotations, what_key, lock_plain(l->arena, l->holder.what));
}

static void put_holder(struct locking *l, cJSON *spec, int64_t transitions)
{
	const char *now = micro_time(l->arena, now_of(l));
	add_text(l, spec, "holderIdentity", l->holder.key);
	add_item(l, spec, "leaseDurationSeconds", cJSON_CreateNumber(LOCK_STALE_MS / 1000.0));
	add_text(l, spec, "acquireTime", now);
	add_text(l, spec, "renewTime", now);
	add_item(l, spec, "leaseTransitions", cJSON_CreateNumber((double)transitions));
}

static const char *url_of(struct locking *l, const char *name, bool is_trial)
{
	const char *url = kube_url_query(l->arena, kube_url_object(l->arena, l->settings, &leases, leases.plural, name), "fieldManager", "pitwall");
	return is_trial ? kube_url_query(l->arena, url, "dryRun", "All") : url;
}

/* One that nobody has made yet. */
static enum look_turn make(struct locking *l)
{
	bool is_trial = l->wish == LOCK_LOOKS;
	cJSON *o = cJSON_CreateObject();
	add_text(l, o, "apiVersion", "coordination.k8s.io/v1");
	add_text(l, o, "kind", "Lease");
	cJSON *metadata = cJSON_AddObjectToObject(o, "metadata"), *spec = cJSON_AddObjectToObject(o, "spec");
	add_text(l, metadata, "name", lease_name(l->arena, l->settings));
	add_text(l, cJSON_AddObjectToObject(metadata, "labels"), "app.kubernetes.io/managed-by", "pitwall");
	if (!is_trial) {
		put_people(l, metadata);
		put_holder(l, spec, 0);
	}
	const char *body = kube_text(l->arena, o, false);
	cJSON_Delete(o);
	ask_http(l->arena, &l->next, "POST", url_of(l, NULL, is_trial), body != NULL ? body : "");
	return ask(l, is_trial ? AT_TRIED : AT_MADE);
}

/* Who is put into it, or (AT_FREED) out; AT_KEPT: heard of again; AT_TRIED: nothing at all. */
static enum look_turn patch(struct locking *l, enum at at, int64_t transitions)
{
	cJSON *o = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(o, "metadata"), *spec = cJSON_AddObjectToObject(o, "spec");
	add_text(l, metadata, "resourceVersion", l->version);
	if (at == AT_TAKEN) {
		put_people(l, metadata);
		put_holder(l, spec, transitions);
	} else if (at == AT_KEPT) {
		add_text(l, spec, "renewTime", micro_time(l->arena, now_of(l)));
	} else {
		cJSON *annotations = cJSON_AddObjectToObject(metadata, "annotations");
		add_item(l, annotations, who_key, cJSON_CreateNull());
		add_item(l, annotations, host_key, cJSON_CreateNull());
		add_item(l, annotations, what_key, cJSON_CreateNull());
		add_item(l, spec, "holderIdentity", cJSON_CreateNull());
	}
	const char *body = kube_text(l->arena, o, true);
	cJSON_Delete(o);
	kube_patch(l->arena, url_of(l, lease_name(l->arena, l->settings), at == AT_TRIED), "application/merge-patch+json", body, &l->next);
	return ask(l, at);
}

/* ---- answers ---- */

static int64_t time_of(const cJSON *o)
{
	int64_t ms = kube_time(kube_string(o, "spec.renewTime"));
	if (ms == 0)
		ms = kube_time(kube_string(o, "spec.acquireTime"));
	return ms != 0 ? ms : kube_time(kube_string(o, "metadata.creationTimestamp"));
}

/* Somebody has it: who, and whether they were heard of lately. */
static enum lock_state see_holder(const struct locking *l, const cJSON *o, const char *holder, struct lock_told *told)
{
	int64_t age_ms = now_of(l) - time_of(o), lasts_s = kube_number(o, "spec.leaseDurationSeconds", LOCK_STALE_MS / 1000);
	*told = (struct lock_told){ .since_s = kube_time(kube_string(o, "spec.acquireTime")) / 1000 };
	age_ms = age_ms < 0 ? -age_ms : age_ms; /* heard of from the future: its clock was set back */
	lasts_s = lasts_s < 1 ? 1 : lasts_s > DURATION_MAX_S ? DURATION_MAX_S : lasts_s;
	told->age_s = age_ms / 1000;
	lock_take_text(told->key, sizeof told->key, LOCK_KEY - 4, holder);
	lock_take_text(told->who, sizeof told->who, WHO_WIDTH, kube_annotation(o, who_key));
	lock_take_text(told->host, sizeof told->host, HOST_WIDTH, kube_annotation(o, host_key));
	lock_take_text(told->what, sizeof told->what, WHAT_WIDTH, kube_annotation(o, what_key));
	return age_ms > lasts_s * 1000 ? LOCK_STALE : LOCK_HELD;
}

static enum look_turn end(struct locking *l, enum lock_state state)
{
	l->seen.state = state;
	return LOOK_DONE;
}

static enum look_turn see(struct locking *l, const cJSON *o)
{
	const char *holder = kube_string(o, "spec.holderIdentity"), *version = kube_string(o, "metadata.resourceVersion");
	bool is_ours = holder[0] != '\0' && strcmp(holder, l->holder.key) == 0;
	int64_t transitions = kube_number(o, "spec.leaseTransitions", 0);
	struct lock_told told;
	if (strcmp(kube_string(o, "kind"), "Lease") != 0 || version[0] == '\0' || strlen(version) >= sizeof l->version) {
		snprintf(l->seen.text, sizeof l->seen.text, "the answer is no Lease with a resourceVersion");
		return end(l, LOCK_UNKNOWN);
	}
	snprintf(l->version, sizeof l->version, "%s", version);
	transitions = transitions >= 0 && transitions < INT32_MAX ? transitions + 1 : 1;
	if (l->wish == LOCK_GIVES_BACK)
		return is_ours ? patch(l, AT_FREED, 0) : end(l, LOCK_FREE);
	if (holder[0] == '\0')
		return l->wish == LOCK_LOOKS ? patch(l, AT_TRIED, 0) : patch(l, AT_TAKEN, transitions);
	if (is_ours && l->wish == LOCK_TAKES)
		return patch(l, AT_KEPT, 0);
	enum lock_state state = see_holder(l, o, holder, &told);
	if (l->wish == LOCK_TAKES && state == LOCK_STALE && l->takes[0] != '\0' && strcmp(told.key, l->takes) == 0)
		return patch(l, AT_TAKEN, transitions);
	lock_tell(&told, state, &l->seen);
	return LOOK_DONE;
}

/* What was asked for is so, or the object says otherwise. */
static enum look_turn taken(struct locking *l, const cJSON *o)
{
	const char *holder = kube_string(o, "spec.holderIdentity");
	struct lock_told told;
	if (strcmp(holder, l->holder.key) == 0)
		return end(l, l->at == AT_KEPT ? LOCK_KEPT : LOCK_TAKEN);
	lock_tell(&told, see_holder(l, o, holder, &told), &l->seen);
	return LOOK_DONE;
}

static enum look_turn answered(struct locking *l, const cJSON *o)
{
	switch ((enum at)l->at) {
	case AT_READ:
		return see(l, o);
	case AT_MADE:
	case AT_TAKEN:
	case AT_KEPT:
		return taken(l, o);
	case AT_FREED:
	case AT_TRIED:
	case AT_BEGIN:
		break;
	}
	return end(l, LOCK_FREE);
}

static const char *verb_of(const struct locking *l)
{
	if (l->at == AT_READ)
		return "get";
	return strcmp(l->version, "") == 0 ? "create" : "patch";
}

/* The server's words: never taken for a lock. */
static enum look_turn refused(struct locking *l, enum kube_answer kind, const char *text, int64_t wait_ms)
{
	char safe[LOCK_TOLD];
	int status = l->last->status;
	lock_take_text(safe, sizeof safe, LOCK_TOLD / 4, text);
	if (kind == KUBE_CONFLICT || status == 409) /* or somebody has just made it */
		return read_again(l);
	if (status == 404 && l->at == AT_READ) {
		l->version[0] = '\0';
		return l->wish == LOCK_GIVES_BACK ? end(l, LOCK_FREE) : make(l);
	}
	if (status == 404 && l->version[0] != '\0') /* somebody has removed it */
		return read_again(l);
	if (kind == KUBE_LOGIN && !l->was_refused) {
		l->was_refused = true;
		return read_it(l);
	}
	if (kind == KUBE_AGAIN && ++l->tries < TRIES_MAX) {
		l->wait_ms = wait_ms > 0 ? (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS) : WAIT_MS * l->tries;
		return LOOK_WAIT;
	}
	if (status == 403)
		snprintf(l->seen.text, sizeof l->seen.text, "this login may not %s leases in namespace %.63s (%s)", verb_of(l), setting_text(l->settings, "namespace"), safe);
	else
		snprintf(l->seen.text, sizeof l->seen.text, "the Lease can't be had: %s", safe);
	return end(l, kind == KUBE_NO && status >= 400 ? LOCK_CANNOT : LOCK_UNKNOWN);
}

/* Whether what was sent has happened the Lease tells. */
static enum look_turn silent(struct locking *l)
{
	if (l->last->was_sent && l->at != AT_READ && l->at != AT_TRIED && l->last->err != ERR_DENIED && ++l->tries < TRIES_MAX)
		return read_it(l);
	lock_take_text(l->seen.text, LOCK_TOLD, LOCK_TOLD / 4, l->last->why != NULL ? l->last->why : "no answer");
	return end(l, LOCK_UNKNOWN);
}

static enum look_turn turn(struct locking *l)
{
	char text[256];
	int64_t wait_ms = 0;
	cJSON *o = NULL;
	l->seen = (struct lock_seen){ .state = LOCK_UNKNOWN };
	if (l->last == NULL)
		return read_it(l);
	if (l->last->err != ERR_OK)
		return silent(l);
	enum kube_answer kind = kube_read(l->last, &o, &wait_ms, text, sizeof text);
	enum look_turn next = kind == KUBE_OK ? answered(l, o) : refused(l, kind, text, wait_ms);
	cJSON_Delete(o);
	return next;
}

const struct lock_way kube_lock = { .place = place, .turn = turn };
