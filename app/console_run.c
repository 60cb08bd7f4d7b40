/* SPDX-License-Identifier: Apache-2.0 */
#include "app/console_run.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#include "app/headless.h"
#include "app/cli.h"
#include "app/paths.h"
#include "app/settle.h"
#include "base/clock.h"
#include "base/account.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/person.h"
#include "base/slurp.h"
#include "collectors/ssh_control.h"
#include "config/alerting.h"
#include "config/roles.h"
#include "config/ways.h"
#include "recorder/standby.h"
#include "store/reader.h"
#include "tui/access.h"
#include "tui/attention.h"
#include "tui/deploys_ask.h"
#include "tui/errands.h"
#include "tui/keymap.h"
#include "tui/leaving.h"
#include "tui/lend.h"
#include "tui/logs.h"
#include "tui/pump.h"
#include "tui/screens.h"
#include "tui/session.h"
#include "tui/terminfo.h"

enum { KEY_FILE_MAX = 256 * 1024 };

struct run {
	struct console_run *o;
	struct loop        *loop;
	struct profiles    *profiles; /* the session's own: the recorder's belong to its thread */
	struct standby     *standby;
	struct session     *session;
	struct pump        *pump;
	struct access      *access;
	struct logs        *logs;
	struct errands     *errands;
	struct attention    attention;
	struct deploys_offered offered;
	bool                rings;
	struct person       person;
	struct why          denied;   /* why the account may not ask for things; "" it may */
	bool                must_ask; /* several people use the account */
	enum fleet_attention calls;
	int64_t             unowned_after_ms;
	struct ways        *ways;     /* to the nodes of the fleet, which itself goes to the recorder */
	struct loop_timer  *settled;
	struct keymap       keys;
	struct buf          config_dir, control_dir;
	int                 signal_number;
	int                 n_closing;
	struct headless  *headless;  /* the screen is gone, and the recorder goes on */
	enum { LEAVES_SIMPLY, LEAVES_DETACHED, LEAVES_INTERRUPTING } leaves;
	enum fleet_hangup   on_hangup;
	char                who[REQUEST_NAME_MAX + 1]; /* who sat here, when the screen is gone */
	bool                was_recording;
	char                ended_why[512];
};

void console_run_from_cli(struct console_run *r, const struct cli *c)
{
	r->theme = cli_value(c, "theme") != NULL ? cli_value(c, "theme") : "";
	r->keys = cli_value(c, "keys") != NULL ? cli_value(c, "keys") : "";
	r->wants_mouse = cli_has(c, "mouse");
	r->is_read_only = cli_has(c, "read-only");
	r->is_quiet = cli_has(c, "no-bell");
}

static enum err load_keys(struct run *r, struct why *why)
{
	keymap_init(&r->keys);
	if (r->o->keys[0] == '\0')
		return ERR_OK;
	struct buf text, mistakes;
	buf_init(&text, KEY_FILE_MAX);
	buf_init(&mistakes, KEY_FILE_MAX);
	enum err e = slurp(r->o->keys, KEY_FILE_MAX, &text, NULL, why);
	if (e == ERR_OK)
		e = keymap_read(&r->keys, r->o->keys, buf_text(&text), text.len, &mistakes);
	if (e == ERR_MEMORY)
		why_memory(why);
	else if (e != ERR_OK && mistakes.len > 0)
		why_set(why, e, "%.*s", (int)strcspn(buf_text(&mistakes), "\n"), buf_text(&mistakes));
	buf_release(&text);
	buf_release(&mistakes);
	return e;
}

static void on_settled(void *ctx)
{
	(void)ctx;
	settle_memory();
}

static enum err watch_settling(struct run *r, struct why *why)
{
	enum err e = loop_timer_new(r->loop, on_settled, NULL, &r->settled, why);
	if (e == ERR_OK)
		loop_timer_start(r->settled, SETTLED_MS, 0);
	return e;
}

/* ---- the end ---- */

static void part_closed(void *ctx)
{
	struct run *r = ctx;
	if (--r->n_closing == 0)
		loop_stop(r->loop);
}

static void close_standby(struct run *r, void (*done)(void *ctx))
{
	struct standby *s = r->standby;
	r->standby = NULL;
	standby_close(s, done, r);
}

