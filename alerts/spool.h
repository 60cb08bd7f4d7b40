/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder STORE-requests/ beside a store, through which what people ask reaches the recorder. A request is a file, written whole before it gets its
 * name; its owner is who asks, since the system vouches for that. The recorder makes the folder and is alone in reading it; it does what is asked, notes that
 * in the store in the same transaction, and only then removes the file: a kill in between does nothing twice.
 *
 * The folder's mode follows that of the store's own folder: 0700 where that is private; 03730 and its group where it is a team's (its group may enter and the setgid bit
 * is set, as `pitwall store setup` makes it), so that members can leave requests, and neither list, change nor remove those of others; 02770 where the
 * group may write the store itself.
 *
 * The members of the group are not trusted: whatever else they leave there (links, pipes, folders, large files, thousands of them) costs a round a bounded
 * time, never keeps the requests of others from being read, and is removed where that is possible.
 *
 * Threads: none; a struct spool belongs to one thread at a time. All calls but spool_has_news block on the disk: not on a loop. */
#ifndef PITWALL_ALERTS_SPOOL_H
#define PITWALL_ALERTS_SPOOL_H

#include "alerts/request.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The folder's path, behind links in the store's path, so that all who share a store meet there. The store need not be there. */
enum err spool_path(const char *store, struct buf *to, struct why *why);

/* ---- whoever asks ---- */

/* The one gate: every request of a console or a command goes this way. */
struct spool_way {
	const char *store;   /* its path */
	const char *refusal; /* NULL, or why nothing can be asked for here: "this is a replay", "--read-only was given" */
};

/* Leaves a request. Once this returns ERR_OK a crash of the machine does not lose it. ERR_READ_ONLY: refused at the gate; ERR_DENIED: not one of the
 * store's group; ERR_NOT_FOUND: there is no store, or nobody has recorded it since requests are taken; and as request_check has it. */
enum err spool_put(const struct spool_way *w, const struct request *r, struct why *why);

/* Whether it was left and is not done yet. */
bool spool_is_waiting(const char *store, const char *id);

/* ---- the recorder ---- */

enum {
	SPOOL_NAMES_MAX  = 2048, /* names looked at in one round; the next goes on where it ended */
	SPOOL_ROUND_MAX  = 500,  /* requests given in one round, of one user at most SPOOL_USER_ROUND_MAX; the others have to wait */
	SPOOL_USER_ROUND_MAX = 100,
	SPOOL_USER_MAX   = 1000, /* files of one user in one round; what is more is removed */
	SPOOL_TOLD_MAX   = 8,    /* sentences in one round */
	SPOOL_UNFINISHED_MS = 3600 * 1000, /* a file whose writer died is removed after that */
};

struct spool;

/* Makes the folder where it is missing and gives it the mode that it is to have. ERR_DENIED: it belongs to another user; ERR_UNSUPPORTED: it is no folder. */
enum err spool_open(const char *store, struct spool **out, struct why *why);
void     spool_close(struct spool *s); /* NULL is fine; removes nothing */

/* Lent for the call. */
struct spool_item {
	const char           *id;
	uint32_t              uid;     /* who asks */
	const struct request *request; /* NULL: it could not be read, and the next two say why; whoever asked is to be told */
	enum err              err;
	const char           *text;
};

struct spool_calls {
	/* Each request, oldest name first. It is given once, until spool_again or a new spool_open. Anything but ERR_OK ends the round, which returns that; this one is
	 * then given again. */
	enum err (*request)(void *ctx, const struct spool_item *item);
	void     (*told)(void *ctx, const char *sentence); /* of what was removed; may be NULL */
	void     *ctx;
};
enum err spool_round(struct spool *s, const struct spool_calls *calls, struct why *why);

/* Whether a round is worth while: something came since the last one, or was left by it, or that was a second ago. Does not wait for the disk: fine on a loop. */
bool spool_has_news(struct spool *s);

/* It is done, and written down: its file goes. One that is gone already is fine. */
enum err spool_remove(struct spool *s, const char *id, struct why *why);
/* It could not be done now: the next round gives it again. */
void     spool_again(struct spool *s, const char *id);

#endif
