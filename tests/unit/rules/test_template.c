/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates of alerts. What each gives was compared with Go's own engine (promtool test rules). */
#include "tests/unit/unit.h"

#include <math.h>

#include "rules/template.h"

static enum err run_query(void *ctx, const char *expression, int64_t at_ms, struct query_result *out, struct why *why)
{
	(void)ctx;
	(void)at_ms;
	*out = (struct query_result){ .type = VALUE_VECTOR };
	if (strcmp(expression, "none") == 0)
		return ERR_OK;
	if (strcmp(expression, "one") == 0) {
		*out = (struct query_result){ .type = VALUE_SCALAR, .scalar = 1.5 };
		return ERR_OK;
	}
	if (strcmp(expression, "two") != 0)
		return why_set(why, ERR_FORMAT, "no such query");
	out->series.items = calloc(2, sizeof *out->series.items);
	assert_non_null(out->series.items);
	out->series.n = 2;
	for (size_t i = 0; i < 2; i++) {
		struct series *s = &out->series.items[i];
		s->labels = labels_of("__name__", "m", "node", i == 0 ? "b" : "a", NULL);
		s->n = 1;
		s->t_ms = calloc(1, sizeof *s->t_ms);
		s->v = calloc(1, sizeof *s->v);
		assert_true(s->t_ms != NULL && s->v != NULL);
		s->v[0] = 10 + (double)i;
	}
	return ERR_OK;
}

struct row {
	const char *label, *text, *want; /* want NULL: it fails */
};

static enum err expand(const char *text, double value, struct buf *to, struct why *why)
{
	struct labels *labels = labels_of("node", "gpu-1.example:9400", "empty_is_absent", "x", "instance", "10.0.0.1:80", NULL);
	struct labels *external = labels_of("region", "eu", NULL);
	struct template *t = NULL;
	const struct template_data data = { .labels = labels, .value = value, .external = external, .external_url = "http://h:9090/prom",
		                                .at_ms = 1420167905125, .query = run_query };
	enum err e = template_parse(text, &t, why);
	if (e == ERR_OK)
		e = template_expand(t, &data, to, why);
	template_free(t);
	labels_unref(labels);
	labels_unref(external);
	return e;
}

static void check(const struct row *rows, size_t n, double value)
{
	for (size_t i = 0; i < n; i++) {
		struct buf out;
		struct why why = { "" };
		buf_init(&out, TEMPLATE_OUTPUT_MAX);
		buf_puts(&out, "=");
		enum err e = expand(rows[i].text, value, &out, &why);
		if (rows[i].want == NULL) {
			assert_row(rows[i].label, e != ERR_OK && why.text[0] != '\0');
			assert_string_equal(buf_text(&out), "=");
		} else {
			if (e != ERR_OK)
				print_message("%s: %s\n", rows[i].label, why.text);
			assert_row(rows[i].label, e == ERR_OK);
			assert_string_equal(buf_text(&out) + 1, rows[i].want);
		}
		buf_release(&out);
	}
}

