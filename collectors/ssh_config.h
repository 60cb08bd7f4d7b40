/* SPDX-License-Identifier: Apache-2.0
 *
 * What ssh_config says for one destination, read as OpenSSH 9.2 reads it (9.2's keywords and those that later versions added): first value wins,
 * Host, Match with its second pass, Include, tokens, ${ENV} and ~. What is meant for the transport built on libssh2 is in fields; what that
 * cannot honour is in a list, never dropped: whoever connects looks at `needs_openssh` first.
 *
 * What differs from OpenSSH, on purpose: every file is refused that another user than its owner could write, or that neither the user nor root
 * owns (ssh looks only at ~/.ssh/config and at included files); files, depth and sizes are bounded; `Match exec` has a time limit; names of
 * algorithms are not compared with a list (the transport knows what it has); of values that only OpenSSH uses (forwards, devices, times of
 * rekeying) the shape is checked, not the sense. Host names are not looked up: CanonicalizeHostname asks for OpenSSH.
 *
 * Reads files and may run commands: call it from a worker, never from an event loop's thread. Several threads may read at once. */
#ifndef PITWALL_COLLECTORS_SSH_CONFIG_H
#define PITWALL_COLLECTORS_SSH_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ssh_key_check { SSH_KEY_CHECK_ASK, SSH_KEY_CHECK_YES, SSH_KEY_CHECK_ACCEPT_NEW, SSH_KEY_CHECK_NO }; /* StrictHostKeyChecking */
enum ssh_family { SSH_FAMILY_ANY, SSH_FAMILY_INET, SSH_FAMILY_INET6 };
enum ssh_canonicalize { SSH_CANONICALIZE_NO, SSH_CANONICALIZE_YES, SSH_CANONICALIZE_ALWAYS };

/* How far the built-in transport goes with a keyword. */
enum ssh_honour {
	SSH_HONOURED,
	SSH_FALLS_BACK_TO_OPENSSH, /* what was asked for needs OpenSSH's own ssh */
	SSH_HARMLESS,              /* without effect on reaching the machine and running a command there */
};

struct ssh_words {
	const char *const *items;
	size_t             n;
};

/* One stop of ProxyJump. Its own settings come from asking anew with `host` as the destination; what was set for the target is not for it. */
struct ssh_hop {
	const char *user; /* NULL: what its own settings say */
	const char *host;
	int         port; /* 0: what its own settings say */
};

struct ssh_unhonoured {
	const char     *keyword, *value;
	const char     *file;
	int             line;
	const char     *why; /* a sentence */
	enum ssh_honour honour; /* never SSH_HONOURED */
};

/* A value that some file set for this destination, as it is written there, and where. Of keywords that add up, each. */
struct ssh_given {
	const char *keyword, *value; /* the keyword in ssh_config(5)'s spelling */
	const char *file;
	int         line;
};

/* All texts are the settings' own. Texts may be NULL where said; lists may be empty. */
struct ssh_settings {
	const char *destination; /* the host as it was typed, without user and port (%n) */
	const char *host_name;   /* to connect to, in lower case; an address in its usual form (%h) */
	const char *user;
	int         port;

	/* Who we are. */
	struct ssh_words identity_files;            /* paths, expanded; they need not exist */
	bool             are_identity_files_preset; /* nothing was set: the usual places, where one that is missing is no cause for words */
	bool             identities_only;
	const char      *identity_agent;            /* path of the agent's socket; NULL: no agent is to be used, or there is none */
	struct ssh_words certificate_files;
	struct ssh_words preferred_authentications; /* "publickey", ...: in that order, others not at all */
	bool             publickey_authentication, keyboard_interactive_authentication, password_authentication;
	bool             gssapi_authentication, hostbased_authentication;
	const char      *publickey_algorithms;      /* this and the other lists of algorithms: as written (see ssh_algorithms_choose); NULL: not set */
	int              password_prompts;
	bool             batch_mode;                /* ask the user nothing */

	/* Who they are. */
	struct ssh_words   user_known_hosts, global_known_hosts; /* paths, expanded */
	const char        *host_key_alias;                       /* in lower case; NULL: none */
	enum ssh_key_check strict_host_key_checking;
	bool               hash_known_hosts, check_host_ip;
	const char        *host_key_algorithms;

