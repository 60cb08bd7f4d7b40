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
	*past = (struct past){ "" };
	if (n <= sizeof past->text)
		memcpy(past->text, text, n);
}

/* ---- reading by a plan ---- */

/* How long the number at p is, with at least 16 bytes there, where it is the same text as the last time and ends where that ended; else 0. */
static inline size_t past_len(const struct past *past, const char *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t a, b;
	memcpy(&a, past, sizeof a);
	memcpy(&b, p, sizeof b);
	if (a == 0)
		return 0;
	unsigned behind = (unsigned)__builtin_clzll(a) & ~7U;
	size_t   n = sizeof a - behind / 8;
	return (a ^ b) << behind == 0 && (unsigned char)p[n] <= ' ' ? n : 0;
#else
	size_t n = strnlen(past->text, sizeof past->text);
	return memcmp(past->text, p, n) == 0 && (unsigned char)p[n] <= ' ' ? n : 0;
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
	for (size_t i = 0; i < p->notes->n_checks; i++) {
		const struct check *c = &p->notes->checks[i];
		if (!check_holds(c->kind, values[c->line], values[c->other]))
			return false;
	}
	return true;
}

/* Reads the number at *at, the one of this line, and steps behind it. */
static inline bool take_number(const char **at, const char *end, double *value, struct past *past)
{
	const char *p = *at;
	size_t      same = past != NULL && end - p >= 16 ? past_len(past, p) : 0;
	if (same > 0) {
		*at = p + same;
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

static inline bool take_text(const char **at, const char *end, const char *text, size_t n)
{
	if ((size_t)(end - *at) < n || memcmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

bool plan_predict(const struct plan *p, const char *body, size_t len, double *values, struct past *past)
{
	const char *at = body, *end = body + len;
	size_t      line = 0;
	if (!p->can_predict)
		return false;
	for (size_t k = 0; k < p->n_chunks; k++) {
		struct chunk *const *part = p->chunks[k]->is_joined ? chunk_parts(p->chunks[k]) : NULL;
		const struct chunk  *c = part != NULL ? part[0] : p->chunks[k];
		const char          *text = chunk_text(c);
		for (size_t i = 0; i < c->n; text += chunk_lengths(c)[i], i++, line++) {
			if (!take_text(&at, end, text, chunk_lengths(c)[i]))
				return false;
			if (part != NULL && part[1 + i] != NULL && !take_text(&at, end, chunk_text(part[1 + i]), part[1 + i]->text_len))
				return false;
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
		chunk_unref(&p->pool->chunks, p->chunks[i]);
	free(p->chunks);
	notes_unref(p->pool->notes, p->notes);
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

/* Cuts the body at its numbers. */
static bool take_pieces(struct plan *p, const struct draft *d, const char *body, size_t len)
{
	struct chunk_tails tails = { 0 };
	size_t n = (d->n_lines + CHUNK_PIECES) / CHUNK_PIECES;
	p->n_lines = d->n_lines;
	p->chunks = malloc(n * sizeof(struct chunk *));
	if (p->chunks == NULL)
		return false;
	for (p->hash = d->seed; p->n_chunks < n; p->n_chunks++) {
		struct chunk *c = chunk_get(&p->pool->chunks, d, &tails, p->n_chunks * CHUNK_PIECES, body, len);
		if (c == NULL)
			break;
		p->chunks[p->n_chunks] = c;
		p->hash = hash64(&c->hash, sizeof c->hash, p->hash);
	}
	chunk_tails_release(&tails);
	return p->n_chunks == n;
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
	p->notes = notes_get(pool->notes, d, choice);
	if (p->notes == NULL)
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
