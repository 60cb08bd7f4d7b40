/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/exposition.h"
#include "collectors/plan.h"
#include "collectors/series_pool.h"

static struct labels *made(const char *metric, size_t i)
{
	char text[24];
	snprintf(text, sizeof text, "%zu", i);
	return labels_of("__name__", metric, "i", text, NULL);
}

static void test_equal_series_are_one(void **state)
{
	(void)state;
	struct series_pool p;
	series_pool_init(&p, 7);
	struct labels *a = made("m", 1), *b = made("m", 1), *c = made("m", 2);
	struct labels *kept[3] = { series_pool_keep(&p, a), series_pool_keep(&p, b), series_pool_keep(&p, c) };
	assert_ptr_equal(kept[0], a);
	assert_ptr_equal(kept[1], a);
	assert_ptr_equal(kept[2], c);
	assert_int_equal(p.n, 2);
	labels_unref(a);
	labels_unref(b);
	labels_unref(c);
	assert_string_equal(labels_get(kept[1], "i"), "1");
	series_pool_drop(&p, kept, 3);
	series_pool_release(&p);
}

/* Series that come and go leave the pool, whether or not others stay. */
static void test_churn_is_bounded(void **state)
{
	(void)state;
	enum { ROUND = 1000, ROUNDS = 50 };
	struct series_pool p;
	struct labels     *stay[ROUND], *go[ROUND];
	series_pool_init(&p, 7);
	for (size_t i = 0; i < ROUND; i++) {
		struct labels *l = made("stays", i);
		stay[i] = series_pool_keep(&p, l);
		labels_unref(l);
	}
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < ROUND; i++) {
			struct labels *l = made("goes", round * ROUND + i);
			go[i] = series_pool_keep(&p, l);
			labels_unref(l);
		}
		series_pool_drop(&p, go, ROUND);
		assert_true(p.n <= 8 * ROUND);
	}
	for (size_t i = 0; i < ROUND; i++) {
		struct labels *l = made("stays", i);
		struct labels *again = series_pool_keep(&p, l);
		assert_ptr_equal(again, stay[i]);
		labels_unref(again);
		labels_unref(l);
	}
	series_pool_drop(&p, stay, ROUND);
	series_pool_release(&p);
}

static struct labels *gpu_field(const char *metric, size_t i)
{
	char text[24];
	snprintf(text, sizeof text, "GPU-%zu", i);
	return labels_of("__name__", metric, "Hostname", "a", "UUID", text, "gpu", "0", NULL);
}

/* What the fields of one GPU have in common is there once, and their names are. */
static void test_fields_of_a_gpu_share(void **state)
{
	(void)state;
	struct series_pool p;
	struct labels     *made[3] = { gpu_field("temp", 1), gpu_field("power", 1), gpu_field("temp", 2) }, *kept[3];
	series_pool_init(&p, 7);
	for (size_t i = 0; i < 3; i++) {
		kept[i] = series_pool_keep(&p, made[i]);
		assert_true(labels_equal(kept[i], made[i]));
		struct labels *again = series_pool_keep(&p, made[i]);
		assert_ptr_equal(again, kept[i]);
		labels_unref(again);
		labels_unref(made[i]);
	}
	assert_ptr_equal(labels_find(kept[0], "UUID"), labels_find(kept[1], "UUID"));
	assert_ptr_equal(labels_find(kept[0], "__name__"), labels_find(kept[2], "__name__"));
	assert_string_equal(labels_get(kept[2], "UUID"), "GPU-2");
	series_pool_drop(&p, kept, 3);
	series_pool_release(&p);
}

/* GPUs that come and go leave the pool, with all that they consisted of. */
static void test_parts_go(void **state)
{
	(void)state;
	enum { ROUND = 1000, ROUNDS = 30 };
	struct series_pool p;
	struct labels     *go[ROUND];
	series_pool_init(&p, 7);
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < ROUND; i++) {
			struct labels *l = gpu_field("temp", round * ROUND + i);
			go[i] = series_pool_keep(&p, l);
			labels_unref(l);
		}
		series_pool_drop(&p, go, ROUND);
		assert_true(p.n <= 16 * ROUND);
	}
	series_pool_release(&p);
}

