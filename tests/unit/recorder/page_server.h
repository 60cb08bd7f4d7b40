/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on loopback with one page that the test changes while it is polled, and that it can take down and up again on the same port. One
 * thread; one request a connection. */
#ifndef PITWALL_TESTS_PAGE_SERVER_H
#define PITWALL_TESTS_PAGE_SERVER_H

#include <stdbool.h>

struct page_server;

struct page_server *page_server_start(void);
void                page_server_stop(struct page_server *s);
int                 page_server_port(const struct page_server *s);
/* What `path` says from now on; every other path is 404. Both are copied. */
void page_server_set(struct page_server *s, const char *path, const char *body);
/* Down: connections are refused. */
void page_server_set_up(struct page_server *s, bool is_up);
/* The header of the last request, copied into `to`. */
void page_server_last(struct page_server *s, char *to, unsigned long size);
/* How many requests have come so far. */
unsigned long page_server_count(struct page_server *s);

#endif
