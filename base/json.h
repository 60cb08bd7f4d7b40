/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON from outside, read by cJSON behind ceilings; getters that check type and range; and writing. The tree is cJSON's own: free it with
 * cJSON_Delete. */
#ifndef PITWALL_BASE_JSON_H
#define PITWALL_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

/* 0 in a field stands for its default. A value takes some 64 bytes of memory, so `values` is what bounds it. */
struct json_limits {
	size_t bytes;  /* 16 MiB */
	size_t depth;  /* 64 */
	size_t values; /* 500,000 */
};

/* The whole text is one value, blanks around it aside. `limits` may be NULL. ERR_LIMIT: a ceiling; ERR_FORMAT: not JSON (why tells line and
 * column), or a string with a NUL in it or that is not UTF-8. */
enum err json_parse(const char *text, size_t n, const struct json_limits *limits, struct cJSON **out, struct why *why);

/* The member `key` of the object `o` (an `o` that is no object or NULL has none). ERR_NOT_FOUND: it is not there, or null; ERR_FORMAT: of another
 * type, or a number that is no integer; ERR_RANGE: outside [min, max], or longer than max_len bytes. Integers are exact up to 2^53 and refused
 * beyond. Texts and trees are lent. */
enum err json_get_i64(const struct cJSON *o, const char *key, int64_t min, int64_t max, int64_t *out, struct why *why);
enum err json_get_f64(const struct cJSON *o, const char *key, double min, double max, double *out, struct why *why);
enum err json_get_bool(const struct cJSON *o, const char *key, bool *out, struct why *why);
enum err json_get_string(const struct cJSON *o, const char *key, size_t max_len, const char **out, struct why *why);
enum err json_get_object(const struct cJSON *o, const char *key, const struct cJSON **out, struct why *why);
enum err json_get_array(const struct cJSON *o, const char *key, size_t max_items, const struct cJSON **out, struct why *why);

/* The members of the object `key`, all of them texts, as a label set of the caller's. Else as above; ERR_LIMIT and ERR_FORMAT also as labels_new has them. */
struct labels;
enum err json_get_labels(const struct cJSON *o, const char *key, struct labels **out, struct why *why);

/* Writing: appends the text as a JSON string with its quotes (bytes that are not UTF-8 become U+FFFD), a number (null for what JSON cannot
 * say: NaN and infinity), or a whole tree without blanks. */
enum err json_put_string(struct buf *to, const char *text, size_t n);
enum err json_put_f64(struct buf *to, double v);
enum err json_put_tree(struct buf *to, const struct cJSON *tree);

#endif
