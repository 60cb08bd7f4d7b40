/* SPDX-License-Identifier: Apache-2.0
 *
 * The ssh-agent, asked without blocking: which keys it holds, and a signature by one of them. libssh2's own agent calls wait for the answer, and
 * an agent may want its owner's finger on a key first.
 *
 * The protocol: draft-ietf-sshm-ssh-agent, messages 11 to 14. Private to our own SSH. */
#ifndef PITWALL_COLLECTORS_SSH_AGENT_H
#define PITWALL_COLLECTORS_SSH_AGENT_H

#include "base/err.h"
#include "base/loop.h"

#include <stddef.h>

struct ssh_agent;

enum { AGENT_KEYS_MAX = 64, AGENT_MESSAGE_MAX = 256 * 1024 };

struct ssh_agent_key {
	const unsigned char *blob; /* lent until the agent is closed */
	size_t               n;
	const char          *comment; /* any bytes */
};

struct ssh_agent_events {
	/* What was asked for came: keys, or (after ssh_agent_sign) a signature as the agent gives it, type and blob; lent for the call. */
	void (*keys)(void *ctx, const struct ssh_agent_key *keys, size_t n);
	void (*signature)(void *ctx, const unsigned char *signature, size_t n);
	/* It can't be reached, or refused (a signature); safe text. It may be asked again after a refusal only. */
	void (*failed)(void *ctx, const char *text);
};

/* Connects and asks for the keys. One question at a time. */
enum err ssh_agent_new(struct loop *loop, const char *socket_path, const struct ssh_agent_events *ev, void *ctx, struct ssh_agent **out,
                       struct why *why);
enum err ssh_agent_sign(struct ssh_agent *a, const struct ssh_agent_key *key, const unsigned char *data, size_t n);
/* No callback comes any more; `gone` (may be NULL) when libuv has let go of it. */
void ssh_agent_close(struct ssh_agent *a, void (*gone)(void *ctx), void *ctx);

#endif