static void test_language(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", "" },
		{ "text", "a b\nc", "a b\nc" },
		{ "label", "{{ $labels.node }}", "gpu-1.example:9400" },
		{ "label by the dot", "{{ .Labels.node }} {{.Value}}", "gpu-1.example:9400 0.25" },
		{ "label by the dollar", "{{ $.Labels.node }}", "gpu-1.example:9400" },
		{ "no such label", "[{{ $labels.nope }}]", "[]" },
		{ "value", "{{ $value }}", "0.25" },
		{ "external", "{{ $externalLabels.region }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}", "eu http://h:9090/prom http://h:9090/prom /prom" },
		{ "trim both", "a  {{- 1 -}}  b", "a1b" },
		{ "trim left alone", "a \n {{- 1 }} b", "a1 b" },
		{ "minus is no trim", "{{-1}}", "-1" },
		{ "comment", "a{{/* no {{ x }} */}}b{{- /* c */ -}} d", "abd" },
		{ "if", "{{ if gt $value 0.2 }}high{{ else }}low{{ end }}", "high" },
		{ "else if", "{{ if lt $value 0.2 }}a{{ else if eq $value 0.25 }}b{{ else }}c{{ end }}", "b" },
		{ "if without else", "{{ if false }}a{{ end }}", "" },
		{ "with", "{{ with $labels.node }}<{{ . }}>{{ end }}", "<gpu-1.example:9400>" },
		{ "with else", "{{ with $labels.nope }}a{{ else }}b{{ end }}", "b" },
		{ "with else with", "{{ with $labels.nope }}a{{ else with $labels.node }}{{ . }}{{ end }}", "gpu-1.example:9400" },
		{ "with a variable", "{{ with $x := 3 }}{{ $x }}{{ end }}", "3" },
		{ "range of a query", "{{ range query \"two\" }}{{ .Labels.node }}={{ .Value }} {{ end }}", "b=10 a=11 " },
		{ "range sorted", "{{ range query \"two\" | sortByLabel \"node\" }}{{ .Labels.node }} {{ end }}", "a b " },
		{ "range with index", "{{ range $i, $e := query \"two\" }}{{ $i }}{{ $e.Labels.node }}{{ end }}", "0b1a" },
		{ "range else", "{{ range query \"none\" }}a{{ else }}none{{ end }}", "none" },
		{ "range over labels", "{{ range $k, $v := $externalLabels }}{{ $k }}:{{ $v }}{{ end }}", "region:eu" },
		{ "break", "{{ range query \"two\" }}{{ .Value }}{{ break }}{{ end }}", "10" },
		{ "continue", "{{ range query \"two\" }}{{ if eq .Value 10.0 }}{{ continue }}{{ end }}{{ .Value }}{{ end }}", "11" },
		{ "assignment out of a range", "{{ $n := 0 }}{{ range query \"two\" }}{{ $n = .Value }}{{ end }}{{ $n }}", "11" },
		{ "a variable ends with its block", "{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", NULL },
		{ "shadowed", "{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21" },
		{ "itself before", "{{ $x := 1 }}{{ $x := printf \"%d!\" $x }}{{ $x }}", "1!" },
		{ "define", "{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $value }}{{ template \"t\" }}", "<0.25><<no value>>" },
		{ "block", "{{ block \"t\" 5 }}[{{ . }}]{{ end }}", "[5]" },
		{ "args", "{{ define \"t\" }}{{ .arg0 }}/{{ .arg1 }}{{ end }}{{ template \"t\" (args 1 \"x\") }}", "1/x" },
		{ "recursion ends", "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" }}", NULL },
		{ "labels are not known in a define", "{{ define \"t\" }}{{ $labels.node }}{{ end }}", NULL },
		{ "parentheses and field", "{{ (query \"two\" | first).Labels.node }}", "b" },
		{ "and ends early", "{{ and false (first (query \"none\")) }}", "false" },
		{ "or ends early", "{{ or 1 (first (query \"none\")) }}", "1" },
		{ "and in a pipe", "{{ 5 | and 3 }}", "5" },
		{ "strings", "{{ \"a\\tb\\u00e9\\x41\\101\" }}{{ `raw\\n` }}", "a\tb\303\251AAraw\\n" },
		{ "numbers", "{{ 1 }} {{ -2 }} {{ 0x1f }} {{ 1.5 }} {{ 1e3 }} {{ 'a' }} {{ .5 }}", "1 -2 31 1.5 1000 97 0.5" },
		{ "an int is no float", "{{ gt $value 0 }}", NULL },
		{ "eq of several", "{{ eq \"b\" \"a\" \"b\" }} {{ ne 1 1 }} {{ le 1 1 }} {{ ge 1 2 }}", "true false true false" },
		{ "not closed", "{{ 1 ", NULL },
		{ "not ended", "{{ if true }}", NULL },
		{ "ended twice", "{{ end }}", NULL },
		{ "else twice", "{{ if true }}{{ else }}{{ else }}{{ end }}", NULL },
		{ "no such function", "{{ nosuch 1 }}", NULL },
		{ "no such variable", "{{ $nosuch }}", NULL },
		{ "no such template", "{{ template \"x\" }}", NULL },
		{ "an argument without function", "{{ 1 2 }}", NULL },
		{ "a pipe to a value", "{{ 1 | 2 }}", NULL },
		{ "empty action", "{{ }}", NULL },
		{ "field of a number", "{{ $value.x }}", NULL },
		{ "break outside", "{{ break }}", NULL },
		{ "an endless loop ends", "{{ range 1000000000 }}{{ end }}", NULL },
		{ "endless text ends", "{{ range 90000 }}12345{{ end }}", NULL },
	};
	(void)state;
	check(rows, sizeof rows / sizeof *rows, 0.25);
}

