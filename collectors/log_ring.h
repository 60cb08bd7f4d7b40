/* SPDX-License-Identifier: Apache-2.0
 *
 * The newest lines of one log, as they come from a machine: bytes in, lines out. Lines have numbers that only grow; the oldest ones go when there
 * are too many or too many bytes. A line is kept as it may be shown and searched: valid UTF-8 without terminal escapes, tabs made blanks up to the
 * next multiple of 8 columns, cut at LOG_RING_LINE. Other control bytes stay in it: the canvas makes them visible.
 *
 * A line ends with LF, CR LF or a CR alone (what a progress bar writes over is kept: a log may hide nothing that way).
 *
 * Threads: none; nothing blocks. */
#ifndef PITWALL_COLLECTORS_LOG_RING_H
#define PITWALL_COLLECTORS_LOG_RING_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_RING_LINES = 10000, LOG_RING_BYTES = 4 * 1024 * 1024, LOG_RING_LINE = 8192 };

struct log_ring; /* opaque: laid out in log_ring.c */

struct log_line {
	const char *text; /* n bytes, no NUL behind them; lent until the next change of the ring */
	size_t      n;
	bool        is_cut;  /* there was more of it */
	bool        is_note; /* no line of the log: something that pitwall says about it */
};

/* Takes all the memory that it will ever have. ERR_MEMORY. */
enum err log_ring_new(struct log_ring **out);
void     log_ring_free(struct log_ring *r); /* NULL is fine */

void log_ring_feed(struct log_ring *r, const char *bytes, size_t n);
/* Nothing more comes: what stands there without a line end is a line. */
void log_ring_end(struct log_ring *r);
/* A line of pitwall's own, a plain sentence; cut at 200 bytes. */
void log_ring_note(struct log_ring *r, const char *text);
/* Forgets all lines; numbers go on, counts begin anew. */
void log_ring_clear(struct log_ring *r);

/* From now on so many lines and bytes are taken until the next call; what comes beyond is counted, and a note tells how much it was when lines are
 * taken again: a flood costs a look for line ends. The last 1000 lines of it that fit in 64 KiB are taken then too: what a flood ends with is never
 * lost. A new ring takes everything. */
void log_ring_allow(struct log_ring *r, size_t lines, size_t bytes);

/* The lines that are there: from first to less than end. */
uint64_t        log_ring_first(const struct log_ring *r);
uint64_t        log_ring_past(const struct log_ring *r);
struct log_line log_ring_at(const struct log_ring *r, uint64_t number); /* of one that is there */

/* Since the beginning, or the last log_ring_clear: lines of the log, and of these the ones that were not taken. */
uint64_t log_ring_came(const struct log_ring *r);
uint64_t log_ring_skipped(const struct log_ring *r);

/* "12,331". `to` has LOG_COUNT_TEXT bytes. */
enum { LOG_COUNT_TEXT = 32 };
const char *log_count_text(uint64_t n, char to[LOG_COUNT_TEXT]);

#endif
