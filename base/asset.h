/* SPDX-License-Identifier: Apache-2.0
 *
 * The data files of themes/, profiles/ and packs/, built into the binary under their path in the source tree ("themes/dark.theme"). A folder's
 * module.mk adds its files to ASSET_FILES. */
#ifndef PITWALL_BASE_ASSET_H
#define PITWALL_BASE_ASSET_H

#include "base/err.h"

#include <stddef.h>

struct asset {
	const char          *name;
	const unsigned char *bytes; /* a NUL stands behind them */
	size_t               len;
};

/* What the build has generated: in byte order of the names, ended by a NULL name. */
extern const struct asset asset_table[];

/* The text lives as long as the program. ERR_NOT_FOUND. */
enum err asset_find(const char *name, const char **text, size_t *len);

/* Calls `fn` for each file whose name begins with `prefix`, in byte order. `fn` returning something but ERR_OK ends the walk, which returns
 * that. */
enum err asset_list(const char *prefix, enum err (*fn)(void *ctx, const char *name, const char *text, size_t len), void *ctx);

#endif
