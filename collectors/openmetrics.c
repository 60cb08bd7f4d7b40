/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenMetrics 1.0, as strict as its specification and as the test suite that goes with it: single blanks, no comments, no blank lines,
 * "# EOF" at the end, families in one piece with their metadata first, and what each type demands of labels and values.
 *
 * A family is a run of lines; inside it a group is one metric's samples (all buckets, the count and the sum of one label set). A group is
 * closed when another label set, another time stamp, another family or the end comes, and is then held against what its type demands. */
#include "collectors/parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "collectors/decimal.h"

enum { EXEMPLAR_CHARS_MAX = 128 };

#define SUFFIX_LIST(X) \
	X(BARE, "") X(TOTAL, "_total") X(CREATED, "_created") X(COUNT, "_count") X(SUM, "_sum") X(BUCKET, "_bucket") \
	X(GCOUNT, "_gcount") X(GSUM, "_gsum") X(INFO, "_info")

enum suffix {
#define X(name, text) SUFFIX_##name,
	SUFFIX_LIST(X)
#undef X
	SUFFIX_COUNT_OF
};
static const char *const suffixes[] = {
#define X(name, text) text,
	SUFFIX_LIST(X)
#undef X
};

#define BIT(suffix) (1u << SUFFIX_##suffix)

/* Which samples a family of each type may have. Source: OpenMetrics 1.0, "Suffixes". */
static const unsigned allowed[METRIC_TYPE_COUNT] = {
	[METRIC_UNKNOWN]        = BIT(BARE),
	[METRIC_COUNTER]        = BIT(TOTAL) | BIT(CREATED),
	[METRIC_GAUGE]          = BIT(BARE),
	[METRIC_HISTOGRAM]      = BIT(COUNT) | BIT(SUM) | BIT(BUCKET) | BIT(CREATED),
	[METRIC_SUMMARY]        = BIT(BARE) | BIT(COUNT) | BIT(SUM) | BIT(CREATED),
	[METRIC_INFO]           = BIT(INFO),
	[METRIC_STATESET]       = BIT(BARE),
	[METRIC_GAUGEHISTOGRAM] = BIT(GCOUNT) | BIT(GSUM) | BIT(BUCKET),
};

/* A group is known by the labels of its first sample, without the one that tells its samples apart (NULL: none). */
struct group {
	uint32_t    series, family;
	const char *but;
};

struct om {
	struct parser *ps;
	bool           has_family;
	uint32_t       family;
	struct group  *groups; /* of all families, for the hash table */
	size_t         n_groups, cap_groups;

	/* the group that is open */
	bool     in_group, has_time, has_bucket, has_negative_bucket, has_count, has_sum, has_gsum;
	uint32_t group;
	double   time, bound;
	uint32_t bucket_line, count_line, gsum_line;
};

/* What one sample line is found to be. */
struct sample {
	enum suffix suffix;
	uint32_t    line, series;
	double      value, bound, time;
	bool        has_time, has_exemplar;
};

static struct draft_family *family(const struct om *om) { return &om->ps->d->families[om->family]; }
static const char *family_name(const struct om *om) { return om->ps->d->text.data + family(om)->name; }

static struct span family_span(const struct om *om) { return (struct span){ family_name(om), family(om)->name_len }; }

static bool is_histogram(enum metric_type t) { return t == METRIC_HISTOGRAM || t == METRIC_GAUGEHISTOGRAM; }

/* ---- groups ---- */

static enum err check_count(struct om *om)
{
	struct parser *ps = om->ps;
	if (om->has_gsum && !om->has_negative_bucket) {
		enum err e = parse_check(ps, CHECK_NOT_NEGATIVE, om->gsum_line, om->gsum_line);
		if (e != ERR_OK)
			return e;
	}
	return om->has_count ? parse_check(ps, CHECK_EQUAL, om->count_line, om->bucket_line) : ERR_OK;
}

static enum err group_close(struct om *om)
{
	struct parser *ps = om->ps;
	if (!om->in_group)
		return ERR_OK;
	om->in_group = false;
	if (!is_histogram(family(om)->type))
		return ERR_OK;
	const char *name = SNIP(family_span(om));
	if (!om->has_bucket || om->bound < HUGE_VAL)
		return parse_fail(ps, ERR_FORMAT, "histogram '%s' has no bucket '+Inf' above this line", name);
	if ((om->has_sum || om->has_gsum) && !om->has_count)
		return parse_fail(ps, ERR_FORMAT, "histogram '%s' has a sum but no count above this line", name);
	if (om->has_count && !om->has_sum && !om->has_gsum)
		return parse_fail(ps, ERR_FORMAT, "histogram '%s' has a count but no sum above this line", name);
	if (om->has_sum && om->has_negative_bucket)
		return parse_fail(ps, ERR_FORMAT, "histogram '%s' has a sum and negative buckets above this line", name);
	return check_count(om);
}

