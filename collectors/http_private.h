/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the HTTP collector. A transfer is one place for one request at a time, owned by a target or by one http_get. While it is in
 * flight it has a curl handle and a body; both are lent from the collector, so that memory follows what is in flight and not how many
 * targets there are. What has callbacks of libuv's is freed when libuv has reported; http_collector counts these handles. */
#ifndef PITWALL_COLLECTORS_HTTP_PRIVATE_H
#define PITWALL_COLLECTORS_HTTP_PRIVATE_H

#include "collectors/http.h"

#include <curl/curl.h>
#include <uv.h>

enum { HTTP_TEXT = 640, HTTP_SPARE_EASIES = 64, HTTP_SPARE_BODIES = 64, HTTP_PEER_BUCKETS = 1024, HTTP_SCRAPE_HEADERS = 8 };

struct transfer {
	struct http_collector *c;
	struct transfer       *prev, *next; /* of the collector's list it is in */
	enum { TRANSFER_IDLE, TRANSFER_WAITING, TRANSFER_RUNNING } state;

	/* set once */
	struct http_access access;       /* texts owned */
	char              *url;          /* what curl is given: with the server's name in it, where one was set */
	char              *shown;        /* host:port as the user wrote them */
	struct peer       *peer;         /* referenced */
	char              *connect_to;   /* or NULL */
	char              *host_header;  /* or NULL */
	const char        *accept;
	bool               is_tls, is_near;
	int64_t            timeout_ms;
	size_t             body_max;
	void             (*done)(struct transfer *t);
	const char        *more_header;  /* one more, or NULL; lent */
	const struct curl_slist *more_headers; /* and more of them, or NULL; lent */
	bool               wants_certificate; /* a new connection is made, and the server's certificate looked at; of the next request */
	/* What a kind of request tells curl besides; last, so that it has the last word. Then it is no scrape, and says nothing of one. May be NULL. */
	enum err         (*prepare)(struct transfer *t, CURL *easy, struct why *why);

	/* of this request */
	CURL              *easy;
	struct curl_slist *headers, *connect_list;
	bool               has_own_headers; /* else the headers are the collector's */
	struct buf         body;
	size_t             header_bytes;
	bool               body_too_large, header_too_large;
	int64_t            wall_ms;

	/* of the last request, for `done` */
	enum fetch result;
	int        status;
	double     seconds;
	bool       was_sent; /* something of the request has left */
	int64_t    retry_after_ms, date_ms;
	bool       is_new_connection;
	int64_t    expires_ms; /* when the certificate ends that was seen last, since 1970; 0: none was. Stays until another one is seen */
	char       content_type[128];
	char       text[HTTP_TEXT];
	char       curl_text[CURL_ERROR_SIZE];
};

struct transfer_list {
	struct transfer *first, *last;
	size_t           n;
};

/* One request that is made once, and gone with its answer. */
struct get {
	struct get        *prev, *next;
	struct transfer    transfer;
	struct buf         payload;      /* what is sent; wiped */
	size_t             sent;         /* of it, where curl reads it by and by */
	char              *text;         /* a header, or a sender; owned */
	char              *socket, *pem[HTTP_PEM_COUNT]; /* of an ask; owned */
	const char        *method;
	struct curl_slist *recipients;   /* or headers */
	struct http_access access;       /* of mail; its texts are the transfer's */
	enum http_starttls starttls;
	void             (*done)(void *ctx, const struct http_answer *a);
	void              *ctx;
};
struct peer;
struct sock;

/* Of scrapes that need no more than these; `accept` is one of our constants. */
struct scrape_headers {
	const char        *accept;
	int64_t            timeout_ms;
	struct curl_slist *list;
};

struct http_collector {
	struct http_options     o;
	char                   *user_agent;
	CURLM                  *multi;
	uv_timer_t              timer;  /* curl's */
	uv_timer_t              reaper; /* for what cannot be done where it is asked for */
	struct transfer_list    waiting, running;
	struct http_target     *targets;
	struct get             *gets;
	struct peer            *peers[HTTP_PEER_BUCKETS];
	struct exposition_pool *pool;
	CURL                   *spare[HTTP_SPARE_EASIES]; /* reset */
	size_t                  n_spare;
	CURL                   *plain[HTTP_SPARE_EASIES]; /* set up for plain scrapes */
	size_t                  n_plain;
	struct scrape_headers   scrape_headers[HTTP_SCRAPE_HEADERS];
	size_t                  n_scrape_headers;
	struct buf              spare_bodies[HTTP_SPARE_BODIES]; /* of SPARE_BYTES_MAX in all */
	size_t                  n_spare_bodies, spare_bytes;
	struct sock           **socks;  /* [cap_socks]: by their number */
	size_t                  cap_socks;
	struct http_stats       stats;
	size_t                  handles; /* of libuv's, not reported closed yet */
	bool                    is_closing;
	void                  (*closed)(void *ctx);
	void                   *closed_ctx;
};

