/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts against a real Prometheus: it scrapes a page whose numbers follow a script, and evaluates a rule file. Its own samples are then recorded as it has
 * them, and our manager evaluates the same file over them: at the same times, with the same results, sample by sample, and with transitions where
 * Prometheus' alerts change. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <poll.h>

#include "alerts/manager.h"
#include "base/hash.h"
#include "base/stale.h"
#include "tests/e2e/prometheus.h"
#include "tests/unit/recorder/page_server.h"
#include "tests/unit/store_folder.h"

enum {
	SCRIPT_MS = 26000, WAIT_MS = 60000, LOOK_MS = 40, TRIES = 12,
	SCRAPES_MAX = 600, SAMPLES_MAX = 40000, SERIES_MAX = 16,
	CLOSE_MS = 250, /* an evaluation may come this late, and a scrape take this long, before the two are told apart no more */
};

static struct why why;

/* `slow` is called so that it is evaluated about when `fast` is. */
static void make_rules(unsigned slow, char *to, size_t size)
{
	snprintf(to, size,
	"groups:\n"
	"  - name: fast\n"
	"    interval: 1s\n"
	"    rules:\n"
	"      - { record: 'fast:tick', expr: vector(1) }\n"
	"      - { record: 'm:sum', expr: sum without (i) (m), labels: { of: m } }\n"
	"      - { alert: High, expr: m > 5, for: 2s, labels: { severity: page }, annotations: { summary: '{{ $labels.i }}' } }\n"
	"      - { alert: HighNow, expr: m > 5, labels: { level: '{{ if gt $value 15.0 }}worse{{ else }}bad{{ end }}' } }\n"
	"      - { alert: Kept, expr: 'm{i=\"a\"} > 5', keep_firing_for: 3s }\n"
	"      - { alert: KeptLater, expr: 'm{i=\"a\"} > 5', for: 1s, keep_firing_for: 1s }\n"
	"      - { alert: Gone, expr: 'absent(m{i=\"b\"})', for: 1s }\n"
	"      - { alert: Moving, expr: 'rate(c_total[4s]) > 2', for: 1s }\n"
	"      - { alert: Down, expr: up == 0 }\n"
	"      - { alert: SumHigh, expr: 'm:sum > 15' }\n"
	"      - { alert: Changing, expr: 'changes(m{i=\"a\"}[5s]) > 1' }\n"
	"      - { record: 'alerts:n', expr: 'count by (alertname, alertstate) (ALERTS)' }\n"
	"      - { alert: Long, expr: 'm{i=\"a\"} >= 0', for: 1h }\n"
	"  - name: slow%u\n"
	"    interval: 2s\n"
	"    limit: 3\n"
	"    rules:\n"
	"      - { record: 'slow:tick', expr: vector(1) }\n"
	"      - { alert: Slow, expr: 'avg_over_time(m[3s]) > 3', for: 2s }\n"
	"      - { alert: Twice, expr: 'm > 5 or m > 15', labels: { i: same } }\n", slow);
}

struct sample {
	struct labels *labels;
	int64_t        t_ms;
	double         v;
};
struct samples {
	struct sample *items;
	size_t         n;
};

/* ---- Prometheus ---- */

static void set_page(struct page_server *s, int64_t at_ms)
{
	struct buf text;
	buf_init(&text, 4096);
	double a = at_ms < 3000 ? 1 : at_ms < 8000 ? 10 : at_ms < 10000 ? 2 : at_ms < 20000 ? 20 : 3;
	buf_printf(&text, "m{i=\"a\"} %g\n", a);
	if (at_ms >= 5000 && at_ms < 12000)
		buf_puts(&text, "m{i=\"b\"} 7\n");
	if (at_ms >= 7000)
		buf_puts(&text, "m{i=\"c\"} NaN\n");
	buf_printf(&text, "c_total %d\n", (int)(at_ms < 9000 ? at_ms / 200 : at_ms < 14000 ? 45 : (at_ms - 14000) / 300));
	page_server_set(s, "/metrics", buf_text(&text));
	page_server_set_up(s, at_ms < 15000 || at_ms >= 18000);
	buf_release(&text);
}

