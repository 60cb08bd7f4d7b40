/* SPDX-License-Identifier: Apache-2.0
 *
 * How it goes with the log that is followed (collectors/log_follow.h), for who shows it. */
#ifndef PITWALL_COLLECTORS_LOG_STATUS_H
#define PITWALL_COLLECTORS_LOG_STATUS_H

#include "collectors/log_list.h"
#include "collectors/log_ring.h"
#include "collectors/reach.h"

#include <stdbool.h>
#include <stdint.h>

enum log_state {
	LOG_CONNECTING, /* the machine was asked and has not begun to answer */
	LOG_LISTING,    /* it says what there is */
	LOG_LISTED,     /* the list is whole, and nothing is followed */
	LOG_FOLLOWING,
	LOG_WAITING,    /* it ended; tried again in retry_ms */
	LOG_ENDED,      /* it ended, and is tried again by hand only */
};

/* Lent until the loop's next turn or the next call. */
struct log_status {
	enum log_state         state;
	bool                   is_list;  /* of the listing; else of the log `key` */
	const char            *key;
	enum reach             reach;    /* why it ended; REACH_OK: the command ended by itself */
	const char            *text;     /* of that a sentence that is safe to show; "" */
	int64_t                retry_ms; /* until it is tried again */
	double                 rate;     /* lines a second, of late */
	const struct log_list *list;
	const struct log_ring *ring;
};

#endif
