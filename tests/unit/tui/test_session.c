/* SPDX-License-Identifier: Apache-2.0
 *
 * A session over a real store and a real loop, with the test's clock: how T moves live, paused, playing and in a file, and what the console
 * may ask for. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

#include "store/export.h"
#include "store/store.h"
#include "tui/glyph.h"
#include "tui/screen.h"
#include "tui/session.h"

enum { FRAME_MS = 5000, N_FRAMES = 25, N_SERIES = 4, DEADLINE_MS = 30 * 1000 };
/* the newest frame is a second old */
static const int64_t FIRST_MS = 1700000000000, NOW_MS = 1700000000000 + (N_FRAMES - 1) * FRAME_MS + 1000;
static const int64_t LAST_MS = 1700000000000 + (N_FRAMES - 1) * FRAME_MS;

/* Read by the feed's workers too, hence not base/clock.h's. */
struct shared_clock {
	struct clock     clock;
	_Atomic int64_t  wall_ms, mono_ms;
};

struct stage {
	char                folder[64], path[96], copy[96];
	struct shared_clock clock;
	struct store       *store;
	const struct layout *layout;
	int64_t             target;
	struct loop        *loop;
	struct loop_timer  *deadline;
	struct session     *session;
	struct console_host host;
	int                 n_new, n_ticks, n_closed;
	bool                is_late;
	const char         *says_recorder, *says_trouble; /* what the status callback puts in; NULL: nothing */
	char                theme[32];
};

static struct why why;

static int64_t wall_ms(const struct clock *c)
{
	return atomic_load(&((const struct shared_clock *)(const void *)c)->wall_ms);
}

static int64_t mono_us(const struct clock *c)
{
	return atomic_load(&((const struct shared_clock *)(const void *)c)->mono_ms) * 1000;
}

static void advance(struct stage *s, int64_t ms)
{
	atomic_fetch_add(&s->clock.wall_ms, ms);
	atomic_fetch_add(&s->clock.mono_ms, ms);
}

/* ---- the store ---- */

static void append(struct stage *s, int64_t t_ms)
{
	const double values[N_SERIES] = { 1, 10 + (double)(t_ms % 7), 0.2, 1 };
	assert_ok(store_append(s->store, s->target, STREAM_SIGNAL, t_ms, s->layout, values, &why));
}

static void fill_store(struct stage *s)
{
	struct labels *series[N_SERIES] = {
		labels_of("__name__", "signal:up", NULL),
		labels_of("__name__", "signal:requests:rate", NULL),
		labels_of("__name__", "signal:latency_seconds:p99", NULL),
		labels_of("__name__", "signal:model_version", "model", "chat", "version", "7", NULL),
	};
	struct labels *labels = labels_of("instance", "n1", "job", "vllm", "group", "g", "node", "n1", "model", "chat", NULL);
	const struct store_options o = { .path = s->path, .clock = &s->clock.clock, .commit_ms = 10 };
	atomic_store(&s->clock.wall_ms, FIRST_MS);
	assert_ok(store_open(&o, &s->store, &why));
	assert_ok(store_layout(s->store, series, N_SERIES, &s->layout, &why));
	assert_ok(store_target(s->store, labels, "http://x/metrics", &s->target, &why));
	for (int i = 0; i < N_FRAMES; i++)
		append(s, FIRST_MS + i * FRAME_MS);
	const struct event event = { .wall_ms = FIRST_MS + 7000, .severity = SEVERITY_CRIT, .kind = "scrape", .node = "n1",
	                             .text = "it fell silent" };
	assert_ok(store_append_event(s->store, &event, &why));
	assert_ok(store_flush(s->store, &why));
	for (size_t i = 0; i < N_SERIES; i++)
		labels_unref(series[i]);
	labels_unref(labels);
	advance(s, NOW_MS - FIRST_MS);
}

/* ---- the loop ---- */

static void on_changed(void *ctx, bool is_new)
{
	struct stage *s = ctx;
	assert_int_equal(s->n_closed, 0);
	s->n_new += is_new;
	s->n_ticks += !is_new;
	loop_stop(s->loop);
}

static void on_closed(void *ctx)
{
	struct stage *s = ctx;
	s->n_closed++;
	loop_stop(s->loop);
}

static void on_deadline(void *ctx)
{
	struct stage *s = ctx;
	s->is_late = true;
	loop_stop(s->loop);
}

