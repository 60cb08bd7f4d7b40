/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML as a small tree with places, on libyaml's parser: one document of mappings, lists and scalars. JSON is read too, being a part of
 * YAML. The text is not trusted: size, depth and nodes have ceilings, and an alias counts with everything below it, so that nested
 * aliases ("billion laughs") reach the ceiling at once; an alias inside its own anchor is refused. Merge keys ("<<") are merged, keys in
 * the mapping itself winning. The tree never changes; nodes behind aliases are shared.
 *
 * Mistakes go to struct diagnostics with their places; the getters below say what was expected. */
#ifndef PITWALL_BASE_YAML_H
#define PITWALL_BASE_YAML_H

#include "base/diagnostics.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind           kind;
	bool                     is_plain;  /* a scalar without quotes, "|", ">" or "!!str": it may be null, a number, a boolean */
	int                      line, col; /* from 1; col counts characters */
	const char              *text;      /* a scalar's, NUL-terminated, never holding NUL bytes */
	size_t                   len;
	size_t                   n;         /* items of a list, pairs of a mapping */
	const struct yaml_node **keys;      /* of a mapping, all scalars */
	const struct yaml_node **items;     /* of a list, or a mapping's values */
	size_t                   weight;    /* nodes below and with it, aliases written out */
};

struct yaml; /* a parsed file: its tree, its name and where its mistakes go */

enum {
	YAML_BYTES_MAX = 8 * 1024 * 1024,
	YAML_DEPTH_MAX = 64,
	YAML_NODES_MAX = 1000000,
};

/* Parses `n` bytes. `file` (copied) names them in diagnostics, which go to `d` (lent for the life of the tree; may be NULL).
 * ERR_FORMAT: no tree could be made (d has the error); ERR_LIMIT: a ceiling was passed (d says which). A key that is there twice is an
 * error in `d`, the first one counts, and the tree is made all the same. An empty document is a plain empty scalar (null). */
enum err yaml_parse(const char *text, size_t n, const char *file, struct diagnostics *d, struct yaml **out);

/* Reads and parses a regular file of at most YAML_BYTES_MAX. May block. */
enum err yaml_read(const char *path, struct diagnostics *d, struct yaml **out);

void                    yaml_discard(struct yaml *y); /* NULL is fine; not called yaml_free: libyaml has one of its own */
const struct yaml_node *yaml_root(const struct yaml *y);
const char             *yaml_file(const struct yaml *y);
struct diagnostics     *yaml_diagnostics(const struct yaml *y); /* may be NULL */

/* An error or warning at a node. Its text is a format. */
void yaml_error(const struct yaml *y, const struct yaml_node *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void yaml_warning(const struct yaml *y, const struct yaml_node *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- looking ---- */

/* The value of a key, NULL when it is not there or `map` is no mapping (NULL is fine). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The key's own node, for a diagnostic about the key. */
const struct yaml_node *yaml_get_key(const struct yaml_node *map, const char *key);
/* Nothing was written: no node, or plain "", "~", "null", "Null" or "NULL". */
bool yaml_is_null(const struct yaml_node *node);

/* ---- checked getters: on a wrong value they report at the node what `what` (usually the key) must be, return false and leave `out`
 * ---- */

bool yaml_is_map(const struct yaml *y, const struct yaml_node *node, const char *what);
bool yaml_is_list(const struct yaml *y, const struct yaml_node *node, const char *what);
bool yaml_text(const struct yaml *y, const struct yaml_node *node, const char *what, const char **out); /* any non-null scalar; lent */
bool yaml_bool(const struct yaml *y, const struct yaml_node *node, const char *what, bool *out);        /* true or false */
bool yaml_i64(const struct yaml *y, const struct yaml_node *node, const char *what, int64_t min, int64_t max, int64_t *out);
bool yaml_f64(const struct yaml *y, const struct yaml_node *node, const char *what, double min, double max, double *out);
bool yaml_duration(const struct yaml *y, const struct yaml_node *node, const char *what, int64_t min_ms, int64_t max_ms, int64_t *out_ms);
bool yaml_bytes(const struct yaml *y, const struct yaml_node *node, const char *what, int64_t min, int64_t max, int64_t *out);

/* Reports every key of `map` that is not among `known`, with the nearest known one as a suggestion. True when all are known. */
bool yaml_check_keys(const struct yaml *y, const struct yaml_node *map, const char *const *known, size_t n);

#endif
