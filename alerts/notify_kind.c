/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/notify_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { TITLE_WIDTH = 200 };

static const struct notify_kind *const kinds[] = {
	[RECEIVER_WEBHOOK] = &webhook_kind, [RECEIVER_COMMAND] = &command_kind, [RECEIVER_EMAIL] = &email_kind, [RECEIVER_PAGERDUTY] = &pagerduty_kind,
};
_Static_assert(sizeof kinds / sizeof *kinds == RECEIVER_KIND_COUNT, "a record for each kind");

const struct notify_kind *notify_kind_of(enum receiver_kind k)
{
	return kinds[k];
}

struct notify_receiver notify_receiver_of(const struct fleet_receiver *r)
{
	static const enum severity severities[] = { [RECEIVER_INFO] = SEVERITY_OK, [RECEIVER_WARNING] = SEVERITY_WARN, [RECEIVER_CRITICAL] = SEVERITY_CRIT };
	return (struct notify_receiver){
		.name = r->name, .match = r->match.items, .n_match = r->match.n, .min_severity = severities[r->min_severity],
		.send_resolved = r->send_resolved, .tells_acks = kinds[r->kind]->tells_acks, .group_wait_ms = r->group_wait_ms,
		.group_interval_ms = r->group_interval_ms, .repeat_interval_ms = r->repeat_interval_ms,
	};
}

const char *notify_put_key(const struct notify_message *m, char to[NOTIFY_KEY_TEXT])
{
	size_t n = strlen(m->group_key);
	snprintf(to, NOTIFY_KEY_TEXT, "%016" PRIx64 "%016" PRIx64, hash64(m->group_key, n, 0), hash64(m->group_key, n, 1));
	return to;
}

const char *notify_annotation(const struct notify_message *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++) {
		const char *text = m->alerts[i].annotations != NULL ? labels_get(m->alerts[i].annotations, name) : "";
		if (text[0] != '\0')
			return text;
	}
	return "";
}

enum err notify_put_chars(struct buf *to, const char *text, size_t n, size_t max)
{
	const char *p = text, *end = text + n;
	size_t count = 0;
	struct buf clean;
	buf_init(&clean, n + 8);
	while (p < end) {
		const char *begin = p;
		bool is_bad;
		text_decode(&p, end, &is_bad);
		if (is_bad)
			continue;
		if (count + 1 == max && p < end) { /* one more, and something behind it: the ellipsis takes its place */
			buf_puts(&clean, "\xe2\x80\xa6");
			break;
		}
		buf_put(&clean, begin, (size_t)(p - begin));
		count++;
	}
	if (clean.err == ERR_OK)
		buf_put(to, buf_text(&clean), clean.len);
	else
		to->err = clean.err;
	buf_release(&clean);
	return to->err;
}

/* What all alerts say, where they say it. */
static const char *common_summary(const struct notify_message *m)
{
	const char *first = m->n > 0 && m->alerts[0].annotations != NULL ? labels_get(m->alerts[0].annotations, "summary") : "";
	for (size_t i = 1; i < m->n; i++)
		if (m->alerts[i].annotations == NULL || strcmp(labels_get(m->alerts[i].annotations, "summary"), first) != 0)
			return "";
	return first;
}

static void put_group(struct buf *to, const struct notify_message *m)
{
	buf_puts(to, labels_get(m->group_labels, "alertname"));
	for (size_t i = 0; i < labels_count(m->group_labels); i++) {
		const struct label *l = labels_at(m->group_labels, i);
		if (strcmp(l->name, "alertname") != 0)
			buf_printf(to, " %s=%s", l->name, l->value);
	}
}

enum err notify_put_title(struct buf *to, const struct notify_message *m)
{
	struct buf all;
	size_t n_firing = m->n_known;
	const char *summary = common_summary(m);
	buf_init(&all, 1 << 20);
	for (size_t i = 0; i < m->n; i++)
		n_firing += m->alerts[i].status != NOTIFY_ALERT_RESOLVED;
	switch (m->event) {
	case NOTIFY_RESOLVED: buf_puts(&all, "[RESOLVED] "); break;
	case NOTIFY_ACKNOWLEDGED: buf_puts(&all, "[ACKNOWLEDGED] "); break;
	case NOTIFY_FIRING:
	case NOTIFY_EVENT_COUNT: buf_printf(&all, "[FIRING:%zu] ", n_firing); break;
	}
	put_group(&all, m);
	if (summary[0] != '\0')
		buf_printf(&all, ": %s", summary);
	text_cut(to, buf_text(&all), all.len, TITLE_WIDTH); /* of what is longer than the ceiling, the beginning */
	buf_release(&all);
	return to->err;
}
