/* SPDX-License-Identifier: Apache-2.0
 *
 * `deploy:` of the fleet file: how a group's model is redeployed and rolled back, in which waves, what has to hold between them, and who has to confirm. Options of
 * the driver are kept as they stand: deploy/option.h reads them. docs/fleet-file.md describes it. */
#ifndef PITWALL_CONFIG_DEPLOYING_H
#define PITWALL_CONFIG_DEPLOYING_H

#include "base/arena.h"
#include "base/err.h"
#include "base/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fleet_auth;
struct fleet_tls;

enum {
	DEPLOY_WAVES_MAX    = 16,
	DEPLOY_SOAK_MS      = 2 * 60 * 1000,  /* unless the file says otherwise */
	DEPLOY_WINDOW_MS    = 10 * 60 * 1000, /* of before, that signals are compared with */
	DEPLOY_MIN_REQUESTS = 20,
	DEPLOY_READY_MS     = 15 * 60 * 1000,
};
#define DEPLOY_LOCK_FOLDER "/tmp" /* unless the file says otherwise: all accounts of a machine can write there */

/* VERSION_UNKNOWN: the file does not say; then it is the driver where that can tell (deploy_resolve in deploy/scope.h), else a rollback can't be planned. */
enum version_source { VERSION_UNKNOWN, VERSION_DRIVER, VERSION_SIGNAL /* the label `version` of signal:model_version */, VERSION_STORE /* what the store has seen */ };

struct fleet_wave {
	bool   is_share; /* of all units, else a number of them */
	double n;        /* (0, 1] or 1, 2, ... */
};

/* What has to hold after each wave. A limit of 0 is not looked at. */
struct fleet_gate {
	double  latency_ratio; /* p99 at most so many times what it is to be compared with; 1.2 */
	double  error_add;     /* error ratio at most so much above; 0.01 */
	double  quality_drop;  /* accuracy or quality at most so much below; 0.02 */
	double  memory_ratio;  /* GPU memory used; 1.1 */
	int64_t min_requests;  /* fewer in the soak are no data */
	int64_t soak_ms;
	int64_t window_ms;
	int64_t ready_ms;      /* a unit must serve within that after its change; loading takes minutes */
};

enum gate_failed { GATE_STOP, GATE_UNDO };

/* `auto_rollback`: rolls back by itself, within bounds. */
struct fleet_auto_rollback {
	bool    is_on;
	int64_t within_ms;   /* the alert must begin so soon after the version changed; 30 min */
	int64_t for_ms;      /* and fire for so long; 2 min */
	int64_t per_day;     /* at most; 1 */
	int64_t pause_ms;    /* dead band: none so soon after the last run of any kind; 1 h */
};

/* One scope: what is deployed as one. Texts are never NULL and live as long as the fleet. */
struct fleet_deploy {
	const char             *name;    /* of the scope: the group's, or the model's where it stands in `models` */
	const char             *model;
	const char             *group;   /* "": all groups of the model that have no `deploy` of their own */
	const char             *driver;
	const struct yaml_node *options; /* a copy: what `deploy` holds beside the keys below; an empty mapping where nothing */
	enum version_source     running, history; /* VERSION_UNKNOWN: a rollback can't be planned */
	struct fleet_wave       waves[DEPLOY_WAVES_MAX]; /* sizes one after another; what is left after the last is taken in waves of its size */
	size_t                  n_waves;
	struct fleet_wave       max_unavailable; /* units changed at once, within a wave */
	struct fleet_gate       gate;
	enum gate_failed        on_failure;
	bool                    is_protected; /* the name has to be typed */
	bool                    takes_two;    /* a second operator confirms */
	const char             *lock;         /* the folder on the machines where a run's lock stands (deploy/lock.h); "": there is none */
	struct fleet_auto_rollback auto_rollback;
	const struct fleet_auth *auth;   /* of ASK_HTTP; NULL: the targets' own is not used: none */
	const struct fleet_tls  *tls;
	int                     line, col; /* of the key `deploy` */
};

struct fleet;
struct fleet_group;

/* The scope that what a group serves of a model belongs to: the group's own, else the model's, unless the group says `deploy: none`. NULL: none. */
const struct fleet_deploy *fleet_deploy_of(const struct fleet *f, const char *group, const char *model);
/* The same where the group is at hand (NULL: it is none of the file's), without looking for it. */
const struct fleet_deploy *fleet_deploy_in(const struct fleet *f, const struct fleet_group *group, const char *model);
/* By its name. NULL: none. */
const struct fleet_deploy *fleet_deploy_find(const struct fleet *f, const char *name);

#endif
