/* SPDX-License-Identifier: Apache-2.0
 *
 * The ranking on series made up for it: which rows there are, in which order, and in which words. */
#include "tests/unit/unit.h"

#include <math.h>

#include "alerts/changed.h"
#include "base/json.h"
#include "tests/unit/faults.h"

#include <cjson/cJSON.h>

enum { STEP_MS = 10000, SLOTS = 211, ONSET_SLOT = 180, SERIES_MAX = 64, NODES_MAX = 20, EVENTS_MAX = 12, LABELS = 2 };
static const int64_t ONSET = INT64_C(1790000000000);

struct bench {
	struct changed_node   nodes[NODES_MAX];
	struct label          labels[NODES_MAX][LABELS];
	struct changed_series series[SERIES_MAX];
	float                 values[SERIES_MAX][SLOTS];
	struct changed_event  events[EVENTS_MAX];
	struct changed_input  in;
	struct arena          arena;
	struct changed       *c;
	uint64_t              seed;
};

static double noise(struct bench *b)
{
	b->seed = b->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(b->seed >> 40) / (double)(1 << 24) - 0.5;
}

static struct bench *begin(void)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	arena_init(&b->arena);
	b->seed = 1;
	b->in = (struct changed_input){ .onset_ms = ONSET, .until_ms = ONSET + (SLOTS - ONSET_SLOT - 1) * STEP_MS, .start_ms = ONSET - ONSET_SLOT * STEP_MS,
		                            .step_ms = STEP_MS, .n_slots = SLOTS, .nodes = b->nodes, .series = b->series, .events = b->events,
		                            .onset = "the alert" };
	return b;
}

static void end(struct bench *b)
{
	arena_release(&b->arena);
	free(b);
}

static size_t add_node(struct bench *b, const char *name, enum changed_scope scope, const char *version, const char *zone)
{
	struct changed_node *n = &b->nodes[b->in.n_nodes];
	assert_true(b->in.n_nodes < NODES_MAX);
	b->labels[b->in.n_nodes][0] = (struct label){ .name = "version", .value = version };
	b->labels[b->in.n_nodes][1] = (struct label){ .name = "zone", .value = zone };
	*n = (struct changed_node){ .name = name, .scope = scope, .labels = b->labels[b->in.n_nodes], .n_labels = LABELS };
	return b->in.n_nodes++;
}

/* From `before` to `after` at that slot, with a ripple of so much. */
static float *add_series(struct bench *b, size_t node, enum signal_id id, const char *part, double before, double after, size_t moves, double ripple)
{
	float *v = b->values[b->in.n_series];
	assert_true(b->in.n_series < SERIES_MAX);
	for (size_t i = 0; i < SLOTS; i++)
		v[i] = (float)((i < moves ? before : after) + ripple * noise(b));
	b->series[b->in.n_series++] = (struct changed_series){ node, id, part, v };
	return v;
}

static void add_event(struct bench *b, int64_t after_ms, size_t node, enum severity severity, const char *kind, const char *text)
{
	b->events[b->in.n_events++] = (struct changed_event){ .wall_ms = ONSET + after_ms, .node = node, .severity = severity, .kind = kind, .name = "",
		                                              .text = text };
}

static void rank(struct bench *b)
{
	struct why why = { "" };
	assert_ok(changed_rank(&b->in, &b->arena, &b->c, &why));
}

/* ---- sentences and order ---- */