static const struct view *view(const struct stage *s)
{
	return session_view(s->session);
}

#define wait_until(s, condition)                                                    \
	do {                                                                        \
		loop_timer_start((s)->deadline, DEADLINE_MS, 0);                    \
		while (!(condition)) {                                              \
			if ((s)->is_late)                                           \
				fail_msg("in time there was no: %s", #condition);   \
			loop_run((s)->loop);                                        \
		}                                                                   \
		loop_timer_stop((s)->deadline);                                     \
	} while (0)

static void wait_for_tick(struct stage *s)
{
	int before = s->n_ticks;
	wait_until(s, s->n_ticks > before);
}

static void say_status(void *ctx, const char **recorder, const char **trouble)
{
	struct stage *s = ctx;
	*recorder = s->says_recorder != NULL ? s->says_recorder : *recorder;
	*trouble = s->says_trouble != NULL ? s->says_trouble : *trouble;
}

static enum err set_theme(void *ctx, const char *name, struct why *w)
{
	struct stage *s = ctx;
	if (strcmp(name, "night") != 0)
		return why_set(w, ERR_NOT_FOUND, "there is no theme '%s'", name);
	snprintf(s->theme, sizeof s->theme, "%s", name);
	return ERR_OK;
}

static struct session_options options(struct stage *s)
{
	return (struct session_options){ .loop = s->loop, .clock = &s->clock.clock, .store_path = s->path, .status = say_status,
	                                 .theme = set_theme,
		                         .changed = on_changed, .ctx = s };
}

static void begin(struct stage *s, const struct session_options *o)
{
	assert_ok(session_new(o, &s->session, &why));
	s->host = session_host(s->session);
	assert_ptr_equal(s->host.view(s->host.context), view(s));
}

/* Live, with the first answer there. */
static void begin_live(struct stage *s)
{
	const struct session_options o = options(s);
	begin(s, &o);
	wait_until(s, view(s)->fleet != NULL);
}

static void end(struct stage *s)
{
	session_close(s->session, on_closed, s);
	s->session = NULL;
	wait_until(s, s->n_closed > 0);
	assert_int_equal(s->n_closed, 1);
	s->n_closed = 0;
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	snprintf(s->folder, sizeof s->folder, "/tmp/pitwall-session-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/x.db", s->folder);
	snprintf(s->copy, sizeof s->copy, "%s/night.pitwall", s->folder);
	s->clock.clock = (struct clock){ wall_ms, mono_us };
	fill_store(s);
	assert_ok(loop_new(&s->loop, &why));
	assert_ok(loop_timer_new(s->loop, on_deadline, s, &s->deadline, &why));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm", "night.pitwall", "no.db" };
	if (s->session != NULL)
		end(s);
	loop_timer_close(s->deadline);
	loop_free(s->loop);
	if (s->store != NULL)
		store_close(s->store);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
		unlink(path);
	}
	rmdir(s->folder);
	free(s);
	return 0;
}

/* ---- asking ---- */

static struct requests command(struct stage *s, enum command c, const char *argument)
{
	struct requests r = { 0 };
	assert_int_equal(s->host.command(s->host.context, c, argument, &r), NEXT_REDRAW);
	return r;
}

static bool says(const struct requests *r, const char *text)
{
	return r->message != NULL && strstr(r->message, text) != NULL;
}

static void go_to(struct stage *s, int64_t t_ms)
{
	const struct requests r = { .has_time = true, .time_ms = t_ms };
	s->host.requests(s->host.context, &r);
}

/* ---- live ---- */

static void test_live(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	const struct view *v = view(s);
	assert_int_equal(v->mode, VIEW_LIVE);
	assert_false(v->is_file);
	assert_int_equal(v->t_ms, NOW_MS);
	assert_int_equal(v->now_ms, NOW_MS);
	assert_int_equal(v->first_ms, FIRST_MS);
	assert_int_equal(v->last_ms, LAST_MS);
	assert_int_equal(v->fleet->n_nodes, 1);
	assert_string_equal(v->fleet->nodes[0].node, "n1");
	assert_int_equal(v->signal, SIGNAL_LATENCY_P99);
	assert_true(v->speed > 0.99 && v->speed < 1.01);
	/* T goes with the clock, and what comes into the store is shown. */
	advance(s, FRAME_MS);
	append(s, LAST_MS + FRAME_MS);
	assert_ok(store_flush(s->store, &why));
	wait_until(s, view(s)->last_ms == LAST_MS + FRAME_MS);
	assert_int_equal(view(s)->t_ms, NOW_MS + FRAME_MS);
	assert_int_equal(view(s)->fleet->nodes[0].seen_ms, LAST_MS + FRAME_MS);
	/* The lease had run out when the test's clock jumped; the store's writer renews it by its own clock. */
	wait_until(s, strstr(view(s)->recorder, "(pid ") != NULL);
	assert_string_equal(view(s)->trouble, "");
}

