/* SPDX-License-Identifier: Apache-2.0
 *
 * Details over a real store: what a target said as of a time becomes rows, by the rules of its profile. */
#include "tests/unit/unit.h"

#include "tests/unit/store_folder.h"

#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stale.h"
#include "rules/detail.h"
#include "store/reader.h"
#include "store/store.h"

enum { FRAMES = 7, FRAME_MS = 10000, SERIES_MAX = 2500 };
static const int64_t T0 = INT64_C(1790000000000);

static const char head[] = "profile: { name: tested, window: 1m }\ngroups:\n- name: signals\n  rules:\n"
	"  - { record: 'signal:gpu_power_watts', expr: 'max by (gpu, uuid) (watts)' }\n"
	"- name: details\n  rules:\n";

struct stage {
	struct store_folder   at;
	char                  file[96];
	struct test_clock     clock;
	struct store         *store;
	struct reader        *reader;
	struct profiles      *profiles;
	struct detail_engine *engine;
	struct labels        *series[SERIES_MAX];
	double                values[SERIES_MAX];
	size_t                n;
	int64_t               target;
	struct arena          arena;
	struct details       *d;
};

static struct why why;

static void open_stage(struct stage *s, const char *rules)
{
	*s = (struct stage){ .n = 0 };
	store_folder_make(&s->at, "detail");
	snprintf(s->file, sizeof s->file, "%s/tested.yml", s->at.folder);
	FILE *out = fopen(s->file, "w");
	assert_non_null(out);
	fprintf(out, "%s%s", head, rules);
	assert_int_equal(fclose(out), 0);
	const char *const folders[] = { s->at.folder };
	assert_ok(profiles_load(folders, 1, NULL, &s->profiles, &why));
	assert_ok(detail_engine_new(s->profiles, &s->engine, &why));
	test_clock_init(&s->clock, T0);
	struct store_options o = { .path = s->at.path, .clock = &s->clock.clock };
	struct labels       *labels = labels_of("instance", "a:1", "gpu", "the fleet's", NULL);
	assert_ok(store_open(&o, &s->store, &why));
	assert_ok(store_target(s->store, labels, "http://a:1/metrics", &s->target, &why));
	labels_unref(labels);
	arena_init(&s->arena);
}

static void close_stage(struct stage *s)
{
	arena_release(&s->arena);
	detail_engine_free(s->engine);
	profiles_free(s->profiles);
	reader_close(s->reader);
	store_close(s->store);
	for (size_t i = 0; i < s->n; i++)
		labels_unref(s->series[i]);
	unlink(s->file);
	store_folder_remove(&s->at);
}

/* Takes the labels over. */
static void add(struct stage *s, struct labels *series, double v)
{
	assert_true(s->n < SERIES_MAX);
	s->series[s->n] = series;
	s->values[s->n++] = v;
}

/* Writes FRAMES answers; a counter's value grows by 10 from each to the next. */
static void write_frames(struct stage *s)
{
	const struct layout *layout = NULL;
	assert_ok(store_layout(s->store, s->series, s->n, &layout, &why));
	for (int i = 0; i < FRAMES; i++) {
		for (size_t k = 0; k < s->n; k++)
			if (strcmp(labels_metric(s->series[k]), "bytes_total") == 0)
				s->values[k] = 1000 + 10 * i;
		assert_ok(store_append(s->store, s->target, STREAM_SCRAPE, T0 + i * FRAME_MS, layout, s->values, &why));
	}
	assert_ok(store_flush(s->store, &why));
	assert_ok(reader_open(s->at.path, READER_OWN, &s->reader, &why));
}

static const struct details *read_at(struct stage *s, const char *profile, int64_t t_ms)
{
	const struct detail_target t = { .id = s->target, .profile = profile, .interval_ms = FRAME_MS };
	s->d = NULL;
	assert_ok(detail_engine_read(s->engine, s->reader, &t, t_ms, NULL, &s->arena, &s->d, &why));
	assert_non_null(s->d);
	return s->d;
}

