/* SPDX-License-Identifier: Apache-2.0
 *
 * How the rules are, from the manager through the store to who looks. */
#include "tests/unit/unit.h"

#include <math.h>

#include "alerts/rule_health.h"
#include "tests/unit/alerts/alert_bench.h"

static struct why why;

#define RULES                                                                                                          \
	"groups:\n- name: g\n  interval: 1s\n  rules:\n"                                                               \
	"  - record: load:sum\n    expr: sum(load)\n"                                                                  \
	"  - alert: Busy\n    expr: load / on(model) load\n"                                              \
	"  - alert: Down\n    expr: signal:up == 0\n    for: 3s\n"

static char *lines_at(struct alert_bench *b, int64_t t_ms)
{
	struct rule_lines *l = NULL;
	struct buf to;
	buf_init(&to, 100000);
	assert_ok(rule_lines_read(b->reader, t_ms, &l, &why));
	for (size_t i = 0; i < l->n; i++) {
		const struct rule_line *r = &l->items[i];
		rule_line_place(r, false, &to);
		buf_printf(&to, " %s %s %s%d %s, %.0f results, ", rule_line_group(r), r->kind, r->rule, r->number, r->fails ? "fails" : "is well", r->results);
		buf_printf(&to, isnan(r->firing) ? "records" : "%.0f fire", r->firing);
		buf_printf(&to, ", %lld s ago%s\n", (long long)(t_ms - r->evaluated_ms) / 1000, r->error[0] != '\0' ? " why" : "");
	}
	rule_lines_free(l);
	return to.len > 0 ? buf_take(&to) : strdup("");
}

#define assert_lines(at, want)                      \
	do {                                        \
		char *text_ = lines_at(&b, at);     \
		assert_string_equal(text_, want);   \
		free(text_);                        \
	} while (0)

static void each_rule_has_a_line(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "health");
	assert_lines(b.now_ms, "");
	bench_load(&b, RULES);
	bench_pass(&b, 3); /* a rule that fails is told of at once */
	assert_lines(b.now_ms, "test.yml:7 g alert Busy2 fails, 0 results, 0 fire, 1 s ago why\n"
	                       "test.yml:5 g record load:sum1 is well, 1 results, records, 1 s ago\n"
	                       "test.yml:9 g alert Down3 is well, 0 results, 0 fire, 1 s ago\n");
	b.up[2] = b.up[3] = 0;
	bench_pass(&b, 62);
	assert_lines(b.now_ms, "test.yml:7 g alert Busy2 fails, 0 results, 0 fire, 3 s ago why\n"
	                       "test.yml:5 g record load:sum1 is well, 1 results, records, 3 s ago\n"
	                       "test.yml:9 g alert Down3 is well, 2 results, 2 fire, 3 s ago\n");
	assert_lines(b.now_ms + RULE_LINES_BACK_MS * 2, ""); /* nobody was here then */
	bench_end(&b);
}

/* What is gone from the files is gone from the lines, and its lines of before stand as of before. */
static void rules_come_and_go(void **state)
{
	(void)state;
	struct alert_bench b;
	bench_begin(&b, "health");
	bench_load(&b, RULES);
	bench_pass(&b, 3);
	int64_t before_ms = b.now_ms;
	bench_load(&b, "groups: [{name: g, interval: 1s, rules: [{alert: Down, expr: 'signal:up == 0'}]}]");
	bench_pass(&b, 3);
	char *now = lines_at(&b, b.now_ms), *then = lines_at(&b, before_ms);
	assert_non_null(strstr(now, "Down1 is well"));
	assert_null(strstr(now, "load:sum"));
	assert_non_null(strstr(then, "load:sum1 is well"));
	assert_non_null(strstr(then, "Busy2 fails"));
	free(now);
	free(then);
	bench_end(&b);
}

static void places_are_short_or_whole(void **state)
{
	static const struct { const char *label, *source; bool is_short; const char *place, *group; } rows[] = {
		{ "a path",        "/etc/pitwall/rules/a.yml;g;h", false, "/etc/pitwall/rules/a.yml;g:7", "h" },
		{ "its last part", "/etc/pitwall/rules/a.yml;g",   true,  "a.yml:7",                       "g" },
		{ "a slash in the group", "a.yml;b/c",             true,  "a.yml:7",                       "b/c" },
		{ "a text of ours", "pitwall:gpus;pitwall-gpus",   true,  "pitwall:gpus:7",                "pitwall-gpus" },
		{ "none",          "x",                            true,  "x:7",                           "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct rule_line l = { .source = rows[i].source, .line = 7 };
		struct buf to;
		buf_init(&to, 100);
		rule_line_place(&l, rows[i].is_short, &to);
		assert_row(rows[i].label, strcmp(buf_text(&to), rows[i].place) == 0);
		assert_row(rows[i].label, strcmp(rule_line_group(&l), rows[i].group) == 0);
		buf_release(&to);
	}
}

/* A store is a stranger's: whatever stands in it is read or passed over. */
static void odd_series_and_events_do_no_harm(void **state)
{
	(void)state;
	struct alert_bench b;
	struct labels *odd[] = {
		labels_of("__name__", rule_fact_metric(RULE_FAILING), "source", "s", "rule", "r", "number", "-3", "line", "x", NULL),
		labels_of("__name__", rule_fact_metric(RULE_EVALUATED), NULL), labels_of("__name__", "other", NULL),
	};
	static const char *const data[] = { "{", "[]", "{\"source\":7}", "{\"source\":\"s\",\"error\":\"e\",\"number\":1e99}", "{\"source\":\"s\",\"error\":\"bad\",\"number\":0}" };
	struct labels *name = labels_of(TARGET_RULES, RULE_HEALTH_SOURCE, NULL);
	const struct layout *l;
	int64_t target;
	bench_begin(&b, "health");
	assert_ok(store_target(b.store, name, "", &target, &why));
	assert_ok(store_layout(b.store, odd, 3, &l, &why));
	assert_ok(store_append(b.store, target, STREAM_SIGNAL, b.now_ms, l, (double[]){ 1, 1e300, 2 }, &why));
	for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
		assert_ok(store_append_event(b.store, &(struct event){ .wall_ms = b.now_ms, .kind = "rule", .data = data[i] }, &why));
	assert_ok(store_flush(b.store, &why));
	char *text = lines_at(&b, b.now_ms);
	assert_non_null(strstr(text, "s:0   r0 fails, 0 results, records"));
	assert_non_null(strstr(text, " why\n"));
	free(text);
	for (size_t i = 0; i < 3; i++)
		labels_unref(odd[i]);
	labels_unref(name);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_has_a_line),
		cmocka_unit_test(rules_come_and_go),
		cmocka_unit_test(places_are_short_or_whole),
		cmocka_unit_test(odd_series_and_events_do_no_harm),
	};
	return cmocka_run_group_tests_name("how the rules are", tests, NULL, NULL);
}
