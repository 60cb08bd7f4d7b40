/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock that a run holds on the machines that it changes, so that somebody with another store is told who acts: a folder, which mkdir makes or does not, with a file that says whose it is
 * and one that says when it was heard of last. It is advice among pitwalls, and keeps nobody else away. docs/decisions/0024-locks-on-machines.md has what may go wrong.
 *
 *     FOLDER/.pitwall-lock-MODEL-HASH/owner   lines: key of the run, who, on which host, what, since (seconds)
 *     FOLDER/.pitwall-lock-MODEL-HASH/beat    seconds
 *
 * Times are the machine's own clock: no other is compared with it. Text alone, as drivers': what is asked and what was answered.
 *
 * Threads: any one; nothing blocks. */
#ifndef PITWALL_DEPLOY_LOCK_H
#define PITWALL_DEPLOY_LOCK_H

#include "base/arena.h"
#include "deploy/ask.h"
#include "deploy/driver.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LOCK_BEAT_MS  = 45 * 1000,  /* it is renewed so often */
	LOCK_STALE_MS = 180 * 1000, /* whoever was not heard of for so long is gone */
	LOCK_ASK_MS   = 20 * 1000,
	LOCK_KEY      = 64,         /* bytes with the NUL */
	LOCK_TEXT     = 1024,
};

enum lock_state {
	LOCK_UNKNOWN, /* no answer, or none that can be understood: `text` says why */
	LOCK_FREE,    /* nobody has it */
	LOCK_TAKEN,   /* it is ours from now on */
	LOCK_KEPT,    /* it was ours before */
	LOCK_HELD,    /* another run has it, which was heard of lately */
	LOCK_STALE,   /* likewise, and was not: its recorder died, or sees this machine no longer */
	LOCK_CANNOT,  /* there can be none: the folder is not there, cannot be written to, ... */
};
struct lock_seen {
	enum lock_state state;
	char            key[LOCK_KEY];   /* of HELD and STALE: whose; "-": nobody's name stands there */
	char            text[LOCK_TEXT]; /* of HELD, STALE, CANNOT, UNKNOWN: a sentence, safe to show */
};

struct lock_holder {
	const char *key;  /* of the run: [A-Za-z0-9-] */
	const char *who, *host, *what; /* for people */
};

/* What a holder does, of a plan: its kind, scope and version. */
#define LOCK_WHAT       "%s of %.80s to %.80s"
#define LOCK_TO_NOTHING "what each one runs" /* the version of a plan without one */

/* It can be locked: commands run there. */
bool lock_is_possible(const struct unit *u);
/* The lock's path for this model, which is the same for all stores that call the model so. */
const char *lock_path(struct arena *a, const char *folder, const char *model);

/* Changes nothing. */
void lock_ask_look(struct arena *a, const char *path, struct ask *to);
/* Takes it, or renews what is ours; takes a stale one over where it is that of `takes` ("": none). May be taken twice. */
void lock_ask_take(struct arena *a, const char *path, const struct lock_holder *h, const char *takes, struct ask *to);
/* Gives it back where it is ours. May be taken twice. */
void lock_ask_free(struct arena *a, const char *path, const char *key, struct ask *to);

/* Of a look or take. Whatever the machine says, `out` is one of the above. */
void lock_read(const struct answer *answer, struct lock_seen *out);

#endif
