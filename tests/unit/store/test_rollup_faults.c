/* SPDX-License-Identifier: Apache-2.0
 *
 * The disk refuses while rollups are made: of a store whose next block completes a row of five minutes and with it one of an hour, operation n of the commit
 * that makes them fails, for n = 0, 1, 2 ... until none is left to fail; and a disk that is full then. Afterwards every frame is there, each block is in one
 * row, and what rows say is what the samples say. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <unistd.h>

#include "base/stale.h"
#include "store/compact.h"
#include "tests/unit/store/faulty_disk.h"
#include "tests/unit/store/rollup_check.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store_folder.h"

enum { SERIES = 3, STEP_MS = 30000, KEY_DISTANCE = 2, ROUNDS_MAX = 3000, MORE = 12 /* frames, of which some become a block */ };
static const int64_t START_MS = INT64_C(1700000000000);

struct fixture {
	struct store_folder  folder;
	char                 template[128]; /* the store as it is before each round */
	struct test_clock    clock;
	struct store        *store;
	int64_t              target;
	const struct layout *layout;
	int                  n, n_template; /* frames 0 .. n - 1 were taken */
};

static struct why why;

/* A counter that falls, a value with a fraction, and one that is away now and then. */
static double value_of(int frame, int series)
{
	switch (series) {
	case 0: return frame % 37 * 3;
	case 1: return (double)frame / 7;
	default: return frame % 5 == 0 ? stale_mark() : frame % 11;
	}
}

static void open_store(struct fixture *f)
{
	const struct store_options o = {
		.path = f->folder.path, .clock = &f->clock.clock, .commit_ms = 10000, .key_distance = KEY_DISTANCE, .folding = FOLD_AT_ONCE,
	};
	struct labels *l = labels_of("instance", "a", NULL), *series[SERIES];
	assert_ok(store_open(&o, &f->store, &why));
	assert_ok(store_target(f->store, l, "u", &f->target, &why));
	for (int i = 0; i < SERIES; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", i);
		series[i] = labels_of("__name__", "m", "i", number, NULL);
	}
	assert_ok(store_layout(f->store, series, SERIES, &f->layout, &why));
	for (int i = 0; i < SERIES; i++)
		labels_unref(series[i]);
	labels_unref(l);
}

static void close_store(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static void append(struct fixture *f, int n)
{
	for (; n > 0; n--, f->n++) {
		double v[SERIES];
		for (int i = 0; i < SERIES; i++)
			v[i] = value_of(f->n, i);
		test_clock_advance(&f->clock, STEP_MS);
		assert_ok(store_append(f->store, f->target, STREAM_SCRAPE, f->clock.now_wall_ms, f->layout, v, &why));
	}
}

/* The newest row of five minutes and the only one of an hour are missing: the next block makes both. */
static void begin(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	store_folder_make(&f->folder, "rollup-fault");
	snprintf(f->template, sizeof f->template, "%s/template", f->folder.folder);
	test_clock_init(&f->clock, START_MS);
	open_store(f);
	for (int64_t hours = 0; hours == 0;) {
		append(f, 40);
		assert_ok(store_flush(f->store, &why));
		hours = test_sql_number(f->folder.path, "SELECT count(*) FROM rollup WHERE level = 1");
	}
	close_store(f);
	test_sql(f->folder.path, "DELETE FROM rollup WHERE level = 1");
	test_sql(f->folder.path, "DELETE FROM rollup WHERE first_frame >= (SELECT first_frame FROM rollup ORDER BY first_frame LIMIT 1 OFFSET 15)");
	store_file_copy(f->folder.path, f->template);
	f->n_template = f->n;
}

static void begin_round(struct fixture *f)
{
	store_file_copy(f->template, f->folder.path);
	f->n = f->n_template;
	test_clock_init(&f->clock, START_MS + (int64_t)f->n * STEP_MS);
}

static void end(struct fixture *f)
{
	unlink(f->template);
	store_folder_remove(&f->folder);
}

/* ---- what is there ---- */

static enum err in_turn(void *ctx, const struct frame *frame)
{
	int *next = ctx;
	assert_true(frame->n == SERIES && frame->wall_ms == START_MS + (int64_t)(*next + 1) * STEP_MS);
	for (int i = 0; i < SERIES; i++)
		assert_true(f64_bits(frame->values[i]) == f64_bits(value_of(*next, i)));
	++*next;
	return ERR_OK;
}

static void check_frames(const struct fixture *f, struct reader *r)
{
	int next = 0;
	assert_ok(reader_frames(r, STREAM_SCRAPE, f->target, 0, INT64_MAX - 1, false, in_turn, &next, &why));
	assert_int_equal(next, f->n);
}

/* Each block up to the newest row is in one, each row of five minutes up to the newest of an hour likewise; and no row is missing. */
static void check_rows(const struct fixture *f)
{
	static const struct {
		const char *label, *sql;
		int64_t     least, most;
	} rows[] = {
		{ "blocks in no row, or in two", "SELECT count(*) FROM block b WHERE b.id <= (SELECT max(last_frame) FROM rollup WHERE level = 0) AND"
		  " (SELECT count(*) FROM rollup r WHERE r.level = 0 AND r.first_frame <= b.first_frame AND r.last_frame >= b.id) <> 1", 0, 0 },
		{ "rows in no row, or in two", "SELECT count(*) FROM rollup b WHERE b.level = 0 AND b.last_frame <= (SELECT max(last_frame) FROM rollup WHERE"
		  " level = 1) AND (SELECT count(*) FROM rollup r WHERE r.level = 1 AND r.first_frame <= b.first_frame AND r.last_frame >= b.last_frame) <> 1", 0, 0 },
		{ "blocks behind the newest row", "SELECT count(*) FROM block WHERE first_frame > (SELECT max(last_frame) FROM rollup WHERE level = 0)", 0, 15 },
		{ "damaged rows", "SELECT count(*) FROM rollup WHERE layout <= 0", 0, 0 },
		{ "rows of an hour", "SELECT count(*) FROM rollup WHERE level = 1", 1, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t n = test_sql_number(f->folder.path, rows[i].sql);
		if (n < rows[i].least || n > rows[i].most)
			fail_msg("%s: %lld", rows[i].label, (long long)n);
	}
}

static void check_rollups(const struct fixture *f, const char *label, struct reader *r)
{
	struct matcher m;
	struct rollup_tally tally = { 0, 0 };
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "m", &why));
	for (int level = 0; level < ROLLUP_LEVELS; level++) {
		struct rollup_set got = { 0 }, want = { 0 };
		int64_t w = rollup_widths_ms[level], from = START_MS / w * w, until = f->clock.now_wall_ms / w * w + w;
		rollups_read(r, &m, level, from, until, &got);
		rollups_of_samples(r, &m, level, from, until, &want);
		assert_true(got.is_used);
		rollups_compare(label, &got, &want, &tally);
		rollup_set_release(&got);
		rollup_set_release(&want);
	}
	assert_true(tally.windows > 50);
	matcher_release(&m);
}

