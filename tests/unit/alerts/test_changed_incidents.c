/* SPDX-License-Identifier: Apache-2.0
 *
 * Simulated fleets in which something goes wrong: the true cause must stand among the first three, and where nothing is wrong no cause is clear. The
 * model's observations become signal frames and events as a recorder would have written them. */
#include "tests/unit/unit.h"

#include <math.h>

#include "alerts/changed.h"
#include "base/clock.h"
#include "sim/model.h"
#include "store/alerts.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"

enum {
	NODES = 24, GPUS = 2, SCRAPE_S = 10, STRIKES_S = 2400, ENDS_S = STRIKES_S + 360, SEEN_S = 240, WINDOW_S = 60, SERIES_MAX = 32,
	COMMON_CAUSES = 3,
};
static const int64_t T0 = INT64_C(1790000000000);

struct node {
	struct model_node  model;
	struct observation last[WINDOW_S]; /* by tick */
	int64_t            target;
	bool               was_down, was_new, was_hung;
};

struct fleet {
	struct store_folder folder;
	struct test_clock   clock;
	struct roster       roster;
	struct schedule     schedule;
	struct node         nodes[NODES];
	struct store       *store;
	size_t              n_hit, hit[NODES];
};

static int64_t wall(double s)
{
	return T0 + (int64_t)(s * 1000);
}

static void need(enum err e, const struct why *why)
{
	if (e != ERR_OK)
		fail_msg("%s", why->text);
}

static const struct group_spec *spec_of(const struct fleet *f, size_t i)
{
	return f->roster.groups[f->roster.nodes[i].group].spec;
}

/* ---- recording ---- */

struct page {
	size_t         n;
	struct labels *series[SERIES_MAX];
	double         values[SERIES_MAX];
};

static void put(struct page *p, enum signal_id id, double v, const char *label, const char *value)
{
	assert_true(p->n < SERIES_MAX);
	p->values[p->n] = v;
	p->series[p->n++] = labels_of(LABEL_NAME, signal_info(id)->metric, label, value, NULL);
}

/* The last minute, as a rate or quantile sees it. */
static struct observation minute_of(const struct node *n)
{
	struct observation sum = { 0 };
	double seen = 0;
	for (size_t i = 0; i < WINDOW_S; i++) {
		const struct observation *o = &n->last[i];
		if (o->down != DOWN_NOT || o->service_s <= 0)
			continue;
		seen++;
		sum.completed += o->completed;
		sum.failed += o->failed;
		sum.wait_s += o->wait_s;
		sum.service_s += o->service_s;
		sum.sigma += o->sigma;
		sum.prefill_s += o->prefill_s;
		sum.output_tokens += o->output_tokens;
	}
	seen = seen > 0 ? seen : 1;
	return (struct observation){ .completed = sum.completed / seen, .failed = sum.failed / seen, .wait_s = sum.wait_s / seen,
		                         .service_s = sum.service_s / seen, .sigma = sum.sigma / seen, .prefill_s = sum.prefill_s / seen,
		                         .output_tokens = sum.output_tokens / seen };
}

static void put_gpus(const struct observation *now, struct page *p)
{
	static const char *const gpus[GPUS] = { "0", "1" };
	for (size_t g = 0; g < GPUS; g++) {
		double lean = 1 + 0.01 * (double)g;
		put(p, SIGNAL_GPU_UTIL, fmin(1, now->gpu_util * lean), "gpu", gpus[g]);
		put(p, SIGNAL_GPU_MEMORY, now->gpu_memory, "gpu", gpus[g]);
		put(p, SIGNAL_GPU_TEMP, floor(now->gpu_celsius * lean), "gpu", gpus[g]); /* exporters say whole degrees */
		put(p, SIGNAL_GPU_POWER, now->gpu_watts * lean, "gpu", gpus[g]);
		put(p, SIGNAL_THROTTLED, now->clock_ratio < 0.995 ? 1 : 0, "gpu", gpus[g]);
		put(p, SIGNAL_XID, now->gpu_fault && g == 0 ? 1 : 0, "gpu", gpus[g]);
		put(p, SIGNAL_ECC, now->gpu_fault && g == 0 ? 2 : 0, "gpu", gpus[g]);
	}
}

