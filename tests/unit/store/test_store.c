/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/stale.h"
#include "store/export.h"
#include "store/reader.h"

enum { START_MS = 1000000, STEP_MS = 10000 };

struct fixture {
	char              folder[64], path[96];
	struct test_clock clock;
	struct store     *store;
	int64_t           target;
	struct labels    *labels;
};

static struct why why;

static struct store_options options(struct fixture *f)
{
	return (struct store_options){ .path = f->path, .clock = &f->clock.clock, .commit_ms = 20 };
}

static void reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	struct store_options o = options(f);
	assert_ok(store_open(&o, &f->store, &why));
	assert_ok(store_target(f->store, f->labels, "http://a:1/metrics", &f->target, &why));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-store-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	test_clock_init(&f->clock, START_MS);
	f->labels = labels_of("instance", "a:1", "job", "chat", NULL);
	*state = f;
	reopen(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm", "y.db", "y.db-wal", "y.db-shm", "y.db-journal" };
	store_close(f->store);
	labels_unref(f->labels);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static const struct layout *layout_of(struct store *s, const char *const *metrics, size_t n)
{
	struct labels *series[16] = { NULL };
	const struct layout *l = NULL;
	for (size_t i = 0; i < n; i++)
		series[i] = labels_of("__name__", metrics[i], NULL);
	assert_ok(store_layout(s, series, n, &l, &why));
	for (size_t i = 0; i < n; i++)
		labels_unref(series[i]);
	return l;
}

static struct reader *reader_of(struct fixture *f)
{
	struct reader *r = NULL;
	assert_ok(store_flush(f->store, &why));
	assert_ok(reader_open(f->path, READER_OWN, &r, &why));
	return r;
}

static struct series_set select_metric(struct reader *r, const char *metric, int64_t after_ms, int64_t until_ms)
{
	struct matcher m;
	struct series_set set = { 0 };
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", metric, &why));
	assert_ok(reader_select(r, &m, 1, after_ms, until_ms, 1000000, &set, &why));
	matcher_release(&m);
	return set;
}

static const char *const ab[] = { "a", "b" };
static const char *const b_only[] = { "b" };

static void series_come_back_over_many_frames(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	for (int i = 1; i <= 500; i++)
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, i * STEP_MS, l, (double[]){ i, i / 8.0 }, &why));
	struct reader *r = reader_of(f);
	static const struct { const char *label; int64_t after, until; size_t n; } rows[] = {
		{ "all", 0, 500 * STEP_MS, 500 },
		{ "open on the left, closed on the right", 10 * STEP_MS, 20 * STEP_MS, 10 },
		{ "inside a run of deltas", 100 * STEP_MS - 1, 101 * STEP_MS, 2 },
		{ "before the first", -5, STEP_MS - 1, 0 },
		{ "behind the last", 500 * STEP_MS, 600 * STEP_MS, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct series_set set = select_metric(r, "b", rows[i].after, rows[i].until);
		assert_row(rows[i].label, set.n == (rows[i].n > 0));
		if (set.n == 1) {
			assert_row(rows[i].label, set.items[0].n == rows[i].n);
			assert_string_equal(labels_get(set.items[0].labels, "instance"), "a:1");
		}
		for (size_t k = 0; set.n == 1 && k < set.items[0].n; k++)
			assert_row(rows[i].label, set.items[0].v[k] == (double)set.items[0].t_ms[k] / STEP_MS / 8.0);
		series_set_release(&set);
	}
	reader_close(r);
}

