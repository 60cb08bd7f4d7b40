/* SPDX-License-Identifier: Apache-2.0
 *
 * Where to enter a chain of frames, and rewinds: the times at which the clock was set back. What was recorded at or after the time it was set
 * back to is recorded anew from there on; the frames of the first time stay in the table, but no chain leads to them and no reader shows them. */
#ifndef PITWALL_STORE_CHAIN_H
#define PITWALL_STORE_CHAIN_H

#include "store/db.h"

struct rewind {
	int64_t last_frame, from_ms; /* frames up to this id, of this time or later, are set aside */
};
struct rewinds {
	struct rewind *items;
	size_t         n, cap;
};
/* Reads them anew. A store of version 1 has none. */
enum err rewinds_load(struct rewinds *w, struct db *db, struct why *why);
void     rewinds_release(struct rewinds *w);
bool     rewinds_hide(const struct rewinds *w, int64_t id, int64_t at_ms);

/* The newest frame of a track that may be of `until_ms` or before: the one before the first indexed key frame later than that, else the
 * track's newest as the table has it (*is_newest), which may be behind (see schema.h). 0: none. */
enum err chain_entry(struct db *db, const struct rewinds *w, int64_t target, int stream, int64_t until_ms, int64_t *id, bool *is_newest, struct why *why);

#endif
