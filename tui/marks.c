/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/marks.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "store/alerts.h"
#include "store/reader.h"

#include <cjson/cJSON.h>

enum { OF_A_KIND_MAX = 500, ACK_NODES_MAX = 64, NODES_KNOWN_MAX = 20000, TEXT_MAX = 300, DATA_MAX = 8192, MODEL_MAX = 1024 };

/* An alert of the span, by which acknowledgements find the nodes that they are about. */
struct known_alert {
	int64_t     id;
	const char *node, *model, *rule;
};

struct known_node {
	const char *node, *model; /* lent by the reader */
};

struct reading {
	struct reader      *r;
	struct arena       *a;
	int64_t             after_ms, until_ms;
	struct mark        *marks; /* room for MARKS_MAX */
	size_t              n_marks;
	bool                is_cut;
	struct known_alert *alerts; /* room for OF_A_KIND_MAX */
	size_t              n_alerts, n_seen; /* seen: of the kind that is being read */
	struct known_node  *nodes;  /* room for NODES_KNOWN_MAX */
	size_t              n_nodes;
	enum mark_kind      kind; /* of the events that are being read */
};

static bool is_in(const struct reading *w, int64_t at_ms)
{
	return at_ms > w->after_ms && at_ms <= w->until_ms;
}

static enum err add(struct reading *w, const struct mark *m, struct buf *text)
{
	bool has_room = w->n_marks < MARKS_MAX;
	enum err e = text->err == ERR_MEMORY ? ERR_MEMORY : ERR_OK;
	if (e == ERR_OK && has_room) {
		struct mark *to = &w->marks[w->n_marks++];
		*to = *m;
		to->text = arena_text(w->a, buf_text(text));
		e = arena_failed(w->a) ? ERR_MEMORY : ERR_OK;
	}
	w->is_cut |= !has_room;
	buf_release(text);
	return e;
}

/* ---- events ---- */

/* The model that an event without a node is about stands in its data; "" where it is about none. */
static const char *model_in(struct arena *a, const struct event *e)
{
	const struct json_limits limits = { .bytes = DATA_MAX, .depth = 4, .values = 100 };
	struct cJSON *tree = NULL;
	const char *model = "";
	if (e->node[0] != '\0' || e->data == NULL || e->data[0] == '\0' || json_parse(e->data, strlen(e->data), &limits, &tree, NULL) != ERR_OK)
		return "";
	if (json_get_string(tree, "model", MODEL_MAX, &model, NULL) != ERR_OK)
		model = "";
	const char *kept = arena_text(a, model);
	cJSON_Delete(tree);
	return kept;
}

static enum err see_event(void *ctx, const struct event *e)
{
	struct reading *w = ctx;
	struct buf text;
	w->is_cut |= ++w->n_seen == OF_A_KIND_MAX;
	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "%s%s%s", e->node, e->node[0] != '\0' ? " " : "", e->text);
	const struct mark m = { .at_ms = e->wall_ms, .kind = w->kind, .severity = e->severity, .node = arena_text(w->a, e->node),
		                .model = w->kind == MARK_DEPLOY ? model_in(w->a, e) : "" };
	return add(w, &m, &text);
}

static enum err read_events(struct reading *w, struct why *why)
{
	static const struct {
		const char    *kind;
		enum mark_kind mark;
	} kinds[] = {
		{ "deploy", MARK_DEPLOY }, { "rollback", MARK_DEPLOY }, { "version", MARK_VERSION }, { "restart", MARK_RESTART }, { "note", MARK_NOTE },
	};
	enum err e = ERR_OK;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && e == ERR_OK; i++) {
		w->kind = kinds[i].mark;
		w->n_seen = 0;
		e = reader_events(w->r, NULL, kinds[i].kind, w->after_ms, w->until_ms, OF_A_KIND_MAX, see_event, w, why);
	}
	return e;
}

/* ---- alerts ---- */

static enum err add_alert(struct reading *w, const struct alert_row *row, const struct known_alert *k, enum mark_kind kind)
{
	char age[DURATION_TEXT];
	struct buf text;
	const char *where = k->node[0] != '\0' ? k->node : k->model;
	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "%s%s%s", k->rule, where[0] != '\0' ? " " : "", where);
	if (kind == MARK_RESOLVED)
		buf_printf(&text, " after %s", format_age(row->resolved_ms - row->fired_ms, age));
	const struct mark m = { .at_ms = kind == MARK_ALERT ? row->fired_ms : row->resolved_ms, .kind = kind, .severity = row->severity,
		                .node = k->node, .model = k->model };
	return add(w, &m, &text);
}

