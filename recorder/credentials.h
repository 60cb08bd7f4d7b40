/* SPDX-License-Identifier: Apache-2.0
 *
 * The secrets that a fleet's targets need, fetched on worker threads (a file may hang, a command takes its time) and fetched again now and
 * then, since tokens are rotated. Private to the recorder. */
#ifndef PITWALL_RECORDER_CREDENTIALS_H
#define PITWALL_RECORDER_CREDENTIALS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/fleet.h"

struct credential;
struct credentials;

/* Begins to fetch what `fleet` names; `ready` is called once on the loop when each was tried (also when there are none, but never before this
 * returns). `fleet` must outlive it. */
enum err credentials_new(struct loop *loop, const struct fleet *fleet, void (*ready)(void *ctx), void *ctx, struct credentials **out,
                         struct why *why);
/* No callback comes any more; what is being fetched is wiped when it comes, and then all is freed, before `closed` is called. */
void credentials_close(struct credentials *c, void (*closed)(void *ctx), void *ctx);

/* Of a target's auth; NULL for NULL. */
struct credential *credentials_find(struct credentials *c, const struct fleet_auth *auth);

/* Puts the secret as it was last fetched; else the error with which fetching failed. */
enum err credential_put(struct credential *c, struct buf *to, struct why *why);

#endif
