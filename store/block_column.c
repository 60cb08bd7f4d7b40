/* SPDX-License-Identifier: Apache-2.0 */
#include "store/block_column.h"

#include <stdlib.h>
#include <string.h>

#include "base/stale.h"
#include "store/decimal.h"

enum { EXCEPTIONS_SHARE = 8 /* one value in so many may be no decimal */ };

enum err column_room_init(struct column_room *c, size_t rows)
{
	*c = (struct column_room){ .rows = rows };
	size_t cells = (rows + 1) * 8;
	char *at = calloc(7, cells);
	c->memory = at;
	c->before.present = calloc(rows + 1, 2);
	if (at == NULL || c->before.present == NULL) {
		column_room_release(c);
		return ERR_MEMORY;
	}
	c->now.present = c->before.present + rows + 1;
	c->before.m = (int64_t *)(void *)at;
	c->now.m = (int64_t *)(void *)(at + cells);
	c->v = (double *)(void *)(at + 2 * cells);
	c->x = (int64_t *)(void *)(at + 3 * cells);
	c->r = (int64_t *)(void *)(at + 4 * cells);
	c->u = (uint64_t *)(void *)(at + 5 * cells);
	c->exceptions = (size_t *)(void *)(at + 6 * cells);
	return ERR_OK;
}

void column_room_release(struct column_room *c)
{
	bool *first = c->before.present;
	if (c->now.present != NULL && c->now.present < first) /* they change places */
		first = c->now.present;
	free(first);
	free(c->memory);
	*c = (struct column_room){ 0 };
}

void column_room_start(struct column_room *c)
{
	c->before.n = c->rows;
	c->before.exponent = 0;
	c->before.is_decimal = true;
	memset(c->before.m, 0, c->rows * sizeof *c->before.m);
	memset(c->before.present, true, c->rows);
}

size_t column_bytes_max(size_t rows)
{
	return 3 + 4 * VARINT_MAX + rows * 2 + rows / EXCEPTIONS_SHARE * (8 + 2) + pack_bytes_max(rows);
}

/* ---- writing ---- */

static size_t find_presence(struct column_room *c, const double *values)
{
	size_t n = 0;
	for (size_t i = 0; i < c->rows; i++) {
		c->v[n] = values[i];
		c->now.present[i] = !is_stale(values[i]);
		n += c->now.present[i];
	}
	return n;
}

static uint8_t *put_presence(uint8_t *to, const bool *present, size_t rows)
{
	bool is = true;
	for (size_t i = 0; i < rows; is = !is) {
		size_t from = i;
		while (i < rows && present[i] == is)
			i++;
		to += varint_put(to, i - from);
	}
	return to;
}

/* The least exponent, from `e` on, with which v is a decimal; EXPONENT_NONE: there is none. */
static unsigned raise_exponent(double v, unsigned e)
{
	int64_t m;
	for (; e <= EXPONENT_MAX && fabs(v * decimal_powers[e]) < INTEGER_LIMIT; e++)
		if (decimal_at(v, e, &m))
			return e;
	return EXPONENT_NONE;
}

static bool all_integers(const double *v, size_t n, int64_t *m)
{
	bool are = true;
	for (size_t i = 0; i < n && are; i++)
		are = as_integer(v[i], &m[i]);
	return are;
}

/* All of c->v as mantissas of one exponent, but for a few exceptions. */
static bool find_decimals(struct column_room *c, size_t n, unsigned *exponent, size_t *n_exceptions)
{
	unsigned e = 0;
	size_t bad = 0, most = n / EXCEPTIONS_SHARE;
	*exponent = 0;
	*n_exceptions = 0;
	if (all_integers(c->v, n, c->now.m))
		return true;
	for (size_t i = 0; i < n; i++) {
		unsigned to = raise_exponent(c->v[i], e);
		if (to != EXPONENT_NONE)
			e = to;
		else if (++bad > most)
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (decimal_at(c->v[i], e, &c->now.m[i]))
			continue;
		if (*n_exceptions == most)
			return false;
		c->exceptions[(*n_exceptions)++] = i;
		c->now.m[i] = i > 0 ? c->now.m[i - 1] : 0;
	}
	*exponent = e;
	return true;
}

