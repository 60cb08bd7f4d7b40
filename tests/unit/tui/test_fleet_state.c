/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet's snapshots, made from a real store. */
#include "tests/unit/unit.h"

#include <math.h>
#include <unistd.h>

#include "base/stale.h"
#include "store/store.h"
#include "tui/fleet_state.h"

enum { START_MS = 100 * 1000 * 1000, STEP_MS = 5000, N_SERIES = 4 };

struct fixture {
	char                 folder[64], path[96];
	struct test_clock    clock;
	struct store        *store;
	struct reader       *reader;
	struct fleet_state  *state;
	const struct layout *layout;
	struct arena         arena;
};

static struct why why;

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-state-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	test_clock_init(&f->clock, START_MS);
	const struct store_options o = { .path = f->path, .clock = &f->clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &f->store, &why));
	struct labels *series[N_SERIES] = {
		labels_of("__name__", "signal:up", NULL),
		labels_of("__name__", "signal:requests:rate", NULL),
		labels_of("__name__", "signal:gpu_temperature_celsius", "gpu", "0", NULL),
		labels_of("__name__", "signal:model_version", "model", "chat", "version", "7", NULL),
	};
	assert_ok(store_layout(f->store, series, N_SERIES, &f->layout, &why));
	for (size_t i = 0; i < N_SERIES; i++)
		labels_unref(series[i]);
	assert_ok(reader_open(f->path, READER_OWN, &f->reader, &why));
	assert_ok(fleet_state_new(&f->state, &why));
	arena_init(&f->arena);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm" };
	arena_release(&f->arena);
	fleet_state_free(f->state);
	reader_close(f->reader);
	store_close(f->store);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static int64_t target(struct fixture *f, const char *group, const char *node, const char *job, const char *model)
{
	int64_t id = 0;
	struct labels *labels = labels_of("instance", node, "job", job, "group", group, "node", node, "model", model, NULL);
	assert_ok(store_target(f->store, labels, "http://x/metrics", &id, &why));
	labels_unref(labels);
	return id;
}

static void frame(struct fixture *f, int64_t id, int64_t t_ms, double up, double rate, double temperature, double version)
{
	const double values[N_SERIES] = { up, rate, temperature, version };
	assert_ok(store_append(f->store, id, STREAM_SIGNAL, t_ms, f->layout, values, &why));
}

static const struct fleet_view *view_at(struct fixture *f, int64_t t_ms)
{
	struct fleet_view *v = NULL;
	assert_ok(store_flush(f->store, &why));
	assert_ok(fleet_state_move(f->state, f->reader, t_ms, &why));
	assert_ok(fleet_state_view(f->state, f->reader, &f->arena, &v, &why));
	return v;
}

static void targets_become_nodes_and_nodes_models(void **state)
{
	struct fixture *f = *state;
	int64_t a = target(f, "g2", "n1", "vllm", "chat"), b = target(f, "g2", "n1", "dcgm", "chat"), c = target(f, "g1", "n2", "vllm", "chat");
	assert_ok(store_set_meta(f->store, "fleet", "shop", &why));
	frame(f, a, START_MS + 1000, 1, 10, stale_mark(), 1);
	frame(f, b, START_MS + 1000, 1, stale_mark(), 70, stale_mark());
	frame(f, c, START_MS + 1000, 1, 5, 60, 1);
	const struct fleet_view *v = view_at(f, START_MS + 2000);
	assert_string_equal(v->name, "shop");
	assert_int_equal(v->n_nodes, 2);
	assert_string_equal(v->nodes[0].node, "n2"); /* by group first */
	assert_string_equal(v->nodes[1].node, "n1");
	assert_int_equal(v->nodes[1].n_targets, 2);
	assert_int_equal(v->nodes[1].n_targets_up, 2);
	assert_true(v->nodes[1].value[SIGNAL_REQUESTS] == 10);
	assert_true(v->nodes[1].value[SIGNAL_GPU_TEMP] == 70);
	assert_true(isnan(v->nodes[1].value[SIGNAL_ERRORS]));
	assert_string_equal(v->nodes[1].version, "7");
	assert_int_equal(v->n_models, 1);
	assert_int_equal(v->models[0].n_nodes, 2);
	assert_true(v->total[SIGNAL_REQUESTS] == 15);
	assert_int_equal(v->n_by_severity[SEVERITY_OK], 2);
}

