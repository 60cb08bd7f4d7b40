/* SPDX-License-Identifier: Apache-2.0
 *
 * What is older than the store keeps goes, and what is left can be read to its last bit: at every moment of a removal, over a clock that was set back, and
 * when the file's size is what bounds it. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "store/block.h"
#include "store/compact.h"
#include "store/reader.h"
#include "store/retain.h"
#include "tests/unit/store_folder.h"

enum { STEP_MS = 10000, TARGETS = 3, SERIES = 40, DEADLINE_MS = 30000, LATE = BLOCK_ROWS + LEDGER_HOP /* frames that stay too long */, LATE_MS = LATE * STEP_MS };
static const int64_t T0 = INT64_C(1790000000000);

struct fixture {
	struct store_folder  at;
	struct test_clock    clock;
	struct store        *store;
	const struct layout *layout;
	int64_t              targets[TARGETS];
	struct labels       *names[TARGETS];
};

static struct why why;

static void open_store(struct fixture *f)
{
	struct labels *series[SERIES];
	char name[32];
	assert_ok(store_open(&(struct store_options){ .path = f->at.path, .clock = &f->clock.clock, .commit_ms = 10, .folding = FOLD_NEVER }, &f->store, &why)); /* test_retain_folding folds */
	for (int i = 0; i < TARGETS; i++)
		assert_ok(store_target(f->store, f->names[i], "http://x/", &f->targets[i], &why));
	for (int i = 0; i < SERIES; i++) {
		snprintf(name, sizeof name, "series_%d", i);
		series[i] = labels_of("__name__", name, NULL);
	}
	assert_ok(store_layout(f->store, series, SERIES, &f->layout, &why));
	for (int i = 0; i < SERIES; i++)
		labels_unref(series[i]);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char name[8];
	store_folder_make(&f->at, "retain");
	test_clock_init(&f->clock, T0);
	for (int i = 0; i < TARGETS; i++) {
		snprintf(name, sizeof name, "n%d", i);
		f->names[i] = labels_of("instance", name, NULL);
	}
	*state = f;
	open_store(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	for (int i = 0; i < TARGETS; i++)
		labels_unref(f->names[i]);
	store_folder_remove(&f->at);
	free(f);
	return 0;
}

/* A value of nothing but its place: what is read can be checked without remembering it. `era`: counts how often the clock was set back. */
static double value_of(int64_t target, int64_t at_ms, int series, int era)
{
	return series % 4 == 0 ? 7 : (double)((at_ms - T0) / STEP_MS * 31 + target * 7 + series) / (series % 3 + 1) + era * 1e9;
}

/* One frame of each target in [from, to) at every step. */
static void record(struct fixture *f, int from, int to, int first_target, int end_target, int era)
{
	double values[SERIES];
	for (int i = from; i < to; i++)
		for (int t = first_target; t < end_target; t++) {
			int64_t at_ms = T0 + (int64_t)i * STEP_MS;
			f->clock.now_mono_us += t == first_target ? STEP_MS * 1000 : 0;
			f->clock.now_wall_ms = at_ms;
			for (int k = 0; k < SERIES; k++)
				values[k] = value_of(f->targets[t], at_ms, k, era);
			assert_ok(store_append(f->store, f->targets[t], STREAM_SCRAPE, at_ms, f->layout, values, &why));
			if (i % 100 == 0)
				assert_ok(store_flush(f->store, &why));
		}
	assert_ok(store_flush(f->store, &why));
}

struct seen {
	int     era;         /* of frames from era_ms on */
	int64_t era_ms;
	int64_t first_ms[TARGETS], last_ms[TARGETS];
	int     n[TARGETS], n_wrong;
	const struct fixture *f;
};

static enum err see(void *ctx, const struct frame *frame)
{
	struct seen *s = ctx;
	int t = 0;
	while (t < TARGETS && s->f->targets[t] != frame->target)
		t++;
	if (t == TARGETS || frame->n != SERIES) {
		s->n_wrong++;
		return ERR_OK;
	}
	int era = frame->wall_ms >= s->era_ms ? s->era : 0;
	for (int k = 0; k < SERIES; k++)
		s->n_wrong += frame->values[k] != value_of(frame->target, frame->wall_ms, k, era);
	if (s->n[t] > 0 && frame->wall_ms != s->last_ms[t] + STEP_MS) /* a gap */
		s->n_wrong++;
	if (s->n[t]++ == 0)
		s->first_ms[t] = frame->wall_ms;
	s->last_ms[t] = frame->wall_ms;
	return ERR_OK;
}

/* Everything that is there; what is wrong with it is in n_wrong. */
static struct seen look(struct fixture *f, struct reader *r, int era, int64_t era_ms)
{
	struct seen s = { .f = f, .era = era, .era_ms = era_ms };
	assert_ok(reader_frames(r, STREAM_SCRAPE, 0, 0, INT64_MAX, false, see, &s, &why));
	assert_int_equal(s.n_wrong, 0);
	return s;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Looks again and again, at each moment of the removal, until target `t` begins about where it should. */
static struct seen wait_for_cut(struct fixture *f, int t, int64_t cut_ms, int era, int64_t era_ms)
{
	struct reader *r = NULL;
	struct seen s;
	int64_t deadline = now_ms() + DEADLINE_MS;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	while (s = look(f, r, era, era_ms), s.n[t] > 0 && s.first_ms[t] <= cut_ms - LATE_MS) {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 5);
	}
	reader_close(r);
	return s;
}

static void keep(struct fixture *f, int64_t samples_ms, int64_t events_ms, int64_t bytes)
{
	store_set_keep(f->store, &(struct store_keep){ samples_ms, events_ms, bytes, samples_ms });
}

static void samples_go_by_age(void **state)
{
	struct fixture *f = *state;
	enum { FRAMES = 2000 };
	record(f, 0, FRAMES, 0, TARGETS, 0);
	keep(f, 500 * STEP_MS, 0, 0);
	int64_t cut_ms = f->clock.now_wall_ms - 500 * STEP_MS;
	for (int t = 0; t < TARGETS; t++) {
		struct seen s = wait_for_cut(f, t, cut_ms, 0, INT64_MAX);
		assert_true(s.first_ms[t] <= cut_ms + STEP_MS);
		assert_true(s.last_ms[t] == f->clock.now_wall_ms);
	}
	/* Recording goes on, also after another recorder took over. */
	record(f, FRAMES, FRAMES + 100, 0, TARGETS, 0);
	store_close(f->store);
	open_store(f);
	record(f, FRAMES + 100, FRAMES + 300, 0, TARGETS, 0);
	keep(f, 500 * STEP_MS, 0, 0);
	wait_for_cut(f, 0, f->clock.now_wall_ms - 500 * STEP_MS, 0, INT64_MAX);
}

static void a_target_that_went_goes_whole(void **state)
{
	struct fixture *f = *state;
	record(f, 0, 500, 0, TARGETS, 0);
	record(f, 500, 1500, 0, 2, 0);
	keep(f, 600 * STEP_MS, 0, 0);
	struct seen s = wait_for_cut(f, 2, INT64_MAX - 1, 0, INT64_MAX);
	assert_int_equal(s.n[2], 0);
	s = wait_for_cut(f, 0, f->clock.now_wall_ms - 600 * STEP_MS, 0, INT64_MAX);
	assert_true(s.n[0] >= 600 && s.n[0] <= 600 + LATE);
	/* It comes back. */
	record(f, 1500, 1600, 0, TARGETS, 0);
	keep(f, 600 * STEP_MS, 0, 0);
	s = wait_for_cut(f, 1, f->clock.now_wall_ms - 600 * STEP_MS, 0, INT64_MAX);
	assert_int_equal(s.n[2], 100);
}

static void ids_go_on_when_all_went(void **state)
{
	struct fixture *f = *state;
	record(f, 0, 300, 0, TARGETS, 0);
	test_clock_advance(&f->clock, INT64_C(365) * 24 * 3600 * 1000);
	keep(f, 100 * STEP_MS, 0, 0);
	for (int t = 0; t < TARGETS; t++)
		assert_int_equal(wait_for_cut(f, t, INT64_MAX - 1, 0, INT64_MAX).n[t], 0);
	store_close(f->store);
	open_store(f);
	int from = (int)((f->clock.now_wall_ms - T0) / STEP_MS);
	record(f, from, from + 100, 0, TARGETS, 0);
	struct reader *r = NULL;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	struct seen s = look(f, r, 0, INT64_MAX);
	assert_true(s.n[0] == 100 && s.n[2] == 100);
	reader_close(r);
}

/* Counts rows by looking into the file, past the readers. */
static int64_t frames_in_file(struct fixture *f, int64_t until_ms)
{
	struct db db = { 0 };
	sqlite3_stmt *s = NULL;
	assert_ok(db_open(&db, f->at.path, DB_READ, &why));
	assert_int_equal(sqlite3_prepare_v2(db.handle, "SELECT (SELECT count(*) FROM frame WHERE at_ms <= ?1) + (SELECT count(*) FROM block WHERE last_ms <= ?1)", -1, &s, NULL),
	                 SQLITE_OK);
	sqlite3_bind_int64(s, 1, until_ms);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	db_close(&db);
	return n;
}

static void a_clock_set_back_is_no_hindrance(void **state)
{
	struct fixture *f = *state;
	record(f, 0, 1000, 0, TARGETS, 0);
	/* Set back by 700 steps, of which these frames are recorded once more. */
	record(f, 300, 2000, 0, TARGETS, 1);
	int64_t era_ms = T0 + INT64_C(300) * STEP_MS, cut_ms = f->clock.now_wall_ms - 800 * STEP_MS;
	keep(f, 800 * STEP_MS, 0, 0);
	for (int t = 0; t < TARGETS; t++)
		assert_true(wait_for_cut(f, t, cut_ms, 1, era_ms).first_ms[t] <= cut_ms + STEP_MS);
	int64_t deadline = now_ms() + DEADLINE_MS; /* also those that no chain leads to */
	while (frames_in_file(f, cut_ms - LATE_MS) > 0) {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 5);
	}
}

