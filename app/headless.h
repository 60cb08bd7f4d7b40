/* SPDX-License-Identifier: Apache-2.0
 *
 * A console without its terminal: what is left of it is the recorder, on its own thread as before, with the same lease and the same runs, and this, which listens to signals
 * and waits until the recorder is not wanted any more (recorder/alone.h).
 *
 * Threads: the loop's. */
#ifndef PITWALL_APP_HEADLESS_H
#define PITWALL_APP_HEADLESS_H

#include "base/loop.h"
#include "recorder/standby.h"

struct headless_options {
	struct loop     *loop;    /* lent, as all here */
	struct standby  *standby;
	struct departure departure;
	/* It is over: `signal_number` SIGTERM where that ended it, else 0; went_on: it was in the background for a while. From the loop, once; it is to be closed then. */
	void           (*over)(void *ctx, int signal_number, bool went_on);
	void            *ctx;
};

struct headless; /* opaque: laid out in headless.c */

/* Takes the signals over, so that none finds nobody: SIGTERM ends it, SIGHUP looks at the fleet's files as in `pitwall record`, and what a terminal's keys send does nothing. To be
 * made before the terminal is given back, and with it the handlers of its signals. ERR_LATER: nothing is recorded here. */
enum err headless_new(const struct headless_options *o, struct headless **out, struct why *why);
void     headless_close(struct headless *h); /* NULL is fine */

#endif
