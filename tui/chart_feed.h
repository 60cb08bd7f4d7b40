/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts as of a time: each need's PromQL evaluated over its span. Belongs to the feed. */
#ifndef PITWALL_TUI_CHART_FEED_H
#define PITWALL_TUI_CHART_FEED_H

#include "base/arena.h"
#include "base/err.h"
#include "query/query.h"
#include "store/reader.h"
#include "tui/view.h"

struct chart_results {
	struct query_result results[CHARTS_MAX];
	size_t              n;
};
void chart_results_release(struct chart_results *r);

/* A wrong expression fails its chart alone (chart_view.err); only a store that cannot be read, or `cancelled`, fails the call. */
enum err charts_read(struct reader *r, const struct chart_need *needs, size_t n, int64_t t_ms, const atomic_bool *cancelled, struct arena *a,
                     struct chart_results *results, struct charts_view **out, struct why *why);

#endif
