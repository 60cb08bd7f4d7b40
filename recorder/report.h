/* SPDX-License-Identifier: Apache-2.0
 *
 * What pitwall itself says of each scrape, as Prometheus does: up, scrape_duration_seconds and their kin. */
#ifndef PITWALL_RECORDER_REPORT_H
#define PITWALL_RECORDER_REPORT_H

#include "base/err.h"
#include "store/store.h"

#define REPORT_LIST(X)                                                     \
	X(UP,            "up")                    /* 1: scraped and parsed */   \
	X(DURATION,      "scrape_duration_seconds")                            \
	X(SAMPLES,       "scrape_samples_scraped")                             \
	X(POST_RELABEL,  "scrape_samples_post_metric_relabeling")              \
	X(SERIES_ADDED,  "scrape_series_added")   /* an estimate, as there */  \
	X(BODY_BYTES,    "scrape_body_size_bytes")

enum report {
#define X(id, metric) REPORT_##id,
	REPORT_LIST(X)
#undef X
	REPORT_COUNT
};

/* The layout of those REPORT_COUNT series, in their order. Lives as long as the store. */
enum err report_layout(struct store *s, const struct layout **out, struct why *why);

#endif
