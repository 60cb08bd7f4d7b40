/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: what curl is told, what it may give, and what its end means. */
#include "collectors/http_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

enum { RETRY_AFTER_MAX_S = 24 * 3600, SECRET_MAX = 65536, SPARE_BODY_MAX = 1 << 20, SPARE_BYTES_MAX = 8 << 20, RECEIVE_BYTES = 100 << 10 };

const char *fetch_name(enum fetch f)
{
	static const char *const names[] = {
#define X(name, config, words) config,
		FETCH_LIST(X)
#undef X
	};
	return names[f];
}

const char *fetch_words(enum fetch f)
{
	static const char *const all[] = {
#define X(name, config, words) words,
		FETCH_LIST(X)
#undef X
	};
	return all[f];
}

/* ---- life ---- */

static bool copy_text(const char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static enum err copy_access(struct transfer *t, const struct http_access *a, struct why *why)
{
	t->access = *a;
	bool ok = copy_text(&t->access.user, a->user);
	ok = copy_text(&t->access.ca_file, a->ca_file) && ok;
	ok = copy_text(&t->access.cert_file, a->cert_file) && ok;
	ok = copy_text(&t->access.key_file, a->key_file) && ok;
	t->access.server_name = NULL; /* url_split has made use of it */
	if (!ok)
		return why_memory(why);
	if (a->auth != HTTP_AUTH_NONE && a->secret == NULL)
		return why_set(why, ERR_USAGE, "authentication without a secret");
	return ERR_OK;
}

static enum err init(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *a, bool is_mail, struct why *why)
{
	*t = (struct transfer){ .c = c, .accept = "Accept: */*", .body_max = c->o.body_max };
	enum err e = copy_access(t, a, why);
	if (e == ERR_OK)
		e = is_mail ? url_split_mail(t, url, why) : url_split(t, url, a->server_name, why);
	if (e == ERR_OK && (t->peer = peer_ref(c, t->shown)) == NULL)
		e = why_memory(why);
	if (e != ERR_OK)
		transfer_release(t);
	return e;
}

enum err transfer_init(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *a, struct why *why)
{
	return init(t, c, url, a, false, why);
}

enum err transfer_init_mail(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *a, struct why *why)
{
	return init(t, c, url, a, true, why);
}

static void free_text(const char **text)
{
	char *owned;
	memcpy(&owned, text, sizeof owned);
	free(owned);
	*text = NULL;
}

void transfer_release(struct transfer *t)
{
	assert(t->state == TRANSFER_IDLE);
	free_text(&t->access.user);
	free_text(&t->access.ca_file);
	free_text(&t->access.cert_file);
	free_text(&t->access.key_file);
	peer_unref(t->c, t->peer);
	t->peer = NULL;
	free(t->url);
	free(t->shown);
	free(t->connect_to);
	free(t->host_header);
	t->url = t->shown = t->connect_to = t->host_header = NULL;
	transfer_drop_body(t);
}

/* Targets come due in bunches: the memory of bodies of common size is kept for the next ones. */
void transfer_drop_body(struct transfer *t)
{
	struct http_collector *c = t->c;
	bool                   is_common = t->body.data != NULL && t->body.cap <= SPARE_BODY_MAX;
	if (is_common && c->n_spare_bodies < HTTP_SPARE_BODIES && c->spare_bytes + t->body.cap <= SPARE_BYTES_MAX) {
		c->spare_bytes += t->body.cap;
		c->spare_bodies[c->n_spare_bodies++] = t->body;
		t->body = (struct buf){ 0 };
	}
	buf_release(&t->body);
}

/* Once the first bytes are there, not when the request begins: of answers that come in turn all have the memory of the last one, which is in the
 * processor's cache. */
static void take_spare_body(struct transfer *t)
{
	struct http_collector *c = t->c;
	if (c->n_spare_bodies == 0)
		return;
	t->body = c->spare_bodies[--c->n_spare_bodies];
	c->spare_bytes -= t->body.cap;
	t->body.max = t->body_max;
	t->body.len = 0;
	t->body.err = ERR_OK;
}

/* ---- what curl calls ---- */

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	if (t->body.data == NULL)
		take_spare_body(t);
	if (buf_put(&t->body, data, size * n) == ERR_OK)
		return size * n;
	t->body_too_large = t->body.err == ERR_LIMIT;
	return 0;
}