static void put_server(const struct fleet *f, size_t i, struct page *p)
{
	const struct node *n = &f->nodes[i];
	const struct observation *now = &n->model.now, m = minute_of(n);
	const struct group_spec *spec = spec_of(f, i);
	double all = m.completed + m.failed, mean = m.wait_s + m.service_s;
	put(p, SIGNAL_REQUESTS, all, NULL, NULL);
	put(p, SIGNAL_ERRORS, all > 0 ? m.failed / all : (double)NAN, NULL, NULL);
	put(p, SIGNAL_LATENCY_P50, lognormal_quantile(mean, m.sigma, 0.5), NULL, NULL);
	put(p, SIGNAL_LATENCY_P95, lognormal_quantile(mean, m.sigma, 0.95), NULL, NULL);
	put(p, SIGNAL_LATENCY_P99, lognormal_quantile(mean, m.sigma, 0.99), NULL, NULL);
	put(p, SIGNAL_QUEUE, floor(now->waiting), NULL, NULL);
	put(p, SIGNAL_RUNNING, floor(now->running), NULL, NULL);
	put(p, SIGNAL_CPU, now->cpu_util, NULL, NULL);
	put(p, SIGNAL_MEMORY, now->memory_ratio, NULL, NULL);
	put(p, SIGNAL_ACCURACY, now->accuracy, "model", spec->model);
	if (spec->kind == SERVER_VLLM) {
		put(p, SIGNAL_TOKENS, m.completed * m.output_tokens, NULL, NULL);
		put(p, SIGNAL_TTFT_P95, lognormal_quantile(m.wait_s + m.prefill_s, m.sigma, 0.95), NULL, NULL);
		put(p, SIGNAL_KV_CACHE, now->kv_ratio, NULL, NULL);
	}
	put_gpus(now, p);
	p->values[p->n] = 1;
	p->series[p->n++] = labels_of(LABEL_NAME, signal_info(SIGNAL_VERSION)->metric, "model", spec->model, "version",
	                              now->new_version ? spec->next_version : spec->version, NULL);
}

static void scrape(struct fleet *f, size_t i, double t_s)
{
	struct why why = { "" };
	struct page p = { .n = 0 };
	const struct layout *layout = NULL;
	bool is_down = f->nodes[i].model.now.down != DOWN_NOT;
	put(&p, SIGNAL_UP, is_down ? 0 : 1, NULL, NULL);
	if (!is_down)
		put_server(f, i, &p);
	need(store_layout(f->store, p.series, p.n, &layout, &why), &why);
	need(store_append(f->store, f->nodes[i].target, STREAM_SIGNAL, wall(t_s), layout, p.values, &why), &why);
	for (size_t k = 0; k < p.n; k++)
		labels_unref(p.series[k]);
}

static void tell(struct fleet *f, size_t i, double t_s, enum severity severity, const char *kind, const char *text)
{
	struct why why = { "" };
	const struct event e = { .wall_ms = wall(t_s), .target = f->nodes[i].target, .severity = severity, .kind = kind,
		                     .node = f->roster.nodes[i].name, .text = text };
	need(store_append_event(f->store, &e, &why), &why);
}

static void tell_changes(struct fleet *f, size_t i, double t_s)
{
	struct node *n = &f->nodes[i];
	char text[128];
	bool is_down = n->model.now.down != DOWN_NOT, is_new = n->model.now.new_version;
	const struct group_spec *spec = spec_of(f, i);
	if (is_down && !n->was_down)
		tell(f, i, t_s, SEVERITY_DOWN, "scrape", "connection refused");
	if (!is_down && n->was_down) {
		tell(f, i, t_s, SEVERITY_INFO, "restart", "the server process was restarted");
		tell(f, i, t_s, SEVERITY_OK, "scrape", "answers again");
	}
	if (!is_down && is_new != n->was_new) {
		snprintf(text, sizeof text, "%s now serves version %s (before: %s)", spec->model, is_new ? spec->next_version : spec->version,
		         is_new ? spec->version : spec->next_version);
		tell(f, i, t_s, SEVERITY_INFO, "version", text);
		tell(f, i, t_s, SEVERITY_INFO, "restart", "the server process was restarted");
		n->was_new = is_new;
	}
	if (n->was_hung && !n->model.now.hangs)
		tell(f, i, t_s, SEVERITY_INFO, "restart", "the server process was restarted");
	n->was_hung = n->model.now.hangs;
	n->was_down = is_down;
}

