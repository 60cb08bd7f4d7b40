/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/remote_http.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "collectors/shell_quote.h"
#include "deploy/remote.h"

enum { CONFIG_MAX = 512 * 1024, AUTHORIZATION_MAX = 64 * 1024, CONNECT_S = 10, RETRY_AFTER_MAX_S = 24 * 3600, SAID_WIDTH = 200, NO_TOOL = 90 };

/* Behind all else that is printed: the status, and how much of the request had left. */
static const char trailer[] = "@@pitwall-http ";

/* ---- what is told ---- */

static void wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

/* "Bearer ..." */
static enum err authorization(const struct login *l, struct buf *to)
{
	struct buf pair;
	buf_init(&pair, AUTHORIZATION_MAX);
	buf_room(&pair, l->secret.len + 4096);
	if (l->auth == LOGIN_BEARER) {
		buf_puts(to, "Bearer ");
		buf_puts(to, l->secret.text);
	} else {
		buf_puts(&pair, l->user != NULL ? l->user : "");
		buf_puts(&pair, ":");
		buf_puts(&pair, l->secret.text);
		buf_puts(to, "Basic ");
		base64_encode(to, buf_text(&pair), pair.len);
	}
	enum err e = pair.err != ERR_OK ? pair.err : to->err;
	wipe(&pair);
	return e;
}

/* curl(1), --config: within double quotes a backslash escapes. */
static void put_value(struct buf *to, const char *name, const char *before, const char *value)
{
	const char *const texts[] = { before, value };
	buf_printf(to, "%s = \"", name);
	for (size_t i = 0; i < 2; i++)
		for (const char *c = texts[i]; *c != '\0'; c++) {
			if (*c == '\n' || *c == '\r' || *c == '\t')
				buf_putc(to, '\\');
			else if (*c == '"' || *c == '\\')
				buf_putc(to, '\\');
			buf_putc(to, *c == '\n' ? 'n' : *c == '\r' ? 'r' : *c == '\t' ? 't' : *c);
		}
	buf_puts(to, "\"\n");
}

static bool is_method(const struct ask *a, const char *method) { return strcmp(a->method, method) == 0; }

static enum err put_headers(const struct ask *a, const struct login *login, struct buf *to)
{
	struct buf line;
	enum err e = ERR_OK;
	for (size_t i = 0; i < a->n_headers; i++) {
		buf_init(&line, AUTHORIZATION_MAX);
		buf_printf(&line, "%s: ", a->headers[i].name);
		put_value(to, "header", buf_text(&line), a->headers[i].value);
		e = line.err != ERR_OK ? line.err : e;
		buf_release(&line);
	}
	for (size_t i = 0; i < login->n_headers; i++)
		put_value(to, "header", "", login->headers[i]);
	put_value(to, "header", "", "Expect:");
	if (login->auth == LOGIN_NONE)
		return e;
	buf_init(&line, AUTHORIZATION_MAX);
	buf_room(&line, 2 * login->secret.len + 8192);
	e = e == ERR_OK ? authorization(login, &line) : e;
	put_value(to, "header", "Authorization: ", buf_text(&line));
	wipe(&line);
	return e;
}

static enum err curl_config(const struct ask *a, const struct login *login, int64_t limit_s, struct buf *to)
{
	put_value(to, "url", "", a->url);
	if (is_method(a, "HEAD"))
		buf_puts(to, "head\n");
	else
		put_value(to, "request", "", a->method);
	enum err e = put_headers(a, login, to);
	if (a->socket != NULL)
		put_value(to, "unix-socket", "", a->socket);
	if (a->body != NULL)
		put_value(to, "data-binary", "", "@/dev/fd/4");
	else if (is_method(a, "POST") || is_method(a, "PUT") || is_method(a, "PATCH"))
		put_value(to, "data-binary", "", "@/dev/null");
	if (login->insecure_skip_verify)
		buf_puts(to, "insecure\n");
	buf_puts(to, "silent\nshow-error\nhttp1.1\ngloboff\npath-as-is\nnoproxy = \"*\"\nproto = \"=http,https\"\nuser-agent = \"pitwall\"\ndump-header = \"-\"\n");
	buf_printf(to, "connect-timeout = %d\nmax-time = %lld\n", CONNECT_S, (long long)limit_s);
	buf_printf(to, "write-out = \"\\n%s%%{http_code} %%{size_request}\\n\"\n", trailer);
	return e != ERR_OK ? e : to->err;
}