static void a_series_that_vanishes_is_stale_once(void **state)
{
	struct fixture *f = *state;
	const struct layout *both = layout_of(f->store, ab, 2), *one = layout_of(f->store, b_only, 1);
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 10, both, (double[]){ 1, 2 }, &why));
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 20, one, (double[]){ 3 }, &why));
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 30, one, (double[]){ 4 }, &why));
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 40, both, (double[]){ 5, 6 }, &why));
	assert_ok(store_append_stale(f->store, f->target, STREAM_SCRAPE, 50, &why));
	assert_ok(store_append_stale(f->store, f->target, STREAM_SCRAPE, 60, &why));
	struct reader *r = reader_of(f);
	struct series_set set = select_metric(r, "a", 0, 100);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.items[0].n, 4);
	assert_true(set.items[0].v[0] == 1 && is_stale(set.items[0].v[1]) && set.items[0].v[2] == 5 && is_stale(set.items[0].v[3]));
	assert_true(set.items[0].t_ms[1] == 20 && set.items[0].t_ms[3] == 50);
	series_set_release(&set);
	/* The mark is given too when the last sample lies before the window, and not again later. */
	set = select_metric(r, "a", 10, 25);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.items[0].n, 1);
	assert_true(is_stale(set.items[0].v[0]));
	series_set_release(&set);
	set = select_metric(r, "a", 20, 35);
	assert_int_equal(set.n, 0);
	series_set_release(&set);
	reader_close(r);
}

static void samples_have_a_ceiling(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	for (int i = 1; i <= 10; i++)
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, i, l, (double[]){ i, i }, &why));
	struct reader *r = reader_of(f);
	struct series_set set;
	assert_int_equal(reader_select(r, NULL, 0, 0, 100, 19, &set, &why), ERR_LIMIT);
	assert_ok(reader_select(r, NULL, 0, 0, 100, 20, &set, &why));
	assert_int_equal(set.n, 2);
	series_set_release(&set);
	reader_close(r);
}

struct seen {
	size_t  n;
	int64_t targets[600], at[600];
	double  first[600];
};

static enum err see(void *ctx, const struct frame *frame)
{
	struct seen *s = ctx;
	s->targets[s->n] = frame->target;
	s->at[s->n] = frame->wall_ms;
	s->first[s->n++] = frame->n > 0 ? frame->values[0] : -1;
	return ERR_OK;
}

static void frames_of_all_targets_come_in_order(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	struct labels *other = labels_of("instance", "b:1", NULL);
	int64_t second;
	assert_ok(store_target(f->store, other, "http://b:1/metrics", &second, &why));
	labels_unref(other);
	for (int stream = 0; stream < STREAM_COUNT; stream++) {
		for (int i = 1; i <= 200; i++) {
			assert_ok(store_append(f->store, f->target, (enum stream)stream, i * 10, l, (double[]){ i, 0 }, &why));
			assert_ok(store_append(f->store, second, (enum stream)stream, i * 10 + 5, l, (double[]){ -i, 0 }, &why));
		}
		struct reader *r = reader_of(f);
		struct seen s = { 0 };
		assert_ok(reader_frames(r, (enum stream)stream, 0, 1000, 1500, false, see, &s, &why));
		assert_int_equal(s.n, 100);
		for (size_t i = 0; i < s.n; i++) {
			assert_true(s.at[i] == 1005 + (int64_t)i * 5);
			assert_true(s.first[i] == (double)(s.at[i] / 10) * (s.targets[i] == second ? -1 : 1));
		}
		s.n = 0;
		assert_ok(reader_frames(r, (enum stream)stream, 0, 0, 777, true, see, &s, &why));
		assert_int_equal(s.n, 2);
		assert_true(s.at[0] == 770 && s.first[0] == 77 && s.at[1] == 775 && s.first[1] == -77);
		s.n = 0;
		assert_ok(reader_frames(r, (enum stream)stream, second, 1000, 1500, true, see, &s, &why));
		assert_int_equal(s.n, 1);
		assert_int_equal(s.at[0], 1495);
		reader_close(r);
	}
}

