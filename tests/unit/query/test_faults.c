/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries while memory runs out, from text to JSON: the whole answer or none. */
#include "tests/unit/unit.h"

#include "base/stale.h"
#include "query/batch.h"
#include "query/format.h"
#include "query/memory_source.h"
#include "query/query.h"
#include "tests/unit/faults.h"

enum { STEPS = 20, STEP_MS = 15000 };

static struct memory_source memory;
static enum err           (*select_memory)(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms,
                                           int64_t until_ms, size_t max_samples, struct series_set *out, struct why *why);

/* The source is the test's own: its memory does not run out. */
static enum err select_paused(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                              size_t max_samples, struct series_set *out, struct why *why)
{
	fault_pause();
	enum err e = select_memory(self, m, n, after_ms, until_ms, max_samples, out, why);
	fault_resume();
	return e;
}

static int fill(void **state)
{
	static const char *const names[] = { "a", "b_total", "h_bucket" };
	static const char *const values[] = { "1", "10", "+Inf" };
	(void)state;
	memory_source_init(&memory);
	for (int i = 0; i < 9; i++) {
		struct labels *l = labels_of(LABEL_NAME, names[i / 3], i >= 6 ? "le" : "l", values[i % 3], "job", "j", NULL);
		for (int t = 0; t < STEPS; t++)
			assert_int_equal(memory_source_add(&memory, l, t * STEP_MS, t == 13 && i == 1 ? stale_mark() : (double)(t * (i + 3))), ERR_OK);
		labels_unref(l);
	}
	select_memory = memory.source.select;
	memory.source.select = select_paused;
	return 0;
}

static int empty(void **state)
{
	(void)state;
	memory_source_release(&memory);
	return 0;
}

/* What a row is asked, and the answer with memory enough. */
struct asking {
	const char          *text;
	struct query_memory *kept; /* of the evaluations before; NULL: none */
	struct buf           want;
	bool                 is_range, is_in_batch;
};

static enum err answer(const struct asking *a, const struct query *q, struct query_result *r, struct why *why)
{
	struct query_options o = { .memory = a->kept };
	if (a->is_range)
		return query_range(q, &memory.source, 0, (STEPS - 1) * STEP_MS, 2 * STEP_MS, &o, r, why);
	return query_instant(q, &memory.source, (STEPS - 1) * STEP_MS, &o, r, why);
}

/* Twice in one round, and once more in another. */
static enum err answer_in_batch(struct query *q, struct query_result *r, struct why *why)
{
	struct query_batch *b = NULL;
	enum err e = query_batch_new(&q, 1, NULL, NULL, &b, why);
	struct query_options o = { .batch = b };
	for (int i = 0; e == ERR_OK && i < 3; i++) {
		struct query_result made = { 0 };
		if (i != 1)
			query_batch_begin(b, NULL);
		e = query_instant(q, &memory.source, (STEPS - 1) * STEP_MS, &o, &made, why);
		if (i != 0)
			query_batch_end(b);
		if (e != ERR_OK && i == 0)
			query_batch_end(b);
		if (e == ERR_OK && i == 2)
			*r = made;
		else
			query_result_release(&made);
	}
	query_batch_free(b);
	return e;
}

static enum err ask(void *ctx, struct why *why)
{
	struct asking      *a = ctx;
	struct query       *q = NULL;
	struct query_result r = { 0 };
	struct buf          json;
	buf_init(&json, 1 << 20);
	enum err e = query_parse(a->text, &q, NULL, why);
	assert_true((e == ERR_OK) == (q != NULL));
	if (e == ERR_OK)
		e = query_print(q, &json);
	if (e == ERR_OK) {
		buf_putc(&json, '\n');
		struct query_result before = r;
		e = a->is_in_batch ? answer_in_batch(q, &r, why) : answer(a, q, &r, why);
		if (e != ERR_OK)
			assert_memory_equal(&r, &before, sizeof r);
	}
	if (e == ERR_OK)
		e = format_json(&r, &json);
	fault_end();
	if (e == ERR_OK && a->want.len == 0)
		buf_puts(&a->want, buf_text(&json));
	if (e == ERR_OK)
		fault_same(buf_text(&json), buf_text(&a->want));
	buf_release(&json);
	query_result_release(&r);
	query_free(q);
	return e;
}