static const struct label *skip_label(const struct labels *l, const char *but, size_t *at)
{
	for (; *at < labels_count(l); (*at)++) {
		const struct label *x = labels_at(l, *at);
		if (strcmp(x->name, LABEL_NAME) != 0 && (but == NULL || strcmp(x->name, but) != 0))
			return x;
	}
	return NULL;
}

static bool same_group(const struct labels *a, const char *a_but, const struct labels *b, const char *b_but)
{
	for (size_t i = 0, j = 0;; i++, j++) {
		const struct label *x = skip_label(a, a_but, &i), *y = skip_label(b, b_but, &j);
		if (x == NULL || y == NULL)
			return x == y;
		if (x->name_len != y->name_len || x->value_len != y->value_len || memcmp(x->name, y->name, x->name_len) != 0 ||
		    memcmp(x->value, y->value, x->value_len) != 0)
			return false;
	}
}

static uint64_t group_hash(const struct om *om, const struct labels *l, const char *but)
{
	uint64_t hash = om->ps->d->seed + om->family;
	for (size_t i = 0;; i++) {
		const struct label *x = skip_label(l, but, &i);
		if (x == NULL)
			return hash;
		hash = hash64(x->name, (size_t)x->name_len + 1, hash);
		hash = hash64(x->value, x->value_len, hash);
	}
}

/* The label that tells the samples of a group apart. */
static const char *group_label(const struct om *om, enum suffix suffix)
{
	enum metric_type t = family(om)->type;
	if (is_histogram(t) && suffix == SUFFIX_BUCKET)
		return "le";
	if (t == METRIC_SUMMARY && suffix == SUFFIX_BARE)
		return "quantile";
	return t == METRIC_STATESET ? family_name(om) : NULL;
}

/* The group of a series: one that is known (*is_new false) or a new one. */
static enum err group_find(struct om *om, const struct sample *s, uint32_t *out, bool *is_new)
{
	struct draft        *d = om->ps->d;
	const struct labels *l = d->series[s->series];
	const char          *but = group_label(om, s->suffix);
	uint64_t             hash = group_hash(om, l, but);
	size_t               probe = 0;
	*is_new = false;
	while ((*out = table_next(&d->by_group, hash, &probe)) != TABLE_NONE) {
		const struct group *g = &om->groups[*out];
		const char *g_but = family(om)->type == METRIC_STATESET ? family_name(om) : g->but;
		if (g->family == om->family && same_group(d->series[g->series], g_but, l, but))
			return ERR_OK;
	}
	if (om->n_groups == om->cap_groups) {
		size_t        cap = om->cap_groups == 0 ? 64 : om->cap_groups * 2;
		struct group *groups = realloc(om->groups, cap * sizeof *groups);
		if (groups == NULL)
			return ERR_MEMORY;
		om->groups = groups;
		om->cap_groups = cap;
	}
	/* A stateset's label is the family's name, which lies in a text that may move: it is looked up anew above. */
	om->groups[om->n_groups] = (struct group){ s->series, om->family, family(om)->type == METRIC_STATESET ? NULL : but };
	*out = (uint32_t)om->n_groups;
	*is_new = true;
	enum err e = table_add(&d->by_group, hash, *out);
	if (e == ERR_OK)
		om->n_groups++;
	return e;
}

static enum err group_enter(struct om *om, const struct sample *s)
{
	uint32_t group = 0;
	bool     is_new = false, was_in = om->in_group;
	enum err e = ERR_OK;
	if (family(om)->type == METRIC_INFO) /* each info stands alone, in any order */
		return ERR_OK;
	e = group_find(om, s, &group, &is_new);
	if (e != ERR_OK)
		return parse_wrap(om->ps, e);
	bool same = was_in && group == om->group;
	if (same && s->has_time != om->has_time)
		return parse_fail(om->ps, ERR_FORMAT, "a metric's samples must all have a time stamp, or none");
	if (same && s->has_time && s->time < om->time)
		return parse_fail(om->ps, ERR_FORMAT, "the time stamp goes back");
	if (!same && !is_new)
		return parse_fail(om->ps, ERR_FORMAT, "the samples of one metric must stand together");
	if (same && (!s->has_time || s->time <= om->time))
		return ERR_OK;
	e = group_close(om);
	om->in_group = true;
	om->group = group;
	om->has_time = s->has_time;
	om->time = s->time;
	om->has_bucket = om->has_negative_bucket = om->has_count = om->has_sum = om->has_gsum = false;
	return e;
}

