/* SPDX-License-Identifier: Apache-2.0
 *
 * The disk refuses: a virtual file system under SQLite fails its n-th operation, for n = 1, 2, 3 ... until none fails any more; and a
 * disk that is full for a while. What was committed is there afterwards, and what was queued follows when the disk is well again. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "store/reader.h"
#include "store/retain.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store/faulty_disk.h"

enum { START_MS = 1000000, ROUNDS_MAX = 2000 };

struct fixture {
	char              folder[64], path[96];
	struct test_clock clock;
	struct store     *store;
	struct log       *log;
	int64_t           target;
	const struct layout *layout;
	int               next; /* frames 1 .. next - 1 were taken */
};

static struct why why;

static enum err open_store(struct fixture *f, size_t queue_max_bytes)
{
	struct store_options o = { .path = f->path, .clock = &f->clock.clock, .log = f->log, .commit_ms = 5, .queue_max_bytes = queue_max_bytes };
	enum err e = store_open(&o, &f->store, &why);
	if (e != ERR_OK)
		return e;
	struct labels *l = labels_of("instance", "a", NULL), *series = labels_of("__name__", "m", NULL);
	e = store_target(f->store, l, "u", &f->target, &why);
	if (e == ERR_OK)
		e = store_layout(f->store, &series, 1, &f->layout, &why);
	labels_unref(l);
	labels_unref(series);
	return e;
}

static void start(struct fixture *f)
{
	*f = (struct fixture){ .next = 1 };
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-fault-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	test_clock_init(&f->clock, START_MS);
}

static void finish(struct fixture *f)
{
	char side[128];
	store_close(f->store);
	unlink(f->path);
	snprintf(side, sizeof side, "%s-wal", f->path);
	unlink(side);
	snprintf(side, sizeof side, "%s-shm", f->path);
	unlink(side);
	log_close(f->log);
	snprintf(side, sizeof side, "%s/log", f->folder);
	unlink(side);
	assert_int_equal(rmdir(f->folder), 0);
}

static void append(struct fixture *f, int n)
{
	for (; n > 0; n--) {
		double v = f->next;
		assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, f->next, f->layout, &v, &why), ERR_OK);
		f->next++;
	}
}

static enum err in_turn(void *ctx, const struct frame *frame)
{
	int *next = ctx;
	assert_true(frame->n == 1 && frame->values[0] == *next && frame->wall_ms == *next);
	++*next;
	return ERR_OK;
}

static void check_all_there(struct fixture *f)
{
	struct reader *r = NULL;
	int next = 1;
	assert_int_equal(reader_open(f->path, READER_OWN, &r, &why), ERR_OK);
	assert_int_equal(reader_frames(r, STREAM_SCRAPE, f->target, 0, 1 << 30, false, in_turn, &next, &why), ERR_OK);
	assert_int_equal(next, f->next);
	reader_close(r);
}

static void a_failing_commit_loses_nothing(void **state)
{
	(void)state;
	int n = 0;
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n++) {
		struct fixture f;
		start(&f);
		assert_int_equal(open_store(&f, 0), ERR_OK);
		append(&f, 3);
		assert_int_equal(store_flush(f.store, &why), ERR_OK);
		faulty_disk_arm(n);
		append(&f, 3);
		store_flush(f.store, &why);
		was_hit = faulty_disk_well();
		append(&f, 3);
		if (store_flush(f.store, &why) != ERR_OK)
			fail_msg("operation %d: %s", n, why.text);
		check_all_there(&f);
		finish(&f);
	}
	assert_in_range(n, 5, ROUNDS_MAX - 1);
}

static enum err remove_old(void *ctx, struct why *w)
{
	bool more;
	return retain_slice(ctx, 300, &more, w);
}

