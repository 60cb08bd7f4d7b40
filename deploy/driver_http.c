/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever has an HTTP interface of its own for it: requests that tell what runs and what could, and some that go there. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "deploy/commands.h"
#include "deploy/http_template.h"
#include "deploy/note.h"
#include "deploy/secret_headers.h"

enum { TAG_SEND = 100, TAG_WAIT };
enum { LOOK_CURRENT = 1, LOOK_VERSIONS };
enum { POLL_MS = 2000, TEXT_LIMIT = 4096 };

#define REQUEST "a request: `method`, `url` (`{url}` is the target's), `headers`, `body`, `status` (a list; any 200 to 299), `check` (values by JSON path), " \
	"`on_machine`, `socket`, `repeatable`"

static const struct option options[] = {
	{ "current", OPTION_TREE, false, "", "", "Tells what runs, " REQUEST ", and `version`, the JSON path where it stands." },
	{ "list", OPTION_TREE, false, "", "", "Tells the versions that it could go to, newest first: `versions`, the JSON path of a list; `id`, the path in each item, if it is no text." },
	{ "apply", OPTION_TREE, true, "", "", "Goes to `{version}`: a request, or a list of them." },
	{ "undo", OPTION_TREE, false, "", "", "Goes back to `{previous}` from `{version}`. Not given: `apply` with the two changed round." },
	{ "check_ready", OPTION_TREE, false, "", "", "Requests that are asked again until they are answered as they say." },
	{ "drain", OPTION_TREE, false, "", "", "Requests that take it out of service before." },
	{ "undrain", OPTION_TREE, false, "", "", "Requests that put it back afterwards." },
	{ SECRET_HEADERS, OPTION_TREE, false, "", "", "Headers whose values are secrets, by name, each with where the value is: `{ env: NAME }`, `{ file: /PATH }` or `{ command: [ WORD, ... ] }`. "
	  "They go with all requests, and into no plan." },
};

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < sizeof options / sizeof options[0] && e == ERR_OK; i++)
		e = strcmp(options[i].name, SECRET_HEADERS) == 0 ? secret_headers_check(setting(s, SECRET_HEADERS)->node, why)
		                                                 : http_template_check(setting(s, options[i].name)->node, options[i].name, why);
	const struct yaml_node *current = setting(s, "current")->node, *list = setting(s, "list")->node;
	if (e == ERR_OK && current != NULL && yaml_get(current, "version") == NULL)
		e = why_set(why, ERR_FORMAT, "'current' must say where the version stands: 'version'");
	if (e == ERR_OK && list != NULL && yaml_get(list, "versions") == NULL)
		e = why_set(why, ERR_FORMAT, "'list' must say where the versions stand: 'versions'");
	if (e == ERR_OK && d->running == VERSION_DRIVER && current == NULL)
		e = why_set(why, ERR_FORMAT, "'current' is needed, or another source for 'running'");
	if (e == ERR_OK && d->history == VERSION_DRIVER && list == NULL)
		e = why_set(why, ERR_FORMAT, "'list' is needed, or another source for 'history'");
	return e;
}

/* ---- looking ---- */

static const char *text_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *at = yaml_get(map, key);
	return at != NULL && at->kind == YAML_SCALAR ? at->text : "";
}

static enum look_turn ask_tree(struct look *l, const char *option, int at, struct why *why)
{
	const char *values[COMMAND_VALUES];
	struct http_template t;
	command_values(l->unit, NULL, NULL, values);
	l->at = at;
	enum err e = http_template_fill(l->arena, setting(l->settings, option)->node, values, l->unit->url, &t, why);
	l->next = t.ask;
	return e == ERR_OK ? LOOK_ASK : LOOK_FAILED;
}

static void take_list(struct look *l, const struct cJSON *answer, const struct yaml_node *list)
{
	const char *id = text_of(list, "id");
	const struct cJSON *items = http_json_at(answer, text_of(list, "versions")), *item;
	if (!cJSON_IsArray(items)) {
		found_warn(l, WARNING_CARE, "there is no list of versions at '%s' of what was answered", text_of(list, "versions"));
		return;
	}
	cJSON_ArrayForEach(item, items) {
		char text[TEXT_LIMIT];
		if (l->found.n_versions == FOUND_VERSIONS_MAX)
			break;
		if (http_json_text(id[0] != '\0' ? http_json_at(item, id) : item, text, sizeof text))
			look_version(l, version_text(l->arena, text, strlen(text)));
	}
}

