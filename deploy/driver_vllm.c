/* SPDX-License-Identifier: Apache-2.0
 *
 * A vLLM server. It has no way to another base model but a restart with other arguments, which another driver does (`restart`): this one adds what proves that it then
 * serves. A LoRA adapter it can load and unload while it runs (`lora`), each replica for itself and until its next start.
 *
 * Source: vLLM's docs/features/lora.md, sleep_mode.md, and its OpenAI-compatible server, 0.24. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "deploy/commands.h"
#include "deploy/note.h"
#include "deploy/server_api.h"

enum { TAG_UNLOAD = 1000, TAG_LOAD, TAG_ADAPTER, TAG_LISTED, TAG_GENERATES }; /* other tags are the inner driver's */
enum { LOOK_INNER, LOOK_MODELS, LOOK_SLEEPS, LOOK_FOLDERS };
enum { POLL_MS = 2000, MODELS_MAX = 1000, PATH_LEN = 1024, GENERATE_MS = 60 * 1000 };

static const struct option options[] = {
	SERVER_OPTIONS("{url}"),
	{ "restart", OPTION_TREE, false, "", "", "How the server is restarted with another version: a mapping with `driver` (systemd, release-symlink, command, http) and its options." },
	{ "lora", OPTION_TEXT, false, "", "", "The name of a LoRA adapter that is served: its versions are deployed, not the base model's." },
	{ "lora_path", OPTION_TEXT, false, "", "", "Where an adapter's version lies on the machine: `/adapters/chat/{version}`." },
	{ "generate", OPTION_BOOL, false, "", "true", "Ask for one token afterwards: `/health` says nothing about whether it generates." },
};

/* ---- the driver within ---- */

/* Its options, without `driver`, read by its own table; `to` and `deploy` are filled. */
static enum err inner_of(const struct fleet_deploy *d, const struct settings *s, struct arena *a, const struct driver **driver, struct fleet_deploy *deploy, struct settings *to, struct why *why)
{
	const struct yaml_node *tree = setting(s, "restart")->node, *name = yaml_get(tree, "driver");
	struct yaml_node *rest = arena_zeroed(a, 1, sizeof *rest);
	const struct yaml_node **nodes = arena_zeroed(a, 2 * (tree->n + 1), sizeof *nodes);
	struct diagnostics diagnostics;
	*driver = name != NULL && name->kind == YAML_SCALAR ? driver_find(name->text) : NULL;
	if (*driver == NULL || strcmp((*driver)->name, "vllm") == 0 || (*driver)->is_whole)
		return why_set(why, ERR_FORMAT, "'restart' must name a 'driver' that restarts one server, as systemd does");
	if (rest == NULL || nodes == NULL)
		return why_memory(why);
	*rest = *tree;
	rest->keys = nodes;
	rest->items = nodes + tree->n + 1;
	rest->n = 0;
	for (size_t i = 0; i < tree->n; i++) {
		if (strcmp(tree->keys[i]->text, "driver") == 0)
			continue;
		nodes[rest->n] = tree->keys[i];
		nodes[tree->n + 1 + rest->n++] = tree->items[i];
	}
	*deploy = *d;
	deploy->driver = (*driver)->name;
	deploy->options = rest;
	diagnostics_init(&diagnostics);
	enum err e = settings_read(a, (*driver)->options, (*driver)->n_options, deploy, "restart", &diagnostics, to, why);
	if (e == ERR_FORMAT && diagnostics.n > 0)
		why_set(why, e, "'restart': %s", diagnostics.items[0].text);
	diagnostics_release(&diagnostics);
	return e == ERR_OK && (*driver)->check != NULL ? (*driver)->check(deploy, to, why) : e;
}

/* ---- options ---- */

static enum err path_of(const struct settings *s, const char *version, struct arena *a, const char **out, struct why *why)
{
	const char *const values[] = { "version", version, NULL };
	return template_fill(a, setting_text(s, "lora_path"), values, out, why);
}

