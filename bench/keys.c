/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { FIRST_PAINT_MS = 5000, KEY_MS = 1000 };

int64_t bench_now_us(void)
{
	return clock_mono_us(clock_system());
}

void pty_read_for_ms(struct pty *p, int64_t ms)
{
	int64_t until = bench_now_us() + ms * 1000;
	for (int64_t left; (left = until - bench_now_us()) > 0;)
		pty_pump(p, (int)(left / 1000) + 1);
}

double pty_first_paint_ms(struct pty *p, int64_t begin_us)
{
	while (strstr(pty_row(p, 0), "FLEET") == NULL) {
		if (bench_now_us() - begin_us > (int64_t)FIRST_PAINT_MS * 1000) {
			fprintf(stderr, "bench: nothing was painted\n");
			exit(1);
		}
		pty_pump(p, 20);
	}
	return (double)(bench_now_us() - begin_us) / 1e3;
}

void keys_press(struct keys *k, struct pty *p)
{
	if (k->n_sent == KEYS_MAX)
		return;
	int64_t begin = bench_now_us();
	pty_send(p, k->n_sent % 2 == 0 ? "l" : "h");
	k->n_sent++;
	if (pty_pump(p, KEY_MS))
		k->ms[k->n++] = (double)(bench_now_us() - begin) / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void keys_print(struct keys *k, const char *name)
{
	qsort(k->ms, (size_t)k->n, sizeof *k->ms, by_size);
	if (k->n > 0)
		printf("%s_key_p50 %.2f ms\n%s_key_p99 %.2f ms\n", name, k->ms[k->n / 2], name, k->ms[(k->n - 1) * 99 / 100]);
	printf("%s_keys_painted %d of_%d\n", name, k->n, k->n_sent);
}
