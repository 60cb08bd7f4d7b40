/* SPDX-License-Identifier: Apache-2.0
 *
 * Rollups say what the samples say: a fleet is recorded with series that come, go and fall, odd values, lists that change, targets that fail and clocks
 * that are set back; then windows are read from rollups and put together from samples, and compared. They say the same when the samples went, and when
 * blocks are damaged what can be had is had from samples. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/stale.h"
#include "store/compact.h"
#include "store/export.h"
#include "store/rollup.h"
#include "store/verify.h"
#include "tests/unit/store/rollup_check.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 3, SERIES = 12, MINUTE_MS = 60 * 1000 };
static const int64_t START_MS = INT64_C(1700000000000);

struct fleet {
	struct store_folder  folder;
	struct test_clock    clock;
	struct store        *store;
	uint64_t             random;
	int64_t              targets[TARGETS], step_ms;
	const struct layout *layouts[2];
	double               values[TARGETS][SERIES];
	enum folding         folding;
};

static struct why why;

/* splitmix64, Steele and others 2014 */
static uint64_t roll(struct fleet *f)
{
	uint64_t z = f->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void open_fleet(struct fleet *f)
{
	const struct store_options o = { .path = f->folder.path, .clock = &f->clock.clock, .commit_ms = 10000, .key_distance = 8, .folding = f->folding };
	assert_ok(store_open(&o, &f->store, &why));
	for (int i = 0; i < TARGETS; i++) {
		char node[8];
		snprintf(node, sizeof node, "n%d", i);
		struct labels *l = labels_of("node", node, NULL);
		assert_ok(store_target(f->store, l, "http://x", &f->targets[i], &why));
		labels_unref(l);
	}
	struct labels *series[SERIES];
	for (int i = 0; i < SERIES; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", i);
		series[i] = labels_of("__name__", "m", "i", number, NULL);
	}
	assert_ok(store_layout(f->store, series, SERIES, &f->layouts[0], &why));
	assert_ok(store_layout(f->store, series + 2, SERIES - 4, &f->layouts[1], &why));
	for (size_t i = 0; i < SERIES; i++)
		labels_unref(series[i]);
}

static void begin(struct fleet *f, int64_t step_ms)
{
	*f = (struct fleet){ .random = 11, .step_ms = step_ms, .folding = FOLD_AT_ONCE };
	store_folder_make(&f->folder, "rollup");
	test_clock_init(&f->clock, START_MS);
	open_fleet(f);
}

static void end(struct fleet *f)
{
	store_close(f->store);
	store_folder_remove(&f->folder);
}

/* Counters that fall now and then, gauges, what never changes, what is mostly away, and odd ones. */
static void move_values(struct fleet *f, double *v)
{
	for (int i = 0; i < SERIES; i++) {
		uint64_t r = roll(f);
		v[i] = is_stale(v[i]) ? 0 : v[i];
		switch (i % 6) {
		case 0: v[i] = r % 300 == 0 ? 0 : v[i] + (double)(r % 9); break;
		case 1: v[i] = r % 200 == 0 ? 1.0 / 3 : v[i] + (double)(r >> 20) / 1e13; break;
		case 2: v[i] = (double)((int)(r % 2000) - 1000) / 1000; break;
		case 3: v[i] = 42; break;
		case 4: v[i] = r % 5 == 0 ? (double)(r % 100) : stale_mark(); break;
		default: v[i] = r % 60 == 0 ? (double)NAN : r % 97 == 0 ? (double)INFINITY : (double)(r % 7) / 10 + 1e6;
		}
	}
}

static void record(struct fleet *f, int rounds)
{
	for (int round = 0; round < rounds; round++) {
		test_clock_advance(&f->clock, f->step_ms);
		for (int t = 0; t < TARGETS; t++) {
			uint64_t r = roll(f);
			int64_t at_ms = f->clock.now_wall_ms + (int64_t)(r % 500);
			move_values(f, f->values[t]);
			if (r % 41 == 0)
				assert_ok(store_append_stale(f->store, f->targets[t], STREAM_SCRAPE, at_ms, &why));
			else if (r % 13 != 0)
				assert_ok(store_append(f->store, f->targets[t], STREAM_SCRAPE, at_ms, f->layouts[round / 400 % 2], f->values[t] + round / 400 % 2 * 2, &why));
		}
		assert_ok(store_flush(f->store, &why));
	}
}

static int64_t whole(int64_t at_ms, int level) { return at_ms / rollup_widths_ms[level] * rollup_widths_ms[level]; }

/* Both ways, over several times. */
static void check(struct fleet *f, const char *label, struct rollup_tally *tally)
{
	struct reader *r = NULL;
	struct matcher m;
	bool is_used = false;
	assert_ok(reader_open(f->folder.path, READER_OWN, &r, &why));
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "m", &why));
	int64_t now_ms = f->clock.now_wall_ms, first_ms = START_MS - 2 * 3600 * 1000;
	for (int level = 0; level < ROLLUP_LEVELS; level++) {
		const int64_t w = rollup_widths_ms[level], windows[][2] = {
			{ whole(first_ms, level), whole(now_ms, level) + w }, { whole(first_ms, level), whole((START_MS + now_ms) / 2, level) },
			{ whole((START_MS + now_ms) / 2, level), whole(now_ms, level) }, { whole(now_ms, level) - w, whole(now_ms, level) },
		};
		for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
			struct rollup_set got = { 0 }, want = { 0 };
			rollups_read(r, &m, level, windows[i][0], windows[i][1], &got);
			rollups_of_samples(r, &m, level, windows[i][0], windows[i][1], &want);
			rollups_compare(label, &got, &want, tally);
			is_used |= got.is_used;
			rollup_set_release(&got);
			rollup_set_release(&want);
		}
	}
	matcher_release(&m);
	reader_close(r);
	assert_true(is_used);
}

