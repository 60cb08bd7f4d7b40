/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of templates that are Prometheus'. Source: the Prometheus documentation, "Template reference". */
#include "rules/template_private.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/num.h"
#include "base/regex.h"
#include "base/text.h"

enum { QUERIES_MAX = 16 };

static const char *c_text(struct expansion *x, const struct value *v)
{
	const struct value copy = value_of_copy(x, v->text, v->n);
	return copy.kind == VALUE_TEXT ? copy.text : "";
}

/* ---- queries ---- */

static enum err take_result(struct expansion *x, struct query_result *r, struct value *out)
{
	size_t n = r->type == VALUE_VECTOR ? r->series.n : 1;
	struct sample *samples = arena_zeroed(&x->arena, n + 1, sizeof *samples);
	if (samples == NULL)
		return why_memory(x->why);
	if (r->type == VALUE_MATRIX)
		return template_fail(x, "'query' wants an expression for one moment, not for a range");
	for (size_t i = 0; i < n && r->type == VALUE_VECTOR; i++)
		samples[i] = (struct sample){ .labels = r->series.items[i].labels, .value = r->series.items[i].n > 0 ? r->series.items[i].v[0] : (double)NAN };
	if (r->type == VALUE_SCALAR)
		samples[0].value = r->scalar;
	if (r->type == VALUE_STRING)
		samples[0].text = r->string;
	*out = (struct value){ .kind = VALUE_SAMPLES, .samples = samples, .n = n };
	return ERR_OK;
}

static enum err call_query(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	enum err e = template_want_text(x, "query", args);
	if (e != ERR_OK)
		return e;
	if (x->data->query == NULL)
		return template_fail(x, "'query' cannot be used here");
	if (x->n_results == QUERIES_MAX)
		return why_set(x->why, ERR_LIMIT, "the template makes more than %d queries", QUERIES_MAX);
	if (x->results == NULL)
		x->results = calloc(QUERIES_MAX, sizeof *x->results);
	if (x->results == NULL)
		return why_memory(x->why);
	e = x->data->query(x->data->ctx, c_text(x, args), x->data->at_ms, &x->results[x->n_results], x->why);
	return e == ERR_OK ? take_result(x, &x->results[x->n_results++], out) : e;
}

static enum err call_first(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	if (args->kind != VALUE_SAMPLES)
		return template_fail(x, "'first' wants what 'query' gives and has a %s", value_kind_name(args));
	if (args->n == 0)
		return template_fail(x, "'first' has nothing to take: the query gave no result");
	*out = (struct value){ .kind = VALUE_SAMPLE, .samples = args->samples };
	return ERR_OK;
}

static enum err want_sample(struct expansion *x, const char *function, const struct value *v)
{
	return v->kind == VALUE_SAMPLE ? ERR_OK : template_fail(x, "'%s' wants a sample and has a %s", function, value_kind_name(v));
}

static enum err call_label(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	enum err e = template_want_text(x, "label", &args[0]);
	if (e == ERR_OK)
		e = want_sample(x, "label", &args[1]);
	if (e != ERR_OK)
		return e;
	const struct value labels = { .kind = VALUE_LABELS, .labels = args[1].samples->labels };
	return value_index(x, &labels, &args[0], out);
}

static enum err call_value(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	enum err e = want_sample(x, "value", args);
	if (e == ERR_OK)
		*out = value_of_number(args->samples->value);
	return e;
}

static enum err call_strvalue(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	enum err e = want_sample(x, "strvalue", args);
	if (e == ERR_OK)
		*out = args->samples->text != NULL ? value_of_text(args->samples->text, strlen(args->samples->text)) : value_of_text("", 0);
	return e;
}

struct by_label {
	const char          *text;
	size_t               at;
	const struct sample *sample;
};

static int compare_by_label(const void *a, const void *b)
{
	const struct by_label *l = a, *r = b;
	int order = strcmp(l->text, r->text);
	return order != 0 ? order : (l->at > r->at) - (l->at < r->at);
}

