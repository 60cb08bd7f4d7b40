/* SPDX-License-Identifier: Apache-2.0
 *
 * An application of Ray Serve's: its version is one value of the configuration that it was deployed with. The request that changes it replaces the list of all applications and deletes what is
 * not in it, so each step reads that list first, looks whether it is still what was planned for, and makes the request of it (deploy/ray_serve.h). What stood there before is kept by nobody but
 * in that one value: the way back sets it again. Nothing here ever sends DELETE, which would shut Ray Serve down.
 *
 * Source: the documentation of Ray Serve's REST API. */
#include "deploy/drivers.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "deploy/commands.h"
#include "deploy/mask.h"
#include "deploy/note.h"
#include "deploy/ray_serve.h"
#include "deploy/server_api.h"

enum { TAG_SET = 100, TAG_WAIT };
enum { POLL_MS = 2000, PUT_MS = 60 * 1000, SIGHTS = 2, FAILURES = 3, TRIES_MAX = 5, NAMES_MAX = 1000, SAID = 200 };
static const char place_of_version[] = "{version}";

static const struct option options[] = {
	SERVER_OPTIONS("http://127.0.0.1:8265"),
	{ "version_at", OPTION_TEXT, true, "", "",
	  "Where the version stands in the application's configuration, as a JSON pointer: `/deployments/Translator/user_config/version`, `/runtime_env/working_dir`, `/args/model`. In a list an "
	  "item is named by its `name`, or by its place from 0." },
	{ "value", OPTION_TEXT, false, "", "{version}", "What stands there of a version, where it is not the version alone: `s3://models/ranker-{version}.zip`." },
};

/* ---- the value and the version ---- */

struct frame {
	const char *before, *behind; /* what stands around the version */
};

static enum err frame_of(const struct settings *s, const char *model, struct arena *a, struct frame *out, struct why *why)
{
	const char *value = setting_text(s, "value"), *at = strstr(value, place_of_version), *const values[] = { "model", model, NULL };
	const char *behind = at != NULL ? at + sizeof place_of_version - 1 : "";
	if (at == NULL || strstr(behind, place_of_version) != NULL)
		return why_set(why, ERR_FORMAT, "'value' must have %s in it, once", place_of_version);
	enum err e = template_fill(a, arena_printf(a, "%.*s", (int)(at - value), value), values, &out->before, why);
	return e == ERR_OK ? template_fill(a, behind, values, &out->behind, why) : e;
}

/* "": it is none of that frame, or no version. */
static const char *version_in(const struct frame *f, const char *value, struct arena *a)
{
	size_t n = strlen(value), before = strlen(f->before), behind = strlen(f->behind);
	if (n <= before + behind || strncmp(value, f->before, before) != 0 || strcmp(value + n - behind, f->behind) != 0)
		return "";
	const char *inner = arena_printf(a, "%.*s", (int)(n - before - behind), value + before), *kept = version_text(a, inner, strlen(inner));
	return strcmp(inner, kept) == 0 ? kept : "";
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	struct arena a;
	struct frame f;
	(void)d;
	arena_init(&a);
	enum err e = server_api_check(s, why);
	if (e == ERR_OK && (e = ray_pointer_check(setting_text(s, "version_at"), why)) != ERR_OK)
		why_prefix(why, e, "'version_at'");
	if (e == ERR_OK && mask_place(setting_text(s, "value")) < strlen(setting_text(s, "value")))
		e = why_set(why, ERR_FORMAT, "'value' has a login or a query, which may be a secret: a version is shown and stored");
	e = e == ERR_OK ? frame_of(s, "m", &a, &f, why) : e;
	arena_release(&a);
	return e;
}

static void ask_list(struct arena *a, const struct server_api *api, struct ask *to)
{
	server_ask(a, api, "GET", ask_url(a, api->base, "api", "serve", "applications", "", NULL), NULL, 0, to);
}

/* ---- looking ---- */