/* ---- */

static void rollups_say_what_the_samples_say(void **state)
{
	(void)state;
	static const int64_t steps_ms[] = { 10000, 45000, 400000 };
	for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++) {
		struct fleet f;
		struct rollup_tally tally = { 0, 0 };
		begin(&f, steps_ms[i]);
		record(&f, 1500);
		check(&f, "recorded", &tally);
		assert_in_range(tally.windows, 1000, 1000000);
		assert_true(tally.kept > tally.windows / 3 && tally.kept < tally.windows);
		assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE level = 0 AND layout > 0"), 8, 1000);
		assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE layout < 0"), 0);
		store_close(f.store);
		open_fleet(&f);
		record(&f, 50);
		check(&f, "after another start", &tally);
		end(&f);
	}
}

static void rollups_of_rollups_say_the_same(void **state)
{
	(void)state;
	struct fleet f;
	struct rollup_tally tally = { 0, 0 };
	begin(&f, MINUTE_MS);
	for (int i = 0; i < 12; i++)
		record(&f, 400); /* the same list all the time */
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE level = 1 AND layout > 0"), 3, 100);
	check(&f, "by the hour", &tally);
	end(&f);
}

/* What was set aside is in no rollup, whether it was there already or comes to be made later. */
static void a_clock_set_back_takes_rollups_back(void **state)
{
	(void)state;
	struct fleet f;
	struct rollup_tally tally = { 0, 0 };
	begin(&f, 20000);
	record(&f, 800);
	f.clock.now_wall_ms -= 300 * f.step_ms;
	record(&f, 3);
	check(&f, "set back far", &tally);
	record(&f, 397);
	check(&f, "and gone on", &tally);
	f.clock.now_wall_ms -= 5 * f.step_ms;
	record(&f, 600);
	check(&f, "set back by little", &tally);
	end(&f);
}

