/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock that a run holds on what it changes, so that somebody with another store is told who acts. It is advice among pitwalls, and keeps nobody else away. On machines it is a folder, which mkdir
 * makes or does not, with a file that says whose it is and one that says when it was heard of last (docs/decisions/0024-locks-on-machines.md has what may go wrong):
 *
 *     FOLDER/.pitwall-lock-MODEL-HASH/owner   lines: key of the run, who, on which host, what, since (seconds)
 *     FOLDER/.pitwall-lock-MODEL-HASH/beat    seconds
 *
 * Times are the machine's own clock: no other is compared with it. A driver may have another way (struct lock_way): `kubernetes` has a Lease. Either is a conversation (struct locking) that some asks
 * and their answers make. Text alone, as drivers': what is asked and what was answered.
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
	LOCK_TOLD     = 512,        /* of a text that another wrote */
	LOCK_VERSION  = 257,
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

/* What a lock says of its holder, in another's words; cut and made safe by lock_tell. Times in seconds; 0: not known. */
struct lock_told {
	char    state[16], key[LOCK_KEY], who[LOCK_TOLD], host[LOCK_TOLD], what[LOCK_TOLD], text[LOCK_TOLD];
	int64_t since_s, age_s;
};
/* Copies what fits, safe to show. */
void lock_take_text(char *to, size_t size, int width, const char *value);
/* Of HELD and STALE: the sentence, and whose it is. */
void lock_tell(const struct lock_told *t, enum lock_state state, struct lock_seen *out);
/* What may be written into a lock: in the arena, one short line. */
const char *lock_plain(struct arena *a, const char *text);

/* ---- conversations ---- */

enum lock_wish {
	LOCK_LOOKS,      /* changes nothing */
	LOCK_TAKES,      /* or renews what is ours; takes a stale one over where it is that of `takes`. May be had twice */
	LOCK_GIVES_BACK, /* where it is ours. May be had twice */
};

struct locking {
	/* given */
	const struct driver   *driver;
	const struct settings *settings;
	const struct unit     *unit;
	enum lock_wish         wish;
	const char            *path;   /* of lock_place */
	struct lock_holder     holder; /* of LOCK_LOOKS its texts are "" */
	const char            *takes;  /* the key of the stale lock that a person was told of; "": none */
	int64_t                now_ms; /* wall */
	struct arena          *arena;  /* for the asks: may be another one each turn */
	const struct answer   *last;   /* NULL in the first turn, and after a wait */
	/* between turns; zero at the beginning */
	int                    at, tries;
	bool                   was_refused;
	char                   version[LOCK_VERSION];
	/* taken */
	struct ask             next;
	int64_t                wait_ms;
	struct lock_seen       seen;   /* of LOOK_DONE; of LOCK_GIVES_BACK it says nothing */
};
/* LOOK_ASK, LOOK_WAIT or LOOK_DONE. */
enum look_turn lock_turn(struct locking *l);

/* A driver's own way. */
struct lock_way {
	const char    *(*place)(struct arena *a, const struct settings *s); /* for people, and what a plan knows it by */
	enum look_turn (*turn)(struct locking *l);
};

/* It can be locked: by the driver's own way (NULL: it has none), or since commands run there. */
bool        lock_is_possible(const struct driver *d, const struct unit *u);
/* What the lock of this model is called; on machines its path, which is the same for all stores that call the model so. */
const char *lock_place(struct arena *a, const struct driver *d, const struct settings *s, const char *folder, const char *model);

/* ---- on machines ---- */

const char *lock_path(struct arena *a, const char *folder, const char *model);
void        lock_ask_look(struct arena *a, const char *path, struct ask *to);
void        lock_ask_take(struct arena *a, const char *path, const struct lock_holder *h, const char *takes, struct ask *to);
void        lock_ask_free(struct arena *a, const char *path, const char *key, struct ask *to);
/* Of a look or take. Whatever the machine says, `out` is one of the above. */
void        lock_read(const struct answer *answer, struct lock_seen *out);

#endif
