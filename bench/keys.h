/* SPDX-License-Identifier: Apache-2.0
 *
 * How long the console takes to paint what a key changes: from the key's byte to the first byte that is written after it. */
#ifndef PITWALL_BENCH_KEYS_H
#define PITWALL_BENCH_KEYS_H

#include "tests/e2e/pty.h"

enum { KEYS_MAX = 2000 };

struct keys {
	double ms[KEYS_MAX];
	int    n, n_sent; /* painted within a second, sent; no more than KEYS_MAX are sent */
};

/* Moves the selection, to and fro, so that each key changes the screen. */
void keys_press(struct keys *k, struct pty *p);

/* "NAME_key_p50", "NAME_key_p99", "NAME_keys_painted". */
void keys_print(struct keys *k, const char *name);

/* Reads what comes for so long. */
void pty_read_for_ms(struct pty *p, int64_t ms);

/* Reads until the name of the view stands in the first row: how long that took, in ms. Ends the benchmark when it does not come. */
double pty_first_paint_ms(struct pty *p, int64_t begin_us);

int64_t bench_now_us(void);

#endif
