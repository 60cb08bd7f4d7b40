/* SPDX-License-Identifier: Apache-2.0
 *
 * The Prometheus text format 0.0.4, with the quoted names of 1.0.0: as strict as prometheus/common's expfmt is in its UTF-8 mode, which is
 * what Prometheus 3 does with the same bytes. Where the two part we are with the format's description: blanks at a line's end are
 * allowed, and an unknown escape in a HELP text is kept. */
#include "collectors/parse.h"

#include <string.h>
#include <strings.h>

#include "collectors/decimal.h"

static bool ends_with(struct span s, const char *suffix)
{
	size_t n = strlen(suffix);
	return s.n > n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static bool is_histogram(enum metric_type t) { return t == METRIC_HISTOGRAM || t == METRIC_GAUGEHISTOGRAM; }

/* The family that a name belongs to: of that very name, or the summary or histogram of which it is a part. */
static uint32_t family_of(const struct draft *d, struct span name)
{
	static const char *const suffixes[] = { "_sum", "_count", "_bucket" };
	uint32_t at = draft_family_find(d, name.p, name.n);
	if (at != TABLE_NONE)
		return at;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		if (!ends_with(name, suffixes[i]))
			continue;
		at = draft_family_find(d, name.p, name.n - strlen(suffixes[i]));
		if (at == TABLE_NONE)
			continue;
		enum metric_type t = d->families[at].type;
		if (is_histogram(t) || (t == METRIC_SUMMARY && i < 2))
			return at;
	}
	return TABLE_NONE;
}

static enum err family_get(struct parser *ps, struct span name, uint32_t *out)
{
	*out = family_of(ps->d, name);
	if (*out != TABLE_NONE)
		return ERR_OK;
	return parse_wrap(ps, draft_family_add(ps->d, name.p, name.n, ps->line, out));
}

static struct span parse_word(struct parser *ps)
{
	const char *start = ps->p;
	while (ps->p < ps->eol && *ps->p != ' ' && *ps->p != '\t')
		ps->p++;
	return (struct span){ start, (size_t)(ps->p - start) };
}

static enum err parse_type(struct parser *ps, struct draft_family *f, struct span name)
{
	static const struct {
		const char      *word;
		enum metric_type type;
	} types[] = {
		{ "counter", METRIC_COUNTER },           { "gauge", METRIC_GAUGE },
		{ "histogram", METRIC_HISTOGRAM },       { "summary", METRIC_SUMMARY },
		{ "untyped", METRIC_UNKNOWN },           { "gaugehistogram", METRIC_GAUGEHISTOGRAM },
		{ "gauge_histogram", METRIC_GAUGEHISTOGRAM },
	};
	if (f->has_type)
		return parse_fail(ps, ERR_FORMAT, "a second TYPE line for '%s'", SNIP(name));
	if (f->has_samples)
		return parse_fail(ps, ERR_FORMAT, "the TYPE line for '%s' stands behind its samples", SNIP(name));
	struct span word = parse_word(ps);
	skip_blanks(ps);
	if (ps->p < ps->eol)
		return parse_fail(ps, ERR_FORMAT, "unexpected '%s' behind the type", SNIP(rest(ps)));
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (word.n != strlen(types[i].word) || strncasecmp(word.p, types[i].word, word.n) != 0)
			continue;
		f->type = types[i].type;
		f->has_type = true;
		return ERR_OK;
	}
	return parse_fail(ps, ERR_FORMAT, "'%s' is not a metric type", SNIP(word));
}

static enum err parse_help(struct parser *ps, uint32_t family, struct span name)
{
	struct draft_family *f = &ps->d->families[family];
	struct span          text;
	if (f->has_help)
		return parse_fail(ps, ERR_FORMAT, "a second HELP line for '%s'", SNIP(name));
	enum err e = parse_help_text(ps, name, &text);
	if (e != ERR_OK)
		return e;
	f->has_help = true;
	return parse_wrap(ps, draft_text(ps->d, text.p, text.n, &f->help));
}

