/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies one after another, divided by 0x01 bytes, through one exposition with a ceiling, which the first byte gives. What is kept has the
 * values that the body has, what is missing from it is stale, no more is kept than may be, and no series is lost without being counted. */
#include "tests/fuzz/fuzz.h"

#include "base/stale.h"
#include "collectors/exposition.h"

static void compare(const struct scrape *kept, const struct scrape *all, size_t max)
{
	size_t n_stale = 0, dropped = kept->cut != NULL ? kept->cut->dropped : 0;
	HOLDS(kept->n <= max && kept->samples == all->samples && kept->duplicates == all->duplicates);
	for (size_t i = 0; i < kept->n; i++) {
		size_t k = 0;
		while (k < all->n && !labels_equal(exposition_layout_series(all->layout)[k], exposition_layout_series(kept->layout)[i]))
			k++;
		HOLDS(f64_bits(kept->values[i]) == (k < all->n ? f64_bits(all->values[k]) : STALE_BITS));
		n_stale += k == all->n;
	}
	HOLDS(kept->n - n_stale + dropped == all->n);
	HOLDS(kept->cut == NULL || (kept->cut->said == all->n && kept->cut->dropped > 0 && kept->cut->metric != NULL));
}

static void one(struct exposition *e, size_t max, const char *body, size_t len)
{
	struct exposition_pool *pool;
	struct exposition      *strict;
	struct scrape           a = { 0 }, b = { 0 };
	struct why              why_a = { "" }, why_b = { "" };
	if (exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &strict) != ERR_OK)
		return;
	enum err err_a = exposition_parse(e, body, len, EXPOSITION_TEXT, &a, &why_a);
	enum err err_b = exposition_parse_strict(strict, body, len, EXPOSITION_TEXT, &b, &why_b);
	HOLDS(err_a == err_b && strcmp(why_a.text, why_b.text) == 0);
	if (err_a == ERR_OK)
		compare(&a, &b, max);
	exposition_free(strict);
	exposition_pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exposition_pool *pool;
	struct exposition      *e;
	if (size == 0 || exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &e) != ERR_OK)
		return 0;
	size_t max = 1 + data[0] % 32;
	exposition_limit(e, max, 10000);
	const char *p = (const char *)data + 1, *end = (const char *)data + size;
	for (;;) {
		const char *cut = memchr(p, 1, (size_t)(end - p));
		const char *to = cut != NULL ? cut : end;
		one(e, max, p, (size_t)(to - p));
		if (cut == NULL)
			break;
		p = cut + 1;
	}
	exposition_free(e);
	exposition_pool_free(pool);
	return 0;
}
