/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/pump.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/lend.h"

enum { MERGE_MS = 15, RETRY_MS = 10, TICK_MS = 1000, REST_MS = 1000, READ_MAX = 4096, DRAIN_ROUNDS = 64 };

static const int ending_signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
enum { ENDING = sizeof ending_signals / sizeof ending_signals[0] };

struct pump {
	struct pump_options o;
	struct console_host host;     /* the caller's */
	struct theme        theme;
	bool                is_auto_theme;
	struct terminal    *terminal;
	struct console     *console;
	struct canvas      *canvas;
	struct input        input;
	struct loop_poll   *poll;
	struct loop_timer  *paint_timer, *escape_timer, *tick_timer, *ended_timer, *settle_timer;
	struct loop_signal *ending[ENDING], *resized, *continued, *stopped;
	bool                has_ended, is_polling_output;
	bool                is_frame_due;    /* drawn once the terminal takes what is left of the one before */
	bool                awaits_rest;     /* of a sequence that was cut in two; the escape timer runs since its first part came */
	struct lend        *lend;            /* what the terminal is lent to; NULL: it is ours */
	struct loan        *loan;
	bool                ends_after_loan; /* asked to end meanwhile, by ended_signal */
	int                 ended_signal;
	struct why          ended_why;
};

/* From the loop alone, with nothing of the pump on the stack: whoever is told may free it. */
static void tell_ended(void *context)
{
	struct pump *p = context;
	const struct why why = p->ended_why;
	p->o.ended(p->o.context, p->ended_signal, why.text);
}

static void end(struct pump *p, int signal_number, const char *why)
{
	if (p->has_ended)
		return;
	if (p->loan != NULL) { /* the terminal is taken back first */
		p->ends_after_loan = true;
		p->ended_signal = signal_number;
		loan_end(p->loan);
		return;
	}
	p->has_ended = true;
	terminal_stop(p->terminal);
	loop_timer_stop(p->paint_timer);
	loop_timer_stop(p->escape_timer);
	loop_timer_stop(p->tick_timer);
	loop_timer_stop(p->settle_timer);
	loop_poll_close(p->poll);
	p->poll = NULL;
	p->ended_signal = signal_number;
	why_set(&p->ended_why, ERR_OK, "%s", why);
	loop_timer_start(p->ended_timer, 0, 0);
}

/* ---- painting ---- */

static void poll_output(struct pump *p)
{
	struct why why;
	bool wants = terminal_has_rest(p->terminal);
	if (wants == p->is_polling_output)
		return;
	p->is_polling_output = wants;
	if (loop_poll_set(p->poll, LOOP_READABLE | (wants ? LOOP_WRITABLE : 0), &why) != ERR_OK)
		end(p, 0, why.text);
}

static bool fit_canvas(struct pump *p, struct why *why)
{
	int rows, cols;
	terminal_size(p->terminal, &rows, &cols);
	if (p->canvas != NULL && canvas_rows(p->canvas) == rows && canvas_cols(p->canvas) == cols)
		return true;
	return (p->canvas == NULL ? canvas_new(rows, cols, &p->canvas, why) : canvas_resize(p->canvas, rows, cols, why)) == ERR_OK;
}

/* All of the frame is with the system: what it shows is on the screen, or on its way there with nothing of ours before it. */
static void frame_is_out(struct pump *p)
{
	int ms = console_shown(p->console);
	if (ms > 0)
		loop_timer_start(p->settle_timer, ms, 0);
}

static void paint(struct pump *p)
{
	struct why why = { "" };
	int row, col;
	if (p->has_ended || p->loan != NULL)
		return;
	if (!fit_canvas(p, &why)) {
		end(p, 0, why.text);
		return;
	}
	canvas_set_ascii(p->canvas, terminal_is_ascii(p->terminal));
	canvas_set_mono(p->canvas, terminal_is_mono(p->terminal));
	console_draw(p->console, p->canvas, &row, &col);
	enum err e = terminal_draw(p->terminal, p->canvas, row, col, &why);
	p->is_frame_due = e == ERR_LATER; /* the link is slow: frames merge into one until it is ready */
	if (e == ERR_LATER && !terminal_has_rest(p->terminal))
		loop_timer_start(p->paint_timer, RETRY_MS, 0); /* it is all in the kernel, which does not tell when that is out */
	else if (e != ERR_LATER && e != ERR_OK)
		end(p, 0, why.text);
	if (!p->has_ended && e == ERR_OK && !terminal_has_rest(p->terminal))
		frame_is_out(p);
	if (!p->has_ended)
		poll_output(p);
}