/* "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n" (RFC 9110, 5.6.7). */
static void take_date(struct transfer *t, const char *line, size_t n)
{
	static const char name[] = "date:";
	char date[64];
	if (n < sizeof name || n - (sizeof name - 1) >= sizeof date || strncasecmp(line, name, sizeof name - 1) != 0)
		return;
	memcpy(date, line + sizeof name - 1, n - (sizeof name - 1));
	date[n - (sizeof name - 1)] = '\0';
	time_t seconds = curl_getdate(date, NULL);
	t->date_ms = seconds > 0 ? (int64_t)seconds * 1000 : 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	take_date(t, data, size * n);
	t->header_bytes += size * n;
	if (t->header_bytes <= t->c->o.header_max)
		return size * n;
	t->header_too_large = true;
	return 0;
}

/* ---- beginning ---- */

static void fail_before(struct transfer *t, enum fetch result, const char *text)
{
	t->result = result;
	snprintf(t->text, sizeof t->text, "%s", text);
}

static void wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

static bool add_header(struct transfer *t, const char *line)
{
	struct curl_slist *more = curl_slist_append(t->headers, line);
	if (more != NULL)
		t->headers = more;
	return more != NULL;
}

/* A secret goes into a header, so it must not be able to end that. Room is taken before, so that growing leaves no copies behind. */
static enum err add_secret(struct transfer *t, struct why *why)
{
	struct buf secret, line, pair;
	buf_init(&secret, SECRET_MAX);
	buf_init(&pair, 2 * SECRET_MAX);
	buf_init(&line, 4 * SECRET_MAX);
	buf_room(&secret, 4096);
	enum err e = t->access.secret(t->access.secret_ctx, &secret, why);
	if (e == ERR_OK)
		e = secret.err;
	for (size_t i = 0; i < secret.len && e == ERR_OK; i++)
		if ((unsigned char)secret.data[i] < 0x20 || secret.data[i] == 0x7f)
			e = why_set(why, ERR_FORMAT, "the secret holds a control character");
	if (e == ERR_OK) {
		buf_room(&pair, secret.len + 4096);
		buf_room(&line, 2 * secret.len + 8192);
		if (t->access.auth == HTTP_AUTH_BEARER) {
			buf_puts(&line, "Authorization: Bearer ");
			buf_put(&line, buf_text(&secret), secret.len);
		} else {
			buf_printf(&pair, "%s:", t->access.user != NULL ? t->access.user : "");
			buf_put(&pair, buf_text(&secret), secret.len);
			buf_puts(&line, "Authorization: Basic ");
			base64_encode(&line, buf_text(&pair), pair.len);
		}
		if (line.err != ERR_OK || pair.err != ERR_OK || !add_header(t, buf_text(&line)))
			e = why_memory(why);
	}
	wipe(&secret);
	wipe(&pair);
	wipe(&line);
	return e;
}

static bool add_more(struct transfer *t)
{
	const struct curl_slist *h = t->more_headers;
	while (h != NULL && add_header(t, h->data))
		h = h->next;
	return h == NULL;
}

static bool add_headers(struct transfer *t)
{
	char timeout[80];
	if (t->prepare != NULL)
		return (t->more_header == NULL || add_header(t, t->more_header)) && add_more(t) && (t->accept == NULL || add_header(t, t->accept)) && add_header(t, "Expect:") &&
		       (t->host_header == NULL || add_header(t, t->host_header));
	snprintf(timeout, sizeof timeout, "X-Prometheus-Scrape-Timeout-Seconds: %g", (double)t->timeout_ms / 1000);
	return add_header(t, t->accept) && add_header(t, timeout) && (t->host_header == NULL || add_header(t, t->host_header));
}

