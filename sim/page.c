/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/page.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"

enum { PAGE_TEXT_MAX = 1 << 20, SUMMARY_QUANTILES = 5 };
static const double      summary_p[SUMMARY_QUANTILES] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
static const char *const summary_text[SUMMARY_QUANTILES] = { "0.5", "0.9", "0.95", "0.99", "0.999" };

/* Copy text[start, start + len), then one thing: a number, a label's text, or nothing. */
enum op_kind { OP_END, OP_NUMBER, OP_TEXT };
struct op {
	uint32_t     start, len;
	uint32_t     slot;
	uint8_t      kind, shown, number; /* of the number */
	char         letter;              /* of the label's text */
	uint8_t      gpu;
};

struct distribution {
	const struct bounds *bounds; /* NULL: a summary */
	double              *logs;   /* of the bounds */
	size_t               first;  /* its values: cumulative buckets, then count, then sum; summary: quantiles, count, sum */
};

struct page {
	struct dialect      dialect;
	struct buf          text;
	struct op          *ops;
	size_t              n_ops, cap_ops, flushed, n_values;
	struct distribution distributions[PAGE_DISTRIBUTIONS];
	enum err            err;
};

/* ---- numbers ---- */

static size_t put_digits(uint64_t v, char *to)
{
	char   reversed[24];
	size_t n = 0;
	do {
		reversed[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	for (size_t i = 0; i < n; i++)
		to[i] = reversed[n - 1 - i];
	return n;
}

/* 1234567.25 as digits "1234567" "25" becomes 1.23456725 and the exponent 6. Both clients trim zeros; Python's writes "e+06" and
 * "e+010". */
static size_t put_scientific(const char *whole, size_t n_whole, const char *fraction, size_t n_fraction, enum number style, char *to)
{
	size_t n = 0;
	to[n++] = whole[0];
	to[n++] = '.';
	memcpy(to + n, whole + 1, n_whole - 1);
	n += n_whole - 1;
	memcpy(to + n, fraction, n_fraction);
	n += n_fraction;
	while (n > 3 && to[n - 1] == '0')
		n--;
	if (style == NUMBER_PYTHON && n == 3 && to[2] == '0')
		n = 1;
	if (style == NUMBER_JAVA) {
		to[n++] = 'E';
	} else {
		memcpy(to + n, "e+0", 3);
		n += 3;
	}
	return n + put_digits(n_whole - 1, to + n);
}

static size_t put_fixed(double v, enum number style, char *to)
{
	char     whole[24], fraction[8];
	uint64_t scaled = (uint64_t)llround(v * 1e6), part = scaled % 1000000;
	size_t   n_whole = put_digits(scaled / 1000000, whole), n_fraction = 6, n = 0;
	for (size_t i = 6; i-- > 0; part /= 10)
		fraction[i] = (char)('0' + part % 10);
	while (style != NUMBER_FIXED && n_fraction > 0 && fraction[n_fraction - 1] == '0')
		n_fraction--;
	if ((style == NUMBER_PYTHON && n_whole > 6) || (style == NUMBER_JAVA && n_whole > 7))
		return put_scientific(whole, n_whole, fraction, n_fraction, style, to);
	memcpy(to, whole, n_whole);
	n = n_whole;
	if (n_fraction == 0 && (style == NUMBER_PYTHON || style == NUMBER_JAVA)) {
		fraction[0] = '0';
		n_fraction = 1;
	}
	if (n_fraction > 0) {
		to[n++] = '.';
		memcpy(to + n, fraction, n_fraction);
		n += n_fraction;
	}
	return n;
}

size_t page_number(double v, enum number style, char to[NUMBER_SIZE])
{
	size_t sign = 0;
	if (isnan(v)) {
		memcpy(to, "NaN", 3);
		return 3;
	}
	if (v < 0) {
		to[0] = '-';
		sign = 1;
		v = -v;
	}
	if (style == NUMBER_SHORT)
		return sign + (size_t)snprintf(to + sign, NUMBER_SIZE - sign, "%.6g", v);
	if (v >= 1e12) { /* past what six decimals of a 64-bit integer hold; whole numbers that big are exact anyway */
		size_t n = put_digits((uint64_t)fmin(v, 1e18), to + sign + 24);
		char   whole[24];
		memcpy(whole, to + sign + 24, n);
		if (style == NUMBER_PYTHON || style == NUMBER_JAVA)
			return sign + put_scientific(whole, n, "", 0, style, to + sign);
		memcpy(to + sign, whole, n);
		return sign + n;
	}
	return sign + put_fixed(v, style, to + sign);
}

/* ---- compiling ---- */

static void put_op(struct page *p, struct op op)
{
	if (p->n_ops == p->cap_ops) {
		size_t     cap = p->cap_ops > 0 ? p->cap_ops * 2 : 256;
		struct op *grown = realloc(p->ops, cap * sizeof *grown);
		if (grown == NULL) {
			p->err = ERR_MEMORY;
			return;
		}
		p->ops = grown;
		p->cap_ops = cap;
	}
	op.start = (uint32_t)p->flushed;
	op.len = (uint32_t)(p->text.len - p->flushed);
	p->flushed = p->text.len;
	p->ops[p->n_ops++] = op;
}

/* Literal text with % letters, of which all but %g stay open until rendering. */
static void put_template(struct page *p, const char *text, size_t n, int gpu)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '%' || i + 1 == n) {
			buf_putc(&p->text, text[i]);
			continue;
		}
		i++;
		if (text[i] == 'g')
			buf_printf(&p->text, "%d", gpu);
		else
			put_op(p, (struct op){ .kind = OP_TEXT, .letter = text[i], .gpu = (uint8_t)gpu });
	}
}

