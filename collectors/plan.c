/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "collectors/decimal.h"

/* Text of bodies of which not all series are kept, of all targets together: what comes beyond is parsed strictly each time. */
enum { OWN_BYTES_MAX = 64 << 20 };

void past_set(struct past *past, const char *text, size_t n)
{
	past->len = 0;
	if (n > sizeof past->text)
		return;
	memcpy(past->text, text, n);
	past->len = (uint8_t)n;
}

/* ---- reading by a plan ---- */

/* Is the number at p, with at least 16 bytes there, the same text as the last time, and does it end where that ended? */
static inline bool is_past(const struct past *past, const char *p)
{
	size_t n = past->len;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t a[2], b[2];
	memcpy(a, past, sizeof a);
	memcpy(b, p, sizeof b);
	uint64_t low = a[0] ^ b[0], high = a[1] ^ b[1];
	if (n <= 8)
		low = n == 0 ? 1 : low << (64 - 8 * n), high = 0;
	else
		high <<= 128 - 8 * n;
	return (low | high) == 0 && (unsigned char)p[n] <= ' ';
#else
	return n > 0 && memcmp(past->text, p, n) == 0 && (unsigned char)p[n] <= ' ';
#endif
}

/* Anything that is not a plain decimal of 19 digits: infinities, NaNs, long and extreme numbers. */
static const char *read_odd_number(const char *p, const char *end, double *out)
{
	const char *q = p;
	while (q < end && q - p <= EXPOSITION_NUMBER_MAX && *q != ' ' && *q != '\t' && *q != '\n')
		q++;
	return number_parse(p, (size_t)(q - p), out) == ERR_OK ? q : NULL;
}

/* Reads the number at p; returns where it ends, or NULL. The piece that follows says whether it had to end there. */
static inline const char *read_number(const char *p, const char *end, double *out)
{
	struct decimal d;
	const char    *q = decimal_scan(p, end, &d);
	if (q != NULL && q - p <= EXPOSITION_NUMBER_MAX && decimal_quick(&d, out))
		return q;
	return read_odd_number(p, end, out);
}

static bool checks_hold(const struct plan *p, const double *values)
{
	for (size_t i = 0; i < p->n_checks; i++) {
		const struct check *c = &p->checks[i];
		if (!check_holds(c->kind, values[c->line], values[c->other]))
			return false;
	}
	return true;
}

/* Reads the number at *at, the one of this line, and steps behind it. */
static inline bool take_number(const char **at, const char *end, double *value, struct past *past)
{
	const char *p = *at;
	if (past != NULL && end - p >= 16 && is_past(past, p)) {
		*at = p + past->len;
		return true;
	}
	double      v;
	const char *behind = read_number(p, end, &v);
	if (behind == NULL)
		return false;
	*value = v;
	if (past != NULL)
		past_set(past, p, (size_t)(behind - p));
	*at = behind;
	return true;
}

bool plan_predict(const struct plan *p, const char *body, size_t len, double *values, struct past *past)
{
	const char *at = body, *end = body + len;
	size_t      line = 0;
	if (!p->can_predict)
		return false;
	for (size_t k = 0; k < p->n_chunks; k++) {
		const struct chunk *c = p->chunks[k];
		const char         *text = c->text;
		for (size_t i = 0; i < c->n; i++, line++) {
			size_t n = c->piece_len[i];
			if ((size_t)(end - at) < n || memcmp(at, text, n) != 0)
				return false;
			at += n;
			text += n;
			if (line < p->n_lines && !take_number(&at, end, &values[line], past != NULL ? &past[line] : NULL))
				return false;
		}
	}
	return at == end && checks_hold(p, values);
}

/* ---- making plans ---- */

static void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_chunks; i++)
		chunk_unref(p->pool->chunks, p->chunks[i]);
	free(p->chunks);
	free(p->series_of);
	free(p->checks);
	free(p->families);
	free(p->family_text);
	exposition_layout_unref(p->layout);
	p->pool->own_bytes -= p->own_bytes;
	free(p);
}