static size_t count_rows(const struct details *d)
{
	size_t n = 0;
	for (enum detail_id id = 0; id < DETAIL_COUNT; id++)
		n += d->of[id].n;
	return n;
}

#define LAST_MS (T0 + (FRAMES - 1) * FRAME_MS)

static void test_rows(void **state)
{
	struct stage s;
	(void)state;
	open_stage(&s, "  - { record: 'detail:gpu_info', expr: 'info', labels: { source: a-tool } }\n"
	               "  - { record: 'detail:gpu_throttle', expr: 'capped', labels: { reason: power cap } }\n"
	               "  - { record: 'detail:gpu_throttle', expr: 'hot', labels: { reason: thermal } }\n"
	               "  - { record: 'detail:gpu_nvlink_errors', expr: 'rate(bytes_total[1m])' }\n"
	               "  - { record: 'detail:gpu_memory_used_bytes', expr: 'one * on (gpu) group_left many' }\n"
	               "  - { record: 'detail:gpu_xid', expr: '3' }\n"
	               "  - { record: 'detail:gpu_pcie_width', expr: 'nan' }\n");
	add(&s, labels_of("__name__", "info", "gpu", "0", "uuid", "GPU-a", "name", "A", "serial", "7", NULL), 1);
	add(&s, labels_of("__name__", "info", "gpu", "1", "uuid", "GPU-b", "name", "A", NULL), 1);
	add(&s, labels_of("__name__", "capped", "gpu", "0", NULL), 1);
	add(&s, labels_of("__name__", "hot", "gpu", "0", NULL), 0);
	add(&s, labels_of("__name__", "bytes_total", "gpu", "0", NULL), 0);
	add(&s, labels_of("__name__", "nan", "gpu", "0", NULL), (double)NAN);
	add(&s, labels_of("__name__", "one", "gpu", "0", NULL), 1);
	add(&s, labels_of("__name__", "many", "gpu", "0", "x", "1", NULL), 1);
	add(&s, labels_of("__name__", "many", "gpu", "0", "x", "2", NULL), 1);
	add(&s, labels_of("__name__", "watts", "gpu", "0", NULL), 300);
	write_frames(&s);
	const struct details *d = read_at(&s, "tested", LAST_MS + 2000);
	assert_int_equal(d->t_ms, LAST_MS);
	assert_int_equal(d->of[DETAIL_GPU_INFO].n, 2);
	const struct detail_row *info = &d->of[DETAIL_GPU_INFO].rows[0];
	/* The target's own labels, not those that the fleet file gave it. */
	assert_string_equal(detail_label(DETAIL_GPU_INFO, info, "gpu"), "0");
	assert_string_equal(detail_label(DETAIL_GPU_INFO, info, "uuid"), "GPU-a");
	assert_string_equal(detail_label(DETAIL_GPU_INFO, info, "name"), "A");
	assert_string_equal(detail_label(DETAIL_GPU_INFO, info, "source"), "a-tool");
	assert_string_equal(detail_label(DETAIL_GPU_INFO, info, "serial"), "");
	assert_string_equal(detail_label(DETAIL_GPU_INFO, info, "pci_bus_id"), "");
	assert_int_equal(d->of[DETAIL_GPU_THROTTLE].n, 2);
	assert_string_equal(detail_label(DETAIL_GPU_THROTTLE, &d->of[DETAIL_GPU_THROTTLE].rows[0], "reason"), "power cap");
	assert_string_equal(detail_label(DETAIL_GPU_THROTTLE, &d->of[DETAIL_GPU_THROTTLE].rows[1], "reason"), "thermal");
	assert_int_equal(d->of[DETAIL_GPU_NVLINK_ERRORS].n, 1);
	assert_true(fabs(d->of[DETAIL_GPU_NVLINK_ERRORS].rows[0].value - 1) < 1e-6);
	/* A rule that fails costs its own rows; a NaN is no value; a number has no labels. */
	assert_int_equal(d->of[DETAIL_GPU_MEMORY_USED].n, 0);
	assert_int_equal(d->of[DETAIL_GPU_PCIE_WIDTH].n, 0);
	assert_int_equal(d->of[DETAIL_GPU_XID].n, 1);
	assert_true(d->of[DETAIL_GPU_XID].rows[0].value == 3);
	assert_int_equal(count_rows(d), 6);
	close_stage(&s);
}

