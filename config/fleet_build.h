/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the fleet reader share while a fleet is being made. Private to config/. */
#ifndef PITWALL_CONFIG_FLEET_BUILD_H
#define PITWALL_CONFIG_FLEET_BUILD_H

#include "base/arena.h"
#include "base/yaml.h"
#include "config/fleet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* ---- files that were read (watch.c) ---- */

struct stamp {
	bool     exists;
	uint64_t device, inode;
	int64_t  size, seconds, nanoseconds;
};

struct kept_file {
	char        *path;  /* owned */
	struct stamp stamp; /* as it was when last read, good or not */
	bool         is_kept;
	struct buf   good;  /* its text as it last was without mistakes; only where is_kept */
};

struct kept_glob {
	char    *pattern; /* owned */
	uint64_t found;   /* a hash of the paths that it found */
};

struct fleet_files {
	struct arena      arena; /* all texts of the fleet */
	struct kept_file *files;
	size_t            n_files, cap_files;
	struct kept_glob *globs;
	size_t            n_globs, cap_globs;
	struct buf        text;  /* of a fleet that was parsed from memory, to make it again */
	char             *name;  /* owned: the name that it was given */
	bool              is_in_memory;
};

/* What a stat said, in short. */
struct stamp stamp_of(const struct stat *st);

/* The files that a pattern finds (sorted), each given to `each`; the pattern is kept in `files`. ERR_MEMORY. */
enum err files_glob(struct fleet_files *files, const char *pattern, enum err (*each)(const char *path, void *arg), void *arg,
                    size_t *n_found);

/* A new entry for a file with its present stamp; ERR_MEMORY. */
enum err files_add(struct fleet_files *files, const char *path, struct kept_file **out);
const struct kept_file *files_find(const struct fleet_files *files, const char *path);
bool                    files_have_changed(const struct fleet_files *files);
void                    files_free(struct fleet_files *files);
bool                    is_pattern(const char *path); /* has *, ? or [ */

/* ---- settings that are inherited (settings.c) ---- */

struct own_label {
	const char             *name, *value;
	const struct own_label *outer; /* set before this one */
	size_t                  depth;
};

struct settings {
	const char              *profile, *model, *job, *scheme, *path; /* NULL: not set */
	int                      port;                                  /* 0: not set */
	int64_t                  interval_ms, timeout_ms;               /* 0: not set */
	int64_t                  max_series;                            /* likewise */
	const struct fleet_auth *auth;
	const struct fleet_tls  *tls;
	enum fleet_gzip          gzip;
	const struct fleet_ssh  *ssh;     /* NULL: not asked over a shell */
	const struct own_label  *labels;
	const struct yaml_node  *auth_at; /* where auth was set */
};

/* Where a target stands; only valid while its file's tree is there. */
struct origin {
	const struct yaml_node *at;
	bool                    is_outside; /* in a target file */
};

struct build {
	struct arena              *arena; /* = &files->arena */
	const struct profiles     *profiles;
	const struct fleet        *old;   /* what was there before; NULL */
	struct diagnostics        *d;
	const struct yaml         *y;     /* the file that is being read */
	const struct yaml         *fleet_y;
	struct origin             *origins; /* of each target */
	const char                *folder;
	struct fleet              *fleet;
	size_t                     cap_targets, cap_groups;
	size_t                     cap_deploys;
	size_t                     outside_errors; /* of target files: they do not fail the fleet file */
	enum err                   err;            /* ERR_MEMORY or ERR_LIMIT: stop */
};

/* Lays the settings of the mapping over `s`; reports mistakes. */
void inherited_read(struct build *b, const struct yaml_node *map, struct settings *s);

/* A label of the user's, checked. */
void settings_label(struct build *b, struct settings *s, const struct yaml_node *name, const struct yaml_node *value);

/* ---- authentication and TLS (auth.c) ---- */

const struct fleet_auth *auth_read(struct build *b, const struct yaml_node *node);
const struct fleet_tls  *tls_read(struct build *b, const struct yaml_node *node);