static void they_stay_when_the_samples_go(void **state)
{
	(void)state;
	struct fleet f;
	struct reader *r = NULL;
	struct matcher m;
	struct rollup_set before = { 0 }, after = { 0 };
	struct rollup_tally tally = { 0, 0 };
	struct compact_result result;
	begin(&f, 15000);
	record(&f, 1600);
	int64_t from = whole(START_MS, 0), until = whole(f.clock.now_wall_ms, 0);
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "m", &why));
	assert_ok(reader_open(f.folder.path, READER_OWN, &r, &why));
	rollups_read(r, &m, 0, from, until, &before);
	reader_close(r);
	store_close(f.store);
	int64_t blocks = test_sql_number(f.folder.path, "SELECT count(*) FROM block");
	const struct store_keep keep = { .samples_ms = 3600 * 1000, .rollups_ms = INT64_C(400) * 24 * 3600 * 1000 };
	assert_ok(store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why));
	assert_true(test_sql_number(f.folder.path, "SELECT count(*) FROM block") < blocks / 3);
	/* Layouts that only they have stay with them. */
	assert_true(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE layout > 0 AND layout NOT IN (SELECT layout FROM block)"
	                                     " AND layout NOT IN (SELECT layout FROM frame WHERE layout IS NOT NULL)") > 0);
	assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE layout > 0 AND layout NOT IN (SELECT id FROM layout)"), 0);
	assert_ok(reader_open(f.folder.path, READER_STRANGER, &r, &why));
	rollups_read(r, &m, 0, from, until, &after);
	rollups_compare("without samples", &after, &before, &tally);
	assert_in_range(tally.windows, 1000, 1000000);
	rollup_set_release(&after);
	reader_close(r);
	/* And go themselves, when they are old enough: those of hours last. */
	test_clock_advance(&f.clock, INT64_C(99) * 24 * 3600 * 1000);
	assert_ok(store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why));
	int64_t hours = test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE level = 1");
	assert_true(hours > 0 && test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE level = 0") > hours);
	test_clock_advance(&f.clock, INT64_C(2) * 24 * 3600 * 1000);
	assert_ok(store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why));
	assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE level = 0"), 0);
	assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE level = 1"), hours);
	test_clock_advance(&f.clock, INT64_C(300) * 24 * 3600 * 1000);
	assert_ok(store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why));
	assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup"), 0);
	rollup_set_release(&before);
	matcher_release(&m);
	f.store = NULL;
	open_fleet(&f);
	end(&f);
}

/* ---- bundles ---- */

static void no_problem(void *ctx, const char *text)
{
	(void)ctx;
	fail_msg("%s", text);
}

static void check_whole(const char *path)
{
	struct reader *r = NULL;
	struct verify_counts counts;
	const struct verify_options o = { .is_deep = true, .problem = no_problem };
	assert_ok(reader_open(path, READER_STRANGER, &r, &why));
	assert_ok(store_verify(r, &o, &counts, &why));
	reader_close(r);
}

/* Of whole windows in the range a bundle says what the store says, or more, where it has it from samples. */
static void compare_bundle(const char *label, const char *store, const char *bundle, int64_t from_ms, int64_t until_ms, struct rollup_tally *tally)
{
	struct reader *a = NULL, *b = NULL;
	struct matcher m;
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "m", &why));
	assert_ok(reader_open(store, READER_OWN, &a, &why));
	assert_ok(reader_open(bundle, READER_STRANGER, &b, &why));
	for (int level = 0; level < ROLLUP_LEVELS; level++) {
		struct rollup_set want = { 0 }, got = { 0 };
		int64_t from = whole(from_ms + rollup_widths_ms[level] - 1, level), until = whole(until_ms, level);
		rollups_read(a, &m, level, from, until, &got);
		rollups_read(b, &m, level, from, until, &want);
		rollups_compare(label, &got, &want, tally);
		rollup_set_release(&want);
		rollup_set_release(&got);
	}
	matcher_release(&m);
	reader_close(a);
	reader_close(b);
}

