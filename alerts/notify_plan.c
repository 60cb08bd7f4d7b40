/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/notify_plan.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/fingerprint.h"
#include "alerts/notify_message.h"
#include "alerts/notify_told.h"

/* A member of the group that is looked at. */
struct seen {
	uint64_t                    fingerprint;
	const struct notify_member *member;
};

/* What there is to tell one receiver of one group. The arrays are the plan's and used again. */
struct telling {
	struct notify_alert      *alerts; /* what would be told */
	size_t                    n;
	const struct told_alert **hidden; /* what was told before and is silenced or inhibited now */
	size_t                    n_hidden;
	size_t                    n_active, n_over, n_lost /* of n_over, those of which no labels are known */;
	size_t                    n_kept;   /* that were told and go on as they were told: the same episode */
	bool                      has_news;
	int64_t                   first_ms; /* when the first active one fired */
};

struct notify_plan {
	const struct notify_receiver *receivers;
	size_t                        n_receivers;
	int64_t                       next_id;
	struct told_table             told;
	struct seen                  *seen; /* room, as the next three */
	struct notify_alert          *alerts;
	const struct told_alert     **hidden;
	struct notify_known          *known;
	size_t                        cap_seen, cap; /* of seen; of the other three */
};

/* One call of notify_plan_step. */
struct step {
	struct notify_plan *p;
	int64_t             now_ms;
	enum err          (*emit)(void *ctx, const struct notification_row *row);
	void               *ctx;
	struct why         *why;
};

enum err notify_plan_new(const struct notify_receiver *receivers, size_t n, int64_t next_id, struct notify_plan **out, struct why *why)
{
	struct notify_plan *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	*p = (struct notify_plan){ .receivers = receivers, .n_receivers = n, .next_id = next_id };
	*out = p;
	return ERR_OK;
}

void notify_plan_free(struct notify_plan *p)
{
	if (p == NULL)
		return;
	told_table_release(&p->told);
	free(p->seen);
	free(p->alerts);
	free(p->hidden);
	free(p->known);
	free(p);
}

/* ---- memory ---- */

static enum err recall(const struct notify_message *m, struct told *t)
{
	struct told_alert *alerts = calloc(m->n + m->n_known + 1, sizeof *alerts);
	size_t n = 0;
	if (alerts == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < m->n; i++) {
		const struct notify_alert *a = &m->alerts[i];
		if (a->status != NOTIFY_ALERT_RESOLVED)
			alerts[n++] = (struct told_alert){ .fingerprint = a->fingerprint, .status = a->status, .severity = a->severity, .id = a->id,
				                           .starts_ms = a->starts_ms, .labels = labels_ref(a->labels) };
	}
	for (size_t i = 0; i < m->n_known; i++) {
		const struct notify_known *k = &m->known[i];
		if (k->status != NOTIFY_ALERT_RESOLVED)
			alerts[n++] = (struct told_alert){ .fingerprint = k->fingerprint, .status = k->status, .severity = k->severity,
				                           .starts_ms = k->starts_ms };
	}
	told_replace(t, alerts, n);
	t->told_ms = m->told_ms;
	t->acked_ms = m->acked_ms;
	return ERR_OK;
}

enum err notify_plan_remember(struct notify_plan *p, const struct notification_row *row, struct why *why)
{
	struct notify_message *m;
	size_t r = 0;
	if (row->id >= p->next_id)
		p->next_id = row->id + 1;
	while (r < p->n_receivers && strcmp(p->receivers[r].name, row->receiver) != 0)
		r++;
	if (r == p->n_receivers)
		return ERR_OK;
	enum err e = notify_message_parse(row->body, strlen(row->body), &m, why);
	if (e != ERR_OK)
		return why_prefix(why, e, "notification %lld", (long long)row->id);
	struct told *t = told_get(&p->told, r, row->group_key, m->group_labels);
	e = t != NULL ? recall(m, t) : ERR_MEMORY;
	if (t != NULL && t->n == 0)
		told_remove(&p->told, t);
	notify_message_free(m);
	return e != ERR_OK ? why_memory(why) : ERR_OK;
}

/* ---- what there is to tell ---- */

