/* SPDX-License-Identifier: Apache-2.0
 *
 * The top of the fleet file, and the life of a fleet: found, read, watched, made again. */
#include "config/fleet.h"

#include "base/slurp.h"
#include "config/fleet_build.h"
#include "config/keys.h"
#include "config/roles.h"
#include "config/words.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MODELS_MAX = 4096, HOUR_MS = 3600 * 1000 };
#define DAY_MS         (INT64_C(24) * HOUR_MS)
#define KEEP_BYTES_MIN (INT64_C(16) << 20)
#define KEEP_BYTES_MAX (INT64_C(64) << 40)

/* ---- the mappings at the top ---- */

static void read_word(struct build *b, const struct yaml_node *map, const char *key, const char **out)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, key, &text))
		return;
	if (!is_clean(text))
		yaml_error(b->y, node, "'%s' holds control characters", key);
	else
		*out = keep(b, arena_text(b->arena, text));
}

static void read_path(struct build *b, const struct yaml_node *map, const char *key, const char **out)
{
	read_word(b, map, key, out);
	if (b->err == ERR_OK && (*out)[0] != '\0')
		*out = keep(b, path_from(b->arena, b->folder, *out));
}

static void read_model(struct build *b, const struct yaml_node *item)
{
	struct fleet *f = b->fleet;
	struct fleet_model model = { .name = "", .title = "", .owner = "", .runbook = "" };
	if (!yaml_is_map(b->y, item, "models"))
		return;
	keys_check(b->y, item, KEYS_MODEL);
	const struct yaml_node *name = yaml_get(item, "name");
	if (name == NULL) {
		yaml_error(b->y, item, "a model needs a 'name'");
		return;
	}
	read_word(b, item, "name", &model.name);
	read_word(b, item, "title", &model.title);
	read_word(b, item, "owner", &model.owner);
	read_word(b, item, "runbook", &model.runbook);
	for (size_t i = 0; i < f->n_models && b->err == ERR_OK; i++) {
		if (strcmp(f->models[i].name, model.name) == 0) {
			yaml_error(b->y, name, "model '%s' is here twice", model.name);
			return;
		}
	}
	if (b->err == ERR_OK)
		f->models[f->n_models++] = model;
	if (b->err == ERR_OK)
		(void)deploy_read(b, item, NULL, model.name);
}

static void read_models(struct build *b, const struct yaml_node *list)
{
	if (!yaml_is_list(b->y, list, "models"))
		return;
	if (list->n > MODELS_MAX) {
		yaml_error(b->y, list, "more than %d models", MODELS_MAX);
		return;
	}
	b->fleet->models = keep(b, arena_zeroed(b->arena, list->n, sizeof *b->fleet->models));
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++)
		read_model(b, list->items[i]);
}

static void read_keep(struct build *b, const struct yaml_node *map)
{
	struct fleet_keeping *k = &b->fleet->keep;
	const struct yaml_node *node;
	if (!yaml_is_map(b->y, map, "keep"))
		return;
	keys_check(b->y, map, KEYS_KEEP);
	if ((node = yaml_get(map, "samples")) != NULL)
		yaml_duration(b->y, node, "samples", HOUR_MS, 3650 * DAY_MS, &k->samples_ms);
	if ((node = yaml_get(map, "rollups")) != NULL)
		yaml_duration(b->y, node, "rollups", HOUR_MS, 3650 * DAY_MS, &k->rollups_ms);
	if ((node = yaml_get(map, "events")) != NULL)
		yaml_duration(b->y, node, "events", HOUR_MS, 3650 * DAY_MS, &k->events_ms);
	if ((node = yaml_get(map, "size")) != NULL)
		yaml_bytes(b->y, node, "size", KEEP_BYTES_MIN, KEEP_BYTES_MAX, &k->bytes);
}

static void read_attention(struct build *b, const struct yaml_node *node)
{
	static const char *const words[] = { [FLEET_ATTENTION_BELL] = "bell", [FLEET_ATTENTION_OSC] = "osc", [FLEET_ATTENTION_OFF] = "off" };
	const char *text;
	if (!yaml_text(b->y, node, "attention", &text))
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], text) == 0) {
			b->fleet->attention = (enum fleet_attention)i;
			return;
		}
	}
	yaml_error(b->y, node, "'attention' must be bell, osc or off, not '%.60s'", text);
}