static void warn_of_app(struct look *l, const struct ray_app *app)
{
	char moving[SAID];
	struct ray_state state;
	ray_state_of(app, &state);
	l->found.is_ready = state.is_running;
	if (!state.is_running)
		found_warn(l, WARNING_SERIOUS, "application %.60s does not serve as it should: %s", app->name, state.text);
	ray_app_moving(app, moving, sizeof moving);
	if (moving[0] != '\0')
		found_warn(l, WARNING_CARE, "'%.120s' is the zip of a branch: whatever stands in it then is what replicas that are begun anew run, after a rollback too", moving);
}

static void warn_of_others(struct look *l, const struct ray_serve *s, const struct ray_app *app)
{
	struct buf names;
	size_t n = 0;
	buf_init(&names, NAMES_MAX);
	for (size_t i = 0; i < s->n_apps; i++)
		if (&s->apps[i] != app && buf_printf(&names, "%s%.60s", n > 0 ? ", " : "", s->apps[i].name) == ERR_OK)
			n++;
	if (s->n_apps > 1)
		found_warn(l, WARNING_NOTE, "the request replaces the list of all applications: it holds the %zu others as they are then (%s%s), since Ray Serve deletes what is not in it", s->n_apps - 1,
		           buf_text(&names), n + 1 < s->n_apps ? ", ..." : "");
	l->arena->failed |= names.err == ERR_MEMORY;
	buf_release(&names);
}

static void take_value(struct look *l, const struct ray_serve *s, const struct ray_app *app)
{
	struct why why;
	struct ray_value value;
	struct frame f;
	const char *pointer = setting_text(l->settings, "version_at"), *times = ray_serve_times(s, l->arena);
	enum err e = frame_of(l->settings, l->unit->model, l->arena, &f, &why);
	e = e == ERR_OK ? ray_value_at(s, app, pointer, l->arena, &value, &why) : e;
	if (e != ERR_OK) {
		found_warn(l, WARNING_FORBIDS, "%s: see 'version_at'", why.text);
		return;
	}
	if (mask_place(value.text) < strlen(value.text)) {
		found_warn(l, WARNING_FORBIDS, "what stands at '%.100s' has a login or a query, which may be a secret: a version is shown and stored", pointer);
		return;
	}
	const char *id = version_in(&f, value.text, l->arena);
	struct version *v = id[0] != '\0' ? found_version(l) : NULL;
	if (v == NULL) {
		found_warn(l, WARNING_FORBIDS, "what stands at '%.100s' is no version, as 'value' has it", pointer);
		return;
	}
	v->id = v->name = v->model_version = id;
	v->is_running = v->is_present = true;
	if (times[0] == '\0')
		found_warn(l, WARNING_FORBIDS, "the names of all applications are too long to be kept");
	l->found.before = note_make(l->arena, "app", app->name, "value", value.text, "number", value.is_number ? "yes" : "", "times", times, "shown", ray_shown(s, app, pointer, l->arena), NULL);
}

static enum look_turn take_list(struct look *l, const struct server_api *api, struct why *why)
{
	struct ray_serve s;
	char said[SAID];
	server_said(l->last, said, sizeof said);
	if (l->last->status != 200) {
		bool is_closed = l->last->status == 401 || l->last->status == 403;
		why_set(why, is_closed ? ERR_DENIED : ERR_UNSUPPORTED, "'%s' does not tell which applications Ray Serve has (status %d): %s%s", l->unit->name, l->last->status, said,
		        is_closed ? "; its login is given by 'auth'" : "");
		return LOOK_FAILED;
	}
	if (ray_serve_read(l->last, &s, why) != ERR_OK) {
		why_prefix(why, ERR_UNSUPPORTED, "Ray Serve");
		return LOOK_FAILED;
	}
	const struct ray_app *app = ray_serve_find(&s, api->model);
	if (app == NULL) {
		why_set(why, ERR_NOT_FOUND, "Ray Serve has no application '%.100s': see 'model_name'", api->model);
	} else {
		warn_of_app(l, app);
		warn_of_others(l, &s, app);
		take_value(l, &s, app);
	}
	ray_serve_release(&s);
	if (arena_failed(l->arena))
		why_memory(why);
	return app != NULL && !arena_failed(l->arena) ? LOOK_DONE : LOOK_FAILED;
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct server_api api;
	if (server_api_of(l->settings, l->unit, l->arena, &api, why) != ERR_OK)
		return LOOK_FAILED;
	if (l->last != NULL)
		return server_answered(l, "which applications Ray Serve has", why) ? take_list(l, &api, why) : LOOK_FAILED;
	l->found.before = "";
	l->at = 1;
	ask_list(l->arena, &api, &l->next);
	return LOOK_ASK;
}

