/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet file, read: what is watched, as a flat list of targets with everything decided (defaults, profile, group, node and endpoint
 * applied in this order), and the settings beside it. docs/fleet-file.md describes the file. A fleet never changes once made; after a
 * change of its files a new one is made (fleet_refresh) and the two are compared by fleet_target.labels. Nothing here opens a socket. */
#ifndef PITWALL_CONFIG_FLEET_H
#define PITWALL_CONFIG_FLEET_H

#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/err.h"
#include "base/labels.h"
#include "config/alerting.h"
#include "config/deploying.h"
#include "config/profile.h"
#include "config/secret.h"
#include "config/slo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FLEET_TARGETS_MAX  = 65536,
	FLEET_INTERVAL_MS  = 10000,           /* unless the file says otherwise */
	FLEET_TIMEOUT_MS   = 5000,            /* or the interval, where that is shorter */
	FLEET_MAX_SERIES   = 20000,           /* likewise */
	FLEET_MAX_SERIES_MOST = 400000,       /* a body of more lines is refused */
	FLEET_INTERVAL_MIN_MS = 100,
	FLEET_INTERVAL_MAX_MS = 24 * 3600 * 1000,
};

enum fleet_auth_kind { FLEET_AUTH_BEARER, FLEET_AUTH_BASIC };

enum fleet_gzip { FLEET_GZIP_AUTO, FLEET_GZIP_NEVER, FLEET_GZIP_ALWAYS };

struct fleet_auth {
	enum fleet_auth_kind kind;
	const char          *user;   /* FLEET_AUTH_BASIC */
	struct secret_source secret; /* the token or password; fetched at use by secret_read, on a worker */
};

struct fleet_tls {
	const char *ca_file, *cert_file, *key_file; /* absolute paths; "" where not set */
	const char *server_name;                    /* "" where not set: the URL's host */
	bool        insecure_skip_verify;
};

enum fleet_transport { FLEET_TRANSPORT_AUTO, FLEET_TRANSPORT_LIBSSH2, FLEET_TRANSPORT_OPENSSH };

/* A command of the site's own, run on a machine. */
struct fleet_exec {
	const char        *name;   /* a label name */
	const char *const *argv;   /* n_argv words; no shell reads them */
	size_t             n_argv;
	const char        *format; /* "prometheus", "json", "pairs" */
	const char *const *paths;  /* of "json": NAME=path.to.value */
	size_t             n_paths;
};

/* How a machine is asked over a shell. What is not said here is ssh_config's. */
struct fleet_ssh {
	const char             *user; /* "": as configured there */
	int                     port; /* 0: likewise */
	enum fleet_transport    transport;
	const char *const      *units, *const *logs;
	size_t                  n_units, n_logs;
	const struct fleet_exec *execs;
	size_t                  n_execs;
};

/* One endpoint to poll. Texts are never NULL. */
struct fleet_target {
	const char              *group, *node, *model;
	const char              *profile;     /* "": find out by asking (profile_guess) */
	const char              *url;         /* whole: scheme, host, port, path; no password in it. "ssh://[user@]host[:port]" and "local:" for machines */
	struct labels           *labels;      /* job, instance, group, node, model, profile and the user's own: the target's identity */
	int64_t                  interval_ms, timeout_ms; /* timeout <= interval */
	size_t                   max_series;  /* kept of a scrape */
	const struct fleet_auth *auth;        /* NULL: none */
	const struct fleet_tls  *tls;         /* NULL: the system's CAs, verified */
	enum fleet_gzip          gzip;        /* whether compressed answers are asked for */
	const struct fleet_ssh  *ssh;         /* not NULL: a machine that is asked over a shell, by SSH unless is_local */
	const char              *ssh_host;    /* of such a one: what one would type after `ssh`, without a user; "" otherwise */
	bool                     is_local;    /* this machine */
	bool                     has_path;    /* the file said the path; else it is the profile's, or /metrics with no profile */
	bool                     is_probe;    /* only perhaps there (fleet_default): not answering is no failure until it once has */
	int                      line;        /* of the file that it comes from */
};

/* Facts about a model that screens may show. */
struct fleet_model {
	const char *name;  /* as in the groups' `model:` */
	const char *title; /* "" where not set, as the others */
	const char *owner;
	const char *runbook;
};

struct fleet_group {
	const char *name, *profile, *model; /* profile and model "" where not set for the group as a whole */
	size_t      first, n;               /* its targets are targets[first] to targets[first + n - 1] */
	bool        is_not_deployed;        /* `deploy: none` */
	size_t      deploy;                 /* of its own: its place in fleet->deploys, from 1; 0: none */
};

/* How whoever sits before a console is called when a critical group of alerts is new: the bell, a desktop notification and the bell, or not. */
enum fleet_attention { FLEET_ATTENTION_BELL, FLEET_ATTENTION_OSC, FLEET_ATTENTION_OFF };