static void read_hangup(struct build *b, const struct yaml_node *node)
{
	static const char *const words[] = { [FLEET_HANGUP_FINISH] = "finish", [FLEET_HANGUP_RECORD] = "record", [FLEET_HANGUP_INTERRUPT] = "interrupt" };
	const char *text;
	if (!yaml_text(b->y, node, "on_hangup", &text))
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], text) == 0) {
			b->fleet->on_hangup = (enum fleet_hangup)i;
			return;
		}
	}
	yaml_error(b->y, node, "'on_hangup' must be finish, record or interrupt, not '%.60s'", text);
}

/* ---- rules ---- */

struct rules {
	struct build *b;
	const char  **paths;
	size_t        n, cap;
};

static enum err add_rule(const char *path, void *arg)
{
	struct rules *r = arg;
	struct build *b = r->b;
	struct kept_file *file;
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->paths[i], path) == 0)
			return ERR_OK;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 16 : r->cap * 2;
		const char **paths = keep(b, arena_zeroed(b->arena, cap, sizeof *paths));
		if (paths == NULL)
			return ERR_MEMORY;
		if (r->n > 0)
			memcpy(paths, r->paths, r->n * sizeof *paths);
		r->paths = paths;
		r->cap = cap;
	}
	r->paths[r->n] = keep(b, arena_text(b->arena, path));
	if (r->paths[r->n] == NULL || files_add(b->fleet->files, path, &file) != ERR_OK)
		return ERR_MEMORY;
	r->n++;
	return ERR_OK;
}

static void read_rules(struct build *b, const struct yaml_node *list)
{
	struct rules r = { .b = b };
	if (!yaml_is_list(b->y, list, "rules"))
		return;
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++) {
		const char *text;
		size_t n;
		if (!yaml_text(b->y, list->items[i], "rules", &text))
			continue;
		char *pattern = keep(b, path_from(b->arena, b->folder, text));
		if (pattern == NULL || files_glob(b->fleet->files, pattern, add_rule, &r, &n) != ERR_OK)
			b->err = ERR_MEMORY;
		else if (n == 0 && !is_pattern(pattern))
			yaml_error(b->y, list->items[i], "there is no rule file '%s'", pattern);
		else if (n == 0)
			yaml_warning(b->y, list->items[i], "no rule file is there for '%s' yet", pattern);
	}
	b->fleet->rules = r.paths;
	b->fleet->n_rules = r.n;
}

static void read_top(struct build *b)
{
	const struct yaml_node *top = yaml_root(b->y);
	struct settings defaults = { 0 };
	if (top->kind != YAML_MAP) {
		yaml_error(b->y, top, "a fleet file is a mapping with 'groups'");
		return;
	}
	keys_check(b->y, top, KEYS_TOP);
	read_word(b, top, "fleet", &b->fleet->name);
	const struct yaml_node *node = yaml_get(top, "defaults");
	if (!yaml_is_null(node) && yaml_is_map(b->y, node, "defaults")) {
		keys_check(b->y, node, KEYS_DEFAULTS);
		inherited_read(b, node, &defaults);
	}
	node = yaml_get(top, "groups");
	if (node != NULL)
		groups_read(b, node, &defaults);
	else
		yaml_error(b->y, top, "a fleet file needs 'groups'");
	if ((node = yaml_get(top, "models")) != NULL)
		read_models(b, node);
	if ((node = yaml_get(top, "slo")) != NULL)
		slos_read(b, node);
	if ((node = yaml_get(top, "rules")) != NULL)
		read_rules(b, node);
	alerting_read(b, yaml_get(top, "alerts"), defaults.interval_ms);
	if ((node = yaml_get(top, "receivers")) != NULL)
		receivers_read(b, node);
	if ((node = yaml_get(top, "alertmanagers")) != NULL)
		alertmanagers_read(b, node);
	if ((node = yaml_get(top, "keep")) != NULL)
		read_keep(b, node);
	if ((node = yaml_get(top, "roles")) != NULL)
		b->fleet->roles = keep(b, roles_read(b->arena, b->y, node));
	read_path(b, top, "store", &b->fleet->store);
	if ((node = yaml_get(top, "attention")) != NULL)
		read_attention(b, node);
	if ((node = yaml_get(top, "on_hangup")) != NULL)
		read_hangup(b, node);
	read_word(b, top, "theme", &b->fleet->theme);
	read_path(b, top, "keys", &b->fleet->keys);
}

/* ---- making a fleet ---- */

