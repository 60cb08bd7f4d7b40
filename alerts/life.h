/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of one alerting rule's alerts: inactive, pending, firing, inactive again, step by step as Prometheus goes about it, so that the same rule
 * on the same data has the same alerts at the same times. Pure: it is given the result of the rule's expression at a time, and tells what changed.
 * Source: the Prometheus documentation, "Alerting rules"; what its engine does at the edges was measured on it.
 *
 * Threads: none; one rule's life belongs to one thread. */
#ifndef PITWALL_ALERTS_LIFE_H
#define PITWALL_ALERTS_LIFE_H

#include "base/err.h"
#include "base/labels.h"
#include "rules/rule_file.h"
#include "rules/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };

/* How long one that is over is kept: a flapping one is known again, and "resolved" can be told again. */
enum { ALERT_RESOLVED_KEPT_MS = 15 * 60 * 1000 };

/* How many evaluations are looked back at for flapping (the 20 changes between them), and from which share of changes on an alert flaps, and no
 * longer does. The newest change weighs 1.25, the oldest 0.75. Source: Nagios, "Detection and handling of state flapping". */
enum { FLAP_STATES = 21, FLAP_HIGH_PERCENT = 30, FLAP_LOW_PERCENT = 20 };

struct alert {
	int64_t          id;          /* of this episode, from the life's owner; 0: it gave none */
	struct labels   *labels;      /* alertname and the rule's own laid over the result's; what it is told by */
	struct labels   *source;      /* the result's own, at the last evaluation at which it was true */
	enum alert_state state;
	double           value;       /* likewise */
	int64_t          true_ms;     /* when that was; of the evaluation, as all times here */
	int64_t          active_ms;   /* since when it is true */
	int64_t          fired_ms, resolved_ms; /* 0: not */
	int64_t          keep_since_ms;         /* first evaluation of `keep_firing_for` at which it was not true; 0: it is */
	uint32_t         states;      /* bit 0: whether it fired at the last evaluation, bit 1 the one before, ... */
	bool             is_flapping;
	double           flap_percent;
};

struct alert_life;

struct alert_life_options {
	const struct rule   *rule;     /* of kind RULE_ALERT; lent */
	size_t               limit;    /* the group's; 0: none */
	const struct labels *external; /* for templates; lent; may be NULL, like the next */
	const char          *external_url;
	enum err           (*query)(void *ctx, const char *expression, int64_t at_ms, struct query_result *out, struct why *why); /* see template.h */
	/* The id of an episode that begins; may be NULL. */
	int64_t            (*number)(void *ctx);
	/* An alert went from one state to another (a pending one that is true no longer goes to inactive), or began or ceased to flap. Lent for the call,
	 * which may call nothing of the life but alert_life_annotations. May be NULL. */
	void               (*changed)(void *ctx, const struct alert *a, enum alert_state before, int64_t at_ms);
	void                *ctx;      /* of all three */
};

/* ERR_FORMAT: a template of the rule is wrong, why says which. */
enum err alert_life_new(const struct alert_life_options *o, struct alert_life **out, struct why *why);
void     alert_life_free(struct alert_life *l); /* NULL is fine */

/* What the expression gave at `at_ms`, a vector: each sample is a condition that is true, whatever its value. ERR_EXISTS: two samples have the same
 * labels once the rule's are laid over; ERR_LIMIT: more alerts than the group's limit, and none is left (both as Prometheus has it). An evaluation that
 * failed is none: all stays as it was. A label's template that fails costs its own text only. */
enum err alert_life_step(struct alert_life *l, int64_t at_ms, const struct series_set *result, struct why *why);

/* After a restart of ours, before the first step: an alert as it was at the last evaluation before, at down_ms; evaluation goes on at now_ms. What fired
 * goes on firing (Prometheus would let it wait for its `for` again); what is pending is given the time in which nobody looked on top; after an hour of
 * that a pending one begins anew. References are taken. */
enum err alert_life_restore(struct alert_life *l, const struct alert *a, int64_t down_ms, int64_t now_ms, struct why *why);

/* Its annotations, expanded with its latest value as of then: a new set of the caller's. A template that fails gives "<error expanding template: ...>". */
enum err alert_life_annotations(const struct alert_life *l, const struct alert *a, struct labels **out, struct why *why);

/* The alerts there are, resolved ones too, in no order. Pointers are lent until the next step. */
size_t              alert_life_count(const struct alert_life *l);
const struct alert *alert_life_at(const struct alert_life *l, size_t i);

#endif
