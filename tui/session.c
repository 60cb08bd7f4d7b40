/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/request.h"
#include "base/num.h"
#include "tui/alerts_ask.h"
#include "tui/alerts_text.h"
#include "tui/feed.h"
#include "tui/glyph.h"
#include "tui/screens.h"
#include "tui/signal_look.h"

enum {
	TICK_MS         = 1000,
	TICK_LIVE_MS    = 500, /* at every other one the alerts alone are looked at: what a colleague did is seen within a second */
	TICK_PLAYING_MS = 250,
	STEP_DEFAULT_MS = 10 * 1000,
	NEAR_NOW_MS     = 1500,
};
static const double SPEED_MIN = 0.125, SPEED_MAX = 1024;

struct session {
	struct session_options o;
	struct view            view;
	struct feed           *feed;
	struct loop_timer     *tick;
	int64_t                ticked_mono_ms; /* when the view time was last moved on */
	struct needs           needs;
	char                   node[512], events_node[512], events_filter[64]; /* what needs points at */
	char                   log_node[512], log_key[LOG_KEY_MAX];
	char                   alerts_key[4096 + 1], silence[4096 + 1], deployment_request[REQUEST_ID];
	bool                   is_between;     /* the next tick is one at which the alerts alone are looked at */
	char                   said[256];      /* lent to a message */
	char                   peers_trouble[400]; /* lent to the view */
};

/* ---- the view's time ---- */

static void ask(struct session *s)
{
	feed_ask(s->feed, s->view.t_ms, &s->needs);
}

/* An Alertmanager that does not answer. */
static const char *peers_trouble(struct session *s)
{
	struct buf text;
	buf_init(&text, 2000);
	alerts_trouble_sentence(&text, s->view.alerts);
	snprintf(s->peers_trouble, sizeof s->peers_trouble, "%s", buf_text(&text));
	buf_release(&text);
	return s->peers_trouble;
}

static void say_times(struct session *s)
{
	s->view.now_ms = clock_wall_ms(s->o.clock);
	if (s->view.mode == VIEW_LIVE)
		s->view.t_ms = s->view.now_ms;
	s->view.recorder = feed_recorder(s->feed);
	s->view.trouble = "";
	if (s->o.status != NULL)
		s->o.status(s->o.ctx, &s->view.recorder, &s->view.trouble);
	if (s->view.mode == VIEW_LIVE && s->view.fleet != NULL && s->view.recorder[0] == '\0')
		s->view.trouble = "nobody records this store: what is shown grows old";
	if (s->view.trouble[0] == '\0')
		s->view.trouble = peers_trouble(s);
	if (feed_trouble(s->feed)[0] != '\0')
		s->view.trouble = feed_trouble(s->feed);
}

static int64_t newest_ms(const struct session *s)
{
	return s->o.is_file ? s->view.last_ms : clock_wall_ms(s->o.clock);
}

static void set_mode(struct session *s, enum view_mode mode)
{
	s->view.mode = mode;
	s->ticked_mono_ms = clock_mono_ms(s->o.clock);
	int64_t tick = mode == VIEW_PLAYING ? TICK_PLAYING_MS : mode == VIEW_LIVE ? TICK_LIVE_MS : TICK_MS;
	s->is_between = mode == VIEW_LIVE;
	loop_timer_start(s->tick, tick, tick);
}

/* Shows the moment `t_ms`, as near as there are data. */
static void go_to(struct session *s, int64_t t_ms, enum view_mode mode)
{
	int64_t newest = newest_ms(s);
	if (s->view.first_ms != 0 && t_ms < s->view.first_ms)
		t_ms = s->view.first_ms;
	if (t_ms > newest)
		t_ms = newest;
	s->view.t_ms = t_ms;
	set_mode(s, mode);
	say_times(s);
	ask(s);
}

static void go_live(struct session *s)
{
	go_to(s, newest_ms(s), s->o.is_file ? VIEW_PAUSED : VIEW_LIVE);
}

static void play_on(struct session *s)
{
	int64_t now = clock_mono_ms(s->o.clock);
	double moved = (double)(now - s->ticked_mono_ms) * s->view.speed;
	s->ticked_mono_ms = now;
	s->view.t_ms += (int64_t)moved;
	if (s->view.t_ms >= newest_ms(s))
		go_live(s); /* it has caught up */
}

