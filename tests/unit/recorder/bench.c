/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/recorder/bench.h"

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <unistd.h>

#include "base/diagnostics.h"
#include "base/log.h"
#include "query/query.h"
#include "query/store_source.h"
#include "store/reader.h"

enum { LOOK_MS = 25, COMMIT_MS = 20, FILE_MAX = 64 * 1024 * 1024 };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void bench_open(struct bench *b)
{
	static const char *const none[] = { "/nowhere" };
	struct diagnostics d;
	struct why why = { "" };
	*b = (struct bench){ .folder = "/tmp/pitwall-recorder-XXXXXX", .began_ms = clock_wall_ms(clock_system()) };
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->store_path, sizeof b->store_path, "%s/s.db", b->folder);
	snprintf(b->fleet_path, sizeof b->fleet_path, "%s/fleet.yml", b->folder);
	snprintf(b->log_path, sizeof b->log_path, "%s/log", b->folder);
	diagnostics_init(&d);
	assert_int_equal(profiles_load(none, 1, &d, &b->profiles, &why), ERR_OK);
	diagnostics_release(&d);
}

void bench_close(struct bench *b)
{
	bench_stop(b);
	profiles_free(b->profiles);
	assert_int_equal(nftw(b->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void bench_write(struct bench *b, const char *name, const char *format, ...)
{
	char path[512], fresh[520];
	va_list args;
	snprintf(path, sizeof path, "%s/%s", b->folder, name);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	FILE *f = fopen(fresh, "w");
	assert_non_null(f);
	va_start(args, format);
	vfprintf(f, format, args);
	va_end(args);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	*n = 0;
	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0) {
		long size = ftell(f);
		text = size >= 0 && size <= FILE_MAX ? malloc((size_t)size + 1) : NULL;
		rewind(f);
		*n = text != NULL ? fread(text, 1, (size_t)size, f) : 0;
	}
	fclose(f);
	if (text != NULL)
		text[*n] = '\0';
	return text;
}

char *bench_read(struct bench *b, const char *name)
{
	char path[512];
	size_t n;
	snprintf(path, sizeof path, "%s/%s", b->folder, name);
	char *text = slurp(path, &n);
	return text != NULL ? text : strdup("");
}

void bench_go(struct bench *b)
{
	const struct clock *clock = clock_system();
	const struct store_options store = { .path = b->store_path, .clock = clock, .commit_ms = COMMIT_MS };
	struct diagnostics d;
	struct fleet *fleet = NULL;
	struct why why = { "" };
	diagnostics_init(&d);
	if (log_open(b->log_path, LEVEL_DEBUG, 0, clock, &b->log, &why) != ERR_OK || loop_new(&b->loop, &why) != ERR_OK ||
	    store_open(&store, &b->store, &why) != ERR_OK || fleet_read(b->fleet_path, b->profiles, &d, &fleet, &why) != ERR_OK)
		fail_msg("%s", why.text);
	diagnostics_release(&d);
	const struct recorder_options o = { .loop = b->loop, .store = b->store, .store_path = b->store_path, .profiles = b->profiles,
		                            .fleet = fleet, .clock = clock, .log = b->log, .version = "test" };
	if (recorder_new(&o, &b->recorder, &why) != ERR_OK)
		fail_msg("%s", why.text);
}

static void closed(void *ctx)
{
	loop_stop(((struct bench *)ctx)->loop);
}

void bench_stop(struct bench *b)
{
	if (b->recorder == NULL)
		return;
	recorder_close(b->recorder, closed, b);
	loop_run(b->loop);
	b->recorder = NULL;
	loop_free(b->loop);
	store_close(b->store);
	log_close(b->log);
}

struct waiting {
	struct bench *b;
	bool (*holds)(struct bench *b, void *ctx);
	void         *ctx;
	int64_t       until_ms;
	bool          is_so;
};

static void look(void *ctx)
{
	struct waiting *w = ctx;
	w->is_so = w->holds(w->b, w->ctx);
	if (w->is_so || clock_mono_ms(clock_system()) > w->until_ms)
		loop_stop(w->b->loop);
}

bool bench_wait(struct bench *b, bool (*holds)(struct bench *b, void *ctx), void *ctx)
{
	struct waiting w = { .b = b, .holds = holds, .ctx = ctx, .until_ms = clock_mono_ms(clock_system()) + WAIT_MS };
	struct loop_timer *t = NULL;
	assert_int_equal(loop_timer_new(b->loop, look, &w, &t, NULL), ERR_OK);
	loop_timer_start(t, 0, LOOK_MS);
	loop_run(b->loop);
	loop_timer_close(t);
	return w.is_so;
}

double bench_value(struct bench *b, const char *expr, size_t *n)
{
	struct why why = { "" };
	struct query *q = NULL;
	struct reader *r = NULL;
	struct query_result result = { 0 };
	double v = NAN;
	if (query_parse(expr, &q, NULL, &why) != ERR_OK || reader_open(b->store_path, READER_OWN, &r, &why) != ERR_OK)
		fail_msg("%s: %s", expr, why.text);
	const struct query_source source = store_source(r);
	if (query_instant(q, &source, clock_wall_ms(clock_system()), NULL, &result, &why) != ERR_OK)
		fail_msg("%s: %s", expr, why.text);
	if (result.type == VALUE_SCALAR)
		v = result.scalar;
	else if (result.series.n > 0)
		v = result.series.items[0].v[0];
	if (n != NULL)
		*n = result.series.n;
	query_result_release(&result);
	reader_close(r);
	query_free(q);
	return v;
}

struct becoming {
	const char *expr;
	double      want, tolerance, last;
};

static bool has_become(struct bench *b, void *ctx)
{
	struct becoming *x = ctx;
	x->last = bench_value(b, x->expr, NULL);
	return isnan(x->want) ? isnan(x->last) : fabs(x->last - x->want) <= x->tolerance;
}

bool bench_becomes(struct bench *b, const char *expr, double want, double tolerance)
{
	struct becoming x = { .expr = expr, .want = want, .tolerance = tolerance };
	bool is_so = bench_wait(b, has_become, &x);
	if (!is_so) {
		char *log = bench_read(b, "log");
		print_message("%s: %g, wanted %g; the log:\n%s", expr, x.last, want, log);
		free(log);
	}
	return is_so;
}

struct counting {
	const char *needle;
	size_t      n;
};

static enum err count_one(void *ctx, const struct event *e)
{
	struct counting *c = ctx;
	c->n += strstr(e->text, c->needle) != NULL || strstr(e->data, c->needle) != NULL;
	return ERR_OK;
}

size_t bench_events(struct bench *b, const char *kind, const char *needle)
{
	struct why why = { "" };
	struct reader *r = NULL;
	struct counting c = { .needle = needle };
	if (reader_open(b->store_path, READER_OWN, &r, &why) != ERR_OK ||
	    reader_events(r, NULL, kind[0] != '\0' ? kind : NULL, b->began_ms - 1, INT64_MAX, 10000, count_one, &c, &why) != ERR_OK)
		fail_msg("%s", why.text);
	reader_close(r);
	return c.n;
}

static enum err keep_text(void *ctx, const struct event *e)
{
	struct bench *b = ctx;
	snprintf(b->said, sizeof b->said, "%s", e->text);
	return ERR_OK;
}

const char *bench_event_text(struct bench *b, const char *kind)
{
	struct why why = { "" };
	struct reader *r = NULL;
	b->said[0] = '\0';
	if (reader_open(b->store_path, READER_OWN, &r, &why) != ERR_OK ||
	    reader_events(r, NULL, kind, b->began_ms - 1, INT64_MAX, 1, keep_text, b, &why) != ERR_OK)
		fail_msg("%s", why.text);
	reader_close(r);
	return b->said;
}

struct wanted_event {
	const char *kind, *needle;
};

static bool event_is_there(struct bench *b, void *ctx)
{
	struct wanted_event *e = ctx;
	return bench_events(b, e->kind, e->needle) > 0;
}

bool bench_has_event(struct bench *b, const char *kind, const char *needle)
{
	struct wanted_event e = { kind, needle };
	return bench_wait(b, event_is_there, &e);
}

bool bench_leaks(struct bench *b, const char *text, const char *except)
{
	DIR *d = opendir(b->folder);
	bool leaks = false;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[400];
		size_t n;
		snprintf(path, sizeof path, "%s/%s", b->folder, e->d_name);
		char *bytes = strncmp(e->d_name, except, strlen(except)) == 0 ? NULL : slurp(path, &n);
		if (bytes != NULL && memmem(bytes, n, text, strlen(text)) != NULL) {
			print_message("'%s' is in %s\n", text, e->d_name);
			leaks = true;
		}
		free(bytes);
	}
	closedir(d);
	return leaks;
}
