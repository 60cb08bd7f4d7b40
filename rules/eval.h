/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals: after each scrape of a target the recording rules of its profile are evaluated over what that target said lately
 * (rules/window.h), and the results make one frame. Targets do not see each other, nor do rules see the labels that a target was given;
 * those are laid over the frame when it is read.
 *
 * Threads: an engine, its targets and its frames belong to one thread (the recorder's). Nothing here waits for a disk, but for
 * signal_target_prime. */
#ifndef PITWALL_RULES_EVAL_H
#define PITWALL_RULES_EVAL_H

#include "base/diagnostics.h"
#include "base/err.h"
#include "base/labels.h"
#include "config/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;
struct signal_engine; /* the profiles' rules, parsed once */
struct signal_target; /* one target's recent past and its signals */

struct signal_options {
	size_t series_max; /* of one target that its rules may look at; 0: 20,000. More are not looked at, which is reported once */
	/* A rule that failed (a many-to-many match, a name twice, too many series) is reported here once for each target; it costs its own
	 * results only. `target_ctx` is what the target was made with. May be NULL. */
	void (*report)(void *ctx, void *target_ctx, const char *rule, const char *text);
	void *ctx;
};

/* `o` may be NULL. */
enum err signal_engine_new(const struct signal_options *o, struct signal_engine **out, struct why *why);
void     signal_engine_free(struct signal_engine *e); /* after its targets; NULL is fine */

/* Takes in a profile: its rules are read and checked, mistakes go to the diagnostics of its tree. The profile must live as long as the
 * engine. ERR_FORMAT: it has mistakes and is not there; ERR_EXISTS: one of that name is there. */
enum err signal_engine_add(struct signal_engine *e, const struct profile *p, struct why *why);
/* Takes in all of them; those with mistakes are left out. Fails only for want of memory. */
enum err signal_engine_add_all(struct signal_engine *e, const struct profiles *p, struct why *why);

/* A target of that profile ("" or NULL: none is known yet, so that there is signal:up alone), polled every interval_ms: where that is
 * more than a quarter of the profile's window, the ranges of its rules are widened to four intervals. ERR_NOT_FOUND: no such profile. */
enum err signal_target_new(struct signal_engine *e, const char *profile, int64_t interval_ms, void *target_ctx, struct signal_target **out,
                           struct why *why);
void     signal_target_free(struct signal_target *t); /* NULL is fine */

/* The signals of one moment, rounded (round_f64): what rates and quantiles have beyond eight digits says nothing and took a quarter of a store. `series` and `values` are lent until the next call for this target; a stale mark says that a signal which
 * was there before is absent now. The order is that of the rules, so that targets of a kind share a layout; signal:up comes first and
 * is always there. */
struct signal_frame {
	struct labels *const *series;
	const double         *values;
	size_t                n;
	bool                  has_new_series; /* `series` is not what it was at the last frame */
};

/* The target answered at wall_ms with `n` series and their values (stale marks for those that a layout has and the scrape had not).
 * `is_new_layout`: `series` may differ from the last call's; else only the values are looked at (the first call counts as new). */
enum err signal_target_scrape(struct signal_target *t, int64_t wall_ms, struct labels *const *series, const double *values, size_t n,
                              bool is_new_layout, struct signal_frame *out, struct why *why);

/* When the certificate ends that the target shows, in milliseconds since 1970 (0: it shows none), as of the next frame: that has signal:certificate_expiry_seconds
 * then, whatever the profile; where a rule gives it too, the lesser one counts. */
void signal_target_certificate(struct signal_target *t, int64_t expires_ms);

/* How many of its series are not kept, as of the next frame: that has signal:series_dropped then; 0: not. */
void signal_target_dropped(struct signal_target *t, size_t n);

/* The target did not answer: signal:up is 0, everything else absent, but for what the two above said. */
enum err signal_target_failed(struct signal_target *t, int64_t wall_ms, struct signal_frame *out, struct why *why);

/* The server began anew: what it said before the scrape that comes next does not count, so that its rates are those of what runs now. */
void signal_target_restarted(struct signal_target *t);

/* After a restart of ours: fills the recent past of the target from what the store has of it before now_ms, so that rates are there with the first
 * scrape. Reads the store: may block. On failure the past is as empty as it was. */
enum err signal_target_prime(struct signal_target *t, struct reader *r, int64_t target_id, int64_t now_ms, struct why *why);

/* Memory that the target holds for itself, in bytes; for measurements. */
size_t signal_target_bytes(const struct signal_target *t);

#endif
