/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: what rollups should say, made of the samples, and what they do say. All of this fails the test where something is not as it should be. */
#ifndef PITWALL_TESTS_ROLLUP_CHECK_H
#define PITWALL_TESTS_ROLLUP_CHECK_H

#include "store/rollup.h"

/* Sorted by labels; rollup_set_release frees them. Times as of reader_rollups. */
void rollups_of_samples(struct reader *r, const struct matcher *m, int level, int64_t after_ms, int64_t until_ms, struct rollup_set *out);
void rollups_read(struct reader *r, const struct matcher *m, int level, int64_t after_ms, int64_t until_ms, struct rollup_set *out);

/* How many windows were compared, and of how many the increase is kept. */
struct rollup_tally {
	size_t windows, kept;
};
void rollups_compare(const char *label, const struct rollup_set *got, const struct rollup_set *want, struct rollup_tally *tally);

#endif
