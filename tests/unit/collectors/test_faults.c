/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies while memory runs out: the whole scrape or none, and what was remembered stays as it was. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "collectors/exposition.h"
#include "tests/unit/faults.h"

static const char text_body[] =
	"# HELP a_total What \\\\ it is.\n# TYPE a_total counter\na_total{x=\"1\"} 3.0\na_total{x=\"2\\n\"} 4 1234\n"
	"# TYPE h histogram\nh_bucket{le=\"0.1\"} 10\nh_bucket{le=\"+Inf\"} 13\nh_count 13\nh_sum 0.013300656000000001\n"
	"{\"a quoted name\",\"label\"=\"v\"} 1\nx NaN\n";
static const char text_moved[] =
	"# HELP a_total What \\\\ it is.\n# TYPE a_total counter\na_total{x=\"1\"} 3.5\na_total{x=\"2\\n\"} 4 1239\n"
	"# TYPE h histogram\nh_bucket{le=\"0.1\"} 11\nh_bucket{le=\"+Inf\"} 14\nh_count 14\nh_sum 1e22\n"
	"{\"a quoted name\",\"label\"=\"v\"} 1\nx 2\n";
static const char text_changed[] = /* other series, and one twice */
	"# TYPE a_total counter\na_total{x=\"2\\n\"} 5\na_total{x=\"3\"} 6\na_total{x=\"3\"} 7\nh_count 1\n";
static const char om_body[] =
	"# TYPE c counter\n# UNIT c seconds\n# HELP c help\n# EOF\n";
static const char om_full[] =
	"# TYPE c counter\n# HELP c help\nc_total{x=\"1\"} 17.0 # {id=\"abc\"} 0.5\nc_created{x=\"1\"} 1.6e9\nc_total{x=\"2\"} 18\n"
	"# TYPE h histogram\nh_bucket{le=\"0.1\"} 10\nh_bucket{le=\"1.0\"} 12\nh_bucket{le=\"+Inf\"} 13\nh_count 13\nh_sum 3.25\n"
	"# TYPE g gauge\ng 1 10.5\ng 2 11.5\n# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE s stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n# EOF\n";
static const char om_moved[] =
	"# TYPE c counter\n# HELP c help\nc_total{x=\"1\"} 19.0 # {id=\"abd\"} 0.7\nc_created{x=\"1\"} 1.6e9\nc_total{x=\"2\"} 18\n"
	"# TYPE h histogram\nh_bucket{le=\"0.1\"} 10\nh_bucket{le=\"1.0\"} 12\nh_bucket{le=\"+Inf\"} 13\nh_count 13\nh_sum 3.25\n"
	"# TYPE g gauge\ng 1 10.5\ng 2 11.5\n# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE s stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n# EOF\n";

/* Bodies that come one after the other. */
struct row {
	const char            *label, *bodies[3];
	enum exposition_format format;
	bool                   is_strict; /* by the strict parser alone */
	size_t                 max_series;
	struct buf             want[3];
};

static void print_scrape(const struct scrape *s, struct buf *to)
{
	buf_printf(to, "%zu samples, %zu duplicates, %zu timestamps, %zu exemplars\n", s->samples, s->duplicates, s->timestamps, s->exemplars);
	for (size_t i = 0; i < s->n; i++) {
		labels_print(exposition_layout_series(s->layout)[i], to);
		buf_printf(to, " %.17g\n", s->values[i]);
	}
	for (size_t i = 0; i < s->n_families; i++)
		buf_printf(to, "%s '%s' '%s' %s\n", s->families[i].name, s->families[i].help, s->families[i].unit,
		           metric_type_name(s->families[i].type));
}

static void check_scrape(const struct scrape *s, struct buf *want)
{
	struct buf got;
	fault_pause();
	buf_init(&got, 1 << 20);
	print_scrape(s, &got);
	assert_int_equal(got.err, ERR_OK);
	if (want->len == 0)
		buf_puts(want, buf_text(&got));
	fault_same(buf_text(&got), buf_text(want));
	buf_release(&got);
	fault_resume();
}

static enum err parse(struct row *r, struct exposition *e, int i, struct scrape *s, struct why *why)
{
	const char *body = r->bodies[i];
	return r->is_strict ? exposition_parse_strict(e, body, strlen(body), r->format, s, why)
	                    : exposition_parse(e, body, strlen(body), r->format, s, why);
}

/* Each body may fail; then the scrape is untouched, and the same body is read when there is memory again. */
static enum err parse_all(void *ctx, struct why *why)
{
	struct row             *r = ctx;
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	enum err err = exposition_pool_new(&pool), first = err;
	if (err == ERR_OK)
		first = err = exposition_new(pool, &e);
	if (e != NULL)
		exposition_limit(e, r->max_series, 10000);
	for (int i = 0; i < 3 && e != NULL && r->bodies[i] != NULL; i++) {
		struct scrape s = { .n = 12345 };
		struct exposition_stats before = exposition_stats(e), after;
		err = parse(r, e, i, &s, why);
		after = exposition_stats(e);
		if (err != ERR_OK) {
			assert_int_equal(s.n, 12345);
			assert_int_equal(after.failed, before.failed + 1);
			first = err;
			fault_end();
			assert_int_equal(parse(r, e, i, &s, why), ERR_OK);
		}
		check_scrape(&s, &r->want[i]);
	}
	fault_end();
	exposition_free(e);
	exposition_pool_free(pool);
	return first;
}