static enum err see_alert(void *ctx, const struct alert_row *row)
{
	struct reading *w = ctx;
	const char *node = labels_get(row->labels, "node"), *model = labels_get(row->labels, "model");
	node = node[0] != '\0' ? node : labels_get(row->labels, "instance");
	w->is_cut |= ++w->n_seen == OF_A_KIND_MAX;
	if (w->n_alerts == OF_A_KIND_MAX || row->fired_ms == 0)
		return ERR_OK;
	struct known_alert *k = &w->alerts[w->n_alerts++];
	*k = (struct known_alert){ row->id, arena_text(w->a, node), arena_text(w->a, model), arena_text(w->a, row->rule) };
	if (arena_failed(w->a))
		return ERR_MEMORY;
	enum err e = is_in(w, row->fired_ms) ? add_alert(w, row, k, MARK_ALERT) : ERR_OK;
	return e == ERR_OK && is_in(w, row->resolved_ms) ? add_alert(w, row, k, MARK_RESOLVED) : e;
}

/* ---- acknowledgements: a mark for each node that it is about ---- */

static enum err add_ack(struct reading *w, const struct ack_row *ack, const struct known_alert *k)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "%s%s%s", ack->actor.who, ack->comment[0] != '\0' ? ": " : "", ack->comment);
	const struct mark m = { .at_ms = ack->at_ms, .kind = MARK_ACK, .severity = ack->severity, .node = k != NULL ? k->node : "",
		                .model = k != NULL ? k->model : "" };
	return add(w, &m, &text);
}

static const struct known_alert *alert_of(const struct reading *w, int64_t id)
{
	for (size_t i = 0; i < w->n_alerts; i++)
		if (w->alerts[i].id == id)
			return &w->alerts[i];
	return NULL;
}

static enum err see_ack(void *ctx, const struct ack_row *ack)
{
	struct reading *w = ctx;
	size_t found = 0;
	enum err e = ERR_OK;
	if (!is_in(w, ack->at_ms))
		return ERR_OK;
	for (size_t i = 0; i < ack->n_alerts && found < ACK_NODES_MAX && e == ERR_OK; i++) {
		const struct known_alert *k = alert_of(w, ack->alerts[i]);
		if (k == NULL)
			continue;
		e = add_ack(w, ack, k);
		found++;
	}
	return e == ERR_OK && found == 0 ? add_ack(w, ack, NULL) : e;
}

/* ---- who serves which model: events know the node alone ---- */

static enum err see_target(void *ctx, const struct target_info *t)
{
	struct reading *w = ctx;
	const char *node = labels_get(t->labels, "node"), *model = labels_get(t->labels, "model");
	if (node[0] != '\0' && model[0] != '\0' && w->n_nodes < NODES_KNOWN_MAX)
		w->nodes[w->n_nodes++] = (struct known_node){ node, model };
	return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct known_node *)a)->node, ((const struct known_node *)b)->node);
}

static const char *model_of(const struct reading *w, const char *node)
{
	size_t low = 0, high = w->n_nodes;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (strcmp(w->nodes[mid].node, node) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < w->n_nodes && strcmp(w->nodes[low].node, node) == 0 ? w->nodes[low].model : "";
}

static bool needs_model(const struct mark *m)
{
	return m->node[0] != '\0' && m->model[0] == '\0';
}

static enum err fill_models(struct reading *w, struct why *why)
{
	size_t wanting = 0;
	for (size_t i = 0; i < w->n_marks; i++)
		wanting += needs_model(&w->marks[i]);
	if (wanting == 0)
		return ERR_OK;
	w->nodes = malloc(NODES_KNOWN_MAX * sizeof *w->nodes);
	enum err e = w->nodes == NULL ? ERR_MEMORY : reader_targets(w->r, w->until_ms, see_target, w, why);
	if (w->n_nodes > 1)
		qsort(w->nodes, w->n_nodes, sizeof *w->nodes, by_name);
	for (size_t i = 0; i < w->n_marks && e == ERR_OK; i++)
		if (needs_model(&w->marks[i]))
			w->marks[i].model = arena_text(w->a, model_of(w, w->marks[i].node));
	return arena_failed(w->a) ? ERR_MEMORY : e;
}

/* ---- all of them ---- */

static int oldest_first(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->node, y->node);
}

