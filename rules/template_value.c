/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of templates, and how they are printed. Source: the Go documentation, "fmt" and "text/template". */
#include "rules/template_private.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/num.h"

struct value value_of_text(const char *text, size_t n)
{
	return (struct value){ .kind = VALUE_TEXT, .text = text, .n = n };
}

struct value value_of_number(double v)
{
	return (struct value){ .kind = VALUE_FLOAT, .number = v };
}

struct value value_of_copy(struct expansion *x, const char *text, size_t n)
{
	char *kept = arena_zeroed(&x->arena, n + 1, 1);
	if (kept == NULL)
		return (struct value){ .kind = VALUE_NIL };
	memcpy(kept, text, n);
	return value_of_text(kept, n);
}

struct value value_of_buf(struct expansion *x, struct buf *from)
{
	struct value v = value_of_copy(x, buf_text(from), from->len);
	if (from->err == ERR_MEMORY)
		x->arena.failed = true;
	buf_release(from);
	return v;
}

const char *value_kind_name(const struct value *v)
{
	switch (v->kind) {
	case VALUE_NIL: return "nil";
	case VALUE_BOOL: return "bool";
	case VALUE_INT: return "int";
	case VALUE_FLOAT: return "float64";
	case VALUE_TEXT: return "string";
	case VALUE_LABELS:
	case VALUE_ARGS: return "map";
	case VALUE_SAMPLE: return "sample";
	case VALUE_SAMPLES: return "list of samples";
	case VALUE_DATA: return "set of data";
	case VALUE_TIME: return "time";
	case VALUE_DURATION: return "duration";
	}
	return "";
}

bool value_is_true(const struct value *v)
{
	switch (v->kind) {
	case VALUE_NIL: return false;
	case VALUE_BOOL:
	case VALUE_INT: return v->integer != 0;
	case VALUE_FLOAT: return v->number < 0 || v->number > 0 || isnan(v->number);
	case VALUE_TEXT:
	case VALUE_ARGS:
	case VALUE_SAMPLES: return v->n > 0;
	case VALUE_LABELS: return v->labels != NULL && labels_count(v->labels) > 0;
	case VALUE_SAMPLE:
	case VALUE_DATA:
	case VALUE_TIME:
	case VALUE_DURATION: return true;
	}
	return false;
}

/* ---- parts of values ---- */

/* A label that is not there is "", as with any Go map of strings. */
static struct value label_value(const struct labels *l, const char *name)
{
	const struct label *found = l != NULL ? labels_find(l, name) : NULL;
	return found != NULL ? value_of_text(found->value, found->value_len) : value_of_text("", 0);
}

static enum err data_field(struct expansion *x, const char *name, struct value *out)
{
	static const char *const names[] = { "Labels", "ExternalLabels", "ExternalURL", "Value" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], name) == 0) {
			const struct template_data *d = x->data;
			const char *url = d->external_url != NULL ? d->external_url : "";
			const struct value values[] = { { .kind = VALUE_LABELS, .labels = d->labels }, { .kind = VALUE_LABELS, .labels = d->external },
				                            value_of_text(url, strlen(url)), value_of_number(d->value) };
			*out = values[i];
			return ERR_OK;
		}
	}
	return template_fail(x, "there is no field '%.100s'", name);
}

static bool find_arg(const struct value *v, const char *name, struct value *out)
{
	for (size_t i = 0; i < v->n; i++) {
		char text[32];
		snprintf(text, sizeof text, "arg%zu", i);
		if (strcmp(text, name) == 0) {
			*out = v->args[i];
			return true;
		}
	}
	*out = (struct value){ .kind = VALUE_NIL };
	return false;
}

