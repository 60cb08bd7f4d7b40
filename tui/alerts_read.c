/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_detail.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/matcher_set.h"

#include <cjson/cJSON.h>

enum { HISTORY_LOOKED_AT = 5000, DAY_HISTORY = 20000, NOTES_LOOKED_AT = 2000, NOTE_JSON_MAX = 8192, NOTE_WHO_MAX = 256 };
static const int64_t DAY_MS = 24 * 3600 * 1000;

enum err alerts_read(struct reader *r, int64_t t_ms, struct alerts_view **out, struct why *why)
{
	struct alerts_build *b = NULL;
	enum err e = alerts_build_new(t_ms, &b, why);
	if (e == ERR_OK)
		e = reader_alerts(r, t_ms, ALERTS_RESOLVED_MS, 0, alerts_build_alert, b, why);
	if (e == ERR_OK)
		e = reader_acks(r, t_ms - ALERTS_ACK_BACK_MS, t_ms, alerts_build_ack, b, why);
	if (e == ERR_OK)
		e = reader_silences(r, t_ms - ALERTS_SILENCE_BACK_MS, t_ms, alerts_build_silence, b, why);
	if (e == ERR_OK)
		e = reader_externals(r, t_ms, t_ms, alerts_build_external, b, why);
	if (e == ERR_OK)
		e = reader_alertmanagers(r, t_ms, t_ms, alerts_build_alertmanager, b, why);
	if (e == ERR_OK)
		e = reader_consoles(r, t_ms, alerts_build_console, b, why);
	if (e == ERR_OK)
		e = alerts_build_end(b, out, why);
	alerts_build_free(b);
	return e;
}

/* ---- one group ---- */

struct reading {
	struct alerts_detail *d;
};

static enum err take_episode(void *ctx, const struct alert_row *a)
{
	struct alerts_detail *d = ((struct reading *)ctx)->d;
	if (strcmp(a->group_key, d->key) != 0 || d->n_episodes == DETAIL_EPISODES)
		return ERR_OK;
	d->episodes[d->n_episodes++] = alert_row_copy(&d->arena, a);
	return arena_failed(&d->arena) ? ERR_MEMORY : ERR_OK;
}

static enum err take_transition(void *ctx, const struct transition_row *t)
{
	struct alerts_detail *d = ((struct reading *)ctx)->d;
	if (d->n_transitions < DETAIL_TRANSITIONS)
		d->transitions[d->n_transitions++] = *t;
	return ERR_OK;
}

static enum err take_ack(void *ctx, const struct ack_row *a)
{
	struct alerts_detail *d = ((struct reading *)ctx)->d;
	if (strcmp(a->group_key, d->key) != 0 || d->n_acks == DETAIL_ACKS)
		return ERR_OK;
	d->acks[d->n_acks++] = ack_row_copy(&d->arena, a);
	return arena_failed(&d->arena) ? ERR_MEMORY : ERR_OK;
}

static bool has_episode(const struct alerts_detail *d, int64_t id)
{
	for (size_t i = 0; i < d->n_episodes; i++)
		if (d->episodes[i].id == id)
			return true;
	return false;
}

/* What a note is about stands in its data as "alert", and who wrote it as "who". *who is lent by the tree. */
static struct cJSON *note_data(const char *data, int64_t *alert, const char **who)
{
	const struct json_limits limits = { .bytes = NOTE_JSON_MAX, .depth = 4, .values = 100 };
	struct cJSON *tree = NULL;
	*alert = 0;
	*who = "";
	if (data[0] == '\0' || json_parse(data, strlen(data), &limits, &tree, NULL) != ERR_OK)
		return NULL;
	if (json_get_i64(tree, "alert", 1, INT64_MAX, alert, NULL) != ERR_OK)
		*alert = 0;
	if (json_get_string(tree, "who", NOTE_WHO_MAX, who, NULL) != ERR_OK)
		*who = "";
	return tree;
}

static void put_note(struct alerts_detail *d, const struct event *ev, const char *who)
{
	struct buf text;
	buf_init(&text, NOTE_JSON_MAX);
	buf_printf(&text, "%s%s%s", who, who[0] != '\0' ? ": " : "", ev->text);
	d->notes[d->n_notes++] = (struct event_row){ .id = ev->id, .wall_ms = ev->wall_ms, .severity = ev->severity, .kind = arena_text(&d->arena, ev->kind),
		                                     .node = arena_text(&d->arena, ev->node), .text = arena_text(&d->arena, buf_text(&text)) };
	buf_release(&text);
}

