/* SPDX-License-Identifier: Apache-2.0
 *
 * A model inside TorchServe: versions stand registered beside each other, each with workers of its own, and one is the default. A version without a worker that is
 * READY answers 503, so workers come first, then the change of the default, which is instant.
 *
 * Source: TorchServe's management_api.md and token_authorization_api.md, 0.12. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "deploy/commands.h"
#include "deploy/note.h"
#include "deploy/server_api.h"

enum { TAG_REGISTER = 100, TAG_SCALE, TAG_WORKERS, TAG_DEFAULT, TAG_SERVES };
enum { LOOK_DEFAULT = 1, LOOK_ALL };
enum { POLL_MS = 2000, WORKERS_MAX = 1000, VERSION_LEN = 200, NAME_LEN = 1024 };

static const struct option options[] = {
	SERVER_OPTIONS("http://127.0.0.1:8081"),
	{ "workers", OPTION_INTEGER, false, "0..1000", "0", "How many workers a version gets; 0: as many as the default has." },
	{ "archive", OPTION_TEXT, false, "", "", "The .mar file, or its URL, that a version that is not registered yet is registered from: `{model}`, `{version}`. Not given: only registered ones can be gone to." },
	{ "keep_workers", OPTION_BOOL, false, "", "true", "The version that is left keeps its workers, so that going back is instant; else they are taken from it, and its memory is free." },
	DRAIN_OPTIONS,
};

static enum err archive_of(const struct settings *s, const char *model, const char *version, struct arena *a, const char **out, struct why *why)
{
	const char *const values[] = { "model", model, "version", version, NULL };
	return template_fill(a, setting_text(s, "archive"), values, out, why);
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	struct arena a;
	const char *archive;
	(void)d;
	enum err e = server_api_check(s, why);
	arena_init(&a);
	if (e == ERR_OK && archive_of(s, "m", "v", &a, &archive, why) != ERR_OK)
		e = why_prefix(why, ERR_FORMAT, "'archive'");
	arena_release(&a);
	e = e == ERR_OK ? commands_check(s, "drain", false, why) : e;
	return e == ERR_OK ? commands_check(s, "undrain", false, why) : e;
}

/* ---- descriptions ---- */

struct described {
	const char *version; /* lent by the JSON */
	int64_t     workers, ready, max_workers;
};

static bool read_description(const struct cJSON *o, struct described *out)
{
	const struct cJSON *workers = NULL, *w;
	*out = (struct described){ .version = "" };
	if (json_get_string(o, "modelVersion", VERSION_LEN, &out->version, NULL) != ERR_OK || out->version[0] == '\0')
		return false;
	json_get_i64(o, "maxWorkers", 0, WORKERS_MAX, &out->max_workers, NULL);
	json_get_array(o, "workers", WORKERS_MAX, &workers, NULL);
	cJSON_ArrayForEach(w, workers) {
		const char *status = "";
		json_get_string(w, "status", VERSION_LEN, &status, NULL);
		out->workers++;
		out->ready += strcmp(status, "READY") == 0;
	}
	return true;
}

/* ---- looking ---- */

struct memory {
	struct server_api api;
	const char       *running; /* the default */
	int64_t           workers; /* of it */
	int64_t           ready;
};

static enum look_turn ask_first(struct look *l, struct why *why)
{
	struct memory *m = look_memory(l, sizeof *m, why);
	if (m == NULL || server_api_of(l->settings, l->unit, l->arena, &m->api, why) != ERR_OK)
		return LOOK_FAILED;
	m->running = "";
	l->at = LOOK_DEFAULT;
	server_ask(l->arena, &m->api, "GET", ask_url(l->arena, m->api.base, "models", m->api.model, NULL), NULL, 0, &l->next);
	return LOOK_ASK;
}

/* A version's text is kept only where it is one line of plain text. */
static const char *kept(struct arena *a, const char *version) { return version_text(a, version, strlen(version)); }

static void take_default(struct look *l, const struct cJSON *list)
{
	struct memory *m = l->memory;
	struct described d;
	if (!read_description(cJSON_GetArrayItem(list, 0), &d))
		return;
	m->running = kept(l->arena, d.version);
	m->workers = d.max_workers > d.workers ? d.max_workers : d.workers;
	m->ready = d.ready;
}

