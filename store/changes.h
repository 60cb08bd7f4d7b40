/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer's side of store/alerts.h: statements with their values, collected on one thread and carried out on the writer's. */
#ifndef PITWALL_STORE_CHANGES_H
#define PITWALL_STORE_CHANGES_H

#include "store/alerts.h"
#include "store/ledger.h"

/* Carries all of them out, inside a write transaction. Where one of them is a request that was handled before, nothing is written: it was then. */
enum err changes_write(const struct changes *c, struct ledger *g, struct why *why);

/* Memory that they take, in bytes. */
size_t changes_bytes(const struct changes *c);
/* ERR_OK, or the first failure of a changes_* call. */
enum err changes_check(const struct changes *c, struct why *why);

/* The hash of a row that follows one with hash `before`; see audit.c. */
enum err audit_hash(const struct audit_row *r, const uint8_t before[32], uint8_t out[32], struct why *why);

#endif
