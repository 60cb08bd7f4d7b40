/* SPDX-License-Identifier: Apache-2.0 */
#include "config/deploying.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "config/fleet.h"
#include "config/fleet_build.h"
#include "config/keys.h"
#include "config/words.h"

enum { UNITS_MAX = 100000, REQUESTS_MAX = 1000000000, RATIO_MAX = 100, PER_DAY_MAX = 100 };

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
enum { LOCK_FOLDER_MAX = 200 };

static const struct fleet_deploy standard = {
	.waves           = { { false, 1 }, { true, 0.25 }, { true, 0.5 }, { true, 1 } },
	.n_waves         = 4,
	.max_unavailable = { true, 0.1 },
	.gate            = { .latency_ratio = 1.2, .error_add = 0.01, .quality_drop = 0.02, .memory_ratio = 1.1, .min_requests = DEPLOY_MIN_REQUESTS,
	                     .soak_ms = DEPLOY_SOAK_MS, .window_ms = DEPLOY_WINDOW_MS, .ready_ms = DEPLOY_READY_MS },
	.lock            = DEPLOY_LOCK_FOLDER,
	.auto_rollback   = { .within_ms = 30 * MINUTE_MS, .for_ms = 2 * MINUTE_MS, .per_day = 1, .pause_ms = HOUR_MS },
};

/* ---- values ---- */

/* "25%" as 0.25; above 0, at most 100. */
static bool read_percent(const char *text, double *out)
{
	char number[NUMBER_TEXT];
	size_t n = strlen(text);
	double percent;
	if (n < 2 || n > sizeof number || text[n - 1] != '%')
		return false;
	memcpy(number, text, n - 1);
	number[n - 1] = '\0';
	if (parse_f64(number, 0, 100, &percent) != ERR_OK || percent <= 0)
		return false;
	*out = percent / 100;
	return true;
}

static bool read_size(struct build *b, const struct yaml_node *node, const char *key, struct fleet_wave *out)
{
	const char *text;
	double share;
	int64_t n;
	if (!yaml_text(b->y, node, key, &text))
		return false;
	if (read_percent(text, &share)) {
		*out = (struct fleet_wave){ .is_share = true, .n = share };
		return true;
	}
	if (parse_i64(text, 1, UNITS_MAX, &n) == ERR_OK) {
		*out = (struct fleet_wave){ .is_share = false, .n = (double)n };
		return true;
	}
	yaml_error(b->y, node, "'%s' must be a number from 1 to %d or a share as in 25%%, not '%.60s'", key, UNITS_MAX, text);
	return false;
}

static void read_waves(struct build *b, const struct yaml_node *node, struct fleet_deploy *d)
{
	const struct yaml_node *const *items = node->kind == YAML_SCALAR ? &node : node->items;
	size_t n = node->kind == YAML_SCALAR ? 1 : node->n;
	if (node->kind != YAML_SCALAR && !yaml_is_list(b->y, node, "waves"))
		return;
	if (n == 0 || n > DEPLOY_WAVES_MAX) {
		yaml_error(b->y, node, "'waves' needs 1 to %d items, as in [ 1, 25%%, 50%%, 100%% ]", DEPLOY_WAVES_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!read_size(b, items[i], "waves", &d->waves[i]))
			return;
	d->n_waves = n;
}

static void read_span(struct build *b, const struct yaml_node *map, const char *key, int64_t min_ms, int64_t max_ms, int64_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (!yaml_is_null(node))
		yaml_duration(b->y, node, key, min_ms, max_ms, out);
}

static void read_flag(struct build *b, const struct yaml_node *map, const char *key, bool *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (!yaml_is_null(node))
		yaml_bool(b->y, node, key, out);
}

/* One of two words; 0: not given or wrong, else 1 or 2. */
static int read_either(struct build *b, const struct yaml_node *map, const char *key, const char *first, const char *second)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;
	if (yaml_is_null(node) || !yaml_text(b->y, node, key, &text))
		return 0;
	if (strcmp(text, first) == 0)
		return 1;
	if (strcmp(text, second) == 0)
		return 2;
	yaml_error(b->y, node, "'%s' must be %s or %s, not '%.60s'", key, first, second, text);
	return 0;
}

