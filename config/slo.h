/* SPDX-License-Identifier: Apache-2.0
 *
 * `slo:` of the fleet file: what the users of a model are promised. rules/slo.h makes rules of it; docs/fleet-file.md and docs/alerts.md describe it. */
#ifndef PITWALL_CONFIG_SLO_H
#define PITWALL_CONFIG_SLO_H

#include <stddef.h>
#include <stdint.h>

#define SLO_WINDOW_MS (INT64_C(30) * 24 * 3600 * 1000)
enum { SLO_MAX = 256, SLO_REQUESTS_MIN = 1000 };

/* Texts live as long as the fleet. */
struct fleet_slo {
	const char *model;             /* "": all that have no item of their own */
	double      availability;      /* share of the requests that must not fail; 0: nothing is promised */
	double      latency_objective; /* share of the requests that must be served by a node that is quick enough; likewise */
	double      latency_seconds;   /* what is quick enough, */
	const char *latency_quantile;  /* by this: "p50", "p95", "p99", "mean" */
	int64_t     window_ms;         /* for which it is promised */
	int64_t     requests_min;      /* in the longer of an alert's two windows: with fewer it does not fire */
};

#endif