struct fleet *fleet_new(void)
{
	struct fleet *f = calloc(1, sizeof *f);
	struct fleet_files *files = calloc(1, sizeof *files);
	if (f == NULL || files == NULL) {
		free(f);
		free(files);
		return NULL;
	}
	arena_init(&files->arena);
	buf_init(&files->text, YAML_BYTES_MAX + 64 * 1024);
	f->files = files;
	f->name = f->path = f->store = f->theme = f->keys = "";
	f->keep = (struct fleet_keeping){ .samples_ms = FLEET_SAMPLES_DAYS * DAY_MS, .events_ms = FLEET_EVENTS_DAYS * DAY_MS,
	                                  .rollups_ms = FLEET_ROLLUPS_DAYS * DAY_MS };
	return f;
}

void fleet_free(struct fleet *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n_targets; i++)
		labels_unref(f->targets[i].labels);
	receivers_release(f);
	free(f->targets);
	free(f->groups);
	free(f->deploys);
	alerting_release(&f->alerting);
	files_free(f->files);
	free(f);
}

/* What is to be read: a file's text or text from memory. */
struct source {
	const char         *text;
	size_t              n;
	const char         *name; /* as diagnostics shall show it */
	const char         *path; /* absolute, or "" for text from memory */
	const struct fleet *old;
};

/* Reads the source into b->fleet. ERR_FORMAT: it has mistakes. */
static enum err read_source(struct build *b, const struct source *from)
{
	size_t errors = b->d->n_errors;
	struct yaml *y;
	enum err e = yaml_parse(from->text, from->n, from->name, b->d, &y);
	if (e == ERR_MEMORY)
		return e;
	if (e != ERR_OK)
		return ERR_FORMAT;
	b->y = b->fleet_y = y;
	b->folder = keep(b, folder_of(b->arena, from->path[0] != '\0' ? from->path : from->name));
	b->fleet->path = keep(b, arena_text(b->arena, from->path));
	if (b->err == ERR_OK)
		read_top(b);
	if (b->err == ERR_OK)
		targets_check(b);
	if (b->d->err == ERR_MEMORY)
		b->err = ERR_MEMORY;
	yaml_discard(y);
	if (b->err == ERR_OK && b->d->n_errors - errors > b->outside_errors)
		return ERR_FORMAT;
	return b->err == ERR_LIMIT ? ERR_FORMAT : b->err;
}

static enum err make(const struct source *from, const struct profiles *p, struct diagnostics *d, struct fleet **out)
{
	struct fleet *f = fleet_new();
	if (f == NULL)
		return ERR_MEMORY;
	struct build b = { .arena = &f->files->arena, .profiles = p, .old = from->old, .d = d, .fleet = f };
	enum err e = read_source(&b, from);
	free(b.origins);
	diagnostics_sort(d);
	f->files->name = strdup(from->name);
	if (e == ERR_OK && (f->files->name == NULL || buf_put(&f->files->text, from->text, from->n) != ERR_OK))
		e = ERR_MEMORY;
	f->files->is_in_memory = from->path[0] == '\0';
	if (e == ERR_OK)
		*out = f;
	else
		fleet_free(f);
	return e;
}

/* `why` for what make() or reading came to. */
static enum err explain(enum err e, const struct diagnostics *d, struct why *why)
{
	return e == ERR_OK ? e : e == ERR_MEMORY ? why_memory(why) : diagnostics_why(d, e, why);
}

enum err fleet_parse(const char *text, size_t n, const char *name, const struct profiles *p, struct diagnostics *d, struct fleet **out,
                     struct why *why)
{
	struct diagnostics own;
	diagnostics_init(&own);
	d = d != NULL ? d : &own;
	struct source from = { .text = text, .n = n, .name = name, .path = "" };
	enum err e = explain(make(&from, p, d, out), d, why);
	diagnostics_release(&own);
	return e;
}

/* The fleet file goes to the front of the watched files, with the stamp of what was read. */
static enum err watch_fleet_file(struct fleet *f, const char *path, const struct stat *st)
{
	struct kept_file *file;
	if (files_add(f->files, path, &file) != ERR_OK)
		return ERR_MEMORY;
	file->stamp = stamp_of(st);
	return ERR_OK;
}

