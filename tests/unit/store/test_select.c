/* SPDX-License-Identifier: Apache-2.0
 *
 * What reader_select gives of a fleet, beside what was recorded: series that come and go, targets that fail, layouts that change, in blocks and in frames, in
 * windows of any place, of all targets (which are read ahead) and of one. */
#include "tests/unit/unit.h"

#include <stdbool.h>

#include "base/stale.h"
#include "store/reader.h"
#include "tests/unit/store_folder.h"

enum { TARGETS = 40, SERIES = 9, ROUNDS = 70, STEP_MS = 10000, GONE = -1 };
static const int64_t START_MS = 1000000;

/* What was recorded of a target at a time: layout GONE, 0 (all series) or 1 (all but the first two). */
struct record {
	int64_t at_ms;
	int     layout;
	double  v[SERIES];
};

static struct why why;

struct fleet {
	struct store_folder  folder;
	struct test_clock    clock;
	struct store        *store;
	int64_t              targets[TARGETS];
	const struct layout *layouts[2];
	uint64_t             random;
	struct record        records[TARGETS][ROUNDS];
	size_t               n[TARGETS];
};
static struct fleet fleet;

/* splitmix64, Steele and others 2014 */
static uint64_t roll(struct fleet *f)
{
	uint64_t z = f->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void begin(struct fleet *f, enum folding folding, uint64_t seed)
{
	*f = (struct fleet){ .random = seed };
	store_folder_make(&f->folder, "select");
	test_clock_init(&f->clock, START_MS);
	const struct store_options o = { .path = f->folder.path, .clock = &f->clock.clock, .commit_ms = 10000, .key_distance = 8, .folding = folding };
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
		char le[8];
		snprintf(le, sizeof le, "%d", i);
		series[i] = labels_of(LABEL_NAME, i % 4 == 3 ? "other" : "m", "le", le, NULL);
	}
	assert_ok(store_layout(f->store, series, SERIES, &f->layouts[0], &why));
	assert_ok(store_layout(f->store, series + 2, SERIES - 2, &f->layouts[1], &why));
	for (size_t i = 0; i < SERIES; i++)
		labels_unref(series[i]);
}

static void end(struct fleet *f)
{
	store_close(f->store);
	store_folder_remove(&f->folder);
}

/* Most targets are as usual; every fifth fails now and then, and has series that come and go; some of these change their layout too. */
static void record_one(struct fleet *f, int t, int64_t at_ms)
{
	struct record *r = &f->records[t][f->n[t]];
	const struct record *before = f->n[t] > 0 ? r - 1 : NULL;
	uint64_t dice = t % 5 == 0 ? roll(f) : 1;
	*r = (struct record){ .at_ms = at_ms };
	for (int i = 0; i < SERIES; i++) {
		r->v[i] = before != NULL && !is_stale(before->v[i]) ? before->v[i] + (double)(roll(f) % 3) : (double)i;
		if (t % 5 == 0 && roll(f) % 12 == 0)
			r->v[i] = stale_mark();
	}
	r->layout = dice % 11 == 0 ? GONE : t % 10 == 0 && before != NULL && before->layout != GONE ? (dice % 7 == 0 ? !before->layout : before->layout) : 0;
	if (r->layout == GONE)
		assert_ok(store_append_stale(f->store, f->targets[t], STREAM_SCRAPE, at_ms, &why));
	else
		assert_ok(store_append(f->store, f->targets[t], STREAM_SCRAPE, at_ms, f->layouts[r->layout], r->v + 2 * r->layout, &why));
	f->n[t]++;
}

static void record_all(struct fleet *f)
{
	for (int round = 1; round <= ROUNDS; round++) {
		test_clock_advance(&f->clock, STEP_MS);
		for (int t = 0; t < TARGETS; t++)
			if (t % 7 != 3 || round % 3 == 0)
				record_one(f, t, f->clock.now_wall_ms + t);
		assert_ok(store_flush(f->store, &why));
	}
}

/* ---- what is expected ---- */

struct samples {
	size_t  n;
	int64_t t_ms[ROUNDS];
	double  v[ROUNDS];
};

static double value_at(const struct record *r, int series)
{
	return r->layout == GONE || (r->layout == 1 && series < 2) ? stale_mark() : r->v[series];
}