static void test_words(void **state)
{
	struct bench *b = begin();
	(void)state;
	size_t me = add_node(b, "gpu-a-01", CHANGED_NODE, "v2", "a");
	size_t peer = add_node(b, "gpu-a-02", CHANGED_GROUP, "v2", "a");
	add_node(b, "gpu-a-03", CHANGED_GROUP, "v2", "b");
	add_series(b, me, SIGNAL_QUEUE, "", 3, 41, ONSET_SLOT - 4, 0.5);
	add_series(b, me, SIGNAL_GPU_TEMP, "gpu 0", 60, 60.4, ONSET_SLOT, 1);
	add_series(b, me, SIGNAL_GPU_TEMP, "gpu 1", 60, 88, ONSET_SLOT - 2, 1);
	add_series(b, me, SIGNAL_TOKENS, "", 1000, 330, ONSET_SLOT, 10);
	add_series(b, peer, SIGNAL_QUEUE, "", 3, 30, ONSET_SLOT - 3, 0.5);
	add_series(b, peer, SIGNAL_RUNNING, "", 10, 50, ONSET_SLOT + 2, 1);
	rank(b);
	assert_true(b->c->is_clear);
	assert_string_equal(b->c->note, "");
	assert_int_equal(b->c->n, 4);
	assert_string_equal(b->c->rows[0].text, "gpu temp (gpu 1) 60°C -> 88°C (+28 degrees), since 20s before the alert, same node (1 of 2)");
	assert_string_equal(b->c->rows[1].text, "queue 3 -> 41 (14x), since 40s before the alert, same node, also on 1 of 1 others of its group");
	assert_string_equal(b->c->rows[2].text, "tok/s 1.0k -> 330 (-67%), since the alert, same node");
	assert_string_equal(b->c->rows[3].text, "running 10 -> 50 (5.0x), since 20s after the alert, same group: 1 of 1 others, such as gpu-a-02");
	const struct changed_row *queue = &b->c->rows[1];
	assert_string_equal(queue->reasons, "0.68 = effect 0.90 x sure 1.00 x timing 1.00 x near 1.00 x kind 0.75 (saturation)");
	assert_true(queue->what == CHANGED_SIGNAL && queue->signal == SIGNAL_QUEUE && queue->scope == CHANGED_NODE && queue->unit == UNIT_COUNT);
	assert_true(queue->moved_ms == ONSET - 40000 && fabs(queue->before - 3) < 0.1 && fabs(queue->after - 41) < 0.1);
	assert_true(fabs(queue->score - queue->parts.effect * queue->parts.sure * queue->parts.timing * queue->parts.near * queue->parts.kind) < 1e-12);
	end(b);
}