/* ---- planning ---- */

struct going {
	struct planning  *p;
	struct server_api api;
	const char       *app, *pointer, *shown;
	bool              is_number;
};

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, const char *from, const char *into, const char *times, const char *title)
{
	struct arena *a = g->p->arena;
	struct step *s = steps_add(g->p, to, phase, "%.1000s", title);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = tag == TAG_SET;
	s->is_repeatable = true; /* it looks first whether it is so already */
	s->note = note_make(a, "app", g->app, "at", g->pointer, "from", from, "to", into, "times", times, "way", to == g->p->back ? "back" : "forward", NULL);
	s->poll_ms = POLL_MS;
	s->deadline_ms = tag == TAG_WAIT ? ready_ms_of(g->p->deploy) : 0;
	ask_list(a, &g->api, &s->ask);
	return s;
}

/* Forward only while nobody has deployed anything since the look; back whatever others have deployed meanwhile, which stays. */
static void add_change(struct going *g, struct steps *to, const char *from, const char *into, const char *times)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, PHASE_CHANGE, TAG_SET, from, into, times, arena_printf(a, "set %.200s of application %.200s to %.300s", g->pointer, g->app, into));
	const char *body = s != NULL ? ray_shown_with(g->shown, g->app, g->pointer, into, g->is_number, a) : "";
	if (body[0] != '\0')
		server_ask(a, &g->api, "PUT", s->ask.url, body, PUT_MS, &s->shown);
	add(g, to, PHASE_READY, TAG_WAIT, from, into, "", arena_printf(a, "wait until application %.200s is RUNNING with it", g->app));
}

static void warn_plan(const struct going *g, const char *into)
{
	struct planning *p = g->p;
	if (ray_pointer_is_in_place(g->pointer))
		plan_warn(p, WARNING_NOTE, "'%.120s' is changed in place: replicas that run are told of it, and not begun anew", g->pointer);
	else
		plan_warn(p, WARNING_CARE, "'%.120s' is not changed in place: Ray Serve begins the application's replicas anew, at most a fifth at a time, and the old ones serve until new ones do", g->pointer);
	if (ray_is_moving(into))
		plan_warn(p, WARNING_CARE, "'%.120s' is the zip of a branch: what runs then is whatever stands in it", into);
	if (g->shown[0] == '\0')
		plan_warn(p, WARNING_CARE, "the configuration of the application is too long to be shown");
}

static enum err check_target(const struct going *g, const char *into, const char *value, struct why *why)
{
	const char *id = g->p->to != NULL ? g->p->to->id : "";
	int64_t number;
	if (id[0] == '\0' || strcmp(version_text(g->p->arena, id, strlen(id)), id) != 0)
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no version", id);
	if (strcmp(into, value) == 0)
		return why_set(why, ERR_UNSUPPORTED, "version %.100s runs, and Ray Serve does nothing when a configuration stays as it is: name another version", id);
	if (g->is_number && (parse_i64(into, -(INT64_C(1) << 53), INT64_C(1) << 53, &number) != ERR_OK || strspn(into, "-0123456789") != strlen(into)))
		return why_set(why, ERR_UNSUPPORTED, "a whole number stands at '%.100s', and '%.100s' is none", g->pointer, into);
	if (strlen(into) > RAY_VALUE_MAX || mask_place(into) < strlen(into))
		return why_set(why, ERR_UNSUPPORTED, "version '%.100s' makes a value with a login or a query, or one that is too long", id);
	return ERR_OK;
}

