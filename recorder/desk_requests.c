/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/desk_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "config/roles.h"

enum { TEXT_MAX = 4096, SUBJECT_MAX = REQUEST_NODE_MAX + 64, DEPLOY_ASKED_MS = 5 * 60 * 1000 };

struct taking {
	struct desk     *desk;
	struct desk_job *job;
	int64_t          now_ms;
	struct why       why;
};

static enum err ignore_request(void *ctx, const struct request_row *q)
{
	(void)ctx;
	(void)q;
	return ERR_OK;
}

/* ---- presence ---- */

static struct desk_console *console_of(struct desk *d, const char *id, int64_t now_ms)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n_consoles; i++) /* those that were not heard of for long are not there any more */
		if (d->consoles[i].seen_ms > now_ms - CONSOLE_SEEN_MS)
			d->consoles[n++] = d->consoles[i];
	d->n_consoles = n;
	for (size_t i = 0; i < n; i++)
		if (strcmp(d->consoles[i].id, id) == 0)
			return &d->consoles[i];
	if (d->consoles == NULL)
		d->consoles = calloc(CONSOLES_MAX, sizeof *d->consoles);
	if (d->consoles == NULL || n == CONSOLES_MAX)
		return NULL;
	struct desk_console *c = &d->consoles[d->n_consoles++];
	*c = (struct desk_console){ .since_ms = now_ms };
	snprintf(c->id, sizeof c->id, "%s", id);
	return c;
}

/* Nothing is written about it but that it is so: asked twice does no harm. */
static void be_present(struct taking *t, const struct request *r, const struct actor *actor, struct desk_piece *p)
{
	struct desk_console *c = console_of(t->desk, r->console, t->now_ms);
	if (c == NULL)
		return;
	c->seen_ms = t->now_ms;
	const struct console_row row = { .id = c->id, .actor = *actor, .since_ms = c->since_ms, .seen_ms = c->seen_ms,
		                         .gone_ms = r->is_gone ? t->now_ms : 0, .view = r->view };
	changes_console(p->changes, &row);
	if (r->is_gone)
		c->seen_ms = INT64_MIN;
}

/* ---- redeploys and rollbacks ---- */

struct actor desk_deploy_actor(const struct desk_deploy *d)
{
	const struct request *r = d->request;
	return (struct actor){ .who = r->who[0] != '\0' ? r->who : d->account, .account = d->account, .origin = r->origin };
}

/* It is not answered here. */
static enum err hand_on(struct taking *t, const struct request *r, const struct account *account)
{
	struct desk_job *job = t->job;
	if (job->n_deploys == job->cap_deploys) {
		size_t cap = job->cap_deploys == 0 ? 4 : job->cap_deploys * 2;
		struct desk_deploy *more = realloc(job->deploys, cap * sizeof *more);
		if (more == NULL)
			return why_memory(&t->why);
		job->deploys = more;
		job->cap_deploys = cap;
	}
	struct desk_deploy *d = &job->deploys[job->n_deploys];
	*d = (struct desk_deploy){ .request = NULL };
	snprintf(d->account, sizeof d->account, "%s", account->name);
	enum err e = request_copy(r, &d->request, &t->why);
	if (e == ERR_OK)
		job->n_deploys++;
	return e;
}

/* ---- all else ---- */

/* What was wanted, for the audit. */
static const char *subject_of(const struct request *r, char *to, size_t size)
{
	if (r->kind == REQUEST_PLAN)
		snprintf(to, size, "%s %s", r->verb, r->target);
	else if (request_is_deploy(r->kind))
		snprintf(to, size, "%s deployment %lld", r->kind == REQUEST_CONTROL ? r->verb : request_kind_name(r->kind), (long long)r->deployment);
	else
		snprintf(to, size, "%s", request_kind_name(r->kind));
	return to;
}

/* Who wanted what they may not stands in the audit. */
static void deny(struct taking *t, const struct request *r, const struct actor *actor, const struct why *why, struct desk_piece *p)
{
	char subject[SUBJECT_MAX];
	changes_audit(p->changes, &(struct audit_row){ .at_ms = t->now_ms, .actor = *actor, .action = "denied", .subject = subject_of(r, subject, sizeof subject), .detail = "" });
	changes_request(p->changes, &(struct request_row){ .id = r->id, .at_ms = t->now_ms, .err = ERR_DENIED, .text = why->text });
}

