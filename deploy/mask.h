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
/* Of what a person wrote into a file: whether a secret stands there in plain text, and not where it is read (`$TOKEN`, `{version}`, a path) or what
 * has another meaning (a number). `n` words of a command, those of a script in one word among them; *which is the first. A value of that name. A URL's login or query.
 * Careful: what it does not know it takes for none. */
bool mask_words_tell(const char *const *words, size_t n, size_t *which);
bool mask_value_tells(const char *name, const char *value);
bool mask_url_tells(const char *url);
/* Likewise a member of JSON, at any depth; no JSON: false. */
bool mask_json_tells(const char *text);

/* Masks in the tree. ERR_MEMORY: it must not be shown. */
enum err mask_tree(struct cJSON *tree);
/* Appends the text: as it is where nothing of it is masked, else its JSON anew, and where there is no memory for that a sentence. */
enum err mask_put(struct buf *to, const char *text);

#endif
