/* SPDX-License-Identifier: Apache-2.0
 *
 * A model inside Triton: its repository extension loads a model with another configuration, whose version policy names the one version that is wanted. There is no
 * load of one version, and an unload answers before it is over, so that the index is asked until it says so.
 *
 * Source: Triton's extension_model_repository.md, model_repository.md, and its core's code, 2.59. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "deploy/commands.h"
#include "deploy/note.h"
#include "deploy/server_api.h"

enum { TAG_LOAD = 100, TAG_UNLOAD, TAG_GONE, TAG_READY };
enum { LOOK_INDEX = 1, LOOK_CONFIG, LOOK_FOLDERS };
enum { CONFIG_MAX = 24 * 1024, BODY_MAX = 256 * 1024, POLL_MS = 2000, LIST_MAX = 2200, VERSION_LEN = 32, NAME_LEN = 1024 };

static const struct option options[] = {
	SERVER_OPTIONS("http://{host}:8000"),
	{ "repository", OPTION_TEXT, false, "", "", "The model repository's folder on the machine: its version folders are then what can be gone to. The index alone knows only versions that were loaded once." },
	{ "unload_first", OPTION_BOOL, false, "", "false", "Unload the model before it is loaded anew: for GPUs that can't hold two versions at once. It serves nothing meanwhile." },
	DRAIN_OPTIONS,
};

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	const char *repository = setting_text(s, "repository");
	(void)d;
	if (repository[0] != '\0' && repository[0] != '/')
		return why_set(why, ERR_FORMAT, "'repository' must be a whole path");
	enum err e = server_api_check(s, why);
	e = e == ERR_OK ? commands_check(s, "drain", false, why) : e;
	return e == ERR_OK ? commands_check(s, "undrain", false, why) : e;
}

/* ---- the index ---- */

static enum served_state state_of(const char *state, const char *reason)
{
	if (strcmp(state, "READY") == 0)
		return SERVED_READY;
	if (strcmp(state, "LOADING") == 0)
		return SERVED_LOADING;
	if (strcmp(state, "UNLOADING") == 0)
		return SERVED_UNLOADING;
	if (strcmp(state, "UNAVAILABLE") == 0)
		return reason[0] == '\0' || strcmp(reason, "unloaded") == 0 ? SERVED_GONE : SERVED_FAILED;
	return SERVED_UNKNOWN;
}

/* False: no index. *is_there: the model stands in it, be it without a version. */
static bool read_index(struct arena *a, const struct answer *answer, const char *model, struct served *out, bool *is_there)
{
	struct cJSON *o = server_json(answer);
	const struct cJSON *item;
	bool is_list = answer->status == 200 && cJSON_IsArray(o);
	*is_there = false;
	cJSON_ArrayForEach(item, o) {
		const char *name = "", *version = "", *state = "", *reason = "";
		int64_t number;
		if (!is_list || json_get_string(item, "name", NAME_LEN, &name, NULL) != ERR_OK || strcmp(name, model) != 0)
			continue;
		*is_there = true;
		json_get_string(item, "version", VERSION_LEN, &version, NULL);
		json_get_string(item, "state", VERSION_LEN, &state, NULL);
		json_get_string(item, "reason", NAME_LEN, &reason, NULL);
		struct served_version *v = served_number(version, &number) ? served_add(out, number) : NULL;
		if (v == NULL)
			continue;
		v->state = state_of(state, reason);
		v->reason = v->state == SERVED_FAILED ? arena_text(a, reason) : "";
	}
	cJSON_Delete(o);
	return is_list;
}

static void ask_index(struct arena *a, const struct server_api *api, struct ask *to)
{
	server_ask(a, api, "POST", ask_url(a, api->base, "v2", "repository", "index", NULL), "{}", 0, to);
}

/* ---- looking ---- */

struct memory {
	struct server_api api;
	struct served     served;
	const char       *config; /* the live one, whole; "": not told */
	bool              has_folders;
};

