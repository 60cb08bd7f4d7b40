/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder whose console is gone, since its terminal was lost or somebody let go of it: whether it goes on, for how long, and what is told of that in
 * the events and the audit. It goes on as what it is: nothing about the recording or the runs changes.
 *
 * Threads: the recorder's loop. */
#ifndef PITWALL_RECORDER_ALONE_H
#define PITWALL_RECORDER_ALONE_H

#include "base/clock.h"
#include "config/fleet.h"
#include "store/alerts.h"

#include <stddef.h>

struct log;
struct store;
struct deploying;

enum departure_kind {
	DEPARTURE_LOST,      /* the terminal is gone; the fleet file says what is done then */
	DEPARTURE_LET_GO,    /* a person detached: what runs goes on */
	DEPARTURE_INTERRUPT, /* a person leaves, and wants what runs interrupted */
};
struct departure {
	enum departure_kind kind;
	struct actor        actor; /* who sat there; texts lent until the recorder is closed */
};

enum alone_state {
	ALONE_NOT,     /* a console is beside it, or nobody said otherwise */
	ALONE_GOES_ON, /* nobody is beside it, and it is wanted */
	ALONE_OVER,    /* it is not wanted (any more), and can be closed */
};

/* At the moment of the departure, with so many runs acting. Pure. */
enum alone_state alone_decide(enum fleet_hangup choice, enum departure_kind kind, size_t n_acting);

struct alone {
	struct store       *store;     /* lent, as all here */
	const struct clock *clock;
	struct log         *log;       /* may be NULL */
	struct deploying   *deploying; /* NULL: nothing can run */
	enum alone_state    state;
	bool                is_for_good; /* it goes on whatever runs */
};
/* The state is settled when it returns, and stays as it is where it was settled before. */
void alone_begin(struct alone *a, const struct departure *d, enum fleet_hangup choice);
/* Now and then: it is over when nothing acts any more. */
void alone_step(struct alone *a);

#endif