static void put_alert(struct telling *t, const struct notify_alert *a)
{
	t->alerts[t->n++] = *a;
	if (a->status == NOTIFY_ALERT_RESOLVED) {
		t->n_over++;
		return;
	}
	if (t->n_active++ == 0 || a->starts_ms < t->first_ms)
		t->first_ms = a->starts_ms;
}

/* A member, with what was told of it (NULL: nothing). */
static void look_at(struct telling *t, const struct seen *s, const struct told_alert *before)
{
	const struct notify_member *m = s->member;
	bool fires = m->ends_ms == 0, is_hidden = m->is_silenced || m->is_inhibited;
	if (!fires && before == NULL)
		return;
	if (is_hidden && (fires || m->is_flapping)) {
		if (before != NULL) {
			t->hidden[t->n_hidden++] = before;
			t->n_kept++;
		}
		return;
	}
	enum notify_status status = m->is_flapping ? NOTIFY_ALERT_FLAPPING : fires ? NOTIFY_ALERT_FIRING : NOTIFY_ALERT_RESOLVED;
	struct notify_alert a = { .id = m->id, .fingerprint = s->fingerprint, .status = status, .severity = m->severity, .starts_ms = m->starts_ms,
		                  .ends_ms = m->ends_ms, .labels = m->labels, .annotations = m->annotations };
	if (status != NOTIFY_ALERT_RESOLVED &&
	    (before == NULL || status != before->status || m->severity > before->severity ||
	     (status == NOTIFY_ALERT_FIRING && m->starts_ms > before->starts_ms)))
		t->has_news = true;
	t->n_kept += before != NULL && (status == NOTIFY_ALERT_FLAPPING || (fires && m->starts_ms <= before->starts_ms));
	put_alert(t, &a);
}

/* One that was told is there no longer: it is over. */
static void look_at_lost(struct telling *t, const struct told_alert *before, int64_t now_ms)
{
	struct notify_alert a = { .id = before->id, .fingerprint = before->fingerprint, .status = NOTIFY_ALERT_RESOLVED, .severity = before->severity,
		                  .starts_ms = before->starts_ms, .ends_ms = now_ms, .labels = before->labels };
	if (before->labels != NULL) {
		put_alert(t, &a);
	} else {
		t->n_over++;
		t->n_lost++;
	}
}

static bool is_asked_for(const struct notify_receiver *r, const struct notify_member *m)
{
	return m->severity >= r->min_severity && matchers_match(r->match, r->n_match, m->labels);
}

/* Both lists are in the order of the fingerprints. */
static void gather(struct step *s, const struct notify_receiver *r, const struct seen *seen, size_t n, const struct told *told, struct telling *out)
{
	size_t at = 0, n_told = told != NULL ? told->n : 0;
	*out = (struct telling){ .alerts = s->p->alerts, .hidden = s->p->hidden };
	for (size_t i = 0; i < n; i++) {
		if (!is_asked_for(r, seen[i].member))
			continue;
		for (; at < n_told && told->alerts[at].fingerprint < seen[i].fingerprint; at++)
			look_at_lost(out, &told->alerts[at], s->now_ms);
		bool was_told = at < n_told && told->alerts[at].fingerprint == seen[i].fingerprint;
		look_at(out, &seen[i], was_told ? &told->alerts[at] : NULL);
		at += was_told;
	}
	for (; at < n_told; at++)
		look_at_lost(out, &told->alerts[at], s->now_ms);
}

enum verdict { NOTHING, TELL, REPEAT, FORGET /* what is over, untold */ };

static enum verdict judge(const struct notify_receiver *r, const struct told *told, const struct telling *t, int64_t now_ms)
{
	/* Where ends are not told, no row says that all was over and began anew. */
	if (told == NULL || (!r->send_resolved && t->n_kept == 0 && t->n_active > 0))
		return t->n_active > 0 && now_ms >= t->first_ms + r->group_wait_ms ? TELL : NOTHING;
	if ((t->has_news || (t->n_over > 0 && r->send_resolved)) && now_ms >= told->told_ms + r->group_interval_ms)
		return TELL;
	if (t->n_active > 0 && now_ms >= told->told_ms + r->repeat_interval_ms)
		return t->has_news || t->n_over > 0 ? TELL : REPEAT;
	return t->n_over > 0 && !r->send_resolved ? FORGET : NOTHING;
}

