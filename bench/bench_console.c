/* SPDX-License-Identifier: Apache-2.0
 *
 * What the console costs whoever looks at it: the real program on a pty, live on a simulated fleet of 256 nodes polled each 5 s by itself,
 * at two sizes. From the start to the first paint, from a key to what it paints, what it writes while nobody touches it. One figure a line:
 * name value unit. Arguments: seconds of idling that are measured (15), keys (300). */
#include "tests/unit/unit.h"

#include "bench/keys.h"
#include "bench/process.h"

enum { NODES = 256, WARM_UP_MS = 20000, GAP_MS = 15 };

static struct pty *start(int rows, int cols)
{
	static char home[256];
	snprintf(home, sizeof home, "HOME=%.200s", process_folder());
	const char *const env[] = { home, "TERM=xterm-256color", NULL };
	const char *const argv[] = { process_pitwall(), "--config", process_file("fleet.yml"), "--store", process_file("console.db"), NULL };
	const struct pty_options o = { .rows = rows, .cols = cols, .argv = argv, .env = env };
	return pty_start(&o);
}

static void measure(int rows, int cols, double idle_s, int keys)
{
	static struct keys pressed;
	char name[32];
	size_t bytes;
	pressed.n = pressed.n_sent = 0;
	snprintf(name, sizeof name, "console_%dx%d", cols, rows);
	int64_t begin = bench_now_us();
	struct pty *p = start(rows, cols);
	printf("%s_first_paint %.1f ms\n", name, pty_first_paint_ms(p, begin));
	pty_read_for_ms(p, WARM_UP_MS);
	pty_forget(p);
	begin = bench_now_us();
	pty_read_for_ms(p, (int64_t)(idle_s * 1000));
	pty_bytes(p, &bytes);
	printf("%s_idle %.0f bytes/s\n", name, (double)bytes / ((double)(bench_now_us() - begin) / 1e6));
	for (int i = 0; i < keys; i++) {
		pty_read_for_ms(p, GAP_MS);
		keys_press(&pressed, p);
	}
	keys_print(&pressed, name);
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