struct counting {
	const char *part;
	int64_t     n;
};

static enum err count_event(void *ctx, const struct event *e)
{
	struct counting *c = ctx;
	c->n += c->part == NULL || strstr(e->text, c->part) != NULL;
	return ERR_OK;
}

static int64_t count_events(struct reader *r, const char *kind, const char *part)
{
	struct counting c = { .part = part };
	assert_ok(reader_events(r, NULL, kind, 0, INT64_MAX, 100000, count_event, &c, &why));
	return c.n;
}

static void events_go_by_their_own_age(void **state)
{
	struct fixture *f = *state;
	struct reader *r = NULL;
	for (int i = 0; i < 5000; i++)
		assert_ok(store_append_event(f->store, &(struct event){ .wall_ms = T0 + (int64_t)i * STEP_MS, .severity = SEVERITY_INFO, .kind = "note", .text = "x" }, &why));
	record(f, 4900, 5000, 0, 1, 0);
	keep(f, 0, 1000 * STEP_MS, 0);
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	int64_t deadline = now_ms() + DEADLINE_MS, n;
	while ((n = count_events(r, "note", NULL)) > 1001) {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 5);
	}
	assert_int_equal(n, 1001);
	assert_int_equal(look(f, r, 0, INT64_MAX).n[0], 100);
	reader_close(r);
}