static int64_t offset_of(const char *file, const char *group, int64_t interval_ms)
{
	struct buf b;
	buf_init(&b, 4096);
	buf_printf(&b, "file\xff%s\xffname\xff%s\xff", file, group);
	int64_t offset = (int64_t)(hash64_prometheus(b.data, b.len) % (uint64_t)(interval_ms * 1000000)) / 1000000;
	buf_release(&b);
	return offset;
}

static int64_t newest_of(struct prometheus *p, const char *expression)
{
	cJSON *result = prometheus_query(p, expression, 0), *value = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(result, 0), "value");
	const cJSON *number = cJSON_GetArrayItem(value, 1);
	int64_t at_ms = cJSON_IsString(number) ? llround(strtod(number->valuestring, NULL) * 1000) : 0;
	cJSON_Delete(result);
	return at_ms;
}

/* Whether it scrapes at such times within the second that no evaluation is close behind: else what an evaluation saw is a matter of chance. */
static bool has_good_times(struct prometheus *p, int64_t fast_ms, int64_t slow_ms)
{
	int64_t scrape_ms = 0;
	for (int64_t until = clock_mono_ms(clock_system()) + WAIT_MS; scrape_ms == 0 && clock_mono_ms(clock_system()) < until; poll(NULL, 0, LOOK_MS))
		scrape_ms = newest_of(p, "timestamp(up)");
	int64_t fast = ((fast_ms - scrape_ms) % 1000 + 1000) % 1000, slow = ((slow_ms - scrape_ms) % 1000 + 1000) % 1000;
	return scrape_ms != 0 && fast > CLOSE_MS && fast < 1000 - 20 && slow > CLOSE_MS && slow < 1000 - 20;
}

static unsigned name_slow(const char *file)
{
	int64_t fast = offset_of(file, "fast", 1000);
	for (unsigned i = 0;; i++) {
		char name[32];
		snprintf(name, sizeof name, "slow%u", i);
		if (llabs(offset_of(file, name, 2000) % 1000 - fast) < 100)
			return i;
	}
}

/* ---- samples ---- */

static struct labels *labels_of_metric(const cJSON *metric)
{
	struct labels_builder b;
	struct labels *l = NULL;
	const cJSON *one;
	labels_builder_init(&b);
	cJSON_ArrayForEach(one, metric)
		labels_builder_set(&b, one->string, one->valuestring);
	assert_ok(labels_builder_build(&b, &l, &why));
	labels_builder_release(&b);
	return l;
}

static int by_labels_and_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	int order = labels_compare(x->labels, y->labels);
	return order != 0 ? order : (x->t_ms > y->t_ms) - (x->t_ms < y->t_ms);
}

static void add_sample(struct samples *s, const struct labels *l, int64_t t_ms, double v)
{
	assert_true(s->n < SAMPLES_MAX);
	if (s->items == NULL)
		s->items = calloc(SAMPLES_MAX, sizeof *s->items);
	s->items[s->n++] = (struct sample){ labels_ref(l), t_ms, v };
}

static void sort_samples(struct samples *s)
{
	if (s->n > 0)
		qsort(s->items, s->n, sizeof *s->items, by_labels_and_time);
}

static void release_samples(struct samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		labels_unref(s->items[i].labels);
	free(s->items);
}

static struct samples samples_of(struct prometheus *p, const char *range)
{
	struct samples s = { NULL, 0 };
	cJSON *result = prometheus_query(p, range, 0);
	const cJSON *series, *pair;
	assert_non_null(result);
	cJSON_ArrayForEach(series, result) {
		struct labels *l = labels_of_metric(cJSON_GetObjectItemCaseSensitive(series, "metric"));
		cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(series, "values"))
			add_sample(&s, l, llround(cJSON_GetArrayItem(pair, 0)->valuedouble * 1000), strtod(cJSON_GetArrayItem(pair, 1)->valuestring, NULL));
		labels_unref(l);
	}
	cJSON_Delete(result);
	sort_samples(&s);
	return s;
}