static void what_is_wrong_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	assert_ptr_equal(l, layout_of(f->store, ab, 2));
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 10, l, (double[]){ 1, 2 }, &why));
	assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, 10, l, (double[]){ 1, 2 }, &why), ERR_RANGE);
	assert_int_equal(store_append(f->store, 99, STREAM_SCRAPE, 20, l, (double[]){ 1, 2 }, &why), ERR_NOT_FOUND);
	reopen(f);
	l = layout_of(f->store, ab, 2);
	assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, 9, l, (double[]){ 1, 2 }, &why), ERR_RANGE);
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 11, l, (double[]){ 3, 4 }, &why));
	assert_int_equal(f->target, 1);
	struct reader *r = reader_of(f);
	struct series_set set = select_metric(r, "a", 0, 100);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.items[0].n, 2);
	series_set_release(&set);
	reader_close(r);
}

static enum err count_target(void *ctx, const struct target_info *t)
{
	size_t *n = ctx;
	*n += t->id > 0;
	return ERR_OK;
}

static size_t targets_at(struct reader *r, int64_t at_ms)
{
	size_t n = 0;
	assert_ok(reader_targets(r, at_ms, count_target, &n, &why));
	return n;
}

/* ---- the clock is set ---- */

static void set_clock(struct fixture *f, int64_t to_ms, int64_t after_ms)
{
	f->clock.now_wall_ms = to_ms;
	f->clock.now_mono_us += after_ms * 1000;
}

static void append_at(struct fixture *f, const struct layout *l, int64_t at_ms, double v)
{
	set_clock(f, at_ms, STEP_MS);
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		assert_ok(store_append(f->store, f->target, (enum stream)stream, at_ms, l, (double[]){ v, v }, &why));
}

static enum err join_events(void *ctx, const struct event *e);

