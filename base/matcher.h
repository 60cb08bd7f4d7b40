/* SPDX-License-Identifier: Apache-2.0
 *
 * Label matchers as in PromQL: =, !=, =~, !~. A label that is not there matches as the empty value. Regular expressions are RE2's, fully
 * anchored, matched in linear time. Immutable once made; matching is thread-safe. */
#ifndef PITWALL_BASE_MATCHER_H
#define PITWALL_BASE_MATCHER_H

#include "base/err.h"
#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>

enum match { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct regex;
struct matcher {
	enum match    kind;
	char         *name, *value; /* owned */
	struct regex *regex;        /* owned; only for the regular kinds */
};

/* Texts are copied. ERR_FORMAT: the regular expression is wrong (why says where). */
enum err matcher_init(struct matcher *m, enum match kind, const char *name, const char *value, struct why *why);
void     matcher_release(struct matcher *m);

bool matcher_value_matches(const struct matcher *m, const char *value, size_t n);
bool matcher_matches(const struct matcher *m, const struct labels *l);
bool matchers_match(const struct matcher *m, size_t n, const struct labels *l); /* all of them */

#endif