/* TF Serving and the DCGM exporter hold counts as integers and print them as such; the other clients know doubles only. */
static void put_value(struct page *p, size_t slot, enum shown shown)
{
	enum number style = p->dialect.number;
	if (shown == SHOWN_COUNT && (style == NUMBER_SHORT || style == NUMBER_FIXED))
		style = NUMBER_PLAIN;
	buf_putc(&p->text, ' ');
	put_op(p, (struct op){ .kind = OP_NUMBER, .slot = (uint32_t)slot, .shown = (uint8_t)shown, .number = (uint8_t)style });
	buf_putc(&p->text, '\n');
}

/* Where a label that is called `name` belongs in the sorted list of pairs. */
static size_t sorted_place(const char *labels, const char *name)
{
	const char *at = labels;
	while (*at != '\0') {
		const char *end = strchr(at, '=');
		if (end == NULL || strncmp(at, name, (size_t)(end - at)) > 0)
			break;
		end = strchr(end, '"');
		end = end != NULL ? strchr(end + 1, '"') : NULL;
		if (end == NULL)
			break;
		at = end[1] == ',' ? end + 2 : end + 1;
	}
	return (size_t)(at - labels);
}

/* name_suffix{labels with one more}, without the value. */
static void put_key(struct page *p, const struct family *f, const char *suffix, const char *more, const char *more_value, int gpu)
{
	size_t len = strlen(f->labels), place = p->dialect.le_sorted && more != NULL ? sorted_place(f->labels, more) : len;
	buf_puts(&p->text, f->name);
	buf_puts(&p->text, suffix);
	if (len == 0 && more == NULL) {
		buf_puts(&p->text, p->dialect.empty_braces ? "{}" : "");
		return;
	}
	buf_putc(&p->text, '{');
	put_template(p, f->labels, place, gpu);
	if (more != NULL) {
		if (place == len && len > 0)
			buf_putc(&p->text, ',');
		buf_printf(&p->text, "%s=\"%s\"", more, more_value);
		if (place < len)
			buf_putc(&p->text, ',');
	}
	put_template(p, f->labels + place, len - place, gpu);
	buf_puts(&p->text, p->dialect.end_comma);
	buf_putc(&p->text, '}');
}