static enum err plan(struct planning *p, struct why *why)
{
	struct arena *a = p->arena;
	const char *before = p->found->before, *value = note_text(a, before, "value");
	struct going g = { .p = p, .app = note_text(a, before, "app"), .pointer = setting_text(p->settings, "version_at"), .shown = note_text(a, before, "shown"),
		           .is_number = note_text(a, before, "number")[0] != '\0' };
	struct frame f;
	if (g.app[0] == '\0' || value[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "where the version of '%s' stands is not known: see 'version_at'", p->unit->name);
	enum err e = server_api_of(p->settings, p->unit, a, &g.api, why);
	e = e == ERR_OK ? frame_of(p->settings, p->unit->model, a, &f, why) : e;
	if (e != ERR_OK)
		return e;
	const char *into = arena_printf(a, "%s%s%s", f.before, p->to != NULL ? p->to->id : "", f.behind);
	e = check_target(&g, into, value, why);
	if (e != ERR_OK)
		return e;
	warn_plan(&g, into);
	add_change(&g, p->forward, value, into, note_text(a, before, "times"));
	add_change(&g, p->back, into, value, "");
	return arena_failed(a) ? why_memory(why) : ERR_OK;
}

/* ---- judging ---- */

enum { AT_SENT = 1, AT_TRY = 2 /* above it: how often a change was sent without a clear answer */, AT_FAILED = 16 /* of a wait: how often in a row it has failed; below, how often it ran */ };

/* What a step's note says. */
struct change {
	const char *app, *at, *from, *to, *times;
	bool        is_back;
};

/* False: it is not whole, and nothing may be sent; v says so. */
static bool read_change(const struct judging *j, struct arena *a, struct change *c, struct verdict *v)
{
	const char *note = j->step->note, *way = note_text(a, note, "way");
	*c = (struct change){ .app = note_text(a, note, "app"), .at = note_text(a, note, "at"), .from = note_text(a, note, "from"), .to = note_text(a, note, "to"), .times = note_text(a, note, "times"),
		              .is_back = strcmp(way, "back") == 0 };
	bool is_checked = c->is_back || (strcmp(way, "forward") == 0 && (j->step->tag == TAG_WAIT || c->times[0] != '\0'));
	if (is_checked && c->app[0] != '\0' && c->at[0] != '\0' && c->from[0] != '\0' && c->to[0] != '\0' && !arena_failed(a))
		return true;
	verdict_failed(v, "the step is damaged: its note cannot be read, and nothing was sent");
	return false;
}

static void look_again(const struct judging *j, int64_t wait_ms, const char *text, struct verdict *v)
{
	*j->at = (*j->at & ~AT_SENT) + AT_TRY;
	if (*j->at / AT_TRY > TRIES_MAX)
		verdict_failed(v, "it was sent %d times, and whether it was taken is not known: %.150s", TRIES_MAX, text);
	else
		verdict_again(v, wait_ms, "looking whether it was taken: %.150s", text);
}

/* The list, or what stands in the way of it in `v`. */
static bool read_list(const struct judging *j, struct ray_serve *out, struct verdict *v)
{
	const struct answer *a = j->answer;
	struct why why;
	char said[SAID];
	server_said(a, said, sizeof said);
	if (verdict_of_silence(j, v))
		return false;
	if (a->status == 429 || a->status >= 500)
		verdict_again(v, a->retry_after_ms, "no list of applications (status %d): %s", a->status, said);
	else if (a->status != 200)
		verdict_failed(v, "the list of applications is refused (status %d): %s%s", a->status, said, a->status == 401 || a->status == 403 ? "; see 'auth'" : "");
	else if (ray_serve_read(a, out, &why) != ERR_OK)
		verdict_failed(v, "nothing can be sent: %s", why.text);
	else
		return true;
	return false;
}

static void make_change(const struct judging *j, const struct change *c, const struct ray_serve *s, const struct ray_app *app, const struct ray_value *value, struct verdict *v)
{
	const char *body, *times = c->is_back ? "" : ray_serve_times(s, j->arena);
	char differs[SAID] = "";
	struct why why;
	if (!c->is_back)
		ray_times_differ(c->times, times, differs, sizeof differs);
	if (differs[0] != '\0') {
		verdict_failed(v, "somebody has deployed since this was planned: %.100s. Nothing was sent: look again, and decide anew", differs);
		return;
	}
	if (ray_body(s, app, c->at, value, c->to, j->arena, &body, &why) != ERR_OK) {
		verdict_failed(v, "nothing was sent: %s", why.text);
		return;
	}
	verdict_again(v, -1, "the list is as it was planned: asking for the change");
	ask_http(j->arena, &v->next, "PUT", j->step->ask.url, body);
	v->next.is_on_machine = j->step->ask.is_on_machine;
	v->next.timeout_ms = PUT_MS;
	*j->at |= AT_SENT;
}

static void judge_list(const struct judging *j, struct verdict *v)
{
	struct ray_serve s = { .tree = NULL };
	struct ray_value value = { .text = "" };
	struct change c;
	struct why why;
	char said[SAID];
	if (!read_change(j, j->arena, &c, v) || !read_list(j, &s, v))
		return;
	const struct ray_app *app = ray_serve_find(&s, c.app);
	if (app == NULL) {
		verdict_failed(v, "application %.60s is gone: nothing was sent", c.app);
	} else if (ray_value_at(&s, app, c.at, j->arena, &value, &why) != ERR_OK) {
		verdict_failed(v, "%.200s: nothing was sent", why.text);
	} else if (strcmp(value.text, c.to) == 0) {
		verdict_done(v, "it is %.100s already", value.text);
	} else if (strcmp(value.text, c.from) != 0) {
		first_line(mask_place(value.text) == strlen(value.text) ? value.text : "something else", said, sizeof said);
		verdict_failed(v, "somebody else has changed it since: it is %.60s, and nothing was sent", said);
	} else {
		make_change(j, &c, &s, app, &value, v);
	}
	ray_serve_release(&s);
}

/* What a refusal repeats of what it was sent may be a secret. */
static void say_refused(const struct answer *a, char *to, size_t size)
{
	server_said(a, to, size);
	char *repeated = strstr(to, "input_value");
	if (repeated != NULL)
		*repeated = '\0';
}

static void judge_change(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	char said[SAID];
	say_refused(a, said, sizeof said);
	if (a->err == ERR_DENIED || a->err == ERR_USAGE || a->err == ERR_TLS) {
		verdict_of_silence(j, v);
	} else if (a->err != ERR_OK && !a->was_sent) {
		*j->at &= ~AT_SENT;
		verdict_again(v, POLL_MS, "no answer: %.200s", a->why);
	} else if (a->err != ERR_OK) {
		look_again(j, POLL_MS, a->why, v);
	} else if (a->status >= 200 && a->status <= 299) {
		verdict_done(v, "accepted, which is not yet done: Ray Serve goes on by itself");
	} else if (a->status == 429 || a->status >= 500) {
		look_again(j, a->retry_after_ms > 0 ? a->retry_after_ms : POLL_MS, arena_printf(j->arena, "status %d: %.100s", a->status, said), v);
	} else {
		verdict_failed(v, "refused (status %d): %s%s", a->status, said, a->status == 401 || a->status == 403 ? "; see 'auth'" : "");
	}
}

/* Twice in a row: what is seen right behind the change may be of before it. A failure is one after some, since the first may be of before too; on the way back it is waited for. */
static void judge_state(const struct judging *j, bool is_back, const struct ray_state *s, struct verdict *v)
{
	int n_running = *j->at % AT_FAILED, n_failed = *j->at / AT_FAILED;
	n_running = s->is_running ? n_running + 1 : 0;
	n_failed = s->has_failed ? n_failed + (n_failed < FAILURES) : 0;
	*j->at = n_running + AT_FAILED * n_failed;
	if (n_running >= SIGHTS)
		verdict_done(v, "it is RUNNING, and its deployments are HEALTHY");
	else if (n_failed >= FAILURES && !is_back)
		verdict_failed(v, "%.170s. Ray Serve goes on trying until the old version is put back", s->text);
	else
		verdict_again(v, 0, "%s", s->text);
	if (v->kind == VERDICT_AGAIN && s->n_replicas > 0)
		v->progress = (double)s->n_up / (double)s->n_replicas;
}

static void judge_wait(const struct judging *j, struct verdict *v)
{
	struct ray_serve s = { .tree = NULL };
	struct ray_value value = { .text = "" };
	struct ray_state state;
	struct arena scratch; /* the step's own grows with each look */
	struct change c;
	struct why why;
	arena_init(&scratch);
	const struct ray_app *app = NULL;
	if (!read_change(j, &scratch, &c, v) || !read_list(j, &s, v)) {
		arena_release(&scratch);
		return;
	}
	if ((app = ray_serve_find(&s, c.app)) == NULL) {
		verdict_failed(v, "application %.60s is gone: somebody has sent a list without it, and Ray Serve deletes what is not in it", c.app);
	} else if (ray_value_at(&s, app, c.at, &scratch, &value, &why) != ERR_OK) {
		verdict_failed(v, "%s", why.text);
	} else if (strcmp(value.text, c.to) != 0) {
		verdict_failed(v, "somebody else has changed its version since");
	} else {
		ray_state_of(app, &state);
		judge_state(j, c.is_back, &state, v);
	}
	arena_release(&scratch);
	ray_serve_release(&s);
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (j->answer == NULL || (j->step->tag != TAG_SET && j->step->tag != TAG_WAIT)) {
		verdict_failed(v, "a step that the driver does not know");
		return;
	}
	if (j->step->tag == TAG_WAIT)
		judge_wait(j, v);
	else if ((*j->at & AT_SENT) == 0)
		judge_list(j, v);
	else
		judge_change(j, v);
	if (v->kind == VERDICT_AGAIN && v->next.kind == ASK_NONE)
		v->next = j->step->ask; /* the list is read before each change: never whatever was asked last */
	if (v->kind == VERDICT_AGAIN && arena_failed(j->arena))
		verdict_failed(v, "there is no memory to ask again");
}

const struct driver ray_driver = {
	.name = "ray",
	.summary = "set the version in the configuration of a Ray Serve application",
	.notes = "`model_name` is the application's name, `url` the dashboard's, which listens on the head node's loopback unless told otherwise: then that machine itself is asked (over SSH). The version is one value of the "
	         "configuration that the application was deployed with; a sheet says whether Ray Serve changes it in place (`num_replicas`, `autoscaling_config`, `user_config`) or begins the replicas anew.\n\n"
	         "Ray Serve takes only the list of all applications, and deletes what is not in it. Each step reads the list, makes the request of it with that one value changed and each other byte as it was, and sends "
	         "nothing where anything was deployed since the sheet, where an application has no configuration (`serve.run`) or is being deleted. The way back sets the old value in whatever the list is by then. Between that reading and the "
	         "request somebody else's may still come, since Ray Serve knows no condition: let nobody else deploy meanwhile. What configurations hold besides the version stands in no plan, and is masked on the sheet.\n\n"
	         "That a request was accepted is not the end: the application must be RUNNING and its deployments HEALTHY, twice in a row. One that fails stays at the new configuration, and Ray Serve goes on trying, until the old one "
	         "is put back. Ray Serve keeps no old configurations, so `history: store` is needed for a rollback. Where KubeRay's RayService owns the applications, change that instead: it would set them back.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.is_whole = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};
