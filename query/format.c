/* SPDX-License-Identifier: Apache-2.0 */
#include "query/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "query/lexer.h"

/* d.ddde±xx without its exponent. */
static void spread_exponent(const char *text, char *to)
{
	char digits[NUMBER_TEXT];
	size_t n = 0;
	const char *e = strchr(text, 'e'), *p = text;
	int exponent = (int)strtol(e + 1, NULL, 10), i = 0;
	if (*p == '-')
		*to++ = *p++;
	for (; p < e; p++)
		if (*p != '.')
			digits[n++] = *p;
	if (exponent < 0) {
		*to++ = '0';
		*to++ = '.';
		for (i = -1; i > exponent; i--)
			*to++ = '0';
		for (size_t k = 0; k < n; k++)
			*to++ = digits[k];
	} else {
		for (i = 0; i <= exponent; i++)
			*to++ = (size_t)i < n ? digits[i] : '0';
	}
	*to = '\0';
}

const char *format_value(double v, char to[FORMAT_VALUE_TEXT])
{
	char text[NUMBER_TEXT];
	format_f64(v, text);
	if (isfinite(v) && strchr(text, 'e') != NULL)
		spread_exponent(text, to);
	else
		memcpy(to, text, strlen(text) + 1);
	return to;
}

/* ---- JSON ---- */

static size_t character_length(const char *s, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (is_utf8(s, len))
			return len;
	return 0;
}

static void put_json_time(struct buf *to, int64_t ms)
{
	uint64_t m = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	buf_printf(to, "%s%llu", ms < 0 ? "-" : "", (unsigned long long)(m / 1000));
	if (m % 1000 != 0)
		buf_printf(to, ".%03llu", (unsigned long long)(m % 1000));
}

static void put_json_point(struct buf *to, int64_t t_ms, double v)
{
	char text[FORMAT_VALUE_TEXT];
	buf_putc(to, '[');
	put_json_time(to, t_ms);
	buf_printf(to, ",\"%s\"]", format_value(v, text));
}

static void put_json_series(struct buf *to, const struct series *s, bool is_vector)
{
	buf_puts(to, "{\"metric\":{");
	for (size_t i = 0; i < labels_count(s->labels); i++) {
		const struct label *l = labels_at(s->labels, i);
		buf_puts(to, i > 0 ? "," : "");
		json_put_string(to, l->name, l->name_len);
		buf_putc(to, ':');
		json_put_string(to, l->value, l->value_len);
	}
	buf_puts(to, is_vector ? "},\"value\":" : "},\"values\":[");
	for (size_t i = 0; i < s->n; i++) {
		buf_puts(to, i > 0 ? "," : "");
		put_json_point(to, s->t_ms[i], s->v[i]);
	}
	buf_puts(to, is_vector ? "}" : "]}");
}

static void put_json_notes(struct buf *to, const char *key, char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			buf_printf(to, ",\"%s\":[", key);
		else
			buf_putc(to, ',');
		json_put_string(to, texts[i], strlen(texts[i]));
	}
	buf_puts(to, n > 0 ? "]" : "");
}

enum err format_json(const struct query_result *r, struct buf *to)
{
	static const char *const types[] = {
		[VALUE_SCALAR] = "scalar", [VALUE_VECTOR] = "vector", [VALUE_MATRIX] = "matrix", [VALUE_STRING] = "string",
	};
	char text[DURATION_TEXT];
	buf_printf(to, "{\"status\":\"success\",\"data\":{\"resultType\":\"%s\",\"result\":", types[r->type]);
	if (r->type == VALUE_SCALAR) {
		put_json_point(to, r->t_ms, r->scalar);
	} else if (r->type == VALUE_STRING) {
		buf_putc(to, '[');
		put_json_time(to, r->t_ms);
		buf_putc(to, ',');
		json_put_string(to, r->string, strlen(r->string));
		buf_putc(to, ']');
	} else {
		buf_putc(to, '[');
		for (size_t i = 0; i < r->series.n; i++) {
			buf_puts(to, i > 0 ? "," : "");
			put_json_series(to, &r->series.items[i], r->type == VALUE_VECTOR);
		}
		buf_putc(to, ']');
	}
	buf_putc(to, '}');
	put_json_notes(to, "warnings", r->warnings, r->n_warnings);
	put_json_notes(to, "infos", r->infos, r->n_infos);
	if (r->resolution_ms > 0)
		buf_printf(to, ",\"resolution\":\"%s\"", format_duration(r->resolution_ms, text));
	return buf_puts(to, "}\n");
}

