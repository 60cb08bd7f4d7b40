/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames become blocks, and no reader sees a difference: the same is recorded into a store that folds and into one that never does, and everything that can
 * be read of the two is compared, bit by bit. Blocks that are not what they say are told. */
#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/hash.h"
#include "base/num.h"
#include "base/stale.h"
#include "store/export.h"
#include "store/fold.h"
#include "store/tail.h"
#include "tests/unit/store/store_sql.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 5, SERIES = 40, ROUNDS = 150, STEP_MS = 10000, NEVER = 0 };
static const int64_t START_MS = 1000000;

struct fleet {
	struct store_folder  folder;
	struct test_clock    clock;
	struct store        *store;
	unsigned             key_distance;
	uint64_t             random;
	int64_t              targets[TARGETS], last_ms;
	const struct layout *layouts[2];
	double               values[TARGETS][SERIES];
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
	const struct store_options o = { .path = f->folder.path, .clock = &f->clock.clock, .commit_ms = 10000, .key_distance = f->key_distance,
		                         .folding = f->key_distance == NEVER ? FOLD_NEVER : FOLD_AT_ONCE };
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
		char name[16], le[16];
		snprintf(name, sizeof name, "m%d", i / 8);
		snprintf(le, sizeof le, "%d", i % 8);
		series[i] = labels_of("__name__", name, "le", le, NULL);
	}
	assert_ok(store_layout(f->store, series, SERIES, &f->layouts[0], &why));
	assert_ok(store_layout(f->store, series + 3, SERIES - 5, &f->layouts[1], &why));
	for (size_t i = 0; i < SERIES; i++)
		labels_unref(series[i]);
}

static void begin(struct fleet *f, unsigned key_distance)
{
	*f = (struct fleet){ .key_distance = key_distance, .random = 7, .last_ms = START_MS };
	store_folder_make(&f->folder, "fold");
	test_clock_init(&f->clock, START_MS);
	open_fleet(f);
}

static void end(struct fleet *f)
{
	store_close(f->store);
	store_folder_remove(&f->folder);
}

static double odd_value(uint64_t which)
{
	static const uint64_t nan_with_payload = UINT64_C(0x7ff8000000001234);
	double v;
	memcpy(&v, &nan_with_payload, sizeof v);
	switch (which) {
	case 0: return v;
	case 1: return (double)INFINITY;
	case 2: return -0.0;
	case 3: return stale_mark();
	case 4: return 5e-324;
	default: return 1.0 / 3;
	}
}

static void move_values(struct fleet *f, double *v)
{
	for (int i = 0; i < SERIES; i++) {
		uint64_t r = roll(f);
		if (r % 50 == 0)
			v[i] = odd_value(r / 50 % 6);
		else if (i % 8 < 4)
			v[i] = floor(isfinite(v[i]) ? v[i] : 0) + (double)(r % 9);
		else if (i % 8 == 4)
			v[i] = (double)(r % 100000) / 1000;
		else if (i % 8 == 5)
			v[i] += (double)(r >> 20) / 1e12;
	}
}

static void append(struct fleet *f, int t, int64_t at_ms)
{
	uint64_t r = roll(f);
	move_values(f, f->values[t]);
	if (r % 23 == 0)
		assert_ok(store_append_stale(f->store, f->targets[t], STREAM_SCRAPE, at_ms, &why));
	else
		assert_ok(store_append(f->store, f->targets[t], STREAM_SCRAPE, at_ms, f->layouts[r / 23 % 40 == 0], f->values[t], &why));
	assert_ok(store_append(f->store, f->targets[t], STREAM_REPORT, at_ms, f->layouts[1], f->values[t], &why));
	if (r % 7 != 0)
		assert_ok(store_append(f->store, f->targets[t], STREAM_SIGNAL, at_ms + 1, f->layouts[0], f->values[t], &why));
}

