/* SPDX-License-Identifier: Apache-2.0
 *
 * Following a store: each frame once, in the order of writing, whatever its time; decoded rightly, however little may be kept of a track. */
#include "tests/unit/unit.h"

#include "store/store.h"
#include "store/tail.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 3, STEP_MS = 1000 };
static const int64_t START_MS = 1000000;

struct fixture {
	struct store_folder  folder;
	struct test_clock    clock;
	struct store        *store;
	struct reader       *reader;
	struct tail         *tail;
	int64_t              targets[TARGETS];
	const struct layout *layouts[2];
	bool                 wanted[8];
	bool                 wants_none;
	struct { int64_t id; size_t n; } known[8]; /* layouts that it was shown, where it follows with `knows` */
	size_t               n_known, n_shown;
	struct buf           seen;
};

static struct why why;

static const bool *wants(void *ctx, int64_t id, const struct layout *l)
{
	struct fixture *f = ctx;
	assert_true(id > 0 && layout_size(l) <= 8);
	f->n_shown++;
	if (f->n_known < 8) {
		f->known[f->n_known].id = id;
		f->known[f->n_known++].n = layout_size(l);
	}
	return f->wants_none ? NULL : f->wanted;
}

static bool knows(void *ctx, const struct tail_frame *fr, const bool **wanted, size_t *n)
{
	struct fixture *f = ctx;
	assert_true(fr->layout_id > 0 && fr->layout == NULL && fr->target_labels != NULL);
	for (size_t i = 0; i < f->n_known; i++) {
		if (f->known[i].id != fr->layout_id)
			continue;
		*wanted = f->wants_none ? NULL : f->wanted;
		*n = f->known[i].n;
		return true;
	}
	return false;
}

/* "target/stream@seconds=first value,third value ", "-" where it is the one before, "stale" for all. */
static enum err see(void *ctx, const struct tail_frame *fr, struct why *w)
{
	struct fixture *f = ctx;
	(void)w;
	buf_printf(&f->seen, "%s%s/%d@%d", fr->is_before ? "-" : "", labels_get(fr->target_labels, "node"), (int)fr->stream,
	           (int)(fr->wall_ms - START_MS) / STEP_MS);
	if (fr->layout_id == 0)
		buf_puts(&f->seen, "=stale");
	else if (fr->values != NULL)
		buf_printf(&f->seen, "=%g,%g", fr->values[0], fr->values[2]);
	buf_puts(&f->seen, " ");
	return ERR_OK;
}

static void begin(struct fixture *f, size_t states_max, bool has_knows)
{
	*f = (struct fixture){ .wanted = { true, false, true } };
	buf_init(&f->seen, 1 << 20);
	store_folder_make(&f->folder, "tail");
	test_clock_init(&f->clock, START_MS);
	const struct store_options o = { .path = f->folder.path, .clock = &f->clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &f->store, &why));
	for (int i = 0; i < TARGETS; i++) {
		char node[8];
		snprintf(node, sizeof node, "n%d", i);
		struct labels *l = labels_of("node", node, NULL);
		assert_ok(store_target(f->store, l, "http://x", &f->targets[i], &why));
		labels_unref(l);
	}
	struct labels *series[4] = { labels_of("__name__", "a", NULL), labels_of("__name__", "b", NULL), labels_of("__name__", "c", NULL),
		                     labels_of("__name__", "d", NULL) };
	for (size_t i = 0; i < 2; i++)
		assert_ok(store_layout(f->store, series, 3 + i, &f->layouts[i], &why));
	for (size_t i = 0; i < 4; i++)
		labels_unref(series[i]);
	assert_ok(reader_open(f->folder.path, READER_OWN, &f->reader, &why));
	const struct tail_options t = { .reader = f->reader, .states_max_bytes = states_max, .knows = has_knows ? knows : NULL,
		                        .wants = wants, .frame = see, .ctx = f };
	assert_ok(tail_new(&t, &f->tail, &why));
}

static void end(struct fixture *f)
{
	tail_free(f->tail);
	reader_close(f->reader);
	store_close(f->store);
	store_folder_remove(&f->folder);
	buf_release(&f->seen);
}

