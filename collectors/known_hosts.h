/* SPDX-License-Identifier: Apache-2.0
 *
 * Which host keys are known: known_hosts files read as OpenSSH 9.2 reads them (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). libssh2 has a reader
 * too, but one that knows no @revoked, no patterns, and says "new" where OpenSSH says "changed".
 *
 * A key is checked before anything is sent that is not for everyone: no user, no password. All calls read files and block: they are for a
 * worker. Any thread; two may add to one file at a time. Texts in queries are lent for the call, file names in results for as long as the
 * query's. */
#ifndef PITWALL_COLLECTORS_KNOWN_HOSTS_H
#define PITWALL_COLLECTORS_KNOWN_HOSTS_H

#include "base/buf.h"
#include "base/err.h"
#include "collectors/ssh_key.h"

#include <stdbool.h>
#include <stddef.h>

/* name, what is known of the key in words */
#define HOST_KEY_LIST(X)                                                                                          \
	X(OK,               "the host key is known")                                                              \
	X(UNKNOWN,          "no host key is known for this host")                                                 \
	X(CHANGED,          "the host key is not the one that is known for this host")                            \
	X(REVOKED,          "the host key is marked as revoked")                                                  \
	X(UNSUPPORTED_CERT, "the host presents a certificate, which only OpenSSH can check")

enum host_key_verdict {
#define X(name, words) HOST_KEY_##name,
	HOST_KEY_LIST(X)
#undef X
	HOST_KEY_COUNT
};

const char *host_key_words(enum host_key_verdict v);

enum {
	KNOWN_NAME       = 1024,             /* bytes of a name to look up, its NUL included */
	KNOWN_LINE_MAX   = 64 * 1024,        /* longer lines are passed over */
	KNOWN_FILE_MAX   = 64 * 1024 * 1024, /* longer files are an error */
	KNOWN_NOTES_MAX  = 8,
	KNOWN_TYPES      = 8,
};

struct known_hosts_query {
	const char *const *files;   /* the user's, then the system's; one that is not there holds nothing */
	size_t             n_files;
	const char        *host;    /* what is connected to, a name or an address; upper case is made lower */
	int                port;    /* but for 22 (and 0), "[host]:port" is looked up */
	const char        *alias;   /* HostKeyAlias: looked up as it stands, instead of host and port; or NULL */
	const char        *address; /* CheckHostIP: the peer's numeric address, looked up too; NULL when off, for loopback, or behind a proxy */
};

struct known_hosts_place {
	const char *file; /* NULL: nowhere */
	size_t      line; /* from 1 */
};

/* What is wrong with the files, for people to mend. None of it stops a check. */
struct known_hosts_notes {
	struct known_hosts_note {
		struct known_hosts_place place; /* line 0: the whole file */
		const char              *what;  /* a literal, as "the key is malformed" */
	} first[KNOWN_NOTES_MAX];
	size_t n; /* may be more than KNOWN_NOTES_MAX */
};

struct known_hosts_result {
	enum host_key_verdict    verdict;
	struct known_hosts_place place;        /* the line that decided; nowhere for UNKNOWN; `ca` for UNSUPPORTED_CERT */
	bool                     is_other_type; /* CHANGED: only keys of other types are known; the host may merely have a new one */
	bool                     is_by_address; /* CHANGED: the name is not to blame, but the address belongs to another key */
	bool                     is_portless;  /* OK: known for the host on port 22 only, which OpenSSH accepts */
	bool                     address_is_new; /* the address was asked for and is not in the files: OpenSSH would add it */
	const char              *offered_type; /* static */
	char                     offered[KEY_FINGERPRINT];
	const char              *known_type;   /* OK, CHANGED: of the key in that line; static; else NULL */
	char                     known[KEY_FINGERPRINT]; /* "" with it */
	bool                     has_ca;       /* a @cert-authority stands for this host: OpenSSH would ask it for a certificate */
	struct known_hosts_place ca;
	struct known_hosts_notes notes;
};

/* Looks up the key that a server offered, `claimed` as in key_read. @revoked wins over all else; then any line that has the key makes it
 * known. A verdict is only there with ERR_OK; all else means that the host must not be trusted: ERR_FORMAT, ERR_UNSUPPORTED, ERR_LIMIT of
 * the key; ERR_USAGE of the name; ERR_LIMIT of a file that is too long; ERR_IO of one that breaks off; ERR_MEMORY. A file that can't be
 * opened is a note. */
enum err known_hosts_check(const struct known_hosts_query *q, const void *blob, size_t n, const char *claimed, struct known_hosts_result *out,
                           struct why *why);

/* Signature algorithms in the order in which they are to be offered, so that a server with several keys presents one that can be
 * checked. */
struct known_hosts_types {
	const char *names[KNOWN_TYPES];    /* static; all plain ones that OpenSSH offers */
	bool        is_known[KNOWN_TYPES]; /* a key of this type stands in the files */
	size_t      n;
	bool        has_ca;
};

/* Before the handshake: types whose keys are known come first. As OpenSSH does it: unless a key of the type liked best is known, when the
 * order stays; and a key that is revoked is not known. */
enum err known_hosts_types(const struct known_hosts_query *q, struct known_hosts_types *out, struct why *why);

/* Appends a comma list of those that a library supports, for libssh2_session_method_pref. libssh2 1.10 drops what it does not support from
 * such a list by copying memory onto itself: give it what libssh2_session_supported_algs says, and no list that is empty. */
enum err known_hosts_types_join(const struct known_hosts_types *t, const char *const *supported, size_t n_supported, struct buf *to);

/* The name that stands in files for a host and a port: "host" or "[host]:port", in lower case. ERR_USAGE: empty, too long, or with
 * characters that no host's name has and that would mean something else in a file. */
enum err known_hosts_name(const char *host, int port, char to[KNOWN_NAME], struct why *why);

/* Appends a line: `name` as known_hosts_name makes it or an alias, hashed with a salt of its own if `hash_it`. Nothing is written when the
 * file has that key for that name. The line goes in whole and in one write, under a lock, behind a line end that may have been missing. A
 * file that is missing is made with mode 0600, its folder, but not that one's parents, with 0700. ERR_DENIED: the file, or a folder above
 * it, is one that other users can write, or the file revokes this key; ERR_TIMEOUT: somebody else keeps the lock; ERR_UNSUPPORTED: a
 * certificate, or no regular file. */
enum err known_hosts_add(const char *file, const char *name, const void *blob, size_t n, bool hash_it, struct why *why);

/* Reads all of it and tells what is wrong, without looking up anything. */
enum err known_hosts_lint(const char *const *files, size_t n_files, struct known_hosts_notes *out, struct why *why);

#endif
