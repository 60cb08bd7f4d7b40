/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a file system can hold a store. WAL needs memory shared between processes and honest locks: network file systems have neither. */
#ifndef PITWALL_STORE_FS_H
#define PITWALL_STORE_FS_H

#include "base/err.h"

#include <stdint.h>

/* The name of the network file system with this f_type (statfs), NULL for every other. */
const char *fs_network_name(long type);

/* ERR_UNSUPPORTED, with the reason, where the folder of `path` is on a network file system. `type_of` gives the f_type of a folder (negative:
 * unknown); NULL: ask the system. */
enum err fs_check(const char *path, long (*type_of)(const char *folder), struct why *why);

/* The size in bytes of the file PATH with `suffix` behind its name; -1: there is none. */
int64_t fs_side_size(const char *path, const char *suffix);

#endif