/* By all ways of reading, these values and no others stand in the window. */
static void check_values(struct reader *r, int64_t after_ms, int64_t until_ms, const double *want, size_t n)
{
	struct series_set set = select_metric(r, "a", after_ms, until_ms);
	assert_int_equal(set.n, n > 0);
	/* All three streams have it: equal moments are one sample. */
	assert_int_equal(n > 0 ? set.items[0].n : 0, n);
	for (size_t i = 0; i < n; i++)
		assert_true(set.items[0].v[i] == want[i] && (i == 0 || set.items[0].t_ms[i] > set.items[0].t_ms[i - 1]));
	series_set_release(&set);
	struct seen s = { 0 };
	assert_ok(reader_frames(r, STREAM_SIGNAL, 0, after_ms, until_ms, false, see, &s, &why));
	assert_int_equal(s.n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(s.first[i] == want[i]);
	s.n = 0;
	assert_ok(reader_frames(r, STREAM_SIGNAL, 0, after_ms, until_ms, true, see, &s, &why));
	assert_int_equal(s.n, n > 0);
	assert_true(n == 0 || s.first[0] == want[n - 1]);
}

static void a_clock_set_back_records_that_time_anew(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	enum { N = 200 };
	double want[2 * N];
	set_clock(f, START_MS, -STEP_MS); /* so that the first frame comes at the time that it should */
	for (int i = 0; i < N; i++)
		append_at(f, l, START_MS + i * STEP_MS, i);
	assert_ok(store_set_meta(f->store, "fleet", "late", &why));
	assert_ok(store_append_event(f->store, &(struct event){ .wall_ms = START_MS + 199 * STEP_MS, .kind = "note", .text = "x" }, &why));
	/* Back to frame 50, and on beyond where it had been. */
	for (int i = 50; i < 300; i++) {
		append_at(f, l, START_MS + i * STEP_MS - 3, 1000 + i);
		if (i == 120 || i == 50) {
			struct reader *r = reader_of(f);
			for (int k = 0; k <= i; k++)
				want[k] = k < 50 ? k : 1000 + k;
			check_values(r, 0, START_MS + i * STEP_MS - 3, want, (size_t)i + 1);
			check_values(r, 0, INT64_MAX - 1, want, (size_t)i + 1); /* what was set aside is not seen in the future either */
			int64_t first, last;
			assert_ok(reader_bounds(r, &first, &last, &why));
			assert_true(first == START_MS && last == START_MS + i * STEP_MS - 3);
			assert_int_equal(targets_at(r, last), 1);
			reader_close(r);
		}
	}
	struct reader *r = reader_of(f);
	for (int k = 0; k < 300; k++)
		want[k] = k < 50 ? k : 1000 + k;
	check_values(r, 0, INT64_MAX - 1, want, 300);
	check_values(r, START_MS + 48 * STEP_MS, START_MS + 52 * STEP_MS, want + 49, 4);
	check_values(r, START_MS + 150 * STEP_MS, START_MS + 250 * STEP_MS, want + 151, 100);
	struct buf b;
	buf_init(&b, 1000);
	assert_ok(reader_events(r, NULL, NULL, 0, INT64_MAX - 1, 10, join_events, &b, &why));
	assert_string_equal(buf_text(&b),
	                    "clock/the clock was set back from 1970-01-01T00:50:00Z to 1970-01-01T00:24:59.997Z: what was recorded of that"
	                    " time before is set aside/2 note/x/0 recorder/recording began/1 ");
	buf_clear(&b);
	assert_ok(reader_meta(r, "fleet", START_MS + 60 * STEP_MS, &b, &why));
	assert_string_equal(buf_text(&b), "late");
	buf_release(&b);
	reader_close(r);
	/* A bundle of it holds the second time alone. */
	char path[128];
	snprintf(path, sizeof path, "%s/y.db", f->folder);
	assert_ok(store_export(f->path, path, 0, INT64_MAX - 1, &why));
	assert_ok(reader_open(path, READER_STRANGER, &r, &why));
	check_values(r, 0, INT64_MAX - 1, want, 300);
	reader_close(r);
}

static void a_clock_far_ahead_and_back_again_leaves_no_hole(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	const int64_t far = INT64_C(2000000000000);
	double want[9];
	for (int i = 0; i < 3; i++)
		append_at(f, l, START_MS + i * STEP_MS, want[i] = i);
	for (int i = 3; i < 6; i++)
		append_at(f, l, far + i * STEP_MS, i);
	for (int i = 6; i < 9; i++)
		append_at(f, l, START_MS + i * STEP_MS, want[i - 3] = i);
	/* A scrape that had begun while the clock was wrong. */
	assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, far + 70 * STEP_MS, l, (double[]){ 1, 1 }, &why), ERR_RANGE);
	struct reader *r = reader_of(f);
	check_values(r, 0, INT64_MAX - 1, want, 6);
	int64_t first, last;
	assert_ok(reader_bounds(r, &first, &last, &why));
	assert_int_equal(last, START_MS + 8 * STEP_MS);
	reader_close(r);
	/* The same over the end of a recorder. */
	for (int i = 3; i < 6; i++)
		append_at(f, l, far + i * STEP_MS, i);
	set_clock(f, START_MS + 9 * STEP_MS, STEP_MS);
	reopen(f);
	l = layout_of(f->store, ab, 2);
	append_at(f, l, START_MS + 9 * STEP_MS, want[6] = 9);
	r = reader_of(f);
	check_values(r, 0, INT64_MAX - 1, want, 7);
	reader_close(r);
}

static void a_clock_that_forgot_the_year_records_nothing(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	for (int i = 1; i <= 30; i++)
		append_at(f, l, START_MS + i * INT64_C(3700000), i);
	store_close(f->store);
	f->store = NULL;
	set_clock(f, 1000, 1000);
	struct store_options o = options(f);
	assert_int_equal(store_open(&o, &f->store, &why), ERR_RANGE);
	assert_non_null(strstr(why.text, "set the clock"));
	set_clock(f, START_MS + INT64_C(10) * 3700000, 1000);
	assert_ok(store_open(&o, &f->store, &why));
}

