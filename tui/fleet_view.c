/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots of the whole fleet: targets become nodes, nodes are judged and become models. */
#include "tui/fleet_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/fleet_state_private.h"
#include "tui/gpu_key.h"

/* One target that counts, and the place of its node in the snapshot. */
struct member {
	const struct target_state *target;
	const char                *group, *node;
	size_t                     row;
};

static int by_group_and_node(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->group, y->group);
	if (order == 0)
		order = strcmp(x->node, y->node);
	return order != 0 ? order : (x->target->id > y->target->id) - (x->target->id < y->target->id);
}

/* The targets polled at T, node by node; a target without a node label is a node of its own. */
static enum err members_of(const struct fleet_state *s, struct arena *a, struct member **out, size_t *out_n, size_t *n_nodes)
{
	struct member *m = arena_zeroed(a, s->n_targets, sizeof *m);
	if (m == NULL)
		return ERR_MEMORY;
	size_t n = 0;
	for (size_t i = 0; i < s->n_targets; i++) {
		const struct target_state *t = &s->targets[i];
		if (!t->is_listed)
			continue;
		const char *node = labels_get(t->labels, "node");
		m[n++] = (struct member){ .target = t, .group = labels_get(t->labels, "group"),
		                          .node = node[0] != '\0' ? node : labels_get(t->labels, "instance") };
	}
	if (n > 0)
		qsort(m, n, sizeof *m, by_group_and_node);
	size_t rows = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (strcmp(m[i].node, m[i - 1].node) != 0 || strcmp(m[i].group, m[i - 1].group) != 0))
			rows++;
		m[i].row = rows;
	}
	*n_nodes = n > 0 ? rows + 1 : 0;
	*out = m;
	*out_n = n;
	return ERR_OK;
}

/* ---- values and sparklines ---- */

/* A GPU that several targets of the node tell of counts once. */
static bool is_told_elsewhere(const struct fleet_state *s, const struct member *m, size_t n, size_t k, size_t i)
{
	bool is_told = false;
	for (size_t j = 0; j < n && !is_told; j++)
		is_told = gpu_is_told_by(s, m[j].target, m[k].target, i);
	return is_told;
}

static double members_value(const struct fleet_state *s, const struct member *m, size_t n, enum signal_id id)
{
	struct signal_fold fold = signal_fold_start(id);
	for (size_t k = 0; k < n; k++) {
		const struct target_state *t = m[k].target;
		if (!target_is_fresh(s, t))
			continue;
		for (size_t i = 0; i < t->n; i++)
			if (t->signals[i] == id && !(n > 1 && signal_is_of_gpu(id) && is_told_elsewhere(s, m, n, k, i)))
				signal_fold_add(&fold, t->values[i]);
	}
	return signal_fold_value(&fold);
}

static float ring_at(const struct target_state *t, enum signal_id id, int64_t bucket)
{
	const float *ring = t->history[id];
	if (ring == NULL || bucket > t->bucket || bucket <= t->bucket - HISTORY_POINTS)
		return NAN;
	return ring[bucket % HISTORY_POINTS];
}

enum { SHARING_MAX = 64 };

/* For each of the first members: a bit for each of the others that tells of all its GPUs. (Rings are of whole targets: of two that share some
 * GPUs but not all, both count.) False: nobody tells of another's. */
static bool find_sharing(const struct member *m, size_t n, enum signal_id id, uint64_t told_by[SHARING_MAX])
{
	bool is_any = false;
	for (size_t k = 0; k < n && k < SHARING_MAX; k++) {
		told_by[k] = 0;
		for (size_t j = 0; j < k; j++)
			told_by[k] |= gpu_all_told_by(m[j].target, m[k].target, id) ? UINT64_C(1) << j : 0;
		is_any |= told_by[k] != 0;
	}
	return is_any;
}

/* Member k's ring at a step; NaN where one that tells of all its GPUs has a value there. `told_by` NULL: nobody does. */
static float member_at(const struct member *m, size_t k, enum signal_id id, int64_t bucket, const uint64_t *told_by)
{
	const struct target_state *t = m[k].target;
	int64_t at = bucket > t->bucket && bucket - t->bucket <= 2 ? t->bucket : bucket;
	float v = ring_at(t, id, at);
	for (size_t j = 0; told_by != NULL && k < SHARING_MAX && j < k; j++)
		if ((told_by[k] & UINT64_C(1) << j) != 0 && !isnan(ring_at(m[j].target, id, at)))
			return NAN;
	return v;
}

