/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging nodes. Every check of a node is a finding (severity, signal, sentence); the worst one stands, of equals the first. Medians are
 * taken over the other nodes too, since one bad node of three moves a mean but not a median. */
#include "rules/health.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Signals that are compared with the median of the model's nodes. Sources of the numbers: practice; a node that takes three times as
 * long as its peers under the same load is not noise, and below `floor` nobody notices. */
static const struct relative {
	enum signal_id signal;
	double         warn, crit; /* times the median; below 1: worse when low */
	double         floor;      /* the least value (or, where low is bad, distance) that matters */
} relatives[] = {
	{ SIGNAL_LATENCY_P99, 3, 6, 0.050 },
	{ SIGNAL_TTFT_P95, 3, 6, 0.050 },
	{ SIGNAL_LATENCY_MEAN, 3, 6, 0.050 },
	{ SIGNAL_QUEUE, 4, 16, 20 },
	{ SIGNAL_ACCURACY, 0.97, 0.92, 0.01 },
};
enum { N_RELATIVES = sizeof relatives / sizeof relatives[0] };

enum { REASON_COLS = 120 };

enum { PEERS_MIN = 3 }; /* fewer nodes have no median worth the name */

/* A ratio of few requests says nothing: a single failure among forty is already more than one in a hundred. So many failures a minute there
 * must be before the ratio counts. */
static const double ERRORS_A_MINUTE_MIN = 4;

