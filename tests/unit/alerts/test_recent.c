/* SPDX-License-Identifier: Apache-2.0
 *
 * The recent past of all targets: whatever is recorded, it selects what the store does. */
#include "tests/unit/unit.h"

#include <math.h>

#include "alerts/recent.h"
#include "base/stale.h"
#include "query/query.h"
#include "query/store_source.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 4, SERIES = 10, LAYOUTS = 24, SELECTORS = 9, STEP_MS = 1000 };
static const int64_t START_MS = INT64_C(1700000000000);

struct bench {
	struct store_folder   folder;
	struct test_clock     clock;
	struct store         *store;
	struct reader        *reader;
	struct recent        *recent;
	int64_t               targets[TARGETS];
	const struct layout  *layouts[LAYOUTS];
	struct matcher        matchers[SELECTORS][2];
	struct recent_selector selectors[SELECTORS];
	int64_t               last_ms[TARGETS][STREAM_COUNT];
	uint32_t              seed;
};

static struct why why;

/* The numbers of a test are the same in every run. */
static uint32_t draw(struct bench *b, uint32_t below)
{
	b->seed = b->seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(b->seed >> 4) * below >> 28);
}

static void make_layouts(struct bench *b)
{
	struct labels *all[SERIES] = {
		labels_of("__name__", "a", NULL),
		labels_of("__name__", "a", "x", "1", NULL),
		labels_of("__name__", "a", "x", "2", NULL),
		labels_of("__name__", "b", NULL),
		labels_of("__name__", "b", "node", "own", NULL), /* overlaid */
		labels_of("__name__", "c", "x", "1", NULL),
		labels_of("__name__", "c", "model", "m", NULL),
		labels_of("__name__", "d", NULL),
		labels_of("__name__", "e", NULL),
		labels_of("__name__", "f", NULL),
	};
	for (size_t i = 0; i < LAYOUTS; i++) {
		struct labels *some[SERIES];
		size_t n = 0;
		for (size_t k = 0; k < SERIES; k++)
			if (draw(b, 2) == 0)
				some[n++] = all[k];
		assert_ok(store_layout(b->store, some, n, &b->layouts[i], &why));
	}
	for (size_t k = 0; k < SERIES; k++)
		labels_unref(all[k]);
}

static void matcher(struct bench *b, size_t selector, enum match kind, const char *name, const char *value)
{
	struct recent_selector *s = &b->selectors[selector];
	s->m = b->matchers[selector];
	assert_ok(matcher_init(&b->matchers[selector][s->n++], kind, name, value, &why));
}

static void make_selectors(struct bench *b)
{
	static const int64_t back_ms[SELECTORS] = { 10000, 5000, 30000, 60000, 20000, 10000, 3000, 200000, 10000 };
	matcher(b, 0, MATCH_EQUAL, "__name__", "a");
	matcher(b, 1, MATCH_EQUAL, "__name__", "a");
	matcher(b, 1, MATCH_EQUAL, "x", "1");
	matcher(b, 2, MATCH_EQUAL, "__name__", "b");
	matcher(b, 2, MATCH_NOT_EQUAL, "node", "n1");
	matcher(b, 3, MATCH_REGEX, "__name__", "c|d");
	matcher(b, 4, MATCH_EQUAL, "node", "n2");
	matcher(b, 5, MATCH_EQUAL, "__name__", "e");
	matcher(b, 5, MATCH_EQUAL, "model", "");
	matcher(b, 6, MATCH_EQUAL, "__name__", "none");
	matcher(b, 7, MATCH_EQUAL, "__name__", "f");
	matcher(b, 8, MATCH_EQUAL, "__name__", "a");
	matcher(b, 8, MATCH_EQUAL, "exported_node", "own");
	for (size_t i = 0; i < SELECTORS; i++)
		b->selectors[i].back_ms = back_ms[i];
}

static void begin(struct bench *b, uint32_t seed, const struct recent_options *limits)
{
	static const char *const names[TARGETS][4] = { { "node", "n1" }, { "node", "n2" }, { "node", "n2", "model", "m" }, { "__rules__", "a.yml;g" } };
	*b = (struct bench){ .seed = seed };
	store_folder_make(&b->folder, "recent");
	test_clock_init(&b->clock, START_MS);
	const struct store_options o = { .path = b->folder.path, .clock = &b->clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &b->store, &why));
	for (size_t i = 0; i < TARGETS; i++) {
		struct labels *l = labels_of(names[i][0], names[i][1], names[i][2], names[i][3], NULL);
		assert_ok(store_target(b->store, l, "http://x", &b->targets[i], &why));
		labels_unref(l);
	}
	make_layouts(b);
	make_selectors(b);
	assert_ok(reader_open(b->folder.path, READER_OWN, &b->reader, &why));
	struct recent_options r = *limits;
	r.reader = b->reader;
	assert_ok(recent_new(&r, &b->recent, &why));
	assert_ok(recent_set_selectors(b->recent, b->selectors, SELECTORS, &why));
}

