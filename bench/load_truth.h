/* SPDX-License-Identifier: Apache-2.0
 *
 * When each node was asked, held against the interval at which it should have been: who measures himself can't be late. A node's scraper
 * has chosen its place in the interval; that is taken to be the earliest at which it asked, and all else is late to it. An interval in
 * which it did not ask is missed. */
#ifndef PITWALL_BENCH_LOAD_TRUTH_H
#define PITWALL_BENCH_LOAD_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct truth;

/* NULL: out of memory. Times are microseconds of a clock that never jumps. */
struct truth *truth_new(size_t nodes, int64_t interval_us);
void          truth_free(struct truth *t); /* NULL is fine */

/* A window begins: what was before is forgotten. */
void truth_begin(struct truth *t, int64_t now_us);
/* A node was asked. After TRUTH_ASKED_MAX times a node's are no longer kept, and the report says so. */
enum { TRUTH_ASKED_MAX = 1 << 20 };
void truth_asked(struct truth *t, size_t node, int64_t now_us);

struct truth_report {
	uint64_t asked, expected, missed;  /* scrapes; expected: intervals that were over by the end of the window */
	uint64_t extra;                    /* more than one in an interval */
	double   late_p50_ms, late_p99_ms, late_max_ms;
	bool     is_cut;                   /* not everything could be kept */
};
/* The window from truth_begin up to now. Returns false when memory is short. */
bool truth_report(const struct truth *t, int64_t now_us, struct truth_report *out);

#endif
