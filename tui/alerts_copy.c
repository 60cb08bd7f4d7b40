/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_data.h"

#include <string.h>

struct actor alerts_actor_copy(struct arena *a, const struct actor *r)
{
	return (struct actor){ arena_text(a, r->who), arena_text(a, r->account), arena_text(a, r->origin) };
}

static const struct labels *keep(const struct labels *l)
{
	return l != NULL ? labels_ref(l) : NULL;
}

struct alert_row alert_row_copy(struct arena *a, const struct alert_row *r)
{
	struct alert_row to = *r;
	to.rule = arena_text(a, r->rule);
	to.source = arena_text(a, r->source);
	to.expr = arena_text(a, r->expr);
	to.group_key = arena_text(a, r->group_key);
	to.labels = keep(r->labels);
	to.result = keep(r->result);
	to.annotations = keep(r->annotations);
	return to;
}

static void drop(const struct labels *l)
{
	struct labels *mine;
	memcpy(&mine, &l, sizeof mine); /* a reference of our own, which rows lend as const */
	labels_unref(mine);
}

void alert_row_release(struct alert_row *r)
{
	drop(r->labels);
	drop(r->result);
	drop(r->annotations);
	r->labels = r->result = r->annotations = NULL;
}

struct ack_row ack_row_copy(struct arena *a, const struct ack_row *r)
{
	struct ack_row to = *r;
	int64_t *ids = arena_zeroed(a, r->n_alerts, sizeof *ids);
	if (ids != NULL && r->n_alerts > 0)
		memcpy(ids, r->alerts, r->n_alerts * sizeof *ids);
	to.alerts = ids;
	to.group_key = arena_text(a, r->group_key);
	to.comment = arena_text(a, r->comment);
	to.actor = alerts_actor_copy(a, &r->actor);
	to.ended_by = alerts_actor_copy(a, &r->ended_by);
	return to;
}

struct silence_row silence_row_copy(struct arena *a, const struct silence_row *r)
{
	struct silence_row to = *r;
	to.id = arena_text(a, r->id);
	to.matchers = arena_text(a, r->matchers);
	to.comment = arena_text(a, r->comment);
	to.remote = arena_text(a, r->remote);
	to.remote_id = arena_text(a, r->remote_id);
	to.ended_who = arena_text(a, r->ended_who);
	to.actor = alerts_actor_copy(a, &r->actor);
	return to;
}
