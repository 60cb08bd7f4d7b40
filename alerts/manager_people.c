/* SPDX-License-Identifier: Apache-2.0
 *
 * What people do about alerts: acknowledgements and silences as they hold, and requests that change them. */
#include "alerts/manager_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { ENDED_KEPT_MS = 3600 * 1000, DETAIL_MAX = 256 * 1024, ACKS_MAX = 100000, SILENCES_MAX = 10000 };

static const struct actor nobody = { "", "", "" };

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

/* Makes the record's texts its own again after some were set. */
static enum err own_ack(struct ack_row *a, struct ack_extra *x)
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
	if (own_ack(&row, &x) != ERR_OK || copy_ids(a->alerts, a->n_alerts, &x.alerts) != ERR_OK) {
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

static struct silence_row *find_silence(struct alert_manager *m, const char *id)
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
	struct silence_row row = *s, *there = find_silence(m, s->id);
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
	there = find_silence(m, s->id);
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

/* ---- requests ---- */

struct asking {
	struct alert_manager *m;
	const struct request *r;
	const struct actor   *actor;
	int64_t               now_ms;
	struct changes       *changes;
	struct buf           *text;
	struct why            why;
};

static void audit(struct asking *a, const char *subject)
{
	struct buf detail;
	buf_init(&detail, DETAIL_MAX);
	buf_puts(&detail, "{\"request\":");
	json_put_string(&detail, a->r->id, strlen(a->r->id));
	buf_puts(&detail, ",\"comment\":");
	json_put_string(&detail, a->r->comment, strlen(a->r->comment));
	if (a->r->until_ms != 0)
		buf_printf(&detail, ",\"until\":%lld", (long long)a->r->until_ms);
	buf_puts(&detail, "}");
	changes_audit(a->changes, &(struct audit_row){ .at_ms = a->now_ms, .actor = *a->actor, .action = request_kind_name(a->r->kind), .subject = subject,
	                                               .detail = buf_text(&detail) });
	buf_release(&detail);
}

static enum err end_ack(struct asking *a, size_t at, enum ack_end end)
{
	struct ack_row *row = &a->m->acks[at];
	row->ended_ms = a->now_ms;
	row->end = end;
	row->ended_by = *a->actor;
	if (own_ack(row, &a->m->ack_extras[at]) != ERR_OK) {
		row->ended_by = nobody;
		return why_memory(&a->why);
	}
	changes_ack(a->changes, row);
	return ERR_OK;
}

/* How many were there. */
static enum err end_acks_of(struct asking *a, const char *key, enum ack_end end, size_t *n)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < a->m->n_acks && e == ERR_OK; i++) {
		if (a->m->acks[i].ended_ms != 0 || strcmp(a->m->acks[i].group_key, key) != 0)
			continue;
		++*n;
		e = end_ack(a, i, end);
	}
	return e;
}

static enum err ack_one(struct asking *a, const struct grouped_alerts *g)
{
	struct alert_manager *m = a->m;
	int64_t *ids = malloc((g->n_firing + 1) * sizeof *ids), until = a->r->until_ms;
	size_t replaced = 0;
	if (ids == NULL)
		return why_memory(&a->why);
	for (size_t i = 0; i < g->n_firing; i++) /* members: those that fire come first */
		ids[i] = m->rows[g->members[i]].id;
	if (until == 0 && m->alerting->ack_until_ms > 0)
		until = a->now_ms + m->alerting->ack_until_ms;
	enum err e = end_acks_of(a, g->key, ACK_REPLACED, &replaced);
	const struct ack_row row = { .id = m->ids.ack + 1, .group_key = g->key, .at_ms = a->now_ms, .until_ms = until, .actor = *a->actor,
		                         .comment = a->r->comment, .severity = g->severity, .alerts = ids, .n_alerts = g->n_firing, .ended_by = nobody };
	if (e == ERR_OK)
		e = manager_add_ack(m, &row, &a->why);
	if (e == ERR_OK) {
		m->ids.ack++;
		changes_ack(a->changes, &row);
		audit(a, g->key);
	}
	free(ids);
	return e;
}

