/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of a table sorted into groups by a part of their labels, and what aggregations share. */
#ifndef PITWALL_QUERY_GROUPS_H
#define PITWALL_QUERY_GROUPS_H

#include "query/eval.h"

enum { NO_ROW = UINT32_MAX };

struct group {
	const struct labels *labels;
	bool                 drop_name;
	uint32_t             first, last; /* rows, chained by groups.next */
	size_t               n;
};
struct groups {
	struct group *items;
	size_t        n;
	uint32_t     *next;
	size_t        largest;
};

/* Those of a table whose rows have the same values of the labels named, or of all but those and the metric name; in the order of first sight. With label
 * sets of their own, or with those of each one's first row. */
enum err groups_make(struct eval *ev, const struct table *t, const struct names *names, bool is_without, bool wants_labels, struct groups *out);
/* The groups of a table of an aggregation, made or remembered. */
enum err groups_find(struct eval *ev, const struct node *n, const struct table *t, struct groups *out);

/* ---- pick.c ---- */
/* topk, bottomk, limitk: of each group the k[step] first rows. */
enum err pick_groups(struct eval *ev, const struct node *n, const struct grid *g, const struct table *t, const struct groups *groups, const double *k,
                     struct value *out);

#endif
