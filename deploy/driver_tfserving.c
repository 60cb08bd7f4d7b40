/* SPDX-License-Identifier: Apache-2.0
 *
 * A model inside TensorFlow Serving: its models.config is rewritten with the version that is wanted, the server reads it again by itself, and its status tells when that
 * version is AVAILABLE. A label may only be moved to a version that is: then there are two writings, and a wait between them.
 *
 * Source: TensorFlow Serving's serving_config.md, api_rest.md, and model_service.proto, 2.19. */
#include "deploy/drivers.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "deploy/commands.h"
#include "deploy/model_config.h"
#include "deploy/note.h"
#include "deploy/server_api.h"

enum { TAG_SAME = 100, TAG_PUT, TAG_AVAILABLE, TAG_LABEL };
enum { LOOK_FILE = 1, LOOK_STATUS, LOOK_FOLDERS };
enum { POLL_MS = 2000, VERSION_LEN = 32, REASON_LEN = 4096, HASHES_MAX = 4, HASH_LEN = 20, STATUSES_MAX = 1000, RETRY_MS = 90 * 1000 };

static const struct option options[] = {
	SERVER_OPTIONS("http://{host}:8501"),
	{ "config_file", OPTION_TEXT, true, "", "", "models.config on the machine, which the server reads again and again (`--model_config_file_poll_wait_seconds` above 0)." },
	{ "label", OPTION_TEXT, false, "", "", "The version label that clients ask for: it is moved. Not given: the version that is wanted is the only one that is served, as clients that name none get the highest." },
	{ "poll", OPTION_DURATION, false, "", "1m", "How often the server reads the file: so long an old state may be told still." },
	DRAIN_OPTIONS,
};

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	const char *label = setting_text(s, "label");
	(void)d;
	if (setting_text(s, "config_file")[0] != '/')
		return why_set(why, ERR_FORMAT, "'config_file' must be a whole path");
	if (label[0] != '\0' && !model_config_is_label(label))
		return why_set(why, ERR_FORMAT, "'label' must be letters, digits and '_'");
	enum err e = server_api_check(s, why);
	e = e == ERR_OK ? commands_check(s, "drain", false, why) : e;
	return e == ERR_OK ? commands_check(s, "undrain", false, why) : e;
}

/* ---- status ---- */

static enum served_state state_of(const char *state, bool is_error)
{
	if (strcmp(state, "AVAILABLE") == 0)
		return SERVED_READY;
	if (strcmp(state, "START") == 0 || strcmp(state, "LOADING") == 0)
		return SERVED_LOADING;
	if (strcmp(state, "UNLOADING") == 0)
		return SERVED_UNLOADING;
	if (strcmp(state, "END") == 0)
		return is_error ? SERVED_FAILED : SERVED_GONE;
	return SERVED_UNKNOWN;
}

static bool read_status(struct arena *a, const struct answer *answer, struct served *out)
{
	struct cJSON *o = answer->status == 200 ? server_json(answer) : NULL;
	const struct cJSON *list = NULL, *item;
	bool is_good = json_get_array(o, "model_version_status", STATUSES_MAX, &list, NULL) == ERR_OK;
	cJSON_ArrayForEach(item, list) {
		const char *version = "", *state = "", *code = "OK", *reason = "";
		const struct cJSON *status = NULL;
		int64_t number;
		json_get_string(item, "version", VERSION_LEN, &version, NULL);
		json_get_string(item, "state", VERSION_LEN, &state, NULL);
		json_get_object(item, "status", &status, NULL);
		json_get_string(status, "error_code", VERSION_LEN, &code, NULL);
		json_get_string(status, "error_message", REASON_LEN, &reason, NULL);
		struct served_version *v = served_number(version, &number) ? served_add(out, number) : NULL;
		if (v == NULL)
			continue;
		v->state = state_of(state, strcmp(code, "OK") != 0);
		v->reason = v->state == SERVED_FAILED ? arena_printf(a, "%.40s: %.400s", code, reason) : "";
	}
	cJSON_Delete(o);
	return is_good;
}

/* ---- looking ---- */

struct memory {
	struct server_api          api;
	struct served              served;
	const char                *text; /* of the file */
	const struct model_config *model;
	bool                       has_folders;
};

static enum look_turn ask_file(struct look *l, struct why *why)
{
	struct memory *m = look_memory(l, sizeof *m, why);
	if (m == NULL || server_api_of(l->settings, l->unit, l->arena, &m->api, why) != ERR_OK)
		return LOOK_FAILED;
	l->at = LOOK_FILE;
	ask_run(l->arena, &l->next, "cat", "--", setting_text(l->settings, "config_file"), NULL);
	return LOOK_ASK;
}