static enum err check_lora(const struct settings *s, struct arena *a, struct why *why)
{
	const char *path = setting_text(s, "lora_path"), *filled = "";
	if (strstr(path, "{version}") == NULL || strstr(strstr(path, "{version}") + 1, "{version}") != NULL)
		return why_set(why, ERR_FORMAT, "'lora_path' must hold {version} once");
	return path_of(s, "v", a, &filled, why);
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	const struct driver *inner;
	struct fleet_deploy deploy;
	struct settings settings;
	struct arena a;
	bool has_restart = setting(s, "restart")->is_given, has_lora = setting(s, "lora")->is_given;
	if (has_restart == has_lora)
		return why_set(why, ERR_FORMAT, "give one of 'restart' and 'lora': vLLM itself can only change adapters");
	if (has_restart && setting(s, "restart")->node->kind != YAML_MAP)
		return why_set(why, ERR_FORMAT, "'restart' must be a mapping");
	arena_init(&a);
	enum err e = server_api_check(s, why);
	if (e == ERR_OK)
		e = has_lora ? check_lora(s, &a, why) : inner_of(d, s, &a, &inner, &deploy, &settings, why);
	arena_release(&a);
	return e;
}

/* ---- looking ---- */

struct memory {
	struct server_api    api;
	const struct driver *inner; /* NULL: adapters */
	struct fleet_deploy  deploy;
	struct settings      settings;
	struct look          look;
	const char          *root; /* of the model that is served, or the adapter; "" not there */
	bool                 is_served;
};

/* The entry of /v1/models with this id; its root where it tells. */
static bool find_served(const struct cJSON *o, const char *id, const char **root)
{
	const struct cJSON *list = NULL, *item;
	json_get_array(o, "data", MODELS_MAX, &list, NULL);
	cJSON_ArrayForEach(item, list) {
		const char *name = "";
		if (json_get_string(item, "id", PATH_LEN, &name, NULL) != ERR_OK || strcmp(name, id) != 0)
			continue;
		*root = "";
		json_get_string(item, "root", PATH_LEN, root, NULL);
		return true;
	}
	return false;
}

static enum look_turn ask_models(struct look *l)
{
	struct memory *m = l->memory;
	l->at = LOOK_MODELS;
	server_ask(l->arena, &m->api, "GET", ask_url(l->arena, m->api.base, "v1", "models", NULL), NULL, 0, &l->next);
	return LOOK_ASK;
}

/* The inner driver's own look, turn by turn. */
static enum look_turn look_inner(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	m->look.last = l->last;
	enum look_turn turn = m->inner->look(&m->look, why);
	l->next = m->look.next;
	l->wait_ms = m->look.wait_ms;
	if (turn != LOOK_DONE)
		return turn;
	l->found = m->look.found;
	return ask_models(l);
}

static enum look_turn begin(struct look *l, struct why *why)
{
	struct memory *m = look_memory(l, sizeof *m, why);
	if (m == NULL || server_api_of(l->settings, l->unit, l->arena, &m->api, why) != ERR_OK)
		return LOOK_FAILED;
	m->root = "";
	if (setting(l->settings, "lora")->is_given)
		return ask_models(l);
	if (inner_of(l->deploy, l->settings, l->arena, &m->inner, &m->deploy, &m->settings, why) != ERR_OK)
		return LOOK_FAILED;
	m->look = (struct look){ .deploy = &m->deploy, .settings = &m->settings, .unit = l->unit, .now_ms = l->now_ms, .arena = l->arena };
	l->at = LOOK_INNER;
	return look_inner(l, why);
}

/* A server that is down is what a redeploy may be for. */
static void take_models(struct look *l)
{
	struct memory *m = l->memory;
	const char *id = m->inner != NULL ? m->api.model : setting_text(l->settings, "lora"), *root = "";
	struct cJSON *o = l->last->status == 200 ? server_json(l->last) : NULL;
	m->is_served = find_served(o, id, &root);
	if (m->is_served)
		m->root = version_text(l->arena, root, strlen(root));
	cJSON_Delete(o);
	if (l->last->err != ERR_OK || l->last->status != 200)
		found_warn(l, WARNING_CARE, "vLLM of '%s' does not tell what it serves (status %d)%s%.100s", l->unit->name, l->last->status, l->last->err != ERR_OK ? ": " : "",
		           l->last->err != ERR_OK ? l->last->why : "");
	else if (!m->is_served)
		found_warn(l, m->inner != NULL ? WARNING_CARE : WARNING_NOTE, "vLLM of '%s' does not serve '%.100s' now", l->unit->name, id);
}