/* Target 0 and 1 are polled each round, 2 and 3 less often, 4 only in the first third: what is behind it in the table waits for nobody. */
static void record_round(struct fleet *f, int round)
{
	static const int every[TARGETS] = { 1, 1, 3, 17, 1 };
	test_clock_advance(&f->clock, STEP_MS);
	for (int t = 0; t < TARGETS; t++)
		if (round % every[t] == 0 && (t != 4 || round < ROUNDS / 3))
			append(f, t, f->clock.now_wall_ms + t * 7);
	assert_ok(store_flush(f->store, &why));
}

/* With the clock set back twice, far and by little, and recorders that come and go. */
static void record_all(struct fleet *f)
{
	for (int round = 0; round < ROUNDS; round++) {
		if (round == 60 || round == 100)
			f->clock.now_wall_ms -= (round == 60 ? 40 : 4) * STEP_MS;
		if (round == 30 || round == 61 || round == 120) {
			store_close(f->store);
			open_fleet(f);
		}
		record_round(f, round);
	}
	f->last_ms = f->clock.now_wall_ms;
}

/* ---- all that can be read, as text ---- */

static void print_values(struct buf *to, const double *v, size_t n)
{
	uint64_t hash = hash64(v, n * sizeof *v, 0);
	buf_printf(to, " %zu:%016llx", n, (unsigned long long)hash);
}

static enum err print_frame(void *ctx, const struct frame *f)
{
	buf_printf(ctx, " %lld@%lld", (long long)f->target, (long long)f->wall_ms);
	print_values(ctx, f->n > 0 ? f->values : &(double){ 0 }, f->n);
	return ERR_OK;
}

static enum err print_tail(void *ctx, const struct tail_frame *f, struct why *w)
{
	(void)w;
	buf_printf(ctx, " %s%lld/%d@%lld", f->is_before ? "-" : "", (long long)f->target, (int)f->stream, (long long)f->wall_ms);
	if (f->values != NULL)
		print_values(ctx, f->values, layout_size(f->layout));
	return ERR_OK;
}

static const bool *all_wanted(void *ctx, int64_t id, const struct layout *l)
{
	static const bool all[SERIES] = { true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
		                          true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true };
	(void)ctx;
	assert_true(id > 0 && layout_size(l) <= SERIES);
	return all;
}

static enum err print_select(struct reader *r, const char *metric, int64_t after_ms, int64_t until_ms, struct buf *to)
{
	struct matcher m;
	struct series_set set = { 0 };
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", metric != NULL ? metric : "", &why));
	enum err e = reader_select(r, &m, metric != NULL, after_ms, until_ms, 10000000, &set, &why);
	matcher_release(&m);
	for (size_t i = 0; i < set.n && e == ERR_OK; i++) {
		buf_putc(to, '\n');
		labels_print(set.items[i].labels, to);
		print_values(to, set.items[i].v, set.items[i].n);
		buf_printf(to, " %016llx", (unsigned long long)hash64(set.items[i].t_ms, set.items[i].n * sizeof *set.items[i].t_ms, 0));
	}
	series_set_release(&set);
	return e;
}

static enum err print_frames(struct reader *r, int64_t after_ms, int64_t until_ms, struct buf *to)
{
	enum err e = ERR_OK;
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++)
		for (int64_t target = 0; target <= TARGETS && e == ERR_OK; target++)
			for (int newest = 0; newest < 2 && e == ERR_OK; newest++) {
				buf_printf(to, "\nframes %d of %lld%s:", stream, (long long)target, newest ? ", newest" : "");
				e = reader_frames(r, (enum stream)stream, target, after_ms, until_ms, newest != 0, print_frame, to, &why);
			}
	return e;
}

static enum err print_followed(struct reader *r, int64_t from_ms, struct buf *to)
{
	struct tail *t = NULL;
	bool was_rewound;
	const struct tail_options o = { .reader = r, .wants = all_wanted, .frame = print_tail, .ctx = to };
	assert_ok(tail_new(&o, &t, &why));
	tail_start(t, from_ms);
	buf_puts(to, "\nfollowed:");
	enum err e = tail_read(t, &was_rewound, &why);
	tail_free(t);
	return e;
}