static uint8_t *put_exceptions(const struct column_room *c, size_t n_exceptions, uint8_t *to)
{
	to += varint_put(to, n_exceptions);
	for (size_t i = 0, next = 0; i < n_exceptions; i++) {
		uint64_t le = htole64(f64_bits(c->v[c->exceptions[i]]));
		to += varint_put(to, c->exceptions[i] - next);
		memcpy(to, &le, sizeof le);
		to += sizeof le;
		next = c->exceptions[i] + 1;
	}
	return to;
}

/* How a run of numbers is reduced to smaller ones, and about how many bits these take. */
struct reduction {
	const int64_t   *x;
	enum column_kind kind;
	bool             is_against;
	uint64_t         bits;
};

static void consider(struct reduction *best, const int64_t *x, enum column_kind kind, bool is_against, uint64_t bits)
{
	if (bits < best->bits)
		*best = (struct reduction){ x, kind, is_against, bits };
}

static bool is_constant(const int64_t *x, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

/* n > 2. Measured in one pass; the packing of the best alone is planned exactly. */
static void weigh_mantissas(const int64_t *x, size_t n, bool is_against, struct reduction *best)
{
	int64_t least = x[0], most = x[0], d = x[1] - x[0];
	uint64_t bits1 = bits_length(zigzag(d)), bits2 = 0, ored1 = (uint64_t)d, ored2 = 0, signs = d != 0;
	bool rises = d >= 0;
	least = x[1] < least ? x[1] : least;
	most = x[1] > most ? x[1] : most;
	for (size_t i = 2; i < n; i++) {
		int64_t step = x[i] - x[i - 1];
		least = x[i] < least ? x[i] : least;
		most = x[i] > most ? x[i] : most;
		bits1 += bits_length(zigzag(step));
		signs += step != 0;
		rises &= step >= 0;
		bits2 += bits_length(zigzag(step - d));
		ored1 |= (uint64_t)step;
		ored2 |= (uint64_t)(step - d);
		d = step;
	}
	bits1 -= rises ? signs : 0; /* what never falls is packed without a sign */
	uint64_t zeros1 = ored1 == 0 ? 0 : (uint64_t)__builtin_ctzll(ored1), zeros2 = ored2 == 0 ? 0 : (uint64_t)__builtin_ctzll(ored2);
	consider(best, x, COLUMN_DELTA, is_against, bits1 - (bits1 > zeros1 * n ? zeros1 * n : bits1));
	consider(best, x, COLUMN_DELTA2, is_against, bits2 - (bits2 > zeros2 * n ? zeros2 * n : bits2) + 8);
	consider(best, x, COLUMN_PLAIN, is_against, bits_length((uint64_t)(most - least)) * n);
}

static void weigh_bits(const int64_t *x, size_t n, struct reduction *best)
{
	int64_t least = x[0], most = x[0];
	uint64_t bits1 = 0, bits_xor = 0;
	for (size_t i = 1; i < n; i++) {
		uint64_t xored = (uint64_t)x[i] ^ (uint64_t)x[i - 1];
		least = x[i] < least ? x[i] : least;
		most = x[i] > most ? x[i] : most;
		bits1 += bits_length(zigzag((int64_t)((uint64_t)x[i] - (uint64_t)x[i - 1])));
		bits_xor += bits_length(xored);
	}
	consider(best, x, COLUMN_BITS_DELTA, false, bits1);
	consider(best, x, COLUMN_BITS_XOR, false, bits_xor);
	/* Zero bits at the end are the same in all three. */
	consider(best, x, COLUMN_BITS, false, bits_length((uint64_t)most - (uint64_t)least) * n);
}

/* Numbers that are left after the first ones stood plain. */
static size_t reduce(const struct reduction *by, size_t n, int64_t *r)
{
	const uint64_t *x = (const uint64_t *)by->x;
	switch (by->kind) {
	case COLUMN_DELTA:
	case COLUMN_BITS_DELTA:
		for (size_t i = 1; i < n; i++)
			r[i - 1] = (int64_t)(x[i] - x[i - 1]);
		return n - 1;
	case COLUMN_DELTA2:
		for (size_t i = 2; i < n; i++)
			r[i - 2] = (int64_t)(x[i] - 2 * x[i - 1] + x[i - 2]);
		return n - 2;
	case COLUMN_BITS_XOR:
		for (size_t i = 1; i < n; i++)
			r[i - 1] = (int64_t)(x[i] ^ x[i - 1]);
		return n - 1;
	case COLUMN_PLAIN:
	case COLUMN_BITS:
	case COLUMN_CONSTANT:
	case COLUMN_BITS_CONSTANT:
		break;
	}
	memcpy(r, x, n * sizeof *r);
	return n;
}

static uint8_t *put_bits(uint8_t *to, int64_t bits)
{
	uint64_t le = htole64((uint64_t)bits);
	memcpy(to, &le, sizeof le);
	return to + sizeof le;
}

static uint8_t *put_numbers(struct column_room *c, const struct reduction *by, size_t n, uint8_t *tag, uint8_t *to)
{
	struct packing packing;
	*tag |= (uint8_t)by->kind;
	if (by->kind == COLUMN_CONSTANT)
		return to + varint_put(to, zigzag(by->x[0]));
	if (by->kind == COLUMN_BITS_CONSTANT)
		return put_bits(to, by->x[0]);
	if (by->kind == COLUMN_BITS_DELTA || by->kind == COLUMN_BITS_XOR)
		to = put_bits(to, by->x[0]);
	if (by->kind == COLUMN_DELTA || by->kind == COLUMN_DELTA2)
		to += varint_put(to, zigzag(by->x[0]));
	if (by->kind == COLUMN_DELTA2)
		to += varint_put(to, zigzag(by->x[1] - by->x[0]));
	size_t left = reduce(by, n, c->r);
	pack_plan(c->r, left, c->u, &packing);
	if (packing.shift > 0)
		*tag |= COLUMN_SHIFTED;
	return pack_put(to, &packing, c->u, left);
}

static void choose_mantissas(struct column_room *c, size_t n, bool may_be_against, struct reduction *by)
{
	const int64_t *m = c->now.m;
	*by = (struct reduction){ m, COLUMN_CONSTANT, false, UINT64_MAX };
	if (is_constant(m, n))
		return;
	if (may_be_against) {
		for (size_t i = 0; i < n; i++)
			c->x[i] = m[i] - c->before.m[i];
		by->x = c->x;
		by->is_against = true;
		if (is_constant(c->x, n))
			return;
	}
	if (n > 2) {
		weigh_mantissas(m, n, false, by);
		if (may_be_against)
			weigh_mantissas(c->x, n, true, by);
	} else {
		*by = (struct reduction){ m, COLUMN_DELTA, false, 0 };
	}
}

static void choose_bits(struct column_room *c, size_t n, struct reduction *by)
{
	for (size_t i = 0; i < n; i++)
		c->x[i] = (int64_t)f64_bits(c->v[i]);
	*by = (struct reduction){ c->x, COLUMN_BITS_CONSTANT, false, UINT64_MAX };
	if (!is_constant(c->x, n))
		weigh_bits(c->x, n, by);
}

static uint8_t *put_values(struct column_room *c, size_t n, bool may_be_against, uint8_t *tag, uint8_t *to)
{
	struct reduction by;
	size_t n_exceptions;
	c->now.is_decimal = find_decimals(c, n, &c->now.exponent, &n_exceptions);
	if (!c->now.is_decimal) {
		choose_bits(c, n, &by);
		return put_numbers(c, &by, n, tag, to);
	}
	if (c->now.exponent > 0) {
		*tag |= COLUMN_EXPONENT;
		*to++ = (uint8_t)c->now.exponent;
	}
	if (n_exceptions > 0) {
		*tag |= COLUMN_EXCEPTIONS;
		to = put_exceptions(c, n_exceptions, to);
	}
	bool may = may_be_against && (*tag & COLUMN_PRESENCE) == 0 && c->before.is_decimal && c->before.exponent == c->now.exponent;
	choose_mantissas(c, n, may, &by);
	if (by.is_against)
		*tag |= COLUMN_AGAINST;
	return put_numbers(c, &by, n, tag, to);
}

size_t column_put(struct column_room *c, const double *values, bool may_be_against, uint8_t *to)
{
	uint8_t tag = 0, *at = to + 1;
	size_t n = find_presence(c, values);
	if (c->rows > 0 && memcmp(c->now.present, c->before.present, c->rows) != 0) {
		tag |= COLUMN_PRESENCE;
		at = put_presence(at, c->now.present, c->rows);
	}
	c->now.n = n;
	c->now.exponent = 0;
	c->now.is_decimal = false;
	if (n > 0)
		at = put_values(c, n, may_be_against, &tag, at);
	*to = tag;
	struct column t = c->before;
	c->before = c->now;
	c->now = t;
	return (size_t)(at - to);
}

/* ---- reading ---- */

const uint8_t *presence_get(const uint8_t *p, const uint8_t *end, size_t rows, bool *present, size_t *n)
{
	bool is = true;
	*n = 0;
	for (size_t i = 0; i < rows; is = !is) {
		uint64_t run;
		size_t used = varint_get(p, end, &run);
		if (used == 0 || run > rows - i || (run == 0 && (i > 0 || !is)))
			return NULL;
		p += used;
		if (present != NULL)
			memset(present + i, is, (size_t)run);
		*n += is ? (size_t)run : 0;
		i += (size_t)run;
	}
	return p;
}

static bool get_plain(const uint8_t **p, const uint8_t *end, int64_t *out)
{
	uint64_t u = 0;
	size_t used = varint_get(*p, end, &u);
	*p += used;
	*out = unzigzag(u);
	return used > 0;
}

static bool get_bits(const uint8_t **p, const uint8_t *end, int64_t *out)
{
	uint64_t le;
	if ((size_t)(end - *p) < sizeof le)
		return false;
	memcpy(&le, *p, sizeof le);
	*p += sizeof le;
	*out = (int64_t)le64toh(le);
	return true;
}

/* The numbers of a column with n > 0 values, whatever stands for them. */
static bool get_numbers(struct column_room *c, const uint8_t *p, const uint8_t *end, uint8_t tag, size_t n)
{
	enum column_kind kind = (enum column_kind)(tag & COLUMN_KIND);
	bool shifted = (tag & COLUMN_SHIFTED) != 0;
	uint64_t *x = (uint64_t *)c->x;
	int64_t first = 0, step = 0;
	switch (kind) {
	case COLUMN_PLAIN:
	case COLUMN_BITS:
		return pack_get(p, end, shifted, c->x, n);
	case COLUMN_CONSTANT:
	case COLUMN_BITS_CONSTANT:
		if (shifted || !(kind == COLUMN_CONSTANT ? get_plain(&p, end, &first) : get_bits(&p, end, &first)))
			return false;
		for (size_t i = 0; i < n; i++)
			c->x[i] = first;
		return p == end;
	case COLUMN_DELTA:
	case COLUMN_BITS_DELTA:
	case COLUMN_BITS_XOR:
		if (!(kind == COLUMN_DELTA ? get_plain(&p, end, &first) : get_bits(&p, end, &first)) || n < 2 ||
		    !pack_get(p, end, shifted, c->r, n - 1))
			return false;
		x[0] = (uint64_t)first;
		for (size_t i = 1; i < n; i++)
			x[i] = kind == COLUMN_BITS_XOR ? x[i - 1] ^ (uint64_t)c->r[i - 1] : x[i - 1] + (uint64_t)c->r[i - 1];
		return true;
	case COLUMN_DELTA2:
		if (!get_plain(&p, end, &first) || !get_plain(&p, end, &step) || n < 3 || !pack_get(p, end, shifted, c->r, n - 2))
			return false;
		x[0] = (uint64_t)first;
		x[1] = x[0] + (uint64_t)step;
		for (size_t i = 2; i < n; i++)
			x[i] = x[i - 1] + (x[i - 1] - x[i - 2]) + (uint64_t)c->r[i - 2];
		return true;
	}
	return false;
}

static bool is_of_bits(uint8_t tag)
{
	enum column_kind kind = (enum column_kind)(tag & COLUMN_KIND);
	return kind == COLUMN_BITS || kind == COLUMN_BITS_DELTA || kind == COLUMN_BITS_XOR || kind == COLUMN_BITS_CONSTANT;
}

/* The numbers as the values that they stand for, in c->v. */
static bool from_mantissas(struct column_room *c, bool is_against, size_t n)
{
	double power = decimal_powers[c->before.exponent];
	int64_t *m = c->before.m;
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		m[i] = (int64_t)((uint64_t)c->x[i] + (is_against ? (uint64_t)m[i] : 0));
		good &= m[i] > -INTEGER_LIMIT_I && m[i] < INTEGER_LIMIT_I;
		c->v[i] = (double)m[i];
	}
	for (size_t i = 0; i < n && c->before.exponent > 0; i++)
		c->v[i] /= power;
	return good;
}

