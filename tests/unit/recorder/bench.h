/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder at work in a folder of its own, and ways to wait for what it should do: conditions with a deadline, never a time. */
#ifndef PITWALL_TESTS_RECORDER_BENCH_H
#define PITWALL_TESTS_RECORDER_BENCH_H

#include "base/loop.h"
#include "config/profile.h"
#include "recorder/recorder.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

enum { WAIT_MS = 30000 }; /* for what should take a second: the machine may be busy */

struct bench {
	char             folder[64], store_path[96], fleet_path[96], log_path[96];
	struct loop     *loop;
	struct store    *store;
	struct log      *log;
	struct profiles *profiles;
	struct recorder *recorder; /* NULL between bench_stop and bench_go */
	int64_t          began_ms;
	char             said[512]; /* bench_event_text */
};

void bench_open(struct bench *b);  /* the folder and the profiles */
void bench_close(struct bench *b); /* stops; removes the folder */

/* Writes a file in the folder, in one step. */
void bench_write(struct bench *b, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The whole of a file of the folder, or "" where there is none; freed by the caller. */
char *bench_read(struct bench *b, const char *name);

void bench_go(struct bench *b);   /* store, log, the fleet of fleet.yml, recorder */
void bench_stop(struct bench *b); /* ends the recorder and closes the store */

/* Runs the loop until the condition holds; false when it does not in time. */
bool bench_wait(struct bench *b, bool (*holds)(struct bench *b, void *ctx), void *ctx);

/* The instant value of a PromQL expression now; NaN where there is none; of several the first. *n (may be NULL) is how many there are. */
double bench_value(struct bench *b, const char *expr, size_t *n);

/* The expression's value becomes one within `tolerance` of `want` (NaN: becomes absent). */
bool bench_becomes(struct bench *b, const char *expr, double want, double tolerance);

/* How many events since the bench was opened have this kind ("" any) and `needle` in their text or data. */
size_t bench_events(struct bench *b, const char *kind, const char *needle);
/* The text of the first of them; "" where there is none. Lent until the next call. */
const char *bench_event_text(struct bench *b, const char *kind);
bool   bench_has_event(struct bench *b, const char *kind, const char *needle); /* waits for one */

/* Is this text in any file of the folder but those that begin with `except`? */
bool bench_leaks(struct bench *b, const char *text, const char *except);

#endif
