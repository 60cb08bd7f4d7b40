/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of making a container anew with another image, and of the way back.
 *
 * Forward: fetch the image where that is wanted, create under a name of the run's own, drain; stop the old one, keep it down, put it aside,
 * give its name to the new one, start, wait. Until the stop nothing that serves has been touched. Back: find what the run made by its
 * label, wherever it stands by now, stop it and put it aside, and start the old one under its name again. Each step may be taken twice: it
 * goes by ids and by the label, and what it finds done is done. */
#include "deploy/docker.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json.h"
#include "deploy/commands.h"
#include "deploy/note.h"

enum {
	PULL_MS = 60 * 60 * 1000,
	CREATE_MS = 2 * 60 * 1000,
	STOP_MARGIN_MS = 60 * 1000,
	START_MS = 2 * 60 * 1000,
	WAIT_POLL_MS = 1000,
	REMOVES_MAX = 10,
	KEY_MAX = 64
};

struct going {
	struct planning     *p;
	struct docker_before was;
	const char          *socket;
	const char          *temp, *aside, *failed; /* names: of the new one at first, of the old one, of the new one that failed */
	const char          *ref;                   /* what the new one is created by */
	const char          *want;                  /* its image's id; "" what the reference means by then */
	const char          *known_as;
	int64_t              stop_s;
	int64_t              ready_ms;
};

/* ---- what look left ---- */

static const char *text_at(struct arena *a, const struct cJSON *o, const char *key)
{
	const char *text = "";
	struct why why;
	if (json_get_string(o, key, DOCKER_REF_MAX, &text, &why) != ERR_OK)
		return "";
	const char *copy = arena_text(a, text);
	return copy != NULL ? copy : "";
}

bool docker_before_read(struct arena *a, const char *text, struct docker_before *out)
{
	struct cJSON *o = NULL;
	struct why why;
	int64_t api = 0;
	*out = (struct docker_before){ .stop_s = -1 };
	if (text == NULL || json_parse(text, strlen(text), NULL, &o, &why) != ERR_OK)
		return false;
	*out = (struct docker_before){ .id = text_at(a, o, "id"),
		                       .name = text_at(a, o, "name"),
		                       .image = text_at(a, o, "image"),
		                       .ref = text_at(a, o, "ref"),
		                       .policy = text_at(a, o, "policy"),
		                       .stop_s = -1,
		                       .tree = o };
	bool is_whole = json_get_i64(o, "api", 1, 999, &api, &why) == ERR_OK && docker_is_id(out->id) && docker_is_name(out->name) &&
	                docker_is_image_id(out->image);
	out->api = (int)api;
	json_get_i64(o, "retries", 0, INT32_MAX, &out->policy_retries, &why);
	json_get_i64(o, "stop_s", -1, DOCKER_STOP_MAX_S, &out->stop_s, &why);
	json_get_bool(o, "running", &out->is_running, &why);
	if (!is_whole) {
		cJSON_Delete(o);
		out->tree = NULL;
	}
	return is_whole;
}

/* ---- which image ---- */

/* "v9" is a tag of the same repository; with a slash, a colon or a digest it is a whole reference. */
static const char *whole_ref(struct going *g, const char *id)
{
	const char *repo, *tag;
	docker_split(g->p->arena, g->was.ref, &repo, &tag);
	return strpbrk(id, "/:@") != NULL || repo[0] == '\0' ? id : arena_printf(g->p->arena, "%s:%s", repo, id);
}