static enum err print_all(struct reader *r, int64_t last_ms, struct buf *to)
{
	const int64_t windows[][2] = { { 0, INT64_MAX - 1 }, { START_MS + 30 * STEP_MS, START_MS + 31 * STEP_MS }, { START_MS + 5 * STEP_MS, last_ms - 70 * STEP_MS },
		                       { START_MS + 18 * STEP_MS, START_MS + 24 * STEP_MS }, { last_ms - 30 * STEP_MS, last_ms }, { last_ms - STEP_MS, last_ms } };
	int64_t first, last;
	enum err e = reader_bounds(r, &first, &last, &why);
	buf_printf(to, "%lld to %lld", (long long)first, (long long)last);
	for (size_t i = 0; i < sizeof windows / sizeof windows[0] && e == ERR_OK; i++) {
		e = print_select(r, NULL, windows[i][0], windows[i][1], to);
		if (e == ERR_OK)
			e = print_select(r, "m2", windows[i][0], windows[i][1], to);
		if (e == ERR_OK)
			e = print_frames(r, windows[i][0], windows[i][1], to);
		if (e == ERR_OK)
			e = print_followed(r, windows[i][0], to);
	}
	return e;
}

static void read_whole(const char *path, enum reader_trust trust, int64_t last_ms, struct buf *to)
{
	struct reader *r = NULL;
	buf_clear(to);
	assert_ok(reader_open(path, trust, &r, &why));
	assert_ok(print_all(r, last_ms, to));
	assert_true(to->err == ERR_OK && to->len > 10000);
	reader_close(r);
}

/* Says where they differ. */
static void same_text(const char *label, const struct buf *a, const struct buf *b)
{
	const char *x = buf_text(a), *y = buf_text(b);
	size_t at = 0, line = 0;
	for (; x[at] == y[at] && x[at] != '\0'; at++)
		line = x[at] == '\n' ? at + 1 : line;
	if (x[at] != y[at])
		fail_msg("%s: at %zu of %zu and %zu bytes: '%.40s ... %.90s', not '%.90s'", label, at, a->len, b->len, x + line, x + at, y + at);
}

static void same_files(const char *a, const char *b)
{
	static char x[1 << 22], y[1 << 22];
	FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
	assert_true(f != NULL && g != NULL);
	size_t n = fread(x, 1, sizeof x, f), m = fread(y, 1, sizeof y, g);
	assert_true(n > 10000 && n < sizeof x && n == m);
	assert_memory_equal(x, y, n);
	fclose(f);
	fclose(g);
}

/* ---- */

static void a_folded_store_reads_as_one_that_never_folds(void **state)
{
	(void)state;
	static const unsigned distances[] = { 2, 3, 8 };
	struct fleet plain;
	struct buf want, got;
	char a[128], b[128];
	buf_init(&want, 64 << 20);
	buf_init(&got, 64 << 20);
	begin(&plain, NEVER);
	record_all(&plain);
	read_whole(plain.folder.path, READER_OWN, plain.last_ms, &want);
	assert_int_equal(test_sql_number(plain.folder.path, "SELECT count(*) FROM block"), 0);
	snprintf(a, sizeof a, "%s/bundle", plain.folder.folder);
	assert_ok(store_export(plain.folder.path, a, START_MS + 10 * STEP_MS, plain.last_ms, &why));
	for (size_t i = 0; i < sizeof distances / sizeof distances[0]; i++) {
		struct fleet folded;
		begin(&folded, distances[i]);
		record_all(&folded);
		assert_in_range(test_sql_number(folded.folder.path, "SELECT count(*) FROM block"), 20, 1000);
		/* Some are in both places, since slow tracks hold the others up. */
		assert_true(test_sql_number(folded.folder.path, "SELECT count(*) FROM frame") < test_sql_number(plain.folder.path, "SELECT count(*) FROM frame"));
		read_whole(folded.folder.path, READER_OWN, folded.last_ms, &got);
		same_text("folded", &got, &want);
		snprintf(b, sizeof b, "%s/bundle", folded.folder.folder);
		assert_ok(store_export(folded.folder.path, b, START_MS + 10 * STEP_MS, folded.last_ms, &why));
		same_files(a, b);
		unlink(b);
		store_close(folded.store);
		folded.store = NULL;
		read_whole(folded.folder.path, READER_STRANGER, folded.last_ms, &got);
		same_text("a stranger's", &got, &want);
		end(&folded);
	}
	unlink(a);
	end(&plain);
	buf_release(&want);
	buf_release(&got);
}

