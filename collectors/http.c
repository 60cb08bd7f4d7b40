/* SPDX-License-Identifier: Apache-2.0
 *
 * The collector itself: curl's timer on the loop, the queue, and the end of it all. */
#include "collectors/http_private.h"

#include <assert.h>
#include <stdlib.h>

/* ---- lists ---- */

void list_put(struct transfer_list *l, struct transfer *t)
{
	t->prev = l->last;
	t->next = NULL;
	*(l->last != NULL ? &l->last->next : &l->first) = t;
	l->last = t;
	l->n++;
}

void list_take(struct transfer_list *l, struct transfer *t)
{
	*(t->prev != NULL ? &t->prev->next : &l->first) = t->next;
	*(t->next != NULL ? &t->next->prev : &l->last) = t->prev;
	t->prev = t->next = NULL;
	l->n--;
}

/* ---- curl and libuv ---- */

static void finish(struct transfer *t)
{
	list_take(&t->c->running, t);
	t->state = TRANSFER_IDLE;
	t->done(t);
}

/* Hands out what curl has done with. A callback may remove any target, or close the collector. */
static void check_done(struct http_collector *c)
{
	int left;
	for (CURLMsg *m; !c->is_closing && (m = curl_multi_info_read(c->multi, &left)) != NULL;) {
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode         code = m->data.result;
		struct transfer *t = NULL;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		transfer_end(t, code);
		finish(t);
	}
	if (!c->is_closing)
		http_pump(c);
}

void http_socket_ready(struct http_collector *c, curl_socket_t fd, int flags)
{
	int running;
	curl_multi_socket_action(c->multi, fd, flags, &running);
	check_done(c);
}

static void on_timer(uv_timer_t *timer)
{
	struct http_collector *c = timer->data;
	int                    running;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	check_done(c);
}

/* Curl asks for a timer; -1: for none. Nothing of curl's may be called from in here. */
static int set_timer(CURLM *multi, long ms, void *ctx)
{
	struct http_collector *c = ctx;
	(void)multi;
	if (ms < 0)
		uv_timer_stop(&c->timer);
	else if (!uv_is_closing((uv_handle_t *)&c->timer))
		uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

/* ---- the queue ---- */

void http_pump(struct http_collector *c)
{
	while (!c->is_closing && c->waiting.first != NULL && c->running.n < (size_t)c->o.in_flight) {
		struct transfer *t = c->waiting.first;
		list_take(&c->waiting, t);
		list_put(&c->running, t);
		t->state = TRANSFER_RUNNING;
		if (!transfer_begin(t))
			finish(t);
	}
}

/* ---- the end ---- */

void http_handle_closed(struct http_collector *c)
{
	assert(c->handles > 0);
	if (--c->handles > 0 || !c->is_closing)
		return;
	void (*closed)(void *ctx) = c->closed;
	void *ctx = c->closed_ctx;
	exposition_pool_free(c->pool);
	http_sockets_end(c);
	while (c->n_spare_bodies > 0)
		buf_release(&c->spare_bodies[--c->n_spare_bodies]);
	free(c->user_agent);
	free(c);
	if (closed != NULL)
		closed(ctx);
}

static void on_own_closed(uv_handle_t *h) { http_handle_closed(h->data); }

static void tear_down(struct http_collector *c)
{
	while (c->running.first != NULL)
		transfer_cancel(c->running.first);
	while (c->waiting.first != NULL)
		transfer_cancel(c->waiting.first);
	http_targets_close(c);
	http_gets_close(c);
	while (c->n_spare > 0)
		curl_easy_cleanup(c->spare[--c->n_spare]);
	while (c->n_plain > 0)
		curl_easy_cleanup(c->plain[--c->n_plain]);
	while (c->n_scrape_headers > 0)
		curl_slist_free_all(c->scrape_headers[--c->n_scrape_headers].list);
	curl_multi_cleanup(c->multi);
	uv_close((uv_handle_t *)&c->timer, on_own_closed);
	uv_close((uv_handle_t *)&c->reaper, on_own_closed);
}

static void on_reaper(uv_timer_t *timer)
{
	struct http_collector *c = timer->data;
	if (c->is_closing)
		tear_down(c);
	else
		http_pump(c);
}

void http_reap_later(struct http_collector *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->reaper))
		uv_timer_start(&c->reaper, on_reaper, 0, 0);
}

void http_collector_close(struct http_collector *c, void (*closed)(void *ctx), void *ctx)
{
	assert(!c->is_closing);
	c->is_closing = true;
	c->closed = closed;
	c->closed_ctx = ctx;
	exposition_pool_end(c->pool);
	http_reap_later(c);
}

/* ---- the beginning ---- */

static enum err check_curl(struct why *why)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	if ((info->features & CURL_VERSION_ASYNCHDNS) == 0)
		return why_set(why, ERR_UNSUPPORTED, "libcurl %s looks up host names by blocking; one built with a threaded resolver or c-ares "
		               "is needed", info->version);
	if ((info->features & CURL_VERSION_SSL) == 0)
		return why_set(why, ERR_UNSUPPORTED, "libcurl %s knows no TLS", info->version);
	return ERR_OK;
}

static void set_defaults(struct http_options *o)
{
	if (o->body_max == 0)
		o->body_max = 32 << 20;
	if (o->header_max == 0)
		o->header_max = 64 << 10;
	if (o->connect_timeout_ms == 0)
		o->connect_timeout_ms = 2000;
	if (o->per_host == 0)
		o->per_host = 8;
	if (o->in_flight == 0)
		o->in_flight = 256;
}

static enum err multi_new(struct http_collector *c)
{
	c->multi = curl_multi_init();
	if (c->multi == NULL)
		return ERR_MEMORY;
	http_sockets_begin(c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)c->o.per_host);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->o.per_host); /* of one server, since each has its own cache */
	return ERR_OK;
}

enum err http_collector_new(const struct http_options *o, struct http_collector **out, struct why *why)
{
	enum err e = check_curl(why);
	if (e != ERR_OK)
		return e;
	struct http_collector *c = calloc(1, sizeof *c);
	struct buf             agent;
	if (c == NULL)
		return why_memory(why);
	c->o = *o;
	set_defaults(&c->o);
	buf_init(&agent, 256);
	buf_printf(&agent, "pitwall/%s", o->version != NULL ? o->version : "0");
	c->user_agent = buf_take(&agent);
	buf_release(&agent);
	if (c->user_agent == NULL || exposition_pool_new(&c->pool) != ERR_OK || multi_new(c) != ERR_OK) {
		exposition_pool_free(c->pool);
		free(c->user_agent);
		free(c);
		return why_memory(why);
	}
	uv_timer_init(o->loop, &c->timer);
	uv_timer_init(o->loop, &c->reaper);
	c->timer.data = c->reaper.data = c;
	c->handles = 2;
	*out = c;
	return ERR_OK;
}

struct http_stats http_stats(const struct http_collector *c)
{
	struct http_stats s = c->stats;
	s.in_flight = c->running.n;
	s.waiting = c->waiting.n;
	return s;
}