/* ---- families ---- */

/* A name that the family takes must not be one that an earlier family has taken. */
static enum err claim(struct om *om, enum suffix suffix)
{
	struct parser *ps = om->ps;
	struct draft  *d = ps->d;
	char           name[EXPOSITION_NAME_MAX + 16];
	size_t         n = family(om)->name_len, extra = strlen(suffixes[suffix]);
	memcpy(name, family_name(om), n);
	memcpy(name + n, suffixes[suffix], extra);
	n += extra;
	for (int i = 0; i < SUFFIX_COUNT_OF; i++) {
		size_t cut = strlen(suffixes[i]);
		if (cut >= n || memcmp(name + n - cut, suffixes[i], cut) != 0)
			continue;
		uint32_t other = draft_family_find(d, name, n - cut);
		if (other == TABLE_NONE || other == om->family || (i != SUFFIX_BARE && (allowed[d->families[other].type] & 1u << i) == 0))
			continue;
		return parse_fail(ps, ERR_FORMAT, "'%s' clashes with the family '%s' of line %d", SNIP(((struct span){ name, n })),
		                  SNIP(((struct span){ d->text.data + d->families[other].name, d->families[other].name_len })),
		                  d->families[other].line);
	}
	return ERR_OK;
}

static enum err check_unit(struct om *om)
{
	const struct draft_family *f = family(om);
	const char *unit = om->ps->d->text.data + f->unit;
	size_t      n = strlen(unit);
	if (n == 0)
		return ERR_OK;
	if (f->name_len <= n + 1 || family_name(om)[f->name_len - n - 1] != '_' || memcmp(family_name(om) + f->name_len - n, unit, n) != 0)
		return parse_fail(om->ps, ERR_FORMAT, "the name of family '%s' must end in its unit, '_%s'",
		                  SNIP(family_span(om)), SNIP(((struct span){ unit, n })));
	if (f->type == METRIC_INFO || f->type == METRIC_STATESET)
		return parse_fail(om->ps, ERR_FORMAT, "a family of type %s must not have a unit", metric_type_name(f->type));
	return ERR_OK;
}

static enum err family_close(struct om *om)
{
	if (!om->has_family)
		return ERR_OK;
	enum err e = group_close(om);
	if (e == ERR_OK)
		e = check_unit(om);
	for (int i = 0; i < SUFFIX_COUNT_OF && e == ERR_OK; i++)
		if (i == SUFFIX_BARE || (allowed[family(om)->type] & 1u << i) != 0)
			e = claim(om, (enum suffix)i);
	return e;
}

static enum err family_open(struct om *om, struct span name)
{
	enum err e = family_close(om);
	if (e != ERR_OK)
		return e;
	uint32_t before = draft_family_find(om->ps->d, name.p, name.n);
	if (before != TABLE_NONE)
		return parse_fail(om->ps, ERR_FORMAT, "the family '%s' of line %d goes on here: its lines must stand together", SNIP(name),
		                  om->ps->d->families[before].line);
	e = draft_family_add(om->ps->d, name.p, name.n, om->ps->line, &om->family);
	om->has_family = e == ERR_OK;
	return parse_wrap(om->ps, e);
}

static bool is_family(const struct om *om, struct span name)
{
	return om->has_family && family(om)->name_len == name.n && memcmp(family_name(om), name.p, name.n) == 0;
}

/* ---- metadata ---- */

static enum err set_type(struct om *om, struct span word)
{
	if (family(om)->has_type)
		return parse_fail(om->ps, ERR_FORMAT, "a second TYPE line for '%s'", SNIP(family_span(om)));
	for (int i = 0; i < METRIC_TYPE_COUNT; i++) {
		if (!span_is(word, metric_type_name((enum metric_type)i)))
			continue;
		family(om)->type = (enum metric_type)i;
		family(om)->has_type = true;
		return ERR_OK;
	}
	return parse_fail(om->ps, ERR_FORMAT, "'%s' is not a metric type", SNIP(word));
}

