/* SPDX-License-Identifier: Apache-2.0
 *
 * The promise of the predicting parser: whatever comes, and whatever came before, it gives what the strict parser alone gives. Bodies are
 * made by random changes to one another; the changes are of the kinds that happen (values move, series come and go) and of those that
 * should not (bytes are lost, changed, doubled). */
#include "tests/unit/unit.h"

#include "base/stale.h"
#include "collectors/exposition.h"
#include "collectors/plan.h"

static uint64_t rng = UINT64_C(0x2545f4914f6cdd1d);
static uint64_t next_random(uint64_t below)
{
	rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
	return rng % below;
}

static const char text_seed[] =
	"# HELP vllm:num_requests_running Number of requests.\n# TYPE vllm:num_requests_running gauge\n"
	"vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"
	"# TYPE h histogram\nh_bucket{le=\"0.1\",m=\"a\"} 10\nh_bucket{le=\"1\",m=\"a\"} 12\nh_bucket{le=\"+Inf\",m=\"a\"} 13.0\n"
	"h_count{m=\"a\"} 13\nh_sum{m=\"a\"} 0.013300656000000001\n"
	"process_start_time_seconds 1.75e+09\nx NaN\ny -Inf 1234\n\nz{a=\"b\\nc\"}   5 \n"
	"d{a=\"1\",b=\"2\"} 1\nd{b=\"2\",a=\"1\"} 2\nd { a=\"1\", b=\"2\" } 3\nw{a=\"} 1\"} 2\n";
static const char om_seed[] =
	"# TYPE c counter\n# HELP c help\nc_total{x=\"1\"} 17.0 # {id=\"abc\"} 0.5\nc_created{x=\"1\"} 1.6e9\nc_total{x=\"2\"} 18\n"
	"# TYPE h histogram\nh_bucket{le=\"0.1\"} 10\nh_bucket{le=\"1.0\"} 12\nh_bucket{le=\"+Inf\"} 13\nh_count 13\nh_sum 3.25\n"
	"# TYPE g gauge\ng 1 10.5\ng 2 11.5\n# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE s stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n# EOF\n";

/* What a node with GPUs says; the host's name is "node-a". */
static const char *gpu_seed(void)
{
	static char text[16384];
	size_t at = 0;
	for (size_t f = 0; f < 6; f++)
		for (size_t g = 0; g < 6; g++)
			at += (size_t)snprintf(text + at, sizeof text - at, "%sf%zu{gpu=\"%zu\",UUID=\"GPU-%zu\",device=\"nvidia%zu\",Hostname=\"node-a\",m=\"H100\"} %zu\n",
			                       g == 0 ? "# some comment\n" : "", f, g, g * 7, g, g + f);
	return text;
}

/* The same, of the node beside it. */
static void rename_node(struct buf *b)
{
	for (size_t i = 0; i + 6 <= b->len; i++)
		if (memcmp(b->data + i, "node-a", 6) == 0)
			b->data[i + 5] = 'b';
}

static void put(struct buf *b, size_t at, size_t cut, const char *text)
{
	struct buf made;
	buf_init(&made, 1 << 20);
	buf_put(&made, b->data, at);
	buf_puts(&made, text);
	buf_put(&made, b->data + at + cut, b->len - at - cut);
	assert_int_equal(made.err, ERR_OK);
	buf_release(b);
	*b = made;
}

/* Changes a digit that follows a blank or a digit: mostly a value. */
static void change_value(struct buf *b)
{
	for (int tries = 0; tries < 50; tries++) {
		size_t at = (size_t)next_random(b->len);
		if (at > 0 && b->data[at] >= '0' && b->data[at] <= '9' && (b->data[at - 1] == ' ' || b->data[at - 1] == '.')) {
			b->data[at] = (char)('0' + next_random(10));
			return;
		}
	}
}

static void mutate(struct buf *b)
{
	static const char *const bits[] = { "1", "9", ".", "e5", "-", " ", "\n", "\"", "{", "}", ",", "#", "\\", "\t", "\r", "NaN", "0x1", "1_0",
		                            "x 1\n", "# EOF\n", "# TYPE q gauge\n", " 12345", "\xff", "+Inf", "1e400", "00000000000000000000001" };
	uint64_t kind = next_random(10);
	if (b->len == 0 || kind < 5) {
		if (b->len > 0)
			change_value(b);
		return;
	}
	size_t at = (size_t)next_random(b->len + 1);
	if (kind < 8) {
		put(b, at, 0, bits[next_random(sizeof bits / sizeof bits[0])]);
	} else if (kind == 8) {
		size_t cut = (size_t)next_random(4);
		put(b, at, cut < b->len - at ? cut : b->len - at, "");
	} else {
		/* a whole line goes, or comes twice */
		size_t from = at < b->len ? at : 0, to;
		while (from > 0 && b->data[from - 1] != '\n')
			from--;
		for (to = from; to < b->len && b->data[to] != '\n'; to++)
			;
		char line[4096] = "";
		if (to + 1 - from < sizeof line && to < b->len && next_random(2) == 0)
			memcpy(line, b->data + from, to + 1 - from), put(b, from, 0, line);
		else if (to < b->len)
			put(b, from, to + 1 - from, "");
	}
}

