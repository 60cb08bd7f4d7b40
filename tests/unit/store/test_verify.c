/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that was damaged on purpose: a look finds it, says where, and goes on; one that is well is told to be. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/alerts.h"
#include "store/verify.h"
#include "tests/unit/store_folder.h"

enum { FRAMES = 300, SERIES = 20, STEP_MS = 1000 };
static const int64_t T0 = INT64_C(1790000000000);
static struct why why;

static void fill_folded(const char *path, enum folding folding)
{
	struct test_clock clock;
	struct store *store = NULL;
	struct labels *series[SERIES], *name = labels_of("instance", "a", NULL);
	const struct layout *l = NULL;
	struct changes *c = NULL;
	int64_t target;
	char text[32];
	test_clock_init(&clock, T0);
	assert_ok(store_open(&(struct store_options){ .path = path, .clock = &clock.clock, .commit_ms = 10, .folding = folding }, &store, &why));
	assert_ok(store_target(store, name, "http://a/", &target, &why));
	for (int i = 0; i < SERIES; i++) {
		snprintf(text, sizeof text, "s%d", i);
		series[i] = labels_of("__name__", text, NULL);
	}
	assert_ok(store_layout(store, series, SERIES, &l, &why));
	for (int i = 0; i < FRAMES; i++) {
		double values[SERIES];
		for (int k = 0; k < SERIES; k++)
			values[k] = i * k;
		test_clock_advance(&clock, STEP_MS);
		assert_ok(store_append(store, target, STREAM_SCRAPE, clock.now_wall_ms, l, values, &why));
		if (folding == FOLD_AT_ONCE) /* what is in blocks goes as new frames come */
			assert_ok(store_flush(store, &why));
	}
	assert_ok(store_append_stale(store, target, STREAM_REPORT, clock.now_wall_ms, &why));
	for (int i = 0; i < 3; i++) {
		assert_ok(changes_new(&c, &why));
		changes_audit(c, &(struct audit_row){ .at_ms = clock.now_wall_ms, .actor = { "kim", "kim", "" }, .action = "note", .subject = "x", .detail = "y" });
		assert_ok(store_commit(store, c, NULL, &why));
	}
	store_close(store);
	for (int i = 0; i < SERIES; i++)
		labels_unref(series[i]);
	labels_unref(name);
}

static void fill(const char *path) { fill_folded(path, FOLD_NEVER); }

static void damage(const char *path, const char *sql)
{
	sqlite3 *db;
	char *text = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s", text);
	sqlite3_close(db);
}

struct told {
	char text[8192];
	int  n;
};

static void tell(void *ctx, const char *text)
{
	struct told *t = ctx;
	size_t at = strlen(t->text);
	snprintf(t->text + at, sizeof t->text - at, "%s\n", text);
	t->n++;
}

static struct told look(const char *path, bool is_deep, struct verify_counts *n)
{
	struct told t = { .n = 0 };
	struct reader *r = NULL;
	assert_ok(reader_open(path, READER_OWN, &r, &why));
	assert_ok(store_verify(r, &(struct verify_options){ .is_deep = is_deep, .problem = tell, .ctx = &t }, n, &why));
	reader_close(r);
	return t;
}

