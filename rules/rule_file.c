/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading rule files. Everything but the parsed queries lives in one arena; texts are the tree's. A reader function returns false once
 * it has reported something, and its callers go on, so that a file's mistakes come out together. */
#include "rules/rule_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "rules/detail.h"
#include "rules/signal.h"

struct file {
	struct rule_file   pub;
	struct arena       arena;
	const struct yaml *tree;
	bool               is_profile;
	size_t             n_rules;
	bool               has_no_memory;
};

static const int64_t DURATION_MAX_MS = INT64_C(365) * 86400 * 1000;

static bool is_metric_name(const char *s)
{
	for (const char *c = s; *c != '\0'; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' || *c == ':';
		if (!letter && !(c != s && *c >= '0' && *c <= '9'))
			return false;
	}
	return s[0] != '\0';
}

static bool is_label_name(const char *s)
{
	return is_metric_name(s) && strchr(s, ':') == NULL;
}

/* Where in the file a mistake of an expression is. The tree tells where a scalar begins; the text of a block ("|") begins on the next
 * line, by custom two columns right of its key. */
static struct yaml_node place_in(const struct yaml_node *expr, const struct yaml_node *key, const struct query_position *where)
{
	struct yaml_node at = *expr;
	bool             is_block = !expr->is_plain && expr->len > 0 && expr->text[expr->len - 1] == '\n';
	if (is_block) {
		at.line = expr->line + where->line;
		at.col = key->col + 2 + where->column - 1;
	} else if (where->line == 1) {
		at.col = expr->col + (expr->is_plain ? 0 : 1) + where->column - 1;
	}
	return at;
}

static bool read_expr(struct file *f, const struct yaml_node *map, struct rule *rule)
{
	const struct yaml_node *node = yaml_get(map, "expr");
	if (node == NULL) {
		yaml_error(f->tree, map, "this rule has no 'expr'");
		return false;
	}
	if (!yaml_text(f->tree, node, "expr", &rule->expr))
		return false;
	struct query_position where = { .line = 1, .column = 1 };
	struct why            why = { "" };
	enum err e = query_parse(rule->expr, &rule->query, &where, &why);
	if (e != ERR_OK)
		rule->query = NULL;
	if (e == ERR_MEMORY) {
		f->has_no_memory = true;
		return false;
	}
	if (e != ERR_OK) {
		struct yaml_node at = place_in(node, yaml_get_key(map, "expr"), &where);
		yaml_error(f->tree, &at, "%s", why.text);
		return false;
	}
	enum value_type type = query_type(rule->query);
	if (type != VALUE_VECTOR && type != VALUE_SCALAR) {
		yaml_error(f->tree, node, "'expr' gives a %s; a rule needs a vector or a scalar",
		           type == VALUE_STRING ? "string" : "range of samples");
		return false;
	}
	return true;
}

static bool read_pair(struct file *f, const struct yaml_node *key, const struct yaml_node *value, const char *what, struct label *out)
{
	bool        ok = true;
	const char *text = "";
	if (!is_label_name(key->text) || strcmp(key->text, LABEL_NAME) == 0) {
		yaml_error(f->tree, key, "'%s' is no name for one of the %s; letters, digits and '_' make a name", key->text, what);
		ok = false;
	}
	if (value->kind != YAML_SCALAR) {
		yaml_error(f->tree, value, "the value of '%s' must be a text", key->text);
		return false;
	}
	if (!yaml_is_null(value))
		text = value->text;
	*out = (struct label){ .name = key->text, .name_len = (uint32_t)key->len, .value = text, .value_len = (uint32_t)strlen(text) };
	return ok;
}

/* `labels:` or `annotations:`. */
static bool read_pairs(struct file *f, const struct yaml_node *map, const char *what, struct label **out, size_t *n)
{
	const struct yaml_node *node = yaml_get(map, what);
	if (yaml_is_null(node))
		return true;
	if (!yaml_is_map(f->tree, node, what))
		return false;
	struct label *pairs = arena_zeroed(&f->arena, node->n, sizeof *pairs);
	if (pairs == NULL)
		return false;
	bool ok = true;
	for (size_t i = 0; i < node->n; i++)
		ok &= read_pair(f, node->keys[i], node->items[i], what, &pairs[i]);
	*out = pairs;
	*n = node->n;
	return ok;
}

static bool read_duration(struct file *f, const struct yaml_node *map, const char *key, int64_t min_ms, int64_t *out_ms)
{
	const struct yaml_node *node = yaml_get(map, key);
	return node == NULL || yaml_duration(f->tree, node, key, min_ms, DURATION_MAX_MS, out_ms);
}

