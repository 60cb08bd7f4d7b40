/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to query/: what a batch keeps. */
#ifndef PITWALL_QUERY_BATCH_PRIVATE_H
#define PITWALL_QUERY_BATCH_PRIVATE_H

#include "query/batch.h"
#include "query/eval.h"

enum { MEMO_WAYS = 4, MEMO_PARTS = 3 };

/* What a node made of the label sets of one or two tables. The sets are referenced, so that an address stays what it was. */
struct memo_row {
	const struct labels *labels;
	bool                 drop_name;
};
struct memo {
	struct memo     *next_retired;
	size_t           n[2];    /* rows of each table */
	struct memo_row *rows;    /* one table's behind the other's */
	struct labels  **made;    /* referenced */
	size_t           n_made, cap_made;
	unsigned         hits;    /* lately */
	void            *parts[MEMO_PARTS]; /* as given to memo_keep, copied */
	size_t           counts[2];         /* the caller's */
};

/* Equal expressions are of one class. */
struct batch_class {
	struct memo *ways[MEMO_WAYS];
	unsigned     next_way, misses;
	unsigned     uses;       /* by other classes, and by queries */
	bool         is_known;   /* in this round: `value`, which cost so many samples */
	struct value value;
	size_t       samples;
};

struct query_batch {
	struct query       **queries;
	size_t               n;
	struct batch_class  *classes; /* [n_classes + 1]; the first is nobody's */
	size_t               n_classes;
	/* of a round */
	bool                 is_open;
	const uint8_t       *empty;
	struct arena         arena;
	struct series_set   *sets;
	struct labels      **made;
	size_t               n_sets, cap_sets, n_made, cap_made;
	struct memo         *retired;  /* may be in use until the round ends */
	uint32_t            *known;    /* classes whose value is known: [n_known] */
	size_t               n_known;
};

/* ---- batch_classes.c: gives each node its class ---- */
enum err batch_classify(struct query_batch *b, bool (*varies)(void *ctx, const struct matcher *m, size_t n), void *ctx, struct why *why);

/* ---- batch.c ---- */
/* eval_node for a query of a batch. */
enum err batch_node(struct eval *ev, const struct node *n, const struct grid *g, struct value *out);
void     batch_lend(struct query_batch *b, struct eval *ev);   /* the round's memory, to an evaluation */
void     batch_take_back(struct query_batch *b, struct eval *ev);

#endif
