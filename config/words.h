/* SPDX-License-Identifier: Apache-2.0
 *
 * Small checks of words from configuration files, and paths relative to the file that names them. Private to config/. */
#ifndef PITWALL_CONFIG_WORDS_H
#define PITWALL_CONFIG_WORDS_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

bool is_label_name(const char *text);   /* [a-zA-Z_][a-zA-Z0-9_]* */
bool is_profile_name(const char *text); /* [a-z][a-z0-9_-]*, at most 64 bytes */
bool is_clean(const char *text);        /* no control bytes */
bool is_url_path(const char *text);     /* begins with '/', printable ASCII without blanks, quotes and '#' */
bool is_host(const char *text);         /* a name or IP address as it stands in a URL, IPv6 without brackets */

/* The path `text` as seen from the folder `folder` (absolute ones stay), in the arena. NULL: no memory. */
char *path_from(struct arena *a, const char *folder, const char *text);

/* The folder of `path`, "." where it has none, in the arena. NULL: no memory. */
char *folder_of(struct arena *a, const char *path);

/* $XDG_CONFIG_HOME/pitwall/NAME (default ~/.config), allocated. NULL: neither is set, or no memory. */
char *user_config_path(const char *name);

#endif
