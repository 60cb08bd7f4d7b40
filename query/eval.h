/* SPDX-License-Identifier: Apache-2.0
 *
 * The evaluator's own types. An expression is evaluated for all steps at once: every node gives a table whose rows are series and whose
 * columns are the steps, so that labels are computed once a series and not once a step. An instant query is a table of one column.
 *
 * A cell without a sample holds the staleness mark, which no selector lets through as data and no arithmetic produces.
 *
 * A row's metric name is not dropped where Prometheus says that a result has none: the row is flagged, and the name goes at the very end
 * (or where labels are compared as a whole). This is Prometheus' "delayed name removal", which its conformance cases are written for. */
#ifndef PITWALL_QUERY_EVAL_H
#define PITWALL_QUERY_EVAL_H

#include "base/arena.h"
#include "base/stale.h"
#include "query/ast.h"
#include "query/function.h"
#include "query/query.h"

struct grid {
	int64_t start_ms, step_ms; /* step 0 where n is 1 */
	size_t  n;
};

struct row {
	const struct labels *labels; /* lent: the evaluation keeps it alive */
	double              *v;      /* one a step */
	bool                 drop_name;
};
struct table {
	struct row *rows;
	size_t      n, cap;
};

struct value {
	enum value_type type;
	double         *scalar; /* one a step */
	struct text     string;
	struct table    table;
};

/* The samples behind a range vector: raw ones of a selector or the steps of a subquery, stale marks taken out. */
struct range_series {
	const struct labels *labels;
	bool                 drop_name;
	const int64_t       *t;
	const double        *v;
	size_t               n;
};
struct range_data {
	struct range_series *items;
	size_t               n;
	size_t               longest;
};

enum { NOTES_MAX = 10 }; /* of each kind: as Prometheus' API gives at the most */
struct note_list {
	char  *texts[NOTES_MAX];
	size_t n;
	bool   is_incomplete; /* no memory for one of them */
};

struct eval {
	const struct query        *query;
	const struct query_source *source;
	struct query_memory       *memory;      /* to which the next three go back; NULL: they are freed */
	struct query_batch        *batch;       /* or to this one, whose query it is; then there are no annotations */
	struct arena               arena;
	struct grid                outer;       /* the query's own steps: start(), end(), step() */
	bool                       is_range;
	int64_t                    resolution_ms; /* of rollups that were read; 0: none were */
	int64_t                    lookback_ms;
	size_t                     max_samples, samples;
	const atomic_bool         *cancelled;
	struct series_set         *sets; /* selected; released at the end */
	size_t                     n_sets, cap_sets;
	struct labels            **made;
	size_t                     n_made, cap_made;
	struct note_list           warnings, infos;
	struct why                *why;
};

static inline int64_t grid_time(const struct grid *g, size_t i) { return g->start_ms + (int64_t)i * g->step_ms; }
static inline bool    is_absent(double v) { return is_stale(v); }

/* ---- eval.c ---- */
/* Of a node itself, whatever is known of equal ones. */
enum err eval_kind(struct eval *ev, const struct node *n, const struct grid *g, struct value *out);
enum err eval_node(struct eval *ev, const struct node *n, const struct grid *g, struct value *out);
/* As eval_node for an argument of scalar type. */
enum err eval_scalar(struct eval *ev, const struct node *n, const struct grid *g, double **out);

/* ---- eval_memory.c ---- */
/* Counts samples against the ceiling and looks whether the query was cancelled. */
enum err eval_charge(struct eval *ev, size_t samples);
enum err eval_alloc(struct eval *ev, size_t n, size_t size, void **out);
/* `n` cells, all absent; charged. */
enum err eval_cells(struct eval *ev, const struct grid *g, double **out);
/* Keeps a reference of the caller's until the end. On failure it is given up. */
enum err eval_keep_labels(struct eval *ev, struct labels *l);
enum err eval_labels_from(struct eval *ev, struct labels_builder *b, const struct labels **out);
/* Room for `n` pairs: `few` where that suffices. */
enum { FEW_PAIRS = 32 };
enum err eval_pairs(struct eval *ev, size_t n, struct label few[FEW_PAIRS], struct label **out);
/* From pairs that are lent; for few of them this is much cheaper than a builder. */
enum err eval_labels_of(struct eval *ev, const struct label *pairs, size_t n, const struct labels **out);
enum err table_add_row(struct eval *ev, struct table *t, const struct labels *labels, bool drop_name, double *v);
/* Makes rows of the same labels one row. Two samples at one step: ERR_FORMAT with `sentence`. */
enum err table_merge(struct eval *ev, const struct grid *g, struct table *t, const char *sentence);
/* Drops the names that are flagged, then merges. */
enum err table_drop_names(struct eval *ev, const struct grid *g, struct table *t);
#define SAME_LABELSET "vector cannot contain metrics with the same labelset"

