/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/alerts/alert_bench.h"

#include "query/query.h"
#include "query/store_source.h"

static const int64_t START_MS = INT64_C(1700000000000);
static struct why why;

void bench_begin(struct alert_bench *b, const char *name)
{
	static const char *const by[] = { "alertname" };
	*b = (struct alert_bench){ .now_ms = START_MS };
	b->alerting = (struct fleet_alerting){ .group_by = by, .n_group_by = 1, .interval_ms = 10000, .ack_pause_ms = 0 };
	store_folder_make(&b->folder, name);
	test_clock_init(&b->clock, START_MS);
	const struct store_options o = { .path = b->folder.path, .clock = &b->clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &b->store, &why));
	struct labels *series[] = { labels_of("__name__", "signal:up", NULL), labels_of("__name__", "load", NULL) };
	assert_ok(store_layout(b->store, series, 2, &b->layout, &why));
	labels_unref(series[0]);
	labels_unref(series[1]);
	for (int i = 0; i < BENCH_NODES; i++) {
		char node[8];
		snprintf(node, sizeof node, "n%d", i);
		struct labels *l = labels_of("node", node, "model", i % 2 == 0 ? "chat" : "search", NULL);
		assert_ok(store_target(b->store, l, "http://x", &b->nodes[i], &why));
		labels_unref(l);
		b->up[i] = 1;
	}
	assert_ok(reader_open(b->folder.path, READER_OWN, &b->reader, &why));
	bench_start_manager(b);
}

void bench_end(struct alert_bench *b)
{
	bench_stop_manager(b);
	reader_close(b->reader);
	store_close(b->store);
	for (size_t i = 0; i < b->n_groups; i++)
		free(b->groups[i].source);
	store_folder_remove(&b->folder);
}

void bench_start_manager(struct alert_bench *b)
{
	const struct alert_manager_options o = { .store_path = b->folder.path, .clock = &b->clock.clock };
	assert_ok(alert_manager_new(&o, &b->manager, &why));
}

void bench_stop_manager(struct alert_bench *b)
{
	alert_manager_free(b->manager);
	b->manager = NULL;
}

void bench_load(struct alert_bench *b, const char *rules)
{
	const struct rulebook_text text = { "test.yml", rules, strlen(rules) };
	const struct rulebook_options o = { .texts = &text, .n_texts = 1 };
	struct rulebook *book = NULL;
	struct diagnostics d;
	diagnostics_init(&d);
	assert_ok(rulebook_read(&o, alert_manager_book(b->manager), &d, &book, &why));
	if (d.n_errors > 0)
		fail_msg("%d: %s", d.items[0].line, d.items[0].text);
	diagnostics_release(&d);
	assert_ok(alert_manager_load(b->manager, book, &b->alerting, b->now_ms, &why));
}

void bench_record(struct alert_bench *b)
{
	for (int i = 0; i < BENCH_NODES; i++)
		assert_ok(store_append(b->store, b->nodes[i], STREAM_SIGNAL, b->now_ms, b->layout, (double[]){ b->up[i], b->load[i] }, &why));
	assert_ok(store_flush(b->store, &why));
}

static size_t group_of(struct alert_bench *b, const char *source)
{
	size_t i = 0;
	while (i < b->n_groups && strcmp(b->groups[i].source, source) != 0)
		i++;
	if (i < b->n_groups)
		return i;
	assert_true(b->n_groups < BENCH_GROUPS);
	struct labels *l = labels_of(TARGET_RULES, source, NULL);
	assert_ok(store_target(b->store, l, "", &b->groups[i].target, &why));
	labels_unref(l);
	b->groups[i].source = strdup(source);
	b->n_groups++;
	return i;
}

static void write_frame(struct alert_bench *b, const struct alert_frame *f)
{
	size_t i = group_of(b, f->source);
	if (f->n_live == 0) {
		assert_ok(store_append_stale(b->store, b->groups[i].target, STREAM_SIGNAL, f->at_ms, &why));
		return;
	}
	if (b->groups[i].version != f->version) {
		store_layout_drop(b->store, b->groups[i].layout);
		assert_ok(store_layout(b->store, f->series, f->n, &b->groups[i].layout, &why));
	}
	b->groups[i].version = f->version;
	assert_ok(store_append(b->store, b->groups[i].target, STREAM_SIGNAL, f->at_ms, b->groups[i].layout, f->values, &why));
}