static enum err take_note(void *ctx, const struct event *ev)
{
	struct alerts_detail *d = ((struct reading *)ctx)->d;
	int64_t id;
	const char *who;
	struct cJSON *tree = note_data(ev->data, &id, &who);
	if (id != 0 && d->n_notes < DETAIL_NOTES && has_episode(d, id))
		put_note(d, ev, who);
	cJSON_Delete(tree);
	return arena_failed(&d->arena) ? ERR_MEMORY : ERR_OK;
}

/* Those that have not fired are in no history. */
static enum err take_pending(struct reading *w, const struct alert_group_item *g)
{
	enum err e = ERR_OK;
	for (size_t i = 0; g != NULL && i < g->n && e == ERR_OK; i++)
		if (g->alerts[i].row.fired_ms == 0)
			e = take_episode(w, &g->alerts[i].row);
	return e;
}

/* The name of the rule narrows the search; the key decides. */
static const char *name_in_key(const struct alerts_view *v, const char *key)
{
	const struct alert_group_item *g = alerts_group(v, key);
	return g != NULL ? g->rule : NULL;
}

static enum err read_members(struct reader *r, struct reading *w, int64_t t_ms, struct why *why)
{
	enum err e = ERR_OK;
	const struct alerts_detail *d = w->d;
	for (size_t i = 0; i < d->n_episodes && i < DETAIL_MEMBERS && e == ERR_OK; i++)
		e = reader_transitions(r, d->episodes[i].id, 0, t_ms, take_transition, w, why);
	return e;
}

static enum err make(const char *key, int64_t t_ms, struct alerts_detail **out,
                            struct why *why)
{
	struct alerts_detail *d = calloc(1, sizeof *d);
	if (d == NULL)
		return why_memory(why);
	arena_init(&d->arena);
	d->key = arena_text(&d->arena, key);
	d->t_ms = t_ms;
	d->episodes = arena_zeroed(&d->arena, DETAIL_EPISODES, sizeof *d->episodes);
	d->transitions = arena_zeroed(&d->arena, DETAIL_TRANSITIONS, sizeof *d->transitions);
	d->acks = arena_zeroed(&d->arena, DETAIL_ACKS, sizeof *d->acks);
	d->notes = arena_zeroed(&d->arena, DETAIL_NOTES, sizeof *d->notes);
	if (arena_failed(&d->arena)) {
		alerts_detail_free(d);
		return why_memory(why);
	}
	*out = d;
	return ERR_OK;
}

/* Of the alerts that are there now: when the first of them became true. */
static enum err read_suggestion(struct reader *r, struct alerts_detail *d, const struct alert_group_item *g, struct why *why)
{
	int64_t onset = INT64_MAX;
	for (size_t i = 0; g != NULL && i < g->n; i++)
		if (g->alerts[i].phase != PHASE_RESOLVED && g->alerts[i].row.active_ms < onset)
			onset = g->alerts[i].row.active_ms;
	return onset == INT64_MAX ? ERR_OK : version_suggestion_read(r, g->model, onset, &d->arena, &d->suggestion, why);
}

enum err alerts_detail_read(struct reader *r, const char *key, const struct alerts_view *now, int64_t t_ms, struct alerts_detail **out, struct why *why)
{
	struct reading w = { 0 };
	int64_t after = t_ms - DETAIL_BACK_DAYS * DAY_MS;
	enum err e = make(key, t_ms, &w.d, why);
	if (e == ERR_OK && take_pending(&w, alerts_group(now, key)) != ERR_OK)
		e = why_memory(why);
	if (e == ERR_OK)
		e = reader_alert_history(r, after, t_ms, name_in_key(now, key), HISTORY_LOOKED_AT, take_episode, &w, why);
	if (e == ERR_OK)
		e = read_members(r, &w, t_ms, why);
	if (e == ERR_OK)
		e = reader_acks(r, after, t_ms, take_ack, &w, why);
	if (e == ERR_OK)
		e = reader_events(r, NULL, "note", after, t_ms, NOTES_LOOKED_AT, take_note, &w, why);
	if (e == ERR_OK)
		e = read_suggestion(r, w.d, alerts_group(now, key), why);
	if (e != ERR_OK)
		alerts_detail_free(w.d);
	else
		*out = w.d;
	return e;
}

void alerts_detail_free(struct alerts_detail *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n_episodes; i++)
		alert_row_release(&d->episodes[i]);
	arena_release(&d->arena);
	free(d);
}

/* ---- what a silence would hide ---- */

struct counting {
	const struct matcher_set *matchers;
	size_t                    n;
};

