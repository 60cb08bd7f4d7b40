/* SPDX-License-Identifier: Apache-2.0 */
#include "config/alerting.h"

#include "base/matcher.h"
#include "base/num.h"
#include "config/fleet.h"
#include "config/fleet_build.h"
#include "config/keys.h"
#include "config/words.h"

#include <string.h>

#define SECOND_MS INT64_C(1000)
#define HOUR_MS   (3600 * SECOND_MS)
#define DAY_MS    (24 * HOUR_MS)

static const char *const default_group_by[] = { "alertname", "model" };
static const char *const equal_node[] = { "node" };

static void read_span(struct build *b, const struct yaml_node *map, const char *key, int64_t min_ms, int64_t max_ms, int64_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (node != NULL)
		yaml_duration(b->y, node, key, min_ms, max_ms, out);
}

static void read_ack_until(struct build *b, const struct yaml_node *map, struct fleet_alerting *a)
{
	const struct yaml_node *node = yaml_get(map, "ack_until");
	const char *text;
	int64_t ms;
	if (node == NULL || !yaml_text(b->y, node, "ack_until", &text) || strcmp(text, "resolved") == 0)
		return;
	if (parse_duration(text, strlen(text), &ms) == ERR_OK && ms >= 60 * SECOND_MS && ms <= 30 * DAY_MS)
		a->ack_until_ms = ms;
	else
		yaml_error(b->y, node, "'ack_until' must be resolved, or a duration from 1m to 30d, not '%.60s'", text);
}

static void read_group_by(struct build *b, const struct yaml_node *map, struct fleet_alerting *a)
{
	const struct yaml_node *list = yaml_get(map, "group_by");
	if (list == NULL)
		return;
	size_t n = 0;
	const char *const *names = list_read(b, map, "group_by", &n);
	if (names == NULL || n != list->n)
		return; /* reported */
	if (n > ALERTING_GROUP_BY_MAX) {
		yaml_error(b->y, list, "'group_by' has more than %d items", ALERTING_GROUP_BY_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], "...") == 0 && n > 1)
			yaml_error(b->y, list->items[i], "'...' means all labels, so nothing else may stand beside it");
		for (size_t j = 0; j < i; j++) {
			if (strcmp(names[i], names[j]) == 0)
				yaml_error(b->y, list->items[i], "'%.60s' is here twice", names[i]);
		}
	}
	a->group_by = names;
	a->n_group_by = n;
}

static void read_disabled(struct build *b, const struct yaml_node *map, struct fleet_alerting *a)
{
	const struct yaml_node *list = yaml_get(map, "disable");
	if (list == NULL)
		return;
	size_t n = 0;
	const char *const *names = list_read(b, map, "disable", &n);
	if (names == NULL || n != list->n)
		return;
	int *at = keep(b, arena_zeroed(b->arena, 2 * n + 1, sizeof *at));
	for (size_t i = 0; at != NULL && i < n; i++) {
		at[2 * i] = list->items[i]->line;
		at[2 * i + 1] = list->items[i]->col;
	}
	if (at == NULL)
		return;
	a->disabled = names;
	a->n_disabled = n;
	a->disabled_at = at;
}

static void read_builtin(struct build *b, const struct yaml_node *map, struct fleet_alerting *a)
{
	const struct yaml_node *node = yaml_get(map, "builtin");
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, "builtin", &text))
		return;
	if (strcmp(text, "on") == 0 || strcmp(text, "true") == 0)
		a->builtin = true;
	else if (strcmp(text, "off") == 0 || strcmp(text, "false") == 0)
		a->builtin = false;
	else
		yaml_error(b->y, node, "'builtin' must be on or off, not '%.60s'", text);
}

/* ---- inhibit rules ---- */

/* What is wrong with one is told at `at`. */
static void explain(struct build *b, const struct yaml_node *at, const char *key, enum err e, const struct why *why)
{
	if (e == ERR_MEMORY)
		b->err = e;
	else if (e != ERR_OK)
		yaml_error(b->y, at, "'%s': %s", key, why->text);
}

/* A text, or a list of texts, each of which may hold several. */
static void read_matchers(struct build *b, const struct yaml_node *map, const char *key, struct matcher_set *to)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (node == NULL || (node->kind != YAML_SCALAR && !yaml_is_list(b->y, node, key)))
		return;
	const struct yaml_node *const *items = node->kind == YAML_SCALAR ? &node : node->items;
	size_t n = node->kind == YAML_SCALAR ? 1 : node->n;
	for (size_t i = 0; i < n && b->err == ERR_OK; i++) {
		struct why why = { "" };
		const char *text;
		if (yaml_text(b->y, items[i], key, &text))
			explain(b, items[i], key, matcher_set_parse(to, text, &why), &why);
	}
}

/* Label: value, Alertmanager's older way. */
static void read_match(struct build *b, const struct yaml_node *map, const char *key, enum match kind, struct matcher_set *to)
{
	const struct yaml_node *pairs = yaml_get(map, key);
	if (pairs == NULL || !yaml_is_map(b->y, pairs, key))
		return;
	for (size_t i = 0; i < pairs->n && b->err == ERR_OK; i++) {
		struct why why = { "" };
		const char *text = "";
		if (yaml_is_null(pairs->items[i]) || yaml_text(b->y, pairs->items[i], pairs->keys[i]->text, &text))
			explain(b, pairs->items[i], key, matcher_set_add(to, kind, pairs->keys[i]->text, text, &why), &why);
	}
}