static void enter(struct fleet *f, size_t i)
{
	struct why why = { "" };
	const struct group_spec *spec = spec_of(f, i);
	const char *name = f->roster.nodes[i].name;
	struct labels *l = labels_of("instance", name, "node", name, "group", spec->name, "model", spec->model, "region", spec->region, NULL);
	need(store_target(f->store, l, "http://127.0.0.1/metrics", &f->nodes[i].target, &why), &why);
	labels_unref(l);
	model_init(&f->nodes[i].model, &f->roster, &f->schedule, i);
}

/* A fleet with that incident at STRIKES_S, recorded until ENDS_S. */
static void record(struct fleet *f, const char *incident, uint64_t seed)
{
	struct why why = { "" };
	char text[64];
	memset(f, 0, sizeof *f);
	store_folder_make(&f->folder, "changed");
	test_clock_init(&f->clock, T0);
	const struct store_options o = { .path = f->folder.path, .clock = &f->clock.clock };
	need(roster_init(&f->roster, NODES, seed, &why), &why);
	f->schedule.seed = seed;
	snprintf(text, sizeof text, "%s@%d", incident, STRIKES_S);
	if (incident[0] != '\0')
		need(schedule_add(&f->schedule, text, &why), &why);
	need(store_open(&o, &f->store, &why), &why);
	for (size_t i = 0; i < NODES; i++)
		enter(f, i);
	for (int t = 1; t <= ENDS_S; t++) {
		for (size_t i = 0; i < NODES; i++) {
			struct node *n = &f->nodes[i];
			model_step(&n->model);
			n->last[t % WINDOW_S] = n->model.now;
			if (t >= STRIKES_S - 2000 && (t + (int)i) % SCRAPE_S == 0) {
				tell_changes(f, i, t);
				scrape(f, i, t);
			}
			if (t == STRIKES_S + 60 && n->model.now.incident != NULL)
				f->hit[f->n_hit++] = i;
		}
	}
	need(store_flush(f->store, &why), &why);
}

static void drop(struct fleet *f)
{
	store_close(f->store);
	roster_release(&f->roster);
	store_folder_remove(&f->folder);
}

/* ---- looking ---- */

static void ask(const struct fleet *f, size_t node, int onset_s, int until_s, struct arena *a, struct changed **out)
{
	struct why why = { "" };
	struct reader *r = NULL;
	const struct changed_question q = { .node = f->roster.nodes[node].name, .group = "", .model = "", .onset_ms = wall(onset_s),
		                                .until_ms = wall(until_s) };
	need(reader_open(f->folder.path, READER_OWN, &r, &why), &why);
	need(changed_read(r, &q, a, out, &why), &why);
	reader_close(r);
}

static void print_rows(const char *incident, const struct changed *c)
{
	print_message("%s: %s\n", incident, c->note);
	for (size_t i = 0; i < c->n && i < 8; i++)
		print_message("  %s\n    %s\n", c->rows[i].text, c->rows[i].reasons);
}

struct cause {
	const char       *incident;
	enum changed_what what;
	const char       *label; /* any label that begins so */
	enum changed_what other_what;
	const char       *other;
};

static bool is_cause(const struct cause *c, const struct changed_row *r)
{
	return (r->what == c->what && strncmp(r->label, c->label, strlen(c->label)) == 0) ||
	       (r->what == c->other_what && strncmp(r->label, c->other, strlen(c->other)) == 0);
}

static void check(const struct cause *cause, uint64_t seed, int onset_s, int until_s)
{
	struct fleet *f = calloc(1, sizeof *f);
	struct arena a;
	struct changed *c = NULL;
	size_t at = 0;
	assert_non_null(f);
	record(f, cause->incident, seed);
	assert_row(cause->incident, f->n_hit > 0);
	arena_init(&a);
	ask(f, f->hit[0], onset_s, until_s, &a, &c);
	while (at < c->n && !is_cause(cause, &c->rows[at]))
		at++;
	if (at >= COMMON_CAUSES || !c->is_clear || getenv("PITWALL_SHOW") != NULL)
		print_rows(cause->incident, c);
	assert_row(cause->incident, at < COMMON_CAUSES);
	assert_row(cause->incident, c->is_clear);
	assert_row(cause->incident, c->note[0] == '\0');
	arena_release(&a);
	drop(f);
	free(f);
}

