/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of commands. Key map, `?` help, the key bar, the command line with its completion and the man page all come from it. */
#ifndef PITWALL_TUI_COMMAND_H
#define PITWALL_TUI_COMMAND_H

#include <stddef.h>

/* Contexts are bits: where a command is offered. */
enum {
	CONTEXT_FLEET = 1, CONTEXT_NODE = 2, CONTEXT_CHART = 4, CONTEXT_EVENTS = 8, CONTEXT_HELP = 16, CONTEXT_DIALOG = 32, CONTEXT_LOGS = 64,
	CONTEXT_ALERTS = 128, /* the list */ CONTEXT_ALERT = 256, /* one group of them */
	CONTEXT_RULES = 512, CONTEXT_SILENCES = 1024,
	CONTEXT_DEPLOYS = 2048, /* the list */ CONTEXT_RUN = 4096, /* one that was confirmed */ CONTEXT_SHEET = 8192, /* one that is to be */
	CONTEXT_ABOUT_ALERTS = CONTEXT_ALERTS | CONTEXT_ALERT,
	CONTEXT_ABOUT_DEPLOYS = CONTEXT_DEPLOYS | CONTEXT_RUN | CONTEXT_SHEET,
	CONTEXT_VIEWS = CONTEXT_FLEET | CONTEXT_NODE | CONTEXT_CHART | CONTEXT_EVENTS,
	CONTEXT_ALL = CONTEXT_VIEWS | CONTEXT_HELP | CONTEXT_LOGS | CONTEXT_ABOUT_ALERTS | CONTEXT_RULES | CONTEXT_SILENCES | CONTEXT_ABOUT_DEPLOYS
};

/* id, name on the command line and in key files, default keys (parted by blanks), contexts, label in the key bar ("" none), its rank there
 * (the smallest come first, and stay where room is short), sentence */