static void take_all(struct look *l, const struct cJSON *list)
{
	const struct memory *m = l->memory;
	const struct cJSON *item;
	cJSON_ArrayForEach(item, list) {
		struct described d;
		const char *id = read_description(item, &d) ? kept(l->arena, d.version) : "";
		if (id[0] == '\0' || found_by_id(&l->found, id) != NULL)
			continue;
		struct version *v = found_version(l);
		if (v == NULL)
			break;
		v->id = v->name = v->model_version = id;
		v->is_present = true;
		v->is_running = strcmp(id, m->running) == 0;
		v->cause = d.ready == 0 ? "no worker of it is READY: it serves nothing until it has some" : "";
		char ready[NUMBER_TEXT], workers[NUMBER_TEXT];
		snprintf(ready, sizeof ready, "%lld", (long long)d.ready);
		snprintf(workers, sizeof workers, "%lld", (long long)(d.max_workers > d.workers ? d.max_workers : d.workers));
		v->data = note_make(l->arena, "ready", ready, "workers", workers, NULL);
	}
}

/* The newest first, by the numbers in their names. */
static void sort(struct found *f)
{
	for (size_t i = 1; i < f->n_versions; i++)
		for (size_t k = i; k > 0 && strverscmp(f->versions[k - 1].id, f->versions[k].id) < 0; k--) {
			struct version v = f->versions[k];
			f->versions[k] = f->versions[k - 1];
			f->versions[k - 1] = v;
		}
}

static enum look_turn finish(struct look *l)
{
	const struct memory *m = l->memory;
	sort(&l->found);
	if (m->running[0] == '\0')
		found_warn(l, WARNING_SERIOUS, "'%s' does not tell which version is the default", l->unit->name);
	else if (m->ready == 0)
		found_warn(l, WARNING_SERIOUS, "no worker of the default version %.60s is READY on '%s': it serves nothing", m->running, l->unit->name);
	l->found.is_ready = m->ready > 0;
	l->found.before = note_make(l->arena, "default", m->running, "workers", arena_printf(l->arena, "%lld", (long long)m->workers), NULL);
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

static enum look_turn look(struct look *l, struct why *why)
{
	const struct memory *m = l->memory;
	char said[200];
	if (l->last == NULL)
		return ask_first(l, why);
	if (!server_answered(l, "which versions are registered", why))
		return LOOK_FAILED;
	struct cJSON *o = l->last->status == 200 ? server_json(l->last) : NULL;
	if (!cJSON_IsArray(o)) {
		server_said(l->last, said, sizeof said);
		bool is_closed = l->last->status == 401 || (l->last->status == 400 && strstr(said, "oken") != NULL);
		why_set(why, is_closed ? ERR_DENIED : ERR_UNSUPPORTED, "TorchServe of '%s' does not describe '%.100s' (status %d): %s%s", l->unit->name, m->api.model, l->last->status, said,
		        is_closed ? "; its management key is given by 'auth'" : "");
		cJSON_Delete(o);
		return LOOK_FAILED;
	}
	bool is_first = l->at == LOOK_DEFAULT;
	if (is_first)
		take_default(l, o);
	else
		take_all(l, o);
	cJSON_Delete(o);
	if (!is_first)
		return finish(l);
	l->at = LOOK_ALL;
	server_ask(l->arena, &m->api, "GET", ask_url(l->arena, m->api.base, "models", m->api.model, "all", NULL), NULL, 0, &l->next);
	return LOOK_ASK;
}

/* ---- planning ---- */

struct going {
	struct planning  *p;
	struct server_api api;
	int64_t           ready_ms;
	const char       *from, *to;
	int64_t           from_workers;       /* what it was found with */
	int64_t           to_workers, to_ready, workers; /* found with, READY of these, and what it is to have */
	bool              is_registered;
};

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, const char *version, int64_t workers, const char *title)
{
	struct step *s = steps_add(g->p, to, phase, "%s", title);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = tag == TAG_REGISTER || tag == TAG_SCALE || tag == TAG_DEFAULT;
	s->is_repeatable = true;
	s->note = note_make(g->p->arena, "version", version, "workers", arena_printf(g->p->arena, "%lld", (long long)workers), NULL);
	s->poll_ms = POLL_MS;
	s->deadline_ms = g->ready_ms;
	return s;
}

static void add_scale(struct going *g, struct steps *to, enum phase phase, const char *version, int64_t workers)
{
	struct arena *a = g->p->arena;
	const char *n = arena_printf(a, "%lld", (long long)workers);
	struct step *s = add(g, to, phase, TAG_SCALE, version, workers, arena_printf(a, "give version %.200s %s worker%s", version, n, workers == 1 ? "" : "s"));
	if (s != NULL)
		server_ask(a, &g->api, "PUT",
		           server_query(a, ask_url(a, g->api.base, "models", g->api.model, version, NULL), "min_worker", n, "max_worker", n, "synchronous", "true", NULL), NULL, g->ready_ms, &s->ask);
}

