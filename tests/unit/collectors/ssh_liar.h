/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on loopback that says what no SSH server should, a script to each connection; on the loop of the test, so that nothing of it runs beside
 * what it plays with. */
#ifndef PITWALL_TESTS_SSH_LIAR_H
#define PITWALL_TESTS_SSH_LIAR_H

#include "base/loop.h"

#include <stddef.h>
#include <stdint.h>

enum liar_part {
	LIAR_END,     /* close the connection */
	LIAR_WAIT,    /* say nothing more, but keep it */
	LIAR_TEXT,    /* these bytes */
	LIAR_KEXINIT, /* a good offer of ways to exchange keys */
	LIAR_PACKET,  /* a plain packet of this type, its body the text */
	LIAR_RANDOM,  /* n bytes by chance; the same ones each time */
	LIAR_DRIP,    /* the text, a byte every 20 ms, over and over again */
	LIAR_FLOOD,   /* the text over and over again, as fast as it is taken */
};
struct liar_step {
	enum liar_part what;
	const char    *text;
	size_t         n;    /* of the text; 0: up to its NUL */
	int            type; /* of a packet */
};

struct liar;
/* All connections are played the same steps, the last of which is LIAR_END, _WAIT, _DRIP or _FLOOD. Lent. */
struct liar *liar_new(struct loop *loop, const struct liar_step *steps);
int          liar_port(const struct liar *l);
uint64_t     liar_sent(const struct liar *l); /* bytes that were taken */
size_t       liar_open(const struct liar *l); /* connections that the other side has not closed */
void         liar_free(struct liar *l);       /* turns the loop until all is closed */

#endif
