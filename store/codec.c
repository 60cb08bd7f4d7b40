/* SPDX-License-Identifier: Apache-2.0 */
#include "store/codec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/hash.h"
#include "base/stale.h"
#include "base/varint.h"
#include "store/codec_delta.h"
#include "store/decimal.h"
#include "store/store.h"

enum form { FORM_KEY = 1, FORM_GAPS = 2, FORM_BITMAP = 3, FORM_BITS = 4 };
enum tag { TAG_INTEGER = 0, TAG_DECIMAL = 1, TAG_DECIMAL_NEW = 2, TAG_XOR = 3 };
enum { HEAD_SIZE = 5, VALUE_MAX = 2 * VARINT_MAX + 1 };

void frame_state_release(struct frame_state *s)
{
	free(s->v);
	free(s->exponent);
	*s = (struct frame_state){ 0 };
}

enum err frame_state_start(struct frame_state *s, size_t n)
{
	if (n > s->cap) {
		frame_state_release(s);
		s->v = malloc(n * sizeof *s->v);
		s->exponent = malloc(n);
		if (s->v == NULL || s->exponent == NULL) {
			frame_state_release(s);
			return ERR_MEMORY;
		}
		s->cap = n;
	}
	s->n = n;
	for (size_t i = 0; i < n; i++)
		s->v[i] = 0;
	if (n > 0)
		memset(s->exponent, 0, n);
	return ERR_OK;
}

uint64_t frame_seed(int64_t target, int stream, int64_t wall_ms)
{
	return (uint64_t)wall_ms * 31 + (uint64_t)target * 1000003 + (uint64_t)stream;
}

/* The least exponent that fits. */
static bool as_decimal(double v, uint8_t *e, int64_t *m)
{
	if (!isfinite(v))
		return false;
	for (uint8_t at = 1; at <= EXPONENT_MAX; at++) {
		if (!(fabs(v * decimal_powers[at]) < INTEGER_LIMIT))
			return false;
		if (decimal_at(v, at, m)) {
			*e = at;
			return true;
		}
	}
	return false;
}

/* Against 0. */
static size_t put_value(uint8_t *to, uint8_t *exponent, double v)
{
	int64_t m;
	if (as_integer(v, &m))
		return varint_put(to, zigzag(m) << 2 | TAG_INTEGER);
	if (as_decimal(v, exponent, &m)) {
		size_t used = varint_put(to, zigzag(m) << 2 | TAG_DECIMAL_NEW);
		to[used++] = *exponent;
		return used;
	}
	*exponent = EXPONENT_NONE;
	uint64_t x = f64_bits(v);
	unsigned zeros = x == 0 ? 0 : (unsigned)__builtin_ctzll(x) / 8;
	size_t used = varint_put(to, zeros << 2 | TAG_XOR);
	return used + varint_put(to + used, x >> (8 * zeros));
}

static void put_checksum(struct buf *b, size_t at, uint64_t seed)
{
	uint64_t sum = hash64(b->data + at + 4, b->len - at - 4, seed);
	for (int i = 0; i < 4; i++)
		b->data[at + (size_t)i] = (char)(uint8_t)(sum >> (8 * i));
}

static bool checksum_holds(const uint8_t *bytes, size_t size, uint64_t seed)
{
	uint32_t sum = (uint32_t)hash64(bytes + 4, size - 4, seed), said = 0;
	for (int i = 0; i < 4; i++)
		said |= (uint32_t)bytes[i] << (8 * i);
	return sum == said;
}

static uint8_t *encode_key(struct frame_state *s, const double *values, uint8_t *p)
{
	*p++ = FORM_KEY;
	p += varint_put(p, s->n);
	for (size_t i = 0; i < s->n; i++) {
		p += put_value(p, &s->exponent[i], values[i]);
		s->v[i] = values[i];
	}
	return p;
}

enum err frame_encode(struct frame_state *s, bool is_key, const double *values, size_t n, uint64_t seed, struct buf *to)
{
	assert(is_key || s->n == n);
	if (is_key && frame_state_start(s, n) != ERR_OK)
		return ERR_MEMORY;
	size_t at = to->len;
	_Static_assert((int)VALUE_MAX <= (int)DELTA_VALUE_BYTES, "room for either");
	uint8_t *start = (uint8_t *)buf_room(to, HEAD_SIZE + DELTA_ROOM + n * DELTA_VALUE_BYTES);
	if (start == NULL)
		return to->err;
	start[4] = FORM_BITS; /* a key frame says its own */
	uint8_t *end = is_key ? encode_key(s, values, start + 4) : frame_delta_put(s, values, start + HEAD_SIZE);
	to->len += (size_t)(end - start);
	put_checksum(to, at, seed);
	return ERR_OK;
}