/* Reads and makes; `old` as in make(). */
static enum err read_file(const char *path, const char *name, const struct fleet *old, const struct profiles *p, struct diagnostics *d,
                          struct fleet **out)
{
	struct buf text;
	struct stat st;
	struct why why;
	struct fleet *f = NULL;
	buf_init(&text, YAML_BYTES_MAX + 64 * 1024);
	enum err e = slurp(path, YAML_BYTES_MAX, &text, &st, &why);
	if (e != ERR_OK) {
		diagnostics_add(d, DIAGNOSTIC_ERROR, name, 0, 0, "%s", why.text);
		goto out;
	}
	struct source from = { .text = buf_text(&text), .n = text.len, .name = name, .path = path, .old = old };
	e = make(&from, p, d, &f);
	if (e == ERR_OK)
		e = watch_fleet_file(f, path, &st);
	if (e == ERR_OK) {
		*out = f;
		f = NULL;
	}
out:
	fleet_free(f);
	buf_release(&text);
	return e;
}

enum err fleet_read(const char *path, const struct profiles *p, struct diagnostics *d, struct fleet **out, struct why *why)
{
	struct diagnostics own;
	diagnostics_init(&own);
	d = d != NULL ? d : &own;
	char *absolute = realpath(path, NULL);
	enum err e = ERR_OK;
	if (absolute == NULL && errno == ENOMEM)
		e = why_memory(why);
	else
		e = explain(read_file(absolute != NULL ? absolute : path, path, NULL, p, d, out), d, why);
	free(absolute);
	diagnostics_release(&own);
	return e;
}

bool fleet_has_changed(const struct fleet *f)
{
	return files_have_changed(f->files);
}

/* Of the text as it last was good. The fleet file's present stamp is taken, so that its mistakes are reported once. */
static enum err make_from_kept(const struct fleet *old, const struct profiles *p, struct diagnostics *d, struct fleet **out)
{
	struct kept_file *file;
	struct source from = {
		.text = buf_text(&old->files->text),
		.n = old->files->text.len,
		.name = old->files->name,
		.path = old->path,
		.old = old,
	};
	enum err e = make(&from, p, d, out);
	if (e == ERR_OK && old->path[0] != '\0' && files_add((*out)->files, old->path, &file) != ERR_OK) {
		fleet_free(*out);
		*out = NULL;
		e = ERR_MEMORY;
	}
	return e;
}

enum err fleet_refresh(const struct fleet *old, const struct profiles *p, struct diagnostics *d, struct fleet **out, struct why *why)
{
	struct diagnostics own;
	struct fleet *f = NULL;
	enum err e = ERR_FORMAT;
	if (old->files->name == NULL)
		return why_set(why, ERR_UNSUPPORTED, "this fleet comes from no file");
	diagnostics_init(&own);
	d = d != NULL ? d : &own;
	if (!old->files->is_in_memory)
		e = read_file(old->path, old->files->name, old, p, d, &f);
	if (e != ERR_OK && e != ERR_MEMORY)
		e = make_from_kept(old, p, d, &f);
	if (e == ERR_OK)
		*out = f;
	else
		explain(e, d, why);
	diagnostics_release(&own);
	return e;
}

/* ---- finding the file ---- */

static enum err take_path(const char *path, char **out, struct why *why)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return why_memory(why);
	*out = copy;
	return ERR_OK;
}

enum err fleet_find(const char *given, char **path, struct why *why)
{
	static const char system_wide[] = "/etc/pitwall/fleet.yml";
	const char *environment = getenv("PITWALL_CONFIG");
	const char *named = given != NULL ? given : environment != NULL && environment[0] != '\0' ? environment : NULL;
	if (named != NULL && access(named, F_OK) != 0)
		return why_errno(why, errno, "cannot open fleet file '%s' (from %s)", named, given != NULL ? "--config" : "PITWALL_CONFIG");
	if (named != NULL)
		return take_path(named, path, why);
	char *own = user_config_path("fleet.yml");
	enum err e = ERR_NOT_FOUND;
	if (own != NULL && access(own, F_OK) == 0)
		e = take_path(own, path, why);
	else if (access(system_wide, F_OK) == 0)
		e = take_path(system_wide, path, why);
	else
		why_set(why, e, "no fleet file: neither '%s' nor '%s' is there", own != NULL ? own : "~/.config/pitwall/fleet.yml", system_wide);
	free(own);
	return e;
}

enum err fleet_url_with_path(const char *url, const char *path, struct buf *to)
{
	const char *authority = strstr(url, "://");
	assert(authority != NULL && path[0] == '/');
	authority += 3;
	buf_put(to, url, (size_t)(authority - url) + strcspn(authority, "/?#"));
	return buf_puts(to, path);
}