static void targets_come_and_go(void **state)
{
	struct fixture *f = *state;
	test_clock_advance(&f->clock, 100);
	assert_ok(store_target_gone(f->store, f->target, &why));
	test_clock_advance(&f->clock, 100);
	reopen(f);
	test_clock_advance(&f->clock, 100);
	reopen(f);
	struct reader *r = reader_of(f);
	assert_int_equal(targets_at(r, START_MS - 1), 0);
	assert_int_equal(targets_at(r, START_MS), 1);
	assert_int_equal(targets_at(r, START_MS + 100), 0);
	for (int64_t at = START_MS + 200; at < START_MS + 400; at += 50)
		assert_int_equal(targets_at(r, at), 1);
	reader_close(r);
}

static enum err join_events(void *ctx, const struct event *e)
{
	return buf_printf(ctx, "%s/%s/%d ", e->kind, e->text, (int)e->severity);
}

static void events_and_facts_are_kept(void **state)
{
	struct fixture *f = *state;
	struct event one = { .wall_ms = 5, .kind = "note", .node = "n1", .text = "first", .severity = SEVERITY_WARN };
	struct event two = { .wall_ms = 6, .kind = "scrape", .text = "second" };
	assert_ok(store_append_event(f->store, &one, &why));
	assert_ok(store_append_event(f->store, &two, &why));
	assert_ok(store_set_meta(f->store, "fleet", "old", &why));
	test_clock_advance(&f->clock, 10);
	assert_ok(store_set_meta(f->store, "fleet", "new", &why));
	struct reader *r = reader_of(f);
	struct buf b;
	buf_init(&b, 1000);
	assert_ok(reader_events(r, NULL, NULL, 0, 100, 10, join_events, &b, &why));
	assert_string_equal(buf_text(&b), "scrape/second/0 note/first/2 ");
	buf_clear(&b);
	assert_ok(reader_events(r, "n1", "note", 0, 100, 10, join_events, &b, &why));
	assert_ok(reader_events(r, NULL, "other", 0, 100, 10, join_events, &b, &why));
	assert_string_equal(buf_text(&b), "note/first/2 ");
	buf_clear(&b);
	assert_ok(reader_meta(r, "fleet", START_MS + 9, &b, &why));
	assert_ok(reader_meta(r, "fleet", START_MS + 10, &b, &why));
	assert_ok(reader_meta(r, "nothing", START_MS + 10, &b, &why));
	assert_string_equal(buf_text(&b), "oldnew");
	int64_t first, last;
	assert_ok(reader_bounds(r, &first, &last, &why));
	assert_true(first == 5 && last == START_MS); /* when recording began */
	buf_release(&b);
	reader_close(r);
}

/* ---- one recorder at a time ---- */

static void a_second_recorder_is_refused_until_the_lease_ends(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	struct store_options o = options(f);
	assert_int_equal(store_open(&o, &second, &why), ERR_LATER);
	assert_non_null(strstr(why.text, "is being recorded by process"));
	struct test_clock later;
	/* Before it is taken over: its own heartbeat may notice that at any moment, and from then on it refuses. */
	const struct layout *l = layout_of(f->store, ab, 2);
	assert_ok(store_flush(f->store, &why));
	test_clock_init(&later, START_MS + 15001);
	o.clock = &later.clock;
	assert_ok(store_open(&o, &second, &why));
	/* The first one was stopped for too long: it writes nothing any more, and says so. */
	store_append(f->store, f->target, STREAM_SCRAPE, 10, l, (double[]){ 1, 2 }, &why);
	assert_int_equal(store_flush(f->store, &why), ERR_LATER);
	struct store_health h;
	store_health(f->store, &h);
	assert_false(h.has_lease);
	struct lease_info info;
	struct reader *r = NULL;
	assert_ok(reader_open(f->path, READER_OWN, &r, &why));
	assert_ok(reader_lease(r, START_MS + 15001, &info, &why));
	assert_int_equal(info.since_ms, START_MS + 15001);
	store_close(second);
	assert_int_equal(reader_lease(r, START_MS + 15001, &info, &why), ERR_NOT_FOUND);
	struct series_set set = select_metric(r, "a", 0, 100);
	assert_int_equal(set.n, 0);
	series_set_release(&set);
	reader_close(r);
}