/* The headers of plain scrapes with one timeout are the same list, which stays. */
static bool take_headers(struct transfer *t)
{
	struct http_collector *c = t->c;
	t->has_own_headers = true;
	if (t->prepare != NULL || t->access.auth != HTTP_AUTH_NONE || t->host_header != NULL)
		return add_headers(t);
	for (size_t i = 0; i < c->n_scrape_headers; i++)
		if (c->scrape_headers[i].timeout_ms == t->timeout_ms && strcmp(c->scrape_headers[i].accept, t->accept) == 0) {
			t->headers = c->scrape_headers[i].list;
			t->has_own_headers = false;
			return true;
		}
	if (!add_headers(t))
		return false;
	if (c->n_scrape_headers == HTTP_SCRAPE_HEADERS)
		return true;
	c->scrape_headers[c->n_scrape_headers++] = (struct scrape_headers){ t->accept, t->timeout_ms, t->headers };
	t->has_own_headers = false;
	return true;
}

static void set_protocols(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A name server that is silent must not hold the loop when the request's time is up. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static bool wants_gzip(const struct transfer *t)
{
	return t->access.gzip == HTTP_GZIP_ALWAYS || (t->access.gzip == HTTP_GZIP_AUTO && !t->is_near);
}

static void set_access(struct transfer *t, CURL *easy)
{
	const struct http_access *a = &t->access;
	if (!a->use_env_proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (wants_gzip(t))
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (t->is_tls)
		tls_set(t, easy);
}

static int64_t connect_timeout_ms(const struct transfer *t)
{
	return t->c->o.connect_timeout_ms < t->timeout_ms ? t->c->o.connect_timeout_ms : t->timeout_ms;
}

/* What is the same for all requests. */
static bool set_common(struct http_collector *c, CURL *easy)
{
	set_protocols(easy);
	http_sockets_of(c, easy);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* No name cache: curl walks all of it after each transfer, and a kept connection needs no name. */
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	return curl_easy_setopt(easy, CURLOPT_USERAGENT, c->user_agent) == CURLE_OK;
}

/* A scrape over plain HTTP without credentials, as most are: it sets the same options as the last one, so that its handle is not reset. */
static bool is_plain(const struct transfer *t)
{
	return t->prepare == NULL && !t->is_tls && t->access.auth == HTTP_AUTH_NONE && !t->access.use_env_proxy && !wants_gzip(t);
}

static bool set_options(struct transfer *t)
{
	CURL *easy = t->easy;
	if (t->connect_to != NULL && (t->connect_list = curl_slist_append(NULL, t->connect_to)) == NULL)
		return false;
	if (!is_plain(t)) {
		if (!set_common(t->c, easy))
			return false;
		set_access(t, easy);
	}
	curl_easy_setopt(easy, CURLOPT_SHARE, peer_share(t->peer));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_timeout_ms(t));
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->body_max);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, t->connect_list);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	return curl_easy_setopt(easy, CURLOPT_URL, t->url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static void take_easy(struct transfer *t)
{
	struct http_collector *c = t->c;
	if (!is_plain(t)) {
		t->easy = c->n_spare > 0 ? c->spare[--c->n_spare] : curl_easy_init();
		return;
	}
	t->easy = c->n_plain > 0 ? c->plain[--c->n_plain] : NULL;
	if (t->easy != NULL || (t->easy = curl_easy_init()) == NULL)
		return;
	if (set_common(c, t->easy) && curl_easy_setopt(t->easy, CURLOPT_PROXY, "") == CURLE_OK)
		return;
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
}

/* What is left of a request points to nothing that may be gone. */
static void clear_plain(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
}

static void give_back_easy(struct transfer *t)
{
	struct http_collector *c = t->c;
	if (t->easy == NULL)
		return;
	if (is_plain(t) && c->n_plain < HTTP_SPARE_EASIES) {
		clear_plain(t->easy);
		c->plain[c->n_plain++] = t->easy;
	} else if (!is_plain(t) && c->n_spare < HTTP_SPARE_EASIES) {
		curl_easy_setopt(t->easy, CURLOPT_SHARE, NULL); /* a reset would leave it */
		curl_easy_reset(t->easy);
		c->spare[c->n_spare++] = t->easy;
	} else {
		curl_easy_setopt(t->easy, CURLOPT_SHARE, NULL);
		curl_easy_cleanup(t->easy);
	}
	t->easy = NULL;
}

static void give_back(struct transfer *t)
{
	give_back_easy(t);
	for (struct curl_slist *h = t->has_own_headers ? t->headers : NULL; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	if (t->has_own_headers)
		curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_list);
	t->headers = t->connect_list = NULL;
}

bool transfer_begin(struct transfer *t)
{
	struct http_collector *c = t->c;
	struct why             why = { "" };
	t->header_bytes = 0;
	t->body_too_large = t->header_too_large = false;
	t->status = 0;
	t->was_sent = false;
	t->seconds = 0;
	t->retry_after_ms = t->date_ms = 0;
	t->text[0] = t->content_type[0] = t->curl_text[0] = '\0';
	t->wall_ms = clock_wall_ms(c->o.clock);
	transfer_drop_body(t);
	t->body.max = t->body_max;
	take_easy(t);
	if (t->easy == NULL || !take_headers(t)) {
		fail_before(t, FETCH_FAILED, "out of memory");
	} else if (t->access.auth != HTTP_AUTH_NONE && add_secret(t, &why) != ERR_OK) {
		struct buf safe;
		buf_init(&safe, HTTP_TEXT);
		text_safe(&safe, why.text, strlen(why.text));
		fail_before(t, FETCH_SECRET, buf_text(&safe));
		buf_release(&safe);
	} else if (!set_options(t)) {
		fail_before(t, FETCH_FAILED, "out of memory");
	} else if (t->prepare != NULL && t->prepare(t, t->easy, &why) != ERR_OK) {
		fail_before(t, FETCH_SECRET, why.text);
	} else if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK) {
		fail_before(t, FETCH_FAILED, "out of memory");
	} else {
		c->stats.requests++;
		return true;
	}
	give_back(t);
	return false;
}

