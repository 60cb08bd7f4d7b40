/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of a body besides its text and its series: the families that it declares, what its values must meet, and which line is which
 * series. Like nodes have one in common. Never changes once made. Private to the parser. */
#ifndef PITWALL_COLLECTORS_NOTES_H
#define PITWALL_COLLECTORS_NOTES_H

#include "collectors/ceiling.h"
#include "collectors/draft.h"
#include "collectors/exposition.h"

enum { NOTES_BUCKETS = 256 };

struct notes {
	struct notes             *next; /* of the bucket */
	uint64_t                  hash;
	size_t                    refs;
	size_t                    n_lines;
	uint32_t                 *series_of; /* one a line, or CHOICE_DROPPED; NULL: line i is series i */
	struct check             *checks;
	size_t                    n_checks;
	struct exposition_family *families;
	size_t                    n_families, text_len;
	char                     *text; /* of the families */
};

/* The notes of a body that was parsed strictly; found or made, with a reference more; NULL: out of memory. `buckets` has NOTES_BUCKETS. */
struct notes *notes_get(struct notes **buckets, const struct draft *d, const struct choice *choice);
void          notes_unref(struct notes **buckets, struct notes *n); /* NULL is fine */

#endif
