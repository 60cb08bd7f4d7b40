/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine collector: what machines say over a shell, at their own intervals, as scrapes like those of a server. One shell a machine is started
 * and stays (collectors/gather.h); an interval is one line to it and one answer. The machine may be this one or one that SSH reaches.
 *
 * Each machine has a place in its interval, as HTTP targets have. One gather at a time: one that comes due before the one before has ended is
 * skipped and counted. A machine that hangs costs the others nothing.
 *
 * Threads: everything on the loop's thread. Nothing blocks. */
#ifndef PITWALL_COLLECTORS_MACHINE_H
#define PITWALL_COLLECTORS_MACHINE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collectors/exposition.h"
#include "collectors/findings.h"
#include "collectors/gather.h"
#include "collectors/ssh.h"
#include "collectors/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine_collector;
struct machine;

struct machine_collector_options {
	struct loop               *loop;  /* lent, like all here */
	const struct clock        *clock; /* its wall time stamps the scrapes */
	const char                *ssh_config;  /* NULL: the user's and the system's */
	const char                *control_dir; /* see ssh.h */
	const struct source *const *sources;    /* NULL: all */
	size_t                     n_sources;
	void                     (*progress)(void *ctx, const struct ssh_progress *p); /* of SSH; may be NULL */
	void                      *progress_ctx;
};
enum err machine_collector_new(const struct machine_collector_options *o, struct machine_collector **out, struct why *why);

/* Ends everything: no callback comes any more but `closed`, from the loop, after which nothing of the collector is left. */
void machine_collector_close(struct machine_collector *c, void (*closed)(void *ctx), void *ctx);

/* One gather that has ended. Lent for the call. */
struct machine_scrape {
	struct machine      *machine;
	int64_t              wall_ms;    /* when it was begun */
	double               seconds;    /* how long it took, the beginning of the connection in it where there was none */
	enum reach           result;
	const char          *text;       /* a sentence that is safe to show; "" for REACH_OK */
	size_t               body_bytes; /* that came */
	const struct scrape *scrape;     /* NULL unless REACH_OK */
	const struct findings *findings; /* its events; NULL likewise */
	const struct gather *gather;     /* the sources and what is wrong with them */
	uint64_t             skipped;    /* gathers skipped so far, because one overran */
};

struct machine_options {
	const char     *name;        /* what its place in the interval comes from; copied, like all texts */
	const char     *destination; /* of SSH; NULL: this machine */
	const char     *user;        /* NULL: as configured */
	int             port;        /* 0: as configured */
	enum ssh_mode   mode;
	int64_t         interval_ms; /* 1000 at least, but for tests: 10 */
	/* Of a gather over a shell that is there. A source is given as much, but 2 s to 5 s, and the gather at least 3 s more than that: one tool that
	 * hangs, as nvidia-smi does over a dead driver, must not make the machine one that does not answer. */
	int64_t         timeout_ms;
	int64_t         connect_timeout_ms; /* what a gather that has to connect first has more; 0: 30 s. SSH's own limits are shorter, and say more */
	size_t          max_series;  /* kept of a gather (exposition_limit); 0: all */
	const struct source_settings *settings; /* lent for the machine's life; NULL: none */
	void          (*done)(void *ctx, const struct machine_scrape *s); /* may remove the machine */
	void           *ctx;
};
/* With `now` a gather comes at once, besides. */
enum err machine_add(struct machine_collector *c, const struct machine_options *o, bool now, struct machine **out, struct why *why);

/* No callback for it comes any more. The pointer is gone. */
void machine_remove(struct machine *m);

struct machine_stats {
	size_t   machines, asking;  /* now; of them, with a gather under way */
	uint64_t gathers, skipped, shells;
};
struct machine_stats machine_stats(const struct machine_collector *c);
struct ssh_stats     machine_ssh_stats(const struct machine_collector *c);

#endif
