/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rollup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stale.h"
#include "store/codec.h"
#include "store/decimal.h"
#include "store/store.h"

/* A series that falls at more than one step in so many is no counter. Sums are decimals as short as hit them to SUM_HIT, or to the promised precision. */
enum { FALLS_SHARE = 8 };
#define SUM_HIT 1e-14
#define COUNT_MAX 1e12

const int64_t rollup_widths_ms[ROLLUP_LEVELS] = { 5 * 60 * 1000, 60 * 60 * 1000 };

bool rollup_window(int64_t at_ms, int64_t width_ms, int64_t *out)
{
	if (at_ms <= 0 || at_ms > INT64_MAX / 2)
		return false;
	*out = (at_ms - 1) / width_ms;
	return true;
}

/* ---- cells ---- */

static void add_to_sum(struct rollup_cell *c, double v)
{
	double t = c->sum + v;
	if (isinf(t))
		c->carry = 0;
	else if (fabs(c->sum) >= fabs(v))
		c->carry += (c->sum - t) + v;
	else
		c->carry += (v - t) + c->sum;
	c->sum = t;
}

double rollup_cell_sum(const struct rollup_cell *c)
{
	return isinf(c->sum) ? c->sum : c->sum + c->carry;
}

/* A NaN gives way to anything, as it does in min_over_time; of equals the first stays. */
static double lesser(double a, double b) { return b < a || isnan(a) ? b : a; }
static double greater(double a, double b) { return b > a || isnan(a) ? b : a; }

void rollup_cell_add(struct rollup_cell *c, int64_t at_ms, double v)
{
	if (c->count > 0) {
		if (v < c->last) {
			c->resets += c->last;
			c->falls++;
		}
		c->min = lesser(c->min, v);
		c->max = greater(c->max, v);
	} else {
		c->first = c->min = c->max = v;
		c->first_ms = at_ms;
	}
	add_to_sum(c, v);
	c->count++;
	c->last = v;
	c->last_ms = at_ms;
	c->is_ended = false;
}

void rollup_cell_end(struct rollup_cell *c)
{
	c->is_ended = true;
}

void rollup_cell_join(struct rollup_cell *c, const struct rollup_cell *next)
{
	if (next->count == 0) {
		c->is_ended |= next->is_ended;
		return;
	}
	if (c->count == 0) {
		int64_t window = c->window;
		*c = *next;
		c->window = window;
		return;
	}
	if (next->first < c->last) {
		c->resets += c->last;
		c->falls++;
	}
	c->resets += next->resets;
	c->falls += next->falls;
	c->min = lesser(c->min, next->min);
	c->max = greater(c->max, next->max);
	add_to_sum(c, next->sum);
	add_to_sum(c, next->carry);
	c->count += next->count;
	c->last = next->last;
	c->last_ms = next->last_ms;
	c->is_ended = next->is_ended;
}

/* ---- writing ---- */

enum err rollup_order_new(const struct block_order *base, struct block_order **out, struct why *why)
{
	size_t n = base->n * ROLLUP_FIELDS;
	struct block_order *o = calloc(1, sizeof *o);
	if (o == NULL)
		return why_memory(why);
	*o = (struct block_order){ n, calloc(n + 1, sizeof *o->position), calloc(n + 1, sizeof *o->follows) };
	if (o->position == NULL || o->follows == NULL) {
		block_order_free(o);
		return why_memory(why);
	}
	for (size_t f = 0, k = 0; f < ROLLUP_FIELDS; f++)
		for (size_t i = 0; i < base->n; i++, k++) {
			o->position[k] = (uint32_t)(f * base->n + base->position[i]);
			o->follows[k] = base->follows[i];
		}
	*out = o;
	return ERR_OK;
}

static bool same(double a, double b) { return f64_bits(a) == f64_bits(b); }

/* What is stored of one series, over all its windows. */
struct stored {
	bool is_counter, has_first, has_min, has_max;
};

static double first_of(const struct stored *s, const struct rollup_cell *c) { return s->has_first ? c->first : c->last; }

static struct stored what_is_stored(const struct rollup_cell *cells, size_t n)
{
	struct stored s = { .is_counter = true };
	double falls = 0, steps = 0;
	bool differs = false;
	for (size_t k = 0; k < n; k++) {
		const struct rollup_cell *c = &cells[k];
		if (c->count == 0)
			continue;
		falls += c->falls;
		steps += c->count - 1;
		s.is_counter &= !isnan(c->resets);
		differs |= !same(c->first, c->last);
	}
	s.is_counter &= falls * FALLS_SHARE <= steps;
	s.has_first = s.is_counter && differs;
	for (size_t k = 0; k < n; k++) {
		const struct rollup_cell *c = &cells[k];
		s.has_min |= c->count > 0 && !same(c->min, lesser(first_of(&s, c), c->last));
		s.has_max |= c->count > 0 && !same(c->max, greater(first_of(&s, c), c->last));
	}
	return s;
}

