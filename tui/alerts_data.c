/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_build.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ack.h"
#include "base/buf.h"

enum { FIND_MAX = 2000, FIND_NODES = 40 };

/* ---- rows in ---- */

enum err alerts_build_fail(struct alerts_build *b)
{
	b->err = ERR_MEMORY;
	return ERR_MEMORY;
}

void *alerts_build_next(struct alerts_build *b, struct rows *r)
{
	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
		void *items = realloc(r->items, cap * r->size);
		if (items == NULL) {
			alerts_build_fail(b);
			return NULL;
		}
		r->items = items;
		r->cap = cap;
	}
	return (char *)r->items + r->n * r->size;
}

/* The view changes by itself at `t_ms`, where that is still to come. */
static void changes_at(struct alerts_view *v, int64_t t_ms)
{
	if (t_ms > v->t_ms && t_ms < v->until_ms)
		v->until_ms = t_ms;
}

static enum alert_phase phase_of(const struct alert_row *r)
{
	switch (alert_row_state(r)) {
	case ALERT_ROW_FIRING: return PHASE_FIRING;
	case ALERT_ROW_PENDING: return PHASE_PENDING;
	case ALERT_ROW_RESOLVED:
	case ALERT_ROW_DROPPED: break;
	}
	return PHASE_RESOLVED;
}

const char *alerts_node(const struct labels *l)
{
	const char *node = l != NULL ? labels_get(l, "node") : "";
	return node[0] != '\0' || l == NULL ? node : labels_get(l, "instance");
}

enum err alerts_build_alert(void *ctx, const struct alert_row *r)
{
	struct alerts_build *b = ctx;
	if (alert_row_state(r) == ALERT_ROW_DROPPED)
		return b->err;
	if (b->alerts.n == ALERTS_MAX) {
		b->view->n_more++;
		return b->err;
	}
	struct alert_item *to = alerts_build_next(b, &b->alerts);
	if (to == NULL)
		return ERR_MEMORY;
	*to = (struct alert_item){ .row = alert_row_copy(&b->view->arena, r), .node = alerts_node(r->labels), .phase = phase_of(r), .inhibitor = "",
		                   .is_inhibited = r->inhibited_by != 0 };
	b->alerts.n++;
	if (to->phase == PHASE_RESOLVED)
		changes_at(b->view, r->resolved_ms + ALERTS_RESOLVED_MS + 1);
	return arena_failed(&b->view->arena) ? alerts_build_fail(b) : b->err;
}

enum err alerts_build_ack(void *ctx, const struct ack_row *r)
{
	struct alerts_build *b = ctx;
	if (b->acks.n == ALERTS_ACKS_MAX)
		return b->err;
	struct ack_row *to = alerts_build_next(b, &b->acks);
	if (to == NULL)
		return ERR_MEMORY;
	*to = ack_row_copy(&b->view->arena, r);
	b->acks.n++;
	changes_at(b->view, r->until_ms);
	return arena_failed(&b->view->arena) ? alerts_build_fail(b) : b->err;
}

/* Of all that are known. */
static enum err list_silence(struct alerts_build *b, const struct silence_row *r)
{
	if (b->all_silences.n == ALERTS_SILENCES_MAX)
		return ERR_OK;
	struct silence_row *to = alerts_build_next(b, &b->all_silences);
	if (to == NULL)
		return ERR_MEMORY;
	*to = silence_row_copy(&b->view->arena, r);
	b->all_silences.n++;
	return arena_failed(&b->view->arena) ? alerts_build_fail(b) : ERR_OK;
}

enum err alerts_build_silence(void *ctx, const struct silence_row *r)
{
	struct alerts_build *b = ctx;
	changes_at(b->view, r->from_ms);
	changes_at(b->view, r->until_ms + 1);
	if (list_silence(b, r) != ERR_OK)
		return ERR_MEMORY;
	if (silence_state(r, b->view->t_ms) != SILENCE_ACTIVE || b->silences.n == ALERTS_SILENCES_MAX)
		return b->err;
	struct silence_row *to = alerts_build_next(b, &b->silences);
	if (to == NULL)
		return ERR_MEMORY;
	enum err e = silences_add(&b->ready, r, NULL);
	if (e == ERR_MEMORY)
		return alerts_build_fail(b);
	if (e != ERR_OK)
		return b->err;
	*to = silence_row_copy(&b->view->arena, r);
	b->silences.n++;
	return arena_failed(&b->view->arena) ? alerts_build_fail(b) : b->err;
}

