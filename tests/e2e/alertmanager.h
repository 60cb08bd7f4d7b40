/* SPDX-License-Identifier: Apache-2.0
 *
 * A real Alertmanager on loopback, for one test: configuration and storage in a folder of its own under /tmp, no cluster. It ends with the thread that
 * started it, at the latest: start it from main's. */
#ifndef PITWALL_TESTS_ALERTMANAGER_H
#define PITWALL_TESTS_ALERTMANAGER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

struct alertmanager;

/* False where none is installed ($PITWALL_ALERTMANAGER, prometheus-alertmanager or alertmanager in PATH): the test is to skip then, and say so. */
bool alertmanager_is_there(void);

/* `config` is its file. A failure carries what it said. Returns when it is ready. */
enum err alertmanager_start(const char *config, struct alertmanager **out, struct why *why);
void     alertmanager_stop(struct alertmanager *a); /* its folder goes too; NULL is fine */

int alertmanager_port(const struct alertmanager *a); /* on 127.0.0.1 */

/* Asks it: `path` begins with '/', `body` (JSON) is NULL with GET. The answer is appended. The HTTP status; -1 where there was no answer. */
long alertmanager_ask(struct alertmanager *a, const char *method, const char *path, const char *body, struct buf *answer);

/* The same path with `text` behind it, written as a URL has it. */
enum err alertmanager_put_escaped(struct buf *path, const char *text);

#endif
