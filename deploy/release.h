/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside driver release-symlink: what a machine tells of its releases, and the scripts that change which is current. The layout is Capistrano's:
 * ROOT/{current -> releases/NAME, releases/NAME/, revisions.log}, with REVISION in each release. The driver keeps to what it writes there, so that both can
 * be used on the same folder. */
#ifndef PITWALL_DEPLOY_RELEASE_H
#define PITWALL_DEPLOY_RELEASE_H

#include "base/arena.h"
#include "deploy/ask.h"
#include "deploy/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RELEASES_MAX = 100, RELEASE_NAME_MAX = 100 };

struct release {
	const char *name;
	const char *revision;  /* the first line of REVISION */
	const char *hash;      /* of the configuration's files; "" none */
	const char *by;        /* who brought it last, as revisions.log tells */
	int64_t     at_ms;     /* of REVISION_TIME, or of a name of 14 digits; 0: not known */
	size_t      n_missing; /* files that a complete one has */
	bool        was_current; /* revisions.log says so, or it is */
};

struct releases {
	struct release items[RELEASES_MAX]; /* the highest name first; numbers in names count as numbers */
	size_t         n;
	bool           has_more;
	const char    *current, *process; /* names; "" none, or nothing of ours. process: where the service's main process works */
	const char    *lock;              /* who holds it, in a line; "" nobody */
	int64_t        free_kb;           /* -1: not told */
	bool           is_there;          /* the folder and releases/ */
};

/* Letters, digits, '.', '_', '+' and '-', not beginning with a '.' or '-'. */
bool release_is_name(const char *name);
int  release_compare(const char *a, const char *b);

/* What asks for all of it. `pid_of` are the words of a command that prints the main process' id, or none. */
void release_ask_list(struct arena *a, const char *root, const struct words *complete, const struct words *config, const struct words *pid_of, struct ask *to);
void release_read(struct arena *a, const char *text, size_t n, struct releases *out);

/* Steps' asks. All may be taken twice. `owner` is a line of text. */
void release_ask_lock(struct arena *a, const char *root, const char *key, const char *owner, struct ask *to);
void release_ask_check(struct arena *a, const char *root, const char *name, const char *manifest, const struct words *complete, struct ask *to);
void release_ask_switch(struct arena *a, const char *root, const char *from, const char *name, const char *key, struct ask *to);
void release_ask_log(struct arena *a, const char *root, const char *key, const char *line, struct ask *to);
void release_ask_unlock(struct arena *a, const char *root, const char *key, struct ask *to);
void release_ask_remove(struct arena *a, const char *root, const char *const *names, size_t n, struct ask *to);

/* Their exit statuses, besides 0 and what commands make of themselves. */
enum { RELEASE_LOCKED = 7, RELEASE_MOVED = 8, RELEASE_INCOMPLETE = 9, RELEASE_GONE = 10 };

#endif
