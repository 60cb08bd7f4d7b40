/* SPDX-License-Identifier: Apache-2.0
 *
 * Alertmanager's webhook, version 4: whoever has a receiver for it has one for pitwall. A flapping alert is told as firing, with an annotation. */
#include "alerts/notify_kind.h"

#include <string.h>

#include "alerts/fingerprint.h"
#include "base/clock.h"
#include "base/json.h"

static void put_text(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, "\"%s\":", key);
	json_put_string(to, text, strlen(text));
	buf_putc(to, ',');
}

static bool is_common(const struct notify_message *m, const struct label *l, bool of_annotations)
{
	for (size_t i = 1; i < m->n; i++) {
		const struct labels *other = of_annotations ? m->alerts[i].annotations : m->alerts[i].labels;
		const struct label *same = other != NULL ? labels_find(other, l->name) : NULL;
		if (same == NULL || same->value_len != l->value_len || memcmp(same->value, l->value, l->value_len) != 0)
			return false;
	}
	return true;
}

static void put_common(struct buf *to, const char *key, const struct notify_message *m, bool of_annotations)
{
	const struct labels *first = m->n == 0 ? NULL : of_annotations ? m->alerts[0].annotations : m->alerts[0].labels;
	const char *comma = "";
	buf_printf(to, "\"%s\":{", key);
	for (size_t i = 0; first != NULL && i < labels_count(first); i++) {
		const struct label *l = labels_at(first, i);
		if (!is_common(m, l, of_annotations))
			continue;
		buf_puts(to, comma);
		json_put_string(to, l->name, l->name_len);
		buf_putc(to, ':');
		json_put_string(to, l->value, l->value_len);
		comma = ",";
	}
	buf_puts(to, "},");
}

static void put_annotations(struct buf *to, const struct notify_alert *a)
{
	static const char sentence[] = "flapping: the alert changes so often that not each change is told";
	if (a->status != NOTIFY_ALERT_FLAPPING) {
		notify_put_labels(to, a->annotations);
		return;
	}
	buf_puts(to, "{\"flapping\":");
	json_put_string(to, sentence, sizeof sentence - 1);
	for (size_t i = 0; a->annotations != NULL && i < labels_count(a->annotations); i++) {
		const struct label *l = labels_at(a->annotations, i);
		if (strcmp(l->name, "flapping") == 0)
			continue;
		buf_putc(to, ',');
		json_put_string(to, l->name, l->name_len);
		buf_putc(to, ':');
		json_put_string(to, l->value, l->value_len);
	}
	buf_putc(to, '}');
}

static void put_alert(struct buf *to, const struct notify_alert *a, const struct notify_context *c)
{
	char hex[FINGERPRINT_TEXT], time[TIME_TEXT];
	bool is_over = a->status == NOTIFY_ALERT_RESOLVED;
	buf_printf(to, "{\"status\":\"%s\",\"labels\":", is_over ? "resolved" : "firing");
	notify_put_labels(to, a->labels);
	buf_puts(to, ",\"annotations\":");
	put_annotations(to, a);
	buf_printf(to, ",\"startsAt\":\"%s\",", format_time(a->starts_ms, time));
	buf_printf(to, "\"endsAt\":\"%s\",", is_over ? format_time(a->ends_ms, time) : "0001-01-01T00:00:00Z"); /* Go's zero time */
	put_text(to, "generatorURL", c->external_url);
	buf_printf(to, "\"fingerprint\":\"%s\"}", fingerprint_print(a->fingerprint, hex));
}

/* As Go prints a label set: {a="b", c="d"}; the part before it names the route, and there is one here. */
static void put_group_key(struct buf *to, const struct labels *l)
{
	struct buf key;
	buf_init(&key, 1 << 20);
	buf_puts(&key, "{}:{");
	for (size_t i = 0; i < labels_count(l); i++) {
		const struct label *one = labels_at(l, i);
		buf_printf(&key, "%s%s=", i > 0 ? ", " : "", one->name);
		json_put_string(&key, one->value, one->value_len); /* its escapes are Go's, as far as labels go */
	}
	buf_putc(&key, '}');
	buf_puts(to, "\"groupKey\":");
	json_put_string(to, buf_text(&key), key.len);
	if (key.err != ERR_OK)
		to->err = key.err;
	buf_release(&key);
}

enum err notify_put_webhook(struct buf *to, const struct notify_message *m, const struct notify_context *c)
{
	buf_putc(to, '{');
	put_text(to, "receiver", c->receiver->name);
	put_text(to, "status", m->event == NOTIFY_RESOLVED ? "resolved" : "firing");
	buf_puts(to, "\"alerts\":[");
	for (size_t i = 0; i < m->n; i++) {
		if (i > 0)
			buf_putc(to, ',');
		put_alert(to, &m->alerts[i], c);
	}
	buf_puts(to, "],\"groupLabels\":");
	notify_put_labels(to, m->group_labels);
	buf_putc(to, ',');
	put_common(to, "commonLabels", m, false);
	put_common(to, "commonAnnotations", m, true);
	put_text(to, "externalURL", c->external_url);
	put_text(to, "version", "4");
	put_group_key(to, m->group_labels);
	return buf_printf(to, ",\"truncatedAlerts\":%zu}", m->truncated);
}

static enum err print(const struct notify_message *m, const struct notify_context *c, struct buf *to, struct why *why)
{
	enum err e = notify_put_webhook(to, m, c);
	return e == ERR_OK ? e : why_set(why, e, "the message is too long to be posted");
}

const struct notify_kind webhook_kind = {
	.name = "webhook",
	.summary = "POST of Alertmanager's webhook JSON, version 4",
	.way = NOTIFY_BY_HTTP,
	.content_type = "application/json",
	.print = print,
};
