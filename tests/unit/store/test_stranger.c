/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of others, and of users who may do less: stores with a log beside them, read-only files and folders, another user of the group. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/reader.h"

enum { START_MS = 1000000, FRAMES = 100, NOBODY = 65534, GROUP = 65533 };

struct fixture {
	char              folder[64], path[96], temporary[96];
	struct test_clock clock;
	struct store     *store;
	int64_t           target;
	const struct layout *layout;
};

static struct why why;

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct labels *l = labels_of("instance", "a", NULL), *series = labels_of("__name__", "m", NULL);
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-stranger-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	snprintf(f->temporary, sizeof f->temporary, "%s/tmp", f->folder);
	assert_int_equal(mkdir(f->temporary, 01777) | chmod(f->temporary, 01777), 0);
	assert_int_equal(setenv("TMPDIR", f->temporary, 1), 0);
	test_clock_init(&f->clock, START_MS);
	struct store_options o = { .path = f->path, .clock = &f->clock.clock, .commit_ms = 20 };
	assert_int_equal(store_open(&o, &f->store, &why), ERR_OK);
	assert_int_equal(store_target(f->store, l, "u", &f->target, &why), ERR_OK);
	assert_int_equal(store_layout(f->store, &series, 1, &f->layout, &why), ERR_OK);
	for (int i = 1; i <= FRAMES; i++)
		assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, i, f->layout, &(double){ i }, &why), ERR_OK);
	assert_int_equal(store_flush(f->store, &why), ERR_OK);
	labels_unref(l);
	labels_unref(series);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm", "link.db", "copy.db", "copy.db-wal", "copy.db-shm",
	                                     "copy.db-journal" };
	chmod(f->folder, 0700);
	store_close(f->store);
	unsetenv("TMPDIR");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[160];
		snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->temporary), 0); /* nothing is left there */
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static enum err count_frame(void *ctx, const struct frame *frame)
{
	size_t *n = ctx;
	++*n;
	return frame->n == 1 && frame->values[0] == (double)frame->wall_ms ? ERR_OK : ERR_CORRUPT;
}

static size_t frames_in(struct reader *r)
{
	size_t n = 0;
	assert_int_equal(reader_frames(r, STREAM_SCRAPE, 0, 0, START_MS, false, count_frame, &n, &why), ERR_OK);
	return n;
}

static size_t entries_of(const char *folder)
{
	size_t n = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void copy_file(const char *from, const char *to)
{
	char bytes[4096];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	assert_true(in != NULL && out != NULL);
	for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* What a killed recorder leaves: the file and its log, copied while it runs. */
static void leave_behind(const struct fixture *f, char path[128])
{
	char from[160], to[160];
	snprintf(path, 128, "%s/copy.db", f->folder);
	copy_file(f->path, path);
	snprintf(from, sizeof from, "%s-wal", f->path);
	snprintf(to, sizeof to, "%s-wal", path);
	copy_file(from, to);
}

/* ---- stores with a log ---- */

static void our_own_store_is_read_in_place(void **state)
{
	struct fixture *f = *state;
	struct reader *r = NULL;
	assert_int_equal(reader_open(f->path, READER_STRANGER, &r, &why), ERR_OK);
	assert_int_equal(entries_of(f->temporary), 0);
	assert_int_equal(frames_in(r), FRAMES);
	/* What is recorded meanwhile is seen too. */
	assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, FRAMES + 1, f->layout, &(double){ FRAMES + 1 }, &why), ERR_OK);
	assert_int_equal(store_flush(f->store, &why), ERR_OK);
	assert_int_equal(frames_in(r), FRAMES + 1);
	reader_close(r);
}

static void a_store_of_a_killed_recorder_is_read(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct reader *r = NULL;
	leave_behind(f, path);
	assert_int_equal(reader_open(path, READER_STRANGER, &r, &why), ERR_OK);
	assert_int_equal(frames_in(r), FRAMES);
	reader_close(r);
}

static void a_file_with_nothing_beside_it_keeps_nothing_beside_it(void **state)
{
	struct fixture *f = *state;
	struct reader *r = NULL;
	store_close(f->store);
	f->store = NULL;
	size_t before = entries_of(f->folder);
	assert_int_equal(reader_open(f->path, READER_STRANGER, &r, &why), ERR_OK);
	assert_int_equal(frames_in(r), FRAMES);
	assert_int_equal(entries_of(f->folder), before);
	reader_close(r);
}

