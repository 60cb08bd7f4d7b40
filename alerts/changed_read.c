/* SPDX-License-Identifier: Apache-2.0
 *
 * Gathers what changed_rank wants from a store: who belongs to the scope, the signal frames of their targets laid on steps, events, and what the
 * nodes are labelled with. The nearest are read first, so that a ceiling costs the furthest. */
#include "alerts/changed_private.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "rules/detail.h"
#include "store/reader.h"

enum {
	TARGETS_MAX = 100000, LAYOUT_LOOKED_AT = 4096, NODE_LABELS_MAX = 24, PART_MAX = 200, EVENTS_READ_MAX = 5000,
	GPU_NODES_MAX = 128, EVENT_DATA_MAX = 8 * 1024, MODEL_MAX = 512,
};

struct found {
	int64_t              id;
	const struct labels *labels; /* lent by the reader */
	size_t               node;   /* SIZE_MAX: not of the scope */
};

struct gather {
	struct reader                 *r;
	const struct changed_question *q;
	struct arena                   work; /* dies with the call */
	struct found                  *found;
	size_t                         n_found, cap_found;
	const char                    *node, *group, *model; /* the subject's */
	struct changed_node           *nodes;    /* CHANGED_NODES_MAX */
	const char                   **versions; /* of each node; "" */
	size_t                        *n_targets;
	struct changed_series         *series;   /* CHANGED_SERIES_MAX */
	struct changed_event          *events;   /* CHANGED_EVENTS_MAX */
	size_t                         n_nodes, n_series, n_events, n_samples;
	bool                           is_cut;
	int64_t                        start_ms, until_ms;
	size_t                         n_slots;
	/* of the target being read */
	const struct found            *target;
	size_t                         first;    /* its first series */
	const struct layout           *layout;   /* for which `places` was made */
	size_t                        *places;   /* LAYOUT_LOOKED_AT: series of each position, SIZE_MAX: none */
	size_t                         n_places;
};

/* ---- who ---- */

static const char *name_of(const struct labels *target)
{
	const char *node = labels_get(target, "node");
	return node[0] != '\0' ? node : labels_get(target, "instance");
}

static enum err see_target(void *ctx, const struct target_info *t)
{
	struct gather *g = ctx;
	if (g->n_found == TARGETS_MAX) {
		g->is_cut = true;
		return ERR_OK;
	}
	if (g->n_found == g->cap_found) {
		size_t cap = g->cap_found == 0 ? 256 : g->cap_found * 2;
		struct found *more = realloc(g->found, cap * sizeof *more);
		if (more == NULL)
			return ERR_MEMORY;
		g->found = more;
		g->cap_found = cap;
	}
	g->found[g->n_found++] = (struct found){ t->id, t->labels, SIZE_MAX };
	return ERR_OK;
}

static bool is_subject(const struct gather *g, const struct labels *l)
{
	return g->node[0] != '\0' && strcmp(name_of(l), g->node) == 0 && (g->q->group[0] == '\0' || strcmp(labels_get(l, "group"), g->q->group) == 0);
}

/* A node's group and model are those of its targets where nobody said them. */
static void complete_subject(struct gather *g)
{
	for (size_t i = 0; i < g->n_found; i++) {
		const struct labels *l = g->found[i].labels;
		if (!is_subject(g, l))
			continue;
		if (g->group[0] == '\0')
			g->group = labels_get(l, "group");
		if (g->model[0] == '\0')
			g->model = labels_get(l, "model");
	}
}

static enum changed_scope scope_of(const struct gather *g, const struct labels *l)
{
	if (is_subject(g, l))
		return CHANGED_NODE;
	if (g->group[0] != '\0' && strcmp(labels_get(l, "group"), g->group) == 0)
		return CHANGED_GROUP;
	return g->model[0] != '\0' && strcmp(labels_get(l, "model"), g->model) == 0 ? CHANGED_MODEL : CHANGED_FLEET;
}

static bool is_affected(const struct gather *g, const char *name)
{
	for (size_t i = 0; i < g->q->n_affected; i++)
		if (strcmp(g->q->affected[i], name) == 0)
			return true;
	return false;
}

/* The targets stand as the store has them, so those of one node need not follow each other. */
static size_t node_of(struct gather *g, const struct labels *l, enum changed_scope scope)
{
	const char *name = name_of(l);
	for (size_t i = 0; i < g->n_nodes; i++)
		if (g->nodes[i].scope == scope && strcmp(g->nodes[i].name, name) == 0)
			return i;
	if (g->n_nodes == CHANGED_NODES_MAX) {
		g->is_cut = true;
		return SIZE_MAX;
	}
	g->nodes[g->n_nodes] = (struct changed_node){ .name = name, .scope = scope, .is_affected = is_affected(g, name) };
	g->versions[g->n_nodes] = "";
	return g->n_nodes++;
}