static void append(struct fixture *f, int target, enum stream stream, int seconds, int layout, double v)
{
	const double values[4] = { v, 100 + v, 200 + v, 300 + v };
	int64_t at_ms = START_MS + (int64_t)seconds * STEP_MS;
	if (layout < 0)
		assert_ok(store_append_stale(f->store, f->targets[target], stream, at_ms, &why));
	else
		assert_ok(store_append(f->store, f->targets[target], stream, at_ms, f->layouts[layout], values, &why));
}

static const char *read_all(struct fixture *f, bool want_rewound)
{
	bool was_rewound = false;
	buf_clear(&f->seen);
	buf_puts(&f->seen, "");
	assert_ok(store_flush(f->store, &why));
	assert_ok(tail_read(f->tail, &was_rewound, &why));
	assert_int_equal(was_rewound, want_rewound);
	return buf_text(&f->seen);
}

static void each_frame_comes_once(void **state)
{
	static const struct {
		size_t states_max; /* 0: all states are kept; 1: none */
		bool   has_knows;
	} rows[] = { { 0, false }, { 1, false }, { 0, true }, { 1, true } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f;
		begin(&f, rows[i].states_max, rows[i].has_knows);
		for (int s = 1; s <= 5; s++)
			append(&f, 0, STREAM_SCRAPE, s, 0, s);
		append(&f, 1, STREAM_SIGNAL, 2, 1, 7);
		tail_start(f.tail, START_MS + 3 * STEP_MS);
		assert_string_equal(read_all(&f, false), "-n0/0@3=3,203 n0/0@4=4,204 n0/0@5=5,205 ");
		assert_string_equal(read_all(&f, false), "");
		append(&f, 1, STREAM_SIGNAL, 9, 1, 8);
		append(&f, 0, STREAM_SCRAPE, 6, 0, 6); /* late, as to its time */
		append(&f, 0, STREAM_SCRAPE, 7, 1, 7);
		append(&f, 0, STREAM_SCRAPE, 8, -1, 0);
		assert_string_equal(read_all(&f, false), "-n1/2@2=7,207 n1/2@9=8,208 n0/0@6=6,206 n0/0@7=7,207 n0/0@8=stale ");
		for (int s = 10; s < 200; s++) {
			append(&f, 0, STREAM_SCRAPE, s, 0, s);
			append(&f, 2, STREAM_SCRAPE, s, 1, -s);
			char want[80];
			snprintf(want, sizeof want, "n0/0@%d=%d,%d n2/0@%d=%d,%d ", s, s, s + 200, s, -s, 200 - s);
			assert_string_equal(read_all(&f, false), want);
		}
		f.wants_none = true;
		tail_start(f.tail, START_MS + 198 * STEP_MS);
		assert_string_equal(read_all(&f, false), "-n0/0@198 n0/0@199 -n2/0@198 n2/0@199 ");
		assert_int_equal(rows[i].has_knows, f.n_shown == 2);
		end(&f);
	}
}

static void a_clock_set_back_is_told(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f, 0, false);
	for (int s = 1; s <= 30; s++) {
		f.clock.now_wall_ms = START_MS + s * STEP_MS;
		f.clock.now_mono_us += STEP_MS * 1000;
		append(&f, 0, STREAM_SCRAPE, s, 0, s);
	}
	tail_start(f.tail, START_MS + 28 * STEP_MS);
	assert_string_equal(read_all(&f, false), "-n0/0@28=28,228 n0/0@29=29,229 n0/0@30=30,230 ");
	f.clock.now_wall_ms = START_MS + 10 * STEP_MS;
	f.clock.now_mono_us += STEP_MS * 1000;
	append(&f, 0, STREAM_SCRAPE, 10, 0, 1000);
	assert_string_equal(read_all(&f, true), "");
	tail_start(f.tail, START_MS + 8 * STEP_MS);
	assert_string_equal(read_all(&f, false), "-n0/0@8=8,208 n0/0@9=9,209 n0/0@10=1000,1200 ");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_comes_once),
		cmocka_unit_test(a_clock_set_back_is_told),
	};
	return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
