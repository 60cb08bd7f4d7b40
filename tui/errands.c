/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/errands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/spool.h"
#include "base/text.h"

enum { WAITS_MAX = 32, SAID_MAX = 1200 };

struct errands {
	struct errands_options o;
	char                  who[REQUEST_NAME_MAX + 1];
	char                  console[REQUEST_ID];
	bool                  must_ask;
	struct spool_way      way;
	struct loop_timer    *here, *patience;
	char                  waits[WAITS_MAX][REQUEST_ID]; /* requests whose outcome is not known */
	size_t                n_waits;
	bool                  is_closing;
	size_t                n_parts;
	void                (*closed)(void *ctx);
	void                 *closed_ctx;
};

/* A request on its way into the spool, on a worker. */
struct putting {
	struct errands   *errands;
	struct request  *request; /* owned; NULL: that a console is there, made of what follows */
	char             id[REQUEST_ID], who[REQUEST_NAME_MAX + 1], view[REQUEST_VIEW_MAX + 1];
	bool             is_gone;
	int64_t          now_ms;
	enum err         err;
	struct why       why;
};

static void say(struct errands *a, enum role role, const char *before, const char *text)
{
	struct buf b;
	buf_init(&b, SAID_MAX);
	buf_puts(&b, before);
	text_safe(&b, text, strlen(text));
	if (!a->is_closing)
		a->o.said(a->o.ctx, role, buf_text(&b));
	buf_release(&b);
}

/* ---- who sits here ---- */

static void tell_person(struct errands *a)
{
	const struct view_person p = { .who = a->who, .account = a->o.account, .origin = a->o.origin, .console = a->console, .must_ask = a->must_ask,
		                       .refusal = a->o.refusal != NULL ? a->o.refusal : a->o.denied != NULL ? a->o.denied : "" };
	a->o.person(a->o.ctx, &p);
}

static void learn_name(struct errands *a, const struct request *r)
{
	if (!a->must_ask || r->who == NULL || r->who[0] == '\0')
		return;
	snprintf(a->who, sizeof a->who, "%s", r->who);
	a->must_ask = false;
	tell_person(a);
}

/* ---- life ---- */

static void free_now(void *ctx)
{
	struct errands *a = ctx;
	void (*closed)(void *) = a->closed;
	void *closed_ctx = a->closed_ctx;
	free(a);
	if (closed != NULL)
		closed(closed_ctx);
}

static void part_gone(struct errands *a)
{
	if (--a->n_parts == 0 && a->is_closing && loop_post(a->o.loop, free_now, a) != ERR_OK)
		free_now(a);
}

/* ---- into the spool ---- */

static void put_work(void *ctx)
{
	struct putting *p = ctx;
	const struct errands *a = p->errands;
	const struct request here = { .kind = REQUEST_HERE, .asked_ms = p->now_ms, .who = p->who, .origin = a->o.origin, .console = a->console,
		                      .view = p->view, .is_gone = p->is_gone };
	struct request r = p->request != NULL ? *p->request : here;
	memcpy(r.id, p->id, sizeof r.id);
	p->err = spool_put(&a->way, &r, &p->why);
}

static void put_done(void *ctx, bool is_cancelled)
{
	struct putting *p = ctx;
	struct errands *a = p->errands;
	bool is_persons = p->request != NULL;
	(void)is_cancelled;
	if (is_persons && p->err != ERR_OK)
		say(a, ROLE_CRIT, "", p->why.text);
	/* A plan takes as long as the nodes take, and its sheet says what became of it. */
	bool is_awaited = is_persons && p->request->kind != REQUEST_PLAN;
	if (is_awaited && p->err == ERR_OK && !a->is_closing) {
		if (a->n_waits < WAITS_MAX)
			memcpy(a->waits[a->n_waits++], p->id, REQUEST_ID);
		a->o.await(a->o.ctx, p->id);
		loop_timer_start(a->patience, ERRANDS_PATIENCE_MS, 0);
	}
	request_free(p->request);
	free(p);
	part_gone(a);
}