/* What a sum is about: so much more or less is stored. 0 where that helps nothing. */
static double sum_base(double count, double first, double last)
{
	double base = count * (first / 2 + last / 2);
	return isfinite(base) ? base : 0;
}

/* The shortest decimal that is as near as it must be. */
static double shorten(double v, double scale)
{
	if (!isfinite(v))
		return v;
	for (unsigned e = 0; e <= EXPONENT_MAX; e++) {
		double scaled = v * decimal_powers[e];
		if (!(fabs(scaled) < INTEGER_LIMIT))
			return v;
		double is = (double)llround(scaled) / decimal_powers[e], off = fabs(is - v);
		if (off <= scale * SUM_HIT || (1 / decimal_powers[e] <= scale * ROLLUP_SUM_PRECISION && off <= scale * ROLLUP_SUM_PRECISION / 2))
			return is;
	}
	return v;
}

static double stored_sum(const struct stored *s, const struct rollup_cell *c)
{
	double sum = rollup_cell_sum(c), base = sum_base(c->count, first_of(s, c), c->last);
	double scale = c->count * fmax(fabs(c->min), fabs(c->max));
	return isfinite(sum) && isfinite(2 * (sum - base)) ? shorten(2 * (sum - base), scale) : sum;
}

/* A stale mark in a window without a sample matters where it is the first one behind a sample, if only of the row before: a coarser window may have both. */
static void store_cell(const struct stored *s, const struct rollup_cell *c, bool *is_live, int64_t start_ms, double v[ROLLUP_FIELDS])
{
	for (int f = 0; f < ROLLUP_FIELDS; f++)
		v[f] = stale_mark();
	if (c->is_ended && (c->count > 0 || *is_live))
		v[ROLLUP_ENDED] = 1;
	*is_live = (*is_live || c->count > 0) && !c->is_ended;
	if (c->count == 0)
		return;
	v[ROLLUP_COUNT] = c->count;
	v[ROLLUP_FIRST_MS] = (double)(c->first_ms - start_ms);
	v[ROLLUP_LAST_MS] = (double)(c->last_ms - start_ms);
	v[ROLLUP_LAST] = c->last;
	if (s->has_first)
		v[ROLLUP_FIRST] = c->first;
	if (s->has_min)
		v[ROLLUP_MIN] = c->min;
	if (s->has_max)
		v[ROLLUP_MAX] = c->max;
	v[ROLLUP_SUM] = stored_sum(s, c);
	if (!s->is_counter)
		v[ROLLUP_RESETS] = f64_from_bits(NORMAL_NAN_BITS);
	else if (c->resets != 0)
		v[ROLLUP_RESETS] = c->resets;
}

enum err rollup_encode(const struct block_order *order, size_t n_series, const struct rollup_cell *cells, size_t room, const int64_t *windows,
                       size_t n_windows, int64_t width_ms, uint64_t seed, struct block *to, struct why *why)
{
	int64_t at_ms[BLOCK_ROWS_MAX];
	const struct block_rows rows = { n_windows, at_ms, windows, NULL };
	double *values = malloc((n_series * n_windows + 1) * ROLLUP_FIELDS * sizeof *values);
	if (values == NULL)
		return why_memory(why);
	for (size_t k = 0; k < n_windows; k++)
		at_ms[k] = windows[k] * width_ms;
	for (size_t i = 0; i < n_series; i++) {
		const struct stored s = what_is_stored(&cells[i * room], n_windows);
		bool is_live = true;
		for (size_t k = 0; k < n_windows; k++) {
			double v[ROLLUP_FIELDS];
			store_cell(&s, &cells[i * room + k], &is_live, at_ms[k], v);
			for (size_t f = 0; f < ROLLUP_FIELDS; f++)
				values[(f * n_series + i) * n_windows + k] = v[f];
		}
	}
	enum err e = block_encode(order, &rows, values, seed, to, why);
	free(values);
	return e;
}

/* ---- reading ---- */

uint64_t rollup_seed(int64_t target, int stream, int level, int64_t first_frame)
{
	return frame_seed(target, stream + STREAM_COUNT * (level + 1), first_frame);
}