static bool read_record(struct file *f, const struct yaml_node *map, struct rule *rule)
{
	static const char *const only_alert[] = { "for", "keep_firing_for", "annotations" };
	bool                     ok = true;
	const struct yaml_node  *node = yaml_get(map, "record");
	rule->kind = RULE_RECORD;
	if (!yaml_text(f->tree, node, "record", &rule->name))
		return false;
	if (!is_metric_name(rule->name)) {
		yaml_error(f->tree, node, "'%s' is no metric name; letters, digits, '_' and ':' make one", rule->name);
		ok = false;
	}
	for (size_t i = 0; i < sizeof only_alert / sizeof only_alert[0]; i++) {
		const struct yaml_node *key = yaml_get_key(map, only_alert[i]);
		if (key != NULL) {
			yaml_error(f->tree, key, "'%s' belongs to alerting rules; this one records", only_alert[i]);
			ok = false;
		}
	}
	if (f->is_profile && strcmp(rule->name, signal_info(SIGNAL_UP)->metric) == 0) {
		yaml_error(f->tree, node, "'%s' is recorded by pitwall itself; leave this rule out", rule->name);
		ok = false;
	} else if (f->is_profile && strncmp(rule->name, "signal:", 7) == 0 && signal_by_metric(rule->name) == SIGNAL_COUNT) {
		yaml_error(f->tree, node, "there is no signal '%s'; see signals.md, or choose a name that does not begin with 'signal:'", rule->name);
		ok = false;
	} else if (f->is_profile && strncmp(rule->name, DETAIL_PREFIX, strlen(DETAIL_PREFIX)) == 0 && detail_by_metric(rule->name) == DETAIL_COUNT) {
		yaml_error(f->tree, node, "there is no detail '%s'; see details.md, or choose a name that does not begin with '" DETAIL_PREFIX "'",
		           rule->name);
		ok = false;
	}
	return ok;
}

static bool read_alert(struct file *f, const struct yaml_node *map, struct rule *rule)
{
	const struct yaml_node *node = yaml_get(map, "alert");
	rule->kind = RULE_ALERT;
	bool ok = yaml_text(f->tree, node, "alert", &rule->name);
	if (ok && rule->name[0] == '\0') {
		yaml_error(f->tree, node, "an alert needs a name");
		ok = false;
	}
	ok &= read_duration(f, map, "for", 0, &rule->for_ms);
	ok &= read_duration(f, map, "keep_firing_for", 0, &rule->keep_firing_ms);
	ok &= read_pairs(f, map, "annotations", &rule->annotations, &rule->n_annotations);
	return ok;
}

static bool read_rule(struct file *f, const struct yaml_node *map, struct rule *rule)
{
	static const char *const keys[] = { "record", "alert", "expr", "labels", "for", "keep_firing_for", "annotations" };
	if (!yaml_is_map(f->tree, map, "a rule"))
		return false;
	rule->line = map->line;
	rule->col = map->col;
	bool ok = yaml_check_keys(f->tree, map, keys, sizeof keys / sizeof keys[0]);
	bool records = yaml_get(map, "record") != NULL, alerts = yaml_get(map, "alert") != NULL;
	if (records == alerts) {
		yaml_error(f->tree, map, records ? "a rule has 'record' or 'alert', not both" : "a rule needs 'record' or 'alert'");
		ok = false;
	} else if (records) {
		ok &= read_record(f, map, rule);
	} else {
		ok &= read_alert(f, map, rule);
	}
	ok &= read_pairs(f, map, "labels", &rule->labels, &rule->n_labels);
	ok &= read_expr(f, map, rule);
	return ok;
}

static bool is_same_rule(const struct rule *a, const struct rule *b)
{
	if (a->kind != b->kind || a->name == NULL || b->name == NULL || strcmp(a->name, b->name) != 0 || a->n_labels != b->n_labels)
		return false;
	for (size_t i = 0; i < a->n_labels; i++) {
		if (strcmp(a->labels[i].name, b->labels[i].name) != 0 || strcmp(a->labels[i].value, b->labels[i].value) != 0)
			return false;
	}
	return true;
}

static bool read_rules(struct file *f, const struct yaml_node *list, struct rule_group *group)
{
	if (yaml_is_null(list))
		return true;
	if (!yaml_is_list(f->tree, list, "rules"))
		return false;
	f->n_rules += list->n;
	if (f->n_rules > RULE_FILE_RULES_MAX) {
		yaml_error(f->tree, list, "more than %d rules in one file; split it", RULE_FILE_RULES_MAX);
		return false;
	}
	group->rules = arena_zeroed(&f->arena, list->n, sizeof *group->rules);
	if (group->rules == NULL)
		return false;
	bool ok = true;
	for (size_t i = 0; i < list->n; i++) {
		struct rule *rule = &group->rules[group->n_rules++];
		ok &= read_rule(f, list->items[i], rule);
		if (rule->kind == RULE_RECORD)
			f->pub.n_records++;
		else
			f->pub.n_alerts++;
		/* Only neighbours by name can be the same; a file has few rules of one name. */
		for (size_t k = 0; k < i && f->n_rules <= 1000; k++) {
			if (is_same_rule(rule, &group->rules[k])) {
				yaml_warning(f->tree, list->items[i], "'%s' is there twice with the same labels, first in line %d",
				             rule->name, group->rules[k].line);
				break;
			}
		}
	}
	return ok;
}

