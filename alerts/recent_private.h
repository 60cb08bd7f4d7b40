/* SPDX-License-Identifier: Apache-2.0
 *
 * What recent.c, recent_held.c and recent_select.c share. */
#ifndef PITWALL_ALERTS_RECENT_PRIVATE_H
#define PITWALL_ALERTS_RECENT_PRIVATE_H

#include "alerts/recent.h"
#include "base/labels_index.h"
#include "store/tail.h"

/* How much later than at the time that it is for an evaluation may come and still find all in memory. */
enum { RECENT_SLACK_MS = 60 * 1000 };

/* One series of one track. Samples later than kept_from_ms are all there. */
struct held {
	struct labels *labels;
	struct track  *track;  /* NULL: of the past alone */
	struct held   *twin;   /* the next series with the same labels, of another track */
	bool           is_head; /* the first of such */
	bool           is_live, is_used;
	bool           is_lent; /* to an evaluation: its block may not be freed before that is over */
	uint64_t       seen;   /* the last step of its track that had it */
	int64_t        keep_ms, kept_from_ms;
	int64_t        marked_ms; /* when the newest stale mark was; INT64_MIN: none */
	int64_t       *t_ms;   /* [cap]; the values stand behind them in the same block */
	double        *v;
	size_t         first, n, cap;
};

struct held_list {
	struct held **items;
	size_t        n, cap;
};
enum err held_list_add(struct held_list *l, struct held *h);

/* A stream of a target, or what a group gave. */
struct track {
	int64_t        target;
	enum stream    stream;
	char          *group;  /* owned; NULL: a target's */
	struct labels *target_labels; /* referenced; NULL: not known yet */
	int64_t        layout; /* of the picks; 0: none */
	struct pick {
		uint32_t     position;
		struct held *held;
	} *picks;
	size_t           n_picks;
	struct held_list members;
	uint64_t         step;
	int64_t          last_ms; /* INT64_MIN: no frame yet */
};

struct selector {
	struct recent_selector of;
	const char            *metric; /* NULL: of any name */
	int64_t                keep_ms, kept_from_ms;
	struct held_list       held;
	bool                   is_beyond, has_twins;
	bool                   is_too_long; /* what it looks back over is more than may be kept */
};

/* What of a layout some selector may want, by the names of its metrics. */
struct shape {
	int64_t   layout;
	uint32_t *positions;
	size_t    n, n_layout;
	bool     *is_wanted;
};

struct recent {
	struct recent_options o;
	struct tail          *tail;
	bool                  is_started;
	int64_t               from_ms;  /* where following began */
	int64_t               swept_ms;
	size_t                n_frames; /* that were followed since, whoever's */
	uint64_t              n_passes; /* read once more for long windows */
	struct selector      *selectors; /* by their metrics, those of any name first */
	size_t                n_selectors, n_any;
	uint32_t             *by_address; /* [n_addresses]: open addressing, a number and 1 */
	size_t                n_addresses;
	struct track        **tracks;   /* [n_tracks]: by target and stream; borrowed from all_tracks */
	size_t                n_tracks;
	struct track         *last_group; /* that gave something */
	struct track        **all_tracks;
	size_t                n_all_tracks, cap_all_tracks;
	struct held_list      all;
	struct labels_index   by_labels; /* of `all` */
	struct shape         *shapes;   /* by layout */
	size_t                n_shapes, cap_shapes, shapes_series;
	size_t                samples;
	void                **retired;  /* blocks that were lent when a series outgrew them */
	size_t                n_retired, cap_retired;
	uint64_t              from_memory, from_store;
};

/* ---- recent_held.c ---- */

/* The first with these labels, or NULL. */
struct held *held_find(const struct recent *r, const struct labels *l);
/* Found or made; NULL in *out: nobody selects it, or there is no room for it, which its selectors then know. Takes the labels over. */
enum err held_of(struct recent *r, struct track *t, struct labels *l, struct held **out, struct why *why);
/* The same for a series that is known to be new. `kept_from_ms`: see struct held. */
enum err held_add(struct recent *r, struct track *t, struct labels *l, int64_t kept_from_ms, struct held **out, struct why *why);
/* Times rise. Without room for it the oldest one goes. */
enum err held_push(struct recent *r, struct held *h, int64_t t_ms, double v);
/* Samples of before the oldest one. ERR_LIMIT: no room. */
enum err held_prepend(struct recent *r, struct held *h, const int64_t *t_ms, const double *v, size_t n);
/* No evaluation goes on any more: what was lent is taken back. */
void     held_take_back(struct recent *r);
/* How many of its samples are not later than t_ms. */
size_t held_count_until(const struct held *h, int64_t t_ms);
/* Forgets what nobody needs any more. */
enum err held_sweep(struct recent *r, int64_t now_ms, struct why *why);
void     held_forget_all(struct recent *r);

/* ---- recent_plan.c ---- */

/* After the first reading: whether all is to be read once more from further back, for which it sets the selectors' keep_ms. */
bool recent_plan(struct recent *r, int64_t now_ms);

/* ---- recent.c (the first: recent_held.c) ---- */

/* Whether some selector wants series of that name. */
bool recent_wants_metric(const struct recent *r, const char *metric);
/* The selector with these matchers, or NULL. */
struct selector *recent_selector_find(const struct recent *r, const struct matcher *m);

#endif