enum err value_field(struct expansion *x, const struct value *v, const char *name, struct value *out)
{
	switch (v->kind) {
	case VALUE_LABELS: *out = label_value(v->labels, name); return ERR_OK;
	case VALUE_ARGS: find_arg(v, name, out); return ERR_OK;
	case VALUE_DATA: return data_field(x, name, out);
	case VALUE_SAMPLE:
		if (strcmp(name, "Labels") == 0)
			*out = (struct value){ .kind = VALUE_LABELS, .labels = v->samples->labels };
		else if (strcmp(name, "Value") == 0)
			*out = value_of_number(v->samples->value);
		else
			return template_fail(x, "a sample has no field '%.100s'", name);
		return ERR_OK;
	case VALUE_NIL: case VALUE_BOOL: case VALUE_INT: case VALUE_FLOAT: case VALUE_TEXT: case VALUE_SAMPLES: case VALUE_TIME: case VALUE_DURATION:
		break;
	}
	return template_fail(x, "'%.100s' is asked of a %s", name, value_kind_name(v));
}

enum err value_index(struct expansion *x, const struct value *v, const struct value *index, struct value *out)
{
	char *name;
	if (v->kind == VALUE_LABELS || v->kind == VALUE_ARGS) {
		if (index->kind != VALUE_TEXT)
			return template_fail(x, "a map is asked with a %s", value_kind_name(index));
		name = arena_zeroed(&x->arena, index->n + 1, 1);
		if (name == NULL)
			return why_memory(x->why);
		memcpy(name, index->text, index->n);
		return value_field(x, v, name, out);
	}
	if (v->kind != VALUE_SAMPLES && v->kind != VALUE_TEXT)
		return template_fail(x, "a %s has no items", value_kind_name(v));
	if (index->kind != VALUE_INT)
		return template_fail(x, "an item is asked for with a %s", value_kind_name(index));
	if (index->integer < 0 || (uint64_t)index->integer >= v->n)
		return template_fail(x, "item %" PRId64 " of %zu is asked for", index->integer, v->n);
	if (v->kind == VALUE_SAMPLES)
		*out = (struct value){ .kind = VALUE_SAMPLE, .samples = &v->samples[index->integer] };
	else
		*out = (struct value){ .kind = VALUE_INT, .integer = (unsigned char)v->text[index->integer] };
	return ERR_OK;
}

enum err value_to_number(struct expansion *x, const struct value *v, double *out)
{
	char text[64];
	switch (v->kind) {
	case VALUE_FLOAT: *out = v->number; return ERR_OK;
	case VALUE_INT: *out = (double)v->integer; return ERR_OK;
	case VALUE_DURATION: *out = (double)v->integer / 1e9; return ERR_OK;
	case VALUE_TEXT: {
		static const struct { const char *name; double value; } named[] = { { "NaN", (double)NAN }, { "+Inf", (double)INFINITY }, { "Inf", (double)INFINITY },
			                                                               { "-Inf", -(double)INFINITY } };
		snprintf(text, sizeof text, "%.*s", (int)(v->n < sizeof text ? v->n : sizeof text - 1), v->text);
		for (size_t i = 0; i < sizeof named / sizeof *named; i++)
			if (strcmp(named[i].name, text) == 0)
				return *out = named[i].value, ERR_OK;
		if (v->n >= sizeof text || parse_f64(text, -DBL_MAX, DBL_MAX, out) != ERR_OK)
			return template_fail(x, "'%s' is no number", text);
		return ERR_OK;
	}
	case VALUE_NIL: case VALUE_BOOL: case VALUE_LABELS: case VALUE_ARGS: case VALUE_SAMPLE: case VALUE_SAMPLES: case VALUE_DATA: case VALUE_TIME:
		break;
	}
	return template_fail(x, "a %s is no number", value_kind_name(v));
}

/* ---- printing ---- */

void go_time(int64_t ms, struct buf *to)
{
	int64_t seconds = ms / 1000, rest = ms % 1000;
	if (rest < 0) {
		rest += 1000;
		seconds--;
	}
	time_t t = (time_t)seconds;
	struct tm tm;
	char fraction[8] = "";
	if (gmtime_r(&t, &tm) == NULL) {
		buf_puts(to, "%!(BADTIME)");
		return;
	}
	if (rest != 0) {
		size_t n = (size_t)snprintf(fraction, sizeof fraction, ".%03d", (int)rest);
		while (n > 1 && fraction[n - 1] == '0')
			fraction[--n] = '\0';
	}
	buf_printf(to, "%04d-%02d-%02d %02d:%02d:%02d%s +0000 UTC", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	           fraction);
}