/* Where all is about to go, nothing is looked through for what may. */
static void test_an_end_tidies_nothing(void **state)
{
	(void)state;
	enum { SOME = 10000 };
	struct series_pool p;
	struct labels     *kept[SOME];
	series_pool_init(&p, 7);
	for (size_t i = 0; i < SOME; i++) {
		struct labels *l = made("m", i);
		kept[i] = series_pool_keep(&p, l);
		labels_unref(l);
	}
	size_t n_slots = p.n_slots;
	p.is_ending = true;
	series_pool_drop(&p, kept, SOME);
	assert_int_equal(p.n, SOME);
	assert_int_equal(p.n_slots, n_slots);
	p.is_ending = false;
	p.n_dropped++;
	series_pool_drop(&p, kept, 0);
	assert_int_equal(p.n, 0);
	series_pool_release(&p);
}

static const char page[] = "# HELP up it\n# TYPE up gauge\nup{} %d\nother{a=\"b\"} 1\ngpu{Hostname=\"%s\"} 5\n";

/* Like nodes: what they both say is there once, what they differ in is each one's own; and each is predicted. */
static void test_like_nodes_share(void **state)
{
	(void)state;
	struct why              why = { "" };
	struct exposition_pool *pool = NULL;
	struct exposition      *e[2] = { NULL, NULL };
	struct scrape           s[2];
	char                    body[256];
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2; i++) {
			if (round == 0)
				assert_int_equal(exposition_new(pool, &e[i]), ERR_OK);
			int len = snprintf(body, sizeof body, page, round, i == 0 ? "a" : "b");
			assert_ok(exposition_parse(e[i], body, (size_t)len, EXPOSITION_TEXT, &s[i], &why));
			assert_int_equal(s[i].was_predicted, round > 0);
			assert_true(s[i].values[0] >= round && s[i].values[0] <= round);
		}
	}
	struct labels *const *a = exposition_layout_series(s[0].layout), *const *b = exposition_layout_series(s[1].layout);
	assert_ptr_equal(a[0], b[0]);
	assert_ptr_equal(a[1], b[1]);
	assert_ptr_not_equal(a[2], b[2]);
	assert_string_equal(labels_get(a[2], "Hostname"), "a");
	assert_string_equal(labels_get(b[2], "Hostname"), "b");
	/* A layout that outlives the pool and its expositions is whole. */
	struct exposition_layout *kept = exposition_layout_ref(s[1].layout);
	exposition_free(e[0]);
	exposition_free(e[1]);
	exposition_pool_free(pool);
	assert_string_equal(labels_metric(exposition_layout_series(kept)[1]), "other");
	exposition_layout_unref(kept);
}

/* What stretches have of text in a pool. */
static size_t text_of(const struct exposition_pool *pool)
{
	size_t n = 0;
	for (size_t i = 0; i < CHUNK_BUCKETS; i++)
		for (const struct chunk *k = pool->chunks.buckets[i]; k != NULL; k = k->next)
			n += k->is_joined ? 0 : k->text_len;
	return n;
}

enum { FIELDS = 12, GPUS = 8 };

/* `odd`: the field of which the labels of GPU 0 are those of another host; FIELDS: none. */
static size_t gpu_page(char *to, size_t size, int host, size_t odd, size_t value)
{
	size_t at = 0;
	for (size_t f = 0; f < FIELDS; f++)
		for (size_t g = 0; g < GPUS; g++)
			at += (size_t)snprintf(to + at, size - at, "%sfield%zu{gpu=\"%zu\",UUID=\"GPU-%d-%zu\",modelName=\"NVIDIA H100 80GB\",Hostname=\"%d\"} %zu\n",
			                       g == 0 ? "# some comment with a { in it\n" : "", f, g, host, g, f == odd && g == 0 ? host + 10 : host, value + f);
	return at;
}

