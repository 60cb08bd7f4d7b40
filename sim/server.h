/* SPDX-License-Identifier: Apache-2.0
 *
 * Many small HTTP servers in one thread: a listening socket for each endpoint, one libuv loop, and one libmicrohttpd daemon that is handed
 * the accepted connections and is run from the loop by its epoll descriptor. A closed endpoint refuses connections but keeps its port. */
#ifndef PITWALL_SIM_SERVER_H
#define PITWALL_SIM_SERVER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Texts are never NULL. */
struct request {
	const char *method, *path, *body;
	const char *query; /* "&name=value" for each argument, decoded */
	const char *authorization; /* that header */
};

struct reply {
	int         status;
	const char *type; /* NULL: none */
	const char *allow; /* for 405 */
	struct buf *body; /* to be filled; empty at first */
};

struct server_handler {
	void *context;
	/* Called in the server's thread for each request; `body` is NUL-terminated. */
	void (*answer)(void *context, size_t endpoint, const struct request *r, struct reply *to);
	/* Called a few times a second: should this endpoint accept connections now? */
	bool (*is_open)(void *context, size_t endpoint);
};

struct server; /* opaque: laid out in server.c */

/* Binds `n` ports of 127.0.0.1, from first_port on or of the kernel's choice (0), and opens those that should be. Raises the soft limit of
 * open files where that is needed and allowed. The handler must outlive the server. */
enum err server_new(size_t n, int first_port, const struct server_handler *h, struct server **out, struct why *why);
int      server_port(const struct server *s, size_t endpoint);
enum err server_start(struct server *s, struct why *why); /* begins its thread */
void     server_free(struct server *s); /* ends the thread, closes everything; NULL is fine */

#endif