/* "/a/{version}/b" and "/a/7/b" -> "7"; "" where it is none of these. */
static const char *version_in(struct arena *a, const char *pattern, const char *path)
{
	const char *hole = strstr(pattern, "{version}");
	if (hole == NULL)
		return "";
	size_t before = (size_t)(hole - pattern), behind = strlen(hole) - strlen("{version}"), n = strlen(path);
	if (n <= before + behind || strncmp(path, pattern, before) != 0 || strcmp(path + n - behind, hole + strlen("{version}")) != 0)
		return "";
	return version_text(a, path + before, n - before - behind);
}

static void add_version(struct look *l, const char *id, bool is_running)
{
	if (id[0] == '\0' || found_by_id(&l->found, id) != NULL)
		return;
	struct version *v = found_version(l);
	if (v == NULL)
		return;
	v->id = v->name = v->model_version = id;
	v->is_present = true;
	v->is_running = is_running;
}

static enum look_turn finish(struct look *l)
{
	struct memory *m = l->memory;
	if (m->inner == NULL) {
		const char *running = version_in(l->arena, setting_text(l->settings, "lora_path"), m->root);
		l->found.before = note_make(l->arena, "running", running, "path", m->root, NULL);
		if (m->is_served && running[0] == '\0')
			found_warn(l, WARNING_SERIOUS, "the adapter on '%s' was loaded from '%.100s', which 'lora_path' does not lead to: its version is not known", l->unit->name, m->root);
	} else if (!m->inner->has_history && m->root[0] != '\0' && l->found.n_versions == 1 && l->found.versions[0].model_version[0] == '\0') {
		struct version *v = &l->found.versions[0]; /* a restart of what is installed: the server says what that is */
		v->id = v->name = v->model_version = m->root;
	}
	l->found.is_ready = m->is_served;
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

/* What stands before {version} in the path is the folder of the versions, where nothing follows. */
static enum look_turn ask_folders(struct look *l)
{
	struct memory *m = l->memory;
	const char *pattern = setting_text(l->settings, "lora_path"), *hole = strstr(pattern, "{version}");
	if (m->inner != NULL)
		return finish(l);
	add_version(l, version_in(l->arena, pattern, m->root), true);
	if (hole == NULL || hole == pattern || hole[-1] != '/' || pattern[0] != '/' || strcmp(hole, "{version}") != 0 || (l->unit->destination[0] == '\0' && !l->unit->is_local))
		return finish(l);
	l->at = LOOK_FOLDERS;
	served_ask_folders(l->arena, arena_printf(l->arena, "%.*s", (int)(hole - pattern), pattern), &l->next);
	return LOOK_ASK;
}

static void take_folders(struct look *l)
{
	const struct answer *a = l->last;
	if (a->err != ERR_OK || a->status != 0) {
		found_warn(l, WARNING_NOTE, "the adapter's versions on '%s' can't be listed", l->unit->node);
		return;
	}
	for (const char *at = a->text, *end = a->text + a->n; at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = eol != NULL ? (size_t)(eol - at) : (size_t)(end - at);
		add_version(l, version_text(l->arena, at, n), false);
		at += n + 1;
	}
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	struct cJSON *o;
	bool sleeps = false;
	if (l->last == NULL)
		return begin(l, why);
	switch (l->at) {
	case LOOK_INNER:
		return look_inner(l, why);
	case LOOK_MODELS:
		take_models(l);
		l->at = LOOK_SLEEPS;
		server_ask(l->arena, &m->api, "GET", ask_url(l->arena, m->api.base, "is_sleeping", NULL), NULL, 0, &l->next);
		return LOOK_ASK;
	case LOOK_SLEEPS: /* only where it was started for development; elsewhere there is no such path */
		o = l->last->status == 200 ? server_json(l->last) : NULL;
		if (json_get_bool(o, "is_sleeping", &sleeps, NULL) == ERR_OK && sleeps)
			found_warn(l, WARNING_CARE, "vLLM of '%s' sleeps: it says that it is well and serves nothing until it is woken", l->unit->name);
		cJSON_Delete(o);
		return ask_folders(l);
	default:
		take_folders(l);
		return finish(l);
	}
}

/* ---- planning ---- */

struct going {
	struct planning  *p;
	struct server_api api;
	int64_t           ready_ms;
	const char       *id; /* what /v1/models has to list */
};

/* Two texts as a JSON object. */
static const char *body_of(struct arena *a, const char *key, const char *value, const char *key2, const char *value2)
{
	return value2 != NULL ? note_make(a, key, value, key2, value2, NULL) : note_make(a, key, value, NULL);
}

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, const char *path, const char *title)
{
	struct arena *a = g->p->arena;
	struct step *s = steps_add(g->p, to, phase, "%s", title);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = tag == TAG_UNLOAD || tag == TAG_LOAD;
	s->is_repeatable = true;
	s->note = note_make(a, "id", g->id, "path", path, "base", g->api.base, "on_machine", g->api.is_on_machine ? "yes" : "", NULL);
	s->poll_ms = POLL_MS;
	s->deadline_ms = g->ready_ms;
	return s;
}

