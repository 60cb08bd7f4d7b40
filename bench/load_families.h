/* SPDX-License-Identifier: Apache-2.0
 *
 * The families of a simulated node, as data. Names, bounds and help texts are those of vLLM 0.24, prometheus_client and the DCGM exporter. */
#ifndef PITWALL_BENCH_LOAD_FAMILIES_H
#define PITWALL_BENCH_LOAD_FAMILIES_H

#include <stddef.h>
#include <stdint.h>

/* How a value moves. */
enum motion {
	MOTION_STILL, /* it is `low` for ever */
	MOTION_NODE,  /* it is something between low and high for ever, another on each node */
	MOTION_WALK,  /* a gauge: steps of up to `step` between low and high, three times in four */
	MOTION_COUNT, /* a counter: up to `step` more a request */
	MOTION_TIME,  /* a counter: up to `step` more a second, whatever the traffic */
};

/* A sample of a family of its own, or one more of the family before, where `help` is NULL. Numbers are in units of 10^-scale; a
 * GPU's are printed as integers, or with six decimals where scale is not 0. */
struct sample_row {
	const char *name, *labels, *help, *type;
	enum motion motion;
	int         scale;
	int64_t     low, high, step;
};

struct histogram_row {
	const char        *name, *labels, *help;
	const char *const *bounds; /* without "+Inf" */
	size_t             n_bounds, mode; /* the bucket that most observations fall into */
	int                per_request;    /* observations of one request */
	int                scale;          /* of the sum */
};

extern const struct sample_row    load_samples[], load_gpu_fields[];
extern const size_t               load_n_samples, load_n_gpu_fields;
extern const struct histogram_row load_histograms[];
extern const size_t               load_n_histograms;

#endif