static int64_t used_of(struct fixture *f, int64_t *unused)
{
	struct db db = { 0 };
	int64_t used;
	assert_ok(db_open(&db, f->at.path, DB_READ, &why));
	assert_ok(retain_used(&db, &used, unused, &why));
	db_close(&db);
	return used;
}

static void the_file_stays_within_its_size(void **state)
{
	struct fixture *f = *state;
	struct reader *r = NULL;
	int64_t unused;
	record(f, 0, 6000, 0, TARGETS, 0);
	int64_t before = used_of(f, &unused), bound = before / 2;
	assert_true(before > 500000);
	keep(f, INT64_C(3650) * 24 * 3600 * 1000, 0, bound);
	int64_t deadline = now_ms() + DEADLINE_MS;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	while (used_of(f, &unused) > bound) {
		assert_true(now_ms() < deadline);
		look(f, r, 0, INT64_MAX);
	}
	struct seen s = look(f, r, 0, INT64_MAX);
	assert_true(s.n[0] > 2000 && s.n[0] < 4000 && s.last_ms[0] == f->clock.now_wall_ms); /* no more than needed */
	while (count_events(r, "recorder", "before their time") == 0) {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 5);
	}
	assert_int_equal(count_events(r, "recorder", "before their time"), 1);
	/* Nothing that may go is left: told, and not tried for ever. */
	test_clock_advance(&f->clock, INT64_C(25) * 3600 * 1000);
	keep(f, 0, 0, 1);
	while (count_events(r, "recorder", "no samples left") == 0) {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 5);
	}
	reader_close(r);
}

