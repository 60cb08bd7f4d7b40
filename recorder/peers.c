/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/receivers.h"

enum { TOLD_TEXT = 512 };

struct peer {
	struct peers        *all;
	struct alertmanager *client;      /* NULL: it could not be made, or is closed */
	size_t               at;          /* in the fleet */
	struct desk_seen     seen;        /* not taken yet; meant where has_seen */
	bool                 has_seen;
	char                 told[TOLD_TEXT]; /* of what it refused, last */
};

struct peers {
	struct peers_options o;
	struct peer         *items;
	size_t               n, n_open;
	void               (*closed)(void *ctx);
	void                *closed_ctx;
	bool                 is_closing;
};

static void seen_release(struct desk_seen *s)
{
	am_answer_unref(s->answer);
	free(s->text);
	*s = (struct desk_seen){ 0 };
}

static const char *name_of(const struct peer *p)
{
	return p->all->o.fleet->alertmanagers[p->at].name;
}

static void tell(const struct peer *p, enum severity severity, const char *text)
{
	if (!p->all->is_closing)
		p->all->o.told(p->all->o.ctx, severity, text);
}

/* ---- what they say ---- */

static void on_sent(void *ctx, enum err e, const char *text)
{
	const struct peer *p = ctx;
	char line[sizeof(struct why) + 200];
	if (e == ERR_OK)
		snprintf(line, sizeof line, "alerts are sent to Alertmanager '%.100s' again", name_of(p));
	else
		snprintf(line, sizeof line, "alerts cannot be sent to Alertmanager '%.100s': %s", name_of(p), text);
	tell(p, e == ERR_OK ? SEVERITY_INFO : SEVERITY_WARN, line);
}

static void on_pulled(void *ctx, const struct am_view *v)
{
	struct peer *p = ctx;
	char *text = strdup(v->text);
	if (text == NULL)
		return; /* the next answer comes */
	if (p->has_seen)
		seen_release(&p->seen);
	p->seen = (struct desk_seen){ .at = p->at, .answer = v->answer != NULL ? am_answer_ref(v->answer) : NULL, .text = text };
	p->has_seen = true;
}

struct desk_seen *peers_take(struct peers *p, size_t *n)
{
	struct desk_seen *out = NULL;
	*n = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (!p->items[i].has_seen)
			continue;
		if (out == NULL && (out = calloc(p->n, sizeof *out)) == NULL)
			return NULL;
		out[(*n)++] = p->items[i].seen;
		p->items[i].has_seen = false;
		p->items[i].seen = (struct desk_seen){ 0 };
	}
	return out;
}

/* ---- what they are asked for ---- */

/* It is asked for again at the next look; the same reason is told once. */
static void failed(struct peer *p, const char *what, const char *text)
{
	char line[TOLD_TEXT];
	snprintf(line, sizeof line, "Alertmanager '%.60s' does not %s a silence: %.300s", name_of(p), what, text);
	if (strcmp(line, p->told) == 0)
		return;
	snprintf(p->told, sizeof p->told, "%s", line);
	tell(p, SEVERITY_WARN, line);
}

static void on_made(void *ctx, enum err e, const char *id, const char *text)
{
	struct peer *p = ctx;
	(void)id; /* it is found there by its mark */
	if (e != ERR_OK)
		failed(p, "take", text);
	else
		p->told[0] = '\0';
}

/* One that is not there any more is over. */
static void on_expired(void *ctx, enum err e, const char *id, const char *text)
{
	(void)id;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		failed(ctx, "expire", text);
}

static enum err make(struct peer *p, const struct silence_row *row, struct why *why)
{
	struct matcher_set matchers;
	struct buf comment;
	matcher_set_init(&matchers);
	buf_init(&comment, 64 * 1024);
	enum err e = matcher_set_parse_json(&matchers, row->matchers, strlen(row->matchers), why);
	if (e == ERR_OK && am_sync_put_comment(&comment, row) != ERR_OK)
		e = why_memory(why);
	const struct am_silence_put put = { .id = "", .matchers = &matchers, .starts_ms = row->from_ms, .ends_ms = row->until_ms,
		                            .created_by = row->actor.who[0] != '\0' ? row->actor.who : "pitwall", .comment = buf_text(&comment) };
	if (e == ERR_OK)
		e = alertmanager_silence(p->client, &put, on_made, p, why);
	buf_release(&comment);
	matcher_set_release(&matchers);
	return e;
}

