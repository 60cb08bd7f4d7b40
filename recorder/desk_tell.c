/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/desk_private.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify_kind.h"
#include "config/receivers.h"

/* ---- who is told ---- */

struct remembering {
	struct notify_plan *plan;
	struct why          why;
};

/* A body that cannot be read costs its own memory alone: that group is told again. */
static enum err remember(void *ctx, const struct notification_row *row)
{
	struct remembering *r = ctx;
	enum err e = notify_plan_remember(r->plan, row, &r->why);
	return e == ERR_MEMORY ? e : ERR_OK;
}

void desk_tell_unload(struct desk *d)
{
	notify_plan_free(d->plan);
	free(d->receivers);
	d->plan = NULL;
	d->receivers = NULL;
}

static enum err load(struct desk *d, struct why *why)
{
	const struct fleet *f = d->fleet;
	struct alert_ids ids;
	d->receivers = calloc(f->n_receivers, sizeof *d->receivers);
	if (d->receivers == NULL)
		return why_memory(why);
	for (size_t i = 0; i < f->n_receivers; i++)
		d->receivers[i] = notify_receiver_of(&f->receivers[i]);
	enum err e = desk_need_reader(d, why);
	if (e == ERR_OK)
		e = reader_alert_ids(d->reader, &ids, why);
	if (e == ERR_OK)
		e = notify_plan_new(d->receivers, f->n_receivers, ids.notification + 1, &d->plan, why);
	if (e != ERR_OK)
		return e;
	struct remembering r = { .plan = d->plan };
	return reader_notifications(d->reader, NOTIFICATION_STATE_COUNT, remember, &r, why);
}

/* ---- what there is to tell ---- */

/* The labels that a group's key is made of, from one of its alerts. */
static enum err key_labels(const struct fleet_alerting *a, const struct labels *l, struct labels **out, struct why *why)
{
	struct labels_builder b;
	if (a->n_group_by == 1 && strcmp(a->group_by[0], "...") == 0) {
		*out = labels_ref(l);
		return ERR_OK;
	}
	labels_builder_init(&b);
	for (size_t i = 0; i < a->n_group_by; i++)
		labels_builder_set(&b, a->group_by[i], labels_get(l, a->group_by[i]));
	enum err e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

static struct notify_member member_of(const struct alerts_now *now, size_t i)
{
	const struct alert_row *r = &now->rows[i];
	return (struct notify_member){ .id = r->id, .labels = r->labels, .annotations = r->annotations, .severity = r->severity, .starts_ms = r->fired_ms,
	                               .ends_ms = r->resolved_ms, .is_silenced = now->is_silenced[i], .is_inhibited = r->inhibited_by != 0,
	                               .is_flapping = r->is_flapping };
}

struct telling {
	struct desk_job   *job;
	struct desk_piece *piece;
	struct why         why;
};

static enum err emit(void *ctx, const struct notification_row *row)
{
	struct telling *t = ctx;
	if (t->piece == NULL)
		t->piece = desk_piece_add(t->job, &t->why);
	if (t->piece == NULL)
		return ERR_MEMORY;
	changes_notification(t->piece->changes, row);
	t->piece->has_notifications = true;
	return ERR_OK;
}

/* What the round changed and what is told of it is one transaction: the piece of the round, where there is one. */
static struct desk_piece *piece_of_round(struct desk_job *job)
{
	for (size_t i = 0; i < job->n_pieces; i++)
		if (job->round.changes != NULL && job->pieces[i].changes == job->round.changes)
			return &job->pieces[i];
	return NULL;
}

/* What a step of the plan is given. */
struct groups {
	struct notify_group  *items;
	struct notify_member *members;
	struct labels       **keys;
	size_t                n, n_members;
};

static void groups_release(struct groups *g)
{
	for (size_t i = 0; g->keys != NULL && i < g->n; i++)
		labels_unref(g->keys[i]);
	free(g->items);
	free(g->members);
	free(g->keys);
}

static enum err add_group(struct groups *g, const struct fleet_alerting *alerting, const struct alerts_now *now, size_t number, struct why *why)
{
	const struct grouped_alerts *from = &now->groups->items[number];
	const struct ack_row *ack = now->acks[number];
	struct notify_group *to = &g->items[g->n];
	*to = (struct notify_group){ .key = from->key, .members = &g->members[g->n_members] };
	for (size_t i = 0; i < from->n; i++)
		if (now->rows[from->members[i]].fired_ms != 0)
			g->members[g->n_members + to->n++] = member_of(now, from->members[i]);
	if (to->n == 0)
		return ERR_OK;
	enum err e = key_labels(alerting, to->members[0].labels, &g->keys[g->n], why);
	if (e != ERR_OK)
		return e;
	to->labels = g->keys[g->n++];
	g->n_members += to->n;
	if (ack != NULL) {
		to->acked_ms = ack->at_ms;
		to->acked_by = ack->actor.who;
		to->ack_comment = ack->comment;
	}
	return ERR_OK;
}

static enum err step(struct desk *d, struct desk_job *job, const struct alerts_now *now, int64_t now_ms, struct why *why)
{
	struct groups g = { .items = calloc(now->groups->n + 1, sizeof *g.items), .members = calloc(now->n + 1, sizeof *g.members),
		            .keys = calloc(now->groups->n + 1, sizeof(struct labels *)) };
	struct telling t = { .job = job, .piece = piece_of_round(job) };
	enum err e = g.items == NULL || g.members == NULL || g.keys == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < now->groups->n && e == ERR_OK; i++)
		e = add_group(&g, &d->fleet->alerting, now, i, why);
	if (e == ERR_OK)
		e = notify_plan_step(d->plan, now_ms, g.items, g.n, emit, &t, why);
	groups_release(&g);
	return e;
}

static enum err tell(struct desk *d, struct desk_job *job, int64_t now_ms, struct why *why)
{
	struct alerts_now now;
	enum err e = ERR_OK;
	if (d->fleet->n_receivers > 0 && d->plan == NULL) {
		e = load(d, why);
		if (e != ERR_OK)
			desk_tell_unload(d);
	}
	if (e == ERR_OK)
		e = alert_manager_now(d->manager, now_ms, &now, why);
	if (e == ERR_OK && d->plan != NULL)
		e = step(d, job, &now, now_ms, why);
	if (e == ERR_OK && d->fleet->n_alertmanagers > 0) {
		job->news = desk_news_new(&now);
		e = job->news == NULL ? why_memory(why) : ERR_OK;
	}
	return e;
}

bool desk_tell_is_due(const struct desk *d, int64_t now_ms)
{
	bool is_told = d->fleet->n_receivers > 0 || d->fleet->n_alertmanagers > 0;
	return is_told && (d->has_changed || now_ms >= d->tell_ms || now_ms <= d->tell_ms - 2 * TELL_MS);
}

void desk_tell_step(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct why why = { "" };
	if (!desk_tell_is_due(d, now_ms))
		return;
	d->tell_ms = now_ms + TELL_MS;
	d->has_changed = false;
	if (tell(d, job, now_ms, &why) != ERR_OK)
		desk_say(job, SEVERITY_WARN, "cannot find out who is to be told of alerts: %s", why.text);
}
