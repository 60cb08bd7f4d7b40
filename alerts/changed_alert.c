/* SPDX-License-Identifier: Apache-2.0
 *
 * From an alert to the question what changed when it began. */
#include "alerts/changed.h"

#include <string.h>

#include "store/alerts.h"
#include "store/reader.h"

struct asking {
	int64_t      id;
	struct arena *a;
	const char  *rule; /* NULL: not found yet */
	const char  *node, *group, *model;
	int64_t      active_ms;
	const char **affected; /* CHANGED_NODES_MAX */
	size_t       n_affected;
};

static const char *node_of(const struct labels *l)
{
	const char *node = labels_get(l, "node");
	return node[0] != '\0' ? node : labels_get(l, "instance");
}

static enum err see_alert(void *ctx, const struct alert_row *row)
{
	struct asking *q = ctx;
	q->rule = arena_text(q->a, row->rule);
	q->node = arena_text(q->a, node_of(row->labels));
	q->group = arena_text(q->a, labels_get(row->labels, "group"));
	q->model = arena_text(q->a, labels_get(row->labels, "model"));
	q->active_ms = row->active_ms;
	return arena_failed(q->a) ? ERR_MEMORY : ERR_OK;
}

static enum err see_other(void *ctx, const struct alert_row *row)
{
	struct asking *q = ctx;
	const char *node = node_of(row->labels);
	if (row->id == q->id || node[0] == '\0' || strcmp(row->rule, q->rule) != 0 || q->n_affected == CHANGED_NODES_MAX)
		return ERR_OK;
	q->affected[q->n_affected] = arena_text(q->a, node);
	return q->affected[q->n_affected++] != NULL ? ERR_OK : ERR_MEMORY;
}

enum err changed_question_of_alert(struct reader *r, int64_t id, int64_t at_ms, struct arena *a, struct changed_question *out, struct why *why)
{
	struct asking q = { .id = id, .a = a, .affected = arena_zeroed(a, CHANGED_NODES_MAX, sizeof *q.affected) };
	enum err e = q.affected == NULL ? ERR_MEMORY : reader_alerts(r, at_ms, 0, id, see_alert, &q, why);
	if (e == ERR_OK && q.rule == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no alert %lld", (long long)id);
	if (e == ERR_OK)
		e = reader_alerts(r, at_ms, 0, 0, see_other, &q, why);
	if (e != ERR_OK)
		return e == ERR_MEMORY ? why_memory(why) : e;
	if (q.node[0] == '\0' && q.group[0] == '\0' && q.model[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "alert %lld is about no node, group or model", (long long)id);
	*out = (struct changed_question){ .node = q.node, .group = q.group, .model = q.model, .affected = q.affected, .n_affected = q.n_affected,
		                          .onset_ms = q.active_ms, .until_ms = at_ms };
	return ERR_OK;
}