static void end(struct bench *b)
{
	recent_free(b->recent);
	reader_close(b->reader);
	store_close(b->store);
	for (size_t i = 0; i < SELECTORS; i++)
		for (size_t k = 0; k < b->selectors[i].n; k++)
			matcher_release(&b->matchers[i][k]);
	store_folder_remove(&b->folder);
}

/* ---- comparing ---- */

static int by_labels(const void *a, const void *b)
{
	return labels_compare(((const struct series *)a)->labels, ((const struct series *)b)->labels);
}

static void sort(struct series_set *s)
{
	if (s->n > 0)
		qsort(s->items, s->n, sizeof *s->items, by_labels);
}

static void print_set(const char *whose, const struct series_set *s)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < s->n; i++) {
		labels_print(s->items[i].labels, &text);
		for (size_t k = 0; k < s->items[i].n; k++)
			buf_printf(&text, " %lld:%g", (long long)(s->items[i].t_ms[k] - START_MS), is_stale(s->items[i].v[k]) ? -1 : s->items[i].v[k]);
		buf_puts(&text, "\n");
	}
	print_message("%s:\n%s", whose, buf_text(&text));
	buf_release(&text);
}

static bool are_equal(const struct series_set *a, const struct series_set *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct series *x = &a->items[i], *y = &b->items[i];
		if (!labels_equal(x->labels, y->labels) || x->n != y->n)
			return false;
		for (size_t k = 0; k < x->n; k++)
			if (x->t_ms[k] != y->t_ms[k] || f64_bits(x->v[k]) != f64_bits(y->v[k]))
				return false;
	}
	return true;
}

static void compare(struct bench *b, const struct recent_selector *s, int64_t after_ms, int64_t until_ms)
{
	struct series_set want = { 0 }, have = { 0 };
	const struct query_source source = recent_source(b->recent);
	assert_ok(reader_select(b->reader, s->m, s->n, after_ms, until_ms, SIZE_MAX, &want, &why));
	assert_ok(source.select(&source, s->m, s->n, after_ms, until_ms, SIZE_MAX, &have, &why));
	sort(&want);
	sort(&have);
	if (!are_equal(&want, &have)) {
		print_set("the store", &want);
		print_set("memory", &have);
		fail_msg("seed %u, selector %zu, (%lld, %lld]", b->seed, (size_t)(s - b->selectors), (long long)(after_ms - START_MS),
		         (long long)(until_ms - START_MS));
	}
	size_t total = 0;
	for (size_t i = 0; i < want.n; i++)
		total += want.items[i].n;
	series_set_release(&want);
	series_set_release(&have);
	if (total > 0)
		assert_int_equal(source.select(&source, s->m, s->n, after_ms, until_ms, total - 1, &have, &why), ERR_LIMIT);
}

/* ---- recording ---- */

static void record(struct bench *b, int64_t now_ms)
{
	size_t target = draw(b, TARGETS);
	enum stream stream = target == TARGETS - 1 ? STREAM_SIGNAL : (enum stream)draw(b, STREAM_COUNT);
	int64_t *last = &b->last_ms[target][stream], t_ms = now_ms - draw(b, 3000); /* some come late */
	double values[SERIES];
	if (t_ms <= *last)
		return;
	int64_t before_ms = *last;
	*last = t_ms;
	if (draw(b, 12) == 0) {
		enum err e = store_append_stale(b->store, b->targets[target], stream, t_ms, &why);
		assert_true(e == ERR_OK || (e == ERR_RANGE && before_ms == 0));
		return;
	}
	/* Layouts stay for a while. */
	const struct layout *l = b->layouts[draw(b, 4) == 0 ? draw(b, LAYOUTS) : (target * STREAM_COUNT + stream) % LAYOUTS];
	for (size_t i = 0; i < layout_size(l); i++)
		values[i] = draw(b, 8) == 0 ? stale_mark() : draw(b, 20) == 0 ? (double)NAN : (double)draw(b, 1000);
	enum err e = store_append(b->store, b->targets[target], stream, t_ms, l, values, &why);
	if (e == ERR_RANGE && before_ms == 0) /* it had begun before the clock was set back */
		*last = 0;
	else
		assert_int_equal(e, ERR_OK);
}

