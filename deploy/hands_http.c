/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that go straight to a server, or to a Unix socket of this machine. */
#include "deploy/hands_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 32 * 1024, HEADER_MAX = 64 * 1024 };

/* ---- the answer ---- */

static enum err error_of(enum fetch f)
{
	switch (f) {
	case FETCH_OK:
	case FETCH_DENIED:
	case FETCH_NOT_FOUND:
	case FETCH_REDIRECT:
	case FETCH_STATUS:
		return ERR_OK;
	case FETCH_CONNECT_TIMEOUT:
	case FETCH_READ_TIMEOUT:
		return ERR_TIMEOUT;
	case FETCH_TLS:
		return ERR_TLS;
	case FETCH_SECRET:
		return ERR_DENIED;
	case FETCH_MALFORMED:
		return ERR_FORMAT;
	case FETCH_TOO_LARGE:
		return ERR_LIMIT;
	case FETCH_DNS:
	case FETCH_REFUSED:
	case FETCH_UNREACHABLE:
	case FETCH_CLOSED:
	case FETCH_FAILED:
	case FETCH_COUNT:
		break;
	}
	return ERR_NETWORK;
}

/* What was refused with a login of before is asked once more with a new one: a 401 says that nothing was done. */
static bool asks_anew(struct errand *e, const struct http_answer *a)
{
	struct why why;
	if (a->status != 401 || e->login == NULL || e->login->login.until_ms == 0 || e->has_asked_anew)
		return false;
	e->has_asked_anew = true;
	login_forget(e);
	loop_timer_start(e->deadline, errand_left_ms(e), 0);
	return lookup_begin(e, &why) == ERR_OK;
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct errand *e = ctx;
	e->request = NULL;
	if (asks_anew(e, a))
		return;
	bool is_cut = a->result == FETCH_TOO_LARGE && a->is_cut && a->status > 0;
	struct answer answer = { .err = is_cut ? ERR_OK : error_of(a->result), .why = a->text, .was_sent = a->was_sent, .status = a->status, .text = a->body,
		                     .n = a->len, .is_cut = is_cut, .retry_after_ms = a->retry_after_ms, .date_ms = a->date_ms };
	if (answer.err == ERR_OK)
		answer.why = "";
	errand_end(e, &answer);
}

/* ---- the request ---- */

static enum err give_secret(void *ctx, struct buf *to, struct why *why)
{
	const struct login *l = login_of(ctx);
	enum err e = buf_put(to, l->secret.text, l->secret.len);
	return e == ERR_OK ? e : why_memory(why);
}

static struct http_access access_of(struct errand *e)
{
	const struct login *l = login_of(e);
	return (struct http_access){ .auth = l->auth == LOGIN_BEARER ? HTTP_AUTH_BEARER : l->auth == LOGIN_BASIC ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE,
		                         .user = l->user, .secret = give_secret, .secret_ctx = e, .ca_file = l->ca_file, .cert_file = l->cert_file,
		                         .key_file = l->key_file, .server_name = l->server_name, .insecure_skip_verify = l->insecure_skip_verify };
}

/* "NAME: VALUE": the ask's, and whom the login has us taken for. */
static enum err header_lines(struct errand *e, const char *lines[ASK_HEADERS_MAX + LOGIN_HEADERS_MAX], struct why *why)
{
	const struct login *l = login_of(e);
	struct buf line;
	for (size_t i = 0; i < l->n_headers; i++)
		lines[e->ask.n_headers + i] = l->headers[i];
	for (size_t i = 0; i < e->ask.n_headers; i++) {
		buf_init(&line, HEADER_MAX);
		buf_printf(&line, "%s: %s", e->ask.headers[i].name, e->ask.headers[i].value);
		lines[i] = line.err == ERR_OK ? arena_text(&e->arena, buf_text(&line)) : NULL;
		enum err err = line.err;
		buf_release(&line);
		if (lines[i] == NULL)
			return err == ERR_LIMIT ? why_set(why, ERR_LIMIT, "a header is too long") : why_memory(why);
	}
	return ERR_OK;
}

/* With what stands for its scheme and first segment. */
static enum err put_url(const struct errand *e, struct buf *to, struct why *why)
{
	const struct login *l = login_of(e);
	const char *url = e->ask.url;
	if (l->base != NULL) {
		size_t n = strlen(l->base);
		while (n > 0 && l->base[n - 1] == '/')
			n--;
		buf_put(to, l->base, n);
		const char *at = strstr(url, "://");
		url = at != NULL ? at + 3 : url;
		url += strcspn(url, "/");
	}
	buf_puts(to, url);
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "the URL '%.100s...' is too long", e->ask.url);
}

enum err http_begin(struct errand *e, struct why *why)
{
	const struct login *l = login_of(e);
	const char *lines[ASK_HEADERS_MAX + LOGIN_HEADERS_MAX];
	struct buf url;
	buf_init(&url, URL_MAX);
	enum err err = put_url(e, &url, why);
	err = err == ERR_OK ? header_lines(e, lines, why) : err;
	if (err == ERR_OK) {
		const struct http_ask_options o = { .url = buf_text(&url), .method = e->ask.method, .headers = lines, .n_headers = e->ask.n_headers + l->n_headers, .body = e->ask.body,
			                                .len = e->ask.body != NULL ? strlen(e->ask.body) : 0, .unix_socket = e->ask.socket, .timeout_ms = errand_left_ms(e),
			                                .body_max = ASK_ANSWER_MAX, .access = access_of(e), .pem = { l->ca, l->cert, l->key }, .done = on_answer, .ctx = e };
		err = http_ask(e->hands->http, &o, &e->request, why);
	}
	buf_release(&url);
	if (err == ERR_OK)
		loop_timer_stop(e->deadline); /* curl has its own, and knows better what was sent by then */
	return err;
}