static enum err make_columns(struct rollup_row *r, unsigned fields, const bool *is_wanted, struct why *why)
{
	r->columns = calloc(r->n_series * ROLLUP_FIELDS + 1, sizeof *r->columns);
	if (r->columns == NULL)
		return why_memory(why);
	for (size_t f = 0; f < ROLLUP_FIELDS; f++)
		for (size_t i = 0; i < r->n_series; i++) {
			if ((fields & ROLLUP_FIELD(f)) == 0 || (is_wanted != NULL && !is_wanted[i]))
				continue;
			r->columns[f * r->n_series + i] = malloc(r->head.n_rows * sizeof **r->columns);
			if (r->columns[f * r->n_series + i] == NULL)
				return why_memory(why);
		}
	return ERR_OK;
}

/* Numbers that no window has would make what is reckoned with them overflow. */
static bool has_windows(const struct rollup_row *r)
{
	for (size_t k = 0; k < r->head.n_rows; k++)
		if (r->head.id[k] < 0 || r->head.id[k] > INT64_MAX / 2 / r->width_ms || r->head.at_ms[k] != r->head.id[k] * r->width_ms || r->head.is_gone[k])
			return false;
	return true;
}

enum err rollup_row_open(const void *head, size_t size, uint64_t seed, size_t n_series, int64_t width_ms, unsigned fields, const bool *is_wanted,
                         struct rollup_row *out, struct why *why)
{
	*out = (struct rollup_row){ .n_series = n_series, .width_ms = width_ms, .seed = seed };
	enum err e = block_head_decode(head, size, seed, n_series * ROLLUP_FIELDS, &out->head, why);
	if (e == ERR_OK && !has_windows(out))
		e = why_set(why, ERR_CORRUPT, "a rollup is damaged: its windows make no sense");
	return e == ERR_OK ? make_columns(out, fields, is_wanted, why) : e;
}

void rollup_row_release(struct rollup_row *r)
{
	for (size_t i = 0; r->columns != NULL && i < r->n_series * ROLLUP_FIELDS; i++)
		free(r->columns[i]);
	free(r->columns);
	block_head_release(&r->head);
	*r = (struct rollup_row){ 0 };
}

enum err rollup_row_decode(struct rollup_row *r, const void *body, size_t size, struct why *why)
{
	enum err e = ERR_OK;
	size_t at = 0;
	for (size_t g = 0; g < r->head.n_groups && e == ERR_OK; g++) {
		size_t n = r->head.groups[g].size;
		if (n > size - at)
			return why_set(why, ERR_CORRUPT, "a rollup is shorter than it says");
		if (block_group_is_wanted(&r->head, g, r->columns))
			e = block_group_decode(&r->head, g, r->seed, (const char *)body + at, n, r->columns, why);
		at += n;
	}
	return e;
}

static double field_of(const struct rollup_row *r, enum rollup_field f, size_t series, size_t k, double none)
{
	const double *column = r->columns[f * r->n_series + series];
	return column == NULL || is_stale(column[k]) ? none : column[k];
}

static int64_t time_of(const struct rollup_row *r, enum rollup_field f, size_t series, size_t k)
{
	double behind = field_of(r, f, series, k, 1);
	return r->head.at_ms[k] + (behind >= 1 && behind <= (double)r->width_ms ? (int64_t)behind : 1);
}

void rollup_row_cell(const struct rollup_row *r, size_t series, size_t k, struct rollup_cell *out)
{
	double count = field_of(r, ROLLUP_COUNT, series, k, 0);
	*out = (struct rollup_cell){ .window = r->head.id[k], .is_ended = field_of(r, ROLLUP_ENDED, series, k, 0) > 0 };
	if (!(count >= 1 && count <= COUNT_MAX))
		return;
	out->count = count;
	out->first_ms = time_of(r, ROLLUP_FIRST_MS, series, k);
	out->last_ms = time_of(r, ROLLUP_LAST_MS, series, k);
	out->last = field_of(r, ROLLUP_LAST, series, k, 0);
	out->first = field_of(r, ROLLUP_FIRST, series, k, out->last);
	out->min = field_of(r, ROLLUP_MIN, series, k, lesser(out->first, out->last));
	out->max = field_of(r, ROLLUP_MAX, series, k, greater(out->first, out->last));
	double more = field_of(r, ROLLUP_SUM, series, k, 0);
	out->sum = isfinite(more) ? sum_base(count, out->first, out->last) + more / 2 : more;
	out->resets = field_of(r, ROLLUP_RESETS, series, k, 0);
}