/* What is older than 100 ms as of the 300th frame, as the writer's thread does it. */
static enum err remove_from(const char *path)
{
	struct db db = { 0 };
	struct ledger ledger = { 0 };
	struct retain retain = { 0 };
	struct rollup_maker rollups;
	rollup_maker_init(&rollups, &db);
	enum err e = db_open(&db, path, DB_WRITE, &why);
	if (e == ERR_OK)
		e = ledger_init(&ledger, &db, &why);
	if (e == ERR_OK) {
		retain_init(&retain, &ledger);
		retain.keep = (struct store_keep){ .samples_ms = 100, .rollups_ms = 100 };
		retain.rollups = &rollups;
		e = db_transact(&db, true, remove_old, &retain, &why);
		ledger_settle(&ledger, e == ERR_OK);
	}
	if (e == ERR_OK)
		e = retain_shrink(&db, 1000, &why);
	retain_release(&retain);
	rollup_maker_release(&rollups);
	ledger_release(&ledger);
	db_close(&db);
	return e;
}

struct run {
	int first, last;
};

static enum err in_a_row(void *ctx, const struct frame *frame)
{
	struct run *r = ctx;
	assert_true(frame->n == 1 && frame->values[0] == (double)frame->wall_ms && (r->first == 0 || frame->wall_ms == r->last + 1));
	r->last = (int)frame->wall_ms;
	if (r->first == 0)
		r->first = r->last;
	return ERR_OK;
}

static void a_failing_removal_cuts_nothing_in_half(void **state)
{
	(void)state;
	int n = 0, n_failed = 0;
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n++) {
		struct fixture f;
		start(&f);
		assert_int_equal(open_store(&f, 0), ERR_OK);
		append(&f, 300);
		store_close(f.store);
		f.store = NULL;
		faulty_disk_arm(n);
		n_failed += remove_from(f.path) != ERR_OK;
		was_hit = faulty_disk_well();
		struct reader *r = NULL;
		struct run run = { 0 };
		assert_int_equal(reader_open(f.path, READER_OWN, &r, &why), ERR_OK);
		assert_int_equal(reader_frames(r, STREAM_SCRAPE, f.target, 0, 1 << 30, false, in_a_row, &run, &why), ERR_OK);
		assert_true(run.last == 300 && (run.first == 1 || (run.first <= 201 && run.first > 200 - LEDGER_HOP)));
		assert_true(was_hit || run.first > 1);
		reader_close(r);
		finish(&f);
	}
	assert_in_range(n, 10, ROUNDS_MAX - 1);
	assert_in_range(n_failed, 5, n);
}

static int64_t layouts_in(const char *path, const char *where)
{
	char sql[256];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM layout %s", where);
	return test_sql_number(path, sql);
}

/* Thirty frames of each of ten layouts. */
static void record_layouts(struct fixture *f)
{
	assert_int_equal(open_store(f, 0), ERR_OK);
	for (int i = 0; i < 10; i++) {
		char name[16];
		snprintf(name, sizeof name, "m%d", i);
		struct labels *series = labels_of("__name__", name, NULL);
		assert_int_equal(store_layout(f->store, &series, 1, &f->layout, &why), ERR_OK);
		labels_unref(series);
		append(f, 30);
	}
	store_close(f->store);
	f->store = NULL;
}

static void a_failing_removal_takes_no_layout_that_is_used(void **state)
{
	(void)state;
	static const char unused[] = "l WHERE NOT EXISTS (SELECT 1 FROM frame f WHERE f.layout = l.id)";
	static const char half[] = "l WHERE (SELECT count(*) FROM layout_metric m WHERE m.layout = l.id) <> 1";
	int n = 0, n_failed = 0;
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n++) {
		struct fixture f;
		start(&f);
		record_layouts(&f);
		int64_t before = layouts_in(f.path, "");
		faulty_disk_arm(n);
		n_failed += remove_from(f.path) != ERR_OK;
		was_hit = faulty_disk_well();
		struct reader *r = NULL;
		struct run run = { 0 };
		assert_int_equal(reader_open(f.path, READER_OWN, &r, &why), ERR_OK);
		assert_int_equal(reader_frames(r, STREAM_SCRAPE, f.target, 0, 1 << 30, false, in_a_row, &run, &why), ERR_OK);
		assert_int_equal(run.last, 300);
		reader_close(r);
		assert_int_equal(layouts_in(f.path, half), 0);
		assert_true(was_hit || (layouts_in(f.path, unused) == 0 && layouts_in(f.path, "") < before - 3));
		finish(&f);
	}
	assert_in_range(n, 10, ROUNDS_MAX - 1);
	assert_in_range(n_failed, 5, n);
}

