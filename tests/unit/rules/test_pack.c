/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule pack as it is built in: what every rule has to have, what it may cost. What the rules find is tested by
 * tests/rules/, which tests/unit/alerts/test_packs.c runs. */
#include "tests/unit/unit.h"

#include "base/diagnostics.h"
#include "rules/pack.h"
#include "rules/signal.h"

#include "base/matcher.h"

enum { MINUTE_MS = 60 * 1000, LOOKBACK_MS = 5 * MINUTE_MS, NODE_BACK_MS = 10 * MINUTE_MS };

static struct pack *load(void)
{
	struct pack *p = NULL;
	struct why why = { "" };
	struct diagnostics d;
	diagnostics_init(&d);
	enum err e = pack_load(&d, &p, &why);
	if (e != ERR_OK || d.n > 0)
		fail_msg("%s %s", why.text, d.n > 0 ? d.items[0].text : "");
	diagnostics_release(&d);
	return p;
}

/* Calls `fn` for every rule. */
static void each_rule(const struct pack *p, void (*fn)(void *ctx, const struct rule_group *g, const struct rule *r), void *ctx)
{
	for (size_t i = 0; i < pack_count(p); i++)
		for (size_t g = 0; g < pack_at(p, i)->rules->n_groups; g++)
			for (size_t r = 0; r < pack_at(p, i)->rules->groups[g].n_rules; r++)
				fn(ctx, &pack_at(p, i)->rules->groups[g], &pack_at(p, i)->rules->groups[g].rules[r]);
}

static const char *text_of(const struct label *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return pairs[i].value;
	return "";
}

static void check_texts(void *ctx, const struct rule_group *g, const struct rule *r)
{
	static const char *const annotations[] = { "summary", "description", "runbook" };
	size_t *n = ctx;
	assert_row(r->name, strncmp(g->name, "pitwall-", 8) == 0 && (g->interval_ms == 15000 || g->interval_ms == 30000));
	if (r->kind != RULE_ALERT)
		return;
	const char *severity = text_of(r->labels, r->n_labels, "severity");
	assert_row(r->name, strcmp(severity, "critical") == 0 || strcmp(severity, "warning") == 0 || strcmp(severity, "info") == 0);
	for (size_t i = 0; i < sizeof annotations / sizeof *annotations; i++)
		assert_row(r->name, text_of(r->annotations, r->n_annotations, annotations[i])[0] != '\0');
	++*n;
}

static void every_alert_has_its_texts(void **state)
{
	(void)state;
	struct pack *p = load();
	size_t n = 0;
	each_rule(p, check_texts, &n);
	assert_true(n >= 25);
	pack_free(p);
}

/* ---- what rules look at ---- */

struct look {
	const struct pack *pack;
	const struct rule *rule;
	const char        *metric;
	bool               is_found;
};

static void find_record(void *ctx, const struct rule_group *g, const struct rule *r)
{
	struct look *l = ctx;
	(void)g;
	l->is_found |= r->kind == RULE_RECORD && strcmp(r->name, l->metric) == 0;
}

/* Signals and what is recorded a node: ten minutes back at the most. What is recorded a model or a version may go further. */
static enum err check_selector(void *ctx, const struct matcher *m, size_t n, int64_t back_ms)
{
	struct look *l = ctx;
	l->metric = "";
	for (size_t i = 0; i < n; i++)
		if (m[i].kind == MATCH_EQUAL && strcmp(m[i].name, LABEL_NAME) == 0)
			l->metric = m[i].value;
	bool is_small = strncmp(l->metric, "model:", 6) == 0 || strncmp(l->metric, "version:", 8) == 0;
	if (!is_small && back_ms > NODE_BACK_MS)
		fail_msg("%s: reads %lld ms of %s", l->rule->name, (long long)back_ms, l->metric);
	l->is_found = signal_by_metric(l->metric) != SIGNAL_COUNT || strcmp(l->metric, "pitwall_rules_failing") == 0;
	each_rule(l->pack, find_record, l);
	if (!l->is_found)
		fail_msg("%s: '%s' is neither a signal nor recorded by the pack", l->rule->name, l->metric);
	return ERR_OK;
}

static void check_cost(void *ctx, const struct rule_group *g, const struct rule *r)
{
	struct look l = { .pack = ctx, .rule = r };
	(void)g;
	assert_int_equal(query_selectors(r->query, LOOKBACK_MS, check_selector, &l), ERR_OK);
}

static void rules_look_at_signals_and_not_far_back(void **state)
{
	(void)state;
	struct pack *p = load();
	each_rule(p, check_cost, p);
	pack_free(p);
}

static void alerts_are_known_by_name(void **state)
{
	(void)state;
	struct pack *p = load();
	assert_true(pack_has_alert(p, "NodeDown") && pack_has_alert(p, "GpuHot") && !pack_has_alert(p, "no such alert"));
	assert_false(pack_has_alert(p, "node:latency_seconds")); /* that one is recorded */
	for (size_t i = 0; i < pack_count(p); i++) {
		const struct pack_file *f = pack_at(p, i);
		assert_row(f->name, strncmp(f->source, "pitwall:", 8) == 0 && strcmp(f->source + 8, f->name) == 0);
	}
	pack_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alert_has_its_texts),
		cmocka_unit_test(rules_look_at_signals_and_not_far_back),
		cmocka_unit_test(alerts_are_known_by_name),
	};
	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
