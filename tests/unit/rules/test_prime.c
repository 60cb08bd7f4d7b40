/* SPDX-License-Identifier: Apache-2.0
 *
 * After a restart: what the store has of a target makes its rates be there with the first scrape. */
#include "tests/unit/unit.h"

#include "tests/unit/store_folder.h"

#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/stale.h"
#include "base/yaml.h"
#include "rules/eval.h"
#include "store/reader.h"
#include "store/store.h"

static const int64_t T0 = INT64_C(1790000000000);
static const char    rules[] = "groups:\n- name: g\n  rules:\n  - { record: r, expr: 'increase(b_total[1m])' }\n";

static int64_t record(const char *path, const struct clock *clock, struct labels *const *series)
{
	struct why            why = { "" };
	struct store         *s = NULL;
	const struct layout  *layout = NULL;
	struct labels        *labels = labels_of("instance", "a:1", NULL);
	struct store_options  o = { .path = path, .clock = clock };
	int64_t               id = 0;
	if (store_open(&o, &s, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_int_equal(store_target(s, labels, "http://a:1/metrics", &id, &why), ERR_OK);
	assert_int_equal(store_layout(s, series, 2, &layout, &why), ERR_OK);
	for (int i = 0; i < 6; i++) {
		double v[2] = { 100 + 10 * i, 1 };
		assert_int_equal(store_append(s, id, STREAM_SCRAPE, T0 + i * 10000, layout, v, &why), ERR_OK);
	}
	assert_int_equal(store_flush(s, &why), ERR_OK);
	store_close(s);
	labels_unref(labels);
	return id;
}

static void test_prime(void **state)
{
	(void)state;
	struct store_folder   at;
	struct test_clock     clock;
	struct why            why = { "" };
	struct diagnostics    d;
	struct yaml          *tree = NULL;
	struct reader        *r = NULL;
	struct signal_engine *e = NULL;
	struct signal_target *t = NULL;
	struct signal_frame   frame;
	struct labels        *series[] = { labels_of("__name__", "b_total", NULL), labels_of("__name__", "c", NULL) };
	store_folder_make(&at, "prime");
	test_clock_init(&clock, T0 + 55000);
	int64_t id = record(at.path, &clock.clock, series);
	diagnostics_init(&d);
	assert_int_equal(yaml_parse(rules, strlen(rules), "p.yml", &d, &tree), ERR_OK);
	struct profile p = { .head = { .name = "p", .window_ms = 60000 }, .file = "p.yml", .tree = tree };
	assert_int_equal(signal_engine_new(NULL, &e, &why), ERR_OK);
	assert_int_equal(signal_engine_add(e, &p, &why), ERR_OK);
	assert_int_equal(signal_target_new(e, "p", 10000, NULL, &t, &why), ERR_OK);
	assert_int_equal(reader_open(at.path, READER_OWN, &r, &why), ERR_OK);
	assert_int_equal(signal_target_prime(t, r, id, T0 + 55000, &why), ERR_OK);
	reader_close(r);
	double v[2] = { 160, 1 };
	assert_int_equal(signal_target_scrape(t, T0 + 60000, series, v, 2, true, &frame, &why), ERR_OK);
	assert_int_equal(frame.n, 2);
	assert_true(!is_stale(frame.values[1]) && frame.values[1] > 59.999 && frame.values[1] < 60.001);
	signal_target_free(t);
	signal_engine_free(e);
	yaml_discard(tree);
	diagnostics_release(&d);
	labels_unref(series[0]);
	labels_unref(series[1]);
	store_folder_remove(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_prime) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