static bool is_failing_rule(const struct labels *l)
{
	return strcmp(labels_get(l, "alertname"), "Twice") == 0 && strncmp(labels_metric(l), "ALERTS", 6) == 0;
}

/* Of a rule that fails now and then Prometheus has no samples of those times, but it is seen all the same, for the look-back's time. We write what is
 * seen. So what is compared is that, at each evaluation. */
static void see_failing_rule(struct prometheus *p, struct samples *s, const int64_t *ticks, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (is_failing_rule(s->items[i].labels))
			labels_unref(s->items[i].labels);
		else
			s->items[kept++] = s->items[i];
	}
	s->n = kept;
	for (size_t i = 0; i < n; i++) {
		cJSON *result = prometheus_query(p, "{__name__=~\"ALERTS.*\",alertname=\"Twice\"}", ticks[i]);
		const cJSON *series;
		assert_non_null(result);
		cJSON_ArrayForEach(series, result) {
			struct labels *l = labels_of_metric(cJSON_GetObjectItemCaseSensitive(series, "metric"));
			const cJSON *value = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(series, "value"), 1);
			add_sample(s, l, ticks[i], strtod(value->valuestring, NULL));
			labels_unref(l);
		}
		cJSON_Delete(result);
	}
	sort_samples(s);
}

/* Until it has looked for states of before its start, after the second evaluation, Prometheus has alerts but writes no samples of them. */
static void leave_out_beginning(struct samples *s, int64_t from_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->n; i++) {
		const char *metric = labels_metric(s->items[i].labels);
		if (s->items[i].t_ms < from_ms && (strncmp(metric, "ALERTS", 6) == 0 || strcmp(metric, "alerts:n") == 0))
			labels_unref(s->items[i].labels);
		else
			s->items[kept++] = s->items[i];
	}
	s->n = kept;
}

/* ---- ours ---- */

struct ours {
	struct store_folder   folder;
	struct test_clock     clock;
	struct store         *store;
	struct alert_manager *manager;
	struct reader        *reader;
	int64_t               target, groups[2];
	const char           *sources[2];
	size_t                n_groups;
	struct fleet_alerting alerting;
};

static void begin(struct ours *o, const char *file, int port, int64_t at_ms)
{
	static const char *const by[] = { "alertname" };
	char instance[32];
	*o = (struct ours){ .alerting = { .group_by = by, .n_group_by = 1, .interval_ms = 1000 } };
	store_folder_make(&o->folder, "prometheus");
	test_clock_init(&o->clock, at_ms);
	const struct store_options s = { .path = o->folder.path, .clock = &o->clock.clock, .commit_ms = 5 };
	assert_ok(store_open(&s, &o->store, &why));
	snprintf(instance, sizeof instance, "127.0.0.1:%d", port);
	struct labels *l = labels_of("instance", instance, "job", "j", NULL);
	assert_ok(store_target(o->store, l, "http://x", &o->target, &why));
	labels_unref(l);
	const struct alert_manager_options m = { .store_path = o->folder.path };
	const struct rulebook_options r = { .paths = &file, .n_paths = 1 };
	struct rulebook *book = NULL;
	struct diagnostics d;
	diagnostics_init(&d);
	assert_ok(rulebook_read(&r, NULL, &d, &book, &why));
	assert_int_equal(d.n_errors, 0);
	diagnostics_release(&d);
	assert_ok(alert_manager_new(&m, &o->manager, &why));
	assert_ok(alert_manager_load(o->manager, book, &o->alerting, at_ms, &why));
	assert_ok(reader_open(o->folder.path, READER_OWN, &o->reader, &why));
}

