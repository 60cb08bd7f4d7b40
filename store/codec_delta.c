/* SPDX-License-Identifier: Apache-2.0 */
#include "store/codec_delta.h"

#include <math.h>
#include <string.h>

#include "base/stale.h"
#include "base/varint.h"
#include "store/block_bits.h"
#include "store/decimal.h"

enum { KIND_KEPT = 0xfe, RUN_K_MAX = 15, STEP_SHARED_MAX = 4096 /* a larger step says nothing of the series beside it */ };

/* The classes: lengths from `first` on, which of them in `more` bits. Their codes, lowest bit first, are Huffman's for what nodes say (bench/node_values.h):
 * steps of counters and buckets are short, of sums of measured times long. */
enum { CLASSES = 17, CLASS_AS_IT_IS = 16, CLASS_BITS_MAX = 8, HEAD_BITS_MAX = 11 /* of a class and what says the length */ };
struct class {
	uint8_t first, more, bits, code;
};
#define C0  { 0, 0, 1, 0x00 }
#define C1  { 1, 0, 6, 0x0f }
#define C2  { 2, 0, 4, 0x01 }
#define C3  { 3, 0, 4, 0x09 }
#define C4  { 4, 0, 4, 0x05 }
#define C5  { 5, 0, 5, 0x03 }
#define C6  { 6, 0, 5, 0x13 }
#define C7  { 7, 1, 6, 0x2f }
#define C8  { 9, 2, 5, 0x0b }
#define C9  { 13, 2, 4, 0x0d }
#define C10 { 17, 2, 5, 0x1b }
#define C11 { 21, 3, 5, 0x07 }
#define C12 { 29, 3, 8, 0x7f }
#define C13 { 37, 3, 5, 0x17 }
#define C14 { 45, 3, 6, 0x1f }
#define C15 { 53, 4, 7, 0x3f }
#define C16 { 0, 0, 8, 0xff }
static const struct class classes[CLASSES] = { C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16 };

/* By a length. */
static const uint8_t class_with[64 + 1] = {
	0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 12, 12, 12, 12, 12,
	13, 13, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
};

/* By the next CLASS_BITS_MAX bits. */
static const struct class class_of[1 << CLASS_BITS_MAX] = {
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C1, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C14,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C7, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C15,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C1, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C14,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C7, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C12,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C1, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C14,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C7, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C15,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C1, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C14,
	C0, C2, C0, C5, C0, C4, C0, C11, C0, C3, C0, C8, C0, C9, C0, C7, C0, C2, C0, C6, C0, C4, C0, C13, C0, C3, C0, C10, C0, C9, C0, C16,
};

static inline bool is_as_it_is(const struct class *c) { return c->code == UINT8_MAX; }

/* ---- writing ---- */

static void put_code(struct bits_out *o, uint64_t u)
{
	if (u == 0) {
		bits_put(o, classes[0].code, classes[0].bits);
		return;
	}
	unsigned length = bits_length(u), more = length - 1;
	const struct class *c = &classes[class_with[length]];
	unsigned head = (unsigned)c->bits + c->more;
	uint64_t code = c->code | (uint64_t)(length - c->first) << c->bits;
	if (head + more <= BITS_PUT_MAX) {
		bits_put(o, code | bits_low(u, more) << head, head + more);
		return;
	}
	bits_put(o, code, head);
	bits_put_wide(o, bits_low(u, more), more);
}

/* The least exponent above the series' own that fits. What is no number is so for a while alone. */
static uint8_t next_kind(uint8_t exponent, double v)
{
	int64_t m;
	if (!isfinite(v) || v == 0)
		return KIND_KEPT;
	for (unsigned e = exponent + 1u; e <= EXPONENT_MAX && fabs(v * decimal_powers[e]) < INTEGER_LIMIT; e++)
		if (decimal_at(v, e, &m))
			return (uint8_t)e;
	return EXPONENT_NONE;
}

/* *step: of a series with exponent 0 from one to the next, in a run; else 0. */
static void put_value(struct bits_out *o, double old, uint8_t *exponent, double v, int64_t *step)
{
	int64_t m = 0, before = *step;
	*step = 0;
	if (*exponent == EXPONENT_NONE || decimal_at(v, *exponent, &m)) {
		int64_t d = *exponent == EXPONENT_NONE ? (int64_t)(f64_bits(v) - f64_bits(old)) : m - mantissa(old, *exponent);
		*step = *exponent == 0 && d > -STEP_SHARED_MAX && d < STEP_SHARED_MAX ? d : 0;
		put_code(o, zigzag(*exponent == 0 ? d - before : d));
		return;
	}
	const struct class *c = &classes[CLASS_AS_IT_IS];
	uint8_t kind = next_kind(*exponent, v);
	bits_put(o, c->code | (uint64_t)kind << c->bits, c->bits + 8u);
	bits_put_wide(o, f64_bits(v), 64);
	*exponent = kind == KIND_KEPT ? *exponent : kind;
}