/* ---- telling ---- */

/* What goes on first, then the worse, then the older. */
static int by_weight(const void *a, const void *b)
{
	const struct notify_alert *x = a, *y = b;
	bool is_over_x = x->status == NOTIFY_ALERT_RESOLVED, is_over_y = y->status == NOTIFY_ALERT_RESOLVED;
	if (is_over_x != is_over_y)
		return is_over_x ? 1 : -1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->starts_ms != y->starts_ms)
		return x->starts_ms < y->starts_ms ? -1 : 1;
	return labels_compare(x->labels, y->labels);
}

/* What does not fit in full, and what is hidden, in short. `full` members are told in full. */
static void put_known(const struct telling *t, size_t full, bool with_hidden, struct notify_known *to, size_t *n)
{
	*n = 0;
	for (size_t i = full; i < t->n; i++)
		if (t->alerts[i].status != NOTIFY_ALERT_RESOLVED)
			to[(*n)++] = (struct notify_known){ t->alerts[i].fingerprint, t->alerts[i].status, t->alerts[i].severity, t->alerts[i].starts_ms };
	for (size_t i = 0; with_hidden && i < t->n_hidden; i++)
		to[(*n)++] = (struct notify_known){ t->hidden[i]->fingerprint, t->hidden[i]->status, t->hidden[i]->severity, t->hidden[i]->starts_ms };
}

/* The text of a message; as many alerts in full as fit. */
static enum err print_body(struct step *s, const struct telling *t, struct notify_message *m, struct buf *body)
{
	size_t full = t->n < NOTIFY_ALERTS_MAX ? t->n : NOTIFY_ALERTS_MAX;
	enum err e;
	for (;;) {
		buf_clear(body);
		m->alerts = t->alerts;
		m->n = full;
		m->truncated = t->n - full;
		put_known(t, full, m->event == NOTIFY_FIRING, s->p->known, &m->n_known);
		m->known = s->p->known;
		e = notify_message_print(m, body);
		if (e != ERR_LIMIT || full == 0)
			return e;
		full /= 2;
	}
}

static enum err queue(struct step *s, const struct notify_receiver *r, const char *key, const struct buf *body)
{
	struct notification_row row = { .id = s->p->next_id, .receiver = r->name, .group_key = key, .body = buf_text(body), .created_ms = s->now_ms,
		                        .due_ms = s->now_ms, .state = NOTIFICATION_WAITING, .error = "" };
	enum err e = s->emit(s->ctx, &row);
	if (e == ERR_OK)
		s->p->next_id++;
	return e;
}

/* What is known when that was told: what goes on, and what is hidden unless all was said to be over. NULL: no memory. */
static struct told_alert *knowledge_of(const struct telling *t, bool with_hidden, size_t *n)
{
	struct told_alert *alerts = calloc(t->n_active + t->n_hidden + 1, sizeof *alerts);
	*n = 0;
	for (size_t i = 0; alerts != NULL && i < t->n; i++) {
		const struct notify_alert *a = &t->alerts[i];
		if (a->status != NOTIFY_ALERT_RESOLVED)
			alerts[(*n)++] = (struct told_alert){ .fingerprint = a->fingerprint, .status = a->status, .severity = a->severity, .id = a->id,
				                              .starts_ms = a->starts_ms, .labels = labels_ref(a->labels) };
	}
	for (size_t i = 0; alerts != NULL && with_hidden && i < t->n_hidden; i++) {
		alerts[*n] = *t->hidden[i];
		alerts[*n].labels = t->hidden[i]->labels != NULL ? labels_ref(t->hidden[i]->labels) : NULL;
		++*n;
	}
	return alerts;
}

static struct notify_message message_of(const struct notify_group *g, const struct told *told, enum severity severity)
{
	return (struct notify_message){ .group_key = g->key, .group_labels = g->labels, .severity = severity, .acked_ms = told->acked_ms,
		                        .acked_by = g->acked_ms > 0 && g->acked_by != NULL ? g->acked_by : "",
		                        .ack_comment = g->acked_ms > 0 && g->ack_comment != NULL ? g->ack_comment : "" };
}

