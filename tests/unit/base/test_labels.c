/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/labels.h"
#include "base/labels_index.h"

static void assert_prints(const struct labels *l, const char *want)
{
	struct buf text;
	buf_init(&text, 10000);
	assert_int_equal(labels_print(l, &text), ERR_OK);
	assert_string_equal(buf_text(&text), want);
	buf_release(&text);
}

static void a_set_is_sorted_and_drops_empty_values(void **state)
{
	(void)state;
	struct labels *l = labels_of("z", "1", "__name__", "up", "a", "2", "gone", "", NULL);
	assert_int_equal(labels_count(l), 3);
	assert_string_equal(labels_at(l, 0)->name, "__name__");
	assert_string_equal(labels_at(l, 2)->value, "1");
	assert_string_equal(labels_get(l, "a"), "2");
	assert_string_equal(labels_get(l, "gone"), "");
	assert_string_equal(labels_metric(l), "up");
	assert_null(labels_find(l, "aa"));
	struct labels *same = labels_ref(l);
	labels_unref(l);
	assert_string_equal(labels_get(same, "z"), "1");
	labels_unref(same);
	labels_unref(NULL);
}

static void wrong_pairs_are_refused(void **state)
{
	(void)state;
	static const struct { const char *label; struct label pairs[2]; enum err want; } rows[] = {
		{ "a name twice", { { "a", "1", 1, 1 }, { "a", "2", 1, 1 } }, ERR_EXISTS },
		{ "an empty name", { { "", "1", 0, 1 }, { "a", "2", 1, 1 } }, ERR_FORMAT },
		{ "a NUL in a name", { { "a\0b", "1", 3, 1 }, { "a", "2", 1, 1 } }, ERR_FORMAT },
		{ "twice, but empty", { { "a", "", 1, 0 }, { "a", "2", 1, 1 } }, ERR_OK },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct labels *l = NULL;
		struct why why;
		assert_row(rows[i].label, labels_new(rows[i].pairs, 2, &l, &why) == rows[i].want);
		assert_row(rows[i].label, (l != NULL) == (rows[i].want == ERR_OK));
		labels_unref(l);
	}
}

static void there_is_a_ceiling(void **state)
{
	(void)state;
	struct labels_builder b;
	struct labels *l = NULL;
	char name[16];
	labels_builder_init(&b);
	for (int i = 0; i < LABELS_COUNT_MAX; i++) {
		snprintf(name, sizeof name, "l%d", i);
		labels_builder_set(&b, name, "x");
	}
	assert_int_equal(labels_builder_build(&b, &l, NULL), ERR_OK);
	assert_int_equal(labels_count(l), LABELS_COUNT_MAX);
	for (size_t i = 1; i < labels_count(l); i++)
		assert_true(strcmp(labels_at(l, i - 1)->name, labels_at(l, i)->name) < 0);
	labels_unref(l);
	labels_builder_set(&b, "one_more", "x");
	assert_int_equal(labels_builder_build(&b, &l, NULL), ERR_LIMIT);
	labels_builder_from(&b, NULL);

	char *huge = malloc(LABELS_TEXT_MAX + 1);
	memset(huge, 'x', LABELS_TEXT_MAX + 1);
	labels_builder_set_n(&b, "huge", 4, huge, LABELS_TEXT_MAX + 1);
	assert_int_equal(labels_builder_build(&b, &l, NULL), ERR_LIMIT);
	free(huge);
	labels_builder_release(&b);
}

static void the_builder_replaces_and_removes(void **state)
{
	(void)state;
	struct labels_builder b;
	struct labels *l = NULL, *again = NULL;
	labels_builder_init(&b);
	labels_builder_set(&b, "b", "1");
	labels_builder_set(&b, "a", "1");
	labels_builder_set(&b, "b", "2");
	labels_builder_set(&b, "c", "3");
	labels_builder_remove(&b, "a");
	labels_builder_set(&b, "c", "");
	labels_builder_remove(&b, "never");
	assert_int_equal(labels_builder_build(&b, &l, NULL), ERR_OK);
	assert_prints(l, "{b=\"2\"}");
	labels_builder_from(&b, l);
	labels_builder_set(&b, "__name__", "m");
	assert_int_equal(labels_builder_build(&b, &again, NULL), ERR_OK);
	assert_prints(again, "m{b=\"2\"}");
	labels_unref(l);
	labels_unref(again);
	labels_builder_set(&b, "", "x");
	assert_int_equal(labels_builder_build(&b, &l, NULL), ERR_FORMAT);
	labels_builder_release(&b);
}

