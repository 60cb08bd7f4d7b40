/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules while memory runs out: a file's rules are all there or none, a rule's results are right or missing (and that is told), and what
 * comes when there is memory again is as if nothing had been. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/stale.h"
#include "base/yaml.h"
#include "rules/eval.h"
#include "rules/health.h"
#include "rules/pack.h"
#include "rules/rule_file.h"
#include "rules/slo.h"
#include "tests/unit/faults.h"

static const char rules_text[] =
	"groups:\n"
	"- name: g\n"
	"  interval: 30s\n"
	"  labels: { team: t }\n"
	"  rules:\n"
	"  - { record: a, expr: 'sum by (x) (rate(b_total[1m]))', labels: { l: m } }\n"
	"  - { record: c, expr: a > 1 }\n"
	"  - { alert: A, expr: 'a{x=~\"1|2\"} > 1', for: 1m, annotations: { summary: s }, labels: { severity: page } }\n"
	"- name: h\n"
	"  rules: [ { record: d, expr: '1' } ]\n";
static const char wrong_text[] =
	"groups:\n"
	"- name: g\n"
	"  rules:\n"
	"  - { record: a-b, expr: sum(a }\n"
	"  - { record: a, alert: b, expr: 'a[1m]' }\n"
	"- name: g\n"
	"  rulez: []\n";

/* ---- files ---- */

static void print_rules(const struct rule_file *f, struct buf *to)
{
	for (size_t g = 0; g < f->n_groups; g++) {
		buf_printf(to, "%s %lld\n", f->groups[g].name, (long long)f->groups[g].interval_ms);
		for (size_t i = 0; i < f->groups[g].n_rules; i++) {
			const struct rule *r = &f->groups[g].rules[i];
			buf_printf(to, "%s %s", r->name, r->expr);
			for (size_t k = 0; k < r->n_labels; k++)
				buf_printf(to, " %s=%s", r->labels[k].name, r->labels[k].value);
			for (size_t k = 0; k < r->n_annotations; k++)
				buf_printf(to, " %s=%s", r->annotations[k].name, r->annotations[k].value);
			buf_putc(to, ' ');
			query_print(r->query, to);
			buf_putc(to, '\n');
		}
	}
}

struct reading {
	const char *text;
	struct buf  want;
};

static enum err read_rules(void *ctx, struct why *why)
{
	struct reading    *r = ctx;
	struct diagnostics d;
	struct yaml       *tree = NULL;
	struct rule_file  *file = NULL;
	struct buf         got;
	diagnostics_init(&d);
	buf_init(&got, 1 << 20);
	enum err e = yaml_parse(r->text, strlen(r->text), "r.yml", &d, &tree);
	if (e == ERR_OK)
		e = rule_file_read(tree, false, &file, why);
	fault_end();
	assert_true((e == ERR_OK) == (file != NULL));
	if (e != ERR_MEMORY && d.err != ERR_MEMORY) {
		if (file != NULL)
			print_rules(file, &got);
		diagnostics_print(&d, &got);
		if (r->want.len == 0)
			buf_puts(&r->want, buf_text(&got));
		fault_same(buf_text(&got), buf_text(&r->want));
	}
	rule_file_free(file);
	buf_release(&got);
	yaml_discard(tree);
	diagnostics_release(&d);
	return e;
}

