/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/console.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "tui/deploys_text.h"
#include "tui/dialog.h"
#include "tui/glyph.h"
#include "tui/help.h"
#include "tui/lend.h"
#include "tui/prompt.h"
#include "tui/view.h"
#include "tui/widget_bar.h"

enum { SCREENS_MAX = 16, LEAST_ROWS = 5, LEAST_COLS = 20, MESSAGE_MAX = 1024, MESSAGE_MS = 8000, ROWS_FOR_BANNER = 10 };

struct console {
	struct console_host  host;
	const struct clock  *clock;
	const struct keymap *keys;
	struct screen       *screens[SCREENS_MAX]; /* the first is the root */
	size_t               n;
	struct prompt        prompt;
	char                 filter_before[PROMPT_LINE_MAX + 1]; /* what Esc puts back */
	struct buf           message;
	enum role            message_role;
	int64_t              message_until_ms;
	struct needs         needs; /* large, so not on the stack */
	bool                 wants_quit, wants_suspend, wants_repaint;
	struct lend         *lend; /* owned until the pump takes it */
	int                  rows; /* as last drawn */
	int                  head; /* rows above the screens, likewise */
	const struct screen *shown;    /* on top in the last frame that went out; only compared */
	int64_t              input_ms; /* when the last input came */
	bool                 has_input; /* since `shown` asked for time */
};

enum err console_new(const struct console_host *host, const struct clock *clock, const struct keymap *keys, struct screen *first,
		     struct console **out, struct why *why)
{
	struct console *c = calloc(1, sizeof *c);
	if (c == NULL) {
		first->kind->free(first);
		return why_memory(why);
	}
	c->host = *host;
	c->clock = clock;
	c->keys = keys;
	c->screens[c->n++] = first;
	buf_init(&c->message, MESSAGE_MAX);
	prompt_init(&c->prompt);
	console_changed(c);
	*out = c;
	return ERR_OK;
}

void console_free(struct console *c)
{
	if (c == NULL)
		return;
	while (c->n > 0) {
		c->n--;
		c->screens[c->n]->kind->free(c->screens[c->n]);
	}
	prompt_release(&c->prompt);
	buf_release(&c->message);
	lend_free(c->lend);
	free(c);
}

static struct screen *top(const struct console *c)
{
	return c->screens[c->n - 1];
}

const struct screen *console_top(const struct console *c)
{
	return top(c);
}

/* The highest screen that is no dialog: what is looked at. */
static size_t ground_floor(const struct console *c)
{
	size_t i = c->n - 1;
	while (i > 0 && c->screens[i]->kind->is_dialog)
		i--;
	return i;
}

static const struct view *view(const struct console *c)
{
	return c->host.view(c->host.context);
}

static void ask_needs(struct console *c)
{
	memset(&c->needs, 0, sizeof c->needs);
	for (size_t i = ground_floor(c); i < c->n; i++)
		if (c->screens[i]->kind->needs != NULL)
			c->screens[i]->kind->needs(c->screens[i], view(c), &c->needs);
	for (size_t i = c->n; i > 0; i--)
		if (c->screens[i - 1]->kind->follows != NULL && c->screens[i - 1]->kind->follows(c->screens[i - 1], &c->needs.log))
			break;
	if (c->host.needs != NULL)
		c->host.needs(c->host.context, &c->needs);
}

static void tell_screens(struct console *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->screens[i]->kind->update != NULL)
			c->screens[i]->kind->update(c->screens[i], view(c));
}

void console_changed(struct console *c)
{
	tell_screens(c);
	ask_needs(c);
}

void console_message(struct console *c, enum role role, const char *text)
{
	buf_clear(&c->message);
	buf_puts(&c->message, text);
	c->message_role = role;
	c->message_until_ms = clock_mono_ms(c->clock) + MESSAGE_MS;
}

void console_tick(struct console *c)
{
	if (c->message.len > 0 && clock_mono_ms(c->clock) >= c->message_until_ms)
		buf_clear(&c->message);
}

/* ---- the stack ---- */

static void pop(struct console *c)
{
	const struct screen *below;
	assert(c->n > 1);
	do {
		struct screen *s = top(c);
		c->screens[--c->n] = NULL;
		s->kind->free(s);
		below = top(c);
	} while (c->n > 1 && below->kind->is_over != NULL && below->kind->is_over(below));
}

