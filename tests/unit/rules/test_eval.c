/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation after scrapes, with profiles made for the purpose: what a frame holds when targets fail, rules fail, series come and go. */
#include "tests/unit/unit.h"

#include <math.h>

#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/stale.h"
#include "base/yaml.h"
#include "rules/eval.h"

enum { S_A, S_B, S_TOTAL, S_GONE, SERIES };

struct fixture {
	struct diagnostics    d;
	struct yaml          *tree;
	struct profile        profile;
	struct signal_engine *engine;
	struct signal_target *target;
	struct labels        *series[SERIES];
	struct buf            text, errors;
	int                   n_errors;
	struct why            why;
};

static void on_error(void *ctx, void *target_ctx, const char *rule, const char *text)
{
	struct fixture *f = ctx;
	assert_ptr_equal(target_ctx, &f->profile);
	f->n_errors++;
	buf_printf(&f->errors, "%s: %s\n", rule, text);
}

static enum err start(struct fixture *f, const char *rules, int64_t interval_ms, size_t series_max)
{
	struct buf file;
	*f = (struct fixture){ .tree = NULL };
	buf_init(&file, 10000);
	buf_init(&f->text, 10000);
	buf_init(&f->errors, 10000);
	buf_printf(&file, "groups:\n- name: g\n  rules:\n%s", rules);
	diagnostics_init(&f->d);
	assert_int_equal(yaml_parse(file.data, file.len, "p.yml", &f->d, &f->tree), ERR_OK);
	buf_release(&file);
	f->profile = (struct profile){ .head = { .name = "p", .window_ms = 60000 }, .file = "p.yml", .tree = f->tree };
	f->series[S_A] = labels_of("__name__", "a", "x", "1", NULL);
	f->series[S_B] = labels_of("__name__", "a", "x", "2", NULL);
	f->series[S_TOTAL] = labels_of("__name__", "b_total", NULL);
	f->series[S_GONE] = labels_of("__name__", "c", NULL);
	struct signal_options o = { .report = on_error, .ctx = f, .series_max = series_max };
	assert_int_equal(signal_engine_new(&o, &f->engine, &f->why), ERR_OK);
	enum err e = signal_engine_add(f->engine, &f->profile, &f->why);
	if (e == ERR_OK)
		e = signal_target_new(f->engine, "p", interval_ms, &f->profile, &f->target, &f->why);
	return e;
}

static void end(struct fixture *f)
{
	signal_target_free(f->target);
	signal_engine_free(f->engine);
	yaml_discard(f->tree);
	diagnostics_release(&f->d);
	for (int i = 0; i < SERIES; i++)
		labels_unref(f->series[i]);
	buf_release(&f->text);
	buf_release(&f->errors);
}

/* "signal:up 1; x{a="b"} 2; y --": the frame, "*" before it when its series are new. */
static const char *frame_text(struct fixture *f, const struct signal_frame *frame)
{
	buf_clear(&f->text);
	buf_puts(&f->text, frame->has_new_series ? "*" : "");
	for (size_t i = 0; i < frame->n; i++) {
		buf_puts(&f->text, i > 0 ? "; " : "");
		labels_print(frame->series[i], &f->text);
		if (is_stale(frame->values[i]))
			buf_puts(&f->text, " --");
		else
			buf_printf(&f->text, " %g", frame->values[i]);
	}
	return buf_text(&f->text);
}

static const char *scrape(struct fixture *f, int64_t t_s, double a, double b, double total, double gone)
{
	double              v[SERIES] = { a, b, total, gone };
	struct signal_frame frame;
	assert_int_equal(signal_target_scrape(f->target, t_s * 1000, f->series, v, SERIES, false, &frame, &f->why), ERR_OK);
	return frame_text(f, &frame);
}

static const char *fail_scrape(struct fixture *f, int64_t t_s)
{
	struct signal_frame frame;
	assert_int_equal(signal_target_failed(f->target, t_s * 1000, &frame, &f->why), ERR_OK);
	return frame_text(f, &frame);
}