/* NULL where none of the targets ever had the signal. A target that has not said anything in the newest step yet is taken to say what it said
 * in the step before. */
static float *members_history(const struct fleet_state *s, struct arena *a, const struct member *m, size_t n, enum signal_id id)
{
	bool any = false;
	for (size_t k = 0; k < n; k++)
		any |= m[k].target->history[id] != NULL;
	if (!any)
		return NULL;
	float *out = arena_zeroed(a, HISTORY_POINTS, sizeof *out);
	if (out == NULL)
		return NULL;
	int64_t newest = s->t_ms / s->step_ms;
	uint64_t told_by[SHARING_MAX];
	bool is_shared = n > 1 && signal_is_of_gpu(id) && find_sharing(m, n, id, told_by);
	for (int i = 0; i < HISTORY_POINTS; i++) {
		int64_t bucket = newest - HISTORY_POINTS + 1 + i;
		struct signal_fold fold = signal_fold_start(id);
		for (size_t k = 0; k < n; k++)
			signal_fold_add(&fold, (double)member_at(m, k, id, bucket, is_shared ? told_by : NULL));
		out[i] = (float)signal_fold_value(&fold);
	}
	return out;
}

/* ---- versions ---- */

static const char *members_version(const struct fleet_state *s, struct arena *a, const struct member *m, size_t n, int *count)
{
	const char *first = "";
	*count = 0;
	for (size_t k = 0; k < n; k++) {
		const struct target_state *t = m[k].target;
		if (!target_is_fresh(s, t))
			continue;
		for (size_t i = 0; i < t->n; i++) {
			if (t->signals[i] != SIGNAL_VERSION || isnan(t->values[i]))
				continue;
			const char *version = labels_get(layout_series(t->layout, i), "version");
			if (*count > 0 && strcmp(version, first) == 0)
				continue;
			if (*count == 0)
				first = version;
			++*count;
		}
	}
	return arena_text(a, first);
}

/* ---- GPUs that are not fit for work ---- */

static const char *fault_words(struct arena *a, const struct labels *series)
{
	static const struct { const char *reason, *words; } rows[] = {
		{ "lost", "is lost, or wants a reset" }, { "memory", "met uncorrectable memory errors" },
	};
	char text[160], xid[32] = "";
	const char *gpu = labels_get(series, "gpu"), *reason = labels_get(series, "reason"), *words = "is not fit for work";
	if (gpu[0] == '\0')
		gpu = labels_get(series, "pci_bus_id");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].reason, reason) == 0)
			words = rows[i].words;
	if (strcmp(reason, "xid") == 0) {
		snprintf(xid, sizeof xid, "reported Xid %.10s", labels_get(series, "xid"));
		words = xid;
	}
	if (gpu[0] == '\0' && strcmp(reason, "lost") == 0)
		return "the driver answers for none of the GPUs";
	snprintf(text, sizeof text, "GPU%s%.48s %s", gpu[0] != '\0' ? " " : "", gpu, words);
	return arena_text(a, text);
}

/* Of the first that there is; NULL: there is none. */
static const char *members_fault(const struct fleet_state *s, struct arena *a, const struct member *m, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		const struct target_state *t = m[k].target;
		if (!target_is_fresh(s, t))
			continue;
		for (size_t i = 0; i < t->n; i++)
			if (t->signals[i] == SIGNAL_FAULT && t->values[i] > 0)
				return fault_words(a, layout_series(t->layout, i));
	}
	return NULL;
}

/* ---- nodes ---- */

static const char *first_label(struct arena *a, const struct member *m, size_t n, const char *label)
{
	for (size_t k = 0; k < n; k++) {
		const char *value = labels_get(m[k].target->labels, label);
		if (value[0] != '\0')
			return arena_text(a, value);
	}
	return "";
}

/* That a machine is not itself goes before that another one is silent. */
static bool worse_failure(enum severity a, enum severity b)
{
	return a == SEVERITY_CRIT && b != SEVERITY_CRIT;
}

