/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets that say too much: which series are kept, that it is always the same ones, and that lists of series do not change for ever. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/stale.h"
#include "collectors/exposition.h"

enum { INTERVAL_MS = 10000, HOUR_BODIES = 360 };

struct fixture {
	struct exposition_pool *pool;
	struct exposition      *e, *plain; /* with the ceiling, and without */
	struct buf              body;
	struct scrape           s;
};

static void begin(struct fixture *f, size_t max_series)
{
	assert_int_equal(exposition_pool_new(&f->pool), ERR_OK);
	assert_int_equal(exposition_new(f->pool, &f->e), ERR_OK);
	assert_int_equal(exposition_new(f->pool, &f->plain), ERR_OK);
	exposition_limit(f->e, max_series, INTERVAL_MS);
	buf_init(&f->body, 64 << 20);
}

static void end(struct fixture *f)
{
	exposition_free(f->e);
	exposition_free(f->plain);
	exposition_pool_free(f->pool);
	buf_release(&f->body);
}

/* `n` series of a metric from number `first` on, each with the value v + its number. */
static void say(struct fixture *f, const char *metric, size_t first, size_t n, int v)
{
	for (size_t i = first; i < first + n; i++)
		buf_printf(&f->body, "%s{i=\"%zu\"} %zu\n", metric, i, (size_t)v + i);
}

static size_t kept_of(const struct scrape *s, const char *metric, bool with_stale)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += strcmp(labels_metric(exposition_layout_series(s->layout)[i]), metric) == 0 && (with_stale || !is_stale(s->values[i]));
	return n;
}

static bool is_kept(const struct scrape *s, const char *metric, size_t number)
{
	char text[32];
	snprintf(text, sizeof text, "%zu", number);
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *l = exposition_layout_series(s->layout)[i];
		if (strcmp(labels_metric(l), metric) == 0 && strcmp(labels_get(l, "i"), text) == 0)
			return !is_stale(s->values[i]);
	}
	return false;
}

/* Each series that is kept has the value that the body gives it, or is stale and the body has it not. */
static void check_values(struct fixture *f, const struct scrape *all)
{
	size_t n_stale = 0, dropped = f->s.cut != NULL ? f->s.cut->dropped : 0;
	for (size_t i = 0; i < f->s.n; i++) {
		const struct labels *l = exposition_layout_series(f->s.layout)[i];
		size_t k = 0;
		while (k < all->n && !labels_equal(exposition_layout_series(all->layout)[k], l))
			k++;
		assert_true(f64_bits(f->s.values[i]) == (k < all->n ? f64_bits(all->values[k]) : STALE_BITS));
		n_stale += k == all->n;
	}
	assert_int_equal(f->s.n - n_stale + dropped, all->n);
}

static void scrape(struct fixture *f)
{
	struct why why = { "" };
	assert_int_equal(exposition_parse(f->e, buf_text(&f->body), f->body.len, EXPOSITION_TEXT, &f->s, &why), ERR_OK);
	if (f->body.len < 65536) {
		struct scrape all;
		assert_int_equal(exposition_parse(f->plain, buf_text(&f->body), f->body.len, EXPOSITION_TEXT, &all, &why), ERR_OK);
		check_values(f, &all);
	}
	buf_clear(&f->body);
}

/* ---- which ones ---- */