static int by_node(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static enum err find_nodes(struct gather *g, struct why *why)
{
	enum err e = reader_targets(g->r, g->q->onset_ms, see_target, g, why);
	if (e != ERR_OK)
		return e == ERR_MEMORY ? why_memory(why) : e;
	complete_subject(g);
	for (int scope = 0; scope < CHANGED_FLEET; scope++)
		for (size_t i = 0; i < g->n_found; i++)
			if (scope_of(g, g->found[i].labels) == (enum changed_scope)scope)
				g->found[i].node = node_of(g, g->found[i].labels, (enum changed_scope)scope);
	if (g->n_found > 0)
		qsort(g->found, g->n_found, sizeof *g->found, by_node);
	for (size_t i = 0; i < g->n_found && g->found[i].node != SIZE_MAX; i++)
		g->n_targets[g->found[i].node]++;
	bool is_there = g->n_nodes > 0 && (g->node[0] == '\0' || g->nodes[0].scope == CHANGED_NODE);
	if (is_there)
		return ERR_OK;
	char at[TIME_TEXT];
	format_time(g->q->onset_ms, at);
	if (g->node[0] != '\0')
		return why_set(why, ERR_NOT_FOUND, "no node '%s' was polled at %s", g->node, at);
	return why_set(why, ERR_NOT_FOUND, "no node of '%s' was polled at %s", g->group[0] != '\0' ? g->group : g->model, at);
}

/* ---- samples ---- */

/* Which of the node's: "gpu 3", what else tells it from others of its kind; not what the node is known by anyway. */
static const char *part_of(struct gather *g, enum signal_id id, const struct labels *series)
{
	struct buf text;
	buf_init(&text, PART_MAX);
	if (id == SIGNAL_UP && g->n_targets[g->target->node] > 1)
		buf_puts(&text, labels_get(g->target->labels, "instance"));
	for (size_t i = 0; i < labels_count(series); i++) {
		const struct label *l = labels_at(series, i);
		bool is_own = strcmp(l->name, "model") == 0 && strcmp(l->value, g->model) == 0;
		if (strcmp(l->name, LABEL_NAME) != 0 && strcmp(l->name, "uuid") != 0 && !is_own)
			buf_printf(&text, "%s%s %s", text.len > 0 ? " " : "", l->name, l->value);
	}
	const char *part = changed_take(&g->work, &text);
	if (part == NULL)
		g->work.failed = true;
	return part;
}

static size_t series_of(struct gather *g, enum signal_id id, const struct labels *l)
{
	const char *part = part_of(g, id, l);
	if (part == NULL)
		return SIZE_MAX;
	for (size_t i = g->first; i < g->n_series; i++)
		if (g->series[i].signal == id && strcmp(g->series[i].part, part) == 0)
			return i;
	if (g->n_series == CHANGED_SERIES_MAX) {
		g->is_cut = true;
		return SIZE_MAX;
	}
	float *v = arena_zeroed(&g->work, g->n_slots, sizeof *v);
	if (v == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < g->n_slots; i++)
		v[i] = NAN;
	g->series[g->n_series] = (struct changed_series){ g->target->node, id, part, v };
	return g->n_series++;
}

static void place(struct gather *g, const struct layout *l)
{
	g->layout = l;
	g->n_places = layout_size(l) < LAYOUT_LOOKED_AT ? layout_size(l) : LAYOUT_LOOKED_AT;
	for (size_t i = 0; i < g->n_places; i++) {
		enum signal_id id = signal_by_metric(labels_metric(layout_series(l, i)));
		g->places[i] = id == SIGNAL_COUNT || id == SIGNAL_VERSION ? SIZE_MAX : series_of(g, id, layout_series(l, i));
	}
}

/* The version of the scope's model, or of the first model where that is not known. */
static void note_version(struct gather *g, const struct frame *f)
{
	const char **version = &g->versions[g->target->node];
	for (size_t i = 0; i < f->n && i < g->n_places; i++) {
		const struct labels *l = layout_series(f->layout, i);
		if (isnan(f->values[i]) || signal_by_metric(labels_metric(l)) != SIGNAL_VERSION)
			continue;
		const char *said = labels_get(l, "version");
		bool is_other = g->model[0] != '\0' && labels_get(l, "model")[0] != '\0' && strcmp(labels_get(l, "model"), g->model) != 0;
		if (is_other || said[0] == '\0')
			continue;
		if (strcmp(*version, said) != 0) {
			const char *copy = arena_text(&g->work, said);
			*version = copy != NULL ? copy : "";
		}
		return;
	}
}

static enum err see_frame(void *ctx, const struct frame *f)
{
	struct gather *g = ctx;
	if (g->q->cancelled != NULL && atomic_load(g->q->cancelled))
		return ERR_CANCELLED;
	if (g->n_samples >= CHANGED_SAMPLES_MAX) {
		g->is_cut = true;
		return ERR_LIMIT;
	}
	if (f->layout == NULL || f->wall_ms < g->start_ms)
		return ERR_OK;
	if (f->layout != g->layout) {
		place(g, f->layout);
		note_version(g, f);
	}
	size_t slot = (size_t)((f->wall_ms - g->start_ms) / CHANGED_STEP_MS);
	for (size_t i = 0; i < g->n_places && i < f->n && slot < g->n_slots; i++)
		if (g->places[i] != SIZE_MAX && isfinite(f->values[i]))
			((float *)(uintptr_t)g->series[g->places[i]].v)[slot] = (float)f->values[i];
	g->n_samples += g->n_places;
	return arena_failed(&g->work) ? ERR_MEMORY : ERR_OK;
}

static enum err read_samples(struct gather *g, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < g->n_found && g->found[i].node != SIZE_MAX && e == ERR_OK; i++) {
		g->target = &g->found[i];
		g->first = g->n_series;
		g->layout = NULL;
		g->n_places = 0;
		e = reader_frames(g->r, STREAM_SIGNAL, g->target->id, g->start_ms - 1, g->until_ms, false, see_frame, g, why);
	}
	if (e == ERR_CANCELLED)
		return why_set(why, e, "cancelled");
	return e == ERR_LIMIT && g->is_cut ? ERR_OK : e == ERR_MEMORY ? why_memory(why) : e;
}