/* Reads one value over the old one. Returns the place behind it, NULL when the bytes make no sense. */
static const uint8_t *get_value(const uint8_t *p, const uint8_t *end, double *v, uint8_t *exponent)
{
	uint64_t u, x;
	size_t used = varint_get(p, end, &u);
	if (used == 0)
		return NULL;
	p += used;
	uint64_t rest = u >> 2;
	int64_t step = unzigzag(rest), before = 0;
	switch ((enum tag)(u & 3)) {
	case TAG_INTEGER:
		if (!as_integer(*v, &before))
			before = 0;
		step += before; /* |step| < 2^61, |before| < 2^53 */
		if (step <= -INTEGER_LIMIT_I || step >= INTEGER_LIMIT_I)
			return NULL;
		*v = (double)step;
		return p;
	case TAG_DECIMAL_NEW:
		if (p == end)
			return NULL;
		*exponent = *p++;
		__attribute__((fallthrough));
	case TAG_DECIMAL:
		if (*exponent > EXPONENT_MAX)
			return NULL;
		step += mantissa(*v, *exponent);
		if (step <= -INTEGER_LIMIT_I || step >= INTEGER_LIMIT_I)
			return NULL;
		*v = (double)step / decimal_powers[*exponent];
		return p;
	case TAG_XOR:
		used = varint_get(p, end, &x);
		if (used == 0 || rest > 7 || (rest > 0 && x >> (64 - 8 * rest) != 0))
			return NULL;
		*exponent = EXPONENT_NONE;
		*v = f64_from_bits(f64_bits(*v) ^ x << (8 * rest));
		return p + used;
	}
	return NULL;
}

/* The place behind a value that nobody asked for; NULL when it is cut short. */
static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end)
{
	if (p == end)
		return NULL;
	enum tag tag = (enum tag)(*p & 3);
	for (int varints = tag == TAG_XOR ? 2 : 1; varints > 0; varints--) {
		while (p < end && *p >= 0x80)
			p++;
		if (p == end)
			return NULL;
		p++;
	}
	if (tag != TAG_DECIMAL_NEW)
		return p;
	return p < end ? p + 1 : NULL;
}

/* Of a value that is stepped over the exponent is taken all the same: the values beside it may be coded by it (codec_delta.h). */
static const uint8_t *take_value(struct frame_state *s, const struct frame_want *want, size_t i, const uint8_t *p, const uint8_t *end)
{
	if (want == NULL || want->is_wanted[i])
		return get_value(p, end, &s->v[i], &s->exponent[i]);
	const uint8_t *behind = skip_value(p, end);
	if (behind != NULL && (*p & 3) == TAG_XOR)
		s->exponent[i] = EXPONENT_NONE;
	else if (behind != NULL && (*p & 3) == TAG_DECIMAL_NEW)
		s->exponent[i] = behind[-1];
	return behind;
}

static bool decode_gaps(struct frame_state *s, const struct frame_want *want, const uint8_t *p, const uint8_t *end)
{
	uint64_t count, gap;
	size_t used = varint_get(p, end, &count), next = 0;
	if (used == 0 || count > s->n)
		return false;
	p += used;
	for (; count > 0; count--) {
		used = varint_get(p, end, &gap);
		if (used == 0 || gap >= s->n - next)
			return false;
		p += used;
		next += (size_t)gap;
		if (want != NULL && next >= want->end)
			return true;
		p = take_value(s, want, next, p, end);
		if (p == NULL)
			return false;
		next++;
	}
	return p == end;
}

static bool decode_bitmap(struct frame_state *s, const struct frame_want *want, const uint8_t *p, const uint8_t *end)
{
	size_t size = (s->n + 7) / 8;
	if ((size_t)(end - p) < size)
		return false;
	const uint8_t *bitmap = p;
	p += size;
	for (size_t byte = 0; byte < size; byte++) {
		if (want != NULL && byte * 8 >= want->end)
			return true;
		for (unsigned bits = bitmap[byte]; bits != 0; bits &= bits - 1) {
			size_t i = byte * 8 + (unsigned)__builtin_ctz(bits);
			if (i >= s->n)
				return false;
			p = take_value(s, want, i, p, end);
			if (p == NULL)
				return false;
		}
	}
	return p == end;
}

static bool decode_key(struct frame_state *s, const struct frame_want *want, const uint8_t *p, const uint8_t *end, size_t n)
{
	uint64_t said;
	size_t used = varint_get(p, end, &said), last = want != NULL ? want->end : n;
	if (used == 0 || said != n || (size_t)(end - p) < n)
		return false;
	p += used;
	for (size_t i = 0; i < last && p != NULL; i++)
		p = take_value(s, want, i, p, end);
	return p != NULL && (p == end || last < n);
}

