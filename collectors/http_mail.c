/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail by SMTP, on the same multi handle. Each message has a connection of its own: mail servers keep none for long, and who was logged in on it
 * must not matter. */
#include "collectors/http_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MESSAGE_MAX = 16 << 20, ADDRESS_MAX = 320, SECRET_MAX = 65536 };

static size_t read_message(char *to, size_t size, size_t n, void *ctx)
{
	struct get *g = ctx;
	size_t room = size * n, left = g->payload.len - g->sent;
	size_t take = left < room ? left : room;
	if (take > 0)
		memcpy(to, g->payload.data + g->sent, take);
	g->sent += take;
	return take;
}

static enum err set_login(struct get *g, CURL *easy, struct why *why)
{
	struct buf secret;
	if (g->access.auth == HTTP_AUTH_NONE)
		return ERR_OK;
	buf_init(&secret, SECRET_MAX);
	buf_room(&secret, 4096); /* so that growing leaves no copies behind */
	enum err e = g->access.secret(g->access.secret_ctx, &secret, why);
	if (e == ERR_OK && (curl_easy_setopt(easy, CURLOPT_USERNAME, g->transfer.access.user != NULL ? g->transfer.access.user : "") != CURLE_OK ||
	                    curl_easy_setopt(easy, CURLOPT_PASSWORD, buf_text(&secret)) != CURLE_OK))
		e = why_memory(why);
	if (secret.data != NULL)
		explicit_bzero(secret.data, secret.cap);
	buf_release(&secret);
	return e;
}

static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
}

static enum err prepare(struct transfer *t, CURL *easy, struct why *why)
{
	static const long ssl[] = { [HTTP_STARTTLS_REQUIRED] = CURLUSESSL_ALL, [HTTP_STARTTLS_OFFERED] = CURLUSESSL_TRY, [HTTP_STARTTLS_NEVER] = CURLUSESSL_NONE };
	struct get *g = get_of(t);
	set_protocols(easy);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(easy, CURLOPT_USE_SSL, ssl[g->starttls]);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_message);
	curl_easy_setopt(easy, CURLOPT_READDATA, g);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)g->payload.len);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, g->recipients);
	g->sent = 0;
	if (curl_easy_setopt(easy, CURLOPT_MAIL_FROM, g->text) != CURLE_OK)
		return why_memory(why);
	return set_login(g, easy, why);
}

static void on_transfer(struct transfer *t)
{
	struct get *g = get_of(t);
	struct buf  text;
	/* Curl calls it fine with 2xx alone; what it calls failed has a sentence that is about HTTP, unless the network or TLS failed. */
	bool is_told = t->result == FETCH_OK || t->result == FETCH_DNS || t->result == FETCH_REFUSED || t->result == FETCH_UNREACHABLE ||
	               t->result == FETCH_CONNECT_TIMEOUT || t->result == FETCH_TLS || t->result == FETCH_SECRET;
	if (is_told) {
		get_end(g, t->text);
		return;
	}
	buf_init(&text, HTTP_TEXT);
	buf_printf(&text, "the mail server '%s' did not take the message: %s", t->shown, t->curl_text[0] != '\0' ? t->curl_text : t->text);
	get_end(g, buf_text(&text));
	buf_release(&text);
}

static enum err add_recipients(struct get *g, const struct http_mail_options *o, struct why *why)
{
	char address[ADDRESS_MAX];
	for (size_t i = 0; i < o->n_to; i++) {
		if (snprintf(address, sizeof address, "<%s>", o->to[i]) >= (int)sizeof address)
			return why_set(why, ERR_LIMIT, "an address is longer than %d bytes", ADDRESS_MAX - 3);
		struct curl_slist *more = curl_slist_append(g->recipients, address);
		if (more == NULL)
			return why_memory(why);
		g->recipients = more;
	}
	if (snprintf(address, sizeof address, "<%s>", o->from) >= (int)sizeof address)
		return why_set(why, ERR_LIMIT, "an address is longer than %d bytes", ADDRESS_MAX - 3);
	g->text = strdup(address);
	return g->text != NULL ? ERR_OK : why_memory(why);
}

static enum err fill(struct get *g, const struct http_mail_options *o, struct why *why)
{
	enum err e = add_recipients(g, o, why);
	buf_init(&g->payload, MESSAGE_MAX);
	if (e == ERR_OK && buf_put(&g->payload, o->text, o->len) != ERR_OK)
		e = g->payload.err == ERR_LIMIT ? why_set(why, ERR_LIMIT, "a mail of more than %d MiB", MESSAGE_MAX >> 20) : why_memory(why);
	g->starttls = o->starttls;
	g->access = o->access;
	g->transfer.prepare = prepare;
	return e;
}

enum err http_mail(struct http_collector *c, const struct http_mail_options *o, struct why *why)
{
	assert(o->access.auth != HTTP_AUTH_BEARER);
	struct get *g = NULL;
	struct http_access access = o->access;
	access.auth = HTTP_AUTH_NONE; /* no header has it */
	enum err e = get_new(c, transfer_init_mail, o->url, &access, o->done, o->ctx, &g, why);
	if (e != ERR_OK)
		return e;
	e = fill(g, o, why);
	if (e != ERR_OK) {
		get_drop(g);
		return e;
	}
	get_start(g, c, o->timeout_ms, 0, on_transfer);
	return ERR_OK;
}
