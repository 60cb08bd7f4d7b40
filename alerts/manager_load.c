/* SPDX-License-Identifier: Apache-2.0
 *
 * Another book of rules takes the place of the one before: groups that are the same go on, others take over what their rules have in common. */
#include "alerts/manager_private.h"

#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 60 * 1000 }; /* Prometheus' own, where nobody says one */

static struct running_group *find_group(const struct alert_manager *m, const char *source)
{
	for (size_t i = 0; i < m->n_groups; i++)
		if (strcmp(m->groups[i]->of.source, source) == 0)
			return m->groups[i];
	return NULL;
}

static int64_t interval_of(const struct rulebook_group *of, const struct fleet_alerting *a)
{
	return of->group->interval_ms > 0 ? of->group->interval_ms : a->interval_ms > 0 ? a->interval_ms : INTERVAL_MS;
}

/* Found among those that run, or made. */
static enum err make_groups(struct alert_manager *m, const struct rulebook *book, const struct fleet_alerting *a, int64_t now_ms,
                            struct running_group **made, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < m->n_groups; i++)
		m->groups[i]->is_kept = false;
	for (size_t i = 0; i < rulebook_count(book) && e == ERR_OK; i++) {
		const struct rulebook_group *of = rulebook_at(book, i);
		struct running_group *old = find_group(m, of->source);
		bool is_same = old != NULL && !old->is_kept && old->interval_ms == interval_of(of, a) && rule_groups_are_equal(old->of.group, of->group);
		if (is_same) {
			old->is_kept = true;
			made[i] = old;
		} else {
			e = manager_group_new(m, of, interval_of(of, a), now_ms, &made[i], why);
		}
	}
	return e;
}

static void end_alerts(struct alert_manager *m, struct running_group *g, const bool *is_taken, int64_t now_ms)
{
	for (size_t i = 0; i < g->of.group->n_rules; i++) {
		const struct alert_life *life = is_taken[i] ? NULL : alert_group_life(g->group, i);
		for (size_t k = 0; life != NULL && k < alert_life_count(life); k++) {
			struct alert_row *r = manager_row(m, alert_life_at(life, k)->id);
			if (r != NULL)
				manager_end_row(m, r, now_ms);
		}
	}
}

static void take_over(struct running_group *to, const struct running_group *from)
{
	for (size_t i = 0; i < to->of.group->n_rules; i++)
		for (size_t k = 0; k < from->of.group->n_rules; k++)
			if (rule_continues(&to->of.group->rules[i], &from->of.group->rules[k]))
				to->told[i] = from->told[k];
	to->is_shifted |= from->is_shifted;
}

/* A group that goes: its rules go on in `next`, or nowhere (NULL). */
static enum err replace(struct alert_manager *m, struct running_group *old, struct running_group *next, int64_t now_ms, struct why *why)
{
	bool *is_taken = calloc(old->of.group->n_rules + 1, sizeof *is_taken);
	if (is_taken == NULL)
		return why_memory(why);
	enum err e = next != NULL ? alert_group_take(next->group, old->group, now_ms, is_taken, why) : ERR_OK;
	if (next != NULL)
		take_over(next, old);
	end_alerts(m, old, is_taken, now_ms);
	free(is_taken);
	if (next != NULL)
		return e;
	char **gone = realloc(m->gone_next, (m->n_gone_next + 1) * sizeof(char *));
	m->gone_next = gone != NULL ? gone : m->gone_next;
	char *source = gone != NULL ? strdup(old->of.source) : NULL;
	if (source == NULL)
		return why_memory(why);
	m->gone_next[m->n_gone_next++] = source;
	return e;
}

static enum err install(struct alert_manager *m, struct running_group **made, size_t n, int64_t now_ms, struct why *why)
{
	struct running_group **old = m->groups;
	size_t n_old = m->n_groups;
	enum err e = ERR_OK;
	m->groups = made;
	m->n_groups = n;
	for (size_t i = 0; i < n_old; i++) {
		struct running_group *next = old[i]->is_kept ? NULL : find_group(m, old[i]->of.source);
		enum err one = old[i]->is_kept ? ERR_OK : replace(m, old[i], next, now_ms, why);
		e = one != ERR_OK ? one : e;
	}
	if (e == ERR_OK && m->recent != NULL) /* the selectors of before are looked at once more */
		e = manager_select_all(m, why);
	for (size_t i = 0; i < n_old; i++)
		if (!old[i]->is_kept)
			manager_group_free(old[i]);
	free(old);
	return e;
}

enum err alert_manager_load(struct alert_manager *m, struct rulebook *book, const struct fleet_alerting *a, int64_t now_ms, struct why *why)
{
	size_t n = rulebook_count(book);
	struct running_group **made = calloc(n + 1, sizeof(struct running_group *));
	struct alert_frame *frames = calloc(n + 1, sizeof *frames);
	enum err e = made == NULL || frames == NULL ? why_memory(why) : m->changes != NULL ? ERR_OK : changes_new(&m->changes, why);
	if (e == ERR_OK)
		e = make_groups(m, book, a, now_ms, made, why);
	if (e != ERR_OK) {
		for (size_t i = 0; made != NULL && i < n; i++)
			if (made[i] != NULL && !made[i]->is_kept)
				manager_group_free(made[i]);
		free(made);
		free(frames);
		rulebook_free(book);
		return e;
	}
	free(m->frames);
	m->frames = frames;
	m->n_frames = 0;
	m->alerting = a;
	e = install(m, made, n, now_ms, why);
	rulebook_free(m->book);
	m->book = book;
	m->has_moved = true;
	m->health_ms = 0;
	manager_forget_groups(m);
	return e == ERR_OK ? manager_regroup(m, why) : e;
}

const struct rulebook *alert_manager_book(const struct alert_manager *m)
{
	return m->book;
}