/* Frames that stand in a block and in the table still count once. */
static void frames_that_are_in_both_places_count_once(void **state)
{
	(void)state;
	struct fleet plain, folded;
	struct buf want, got;
	buf_init(&want, 64 << 20);
	buf_init(&got, 64 << 20);
	begin(&plain, NEVER);
	begin(&folded, 2);
	int64_t most = 0;
	for (int round = 0; round < 40; round++) {
		record_round(&plain, round);
		record_round(&folded, round);
		int64_t both = test_sql_number(folded.folder.path, "SELECT count(*) FROM frame f JOIN block b ON b.target = f.target AND b.stream = f.stream"
		                                                   " AND f.id BETWEEN b.first_frame AND b.id");
		most = both > most ? both : most;
		read_whole(plain.folder.path, READER_OWN, plain.clock.now_wall_ms, &want);
		read_whole(folded.folder.path, READER_OWN, plain.clock.now_wall_ms, &got);
		same_text("in both places", &got, &want);
	}
	assert_in_range(most, 5, 1000);
	end(&plain);
	end(&folded);
	buf_release(&want);
	buf_release(&got);
}

/* ---- readers while it goes on ---- */

struct watcher {
	const char *path;
	atomic_bool is_done;
	int         reads, wrong;
};

static void *watch(void *ctx)
{
	struct watcher *w = ctx;
	struct reader *r = NULL;
	struct matcher m;
	struct why said;
	size_t seen = 0;
	if (reader_open(w->path, READER_OWN, &r, &said) != ERR_OK || matcher_init(&m, MATCH_EQUAL, "__name__", "count", &said) != ERR_OK)
		return NULL;
	do {
		struct series_set set = { 0 };
		bool is_right = reader_select(r, &m, 1, 0, INT64_MAX - 1, 1000000, &set, &said) == ERR_OK && set.n <= 1;
		size_t n = is_right && set.n == 1 ? set.items[0].n : 0;
		for (size_t i = 0; i < n; i++)
			is_right = is_right && set.items[0].v[i] == (double)(i + 1);
		w->wrong += !is_right || n < seen;
		seen = n;
		w->reads++;
		series_set_release(&set);
	} while (!atomic_load(&w->is_done));
	matcher_release(&m);
	reader_close(r);
	return NULL;
}

static void readers_see_each_sample_once_while_frames_are_folded(void **state)
{
	(void)state;
	struct fleet f;
	pthread_t thread;
	begin(&f, 3);
	struct labels *series = labels_of("__name__", "count", NULL);
	const struct layout *l = NULL;
	assert_ok(store_layout(f.store, &series, 1, &l, &why));
	labels_unref(series);
	struct watcher w = { .path = f.folder.path };
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	for (int i = 1; i <= 400; i++) {
		test_clock_advance(&f.clock, 1000);
		assert_ok(store_append(f.store, f.targets[0], STREAM_SCRAPE, f.clock.now_wall_ms, l, &(double){ i }, &why));
		assert_ok(store_flush(f.store, &why));
	}
	atomic_store(&w.is_done, true);
	pthread_join(thread, NULL);
	assert_int_equal(w.wrong, 0);
	assert_in_range(w.reads, 2, 1000000);
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM block"), 50, 400);
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM frame"), 1, 20); /* what is in blocks goes as new frames come */
	end(&f);
}

/* ---- many targets, many frames ---- */

static const struct layout *count_layout(struct fleet *f)
{
	const struct layout *l = NULL;
	struct labels *series = labels_of("__name__", "count", NULL);
	assert_ok(store_layout(f->store, &series, 1, &l, &why));
	labels_unref(series);
	return l;
}

