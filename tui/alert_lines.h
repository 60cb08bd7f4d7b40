/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of a group of alerts as lines, the newest first: what became of its alerts, who took it on, what was noted, how often it was there
 * before. */
#ifndef PITWALL_TUI_ALERT_LINES_H
#define PITWALL_TUI_ALERT_LINES_H

#include "base/arena.h"
#include "base/err.h"
#include "tui/alerts_detail.h"
#include "tui/role.h"

#include <stddef.h>
#include <stdint.h>

struct alert_line {
	int64_t     at_ms;
	uint32_t    glyph;
	enum role   role;
	const char *text;
	size_t      place; /* of two at one time the later one is the newer */
};

struct alert_lines {
	struct alert_line *items;
	size_t             n, cap;
	struct arena       arena; /* of the texts */
};
void alert_lines_init(struct alert_lines *l);
void alert_lines_release(struct alert_lines *l);

/* On failure there is no line. */
enum err alert_lines_fill(struct alert_lines *l, const struct alerts_detail *d);

#endif
