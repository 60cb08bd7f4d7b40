/* SPDX-License-Identifier: Apache-2.0
 *
 * What Alertmanagers have, in the view of alerts: their own alerts beside ours, what they say of ours, and acknowledgements that people gave there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alertmanager_json.h"
#include "tui/alerts_build.h"

static void drop(const struct labels *l)
{
	labels_unref((struct labels *)(uintptr_t)l); /* a reference of our own, which rows lend as const */
}

void alerts_release_externals(struct external_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		drop(rows[i].labels);
		drop(rows[i].annotations);
	}
	free(rows);
}

/* ---- rows in ---- */

enum err alerts_build_external(void *ctx, const struct external_row *r)
{
	struct alerts_build *b = ctx;
	struct arena *a = &b->view->arena;
	if (b->externals.n == ALERTS_EXTERNAL_MAX) {
		b->view->n_more += !r->is_ours;
		return b->err;
	}
	struct external_row *to = alerts_build_next(b, &b->externals);
	if (to == NULL)
		return ERR_MEMORY;
	*to = *r;
	to->remote = arena_text(a, r->remote);
	to->silenced_by = arena_text(a, r->silenced_by);
	to->inhibited_by = arena_text(a, r->inhibited_by);
	to->receivers = arena_text(a, r->receivers);
	to->url = arena_text(a, r->url);
	to->labels = labels_ref(r->labels);
	to->annotations = labels_ref(r->annotations);
	b->externals.n++;
	return arena_failed(a) ? alerts_build_fail(b) : b->err;
}

enum err alerts_build_alertmanager(void *ctx, const struct alertmanager_row *r)
{
	struct alerts_build *b = ctx;
	struct arena *a = &b->view->arena;
	if (r->state == ALERTMANAGER_GONE || b->alertmanagers.n == ALERTS_ALERTMANAGERS_MAX)
		return b->err;
	struct alertmanager_row *to = alerts_build_next(b, &b->alertmanagers);
	if (to == NULL)
		return ERR_MEMORY;
	*to = *r;
	to->name = arena_text(a, r->name);
	to->text = arena_text(a, r->text);
	b->alertmanagers.n++;
	return arena_failed(a) ? alerts_build_fail(b) : b->err;
}

/* ---- their own alerts ---- */

const struct silence_row *alerts_silence(const struct alerts_view *v, const char *remote, const char *id, size_t n)
{
	for (size_t i = 0; i < v->n_all_silences; i++) {
		const struct silence_row *s = &v->all_silences[i];
		if (strcmp(s->remote, remote) == 0 && strncmp(s->remote_id, id, n) == 0 && s->remote_id[n] == '\0')
			return s;
	}
	return NULL;
}

/* What mutes it there, but for acknowledgements. */
static void find_silence(struct alerts_view *v, const struct external_row *r, struct alert_item *to)
{
	const char *id = r->silenced_by;
	for (size_t n; *id != '\0'; id += n) {
		id += strspn(id, " ");
		n = strcspn(id, " ");
		const struct silence_row *s = n > 0 ? alerts_silence(v, r->remote, id, n) : NULL;
		if (s != NULL && silence_is_ack(s)) {
			to->ack = s;
		} else if (n > 0) {
			to->is_silenced = true;
			to->silence = s != NULL ? s : to->silence;
		}
	}
}

static enum err add_own(struct alerts_build *b, const struct external_row *r)
{
	struct arena *a = &b->view->arena;
	if (b->alerts.n == ALERTS_MAX) {
		b->view->n_more++;
		return ERR_OK;
	}
	struct alert_item *to = alerts_build_next(b, &b->alerts);
	struct buf key;
	if (to == NULL)
		return ERR_MEMORY;
	const char *name = labels_get(r->labels, "alertname");
	int64_t since_ms = r->starts_ms > 0 && r->starts_ms < r->from_ms ? r->starts_ms : r->from_ms;
	buf_init(&key, ALERTS_KEY_MAX);
	buf_printf(&key, "%s: %s", r->remote, name); /* no key of ours: those begin with a brace */
	const struct alert_row row = {
		.id = -r->id, .rule = name[0] != '\0' ? name : "(no name)", .source = "", .expr = "", .group_key = buf_text(&key), .labels = r->labels,
		.annotations = r->annotations, .severity = alert_severity(r->labels), .value = (double)NAN, .active_ms = since_ms, .fired_ms = since_ms,
	};
	*to = (struct alert_item){ .row = alert_row_copy(a, &row), .node = alerts_node(r->labels), .phase = PHASE_FIRING, .there = r,
		                   .inhibitor = r->inhibited_by, .is_inhibited = r->inhibited_by[0] != '\0' };
	find_silence(b->view, r, to);
	b->alerts.n++;
	buf_release(&key);
	return arena_failed(a) ? alerts_build_fail(b) : ERR_OK;
}

