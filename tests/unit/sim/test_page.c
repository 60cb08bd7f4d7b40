/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <math.h>

#include "sim/page.h"

static const struct {
	const char *label, *want;
	double      value;
	enum number style;
} numbers[] = {
	{ "plain whole",        "12",                 12,                NUMBER_PLAIN },
	{ "plain fraction",     "32.09",              32.09,             NUMBER_PLAIN },
	{ "plain zero",         "0",                  0,                 NUMBER_PLAIN },
	{ "plain big",          "16106127360",        16106127360.0,     NUMBER_PLAIN },
	{ "plain huge",         "90000000000000",     9e13,              NUMBER_PLAIN },
	{ "negative",           "-0.5",               -0.5,              NUMBER_PLAIN },
	{ "python whole",       "91.0",               91,                NUMBER_PYTHON },
	{ "python fraction",    "207.16",             207.16,            NUMBER_PYTHON },
	{ "python six digits",  "999999.0",           999999,            NUMBER_PYTHON },
	{ "python seven",       "3.763908e+06",       3763908,           NUMBER_PYTHON },
	{ "python ten",         "2.53474816e+09",     2534748160.0,      NUMBER_PYTHON },
	{ "python eleven",      "2.4804184064e+010",  24804184064.0,     NUMBER_PYTHON },
	{ "python a million",   "1e+06",              1000000,           NUMBER_PYTHON },
	{ "python time",        "1.78702152187e+09",  1787021521.87,     NUMBER_PYTHON },
	{ "python huge",        "9e+013",             9e13,              NUMBER_PYTHON },
	{ "java whole",         "3.0",                3,                 NUMBER_JAVA },
	{ "java fraction",      "290371.129",         290371.129,        NUMBER_JAVA },
	{ "java seven digits",  "1234567.0",          1234567,           NUMBER_JAVA },
	{ "java eight digits",  "1.2345678E7",        12345678,          NUMBER_JAVA },
	{ "java round",         "1.0E7",              10000000,          NUMBER_JAVA },
	{ "short bound",        "1.84884e+06",        1848840.1,         NUMBER_SHORT },
	{ "short small",        "104.976",            104.976,           NUMBER_SHORT },
	{ "fixed",              "71.234000",          71.234,            NUMBER_FIXED },
	{ "not a number",       "NaN",                (double)NAN,       NUMBER_PLAIN },
};

static void numbers_read_as_their_clients_write_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		char to[NUMBER_SIZE];
		to[page_number(numbers[i].value, numbers[i].style, to)] = '\0';
		if (strcmp(to, numbers[i].want) != 0)
			fail_msg("%s: %s instead of %s", numbers[i].label, to, numbers[i].want);
	}
}

static const double        le[] = { 0.1, 1, 10 };
static const struct bounds bounds = { le, 3 };
static const struct family families[] = {
	{ "a_total", FAMILY_COUNTER, "Things.", "engine=\"0\",model_name=\"%m\"", 1, SHOWN_COUNT, NULL, false },
	{ "b", FAMILY_GAUGE, "Levels.", "gpu=\"%g\",UUID=\"%u\"", 2, SHOWN_REAL, NULL, true },
	{ "h", FAMILY_HISTOGRAM, "Times.", "engine=\"0\",model_name=\"%m\"", 0, SHOWN_COUNT, &bounds, false },
	{ "s", FAMILY_SUMMARY, "Sums.", "", 1, SHOWN_COUNT, NULL, false },
};
static const struct group_spec  spec = { .name = "g" };
static const struct roster_node node = { .name = "n-1", .uuid = { "GPU-a", "GPU-b" } };
static const struct page_texts  texts = { "m", "1", &node, &spec };

static struct page *make(const struct dialect *d)
{
	struct page *p = NULL;
	assert_int_equal(page_new(families, 4, d, 4, 2, &p, NULL), ERR_OK);
	return p;
}

static void a_page_reads_as_its_dialect(void **state)
{
	(void)state;
	static const struct dialect python = { NUMBER_PYTHON, true, true, true, true, false, "" };
	static const char want[] =
		"# HELP a_total Things.\n# TYPE a_total counter\na_total{engine=\"0\",model_name=\"m\"} 15.0\n"
		"# HELP a_created Things.\n# TYPE a_created gauge\na_created{engine=\"0\",model_name=\"m\"} 5.0\n"
		"# HELP b Levels.\n# TYPE b gauge\nb{gpu=\"0\",UUID=\"GPU-a\"} 1.5\nb{gpu=\"1\",UUID=\"GPU-b\"} 2.5\n"
		"# HELP h Times.\n# TYPE h histogram\n"
		"h_bucket{engine=\"0\",le=\"0.1\",model_name=\"m\"} 0.0\nh_bucket{engine=\"0\",le=\"1.0\",model_name=\"m\"} 50.0\n"
		"h_bucket{engine=\"0\",le=\"10.0\",model_name=\"m\"} 100.0\nh_bucket{engine=\"0\",le=\"+Inf\",model_name=\"m\"} 100.0\n"
		"h_count{engine=\"0\",model_name=\"m\"} 100.0\nh_sum{engine=\"0\",model_name=\"m\"} 104.602786\n"
		"# HELP h_created Times.\n# TYPE h_created gauge\nh_created{engine=\"0\",model_name=\"m\"} 5.0\n";
	struct page *p = make(&python);
	double       before[32] = { 5, 10, 1, 2 }, after[32] = { 5, 20, 2, 3 };
	struct buf   b;
	assert_true(page_values(p) <= 32);
	page_observe(p, before, 0, 100, exp(0.045), 0.3); /* the median is 1 */
	page_observe(p, after, 0, 100, exp(0.045), 0.3);
	buf_init(&b, 1 << 16);
	assert_int_equal(page_render(p, before, after, 0.5, &texts, &b), ERR_OK);
	if (strncmp(buf_text(&b), want, strlen(want)) != 0)
		assert_string_equal(buf_text(&b), want);
	buf_release(&b);
	page_free(p);
}

static void end_commas_and_empty_braces(void **state)
{
	(void)state;
	static const struct dialect java = { NUMBER_JAVA, true, false, false, false, false, "," };
	static const struct dialect terse = { NUMBER_SHORT, false, false, false, false, true, "" };
	double     values[32] = { 0 };
	struct buf b;
	buf_init(&b, 1 << 16);
	struct page *p = make(&java);
	assert_int_equal(page_render(p, values, values, 0, &texts, &b), ERR_OK);
	assert_non_null(strstr(buf_text(&b), "a_total{engine=\"0\",model_name=\"m\",} 0.0\n"));
	assert_non_null(strstr(buf_text(&b), "h_bucket{engine=\"0\",model_name=\"m\",le=\"0.1\",} 0.0\n"));
	page_free(p);
	buf_clear(&b);
	p = make(&terse);
	assert_int_equal(page_render(p, values, values, 0, &texts, &b), ERR_OK);
	assert_null(strstr(buf_text(&b), "# HELP"));
	assert_non_null(strstr(buf_text(&b), "s_count{} 0\n"));
	page_free(p);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_read_as_their_clients_write_them),
		cmocka_unit_test(a_page_reads_as_its_dialect),
		cmocka_unit_test(end_commas_and_empty_braces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
