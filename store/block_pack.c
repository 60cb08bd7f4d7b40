/* SPDX-License-Identifier: Apache-2.0 */
#include "store/block_pack.h"

/* What choosing a packing takes of the numbers, from one walk over them. */
struct measure {
	uint64_t lengths, most; /* the sum of the lengths; all numbers ORed */
	size_t   nonzero;
};

static struct measure measure_of(const uint64_t *u, size_t n)
{
	struct measure m = { 0 };
	for (size_t i = 0; i < n; i++) {
		m.lengths += bits_length(u[i]);
		m.most |= u[i];
		m.nonzero += u[i] != 0;
	}
	return m;
}

static uint64_t rice_bits(uint64_t u, unsigned k)
{
	uint64_t zeros = u >> k;
	return zeros < RICE_ESCAPE ? zeros + 1 + k : RICE_BITS_MAX;
}

static uint64_t all_rice_bits(const uint64_t *u, size_t n, uint64_t most, unsigned k)
{
	uint64_t bits = 0;
	if (most >> k < RICE_ESCAPE) {
		for (size_t i = 0; i < n; i++)
			bits += u[i] >> k;
		return bits + n * (1 + k);
	}
	for (size_t i = 0; i < n; i++)
		bits += rice_bits(u[i], k);
	return bits;
}

/* The mean of the lengths, not of the numbers: a few large ones among many small ones are escaped. */
static uint64_t best_k(const uint64_t *u, size_t n, const struct measure *m, unsigned *k)
{
	uint64_t best = UINT64_MAX;
	unsigned mean = n == 0 ? 0 : (unsigned)((m->lengths + n / 2) / n), from = mean > 2 ? mean - 2 : 0, until = mean < RICE_K_MAX ? mean + 1 : RICE_K_MAX;
	for (unsigned at = from; at <= until; at++) {
		uint64_t bits = all_rice_bits(u, n, m->most, at);
		if (bits < best) {
			best = bits;
			*k = at;
		}
	}
	return best;
}

static uint64_t byte_bits(uint64_t v)
{
	uint8_t room[VARINT_MAX];
	return 8 * varint_put(room, v);
}

/* Whether leaving the zeros away is better: gaps and the numbers less one, counted as they are. */
static void try_sparse(const uint64_t *u, size_t n, size_t nonzero, struct packing *p)
{
	uint64_t lengths = 0, gap_lengths = 0, bits = 0;
	size_t gap = 0;
	if (nonzero * 2 > n)
		return;
	for (size_t i = 0; i < n; i++) {
		if (u[i] == 0) {
			gap++;
			continue;
		}
		lengths += bits_length(u[i] - 1);
		gap_lengths += bits_length(gap);
		gap = 0;
	}
	size_t share = nonzero > 0 ? nonzero : 1;
	unsigned k = (unsigned)(lengths / share), k_gap = (unsigned)(gap_lengths / share);
	k = k > RICE_K_MAX ? RICE_K_MAX : k;
	k_gap = k_gap > 0 ? k_gap - 1 : 0;
	gap = 0;
	for (size_t i = 0; i < n; i++) {
		if (u[i] == 0) {
			gap++;
			continue;
		}
		bits += rice_bits(gap, k_gap) + rice_bits(u[i] - 1, k);
		gap = 0;
	}
	bits += 8 + byte_bits(nonzero);
	if (bits >= p->bits)
		return;
	p->bits = bits;
	p->is_sparse = true;
	p->k = k;
	p->k_gap = k_gap;
	p->n_nonzero = nonzero;
}

static void weigh(const uint64_t *u, size_t n, struct packing *p)
{
	struct measure m = measure_of(u, n);
	p->bits = best_k(u, n, &m, &p->k);
	try_sparse(u, n, m.nonzero, p);
	if (p->is_offset)
		p->bits += byte_bits(zigzag(p->offset));
	if (p->shift > 0)
		p->bits += 8;
}

static unsigned low_zeros(uint64_t ored) { return ored == 0 ? 0 : (unsigned)__builtin_ctzll(ored); }

static void to_offset(const int64_t *r, size_t n, const struct packing *p, uint64_t *u)
{
	for (size_t i = 0; i < n; i++)
		u[i] = ((uint64_t)r[i] - (uint64_t)p->offset) >> p->shift;
}

static void to_zigzag(const int64_t *r, size_t n, const struct packing *p, uint64_t *u)
{
	for (size_t i = 0; i < n; i++)
		u[i] = zigzag(r[i] >> p->shift);
}