void plan_unref(struct plan *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	struct plan **at = &p->pool->plans[p->hash % POOL_BUCKETS];
	while (!p->is_own && *at != p)
		at = &(*at)->next;
	if (!p->is_own)
		*at = p->next;
	plan_free(p);
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

/* Cuts the body at its numbers. */
static bool take_pieces(struct plan *p, const struct draft *d, const char *body, size_t len)
{
	size_t n = (d->n_lines + CHUNK_PIECES) / CHUNK_PIECES;
	p->n_lines = d->n_lines;
	p->chunks = malloc(n * sizeof(struct chunk *));
	if (p->chunks == NULL)
		return false;
	for (p->hash = d->seed; p->n_chunks < n; p->n_chunks++) {
		struct chunk *c = chunk_get(p->pool->chunks, d, p->n_chunks * CHUNK_PIECES, body, len);
		if (c == NULL)
			return false;
		p->chunks[p->n_chunks] = c;
		p->hash = hash64(&c->hash, sizeof c->hash, p->hash);
	}
	return true;
}

static bool take_families(struct plan *p, const struct draft *d)
{
	p->n_families = d->n_families;
	p->families = calloc(d->n_families + 1, sizeof *p->families);
	if (p->families == NULL || !copy(&p->family_text, d->text.data, d->text.len, 1))
		return false;
	for (size_t i = 0; i < d->n_families; i++) {
		const struct draft_family *f = &d->families[i];
		p->families[i] = (struct exposition_family){ p->family_text + f->name, p->family_text + f->help,
			                                     p->family_text + f->unit, f->type };
	}
	return true;
}

static bool take_series_of(struct plan *p, const struct draft *d, const struct choice *choice)
{
	if (d->n_lines == d->n_series && choice->place == NULL)
		return true;
	p->series_of = malloc(d->n_lines * sizeof *p->series_of);
	if (p->series_of == NULL)
		return false;
	for (size_t i = 0; i < d->n_lines; i++)
		p->series_of[i] = choice->place != NULL ? choice->place[d->lines[i].series] : d->lines[i].series;
	return true;
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
	return a->hash == b->hash && a->format == b->format && a->n_lines == b->n_lines && a->n_chunks == b->n_chunks &&
	       memcmp(a->chunks, b->chunks, a->n_chunks * sizeof(struct chunk *)) == 0;
}

/* What is the target's own. Without its text it is never predicted. */
static enum err take_own(struct plan *p, const struct draft *d, const char *body, size_t len)
{
	p->is_own = true;
	p->n_lines = d->n_lines;
	if (len > OWN_BYTES_MAX - p->pool->own_bytes) {
		p->can_predict = false;
		return ERR_OK;
	}
	p->own_bytes = len;
	p->pool->own_bytes += len;
	return take_pieces(p, d, body, len) ? ERR_OK : ERR_MEMORY;
}

static struct plan *find_same(struct plan *p)
{
	struct plan *known = p->pool->plans[p->hash % POOL_BUCKETS];
	while (known != NULL && !same_plan(known, p))
		known = known->next;
	return known;
}

/* Text and cuts are all that a plan depends on that keeps all series: where they are known, the rest is too. */
enum err plan_get(struct exposition_pool *pool, const struct draft *d, const char *body, size_t len, enum exposition_format format,
                  const struct exposition_layout *before, const struct choice *choice, struct plan **out)
{
	struct plan *p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_MEMORY;
	*p = (struct plan){ .pool = pool, .refs = 1, .format = format, .timestamps = d->timestamps, .exemplars = d->exemplars,
		            .n_said = d->n_series, .can_predict = d->longest_line + EXPOSITION_NUMBER_MAX <= EXPOSITION_LINE_MAX };
	enum err e = ERR_MEMORY;
	if (choice->place != NULL ? take_own(p, d, body, len) != ERR_OK : !take_pieces(p, d, body, len))
		goto fail;
	struct plan *known = p->is_own ? NULL : find_same(p);
	if (known != NULL) {
		plan_free(p);
		known->refs++;
		*out = known;
		return ERR_OK;
	}
	p->n_checks = d->n_checks;
	if (!take_families(p, d) || !take_series_of(p, d, choice) || !copy(&p->checks, d->checks, d->n_checks, sizeof *d->checks))
		goto fail;
	e = layout_get(pool, choice->series, choice->n, before, &p->layout);
	if (e != ERR_OK)
		goto fail;
	if (!p->is_own) {
		p->next = pool->plans[p->hash % POOL_BUCKETS];
		pool->plans[p->hash % POOL_BUCKETS] = p;
	}
	*out = p;
	return ERR_OK;
fail:
	plan_free(p);
	return e;
}