static enum err ask_ack(struct asking *a)
{
	const struct alert_groups *groups;
	size_t n_done = 0, n_alerts = 0;
	if (a->r->until_ms != 0 && a->r->until_ms <= a->now_ms)
		return why_set(&a->why, ERR_RANGE, "the time until which it is to hold is over already");
	enum err e = manager_groups(a->m, &groups, &a->why);
	for (size_t i = 0; i < a->r->n_keys && e == ERR_OK; i++) {
		const struct grouped_alerts *g = alert_groups_find(groups, a->r->keys[i]);
		if (g == NULL || g->n_firing == 0)
			continue;
		e = ack_one(a, g);
		n_done++;
		n_alerts += g->n_firing;
	}
	if (e != ERR_OK)
		return e;
	if (n_done == 0)
		return why_set(&a->why, ERR_NOT_FOUND, a->r->n_keys == 1 ? "nothing fires in %.300s" : "nothing fires in any of them, such as %.300s", a->r->keys[0]);
	buf_printf(a->text, "acknowledged %zu %s with %zu firing %s", n_done, n_done == 1 ? "group" : "groups", n_alerts, n_alerts == 1 ? "alert" : "alerts");
	if (n_done < a->r->n_keys)
		buf_printf(a->text, "; nothing fires in the other %zu", a->r->n_keys - n_done);
	return ERR_OK;
}

static enum err ask_unack(struct asking *a)
{
	size_t n = 0;
	enum err e = ERR_OK;
	for (size_t i = 0; i < a->r->n_keys && e == ERR_OK; i++) {
		size_t before = n;
		e = end_acks_of(a, a->r->keys[i], ACK_REMOVED, &n);
		if (e == ERR_OK && n > before)
			audit(a, a->r->keys[i]);
	}
	if (e == ERR_OK && n == 0)
		return why_set(&a->why, ERR_NOT_FOUND, "no acknowledgement of %.300s holds", a->r->keys[0]);
	if (e == ERR_OK)
		buf_printf(a->text, "took back %zu %s", n, n == 1 ? "acknowledgement" : "acknowledgements");
	return e;
}

static enum err end_silence(struct asking *a, const char *id)
{
	struct silence_row *s = find_silence(a->m, id);
	if (s == NULL || silence_state(s, a->now_ms) == SILENCE_EXPIRED)
		return why_set(&a->why, ERR_NOT_FOUND, "there is no silence '%.60s', or it is over already", id);
	struct silence_row ended = *s;
	ended.ended_ms = a->now_ms;
	ended.ended_who = a->actor->who;
	enum err e = alert_manager_take_silence(a->m, &ended, &a->why);
	if (e == ERR_OK)
		changes_silence(a->changes, find_silence(a->m, a->r->silence));
	return e;
}

static enum err check_silence(struct asking *a)
{
	struct matcher_set matchers;
	matcher_set_init(&matchers);
	enum err e = matcher_set_parse_json(&matchers, a->r->matchers, strlen(a->r->matchers), &a->why);
	if (e == ERR_OK)
		e = silence_check(&matchers, a->r->from_ms, a->r->until_ms, a->now_ms, &a->why);
	matcher_set_release(&matchers);
	return e;
}

static enum err ask_silence(struct asking *a)
{
	const struct request *r = a->r;
	const struct silence_owner *owner = &a->m->owner;
	const struct silence_row row = { .id = r->id, .matchers = r->matchers, .from_ms = silence_begin(r->from_ms, a->now_ms), .until_ms = r->until_ms,
		                             .actor = *a->actor, .comment = r->comment, .created_ms = a->now_ms, .ended_who = "",
		                             .remote = owner->name != NULL ? owner->name : "", .remote_id = "" };
	char until[TIME_TEXT];
	enum err e = check_silence(a);
	if (e == ERR_OK && r->silence[0] != '\0')
		e = end_silence(a, r->silence);
	if (e == ERR_OK)
		e = alert_manager_take_silence(a->m, &row, &a->why);
	if (e != ERR_OK)
		return e;
	changes_silence(a->changes, &row);
	audit(a, r->matchers);
	buf_printf(a->text, "silence %s until %s", row.id, format_time(row.until_ms, until));
	if (owner->name != NULL && owner->trouble[0] == '\0')
		buf_printf(a->text, "; it is made in Alertmanager '%s' too", owner->name);
	else if (owner->name != NULL)
		buf_printf(a->text, "; it holds here, and is made in Alertmanager '%s' when that answers: %s", owner->name, owner->trouble);
	return ERR_OK;
}

