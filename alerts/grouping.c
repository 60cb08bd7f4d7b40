/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/grouping.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"

/* ---- labels ---- */

enum err alert_group_key(const struct labels *l, const char *const *by, size_t n_by, struct buf *to)
{
	struct label pairs[ALERT_GROUP_BY_MAX];
	struct labels *key = NULL;
	size_t n = 0;
	assert(n_by <= ALERT_GROUP_BY_MAX);
	for (size_t i = 0; i < n_by; i++) {
		if (strcmp(by[i], "...") == 0)
			return labels_print(l, to);
		const struct label *found = labels_find(l, by[i]);
		bool is_there = false;
		for (size_t j = 0; found != NULL && j < n && !is_there; j++)
			is_there = strcmp(pairs[j].name, by[i]) == 0;
		if (found != NULL && !is_there)
			pairs[n++] = *found;
	}
	enum err e = labels_new(pairs, n, &key, NULL);
	if (e == ERR_OK)
		e = labels_print(key, to);
	labels_unref(key);
	return e;
}

enum severity alert_severity(const struct labels *l)
{
	static const struct {
		const char   *word;
		enum severity severity;
	} words[] = { { "critical", SEVERITY_CRIT }, { "page", SEVERITY_CRIT }, { "warning", SEVERITY_WARN }, { "ticket", SEVERITY_WARN } };
	const char *word = labels_get(l, "severity");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].severity;
	}
	return SEVERITY_INFO;
}

enum alert_row_state alert_row_state(const struct alert_row *r)
{
	if (r->resolved_ms == 0)
		return r->fired_ms != 0 ? ALERT_ROW_FIRING : ALERT_ROW_PENDING;
	return r->fired_ms != 0 ? ALERT_ROW_RESOLVED : ALERT_ROW_DROPPED;
}

/* ---- groups ---- */

/* When the row came to be what it is now. */
static int64_t since_of(const struct alert_row *r)
{
	switch (alert_row_state(r)) {
	case ALERT_ROW_FIRING: return r->fired_ms;
	case ALERT_ROW_PENDING: return r->active_ms;
	case ALERT_ROW_RESOLVED:
	case ALERT_ROW_DROPPED: return r->resolved_ms;
	}
	return 0;
}

