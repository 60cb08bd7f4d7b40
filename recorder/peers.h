/* SPDX-License-Identifier: Apache-2.0
 *
 * The clients of a fleet's Alertmanagers on the recorder's loop: what is to be told to each, what each was seen to have, and what each is to be asked for.
 * What any of it means is the desk's business (recorder/desk.h). Private to recorder/alerting.c.
 *
 * Threads: everything on the loop's thread. Nothing waits. */
#ifndef PITWALL_RECORDER_PEERS_H
#define PITWALL_RECORDER_PEERS_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/fleet.h"
#include "recorder/desk.h"

#include <stddef.h>

struct peers;

struct peers_options {
	struct loop        *loop;    /* lent, as all here */
	const struct clock *clock;
	const struct fleet *fleet;   /* until `closed` */
	const char         *version;
	/* Something that people are to know. */
	void              (*told)(void *ctx, enum severity severity, const char *text);
	void               *ctx;
};

/* A client that cannot be made is told of, and left out. ERR_MEMORY. */
enum err peers_new(const struct peers_options *o, struct peers **out, struct why *why);
/* `closed` comes once, from the loop or before this returns; `told` no more. */
void     peers_close(struct peers *p, void (*closed)(void *ctx), void *ctx);

/* All that they are to know. ERR_MEMORY: some were not told. */
enum err peers_tell(struct peers *p, const struct desk_news *n, struct why *why);

/* What was seen since, the last of each; the caller's. NULL: nothing. */
struct desk_seen *peers_take(struct peers *p, size_t *n);

/* Asks for what is to be made and expired there, unless something else was asked for meanwhile: then it is found out anew. */
void peers_carry_out(struct peers *p, const struct desk_deed *deeds, size_t n);

/* Looks soon at what those have that are shown. */
void peers_look(struct peers *p);

#endif