/* Sixteen neighbours write their indexed key frames with the same commit, others with another one. */
static void neighbours_write_key_frames_together(void **state)
{
	(void)state;
	enum { MANY = 40, DISTANCE = 8 };
	struct fleet f;
	int64_t targets[MANY];
	begin(&f, NEVER);
	store_close(f.store);
	const struct store_options o = { .path = f.folder.path, .clock = &f.clock.clock, .commit_ms = 10000, .key_distance = DISTANCE, .folding = FOLD_NEVER };
	assert_ok(store_open(&o, &f.store, &why));
	const struct layout *l = count_layout(&f);
	for (int t = 0; t < MANY; t++) {
		char node[8];
		snprintf(node, sizeof node, "many%d", t);
		struct labels *labels = labels_of("node", node, NULL);
		assert_ok(store_target(f.store, labels, "http://x", &targets[t], &why));
		labels_unref(labels);
	}
	for (int round = 0; round <= DISTANCE; round++) {
		test_clock_advance(&f.clock, 1000);
		for (int t = 0; t < MANY; t++)
			assert_ok(store_append(f.store, targets[t], STREAM_SCRAPE, f.clock.now_wall_ms, l, &(double){ round }, &why));
		assert_ok(store_flush(f.store, &why));
	}
	static const char at[] = "SELECT max(at_ms) - min(at_ms) + 1000 * (count(DISTINCT at_ms) - 1) FROM frame WHERE hop = 2 AND at_ms > (SELECT min(at_ms) FROM frame)";
	char sql[256];
	snprintf(sql, sizeof sql, "%s AND target BETWEEN 16 AND 31", at);
	assert_int_equal(test_sql_number(f.folder.path, sql), 0);
	snprintf(sql, sizeof sql, "%s AND target BETWEEN 16 AND 40", at);
	assert_int_equal(test_sql_number(f.folder.path, sql), 2000);
	end(&f);
}

/* Where frames that are in blocks have piled up in the table, clearly more of them go with each commit than come. */
static void frames_that_piled_up_go(void **state)
{
	(void)state;
	enum { PILED = 1000, COMMITS = 25, AT_ONCE = 200 };
	struct fleet f;
	begin(&f, NEVER);
	const struct layout *l = count_layout(&f);
	for (int i = 0; i < PILED; i++) {
		test_clock_advance(&f.clock, 1000);
		assert_ok(store_append(f.store, f.targets[0], STREAM_SCRAPE, f.clock.now_wall_ms, l, &(double){ i }, &why));
	}
	assert_ok(store_flush(f.store, &why));
	store_close(f.store);
	f.key_distance = 3;
	open_fleet(&f);
	l = count_layout(&f);
	for (int c = 0; c < COMMITS; c++) {
		for (int i = 0; i < AT_ONCE; i++) {
			test_clock_advance(&f.clock, 1000);
			assert_ok(store_append(f.store, f.targets[0], STREAM_SCRAPE, f.clock.now_wall_ms, l, &(double){ i }, &why));
		}
		assert_ok(store_flush(f.store, &why));
	}
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM frame"), 1, 2 * AT_ONCE);
	end(&f);
}

/* ---- very many series ---- */

static int number_of(const struct labels *l)
{
	int64_t n = -1;
	assert_ok(parse_i64(labels_find(l, "i")->value, 0, INT32_MAX, &n));
	return (int)n;
}