static void on_tick(void *ctx)
{
	struct session *s = ctx;
	bool is_between = s->view.mode == VIEW_LIVE && s->is_between;
	s->is_between = !s->is_between;
	if (is_between) {
		feed_glance(s->feed, clock_wall_ms(s->o.clock), &s->needs);
		return;
	}
	if (s->view.mode == VIEW_PLAYING)
		play_on(s);
	say_times(s);
	if (s->view.mode != VIEW_PAUSED || s->view.fleet == NULL)
		ask(s);
	else if (feed_is_awaiting(s->feed))
		feed_glance(s->feed, s->view.t_ms, &s->needs);
	s->o.changed(s->o.ctx, false);
}

static void on_answer(void *ctx)
{
	struct session *s = ctx;
	feed_fill(s->feed, &s->view);
	say_times(s);
	s->o.changed(s->o.ctx, true);
}

static void on_outcome(void *ctx, const struct feed_outcome *o)
{
	struct session *s = ctx;
	if (s->o.outcome != NULL)
		s->o.outcome(s->o.ctx, o->id, o->err, o->text);
}

/* ---- what the console asks for ---- */

static const struct view *host_view(void *ctx)
{
	return &((struct session *)ctx)->view;
}

static const char *keep_text(char *to, size_t size, const char *from)
{
	if (from == NULL)
		return NULL;
	snprintf(to, size, "%s", from);
	return to;
}

static bool same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool same_needs(const struct needs *a, const struct needs *b)
{
	if (!same_text(a->node, b->node) || a->events != b->events || !same_text(a->events_node, b->events_node) ||
	    !same_text(a->events_filter, b->events_filter) || a->n_charts != b->n_charts || !same_text(a->alerts_key, b->alerts_key) ||
	    !same_text(a->silence, b->silence) || a->changed != b->changed || a->rules != b->rules || a->deployment != b->deployment ||
	    !same_text(a->deployment_request, b->deployment_request))
		return false;
	for (size_t i = 0; i < a->n_charts; i++)
		if (a->charts[i].span_ms != b->charts[i].span_ms || a->charts[i].offset_ms != b->charts[i].offset_ms ||
		    a->charts[i].points != b->charts[i].points || strcmp(a->charts[i].expression, b->charts[i].expression) != 0)
			return false;
	return true;
}

/* What is told here stays out of the feed's needs. */
static void ask_log(struct session *s, const struct log_need *n)
{
	const struct log_need *was = &s->needs.log;
	if (s->o.log == NULL || (same_text(was->node, n->node) && same_text(was->key, n->key) && was->again == n->again))
		return;
	s->needs.log = *n;
	s->needs.log.node = keep_text(s->log_node, sizeof s->log_node, n->node);
	s->needs.log.key = keep_text(s->log_key, sizeof s->log_key, n->key);
	s->view.log = s->o.log(s->o.ctx, &s->needs.log, &s->view);
}

static void host_needs(void *ctx, const struct needs *n)
{
	struct session *s = ctx;
	ask_log(s, &n->log);
	if (same_needs(&s->needs, n))
		return;
	const struct log_need log = s->needs.log;
	s->needs = *n;
	s->needs.log = log;
	s->needs.node = keep_text(s->node, sizeof s->node, n->node);
	s->needs.events_node = keep_text(s->events_node, sizeof s->events_node, n->events_node);
	s->needs.events_filter = keep_text(s->events_filter, sizeof s->events_filter, n->events_filter);
	s->needs.alerts_key = keep_text(s->alerts_key, sizeof s->alerts_key, n->alerts_key);
	s->needs.silence = keep_text(s->silence, sizeof s->silence, n->silence);
	s->needs.deployment_request = keep_text(s->deployment_request, sizeof s->deployment_request, n->deployment_request);
	ask(s);
}

static void host_requests(void *ctx, const struct requests *r)
{
	struct session *s = ctx;
	if (r->has_signal && r->signal >= 0 && r->signal < SIGNAL_COUNT)
		s->view.signal = (enum signal_id)r->signal;
	if (r->has_time)
		go_to(s, r->time_ms, VIEW_PAUSED);
	if (r->live)
		go_live(s);
	if (r->pause)
		set_mode(s, VIEW_PAUSED);
	if (r->ask != NULL && s->o.ask != NULL)
		s->o.ask(s->o.ctx, r->ask);
	else
		request_free(r->ask);
}

