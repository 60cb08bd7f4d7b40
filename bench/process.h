/* SPDX-License-Identifier: Apache-2.0
 *
 * Running pitwall as child processes and asking the system what they cost: for the benchmarks that measure the whole program. All of these
 * end the benchmark with a sentence when they can't do what they say; children die with it. */
#ifndef PITWALL_BENCH_PROCESS_H
#define PITWALL_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* The program under test: $PITWALL_BUILDDIR/pitwall, else ./pitwall. */
const char *process_pitwall(void);

/* A folder for the benchmark's files; lent. */
const char *process_folder(void);
void        process_remove_folder(void);
/* folder/NAME; lent for ever. */
const char *process_file(const char *name);

/* Starts `argv` with standard output and standard error in those files of the folder. */
pid_t process_start(const char *const *argv, const char *out, const char *err);
int   process_wait(pid_t pid); /* the wait status */
void  process_stop(pid_t pid); /* SIGTERM, and waits */

/* Starts a simulated fleet, and waits until its fleet file (process_file("fleet.yml")) is whole. */
pid_t process_start_sim(int nodes);

/* Evaluates a PromQL expression over the store with the program itself: the value of the one sample, 0 when there is none. */
double process_query(const char *store, const char *expression);

double process_cpu_seconds(pid_t pid);   /* of all its threads */
double process_rss_mb(pid_t pid);        /* resident now */
double process_peak_mb(pid_t pid);       /* the most that was */
double process_written_bytes(pid_t pid); /* handed to disks so far, or to be (/proc/PID/io) */
int    process_threads(pid_t pid);
int    process_descriptors(pid_t pid);   /* open now */
double process_file_bytes(const char *path); /* 0 where there is none */
double process_tree_bytes(const char *path); /* of a folder with all in it, or of a store with what SQLite has beside it; as allocated */
void   process_remove_tree(const char *path); /* the same */
const char *process_in_path(const char *program); /* lent until the next call; NULL: it is not there */
void   process_sleep_ms(int64_t ms);

#endif
