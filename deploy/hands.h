/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries out asks (deploy/ask.h): commands over SSH or on this machine, HTTP by curl, through a machine's SSH connection where the server listens on its loopback
 * or on a Unix socket, files over the same shell. Secrets are fetched here, on workers, at the time of sending, and wiped after it.
 *
 * A command's end is proved by a status line of its own, with a mark that the machine cannot foresee: a dropped connection is never taken for success.
 *
 * Threads: everything on the loop's thread, callbacks too, none of them before hands_ask has returned. Nothing blocks. */
#ifndef PITWALL_DEPLOY_HANDS_H
#define PITWALL_DEPLOY_HANDS_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/deploying.h"
#include "deploy/ask.h"
#include "deploy/driver.h"

struct hands;
struct errand; /* one ask under way */

struct hands_options {
	struct loop        *loop;  /* lent, like all here */
	const struct clock *clock;
	const char         *version;     /* for the User-Agent */
	const char         *ssh_config;  /* NULL: the user's and the system's */
	const char         *control_dir; /* see collectors/ssh.h */
};
enum err hands_new(const struct hands_options *o, struct hands **out, struct why *why);
/* Ends all; no callback comes any more but `closed`. What was sent may still happen. */
void     hands_close(struct hands *h, void (*closed)(void *ctx), void *ctx);

/* Begins; `answered` comes once, unless errand_drop is called before. All is copied but deploy and settings, which are lent until then, or, where it is dropped
 * while its login is looked up, until hands_is_lending says no. ERR_LIMIT, ERR_MEMORY, ERR_USAGE (an ask that is not whole): nothing was begun. Of an
 * ASK_PUT status 0 says that it is done; each other that the old file is as it was, and the text says why. */
enum err hands_ask(struct hands *h, const struct fleet_deploy *d, const struct settings *s, const struct unit *u, const struct ask *ask,
                   void (*answered)(void *ctx, const struct answer *a), void *ctx, struct errand **out, struct why *why);
/* Whether a worker still looks up a login, and with it at the deploy and settings of some errand, perhaps one that was dropped. */
bool     hands_is_lending(const struct hands *h);
/* Forgets the logins that are kept for later requests: before a deploy that errands were begun with is freed, since they are known by it. */
void     hands_forget(struct hands *h);
/* No callback comes any more; within its own it is gone already, and this does nothing. What was sent may still happen. */
void     errand_drop(struct errand *e);

#endif