static void put_tail(struct page *p, const struct family *f, size_t count_slot, bool count_first)
{
	for (int i = 0; i < 2; i++) {
		bool is_count = (i == 0) == count_first;
		put_key(p, f, is_count ? "_count" : "_sum", NULL, NULL, 0);
		put_value(p, count_slot + (is_count ? 0 : 1), is_count ? SHOWN_COUNT : SHOWN_REAL);
	}
}

static void put_histogram(struct page *p, const struct family *f)
{
	struct distribution *d = &p->distributions[f->slot];
	char                 le[NUMBER_SIZE];
	for (size_t i = 0; i < f->bounds->n; i++) {
		le[page_number(f->bounds->le[i], p->dialect.number, le)] = '\0';
		put_key(p, f, "_bucket", "le", le, 0);
		put_value(p, d->first + i, SHOWN_COUNT);
	}
	put_key(p, f, "_bucket", "le", "+Inf", 0);
	put_value(p, d->first + f->bounds->n, SHOWN_COUNT);
	put_tail(p, f, d->first + f->bounds->n, p->dialect.count_first);
}

/* prometheus-cpp writes a summary's count and sum before its quantiles. */
static void put_summary(struct page *p, const struct family *f)
{
	size_t first = p->distributions[f->slot].first;
	put_tail(p, f, first + SUMMARY_QUANTILES, true);
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++) {
		put_key(p, f, "", "quantile", summary_text[i], 0);
		put_value(p, first + i, SHOWN_COUNT);
	}
}

static void put_header(struct page *p, const struct family *f, const char *name, size_t n, const char *suffix, enum family_type type)
{
	static const char *const types[] = { "counter", "gauge", "histogram", "summary" };
	if (p->dialect.help)
		buf_printf(&p->text, "# HELP %.*s%s %s\n", (int)n, name, suffix, f->help);
	buf_printf(&p->text, "# TYPE %.*s%s %s\n", (int)n, name, suffix, types[type]);
}

static void put_row(struct page *p, const struct family *f, int gpus)
{
	if (f->type == FAMILY_HISTOGRAM) {
		put_histogram(p, f);
	} else if (f->type == FAMILY_SUMMARY) {
		put_summary(p, f);
	} else {
		for (int g = 0; g < (f->per_gpu ? gpus : 1); g++) {
			put_key(p, f, "", NULL, NULL, g);
			put_value(p, (size_t)(f->slot + g), f->shown);
		}
	}
}

/* The Python client tells when each series was created in a family of its own; slot 0 holds the time by convention. */
static void put_created(struct page *p, const struct family *rows, size_t n)
{
	size_t len = strlen(rows[0].name);
	if (rows[0].type == FAMILY_COUNTER && len > 6 && strcmp(rows[0].name + len - 6, "_total") == 0)
		len -= 6;
	char name[128];
	snprintf(name, sizeof name, "%.*s_created", (int)len, rows[0].name);
	put_header(p, &rows[0], name, strlen(name), "", FAMILY_GAUGE);
	for (size_t i = 0; i < n; i++) {
		struct family created = rows[i];
		created.name = name;
		put_key(p, &created, "", NULL, NULL, 0);
		put_value(p, 0, SHOWN_REAL);
	}
}

static bool is_process_metric(const char *name) { return strncmp(name, "process_", 8) == 0 || strncmp(name, "python_", 7) == 0; }

static void compile(struct page *p, const struct family *rows, size_t n, int gpus)
{
	for (size_t i = 0, end; i < n; i = end) {
		put_header(p, &rows[i], rows[i].name, strlen(rows[i].name), "", rows[i].type);
		for (end = i; end < n && strcmp(rows[end].name, rows[i].name) == 0; end++)
			put_row(p, &rows[end], gpus);
		if (p->dialect.created && rows[i].type != FAMILY_GAUGE && !is_process_metric(rows[i].name))
			put_created(p, &rows[i], end - i);
	}
	put_op(p, (struct op){ .kind = OP_END });
}

