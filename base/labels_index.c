/* SPDX-License-Identifier: Apache-2.0 */
#include "base/labels_index.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_LEAST = 16 };

void labels_index_init(struct labels_index *x, const struct labels *(*of)(const void *owner, size_t number), const void *owner)
{
	*x = (struct labels_index){ .of = of, .owner = owner };
}

void labels_index_release(struct labels_index *x)
{
	free(x->entries);
	x->entries = NULL;
	x->size = 0;
}

void labels_index_put(struct labels_index *x, size_t number)
{
	size_t at = labels_hash(x->of(x->owner, number)) & (x->size - 1);
	while (x->entries[at] != 0)
		at = (at + 1) & (x->size - 1);
	x->entries[at] = (uint32_t)number + 1;
}

static void put_all(struct labels_index *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels_index_put(x, i);
}

enum err labels_index_room(struct labels_index *x, size_t n_there, size_t n)
{
	size_t size = x->size != 0 ? x->size : SIZE_LEAST;
	while (size < n * 2)
		size *= 2;
	if (size == x->size)
		return ERR_OK;
	uint32_t *entries = calloc(size, sizeof *entries);
	if (entries == NULL)
		return ERR_MEMORY;
	free(x->entries);
	x->entries = entries;
	x->size = size;
	put_all(x, n_there);
	return ERR_OK;
}

enum err labels_index_fill(struct labels_index *x, size_t n)
{
	if (labels_index_room(x, 0, n) != ERR_OK)
		return ERR_MEMORY;
	memset(x->entries, 0, x->size * sizeof *x->entries);
	put_all(x, n);
	return ERR_OK;
}

bool labels_index_find(const struct labels_index *x, const struct labels *l, size_t *number)
{
	if (x->size == 0)
		return false;
	for (size_t at = labels_hash(l) & (x->size - 1); x->entries[at] != 0; at = (at + 1) & (x->size - 1)) {
		if (labels_equal(x->of(x->owner, x->entries[at] - 1), l)) {
			*number = x->entries[at] - 1;
			return true;
		}
	}
	return false;
}
