/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two strict parsers share: lines, names, quoted texts, labels, numbers. Private to the parser. */
#ifndef PITWALL_COLLECTORS_PARSE_H
#define PITWALL_COLLECTORS_PARSE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "collectors/draft.h"
#include "collectors/known.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the body, or of the parser's scratch. Lent until the next line. */
struct span {
	const char *p;
	size_t      n;
};
bool span_is(struct span s, const char *text);

struct pairs {
	struct label items[EXPOSITION_LABELS_MAX + 1]; /* the first is the metric's name */
	size_t       n;
};

struct parser {
	const char *body, *end;
	const char *p, *eol; /* what is left of this line, without its LF */
	bool        is_openmetrics;
	bool        has_lf;  /* this line ends in LF */
	int         line;
	struct buf  scratch; /* unescaped texts of this line */
	struct pairs pairs;
	struct pairs exemplar;
	struct draft *d;
	struct known *known;     /* texts of series that were read before; NULL: none are looked at */
	size_t        n_known;   /* lines that were read so */
	uint32_t      last_text; /* the one of the last sample line, or KNOWN_NONE */
	uint32_t      last_name; /* known_text.name of the line before, or 0: the family is still the one that was looked for last */
	bool          is_wide;   /* collectors/wide.h may be used */
	struct span   family_name; /* whose family was looked for last; n 0: none. A piece of the body */
	uint32_t      family;
	struct why   *why;
};

/* The strict parsers: fill `ps->d`. */
enum err text_parse(struct parser *ps);
enum err openmetrics_parse(struct parser *ps);

/* Sets "line N: ..." and returns `e`. */
enum err parse_fail(struct parser *ps, enum err e, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* For failures without a sentence yet (memory, a table's ceiling). */
enum err parse_wrap(struct parser *ps, enum err e);

enum { SNIPPET = 96 };
/* Foreign bytes made fit for a sentence: escaped, cut. */
const char *snippet(const char *p, size_t n, char to[SNIPPET]);
#define SNIP(span) snippet((span).p, (span).n, (char[SNIPPET]){ 0 })

/* Steps to the next line; *more is false after the last. */
enum err parse_line(struct parser *ps, bool *more);

bool        utf8_valid(const char *p, size_t n);
bool        is_name_start(char c);  /* [a-zA-Z_:] */
struct span parse_bare_name(struct parser *ps, bool with_colon); /* n == 0: none */
enum err    parse_quoted(struct parser *ps, const char *what, struct span *out); /* at the '"' */

/* The rest of a HELP line, unescaped; unknown escapes stay, since no label hangs on them. */
enum err parse_help_text(struct parser *ps, struct span name, struct span *out);

/* name{labels}, or {"name",labels}, into ps->pairs; leaves ps->p behind it. */
enum err parse_series(struct parser *ps);
enum err parse_labels(struct parser *ps, struct pairs *to); /* at the '{' */

/* The text up to the next blank, as a number. */
enum err parse_number(struct parser *ps, struct span *text, double *out);

/* Makes the series of ps->pairs and adds the line. */
enum err parse_add(struct parser *ps, struct span number, double value);

/* A condition on the line that was just added: refused now, remembered for later. */
enum err parse_check(struct parser *ps, enum check_kind kind, uint32_t line, uint32_t other);

static inline void skip_blanks(struct parser *ps)
{
	while (ps->p < ps->eol && (*ps->p == ' ' || *ps->p == '\t'))
		ps->p++;
}
static inline struct span rest(const struct parser *ps) { return (struct span){ ps->p, (size_t)(ps->eol - ps->p) }; }

#endif
