/* SPDX-License-Identifier: Apache-2.0 */
#include "store/uses.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/room.h"

enum { USES_FIRST = 16 };

static const char *metric_of(const struct matcher *m, size_t n_m)
{
	for (size_t i = 0; i < n_m; i++)
		if (m[i].kind == MATCH_EQUAL && strcmp(m[i].name, LABEL_NAME) == 0 && m[i].value[0] != '\0')
			return m[i].value;
	return NULL;
}

static int by_track(const void *a, const void *b)
{
	const struct track_use *x = a, *y = b;
	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	return (x->layout > y->layout) - (x->layout < y->layout);
}

enum err uses_find(struct db *db, const struct matcher *m, size_t n_m, struct track_use **out, size_t *n, struct why *why)
{
	const char *metric = metric_of(m, n_m);
	size_t cap = 0;
	*out = NULL;
	*n = 0;
	sqlite3_stmt *s = db_statement(db, metric != NULL ? STMT_USES_OF_METRIC : STMT_USES);
	if (s == NULL)
		return db_error(db, why);
	if (metric != NULL)
		sqlite3_bind_text(s, 1, metric, -1, SQLITE_STATIC);
	enum err e;
	while ((e = db_step(db, s, why)) == ERR_OK) {
		if (!room_for(out, &cap, *n + 1, USES_FIRST, sizeof **out)) {
			sqlite3_reset(s);
			return why_memory(why);
		}
		(*out)[(*n)++] = (struct track_use){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int(s, 2) };
	}
	if (e == ERR_NOT_FOUND && *n > 0)
		qsort(*out, *n, sizeof **out, by_track);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

bool uses_target_may_match(const struct matcher *m, size_t n_m, const struct labels *target)
{
	for (size_t i = 0; i < n_m; i++) {
		const struct label *l = label_is_own(m[i].name) ? NULL : labels_find(target, m[i].name);
		if (l != NULL && !matcher_value_matches(&m[i], l->value, l->value_len))
			return false;
	}
	return true;
}

bool uses_name_may_match(const struct matcher *m, size_t n_m, const struct labels *series)
{
	const struct label *name = labels_find(series, LABEL_NAME);
	for (size_t i = 0; i < n_m; i++)
		if (strcmp(m[i].name, LABEL_NAME) == 0 && !matcher_value_matches(&m[i], name != NULL ? name->value : "", name != NULL ? name->value_len : 0))
			return false;
	return true;
}