static void check(const struct fixture *f, const char *label)
{
	struct reader *r = NULL;
	assert_ok(reader_open(f->folder.path, READER_STRANGER, &r, &why));
	check_frames(f, r);
	check_rows(f);
	check_rollups(f, label, r);
	reader_close(r);
}

/* ---- */

static void a_failing_commit_leaves_no_gap(void **state)
{
	(void)state;
	struct fixture f;
	int n = 0;
	begin(&f);
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n++) {
		char label[32];
		snprintf(label, sizeof label, "operation %d", n);
		begin_round(&f);
		open_store(&f);
		faulty_disk_arm(n);
		append(&f, MORE);
		store_flush(f.store, &why);
		was_hit = faulty_disk_well();
		append(&f, MORE);
		if (store_flush(f.store, &why) != ERR_OK)
			fail_msg("%s: %s", label, why.text);
		close_store(&f);
		check(&f, label);
	}
	assert_in_range(n, 20, ROUNDS_MAX - 1);
	end(&f);
}

static void a_failing_compaction_leaves_no_gap(void **state)
{
	(void)state;
	struct fixture f;
	const struct store_keep keep = { 0 };
	struct compact_result result;
	int n = 0, n_failed = 0;
	begin(&f);
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n++) {
		char label[32];
		snprintf(label, sizeof label, "operation %d", n);
		begin_round(&f);
		test_clock_advance(&f.clock, 60 * 1000); /* nobody holds its lease */
		faulty_disk_arm(n);
		n_failed += store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why) != ERR_OK;
		was_hit = faulty_disk_well();
		test_clock_advance(&f.clock, 60 * 1000);
		if (store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why) != ERR_OK)
			fail_msg("%s: %s", label, why.text);
		check(&f, label);
	}
	assert_in_range(n, 20, ROUNDS_MAX - 1);
	assert_in_range(n_failed, 10, n);
	end(&f);
}

static void a_full_disk_leaves_no_gap(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	begin_round(&f);
	open_store(&f);
	faulty_disk_fill();
	append(&f, MORE);
	assert_int_equal(store_flush(f.store, &why), ERR_FULL);
	faulty_disk_well();
	assert_ok(store_flush(f.store, &why));
	close_store(&f);
	check(&f, "after the disk was full");
	end(&f);
}

static int register_disk(void **state)
{
	(void)state;
	return faulty_disk_register();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failing_commit_leaves_no_gap),
		cmocka_unit_test(a_failing_compaction_leaves_no_gap),
		cmocka_unit_test(a_full_disk_leaves_no_gap),
	};
	return cmocka_run_group_tests_name("rollup_faults", tests, register_disk, NULL);
}
