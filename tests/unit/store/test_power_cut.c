/* SPDX-License-Identifier: Apache-2.0
 *
 * The power goes: a virtual file system under SQLite knows what was synced and what was only written. At random operations it makes the files that a
 * disk may hold then: what was synced, and of each write since all, nothing or some sectors, in any order. The store must open, hold every frame, event
 * and fact that a flush had told of before, and nothing that was not put in. PITWALL_CUTS: how many cuts; PITWALL_SEED: which. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/num.h"
#include "store/rollup.h"
#include "tests/unit/store/rollup_check.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store_folder.h"

enum { START_MS = 1000000, SERIES = 1500, CUTS = 60, CUTS_A_RUN = 20, CUTS_RUN_MAX = 64, FILES = 4, SECTOR = 512, OPERATIONS_GUESS = 6000, FOLDED_BY_MS = 60 * 1000 };

/* ---- a disk ---- */

struct pending {
	struct pending *next;
	int64_t         at; /* in the file; a change of size where `bytes` is NULL */
	size_t          n;
	uint8_t        *bytes;
};

struct disk_file {
	char            name[16];  /* what stands behind the store's path: "", "-wal" */
	uint8_t        *synced;
	size_t          n_synced;
	bool            is_on_disk; /* it was synced once: its name is there */
	struct pending *first, **last;
};

