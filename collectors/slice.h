/* SPDX-License-Identifier: Apache-2.0
 *
 * Part of a text, without a copy: for the parsers of what tools print, line by line and cell by cell. Nothing is allocated; nothing
 * reads past the end. */
#ifndef PITWALL_COLLECTORS_SLICE_H
#define PITWALL_COLLECTORS_SLICE_H

#include <stdbool.h>
#include <stddef.h>

/* Lent; p may be anything where n is 0. */
struct slice {
	const char *p;
	size_t      n;
};

struct slice slice_of(const char *text);
struct slice slice_trim(struct slice s); /* without blanks, tabs and carriage returns around it */
bool         slice_is(struct slice s, const char *text);
bool         slice_begins(struct slice s, const char *with);
bool         slice_has(struct slice s, const char *text); /* anywhere in it */

/* Takes the text up to `end` (one byte, which is dropped) off the front of *from; all of it where there is none. False: nothing is left. */
bool slice_take(struct slice *from, char end, struct slice *out);
/* As slice_take with a line feed; the line comes trimmed at its end (a carriage return), not at its beginning. */
bool slice_line(struct slice *from, struct slice *out);
/* Takes the next word off the front, and the blanks and tabs before it. False: there is none. */
bool slice_word(struct slice *from, struct slice *out);
/* Takes `what` off the front. False: it does not begin so, and *from is untouched. */
bool slice_skip(struct slice *from, const char *what);
/* Takes what stands before `mark`, and `mark`, off the front. False: it is not there, and *from is untouched. */
bool slice_until(struct slice *from, const char *mark, struct slice *out);

/* Cuts a text into its parts: a line that is marks[i] begins parts[i], up to the next mark. Marks come in this order, and each once: what
 * stands behind a later one can't pass for an earlier one. parts[i].p is NULL where there is none. Returns what is before the first mark. */
struct slice slice_parts(struct slice text, const char *const *marks, size_t n, struct slice *parts);

/* A copy with a NUL; bytes of 0 become blanks; what is longer is cut and ends in "...". Returns `to`. */
const char *slice_copy(struct slice s, char *to, size_t size);
/* A decimal float (base/num.h) that is the whole slice; false, and *out untouched, for all else. */
bool slice_number(struct slice s, double *out);
/* A number at the beginning ("81559 MiB", "12%"): what stands behind it is left in *rest, trimmed (may be NULL). */
bool slice_leading_number(struct slice s, double *out, struct slice *rest);

#endif
