/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of an engine before anything is planned: which API it speaks, which containers there are, ours as a whole, its image, all
 * images. */
#include "deploy/docker.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "deploy/commands.h"

enum { LOOK_VERSION = 1, LOOK_LIST, LOOK_INSPECT, LOOK_IMAGE, LOOK_IMAGES };
enum {
	CANDIDATES = 2000,
	CONTAINERS = 10000,
	INSPECT_MAX = 1024 * 1024,
	API_MAX = 999,
	VARIABLES_SHOWN = 20,
	SHORT_ID = 12,
	ASIDE_MAX = 64
};

/* One that is kept from an earlier run, or was put aside. */
struct kept {
	const char *id, *image;
	int64_t     created_s;
};

struct memory {
	int                     api;
	struct docker_choice    choice;
	struct docker_container mine;
	const char             *id, *inspect;   /* its JSON, whole */
	const char             *repo, *tag;
	const char             *of_image_text, *hash;
	bool                    has_image;
	struct kept             kept[DOCKER_KEPT_MAX];
	size_t                  n_kept;
};

static const char *text_at(const struct cJSON *o, const char *key)
{
	const struct cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return cJSON_IsString(at) && at->valuestring != NULL ? at->valuestring : "";
}

/* Never NULL: where memory is short the arena says so at the end. */
static const char *copy(struct arena *a, const char *text)
{
	const char *its = arena_text(a, text);
	return its != NULL ? its : "";
}

static enum look_turn ask(struct look *l, int at, const char *first, const char *second, const char *third, const char *query)
{
	const struct memory *m = l->memory;
	const struct docker_call c = { .api = m->api,
		                       .socket = setting_text(l->settings, "socket"),
		                       .method = "GET",
		                       .segments = { first, second, third },
		                       .query = query };
	docker_ask(l->arena, &c, &l->next);
	l->at = at;
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_ASK;
}

/* ---- the engine ---- */

static int minor_of(const char *version)
{
	int64_t minor;
	return strncmp(version, "1.", 2) == 0 && parse_i64(version + 2, 0, API_MAX, &minor) == ERR_OK ? (int)minor : 0;
}

/* Ours, unless the engine has left it behind or is not that far. */
static bool take_version(struct look *l, const struct cJSON *o)
{
	struct memory *m = l->memory;
	int most = minor_of(text_at(o, "ApiVersion")), least = minor_of(text_at(o, "MinAPIVersion"));
	m->api = most < DOCKER_API ? most : least > DOCKER_API ? least : DOCKER_API;
	return most > 0 && least <= most;
}

/* ---- which container ---- */

static const char *name_of(const struct cJSON *entry)
{
	const struct cJSON *names = cJSON_GetObjectItemCaseSensitive(entry, "Names"), *one;
	cJSON_ArrayForEach(one, names)
	{ /* "/a/b" is how a link calls another */
		const char *text = cJSON_IsString(one) && one->valuestring != NULL && one->valuestring[0] == '/' ? one->valuestring + 1 : "";
		if (docker_is_name(text))
			return text;
	}
	return "";
}

static bool has_mark(const char *name, const char *mark) { return strstr(name, mark) != NULL; }
static bool is_aside(const char *name) { return has_mark(name, "-before-") || has_mark(name, "-failed-") || has_mark(name, "-pitwall-"); }

static bool is_chosen(const struct docker_choice *c, const struct cJSON *entry)
{
	const struct cJSON *labels = cJSON_GetObjectItemCaseSensitive(entry, "Labels");
	const char *name = name_of(entry);
	if (c->name[0] != '\0')
		return strcmp(name, c->name) == 0;
	for (size_t i = 0; i < c->labels.n; i++) {
		const char *want = c->labels.items[i], *value = strchr(want, '=');
		char key[256];
		size_t n = value != NULL ? (size_t)(value - want) : strlen(want);
		if (n >= sizeof key)
			return false;
		memcpy(key, want, n);
		key[n] = '\0';
		const struct cJSON *at = cJSON_IsObject(labels) ? cJSON_GetObjectItemCaseSensitive(labels, key) : NULL;
		if (at == NULL || (value != NULL && strcmp(docker_label(labels, key), value + 1) != 0))
			return false;
	}
	return name[0] != '\0' && !is_aside(name);
}