static void paint_timer(void *context)
{
	paint(context);
}

static void paint_soon(struct pump *p)
{
	if (!p->has_ended && !loop_timer_is_active(p->paint_timer))
		loop_timer_start(p->paint_timer, MERGE_MS, 0);
}

static void tick(void *context)
{
	struct pump *p = context;
	console_tick(p->console);
	paint(p);
}

/* ---- suspending ---- */

static void resume(struct pump *p)
{
	struct why why = { "" };
	console_hidden(p->console);
	if (terminal_start(p->terminal, &why) != ERR_OK) {
		end(p, 0, why.text);
		return;
	}
	paint(p);
}

/* Stops this process as SIGTSTP does by default, and goes on when it is continued. */
static void suspend(struct pump *p)
{
	if (p->loan != NULL) /* another program has the terminal */
		return;
	struct sigaction by_default = { .sa_handler = SIG_DFL }, before;
	terminal_stop(p->terminal);
	sigaction(SIGTSTP, &by_default, &before);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &before, NULL);
	resume(p);
}

static void on_stop(void *context, int number)
{
	(void)number;
	suspend(context);
}

/* Continued after a SIGSTOP, which nobody can prepare for: the shell has taken the terminal meanwhile. */
static void on_continue(void *context, int number)
{
	struct pump *p = context;
	(void)number;
	if (p->has_ended)
		return;
	if (p->loan != NULL) {
		loan_go_on(p->loan);
		return;
	}
	terminal_stop(p->terminal);
	resume(p);
}

static void on_ending_signal(void *context, int number)
{
	end(context, number, "");
}

static void on_resize(void *context, int number)
{
	struct pump *p = context;
	(void)number;
	if (p->has_ended || p->loan != NULL)
		return;
	terminal_repaint(p->terminal);
	paint(p);
}

/* ---- lending ---- */

/* What was typed ahead of the loan, and belongs to nobody now. */
static void forget_input(struct pump *p)
{
	loop_timer_stop(p->escape_timer);
	p->awaits_rest = false;
	input_release(&p->input);
	input_init(&p->input);
}

static void settle(struct pump *p, int status)
{
	struct lend *l = p->lend;
	p->lend = NULL;
	if (l->ended != NULL)
		l->ended(l->ctx, status);
	lend_free(l);
}

static void take_terminal(struct pump *p)
{
	struct why why = { "" };
	forget_input(p);
	if (loop_poll_set(p->poll, LOOP_READABLE, &why) != ERR_OK)
		end(p, 0, why.text);
	else
		resume(p);
}

static void loan_over(void *context, int status, const char *text)
{
	struct pump *p = context;
	loan_free(p->loan);
	p->loan = NULL;
	settle(p, status);
	if (p->ends_after_loan) {
		end(p, p->ended_signal, "");
		return;
	}
	if (text[0] != '\0')
		console_message(p->console, ROLE_WARN, text);
	take_terminal(p);
}

static void announce(const struct pump *p)
{
	char text[512];
	int n = snprintf(text, sizeof text, "pitwall: %.400s - the console comes back when it ends\n", p->lend->name);
	if (write(p->o.terminal.out_fd, text, (size_t)n) < 0)
		return; /* a terminal that is gone shows itself soon enough */
}

static void lend_terminal(struct pump *p, struct lend *l)
{
	struct why why = { "" };
	if (l == NULL)
		return;
	p->lend = l;
	terminal_stop(p->terminal);
	loop_timer_stop(p->paint_timer);
	p->is_frame_due = p->is_polling_output = false;
	enum err e = loop_poll_set(p->poll, 0, &why);
	if (e == ERR_OK) {
		announce(p);
		e = loan_new(p->o.loop, p->o.terminal.in_fd, p->lend, loan_over, p, &p->loan, &why);
	}
	if (e == ERR_OK)
		return;
	settle(p, -1);
	console_message(p->console, ROLE_WARN, why.text);
	take_terminal(p);
}

