/* SPDX-License-Identifier: Apache-2.0
 *
 * What a script said, line by line, and small looks at a line. Lines are lent pieces of the section; none has its LF. */
#ifndef PITWALL_COLLECTORS_SAID_H
#define PITWALL_COLLECTORS_SAID_H

#include "collectors/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct said {
	const char *p;
	size_t      n;
};

/* Takes the next line off `rest`; false when nothing is left. */
static inline bool said_next(struct said *rest, struct said *line)
{
	if (rest->n == 0)
		return false;
	const char *lf = memchr(rest->p, '\n', rest->n);
	size_t n = lf != NULL ? (size_t)(lf - rest->p) : rest->n;
	*line = (struct said){ rest->p, n };
	size_t used = lf != NULL ? n + 1 : n;
	rest->p += used;
	rest->n -= used;
	return true;
}

static inline struct said said_of(const struct section *in) { return (struct said){ in->text, in->n }; }

static inline bool said_is(struct said s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* Takes `prefix` off its front; false, and nothing is taken, where it does not begin so. */
static inline bool said_skip(struct said *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->n < n || memcmp(s->p, prefix, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* Takes what stands before `c` off the front, and c; without a c in it, all of it. */
static inline struct said said_until(struct said *s, char c)
{
	const char *at = s->n > 0 ? memchr(s->p, c, s->n) : NULL;
	struct said out = { s->p, at != NULL ? (size_t)(at - s->p) : s->n };
	size_t used = at != NULL ? out.n + 1 : out.n;
	s->p += used;
	s->n -= used;
	return out;
}

static inline bool said_has(struct said s, const char *text)
{
	return s.n > 0 && memmem(s.p, s.n, text, strlen(text)) != NULL;
}

/* A copy with a NUL behind it in `to`, which has `size` bytes; cut where it is longer, at a NUL too. Returns `to`. */
static inline char *said_copy(struct said s, char *to, size_t size)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
	return to;
}

/* The text as a sentence may hold it: safe for a terminal, at most 200 columns. Returns `to`. */
enum { SAID_SAFE = 1024 };
const char *said_safe(struct said s, char to[SAID_SAFE]);
#define SAFE(s) said_safe((s), (char[SAID_SAFE]){ 0 })

/* A whole decimal number of it, or `none`. */
int64_t said_number(struct said s, int64_t none);

#endif
