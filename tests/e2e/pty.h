/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a program on a pseudo-terminal of its own and looks at what it shows through a terminal model (libvterm), as a person would: waits
 * for text or a condition with a deadline, never for a time. Answers to what the program asks of its terminal are given by the model,
 * unless the test is about a terminal that says nothing. */
#ifndef PITWALL_TESTS_PTY_H
#define PITWALL_TESTS_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

struct pty_options {
	int                rows, cols;
	const char *const *argv;      /* NULL-terminated; argv[0] is the path */
	const char *const *env;       /* "NAME=value" rows, NULL-terminated, over a small clean environment; may be NULL */
	bool               is_silent; /* the terminal answers no questions */
	const char        *background; /* what it says to OSC 11, "rgb:ffff/ffff/ffff"; NULL: nothing, as some do */
};

struct pty; /* opaque: laid out in pty.c */

/* All of these fail the test (cmocka) when they can't do what they say. */
struct pty *pty_start(const struct pty_options *o);
void        pty_free(struct pty *p); /* ends the program with SIGKILL if it still runs */

void pty_send(struct pty *p, const char *keys);
void pty_send_n(struct pty *p, const char *bytes, size_t n);
/* A press and a release of the left button, a notch of the wheel: what a terminal sends in the mode that the program asked for, nothing
 * where it asked for none. */
void pty_click(struct pty *p, int row, int col);
void pty_wheel_up(struct pty *p, int row, int col);
void pty_wheel_down(struct pty *p, int row, int col);
pid_t pty_pid(const struct pty *p);
void pty_resize(struct pty *p, int rows, int cols);
void pty_signal(struct pty *p, int number);
void pty_hang_up(struct pty *p); /* closes the terminal's side */

/* Reads what comes until the screen holds `text`, 30 s at most. */
void pty_wait_text(struct pty *p, const char *text);
void pty_wait_no_text(struct pty *p, const char *text);
/* Reads until `condition` holds. */
void pty_wait(struct pty *p, bool (*condition)(struct pty *p, const void *context), const void *context, const char *what);
/* Reads until nothing has come for `quiet_ms`: only for counting bytes. */
void pty_wait_quiet(struct pty *p, int quiet_ms);
/* Reads once, waiting `ms` at most; false when nothing came. For who measures. */
bool pty_pump(struct pty *p, int ms);
/* From now on no more than `n` bytes are read at once: a slow link. */
void pty_set_sip(struct pty *p, size_t n);
/* Waits until the program has taken all keys that were sent, and reads nothing of what it writes meanwhile. */
void pty_wait_taken(struct pty *p);
/* Waits until something lies ready to be read, and leaves it there. */
void pty_wait_unread(struct pty *p);
/* The program's wait status. */
int  pty_wait_exit(struct pty *p);
/* The same while nobody reads; what is left is read at the end. */
int  pty_wait_exit_unread(struct pty *p);
void pty_wait_stopped(struct pty *p);

bool        pty_has_text(struct pty *p, const char *text);
const char *pty_row(struct pty *p, int row);  /* UTF-8, without the blanks at the end; lent until the next call */
uint32_t    pty_background(struct pty *p, int row, int col); /* 0xRRGGBB as the model shows it */

/* One cell as the model shows it: its text (UTF-8, "" for a blank or the second half of a wide one) and its colours, reversal applied. */
enum { PTY_CELL_TEXT = 32 };
#define PTY_DEFAULT_COLOUR UINT32_MAX /* the terminal's own foreground or background */
struct pty_cell {
	char     text[PTY_CELL_TEXT];
	uint32_t fg, bg; /* 0xRRGGBB or PTY_DEFAULT_COLOUR: of an unreversed cell the one it stands for */
	bool     is_bold, is_underlined, is_reversed;
};
void        pty_cell(struct pty *p, int row, int col, struct pty_cell *out);
bool        pty_is_alternate(struct pty *p);
bool        pty_is_mouse_on(struct pty *p);
bool        pty_is_cursor_visible(struct pty *p);

/* Everything the program has written since the start or the last pty_forget. */
const char *pty_bytes(struct pty *p, size_t *n);
void        pty_forget(struct pty *p);

/* The modes of the terminal now, and as they were before the program began. */
void pty_modes(struct pty *p, struct termios *now, struct termios *before);
/* As a shell does when a job of its has stopped. */
void pty_set_modes(struct pty *p, const struct termios *modes);

#endif