static void compare(const struct buf *b, enum err e, const struct scrape *s, const struct why *why, enum err strict_e,
                    const struct scrape *strict, const struct why *strict_why)
{
	if (e != strict_e || (e != ERR_OK && strcmp(why->text, strict_why->text) != 0))
		fail_msg("\"%s\" instead of \"%s\" for:\n%s", why->text, strict_why->text, b->data);
	if (e != ERR_OK)
		return;
	bool same = s->n == strict->n && s->samples == strict->samples && s->duplicates == strict->duplicates &&
	            s->timestamps == strict->timestamps && s->exemplars == strict->exemplars && s->n_families == strict->n_families;
	for (size_t i = 0; same && i < s->n; i++)
		same = labels_equal(exposition_layout_series(s->layout)[i], exposition_layout_series(strict->layout)[i]) &&
		       f64_bits(s->values[i]) == f64_bits(strict->values[i]);
	for (size_t i = 0; same && i < s->n_families; i++)
		same = strcmp(s->families[i].name, strict->families[i].name) == 0 && strcmp(s->families[i].help, strict->families[i].help) == 0 &&
		       s->families[i].type == strict->families[i].type;
	if (!same)
		fail_msg("another result for:\n%s", b->data);
}

/* The strict parser alone, with a pool of its own. */
struct strict {
	struct exposition_pool *pool;
	struct exposition      *e;
	struct scrape           s;
	struct why              why;
	enum err                err;
};

static void strict_begin(struct strict *w, const struct buf *body, enum exposition_format format)
{
	*w = (struct strict){ .why = { "" } };
	assert_int_equal(exposition_pool_new(&w->pool), ERR_OK);
	assert_int_equal(exposition_new(w->pool, &w->e), ERR_OK);
	w->err = exposition_parse_strict(w->e, buf_text(body), body->len, format, &w->s, &w->why);
}

static void strict_end(struct strict *w)
{
	exposition_free(w->e);
	exposition_pool_free(w->pool);
}

static enum err parse_as(struct exposition *e, const struct buf *body, enum exposition_format format, const struct strict *want)
{
	struct scrape s;
	struct why    why = { "" };
	enum err      err = exposition_parse(e, buf_text(body), body->len, format, &s, &why);
	compare(body, err, &s, &why, want->err, &want->s, &want->why);
	return err;
}

/* Another target, whose first body it is: the texts of its series are known by now. */
static uint64_t parse_as_new(struct exposition_pool *pool, const struct buf *body, enum exposition_format format, const struct strict *want)
{
	struct exposition *other;
	assert_int_equal(exposition_new(pool, &other), ERR_OK);
	(void)parse_as(other, body, format, want);
	uint64_t known = exposition_stats(other).known_lines;
	exposition_free(other);
	return known;
}

static void parse_as_twin(struct exposition *twin, const struct buf *body, enum exposition_format format)
{
	struct buf    renamed;
	struct strict want;
	buf_init(&renamed, 1 << 20);
	assert_int_equal(buf_put(&renamed, buf_text(body), body->len), ERR_OK);
	rename_node(&renamed);
	strict_begin(&want, &renamed, format);
	(void)parse_as(twin, &renamed, format, &want);
	strict_end(&want);
	buf_release(&renamed);
}

static void run(const char *seed, enum exposition_format format, size_t rounds)
{
	struct exposition_pool *pool;
	struct exposition      *e, *twin;
	uint64_t                predicted = 0, accepted = 0, known = 0;
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	assert_int_equal(exposition_new(pool, &twin), ERR_OK);
	struct buf body;
	buf_init(&body, 1 << 20);
	for (size_t i = 0; i < rounds; i++) {
		if (i % 40 == 0) {
			buf_clear(&body);
			buf_puts(&body, seed);
		}
		for (uint64_t n = next_random(3); n > 0; n--)
			mutate(&body);
		struct strict want;
		strict_begin(&want, &body, format);
		enum err err = parse_as(e, &body, format, &want);
		accepted += err == ERR_OK;
		known += parse_as_new(pool, &body, format, &want);
		strict_end(&want);
		parse_as_twin(twin, &body, format);
		if (err != ERR_OK && next_random(2) == 0) {
			buf_clear(&body);
			buf_puts(&body, seed);
		}
	}
	/* the run is worth something only if all three ways were taken often */
	predicted = exposition_stats(e).predicted;
	assert_true(predicted > rounds / 20 && accepted - predicted > rounds / 20 && accepted < rounds - rounds / 20);
	assert_true(exposition_stats(twin).predicted > rounds / 20);
	assert_true(format == EXPOSITION_OPENMETRICS || known > 5 * rounds);
	buf_release(&body);
	exposition_free(e);
	exposition_free(twin);
	exposition_pool_free(pool);
}

