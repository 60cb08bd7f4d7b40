/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP collector: scrapes many targets, each at its own interval, on curl's multi socket interface and a libuv loop.
 *
 * Each target has a place in its interval, found from a hash of what it is (so that a thousand targets spread evenly and a restart keeps
 * the place), and its scrapes are due at that place in each interval for ever: a late scrape moves no later one. A target has one
 * request in flight at most; a scrape that comes due before the one before has ended is skipped and counted. Nothing waits for a slow or
 * dead target but its own next scrape.
 *
 * Redirects are not followed, only http and https are spoken, TLS is verified, and proxies named in the environment are not used unless
 * asked for: a scrape that silently went through a proxy would measure the proxy, and would carry a bearer token there. Connections are
 * kept.
 *
 * Threads: everything happens on the loop's thread, callbacks too. Nothing blocks, but for what a `secret` callback does. */
#ifndef PITWALL_COLLECTORS_HTTP_H
#define PITWALL_COLLECTORS_HTTP_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "collectors/exposition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;
struct http_collector;
struct http_target;

/* What became of a request: config name, words for a narrow column. */
#define FETCH_LIST(X)                                        \
	X(OK,              "ok",              "ok")              \
	X(DNS,             "dns",             "no such host")    \
	X(REFUSED,         "refused",         "refused")         \
	X(UNREACHABLE,     "unreachable",     "unreachable")     \
	X(CONNECT_TIMEOUT, "connect_timeout", "connect timeout") \
	X(READ_TIMEOUT,    "read_timeout",    "read timeout")    \
	X(CLOSED,          "closed",          "cut short")       \
	X(TLS,             "tls",             "TLS error")       \
	X(SECRET,          "secret",          "no credentials")  \
	X(DENIED,          "denied",          "401 or 403")      \
	X(NOT_FOUND,       "not_found",       "404")             \
	X(REDIRECT,        "redirect",        "redirected")      \
	X(STATUS,          "status",          "other status")    \
	X(TOO_LARGE,       "too_large",       "too large")       \
	X(MALFORMED,       "malformed",       "malformed")       \
	X(FAILED,          "failed",          "failed")

enum fetch {
#define X(name, config, words) FETCH_##name,
	FETCH_LIST(X)
#undef X
	FETCH_COUNT
};
const char *fetch_name(enum fetch f);  /* "connect_timeout" */
const char *fetch_words(enum fetch f); /* "connect timeout" */

/* How compressed bodies are asked for. Inflating costs a recorder more than all else it does with a body, so on networks where bytes are
 * cheap they are not. */
enum http_gzip {
	HTTP_GZIP_AUTO,  /* for public addresses and names with a dot only: not for loopback, private addresses and bare host names */
	HTTP_GZIP_NEVER,
	HTTP_GZIP_ALWAYS,
};

/* Puts the secret (a bearer token, or a password) into `to`. Called before each request; the text is wiped after use. */
typedef enum err (*http_secret_fn)(void *ctx, struct buf *to, struct why *why);

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BEARER, HTTP_AUTH_BASIC };

/* How a server is to be spoken to. All texts are copied; NULL or 0 is the default. */
struct http_access {
	enum http_auth auth;
	const char    *user;        /* basic */
	http_secret_fn secret;
	void          *secret_ctx;  /* lent for the target's life */
	const char    *ca_file;     /* instead of the system's */
	const char    *cert_file, *key_file;
	const char    *server_name; /* the name that the certificate must have, where it is not the URL's */
	bool           insecure_skip_verify; /* take any certificate: only where the fleet file says so */
	enum http_gzip gzip;
	bool           use_env_proxy;
};

struct http_options {
	struct uv_loop_s   *loop;  /* lent */
	const struct clock *clock; /* lent; its wall time stamps the scrapes. Timers follow the loop */
	const char         *version;            /* for "User-Agent: pitwall/VERSION" */
	size_t              body_max;           /* bytes after inflating; 0: 32 MiB */
	size_t              header_max;         /* 0: 64 KiB */
	int64_t             connect_timeout_ms; /* 0: 2000 */
	int                 per_host;           /* connections to one host; 0: 8 */
	int                 in_flight;          /* requests at once; 0: 256 */
};
enum err http_collector_new(const struct http_options *o, struct http_collector **out, struct why *why);

/* Ends everything: no callback comes any more but `closed`, from the loop, after which nothing of the collector is left. */
void http_collector_close(struct http_collector *c, void (*closed)(void *ctx), void *ctx);

/* One scrape that has ended. Lent for the call. */
struct http_scrape {
	struct http_target  *target;
	int64_t              wall_ms;    /* when it was begun */
	double               seconds;    /* how long it took, parsing left out */
	int                  status;     /* HTTP status, 0: none came */
	enum fetch           result;
	int                  line;       /* of the body, for FETCH_MALFORMED; 0: none */
	const char          *text;       /* a sentence that is safe to show; "" for FETCH_OK */
	size_t               body_bytes; /* after inflating */
	const struct scrape *scrape;     /* NULL unless FETCH_OK */
	int64_t              certificate_expires_ms; /* of the server's certificate, as last seen; 0: none was */
	uint64_t             skipped;    /* scrapes of this target skipped so far, because one overran */
};