/* The parameter that is best for numbers of this mean. */
static unsigned rice_k(size_t sum, size_t n)
{
	unsigned k = 0;
	while (k < RUN_K_MAX && sum * 2 > n * 3 << k)
		k++;
	return k;
}

static bool is_changed(const struct frame_state *s, const double *values, size_t i) { return f64_bits(values[i]) != f64_bits(s->v[i]); }

uint8_t *frame_delta_put(struct frame_state *s, const double *values, uint8_t *to)
{
	size_t n = s->n, runs = 0, changed = 0;
	bool before = false;
	for (size_t i = 0; i < n; i++) {
		bool now = is_changed(s, values, i);
		runs += now && !before;
		changed += now;
		before = now;
	}
	to += varint_put(to, runs);
	if (runs == 0)
		return to;
	unsigned between_k = rice_k(n - changed, runs), run_k = rice_k(changed - runs, runs);
	*to++ = (uint8_t)(between_k | run_k << 4);
	struct bits_out o = { .p = to };
	for (size_t i = 0; runs > 0; runs--) {
		size_t from = i, end;
		while (!is_changed(s, values, i))
			i++;
		for (end = i + 1; end < n && is_changed(s, values, end);)
			end++;
		rice_put(&o, i - from, between_k);
		rice_put(&o, end - i - 1, run_k);
		for (int64_t step = 0; i < end; i++) {
			put_value(&o, s->v[i], &s->exponent[i], values[i], &step);
			s->v[i] = values[i];
		}
	}
	return bits_end(&o);
}

/* ---- reading ---- */

struct code {
	bool     is_whole; /* u: the bits of the value as it is */
	uint8_t  kind;
	uint64_t u;
};

static bool get_whole(struct bits_in *in, const struct class *c, struct code *out)
{
	in->at += c->bits;
	out->is_whole = true;
	out->kind = (uint8_t)bits_get_wide(in, 8);
	out->u = bits_get_wide(in, 64);
	return out->kind <= EXPONENT_MAX || out->kind >= KIND_KEPT;
}

static inline bool get_code(struct bits_in *in, struct code *out)
{
	uint64_t bits = bits_peek(in);
	const struct class *c = &class_of[bits_low(bits, CLASS_BITS_MAX)];
	if (is_as_it_is(c))
		return get_whole(in, c, out);
	unsigned head = (unsigned)c->bits + c->more, length = c->first + (unsigned)bits_low(bits >> c->bits, c->more);
	out->is_whole = false;
	out->u = length == 0 ? 0 : UINT64_C(1) << ((length - 1) & 63);
	in->at += head;
	if (length <= 1)
		return true;
	if (head + length - 1 <= BITS_PEEKED) { /* mostly: all of it was seen at once */
		out->u |= bits_low(bits >> head, length - 1);
		in->at += length - 1;
		return true;
	}
	if (length <= 64)
		out->u |= bits_get_wide(in, length - 1);
	return length <= 64;
}

/* Takes the value `v` further; where it is not wanted, as much as the others in its run need. */
static inline bool take_code(const struct code *c, bool is_wanted, uint8_t *exponent, double *v, int64_t *step)
{
	int64_t d = unzigzag(c->u), before = *step;
	*step = 0;
	if (c->is_whole) {
		*exponent = c->kind == KIND_KEPT ? *exponent : c->kind;
		*v = f64_from_bits(c->u);
		return true;
	}
	if (*exponent == EXPONENT_NONE) {
		*v = f64_from_bits(f64_bits(*v) + (uint64_t)d);
		return true;
	}
	if (*exponent > EXPONENT_MAX || d <= -4 * INTEGER_LIMIT_I || d >= 4 * INTEGER_LIMIT_I)
		return false;
	if (*exponent == 0) {
		d += before;
		*step = d > -STEP_SHARED_MAX && d < STEP_SHARED_MAX ? d : 0;
	}
	if (!is_wanted)
		return true;
	int64_t m = mantissa(*v, *exponent) + d;
	*v = decimal_value(m, *exponent);
	return m > -INTEGER_LIMIT_I && m < INTEGER_LIMIT_I;
}

