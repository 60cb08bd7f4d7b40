/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 64, KEPT_SLOTS = 65536, SAME_HASH_MAX = 64 };

void table_init(struct table *t, uint64_t seed)
{
	*t = (struct table){ .seed = seed | 1 };
}

void table_release(struct table *t)
{
	free(t->slots);
	*t = (struct table){ .seed = t->seed };
}

void table_clear(struct table *t)
{
	if (t->cap > KEPT_SLOTS) {
		table_release(t);
		return;
	}
	for (size_t i = 0; i < t->cap; i++)
		t->slots[i].value = TABLE_NONE;
	t->n = 0;
}

static size_t place(const struct table *t, uint64_t hash)
{
	uint64_t mixed = (hash ^ hash >> 32) * t->seed;
	return (size_t)(mixed >> 32 ^ mixed) & (t->cap - 1);
}

uint32_t table_next(const struct table *t, uint64_t hash, size_t *probe)
{
	if (t->cap == 0)
		return TABLE_NONE;
	for (size_t at = place(t, hash);; (*probe)++) {
		const struct table_slot *s = &t->slots[(at + *probe) & (t->cap - 1)];
		if (s->value == TABLE_NONE)
			return TABLE_NONE;
		if (s->hash == hash) {
			(*probe)++;
			return s->value;
		}
	}
}

uint32_t *table_last(const struct table *t, uint64_t hash, size_t probe)
{
	assert(probe > 0);
	return &t->slots[(place(t, hash) + probe - 1) & (t->cap - 1)].value;
}

static enum err grow(struct table *t)
{
	struct table bigger = { .cap = t->cap == 0 ? SMALLEST : t->cap * 2, .n = t->n, .seed = t->seed };
	bigger.slots = malloc(bigger.cap * sizeof *bigger.slots);
	if (bigger.slots == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < bigger.cap; i++)
		bigger.slots[i].value = TABLE_NONE;
	for (size_t i = 0; i < t->cap; i++) {
		if (t->slots[i].value == TABLE_NONE)
			continue;
		size_t at = place(&bigger, t->slots[i].hash);
		while (bigger.slots[at].value != TABLE_NONE)
			at = (at + 1) & (bigger.cap - 1);
		bigger.slots[at] = t->slots[i];
	}
	free(t->slots);
	*t = bigger;
	return ERR_OK;
}

enum err table_add(struct table *t, uint64_t hash, uint32_t value)
{
	assert(value != TABLE_NONE);
	if (t->n * 2 >= t->cap) {
		enum err e = grow(t);
		if (e != ERR_OK)
			return e;
	}
	size_t at = place(t, hash);
	for (int same = 0; t->slots[at].value != TABLE_NONE; at = (at + 1) & (t->cap - 1))
		if (t->slots[at].hash == hash && ++same >= SAME_HASH_MAX)
			return ERR_LIMIT;
	t->slots[at] = (struct table_slot){ hash, value };
	t->n++;
	return ERR_OK;
}