static struct {
	pthread_mutex_t  mutex;
	sqlite3_vfs      vfs, *real;
	struct disk_file files[FILES];
	size_t           n_files;
	char             path[96]; /* of the store */
	uint64_t         random;
	int              operation;
	int              cuts[CUTS_RUN_MAX], n_cuts; /* operations at which the power goes */
	char             folder[64];  /* where the files of each cut go */
	int              acked;       /* frames that a flush has told of */
	int              acked_at[CUTS_RUN_MAX], made_at[CUTS_RUN_MAX], n_made;
} disk = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* splitmix64, Steele and others 2014 */
static uint64_t random_next(void)
{
	uint64_t z = disk.random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void forget(struct disk_file *f)
{
	for (struct pending *p = f->first, *next; p != NULL; p = next) {
		next = p->next;
		free(p->bytes);
		free(p);
	}
	f->first = NULL;
	f->last = &f->first;
}

static struct disk_file *file_named(const char *path)
{
	size_t n = strlen(disk.path);
	if (path == NULL || strncmp(path, disk.path, n) != 0 || strlen(path + n) >= sizeof disk.files[0].name)
		return NULL;
	for (size_t i = 0; i < disk.n_files; i++)
		if (strcmp(disk.files[i].name, path + n) == 0)
			return &disk.files[i];
	assert_true(disk.n_files < FILES);
	struct disk_file *f = &disk.files[disk.n_files++];
	*f = (struct disk_file){ .last = &f->first };
	snprintf(f->name, sizeof f->name, "%s", path + n);
	return f;
}

static void add_pending(struct disk_file *f, const void *bytes, size_t n, int64_t at)
{
	struct pending *p = calloc(1, sizeof *p);
	assert_non_null(p);
	p->at = at;
	p->n = n;
	if (bytes != NULL) {
		p->bytes = malloc(n);
		assert_non_null(p->bytes);
		memcpy(p->bytes, bytes, n);
	}
	*f->last = p;
	f->last = &p->next;
}

/* Bytes of a file, as they grow. */
struct image {
	uint8_t *bytes;
	size_t   n, cap;
};

static void image_size(struct image *m, size_t n)
{
	if (n > m->cap) {
		m->cap = n + n / 2 + 4096;
		m->bytes = realloc(m->bytes, m->cap);
		assert_non_null(m->bytes);
	}
	if (n > m->n)
		memset(m->bytes + m->n, 0, n - m->n);
	m->n = n;
}

static void image_write(struct image *m, const uint8_t *bytes, size_t n, size_t at)
{
	if (at + n > m->n)
		image_size(m, at + n);
	memcpy(m->bytes + at, bytes, n);
}

static void image_take(struct image *m, const struct pending *p)
{
	if (p->bytes == NULL)
		image_size(m, (size_t)p->at);
	else
		image_write(m, p->bytes, p->n, (size_t)p->at);
}

/* One that was not synced: it came to the disk, or not, or some of its sectors did. */
static void image_take_some(struct image *m, const struct pending *p)
{
	uint64_t how = random_next() % 3;
	if (how == 0)
		image_take(m, p);
	if (how != 1 || p->bytes == NULL)
		return;
	for (size_t at = 0; at < p->n; at += SECTOR)
		if (random_next() % 2 == 0)
			image_write(m, p->bytes + at, p->n - at < SECTOR ? p->n - at : SECTOR, (size_t)p->at + at);
}

static void write_whole(const char *path, const uint8_t *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_true(n == 0 || fwrite(bytes, 1, n, f) == n);
	assert_int_equal(fclose(f), 0);
}

/* What a disk holds when the power goes now. `is_strict`: nothing that was not synced. */
static void make_cut(void)
{
	bool is_strict = random_next() % 4 == 0, is_whole = !is_strict && random_next() % 4 == 0;
	int made = disk.n_made++;
	disk.acked_at[made] = disk.acked;
	disk.made_at[made] = disk.operation;
	for (size_t i = 0; i < disk.n_files; i++) {
		struct disk_file *f = &disk.files[i];
		struct image m = { 0 };
		char path[160];
		if (!f->is_on_disk && (is_strict || random_next() % 2 == 0))
			continue; /* not even its name */
		if (f->n_synced > 0)
			image_write(&m, f->synced, f->n_synced, 0);
		for (const struct pending *p = f->first; p != NULL && !is_strict; p = p->next) {
			if (is_whole)
				image_take(&m, p);
			else
				image_take_some(&m, p);
		}
		snprintf(path, sizeof path, "%s/%d.db%s", disk.folder, made, f->name);
		write_whole(path, m.bytes, m.n);
		free(m.bytes);
	}
}

/* Locked. Before each operation that changes something. */
static void step(void)
{
	disk.operation++;
	for (int i = 0; i < disk.n_cuts; i++)
		if (disk.cuts[i] == disk.operation)
			make_cut();
}

static void synced(struct disk_file *f)
{
	struct image m = { .bytes = f->synced, .n = f->n_synced, .cap = f->n_synced };
	for (const struct pending *p = f->first; p != NULL; p = p->next)
		image_take(&m, p);
	f->synced = m.bytes;
	f->n_synced = m.n;
	f->is_on_disk = true;
	forget(f);
}

/* ---- the file system ---- */

struct open_file {
	sqlite3_file      base;
	struct disk_file *file; /* NULL: none of the store's */
};

static sqlite3_file *real_of(sqlite3_file *f) { return (sqlite3_file *)((struct open_file *)f + 1); }
static struct disk_file *file_of(sqlite3_file *f) { return ((struct open_file *)f)->file; }

static int f_close(sqlite3_file *f) { return real_of(f)->pMethods->xClose(real_of(f)); }
static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) { return real_of(f)->pMethods->xRead(real_of(f), to, n, at); }
static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	pthread_mutex_lock(&disk.mutex);
	if (file_of(f) != NULL) {
		step();
		add_pending(file_of(f), from, (size_t)n, at);
	}
	pthread_mutex_unlock(&disk.mutex);
	return real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	pthread_mutex_lock(&disk.mutex);
	if (file_of(f) != NULL) {
		step();
		add_pending(file_of(f), NULL, 0, size);
	}
	pthread_mutex_unlock(&disk.mutex);
	return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int f_sync(sqlite3_file *f, int flags)
{
	(void)flags; /* this disk keeps its promise without the real one having to */
	pthread_mutex_lock(&disk.mutex);
	if (file_of(f) != NULL) {
		step();
		synced(file_of(f));
	}
	pthread_mutex_unlock(&disk.mutex);
	return SQLITE_OK;
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size) { return real_of(f)->pMethods->xFileSize(real_of(f), size); }
static int f_lock(sqlite3_file *f, int level) { return real_of(f)->pMethods->xLock(real_of(f), level); }
static int f_unlock(sqlite3_file *f, int level) { return real_of(f)->pMethods->xUnlock(real_of(f), level); }
static int f_reserved(sqlite3_file *f, int *out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); }
static int f_control(sqlite3_file *f, int op, void *arg) { return real_of(f)->pMethods->xFileControl(real_of(f), op, arg); }
static int f_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int f_device(sqlite3_file *f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int  f_shm_lock(sqlite3_file *f, int at, int n, int flags) { return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags); }
static void f_shm_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int  f_shm_unmap(sqlite3_file *f, int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); }

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	(void)v;
	static const sqlite3_io_methods methods = {
		2, f_close, f_read, f_write, f_truncate, f_sync, f_size, f_lock, f_unlock, f_reserved, f_control, f_sector, f_device,
		f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap, NULL, NULL,
	};
	f->pMethods = NULL;
	int rc = disk.real->xOpen(disk.real, name, real_of(f), flags, out_flags);
	if (rc != SQLITE_OK)
		return rc;
	pthread_mutex_lock(&disk.mutex);
	((struct open_file *)f)->file = file_named(name);
	pthread_mutex_unlock(&disk.mutex);
	f->pMethods = &methods;
	return rc;
}

