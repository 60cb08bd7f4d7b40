/* SPDX-License-Identifier: Apache-2.0
 *
 * Which key is which command, in which context. The defaults are those of the command table; a key file changes them, line by line:
 *
 *     # comment
 *     map C-n down            in every context of the command
 *     map x:chart zoom-in     in one context only (fleet, node, chart, events, help, dialog, logs, alerts, alert, deployments,
 *                             deployment, sheet)
 *     unmap C-z */
#ifndef PITWALL_TUI_KEYMAP_H
#define PITWALL_TUI_KEYMAP_H

#include "base/buf.h"
#include "base/err.h"
#include "tui/command.h"
#include "tui/input.h"

enum { KEYMAP_MAX = 512 };

struct key_binding {
	struct key   key;
	unsigned     contexts;
	enum command command;
};

struct keymap {
	struct key_binding bindings[KEYMAP_MAX];
	size_t             n;
};

/* The defaults. Two commands that want one key in one context are a broken promise of the table (a test holds it). */
void keymap_init(struct keymap *m);

/* Reads a key file's text over what is there; `name` stands in the sentences. Every mistake is told in one sentence a line, "NAME:LINE: ...",
 * appended to `mistakes`; lines without one take effect. A key that the file maps twice in one context is a mistake. Returns ERR_FORMAT
 * when there was any (ERR_MEMORY: and not all could be told). */
enum err keymap_read(struct keymap *m, const char *name, const char *text, size_t n, struct buf *mistakes);

enum command keymap_find(const struct keymap *m, struct key k, unsigned context);

/* The keys of a command in a context, "Up k", in the order of the map; `limit` > 0: so many at the most. Appended. */
void keymap_keys_of(const struct keymap *m, enum command c, unsigned context, int limit, struct buf *to);

#endif