static void find(struct health *h, enum severity severity, enum signal_id cause, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void find(struct health *h, enum severity severity, enum signal_id cause, const char *format, ...)
{
	if (severity <= h->severity)
		return;
	h->severity = severity;
	h->cause = cause;
	va_list args;
	va_start(args, format);
	vsnprintf(h->reason, sizeof h->reason, format, args);
	va_end(args);
}

/* Whoever answers under another key than the known one is not down: somebody may have taken its place. */
static void judge_up(const struct health_input *node, struct health *h)
{
	const char *why = node->failure_text != NULL ? node->failure_text : "";
	if (node->n_targets_up >= node->n_targets)
		return;
	struct buf text;
	buf_init(&text, HEALTH_REASON);
	text_cut(&text, why, strlen(why), REASON_COLS);
	if (node->failure == SEVERITY_CRIT)
		find(h, SEVERITY_CRIT, SIGNAL_UP, "%s", buf_text(&text));
	else if (node->n_targets_up > 0)
		find(h, SEVERITY_WARN, SIGNAL_UP, "%d of %d targets do not answer%s%s", node->n_targets - node->n_targets_up, node->n_targets,
		     text.len > 0 ? ": " : "", buf_text(&text));
	else if (node->n_targets > 1)
		find(h, SEVERITY_DOWN, SIGNAL_UP, "no target answers%s%s", text.len > 0 ? ": " : "", buf_text(&text));
	else
		find(h, SEVERITY_DOWN, SIGNAL_UP, "%s", text.len > 0 ? buf_text(&text) : "does not answer");
	buf_release(&text);
}

/* Whatever else is well: what runs on it does not. */
static void judge_gpus(const struct health_input *node, struct health *h)
{
	if (isnan(node->value[SIGNAL_FAULT]) || node->value[SIGNAL_FAULT] <= 0)
		return;
	const char *text = node->fault_text != NULL ? node->fault_text : "a GPU is not fit for work";
	struct buf safe;
	buf_init(&safe, HEALTH_REASON);
	text_cut(&safe, text, strlen(text), REASON_COLS);
	find(h, SEVERITY_CRIT, SIGNAL_FAULT, "%s", buf_text(&safe));
	buf_release(&safe);
}

static void judge_dropped(const struct health_input *node, struct health *h)
{
	char   is[UNIT_TEXT_SIZE];
	double v = node->value[SIGNAL_DROPPED];
	if (!isnan(v) && v > 0)
		find(h, SEVERITY_WARN, SIGNAL_DROPPED, "%s of its series are not kept", unit_format(UNIT_COUNT, v, 6, is));
}

static void judge_threshold(const struct health_input *node, enum signal_id id, struct health *h)
{
	const struct signal_info *info = signal_info(id);
	double                    v = node->value[id];
	if (isnan(v) || id == SIGNAL_UP || info->worse == WORSE_NONE)
		return;
	double requests = node->value[SIGNAL_REQUESTS];
	if (id == SIGNAL_ERRORS && !isnan(requests) && v * requests * 60 < ERRORS_A_MINUTE_MIN)
		return;
	bool          high = info->worse == WORSE_HIGH;
	enum severity severity = SEVERITY_OK;
	double        limit = 0;
	if (info->warn != 0 && (high ? v > info->warn : v < info->warn)) {
		severity = SEVERITY_WARN;
		limit = info->warn;
	}
	if (info->crit != 0 && (high ? v > info->crit : v < info->crit)) {
		severity = SEVERITY_CRIT;
		limit = info->crit;
	}
	if (severity == SEVERITY_OK)
		return;
	char is[UNIT_TEXT_SIZE], bound[UNIT_TEXT_SIZE];
	find(h, severity, id, "%s %s %c %s", info->title, unit_format(info->unit, v, 6, is), high ? '>' : '<',
	     unit_format(info->unit, limit, 6, bound));
}

static void judge_relative(const struct health_input *node, const struct relative *r, double median, struct health *h)
{
	double v = node->value[r->signal];
	if (isnan(v) || isnan(median))
		return;
	enum severity severity = SEVERITY_OK;
	if (r->warn < 1) {
		if (median - v > r->floor && v < median * r->warn)
			severity = v < median * r->crit ? SEVERITY_CRIT : SEVERITY_WARN;
	} else if (v > r->floor && v > median * r->warn) {
		severity = v > median * r->crit ? SEVERITY_CRIT : SEVERITY_WARN;
	}
	/* The mean stands in only where the server gives no quantiles. */
	if (severity == SEVERITY_OK || (r->signal == SIGNAL_LATENCY_MEAN && !isnan(node->value[SIGNAL_LATENCY_P99])))
		return;
	const struct signal_info *info = signal_info(r->signal);
	char                      is[UNIT_TEXT_SIZE], peers[UNIT_TEXT_SIZE];
	find(h, severity, r->signal, "%s %s, median of the model %s", info->title, unit_format(info->unit, v, 6, is),
	     unit_format(info->unit, median, 6, peers));
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median_of(double *v, size_t n)
{
	if (n < PEERS_MIN)
		return (double)NAN;
	qsort(v, n, sizeof *v, compare_doubles);
	return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Nodes in the order of their models, so that a model's nodes stand together. */
static int compare_models(const void *a, const void *b)
{
	const struct health_input *x = *(const struct health_input *const *)a, *y = *(const struct health_input *const *)b;
	return strcmp(x->model, y->model);
}

/* Compares the `n` nodes of one model with each other; `scratch` has room for n. */
static void judge_peers(const struct health_input *all, const struct health_input *const *nodes, size_t n, double *scratch,
                        struct health *out)
{
	if (n < PEERS_MIN || nodes[0]->model[0] == '\0')
		return;
	for (size_t r = 0; r < N_RELATIVES; r++) {
		size_t seen = 0;
		for (size_t i = 0; i < n; i++) {
			double v = nodes[i]->value[relatives[r].signal];
			if (nodes[i]->is_known && !isnan(v))
				scratch[seen++] = v;
		}
		double median = median_of(scratch, seen);
		for (size_t i = 0; i < n; i++) {
			if (nodes[i]->is_known)
				judge_relative(nodes[i], &relatives[r], median, &out[nodes[i] - all]);
		}
	}
}

static void judge_alone(const struct health_input *node, struct health *h)
{
	*h = (struct health){ .severity = SEVERITY_OK, .cause = SIGNAL_COUNT };
	if (!node->is_known) {
		snprintf(h->reason, sizeof h->reason, "not polled yet");
		return;
	}
	judge_up(node, h);
	judge_gpus(node, h);
	for (enum signal_id id = 0; id < SIGNAL_COUNT; id++)
		judge_threshold(node, id, h);
	judge_dropped(node, h);
}

void health_judge(const struct health_input *nodes, size_t n, struct health *out)
{
	for (size_t i = 0; i < n; i++)
		judge_alone(&nodes[i], &out[i]);
	const struct health_input **sorted = malloc(n * sizeof *sorted);
	double                     *scratch = malloc(n * sizeof *scratch);
	/* Without memory for the comparison the plain thresholds stand. */
	if (n > 0 && sorted != NULL && scratch != NULL) {
		for (size_t i = 0; i < n; i++)
			sorted[i] = &nodes[i];
		qsort(sorted, n, sizeof(const struct health_input *), compare_models);
		for (size_t from = 0, to; from < n; from = to) {
			for (to = from + 1; to < n && strcmp(sorted[to]->model, sorted[from]->model) == 0; to++)
				;
			judge_peers(nodes, sorted + from, to - from, scratch, out);
		}
	}
	free(sorted);
	free(scratch);
}