/* Severity and reason are those of what does not answer, until the node is judged. */
static void fill_node(const struct fleet_state *s, struct arena *a, const struct member *m, size_t n, struct node_row *row)
{
	row->node = arena_text(a, m[0].node);
	row->group = arena_text(a, m[0].group);
	row->model = first_label(a, m, n, "model");
	row->profile = first_label(a, m, n, "profile");
	row->version = members_version(s, a, m, n, &row->n_versions);
	row->n_targets = (int)n;
	row->reason = "";
	for (size_t k = 0; k < n; k++) {
		const struct target_state *t = m[k].target;
		if (t->last_ms > row->seen_ms)
			row->seen_ms = t->last_ms;
		if (target_is_fresh(s, t) && target_is_up(t)) {
			row->n_targets_up++;
		} else if (t->failure_text != NULL && (row->reason[0] == '\0' || worse_failure(t->failure, row->severity))) {
			row->severity = t->failure;
			row->reason = arena_text(a, t->failure_text);
		}
	}
	row->fault = members_fault(s, a, m, n);
	for (size_t id = 0; id < SIGNAL_COUNT; id++) {
		row->value[id] = members_value(s, m, n, (enum signal_id)id);
		row->history[id] = members_history(s, a, m, n, (enum signal_id)id);
	}
}

static enum err fill_nodes(const struct fleet_state *s, struct arena *a, struct fleet_view *v)
{
	struct member *m;
	size_t n;
	enum err e = members_of(s, a, &m, &n, &v->n_nodes);
	if (e != ERR_OK)
		return e;
	v->nodes = arena_zeroed(a, v->n_nodes, sizeof *v->nodes);
	if (v->nodes == NULL)
		return ERR_MEMORY;
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && m[to].row == m[from].row; to++)
			;
		fill_node(s, a, m + from, to - from, &v->nodes[m[from].row]);
	}
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}

static enum err judge_nodes(struct arena *a, struct fleet_view *v)
{
	struct health_input *in = arena_zeroed(a, v->n_nodes, sizeof *in);
	struct health *out = arena_zeroed(a, v->n_nodes, sizeof *out);
	if (in == NULL || out == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < v->n_nodes; i++) {
		const struct node_row *r = &v->nodes[i];
		in[i] = (struct health_input){ .model = r->model, .value = r->value, .n_targets = r->n_targets, .n_targets_up = r->n_targets_up,
		                               .failure = r->severity, .failure_text = r->reason, .fault_text = r->fault,
		                               .is_known = r->seen_ms != 0 };
	}
	health_judge(in, v->n_nodes, out);
	for (size_t i = 0; i < v->n_nodes; i++) {
		struct node_row *r = &v->nodes[i];
		r->severity = out[i].severity;
		r->cause = out[i].cause;
		r->reason = arena_text(a, out[i].reason);
		if (r->seen_ms == 0)
			v->n_unknown++;
		else
			v->n_by_severity[r->severity]++;
	}
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}

/* ---- models and totals ---- */

static int by_model_and_version(const void *a, const void *b)
{
	const struct node_row *const *x = a, *const *y = b;
	int order = strcmp((*x)->model, (*y)->model);
	if (order == 0)
		order = strcmp((*x)->version, (*y)->version);
	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static float *nodes_history(struct arena *a, const struct node_row *const *nodes, size_t n, enum signal_id id)
{
	bool any = false;
	for (size_t k = 0; k < n; k++)
		any |= nodes[k]->history[id] != NULL;
	float *out = any ? arena_zeroed(a, HISTORY_POINTS, sizeof *out) : NULL;
	for (int i = 0; out != NULL && i < HISTORY_POINTS; i++) {
		struct signal_fold fold = signal_fold_start(id);
		for (size_t k = 0; k < n; k++)
			if (nodes[k]->history[id] != NULL)
				signal_fold_add(&fold, (double)nodes[k]->history[id][i]);
		out[i] = (float)signal_fold_value(&fold);
	}
	return out;
}

/* The version that most of the nodes run, and how many different ones there are. The nodes stand in the order of their versions. */
static void count_versions(const struct node_row *const *nodes, size_t n, struct model_row *row)
{
	size_t best = 0;
	row->version = "";
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && strcmp(nodes[to]->version, nodes[from]->version) == 0; to++)
			;
		if (nodes[from]->version[0] == '\0')
			continue;
		row->n_versions++;
		if (to - from > best) {
			best = to - from;
			row->version = nodes[from]->version;
		}
	}
}