enum err frame_decode_some(struct frame_state *s, const struct frame_want *want, bool is_key, size_t n, uint64_t seed, const void *bytes,
                           size_t size, struct why *why)
{
	const uint8_t *p = bytes, *end = p + size;
	if (size < HEAD_SIZE || !checksum_holds(p, size, seed))
		return why_set(why, ERR_CORRUPT, "a frame is damaged: its checksum does not fit");
	assert(want == NULL || want->end <= n);
	uint8_t form = p[4];
	p += HEAD_SIZE;
	bool good = false;
	if (is_key) {
		if (frame_state_start(s, n) != ERR_OK)
			return why_memory(why);
		good = form == FORM_KEY && decode_key(s, want, p, end, n);
	} else if (s->n == n && form == FORM_GAPS) {
		good = decode_gaps(s, want, p, end);
	} else if (s->n == n && form == FORM_BITMAP) {
		good = decode_bitmap(s, want, p, end);
	} else if (s->n == n && form == FORM_BITS) {
		good = frame_delta_get(s, want, p, end);
	}
	return good ? ERR_OK : why_set(why, ERR_CORRUPT, "a frame is damaged: its bytes make no sense");
}

enum err frame_decode(struct frame_state *s, bool is_key, size_t n, uint64_t seed, const void *bytes, size_t size, struct why *why)
{
	return frame_decode_some(s, NULL, is_key, n, seed, bytes, size, why);
}

/* ---- what a frame's series take ---- */

/* The value of series i, from `from` (its gap) or `p` on. */
static const uint8_t *cost_value(const uint8_t *from, const uint8_t *p, const uint8_t *end, uint32_t *cost)
{
	const uint8_t *behind = skip_value(p, end);
	if (behind != NULL)
		*cost += (uint32_t)(behind - from);
	return behind;
}

static bool cost_gaps(size_t n, const uint8_t *p, const uint8_t *end, uint32_t *cost)
{
	uint64_t count, gap;
	size_t used = varint_get(p, end, &count), next = 0;
	if (used == 0 || count > n)
		return false;
	for (p += used; count > 0 && p != NULL; count--, next++) {
		used = varint_get(p, end, &gap);
		if (used == 0 || gap >= n - next)
			return false;
		next += (size_t)gap;
		p = cost_value(p, p + used, end, &cost[next]);
	}
	return p == end;
}

static bool cost_bitmap(size_t n, const uint8_t *p, const uint8_t *end, uint32_t *cost)
{
	const uint8_t *bitmap = p;
	if ((size_t)(end - p) < (n + 7) / 8)
		return false;
	p += (n + 7) / 8;
	for (size_t i = 0; i < n && p != NULL; i++)
		if ((bitmap[i / 8] >> i % 8 & 1) != 0)
			p = cost_value(p, p, end, &cost[i]);
	return p == end;
}

static bool cost_key(size_t n, const uint8_t *p, const uint8_t *end, uint32_t *cost)
{
	uint64_t said;
	size_t used = varint_get(p, end, &said);
	if (used == 0 || said != n)
		return false;
	p += used;
	for (size_t i = 0; i < n && p != NULL; i++)
		p = cost_value(p, p, end, &cost[i]);
	return p == end;
}

enum err frame_costs(bool is_key, size_t n, const void *bytes, size_t size, uint32_t *cost, struct why *why)
{
	const uint8_t *p = bytes, *end = p + size;
	uint8_t form = size >= HEAD_SIZE ? p[4] : 0;
	p += size >= HEAD_SIZE ? HEAD_SIZE : 0;
	bool good = is_key ? form == FORM_KEY && cost_key(n, p, end, cost)
	                   : (form == FORM_GAPS && cost_gaps(n, p, end, cost)) || (form == FORM_BITMAP && cost_bitmap(n, p, end, cost)) ||
	                             (form == FORM_BITS && frame_delta_costs(n, p, end, cost));
	return good ? ERR_OK : why_set(why, ERR_CORRUPT, "a frame is damaged: its bytes make no sense");
}

/* ---- layouts ---- */

enum { LAYOUT_PLAIN = 0, LAYOUT_ZSTD = 1, LAYOUT_BYTES_MAX = 64 << 20, LAYOUT_ZSTD_LEVEL = 3, LAYOUT_ZSTD_FROM = 128 };
enum { LAYOUT_SEED = 0x6c61 };

