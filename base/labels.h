/* SPDX-License-Identifier: Apache-2.0
 *
 * A label set: name=value pairs in byte order of the names, no name twice, no empty value (an empty value means the label is not there,
 * as in Prometheus). The metric name is the label "__name__". A set never changes once made and is shared by counting references.
 * Counting is atomic: a set may be used from several threads. */
#ifndef PITWALL_BASE_LABELS_H
#define PITWALL_BASE_LABELS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LABEL_NAME "__name__"

/* More than this in one set is ERR_LIMIT: no server means it. */
enum { LABELS_COUNT_MAX = 1000, LABELS_TEXT_MAX = 1 << 20 };

/* One pair, lent. Both texts are NUL-terminated besides their lengths; a value may itself hold NUL bytes. */
struct label {
	const char *name, *value;
	uint32_t    name_len, value_len;
};

struct labels; /* opaque: laid out in labels.c */

/* Makes a set from pairs in any order. ERR_EXISTS: a name twice; ERR_FORMAT: an empty name, or one with a NUL byte. Pairs with empty values are dropped. */
enum err labels_new(const struct label *pairs, size_t n, struct labels **out, struct why *why);

/* From "name", "value", ..., NULL; asserts on failure; for tests and for sets of our own. */
struct labels *labels_of(const char *first_name, ...) __attribute__((sentinel));

struct labels *labels_ref(const struct labels *l);
void           labels_unref(struct labels *l); /* NULL is fine */
/* Does anybody hold it besides who asks? By the time of the answer he may have let go. */
bool           labels_is_shared(const struct labels *l);

/* A set that is equal to `whole` and has no text of its own: it holds on to `one`, a set of one of the pairs, and `rest`, a set of the others. Neither
 * may be such a set. NULL: out of memory. */
struct labels *labels_join(const struct labels *whole, const struct labels *one, const struct labels *rest);

size_t              labels_count(const struct labels *l);
const struct label *labels_at(const struct labels *l, size_t i);
uint64_t            labels_hash(const struct labels *l);
bool                labels_equal(const struct labels *a, const struct labels *b);
int                 labels_compare(const struct labels *a, const struct labels *b); /* Prometheus' order: pair by pair */

/* The pair of that name, or NULL. */
const struct label *labels_find(const struct labels *l, const char *name);
/* Its value, or "" when it is not there. */
const char *labels_get(const struct labels *l, const char *name);
/* The metric name, or "". */
const char *labels_metric(const struct labels *l);

/* Collects pairs and makes a set of them. Texts are copied. A failed build leaves the builder as it was. */
struct label_span {
	uint32_t name_at, name_len, value_at, value_len; /* in the builder's text */
};
struct labels_builder {
	struct buf         text;
	struct label_span *pairs;
	size_t             n, cap;
	enum err           err; /* the first failure; labels_builder_build returns it */
};
void     labels_builder_init(struct labels_builder *b);
void     labels_builder_from(struct labels_builder *b, const struct labels *l); /* starts from a set (NULL: empty) */
void     labels_builder_set(struct labels_builder *b, const char *name, const char *value); /* replaces; "" removes */
void     labels_builder_set_n(struct labels_builder *b, const char *name, size_t name_len, const char *value, size_t value_len);
void     labels_builder_remove(struct labels_builder *b, const char *name);
enum err labels_builder_build(struct labels_builder *b, struct labels **out, struct why *why);
void     labels_builder_release(struct labels_builder *b);

/* Labels of a target that begin so are about the target alone. */
#define LABEL_PREFIX_OWN "__"
bool label_is_own(const char *name);

/* `series` with the labels of its target laid over it, as Prometheus does with honor_labels: false: a label of the series that the
 * target has too is kept as "exported_NAME". The target's own ones are not laid over. */
enum err labels_with_target(const struct labels *series, const struct labels *target, struct labels **out, struct why *why);

/* name{a="b",c="d"}, values escaped as in the exposition format; names that are not plain identifiers in quotes, as Prometheus 3 does. */
enum err labels_print(const struct labels *l, struct buf *to);
/* Its pieces: a name, and a value in quotes. */
enum err labels_print_name(const char *name, size_t n, struct buf *to);
enum err labels_print_value(const char *text, size_t n, struct buf *to);

/* A byte form for storage: varint count, then for every pair varint length and bytes of name and value. Decoding checks everything:
 * ERR_CORRUPT. `used` (may be NULL) is how many of the `n` bytes the set took. */
enum err labels_encode(const struct labels *l, struct buf *to);
enum err labels_decode(const void *bytes, size_t n, size_t *used, struct labels **out, struct why *why);

#endif