/* ---- the gate ---- */

static bool is_off(const char *text)
{
	return strcmp(text, "off") == 0 || strcmp(text, "false") == 0 || strcmp(text, "none") == 0;
}

/* 0 is off inside, so that a written 0 (which would mean "no worse at all") is refused instead of taken for the contrary. */
static void read_limit(struct build *b, const struct yaml_node *map, const char *key, bool is_share, double *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;
	double value;
	if (yaml_is_null(node) || !yaml_text(b->y, node, key, &text))
		return;
	if (is_off(text))
		*out = 0;
	else if (is_share && (read_percent(text, &value) || (parse_f64(text, 0, 1, &value) == ERR_OK && value > 0)))
		*out = value;
	else if (!is_share && parse_f64(text, 1, RATIO_MAX, &value) == ERR_OK)
		*out = value;
	else if (is_share)
		yaml_error(b->y, node, "'%s' must be a share above 0, as in 1%% or 0.01, or off, not '%.60s'", key, text);
	else
		yaml_error(b->y, node, "'%s' must be a number from 1 to %d, as in 1.2, or off, not '%.60s'", key, RATIO_MAX, text);
}

static void read_gate(struct build *b, const struct yaml_node *map, struct fleet_gate *g)
{
	const struct yaml_node *node;
	if (!yaml_is_map(b->y, map, "gate"))
		return;
	keys_check(b->y, map, KEYS_GATE);
	read_limit(b, map, "latency", false, &g->latency_ratio);
	read_limit(b, map, "errors", true, &g->error_add);
	read_limit(b, map, "quality", true, &g->quality_drop);
	read_limit(b, map, "memory", false, &g->memory_ratio);
	if (!yaml_is_null(node = yaml_get(map, "requests")))
		yaml_i64(b->y, node, "requests", 0, REQUESTS_MAX, &g->min_requests);
}

/* ---- without being asked for ---- */

static bool is_yes(const char *text) { return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0; }
static bool is_no(const char *text) { return strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "none") == 0; }

static void read_auto_rollback(struct build *b, const struct yaml_node *node, struct fleet_auto_rollback *a)
{
	const struct yaml_node *at;
	if (node->kind == YAML_SCALAR && is_no(node->text))
		return;
	a->is_on = true;
	if (node->kind == YAML_SCALAR && is_yes(node->text))
		return;
	if (node->kind != YAML_MAP) {
		yaml_error(b->y, node, "'auto_rollback' must be yes, no or a mapping, as in { within: 30m, per_day: 1 }");
		return;
	}
	keys_check(b->y, node, KEYS_AUTO_ROLLBACK);
	read_span(b, node, "within", MINUTE_MS, DAY_MS, &a->within_ms);
	read_span(b, node, "for", 0, DAY_MS, &a->for_ms);
	read_span(b, node, "pause", MINUTE_MS, 30 * DAY_MS, &a->pause_ms);
	if (!yaml_is_null(at = yaml_get(node, "per_day")))
		yaml_i64(b->y, at, "per_day", 1, PER_DAY_MAX, &a->per_day);
}

/* ---- options of the driver ---- */

static const struct yaml_node *copy_node(struct build *b, const struct yaml_node *from);

static const struct yaml_node **copy_nodes(struct build *b, const struct yaml_node *const *from, size_t n)
{
	const struct yaml_node **to = keep(b, arena_zeroed(b->arena, n + 1, sizeof *to));
	for (size_t i = 0; i < n && b->err == ERR_OK; i++)
		to[i] = copy_node(b, from[i]);
	return to;
}

/* Depth and size are bounded by the reader of YAML, which counts what stands behind aliases wherever it is. */
static const struct yaml_node *copy_node(struct build *b, const struct yaml_node *from)
{
	struct yaml_node *to = keep(b, arena_zeroed(b->arena, 1, sizeof *to));
	if (to == NULL)
		return NULL;
	*to = *from;
	to->text = from->text != NULL ? keep(b, arena_text(b->arena, from->text)) : NULL;
	to->keys = from->kind == YAML_MAP ? copy_nodes(b, from->keys, from->n) : NULL;
	to->items = from->kind != YAML_SCALAR ? copy_nodes(b, from->items, from->n) : NULL;
	return b->err == ERR_OK ? to : NULL;
}