static void test_nobody_records(void **state)
{
	struct stage *s = *state;
	store_close(s->store);
	s->store = NULL;
	begin_live(s);
	assert_string_equal(view(s)->recorder, "");
	assert_string_equal(view(s)->trouble, "nobody records this store: what is shown grows old");
	s->says_recorder = "this console"; /* whoever made the session may know better */
	s->says_trouble = "the disk is full";
	wait_for_tick(s);
	assert_string_equal(view(s)->recorder, "this console");
	assert_string_equal(view(s)->trouble, "the disk is full");
}

static void test_no_store(void **state)
{
	struct stage *s = *state;
	char path[128];
	snprintf(path, sizeof path, "%s/no.db", s->folder);
	struct session_options o = options(s);
	o.store_path = path;
	begin(s, &o);
	memset(path, 'x', sizeof path - 1); /* the path was copied */
	wait_until(s, view(s)->trouble[0] != '\0');
	assert_non_null(strstr(view(s)->trouble, "no.db"));
	assert_true(view(s)->fleet == NULL || view(s)->fleet->n_nodes == 0);
}

static void test_closing_while_it_reads(void **state)
{
	struct stage *s = *state;
	const struct session_options o = options(s);
	begin(s, &o);
	end(s); /* on_changed holds that nothing is said after that */
	assert_int_equal(s->n_new, 0);
	begin_live(s);
	go_to(s, FIRST_MS + 1000);
	end(s);
}

/* ---- time ---- */

static void test_paused(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	command(s, COMMAND_PAUSE, "");
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	advance(s, 500);
	wait_for_tick(s);
	assert_int_equal(view(s)->t_ms, NOW_MS); /* it stands, the clock goes on */
	assert_int_equal(view(s)->now_ms, NOW_MS + 500);
	command(s, COMMAND_PAUSE, ""); /* so near to now going on is live */
	assert_int_equal(view(s)->mode, VIEW_LIVE);
	assert_int_equal(view(s)->t_ms, NOW_MS + 500);
	command(s, COMMAND_PAUSE, "");
	advance(s, 20 * 1000);
	command(s, COMMAND_PAUSE, ""); /* and so far from it, it is a replay */
	assert_int_equal(view(s)->mode, VIEW_PLAYING);
	assert_int_equal(view(s)->t_ms, NOW_MS + 500);
	const struct requests stop = { .pause = true };
	s->host.requests(s->host.context, &stop);
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	command(s, COMMAND_LIVE, "");
	assert_int_equal(view(s)->mode, VIEW_LIVE);
	assert_int_equal(view(s)->t_ms, NOW_MS + 20 * 1000 + 500);
}

static void test_playing(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	command(s, COMMAND_SPEED, "8");
	go_to(s, FIRST_MS + 10000);
	command(s, COMMAND_PAUSE, "");
	assert_int_equal(view(s)->mode, VIEW_PLAYING);
	advance(s, 1000);
	wait_for_tick(s);
	assert_int_equal(view(s)->t_ms, FIRST_MS + 10000 + 8 * 1000);
	wait_until(s, view(s)->fleet->t_ms == FIRST_MS + 18000); /* and the fleet of then is shown */
	assert_int_equal(view(s)->fleet->nodes[0].seen_ms, FIRST_MS + 15000);
	advance(s, 60 * 1000); /* it catches up */
	wait_for_tick(s);
	assert_int_equal(view(s)->mode, VIEW_LIVE);
	assert_int_equal(view(s)->t_ms, NOW_MS + 61 * 1000);
}