/* Behind the errands: that this console has left is to be found by its own recorder, which else leaves it to the next one. One that goes on alone is closed by on_alone_over. */
static void close_recorder(void *ctx)
{
	struct run *r = ctx;
	if (r->standby != NULL && r->headless == NULL)
		close_standby(r, part_closed);
	part_closed(r);
}

static void close_parts(struct run *r)
{
	r->n_closing = 2;
	loop_timer_close(r->settled);
	r->settled = NULL;
	if (r->session != NULL) {
		r->n_closing++;
		session_close(r->session, part_closed, r);
		r->session = NULL;
	}
	if (r->standby != NULL)
		r->n_closing++;
	if (r->errands != NULL)
		errands_close(r->errands, close_recorder, r);
	else
		close_recorder(r);
	r->errands = NULL;
	if (r->logs != NULL) {
		r->n_closing++;
		logs_close(r->logs, part_closed, r);
		r->logs = NULL;
	}
	if (r->access != NULL) {
		r->n_closing++;
		access_close(r->access, part_closed, r);
		r->access = NULL;
	}
	part_closed(r);
}

/* ---- going on without the screen ---- */

static void alone_closed(void *ctx)
{
	struct run *r = ctx;
	headless_close(r->headless); /* its signals are wanted to the end */
	r->headless = NULL;
	part_closed(r);
}

static void on_alone_over(void *ctx, int signal_number, bool went_on)
{
	struct run *r = ctx;
	if (went_on || signal_number != 0) {
		r->signal_number = signal_number;
		r->ended_why[0] = '\0';
	}
	close_standby(r, alone_closed);
}

/* Who sat here is told as it was told with what they asked. */
static void go_on_alone(struct run *r, enum departure_kind kind)
{
	const struct view_person *p = &session_view(r->session)->person;
	struct why why = { "" };
	snprintf(r->who, sizeof r->who, "%s", p->who != NULL && p->who[0] != '\0' ? p->who : r->person.login);
	const struct headless_options o = { .loop = r->loop, .standby = r->standby, .over = on_alone_over, .ctx = r,
		                              .departure = { .kind = kind, .actor = { .who = r->who, .account = r->person.account, .origin = r->person.origin } } };
	if (headless_new(&o, &r->headless, &why) != ERR_OK)
		log_warn(r->o->log, "console", "it ends with its screen: %s", why.text);
}

/* Whether anything is left that can go on without it. */
static bool is_carrier(const struct run *r)
{
	return r->standby != NULL && !r->o->ends_with_screen && standby_is_recording(r->standby);
}

static void on_ended(void *ctx, int signal_number, const char *text)
{
	struct run *r = ctx;
	r->signal_number = signal_number;
	snprintf(r->ended_why, sizeof r->ended_why, "%s", text);
	bool is_lost = signal_number == SIGHUP || text[0] != '\0';
	if (is_carrier(r) && (is_lost || (signal_number == 0 && r->leaves != LEAVES_SIMPLY)))
		go_on_alone(r, is_lost ? DEPARTURE_LOST : r->leaves == LEAVES_DETACHED ? DEPARTURE_LET_GO : DEPARTURE_INTERRUPT);
	pump_free(r->pump); /* the terminal is given back before anything that may take a moment */
	r->pump = NULL;
	close_parts(r);
}

/* ---- what the session asks ---- */

/* Narrow screens have no room for who records, but that it changed is said on all of them. */
static void tell_who_records(struct run *r)
{
	bool is_recording = r->standby != NULL && standby_is_recording(r->standby);
	if (is_recording == r->was_recording)
		return;
	r->was_recording = is_recording;
	pump_message(r->pump, is_recording ? ROLE_TEXT : ROLE_WARN,
	             is_recording ? "nobody recorded any more: this console records now" : "another recorder took the store over: this console only looks on");
}

static void call_attention(struct run *r)
{
	struct buf text;
	const struct alert_group_item *g = attention_due(&r->attention, session_view(r->session));
	if (g == NULL || !r->rings)
		return;
	buf_init(&text, 4096);
	attention_text(g, &text); /* where it is too long, the end is missing */
	pump_call(r->pump, r->calls, buf_text(&text));
	buf_release(&text);
}