/* As of which time, of which profile, and whether there is anything. */
static void test_times(void **state)
{
	static const struct {
		const char *label, *profile;
		int64_t     after_last_ms, answer_ms;
	} rows[] = {
		{ "at the last answer", "tested", 0, LAST_MS },
		{ "just before it", "tested", -1, LAST_MS - FRAME_MS },
		{ "at the first answer", "tested", -(FRAMES - 1) * FRAME_MS, T0 },
		{ "before all", "tested", -(FRAMES - 1) * FRAME_MS - 1, 0 },
		{ "as old as an answer may be", "tested", 5 * 60000 - 1, LAST_MS },
		{ "older", "tested", 5 * 60000, 0 },
		{ "a profile that is not known", "nothing", 0, 0 },
		{ "no profile", "", 0, 0 },
		{ "a profile without details", "vllm", 0, 0 },
	};
	struct stage s;
	(void)state;
	open_stage(&s, "  - { record: 'detail:gpu_info', expr: 'info' }\n");
	add(&s, labels_of("__name__", "info", "gpu", "0", NULL), 1);
	write_frames(&s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct details *d = read_at(&s, rows[i].profile, LAST_MS + rows[i].after_last_ms);
		assert_row(rows[i].label, d->t_ms == rows[i].answer_ms);
		assert_row(rows[i].label, count_rows(d) == (rows[i].answer_ms == 0 ? 0 : 1));
	}
	/* The target falls silent, then answers with another page. */
	struct labels       *other[] = { labels_of("__name__", "info", "gpu", "7", NULL) };
	const struct layout *layout = NULL;
	const double         one = 1;
	assert_ok(store_layout(s.store, other, 1, &layout, &why));
	assert_ok(store_append_stale(s.store, s.target, STREAM_SCRAPE, LAST_MS + FRAME_MS, &why));
	assert_ok(store_append(s.store, s.target, STREAM_SCRAPE, LAST_MS + 2 * FRAME_MS, layout, &one, &why));
	assert_ok(store_flush(s.store, &why));
	assert_int_equal(read_at(&s, "tested", LAST_MS + FRAME_MS)->t_ms, 0);
	const struct details *d = read_at(&s, "tested", LAST_MS + 2 * FRAME_MS);
	assert_int_equal(d->of[DETAIL_GPU_INFO].n, 1);
	assert_string_equal(detail_label(DETAIL_GPU_INFO, &d->of[DETAIL_GPU_INFO].rows[0], "gpu"), "7");
	labels_unref(other[0]);
	close_stage(&s);
}

/* What a hostile target says is bounded: rows, and the texts in them. */
static void test_bounds(void **state)
{
	struct stage s;
	char         gpu[16], long_name[3 * DETAIL_TEXT_MAX + 1];
	(void)state;
	open_stage(&s, "  - { record: 'detail:gpu_info', expr: 'info' }\n");
	for (size_t i = 0; i < DETAIL_TEXT_MAX; i++)
		memcpy(long_name + 3 * i, "\xe2\x82\xac", 4);
	for (int i = 0; i < 2000; i++) {
		snprintf(gpu, sizeof gpu, "%d", i);
		add(&s, labels_of("__name__", "info", "gpu", gpu, "name", long_name, NULL), 1);
	}
	write_frames(&s);
	const struct details *d = read_at(&s, "tested", LAST_MS);
	assert_int_equal(d->of[DETAIL_GPU_INFO].n, DETAIL_ROWS_MAX);
	assert_int_equal(d->n_left_out, 2000 - DETAIL_ROWS_MAX);
	assert_int_equal(strlen(detail_label(DETAIL_GPU_INFO, &d->of[DETAIL_GPU_INFO].rows[0], "name")), 255); /* whole characters of three bytes */
	close_stage(&s);
}

