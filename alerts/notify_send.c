/* SPDX-License-Identifier: Apache-2.0
 *
 * One try of one notification: secrets are fetched on a worker, then the kind of its receiver makes what is sent, and it is sent. */
#include "alerts/notifier_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SENT_MAX = 16 << 20 };

void notify_wipe(struct job *j)
{
	secret_release(&j->secret);
	secret_release(&j->auth);
}

static void end_with(struct job *j, struct outcome o)
{
	notify_wipe(j);
	notifier_ended(j, &o);
}

/* ---- what the ways report ---- */

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct job *j = ctx;
	struct outcome o = { .kind = OUTCOME_RETRY, .retry_after_ms = a->retry_after_ms, .text = a->text };
	if (a->status >= 200 && a->status < 300) /* it was taken, whatever became of the answer's body */
		o.kind = OUTCOME_SENT;
	else if (a->result != FETCH_SECRET && a->status != 0 && !notifier_may_pass(a->status))
		o.kind = OUTCOME_HOPELESS;
	end_with(j, o);
}

/* Of SMTP's replies 5yz are for good (RFC 5321, 4.2.1), where they are the reason: after a 2yz or 3yz the connection broke. */
static void on_mail_answer(void *ctx, const struct http_answer *a)
{
	struct job *j = ctx;
	bool is_sent = a->result == FETCH_OK, is_final = a->status >= 500 && a->status < 600;
	struct outcome o = { .kind = is_sent ? OUTCOME_SENT : is_final ? OUTCOME_HOPELESS : OUTCOME_RETRY, .text = a->text };
	end_with(j, o);
}

static void on_process(void *ctx, enum err e, const char *text)
{
	struct job *j = ctx;
	j->process = NULL;
	end_with(j, (struct outcome){ .kind = e == ERR_OK ? OUTCOME_SENT : OUTCOME_RETRY, .text = text });
}

/* ---- sending ---- */

static enum err put_auth(void *ctx, struct buf *to, struct why *why)
{
	const struct job *j = ctx;
	return j->auth.text != NULL ? buf_put(to, j->auth.text, j->auth.len) : why_set(why, ERR_NOT_FOUND, "no credentials");
}

static struct http_access access_of(struct job *j)
{
	static const enum http_auth auths[] = { [FLEET_AUTH_BEARER] = HTTP_AUTH_BEARER, [FLEET_AUTH_BASIC] = HTTP_AUTH_BASIC };
	const struct fleet_receiver *r = j->receiver;
	struct http_access a = { .gzip = HTTP_GZIP_NEVER };
	if (r->auth != NULL) {
		a.auth = auths[r->auth->kind];
		a.user = r->auth->user;
		a.secret = put_auth;
		a.secret_ctx = j;
	}
	if (r->tls != NULL) {
		a.ca_file = r->tls->ca_file[0] != '\0' ? r->tls->ca_file : NULL;
		a.cert_file = r->tls->cert_file[0] != '\0' ? r->tls->cert_file : NULL;
		a.key_file = r->tls->key_file[0] != '\0' ? r->tls->key_file : NULL;
		a.server_name = r->tls->server_name[0] != '\0' ? r->tls->server_name : NULL;
		a.insecure_skip_verify = r->tls->insecure_skip_verify;
	}
	return a;
}

static enum err send_http(struct job *j, const struct notify_kind *k, const struct buf *body, struct why *why)
{
	bool is_secret = j->receiver->url[0] == '\0';
	struct http_send_options o = { .url = is_secret ? j->secret.text : j->receiver->url, .method = "POST", .content_type = k->content_type,
		                       .body = buf_text(body), .len = body->len, .timeout_ms = j->receiver->timeout_ms, .access = access_of(j),
		                       .done = on_answer, .ctx = j };
	enum err e = http_send(j->n->http, &o, why);
	if (e == ERR_FORMAT && is_secret) /* the sentence quotes it */
		why_set(why, e, "the secret of '%s' is not a URL (http://HOST:PORT/PATH)", j->receiver->name);
	return e;
}

static enum err send_mail(struct job *j, const struct buf *text, struct why *why)
{
	static const enum http_starttls starttls[] = { [STARTTLS_REQUIRED] = HTTP_STARTTLS_REQUIRED, [STARTTLS_OFFERED] = HTTP_STARTTLS_OFFERED,
		                                       [STARTTLS_NEVER] = HTTP_STARTTLS_NEVER };
	const struct fleet_receiver *r = j->receiver;
	struct http_mail_options o = { .url = r->url, .from = r->from, .to = r->to, .n_to = r->n_to, .text = buf_text(text), .len = text->len,
		                       .starttls = starttls[r->starttls], .timeout_ms = r->timeout_ms, .access = access_of(j), .done = on_mail_answer,
		                       .ctx = j };
	return http_mail(j->n->http, &o, why);
}