static const char *what_was_meant(struct look *l)
{
	const struct docker_choice *c = &((const struct memory *)l->memory)->choice;
	const char *text = c->name;
	for (size_t i = 0; i < c->labels.n && c->name[0] == '\0'; i++)
		text = arena_printf(l->arena, "%s%s%.200s", text, i > 0 ? ", " : "with label ", c->labels.items[i]);
	return text;
}

/* One that runs before one that does not: but two of a kind are a question. */
static const struct cJSON *choose(struct look *l, const struct cJSON *list, struct why *why)
{
	const struct memory *m = l->memory;
	const struct cJSON *one, *found = NULL;
	int best = -1, n = 0;
	cJSON_ArrayForEach(one, list)
	{
		int rank = strcmp(text_at(one, "State"), "running") == 0;
		if (!is_chosen(&m->choice, one) || !docker_is_id(text_at(one, "Id")) || rank < best)
			continue;
		n = rank > best ? 1 : n + 1;
		best = rank;
		found = one;
	}
	if (found == NULL)
		why_set(why, ERR_NOT_FOUND, "there is no container %.300s on '%s'", what_was_meant(l), l->unit->node);
	if (n > 1)
		why_set(why, ERR_UNSUPPORTED, "%d containers are meant on '%s' (%.200s): name one", n, l->unit->node, what_was_meant(l));
	return n == 1 ? found : NULL;
}

static int newer(const void *a, const void *b)
{
	int64_t x = ((const struct kept *)a)->created_s, y = ((const struct kept *)b)->created_s;
	return (x < y) - (x > y);
}

static bool is_of_run(const struct cJSON *entry, const char *key)
{
	return strcmp(docker_label(cJSON_GetObjectItemCaseSensitive(entry, "Labels"), DOCKER_RUN), key) == 0;
}

/* Put aside by a run of ours, and not called so by a person: what a run made has its label, and so has what replaced the one before. */
static bool is_ours(const struct cJSON *list, const struct cJSON *entry, const char *mark)
{
	static const char before[] = "-before-", failed[] = "-failed-", made[] = "-pitwall-";
	const struct cJSON *one;
	if (strncmp(mark, failed, sizeof failed - 1) == 0 && mark[sizeof failed - 1] != '\0')
		return is_of_run(entry, mark + sizeof failed - 1);
	if (strncmp(mark, made, sizeof made - 1) == 0 && mark[sizeof made - 1] != '\0')
		return is_of_run(entry, mark + sizeof made - 1);
	if (strncmp(mark, before, sizeof before - 1) != 0 || mark[sizeof before - 1] == '\0')
		return false;
	cJSON_ArrayForEach(one, list) if (is_of_run(one, mark + sizeof before - 1)) return true;
	return false;
}

/* NAME-before-KEY, NAME-failed-KEY, and NAME-pitwall-KEY of a run that ended before it came to anything. */
static void take_kept(struct look *l, const struct cJSON *list, const char *name)
{
	struct memory *m = l->memory;
	const struct cJSON *one;
	size_t n = strlen(name);
	int n_looked_at = 0;
	cJSON_ArrayForEach(one, list)
	{
		const char *its = name_of(one), *id = text_at(one, "Id");
		struct why why;
		bool is_one = strncmp(its, name, n) == 0 && is_aside(its + n) && n_looked_at++ < ASIDE_MAX && is_ours(list, one, its + n);
		if (!is_one || !docker_is_id(id) || m->n_kept == DOCKER_KEPT_MAX)
			continue;
		struct kept *k = &m->kept[m->n_kept++];
		const char *image = text_at(one, "ImageID");
		*k = (struct kept){ .id = copy(l->arena, id),
			            .image = docker_is_image_id(image) && its[n + 1] == 'b' ? copy(l->arena, image) : "" };
		if (json_get_i64(one, "Created", 0, INT64_MAX / 1000, &k->created_s, &why) != ERR_OK)
			k->created_s = 0;
	}
	qsort(m->kept, m->n_kept, sizeof m->kept[0], newer);
}