static void a_killed_recorder_is_followed_at_once(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	f->store = NULL;
	int said[2];
	assert_int_equal(pipe(said), 0);
	pid_t child = fork();
	if (child == 0) {
		struct store *s;
		struct store_options o = options(f);
		char answer = store_open(&o, &s, NULL) == ERR_OK ? 'y' : 'n';
		if (write(said[1], &answer, 1) == 1)
			pause();
		_exit(0);
	}
	char answer = 0;
	assert_int_equal(read(said[0], &answer, 1), 1);
	assert_int_equal(answer, 'y');
	struct store_options o = options(f);
	assert_int_equal(store_open(&o, &f->store, &why), ERR_LATER);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_ok(store_open(&o, &f->store, &why));
	close(said[0]);
	close(said[1]);
}

static void starts_and_ends_are_told(void **state)
{
	struct fixture *f = *state;
	struct test_clock later;
	struct buf b;
	test_clock_advance(&f->clock, 5000);
	reopen(f);
	assert_ok(store_flush(f->store, &why));
	/* The next one finds a lease that has run out. */
	struct store *second = NULL;
	struct store_options o = options(f);
	test_clock_init(&later, START_MS + 60000);
	o.clock = &later.clock;
	assert_ok(store_open(&o, &second, &why));
	assert_ok(store_flush(second, &why));
	struct reader *r = NULL;
	assert_ok(reader_open(f->path, READER_OWN, &r, &why));
	buf_init(&b, 1000);
	assert_ok(reader_events(r, NULL, "recorder", 0, INT64_MAX - 1, 10, join_events, &b, &why));
	assert_string_equal(buf_text(&b), "recorder/recording began; the recorder before was lost at about 1970-01-01T00:16:45Z/1 "
	                    "recorder/recording began/1 recorder/recording ended/1 recorder/recording began/1 ");
	buf_release(&b);
	reader_close(r);
	store_close(second);
}

static void another_process_sees_frames_within_a_second(void **state)
{
	struct fixture *f = *state;
	int said[2];
	struct reader *r = reader_of(f);
	reader_close(r);
	assert_int_equal(pipe(said), 0);
	pid_t child = fork();
	if (child == 0) {
		char answer = 'n';
		struct seen s = { 0 };
		struct timespec nap = { 0, 5000000 };
		if (reader_open(f->path, READER_OWN, &r, NULL) == ERR_OK && write(said[1], "r", 1) == 1) {
			for (int i = 0; i < 2000 && s.n == 0; i++) {
				reader_frames(r, STREAM_SCRAPE, 0, 0, 100, true, see, &s, NULL);
				nanosleep(&nap, NULL);
			}
			answer = s.n == 1 && s.first[0] == 42 ? 'y' : 'n';
		}
		_exit(write(said[1], &answer, 1) == 1 ? 0 : 1);
	}
	char answer = 0;
	assert_int_equal(read(said[0], &answer, 1), 1);
	assert_int_equal(answer, 'r');
	const struct layout *l = layout_of(f->store, ab, 2);
	assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, 10, l, (double[]){ 42, 0 }, &why));
	struct pollfd wait = { said[0], POLLIN, 0 };
	assert_int_equal(poll(&wait, 1, 1000), 1);
	assert_int_equal(read(said[0], &answer, 1), 1);
	assert_int_equal(answer, 'y');
	waitpid(child, NULL, 0);
	close(said[0]);
	close(said[1]);
}

struct interruption {
	struct reader *r;
	sem_t          has_begun, is_done;
	size_t         frames;
};

static void *interrupt(void *ctx)
{
	struct interruption *i = ctx;
	sem_wait(&i->has_begun);
	reader_interrupt(i->r);
	sem_post(&i->is_done);
	return NULL;
}

static enum err wait_for_it(void *ctx, const struct frame *frame)
{
	struct interruption *i = ctx;
	(void)frame;
	if (i->frames++ == 0) {
		sem_post(&i->has_begun);
		sem_wait(&i->is_done);
	}
	return ERR_OK;
}