static enum err send_process(struct job *j, const struct buf *input, struct why *why)
{
	struct notify_process_options o = { .loop = j->n->o.loop, .argv = j->receiver->argv, .input = buf_text(input), .n = input->len,
		                            .timeout_ms = j->receiver->timeout_ms, .done = on_process, .ctx = j };
	return notify_process_start(&o, &j->process, why);
}

static enum err send_message(struct job *j, const struct notify_message *m, struct why *why)
{
	const struct notify_kind *k = notify_kind_of(j->receiver->kind);
	struct notify_context c = { .receiver = j->receiver, .external_url = j->n->external_url, .host = j->n->host, .fleet = j->n->fleet,
		                    .version = j->n->version, .secret = j->secret.text != NULL ? j->secret.text : "", .row_id = j->row.id,
		                    .created_ms = j->row.created_ms };
	struct buf body;
	buf_init(&body, SENT_MAX);
	enum err e = k->print(m, &c, &body, why);
	if (e == ERR_OK && k->way == NOTIFY_BY_HTTP)
		e = send_http(j, k, &body, why);
	else if (e == ERR_OK && k->way == NOTIFY_BY_SMTP)
		e = send_mail(j, &body, why);
	else if (e == ERR_OK)
		e = send_process(j, &body, why);
	if (body.data != NULL)
		explicit_bzero(body.data, body.cap);
	buf_release(&body);
	return e;
}

static void send_now(struct job *j)
{
	struct notify_message *m = NULL;
	struct why why = { "" };
	j->state = JOB_SENDING;
	if (j->receiver == NULL) {
		snprintf(why.text, sizeof why.text, "the fleet file has no receiver '%.100s' any more", j->row.receiver);
		end_with(j, (struct outcome){ .kind = OUTCOME_HOPELESS, .text = why.text });
		return;
	}
	enum err e = notify_message_parse(j->row.body, strlen(j->row.body), &m, &why);
	bool is_readable = e == ERR_OK || e == ERR_MEMORY;
	if (!is_readable)
		why_prefix(&why, e, "the notification cannot be read");
	if (e == ERR_OK)
		e = send_message(j, m, &why);
	notify_message_free(m);
	if (e == ERR_OK)
		return;
	bool is_hopeless = !is_readable || e == ERR_FORMAT || e == ERR_LIMIT;
	struct buf text;
	buf_init(&text, 2048);
	text_safe(&text, why.text, strlen(why.text));
	end_with(j, (struct outcome){ .kind = is_hopeless ? OUTCOME_HOPELESS : OUTCOME_RETRY, .text = buf_text(&text) });
	buf_release(&text);
}

/* ---- secrets ---- */

static void fetch(void *ctx)
{
	struct job *j = ctx;
	j->fetched = ERR_OK;
	if (j->receiver == NULL)
		return;
	if (j->receiver->secret.kind != SECRET_NONE)
		j->fetched = secret_read(&j->receiver->secret, 0, &j->secret, &j->fetched_why);
	if (j->fetched == ERR_OK && j->receiver->auth != NULL)
		j->fetched = secret_read(&j->receiver->auth->secret, 0, &j->auth, &j->fetched_why);
}

static void on_fetched(void *ctx, bool is_cancelled)
{
	struct job *j = ctx;
	struct notifier *n = j->n;
	n->n_fetching--;
	j->state = JOB_SENDING;
	if (n->is_closing) {
		notify_wipe(j);
		notifier_maybe_gone(n);
	} else if (is_cancelled || j->fetched != ERR_OK) {
		struct buf text;
		buf_init(&text, 2048);
		text_safe(&text, j->fetched_why.text, strlen(j->fetched_why.text));
		end_with(j, (struct outcome){ .kind = OUTCOME_RETRY, .text = buf_text(&text) });
		buf_release(&text);
	} else {
		send_now(j);
	}
}

/* Also where there are none to fetch: the end of a try then never comes from its beginning. */
void notify_try(struct job *j)
{
	struct why why = { "" };
	j->state = JOB_FETCHING;
	if (loop_work_new(j->n->o.loop, fetch, on_fetched, j, NULL, &why) == ERR_OK) {
		j->n->n_fetching++;
		return;
	}
	end_with(j, (struct outcome){ .kind = OUTCOME_RETRY, .text = why.text });
}

static void process_gone(void *ctx)
{
	struct notifier *n = ctx;
	n->n_ending--;
	notifier_maybe_gone(n);
}

void notify_cancel(struct job *j)
{
	if (j->process == NULL)
		return;
	j->n->n_ending++;
	notify_process_cancel(j->process, process_gone, j->n);
	j->process = NULL;
}

void notify_drop(struct job *j)
{
	assert(j->process == NULL);
	if (j->state != JOB_FETCHING)
		notify_wipe(j);
}