/* One of env, file, command; `what` is the key that holds it. False: reported. */
bool secret_source_read(struct build *b, const struct yaml_node *node, const char *what, struct secret_source *out);

/* The words of a command, ended by NULL. NULL: reported. */
const char *const *words_read(struct build *b, const struct yaml_node *list);

/* ---- who is told (receivers.c) ---- */

void receivers_read(struct build *b, const struct yaml_node *list);
void receivers_release(struct fleet *f); /* what is not in the arena */
void alertmanagers_read(struct build *b, const struct yaml_node *list);

/* ---- machines (machine.c) ---- */

extern const struct fleet_ssh plain_ssh; /* ssh: yes */

/* A list of texts without control characters, in the arena; what is wrong is reported, and left out. NULL: not there, or no memory. */
const char *const *list_read(struct build *b, const struct yaml_node *map, const char *key, size_t *n);

const struct fleet_ssh *ssh_read(struct build *b, const struct yaml_node *node);
bool                    is_ssh_word(const char *text); /* a user's name that can mean nothing else */

struct ssh_place {
	const char *user; /* "": as configured */
	const char *host;
	int         port; /* 0: as configured */
};

/* Splits "ssh://[user@]host[:port]" into the arena; what it does not say is the settings'; reports at `at`. */
bool ssh_place_read(struct build *b, const struct yaml_node *at, const char *text, const struct fleet_ssh *settings, struct ssh_place *out);

/* ---- alerts (alerting.c) ---- */

/* What `alerts:` says (NULL: it is not there), with defaults where it says nothing; polled_ms: the interval of `defaults`, 0 for none. */
void alerting_read(struct build *b, const struct yaml_node *map, int64_t polled_ms);
void alerting_release(struct fleet_alerting *a); /* safe on a zeroed one */

/* ---- targets (targets.c) ---- */

/* Where a target is, in pieces. */
struct place {
	const char *scheme; /* NULL: of the settings, the profile, http */
	const char *host;   /* IPv6 without brackets */
	int         port;   /* 0: of the settings, the profile */
	const char *path;   /* NULL: of the settings, the profile, /metrics; may hold a query */
};

/* Splits "[scheme://]host[:port][/path[?query]]" into the arena; reports at `at`. */
bool place_read(struct build *b, const struct yaml_node *at, const char *text, struct place *out);

/* Adds one target of `group`. */
void target_add(struct build *b, const char *group, const char *node, const struct place *place, const struct settings *s,
                const struct yaml_node *at);

/* Adds a machine that is asked over a shell: NULL is this one. */
void machine_target_add(struct build *b, const char *group, const char *node, const struct ssh_place *place, const struct settings *s,
                        const struct yaml_node *at);

/* Drops targets from number `n` on. */
void targets_cut(struct build *b, size_t n);

/* Reports and drops targets that are there twice. */
void targets_check(struct build *b);

/* ---- redeploy and rollback (deploying.c) ---- */

/* What `deploy` of the mapping says, if it is there, of a group (NULL: of the model as such). Returns false where it says `none`. */
bool deploy_read(struct build *b, const struct yaml_node *map, const char *group, const char *model);

/* ---- objectives (slo.c) ---- */

void slos_read(struct build *b, const struct yaml_node *list);

/* ---- groups (groups.c), target files (target_file.c) ---- */

void groups_read(struct build *b, const struct yaml_node *list, const struct settings *defaults);

/* The targets of all files that a glob finds. */
void target_files_read(struct build *b, const struct yaml_node *at, const char *pattern, const char *group, const struct settings *s);

/* The targets of one parsed target file; only reports mistakes where there are some. */
void target_file_parse(struct build *b, const struct yaml *y, const char *group, const struct settings *s);

/* This machine's name, in the arena (fleet_default.c). */
const char *this_machine(struct build *b);

/* An empty one (fleet.c); NULL: no memory. */
struct fleet *fleet_new(void);

/* Out of memory: remembered in b->err. Returns p, for `x = keep(b, arena_text(...))`. */
void *keep(struct build *b, void *p);

#endif
