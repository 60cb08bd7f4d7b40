/* SPDX-License-Identifier: Apache-2.0
 *
 * What a recorder before this one left in the store, taken up once: alerts go on with the rules that they are of, acknowledgements and silences hold. */
#include "alerts/manager_private.h"

#include <stdlib.h>
#include <string.h>

/* How far back a group's last evaluation is looked for: the life of a pending alert ends with an hour's pause. */
enum { DOWN_MAX_MS = 65 * 60 * 1000, ROWS_MAX = 500000, ACKS_BACK_MS = 3600 * 1000 };

struct restoring {
	struct alert_manager *m;
	struct alert_row     *rows;   /* copies; labels referenced */
	struct texts         *texts;
	size_t                n, cap;
	enum err              failed; /* in what the reader called */
};

/* ---- what the store has ---- */

static enum err keep_alert(void *ctx, const struct alert_row *r)
{
	struct restoring *c = ctx;
	if (c->n == ROWS_MAX)
		return ERR_LIMIT;
	if (c->n == c->cap) {
		size_t cap = c->cap != 0 ? c->cap * 2 : 64;
		struct alert_row *rows = realloc(c->rows, cap * sizeof *rows);
		c->rows = rows != NULL ? rows : c->rows;
		struct texts *texts = realloc(c->texts, cap * sizeof *texts);
		c->texts = texts != NULL ? texts : c->texts;
		if (rows == NULL || texts == NULL)
			return ERR_MEMORY;
		c->cap = cap;
	}
	struct alert_row *copy = &c->rows[c->n];
	*copy = *r;
	c->texts[c->n] = (struct texts){ NULL };
	const char *const texts[] = { r->rule, r->source, r->expr, r->group_key };
	const char **const places[] = { &copy->rule, &copy->source, &copy->expr, &copy->group_key };
	if (texts_copy(&c->texts[c->n], texts, places, 4) != ERR_OK)
		return ERR_MEMORY;
	copy->labels = labels_ref(r->labels);
	copy->result = labels_ref(r->result);
	copy->annotations = labels_ref(r->annotations);
	c->n++;
	return ERR_OK;
}

static void release_rows(struct restoring *c)
{
	for (size_t i = 0; i < c->n; i++) {
		labels_drop(c->rows[i].labels);
		labels_drop(c->rows[i].result);
		labels_drop(c->rows[i].annotations);
		free(c->texts[i].block);
	}
	free(c->rows);
	free(c->texts);
}

static enum err keep_ack(void *ctx, const struct ack_row *a)
{
	struct restoring *c = ctx;
	return manager_add_ack(c->m, a, NULL);
}

static enum err keep_silence(void *ctx, const struct silence_row *s)
{
	struct restoring *c = ctx;
	struct why why = { "" };
	enum err e = alert_manager_take_silence(c->m, s, &why);
	return e == ERR_MEMORY ? e : ERR_OK; /* one that cannot be read hides nothing */
}

/* ---- when was anybody here last ---- */

static enum err see_frame(void *ctx, const struct frame *f)
{
	int64_t *last_ms = ctx;
	*last_ms = f->wall_ms > *last_ms ? f->wall_ms : *last_ms;
	return ERR_OK;
}