	/* The way there. */
	struct ssh_hop       *jumps; /* in the order in which they are passed; what they say has been expanded */
	size_t                n_jumps;
	const char           *proxy_command; /* as written; NULL: none. Only OpenSSH runs it */
	int64_t               connect_timeout_ms;    /* 0: the system's */
	int                   connection_attempts;   /* at least 1 */
	int64_t               alive_interval_ms;     /* 0: no messages */
	int                   alive_count_max;
	bool                  tcp_keep_alive;
	enum ssh_family       address_family;
	const char           *bind_address; /* NULL: any */
	bool                  compression;
	const char           *kex_algorithms, *ciphers, *macs;
	enum ssh_canonicalize canonicalize_hostname;
	const char           *remote_command; /* as written; NULL: none. Never run; for those who call ssh, which then refuses a command */
	const char           *tag;

	struct ssh_unhonoured *unhonoured; /* in the order of ssh_keywords */
	size_t                 n_unhonoured;
	bool                   needs_openssh; /* one of them falls back */
	struct ssh_given      *given; /* in the order of ssh_keywords */
	size_t                 n_given;

	struct arena arena; /* holds all of that */
};

enum { SSH_EXEC_TIMEOUT_MS = 10000, SSH_FILE_MAX = 1024 * 1024 };

/* The machine that pitwall runs on, as far as ssh_config asks for it. Tests and the fuzzer have one of their own. Texts are lent. */
struct ssh_machine {
	const char *user, *home; /* of the local user; home without a slash at its end */
	uint32_t    uid;
	const char *name;        /* this machine's */

	/* Appends the file's text. ERR_NOT_FOUND: there is none. A directory is an empty file, as for ssh. */
	enum err (*read)(void *arg, const char *path, struct buf *to, struct why *why);
	/* Calls `each` for the paths that a glob pattern matches, in their order; that there are none is no error. */
	enum err (*list)(void *arg, const char *pattern, enum err (*each)(const char *path, void *each_arg), void *each_arg, struct why *why);
	/* Runs a command of Match exec in the user's shell and says whether its status was 0. NULL: commands are refused. */
	enum err (*run)(void *arg, const char *command, bool *succeeded, struct why *why);
	enum err (*home_of)(void *arg, const char *user, struct buf *to, struct why *why); /* ~user */
	const char *(*environment)(void *arg, const char *name);                             /* NULL: not set */
	void *arg;
};

/* This machine and this user, as the system has them. Release it after its last use. */
struct ssh_local {
	struct ssh_machine machine;
	struct arena       arena;
};
enum err ssh_local_init(struct ssh_local *l, struct why *why);
void     ssh_local_release(struct ssh_local *l);

struct ssh_question {
	const char *destination; /* [user@]host or ssh://[user@]host[:port] */
	const char *user;        /* stands above all that is written; NULL: none is asked for */
	int         port;        /* the same; 0: none */
	const char *jumps;       /* the same, as ProxyJump's value (what ssh -J takes); NULL: none */
	const char *file;        /* in place of ~/.ssh/config and the system's file, as ssh -F (then it must be there); "none": no file */
	const char *system_file; /* NULL: /etc/ssh/ssh_config, or none where `file` is set */
};

/* Reads what is set. On success `out` is to be released. ERR_FORMAT: the files hold mistakes, all of them added to `d` (may be NULL) as FILE:LINE
 * and a sentence; ERR_USAGE: the destination, user or port is no good; ERR_DENIED: a file is not safe to follow, or RefuseConnection says no;
 * ERR_LIMIT: too much to read. */
enum err ssh_config_resolve(const struct ssh_question *q, const struct ssh_machine *m, struct ssh_settings *out, struct diagnostics *d,
	struct why *why);
void     ssh_settings_release(struct ssh_settings *s); /* safe on a zeroed one */

/* The value that was written for the keyword (any case) and won; NULL: none was. */
const struct ssh_given *ssh_settings_given(const struct ssh_settings *s, const char *keyword);

/* What becomes of a list of algorithms: `written` as in a configuration (NULL: nothing) put to `defaults` as its '+', '-' or '^' says, patterns
 * taken from `known`, in OpenSSH's way. Both are comma lists of what the caller has, in order of preference. ERR_UNSUPPORTED: nothing is
 * left. Names that `known` lacks are left out: where nothing else remains, that is told. */
enum err ssh_algorithms_choose(const char *written, const char *defaults, const char *known, struct buf *to, struct why *why);

#endif