static enum err find_model(struct arena *a, const char *text, const char *name, const struct model_config **out, struct why *why)
{
	struct model_configs all;
	bool is_twice;
	enum err e = model_config_read(a, text, strlen(text), &all, why);
	if (e != ERR_OK)
		return e;
	*out = model_config_find(&all, name, &is_twice);
	if (*out == NULL)
		return why_set(why, is_twice ? ERR_UNSUPPORTED : ERR_NOT_FOUND, is_twice ? "models.config has model '%.100s' twice" : "models.config has no model '%.100s'", name);
	return ERR_OK;
}

static enum look_turn take_file(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	const struct answer *a = l->last;
	char said[200];
	first_line(a->text, said, sizeof said);
	if (a->status != 0 || a->is_cut || a->n > MODEL_CONFIG_BYTES || strlen(a->text) != a->n) {
		why_set(why, ERR_UNSUPPORTED, "'%s' on '%s' can't be read, or is longer than %d bytes: %s", setting_text(l->settings, "config_file"), l->unit->node, MODEL_CONFIG_BYTES, said);
		return LOOK_FAILED;
	}
	m->text = arena_text(l->arena, a->text);
	if (m->text == NULL) {
		why_memory(why);
		return LOOK_FAILED;
	}
	if (find_model(l->arena, m->text, m->api.model, &m->model, why) != ERR_OK)
		return LOOK_FAILED;
	l->at = LOOK_STATUS;
	server_ask(l->arena, &m->api, "GET", ask_url(l->arena, m->api.base, "v1", "models", m->api.model, NULL), NULL, 0, &l->next);
	return LOOK_ASK;
}

static void warn(struct look *l, int64_t running)
{
	const struct memory *m = l->memory;
	const struct served_version *ready = served_ready(&m->served);
	if (m->model->policy != POLICY_SPECIFIC)
		found_warn(l, WARNING_CARE, "the version policy of the model on '%s' is '%s': a version folder with a higher number is taken by itself", l->unit->node,
		           m->model->policy == POLICY_ALL ? "all" : "latest");
	if (running == 0)
		found_warn(l, WARNING_SERIOUS, "no version of the model is AVAILABLE on '%s'", l->unit->name);
	else if (served_find(&m->served, running) == NULL || served_find(&m->served, running)->state != SERVED_READY)
		found_warn(l, WARNING_SERIOUS, "label '%s' on '%s' names version %lld, which is not AVAILABLE", setting_text(l->settings, "label"), l->unit->node, (long long)running);
	else if (setting_text(l->settings, "label")[0] != '\0' && ready != NULL && ready->number != running)
		found_warn(l, WARNING_NOTE, "clients of '%s' that ask for no label get version %lld, not %lld", l->unit->node, (long long)ready->number, (long long)running);
}