static bool is_common(const char *key)
{
	for (size_t i = 0; i < fleet_keys_count; i++)
		if ((fleet_keys[i].where & (1u << KEYS_DEPLOY)) != 0 && strcmp(fleet_keys[i].name, key) == 0)
			return true;
	return false;
}

static const struct yaml_node *read_options(struct build *b, const struct yaml_node *map)
{
	struct yaml_node *to = keep(b, arena_zeroed(b->arena, 1, sizeof *to));
	const struct yaml_node **keys = keep(b, arena_zeroed(b->arena, map->n + 1, sizeof *keys));
	const struct yaml_node **items = keep(b, arena_zeroed(b->arena, map->n + 1, sizeof *items));
	if (to == NULL || keys == NULL || items == NULL)
		return NULL;
	*to = (struct yaml_node){ .kind = YAML_MAP, .line = map->line, .col = map->col, .weight = map->weight };
	for (size_t i = 0; i < map->n && b->err == ERR_OK; i++) {
		if (is_common(map->keys[i]->text))
			continue;
		keys[to->n] = copy_node(b, map->keys[i]);
		items[to->n++] = copy_node(b, map->items[i]);
	}
	to->keys = keys;
	to->items = items;
	return to;
}

/* ---- a scope ---- */

static void read_driver(struct build *b, const struct yaml_node *map, struct fleet_deploy *d)
{
	const struct yaml_node *node = yaml_get(map, "driver");
	const char *text;
	if (yaml_is_null(node))
		yaml_error(b->y, node != NULL ? node : map, "'deploy' needs a 'driver'");
	else if (yaml_text(b->y, node, "driver", &text) && !is_profile_name(text))
		yaml_error(b->y, node, "'%.60s' is no name of a driver", text);
	else if (node->kind == YAML_SCALAR)
		d->driver = keep(b, arena_text(b->arena, node->text));
}

static void read_sources(struct build *b, const struct yaml_node *map, struct fleet_deploy *d)
{
	static const enum version_source running[] = { VERSION_UNKNOWN, VERSION_DRIVER, VERSION_SIGNAL };
	static const enum version_source history[] = { VERSION_UNKNOWN, VERSION_DRIVER, VERSION_STORE };
	d->running = running[read_either(b, map, "running", "driver", "signal")];
	d->history = history[read_either(b, map, "history", "driver", "store")];
}

/* Without the strokes at its end. */
static void read_folder(struct build *b, const struct yaml_node *node, const char **out)
{
	size_t n = strlen(node->text);
	while (n > 1 && node->text[n - 1] == '/')
		n--;
	if (n <= 1 || n > LOCK_FOLDER_MAX || node->text[0] != '/') {
		yaml_error(b->y, node, "'lock' must be yes, no, or a whole path of %d bytes at most, not '%.60s'", LOCK_FOLDER_MAX, node->text);
		return;
	}
	char *folder = keep(b, arena_zeroed(b->arena, n + 1, 1));
	if (folder != NULL)
		*out = memcpy(folder, node->text, n);
}

static void read_lock(struct build *b, const struct yaml_node *map, struct fleet_deploy *d)
{
	const struct yaml_node *node = yaml_get(map, "lock");
	const char *text;
	if (yaml_is_null(node) || !yaml_text(b->y, node, "lock", &text))
		return;
	if (is_no(node->text))
		d->lock = "";
	else if (!is_yes(node->text))
		read_folder(b, node, &d->lock);
}

/* What is confirmed by two is not begun by none. */
static void check_people(struct build *b, const struct yaml_node *map, const struct fleet_deploy *d)
{
	if (d->takes_two && d->auto_rollback.is_on)
		yaml_error(b->y, yaml_get_key(map, "auto_rollback"), "'two_person' wants two people and 'auto_rollback' none: only one of them can be");
}

