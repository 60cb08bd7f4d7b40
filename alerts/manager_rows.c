/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of alerts: what the lives tell becomes rows, transitions and events. */
#include "alerts/manager_private.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/inhibit.h"
#include "base/json.h"

enum { KEY_MAX = 64 * 1024, EVENT_TEXT_MAX = 1000 };

enum err texts_copy(struct texts *t, const char *const *texts, const char **const *places, size_t n)
{
	size_t size = 0;
	for (size_t i = 0; i < n; i++)
		size += (texts[i] != NULL ? strlen(texts[i]) : 0) + 1;
	char *block = malloc(size + 1), *at = block;
	if (block == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < n; i++) {
		size_t len = (texts[i] != NULL ? strlen(texts[i]) : 0) + 1;
		memcpy(at, texts[i] != NULL ? texts[i] : "", len);
		*places[i] = at;
		at += len;
	}
	free(t->block); /* only now: a text may be one of its own */
	t->block = block;
	return ERR_OK;
}

/* ---- finding ---- */

struct alert_row *manager_row(struct alert_manager *m, int64_t id)
{
	size_t low = 0, high = m->n_rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (m->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->n_rows && m->rows[low].id == id ? &m->rows[low] : NULL;
}

struct extra *manager_extra(struct alert_manager *m, const struct alert_row *r)
{
	return &m->extras[r - m->rows];
}

int64_t manager_number(struct alert_manager *m)
{
	return ++m->ids.alert;
}

/* ---- a new row ---- */

static enum err make_room(struct alert_manager *m)
{
	if (m->n_rows < m->cap_rows)
		return ERR_OK;
	size_t cap = m->cap_rows != 0 ? m->cap_rows * 2 : 32;
	struct alert_row *rows = realloc(m->rows, cap * sizeof *rows);
	m->rows = rows != NULL ? rows : m->rows;
	struct extra *extras = realloc(m->extras, cap * sizeof *extras);
	m->extras = extras != NULL ? extras : m->extras;
	if (rows == NULL || extras == NULL)
		return ERR_MEMORY;
	m->cap_rows = cap;
	return ERR_OK;
}

static enum err set_key(struct alert_manager *m, struct alert_row *r)
{
	struct buf key;
	buf_init(&key, KEY_MAX);
	enum err e = alert_group_key(r->labels, m->alerting->group_by, m->alerting->n_group_by, &key);
	const char *const texts[] = { buf_text(&key), r->rule, r->source, r->expr };
	const char **const places[] = { &r->group_key, &r->rule, &r->source, &r->expr };
	struct extra *x = manager_extra(m, r);
	if (e == ERR_OK)
		e = texts_copy(&x->texts, texts, places, x->file != NULL ? 1 : 4);
	buf_release(&key);
	return e;
}

/* The last of all: ids rise. */
static struct alert_row *add_row(struct alert_manager *m, struct running_group *g, const struct rule *rule, const struct alert *a)
{
	struct labels *none = NULL;
	if (make_room(m) != ERR_OK || labels_new(NULL, 0, &none, NULL) != ERR_OK)
		return NULL;
	struct alert_row *r = &m->rows[m->n_rows];
	*r = (struct alert_row){ .id = a->id, .rule = rule->name, .source = g->of.source, .expr = rule->expr, .labels = labels_ref(a->labels),
		                     .result = labels_ref(a->source), .annotations = none, .severity = alert_severity(a->labels) };
	m->extras[m->n_rows] = (struct extra){ .file = rulebook_file_ref(g->file) };
	m->n_rows++;
	if (set_key(m, r) == ERR_OK)
		return r;
	m->failed = ERR_MEMORY;
	r->group_key = "";
	return r;
}

static void set_labels(const struct labels **place, const struct labels *l)
{
	labels_drop(*place);
	*place = l;
}

/* ---- changes ---- */

static void add_transition(struct alert_manager *m, const struct alert_row *r, enum transition what, int64_t at_ms, int64_t other)
{
	changes_transition(m->changes, &(struct transition_row){ .alert = r->id, .at_ms = at_ms, .what = what, .value = r->value, .other = other });
	manager_extra(m, r)->is_changed = true;
	m->has_moved = true;
}

/* "NodeDown fires: gpu-a-07 does not answer" */
static void add_event(struct alert_manager *m, const struct alert_row *r, const char *what, enum severity severity, int64_t at_ms)
{
	struct buf text, data;
	const char *summary = labels_get(r->annotations, "summary");
	buf_init(&text, 64 * 1024);
	buf_init(&data, 64 * 1024);
	buf_printf(&text, "%.200s %s%s%.*s", r->rule, what, summary[0] != '\0' ? ": " : "", EVENT_TEXT_MAX, summary);
	buf_printf(&data, "{\"alert\":%lld,\"group\":", (long long)r->id);
	json_put_string(&data, r->group_key, strlen(r->group_key));
	buf_puts(&data, "}");
	changes_event(m->changes, &(struct event){ .wall_ms = at_ms, .severity = severity, .kind = "alert", .node = labels_get(r->labels, "node"),
	                                           .text = buf_text(&text), .data = data.err == ERR_OK ? buf_text(&data) : "" });
	buf_release(&text);
	buf_release(&data);
}

static void take_annotations(struct running_group *g, struct alert_row *r, const struct rule *rule, const struct alert *a)
{
	struct labels *annotations = NULL;
	struct why ignored = { "" };
	const struct alert_life *life = alert_group_life(g->group, (size_t)(rule - g->of.group->rules));
	if (alert_life_annotations(life, a, &annotations, &ignored) == ERR_OK)
		set_labels(&r->annotations, annotations);
	else
		g->m->failed = ERR_MEMORY;
}

static void take_state(struct alert_row *r, const struct alert *a, int64_t at_ms)
{
	bool is_over = a->state == ALERT_INACTIVE;
	r->value = a->value;
	r->active_ms = a->active_ms;
	r->fired_ms = a->fired_ms;
	r->keep_since_ms = a->keep_since_ms;
	r->resolved_ms = is_over ? (a->resolved_ms != 0 ? a->resolved_ms : r->resolved_ms != 0 ? r->resolved_ms : at_ms) : 0;
	r->states = a->states;
	r->is_flapping = a->is_flapping;
	r->flap_percent = a->flap_percent;
}

static void tell_state(struct alert_manager *m, const struct alert_row *r, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	if (a->state == ALERT_PENDING) {
		add_transition(m, r, TRANSITION_PENDING, at_ms, 0);
	} else if (a->state == ALERT_FIRING) {
		add_transition(m, r, TRANSITION_FIRING, at_ms, 0);
		if (!r->is_flapping) /* one that flaps does not shout */
			add_event(m, r, "fires", r->severity, at_ms);
	} else if (before == ALERT_FIRING) {
		add_transition(m, r, TRANSITION_RESOLVED, at_ms, 0);
		if (!r->is_flapping)
			add_event(m, r, "is over", SEVERITY_OK, at_ms);
	} else {
		add_transition(m, r, TRANSITION_DROPPED, at_ms, 0);
	}
}

void manager_changed(struct running_group *g, const struct rule *rule, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	struct alert_manager *m = g->m;
	struct alert_row *r = manager_row(m, a->id);
	if (r == NULL && a->state == ALERT_INACTIVE) /* it was forgotten, but flaps no more only now */
		return;
	if (r == NULL)
		r = add_row(m, g, rule, a);
	if (r == NULL) {
		m->failed = ERR_MEMORY;
		return;
	}
	bool was_flapping = r->is_flapping;
	if (!labels_equal(r->result, a->source))
		set_labels(&r->result, labels_ref(a->source));
	take_state(r, a, at_ms);
	if (a->state != ALERT_INACTIVE)
		take_annotations(g, r, rule, a);
	if (a->state != before)
		tell_state(m, r, a, before, at_ms);
	if (a->is_flapping && !was_flapping)
		add_event(m, r, "flaps", r->severity, at_ms);
	if (a->is_flapping != was_flapping)
		add_transition(m, r, a->is_flapping ? TRANSITION_FLAPPING : TRANSITION_STEADY, at_ms, 0);
}

void manager_end_row(struct alert_manager *m, struct alert_row *r, int64_t at_ms)
{
	if (r->resolved_ms != 0)
		return;
	bool has_fired = r->fired_ms != 0;
	r->resolved_ms = at_ms;
	add_transition(m, r, has_fired ? TRANSITION_RESOLVED : TRANSITION_DROPPED, at_ms, 0);
	if (has_fired)
		add_event(m, r, "is over, its rule is there no more", SEVERITY_OK, at_ms);
}

void manager_note_times(struct alert_manager *m, struct running_group *g)
{
	for (size_t i = 0; i < g->of.group->n_rules; i++) {
		const struct alert_life *life = g->is_shifted || g->of.group->rules[i].keep_firing_ms > 0 ? alert_group_life(g->group, i) : NULL;
		for (size_t k = 0; life != NULL && k < alert_life_count(life); k++) {
			const struct alert *a = alert_life_at(life, k);
			struct alert_row *r = a->state != ALERT_INACTIVE ? manager_row(m, a->id) : NULL;
			if (r == NULL || (r->active_ms == a->active_ms && r->keep_since_ms == a->keep_since_ms))
				continue;
			r->active_ms = a->active_ms;
			r->keep_since_ms = a->keep_since_ms;
			manager_extra(m, r)->is_changed = true;
		}
	}
	g->is_shifted = false;
}

enum err manager_regroup(struct alert_manager *m, struct why *why)
{
	for (size_t i = 0; i < m->n_rows; i++) {
		struct alert_row *r = &m->rows[i];
		struct buf key;
		if (r->resolved_ms != 0)
			continue;
		buf_init(&key, KEY_MAX);
		enum err e = alert_group_key(r->labels, m->alerting->group_by, m->alerting->n_group_by, &key);
		bool is_other = e == ERR_OK && strcmp(buf_text(&key), r->group_key) != 0;
		buf_release(&key);
		if (e == ERR_OK && is_other)
			e = set_key(m, r);
		if (e != ERR_OK)
			return why_memory(why);
		m->extras[i].is_changed |= is_other;
	}
	return ERR_OK;
}

enum err manager_inhibit(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	int64_t *by = malloc((m->n_rows + 1) * sizeof *by);
	if (by == NULL)
		return why_memory(why);
	enum err e = alerts_inhibit(m->alerting->inhibit, m->alerting->n_inhibit, m->rows, m->n_rows, by, why);
	for (size_t i = 0; i < m->n_rows && e == ERR_OK; i++) {
		struct alert_row *r = &m->rows[i];
		if (r->resolved_ms != 0 || by[i] == r->inhibited_by)
			continue;
		int64_t other = by[i] != 0 ? by[i] : r->inhibited_by;
		r->inhibited_by = by[i];
		add_transition(m, r, by[i] != 0 ? TRANSITION_INHIBITED : TRANSITION_UNINHIBITED, now_ms, other);
	}
	free(by);
	return e;
}

/* ---- of the store ---- */

enum err manager_add_stored(struct alert_manager *m, const struct alert_row *stored, struct running_group *g, const struct rule *rule, struct why *why)
{
	if (make_room(m) != ERR_OK)
		return why_memory(why);
	size_t at = m->n_rows;
	while (at > 0 && m->rows[at - 1].id > stored->id)
		at--;
	memmove(&m->rows[at + 1], &m->rows[at], (m->n_rows - at) * sizeof *m->rows);
	memmove(&m->extras[at + 1], &m->extras[at], (m->n_rows - at) * sizeof *m->extras);
	struct alert_row *r = &m->rows[at];
	struct extra *x = &m->extras[at];
	*r = *stored;
	*x = (struct extra){ 0 };
	const char *const texts[] = { stored->group_key, rule != NULL ? rule->name : stored->rule, g != NULL ? g->of.source : stored->source,
		                          rule != NULL ? rule->expr : stored->expr };
	const char **const places[] = { &r->group_key, &r->rule, &r->source, &r->expr };
	r->labels = labels_ref(stored->labels);
	r->result = labels_ref(stored->result);
	r->annotations = labels_ref(stored->annotations);
	m->n_rows++;
	if (texts_copy(&x->texts, texts, places, 4) == ERR_OK)
		return ERR_OK;
	r->group_key = r->rule = r->source = r->expr = "";
	return why_memory(why);
}

/* ---- the end ---- */

void manager_write_rows(struct alert_manager *m)
{
	for (size_t i = 0; i < m->n_rows; i++) {
		if (m->extras[i].is_changed)
			changes_alert(m->changes, &m->rows[i]);
		m->extras[i].is_changed = false;
	}
}

static void release_row(struct alert_manager *m, size_t i)
{
	set_labels(&m->rows[i].labels, NULL);
	set_labels(&m->rows[i].result, NULL);
	set_labels(&m->rows[i].annotations, NULL);
	rulebook_file_unref(m->extras[i].file);
	free(m->extras[i].texts.block);
}

static bool is_long_over(const struct alert_manager *m, const struct alert_row *r, int64_t now_ms)
{
	int64_t keep_ms = m->alerting->ack_pause_ms > ALERT_RESOLVED_KEPT_MS ? m->alerting->ack_pause_ms : ALERT_RESOLVED_KEPT_MS;
	return r->resolved_ms != 0 && (r->fired_ms == 0 || now_ms - r->resolved_ms > keep_ms);
}

void manager_forget_rows(struct alert_manager *m, int64_t now_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n_rows; i++) {
		if (is_long_over(m, &m->rows[i], now_ms)) {
			release_row(m, i);
			continue;
		}
		m->rows[kept] = m->rows[i];
		m->extras[kept++] = m->extras[i];
	}
	m->n_rows = kept;
}

void manager_free_rows(struct alert_manager *m)
{
	for (size_t i = 0; i < m->n_rows; i++)
		release_row(m, i);
	free(m->rows);
	free(m->extras);
}
