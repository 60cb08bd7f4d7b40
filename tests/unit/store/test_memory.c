/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory runs out: allocation n fails, for n = 0, 1, 2, ... and then in strides, until none is left to fail, ours (the linker wraps them)
 * and SQLite's. Each call says so or succeeds; nothing leaks (the sanitizer looks), and what was committed is there. */
#include "tests/unit/unit.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/compact.h"
#include "store/retain.h"
#include "tests/unit/store/rollup_check.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store_folder.h"

enum { START_MS = 1000000, ROUNDS_MAX = 200000, EACH = 50 /* the first so many allocations fail one by one */, STRIDES = 120 /* the others in as many */ };

static struct {
	atomic_int         left;   /* allocations until one fails; negative: none will */
	atomic_int         failed;
	sqlite3_mem_methods real;
} faults = { .left = -1 };

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

static bool hit(void)
{
	if (atomic_load(&faults.left) < 0 || atomic_fetch_sub(&faults.left, 1) != 0)
		return false;
	atomic_fetch_add(&faults.failed, 1);
	return true;
}

void *__wrap_malloc(size_t n) { return hit() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return hit() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return hit() ? NULL : __real_realloc(p, n); }
char *__wrap_strdup(const char *s) { return hit() ? NULL : __real_strdup(s); }

static void *sqlite_malloc(int n) { return hit() ? NULL : faults.real.xMalloc(n); }
static void *sqlite_realloc(void *p, int n) { return hit() ? NULL : faults.real.xRealloc(p, n); }

static int wrap_sqlite(void **state)
{
	(void)state;
	sqlite3_shutdown();
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &faults.real) != SQLITE_OK)
		return -1;
	sqlite3_mem_methods ours = faults.real;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK && sqlite3_initialize() == SQLITE_OK ? 0 : -1;
}

static void arm(int n)
{
	atomic_store(&faults.failed, 0);
	atomic_store(&faults.left, n);
}

/* How far it is from failure n to the next: a hundred-odd rounds, however many allocations there are. */
static int stride(int n, int allocations) { return n < EACH ? 1 : allocations / STRIDES + 1; }

/* Whether one had failed. */
static bool disarm(void)
{
	atomic_store(&faults.left, -1);
	return atomic_load(&faults.failed) > 0;
}

/* ---- */

static struct {
	char              folder[64], path[96];
	struct test_clock clock;
	struct labels    *target, *series[2];
} f;
static struct why why;

static int setup(void **state)
{
	(void)state;
	snprintf(f.folder, sizeof f.folder, "/tmp/pitwall-memory-XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	snprintf(f.path, sizeof f.path, "%s/x.db", f.folder);
	test_clock_init(&f.clock, START_MS);
	f.target = labels_of("instance", "a", NULL);
	f.series[0] = labels_of("__name__", "m", NULL);
	f.series[1] = labels_of("__name__", "n", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s%s", f.path, suffixes[i]);
		unlink(path);
	}
	labels_unref(f.target);
	labels_unref(f.series[0]);
	labels_unref(f.series[1]);
	return rmdir(f.folder);
}

/* Opens, puts a frame of each stream and an event, closes. */
static enum err record(int64_t at_ms)
{
	struct store *s = NULL;
	int64_t id;
	const struct layout *l;
	struct store_options o = { .path = f.path, .clock = &f.clock.clock, .commit_ms = 10000 };
	enum err e = store_open(&o, &s, &why);
	if (e == ERR_OK)
		e = store_target(s, f.target, "u", &id, &why);
	if (e == ERR_OK)
		e = store_layout(s, f.series, 2, &l, &why);
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++)
		e = store_append(s, id, (enum stream)stream, at_ms, l, (double[]){ (double)at_ms, 1 }, &why);
	if (e == ERR_OK)
		e = store_append_event(s, &(struct event){ .wall_ms = at_ms, .kind = "note", .text = "x" }, &why);
	if (e == ERR_OK)
		e = store_flush(s, &why);
	store_close(s);
	return e;
}

struct counts {
	size_t samples, frames, events, targets;
};

static enum err see_frame(void *ctx, const struct frame *frame)
{
	struct counts *c = ctx;
	c->frames += frame->values[0] == (double)frame->wall_ms;
	return ERR_OK;
}
static enum err see_event(void *ctx, const struct event *e)
{
	struct counts *c = ctx;
	c->events += strcmp(e->kind, "note") == 0;
	return ERR_OK;
}
static enum err see_target(void *ctx, const struct target_info *t)
{
	struct counts *c = ctx;
	c->targets += t->id == 1;
	return ERR_OK;
}