static bool get_exceptions(struct column_room *c, const uint8_t **p, const uint8_t *end, size_t n, size_t *count)
{
	uint64_t said, gap;
	size_t used = varint_get(*p, end, &said), next = 0;
	if (used == 0 || said > n)
		return false;
	*p += used;
	*count = (size_t)said;
	for (size_t i = 0; i < *count; i++) {
		int64_t bits;
		used = varint_get(*p, end, &gap);
		if (used == 0 || gap >= n - next)
			return false;
		*p += used;
		c->exceptions[i] = next + (size_t)gap;
		next = c->exceptions[i] + 1;
		if (!get_bits(p, end, &bits))
			return false;
		c->u[i] = (uint64_t)bits;
	}
	return true;
}

static void spread(const struct column_room *c, size_t n, double *to)
{
	if (n == c->rows) {
		memcpy(to, c->v, n * sizeof *to);
		return;
	}
	for (size_t i = 0, k = 0; i < c->rows; i++)
		to[i] = c->before.present[i] ? c->v[k++] : stale_mark();
}

bool column_get(struct column_room *c, const uint8_t *p, const uint8_t *end, const uint8_t *presence, const uint8_t *presence_end, double *to)
{
	uint8_t tag = *p++;
	size_t n = c->rows, n_exceptions = 0;
	unsigned exponent = 0;
	if (presence == NULL)
		memset(c->before.present, true, c->rows);
	else if (presence_get(presence, presence_end, c->rows, c->before.present, &n) == NULL)
		return false;
	if ((tag & COLUMN_PRESENCE) != 0) {
		size_t said;
		p = presence_get(p, end, c->rows, NULL, &said);
		if (p == NULL)
			return false;
	}
	if ((tag & COLUMN_EXPONENT) != 0) {
		if (p == end || *p == 0 || *p > EXPONENT_MAX)
			return false;
		exponent = *p++;
	}
	if ((tag & COLUMN_EXCEPTIONS) != 0 && !get_exceptions(c, &p, end, n, &n_exceptions))
		return false;
	bool is_against = (tag & COLUMN_AGAINST) != 0, is_bits = is_of_bits(tag);
	if (is_against && (is_bits || (tag & COLUMN_PRESENCE) != 0 || !c->before.is_decimal || c->before.exponent != exponent || c->before.n != n))
		return false;
	if (is_bits && (exponent > 0 || n_exceptions > 0))
		return false;
	if (n == 0 ? p != end : !get_numbers(c, p, end, tag, n))
		return false;
	c->before.n = n;
	c->before.exponent = exponent;
	c->before.is_decimal = n > 0 && !is_bits;
	if (is_bits)
		memcpy(c->v, c->x, n * sizeof *c->v);
	else if (!from_mantissas(c, is_against, n))
		return false;
	for (size_t i = 0; i < n_exceptions; i++)
		c->v[c->exceptions[i]] = f64_from_bits(c->u[i]);
	spread(c, n, to);
	return true;
}
