/* SPDX-License-Identifier: Apache-2.0
 *
 * Text compared and numbers read by blocks of 32 bytes, on processors with AVX2. It takes what is common and leaves the rest (a sign, NaN, more than 19
 * digits, the end of a body) to those who read byte by byte; what it takes means what they would say. Private to the parser. */
#ifndef PITWALL_COLLECTORS_WIDE_H
#define PITWALL_COLLECTORS_WIDE_H

#include "collectors/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So much of a body must be there where it is read, and WIDE_SLACK bytes, whatever they are, behind a text that it is compared with. */
enum { WIDE_ROOM = 64, WIDE_SLACK = 32 };
_Static_assert((int)CHUNK_SLACK >= (int)WIDE_SLACK, "a stretch is compared with");

struct reading {
	const char *at, *end; /* of the body */
	double     *value;    /* of the number that comes next */
	bool        has_text; /* that number is what comes next: the piece before it was taken */
};

/* What stands before numbers: pieces of text of which some have a tail with their labels apart. */
struct pieces {
	const char          *text; /* of the next one */
	const uint32_t      *len;
	struct chunk *const *tail; /* NULL: none has; else one a piece, or NULL */
	size_t               n;    /* that are left */
};

/* False: nothing of the following may be called. */
bool wide_is_there(void);

/* Takes the next `n_wanted` pieces with the numbers behind them, as long as these are common. WIDE_ROOM bytes are left. */
void wide_take(struct reading *r, struct pieces *c, size_t n_wanted);

/* Reads the number at p, which has WIDE_ROOM bytes; returns where it ends, before a blank or a line feed or what is no number; NULL: ask the others. */
const char *wide_number(const char *p, double *out);

/* Reads a line of n bytes of text, a blank, a common number and a line feed, which is returned; NULL: it is none. The line has n + WIDE_ROOM bytes. */
const char *wide_line(const char *line, const char *text, size_t n, double *out);

#endif
