/* SPDX-License-Identifier: Apache-2.0
 *
 * What changed when an alert began: signals of the same node, group and model that moved, events nearby, and what the nodes that are in trouble have
 * in common, in one list with the likeliest cause first, each with its reasons in words.
 *
 * The score of a row is the product of five parts between 0 and 1, so that a person can follow it:
 *   effect  how far it moved, in steps of what it usually does and at least of what counts (effect / (effect + 4)); of labels: how much more of the nodes
 *           in trouble have it than of the others
 *   sure    the distance of the two-sample Kolmogorov-Smirnov test on the windows before and after; of labels: 1 less twenty times the chance
 *           of as good a fit by chance (Fisher's exact test), since many labels are looked at
 *   timing  1 from five minutes before the alert until half a minute after it, fading on both sides
 *   near    1 on the same node, less on others of its group and of its model, the less the fewer of them moved
 *   kind    how often such a thing is the cause: a deployment more often than a GPU's fault, that more than a queue, that more than a latency
 *
 * A signal is one row for each way it moved, however many GPUs, targets and nodes did: the nearest stands for all, and the row counts them. Of rows
 * whose series correlate by more than 0.95 the best stands for the others, which it names.
 *
 * changed_rank is pure. changed_read gathers what it wants from a store.
 *
 * Threads: any one; changed_read blocks on the disk, so call it from a worker. reader_interrupt or `cancelled` ends it with ERR_CANCELLED. */
#ifndef PITWALL_ALERTS_CHANGED_H
#define PITWALL_ALERTS_CHANGED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/labels.h"
#include "rules/signal.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;
struct detail_engine;

enum changed_scope { CHANGED_NODE, CHANGED_GROUP, CHANGED_MODEL, CHANGED_FLEET, CHANGED_SCOPES };

enum {
	CHANGED_BEFORE_MS = 30 * 60 * 1000,      /* signals are compared with so much before the alert, */
	CHANGED_AFTER_MS = 5 * 60 * 1000,        /* and looked at for so long after it */
	CHANGED_GUARD_MS = 60 * 1000,            /* the last of it belongs to neither side: rates look back so far */
	CHANGED_EVENTS_AFTER_MS = 2 * 60 * 1000, /* events are looked for from CHANGED_BEFORE_MS before until then */
	CHANGED_STEP_MS = 5000,                  /* a series is laid on steps of this width; of several values in one the last counts */
	CHANGED_ROWS_MAX = 40,
	CHANGED_NODES_MAX = 256, CHANGED_SERIES_MAX = 16384, CHANGED_SAMPLES_MAX = 8 * 1000 * 1000, CHANGED_EVENTS_MAX = 500,
};

/* Rows below this score are no clear cause. */
#define CHANGED_CLEAR 0.25

/* ---- the result ---- */

enum changed_what { CHANGED_SIGNAL, CHANGED_EVENT, CHANGED_LABEL };

struct changed_parts {
	double effect, sure, timing, near, kind; /* each 0 to 1 */
};

/* How many of how many: GPUs, models or targets of the node itself, other nodes of the group, nodes of the model in other groups. */
struct changed_count {
	uint32_t moved, all;
};

struct changed_row {
	enum changed_what    what;
	enum changed_scope   scope;         /* the nearest at which it is so */
	enum signal_id       signal;        /* of CHANGED_SIGNAL */
	const char          *label;         /* "queue", "gpu temp (gpu 3)"; the event's kind; "version=v3" */
	const char          *node;          /* which the values are of; "" of an event or label that is no single node's */
	double               before, after; /* in `unit`; NaN: of an event or label, or not there any more */
	enum signal_unit            unit;
	int64_t              moved_ms;      /* when; 0 of a label */
	double               score;         /* 0 to 1, the product of the parts */
	struct changed_parts parts;
	struct changed_count count[CHANGED_FLEET]; /* by scope, below CHANGED_FLEET */
	const char *const   *with;          /* labels of the rows that go with this one */
	size_t               n_with;
	const char          *text;          /* "queue 3 -> 41 (13x), since 40s before the alert, same node" */
	const char          *reasons;       /* the score and its parts: "0.62 = effect 0.91 x sure 0.98 x timing 1 x near 1 x kind 0.7 (saturation)" */
};

