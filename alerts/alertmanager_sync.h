/* SPDX-License-Identifier: Apache-2.0
 *
 * The silences of an Alertmanager and those that we have of it, brought together: what is to be written here, made there and expired there so that both are
 * the same. Pure, and without a memory: a silence of ours carries its id in its comment there ("COMMENT [pitwall silence ID]"), so that one that was made
 * just before a crash, or whose answer was lost, is found instead of made twice.
 *
 * What is ended here by a person is expired there; what is over there, or is not there any more, is over here. Acknowledgements that are mirrored from here
 * are passed over (alerts/alertmanager_mirror.h).
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_ALERTMANAGER_SYNC_H
#define PITWALL_ALERTS_ALERTMANAGER_SYNC_H

#include "alerts/alertmanager_json.h"
#include "store/alerts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AM_SYNC_SILENCES_MAX = 2000,      /* of one Alertmanager; what is more is left out, and counted */
	AM_SYNC_MATCHERS_MAX = 64 * 1024, /* bytes of the matchers of one; likewise */
	AM_SYNC_ASKS_MAX     = 50,        /* that are made and expired there at once; the rest comes next time */
};

struct am_sync_options {
	const char               *name;   /* the Alertmanager's */
	const char               *fleet;  /* as am_is_mirrored has it */
	const struct silence_row *rows;   /* ours, of any Alertmanager and of none; those of this one also after they were ended, until their time has come */
	size_t                    n_rows;
	const struct am_silences *there;
	bool                      is_settled; /* nothing was made or expired while it was asked: else nothing is asked for now */
	int64_t                   now_ms;
};

enum am_sync_act { AM_SYNC_WRITE, AM_SYNC_CREATE, AM_SYNC_EXPIRE };
struct am_sync_step {
	enum am_sync_act   act;
	struct silence_row row; /* of WRITE: as it is from now on. Of CREATE: what is to be made there. Of EXPIRE: what was ended */
	const char        *id;  /* of EXPIRE: its id there */
};

/* Texts are of the arena. */
struct am_sync {
	struct am_sync_step *steps; /* WRITE comes first */
	size_t               n, n_left_out;
	struct arena         arena;
};
enum err am_sync_plan(const struct am_sync_options *o, struct am_sync *out, struct why *why);
void     am_sync_release(struct am_sync *s);

/* The comment of a silence of ours there. */
enum err am_sync_put_comment(struct buf *to, const struct silence_row *s);

#endif
