/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to a machine: what the configuration says for it and for each jump host before it, the keys that may log in there, and the addresses of
 * the first of them. All of it is read from files and name servers by a worker. Private to our own SSH. */
#ifndef PITWALL_COLLECTORS_SSH_ROUTE_H
#define PITWALL_COLLECTORS_SSH_ROUTE_H

#include "base/buf.h"
#include "base/err.h"
#include "collectors/ssh_config.h"
#include "collectors/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ROUTE_HOPS_MAX = 8, ROUTE_KEYS_MAX = 16, ROUTE_ADDRESSES_MAX = 8, ROUTE_KEY_BYTES = 64 * 1024 };

/* A private key's file. */
enum route_key_state {
	ROUTE_KEY_USABLE,
	ROUTE_KEY_MISSING,
	ROUTE_KEY_UNREADABLE,
	ROUTE_KEY_LOCKED,   /* wants a passphrase */
	ROUTE_KEY_FOREIGN,  /* RSA, FIDO, ...: libssh2 cannot use it */
};
struct route_key {
	const char          *path;        /* the settings' */
	enum route_key_state state;
	bool                 has_certificate; /* in FILE-cert.pub, which OpenSSH offers too */
	struct buf           text;        /* of a usable one; wiped when released */
	struct buf           public_blob; /* from FILE.pub, or out of the key itself; empty where neither can be had */
};

struct route_hop {
	char               *name; /* user@host:port, for people */
	char               *key;  /* the same of all hops up to it, and what else tells two sessions apart */
	struct ssh_settings settings;
	bool                is_last; /* the machine itself */
	struct route_key    keys[ROUTE_KEYS_MAX];
	size_t              n_keys;
	struct sockaddr_storage addresses[ROUTE_ADDRESSES_MAX];
	size_t              n_addresses;        /* of the first hop */
	char                host_key_methods[512]; /* for the key exchange: what is known of it first */
};

struct route {
	struct route_hop hops[ROUTE_HOPS_MAX];
	size_t           n;
	bool             needs_openssh; /* something is set that libssh2 cannot honour; `text` says what */
	enum reach       result;        /* REACH_OK, or what is wrong with it */
	char             text[512];
	char             found[256];    /* the addresses, for people */
	double           config_ms, name_ms; /* what reading files and looking up the name took */
};

/* Blocks. `port` 0 and `user` NULL: as configured. */
void route_read(struct route *out, const struct ssh_machine *m, const char *destination, const char *user, int port, const char *config_file);
void route_release(struct route *r);
void route_hop_release(struct route_hop *h);

/* Tells by its text what a private key is. For tests. */
enum route_key_state route_key_look(const char *text, size_t n, struct buf *public_blob);

#endif
