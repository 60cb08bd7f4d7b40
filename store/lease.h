/* SPDX-License-Identifier: Apache-2.0
 *
 * One recorder at a time: a row that its holder renews. It runs out after LEASE_MS, or at once when its holder is a process of this machine
 * that is gone. Every write transaction looks for the writer's own token first, so that whatever clocks and signals do, two recorders never
 * write side by side: the one whose token is no longer there stops. Calls come inside a write transaction. */
#ifndef PITWALL_STORE_LEASE_H
#define PITWALL_STORE_LEASE_H

#include "store/db.h"

enum { LEASE_MS = 15000, LEASE_RENEW_MS = 3000, LEASE_TOKEN = 16 };

struct lease {
	uint8_t token[LEASE_TOKEN];
	int64_t since_ms;
	int64_t lost_ms; /* 0; else the last sign of life of the recorder before, which never gave its lease back */
};

/* ERR_LATER: another holds it; `why` names it. */
enum err lease_take(struct db *db, struct lease *l, int64_t now_ms, struct why *why);
/* ERR_LATER: it is not ours any more. */
enum err lease_check(struct db *db, const struct lease *l, struct why *why);
enum err lease_renew(struct db *db, const struct lease *l, int64_t now_ms, struct why *why);
enum err lease_give(struct db *db, const struct lease *l, struct why *why);

#endif
