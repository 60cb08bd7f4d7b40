/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a body by a plan: the wide way (collectors/wide.h) as far as it goes, and the plain one, which can do all. */
#include "collectors/plan.h"

#include <string.h>

#include "collectors/decimal.h"
#include "collectors/wide.h"

/* ---- the plain way ---- */

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

static inline bool take_text(struct reading *r, const char *text, size_t n)
{
	if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
		return false;
	r->at += n;
	return true;
}

static bool take_text_of(struct reading *r, struct pieces *c)
{
	const struct chunk *tail = c->tail != NULL ? *c->tail : NULL;
	if (!take_text(r, c->text, *c->len) || (tail != NULL && !take_text(r, chunk_text(tail), tail->text_len)))
		return false;
	c->text += *c->len;
	c->len++;
	if (c->tail != NULL)
		c->tail++;
	c->n--;
	return true;
}

/* ---- both ---- */

/* The commonest kind is looked at without a call or a jump. */
static bool checks_hold(const struct notes *notes, const double *values)
{
	bool is_negative = false;
	for (size_t i = 0; i < notes->n_checks; i++) {
		const struct check *c = &notes->checks[i];
		if (c->kind == CHECK_NOT_NEGATIVE)
			is_negative |= values[c->line] < 0;
		else if (!check_holds(c->kind, values[c->line], values[c->other]))
			return false;
	}
	return !is_negative;
}

static struct pieces pieces_of(const struct chunk *c)
{
	struct chunk *const *part = c->is_joined ? chunk_parts(c) : NULL;
	const struct chunk  *whole = part != NULL ? part[0] : c;
	return (struct pieces){ chunk_text(whole), chunk_lengths(whole), part != NULL ? part + 1 : NULL, whole->n };
}

static bool take_number(struct reading *r, bool is_wide)
{
	double      v;
	const char *behind = is_wide && r->end - r->at >= WIDE_ROOM ? wide_number(r->at, &v) : NULL;
	if (behind == NULL)
		behind = read_number(r->at, r->end, &v);
	if (behind == NULL)
		return false;
	*r->value++ = v;
	r->at = behind;
	r->has_text = false;
	return true;
}

/* A stretch of text with its numbers; behind the very last piece is none. */
static bool take_chunk(struct reading *r, const struct chunk *k, bool is_last, bool is_wide)
{
	struct pieces c = pieces_of(k);
	while (c.n > 0) {
		if (is_wide && c.n > is_last && r->end - r->at >= WIDE_ROOM)
			wide_take(r, &c, c.n - is_last);
		if (!r->has_text && c.n == 0)
			break;
		if (!r->has_text && !take_text_of(r, &c))
			return false;
		if (is_last && c.n == 0)
			break;
		if (!take_number(r, is_wide))
			return false;
	}
	return true;
}

bool predict_plainly;

bool plan_predict(const struct plan *p, const char *body, size_t len, double *values)
{
	struct reading r = { .at = body, .end = body + len, .value = values };
	if (!p->can_predict)
		return false;
	bool is_wide = !predict_plainly && wide_is_there();
	for (size_t k = 0; k < p->n_chunks; k++)
		if (!take_chunk(&r, p->chunks[k], k + 1 == p->n_chunks, is_wide))
			return false;
	return r.at == r.end && checks_hold(p->notes, values);
}