static enum err read_all(enum reader_trust trust, struct counts *out)
{
	struct reader *r = NULL;
	struct series_set set = { 0 };
	struct counts c = { 0 };
	int64_t first, last;
	enum err e = reader_open(f.path, trust, &r, &why);
	if (e == ERR_OK)
		e = reader_bounds(r, &first, &last, &why);
	if (e == ERR_OK)
		e = reader_select(r, NULL, 0, 0, START_MS - 1, 1000000, &set, &why);
	for (size_t i = 0; i < set.n; i++)
		c.samples += set.items[i].n;
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SCRAPE, 0, 0, START_MS - 1, false, see_frame, &c, &why);
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SIGNAL, 1, 0, START_MS - 1, true, see_frame, &c, &why);
	if (e == ERR_OK)
		e = reader_events(r, NULL, NULL, 0, START_MS - 1, 100000, see_event, &c, &why);
	if (e == ERR_OK)
		e = reader_targets(r, START_MS, see_target, &c, &why);
	series_set_release(&set);
	reader_close(r);
	if (e == ERR_OK)
		*out = c;
	return e;
}

static void readers_survive(void **state)
{
	(void)state;
	struct counts want, got;
	for (int i = 1; i <= 100; i++)
		assert_int_equal(record(i), ERR_OK);
	for (int trust = READER_OWN; trust <= READER_STRANGER; trust++) {
		arm(INT_MAX);
		assert_int_equal(read_all((enum reader_trust)trust, &want), ERR_OK);
		int allocations = INT_MAX - atomic_load(&faults.left);
		disarm();
		assert_true(want.samples == 200 && want.frames == 101 && want.events == 100);
		int n = 0;
		for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n += stride(n, allocations)) {
			why.text[0] = '\0';
			arm(n);
			enum err e = read_all((enum reader_trust)trust, &got);
			was_hit = disarm();
			if (e != ERR_OK && why.text[0] == '\0')
				fail_msg("allocation %d: %s without a sentence", n, err_text(e));
			if (e == ERR_OK && memcmp(&got, &want, sizeof got) != 0)
				fail_msg("allocation %d: something was left out", n);
			assert_true(e == ERR_OK || was_hit);
		}
		assert_in_range(n, 100, ROUNDS_MAX - 1);
	}
}

static void recorders_survive(void **state)
{
	(void)state;
	int n = 0;
	struct counts got = { 0 };
	arm(INT_MAX);
	assert_int_equal(record(1), ERR_OK);
	int allocations = INT_MAX - atomic_load(&faults.left);
	disarm();
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n += stride(n, allocations)) {
		why.text[0] = '\0';
		arm(n);
		enum err e = record(2 * n + 2);
		was_hit = disarm();
		if (e != ERR_OK && why.text[0] == '\0')
			fail_msg("allocation %d: %s without a sentence", n, err_text(e));
		assert_true(e == ERR_OK || was_hit);
		test_clock_advance(&f.clock, 20000); /* a lease that could not be given back has run out */
		if (record(2 * n + 3) != ERR_OK)
			fail_msg("after allocation %d: %s", n, why.text);
		size_t before = got.events;
		assert_int_equal(read_all(READER_OWN, &got), ERR_OK);
		assert_true(got.events > before);
	}
	assert_in_range(n, 50, ROUNDS_MAX - 1);
}

/* ---- rollups ---- */

static enum err sum_rollups(const char *path, double *samples, bool *is_used)
{
	struct reader *r = NULL;
	struct rollup_set set = { 0 };
	enum err e = reader_open(path, READER_OWN, &r, &why);
	if (e == ERR_OK)
		e = reader_rollups(r, 1, ROLLUP_ALL, NULL, 0, 0, 3600 * 1000, 1000, &set, &why);
	*samples = 0;
	for (size_t i = 0; i < set.n; i++)
		for (size_t k = 0; k < set.items[i].n; k++)
			*samples += set.items[i].cells[k].count;
	*is_used = set.is_used;
	rollup_set_release(&set);
	reader_close(r);
	return e;
}