static void rule_files(void **state)
{
	(void)state;
	static const struct { const char *label, *text; enum err want; } rows[] = {
		{ "rules", rules_text, ERR_OK },
		{ "rules with mistakes", wrong_text, ERR_FORMAT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reading r = { .text = rows[i].text };
		struct why     why = { "" };
		buf_init(&r.want, 1 << 20);
		if (read_rules(&r, &why) != rows[i].want)
			fail_msg("%s: %s", rows[i].label, why.text);
		fault_loop(rows[i].label, rows[i].want, read_rules, &r);
		buf_release(&r.want);
	}
}

/* ---- rules that come with us ---- */

static enum err built_in(void *ctx, struct why *why)
{
	static const struct fleet_slo slo = { .model = "m", .availability = 0.999, .latency_objective = 0.99, .latency_seconds = 2, .latency_quantile = "p99",
		                                  .window_ms = SLO_WINDOW_MS, .requests_min = SLO_REQUESTS_MIN };
	struct slo_rules *rules = NULL;
	(void)ctx;
	enum err e = slo_rules_new(&slo, 1, &rules, why);
	fault_end();
	assert_true((e == ERR_OK) == (rules != NULL));
	if (rules != NULL)
		assert_int_equal(slo_rules_file(rules)->n_alerts, 6);
	slo_rules_free(rules);
	return e;
}

static enum err whole_pack(void *ctx, struct why *why)
{
	struct pack *p = NULL;
	(void)ctx;
	enum err e = pack_load(NULL, &p, why);
	fault_end();
	assert_true((e == ERR_OK) == (p != NULL));
	if (p != NULL)
		assert_true(pack_has_alert(p, "NodeDown") && pack_has_alert(p, "Watchdog"));
	pack_free(p);
	return e;
}

static void rules_of_ours(void **state)
{
	(void)state;
	fault_loop_some("objectives", ERR_OK, built_in, NULL, 200);
	fault_loop_some("the pack", ERR_OK, whole_pack, NULL, 200);
}

/* ---- evaluation ---- */

enum { SERIES = 6, SCRAPES = 6, MENDED = 12 };

static const char profile_text[] =
	"groups:\n"
	"- name: g\n"
	"  rules:\n"
	"  - { record: n, expr: a > 1, labels: { team: t } }\n"
	"  - { record: r, expr: 'sum by (x) (rate(b_total[1m]))' }\n"
	"  - { record: s, expr: '{__name__=~\"n|r\"} * 2', labels: { x2: y } }\n"
	"  - { record: o, expr: a offset 20s }\n"
	"  - { record: v, expr: '7' }\n";

/* What all runs share: it is only looked at. */
static struct {
	struct diagnostics d;
	struct yaml       *tree;
	struct profile     profile;
	struct labels     *series[SERIES];
	struct buf         want; /* frames, a line each */
} fix;

static int set_up(void **state)
{
	(void)state;
	static const char *const names[SERIES] = { "a", "a", "a", "b_total", "b_total", "not_kept" };
	static const char *const x[SERIES] = { "1", "2", "3", "1", "2", "1" };
	diagnostics_init(&fix.d);
	if (yaml_parse(profile_text, sizeof profile_text - 1, "p.yml", &fix.d, &fix.tree) != ERR_OK)
		return -1;
	fix.profile = (struct profile){ .head = { .name = "p", .window_ms = 60000 }, .file = "p.yml", .tree = fix.tree };
	for (int i = 0; i < SERIES; i++)
		fix.series[i] = labels_of("__name__", names[i], "x", x[i], NULL);
	buf_init(&fix.want, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	yaml_discard(fix.tree);
	diagnostics_release(&fix.d);
	for (int i = 0; i < SERIES; i++)
		labels_unref(fix.series[i]);
	buf_release(&fix.want);
	return 0;
}

struct run {
	struct signal_engine *engine;
	struct signal_target *target;
	struct buf            got;
	int                   n_reported;
};

static void on_error(void *ctx, void *target_ctx, const char *rule, const char *text)
{
	struct run *r = ctx;
	(void)target_ctx;
	if (strstr(text, err_text(ERR_MEMORY)) == NULL)
		fail_msg("%s: rule %s: %s", fault_label(), rule, text);
	r->n_reported++;
}

/* Scrape `i`: the target has all series, then all but the first two, then all again; one fails. */
static enum err scrape(struct run *r, int i, struct why *why)
{
	double              v[SERIES] = { i, i + 1, i + 2, 10 * i, 20 * i, 1 };
	struct signal_frame frame;
	size_t              from = i == 2 || i == 3 ? 2 : 0;
	enum err e = i == 4 ? signal_target_failed(r->target, i * 10000, &frame, why)
	                    : signal_target_scrape(r->target, i * 10000, fix.series + from, v + from, SERIES - from, i < 6, &frame, why);
	if (e != ERR_OK)
		return e;
	fault_pause();
	for (size_t k = 0; k < frame.n; k++) {
		if (is_stale(frame.values[k]))
			continue;
		labels_print(frame.series[k], &r->got);
		buf_printf(&r->got, " %g; ", frame.values[k]);
	}
	buf_putc(&r->got, '\n');
	fault_resume();
	return e;
}

static enum err start(struct run *r, struct why *why)
{
	struct signal_options o = { .report = on_error, .ctx = r };
	enum err e = signal_engine_new(&o, &r->engine, why);
	if (e == ERR_OK)
		e = signal_engine_add(r->engine, &fix.profile, why);
	if (e == ERR_OK)
		e = signal_target_new(r->engine, "p", 10000, NULL, &r->target, why);
	return e;
}

static const char *last_line(struct buf *b)
{
	b->data[b->len - 1] = '\0';
	const char *nl = strrchr(b->data, '\n');
	b->data[b->len - 1] = '\n';
	return nl != NULL ? nl + 1 : b->data;
}

static enum err evaluate(void *ctx, struct why *why)
{
	struct run r = { .engine = NULL };
	enum err   e, first;
	(void)ctx;
	buf_init(&r.got, 1 << 20);
	first = e = start(&r, why);
	for (int i = 0; i < SCRAPES && r.target != NULL; i++) {
		e = scrape(&r, i, why);
		if (e != ERR_OK)
			first = e;
	}
	fault_end();
	if (r.n_reported > 0 && first == ERR_OK)
		first = why_memory(why);
	/* The window's length later all is as it should be. */
	for (int i = SCRAPES; i < SCRAPES + MENDED && r.target != NULL; i++)
		assert_int_equal(scrape(&r, i, why), ERR_OK);
	if (r.target != NULL && fix.want.len == 0)
		buf_puts(&fix.want, buf_text(&r.got));
	if (first == ERR_OK)
		fault_same(buf_text(&r.got), buf_text(&fix.want));
	else if (r.target != NULL)
		fault_same(last_line(&r.got), last_line(&fix.want));
	signal_target_free(r.target);
	signal_engine_free(r.engine);
	buf_release(&r.got);
	return first;
}

static void evaluation(void **state)
{
	(void)state;
	struct why why = { "" };
	if (evaluate(NULL, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_non_null(strstr(last_line(&fix.want), "r{x=\"2\"} 2; "));
	fault_loop("scrapes and their rules", ERR_OK, evaluate, NULL);
}

/* A profile is left out only for its mistakes. */
static enum err load_all(void *ctx, struct why *why)
{
	struct signal_engine *engine = NULL;
	struct signal_target *t = NULL;
	const struct profiles *p = ctx;
	enum err e = signal_engine_new(NULL, &engine, why);
	if (e == ERR_OK)
		e = signal_engine_add_all(engine, p, why);
	fault_end();
	for (size_t i = 0; e == ERR_OK && i < profiles_count(p); i++) {
		if (signal_target_new(engine, profiles_at(p, i)->head.name, 15000, NULL, &t, why) != ERR_OK)
			fail_msg("%s: profile '%s' is missing: %s", fault_label(), profiles_at(p, i)->head.name, why->text);
		signal_target_free(t);
	}
	signal_engine_free(engine);
	return e;
}

static void profile_rules(void **state)
{
	(void)state;
	static const char *const none[] = { "/nowhere" };
	struct profiles *p = NULL;
	assert_int_equal(profiles_load(none, 1, NULL, &p, NULL), ERR_OK);
	fault_loop_some("all profiles", ERR_OK, load_all, p, 20);
	profiles_free(p);
}

/* ---- health ---- */

static enum err judge(void *ctx, struct why *why)
{
	double              values[4][SIGNAL_COUNT];
	struct health_input in[4];
	struct health       out[4];
	(void)ctx;
	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < SIGNAL_COUNT; k++)
			values[i][k] = f64_from_bits(UINT64_C(0x7ff8000000000000));
		values[i][SIGNAL_LATENCY_P99] = i == 3 ? 9 : 0.1;
		in[i] = (struct health_input){ .model = "m", .value = values[i], .n_targets = 1, .n_targets_up = i != 0, .is_known = true };
	}
	health_judge(in, 4, out);
	bool was_hit = fault_end();
	assert_int_equal(out[0].severity, SEVERITY_DOWN); /* thresholds need no memory */
	if (was_hit)
		return why_memory(why);
	assert_int_equal(out[3].severity, SEVERITY_CRIT);
	return ERR_OK;
}

static void health(void **state)
{
	(void)state;
	fault_loop("health", ERR_OK, judge, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_files),
		cmocka_unit_test(rules_of_ours),
		cmocka_unit_test(evaluation),
		cmocka_unit_test(profile_rules),
		cmocka_unit_test(health),
	};
	return cmocka_run_group_tests_name("faults of memory", tests, set_up, tear_down);
}