static void say(struct session *s, struct requests *out, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct session *s, struct requests *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(s->said, sizeof s->said, format, args);
	va_end(args);
	out->message = s->said;
}

static void pause_or_play(struct session *s)
{
	if (s->view.mode == VIEW_PAUSED)
		set_mode(s, !s->o.is_file && newest_ms(s) - s->view.t_ms < NEAR_NOW_MS ? VIEW_LIVE : VIEW_PLAYING);
	else
		set_mode(s, VIEW_PAUSED);
	say_times(s);
}

static void step(struct session *s, int direction)
{
	int64_t by = s->view.fleet != NULL && s->view.fleet->interval_ms > 0 ? s->view.fleet->interval_ms : STEP_DEFAULT_MS;
	int64_t t = s->view.t_ms + direction * by;
	/* Stepping on past the newest moment is the way back to live. */
	if (direction > 0 && t >= newest_ms(s))
		go_live(s);
	else
		go_to(s, t, VIEW_PAUSED);
}

static void set_speed(struct session *s, double speed, struct requests *out)
{
	s->view.speed = speed < SPEED_MIN ? SPEED_MIN : speed > SPEED_MAX ? SPEED_MAX : speed;
	say(s, out, "replay at %gx", s->view.speed);
}

static void speed_argument(struct session *s, const char *argument, struct requests *out)
{
	double speed;
	if (parse_f64(argument, SPEED_MIN, SPEED_MAX, &speed) == ERR_OK)
		set_speed(s, speed, out);
	else
		say(s, out, "speed wants a number from 0.125 to 1024, as in: speed 8");
}

static void at_argument(struct session *s, const char *argument, struct requests *out)
{
	int64_t t;
	struct why why = { "" };
	if (argument[0] == '\0')
		say(s, out, "at wants a time, as in: at 10 minutes ago");
	else if (parse_time(argument, clock_wall_ms(s->o.clock), &t, &why) != ERR_OK)
		say(s, out, "%s", why.text);
	else
		go_to(s, t, VIEW_PAUSED);
}

static bool fleet_has_signal(const struct session *s, enum signal_id id)
{
	if (!signal_is_shown(id))
		return false;
	return s->view.fleet == NULL || !isnan(s->view.fleet->total[id]);
}

static void next_signal(struct session *s, int direction)
{
	for (int i = 1; i <= SIGNAL_COUNT; i++) {
		int id = ((int)s->view.signal + direction * i + 2 * SIGNAL_COUNT) % SIGNAL_COUNT;
		if (fleet_has_signal(s, (enum signal_id)id)) {
			s->view.signal = (enum signal_id)id;
			return;
		}
	}
}

static void signal_argument(struct session *s, const char *argument, struct requests *out)
{
	for (size_t id = 0; id < SIGNAL_COUNT; id++) {
		const struct signal_info *info = signal_info((enum signal_id)id);
		if (strcmp(argument, info->title) == 0 || strcmp(argument, info->metric) == 0) {
			s->view.signal = (enum signal_id)id;
			return;
		}
	}
	say(s, out, "there is no signal '%s'", argument);
}

static void theme_argument(struct session *s, const char *argument, struct requests *out)
{
	struct why why = { "" };
	if (argument[0] == '\0')
		say(s, out, "theme wants a name: dark, light, colour-blind, mono, or one of your own");
	else if (s->o.theme == NULL || s->o.theme(s->o.ctx, argument, &why) != ERR_OK)
		say(s, out, "%s", why.text[0] != '\0' ? why.text : "the theme can't be changed here");
}

static enum next push_screen(struct session *s, struct screen *made, struct requests *out)
{
	if (made == NULL)
		say(s, out, "out of memory");
	out->push = made;
	return NEXT_REDRAW;
}