static enum look_turn finish(struct look *l)
{
	struct memory *m = l->memory;
	const char *label = setting_text(l->settings, "label");
	const struct served_version *ready = served_ready(&m->served);
	int64_t labelled = label[0] != '\0' ? model_config_label(m->model, label) : 0;
	int64_t running = labelled != 0 ? labelled : ready != NULL ? ready->number : 0;
	for (size_t i = 0; i < m->model->n_versions; i++)
		if (m->model->versions[i] > 0)
			served_add(&m->served, m->model->versions[i]);
	served_found(l, &m->served, running, m->has_folders);
	warn(l, running);
	l->found.is_ready = ready != NULL;
	l->found.before = note_make(l->arena, "text", m->text, "running", arena_printf(l->arena, "%lld", (long long)running), NULL);
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

static enum look_turn take_status(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	const char *folder = m->model->base_path;
	char said[200];
	server_said(l->last, said, sizeof said);
	if (!read_status(l->arena, l->last, &m->served) && l->last->status != 404) {
		why_set(why, ERR_UNSUPPORTED, "TensorFlow Serving of '%s' does not tell of '%.100s' (status %d): %s", l->unit->name, m->api.model, l->last->status, said);
		return LOOK_FAILED;
	}
	if (folder[0] != '/' || strchr(folder, '\n') != NULL || !text_is_utf8(folder, strlen(folder)))
		return finish(l); /* in a bucket: what is there is not known */
	l->at = LOOK_FOLDERS;
	served_ask_folders(l->arena, folder, &l->next);
	return LOOK_ASK;
}

static enum look_turn look(struct look *l, struct why *why)
{
	struct memory *m = l->memory;
	if (l->last == NULL)
		return ask_file(l, why);
	if (l->at == LOOK_FOLDERS) {
		m->has_folders = served_take_folders(l, &m->served, WARNING_NOTE, "only versions that the server knows are shown");
		return finish(l);
	}
	if (!server_answered(l, l->at == LOOK_FILE ? "its models.config" : "the model's status", why))
		return LOOK_FAILED;
	return l->at == LOOK_FILE ? take_file(l, why) : take_status(l, why);
}

/* ---- planning ---- */

struct going {
	struct planning  *p;
	struct server_api api;
	int64_t           ready_ms, from, to;
	const char       *label;
	bool              had_failed; /* the version wanted, before */
	const char       *texts[3];   /* as found; loaded beside; as it is to be. Without a label the last two are one */
	const char       *hashes;     /* of all of them */
};

static const char *hash_of(struct arena *a, const char *text) { return arena_printf(a, "%016llx", (unsigned long long)hash64(text, strlen(text), 0)); }

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, int64_t version, const char *title)
{
	struct arena *a = g->p->arena;
	struct step *s = steps_add(g->p, to, phase, "%s", title);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = tag == TAG_PUT;
	s->is_repeatable = true;
	s->note = note_make(a, "version", arena_printf(a, "%lld", (long long)version), "alone", g->label[0] == '\0' ? "yes" : "", "failed", g->had_failed && version == g->to ? "yes" : "", "hashes",
	                    g->hashes, NULL);
	s->poll_ms = POLL_MS;
	s->deadline_ms = g->ready_ms + setting_number(g->p->settings, "poll");
	return s;
}

static void add_put(struct going *g, struct steps *to, const char *text, const char *title)
{
	const char *file = setting_text(g->p->settings, "config_file");
	struct step *s = add(g, to, PHASE_CHANGE, TAG_SAME, 0, "look whether models.config is as it was");
	if (s != NULL)
		ask_run(g->p->arena, &s->ask, "cat", "--", file, NULL);
	s = add(g, to, PHASE_CHANGE, TAG_PUT, 0, title);
	if (s != NULL)
		s->ask = (struct ask){ .kind = ASK_PUT, .path = arena_text(g->p->arena, file), .body = text };
}

static void add_available(struct going *g, struct steps *to, enum phase phase, int64_t version)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, phase, TAG_AVAILABLE, version, arena_printf(a, "wait until version %lld is AVAILABLE", (long long)version));
	if (s != NULL)
		server_ask(a, &g->api, "GET", ask_url(a, g->api.base, "v1", "models", g->api.model, NULL), NULL, 0, &s->ask);
}

static void add_labelled(struct going *g, struct steps *to, int64_t version)
{
	struct arena *a = g->p->arena;
	struct step *s = add(g, to, PHASE_READY, TAG_LABEL, version, arena_printf(a, "wait until label %s is version %lld", g->label, (long long)version));
	if (s != NULL)
		server_ask(a, &g->api, "GET", ask_url(a, g->api.base, "v1", "models", g->api.model, "labels", g->label, NULL), NULL, 0, &s->ask);
}

static void put_version(int64_t *to, size_t *n, int64_t version)
{
	for (size_t i = 0; i < *n; i++)
		if (to[i] == version)
			return;
	if (version > 0 && *n < MODEL_CONFIG_VERSIONS)
		to[(*n)++] = version;
}

/* What is loaded from now on: the version wanted, what labels name, and with a label the one that is left, which is what the way back goes to. */
static enum err make_texts(struct going *g, const struct model_config *m, struct why *why)
{
	struct arena *a = g->p->arena;
	int64_t versions[MODEL_CONFIG_VERSIONS];
	size_t n = 0;
	const struct model_config *beside = m;
	put_version(versions, &n, g->to);
	if (g->label[0] != '\0')
		put_version(versions, &n, g->from);
	for (size_t i = 0; i < m->n_labels; i++)
		put_version(versions, &n, m->labels[i].version);
	enum err e = model_config_edit(a, g->texts[0], strlen(g->texts[0]), m, versions, n, "", 0, &g->texts[1], why);
	g->texts[2] = g->texts[1];
	if (e == ERR_OK && g->label[0] != '\0') {
		e = find_model(a, g->texts[1], g->api.model, &beside, why);
		e = e == ERR_OK ? model_config_edit(a, g->texts[1], strlen(g->texts[1]), beside, versions, n, g->label, g->to, &g->texts[2], why) : e;
	}
	if (e == ERR_OK)
		g->hashes = arena_printf(a, "%s %s %s", hash_of(a, g->texts[0]), hash_of(a, g->texts[1]), hash_of(a, g->texts[2]));
	return e;
}