static void rollups_survive(void **state)
{
	(void)state;
	enum { FRAMES = 120 };
	char path[128];
	struct store *s = NULL;
	const struct layout *l;
	int64_t id;
	snprintf(path, sizeof path, "%s/y.db", f.folder);
	const struct store_options o = { .path = path, .clock = &f.clock.clock, .commit_ms = 10000, .key_distance = 2, .folding = FOLD_AT_ONCE };
	const struct store_keep keep = { 0 };
	struct compact_result result;
	double samples;
	bool is_used;
	assert_int_equal(store_open(&o, &s, &why), ERR_OK);
	assert_int_equal(store_target(s, f.target, "u", &id, &why), ERR_OK);
	assert_int_equal(store_layout(s, f.series, 2, &l, &why), ERR_OK);
	for (int i = 1; i <= FRAMES; i++)
		assert_int_equal(store_append(s, id, STREAM_SCRAPE, i * 10000, l, (double[]){ i, 7 }, &why), ERR_OK);
	store_close(s);
	int n = 0;
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n += stride(n, 4000)) {
		test_sql(path, "DELETE FROM rollup");
		arm(n);
		enum err e = store_compact(path, &keep, &f.clock.clock, &result, &why);
		was_hit = disarm();
		assert_true(was_hit || e == ERR_OK);
		test_clock_advance(&f.clock, 60 * 1000); /* a lease that could not be given back runs out */
		assert_int_equal(store_compact(path, &keep, &f.clock.clock, &result, &why), ERR_OK);
		assert_int_equal(sum_rollups(path, &samples, &is_used), ERR_OK);
		assert_true(samples == 2 * FRAMES && is_used);
	}
	assert_in_range(n, EACH, ROUNDS_MAX - 1);
	n = 0;
	for (bool was_hit = true; was_hit && n < ROUNDS_MAX; n += stride(n, 2000)) {
		arm(n);
		enum err e = sum_rollups(path, &samples, &is_used);
		was_hit = disarm();
		assert_true(e == ERR_OK ? samples == 2 * FRAMES : was_hit);
	}
	assert_in_range(n, EACH, ROUNDS_MAX - 1);
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < 3; i++) {
		char side[160];
		snprintf(side, sizeof side, "%s%s", path, suffixes[i]);
		unlink(side);
	}
}

/* ---- what the writer does in a transaction, one allocation after the other ---- */

struct keeper {
	struct db           db;
	struct ledger       ledger;
	struct retain       retain;
	struct rollup_maker rollups;
};

static void keeper_open(struct keeper *k, const char *path)
{
	*k = (struct keeper){ 0 };
	rollup_maker_init(&k->rollups, &k->db);
	assert_int_equal(db_open(&k->db, path, DB_WRITE, &why), ERR_OK);
	assert_int_equal(ledger_init(&k->ledger, &k->db, &why), ERR_OK);
	retain_init(&k->retain, &k->ledger);
	k->retain.keep = (struct store_keep){ .samples_ms = 20000, .rollups_ms = 20000 };
	k->retain.rollups = &k->rollups;
}

static void keeper_close(struct keeper *k)
{
	retain_release(&k->retain);
	rollup_maker_release(&k->rollups);
	ledger_release(&k->ledger);
	db_close(&k->db);
}

static enum err remove_old(void *ctx, struct why *w)
{
	struct keeper *k = ctx;
	bool more = true;
	enum err e = ERR_OK;
	while (more && e == ERR_OK)
		e = retain_slice(&k->retain, f.clock.now_wall_ms, &more, w);
	return e;
}

static enum err make_rollups(void *ctx, struct why *w)
{
	bool did;
	return rollup_make(&((struct keeper *)ctx)->rollups, 1, STREAM_SCRAPE, false, &did, w);
}

static enum err keeper_run(struct keeper *k, enum err (*body)(void *ctx, struct why *w))
{
	enum err e = db_transact(&k->db, true, body, k, &why);
	ledger_settle(&k->ledger, e == ERR_OK);
	if (e != ERR_OK)
		retain_undo(&k->retain);
	return e;
}

/* Of each of some layouts so many frames, a second apart; the store is y.db. */
static void record_layouts(const char *path, int layouts, int frames)
{
	struct store *s = NULL;
	int64_t id;
	const struct store_options o = { .path = path, .clock = &f.clock.clock, .commit_ms = 10000, .key_distance = 2, .folding = FOLD_AT_ONCE };
	assert_int_equal(store_open(&o, &s, &why), ERR_OK);
	assert_int_equal(store_target(s, f.target, "u", &id, &why), ERR_OK);
	for (int i = 0; i < layouts; i++) {
		char name[16];
		const struct layout *l;
		snprintf(name, sizeof name, "m%d", i);
		struct labels *series[] = { labels_of("__name__", name, NULL), labels_of("__name__", "n", "of", name, NULL) };
		assert_int_equal(store_layout(s, series, 2, &l, &why), ERR_OK);
		for (int k = 0; k < frames; k++) {
			test_clock_advance(&f.clock, 1000);
			assert_int_equal(store_append(s, id, STREAM_SCRAPE, f.clock.now_wall_ms, l, (double[]){ k % 7, k / 3.0 }, &why), ERR_OK);
		}
		assert_int_equal(store_flush(s, &why), ERR_OK);
		labels_unref(series[0]);
		labels_unref(series[1]);
	}
	store_close(s);
}