static enum err set_unit(struct om *om, struct span unit)
{
	if (family(om)->has_unit)
		return parse_fail(om->ps, ERR_FORMAT, "a second UNIT line for '%s'", SNIP(family_span(om)));
	if (memchr(unit.p, '\0', unit.n) != NULL)
		return parse_fail(om->ps, ERR_FORMAT, "a NUL byte in the unit of '%s'", SNIP(family_span(om)));
	family(om)->has_unit = true;
	uint32_t at;
	enum err e = draft_text(om->ps->d, unit.p, unit.n, &at);
	if (e != ERR_OK)
		return parse_wrap(om->ps, e);
	family(om)->unit = at;
	return ERR_OK;
}

static enum err set_help(struct om *om, struct span name)
{
	if (family(om)->has_help)
		return parse_fail(om->ps, ERR_FORMAT, "a second HELP line for '%s'", SNIP(family_span(om)));
	family(om)->has_help = true;
	struct span text;
	enum err    e = parse_help_text(om->ps, name, &text);
	if (e != ERR_OK)
		return e;
	uint32_t at;
	e = draft_text(om->ps->d, text.p, text.n, &at);
	if (e != ERR_OK)
		return parse_wrap(om->ps, e);
	family(om)->help = at;
	return ERR_OK;
}

/* "# TYPE name word", single blanks between. */
static enum err parse_metadata(struct om *om)
{
	struct parser *ps = om->ps;
	struct span    line = rest(ps), name;
	if (line.n < 7 || line.p[1] != ' ' || line.p[6] != ' ' ||
	    (memcmp(line.p + 2, "TYPE", 4) != 0 && memcmp(line.p + 2, "HELP", 4) != 0 && memcmp(line.p + 2, "UNIT", 4) != 0))
		return parse_fail(ps, ERR_FORMAT, "only '# TYPE', '# HELP', '# UNIT' and '# EOF' may begin with '#', not '%s'", SNIP(line));
	ps->p += 7;
	enum err e = ERR_OK;
	if (ps->p < ps->eol && *ps->p == '"')
		e = parse_quoted(ps, "the metric name", &name);
	else
		name = parse_bare_name(ps, true);
	if (e != ERR_OK)
		return e;
	if (name.n == 0 || name.n > EXPOSITION_NAME_MAX)
		return parse_fail(ps, ERR_FORMAT, "a metric name of 1 to %d bytes was expected", EXPOSITION_NAME_MAX);
	if (ps->p == ps->eol || *ps->p != ' ')
		return parse_fail(ps, ERR_FORMAT, "a blank was expected behind the name '%s'", SNIP(name));
	ps->p++;
	if (!is_family(om, name))
		e = family_open(om, name);
	else if (family(om)->has_samples)
		e = parse_fail(ps, ERR_FORMAT, "metadata of '%s' behind its samples", SNIP(name));
	if (e != ERR_OK)
		return e;
	if (line.p[2] == 'T')
		return set_type(om, rest(ps));
	return line.p[2] == 'U' ? set_unit(om, rest(ps)) : set_help(om, name);
}

/* ---- samples ---- */

static enum err parse_time(struct parser *ps, double *out)
{
	struct span text;
	enum err    e = parse_number(ps, &text, out);
	if (e == ERR_OK && !isfinite(*out))
		e = parse_fail(ps, ERR_FORMAT, "'%s' is not a time stamp", SNIP(text));
	return e;
}

static size_t code_points(const char *p, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)p[i] & 0xc0) != 0x80;
	return count;
}

/* " # {labels} value [time]", from the '#' on. */
static enum err parse_exemplar(struct parser *ps)
{
	struct span text;
	double      value;
	size_t      chars = 0;
	if (ps->eol - ps->p < 3 || ps->p[1] != ' ' || ps->p[2] != '{')
		return parse_fail(ps, ERR_FORMAT, "an exemplar must begin with '# {'");
	ps->p += 2;
	ps->exemplar.n = 1;
	ps->exemplar.items[0] = (struct label){ 0 };
	enum err e = parse_labels(ps, &ps->exemplar);
	if (e != ERR_OK)
		return e;
	for (size_t i = 1; i < ps->exemplar.n; i++)
		chars += code_points(ps->exemplar.items[i].name, ps->exemplar.items[i].name_len) +
		         code_points(ps->exemplar.items[i].value, ps->exemplar.items[i].value_len);
	if (chars > EXEMPLAR_CHARS_MAX)
		return parse_fail(ps, ERR_FORMAT, "an exemplar's labels have more than %d characters", EXEMPLAR_CHARS_MAX);
	if (ps->p == ps->eol || *ps->p != ' ')
		return parse_fail(ps, ERR_FORMAT, "a blank and a number were expected behind the exemplar's labels");
	ps->p++;
	e = parse_number(ps, &text, &value);
	if (e == ERR_OK && ps->p < ps->eol) {
		ps->p++;
		e = parse_time(ps, &value);
	}
	if (e == ERR_OK && ps->p < ps->eol)
		e = parse_fail(ps, ERR_FORMAT, "unexpected '%s' behind the exemplar", SNIP(rest(ps)));
	ps->d->exemplars++;
	return e;
}