/* The temporary folder is empty as soon as the file is open: also after a crash nothing stays there. */
static void a_store_of_others_is_copied(void **state)
{
	struct fixture *f = *state;
	char path[128], side[160];
	struct stat before, after;
	struct reader *r = NULL;
	if (geteuid() != 0)
		skip(); /* only root can make files of others */
	leave_behind(f, path);
	snprintf(side, sizeof side, "%s-wal", path);
	assert_int_equal(chown(path, NOBODY, NOBODY) | chown(side, NOBODY, NOBODY), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(reader_open(path, READER_STRANGER, &r, &why), ERR_OK);
	assert_int_equal(entries_of(f->temporary), 0);
	assert_int_equal(frames_in(r), FRAMES);
	assert_int_equal(frames_in(r), FRAMES);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtime, after.st_mtime);
	snprintf(side, sizeof side, "%s-shm", path);
	assert_int_equal(access(side, F_OK), -1);
	uint64_t revision;
	assert_int_equal(reader_revision(r, &revision, &why), ERR_OK);
	reader_close(r);
	assert_int_equal(entries_of(f->temporary), 0);
}

static void a_log_that_is_a_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char path[128], side[160];
	struct reader *r = NULL;
	leave_behind(f, path);
	snprintf(side, sizeof side, "%s-wal", path);
	assert_int_equal(unlink(side), 0);
	assert_int_equal(symlink("/etc/passwd", side), 0);
	assert_int_equal(reader_open(path, READER_STRANGER, &r, &why), ERR_DENIED);
	assert_non_null(strstr(why.text, "is a link"));
}

static void a_copy_that_has_no_room_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	char path[128], side[160];
	struct reader *r = NULL;
	if (geteuid() != 0)
		skip();
	leave_behind(f, path);
	snprintf(side, sizeof side, "%s-wal", path);
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	assert_int_equal(truncate(side, (off_t)1 << 42), 0); /* a hole of 4 TiB */
	assert_int_equal(reader_open(path, READER_STRANGER, &r, &why), ERR_FULL);
	assert_non_null(strstr(why.text, "set TMPDIR"));
	assert_int_equal(entries_of(f->temporary), 0);
}

static void a_rollback_journal_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[128], side[160];
	struct reader *r = NULL;
	leave_behind(f, path);
	snprintf(side, sizeof side, "%s-journal", path);
	copy_file(f->path, side);
	assert_int_equal(reader_open(path, READER_STRANGER, &r, &why), ERR_UNSUPPORTED);
}

/* A recorder writes while others copy: each copy is one moment, all frames up to some one. */
static void copies_of_a_store_in_use_are_whole(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip();
	char side[160];
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (int i = 0; i < 3; i++) {
		snprintf(side, sizeof side, "%s%s", f->path, suffixes[i]);
		assert_int_equal(chown(side, NOBODY, NOBODY), 0);
	}
	size_t last = 0;
	for (int i = FRAMES + 1; i <= 40 * FRAMES; i++) {
		assert_int_equal(store_append(f->store, f->target, STREAM_SCRAPE, i, f->layout, &(double){ i }, &why), ERR_OK);
		if (i % 100 != 0)
			continue;
		if (i % 200 == 0)
			assert_int_equal(store_flush(f->store, &why), ERR_OK);
		struct reader *r = NULL;
		enum err e = reader_open(f->path, READER_STRANGER, &r, &why);
		if (e == ERR_LATER)
			continue;
		assert_int_equal(e, ERR_OK);
		size_t n = frames_in(r); /* fails where one is not what it should be */
		assert_true(n >= last && n <= (size_t)i);
		last = n;
		reader_close(r);
	}
	assert_true(last > FRAMES);
}

/* ---- users who may do less ---- */