/* When the group was evaluated last; *last_ms stays where nothing tells. */
static enum err find_last(struct alert_manager *m, struct running_group *g, int64_t now_ms, int64_t *last_ms, struct why *why)
{
	struct labels *labels = NULL;
	const struct label name = { TARGET_RULES, g->of.source, sizeof TARGET_RULES - 1, (uint32_t)strlen(g->of.source) };
	int64_t target;
	enum err e = labels_new(&name, 1, &labels, why);
	if (e == ERR_OK)
		e = reader_target_id(m->reader, labels, &target, why);
	labels_unref(labels);
	if (e == ERR_OK)
		e = reader_frames(m->reader, STREAM_SIGNAL, target, now_ms - DOWN_MAX_MS, now_ms, true, see_frame, last_ms, why);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- alerts ---- */

static struct running_group *group_of(const struct alert_manager *m, const char *source)
{
	for (size_t i = 0; i < m->n_groups; i++)
		if (strcmp(m->groups[i]->of.source, source) == 0)
			return m->groups[i];
	return NULL;
}

/* Whether an alert with these labels may be the rule's, by its labels that are not templates. */
static bool may_be_of(const struct alert_row *row, const struct rule *r)
{
	if (r->kind != RULE_ALERT || strcmp(r->name, row->rule) != 0)
		return false;
	for (size_t i = 0; i < r->n_labels; i++)
		if (strstr(r->labels[i].value, "{{") == NULL && strcmp(labels_get(row->labels, r->labels[i].name), r->labels[i].value) != 0)
			return false;
	return true;
}

static const struct rule *rule_of(const struct running_group *g, const struct alert_row *row)
{
	const struct rule *found = NULL;
	for (size_t i = 0; g != NULL && i < g->of.group->n_rules; i++) {
		const struct rule *r = &g->of.group->rules[i];
		if (!may_be_of(row, r))
			continue;
		if (strcmp(r->expr, row->expr) == 0)
			return r;
		found = found == NULL ? r : found;
	}
	return found;
}

/* *is_alive: the life goes on with it. Its row stays as it is until the group is evaluated: else an outage that the next recorder finds, when this one is
 * killed before, would be added once more. */
static enum err revive(struct running_group *g, const struct rule *rule, const struct alert_row *row, int64_t down_ms, int64_t now_ms, bool *is_alive,
                       struct why *why)
{
	struct alert_life *life = alert_group_life(g->group, (size_t)(rule - g->of.group->rules));
	size_t before = alert_life_count(life);
	struct alert a = { .id = row->id, .labels = labels_ref(row->labels), .source = labels_ref(row->result), .value = row->value, .true_ms = down_ms,
		               .active_ms = row->active_ms, .fired_ms = row->fired_ms, .resolved_ms = row->resolved_ms, .keep_since_ms = row->keep_since_ms,
		               .states = row->states, .is_flapping = row->is_flapping, .flap_percent = row->flap_percent };
	a.state = row->resolved_ms != 0 ? ALERT_INACTIVE : row->fired_ms != 0 ? ALERT_FIRING : ALERT_PENDING;
	enum err e = alert_life_restore(life, &a, down_ms, now_ms, why);
	labels_unref(a.labels);
	labels_unref(a.source);
	*is_alive = e == ERR_OK && alert_life_count(life) > before;
	g->is_shifted |= *is_alive;
	return e == ERR_EXISTS ? ERR_OK : e; /* a later episode of the same alert was first */
}

static enum err restore_row(struct alert_manager *m, const struct alert_row *row, const int64_t *down_ms, int64_t now_ms, struct why *why)
{
	struct running_group *g = group_of(m, row->source);
	const struct rule *rule = rule_of(g, row);
	bool is_alive = false;
	size_t at = 0;
	if (row->resolved_ms != 0 && row->fired_ms == 0)
		return ERR_OK;
	while (g != NULL && m->groups[at] != g)
		at++;
	enum err e = rule != NULL ? revive(g, rule, row, down_ms[at], now_ms, &is_alive, why) : ERR_OK;
	if (e == ERR_OK)
		e = manager_add_stored(m, row, g, rule, why);
	if (e != ERR_OK)
		return e;
	if (!is_alive)
		manager_end_row(m, manager_row(m, row->id), now_ms);
	return ERR_OK;
}

/* Those that are active come first, in their order, then what is over, the latest first: of one label set the life takes one. */
static int by_age(const void *a, const void *b)
{
	const struct alert_row *x = a, *y = b;
	if ((x->resolved_ms == 0) != (y->resolved_ms == 0))
		return x->resolved_ms == 0 ? -1 : 1;
	int order = (x->id > y->id) - (x->id < y->id);
	return x->resolved_ms == 0 ? order : -order;
}

static enum err restore_alerts(struct restoring *c, int64_t now_ms, struct why *why)
{
	struct alert_manager *m = c->m;
	int64_t *down_ms = calloc(m->n_groups + 1, sizeof *down_ms);
	enum err e = down_ms == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < m->n_groups && e == ERR_OK; i++) {
		down_ms[i] = now_ms - DOWN_MAX_MS;
		e = find_last(m, m->groups[i], now_ms, &down_ms[i], why);
	}
	/* The texts' blocks stay in their order; the rows point into them. */
	if (c->n > 0)
		qsort(c->rows, c->n, sizeof *c->rows, by_age);
	for (size_t i = 0; i < c->n && e == ERR_OK; i++)
		e = restore_row(m, &c->rows[i], down_ms, now_ms, why);
	free(down_ms);
	return e;
}

enum err manager_restore(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	struct restoring c = { .m = m };
	enum err e = reader_alert_ids(m->reader, &m->ids, why);
	if (e == ERR_OK)
		e = reader_alerts(m->reader, now_ms, ALERT_RESOLVED_KEPT_MS, 0, keep_alert, &c, why);
	if (e == ERR_OK)
		e = reader_acks(m->reader, now_ms - ACKS_BACK_MS, now_ms, keep_ack, &c, why);
	if (e == ERR_OK)
		e = reader_silences(m->reader, now_ms - 1, now_ms, keep_silence, &c, why);
	if (e == ERR_OK)
		e = reader_remote_silences(m->reader, now_ms, keep_silence, &c, why);
	if (e == ERR_OK)
		e = restore_alerts(&c, now_ms, why);
	release_rows(&c);
	if (e != ERR_OK) { /* the next round begins anew */
		manager_free_acks(m);
		manager_free_silences(m);
	}
	return e == ERR_MEMORY ? why_memory(why) : e;
}
