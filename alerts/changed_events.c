/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as causes: one row for each kind, of the event that is nearest in place and time, with how many nodes have one of that kind. */
#include "alerts/changed_private.h"

#include <string.h>

/* What is known of a kind; other kinds go by their severity. Weight 0: no cause by itself. */
static const struct {
	const char *kind, *word;
	double      weight;
} kinds[] = {
	{ "deploy", "deployment", 1 },      { "rollback", "deployment", 1 },   { "version", "deployment", 1 },
	{ "container", "deployment", 0.95 }, { "restart", "restart", 0.9 },     { "unit", "restart", 0.9 },
	{ "xid", "fault", 0.95 },           { "gpu", "fault", 0.95 },          { "oom_kill", "fault", 0.95 },
	{ "thermal", "heat", 0.9 },         { "config", "configuration", 0.8 }, { "scrape", "silence", 0.7 },
	{ "clock", "clock", 0.4 },          { "source", "source", 0.4 },       { "recorder", "recorder", 0.3 },
	{ "note", "note", 0.2 },            { "alert", "alert", 0 },           { "ack", "alert", 0 },
	{ "silence", "alert", 0 },          { "rule", "alert", 0 },
};

static double weight_of(const struct changed_event *e, const char **word)
{
	static const double by_severity[SEVERITY_COUNT] = { 0, 0.5, 0.75, 0.9, 0.9 };
	*word = "event";
	if (e->severity == SEVERITY_OK) /* something is well again */
		return 0;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].kind, e->kind) == 0) {
			*word = kinds[i].word;
			return kinds[i].weight;
		}
	}
	return by_severity[e->severity];
}

enum changed_scope changed_scope_of(const struct changed_input *in, const struct changed_event *e)
{
	return e->node < in->n_nodes ? in->nodes[e->node].scope : e->is_of_model ? CHANGED_MODEL : CHANGED_FLEET;
}

static struct changed_draft *draft_of(struct changed_drafts *d, const char *kind)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].row.what == CHANGED_EVENT && strcmp(d->items[i].row.label, kind) == 0)
			return &d->items[i];
	struct changed_draft *fresh = changed_draft_add(d);
	if (fresh != NULL) {
		fresh->row.what = CHANGED_EVENT;
		fresh->row.label = kind;
		fresh->row.scope = CHANGED_SCOPES;
	}
	return fresh;
}

/* Whether an event of this kind and node stands before it in the list. */
static bool is_counted(const struct changed_input *in, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (in->events[k].node == in->events[i].node && in->events[k].severity != SEVERITY_OK &&
		    strcmp(in->events[k].kind, in->events[i].kind) == 0)
			return true;
	return false;
}

static void take(const struct changed_input *in, struct changed_draft *d, const struct changed_event *e, double weight, const char *word)
{
	enum changed_scope scope = changed_scope_of(in, e);
	double timing = changed_timing(in->onset_ms, e->wall_ms);
	struct changed_row *row = &d->row;
	bool is_nearer = scope < row->scope, is_better = scope == row->scope && weight * timing > row->parts.kind * row->parts.timing;
	if (!is_nearer && !is_better)
		return;
	row->scope = scope;
	row->node = e->node < in->n_nodes ? in->nodes[e->node].name : "";
	row->moved_ms = e->wall_ms;
	row->parts = (struct changed_parts){ 1, 1, timing, 1, weight };
	d->kind_word = word;
	d->event_text = e->text;
}

void changed_add_events(const struct changed_input *in, struct changed_drafts *d)
{
	size_t first = d->n;
	uint32_t all[CHANGED_FLEET] = { 0 };
	for (size_t i = 0; i < in->n_nodes; i++)
		if (in->nodes[i].scope < CHANGED_FLEET)
			all[in->nodes[i].scope]++;
	for (size_t i = 0; i < in->n_events; i++) {
		const char *word;
		const struct changed_event *e = &in->events[i];
		double weight = weight_of(e, &word);
		struct changed_draft *to = weight > 0 ? draft_of(d, e->kind) : NULL;
		if (to == NULL)
			continue;
		take(in, to, e, weight, word);
		enum changed_scope scope = changed_scope_of(in, e);
		if (e->node < in->n_nodes && scope < CHANGED_FLEET && !is_counted(in, i))
			to->row.count[scope].moved++;
	}
	for (size_t i = first; i < d->n; i++) {
		struct changed_row *row = &d->items[i].row;
		for (int scope = 0; scope < CHANGED_FLEET; scope++)
			row->count[scope].all = all[scope];
		bool is_counted_there = row->scope < CHANGED_FLEET && row->node[0] != '\0'; /* what is of no node is of all that the scope has */
		row->parts.near = changed_near(row->scope, is_counted_there ? row->count[row->scope] : (struct changed_count){ 0, 0 });
	}
}