static void test_steps(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	assert_int_equal(view(s)->fleet->interval_ms, FRAME_MS);
	command(s, COMMAND_STEP_BACK, "");
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	assert_int_equal(view(s)->t_ms, NOW_MS - FRAME_MS);
	command(s, COMMAND_STEP_BACK, "");
	command(s, COMMAND_STEP_ON, "");
	assert_int_equal(view(s)->t_ms, NOW_MS - FRAME_MS);
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	command(s, COMMAND_STEP_ON, ""); /* past the newest moment is live */
	assert_int_equal(view(s)->mode, VIEW_LIVE);
	assert_int_equal(view(s)->t_ms, NOW_MS);
	go_to(s, FIRST_MS + 1);
	command(s, COMMAND_STEP_BACK, ""); /* there is nothing before the first */
	assert_int_equal(view(s)->t_ms, FIRST_MS);
}

static void test_at(void **state)
{
	static const struct {
		const char *label, *argument;
		int64_t     want_ms;
		const char *says; /* NULL: it goes there */
	} rows[] = {
		{ "an age", "1 minute ago", 1700000061000, NULL },
		{ "a time", "2023-11-14 22:14:00", 1700000040000, NULL },
		{ "before the first", "2020-01-01", 1700000000000, NULL },
		{ "to come", "2030-01-01", 1700000121000, NULL },
		{ "without one", "", 0, "at wants a time" },
		{ "no time", "yesteryear", 0, "yesteryear" },
	};
	struct stage *s = *state;
	assert_int_equal(NOW_MS, 1700000121000);
	begin_live(s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t before = view(s)->t_ms;
		const struct requests r = command(s, COMMAND_AT, rows[i].argument);
		assert_row(rows[i].label, rows[i].says == NULL ? r.message == NULL : says(&r, rows[i].says));
		assert_row(rows[i].label, view(s)->t_ms == (rows[i].says == NULL ? rows[i].want_ms : before));
		assert_row(rows[i].label, view(s)->mode == VIEW_PAUSED);
	}
}

static void test_speeds(void **state)
{
	static const struct {
		const char  *label;
		enum command command;
		const char  *argument;
		double       want;
		const char  *says;
	} rows[] = {
		{ "a number", COMMAND_SPEED, "8", 8, "replay at 8x" },
		{ "faster", COMMAND_FASTER, "", 16, "replay at 16x" },
		{ "slower", COMMAND_SLOWER, "", 8, "replay at 8x" },
		{ "no number", COMMAND_SPEED, "fast", 8, "speed wants a number" },
		{ "none", COMMAND_SPEED, "", 8, "speed wants a number" },
		{ "too small a one", COMMAND_SPEED, "0", 8, "speed wants a number" },
		{ "not one at all", COMMAND_SPEED, "nan", 8, "speed wants a number" },
		{ "the largest", COMMAND_SPEED, "1024", 1024, "replay at 1024x" },
		{ "no faster", COMMAND_FASTER, "", 1024, "replay at 1024x" },
		{ "the smallest", COMMAND_SPEED, "0.125", 0.125, "replay at 0.125x" },
		{ "no slower", COMMAND_SLOWER, "", 0.125, "replay at 0.125x" },
	};
	struct stage *s = *state;
	begin_live(s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct requests r = command(s, rows[i].command, rows[i].argument);
		assert_row(rows[i].label, says(&r, rows[i].says));
		assert_row(rows[i].label, fabs(view(s)->speed - rows[i].want) < 1e-9);
	}
}

/* ---- a file ---- */

static void begin_file(struct stage *s, int64_t at_ms)
{
	struct session_options o = options(s);
	o.store_path = s->copy;
	o.is_file = true;
	o.at_ms = at_ms;
	o.first_ms = FIRST_MS;
	o.last_ms = LAST_MS;
	o.speed = 4;
	begin(s, &o);
}

static void test_a_file(void **state)
{
	struct stage *s = *state;
	assert_ok(store_export(s->path, s->copy, FIRST_MS, LAST_MS, &why));
	advance(s, 3600 * 1000);
	begin_file(s, 0);
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	assert_int_equal(view(s)->t_ms, LAST_MS); /* at its last moment */
	assert_true(view(s)->is_file);
	wait_until(s, view(s)->fleet != NULL);
	assert_int_equal(view(s)->fleet->n_nodes, 1);
	assert_string_equal(view(s)->recorder, "");
	assert_string_equal(view(s)->trouble, ""); /* that nobody records it is as it should be */
	go_to(s, FIRST_MS + 100 * 1000);
	command(s, COMMAND_PAUSE, "");
	assert_int_equal(view(s)->mode, VIEW_PLAYING);
	advance(s, 1000);
	wait_for_tick(s);
	assert_int_equal(view(s)->t_ms, FIRST_MS + 104 * 1000);
	advance(s, 60 * 1000);
	wait_for_tick(s);
	assert_int_equal(view(s)->mode, VIEW_PAUSED); /* there is no live to catch up with */
	assert_int_equal(view(s)->t_ms, LAST_MS);
	command(s, COMMAND_STEP_BACK, "");
	command(s, COMMAND_LIVE, "");
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	assert_int_equal(view(s)->t_ms, LAST_MS);
}

