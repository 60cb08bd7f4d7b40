/* SPDX-License-Identifier: Apache-2.0
 *
 * What gather.c (life, requests, results), gather_feed.c (frames) and gather_program.c (the shell's side) share. */
#ifndef PITWALL_COLLECTORS_GATHER_PRIVATE_H
#define PITWALL_COLLECTORS_GATHER_PRIVATE_H

#include "collectors/gather.h"
#include "collectors/source_machine.h"

enum { GATHER_NONCE_TEXT = 17, GATHER_ARGUMENT_MAX = 512 };

/* A source and what is known of it on this machine. */
struct gather_part {
	const struct source     *source;
	void                    *memory;
	struct buf               page;     /* its samples, as it said them last */
	enum gather_source_state state;
	char                     reason[256];
	double                   seconds;
	int64_t                  asked_ms; /* monotonic; -1: never */
	bool                     is_unwanted;  /* the settings want nothing of it */
	bool                     is_forced;    /* asked in the next gather, whenever it was asked last */
	bool                     is_awaited;   /* asked in the gather under way, and not answered yet */
	uint64_t                 pid, start;   /* of a run that did not end in time; 0: none */
};

struct gather {
	const struct clock           *clock;
	const struct source_settings *settings;
	int64_t                       section_timeout_ms;
	struct gather_part           *parts;
	size_t                        n_parts;
	bool                          has_program; /* the shell at the other end has it */
	bool                          is_under_way;
	bool                          were_events_seen;
	char                          nonce[GATHER_NONCE_TEXT];
	int64_t                       asked_wall_ms, asked_mono_ms;

	/* The output: what is not done with yet. Lines before line_at are looked at; no newline stands in [line_at, scanned). */
	struct buf in;
	size_t     line_at, scanned;
	size_t     n_output, n_noise;
	struct buf noise; /* the first line of it that says something */

	/* The section that is read; NULL: none. */
	struct gather_part *reading;
	size_t              text_at, text_n; /* in `in`; text_n is known when has_status */
	bool                has_status;
	int                 status;
	int64_t             begun_mono_ms;
	double              begun_uptime, seconds; /* NaN: the machine did not say */
	uint64_t            pid, start;

	struct findings found;
};

/* Writes the program, and tells in the parts which of them are unwanted or cannot be asked. */
enum err gather_program(struct gather *g, struct buf *to, struct why *why);

void gather_part_fail(struct gather_part *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Forgets what is under way and what was read of it. */
void gather_drop_input(struct gather *g);

#endif