static const struct {
	const char *label;
	size_t      max, before[3], now[3]; /* series of a, b, c; before: none, the first body */
	size_t      want[3], dropped;
	const char *metric;
} rows[] = {
	{ "no ceiling", 0, { 0 }, { 10, 500, 10 }, { 10, 500, 10 }, 0, NULL },
	{ "just within", 520, { 0 }, { 10, 500, 10 }, { 10, 500, 10 }, 0, NULL },
	{ "one over", 519, { 0 }, { 10, 500, 10 }, { 10, 499, 10 }, 1, "b" },
	{ "an explosion at first sight", 100, { 0 }, { 10, 500, 10 }, { 10, 80, 10 }, 420, "b" },
	{ "an explosion of what was small", 100, { 10, 10, 10 }, { 10, 500, 10 }, { 10, 80, 10 }, 420, "b" },
	{ "two of them share", 100, { 10, 10, 10 }, { 300, 500, 10 }, { 45, 45, 10 }, 710, "b" },
	{ "the others may grow", 100, { 10, 500, 10 }, { 30, 500, 20 }, { 30, 50, 20 }, 450, "b" },
	{ "it calms down", 100, { 10, 500, 10 }, { 10, 20, 10 }, { 10, 20, 10 }, 0, NULL },
	{ "one series alone", 1, { 0 }, { 5, 5, 5 }, { 1, 0, 0 }, 14, "b" },
};

static void the_largest_lose(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static const char *const names[] = { "a", "b", "c" };
		struct fixture f = { 0 };
		begin(&f, rows[i].max);
		for (size_t k = 0; k < 3 && rows[i].before[0] > 0; k++)
			say(&f, names[k], 0, rows[i].before[k], 1);
		if (f.body.len > 0)
			scrape(&f);
		for (size_t k = 0; k < 3; k++)
			say(&f, names[k], 0, rows[i].now[k], 2);
		scrape(&f);
		for (size_t k = 0; k < 3; k++)
			if (kept_of(&f.s, names[k], false) != rows[i].want[k])
				fail_msg("%s: %zu series of %s are kept, not %zu", rows[i].label, kept_of(&f.s, names[k], false), names[k], rows[i].want[k]);
		if ((f.s.cut != NULL ? f.s.cut->dropped : 0) != rows[i].dropped)
			fail_msg("%s: %zu are dropped", rows[i].label, f.s.cut != NULL ? f.s.cut->dropped : 0);
		if (rows[i].metric != NULL)
			assert_string_equal(f.s.cut->metric, rows[i].metric);
		end(&f);
	}
}

static void those_known_stay(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	begin(&f, 50);
	say(&f, "b", 1000, 20, 1);
	scrape(&f);
	say(&f, "b", 0, 200, 1); /* stand before those that are known */
	say(&f, "b", 1000, 20, 1);
	scrape(&f);
	for (size_t i = 0; i < 20; i++)
		assert_true(is_kept(&f.s, "b", 1000 + i));
	assert_true(is_kept(&f.s, "b", 0) && is_kept(&f.s, "b", 29) && !is_kept(&f.s, "b", 30));
	assert_int_equal(f.s.cut->metric_said, 220);
	assert_int_equal(f.s.cut->metric_dropped, 170);
	assert_int_equal(f.s.cut->cause, EXPOSITION_CUT_CEILING);
	end(&f);
}

static void the_same_each_time(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	const struct exposition_layout *first;
	begin(&f, 100);
	say(&f, "a", 0, 10, 1);
	say(&f, "b", 0, 500, 1);
	scrape(&f);
	first = f.s.layout;
	for (int i = 2; i < 20; i++) {
		say(&f, "a", 0, 10, i);
		say(&f, "b", 0, 500, i);
		if (i == 10)
			buf_puts(&f.body, "# a comment\n");
		scrape(&f);
		assert_ptr_equal(f.s.layout, first);
		assert_int_equal(f.s.was_predicted, i != 10 && i != 11);
	}
	end(&f);
}

static void names_that_explode(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	char name[32];
	begin(&f, 100);
	say(&f, "a", 0, 10, 1);
	scrape(&f);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof name, "user_%d_total", i);
			say(&f, name, 0, 1, round);
		}
		say(&f, "a", 0, 10, 1);
		scrape(&f);
		assert_int_equal(f.s.n, 100);
		assert_int_equal(f.s.cut->dropped, 910);
		assert_true(f.s.cut->n_metrics >= 900);
	}
	end(&f);
}

