/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of all targets by time, without an index of them: what is late, what is set aside, what is in no span yet and what `track` does not tell of yet is
 * found all the same, by readers that stay open and by new ones. */
#include "tests/unit/unit.h"

#include "store/reader.h"
#include "store/store.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 7, FRAMES_MAX = 8000, STEP_MS = 1000, LATE_MS = 8000, KEY_DISTANCE = 2 /* spans of 32 frames; tracks are written each 256 */ };
static const int64_t START_MS = 1000000000;

struct said {
	int64_t target, at_ms;
	double  v;
	bool    is_aside;
};

struct fixture {
	struct store_folder  folder;
	struct test_clock    clock;
	struct store        *store;
	struct reader       *reader;
	const struct layout *layout;
	int64_t              targets[TARGETS];
	int64_t              last_ms[TARGETS];
	struct said          said[FRAMES_MAX];
	size_t               n;
	uint32_t             seed;
};

static struct why why;

static uint32_t roll(struct fixture *f, uint32_t n)
{
	f->seed = f->seed * 1664525 + 1013904223;
	return (f->seed >> 8) % n;
}

static void open_store(struct fixture *f, enum folding folding)
{
	const struct store_options o = { .path = f->folder.path, .clock = &f->clock.clock, .key_distance = KEY_DISTANCE, .folding = folding };
	assert_ok(store_open(&o, &f->store, &why));
	for (int i = 0; i < TARGETS; i++) {
		char node[8];
		snprintf(node, sizeof node, "n%d", i);
		struct labels *l = labels_of("node", node, NULL);
		assert_ok(store_target(f->store, l, "http://x", &f->targets[i], &why));
		labels_unref(l);
	}
	struct labels *series = labels_of("__name__", "a", NULL);
	assert_ok(store_layout(f->store, &series, 1, &f->layout, &why));
	labels_unref(series);
}

static struct fixture *begin(enum folding folding)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->seed = 7;
	store_folder_make(&f->folder, "span");
	test_clock_init(&f->clock, START_MS);
	open_store(f, folding);
	assert_ok(reader_open(f->folder.path, READER_OWN, &f->reader, &why));
	return f;
}

static void end(struct fixture *f)
{
	reader_close(f->reader);
	store_close(f->store);
	store_folder_remove(&f->folder);
	free(f);
}

/* A target's frame, that is up to LATE_MS late. */
static void append(struct fixture *f, int target)
{
	int64_t at_ms = f->clock.now_wall_ms - (int64_t)roll(f, LATE_MS);
	if (at_ms <= f->last_ms[target])
		at_ms = f->last_ms[target] + 1;
	if (at_ms > f->clock.now_wall_ms)
		return;
	struct said one = { f->targets[target], at_ms, (double)f->n, false };
	assert_true(f->n < FRAMES_MAX);
	f->said[f->n++] = one;
	f->last_ms[target] = at_ms;
	assert_ok(store_append(f->store, one.target, STREAM_SIGNAL, at_ms, f->layout, &one.v, &why));
}

/* Target 6 speaks seldom, and 5 not for long times. */
static void go_on(struct fixture *f, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		test_clock_advance(&f->clock, STEP_MS);
		for (int t = 0; t < TARGETS; t++)
			if (t < 5 || (t == 5 && i % 100 < 20) || (t == 6 && i % 40 == 0))
				append(f, t);
		assert_ok(store_flush(f->store, &why));
	}
}

/* What was said from then on is said anew; targets begin behind it, so that nothing late comes from before. */
static void set_back(struct fixture *f, int64_t by_ms)
{
	f->clock.now_wall_ms -= by_ms;
	int64_t now = f->clock.now_wall_ms;
	for (int t = 0; t < TARGETS; t++)
		f->last_ms[t] = now + LATE_MS;
	f->clock.now_wall_ms += 1; /* the first frame tells the store of it */
	struct said one = { f->targets[0], now + 1, (double)f->n, false };
	assert_ok(store_append(f->store, one.target, STREAM_SIGNAL, one.at_ms, f->layout, &one.v, &why));
	for (size_t i = 0; i < f->n; i++)
		f->said[i].is_aside |= f->said[i].at_ms >= now + 1;
	f->said[f->n++] = one;
	test_clock_advance(&f->clock, 2 * LATE_MS);
	assert_ok(store_flush(f->store, &why));
}

