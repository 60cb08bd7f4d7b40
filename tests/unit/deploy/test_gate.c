/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate, and whether a version was healthy, on stores that hold what a recorder would have written: four nodes, a scrape every ten seconds, version 1 until 1800 s, from then on version 2 on
 * the first two of them. */
#include "tests/unit/unit.h"

#include <math.h>

#include "deploy/gate.h"
#include "deploy/health.h"
#include "rules/signal.h"
#include "store/alerts.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"

enum { NODES = 4, CHANGED = 2, CHANGE_S = 1800, END_S = 2100, SCRAPE_S = 10 };
static const int64_t T0 = INT64_C(1790000000000);
static const char *const nodes[NODES] = { "a", "b", "c", "d" };

static struct why why;

/* What the nodes say from the change on; 0: as before. */
struct world {
	double p99_new, p99_others, errors_new, errors_others, accuracy_new, memory_new, requests_new;
	bool   is_down, is_silent, keeps_version, has_alert, was_pending, is_quiet; /* is_quiet: no p99 and errors from the new ones */
};

struct stage {
	struct store_folder folder;
	struct test_clock   clock;
	struct store       *store;
	struct reader      *reader;
	int64_t             targets[NODES];
};

static int64_t wall(int s)
{
	return T0 + (int64_t)s * 1000;
}

static void scrape(struct stage *s, const struct world *w, size_t i, int t)
{
	struct labels *series[16];
	double v[16];
	size_t n = 0;
	const struct layout *layout;
	bool after = t >= CHANGE_S, is_new = after && i < CHANGED, is_other = after && i >= CHANGED;
	if (is_new && w->is_silent)
		return;
#define PUT(id, value) (series[n] = labels_of(LABEL_NAME, signal_info(id)->metric, NULL), v[n++] = (value))
	PUT(SIGNAL_UP, is_new && w->is_down ? 0 : 1);
	PUT(SIGNAL_REQUESTS, is_new && w->requests_new > 0 ? w->requests_new : 5);
	PUT(SIGNAL_LATENCY_P99, is_new && w->is_quiet ? (double)NAN : is_new && w->p99_new > 0 ? w->p99_new : is_other && w->p99_others > 0 ? w->p99_others : 0.5);
	PUT(SIGNAL_ERRORS, is_new && w->is_quiet ? (double)NAN : is_new && w->errors_new > 0 ? w->errors_new : is_other && w->errors_others > 0 ? w->errors_others : 0.001);
	PUT(SIGNAL_ACCURACY, is_new && w->accuracy_new > 0 ? w->accuracy_new : 0.95);
	PUT(SIGNAL_GPU_MEMORY, is_new && w->memory_new > 0 ? w->memory_new : 0.6);
	if (i == 0) { /* one machine tells of its room; it fills up slowly */
		PUT(SIGNAL_MEMORY, 0.5 + t * 1e-6);
		PUT(SIGNAL_DISK, 0.25);
	}
#undef PUT
	series[n] = labels_of(LABEL_NAME, signal_info(SIGNAL_VERSION)->metric, "model", "chat", "version", is_new && !w->keeps_version ? "2" : "1", NULL);
	v[n++] = 1;
	assert_ok(store_layout(s->store, series, n, &layout, &why));
	assert_ok(store_append(s->store, s->targets[i], STREAM_SIGNAL, wall(t), layout, v, &why));
	for (size_t k = 0; k < n; k++)
		labels_unref(series[k]);
}

static void alert(struct stage *s, bool was_pending)
{
	struct changes *c;
	struct labels *l = labels_of("alertname", "VersionFailing", "node", "a", "model", "chat", NULL), *none = labels_of("a", "b", NULL);
	assert_ok(changes_new(&c, &why));
	changes_alert(c, &(struct alert_row){ .id = 1, .rule = "VersionFailing", .source = "f;g", .expr = "x", .group_key = "{}", .labels = l, .result = none,
	                                      .annotations = none, .severity = SEVERITY_CRIT, .active_ms = wall(was_pending ? CHANGE_S - 20 : CHANGE_S + 20),
	                                      .fired_ms = wall(CHANGE_S + 60) });
	assert_ok(store_commit(s->store, c, NULL, &why));
	labels_unref(l);
	labels_unref(none);
}