/* Behind the '#'. Only "HELP name ..." and "TYPE name ..." say something; a line that ends before is a comment like any other. */
static enum err parse_comment(struct parser *ps)
{
	skip_blanks(ps);
	struct span word = parse_word(ps), name;
	bool        is_help = span_is(word, "HELP");
	if (!is_help && !span_is(word, "TYPE"))
		return ERR_OK;
	skip_blanks(ps);
	if (ps->p == ps->eol)
		return ERR_OK;
	enum err e = ERR_OK;
	if (*ps->p == '"')
		e = parse_quoted(ps, "the metric name", &name);
	else
		name = parse_bare_name(ps, true);
	if (e != ERR_OK)
		return e;
	if (ps->p < ps->eol && *ps->p != ' ' && *ps->p != '\t')
		return parse_fail(ps, ERR_FORMAT, "invalid metric name at '%s'", SNIP(rest(ps)));
	if (name.n == 0 || name.n > EXPOSITION_NAME_MAX)
		return parse_fail(ps, ERR_FORMAT, "a metric name of 1 to %d bytes was expected", EXPOSITION_NAME_MAX);
	skip_blanks(ps);
	if (ps->p == ps->eol)
		return ERR_OK;
	uint32_t family;
	e = family_get(ps, name, &family);
	if (e != ERR_OK)
		return e;
	return is_help ? parse_help(ps, family, name) : parse_type(ps, &ps->d->families[family], name);
}

/* The bounds of a histogram's buckets and the quantiles of a summary must be numbers. */
static enum err check_bound(struct parser *ps, enum metric_type type)
{
	const char *wanted = is_histogram(type) ? "le" : "quantile";
	for (size_t i = 1; i < ps->pairs.n; i++) {
		const struct label *l = &ps->pairs.items[i];
		double bound;
		if (l->name_len == strlen(wanted) && memcmp(l->name, wanted, l->name_len) == 0 &&
		    number_parse(l->value, l->value_len, &bound) != ERR_OK)
			return parse_fail(ps, ERR_FORMAT, "label '%s' must be a number, not '%s'", wanted,
			                  snippet(l->value, l->value_len, (char[SNIPPET]){ 0 }));
	}
	return ERR_OK;
}

/* A signed integer of 64 bits, in milliseconds. */
static bool is_timestamp(struct span s)
{
	bool negative = s.n > 0 && *s.p == '-';
	if (s.n > 0 && (*s.p == '-' || *s.p == '+')) {
		s.p++;
		s.n--;
	}
	uint64_t v = 0, most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	return s.n > 0;
}

static enum err parse_timestamp(struct parser *ps)
{
	skip_blanks(ps);
	if (ps->p == ps->eol)
		return ERR_OK;
	struct span text = parse_word(ps);
	if (!is_timestamp(text))
		return parse_fail(ps, ERR_FORMAT, "'%s' is not a time stamp in whole milliseconds", SNIP(text));
	skip_blanks(ps);
	if (ps->p < ps->eol)
		return parse_fail(ps, ERR_FORMAT, "unexpected '%s' behind the time stamp", SNIP(rest(ps)));
	ps->d->timestamps++;
	return ERR_OK;
}

static enum err parse_sample(struct parser *ps)
{
	enum err e = parse_series(ps);
	if (e != ERR_OK)
		return e;
	struct span name = { ps->pairs.items[0].value, ps->pairs.items[0].value_len }, number;
	uint32_t    family;
	e = family_get(ps, name, &family);
	if (e != ERR_OK)
		return e;
	struct draft_family *f = &ps->d->families[family];
	f->has_samples = true;
	enum metric_type type = f->type;
	size_t           family_len = f->name_len;
	if (is_histogram(type) || type == METRIC_SUMMARY)
		e = check_bound(ps, type);
	if (e != ERR_OK)
		return e;
	skip_blanks(ps);
	double value;
	e = parse_number(ps, &number, &value);
	if (e == ERR_OK)
		e = parse_timestamp(ps);
	if (e == ERR_OK)
		e = parse_add(ps, number, value);
	uint32_t line = (uint32_t)ps->d->n_lines - 1;
	if (e == ERR_OK && type == METRIC_HISTOGRAM && name.n > family_len && !ends_with(name, "_sum"))
		e = parse_check(ps, CHECK_NOT_NEGATIVE, line, line);
	return e;
}

enum err text_parse(struct parser *ps)
{
	for (bool more;;) {
		enum err e = parse_line(ps, &more);
		if (e != ERR_OK || !more)
			return e;
		skip_blanks(ps);
		if (ps->p == ps->eol)
			continue;
		if (!ps->has_lf)
			return parse_fail(ps, ERR_FORMAT, "the body is cut short: its last line does not end in LF");
		if (*ps->p == '#') {
			ps->p++;
			e = parse_comment(ps);
		} else {
			e = parse_sample(ps);
		}
		if (e != ERR_OK)
			return e;
	}
}
