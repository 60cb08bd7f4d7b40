/* SPDX-License-Identifier: Apache-2.0
 *
 * One target being watched: what is done with each of its scrapes. Private to the recorder. */
#ifndef PITWALL_RECORDER_WATCH_H
#define PITWALL_RECORDER_WATCH_H

#include "base/clock.h"
#include "base/err.h"
#include "collectors/http.h"
#include "collectors/machine.h"
#include "config/fleet.h"
#include "config/profile.h"
#include "rules/eval.h"
#include "store/reader.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;
struct credential;

/* What all watches of a recorder share. Lent. */
struct watch_shared {
	struct http_collector *collector;
	struct machine_collector *machines;
	struct signal_engine  *engine;
	struct store          *store;
	const struct profiles *profiles;
	const struct clock    *clock;
	struct log            *log;
	const struct layout   *report;      /* report_layout's */
};

struct watch;

/* Enters the target in the store, where its profile is known. `t` and `credential` (NULL: none) are lent until watch_rebind. */
enum err watch_new(const struct watch_shared *shared, const struct fleet_target *t, struct credential *credential, struct watch **out,
                   struct why *why);

/* Is this its past, a target in the store with these labels? One whose profile is not configured takes the profile that was found before. */
bool watch_take_past(struct watch *w, const struct labels *in_store);
/* What the store has of it before now_ms becomes its recent past: rates are there with the first scrape, and a version that changed meanwhile is
 * told. Before watch_start; the only call that may come from another thread, while nothing else happens with the engine and the watch. Blocks. */
enum err watch_prime(struct watch *w, struct reader *r, int64_t now_ms, struct why *why);
/* Begins to poll. */
enum err watch_start(struct watch *w, struct why *why);

/* Ends polling: no callback comes any more. */
void watch_stop(struct watch *w);
/* Ends polling and frees; with `is_gone` the store is told that the target is no longer polled, and its series end now. */
void watch_free(struct watch *w, bool is_gone);

/* Is this still the same endpoint, polled in the same way? Then it may stay as it is when the fleet file is read again. */
bool watch_is_for(const struct watch *w, const struct fleet_target *t);
/* The target and credential of the new fleet stand in for the old one's, which are about to be freed. */
void watch_rebind(struct watch *w, const struct fleet_target *t, struct credential *credential);
const char          *watch_url(const struct watch *w);
const struct labels *watch_labels(const struct watch *w); /* as configured */

uint64_t watch_scrapes(const struct watch *w);
bool     watch_is_up(const struct watch *w);

#endif
