/* SPDX-License-Identifier: Apache-2.0
 *
 * A program for the tests of the console: the real console, terminal and loop over a small screen of its own, which shows a few lines (one
 * of them hostile), counts how often it was told to go down, and crashes on the filter "crash". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/pump.h"
#include "tui/view.h"

struct little {
	struct screen screen;
	int           downs;
	char          filter[64];
};

struct program {
	struct loop *loop;
	struct view  view;
	struct fleet_view fleet;
	int          signal;
	char         why[512];
};

static void draw(const struct screen *s, const struct view *view, struct canvas *into)
{
	const struct little *l = (const struct little *)s;
	(void)view;
	canvas_rule(into, 0, "little", "a note");
	canvas_printf(into, 1, 1, ROLE_TEXT, "downs=%d filter=%s", l->downs, l->filter);
	canvas_put(into, 2, 1, ROLE_CRIT, "hostile \033]0;owned\007 \033[2J \x9b" "31m \u202e \xff end");
	canvas_put(into, 3, 1, ROLE_TEXT, "wide \u6f22\u5b57 here");
	canvas_fill(into, (struct rect){ 4, 1, 1, 8 }, ROLE_HEAT_7, ' ');
	canvas_set_ground(into, (struct rect){ 4, 1, 1, 8 }, ROLE_HEAT_7);
}

static enum next command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct little *l = (struct little *)s;
	(void)view;
	(void)argument;
	(void)out;
	if (c != COMMAND_DOWN)
		return NEXT_IGNORED;
	l->downs++;
	return NEXT_REDRAW;
}

static void filter(struct screen *s, const char *text)
{
	struct little *l = (struct little *)s;
	snprintf(l->filter, sizeof l->filter, "%s", text);
	if (strcmp(text, "crash") == 0)
		abort();
}

static const char *filtered(const struct screen *s)
{
	return ((const struct little *)s)->filter;
}

static void free_little(struct screen *s)
{
	free(s);
}

static const struct screen_kind kind = {
	.name = "LITTLE", .context = CONTEXT_FLEET, .draw = draw, .command = command, .filter = filter, .filtered = filtered, .free = free_little,
};

static const struct view *view_of(void *context)
{
	return &((struct program *)context)->view;
}

static void ended(void *context, int number, const char *why)
{
	struct program *p = context;
	p->signal = number;
	snprintf(p->why, sizeof p->why, "%s", why);
	loop_stop(p->loop);
}

int main(void)
{
	static struct keymap keys;
	static struct program p;
	struct why why = { "" };
	struct pump *pump = NULL;
	struct little *l = calloc(1, sizeof *l);
	const struct console_host host = { .context = &p, .view = view_of };
	struct pump_options o = { .clock = clock_system(), .host = &host, .keys = &keys, .theme = "auto", .ended = ended, .context = &p };
	if (l == NULL)
		return 3;
	l->screen.kind = &kind;
	keymap_init(&keys);
	p.fleet.name = "tests";
	p.view = (struct view){ .now_ms = 1700000000000, .last_ms = 1700000000000, .t_ms = 1700000000000, .speed = 1, .fleet = &p.fleet };
	if (loop_new(&p.loop, &why) != ERR_OK)
		return 3;
	o.loop = p.loop;
	terminal_options_from_env(&o.terminal, STDIN_FILENO, STDOUT_FILENO);
	enum err e = pump_new(&o, &l->screen, &pump, &why);
	if (e == ERR_OK)
		loop_run(p.loop);
	else
		fprintf(stderr, "pitwall: %s\n", why.text);
	pump_free(pump);
	loop_free(p.loop);
	if (e == ERR_OK)
		printf("goodbye %d %s\n", p.signal, p.why);
	return e == ERR_OK ? p.signal == 0 && p.why[0] == '\0' ? 0 : 1 : 2;
}