static void bundles_have_them_where_samples_went(void **state)
{
	(void)state;
	enum { HOUR_MS = 60 * MINUTE_MS };
	static const struct {
		const char *label;
		int64_t     from_ms, until_ms; /* behind the start; the store has some 20 hours, samples of the last two */
		bool        has_rows;
	} rows[] = {
		{ "all of it", 0, 21 * HOUR_MS, true },
		{ "samples gone", 5 * HOUR_MS, 9 * HOUR_MS, true },
		{ "odd ends", 5 * HOUR_MS + 7 * MINUTE_MS + 13, 13 * HOUR_MS + 22 * MINUTE_MS + 1, true },
		{ "one window", 6 * HOUR_MS, 7 * HOUR_MS, true },
		{ "less than one", 6 * HOUR_MS + 1, 6 * HOUR_MS + MINUTE_MS, true },
		{ "some gone", 12 * HOUR_MS, 21 * HOUR_MS, true },
		{ "samples there", 19 * HOUR_MS + 30 * MINUTE_MS, 21 * HOUR_MS, false },
	};
	struct fleet f;
	struct compact_result result;
	char path[128];
	begin(&f, 15000);
	record(&f, 4800);
	store_close(f.store);
	const struct store_keep keep = { .samples_ms = 2 * HOUR_MS, .rollups_ms = INT64_C(400) * 24 * HOUR_MS };
	assert_ok(store_compact(f.folder.path, &keep, &f.clock.clock, &result, &why));
	snprintf(path, sizeof path, "%s/bundle", f.folder.folder);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rollup_tally tally = { 0, 0 };
		int64_t from_ms = START_MS + rows[i].from_ms, until_ms = START_MS + rows[i].until_ms;
		assert_ok(store_export(f.folder.path, path, from_ms, until_ms, &why));
		assert_row(rows[i].label, (test_sql_number(path, "SELECT count(*) FROM rollup") > 0) == rows[i].has_rows);
		check_whole(path);
		compare_bundle(rows[i].label, f.folder.path, path, from_ms, until_ms, &tally);
		assert_row(rows[i].label, (tally.windows > 0) == (until_ms - from_ms >= HOUR_MS));
		assert_ok(store_compact(path, &(struct store_keep){ 0 }, &f.clock.clock, &result, &why));
		compare_bundle(rows[i].label, f.folder.path, path, from_ms, until_ms, &tally);
		unlink(path);
	}
	/* Nothing but rollups is left of some: where it begins and ends is known all the same. */
	struct reader *r = NULL;
	int64_t first_ms = 0, last_ms = 0;
	assert_ok(store_export(f.folder.path, path, START_MS + 5 * HOUR_MS, START_MS + 9 * HOUR_MS, &why));
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM frame"), 0);
	assert_ok(reader_open(path, READER_STRANGER, &r, &why));
	assert_ok(reader_bounds(r, &first_ms, &last_ms, &why));
	assert_true(first_ms > START_MS + 4 * HOUR_MS && first_ms <= START_MS + 5 * HOUR_MS && last_ms > START_MS + 8 * HOUR_MS && last_ms <= START_MS + 9 * HOUR_MS);
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM rollup WHERE layout > 0 AND layout NOT IN (SELECT layout FROM layout_use)"), 0);
	reader_close(r);
	unlink(path);
	f.store = NULL;
	end(&f);
}

/* A store of an older version has blocks and no rollups: they are made as it goes on, or at once. */
static void they_are_made_of_old_blocks(void **state)
{
	(void)state;
	struct fleet f;
	struct rollup_tally tally = { 0, 0 };
	struct compact_result result;
	begin(&f, 30000);
	record(&f, 900);
	store_close(f.store);
	test_sql(f.folder.path, "DELETE FROM rollup");
	assert_ok(store_compact(f.folder.path, &(struct store_keep){ 0 }, &f.clock.clock, &result, &why));
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup"), 6, 100);
	open_fleet(&f);
	check(&f, "made at once", &tally);
	store_close(f.store);
	test_sql(f.folder.path, "DELETE FROM rollup");
	open_fleet(&f);
	record(&f, 200);
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup"), 6, 100);
	check(&f, "made on the way", &tally);
	end(&f);
}

