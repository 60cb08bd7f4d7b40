/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static void notes_free(struct notes *n)
{
	free(n->series_of);
	free(n->checks);
	free(n->families);
	free(n->text);
	free(n);
}

/* Copies of `n` things; false when memory is short. None is NULL, and fine. */
static bool copy(void *to, const void *from, size_t n, size_t size)
{
	void *made = NULL;
	if (n > 0) {
		made = malloc(n * size);
		if (made == NULL)
			return false;
		memcpy(made, from, n * size);
	}
	memcpy(to, &made, sizeof made);
	return true;
}

static bool take_families(struct notes *n, const struct draft *d)
{
	n->n_families = d->n_families;
	n->text_len = d->text.len;
	n->families = calloc(d->n_families + 1, sizeof *n->families);
	if (n->families == NULL || !copy(&n->text, d->text.data, d->text.len, 1))
		return false;
	for (size_t i = 0; i < d->n_families; i++) {
		const struct draft_family *f = &d->families[i];
		n->families[i] = (struct exposition_family){ n->text + f->name, n->text + f->help, n->text + f->unit, f->type };
	}
	return true;
}

static bool take_series_of(struct notes *n, const struct draft *d, const struct choice *choice)
{
	n->n_lines = d->n_lines;
	if (d->n_lines == d->n_series && choice->place == NULL)
		return true;
	n->series_of = malloc((d->n_lines + 1) * sizeof *n->series_of);
	if (n->series_of == NULL)
		return false;
	for (size_t i = 0; i < d->n_lines; i++)
		n->series_of[i] = choice->place != NULL ? choice->place[d->lines[i].series] : d->lines[i].series;
	return true;
}

static uint64_t hash_of(const struct notes *n, uint64_t seed)
{
	const size_t sizes[] = { n->n_lines, n->n_checks, n->n_families, n->series_of != NULL };
	uint64_t     h = hash64(sizes, sizeof sizes, seed);
	if (n->text_len > 0)
		h = hash64(n->text, n->text_len, h);
	if (n->series_of != NULL)
		h = hash64(n->series_of, n->n_lines * sizeof *n->series_of, h);
	return n->n_checks > 0 ? hash64(n->checks, n->n_checks * sizeof *n->checks, h) : h;
}

static bool is_same_bytes(const void *a, const void *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

static bool is_same_family(const struct notes *a, const struct notes *b, size_t i)
{
	const struct exposition_family *x = &a->families[i], *y = &b->families[i];
	return x->type == y->type && x->name - a->text == y->name - b->text && x->help - a->text == y->help - b->text &&
	       x->unit - a->text == y->unit - b->text;
}

static bool is_same(const struct notes *a, const struct notes *b)
{
	bool is = a->hash == b->hash && a->n_lines == b->n_lines && a->n_checks == b->n_checks && a->n_families == b->n_families &&
	          a->text_len == b->text_len && (a->series_of == NULL) == (b->series_of == NULL) && is_same_bytes(a->text, b->text, a->text_len) &&
	          is_same_bytes(a->checks, b->checks, a->n_checks * sizeof *a->checks) &&
	          (a->series_of == NULL || is_same_bytes(a->series_of, b->series_of, a->n_lines * sizeof *a->series_of));
	for (size_t i = 0; is && i < a->n_families; i++)
		is = is_same_family(a, b, i);
	return is;
}

struct notes *notes_get(struct notes **buckets, const struct draft *d, const struct choice *choice)
{
	struct notes *n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->n_checks = d->n_checks;
	n->refs = 1;
	if (!take_families(n, d) || !take_series_of(n, d, choice) || !copy(&n->checks, d->checks, d->n_checks, sizeof *d->checks)) {
		notes_free(n);
		return NULL;
	}
	n->hash = hash_of(n, d->seed);
	struct notes **bucket = &buckets[n->hash % NOTES_BUCKETS];
	for (struct notes *known = *bucket; known != NULL; known = known->next) {
		if (!is_same(known, n))
			continue;
		notes_free(n);
		known->refs++;
		return known;
	}
	n->next = *bucket;
	*bucket = n;
	return n;
}

void notes_unref(struct notes **buckets, struct notes *n)
{
	if (n == NULL || --n->refs > 0)
		return;
	struct notes **at = &buckets[n->hash % NOTES_BUCKETS];
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	notes_free(n);
}