static void test_where_to_begin(void **state)
{
	struct stage *s = *state;
	assert_ok(store_export(s->path, s->copy, FIRST_MS, LAST_MS, &why));
	begin_file(s, FIRST_MS + 30000);
	assert_int_equal(view(s)->t_ms, FIRST_MS + 30000);
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	end(s);
	begin_file(s, LAST_MS + 30000);
	assert_int_equal(view(s)->t_ms, LAST_MS);
	end(s);
	struct session_options o = options(s);
	o.at_ms = FIRST_MS + 20000;
	o.glyphs = GLYPH_MODES - 1;
	begin(s, &o);
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	wait_until(s, view(s)->fleet != NULL);
	assert_int_equal(view(s)->t_ms, FIRST_MS + 20000);
	assert_int_equal(view(s)->fleet->nodes[0].seen_ms, FIRST_MS + 20000);
	command(s, COMMAND_GLYPHS, ""); /* they go round */
	assert_int_equal(view(s)->glyphs, 0);
}

/* ---- what else the console asks for ---- */

static void test_needs(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	assert_null(view(s)->node);
	assert_null(view(s)->events);
	char node[] = "n1", kind[] = "scrape";
	struct needs *n = calloc(1, sizeof *n);
	assert_non_null(n);
	*n = (struct needs){ .node = node, .events = true, .events_node = node, .events_filter = kind, .n_charts = 1 };
	n->charts[0] = (struct chart_need){ .expression = "signal:requests:rate", .span_ms = 60000, .points = 30 };
	s->host.needs(s->host.context, n);
	memset(node, 'x', 2); /* what it needs was copied */
	memset(kind, 'x', 6);
	memset(n, 0, sizeof *n);
	wait_until(s, view(s)->node != NULL && view(s)->events != NULL && view(s)->charts != NULL);
	assert_string_equal(view(s)->node->node, "n1");
	assert_int_equal(view(s)->node->n_targets, 1);
	assert_int_equal(view(s)->events->n, 1);
	assert_string_equal(view(s)->events->rows[0].text, "it fell silent");
	assert_int_equal(view(s)->charts->n, 1);
	assert_int_equal(view(s)->charts->items[0].series->n, 1);
	s->host.needs(s->host.context, n); /* nothing any more */
	wait_until(s, view(s)->node == NULL && view(s)->events == NULL);
	free(n);
}

/* Standing still, the same needs again are no question, and others are one at once, not with the next tick. */
static void test_needs_are_asked_once(void **state)
{
	struct stage *s = *state;
	struct needs *n = calloc(1, sizeof *n);
	assert_non_null(n);
	begin_live(s);
	command(s, COMMAND_PAUSE, "");
	n->node = "n1";
	s->host.needs(s->host.context, n);
	wait_until(s, view(s)->node != NULL && view(s)->alerts != NULL && view(s)->deploys != NULL);
	int answers = s->n_new;
	for (int i = 0; i < 3; i++) {
		s->host.needs(s->host.context, n);
		wait_for_tick(s); /* an answer would have come by then, or with the next */
	}
	assert_int_equal(s->n_new, answers);
	n->node = "another";
	s->host.needs(s->host.context, n);
	wait_until(s, s->n_new > answers && strcmp(view(s)->node->node, "another") == 0);
	assert_int_equal(view(s)->node->n_targets, 0);
	free(n);
}

