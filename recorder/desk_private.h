/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the desk share. */
#ifndef PITWALL_RECORDER_DESK_PRIVATE_H
#define PITWALL_RECORDER_DESK_PRIVATE_H

#include "alerts/alertmanager_seen.h"
#include "alerts/notify_plan.h"
#include "alerts/spool.h"
#include "recorder/desk.h"

enum {
	ROUND_MAX_MS = 10 * 1000, ROUND_RETRY_MS = 1000,
	TELL_MS      = 2 * 1000, /* what is to be told is looked at this often though nothing changed */
	CONSOLES_MAX = 500,
	PRUNE_MS = 60 * 1000,       /* what is older than it is to be kept goes a batch at a time, this often */
	PRUNE_PAUSE_MS = 600 * 1000, /* after the clock jumped ahead: what is old by a wrong clock alone may be known to be by then */
};

/* A console that said that it is there. */
struct desk_console {
	char    id[REQUEST_ID];
	int64_t since_ms, seen_ms;
};

/* An Alertmanager that is shown, or was. */
struct desk_peer {
	struct am_seen         *seen;
	char                   *text;  /* of its state, as it was written */
	enum alertmanager_state state; /* ALERTMANAGER_GONE: it was not asked yet, or is not asked any more */
};

struct desk {
	const struct clock     *clock;
	char                   *store_path;
	const struct fleet     *fleet;
	struct alert_manager   *manager;
	struct reader          *reader;
	struct spool           *spool;      /* NULL: it cannot be used (yet) */
	int64_t                 spool_retry_ms, next_round_ms, last_ms, tell_ms, prune_ms;
	uint32_t                store_owner;
	bool                    has_told_spool, is_restored, has_changed;
	struct desk_console    *consoles;
	size_t                  n_consoles;
	struct notify_plan     *plan;       /* NULL: not made yet, or nobody */
	struct notify_receiver *receivers;  /* the plan's */
	struct desk_peer       *peers;
	size_t                  n_peers;
	int64_t                 last_external;
	bool                    has_peers;  /* they are as the fleet in use has them */
};

void               desk_say(struct desk_job *job, enum severity severity, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum err           desk_need_reader(struct desk *d, struct why *why);
struct desk_piece *desk_piece_add(struct desk_job *job, struct why *why); /* with empty changes; NULL: no memory */

/* desk_requests.c: what people ask. */
void desk_take_requests(struct desk *d, struct desk_job *job, int64_t now_ms);
/* Only of those who are there or have left; their files go at once, since they tell of now alone. */
void desk_take_leaving(struct desk *d, struct desk_job *job, int64_t now_ms);

/* desk_tell.c: what is to be told to others. */
void desk_tell_unload(struct desk *d);
bool desk_tell_is_due(const struct desk *d, int64_t now_ms);
void desk_tell_step(struct desk *d, struct desk_job *job, int64_t now_ms);

/* desk_peers.c: what Alertmanagers have. After the manager's first round. */
void desk_peers_unload(struct desk *d);
void desk_peers_step(struct desk *d, struct desk_job *job, int64_t now_ms);

/* desk_news.c: what Alertmanagers are to know. NULL for want of memory. */
struct desk_news *desk_news_new(const struct alerts_now *now);
void              desk_news_free(struct desk_news *n); /* NULL is fine */

#endif
