/* SPDX-License-Identifier: Apache-2.0 */
#include "base/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/regex.h"

enum err matcher_init(struct matcher *m, enum match kind, const char *name, const char *value, struct why *why)
{
	struct matcher made = { .kind = kind };
	enum err e = ERR_OK;
	if (kind == MATCH_REGEX || kind == MATCH_NOT_REGEX)
		e = regex_new(value, &made.regex, why);
	if (e != ERR_OK)
		return e;
	made.name = strdup(name);
	made.value = strdup(value);
	if (made.name == NULL || made.value == NULL) {
		matcher_release(&made);
		return why_memory(why);
	}
	*m = made;
	return ERR_OK;
}

void matcher_release(struct matcher *m)
{
	free(m->name);
	free(m->value);
	regex_free(m->regex);
	*m = (struct matcher){ 0 };
}

bool matcher_value_matches(const struct matcher *m, const char *value, size_t n)
{
	switch (m->kind) {
	case MATCH_EQUAL: return strlen(m->value) == n && memcmp(m->value, value, n) == 0;
	case MATCH_NOT_EQUAL: return strlen(m->value) != n || memcmp(m->value, value, n) != 0;
	case MATCH_REGEX: return regex_matches(m->regex, value, n);
	case MATCH_NOT_REGEX: return !regex_matches(m->regex, value, n);
	}
	return false;
}

bool matcher_matches(const struct matcher *m, const struct labels *l)
{
	const struct label *found = labels_find(l, m->name);
	return found != NULL ? matcher_value_matches(m, found->value, found->value_len) : matcher_value_matches(m, "", 0);
}

bool matchers_match(const struct matcher *m, size_t n, const struct labels *l)
{
	for (size_t i = 0; i < n; i++)
		if (!matcher_matches(&m[i], l))
			return false;
	return true;
}