/* ---- reading ---- */

struct found {
	struct said items[FRAMES_MAX];
	size_t      n;
};

static enum err find(void *ctx, const struct frame *fr)
{
	struct found *to = ctx;
	to->items[to->n++] = (struct said){ fr->target, fr->wall_ms, fr->values[0], false };
	return ERR_OK;
}

static int by_time(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return (x->target > y->target) - (x->target < y->target);
}

static void expect(const struct fixture *f, int64_t after_ms, int64_t until_ms, bool newest_only, struct found *to)
{
	to->n = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct said *s = &f->said[i];
		size_t k = to->n;
		if (s->is_aside || s->at_ms <= after_ms || s->at_ms > until_ms)
			continue;
		while (newest_only && k > 0 && to->items[k - 1].target != s->target)
			k--;
		if (newest_only && k > 0)
			to->items[k - 1] = *s;
		else
			to->items[to->n++] = *s;
	}
	qsort(to->items, to->n, sizeof *to->items, by_time);
}

static void look(struct fixture *f, struct reader *r, int64_t after_ms, int64_t until_ms, bool newest_only)
{
	static struct found want, got;
	got.n = 0;
	expect(f, after_ms, until_ms, newest_only, &want);
	assert_ok(reader_frames(r, STREAM_SIGNAL, 0, after_ms, until_ms, newest_only, find, &got, &why));
	if (got.n != want.n)
		fail_msg("%zu instead of %zu frames from %lld to %lld, %d", got.n, want.n, (long long)(after_ms - START_MS), (long long)(until_ms - START_MS), newest_only);
	for (size_t i = 0; i < got.n; i++)
		assert_true(got.items[i].target == want.items[i].target && got.items[i].at_ms == want.items[i].at_ms && got.items[i].v == want.items[i].v);
}

static void look_around(struct fixture *f, struct reader *r, int windows)
{
	int64_t now = f->clock.now_wall_ms;
	look(f, r, now - 5 * STEP_MS, now, true);
	look(f, r, INT64_MIN, INT64_MAX - 1, true);
	look(f, r, INT64_MIN, INT64_MAX - 1, false);
	for (int i = 0; i < windows; i++) {
		int64_t until = START_MS + (int64_t)roll(f, (uint32_t)(now - START_MS) + 10 * STEP_MS);
		look(f, r, until - (int64_t)roll(f, 100 * STEP_MS), until, roll(f, 2) == 0);
	}
	/* One target alone, by its chain. */
	static struct found want, got;
	int64_t target = f->targets[roll(f, TARGETS)];
	size_t n = 0;
	expect(f, INT64_MIN, INT64_MAX, false, &want);
	for (size_t i = 0; i < want.n; i++)
		if (want.items[i].target == target)
			want.items[n++] = want.items[i];
	got.n = 0;
	assert_ok(reader_frames(r, STREAM_SIGNAL, target, 0, INT64_MAX - 1, false, find, &got, &why));
	assert_int_equal(got.n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(got.items[i].at_ms == want.items[i].at_ms && got.items[i].v == want.items[i].v);
	int64_t first = INT64_MAX, last = INT64_MIN, got_first, got_last;
	for (size_t i = 0; i < f->n; i++) {
		first = f->said[i].at_ms < first ? f->said[i].at_ms : first;
		last = f->said[i].at_ms > last && !f->said[i].is_aside ? f->said[i].at_ms : last;
	}
	assert_ok(reader_bounds(r, &got_first, &got_last, &why));
	assert_true((got_first == first || got_first == START_MS) && got_last >= last); /* that recording began is an event */
}

static void look_with_all(struct fixture *f, int windows)
{
	struct reader *fresh = NULL;
	assert_ok(reader_open(f->folder.path, READER_OWN, &fresh, &why));
	look_around(f, fresh, windows);
	look_around(f, f->reader, windows);
	reader_close(fresh);
}

static void run(enum folding folding)
{
	struct fixture *f = begin(folding);
	for (int i = 0; i < 12; i++) {
		go_on(f, 1 + (int)roll(f, 50));
		look_with_all(f, 20);
		if (i % 4 == 2) {
			set_back(f, 30 * STEP_MS);
			look_with_all(f, 20);
		}
	}
	end(f);
}

static void frames_are_found_by_time(void **state)
{
	(void)state;
	run(FOLD_NEVER);
	run(FOLD_AT_ONCE);
}

/* I9, I4. */
static void check_tables(const char *path)
{
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM frame f JOIN span s ON s.id = (SELECT min(id) FROM span WHERE id >= f.id)"
	                                       " WHERE f.at_ms NOT BETWEEN s.first_ms AND s.last_ms"), 0);
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM frame f WHERE f.id > (SELECT max(id) FROM span WHERE is_mark)"), 0);
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM track t WHERE newest < (SELECT max(id) FROM frame f WHERE f.target = t.target AND f.stream = t.stream"
	                                       " AND NOT EXISTS (SELECT 1 FROM rewind w WHERE f.id <= w.last_frame AND f.at_ms >= w.from_ms))"), 0);
}

