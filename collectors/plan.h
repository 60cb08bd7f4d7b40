/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of a body: the text between its numbers, and what each number is. A body with the same text has the same series,
 * and is valid if its numbers are numbers and meet the plan's checks: nothing else needs to be looked at. Plans and layouts never change
 * once made; targets that say the same share them through the pool. Private to the parser. */
#ifndef PITWALL_COLLECTORS_PLAN_H
#define PITWALL_COLLECTORS_PLAN_H

#include "collectors/ceiling.h"
#include "collectors/chunk.h"
#include "collectors/draft.h"
#include "collectors/exposition.h"
#include "collectors/known.h"
#include "collectors/notes.h"
#include "collectors/series_pool.h"

struct plan {
	struct plan              *next; /* of the pool's bucket */
	struct exposition_pool   *pool;
	uint64_t                  hash;
	size_t                    refs;
	enum exposition_format    format;
	struct exposition_layout *layout;
	size_t                    n_lines, n_chunks;
	struct chunk            **chunks;    /* n_lines + 1 pieces: before the first number, ..., behind the last */
	struct notes             *notes;
	size_t                    timestamps, exemplars;
	size_t                    n_said;      /* series of the body, also those that are not kept */
	size_t                    text_len;    /* of the body without its numbers, or more */
	size_t                    own_bytes;   /* of a plan that is one target's alone, what it adds to the pool's own_bytes */
	bool                      is_own;
	bool                      can_predict; /* no line is so long that a longer number could pass the ceiling */
};

/* The plan of a body that was parsed strictly: one that is known, or a new one. The caller owns a reference. Where not all series are kept, `choice` has a
 * place for each, and the plan is this target's alone. */
enum err plan_get(struct exposition_pool *pool, const struct draft *d, const char *body, size_t len, enum exposition_format format,
                  const struct exposition_layout *before, const struct choice *choice, struct plan **out);
void     plan_unref(struct plan *p); /* NULL is fine */

/* The last few plans that no target has any more stay for a while: a series that comes and goes brings the same two plans in turn, and who comes back says
 * what it said. */
enum { PLANS_KEPT = 4, PLANS_KEPT_TEXT_MAX = 256 << 10 };
void     plans_forget_kept(struct exposition_pool *p);

/* Reads a body that has the plan's text: `values` has one item a line. False: it is another body, or one that may not be valid; then some values may
 * have been read already. */
bool plan_predict(const struct plan *p, const char *body, size_t len, double *values);
extern bool predict_plainly; /* for tests: the way of processors that can't read a block at once; false */

/* Shared by all who are in a pool. */
struct exposition_pool {
	size_t                     refs; /* the pool's own, and one a layout or plan */
	struct exposition_layout **layouts; /* POOL_BUCKETS */
	struct plan              **plans;
	struct notes             **notes;   /* NOTES_BUCKETS */
	struct plan               *kept[PLANS_KEPT]; /* referenced; NULL: free */
	size_t                     n_kept;  /* that were put there, ever */
	struct chunks              chunks;
	struct series_pool         series;  /* of the layouts */
	struct known               known;
	struct draft               draft;   /* of the body being parsed */
	struct buf                 scratch;
	size_t                     own_bytes; /* text of plans that nobody shares */
	size_t                     n_targets, n_in_a_row; /* bodies that were predicted since the last one that was not */
};
enum { POOL_BUCKETS = 1024 };

/* The layout with these series: `before`, one that the pool knows, or a new one. The caller owns a reference. */
enum err layout_get(struct exposition_pool *pool, struct labels *const *series, size_t n, const struct exposition_layout *before,
                    struct exposition_layout **out);

#endif