static void expect(const struct fleet *f, int t, int series, int64_t after_ms, int64_t until_ms, struct samples *out)
{
	bool is_live = false;
	out->n = 0;
	for (size_t i = 0; i < f->n[t] && f->records[t][i].at_ms <= until_ms; i++) {
		double v = value_at(&f->records[t][i], series);
		bool was_live = is_live;
		is_live = !is_stale(v);
		if (f->records[t][i].at_ms > after_ms && (is_live || was_live)) {
			out->t_ms[out->n] = f->records[t][i].at_ms;
			out->v[out->n++] = v;
		}
	}
}

static const struct series *find(const struct series_set *set, int t, int series)
{
	char node[8], le[8];
	snprintf(node, sizeof node, "n%d", t);
	snprintf(le, sizeof le, "%d", series);
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(labels_get(set->items[i].labels, "node"), node) == 0 && strcmp(labels_get(set->items[i].labels, "le"), le) == 0)
			return &set->items[i];
	return NULL;
}

/* Of the metric "m", of all targets or (not negative) of one. Returns how many samples there are. */
static size_t assert_set(const struct fleet *f, const struct series_set *set, int only, int64_t after_ms, int64_t until_ms)
{
	size_t n_series = 0, n_samples = 0;
	for (int t = 0; t < TARGETS; t++)
		for (int s = 0; s < SERIES; s++) {
			struct samples want;
			if (s % 4 == 3 || (only >= 0 && t != only))
				continue;
			expect(f, t, s, after_ms, until_ms, &want);
			const struct series *got = find(set, t, s);
			assert_int_equal(got != NULL ? got->n : 0, want.n);
			if (got == NULL)
				continue;
			assert_memory_equal(got->t_ms, want.t_ms, want.n * sizeof *want.t_ms);
			assert_memory_equal(got->v, want.v, want.n * sizeof *want.v);
			for (size_t i = 0; got->is_lent && i < got->n; i++)
				assert_false(is_stale(got->v[i]));
			n_series++;
			n_samples += want.n;
		}
	assert_int_equal(set->n, n_series);
	return n_samples;
}

static void check_window(const struct fleet *f, struct reader *r, int only, int64_t after_ms, int64_t until_ms)
{
	enum { MANY = 1000000 };
	struct matcher m[2];
	struct series_set set;
	char node[8];
	size_t n_m = only >= 0 ? 2 : 1;
	snprintf(node, sizeof node, "n%d", only);
	assert_ok(matcher_init(&m[0], MATCH_EQUAL, LABEL_NAME, "m", &why));
	assert_ok(matcher_init(&m[1], MATCH_EQUAL, "node", node, &why));
	assert_ok(reader_select(r, m, n_m, after_ms, until_ms, MANY, &set, &why));
	size_t n = assert_set(f, &set, only, after_ms, until_ms);
	series_set_release(&set);
	/* With room for just as many, what could be more is gathered sample by sample. */
	assert_ok(reader_select(r, m, n_m, after_ms, until_ms, n, &set, &why));
	assert_set(f, &set, only, after_ms, until_ms);
	series_set_release(&set);
	if (n > 0)
		assert_int_equal(reader_select(r, m, n_m, after_ms, until_ms, n - 1, &set, &why), ERR_LIMIT);
	matcher_release(&m[0]);
	matcher_release(&m[1]);
}

static void check_fleet(enum folding folding, uint64_t seed)
{
	enum { WINDOWS = 40 };
	struct fleet *f = &fleet;
	struct reader *r;
	begin(f, folding, seed);
	record_all(f);
	assert_ok(reader_open(f->folder.path, READER_OWN, &r, &why));
	for (int i = 0; i < WINDOWS; i++) {
		int64_t after_ms = START_MS + (int64_t)(roll(f) % (ROUNDS * STEP_MS)), until_ms = after_ms + (int64_t)(roll(f) % (ROUNDS * STEP_MS));
		check_window(f, r, i % 2 == 0 ? -1 : (int)(roll(f) % TARGETS), i == 0 ? 0 : after_ms, until_ms);
	}
	reader_close(r);
	end(f);
}

static void is_what_was_recorded_in_frames(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 3; seed++)
		check_fleet(FOLD_NEVER, seed);
}

static void is_what_was_recorded_in_blocks_and_frames(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 3; seed++)
		check_fleet(FOLD_AT_ONCE, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_was_recorded_in_frames),
		cmocka_unit_test(is_what_was_recorded_in_blocks_and_frames),
	};
	return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