static void test_signals(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	command(s, COMMAND_SIGNAL, ""); /* what the fleet does not have is passed over, round to what it has */
	assert_int_equal(view(s)->signal, SIGNAL_REQUESTS);
	command(s, COMMAND_SIGNAL, "");
	assert_int_equal(view(s)->signal, SIGNAL_LATENCY_P99);
	command(s, COMMAND_SIGNAL_BACK, "");
	assert_int_equal(view(s)->signal, SIGNAL_REQUESTS);
	command(s, COMMAND_SIGNAL, "kv cache");
	assert_int_equal(view(s)->signal, SIGNAL_KV_CACHE);
	command(s, COMMAND_SIGNAL, "signal:queue");
	assert_int_equal(view(s)->signal, SIGNAL_QUEUE);
	const struct requests r = command(s, COMMAND_SIGNAL, "mood");
	assert_true(says(&r, "there is no signal 'mood'"));
	assert_int_equal(view(s)->signal, SIGNAL_QUEUE);
	static const int asked[] = { SIGNAL_TOKENS, -1, SIGNAL_COUNT };
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		const struct requests by_screen = { .has_signal = true, .signal = asked[i] };
		s->host.requests(s->host.context, &by_screen);
		assert_int_equal(view(s)->signal, SIGNAL_TOKENS);
	}
}

static void test_requests(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	go_to(s, FIRST_MS + 42000);
	assert_int_equal(view(s)->mode, VIEW_PAUSED);
	assert_int_equal(view(s)->t_ms, FIRST_MS + 42000);
	wait_until(s, view(s)->fleet->t_ms == FIRST_MS + 42000);
	const struct requests nothing = { .to_root = true, .message = "as you like" };
	s->host.requests(s->host.context, &nothing);
	assert_int_equal(view(s)->t_ms, FIRST_MS + 42000);
	const struct requests live = { .live = true };
	s->host.requests(s->host.context, &live);
	assert_int_equal(view(s)->mode, VIEW_LIVE);
	assert_int_equal(view(s)->t_ms, NOW_MS);
}

static void test_themes(void **state)
{
	struct stage *s = *state;
	begin_live(s);
	struct requests r = command(s, COMMAND_THEME, "night");
	assert_null(r.message);
	assert_string_equal(s->theme, "night");
	r = command(s, COMMAND_THEME, "day");
	assert_true(says(&r, "there is no theme 'day'"));
	r = command(s, COMMAND_THEME, "");
	assert_true(says(&r, "theme wants a name"));
	assert_string_equal(s->theme, "night");
	end(s);
	struct session_options o = options(s);
	o.theme = NULL;
	o.status = NULL;
	begin(s, &o);
	r = command(s, COMMAND_THEME, "night");
	assert_true(says(&r, "can't be changed here"));
}

static void test_screens(void **state)
{
	static const struct {
		const char  *label;
		enum command command;
		const char  *argument, *name, *says;
	} rows[] = {
		{ "a query", COMMAND_QUERY, "sum(signal:up)", "CHART", NULL },
		{ "a query of nothing", COMMAND_QUERY, "", NULL, "query wants an expression" },
		{ "events", COMMAND_VIEW_EVENTS, "", "EVENTS", NULL },
		{ "alerts", COMMAND_VIEW_ALERTS, "", "ALERTS", NULL },
		{ "a note where nobody is asked", COMMAND_NOTE, "", NULL, "nothing can be asked for from here" },
	};
	struct stage *s = *state;
	struct requests none = { 0 };
	begin_live(s);
	assert_true(command(s, COMMAND_VIEW_FLEET, "").to_root);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct requests r = command(s, rows[i].command, rows[i].argument);
		assert_row(rows[i].label, (r.push != NULL) == (rows[i].name != NULL));
		assert_row(rows[i].label, rows[i].says == NULL ? r.message == NULL : says(&r, rows[i].says));
		if (r.push == NULL)
			continue;
		assert_row(rows[i].label, strcmp(r.push->kind->name, rows[i].name) == 0);
		r.push->kind->free(r.push);
	}
	assert_int_equal(s->host.command(s->host.context, COMMAND_ENTER, "", &none), NEXT_IGNORED); /* not its business */
	assert_null(none.message);
	assert_null(none.push);
}

#define session_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		session_test(test_live),      session_test(test_nobody_records), session_test(test_no_store), session_test(test_closing_while_it_reads),
		session_test(test_paused),    session_test(test_playing),        session_test(test_steps),    session_test(test_at),
		session_test(test_speeds),    session_test(test_a_file),         session_test(test_where_to_begin),
		session_test(test_needs),     session_test(test_needs_are_asked_once),
		session_test(test_signals),   session_test(test_requests),       session_test(test_themes),   session_test(test_screens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