static enum err read_all(struct reading *w, struct why *why)
{
	enum err e = reader_alert_history(w->r, w->after_ms, w->until_ms, NULL, OF_A_KIND_MAX, see_alert, w, why);
	if (e == ERR_OK)
		e = reader_acks(w->r, w->after_ms, w->until_ms, see_ack, w, why);
	if (e == ERR_OK)
		e = read_events(w, why);
	if (e == ERR_OK)
		e = fill_models(w, why);
	return e;
}

enum err marks_read(struct reader *r, int64_t after_ms, int64_t until_ms, struct arena *a, struct marks_view *out, struct why *why)
{
	struct reading w = { .r = r, .a = a, .after_ms = after_ms, .until_ms = until_ms };
	w.marks = malloc(MARKS_MAX * sizeof *w.marks);
	w.alerts = malloc(OF_A_KIND_MAX * sizeof *w.alerts);
	enum err e = w.marks == NULL || w.alerts == NULL ? ERR_MEMORY : read_all(&w, why);
	struct mark *kept = e == ERR_OK ? arena_zeroed(a, w.n_marks + 1, sizeof *kept) : NULL;
	if (kept != NULL) {
		if (w.n_marks > 1)
			qsort(w.marks, w.n_marks, sizeof *w.marks, oldest_first);
		memcpy(kept, w.marks, w.n_marks * sizeof *kept);
		*out = (struct marks_view){ kept, w.n_marks, w.is_cut };
	} else if (e == ERR_OK) {
		e = ERR_MEMORY;
	}
	free(w.marks);
	free(w.alerts);
	free(w.nodes);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

/* ---- picking ---- */

static bool is_of(const struct mark *m, const struct mark_filter *f)
{
	bool is_any_model = f->model == NULL || m->model[0] == '\0';
	if (f->n_nodes == 0)
		return f->model == NULL || (m->node[0] == '\0' && m->model[0] == '\0') || strcmp(m->model, f->model) == 0;
	if (m->node[0] == '\0')
		return is_any_model || strcmp(m->model, f->model) == 0;
	for (size_t i = 0; i < f->n_nodes; i++)
		if (strcmp(m->node, f->nodes[i]) == 0)
			return true;
	return false;
}

static struct chart_mark mark_look(const struct mark *m)
{
	static const struct {
		char        letter;
		enum role   role;
		const char *one, *many;
	} looks[MARK_KINDS] = {
		[MARK_ALERT] = { 'A', ROLE_CRIT, "alert", "alerts" },       [MARK_DEPLOY] = { 'D', ROLE_TITLE, "deploy", "deploys" },
		[MARK_VERSION] = { 'V', ROLE_TITLE, "version", "versions" }, [MARK_RESTART] = { 'S', ROLE_TITLE, "restart", "restarts" },
		[MARK_ACK] = { 'K', ROLE_INFO, "ack", "acks" },             [MARK_RESOLVED] = { 'R', ROLE_OK, "resolved", "resolved" },
		[MARK_NOTE] = { 'N', ROLE_INFO, "note", "notes" },
	};
	static const enum role roles[SEVERITY_COUNT] = { ROLE_INFO, ROLE_INFO, ROLE_WARN, ROLE_CRIT, ROLE_DOWN };
	/* A worse alert stands for one that is less so. */
	int rank = m->kind == MARK_ALERT ? -(int)m->severity : (int)m->kind;
	return (struct chart_mark){ .at_ms = m->at_ms, .letter = looks[m->kind].letter, .rank = rank,
		                    .role = m->kind == MARK_ALERT ? roles[m->severity] : looks[m->kind].role, .one = looks[m->kind].one,
		                    .many = looks[m->kind].many, .text = m->text };
}

size_t marks_pick(const struct marks_view *v, const struct mark_filter *f, int64_t from_ms, int64_t until_ms, int64_t late_ms,
                  struct chart_mark to[MARKS_SHOWN])
{
	size_t n = 0;
	for (size_t i = v->n; i-- > 0 && n < MARKS_SHOWN && v->items[i].at_ms >= from_ms;) {
		if (v->items[i].at_ms > until_ms + late_ms || !is_of(&v->items[i], f))
			continue;
		to[n] = mark_look(&v->items[i]);
		to[n].at_ms = to[n].at_ms < until_ms ? to[n].at_ms : until_ms;
		n++;
	}
	return n;
}