/* ---- events ---- */

static size_t node_named(const struct gather *g, const char *name)
{
	size_t i = 0;
	while (i < g->n_nodes && strcmp(g->nodes[i].name, name) != 0)
		i++;
	return i < g->n_nodes ? i : SIZE_MAX;
}

/* A redeploy is of no node; its model stands in its data. */
static bool is_of_model(const struct gather *g, const struct event *e)
{
	const struct json_limits limits = { .bytes = EVENT_DATA_MAX, .depth = 4, .values = 100 };
	cJSON *tree = NULL;
	const char *model = "";
	if (g->model[0] == '\0' || e->node[0] != '\0' || e->data == NULL || e->data[0] == '\0' ||
	    json_parse(e->data, strlen(e->data), &limits, &tree, NULL) != ERR_OK)
		return false;
	bool is = json_get_string(tree, "model", MODEL_MAX, &model, NULL) == ERR_OK && strcmp(model, g->model) == 0;
	cJSON_Delete(tree);
	return is;
}

static enum err see_event(void *ctx, const struct event *e)
{
	struct gather *g = ctx;
	size_t node = e->node[0] != '\0' ? node_named(g, e->node) : SIZE_MAX;
	if (e->node[0] != '\0' && node == SIZE_MAX)
		return ERR_OK;
	if (g->n_events == CHANGED_EVENTS_MAX) {
		g->is_cut = true;
		return ERR_OK;
	}
	g->events[g->n_events++] = (struct changed_event){ .wall_ms = e->wall_ms, .node = node, .is_of_model = is_of_model(g, e), .severity = e->severity,
		                                           .kind = arena_text(&g->work, e->kind), .name = "", .text = arena_text(&g->work, e->text) };
	return arena_failed(&g->work) ? ERR_MEMORY : ERR_OK;
}

static enum err read_events(struct gather *g, struct why *why)
{
	int64_t until = g->q->onset_ms + CHANGED_EVENTS_AFTER_MS;
	enum err e = reader_events(g->r, NULL, NULL, g->start_ms - 1, until < g->until_ms ? until : g->until_ms, EVENTS_READ_MAX, see_event, g, why);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

/* ---- labels ---- */

static bool has_label(const struct changed_node *n, const char *name)
{
	for (size_t i = 0; i < n->n_labels; i++)
		if (strcmp(n->labels[i].name, name) == 0)
			return true;
	return false;
}

static void add_label(struct changed_node *n, struct label *room, const char *name, const char *value)
{
	static const char *const own[] = { LABEL_NAME, "node", "instance", "job", "model" };
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strcmp(own[i], name) == 0)
			return;
	if (value[0] == '\0' || n->n_labels == NODE_LABELS_MAX || has_label(n, name))
		return;
	room[n->n_labels++] = (struct label){ .name = name, .value = value };
	n->labels = room;
}