/* Whoever lives in our network lives in that of the old container until it is made anew. */
static void warn_of_guests(struct look *l, const struct cJSON *list, const char *id)
{
	const struct cJSON *one;
	cJSON_ArrayForEach(one, list)
	{
		const char *mode = text_at(cJSON_GetObjectItemCaseSensitive(one, "HostConfig"), "NetworkMode");
		if (strncmp(mode, "container:", 10) == 0 && strcmp(mode + 10, id) == 0)
			found_warn(l, WARNING_SERIOUS,
			           "container %s on '%s' uses the network of this one and has to be made anew afterwards", name_of(one),
			           l->unit->node);
	}
}

static enum look_turn take_list(struct look *l, const struct cJSON *list, struct why *why)
{
	struct memory *m = l->memory;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > CONTAINERS) {
		why_set(why, ERR_FORMAT, "the engine on '%s' does not tell its containers", l->unit->node);
		return LOOK_FAILED;
	}
	const struct cJSON *mine = choose(l, list, why);
	if (mine == NULL)
		return LOOK_FAILED;
	m->id = arena_text(l->arena, text_at(mine, "Id"));
	take_kept(l, list, name_of(mine));
	if (m->id == NULL)
		return LOOK_FAILED;
	warn_of_guests(l, list, m->id);
	return ask(l, LOOK_INSPECT, "containers", m->id, "json", "");
}

/* ---- the container ---- */

static void warn_of_masters(struct look *l, const struct cJSON *labels, const char *name)
{
	static const char *const masters[][2] = { { "com.docker.swarm.service.id", "Swarm" }, { "io.kubernetes.pod.name", "Kubernetes" } };
	for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++)
		if (docker_label(labels, masters[i][0])[0] != '\0')
			found_warn(l, WARNING_FORBIDS, "container %s on '%s' belongs to %s, which would put back its own at once", name,
			           l->unit->node, masters[i][1]);
}

static void warn_of_state(struct look *l, const struct docker_container *c)
{
	const char *node = l->unit->node;
	if (c->removes_itself)
		found_warn(l, WARNING_FORBIDS,
		           "container %s on '%s' was started with --rm: it is removed when it stops, so that there is no way back", c->name,
		           node);
	if (strcmp(c->status, "paused") == 0)
		found_warn(l, WARNING_CARE, "container %s on '%s' is paused", c->name, node);
	else if (!c->is_running)
		found_warn(l, WARNING_CARE, "container %s on '%s' does not run (%s, exit status %lld%s)", c->name, node, c->status,
		           (long long)c->exit_code, c->was_killed ? ", killed for want of memory" : "");
	if (c->restarts > 0)
		found_warn(l, WARNING_NOTE, "container %s on '%s' was started again %lld times by the engine", c->name, node,
		           (long long)c->restarts);
	if (c->health[0] == '\0')
		found_warn(l, WARNING_NOTE,
		           "container %s on '%s' has no healthcheck: that it runs is no proof that it serves, 'ready' can ask it", c->name,
		           node);
}

static void warn_of_variables(struct look *l, const struct cJSON *config)
{
	const struct cJSON *one;
	const char *names = "";
	int n = 0;
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(config, "Env"))
	{
		const char *text = cJSON_IsString(one) ? one->valuestring : "";
		if (n < VARIABLES_SHOWN)
			names = arena_printf(l->arena, "%s%s%.*s", names, n > 0 ? ", " : "",
			                     (int)(strcspn(text, "=") < 100 ? strcspn(text, "=") : 100), text);
		n++;
	}
	if (n > 0)
		found_warn(l, WARNING_NOTE, "its configuration is copied when the new one is created: %d variables (%s%s), not shown", n,
		           names, n > VARIABLES_SHOWN ? ", ..." : "");
}

static void warn_of_compose(struct look *l, const struct docker_container *c)
{
	if (c->project[0] != '\0')
		found_warn(l, WARNING_CARE,
		           "service %s of compose's project %s on '%s' is changed behind compose's back: the next `up` goes back to what "
		           "its file says, and files that came by `configs:` or"
		           " `secrets:` without a bind are not carried over",
		           c->service, c->project, l->unit->node);
}

/* A container that was created by an id has its repository from our label. "chat" alone means "chat:latest"; with a digest it means no tag.
 */