static void carry_out(struct peer *p, const struct desk_deed *d)
{
	if (p->client == NULL || alertmanager_serial(p->client) != d->serial)
		return;
	for (size_t i = 0; i < d->sync.n; i++) {
		const struct am_sync_step *s = &d->sync.steps[i];
		struct why why = { "" };
		enum err e = ERR_OK;
		if (s->act == AM_SYNC_CREATE)
			e = make(p, &s->row, &why);
		else if (s->act == AM_SYNC_EXPIRE)
			e = alertmanager_expire(p->client, s->id, on_expired, p, &why);
		if (e != ERR_OK)
			failed(p, s->act == AM_SYNC_CREATE ? "take" : "expire", why.text);
	}
}

void peers_carry_out(struct peers *p, const struct desk_deed *deeds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < p->n; k++)
			if (p->items[k].at == deeds[i].at)
				carry_out(&p->items[k], &deeds[i]);
}

void peers_look(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].client != NULL && p->o.fleet->alertmanagers[p->items[i].at].is_shown)
			alertmanager_pull_now(p->items[i].client);
}

enum err peers_tell(struct peers *p, const struct desk_news *n, struct why *why)
{
	enum err all = ERR_OK;
	for (size_t i = 0; i < p->n; i++) {
		struct alertmanager *client = p->items[i].client;
		enum err e = client != NULL ? alertmanager_set_alerts(client, n->alerts, n->n_alerts, why) : ERR_OK;
		if (e == ERR_OK && client != NULL)
			e = alertmanager_set_acks(client, n->acks, n->n_acks, why);
		all = e != ERR_OK ? e : all;
	}
	return all;
}

/* ---- life ---- */

static void begin(struct peers *p, size_t at)
{
	const struct fleet *f = p->o.fleet;
	struct peer *to = &p->items[p->n++];
	struct why why = { "" };
	*to = (struct peer){ .all = p, .at = at };
	const struct am_options o = { .loop = p->o.loop, .clock = p->o.clock, .to = &f->alertmanagers[at], .fleet = f->name, .version = p->o.version,
		                      .interval_ms = f->alerting.interval_ms, .pull_ms = f->alertmanagers[at].is_shown ? f->alertmanagers[at].show_ms : 0,
		                      .pulled = f->alertmanagers[at].is_shown ? on_pulled : NULL, .sent = on_sent, .ctx = to };
	if (alertmanager_new(&o, &to->client, &why) != ERR_OK) {
		to->client = NULL;
		tell(to, SEVERITY_WARN, why.text);
	}
}

enum err peers_new(const struct peers_options *o, struct peers **out, struct why *why)
{
	struct peers *p = calloc(1, sizeof *p);
	if (p == NULL || (p->items = calloc(o->fleet->n_alertmanagers + 1, sizeof *p->items)) == NULL) {
		free(p);
		return why_memory(why);
	}
	p->o = *o;
	for (size_t i = 0; i < o->fleet->n_alertmanagers; i++)
		begin(p, i);
	*out = p;
	return ERR_OK;
}

static void one_closed(void *ctx)
{
	struct peers *p = ctx;
	if (--p->n_open > 0)
		return;
	void (*closed)(void *) = p->closed;
	void *closed_ctx = p->closed_ctx;
	free(p->items);
	free(p);
	closed(closed_ctx);
}

void peers_close(struct peers *p, void (*closed)(void *ctx), void *ctx)
{
	p->is_closing = true;
	p->closed = closed;
	p->closed_ctx = ctx;
	p->n_open = 1;
	for (size_t i = 0; i < p->n; i++) {
		struct peer *one = &p->items[i];
		if (one->has_seen)
			seen_release(&one->seen);
		one->has_seen = false;
		if (one->client == NULL)
			continue;
		p->n_open++;
		alertmanager_close(one->client, one_closed, p);
		one->client = NULL;
	}
	one_closed(p);
}