static void damage_is_found(void **state)
{
	static const struct {
		const char *label, *sql;
		int         quick, deep;  /* how many problems */
		const char *says;         /* the deep look */
	} rows[] = {
		{ "none", "SELECT 1", 0, 0, "" },
		{ "a frame's bytes", "UPDATE frame SET body = CAST(substr(body, 1, 3) || x'ff' || substr(body, 5) AS BLOB) WHERE id = 100", 0, 1, "frame 100, of target 1 at 2026-09-" },
		{ "the newest frame's bytes", "UPDATE frame SET body = x'00' WHERE id = (SELECT newest FROM track WHERE stream = 0)", 1, 2, "frame 300" },
		{ "a frame that stands elsewhere", "UPDATE frame SET at_ms = at_ms + 1 WHERE id = 50", 0, 1, "frame 50" },
		{ "a frame that its span is not of", "DELETE FROM span; INSERT INTO span VALUES(3, 0, 1, 1)", 0, 3, "its time is not that of its span" },
		{ "a frame that is gone", "DELETE FROM frame WHERE id = 20", 0, 1, "does not follow the frame before" },
		{ "the first key frame", "DELETE FROM frame WHERE id = 1", 0, 1, "its key frame is gone" },
		{ "a chain that goes forward", "UPDATE frame SET prev = 90 WHERE id = 80", 0, 1, "its chain goes forward" },
		{ "a target that cannot be", "UPDATE frame SET target = -4 WHERE id = 301", 1, 2, "of an impossible target" },
		{ "the layout's bytes", "UPDATE layout SET body = x'0102'", 2, 0, "layout 1" },
		{ "the audit", "UPDATE audit SET who = 'eve' WHERE id = 2", 1, 1, "the audit: " },
		{ "many frames", "UPDATE frame SET body = x'00' WHERE hop > 0", 1, 6, "frame 1, " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store_folder at;
		struct verify_counts n;
		store_folder_make(&at, "verify");
		fill(at.path);
		damage(at.path, rows[i].sql);
		struct told t = look(at.path, false, &n);
		if (t.n != rows[i].quick)
			print_error("%s: %s", rows[i].label, t.text);
		assert_row(rows[i].label, t.n == rows[i].quick && n.problems == t.n && n.layouts == 1 && n.tracks == 2);
		t = look(at.path, true, &n);
		if (rows[i].deep > 0 && t.n != rows[i].deep)
			print_error("%s: %s", rows[i].label, t.text);
		assert_row(rows[i].label, rows[i].deep == 0 ? (t.n == 0) == (rows[i].says[0] == '\0') : t.n == rows[i].deep);
		assert_row(rows[i].label, strstr(t.text, rows[i].says) != NULL);
		assert_row(rows[i].label, t.n > 0 || (n.frames == FRAMES + 1 && n.samples == FRAMES * SERIES && n.audit_rows == 3));
		store_folder_remove(&at);
	}
}

static void damage_in_blocks_is_found(void **state)
{
	static const struct {
		const char *label, *sql;
		int         n;
		const char *says;
	} rows[] = {
		{ "none", "SELECT 1", 0, "" },
		{ "a group's bytes", "UPDATE block SET body = CAST(substr(body, 1, 20) || x'ff' || substr(body, 22) AS BLOB) WHERE id = (SELECT min(id) FROM block)", 1, "block " },
		{ "the head", "UPDATE block SET head = x'00' WHERE id = (SELECT min(id) FROM block)", 1, "block " },
		{ "a body that is cut short", "UPDATE block SET body = substr(body, 1, 10) WHERE id = (SELECT min(id) FROM block)", 1, "is shorter than it says" },
		{ "another time", "UPDATE block SET first_ms = first_ms + 1 WHERE id = (SELECT min(id) FROM block)", 1, "block " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store_folder at;
		struct verify_counts n;
		store_folder_make(&at, "verify");
		fill_folded(at.path, FOLD_AT_ONCE);
		damage(at.path, rows[i].sql);
		struct told t = look(at.path, true, &n);
		if (t.n != rows[i].n)
			print_error("%s: %s", rows[i].label, t.text);
		assert_row(rows[i].label, t.n == rows[i].n && strstr(t.text, rows[i].says) != NULL);
		assert_row(rows[i].label, n.blocks == 2 && n.frames < FRAMES + 1);
		assert_row(rows[i].label, t.n > 0 || n.samples == FRAMES * SERIES); /* each once */
		store_folder_remove(&at);
	}
}

static void not_all_of_very_many_are_told(void **state)
{
	struct store_folder at;
	struct verify_counts n;
	(void)state;
	store_folder_make(&at, "verify");
	fill(at.path);
	damage(at.path, "UPDATE frame SET prev = id + 1");
	struct told t = look(at.path, true, &n);
	assert_int_equal(t.n, VERIFY_TOLD_MAX);
	assert_true(n.problems >= FRAMES);
	store_folder_remove(&at);
}

/* Past SQLite: bytes in the middle of the file. Whatever is found, the look ends and tells something. */
static void broken_pages_are_found(void **state)
{
	struct store_folder at;
	struct verify_counts n = { 0 };
	struct reader *r = NULL;
	struct told t = { .n = 0 };
	struct stat st;
	uint8_t junk[4096];
	(void)state;
	store_folder_make(&at, "verify");
	fill(at.path);
	damage(at.path, "PRAGMA wal_checkpoint(TRUNCATE)");
	memset(junk, 0x5a, sizeof junk);
	int fd = open(at.path, O_WRONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 40 * 4096);
	for (off_t page = 30; page < st.st_size / 4096; page += 2)
		assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
	close(fd);
	if (reader_open(at.path, READER_OWN, &r, &why) == ERR_OK) {
		store_verify(r, &(struct verify_options){ .is_deep = true, .problem = tell, .ctx = &t }, &n, &why);
		assert_true(n.problems > 0 && t.n > 0);
	}
	reader_close(r);
	store_folder_remove(&at);
}

static void a_look_can_be_ended(void **state)
{
	struct store_folder at;
	struct verify_counts n;
	struct reader *r = NULL;
	struct told t = { .n = 0 };
	const atomic_bool cancelled = true;
	(void)state;
	store_folder_make(&at, "verify");
	fill(at.path);
	assert_ok(reader_open(at.path, READER_OWN, &r, &why));
	assert_int_equal(store_verify(r, &(struct verify_options){ .is_deep = true, .problem = tell, .ctx = &t, .cancelled = &cancelled }, &n, &why), ERR_CANCELLED);
	assert_int_equal(t.n, 0);
	reader_close(r);
	store_folder_remove(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(damage_in_blocks_is_found),
		cmocka_unit_test(not_all_of_very_many_are_told),
		cmocka_unit_test(broken_pages_are_found),
		cmocka_unit_test(a_look_can_be_ended),
	};
	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
