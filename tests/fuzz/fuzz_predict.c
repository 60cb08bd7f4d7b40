/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies one after another, divided by 0x01 bytes, through one exposition, and each through a new one beside it; both must give exactly what a fresh strict parser gives. The
 * same of another node, whose bodies are these with "node-a" as "node-b". The first byte chooses the format: 'o' is OpenMetrics. */
#include "tests/fuzz/fuzz.h"

#include "base/stale.h"
#include "collectors/exposition.h"

static void compare(const struct scrape *a, const struct scrape *b)
{
	HOLDS(a->n == b->n && a->samples == b->samples && a->timestamps == b->timestamps && a->exemplars == b->exemplars);
	HOLDS(a->n_families == b->n_families);
	for (size_t i = 0; i < a->n; i++) {
		HOLDS(labels_equal(exposition_layout_series(a->layout)[i], exposition_layout_series(b->layout)[i]));
		HOLDS(f64_bits(a->values[i]) == f64_bits(b->values[i]));
	}
	for (size_t i = 0; i < a->n_families; i++)
		HOLDS(a->families[i].type == b->families[i].type && strcmp(a->families[i].name, b->families[i].name) == 0 &&
		       strcmp(a->families[i].help, b->families[i].help) == 0 && strcmp(a->families[i].unit, b->families[i].unit) == 0);
}

static void one(struct exposition_pool *shared, struct exposition *e, const char *body, size_t len, enum exposition_format format)
{
	struct exposition_pool *pool;
	struct exposition      *strict;
	struct scrape           a = { 0 }, b = { 0 };
	struct why              why_a = { "" }, why_b = { "" };
	if (exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &strict) != ERR_OK)
		return;
	enum err err_a = exposition_parse(e, body, len, format, &a, &why_a);
	enum err err_b = exposition_parse_strict(strict, body, len, format, &b, &why_b);
	HOLDS(err_a == err_b && strcmp(why_a.text, why_b.text) == 0);
	if (err_a == ERR_OK)
		compare(&a, &b);
	/* Another target, which has not been asked before: its texts are known by now. */
	struct exposition *other;
	struct why         why_c = { "" };
	if (exposition_new(shared, &other) == ERR_OK) {
		HOLDS(exposition_parse(other, body, len, format, &a, &why_c) == err_b && strcmp(why_c.text, why_b.text) == 0);
		if (err_b == ERR_OK)
			compare(&a, &b);
		exposition_free(other);
	}
	exposition_free(strict);
	exposition_pool_free(pool);
}

static void rename_node(char *body, size_t len)
{
	for (size_t i = 0; i + 6 <= len; i++)
		if (memcmp(body + i, "node-a", 6) == 0)
			body[i + 5] = 'b';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exposition_pool *pool;
	struct exposition      *e, *twin;
	char                   *copy = malloc(size + 1);
	if (size == 0 || copy == NULL || exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &e) != ERR_OK || exposition_new(pool, &twin) != ERR_OK) {
		free(copy);
		return 0;
	}
	enum exposition_format format = data[0] == 'o' ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
	const char *p = (const char *)data + 1, *end = (const char *)data + size;
	for (;;) {
		const char *cut = memchr(p, 1, (size_t)(end - p));
		const char *to = cut != NULL ? cut : end;
		size_t      n = (size_t)(to - p);
		one(pool, e, p, n, format);
		memcpy(copy, p, n);
		rename_node(copy, n);
		one(pool, twin, copy, n, format);
		if (cut == NULL)
			break;
		p = cut + 1;
	}
	exposition_free(e);
	exposition_free(twin);
	exposition_pool_free(pool);
	free(copy);
	return 0;
}