/* `p` passes. */
static void begin(struct errands *a, struct putting *p)
{
	struct why why = { "" };
	p->errands = a;
	p->now_ms = clock_wall_ms(a->o.clock);
	memcpy(p->who, a->who, sizeof p->who);
	a->n_parts++;
	if (loop_work_new(a->o.loop, put_work, put_done, p, NULL, &why) == ERR_OK)
		return;
	if (p->request != NULL)
		say(a, ROLE_CRIT, "", why.text);
	request_free(p->request);
	free(p);
	part_gone(a);
}

void errands_put(struct errands *a, struct request *r)
{
	struct putting *p = calloc(1, sizeof *p);
	if (p == NULL) {
		request_free(r);
		say(a, ROLE_CRIT, "", "out of memory");
		return;
	}
	memcpy(p->id, r->id, sizeof p->id);
	p->request = r;
	learn_name(a, r);
	begin(a, p);
}

static void tell_here(struct errands *a, bool is_gone)
{
	struct putting *p = a->o.refusal == NULL ? calloc(1, sizeof *p) : NULL;
	if (p == NULL || request_new_id(clock_wall_ms(a->o.clock), p->id, NULL) != ERR_OK) {
		free(p);
		return;
	}
	p->is_gone = is_gone;
	if (!is_gone)
		a->o.shows(a->o.ctx, p->view, sizeof p->view);
	begin(a, p);
}

static void on_here(void *ctx)
{
	tell_here(ctx, false);
}

/* ---- what became of it ---- */

void errands_outcome(struct errands *a, const char *id, enum err err, const char *text)
{
	for (size_t i = 0; i < a->n_waits; i++)
		if (strcmp(a->waits[i], id) == 0) {
			memmove(&a->waits[i], &a->waits[i + 1], (--a->n_waits - i) * sizeof a->waits[0]);
			break;
		}
	if (a->n_waits == 0)
		loop_timer_stop(a->patience);
	say(a, err == ERR_OK ? ROLE_OK : ROLE_CRIT, err == ERR_OK ? "" : "not done: ", text[0] != '\0' ? text : err == ERR_OK ? "done" : err_text(err));
}

static void on_patience(void *ctx)
{
	struct errands *a = ctx;
	if (a->n_waits > 0)
		say(a, ROLE_WARN, "", "the recorder has not taken it up yet: it waits for it, and is done once one runs");
}

enum err errands_new(const struct errands_options *o, struct errands **out, struct why *why)
{
	struct errands *a = calloc(1, sizeof *a);
	if (a == NULL)
		return why_memory(why);
	a->o = *o;
	a->must_ask = o->must_ask;
	a->way = (struct spool_way){ .store = o->store_path, .refusal = o->refusal };
	snprintf(a->who, sizeof a->who, "%s", o->who);
	enum err e = request_new_id(clock_wall_ms(o->clock), a->console, why);
	if (e == ERR_OK)
		e = loop_timer_new(o->loop, on_here, a, &a->here, why);
	if (e == ERR_OK)
		e = loop_timer_new(o->loop, on_patience, a, &a->patience, why);
	if (e != ERR_OK) {
		if (a->here != NULL)
			loop_timer_close(a->here);
		free(a);
		return e;
	}
	tell_person(a);
	if (o->refusal == NULL)
		loop_timer_start(a->here, 1000, ERRANDS_HERE_MS); /* a moment later there is a recorder, if there is to be one */
	*out = a;
	return ERR_OK;
}

void errands_close(struct errands *a, void (*done)(void *ctx), void *ctx)
{
	a->closed = done;
	a->closed_ctx = ctx;
	a->n_parts++; /* this call itself */
	loop_timer_close(a->here);
	loop_timer_close(a->patience);
	tell_here(a, true);
	a->is_closing = true;
	part_gone(a);
}