/* A file that goes is gone for good: SQLite has its folder synced. */
static int v_delete(sqlite3_vfs *v, const char *name, int sync_folder)
{
	(void)v;
	pthread_mutex_lock(&disk.mutex);
	struct disk_file *f = file_named(name);
	if (f != NULL) {
		step();
		free(f->synced);
		f->synced = NULL;
		f->n_synced = 0;
		f->is_on_disk = false;
		forget(f);
	}
	pthread_mutex_unlock(&disk.mutex);
	return disk.real->xDelete(disk.real, name, sync_folder);
}

static void mount_disk(const struct store_folder *where)
{
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "lossy";
	disk.vfs.szOsFile = (int)sizeof(struct open_file) + disk.real->szOsFile;
	disk.vfs.xOpen = v_open;
	disk.vfs.xDelete = v_delete;
	disk.n_files = 0;
	disk.operation = disk.acked = disk.n_made = 0;
	snprintf(disk.path, sizeof disk.path, "%s", where->path);
	assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

static void unmount_disk(void)
{
	assert_int_equal(sqlite3_vfs_unregister(&disk.vfs), SQLITE_OK);
	for (size_t i = 0; i < disk.n_files; i++) {
		forget(&disk.files[i]);
		free(disk.files[i].synced);
	}
}

/* ---- what is recorded ---- */

static struct why why;

/* Wide frames, so that the log is copied back into the file and begun anew on the way; or many, so that rollups of hours are made. */
struct plan {
	int n_series, commits, step_ms, cuts;
	enum folding folding;
};
static const struct plan wide = { SERIES, 160, 1, CUTS, FOLD_WHEN_IDLE }, narrow = { 2, 1200, 30000, CUTS / 2, FOLD_AT_ONCE };
static const struct plan *plan;

static int64_t time_of(int frame) { return START_MS + (int64_t)frame * plan->step_ms; }
static double value_of(int frame, int series) { return (double)frame + 1.0 / (double)(frame * SERIES + series + 3); }

static const struct layout *layout_of(struct store *s)
{
	struct labels *series[SERIES];
	const struct layout *l = NULL;
	for (int i = 0; i < plan->n_series; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", i);
		series[i] = labels_of("__name__", "m", "i", text, NULL);
		assert_non_null(series[i]);
	}
	assert_ok(store_layout(s, series, (size_t)plan->n_series, &l, &why));
	for (int i = 0; i < plan->n_series; i++)
		labels_unref(series[i]);
	return l;
}

static void append(struct store *s, int64_t target, const struct layout *l, int frame)
{
	double values[SERIES];
	char text[32];
	for (int i = 0; i < plan->n_series; i++)
		values[i] = value_of(frame, i);
	snprintf(text, sizeof text, "%d", frame);
	assert_ok(store_append(s, target, STREAM_SCRAPE, time_of(frame), l, values, &why));
	assert_ok(store_append_event(s, &(struct event){ .wall_ms = time_of(frame), .kind = "note", .text = text }, &why));
	assert_ok(store_set_meta(s, "frame", text, &why));
}

static void cut_now(void)
{
	pthread_mutex_lock(&disk.mutex);
	make_cut();
	pthread_mutex_unlock(&disk.mutex);
}

/* On a machine that is busy nothing may be folded while frames come: then it is waited for, and there is a cut in which there are rollups of hours. */
static void cut_after_folding(const struct store_folder *where)
{
	int64_t until = clock_mono_ms(clock_system()) + FOLDED_BY_MS;
	while (test_sql_number(where->path, "SELECT count(*) FROM rollup WHERE level = 1") == 0) {
		assert_true(clock_mono_ms(clock_system()) < until);
		poll(NULL, 0, 5);
	}
	cut_now();
}

static void record(const struct store_folder *where)
{
	struct test_clock clock;
	struct store *s = NULL;
	int64_t target;
	struct labels *l = labels_of("instance", "a", NULL);
	test_clock_init(&clock, START_MS);
	const struct store_options o = {
		.path = where->path, .clock = &clock.clock, .commit_ms = 1, .folding = plan->folding, .key_distance = plan->folding == FOLD_AT_ONCE ? 2 : 0,
	};
	assert_ok(store_open(&o, &s, &why));
	assert_ok(store_target(s, l, "u", &target, &why));
	const struct layout *of = layout_of(s);
	for (int i = 1; i <= plan->commits; i++) {
		test_clock_advance(&clock, plan->step_ms);
		append(s, target, of, i);
		assert_ok(store_flush(s, &why));
		pthread_mutex_lock(&disk.mutex);
		disk.acked = i;
		pthread_mutex_unlock(&disk.mutex);
	}
	if (plan->folding == FOLD_AT_ONCE)
		cut_after_folding(where);
	store_close(s);
	labels_unref(l);
}

/* ---- what is there afterwards ---- */

/*
 * What was appended since the last flush may be committed in any number of commits, but in the order it came: a frame, its event, its note
 * of the newest frame. So a cut may have the frame without the event, never the event without the frame.
 */
static const char *label;
static int frames_seen, events_seen, newest_event;

static enum err see_frame(void *ctx, const struct frame *f)
{
	(void)ctx;
	frames_seen++;
	assert_row(label, f->n == (size_t)plan->n_series && f->wall_ms == time_of(frames_seen));
	for (int i = 0; i < plan->n_series; i++)
		assert_row(label, f->values[i] == value_of(frames_seen, i));
	return ERR_OK;
}

static int64_t number_in(const char *text)
{
	int64_t n = -1;
	return parse_i64(text, 0, INT32_MAX, &n) == ERR_OK ? n : -1;
}

/* Newest first. */
static enum err see_event(void *ctx, const struct event *e)
{
	(void)ctx;
	if (events_seen == 0)
		newest_event = (int)number_in(e->text);
	assert_row(label, number_in(e->text) == newest_event - events_seen);
	events_seen++;
	return ERR_OK;
}

static size_t rows_of_hours;

/* Whatever of them is there says what the samples say. */
static void check_rollups(const char *path, struct reader *r)
{
	struct matcher m;
	struct rollup_tally tally = { 0, 0 };
	assert_ok(matcher_init(&m, MATCH_EQUAL, "i", "1", &why));
	for (int level = 0; level < ROLLUP_LEVELS; level++) {
		struct rollup_set got = { 0 }, want = { 0 };
		int64_t w = rollup_widths_ms[level], from = START_MS / w * w, until = time_of(plan->commits) / w * w + w;
		rollups_read(r, &m, level, from, until, &got);
		rollups_of_samples(r, &m, level, from, until, &want);
		rollups_compare(label, &got, &want, &tally);
		rollup_set_release(&got);
		rollup_set_release(&want);
	}
	matcher_release(&m);
	assert_row(label, (tally.windows > 0) == (frames_seen > 0));
	rows_of_hours += (size_t)test_sql_number(path, "SELECT count(*) FROM rollup WHERE level = 1");
}

static void check_cut(int i)
{
	char path[160], said[64];
	struct test_clock clock;
	struct store *s = NULL;
	struct reader *r = NULL;
	struct buf text;
	int64_t target = 0;
	struct labels *l = labels_of("instance", "a", NULL);
	snprintf(said, sizeof said, "cut %d, at operation %d", i, disk.made_at[i]);
	label = said;
	snprintf(path, sizeof path, "%s/%d.db", disk.folder, i);
	test_clock_init(&clock, time_of(plan->commits) + 60 * 1000);
	const struct store_options o = { .path = path, .clock = &clock.clock, .commit_ms = 1 };
	if (store_open(&o, &s, &why) != ERR_OK)
		fail_msg("%s: %s", label, why.text);
	assert_ok(reader_open(path, READER_STRANGER, &r, &why)); /* with SQLite's own check of the whole file */
	frames_seen = events_seen = newest_event = 0;
	if (reader_target_id(r, l, &target, &why) == ERR_OK)
		assert_ok(reader_frames(r, STREAM_SCRAPE, target, 0, INT64_MAX - 1, false, see_frame, NULL, &why));
	if (frames_seen < disk.acked_at[i])
		fail_msg("%s: %d frames were told to be there, %d are", label, disk.acked_at[i], frames_seen);
	check_rollups(path, r);
	assert_ok(reader_events(r, NULL, "note", 0, INT64_MAX - 1, (size_t)plan->commits + 1, see_event, NULL, &why));
	assert_row(label, events_seen == newest_event && events_seen >= disk.acked_at[i]);
	assert_row(label, events_seen == frames_seen || events_seen == frames_seen - 1);
	buf_init(&text, 64);
	assert_ok(reader_meta(r, "frame", INT64_MAX - 1, &text, &why));
	int64_t noted = text.len == 0 ? 0 : number_in(buf_text(&text));
	assert_row(label, noted >= disk.acked_at[i] && (noted == events_seen || noted == events_seen - 1));
	buf_release(&text);
	reader_close(r);
	store_close(s);
	labels_unref(l);
}

static void remove_cut(int i)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	for (size_t e = 0; e < sizeof ends / sizeof ends[0]; e++) {
		char path[160];
		snprintf(path, sizeof path, "%s/%d.db%s", disk.folder, i, ends[e]);
		unlink(path);
	}
	char requests[160];
	snprintf(requests, sizeof requests, "%s/%d.db-requests", disk.folder, i);
	rmdir(requests);
}

