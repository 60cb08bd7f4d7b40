/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "collectors/exposition.h"

#define TEXT EXPOSITION_TEXT
#define OM   EXPOSITION_OPENMETRICS

/* in; NULL: accepted and, where `series` is not NULL, its first series is this; else what the sentence must be */
static const struct {
	const char            *label, *in;
	enum exposition_format format;
	const char            *error, *series;
} rows[] = {
	{ "empty", "", TEXT, NULL, NULL },
	{ "only blanks", "  \n\n\t", TEXT, NULL, NULL },
	{ "plain", "a 1\n", TEXT, NULL, "a" },
	{ "labels in any order", "a{y=\"2\",x=\"1\"} 1\n", TEXT, NULL, "a{x=\"1\",y=\"2\"}" },
	{ "blanks everywhere", " \ta { x = \"1\" , }\t1 5 \n", TEXT, NULL, "a{x=\"1\"}" },
	{ "colon", ":tensorflow:serving:request_count{x=\"1\"} 1\n", TEXT, NULL, ":tensorflow:serving:request_count{x=\"1\"}" },
	{ "escapes", "a{x=\"b\\\"c\\\\d\\ne\"} 1\n", TEXT, NULL, "a{x=\"b\\\"c\\\\d\\ne\"}" },
	{ "quoted name", "{\"a.b\",x=\"1\"} 1\n", TEXT, NULL, NULL },
	{ "quoted label name", "{\"a.b\",\"x.y\"=\"1\"} 1\n", TEXT, NULL, NULL },
	{ "empty value is no label", "a{x=\"\"} 1\n", TEXT, NULL, "a" },
	{ "trailing blank", "a 1 \n", TEXT, NULL, "a" },
	{ "comment", "#x\n# EOF\n#\na 1\n", TEXT, NULL, "a" },
	{ "type in any case", "# TYPE a COUNTER\na 1\n", TEXT, NULL, "a" },
	{ "help with an unknown escape", "# HELP a \\d\\\na 1\n", TEXT, NULL, "a" },
	{ "cut short", "a 1\nb 2", TEXT, "line 2: the body is cut short: its last line does not end in LF", NULL },
	{ "crlf", "a 1\r\n", TEXT, "line 1: the line ends in CR LF; lines must end in LF alone", NULL },
	{ "no number", "a\n", TEXT, "line 1: a number was expected", NULL },
	{ "hexadecimal", "\na 0x1p-3\n", TEXT, "line 2: '0x1p-3' is not a number", NULL },
	{ "too large", "a 1e999\n", TEXT, "line 1: '1e999' is too large a number", NULL },
	{ "float time stamp", "a 1 1.5\n", TEXT, "line 1: '1.5' is not a time stamp in whole milliseconds", NULL },
	{ "time stamp out of range", "a 1 9223372036854775808\n", TEXT,
	  "line 1: '9223372036854775808' is not a time stamp in whole milliseconds", NULL },
	{ "least time stamp", "a 1 -9223372036854775808\n", TEXT, NULL, "a" },
	{ "behind the time stamp", "a 1 1 1\n", TEXT, "line 1: unexpected '1' behind the time stamp", NULL },
	{ "same label twice", "a{x=\"1\",x=\"2\"} 1\n", TEXT, "line 1: label 'x' is there twice", NULL },
	{ "reserved label", "a{__name__=\"b\"} 1\n", TEXT, "line 1: the label name '__name__' is reserved", NULL },
	{ "two names", "a{\"b\"} 1\n", TEXT, "line 1: a second metric name, 'b'", NULL },
	{ "no name", "{x=\"1\"} 1\n", TEXT, "line 1: a metric name was expected at ' 1'", NULL },
	{ "unknown escape", "a{x=\"\\z\"} 1\n", TEXT, "line 1: invalid escape '\\z' in the label value", NULL },
	{ "bad UTF-8", "a{x=\"\xbd\"} 1\n", TEXT, "line 1: the label value '\\xbd' is not valid UTF-8", NULL },
	{ "overlong UTF-8", "a{x=\"\xc0\xaf\"} 1\n", TEXT, "line 1: the label value '\\xc0\\xaf' is not valid UTF-8", NULL },
	{ "surrogate", "a{x=\"\xed\xa0\x80\"} 1\n", TEXT, "line 1: the label value '\\xed\\xa0\\x80' is not valid UTF-8", NULL },
	{ "terminal escapes are not passed on", "a{x=\"1\"\x1b[2J} 1\n", TEXT, "line 1: ',' or '}' was expected at '\\x1b[2J} 1'", NULL },
	{ "open quote", "a{x=\"1} 1\nb 1\n", TEXT, "line 1: the label value '1} 1' does not end: '\"' is missing", NULL },
	{ "second help", "# HELP a x\n# HELP a y\n", TEXT, "line 2: a second HELP line for 'a'", NULL },
	{ "late type", "a 1\n# TYPE a gauge\n", TEXT, "line 2: the TYPE line for 'a' stands behind its samples", NULL },
	{ "le is no number", "# TYPE a histogram\na_bucket{le=\"x\"} 1\n", TEXT, "line 2: label 'le' must be a number, not 'x'", NULL },
	{ "negative bucket", "# TYPE a histogram\na_bucket{le=\"1\"} -1\n", TEXT, "line 2: a count or a sum of counts must not be negative",
	  NULL },

	{ "om: only eof", "# EOF", OM, NULL, NULL },
	{ "om: counter", "# TYPE a counter\na_total 1\n# EOF\n", OM, NULL, "a_total" },
	{ "om: kept escape", "a{x=\"\\z\"} 1\n# EOF\n", OM, NULL, "a{x=\"\\\\z\"}" },
	{ "om: no eof", "a 1\n", OM, "line 1: the body is cut short: it does not end in '# EOF'", NULL },
	{ "om: behind eof", "a 1\n# EOF\nb 1\n", OM, "line 3: nothing may follow '# EOF'", NULL },
	{ "om: empty line", "a 1\n\n# EOF\n", OM, "line 2: an empty line", NULL },
	{ "om: comment", "# hello\n# EOF\n", OM,
	  "line 1: only '# TYPE', '# HELP', '# UNIT' and '# EOF' may begin with '#', not '# hello'", NULL },
	{ "om: trailing comma", "a{x=\"1\",} 1\n# EOF\n", OM, "line 1: a label name was expected at '} 1'", NULL },
	{ "om: two blanks", "a  1\n# EOF\n", OM, "line 1: a number was expected", NULL },
	{ "om: interleaved", "a{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"1\"} 1\n# EOF\n", OM,
	  "line 3: the samples of one metric must stand together", NULL },
	{ "om: family again", "a 1\nb 1\na{x=\"1\"} 1\n# EOF\n", OM,
	  "line 3: the family 'a' of line 1 goes on here: its lines must stand together", NULL },
	{ "om: clash", "# TYPE a_total gauge\n# TYPE a counter\n# EOF\n", OM,
	  "line 3: 'a_total' clashes with the family 'a_total' of line 1", NULL },
	{ "om: time goes back", "a 1 2.5\na 1 2\n# EOF\n", OM, "line 2: the time stamp goes back", NULL },
	{ "om: no +Inf", "# TYPE a histogram\na_bucket{le=\"1\"} 1\n# EOF\n", OM,
	  "line 3: histogram 'a' has no bucket '+Inf' above this line", NULL },
	{ "om: buckets fall", "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n# EOF\n", OM,
	  "line 3: a bucket must not hold less than the one before it", NULL },
	{ "om: count is another", "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\na_sum 1\n# EOF\n", OM,
	  "line 5: the count must be that of the '+Inf' bucket", NULL },
	{ "om: unit", "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n", OM,
	  "line 4: the name of family 'a' must end in its unit, '_seconds'", NULL },
	{ "om: infinite time", "a 1 +Inf\n# EOF\n", OM, "line 1: '+Inf' is not a time stamp", NULL },
};

