/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fold_order.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/codec.h"
#include "store/store.h"

enum { SLOTS = 4096, SERIES_MAX = 1 << 20 };

/* *out stands at its row, until it is reset. */
static enum err find_layout(struct db *db, int64_t layout, sqlite3_stmt **out, struct why *why)
{
	sqlite3_stmt *s = *out = db_statement(db, STMT_LAYOUT);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(s, 1, layout);
	enum err e = db_step(db, s, why);
	return e == ERR_NOT_FOUND ? db_corrupt(db, "a layout is missing", why) : e;
}

enum err fold_layout_count(struct db *db, int64_t layout, size_t *n, struct why *why)
{
	*n = 0;
	if (layout == 0)
		return ERR_OK;
	sqlite3_stmt *s;
	enum err e = find_layout(db, layout, &s, why);
	if (e != ERR_OK)
		return e;
	int64_t size = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	if (size < 0 || size > LAYOUT_SERIES_MAX)
		return db_corrupt(db, "a layout of impossible size", why);
	*n = (size_t)size;
	return ERR_OK;
}

enum err fold_order(struct db *db, int64_t layout, struct block_order **out, struct why *why)
{
	struct labels **series;
	size_t n;
	sqlite3_stmt *s;
	if (layout == 0)
		return block_order_new(NULL, 0, out, why);
	enum err e = find_layout(db, layout, &s, why);
	if (e != ERR_OK)
		return e;
	e = layout_decode(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), &series, &n, why);
	sqlite3_reset(s);
	if (e != ERR_OK)
		return e;
	e = block_order_new(series, n, out, why);
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	free(series);
	return e;
}

/* ---- kept ---- */

static void forget(struct fold_orders *o)
{
	for (size_t i = 0; i < o->n; i++)
		block_order_free(o->orders[i]);
	o->n = o->n_series = 0;
	if (o->slots != NULL)
		memset(o->slots, 0, SLOTS * sizeof *o->slots);
}

void fold_orders_release(struct fold_orders *o)
{
	forget(o);
	free(o->slots);
	*o = (struct fold_orders){ 0 };
}

static bool is_same(const struct block_order *a, const struct block_order *b)
{
	return a->n == b->n && (a->n == 0 || (memcmp(a->position, b->position, a->n * sizeof *a->position) == 0 &&
	                                      memcmp(a->follows, b->follows, a->n * sizeof *a->follows) == 0));
}

/* Takes it over; returns it, or the one that is there and the same. */
static const struct block_order *keep(struct fold_orders *o, struct block_order *order)
{
	for (size_t i = 0; i < o->n; i++)
		if (is_same(o->orders[i], order)) {
			block_order_free(order);
			return o->orders[i];
		}
	if (o->n == FOLD_ORDERS_MAX || o->n_series + order->n > SERIES_MAX)
		forget(o);
	o->orders[o->n++] = order;
	o->n_series += order->n;
	return order;
}

/* A layout's number may have been another one's before, which went: then it has as many series or the order is made anew. One of as many costs bytes, never a
 * value. */
enum err fold_orders_get(struct fold_orders *o, struct db *db, int64_t layout, const struct block_order **out, struct why *why)
{
	size_t n;
	if (o->slots == NULL && (o->slots = calloc(SLOTS, sizeof *o->slots)) == NULL)
		return why_memory(why);
	struct fold_order_slot *slot = &o->slots[(uint64_t)layout % SLOTS];
	enum err e = fold_layout_count(db, layout, &n, why);
	if (e != ERR_OK)
		return e;
	if (slot->order == NULL || slot->layout != layout || slot->order->n != n) {
		struct block_order *order;
		e = fold_order(db, layout, &order, why);
		if (e != ERR_OK)
			return e;
		const struct block_order *kept = keep(o, order); /* which may empty the slots */
		*slot = (struct fold_order_slot){ layout, kept };
	}
	*out = slot->order;
	return ERR_OK;
}