static void much_free_space_goes_back_to_the_disk(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int64_t unused, deadline = now_ms() + DEADLINE_MS;
	char *text = malloc(60000);
	assert_non_null(text);
	memset(text, 'x', 59999);
	text[59999] = '\0';
	for (int i = 0; i < 800; i++) { /* events are the quickest way to a large file */
		assert_ok(store_append_event(f->store, &(struct event){ .wall_ms = T0, .severity = SEVERITY_INFO, .kind = "note", .text = text }, &why));
		if (i % 100 == 99)
			assert_ok(store_flush(f->store, &why));
	}
	free(text);
	record(f, 5000, 5100, 0, TARGETS, 0);
	int64_t before = used_of(f, &unused);
	assert_true(before > 40 << 20);
	keep(f, 0, 1000 * STEP_MS, 0);
	while (used_of(f, &unused) + unused > before / 3 || stat(f->at.path, &st) != 0 || st.st_size > before / 3) {
		assert_true(now_ms() < deadline);
		assert_ok(store_flush(f->store, &why));
		poll(NULL, 0, 5);
	}
}

static void all_of_it_at_once_while_nobody_records(void **state)
{
	struct fixture *f = *state;
	struct compact_result c;
	struct reader *r = NULL;
	const struct store_keep long_keep = { 500 * STEP_MS, 0, 0, 1 }, none = { 0, 0, 1, 0 };
	int64_t unused;
	record(f, 0, 6000, 0, TARGETS, 0);
	store_close(f->store);
	open_store(f); /* its lease is of now */
	assert_int_equal(store_compact(f->at.path, &long_keep, &f->clock.clock, &c, &why), ERR_LATER);
	assert_non_null(strstr(why.text, "is being recorded"));
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(store_compact("/nowhere/x.db", &long_keep, &f->clock.clock, &c, &why), ERR_NOT_FOUND);
	assert_ok(store_compact(f->at.path, &long_keep, &f->clock.clock, &c, &why));
	assert_true(c.rows_removed > 0 && c.rows_removed <= TARGETS * 5501);
	assert_true(c.bytes_after < c.bytes_before / 4 && !c.is_full);
	used_of(f, &unused);
	assert_int_equal(unused, 0);
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	struct seen s = look(f, r, 0, INT64_MAX);
	assert_true(s.n[0] >= 500 && s.n[0] <= 500 + LATE && s.last_ms[0] == f->clock.now_wall_ms);
	reader_close(r);
	struct stat st;
	assert_int_equal(stat(f->at.path, &st), 0);
	assert_int_equal(c.bytes_after, st.st_size); /* of the log nothing is left */
	/* Twice is once; and what is younger than ten minutes stays whatever the size. */
	assert_ok(store_compact(f->at.path, &long_keep, &f->clock.clock, &c, &why));
	assert_int_equal(c.rows_removed, 0);
	assert_ok(store_compact(f->at.path, &none, &f->clock.clock, &c, &why));
	assert_true(c.is_full);
	open_store(f);
	record(f, 6000, 6100, 0, TARGETS, 0);
}