/* The same for machines without curl; it is told as JSON, and speaks and ends as curl does. */
static const char python[] =
	"import sys, json, socket, ssl, http.client\n"
	"from urllib.parse import urlsplit\n"
	"c = json.load(sys.stdin)\n"
	"u = urlsplit(c['url'])\n"
	"t, out, sent = c['timeout'], sys.stdout.buffer, 0\n"
	"def end(code, status=0, body=b''):\n"
	"    out.write(body + b'\\n@@pitwall-http %d %d\\n' % (status, sent))\n"
	"    out.flush()\n"
	"    sys.exit(code)\n"
	"def fail(code, e):\n"
	"    end(code, 0, ('curl: (%d) %s' % (code, e)).encode())\n"
	"class Local(http.client.HTTPConnection):\n"
	"    def connect(self):\n"
	"        self.sock = socket.socket(socket.AF_UNIX)\n"
	"        self.sock.settimeout(t)\n"
	"        self.sock.connect(c['socket'])\n"
	"try:\n"
	"    body = b''\n"
	"    if c['has_body']:\n"
	"        with open(4, 'rb') as f:\n"
	"            body = f.read()\n"
	"    if 'socket' in c:\n"
	"        h = Local('localhost', timeout=t)\n"
	"    elif u.scheme == 'https':\n"
	"        k = ssl._create_unverified_context() if c['insecure'] else ssl.create_default_context()\n"
	"        h = http.client.HTTPSConnection(u.hostname, u.port, timeout=t, context=k)\n"
	"    else:\n"
	"        h = http.client.HTTPConnection(u.hostname, u.port, timeout=t)\n"
	"    h.connect()\n"
	"    h.putrequest(c['method'], (u.path or '/') + ('?' + u.query if u.query else ''), skip_host=True, skip_accept_encoding=True)\n"
	"    h.putheader('Host', u.netloc)\n"
	"    for k, v in c['headers']:\n"
	"        h.putheader(k, v)\n"
	"    if body or c['method'] in ('POST', 'PUT', 'PATCH'):\n"
	"        h.putheader('Content-Length', str(len(body)))\n"
	"    sent = 1\n"
	"    h.endheaders(body or None)\n"
	"    r = h.getresponse()\n"
	"    after = r.getheader('Retry-After')\n"
	"    head = 'HTTP/1.1 %d\\r\\n%s\\r\\n' % (r.status, 'Retry-After: %s\\r\\n' % after if after else '')\n"
	"    end(0, r.status, head.encode() + r.read(8 << 20))\n"
	"except ssl.SSLError as e:\n"
	"    fail(35, e)\n"
	"except socket.gaierror as e:\n"
	"    fail(6, e)\n"
	"except socket.timeout as e:\n"
	"    fail(28, e)\n"
	"except (OSError, http.client.HTTPException) as e:\n"
	"    fail(56 if sent else 7, e)\n";

/* "Name: value", as a pair. */
static void add_line(struct cJSON *headers, const char *line)
{
	const char *colon = strstr(line, ": ");
	struct cJSON *pair = cJSON_CreateArray(), *name = cJSON_CreateString(line);
	if (colon != NULL && name != NULL)
		name->valuestring[colon - line] = '\0';
	cJSON_AddItemToArray(pair, name);
	cJSON_AddItemToArray(pair, cJSON_CreateString(colon != NULL ? colon + 2 : ""));
	cJSON_AddItemToArray(headers, pair);
}

static enum err python_config(const struct ask *a, const struct login *login, int64_t limit_s, struct buf *to)
{
	struct buf line;
	struct cJSON *o = cJSON_CreateObject(), *headers = cJSON_AddArrayToObject(o, "headers");
	cJSON_AddStringToObject(o, "url", a->url);
	cJSON_AddStringToObject(o, "method", a->method);
	cJSON_AddNumberToObject(o, "timeout", (double)limit_s);
	cJSON_AddBoolToObject(o, "has_body", a->body != NULL);
	cJSON_AddBoolToObject(o, "insecure", login->insecure_skip_verify);
	if (a->socket != NULL)
		cJSON_AddStringToObject(o, "socket", a->socket);
	for (size_t i = 0; i < a->n_headers; i++) {
		const char *pair[] = { a->headers[i].name, a->headers[i].value };
		cJSON_AddItemToArray(headers, cJSON_CreateStringArray(pair, 2));
	}
	for (size_t i = 0; i < login->n_headers; i++)
		add_line(headers, login->headers[i]);
	buf_init(&line, AUTHORIZATION_MAX);
	buf_room(&line, 2 * login->secret.len + 8192);
	enum err e = login->auth != LOGIN_NONE ? authorization(login, &line) : ERR_OK;
	if (login->auth != LOGIN_NONE) {
		const char *pair[] = { "Authorization", buf_text(&line) };
		cJSON_AddItemToArray(headers, cJSON_CreateStringArray(pair, 2));
	}
	wipe(&line);
	char *text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	if (text == NULL)
		return ERR_MEMORY;
	e = e == ERR_OK ? buf_puts(to, text) : e;
	explicit_bzero(text, strlen(text));
	cJSON_free(text);
	return e;
}