static void add_wait(struct going *g, struct steps *to, const char *version, int64_t workers)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, PHASE_CHANGE, TAG_WORKERS, version, workers, arena_printf(a, "wait for READY workers of version %.200s", version));
	if (s != NULL)
		server_ask(a, &g->api, "GET", ask_url(a, g->api.base, "models", g->api.model, version, NULL), NULL, 0, &s->ask);
}

static void add_default(struct going *g, struct steps *to, const char *version)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, PHASE_CHANGE, TAG_DEFAULT, version, 1, arena_printf(a, "make version %.200s the default", version));
	if (s != NULL)
		server_ask(a, &g->api, "PUT", ask_url(a, g->api.base, "models", g->api.model, version, "set-default", NULL), NULL, 0, &s->ask);
	s = add(g, to, PHASE_READY, TAG_SERVES, version, 1, arena_printf(a, "wait until the default is version %.200s and serves", version));
	if (s != NULL)
		server_ask(a, &g->api, "GET", ask_url(a, g->api.base, "models", g->api.model, NULL), NULL, 0, &s->ask);
}

static enum err add_register(struct going *g, struct why *why)
{
	struct arena *a = g->p->arena;
	const char *archive = "";
	enum err e = archive_of(g->p->settings, g->api.model, g->to, a, &archive, why);
	if (e != ERR_OK)
		return e;
	struct step *s = add(g, g->p->forward, PHASE_CHANGE, TAG_REGISTER, g->to, 0, arena_printf(a, "register version %.200s", g->to));
	if (s != NULL)
		server_ask(a, &g->api, "POST", server_query(a, ask_url(a, g->api.base, "models", NULL), "url", archive, "model_name", g->api.model, "initial_workers", "0", "synchronous", "true", NULL),
		           NULL, g->ready_ms, &s->ask);
	return ERR_OK;
}

/* The same version again: all its workers end and begin anew. */
static void plan_restart(struct going *g)
{
	struct planning *p = g->p;
	plan_warn(p, WARNING_CARE, "version %.60s is the default already: its workers are ended and begun anew, and '%s' serves nothing of it meanwhile", g->to, p->unit->name);
	add_scale(g, p->forward, PHASE_CHANGE, g->to, 0);
	add_scale(g, p->forward, PHASE_CHANGE, g->to, g->workers);
	add_wait(g, p->forward, g->to, g->workers);
	add_default(g, p->forward, g->to);
	add_scale(g, p->back, PHASE_CHANGE, g->to, g->to_workers > 0 ? g->to_workers : g->workers);
	add_wait(g, p->back, g->to, 1);
	add_default(g, p->back, g->to);
}

static enum err plan_switch(struct going *g, struct why *why)
{
	struct planning *p = g->p;
	bool scales = g->to_ready < g->workers, keeps = setting_bool(p->settings, "keep_workers");
	enum err e = g->is_registered ? ERR_OK : add_register(g, why);
	if (e != ERR_OK)
		return e;
	if (scales)
		add_scale(g, p->forward, PHASE_CHANGE, g->to, g->workers);
	add_wait(g, p->forward, g->to, g->workers);
	add_default(g, p->forward, g->to);
	if (!keeps && g->from[0] != '\0')
		add_scale(g, p->forward, PHASE_ENTER, g->from, 0);
	plan_warn(p, WARNING_NOTE, "the default lasts over a restart by TorchServe's snapshots alone (logs/config), unless it runs with --no-config-snapshots");
	if (g->from[0] == '\0') {
		plan_warn(p, WARNING_SERIOUS, "which version is the default of '%s' is not known: there is no way back", p->unit->name);
		return ERR_OK;
	}
	if (!keeps)
		add_scale(g, p->back, PHASE_CHANGE, g->from, g->from_workers);
	if (g->from_workers > 0)
		add_wait(g, p->back, g->from, 1);
	add_default(g, p->back, g->from);
	if (scales && g->is_registered) /* what was registered stays so: without workers it costs nothing */
		add_scale(g, p->back, PHASE_ENTER, g->to, g->to_workers);
	else if (!g->is_registered)
		plan_warn(p, WARNING_NOTE, "the way back leaves version %.60s registered, with its workers", g->to);
	return ERR_OK;
}

static int64_t number_of(struct arena *a, const char *note, const char *key)
{
	int64_t n = 0;
	parse_i64(note_text(a, note, key), 0, WORKERS_MAX, &n);
	return n;
}

