/* SPDX-License-Identifier: Apache-2.0 */
#include "base/asset.h"

#include <string.h>

enum err asset_find(const char *name, const char **text, size_t *len)
{
	for (const struct asset *a = asset_table; a->name != NULL; a++) {
		if (strcmp(a->name, name) == 0) {
			*text = (const char *)a->bytes;
			*len = a->len;
			return ERR_OK;
		}
	}
	return ERR_NOT_FOUND;
}

enum err asset_list(const char *prefix, enum err (*fn)(void *ctx, const char *name, const char *text, size_t len), void *ctx)
{
	size_t n = strlen(prefix);
	enum err e = ERR_OK;
	for (const struct asset *a = asset_table; a->name != NULL && e == ERR_OK; a++)
		if (strncmp(a->name, prefix, n) == 0)
			e = fn(ctx, a->name, (const char *)a->bytes, a->len);
	return e;
}