static void compare_all(struct bench *b, int64_t now_ms)
{
	for (size_t i = 0; i < SELECTORS; i++) {
		const struct recent_selector *s = &b->selectors[i];
		int64_t late = draw(b, 4) == 0 ? draw(b, 50000) : draw(b, 1000);
		compare(b, s, now_ms - late - s->back_ms, now_ms - late);
		compare(b, s, now_ms - draw(b, 400000), now_ms - draw(b, 3000));
	}
}

static void run(uint32_t seed, const struct recent_options *limits, bool sets_clock_back)
{
	struct bench b;
	begin(&b, seed, limits);
	int64_t now = START_MS;
	for (int round = 0; round < 30; round++) {
		for (uint32_t i = draw(&b, 30); i > 0; i--) {
			int64_t step = draw(&b, STEP_MS);
			now += step;
			test_clock_advance(&b.clock, step);
			record(&b, now);
		}
		if (sets_clock_back && round % 10 == 9) {
			now -= 15000;
			b.clock.now_wall_ms -= 15000;
			for (size_t t = 0; t < TARGETS; t++)
				for (size_t k = 0; k < STREAM_COUNT; k++)
					b.last_ms[t][k] = b.last_ms[t][k] > now - 3000 ? 0 : b.last_ms[t][k];
		}
		if (draw(&b, 10) == 0) { /* a long pause: series leave memory */
			now += 100000;
			test_clock_advance(&b.clock, 100000);
		}
		assert_ok(store_flush(b.store, &why));
		assert_ok(recent_follow(b.recent, now, &why));
		compare_all(&b, now);
	}
	assert_true(recent_stats(b.recent).from_memory >= 30); /* it was not only the store that was compared with itself */
	end(&b);
}

static void selects_what_the_store_does(void **state)
{
	static const struct {
		const char           *label;
		struct recent_options limits;
		bool                  sets_clock_back;
	} rows[] = {
		{ "all is kept", { .keep_max_ms = 300000 }, false },
		{ "little is kept", { .keep_max_ms = 5000 }, false },
		{ "few series", { .keep_max_ms = 60000, .series_max = 12 }, false },
		{ "few samples", { .keep_max_ms = 60000, .samples_max = 300 }, false },
		{ "the clock is set back", { .keep_max_ms = 60000 }, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].label);
		for (uint32_t seed = 1; seed <= 2; seed++)
			run(seed * 7919, &rows[i].limits, rows[i].sets_clock_back);
	}
}

/* ---- what rules make of it ---- */

static const char *const expressions[] = {
	"a", "sum(a) by (x) > 100", "avg_over_time(a[40s])", "sum_over_time(d[3m])", "min_over_time(a[20s]) + max_over_time(a[3m])", "rate(f[1m])",
	"increase(e[3m] offset 10s)", "quantile_over_time(0.9, b[1m])", "stddev_over_time(c[2m])", "count_over_time({node=\"n2\"}[2m])",
	"avg_over_time(a{x=\"1\"}[3m]) / avg_over_time(a{x=\"1\"}[20s])", "last_over_time(b[10s])", "mad_over_time(f[3m])", "changes(d[1m]) + resets(d[3m])",
	"quantile(0.5, a)", "max_over_time(rate(e[30s])[2m:7s])", "absent_over_time(f[20s])",
};
enum { EXPRESSIONS = sizeof expressions / sizeof expressions[0], OF_EXPRESSIONS_MAX = 4 * EXPRESSIONS };

struct selecting {
	struct recent_selector items[OF_EXPRESSIONS_MAX];
	size_t                 n;
};

static enum err add_selector(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	struct selecting *s = ctx;
	assert_true(s->n < OF_EXPRESSIONS_MAX);
	s->items[s->n++] = (struct recent_selector){ m, n, back_ms };
	return ERR_OK;
}

static void compare_results(const struct bench *b, const struct query *q, const char *text, int64_t at_ms)
{
	struct query_result want = { 0 }, have = { 0 };
	const struct query_source memory = recent_source(b->recent), store = store_source(b->reader);
	struct why why_want = { "" }, why_have = { "" };
	assert_int_equal(query_instant(q, &store, at_ms, NULL, &want, &why_want), query_instant(q, &memory, at_ms, NULL, &have, &why_have));
	assert_string_equal(why_want.text, why_have.text);
	sort(&want.series);
	sort(&have.series);
	if (!are_equal(&want.series, &have.series)) {
		print_set("the store", &want.series);
		print_set("memory", &have.series);
		fail_msg("seed %u, %s at %lld", b->seed, text, (long long)(at_ms - START_MS));
	}
	query_result_release(&want);
	query_result_release(&have);
}