static enum look_turn ask_first(struct look *l, struct why *why)
{
	struct memory *m = look_memory(l, sizeof *m, why);
	if (m == NULL || server_api_of(l->settings, l->unit, l->arena, &m->api, why) != ERR_OK)
		return LOOK_FAILED;
	m->config = "";
	l->at = LOOK_INDEX;
	ask_index(l->arena, &m->api, &l->next);
	return LOOK_ASK;
}

static enum look_turn take_index(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	bool is_there;
	char said[200];
	server_said(l->last, said, sizeof said);
	if (!read_index(l->arena, l->last, m->api.model, &m->served, &is_there)) {
		why_set(why, ERR_UNSUPPORTED, "'%s' gives no index of its repository (status %d): %s", l->unit->name, l->last->status, said);
		return LOOK_FAILED;
	}
	if (!is_there) {
		why_set(why, ERR_NOT_FOUND, "Triton of '%s' has no model '%.100s' in its repository: see 'model_name'", l->unit->name, m->api.model);
		return LOOK_FAILED;
	}
	l->at = LOOK_CONFIG;
	server_ask(l->arena, &m->api, "GET", ask_url(l->arena, m->api.base, "v2", "models", m->api.model, "config", NULL), NULL, 0, &l->next);
	return LOOK_ASK;
}

static void warn_of_policy(struct look *l, const struct cJSON *config)
{
	const struct cJSON *policy = cJSON_GetObjectItemCaseSensitive(config, "version_policy");
	if (cJSON_GetObjectItemCaseSensitive(policy, "specific") != NULL)
		return;
	found_warn(l, WARNING_CARE, "the version policy of %.100s on '%s' is '%s': a new version folder, or one that goes away, changes what it serves at the next load or start", l->unit->model,
	           l->unit->node, cJSON_GetObjectItemCaseSensitive(policy, "all") != NULL ? "all" : "latest");
}

static void take_config(struct look *l)
{
	struct memory *m = l->memory;
	struct cJSON *o = l->last->status == 200 ? server_json(l->last) : NULL;
	char said[200];
	struct buf text;
	server_said(l->last, said, sizeof said);
	if (!cJSON_IsObject(o)) {
		cJSON_Delete(o);
		found_warn(l, WARNING_SERIOUS, "'%s' does not tell the model's configuration (status %d): %s", l->unit->name, l->last->status, said);
		return;
	}
	warn_of_policy(l, o);
	buf_init(&text, CONFIG_MAX);
	if (json_put_tree(&text, o) == ERR_OK)
		m->config = arena_text(l->arena, buf_text(&text));
	else if (text.err == ERR_MEMORY)
		l->arena->failed = true;
	else
		found_warn(l, WARNING_FORBIDS, "the model's configuration on '%s' is longer than the %d bytes that a journal takes", l->unit->name, CONFIG_MAX);
	buf_release(&text);
	cJSON_Delete(o);
}

static const char *ready_list(struct arena *a, const struct served *s)
{
	struct buf to;
	buf_init(&to, LIST_MAX);
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].state == SERVED_READY)
			buf_printf(&to, "%s%lld", to.len > 0 ? "," : "", (long long)s->items[i].number);
	const char *copy = arena_text(a, buf_text(&to));
	buf_release(&to);
	return copy != NULL ? copy : "";
}

