/* SPDX-License-Identifier: Apache-2.0
 *
 * `slo:` of the fleet file: what is read, and a row for each mistake. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdbool.h>

#include "config/fleet.h"

static struct profiles *profiles;

static int set_up(void **state)
{
	static const char *const none[] = { "/nowhere" };
	struct why why;
	(void)state;
	return profiles_load(none, 1, NULL, &profiles, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	profiles_free(profiles);
	return 0;
}

static enum err parse(const char *slo, struct diagnostics *d, struct fleet **out)
{
	struct buf text;
	struct why why = { "" };
	buf_init(&text, 1 << 16);
	buf_printf(&text, "groups: []\nslo:%s\n", slo);
	diagnostics_init(d);
	enum err e = fleet_parse(buf_text(&text), text.len, "fleet.yml", profiles, d, out, &why);
	buf_release(&text);
	return e;
}

static void objectives_are_read(void **state)
{
	(void)state;
	struct diagnostics d;
	struct fleet *f = NULL;
	assert_int_equal(parse("\n  - { availability: 99.9 }\n"
	                       "  - { model: llama, availability: 99, latency: { threshold: 2s500ms, objective: 95, quantile: p95 }, window: 28d, min_requests: 50 }\n"
	                       "  - { model: bert, latency: { threshold: 30ms } }", &d, &f), ERR_OK);
	assert_int_equal(f->n_slos, 3);
	assert_true(f->slos[0].model[0] == '\0' && fabs(f->slos[0].availability - 0.999) < 1e-12 && f->slos[0].latency_objective == 0);
	assert_true(f->slos[0].window_ms == SLO_WINDOW_MS && f->slos[0].requests_min == SLO_REQUESTS_MIN);
	assert_string_equal(f->slos[1].model, "llama");
	assert_true(fabs(f->slos[1].latency_objective - 0.95) < 1e-12 && fabs(f->slos[1].latency_seconds - 2.5) < 1e-12);
	assert_string_equal(f->slos[1].latency_quantile, "p95");
	assert_true(f->slos[1].window_ms == INT64_C(28) * 86400 * 1000 && f->slos[1].requests_min == 50);
	assert_true(f->slos[2].availability == 0 && fabs(f->slos[2].latency_objective - 0.99) < 1e-12);
	assert_string_equal(f->slos[2].latency_quantile, "p99");
	fleet_free(f);
	diagnostics_release(&d);
}

static void mistakes_are_told(void **state)
{
	static const struct { const char *label, *slo, *said; } rows[] = {
		{ "nothing promised", " [ { model: a } ]", "needs 'availability', 'latency' or both" },
		{ "more than all", " [ { availability: 100 } ]", "availability" },
		{ "a share", " [ { availability: 0.999 } ]", "availability" },
		{ "no threshold", " [ { latency: { objective: 99 } } ]", "needs a 'threshold'" },
		{ "another quantile", " [ { latency: { threshold: 1s, quantile: p90 } } ]", "p50, p95, p99 or mean" },
		{ "twice for all", " [ { availability: 99 }, { availability: 98 } ]", "without a model already" },
		{ "twice for one", " [ { model: a, availability: 99 }, { model: a, availability: 98 } ]", "'a' has an item" },
		{ "a short window", " [ { availability: 99, window: 1h } ]", "window" },
		{ "an unknown key", " [ { availabilty: 99 } ]", "did you mean 'availability'" },
		{ "no list", " { availability: 99 }", "list" },
		{ "an empty model", " [ { model: '', availability: 99 } ]", "empty" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct diagnostics d;
		struct fleet *f = NULL;
		bool is_said = false;
		assert_row(rows[i].label, parse(rows[i].slo, &d, &f) == ERR_FORMAT && f == NULL);
		for (size_t k = 0; k < d.n; k++)
			is_said |= strstr(d.items[k].text, rows[i].said) != NULL;
		assert_row(rows[i].label, is_said);
		diagnostics_release(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(objectives_are_read), cmocka_unit_test(mistakes_are_told) };
	return cmocka_run_group_tests_name("slo", tests, set_up, tear_down);
}