static void a_call_is_interrupted_from_another_thread(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = layout_of(f->store, ab, 2);
	for (int i = 1; i <= 100; i++)
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, i, l, (double[]){ i, i }, &why));
	struct interruption i = { .r = reader_of(f) };
	pthread_t thread;
	assert_int_equal(sem_init(&i.has_begun, 0, 0) | sem_init(&i.is_done, 0, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &i), 0);
	assert_int_equal(reader_frames(i.r, STREAM_SCRAPE, 0, 0, 100, false, wait_for_it, &i, &why), ERR_CANCELLED);
	assert_int_equal(i.frames, 1);
	pthread_join(thread, NULL);
	/* The next call is not. */
	assert_ok(reader_frames(i.r, STREAM_SCRAPE, 0, 0, 100, false, wait_for_it, &i, &why));
	assert_int_equal(i.frames, 101);
	reader_close(i.r);
	sem_destroy(&i.has_begun);
	sem_destroy(&i.is_done);
}

/* ---- files that are no good ---- */

static void write_file(const char *path, const char *bytes, size_t n)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

static void files_that_are_no_store_are_refused(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct reader *r = NULL;
	struct store *s = NULL;
	snprintf(path, sizeof path, "%s/y.db", f->folder);
	struct store_options o = options(f);
	o.path = path;
	assert_int_equal(reader_open(path, READER_OWN, &r, &why), ERR_NOT_FOUND);
	write_file(path, "This is a letter, not a database. It is long enough to be looked at, though, is it not?", 80);
	assert_int_equal(store_open(&o, &s, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "is not a store"));
	assert_int_equal(reader_open(path, READER_OWN, &r, &why), ERR_CORRUPT);
	assert_int_equal(reader_open(path, READER_STRANGER, &r, &why), ERR_CORRUPT);
	static const struct { const char *label, *sql; enum err want; } rows[] = {
		{ "another program's", "CREATE TABLE t(x);", ERR_CORRUPT },
		{ "another program's, by its number", "PRAGMA application_id = 77; CREATE TABLE t(x);", ERR_CORRUPT },
		{ "a newer store", "PRAGMA application_id = 1885959287; PRAGMA user_version = 99;", ERR_UNSUPPORTED },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sqlite3 *handle;
		unlink(path);
		assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
		assert_int_equal(sqlite3_exec(handle, rows[i].sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(handle);
		assert_row(rows[i].label, store_open(&o, &s, &why) == rows[i].want);
		assert_row(rows[i].label, reader_open(path, READER_OWN, &r, &why) == rows[i].want);
		assert_row(rows[i].label, reader_open(path, READER_STRANGER, &r, &why) == rows[i].want);
	}
}

static long nfs(const char *folder)
{
	(void)folder;
	return 0x6969;
}

static void network_file_systems_are_refused(void **state)
{
	struct fixture *f = *state;
	struct store *s = NULL;
	struct store_options o = options(f);
	o.fs_type = nfs;
	assert_int_equal(store_open(&o, &s, &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "NFS"));
}

/* ---- bundles ---- */

static void a_bundle_holds_its_range_and_opens_as_a_strangers(void **state)
{
	struct fixture *f = *state;
	char path[128], side[160];
	const struct layout *l = layout_of(f->store, ab, 2);
	for (int i = 1; i <= 300; i++)
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, i * STEP_MS, l, (double[]){ i, i / 8.0 }, &why));
	assert_ok(store_flush(f->store, &why));
	snprintf(path, sizeof path, "%s/y.db", f->folder);
	assert_ok(store_export(f->path, path, 200 * STEP_MS, 250 * STEP_MS, &why));
	assert_int_equal(store_export(f->path, path, 200 * STEP_MS, 250 * STEP_MS, &why), ERR_EXISTS);
	struct reader *r = NULL;
	assert_ok(reader_open(path, READER_STRANGER, &r, &why));
	struct series_set set = select_metric(r, "b", 199 * STEP_MS, 999 * STEP_MS);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.items[0].n, 51);
	for (size_t i = 0; i < 51; i++)
		assert_true(set.items[0].v[i] == (double)(200 + i) / 8.0);
	series_set_release(&set);
	assert_int_equal(targets_at(r, START_MS + 1), 1);
	reader_close(r);
	snprintf(side, sizeof side, "%s-shm", path);
	assert_int_equal(access(side, F_OK), -1);
}