struct changed_event {
	int64_t            wall_ms;
	size_t             node;            /* into the input's nodes; SIZE_MAX: of none */
	bool               is_of_model;     /* of none, but of the model that is asked about: a redeploy */
	enum changed_scope scope;           /* written by changed_rank: of that node, else CHANGED_MODEL or CHANGED_FLEET */
	enum severity      severity;
	const char        *kind, *name, *text; /* name: the node's, or "" */
};

struct changed {
	int64_t               onset_ms, until_ms;
	struct changed_row   *rows;         /* the best first */
	size_t                n;
	bool                  is_clear;     /* the first row is a likely cause */
	const char           *note;         /* what is to be said before the rows, a sentence: "no clear cause: ..."; "" */
	struct changed_event *events;       /* all that were near, oldest first */
	size_t                n_events;
	size_t                n_nodes, n_series; /* that were looked at */
	bool                  is_cut;       /* a ceiling was met: not all of the scope was looked at */
};

/* ---- the pure part ---- */

/* Texts, arrays and samples are lent for the call. */
struct changed_node {
	const char         *name;
	enum changed_scope  scope;       /* CHANGED_NODE: the one that the alert is about */
	bool                is_affected; /* known to be in trouble */
	const struct label *labels;      /* what it may have in common with others: zone, version, GPU ... */
	size_t              n_labels;
};

struct changed_series {
	size_t         node;
	enum signal_id signal;
	const char    *part; /* which of the node's: "gpu 3"; "" */
	const float   *v;    /* input.n_slots values, NaN where there is none */
};

struct changed_input {
	int64_t                      onset_ms, until_ms;
	int64_t                      start_ms, step_ms; /* of slot 0, and the width of each */
	size_t                       n_slots;
	const struct changed_node   *nodes;
	size_t                       n_nodes;
	const struct changed_series *series;
	size_t                       n_series;
	const struct changed_event  *events;            /* in any order */
	size_t                       n_events;
	const char                  *onset;             /* what the moment is called: "the alert" */
	const atomic_bool           *cancelled;         /* may be NULL */
};

/* The result lives in the arena, with copies of all texts. */
enum err changed_rank(const struct changed_input *in, struct arena *a, struct changed **out, struct why *why);

/* ---- out of a store ---- */

struct changed_question {
	/* Who it is about: a node with its group and model where it is one; with node "" the whole group or model. "" where not known: a node's own are
	 * then those of its targets. */
	const char               *node, *group, *model;
	const char *const        *affected;  /* names of nodes in trouble besides; may be NULL */
	size_t                    n_affected;
	int64_t                   onset_ms;  /* when the alert began */
	int64_t                   until_ms;  /* nothing later is read: the view time, or now */
	const char               *onset;     /* see changed_input; NULL: "the alert" */
	struct detail_engine     *details;   /* tells which GPUs nodes have; lent; may be NULL */
	const atomic_bool        *cancelled; /* may be NULL */
};

/* ERR_NOT_FOUND: no such node, group or model was polled then. */
enum err changed_read(struct reader *r, const struct changed_question *q, struct arena *a, struct changed **out, struct why *why);

/* The question about an alert as it was at T: its node, group and model as its labels have them, when it became active, and the other nodes with alerts
 * of its rule. Texts go into the arena. ERR_NOT_FOUND: there was no such alert; ERR_UNSUPPORTED: it is about no node, group or model. */
enum err changed_question_of_alert(struct reader *r, int64_t id, int64_t at_ms, struct arena *a, struct changed_question *out, struct why *why);

/* The whole of it as JSON, as `pitwall why --format json` prints it. */
enum err changed_json(const struct changed *c, struct buf *to);

#endif
