/* SPDX-License-Identifier: Apache-2.0
 *
 * Target files as Prometheus' file_sd reads them: a list of { targets: [ host:port ], labels: { ... } } in JSON or YAML, each file taken
 * whole or not at all. Labels that begin with "__" steer (scheme, path, interval, timeout, parameters) or are dropped.
 * Source: Prometheus, discovery/file and the documentation of <file_sd_config>. */
#include "config/fleet_build.h"

#include "base/num.h"
#include "base/slurp.h"
#include "config/words.h"

#include <string.h>

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text), m = strlen(tail);
	return n >= m && strcmp(text + n - m, tail) == 0;
}

/* In JSON a string has quotes. */
static bool read_string(struct build *b, const struct yaml_node *node, const char *what, const char **out)
{
	if (node->is_plain && ends_with(yaml_file(b->y), ".json")) {
		yaml_error(b->y, node, "'%s' must be a string in double quotes", what);
		return false;
	}
	return yaml_text(b->y, node, what, out);
}

struct query { /* the __param_NAME labels */
	struct buf text;
};

static void add_parameter(struct query *q, const char *name, const char *value)
{
	buf_putc(&q->text, q->text.len == 0 ? '?' : '&');
	buf_puts(&q->text, name);
	buf_putc(&q->text, '=');
	for (const char *p = value; *p != '\0'; p++) {
		bool is_bare = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~", *p) != NULL;
		buf_printf(&q->text, is_bare ? "%c" : "%%%02X", (unsigned char)*p);
	}
}

static void read_duration(struct build *b, const struct yaml_node *node, int64_t *out_ms)
{
	(void)yaml_duration(b->y, node, "a scrape duration", FLEET_INTERVAL_MIN_MS, FLEET_INTERVAL_MAX_MS, out_ms);
}

/* A label that begins with "__". */
static void steer(struct build *b, const char *name, const struct yaml_node *node, const char *value, struct settings *s, struct query *q)
{
	if (strcmp(name, "__scheme__") == 0) {
		if (strcmp(value, "http") == 0 || strcmp(value, "https") == 0)
			s->scheme = value[4] == 's' ? "https" : "http";
		else
			yaml_error(b->y, node, "'__scheme__' must be http or https");
	} else if (strcmp(name, "__metrics_path__") == 0) {
		if (is_url_path(value))
			s->path = keep(b, arena_text(b->arena, value));
		else
			yaml_error(b->y, node, "'__metrics_path__' must begin with '/' and hold nothing that a URL cannot");
	} else if (strcmp(name, "__scrape_interval__") == 0) {
		read_duration(b, node, &s->interval_ms);
	} else if (strcmp(name, "__scrape_timeout__") == 0) {
		read_duration(b, node, &s->timeout_ms);
	} else if (strncmp(name, "__param_", 8) == 0) {
		add_parameter(q, name + 8, value);
	}
}

static void read_label(struct build *b, const struct yaml_node *key, const struct yaml_node *node, struct settings *s, struct query *q,
                       const char **node_name)
{
	const char *name = key->text, *value = "";
	struct yaml_node exported = *key;
	if (!is_label_name(name)) {
		yaml_error(b->y, key, "'%.60s' is no label name", name);
		return;
	}
	if ((!yaml_is_null(node) && !read_string(b, node, name, &value)))
		return;
	if (strncmp(name, "__", 2) == 0) {
		steer(b, name, node, value, s, q);
		return;
	}
	if (strcmp(name, "job") == 0) {
		s->job = keep(b, arena_text(b->arena, value));
	} else if (strcmp(name, "model") == 0) {
		s->model = keep(b, arena_text(b->arena, value));
	} else if (strcmp(name, "node") == 0) {
		*node_name = value;
	} else if (strcmp(name, "profile") == 0 && profiles_find(b->profiles, value) != NULL) {
		s->profile = keep(b, arena_text(b->arena, value));
	} else {
		if (strcmp(name, "profile") == 0 || strcmp(name, "group") == 0) /* ours mean something else: as with honor_labels: false */
			exported.text = name[0] == 'p' ? "exported_profile" : "exported_group";
		settings_label(b, s, &exported, node);
	}
}

static bool check_keys(struct build *b, const struct yaml_node *item)
{
	static const char *const known[] = { "targets", "labels" };
	return yaml_is_map(b->y, item, "a target group") && yaml_check_keys(b->y, item, known, sizeof known / sizeof *known);
}

static void read_targets(struct build *b, const struct yaml_node *list, const char *group, const char *node, const struct settings *s)
{
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++) {
		const char *text;
		struct place place;
		if (!read_string(b, list->items[i], "targets", &text))
			continue;
		if (strchr(text, '/') != NULL)
			yaml_error(b->y, list->items[i], "'%.100s' must be host:port; scheme and path are the labels __scheme__ and __metrics_path__", text);
		else if (place_read(b, list->items[i], text, &place))
			target_add(b, group, node != NULL ? node : place.host, &place, s, list->items[i]);
	}
}