static enum err plan(struct planning *p, struct why *why)
{
	const struct version *there = p->to != NULL ? found_by_id(p->found, p->to->id) : NULL;
	const char *values[COMMAND_VALUES];
	struct going g = { .p = p, .ready_ms = ready_ms_of(p->deploy), .to = p->to != NULL ? p->to->id : "", .is_registered = there != NULL,
		               .from = note_text(p->arena, p->found->before, "default"), .from_workers = number_of(p->arena, p->found->before, "workers") };
	if (version_text(p->arena, g.to, strlen(g.to))[0] == '\0' || strcmp(g.to, version_text(p->arena, g.to, strlen(g.to))) != 0)
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no version", g.to);
	if (!g.is_registered && !setting(p->settings, "archive")->is_given)
		return why_set(why, ERR_UNSUPPORTED, "version %.100s is not registered on '%s', and 'archive' does not tell what from", g.to, p->unit->name);
	enum err e = server_api_of(p->settings, p->unit, p->arena, &g.api, why);
	if (e != ERR_OK)
		return e;
	if (there != NULL) {
		g.to_ready = number_of(p->arena, there->data, "ready");
		g.to_workers = number_of(p->arena, there->data, "workers");
	}
	g.workers = setting_number(p->settings, "workers");
	if (g.workers == 0)
		g.workers = g.from_workers > 0 ? g.from_workers : 1;
	command_values(p->unit, NULL, NULL, values);
	e = commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why);
	if (e == ERR_OK && g.from[0] != '\0' && strcmp(g.from, g.to) == 0)
		plan_restart(&g);
	else if (e == ERR_OK)
		e = plan_switch(&g, why);
	e = e == ERR_OK ? commands_add(p, p->forward, PHASE_ENTER, "undrain", values, why) : e;
	e = e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", values, why) : e;
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static void judge_description(const struct judging *j, const char *version, int64_t workers, struct verdict *v)
{
	struct cJSON *o = j->answer->status == 200 ? server_json(j->answer) : NULL;
	struct described d;
	if (!cJSON_IsArray(o) || !read_description(cJSON_GetArrayItem(o, 0), &d)) {
		if (j->answer->status == 404)
			verdict_failed(v, "version %.100s is not registered", version);
		else
			verdict_again(v, 0, "no description of it (status %d)", j->answer->status);
	} else if (strcmp(d.version, version) != 0) {
		verdict_again(v, 0, "it describes version %.100s", d.version);
	} else if (d.ready < workers) {
		verdict_again(v, 0, "%lld of %lld workers are READY", (long long)d.ready, (long long)workers);
		v->progress = (double)d.ready / (double)workers;
	} else {
		verdict_done(v, "%lld worker%s READY", (long long)d.ready, d.ready == 1 ? " is" : "s are");
	}
	cJSON_Delete(o);
}

static void judge_change(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	char said[200];
	server_said(a, said, sizeof said);
	if (a->status >= 200 && a->status <= 299)
		verdict_done(v, a->status == 202 ? "accepted: %s" : "%s", said);
	else if (a->status == 409 && j->step->tag == TAG_REGISTER)
		verdict_done(v, "it is registered already");
	else if (a->status == 429 || a->status == 503)
		verdict_again(v, a->retry_after_ms, "status %d: %s", a->status, said);
	else if (a->status == 401 || (a->status == 400 && strstr(said, "oken") != NULL))
		verdict_failed(v, "refused (status %d): %s; the management key is given by 'auth'", a->status, said);
	else if ((a->status == 403 || a->status == 405) && j->step->tag == TAG_REGISTER)
		verdict_failed(v, "refused (status %d): %s; TorchServe must run with --enable-model-api", a->status, said);
	else
		verdict_failed(v, "status %d: %s", a->status, said);
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (commands_judge(j, v) || verdict_of_silence(j, v))
		return;
	if (j->answer == NULL || j->step->tag < TAG_REGISTER || j->step->tag > TAG_SERVES)
		verdict_failed(v, "a step that the driver does not know");
	else if (j->step->tag == TAG_WORKERS || j->step->tag == TAG_SERVES)
		judge_description(j, note_text(j->arena, j->step->note, "version"), number_of(j->arena, j->step->note, "workers"), v);
	else
		judge_change(j, v);
}

const struct driver torchserve_driver = {
	.name = "torchserve",
	.summary = "make another registered version of a model TorchServe's default",
	.notes = "The management interface listens on the machine's loopback unless told otherwise, so that the machine itself is asked (over SSH). The version that is wanted gets its workers first, "
	         "and only when as many as wanted are READY it becomes the default: one without workers serves nothing. The version that is left keeps its workers unless `keep_workers` says otherwise, "
	         "and nothing is ever unregistered.\n\n"
	         "From 0.11.1 on TorchServe wants a management key (key_file.json): give it by `auth` with a bearer token from a file or a command. Registering (`archive`) takes `--enable-model-api`.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.has_history = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};
