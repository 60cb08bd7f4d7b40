/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/alertmanager_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


enum { TICK_MS = 250, FETCH_MS = 60 * 1000, PULL_MS = 15 * 1000, PUSH_MS = 60 * 1000, CONNECT_MS = 5000, URL_MAX = 4096, IN_FLIGHT = 8 };

int64_t am_now_ms(const struct alertmanager *a)
{
	return clock_mono_ms(a->o.clock);
}

/* ---- requests ---- */

static enum err put_secret(void *ctx, struct buf *to, struct why *why)
{
	const struct alertmanager *a = ctx;
	if (a->secret.text == NULL)
		return why_set(why, ERR_NOT_FOUND, "%s", a->secret_why.text[0] != '\0' ? a->secret_why.text : "the secret is not there yet");
	return buf_put(to, a->secret.text, a->secret.len);
}

static struct http_access access_of(struct alertmanager *a)
{
	static const enum http_auth auths[] = { [FLEET_AUTH_BEARER] = HTTP_AUTH_BEARER, [FLEET_AUTH_BASIC] = HTTP_AUTH_BASIC };
	const struct fleet_alertmanager *to = a->o.to;
	struct http_access access = { .gzip = HTTP_GZIP_AUTO };
	if (to->auth != NULL) {
		access.auth = auths[to->auth->kind];
		access.user = to->auth->user;
		access.secret = put_secret;
		access.secret_ctx = a;
	}
	if (to->tls != NULL) {
		access.ca_file = to->tls->ca_file[0] != '\0' ? to->tls->ca_file : NULL;
		access.cert_file = to->tls->cert_file[0] != '\0' ? to->tls->cert_file : NULL;
		access.key_file = to->tls->key_file[0] != '\0' ? to->tls->key_file : NULL;
		access.server_name = to->tls->server_name[0] != '\0' ? to->tls->server_name : NULL;
		access.insecure_skip_verify = to->tls->insecure_skip_verify;
	}
	return access;
}

enum err am_request(struct alertmanager *a, const char *method, const char *path, const struct buf *body, void (*done)(void *ctx, const struct http_answer *an),
                    void *ctx, struct why *why)
{
	struct buf url;
	buf_init(&url, URL_MAX);
	buf_printf(&url, "%s/api/v2%s", a->o.to->url, path);
	enum err e = url.err == ERR_OK ? ERR_OK : why_set(why, url.err, "the URL of Alertmanager '%s' is too long", a->o.to->name);
	struct http_send_options o = { .url = buf_text(&url), .method = method, .content_type = body != NULL ? "application/json" : NULL,
		                       .body = body != NULL ? buf_text(body) : NULL, .len = body != NULL ? body->len : 0, .timeout_ms = a->o.to->timeout_ms,
		                       .body_max = AM_ANSWER_MAX, .access = access_of(a), .done = done, .ctx = ctx };
	if (e == ERR_OK)
		e = http_send(a->http, &o, why);
	buf_release(&url);
	return e;
}

enum err am_error_of(const struct http_answer *an)
{
	if (an->status == 404)
		return ERR_NOT_FOUND;
	if (an->result == FETCH_DENIED || an->result == FETCH_SECRET)
		return ERR_DENIED;
	if (an->result == FETCH_TLS)
		return ERR_TLS;
	if (an->result == FETCH_TOO_LARGE)
		return ERR_LIMIT;
	if (an->status >= 400 && an->status < 500)
		return ERR_FORMAT;
	return ERR_NETWORK;
}

/* ---- the secret ---- */

static void fetch(void *ctx)
{
	struct alertmanager *a = ctx;
	a->fetched = (struct secret){ 0 };
	a->fetched_err = secret_read(&a->o.to->auth->secret, 0, &a->fetched, &a->fetched_why);
}