/* " value [time] [exemplar]" */
static enum err parse_tail(struct parser *ps, struct sample *s, struct span *number)
{
	if (ps->p == ps->eol || *ps->p != ' ')
		return parse_fail(ps, ERR_FORMAT, "a blank and a number were expected behind the series");
	ps->p++;
	enum err e = parse_number(ps, number, &s->value);
	if (e != ERR_OK || ps->p == ps->eol)
		return e;
	ps->p++;
	if (ps->p == ps->eol || *ps->p != '#') {
		e = parse_time(ps, &s->time);
		s->has_time = true;
		ps->d->timestamps++;
		if (e != ERR_OK || ps->p == ps->eol)
			return e;
		ps->p++;
	}
	if (ps->p == ps->eol || *ps->p != '#')
		return parse_fail(ps, ERR_FORMAT, "unexpected '%s' behind the time stamp", SNIP(rest(ps)));
	s->has_exemplar = true;
	return parse_exemplar(ps);
}

/* Which of the open family's samples a name is; false when it is none of them. */
static bool suffix_of(const struct om *om, struct span name, enum suffix *out)
{
	if (!om->has_family || name.n < family(om)->name_len || memcmp(name.p, family_name(om), family(om)->name_len) != 0)
		return false;
	struct span rest_of = { name.p + family(om)->name_len, name.n - family(om)->name_len };
	for (int i = 0; i < SUFFIX_COUNT_OF; i++) {
		if ((allowed[family(om)->type] & 1u << i) != 0 && span_is(rest_of, suffixes[i])) {
			*out = (enum suffix)i;
			return true;
		}
	}
	return false;
}

static const struct label *find_pair(const struct parser *ps, const char *name, size_t n)
{
	for (size_t i = 1; i < ps->pairs.n; i++)
		if (ps->pairs.items[i].name_len == n && memcmp(ps->pairs.items[i].name, name, n) == 0)
			return &ps->pairs.items[i];
	return NULL;
}

/* The labels that the type demands: a bucket's bound, a quantile, a state. */
static enum err check_labels(struct om *om, struct sample *s)
{
	struct parser      *ps = om->ps;
	enum metric_type    type = family(om)->type;
	const struct label *l;
	if (is_histogram(type) && s->suffix == SUFFIX_BUCKET) {
		l = find_pair(ps, "le", 2);
		if (l == NULL || number_parse(l->value, l->value_len, &s->bound) != ERR_OK || isnan(s->bound))
			return parse_fail(ps, ERR_FORMAT, "a bucket must have a label 'le' that is a number");
		if (s->bound >= HUGE_VAL && (l->value_len != 4 || memcmp(l->value, "+Inf", 4) != 0))
			return parse_fail(ps, ERR_FORMAT, "the last bucket's bound must be spelled '+Inf'");
	} else if (type == METRIC_SUMMARY && s->suffix == SUFFIX_BARE) {
		l = find_pair(ps, "quantile", 8);
		double q;
		if (l == NULL || number_parse(l->value, l->value_len, &q) != ERR_OK || !(q >= 0 && q <= 1))
			return parse_fail(ps, ERR_FORMAT, "a summary's sample must have a label 'quantile' from 0 to 1");
	} else if (type == METRIC_STATESET && find_pair(ps, family_name(om), family(om)->name_len) == NULL) {
		return parse_fail(ps, ERR_FORMAT, "a state must have a label named like its family, '%s'", SNIP(family_span(om)));
	}
	if (s->has_exemplar && !(is_histogram(type) && s->suffix == SUFFIX_BUCKET) && s->suffix != SUFFIX_TOTAL)
		return parse_fail(ps, ERR_FORMAT, "only a counter's total and a histogram's bucket may have an exemplar");
	return ERR_OK;
}

