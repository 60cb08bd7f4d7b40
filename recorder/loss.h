/* SPDX-License-Identifier: Apache-2.0
 *
 * What a target says and is not kept (`cut` of struct scrape), told of: once when it begins, again when another metric is to blame, and when the target has
 * calmed down, which it has after LOSS_CALM scrapes of which all was kept. Private to the recorder; nothing here waits. */
#ifndef PITWALL_RECORDER_LOSS_H
#define PITWALL_RECORDER_LOSS_H

#include "base/buf.h"
#include "collectors/exposition.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define LOSS_EVENT "cardinality"

enum { LOSS_CALM = 30, LOSS_AGAIN_MS = 10 * 60 * 1000 };

/* All 0: nothing is lost. */
struct loss {
	bool     is_told;
	int      calm;     /* scrapes since the last loss */
	int64_t  since_ms, told_ms;
	uint64_t metric;   /* hash of the name that was told */
};

/* Takes note of a scrape (`cut` NULL: all of it is kept). True: an event is to be made, of this severity, with this text and data (JSON), both of which are appended. */
bool loss_note(struct loss *l, const struct exposition_cut *cut, int64_t wall_ms, enum severity *severity, struct buf *text, struct buf *data);

#endif