static enum err put_compressed(const struct buf *plain, struct buf *to)
{
	size_t bound = ZSTD_compressBound(plain->len);
	uint8_t head[1 + VARINT_MAX] = { LAYOUT_ZSTD };
	size_t head_size = 1 + varint_put(head + 1, plain->len);
	buf_put(to, head, head_size);
	char *room = buf_room(to, bound);
	if (room == NULL)
		return to->err;
	size_t used = ZSTD_compress(room, bound, plain->data, plain->len, LAYOUT_ZSTD_LEVEL);
	if (ZSTD_isError(used))
		return ERR_MEMORY;
	to->len += used;
	return ERR_OK;
}

enum err layout_encode(struct labels *const *series, size_t n, struct buf *to)
{
	struct buf plain;
	buf_init(&plain, LAYOUT_BYTES_MAX);
	uint8_t count[VARINT_MAX];
	buf_put(&plain, count, varint_put(count, n));
	for (size_t i = 0; i < n && plain.err == ERR_OK; i++)
		labels_encode(series[i], &plain);
	enum err e = plain.err;
	size_t at = to->len;
	if (e == ERR_OK)
		e = buf_fill(to, '\0', 4);
	if (e == ERR_OK && plain.len >= LAYOUT_ZSTD_FROM) {
		e = put_compressed(&plain, to);
	} else if (e == ERR_OK) {
		buf_putc(to, LAYOUT_PLAIN);
		e = buf_put(to, plain.data, plain.len);
	}
	if (e == ERR_OK)
		put_checksum(to, at, LAYOUT_SEED);
	buf_release(&plain);
	return e;
}

static enum err damaged_layout(struct why *why)
{
	return why_set(why, ERR_CORRUPT, "a layout is damaged");
}

/* The plain bytes behind the head: `*owned` is to be freed, and is NULL where they stand in `bytes` itself. */
static enum err layout_plain(const uint8_t *bytes, size_t size, const uint8_t **plain, size_t *plain_size, void **owned, struct why *why)
{
	if (size < HEAD_SIZE || !checksum_holds(bytes, size, LAYOUT_SEED))
		return damaged_layout(why);
	const uint8_t *p = bytes + HEAD_SIZE, *end = bytes + size;
	*owned = NULL;
	if (bytes[4] == LAYOUT_PLAIN) {
		*plain = p;
		*plain_size = (size_t)(end - p);
		return ERR_OK;
	}
	uint64_t length;
	size_t used = bytes[4] == LAYOUT_ZSTD ? varint_get(p, end, &length) : 0;
	if (used == 0 || length > LAYOUT_BYTES_MAX)
		return damaged_layout(why);
	p += used;
	/* One block of zstd gives at most 128 KiB, and takes three bytes at least: a length beyond that is a lie told to make us allocate. */
	if (length / (128 << 10) > (uint64_t)(end - p) / 3 + 1)
		return damaged_layout(why);
	void *room = malloc((size_t)length + 1);
	if (room == NULL)
		return why_memory(why);
	if (ZSTD_decompress(room, (size_t)length, p, (size_t)(end - p)) != length) {
		free(room);
		return damaged_layout(why);
	}
	*plain = *owned = room;
	*plain_size = (size_t)length;
	return ERR_OK;
}

static enum err decode_series(const uint8_t *p, const uint8_t *end, struct labels **series, size_t n, size_t *made, struct why *why)
{
	for (size_t i = 0; i < n; i++) {
		size_t used;
		enum err e = labels_decode(p, (size_t)(end - p), &used, &series[i], why);
		if (e != ERR_OK)
			return e == ERR_MEMORY ? e : damaged_layout(why);
		*made = i + 1;
		p += used;
	}
	return p == end ? ERR_OK : damaged_layout(why);
}

enum err layout_decode(const void *bytes, size_t size, struct labels ***series, size_t *n, struct why *why)
{
	const uint8_t *p = NULL;
	size_t left = 0, made = 0;
	void *owned = NULL;
	uint64_t count = 0;
	struct labels **all = NULL;
	enum err e = layout_plain(bytes, size, &p, &left, &owned, why);
	if (e != ERR_OK)
		return e;
	size_t used = varint_get(p, p + left, &count);
	if (used == 0 || count > LAYOUT_SERIES_MAX || count > left) {
		e = damaged_layout(why);
		goto out;
	}
	all = calloc((size_t)count + 1, sizeof(struct labels *));
	if (all == NULL) {
		e = why_memory(why);
		goto out;
	}
	e = decode_series(p + used, p + left, all, (size_t)count, &made, why);
	if (e != ERR_OK)
		goto out;
	*series = all;
	*n = (size_t)count;
	all = NULL;
out:
	for (size_t i = 0; all != NULL && i < made; i++)
		labels_unref(all[i]);
	free(all);
	free(owned);
	return e;
}