/* ---- themes ---- */

static enum err use_theme(struct pump *p, const char *name, struct why *why)
{
	struct theme other;
	enum err e = theme_load(name, p->o.config_dir, &other, why);
	if (e != ERR_OK)
		return e;
	p->theme = other;
	if (p->terminal != NULL)
		terminal_set_theme(p->terminal, &p->theme);
	return ERR_OK;
}

static enum next change_theme(struct pump *p, const char *name)
{
	struct why why;
	if (name[0] == '\0') {
		struct buf text;
		buf_init(&text, 1024);
		buf_printf(&text, "the theme is %s; there are: ", p->theme.name);
		size_t from = text.len;
		theme_names(&text);
		console_message(p->console, ROLE_TEXT, text.len > from ? buf_text(&text) : p->theme.name);
		buf_release(&text);
	} else if (use_theme(p, name, &why) != ERR_OK) {
		console_message(p->console, ROLE_WARN, why.text);
	} else {
		p->is_auto_theme = false;
	}
	return NEXT_REDRAW;
}

static enum next change_mouse(struct pump *p)
{
	bool is_taken = !terminal_has_mouse(p->terminal);
	terminal_set_mouse(p->terminal, is_taken);
	console_message(p->console, ROLE_TEXT, is_taken ? "the mouse is taken: a click selects, a second one opens; the terminal's selection wants Shift"
	                                                : "the mouse is the terminal's again");
	return NEXT_REDRAW;
}

static enum next host_command(void *context, enum command c, const char *argument, struct requests *out)
{
	struct pump *p = context;
	if (c == COMMAND_THEME)
		return change_theme(p, argument);
	if (c == COMMAND_MOUSE)
		return change_mouse(p);
	return p->host.command == NULL ? NEXT_IGNORED : p->host.command(p->host.context, c, argument, out);
}

static const struct view *host_view(void *context)
{
	struct pump *p = context;
	return p->host.view(p->host.context);
}

static void host_needs(void *context, const struct needs *n)
{
	struct pump *p = context;
	if (p->host.needs != NULL)
		p->host.needs(p->host.context, n);
}

static void host_requests(void *context, const struct requests *r)
{
	struct pump *p = context;
	if (p->host.requests != NULL)
		p->host.requests(p->host.context, r);
}

/* ---- input ---- */

static void report(struct pump *p, const struct input_event *e)
{
	struct why why;
	unsigned what = terminal_report(p->terminal, e);
	if (p->is_auto_theme && what & TERMINAL_IS_LIGHT && p->theme.background == BACKGROUND_DARK) {
		if (use_theme(p, "light", &why) == ERR_OK)
			what |= TERMINAL_LOOK_CHANGED;
	}
	if (what & TERMINAL_LOOK_CHANGED)
		paint(p);
}

static void fulfil(struct pump *p, enum console_wish wish)
{
	switch (wish) {
	case CONSOLE_NOTHING: break;
	case CONSOLE_PAINT: paint(p); break;
	case CONSOLE_REPAINT_ALL:
		terminal_repaint(p->terminal);
		paint(p);
		break;
	case CONSOLE_SUSPEND: suspend(p); break;
	case CONSOLE_LEND: lend_terminal(p, console_take_lend(p->console)); break;
	case CONSOLE_QUIT: end(p, 0, ""); break;
	}
}

static void handle(struct pump *p, const struct input_event *e)
{
	if (e->kind == INPUT_REPORT)
		report(p, e);
	else
		fulfil(p, console_event(p->console, e));
}

/* What was typed and not read yet is read and thrown away; the decoder keeps its place, so that no half of a sequence or of a paste is taken for keys
 * later. Returns whether there was nothing. */
