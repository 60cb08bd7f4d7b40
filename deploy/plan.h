/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: what one run of a redeploy or rollback would do, whole and in words of its own, so that the sheet, a script and the journal all read the same. It is made
 * once by the recorder, kept in the store as JSON, and never changes: what is confirmed is its hash. What becomes of it stands in the deployment's row and its steps (store/deployments.h). */
#ifndef PITWALL_DEPLOY_PLAN_H
#define PITWALL_DEPLOY_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "deploy/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PLAN_UNITS_MAX = 5000,
	PLAN_BYTES_MAX = 32 * 1024 * 1024,
	PLAN_VERSIONS_MAX = 200,
	PLAN_WARNINGS_MAX = 200,
	PLAN_ACTIONS_MAX = 16,
	PLAN_HASH      = 65, /* SHA-256 in hexadecimal, with its NUL */
	PLAN_KEY       = 40, /* bytes of a run's key with its NUL: see struct planning */
	PLAN_TOUCHES_HALF = 2, /* more than one in so many: the name is to be typed */
};

/* How a version did here, by the store's own signals (deploy/health.h). */
enum health { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_BAD, HEALTH_COUNT };
const char *health_name(enum health h); /* "unknown", "good", "bad" */

struct plan_version {
	struct version version;  /* merged over the units: since_ms the latest */
	enum health    health;
	const char    *label;    /* as the label `version` of signal:model_version has it; "" not known */
	const char    *evidence; /* the sentence: "served 6d, p99 0.8 s, errors 0.1 %" */
	size_t         n_units;  /* that run it now */
};

struct plan_unit {
	struct unit     unit;
	const char     *from;    /* the id of the version that runs there, "" unknown */
	bool            is_same; /* it runs the version to go to already: nothing is done (rollbacks only) */
	const char     *skipped; /* why nothing is done there: it does not answer; "" */
	bool            is_down; /* it did not serve when it was looked at: it counts among those that are away until it was changed */
	size_t          wave;    /* from 0; n_waves where nothing is done */
	const char     *key;     /* of the run and this unit, see struct planning; "" where nothing is done */
	const char     *no_lock; /* why it can't be locked (deploy/lock.h), though others can; "" */
	const char     *takes_lock; /* the key of a stale lock that the sheet told of: confirming is to take it over; "" none */
	struct found    found;   /* its versions are left out of the JSON; `before` is kept */
	struct steps    forward, back;
};

enum confirm { CONFIRM_KEY, CONFIRM_NAME, CONFIRM_COUNT };

struct deploy_plan {
	enum deploy_kind     kind;
	const char          *key;      /* of the run */
	const char          *scope, *model, *driver;
	const char          *target;   /* what was asked for: a model's, group's or node's name */
	bool                 is_whole; /* see struct driver */
	struct plan_version *versions; /* newest first */
	size_t               n_versions;
	const struct plan_version *from, *to; /* among them; from NULL: units run several, or it is not known */
	struct plan_unit    *units;    /* by wave, then by name */
	size_t               n_units, n_waves;
	size_t               at_once;  /* units that may be away at the same time, those that are down among them */
	size_t               n_down;   /* nodes of the scope beside these units that are down */
	struct fleet_gate    gate;
	enum gate_failed     on_failure;
	struct warning      *warnings; /* the gravest first */
	size_t               n_warnings;
	struct driver_action *actions; /* what could be asked for instead of a version */
	size_t               n_actions;
	enum confirm         confirm;
	const char          *name;     /* what has to be typed for CONFIRM_NAME */
	bool                 takes_two;
	const char          *reason;   /* pre-filled from the alert */
	int64_t              alert;    /* 0: none */
	const char          *lock;     /* the path of the lock on the units' machines; "": none is made */
	const char          *no_lock;  /* then why; "" not looked at */
	const char          *fleet;    /* what the fleet's files were like (fleet_stamp); "" not known */
	int64_t              made_ms;
	int64_t              took_ms;  /* how long the last such run took; 0: none is known */
};

/* Units that are down, and the scope's other nodes: away before anything is begun. */
size_t plan_n_down(const struct deploy_plan *p);
/* Something is done there: it is in a wave. */
bool plan_unit_acts(const struct plan_unit *u);

/* Its JSON, and back (into the arena; not trusted). Writing: ERR_LIMIT: too large to be read again; ERR_FORMAT: an ask has bytes that are no UTF-8, and what is
 * written down must be what is sent (in texts for people they become U+FFFD). Both walk all of it: megabytes for thousands of units. */
enum err plan_write(const struct deploy_plan *p, struct buf *to);
enum err plan_read(struct arena *a, const char *text, size_t n, struct deploy_plan **out, struct why *why);
/* Of the text. */
void     plan_hash(const char *text, size_t n, char to[PLAN_HASH]);

/* What runs now, for people: "v11", "v10, v11"; "" not known. The longest are cut. */
enum { PLAN_FROM = 200 };
const char *plan_from(const struct deploy_plan *p, char to[PLAN_FROM]);

/* As in JSON: "redeploy", "rollback"; "note", "care", "serious", "forbids". */
const char *plan_kind_name(enum deploy_kind k);
const char *plan_warning_name(enum warning_level l);

bool plan_is_forbidden(const struct deploy_plan *p, const char **why); /* a warning forbids it */

/* Lines of text for `--dry-run`, without colour, of PLAN_COLUMNS at most; what the sheet shows, in its order. Safe for a terminal. */
enum { PLAN_COLUMNS = 100 };
enum err plan_print(const struct deploy_plan *p, struct buf *to);

#endif