static void on_fetched(void *ctx, bool is_cancelled)
{
	struct alertmanager *a = ctx;
	a->is_fetching = false;
	a->has_fetched = true;
	if (is_cancelled)
		a->fetched_err = ERR_CANCELLED;
	if (a->fetched_err == ERR_OK) {
		secret_release(&a->secret);
		a->secret = a->fetched;
	} else {
		a->secret_why = a->fetched_why;
	}
	am_free_when_done(a);
}

static void fetch_secret(struct alertmanager *a)
{
	struct why why;
	a->fetch_due_ms = am_now_ms(a) + FETCH_MS;
	a->is_fetching = loop_work_new(a->o.loop, fetch, on_fetched, a, NULL, &why) == ERR_OK;
}

/* ---- clockwork ---- */

static void on_tick(void *ctx)
{
	struct alertmanager *a = ctx;
	int64_t now_ms = am_now_ms(a);
	if (a->o.to->auth != NULL && !a->is_fetching && now_ms >= a->fetch_due_ms)
		fetch_secret(a);
	if (a->o.to->auth != NULL && !a->has_fetched)
		return;
	if (a->o.to->sends && a->n_posting == 0 && now_ms >= a->push_due_ms && a->n_sent > 0) {
		a->push_due_ms = now_ms + a->o.push_ms;
		am_push_round(a);
	}
	if ((a->o.to->is_shown || a->o.to->mirrors_acks) && !a->is_pulling && a->n_mirroring == 0 && now_ms >= a->pull_due_ms)
		am_pull(a);
}

/* ---- life ---- */

void am_free_when_done(struct alertmanager *a)
{
	if (!a->is_closing || !a->http_is_closed || a->is_fetching || a->is_parsing)
		return;
	void (*closed)(void *) = a->closed;
	void *ctx = a->closed_ctx;
	am_push_release(a);
	am_silence_release(a);
	am_pull_release(a);
	secret_release(&a->secret);
	free(a->fleet);
	free(a->external_url);
	free(a->version);
	free(a);
	if (closed != NULL)
		closed(ctx);
}

static enum err begin(struct alertmanager *a, struct why *why)
{
	if (a->fleet == NULL || a->external_url == NULL || a->version == NULL)
		return why_memory(why);
	struct http_options http = { .loop = loop_uv(a->o.loop), .clock = a->o.clock, .version = a->version, .connect_timeout_ms = CONNECT_MS,
		                     .body_max = AM_ANSWER_MAX, .in_flight = IN_FLIGHT };
	enum err e = loop_timer_new(a->o.loop, on_tick, a, &a->timer, why);
	return e == ERR_OK ? http_collector_new(&http, &a->http, why) : e;
}

enum err alertmanager_new(const struct am_options *o, struct alertmanager **out, struct why *why)
{
	struct alertmanager *a = calloc(1, sizeof *a);
	if (a == NULL)
		return why_memory(why);
	a->o = *o;
	a->o.pull_ms = o->pull_ms > 0 ? o->pull_ms : PULL_MS;
	a->o.push_ms = o->push_ms > 0 ? o->push_ms : PUSH_MS;
	a->fleet = strdup(o->fleet != NULL ? o->fleet : "");
	a->external_url = strdup(o->external_url != NULL ? o->external_url : "");
	a->version = strdup(o->version != NULL ? o->version : "0");
	arena_init(&a->acks.arena);
	enum err e = begin(a, why);
	if (e != ERR_OK) {
		loop_timer_close(a->timer);
		a->is_closing = a->http_is_closed = true;
		am_free_when_done(a);
		return e;
	}
	loop_timer_start(a->timer, 0, TICK_MS);
	*out = a;
	return ERR_OK;
}

static void on_http_closed(void *ctx)
{
	struct alertmanager *a = ctx;
	a->http_is_closed = true;
	am_free_when_done(a);
}

void alertmanager_close(struct alertmanager *a, void (*closed)(void *ctx), void *ctx)
{
	a->is_closing = true;
	a->closed = closed;
	a->closed_ctx = ctx;
	loop_timer_close(a->timer);
	http_collector_close(a->http, on_http_closed, a);
}