static void test_functions(void **state)
{
	static const struct row rows[] = {
		{ "humanize", "{{ humanize 1234567.0 }} {{ humanize 0.00123 }} {{ humanize 0 }} {{ humanize 999.5 }} {{ humanize -1500 }} {{ humanize \"1e9\" }}",
		  "1.235M 1.23m 0 999.5 -1.5k 1G" },
		{ "humanize of nothing", "{{ humanize \"x\" }}", NULL },
		{ "humanize1024", "{{ humanize1024 1048576.0 }} {{ humanize1024 0.5 }} {{ humanize1024 2048 }}", "1Mi 0.5 2ki" },
		{ "humanizeDuration",
		  "{{ humanizeDuration 0 }} {{ humanizeDuration 59.5 }} {{ humanizeDuration 60 }} {{ humanizeDuration 3661 }} {{ humanizeDuration 90061 }} "
		  "{{ humanizeDuration 0.0012 }} {{ humanizeDuration -60 }} {{ humanizeDuration \"NaN\" }}",
		  "0s 59.5s 1m 0s 1h 1m 1s 1d 1h 1m 1s 1.2ms -1m 0s NaN" },
		{ "humanizePercentage", "{{ humanizePercentage $value }} {{ humanizePercentage 0.0123456 }}", "25% 1.235%" },
		{ "humanizeTimestamp", "{{ humanizeTimestamp 1420167905.5 }} {{ humanizeTimestamp 0 }}",
		  "2015-01-02 03:05:05.5 +0000 UTC 1970-01-01 00:00:00 +0000 UTC" },
		{ "toTime, toDuration", "{{ toTime 0 }} {{ toDuration 3661.5 }} {{ toDuration 0.0015 }}", "1970-01-01 00:00:00 +0000 UTC 1h1m1.5s 1.5ms" },
		{ "now, parseDuration", "{{ now }} {{ parseDuration \"1h30m\" }}", "1.420167905125e+09 5400" },
		{ "case", "{{ toUpper \"aé\" }} {{ toLower \"AÉ\" }} {{ title \"gpu node-down o'clock x.y été\" }}", "A\303\211 a\303\251 Gpu Node-Down O'clock X.y \303\211t\303\251" },
		{ "reReplaceAll", "{{ reReplaceAll \"(.*):.*\" \"$1\" $labels.node }} {{ reReplaceAll \"a*\" \"-\" \"baac\" }} {{ reReplaceAll \"\" \"-\" \"ab\" }}",
		  "gpu-1.example -b-c- -a-b-" },
		{ "reReplaceAll, named", "{{ reReplaceAll \"(?P<x>b)\" \"<${x}>$$\" \"abc\" }}", "a<b>$c" },
		{ "reReplaceAll, wrong", "{{ reReplaceAll \"(\" \"\" \"\" }}", NULL },
		{ "match", "{{ match \"exam\" $labels.node }} {{ match \"^exam\" $labels.node }} {{ match \"a.b\" \"a\\nb\" }}", "true false false" },
		{ "stripPort", "{{ stripPort $labels.node }} {{ stripPort \"x\" }} {{ stripPort \"[::1]:80\" }}", "gpu-1.example x ::1" },
		{ "stripDomain", "{{ stripDomain $labels.node }} {{ stripDomain $labels.instance }} {{ stripDomain \"a.b.c\" }}", "gpu-1:9400 10.0.0.1:80 a" },
		{ "first, label, value", "{{ query \"two\" | first | label \"node\" }} {{ query \"two\" | first | value }} {{ query \"one\" | first | value }}", "b 10 1.5" },
		{ "first of nothing", "{{ query \"none\" | first }}", NULL },
		{ "a query that fails", "{{ query \"bad\" }}", NULL },
		{ "len, index, slice", "{{ len \"abc\" }} {{ len (query \"two\") }} {{ index $labels \"node\" }} {{ (index (query \"two\") 1).Value }} {{ slice \"abcd\" 1 3 }}",
		  "3 2 gpu-1.example:9400 11 bc" },
		{ "index outside", "{{ index \"ab\" 2 }}", NULL },
		{ "print", "{{ print 1 2 \"a\" \"b\" 3 }}|{{ println 1 \"a\" }}", "1 2ab3|1 a\n" },
		{ "html, js, url", "{{ html \"<a&'\\\">\" }} {{ js \"it's\" }} {{ urlquery \"a b&c\" }}", "&lt;a&amp;&#39;&#34;&gt; it\\'s a+b%26c" },
		{ "links", "{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }}", "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1" },
		{ "maps", "{{ $externalLabels }}", "map[region:eu]" },
		{ "too few arguments", "{{ humanize }}", NULL },
		{ "too many arguments", "{{ humanize 1 2 }}", NULL },
		{ "a number for a text", "{{ toUpper 1 }}", NULL },
	};
	(void)state;
	check(rows, sizeof rows / sizeof *rows, 0.25);
}

