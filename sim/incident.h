/* SPDX-License-Identifier: Apache-2.0
 *
 * What can go wrong in the simulated fleet, by name, and when it does. An incident is a record of what it does to a node's causes (load,
 * service time, cooling, context length...); the model turns causes into signals. A schedule is a list of incidents with start times.
 * Which group and which nodes are hit follows from the seed. */
#ifndef PITWALL_SIM_INCIDENT_H
#define PITWALL_SIM_INCIDENT_H

#include "base/err.h"
#include "sim/roster.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum down { DOWN_NOT, DOWN_SERVER, DOWN_NODE }; /* nothing; the inference server; the whole machine with its GPU exporter */

struct incident {
	const char *name, *summary;
	unsigned    kinds;       /* set of 1 << enum server_kind that it can hit */
	double      share;       /* of the group's nodes, at least one */
	double      duration_s;  /* 0: it stays */
	double      ramp_s;      /* until it has its full strength */
	double      service_x;   /* times the service time; 1: none */
	double      error_ratio; /* share of requests that fail besides the usual */
	double      accuracy;    /* added to the accuracy */
	double      cooling_x;   /* times the thermal resistance */
	double      context_x;   /* times the tokens of a prompt */
	bool        new_version; /* runs the group's next version */
	bool        hangs;       /* takes requests and finishes none */
	bool        gpu_fault;   /* its first GPU meets a memory error that ECC cannot put right */
	size_t      users;       /* series that a label with a user's name adds to its server's page */
	bool        new_users;   /* other users each second */
	enum down   down;
	double      period_s, down_s; /* down for down_s of every period_s; 0: all the time */
};

enum { INCIDENT_COUNT = 10, INCIDENT_DEMO = 8, SCHEDULE_MAX = 32 }; /* the first INCIDENT_DEMO are the demo's */

const struct incident *incident_at(size_t i); /* i below INCIDENT_COUNT */
const struct incident *incident_find(const char *name);

struct scheduled {
	const struct incident *incident;
	double                 start_s, repeat_s; /* repeat_s 0: once */
	bool                   stays;             /* whatever its duration says */
};

/* What somebody deployed on a node; the schedule's new versions come by themselves. */
enum deployed { DEPLOYED_NOTHING, DEPLOYED_OLD, DEPLOYED_NEXT };
struct deployment {
	enum deployed version;
	double        until_s; /* it loads until then, and does not answer */
};

struct schedule {
	uint64_t                 seed;
	size_t                   n;
	struct scheduled         entries[SCHEDULE_MAX];
	const struct deployment *deployments; /* of each node; NULL: nobody deploys anything */
};

/* The demo's: its incidents in turn, again and again, each time somewhere else. */
void schedule_demo(struct schedule *s, uint64_t seed);
/* Adds "NAME[@SECONDS]"; one that brings a new version then stays until somebody rolls it back. ERR_NOT_FOUND: no such incident; ERR_USAGE: the seconds are wrong; ERR_LIMIT: too many. */
enum err schedule_add(struct schedule *s, const char *text, struct why *why);

/* What all the incidents that are on do to one node at a time. */
struct effects {
	const struct incident *incident; /* the last one of the schedule that hits it, or NULL */
	double load_x, service_x, error_ratio, accuracy, cooling_x, context_x;
	bool   new_version, hangs, gpu_fault, new_users;
	size_t users;
	enum down down;
};
void schedule_effects(const struct schedule *s, const struct roster *f, size_t node, double t_s, struct effects *out);

#endif