static enum err check_bucket(struct om *om, const struct sample *s)
{
	enum err e = ERR_OK;
	if (om->has_bucket && s->bound <= om->bound)
		return parse_fail(om->ps, ERR_FORMAT, "the buckets are out of order");
	if (om->has_bucket)
		e = parse_check(om->ps, CHECK_NOT_BELOW, s->line, om->bucket_line);
	om->has_bucket = true;
	om->bound = s->bound;
	om->bucket_line = s->line;
	om->has_negative_bucket = om->has_negative_bucket || s->bound < 0;
	return e;
}

static void note_sample(struct om *om, const struct sample *s)
{
	if (s->suffix == SUFFIX_COUNT || s->suffix == SUFFIX_GCOUNT) {
		om->has_count = true;
		om->count_line = s->line;
	} else if (s->suffix == SUFFIX_SUM) {
		om->has_sum = true;
	} else if (s->suffix == SUFFIX_GSUM) {
		om->has_gsum = true;
		om->gsum_line = s->line;
	}
}

static enum err check_value(struct om *om, const struct sample *s)
{
	struct parser   *ps = om->ps;
	enum metric_type type = family(om)->type;
	const unsigned   counts = BIT(TOTAL) | BIT(SUM) | BIT(COUNT) | BIT(BUCKET) | BIT(GCOUNT);
	unsigned         bit = 1u << s->suffix;
	enum err         e = ERR_OK;
	if ((bit & (counts | BIT(GSUM))) != 0)
		e = parse_check(ps, CHECK_NOT_NAN, s->line, s->line);
	if (e == ERR_OK && ((bit & counts) != 0 || (type == METRIC_SUMMARY && s->suffix == SUFFIX_BARE)))
		e = parse_check(ps, CHECK_NOT_NEGATIVE, s->line, s->line);
	if (e == ERR_OK && type == METRIC_INFO)
		e = parse_check(ps, CHECK_ONE, s->line, s->line);
	if (e == ERR_OK && type == METRIC_STATESET)
		e = parse_check(ps, CHECK_ZERO_OR_ONE, s->line, s->line);
	if (e == ERR_OK && s->suffix == SUFFIX_BUCKET)
		e = check_bucket(om, s);
	return e;
}

static enum err parse_sample(struct om *om)
{
	struct parser *ps = om->ps;
	struct sample  s = { .suffix = SUFFIX_BARE };
	struct span    number;
	enum err       e = parse_series(ps);
	if (e != ERR_OK)
		return e;
	struct span name = { ps->pairs.items[0].value, ps->pairs.items[0].value_len };
	if (!suffix_of(om, name, &s.suffix)) {
		e = family_open(om, name);
		if (e != ERR_OK)
			return e;
	}
	family(om)->has_samples = true;
	e = parse_tail(ps, &s, &number);
	if (e == ERR_OK)
		e = check_labels(om, &s);
	if (e == ERR_OK)
		e = parse_add(ps, number, s.value);
	if (e != ERR_OK)
		return e;
	s.line = (uint32_t)ps->d->n_lines - 1;
	s.series = ps->d->lines[s.line].series;
	e = group_enter(om, &s);
	if (e == ERR_OK)
		e = check_value(om, &s);
	if (e == ERR_OK)
		note_sample(om, &s);
	return e;
}

static enum err parse_lines(struct om *om)
{
	struct parser *ps = om->ps;
	bool           more;
	enum err       e;
	while ((e = parse_line(ps, &more)) == ERR_OK && more) {
		if (span_is(rest(ps), "# EOF")) {
			if (ps->eol + ps->has_lf != ps->end) {
				ps->line++;
				return parse_fail(ps, ERR_FORMAT, "nothing may follow '# EOF'");
			}
			return family_close(om);
		}
		if (ps->p == ps->eol)
			return parse_fail(ps, ERR_FORMAT, "an empty line");
		e = *ps->p == '#' ? parse_metadata(om) : parse_sample(om);
		if (e != ERR_OK)
			return e;
	}
	if (e == ERR_OK)
		e = parse_fail(ps, ERR_FORMAT, "the body is cut short: it does not end in '# EOF'");
	return e;
}

enum err openmetrics_parse(struct parser *ps)
{
	struct om om = { .ps = ps };
	enum err  e = parse_lines(&om);
	free(om.groups);
	return e;
}