static void bodies(void **state)
{
	(void)state;
	struct row rows[] = {
		{ "text", { text_body, text_moved, text_changed }, EXPOSITION_TEXT, false, 0, { { 0 } } },
		{ "text, strictly", { text_body, text_moved, text_changed }, EXPOSITION_TEXT, true, 0, { { 0 } } },
		{ "text with a series twice", { text_changed, text_body, text_changed }, EXPOSITION_TEXT, false, 0, { { 0 } } },
		{ "more than may be kept", { text_body, text_moved, text_changed }, EXPOSITION_TEXT, false, 4, { { 0 } } },
		{ "OpenMetrics", { om_full, om_moved, om_full }, EXPOSITION_OPENMETRICS, false, 0, { { 0 } } },
		{ "OpenMetrics, strictly", { om_full, om_moved, om_full }, EXPOSITION_OPENMETRICS, true, 0, { { 0 } } },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		for (int k = 0; k < 3; k++)
			buf_init(&rows[i].want[k], 1 << 20);
		if (parse_all(&rows[i], &why) != ERR_OK)
			fail_msg("%s: %s", rows[i].label, why.text);
		fault_loop(rows[i].label, ERR_OK, parse_all, &rows[i]);
		for (int k = 0; k < 3; k++)
			buf_release(&rows[i].want[k]);
	}
}

/* Refused for what it says: the sentence with its line, or want of memory. */
static enum err parse_wrong(void *ctx, struct why *why)
{
	const char             *body = ctx;
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	struct scrape           s = { .n = 12345 };
	enum err err = exposition_pool_new(&pool);
	if (err == ERR_OK)
		err = exposition_new(pool, &e);
	if (err == ERR_OK)
		err = exposition_parse(e, body, strlen(body), EXPOSITION_OPENMETRICS, &s, why);
	fault_end();
	assert_int_equal(s.n, 12345);
	assert_true(err == ERR_MEMORY || strncmp(why->text, "line ", 5) == 0);
	exposition_free(e);
	exposition_pool_free(pool);
	return err;
}

static void wrong_bodies(void **state)
{
	(void)state;
	static const char *const all[] = { om_body, "a 1\na 1_0\n# EOF\n",
		                           "# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 4\n# EOF\n" };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		char body[256];
		snprintf(body, sizeof body, "%s", all[i]);
		fault_loop("a wrong body", ERR_FORMAT, parse_wrong, body);
	}
}

/* Two targets that say the same, of which one runs out of memory: the other's layout is whole. */
static enum err share(void *ctx, struct why *why)
{
	struct exposition_pool *pool = NULL;
	struct exposition      *a = NULL, *b = NULL;
	struct scrape           first, second, again;
	struct buf             *want = ctx;
	fault_pause();
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &a), ERR_OK);
	assert_int_equal(exposition_parse(a, text_body, sizeof text_body - 1, EXPOSITION_TEXT, &first, why), ERR_OK);
	fault_resume();
	enum err err = exposition_new(pool, &b);
	if (err == ERR_OK)
		err = exposition_parse(b, text_body, sizeof text_body - 1, EXPOSITION_TEXT, &second, why);
	if (err == ERR_OK)
		assert_ptr_equal(first.layout, second.layout);
	if (err == ERR_OK)
		err = exposition_parse(b, text_changed, sizeof text_changed - 1, EXPOSITION_TEXT, &second, why);
	fault_end();
	check_scrape(&first, want);
	assert_int_equal(exposition_parse(a, text_body, sizeof text_body - 1, EXPOSITION_TEXT, &again, why), ERR_OK);
	assert_true(again.was_predicted);
	check_scrape(&again, want);
	exposition_free(a);
	exposition_free(b);
	exposition_pool_free(pool);
	return err;
}

static void shared_layouts(void **state)
{
	(void)state;
	struct buf want;
	struct why why;
	buf_init(&want, 1 << 20);
	assert_int_equal(share(&want, &why), ERR_OK);
	fault_loop("a layout that is shared", ERR_OK, share, &want);
	buf_release(&want);
}

static enum err check(void *ctx, struct why *why)
{
	struct buf report;
	buf_init(&report, 4096);
	enum err e = exposition_check_file(ctx, EXPOSITION_GUESS_BY_BODY, &report, why);
	fault_end();
	if (e == ERR_OK && strstr(buf_text(&report), ": 12 series in 5 families, OpenMetrics") == NULL)
		fail_msg("%s: %s", fault_label(), buf_text(&report));
	buf_release(&report);
	return e;
}

static void files(void **state)
{
	(void)state;
	char path[] = "/tmp/pitwall-fault-XXXXXX";
	int  fd = mkstemp(path);
	assert_int_equal(write(fd, om_full, sizeof om_full - 1), sizeof om_full - 1);
	close(fd);
	struct why why = { "" };
	if (check(path, &why) != ERR_OK)
		fail_msg("%s", why.text);
	fault_loop("a file", ERR_OK, check, path);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(wrong_bodies),
		cmocka_unit_test(shared_layouts),
		cmocka_unit_test(files),
	};
	return cmocka_run_group_tests_name("faults of memory", tests, NULL, NULL);
}