/* The same change, further away in place, in time, or the good way, counts less. */
static void test_order(void **state)
{
	static const struct {
		const char        *label;
		enum changed_scope scope;
		enum signal_id     id;
		double             before, after;
		size_t             moves;
		double             low, high; /* of the score */
	} rows[] = {
		{ "on the node", CHANGED_NODE, SIGNAL_QUEUE, 3, 41, ONSET_SLOT - 4, 0.6, 0.75 },
		{ "on all of the group", CHANGED_GROUP, SIGNAL_QUEUE, 3, 41, ONSET_SLOT - 4, 0.5, 0.6 },
		{ "on all of the model", CHANGED_MODEL, SIGNAL_QUEUE, 3, 41, ONSET_SLOT - 4, 0.45, 0.55 },
		{ "two minutes late", CHANGED_NODE, SIGNAL_QUEUE, 3, 41, ONSET_SLOT + 12, 0.1, 0.35 },
		{ "ten minutes early", CHANGED_NODE, SIGNAL_QUEUE, 3, 41, ONSET_SLOT - 60, 0.2, 0.5 },
		{ "half the change", CHANGED_NODE, SIGNAL_QUEUE, 3, 6, ONSET_SLOT - 4, 0.25, 0.45 },
		{ "a symptom", CHANGED_NODE, SIGNAL_LATENCY_P99, 3, 41, ONSET_SLOT - 4, 0.5, 0.6 },
		{ "cooler", CHANGED_NODE, SIGNAL_GPU_TEMP, 80, 60, ONSET_SLOT - 4, 0.2, 0.3 },
		{ "one Xid", CHANGED_NODE, SIGNAL_XID, 0, 1, ONSET_SLOT - 4, 0.6, 0.95 },
		{ "hotter", CHANGED_NODE, SIGNAL_GPU_TEMP, 60, 80, ONSET_SLOT - 4, 0.6, 0.7 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench *b = begin();
		size_t node = add_node(b, "n", rows[i].scope, "v", "z");
		add_series(b, node, rows[i].id, "", rows[i].before, rows[i].after, rows[i].moves, rows[i].id == SIGNAL_XID ? 0 : 0.1);
		rank(b);
		assert_row(rows[i].label, b->c->n == 1);
		if (b->c->rows[0].score < rows[i].low || b->c->rows[0].score > rows[i].high)
			print_message("%s: %s\n", rows[i].label, b->c->rows[0].reasons);
		assert_row(rows[i].label, b->c->rows[0].score >= rows[i].low && b->c->rows[0].score <= rows[i].high);
		end(b);
	}
}

/* ---- what is the same twice ---- */

static void test_folding(void **state)
{
	struct bench *b = begin();
	(void)state;
	size_t me = add_node(b, "n", CHANGED_NODE, "v", "z");
	float *p99 = add_series(b, me, SIGNAL_LATENCY_P99, "", 0.2, 0.9, ONSET_SLOT, 0.02);
	float *p95 = add_series(b, me, SIGNAL_LATENCY_P95, "", 0.1, 0.4, ONSET_SLOT, 0);
	float *kept = add_series(b, me, SIGNAL_MEMORY, "", 0.5, 0.5, ONSET_SLOT, 0);
	add_series(b, me, SIGNAL_ERRORS, "", 0.001, 0.05, ONSET_SLOT, 0.001);
	for (size_t i = 0; i < SLOTS; i++) {
		p95[i] = 0.45F * p99[i];
		kept[i] = 0.9F - 0.4F * p99[i]; /* goes down when that goes up */
	}
	rank(b);
	assert_int_equal(b->c->n, 2);
	const struct changed_row *first = &b->c->rows[0], *second = &b->c->rows[1];
	assert_string_equal(first->label, "p99"); /* memory that falls is for the better */
	assert_int_equal(first->n_with, 2);
	assert_string_equal(first->with[0], "p95");
	assert_string_equal(first->with[1], "memory");
	assert_non_null(strstr(first->text, "; with it p95, memory"));
	assert_string_equal(second->label, "errors"); /* at the same moment, and still another thing */
	assert_int_equal(second->n_with, 0);
	end(b);
}

static void test_gone(void **state)
{
	struct bench *b = begin();
	(void)state;
	size_t me = add_node(b, "n", CHANGED_NODE, "v", "z");
	add_series(b, me, SIGNAL_UP, "", 1, 0, ONSET_SLOT - 1, 0);
	float *queue = add_series(b, me, SIGNAL_QUEUE, "", 3, 3, ONSET_SLOT, 1), *tokens = add_series(b, me, SIGNAL_TOKENS, "", 300, 300, ONSET_SLOT, 1);
	for (size_t i = ONSET_SLOT - 1; i < SLOTS; i++)
		queue[i] = tokens[i] = NAN;
	rank(b);
	assert_int_equal(b->c->n, 1);
	assert_string_equal(b->c->rows[0].text, "up 100% -> 0% (-100 points), since 10s before the alert, same node; with it queue, tok/s");
	end(b);
	/* It answers, and does not tell of its queue any more. */
	b = begin();
	me = add_node(b, "n", CHANGED_NODE, "v", "z");
	add_series(b, me, SIGNAL_UP, "", 1, 1, ONSET_SLOT, 0);
	queue = add_series(b, me, SIGNAL_QUEUE, "", 3, 3, ONSET_SLOT, 1);
	for (size_t i = ONSET_SLOT - 1; i < SLOTS; i++)
		queue[i] = NAN;
	rank(b);
	assert_int_equal(b->c->n, 1);
	assert_string_equal(b->c->rows[0].text, "queue is not told any more, since 10s before the alert, same node");
	end(b);
}

/* ---- labels ---- */

static void add_bad_version(struct bench *b, size_t bad, size_t good)
{
	static char names[NODES_MAX][24];
	for (size_t i = 0; i < bad + good; i++) {
		snprintf(names[i], sizeof names[i], "n%zu", i);
		size_t node = add_node(b, names[i], i == 0 ? CHANGED_NODE : CHANGED_GROUP, i < bad ? "v3" : "v2", i % 2 == 0 ? "a" : "b");
		add_series(b, node, SIGNAL_ERRORS, "", 0.001, i < bad ? 0.05 : 0.001, ONSET_SLOT - 1, 0.0005);
	}
}

static void test_labels(void **state)
{
	static const struct {
		const char *label;
		size_t      bad, good;
		const char *text; /* of the label's row; NULL: none */
	} rows[] = {
		{ "five of five", 5, 12, "5 of 5 bad nodes run version v3; 0 of 12 good ones" },
		{ "two of two, of nine", 2, 7, "2 of 2 bad nodes run version v3; 0 of 7 good ones" },
		{ "one alone may be anything", 1, 12, NULL },
		{ "all of them", 8, 0, NULL },
		{ "two of four is chance", 2, 2, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench *b = begin();
		const struct changed_row *found = NULL;
		add_bad_version(b, rows[i].bad, rows[i].good);
		rank(b);
		for (size_t k = 0; k < b->c->n; k++)
			if (b->c->rows[k].what == CHANGED_LABEL)
				found = &b->c->rows[k];
		assert_row(rows[i].label, (found != NULL) == (rows[i].text != NULL));
		if (found != NULL)
			assert_string_equal(found->text, rows[i].text);
		end(b);
	}
}

/* Who has alerts counts as in trouble whatever its signals do. */
static void test_affected(void **state)
{
	struct bench *b = begin();
	(void)state;
	add_bad_version(b, 5, 12);
	for (size_t i = 0, n = b->in.n_series; i < n; i++)
		add_series(b, b->series[i].node, SIGNAL_QUEUE, "", 3, 3, ONSET_SLOT, 1);
	b->in.series = b->series + b->in.n_series / 2; /* the queues alone, which do nothing */
	b->in.n_series /= 2;
	for (size_t i = 0; i < 5; i++)
		b->nodes[i].is_affected = true;
	rank(b);
	assert_int_equal(b->c->n, 1);
	assert_string_equal(b->c->rows[0].text, "5 of 5 bad nodes run version v3; 0 of 12 good ones");
	assert_true(b->c->is_clear);
	end(b);
}

/* ---- events ---- */

static void test_events(void **state)
{
	struct bench *b = begin();
	(void)state;
	size_t me = add_node(b, "n1", CHANGED_NODE, "v", "z"), peer = add_node(b, "n2", CHANGED_GROUP, "v", "z");
	add_node(b, "n3", CHANGED_GROUP, "v", "z");
	add_series(b, me, SIGNAL_LATENCY_P99, "", 0.2, 0.9, ONSET_SLOT, 0.02);
	add_event(b, 90000, me, SEVERITY_OK, "scrape", "answers again after 1m");
	add_event(b, -40000, me, SEVERITY_INFO, "version", "m now serves version 2 (before: 1)");
	add_event(b, -35000, peer, SEVERITY_INFO, "version", "m now serves version 2 (before: 1)");
	add_event(b, -25 * 60 * 1000, peer, SEVERITY_CRIT, "xid", "Xid 79: the GPU has fallen off the bus");
	add_event(b, -10000, SIZE_MAX, SEVERITY_INFO, "config", "the fleet file was read anew");
	add_event(b, 100, me, SEVERITY_WARN, "alert", "p99 is high");
	add_event(b, -8000, me, SEVERITY_CRIT, "disk-full", "a file system is full");
	rank(b);
	assert_int_equal(b->c->n, 5);
	assert_string_equal(b->c->rows[0].text, "version: m now serves version 2 (before: 1), 40s before the alert, same node, also on 1 of 2 others of its group");
	assert_string_equal(b->c->rows[1].text, "disk-full: a file system is full, 8s before the alert, same node");
	assert_string_equal(b->c->rows[2].label, "p99");
	assert_string_equal(b->c->rows[3].text, "config: the fleet file was read anew, 10s before the alert, the fleet");
	assert_string_equal(b->c->rows[4].label, "xid"); /* long before, and of another node */
	assert_int_equal(b->c->n_events, 7);
	assert_string_equal(b->c->events[0].kind, "xid");
	assert_string_equal(b->c->events[0].name, "n2");
	assert_int_equal(b->c->events[3].scope, CHANGED_FLEET);
	assert_string_equal(b->c->events[6].text, "answers again after 1m");
	end(b);
}

/* A redeploy of the model is nearer than one of another, and of all its nodes. */
static void test_deployments(void **state)
{
	static const struct { const char *label; bool is_of_model; const char *text; enum changed_scope scope; double near; } rows[] = {
		{ "of the model", true,  "deploy: rollback of m to 1 begins, 40s before the alert, same model", CHANGED_MODEL, 0.75 },
		{ "of another",   false, "deploy: rollback of m to 1 begins, 40s before the alert, the fleet",  CHANGED_FLEET, 0.6 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench *b = begin();
		add_node(b, "n1", CHANGED_NODE, "v", "z");
		add_node(b, "n2", CHANGED_MODEL, "v", "z");
		add_event(b, -40000, SIZE_MAX, SEVERITY_INFO, "deploy", "rollback of m to 1 begins");
		b->events[0].is_of_model = rows[i].is_of_model;
		rank(b);
		assert_int_equal(b->c->n, 1);
		if (strcmp(b->c->rows[0].text, rows[i].text) != 0 || b->c->rows[0].scope != rows[i].scope || b->c->events[0].scope != rows[i].scope ||
		    fabs(b->c->rows[0].parts.near - rows[i].near) > 1e-9)
			fail_msg("%s: %s", rows[i].label, b->c->rows[0].text);
		end(b);
	}
}

/* ---- nothing to say ---- */

static void test_notes(void **state)
{
	static const struct {
		const char *label;
		size_t      from, slots; /* what is there of the window */
		double      after;
		const char *note;
	} rows[] = {
		{ "nothing moved", 0, SLOTS, 3, "no clear cause: nothing that is watched here moved much, or at the right time" },
		{ "two values after it", 0, ONSET_SLOT - 4, 41, "not enough to say yet: it only just began" },
		{ "no past", ONSET_SLOT - 8, SLOTS, 41, "not enough to say: there are too few values before or after" },
		{ "the minute before it does for a start", 0, ONSET_SLOT + 1, 41, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench *b = begin();
		size_t me = add_node(b, "n", CHANGED_NODE, "v", "z");
		float *v = add_series(b, me, SIGNAL_QUEUE, "", 3, rows[i].after, ONSET_SLOT - 6, 0.5);
		for (size_t k = 0; k < rows[i].from; k++)
			v[k] = NAN;
		b->in.n_slots = rows[i].slots;
		if (rows[i].slots < SLOTS)
			b->in.until_ms = ONSET + 5000;
		rank(b);
		assert_string_equal(b->c->note, rows[i].note);
		assert_row(rows[i].label, b->c->is_clear == (rows[i].note[0] == '\0'));
		end(b);
	}
}

static void test_nothing_at_all(void **state)
{
	struct bench *b = begin();
	(void)state;
	rank(b);
	assert_int_equal(b->c->n + b->c->n_events, 0);
	assert_false(b->c->is_clear);
	end(b);
}

static void test_cancelled(void **state)
{
	struct bench *b = begin();
	struct why why = { "" };
	const atomic_bool cancelled = true;
	(void)state;
	add_bad_version(b, 5, 12);
	b->in.cancelled = &cancelled;
	assert_int_equal(changed_rank(&b->in, &b->arena, &b->c, &why), ERR_CANCELLED);
	assert_null(b->c);
	end(b);
}

/* ---- JSON ---- */

static void test_json(void **state)
{
	struct bench *b = begin();
	struct buf text;
	struct why why = { "" };
	cJSON *tree = NULL;
	const cJSON *causes = NULL, *events = NULL;
	const char *said = NULL;
	double v = 0;
	(void)state;
	add_bad_version(b, 5, 12);
	add_event(b, -40000, 0, SEVERITY_INFO, "version", "\"m\"\x01 now serves \xff");
	rank(b);
	buf_init(&text, 1 << 20);
	assert_int_equal(changed_json(b->c, &text), ERR_OK);
	assert_ok(json_parse(buf_text(&text), text.len, NULL, &tree, &why));
	assert_ok(json_get_array(tree, "causes", 100, &causes, &why));
	assert_int_equal(cJSON_GetArraySize(causes), b->c->n);
	assert_ok(json_get_f64(cJSON_GetArrayItem(causes, 0), "score", 0, 1, &v, &why));
	assert_true(fabs(v - b->c->rows[0].score) < 1e-12);
	assert_ok(json_get_string(cJSON_GetArrayItem(causes, 0), "what", 16, &said, &why));
	assert_string_equal(said, "event");
	assert_ok(json_get_array(tree, "events", 100, &events, &why));
	assert_ok(json_get_string(cJSON_GetArrayItem(events, 0), "text", 100, &said, &why));
	assert_string_equal(said, "\"m\"\x01 now serves \xef\xbf\xbd");
	cJSON_Delete(tree);
	buf_release(&text);
	end(b);
}

/* ---- memory that runs out ---- */

static enum err rank_once(void *ctx, struct why *why)
{
	struct bench *b = ctx;
	struct arena a;
	struct changed *c = NULL;
	arena_init(&a);
	enum err e = changed_rank(&b->in, &a, &c, why);
	fault_end();
	assert_true((e == ERR_OK) == (c != NULL));
	for (size_t i = 0; e == ERR_OK && i < b->c->n; i++)
		fault_same(c->rows[i].text, b->c->rows[i].text);
	arena_release(&a);
	return e;
}

static void test_faults(void **state)
{
	struct bench *b = begin();
	(void)state;
	add_bad_version(b, 5, 12);
	add_event(b, -40000, 0, SEVERITY_INFO, "version", "m now serves version 2 (before: 1)");
	rank(b);
	fault_loop("rank", ERR_OK, rank_once, b);
	end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),  cmocka_unit_test(test_order),    cmocka_unit_test(test_folding), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_labels), cmocka_unit_test(test_affected), cmocka_unit_test(test_events), cmocka_unit_test(test_deployments),  cmocka_unit_test(test_notes),
		cmocka_unit_test(test_nothing_at_all), cmocka_unit_test(test_cancelled), cmocka_unit_test(test_json), cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
