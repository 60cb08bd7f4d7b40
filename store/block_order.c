/* SPDX-License-Identifier: Apache-2.0
 *
 * Which series are one classic histogram: those of NAME_bucket whose labels are the same but for `le`, and NAME_count with these labels. Buckets are
 * cumulative, so that a bucket moves nearly as the one below it does. Families are told apart by a hash alone: where two fall together, a few columns take
 * more bytes, and come out right all the same. */
#include "store/block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "base/stale.h"

struct member {
	uint64_t family;
	double   bound; /* NaN: of no histogram */
	uint32_t position, first; /* first: of the family's in the layout */
};

static bool ends_in(const struct label *name, const char *tail, size_t n)
{
	return name->value_len > n && memcmp(name->value + name->value_len - n, tail, n) == 0;
}

static double bound_of(const struct label *le)
{
	double v;
	if (strcmp(le->value, "+Inf") == 0)
		return HUGE_VAL;
	return parse_f64(le->value, -HUGE_VAL, HUGE_VAL, &v) == ERR_OK ? v : HUGE_VAL;
}

static struct member member_of(const struct labels *l, uint32_t position)
{
	static const char bucket[] = "_bucket", count[] = "_count";
	struct member m = { .bound = f64_from_bits(NORMAL_NAN_BITS), .position = position, .first = position };
	const struct label *name = labels_find(l, LABEL_NAME), *le = labels_find(l, "le");
	bool is_bucket = name != NULL && le != NULL && ends_in(name, bucket, sizeof bucket - 1);
	if (!is_bucket && (name == NULL || le != NULL || !ends_in(name, count, sizeof count - 1)))
		return m;
	m.family = hash64(name->value, name->value_len - (is_bucket ? sizeof bucket : sizeof count) + 1, 0);
	for (size_t i = 0; i < labels_count(l); i++) {
		const struct label *at = labels_at(l, i);
		if (at == name || at == le)
			continue;
		m.family = hash64(at->name, at->name_len, m.family);
		m.family = hash64(at->value, at->value_len, m.family);
	}
	m.bound = is_bucket ? bound_of(le) : HUGE_VAL;
	return m;
}

static int by_family(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (isnan(x->bound) != isnan(y->bound))
		return isnan(x->bound) ? 1 : -1;
	if (x->bound < y->bound || x->bound > y->bound)
		return x->bound < y->bound ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* Families where their first member stands in the layout, their members together; all else stays where it is. */
static int by_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return by_family(a, b);
}

static void name_families(struct member *all, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		uint32_t first = all[i].position;
		for (end = i + 1; end < n && all[end].family == all[i].family && !isnan(all[i].bound) && !isnan(all[end].bound); end++)
			first = all[end].position < first ? all[end].position : first;
		for (size_t k = i; k < end; k++)
			all[k].first = first;
	}
}

static enum err arrange(struct block_order *o, struct labels *const *series, struct why *why)
{
	struct member *all = malloc((o->n + 1) * sizeof *all);
	if (all == NULL)
		return why_memory(why);
	for (size_t i = 0; i < o->n; i++)
		all[i] = member_of(series[i], (uint32_t)i);
	qsort(all, o->n, sizeof *all, by_family);
	name_families(all, o->n);
	qsort(all, o->n, sizeof *all, by_place);
	for (size_t k = 0, chain = 0; k < o->n; k++) {
		o->position[k] = all[k].position;
		bool is_next = k > 0 && !isnan(all[k].bound) && !isnan(all[k - 1].bound) && all[k].family == all[k - 1].family;
		chain = is_next && chain < BLOCK_CHAIN_MAX ? chain + 1 : 0;
		o->follows[k] = chain > 0;
	}
	free(all);
	return ERR_OK;
}

enum err block_order_new(struct labels *const *series, size_t n, struct block_order **out, struct why *why)
{
	struct block_order *o = calloc(1, sizeof *o);
	if (o == NULL)
		return why_memory(why);
	o->n = n;
	o->position = malloc((n + 1) * sizeof *o->position);
	o->follows = calloc(n + 1, sizeof *o->follows);
	enum err e = o->position == NULL || o->follows == NULL ? why_memory(why) : arrange(o, series, why);
	if (e != ERR_OK) {
		block_order_free(o);
		return e;
	}
	*out = o;
	return ERR_OK;
}

void block_order_free(struct block_order *o)
{
	if (o == NULL)
		return;
	free(o->position);
	free(o->follows);
	free(o);
}
