/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of one Alertmanager (API v2). What is to be there it is told as a whole - our alerts, the acknowledgements that hold - and it sees to it: alerts
 * are sent when they change and each minute besides, so that what we no longer say ends there by itself; ends are sent for 15 minutes; acknowledgements are
 * short silences that are renewed. What Alertmanager has, its alerts and silences, is asked for each `pull_ms` and told to whoever wants to see it.
 *
 * Threads: everything on the loop's thread, callbacks too. Nothing blocks; a secret is fetched on a worker, and again each minute, and
 * answers are read on one. */
#ifndef PITWALL_ALERTS_ALERTMANAGER_H
#define PITWALL_ALERTS_ALERTMANAGER_H

#include "alerts/alertmanager_json.h"
#include "alerts/alertmanager_mirror.h"
#include "base/clock.h"
#include "base/loop.h"
#include "config/receivers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alertmanager;

/* What it had at one moment. Never changed once it was told, and shared by counting references, from any thread. */
struct am_answer {
	atomic_uint        refs;
	struct am_alerts   alerts;     /* none where they are not asked for */
	struct am_silences silences;
	uint64_t           serial;     /* alertmanager_serial when the silences were asked for */
	bool               is_settled; /* since then no silence was made, changed or expired through the client, nor was under way */
};
struct am_answer *am_answer_ref(struct am_answer *n);
void              am_answer_unref(struct am_answer *n); /* NULL is fine */

/* What it has. Lent for the call; labels may be referenced. */
struct am_view {
	const struct fleet_alertmanager *of;
	enum err                         err;  /* ERR_OK, or why the last question got no answer */
	const char                      *text; /* the sentence, safe to show; "" */
	int64_t                          at_ms;
	const struct am_alert           *alerts; /* with ERR_OK */
	size_t                           n_alerts;
	const struct am_silence         *silences;
	size_t                           n_silences;
	struct am_answer                *answer;      /* all of it, to be referenced; NULL without ERR_OK */
	const char                      *mirror_text; /* what of the mirror failed when it was last seen to; "" */
};

struct am_options {
	struct loop                     *loop;
	const struct clock              *clock;
	const struct fleet_alertmanager *to;   /* lent until `closed` */
	const char                      *fleet, *external_url, *version; /* copied; NULL: "" */
	int64_t                          interval_ms; /* of the rules: what is sent lasts four of them, or four minutes */
	int64_t                          pull_ms, push_ms; /* 0: 15 s, 1 min */
	void                           (*pulled)(void *ctx, const struct am_view *v); /* may be NULL */
	/* Sending failed, or works again (ERR_OK): told when that changes. May be NULL. */
	void                           (*sent)(void *ctx, enum err e, const char *text);
	void                            *ctx;
};

enum err alertmanager_new(const struct am_options *o, struct alertmanager **out, struct why *why);
/* No callback comes any more but `closed`, from the loop. What was sent or silenced ends there by itself. */
void     alertmanager_close(struct alertmanager *a, void (*closed)(void *ctx), void *ctx);

/* All alerts that fire, and those that were over a short while ago; ends_ms 0: it fires. One that was there before and is missing is over now. Labels
 * are referenced. Does nothing where the fleet file has `send: false`. ERR_MEMORY: it stays as it was. */
enum err alertmanager_set_alerts(struct alertmanager *a, const struct am_push *alerts, size_t n, struct why *why);

/* All acknowledgements that hold; copied. Does nothing where the fleet file has no `mirror_acks`. ERR_MEMORY: they stay as they were. */
enum err alertmanager_set_acks(struct alertmanager *a, const struct am_ack *acks, size_t n, struct why *why);

/* Makes a silence, or (with an id) changes it: then it is asked for first and keeps its beginning where it has begun, since Alertmanager makes another of it
 * otherwise. `done` comes once unless the client is closed before, with the id that it has now, which may be another. Texts are copied. ERR_FORMAT: that is
 * no id. */
typedef void (*am_silence_done)(void *ctx, enum err e, const char *id, const char *text);
enum err alertmanager_silence(struct alertmanager *a, const struct am_silence_put *s, am_silence_done done, void *ctx, struct why *why);
enum err alertmanager_expire(struct alertmanager *a, const char *id, am_silence_done done, void *ctx, struct why *why);

/* Another number whenever one of the two before begins and ends: what an answer says of silences is the truth while it has the answer's. */
uint64_t alertmanager_serial(const struct alertmanager *a);

/* Asks for its alerts and silences at once. */
void alertmanager_pull_now(struct alertmanager *a);

#endif
