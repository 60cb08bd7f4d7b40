/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a file, all of it: mistakes are collected with their places and shown together, so that a person mends a file in one
 * go. Texts are sentences as in base/err.h (lower case, no full stop, what to do). */
#ifndef PITWALL_BASE_DIAGNOSTICS_H
#define PITWALL_BASE_DIAGNOSTICS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

enum diagnostic_severity { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING };

struct diagnostic {
	char                    *file; /* owned, as all texts here */
	int                      line, col; /* from 1; line 0: about the file as a whole; col 0: about the line as a whole */
	enum diagnostic_severity severity;
	char                    *text;
};

enum { DIAGNOSTICS_MAX = 1000 }; /* more are counted, not kept */

struct diagnostics {
	struct diagnostic *items;
	size_t             n, cap;
	size_t             n_errors, n_warnings; /* those not kept too */
	enum err           err;                  /* ERR_MEMORY once one could not be kept */
};

void diagnostics_init(struct diagnostics *d);
void diagnostics_release(struct diagnostics *d); /* safe on a zeroed one */

/* Adds one. An exact repetition (same place, same text) is dropped. `d` may be NULL: nothing is kept. */
void diagnostics_add(struct diagnostics *d, enum diagnostic_severity severity, const char *file, int line, int col, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
void diagnostics_vadd(struct diagnostics *d, enum diagnostic_severity severity, const char *file, int line, int col, const char *format,
                      va_list args) __attribute__((format(printf, 6, 0)));

/* Puts each file's diagnostics (files in the order in which they first had one) in the order of their places. */
void diagnostics_sort(struct diagnostics *d);

/* One line each: "FILE:LINE:COL: text", a warning's text after "warning: ". Without a column "FILE:LINE: text", without a place "FILE: text". */
enum err diagnostics_print(const struct diagnostics *d, struct buf *to);

/* The first error as the sentence of `why`, with its place and how many more there are; returns `e`. For callers that show one line. */
enum err diagnostics_why(const struct diagnostics *d, enum err e, struct why *why);

#endif