/* What becomes of a console that records when its terminal is lost, or let go of by a person: while a run of a redeploy or rollback acts, it goes on in the background until that has
 * ended; it goes on recording, whatever runs; it ends, and what runs is interrupted (let go of by a person: as FINISH). */
enum fleet_hangup { FLEET_HANGUP_FINISH, FLEET_HANGUP_RECORD, FLEET_HANGUP_INTERRUPT };

struct fleet_keeping { /* how long the store keeps things, and how large its file may become; bytes 0: as large as that takes */
	int64_t samples_ms, events_ms, bytes, rollups_ms; /* rollups_ms: of hours; of five minutes a quarter of that */
};
enum { FLEET_SAMPLES_DAYS = 30, FLEET_ROLLUPS_DAYS = 400, FLEET_EVENTS_DAYS = 365 }; /* where the fleet file says nothing */

struct roles;
struct fleet_receiver; /* config/receivers.h, likewise the next */
struct fleet_alertmanager;

struct fleet_files; /* opaque: what was read, to see changes */

struct fleet {
	const char          *name;     /* "" where the file gives none */
	const char          *path;     /* the fleet file's, absolute; "" for fleet_default */
	struct fleet_target *targets;  /* in the order of the file */
	size_t               n_targets;
	struct fleet_group  *groups;
	size_t               n_groups;
	struct fleet_model  *models;
	size_t               n_models;
	struct fleet_deploy *deploys;  /* those of groups in their order, then those of models */
	size_t               n_deploys, n_group_deploys;
	struct fleet_slo    *slos;
	size_t               n_slos;
	const char *const   *rules;    /* absolute paths of the rule files that the globs found, each once, sorted per glob */
	size_t               n_rules;
	struct fleet_alerting alerting;
	struct fleet_receiver *receivers; /* who is told of alerts */
	size_t               n_receivers;
	struct fleet_alertmanager *alertmanagers;
	size_t               n_alertmanagers;
	const char          *store;    /* path of the store, absolute; "" where not set */
	struct fleet_keeping keep;
	enum fleet_attention attention;
	enum fleet_hangup    on_hangup;
	const char          *theme;    /* "" where not set */
	const char          *keys;     /* a key file, absolute; "" where not set */
	const struct roles  *roles;    /* config/roles.h; NULL where the file has none */
	struct fleet_files  *files;    /* private */
};

/* The fleet file to be used: `given` (from --config, NULL where not given), $PITWALL_CONFIG, $XDG_CONFIG_HOME/pitwall/fleet.yml
 * (default ~/.config), /etc/pitwall/fleet.yml. The first two must exist when set; the others are looked for. ERR_NOT_FOUND with
 * `*path` untouched: there is none at all (why says where was looked). *path is freed by the caller. */
enum err fleet_find(const char *given, char **path, struct why *why);

/* Reads a fleet file and the target files that it names. All mistakes go to `d`, in the order of their places. ERR_FORMAT: the fleet
 * file has errors (d has them, why the first); mistakes in a target file are reported but do not fail it: its targets are missing.
 * Other errors as opening the file gives them (they are in d too). `p` gives ports and paths, is lent for the call only. Reads files:
 * may block. */
enum err fleet_read(const char *path, const struct profiles *p, struct diagnostics *d, struct fleet **out, struct why *why);

/* As fleet_read, of text in memory; relative paths start at the folder of `name`. For tests, the demo and fuzzing. */
enum err fleet_parse(const char *text, size_t n, const char *name, const struct profiles *p, struct diagnostics *d, struct fleet **out,
                     struct why *why);

/* A hash of the files that it was read from: the same for whoever reads them again, after another start too, as long as none has changed. */
uint64_t fleet_stamp(const struct fleet *f);

/* With no fleet file: this machine, and the well-known loopback ports of inference servers and exporters, as probes. */
enum err fleet_default(const struct profiles *p, struct fleet **out, struct why *why);

void fleet_free(struct fleet *f); /* NULL is fine */

/* Has any file that this fleet was read from changed, come or gone since (by time, size and inode)? Only looks (stat, glob); for a
 * fleet without files false. A fleet parsed from memory watches its target and rule files. */
bool fleet_has_changed(const struct fleet *f);

/* A new fleet after such a change. A file whose new version is broken is reported in `d` and counts as it last was when it was good; a
 * target file that is gone has no targets any more. Fails only for want of memory or when the result passes a ceiling; `old` stays
 * whole either way. */
enum err fleet_refresh(const struct fleet *old, const struct profiles *p, struct diagnostics *d, struct fleet **out, struct why *why);

/* ---- small helpers for those who poll and show ---- */

/* The target's URL with another path ("/v2/models"), appended to `to`: scheme, host and port stay. */
enum err fleet_url_with_path(const char *url, const char *path, struct buf *to);

#endif