struct fixture {
	struct exposition_pool *pool;
	struct exposition      *e;
};

static int set_up(void **state)
{
	static struct fixture f;
	assert_int_equal(exposition_pool_new(&f.pool), ERR_OK);
	assert_int_equal(exposition_new(f.pool, &f.e), ERR_OK);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	exposition_free(f->e);
	exposition_pool_free(f->pool);
	return 0;
}

static void parses_rows(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scrape s = { .n = 12345 };
		struct why    why = { "" };
		enum err e = exposition_parse(f->e, rows[i].in, strlen(rows[i].in), rows[i].format, &s, &why);
		if (rows[i].error != NULL) {
			if (e == ERR_OK || strcmp(why.text, rows[i].error) != 0)
				fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].label, why.text, rows[i].error);
			assert_row(rows[i].label, s.n == 12345);
			continue;
		}
		if (e != ERR_OK)
			fail_msg("%s: refused: %s", rows[i].label, why.text);
		if (rows[i].series != NULL) {
			struct buf text;
			buf_init(&text, 4096);
			assert_row(rows[i].label, s.n == 1);
			labels_print(exposition_layout_series(s.layout)[0], &text);
			assert_row(rows[i].label, strcmp(buf_text(&text), rows[i].series) == 0);
			buf_release(&text);
		}
	}
}

