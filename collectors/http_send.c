/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that tell another server something. */
#include "collectors/http_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { PAYLOAD_MAX = 64 << 20, QUOTE_WIDTH = 200, TYPE_MAX = 256 };

static enum err prepare(struct transfer *t, CURL *easy, struct why *why)
{
	struct get *g = get_of(t);
	if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, g->method) != CURLE_OK)
		return why_memory(why);
	if (g->payload.data != NULL) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buf_text(&g->payload)); /* not copied */
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)g->payload.len);
	}
	return ERR_OK;
}

/* What a scrape makes of a status is about metrics; here the other side's own words tell more. */
static void on_transfer(struct transfer *t)
{
	struct get *g = get_of(t);
	struct buf  text;
	if (t->result == FETCH_OK || t->status < 300) {
		get_end(g, t->text);
		return;
	}
	buf_init(&text, HTTP_TEXT);
	buf_printf(&text, "'%s' answered %d%s", t->shown, t->status, t->body.len > 0 ? ": " : "");
	text_cut(&text, buf_text(&t->body), t->body.len, QUOTE_WIDTH);
	get_end(g, buf_text(&text));
	buf_release(&text);
}

static enum err fill(struct get *g, const struct http_send_options *o, struct why *why)
{
	struct buf header;
	buf_init(&g->payload, PAYLOAD_MAX);
	if (o->body != NULL) {
		buf_room(&g->payload, o->len + 1); /* at once: growing would leave copies behind */
		buf_put(&g->payload, o->body, o->len);
	}
	g->method = o->method;
	g->transfer.prepare = prepare;
	if (g->payload.err != ERR_OK)
		return g->payload.err == ERR_LIMIT ? why_set(why, ERR_LIMIT, "more than %d MiB are to be sent", PAYLOAD_MAX >> 20) : why_memory(why);
	if (o->content_type == NULL)
		return ERR_OK;
	buf_init(&header, TYPE_MAX);
	buf_printf(&header, "Content-Type: %s", o->content_type);
	g->text = buf_take(&header);
	g->transfer.more_header = g->text;
	return g->text != NULL ? ERR_OK : why_memory(why);
}

enum err http_send(struct http_collector *c, const struct http_send_options *o, struct why *why)
{
	struct get *g = NULL;
	enum err e = get_new(c, transfer_init, o->url, &o->access, o->done, o->ctx, &g, why);
	if (e != ERR_OK)
		return e;
	e = fill(g, o, why);
	if (e != ERR_OK) {
		get_drop(g);
		return e;
	}
	get_start(g, c, o->timeout_ms, o->body_max, on_transfer);
	return ERR_OK;
}