static enum err tell(struct step *s, const struct notify_receiver *r, const struct notify_group *g, struct told *told, struct telling *t, bool is_repeat)
{
	struct buf body;
	size_t n;
	if (t->n > 1)
		qsort(t->alerts, t->n, sizeof *t->alerts, by_weight);
	if (!r->send_resolved)
		t->n = t->n_active; /* what is over stands at the end */
	struct notify_message m = message_of(g, told, t->n > 0 ? t->alerts[0].severity : SEVERITY_INFO);
	m.event = t->n_active > 0 ? NOTIFY_FIRING : NOTIFY_RESOLVED;
	m.is_repeat = is_repeat;
	m.told_ms = s->now_ms;
	struct told_alert *alerts = knowledge_of(t, m.event == NOTIFY_FIRING, &n);
	if (alerts == NULL)
		return ERR_MEMORY;
	buf_init(&body, NOTIFY_BODY_MAX - 1);
	enum err e = print_body(s, t, &m, &body);
	if (e == ERR_OK)
		e = queue(s, r, g->key, &body);
	buf_release(&body);
	if (e != ERR_OK) {
		told_alerts_free(alerts, n);
		return e;
	}
	told_replace(told, alerts, n);
	told->told_ms = s->now_ms;
	return ERR_OK;
}

/* The body keeps what is known as it is: news that wait for group_interval are not told by this. */
static enum err tell_ack(struct step *s, const struct notify_receiver *r, const struct notify_group *g, struct told *told)
{
	struct buf body;
	struct notify_message m = message_of(g, told, SEVERITY_INFO);
	for (size_t i = 0; i < told->n; i++) {
		const struct told_alert *a = &told->alerts[i];
		s->p->known[i] = (struct notify_known){ a->fingerprint, a->status, a->severity, a->starts_ms };
		m.severity = a->severity > m.severity ? a->severity : m.severity;
	}
	m.event = NOTIFY_ACKNOWLEDGED;
	m.told_ms = told->told_ms;
	m.acked_ms = g->acked_ms;
	m.known = s->p->known;
	m.n_known = told->n;
	buf_init(&body, NOTIFY_BODY_MAX - 1);
	enum err e = notify_message_print(&m, &body);
	if (e == ERR_OK)
		e = queue(s, r, g->key, &body);
	buf_release(&body);
	if (e == ERR_OK)
		told->acked_ms = g->acked_ms;
	return e;
}

static enum err forget_over(struct told *told, const struct telling *t)
{
	size_t n;
	/* What has news keeps what was told of it; what goes on is known as it was. */
	struct told_alert *alerts = calloc(told->n + 1, sizeof *alerts);
	if (alerts == NULL)
		return ERR_MEMORY;
	n = 0;
	for (size_t i = 0; i < told->n; i++) {
		bool goes_on = false;
		for (size_t k = 0; k < t->n && !goes_on; k++)
			goes_on = t->alerts[k].fingerprint == told->alerts[i].fingerprint && t->alerts[k].status != NOTIFY_ALERT_RESOLVED;
		for (size_t k = 0; k < t->n_hidden && !goes_on; k++)
			goes_on = t->hidden[k] == &told->alerts[i];
		if (!goes_on)
			continue;
		alerts[n] = told->alerts[i];
		alerts[n].labels = told->alerts[i].labels != NULL ? labels_ref(told->alerts[i].labels) : NULL;
		n++;
	}
	told_replace(told, alerts, n);
	return ERR_OK;
}

/* ---- a step ---- */

static enum err make_room(struct notify_plan *p, size_t n)
{
	if (n <= p->cap)
		return ERR_OK;
	size_t cap = n < 64 ? 64 : n + n / 2;
	struct notify_alert *alerts = realloc(p->alerts, cap * sizeof *alerts);
	if (alerts != NULL)
		p->alerts = alerts;
	const struct told_alert **hidden = realloc(p->hidden, cap * sizeof *hidden);
	if (hidden != NULL)
		p->hidden = hidden;
	struct notify_known *known = realloc(p->known, cap * sizeof *known);
	if (known != NULL)
		p->known = known;
	if (alerts == NULL || hidden == NULL || known == NULL)
		return ERR_MEMORY;
	p->cap = cap;
	return ERR_OK;
}