/* Which GPU it is and why stands beside the node, as it was said by whichever of its targets, and safe to be shown. */
static void a_gpu_that_is_unfit_is_named(void **state)
{
	static const struct { const char *label, *gpu, *bus, *reason, *xid; double value; const char *want; } rows[] = {
		{ "lost", "3", "", "lost", "", 1, "GPU 3 is lost, or wants a reset" },
		{ "memory", "0", "", "memory", "", 1, "GPU 0 met uncorrectable memory errors" },
		{ "an Xid by its place", "", "0000:18:00", "xid", "79", 1, "GPU 0000:18:00 reported Xid 79" },
		{ "a reason of one's own profile", "1", "", "rust", "", 1, "GPU 1 is not fit for work" },
		{ "the driver hangs, and which GPUs there are is not known", "", "", "lost", "", 1, "the driver answers for none of the GPUs" },
		{ "no labels", "", "", "", "", 1, "GPU is not fit for work" },
		{ "hostile", "\033[31m\n", "", "lost", "", 1, "GPU \342\220\233[31m\342\220\212 is lost, or wants a reset" },
		{ "0 is none", "3", "", "lost", "", 0, "" },
		{ "neither is what is stale", "3", "", "lost", "", (double)NAN, "" },
	};
	struct fixture *f = *state;
	int64_t server = target(f, "g", "n", "vllm", "chat"), machine = target(f, "g", "n", "machine", "chat");
	for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
		struct labels *series[] = { labels_of("__name__", "signal:up", NULL),
			labels_of("__name__", "signal:gpu_fault", "gpu", rows[i].gpu, "pci_bus_id", rows[i].bus, "reason", rows[i].reason, "xid",
			          rows[i].xid, NULL) };
		const double values[] = { 1, isnan(rows[i].value) ? stale_mark() : rows[i].value };
		const struct layout *layout = NULL;
		int64_t t_ms = START_MS + i * STEP_MS;
		assert_ok(store_layout(f->store, series, 2, &layout, &why));
		assert_ok(store_append(f->store, machine, STREAM_SIGNAL, t_ms, layout, values, &why));
		frame(f, server, t_ms, 1, 10, 60, 1);
		const struct node_row *n = &view_at(f, t_ms + 1)->nodes[0];
		if (strcmp(n->reason, rows[i].want) != 0)
			fail_msg("%s: '%s', not '%s'", rows[i].label, n->reason, rows[i].want);
		assert_row(rows[i].label, n->severity == (rows[i].want[0] != '\0' ? SEVERITY_CRIT : SEVERITY_OK));
		for (size_t k = 0; k < 2; k++)
			labels_unref(series[k]);
	}
}

static void moving_on_and_jumping_back_see_the_same(void **state)
{
	struct fixture *f = *state;
	int64_t a = target(f, "g", "n", "vllm", "chat");
	for (int i = 0; i < 40; i++)
		frame(f, a, START_MS + i * STEP_MS, 1, i, 60, 1);
	for (int i = 1; i < 40; i++) {
		const struct fleet_view *v = view_at(f, START_MS + i * STEP_MS + 1);
		assert_true(v->nodes[0].value[SIGNAL_REQUESTS] == i);
		assert_int_equal(v->nodes[0].seen_ms, START_MS + i * STEP_MS);
	}
	const struct fleet_view *walked = view_at(f, START_MS + 39 * STEP_MS + 1);
	assert_int_equal(walked->interval_ms, STEP_MS);
	const struct fleet_view *back = view_at(f, START_MS + 20 * STEP_MS + 1);
	assert_true(back->nodes[0].value[SIGNAL_REQUESTS] == 20);
	const struct fleet_view *again = view_at(f, START_MS + 39 * STEP_MS + 1);
	for (int i = 0; i < HISTORY_POINTS; i++) {
		float x = walked->nodes[0].history[SIGNAL_REQUESTS][i], y = again->nodes[0].history[SIGNAL_REQUESTS][i];
		assert_true((isnan(x) && isnan(y)) || x == y);
	}
	assert_true(again->nodes[0].history[SIGNAL_REQUESTS][HISTORY_POINTS - 1] == 39);
}

static void a_frame_committed_late_is_still_seen(void **state)
{
	struct fixture *f = *state;
	int64_t a = target(f, "g", "n", "vllm", "chat");
	frame(f, a, START_MS + 1000, 1, 1, 60, 1);
	view_at(f, START_MS + 9000); /* T is past the frame that comes now */
	frame(f, a, START_MS + 6000, 1, 2, 60, 1);
	assert_true(view_at(f, START_MS + 10000)->nodes[0].value[SIGNAL_REQUESTS] == 2);
}

static void what_stands_still_is_down_and_what_is_old_is_gone(void **state)
{
	struct fixture *f = *state;
	int64_t a = target(f, "g", "n1", "vllm", "chat");
	target(f, "g", "n2", "vllm", "chat");
	frame(f, a, START_MS + 1000, 1, 1, 60, 1);
	frame(f, a, START_MS + 6000, 0, stale_mark(), stale_mark(), stale_mark());
	const struct fleet_view *v = view_at(f, START_MS + 7000);
	assert_int_equal(v->nodes[0].severity, SEVERITY_DOWN);
	assert_true(isnan(v->nodes[0].value[SIGNAL_REQUESTS]));
	assert_int_equal(v->nodes[1].seen_ms, 0);
	assert_int_equal(v->n_unknown, 1);
	assert_int_equal(v->n_by_severity[SEVERITY_DOWN], 1);
	v = view_at(f, START_MS + 7000 + 5 * 60 * 1000);
	assert_true(isnan(v->nodes[0].value[SIGNAL_UP]));
}

static void scrape_event(struct fixture *f, int64_t id, int64_t t_ms, enum severity severity, const char *text)
{
	const struct event e = { .wall_ms = t_ms, .target = id, .severity = severity, .kind = "scrape", .node = "n1", .text = text };
	assert_ok(store_append_event(f->store, &e, &why));
}

