/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS of a transfer: what curl is told of it, and what to tell a person where it fails, as far as more can be said than curl does. */
#include "collectors/http_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void tls_set(struct transfer *t, CURL *easy)
{
	const struct http_access *a = &t->access;
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, a->insecure_skip_verify ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, a->insecure_skip_verify ? 0L : 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (a->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, a->ca_file);
	if (a->cert_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, a->cert_file);
	if (a->key_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, a->key_file);
	if (t->wants_certificate) { /* curl copies all of the chain: not for each request. A kept connection would tell of an old one, or nothing */
		curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_KEYPASSWD, ""); /* without one OpenSSL would ask for it, on the terminal, and wait */
}

/* "Expire date:Nov  7 12:00:00 2027 GMT" with OpenSSL, "Expire date:2027-11-07 12:00:00 GMT" with other libraries. */
int64_t tls_expiry_of(const char *line)
{
	static const char head[] = "Expire date:";
	char date[64];
	size_t n = 0;
	if (strncmp(line, head, sizeof head - 1) != 0)
		return 0;
	for (const char *p = line + sizeof head - 1; *p != '\0' && n < sizeof date - 1; p++)
		if (*p != '-') /* of the second, curl knows 20271107 */
			date[n++] = *p;
	date[n] = '\0';
	time_t seconds = curl_getdate(date, NULL);
	return seconds > 0 && seconds < INT64_MAX / 1000 ? (int64_t)seconds * 1000 : 0;
}

/* The first of the chain is the server's own. */
void tls_keep_certificate(struct transfer *t)
{
	struct curl_certinfo *info = NULL;
	if (!t->wants_certificate || curl_easy_getinfo(t->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL || info->num_of_certs < 1)
		return;
	for (const struct curl_slist *line = info->certinfo[0]; line != NULL; line = line->next) {
		int64_t expires_ms = tls_expiry_of(line->data);
		if (expires_ms != 0)
			t->expires_ms = expires_ms;
	}
}

/* The other side ended it by an alert. In TLS 1.3 what it holds against our certificate comes when the handshake has ended for us, so
 * that curl takes it for an error of reading. */
static bool is_alert(const struct transfer *t)
{
	return t->is_tls && strstr(t->curl_text, " alert ") != NULL;
}

bool tls_is_failure(const struct transfer *t, CURLcode code)
{
	switch ((int)code) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return true;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return is_alert(t);
	default:
		return false;
	}
}

static bool is_unreadable(const char *what, const char *path, struct buf *to)
{
	struct why why;
	if (path == NULL || access(path, R_OK) == 0)
		return false;
	why_errno(&why, errno, "cannot read %s '%s'", what, path);
	buf_puts(to, why.text);
	return true;
}

/* Without the library's own place and number: "OpenSSL SSL_read: OpenSSL/3.0.9: error:0A00045C:SSL routines::tlsv13 alert certificate
 * required, errno 0". */
static void put_alert(const char *text, struct buf *to)
{
	const char *at = strstr(text, "::");
	if (at != NULL)
		text = at + 2;
	const char *end = strstr(text, ", errno");
	buf_put(to, text, end != NULL ? (size_t)(end - text) : strlen(text));
}

static void explain_alert(const struct transfer *t, struct buf *to)
{
	const struct http_access *a = &t->access;
	if (a->cert_file == NULL)
		buf_puts(to, "the server refuses us; if it demands a certificate, set 'cert_file' and 'key_file' (");
	else
		buf_printf(to, "the server refuses us; is '%s' a certificate that it accepts? (", a->cert_file);
	put_alert(t->curl_text, to);
	buf_putc(to, ')');
}

/* One of our own files: curl says which, not what is the matter with it. */
static void explain_files(const struct transfer *t, struct buf *to)
{
	const char *cert = t->access.cert_file, *key = t->access.key_file != NULL ? t->access.key_file : cert;
	if (is_unreadable("cert_file", cert, to) || is_unreadable("key_file", key, to))
		return;
	if (strstr(t->curl_text, "certificate from") != NULL)
		buf_printf(to, "cert_file '%s' holds no certificate in PEM form", cert);
	else
		buf_printf(to, "'%s' is encrypted, not in PEM form, or not the key of '%s'", key, cert);
}

static void explain_ca(const char *ca_file, struct buf *to)
{
	if (!is_unreadable("ca_file", ca_file, to))
		buf_printf(to, "ca_file '%s' holds no certificate in PEM form", ca_file);
}

/* Said of the server's own certificate where that is known to have been seen; another one of the chain may have run out. */
static void explain_expiry(const struct transfer *t, struct buf *to)
{
	char when[TIME_TEXT];
	if (t->expires_ms != 0 && t->expires_ms <= t->wall_ms)
		buf_printf(to, "the certificate of '%s' expired at %s: renew it, and have the server read it again", t->shown, format_time(t->expires_ms, when));
	else
		buf_printf(to, "the certificate of '%s' has expired, or that of its issuer: renew it, and have the server read it again", t->shown);
}

void tls_explain(const struct transfer *t, CURLcode code, struct buf *to)
{
	const struct http_access *a = &t->access;
	if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(t->curl_text, "certificate has expired") != NULL) {
		explain_expiry(t, to);
		return;
	}
	buf_printf(to, "TLS with '%s' failed: ", t->shown);
	if (code == CURLE_SSL_CERTPROBLEM && a->cert_file != NULL)
		explain_files(t, to);
	else if (code == CURLE_SSL_CACERT_BADFILE && a->ca_file != NULL)
		explain_ca(a->ca_file, to);
	else if (is_alert(t))
		explain_alert(t, to);
	else
		buf_puts(to, t->curl_text[0] != '\0' ? t->curl_text : "no reason given");
}
