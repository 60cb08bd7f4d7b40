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

enum { BLOCK = 32, SHORT = 16, LONGEST = 20 /* characters, without the exponent */, DIGITS_MAX = 19 };

/* What is compared with, and how characters are moved: read from memory each time, which costs less than making them anew. */
static const struct wide {
	__m256i low, high, dot;
	uint8_t without[SHORT + 1][16]; /* all characters but the n-th */
	uint8_t to_end[32];             /* from [n] on: the first n characters moved to the end, zeros before them */
} wide = {
#define ALL(c) { (c) * 0x0101010101010101LL, (c) * 0x0101010101010101LL, (c) * 0x0101010101010101LL, (c) * 0x0101010101010101LL }
	.low = ALL('0'), .high = ALL('9'), .dot = ALL('.'),
#undef ALL
#define SKIP(n, i) ((i) < (n) ? (i) : (i) < 15 ? (i) + 1 : 128)
#define ROW(n) { SKIP(n, 0), SKIP(n, 1), SKIP(n, 2), SKIP(n, 3), SKIP(n, 4), SKIP(n, 5), SKIP(n, 6), SKIP(n, 7), SKIP(n, 8), SKIP(n, 9), SKIP(n, 10), \
	         SKIP(n, 11), SKIP(n, 12), SKIP(n, 13), SKIP(n, 14), SKIP(n, 15) }
	.without = { ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15), ROW(16) },
#undef ROW
#undef SKIP
	.to_end = { 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
};

/* Hides from the compiler what they are: it would make them anew each time, of numbers, in three steps instead of one. */
static inline const struct wide *wide_tables(void)
{
	const struct wide *w = &wide;
	__asm__("" : "+r"(w));
	return w;
}