static void place_distribution(struct page *p, const struct family *f)
{
	assert(f->slot >= 0 && f->slot < PAGE_DISTRIBUTIONS);
	struct distribution *d = &p->distributions[f->slot];
	size_t               buckets = f->bounds != NULL ? f->bounds->n : SUMMARY_QUANTILES;
	d->bounds = f->bounds;
	d->first = p->n_values;
	p->n_values += buckets + 2;
	if (f->bounds == NULL)
		return;
	d->logs = calloc(f->bounds->n, sizeof *d->logs);
	if (d->logs == NULL) {
		p->err = ERR_MEMORY;
		return;
	}
	for (size_t i = 0; i < f->bounds->n; i++)
		d->logs[i] = log(f->bounds->le[i]);
}

enum err page_new(const struct family *rows, size_t n, const struct dialect *d, size_t scalars, int gpus, struct page **out,
                  struct why *why)
{
	struct page *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	p->dialect = *d;
	p->n_values = scalars;
	buf_init(&p->text, PAGE_TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		if (rows[i].type == FAMILY_HISTOGRAM || rows[i].type == FAMILY_SUMMARY)
			place_distribution(p, &rows[i]);
	compile(p, rows, n, gpus);
	if (p->err != ERR_OK || p->text.err != ERR_OK) {
		page_free(p);
		return why_memory(why);
	}
	*out = p;
	return ERR_OK;
}

void page_free(struct page *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < PAGE_DISTRIBUTIONS; i++)
		free(p->distributions[i].logs);
	buf_release(&p->text);
	free(p->ops);
	free(p);
}

size_t page_values(const struct page *p) { return p->n_values; }

/* ---- numbers in, text out ---- */

void page_observe(const struct page *p, double *values, int distribution, double n, double mean, double sigma)
{
	const struct distribution *d = &p->distributions[distribution];
	double                    *v = values + d->first;
	size_t                     count = d->bounds != NULL ? d->bounds->n : SUMMARY_QUANTILES;
	if (d->bounds == NULL) {
		for (size_t i = 0; i < count; i++)
			v[i] = lognormal_quantile(mean, sigma, summary_p[i]);
	} else if (n > 0 && mean > 0) {
		double mu = log(lognormal_median(mean, sigma)), scale = 1 / (sigma * M_SQRT2);
		for (size_t i = 0; i < count; i++)
			v[i] += n * 0.5 * erfc((mu - d->logs[i]) * scale);
	}
	v[count] += n;
	v[count + 1] += n * mean;
}

static const char *text_for(const struct page_texts *t, char letter, int gpu)
{
	switch (letter) {
	case 'm': return t->model;
	case 'v': return t->version;
	case 'h': return t->node->name;
	case 'n': return t->spec->gpu->name;
	case 'u': return t->node->uuid[gpu];
	case 'b': return t->node->pci[gpu];
	default: return "";
	}
}

enum err page_expand(const char *text, const struct page_texts *t, int gpu, struct buf *to)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '%' && text[1] != '\0')
			buf_puts(to, text_for(t, *++text, gpu));
		else
			buf_putc(to, *text);
	}
	return to->err;
}

enum err page_render(const struct page *p, const double *before, const double *after, double part, const struct page_texts *t,
                     struct buf *to)
{
	for (size_t i = 0; i < p->n_ops; i++) {
		const struct op *op = &p->ops[i];
		char            *at = buf_room(to, op->len + NUMBER_SIZE);
		if (at == NULL)
			return to->err;
		memcpy(at, p->text.data + op->start, op->len);
		to->len += op->len;
		if (op->kind == OP_TEXT) {
			buf_puts(to, text_for(t, op->letter, op->gpu));
		} else if (op->kind == OP_NUMBER) {
			double v = before[op->slot] + (after[op->slot] - before[op->slot]) * part;
			to->len += page_number(op->shown == SHOWN_COUNT ? floor(v + 1e-9) : v, (enum number)op->number, at + op->len);
		}
	}
	return buf_put(to, "", 0); /* ends the text with a NUL */
}