static void test_cancel(void **state)
{
	struct stage      s;
	const atomic_bool cancelled = true;
	(void)state;
	open_stage(&s, "  - { record: 'detail:gpu_info', expr: 'info' }\n");
	add(&s, labels_of("__name__", "info", "gpu", "0", NULL), 1);
	write_frames(&s);
	const struct detail_target t = { .id = s.target, .profile = "tested", .interval_ms = FRAME_MS };
	assert_int_equal(detail_engine_read(s.engine, s.reader, &t, LAST_MS, &cancelled, &s.arena, &s.d, &why), ERR_CANCELLED);
	close_stage(&s);
}

/* More targets than windows are kept for, one after the other. */
static void test_many_targets(void **state)
{
	enum { TARGETS = 40 };
	struct stage         s;
	struct labels       *series = labels_of("__name__", "info", "gpu", "0", NULL);
	const struct layout *layout = NULL;
	int64_t              targets[TARGETS];
	(void)state;
	open_stage(&s, "  - { record: 'detail:gpu_info', expr: 'info' }\n");
	assert_ok(store_layout(s.store, &series, 1, &layout, &why));
	for (int i = 0; i < TARGETS; i++) {
		char           instance[16];
		const double   v = i;
		snprintf(instance, sizeof instance, "t%d", i);
		struct labels *labels = labels_of("instance", instance, NULL);
		assert_ok(store_target(s.store, labels, "x", &targets[i], &why));
		assert_ok(store_append(s.store, targets[i], STREAM_SCRAPE, T0, layout, &v, &why));
		labels_unref(labels);
	}
	assert_ok(store_flush(s.store, &why));
	assert_ok(reader_open(s.at.path, READER_OWN, &s.reader, &why));
	for (int k = 0; k < 3 * TARGETS; k++) {
		s.target = targets[k % TARGETS];
		assert_true(read_at(&s, "tested", T0)->of[DETAIL_GPU_INFO].rows[0].value == k % TARGETS);
	}
	labels_unref(series);
	close_stage(&s);
}

static void test_table(void **state)
{
	(void)state;
	for (enum detail_id id = 0; id < DETAIL_COUNT; id++) {
		const struct detail_info *info = detail_info(id);
		assert_row(info->metric, detail_by_metric(info->metric) == id);
		assert_row(info->metric, info->sentence[0] != '\0');
	}
	assert_int_equal(detail_by_metric("detail:"), DETAIL_COUNT);
	assert_int_equal(detail_by_metric("gpu_info"), DETAIL_COUNT);
}

/* docs/details.md has a line for every detail of the table, and for no other. */
static void test_documented(void **state)
{
	const char *srcdir = getenv("PITWALL_SRCDIR");
	char        path[1024], line[4096];
	size_t      times[DETAIL_COUNT] = { 0 };
	(void)state;
	snprintf(path, sizeof path, "%s/docs/details.md", srcdir == NULL ? "." : srcdir);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof line, in) != NULL) {
		char *end = strncmp(line, "| `detail:", 10) == 0 ? strchr(line + 3, '`') : NULL;
		if (end == NULL)
			continue;
		*end = '\0';
		enum detail_id id = detail_by_metric(line + 3);
		assert_row(line + 3, id != DETAIL_COUNT);
		times[id]++;
	}
	fclose(in);
	for (enum detail_id id = 0; id < DETAIL_COUNT; id++)
		assert_row(detail_info(id)->metric, times[id] == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),         cmocka_unit_test(test_times), cmocka_unit_test(test_bounds),     cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_many_targets), cmocka_unit_test(test_table), cmocka_unit_test(test_documented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