/* The query of the parameters goes behind the path. */
static void set_path(struct build *b, const struct yaml_node *labels, struct settings *s, struct query *q)
{
	if (q->text.len == 0 && q->text.err == ERR_OK)
		return;
	const struct profile *profile = s->profile != NULL ? profiles_find(b->profiles, s->profile) : NULL;
	struct buf path;
	buf_init(&path, 8192);
	buf_puts(&path, s->path != NULL ? s->path : profile != NULL ? profile->head.path : "/metrics");
	buf_puts(&path, buf_text(&q->text));
	enum err e = q->text.err != ERR_OK ? q->text.err : path.err;
	if (e == ERR_MEMORY)
		b->err = e;
	else if (e != ERR_OK)
		yaml_error(b->y, labels, "the path with its parameters is too long");
	else
		s->path = keep(b, arena_text(b->arena, buf_text(&path)));
	buf_release(&path);
}

static void read_item(struct build *b, const struct yaml_node *item, const char *group, const struct settings *outer)
{
	struct settings s = *outer;
	const struct yaml_node *labels, *targets;
	const char *node = NULL;
	struct query q;
	if (!check_keys(b, item))
		return;
	buf_init(&q.text, 4096);
	labels = yaml_get(item, "labels");
	targets = yaml_get(item, "targets");
	if (!yaml_is_null(labels) && yaml_is_map(b->y, labels, "labels")) {
		for (size_t i = 0; i < labels->n && b->err == ERR_OK; i++)
			read_label(b, labels->keys[i], labels->items[i], &s, &q, &node);
	}
	set_path(b, labels, &s, &q);
	buf_release(&q.text);
	if (!yaml_is_null(targets) && yaml_is_list(b->y, targets, "targets"))
		read_targets(b, targets, group, node, &s);
}

void target_file_parse(struct build *b, const struct yaml *y, const char *group, const struct settings *s)
{
	const struct yaml *outer = b->y;
	const struct yaml_node *root = yaml_root(y);
	b->y = y;
	if (yaml_is_null(root))
		root = NULL; /* an empty file: no targets */
	else if (root->kind != YAML_LIST)
		yaml_error(y, root, "a target file is a list of { targets: [ ... ], labels: { ... } }");
	for (size_t i = 0; root != NULL && root->kind == YAML_LIST && i < root->n && b->err == ERR_OK; i++)
		read_item(b, root->items[i], group, s);
	b->y = outer;
}

/* ---- files ---- */

struct reading {
	struct build          *b;
	const char            *group;
	const struct settings *s;
};

/* All of the text's targets, or none and false. */
static bool take_text(struct reading *r, const char *path, const char *text, size_t n, struct diagnostics *d)
{
	struct build *b = r->b;
	size_t errors = d->n_errors, targets = b->fleet->n_targets;
	struct yaml *y = NULL;
	if (yaml_parse(text, n, path, d, &y) == ERR_OK)
		target_file_parse(b, y, r->group, r->s);
	if (d->err == ERR_MEMORY)
		b->err = ERR_MEMORY;
	if (d->n_errors != errors || y == NULL)
		targets_cut(b, targets);
	bool is_good = d->n_errors == errors && y != NULL;
	yaml_discard(y);
	return is_good;
}

/* The file is broken: what it said when it was good, if it ever was. */
static void take_old(struct reading *r, const char *path, struct kept_file *file)
{
	struct diagnostics ignored;
	const struct kept_file *old = r->b->old != NULL ? files_find(r->b->old->files, path) : NULL;
	if (old == NULL || !old->is_kept || r->b->err != ERR_OK)
		return;
	diagnostics_init(&ignored);
	if (take_text(r, path, buf_text(&old->good), old->good.len, &ignored)) {
		file->is_kept = buf_put(&file->good, old->good.data, old->good.len) == ERR_OK;
		if (!file->is_kept)
			r->b->err = ERR_MEMORY;
	}
	diagnostics_release(&ignored);
}

static enum err take_file(const char *path, void *arg)
{
	struct reading *r = arg;
	struct build *b = r->b;
	struct kept_file *file;
	struct stat st;
	struct why why;
	size_t errors = b->d->n_errors;
	if (files_add(b->fleet->files, path, &file) != ERR_OK)
		return ERR_MEMORY;
	enum err e = slurp(path, YAML_BYTES_MAX, &file->good, &st, &why);
	if (e == ERR_OK) {
		file->stamp = stamp_of(&st);
		file->is_kept = take_text(r, path, buf_text(&file->good), file->good.len, b->d);
	} else if (e == ERR_MEMORY) {
		b->err = e;
	} else {
		diagnostics_add(b->d, DIAGNOSTIC_ERROR, path, 0, 0, "%s", why.text);
	}
	b->outside_errors += b->d->n_errors - errors;
	if (!file->is_kept) {
		buf_release(&file->good);
		take_old(r, path, file);
	}
	return b->err;
}

void target_files_read(struct build *b, const struct yaml_node *at, const char *pattern, const char *group, const struct settings *s)
{
	struct reading r = { .b = b, .group = group, .s = s };
	size_t n;
	if (!ends_with(pattern, ".json") && !ends_with(pattern, ".yml") && !ends_with(pattern, ".yaml")) {
		yaml_error(b->y, at, "a target file's name must end in .json, .yml or .yaml");
		return;
	}
	enum err e = files_glob(b->fleet->files, pattern, take_file, &r, &n);
	if (e != ERR_OK && b->err == ERR_OK)
		b->err = e;
	if (e == ERR_OK && n == 0)
		yaml_warning(b->y, at, "no file is there for '%s' yet", pattern);
}