/* Live, by walking on, and in a replay, by jumping there, it is the same: both have it from the store. */
static void why_a_node_is_down_is_told_with_it(void **state)
{
	static const struct {
		const char   *label;
		int64_t       at_ms;
		enum severity severity;
		const char   *reason;
	} rows[] = {
		{ "well", 1000, SEVERITY_OK, "" },
		{ "refused", 6000, SEVERITY_DOWN, "login refused: ops takes keys only" },
		{ "changed", 11000, SEVERITY_CRIT, "HOST KEY CHANGED: not the one that is known" },
		{ "well again", 16000, SEVERITY_OK, "" },
	};
	enum { N = sizeof rows / sizeof rows[0] };
	struct fixture *f = *state;
	int64_t id = target(f, "g", "n1", "machine", "chat");
	for (size_t i = 0; i < N; i++) {
		int64_t t_ms = START_MS + rows[i].at_ms;
		bool is_up = rows[i].severity == SEVERITY_OK;
		frame(f, id, t_ms, is_up, is_up ? 1 : stale_mark(), stale_mark(), stale_mark());
		if (i > 0)
			scrape_event(f, id, t_ms, rows[i].severity, is_up ? "answers again" : rows[i].reason);
		scrape_event(f, id, t_ms + 1, SEVERITY_WARN, "it has series of names that pitwall gives itself"); /* tells nothing of the kind */
		const struct fleet_view *v = view_at(f, t_ms + 500);
		assert_row(rows[i].label, v->nodes[0].severity == rows[i].severity && strcmp(v->nodes[0].reason, rows[i].reason) == 0);
		assert_row(rows[i].label, v->n_by_severity[rows[i].severity] == 1);
	}
	for (size_t i = N; i-- > 0;) {
		const struct fleet_view *v = view_at(f, START_MS + rows[i].at_ms + 500);
		assert_row(rows[i].label, v->nodes[0].severity == rows[i].severity && strcmp(v->nodes[0].reason, rows[i].reason) == 0);
	}
}

static void a_node_has_its_targets_gpus_versions_and_events(void **state)
{
	struct fixture *f = *state;
	int64_t a = target(f, "g", "n1", "vllm", "chat");
	struct labels *up = labels_of("__name__", "up", NULL);
	const struct layout *report;
	assert_ok(store_layout(f->store, &up, 1, &report, &why));
	labels_unref(up);
	const double zero = 0;
	assert_ok(store_append(f->store, a, STREAM_REPORT, START_MS + 1000, report, &zero, &why));
	frame(f, a, START_MS + 1000, 1, 1, 61, 1);
	const struct event e = { .wall_ms = START_MS + 1000, .target = a, .severity = SEVERITY_DOWN, .kind = "scrape", .node = "n1",
		                 .text = "connection refused" };
	assert_ok(store_append_event(f->store, &e, &why));
	view_at(f, START_MS + 2000);
	struct node_view *n = NULL;
	assert_ok(fleet_state_node(f->state, f->reader, NULL, "n1", NULL, &f->arena, &n, &why));
	assert_int_equal(n->n_targets, 1);
	assert_true(n->targets[0].was_polled);
	assert_false(n->targets[0].is_up);
	assert_string_equal(n->targets[0].error, "connection refused");
	assert_int_equal(n->n_gpus, 1);
	assert_true(n->gpus[0].temperature == 61);
	assert_true(isnan(n->gpus[0].power));
	assert_int_equal(n->n_served, 1);
	assert_string_equal(n->served[0].version, "7");
	assert_int_equal(n->events.n, 1);
	assert_ok(fleet_state_node(f->state, f->reader, NULL, "nobody", NULL, &f->arena, &n, &why));
	assert_int_equal(n->n_targets, 0);
}

/* What is asked at once when recording begins, and two seconds later at its place, is not asked every two seconds. */
static void the_first_gap_is_no_interval(void **state)
{
	struct fixture *f = *state;
	int64_t a = target(f, "g", "n", "machine", "");
	frame(f, a, START_MS, 1, 1, 1, 1);
	frame(f, a, START_MS + 2000, 1, 1, 1, 1);
	assert_int_equal(view_at(f, START_MS + 3000)->interval_ms, 0);
	frame(f, a, START_MS + 12000, 1, 1, 1, 1);
	frame(f, a, START_MS + 22000, 1, 1, 1, 1);
	assert_int_equal(view_at(f, START_MS + 23000)->interval_ms, 10000);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(targets_become_nodes_and_nodes_models),
		WITH(a_gpu_that_is_unfit_is_named),
		WITH(moving_on_and_jumping_back_see_the_same),
		WITH(a_frame_committed_late_is_still_seen),
		WITH(what_stands_still_is_down_and_what_is_old_is_gone),
		WITH(the_first_gap_is_no_interval),
		WITH(why_a_node_is_down_is_told_with_it),
		WITH(a_node_has_its_targets_gpus_versions_and_events),
	};
	return cmocka_run_group_tests_name("fleet_state", tests, NULL, NULL);
}
