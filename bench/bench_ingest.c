/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording from end to end: `pitwall sim` with 256 nodes and `pitwall record` as processes of their own, sockets between them, a store on
 * the disk; every target each 5 s. The simulator's own cost is not counted. One figure a line: name value unit.
 *
 * Arguments: seconds that are measured (30), nodes (256). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/process.h"

enum { WARM_UP_MS = 15000 };

static double now_s(void)
{
	return (double)clock_mono_us(clock_system()) / 1e6;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 30;
	int nodes = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 256;
	const char *store = process_file("ingest.db");
	pid_t sim = process_start_sim(nodes);
	const char *const words[] = { process_pitwall(), "record", "--config", process_file("fleet.yml"), "--store", store, NULL };
	pid_t recorder = process_start(words, "record.out", "record.log");
	process_sleep_ms(WARM_UP_MS);
	double cpu = process_cpu_seconds(recorder), begin = now_s();
	process_sleep_ms((int64_t)(seconds * 1000));
	cpu = process_cpu_seconds(recorder) - cpu;
	double took = now_s() - begin, rss = process_rss_mb(recorder);
	double per_round = process_query(store, "sum(scrape_samples_scraped)");
	double targets = process_query(store, "count(up)"), up = process_query(store, "sum(up)");
	process_stop(recorder);
	process_stop(sim);
	double total = process_query(store, "sum(sum_over_time(scrape_samples_scraped[10m]))");
	double rate = per_round / 5;
	printf("ingest_nodes %d nodes\ningest_targets %.0f targets\ningest_targets_up %.0f targets\n", nodes, targets, up);
	printf("ingest_series_per_node %.0f series\n", per_round / nodes);
	printf("ingest_rate %.0f samples/s\n", rate);
	printf("ingest_cpu %.3f s/Msamples\n", cpu / (rate * took / 1e6));
	printf("ingest_cpu_share %.1f percent_of_a_core\n", cpu / took * 100);
	printf("ingest_rss %.1f MB\n", rss);
	printf("ingest_disk %.2f bytes/sample\n", process_file_bytes(store) / total);
	process_remove_folder();
	return 0;
}