/* Digits behind a point without zeros at the end; nothing for none. */
static void put_fraction(uint64_t part, uint64_t whole, struct buf *to)
{
	char digits[24];
	size_t n = 0;
	while (part > 0 && whole > 1 && n < sizeof digits) {
		whole /= 10;
		digits[n++] = (char)('0' + part / whole);
		part %= whole;
	}
	if (n > 0) {
		buf_putc(to, '.');
		buf_put(to, digits, n);
	}
}

void go_duration(int64_t ns, struct buf *to)
{
	static const struct { uint64_t ns; const char *unit; } small[] = { { 1000000, "ms" }, { 1000, "µs" }, { 1, "ns" } };
	uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	if (ns < 0)
		buf_putc(to, '-');
	for (size_t i = 0; u < 1000000000 && i < 3; i++) {
		if (u < small[i].ns)
			continue;
		buf_printf(to, "%" PRIu64, u / small[i].ns);
		put_fraction(u % small[i].ns, small[i].ns, to);
		buf_puts(to, small[i].unit);
		return;
	}
	uint64_t seconds = u / 1000000000;
	if (seconds >= 3600)
		buf_printf(to, "%" PRIu64 "h", seconds / 3600);
	if (seconds >= 60)
		buf_printf(to, "%" PRIu64 "m", seconds / 60 % 60);
	buf_printf(to, "%" PRIu64, seconds % 60);
	put_fraction(u % 1000000000, 1000000000, to);
	buf_putc(to, 's');
}

static void print_labels(const struct labels *l, struct buf *to)
{
	buf_puts(to, "map[");
	for (size_t i = 0; l != NULL && i < labels_count(l); i++) {
		const struct label *p = labels_at(l, i);
		buf_printf(to, "%s%s:", i > 0 ? " " : "", p->name);
		buf_put(to, p->value, p->value_len);
	}
	buf_putc(to, ']');
}

static void print_args(const struct value *v, struct buf *to)
{
	buf_puts(to, "map[");
	for (size_t i = 0; i < v->n; i++) {
		buf_printf(to, "%sarg%zu:", i > 0 ? " " : "", i);
		value_print(&v->args[i], to);
	}
	buf_putc(to, ']');
}

static void print_sample(const struct sample *s, struct buf *to)
{
	buf_puts(to, "&{");
	print_labels(s->labels, to);
	buf_putc(to, ' ');
	go_float(s->value, 'g', -1, false, to);
	buf_putc(to, '}');
}

void value_print(const struct value *v, struct buf *to)
{
	switch (v->kind) {
	case VALUE_NIL: buf_puts(to, "<no value>"); break;
	case VALUE_BOOL: buf_puts(to, v->integer != 0 ? "true" : "false"); break;
	case VALUE_INT: buf_printf(to, "%" PRId64, v->integer); break;
	case VALUE_FLOAT: go_float(v->number, 'g', -1, false, to); break;
	case VALUE_TEXT: buf_put(to, v->text, v->n); break;
	case VALUE_LABELS: print_labels(v->labels, to); break;
	case VALUE_ARGS: print_args(v, to); break;
	case VALUE_SAMPLE: print_sample(v->samples, to); break;
	case VALUE_SAMPLES:
		buf_putc(to, '[');
		for (size_t i = 0; i < v->n; i++) {
			if (i > 0)
				buf_putc(to, ' ');
			print_sample(&v->samples[i], to);
		}
		buf_putc(to, ']');
		break;
	case VALUE_DATA: buf_puts(to, "{}"); break;
	case VALUE_TIME: go_time(v->integer, to); break;
	case VALUE_DURATION: go_duration(v->integer, to); break;
	}
}