static void order_and_equality(void **state)
{
	(void)state;
	struct labels *rows[] = {
		labels_of("dropped", "", NULL),
		labels_of("a", "1", NULL),
		labels_of("a", "1", "b", "1", NULL),
		labels_of("a", "1", "c", "0", NULL),
		labels_of("a", "10", NULL),
		labels_of("a", "2", NULL),
		labels_of("aa", "0", NULL),
		labels_of("a\xff", "0", NULL),
	};
	size_t n = sizeof rows / sizeof rows[0];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			int want = (i > k) - (i < k), order = labels_compare(rows[i], rows[k]);
			assert_int_equal((order > 0) - (order < 0), want);
			assert_int_equal(labels_equal(rows[i], rows[k]), i == k);
			assert_int_equal(labels_hash(rows[i]) == labels_hash(rows[k]), i == k);
		}
	struct labels *same = labels_of("b", "1", "a", "1", NULL);
	assert_true(labels_equal(same, rows[2]));
	labels_unref(same);
	for (size_t i = 0; i < n; i++)
		labels_unref(rows[i]);
}

static void values_with_nul_bytes_are_told_apart(void **state)
{
	(void)state;
	/* The same bytes, "a NUL 1 NUL b NUL 2 NUL", cut in two ways. */
	struct label two[] = { { "a", "1", 1, 1 }, { "b", "2", 1, 1 } };
	struct label one[] = { { "a", "1\0b\0002", 1, 5 } };
	struct labels *x, *y;
	assert_int_equal(labels_new(two, 2, &x, NULL), ERR_OK);
	assert_int_equal(labels_new(one, 1, &y, NULL), ERR_OK);
	assert_false(labels_equal(x, y));
	assert_int_not_equal(labels_compare(x, y), 0);
	labels_unref(x);
	labels_unref(y);
}