static void test_frames(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f,
	                       "  - { record: n, expr: a > 1, labels: { team: t, x: \"\" } }\n"
	                       "  - { record: r, expr: 'rate(b_total[1m])' }\n"
	                       "  - { record: s, expr: '7' }\n",
	                       10000, 0),
	                 ERR_OK);
	assert_string_equal(fail_scrape(&f, 0), "*signal:up 0");
	assert_string_equal(scrape(&f, 10, 0, 2, 100, 1), "*signal:up 1; n{team=\"t\"} 2; s 7");
	assert_string_equal(scrape(&f, 20, 0, 3, 110, 1), "*signal:up 1; n{team=\"t\"} 3; r 1; s 7");
	assert_string_equal(scrape(&f, 30, 0, 0, 120, 1), "signal:up 1; n{team=\"t\"} --; r 1; s 7");
	assert_string_equal(fail_scrape(&f, 40), "signal:up 0; n{team=\"t\"} --; r --; s --");
	assert_string_equal(scrape(&f, 50, 0, 1.5, 140, 1), "signal:up 1; n{team=\"t\"} 1.5; r 1; s 7");
	/* The clock was set back: the past does not count. */
	assert_string_equal(scrape(&f, 5, 0, 1.5, 140, 1), "signal:up 1; n{team=\"t\"} 1.5; r --; s 7");
	assert_int_equal(f.n_errors, 0);
	end(&f);
}

/* Known without any rule, and of a rule's and this one the lesser counts. */
static void test_certificate(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f, "  - { record: 'signal:certificate_expiry_seconds', expr: 'sum(c) > 0' }\n  - { record: z, expr: '7' }\n", 10000, 0), ERR_OK);
	assert_string_equal(scrape(&f, 10, 0, 0, 0, 0), "*signal:up 1; z 7");
	signal_target_certificate(f.target, 100000);
	assert_string_equal(scrape(&f, 20, 0, 0, 0, 0), "*signal:up 1; z 7; signal:certificate_expiry_seconds 80");
	assert_string_equal(scrape(&f, 30, 0, 0, 0, 0), "signal:up 1; z 7; signal:certificate_expiry_seconds 70");
	assert_string_equal(scrape(&f, 40, 0, 0, 0, 50), "signal:up 1; z 7; signal:certificate_expiry_seconds 50");
	assert_string_equal(scrape(&f, 50, 0, 0, 0, 60), "signal:up 1; z 7; signal:certificate_expiry_seconds 50");
	assert_string_equal(fail_scrape(&f, 130), "signal:up 0; z --; signal:certificate_expiry_seconds -30"); /* it ended, and nobody takes it any more */
	signal_target_dropped(f.target, 12);
	assert_string_equal(scrape(&f, 135, 0, 0, 0, 0), "*signal:up 1; z 7; signal:certificate_expiry_seconds -35; signal:series_dropped 12");
	signal_target_dropped(f.target, 0);
	signal_target_certificate(f.target, 0);
	assert_string_equal(scrape(&f, 140, 0, 0, 0, 0), "signal:up 1; z 7; signal:certificate_expiry_seconds --; signal:series_dropped --");
	assert_int_equal(f.n_errors, 0);
	end(&f);
}

/* What is not a number is no signal; a series that is stale is not there. */
static void test_nan(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f, "  - { record: n, expr: 'sum(a) / sum(c)' }\n  - { record: m, expr: 'sum(b_total)' }\n", 10000, 0), ERR_OK);
	assert_string_equal(scrape(&f, 10, 0, 0, stale_mark(), 0), "*signal:up 1");
	assert_string_equal(scrape(&f, 20, 1, 1, 5, 4), "*signal:up 1; n 0.5; m 5");
	assert_string_equal(scrape(&f, 30, 0, 0, stale_mark(), 0), "signal:up 1; n --; m --");
	end(&f);
}

static void test_rules_see_earlier_ones(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f,
	                       "  - { record: late, expr: early * 2 }\n"
	                       "  - { record: early, expr: sum(a) }\n"
	                       "  - { record: double, expr: early * 2 }\n"
	                       "  - { record: all, expr: 'count({__name__=~\"early|double|a\"})' }\n"
	                       "  - { record: is_up, expr: 'signal:up + 1' }\n",
	                       10000, 0),
	                 ERR_OK);
	assert_string_equal(scrape(&f, 10, 1, 2, 0, 0), "*signal:up 1; early 3; double 6; all 4; is_up 2");
	end(&f);
}

static void test_rule_errors(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f,
	                       "  - { record: ok, expr: sum(a) }\n"
	                       "  - { record: many, expr: 'a * on () a' }\n"
	                       "  - { record: twice, expr: a, labels: { x: same } }\n"
	                       "  - { record: ok, expr: sum(a) + 1 }\n"
	                       "  - { record: last, expr: max(a) }\n",
	                       10000, 0),
	                 ERR_OK);
	for (int t = 10; t <= 30; t += 10) {
		const char *got = scrape(&f, t, 1, 2, 0, 0);
		assert_string_equal(got + (got[0] == '*'), "signal:up 1; ok 3; twice{x=\"same\"} --; last 2");
	}
	assert_int_equal(f.n_errors, 3);
	assert_non_null(strstr(buf_text(&f.errors), "many: "));
	assert_non_null(strstr(buf_text(&f.errors), "twice: gives the same series twice"));
	assert_non_null(strstr(buf_text(&f.errors), "ok: gives the same series twice, or one that an earlier rule gave"));
	end(&f);
}

