/* SPDX-License-Identifier: Apache-2.0
 *
 * The Prometheus text format 0.0.4, with the quoted names of 1.0.0: as strict as prometheus/common's expfmt is in its UTF-8 mode, which is
 * what Prometheus 3 does with the same bytes. Where the two part we are with the format's description: blanks at a line's end are
 * allowed, and an unknown escape in a HELP text is kept. */
#include "collectors/parse.h"

#include <string.h>
#include <strings.h>

#include "collectors/decimal.h"
#include "collectors/wide.h"

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

/* Lines of one family stand together. What a name belongs to changes with a family of that very name or of a part of it, and these come by comments,
 * each of which asks for its own name; so the last answer holds for as long as the name is the same. */
static enum err family_get(struct parser *ps, struct span name, uint32_t *out)
{
	if (name.n > 0 && name.n == ps->family_name.n && memcmp(name.p, ps->family_name.p, name.n) == 0) {
		*out = ps->family;
		return ERR_OK;
	}
	ps->last_name = 0;
	*out = family_of(ps->d, name);
	enum err e = *out != TABLE_NONE ? ERR_OK : parse_wrap(ps, draft_family_add(ps->d, name.p, name.n, ps->line, out));
	bool is_of_body = name.p >= ps->body && name.p < ps->end; /* else it is gone with this line */
	ps->family_name = e == ERR_OK && is_of_body ? name : (struct span){ 0 };
	ps->family = *out;
	return e;
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

/* The line is whole: its series, at `number` its value. */
static enum err check_histogram(struct parser *ps, enum metric_type type, size_t family_len, struct span name)
{
	uint32_t line = (uint32_t)ps->d->n_lines - 1;
	if (type != METRIC_HISTOGRAM || name.n <= family_len || ends_with(name, "_sum"))
		return ERR_OK;
	if (ps->d->values[line] >= 0)
		return parse_wrap(ps, draft_check_add(ps->d, CHECK_NOT_NEGATIVE, line, line));
	return parse_check(ps, CHECK_NOT_NEGATIVE, line, line);
}

/* Is the value of that label, if it is there, a number? */
static bool is_bound(const struct pairs *pairs, const char *wanted)
{
	size_t n = strlen(wanted);
	double bound;
	for (size_t i = 1; i < pairs->n; i++) {
		const struct label *l = &pairs->items[i];
		if (l->name_len == n && memcmp(l->name, wanted, n) == 0)
			return number_parse(l->value, l->value_len, &bound) == ERR_OK;
	}
	return true;
}

/* Remembers what the text of the line's series means. A quoted name is left to the strict parser each time. */
static void keep_known(struct parser *ps, struct span text)
{
	uint32_t series = ps->d->lines[ps->d->n_lines - 1].series, place = KNOWN_NONE;
	const struct known_text like = { .len = (uint32_t)text.n, .name_len = ps->pairs.items[0].value_len, .is_le = is_bound(&ps->pairs, "le"),
		                         .is_quantile = is_bound(&ps->pairs, "quantile") };
	if (text.n == 0 || !is_name_start(*text.p) || !known_put(ps->known, text.p, &like, ps->d->series[series], series, &place)) {
		ps->known = NULL; /* of this body there is more now than is known */
		return;
	}
	struct draft_line *line = &ps->d->lines[ps->d->n_lines - 1];
	line->text_len = like.len;
	line->text_hash = known_at(ps->known, place)->hash;
	if (ps->last_text != KNOWN_NONE)
		known_at(ps->known, ps->last_text)->next = place;
	ps->last_text = place;
}

static enum err parse_sample(struct parser *ps)
{
	const char *begin = ps->p;
	enum err e = parse_series(ps);
	if (e != ERR_OK)
		return e;
	struct span text = { begin, (size_t)(ps->p - begin) };
	while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t')) /* those behind a bare name */
		text.n--;
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
	if (e == ERR_OK && ps->known != NULL)
		keep_known(ps, text);
	return e == ERR_OK ? check_histogram(ps, type, family_len, name) : e;
}

/* ---- the fast way: lines whose series was read before ---- */

static bool stands_at(const struct known_text *t, const char *p, size_t left)
{
	return t->len < left && p[t->len] == ' ' && memcmp(t->text, p, t->len) == 0;
}

/* The text that a line begins with: the one that followed the last one before; else it ends before the line's last word. */
static uint32_t find_known(const struct parser *ps, const char *p)
{
	size_t left = (size_t)(ps->end - p);
	uint32_t guess = ps->last_text != KNOWN_NONE ? known_at(ps->known, ps->last_text)->next : KNOWN_NONE;
	if (guess != KNOWN_NONE && stands_at(known_at(ps->known, guess), p, left))
		return guess;
	const char *q = memchr(p, '\n', left < EXPOSITION_LINE_MAX ? left : EXPOSITION_LINE_MAX);
	if (q == NULL)
		return KNOWN_NONE;
	while (q > p && (unsigned char)q[-1] > ' ')
		q--;
	return q > p + 1 && q[-1] == ' ' ? known_find(ps->known, p, (size_t)(q - 1 - p)) : KNOWN_NONE;
}

/* The line is the text that followed the last one before, and a common number: the place of the text, and the line's end; NULL: it is not so. */
static const char *read_guess(const struct parser *ps, const char *line, uint32_t *place, double *out)
{
	uint32_t guess = ps->is_wide && ps->last_text != KNOWN_NONE ? known_at(ps->known, ps->last_text)->next : KNOWN_NONE;
	if (guess == KNOWN_NONE)
		return NULL;
	const struct known_text *t = known_at(ps->known, guess);
	*place = guess;
	return ps->end - line >= (ptrdiff_t)t->len + WIDE_ROOM ? wide_line(line, t->text, t->len, out) : NULL;
}

/* A plain number that ends in a line feed; NULL: something else. */
static const char *known_number(const char *p, const char *end, double *out)
{
	struct decimal d;
	const char *q = decimal_scan_short(p, end, &d);
	if (q == NULL)
		q = decimal_scan(p, end, &d);
	if (q == NULL || q >= end || q - p > EXPOSITION_NUMBER_MAX || *q != '\n' || !decimal_quick(&d, out))
		return NULL;
	return q;
}

static enum err add_known(struct parser *ps, const struct known_text *t, const char *line, const char *eol, double value)
{
	struct known_set *set = &ps->known->sets[t->set];
	struct draft_line at = { (uint32_t)(line + t->len + 1 - ps->body), (uint32_t)(eol - line - t->len - 1), set->index, t->len, t->hash };
	enum err e = ERR_OK;
	if (set->body != ps->known->body) {
		e = draft_series_lent(ps->d, set->labels, &at.series);
		set->index = at.series;
		set->body = e == ERR_OK ? ps->known->body : set->body;
	}
	return parse_wrap(ps, e == ERR_OK ? draft_line_add(ps->d, at, value) : e);
}

/* The line behind this one, if it may be read so; *is_read: it was, and is now the parser's. */
static enum err read_known(struct parser *ps, bool *is_read)
{
	const char *line = ps->line > 0 ? ps->eol + (ps->has_lf ? 1 : 0) : ps->p;
	double value;
	*is_read = false;
	if (line == ps->end || !is_name_start(*line) || ps->d->n_lines >= EXPOSITION_SAMPLES_MAX)
		return ERR_OK;
	uint32_t    place;
	const char *eol = read_guess(ps, line, &place, &value);
	if (eol == NULL) {
		place = find_known(ps, line);
		if (place == KNOWN_NONE)
			return ERR_OK;
		eol = known_number(line + known_at(ps->known, place)->len + 1, ps->end, &value);
	}
	if (eol == NULL || eol - line >= EXPOSITION_LINE_MAX)
		return ERR_OK;
	struct known_text *t = known_at(ps->known, place);
	struct span name = { line, t->name_len };
	uint32_t family = ps->family;
	enum err e = ERR_OK;
	ps->line++;
	if (t->name != ps->last_name)
		e = family_get(ps, name, &family);
	if (e != ERR_OK)
		return e;
	ps->last_name = t->name;
	struct draft_family *f = &ps->d->families[family];
	if ((is_histogram(f->type) && !t->is_le) || (f->type == METRIC_SUMMARY && !t->is_quantile)) {
		ps->line--; /* the strict parser says what is wrong */
		return ERR_OK;
	}
	f->has_samples = true;
	ps->p = ps->eol = eol;
	ps->has_lf = *is_read = true;
	ps->n_known++;
	if ((size_t)(eol - line) > ps->d->longest_line)
		ps->d->longest_line = (size_t)(eol - line);
	if (ps->last_text != KNOWN_NONE)
		known_at(ps->known, ps->last_text)->next = place;
	ps->last_text = place;
	enum metric_type type = f->type;
	size_t family_len = f->name_len;
	e = add_known(ps, t, line, eol, value);
	return e == ERR_OK ? check_histogram(ps, type, family_len, name) : e;
}

static enum err read_all_known(struct parser *ps)
{
	enum err e = ERR_OK;
	for (bool is_read = ps->known != NULL; is_read && e == ERR_OK;)
		e = read_known(ps, &is_read);
	return e;
}

enum err text_parse(struct parser *ps)
{
	for (bool more;;) {
		enum err e = read_all_known(ps);
		if (e == ERR_OK)
			e = parse_line(ps, &more);
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