void bench_round(struct alert_bench *b)
{
	struct alert_round r = { .n_frames = 0 };
	assert_ok(alert_manager_round(b->manager, b->now_ms, &r, &why));
	for (size_t i = 0; i < r.n_frames; i++)
		write_frame(b, &r.frames[i]);
	if (r.health != NULL)
		write_frame(b, r.health);
	for (size_t i = 0; i < r.n_gone; i++)
		assert_ok(store_append_stale(b->store, b->groups[group_of(b, r.gone[i])].target, STREAM_SIGNAL, b->now_ms, &why));
	b->n_gone += r.n_gone;
	if (r.changes != NULL)
		assert_ok(store_commit(b->store, r.changes, NULL, &why));
	assert_ok(store_flush(b->store, &why));
}

void bench_pass(struct alert_bench *b, int64_t seconds)
{
	for (; seconds > 0; seconds--) {
		b->now_ms += 1000;
		test_clock_advance(&b->clock, 1000);
		bench_record(b);
		bench_round(b);
	}
}

enum err bench_ask(struct alert_bench *b, struct request *r, char **text)
{
	const struct actor alice = { "alice", "alice", "192.0.2.7" };
	struct changes *changes = NULL;
	struct buf said;
	const char **const texts[] = { &r->who, &r->origin, &r->comment, &r->matchers, &r->silence, &r->node, &r->console, &r->view };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = *texts[i] != NULL ? *texts[i] : "";
	assert_ok(request_new_id(b->now_ms, r->id, &why));
	assert_ok(changes_new(&changes, &why));
	buf_init(&said, 100000);
	enum err e = alert_manager_apply(b->manager, r, &alice, b->now_ms, changes, &said);
	assert_ok(store_commit(b->store, changes, NULL, &why));
	assert_ok(store_flush(b->store, &why));
	*text = buf_take(&said);
	return e;
}

/* ---- looking ---- */

struct printing {
	struct buf to;
	int64_t    began_ms;
};

static enum err print_transition(void *ctx, const struct transition_row *t)
{
	static const char *const names[TRANSITION_COUNT] = { "pending", "firing", "resolved", "dropped", "flapping", "steady", "inhibited", "uninhibited" };
	struct printing *p = ctx;
	buf_printf(&p->to, "%s%lld:%s+%lld", p->to.len > 0 ? " " : "", (long long)t->alert, names[t->what], (long long)(t->at_ms - p->began_ms) / 1000);
	return ERR_OK;
}

char *bench_transitions(struct alert_bench *b, int64_t began_ms)
{
	struct printing p = { .began_ms = began_ms };
	buf_init(&p.to, 1 << 20);
	buf_puts(&p.to, "");
	assert_ok(reader_transitions(b->reader, 0, 0, INT64_MAX - 1, print_transition, &p, &why));
	return p.to.len > 0 ? buf_take(&p.to) : strdup("");
}

static enum err print_event(void *ctx, const struct event *e)
{
	struct printing *p = ctx;
	struct buf line;
	buf_init(&line, 100000);
	buf_printf(&line, "%d/%s/%s\n%s", (int)e->severity, e->node, e->text, buf_text(&p->to));
	buf_release(&p->to);
	p->to = line;
	return ERR_OK;
}

char *bench_events(struct alert_bench *b, const char *kind)
{
	struct printing p = { .began_ms = 0 };
	buf_init(&p.to, 1 << 20);
	assert_ok(reader_events(b->reader, NULL, kind, 0, INT64_MAX - 1, 1000, print_event, &p, &why));
	return p.to.len > 0 ? buf_take(&p.to) : strdup("");
}

static int by_labels(const void *x, const void *y)
{
	return labels_compare(((const struct series *)x)->labels, ((const struct series *)y)->labels);
}

char *bench_query(struct alert_bench *b, const char *expression, int64_t at_ms)
{
	struct query *q = NULL;
	struct query_result result;
	struct buf text;
	const struct query_source source = store_source(b->reader);
	assert_ok(query_parse(expression, &q, NULL, &why));
	assert_ok(query_instant(q, &source, at_ms, NULL, &result, &why));
	if (result.series.n > 0)
		qsort(result.series.items, result.series.n, sizeof *result.series.items, by_labels);
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < result.series.n; i++) {
		labels_print(result.series.items[i].labels, &text);
		buf_printf(&text, " %g\n", result.series.items[i].v[0]);
	}
	query_result_release(&result);
	query_free(q);
	return text.len > 0 ? buf_take(&text) : strdup("");
}