/* More than one block has room for, from one key frame to the next. Some change. */
static void frames_of_very_many_series_become_several_blocks(void **state)
{
	(void)state;
	enum { MANY = 150000, ROOM = FOLD_SAMPLES_MAX / MANY, DISTANCE = ROOM + 3, N = 3 * DISTANCE + 5, EACH = 30011 };
	struct fleet f;
	begin(&f, DISTANCE);
	struct labels **series = calloc(MANY, sizeof *series);
	double *v = calloc(MANY, sizeof *v);
	const struct layout *l = NULL;
	assert_true(series != NULL && v != NULL);
	for (int i = 0; i < MANY; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", i);
		series[i] = labels_of("__name__", i % EACH == 7 ? "seen" : "many", "i", number, NULL);
	}
	assert_ok(store_layout(f.store, series, MANY, &l, &why));
	for (int i = 0; i < MANY; i++)
		labels_unref(series[i]);
	for (int k = 1; k <= N; k++) {
		test_clock_advance(&f.clock, 1000);
		for (int i = 7; i < MANY; i += EACH)
			v[i] = k * 1000 + i;
		assert_ok(store_append(f.store, f.targets[0], STREAM_SCRAPE, f.clock.now_wall_ms, l, v, &why));
		assert_ok(store_flush(f.store, &why));
	}
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(*) FROM block"), 4, 10);
	assert_in_range(test_sql_number(f.folder.path, "SELECT max(id - first_frame) FROM block"), ROOM / 2 - 1, ROOM - 1);
	struct reader *r = NULL;
	struct matcher m;
	struct series_set set;
	assert_ok(reader_open(f.folder.path, READER_OWN, &r, &why));
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "seen", &why));
	assert_ok(reader_select(r, &m, 1, 0, INT64_MAX - 1, 1000000, &set, &why));
	assert_int_equal(set.n, (MANY - 8) / EACH + 1);
	for (size_t i = 0; i < set.n; i++) {
		assert_int_equal(set.items[i].n, N);
		for (int k = 1; k <= N; k++)
			assert_true(set.items[i].v[k - 1] == k * 1000 + number_of(set.items[i].labels));
	}
	series_set_release(&set);
	matcher_release(&m);
	reader_close(r);
	free(series);
	free(v);
	end(&f);
}

/* ---- blocks that are not what they say ---- */

static const struct {
	const char *label, *sql;
} damages[] = {
	{ "no head", "UPDATE block SET head = x''" },
	{ "a head of zeros", "UPDATE block SET head = zeroblob(length(head))" },
	{ "a short head", "UPDATE block SET head = substr(head, 1, length(head) - 1)" },
	{ "a head of another block", "UPDATE block SET head = (SELECT b.head FROM block b WHERE b.id <> block.id LIMIT 1)" },
	{ "no body", "UPDATE block SET body = x''" },
	{ "a body of zeros", "UPDATE block SET body = zeroblob(length(body))" },
	{ "a short body", "UPDATE block SET body = substr(body, 1, length(body) - 1)" },
	{ "a huge body of zeros", "UPDATE block SET body = zeroblob(3000000) WHERE id = (SELECT min(id) FROM block)" },
	{ "a body of another block", "UPDATE block SET body = (SELECT b.body FROM block b WHERE b.id <> block.id LIMIT 1)" },
	{ "an earlier first frame", "UPDATE block SET first_frame = first_frame - 1" },
	{ "the least first frame", "UPDATE block SET first_frame = -9223372036854775807 - 1" },
	{ "a chain forwards", "UPDATE block SET prev = id" },
	{ "a chain to the end of time", "UPDATE block SET prev = 9223372036854775807" },
	{ "another start", "UPDATE block SET first_ms = first_ms - 1" },
	{ "another end", "UPDATE block SET last_ms = last_ms + 1" },
	{ "another layout", "UPDATE block SET layout = 3 - layout WHERE layout > 0" },
	{ "no layout", "UPDATE block SET layout = 0 WHERE stream = 1" },
	{ "an unknown layout", "UPDATE block SET layout = 999" },
	{ "another stream", "UPDATE block SET stream = 1 - stream WHERE stream < 2" },
};

static void damaged_blocks_are_told(void **state)
{
	(void)state;
	struct fleet f;
	struct buf text;
	buf_init(&text, 64 << 20);
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		begin(&f, 2);
		for (int round = 0; round < 40; round++)
			record_round(&f, round);
		store_close(f.store);
		f.store = NULL;
		test_sql(f.folder.path, damages[i].sql);
		for (int trust = READER_OWN; trust <= READER_STRANGER; trust++) {
			struct reader *r = NULL;
			assert_ok(reader_open(f.folder.path, (enum reader_trust)trust, &r, &why));
			why.text[0] = '\0';
			buf_clear(&text);
			enum err e = print_all(r, f.clock.now_wall_ms, &text);
			if (e != ERR_CORRUPT || why.text[0] == '\0')
				fail_msg("%s: %s: %s", damages[i].label, err_text(e), why.text);
			reader_close(r);
		}
		end(&f);
	}
	buf_release(&text);
}