/* Each further node has the text of its GPUs' labels once, not for each field. A label that is another one's is seen. */
static void test_like_nodes_cost_little_text(void **state)
{
	(void)state;
	enum { NODES = 5 };
	struct why              why = { "" };
	struct exposition_pool *pool = NULL;
	struct exposition      *e[NODES];
	struct scrape           s;
	char                    body[32768];
	size_t                  text[NODES], len = 0;
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(exposition_new(pool, &e[i]), ERR_OK);
		len = gpu_page(body, sizeof body, i, FIELDS, 1);
		assert_ok(exposition_parse(e[i], body, len, EXPOSITION_TEXT, &s, &why));
		text[i] = text_of(pool);
	}
	assert_true(text[0] > len - 1000 && text[1] > text[0]);
	for (int i = 2; i < NODES; i++)
		assert_true(text[i] - text[i - 1] < len / 8);
	for (size_t odd = 0; odd <= FIELDS; odd++) {
		for (int i = 0; i < NODES; i++) {
			len = gpu_page(body, sizeof body, i, FIELDS, odd);
			assert_ok(exposition_parse(e[i], body, len, EXPOSITION_TEXT, &s, &why));
			assert_true(odd == 0 || i == NODES - 1 || s.was_predicted);
			assert_int_equal((size_t)s.values[FIELDS * GPUS - 1], odd + FIELDS - 1);
		}
		len = gpu_page(body, sizeof body, NODES - 1, odd, odd);
		assert_ok(exposition_parse(e[NODES - 1], body, len, EXPOSITION_TEXT, &s, &why));
		assert_int_equal(s.was_predicted, odd == FIELDS);
		if (odd < FIELDS)
			assert_string_equal(labels_get(exposition_layout_series(s.layout)[odd * GPUS], "Hostname"), "14");
	}
	for (int i = 0; i < NODES; i++)
		exposition_free(e[i]);
	assert_int_equal(text_of(pool), 0);
	exposition_pool_free(pool);
}

/* What it said before is still there for a while, and not for ever. */
static void test_a_series_that_comes_and_goes(void **state)
{
	(void)state;
	static const char without[] = "a 1\nb 2\n", with[] = "a 1\nb 2\nc 3\n";
	struct why              why = { "" };
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	struct scrape           s;
	const struct exposition_layout *layout[2] = { NULL };
	char                    body[64];
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	for (size_t i = 0; i < 6; i++) {
		const char *text = i % 2 > 0 ? with : without;
		assert_ok(exposition_parse(e, text, strlen(text), EXPOSITION_TEXT, &s, &why));
		assert_true(s.layout_changed && !s.was_predicted && s.n == 2 + i % 2);
		assert_true(i < 2 || s.layout == layout[i % 2]);
		layout[i % 2] = s.layout;
	}
	for (size_t i = 0; i < 100; i++) {
		size_t len = (size_t)snprintf(body, sizeof body, "text%zu 1\n", 100 + i);
		assert_ok(exposition_parse(e, body, len, EXPOSITION_TEXT, &s, &why));
		assert_true(text_of(pool) <= (PLANS_KEPT + 1) * sizeof body);
	}
	for (size_t i = 0; i < 100; i++) /* all is quiet */
		assert_ok(exposition_parse(e, body, strlen(body), EXPOSITION_TEXT, &s, &why));
	assert_true(text_of(pool) <= strlen(body));
	exposition_free(e);
	exposition_pool_free(pool);
}

/* Bodies of every length around a chunk's, so that the last piece falls on each place in one. */
static void test_any_number_of_lines(void **state)
{
	(void)state;
	struct why              why = { "" };
	struct exposition_pool *pool = NULL;
	char                    body[4096];
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	for (size_t n = 0; n < 50; n++) {
		struct exposition *e = NULL;
		struct scrape      s;
		assert_int_equal(exposition_new(pool, &e), ERR_OK);
		for (size_t round = 0; round < 3; round++) {
			size_t len = 0;
			for (size_t i = 0; i < n; i++)
				len += (size_t)snprintf(body + len, sizeof body - len, "line%zu %zu\n", i, i * round);
			assert_ok(exposition_parse(e, body, len, EXPOSITION_TEXT, &s, &why));
			assert_int_equal(s.n, n);
			assert_int_equal(s.was_predicted, round > 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal((size_t)s.values[i], i * round);
		}
		if (n > 0) { /* the last line's end is missing, and there is a line more */
			size_t len = (size_t)snprintf(body, sizeof body, "line0 1");
			assert_int_equal(exposition_parse(e, body, len, EXPOSITION_TEXT, &s, &why), ERR_FORMAT);
		}
		exposition_free(e);
	}
	exposition_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_series_are_one),
		cmocka_unit_test(test_churn_is_bounded),
		cmocka_unit_test(test_like_nodes_share),
		cmocka_unit_test(test_any_number_of_lines),
		cmocka_unit_test(test_fields_of_a_gpu_share),
		cmocka_unit_test(test_parts_go),
		cmocka_unit_test(test_an_end_tidies_nothing),
		cmocka_unit_test(test_like_nodes_cost_little_text),
		cmocka_unit_test(test_a_series_that_comes_and_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
