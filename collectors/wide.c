/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/wide.h"

#include "collectors/decimal.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx2,bmi")))
#define WIDE_INLINE WIDE __attribute__((always_inline)) static inline

enum { BLOCK = 32, SHORT = 16, AHEAD = 1024, COMMON_DIGITS = 15, LONGEST = 20 /* characters, without the exponent */, DIGITS_MAX = 19 };

/* What is compared with, and how characters are moved: read from memory each time, which costs less than making them anew. */
static const struct wide {
	__m128i zero, nine, dot, tens, hundreds, thousands;
	uint8_t without[SHORT + 1][16]; /* all characters but the n-th */
	uint8_t to_end[32];             /* from [n] on: the first n characters moved to the end, zeros before them */
} wide = {
#define ALL(c) { (c) * 0x0101010101010101LL, (c) * 0x0101010101010101LL }
	.zero = ALL('0'), .nine = ALL(9), .dot = ALL('.'),
#undef ALL
	.tens = { 0x010a010a010a010aLL, 0x010a010a010a010aLL }, .hundreds = { 0x0001006400010064LL, 0x0001006400010064LL },
	.thousands = { 0x0001271000012710LL, 0x0001271000012710LL },
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

WIDE_INLINE __m256i block_at(const char *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
WIDE_INLINE __m128i half_at(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
WIDE_INLINE uint32_t mask_of(__m256i v) { return (uint32_t)_mm256_movemask_epi8(v); }

WIDE_INLINE __m256i same_block(const char *a, const char *b) { return _mm256_cmpeq_epi8(block_at(a), block_at(b)); }

WIDE_INLINE __m256i same_blocks(const char *a, const char *b)
{
	return _mm256_and_si256(same_block(a, b), same_block(a + BLOCK, b + BLOCK));
}

/* Are n bytes the same? The last blocks may be looked at twice in part; of fewer bytes than a block has, a whole block is read. */
WIDE_INLINE bool is_same_text(const char *a, const char *b, size_t n)
{
	if (n <= BLOCK)
		return ((uint64_t)~mask_of(same_block(a, b)) & ((UINT64_C(1) << n) - 1)) == 0;
	__m256i same = same_block(a + n - BLOCK, b + n - BLOCK);
	if (n <= 2 * BLOCK)
		return mask_of(_mm256_and_si256(same, same_block(a, b))) == UINT32_MAX;
	same = _mm256_and_si256(same, same_block(a + n - 2 * BLOCK, b + n - 2 * BLOCK));
	for (size_t i = 0; i < n - 2 * BLOCK; i += 2 * BLOCK)
		same = _mm256_and_si256(same, same_blocks(a + i, b + i));
	return mask_of(same) == UINT32_MAX;
}

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* A number's first 16 characters. */
struct seen {
	__m128i  digits;    /* '0' taken from each */
	uint32_t dots, others; /* a bit for each that is a point; that is no digit */
};

WIDE_INLINE struct seen look_at(const struct wide *w, const char *p)
{
	__m128i v = half_at(p), d = _mm_sub_epi8(v, w->zero);
	return (struct seen){ d, (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, w->dot)),
		              ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, w->nine), d)) };
}

/* What the first n characters say without the one at `dot`, where that is among them; digits all, up to 16. */
WIDE_INLINE uint64_t digits_of(const struct wide *w, __m128i d, size_t n_digits, size_t dot)
{
	d = _mm_shuffle_epi8(d, half_at(w->without[dot]));
	d = _mm_shuffle_epi8(d, half_at(w->to_end + n_digits));
	d = _mm_maddubs_epi16(d, w->tens);
	d = _mm_madd_epi16(d, w->hundreds);
	d = _mm_packus_epi32(d, d);
	d = _mm_madd_epi16(d, w->thousands);
	uint64_t both = (uint64_t)_mm_cvtsi128_si64(d);
	return (both & UINT32_MAX) * 100000000 + (both >> 32);
}

/* Reads the number at p, if it is one of the commonest: up to 15 digits, a point or none, before a blank or a line feed. Returns where it ends; NULL: it isn't. */
WIDE_INLINE const char *read_common(const struct wide *w, const char *p, double *out)
{
	struct seen s = look_at(w, p);
	size_t dot = _tzcnt_u32(s.others), has_dot = s.dots >> dot & 1, n = has_dot ? _tzcnt_u32(_blsr_u32(s.others)) : dot, n_digits = n - has_dot;
	if (n_digits - 1 >= COMMON_DIGITS || (unsigned char)p[n] > ' ')
		return NULL;
	/* Clinger's fast path: both numbers are exact, so one operation rounds once. */
	*out = (double)(int64_t)digits_of(w, s.digits, n_digits, dot) / powers[n_digits - dot];
	return p + n;
}