/* Changes bits of one byte of a blob of a block; false: it has no bytes, as the body of a block without values. */
static bool flip(const char *path, const char *column, int64_t id, uint64_t random)
{
	sqlite3 *db;
	sqlite3_blob *blob;
	char byte;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_blob_open(db, "main", "block", column, id, 1, &blob), SQLITE_OK);
	int n = sqlite3_blob_bytes(blob), at = n > 0 ? (int)(random / 8 % (uint64_t)n) : 0;
	if (n > 0) {
		assert_int_equal(sqlite3_blob_read(blob, &byte, 1, at), SQLITE_OK);
		byte = (char)(byte ^ (1 << random % 8));
		assert_int_equal(sqlite3_blob_write(blob, &byte, 1, at), SQLITE_OK);
	}
	assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
	sqlite3_close(db);
	return n > 0;
}

/* One byte of one block at a time: a checksum sees it. */
static void a_changed_byte_is_told(void **state)
{
	(void)state;
	struct fleet f;
	struct buf text;
	buf_init(&text, 64 << 20);
	begin(&f, 2);
	for (int round = 0; round < 40; round++)
		record_round(&f, round);
	store_close(f.store);
	f.store = NULL;
	for (int i = 0; i < 60; i++) {
		const char *column = i % 2 == 0 ? "head" : "body";
		char sql[100];
		snprintf(sql, sizeof sql, "SELECT id FROM block ORDER BY id LIMIT 1 OFFSET %d", (int)(roll(&f) % 20));
		int64_t id = test_sql_number(f.folder.path, sql);
		uint64_t where = roll(&f);
		if (!flip(f.folder.path, column, id, where))
			continue;
		struct reader *r = NULL;
		assert_ok(reader_open(f.folder.path, READER_OWN, &r, &why));
		buf_clear(&text);
		assert_int_equal(print_all(r, f.clock.now_wall_ms, &text), ERR_CORRUPT);
		reader_close(r);
		assert_true(flip(f.folder.path, column, id, where)); /* as it was */
	}
	end(&f);
	buf_release(&text);
}

/* A frame that is damaged keeps its own track from being folded, and no other. */
static void a_damaged_frame_stops_its_track_alone(void **state)
{
	(void)state;
	struct fleet f;
	begin(&f, NEVER);
	for (int round = 0; round < 10; round++)
		record_round(&f, round);
	store_close(f.store);
	test_sql(f.folder.path, "UPDATE frame SET body = zeroblob(length(body)) WHERE id = (SELECT min(id) FROM frame WHERE target = 1 AND stream = 0)");
	f.key_distance = 2;
	open_fleet(&f);
	for (int round = 10; round < 40; round++)
		record_round(&f, round);
	assert_int_equal(test_sql_number(f.folder.path, "SELECT count(*) FROM block WHERE target = 1 AND stream = 0"), 0);
	assert_in_range(test_sql_number(f.folder.path, "SELECT count(DISTINCT target * 3 + stream) FROM block"), 10, 14);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folded_store_reads_as_one_that_never_folds),
		cmocka_unit_test(frames_that_are_in_both_places_count_once),
		cmocka_unit_test(readers_see_each_sample_once_while_frames_are_folded),
		cmocka_unit_test(neighbours_write_key_frames_together),
		cmocka_unit_test(frames_that_piled_up_go),
		cmocka_unit_test(frames_of_very_many_series_become_several_blocks),
		cmocka_unit_test(damaged_blocks_are_told),
		cmocka_unit_test(a_changed_byte_is_told),
		cmocka_unit_test(a_damaged_frame_stops_its_track_alone),
	};
	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
