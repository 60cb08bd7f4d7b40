/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layout_table.h"

#include <assert.h>
#include <stdlib.h>

void layout_table_release(struct layout_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		layout_free(t->items[i]);
	free(t->items);
	free(t->slots);
	*t = (struct layout_table){ 0 };
}

static void put_slot(struct layout_table *t, size_t entry)
{
	size_t at = t->items[entry - 1]->hash & (t->n_slots - 1);
	while (t->slots[at] != 0)
		at = (at + 1) & (t->n_slots - 1);
	t->slots[at] = entry;
}

/* Room for one more, with half of the slots empty. */
static bool grow(struct layout_table *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : t->cap * 2;
		struct layout **items = realloc(t->items, cap * sizeof(struct layout *));
		if (items == NULL)
			return false;
		t->items = items;
		t->cap = cap;
	}
	if ((t->n + 1) * 2 <= t->n_slots)
		return true;
	size_t n = t->n_slots == 0 ? 64 : t->n_slots * 2;
	size_t *slots = calloc(n, sizeof *slots);
	if (slots == NULL)
		return false;
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	for (size_t entry = 1; entry <= t->n; entry++)
		put_slot(t, entry);
	return true;
}

enum err layout_table_add(struct layout_table *t, struct layout *l, struct why *why)
{
	if (l == NULL || !grow(t)) {
		layout_free(l);
		return why_memory(why);
	}
	t->items[t->n++] = l;
	put_slot(t, t->n);
	return ERR_OK;
}

bool layout_table_has(const struct layout_table *t, int64_t id)
{
	for (size_t i = t->n; i > 0; i--)
		if (t->items[i - 1]->id == id)
			return true;
	return false;
}

/* ---- those that nobody has ---- */

static void end_idle(struct layout_table *t, struct layout *l)
{
	*(l->idle_prev != NULL ? &l->idle_prev->idle_next : &t->idle_first) = l->idle_next;
	*(l->idle_next != NULL ? &l->idle_next->idle_prev : &t->idle_last) = l->idle_prev;
	t->idle_series -= l->n;
	l->is_idle = false;
}

void layout_table_idle(struct layout_table *t, struct layout *l, uint64_t queued)
{
	assert(!l->is_idle && l->users == 0);
	l->is_idle = true;
	l->idle_count = queued;
	l->idle_prev = t->idle_last;
	l->idle_next = NULL;
	*(t->idle_last != NULL ? &t->idle_last->idle_next : &t->idle_first) = l;
	t->idle_last = l;
	t->idle_series += l->n;
}

struct layout *layout_table_take(struct layout_table *t, struct labels *const *series, size_t n, uint64_t hash)
{
	for (size_t at = hash; t->n_slots > 0 && t->slots[at & (t->n_slots - 1)] != 0; at++) {
		struct layout *l = t->items[t->slots[at & (t->n_slots - 1)] - 1];
		if (!layout_is(l, series, n, hash))
			continue;
		if (l->is_idle)
			end_idle(t, l);
		return l;
	}
	return NULL;
}

/* ---- removing ---- */

/* The slot of a layout that is there. */
static size_t slot_of(const struct layout_table *t, const struct layout *l)
{
	size_t at = l->hash & (t->n_slots - 1);
	while (t->items[t->slots[at] - 1] != l)
		at = (at + 1) & (t->n_slots - 1);
	return at;
}

/* Empties a slot. Those behind it that would not be found past the gap move up. */
static void free_slot(struct layout_table *t, size_t gap)
{
	size_t mask = t->n_slots - 1;
	for (size_t at = (gap + 1) & mask; t->slots[at] != 0; at = (at + 1) & mask) {
		size_t home = t->items[t->slots[at] - 1]->hash & mask;
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		t->slots[gap] = t->slots[at];
		gap = at;
	}
	t->slots[gap] = 0;
}

/* The last one takes its place. */
void layout_table_remove(struct layout_table *t, struct layout *l)
{
	struct layout *last = t->items[t->n - 1];
	assert(l->users == 0);
	if (l->is_idle)
		end_idle(t, l);
	size_t slot = slot_of(t, l), entry = t->slots[slot];
	free_slot(t, slot);
	if (last != l) {
		t->slots[slot_of(t, last)] = entry;
		t->items[entry - 1] = last;
	}
	t->n--;
	layout_free(l);
}