/* Not over something that is being typed. */
static void offer_unfinished(struct run *r)
{
	const struct screen_kind *top = console_top(pump_console(r->pump))->kind;
	struct screen *s = top->is_dialog || top->context == CONTEXT_SHEET ? NULL : deploys_offer(&r->offered, session_view(r->session));
	if (s != NULL)
		pump_push(r->pump, s);
}

static void on_changed(void *ctx, bool is_new)
{
	struct run *r = ctx;
	if (r->pump == NULL)
		return;
	if (is_new) {
		call_attention(r);
		offer_unfinished(r);
	}
	logs_refresh(r->logs);
	tell_who_records(r);
	pump_changed(r->pump);
}

static void say_status(void *ctx, const char **recorder, const char **trouble)
{
	struct run *r = ctx;
	if (r->standby == NULL)
		return;
	*trouble = standby_trouble(r->standby);
	if (standby_is_recording(r->standby))
		*recorder = "this console";
}

/* ---- leaving ---- */

static void leave_detached(void *ctx)
{
	((struct run *)ctx)->leaves = LEAVES_DETACHED;
}

static void leave_interrupting(void *ctx)
{
	((struct run *)ctx)->leaves = LEAVES_INTERRUPTING;
}

/* Where nothing depends on this console the usual question is asked. */
static enum next ask_before_leaving(struct run *r, const struct view *v, struct requests *out)
{
	const struct leaving_answers answers = { .detach = leave_detached, .interrupt = leave_interrupting, .ctx = r };
	size_t n = is_carrier(r) ? standby_acting(r->standby) : 0;
	if (n == 0)
		return NEXT_IGNORED;
	out->push = leaving_new(v, n, &answers);
	return out->push != NULL ? NEXT_REDRAW : NEXT_IGNORED;
}

static enum next detach(struct run *r, struct requests *out)
{
	if (r->standby == NULL || r->o->ends_with_screen)
		out->message = r->standby == NULL ? "this is a replay: nothing would go on" : "a demo ends with its console";
	else if (!is_carrier(r))
		out->message = "another process records, and goes on whatever becomes of this console: q leaves it";
	else if (standby_acting(r->standby) == 0 && r->on_hangup != FLEET_HANGUP_RECORD)
		out->message = "no redeploy or rollback is under way that would go on: q leaves, and recording ends (on_hangup in the fleet file)";
	else
		out->quit = true;
	if (out->quit)
		leave_detached(r);
	return NEXT_REDRAW;
}

/* ---- what is done about nodes ---- */

static enum next on_command(void *ctx, enum command c, const struct view *v, struct requests *out)
{
	struct run *r = ctx;
	if (c == COMMAND_QUIT)
		return ask_before_leaving(r, v, out);
	if (c == COMMAND_DETACH)
		return detach(r, out);
	if (c != COMMAND_BELL)
		return access_command(r->access, c, v, out);
	r->rings = !r->rings;
	out->message = r->rings ? "the bell rings when a group of alerts turns critical" : "the bell is silent";
	return NEXT_REDRAW;
}

static void push_answer(void *ctx, struct screen *s)
{
	struct run *r = ctx;
	if (r->pump != NULL)
		pump_push(r->pump, s);
	else
		s->kind->free(s);
}

static void show_answer(void *ctx, enum role role, const char *text)
{
	struct run *r = ctx;
	if (r->pump != NULL)
		pump_message(r->pump, role, text);
}

static void lend_terminal(void *ctx, struct lend *l)
{
	struct run *r = ctx;
	if (r->pump != NULL) {
		pump_lend(r->pump, l);
		return;
	}
	if (l->ended != NULL)
		l->ended(l->ctx, -1);
	lend_free(l);
}

static const struct log_view *want_log(void *ctx, const struct log_need *n, const struct view *v)
{
	struct run *r = ctx;
	return r->logs == NULL ? NULL : logs_want(r->logs, n, n->node != NULL ? access_way(r->access, v, n->node) : NULL);
}

static void log_changed(void *ctx)
{
	struct run *r = ctx;
	if (r->pump != NULL)
		pump_changed(r->pump);
}