static void read_all(struct build *b, const struct yaml_node *map, struct fleet_deploy *d)
{
	const struct yaml_node *node;
	read_driver(b, map, d);
	read_sources(b, map, d);
	if (!yaml_is_null(node = yaml_get(map, "waves")))
		read_waves(b, node, d);
	if (!yaml_is_null(node = yaml_get(map, "max_unavailable")))
		(void)read_size(b, node, "max_unavailable", &d->max_unavailable);
	read_span(b, map, "soak", 0, DAY_MS, &d->gate.soak_ms);
	read_span(b, map, "window", MINUTE_MS, DAY_MS, &d->gate.window_ms);
	read_span(b, map, "ready", SECOND_MS, DAY_MS, &d->gate.ready_ms);
	if (!yaml_is_null(node = yaml_get(map, "gate")))
		read_gate(b, node, &d->gate);
	d->on_failure = read_either(b, map, "on_failure", "stop", "undo") == 2 ? GATE_UNDO : GATE_STOP;
	read_flag(b, map, "protected", &d->is_protected);
	read_flag(b, map, "two_person", &d->takes_two);
	read_lock(b, map, d);
	if (!yaml_is_null(node = yaml_get(map, "auto_rollback")))
		read_auto_rollback(b, node, &d->auto_rollback);
	if (!yaml_is_null(node = yaml_get(map, "auth")))
		d->auth = auth_read(b, node);
	if (!yaml_is_null(node = yaml_get(map, "tls")))
		d->tls = tls_read(b, node);
	d->options = read_options(b, map);
	check_people(b, map, d);
}

static struct fleet_deploy *add_deploy(struct build *b)
{
	struct fleet *f = b->fleet;
	if (f->n_deploys == b->cap_deploys) {
		size_t cap = b->cap_deploys == 0 ? 16 : b->cap_deploys * 2;
		struct fleet_deploy *more = realloc(f->deploys, cap * sizeof *more);
		if (keep(b, more) == NULL)
			return NULL;
		f->deploys = more;
		b->cap_deploys = cap;
	}
	return &f->deploys[f->n_deploys];
}

bool deploy_read(struct build *b, const struct yaml_node *map, const char *group, const char *model)
{
	const struct yaml_node *node = yaml_get(map, "deploy"), *key = yaml_get_key(map, "deploy");
	if (node == NULL || (node->kind == YAML_SCALAR && yaml_is_null(node)))
		return true;
	if (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0)
		return false;
	if (!yaml_is_map(b->y, node, "deploy"))
		return true;
	if (model == NULL || model[0] == '\0') {
		yaml_error(b->y, key, "what is deployed is a model: give the group a 'model'");
		return true;
	}
	struct fleet_deploy d = standard;
	d.name = group != NULL ? group : model;
	d.model = model;
	d.group = group != NULL ? group : "";
	d.driver = "";
	d.line = key->line;
	d.col = key->col;
	if (fleet_deploy_find(b->fleet, d.name) != NULL)
		yaml_error(b->y, key, "group '%s' has a 'deploy' of its own, and so has the model of that name: call the group otherwise", d.name);
	read_all(b, node, &d);
	struct fleet_deploy *to = b->err == ERR_OK ? add_deploy(b) : NULL;
	if (to != NULL) {
		*to = d;
		b->fleet->n_deploys++;
		b->fleet->n_group_deploys += group != NULL;
	}
	return true;
}

/* ---- finding ---- */

static const struct fleet_group *group_find(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->n_groups; i++)
		if (strcmp(f->groups[i].name, name) == 0)
			return &f->groups[i];
	return NULL;
}

const struct fleet_deploy *fleet_deploy_find(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->n_deploys; i++)
		if (strcmp(f->deploys[i].name, name) == 0)
			return &f->deploys[i];
	return NULL;
}

const struct fleet_deploy *fleet_deploy_in(const struct fleet *f, const struct fleet_group *group, const char *model)
{
	if (group != NULL && group->is_not_deployed)
		return NULL;
	if (group != NULL && group->deploy > 0 && strcmp(f->deploys[group->deploy - 1].model, model) == 0)
		return &f->deploys[group->deploy - 1];
	for (size_t i = f->n_group_deploys; i < f->n_deploys; i++)
		if (strcmp(f->deploys[i].model, model) == 0)
			return &f->deploys[i];
	return NULL;
}

const struct fleet_deploy *fleet_deploy_of(const struct fleet *f, const char *group, const char *model)
{
	return fleet_deploy_in(f, group_find(f, group), model);
}