/* ---- the end ---- */

/* Connections that never came to be are not counted as made, so what tells is whether the name was looked up. */
static enum fetch judge_timeout(const struct transfer *t)
{
	long       sent = 0;
	curl_off_t found_us = 0;
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &found_us);
	if (sent > 0)
		return FETCH_READ_TIMEOUT;
	return found_us > 0 ? FETCH_CONNECT_TIMEOUT : FETCH_DNS;
}

static enum fetch judge_connect(const struct transfer *t)
{
	long number = 0;
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
	return number == ECONNREFUSED ? FETCH_REFUSED : FETCH_UNREACHABLE;
}

static enum fetch judge_code(const struct transfer *t, CURLcode code)
{
	if (tls_is_failure(t, code))
		return FETCH_TLS;
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return FETCH_DNS;
	case CURLE_COULDNT_CONNECT:
		return judge_connect(t);
	case CURLE_OPERATION_TIMEDOUT:
		return judge_timeout(t);
	case CURLE_FILESIZE_EXCEEDED:
		return FETCH_TOO_LARGE;
	case CURLE_WRITE_ERROR:
		return t->body_too_large || t->header_too_large ? FETCH_TOO_LARGE : FETCH_MALFORMED;
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return FETCH_MALFORMED;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return FETCH_CLOSED;
	default:
		return FETCH_FAILED;
	}
}

static enum fetch judge_status(int status)
{
	if (status >= 200 && status < 300)
		return FETCH_OK;
	if (status >= 300 && status < 400)
		return FETCH_REDIRECT;
	if (status == 401 || status == 403)
		return FETCH_DENIED;
	return status == 404 ? FETCH_NOT_FOUND : FETCH_STATUS;
}

static void explain_unconnected(const struct transfer *t, struct buf *to)
{
	buf_printf(to, "'%s' has not taken the connection within %g s: the host is down or overrun, or a firewall drops what is sent to it",
	           t->shown, (double)connect_timeout_ms(t) / 1000);
}

static void explain_slow(const struct transfer *t, struct buf *to)
{
	double seconds = (double)t->timeout_ms / 1000;
	if (t->status == 0)
		buf_printf(to, "'%s' took the request and has not answered within %g s: it hangs, or 'timeout' is too short", t->shown, seconds);
	else
		buf_printf(to, "'%s' has not answered in full within %g s (%zu bytes came): it is slow, or 'timeout' is too short", t->shown,
		           seconds, t->body.len);
}