static const struct cause causes[] = {
	{ "bad-deploy", CHANGED_EVENT, "version", CHANGED_LABEL, "version=" },
	{ "gpu-throttle", CHANGED_SIGNAL, "gpu temp", CHANGED_SIGNAL, "throttled" },
	{ "node-down", CHANGED_SIGNAL, "up", CHANGED_EVENT, "scrape" },
	{ "kv-thrash", CHANGED_SIGNAL, "kv cache", CHANGED_SIGNAL, "kv cache" },
	{ "accuracy-drop", CHANGED_SIGNAL, "accuracy", CHANGED_SIGNAL, "accuracy" },
	{ "flapping-node", CHANGED_SIGNAL, "up", CHANGED_EVENT, "restart" },
	{ "hung-engine", CHANGED_SIGNAL, "queue", CHANGED_SIGNAL, "req/s" },
	{ "gpu-fault", CHANGED_SIGNAL, "xid", CHANGED_SIGNAL, "ecc" },
};
enum { N_CAUSES = sizeof causes / sizeof causes[0] };

/* The alert comes half a minute to a minute after the trouble, and is looked at some minutes later. */
static void test_incidents(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAUSES; i++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			check(&causes[i], seed, STRIKES_S + 20 + 15 * (int)seed, STRIKES_S + SEEN_S);
}

/* A minute and a half after it all began is early, but not too early. */
static void test_early(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CAUSES; i++)
		check(&causes[i], 5, STRIKES_S + 40, STRIKES_S + 90);
}

static void test_nothing_wrong(void **state)
{
	struct fleet *f = calloc(1, sizeof *f);
	(void)state;
	assert_non_null(f);
	record(f, "", 11);
	for (size_t i = 0; i < NODES; i++) {
		struct arena a;
		struct changed *c = NULL;
		arena_init(&a);
		ask(f, i, STRIKES_S, STRIKES_S + SEEN_S, &a, &c);
		if (c->is_clear)
			print_rows("none", c);
		assert_false(c->is_clear);
		assert_non_null(strstr(c->note, "no clear cause"));
		arena_release(&a);
	}
	drop(f);
	free(f);
}

/* ---- questions ---- */

static enum err put_question(struct fleet *f, const struct changed_question *q, struct arena *a, struct changed **out, struct why *why)
{
	struct reader *r = NULL;
	arena_init(a);
	need(reader_open(f->folder.path, READER_OWN, &r, why), why);
	enum err e = changed_read(r, q, a, out, why);
	reader_close(r);
	return e;
}