static void take_ref(struct look *l)
{
	struct memory *m = l->memory;
	const char *ref = m->mine.ref;
	bool is_id = docker_is_image_id(ref) || (strspn(ref, "0123456789abcdef") == strlen(ref) && strlen(ref) >= SHORT_ID);
	docker_split(l->arena, ref[0] == '\0' || is_id ? m->mine.known_as : ref, &m->repo, &m->tag);
	if (!is_id && m->repo[0] != '\0' && m->tag[0] == '\0' && strchr(ref, '@') == NULL)
		m->tag = "latest";
}

static enum look_turn take_inspect(struct look *l, const struct cJSON *o, struct why *why)
{
	struct memory *m = l->memory;
	if (!docker_is_bounded(o) || !docker_read(l->arena, o, &m->mine) || strcmp(m->mine.id, m->id) != 0 || l->last->n > INSPECT_MAX) {
		why_set(why, ERR_FORMAT, "the engine on '%s' tells of the container in a form that is not known", l->unit->node);
		return LOOK_FAILED;
	}
	m->inspect = arena_text(l->arena, l->last->text);
	m->hash = docker_config_hash(l->arena, o);
	take_ref(l);
	warn_of_state(l, &m->mine);
	warn_of_masters(l, cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "Config"), "Labels"), m->mine.name);
	warn_of_variables(l, cJSON_GetObjectItemCaseSensitive(o, "Config"));
	warn_of_compose(l, &m->mine);
	return ask(l, LOOK_IMAGE, "images", m->mine.image, "json", "");
}

/* ---- its image ---- */

static enum look_turn take_image(struct look *l, const struct cJSON *image)
{
	struct memory *m = l->memory;
	struct answer kept = { .text = m->inspect, .n = m->inspect != NULL ? strlen(m->inspect) : 0 };
	struct cJSON *inspect = docker_json(&kept),
		     *of_image = inspect != NULL ? docker_of_image(inspect, image) : NULL; /* NULL: memory is short */
	const struct cJSON *tags = cJSON_GetObjectItemCaseSensitive(image, "RepoTags"), *first = cJSON_IsArray(tags) ? tags->child : NULL;
	m->of_image_text = docker_tree_text(l->arena, of_image);
	if (m->repo[0] == '\0' && cJSON_IsString(first) && docker_is_ref(first->valuestring))
		docker_split(l->arena, first->valuestring, &m->repo, &m->tag);
	cJSON_Delete(inspect);
	cJSON_Delete(of_image);
	m->has_image = image != NULL;
	if (image == NULL)
		found_warn(l, WARNING_SERIOUS,
		           "the image of container %s is gone from '%s': what it set by itself can't be told from what whoever created the "
		           "container set, so all is carried over",
		           m->mine.name, l->unit->node);
	return ask(l, LOOK_IMAGES, "images", "json", NULL, "");
}

/* ---- versions ---- */

struct candidate {
	const char *id, *tag, *digest;
	int64_t     created_s;
	int         rank; /* 0 runs, 1 ran and is kept, 2 was before that by a label, 3 is there */
};

static int by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return (x->created_s < y->created_s) - (x->created_s > y->created_s);
}

static int rank_of(const struct memory *m, const char *id, int64_t *since_s)
{
	if (strcmp(id, m->mine.image) == 0)
		return 0;
	for (size_t i = 0; i < m->n_kept; i++)
		if (strcmp(id, m->kept[i].image) == 0) {
			*since_s = m->kept[i].created_s;
			return 1;
		}
	return strcmp(id, m->mine.previous) == 0 ? 2 : 3;
}

/* The reference of a list that is of the repository. `mark`: what parts it, ':' or '@'. */
static const char *of_repo(struct arena *a, const struct cJSON *list, const char *repo, char mark, const char *wanted)
{
	const struct cJSON *one;
	const char *found = "";
	size_t n = strlen(repo);
	cJSON_ArrayForEach(one, list)
	{
		const char *text = cJSON_IsString(one) && one->valuestring != NULL ? one->valuestring : "";
		if (n == 0 || !docker_is_ref(text) || strncmp(text, repo, n) != 0 || text[n] != mark)
			continue;
		if (found[0] == '\0' || strcmp(text + n + 1, wanted) == 0)
			found = copy(a, text);
	}
	return found;
}

