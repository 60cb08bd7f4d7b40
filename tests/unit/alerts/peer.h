/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers on loopback that are told of alerts, and misbehave on demand; one thread listens, one more a connection. Over HTTP what it does hangs on the path:
 * /ok, /status/N, /fail/N (500 for the first N requests, then 200), /reset/N (the connection is torn down for the first N), /later (429 with
 * Retry-After: 1 once, then 200), /hang (no answer). Over SMTP it takes mail, unless told otherwise. */
#ifndef PITWALL_TESTS_PEER_H
#define PITWALL_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct peer;

struct smtp_manners {
	int         fail_first;  /* so many connections are greeted with 421 */
	const char *rcpt_reply;  /* to RCPT, instead of 250; NULL */
	bool        knows_auth;  /* offers AUTH PLAIN and LOGIN, and demands it */
};

struct peer *peer_http_start(void);
struct peer *peer_smtp_start(const struct smtp_manners *m);
void         peer_stop(struct peer *p); /* ends all connections and waits for the threads; NULL is fine */
int          peer_port(const struct peer *p);

/* Requests (mails) that were taken so far, and those of a path. */
size_t peer_count(struct peer *p);
/* The head and the body of request i, copied into `to` as text; "" where there is none. */
void   peer_request(struct peer *p, size_t i, char *to, size_t size);

#endif
