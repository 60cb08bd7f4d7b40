/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes from the terminal, taken apart: keys, pastes, the mouse, and the terminal's answers to what we asked. Bytes go in as they
 * are read, events come out; nothing is ever waited for. Whatever comes in, memory is bounded and no event carries a control character:
 * a malformed or overlong sequence is swallowed to its end, an answer that nobody asked for is an INPUT_REPORT and never keys. */
#ifndef PITWALL_TUI_INPUT_H
#define PITWALL_TUI_INPUT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- keys ---- */

/* name in key files, as the last part of a key's name */
#define KEY_LIST(X)                                                                                                          \
	X(UP, "Up") X(DOWN, "Down") X(LEFT, "Left") X(RIGHT, "Right") X(HOME, "Home") X(END, "End") X(PAGE_UP, "PgUp")       \
	X(PAGE_DOWN, "PgDn") X(INSERT, "Insert") X(DELETE, "Delete") X(ENTER, "Enter") X(TAB, "Tab") X(BACK_TAB, "BackTab")  \
	X(BACKSPACE, "Backspace") X(ESCAPE, "Esc") X(F1, "F1") X(F2, "F2") X(F3, "F3") X(F4, "F4") X(F5, "F5") X(F6, "F6")   \
	X(F7, "F7") X(F8, "F8") X(F9, "F9") X(F10, "F10") X(F11, "F11") X(F12, "F12")

enum {
	KEY_FIRST = 0x110000, /* below it a key is a Unicode character */
#define X(id, name) KEY_##id,
	KEY_LIST(X)
#undef X
	KEY_END_OF_LIST
};
enum { MOD_SHIFT = 1, MOD_ALT = 2, MOD_CTRL = 4 };

struct key {
	uint32_t code; /* a character (for C-x the lower-case letter) or KEY_* */
	unsigned mods; /* MOD_*; no MOD_SHIFT on characters */
};

static inline bool key_equal(struct key a, struct key b) { return a.code == b.code && a.mods == b.mods; }

enum { KEY_TEXT = 24 };
/* "Up", "C-b", "M-x", "S-Tab", "Space", "é": the whole of `n` bytes, or false. */
bool        key_parse(const char *name, size_t n, struct key *out);
const char *key_print(struct key k, char to[KEY_TEXT]);

/* ---- events ---- */

enum input_kind {
	INPUT_KEY,
	INPUT_PASTE,  /* text, made of printable characters, tabs and newlines only */
	INPUT_MOUSE,
	INPUT_FOCUS,  /* number: 1 gained, 0 lost */
	INPUT_REPORT  /* an answer of the terminal */
};
enum { MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
enum report {
	REPORT_CURSOR,     /* CPR: number = row, number2 = column (from 1) */
	REPORT_ATTRIBUTES, /* DA1 */
	REPORT_MODE,       /* DECRQM: number = the mode, number2 = 0 unknown, 1 set, 2 reset, 3, 4 permanently so */
	REPORT_BACKGROUND, /* OSC 11: number = 0xRRGGBB */
	REPORT_OTHER       /* well formed, of no use to us */
};

struct input_event {
	enum input_kind kind;
	struct key      key;
	int             row, col, button; /* mouse, from 0 */
	bool            is_release, is_drag;
	enum report     report;
	int64_t         number, number2;
	const char     *text;             /* paste; lent until the next call */
	size_t          text_len;
};

/* ---- the decoder ---- */

enum { PASTE_MAX = 64 << 10, SEQUENCE_MAX = 256 };

struct input {
	uint8_t    pending[SEQUENCE_MAX]; /* a sequence that has begun */
	size_t     n;
	bool       is_swallowing;         /* overlong: everything up to its end is dropped */
	uint8_t    string_kind;           /* of what is swallowed: ']', 'P', '_', '^', 'X' or '[' */
	bool       string_esc;            /* an ESC was the last byte of it: '\' ends it */
	bool       is_pasting;
	size_t     paste_end;             /* how much of ESC [ 2 0 1 ~ has been seen */
	struct buf paste;
	bool       is_paste_cut;
};

void input_init(struct input *in);
void input_release(struct input *in);

/* Takes bytes from *p up to `end` until an event is complete; *p moves behind what was used. False: all were used, no event. */
bool input_next(struct input *in, const uint8_t **p, const uint8_t *end, struct input_event *out);

/* An ESC, or the beginning of a sequence, is waiting for what follows. After the time that a lone ESC is given (25 ms; 100 over slow
 * links) call input_flush until it returns false: what waits becomes keys. Where it is cut, there is more of it than a key, and it may be
 * given longer: after a flush its rest would be taken for typed text. */
bool input_is_waiting(const struct input *in);
bool input_is_cut(const struct input *in);
bool input_flush(struct input *in, struct input_event *out);

#endif