/* Runs fn as another user, of group GROUP; its answer is the text that it puts out. */
static void as_other(struct fixture *f, void (*fn)(struct fixture *f, int to), char answer[512])
{
	int ends[2];
	/* The writer's thread rests then: what it held of SQLite's locks would stay held in the child for ever. */
	if (f->store != NULL)
		assert_ok(store_flush(f->store, &why));
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		gid_t group = GROUP;
		if (setgroups(1, &group) == 0 && setgid(GROUP) == 0 && setuid(NOBODY) == 0)
			fn(f, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	ssize_t n = 0, m;
	while ((m = read(ends[0], answer + n, 511 - (size_t)n)) > 0)
		n += m;
	answer[n] = '\0';
	close(ends[0]);
	waitpid(child, NULL, 0);
}

static void say(int to, const char *text)
{
	if (write(to, text, strlen(text)) < 0)
		_exit(1);
}

static void read_own(struct fixture *f, int to)
{
	struct reader *r = NULL;
	size_t n = 0;
	enum err e = reader_open(f->path, READER_OWN, &r, &why);
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SCRAPE, 0, 0, START_MS, false, count_frame, &n, &why);
	say(to, e == ERR_OK && n == FRAMES ? "all" : why.text);
}

static void read_stranger(struct fixture *f, int to)
{
	struct reader *r = NULL;
	size_t n = 0;
	enum err e = reader_open(f->path, READER_STRANGER, &r, &why);
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SCRAPE, 0, 0, START_MS, false, count_frame, &n, &why);
	say(to, e == ERR_OK && n == FRAMES ? "all" : why.text);
}

static void record(struct fixture *f, int to)
{
	struct store *s = NULL;
	struct store_options o = { .path = f->path, .clock = &f->clock.clock };
	why.text[0] = '\0';
	enum err e = store_open(&o, &s, &why);
	say(to, e == ERR_OK ? "recording" : e == ERR_READ_ONLY ? "read-only: " : e == ERR_DENIED ? "denied: " : "other: ");
	say(to, why.text);
}

static void group_may(const struct fixture *f, mode_t folder, mode_t file)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[160];
	assert_int_equal(chown(f->folder, 0, GROUP) | chmod(f->folder, folder), 0);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
		if (access(path, F_OK) == 0)
			assert_int_equal(chown(path, 0, GROUP) | chmod(path, file), 0);
	}
}

static void a_colleague_of_the_group_reads_what_is_recorded(void **state)
{
	struct fixture *f = *state;
	char answer[512];
	if (geteuid() != 0)
		skip(); /* only root can become another user */
	group_may(f, 0770, 0660);
	as_other(f, read_own, answer);
	assert_string_equal(answer, "all");
	/* May read, may not write: -shm is not to be had. */
	group_may(f, 0750, 0640);
	as_other(f, read_own, answer);
	assert_true(strcmp(answer, "all") == 0 || strstr(answer, "give its group that right") != NULL);
	as_other(f, read_stranger, answer);
	assert_string_equal(answer, "all");
	/* Nobody records any more: without a log nothing is to be written. */
	store_close(f->store);
	f->store = NULL;
	as_other(f, read_own, answer);
	assert_string_equal(answer, "all");
}

static void a_read_only_store_is_not_recorded_into(void **state)
{
	struct fixture *f = *state;
	char answer[512];
	if (geteuid() != 0)
		skip(); /* root may write everything: another user has to try */
	store_close(f->store);
	f->store = NULL;
	group_may(f, 0770, 0440);
	as_other(f, record, answer);
	assert_non_null(strstr(answer, "read-only: cannot write"));
	group_may(f, 0550, 0660);
	as_other(f, record, answer);
	assert_true(strstr(answer, "read-only: ") == answer || strstr(answer, "denied: ") == answer);
	assert_non_null(strstr(answer, "folder"));
	group_may(f, 0700, 0660);
	as_other(f, record, answer);
	assert_non_null(strstr(answer, "denied: "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(our_own_store_is_read_in_place),
		TEST(a_store_of_a_killed_recorder_is_read),
		TEST(a_file_with_nothing_beside_it_keeps_nothing_beside_it),
		TEST(a_store_of_others_is_copied),
		TEST(a_log_that_is_a_link_is_not_followed),
		TEST(a_copy_that_has_no_room_says_what_to_do),
		TEST(a_rollback_journal_is_refused),
		TEST(copies_of_a_store_in_use_are_whole),
		TEST(a_colleague_of_the_group_reads_what_is_recorded),
		TEST(a_read_only_store_is_not_recorded_into),
	};
	return cmocka_run_group_tests_name("strangers", tests, NULL, NULL);
}
