/* SPDX-License-Identifier: Apache-2.0
 *
 * Several matchers that must all hold, as Alertmanager's silences and inhibit rules have them: read from what people type, from and to the JSON of
 * Alertmanager's API v2, and printed. What its own two parsers both take means the same here. Its
 * expressions are not quite Prometheus': '.' does not match a line feed.
 *
 * Threads: none while it is made; matching is thread-safe. */
#ifndef PITWALL_BASE_MATCHER_SET_H
#define PITWALL_BASE_MATCHER_SET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "base/matcher.h"

#include <stdbool.h>
#include <stddef.h>

/* More than this is ERR_LIMIT: nobody means it. */
enum { MATCHER_SET_MAX = 128, MATCHER_NAME_MAX = 1024, MATCHER_VALUE_MAX = 32000 };

struct matcher_set {
	struct matcher *items;
	size_t          n;
};

/* An empty one holds for everything. */
void matcher_set_init(struct matcher_set *s);
void matcher_set_release(struct matcher_set *s); /* safe on a zeroed or released one */

/* Adds one; texts are copied. ERR_FORMAT: the regular expression is wrong; ERR_LIMIT. A failure leaves the set as it was, here and below. */
enum err matcher_set_add(struct matcher_set *s, enum match kind, const char *name, const char *value, struct why *why);

/* Adds what is written in `text`: alertname="X", node=~"gpu-.*", job!=batch: commas between them and perhaps one behind the last, braces around them or
 * not. Values stand in double quotes or bare up to the next comma, blanks around them dropped; \" \\ \n are escapes in both, any other backslash is
 * itself. Names that are no plain identifiers may be quoted. ERR_FORMAT: why says in which column, counted in characters from 1. */
enum err matcher_set_parse(struct matcher_set *s, const char *text, struct why *why);

/* {alertname="X",node=~"gpu-.*"}; parses to an equal set. */
enum err matcher_set_print(const struct matcher_set *s, struct buf *to);

/* [{"name":"node","value":"gpu-.*","isRegex":true,"isEqual":true}, ...]. In what is read, isEqual may be missing (true). */
enum err matcher_set_put_json(const struct matcher_set *s, struct buf *to);
enum err matcher_set_parse_json(struct matcher_set *s, const char *json, size_t n, struct why *why);
struct cJSON;
enum err matcher_set_from_tree(struct matcher_set *s, const struct cJSON *array, struct why *why); /* of a larger answer */

bool matcher_set_matches(const struct matcher_set *s, const struct labels *l);
/* Same matchers in the same order. */
bool matcher_set_equal(const struct matcher_set *a, const struct matcher_set *b);

#endif