static enum err begin_access(struct run *r, struct why *why)
{
	enum err e = ssh_control_dir(&r->control_dir, why);
	if (e == ERR_OK && r->o->fleet != NULL)
		e = ways_of_fleet(r->o->fleet, &r->ways, why);
	const struct access_options o = { .loop = r->loop, .clock = clock_system(), .ways = r->ways, .ssh_config = r->o->ssh_config,
		                          .control_dir = buf_text(&r->control_dir), .push = push_answer, .message = show_answer,
		                          .lend = lend_terminal, .ctx = r };
	const struct logs_options logs = { .loop = r->loop, .clock = clock_system(), .ssh_config = r->o->ssh_config,
		                           .control_dir = buf_text(&r->control_dir), .changed = log_changed, .ctx = r };
	if (e == ERR_OK)
		e = access_new(&o, &r->access, why);
	return e == ERR_OK ? logs_new(&logs, &r->logs, why) : e;
}

/* ---- what is asked of the recorder ---- */

static void on_ask(void *ctx, struct request *request)
{
	struct run *r = ctx;
	errands_put(r->errands, request);
}

static void on_outcome(void *ctx, const char *id, enum err err, const char *text)
{
	struct run *r = ctx;
	if (r->errands != NULL)
		errands_outcome(r->errands, id, err, text);
}

static void await_outcome(void *ctx, const char *id)
{
	struct run *r = ctx;
	if (r->session != NULL)
		session_await(r->session, id);
}

static void set_person(void *ctx, const struct view_person *p)
{
	struct run *r = ctx;
	if (r->session != NULL)
		session_set_person(r->session, p);
}

static void say_what_is_shown(void *ctx, char *to, size_t room)
{
	struct run *r = ctx;
	snprintf(to, room, "%s", r->pump != NULL ? console_top(pump_console(r->pump))->kind->name : "");
}

/* Who sits here, and what the fleet file lets that account do. The recorder decides; this is so that nobody types in vain. */
static enum err find_person(struct run *r, struct why *why)
{
	const struct roles *roles = r->o->fleet != NULL ? r->o->fleet->roles : NULL;
	struct account account;
	struct stat st;
	r->calls = r->o->fleet != NULL ? r->o->fleet->attention : FLEET_ATTENTION_BELL;
	r->on_hangup = r->o->fleet != NULL ? r->o->fleet->on_hangup : FLEET_HANGUP_FINISH;
	r->unowned_after_ms = r->o->fleet != NULL ? r->o->fleet->alerting.unowned_after_ms : ALERTING_UNOWNED_AFTER_MS;
	person_here(&r->person);
	enum err e = account_find((uint32_t)geteuid(), &account, why);
	if (e != ERR_OK)
		return e;
	uint32_t owner = stat(r->o->store_path, &st) == 0 ? (uint32_t)st.st_uid : (uint32_t)geteuid();
	if (roles_check(roles, &account, owner, DEED_ACK, &r->denied) == ERR_OK)
		r->denied.text[0] = '\0';
	r->must_ask = roles_is_shared(roles, account.name);
	account_release(&account);
	return ERR_OK;
}

static enum err begin_errands(struct run *r, struct why *why)
{
	const char *refusal = r->standby == NULL          ? "this is a replay: nothing can be asked for in it"
	                      : r->o->is_read_only        ? "this console was started with --read-only: it asks for nothing"
	                                                  : NULL;
	const struct errands_options o = { .loop = r->loop, .clock = clock_system(), .store_path = r->o->store_path, .who = r->person.login,
		                           .account = r->person.account, .origin = r->person.origin, .must_ask = r->must_ask, .refusal = refusal,
		                           .denied = r->denied.text[0] != '\0' ? r->denied.text : NULL, .said = show_answer, .await = await_outcome,
		                           .person = set_person, .shows = say_what_is_shown, .ctx = r };
	return errands_new(&o, &r->errands, why);
}

/* ---- the beginning ---- */

static enum err bounds(const char *path, int64_t *first_ms, int64_t *last_ms, struct why *why)
{
	struct reader *reader = NULL;
	enum err e = reader_open(path, READER_STRANGER, &reader, why);
	if (e == ERR_OK)
		e = reader_bounds(reader, first_ms, last_ms, why);
	if (e == ERR_NOT_FOUND && reader != NULL)
		e = why_set(why, ERR_NOT_FOUND, "'%s' holds nothing yet", path);
	reader_close(reader);
	return e;
}

