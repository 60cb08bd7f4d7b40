/* SPDX-License-Identifier: Apache-2.0
 *
 * The thinking half of alerting: one job at a time, on a worker. It holds the rule manager, the folder of requests and the memory of who was told what. What is to be
 * written is given back in pieces that each are one transaction. Private to recorder/alerting.c.
 *
 * Threads: a desk belongs to the job while one runs, to the loop otherwise. */
#ifndef PITWALL_RECORDER_DESK_H
#define PITWALL_RECORDER_DESK_H

#include "alerts/alertmanager.h"
#include "alerts/alertmanager_json.h"
#include "alerts/alertmanager_mirror.h"
#include "alerts/alertmanager_sync.h"
#include "alerts/manager.h"
#include "base/account.h"
#include "base/clock.h"
#include "base/err.h"
#include "config/fleet.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct desk;

enum err desk_new(const char *store_path, const struct clock *clock, struct desk **out, struct why *why);
void     desk_free(struct desk *d); /* NULL is fine */

/* A transaction. */
struct desk_piece {
	struct changes *changes;
	char            request[REQUEST_ID]; /* whose file goes once this is committed; "": none */
	bool            has_notifications;
};

/* What is to be told as an event. */
struct desk_word {
	enum severity severity;
	char         *text;
};

/* All that an Alertmanager is to know. Label sets are referenced. */
struct desk_news {
	struct am_push *alerts;
	size_t          n_alerts;
	struct am_ack  *acks;
	size_t          n_acks;
	const struct labels **acked; /* private: the sets that the acknowledgements point to */
	size_t          n_acked;
	char          **texts;       /* private: who and comment of each */
};

/* What somebody who may asks about redeploys and rollbacks: whoever runs them answers it, in the store, and only then its file goes. It is asked again after the recorder
 * has begun anew, where it was not answered. */
struct desk_deploy {
	struct request *request; /* owned */
	char            account[ACCOUNT_NAME];
};
/* Who asks. Lent by it. */
struct actor desk_deploy_actor(const struct desk_deploy *d);
/* What an Alertmanager had when it was asked. */
struct desk_seen {
	size_t            at;     /* which one of the fleet in use */
	struct am_answer *answer; /* referenced; NULL: it gave none, and `text` says why */
	char             *text;
};

/* What an Alertmanager is to be asked for: the steps AM_SYNC_CREATE and AM_SYNC_EXPIRE, while its serial is this. */
struct desk_deed {
	size_t         at;
	uint64_t       serial;
	struct am_sync sync;
};

struct desk_job {
	/* in */
	const struct fleet *use;       /* by this one from now on; NULL: as before. Lent until the next one is used or the desk freed */
	char              (*remove)[REQUEST_ID]; /* requests that are done and written down */
	size_t              n_remove;
	bool                is_last;   /* none follows: what is done is removed, and who has left is noted. All else waits for the next recorder */
	bool                wants_queue; /* rows that wait to be sent are to be read from the store */
	struct desk_seen   *seen;        /* the job's from now on; of the fleet that is in use, not of `use` */
	size_t              n_seen;
	/* out; owned by the job */
	struct desk_piece  *pieces;
	size_t              n_pieces, cap_pieces;
	struct desk_deploy *deploys;
	size_t              n_deploys, cap_deploys;
	struct alert_round  round;     /* lent by the desk; its changes are among the pieces */
	struct notification_row *queue;
	size_t              n_queue, cap_queue;
	struct desk_news   *news;      /* NULL: nothing new, or nobody wants to know */
	struct desk_deed   *deeds;     /* [n_seen] at the most */
	size_t              n_deeds;
	bool                wants_pull; /* what Alertmanagers have is to be looked at soon: silences were made or ended */
	struct desk_word   *words;
	size_t              n_words, cap_words;
	bool                has_used;  /* the fleet of before is not needed any more */
	enum err            err;       /* what kept the round from being made */
	struct why          why;
};

/* On a worker: changes the fleet, removes what is done, does what people ask, evaluates what is due. */
void desk_work(struct desk *d, struct desk_job *job);
/* Whether a job that is given nothing would have anything to do now. While no job runs, on any thread; it does not wait for the disk. */
bool desk_is_due(struct desk *d);
/* Frees what is still there of a job. */
void desk_job_release(struct desk_job *job);

#endif