static void fill_model(struct arena *a, const struct node_row *const *nodes, size_t n, struct model_row *row)
{
	row->model = nodes[0]->model;
	row->n_nodes = (int)n;
	count_versions(nodes, n, row);
	for (size_t k = 0; k < n; k++) {
		row->n_by_severity[nodes[k]->severity]++;
		if (nodes[k]->severity > row->severity)
			row->severity = nodes[k]->severity;
	}
	if (row->severity == SEVERITY_DOWN && row->n_by_severity[SEVERITY_DOWN] < row->n_nodes)
		row->severity = SEVERITY_CRIT; /* the others still serve it */
	for (size_t id = 0; id < SIGNAL_COUNT; id++) {
		struct signal_fold fold = signal_fold_start((enum signal_id)id);
		for (size_t k = 0; k < n; k++)
			signal_fold_add(&fold, nodes[k]->value[id]);
		row->value[id] = signal_fold_value(&fold);
		row->history[id] = nodes_history(a, nodes, n, (enum signal_id)id);
	}
}

static enum err fill_models(struct arena *a, struct fleet_view *v)
{
	const struct node_row **sorted = arena_zeroed(a, v->n_nodes, sizeof *sorted);
	v->models = arena_zeroed(a, v->n_nodes, sizeof *v->models);
	if (sorted == NULL || v->models == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < v->n_nodes; i++)
		sorted[i] = &v->nodes[i];
	if (v->n_nodes > 0)
		qsort(sorted, v->n_nodes, sizeof *sorted, by_model_and_version);
	for (size_t from = 0, to; from < v->n_nodes; from = to) {
		for (to = from; to < v->n_nodes && strcmp(sorted[to]->model, sorted[from]->model) == 0; to++)
			;
		fill_model(a, sorted + from, to - from, &v->models[v->n_models++]);
	}
	for (size_t id = 0; id < SIGNAL_COUNT; id++) {
		struct signal_fold fold = signal_fold_start((enum signal_id)id);
		for (size_t i = 0; i < v->n_nodes; i++)
			signal_fold_add(&fold, v->nodes[i].value[id]);
		v->total[id] = signal_fold_value(&fold);
	}
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}

/* ---- what is being recorded ---- */

struct throughput {
	double  samples; /* of one round of polling */
	int64_t frames;
};

static enum err add_report(void *ctx, const struct frame *f)
{
	struct throughput *t = ctx;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(labels_metric(layout_series(f->layout, i)), "scrape_samples_scraped") == 0 && !isnan(f->values[i]))
			t->samples += f->values[i];
	t->frames++;
	return ERR_OK;
}

static enum err fill_throughput(const struct fleet_state *s, struct reader *r, struct fleet_view *v, struct why *why)
{
	struct throughput t = { 0 };
	v->samples_per_second = v->frames_per_second = NAN;
	if (s->interval_ms == 0)
		return ERR_OK;
	enum err e = reader_frames(r, STREAM_REPORT, 0, s->t_ms - 3 * s->interval_ms, s->t_ms, true, add_report, &t, why);
	v->samples_per_second = t.samples * 1000.0 / (double)s->interval_ms;
	v->frames_per_second = (double)t.frames * 1000.0 / (double)s->interval_ms;
	return e;
}

enum err fleet_state_view(const struct fleet_state *s, struct reader *r, struct arena *a, struct fleet_view **out, struct why *why)
{
	struct fleet_view *v = arena_zeroed(a, 1, sizeof *v);
	if (v == NULL)
		return why_memory(why);
	v->t_ms = s->t_ms;
	v->history_step_ms = s->step_ms;
	v->interval_ms = s->interval_ms;
	struct buf name;
	buf_init(&name, 4096);
	enum err e = reader_meta(r, "fleet", s->t_ms, &name, why);
	if (e == ERR_OK) {
		v->name = arena_text(a, buf_text(&name));
		e = fill_nodes(s, a, v);
	}
	if (e == ERR_OK)
		e = judge_nodes(a, v);
	if (e == ERR_OK)
		e = fill_models(a, v);
	if (e == ERR_OK)
		e = fill_throughput(s, r, v, why);
	if (e == ERR_OK)
		e = marks_read(r, s->t_ms - s->step_ms * HISTORY_POINTS, s->t_ms, a, &v->marks, why);
	buf_release(&name);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e == ERR_OK)
		*out = v;
	return e;
}
