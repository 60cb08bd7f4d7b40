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
	return g->phase == PHASE_FIRING && !g->is_hidden && g->source[0] == '\0' && g->severity >= SEVERITY_CRIT;
}

static bool has_seen(const struct attention *a, uint64_t key)
{
	return a->n > 0 && bsearch(&key, a->seen, a->n, sizeof key, by_value) != NULL;
}

const struct alert_group_item *attention_due(struct attention *a, const struct view *v)
{
	size_t n = 0;
	const struct alert_group_item *due = NULL;
	if (v->mode != VIEW_LIVE || v->is_file || v->alerts == NULL)
		return NULL;
	uint64_t *now = calloc(v->alerts->n_crit + 1, sizeof *now);
	if (now == NULL)
		return NULL;
	for (size_t i = 0; i < v->alerts->n_groups && n < v->alerts->n_crit && n < ATTENTION_GROUPS_MAX; i++) {
		const struct alert_group_item *g = &v->alerts->groups[i];
		if (!is_critical(g))
			continue;
		now[n] = hash64(g->key, strlen(g->key), 0);
		if (a->has_looked && due == NULL && !has_seen(a, now[n]))
			due = g;
		n++;
	}
	if (n > 0)
		qsort(now, n, sizeof *now, by_value);
	free(a->seen);
	a->seen = now;
	a->n = n;
	a->has_looked = true;
	return due;
}

enum err attention_text(const struct alert_group_item *g, struct buf *to)
{
	buf_puts(to, g->rule);
	if (g->model[0] != '\0')
		buf_printf(to, " %s", g->model);
	if (g->node[0] != '\0')
		buf_printf(to, " %s", g->node);
	return g->summary[0] != '\0' ? buf_printf(to, ": %s", g->summary) : to->err;
}
