/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layout.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"

uint64_t layout_hash(struct labels *const *series, size_t n)
{
	uint64_t h = n;
	for (size_t i = 0; i < n; i++) {
		uint64_t one = labels_hash(series[i]);
		h = (h ^ one) * UINT64_C(0x9e3779b97f4a7c15); /* odd: a bijection, so no difference is lost on the way */
		h ^= h >> 29;
	}
	return h;
}

bool layout_is(const struct layout *l, struct labels *const *series, size_t n, uint64_t hash)
{
	if (l->hash != hash || l->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (l->series[i] != series[i] && !labels_equal(l->series[i], series[i]))
			return false;
	return true;
}

struct layout *layout_new(int64_t id, struct labels *const *series, size_t n, uint64_t hash)
{
	struct labels **copy = calloc(n + 1, sizeof(struct labels *));
	struct layout *l = malloc(sizeof *l);
	if (copy == NULL || l == NULL) {
		free(copy);
		free(l);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		copy[i] = labels_ref(series[i]);
	*l = (struct layout){ .id = id, .hash = hash, .n = n, .series = copy };
	return l;
}

struct layout *layout_take(int64_t id, struct labels **series, size_t n)
{
	struct layout *l = malloc(sizeof *l);
	if (l != NULL) {
		*l = (struct layout){ .id = id, .hash = layout_hash(series, n), .n = n, .series = series, .is_read = true };
		return l;
	}
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	free(series);
	return NULL;
}

void layout_adopt(struct layout *l, struct labels *const *series)
{
	for (size_t i = 0; i < l->n; i++) {
		struct labels *old = l->series[i];
		l->series[i] = labels_ref(series[i]);
		labels_unref(old);
	}
	l->is_read = false;
}

void layout_free(struct layout *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		labels_unref(l->series[i]);
	free(l->series);
	free(l);
}

size_t layout_size(const struct layout *l) { return l->n; }

const struct labels *layout_series(const struct layout *l, size_t i)
{
	assert(i < l->n);
	return l->series[i];
}