static void end(struct ours *o)
{
	reader_close(o->reader);
	alert_manager_free(o->manager);
	store_close(o->store);
	store_folder_remove(&o->folder);
}

static void write_frame(struct ours *o, const struct alert_frame *f)
{
	size_t i = 0;
	const struct layout *l = NULL;
	while (i < o->n_groups && strcmp(o->sources[i], f->source) != 0)
		i++;
	if (i == o->n_groups) {
		struct labels *labels = labels_of(TARGET_RULES, f->source, NULL);
		assert_true(o->n_groups < 2);
		assert_ok(store_target(o->store, labels, "", &o->groups[i], &why));
		labels_unref(labels);
		o->sources[o->n_groups++] = f->source;
	}
	assert_ok(store_layout(o->store, f->series, f->n, &l, &why));
	assert_ok(store_append(o->store, o->groups[i], STREAM_SIGNAL, f->at_ms, l, f->values, &why));
}

/* A scrape as Prometheus has it: what it has of that moment. */
static void record_scrape(struct ours *o, const struct samples *scraped, int64_t t_ms)
{
	struct labels *series[SERIES_MAX];
	double values[SERIES_MAX], up = 0;
	size_t n = 0;
	const struct layout *l = NULL;
	for (size_t i = 0; i < scraped->n; i++) {
		const struct sample *s = &scraped->items[i];
		struct labels_builder b;
		if (s->t_ms != t_ms)
			continue;
		if (strcmp(labels_metric(s->labels), "up") == 0) {
			up = s->v;
			continue;
		}
		assert_true(n < SERIES_MAX);
		labels_builder_init(&b);
		labels_builder_from(&b, s->labels);
		labels_builder_remove(&b, "instance");
		labels_builder_remove(&b, "job");
		assert_ok(labels_builder_build(&b, &series[n], &why));
		labels_builder_release(&b);
		values[n++] = s->v;
	}
	if (n == 0) {
		assert_ok(store_append_stale(o->store, o->target, STREAM_SCRAPE, t_ms, &why));
	} else {
		assert_ok(store_layout(o->store, series, n, &l, &why));
		assert_ok(store_append(o->store, o->target, STREAM_SCRAPE, t_ms, l, values, &why));
	}
	while (n > 0)
		labels_unref(series[--n]);
	series[0] = labels_of("__name__", "up", NULL);
	assert_ok(store_layout(o->store, series, 1, &l, &why));
	labels_unref(series[0]);
	assert_ok(store_append(o->store, o->target, STREAM_REPORT, t_ms, l, &up, &why));
}