static enum look_turn finish(struct look *l)
{
	struct memory *m = l->memory;
	const struct served_version *ready = served_ready(&m->served);
	const char *list = ready_list(l->arena, &m->served);
	served_found(l, &m->served, ready != NULL ? ready->number : 0, m->has_folders);
	if (ready == NULL)
		found_warn(l, WARNING_SERIOUS, "no version of the model is READY on '%s'", l->unit->name);
	else if (strchr(list, ',') != NULL)
		found_warn(l, WARNING_NOTE, "versions %s are READY on '%s'; who names none gets the highest", list, l->unit->name);
	l->found.is_ready = ready != NULL;
	l->found.before = note_make(l->arena, "config", m->config, "ready", list, NULL);
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

static enum look_turn ask_folders(struct look *l)
{
	struct memory *m = l->memory;
	const char *repository = setting_text(l->settings, "repository"), *model = m->api.model;
	if (repository[0] == '\0' || strchr(model, '/') != NULL || strcmp(model, "..") == 0)
		return finish(l);
	l->at = LOOK_FOLDERS;
	served_ask_folders(l->arena, arena_printf(l->arena, "%s/%s", repository, model), &l->next);
	return LOOK_ASK;
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	if (l->last == NULL)
		return ask_first(l, why);
	if (l->at == LOOK_FOLDERS) {
		m->has_folders = served_take_folders(l, &m->served, WARNING_CARE, "only versions that were loaded once are known");
		return finish(l);
	}
	if (!server_answered(l, l->at == LOOK_INDEX ? "what is in its repository" : "the model's configuration", why))
		return LOOK_FAILED;
	if (l->at == LOOK_INDEX)
		return take_index(l, why);
	take_config(l);
	return ask_folders(l);
}

/* ---- planning ---- */

struct going {
	struct planning  *p;
	struct server_api api;
	int64_t           ready_ms;
	const char       *config;
};

/* {"parameters":{"config":"..."}}: the whole configuration, with these versions ("7,6") as its policy; "" leaves it. */
static const char *load_body(struct arena *a, const char *config, const char *versions)
{
	struct cJSON *o = NULL;
	struct buf text, body;
	const char *copy = NULL;
	buf_init(&text, BODY_MAX);
	buf_init(&body, 2 * BODY_MAX);
	if (json_parse(config, strlen(config), NULL, &o, NULL) == ERR_OK && cJSON_IsObject(o)) {
		bool is_whole = true;
		if (versions[0] != '\0') {
			cJSON_DeleteItemFromObjectCaseSensitive(o, "version_policy");
			struct cJSON *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(o, "version_policy"), "specific"), "versions");
			for (const char *at = versions; *at != '\0'; at += strspn(at, ",")) {
				size_t n = strcspn(at, ",");
				struct cJSON *one = cJSON_CreateString(arena_printf(a, "%.*s", (int)n, at)); /* an int64 is a text in protobuf's JSON */
				if (!cJSON_AddItemToArray(list, one)) {
					cJSON_Delete(one);
					is_whole = false;
				}
				at += n;
			}
		}
		json_put_tree(&text, o);
		buf_puts(&body, "{\"parameters\":{\"config\":");
		json_put_string(&body, buf_text(&text), text.len);
		buf_puts(&body, "}}");
		copy = is_whole && text.err == ERR_OK && body.err == ERR_OK ? arena_text(a, buf_text(&body)) : NULL;
	}
	cJSON_Delete(o);
	buf_release(&text);
	buf_release(&body);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, const char *versions, const char *title)
{
	struct step *s = steps_add(g->p, to, phase, "%s", title);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = phase == PHASE_CHANGE && (tag == TAG_LOAD || tag == TAG_UNLOAD);
	s->is_repeatable = true;
	s->note = note_make(g->p->arena, "model", g->api.model, "versions", versions, "base", g->api.base, "on_machine", g->api.is_on_machine ? "yes" : "", NULL);
	s->poll_ms = POLL_MS;
	s->deadline_ms = g->ready_ms;
	return s;
}

/* Versions: what is to be READY, and nothing else; `pins`: by policy, or as the configuration has it. */
static void add_load(struct going *g, struct steps *to, const char *versions, bool pins)
{
	struct arena *a = g->p->arena;
	const struct server_api *api = &g->api;
	if (setting_bool(g->p->settings, "unload_first")) {
		struct step *s = add(g, to, PHASE_CHANGE, TAG_UNLOAD, versions, "unload the model");
		if (s != NULL)
			server_ask(a, api, "POST", ask_url(a, api->base, "v2", "repository", "models", api->model, "unload", NULL), "{}", 0, &s->ask);
		s = add(g, to, PHASE_CHANGE, TAG_GONE, versions, "wait until it is unloaded");
		if (s != NULL)
			ask_index(a, api, &s->ask);
	}
	struct step *s = add(g, to, PHASE_CHANGE, TAG_LOAD, versions, arena_printf(a, "load version %.200s", versions));
	if (s != NULL)
		server_ask(a, api, "POST", ask_url(a, api->base, "v2", "repository", "models", api->model, "load", NULL), load_body(a, g->config, pins ? versions : ""), g->ready_ms, &s->ask);
	s = add(g, to, PHASE_READY, TAG_READY, versions, arena_printf(a, "wait until version %.200s alone is ready", versions));
	if (s != NULL)
		ask_index(a, api, &s->ask);
}

