/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out: what is linked with $(fault_ldflags) gets its memory through here, and a loop fails the first allocation of a run,
 * then the second of the next, until a run passes without one that failed. Only what our own code and the test ask for can fail: not what
 * libraries take for themselves. */
#ifndef PITWALL_TESTS_FAULTS_H
#define PITWALL_TESTS_FAULTS_H

#include "base/err.h"

#include <stdbool.h>

/* One run, from nothing to nothing: it frees all that it got. Where it succeeds it must have checked that the result is what it is when
 * no allocation fails; where it fails, that nothing was written and that what was there before is as it was. */
typedef enum err (*fault_run)(void *ctx, struct why *why);

/* Fails allocation n of a run, for n = 1, 2, 3 ...: first that one alone, then in a second loop that one and all that follow. Each run has
 * to succeed, or fail for want of memory, or with a sentence; the last must succeed, or give what `ctx`'s run gives with memory enough
 * (`want`). What leaks the address sanitizer tells at the end. */
void fault_loop(const char *label, enum err want, fault_run run, void *ctx);

/* As fault_loop for a run that takes long: of its allocations so many fail, evenly spread. */
void fault_loop_some(const char *label, enum err want, fault_run run, void *ctx, int rounds);

/* In a run: nothing fails from here on, until the next; for what the test itself needs, and for looking whether all is well again.
 * True: an allocation had failed. */
bool fault_end(void);

/* In a run: what the test does between these can't fail and isn't counted. They nest. */
void fault_pause(void);
void fault_resume(void);

/* Fails the test, showing where the two part, unless they are the same. */
void fault_same(const char *got, const char *want);

/* "label: allocation 12 fails", for the sentence of a failing check. */
const char *fault_label(void);

#endif