static size_t collect(struct look *l, const struct cJSON *list, struct candidate *to)
{
	const struct memory *m = l->memory;
	const struct cJSON *one;
	size_t n = 0;
	cJSON_ArrayForEach(one, list)
	{
		const char *id = text_at(one, "Id");
		struct why why;
		if (!docker_is_image_id(id) || n == CANDIDATES)
			continue;
		struct candidate c = { .id = id };
		c.tag = of_repo(l->arena, cJSON_GetObjectItemCaseSensitive(one, "RepoTags"), m->repo, ':', m->tag);
		c.digest = of_repo(l->arena, cJSON_GetObjectItemCaseSensitive(one, "RepoDigests"), m->repo, '@', "");
		if (json_get_i64(one, "Created", 0, INT64_MAX / 1000, &c.created_s, &why) != ERR_OK)
			c.created_s = 0;
		c.rank = rank_of(m, id, &c.created_s);
		if (c.rank < 3 || c.tag[0] != '\0' || c.digest[0] != '\0')
			to[n++] = c;
	}
	qsort(to, n, sizeof to[0], by_rank);
	return n;
}

static void fill(struct look *l, struct version *v, const struct candidate *c)
{
	struct memory *m = l->memory;
	const char *repo, *tag;
	docker_split(l->arena, c->tag, &repo, &tag);
	v->id = copy(l->arena, c->id);
	v->tag = tag;
	v->name = tag[0] != '\0' ? tag : arena_printf(l->arena, "%.*s", SHORT_ID, c->id + 7);
	v->image = c->tag[0] != '\0' && c->digest[0] != '\0' ? arena_printf(l->arena, "%s%s", c->tag, strchr(c->digest, '@'))
	           : c->tag[0] != '\0'                       ? c->tag
	                                                     : c->digest;
	if (v->image[0] == '\0')
		v->image = v->id;
	v->config_hash = m->hash;
	v->cause = c->rank == 1   ? "ran here before, and its container is kept"
	           : c->rank == 2 ? "ran here before"
	           : c->rank == 3 ? "is there; whether it ever ran here is not known"
	                          : "";
	v->since_ms = c->rank == 0 ? (m->mine.is_running ? m->mine.started_ms : 0) : c->rank == 1 ? c->created_s * 1000 : 0;
	v->is_running = c->rank == 0;
	v->is_present = true;
	v->data = c->tag; /* what it can be created by, as long as that means it */
}

static void take_images(struct look *l, const struct cJSON *list)
{
	struct memory *m = l->memory;
	struct candidate *all = arena_zeroed(l->arena, CANDIDATES, sizeof *all);
	size_t n = all != NULL ? collect(l, list, all) : 0;
	if (all != NULL && (n == 0 || all[0].rank != 0)) { /* its image is gone; it runs none the less */
		memmove(all + 1, all, (n < CANDIDATES - 1 ? n : CANDIDATES - 1) * sizeof *all);
		all[0] = (struct candidate){ .id = m->mine.image, .tag = "", .digest = "" };
		n = n < CANDIDATES ? n + 1 : n;
	}
	for (size_t i = 0; i < n; i++) {
		struct version *v = found_version(l);
		if (v == NULL)
			break;
		fill(l, v, &all[i]);
		if (i == 0 && !m->has_image)
			v->is_present = false;
	}
	if (n > 0 && m->has_image && m->tag[0] != '\0' && all[0].tag[0] == '\0')
		found_warn(l, WARNING_CARE, "tag %s of %s means another image on '%s' by now than the one that runs", m->tag, m->repo,
		           l->unit->node);
}

/* ---- what is handed on ---- */

