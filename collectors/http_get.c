/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/http_private.h"

#include <assert.h>
#include <stdlib.h>

enum { GET_BODY_MAX = 64 << 10, GET_TIMEOUT_MS = 5000 };

struct get {
	struct get     *prev, *next;
	struct transfer transfer;
	void          (*done)(void *ctx, const struct http_answer *a);
	void           *ctx;
};

static struct get *get_of(struct transfer *t) { return (struct get *)(void *)((char *)t - offsetof(struct get, transfer)); }

static void get_free(struct get *g)
{
	struct http_collector *c = g->transfer.c;
	*(g->prev != NULL ? &g->prev->next : &c->gets) = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	transfer_release(&g->transfer);
	free(g);
}

static void on_transfer(struct transfer *t)
{
	struct get        *g = get_of(t);
	struct http_answer a = { .result = t->result, .status = t->status, .text = t->text, .content_type = t->content_type,
		                 .body = buf_text(&t->body), .len = t->body.len, .seconds = t->seconds };
	g->done(g->ctx, &a);
	get_free(g);
}

enum err http_get(struct http_collector *c, const struct http_get_options *o, struct why *why)
{
	assert(!c->is_closing);
	struct get *g = calloc(1, sizeof *g);
	if (g == NULL)
		return why_memory(why);
	enum err e = transfer_init(&g->transfer, c, o->url, &o->access, why);
	if (e != ERR_OK) {
		free(g);
		return e;
	}
	g->transfer.timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : GET_TIMEOUT_MS;
	g->transfer.body_max = o->body_max > 0 ? o->body_max : GET_BODY_MAX;
	g->transfer.done = on_transfer;
	g->done = o->done;
	g->ctx = o->ctx;
	g->next = c->gets;
	if (g->next != NULL)
		g->next->prev = g;
	c->gets = g;
	transfer_start(&g->transfer);
	return ERR_OK;
}

void http_gets_close(struct http_collector *c)
{
	while (c->gets != NULL)
		get_free(c->gets);
}
