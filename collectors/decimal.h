/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as expositions write them: a decimal mantissa and exponent exactly as the text has them, and the double nearest to that. The
 * grammar is Go's ParseFloat without hexadecimal, binary, octal and underscores: "1", "-1.5e+3", ".5", "5.", "Inf", "+infinity",
 * "NaN", in any letter case. No locale is asked. */
#ifndef PITWALL_COLLECTORS_DECIMAL_H
#define PITWALL_COLLECTORS_DECIMAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decimal {
	uint64_t mantissa; /* of all digits, without the point */
	int32_t  exponent; /* of ten */
	bool     is_negative;
	bool     is_exact; /* mantissa and exponent hold the text's whole value (up to 19 digits) */
};

/* Reads a plain number (digits, point, exponent) from [p, end) as far as it goes; returns where it ends, or NULL when none begins at p, or
 * one that has no exact decimal. */
const char *decimal_scan(const char *p, const char *end, struct decimal *out);

/* The same for the commonest, up to seven digits and as many behind a point, with at least 16 bytes from p to end; NULL: ask decimal_scan. */
const char *decimal_scan_short(const char *p, const char *end, struct decimal *out);

/* The nearest double (ties to even) in *out; false where the quick way cannot tell. */
bool decimal_quick(const struct decimal *d, double *out);

/* The whole text as a double, correctly rounded. ERR_FORMAT: not a number; ERR_RANGE: too large for a double (too small is 0);
 * ERR_LIMIT: longer than 512 bytes. */
enum err number_parse(const char *text, size_t n, double *out);

#endif
