/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask for: requests that change acknowledgements and silences, and notes. */
#include "alerts/manager_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { DETAIL_MAX = 256 * 1024 };

static const struct actor nobody = { "", "", "" };

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
	if (manager_own_ack(row, &a->m->ack_extras[at]) != ERR_OK) {
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
	struct silence_row *s = manager_find_silence(a->m, id);
	if (s == NULL || silence_state(s, a->now_ms) == SILENCE_EXPIRED)
		return why_set(&a->why, ERR_NOT_FOUND, "there is no silence '%.60s', or it is over already", id);
	struct silence_row ended = *s;
	ended.ended_ms = a->now_ms;
	ended.ended_who = a->actor->who;
	enum err e = alert_manager_take_silence(a->m, &ended, &a->why);
	if (e == ERR_OK)
		changes_silence(a->changes, manager_find_silence(a->m, a->r->silence));
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
	const struct silence_row *s = manager_find_silence(a->m, a->r->silence);
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
