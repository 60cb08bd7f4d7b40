/* SPDX-License-Identifier: Apache-2.0
 *
 * Going on without the terminal in the same process: threads cannot be taken along by a fork. */
#ifndef PITWALL_TUI_LET_GO_H
#define PITWALL_TUI_LET_GO_H

#include <stdbool.h>

/* The descriptors 0, 1 and 2 are /dev/null from now on; the terminal must have been given back (tui/terminal.h). `to_shell`: the shell that waits for us is brought to take the
 * terminal back, as Ctrl-Z and `bg` do: all of us stands still until it has, 2 s at the most. Where there is no such shell nobody takes it, and nothing is lost. */
void let_go(bool to_shell);

#endif