static void explain_large(const struct transfer *t, struct buf *to)
{
	if (t->header_too_large)
		buf_printf(to, "the header from '%s' has more than %zu KiB: it is no metrics server", t->shown, t->c->o.header_max >> 10);
	else
		buf_printf(to, "the body from '%s' has more than %zu KiB: let it show fewer series", t->shown, t->body_max >> 10);
}

static void explain(const struct transfer *t, CURLcode code, struct buf *to)
{
	switch (t->result) {
	case FETCH_OK: return;
	case FETCH_DNS: buf_printf(to, "cannot find the host of '%s'", t->shown); return;
	case FETCH_REFUSED: buf_printf(to, "'%s' refuses the connection: nothing listens there", t->shown); return;
	case FETCH_UNREACHABLE: buf_printf(to, "cannot reach '%s'", t->shown); return;
	case FETCH_CONNECT_TIMEOUT: explain_unconnected(t, to); return;
	case FETCH_READ_TIMEOUT: explain_slow(t, to); return;
	case FETCH_CLOSED: buf_printf(to, "'%s' closed the connection before its answer was whole: see its log", t->shown); return;
	case FETCH_TLS: tls_explain(t, code, to); return;
	case FETCH_DENIED: buf_printf(to, "'%s' answered %d: the credentials are missing or wrong", t->shown, t->status); return;
	case FETCH_NOT_FOUND: buf_printf(to, "'%s' answered 404: another path, or metrics are off", t->shown); return;
	case FETCH_REDIRECT: buf_printf(to, "'%s' redirects (%d), which is not followed: name the final URL", t->shown, t->status); return;
	case FETCH_STATUS: buf_printf(to, "'%s' answered %d", t->shown, t->status); return;
	case FETCH_TOO_LARGE: explain_large(t, to); return;
	case FETCH_MALFORMED: buf_printf(to, "'%s' does not speak proper HTTP (is the port right?): ", t->shown); break;
	case FETCH_SECRET:
	case FETCH_FAILED:
	case FETCH_COUNT: buf_printf(to, "the request to '%s' failed: ", t->shown); break;
	}
	buf_puts(to, t->curl_text[0] != '\0' ? t->curl_text : "no reason given");
}

static void keep_facts(struct transfer *t)
{
	long        status = 0, connects = 0, sent = 0;
	curl_off_t  us = 0, retry_after_s = 0;
	const char *type = NULL;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	t->retry_after_ms = retry_after_s <= 0 ? 0 : retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s * 1000 : RETRY_AFTER_MAX_S * INT64_C(1000);
	t->status = (int)status;
	t->was_sent = sent > 0;
	t->seconds = (double)us / 1e6;
	t->c->stats.connections += (uint64_t)connects;
	t->is_new_connection = connects > 0;
	tls_keep_certificate(t);
	if (type != NULL)
		snprintf(t->content_type, sizeof t->content_type, "%s", type);
}

void transfer_end(struct transfer *t, CURLcode code)
{
	struct buf text, safe;
	buf_init(&text, 2048);
	buf_init(&safe, HTTP_TEXT - 1);
	keep_facts(t);
	t->result = code == CURLE_OK ? judge_status(t->status) : judge_code(t, code);
	explain(t, code, &text);
	text_cut(&safe, buf_text(&text), text.len, HTTP_TEXT / 4 - 1);
	snprintf(t->text, sizeof t->text, "%s", buf_text(&safe));
	buf_release(&text);
	buf_release(&safe);
	curl_multi_remove_handle(t->c->multi, t->easy);
	give_back(t);
}

void transfer_cancel(struct transfer *t)
{
	if (t->state == TRANSFER_WAITING)
		list_take(&t->c->waiting, t);
	if (t->state == TRANSFER_RUNNING) {
		list_take(&t->c->running, t);
		curl_multi_remove_handle(t->c->multi, t->easy);
		give_back(t);
		transfer_drop_body(t);
		http_reap_later(t->c); /* its place is free */
	}
	t->state = TRANSFER_IDLE;
}

void transfer_start(struct transfer *t)
{
	assert(t->state == TRANSFER_IDLE);
	t->state = TRANSFER_WAITING;
	list_put(&t->c->waiting, t);
	http_reap_later(t->c);
}