static enum look_turn next_question(struct look *l, struct why *why)
{
	if (l->at < LOOK_CURRENT && setting(l->settings, "current")->is_given)
		return ask_tree(l, "current", LOOK_CURRENT, why);
	if (l->at < LOOK_VERSIONS && setting(l->settings, "list")->is_given)
		return ask_tree(l, "list", LOOK_VERSIONS, why);
	return look_finish(l);
}

static void take_current(struct look *l, const struct cJSON *answer, const struct yaml_node *current)
{
	char text[TEXT_LIMIT];
	bool is_there = http_json_text(http_json_at(answer, text_of(current, "version")), text, sizeof text);
	const char *running = is_there ? version_text(l->arena, text, strlen(text)) : "";
	if (running[0] == '\0')
		found_warn(l, WARNING_SERIOUS, "there is no version at '%s' of what '%s' answers", text_of(current, "version"), l->unit->name);
	l->memory = arena_text(l->arena, running);
}

static enum look_turn look(struct look *l, struct why *why)
{
	const struct answer *a = l->last;
	struct cJSON *o = NULL;
	if (a == NULL)
		return next_question(l, why);
	const char *option = l->at == LOOK_CURRENT ? "current" : "list";
	if (!look_succeeded(l, option, a->status >= 200 && a->status <= 299, why))
		return LOOK_FAILED;
	if (a->is_cut || json_parse(a->text, a->n, NULL, &o, why) != ERR_OK) {
		why_set(why, ERR_FORMAT, "what '%s' of '%s' is answered is no JSON, or too long", option, l->unit->name);
		return LOOK_FAILED;
	}
	if (l->at == LOOK_CURRENT)
		take_current(l, o, setting(l->settings, "current")->node);
	else
		take_list(l, o, setting(l->settings, "list")->node);
	cJSON_Delete(o);
	return next_question(l, why);
}

/* ---- planning ---- */

/* One of a list, or the only one. */
static size_t count_of(const struct yaml_node *tree) { return tree == NULL ? 0 : tree->kind == YAML_LIST ? tree->n : 1; }
static const struct yaml_node *item_of(const struct yaml_node *tree, size_t i) { return tree->kind == YAML_LIST ? tree->items[i] : tree; }

/* `current` proves the only request of an `apply`, where it was another version before. */
static enum err set_proof(struct planning *p, struct step *s, const char *version, const char *previous, struct why *why)
{
	const char *values[COMMAND_VALUES];
	const struct setting *current = setting(p->settings, "current");
	struct http_template t;
	if (s->is_repeatable || !current->is_given || strcmp(version, previous) == 0)
		return ERR_OK;
	command_values(p->unit, NULL, NULL, values);
	enum err e = http_template_fill(p->arena, current->node, values, p->unit->url, &t, why);
	s->probe = t.ask;
	return e;
}

static enum err add(struct planning *p, struct steps *to, enum phase phase, const char *option, const char *version, const char *previous, struct why *why)
{
	const struct yaml_node *tree = setting(p->settings, option)->node;
	const char *values[COMMAND_VALUES];
	const char *ends_at = strcmp(option, "undo") == 0 ? previous : version;
	enum err e = ERR_OK;
	command_values(p->unit, version, previous, values);
	for (size_t i = 0; i < count_of(tree) && e == ERR_OK; i++) {
		struct http_template t;
		e = http_template_fill(p->arena, item_of(tree, i), values, p->unit->url, &t, why);
		if (e != ERR_OK)
			return e;
		struct step *s = steps_add(p, to, phase, "%s: %s", option, t.ask.method);
		if (s == NULL)
			return why_memory(why);
		s->ask = t.ask;
		s->tag = phase == PHASE_READY ? TAG_WAIT : TAG_SEND;
		s->changes = phase != PHASE_READY;
		s->is_repeatable = phase != PHASE_CHANGE || t.is_repeatable;
		s->note = note_make(p->arena, "expects", t.expects, "version", ends_at, "path", text_of(setting(p->settings, "current")->node, "version"), NULL);
		s->poll_ms = POLL_MS;
		s->deadline_ms = phase == PHASE_READY ? ready_ms_of(p->deploy) : 0;
		if (phase == PHASE_CHANGE && count_of(tree) == 1)
			e = set_proof(p, s, ends_at, strcmp(option, "undo") == 0 ? version : previous, why);
	}
	return e;
}