/* What GPU the first of the target's is. Not knowing it is no failure. */
static enum err add_gpu(struct gather *g, const struct found *t, struct changed_node *n, struct label *room, struct why *why)
{
	const struct detail_target target = { .id = t->id, .profile = labels_get(t->labels, "profile") };
	struct details *details = NULL;
	if (g->q->details == NULL || t->node >= GPU_NODES_MAX || has_label(n, "gpu"))
		return ERR_OK;
	enum err e = detail_engine_read(g->q->details, g->r, &target, g->q->onset_ms, g->q->cancelled, &g->work, &details, why);
	if (e == ERR_OK && details->of[DETAIL_GPU_INFO].n > 0)
		add_label(n, room, "gpu", detail_label(DETAIL_GPU_INFO, &details->of[DETAIL_GPU_INFO].rows[0], "name"));
	return e;
}

static enum err label_nodes(struct gather *g, struct why *why)
{
	enum err e = ERR_OK;
	struct label *room = arena_zeroed(&g->work, g->n_nodes * NODE_LABELS_MAX, sizeof *room);
	if (room == NULL)
		return why_memory(why);
	for (size_t i = 0; i < g->n_nodes; i++)
		add_label(&g->nodes[i], room + i * NODE_LABELS_MAX, "version", g->versions[i]);
	for (size_t i = 0; i < g->n_found && g->found[i].node != SIZE_MAX && e == ERR_OK; i++) {
		const struct found *t = &g->found[i];
		struct changed_node *n = &g->nodes[t->node];
		e = g->n_nodes > 1 ? add_gpu(g, t, n, room + t->node * NODE_LABELS_MAX, why) : ERR_OK;
		for (size_t k = 0; k < labels_count(t->labels); k++)
			add_label(n, room + t->node * NODE_LABELS_MAX, labels_at(t->labels, k)->name, labels_at(t->labels, k)->value);
	}
	return e;
}

/* ---- all of it ---- */

static enum err make_room(struct gather *g, struct why *why)
{
	struct arena *a = &g->work;
	g->nodes = arena_zeroed(a, CHANGED_NODES_MAX, sizeof *g->nodes);
	g->versions = arena_zeroed(a, CHANGED_NODES_MAX, sizeof *g->versions);
	g->n_targets = arena_zeroed(a, CHANGED_NODES_MAX, sizeof *g->n_targets);
	g->series = arena_zeroed(a, CHANGED_SERIES_MAX, sizeof *g->series);
	g->events = arena_zeroed(a, CHANGED_EVENTS_MAX, sizeof *g->events);
	g->places = arena_zeroed(a, LAYOUT_LOOKED_AT, sizeof *g->places);
	return arena_failed(a) ? why_memory(why) : ERR_OK;
}

static enum err gather(struct gather *g, struct why *why)
{
	enum err e = make_room(g, why);
	if (e == ERR_OK)
		e = find_nodes(g, why);
	if (e == ERR_OK)
		e = read_samples(g, why);
	if (e == ERR_OK)
		e = read_events(g, why);
	return e == ERR_OK ? label_nodes(g, why) : e;
}

enum err changed_read(struct reader *r, const struct changed_question *q, struct arena *a, struct changed **out, struct why *why)
{
	struct gather g = { .r = r, .q = q, .node = q->node, .group = q->group, .model = q->model, .start_ms = q->onset_ms - CHANGED_BEFORE_MS };
	int64_t latest = q->onset_ms + CHANGED_AFTER_MS;
	g.until_ms = q->until_ms < q->onset_ms ? q->onset_ms : q->until_ms > latest ? latest : q->until_ms;
	g.n_slots = (size_t)((g.until_ms - g.start_ms) / CHANGED_STEP_MS) + 1;
	arena_init(&g.work);
	enum err e = gather(&g, why);
	if (e == ERR_OK) {
		const struct changed_input in = { .onset_ms = q->onset_ms, .until_ms = g.until_ms, .start_ms = g.start_ms, .step_ms = CHANGED_STEP_MS,
			                          .n_slots = g.n_slots, .nodes = g.nodes, .n_nodes = g.n_nodes, .series = g.series, .n_series = g.n_series,
			                          .events = g.events, .n_events = g.n_events, .onset = q->onset != NULL ? q->onset : "the alert",
			                          .cancelled = q->cancelled };
		e = changed_rank(&in, a, out, why);
	}
	if (e == ERR_OK)
		(*out)->is_cut = g.is_cut;
	arena_release(&g.work);
	free(g.found);
	return e;
}