static enum next host_command(void *ctx, enum command c, const char *argument, struct requests *out)
{
	struct session *s = ctx;
	if (c == COMMAND_PAUSE)
		pause_or_play(s);
	else if (c == COMMAND_STEP_BACK || c == COMMAND_STEP_ON)
		step(s, c == COMMAND_STEP_ON ? 1 : -1);
	else if (c == COMMAND_LIVE)
		go_live(s);
	else if (c == COMMAND_AT)
		at_argument(s, argument, out);
	else if (c == COMMAND_SLOWER || c == COMMAND_FASTER)
		set_speed(s, c == COMMAND_FASTER ? s->view.speed * 2 : s->view.speed / 2, out);
	else if (c == COMMAND_SPEED)
		speed_argument(s, argument, out);
	else if (c == COMMAND_SIGNAL && argument[0] != '\0')
		signal_argument(s, argument, out);
	else if (c == COMMAND_SIGNAL || c == COMMAND_SIGNAL_BACK)
		next_signal(s, c == COMMAND_SIGNAL ? 1 : -1);
	else if (c == COMMAND_GLYPHS)
		s->view.glyphs = (s->view.glyphs + 1) % GLYPH_MODES;
	else if (c == COMMAND_THEME)
		theme_argument(s, argument, out);
	else if (c == COMMAND_QUERY && argument[0] == '\0')
		say(s, out, "query wants an expression, as in: query signal:up");
	else if (c == COMMAND_QUERY)
		return push_screen(s, chart_screen_of_query(argument), out);
	else if (c == COMMAND_VIEW_FLEET)
		out->to_root = true;
	else if (c == COMMAND_VIEW_EVENTS)
		return push_screen(s, events_screen_new(NULL), out);
	else if (c == COMMAND_VIEW_ALERTS)
		return push_screen(s, alerts_screen_new(), out);
	else if (c == COMMAND_VIEW_DEPLOYS)
		return push_screen(s, deploys_screen_new(), out);
	else if (c == COMMAND_NOTE)
		return note_command(&s->view, out->node, out);
	else
		return s->o.command != NULL ? s->o.command(s->o.ctx, c, &s->view, out) : NEXT_IGNORED;
	return NEXT_REDRAW;
}

/* ---- life ---- */

struct console_host session_host(struct session *s)
{
	return (struct console_host){ .context = s, .view = host_view, .needs = host_needs, .requests = host_requests, .command = host_command };
}

void session_await(struct session *s, const char *id)
{
	feed_await(s->feed, id);
}

void session_set_person(struct session *s, const struct view_person *p)
{
	s->view.person = *p;
}

const struct view *session_view(const struct session *s)
{
	return &s->view;
}

static void view_begin(struct session *s)
{
	const struct session_options *o = &s->o;
	s->view = (struct view){ .mode = o->is_file || o->at_ms != 0 ? VIEW_PAUSED : VIEW_LIVE, .is_file = o->is_file, .now_ms = clock_wall_ms(o->clock),
		                 .speed = o->speed > 0 ? o->speed : 1, .first_ms = o->first_ms, .last_ms = o->last_ms, .recorder = "", .trouble = "",
		                 .signal = SIGNAL_LATENCY_P99, .glyphs = o->glyphs, .unowned_after_ms = o->unowned_after_ms };
	s->view.t_ms = o->at_ms != 0 ? o->at_ms : o->is_file ? o->last_ms : s->view.now_ms;
	if (o->is_file && s->view.t_ms > o->last_ms)
		s->view.t_ms = o->last_ms;
}

enum err session_new(const struct session_options *o, struct session **out, struct why *why)
{
	struct session *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->o = *o;
	view_begin(s);
	const struct feed_options feed = { .store_path = o->store_path, .trust = o->is_file ? READER_STRANGER : READER_OWN, .clock = o->clock,
		                           .profiles = o->profiles, .changed = on_answer, .outcome = on_outcome, .ctx = s };
	enum err e = feed_new(o->loop, &feed, &s->feed, why);
	if (e == ERR_OK)
		e = loop_timer_new(o->loop, on_tick, s, &s->tick, why);
	if (e != ERR_OK) {
		if (s->feed != NULL)
			feed_close(s->feed, NULL, NULL);
		free(s);
		return e;
	}
	set_mode(s, s->view.mode);
	ask(s);
	*out = s;
	return ERR_OK;
}

void session_close(struct session *s, void (*done)(void *ctx), void *ctx)
{
	loop_timer_close(s->tick);
	feed_close(s->feed, done, ctx);
	free(s);
}