static struct scrape parse_ok(struct fixture *f, const char *body, enum exposition_format format)
{
	struct scrape s;
	struct why    why;
	if (exposition_parse(f->e, body, strlen(body), format, &s, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return s;
}

static void keeps_the_last_of_doubles(void **state)
{
	struct fixture *f = *state;
	for (int round = 0; round < 3; round++) {
		struct scrape s = parse_ok(f, round == 1 ? "a 5\nb 2\na 3\n" : "a 1\nb 2\na 3\n", TEXT);
		assert_int_equal(s.n, 2);
		assert_int_equal(s.samples, 3);
		assert_int_equal(s.duplicates, 1);
		assert_true(s.values[0] >= 3 && s.values[0] <= 3);
		assert_int_equal(s.was_predicted, round > 0);
	}
	struct scrape s = parse_ok(f, "a 1\nb 2\na 4\n", TEXT);
	assert_true(s.values[0] >= 4);
}

static void keeps_metadata(void **state)
{
	struct fixture *f = *state;
	struct scrape s = parse_ok(f, "# HELP a_seconds two\\nlines\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n"
	                              "a_seconds_bucket{le=\"+Inf\"} 1 # {id=\"x\"} 0.5\na_seconds_count 1\n"
	                              "a_seconds_sum 2\nb 1 5.5\n# EOF\n", OM);
	assert_int_equal(s.n_families, 2);
	assert_string_equal(s.families[0].name, "a_seconds");
	assert_string_equal(s.families[0].help, "two\nlines");
	assert_string_equal(s.families[0].unit, "seconds");
	assert_int_equal(s.families[0].type, METRIC_HISTOGRAM);
	assert_string_equal(s.families[1].name, "b");
	assert_string_equal(s.families[1].help, "");
	assert_int_equal(s.families[1].type, METRIC_UNKNOWN);
	assert_int_equal(s.exemplars, 1);
	assert_int_equal(s.timestamps, 1);
}

static void shares_layouts(void **state)
{
	struct fixture *f = *state;
	struct exposition *other;
	struct scrape      s;
	assert_int_equal(exposition_new(f->pool, &other), ERR_OK);
	struct scrape first = parse_ok(f, "a{x=\"1\",y=\"2\"} 1\nb 2\n", TEXT);
	assert_true(first.layout_changed);
	assert_int_equal(exposition_parse(other, "a{y=\"2\",x=\"1\"} 7\nb 8\n", 21, TEXT, &s, NULL), ERR_OK);
	assert_ptr_equal(s.layout, first.layout);
	struct exposition_layout *kept = exposition_layout_ref(first.layout);

	s = parse_ok(f, "a{y=\"2\",x=\"1\"} 1\nb 2\n", TEXT); /* the same series in other words */
	assert_false(s.layout_changed);
	assert_false(s.was_predicted);
	s = parse_ok(f, "b 2\na{x=\"1\",y=\"2\"} 1\n", TEXT); /* another order */
	assert_true(s.layout_changed);
	assert_ptr_not_equal(s.layout, kept);
	/* equal series are the same label sets, also in another layout */
	assert_ptr_equal(exposition_layout_series(s.layout)[0], exposition_layout_series(kept)[1]);
	exposition_free(other);
	exposition_free(f->e);
	exposition_pool_free(f->pool);
	assert_int_equal(exposition_layout_size(kept), 2); /* a layout outlives the pool */
	exposition_layout_unref(kept);
	set_up(state);
}

static void remembers_through_a_failure(void **state)
{
	struct fixture *f = *state;
	struct scrape s;
	parse_ok(f, "a 1\nb 2\n", TEXT);
	assert_int_equal(exposition_parse(f->e, "a 9\nb x\n", 8, TEXT, &s, NULL), ERR_FORMAT);
	s = parse_ok(f, "a 1\nb 2\n", TEXT);
	assert_true(s.was_predicted);
	assert_true(s.values[0] >= 1 && s.values[0] <= 1);
	struct exposition_stats stats = exposition_stats(f->e);
	assert_int_equal(stats.failed, 1);
	assert_int_equal(stats.predicted, 1);
	exposition_reset(f->e);
	s = parse_ok(f, "a 1\nb 2\n", TEXT);
	assert_true(s.layout_changed);
	assert_false(s.was_predicted);
}

static void checks_values_when_predicting(void **state)
{
	struct fixture *f = *state;
	struct scrape s;
	struct why    why;
	parse_ok(f, "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 2\na_count 2\na_sum 3\n# EOF\n", OM);
	static const char falls[] = "# TYPE a histogram\na_bucket{le=\"1\"} 3\na_bucket{le=\"+Inf\"} 2\na_count 2\na_sum 3\n# EOF\n";
	assert_int_equal(exposition_parse(f->e, falls, sizeof falls - 1, OM, &s, &why), ERR_FORMAT);
	assert_string_equal(why.text, "line 3: a bucket must not hold less than the one before it");
}

static void fails_at_ceilings(void **state)
{
	struct fixture *f = *state;
	struct scrape s;
	struct why    why;
	struct buf    body;
	buf_init(&body, 32 << 20);
	buf_puts(&body, "a 1\nb{x=\"");
	buf_fill(&body, 'x', EXPOSITION_LINE_MAX);
	buf_puts(&body, "\"} 1\n");
	assert_int_equal(exposition_parse(f->e, body.data, body.len, TEXT, &s, &why), ERR_LIMIT);
	assert_string_equal(why.text, "line 2: a line of more than 131072 bytes");

	buf_clear(&body);
	buf_puts(&body, "a{");
	for (int i = 0; i <= EXPOSITION_LABELS_MAX; i++)
		buf_printf(&body, "l%d=\"\",", i);
	buf_puts(&body, "} 1\n");
	assert_int_equal(exposition_parse(f->e, body.data, body.len, TEXT, &s, &why), ERR_LIMIT);
	assert_string_equal(why.text, "line 1: more than 128 labels");

	buf_clear(&body);
	for (int i = 0; i <= EXPOSITION_SAMPLES_MAX; i++)
		buf_puts(&body, "a 1\n");
	assert_int_equal(exposition_parse(f->e, body.data, body.len, TEXT, &s, &why), ERR_LIMIT);
	assert_string_equal(why.text, "line 400001: more than 400000 samples");
	buf_release(&body);
}

static void chooses_the_format(void **state)
{
	(void)state;
	static const struct {
		const char *label, *type, *body;
		enum exposition_format want;
	} choices[] = {
		{ "text", "text/plain; version=0.0.4; charset=utf-8", "a 1\n", TEXT },
		{ "openmetrics", "application/openmetrics-text; version=1.0.0; charset=utf-8", "a 1\n", OM },
		{ "in capitals", "Application/OpenMetrics-Text", "a 1\n", OM },
		{ "bare text", "text/plain", "a 1\n", TEXT },
		{ "bare text with a mark", "text/plain", "a 1\n# EOF\n", OM },
		{ "text that has a mark", "text/plain;version=0.0.4", "a 1\n# EOF\n", TEXT },
		{ "none", NULL, "a 1\n", TEXT },
		{ "none with a mark", NULL, "# EOF", OM },
		{ "odd", "text/html", "a 1\nx# EOF", TEXT },
	};
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
		assert_row(choices[i].label, exposition_format_of(choices[i].type, choices[i].body, strlen(choices[i].body)) == choices[i].want);
}

static void checks_files(void **state)
{
	(void)state;
	char       path[] = "/tmp/pitwall-check-XXXXXX", want[128];
	struct why why = { "" };
	struct buf report;
	buf_init(&report, 4096);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "# TYPE a gauge\na 1\na 2\n", 23), 23);
	assert_int_equal(exposition_check_file(path, EXPOSITION_GUESS_BY_BODY, &report, &why), ERR_OK);
	snprintf(want, sizeof want, "%s: 1 series in 1 families, Prometheus text 0.0.4; 1 lines repeat a series (the last counts)", path);
	assert_string_equal(buf_text(&report), want);
	buf_clear(&report);
	assert_int_equal(exposition_check_file(path, EXPOSITION_GUESS_OPENMETRICS, &report, &why), ERR_FORMAT);
	snprintf(want, sizeof want, "%s:3: the body is cut short: it does not end in '# EOF'", path);
	assert_string_equal(why.text, want);
	close(fd);
	unlink(path);
	assert_int_equal(exposition_check_file(path, EXPOSITION_GUESS_TEXT, &report, &why), ERR_NOT_FOUND);
	assert_int_equal(report.len, 0);
	buf_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH(parses_rows),         WITH(keeps_the_last_of_doubles),     WITH(keeps_metadata),    WITH(shares_layouts),
		WITH(remembers_through_a_failure), WITH(checks_values_when_predicting), WITH(fails_at_ceilings), cmocka_unit_test(chooses_the_format),
		cmocka_unit_test(checks_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
