/* SPDX-License-Identifier: Apache-2.0
 *
 * A kind of server, as data: the page of its metrics, how an observation of the model becomes their numbers, and what it answers
 * elsewhere. */
#ifndef PITWALL_SIM_EXPORTER_H
#define PITWALL_SIM_EXPORTER_H

#include "sim/model.h"
#include "sim/page.h"

#include <stddef.h>

/* What stands at a path. `path` and `body` have the % letters of page.h. */
struct route {
	const char *method, *path;
	int         status;
	const char *type; /* content type; NULL: none, for an empty body */
	const char *body;
};

struct tick {
	const struct page        *page;
	const struct group_spec  *spec;
	const struct observation *now;
	double                    dt; /* seconds that it covers */
	double                    created_s; /* Unix time of the server's start */
};

struct exporter {
	const char          *profile;      /* the profile that understands it */
	const char          *metrics_path, *metrics_type;
	struct dialect       dialect;
	const struct family *families;
	size_t               n_families, n_scalars;
	void (*fill)(const struct tick *t, double *values); /* adds to counters, sets gauges */
	const struct route  *routes;
	size_t               n_routes;
	struct route         not_found; /* its path is not used */
};

extern const struct exporter exporter_vllm, exporter_triton, exporter_tfserving, exporter_torchserve, exporter_dcgm;

/* The one for a group's servers. */
const struct exporter *exporter_for(enum server_kind kind);
/* True where the GPUs have an exporter of their own beside the server. */
bool exporter_needs_dcgm(enum server_kind kind);

/* What an evaluator adds to the page of a server that cannot know it: the share of right answers, and (where the server's own series do
 * not say it) which version of the model runs. docs/signals.md describes the convention. */
#define EVALUATOR_ACCURACY(slot_)                                                                                          \
	{ "model_accuracy_ratio", FAMILY_GAUGE, "Share of sampled answers that the evaluator judged right.",               \
	  "model=\"%m\",version=\"%v\"", slot_, SHOWN_REAL, NULL, false }
#define EVALUATOR_INFO(slot_)                                                                                              \
	{ "model_info", FAMILY_GAUGE, "The model and version that is served; always 1.", "model=\"%m\",version=\"%v\"", slot_, \
	  SHOWN_COUNT, NULL, false }

#endif