/* Blocks that cannot be read are passed by, and keep nothing else from being made. */
static void damaged_blocks_are_passed_by(void **state)
{
	(void)state;
	struct fleet f;
	struct compact_result result;
	begin(&f, 30000);
	record(&f, 900);
	store_close(f.store);
	int64_t rows = test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE layout > 0");
	test_sql(f.folder.path, "DELETE FROM rollup");
	test_sql(f.folder.path, "UPDATE block SET body = zeroblob(length(body)) WHERE id = (SELECT id FROM block WHERE target = 1 ORDER BY id LIMIT 1 OFFSET 20)");
	assert_ok(store_compact(f.folder.path, &(struct store_keep){ 0 }, &f.clock.clock, &result, &why));
	assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE layout = -1 AND level = 0"), 1);
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM rollup WHERE layout > 0"), rows, rows + 3);
	open_fleet(&f);
	end(&f);
}

static const struct {
	const char *label, *sql;
} damages[] = {
	{ "no head", "UPDATE rollup SET head = x''" },
	{ "a head of zeros", "UPDATE rollup SET head = zeroblob(length(head))" },
	{ "a short head", "UPDATE rollup SET head = substr(head, 1, length(head) - 1)" },
	{ "no body", "UPDATE rollup SET body = x''" },
	{ "a body of zeros", "UPDATE rollup SET body = zeroblob(length(body))" },
	{ "a short body", "UPDATE rollup SET body = substr(body, 1, length(body) - 1)" },
	{ "a head of another", "UPDATE rollup SET head = (SELECT b.head FROM rollup b WHERE b.id <> rollup.id LIMIT 1)" },
	{ "another place", "UPDATE rollup SET first_frame = first_frame - 1" },
	{ "an unknown layout", "UPDATE rollup SET layout = 999" },
	{ "another layout", "UPDATE rollup SET layout = 3 - layout" },
	{ "another level", "UPDATE rollup SET level = 1 - level" },
};

static void damaged_rollups_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		struct fleet f;
		struct matcher m;
		struct rollup_set set = { 0 };
		begin(&f, 30000);
		record(&f, 600);
		store_close(f.store);
		test_sql(f.folder.path, damages[i].sql);
		assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "m", &why));
		for (int trust = READER_OWN; trust <= READER_STRANGER; trust++) {
			struct reader *r = NULL;
			assert_ok(reader_open(f.folder.path, (enum reader_trust)trust, &r, &why));
			enum err e = reader_rollups(r, ROLLUP_LEVELS - 1, ROLLUP_ALL, &m, 1, whole(START_MS, 1), whole(f.clock.now_wall_ms, 1), 1000000, &set, &why);
			if (e != ERR_CORRUPT)
				fail_msg("%s: %s", damages[i].label, err_text(e));
			reader_close(r);
		}
		matcher_release(&m);
		open_fleet(&f);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollups_say_what_the_samples_say),
		cmocka_unit_test(rollups_of_rollups_say_the_same),
		cmocka_unit_test(a_clock_set_back_takes_rollups_back),
		cmocka_unit_test(they_stay_when_the_samples_go),
		cmocka_unit_test(bundles_have_them_where_samples_went),
		cmocka_unit_test(they_are_made_of_old_blocks),
		cmocka_unit_test(damaged_blocks_are_passed_by),
		cmocka_unit_test(damaged_rollups_are_told),
	};
	return cmocka_run_group_tests_name("rollup", tests, NULL, NULL);
}