static void read_side(struct build *b, const struct yaml_node *map, const char *const keys[3], struct matcher_set *to)
{
	read_match(b, map, keys[0], MATCH_EQUAL, to);
	read_match(b, map, keys[1], MATCH_REGEX, to);
	read_matchers(b, map, keys[2], to);
	if (yaml_get(map, keys[0]) == NULL && yaml_get(map, keys[1]) == NULL && yaml_get(map, keys[2]) == NULL)
		yaml_warning(b->y, map, "without '%s' the rule is about all alerts", keys[2]);
}

static void read_inhibit_rule(struct build *b, const struct yaml_node *map, struct fleet_alerting *a)
{
	static const char *const source_keys[3] = { "source_match", "source_match_re", "source_matchers" };
	static const char *const target_keys[3] = { "target_match", "target_match_re", "target_matchers" };
	const char *text;
	if (!yaml_is_map(b->y, map, "inhibit_rules"))
		return;
	keys_check(b->y, map, KEYS_INHIBIT);
	struct inhibit_rule *r = &a->inhibit[a->n_inhibit++]; /* counted now, so that what it owns is released whatever comes */
	*r = (struct inhibit_rule){ .name = "" };
	const struct yaml_node *name = yaml_get(map, "name");
	if (name != NULL && yaml_text(b->y, name, "name", &text) && (text = keep(b, arena_text(b->arena, text))) != NULL)
		r->name = text;
	read_side(b, map, source_keys, &r->source);
	read_side(b, map, target_keys, &r->target);
	r->equal = list_read(b, map, "equal", &r->n_equal);
}

/* A node that is down inhibits all else that is said of it. */
static void add_node_down(struct build *b, struct fleet_alerting *a)
{
	struct inhibit_rule *r = &a->inhibit[a->n_inhibit++];
	*r = (struct inhibit_rule){ .name = "a node that is down", .equal = equal_node, .n_equal = 1 };
	if (matcher_set_add(&r->source, MATCH_EQUAL, "alertname", ALERTING_NODE_DOWN, NULL) != ERR_OK ||
	    matcher_set_add(&r->target, MATCH_NOT_EQUAL, "alertname", ALERTING_NODE_DOWN, NULL) != ERR_OK ||
	    matcher_set_add(&r->target, MATCH_NOT_EQUAL, "node", "", NULL) != ERR_OK)
		b->err = ERR_MEMORY;
}

static void read_inhibit_rules(struct build *b, const struct yaml_node *map, struct fleet_alerting *a)
{
	const struct yaml_node *list = yaml_get(map, "inhibit_rules");
	size_t n = 0;
	if (!yaml_is_null(list) && yaml_is_list(b->y, list, "inhibit_rules"))
		n = list->n;
	if (n > ALERTING_INHIBIT_MAX) {
		yaml_error(b->y, list, "more than %d inhibit rules", ALERTING_INHIBIT_MAX);
		n = 0;
	}
	a->inhibit = keep(b, arena_zeroed(b->arena, n + 1, sizeof *a->inhibit));
	for (size_t i = 0; i < n && b->err == ERR_OK; i++)
		read_inhibit_rule(b, list->items[i], a);
	if (a->builtin && b->err == ERR_OK)
		add_node_down(b, a);
}

/* ---- all of it ---- */

void alerting_read(struct build *b, const struct yaml_node *map, int64_t polled_ms)
{
	struct fleet_alerting *a = &b->fleet->alerting;
	*a = (struct fleet_alerting){
		.group_by = default_group_by,
		.n_group_by = sizeof default_group_by / sizeof *default_group_by,
		.interval_ms = polled_ms >= SECOND_MS ? polled_ms : polled_ms > 0 ? SECOND_MS : FLEET_INTERVAL_MS,
		.unowned_after_ms = ALERTING_UNOWNED_AFTER_MS,
		.ack_pause_ms = ALERTING_ACK_PAUSE_MS,
		.builtin = true,
	};
	if (yaml_is_null(map) || !yaml_is_map(b->y, map, "alerts"))
		map = NULL;
	else
		keys_check(b->y, map, KEYS_ALERTS);
	read_group_by(b, map, a);
	read_span(b, map, "interval", SECOND_MS, DAY_MS, &a->interval_ms);
	read_span(b, map, "unowned_after", 0, 7 * DAY_MS, &a->unowned_after_ms);
	read_span(b, map, "ack_pause", 0, DAY_MS, &a->ack_pause_ms);
	read_span(b, map, "keep", HOUR_MS, 3650 * DAY_MS, &a->keep_ms);
	read_ack_until(b, map, a);
	read_builtin(b, map, a);
	read_disabled(b, map, a);
	read_inhibit_rules(b, map, a);
}

void alerting_release(struct fleet_alerting *a)
{
	for (size_t i = 0; i < a->n_inhibit; i++) {
		matcher_set_release(&a->inhibit[i].source);
		matcher_set_release(&a->inhibit[i].target);
	}
	a->n_inhibit = 0;
}