static enum err call_sort_by_label(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	enum err e = template_want_text(x, "sortByLabel", &args[0]);
	if (e != ERR_OK)
		return e;
	if (args[1].kind != VALUE_SAMPLES)
		return template_fail(x, "'sortByLabel' wants what 'query' gives and has a %s", value_kind_name(&args[1]));
	size_t many = args[1].n;
	const char *label = c_text(x, &args[0]);
	struct by_label *keys = arena_zeroed(&x->arena, many + 1, sizeof *keys);
	struct sample *sorted = arena_zeroed(&x->arena, many + 1, sizeof *sorted);
	if (keys == NULL || sorted == NULL)
		return why_memory(x->why);
	for (size_t i = 0; i < many; i++)
		keys[i] = (struct by_label){ args[1].samples[i].labels != NULL ? labels_get(args[1].samples[i].labels, label) : "", i, &args[1].samples[i] };
	qsort(keys, many, sizeof *keys, compare_by_label);
	for (size_t i = 0; i < many; i++)
		sorted[i] = *keys[i].sample;
	*out = (struct value){ .kind = VALUE_SAMPLES, .samples = sorted, .n = many };
	return ERR_OK;
}

/* ---- numbers for people ---- */

static enum err number_text(struct expansion *x, struct value *out, double v, const char *prefix, const char *unit)
{
	struct buf text = template_text_buf();
	go_float(v, 'g', 4, false, &text);
	buf_puts(&text, prefix);
	buf_puts(&text, unit);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static const char *const small_prefixes[] = { "m", "u", "n", "p", "f", "a", "z", "y" };
enum { PREFIXES = 8 };

/* Below 1: thousandths and their kin. */
static const char *scale_up(double *v)
{
	const char *prefix = "";
	for (int i = 0; i < PREFIXES && fabs(*v) < 1; i++) {
		prefix = small_prefixes[i];
		*v *= 1000;
	}
	return prefix;
}

static const char *scale_down(double *v, double by, const char *const prefixes[PREFIXES])
{
	const char *prefix = "";
	for (int i = 0; i < PREFIXES && fabs(*v) >= by; i++) {
		prefix = prefixes[i];
		*v /= by;
	}
	return prefix;
}

static bool is_plain_number(double v)
{
	return isnan(v) || isinf(v) || !(v < 0 || v > 0);
}

static enum err call_humanize(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	static const char *const prefixes[PREFIXES] = { "k", "M", "G", "T", "P", "E", "Z", "Y" };
	double v = 0;
	(void)n;
	enum err e = value_to_number(x, args, &v);
	if (e != ERR_OK)
		return e;
	const char *prefix = is_plain_number(v) ? "" : fabs(v) >= 1 ? scale_down(&v, 1000, prefixes) : scale_up(&v);
	return number_text(x, out, v, prefix, "");
}

static enum err call_humanize1024(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	static const char *const prefixes[PREFIXES] = { "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi" };
	double v = 0;
	(void)n;
	enum err e = value_to_number(x, args, &v);
	if (e != ERR_OK)
		return e;
	const char *prefix = is_plain_number(v) || fabs(v) <= 1 ? "" : scale_down(&v, 1024, prefixes);
	return number_text(x, out, v, prefix, "");
}

static enum err call_humanize_duration(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	double v = 0;
	(void)n;
	enum err e = value_to_number(x, args, &v);
	if (e != ERR_OK)
		return e;
	if (isnan(v) || isinf(v))
		return number_text(x, out, v, "", "");
	if (fabs(v) < 1) {
		const char *prefix = is_plain_number(v) ? "" : scale_up(&v);
		return number_text(x, out, v, prefix, "s");
	}
	if (fabs(v) < 60)
		return number_text(x, out, v, "", "s");
	struct buf text = template_text_buf();
	double whole = fmin(fabs(v), 9.2e18);
	long long all = (long long)whole, days = all / 86400, hours = all / 3600 % 24;
	buf_puts(&text, v < 0 ? "-" : "");
	if (days > 0)
		buf_printf(&text, "%lldd ", days);
	if (days > 0 || hours > 0)
		buf_printf(&text, "%lldh ", hours);
	buf_printf(&text, "%lldm %llds", all / 60 % 60, all % 60);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_humanize_percentage(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	double v = 0;
	(void)n;
	enum err e = value_to_number(x, args, &v);
	return e == ERR_OK ? number_text(x, out, v * 100, "", "%") : e;
}

static enum err time_of(struct expansion *x, const struct value *arg, int64_t *ms)
{
	double v = 0;
	enum err e = value_to_number(x, arg, &v);
	if (e != ERR_OK)
		return e;
	if (!(fabs(v) < 9.2e9))
		return template_fail(x, "a time beyond what can be shown");
	*ms = (int64_t)floor(v * 1000);
	return ERR_OK;
}

static enum err call_humanize_timestamp(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	double v = 0;
	int64_t ms = 0;
	(void)n;
	enum err e = value_to_number(x, args, &v);
	if (e == ERR_OK && (isnan(v) || isinf(v)))
		return number_text(x, out, v, "", "");
	if (e == ERR_OK)
		e = time_of(x, args, &ms);
	if (e != ERR_OK)
		return e;
	struct buf text = template_text_buf();
	go_time(ms, &text);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_to_time(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	int64_t ms = 0;
	(void)n;
	enum err e = time_of(x, args, &ms);
	*out = (struct value){ .kind = VALUE_TIME, .integer = ms };
	return e;
}

static enum err call_to_duration(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	double v = 0;
	(void)n;
	enum err e = value_to_number(x, args, &v);
	if (e == ERR_OK && !(fabs(v) < 9.2e9))
		e = template_fail(x, "a duration beyond what can be shown");
	if (e == ERR_OK)
		*out = (struct value){ .kind = VALUE_DURATION, .integer = (int64_t)(v * 1e9) };
	return e;
}

static enum err call_now(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)args;
	(void)n;
	*out = value_of_number((double)x->data->at_ms / 1000);
	return ERR_OK;
}

static enum err call_parse_duration(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	int64_t ms = 0;
	(void)n;
	enum err e = template_want_text(x, "parseDuration", args);
	if (e != ERR_OK)
		return e;
	if (parse_duration(args->text, args->n, &ms) != ERR_OK)
		return template_fail(x, "'%s' is no duration", c_text(x, args));
	*out = value_of_number((double)ms / 1000);
	return ERR_OK;
}

/* ---- texts ---- */

/* Letters beyond ASCII by the C library's own table, whatever the locale is. */
static uint32_t change_case(uint32_t c, bool to_upper)
{
	static const char name[] = "C.UTF-8";
	if (c < 128)
		return to_upper && c >= 'a' && c <= 'z' ? c - 32 : !to_upper && c >= 'A' && c <= 'Z' ? c + 32 : c;
	locale_t utf8 = newlocale(LC_CTYPE_MASK, name, (locale_t)0);
	if (utf8 == (locale_t)0)
		return c;
	uint32_t changed = (uint32_t)(to_upper ? towupper_l((wint_t)c, utf8) : towlower_l((wint_t)c, utf8));
	freelocale(utf8);
	return changed;
}

static bool is_in_word(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 128;
}

enum casing { CASING_UPPER, CASING_LOWER, CASING_TITLE };

/* In a title the first letter of each word is a capital and the others stay; ' and . within a word do not end it. */
static enum err change_text(struct expansion *x, const char *function, const struct value *v, enum casing how, struct value *out)
{
	enum err e = template_want_text(x, function, v);
	if (e != ERR_OK)
		return e;
	struct buf text = template_text_buf();
	const char *p = v->text, *end = v->text + v->n;
	bool is_inside = false;
	while (p < end) {
		const char *begin = p;
		bool is_bad;
		char utf8[TEXT_UTF8_MAX];
		uint32_t c = text_decode(&p, end, &is_bad);
		bool joins = is_inside && (c == '\'' || c == '.') && p < end && is_in_word((unsigned char)*p);
		bool changes = how != CASING_TITLE || !is_inside;
		is_inside = is_in_word(c) || joins;
		if (is_bad || !changes)
			buf_put(&text, begin, (size_t)(p - begin));
		else
			buf_put(&text, utf8, text_encode(change_case(c, how != CASING_LOWER), utf8));
	}
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_to_upper(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return change_text(x, "toUpper", args, CASING_UPPER, out);
}

static enum err call_to_lower(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return change_text(x, "toLower", args, CASING_LOWER, out);
}

static enum err call_title(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return change_text(x, "title", args, CASING_TITLE, out);
}

/* As Go compiles them: '.' is no newline. */
static enum err compile(struct expansion *x, const struct value *pattern, struct regex **out)
{
	struct buf text = template_text_buf();
	buf_puts(&text, "(?-s)");
	buf_puts(&text, c_text(x, pattern));
	enum err e = text.err != ERR_OK ? template_fail(x, "too long a pattern") : regex_new(buf_text(&text), out, x->why);
	buf_release(&text);
	return e;
}

static enum err call_re_replace_all(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct regex *r = NULL;
	enum err e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = template_want_text(x, "reReplaceAll", &args[i]);
	if (e == ERR_OK)
		e = compile(x, &args[0], &r);
	if (e != ERR_OK)
		return e;
	struct buf text = template_text_buf();
	regex_replace_all(r, args[2].text, args[2].n, c_text(x, &args[1]), &text);
	regex_free(r);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_match(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct regex *r = NULL;
	enum err e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = template_want_text(x, "match", &args[i]);
	if (e == ERR_OK)
		e = compile(x, &args[0], &r);
	if (e != ERR_OK)
		return e;
	*out = value_of_bool(regex_is_found(r, args[1].text, args[1].n));
	regex_free(r);
	return ERR_OK;
}

/* "host:port", "[v6]:port". False: it is something else. */
static bool split_port(const char *text, size_t n, struct value *host, struct value *port)
{
	const char *colon = memrchr(text, ':', n);
	if (colon == NULL)
		return false;
	size_t before = (size_t)(colon - text);
	bool is_bracketed = before >= 2 && text[0] == '[' && text[before - 1] == ']';
	if (!is_bracketed && (memchr(text, ':', before) != NULL || memchr(text, '[', n) != NULL || memchr(text, ']', n) != NULL))
		return false;
	*host = is_bracketed ? value_of_text(text + 1, before - 2) : value_of_text(text, before);
	*port = value_of_text(colon + 1, n - before - 1);
	return true;
}

static enum err call_strip_port(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct value port;
	(void)n;
	enum err e = template_want_text(x, "stripPort", args);
	if (e == ERR_OK && !split_port(args->text, args->n, out, &port))
		*out = *args;
	return e;
}

static bool is_address(const char *text, size_t n)
{
	size_t dots = 0, digits = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == ':')
			return true;
		dots += text[i] == '.';
		digits += text[i] >= '0' && text[i] <= '9';
	}
	return dots == 3 && digits + dots == n;
}

static enum err call_strip_domain(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct value host, port;
	(void)n;
	enum err e = template_want_text(x, "stripDomain", args);
	if (e != ERR_OK)
		return e;
	bool has_port = split_port(args->text, args->n, &host, &port);
	if (!has_port)
		host = *args;
	*out = *args;
	if (is_address(host.text, host.n))
		return ERR_OK;
	const char *dot = memchr(host.text, '.', host.n);
	if (dot == NULL)
		return ERR_OK;
	struct buf text = template_text_buf();
	buf_put(&text, host.text, (size_t)(dot - host.text));
	if (has_port && port.n > 0) {
		buf_putc(&text, ':');
		buf_put(&text, port.text, port.n);
	}
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_args(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	struct value *kept = arena_zeroed(&x->arena, n + 1, sizeof *kept);
	if (kept == NULL)
		return why_memory(x->why);
	if (n > 0)
		memcpy(kept, args, n * sizeof *kept);
	*out = (struct value){ .kind = VALUE_ARGS, .args = kept, .n = n };
	return ERR_OK;
}

static enum err call_safe_html(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	*out = *args;
	return template_want_text(x, "safeHtml", args);
}

/* ---- links ---- */

static enum err link_to(struct expansion *x, const char *function, const struct value *v, int tab, struct value *out)
{
	enum err e = template_want_text(x, function, v);
	if (e != ERR_OK)
		return e;
	struct buf text = template_text_buf();
	buf_puts(&text, "/graph?g0.expr=");
	template_put_url(v->text, v->n, &text);
	buf_printf(&text, "&g0.tab=%d", tab);
	*out = value_of_buf(x, &text);
	return ERR_OK;
}

static enum err call_graph_link(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return link_to(x, "graphLink", args, 0, out);
}

static enum err call_table_link(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	return link_to(x, "tableLink", args, 1, out);
}

static enum err call_external_url(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)args;
	(void)n;
	const char *url = x->data->external_url != NULL ? x->data->external_url : "";
	*out = value_of_text(url, strlen(url));
	return ERR_OK;
}

static enum err call_path_prefix(struct expansion *x, const struct value *args, size_t n, struct value *out)
{
	(void)x;
	(void)args;
	(void)n;
	const char *url = x->data->external_url != NULL ? x->data->external_url : "";
	const char *host = strstr(url, "://");
	const char *path = strchr(host != NULL ? host + 3 : url, '/');
	*out = path != NULL ? value_of_text(path, strcspn(path, "?#")) : value_of_text("", 0);
	return ERR_OK;
}

/* ---- the table ---- */

const struct template_function template_prometheus[] = {
	{ "args", 0, -1, call_args },
	{ "externalURL", 0, 0, call_external_url },
	{ "first", 1, 1, call_first },
	{ "graphLink", 1, 1, call_graph_link },
	{ "humanize", 1, 1, call_humanize },
	{ "humanize1024", 1, 1, call_humanize1024 },
	{ "humanizeDuration", 1, 1, call_humanize_duration },
	{ "humanizePercentage", 1, 1, call_humanize_percentage },
	{ "humanizeTimestamp", 1, 1, call_humanize_timestamp },
	{ "label", 2, 2, call_label },
	{ "match", 2, 2, call_match },
	{ "now", 0, 0, call_now },
	{ "parseDuration", 1, 1, call_parse_duration },
	{ "pathPrefix", 0, 0, call_path_prefix },
	{ "query", 1, 1, call_query },
	{ "reReplaceAll", 3, 3, call_re_replace_all },
	{ "safeHtml", 1, 1, call_safe_html },
	{ "sortByLabel", 2, 2, call_sort_by_label },
	{ "stripDomain", 1, 1, call_strip_domain },
	{ "stripPort", 1, 1, call_strip_port },
	{ "strvalue", 1, 1, call_strvalue },
	{ "tableLink", 1, 1, call_table_link },
	{ "title", 1, 1, call_title },
	{ "toDuration", 1, 1, call_to_duration },
	{ "toLower", 1, 1, call_to_lower },
	{ "toTime", 1, 1, call_to_time },
	{ "toUpper", 1, 1, call_to_upper },
	{ "urlQueryEscape", 1, 1, template_call_urlquery },
	{ "value", 1, 1, call_value },
};
const size_t n_template_prometheus = sizeof template_prometheus / sizeof *template_prometheus;