static void push(struct console *c, struct screen *s)
{
	if (s == NULL) {
		console_message(c, ROLE_CRIT, "out of memory");
	} else if (c->n == SCREENS_MAX) {
		s->kind->free(s);
		console_message(c, ROLE_WARN, "too many views are open; close some with q");
	} else {
		c->screens[c->n++] = s;
		if (s->kind->update != NULL)
			s->kind->update(s, view(c));
	}
}

static void carry_out(struct console *c, const struct requests *r)
{
	if (r->to_root)
		while (c->n > 1)
			pop(c);
	if (r->push != NULL)
		push(c, r->push);
	if (r->message != NULL)
		console_message(c, ROLE_TEXT, r->message);
	assert(r->ask == NULL || c->host.requests != NULL); /* it is the host's from here on */
	if ((r->has_time || r->live || r->pause || r->has_signal || r->ask != NULL) && c->host.requests != NULL)
		c->host.requests(c->host.context, r);
	if (r->has_time || r->live || r->has_signal)
		tell_screens(c);
	c->wants_quit |= r->quit;
	if (r->lend != NULL) {
		lend_free(c->lend);
		c->lend = r->lend;
	}
	if (r->confirmed != NULL)
		r->confirmed(r->confirmed_ctx);
}

void console_push(struct console *c, struct screen *s)
{
	push(c, s);
	ask_needs(c);
}

struct lend *console_take_lend(struct console *c)
{
	struct lend *l = c->lend;
	c->lend = NULL;
	return l;
}

static void ask_to_quit(struct console *c)
{
	static const struct requests yes = { .quit = true };
	push(c, dialog_new("leave pitwall?", "The console is closed; what was recorded stays.", "leave", "stay", &yes));
}

/* ---- the filter ---- */

static void set_filter(struct console *c, const char *text)
{
	struct screen *s = top(c);
	s->kind->filter(s, text);
	if (s->kind->update != NULL)
		s->kind->update(s, view(c));
}

static bool open_filter(struct console *c)
{
	if (top(c)->kind->filter == NULL)
		return false;
	snprintf(c->filter_before, sizeof c->filter_before, "%s", top(c)->kind->filtered(top(c)));
	prompt_open(&c->prompt, '/', c->filter_before, NULL, NULL);
	return true;
}

/* ---- commands ---- */

/* Back and close, when the screen did not take them. */
static void go_back(struct console *c)
{
	if (c->n > 1)
		pop(c);
}

static size_t complete_command(const void *context, const char *line, struct completion *out, size_t max)
{
	const struct console *c = context;
	size_t n, found = 0, len = strlen(line);
	const struct command_info *table = command_table(&n);
	for (size_t i = 0; i < n && found < max; i++)
		if (table[i].contexts & top(c)->kind->context && strncmp(table[i].name, line, len) == 0)
			out[found++] = (struct completion){ table[i].name, table[i].sentence };
	return found;
}

/* What the console does before any screen is asked. */
static bool own_command(struct console *c, enum command command)
{
	const struct screen *s = top(c);
	switch ((int)command) {
	case COMMAND_REDRAW: c->wants_repaint = true; return true;
	case COMMAND_SUSPEND: c->wants_suspend = true; return true;
	case COMMAND_COMMAND: prompt_open(&c->prompt, ':', "", complete_command, c); return true;
	case COMMAND_FILTER: return open_filter(c);
	case COMMAND_HELP:
		if (s->kind->context == CONTEXT_HELP)
			return false;
		push(c, help_new(c->keys, s->kind->context, s->kind->name));
		return true;
	default: return false;
	}
}

static enum next pass_on(struct console *c, enum command command, const char *argument, struct requests *r)
{
	enum next next = top(c)->kind->command(top(c), view(c), command, argument, r);
	if (next != NEXT_IGNORED)
		return next;
	bool leaves = command == COMMAND_QUIT && c->n == 1; /* the host may have more to ask about that */
	if ((command == COMMAND_BACK || command == COMMAND_QUIT) && !leaves) {
		go_back(c);
		return NEXT_REDRAW;
	}
	next = c->host.command == NULL ? NEXT_IGNORED : c->host.command(c->host.context, command, argument, r);
	if (next == NEXT_IGNORED && leaves) {
		ask_to_quit(c);
		return NEXT_REDRAW;
	}
	if (next != NEXT_IGNORED)
		tell_screens(c); /* the view's signal or time may be another one */
	return next;
}