static bool drain(struct pump *p)
{
	uint8_t bytes[READ_MAX];
	struct why why = { "" };
	struct input_event e;
	size_t n = 0, rounds = 0;
	bool was_quiet = !input_is_waiting(&p->input);
	do {
		if (terminal_read(p->terminal, bytes, sizeof bytes, &n, &why) != ERR_OK) {
			end(p, 0, why.text);
			return false;
		}
		for (const uint8_t *at = bytes; input_next(&p->input, &at, bytes + n, &e);) {
			was_quiet &= e.kind == INPUT_REPORT || e.kind == INPUT_FOCUS;
			if (e.kind == INPUT_REPORT)
				report(p, &e);
		}
	} while (n > 0 && ++rounds < DRAIN_ROUNDS);
	return was_quiet && !input_is_waiting(&p->input);
}

static void on_settled(void *context)
{
	struct pump *p = context;
	if (p->has_ended || p->loan != NULL)
		return;
	bool was_quiet = drain(p);
	if (!p->has_ended)
		fulfil(p, console_settled(p->console, was_quiet));
}

static void escape_timer(void *context)
{
	struct pump *p = context;
	struct input_event e;
	p->awaits_rest = false;
	while (!p->has_ended && p->loan == NULL && input_flush(&p->input, &e))
		handle(p, &e);
}

/* A lone Esc is a key after a moment. Half a sequence is none: its rest may take as long as a slow link does, and is waited for from its
 * first part on, so that keys which come instead of it are not swallowed for longer. */
static void wait_for_rest(struct pump *p, bool has_moved)
{
	bool is_cut = input_is_cut(&p->input);
	if (!input_is_waiting(&p->input))
		loop_timer_stop(p->escape_timer);
	else if (!is_cut || !p->awaits_rest || has_moved)
		loop_timer_start(p->escape_timer, is_cut ? REST_MS : terminal_escape_ms(p->terminal), 0);
	p->awaits_rest = is_cut;
}

static void read_input(struct pump *p)
{
	uint8_t bytes[READ_MAX];
	struct why why = { "" };
	struct input_event e;
	bool has_moved = false;
	size_t n;
	if (terminal_read(p->terminal, bytes, sizeof bytes, &n, &why) != ERR_OK) {
		end(p, 0, why.text);
		return;
	}
	const uint8_t *at = bytes;
	while (!p->has_ended && p->loan == NULL && input_next(&p->input, &at, bytes + n, &e)) {
		has_moved = true;
		handle(p, &e);
	}
	if (!p->has_ended && p->loan == NULL)
		wait_for_rest(p, has_moved);
}

static void on_poll(void *context, unsigned events)
{
	struct pump *p = context;
	struct why why = { "" };
	if (events & LOOP_WRITABLE) {
		if (terminal_flush(p->terminal, &why) != ERR_OK) {
			end(p, 0, why.text);
			return;
		}
		poll_output(p);
		if (p->is_frame_due && !terminal_has_rest(p->terminal))
			paint(p);
		else if (!terminal_has_rest(p->terminal))
			frame_is_out(p);
	}
	if (!p->has_ended && events & (LOOP_READABLE | LOOP_GONE))
		read_input(p);
}

/* ---- making and unmaking ---- */

static enum err watch_signals(struct pump *p, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < ENDING && e == ERR_OK; i++)
		e = loop_signal_new(p->o.loop, ending_signals[i], on_ending_signal, p, &p->ending[i], why);
	if (e == ERR_OK)
		e = loop_signal_new(p->o.loop, SIGWINCH, on_resize, p, &p->resized, why);
	if (e == ERR_OK)
		e = loop_signal_new(p->o.loop, SIGCONT, on_continue, p, &p->continued, why);
	return e == ERR_OK ? loop_signal_new(p->o.loop, SIGTSTP, on_stop, p, &p->stopped, why) : e;
}

