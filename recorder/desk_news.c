/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/desk_private.h"

#include <stdlib.h>
#include <string.h>

static void drop(const struct labels *l)
{
	labels_unref((struct labels *)(uintptr_t)l); /* kept as const, but a reference of our own */
}

void desk_news_free(struct desk_news *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n_alerts; i++) {
		drop(n->alerts[i].labels);
		drop(n->alerts[i].annotations);
	}
	for (size_t i = 0; i < n->n_acked; i++)
		drop(n->acked[i]);
	for (size_t i = 0; n->texts != NULL && i < 2 * n->n_acks; i++)
		free(n->texts[i]);
	free(n->alerts);
	free(n->acks);
	free(n->acked);
	free(n->texts);
	free(n);
}

/* Silenced and inhibited ones too: an Alertmanager has silences and inhibition of its own. */
static void take_alerts(struct desk_news *n, const struct alerts_now *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct alert_row *r = &now->rows[i];
		if (r->fired_ms == 0)
			continue;
		n->alerts[n->n_alerts++] = (struct am_push){ .labels = labels_ref(r->labels), .annotations = labels_ref(r->annotations),
			                                     .starts_ms = r->fired_ms, .ends_ms = r->resolved_ms };
	}
}

/* The firing alerts of a group that somebody has. */
static bool take_ack(struct desk_news *n, const struct alerts_now *now, size_t group)
{
	const struct grouped_alerts *g = &now->groups->items[group];
	const struct ack_row *from = now->acks[group];
	struct am_ack *to = &n->acks[n->n_acks];
	size_t first = n->n_acked;
	for (size_t i = 0; i < g->n_firing; i++) /* they come first */
		n->acked[n->n_acked++] = labels_ref(now->rows[g->members[i]].labels);
	char *who = strdup(from->actor.who), *comment = strdup(from->comment);
	n->texts[2 * n->n_acks] = who;
	n->texts[2 * n->n_acks + 1] = comment;
	*to = (struct am_ack){ .who = who, .comment = comment, .until_ms = from->until_ms, .alerts = &n->acked[first], .n = g->n_firing };
	n->n_acks++;
	return who != NULL && comment != NULL;
}

struct desk_news *desk_news_new(const struct alerts_now *now)
{
	struct desk_news *n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->alerts = calloc(now->n + 1, sizeof *n->alerts);
	n->acked = calloc(now->n + 1, sizeof *n->acked);
	n->acks = calloc(now->groups->n + 1, sizeof *n->acks);
	n->texts = calloc(2 * (now->groups->n + 1), sizeof *n->texts);
	bool ok = n->alerts != NULL && n->acked != NULL && n->acks != NULL && n->texts != NULL;
	if (ok)
		take_alerts(n, now);
	for (size_t g = 0; g < now->groups->n && ok; g++)
		if (now->acks[g] != NULL && now->groups->items[g].n_firing > 0)
			ok = take_ack(n, now, g);
	if (ok)
		return n;
	desk_news_free(n);
	return NULL;
}