static void a_failing_open_leaves_the_store_good(void **state)
{
	(void)state;
	int n = 0;
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n++) {
		struct fixture f;
		start(&f);
		if (n % 2 == 0) { /* every other time the store is there already */
			assert_int_equal(open_store(&f, 0), ERR_OK);
			append(&f, 3);
			store_close(f.store);
			f.store = NULL;
		}
		faulty_disk_arm(n / 2);
		if (open_store(&f, 0) != ERR_OK)
			assert_true(why.text[0] != '\0');
		was_hit = faulty_disk_well();
		store_close(f.store);
		f.store = NULL;
		test_clock_advance(&f.clock, 20000); /* a lease that could not be given back has run out */
		assert_int_equal(open_store(&f, 0), ERR_OK);
		append(&f, 3);
		assert_int_equal(store_flush(f.store, &why), ERR_OK);
		check_all_there(&f);
		finish(&f);
	}
	assert_in_range(n, 20, ROUNDS_MAX - 1);
}

static enum err keep_text(void *ctx, const struct event *e)
{
	snprintf(ctx, 512, "%s", e->text);
	return ERR_OK;
}

static void a_full_disk_is_told_and_waited_for(void **state)
{
	(void)state;
	struct fixture f;
	struct store_health h;
	char log_path[128];
	start(&f);
	snprintf(log_path, sizeof log_path, "%s/log", f.folder);
	assert_int_equal(log_open(log_path, LEVEL_DEBUG, 0, &f.clock.clock, &f.log, &why), ERR_OK);
	assert_int_equal(open_store(&f, 20000), ERR_OK);
	append(&f, 3);
	assert_int_equal(store_flush(f.store, &why), ERR_OK);
	faulty_disk_fill();
	append(&f, 3);
	assert_int_equal(store_flush(f.store, &why), ERR_FULL);
	assert_non_null(strstr(why.text, "no space left"));
	store_health(f.store, &h);
	assert_int_equal(h.err, ERR_FULL);
	assert_int_equal(h.frames_committed, 3);
	double v = f.next;
	while (store_append(f.store, f.target, STREAM_SCRAPE, f.next, f.layout, &v, &why) == ERR_OK)
		v = ++f.next;
	assert_non_null(strstr(why.text, "does not take what comes"));
	store_health(f.store, &h);
	assert_int_equal(h.frames_dropped, 1);
	assert_true(h.queued_bytes <= 20000);
	/* It goes on by itself. */
	faulty_disk_well();
	struct timespec nap = { 0, 10000000 };
	for (int i = 0; i < 2000 && (h.err != ERR_OK || h.queued_bytes > 0); i++) {
		nanosleep(&nap, NULL);
		store_health(f.store, &h);
	}
	assert_int_equal(h.err, ERR_OK);
	check_all_there(&f);
	char told[512] = "";
	struct reader *r = NULL;
	assert_int_equal(store_flush(f.store, &why), ERR_OK);
	assert_int_equal(reader_open(f.path, READER_OWN, &r, &why), ERR_OK);
	assert_int_equal(reader_events(r, NULL, "recorder", 0, INT64_MAX - 1, 1, keep_text, told, &why), ERR_OK);
	assert_non_null(strstr(told, "the store could not be written for"));
	assert_non_null(strstr(told, "(no space left): 1 frame was lost"));
	reader_close(r);
	static const char *const lines[] = { "info  store: recording began", "warn  store: store '",
	                                     "no space left on the disk; it is tried again",
	                                     "is written again after", "1 frames were lost" };
	char text[4096] = "";
	FILE *file = fopen(log_path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_row(lines[i], strstr(text, lines[i]) != NULL);
	finish(&f);
}

static int register_disk(void **state)
{
	(void)state;
	return faulty_disk_register();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failing_commit_loses_nothing),
		cmocka_unit_test(a_failing_removal_cuts_nothing_in_half),
		cmocka_unit_test(a_failing_removal_takes_no_layout_that_is_used),
		cmocka_unit_test(a_failing_open_leaves_the_store_good),
		cmocka_unit_test(a_full_disk_is_told_and_waited_for),
	};
	return cmocka_run_group_tests_name("faults", tests, register_disk, NULL);
}
