/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a body by a plan. There are two ways that do the same: the plain one, and a wide one for processors with AVX2, which takes as many pieces as it
 * can and leaves to the plain one whatever is not common (a sign, NaN, more than 19 digits, the end of the body). */
#include "collectors/plan.h"

#include <string.h>

#include "collectors/decimal.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_WIDE 1
#include <immintrin.h>
#else
#define HAS_WIDE 0
#endif

struct reading {
	const char *at, *end; /* of the body */
	double     *value;    /* of the number that comes next */
};

/* What stands before numbers: pieces of text of which some have a tail with their labels apart. */
struct pieces {
	const char          *text; /* of the next one */
	const uint32_t      *len;
	struct chunk *const *tail; /* NULL: none has; else one a piece, or NULL */
	size_t               n;    /* that are left */
};

/* ---- the wide way ---- */

#if HAS_WIDE
#define WIDE __attribute__((target("avx2,bmi")))

enum { BLOCK = 32, LONGEST = 24 };

/* Are n bytes the same? Up to a block more is read behind both. */
WIDE static inline bool is_same_text(const char *a, const char *b, size_t n)
{
	for (; n > BLOCK; a += BLOCK, b += BLOCK, n -= BLOCK) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)a), y = _mm256_loadu_si256((const __m256i *)(const void *)b);
		if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y)) != -1)
			return false;
	}
	__m256i  x = _mm256_loadu_si256((const __m256i *)(const void *)a), y = _mm256_loadu_si256((const __m256i *)(const void *)b);
	uint64_t other = (uint32_t)~_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y));
	return (other & ((UINT64_C(1) << n) - 1)) == 0;
}

/* What the digits of the `n` characters in `t` say ('0' taken from each), with the one at `dot` left out: 16 at the most. */
WIDE static inline uint64_t digits_of(__m128i t, int n, int dot)
{
	const __m128i iota = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	const __m128i one = _mm_set1_epi8(1);
	__m128i from = _mm_add_epi8(iota, _mm_set1_epi8((char)(n - 16)));
	__m128i is_behind = _mm_cmpgt_epi8(from, _mm_set1_epi8((char)dot));
	__m128i d = _mm_shuffle_epi8(t, _mm_sub_epi8(_mm_sub_epi8(from, one), is_behind)); /* moved up, zeros before them */
	d = _mm_maddubs_epi16(d, _mm_set1_epi16(0x010a));
	d = _mm_madd_epi16(d, _mm_set1_epi32(0x00010064));
	d = _mm_packus_epi32(d, d);
	d = _mm_madd_epi16(d, _mm_set1_epi32(0x00012710));
	uint64_t both = (uint64_t)_mm_cvtsi128_si64(d);
	return (both & UINT32_MAX) * 100000000 + (both >> 32);
}

/* The exponent that the n characters at p end with, "e+06"; 0: they don't. */
static inline int exponent_of(const char *p, int n, uint32_t digits)
{
	if (n < 5 || (p[n - 4] | 0x20) != 'e' || (p[n - 3] != '+' && p[n - 3] != '-') || (digits >> (n - 2) & 3) != 3)
		return 0;
	int e = (p[n - 2] - '0') * 10 + p[n - 1] - '0';
	return p[n - 3] == '-' ? -e : e;
}

/* Of more than 16 characters, up to 20. */
WIDE static inline uint64_t long_digits_of(const char *p, __m128i t, int n, int dot)
{
	static const uint64_t tens[] = { UINT64_C(1000000000000000), UINT64_C(10000000000000000) };
	__m128i behind = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + n - 16)), _mm_set1_epi8('0'));
	int     first = n - 16, is_first = dot < first;
	/* where the point is not among the characters, one is thought behind them */
	uint64_t high = digits_of(t, is_first ? first : first + 1, is_first ? dot : first);
	uint64_t low = is_first || dot == n ? digits_of(behind, 17, 16) : digits_of(behind, 16, dot - first);
	return high * tens[is_first || dot == n] + low;
}

