/* SPDX-License-Identifier: Apache-2.0
 *
 * PagerDuty's Events API v2. A group of alerts is one incident: the dedup_key is a hash of the group's key, so that acknowledge and resolve find it.
 * Source: developer.pagerduty.com, "Send an Alert Event": routing_key 32 characters, dedup_key 255, summary 1,024, 512 KB in all. */
#include "alerts/notify_kind.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"

enum { SUMMARY_MAX = 1024, SOURCE_MAX = 255, TEXT_MAX = 1024, EVENT_MAX = 500 * 1000, KEY_MAX = 64 };

static void put_cut(struct buf *to, const char *key, const char *text, size_t max)
{
	struct buf cut;
	buf_init(&cut, 8 * max + 8);
	notify_put_chars(&cut, text, strlen(text), max);
	buf_printf(to, "\"%s\":", key);
	json_put_string(to, buf_text(&cut), cut.len);
	if (cut.err != ERR_OK)
		to->err = cut.err;
	buf_release(&cut);
}

static const char *label_of_all(const struct notify_message *m, const char *name)
{
	const char *value = labels_get(m->group_labels, name);
	for (size_t i = 0; value[0] == '\0' && i < m->n; i++)
		value = labels_get(m->alerts[i].labels, name);
	return value;
}

static void put_time(struct buf *to, const struct notify_message *m)
{
	char time[TIME_TEXT];
	int64_t first_ms = m->told_ms;
	for (size_t i = 0; i < m->n; i++)
		if (m->alerts[i].starts_ms < first_ms)
			first_ms = m->alerts[i].starts_ms;
	buf_printf(to, ",\"timestamp\":\"%s\"", format_time(first_ms, time));
}

/* The first `n` alerts, one line each. */
static void put_details(struct buf *to, const struct notify_message *m, size_t n)
{
	struct buf line;
	buf_init(&line, 1 << 16);
	size_t n_firing = m->n_known;
	for (size_t i = 0; i < m->n; i++)
		n_firing += m->alerts[i].status != NOTIFY_ALERT_RESOLVED;
	buf_printf(to, ",\"custom_details\":{\"num_firing\":%zu,\"alerts\":[", n_firing);
	for (size_t i = 0; i < n; i++) {
		const struct notify_alert *a = &m->alerts[i];
		const char *summary = a->annotations != NULL ? labels_get(a->annotations, "summary") : "";
		buf_clear(&line);
		buf_printf(&line, "%s ", notify_status_name(a->status));
		labels_print(a->labels, &line);
		if (summary[0] != '\0')
			buf_printf(&line, " %s", summary);
		if (i > 0)
			buf_putc(to, ',');
		struct buf cut;
		buf_init(&cut, 8 * TEXT_MAX);
		notify_put_chars(&cut, buf_text(&line), line.len, TEXT_MAX);
		json_put_string(to, buf_text(&cut), cut.len);
		buf_release(&cut);
	}
	buf_printf(to, "],\"not_listed\":%zu}", m->n - n + m->truncated);
	buf_release(&line);
}

static void put_links(struct buf *to, const struct notify_message *m)
{
	const char *runbook = notify_annotation(m, "runbook_url");
	if ((strncmp(runbook, "https://", 8) != 0 && strncmp(runbook, "http://", 7) != 0) || strlen(runbook) > TEXT_MAX)
		return;
	buf_puts(to, ",\"links\":[{\"href\":");
	json_put_string(to, runbook, strlen(runbook));
	buf_puts(to, ",\"text\":\"runbook\"}]");
}

static void put_payload(struct buf *to, const struct notify_message *m, const struct notify_context *c, size_t n)
{
	struct buf title;
	const char *node = label_of_all(m, "node");
	buf_init(&title, 1 << 16);
	notify_put_title(&title, m);
	buf_puts(to, ",\"payload\":{");
	put_cut(to, "summary", buf_text(&title), SUMMARY_MAX);
	buf_putc(to, ',');
	put_cut(to, "source", node[0] != '\0' ? node : c->fleet[0] != '\0' ? c->fleet : c->host, SOURCE_MAX);
	buf_printf(to, ",\"severity\":\"%s\"", notify_severity_name(m->severity));
	put_time(to, m);
	buf_putc(to, ',');
	put_cut(to, "component", label_of_all(m, "model"), SOURCE_MAX);
	buf_putc(to, ',');
	put_cut(to, "group", label_of_all(m, "group"), SOURCE_MAX);
	buf_putc(to, ',');
	put_cut(to, "class", label_of_all(m, "alertname"), SOURCE_MAX);
	put_details(to, m, n);
	buf_putc(to, '}');
	put_links(to, m);
	buf_puts(to, ",\"client\":\"pitwall\"");
	if (c->external_url[0] != '\0') {
		buf_puts(to, ",\"client_url\":");
		json_put_string(to, c->external_url, strlen(c->external_url));
	}
	buf_release(&title);
}

static enum err put_event(struct buf *to, const struct notify_message *m, const struct notify_context *c, size_t n)
{
	static const char *const actions[] = { [NOTIFY_FIRING] = "trigger", [NOTIFY_RESOLVED] = "resolve", [NOTIFY_ACKNOWLEDGED] = "acknowledge" };
	char key[NOTIFY_KEY_TEXT];
	buf_puts(to, "{\"routing_key\":");
	json_put_string(to, c->secret, strlen(c->secret));
	buf_printf(to, ",\"event_action\":\"%s\",\"dedup_key\":\"%s\"", actions[m->event], notify_put_key(m, key));
	if (m->event == NOTIFY_FIRING)
		put_payload(to, m, c, n);
	return buf_putc(to, '}');
}

/* As many alerts as an event may hold. */
static enum err print(const struct notify_message *m, const struct notify_context *c, struct buf *to, struct why *why)
{
	if (strlen(c->secret) > KEY_MAX || c->secret[0] == '\0')
		return why_set(why, ERR_FORMAT, "the routing key is none: PagerDuty's have 32 characters");
	size_t begin = to->len;
	for (size_t n = m->n;; n /= 2) {
		put_event(to, m, c, n);
		if (to->err != ERR_OK)
			return why_set(why, to->err, "the event cannot be made");
		if (to->len - begin <= EVENT_MAX || n == 0)
			return ERR_OK;
		to->len = begin;
	}
}

const struct notify_kind pagerduty_kind = {
	.name = "pagerduty",
	.summary = "PagerDuty's Events API v2: trigger, acknowledge, resolve",
	.way = NOTIFY_BY_HTTP,
	.content_type = "application/json",
	.tells_acks = true,
	.print = print,
};
