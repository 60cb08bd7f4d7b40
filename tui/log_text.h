/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a log on a canvas: which are seen, how they are cut or wrapped, how bad they are, and where what is looked for stands in them. */
#ifndef PITWALL_TUI_LOG_TEXT_H
#define PITWALL_TUI_LOG_TEXT_H

#include "collectors/log_pattern.h"
#include "collectors/log_ring.h"
#include "tui/canvas.h"
#include "tui/log_search.h"
#include "tui/role.h"

#include <stdbool.h>
#include <stdint.h>

/* The failures that a line tells of: bits of log_patterns. */
uint64_t log_line_known(struct log_pattern_cache *c, struct log_line l);
/* By those, else by words ("ERROR", "level=warn"): ROLE_CRIT, ROLE_WARN or ROLE_TEXT. */
enum role log_line_role(struct log_line l, uint64_t known);

/* Where the reader is. */
struct log_place {
	uint64_t bottom;  /* number of the last line that is shown, if there is enough above it to fill the screen */
	uint64_t cursor;
	bool     wraps, only; /* only: just the lines that match */
	int      left;    /* columns gone off at the left, where lines are not wrapped */
};

/* The next line that is shown, up (-1) or down (1) from `number`; false: there is none. */
bool log_step(const struct log_ring *r, const struct log_search *s, bool only, int direction, uint64_t *number);

enum { LOG_SEEN_MAX = 512 };
struct log_seen {
	uint64_t numbers[LOG_SEEN_MAX];
	size_t   n;
	int      hidden; /* rows of the first that do not fit */
};
/* The lines that fill `rows` rows of `cols` columns. `p` is put right first where lines are gone. */
void log_lay_out(const struct log_ring *r, const struct log_search *s, struct log_place *p, int rows, int cols, struct log_seen *out);
/* Moves the bottom so that the cursor's line is seen whole. */
void log_show_cursor(const struct log_ring *r, const struct log_search *s, struct log_place *p, int rows, int cols);

/* Draws into the present region. */
void log_draw(const struct log_ring *r, const struct log_search *s, const struct log_place *p, bool has_cursor, struct log_pattern_cache *c,
              struct canvas *into);

#endif