enum err format_json_error(const char *error_type, const char *sentence, struct buf *to)
{
	buf_puts(to, "{\"status\":\"error\",\"errorType\":");
	json_put_string(to, error_type, strlen(error_type));
	buf_puts(to, ",\"error\":");
	json_put_string(to, sentence, strlen(sentence));
	return buf_puts(to, "}\n");
}

/* ---- CSV ---- */

/* A character that text_safe would change (a control, a bidirectional override, something without width) is written as an escape, so that it is
 * seen that there is one. */
static void put_safe(struct buf *to, const char *s, size_t n)
{
	struct buf safe;
	buf_init(&safe, 64);
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)s[i];
		size_t len = character_length(s + i, n - i);
		bool is_c1 = len == 2 && c == 0xc2 && (unsigned char)s[i + 1] < 0xa0;
		buf_clear(&safe);
		text_safe(&safe, s + i, len);
		if (len == 0 || is_c1 || c < ' ' || c == 127)
			buf_printf(to, "\\x%02x", is_c1 ? (unsigned char)s[i + 1] : c);
		else if (safe.len != len || memcmp(buf_text(&safe), s + i, len) != 0)
			text_escape(to, s + i, len);
		else
			buf_put(to, s + i, len);
		i += len > 0 ? len : 1;
	}
	buf_release(&safe);
}

static void put_csv_text(struct buf *to, const char *s, size_t n)
{
	buf_putc(to, '"');
	/* A cell that begins like this is run as a formula by spreadsheets. */
	if (n > 0 && s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL)
		buf_putc(to, '\'');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			buf_putc(to, '"');
		buf_putc(to, s[i]);
	}
	buf_putc(to, '"');
}

static void put_csv_row(struct buf *to, const char *name, size_t n, int64_t t_ms, double v)
{
	char text[FORMAT_VALUE_TEXT];
	struct buf safe;
	buf_init(&safe, 16 * LABELS_TEXT_MAX);
	put_safe(&safe, name, n);
	put_csv_text(to, buf_text(&safe), safe.len);
	buf_release(&safe);
	buf_putc(to, ',');
	put_json_time(to, t_ms);
	buf_printf(to, ",%s\n", format_value(v, text));
}

enum err format_csv(const struct query_result *r, struct buf *to)
{
	buf_puts(to, "series,time,value\n");
	if (r->type == VALUE_SCALAR)
		put_csv_row(to, "", 0, r->t_ms, r->scalar);
	if (r->type == VALUE_STRING) {
		buf_puts(to, "\"\",");
		put_json_time(to, r->t_ms);
		buf_putc(to, ',');
		put_csv_text(to, r->string, strlen(r->string));
		buf_putc(to, '\n');
	}
	for (size_t i = 0; i < r->series.n; i++) {
		struct buf name;
		buf_init(&name, 4 * LABELS_TEXT_MAX);
		labels_print(r->series.items[i].labels, &name);
		for (size_t k = 0; k < r->series.items[i].n; k++)
			put_csv_row(to, buf_text(&name), name.len, r->series.items[i].t_ms[k], r->series.items[i].v[k]);
		buf_release(&name);
	}
	return to->err;
}

/* ---- table ---- */

static void put_summary(struct buf *to, const struct series *s)
{
	char least[FORMAT_VALUE_TEXT], most[FORMAT_VALUE_TEXT], mean[FORMAT_VALUE_TEXT];
	double low = s->v[0], high = s->v[0], sum = 0;
	for (size_t i = 0; i < s->n; i++) {
		low = fmin(low, s->v[i]);
		high = fmax(high, s->v[i]);
		sum += s->v[i] / (double)s->n;
	}
	buf_printf(to, "  (min %s, avg %s, max %s, %zu points)", format_value(low, least), format_value(sum, mean), format_value(high, most), s->n);
}

enum err format_table(const struct query_result *r, struct buf *to)
{
	char text[FORMAT_VALUE_TEXT];
	if (r->type == VALUE_SCALAR)
		return buf_printf(to, "%s\n", format_value(r->scalar, text));
	if (r->type == VALUE_STRING) {
		put_safe(to, r->string, strlen(r->string));
		return buf_putc(to, '\n');
	}
	for (size_t i = 0; i < r->series.n; i++) {
		const struct series *s = &r->series.items[i];
		struct buf name;
		buf_init(&name, 4 * LABELS_TEXT_MAX);
		labels_print(s->labels, &name);
		put_safe(to, buf_text(&name), name.len);
		buf_release(&name);
		if (s->n > 0)
			buf_printf(to, "  %s", format_value(s->v[s->n - 1], text));
		if (s->n > 0 && r->type == VALUE_MATRIX)
			put_summary(to, s);
		buf_putc(to, '\n');
	}
	return to->err;
}