/* ---- layouts ---- */

/* A frame of one series for target 0, a step later. The layout is the caller's to drop. */
static const struct layout *record_one(struct fixture *f, const char *metric)
{
	struct labels *series = labels_of("__name__", metric, NULL);
	const struct layout *l = NULL;
	test_clock_advance(&f->clock, STEP_MS);
	assert_ok(store_layout(f->store, &series, 1, &l, &why));
	labels_unref(series);
	assert_ok(store_append(f->store, f->targets[0], STREAM_SCRAPE, f->clock.now_wall_ms, l, &(double){ 5 }, &why));
	assert_ok(store_flush(f->store, &why));
	return l;
}

static int layouts_of(struct fixture *f, const char *metric)
{
	struct db db = { 0 };
	sqlite3_stmt *s = NULL;
	assert_ok(db_open(&db, f->at.path, DB_READ, &why));
	assert_int_equal(sqlite3_prepare_v2(db.handle, "SELECT count(*) FROM layout l JOIN layout_metric m ON m.layout = l.id WHERE m.metric = ?1", -1, &s, NULL), SQLITE_OK);
	sqlite3_bind_text(s, 1, metric, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	db_close(&db);
	return n;
}

static size_t samples_of(struct fixture *f, const char *metric)
{
	struct reader *r = NULL;
	struct matcher m;
	struct series_set set;
	size_t n = 0;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", metric, &why));
	assert_ok(reader_select(r, &m, 1, 0, INT64_MAX - 1, 100000, &set, &why));
	for (size_t i = 0; i < set.n; i++)
		n += set.items[i].n;
	series_set_release(&set);
	matcher_release(&m);
	reader_close(r);
	return n;
}

/* One that no frame has and that is not in memory goes. One in memory stays: the next frame may have it. */
static void layouts_go_that_nobody_has(void **state)
{
	struct fixture *f = *state;
	record_one(f, "gone"); /* a recorder before had it */
	record_one(f, "late");
	store_close(f->store);
	open_store(f);
	store_layout_drop(f->store, record_one(f, "idle"));
	store_layout_drop(f->store, record_one(f, "top")); /* ids go on from it */
	record(f, 100, 2000, 0, TARGETS, 0);
	assert_true(layouts_of(f, "gone") == 1 && layouts_of(f, "idle") == 1);
	keep(f, 500 * STEP_MS, 0, 0);
	int64_t deadline = now_ms() + DEADLINE_MS;
	while (layouts_of(f, "gone") > 0) {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 5);
	}
	assert_int_equal(frames_in_file(f, T0 + 50 * STEP_MS), 0);
	assert_true(layouts_of(f, "idle") == 1 && layouts_of(f, "series_3") == 1);
	store_layout_drop(f->store, record_one(f, "idle"));
	assert_int_equal(samples_of(f, "idle"), 1);
	assert_int_equal(samples_of(f, "gone"), 0);
	assert_true(samples_of(f, "series_3") >= 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(samples_go_by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(a_target_that_went_goes_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_go_on_when_all_went, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clock_set_back_is_no_hindrance, setup, teardown),
		cmocka_unit_test_setup_teardown(events_go_by_their_own_age, setup, teardown),
		cmocka_unit_test_setup_teardown(the_file_stays_within_its_size, setup, teardown),
		cmocka_unit_test_setup_teardown(much_free_space_goes_back_to_the_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(all_of_it_at_once_while_nobody_records, setup, teardown),
		cmocka_unit_test_setup_teardown(layouts_go_that_nobody_has, setup, teardown),
	};
	return cmocka_run_group_tests_name("retain", tests, NULL, NULL);
}