/* What the pump has to do now; the wishes are kept until they are told. */
static enum console_wish wish(struct console *c, bool has_changed)
{
	bool quit = c->wants_quit, suspend = c->wants_suspend, repaint = c->wants_repaint;
	c->wants_quit = c->wants_suspend = c->wants_repaint = false;
	if (quit)
		return CONSOLE_QUIT;
	if (c->lend != NULL)
		return CONSOLE_LEND;
	if (suspend)
		return CONSOLE_SUSPEND;
	return repaint ? CONSOLE_REPAINT_ALL : has_changed ? CONSOLE_PAINT : CONSOLE_NOTHING;
}

static enum console_wish after(struct console *c, enum next next, const struct requests *r, bool had_message)
{
	/* A screen that closes is freed first: what it asked for must not point into it but for the message, which is copied here. */
	struct requests rest = *r;
	if (r->message != NULL)
		console_message(c, ROLE_TEXT, r->message);
	rest.message = NULL;
	if (next == NEXT_CLOSE && c->n > 1)
		pop(c);
	carry_out(c, &rest);
	if (next != NEXT_IGNORED)
		ask_needs(c);
	bool has_changed = next == NEXT_REDRAW || next == NEXT_CLOSE || had_message || c->message.len > 0 || r->push != NULL || r->to_root ||
			   r->has_time || r->live || r->pause || r->has_signal;
	return wish(c, has_changed);
}

enum console_wish console_command(struct console *c, enum command command, const char *argument)
{
	struct requests r = { 0 };
	bool had_message = c->message.len > 0;
	buf_clear(&c->message);
	if (own_command(c, command))
		return after(c, NEXT_REDRAW, &r, had_message);
	enum next next = pass_on(c, command, argument, &r);
	if (next == NEXT_IGNORED && argument[0] != '\0')
		console_message(c, ROLE_WARN, "this view has no use for that command");
	return after(c, next, &r, had_message);
}

/* ---- the prompt ---- */

static void say_unknown(struct console *c, const char *name, size_t n)
{
	const char *names[COMMAND_COUNT];
	char word[64], text[MESSAGE_MAX / 2];
	size_t rows;
	const struct command_info *table = command_table(&rows);
	for (size_t i = 0; i < rows; i++)
		names[i] = table[i].name;
	snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), name);
	const char *near = suggest(word, names, rows);
	snprintf(text, sizeof text, "there is no command '%s'%s%s%s", word, near == NULL ? "; Tab shows them" : "; did you mean '",
		 near == NULL ? "" : near, near == NULL ? "" : "'?");
	console_message(c, ROLE_WARN, text);
}

/* The command of that name, or the only one that begins so. */
static enum command find_command(const struct console *c, const char *name, size_t n)
{
	enum command exact = command_by_name(name, n), only = COMMAND_NONE;
	size_t rows;
	const struct command_info *table = command_table(&rows);
	if (exact != COMMAND_NONE)
		return exact;
	for (size_t i = 0; i < rows; i++) {
		if (!(table[i].contexts & top(c)->kind->context) || strncmp(table[i].name, name, n) != 0)
			continue;
		if (only != COMMAND_NONE)
			return COMMAND_NONE;
		only = table[i].id;
	}
	return only;
}

static enum console_wish run_line(struct console *c)
{
	char line[PROMPT_LINE_MAX + 1];
	snprintf(line, sizeof line, "%s", prompt_text(&c->prompt));
	prompt_close(&c->prompt);
	const char *name = line + strspn(line, " ");
	size_t n = strcspn(name, " ");
	if (n == 0)
		return CONSOLE_PAINT;
	enum command command = find_command(c, name, n);
	if (command == COMMAND_NONE) {
		say_unknown(c, name, n);
		return CONSOLE_PAINT;
	}
	char *argument = line + (name - line) + n;
	argument += strspn(argument, " ");
	for (size_t end = strlen(argument); end > 0 && argument[end - 1] == ' '; end--)
		argument[end - 1] = '\0';
	enum console_wish w = console_command(c, command, argument);
	return w == CONSOLE_NOTHING ? CONSOLE_PAINT : w;
}