static void add_listed(struct going *g, struct steps *to, int tag, const char *path, const char *title)
{
	struct step *s = add(g, to, PHASE_READY, tag, path, title);
	if (s != NULL)
		server_ask(g->p->arena, &g->api, "GET", ask_url(g->p->arena, g->api.base, "v1", "models", NULL), NULL, 0, &s->ask);
}

static void add_generate(struct going *g, struct steps *to)
{
	struct arena *a = g->p->arena;
	struct buf body;
	if (!setting_bool(g->p->settings, "generate"))
		return;
	struct step *s = add(g, to, PHASE_READY, TAG_GENERATES, "", "ask for one token");
	buf_init(&body, 8192);
	buf_puts(&body, "{\"model\":");
	json_put_string(&body, g->id, strlen(g->id));
	buf_puts(&body, ",\"prompt\":\"a\",\"max_tokens\":1,\"temperature\":0}");
	if (body.err != ERR_OK)
		a->failed = true;
	if (s != NULL && body.err == ERR_OK)
		server_ask(a, &g->api, "POST", ask_url(a, g->api.base, "v1", "completions", NULL), buf_text(&body), GENERATE_MS, &s->ask);
	buf_release(&body);
}

static void add_adapter(struct going *g, struct steps *to, const char *path)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, PHASE_CHANGE, TAG_UNLOAD, path, "unload the adapter");
	if (s != NULL)
		server_ask(a, &g->api, "POST", ask_url(a, g->api.base, "v1", "unload_lora_adapter", NULL), body_of(a, "lora_name", g->id, NULL, NULL), 0, &s->ask);
	if (path[0] == '\0')
		return;
	s = add(g, to, PHASE_CHANGE, TAG_LOAD, path, "load the adapter");
	if (s != NULL)
		server_ask(a, &g->api, "POST", ask_url(a, g->api.base, "v1", "load_lora_adapter", NULL), body_of(a, "lora_name", g->id, "lora_path", path), g->ready_ms, &s->ask);
	add_listed(g, to, TAG_ADAPTER, path, "wait until the adapter is served");
	add_generate(g, to);
}

