/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/notify_message.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/fingerprint.h"
#include "base/arena.h"
#include "base/json.h"

enum { TEXT_MAX = 1 << 20 };
#define TIME_MAX_MS (INT64_C(1) << 52)

static const char *const events[] = { [NOTIFY_FIRING] = "firing", [NOTIFY_RESOLVED] = "resolved", [NOTIFY_ACKNOWLEDGED] = "acknowledged" };
static const char *const statuses[] = { [NOTIFY_ALERT_FIRING] = "firing", [NOTIFY_ALERT_FLAPPING] = "flapping", [NOTIFY_ALERT_RESOLVED] = "resolved" };

const char *notify_event_name(enum notify_event e) { return events[e]; }
const char *notify_status_name(enum notify_status s) { return statuses[s]; }

const char *notify_severity_name(enum severity s)
{
	return s >= SEVERITY_CRIT ? "critical" : s == SEVERITY_WARN ? "warning" : "info";
}

/* ---- writing ---- */

enum err notify_put_labels(struct buf *to, const struct labels *l)
{
	buf_putc(to, '{');
	for (size_t i = 0; l != NULL && i < labels_count(l); i++) {
		const struct label *one = labels_at(l, i);
		if (i > 0)
			buf_putc(to, ',');
		json_put_string(to, one->name, one->name_len);
		buf_putc(to, ':');
		json_put_string(to, one->value, one->value_len);
	}
	return buf_putc(to, '}');
}

static void put_text(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, ",\"%s\":", key);
	json_put_string(to, text, strlen(text));
}

static void put_alert(struct buf *to, const struct notify_alert *a)
{
	char hex[FINGERPRINT_TEXT];
	buf_printf(to, "{\"id\":%" PRId64 ",\"fingerprint\":\"%s\",\"status\":\"%s\",\"severity\":%d,\"starts_ms\":%" PRId64 ",\"ends_ms\":%" PRId64,
	           a->id, fingerprint_print(a->fingerprint, hex), statuses[a->status], (int)a->severity, a->starts_ms, a->ends_ms);
	buf_puts(to, ",\"labels\":");
	notify_put_labels(to, a->labels);
	buf_puts(to, ",\"annotations\":");
	notify_put_labels(to, a->annotations);
	buf_putc(to, '}');
}

enum err notify_message_print(const struct notify_message *m, struct buf *to)
{
	char hex[FINGERPRINT_TEXT];
	buf_printf(to, "{\"event\":\"%s\",\"repeat\":%s", events[m->event], m->is_repeat ? "true" : "false");
	put_text(to, "group_key", m->group_key);
	buf_puts(to, ",\"group_labels\":");
	notify_put_labels(to, m->group_labels);
	buf_printf(to, ",\"severity\":%d,\"told_ms\":%" PRId64 ",\"acked_ms\":%" PRId64, (int)m->severity, m->told_ms, m->acked_ms);
	put_text(to, "acked_by", m->acked_by);
	put_text(to, "ack_comment", m->ack_comment);
	buf_printf(to, ",\"truncated\":%zu,\"alerts\":[", m->truncated);
	for (size_t i = 0; i < m->n; i++) {
		if (i > 0)
			buf_putc(to, ',');
		put_alert(to, &m->alerts[i]);
	}
	buf_puts(to, "],\"known\":[");
	for (size_t i = 0; i < m->n_known; i++) {
		const struct notify_known *k = &m->known[i];
		buf_printf(to, "%s{\"fingerprint\":\"%s\",\"status\":\"%s\",\"severity\":%d,\"starts_ms\":%" PRId64 "}", i > 0 ? "," : "",
		           fingerprint_print(k->fingerprint, hex), statuses[k->status], (int)k->severity, k->starts_ms);
	}
	return buf_puts(to, "]}");
}

/* ---- reading ---- */

struct parsed {
	struct notify_message m;
	struct arena          arena;
	struct notify_alert  *alerts; /* m.alerts */
	struct labels       **owned;  /* all label sets, n_owned */
	size_t                n_owned;
};

void notify_message_free(struct notify_message *m)
{
	struct parsed *p = (struct parsed *)(void *)m;
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_owned; i++)
		labels_unref(p->owned[i]);
	arena_release(&p->arena);
	free(p);
}

static enum err get_choice(const cJSON *o, const char *key, const char *const *words, size_t n, int *out, struct why *why)
{
	const char *text;
	enum err e = json_get_string(o, key, 32, &text, why);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = (int)i;
			return ERR_OK;
		}
	}
	return e != ERR_OK ? e : why_set(why, ERR_FORMAT, "'%s' is '%.40s'", key, text);
}

static enum err get_severity(const cJSON *o, enum severity *out, struct why *why)
{
	int64_t i;
	enum err e = json_get_i64(o, "severity", SEVERITY_OK, SEVERITY_COUNT - 1, &i, why);
	if (e == ERR_OK)
		*out = (enum severity)i;
	return e;
}

static enum err get_fingerprint(const cJSON *o, uint64_t *out, struct why *why)
{
	const char *text;
	enum err e = json_get_string(o, "fingerprint", FINGERPRINT_TEXT - 1, &text, why);
	if (e != ERR_OK)
		return e;
	if (strlen(text) != FINGERPRINT_TEXT - 1 || strspn(text, "0123456789abcdef") != FINGERPRINT_TEXT - 1)
		return why_set(why, ERR_FORMAT, "'%s' is no fingerprint", text);
	*out = strtoull(text, NULL, 16);
	return ERR_OK;
}

static enum err get_labels(const cJSON *o, const char *key, struct parsed *p, const struct labels **out, struct why *why)
{
	struct labels *made;
	enum err e = json_get_labels(o, key, &made, why);
	if (e == ERR_OK)
		*out = p->owned[p->n_owned++] = made;
	return e;
}