/* By id; else, where versions are the store's, by what people call it: an image's name, or a tag that one alone has. */
static const struct version *find_there(const struct found *f, const char *id)
{
	const struct version *v = found_by_id(f, id), *found = NULL;
	for (size_t i = 0; i < f->n_versions && v == NULL && id[0] != '\0'; i++) {
		const struct version *one = &f->versions[i];
		if (strcmp(one->tag, id) != 0 && strcmp(one->data, id) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = one;
	}
	return v != NULL ? v : found;
}

static bool has_tag(struct going *g, const char *ref)
{
	const char *repo, *tag;
	docker_split(g->p->arena, ref, &repo, &tag);
	return tag[0] != '\0';
}

/* Of what is there the id is what counts: tags move. Only a redeploy of what runs may mean what its tag is by now. */
static enum err choose_image(struct going *g, bool *pulls, struct why *why)
{
	const struct planning *p = g->p;
	const char *pull = setting_text(p->settings, "pull"), *id = p->to != NULL ? p->to->id : "";
	const struct version *there = find_there(p->found, id);
	bool is_always = strcmp(pull, "always") == 0, is_same = there != NULL && strcmp(there->id, g->was.image) == 0;
	*pulls = false;
	if (id[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "which version to go to is not known");
	if (there != NULL && !(is_always && is_same && p->kind == DEPLOY_REDEPLOY && has_tag(g, g->was.ref))) {
		g->want = there->id;
		g->ref = there->data[0] != '\0' ? there->data : there->id;
		g->known_as = there->data[0] != '\0' ? there->data : g->was.ref;
		return ERR_OK;
	}
	g->ref = there != NULL ? g->was.ref : whole_ref(g, id);
	g->known_as = g->ref;
	g->want = "";
	if (docker_is_image_id(id) && there == NULL)
		return why_set(why, ERR_UNSUPPORTED,
		               "image %.19s... is not on '%s', and an id alone can't be fetched: bring it there first", id, p->unit->name);
	if (!docker_is_ref(g->ref))
		return why_set(why, ERR_UNSUPPORTED, "'%.100s' is no image's name", id);
	if (there == NULL && strcmp(pull, "never") == 0)
		return why_set(why, ERR_UNSUPPORTED, "image %.200s is not on '%s', and 'pull' is never", g->ref, p->unit->name);
	*pulls = true;
	return ERR_OK;
}

/* ---- steps ---- */

static struct step *add(struct going *g, struct steps *to, enum phase phase, int tag, const char *title, const char *what)
{
	struct step *s = steps_add(g->p, to, phase, "%s%s", title, what);
	if (s == NULL)
		return NULL;
	s->tag = tag;
	s->changes = true;
	s->is_repeatable = true;
	return s;
}

static void set_ask(struct going *g, struct step *s, const char *method, const char *first, const char *second, const char *third,
                    const char *query, const char *body, int64_t timeout_ms)
{
	if (s == NULL)
		return;
	const struct docker_call c = { .api = g->was.api,
		                       .socket = g->socket,
		                       .method = method,
		                       .segments = { first, second, third },
		                       .query = query,
		                       .body = body,
		                       .timeout_ms = timeout_ms };
	docker_ask(g->p->arena, &c, &s->ask);
	s->deadline_ms = timeout_ms > 0 ? 2 * timeout_ms : 0;
}

static const char *id_note(struct going *g, const char *id, const char *name)
{
	return note_make(g->p->arena, "socket", g->socket, "api", arena_printf(g->p->arena, "%d", g->was.api), "id", id, "name", name,
	                 "key", g->p->key, NULL);
}

static const char *short_of(struct going *g) { return arena_printf(g->p->arena, "%.12s", g->was.id); }

static enum err add_pull(struct going *g, struct why *why)
{
	struct planning *p = g->p;
	const char *repo, *tag, *digest = strchr(g->ref, '@');
	const struct setting *command = setting(p->settings, "pull_command");
	struct step *s = add(g, p->forward, PHASE_DRAIN, command->is_given ? TAG_COMMAND : TAG_DOCKER_PULL, "fetch image ", g->ref);
	docker_split(p->arena, g->ref, &repo, &tag);
	if (s == NULL)
		return why_memory(why);
	if (command->is_given) {
		const char *const values[] = { "image", g->ref, "model", p->unit->model, "node", p->unit->node, "group", p->unit->group, NULL };
		enum err e = command_fill(p->arena, &command->words, values, &s->ask, why);
		s->ask.timeout_ms = PULL_MS;
		s->deadline_ms = 2 * PULL_MS;
		if (e != ERR_OK)
			return e;
	} else {
		const char *query = arena_printf(p->arena, "fromImage=%s&tag=%s", docker_encode(p->arena, repo),
		                                 docker_encode(p->arena, digest != NULL   ? digest + 1
		                                                         : tag[0] != '\0' ? tag
		                                                                          : "latest"));
		set_ask(g, s, "POST", "images", "create", NULL, query, NULL, PULL_MS);
	}
	s = add(g, p->forward, PHASE_DRAIN, TAG_DOCKER_PULLED, "look whether the image is there: ", g->ref);
	set_ask(g, s, "GET", "images", g->ref, "json", "", NULL, 0);
	if (s != NULL)
		s->changes = false;
	return ERR_OK;
}

static void add_create(struct going *g)
{
	struct planning *p = g->p;
	struct step *s = add(g, p->forward, PHASE_DRAIN, TAG_DOCKER_CREATE, "create ",
	                     arena_printf(p->arena, "%s of image %s, all else as container %s has it", g->temp, g->ref, short_of(g)));
	const struct cJSON *of_image = cJSON_GetObjectItemCaseSensitive(g->was.tree, "of_image");
	set_ask(g, s, "GET", "containers", g->was.id, "json", "", NULL, CREATE_MS);
	if (s != NULL)
		s->note = note_make(p->arena, "socket", g->socket, "api", arena_printf(p->arena, "%d", g->was.api), "id", g->was.id, "name",
		                    g->temp, "key", p->key, "image", g->ref, "want", g->want, "known_as", g->known_as, "of_image",
		                    docker_tree_text(p->arena, of_image), NULL);
}

static void add_networks(struct going *g)
{
	struct planning *p = g->p;
	const struct cJSON *networks = cJSON_GetObjectItemCaseSensitive(g->was.tree, "networks"), *one;
	int n = 0;
	if (g->was.api >= DOCKER_API_ALL_NETWORKS)
		return;
	cJSON_ArrayForEach(one, networks)
	{
		const char *name = text_at(p->arena, one, "name");
		struct cJSON *body = cJSON_CreateObject();
		if (body == NULL || name[0] == '\0' || n++ == DOCKER_NETWORKS_MAX) {
			cJSON_Delete(body);
			continue;
		}
		cJSON_AddStringToObject(body, "Container", g->temp);
		cJSON_AddItemToObject(body, "EndpointConfig", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(one, "config"), true));
		struct step *s = add(g, p->forward, PHASE_DRAIN, TAG_DOCKER_CONNECT, "connect it to network ", name);
		set_ask(g, s, "POST", "networks", name, "connect", "", docker_tree_text(p->arena, body), START_MS);
		if (s != NULL)
			s->note = note_make(p->arena, "socket", g->socket, "api", arena_printf(p->arena, "%d", g->was.api), "id", g->temp,
			                    "name", name, "key", p->key, NULL);
		cJSON_Delete(body);
	}
}

/* `always` alone starts what was stopped when the engine itself is started again. (dockerd, "restart policies") */
static const char *policy_body(struct going *g, const char *policy, int64_t retries)
{
	return arena_printf(g->p->arena, "{\"RestartPolicy\":{\"Name\":\"%s\",\"MaximumRetryCount\":%lld}}", policy, (long long)retries);
}

static bool is_always(const struct going *g) { return strcmp(g->was.policy, "always") == 0; }

static const char *stop_query(struct going *g) { return arena_printf(g->p->arena, "t=%lld", (long long)g->stop_s); }

static void add_swap(struct going *g)
{
	struct planning *p = g->p;
	struct step *s = add(g, p->forward, PHASE_CHANGE, TAG_DOCKER_STOP, "stop the old one, ", short_of(g));
	set_ask(g, s, "POST", "containers", g->was.id, "stop", stop_query(g), NULL, g->stop_s * 1000 + STOP_MARGIN_MS);
	if (is_always(g)) {
		s = add(g, p->forward, PHASE_CHANGE, TAG_DOCKER_POLICY, "keep the old one down: ", short_of(g));
		set_ask(g, s, "POST", "containers", g->was.id, "update", "", policy_body(g, "no", 0), 0);
	}
	s = add(g, p->forward, PHASE_CHANGE, TAG_DOCKER_RENAME_OLD, "rename the old one to ", g->aside);
	set_ask(g, s, "POST", "containers", g->was.id, "rename", arena_printf(p->arena, "name=%s", g->aside), NULL, 0);
	if (s != NULL)
		s->note = id_note(g, g->was.id, g->aside);
	s = add(g, p->forward, PHASE_CHANGE, TAG_DOCKER_RENAME_NEW, "rename the new one to ", g->was.name);
	set_ask(g, s, "POST", "containers", g->temp, "rename", arena_printf(p->arena, "name=%s", g->was.name), NULL, 0);
	if (s != NULL)
		s->note = id_note(g, g->was.name, g->was.name);
	s = add(g, p->forward, PHASE_CHANGE, TAG_DOCKER_START, "start ", g->was.name);
	set_ask(g, s, "POST", "containers", g->was.name, "start", "", NULL, START_MS);
}

struct step *docker_add_wait(struct planning *p, struct steps *to, const char *container, const char *key, const char *image)
{
	struct docker_before was;
	struct step *s = steps_add(p, to, PHASE_READY, "wait until it is healthy, or has run for a while");
	if (s == NULL || !docker_before_read(p->arena, p->found->before, &was))
		return NULL;
	cJSON_Delete(was.tree);
	const struct docker_call c = { .api = was.api,
		                       .socket = setting_text(p->settings, "socket"),
		                       .method = "GET",
		                       .segments = { "containers", container, "json" } };
	docker_ask(p->arena, &c, &s->ask);
	s->tag = TAG_DOCKER_WAIT;
	s->is_repeatable = true;
	s->note = note_make(p->arena, "key", key, "image", image, NULL);
	s->poll_ms = WAIT_POLL_MS;
	s->deadline_ms = ready_ms_of(p->deploy);
	return s;
}

/* Those that look has found, oldest last; the one that this run puts aside makes one more. Volumes stay. */
static void add_removal(struct going *g)
{
	const struct cJSON *kept = cJSON_GetObjectItemCaseSensitive(g->was.tree, "kept"), *one;
	int64_t stay = setting_number(g->p->settings, "keep") - 1, i = 0;
	int n = 0;
	cJSON_ArrayForEach(one, kept)
	{
		const char *id = cJSON_IsString(one) ? one->valuestring : "";
		if (i++ < stay || !docker_is_id(id) || n++ >= REMOVES_MAX || strcmp(id, g->was.id) == 0)
			continue;
		struct step *s = add(g, g->p->forward, PHASE_ENTER, TAG_DOCKER_REMOVE, "remove an earlier one, ",
		                     arena_printf(g->p->arena, "%.12s", id));
		set_ask(g, s, "DELETE", "containers", id, NULL, "force=false&v=false", NULL, START_MS);
	}
}

static void add_ours(struct going *g, int tag, const char *title, const char *what, const char *query, const char *body)
{
	struct planning *p = g->p;
	struct cJSON *filters = cJSON_CreateObject(), *labels = cJSON_AddArrayToObject(filters, "label");
	cJSON_AddItemToArray(labels, cJSON_CreateString(arena_printf(p->arena, "%s=%s", DOCKER_RUN, p->key)));
	struct step *s = add(g, p->back, PHASE_CHANGE, tag, title, what);
	set_ask(g, s, "GET", "containers", "json", NULL,
	        arena_printf(p->arena, "all=1&filters=%s", docker_encode(p->arena, docker_tree_text(p->arena, filters))), NULL,
	        g->stop_s * 1000 + STOP_MARGIN_MS);
	if (s != NULL)
		s->note = note_make(p->arena, "socket", g->socket, "api", arena_printf(p->arena, "%d", g->was.api), "key", p->key, "name",
		                    what, "query", query, "body", body, "seconds", arena_printf(p->arena, "%lld", (long long)g->stop_s),
		                    NULL);
	cJSON_Delete(filters);
}

static enum err plan_back(struct going *g, const char *const *values, struct why *why)
{
	struct planning *p = g->p;
	add_ours(g, TAG_DOCKER_STOP_OURS, "stop what this run made", "", stop_query(g), "");
	if (is_always(g))
		add_ours(g, TAG_DOCKER_POLICY_OURS, "keep what this run made down", "", "", policy_body(g, "no", 0));
	add_ours(g, TAG_DOCKER_ASIDE, "rename what this run made to ", g->failed, arena_printf(p->arena, "name=%s", g->failed), "");
	struct step *s = add(g, p->back, PHASE_CHANGE, TAG_DOCKER_RENAME_OLD, "rename the old one to ", g->was.name);
	set_ask(g, s, "POST", "containers", g->was.id, "rename", arena_printf(p->arena, "name=%s", g->was.name), NULL, 0);
	if (s != NULL)
		s->note = id_note(g, g->was.id, g->was.name);
	if (is_always(g)) {
		s = add(g, p->back, PHASE_CHANGE, TAG_DOCKER_POLICY, "give the old one its restart policy again: ", g->was.policy);
		set_ask(g, s, "POST", "containers", g->was.id, "update", "", policy_body(g, g->was.policy, g->was.policy_retries), 0);
	}
	if (!g->was.is_running)
		return ERR_OK;
	s = add(g, p->back, PHASE_CHANGE, TAG_DOCKER_START, "start the old one, ", short_of(g));
	set_ask(g, s, "POST", "containers", g->was.id, "start", "", NULL, START_MS);
	docker_add_wait(p, p->back, g->was.id, "", g->was.image);
	enum err e = ready_add(p, p->back, g->ready_ms, why);
	return e == ERR_OK ? commands_add(p, p->back, PHASE_ENTER, "undrain", values, why) : e;
}

static enum err plan_forward(struct going *g, bool pulls, const char *const *values, struct why *why)
{
	struct planning *p = g->p;
	enum err e = pulls ? add_pull(g, why) : ERR_OK;
	add_create(g);
	add_networks(g);
	e = e == ERR_OK ? commands_add(p, p->forward, PHASE_DRAIN, "drain", values, why) : e;
	if (e != ERR_OK)
		return e;
	add_swap(g);
	docker_add_wait(p, p->forward, g->was.name, p->key, g->want);
	e = ready_add(p, p->forward, g->ready_ms, why);
	e = e == ERR_OK ? commands_add(p, p->forward, PHASE_ENTER, "undrain", values, why) : e;
	add_removal(g);
	return e;
}

enum err docker_check(const struct settings *s, struct why *why)
{
	const struct setting *command = setting(s, "pull_command");
	const char *const values[] = { "image", "i", "model", "m", "node", "n", "group", "g", NULL };
	struct ask ask;
	struct arena a;
	if (setting_text(s, "socket")[0] != '/')
		return why_set(why, ERR_FORMAT, "'socket' must be a whole path");
	arena_init(&a);
	enum err e = command->is_given ? command_fill(&a, &command->words, values, &ask, why) : ERR_OK;
	arena_release(&a);
	if (e != ERR_OK)
		return why_prefix(why, e, "'pull_command'");
	e = commands_check(s, "drain", true, why);
	return e == ERR_OK ? commands_check(s, "undrain", true, why) : e;
}

static bool name_them(struct going *g, struct why *why)
{
	struct planning *p = g->p;
	g->temp = arena_printf(p->arena, "%s-pitwall-%s", g->was.name, p->key);
	g->aside = arena_printf(p->arena, "%s-before-%s", g->was.name, p->key);
	g->failed = arena_printf(p->arena, "%s-failed-%s", g->was.name, p->key);
	if (strlen(g->was.name) + sizeof "-pitwall-" + strlen(p->key) > DOCKER_NAME_MAX || strlen(p->key) > KEY_MAX) {
		why_set(why, ERR_UNSUPPORTED, "the name of container %.100s is too long to put another beside it", g->was.name);
		return false;
	}
	return true;
}

enum err docker_plan(struct planning *p, struct why *why)
{
	struct going g = { .p = p, .socket = setting_text(p->settings, "socket"), .ready_ms = ready_ms_of(p->deploy) };
	const char *values[COMMAND_VALUES];
	bool pulls = false;
	if (!docker_before_read(p->arena, p->found->before, &g.was))
		return why_set(why, ERR_UNSUPPORTED, "what is known of the container on '%s' is not whole", p->unit->name);
	const struct setting *stop = setting(p->settings, "stop_timeout");
	g.stop_s = stop->is_given ? (stop->number + 999) / 1000 : g.was.stop_s >= 0 ? g.was.stop_s : DOCKER_STOP_S;
	g.stop_s = g.stop_s < DOCKER_STOP_MAX_S ? g.stop_s : DOCKER_STOP_MAX_S;
	enum err e = name_them(&g, why) ? choose_image(&g, &pulls, why) : ERR_UNSUPPORTED;
	if (e == ERR_OK) {
		command_values(p->unit, g.ref, g.was.ref, values);
		e = plan_forward(&g, pulls, values, why);
		command_values(p->unit, g.was.ref, g.ref, values);
		e = e == ERR_OK ? plan_back(&g, values, why) : e;
	}
	cJSON_Delete(g.was.tree);
	return e == ERR_OK && arena_failed(p->arena) ? why_memory(why) : e;
}
