/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/draft.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/room.h"

enum { KEPT_LINES = 65536, TEXT_MAX = 64 << 20 };

bool check_holds(enum check_kind kind, double v, double other)
{
	switch (kind) {
	case CHECK_NOT_NEGATIVE: return !(v < 0);
	case CHECK_NOT_NAN:      return !isnan(v);
	case CHECK_ONE:          return v >= 1 && v <= 1;
	case CHECK_ZERO_OR_ONE:  return (v >= 0 && v <= 0) || (v >= 1 && v <= 1);
	case CHECK_NOT_BELOW:    return !(v < other);
	case CHECK_EQUAL:        return v >= other && v <= other;
	}
	return false;
}

const char *check_sentence(enum check_kind kind)
{
	static const char *const sentences[] = {
#define X(name, sentence) sentence,
		CHECK_LIST(X)
#undef X
	};
	return sentences[kind];
}

void draft_init(struct draft *d, uint64_t seed)
{
	*d = (struct draft){ .seed = seed };
	buf_init(&d->text, TEXT_MAX);
	table_init(&d->by_series, seed);
	table_init(&d->by_name, seed);
	table_init(&d->by_group, seed);
}

void draft_release(struct draft *d)
{
	for (size_t i = 0; i < d->n_own; i++)
		labels_unref(d->own[i]);
	free(d->lines);
	free(d->values);
	free(d->series);
	free(d->own);
	free(d->checks);
	free(d->families);
	buf_release(&d->text);
	table_release(&d->by_series);
	table_release(&d->by_name);
	table_release(&d->by_group);
}

void draft_clear(struct draft *d)
{
	if (d->cap_lines > KEPT_LINES || d->text.cap > (1 << 20)) {
		uint64_t seed = d->seed;
		draft_release(d);
		draft_init(d, seed);
		return;
	}
	for (size_t i = 0; i < d->n_own; i++)
		labels_unref(d->own[i]);
	d->n_own = d->n_tabled = 0;
	d->n_lines = d->n_series = d->n_checks = d->n_families = 0;
	d->timestamps = d->exemplars = d->longest_line = 0;
	buf_clear(&d->text);
	table_clear(&d->by_series);
	table_clear(&d->by_name);
	table_clear(&d->by_group);
}

bool draft_lines_grow(struct draft *d)
{
	size_t cap = d->cap_lines == 0 ? 256 : d->cap_lines * 2;
	struct draft_line *lines = realloc(d->lines, cap * sizeof *lines);
	if (lines == NULL)
		return false;
	d->lines = lines;
	double *values = realloc(d->values, cap * sizeof *values);
	if (values == NULL)
		return false;
	d->values = values;
	d->cap_lines = cap;
	return true;
}

bool draft_checks_grow(struct draft *d)
{
	return room_for(&d->checks, &d->cap_checks, d->n_checks + 1, 64, sizeof *d->checks);
}

bool draft_series_grow(struct draft *d)
{
	return room_for(&d->series, &d->cap_series, d->n_series + 1, 64, sizeof(struct labels *));
}

/* Those that were lent stand in no table until one is to be compared with them. */
static enum err catch_up(struct draft *d)
{
	enum err e = ERR_OK;
	for (; d->n_tabled < d->n_series && e == ERR_OK; d->n_tabled += e == ERR_OK)
		e = table_add(&d->by_series, labels_hash(d->series[d->n_tabled]), (uint32_t)d->n_tabled);
	return e;
}

enum err draft_series(struct draft *d, struct labels *labels, uint32_t *out)
{
	uint64_t hash = labels_hash(labels);
	size_t   probe = 0;
	enum err e = catch_up(d);
	if (e != ERR_OK)
		return e;
	for (uint32_t at; (at = table_next(&d->by_series, hash, &probe)) != TABLE_NONE;) {
		if (labels_equal(d->series[at], labels)) {
			labels_unref(labels);
			*out = at;
			return ERR_OK;
		}
	}
	if (!room_for(&d->own, &d->cap_own, d->n_own + 1, 64, sizeof(struct labels *)))
		return ERR_MEMORY;
	e = draft_series_lent(d, labels, out);
	if (e == ERR_OK)
		e = catch_up(d);
	if (e == ERR_OK)
		d->own[d->n_own++] = labels;
	return e;
}

enum err draft_text(struct draft *d, const char *text, size_t n, uint32_t *out)
{
	size_t at = d->text.len;
	buf_put(&d->text, text, n);
	if (buf_putc(&d->text, '\0') != ERR_OK)
		return d->text.err;
	*out = (uint32_t)at;
	return ERR_OK;
}

uint32_t draft_family_find(const struct draft *d, const char *name, size_t n)
{
	uint64_t hash = hash64(name, n, d->seed);
	size_t   probe = 0;
	uint32_t at;
	while ((at = table_next(&d->by_name, hash, &probe)) != TABLE_NONE) {
		const struct draft_family *f = &d->families[at];
		if (f->name_len == n && memcmp(d->text.data + f->name, name, n) == 0)
			return at;
	}
	return TABLE_NONE;
}

enum err draft_family_add(struct draft *d, const char *name, size_t n, int line, uint32_t *out)
{
	struct draft_family f = { .name_len = (uint32_t)n, .line = line };
	if (!room_for(&d->families, &d->cap_families, d->n_families + 1, 64, sizeof f))
		return ERR_MEMORY;
	enum err e = draft_text(d, name, n, &f.name);
	if (e != ERR_OK)
		return e;
	f.help = f.unit = f.name + (uint32_t)n; /* the NUL: "" */
	e = table_add(&d->by_name, hash64(name, n, d->seed), (uint32_t)d->n_families);
	if (e != ERR_OK)
		return e;
	*out = (uint32_t)d->n_families;
	d->families[d->n_families++] = f;
	return ERR_OK;
}