static void set_up(struct stage *s, const struct world *w)
{
	memset(s, 0, sizeof *s);
	store_folder_make(&s->folder, "gate");
	test_clock_init(&s->clock, T0);
	const struct store_options o = { .path = s->folder.path, .clock = &s->clock.clock };
	assert_ok(store_open(&o, &s->store, &why));
	for (size_t i = 0; i < NODES; i++) {
		struct labels *l = labels_of("instance", nodes[i], "node", nodes[i], "group", "g", "model", "chat", NULL);
		assert_ok(store_target(s->store, l, "http://127.0.0.1/metrics", &s->targets[i], &why));
		labels_unref(l);
	}
	for (int t = SCRAPE_S; t <= END_S; t += SCRAPE_S)
		for (size_t i = 0; i < NODES; i++)
			scrape(s, w, i, t);
	for (size_t i = 0; i < CHANGED && !w->keeps_version; i++)
		assert_ok(store_append_event(s->store, &(struct event){ .wall_ms = wall(CHANGE_S), .target = s->targets[i], .severity = SEVERITY_INFO, .kind = "version",
		                                                        .node = nodes[i], .text = "chat now serves version 2 (before: 1)",
		                                                        .data = "{\"model\":\"chat\",\"from\":\"1\",\"to\":\"2\"}" }, &why));
	if (w->has_alert)
		alert(s, w->was_pending);
	assert_ok(store_flush(s->store, &why));
	assert_ok(reader_open(s->folder.path, READER_OWN, &s->reader, &why));
}

static void tear_down(struct stage *s)
{
	reader_close(s->reader);
	store_close(s->store);
	store_folder_remove(&s->folder);
}

static const struct fleet_gate gate = { .latency_ratio = 1.2, .error_add = 0.01, .quality_drop = 0.02, .memory_ratio = 1.1, .min_requests = 20, .soak_ms = 120000,
	                                .window_ms = 600000 };

static void look(struct stage *s, int now_s, struct gate_report *out)
{
	const struct gate_question q = { .gate = &gate, .model = "chat", .changed = nodes, .n_changed = CHANGED, .untouched = nodes + CHANGED,
		                         .n_untouched = NODES - CHANGED, .version = "2", .began_ms = wall(CHANGE_S - 5), .since_ms = wall(CHANGE_S + 30),
		                         .now_ms = wall(now_s) };
	assert_ok(gate_look(s->reader, &q, out, &why));
}

static void test_verdicts(void **state)
{
	static const struct {
		const char       *label;
		struct world      world;
		enum gate_verdict want;
		const char       *text;
	} rows[] = {
		{ "as before", { .p99_new = 0 }, GATE_PASSED, "all is as it was before, or better" },
		{ "faster", { .p99_new = 0.2 }, GATE_PASSED, "all is as it was before, or better" },
		{ "slower", { .p99_new = 0.9 }, GATE_NOT, "p99 900ms, before 500ms, others 500ms, limit x1.20" },
		{ "slower everywhere: it is not the version", { .p99_new = 0.9, .p99_others = 0.9 }, GATE_PASSED, "all is as it was before, or better" },
		{ "a little slower", { .p99_new = 0.59 }, GATE_PASSED, "all is as it was before, or better" },
		{ "errors", { .errors_new = 0.06 }, GATE_NOT, "errors 6.0%, before 0.1%, others 0.1%, limit +1.0%" },
		{ "less accurate", { .accuracy_new = 0.9 }, GATE_NOT, "quality 90%, before 95%, others 95%, limit -2.0%" },
		{ "more memory", { .memory_new = 0.9 }, GATE_NOT, "GPU memory 90%, before 60%, others 60%, limit x1.10" },
		{ "down", { .is_down = true }, GATE_NOT, "up: 2 of 2 not: a, b" },
		{ "nothing comes any more", { .is_silent = true }, GATE_NOT, "up: 2 of 2 not: a, b" },
		{ "the old version still", { .keeps_version = true }, GATE_NOT, "version: 2 of 2 do not serve 2: a, b" },
		{ "no data is no success", { .is_quiet = true }, GATE_NO_DATA, "p99: nothing is said of it, it was before" },
		{ "too few requests", { .requests_new = 0.01 }, GATE_NO_DATA, "requests: 2, 20 are wanted" },
		{ "a critical alert", { .has_alert = true }, GATE_NOT, "alerts: critical since the run began: VersionFailing" },
		{ "one that was pending before", { .has_alert = true, .was_pending = true }, GATE_PASSED, "all is as it was before, or better" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stage s;
		struct gate_report g;
		set_up(&s, &rows[i].world);
		look(&s, CHANGE_S + 155, &g);
		if (g.verdict != rows[i].want || strcmp(g.text, rows[i].text) != 0)
			fail_msg("%s: verdict %d: %s", rows[i].label, (int)g.verdict, g.text);
		tear_down(&s);
	}
}

/* Before the soak is over only an alert decides. */
static void test_early(void **state)
{
	struct stage s;
	struct gate_report g;
	struct buf text;
	(void)state;
	set_up(&s, &(struct world){ .p99_new = 0.9 });
	look(&s, CHANGE_S + 90, &g);
	assert_int_equal(g.verdict, GATE_WAIT);
	assert_string_equal(g.text, "soaks for 60 s more");
	buf_init(&text, 4096);
	assert_ok(gate_print(&g, &text));
	assert_non_null(strstr(buf_text(&text), "FAIL  p99 900ms, before 500ms, others 500ms, limit x1.20\n"));
	assert_non_null(strstr(buf_text(&text), "ok  up: all 2 answer\n"));
	buf_release(&text);
	tear_down(&s);
	set_up(&s, &(struct world){ .has_alert = true });
	look(&s, CHANGE_S + 90, &g);
	assert_int_equal(g.verdict, GATE_NOT);
	tear_down(&s);
}

/* ---- health ---- */

static void ask(struct stage *s, struct arena *a, struct version_health **out, size_t *n, struct health_node *now)
{
	const struct health_question q = { .model = "chat", .nodes = nodes, .n_nodes = NODES, .now_ms = wall(END_S), .back_ms = INT64_C(86400000) };
	arena_init(a);
	assert_ok(health_look(s->reader, a, &q, out, n, now, &why));
}

/* The soak is shorter than the pause between two polls: what was said before it is waited past, for a while, and is never a pass. */
static void test_late(void **state)
{
	static const struct {
		int               after_ms;
		enum gate_verdict want;
		const char       *text;
	} rows[] = { { 500, GATE_WAIT, "soaks for 1 s more" },
		     { 2000, GATE_WAIT, "up: 2 of 2 not polled since: a, b" },
		     { 16000, GATE_NOT, "up: 2 of 2 not polled since: a, b" } };
	struct stage s;
	struct gate_report report;
	struct fleet_gate soon = { .soak_ms = 1000, .window_ms = gate.window_ms };
	(void)state;
	set_up(&s, &(struct world){ .p99_new = 0 });
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct gate_question q = { .gate = &soon, .model = "chat", .changed = nodes, .n_changed = CHANGED, .version = "2", .began_ms = wall(CHANGE_S - 5),
			                         .since_ms = wall(END_S) + 100, .now_ms = wall(END_S) + 100 + rows[i].after_ms };
		assert_ok(gate_look(s.reader, &q, &report, &why));
		assert_int_equal(report.verdict, rows[i].want);
		assert_string_equal(report.text, rows[i].text);
	}
	tear_down(&s);
}