#define COMMAND_LIST(X) \
	X(UP,          "up",          "Up k",          CONTEXT_ALL,   "",          0,  "move up") \
	X(DOWN,        "down",        "Down j",        CONTEXT_ALL,   "",          0,  "move down") \
	X(LEFT,        "left",        "Left h",        CONTEXT_ALL,   "",          0,  "move left; in a chart move the time cursor back") \
	X(RIGHT,       "right",       "Right l",       CONTEXT_ALL,   "",          0,  "move right; in a chart move the time cursor on") \
	X(PAGE_UP,     "page-up",     "PgUp C-b",      CONTEXT_ALL,   "",          0,  "move up by a page") \
	X(PAGE_DOWN,   "page-down",   "PgDn C-f",      CONTEXT_ALL,   "",          0,  "move down by a page") \
	X(FIRST,       "first",       "g Home",        CONTEXT_ALL,   "",          0,  "go to the first row") \
	X(LAST,        "last",        "G End",         CONTEXT_ALL,   "",          0,  "go to the last row") \
	X(ENTER,       "open",        "Enter", \
	  CONTEXT_VIEWS | CONTEXT_DIALOG | CONTEXT_LOGS | CONTEXT_ABOUT_ALERTS | CONTEXT_SILENCES | CONTEXT_ABOUT_DEPLOYS, "open", 1, "drill into what is selected") \
	X(BACK,        "back",        "Esc Backspace", CONTEXT_ALL | CONTEXT_DIALOG, "back", 8, "back out one step; never leaves the console") \
	X(QUIT,        "quit",        "q",             CONTEXT_ALL | CONTEXT_DIALOG, "close", 11, \
	  "close the view; on the last one, leave the console after a question") \
	X(NEXT_PANE,   "next-pane",   "Tab",           CONTEXT_VIEWS | CONTEXT_ALERT, "",          0,  "go to the next pane") \
	X(TAG,         "tag",         "Space",         CONTEXT_FLEET | CONTEXT_ALERTS, "",          0,  "tag the row, or take its tag off") \
	X(FILTER,      "filter",      "/",             CONTEXT_VIEWS | CONTEXT_LOGS | CONTEXT_ALERTS | CONTEXT_RULES, "filter",    2,  "show only what matches") \
	X(COMMAND,     "command",     ":",             CONTEXT_ALL,   "",          0,  "open the command line") \
	X(HELP,        "help",        "? F1",          CONTEXT_ALL,   "help",      13, "show the keys of this view") \
	X(VIEW_FLEET,  "fleet",       "1",             CONTEXT_ALL,   "fleet",     12, "go to the fleet") \
	X(VIEW_CHART,  "chart",       "c 3",           CONTEXT_VIEWS | CONTEXT_ALERT, "chart",     6,  "chart the chosen signal of what is selected") \
	X(VIEW_EVENTS, "events",      "e 5",           CONTEXT_ALL,   "events",    7,  "show what happened") \
	X(VIEW_ALERTS, "alerts",      "2",             CONTEXT_ALL,   "alerts",    7,  "go to the alerts") \
	X(VIEW_DEPLOYS, "deployments", "4",            CONTEXT_ALL,   "deploys",   7,  "go to the deployments: what runs, what is unfinished, what was") \
	X(ROLLBACK,    "rollback",    "R",             CONTEXT_FLEET | CONTEXT_NODE | CONTEXT_ABOUT_ALERTS, "roll back", 5, \
	  "plan a rollback of the model or node, and show all that would be done; nothing is done before it is confirmed") \
	X(REDEPLOY,    "redeploy",    "D",             CONTEXT_FLEET | CONTEXT_NODE | CONTEXT_ABOUT_ALERTS, "redeploy", 9, "likewise a redeploy") \
	X(VERSIONS,    "versions",    "v",             CONTEXT_SHEET, "versions",  3,  "choose another version to go to, with how each did here") \
	X(ACTIONS,     "actions",     "a",             CONTEXT_SHEET, "actions",  5,  "do something else to it instead, where its driver can: pause, resume, scale, promote, retry, abort, traffic") \
	X(REASON,      "reason",      "r",             CONTEXT_SHEET, "reason",    4,  "write why it is done") \
	X(UNFOLD,      "unfold",      "f",             CONTEXT_SHEET, "all steps", 5,  "show what is sent to every node, word for word, or to the first alone; Enter does so for one") \
	X(PLAN_AGAIN,  "plan-again",  "n",             CONTEXT_SHEET, "plan again", 6, "ask the nodes again and make a new plan") \
	X(RUN_HOLD,    "hold",        "Space",         CONTEXT_RUN,   "pause/go on", 2, "begin nothing new for now, or go on; what failed is tried again") \
	X(RUN_UNDO,    "undo",        "u",             CONTEXT_RUN,   "undo",      2,  "put back all that was touched") \
	X(RUN_ABORT,   "abort",       "a",             CONTEXT_RUN,   "abort",     3,  "begin nothing more, and stop once what is under way has ended") \
	X(RUN_SKIP,    "skip",        "k",             CONTEXT_RUN,   "skip",      4,  "leave out the node that failed") \
	X(RUN_PASS,    "pass",        "g",             CONTEXT_RUN,   "pass gate", 4,  "accept what the gate found") \
	X(RUN_ABANDON, "abandon",     "A",             CONTEXT_RUN,   "abandon",   5,  "leave all as it is and set the model free") \
	X(VIEW_RULES,  "rules",       "r",             CONTEXT_ALERTS, "rules",    8,  "show how the rules are: which of them fail and why, and how long each takes") \
	X(ACK,         "ack",         "a",             CONTEXT_ABOUT_ALERTS, "ack", 2, "take alerts on: say that you are at it; those that are tagged, or the selected one") \
	X(UNACK,       "unack",       "u",             CONTEXT_ABOUT_ALERTS, "unack", 3, "take an acknowledgement back") \
	X(SILENCE,     "silence",     "S",             CONTEXT_ABOUT_ALERTS, "silence", 3, "hide alerts that match for a time, after a look at what that would hide") \
	X(VIEW_SILENCES, "silences",  "s",             CONTEXT_ABOUT_ALERTS, "silences", 9, "list the silences there are, to come and over lately; on a silenced alert, at the one that hides it") \
	X(UNSILENCE,   "unsilence",   "u",             CONTEXT_SILENCES, "end it", 2, "end a silence before its time, here and in its Alertmanager") \
	X(NOTE,        "note",        "n",             CONTEXT_VIEWS | CONTEXT_ABOUT_ALERTS, "note", 12, "write a note on the alert, the node or the time that is shown") \
	X(FOLD,        "fold",        "f",             CONTEXT_ALERTS, "fold",     4,  "show alerts that are silenced or inhibited, or fold them away") \
	X(TAG_ALL,     "tag-all",     "A",             CONTEXT_ALERTS, "",         0,  "tag all that are listed, or take all tags off") \
	X(TOGGLE,      "toggle",      "t",             CONTEXT_FLEET, "map/table", 3,  "change between heat map and table") \
	X(BY_MODEL,    "by-model",    "m",             CONTEXT_FLEET, "",          0,  "a row a model instead of a row a node, and back") \
	X(SIGNAL,      "signal",      "s",             CONTEXT_VIEWS, "signal",    4,  "choose the next signal") \
	X(SIGNAL_BACK, "signal-back", "S",             CONTEXT_VIEWS, "",          0,  "choose the signal before") \
	X(SORT,        "sort",        "o >",           CONTEXT_FLEET | CONTEXT_ALERTS, "sort",      9,  "sort by the next column") \
	X(SORT_BACK,   "sort-back",   "<",             CONTEXT_FLEET | CONTEXT_ALERTS, "",          0,  "sort by the column before") \
	X(SORT_TURN,   "sort-turn",   "O",             CONTEXT_FLEET | CONTEXT_ALERTS, "",          0,  "turn the order round") \
	X(SHELL,       "shell",       "s",             CONTEXT_NODE,  "shell",     2,  "open a shell on the node with your own ssh; the console comes back when it ends") \
	X(TRUST,       "trust",       "t",             CONTEXT_NODE,  "trust",     2,  "fetch the host key that the node shows, to compare it and take it") \
	X(LOGIN,       "login",       "i",             CONTEXT_NODE,  "log in",    2,  "log in to the node, or give its key to the agent, where a human must answer") \
	X(LOGS,        "logs",        "l",             CONTEXT_NODE,  "logs",      2,  "follow a log of the node, over SSH or here") \
	X(MATCH_NEXT,  "next-match",  "n",             CONTEXT_LOGS,  "next",      3,  "go to the next newer line that matches") \
	X(MATCH_BACK,  "match-back",  "N",             CONTEXT_LOGS,  "",          0,  "go to the next older line that matches") \
	X(ONLY,        "only",        "f",             CONTEXT_LOGS,  "only",      4,  "show only the lines that match, or all of them") \
	X(WRAP,        "wrap",        "w",             CONTEXT_LOGS,  "wrap",      5,  "wrap long lines, or cut them") \
	X(AGAIN,       "again",       "r",             CONTEXT_LOGS,  "again",     6,  "connect again, or read the list anew") \
	X(ZOOM_IN,     "zoom-in",     "+ =",           CONTEXT_CHART | CONTEXT_NODE | CONTEXT_ALERT, "zoom",      3,  "show a shorter span") \
	X(ZOOM_OUT,    "zoom-out",    "-",             CONTEXT_CHART | CONTEXT_NODE | CONTEXT_ALERT, "",          0,  "show a longer span") \
	X(PAN_BACK,    "pan-back",    "{",             CONTEXT_CHART, "",          0,  "move the chart back by half its span") \
	X(PAN_ON,      "pan-on",      "}",             CONTEXT_CHART, "",          0,  "move the chart on by half its span") \
	X(GLYPHS,      "glyphs",      "C-g",           CONTEXT_ALL,   "",          0,  "draw charts in braille, blocks or ASCII") \
	X(PAUSE,       "pause",       "p",             CONTEXT_ALL,   "pause",     5,  "stop the view time, or let it go on") \
	X(STEP_BACK,   "step-back",   "[ ,",           CONTEXT_ALL,   "",          0,  "step the view time back") \
	X(STEP_ON,     "step-on",     "] .",           CONTEXT_ALL,   "",          0,  "step the view time on") \
	X(SLOWER,      "slower",      "(",             CONTEXT_ALL,   "",          0,  "replay at half the speed") \
	X(FASTER,      "faster",      ")",             CONTEXT_ALL,   "",          0,  "replay at twice the speed") \
	X(LIVE,        "live",        "L",             CONTEXT_ALL,   "live",      10, "go back to now (in a replay: to the last moment)") \
	X(AT,          "at",          "",              CONTEXT_ALL,   "",          0,  "go to a time: at 10 minutes ago, at 2026-11-23 03:12") \
	X(QUERY,       "query",       "",              CONTEXT_ALL,   "",          0,  "chart a PromQL expression: query EXPR") \
	X(SPEED,       "speed",       "",              CONTEXT_ALL,   "",          0,  "set the speed of replay: speed 8") \
	X(THEME,       "theme",       "",              CONTEXT_ALL,   "",          0,  "change the theme: theme light") \
	X(MOUSE,       "mouse",       "",              CONTEXT_ALL,   "",          0,  "take the mouse, or give it back to the terminal for selecting text") \
	X(BELL,        "bell",        "",              CONTEXT_ALL,   "",          0,  "ring the terminal's bell when a group of alerts turns critical, or do not") \
	X(DETACH,      "detach",      "",              CONTEXT_ALL,   "",          0,  "give the terminal back for good; what this console carries out goes on in the background") \
	X(REDRAW,      "redraw",      "C-l",           CONTEXT_ALL | CONTEXT_DIALOG, "",          0,  "draw the whole screen again") \
	X(SUSPEND,     "suspend",     "C-z",           CONTEXT_ALL | CONTEXT_DIALOG, "",          0,  "give the terminal back until `fg`")

enum command {
	COMMAND_NONE,
#define X(id, name, keys, contexts, label, rank, sentence) COMMAND_##id,
	COMMAND_LIST(X)
#undef X
	COMMAND_COUNT
};

struct command_info {
	enum command id;
	const char  *name, *keys;
	unsigned     contexts;
	int          rank;
	const char  *label, *sentence;
};

/* All commands, in the table's order (without COMMAND_NONE). */
const struct command_info *command_table(size_t *n);
const struct command_info *command_info(enum command c); /* NULL for COMMAND_NONE */
/* By its name on the command line; COMMAND_NONE when there is none. */
enum command command_by_name(const char *name, size_t n);

#endif