/* About a group, a model, who was not there, and with nobody waiting for the answer any more. */
static void test_questions(void **state)
{
	struct fleet *f = calloc(1, sizeof *f);
	struct arena a;
	struct changed *c = NULL;
	struct why why = { "" };
	atomic_bool cancelled = true;
	(void)state;
	assert_non_null(f);
	record(f, "kv-thrash", 2);
	const struct group_spec *spec = spec_of(f, f->hit[0]);
	struct changed_question q = { .node = "", .group = spec->name, .model = "", .onset_ms = wall(STRIKES_S + 40), .until_ms = wall(STRIKES_S + SEEN_S) };
	assert_ok(put_question(f, &q, &a, &c, &why));
	assert_true(c->is_clear && c->n_nodes == f->roster.groups[f->roster.nodes[f->hit[0]].group].count);
	assert_int_equal(c->rows[0].scope, CHANGED_GROUP);
	assert_non_null(strstr(c->rows[0].text, "same group: "));
	arena_release(&a);

	q.group = "";
	q.model = spec->model;
	assert_ok(put_question(f, &q, &a, &c, &why));
	assert_true(c->is_clear);
	assert_int_equal(c->rows[0].scope, CHANGED_MODEL);
	arena_release(&a);

	/* A node's own group and model are found; before it was polled there is nothing to say of it. */
	q = (struct changed_question){ .node = f->roster.nodes[f->hit[0]].name, .group = "", .model = "", .onset_ms = q.onset_ms, .until_ms = q.onset_ms };
	assert_ok(put_question(f, &q, &a, &c, &why));
	assert_true(c->n_nodes > 1 && c->until_ms == q.onset_ms);
	arena_release(&a);
	q.cancelled = &cancelled;
	assert_int_equal(put_question(f, &q, &a, &c, &why), ERR_CANCELLED);
	arena_release(&a);
	q.cancelled = NULL;
	q.node = "nobody";
	assert_int_equal(put_question(f, &q, &a, &c, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "no node 'nobody' was polled at 2026-09-21T14:54:00Z");
	arena_release(&a);
	q.node = "";
	q.group = "nowhere";
	assert_int_equal(put_question(f, &q, &a, &c, &why), ERR_NOT_FOUND);
	arena_release(&a);
	drop(f);
	free(f);
}

/* ---- from an alert ---- */

static void add_alert(struct changes *c, int64_t id, const char *rule, const char *node, const struct group_spec *spec)
{
	struct labels *l = labels_of("alertname", rule, "node", node, "group", spec != NULL ? spec->name : "", "model", spec != NULL ? spec->model : "", NULL);
	const struct alert_row row = { .id = id, .rule = rule, .source = "pitwall:pack;queue", .expr = "x", .group_key = "{}", .labels = l, .result = l,
		                       .annotations = l, .severity = SEVERITY_WARN, .value = 1, .active_ms = wall(STRIKES_S + 40), .fired_ms = wall(STRIKES_S + 70) };
	changes_alert(c, &row);
	labels_unref(l);
}

static void add_deployment(struct changes *c, const char *model)
{
	char data[200], text[200];
	snprintf(data, sizeof data, "{\"deployment\":1,\"kind\":\"redeploy\",\"model\":\"%s\"}", model);
	snprintf(text, sizeof text, "redeploy of %s to 2 begins", model);
	changes_event(c, &(struct event){ .wall_ms = wall(STRIKES_S - 60), .severity = SEVERITY_INFO, .kind = "deploy", .node = "", .text = text, .data = data });
}

static void test_alert(void **state)
{
	struct fleet *f = calloc(1, sizeof *f);
	struct arena a;
	struct changed *c = NULL;
	struct changes *changes = NULL;
	struct changed_question q;
	struct reader *r = NULL;
	struct why why = { "" };
	int n_deploys[2] = { 0, 0 };
	(void)state;
	assert_non_null(f);
	record(f, "kv-thrash", 2);
	const struct group_spec *spec = spec_of(f, f->hit[0]);
	const char *first = f->roster.nodes[f->hit[0]].name, *second = f->roster.nodes[f->hit[1]].name;
	assert_ok(changes_new(&changes, &why));
	add_alert(changes, 1, "queue_grows", first, spec);
	add_alert(changes, 2, "queue_grows", second, spec);
	add_alert(changes, 3, "something_else", "elsewhere", spec);
	add_alert(changes, 4, "watchdog", "", NULL);
	add_deployment(changes, spec->model);
	add_deployment(changes, "another");
	assert_ok(store_commit(f->store, changes, NULL, &why));
	assert_ok(store_flush(f->store, &why));
	assert_ok(reader_open(f->folder.path, READER_OWN, &r, &why));
	arena_init(&a);
	assert_ok(changed_question_of_alert(r, 1, wall(STRIKES_S + SEEN_S), &a, &q, &why));
	assert_string_equal(q.node, first);
	assert_string_equal(q.group, spec->name);
	assert_string_equal(q.model, spec->model);
	assert_int_equal(q.n_affected, 1);
	assert_string_equal(q.affected[0], second);
	assert_true(q.onset_ms == wall(STRIKES_S + 40) && q.until_ms == wall(STRIKES_S + SEEN_S));
	assert_ok(changed_read(r, &q, &a, &c, &why));
	assert_true(c->is_clear);
	assert_non_null(strstr(c->rows[0].text, "before the alert, same model")); /* the redeploy */
	assert_non_null(strstr(c->rows[1].text, "the alert, same node"));
	for (size_t i = 0; i < c->n_events; i++) {
		if (strcmp(c->events[i].kind, "deploy") != 0)
			continue;
		bool is_its = strstr(c->events[i].text, spec->model) != NULL;
		assert_int_equal(c->events[i].scope, is_its ? CHANGED_MODEL : CHANGED_FLEET);
		n_deploys[is_its]++;
	}
	assert_true(n_deploys[0] == 1 && n_deploys[1] == 1);
	assert_int_equal(changed_question_of_alert(r, 9, wall(STRIKES_S + SEEN_S), &a, &q, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "there is no alert 9");
	assert_int_equal(changed_question_of_alert(r, 4, wall(STRIKES_S + SEEN_S), &a, &q, &why), ERR_UNSUPPORTED);
	assert_string_equal(why.text, "alert 4 is about no node, group or model");
	arena_release(&a);
	reader_close(r);
	drop(f);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_incidents), cmocka_unit_test(test_early), cmocka_unit_test(test_nothing_wrong),
		                            cmocka_unit_test(test_questions), cmocka_unit_test(test_alert) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
