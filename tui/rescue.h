/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal's rescue when the program crashes: a handler for SIGSEGV and its kin that writes one prepared string, puts the tty's modes
 * back and lets the signal do what it did before. A signal handler has no argument, so this is the one place with state of its own. */
#ifndef PITWALL_TUI_RESCUE_H
#define PITWALL_TUI_RESCUE_H

#include <stddef.h>
#include <termios.h>

/* From now on a crash restores `fd` with `text` (copied, cut at 512 bytes) and `modes`. */
void rescue_arm(int fd, const char *text, size_t n, const struct termios *modes);
void rescue_disarm(void);

#endif
