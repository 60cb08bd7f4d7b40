/* SPDX-License-Identifier: Apache-2.0
 *
 * What the console costs whoever looks at it: the real program on a pty, live on a simulated fleet of 256 nodes polled each 5 s by itself, at
 * two sizes. From the start to the first paint, from a key to what it paints, what it writes while nobody touches it. One figure a line: name
 * value unit. Arguments: seconds of idling that are measured (15), keys (300). */
#include "tests/unit/unit.h"

#include "bench/process.h"
#include "tests/e2e/pty.h"

#include "base/clock.h"

enum { NODES = 256, WARM_UP_MS = 20000, FIRST_PAINT_MS = 5000, KEY_MS = 1000, KEYS_MAX = 2000, GAP_MS = 15 };

static int64_t now_us(void)
{
	return clock_mono_us(clock_system());
}

static struct pty *start(int rows, int cols)
{
	static char home[256];
	snprintf(home, sizeof home, "HOME=%.200s", process_folder());
	const char *const env[] = { home, "TERM=xterm-256color", NULL };
	const char *const argv[] = { process_pitwall(), "--config", process_file("fleet.yml"), "--store", process_file("console.db"), NULL };
	const struct pty_options o = { .rows = rows, .cols = cols, .argv = argv, .env = env };
	return pty_start(&o);
}

static void read_for_ms(struct pty *p, int64_t ms)
{
	int64_t until = now_us() + ms * 1000;
	for (int64_t left; (left = until - now_us()) > 0;)
		pty_pump(p, (int)(left / 1000) + 1);
}

/* To the moment at which the name of the view stands in the first row. */
static double first_paint_ms(struct pty *p, int64_t begin)
{
	while (strstr(pty_row(p, 0), "FLEET") == NULL) {
		if (now_us() - begin > (int64_t)FIRST_PAINT_MS * 1000) {
			fprintf(stderr, "bench_console: nothing was painted\n");
			exit(1);
		}
		pty_pump(p, 20);
	}
	return (double)(now_us() - begin) / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Keys move the selection, so that each of them changes the screen. */
static int measure_keys(struct pty *p, int keys, double *ms)
{
	int n = 0;
	for (int i = 0; i < keys && n < KEYS_MAX; i++) {
		read_for_ms(p, GAP_MS);
		int64_t begin = now_us();
		pty_send(p, i % 2 == 0 ? "l" : "h");
		if (pty_pump(p, KEY_MS))
			ms[n++] = (double)(now_us() - begin) / 1e3;
	}
	qsort(ms, (size_t)n, sizeof *ms, by_size);
	return n;
}

static void measure(int rows, int cols, double idle_s, int keys)
{
	static double ms[KEYS_MAX];
	char name[32];
	size_t bytes;
	snprintf(name, sizeof name, "console_%dx%d", cols, rows);
	int64_t begin = now_us();
	struct pty *p = start(rows, cols);
	printf("%s_first_paint %.1f ms\n", name, first_paint_ms(p, begin));
	read_for_ms(p, WARM_UP_MS);
	pty_forget(p);
	begin = now_us();
	read_for_ms(p, (int64_t)(idle_s * 1000));
	pty_bytes(p, &bytes);
	printf("%s_idle %.0f bytes/s\n", name, (double)bytes / ((double)(now_us() - begin) / 1e6));
	int n = measure_keys(p, keys, ms);
	if (n > 0)
		printf("%s_key_p50 %.2f ms\n%s_key_p99 %.2f ms\n", name, ms[n / 2], name, ms[(n - 1) * 99 / 100]);
	printf("%s_keys_painted %d of_%d\n", name, n, keys);
	printf("%s_rss %.1f MB\n", name, process_rss_mb(pty_pid(p)));
	pty_free(p);
}

int main(int argc, char **argv)
{
	double idle_s = argc > 1 ? strtod(argv[1], NULL) : 15;
	int keys = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 300;
	pid_t sim = process_start_sim(NODES);
	measure(24, 80, idle_s, keys);
	measure(60, 200, idle_s, keys);
	process_stop(sim);
	process_remove_folder();
	return 0;
}