static enum err get_alert(const cJSON *o, struct parsed *p, struct notify_alert *a, struct why *why)
{
	int status = 0;
	enum err e = json_get_i64(o, "id", 0, TIME_MAX_MS, &a->id, why);
	if (e == ERR_OK)
		e = get_fingerprint(o, &a->fingerprint, why);
	if (e == ERR_OK)
		e = get_choice(o, "status", statuses, NOTIFY_STATUS_COUNT, &status, why);
	if (e == ERR_OK)
		e = get_severity(o, &a->severity, why);
	if (e == ERR_OK)
		e = json_get_i64(o, "starts_ms", 0, TIME_MAX_MS, &a->starts_ms, why);
	if (e == ERR_OK)
		e = json_get_i64(o, "ends_ms", 0, TIME_MAX_MS, &a->ends_ms, why);
	if (e == ERR_OK)
		e = get_labels(o, "labels", p, &a->labels, why);
	if (e == ERR_OK)
		e = get_labels(o, "annotations", p, &a->annotations, why);
	a->status = (enum notify_status)status;
	return e;
}

static enum err get_alerts(const cJSON *o, struct parsed *p, struct why *why)
{
	const cJSON *list;
	enum err e = json_get_array(o, "alerts", NOTIFY_ALERTS_MAX, &list, why);
	if (e != ERR_OK)
		return e;
	p->alerts = arena_zeroed(&p->arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof *p->alerts);
	if (p->alerts == NULL)
		return why_memory(why);
	p->m.alerts = p->alerts;
	for (const cJSON *one = list->child; one != NULL && e == ERR_OK; one = one->next)
		e = get_alert(one, p, &p->alerts[p->m.n++], why);
	return e;
}

static enum err get_known(const cJSON *o, struct parsed *p, struct why *why)
{
	const cJSON *list;
	enum err e = json_get_array(o, "known", NOTIFY_KNOWN_MAX, &list, why);
	if (e != ERR_OK)
		return e;
	struct notify_known *known = arena_zeroed(&p->arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof *known);
	if (known == NULL)
		return why_memory(why);
	p->m.known = known;
	for (const cJSON *one = list->child; one != NULL && e == ERR_OK; one = one->next) {
		struct notify_known *k = &known[p->m.n_known++];
		int status = 0;
		e = get_fingerprint(one, &k->fingerprint, why);
		if (e == ERR_OK)
			e = get_choice(one, "status", statuses, NOTIFY_STATUS_COUNT, &status, why);
		if (e == ERR_OK)
			e = get_severity(one, &k->severity, why);
		if (e == ERR_OK)
			e = json_get_i64(one, "starts_ms", 0, TIME_MAX_MS, &k->starts_ms, why);
		k->status = (enum notify_status)status;
	}
	return e;
}

static enum err get_text(const cJSON *o, const char *key, struct parsed *p, const char **out, struct why *why)
{
	const char *text;
	enum err e = json_get_string(o, key, TEXT_MAX, &text, why);
	if (e == ERR_OK && (*out = arena_text(&p->arena, text)) == NULL)
		return why_memory(why);
	return e;
}

static enum err get_message(const cJSON *o, struct parsed *p, struct why *why)
{
	struct notify_message *m = &p->m;
	int event = 0;
	int64_t truncated = 0;
	enum err e = get_choice(o, "event", events, NOTIFY_EVENT_COUNT, &event, why);
	m->event = (enum notify_event)event;
	if (e == ERR_OK)
		e = json_get_bool(o, "repeat", &m->is_repeat, why);
	if (e == ERR_OK)
		e = get_text(o, "group_key", p, &m->group_key, why);
	if (e == ERR_OK)
		e = get_labels(o, "group_labels", p, &m->group_labels, why);
	if (e == ERR_OK)
		e = get_severity(o, &m->severity, why);
	if (e == ERR_OK)
		e = json_get_i64(o, "told_ms", 0, TIME_MAX_MS, &m->told_ms, why);
	if (e == ERR_OK)
		e = json_get_i64(o, "acked_ms", 0, TIME_MAX_MS, &m->acked_ms, why);
	if (e == ERR_OK)
		e = get_text(o, "acked_by", p, &m->acked_by, why);
	if (e == ERR_OK)
		e = get_text(o, "ack_comment", p, &m->ack_comment, why);
	if (e == ERR_OK)
		e = json_get_i64(o, "truncated", 0, NOTIFY_KNOWN_MAX, &truncated, why);
	m->truncated = (size_t)truncated;
	if (e == ERR_OK)
		e = get_alerts(o, p, why);
	if (e == ERR_OK)
		e = get_known(o, p, why);
	return e;
}

enum err notify_message_parse(const char *body, size_t n, struct notify_message **out, struct why *why)
{
	static const struct json_limits limits = { .bytes = NOTIFY_BODY_MAX, .depth = 8, .values = 1000000 };
	cJSON *tree = NULL;
	enum err e = json_parse(body, n, &limits, &tree, why);
	if (e != ERR_OK)
		return e;
	struct parsed *p = calloc(1, sizeof *p);
	if (p == NULL) {
		cJSON_Delete(tree);
		return why_memory(why);
	}
	arena_init(&p->arena);
	p->owned = arena_zeroed(&p->arena, 2 * NOTIFY_ALERTS_MAX + 1, sizeof *p->owned);
	e = p->owned != NULL ? get_message(tree, p, why) : why_memory(why);
	cJSON_Delete(tree);
	if (e != ERR_OK)
		notify_message_free(&p->m);
	else
		*out = &p->m;
	return e;
}
