/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/attention.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tui/alerts_data.h"

void attention_release(struct attention *a)
{
	free(a->seen);
	*a = (struct attention){ 0 };
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static bool is_critical(const struct alert_group_item *g)
{
	return g->phase == PHASE_FIRING && !g->is_hidden && g->severity >= SEVERITY_CRIT;
}

bool attention_is_due(struct attention *a, const struct view *v)
{
	size_t n = 0;
	bool is_due = false;
	if (v->mode != VIEW_LIVE || v->is_file || v->alerts == NULL)
		return false;
	uint64_t *now = calloc(v->alerts->n_crit + 1, sizeof *now);
	if (now == NULL)
		return false;
	for (size_t i = 0; i < v->alerts->n_groups && n < v->alerts->n_crit && n < ATTENTION_GROUPS_MAX; i++)
		if (is_critical(&v->alerts->groups[i]))
			now[n++] = hash64(v->alerts->groups[i].key, strlen(v->alerts->groups[i].key), 0);
	qsort(now, n, sizeof *now, by_value);
	for (size_t i = 0; a->has_looked && i < n && !is_due; i++)
		is_due = a->n == 0 || bsearch(&now[i], a->seen, a->n, sizeof *now, by_value) == NULL;
	free(a->seen);
	a->seen = now;
	a->n = n;
	a->has_looked = true;
	return is_due;
}
