/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things are, when nobody says otherwise. */
#ifndef PITWALL_APP_PATHS_H
#define PITWALL_APP_PATHS_H

#include "base/buf.h"
#include "base/err.h"

enum { PATH_BYTES = 4096 };

/* The store: `given` (--store), else $PITWALL_STORE, else $XDG_STATE_HOME/pitwall/pitwall.db, else ~/.local/state/pitwall/pitwall.db. */
enum err path_store(const char *given, struct buf *to, struct why *why);

/* The folder of the user's own settings: $XDG_CONFIG_HOME/pitwall, else ~/.config/pitwall. */
enum err path_config_dir(struct buf *to, struct why *why);

/* Makes the folders above a file that is about to be made (0700). */
enum err path_make_parents(const char *path, struct why *why);

/* A new folder of our own, 0700, under $XDG_RUNTIME_DIR or $TMPDIR or /tmp; for what ends with the process. */
enum err path_scratch(struct buf *to, struct why *why);

/* Removes such a folder and the plain files in it. */
void path_scratch_remove(const char *path);

#endif
