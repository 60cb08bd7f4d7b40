/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking into a YAML tree and saying what is wrong with it. */
#include "base/yaml.h"

#include "base/num.h"
#include "base/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { QUOTED_MAX = 60 };

static void __attribute__((format(printf, 4, 0)))
report(const struct yaml *y, const struct yaml_node *at, enum diagnostic_severity severity, const char *format, va_list args)
{
	diagnostics_vadd(yaml_diagnostics(y), severity, yaml_file(y), at->line, at->col, format, args);
}

void yaml_error(const struct yaml *y, const struct yaml_node *at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(y, at, DIAGNOSTIC_ERROR, format, args);
	va_end(args);
}

void yaml_warning(const struct yaml *y, const struct yaml_node *at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(y, at, DIAGNOSTIC_WARNING, format, args);
	va_end(args);
}

static size_t find(const struct yaml_node *map, const char *key)
{
	size_t n = map != NULL && map->kind == YAML_MAP ? map->n : 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			return i;
	}
	return SIZE_MAX;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	size_t i = find(map, key);
	return i == SIZE_MAX ? NULL : map->items[i];
}

const struct yaml_node *yaml_get_key(const struct yaml_node *map, const char *key)
{
	size_t i = find(map, key);
	return i == SIZE_MAX ? NULL : map->keys[i];
}

bool yaml_is_null(const struct yaml_node *node)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };
	if (node == NULL)
		return true;
	for (size_t i = 0; node->kind == YAML_SCALAR && node->is_plain && i < sizeof words / sizeof *words; i++) {
		if (strcmp(node->text, words[i]) == 0)
			return true;
	}
	return false;
}

/* "'port' must be a number, not a list", with the wrong text quoted where there is one. Always false. */
static bool wrong(const struct yaml *y, const struct yaml_node *node, const char *what, const char *must)
{
	if (node->kind == YAML_MAP)
		yaml_error(y, node, "'%s' must be %s, not a mapping", what, must);
	else if (node->kind == YAML_LIST)
		yaml_error(y, node, "'%s' must be %s, not a list", what, must);
	else if (yaml_is_null(node))
		yaml_error(y, node, "'%s' must be %s, but nothing is there", what, must);
	else
		yaml_error(y, node, "'%s' must be %s, not '%.*s%s'", what, must, QUOTED_MAX, node->text, node->len > QUOTED_MAX ? "..." : "");
	return false;
}

bool yaml_is_map(const struct yaml *y, const struct yaml_node *node, const char *what)
{
	return node->kind == YAML_MAP || wrong(y, node, what, "a mapping");
}

bool yaml_is_list(const struct yaml *y, const struct yaml_node *node, const char *what)
{
	return node->kind == YAML_LIST || wrong(y, node, what, "a list");
}

bool yaml_text(const struct yaml *y, const struct yaml_node *node, const char *what, const char **out)
{
	if (node->kind != YAML_SCALAR || yaml_is_null(node))
		return wrong(y, node, what, "a text");
	*out = node->text;
	return true;
}

bool yaml_bool(const struct yaml *y, const struct yaml_node *node, const char *what, bool *out)
{
	bool is_true = node->kind == YAML_SCALAR && node->is_plain && strcmp(node->text, "true") == 0;
	bool is_false = node->kind == YAML_SCALAR && node->is_plain && strcmp(node->text, "false") == 0;
	if (!is_true && !is_false)
		return wrong(y, node, what, "true or false");
	*out = is_true;
	return true;
}

bool yaml_i64(const struct yaml *y, const struct yaml_node *node, const char *what, int64_t min, int64_t max, int64_t *out)
{
	char must[96];
	if (node->kind == YAML_SCALAR && node->is_plain && parse_i64(node->text, min, max, out) == ERR_OK)
		return true;
	snprintf(must, sizeof must, "a whole number from %lld to %lld", (long long)min, (long long)max);
	return wrong(y, node, what, must);
}

bool yaml_f64(const struct yaml *y, const struct yaml_node *node, const char *what, double min, double max, double *out)
{
	char must[128], low[NUMBER_TEXT], high[NUMBER_TEXT];
	if (node->kind == YAML_SCALAR && node->is_plain && parse_f64(node->text, min, max, out) == ERR_OK)
		return true;
	snprintf(must, sizeof must, "a number from %s to %s", format_f64(min, low), format_f64(max, high));
	return wrong(y, node, what, must);
}

bool yaml_duration(const struct yaml *y, const struct yaml_node *node, const char *what, int64_t min_ms, int64_t max_ms, int64_t *out_ms)
{
	char must[160], low[DURATION_TEXT], high[DURATION_TEXT];
	int64_t ms;
	if (node->kind == YAML_SCALAR && parse_duration(node->text, node->len, &ms) == ERR_OK && ms >= min_ms && ms <= max_ms) {
		*out_ms = ms;
		return true;
	}
	snprintf(must, sizeof must, "a duration from %s to %s, as in 30s or 1m30s", format_duration(min_ms, low), format_duration(max_ms, high));
	return wrong(y, node, what, must);
}

bool yaml_bytes(const struct yaml *y, const struct yaml_node *node, const char *what, int64_t min, int64_t max, int64_t *out)
{
	char must[160], low[NUMBER_TEXT], high[NUMBER_TEXT];
	int64_t bytes;
	if (node->kind == YAML_SCALAR && parse_bytes(node->text, node->len, &bytes) == ERR_OK && bytes >= min && bytes <= max) {
		*out = bytes;
		return true;
	}
	snprintf(must, sizeof must, "a size from %s to %s, as in 500MiB or 20GiB", format_bytes(min, low), format_bytes(max, high));
	return wrong(y, node, what, must);
}

static bool is_among(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

bool yaml_check_keys(const struct yaml *y, const struct yaml_node *map, const char *const *known, size_t n)
{
	bool all_known = true;
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++) {
		const struct yaml_node *key = map->keys[i];
		if (is_among(key->text, known, n))
			continue;
		all_known = false;
		const char *near = suggest(key->text, known, n);
		if (near != NULL)
			yaml_error(y, key, "unknown key '%s'; did you mean '%s'?", key->text, near);
		else
			yaml_error(y, key, "unknown key '%.*s%s'", QUOTED_MAX, key->text, key->len > QUOTED_MAX ? "..." : "");
	}
	return all_known;
}