static enum err begin_recording(struct run *r, struct why *why)
{
	const struct recorder_thread_options o = { .store_path = r->o->store_path, .fleet = r->o->fleet, .profiles = r->o->profiles,
		                                   .clock = clock_system(), .log = r->o->log, .version = PACKAGE_VERSION,
		                                   .ssh_config = r->o->ssh_config, .control_dir = buf_text(&r->control_dir) };
	enum err e = path_make_parents(r->o->store_path, why);
	if (e == ERR_OK)
		e = standby_new(r->loop, &o, &r->standby, why);
	if (e == ERR_OK)
		r->o->fleet = NULL;
	return e;
}

static enum err begin_session(struct run *r, struct why *why)
{
	struct session_options o = { .loop = r->loop, .clock = clock_system(), .store_path = r->o->store_path, .is_file = r->standby == NULL,
		                     .profiles = r->profiles, .at_ms = r->o->at_ms, .speed = r->o->speed, .status = say_status, .command = on_command,
		                     .log = want_log, .ask = on_ask, .outcome = on_outcome, .unowned_after_ms = r->unowned_after_ms,
		                     .changed = on_changed, .ctx = r };
	enum err e = o.is_file ? bounds(o.store_path, &o.first_ms, &o.last_ms, why) : ERR_OK;
	return e == ERR_OK ? session_new(&o, &r->session, why) : e;
}

static enum err begin_screen(struct run *r, struct why *why)
{
	struct screen *first = fleet_screen_new();
	if (first == NULL)
		return why_memory(why);
	const struct console_host host = session_host(r->session);
	struct pump_options o = { .loop = r->loop, .clock = clock_system(), .host = &host, .keys = &r->keys,
		                  .theme = r->o->theme[0] != '\0' ? r->o->theme : "auto", .config_dir = buf_text(&r->config_dir), .ended = on_ended,
		                  .context = r };
	terminal_options_from_env(&o.terminal, STDIN_FILENO, STDOUT_FILENO);
	o.terminal.wants_mouse = r->o->wants_mouse;
	r->was_recording = r->standby != NULL && standby_is_recording(r->standby);
	return pump_new(&o, first, &r->pump, why);
}

/* The terminal is looked at before anything is made: what cannot be shown need not be recorded. */
static enum err begin(struct run *r, struct why *why)
{
	struct terminfo info;
	setlocale(LC_CTYPE, "");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return why_set(why, ERR_UNSUPPORTED, "the console wants a terminal for its input and output; 'pitwall status' prints the fleet as text");
	enum err e = terminfo_load(getenv("TERM"), &info, why);
	if (e == ERR_OK)
		e = load_keys(r, why);
	if (e == ERR_OK)
		e = path_config_dir(&r->config_dir, why);
	if (e == ERR_OK)
		e = loop_new(&r->loop, why);
	if (e == ERR_OK)
		e = watch_settling(r, why);
	if (e == ERR_OK)
		e = begin_access(r, why);
	if (e == ERR_OK)
		e = find_person(r, why);
	if (e == ERR_OK && r->o->fleet != NULL)
		e = begin_recording(r, why);
	if (e == ERR_OK)
		e = profiles_load(NULL, 0, NULL, &r->profiles, why);
	if (e == ERR_OK)
		e = begin_session(r, why);
	if (e == ERR_OK)
		e = begin_errands(r, why);
	if (e == ERR_OK)
		e = begin_screen(r, why);
	return e;
}

enum err console_run(struct console_run *o, int *signal_number, struct why *why)
{
	struct run *r = calloc(1, sizeof *r);
	if (r == NULL)
		return why_memory(why);
	r->o = o;
	r->rings = !o->is_quiet;
	buf_init(&r->config_dir, PATH_BYTES);
	buf_init(&r->control_dir, PATH_BYTES);
	enum err e = begin(r, why);
	if (e != ERR_OK && r->loop != NULL)
		close_parts(r);
	if (r->loop != NULL)
		loop_run(r->loop);
	loop_free(r->loop);
	profiles_free(r->profiles);
	*signal_number = r->signal_number;
	if (e == ERR_OK && r->ended_why[0] != '\0')
		e = why_set(why, ERR_IO, "%s", r->ended_why);
	buf_release(&r->config_dir);
	buf_release(&r->control_dir);
	attention_release(&r->attention);
	ways_free(r->ways);
	free(r);
	return e;
}