static void text_is_as_strict(void **state)
{
	(void)state;
	run(text_seed, EXPOSITION_TEXT, 20000);
}

static void openmetrics_is_as_strict(void **state)
{
	(void)state;
	run(om_seed, EXPOSITION_OPENMETRICS, 20000);
}

static void like_nodes_are_as_strict(void **state)
{
	(void)state;
	run(gpu_seed(), EXPOSITION_TEXT, 5000);
}

/* A number, or what looks like one: of `n_digits` digits and a point, with whatever may stand around them. */
static void put_number(struct buf *to, size_t n_digits)
{
	static const char *const before[] = { "", "", "", "", "", "", "-", "+", "0", "000", "." };
	static const char *const behind[] = { "", "", "", "", "", "e+06", "e-05", "E+01", "e00", "e+00", "e+007", "e+7", "e+", "e", ".", ".0", "-1", "e+0x", "e400", "x", "\x80" };
	if (next_random(60) == 0) {
		buf_puts(to, next_random(2) > 0 ? "NaN" : "+Inf");
		return;
	}
	buf_puts(to, before[next_random(sizeof before / sizeof before[0])]);
	size_t point = (size_t)next_random(2 * n_digits + 2);
	for (size_t i = 0; i < n_digits; i++) {
		if (i == point)
			buf_putc(to, '.');
		buf_putc(to, (char)('0' + next_random(10)));
	}
	if (n_digits == point)
		buf_putc(to, '.');
	buf_puts(to, behind[next_random(sizeof behind / sizeof behind[0])]);
}

/* Lines of all lengths with such numbers, of which few are none. */
static void put_lines(struct buf *b, size_t n, bool is_plain)
{
	char       value[160];
	struct buf number;
	buf_init(&number, 128);
	buf_clear(b);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&number);
		if (is_plain || next_random(3) > 0)
			buf_printf(&number, "%u.%u", (unsigned)next_random(100000), (unsigned)next_random(1000));
		else
			put_number(&number, (size_t)next_random(22));
		memset(value, 'v', sizeof value);
		value[i * 7 % (sizeof value - 1)] = '\0';
		buf_printf(b, "%s%zu{l=\"%s\"} %s\n", i % 3 > 0 ? "m" : "a_longer_name", i, value, buf_text(&number));
	}
	buf_release(&number);
	assert_int_equal(b->err, ERR_OK);
}

/* Bodies of one layout, whose numbers are written in all ways. */
static void numbers_are_as_strict(void **state)
{
	(void)state;
	struct exposition_pool *pool;
	struct exposition      *e, *plain;
	struct buf              body, number;
	size_t                  n_lines = 40, accepted = 0, rounds = 6000;
	buf_init(&body, 1 << 20);
	buf_init(&number, 128);
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	assert_int_equal(exposition_new(pool, &plain), ERR_OK);
	for (size_t i = 0; i < rounds; i++) {
		struct strict want;
		/* many lines that are all well written but for one, or few: else hardly a body would be accepted */
		n_lines = i < rounds / 3 * 2 ? 40 : 1 + i / 300 % 3;
		put_lines(&body, n_lines, n_lines == 40);
		if (n_lines == 40) {
			size_t at = (size_t)next_random(body.len);
			while (at > 0 && body.data[at] != ' ')
				at--;
			size_t cut = at > 0 ? strcspn(body.data + at, "\n") : 0;
			buf_clear(&number);
			buf_putc(&number, ' ');
			put_number(&number, (size_t)next_random(22));
			if (cut > 0)
				put(&body, at, cut, buf_text(&number));
		}
		strict_begin(&want, &body, EXPOSITION_TEXT);
		accepted += parse_as(e, &body, EXPOSITION_TEXT, &want) == ERR_OK;
		predict_plainly = true;
		(void)parse_as(plain, &body, EXPOSITION_TEXT, &want);
		predict_plainly = false;
		strict_end(&want);
	}
	assert_true(accepted > rounds / 4 && accepted < rounds - rounds / 10);
	assert_true(exposition_stats(e).predicted > accepted / 5 && exposition_stats(e).predicted == exposition_stats(plain).predicted);
	buf_release(&body);
	buf_release(&number);
	exposition_free(e);
	exposition_free(plain);
	exposition_pool_free(pool);
}

static void plainly_read_is_as_strict(void **state)
{
	predict_plainly = true;
	run(text_seed, EXPOSITION_TEXT, 5000);
	like_nodes_are_as_strict(state);
	predict_plainly = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(text_is_as_strict), cmocka_unit_test(openmetrics_is_as_strict),
		                            cmocka_unit_test(like_nodes_are_as_strict),
		                            cmocka_unit_test(numbers_are_as_strict), cmocka_unit_test(plainly_read_is_as_strict) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