static enum err check(const struct ask *a, const struct login *l, struct why *why)
{
	if (a->method == NULL || a->url == NULL || strpbrk(a->url, "\r\n") != NULL)
		return why_set(why, ERR_USAGE, "a request has a method and a URL");
	for (size_t i = 0; i < a->n_headers; i++)
		if (strpbrk(a->headers[i].name, "\r\n:") != NULL || strpbrk(a->headers[i].value, "\r\n") != NULL)
			return why_set(why, ERR_USAGE, "a header is no name and value");
	if (l->base != NULL)
		return why_set(why, ERR_UNSUPPORTED, "a cluster is not asked by way of a machine");
	bool is_tls = strncasecmp(a->url, "https:", 6) == 0;
	if (is_tls && (l->ca != NULL || l->cert != NULL || l->key != NULL || l->ca_file != NULL || l->cert_file != NULL || l->key_file != NULL || l->server_name != NULL))
		return why_set(why, ERR_UNSUPPORTED, "the certificates of 'tls' lie here, and this request goes out from the machine itself: its own are used, so leave them out");
	return ERR_OK;
}

/* c='...' */
static enum err put_variable(struct buf *program, const char *name, const char *text, struct why *why)
{
	buf_printf(program, "%s=", name);
	enum err e = shell_quote_word(program, text, strlen(text), why);
	buf_putc(program, '\n');
	return e;
}

static const char send_it[] =
	"if command -v curl >/dev/null; then request() { printf '%s' \"$c\" | $limit curl -q --config -; }\n"
	"elif command -v python3 >/dev/null; then request() { printf '%s' \"$j\" | $limit python3 -c \"$p\"; }\n"
	"else request() { echo 'neither curl nor python3 is there to send the request with'; return 90; }\n"
	"fi\n"
	"head -c \"$n_input\" | { request; } 4<&0 2>&1\n";

enum err remote_http_program(const struct ask *a, const struct login *login, int64_t limit_s, struct buf *program, struct why *why)
{
	struct buf curl, json;
	enum err e = check(a, login, why);
	if (e != ERR_OK)
		return e;
	buf_init(&curl, CONFIG_MAX);
	buf_init(&json, CONFIG_MAX);
	buf_room(&curl, 64 * 1024);
	buf_room(&json, 64 * 1024);
	e = curl_config(a, login, limit_s, &curl);
	e = e == ERR_OK ? python_config(a, login, limit_s, &json) : e;
	if (e != ERR_OK)
		why_set(why, e, "the request is too long to be sent by way of a machine");
	e = e == ERR_OK ? put_variable(program, "c", buf_text(&curl), why) : e;
	e = e == ERR_OK ? put_variable(program, "j", buf_text(&json), why) : e;
	e = e == ERR_OK ? put_variable(program, "p", python, why) : e;
	buf_puts(program, send_it);
	wipe(&curl);
	wipe(&json);
	return e;
}

/* ---- what was answered ---- */

/* The last line, where it is the trailer: cut off, and read. */
static bool take_trailer(struct buf *text, int64_t *status, int64_t *sent)
{
	char *end = text->data != NULL ? text->data + text->len : NULL, *at = end;
	if (end == NULL || text->len == 0)
		return false;
	if (end[-1] == '\n')
		end--;
	at = end;
	while (at > text->data && at[-1] != '\n')
		at--;
	size_t n = sizeof trailer - 1;
	if ((size_t)(end - at) <= n || memcmp(at, trailer, n) != 0)
		return false;
	*end = '\0';
	char *blank = strchr(at + n, ' ');
	if (blank == NULL || parse_i64(blank + 1, 0, INT64_MAX, sent) != ERR_OK)
		return false;
	*blank = '\0';
	if (parse_i64(at + n, 0, 999, status) != ERR_OK)
		return false;
	text->len = (size_t)(at - text->data) - (at > text->data);
	text->data[text->len] = '\0';
	return true;
}

