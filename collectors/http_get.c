/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/http_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { GET_BODY_MAX = 64 << 10, GET_TIMEOUT_MS = 5000 };

struct get *get_of(struct transfer *t) { return (struct get *)(void *)((char *)t - offsetof(struct get, transfer)); }

static void get_discard(struct get *g)
{
	if (g->payload.data != NULL)
		explicit_bzero(g->payload.data, g->payload.cap);
	buf_release(&g->payload);
	curl_slist_free_all(g->recipients);
	free(g->text);
	free(g->socket);
	for (size_t i = 0; i < HTTP_PEM_COUNT; i++) {
		if (g->pem[i] != NULL)
			explicit_bzero(g->pem[i], strlen(g->pem[i]));
		free(g->pem[i]);
	}
	free(g);
}

enum err get_new(struct http_collector *c,
                 enum err (*init)(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *access, struct why *why), const char *url,
                 const struct http_access *access, void (*done)(void *ctx, const struct http_answer *a), void *ctx, struct get **out, struct why *why)
{
	assert(!c->is_closing);
	struct get *g = calloc(1, sizeof *g);
	if (g == NULL)
		return why_memory(why);
	g->done = done;
	g->ctx = ctx;
	enum err e = init(&g->transfer, c, url, access, why);
	if (e != ERR_OK) {
		get_discard(g);
		return e;
	}
	*out = g;
	return ERR_OK;
}

void get_drop(struct get *g)
{
	transfer_release(&g->transfer);
	get_discard(g);
}

void get_free(struct get *g)
{
	struct http_collector *c = g->transfer.c;
	*(g->prev != NULL ? &g->prev->next : &c->gets) = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	get_drop(g);
}

void get_start(struct get *g, struct http_collector *c, int64_t timeout_ms, size_t body_max, void (*on_transfer)(struct transfer *t))
{
	g->transfer.timeout_ms = timeout_ms > 0 ? timeout_ms : GET_TIMEOUT_MS;
	g->transfer.body_max = body_max > 0 ? body_max : GET_BODY_MAX;
	g->transfer.done = on_transfer;
	g->next = c->gets;
	if (g->next != NULL)
		g->next->prev = g;
	c->gets = g;
	transfer_start(&g->transfer);
}

void get_end(struct get *g, const char *text)
{
	struct transfer   *t = &g->transfer;
	struct http_answer a = { .result = t->result, .status = t->status, .text = text, .content_type = t->content_type,
		                 .body = buf_text(&t->body), .len = t->body.len, .seconds = t->seconds, .retry_after_ms = t->retry_after_ms, .date_ms = t->date_ms,
		                 .was_sent = t->was_sent, .is_cut = t->body_too_large };
	g->done(g->ctx, &a);
	get_free(g);
}

static void on_transfer(struct transfer *t) { get_end(get_of(t), t->text); }

enum err http_get(struct http_collector *c, const struct http_get_options *o, struct why *why)
{
	struct get *g = NULL;
	enum err e = get_new(c, transfer_init, o->url, &o->access, o->done, o->ctx, &g, why);
	if (e != ERR_OK)
		return e;
	get_start(g, c, o->timeout_ms, o->body_max, on_transfer);
	return ERR_OK;
}

void http_gets_close(struct http_collector *c)
{
	while (c->gets != NULL)
		get_free(c->gets);
}