void pack_plan(const int64_t *r, size_t n, uint64_t *u, struct packing *out)
{
	int64_t least = r[0];
	uint64_t ored = 0, ored_off = 0;
	for (size_t i = 0; i < n; i++) {
		least = r[i] < least ? r[i] : least;
		ored |= (uint64_t)r[i];
	}
	for (size_t i = 0; i < n; i++)
		ored_off |= (uint64_t)r[i] - (uint64_t)least;
	struct packing offset = { .offset = least, .is_offset = true, .shift = low_zeros(ored_off) }, zig = { .shift = low_zeros(ored) };
	to_offset(r, n, &offset, u);
	weigh(u, n, &offset);
	if (ored_off == 0 || (least >= 0 && least < 64)) {
		*out = offset;
		return;
	}
	to_zigzag(r, n, &zig, u);
	weigh(u, n, &zig);
	*out = zig;
	if (offset.bits < zig.bits) {
		to_offset(r, n, &offset, u);
		*out = offset;
	}
}

uint8_t *pack_put(uint8_t *to, const struct packing *p, const uint64_t *u, size_t n)
{
	*to++ = (uint8_t)(p->k | (p->is_sparse ? PACK_SPARSE : 0) | (p->is_offset ? PACK_OFFSET : 0));
	if (p->is_offset)
		to += varint_put(to, zigzag(p->offset));
	if (p->shift > 0)
		*to++ = (uint8_t)p->shift;
	if (!p->is_sparse) {
		struct bits_out o = { .p = to };
		for (size_t i = 0; i < n; i++)
			rice_put(&o, u[i], p->k);
		return bits_end(&o);
	}
	*to++ = (uint8_t)p->k_gap;
	to += varint_put(to, p->n_nonzero);
	struct bits_out o = { .p = to };
	for (size_t i = 0, gap = 0; i < n; i++) {
		if (u[i] == 0) {
			gap++;
			continue;
		}
		rice_put(&o, gap, p->k_gap);
		rice_put(&o, u[i] - 1, p->k);
		gap = 0;
	}
	return bits_end(&o);
}

/* What was read ends in the last byte. */
static bool ends(const struct bits_in *in)
{
	return (in->at + 7) / 8 == in->size;
}

static bool get_dense(struct bits_in *in, unsigned k, int64_t *r, size_t n)
{
	uint64_t u;
	for (size_t i = 0; i < n; i++) {
		if (!rice_get(in, k, &u))
			return false;
		r[i] = (int64_t)u;
	}
	return ends(in);
}

static bool get_sparse(const uint8_t *p, const uint8_t *end, unsigned k, int64_t *r, size_t n)
{
	uint64_t nonzero, gap, u;
	if (p == end || *p > RICE_K_MAX)
		return false;
	unsigned k_gap = *p++;
	size_t used = varint_get(p, end, &nonzero), at = 0;
	if (used == 0 || nonzero > n)
		return false;
	struct bits_in in = { p + used, (size_t)(end - p) - used, 0 };
	memset(r, 0, n * sizeof *r);
	for (; nonzero > 0; nonzero--) {
		if (!rice_get(&in, k_gap, &gap) || gap >= n - at || !rice_get(&in, k, &u))
			return false;
		at += (size_t)gap;
		r[at++] = (int64_t)(u + 1);
	}
	return ends(&in);
}

bool pack_get(const uint8_t *p, const uint8_t *end, bool shifted, int64_t *r, size_t n)
{
	if (p == end)
		return false;
	uint8_t head = *p++;
	unsigned k = head & PACK_K_MASK, shift = 0;
	uint64_t offset = 0;
	if ((head & PACK_OFFSET) != 0) {
		size_t used = varint_get(p, end, &offset);
		if (used == 0)
			return false;
		p += used;
		offset = (uint64_t)unzigzag(offset);
	}
	if (shifted) {
		if (p == end || *p == 0 || *p > 63)
			return false;
		shift = *p++;
	}
	bool good;
	if ((head & PACK_SPARSE) != 0) {
		good = get_sparse(p, end, k, r, n);
	} else {
		struct bits_in in = { p, (size_t)(end - p), 0 };
		good = get_dense(&in, k, r, n);
	}
	if (!good)
		return false;
	if ((head & PACK_OFFSET) != 0) {
		for (size_t i = 0; i < n; i++)
			r[i] = (int64_t)(((uint64_t)r[i] << shift) + offset);
	} else {
		for (size_t i = 0; i < n; i++)
			r[i] = (int64_t)((uint64_t)unzigzag((uint64_t)r[i]) << shift);
	}
	return true;
}
