/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP server of a test's, on loopback or on a Unix socket: one thread, a request a connection. */
#ifndef PITWALL_TESTS_SMALL_SERVER_H
#define PITWALL_TESTS_SMALL_SERVER_H

#include <stddef.h>

struct small_server;
struct small_request {
	char        method[16], path[1024];
	const char *head; /* whole, with its first line */
	const char *body;
};
/* On the server's thread, one call at a time. Appends the answer to `to` (`size` bytes); "" hangs up. */
typedef void (*small_serve)(void *ctx, const struct small_request *r, char *to, size_t size);

/* path NULL: on loopback. */
struct small_server *small_server_start(const char *socket_path, small_serve serve, void *ctx);
int                  small_server_port(const struct small_server *s);
void                 small_server_stop(struct small_server *s);

/* "HTTP/1.1 STATUS\r\n..." with the body's length; `more` are whole header lines, or "". */
void small_answer(char *to, size_t size, const char *status, const char *more, const char *body);

#endif