static enum err plan_lora(struct going *g, struct why *why)
{
	struct planning *p = g->p;
	const char *path = "", *was = note_text(p->arena, p->found->before, "path"), *id = p->to != NULL ? p->to->id : "";
	if (id[0] == '\0' || strcmp(version_text(p->arena, id, strlen(id)), id) != 0 || strcmp(id, ".") == 0 || strcmp(id, "..") == 0 || strchr(id, '/') != NULL)
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no version of an adapter", id);
	enum err e = path_of(p->settings, id, p->arena, &path, why);
	if (e != ERR_OK)
		return e;
	g->id = setting_text(p->settings, "lora");
	plan_warn(p, WARNING_CARE, "vLLM forgets the adapter when it restarts: to make it last, change --lora-modules too");
	plan_warn(p, WARNING_NOTE, "each replica is changed for itself, and has no adapter '%s' for a moment", g->id);
	add_adapter(g, p->forward, path);
	add_adapter(g, p->back, was);
	return ERR_OK;
}

/* Behind the last step of the inner plan that is no entering again. */
static void prove(struct going *g, struct steps *to)
{
	struct step ours[4];
	size_t at = to->n, before = to->n;
	while (at > 0 && to->items[at - 1].phase == PHASE_ENTER)
		at--;
	if (at == 0) /* nothing is changed */
		return;
	struct step *s = add(g, to, PHASE_READY, TAG_HTTP_READY, "", "wait until it is healthy");
	if (s != NULL)
		server_ask(g->p->arena, &g->api, "GET", ask_url(g->p->arena, g->api.base, "health", NULL), NULL, 0, &s->ask);
	add_listed(g, to, TAG_LISTED, "", "wait until the model is listed");
	add_generate(g, to);
	size_t n = to->n - before;
	if (arena_failed(g->p->arena) || n == 0 || n > sizeof ours / sizeof ours[0])
		return;
	memcpy(ours, &to->items[before], n * sizeof ours[0]);
	memmove(&to->items[at + n], &to->items[at], (before - at) * sizeof ours[0]);
	memcpy(&to->items[at], ours, n * sizeof ours[0]);
}

static enum err plan_restart(struct going *g, struct why *why)
{
	struct planning *p = g->p, *inner = arena_zeroed(p->arena, 1, sizeof *inner);
	const struct driver *driver;
	struct fleet_deploy *deploy = arena_zeroed(p->arena, 1, sizeof *deploy);
	struct settings *settings = arena_zeroed(p->arena, 1, sizeof *settings);
	if (inner == NULL || deploy == NULL || settings == NULL)
		return why_memory(why);
	enum err e = inner_of(p->deploy, p->settings, p->arena, &driver, deploy, settings, why);
	if (e != ERR_OK)
		return e;
	*inner = *p;
	inner->deploy = deploy;
	inner->settings = settings;
	e = driver->plan(inner, why);
	if (e != ERR_OK)
		return e;
	memcpy(p->warnings, inner->warnings, sizeof p->warnings);
	p->n_warnings = inner->n_warnings;
	prove(g, p->forward);
	prove(g, p->back);
	return ERR_OK;
}