enum err alerts_build_console(void *ctx, const struct console_row *r)
{
	struct alerts_build *b = ctx;
	if (b->consoles.n == ALERTS_CONSOLES_MAX)
		return b->err;
	struct console_row *to = alerts_build_next(b, &b->consoles);
	struct arena *a = &b->view->arena;
	if (to == NULL)
		return ERR_MEMORY;
	*to = *r;
	to->id = arena_text(a, r->id);
	to->view = arena_text(a, r->view);
	to->actor = alerts_actor_copy(a, &r->actor);
	b->consoles.n++;
	changes_at(b->view, r->seen_ms + CONSOLE_SEEN_MS + 1);
	return arena_failed(a) ? alerts_build_fail(b) : b->err;
}

/* ---- what hides ---- */

static void find_silences(struct alerts_build *b)
{
	struct alert_item *alerts = b->alerts.items;
	struct silence_row *silences = b->silences.items;
	for (size_t i = 0; i < b->alerts.n && b->silences.n > 0; i++) {
		size_t which;
		if (alerts[i].phase != PHASE_RESOLVED && silences_of(&b->ready, alerts[i].row.labels, b->view->t_ms, &which, 1) > 0) {
			alerts[i].silence = &silences[which];
			alerts[i].is_silenced = true;
		}
	}
}

static int by_id(const void *a, const void *b)
{
	const struct alert_item *const *x = a, *const *y = b;
	return ((*x)->row.id > (*y)->row.id) - ((*x)->row.id < (*y)->row.id);
}

static const char *call(struct arena *a, const struct alert_item *item)
{
	struct buf name;
	buf_init(&name, 512);
	buf_printf(&name, "%.200s%s%.200s", item->row.rule, item->node[0] != '\0' ? " of " : "", item->node);
	const char *text = arena_text(a, buf_text(&name));
	buf_release(&name);
	return text;
}

static enum err find_inhibitors(struct alerts_build *b)
{
	struct alert_item *alerts = b->alerts.items;
	size_t n = 0;
	for (size_t i = 0; i < b->alerts.n; i++)
		n += alerts[i].row.inhibited_by != 0;
	if (n == 0)
		return ERR_OK;
	const struct alert_item **index = calloc(b->alerts.n, sizeof *index);
	if (index == NULL)
		return alerts_build_fail(b);
	for (size_t i = 0; i < b->alerts.n; i++)
		index[i] = &alerts[i];
	qsort(index, b->alerts.n, sizeof *index, by_id);
	for (size_t i = 0; i < b->alerts.n; i++) {
		const struct alert_item wanted = { .row.id = alerts[i].row.inhibited_by }, *key = &wanted;
		const struct alert_item *const *hit = wanted.row.id == 0 ? NULL : bsearch(&key, index, b->alerts.n, sizeof *index, by_id);
		if (hit != NULL)
			alerts[i].inhibitor = call(&b->view->arena, *hit);
	}
	free(index);
	return ERR_OK;
}

/* ---- groups ---- */