static enum console_wish after_prompt(struct console *c, enum prompt_result result)
{
	bool is_filter = c->prompt.sign == '/';
	if (result == PROMPT_IGNORED)
		return CONSOLE_NOTHING;
	if (result == PROMPT_CHANGED && is_filter)
		set_filter(c, prompt_text(&c->prompt));
	if (result == PROMPT_ACCEPTED && !is_filter)
		return run_line(c);
	if (result == PROMPT_CANCELLED && is_filter)
		set_filter(c, c->filter_before);
	if (result == PROMPT_ACCEPTED || result == PROMPT_CANCELLED)
		prompt_close(&c->prompt);
	if (is_filter)
		ask_needs(c);
	return CONSOLE_PAINT;
}

/* ---- events ---- */

static enum console_wish key(struct console *c, struct key k, int64_t quiet_ms)
{
	if (c->prompt.sign != 0 && !(k.mods == MOD_CTRL && (k.code == 'z' || k.code == 'l')))
		return after_prompt(c, prompt_key(&c->prompt, k));
	if (top(c)->kind->pace != NULL)
		top(c)->kind->pace(top(c), quiet_ms);
	if (top(c)->kind->key != NULL && !(k.mods == MOD_CTRL && (k.code == 'z' || k.code == 'l'))) {
		struct requests r = { 0 };
		enum next next = top(c)->kind->key(top(c), k, &r);
		if (next != NEXT_IGNORED)
			return after(c, next, &r, false);
	}
	unsigned context = top(c)->kind->context;
	enum command command = keymap_find(c->keys, k, context);
	if (command == COMMAND_NONE && top(c)->kind->is_dialog && k.mods == 0)
		command = k.code == 'y' ? COMMAND_ENTER : k.code == 'n' ? COMMAND_BACK : COMMAND_NONE;
	if (command == COMMAND_NONE && k.code == 'c' && k.mods == MOD_CTRL) {
		console_message(c, ROLE_TEXT, "q closes the view, and on the last one leaves pitwall");
		return CONSOLE_PAINT;
	}
	if (command == COMMAND_NONE) {
		bool had_message = c->message.len > 0;
		buf_clear(&c->message);
		return had_message ? CONSOLE_PAINT : CONSOLE_NOTHING;
	}
	return console_command(c, command, "");
}

static enum console_wish mouse(struct console *c, const struct input_event *e)
{
	struct screen *s = top(c);
	struct requests r = { 0 };
	bool is_wheel = e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN;
	if (e->is_release || e->is_drag || c->prompt.sign != 0)
		return CONSOLE_NOTHING;
	enum next next = NEXT_IGNORED;
	if (s->kind->mouse != NULL && e->row >= c->head && e->row < c->rows - 1)
		next = s->kind->mouse(s, view(c), e->row - c->head, e->col, e->button, &r);
	if (next == NEXT_IGNORED && is_wheel)
		return console_command(c, e->button == MOUSE_WHEEL_UP ? COMMAND_UP : COMMAND_DOWN, "");
	return after(c, next, &r, false);
}

/* How long nothing had come before this. */
static int64_t note_input(struct console *c, enum input_kind kind)
{
	int64_t now = clock_mono_ms(c->clock), quiet = now - c->input_ms;
	if (kind == INPUT_FOCUS || kind == INPUT_REPORT)
		return quiet;
	c->input_ms = now;
	c->has_input = true;
	return quiet;
}

int console_shown(struct console *c)
{
	struct screen *s = top(c);
	bool is_uncovered = c->shown != s || c->prompt.sign != 0;
	c->shown = c->prompt.sign != 0 ? NULL : s;
	int ms = s->kind->shown == NULL || c->prompt.sign != 0 ? 0 : s->kind->shown(s, is_uncovered);
	c->has_input = ms > 0 ? false : c->has_input;
	return ms;
}

void console_hidden(struct console *c)
{
	c->shown = NULL;
}

enum console_wish console_settled(struct console *c, bool was_quiet)
{
	struct screen *s = top(c);
	struct requests r = { 0 };
	if (s != c->shown || s->kind->settled == NULL)
		return CONSOLE_NOTHING;
	enum next next = s->kind->settled(s, view(c), was_quiet && !c->has_input, &r);
	return after(c, next, &r, false);
}