static enum err ask_unsilence(struct asking *a)
{
	enum err e = end_silence(a, a->r->silence);
	const struct silence_row *s = find_silence(a->m, a->r->silence);
	if (e != ERR_OK)
		return e;
	audit(a, a->r->silence);
	buf_printf(a->text, "ended silence %s", a->r->silence);
	if (s != NULL && s->remote[0] != '\0')
		buf_printf(a->text, "; it is expired in Alertmanager '%s' %s", s->remote,
		           a->m->owner.name == NULL || strcmp(a->m->owner.name, s->remote) != 0 || a->m->owner.trouble[0] == '\0' ? "too" : "when that answers");
	return ERR_OK;
}

struct noted {
	char *node, *name;
};

static enum err note_alert(void *ctx, const struct alert_row *r)
{
	struct noted *n = ctx;
	n->node = strdup(labels_get(r->labels, "node"));
	n->name = strdup(r->rule);
	return n->node == NULL || n->name == NULL ? ERR_MEMORY : ERR_OK;
}

static enum err find_noted(struct asking *a, struct noted *n)
{
	const struct alert_row *r = a->r->alert != 0 ? manager_row(a->m, a->r->alert) : NULL;
	if (a->r->alert == 0)
		return ERR_OK;
	enum err e = r != NULL ? note_alert(n, r) : reader_alerts(a->m->reader, a->now_ms, 0, a->r->alert, note_alert, n, &a->why);
	if (e == ERR_MEMORY)
		return why_memory(&a->why);
	return e == ERR_OK && n->name == NULL ? why_set(&a->why, ERR_NOT_FOUND, "there is no alert %lld", (long long)a->r->alert) : e;
}

static enum err ask_note(struct asking *a)
{
	const struct request *r = a->r;
	struct noted of = { NULL, NULL };
	struct buf data;
	int64_t at_ms = r->at_ms != 0 ? r->at_ms : a->now_ms;
	enum err e = find_noted(a, &of);
	if (e == ERR_OK && at_ms > a->now_ms + 60 * 1000)
		e = why_set(&a->why, ERR_RANGE, "the time that it is about is still to come");
	if (e == ERR_OK) {
		const char *node = r->node[0] != '\0' || of.node == NULL ? r->node : of.node;
		buf_init(&data, DETAIL_MAX);
		buf_puts(&data, "{\"who\":");
		json_put_string(&data, a->actor->who, strlen(a->actor->who));
		if (r->alert != 0)
			buf_printf(&data, ",\"alert\":%lld", (long long)r->alert);
		buf_puts(&data, "}");
		changes_event(a->changes, &(struct event){ .wall_ms = at_ms, .severity = SEVERITY_INFO, .kind = "note", .node = node, .text = r->comment,
		                                           .data = buf_text(&data) });
		buf_release(&data);
		audit(a, of.name != NULL ? of.name : node);
		buf_puts(a->text, "noted");
	}
	free(of.node);
	free(of.name);
	return e;
}

enum err alert_manager_apply(struct alert_manager *m, const struct request *r, const struct actor *actor, int64_t now_ms, struct changes *changes,
                             struct buf *text)
{
	static enum err (*const kinds[REQUEST_KIND_COUNT])(struct asking *a) = {
		[REQUEST_ACK] = ask_ack, [REQUEST_UNACK] = ask_unack, [REQUEST_SILENCE] = ask_silence, [REQUEST_UNSILENCE] = ask_unsilence,
		[REQUEST_NOTE] = ask_note,
	};
	struct asking a = { .m = m, .r = r, .actor = actor, .now_ms = now_ms, .changes = changes, .text = text };
	enum err e;
	if (!m->is_restored)
		e = why_set(&a.why, ERR_LATER, "the recorder has only begun");
	else if (kinds[r->kind] == NULL)
		e = why_set(&a.why, ERR_UNSUPPORTED, "'%s' is nothing that is done about alerts", request_kind_name(r->kind));
	else
		e = kinds[r->kind](&a);
	if (e != ERR_OK)
		buf_puts(text, a.why.text);
	changes_request(changes, &(struct request_row){ .id = r->id, .at_ms = now_ms, .err = e, .text = buf_text(text) });
	return e;
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