static enum err count_fired(void *ctx, const struct alert_row *a)
{
	struct counting *c = ctx;
	c->n += a->fired_ms != 0 && matcher_set_matches(c->matchers, a->labels);
	return ERR_OK;
}

static void count_now(const struct alerts_view *now, const struct matcher_set *m, struct silence_sight *s)
{
	for (size_t i = 0; now != NULL && i < now->n_groups; i++) {
		const struct alert_group_item *g = &now->groups[i];
		size_t n = 0;
		for (size_t k = 0; k < g->n && g->source[0] == '\0'; k++)
			n += g->alerts[k].phase != PHASE_RESOLVED && matcher_set_matches(m, g->alerts[k].row.labels);
		s->n_now += n;
		s->n_groups_now += n > 0;
	}
}

static enum err look(struct reader *r, const struct alerts_view *now, int64_t t_ms, struct silence_sight *s, struct why *why)
{
	struct matcher_set m;
	struct why mistake = { "" };
	enum err e = ERR_OK;
	matcher_set_init(&m);
	s->err = matcher_set_parse(&m, s->text, &mistake);
	if (s->err == ERR_OK && m.n == 0)
		s->err = why_set(&mistake, ERR_FORMAT, "a silence needs a matcher, as in: alertname=\"NodeDown\"");
	s->why = arena_text(&s->arena, mistake.text);
	struct counting c = { .matchers = &m };
	if (s->err == ERR_OK) {
		count_now(now, &m, s);
		e = reader_alert_history(r, t_ms - DAY_MS, t_ms, NULL, DAY_HISTORY, count_fired, &c, why);
	}
	s->n_day = c.n;
	matcher_set_release(&m);
	return e;
}

enum err silence_sight_read(struct reader *r, const char *text, const struct alerts_view *now, int64_t t_ms, struct silence_sight **out,
                            struct why *why)
{
	struct silence_sight *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	arena_init(&s->arena);
	s->text = arena_text(&s->arena, text);
	enum err e = s->text != NULL ? look(r, now, t_ms, s, why) : why_memory(why);
	if (e == ERR_OK && arena_failed(&s->arena))
		e = why_memory(why);
	if (e != ERR_OK)
		silence_sight_free(s);
	else
		*out = s;
	return e;
}

void silence_sight_free(struct silence_sight *s)
{
	if (s == NULL)
		return;
	arena_release(&s->arena);
	free(s);
}

/* ---- what changed ---- */

enum { CHANGED_AGAIN_MS = 15 * 1000 }; /* while it goes on */

static struct changed_sight *new_changed_sight(int64_t alert)
{
	struct changed_sight *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	arena_init(&s->arena);
	s->alert = alert;
	s->why = "";
	return s;
}

enum err changed_sight_read(struct reader *r, int64_t alert, int64_t t_ms, const atomic_bool *cancelled, int64_t before_alert,
                            int64_t before_until_ms, struct changed_sight **out, bool *is_same, struct why *why)
{
	struct changed_sight *s = new_changed_sight(alert);
	struct changed_question q = { 0 };
	struct changed *changed = NULL;
	struct why told = { "" };
	if (s == NULL)
		return why_memory(why);
	*is_same = false;
	s->err = changed_question_of_alert(r, alert, t_ms, &s->arena, &q, &told);
	if (s->err == ERR_OK) {
		s->until_ms = q.until_ms < q.onset_ms + CHANGED_AFTER_MS ? q.until_ms : q.onset_ms + CHANGED_AFTER_MS;
		*is_same = alert == before_alert && s->until_ms >= before_until_ms && s->until_ms < before_until_ms + CHANGED_AGAIN_MS &&
		           (s->until_ms == before_until_ms || s->until_ms < q.onset_ms + CHANGED_AFTER_MS);
	}
	if (*is_same) {
		changed_sight_free(s);
		return ERR_OK;
	}
	q.cancelled = cancelled;
	if (s->err == ERR_OK)
		s->err = changed_read(r, &q, &s->arena, &changed, &told);
	s->changed = changed;
	s->why = arena_text(&s->arena, told.text);
	if (s->err == ERR_CANCELLED || s->err == ERR_MEMORY || arena_failed(&s->arena)) {
		enum err e = s->err == ERR_OK ? ERR_MEMORY : s->err;
		changed_sight_free(s);
		return why_set(why, e, "%s", told.text[0] != '\0' ? told.text : err_text(e));
	}
	*out = s;
	return ERR_OK;
}

void changed_sight_free(struct changed_sight *s)
{
	if (s == NULL)
		return;
	arena_release(&s->arena);
	free(s);
}
