/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers and durations from text and back. All of them take the whole text or nothing, know no locale, and leave `out` untouched on
 * failure. */
#ifndef PITWALL_BASE_NUM_H
#define PITWALL_BASE_NUM_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A decimal integer with an optional '-'. ERR_FORMAT: not a number; ERR_RANGE: outside [min, max]. */
enum err parse_i64(const char *text, int64_t min, int64_t max, int64_t *out);

/* A finite decimal float as in JSON or "1e-3", ".5", "5."; no hex, no inf, no nan. */
enum err parse_f64(const char *text, double min, double max, double *out);

/* A Prometheus duration: numbers with units y w d h m s ms in that order, each at most once ("1h30m", "90s", "0"). No sign.
 * Source: the Prometheus documentation, "Time durations". `out_ms` in milliseconds. */
enum err parse_duration(const char *text, size_t n, int64_t *out_ms);

/* A size in bytes: a whole number and B, KiB, MiB, GiB or TiB (powers of 1024), or kB, MB, GB, TB (of 1000); "0" needs no unit. No sign. */
enum err parse_bytes(const char *text, size_t n, int64_t *out);

enum { DURATION_TEXT = 48, NUMBER_TEXT = 32 };

/* The shortest exact Prometheus duration ("1h30m", "1s500ms", "0s"); `to` has DURATION_TEXT bytes; negative gets a '-'. */
const char *format_duration(int64_t ms, char to[DURATION_TEXT]);

/* For people, two units at the most: "41d 3h", "4m12s", "51s", "820ms". */
const char *format_age(int64_t ms, char to[DURATION_TEXT]);

/* For people, powers of 1024 and three digits at the most: "512B", "1.5GiB", "20GiB", "-3KiB". */
const char *format_bytes(int64_t n, char to[NUMBER_TEXT]);

/* The shortest decimal that reads back as the same double, Prometheus spelling ("NaN", "+Inf", "-Inf"). */
const char *format_f64(double v, char to[NUMBER_TEXT]);

/* Eight significant digits, and never coarser than a thousandth: the double nearest to that decimal. Integers, what is not finite, what is under 1e-15 and
 * decimals that have no more digits stay as they are, bit by bit; so does what was rounded once. */
double round_f64(double v);

#endif
