/* SPDX-License-Identifier: Apache-2.0
 *
 * What a URL means for a transfer: which name TLS asks for, and whether the host is so near that compressing costs more than it saves. */
#include "collectors/http_private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_near_v4(uint32_t a)
{
	return a >> 24 == 127 || a >> 24 == 10 || a >> 20 == (172u << 4 | 1) || a >> 16 == (192u << 8 | 168) || a >> 16 == (169u << 8 | 254);
}

/* Loopback, private and link-local addresses, "localhost", and names without a dot. Sources: RFC 1918, 3927, 4193, 4291. */
static bool is_near_host(const char *host)
{
	struct in_addr  v4;
	struct in6_addr v6;
	char            bare[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET, host, &v4) == 1)
		return is_near_v4(ntohl(v4.s_addr));
	size_t n = strlen(host);
	if (n > 2 && host[0] == '[' && n - 2 < sizeof bare) {
		memcpy(bare, host + 1, n - 2);
		bare[n - 2] = '\0';
		if (inet_pton(AF_INET6, bare, &v6) == 1)
			return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc;
	}
	return strchr(host, '.') == NULL;
}

static enum err curl_says(CURLUcode code, const char *url, const char *scheme, struct why *why)
{
	if (code == CURLUE_OUT_OF_MEMORY)
		return why_memory(why);
	return why_set(why, ERR_FORMAT, "'%s' is not a URL (%s://HOST:PORT%s)", url, scheme, strcmp(scheme, "http") == 0 ? "/PATH" : "");
}

struct parts {
	CURLU *u;
	char  *scheme, *host, *port, *user, *password;
};

static void parts_release(struct parts *p)
{
	curl_url_cleanup(p->u);
	curl_free(p->scheme);
	curl_free(p->host);
	curl_free(p->port);
	curl_free(p->user);
	curl_free(p->password);
}

static enum err parts_get(struct parts *p, const char *url, const char *plain, const char *secure, struct why *why)
{
	CURLUcode code;
	p->u = curl_url();
	if (p->u == NULL)
		return why_memory(why);
	if ((code = curl_url_set(p->u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS)) != CURLUE_OK ||
	    (code = curl_url_get(p->u, CURLUPART_SCHEME, &p->scheme, 0)) != CURLUE_OK ||
	    (code = curl_url_get(p->u, CURLUPART_HOST, &p->host, 0)) != CURLUE_OK)
		return curl_says(code, url, plain, why);
	if (strcasecmp(p->scheme, plain) != 0 && strcasecmp(p->scheme, secure) != 0)
		return why_set(why, ERR_FORMAT, "'%s' is not a URL that begins with %s:// or %s://", url, plain, secure);
	if ((code = curl_url_get(p->u, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT)) != CURLUE_OK)
		return curl_says(code, url, plain, why);
	curl_url_get(p->u, CURLUPART_USER, &p->user, 0);
	curl_url_get(p->u, CURLUPART_PASSWORD, &p->password, 0);
	if (p->user != NULL || p->password != NULL)
		return why_set(why, ERR_FORMAT, "a URL for host '%s' holds a user or a password; give them under 'auth' instead", p->host);
	return ERR_OK;
}

/* The certificate is to bear another name than the URL's host: curl is told that name, where to connect to, and what to say in Host. */
static enum err rename_host(struct transfer *t, struct parts *p, const char *server_name, struct why *why)
{
	struct buf b;
	buf_init(&b, 4096);
	buf_printf(&b, "%s:%s:%s:%s", server_name, p->port, p->host, p->port);
	t->connect_to = buf_take(&b);
	buf_printf(&b, "Host: %s:%s", p->host, p->port);
	t->host_header = buf_take(&b);
	buf_release(&b);
	if (t->connect_to == NULL || t->host_header == NULL)
		return why_memory(why);
	if (curl_url_set(p->u, CURLUPART_HOST, server_name, 0) != CURLUE_OK)
		return why_set(why, ERR_FORMAT, "'%s' is not a server name", server_name);
	return ERR_OK;
}

enum err url_split(struct transfer *t, const char *url, const char *server_name, struct why *why)
{
	struct parts p = { 0 };
	struct buf   shown;
	char        *full = NULL;
	buf_init(&shown, 4096);
	enum err e = parts_get(&p, url, "http", "https", why);
	if (e != ERR_OK)
		goto out;
	t->is_tls = strcasecmp(p.scheme, "https") == 0;
	t->is_near = is_near_host(p.host);
	buf_printf(&shown, "%s:%s", p.host, p.port);
	t->shown = buf_take(&shown);
	if (t->is_tls && server_name != NULL)
		e = rename_host(t, &p, server_name, why);
	if (e != ERR_OK)
		goto out;
	if (curl_url_get(p.u, CURLUPART_URL, &full, 0) == CURLUE_OK)
		t->url = strdup(full);
	if (t->url == NULL || t->shown == NULL)
		e = why_memory(why);
out:
	curl_free(full);
	buf_release(&shown);
	parts_release(&p);
	return e;
}

/* A certificate under another name than the URL's host is not foreseen here: the name that curl checks is the host's. */
enum err url_split_mail(struct transfer *t, const char *url, struct why *why)
{
	struct parts p = { 0 };
	struct buf   shown;
	buf_init(&shown, 4096);
	enum err e = parts_get(&p, url, "smtp", "smtps", why);
	if (e == ERR_OK) {
		buf_printf(&shown, "%s:%s", p.host, p.port);
		t->is_tls = true; /* or may become so, by STARTTLS */
		t->shown = buf_take(&shown);
		t->url = strdup(url);
		if (t->url == NULL || t->shown == NULL)
			e = why_memory(why);
	}
	buf_release(&shown);
	parts_release(&p);
	return e;
}
