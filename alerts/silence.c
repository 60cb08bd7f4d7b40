/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/silence.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/alertmanager_json.h"
#include "alerts/grouping.h"

const char *silence_state_name(enum silence_state s)
{
	static const char *const names[] = { [SILENCE_PENDING] = "pending", [SILENCE_ACTIVE] = "active", [SILENCE_EXPIRED] = "expired" };
	return names[s];
}

static enum silence_state state_at(int64_t from_ms, int64_t until_ms, int64_t ended_ms, int64_t at_ms)
{
	if (at_ms > until_ms || (ended_ms != 0 && at_ms >= ended_ms))
		return SILENCE_EXPIRED;
	return at_ms < from_ms ? SILENCE_PENDING : SILENCE_ACTIVE;
}

enum silence_state silence_state(const struct silence_row *s, int64_t at_ms)
{
	return state_at(s->from_ms, s->until_ms, s->ended_ms, at_ms);
}

bool silence_is_ack(const struct silence_row *s)
{
	return s->remote != NULL && s->remote[0] != '\0' && strcmp(s->id, s->remote_id) == 0 && strncmp(s->comment, AM_ACK_PREFIX, sizeof AM_ACK_PREFIX - 1) == 0;
}

int64_t silence_begin(int64_t from_ms, int64_t now_ms)
{
	return from_ms > now_ms ? from_ms : now_ms;
}

/* `!=` and `!~` never count as matching it, whatever they are about: Alertmanager's word. */
static bool matches_empty(const struct matcher *m)
{
	return (m->kind == MATCH_EQUAL || m->kind == MATCH_REGEX) && matcher_value_matches(m, "", 0);
}

enum err silence_check(const struct matcher_set *m, int64_t from_ms, int64_t until_ms, int64_t now_ms, struct why *why)
{
	size_t n_empty = 0;
	if (m->n == 0)
		return why_set(why, ERR_USAGE, "a silence needs a matcher; without one it would hide everything");
	for (size_t i = 0; i < m->n; i++)
		n_empty += matches_empty(&m->items[i]);
	if (n_empty == m->n)
		return why_set(why, ERR_USAGE, "each matcher takes the empty value too, so the silence would hide what has no such label; write one that does not");
	if (from_ms >= until_ms)
		return why_set(why, ERR_USAGE, "the silence would end before it begins");
	if (until_ms < now_ms)
		return why_set(why, ERR_USAGE, "the end of the silence is in the past");
	return ERR_OK;
}

/* ---- what it would hide ---- */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_distinct(const char **keys, size_t n)
{
	size_t distinct = n > 0;
	qsort(keys, n, sizeof *keys, compare_keys);
	for (size_t i = 1; i < n; i++)
		distinct += strcmp(keys[i - 1], keys[i]) != 0;
	return distinct;
}

enum err silence_preview(const struct matcher_set *m, const struct alert_row *rows, size_t n, struct silence_preview *out, struct why *why)
{
	struct silence_preview p = { 0 };
	const char **keys = calloc(n + 1, sizeof *keys);
	size_t n_keys = 0;
	if (keys == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++) {
		enum alert_row_state state = alert_row_state(&rows[i]);
		if (state == ALERT_ROW_DROPPED)
			continue;
		p.n_all++;
		if (!matcher_set_matches(m, rows[i].labels))
			continue;
		keys[n_keys++] = rows[i].group_key;
		p.n_firing += state == ALERT_ROW_FIRING;
		p.n_pending += state == ALERT_ROW_PENDING;
		p.n_over += state == ALERT_ROW_RESOLVED;
	}
	p.n_groups = count_distinct(keys, n_keys);
	free(keys);
	*out = p;
	return ERR_OK;
}

/* ---- many of them ---- */

void silences_init(struct silences *s)
{
	*s = (struct silences){ 0 };
}

static void silence_release(struct silence *s)
{
	free(s->id);
	matcher_set_release(&s->matchers);
}

void silences_release(struct silences *s)
{
	for (size_t i = 0; i < s->n; i++)
		silence_release(&s->items[i]);
	free(s->items);
	*s = (struct silences){ 0 };
}

static enum err make_room(struct silences *s, struct why *why)
{
	if (s->n < s->cap)
		return ERR_OK;
	size_t cap = s->cap != 0 ? s->cap * 2 : 8;
	struct silence *items = realloc(s->items, cap * sizeof *items);
	if (items == NULL)
		return why_memory(why);
	s->items = items;
	s->cap = cap;
	return ERR_OK;
}

enum err silences_add(struct silences *s, const struct silence_row *row, struct why *why)
{
	struct silence made = { .from_ms = row->from_ms, .until_ms = row->until_ms, .ended_ms = row->ended_ms,
	                        .is_ack = silence_is_ack(row) };
	enum err e = make_room(s, why);
	if (e == ERR_OK)
		e = matcher_set_parse_json(&made.matchers, row->matchers, strlen(row->matchers), why);
	if (e == ERR_OK && (made.id = strdup(row->id)) == NULL)
		e = why_memory(why);
	if (e == ERR_OK)
		s->items[s->n++] = made;
	else
		silence_release(&made);
	return e;
}

static size_t that_match(const struct silences *s, bool is_ack, const struct labels *l, int64_t at_ms, size_t *which, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct silence *one = &s->items[i];
		if (one->is_ack != is_ack || state_at(one->from_ms, one->until_ms, one->ended_ms, at_ms) != SILENCE_ACTIVE || !matcher_set_matches(&one->matchers, l))
			continue;
		if (n < max)
			which[n] = i;
		n++;
	}
	return n;
}

size_t silences_of(const struct silences *s, const struct labels *l, int64_t at_ms, size_t *which, size_t max)
{
	return that_match(s, false, l, at_ms, which, max);
}

size_t silences_acks_of(const struct silences *s, const struct labels *l, int64_t at_ms, size_t *which, size_t max)
{
	return that_match(s, true, l, at_ms, which, max);
}
