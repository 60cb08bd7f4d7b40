/* SPDX-License-Identifier: Apache-2.0
 *
 * Acknowledgements as short silences of an Alertmanager: what has to be done there so that what is acknowledged here is silenced there, and nothing else.
 * Pure, and without a memory: it looks at the silences that are there, and knows its own by their comments ("ACK! COMMENT [pitwall NAME]"), so a restart
 * neither doubles nor forgets one.
 *
 * Each alert of an acknowledgement has one silence, whose matchers are all its labels, so that no alert that comes later is hidden by it.
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_ALERTMANAGER_MIRROR_H
#define PITWALL_ALERTS_ALERTMANAGER_MIRROR_H

#include "alerts/alertmanager_json.h"

#include <stdint.h>

struct am_ack {
	const char                 *who, *comment;
	int64_t                     until_ms; /* 0: until it is over */
	const struct labels *const *alerts;   /* those that fire */
	size_t                      n;
};

enum am_mirror_act { AM_MIRROR_CREATE, AM_MIRROR_RENEW, AM_MIRROR_EXPIRE };
struct am_mirror_step {
	enum am_mirror_act    act;
	struct am_silence_put put; /* of CREATE and RENEW */
	const char           *id;  /* of EXPIRE */
};

/* What has to be done at `now_ms`. A silence lasts `duration_ms` and is renewed when half of that is over. `name` tells the silences of several pitwalls
 * apart. Steps are lent for the call. Fails as `fn` does, or for want of memory. */
enum err am_mirror_plan(const struct am_ack *acks, size_t n_acks, const struct am_silences *silences, int64_t now_ms, int64_t duration_ms, const char *name,
                        enum err (*fn)(void *ctx, const struct am_mirror_step *s), void *ctx, struct why *why);

/* Whether such a silence is one of ours: then it is no acknowledgement of someone else's. */
bool am_is_mirrored(const struct am_silence *s, const char *name);

#endif
