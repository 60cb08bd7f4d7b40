/* SPDX-License-Identifier: Apache-2.0
 *
 * What people do about alerts: acknowledgements and silences as they hold. */
#include "alerts/manager_private.h"

#include <stdlib.h>
#include <string.h>

enum { ENDED_KEPT_MS = 3600 * 1000, DETAIL_MAX = 256 * 1024, ACKS_MAX = 100000, SILENCES_MAX = 10000 };

/* ---- acknowledgements ---- */

static enum err copy_ids(const int64_t *ids, size_t n, int64_t **out)
{
	int64_t *copy = malloc((n + 1) * sizeof *copy);
	if (copy == NULL)
		return ERR_MEMORY;
	if (n > 0)
		memcpy(copy, ids, n * sizeof *copy);
	free(*out);
	*out = copy;
	return ERR_OK;
}

enum err manager_own_ack(struct ack_row *a, struct ack_extra *x)
{
	const char *const texts[] = { a->group_key, a->actor.who, a->actor.account, a->actor.origin, a->comment, a->ended_by.who, a->ended_by.account,
		                          a->ended_by.origin };
	const char **const places[] = { &a->group_key, &a->actor.who, &a->actor.account, &a->actor.origin, &a->comment, &a->ended_by.who,
		                            &a->ended_by.account, &a->ended_by.origin };
	return texts_copy(&x->texts, texts, places, sizeof texts / sizeof texts[0]);
}

enum err manager_add_ack(struct alert_manager *m, const struct ack_row *a, struct why *why)
{
	if (m->n_acks >= ACKS_MAX)
		return why_set(why, ERR_LIMIT, "more than %d acknowledgements", ACKS_MAX);
	if (m->n_acks == m->cap_acks) {
		size_t cap = m->cap_acks != 0 ? m->cap_acks * 2 : 16;
		struct ack_row *acks = realloc(m->acks, cap * sizeof *acks);
		m->acks = acks != NULL ? acks : m->acks;
		struct ack_extra *extras = realloc(m->ack_extras, cap * sizeof *extras);
		m->ack_extras = extras != NULL ? extras : m->ack_extras;
		if (acks == NULL || extras == NULL)
			return why_memory(why);
		m->cap_acks = cap;
	}
	struct ack_row row = *a;
	struct ack_extra x = { 0 };
	if (manager_own_ack(&row, &x) != ERR_OK || copy_ids(a->alerts, a->n_alerts, &x.alerts) != ERR_OK) {
		free(x.texts.block);
		return why_memory(why);
	}
	row.alerts = x.alerts;
	m->acks[m->n_acks] = row;
	m->ack_extras[m->n_acks++] = x;
	return ERR_OK;
}

static void forget_acks(struct alert_manager *m, int64_t ended_before_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n_acks; i++) {
		if (m->acks[i].ended_ms != 0 && m->acks[i].ended_ms < ended_before_ms) {
			free(m->ack_extras[i].texts.block);
			free(m->ack_extras[i].alerts);
			continue;
		}
		m->acks[kept] = m->acks[i];
		m->ack_extras[kept++] = m->ack_extras[i];
	}
	m->n_acks = kept;
}

void manager_free_acks(struct alert_manager *m)
{
	for (size_t i = 0; i < m->n_acks; i++)
		m->acks[i].ended_ms = 1;
	forget_acks(m, INT64_MAX);
	free(m->acks);
	free(m->ack_extras);
	m->acks = NULL;
	m->ack_extras = NULL;
	m->cap_acks = 0;
}

static void tell_void(struct alert_manager *m, const struct ack_row *a)
{
	struct buf text;
	if (a->end != ACK_SEVERITY && a->end != ACK_JOINED && a->end != ACK_EXPIRED)
		return;
	buf_init(&text, DETAIL_MAX);
	buf_printf(&text, "the acknowledgement of %.500s by %.100s is over: %s", a->group_key, a->actor.who, ack_end_text(a->end));
	changes_event(m->changes, &(struct event){ .wall_ms = a->ended_ms, .severity = SEVERITY_WARN, .kind = "ack", .node = "", .text = buf_text(&text) });
	buf_release(&text);
}