static enum err plan(struct planning *p, struct why *why)
{
	struct going g = { .p = p, .ready_ms = ready_ms_of(p->deploy) };
	enum err e = server_api_of(p->settings, p->unit, p->arena, &g.api, why);
	if (e != ERR_OK)
		return e;
	g.id = g.api.model;
	e = setting(p->settings, "lora")->is_given ? plan_lora(&g, why) : plan_restart(&g, why);
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static void judge_listed(const struct judging *j, struct verdict *v)
{
	const char *id = note_text(j->arena, j->step->note, "id"), *path = note_text(j->arena, j->step->note, "path"), *root = "";
	struct cJSON *o = j->answer->status == 200 ? server_json(j->answer) : NULL;
	if (!find_served(o, id, &root))
		verdict_again(v, 0, "'%.100s' is not listed (status %d)", id, j->answer->status);
	else if (path[0] != '\0' && strcmp(root, path) != 0)
		verdict_failed(v, "'%.60s' is served from '%.100s'", id, root);
	else
		verdict_done(v, "'%.100s' is served", id);
	cJSON_Delete(o);
}

/* FastAPI answers so where there is no such path at all. */
static bool is_no_path(const struct answer *a)
{
	struct cJSON *o = a->status == 404 ? server_json(a) : NULL;
	const char *detail = "";
	bool is = json_get_string(o, "detail", PATH_LEN, &detail, NULL) == ERR_OK && strcmp(detail, "Not Found") == 0;
	cJSON_Delete(o);
	return is;
}

static void judge_adapter(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	char said[200];
	server_said(a, said, sizeof said);
	if (*j->at == 1) {
		judge_listed(j, v);
	} else if (a->status == 200) {
		verdict_done(v, "%s", said);
	} else if (is_no_path(a)) {
		verdict_failed(v, "vLLM changes no adapters: it must be started with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora");
	} else if (a->status == 404 && j->step->tag == TAG_UNLOAD) {
		verdict_done(v, "it was not loaded");
	} else if (a->status == 400 && j->step->tag == TAG_LOAD && strstr(said, "already") != NULL) {
		const struct server_api api = { note_text(j->arena, j->step->note, "base"), "", note_text(j->arena, j->step->note, "on_machine")[0] != '\0' };
		verdict_again(v, -1, "it is loaded already: which one is asked");
		server_ask(j->arena, &api, "GET", ask_url(j->arena, api.base, "v1", "models", NULL), NULL, 0, &v->next);
		*j->at = 1;
	} else if (a->status == 429 || a->status == 503) {
		verdict_again(v, a->retry_after_ms, "status %d: %s", a->status, said);
	} else {
		verdict_failed(v, "status %d: %s", a->status, said);
	}
}

static void judge_generates(const struct judging *j, struct verdict *v)
{
	struct cJSON *o = j->answer->status == 200 ? server_json(j->answer) : NULL;
	const struct cJSON *choices = NULL;
	char said[200];
	server_said(j->answer, said, sizeof said);
	json_get_array(o, "choices", MODELS_MAX, &choices, NULL);
	if (cJSON_GetArraySize(choices) > 0)
		verdict_done(v, "it generates");
	else if (j->answer->status >= 400 && j->answer->status < 500 && j->answer->status != 429)
		verdict_failed(v, "it does not generate (status %d): %s", j->answer->status, said);
	else
		verdict_again(v, 0, "it does not generate (status %d): %s", j->answer->status, said);
	cJSON_Delete(o);
}

static void judge_inner(const struct judging *j, struct verdict *v)
{
	const struct driver *driver;
	struct fleet_deploy deploy;
	struct settings settings;
	struct judging inner = *j;
	struct arena a; /* a step is judged many times, and its own arena lasts as long as the step */
	struct why why;
	arena_init(&a);
	if (setting(j->settings, "restart")->is_given && inner_of(j->deploy, j->settings, &a, &driver, &deploy, &settings, &why) == ERR_OK) {
		inner.deploy = &deploy;
		inner.settings = &settings;
		driver->judge(&inner, v);
	} else {
		verdict_failed(v, "a step that the driver does not know");
	}
	arena_release(&a);
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (j->step->tag < TAG_UNLOAD || j->step->tag > TAG_GENERATES) {
		if (j->step->tag != TAG_HTTP_READY || !commands_judge(j, v))
			judge_inner(j, v);
		return;
	}
	if (verdict_of_silence(j, v))
		return;
	if (j->answer == NULL)
		verdict_failed(v, "a request without an answer");
	else if (j->step->tag == TAG_GENERATES)
		judge_generates(j, v);
	else if (j->step->tag == TAG_ADAPTER || j->step->tag == TAG_LISTED)
		judge_listed(j, v);
	else
		judge_adapter(j, v);
}

const struct driver vllm_driver = {
	.name = "vllm",
	.summary = "restart vLLM through another driver, or change a LoRA adapter while it runs",
	.notes = "vLLM can't change its base model: `restart` names the driver that puts another version there and restarts the server, and what that driver can't do (systemd moves no versions) this one "
	         "can't either. Afterwards `/health`, the list of models and one token prove that it serves.\n\n"
	         "With `lora` versions of one adapter are loaded and unloaded, replica by replica; vLLM must run with `--enable-lora` and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True. It forgets them when it "
	         "restarts. A server that sleeps (`/is_sleeping`) is told as such, and not woken.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.has_history = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};