/* Whatever bytes of a bundle are turned over: it is refused or read, within bounds, and never crashes. */
static void mutated_bundles_do_no_harm(void **state)
{
	struct fixture *f = *state;
	char path[128];
	const struct layout *l = layout_of(f->store, ab, 2);
	for (int i = 1; i <= 100; i++)
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, i * STEP_MS, l, (double[]){ i, i / 8.0 }, &why));
	assert_ok(store_flush(f->store, &why));
	snprintf(path, sizeof path, "%s/y.db", f->folder);
	assert_ok(store_export(f->path, path, 0, 100 * STEP_MS, &why));
	int fd = open(path, O_RDWR);
	struct stat st;
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	uint32_t seed = 3;
	size_t refused = 0, read_on = 0;
	for (int round = 0; round < 400; round++) {
		unsigned char old, changed;
		seed = seed * 1664525u + 1013904223u;
		off_t at = (off_t)((seed >> 4) % (uint64_t)st.st_size);
		assert_int_equal(pread(fd, &old, 1, at), 1);
		changed = (unsigned char)(old ^ (1u << (seed >> 29)));
		assert_int_equal(pwrite(fd, &changed, 1, at), 1);
		struct reader *r = NULL;
		struct series_set set = { 0 };
		enum err e = reader_open(path, READER_STRANGER, &r, &why);
		if (e == ERR_OK)
			e = reader_select(r, NULL, 0, 0, INT64_MAX, 1000, &set, &why);
		if (e == ERR_OK)
			read_on++;
		else
			refused++;
		assert_true(e == ERR_OK || why.text[0] != '\0');
		series_set_release(&set);
		reader_close(r);
		assert_int_equal(pwrite(fd, &old, 1, at), 1);
	}
	close(fd);
	assert_true(refused > 0 && read_on > 0);
}

static void the_file_is_for_its_owner_and_group(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
}

static void a_revision_moves_with_each_commit(void **state)
{
	struct fixture *f = *state;
	struct reader *r = reader_of(f);
	uint64_t before, after;
	assert_ok(reader_revision(r, &before, &why));
	assert_ok(store_set_meta(f->store, "x", "y", &why));
	assert_ok(store_flush(f->store, &why));
	assert_ok(reader_revision(r, &after, &why));
	assert_true(after > before);
	reader_close(r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(series_come_back_over_many_frames),
		TEST(a_series_that_vanishes_is_stale_once),
		TEST(samples_have_a_ceiling),
		TEST(frames_of_all_targets_come_in_order),
		TEST(what_is_wrong_is_refused),
		TEST(a_clock_set_back_records_that_time_anew),
		TEST(a_clock_far_ahead_and_back_again_leaves_no_hole),
		TEST(a_clock_that_forgot_the_year_records_nothing),
		TEST(targets_come_and_go),
		TEST(events_and_facts_are_kept),
		TEST(a_second_recorder_is_refused_until_the_lease_ends),
		TEST(a_killed_recorder_is_followed_at_once),
		TEST(starts_and_ends_are_told),
		TEST(another_process_sees_frames_within_a_second),
		TEST(a_call_is_interrupted_from_another_thread),
		TEST(files_that_are_no_store_are_refused),
		TEST(network_file_systems_are_refused),
		TEST(a_bundle_holds_its_range_and_opens_as_a_strangers),
		TEST(mutated_bundles_do_no_harm),
		TEST(the_file_is_for_its_owner_and_group),
		TEST(a_revision_moves_with_each_commit),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