/* Asks for the labels of a row that will soon be looked at, all rows one after the other. */
static inline void row_prefetch(const struct table *t, size_t i)
{
	enum { AHEAD = 6 };
	if (i + AHEAD >= t->n)
		return;
	__builtin_prefetch(t->rows[i + AHEAD].labels);
	__builtin_prefetch((const char *)t->rows[i + AHEAD].labels + 128);
}

void note_warning(struct eval *ev, const struct node *where, const char *format, ...) __attribute__((format(printf, 3, 4)));
void note_info(struct eval *ev, const struct node *where, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- eval_select.c ---- */
enum err eval_selector(struct eval *ev, const struct node *n, const struct grid *g, bool wants_times, struct value *out);
enum err eval_range_data(struct eval *ev, const struct node *n, const struct grid *g, struct range_data *out);
/* The end of what the window reads at a step: offset and @ applied. */
int64_t window_end(const struct eval *ev, const struct window_spec *w, int64_t at_ms);
const struct window_spec *range_window(const struct node *n); /* of a range selector or subquery */
/* How many series have a sample in the window, a step. */
enum err eval_presence(struct eval *ev, const struct node *range, const struct grid *g, bool *present);

/* ---- eval_over.c ---- */
/* Walks the windows of all series. */
enum err eval_over(struct eval *ev, const struct node *call, const struct grid *g, struct value *out);
/* Tells where a counter is wanted and the series' name is not like one's. *last: of which that was told last. */
void note_if_no_counter(struct eval *ev, const struct node *call, const struct labels *l, const char **last);

/* ---- eval_rollup.c ---- */
/* In place of eval_over and eval_selector, from rollups: where the source has some, all steps stand where windows end, and what is asked for can be told
 * from them just as from samples. *done: it was; else nothing has happened. */
enum err eval_over_rolled(struct eval *ev, const struct node *call, const struct grid *g, struct value *out, bool *done);
enum err eval_selector_rolled(struct eval *ev, const struct node *n, const struct grid *g, struct value *out, bool *done);

/* ---- aggregate.c, groups.c, binary.c ---- */
enum err eval_aggregate(struct eval *ev, const struct node *n, const struct grid *g, struct value *out);
/* A sum by labels of which one is to be taken away again, as histogram_quantile does with "le": the groups' sums without making their label sets. */
struct sums {
	struct table        table; /* what is summed; then the sums: a row's labels are those of one of its group, its cells may still lack the 0 that a sum begins with */
	const struct names *all;
	struct names        by;    /* the others of the labels */
};
/* Evaluates what is summed. False: `n` is no such sum, and nothing has happened. Not in a batch, which remembers groups. */
bool     sums_begin(struct eval *ev, const struct node *n, const struct text *without, const struct grid *g, struct sums *out, enum err *e);
/* May be left out where no two rows have the same values of all of the labels: they are the sums. */
enum err sums_add_up(struct eval *ev, const struct grid *g, struct sums *s);
/* What is left of a label set where those named alone stay, or all but those and the metric name. */
enum err group_labels(struct eval *ev, const struct labels *l, const struct names *names, bool is_without, const struct labels **out);
enum err eval_binary(struct eval *ev, const struct node *n, const struct grid *g, struct value *out);
double   binary_arithmetic(enum op op, double a, double b);

/* ---- signature.c ---- */
/* Numbers label sets by a part of their labels: those named, or all but those and the metric name. */
struct signatures;
enum err signatures_new(struct eval *ev, size_t expected, struct signatures **out);
/* The number of the set's signature, counted from 0 in the order of first sight. */
enum err signatures_add(struct eval *ev, struct signatures *s, const struct labels *l, const struct names *names, bool is_on, bool keeps_name,
                        size_t *out);
size_t   signatures_count(const struct signatures *s);
bool     names_have(const struct names *names, const char *name, size_t n);

/* ---- numerics.c ---- */
struct kahan { double sum, c; };
static inline void kahan_add(struct kahan *k, double inc)
{
	/* Neumaier's improvement, as Prometheus' kahanSumInc; an infinite sum forgets the correction. */
	double t = k->sum + inc;
	if (__builtin_isinf(t))
		k->c = 0;
	else if (__builtin_fabs(k->sum) >= __builtin_fabs(inc))
		k->c += (k->sum - t) + inc;
	else
		k->c += (inc - t) + k->sum;
	k->sum = t;
}
static inline double kahan_value(const struct kahan *k) { return __builtin_isinf(k->sum) ? k->sum : k->sum + k->c; }
/* A mean that does not overflow where its result does not. */
struct mean { struct kahan k; double n; bool is_incremental; };
void   mean_add(struct mean *m, double v);
double mean_value(const struct mean *m);
/* Of n values, whose order it changes; NaNs count as the smallest. */
double quantile_of(double q, double *values, size_t n);
int    compare_values(const void *a, const void *b); /* doubles, NaN first */

#endif
