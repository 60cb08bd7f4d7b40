/* SPDX-License-Identifier: Apache-2.0
 *
 * How somebody is called to the screen: the bytes for the terminal. When it is due says tui/attention.h. Pure.
 *
 * A desktop notification is OSC 9, which most terminals know, or OSC 777 of rxvt-unicode and foot. Sources: iTerm2, "Proprietary Escape Codes"; rxvt-unicode's
 * extension `notify`; tmux(1), allow-passthrough.
 *
 * Threads: none. */
#ifndef PITWALL_TUI_CALLING_H
#define PITWALL_TUI_CALLING_H

#include "base/buf.h"
#include "base/err.h"
#include "config/fleet.h"

#include <stdbool.h>

/* Appends the call with this text, which may hold anything: no byte of it can end the sequence. `term` is $TERM, NULL where it is not set. With
 * FLEET_ATTENTION_OFF nothing is appended; with FLEET_ATTENTION_OSC the bell follows, for terminals that know neither. */
enum err calling_put(struct buf *to, enum fleet_attention how, const char *term, bool is_in_tmux, const char *text);

#endif
