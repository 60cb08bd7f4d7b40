/* SPDX-License-Identifier: Apache-2.0
 *
 * All that a machine's sources (collectors/source.h) have to say, in one round trip an interval. A shell is started on the machine once and stays;
 * an interval costs it one line of some 40 bytes and no new channel, log-in or start of a shell:
 *
 *     us                                      the machine
 *     gather_command(), once a connection ->  the login shell becomes a sh that reads a program from its standard input
 *     gather_request()                    ->  [the program, the first time] NONCE machine=clock host filesystem~123.456=x
 *     gather_feed()                       <-  a frame a section, and a last line
 *
 * Pure: no sockets, no processes; the transport carries the bytes. The program ends when its standard input does.
 *
 * A frame. Every line of ours begins with "@@pitwall NONCE ", is led by a newline of its own (a text may lack its last), and the nonce is new
 * in each request and known to the shell alone: no tool can say such a line but by guessing 64 bits. What stands outside of sections (banners,
 * messages of a login shell) is skipped.
 *
 *     begin NAME PID START UPTIME   what follows is the section's text, standard error included
 *     status N UPTIME               the text is over: the section's script ended with N. Missing where it was cut or did not end
 *     end N                         the section is over; N is of what bounds it: 124 is the clock
 *     busy NAME                     not run: the last run of it still lives
 *     done                          the gather is over
 *
 * What hangs. A section is given `section_timeout_ms`; within it, "bounded CMD..." runs a command under timeout(1) for a second less (GNU's and
 * both of BusyBox's forms; a plain run where there is none). A tool that not even SIGKILL ends, as nvidia-smi over a dead driver, is left
 * behind with what it said: the gather goes on without it, and the section is not run again as long as that process lives, not over a new
 * connection either (what PID.START is for).
 *
 * Threads: none; nothing blocks; one machine's gather belongs to one thread. */
#ifndef PITWALL_COLLECTORS_GATHER_H
#define PITWALL_COLLECTORS_GATHER_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "collectors/findings.h"
#include "collectors/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GATHER_REQUEST_MAX = 256 * 1024,      /* bytes of a request, the program included */
	GATHER_OUTPUT_MAX  = 4 * 1024 * 1024, /* bytes that one gather may print, all in all */
	GATHER_NOISE_MAX   = 64 * 1024,       /* of these, outside of sections */
	GATHER_PART_MAX    = 1024 * 1024,     /* bytes of samples that one source may have */
	GATHER_SOURCES_MAX = 64,
};

struct gather; /* opaque: laid out in gather_private.h */

struct gather_options {
	const struct clock           *clock;    /* lent for as long as the gather lives, like all that is pointed to here */
	const struct source *const   *sources;  /* NULL: the registry, sources[] */
	size_t                        n_sources;
	const struct source_settings *settings; /* NULL: none */
	int64_t                       section_timeout_ms; /* 0: 5 s; 2 s to 10 minutes, whole seconds */
};

enum err gather_new(const struct gather_options *options, struct gather **out, struct why *why);
void     gather_free(struct gather *g); /* NULL is fine */

/* The command to start on the machine, a constant: sh, csh and fish read it alike. It is short, and the program comes through standard input, so
 * that neither its length nor what a settings file has in it shows in the machine's list of processes. */
const char *gather_command(void);

/* The connection is a new one: whatever was under way is given up, and the next request sends the program first. What the sources remember
 * stays (where a log was read to, ...), and so do the times at which they are due; those whose tool was absent are asked anew. */
void gather_reset(struct gather *g);

/* Appends the next request: the sections that are due. ERR_LATER: one is under way; ERR_LIMIT, ERR_MEMORY: `to` holds what it held, and nothing is
 * under way. What was found and looked at before is gone after it. */
enum err gather_request(struct gather *g, struct buf *to, struct why *why);

/* How long the gather under way may take if every section runs into its limit, without the network. */
int64_t gather_longest_ms(const struct gather *g);

enum gather_state {
	GATHER_MORE,   /* not over yet */
	GATHER_DONE,   /* gather_findings has it */
	GATHER_BROKEN, /* what comes cannot be understood, or is too much; `why` says so. The connection is of no more use */
};

/* What came from the machine, in any pieces. Bytes behind the end of a gather are dropped, within GATHER_NOISE_MAX. Asks nothing of the
 * transport's channel but its order; standard error may be mixed in. */
enum gather_state gather_feed(struct gather *g, const char *bytes, size_t n, struct why *why);

/* The machine closed the channel: says why as well as can be told, with the first line that it said outside of sections (made safe to be shown).
 * Returns ERR_NETWORK. */
enum err gather_closed(struct gather *g, struct why *why);

/* What is known after a gather: the page and the events. The page begins with pitwall_machine_info and the clock's offset, then comes what each
 * source said last, then pitwall_source_success and pitwall_source_duration_seconds. A source that is asked less often than every gather keeps its
 * samples in the page until it is asked again; those of one that failed, or that was asked and did not answer, are gone. Events are those since
 * they were last looked at. Lent until the next request, reset or free. */
const struct findings *gather_findings(struct gather *g);

enum gather_source_state {
	GATHER_SOURCE_UNASKED, /* or nothing is wanted of it */
	GATHER_SOURCE_GOOD,
	GATHER_SOURCE_ABSENT,  /* the machine has nothing of the kind; has no pitwall_source_* samples */
	GATHER_SOURCE_FAILED,
};

struct gather_source {
	const char              *name, *summary;
	enum gather_source_state state;
	const char              *reason;  /* why it failed or is absent, safe to be shown; else "" */
	double                   seconds; /* what it took the last time */
	int64_t                  asked_ms; /* monotonic; -1: never */
};

/* The sources, in order; the first is the machine itself. Texts are lent until the next feed. */
size_t               gather_source_count(const struct gather *g);
struct gather_source gather_source_at(const struct gather *g, size_t i);

#endif
