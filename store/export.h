/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a time range of a store into a new file of the same format (an incident bundle). Whatever opens a store opens the copy. */
#ifndef PITWALL_STORE_EXPORT_H
#define PITWALL_STORE_EXPORT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Frames and events in [from_ms, to_ms], their targets, layouts and facts, and what there was of alerts and deployments then, into the new file
 * `to_path` (ERR_EXISTS when it is there): written beside it, synced, then renamed; on failure nothing is left. Series are readable from the first
 * moment: the first frame of each stream is a key frame, and the look-back before `from_ms` is copied too. Where samples of that time are gone, rollups of it
 * are copied (export_rollups.h). Blocks. */
enum err store_export(const char *from_path, const char *to_path, int64_t from_ms, int64_t to_ms, struct why *why);

struct reader;

/* Whether the store was made by store_export. */
enum err reader_is_bundle(struct reader *r, int64_t now_ms, bool *out, struct why *why);

#endif
