/* SPDX-License-Identifier: Apache-2.0
 *
 * What is sent to an Alertmanager: all that fires, each minute, with an end a few minutes off; and what is over, for 15 minutes, with its end. */
#include "alerts/alertmanager_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/fingerprint.h"
#include "base/text.h"

enum { BATCH = 500, LEAST_INTERVAL_MS = 60 * 1000, LASTS = 4 };

static void release_list(struct am_sent *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		labels_unref(list[i].labels);
		labels_unref(list[i].annotations);
	}
	free(list);
}

void am_push_release(struct alertmanager *a)
{
	release_list(a->sent, a->n_sent);
	a->sent = NULL;
	a->n_sent = 0;
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct am_sent *x = a, *y = b;
	if (x->fingerprint != y->fingerprint)
		return x->fingerprint < y->fingerprint ? -1 : 1;
	bool over_x = x->ends_ms != 0, over_y = y->ends_ms != 0;
	return over_x != over_y ? (over_x ? 1 : -1) : (x->starts_ms < y->starts_ms) - (x->starts_ms > y->starts_ms);
}

static const struct am_sent *find(const struct am_sent *list, size_t n, uint64_t fingerprint)
{
	size_t low = 0;
	while (low < n) {
		size_t middle = low + (n - low) / 2;
		if (list[middle].fingerprint < fingerprint)
			low = middle + 1;
		else if (list[middle].fingerprint > fingerprint)
			n = middle;
		else
			return &list[middle];
	}
	return NULL;
}

bool am_has_sent(const struct alertmanager *a, uint64_t fingerprint)
{
	return find(a->sent, a->n_sent, fingerprint) != NULL;
}

/* Of several with the same labels the one that fires stays, else the latest. */
static void drop_doubles(struct am_sent *list, size_t *n)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		if (kept > 0 && list[kept - 1].fingerprint == list[i].fingerprint) {
			labels_unref(list[i].labels);
			labels_unref(list[i].annotations);
		} else {
			list[kept++] = list[i];
		}
	}
	*n = kept;
}

static bool is_news(const struct am_sent *now, const struct am_sent *before)
{
	return before == NULL || (now->ends_ms == 0) != (before->ends_ms == 0) || now->starts_ms != before->starts_ms;
}

enum err alertmanager_set_alerts(struct alertmanager *a, const struct am_push *alerts, size_t n, struct why *why)
{
	int64_t now_ms = clock_wall_ms(a->o.clock);
	bool has_news = false;
	if (!a->o.to->sends)
		return ERR_OK;
	struct am_sent *list = calloc(n + a->n_sent + 1, sizeof *list);
	size_t k = 0;
	if (list == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++) {
		if (alerts[i].ends_ms != 0 && alerts[i].ends_ms + AM_RESOLVED_MS < now_ms)
			continue;
		list[k++] = (struct am_sent){ alert_fingerprint(alerts[i].labels), labels_ref(alerts[i].labels),
			                      alerts[i].annotations != NULL ? labels_ref(alerts[i].annotations) : NULL, alerts[i].starts_ms, alerts[i].ends_ms };
	}
	qsort(list, k, sizeof *list, by_fingerprint);
	drop_doubles(list, &k);
	size_t n_given = k;
	for (size_t i = 0; i < n_given && !has_news; i++)
		has_news = is_news(&list[i], find(a->sent, a->n_sent, list[i].fingerprint));
	for (size_t i = 0; i < a->n_sent; i++) {
		struct am_sent old = a->sent[i];
		if (find(list, n_given, old.fingerprint) != NULL || (old.ends_ms != 0 && old.ends_ms + AM_RESOLVED_MS < now_ms))
			continue;
		has_news = has_news || old.ends_ms == 0;
		old.ends_ms = old.ends_ms != 0 ? old.ends_ms : now_ms;
		old.labels = labels_ref(old.labels);
		old.annotations = old.annotations != NULL ? labels_ref(old.annotations) : NULL;
		list[k++] = old;
	}
	qsort(list, k, sizeof *list, by_fingerprint);
	am_push_release(a);
	a->sent = list;
	a->n_sent = k;
	if (has_news)
		a->push_due_ms = 0;
	return ERR_OK;
}

/* ---- sending ---- */

static void on_posted(void *ctx, const struct http_answer *an)
{
	struct alertmanager *a = ctx;
	if (an->result != FETCH_OK) {
		a->post_err = am_error_of(an);
		snprintf(a->post_text, sizeof a->post_text, "%s", an->text);
	}
	if (--a->n_posting > 0)
		return;
	bool has_changed = a->post_err != a->sent_err;
	a->sent_err = a->post_err;
	if (has_changed && a->o.sent != NULL)
		a->o.sent(a->o.ctx, a->sent_err, a->sent_err != ERR_OK ? a->post_text : "");
}

static void post(struct alertmanager *a, const struct am_push *batch, size_t n)
{
	struct buf body;
	struct why why = { "" };
	buf_init(&body, 64 << 20);
	enum err e = am_put_alerts(&body, batch, n, a->external_url);
	if (e == ERR_OK)
		e = am_request(a, "POST", "/alerts", &body, on_posted, a, &why);
	else
		why_set(&why, e, "the alerts cannot be written as JSON");
	buf_release(&body);
	if (e == ERR_OK) {
		a->n_posting++;
	} else {
		a->post_err = e;
		snprintf(a->post_text, sizeof a->post_text, "%s", why.text);
	}
}

void am_push_round(struct alertmanager *a)
{
	int64_t now_ms = clock_wall_ms(a->o.clock);
	int64_t interval_ms = a->o.interval_ms > LEAST_INTERVAL_MS ? a->o.interval_ms : LEAST_INTERVAL_MS;
	struct am_push batch[BATCH];
	size_t n = 0;
	a->post_err = ERR_OK;
	for (size_t i = 0; i < a->n_sent; i++) {
		const struct am_sent *s = &a->sent[i];
		if (s->ends_ms != 0 && s->ends_ms + AM_RESOLVED_MS < now_ms)
			continue;
		batch[n++] = (struct am_push){ s->labels, s->annotations, s->starts_ms, s->ends_ms != 0 ? s->ends_ms : now_ms + LASTS * interval_ms };
		if (n == BATCH) {
			post(a, batch, n);
			n = 0;
		}
	}
	if (n > 0)
		post(a, batch, n);
}