const char *alerts_summary(const struct labels *annotations)
{
	static const char *const names[] = { "summary", "description", "message", "title" };
	for (size_t i = 0; annotations != NULL && i < sizeof names / sizeof names[0]; i++)
		if (labels_find(annotations, names[i]) != NULL)
			return labels_get(annotations, names[i]);
	return "";
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* How many nodes its alerts are of, and which where it is just one. */
static enum err count_nodes(struct alert_group_item *g)
{
	const char **names = calloc(g->n, sizeof *names);
	if (names == NULL)
		return ERR_MEMORY;
	size_t n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (g->alerts[i].node[0] != '\0' && g->alerts[i].phase == g->phase)
			names[n++] = g->alerts[i].node;
	qsort(names, n, sizeof *names, by_text);
	for (size_t i = 0; i < n; i++)
		g->n_nodes += i == 0 || strcmp(names[i], names[i - 1]) != 0;
	g->node = g->n_nodes == 1 ? names[0] : "";
	free(names);
	return ERR_OK;
}

/* What can be filtered by; of a large group the first nodes only are found by their names. */
static const char *find_text(struct arena *a, const struct alert_group_item *g)
{
	static const char *const phases[] = { [PHASE_FIRING] = "firing", [PHASE_PENDING] = "pending", [PHASE_RESOLVED] = "resolved" };
	static const char *const severities[SEVERITY_COUNT] = { "ok", "info", "warn", "crit", "down" };
	struct buf b;
	buf_init(&b, FIND_MAX);
	buf_printf(&b, "%.200s\n%.100s\n%.100s\n%.400s\n%s\n%s\n%s\n%.100s", g->rule, g->source, g->model, g->summary, phases[g->phase], severities[g->severity],
	           g->ack == NULL ? g->unowned_ms != 0 ? "unowned" : "" : "owned", g->ack == NULL ? "" : g->ack->actor.who);
	for (size_t i = 0; i < g->n && i < FIND_NODES && b.err == ERR_OK; i++)
		buf_printf(&b, "\n%.60s", g->alerts[i].node);
	char *text = arena_text(a, buf_text(&b));
	for (char *p = text; p != NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	buf_release(&b);
	return text;
}

static void count_alert(struct alert_group_item *g, const struct alert_item *item)
{
	bool is_active = item->phase != PHASE_RESOLVED;
	g->n_firing += item->phase == PHASE_FIRING;
	g->n_pending += item->phase == PHASE_PENDING;
	g->n_resolved += item->phase == PHASE_RESOLVED;
	g->n_silenced += is_active && item->is_silenced;
	g->n_inhibited += is_active && item->is_inhibited;
	if (item->row.is_flapping && item->row.flap_percent > g->flap_percent)
		g->flap_percent = item->row.flap_percent;
}

/* The alerts of the group lie beside each other by now. */
static enum err fill_group(struct alerts_build *b, const struct grouped_alerts *from, const struct alert_item *alerts, struct alert_group_item *g)
{
	const struct alert_row *first = &alerts[0].row;
	*g = (struct alert_group_item){ .key = from->key, .rule = first->rule, .model = labels_get(first->labels, "model"), .alerts = alerts, .n = from->n,
		                        .summary = alerts_summary(first->annotations), .source = alerts_is_external(&alerts[0]) ? alerts[0].there->remote : "", .phase = alerts[0].phase, .since_ms = from->since_ms };
	size_t n_open = 0; /* of those in its phase, that nothing hides */
	for (size_t i = 0; i < from->n; i++) {
		count_alert(g, &alerts[i]);
		if (alerts[i].phase != g->phase)
			continue;
		n_open += !alerts[i].is_silenced && !alerts[i].is_inhibited;
		if (alerts[i].row.severity > g->severity)
			g->severity = alerts[i].row.severity;
	}
	g->is_hidden = g->phase != PHASE_RESOLVED && n_open == 0;
	return count_nodes(g) == ERR_OK ? ERR_OK : alerts_build_fail(b);
}

static enum err lay_out(struct alerts_build *b)
{
	const struct alert_item *from = b->alerts.items;
	struct alerts_view *v = b->view;
	v->alerts = calloc(b->alerts.n + 1, sizeof *v->alerts);
	v->groups = calloc(b->groups.n + 1, sizeof *v->groups);
	if (v->alerts == NULL || v->groups == NULL)
		return alerts_build_fail(b);
	for (size_t i = 0; i < b->groups.n; i++)
		for (size_t k = 0; k < b->groups.items[i].n; k++)
			v->alerts[v->n_alerts++] = from[b->groups.items[i].members[k]];
	b->alerts.n = 0; /* they are the view's, each of them: dropped ones never came in */
	const struct alert_item *at = v->alerts;
	for (size_t i = 0; i < b->groups.n && b->err == ERR_OK; i++) {
		fill_group(b, &b->groups.items[i], at, &v->groups[v->n_groups++]);
		at += b->groups.items[i].n;
	}
	return b->err;
}

static enum err make_groups(struct alerts_build *b, struct why *why)
{
	const struct alert_item *items = b->alerts.items;
	struct alert_row *rows = calloc(b->alerts.n + 1, sizeof *rows);
	if (rows == NULL)
		return alerts_build_fail(b);
	for (size_t i = 0; i < b->alerts.n; i++)
		rows[i] = items[i].row;
	enum err e = alert_groups_build(rows, b->alerts.n, &b->groups, why);
	free(rows);
	if (e != ERR_OK)
		b->err = e;
	return b->err == ERR_OK ? lay_out(b) : b->err;
}

/* ---- who has it ---- */

/* When it was over; between two judgements of the recorder one that ran out is not marked so yet. */
static int64_t over_ms(const struct ack_row *a)
{
	return a->ended_ms != 0 ? a->ended_ms : a->until_ms;
}

static void own(struct alert_group_item *g, const struct ack_row *a, int64_t t_ms)
{
	if (ack_is_held(a, t_ms)) {
		if (g->ack == NULL || g->ack->at_ms <= a->at_ms)
			g->ack = a;
	} else if (g->phase == PHASE_FIRING && a->at_ms <= t_ms && over_ms(a) > g->since_ms && (g->lost == NULL || over_ms(g->lost) <= over_ms(a))) {
		g->lost = a;
	}
}

static int by_key(const void *a, const void *b)
{
	const struct alert_group_item *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static enum err find_owners(struct alerts_build *b)
{
	struct alerts_view *v = b->view;
	struct alert_group_item **index = calloc(v->n_groups + 1, sizeof *index);
	if (index == NULL)
		return alerts_build_fail(b);
	for (size_t i = 0; i < v->n_groups; i++)
		index[i] = &v->groups[i];
	qsort(index, v->n_groups, sizeof *index, by_key);
	for (size_t i = 0; i < v->n_acks; i++) {
		const struct alert_group_item wanted = { .key = v->acks[i].group_key }, *key = &wanted;
		struct alert_group_item *const *hit = bsearch(&key, index, v->n_groups, sizeof *index, by_key);
		if (hit != NULL)
			own(*hit, &v->acks[i], v->t_ms);
	}
	free(index);
	for (size_t i = 0; i < v->n_groups; i++) {
		struct alert_group_item *g = &v->groups[i];
		if (alerts_own_remotely(b, g) != ERR_OK)
			return ERR_MEMORY;
		if (g->ack != NULL)
			g->lost = NULL;
		else if (g->source[0] == '\0' && g->phase == PHASE_FIRING && g->severity >= SEVERITY_WARN && !g->is_hidden)
			g->unowned_ms = g->lost != NULL ? over_ms(g->lost) : g->since_ms;
		g->find = find_text(&v->arena, g);
	}
	return b->err;
}

/* ---- the order ---- */

static int in_order(const void *a, const void *b)
{
	const struct alert_group_item *x = a, *y = b;
	if (x->is_hidden != y->is_hidden)
		return x->is_hidden ? 1 : -1;
	if (x->phase != y->phase)
		return x->phase < y->phase ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if ((x->source[0] != '\0') != (y->source[0] != '\0'))
		return x->source[0] != '\0' ? 1 : -1;
	if (x->since_ms != y->since_ms)
		return x->since_ms > y->since_ms ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void count_groups(struct alerts_view *v)
{
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct alert_group_item *g = &v->groups[i];
		bool is_seen = g->phase == PHASE_FIRING && !g->is_hidden;
		v->n_hidden += g->is_hidden;
		v->n_external += is_seen && g->source[0] != '\0';
		is_seen = is_seen && g->source[0] == '\0';
		v->n_crit += is_seen && g->severity >= SEVERITY_CRIT;
		v->n_warn += is_seen && g->severity == SEVERITY_WARN;
		v->n_unowned += g->unowned_ms != 0;
	}
}

/* ---- life ---- */

enum err alerts_build_new(int64_t t_ms, struct alerts_build **out, struct why *why)
{
	struct alerts_build *b = calloc(1, sizeof *b);
	struct alerts_view *v = calloc(1, sizeof *v);
	if (b == NULL || v == NULL) {
		free(b);
		free(v);
		return why_memory(why);
	}
	arena_init(&v->arena);
	v->t_ms = t_ms;
	v->until_ms = INT64_MAX;
	b->view = v;
	b->alerts.size = sizeof(struct alert_item);
	b->acks.size = sizeof(struct ack_row);
	b->silences.size = sizeof(struct silence_row);
	b->consoles.size = sizeof(struct console_row);
	b->all_silences.size = sizeof(struct silence_row);
	b->externals.size = sizeof(struct external_row);
	b->alertmanagers.size = sizeof(struct alertmanager_row);
	silences_init(&b->ready);
	*out = b;
	return ERR_OK;
}

void alerts_view_free(struct alerts_view *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n_alerts; i++)
		alert_row_release(&v->alerts[i].row);
	free(v->alerts);
	free(v->groups);
	free(v->acks);
	free(v->silences);
	free(v->all_silences);
	free(v->consoles);
	free(v->alertmanagers);
	alerts_release_externals(v->externals, v->n_externals);
	arena_release(&v->arena);
	free(v);
}

void alerts_build_free(struct alerts_build *b)
{
	if (b == NULL)
		return;
	struct alert_item *alerts = b->alerts.items;
	for (size_t i = 0; i < b->alerts.n; i++)
		alert_row_release(&alerts[i].row);
	free(b->alerts.items);
	free(b->acks.items);
	free(b->silences.items);
	free(b->all_silences.items);
	free(b->consoles.items);
	free(b->alertmanagers.items);
	alerts_release_externals(b->externals.items, b->externals.n);
	silences_release(&b->ready);
	alert_groups_release(&b->groups);
	alerts_view_free(b->view);
	free(b);
}

/* Arrays that are as they should be pass to the view. */
static void hand_over(struct alerts_build *b)
{
	struct alerts_view *v = b->view;
	v->acks = b->acks.items;
	v->n_acks = b->acks.n;
	v->silences = b->silences.items;
	v->n_silences = b->silences.n;
	v->consoles = b->consoles.items;
	v->n_consoles = b->consoles.n;
	v->all_silences = b->all_silences.items;
	v->n_all_silences = b->all_silences.n;
	v->externals = b->externals.items;
	v->n_externals = b->externals.n;
	v->alertmanagers = b->alertmanagers.items;
	v->n_alertmanagers = b->alertmanagers.n;
	b->acks.items = b->all_silences.items = b->consoles.items = b->alertmanagers.items = NULL;
}

enum err alerts_build_end(struct alerts_build *b, struct alerts_view **out, struct why *why)
{
	if (b->err != ERR_OK)
		return why_memory(why);
	find_silences(b);
	hand_over(b);
	enum err e = alerts_take_externals(b);
	alerts_find_remote_acks(b);
	b->silences.items = b->externals.items = NULL; /* the view's */
	b->externals.n = 0;
	if (e != ERR_OK || find_inhibitors(b) != ERR_OK || make_groups(b, why) != ERR_OK || find_owners(b) != ERR_OK || arena_failed(&b->view->arena))
		return why_memory(why);
	qsort(b->view->groups, b->view->n_groups, sizeof *b->view->groups, in_order);
	count_groups(b->view);
	*out = b->view;
	b->view = NULL;
	return ERR_OK;
}

const struct alert_group_item *alerts_group(const struct alerts_view *v, const char *key)
{
	for (size_t i = 0; v != NULL && i < v->n_groups; i++)
		if (strcmp(v->groups[i].key, key) == 0)
			return &v->groups[i];
	return NULL;
}

const struct alert_item *alerts_alert(const struct alerts_view *v, int64_t id)
{
	for (size_t i = 0; v != NULL && i < v->n_alerts; i++)
		if (v->alerts[i].row.id == id)
			return &v->alerts[i];
	return NULL;
}