/* Whatever is lent, joined or read anew in between: the same results to the bit. */
static void evaluate(uint32_t seed, const struct recent_options *limits, bool reads_at_once)
{
	struct bench b;
	struct query *queries[EXPRESSIONS];
	struct selecting s = { .n = 0 };
	int64_t now = START_MS;
	begin(&b, seed, limits);
	for (size_t i = 0; i < EXPRESSIONS; i++) {
		assert_ok(query_parse(expressions[i], &queries[i], NULL, &why));
		assert_ok(query_selectors(queries[i], 300000, add_selector, &s));
	}
	assert_ok(recent_set_selectors(b.recent, s.items, s.n, &why));
	for (int round = 0; round < 24; round++) {
		for (uint32_t i = round == 0 ? 400 : draw(&b, 60); i > 0; i--) {
			int64_t step = draw(&b, STEP_MS);
			now += step;
			test_clock_advance(&b.clock, step);
			record(&b, now);
		}
		assert_ok(store_flush(b.store, &why));
		if (round == 16) { /* as after a change of the rules: all anew */
			assert_ok(recent_set_selectors(b.recent, b.selectors, SELECTORS, &why));
			assert_ok(recent_set_selectors(b.recent, s.items, s.n, &why));
		}
		assert_ok(recent_follow(b.recent, now, &why));
		for (size_t i = 0; i < EXPRESSIONS; i++) {
			compare_results(&b, queries[i], expressions[i], now - draw(&b, 2000));
			if (draw(&b, 20) == 0)
				compare_results(&b, queries[i], expressions[i], now - draw(&b, 200000));
		}
	}
	assert_true(recent_stats(b.recent).from_memory > 0);
	assert_int_equal(recent_stats(b.recent).passes, reads_at_once ? 2 : 0);
	assert_ok(recent_set_selectors(b.recent, b.selectors, SELECTORS, &why)); /* those of the queries are about to go */
	for (size_t i = 0; i < EXPRESSIONS; i++)
		query_free(queries[i]);
	end(&b);
}

/* The first selector's samples are lent, and not looked at yet, when others read the past of the same series, which moves them. */
static void what_is_lent_stays(void **state)
{
	struct bench b;
	struct query *q;
	struct selecting s = { .n = 0 };
	struct labels *g = labels_of("__name__", "g", NULL);
	const struct layout *l;
	int64_t now = START_MS;
	(void)state;
	begin(&b, 1, &(struct recent_options){ .keep_max_ms = 5000, .selected_percent = 1 });
	assert_ok(store_layout(b.store, &g, 1, &l, &why));
	for (int i = 0; i < 200; i++) {
		double v = i;
		now += STEP_MS;
		test_clock_advance(&b.clock, STEP_MS);
		assert_ok(store_append(b.store, b.targets[0], STREAM_SIGNAL, now, l, &v, &why));
	}
	assert_ok(store_flush(b.store, &why));
	assert_ok(query_parse("predict_linear(g[4s], scalar(sum_over_time(g[150s])) / scalar(sum_over_time(g[190s])))", &q, NULL, &why));
	assert_ok(query_selectors(q, 300000, add_selector, &s));
	assert_ok(recent_set_selectors(b.recent, s.items, s.n, &why));
	assert_ok(recent_follow(b.recent, now, &why));
	for (int i = 0; i < 3; i++)
		compare_results(&b, q, "three windows", now);
	assert_int_equal(recent_stats(b.recent).from_memory, 9);
	assert_ok(recent_set_selectors(b.recent, b.selectors, SELECTORS, &why));
	query_free(q);
	labels_unref(g);
	end(&b);
}

static void rules_get_what_the_store_gives(void **state)
{
	static const struct {
		const char           *label;
		struct recent_options limits;
		bool                  reads_at_once;
	} rows[] = {
		{ "all is kept", { .keep_max_ms = 400000 }, false },
		{ "the past is read at once", { .keep_max_ms = 15000 }, true },
		{ "the past is read when it is wanted", { .keep_max_ms = 15000, .selected_percent = 1 }, false },
		{ "few series", { .keep_max_ms = 60000, .series_max = 90, .selected_percent = 1 }, false },
		{ "few samples", { .keep_max_ms = 60000, .samples_max = 900 }, false },
		{ "few samples, read at once", { .keep_max_ms = 15000, .samples_max = 10000, .selected_percent = 1000000 }, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].label);
		for (uint32_t seed = 1; seed <= 2; seed++)
			evaluate(seed * 6007, &rows[i].limits, rows[i].reads_at_once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects_what_the_store_does),
		cmocka_unit_test(what_is_lent_stays),
		cmocka_unit_test(rules_get_what_the_store_gives),
	};
	return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