static int number_of(const char *name, int otherwise)
{
	const char *text = getenv(name);
	return text != NULL && number_in(text) > 0 ? (int)number_in(text) : otherwise;
}

static void cut(const struct plan *p)
{
	plan = p;
	rows_of_hours = 0;
	int cuts = number_of("PITWALL_CUTS", p->cuts), operations = OPERATIONS_GUESS;
	disk.random = (uint64_t)number_of("PITWALL_SEED", 1);
	for (int done = 0; done < cuts; done += CUTS_A_RUN) {
		struct store_folder where;
		store_folder_make(&where, "power");
		snprintf(disk.folder, sizeof disk.folder, "%s", where.folder);
		disk.n_cuts = done == 0 ? 0 : CUTS_A_RUN; /* the first run only counts */
		for (int i = 0; i < disk.n_cuts; i++)
			disk.cuts[i] = 1 + (int)(random_next() % (uint64_t)operations);
		mount_disk(&where);
		record(&where);
		unmount_disk();
		if (done == 0)
			operations = disk.operation;
		for (int i = 0; i < disk.n_made; i++)
			check_cut(i);
		for (int i = 0; i < disk.n_made; i++)
			remove_cut(i);
		store_folder_remove(&where);
	}
}

static void what_was_told_to_be_committed_is_there(void **state)
{
	(void)state;
	cut(&wide);
}

static void rollups_are_made_again(void **state)
{
	(void)state;
	cut(&narrow);
	assert_true(rows_of_hours > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_told_to_be_committed_is_there), cmocka_unit_test(rollups_are_made_again) };
	return cmocka_run_group_tests_name("power_cut", tests, NULL, NULL);
}