enum console_wish console_event(struct console *c, const struct input_event *e)
{
	int64_t quiet_ms = note_input(c, e->kind);
	switch (e->kind) {
	case INPUT_KEY:
		return key(c, e->key, quiet_ms);
	case INPUT_MOUSE:
		return mouse(c, e);
	case INPUT_PASTE:
		if (c->prompt.sign != 0)
			return after_prompt(c, prompt_paste(&c->prompt, e->text, e->text_len));
		if (top(c)->kind->paste != NULL) {
			struct requests r = { 0 };
			return after(c, top(c)->kind->paste(top(c), e->text, e->text_len), &r, false);
		}
		console_message(c, ROLE_WARN, "pasted text is taken only by the command line (:) and the filter (/)");
		return CONSOLE_PAINT;
	case INPUT_FOCUS:
	case INPUT_REPORT:
		break;
	}
	return CONSOLE_NOTHING;
}

/* ---- drawing ---- */

static void draw_keys(const struct console *c, const struct view *v, struct canvas *into, int row)
{
	const struct screen *s = top(c);
	bool useless[COMMAND_COUNT] = { false };
	for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT && s->kind->offers != NULL; i++)
		useless[i] = !s->kind->offers(s, v, (enum command)i);
	key_bar_draw_some(into, row, c->keys, s->kind->context, useless);
}

/* A message for a moment; else what is wrong with recording or reading, for as long as it is; else the keys. */
static void draw_last_row(struct console *c, const struct view *v, struct canvas *into, int row)
{
	int cols = canvas_cols(into);
	if (c->message.len > 0)
		canvas_put_width(into, row, 1, cols - 2, -1, c->message_role, buf_text(&c->message));
	else if (v->trouble != NULL && v->trouble[0] != '\0')
		canvas_put_width(into, row, 1, cols - 2, -1, ROLE_CRIT, v->trouble);
	else
		draw_keys(c, v, into, row);
}

/* What goes on, on every screen but those that are about nothing else. Returns the rows that it takes. */
static int draw_banner(const struct console *c, const struct view *v, struct canvas *into, int rows)
{
	const struct screen *s = c->screens[ground_floor(c)];
	struct buf text;
	enum role role;
	if (rows < ROWS_FOR_BANNER || s->kind->context & (CONTEXT_RUN | CONTEXT_DEPLOYS))
		return 0;
	buf_init(&text, MESSAGE_MAX);
	bool has_any = deploys_banner(v, &text, &role);
	if (has_any) {
		bool has_key = !(s->kind->context & CONTEXT_SHEET) && canvas_cols(into) >= 60;
		int cols = canvas_cols(into) - 2 - (has_key ? 12 : 0);
		canvas_put_char(into, 1, 1, role, role == ROLE_INFO ? GLYPH_PLAY : GLYPH_UP);
		canvas_put_width(into, 1, 3, cols - 2, -1, role, buf_text(&text));
		if (has_key)
			canvas_put(into, 1, cols + 2, ROLE_SECOND, "4 shows it");
	}
	buf_release(&text);
	return has_any;
}

void console_draw(struct console *c, struct canvas *into, int *row, int *col)
{
	int rows = canvas_rows(into), cols = canvas_cols(into);
	const struct view *v = view(c);
	*row = *col = -1;
	c->rows = rows;
	canvas_clear(into);
	if (rows < LEAST_ROWS || cols < LEAST_COLS) {
		canvas_printf(into, 0, 0, ROLE_TEXT, "need %dx%d, have %dx%d", LEAST_COLS, LEAST_ROWS, cols, rows);
		return;
	}
	size_t floor = ground_floor(c);
	status_bar_draw(into, 0, c->screens[floor]->kind->name, v);
	c->head = 1 + draw_banner(c, v, into, rows);
	for (size_t i = floor; i < c->n; i++) {
		canvas_enter(into, (struct rect){ c->head, 0, rows - 1 - c->head, cols });
		c->screens[i]->kind->draw(c->screens[i], v, into);
		canvas_leave(into);
	}
	if (c->prompt.sign != 0) {
		int above = rows - 1 > 8 ? 8 : rows - 2; /* completions */
		canvas_enter(into, (struct rect){ rows - 1 - above, 0, above + 1, cols });
		prompt_draw(&c->prompt, into, row, col);
		canvas_leave(into);
		*row += rows - 1 - above;
	} else {
		draw_last_row(c, v, into, rows - 1);
	}
}