WIDE static inline __m256i block_at(const char *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
WIDE static inline __m128i half_at(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
WIDE static inline uint32_t mask_of(__m256i v) { return (uint32_t)_mm256_movemask_epi8(v); }

/* Are n bytes the same? Up to a block more is read behind both. */
WIDE static inline bool is_same_text(const char *a, const char *b, size_t n)
{
	for (; n > 2 * BLOCK; a += 2 * BLOCK, b += 2 * BLOCK, n -= 2 * BLOCK) {
		__m256i one = _mm256_cmpeq_epi8(block_at(a), block_at(b)), two = _mm256_cmpeq_epi8(block_at(a + BLOCK), block_at(b + BLOCK));
		if (mask_of(_mm256_and_si256(one, two)) != UINT32_MAX)
			return false;
	}
	if (n > BLOCK) {
		if (mask_of(_mm256_cmpeq_epi8(block_at(a), block_at(b))) != UINT32_MAX)
			return false;
		a += BLOCK;
		b += BLOCK;
		n -= BLOCK;
	}
	uint64_t other = (uint32_t)~mask_of(_mm256_cmpeq_epi8(block_at(a), block_at(b)));
	return (other & ((UINT64_C(1) << n) - 1)) == 0;
}

/* What the first n digits in d say, up to 16; d has '0' taken from each and the point left out. */
WIDE static inline uint64_t digits_of(const struct wide *w, __m128i d, size_t n)
{
	d = _mm_shuffle_epi8(d, half_at(w->to_end + n));
	d = _mm_maddubs_epi16(d, _mm_set1_epi16(0x010a));
	d = _mm_madd_epi16(d, _mm_set1_epi32(0x00010064));
	d = _mm_packus_epi32(d, d);
	d = _mm_madd_epi16(d, _mm_set1_epi32(0x00012710));
	uint64_t both = (uint64_t)_mm_cvtsi128_si64(d);
	return (both & UINT32_MAX) * 100000000 + (both >> 32);
}

/* Of more than 16 characters, n of them, with the point at `dot` (n: none): the last 16, and those before them. `first` has '0' taken from each. */
WIDE static uint64_t long_digits_of(const struct wide *w, const char *p, __m128i first, size_t n, size_t dot)
{
	size_t   n_high = n - SHORT;
	bool     is_low = dot >= n_high && dot < n;
	__m128i  last = _mm_sub_epi8(half_at(p + n_high), _mm256_castsi256_si128(w->low));
	uint64_t high = digits_of(w, _mm_shuffle_epi8(first, half_at(w->without[dot < n_high ? dot : SHORT])), n_high - (dot < n_high));
	uint64_t low = digits_of(w, _mm_shuffle_epi8(last, half_at(w->without[is_low ? dot - n_high : SHORT])), (size_t)SHORT - is_low);
	return high * (is_low ? UINT64_C(1000000000000000) : UINT64_C(10000000000000000)) + low;
}

/* The exponent at p, "e+06", and what comes behind it; 0: there is none like that. */
static inline int exponent_at(const char *p)
{
	unsigned tens = (unsigned char)p[2] - '0', ones = (unsigned char)p[3] - '0';
	if ((p[0] | 0x20) != 'e' || (p[1] != '+' && p[1] != '-') || tens > 9 || ones > 9 || (unsigned char)p[4] > ' ')
		return 0;
	int e = (int)(tens * 10 + ones);
	return p[1] == '-' ? -e : e;
}

/* Reads the number at p, which has 32 bytes and more behind it, if it is a common one; NULL: it isn't. Where it ends is for the text behind it to
 * say, which begins with a blank or a line feed. */
WIDE static inline const char *read_wide(const struct wide *w, const char *p, double *out)
{
	static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	__m256i  v = block_at(p);
	uint32_t dots = mask_of(_mm256_cmpeq_epi8(v, w->dot));
	uint32_t others = (mask_of(_mm256_cmpgt_epi8(w->low, v)) & ~dots) | mask_of(_mm256_cmpgt_epi8(v, w->high));
	size_t   n = _tzcnt_u32(others);
	if (n > LONGEST)
		return NULL;
	const char *end = p + n;
	int         power = 0;
	if ((unsigned char)*end > ' ') {
		power = exponent_at(end);
		if (power == 0)
			return NULL;
		end += 4;
	}
	uint32_t behind = (uint32_t)1 << n;
	dots &= behind - 1;
	size_t dot = _tzcnt_u32(dots | behind), n_digits = n - (dot < n);
	if ((dots & (dots - 1)) != 0 || n_digits - 1 >= DIGITS_MAX)
		return NULL;
	__m128i  d = _mm_sub_epi8(_mm256_castsi256_si128(v), _mm256_castsi256_si128(w->low));
	uint64_t m = n <= SHORT ? digits_of(w, _mm_shuffle_epi8(d, half_at(w->without[dot])), n_digits) : long_digits_of(w, p, d, n, dot);
	power -= (int)(n_digits - dot);
	if (m <= UINT64_C(1) << 53 && power <= 22 && power >= -22) {
		/* Clinger's fast path, as in decimal_quick. */
		*out = power > 0 ? (double)(int64_t)m * tens[power] : (double)(int64_t)m / tens[-power];
		return end;
	}
	struct decimal exact = { .mantissa = m, .exponent = power, .is_exact = true };
	return decimal_quick(&exact, out) ? end : NULL;
}

/* Takes what it can, but for the last `n_left`. */
WIDE static void take_wide(struct reading *r, struct pieces *c, size_t n_left)
{
	const struct wide *w = wide_tables();
	struct pieces at = *c;
	const char   *p = r->at, *const end = r->end;
	double       *value = r->value;
	for (; at.n > n_left; at.n--) {
		size_t              n = *at.len, n_tail = 0;
		const struct chunk *tail = at.tail != NULL ? *at.tail : NULL;
		if (tail != NULL)
			n_tail = tail->text_len;
		if ((size_t)(end - p) < n + n_tail + 2 * BLOCK || !is_same_text(p, at.text, n))
			break;
		if (tail != NULL && !is_same_text(p + n, chunk_text(tail), n_tail))
			break;
		const char *behind = read_wide(w, p + n + n_tail, value);
		if (behind == NULL)
			break;
		p = behind;
		value++;
		at.text += n;
		at.len++;
		at.tail += at.tail != NULL;
	}
	*c = at;
	r->at = p;
	r->value = value;
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

/* The commonest kind is looked at without a call or a jump. */
static bool checks_hold(const struct notes *notes, const double *values)
{
	bool is_negative = false;
	for (const struct check *c = notes->checks, *end = c + notes->n_checks; c < end; c++) {
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
	return r.at == r.end && checks_hold(p->notes, values);
}