/* ---- http.c ---- */
void list_put(struct transfer_list *l, struct transfer *t);
void list_take(struct transfer_list *l, struct transfer *t);
void http_handle_closed(struct http_collector *c); /* one handle fewer */
void http_pump(struct http_collector *c);          /* starts what waits, while there is room */
void http_reap_later(struct http_collector *c);

void http_socket_ready(struct http_collector *c, curl_socket_t fd, int flags); /* of CURL_CSELECT_IN and its kin */

/* ---- http_socket.c ---- */
void http_sockets_begin(struct http_collector *c);             /* tells the multi handle */
void http_sockets_of(struct http_collector *c, CURL *easy);    /* tells a handle, which may make connections */
void http_sockets_end(struct http_collector *c);               /* when all connections are closed */

/* ---- http_transfer.c ---- */
/* Copies and checks what is asked for; on failure the transfer is as empty. */
enum err transfer_init(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *a, struct why *why);
/* The same for smtp and smtps. */
enum err transfer_init_mail(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *a, struct why *why);
void     transfer_release(struct transfer *t);
/* Queues it; `done` is called from the loop, never from here. */
void     transfer_start(struct transfer *t);
void     transfer_cancel(struct transfer *t); /* `done` is not called any more */
/* Gives it to curl. False: it has failed already, and `result` says how. */
bool     transfer_begin(struct transfer *t);
/* Curl has done with it: judges the result, gives back what was lent but the body. */
void     transfer_end(struct transfer *t, CURLcode code);
void     transfer_drop_body(struct transfer *t);

/* ---- http_peer.c ---- */
/* The server of that name ("host:port"), with a reference more; NULL for want of memory. */
struct peer *peer_ref(struct http_collector *c, const char *name);
/* The last reference closes the connections. No handle may have the share then. NULL is fine. */
void         peer_unref(struct http_collector *c, struct peer *p);
CURLSH      *peer_share(const struct peer *p);

/* ---- http_tls.c ---- */
void tls_set(struct transfer *t, CURL *easy);
/* Takes note of the certificate of a transfer that has ended. */
void tls_keep_certificate(struct transfer *t);
/* When it ends, of a line that curl has of it: milliseconds since 1970; 0: it is another line, or cannot be read. */
int64_t tls_expiry_of(const char *line);
/* Whether a transfer that ended with `code` failed of TLS; and the sentence that says of what. */
bool tls_is_failure(const struct transfer *t, CURLcode code);
void tls_explain(const struct transfer *t, CURLcode code, struct buf *to);

/* ---- http_url.c ---- */
enum err url_split(struct transfer *t, const char *url, const char *server_name, struct why *why);
enum err url_split_mail(struct transfer *t, const char *url, struct why *why);

/* ---- http_get.c ---- */
/* With its transfer initialised by `init` (transfer_init, transfer_init_mail), not started. */
enum err    get_new(struct http_collector *c,
                    enum err (*init)(struct transfer *t, struct http_collector *c, const char *url, const struct http_access *access, struct why *why), const char *url,
                    const struct http_access *access, void (*done)(void *ctx, const struct http_answer *a), void *ctx, struct get **out, struct why *why);
struct get *get_of(struct transfer *t);
/* Queues it. */
void        get_start(struct get *g, struct http_collector *c, int64_t timeout_ms, size_t body_max, void (*on_transfer)(struct transfer *t));
/* Calls back and frees it. */
void        get_end(struct get *g, const char *text);
void        get_drop(struct get *g);    /* one that was not started */
void        get_free(struct get *g);    /* one whose transfer rests */

/* ---- http_target.c, http_get.c ---- */
void http_targets_close(struct http_collector *c);
void http_gets_close(struct http_collector *c);

#endif
