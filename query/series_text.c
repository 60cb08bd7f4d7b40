/* SPDX-License-Identifier: Apache-2.0 */
#include "query/series_text.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/stale.h"
#include "query/query.h"

/* ---- labels ---- */

struct collected {
	struct labels_builder b;
	bool                  is_selector; /* it has matchers that are no labels */
};

static enum err collect(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	struct collected *c = ctx;
	(void)back_ms;
	for (size_t i = 0; i < n; i++) {
		c->is_selector |= m[i].kind != MATCH_EQUAL;
		labels_builder_set(&c->b, m[i].name, m[i].value);
	}
	return ERR_OK;
}

/* A series is an instant selector of equalities; a selector without any label that must be there cannot be written as one. */
enum err series_text_labels(const char *text, struct labels **out, struct why *why)
{
	struct query *q = NULL;
	struct collected c = { .is_selector = false };
	const char *rest = text + strspn(text, " \t");
	if (strcmp(rest, "{}") == 0 || *rest == '\0')
		return labels_new(NULL, 0, out, why);
	enum err e = query_parse(text, &q, NULL, why);
	if (e != ERR_OK)
		return e;
	labels_builder_init(&c.b);
	const char *last = strrchr(text, '}'), *end = last != NULL ? last + 1 : rest + strcspn(rest, " \t");
	bool is_alone = end[strspn(end, " \t")] == '\0' && strchr(rest, '(') == NULL;
	e = query_selectors(q, 1, collect, &c);
	if (e == ERR_OK && (c.is_selector || !is_alone || c.b.n == 0))
		e = why_set(why, ERR_FORMAT, "'%.200s' is no series; write name{label=\"value\"}", text);
	if (e == ERR_OK)
		e = labels_builder_build(&c.b, out, why);
	labels_builder_release(&c.b);
	query_free(q);
	return e;
}

/* ---- values ---- */

/* Up to what ends a number: a sign behind a digit, an x, a blank. */
static size_t number_length(const char *p)
{
	size_t n = *p == '+' || *p == '-';
	for (; p[n] != '\0' && p[n] != 'x' && p[n] != ' ' && p[n] != '\t' && p[n] != '\n' && p[n] != '\r'; n++)
		if ((p[n] == '+' || p[n] == '-') && p[n - 1] != 'e' && p[n - 1] != 'E')
			break;
	return n;
}

static bool read_number(const char **p, double *out)
{
	static const struct { const char *name; double value; } named[] = { { "NaN", (double)NAN }, { "nan", (double)NAN },
		                                                               { "Inf", (double)INFINITY }, { "inf", (double)INFINITY } };
	char text[64];
	size_t n = number_length(*p);
	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, *p, n);
	text[n] = '\0';
	*p += n;
	const char *plain = text + (text[0] == '+' || text[0] == '-');
	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		if (strcmp(named[i].name, plain) == 0) {
			*out = text[0] == '-' ? -named[i].value : named[i].value;
			return true;
		}
	}
	return parse_f64(text + (text[0] == '+'), -DBL_MAX, DBL_MAX, out) == ERR_OK;
}

static bool read_times(const char **p, int64_t *out)
{
	char text[24];
	*out = 0;
	if (**p != 'x')
		return true;
	size_t n = strspn(++*p, "0123456789");
	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, *p, n);
	text[n] = '\0';
	*p += n;
	return parse_i64(text, 0, SERIES_TEXT_VALUES_MAX, out) == ERR_OK;
}

struct word {
	bool    is_there, is_stale;
	double  first, step;
	int64_t n; /* values */
};

static bool read_word(const char **p, struct word *w)
{
	int64_t times;
	*w = (struct word){ .is_there = **p != '_', .n = 1 };
	if (strncmp(*p, "stale", 5) == 0) {
		*p += 5;
		w->is_stale = true;
		return true;
	}
	if (!w->is_there) {
		++*p;
		bool is_repeated = **p == 'x';
		if (!read_times(p, &times))
			return false;
		w->n = is_repeated ? times : 1; /* _x3 is three, 1x3 four */
		return true;
	}
	if (!read_number(p, &w->first) || ((**p == '+' || **p == '-') && !read_number(p, &w->step)) || !read_times(p, &times))
		return false;
	w->n = times + 1;
	return true;
}

enum err series_text_values(const char *text, enum err (*fn)(void *ctx, bool is_there, double v), void *ctx, struct why *why)
{
	int64_t total = 0;
	for (const char *p = text + strspn(text, " \t\r\n"); *p != '\0'; p += strspn(p, " \t\r\n")) {
		const char *from = p;
		struct word w;
		if (*p == '{')
			return why_set(why, ERR_UNSUPPORTED, "histograms as values are not known");
		if (!read_word(&p, &w) || (*p != '\0' && strchr(" \t\r\n", *p) == NULL))
			return why_set(why, ERR_FORMAT, "'%.*s' is no value; write 1, 1+2x10, 1x5, _, _x5 or stale", (int)strcspn(from, " \t\r\n"), from);
		total += w.n;
		if (total > SERIES_TEXT_VALUES_MAX)
			return why_set(why, ERR_LIMIT, "more than %d values in one series", SERIES_TEXT_VALUES_MAX);
		for (int64_t i = 0; i < w.n; i++) {
			enum err e = fn(ctx, w.is_there, w.is_stale ? stale_mark() : w.first);
			if (e != ERR_OK)
				return e == ERR_MEMORY ? why_memory(why) : e;
			w.first += w.step; /* added up, as promtool does */
		}
	}
	return ERR_OK;
}
