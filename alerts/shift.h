/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a series is another one than before, and by how much: the two-sample Kolmogorov-Smirnov test, a robust size of the change, and when it
 * came. Pure functions; values that are not finite count as not there. */
#ifndef PITWALL_ALERTS_SHIFT_H
#define PITWALL_ALERTS_SHIFT_H

#include <stdbool.h>
#include <stddef.h>

/* Fewer values than this on one side are not enough to say anything. */
enum { KS_FEWEST = 3 };

struct ks {
	double d; /* the greatest distance of the two distributions, 0 to 1 */
	double p; /* how often chance alone brings one as great, were both the same */
	size_t n_a, n_b;
};

/* Two samples of any sizes, ties and all; both are sorted in place, with what is not finite behind their ends. False: not enough to say, and only the
 * counts are written. Source: Smirnov's series with Stephens' correction for small samples (M. A. Stephens, "Use of the Kolmogorov-Smirnov,
 * Cramer-von Mises and related statistics without extensive tables", 1970). */
bool ks_two_sample(double *a, size_t n_a, double *b, size_t n_b, struct ks *out);

/* The series: how often the limit distribution passes lambda. */
double ks_tail(double lambda);

/* Where a window is divided: what lies in [0, before_end) is compared with [after_from, n). What is between belongs to neither. */
struct shift_window {
	size_t n, before_end, after_from;
	size_t move_from; /* the change is looked for from here on */
};

struct shift {
	struct ks ks;
	double    before, after; /* the mean of each side's middle half */
	double    spread;        /* of what was before: 1.4826 times the median absolute deviation, or 1.2533 times the mean one where that is 0 */
	double    effect;        /* (after - before) in steps: the greater of spread and what counts as one */
	size_t    moved;         /* the first value of the new level: the split of the window that leaves the least squares */
};

/* The least that counts as one step of a series: so much, above 0, and such a share of the smaller side, so that a third is as far as three times. */
struct shift_least {
	double absolute, share;
};

/* `scratch` has room for n values. False: not enough to say, and only the counts of `ks` are written. */
bool shift_measure(const float *v, const struct shift_window *w, struct shift_least least, double *scratch, struct shift *out);

/* How alike two series are that lie on the same times, where both are there: over all of the window, and with each side's own mean taken out, so
 * that a step that both made at one moment says nothing. NaN: too few, or one of them alone does not move; 1 where neither does. */
struct shift_likeness {
	double whole, within;
};
struct shift_likeness shift_likeness(const float *a, const float *b, const struct shift_window *w);

#endif