static enum err step_one(struct step *s, size_t receiver, const struct notify_group *g, const struct seen *seen, size_t n)
{
	const struct notify_receiver *r = &s->p->receivers[receiver];
	struct told *told = told_find(&s->p->told, receiver, g->key);
	struct telling t;
	if (make_room(s->p, n + (told != NULL ? told->n : 0) + 1) != ERR_OK)
		return ERR_MEMORY;
	gather(s, r, seen, n, told, &t);
	enum verdict v = judge(r, told, &t, s->now_ms);
	enum err e = ERR_OK;
	if (told == NULL && v == NOTHING)
		return ERR_OK;
	if (told == NULL && (told = told_get(&s->p->told, receiver, g->key, g->labels)) == NULL)
		return ERR_MEMORY;
	told->was_given = true;
	if (v == TELL || v == REPEAT)
		e = tell(s, r, g, told, &t, v == REPEAT);
	else if (v == FORGET)
		e = forget_over(told, &t);
	if (e == ERR_OK && r->tells_acks && g->acked_ms > 0 && told->n > 0 && told->acked_ms != g->acked_ms)
		e = tell_ack(s, r, g, told);
	if (told->n == 0)
		told_remove(&s->p->told, told);
	return e;
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	if (x->fingerprint != y->fingerprint)
		return x->fingerprint < y->fingerprint ? -1 : 1;
	bool over_x = x->member->ends_ms != 0, over_y = y->member->ends_ms != 0;
	if (over_x != over_y)
		return over_x ? 1 : -1;
	return x->member->starts_ms > y->member->starts_ms ? -1 : x->member->starts_ms < y->member->starts_ms;
}

/* Its members, each label set once. */
static enum err see(struct notify_plan *p, const struct notify_group *g, size_t *n)
{
	if (g->n > p->cap_seen) {
		struct seen *grown = realloc(p->seen, g->n * sizeof *grown);
		if (grown == NULL)
			return ERR_MEMORY;
		p->seen = grown;
		p->cap_seen = g->n;
	}
	for (size_t i = 0; i < g->n; i++)
		p->seen[i] = (struct seen){ alert_fingerprint(g->members[i].labels), &g->members[i] };
	if (g->n > 1)
		qsort(p->seen, g->n, sizeof *p->seen, by_fingerprint);
	*n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (*n == 0 || p->seen[*n - 1].fingerprint != p->seen[i].fingerprint)
			p->seen[(*n)++] = p->seen[i];
	return ERR_OK;
}

static void mark_all(struct notify_plan *p, bool was_given)
{
	for (size_t i = 0; i < TOLD_BUCKETS; i++)
		for (struct told *one = p->told.buckets[i]; one != NULL; one = one->next)
			one->was_given = was_given;
}

/* Groups that were told and are there no more. */
static enum err step_lost(struct step *s)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < TOLD_BUCKETS; i++) {
		struct told *next;
		for (struct told *one = s->p->told.buckets[i]; one != NULL && e == ERR_OK; one = next) {
			next = one->next;
			if (one->was_given)
				continue;
			struct labels *labels = labels_ref(one->group_labels);
			char *key = strdup(one->key);
			struct notify_group g = { .key = key, .labels = labels };
			e = key != NULL ? step_one(s, one->receiver, &g, NULL, 0) : ERR_MEMORY;
			free(key);
			labels_unref(labels);
		}
	}
	return e;
}

enum err notify_plan_step(struct notify_plan *p, int64_t now_ms, const struct notify_group *groups, size_t n,
                          enum err (*emit)(void *ctx, const struct notification_row *row), void *ctx, struct why *why)
{
	struct step s = { .p = p, .now_ms = now_ms, .emit = emit, .ctx = ctx, .why = why };
	enum err e = ERR_OK;
	mark_all(p, false);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		size_t n_seen;
		e = see(p, &groups[i], &n_seen);
		for (size_t r = 0; r < p->n_receivers && e == ERR_OK; r++)
			e = step_one(&s, r, &groups[i], p->seen, n_seen);
	}
	if (e == ERR_OK)
		e = step_lost(&s);
	return e == ERR_MEMORY ? why_memory(why) : e;
}