static void evaluate(struct ours *o, int64_t at_ms)
{
	struct alert_round r = { .n_frames = 0 };
	o->clock.now_wall_ms = at_ms;
	assert_ok(store_flush(o->store, &why));
	assert_ok(alert_manager_round(o->manager, at_ms, &r, &why));
	assert_int_equal(r.n_frames, 1);
	assert_true(r.frames[0].at_ms == at_ms);
	write_frame(o, &r.frames[0]);
	if (r.changes != NULL)
		assert_ok(store_commit(o->store, r.changes, NULL, &why));
	assert_ok(store_flush(o->store, &why));
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static size_t times_of(const struct samples *s, const char *metric, int64_t times[SCRAPES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(labels_metric(s->items[i].labels), metric) == 0 && n < SCRAPES_MAX)
			times[n++] = s->items[i].t_ms;
	qsort(times, n, sizeof *times, by_time);
	return n;
}

/* ---- comparing ---- */

static struct samples samples_of_ours(struct ours *o)
{
	struct samples s = { NULL, 0 };
	struct matcher m;
	struct series_set set;
	assert_ok(matcher_init(&m, MATCH_REGEX, "__name__", "ALERTS|ALERTS_FOR_STATE|m:sum|alerts:n|(fast|slow):tick", &why));
	assert_ok(reader_select(o->reader, &m, 1, 0, INT64_MAX - 1, SIZE_MAX, &set, &why));
	for (size_t i = 0; i < set.n; i++)
		for (size_t k = 0; k < set.items[i].n; k++)
			if (!is_stale(set.items[i].v[k]))
				add_sample(&s, set.items[i].labels, set.items[i].t_ms[k], set.items[i].v[k]);
	series_set_release(&set);
	matcher_release(&m);
	sort_samples(&s);
	return s;
}

static void say(const char *whose, const struct sample *s, int64_t began_ms)
{
	struct buf text;
	buf_init(&text, 10000);
	labels_print(s->labels, &text);
	print_message("%s alone: %s %g at +%lld ms\n", whose, buf_text(&text), s->v, (long long)(s->t_ms - began_ms));
	buf_release(&text);
}

static size_t count_differences(const struct samples *theirs, const struct samples *ours, int64_t began_ms)
{
	size_t differ = 0;
	for (size_t i = 0, k = 0; i < theirs->n || k < ours->n;) {
		int order = i == theirs->n ? 1 : k == ours->n ? -1 : by_labels_and_time(&theirs->items[i], &ours->items[k]);
		bool is_same = order == 0 && (theirs->items[i].v == ours->items[k].v || (isnan(theirs->items[i].v) && isnan(ours->items[k].v)));
		if (!is_same && differ++ < 40) {
			if (order <= 0)
				say("Prometheus", &theirs->items[i], began_ms);
			if (order >= 0)
				say("pitwall", &ours->items[k], began_ms);
		}
		i += order <= 0;
		k += order >= 0;
	}
	return differ;
}

struct transitions {
	struct reader *r;
	size_t         firing, resolved;
};

static enum err count_transition(void *ctx, const struct transition_row *t)
{
	struct transitions *n = ctx;
	n->firing += t->what == TRANSITION_FIRING;
	n->resolved += t->what == TRANSITION_RESOLVED;
	return ERR_OK;
}

/* How often an alert of Prometheus begins and ceases to fire: a run of samples of its series, one an evaluation. */
static void count_runs(const struct samples *s, int64_t last_fast_ms, int64_t last_slow_ms, struct transitions *n)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *l = s->items[i].labels;
		if (strcmp(labels_metric(l), "ALERTS") != 0 || strcmp(labels_get(l, "alertstate"), "firing") != 0)
			continue;
		bool is_slow = strcmp(labels_get(l, "alertname"), "Slow") == 0 || is_failing_rule(l);
		int64_t step_ms = is_slow ? 2000 : 1000;
		const struct sample *before = i > 0 && labels_equal(s->items[i - 1].labels, l) ? &s->items[i - 1] : NULL;
		const struct sample *after = i + 1 < s->n && labels_equal(s->items[i + 1].labels, l) ? &s->items[i + 1] : NULL;
		n->firing += before == NULL || s->items[i].t_ms - before->t_ms != step_ms;
		n->resolved += after == NULL ? s->items[i].t_ms != (is_slow ? last_slow_ms : last_fast_ms) : after->t_ms - s->items[i].t_ms != step_ms;
	}
}

static bool has_gaps(const int64_t *times, size_t n, int64_t step_ms)
{
	for (size_t i = 1; i < n; i++)
		if (times[i] - times[i - 1] != step_ms)
			return true;
	return n < 5;
}