static void warn_plan(struct going *g, const struct model_config *m)
{
	struct planning *p = g->p;
	if (m->policy != POLICY_SPECIFIC)
		plan_warn(p, WARNING_CARE, "the policy of the model becomes 'specific': new version folders are not taken by themselves any more");
	for (size_t i = 0; i < m->n_labels && g->label[0] == '\0'; i++)
		if (m->labels[i].version > g->to)
			plan_warn(p, WARNING_SERIOUS, "label '%.60s' keeps version %lld loaded, and clients that ask for none get the highest: give 'label'", m->labels[i].key, (long long)m->labels[i].version);
	if (g->label[0] != '\0' && g->from > g->to)
		plan_warn(p, WARNING_NOTE, "version %lld stays loaded for the way back, and clients that ask for no label get it, being the highest", (long long)g->from);
	plan_warn(p, WARNING_NOTE, "both versions are in memory while the new one loads; a load that fails is tried again (--max_num_load_retries, 5, a minute apart) before it is told");
}

static void plan_steps(struct going *g)
{
	struct steps *forward = g->p->forward, *back = g->p->back;
	bool has_label = g->label[0] != '\0';
	add_put(g, forward, g->texts[1], arena_printf(g->p->arena, "write models.config: %s version %lld", has_label ? "load" : "serve", (long long)g->to));
	add_available(g, forward, has_label ? PHASE_CHANGE : PHASE_READY, g->to);
	if (has_label) {
		add_put(g, forward, g->texts[2], arena_printf(g->p->arena, "write models.config: label %s is version %lld", g->label, (long long)g->to));
		add_labelled(g, forward, g->to);
		add_put(g, back, g->texts[1], "write models.config: the label as it was");
		if (g->from > 0)
			add_available(g, back, PHASE_CHANGE, g->from);
	}
	add_put(g, back, g->texts[0], "write models.config as it was found");
	if (g->from > 0)
		add_available(g, back, PHASE_READY, g->from);
}

static enum err plan(struct planning *p, struct why *why)
{
	struct going g = { .p = p, .ready_ms = ready_ms_of(p->deploy), .label = setting_text(p->settings, "label"), .texts = { note_text(p->arena, p->found->before, "text"), "", "" }, .hashes = "" };
	const struct version *there = p->to != NULL ? found_by_id(p->found, p->to->id) : NULL;
	const struct model_config *m = NULL;
	const char *values[COMMAND_VALUES];
	parse_i64(note_text(p->arena, p->found->before, "running"), 0, INT64_MAX, &g.from);
	if (p->to == NULL || !served_number(p->to->id, &g.to))
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no version of TensorFlow Serving's, which are whole numbers", p->to != NULL ? p->to->id : "");
	if (there != NULL && !there->is_present)
		return why_set(why, ERR_UNSUPPORTED, "version %s is not in the model's folder on '%s'", p->to->id, p->unit->name);
	if (g.from == g.to && p->kind == DEPLOY_REDEPLOY)
		return why_set(why, ERR_UNSUPPORTED, "version %s is what '%s' serves already, and TensorFlow Serving loads none anew: restart it by another driver", p->to->id, p->unit->name);
	enum err e = server_api_of(p->settings, p->unit, p->arena, &g.api, why);
	e = e == ERR_OK ? find_model(p->arena, g.texts[0], g.api.model, &m, why) : e;
	e = e == ERR_OK ? make_texts(&g, m, why) : e;
	if (e != ERR_OK)
		return e;
	g.had_failed = there != NULL && strncmp(there->cause, "its last", 8) == 0;
	command_values(p->unit, NULL, NULL, values);
	warn_plan(&g, m);
	e = commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why);
	if (e != ERR_OK)
		return e;
	plan_steps(&g);
	e = commands_add(p, p->forward, PHASE_ENTER, "undrain", values, why);
	e = e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", values, why) : e;
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}

/* ---- judging ---- */

