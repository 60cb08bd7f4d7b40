/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a file that somebody else made, a bundle or any store, so that it can do no harm and is left as it is. */
#ifndef PITWALL_STORE_STRANGER_H
#define PITWALL_STORE_STRANGER_H

#include "store/db.h"

/* What lies beside the file decides how it is read:
 *   no log, or an empty one    in place, as a file that nobody changes; nothing is made beside it
 *   a log, and all of it ours  in place, as any reader of a store does: somebody may be recording
 *   a log, and not ours        from a copy of both in a private folder (TMPDIR, else /tmp), whose names are gone before this returns
 * ERR_LATER: it is written to faster than it can be copied; ERR_FULL: no room for the copy; ERR_UNSUPPORTED: it has a rollback journal. */
enum err stranger_open(struct db *db, const char *path, struct why *why);

#endif
