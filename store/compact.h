/* SPDX-License-Identifier: Apache-2.0
 *
 * What the recorder does with old rows in the background (retain.h, fold.h), at once and to its end, while nobody records. */
#ifndef PITWALL_STORE_COMPACT_H
#define PITWALL_STORE_COMPACT_H

#include "store/store.h"

struct compact_result {
	int64_t bytes_before, bytes_after; /* of the file and its log, which is emptied */
	int64_t rows_removed;              /* frames, blocks and events */
	bool    is_full;                   /* the file is still larger than it may be, and nothing is left that may go */
};

/* Takes the recorder's lease meanwhile: ERR_LATER when another has it. A store of an older version is migrated. Stopped at any moment (a signal, a power
 * cut) it has done a part of its work. Blocks for as long as it takes; `keep` as for store_set_keep. Errors as of store_open, and ERR_NOT_FOUND: there is no
 * such store. */
enum err store_compact(const char *path, const struct store_keep *keep, const struct clock *clock, struct compact_result *out, struct why *why);

#endif
