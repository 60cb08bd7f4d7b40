/* SPDX-License-Identifier: Apache-2.0
 *
 * The cluster in memory on a socket of loopback, with TLS: one thread, HTTP/1.1. */
#ifndef PITWALL_TESTS_KUBE_SERVER_H
#define PITWALL_TESTS_KUBE_SERVER_H

#include <stdbool.h>

#include "tests/unit/deploy/kube_world.h"

struct kube_server;

/* PEM texts; NULL: without TLS. NULL is returned where the library has none. The world is the server's until it is stopped, but between
 * kube_server_lock and kube_server_unlock. */
struct kube_server *kube_server_start(struct kube_world *w, const char *cert, const char *key);
void                kube_server_stop(struct kube_server *s);
int                 kube_server_port(const struct kube_server *s);
void                kube_server_lock(struct kube_server *s);
void                kube_server_unlock(struct kube_server *s);
/* What becomes of a connection whose answer is not to come: it is left open, or cut. */
void                kube_server_cuts(struct kube_server *s, bool cuts);
/* The last request's Impersonate-User; "" none. Locked by the caller. */
const char         *kube_server_person(const struct kube_server *s);

#endif
