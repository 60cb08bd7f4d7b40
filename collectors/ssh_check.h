/* SPDX-License-Identifier: Apache-2.0
 *
 * A server's key against known_hosts, as its settings want it. Private to our own SSH. */
#ifndef PITWALL_COLLECTORS_SSH_CHECK_H
#define PITWALL_COLLECTORS_SSH_CHECK_H

#include "base/loop.h"
#include "collectors/ssh_config.h"
#include "collectors/transport.h"

#include <stdbool.h>
#include <stddef.h>

/* The host key methods for the key exchange, as libssh2 takes them: those of keys that are known for this host first, so that the server shows one
 * that can be checked. Reads files. */
void host_key_methods(const struct ssh_settings *s, char *to, size_t size);

struct key_check;
/* On a worker. `done` is told once, on the loop: REACH_OK, or why the key is not taken, and then whether the host may still be one that the OpenSSH
 * client can check: an authority is known for it, or a key of a kind that is not ours. What it needs is copied. */
enum err key_check_new(struct loop *loop, const struct ssh_settings *s, const void *key, size_t n, int libssh2_type,
                       void (*done)(void *ctx, enum reach result, bool is_for_openssh, const char *text), void *ctx, struct key_check **out);
/* `done` does not come any more; `gone` when the worker is done. */
void key_check_drop(struct key_check *c, void (*gone)(void *ctx), void *ctx);

#endif