static enum err watch(struct pump *p, struct why *why)
{
	enum err e = loop_timer_new(p->o.loop, paint_timer, p, &p->paint_timer, why);
	if (e == ERR_OK)
		e = loop_timer_new(p->o.loop, escape_timer, p, &p->escape_timer, why);
	if (e == ERR_OK)
		e = loop_timer_new(p->o.loop, tick, p, &p->tick_timer, why);
	if (e == ERR_OK)
		e = loop_timer_new(p->o.loop, tell_ended, p, &p->ended_timer, why);
	if (e == ERR_OK)
		e = loop_timer_new(p->o.loop, on_settled, p, &p->settle_timer, why);
	if (e == ERR_OK)
		e = watch_signals(p, why);
	return e;
}

static enum err start(struct pump *p, struct why *why)
{
	enum err e = terminal_start(p->terminal, why);
	if (e == ERR_OK)
		e = loop_poll_new(p->o.loop, terminal_fd(p->terminal), on_poll, p, &p->poll, why);
	if (e == ERR_OK)
		e = loop_poll_set(p->poll, LOOP_READABLE, why);
	return e;
}

static void hint_at_substitute(struct pump *p)
{
	const struct terminfo *info = terminal_info(p->terminal);
	char text[256];
	if (!info->is_substitute)
		return;
	snprintf(text, sizeof text, "terminal '%.60s' is not known here; used as %s", p->o.terminal.term, info->name);
	console_message(p->console, ROLE_WARN, text);
}

enum err pump_new(const struct pump_options *o, struct screen *first, struct pump **out, struct why *why)
{
	struct pump *p = calloc(1, sizeof *p);
	if (p == NULL) {
		first->kind->free(first);
		return why_memory(why);
	}
	p->o = *o;
	p->host = *o->host;
	input_init(&p->input);
	p->is_auto_theme = strcmp(o->theme, "auto") == 0;
	const struct console_host host = { p, host_view, host_needs, host_requests, host_command };
	enum err e = console_new(&host, o->clock, o->keys, first, &p->console, why);
	if (e == ERR_OK)
		e = use_theme(p, p->is_auto_theme ? "dark" : o->theme, why);
	if (e == ERR_OK)
		e = terminal_new(&o->terminal, &p->theme, &p->terminal, why);
	if (e == ERR_OK)
		e = watch(p, why);
	if (e == ERR_OK)
		e = start(p, why);
	if (e != ERR_OK) {
		pump_free(p);
		return e;
	}
	hint_at_substitute(p);
	paint(p);
	loop_timer_start(p->tick_timer, TICK_MS, TICK_MS);
	*out = p;
	return ERR_OK;
}

void pump_free(struct pump *p)
{
	if (p == NULL)
		return;
	loan_free(p->loan);
	if (p->lend != NULL)
		settle(p, -1);
	loop_poll_close(p->poll); /* before its descriptor goes */
	terminal_free(p->terminal);
	loop_timer_close(p->paint_timer);
	loop_timer_close(p->escape_timer);
	loop_timer_close(p->tick_timer);
	loop_timer_close(p->ended_timer);
	loop_timer_close(p->settle_timer);
	for (size_t i = 0; i < ENDING; i++)
		loop_signal_close(p->ending[i]);
	loop_signal_close(p->resized);
	loop_signal_close(p->continued);
	loop_signal_close(p->stopped);
	console_free(p->console);
	canvas_free(p->canvas);
	input_release(&p->input);
	free(p);
}

void pump_changed(struct pump *p)
{
	console_changed(p->console);
	paint_soon(p);
}

void pump_message(struct pump *p, enum role role, const char *text)
{
	console_message(p->console, role, text);
	paint_soon(p);
}

void pump_call(struct pump *p, enum fleet_attention how, const char *text)
{
	terminal_call(p->terminal, how, text);
	paint_soon(p);
}

void pump_push(struct pump *p, struct screen *s)
{
	console_push(p->console, s);
	paint_soon(p);
}

/* One that comes while another has the terminal, or at the end, was waited for too long: it is not run. */
void pump_lend(struct pump *p, struct lend *l)
{
	if (!p->has_ended && p->loan == NULL) {
		lend_terminal(p, l);
		return;
	}
	if (l->ended != NULL)
		l->ended(l->ctx, -1);
	lend_free(l);
}

struct console *pump_console(struct pump *p)
{
	return p->console;
}