/* A target that is polled every minute still has rates, over four minutes. */
static void test_widened(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f, "  - { record: r, expr: 'increase(b_total[1m])' }\n", 60000, 0), ERR_OK);
	scrape(&f, 60, 0, 0, 0, 0);
	assert_string_equal(scrape(&f, 120, 0, 0, 10, 0), "*signal:up 1; r 10");
	scrape(&f, 180, 0, 0, 20, 0);
	assert_string_equal(scrape(&f, 240, 0, 0, 30, 0), "signal:up 1; r 30");
	assert_string_equal(scrape(&f, 300, 0, 0, 40, 0), "signal:up 1; r 40");
	assert_string_equal(scrape(&f, 360, 0, 0, 40, 0), "signal:up 1; r 26.6667");
	end(&f);
}

static double value_of(const struct signal_frame *f, const char *metric)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(labels_metric(f->series[i]), metric) == 0)
			return f->values[i];
	}
	return stale_mark();
}

enum { H_REQUESTS, H_FAST, H_ALL, H_SERIES };

/* A server that does five requests a second, one in a hundred of which takes longer than the last bucket. */
static void make_server(struct labels *to[H_SERIES])
{
	to[H_REQUESTS] = labels_of("__name__", "requests_total", NULL);
	to[H_FAST] = labels_of("__name__", "seconds_bucket", "le", "0.1", NULL);
	to[H_ALL] = labels_of("__name__", "seconds_bucket", "le", "+Inf", NULL);
}

static const char server_rules[] = "  - { record: rate, expr: 'sum(rate(requests_total[1m]))' }\n"
				   "  - { record: rate5, expr: 'sum(rate(requests_total[5m]))' }\n"
				   "  - { record: p90, expr: 'histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[1m])))' }\n";

static void scrape_server(struct fixture *f, struct labels *const series[H_SERIES], double t_s, double counted, struct signal_frame *frame)
{
	double v[H_SERIES] = { 5 * counted, 4.95 * counted, 5 * counted };
	int64_t wall_ms = (int64_t)(t_s * 1000);
	assert_int_equal(signal_target_scrape(f->target, wall_ms, series, v, H_SERIES, true, frame, &f->why), ERR_OK);
}

/* Rates are over the time that was looked at: true from the second scrape on, wherever the counter stood, and after an outage. */
static void test_first_minute(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		int         scrapes;
		double      before;    /* seconds for which the server had counted at the first scrape */
		int         outage_at; /* the scrape before which the target was silent for two minutes; 0: none */
	} rows[] = {
		{ "two scrapes", 2, 1e6, 0 },
		{ "three scrapes", 3, 1e6, 0 },
		{ "six scrapes", 6, 1e6, 0 },
		{ "a full window", 14, 1e6, 0 },
		{ "more than that", 40, 1e6, 0 },
		{ "two scrapes from zero", 2, 0, 0 },
		{ "six scrapes from zero", 6, 0, 0 },
		{ "two after an outage", 22, 1e6, 20 },
		{ "six after an outage", 26, 1e6, 20 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture      f;
		struct labels      *series[H_SERIES];
		struct signal_frame frame = { .n = 0 };
		make_server(series);
		assert_int_equal(start(&f, server_rules, 5000, 0), ERR_OK);
		double t_s = 1000;
		for (int k = 0; k < rows[i].scrapes; k++) {
			for (int down = 0; k > 0 && k == rows[i].outage_at && down < 24; down++)
				assert_int_equal(signal_target_failed(f.target, (int64_t)((t_s += 5) * 1000), &frame, &f.why), ERR_OK);
			t_s += 5 + (k % 2 == 0 ? 0.02 : -0.02);
			scrape_server(&f, series, t_s, rows[i].before + t_s - 1005.02, &frame);
			if (k == 0)
				assert_row(rows[i].label, is_stale(value_of(&frame, "rate")));
		}
		assert_row(rows[i].label, fabs(value_of(&frame, "rate") - 5) < 0.05);
		assert_row(rows[i].label, fabs(value_of(&frame, "rate5") - 5) < 0.05);
		assert_row(rows[i].label, fabs(value_of(&frame, "p90") - 0.1 * 0.9 / 0.99) < 1e-3);
		assert_int_equal(f.n_errors, 0);
		for (int k = 0; k < H_SERIES; k++)
			labels_unref(series[k]);
		end(&f);
	}
}

