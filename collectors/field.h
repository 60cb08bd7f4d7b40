/* SPDX-License-Identifier: Apache-2.0
 *
 * Text of a section taken apart by lines and words where it lies, without a copy. A slice is lent from that text; it may hold any bytes. */
#ifndef PITWALL_COLLECTORS_FIELD_H
#define PITWALL_COLLECTORS_FIELD_H

#include <stdbool.h>
#include <stddef.h>

struct field {
	const char *p;
	size_t      n;
};

/* The next line of `rest` without its newline and a '\r' before that; false at the end. `rest` is what follows it. */
bool field_line(struct field *rest, struct field *line);
/* The next word, parted by blanks and tabs; false where there is none. */
bool field_word(struct field *rest, struct field *word);
/* What stands before the first `c`, and behind it in `rest`; false, and nothing changed, where there is none. */
bool field_until(struct field *rest, char c, struct field *before);

bool field_is(struct field s, const char *text);
bool field_begins(struct field s, const char *text);
/* A finite decimal number, all of the slice. */
bool field_number(struct field s, double *out);
/* A copy for where a string is wanted, cut at size - 1 bytes and at a NUL; returns `to`. */
const char *field_copy(struct field s, char *to, size_t size);

#endif