static void printed_as_in_the_exposition_format(void **state)
{
	(void)state;
	static const struct { const char *metric, *name, *value, *want; } rows[] = {
		{ "up", "", "", "up" },
		{ "", "", "", "{}" },
		{ "up", "a", "x", "up{a=\"x\"}" },
		{ "job:x", "a", "q\"b\\n\n", "job:x{a=\"q\\\"b\\\\n\\n\"}" },
		{ "with.dot", "a", "x", "{\"with.dot\",a=\"x\"}" },
		{ "1up", "", "", "{\"1up\"}" },
		{ "up", "a.b", "x", "up{\"a.b\"=\"x\"}" },
		{ "up", "a:b", "x", "up{\"a:b\"=\"x\"}" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct labels_builder b;
		struct labels *l;
		labels_builder_init(&b);
		labels_builder_set(&b, LABEL_NAME, rows[i].metric);
		if (rows[i].name[0] != '\0')
			labels_builder_set(&b, rows[i].name, rows[i].value);
		assert_int_equal(labels_builder_build(&b, &l, NULL), ERR_OK);
		assert_prints(l, rows[i].want);
		labels_unref(l);
		labels_builder_release(&b);
	}
}

static void the_target_wins_and_the_series_is_kept_as_exported(void **state)
{
	(void)state;
	struct labels *target = labels_of("instance", "n1", "job", "vllm", NULL);
	struct {
		struct labels *series;
		const char    *want;
	} rows[] = {
		{ labels_of("__name__", "m", "a", "1", NULL), "m{a=\"1\",instance=\"n1\",job=\"vllm\"}" },
		{ labels_of("__name__", "m", "job", "x", NULL), "m{exported_job=\"x\",instance=\"n1\",job=\"vllm\"}" },
		{ labels_of("__name__", "m", "job", "x", "exported_job", "y", NULL),
		  "m{exported_exported_job=\"x\",exported_job=\"y\",instance=\"n1\",job=\"vllm\"}" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct labels *l;
		assert_int_equal(labels_with_target(rows[i].series, target, &l, NULL), ERR_OK);
		assert_prints(l, rows[i].want);
		labels_unref(l);
		labels_unref(rows[i].series);
	}
	labels_unref(target);

	target = labels_of("a", "t1", "exported_a", "t2", NULL);
	struct labels *series = labels_of("a", "s1", "exported_a", "s2", NULL), *l;
	assert_int_equal(labels_with_target(series, target, &l, NULL), ERR_OK);
	assert_prints(l, "{a=\"t1\",exported_a=\"t2\",exported_exported_a=\"s1\",exported_exported_exported_a=\"s2\"}");
	labels_unref(l);
	labels_unref(series);
	labels_unref(target);

	target = labels_of("__rules__", "a.yml;g", "job", "x", NULL);
	series = labels_of("__name__", "m", "__rules__", "mine", NULL);
	assert_int_equal(labels_with_target(series, target, &l, NULL), ERR_OK);
	assert_prints(l, "m{__rules__=\"mine\",job=\"x\"}");
	labels_unref(l);
	labels_unref(series);
	labels_unref(target);
}

static void stored_and_read_back(void **state)
{
	(void)state;
	struct label pairs[] = { { "nul", "a\0b", 3, 3 }, { "__name__", "m", 8, 1 }, { "utf", "\xe2\x82\xac", 3, 3 } };
	struct labels *l, *back;
	struct buf bytes;
	buf_init(&bytes, 1000);
	assert_int_equal(labels_new(pairs, 3, &l, NULL), ERR_OK);
	assert_int_equal(labels_encode(l, &bytes), ERR_OK);
	size_t whole = bytes.len, used = 0;
	buf_puts(&bytes, "what follows");
	assert_int_equal(labels_decode(bytes.data, bytes.len, &used, &back, NULL), ERR_OK);
	assert_int_equal(used, whole);
	assert_true(labels_equal(l, back));
	labels_unref(back);
	/* Cut anywhere, it is refused; the block is copied to its exact size, so that reading past its end is seen. */
	for (size_t n = 0; n < whole; n++) {
		struct why why;
		char *cut = malloc(n + (n == 0));
		memcpy(cut, bytes.data, n);
		assert_int_equal(labels_decode(cut, n, &used, &back, &why), ERR_CORRUPT);
		free(cut);
	}
	labels_unref(l);
	buf_release(&bytes);
}

static void hostile_bytes_are_refused(void **state)
{
	(void)state;
	static const struct { const char *label; size_t n; const char *bytes; } rows[] = {
		{ "a count of 2^63", 10, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" },
		{ "more pairs than bytes", 5, "\x09\x01""a\x01""b" },
		{ "a length past the end", 5, "\x01\x01""a\x7f""b" },
		{ "a length of 2^64 - 1", 13, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01""ab" },
		{ "an empty name", 5, "\x01\x00\x01""b " },
		{ "an empty value", 5, "\x01\x01""a\x00 " },
		{ "names out of order", 9, "\x02\x01""b\x01""1\x01""a\x01""2" },
		{ "a name twice", 9, "\x02\x01""a\x01""1\x01""a\x01""2" },
		{ "a NUL in a name", 7, "\x01\x03""a\0b\x01""1" },
		{ "nothing", 0, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct labels *l = NULL;
		struct why why;
		size_t used = 77;
		assert_row(rows[i].label, labels_decode(rows[i].bytes, rows[i].n, &used, &l, &why) == ERR_CORRUPT);
		assert_row(rows[i].label, l == NULL && used == 77);
	}
	struct labels *l;
	assert_int_equal(labels_decode("\0", 1, NULL, &l, NULL), ERR_OK);
	assert_int_equal(labels_count(l), 0);
	labels_unref(l);
}

static const struct labels *label_of(const void *owner, size_t number)
{
	return ((struct labels *const *)owner)[number];
}

static void an_index_finds_what_is_in_it(void **state)
{
	enum { MANY = 1000 };
	static struct labels *all[MANY];
	struct labels_index x;
	size_t found = 0;
	(void)state;
	labels_index_init(&x, label_of, all);
	for (size_t i = 0; i < MANY; i++) {
		char name[16];
		snprintf(name, sizeof name, "%zu", i);
		all[i] = labels_of("x", name, NULL);
		assert_false(labels_index_find(&x, all[i], &found));
		assert_int_equal(labels_index_room(&x, i, i + 1), ERR_OK);
		labels_index_put(&x, i);
	}
	for (size_t i = 0; i < MANY; i++)
		assert_true(labels_index_find(&x, all[i], &found) && found == i);
	assert_int_equal(labels_index_fill(&x, MANY / 2), ERR_OK); /* the others are gone */
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(labels_index_find(&x, all[i], &found), i < MANY / 2);
	labels_index_release(&x);
	assert_false(labels_index_find(&x, all[0], &found));
	for (size_t i = 0; i < MANY; i++)
		labels_unref(all[i]);
}

static void shared_while_another_holds_it(void **state)
{
	(void)state;
	struct labels *l = labels_of("__name__", "up", NULL);
	assert_false(labels_is_shared(l));
	struct labels *other = labels_ref(l);
	assert_true(labels_is_shared(l));
	labels_unref(other);
	assert_false(labels_is_shared(l));
	labels_unref(l);
}

/* Where the pair that is kept apart stands among the others. */
static const struct {
	const char *label, *apart;
} places[] = { { "first", "Hostname" }, { "in the middle", "__name__" }, { "last", "uuid" } };

/* A set that consists of two others is as good as one with texts of its own. */
static void joined_of_two_others(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "Hostname", "a" }, { "__name__", "x\ny" }, { "gpu", "0" }, { "uuid", "1-2" } };
	struct labels *whole = labels_of("Hostname", "a", "__name__", "x\ny", "gpu", "0", "uuid", "1-2", NULL);
	for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
		struct labels_builder b;
		struct labels        *one = labels_of(places[k].apart, labels_get(whole, places[k].apart), NULL), *rest = NULL;
		labels_builder_init(&b);
		labels_builder_from(&b, whole);
		labels_builder_remove(&b, places[k].apart);
		assert_int_equal(labels_builder_build(&b, &rest, NULL), ERR_OK);
		labels_builder_release(&b);
		struct labels *joined = labels_join(whole, one, rest);
		struct labels *again = labels_join(whole, one, rest);
		labels_unref(one);
		labels_unref(rest);
		assert_non_null(joined);
		if (labels_count(joined) != 4 || labels_hash(joined) != labels_hash(whole) || !labels_equal(joined, whole) || !labels_equal(whole, joined) ||
		    !labels_equal(joined, again) || labels_compare(joined, whole) != 0)
			fail_msg("%s: not equal", places[k].label);
		for (size_t i = 0; i < 4; i++) {
			assert_string_equal(labels_at(joined, i)->name, pairs[i][0]);
			assert_string_equal(labels_get(joined, pairs[i][0]), pairs[i][1]);
		}
		assert_null(labels_find(joined, "host"));
		assert_prints(joined, "{\"x\\ny\",Hostname=\"a\",gpu=\"0\",uuid=\"1-2\"}");
		labels_unref(again);
		labels_unref(joined);
	}
	/* The same pairs but one, of the same lengths. */
	struct labels *other = labels_of("Hostname", "a", "__name__", "x\ny", "gpu", "1", "uuid", "1-2", NULL);
	struct labels *one = labels_of("__name__", "x\ny", NULL), *rest = labels_of("Hostname", "a", "gpu", "1", "uuid", "1-2", NULL);
	struct labels *joined = labels_join(other, one, rest);
	assert_false(labels_equal(joined, whole));
	assert_true(labels_compare(whole, joined) < 0);
	labels_unref(other);
	labels_unref(one);
	labels_unref(rest);
	labels_unref(joined);
	labels_unref(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_while_another_holds_it),
		cmocka_unit_test(joined_of_two_others),
		cmocka_unit_test(a_set_is_sorted_and_drops_empty_values),
		cmocka_unit_test(wrong_pairs_are_refused),
		cmocka_unit_test(there_is_a_ceiling),
		cmocka_unit_test(the_builder_replaces_and_removes),
		cmocka_unit_test(order_and_equality),
		cmocka_unit_test(values_with_nul_bytes_are_told_apart),
		cmocka_unit_test(printed_as_in_the_exposition_format),
		cmocka_unit_test(the_target_wins_and_the_series_is_kept_as_exported),
		cmocka_unit_test(stored_and_read_back),
		cmocka_unit_test(hostile_bytes_are_refused),
		cmocka_unit_test(an_index_finds_what_is_in_it),
	};
	return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