static void warn_plan(struct going *g, const char *version, bool pins)
{
	struct planning *p = g->p;
	if (pins)
		plan_warn(p, WARNING_CARE, "Triton forgets this when it restarts, or when anybody loads the model without a configuration: to make it last, write"
		          " version_policy: { specific: { versions: [ %s ] } } into the config.pbtxt of %.100s", version, g->api.model);
	if (setting_bool(p->settings, "unload_first"))
		plan_warn(p, WARNING_CARE, "the model is unloaded first: '%s' serves nothing of it until the new version is loaded", p->unit->name);
	else
		plan_warn(p, WARNING_NOTE, "both versions are in GPU memory while the new one loads; where that is short the load fails and the old one goes on serving");
}

static enum err plan(struct planning *p, struct why *why)
{
	struct going g = { .p = p, .ready_ms = ready_ms_of(p->deploy), .config = note_text(p->arena, p->found->before, "config") };
	const char *ready = note_text(p->arena, p->found->before, "ready"), *values[COMMAND_VALUES];
	const struct version *running = found_running(p->found), *there = p->to != NULL ? found_by_id(p->found, p->to->id) : NULL;
	int64_t number;
	if (p->to == NULL || !served_number(p->to->id, &number))
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no version of Triton's, which are whole numbers", p->to != NULL ? p->to->id : "");
	if (g.config[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "'%s' did not tell the model's configuration, which a load of one version needs whole: load it by hand first", p->unit->name);
	if (there != NULL && !there->is_present)
		return why_set(why, ERR_UNSUPPORTED, "version %s is not in the repository of '%s'", p->to->id, p->unit->name);
	enum err e = server_api_of(p->settings, p->unit, p->arena, &g.api, why);
	if (e != ERR_OK)
		return e;
	bool is_same = running != NULL && strcmp(running->id, p->to->id) == 0 && strchr(ready, ',') == NULL;
	command_values(p->unit, NULL, NULL, values);
	warn_plan(&g, p->to->id, !is_same);
	e = commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why);
	if (e != ERR_OK)
		return e;
	add_load(&g, p->forward, p->to->id, !is_same);
	e = commands_add(p, p->forward, PHASE_ENTER, "undrain", values, why);
	if (e == ERR_OK && ready[0] != '\0')
		add_load(&g, p->back, ready, !is_same);
	else if (e == ERR_OK)
		plan_warn(p, WARNING_SERIOUS, "no version is ready on '%s' now: there is no way back", p->unit->name);
	e = e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", values, why) : e;
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static bool is_wanted(const char *versions, int64_t number)
{
	char text[VERSION_LEN];
	size_t n = (size_t)snprintf(text, sizeof text, "%lld", (long long)number);
	for (const char *at = versions; *at != '\0'; at += strspn(at, ",")) {
		size_t len = strcspn(at, ",");
		if (len == n && memcmp(at, text, n) == 0)
			return true;
		at += len;
	}
	return false;
}

static size_t count_of(const char *versions)
{
	size_t n = versions[0] != '\0';
	for (const char *c = versions; *c != '\0'; c++)
		n += *c == ',';
	return n;
}

/* What the index says of what is wanted. `versions` "": that nothing of the model is left. True: nothing there is on the way to it. */
static bool judge_index(const struct judging *j, const char *versions, struct verdict *v)
{
	const char *model = note_text(j->arena, j->step->note, "model");
	struct served s = { .n = 0 };
	size_t n_missing = count_of(versions);
	bool is_there;
	if (!read_index(j->arena, j->answer, model, &s, &is_there)) {
		verdict_again(v, 0, "no index of the repository (status %d)", j->answer->status);
		return false;
	}
	for (size_t i = 0; i < 2 * s.n; i++) { /* what is wanted first */
		const struct served_version *one = &s.items[i % s.n];
		bool is_meant = is_wanted(versions, one->number), is_busy = one->state == SERVED_LOADING || one->state == SERVED_UNLOADING || one->state == SERVED_READY;
		if (is_meant != (i < s.n))
			continue;
		if (is_meant && one->state == SERVED_FAILED) {
			verdict_failed(v, "version %lld is not loaded: %.160s", (long long)one->number, one->reason);
			return false;
		}
		if (is_meant ? one->state != SERVED_READY : is_busy && n_missing == 0) {
			verdict_again(v, 0, "version %lld is %s", (long long)one->number,
			              one->state == SERVED_LOADING ? "loading" : one->state == SERVED_UNLOADING ? "still unloading" : one->state == SERVED_READY ? "still ready" : "not ready");
			return is_meant && (one->state == SERVED_GONE || one->state == SERVED_UNKNOWN);
		}
		n_missing -= is_meant;
	}
	if (n_missing == 0)
		verdict_done(v, versions[0] != '\0' ? "version %.100s is ready" : "it is unloaded%s", versions);
	else
		verdict_again(v, 0, "version %.100s is not there yet", versions);
	return n_missing > 0;
}

static void refused(const struct judging *j, const char *what, struct verdict *v)
{
	char said[200];
	server_said(j->answer, said, sizeof said);
	if (strstr(said, "explicit") != NULL || strstr(said, "polling is enabled") != NULL)
		verdict_failed(v, "%s is refused: it needs --model-control-mode=explicit (%s)", what, said);
	else if (j->answer->status == 401 || j->answer->status == 403)
		verdict_failed(v, "%s is refused (status %d): the model repository's API is restricted, see 'auth'", what, j->answer->status);
	else
		verdict_failed(v, "%s is refused (status %d): %s", what, j->answer->status, said);
}

/* A load answers when it is over, which may outlast the connection: then the index tells, and only where it knows of none is the load sent again. */
static void judge_load(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	if (*j->at == 1 && a->err == ERR_OK) {
		if (judge_index(j, note_text(j->arena, j->step->note, "versions"), v)) {
			v->next = j->step->ask;
			*j->at = 0;
		}
	} else if (a->err != ERR_OK && a->was_sent && (a->err == ERR_TIMEOUT || a->err == ERR_NETWORK)) {
		const struct server_api api = { note_text(j->arena, j->step->note, "base"), "", note_text(j->arena, j->step->note, "on_machine")[0] != '\0' };
		verdict_again(v, 0, "no answer to the load; the index is asked: %s", a->why);
		ask_index(j->arena, &api, &v->next);
		*j->at = 1;
	} else if (verdict_of_silence(j, v)) {
		return;
	} else if (a->status == 200) {
		verdict_done(v, "%s", "loaded");
	} else if (a->status == 503 || a->status == 429) {
		verdict_again(v, a->retry_after_ms, "status %d", a->status);
	} else {
		refused(j, "the load", v);
	}
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (commands_judge(j, v))
		return;
	if (j->answer == NULL || j->step->tag < TAG_LOAD || j->step->tag > TAG_READY) {
		verdict_failed(v, "a step that the driver does not know");
		return;
	}
	if (j->step->tag == TAG_LOAD) {
		judge_load(j, v);
		return;
	}
	if (verdict_of_silence(j, v))
		return;
	if (j->step->tag != TAG_UNLOAD)
		judge_index(j, j->step->tag == TAG_GONE ? "" : note_text(j->arena, j->step->note, "versions"), v);
	else if (j->answer->status == 200)
		verdict_done(v, "asked for; it goes on until the index says so");
	else
		refused(j, "the unload", v);
}

const struct driver triton_driver = {
	.name = "triton",
	.summary = "load one version of a model through Triton's repository API",
	.notes = "Triton must run with `--model-control-mode=explicit`. It has no load of one version: the live configuration is sent back whole, with a version policy that names the version "
	         "wanted, and the index is asked until that version is READY and the others are gone; an unload that has answered is not over yet.\n\n"
	         "Triton keeps none of it. A restart, or a load by anybody else, goes back to config.pbtxt: for a version that is to stay, put the `version_policy` that the plan shows there too.\n\n"
	         "The configuration from before is in the journal, and the way back loads it with the versions that were READY.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.has_history = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};
