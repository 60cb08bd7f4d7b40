/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts that one Alertmanager has, as rows of the store (struct external_row): each answer is compared with what was there before, and what changed is
 * written. It decides nothing and tells nobody: those alerts are Alertmanager's own.
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_ALERTMANAGER_SEEN_H
#define PITWALL_ALERTS_ALERTMANAGER_SEEN_H

#include "alerts/alertmanager_json.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AM_SEEN_MAX       = 5000,            /* alerts of one Alertmanager; what is more is left out, and counted */
	AM_SEEN_BYTES_MAX = 8 * 1024 * 1024, /* of their label sets and annotations, as they are printed; likewise */
	AM_SEEN_ALERT_MAX = 64 * 1024,       /* of one */
};

struct am_seen;

enum err    am_seen_new(const char *name, struct am_seen **out, struct why *why); /* the name is copied */
void        am_seen_free(struct am_seen *s);                                       /* NULL is fine */
const char *am_seen_name(const struct am_seen *s);

/* A row of the store that says what is there now. */
enum err am_seen_restore(struct am_seen *s, const struct external_row *r, struct why *why);

/* What is there at `now_ms`; is_ours[i]: pitwall sent alert i. Rows of what changed go to `changes`, with ids from *last_id + 1 on. On failure (ERR_MEMORY)
 * the changes are to be dropped, and what was there before counts as it was. */
enum err am_seen_take(struct am_seen *s, const struct am_alert *alerts, size_t n, const bool *is_ours, int64_t now_ms, int64_t *last_id,
                      struct changes *changes, size_t *n_left_out, struct why *why);

#endif
