/* SPDX-License-Identifier: Apache-2.0
 *
 * What is shown of JSON that is sent: values of environment variables whose names say that they are secrets (a pod template has them as {"name":"API_KEY","value":"..."})
 * are shown as "****", in JSON that stands inside a text too. What is sent stays whole. Pure. */
#ifndef PITWALL_DEPLOY_MASK_H
#define PITWALL_DEPLOY_MASK_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/* Whether a variable of that name is taken for a secret. */
bool mask_is_secret(const char *name);
/* How many bytes of a place (a URL, a path) may be shown: up to its login or its query. All, where it has neither. */
size_t   mask_place(const char *place);
/* Appends a line that somebody typed: what stands behind the name of a secret (`--api-key X`, `API_KEY=X`, `Bearer X`), any variable's value, and
 * logins and queries of URLs are masked. Blanks become one. */
enum err mask_line(struct buf *to, const char *text);
/* Masks in the tree. ERR_MEMORY: it must not be shown. */
enum err mask_tree(struct cJSON *tree);
/* Appends the text: as it is where nothing of it is masked, else its JSON anew, and where there is no memory for that a sentence. */
enum err mask_put(struct buf *to, const char *text);

#endif
