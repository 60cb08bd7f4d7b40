/* SPDX-License-Identifier: Apache-2.0
 *
 * The rollups of a bundle: of a time whose samples are gone, what is left of it goes into the bundle, where it is read as in the store. Rows whose samples are
 * there stay behind, since the bundle has the samples. Not thread-safe. */
#ifndef PITWALL_STORE_EXPORT_ROLLUPS_H
#define PITWALL_STORE_EXPORT_ROLLUPS_H

#include "store/ledger.h"
#include "store/reader.h"

struct rollup_export {
	struct reader *from;
	struct ledger *to;
	int64_t        after_ms, until_ms; /* of what is copied */
	enum err     (*layout)(void *ctx, const struct layout *l, struct why *why); /* it is needed there; may come again and again */
	void          *ctx;
};

/* After the frames, so that what goes from the store meanwhile is in one of them. Rows that reach out of the range are cut to the windows in it: windows that
 * end in it, and the one that its last sample is in. */
enum err export_rollups(const struct rollup_export *x, struct why *why);

#endif
