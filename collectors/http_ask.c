/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that are acted by: any method, headers and body, over TCP or a Unix socket, and whatever is answered is the caller's to judge. */
#include "collectors/http_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ASK_PAYLOAD_MAX = 16 << 20 };

/* What is more than is kept ends the transfer: an endless body is not waited for. */
static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t room = t->body_max - t->body.len, len = size * n;
	if (buf_put(&t->body, data, len < room ? len : room) != ERR_OK)
		return 0;
	t->body_too_large = len > room;
	return len > room ? 0 : len;
}

static bool is_method(const struct get *g, const char *method) { return strcmp(g->method, method) == 0; }

/* A body of no bytes has its length told where one is awaited: some servers refuse such a request otherwise. (RFC 9110, 8.6) */
static void set_body(struct get *g, CURL *easy)
{
	if (g->payload.data == NULL && !is_method(g, "POST") && !is_method(g, "PUT") && !is_method(g, "PATCH"))
		return;
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buf_text(&g->payload)); /* not copied */
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)g->payload.len);
}

#if LIBCURL_VERSION_NUM >= 0x074d00
static CURLcode set_pem(CURL *easy, CURLoption option, CURLoption type, char *pem)
{
	struct curl_blob blob = { .data = pem, .len = pem != NULL ? strlen(pem) : 0, .flags = CURL_BLOB_COPY };
	if (pem == NULL)
		return CURLE_OK;
	CURLcode code = type != 0 ? curl_easy_setopt(easy, type, "PEM") : CURLE_OK;
	return code == CURLE_OK ? curl_easy_setopt(easy, option, &blob) : code;
}

static enum err set_pems(struct get *g, CURL *easy, struct why *why)
{
	CURLcode code = set_pem(easy, CURLOPT_CAINFO_BLOB, (CURLoption)0, g->pem[HTTP_PEM_CA]);
	code = code == CURLE_OK ? set_pem(easy, CURLOPT_SSLCERT_BLOB, CURLOPT_SSLCERTTYPE, g->pem[HTTP_PEM_CERT]) : code;
	code = code == CURLE_OK ? set_pem(easy, CURLOPT_SSLKEY_BLOB, CURLOPT_SSLKEYTYPE, g->pem[HTTP_PEM_KEY]) : code;
	return code == CURLE_OK ? ERR_OK : why_set(why, ERR_TLS, "libcurl does not take certificates from memory: %s", curl_easy_strerror(code));
}
#else
static enum err set_pems(struct get *g, CURL *easy, struct why *why)
{
	(void)easy;
	if (g->pem[HTTP_PEM_CA] == NULL && g->pem[HTTP_PEM_CERT] == NULL && g->pem[HTTP_PEM_KEY] == NULL)
		return ERR_OK;
	return why_set(why, ERR_UNSUPPORTED, "certificates that are not in files need libcurl 7.77 or newer");
}
#endif

/* A connection that had been kept and turns out to be dead has curl send the request once more, on a new one: nothing that changes something may go so. */
static enum err prepare(struct transfer *t, CURL *easy, struct why *why)
{
	struct get *g = get_of(t);
	if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, g->method) != CURLE_OK)
		return why_memory(why);
	set_body(g, easy);
	if (is_method(g, "HEAD"))
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (!is_method(g, "GET") && !is_method(g, "HEAD"))
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (g->socket != NULL && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, g->socket) != CURLE_OK)
		return why_set(why, ERR_RANGE, "'%s' is too long for a socket's path", g->socket);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)0);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	return set_pems(g, easy, why);
}

static void on_transfer(struct transfer *t) { get_end(get_of(t), t->text); }

/* ---- what is asked ---- */

static bool copy(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static enum err take_headers(struct get *g, const struct http_ask_options *o, struct why *why)
{
	for (size_t i = 0; i < o->n_headers; i++) {
		if (strpbrk(o->headers[i], "\r\n") != NULL || strchr(o->headers[i], ':') == NULL)
			return why_set(why, ERR_FORMAT, "a header is no line 'NAME: VALUE'");
		struct curl_slist *more = curl_slist_append(g->recipients, o->headers[i]);
		if (more == NULL)
			return why_memory(why);
		g->recipients = more;
		if (strncasecmp(o->headers[i], "Accept:", 7) == 0)
			g->transfer.accept = NULL;
	}
	g->transfer.more_headers = g->recipients;
	return ERR_OK;
}

static enum err fill(struct get *g, const struct http_ask_options *o, struct why *why)
{
	buf_init(&g->payload, ASK_PAYLOAD_MAX);
	if (o->body != NULL && (buf_room(&g->payload, o->len + 1) == NULL || buf_put(&g->payload, o->body, o->len) != ERR_OK))
		return g->payload.err == ERR_LIMIT ? why_set(why, ERR_LIMIT, "more than %d MiB are to be sent", ASK_PAYLOAD_MAX >> 20) : why_memory(why);
	bool ok = copy(&g->text, o->method);
	ok = copy(&g->socket, o->unix_socket) && ok;
	for (size_t i = 0; i < HTTP_PEM_COUNT; i++)
		ok = copy(&g->pem[i], o->pem[i]) && ok;
	if (!ok)
		return why_memory(why);
	g->method = g->text;
	g->transfer.prepare = prepare;
	return take_headers(g, o, why);
}

enum err http_ask(struct http_collector *c, const struct http_ask_options *o, struct http_request **out, struct why *why)
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
	*out = (struct http_request *)(void *)g;
	return ERR_OK;
}

void http_ask_drop(struct http_request *r)
{
	struct get *g = (struct get *)(void *)r;
	transfer_cancel(&g->transfer);
	get_free(g);
}