/* ---- ours ---- */

static int by_hash(const void *a, const void *b)
{
	const struct external_row *const *x = a, *const *y = b;
	uint64_t i = labels_hash((*x)->labels), j = labels_hash((*y)->labels);
	return (i > j) - (i < j);
}

/* What is said of ours. Of several Alertmanagers one counts. */
static enum err tell_ours(struct alerts_build *b, size_t n_ours)
{
	const struct external_row *rows = b->externals.items, **index = calloc(b->externals.n + 1, sizeof *index);
	struct alert_item *alerts = b->alerts.items;
	size_t n = 0;
	if (index == NULL)
		return alerts_build_fail(b);
	for (size_t i = 0; i < b->externals.n; i++)
		if (rows[i].is_ours)
			index[n++] = &rows[i];
	qsort(index, n, sizeof *index, by_hash);
	for (size_t i = 0; i < n_ours && n > 0; i++) {
		const struct external_row wanted = { .labels = alerts[i].row.labels }, *key = &wanted;
		const struct external_row *const *hit = bsearch(&key, index, n, sizeof *index, by_hash);
		if (hit != NULL && labels_equal((*hit)->labels, alerts[i].row.labels))
			alerts[i].there = *hit;
	}
	free(index);
	return ERR_OK;
}

enum err alerts_take_externals(struct alerts_build *b)
{
	const struct external_row *rows = b->externals.items;
	enum err e = tell_ours(b, b->alerts.n);
	for (size_t i = 0; i < b->externals.n && e == ERR_OK; i++)
		if (!rows[i].is_ours)
			e = add_own(b, &rows[i]);
	return e;
}

/* ---- acknowledgements ---- */

bool alerts_is_external(const struct alert_item *a)
{
	return a->row.id < 0;
}

void alerts_find_remote_acks(struct alerts_build *b)
{
	struct alert_item *alerts = b->alerts.items;
	const struct silence_row *silences = b->silences.items;
	for (size_t i = 0; i < b->alerts.n && b->silences.n > 0; i++) {
		size_t which;
		if (alerts[i].phase != PHASE_RESOLVED && alerts[i].ack == NULL && silences_acks_of(&b->ready, alerts[i].row.labels, b->view->t_ms, &which, 1) > 0 &&
		    (!alerts_is_external(&alerts[i]) || strcmp(silences[which].remote, alerts[i].there->remote) == 0))
			alerts[i].ack = &silences[which];
	}
}

const char *alerts_remote_ack_comment(const struct silence_row *s)
{
	const char *text = s->comment + strlen(AM_ACK_PREFIX);
	return text + strspn(text, " ");
}

enum err alerts_own_remotely(struct alerts_build *b, struct alert_group_item *g)
{
	const struct silence_row *last = NULL;
	if (g->ack != NULL || g->phase != PHASE_FIRING)
		return ERR_OK;
	for (size_t i = 0; i < g->n; i++) {
		const struct alert_item *a = &g->alerts[i];
		if (a->phase != PHASE_FIRING || a->is_silenced || a->is_inhibited)
			continue;
		if (a->ack == NULL)
			return ERR_OK;
		last = last == NULL || a->ack->from_ms > last->from_ms ? a->ack : last;
	}
	if (last == NULL)
		return ERR_OK;
	struct ack_row *made = arena_zeroed(&b->view->arena, 1, sizeof *made);
	if (made == NULL)
		return alerts_build_fail(b);
	*made = (struct ack_row){ .group_key = g->key, .at_ms = last->from_ms, .until_ms = last->until_ms, .actor = { last->actor.who, "", last->remote },
		                  .comment = alerts_remote_ack_comment(last), .severity = g->severity, .ended_by = { "", "", "" } };
	g->ack = made;
	return ERR_OK;
}