/* The exponent at p, "e+06"; 0: there is none like that. */
static int exponent_at(const char *p)
{
	unsigned tens = (unsigned char)p[2] - '0', ones = (unsigned char)p[3] - '0';
	if ((p[0] | 0x20) != 'e' || (p[1] != '+' && p[1] != '-') || tens > 9 || ones > 9 || (unsigned char)p[4] > ' ')
		return 0;
	int e = (int)(tens * 10 + ones);
	return p[1] == '-' ? -e : e;
}

/* Of more than 16 characters, n of them, with the point at `dot` (n: none): the last 16, and those before them. */
WIDE static uint64_t long_digits_of(const struct wide *w, const char *p, size_t n, size_t dot)
{
	size_t   n_high = n - SHORT, is_low = dot >= n_high && dot < n;
	uint64_t high = digits_of(w, look_at(w, p).digits, n_high - (dot < n_high), dot < n_high ? dot : SHORT);
	uint64_t low = digits_of(w, look_at(w, p + n_high).digits, SHORT - is_low, is_low ? dot - n_high : SHORT);
	return high * (is_low ? UINT64_C(1000000000000000) : UINT64_C(10000000000000000)) + low;
}

/* The same for up to 19 digits, and with an exponent of two. */
WIDE const char *wide_number(const char *p, double *out)
{
	const struct wide *w = wide_tables();
	struct seen a = look_at(w, p), b = look_at(w, p + SHORT);
	uint32_t dots = a.dots | b.dots << SHORT, others = ((a.others & UINT16_MAX) | b.others << SHORT) & ~dots;
	size_t   n = _tzcnt_u32(others);
	if (n > LONGEST)
		return NULL;
	int power = (unsigned char)p[n] > ' ' ? exponent_at(p + n) : 0;
	if ((unsigned char)p[n] > ' ' && power == 0)
		return NULL;
	const char *end = p + n + (power != 0 ? 4 : 0);
	dots &= ((uint32_t)1 << n) - 1;
	size_t dot = dots != 0 ? _tzcnt_u32(dots) : n, n_digits = n - (dots != 0);
	if ((dots & (dots - 1)) != 0 || n_digits - 1 >= DIGITS_MAX)
		return NULL;
	uint64_t m = n <= SHORT ? digits_of(w, a.digits, n_digits, dot) : long_digits_of(w, p, n, dot);
	struct decimal d = { .mantissa = m, .exponent = power - (int)(n_digits - dot), .is_exact = true };
	return decimal_quick(&d, out) ? end : NULL;
}

/* The processor may fetch what stands ahead, or there may be nothing. */
WIDE_INLINE void ask_for(uintptr_t address) { __builtin_prefetch((const void *)address); }
WIDE_INLINE void ask_ahead(const char *p)
{
	ask_for((uintptr_t)p + AHEAD);
	ask_for((uintptr_t)p + AHEAD + 64);
}

/* Takes the next `n_wanted` pieces with the numbers behind them, as long as these are common. */
WIDE_INLINE void take_pieces(struct reading *r, struct pieces *c, size_t n_wanted, bool is_joined)
{
	const struct wide *w = wide_tables();
	const char  *text = c->text, *p = r->at, *const last = r->end - WIDE_ROOM; /* where a number may begin */
	double      *values = r->value;
	size_t       i = 0;
	for (; i < n_wanted; i++) {
		ask_ahead(p);
		const struct chunk *tail = is_joined ? c->tail[i] : NULL;
		size_t              n = c->len[i], n_tail = tail != NULL ? tail->text_len : 0;
		if (last - p < (ptrdiff_t)(n + n_tail) || !is_same_text(p, text, n) || (tail != NULL && !is_same_text(p + n, chunk_text(tail), n_tail)))
			break;
		const char *number = p + n + n_tail, *behind = read_common(w, number, &values[i]);
		text += n;
		if (behind == NULL) {
			r->has_text = true;
			p = number;
			break;
		}
		p = behind;
	}
	r->at = p;
	r->value += i;
	i += r->has_text;
	*c = (struct pieces){ text, c->len + i, is_joined ? c->tail + i : NULL, c->n - i };
}

WIDE void wide_take(struct reading *r, struct pieces *c, size_t n_wanted)
{
	if (c->tail != NULL)
		take_pieces(r, c, n_wanted, true);
	else
		take_pieces(r, c, n_wanted, false);
}

WIDE const char *wide_line(const char *line, const char *text, size_t n, double *out)
{
	ask_ahead(line);
	if (!is_same_text(line, text, n) || line[n] != ' ')
		return NULL;
	const char *end = read_common(wide_tables(), line + n + 1, out);
	return end != NULL && *end == '\n' ? end : NULL;
}

bool wide_is_there(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"); }
#else
bool wide_is_there(void) { return false; }
void wide_take(struct reading *r, struct pieces *c, size_t n_wanted) { (void)r, (void)c, (void)n_wanted; }
const char *wide_number(const char *p, double *out) { return (void)p, (void)out, (const char *)NULL; }
const char *wide_line(const char *line, const char *text, size_t n, double *out) { return (void)line, (void)text, (void)n, (void)out, (const char *)NULL; }
#endif