static void test_health(void **state)
{
	static const struct {
		const char  *label;
		struct world world;
		enum health  old, new;
	} rows[] = {
		{ "both do well, the new one not for long", { .p99_new = 0 }, HEALTH_GOOD, HEALTH_UNKNOWN },
		{ "the new one fails requests", { .errors_new = 0.06 }, HEALTH_GOOD, HEALTH_BAD },
		{ "an alert on a node that runs it", { .has_alert = true }, HEALTH_GOOD, HEALTH_BAD },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stage s;
		struct arena a;
		struct version_health *items;
		size_t n;
		set_up(&s, &rows[i].world);
		struct health_node now[NODES];
		ask(&s, &a, &items, &n, now);
		assert_true(strcmp(now[0].label, "2") == 0 && now[0].is_up && strcmp(now[3].label, "1") == 0);
		assert_true(fabs(now[0].memory_used - 0.5 - (END_S - 1) * 1e-6) < 1e-4 && fabs(now[0].disk_used - 0.25) < 1e-9);
		assert_true(now[3].memory_used <= 0 && now[3].disk_used <= 0);
		assert_row(rows[i].label, n == 2);
		const struct version_health *old = health_find(items, n, &(struct version){ .id = "reg/chat:1", .name = "", .image = "", .tag = "", .model_version = "" });
		const struct version_health *new = health_find(items, n, &(struct version){ .id = "x", .name = "", .image = "", .tag = "2", .model_version = "" });
		assert_non_null(old);
		assert_non_null(new);
		assert_row(rows[i].label, old->health == rows[i].old);
		assert_row(rows[i].label, new->health == rows[i].new);
		assert_true(old->is_running && new->is_running);
		assert_int_equal(new->served_ms, (END_S - CHANGE_S) * 1000);
		arena_release(&a);
		tear_down(&s);
	}
}

static void test_evidence(void **state)
{
	struct stage s;
	struct arena a;
	struct version_health *items;
	size_t n;
	(void)state;
	set_up(&s, &(struct world){ .errors_new = 0.06, .has_alert = true });
	ask(&s, &a, &items, &n, NULL);
	const struct version_health *new = health_find(items, n, &(struct version){ .id = "2", .name = "", .image = "", .tag = "", .model_version = "" });
	assert_string_equal(new->evidence, "served 5m, p99 500ms, errors 6.0%, 1 critical alert");
	assert_null(health_find(items, n, &(struct version){ .id = "12", .name = "", .image = "x12", .tag = "", .model_version = "" }));
	arena_release(&a);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_verdicts), cmocka_unit_test(test_early), cmocka_unit_test(test_late), cmocka_unit_test(test_health), cmocka_unit_test(test_evidence) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