static enum err take_verdict(struct alert_manager *m, const struct ack_verdict *v)
{
	struct ack_row *a = &m->acks[v->ack];
	if (copy_ids(v->alerts, v->n_alerts, &m->ack_extras[v->ack].alerts) != ERR_OK)
		return ERR_MEMORY;
	a->alerts = m->ack_extras[v->ack].alerts;
	a->n_alerts = v->n_alerts;
	a->end = v->end;
	a->ended_ms = v->ended_ms;
	changes_ack(m->changes, a);
	tell_void(m, a);
	return ERR_OK;
}

enum err manager_judge_acks(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	const struct alert_groups *groups;
	struct ack_verdicts verdicts;
	forget_acks(m, now_ms - ENDED_KEPT_MS);
	if (m->n_acks == 0)
		return ERR_OK;
	enum err e = manager_groups(m, &groups, why);
	if (e == ERR_OK)
		e = ack_book_judge(m->ack_book, m->acks, m->n_acks, m->rows, m->n_rows, groups, m->alerting->ack_pause_ms, now_ms, &verdicts, why);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < verdicts.n && e == ERR_OK; i++)
		e = take_verdict(m, &verdicts.items[i]);
	ack_verdicts_release(&verdicts);
	return e == ERR_OK ? ERR_OK : why_memory(why);
}

/* ---- silences ---- */

static enum err own_silence(struct silence_row *s, struct texts *t)
{
	const char *const texts[] = { s->id, s->matchers, s->actor.who, s->actor.account, s->actor.origin, s->comment, s->remote, s->remote_id, s->ended_who };
	const char **const places[] = { &s->id, &s->matchers, &s->actor.who, &s->actor.account, &s->actor.origin, &s->comment, &s->remote, &s->remote_id,
		                            &s->ended_who };
	return texts_copy(t, texts, places, sizeof texts / sizeof texts[0]);
}

/* Made anew from the rows. One that cannot be read hides nothing, and is not among the rows. */
static enum err prepare(struct alert_manager *m, struct why *why)
{
	struct silences made;
	silences_init(&made);
	for (size_t i = 0; i < m->n_silences; i++) {
		enum err e = silences_add(&made, &m->silences[i], why);
		if (e != ERR_OK) {
			silences_release(&made);
			return e;
		}
	}
	silences_release(&m->prepared);
	m->prepared = made;
	m->is_prepared = true;
	return ERR_OK;
}

struct silence_row *manager_find_silence(struct alert_manager *m, const char *id)
{
	for (size_t i = 0; i < m->n_silences; i++)
		if (strcmp(m->silences[i].id, id) == 0)
			return &m->silences[i];
	return NULL;
}

static enum err grow_silences(struct alert_manager *m)
{
	if (m->n_silences < m->cap_silences)
		return ERR_OK;
	size_t cap = m->cap_silences != 0 ? m->cap_silences * 2 : 16;
	struct silence_row *rows = realloc(m->silences, cap * sizeof *rows);
	m->silences = rows != NULL ? rows : m->silences;
	struct texts *texts = realloc(m->silence_texts, cap * sizeof *texts);
	m->silence_texts = texts != NULL ? texts : m->silence_texts;
	if (rows == NULL || texts == NULL)
		return ERR_MEMORY;
	m->cap_silences = cap;
	return ERR_OK;
}

enum err alert_manager_take_silence(struct alert_manager *m, const struct silence_row *s, struct why *why)
{
	struct silence_row row = *s, *there = manager_find_silence(m, s->id);
	struct texts texts = { NULL };
	if (there == NULL && m->n_silences >= SILENCES_MAX)
		return why_set(why, ERR_LIMIT, "more than %d silences", SILENCES_MAX);
	struct silences probe;
	silences_init(&probe);
	enum err e = silences_add(&probe, s, why);
	silences_release(&probe);
	if (e != ERR_OK)
		return e;
	if (own_silence(&row, &texts) != ERR_OK || grow_silences(m) != ERR_OK) {
		free(texts.block);
		return why_memory(why);
	}
	there = manager_find_silence(m, s->id);
	size_t at = there != NULL ? (size_t)(there - m->silences) : m->n_silences++;
	if (there != NULL)
		free(m->silence_texts[at].block);
	m->silences[at] = row;
	m->silence_texts[at] = texts;
	m->has_moved = true;
	m->is_prepared = false;
	return ERR_OK;
}