static bool put(struct cJSON *to, const char *key, struct cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(to, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static struct cJSON *kept_ids(const struct memory *m)
{
	struct cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < m->n_kept && list != NULL; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(m->kept[i].id));
	return list;
}

static const char *before(struct look *l)
{
	const struct memory *m = l->memory;
	const struct answer kept = { .text = m->inspect, .n = m->inspect != NULL ? strlen(m->inspect) : 0 };
	const struct answer own = { .text = m->of_image_text, .n = strlen(m->of_image_text) };
	struct cJSON *o = cJSON_CreateObject(), *inspect = docker_json(&kept);
	const char *known = m->tag[0] != '\0' ? arena_printf(l->arena, "%s:%s", m->repo, m->tag) : m->repo;
	bool ok = o != NULL && inspect != NULL && put(o, "api", cJSON_CreateNumber(m->api)) &&
	          put(o, "id", cJSON_CreateString(m->mine.id)) && put(o, "name", cJSON_CreateString(m->mine.name)) &&
	          put(o, "image", cJSON_CreateString(m->mine.image)) && put(o, "ref", cJSON_CreateString(known)) &&
	          put(o, "policy", cJSON_CreateString(m->mine.policy)) &&
	          put(o, "retries", cJSON_CreateNumber((double)m->mine.policy_retries)) &&
	          put(o, "stop_s", cJSON_CreateNumber((double)m->mine.stop_s)) && put(o, "running", cJSON_CreateBool(m->mine.is_running)) &&
	          put(o, "of_image", docker_json(&own)) && put(o, "networks", docker_further_networks(inspect)) &&
	          put(o, "kept", kept_ids(m));
	const char *text = ok ? docker_tree_text(l->arena, o) : "";
	if (!ok)
		l->arena->failed = true;
	cJSON_Delete(o);
	cJSON_Delete(inspect);
	return text;
}

static enum look_turn finish(struct look *l)
{
	const struct memory *m = l->memory;
	l->found.is_ready = m->mine.is_running && (m->mine.health[0] == '\0' || strcmp(m->mine.health, "healthy") == 0);
	l->found.before = before(l);
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

/* ---- turns ---- */

static enum look_turn begin(struct look *l, const struct docker_choice *c, struct why *why)
{
	struct memory *m = arena_zeroed(l->arena, 1, sizeof *m);
	if (m == NULL) {
		why_memory(why);
		return LOOK_FAILED;
	}
	m->choice = *c;
	m->repo = m->tag = m->hash = m->of_image_text = "";
	l->memory = m;
	return ask(l, LOOK_VERSION, "version", NULL, NULL, "");
}

static enum look_turn take(struct look *l, const struct cJSON *o, struct why *why)
{
	switch (l->at) {
	case LOOK_VERSION:
		if (take_version(l, o))
			return ask(l, LOOK_LIST, "containers", "json", NULL, "all=1");
		why_set(why, ERR_UNSUPPORTED, "what answers at the socket on '%s' is no engine with a Docker API", l->unit->node);
		return LOOK_FAILED;
	case LOOK_LIST:
		return take_list(l, o, why);
	case LOOK_INSPECT:
		return take_inspect(l, o, why);
	case LOOK_IMAGE:
		if (docker_is_bounded(o))
			return take_image(l, o);
		why_set(why, ERR_LIMIT, "the engine on '%s' tells too much of the image", l->unit->node);
		return LOOK_FAILED;
	default:
		take_images(l, o);
		return finish(l);
	}
}

static enum look_turn go_on(struct look *l, struct why *why)
{
	const struct answer *a = l->last;
	char said[200];
	if (a->err != ERR_OK) {
		why_set(why, a->err, "the engine on '%s' cannot be asked: %s", l->unit->node, a->why);
		return LOOK_FAILED;
	}
	bool is_gone = l->at == LOOK_IMAGE && a->status == 404;
	struct cJSON *o = a->status == 200 ? docker_json(a) : NULL;
	if (o == NULL && !is_gone) {
		docker_message(a, said, sizeof said);
		why_set(why, a->status == 404 ? ERR_NOT_FOUND : ERR_UNSUPPORTED, "the engine on '%s' answers with status %d%s: %s",
		        l->unit->node, a->status, a->is_cut ? ", too long" : "", said);
		return LOOK_FAILED;
	}
	enum look_turn turn = take(l, o, why);
	cJSON_Delete(o);
	return turn;
}

enum look_turn docker_look(struct look *l, const struct docker_choice *c, struct why *why)
{
	enum look_turn turn = l->last == NULL ? begin(l, c, why) : go_on(l, why);
	if (turn == LOOK_FAILED && arena_failed(l->arena))
		why_memory(why);
	return turn;
}