static void a_recorder_that_ends_leaves_tracks_in_order(void **state)
{
	(void)state;
	struct fixture *f = begin(FOLD_AT_ONCE);
	go_on(f, 200);
	assert_true(test_sql_number(f->folder.path, "SELECT count(*) FROM span") > 1);
	assert_true(test_sql_number(f->folder.path, "SELECT count(*) FROM span WHERE NOT is_mark") > 0);
	store_close(f->store);
	check_tables(f->folder.path);
	/* Spans whose frames are all in blocks are gone, but for those that ones that speak seldom have frames in. */
	int64_t spans = test_sql_number(f->folder.path, "SELECT count(*) FROM span"), frames = test_sql_number(f->folder.path, "SELECT count(*) FROM frame");
	assert_true(spans < 15 && frames < 60 && test_sql_number(f->folder.path, "SELECT max(id) FROM span") > 1000);
	open_store(f, FOLD_AT_ONCE);
	go_on(f, 20);
	look_with_all(f, 20);
	end(f);
}

/* As a crash leaves it: the frames are there, `track` is as it was before. */
static void after_a_crash_tracks_are_put_right(void **state)
{
	(void)state;
	struct fixture *f = begin(FOLD_NEVER);
	go_on(f, 100);
	store_close(f->store);
	test_sql(f->folder.path, "DELETE FROM span WHERE id > (SELECT max(id) / 2 FROM span); UPDATE span SET is_mark = 1 WHERE id = (SELECT max(id) FROM span);"
	                         "UPDATE track SET (newest, at_ms) = (SELECT max(id), at_ms FROM frame f WHERE f.target = track.target AND f.stream = track.stream AND"
	                         " f.id <= (SELECT max(id) FROM span)) WHERE newest > (SELECT max(id) FROM span)");
	assert_true(test_sql_number(f->folder.path, "SELECT max(newest) < (SELECT max(id) FROM frame) - 100 FROM track"));
	look_with_all(f, 50); /* readers don't wait for a recorder */
	open_store(f, FOLD_NEVER);
	look_with_all(f, 50);
	go_on(f, 50);
	look_with_all(f, 50);
	set_back(f, 30 * STEP_MS);
	look_with_all(f, 50);
	store_close(f->store);
	check_tables(f->folder.path);
	open_store(f, FOLD_NEVER);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_found_by_time),
		cmocka_unit_test(a_recorder_that_ends_leaves_tracks_in_order),
		cmocka_unit_test(after_a_crash_tracks_are_put_right),
	};
	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
