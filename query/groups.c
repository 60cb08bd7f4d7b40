/* SPDX-License-Identifier: Apache-2.0 */
#include "query/groups.h"

#include <string.h>

#include "query/memo.h"

enum err group_labels(struct eval *ev, const struct labels *l, const struct names *names, bool is_without, const struct labels **out)
{
	struct label few[FEW_PAIRS], *kept = few;
	size_t n = 0;
	enum err e = eval_pairs(ev, labels_count(l), few, &kept);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < labels_count(l); i++) {
		const struct label *p = labels_at(l, i);
		bool is_named = names_have(names, p->name, p->name_len);
		if (is_without ? !is_named && strcmp(p->name, LABEL_NAME) != 0 : is_named)
			kept[n++] = *p;
	}
	return eval_labels_of(ev, kept, n, out);
}

enum err groups_make(struct eval *ev, const struct table *t, const struct names *names, bool is_without, bool wants_labels, struct groups *out)
{
	struct signatures *s = NULL;
	void *items, *next;
	bool is_one = !is_without && names->n == 0; /* all rows are one group, whatever their labels */
	*out = (struct groups){ .items = NULL };
	if (t->n == 0)
		return ERR_OK;
	enum err e = is_one ? ERR_OK : signatures_new(ev, 64, &s);
	if (e == ERR_OK)
		e = eval_alloc(ev, is_one ? 1 : t->n, sizeof(struct group), &items);
	if (e == ERR_OK)
		e = eval_alloc(ev, t->n, sizeof(uint32_t), &next);
	if (e != ERR_OK)
		return e;
	*out = (struct groups){ .items = items, .next = next };
	for (size_t i = 0; i < t->n; i++) {
		size_t at = 0;
		row_prefetch(t, i);
		if (s != NULL)
			e = signatures_add(ev, s, t->rows[i].labels, names, !is_without, false, &at);
		if (e != ERR_OK)
			return e;
		struct group *group = &out->items[at];
		out->next[i] = NO_ROW;
		if (at == out->n) {
			out->n++;
			group->labels = t->rows[i].labels;
			if (wants_labels)
				e = group_labels(ev, t->rows[i].labels, names, is_without, &group->labels);
			if (e != ERR_OK)
				return e;
			group->first = (uint32_t)i;
		} else {
			out->next[group->last] = (uint32_t)i;
		}
		group->last = (uint32_t)i;
		group->drop_name |= t->rows[i].drop_name;
		if (++group->n > out->largest)
			out->largest = group->n;
	}
	return ERR_OK;
}

enum err groups_find(struct eval *ev, const struct node *n, const struct table *t, struct groups *out)
{
	const struct memo *kept = memo_find(ev, n, t, NULL);
	if (kept != NULL) {
		*out = (struct groups){ memo_part(kept, 0), memo_number(kept, 0), memo_part(kept, 1), memo_number(kept, 1) };
		return ERR_OK;
	}
	enum err e = groups_make(ev, t, &n->u.aggregate.names, n->u.aggregate.is_without, true, out);
	if (e != ERR_OK || out->n == 0)
		return e;
	const struct memo_part parts[] = { { out->items, out->n * sizeof *out->items }, { out->next, t->n * sizeof *out->next } };
	struct memo *m = memo_keep(ev, n, t, NULL, parts, 2, out->n, out->n, out->largest);
	for (size_t i = 0; m != NULL && i < out->n; i++)
		memo_refer(m, out->items[i].labels);
	return ERR_OK;
}
