/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings that an inner mapping takes over from the outer ones: each level copies the outer struct and lays its own keys over it. */
#include "config/fleet_build.h"

#include "config/words.h"

#include <string.h>

enum { LABELS_MAX = 64, VALUE_MAX = 1024 };

void *keep(struct build *b, void *p)
{
	if (p == NULL)
		b->err = ERR_MEMORY;
	return p;
}

/* Labels that have keys of their own, or that pitwall itself sets. */
static const struct {
	const char *label, *instead;
} taken[] = {
	{ "job", "the key 'job'" },
	{ "model", "the key 'model'" },
	{ "profile", "the key 'profile'" },
	{ "node", "the node's name" },
	{ "group", "the group's name" },
	{ "instance", "the target's host and port" },
};

static bool is_free_label(struct build *b, const struct yaml_node *name)
{
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		if (strcmp(taken[i].label, name->text) == 0) {
			yaml_error(b->y, name, "label '%s' is set by %s", name->text, taken[i].instead);
			return false;
		}
	}
	if (!is_label_name(name->text)) {
		yaml_error(b->y, name, "'%.60s' is no label name (letters, digits and '_', not beginning with a digit)", name->text);
		return false;
	}
	if (strncmp(name->text, "__", 2) == 0) {
		yaml_error(b->y, name, "label names that begin with '__' are not for users: '%.60s'", name->text);
		return false;
	}
	return true;
}

void settings_label(struct build *b, struct settings *s, const struct yaml_node *name, const struct yaml_node *value)
{
	const char *text = "";
	if (!yaml_is_null(value) && !yaml_text(b->y, value, name->text, &text))
		return;
	if (strlen(text) > VALUE_MAX) {
		yaml_error(b->y, value, "a label's value is longer than %d bytes", VALUE_MAX);
		return;
	}
	size_t depth = s->labels != NULL ? s->labels->depth + 1 : 1;
	if (depth > LABELS_MAX) {
		yaml_error(b->y, name, "more than %d labels", LABELS_MAX);
		return;
	}
	struct own_label *label = keep(b, arena_zeroed(b->arena, 1, sizeof *label));
	if (label == NULL)
		return;
	*label = (struct own_label){
		.name = keep(b, arena_text(b->arena, name->text)),
		.value = keep(b, arena_text(b->arena, text)),
		.outer = s->labels,
		.depth = depth,
	};
	if (label->name != NULL && label->value != NULL)
		s->labels = label;
}

static void read_labels(struct build *b, const struct yaml_node *map, struct settings *s)
{
	if (!yaml_is_map(b->y, map, "labels"))
		return;
	for (size_t i = 0; i < map->n && b->err == ERR_OK; i++) {
		if (is_free_label(b, map->keys[i]))
			settings_label(b, s, map->keys[i], map->items[i]);
	}
}

static void read_word(struct build *b, const struct yaml_node *map, const char *key, const char **out)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, key, &text))
		return;
	if (!is_clean(text) || strlen(text) > VALUE_MAX)
		yaml_error(b->y, node, "'%s' is too long or holds control characters", key);
	else
		*out = keep(b, arena_text(b->arena, text));
}

static void read_profile(struct build *b, const struct yaml_node *map, struct settings *s)
{
	const struct yaml_node *node = yaml_get(map, "profile");
	const char *name;
	if (node == NULL || !yaml_text(b->y, node, "profile", &name))
		return;
	if (profiles_find(b->profiles, name) != NULL) {
		s->profile = keep(b, arena_text(b->arena, name));
		return;
	}
	const char *near = profiles_suggest(b->profiles, name);
	if (near != NULL)
		yaml_error(b->y, node, "there is no profile '%.60s'; did you mean '%s'?", name, near);
	else
		yaml_error(b->y, node, "there is no profile '%.60s'; leave it out to find out by asking", name);
}

static void read_place(struct build *b, const struct yaml_node *map, struct settings *s)
{
	const struct yaml_node *node = yaml_get(map, "port");
	const char *text;
	int64_t port;
	if (node != NULL && yaml_i64(b->y, node, "port", 1, 65535, &port))
		s->port = (int)port;
	node = yaml_get(map, "path");
	if (node != NULL && yaml_text(b->y, node, "path", &text)) {
		if (is_url_path(text))
			s->path = keep(b, arena_text(b->arena, text));
		else
			yaml_error(b->y, node, "'path' must begin with '/' and hold nothing that a URL cannot, not '%.60s'", text);
	}
	node = yaml_get(map, "scheme");
	if (node != NULL && yaml_text(b->y, node, "scheme", &text)) {
		if (strcmp(text, "http") == 0 || strcmp(text, "https") == 0)
			s->scheme = text[4] == 's' ? "https" : "http";
		else
			yaml_error(b->y, node, "'scheme' must be http or https, not '%.60s'", text);
	}
}

static void read_times(struct build *b, const struct yaml_node *map, struct settings *s)
{
	const struct yaml_node *interval = yaml_get(map, "interval"), *timeout = yaml_get(map, "timeout");
	bool is_good = true;
	if (interval != NULL)
		is_good = yaml_duration(b->y, interval, "interval", FLEET_INTERVAL_MIN_MS, FLEET_INTERVAL_MAX_MS, &s->interval_ms);
	if (timeout != NULL)
		is_good = yaml_duration(b->y, timeout, "timeout", 10, FLEET_INTERVAL_MAX_MS, &s->timeout_ms) && is_good;
	int64_t limit = s->interval_ms > 0 ? s->interval_ms : FLEET_INTERVAL_MS;
	if (is_good && timeout != NULL && s->timeout_ms > limit)
		yaml_error(b->y, timeout, "'timeout' must not be longer than the interval");
}

static void read_gzip(struct build *b, const struct yaml_node *map, struct settings *s)
{
	static const char *const words[] = { [FLEET_GZIP_AUTO] = "auto", [FLEET_GZIP_NEVER] = "never", [FLEET_GZIP_ALWAYS] = "always" };
	const struct yaml_node *node = yaml_get(map, "gzip");
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, "gzip", &text))
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], text) == 0) {
			s->gzip = (enum fleet_gzip)i;
			return;
		}
	}
	yaml_error(b->y, node, "'gzip' must be auto, never or always, not '%.60s'", text);
}

static void read_max_series(struct build *b, const struct yaml_node *map, struct settings *s)
{
	const struct yaml_node *node = yaml_get(map, "max_series");
	if (node != NULL)
		yaml_i64(b->y, node, "max_series", 1, FLEET_MAX_SERIES_MOST, &s->max_series);
}

void inherited_read(struct build *b, const struct yaml_node *map, struct settings *s)
{
	read_profile(b, map, s);
	read_word(b, map, "model", &s->model);
	read_word(b, map, "job", &s->job);
	read_place(b, map, s);
	read_times(b, map, s);
	read_gzip(b, map, s);
	read_max_series(b, map, s);
	const struct yaml_node *node = yaml_get(map, "labels");
	if (node != NULL)
		read_labels(b, node, s);
	node = yaml_get(map, "auth");
	if (node != NULL) {
		s->auth = auth_read(b, node);
		s->auth_at = node;
	}
	node = yaml_get(map, "tls");
	if (node != NULL)
		s->tls = tls_read(b, node);
	node = yaml_get(map, "ssh");
	if (node != NULL)
		s->ssh = ssh_read(b, node);
}