/* On a new copy of `from`: allocation n fails, and then the same objects do it with memory enough. How many allocations there were, or up to the one that failed. */
static int fail_one(const char *from, const char *to, int n, enum err (*body)(void *ctx, struct why *w), void (*check)(const char *path), bool *was_hit)
{
	struct keeper k;
	store_file_copy(from, to);
	keeper_open(&k, to);
	why.text[0] = '\0';
	arm(n);
	enum err e = keeper_run(&k, body);
	int allocations = n - atomic_load(&faults.left);
	*was_hit = disarm();
	if (e != ERR_OK && (why.text[0] == '\0' || !*was_hit))
		fail_msg("allocation %d: %s: '%s'", n, err_text(e), why.text);
	if (e != ERR_OK && keeper_run(&k, body) != ERR_OK)
		fail_msg("after allocation %d: %s", n, why.text);
	keeper_close(&k);
	check(to);
	return allocations;
}

static void fail_some(const char *from, const char *to, enum err (*body)(void *ctx, struct why *w), void (*check)(const char *path))
{
	bool was_hit = true;
	int allocations = fail_one(from, to, INT_MAX, body, check, &was_hit), n = 0;
	for (was_hit = true; was_hit && n < ROUNDS_MAX; n += stride(n, allocations))
		fail_one(from, to, n, body, check, &was_hit);
	assert_in_range(n, EACH, ROUNDS_MAX - 1);
}

static void check_layouts(const char *path)
{
	static const char used[] = "SELECT layout FROM frame WHERE layout IS NOT NULL UNION SELECT layout FROM block UNION SELECT layout FROM rollup";
	char sql[512];
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM frame") > 0, true);
	assert_in_range(test_sql_number(path, "SELECT count(*) FROM layout"), 1, 4); /* of ten */
	snprintf(sql, sizeof sql, "SELECT count(*) FROM (%s) u WHERE u.layout > 0 AND u.layout NOT IN (SELECT id FROM layout)", used);
	assert_int_equal(test_sql_number(path, sql), 0);
	snprintf(sql, sizeof sql, "SELECT count(*) FROM layout l WHERE l.id NOT IN (%s) AND l.id < (SELECT max(id) FROM layout)", used);
	assert_int_equal(test_sql_number(path, sql), 0);
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM layout l WHERE (SELECT count(*) FROM layout_metric m WHERE m.layout = l.id) <> 2"), 0);
}

static void check_rows(const char *path)
{
	double samples;
	bool is_used;
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM rollup WHERE level = 0 AND layout > 0"), 16);
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM rollup WHERE level = 1 AND layout > 0"), 1);
	assert_int_equal(test_sql_number(path, "SELECT count(*) FROM rollup WHERE layout <= 0"), 0);
	assert_int_equal(sum_rollups(path, &samples, &is_used), ERR_OK);
	assert_true(is_used && samples == 2.0 * (double)(f.clock.now_wall_ms - START_MS) / 1000);
}

static void keepers_survive(void **state)
{
	(void)state;
	struct store_folder folder;
	char from[128];
	store_folder_make(&folder, "keeper");
	snprintf(from, sizeof from, "%s/from", folder.folder);
	record_layouts(from, 10, 30);
	fail_some(from, folder.path, remove_old, check_layouts);
	unlink(from);
	store_folder_remove(&folder);
	/* All rows of five minutes but the last of those that one of an hour takes. */
	test_clock_init(&f.clock, START_MS);
	store_folder_make(&folder, "keeper");
	snprintf(from, sizeof from, "%s/from", folder.folder);
	record_layouts(from, 1, 1040);
	assert_true(test_sql_number(from, "SELECT count(*) FROM rollup WHERE level = 1") > 0);
	test_sql(from, "DELETE FROM rollup WHERE level = 1");
	test_sql(from, "DELETE FROM rollup WHERE first_frame >= (SELECT first_frame FROM rollup ORDER BY first_frame LIMIT 1 OFFSET 15)");
	fail_some(from, folder.path, make_rollups, check_rows);
	unlink(from);
	store_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readers_survive, setup, teardown),
		cmocka_unit_test_setup_teardown(recorders_survive, setup, teardown),
		cmocka_unit_test_setup_teardown(rollups_survive, setup, teardown),
		cmocka_unit_test_setup_teardown(keepers_survive, setup, teardown),
	};
	return cmocka_run_group_tests_name("memory", tests, wrap_sqlite, NULL);
}
