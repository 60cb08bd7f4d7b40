/* SPDX-License-Identifier: Apache-2.0
 *
 * What a cell means. Screens name roles, never colours; a theme file gives each role its colours and attributes. */
#ifndef PITWALL_TUI_ROLE_H
#define PITWALL_TUI_ROLE_H

/* id, name in theme files and golden canvases, letter in golden canvases */
#define ROLE_LIST(X)                     \
	X(TEXT,      "text",      '.')   \
	X(SECOND,    "second",    's')   \
	X(FAINT,     "faint",     'f')   \
	X(TITLE,     "title",     't')   \
	X(BAR,       "bar",       'b')   \
	X(BAR_NAME,  "bar-name",  'B')   \
	X(KEY,       "key",       'k')   \
	X(SELECTED,  "selected",  'S')   \
	X(TAGGED,    "tagged",    'T')   \
	X(OK,        "ok",        'o')   \
	X(INFO,      "info",      'i')   \
	X(WARN,      "warn",      'w')   \
	X(CRIT,      "crit",      'c')   \
	X(DOWN,      "down",      'd')   \
	X(UNKNOWN,   "unknown",   'u')   \
	X(TILE_CRIT, "tile-crit", 'C')   \
	X(TILE_DOWN, "tile-down", 'D')   \
	X(REPLAY,    "replay",    'R')   \
	X(STALE,     "stale",     'L')   \
	X(INPUT,     "input",     'I')   \
	X(MATCH,     "match",     'm')   \
	X(GRID,      "grid",      'g')   \
	X(CURSOR,    "cursor",    'x')   \
	X(THRESHOLD, "threshold", 'h')   \
	X(SERIES_1,  "series-1",  'p')   \
	X(SERIES_2,  "series-2",  'q')   \
	X(SERIES_3,  "series-3",  'r')   \
	X(SERIES_4,  "series-4",  'v')   \
	X(HEAT_0,    "heat-0",    '0')   \
	X(HEAT_1,    "heat-1",    '1')   \
	X(HEAT_2,    "heat-2",    '2')   \
	X(HEAT_3,    "heat-3",    '3')   \
	X(HEAT_4,    "heat-4",    '4')   \
	X(HEAT_5,    "heat-5",    '5')   \
	X(HEAT_6,    "heat-6",    '6')   \
	X(HEAT_7,    "heat-7",    '7')

enum role {
#define X(id, name, letter) ROLE_##id,
	ROLE_LIST(X)
#undef X
	ROLE_COUNT
};

enum { HEAT_STEPS = 8 };

const char *role_name(enum role r);
char        role_letter(enum role r);

#endif
