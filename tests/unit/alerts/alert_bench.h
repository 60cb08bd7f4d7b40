/* SPDX-License-Identifier: Apache-2.0
 *
 * A store, nodes that are up or down in it, and a manager whose rounds are written back, as a recorder does. */
#ifndef PITWALL_TESTS_ALERT_BENCH_H
#define PITWALL_TESTS_ALERT_BENCH_H

#include "alerts/manager.h"
#include "tests/unit/store_folder.h"

enum { BENCH_NODES = 8, BENCH_GROUPS = 8 };

struct alert_bench {
	struct store_folder   folder;
	struct test_clock     clock;
	struct store         *store;
	struct reader        *reader;
	struct alert_manager *manager;
	struct fleet_alerting alerting;
	int64_t               nodes[BENCH_NODES];
	const struct layout  *layout; /* signal:up, load */
	double                up[BENCH_NODES], load[BENCH_NODES];
	int64_t               now_ms;
	size_t                n_gone;
	struct {
		char                 *source;
		int64_t               target;
		const struct layout  *layout;
		uint64_t              version;
	} groups[BENCH_GROUPS];
	size_t                n_groups;
};

/* Alerts are grouped by alertname, nothing inhibits. */
void bench_begin(struct alert_bench *b, const char *name);
void bench_end(struct alert_bench *b);

/* Rules of a file called "test.yml". */
void bench_load(struct alert_bench *b, const char *rules);
void bench_start_manager(struct alert_bench *b);
void bench_stop_manager(struct alert_bench *b);

/* Records what the nodes are like now. */
void bench_record(struct alert_bench *b);
/* A round as of now, written. */
void bench_round(struct alert_bench *b);
/* Time passes in steps of a second: each records and has a round. */
void bench_pass(struct alert_bench *b, int64_t seconds);

/* A request of "alice". Its text is the caller's to free. */
enum err bench_ask(struct alert_bench *b, struct request *r, char **text);

/* "id:what+seconds ..." of all transitions, since began_ms; freed by the caller. */
char *bench_transitions(struct alert_bench *b, int64_t began_ms);
/* "severity/kind/text\n..." of a kind, oldest first; likewise. */
char *bench_events(struct alert_bench *b, const char *kind);
/* What an expression gives from the store, "labels value\n..." sorted; likewise. */
char *bench_query(struct alert_bench *b, const char *expression, int64_t at_ms);

#endif