/* A series that vanishes is absent at once; of what it counted before, ranges have what they reach, as in the store. */
static void test_vanished(void **state)
{
	(void)state;
	struct fixture      f;
	struct signal_frame frame = { .n = 0 };
	assert_int_equal(start(&f,
	                       "  - { record: now, expr: 'sum(b_total)' }\n"
	                       "  - { record: n, expr: 'count_over_time(b_total[1m])' }\n"
	                       "  - { record: r, expr: 'sum(increase(b_total[1m]))' }\n",
	                       10000, 0),
	                 ERR_OK);
	for (int t = 10; t <= 90; t += 10)
		scrape(&f, t, 0, 0, t, 0);
	for (int t = 100; t <= 240; t += 10) {
		double v = 1;
		assert_int_equal(signal_target_scrape(f.target, t * 1000, &f.series[S_A], &v, 1, t == 100, &frame, &f.why), ERR_OK);
		int left = (90 - (t - 60)) / 10; /* samples of b_total in the window */
		assert_true(is_stale(value_of(&frame, "now")));
		assert_true(left > 0 ? value_of(&frame, "n") == left : is_stale(value_of(&frame, "n")));
		assert_int_equal(is_stale(value_of(&frame, "r")), left < 2);
	}
	assert_int_equal(f.n_errors, 0);
	end(&f);
}

static void test_offset(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f, "  - { record: before, expr: 'c offset 20s' }\n", 10000, 0), ERR_OK);
	scrape(&f, 10, 0, 0, 0, 1);
	scrape(&f, 20, 0, 0, 0, 2);
	assert_string_equal(scrape(&f, 31, 0, 0, 0, 3), "*signal:up 1; before 1");
	end(&f);
}

static void test_too_many(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f, "  - { record: n, expr: count(a) }\n", 10000, 1), ERR_OK);
	assert_string_equal(scrape(&f, 10, 1, 1, 0, 0), "*signal:up 1; n 1");
	assert_int_equal(f.n_errors, 1);
	assert_non_null(strstr(buf_text(&f.errors), "1 series more than its rules may look at"));
	end(&f);
}

/* Signals that come with ever new labels do not pile up. */
static void test_list_stays_short(void **state)
{
	(void)state;
	struct fixture f;
	assert_int_equal(start(&f, "  - { record: n, expr: d }\n", 10000, 0), ERR_OK);
	struct signal_frame frame = { .n = 0 };
	for (int i = 0; i < 2000; i++) {
		char version[16];
		snprintf(version, sizeof version, "%d", i);
		struct labels *l = labels_of("__name__", "d", "version", version, NULL);
		double         v = i;
		assert_int_equal(signal_target_scrape(f.target, 1000 + i, &l, &v, 1, true, &frame, &f.why), ERR_OK);
		labels_unref(l);
	}
	assert_true(frame.n < 100);
	assert_int_equal(f.n_errors, 0);
	end(&f);
}

static void test_targets(void **state)
{
	(void)state;
	struct fixture        f;
	struct signal_target *none = NULL, *other = NULL;
	struct signal_frame   frame;
	assert_int_equal(start(&f, "  - { record: n, expr: sum(a) }\n", 10000, 0), ERR_OK);
	assert_int_equal(signal_target_new(f.engine, "q", 10000, &f.profile, &other, &f.why), ERR_NOT_FOUND);
	assert_null(other);
	assert_int_equal(signal_target_new(f.engine, NULL, 10000, &f.profile, &none, &f.why), ERR_OK);
	double v[SERIES] = { 1, 2, 3, 4 };
	assert_int_equal(signal_target_scrape(none, 1000, f.series, v, SERIES, true, &frame, &f.why), ERR_OK);
	assert_string_equal(frame_text(&f, &frame), "*signal:up 1");
	assert_int_equal(signal_engine_add(f.engine, &f.profile, &f.why), ERR_EXISTS);
	signal_target_free(none);
	end(&f);
}

static void test_refused_profiles(void **state)
{
	(void)state;
	static const struct {
		const char *label, *rules;
	} rows[] = {
		{ "looks back too far", "  - { record: n, expr: 'rate(b_total[2h])' }\n" },
		{ "broken", "  - { record: n, expr: 'rate(' }\n" },
		{ "records signal:up", "  - { record: 'signal:up', expr: a }\n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f;
		assert_row(rows[i].label, start(&f, rows[i].rules, 10000, 0) == ERR_FORMAT);
		assert_row(rows[i].label, f.d.n_errors == 1);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_nan),
		cmocka_unit_test(test_rules_see_earlier_ones),
		cmocka_unit_test(test_rule_errors),
		cmocka_unit_test(test_widened),
		cmocka_unit_test(test_first_minute),
		cmocka_unit_test(test_vanished),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_list_stays_short),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_refused_profiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