/* One block of headers, "HTTP/1.1 200 OK\r\n...\r\n\r\n"; NULL: there is none. */
static char *take_head(char *text, int64_t *status, int64_t *retry_after_ms)
{
	char *line = text, number[4] = "";
	char *blank = strncmp(text, "HTTP/", 5) == 0 ? strchr(text, ' ') : NULL;
	if (blank == NULL || strlen(blank) < 4)
		return NULL;
	memcpy(number, blank + 1, 3);
	if (parse_i64(number, 100, 999, status) != ERR_OK)
		return NULL;
	for (char *end; (end = strchr(line, '\n')) != NULL && line - text < REMOTE_HEADERS; line = end + 1) {
		if (end == line || (end == line + 1 && line[0] == '\r'))
			return end + 1;
		int64_t s;
		char value[NUMBER_TEXT];
		size_t n = (size_t)(end - line) - 12;
		if (strncasecmp(line, "Retry-After:", 12) != 0 || n >= sizeof value)
			continue;
		memcpy(value, line + 12, n);
		value[n] = '\0';
		value[strcspn(value, "\r")] = '\0';
		if (parse_i64(value + strspn(value, " "), 0, INT64_MAX / 1000, &s) == ERR_OK)
			*retry_after_ms = (s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S) * 1000;
	}
	return NULL;
}

/* curl(1), "exit codes". */
static enum err error_of(int code)
{
	static const int tls[] = { 35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91 };
	for (size_t i = 0; i < sizeof tls / sizeof tls[0]; i++)
		if (code == tls[i])
			return ERR_TLS;
	return code == 28 || code == 124 || code == 137 || code == 143 ? ERR_TIMEOUT : code == 3 ? ERR_USAGE : ERR_NETWORK;
}

/* What the tool said last. */
static void fail(const struct buf *text, int code, bool was_sent, struct answer *out, struct why *why)
{
	const char *all = buf_text(text), *line = strstr(all, "curl: (");
	struct buf safe;
	for (const char *next; line != NULL && (next = strstr(line + 1, "curl: (")) != NULL;)
		line = next;
	line = line != NULL ? line : all;
	buf_init(&safe, sizeof why->text);
	text_cut(&safe, line, strcspn(line, "\n"), SAID_WIDTH);
	if (code == NO_TOOL)
		why_set(why, ERR_UNSUPPORTED, "%s", buf_text(&safe));
	else
		why_set(why, ERR_NETWORK, "the request from the machine itself failed: %s", safe.len > 0 ? buf_text(&safe) : "nothing was said of why");
	buf_release(&safe);
	*out = (struct answer){ .err = code == NO_TOOL ? ERR_UNSUPPORTED : error_of(code), .why = why->text, .was_sent = was_sent, .text = "" };
}

/* What stands before them is not the server's: a loader that complains, say. */
static char *begin_of_heads(struct buf *text)
{
	if (text->len == 0)
		return NULL;
	char *at = strncmp(text->data, "HTTP/", 5) == 0 ? text->data : strstr(text->data, "\nHTTP/");
	return at != NULL && *at == '\n' ? at + 1 : at;
}

void remote_http_answer(struct buf *text, int status, bool is_cut, struct answer *out, struct why *why)
{
	int64_t http = 0, sent = 1, told = 0, retry_after_ms = 0;
	bool has_trailer = take_trailer(text, &told, &sent);
	char *body = begin_of_heads(text), *after = NULL;
	while (body != NULL && (after = take_head(body, &http, &retry_after_ms)) != NULL && http < 200)
		body = after;
	bool is_whole = after != NULL && (has_trailer ? told == http && (status == 0) : is_cut);
	if (!is_whole) {
		fail(text, status, status != NO_TOOL && sent > 0, out, why);
		return;
	}
	*out = (struct answer){ .err = ERR_OK, .why = "", .was_sent = true, .status = (int)http, .text = after, .n = text->len - (size_t)(after - text->data),
		                    .is_cut = is_cut, .retry_after_ms = retry_after_ms };
}
