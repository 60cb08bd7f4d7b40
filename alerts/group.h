/* SPDX-License-Identifier: Apache-2.0
 *
 * A group of rules, evaluated: at a time the rules run one after the other, each seeing what those before it recorded, and what they give
 * goes out as samples, as Prometheus has it: what is recorded, and for alerts ALERTS and ALERTS_FOR_STATE. A series that a rule gave at the
 * evaluation before and gives no more is marked stale.
 *
 * It knows no clock and no store: where samples are selected from and where they go to is the caller's business.
 *
 * Threads: none; a group belongs to one thread. An evaluation may block where its source does. */
#ifndef PITWALL_ALERTS_GROUP_H
#define PITWALL_ALERTS_GROUP_H

#include "alerts/life.h"
#include "base/clock.h"
#include "query/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alert_group;

/* What became of a rule at its last evaluation. */
struct rule_health {
	enum err err;       /* ERR_OK, or what failed: then its alerts are as they were, and blind */
	char     text[300]; /* the sentence */
	int64_t  at_ms;     /* of that evaluation; 0: none yet */
	size_t   n_results; /* of the last one that did not fail */
	int64_t  took_us;   /* 0: without a clock */
};

struct alert_group_options {
	const struct rule_group   *group;    /* lent, like all here */
	const struct query_source *source;
	const struct labels       *external; /* may be NULL, like the next */
	const char                *external_url;
	const struct clock        *clock;    /* how long rules take; NULL: nobody asks */
	/* A sample of a series; references to labels are to be taken. A failure ends the evaluation. */
	enum err (*put)(void *ctx, const struct labels *l, int64_t t_ms, double v);
	/* An alert of one of the rules changed, see life.h; may be NULL. */
	void     (*changed)(void *ctx, const struct rule *r, const struct alert *a, enum alert_state before, int64_t at_ms);
	int64_t  (*number)(void *ctx); /* likewise */
	void      *ctx;
};

/* ERR_FORMAT: a template is wrong; why says in which rule. */
enum err alert_group_new(const struct alert_group_options *o, struct alert_group **out, struct why *why);
void     alert_group_free(struct alert_group *g); /* NULL is fine */

/* Evaluates all rules. A rule that fails costs itself alone: its health tells. Fails only for want of memory, or as `put` did. */
enum err alert_group_step(struct alert_group *g, int64_t at_ms, struct why *why);

/* The rules' file changed: takes over what `before` had reached, rule by rule (rule_continues, alerts/rulebook.h; in their order, where several do). What
 * other rules of `before` gave is stale at the next evaluation. is_taken[i] tells of each rule of `before` whether it goes on. `before` is then to be
 * freed; on failure both are. As Prometheus has it: neither another expression nor another `for` makes an alert begin anew. */
enum err alert_group_take(struct alert_group *g, struct alert_group *before, int64_t now_ms, bool *is_taken, struct why *why);

/* The series that the rule gave at its last evaluation that did not fail; lent until the next one. */
struct labels *const *alert_group_given(const struct alert_group *g, size_t rule, size_t *n);

/* By the place of the rule in its group. The life is NULL for a rule that records. */
const struct rule_health *alert_group_health(const struct alert_group *g, size_t rule);
struct alert_life        *alert_group_life(struct alert_group *g, size_t rule);

#endif