/* Members are sorted by group (the number of their first row) and within it. One pass of qsort does both. */
struct member {
	uint32_t                group, row;
	const struct alert_row *r;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	enum alert_row_state s = alert_row_state(x->r), t = alert_row_state(y->r);
	if (s != t)
		return s < t ? -1 : 1;
	if (x->r->severity != y->r->severity)
		return x->r->severity > y->r->severity ? -1 : 1;
	int64_t i = since_of(x->r), j = since_of(y->r);
	if (i != j)
		return i < j ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static enum alert_row_state state_of(const struct grouped_alerts *g)
{
	return g->n_firing > 0 ? ALERT_ROW_FIRING : g->n_pending > 0 ? ALERT_ROW_PENDING : ALERT_ROW_RESOLVED;
}

static int compare_groups(const void *a, const void *b)
{
	const struct grouped_alerts *x = a, *y = b;
	enum alert_row_state s = state_of(x), t = state_of(y);
	if (s != t)
		return s < t ? -1 : 1;
	enum severity i = s == ALERT_ROW_FIRING ? x->severity : x->worst, j = s == ALERT_ROW_FIRING ? y->severity : y->worst;
	if (i != j)
		return i > j ? -1 : 1;
	if (x->since_ms != y->since_ms)
		return x->since_ms > y->since_ms ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Adds a row to its group. `members` are counted now and laid out once sorted. */
static void count(struct grouped_alerts *g, const struct alert_row *r)
{
	int64_t since = since_of(r);
	enum alert_row_state before = state_of(g), state = alert_row_state(r);
	bool is_first = g->n == 0 || state < before, is_of_state = state == before;
	g->n++;
	g->worst = r->severity > g->worst ? r->severity : g->worst;
	g->is_flapping = g->is_flapping || r->is_flapping;
	g->n_firing += state == ALERT_ROW_FIRING;
	g->n_pending += state == ALERT_ROW_PENDING;
	g->n_resolved += state == ALERT_ROW_RESOLVED;
	g->n_inhibited += state == ALERT_ROW_FIRING && r->inhibited_by != 0;
	if (state == ALERT_ROW_FIRING && r->severity > g->severity)
		g->severity = r->severity;
	bool is_nearer = state == ALERT_ROW_RESOLVED ? since > g->since_ms : since < g->since_ms;
	if (is_first || (is_of_state && is_nearer))
		g->since_ms = since;
}

struct builder {
	const struct alert_row *rows;
	struct grouped_alerts  *items;
	size_t                  n_items;
	struct member          *members;
	size_t                  n_members;
	uint32_t               *slots; /* a group's number and 1; open addressing, half full at the most */
	size_t                  n_slots;
};

static size_t slot_of(const char *key, size_t n_slots)
{
	return hash64(key, strlen(key), 0) & (n_slots - 1);
}

static uint32_t group_of(struct builder *b, const char *key)
{
	size_t at = slot_of(key, b->n_slots);
	for (; b->slots[at] != 0; at = (at + 1) & (b->n_slots - 1)) {
		if (strcmp(b->items[b->slots[at] - 1].key, key) == 0)
			return b->slots[at] - 1;
	}
	b->items[b->n_items] = (struct grouped_alerts){ .key = key };
	b->slots[at] = (uint32_t)++b->n_items;
	return b->slots[at] - 1;
}

static void sort_out(struct builder *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct alert_row *r = &b->rows[i];
		if (alert_row_state(r) == ALERT_ROW_DROPPED)
			continue;
		uint32_t group = group_of(b, r->group_key);
		count(&b->items[group], r);
		b->members[b->n_members++] = (struct member){ .group = group, .row = (uint32_t)i, .r = r };
	}
	qsort(b->members, b->n_members, sizeof *b->members, compare_members);
}

/* The members' numbers, a group's beside each other; groups are still in the order in which they came, as the members are sorted. */
static void lay_out(struct builder *b, uint32_t *members)
{
	for (size_t i = 0; i < b->n_members; i++) {
		members[i] = b->members[i].row;
		struct grouped_alerts *g = &b->items[b->members[i].group];
		if (g->members == NULL)
			g->members = &members[i];
	}
}

static void index_keys(struct alert_groups *g)
{
	memset(g->by_key, 0, g->n_by_key * sizeof *g->by_key);
	for (size_t i = 0; i < g->n; i++) {
		size_t at = slot_of(g->items[i].key, g->n_by_key);
		while (g->by_key[at] != 0)
			at = (at + 1) & (g->n_by_key - 1);
		g->by_key[at] = (uint32_t)i + 1;
	}
}

enum err alert_groups_build(const struct alert_row *rows, size_t n, struct alert_groups *out, struct why *why)
{
	struct builder b = { .rows = rows, .n_slots = 16 };
	uint32_t *members = NULL;
	enum err e = ERR_OK;
	assert(n < UINT32_MAX - 1);
	while (b.n_slots < n * 2)
		b.n_slots *= 2;
	b.items = calloc(n + 1, sizeof *b.items);
	b.members = calloc(n + 1, sizeof *b.members);
	b.slots = calloc(b.n_slots, sizeof *b.slots);
	members = calloc(n + 1, sizeof *members);
	if (b.items == NULL || b.members == NULL || b.slots == NULL || members == NULL) {
		e = why_memory(why);
		goto out;
	}
	sort_out(&b, n);
	lay_out(&b, members);
	qsort(b.items, b.n_items, sizeof *b.items, compare_groups);
	*out = (struct alert_groups){ .items = b.items, .n = b.n_items, .members = members, .by_key = b.slots, .n_by_key = b.n_slots };
	index_keys(out);
	b.items = NULL;
	b.slots = members = NULL;
out:
	free(b.items);
	free(b.members);
	free(b.slots);
	free(members);
	return e;
}

void alert_groups_release(struct alert_groups *g)
{
	free(g->items);
	free(g->members);
	free(g->by_key);
	*g = (struct alert_groups){ 0 };
}

const struct grouped_alerts *alert_groups_find(const struct alert_groups *g, const char *key)
{
	if (g->n_by_key == 0)
		return NULL;
	for (size_t at = slot_of(key, g->n_by_key); g->by_key[at] != 0; at = (at + 1) & (g->n_by_key - 1)) {
		if (strcmp(g->items[g->by_key[at] - 1].key, key) == 0)
			return &g->items[g->by_key[at] - 1];
	}
	return NULL;
}