/* False: the machine was too busy, Prometheus itself left evaluations out. */
static bool compare(struct prometheus *p, int port)
{
	int64_t scrapes[SCRAPES_MAX], ticks[2 * SCRAPES_MAX];
	struct samples scraped = samples_of(p, "{__name__=~\"m|c_total|up\"}[10m]");
	struct samples theirs = samples_of(p, "{__name__=~\"ALERTS|ALERTS_FOR_STATE|m:sum|alerts:n|(fast|slow):tick\"}[10m]");
	size_t n_scrapes = times_of(&scraped, "up", scrapes), n_fast = times_of(&theirs, "fast:tick", ticks);
	size_t n_slow = times_of(&theirs, "slow:tick", ticks + n_fast), n_ticks = n_fast + n_slow;
	bool is_fit = !has_gaps(ticks, n_fast, 1000) && !has_gaps(ticks + n_fast, n_slow, 2000);
	if (is_fit) {
		struct ours o;
		struct transitions want = { 0 }, have = { 0 };
		see_failing_rule(p, &theirs, ticks + n_fast, n_slow);
		int64_t whole_ms = ticks[n_fast + 2];
		leave_out_beginning(&theirs, whole_ms);
		count_runs(&theirs, ticks[n_fast - 1], ticks[n_ticks - 1], &want);
		qsort(ticks, n_ticks, sizeof *ticks, by_time);
		int64_t began_ms = ticks[0] < scrapes[0] ? ticks[0] : scrapes[0];
		begin(&o, prometheus_rule_file(p), port, ticks[0] - 1);
		for (size_t i = 0, at = 0; i < n_ticks; i++) {
			for (; at < n_scrapes && scrapes[at] <= ticks[i]; at++)
				record_scrape(&o, &scraped, scrapes[at]);
			evaluate(&o, ticks[i]);
		}
		struct samples ours = samples_of_ours(&o);
		leave_out_beginning(&ours, whole_ms);
		print_message("%zu scrapes, %zu evaluations, %zu samples of results\n", n_scrapes, n_ticks, theirs.n);
		assert_int_equal(count_differences(&theirs, &ours, began_ms), 0);
		assert_ok(reader_transitions(o.reader, 0, 0, INT64_MAX - 1, count_transition, &have, &why));
		print_message("%zu times firing, %zu times resolved\n", have.firing, have.resolved);
		assert_int_equal(have.firing, want.firing);
		assert_int_equal(have.resolved, want.resolved);
		assert_true(have.firing > 8 && have.resolved > 8);
		release_samples(&ours);
		end(&o);
	}
	release_samples(&scraped);
	release_samples(&theirs);
	return is_fit;
}

/* The script runs by the clock: Prometheus has no other. */
static void play(struct page_server *page, struct prometheus *p)
{
	int64_t began = clock_mono_ms(clock_system()), now = began, began_wall = clock_wall_ms(clock_system());
	for (; now - began < SCRIPT_MS; now = clock_mono_ms(clock_system())) {
		set_page(page, now - began);
		poll(NULL, 0, LOOK_MS);
	}
	while (newest_of(p, "timestamp(slow:tick)") < began_wall + SCRIPT_MS && clock_mono_ms(clock_system()) - began < SCRIPT_MS + WAIT_MS)
		poll(NULL, 0, LOOK_MS);
}

/* One run; false: it says nothing. */
static bool run(void)
{
	struct page_server *page = page_server_start();
	struct prometheus *p = NULL;
	char rules[4096];
	bool is_fit;
	set_page(page, 0);
	assert_ok(prometheus_new(&p, &why));
	unsigned slow = name_slow(prometheus_rule_file(p));
	char name[32];
	snprintf(name, sizeof name, "slow%u", slow);
	make_rules(slow, rules, sizeof rules);
	assert_ok(prometheus_start(p, page_server_port(page), rules, &why));
	is_fit = has_good_times(p, offset_of(prometheus_rule_file(p), "fast", 1000), offset_of(prometheus_rule_file(p), name, 2000));
	if (is_fit) {
		play(page, p);
		is_fit = compare(p, page_server_port(page));
	}
	prometheus_stop(p);
	page_server_stop(page);
	return is_fit;
}

static void has_the_same_alerts_at_the_same_times(void **state)
{
	(void)state;
	if (!prometheus_is_there()) {
		print_message("Prometheus is not installed\n");
		skip();
	}
	for (int i = 0; i < TRIES; i++)
		if (run())
			return;
	print_message("this machine is too busy for Prometheus to keep its times\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_same_alerts_at_the_same_times),
	};
	return cmocka_run_group_tests_name("prometheus_alerts", tests, NULL, NULL);
}
