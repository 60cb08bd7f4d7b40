/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which the series of a layout stand in blocks (block.h). It comes from their label sets, all of which have to be decoded and sorted for it;
 * like nodes have layouts of their own, for their names stand in them, but one order. So orders are kept, each once, with the last layouts that had them.
 * Not thread-safe. */
#ifndef PITWALL_STORE_FOLD_ORDER_H
#define PITWALL_STORE_FOLD_ORDER_H

#include "store/block.h"
#include "store/db.h"

enum { FOLD_ORDERS_MAX = 64 /* that are kept; beyond, or with a million series in them, all are forgotten */ };

/* Of a layout, 0: of none. Free it with block_order_free. */
enum err fold_order(struct db *db, int64_t layout, struct block_order **out, struct why *why);

/* Zeroed is empty. */
struct fold_orders {
	struct fold_order_slot {
		int64_t                   layout;
		const struct block_order *order; /* NULL: the slot is free */
	}                  *slots;
	struct block_order *orders[FOLD_ORDERS_MAX];
	size_t              n, n_series;
};
void fold_orders_release(struct fold_orders *o);

/* As fold_order. *out holds until the next call. */
enum err fold_orders_get(struct fold_orders *o, struct db *db, int64_t layout, const struct block_order **out, struct why *why);

/* How many series a layout has. */
enum err fold_layout_count(struct db *db, int64_t layout, size_t *n, struct why *why);

#endif
