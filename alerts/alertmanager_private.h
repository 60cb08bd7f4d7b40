/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the client of an Alertmanager: requests and its clockwork (alertmanager.c), what it has (alertmanager_pull.c), what is sent (alertmanager_push.c), silences
 * (alertmanager_silence.c). */
#ifndef PITWALL_ALERTS_ALERTMANAGER_PRIVATE_H
#define PITWALL_ALERTS_ALERTMANAGER_PRIVATE_H

#include "alerts/alertmanager.h"
#include "base/arena.h"
#include "collectors/http.h"
#include "config/secret.h"

enum { AM_TEXT = 512, AM_RESOLVED_MS = 15 * 60 * 1000 };

/* An alert that was sent. */
struct am_sent {
	uint64_t       fingerprint;
	struct labels *labels, *annotations; /* references; annotations may be NULL */
	int64_t        starts_ms, ends_ms;   /* ends 0: it fires */
};

/* The acknowledgements, kept. */
struct am_acks {
	struct arena   arena;
	struct am_ack *items;
	size_t         n;
	struct labels **labels; /* all of them, referenced */
	size_t         n_labels;
};

struct am_silence_op;

struct alertmanager {
	struct am_options      o;
	char                  *fleet, *external_url, *version;
	struct http_collector *http;
	struct loop_timer     *timer;
	int64_t                pull_due_ms, push_due_ms, fetch_due_ms; /* monotonic */

	struct secret          secret, fetched;
	enum err               fetched_err;
	struct why             fetched_why, secret_why;
	bool                   is_fetching, has_fetched;

	struct am_sent        *sent; /* by fingerprint */
	size_t                 n_sent;
	enum err               sent_err;   /* as it was told */
	size_t                 n_posting;  /* requests in flight */
	enum err               post_err;   /* of this round */
	char                   post_text[AM_TEXT];

	struct am_acks         acks;
	struct am_answer      *answer;     /* as last pulled; NULL: nothing yet */
	bool                   is_pulling, is_parsing;
	struct buf             alerts_text, silences_text; /* of the answers that are being taken */
	struct am_answer      *parsed;     /* the worker's */
	enum err               parsed_err;
	struct why             parsed_why;
	uint64_t               serial, asked_serial; /* asked: when its silences were asked for */
	bool                   asked_busy;
	size_t                 n_mirroring;
	char                   mirror_text[AM_TEXT]; /* what failed in the last round of it; "" nothing */
	bool                   has_acks;   /* it was told which hold: nothing is expired before */
	struct am_silence_op  *ops;

	bool                   is_closing, http_is_closed;
	void                 (*closed)(void *ctx);
	void                  *closed_ctx;
};

/* alertmanager.c: a request to URL/api/v2PATH. `body` NULL: none. */
enum err am_request(struct alertmanager *a, const char *method, const char *path, const struct buf *body, void (*done)(void *ctx, const struct http_answer *an),
                    void *ctx, struct why *why);
/* What an answer means, apart from FETCH_OK. */
enum err am_error_of(const struct http_answer *an);
int64_t  am_now_ms(const struct alertmanager *a); /* monotonic */

/* alertmanager.c: after a work of its own has ended. */
void am_free_when_done(struct alertmanager *a);

/* alertmanager_pull.c */
void am_pull(struct alertmanager *a);
void am_pull_release(struct alertmanager *a);

/* alertmanager_push.c */
void am_push_round(struct alertmanager *a);
bool am_has_sent(const struct alertmanager *a, uint64_t fingerprint);
void am_push_release(struct alertmanager *a);

/* alertmanager_silence.c */
void am_mirror_round(struct alertmanager *a); /* after silences came */
void am_silence_release(struct alertmanager *a);

#endif
