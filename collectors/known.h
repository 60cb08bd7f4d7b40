/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of series that the strict parser has read before, by whatever target, with the label sets that they stand for. A sample line that begins with
 * such a text and goes on with a plain number to its end means what it meant then: that is the fast way into a body that is seen for the first time, or
 * anew. Which text follows which is remembered as a guess, so that usually nothing has to be looked up.
 *
 * Two texts may stand for one set (other order, blanks). A set has one place here, which knows whether the body that is being parsed has it already.
 * Memory has a ceiling; when it is met all is forgotten, between two bodies. Private to the parser. */
#ifndef PITWALL_COLLECTORS_KNOWN_H
#define PITWALL_COLLECTORS_KNOWN_H

#include "base/labels.h"
#include "collectors/series_pool.h"
#include "collectors/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KNOWN_BYTES_MAX = 4 << 20, /* of texts; what else there is takes three quarters as much again */
	KNOWN_BODY_MAX  = 1 << 20, /* bytes of a body whose texts are kept: greater ones would drive all others out */
	KNOWN_NONE      = 0,
};

struct known_set {
	struct labels *labels; /* referenced; the object of the pool's series */
	uint64_t       body;   /* the last body that had it, and as which of its series */
	uint32_t       index;
};

struct known_text {
	uint64_t hash;
	uint32_t len, name_len;   /* the metric's name stands at its beginning */
	uint32_t set, next;       /* its place in `sets`; the text that came after it the last time, or KNOWN_NONE */
	uint32_t name;            /* texts with the same number have the same name; others may too */
	bool     is_le, is_quantile; /* a label `le` (`quantile`), where it has one, is a number */
	char     text[];
};

struct known {
	char             *texts;  /* the items, aligned; the first byte is no item's */
	size_t            n_bytes, cap_bytes;
	struct table      by_text; /* hash -> place in `texts`, by 8 bytes */
	struct known_set *sets;
	size_t            n_sets, cap_sets;
	struct table      by_labels;
	uint64_t          body;
	uint64_t          seed;
	uint32_t          n_names, last_text; /* names told apart; the last text that was put */
	bool              is_full;
	struct series_pool *series; /* lent */
};

void known_init(struct known *k, uint64_t seed, struct series_pool *series);
void known_release(struct known *k);
/* Gives its memory back; between two bodies. */
void known_forget(struct known *k);

/* A body begins. */
void known_begin(struct known *k);

static inline struct known_text *known_at(const struct known *k, uint32_t place)
{
	return (struct known_text *)(void *)(k->texts + (size_t)place * 8);
}

/* The place of a text, KNOWN_NONE where it is not known. */
uint32_t known_find(const struct known *k, const char *text, size_t n);

/* What a text that was just read stands for: series `index` of the body. False: it is not kept (no room, or no memory), and from here on this body may have series that are
 * not known. `like` gives name_len, is_le and is_quantile. */
bool known_put(struct known *k, const char *text, const struct known_text *like, const struct labels *labels, uint32_t index, uint32_t *place);

#endif
