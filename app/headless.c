/* SPDX-License-Identifier: Apache-2.0 */
#include "app/headless.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tui/let_go.h"

enum { SETTLING_MS = 20, LOOK_MS = 200 };

static const int numbers[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP };
enum { SIGNALS = sizeof numbers / sizeof numbers[0] };

struct headless {
	struct headless_options o;
	struct loop_signal     *signals[SIGNALS];
	struct loop_timer      *look;
	bool                    has_settled; /* the recorder goes on; the terminal is let go of */
	bool                    is_over;
};

static void end(struct headless *h, int signal_number)
{
	if (h->is_over)
		return;
	h->is_over = true;
	loop_timer_stop(h->look);
	h->o.over(h->o.ctx, signal_number, h->has_settled);
}

static void on_signal(void *ctx, int number)
{
	struct headless *h = ctx;
	if (number == SIGTERM)
		end(h, number);
	else if (number == SIGHUP && h->has_settled)
		standby_reload(h->o.standby);
}

/* On the terminal, which is still there. */
static void say_so(void)
{
	long pid = (long)getpid();
	printf("pitwall: it goes on in the background as process %ld; 'pitwall' shows what it does, 'kill %ld' ends it\n", pid, pid);
	fflush(stdout);
}

static void settle(struct headless *h)
{
	bool was_let_go = h->o.departure.kind == DEPARTURE_LET_GO;
	h->has_settled = true;
	if (was_let_go)
		say_so();
	let_go(was_let_go);
	loop_timer_start(h->look, LOOK_MS, LOOK_MS);
}

static void look(void *ctx)
{
	struct headless *h = ctx;
	switch (standby_alone(h->o.standby)) {
	case ALONE_NOT:
		break;
	case ALONE_GOES_ON:
		if (!h->has_settled)
			settle(h);
		break;
	case ALONE_OVER:
		end(h, 0);
		break;
	}
}

void headless_close(struct headless *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < SIGNALS; i++)
		loop_signal_close(h->signals[i]);
	loop_timer_close(h->look);
	free(h);
}

enum err headless_new(const struct headless_options *o, struct headless **out, struct why *why)
{
	struct headless *h = calloc(1, sizeof *h);
	if (h == NULL)
		return why_memory(why);
	h->o = *o;
	enum err e = loop_timer_new(o->loop, look, h, &h->look, why);
	for (size_t i = 0; i < SIGNALS && e == ERR_OK; i++)
		e = loop_signal_new(o->loop, numbers[i], on_signal, h, &h->signals[i], why);
	if (e == ERR_OK && !standby_leave(o->standby, &o->departure))
		e = why_set(why, ERR_LATER, "nothing is recorded here");
	if (e != ERR_OK) {
		headless_close(h);
		return e;
	}
	loop_timer_start(h->look, 0, SETTLING_MS);
	*out = h;
	return ERR_OK;
}