static void run_rows(const char *const *rows, size_t n, struct asking how)
{
	for (size_t i = 0; i < n; i++) {
		struct asking a = how;
		struct why    why = { "" };
		a.text = rows[i];
		buf_init(&a.want, 1 << 20);
		enum err e = ask(&a, &why);
		if (e != ERR_OK)
			fail_msg("%s: %s", rows[i], why.text);
		assert_row(rows[i], strstr(buf_text(&a.want), "\"result\":[]") == NULL);
		fault_loop(rows[i], ERR_OK, ask, &a);
		buf_release(&a.want);
	}
}

static const char *const vectors[] = {
	"a",
	"1 + 2 * pi()",
	"{__name__=~\"a|b_total\", job!=\"x\", l!~\"y.*\"} offset 15s",
	"a @ 100",
	"rate(b_total[1m])",
	"sum by (l) (rate(b_total[1m])) / on (l) group_left () a{job=\"j\"}",
	"-a",
	"a and on (l) b_total or b_total unless on (l) a",
	"a > bool 3",
	"topk(2, b_total)",
	"quantile(0.5, a) without (l)",
	"count_values(\"v\", a)",
	"histogram_quantile(0.9, rate(h_bucket[2m]))",
	"label_replace(a, \"x\", \"$1-$2\", \"l\", \"(.)(.*)\")",
	"label_join(a, \"x\", \"-\", \"l\", \"job\")",
	"absent(nothing{l=\"1\"})",
	"max_over_time(rate(b_total[30s])[2m:15s])",
	"quantile_over_time(2, a[1m])",
	"sort_desc(a)",
	"vector(time())",
	"scalar(sum(a)) + a",
	"day_of_week(a)",
	"rate(a[1m])", /* "info: a may be no counter" */
};

static void instant_queries(void **state)
{
	(void)state;
	static const char *const others[] = { "\"text\"", "a[1m]", "b_total[1m:15s]" };
	run_rows(vectors, sizeof vectors / sizeof vectors[0], (struct asking){ .text = NULL });
	run_rows(others, sizeof others / sizeof others[0], (struct asking){ .text = NULL });
}

static void range_queries(void **state)
{
	(void)state;
	run_rows(vectors, sizeof vectors / sizeof vectors[0], (struct asking){ .is_range = true });
}

static void with_kept_memory(void **state)
{
	(void)state;
	struct query_memory *kept = NULL;
	assert_int_equal(query_memory_new(&kept, NULL), ERR_OK);
	run_rows(vectors, sizeof vectors / sizeof vectors[0], (struct asking){ .kept = kept });
	query_memory_free(kept);
}

static void in_a_batch(void **state)
{
	(void)state;
	run_rows(vectors, sizeof vectors / sizeof vectors[0], (struct asking){ .is_in_batch = true });
}

/* Mistakes are told with their place, or memory is said to be short. */
static enum err ask_wrongly(void *ctx, struct why *why)
{
	struct query         *q = NULL;
	struct query_position at = { 0 };
	enum err              e = query_parse(ctx, &q, &at, why);
	fault_end();
	assert_null(q);
	assert_true(e == ERR_MEMORY || (at.line == 1 && at.column >= 1));
	return e;
}

static void mistakes(void **state)
{
	(void)state;
	static const char *const rows[] = { "sum(a", "a{l=~\"(\"}", "rate(a)", "a + \"x\"", "nofun(a)", "a{l=\"1\", l}", "a[1m:] offset x" };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[64];
		snprintf(text, sizeof text, "%s", rows[i]);
		fault_loop(text, ERR_FORMAT, ask_wrongly, text);
	}
}

/* Mistakes that only the data shows. */
static void failures(void **state)
{
	(void)state;
	static const char *const rows[] = { "a * on (job) b_total", "label_replace(a, \"l\", \"\", \"l\", \".*\")" };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct asking a = { .text = rows[i] };
		buf_init(&a.want, 1 << 20);
		struct why why = { "" };
		enum err   e = ask(&a, &why);
		assert_row(rows[i], e != ERR_OK && e != ERR_MEMORY && why.text[0] != '\0');
		fault_loop(rows[i], e, ask, &a);
		buf_release(&a.want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instant_queries), cmocka_unit_test(range_queries), cmocka_unit_test(with_kept_memory),
		cmocka_unit_test(in_a_batch),
		cmocka_unit_test(mistakes),        cmocka_unit_test(failures),
	};
	return cmocka_run_group_tests_name("faults of memory", tests, fill, empty);
}