/* Reads the number at p, which has 32 bytes and more behind it, if it is a plain one that ends before a blank or a line feed; NULL: it isn't. */
WIDE static inline const char *read_wide(const char *p, double *out)
{
	static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	__m256i  v = _mm256_loadu_si256((const __m256i *)(const void *)p), t = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
	uint32_t digits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(t, _mm256_set1_epi8(9)), t));
	uint32_t dots = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('.')));
	uint32_t ends = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(' ')), v));
	int      n = (int)_tzcnt_u32(ends), power = 0;
	if (n > LONGEST)
		return NULL;
	const char *end = p + n;
	uint32_t    mask = ((uint32_t)1 << n) - 1;
	if ((~digits & ~dots & mask) != 0) {
		power = exponent_of(p, n, digits);
		if (power == 0)
			return NULL;
		n -= 4;
		mask >>= 4;
		if ((~digits & ~dots & mask) != 0)
			return NULL;
	}
	dots &= mask;
	int dot = (int)_tzcnt_u32(dots | (mask + 1)), n_digits = n - (dots != 0);
	if ((dots & (dots - 1)) != 0 || n_digits == 0 || n_digits > 19)
		return NULL;
	__m128i  first = _mm256_castsi256_si128(t);
	uint64_t m = n <= 16 ? digits_of(first, n_digits + 1, dot) : long_digits_of(p, first, n, dot);
	power -= n_digits - dot;
	if (m <= UINT64_C(1) << 53 && power <= 22 && power >= -22) {
		/* Clinger's fast path, as in decimal_quick. */
		*out = power > 0 ? (double)(int64_t)m * tens[power] : (double)(int64_t)m / tens[-power];
		return end;
	}
	struct decimal d = { .mantissa = m, .exponent = power, .is_exact = true };
	return decimal_quick(&d, out) ? end : NULL;
}

/* Takes what it can, but for the last `n_left`. */
WIDE static void take_wide(struct reading *r, struct pieces *c, size_t n_left)
{
	for (; c->n > n_left; c->n--) {
		size_t              n = *c->len, n_tail = 0;
		const struct chunk *tail = c->tail != NULL ? *c->tail : NULL;
		if (tail != NULL)
			n_tail = tail->text_len;
		if ((size_t)(r->end - r->at) < n + n_tail + 2 * BLOCK || !is_same_text(r->at, c->text, n))
			return;
		if (tail != NULL && !is_same_text(r->at + n, chunk_text(tail), n_tail))
			return;
		const char *behind = read_wide(r->at + n + n_tail, r->value);
		if (behind == NULL)
			return;
		r->at = behind;
		r->value++;
		c->text += n;
		c->len++;
		c->tail += c->tail != NULL;
	}
}
#endif

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

/* The next piece, and the number behind it unless it is the body's last. */
static bool take_piece(struct reading *r, struct pieces *c, bool is_last)
{
	const struct chunk *tail = c->tail != NULL ? *c->tail : NULL;
	if (!take_text(r, c->text, *c->len) || (tail != NULL && !take_text(r, chunk_text(tail), tail->text_len)))
		return false;
	c->text += *c->len;
	c->len++;
	c->tail += c->tail != NULL;
	c->n--;
	if (is_last)
		return true;
	double      v;
	const char *behind = read_number(r->at, r->end, &v);
	if (behind == NULL)
		return false;
	*r->value++ = v;
	r->at = behind;
	return true;
}

/* ---- both ---- */

static bool checks_hold(const struct plan *p, const double *values)
{
	for (size_t i = 0; i < p->notes->n_checks; i++) {
		const struct check *c = &p->notes->checks[i];
		if (!check_holds(c->kind, values[c->line], values[c->other]))
			return false;
	}
	return true;
}

static struct pieces pieces_of(const struct chunk *c)
{
	struct chunk *const *part = c->is_joined ? chunk_parts(c) : NULL;
	const struct chunk  *whole = part != NULL ? part[0] : c;
	return (struct pieces){ chunk_text(whole), chunk_lengths(whole), part != NULL ? part + 1 : NULL, whole->n };
}

bool plan_predict(const struct plan *p, const char *body, size_t len, double *values)
{
	struct reading r = { body, body + len, values };
	if (!p->can_predict)
		return false;
	bool is_wide = HAS_WIDE && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
	for (size_t k = 0; k < p->n_chunks; k++) {
		struct pieces c = pieces_of(p->chunks[k]);
		while (c.n > 0) {
#if HAS_WIDE
			if (is_wide)
				take_wide(&r, &c, k + 1 == p->n_chunks); /* no number is behind the last piece */
#endif
			if (c.n > 0 && !take_piece(&r, &c, (size_t)(r.value - values) == p->n_lines))
				return false;
		}
	}
	return r.at == r.end && checks_hold(p, values);
}
