/* SPDX-License-Identifier: Apache-2.0
 *
 * One target being watched: what is done with each of its scrapes. Private to the recorder. */
#ifndef PITWALL_RECORDER_WATCH_H
#define PITWALL_RECORDER_WATCH_H

#include "base/clock.h"
#include "base/err.h"
#include "collectors/http.h"
#include "config/fleet.h"
#include "config/profile.h"
#include "rules/eval.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;
struct credential;

/* What all watches of a recorder share. Lent. */
struct watch_shared {
	struct http_collector *collector;
	struct signal_engine  *engine;
	struct store          *store;
	const struct profiles *profiles;
	const struct clock    *clock;
	struct log            *log;
	const struct layout   *report;      /* report_layout's */
};

struct watch;

/* Begins to poll. Everything of the target is copied; `credential` (NULL: none) is lent until watch_rebind. */
enum err watch_new(const struct watch_shared *shared, const struct fleet_target *t, struct credential *credential, struct watch **out,
                   struct why *why);

/* Ends polling; with `is_gone` the store is told that the target is no longer polled, and its series end now. */
void watch_free(struct watch *w, bool is_gone);

/* Is this still the same endpoint, polled in the same way? Then it may stay as it is when the fleet file is read again. */
bool watch_is_for(const struct watch *w, const struct fleet_target *t);
/* The credential of the new fleet stands in for the old one's, which is about to be freed. */
void watch_rebind(struct watch *w, struct credential *credential);
const struct labels *watch_labels(const struct watch *w); /* as configured */

uint64_t watch_scrapes(const struct watch *w);
bool     watch_is_up(const struct watch *w);
bool     watch_is_expected(const struct watch *w); /* not a probe that never answered */

#endif