/* ---- lists that change ---- */

/* Bodies for some hours: how many lists there were, and how many series stood in them. */
struct churn {
	size_t lists, series, last;
};

static void count(struct churn *c, const struct scrape *s)
{
	if (!s->layout_changed)
		return;
	c->lists++;
	c->series += s->n;
}

static void new_labels_each_time(void **state)
{
	enum { USUAL = 40, FRESH = 60, HOURS = 2, MAX = 1000 };
	(void)state;
	struct fixture f = { 0 };
	struct churn   c = { 0 };
	size_t         whole = 0;
	begin(&f, MAX);
	for (size_t i = 0; i < HOURS * HOUR_BODIES; i++) {
		say(&f, "usual", 0, USUAL, (int)i);
		say(&f, "fresh", i * FRESH, FRESH, 0);
		scrape(&f);
		count(&c, &f.s);
		whole += f.s.cut == NULL;
		assert_int_equal(kept_of(&f.s, "usual", false), USUAL);
		if (f.s.cut != NULL) {
			assert_int_equal(f.s.cut->cause, EXPOSITION_CUT_CHANGES);
			assert_string_equal(f.s.cut->metric, "fresh");
		}
	}
	/* what is there at the beginning, and what two hours add; a series of a list costs an eighth */
	assert_true(c.series / 8 <= (HOURS + 1) * MAX);
	assert_true(whole > 5 && whole < HOUR_BODIES / 2);
	end(&f);
}

static void an_order_that_changes_loses_nothing(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct churn   c = { 0 };
	begin(&f, 1000);
	for (size_t i = 0; i < HOUR_BODIES; i++) {
		say(&f, "a", i % 97, 100 - i % 97, (int)i);
		say(&f, "a", 0, i % 97, (int)i);
		scrape(&f);
		assert_null(f.s.cut);
		assert_int_equal(kept_of(&f.s, "a", false), 100);
		count(&c, &f.s);
	}
	assert_true(c.lists < 200);
	end(&f);
}

static void news_of_others_go_through(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	size_t waited = 0;
	begin(&f, 1000);
	for (size_t i = 0; i < HOUR_BODIES; i++) {
		say(&f, "fresh", i * 60, 60, 0);
		say(&f, "usual", 0, i > 100 ? 43 : 40, (int)i);
		scrape(&f);
		waited += i > 100 && kept_of(&f.s, "usual", false) < 43;
	}
	assert_true(waited < 20);
	end(&f);
}

static void a_server_may_change_all_its_series(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	begin(&f, 600);
	for (size_t i = 0; i < 6; i++) { /* a deploy and its rollback, three times in an hour */
		say(&f, "a", 1000 * i, 500, 0);
		scrape(&f);
		assert_null(f.s.cut);
	}
	end(&f);
}

static void two_hundred_thousand(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	const struct exposition_layout *first = NULL;
	begin(&f, 20000);
	say(&f, "usual", 0, 500, 1);
	scrape(&f);
	for (int i = 0; i < 3; i++) {
		say(&f, "usual", 0, 500, i);
		say(&f, "http_requests_total", 0, 200000, i);
		scrape(&f);
		assert_int_equal(f.s.n, 20000);
		assert_int_equal(kept_of(&f.s, "usual", false), 500);
		assert_int_equal(f.s.cut->dropped, 180500);
		assert_true(i == 0 || f.s.layout == first);
		first = f.s.layout;
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_lose),
		cmocka_unit_test(those_known_stay),
		cmocka_unit_test(the_same_each_time),
		cmocka_unit_test(names_that_explode),
		cmocka_unit_test(new_labels_each_time),
		cmocka_unit_test(an_order_that_changes_loses_nothing),
		cmocka_unit_test(news_of_others_go_through),
		cmocka_unit_test(a_server_may_change_all_its_series),
		cmocka_unit_test(two_hundred_thousand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
