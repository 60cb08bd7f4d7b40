/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "base/labels.h"
#include "base/num.h"
#include "base/text.h"

/* ---- reading ---- */

static enum err fail_at(const char *text, size_t at, struct why *why, const char *what)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < at; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return why_set(why, ERR_FORMAT, "line %zu, column %zu: %s", line, column, what);
}

/* The index behind the string that begins at text[i]. cJSON takes raw control bytes and makes "\u0000" a text's end, so both are refused here. */
static enum err skip_string(const char *text, size_t n, size_t *i, struct why *why)
{
	size_t at = *i + 1;
	for (; at < n && text[at] != '"'; at++) {
		if ((unsigned char)text[at] < 0x20)
			return fail_at(text, at, why, "a control character in a string");
		if (text[at] != '\\')
			continue;
		if (n - at > 5 && memcmp(text + at, "\\u0000", 6) == 0)
			return fail_at(text, at, why, "a NUL in a string");
		at++;
	}
	if (at >= n)
		return fail_at(text, *i, why, "a string without an end");
	*i = at + 1;
	return ERR_OK;
}

/* What cJSON would build is bounded before it builds it. Each comma and each bracket stands for one value at the most. */
static enum err check_limits(const char *text, size_t n, size_t max_depth, size_t max_values, struct why *why)
{
	size_t depth = 0, values = 1;
	for (size_t i = 0; i < n;) {
		enum err e = ERR_OK;
		char c = text[i];
		if (c == '"') {
			e = skip_string(text, n, &i, why);
			if (e != ERR_OK)
				return e;
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		values += c == '[' || c == '{' || c == ',';
		if (depth > max_depth)
			return why_set(why, ERR_LIMIT, "JSON nested deeper than %zu", max_depth);
		if (values > max_values)
			return why_set(why, ERR_LIMIT, "JSON of more than %zu values", max_values);
		i++;
	}
	return ERR_OK;
}

static size_t skip_blanks(const char *text, size_t n, size_t at)
{
	while (at < n && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
		at++;
	return at;
}

enum err json_parse(const char *text, size_t n, const struct json_limits *limits, struct cJSON **out, struct why *why)
{
	static const struct json_limits defaults = { 16 << 20, 64, 500000 };
	struct json_limits max = limits != NULL ? *limits : defaults;
	max.bytes = max.bytes != 0 ? max.bytes : defaults.bytes;
	max.depth = max.depth != 0 ? max.depth : defaults.depth;
	max.values = max.values != 0 ? max.values : defaults.values;
	if (n > max.bytes)
		return why_set(why, ERR_LIMIT, "JSON of more than %zu bytes", max.bytes);
	if (!text_is_utf8(text, n))
		return why_set(why, ERR_FORMAT, "JSON that is not UTF-8");
	enum err e = check_limits(text, n, max.depth, max.values, why);
	if (e != ERR_OK)
		return e;
	/* cJSON skips any byte up to the blank where it should skip blanks only, so it is never shown one in front. */
	size_t begin = skip_blanks(text, n, 0);
	if (begin == n || (unsigned char)text[begin] < 0x20)
		return fail_at(text, begin, why, begin == n ? "nothing there" : "not JSON");
	const char *end = NULL;
	cJSON *tree = cJSON_ParseWithLengthOpts(text + begin, n - begin, &end, 0);
	size_t at = end != NULL ? (size_t)(end - text) : begin;
	if (tree == NULL)
		return fail_at(text, at < n ? at : n, why, "not JSON");
	at = skip_blanks(text, n, at);
	if (at != n) {
		cJSON_Delete(tree);
		return fail_at(text, at, why, "something behind the end of the value");
	}
	*out = tree;
	return ERR_OK;
}

static enum err get(const cJSON *o, const char *key, const cJSON **out, struct why *why)
{
	const cJSON *item = cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
	if (item == NULL || cJSON_IsNull(item))
		return why_set(why, ERR_NOT_FOUND, "'%s' is missing", key);
	*out = item;
	return ERR_OK;
}

enum err json_get_f64(const struct cJSON *o, const char *key, double min, double max, double *out, struct why *why)
{
	const cJSON *item;
	enum err e = get(o, key, &item, why);
	if (e != ERR_OK)
		return e;
	if (!cJSON_IsNumber(item))
		return why_set(why, ERR_FORMAT, "'%s' is not a number", key);
	double v = item->valuedouble;
	if (!isfinite(v) || v < min || v > max)
		return why_set(why, ERR_RANGE, "'%s' is not between %g and %g", key, min, max);
	*out = v;
	return ERR_OK;
}

enum err json_get_i64(const struct cJSON *o, const char *key, int64_t min, int64_t max, int64_t *out, struct why *why)
{
	const double exact = 9007199254740992.0; /* 2^53 */
	double v;
	enum err e = json_get_f64(o, key, -exact, exact, &v, why);
	if (e != ERR_OK)
		return e;
	if (v != floor(v))
		return why_set(why, ERR_FORMAT, "'%s' is not an integer", key);
	int64_t i = (int64_t)v;
	if (i < min || i > max)
		return why_set(why, ERR_RANGE, "'%s' is not between %lld and %lld", key, (long long)min, (long long)max);
	*out = i;
	return ERR_OK;
}

enum err json_get_bool(const struct cJSON *o, const char *key, bool *out, struct why *why)
{
	const cJSON *item;
	enum err e = get(o, key, &item, why);
	if (e != ERR_OK)
		return e;
	if (!cJSON_IsBool(item))
		return why_set(why, ERR_FORMAT, "'%s' is neither true nor false", key);
	*out = cJSON_IsTrue(item) != 0;
	return ERR_OK;
}

enum err json_get_string(const struct cJSON *o, const char *key, size_t max_len, const char **out, struct why *why)
{
	const cJSON *item;
	enum err e = get(o, key, &item, why);
	if (e != ERR_OK)
		return e;
	if (!cJSON_IsString(item))
		return why_set(why, ERR_FORMAT, "'%s' is not a string", key);
	if (strlen(item->valuestring) > max_len)
		return why_set(why, ERR_RANGE, "'%s' is longer than %zu bytes", key, max_len);
	*out = item->valuestring;
	return ERR_OK;
}

enum err json_get_object(const struct cJSON *o, const char *key, const struct cJSON **out, struct why *why)
{
	const cJSON *item;
	enum err e = get(o, key, &item, why);
	if (e != ERR_OK)
		return e;
	if (!cJSON_IsObject(item))
		return why_set(why, ERR_FORMAT, "'%s' is not an object", key);
	*out = item;
	return ERR_OK;
}

enum err json_get_array(const struct cJSON *o, const char *key, size_t max_items, const struct cJSON **out, struct why *why)
{
	const cJSON *item;
	enum err e = get(o, key, &item, why);
	if (e != ERR_OK)
		return e;
	if (!cJSON_IsArray(item))
		return why_set(why, ERR_FORMAT, "'%s' is not an array", key);
	if ((size_t)cJSON_GetArraySize(item) > max_items)
		return why_set(why, ERR_RANGE, "'%s' has more than %zu items", key, max_items);
	*out = item;
	return ERR_OK;
}

enum err json_get_labels(const cJSON *o, const char *key, struct labels **out, struct why *why)
{
	struct labels_builder b;
	const cJSON *map;
	enum err e = json_get_object(o, key, &map, why);
	if (e != ERR_OK)
		return e;
	labels_builder_init(&b);
	for (const cJSON *one = map->child; one != NULL && e == ERR_OK; one = one->next) {
		if (!cJSON_IsString(one) || one->string == NULL || one->string[0] == '\0')
			e = why_set(why, ERR_FORMAT, "'%s' holds what is no text", key);
		else
			labels_builder_set(&b, one->string, one->valuestring);
	}
	if (e == ERR_OK)
		e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

/* ---- writing ---- */

static void put_escaped(struct buf *to, uint32_t c)
{
	static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	for (const char *p = short_forms; *p != '\0'; p += 2) {
		if ((uint32_t)(unsigned char)*p == c) {
			buf_putc(to, '\\');
			buf_putc(to, p[1]);
			return;
		}
	}
	buf_printf(to, "\\u%04x", (unsigned)c);
}

/* Characters that turn the writing direction round (Unicode's bidirectional controls). */
static bool turns_round(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

enum err json_put_string(struct buf *to, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	buf_putc(to, '"');
	while (p < end) {
		const char *run = p;
		while (p < end && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
			p++;
		buf_put(to, run, (size_t)(p - run));
		if (p == end)
			break;
		uint32_t c = text_decode(&p, end, NULL);
		char bytes[TEXT_UTF8_MAX];
		/* DEL, C1 controls and the like are legal in JSON, but the output may be looked at on a terminal. */
		if (c < 0xa0 || turns_round(c))
			put_escaped(to, c);
		else
			buf_put(to, bytes, text_encode(c, bytes));
	}
	return buf_putc(to, '"');
}

enum err json_put_f64(struct buf *to, double v)
{
	char text[NUMBER_TEXT];
	return buf_puts(to, isfinite(v) ? format_f64(v, text) : "null");
}

enum err json_put_tree(struct buf *to, const struct cJSON *tree)
{
	char *text = cJSON_PrintUnformatted(tree);
	if (text == NULL)
		return to->err != ERR_OK ? to->err : ERR_MEMORY;
	enum err e = buf_puts(to, text);
	cJSON_free(text);
	return e;
}
