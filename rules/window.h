/* SPDX-License-Identifier: Apache-2.0
 *
 * The recent past of one target in memory, for its rules: a ring of scrapes, of each only the series that some rule selects. What to
 * keep is found once for a layout (a shape) and shared by all targets that say the same, so that a target costs its numbers alone and
 * taking in a scrape is copying them.
 *
 * A series that is not in the layout any more is stale, and its past is there for as long as the window reaches back, as it is in the
 * store. */
#ifndef PITWALL_RULES_WINDOW_H
#define PITWALL_RULES_WINDOW_H

#include "base/err.h"
#include "base/labels.h"
#include "base/matcher.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A selector of a parsed query, borrowed from it. */
struct window_selector {
	const struct matcher *m;
	size_t                n;
};

struct query_batch;
struct shape_cache; /* the shapes of all targets with the same selectors */

/* `selectors` is lent for the cache's life. A shape keeps `series_max` series at the most. */
enum err shape_cache_new(const struct window_selector *selectors, size_t n, size_t series_max, struct shape_cache **out, struct why *why);
void     shape_cache_free(struct shape_cache *c); /* after its windows; NULL is fine */
/* From now on shapes know what of the batch's queries gives nothing over them. `may_see_more` [n] says of a selector that it selects elsewhere
 * too. Both are lent. */
void     shape_cache_mark(struct shape_cache *c, const struct query_batch *b, const bool *may_see_more);
size_t   shape_cache_count(const struct shape_cache *c);

struct window;

/* A window over the last `keep_ms` at the least, for scrapes every interval_ms. `c` is lent. */
enum err window_new(struct shape_cache *c, int64_t keep_ms, int64_t interval_ms, struct window **out, struct why *why);
void     window_free(struct window *w); /* NULL is fine */
void     window_clear(struct window *w); /* forgets all samples */

/* From now on scrapes have these series; others that have samples in the window are stale from the next one on. *n_left_out (may be NULL): how many were selected but beyond
 * series_max. On failure the window is as it was. */
enum err window_set_layout(struct window *w, struct labels *const *series, size_t n, size_t *n_left_out, struct why *why);

/* Series that are gone have left the window: time to set the layout anew, so that they cost nothing and the shape is shared again. */
bool window_has_outlived(const struct window *w);

/* Takes in a scrape: `n` values as the layout has series. Where the time does not rise (the clock was set back), what was there is
 * forgotten. */
void window_push(struct window *w, int64_t wall_ms, const double *values, size_t n);
/* The target said nothing: all of its series are stale as of now. */
void window_push_stale(struct window *w, int64_t wall_ms);

/* As reader_select (store/reader.h). Quick for the selectors that the window was made for. */
enum err window_select(const struct window *w, const struct matcher *m, size_t n, int64_t after_ms, int64_t until_ms, size_t max_samples,
                       struct series_set *out, struct why *why);
/* Which of the selectors this is, by its address; `hint` is where to look first. The number of selectors when it is none of them. */
size_t window_selector_index(const struct window *w, const struct matcher *m, size_t hint);

/* What gives nothing now, for query_batch_begin; NULL: nothing is known. Lent until the next change of layout. */
const uint8_t *window_empty(const struct window *w);

/* Where the time that was looked at begins in (after_ms, until_ms]: just before the first answer in it, where that is further from
 * after_ms than rate() would extrapolate (1.1 of the mean distance between answers); else after_ms. So a target's first minute, or the
 * minute after an outage, is as long as there are answers of it. */
int64_t window_begins(const struct window *w, int64_t after_ms, int64_t until_ms);

size_t window_series(const struct window *w); /* how many series it keeps */
size_t window_bytes(const struct window *w);  /* memory of its own, without what it shares */

#endif
