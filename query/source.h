/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the query engine gets its samples: anything that can select series by matchers over a window. The store is one such source
 * (query/store_source.h), the recorder's recent window another, a test's table a third. */
#ifndef PITWALL_QUERY_SOURCE_H
#define PITWALL_QUERY_SOURCE_H

#include "base/err.h"
#include "base/matcher.h"
#include "store/reader.h"
#include "store/rollup.h"

#include <stddef.h>
#include <stdint.h>

struct query_source {
	/* As reader_select: all series that match with their samples in (after_ms, until_ms], stale marks included. What is lent is there until the
	 * evaluation is over, whatever else it selects. */
	enum err (*select)(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
	                   size_t max_samples, struct series_set *out, struct why *why);
	/* Where a window over (after_ms, until_ms] really begins: after_ms, or later in a source that knows that nobody looked before then, so
	 * that rate() does not divide by time of which nothing is known. No sample may be left out by it. NULL: at after_ms. */
	int64_t (*begins)(const struct query_source *self, int64_t after_ms, int64_t until_ms);
	/* As reader_rollups. NULL: the source has samples alone. */
	enum err (*rollups)(const struct query_source *self, int level, unsigned fields, const struct matcher *m, size_t n, int64_t after_ms,
	                    int64_t until_ms, size_t max_cells, struct rollup_set *out, struct why *why);
	void *ctx; /* the source's own */
};

#endif