static void judge_same(const struct judging *j, struct verdict *v)
{
	const char *hash = hash_of(j->arena, j->answer->text);
	if (j->answer->status != 0 || j->answer->is_cut)
		verdict_failed(v, "models.config can't be read (status %d)", j->answer->status);
	else if (hash[0] != '\0' && strstr(note_text(j->arena, j->step->note, "hashes"), hash) != NULL)
		verdict_done(v, "it is");
	else
		verdict_failed(v, "somebody changed models.config meanwhile: plan again, so that their change is not lost");
}

static void judge_put(const struct judging *j, struct verdict *v)
{
	char said[200];
	first_line(j->answer->text, said, sizeof said);
	if (j->answer->status == 0)
		verdict_done(v, "written");
	else
		verdict_failed(v, "models.config is as it was: %s", said);
}

/* An old failure may be told until the file was read; one while the server tries again is told as LOADING. */
static void judge_one(const struct judging *j, const struct served *s, int64_t version, struct verdict *v)
{
	const struct served_version *it = served_find(s, version), *highest = served_ready(s);
	bool is_alone = note_text(j->arena, j->step->note, "alone")[0] != '\0', had_failed = note_text(j->arena, j->step->note, "failed")[0] != '\0';
	int64_t for_ms = j->now_ms - j->began_ms, poll_ms = setting_number(j->settings, "poll");
	if (it != NULL && it->state == SERVED_FAILED && (!had_failed || for_ms > poll_ms + RETRY_MS))
		verdict_failed(v, "version %lld is not loaded: %.160s", (long long)version, it->reason);
	else if (it == NULL || it->state == SERVED_GONE || it->state == SERVED_UNKNOWN || it->state == SERVED_FAILED)
		verdict_again(v, 0, for_ms > poll_ms ? "version %lld is not loading: is --model_config_file_poll_wait_seconds set?" : "version %lld: the file was not read yet", (long long)version);
	else if (it->state != SERVED_READY)
		verdict_again(v, 0, "version %lld is %s%s", (long long)version, it->state == SERVED_LOADING ? "loading" : "unloading",
		              for_ms > RETRY_MS && it->state == SERVED_LOADING ? "; a load that failed is tried again, see its log" : "");
	else if (is_alone && highest != NULL && highest->number > version)
		verdict_again(v, 0, "version %lld, which is higher, is still served", (long long)highest->number);
	else
		verdict_done(v, "version %lld is AVAILABLE", (long long)version);
}

static void judge_status(const struct judging *j, struct verdict *v)
{
	int64_t version = 0;
	struct served s = { .n = 0 };
	bool is_status = read_status(j->arena, j->answer, &s);
	parse_i64(note_text(j->arena, j->step->note, "version"), 1, INT64_MAX, &version);
	if (version == 0)
		verdict_failed(v, "the journal does not tell the version");
	else if (!is_status)
		verdict_again(v, 0, "no status of the model (status %d)", j->answer->status);
	else if (j->step->tag == TAG_LABEL && (s.n != 1 || s.items[0].number != version))
		verdict_again(v, 0, "the label is not version %lld yet", (long long)version);
	else
		judge_one(j, &s, version, v);
}

static void judge(const struct judging *j, struct verdict *v)
{
	if (commands_judge(j, v) || verdict_of_silence(j, v))
		return;
	if (j->answer == NULL || j->step->tag < TAG_SAME || j->step->tag > TAG_LABEL)
		verdict_failed(v, "a step that the driver does not know");
	else if (j->step->tag == TAG_SAME)
		judge_same(j, v);
	else if (j->step->tag == TAG_PUT)
		judge_put(j, v);
	else
		judge_status(j, v);
}

const struct driver tfserving_driver = {
	.name = "tfserving",
	.summary = "serve another version of a model by TensorFlow Serving's models.config",
	.notes = "The server must be started with `--model_config_file` and `--model_config_file_poll_wait_seconds` above 0. What is in the file takes the place of all that it serves, and a model that is "
	         "not in it is unloaded: so it is read first, the model's version policy and label are changed in it, and each other byte stays as it was. It is written beside and renamed over, and "
	         "not at all when somebody changed it since.\n\n"
	         "A label moves only to a version that is AVAILABLE: the version is loaded beside the old one first, waited for, and then the label is moved. The old one stays loaded, so that going back "
	         "is instant; the next change drops it. Without `label` the version wanted is the only one served, which the server loads before it unloads the other.",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.needs_machine = true,
	.has_history = true,
	.has_running = true,
	.check = check,
	.look = look,
	.plan = plan,
	.judge = judge,
};
