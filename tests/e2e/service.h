/* SPDX-License-Identifier: Apache-2.0
 *
 * A real program that answers HTTP on loopback, for one test: configuration and storage in a folder of its own under /tmp. It ends with the thread that
 * started it, at the latest: start it from main's. */
#ifndef PITWALL_TESTS_SERVICE_H
#define PITWALL_TESTS_SERVICE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Which program, and how it is called: PROGRAM --config.file=FOLDER/config.yml STORAGE=FOLDER/data --web.listen-address=127.0.0.1:PORT MORE */
struct service_kind {
	const char *title;    /* in sentences */
	const char *variable; /* of the environment, that names the program */
	const char *names[3]; /* else those in PATH; ended by NULL */
	const char *storage, *more;
};

struct service;

/* False: it is not installed, and the test is to skip with a sentence. */
bool service_is_there(const struct service_kind *k);

/* A folder for it; nothing runs yet. `k` is lent. */
enum err    service_new(const struct service_kind *k, struct service **out, struct why *why);
const char *service_folder(const struct service *s);
enum err    service_write(const struct service *s, const char *name, const char *text, struct why *why); /* a file there */
/* Returns when it is ready; a failure carries what it said. */
enum err    service_start(struct service *s, struct why *why);
void        service_stop(struct service *s); /* its folder goes too; NULL is fine */

int service_port(const struct service *s); /* on 127.0.0.1 */

/* Asks it: `path` begins with '/', `body` (JSON) is NULL with GET. The answer is appended. The HTTP status; -1 where there was no answer. */
long service_ask(struct service *s, const char *method, const char *path, const char *body, struct buf *answer);

/* The same path with `text` behind it, written as a URL has it. */
enum err service_put_escaped(struct buf *path, const char *text);

#endif