/* Steps over series that nothing hangs on: only what their exponents are from now on matters. Of bits looked at once as many heads are read as are whole there. */
static bool skip_codes(struct bits_in *in, uint8_t *exponents, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint64_t bits = bits_peek(in);
		const struct class *c = &class_of[bits_low(bits, CLASS_BITS_MAX)];
		if (is_as_it_is(c)) {
			struct code whole;
			if (!get_whole(in, c, &whole))
				return false;
			exponents[i] = whole.kind == KIND_KEPT ? exponents[i] : whole.kind;
			i++;
			continue;
		}
		unsigned used = 0;
		do {
			unsigned length = c->first + (unsigned)bits_low(bits >> c->bits, c->more), size = (unsigned)c->bits + c->more + length - (length > 0);
			used += size;
			bits >>= size & 63;
			c = &class_of[bits_low(bits, CLASS_BITS_MAX)];
		} while (++i < n && used <= BITS_PEEKED - HEAD_BITS_MAX && !is_as_it_is(c));
		in->at += used;
	}
	return true;
}

struct runs {
	uint64_t       left;
	unsigned       between_k, run_k;
	size_t         n, at; /* of series; the first one behind the last run */
	struct bits_in in;
};

/* False: these are no runs. */
static bool runs_begin(struct runs *r, size_t n, const uint8_t *p, const uint8_t *end)
{
	*r = (struct runs){ .n = n };
	size_t used = varint_get(p, end, &r->left);
	if (used == 0 || r->left > n || (r->left == 0 && p + used != end) || (r->left > 0 && p + used == end))
		return false;
	p += used;
	if (r->left > 0) {
		r->between_k = *p & 0xf;
		r->run_k = *p++ >> 4;
	}
	r->in = (struct bits_in){ p, (size_t)(end - p), 0 };
	return true;
}

/* The next run: the series [r->at, *behind). */
static bool runs_next(struct runs *r, size_t *behind)
{
	uint64_t between, more;
	if (!rice_get(&r->in, r->between_k, &between) || between >= r->n - r->at)
		return false;
	r->at += (size_t)between;
	if (!rice_get(&r->in, r->run_k, &more) || more >= r->n - r->at)
		return false;
	*behind = r->at + (size_t)more + 1;
	r->left--;
	return true;
}

static bool is_past_end(const struct runs *r) { return r->in.at > r->in.size * 8; }
static bool is_at_end(const struct runs *r) { return (r->in.at + 7) / 8 == r->in.size; }

/*
 * Of the series [at, behind) of a run, the first one that the next wanted one, at *until - 1, hangs on: those before it may be stepped over. A step is handed on
 * from one series of exponent 0 to the next and by no other, and exponents are those that the frame before left: one that gets another now hands on none.
 */
static size_t needed_from(const struct frame_state *s, const struct frame_want *want, size_t at, size_t behind, size_t *until)
{
	const bool *next = memchr(&want->is_wanted[at], true, behind - at);
	size_t from = next != NULL ? (size_t)(next - want->is_wanted) : behind;
	*until = next != NULL ? from + 1 : behind;
	while (next != NULL && from > at && s->exponent[from - 1] == 0)
		from--;
	return from;
}

static bool take_run(struct frame_state *s, const struct frame_want *want, struct runs *r, size_t behind)
{
	int64_t step = 0;
	for (size_t until = want == NULL ? behind : r->at; r->at < behind;) {
		size_t from = r->at < until ? r->at : needed_from(s, want, r->at, behind, &until);
		if (from > r->at) {
			if (!skip_codes(&r->in, &s->exponent[r->at], from - r->at))
				return false;
			r->at = from;
			step = 0;
			continue;
		}
		struct code c;
		size_t i = r->at++;
		if (!get_code(&r->in, &c) || is_past_end(r) || !take_code(&c, want == NULL || want->is_wanted[i], &s->exponent[i], &s->v[i], &step))
			return false;
	}
	return !is_past_end(r);
}

bool frame_delta_get(struct frame_state *s, const struct frame_want *want, const uint8_t *p, const uint8_t *end)
{
	struct runs r;
	size_t behind;
	if (!runs_begin(&r, s->n, p, end))
		return false;
	while (r.left > 0) {
		if (!runs_next(&r, &behind))
			return false;
		bool is_last = want != NULL && behind >= want->end;
		if (is_last)
			behind = want->end;
		if (!take_run(s, want, &r, behind))
			return false;
		if (is_last)
			return true;
	}
	return is_at_end(&r);
}

/* In bytes: one that is of several series counts for the one with which it ends; what says where a run is, for its first. */
bool frame_delta_costs(size_t n, const uint8_t *p, const uint8_t *end, uint32_t *cost)
{
	struct runs r;
	size_t behind;
	if (!runs_begin(&r, n, p, end))
		return false;
	while (r.left > 0) {
		size_t from = r.in.at / 8;
		if (!runs_next(&r, &behind))
			return false;
		for (; r.at < behind; r.at++) {
			struct code c;
			if (!get_code(&r.in, &c) || is_past_end(&r))
				return false;
			cost[r.at] += (uint32_t)(r.in.at / 8 - from);
			from = r.in.at / 8;
		}
	}
	return is_at_end(&r);
}