static enum err plan(struct planning *p, struct why *why)
{
	const char *previous = note_text(p->arena, p->found->before, "current"), *version = p->to != NULL ? p->to->id : "";
	bool has_undo = setting(p->settings, "undo")->is_given;
	if (version[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "which version to go to is not known");
	enum err e = add(p, p->forward, PHASE_DRAIN, "drain", version, previous, why);
	e = e == ERR_OK ? add(p, p->forward, PHASE_CHANGE, "apply", version, previous, why) : e;
	e = e == ERR_OK ? add(p, p->forward, PHASE_READY, "check_ready", version, previous, why) : e;
	e = e == ERR_OK ? add(p, p->forward, PHASE_ENTER, "undrain", version, previous, why) : e;
	if (e == ERR_OK && previous[0] == '\0') {
		plan_warn(p, WARNING_SERIOUS, "which version runs on '%s' is not known: there is no way back", p->unit->name);
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = has_undo ? add(p, p->back, PHASE_CHANGE, "undo", version, previous, why) : add(p, p->back, PHASE_CHANGE, "apply", previous, version, why);
	e = e == ERR_OK ? add(p, p->back, PHASE_READY, "check_ready", previous, version, why) : e;
	e = e == ERR_OK ? add(p, p->back, PHASE_ENTER, "undrain", previous, version, why) : e;
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static void judge_probe(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	const char *wanted = note_text(j->arena, j->step->note, "version");
	struct cJSON *o = NULL;
	struct why why;
	char text[TEXT_LIMIT];
	bool is_there = a->status >= 200 && a->status <= 299 && !a->is_cut && json_parse(a->text, a->n, NULL, &o, &why) == ERR_OK &&
	                http_json_text(http_json_at(o, note_text(j->arena, j->step->note, "path")), text, sizeof text);
	if (!is_there)
		verdict_failed(v, "'current' does not tell which version runs (status %d)", a->status);
	else if (strcmp(version_text(j->arena, text, strlen(text)), wanted) == 0)
		verdict_done(v, "it runs %.100s", wanted);
	else
		verdict_again(v, 0, "it runs %.100s", text);
	cJSON_Delete(o);
}

static void judge(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	char reason[200];
	if (verdict_of_silence(j, v))
		return;
	if (a == NULL || j->step->tag < TAG_SEND || j->step->tag > TAG_WAIT) {
		verdict_failed(v, "a step that the driver does not know");
		return;
	}
	if (j->is_probe)
		judge_probe(j, v);
	else if (http_template_expects(note_text(j->arena, j->step->note, "expects"), a, reason, sizeof reason))
		verdict_done(v, "answered %d", a->status);
	else if (j->step->tag == TAG_WAIT || a->status == 429 || (a->status == 503 && a->retry_after_ms > 0))
		verdict_again(v, a->retry_after_ms, "%s", reason);
	else
		verdict_failed(v, "%s", reason);
}

const struct driver http_driver = {
	.name = "http",
	.summary = "send requests of the site's own and check what they are answered",
	.notes = "A version, model or node is percent-encoded in a URL, and escaped as within a JSON string in a body, so that it stays in its place. `auth`, `secret_headers` and `tls` of the deploy section "
	         "are for its servers; a login in plain text in a URL, header or body is refused, since plans are kept. PUT and DELETE may be sent twice; POST and PATCH are not, unless `repeatable` says that it does no harm: after an interruption `current` tells "
	         "whether the one of `apply` had been acted on. A 429, and a 503 that says when to try again, are asked again.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.has_history = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};
