/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking for something in the lines of a log: a text, upper and lower case alike in ASCII, or what stands behind a '/' as a regular expression. Each
 * line is looked at once, when it is new. Threads: none. */
#ifndef PITWALL_TUI_LOG_SEARCH_H
#define PITWALL_TUI_LOG_SEARCH_H

#include "base/regex.h"
#include "collectors/log_ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_SEARCH_TEXT = 1024 };

struct log_search { /* zeroed is none */
	char          text[LOG_SEARCH_TEXT];
	struct regex *regex;              /* NULL: a plain text */
	struct why    mistake;            /* what is wrong with the expression; "" */
	bool          has[LOG_RING_LINES]; /* of line number i: has[i % LOG_RING_LINES], from `first` to less than `past` */
	uint64_t      first, past;
	size_t        n;                  /* lines of these that match */
};

void log_search_set(struct log_search *s, const char *text); /* "": nothing is looked for */
void log_search_release(struct log_search *s);

static inline bool log_search_is_on(const struct log_search *s) { return s->text[0] != '\0' && s->mistake.text[0] == '\0'; }

/* Looks at the lines that came. */
void log_search_update(struct log_search *s, const struct log_ring *r);
/* Does the line match? False for one that was not looked at yet. */
bool log_search_has(const struct log_search *s, uint64_t number);
/* The first match in a line from byte `from` on; never an empty one. */
bool log_search_find(const struct log_search *s, const char *text, size_t n, size_t from, size_t *at, size_t *len);

#endif
