/* SPDX-License-Identifier: Apache-2.0 */
#include "query/store_source.h"

static enum err select_from_reader(const struct query_source *self, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms,
                                   size_t max_samples, struct series_set *out, struct why *why)
{
	return reader_select(self->ctx, m, n, after_ms, until_ms, max_samples, out, why);
}

static enum err rollups_from_reader(const struct query_source *self, int level, unsigned fields, const struct matcher *m, size_t n, int64_t after_ms,
                                    int64_t until_ms, size_t max_cells, struct rollup_set *out, struct why *why)
{
	return reader_rollups(self->ctx, level, fields, m, n, after_ms, until_ms, max_cells, out, why);
}

struct query_source store_source(struct reader *r)
{
	return (struct query_source){ .select = select_from_reader, .rollups = rollups_from_reader, .ctx = r };
}
