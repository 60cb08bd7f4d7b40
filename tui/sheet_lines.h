/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sheet says of a plan, in rows of a width: what runs now, what would run, warnings, the difference, waves, every request word for word, the gate, the way
 * back, how long, who else is here. Made anew when the plan, the width or what is unfolded is another. Pure. */
#ifndef PITWALL_TUI_SHEET_LINES_H
#define PITWALL_TUI_SHEET_LINES_H

#include "base/arena.h"
#include "base/err.h"
#include "deploy/plan.h"
#include "tui/role.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHEET_LINES_MAX = 20000, SHEET_ASK_BODY = 4000 /* bytes of a body that are shown */ };

struct sheet_line {
	const char *text, *note, *label; /* note: behind the text; label: before it, within the indent; "" */
	enum role   role;
	uint32_t    glyph;       /* before it; 0: none */
	int         indent;
	bool        is_rule, is_bold;
	size_t      unit;        /* that Enter unfolds; SIZE_MAX: none */
};

struct sheet_lines {
	struct sheet_line *items;
	size_t             n, cap;
	bool               is_cut; /* there was more than SHEET_LINES_MAX */
	struct arena       arena;
};
void sheet_lines_init(struct sheet_lines *l);
void sheet_lines_release(struct sheet_lines *l);

struct sheet_lines_options {
	const struct deploy_plan *plan;
	const struct view        *view;
	int64_t                   deployment; /* whose sheet it is */
	const bool               *unfolded;   /* of each unit of the plan: its requests are shown */
	int                       cols;
};
/* ERR_MEMORY: what is there is cut. */
enum err sheet_lines_fill(struct sheet_lines *l, const struct sheet_lines_options *o);

#endif