/* Anything but ERR_OK: later. */
static enum err carry_out(struct taking *t, const struct spool_item *item, const struct account *account, struct desk_piece *p)
{
	const struct request *r = item->request;
	const struct actor actor = { .who = r->who[0] != '\0' ? r->who : account->name, .account = account->name, .origin = r->origin };
	struct why why = { "" };
	struct buf text;
	if (roles_check(t->desk->fleet->roles, account, t->desk->store_owner, request_deed(r), &why) != ERR_OK) {
		deny(t, r, &actor, &why, p);
		return ERR_OK;
	}
	if (request_is_deploy(r->kind) && t->now_ms - r->asked_ms > DEPLOY_ASKED_MS) { /* nobody recorded: what was meant then may do harm now */
		changes_request(p->changes, &(struct request_row){ .id = r->id, .at_ms = t->now_ms, .err = ERR_TIMEOUT, .text = "it was asked for too long ago: ask again" });
		return ERR_OK;
	}
	if (request_is_deploy(r->kind)) {
		p->request[0] = '\0'; /* its file stays until it is answered */
		return hand_on(t, r, account);
	}
	if (r->kind == REQUEST_HERE) {
		be_present(t, r, &actor, p);
		return ERR_OK;
	}
	buf_init(&text, TEXT_MAX);
	alert_manager_apply(t->desk->manager, r, &actor, t->now_ms, p->changes, &text);
	buf_release(&text);
	t->desk->has_changed = true;
	t->job->wants_pull |= r->kind == REQUEST_SILENCE || r->kind == REQUEST_UNSILENCE;
	return ERR_OK;
}

static enum err take(void *ctx, const struct spool_item *item)
{
	struct taking *t = ctx;
	struct account account = { 0 };
	enum err e = reader_request(t->desk->reader, item->id, ignore_request, NULL, &t->why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	bool was_done = e == ERR_OK;
	struct desk_piece *p = desk_piece_add(t->job, &t->why);
	if (p == NULL)
		return ERR_MEMORY;
	snprintf(p->request, sizeof p->request, "%s", item->id);
	if (was_done) /* before a crash; an empty piece, so that the file goes */
		return ERR_OK;
	if (item->request == NULL) {
		changes_request(p->changes, &(struct request_row){ .id = item->id, .at_ms = t->now_ms, .err = item->err, .text = item->text });
		return ERR_OK;
	}
	e = account_find(item->uid, &account, &t->why);
	if (e == ERR_OK)
		e = carry_out(t, item, &account, p);
	account_release(&account);
	if (e != ERR_OK) { /* for want of memory: later */
		changes_free(p->changes);
		t->job->n_pieces--;
	}
	return e;
}

static void told(void *ctx, const char *sentence)
{
	struct taking *t = ctx;
	desk_say(t->job, SEVERITY_WARN, "%s", sentence);
}

void desk_take_requests(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct taking t = { .desk = d, .job = job, .now_ms = now_ms };
	const struct spool_calls calls = { .request = take, .told = told, .ctx = &t };
	struct why why = { "" };
	if (spool_round(d->spool, &calls, &why) == ERR_OK)
		return;
	desk_say(job, SEVERITY_WARN, "cannot read what people ask: %s", t.why.text[0] != '\0' ? t.why.text : why.text);
	spool_close(d->spool); /* it is opened anew in a while */
	d->spool = NULL;
	d->spool_retry_ms = now_ms + ROUND_MAX_MS;
}

static enum err take_leaving(void *ctx, const struct spool_item *item)
{
	return item->request != NULL && item->request->kind == REQUEST_HERE ? take(ctx, item) : ERR_OK;
}

void desk_take_leaving(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct taking t = { .desk = d, .job = job, .now_ms = now_ms };
	const struct spool_calls calls = { .request = take_leaving, .ctx = &t };
	struct why why = { "" };
	if (spool_round(d->spool, &calls, &why) != ERR_OK)
		desk_say(job, SEVERITY_WARN, "cannot read who has left: %s", t.why.text[0] != '\0' ? t.why.text : why.text);
	for (size_t i = 0; i < job->n_pieces; i++) {
		if (spool_remove(d->spool, job->pieces[i].request, &why) != ERR_OK)
			desk_say(job, SEVERITY_WARN, "cannot remove a request that is done: %s", why.text);
		job->pieces[i].request[0] = '\0';
	}
}
