/* SPDX-License-Identifier: Apache-2.0
 *
 * What an Alertmanager has: asked for on the loop, read on a worker, since an answer may be large. */
#include "alerts/alertmanager_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- answers ---- */

struct am_answer *am_answer_ref(struct am_answer *n)
{
	atomic_fetch_add(&n->refs, 1);
	return n;
}

void am_answer_unref(struct am_answer *n)
{
	if (n == NULL || atomic_fetch_sub(&n->refs, 1) > 1)
		return;
	am_alerts_release(&n->alerts);
	am_silences_release(&n->silences);
	free(n);
}

static void tell(struct alertmanager *a, enum err e, const char *text)
{
	struct am_view v = { .of = a->o.to, .err = e, .text = text, .at_ms = clock_wall_ms(a->o.clock), .mirror_text = a->mirror_text };
	if (e == ERR_OK) {
		v.answer = a->answer;
		v.alerts = a->answer->alerts.items;
		v.n_alerts = a->answer->alerts.n;
		v.silences = a->answer->silences.items;
		v.n_silences = a->answer->silences.n;
	}
	if (a->o.pulled != NULL)
		a->o.pulled(a->o.ctx, &v);
}

static void pull_failed(struct alertmanager *a, enum err e, const char *text)
{
	struct buf safe;
	a->is_pulling = false;
	buf_init(&safe, 4096);
	text_safe(&safe, text, strlen(text));
	tell(a, e, buf_text(&safe));
	buf_release(&safe);
}

/* ---- reading them ---- */

static void parse(void *ctx)
{
	struct alertmanager *a = ctx;
	struct am_answer *n = calloc(1, sizeof *n);
	a->parsed_why.text[0] = '\0';
	if (n == NULL) {
		a->parsed_err = why_memory(&a->parsed_why);
		return;
	}
	atomic_init(&n->refs, 1);
	enum err e = a->o.to->is_shown ? am_alerts_parse(buf_text(&a->alerts_text), a->alerts_text.len, &n->alerts, &a->parsed_why) : ERR_OK;
	if (e == ERR_OK)
		e = am_silences_parse(buf_text(&a->silences_text), a->silences_text.len, &n->silences, &a->parsed_why);
	a->parsed_err = e;
	if (e == ERR_OK)
		a->parsed = n;
	else
		am_answer_unref(n);
}

/* Nobody else has it yet. */
static void take(struct alertmanager *a)
{
	struct am_answer *n = a->parsed;
	a->parsed = NULL;
	for (size_t i = 0; i < n->alerts.n; i++)
		n->alerts.items[i].is_ours = am_has_sent(a, n->alerts.items[i].fingerprint);
	n->serial = a->asked_serial;
	n->is_settled = !a->asked_busy && a->serial == a->asked_serial;
	am_answer_unref(a->answer);
	a->answer = n;
}

static void on_parsed(void *ctx, bool is_cancelled)
{
	struct alertmanager *a = ctx;
	a->is_parsing = false;
	buf_release(&a->alerts_text);
	buf_release(&a->silences_text);
	if (a->is_closing) {
		am_free_when_done(a);
		return;
	}
	if (is_cancelled || a->parsed_err != ERR_OK) {
		pull_failed(a, is_cancelled ? ERR_CANCELLED : a->parsed_err, is_cancelled ? "cancelled" : a->parsed_why.text);
		return;
	}
	take(a);
	a->is_pulling = false;
	tell(a, ERR_OK, ""); /* with what came of the mirror in the last round */
	if (a->o.to->mirrors_acks && !a->is_closing)
		am_mirror_round(a);
}

/* ---- asking ---- */

/* Keeps the body of an answer; false: the pull has failed, and was told of. */
static bool keep(struct alertmanager *a, const struct http_answer *an, struct buf *to)
{
	buf_release(to);
	buf_init(to, AM_ANSWER_MAX + 1);
	if (an->result != FETCH_OK) {
		pull_failed(a, am_error_of(an), an->text);
		return false;
	}
	if (buf_put(to, an->body, an->len) == ERR_OK)
		return true;
	pull_failed(a, to->err, "the answer cannot be kept");
	return false;
}

static void on_silences(void *ctx, const struct http_answer *an)
{
	struct alertmanager *a = ctx;
	struct why why;
	if (!keep(a, an, &a->silences_text))
		return;
	a->is_parsing = loop_work_new(a->o.loop, parse, on_parsed, a, NULL, &why) == ERR_OK;
	if (!a->is_parsing)
		pull_failed(a, ERR_MEMORY, why.text);
}

static void ask_silences(struct alertmanager *a)
{
	struct why why;
	a->asked_serial = a->serial;
	a->asked_busy = a->ops != NULL;
	enum err e = am_request(a, "GET", "/silences", NULL, on_silences, a, &why);
	if (e != ERR_OK)
		pull_failed(a, e, why.text);
}

static void on_alerts(void *ctx, const struct http_answer *an)
{
	struct alertmanager *a = ctx;
	if (keep(a, an, &a->alerts_text))
		ask_silences(a);
}

void am_pull(struct alertmanager *a)
{
	struct why why;
	a->is_pulling = true;
	a->pull_due_ms = am_now_ms(a) + a->o.pull_ms;
	if (!a->o.to->is_shown) {
		ask_silences(a);
		return;
	}
	enum err e = am_request(a, "GET", "/alerts", NULL, on_alerts, a, &why);
	if (e != ERR_OK)
		pull_failed(a, e, why.text);
}

void alertmanager_pull_now(struct alertmanager *a)
{
	a->pull_due_ms = 0;
}

void am_pull_release(struct alertmanager *a)
{
	buf_release(&a->alerts_text);
	buf_release(&a->silences_text);
	am_answer_unref(a->answer);
	am_answer_unref(a->parsed);
}