static void test_printf(void **state)
{
	static const struct row rows[] = {
		{ "f", "{{ printf \"%.2f|%f|%8.3f|%-8.1f|%08.2f|%+.1f\" 3.14159 1.0 2.5 2.5 -2.5 1.0 }}", "3.14|1.000000|   2.500|2.5     |-0002.50|+1.0" },
		{ "e", "{{ printf \"%e %.1E %e\" 12345.678 0.00012 0.0 }}", "1.234568e+04 1.2E-04 0.000000e+00" },
		{ "g", "{{ printf \"%g %g %g %g %.3g %.3g %G\" 100000.0 1000000.0 0.0001 0.00001 1234.5 0.5 1e-7 }}", "100000 1e+06 0.0001 1e-05 1.23e+03 0.5 1E-07" },
		{ "v", "{{ printf \"%v %v %v %v\" 1.0 \"x\" 3 true }}", "1 x 3 true" },
		{ "s and q", "{{ printf \"%s|%5s|%-5s|%.2s|%q\" \"abc\" \"é\" \"b\" \"éab\" \"a\\\"\\n\" }}", "abc|    \303\251|b    |\303\251a|\"a\\\"\\n\"" },
		{ "d", "{{ printf \"%d %5d %-5d| %05d %+d %x %X %o %b %c %#x\" 1 2 3 -4 5 255 255 8 5 65 255 }}", "1     2 3    | -0004 +5 ff FF 10 101 A 0xff" },
		{ "star", "{{ printf \"%*d|%-*d|%.*f\" 4 1 4 1 1 2.55 }}", "   1|1   |2.5" },
		{ "percent", "{{ printf \"100%%\" }}", "100%" },
		{ "wrong kind", "{{ printf \"%d %s %f\" 1.5 1 \"x\" }}", "%!d(float64=1.5) %!s(int=1) %!f(string=x)" },
		{ "missing", "{{ printf \"%d\" }}", "%!d(MISSING)" },
		{ "extra", "{{ printf \"a\" 1 \"b\" }}", "a%!(EXTRA int=1, string=b)" },
		{ "no verb", "{{ printf \"%\" }}", "%!(NOVERB)" },
		{ "T", "{{ printf \"%T %T %T\" 1 1.0 \"\" }}", "int float64 string" },
		{ "t", "{{ printf \"%t %5t\" true false }}", "true false" },
		{ "no end of width", "{{ printf \"%99999999999d\" 1 }}", "%!(NOVERB)%!(EXTRA int=1)" },
		{ "value as a text", "{{ $value | printf \"%.1f%%\" }}", "0.2%" },
	};
	(void)state;
	check(rows, sizeof rows / sizeof *rows, 0.25);
}

static void test_values(void **state)
{
	static const struct {
		const char *label;
		double      v;
		const char *want;
	} rows[] = {
		{ "whole", 3, "3" },
		{ "large", 123456789, "1.23456789e+08" },
		{ "a million", 1e6, "1e+06" },
		{ "below", 999999, "999999" },
		{ "small", 0.00001234, "1.234e-05" },
		{ "tenth", 0.1, "0.1" },
		{ "zero", 0, "0" },
		{ "minus zero", -0.0, "-0" },
		{ "inf", (double)INFINITY, "+Inf" },
		{ "minus inf", -(double)INFINITY, "-Inf" },
		{ "nan", (double)NAN, "NaN" },
		{ "huge", 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ "least", 5e-324, "5e-324" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out;
		struct why why = { "" };
		buf_init(&out, 4096);
		assert_row(rows[i].label, expand("{{ $value }}", rows[i].v, &out, &why) == ERR_OK);
		assert_string_equal(buf_text(&out), rows[i].want);
		buf_release(&out);
	}
}

static void test_places(void **state)
{
	struct template *t = NULL;
	struct why why = { "" };
	char deep[4000];
	(void)state;
	assert_int_equal(template_parse("a\nb {{ nosuch }}", &t, &why), ERR_FORMAT);
	assert_string_equal(why.text, "line 2 of the template: there is no function 'nosuch'");
	memset(deep, '(', sizeof deep - 1);
	memcpy(deep, "{{", 2);
	deep[sizeof deep - 1] = '\0';
	assert_int_equal(template_parse(deep, &t, &why), ERR_LIMIT);
	assert_int_equal(template_parse("plain", &t, &why), ERR_OK);
	assert_true(template_is_plain(t));
	template_free(t);
	assert_int_equal(template_parse("{{ 1 }}", &t, &why), ERR_OK);
	assert_false(template_is_plain(t));
	template_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_language), cmocka_unit_test(test_functions), cmocka_unit_test(test_printf),
		cmocka_unit_test(test_values),   cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
