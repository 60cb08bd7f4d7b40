/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tui/alerts_data.h"
#include "tui/attention.h"

static const struct alert_group_item groups[] = {
	{ .key = "{a}", .source = "", .rule = "NodeDown", .model = "chat", .node = "gpu-1", .summary = "gpu-1 is gone", .severity = SEVERITY_CRIT, .phase = PHASE_FIRING },
	{ .key = "{b}", .source = "", .rule = "GpuFault", .model = "", .node = "", .summary = "", .severity = SEVERITY_CRIT, .phase = PHASE_FIRING },
	{ .key = "{c}", .source = "", .rule = "QueueGrowing", .model = "", .node = "", .summary = "", .severity = SEVERITY_WARN, .phase = PHASE_FIRING },
	{ .key = "{d}", .source = "", .rule = "Waiting", .model = "", .node = "", .summary = "", .severity = SEVERITY_CRIT, .phase = PHASE_PENDING },
	{ .key = "{e}", .source = "", .rule = "Silenced", .model = "", .node = "", .summary = "", .severity = SEVERITY_CRIT, .phase = PHASE_FIRING, .is_hidden = true },
	{ .key = "am: f", .source = "am", .rule = "Theirs", .model = "", .node = "", .summary = "", .severity = SEVERITY_CRIT, .phase = PHASE_FIRING },
};
enum { A = 1, B = 2, C = 4, D = 8, E = 16, F = 32, GROUPS = 6 };

/* A view with the groups whose bits are set. */
static const struct alert_group_item *look(struct attention *a, unsigned bits, enum view_mode mode, bool is_file)
{
	struct alert_group_item there[GROUPS];
	struct alerts_view alerts = { .groups = there };
	struct view v = { .mode = mode, .is_file = is_file, .alerts = &alerts };
	for (unsigned i = 0; i < GROUPS; i++)
		if ((bits >> i & 1) != 0) {
			there[alerts.n_groups++] = groups[i];
			alerts.n_crit += i < 2;
		}
	const struct alert_group_item *due = attention_due(a, &v);
	for (size_t i = 0; due != NULL && i < GROUPS; i++)
		if (strcmp(groups[i].key, due->key) == 0)
			return &groups[i];
	return NULL;
}

static void only_what_is_new_and_critical_calls(void **state)
{
	static const struct { const char *label; unsigned bits; enum view_mode mode; bool is_file; int due; } rows[] = {
		{ "the first look calls nobody",      A,             VIEW_LIVE,   false, -1 },
		{ "nothing new",                      A,             VIEW_LIVE,   false, -1 },
		{ "a second group",                   A | B,         VIEW_LIVE,   false, 1 },
		{ "once",                             A | B,         VIEW_LIVE,   false, -1 },
		{ "warnings, pending, hidden ones",   A | B | C | D | E, VIEW_LIVE, false, -1 },
		{ "an Alertmanager's own",            A | B | F,     VIEW_LIVE,   false, -1 },
		{ "one is over",                      B,             VIEW_LIVE,   false, -1 },
		{ "and comes again",                  A | B,         VIEW_LIVE,   false, 0 },
		{ "all are over",                     0,             VIEW_LIVE,   false, -1 },
		{ "a view of before",                 A,             VIEW_PAUSED, false, -1 },
		{ "a replay",                         A,             VIEW_LIVE,   true,  -1 },
		{ "live again",                       A,             VIEW_LIVE,   false, 0 },
	};
	struct attention a = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct alert_group_item *due = look(&a, rows[i].bits, rows[i].mode, rows[i].is_file);
		assert_row(rows[i].label, due == (rows[i].due < 0 ? NULL : &groups[rows[i].due]));
	}
	attention_release(&a);
}

static void what_is_called_out(void **state)
{
	static const char *const want[] = { "NodeDown chat gpu-1: gpu-1 is gone", "GpuFault" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf text;
		buf_init(&text, 100);
		assert_int_equal(attention_text(&groups[i], &text), ERR_OK);
		assert_string_equal(buf_text(&text), want[i]);
		buf_release(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_what_is_new_and_critical_calls), cmocka_unit_test(what_is_called_out) };
	return cmocka_run_group_tests_name("attention", tests, NULL, NULL);
}