/* An Alertmanager may still have to be told of the end of one that it has. */
static bool is_done_with(const struct silence_row *s, int64_t now_ms)
{
	return silence_state(s, now_ms) == SILENCE_EXPIRED && (s->remote[0] == '\0' || s->until_ms < now_ms);
}

void alert_manager_set_owner(struct alert_manager *m, const struct silence_owner *o)
{
	m->owner = *o;
}

size_t alert_manager_silences(const struct alert_manager *m, const struct silence_row **out)
{
	*out = m->silences;
	return m->n_silences;
}

void manager_forget_silences(struct alert_manager *m, int64_t now_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n_silences; i++) {
		if (is_done_with(&m->silences[i], now_ms)) {
			free(m->silence_texts[i].block);
			continue;
		}
		m->silences[kept] = m->silences[i];
		m->silence_texts[kept++] = m->silence_texts[i];
	}
	m->is_prepared &= kept == m->n_silences;
	m->n_silences = kept;
}

void manager_free_silences(struct alert_manager *m)
{
	for (size_t i = 0; i < m->n_silences; i++)
		free(m->silence_texts[i].block);
	free(m->silences);
	free(m->silence_texts);
	silences_release(&m->prepared);
	silences_init(&m->prepared);
	m->silences = NULL;
	m->silence_texts = NULL;
	m->n_silences = m->cap_silences = 0;
}

/* ---- as they are now ---- */

enum err manager_groups(struct alert_manager *m, const struct alert_groups **out, struct why *why)
{
	enum err e = m->has_now ? ERR_OK : alert_groups_build(m->rows, m->n_rows, &m->now, why);
	m->has_now |= e == ERR_OK;
	*out = &m->now;
	return e;
}

void manager_forget_groups(struct alert_manager *m)
{
	if (m->has_now)
		alert_groups_release(&m->now);
	m->has_now = false;
}

static void find_acks(const struct alert_manager *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->n_acks; i++) {
		const struct ack_row *a = &m->acks[i];
		const struct grouped_alerts *g = alert_groups_find(&m->now, a->group_key);
		if (g == NULL)
			continue;
		size_t at = (size_t)(g - m->now.items);
		if (ack_is_held(a, now_ms))
			m->now_acks[at] = a;
		else if (a->ended_ms > m->now_unacked[at])
			m->now_unacked[at] = a->ended_ms;
	}
}

enum err alert_manager_now(struct alert_manager *m, int64_t now_ms, struct alerts_now *out, struct why *why)
{
	const struct alert_groups *groups;
	enum err e = manager_groups(m, &groups, why);
	if (e != ERR_OK)
		return e;
	free(m->now_silenced);
	free(m->now_acks);
	free(m->now_unacked);
	m->now_silenced = calloc(m->n_rows + 1, sizeof *m->now_silenced);
	m->now_acks = calloc(groups->n + 1, sizeof(const struct ack_row *));
	m->now_unacked = calloc(groups->n + 1, sizeof *m->now_unacked);
	if (m->now_silenced == NULL || m->now_acks == NULL || m->now_unacked == NULL)
		return why_memory(why);
	if (!m->is_prepared && prepare(m, why) != ERR_OK)
		return ERR_MEMORY;
	for (size_t i = 0; i < m->n_rows && m->n_silences > 0; i++)
		m->now_silenced[i] = silences_of(&m->prepared, m->rows[i].labels, now_ms, NULL, 0) > 0;
	find_acks(m, now_ms);
	*out = (struct alerts_now){ .rows = m->rows, .is_silenced = m->now_silenced, .n = m->n_rows, .groups = groups, .acks = m->now_acks,
		                        .unacked_ms = m->now_unacked, .silences = m->silences, .n_silences = m->n_silences };
	return ERR_OK;
}