/* Group settings that only a scheduler of its own could keep. */
static bool refuse_in_profile(struct file *f, const struct yaml_node *map)
{
	static const char *const keys[] = { "interval", "query_offset", "limit" };
	bool                     ok = true;
	for (size_t i = 0; f->is_profile && i < sizeof keys / sizeof keys[0]; i++) {
		const struct yaml_node *key = yaml_get_key(map, keys[i]);
		if (key != NULL) {
			yaml_error(f->tree, key, "'%s' has no use in a profile, whose rules run after each scrape; leave it out", keys[i]);
			ok = false;
		}
	}
	return ok;
}

static bool read_group(struct file *f, const struct yaml_node *map, struct rule_group *group)
{
	static const char *const keys[] = { "name", "interval", "query_offset", "limit", "labels", "partial_response_strategy", "rules" };
	if (!yaml_is_map(f->tree, map, "a group"))
		return false;
	bool ok = yaml_check_keys(f->tree, map, keys, sizeof keys / sizeof keys[0]);
	ok &= refuse_in_profile(f, map);
	const struct yaml_node *name = yaml_get(map, "name");
	if (name == NULL) {
		yaml_error(f->tree, map, "this group has no 'name'");
		ok = false;
	} else {
		ok &= yaml_text(f->tree, name, "name", &group->name);
	}
	ok &= read_duration(f, map, "interval", 1, &group->interval_ms);
	ok &= read_duration(f, map, "query_offset", 0, &group->offset_ms);
	int64_t                 limit = 0;
	const struct yaml_node *node = yaml_get(map, "limit");
	ok &= node == NULL || yaml_i64(f->tree, node, "limit", 0, INT32_MAX, &limit);
	group->limit = (size_t)limit;
	struct label *labels = NULL;
	size_t        n_labels = 0;
	ok &= read_pairs(f, map, "labels", &labels, &n_labels);
	ok &= read_rules(f, yaml_get(map, "rules"), group);
	/* A group's labels are its rules', unless a rule says otherwise. */
	for (size_t i = 0; ok && n_labels > 0 && i < group->n_rules; i++) {
		struct rule  *rule = &group->rules[i];
		struct label *all = arena_zeroed(&f->arena, rule->n_labels + n_labels, sizeof *all);
		if (all == NULL)
			return false;
		memcpy(all, labels, n_labels * sizeof *all);
		if (rule->n_labels > 0)
			memcpy(all + n_labels, rule->labels, rule->n_labels * sizeof *all);
		rule->labels = all;
		rule->n_labels += n_labels;
	}
	return ok;
}

static bool read_groups(struct file *f, const struct yaml_node *list)
{
	if (yaml_is_null(list))
		return true;
	if (!yaml_is_list(f->tree, list, "groups"))
		return false;
	f->pub.groups = arena_zeroed(&f->arena, list->n, sizeof *f->pub.groups);
	if (f->pub.groups == NULL)
		return false;
	bool ok = true;
	for (size_t i = 0; i < list->n; i++) {
		struct rule_group *group = &f->pub.groups[f->pub.n_groups++];
		ok &= read_group(f, list->items[i], group);
		for (size_t k = 0; group->name != NULL && k < i; k++) {
			if (f->pub.groups[k].name != NULL && strcmp(f->pub.groups[k].name, group->name) == 0) {
				yaml_error(f->tree, yaml_get(list->items[i], "name"), "a group '%s' is there already; name this one otherwise",
				           group->name);
				ok = false;
				break;
			}
		}
	}
	return ok;
}

enum err rule_file_read(const struct yaml *tree, bool is_profile, struct rule_file **out, struct why *why)
{
	static const char *const keys_rules[] = { "groups" }, *const keys_profile[] = { "profile", "groups" };
	struct file             *f = calloc(1, sizeof *f);
	if (f == NULL)
		return why_memory(why);
	arena_init(&f->arena);
	f->tree = tree;
	f->is_profile = is_profile;
	const struct yaml_node *root = yaml_root(tree);
	bool                    ok = yaml_is_null(root);
	if (!ok && yaml_is_map(tree, root, "a rule file")) {
		ok = is_profile ? yaml_check_keys(tree, root, keys_profile, 2) : yaml_check_keys(tree, root, keys_rules, 1);
		ok &= read_groups(f, yaml_get(root, "groups"));
	}
	enum err e = ERR_OK;
	if (arena_failed(&f->arena) || f->has_no_memory)
		e = why_memory(why);
	else if (!ok)
		e = why_set(why, ERR_FORMAT, "'%s' has mistakes", yaml_file(tree));
	if (e != ERR_OK) {
		rule_file_free(&f->pub);
		return e;
	}
	*out = &f->pub;
	return ERR_OK;
}

void rule_file_free(struct rule_file *file)
{
	if (file == NULL)
		return;
	struct file *f = (struct file *)file; /* pub is its first member */
	for (size_t g = 0; g < file->n_groups; g++) {
		for (size_t r = 0; r < file->groups[g].n_rules; r++)
			if (file->groups[g].rules[r].query != NULL)
				query_free(file->groups[g].rules[r].query);
	}
	arena_release(&f->arena);
	free(f);
}
