/* SPDX-License-Identifier: Apache-2.0
 *
 * What the strict parsers fill: the sample lines of one body with where their numbers stand, the series they name, the families, and the
 * conditions that values must meet. exposition.c makes of it what is remembered. Private to the parser. */
#ifndef PITWALL_COLLECTORS_DRAFT_H
#define PITWALL_COLLECTORS_DRAFT_H

#include "base/buf.h"
#include "base/labels.h"
#include "collectors/exposition.h"
#include "collectors/table.h"

/* One sample line: its number is at body[value_at] and value_len long; its series is the n-th of the body. */
struct draft_line {
	uint32_t value_at, value_len, series;
	uint32_t text_len; /* of the series before it, and its hash by the draft's seed; 0: not known */
	uint64_t text_hash;
};

/* What a line's value must be for the body to be valid; those with `other` speak of that line's value too. The predicting parser holds them
 * against new values; since nothing else in a body depends on the values, this and equal text is all it takes. */
#define CHECK_LIST(X)                                                              \
	X(NOT_NEGATIVE, "a count or a sum of counts must not be negative")          \
	X(NOT_NAN,      "a count or a sum of counts must not be NaN")               \
	X(ONE,          "an info's value must be 1")                                \
	X(ZERO_OR_ONE,  "a state's value must be 0 or 1")                           \
	X(NOT_BELOW,    "a bucket must not hold less than the one before it")       \
	X(EQUAL,        "the count must be that of the '+Inf' bucket")

enum check_kind {
#define X(name, sentence) CHECK_##name,
	CHECK_LIST(X)
#undef X
};
struct check {
	enum check_kind kind;
	uint32_t        line, other;
};
bool        check_holds(enum check_kind kind, double v, double other);
const char *check_sentence(enum check_kind kind);

/* Texts are offsets into draft.text, NUL-terminated. */
struct draft_family {
	uint32_t         name, name_len, help, unit;
	enum metric_type type;
	bool             has_type, has_help, has_unit, has_samples;
	int              line; /* where it was first seen */
};

struct draft {
	struct draft_line   *lines;
	double              *values; /* one a line */
	size_t               n_lines, cap_lines;
	struct labels      **series; /* lent by `own`, or by what is known of their texts */
	size_t               n_series, cap_series;
	struct labels      **own;    /* referenced */
	size_t               n_own, cap_own;
	size_t               n_tabled; /* series that stand in by_series: the first ones */
	struct check        *checks;
	size_t               n_checks, cap_checks;
	struct draft_family *families;
	size_t               n_families, cap_families;
	struct buf           text;
	struct table         by_series; /* labels_hash -> index in series */
	struct table         by_name;   /* names of families; OpenMetrics: and of all names they claim (in claims) */
	struct table         by_group;
	uint64_t             seed;
	size_t               timestamps, exemplars, longest_line;
};

void draft_init(struct draft *d, uint64_t seed);
void draft_clear(struct draft *d); /* drops the references; memory is kept unless it is much */
void draft_release(struct draft *d);

bool draft_lines_grow(struct draft *d);
bool draft_checks_grow(struct draft *d);
bool draft_series_grow(struct draft *d);

static inline enum err draft_line_add(struct draft *d, struct draft_line line, double value)
{
	if (d->n_lines == d->cap_lines && !draft_lines_grow(d))
		return ERR_MEMORY;
	d->lines[d->n_lines] = line;
	d->values[d->n_lines++] = value;
	return ERR_OK;
}

static inline enum err draft_check_add(struct draft *d, enum check_kind kind, uint32_t line, uint32_t other)
{
	if (d->n_checks == d->cap_checks && !draft_checks_grow(d))
		return ERR_MEMORY;
	d->checks[d->n_checks++] = (struct check){ kind, line, other };
	return ERR_OK;
}

/* Finds or adds the series; takes `labels` over in any case but failure. */
enum err draft_series(struct draft *d, struct labels *labels, uint32_t *out);
/* Adds one that the body has not had yet and that somebody keeps for as long as the draft is in use. */
static inline enum err draft_series_lent(struct draft *d, struct labels *labels, uint32_t *out)
{
	if (d->n_series == d->cap_series && !draft_series_grow(d))
		return ERR_MEMORY;
	*out = (uint32_t)d->n_series;
	d->series[d->n_series++] = labels;
	return ERR_OK;
}

/* The family of that name, or TABLE_NONE. The index stays; the pointer does not. */
uint32_t draft_family_find(const struct draft *d, const char *name, size_t n);
enum err draft_family_add(struct draft *d, const char *name, size_t n, int line, uint32_t *out);

/* Copies a text, with a NUL behind it. */
enum err draft_text(struct draft *d, const char *text, size_t n, uint32_t *out);

#endif
