/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of commands. Key map, `?` help, the key bar, the command line with its completion and the man page all come from it. */
#ifndef PITWALL_TUI_COMMAND_H
#define PITWALL_TUI_COMMAND_H

#include <stddef.h>

/* Contexts are bits: where a command is offered. */
enum {
	CONTEXT_FLEET = 1, CONTEXT_NODE = 2, CONTEXT_CHART = 4, CONTEXT_EVENTS = 8, CONTEXT_HELP = 16, CONTEXT_DIALOG = 32,
	CONTEXT_VIEWS = CONTEXT_FLEET | CONTEXT_NODE | CONTEXT_CHART | CONTEXT_EVENTS,
	CONTEXT_ALL = CONTEXT_VIEWS | CONTEXT_HELP
};

/* id, name on the command line and in key files, default keys (parted by blanks), contexts, label in the key bar ("" none), sentence */
#define COMMAND_LIST(X)                                                                                                              \
	X(UP,          "up",          "Up k",            CONTEXT_ALL,   "",        "move up")                                        \
	X(DOWN,        "down",        "Down j",          CONTEXT_ALL,   "",        "move down")                                      \
	X(LEFT,        "left",        "Left h",          CONTEXT_ALL,   "",        "move left; in a chart move the time cursor back") \
	X(RIGHT,       "right",       "Right l",         CONTEXT_ALL,   "",        "move right; in a chart move the time cursor on")  \
	X(PAGE_UP,     "page-up",     "PgUp C-b",        CONTEXT_ALL,   "",        "move up by a page")                              \
	X(PAGE_DOWN,   "page-down",   "PgDn C-f",        CONTEXT_ALL,   "",        "move down by a page")                            \
	X(FIRST,       "first",       "g Home",          CONTEXT_ALL,   "",        "go to the first row")                            \
	X(LAST,        "last",        "G End",           CONTEXT_ALL,   "",        "go to the last row")                             \
	X(ENTER,       "open",        "Enter",           CONTEXT_VIEWS | CONTEXT_DIALOG, "open",    "drill into what is selected")                    \
	X(BACK,        "back",        "Esc Backspace",   CONTEXT_ALL | CONTEXT_DIALOG, "back",    "back out one step; never leaves the console")    \
	X(QUIT,        "quit",        "q",               CONTEXT_ALL | CONTEXT_DIALOG, "close",   "close the view; on the last one, leave the console after a question") \
	X(NEXT_PANE,   "next-pane",   "Tab",             CONTEXT_VIEWS, "",        "go to the next pane")                            \
	X(TAG,         "tag",         "Space",           CONTEXT_FLEET, "",        "tag the row, or take its tag off")               \
	X(FILTER,      "filter",      "/",               CONTEXT_VIEWS, "filter",  "show only what matches")                         \
	X(COMMAND,     "command",     ":",               CONTEXT_ALL,   "",        "open the command line")                          \
	X(HELP,        "help",        "? F1",            CONTEXT_ALL,   "help",    "show the keys of this view")                     \
	X(VIEW_FLEET,  "fleet",       "1",               CONTEXT_ALL,   "fleet",   "go to the fleet")                                \
	X(VIEW_CHART,  "chart",       "c 3",             CONTEXT_VIEWS, "chart",   "chart the chosen signal of what is selected")    \
	X(VIEW_EVENTS, "events",      "e 5",             CONTEXT_ALL,   "events",  "show what happened")                             \
	X(TOGGLE,      "toggle",      "t",               CONTEXT_FLEET, "map/table", "change between heat map and table")            \
	X(BY_MODEL,    "by-model",    "m",               CONTEXT_FLEET, "",        "a row a model instead of a row a node, and back") \
	X(SIGNAL,      "signal",      "s",               CONTEXT_VIEWS, "signal",  "choose the next signal")                         \
	X(SIGNAL_BACK, "signal-back", "S",               CONTEXT_VIEWS, "",        "choose the signal before")                       \
	X(SORT,        "sort",        "o >",             CONTEXT_FLEET, "sort",    "sort by the next column")                        \
	X(SORT_BACK,   "sort-back",   "<",               CONTEXT_FLEET, "",        "sort by the column before")                      \
	X(SORT_TURN,   "sort-turn",   "O",               CONTEXT_FLEET, "",        "turn the order round")                           \
	X(ZOOM_IN,     "zoom-in",     "+ =",             CONTEXT_CHART | CONTEXT_NODE, "zoom", "show a shorter span")                \
	X(ZOOM_OUT,    "zoom-out",    "-",               CONTEXT_CHART | CONTEXT_NODE, "",     "show a longer span")                 \
	X(PAN_BACK,    "pan-back",    "{",               CONTEXT_CHART, "",        "move the chart back by half its span")           \
	X(PAN_ON,      "pan-on",      "}",               CONTEXT_CHART, "",        "move the chart on by half its span")             \
	X(GLYPHS,      "glyphs",      "C-g",             CONTEXT_ALL,   "",        "draw charts in braille, blocks or ASCII")        \
	X(PAUSE,       "pause",       "p",               CONTEXT_ALL,   "pause",   "stop the view time, or let it go on")            \
	X(STEP_BACK,   "step-back",   "[ ,",             CONTEXT_ALL,   "",        "step the view time back")                        \
	X(STEP_ON,     "step-on",     "] .",             CONTEXT_ALL,   "",        "step the view time on")                          \
	X(SLOWER,      "slower",      "(",               CONTEXT_ALL,   "",        "replay at half the speed")                       \
	X(FASTER,      "faster",      ")",               CONTEXT_ALL,   "",        "replay at twice the speed")                      \
	X(LIVE,        "live",        "L",               CONTEXT_ALL,   "live",    "go back to now (in a replay: to the last moment)") \
	X(AT,          "at",          "",                CONTEXT_ALL,   "",        "go to a time: at 10 minutes ago, at 2026-11-23 03:12") \
	X(QUERY,       "query",       "",                CONTEXT_ALL,   "",        "chart a PromQL expression: query EXPR")          \
	X(SPEED,       "speed",       "",                CONTEXT_ALL,   "",        "set the speed of replay: speed 8")               \
	X(THEME,       "theme",       "",                CONTEXT_ALL,   "",        "change the theme: theme light")                  \
	X(REDRAW,      "redraw",      "C-l",             CONTEXT_ALL | CONTEXT_DIALOG,   "",        "draw the whole screen again")                    \
	X(SUSPEND,     "suspend",     "C-z",             CONTEXT_ALL | CONTEXT_DIALOG,   "",        "give the terminal back until `fg`")

enum command {
	COMMAND_NONE,
#define X(id, name, keys, contexts, label, sentence) COMMAND_##id,
	COMMAND_LIST(X)
#undef X
	COMMAND_COUNT
};

struct command_info {
	enum command id;
	const char  *name, *keys;
	unsigned     contexts;
	const char  *label, *sentence;
};

/* All commands, in the table's order (without COMMAND_NONE). */
const struct command_info *command_table(size_t *n);
const struct command_info *command_info(enum command c); /* NULL for COMMAND_NONE */
/* By its name on the command line; COMMAND_NONE when there is none. */
enum command command_by_name(const char *name, size_t n);

#endif