struct http_target_options {
	const char        *url;         /* copied, like the other texts */
	int64_t            interval_ms; /* 1000 at least, but for tests: 10 */
	int64_t            timeout_ms;  /* of a whole scrape; no more than the interval */
	bool               prefer_openmetrics;
	size_t             max_series;  /* kept of a scrape (exposition_limit); 0: all */
	struct http_access access;
	void             (*done)(void *ctx, const struct http_scrape *s); /* may remove the target or close the collector */
	void              *ctx;
};
/* Adds a target; its scrapes come at its place in the interval; with `now` one comes at once, besides. ERR_FORMAT: not a URL we speak;
 * ERR_RANGE: interval or timeout. */
enum err http_target_add(struct http_collector *c, const struct http_target_options *o, bool now, struct http_target **out,
                         struct why *why);

/* No callback for it comes any more; what is in flight is dropped. The pointer is gone. */
void http_target_remove(struct http_target *t);

void       *http_target_ctx(const struct http_target *t);
const char *http_target_url(const struct http_target *t);
void        http_target_scrape_now(struct http_target *t); /* once, besides its schedule; nothing while one is in flight */

/* The answer to http_get. Lent for the call. */
struct http_answer {
	enum fetch  result;       /* FETCH_OK for status 200 to 299 */
	int         status;
	const char *text;         /* safe sentence, "" when OK */
	const char *content_type; /* "" when none */
	const char *body;         /* NUL-terminated besides; there for other statuses too */
	size_t      len;
	double      seconds;
	int64_t     retry_after_ms; /* what the answer says of when to try again; 0: nothing */
	int64_t     date_ms;      /* the server's clock, since 1970, as its Date header has it in whole seconds; 0: none */
	bool        was_sent; /* something of the request has left: where no status came, whether it was acted on is not known */
	bool        is_cut;   /* there was more of the body */
};

struct http_get_options {
	const char        *url;
	int64_t            timeout_ms; /* 0: 5000 */
	size_t             body_max;   /* 0: 64 KiB */
	struct http_access access;
	void             (*done)(void *ctx, const struct http_answer *a);
	void              *ctx;
};
/* One GET, for probing (health, model list, what kind of server this is). `done` is called once, never before this returns; not after
 * the collector is closed. */
enum err http_get(struct http_collector *c, const struct http_get_options *o, struct why *why);

/* A request with a body, for telling others; not for scraping. An answer outside 200 to 299 has what the other side said in its sentence. */
struct http_send_options {
	const char        *url, *method;  /* "POST", "DELETE", ... */
	const char        *content_type;  /* NULL: none */
	const void        *body;          /* copied, and wiped in the end; NULL: none */
	size_t             len;
	int64_t            timeout_ms;    /* 0: 5000 */
	size_t             body_max;      /* of the answer; 0: 64 KiB */
	struct http_access access;
	void             (*done)(void *ctx, const struct http_answer *a); /* as with http_get */
	void              *ctx;
};
enum err http_send(struct http_collector *c, const struct http_send_options *o, struct why *why);

/* Certificates as PEM texts; each goes before the file of struct http_access. */
enum { HTTP_PEM_CA, HTTP_PEM_CERT, HTTP_PEM_KEY, HTTP_PEM_COUNT };

/* A request that is acted by: every status is an answer, with its body; a body that is too long is cut, with FETCH_TOO_LARGE. What may change something (all
 * but GET and HEAD) is never sent twice. All is copied but the access's secret. */
struct http_ask_options {
	const char        *url, *method;
	const char *const *headers;      /* "NAME: VALUE" */
	size_t             n_headers;
	const void        *body;         /* NULL: none; wiped in the end */
	size_t             len;
	const char        *unix_socket;  /* of this machine; NULL: none */
	int64_t            timeout_ms;   /* 0: 5000 */
	size_t             body_max;     /* 0: 64 KiB */
	struct http_access access;
	const char        *pem[HTTP_PEM_COUNT];
	void             (*done)(void *ctx, const struct http_answer *a); /* as with http_get; the request is gone with it */
	void              *ctx;
};
struct http_request;
enum err http_ask(struct http_collector *c, const struct http_ask_options *o, struct http_request **out, struct why *why);
/* Ends it: `done` is not called. What was sent may still be acted on. */
void     http_ask_drop(struct http_request *r);

enum http_starttls { HTTP_STARTTLS_REQUIRED, HTTP_STARTTLS_OFFERED, HTTP_STARTTLS_NEVER };

/* One message by SMTP. The answer's status is the server's last reply, 0 where none came. */
struct http_mail_options {
	const char         *url;   /* smtp://host[:port] or smtps://host[:port] */
	const char         *from;  /* bare addresses, without angle brackets */
	const char *const  *to;
	size_t              n_to;
	const void         *text;  /* a whole RFC 5322 message, its lines ended by CR LF; copied */
	size_t              len;
	enum http_starttls  starttls;
	int64_t             timeout_ms; /* 0: 5000 */
	struct http_access  access;     /* of the auths, basic alone */
	void              (*done)(void *ctx, const struct http_answer *a);
	void               *ctx;
};
enum err http_mail(struct http_collector *c, const struct http_mail_options *o, struct why *why);

struct http_stats {
	uint64_t requests, connections; /* made so far: requests over kept connections are the difference */
	uint64_t skipped;               /* scrapes, because the one before had not ended */
	size_t   targets, in_flight, waiting;
};
struct http_stats http_stats(const struct http_collector *c);

#endif
