/* SPDX-License-Identifier: Apache-2.0
 *
 * What each kind of receiver makes of a message; the webhook's against what a real Alertmanager posted. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "alerts/fingerprint.h"
#include "alerts/notify_kind.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/slurp.h"
#include "base/text.h"

#define NOW_MS INT64_C(1795446099000) /* 2026-11-23T15:01:39Z */

static const char *const to[] = { "a@example.com", "b@example.com" };
static const struct fleet_receiver mail = { .name = "mail", .kind = RECEIVER_EMAIL, .url = "smtp://m", .from = "pitwall@example.com", .to = to, .n_to = 2 };
static const struct fleet_receiver hook = { .name = "ml", .kind = RECEIVER_WEBHOOK, .url = "http://h" };
static const struct fleet_receiver pager = { .name = "pd", .kind = RECEIVER_PAGERDUTY, .url = "http://p" };

/* Valid UTF-8 of at most `max` characters. */
static bool text_is_utf8_of_at_most(const char *text, size_t max)
{
	const char *p = text, *end = text + strlen(text);
	size_t n = 0;
	for (; p < end; n++)
		text_decode(&p, end, NULL);
	return text_is_utf8(text, strlen(text)) && n <= max;
}

struct telling {
	struct notify_message m;
	struct notify_alert   alerts[4];
	struct labels        *sets[9];
};

/* The two alerts of the sample. */
static void make(struct telling *c)
{
	*c = (struct telling){ 0 };
	c->sets[0] = labels_of("alertname", "HighTTFT", "service", "llama-8b", NULL);
	c->sets[1] = labels_of("alertname", "HighTTFT", "replica", "r1", "service", "llama-8b", "severity", "page", "team", "ml", NULL);
	c->sets[2] = labels_of("alertname", "HighTTFT", "replica", "r2", "service", "llama-8b", "severity", "page", "team", "ml", NULL);
	c->sets[3] = labels_of("runbook_url", "https://runbooks.example/ttft", "summary", "TTFT p95 4.2s > 2s", NULL);
	c->sets[4] = labels_of("summary", "TTFT p95 3.9s > 2s", NULL);
	for (int i = 0; i < 2; i++)
		c->alerts[i] = (struct notify_alert){ .id = i + 1, .fingerprint = alert_fingerprint(c->sets[1 + i]), .status = NOTIFY_ALERT_FIRING,
			                              .severity = SEVERITY_CRIT, .starts_ms = NOW_MS, .labels = c->sets[1 + i], .annotations = c->sets[3 + i] };
	c->m = (struct notify_message){ .event = NOTIFY_FIRING, .group_key = "{alertname=\"HighTTFT\",service=\"llama-8b\"}", .group_labels = c->sets[0],
		                        .severity = SEVERITY_CRIT, .told_ms = NOW_MS + 30000, .acked_by = "", .ack_comment = "", .alerts = c->alerts, .n = 2 };
}

static void release(struct telling *c)
{
	for (size_t i = 0; i < sizeof c->sets / sizeof *c->sets; i++)
		labels_unref(c->sets[i]);
}

/* What the kind prints; lent until the next call. */
static const char *printed(const struct notify_message *m, const struct fleet_receiver *r, const char *secret)
{
	static struct buf b;
	struct notify_context c = { .receiver = r, .external_url = "http://pw.example", .host = "jump", .fleet = "shop", .version = "0", .secret = secret,
		                    .row_id = 7, .created_ms = NOW_MS + 30000 };
	struct why why = { "" };
	buf_release(&b);
	buf_init(&b, 16 << 20);
	if (notify_kind_of(r->kind)->print(m, &c, &b, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return buf_text(&b);
}

static void test_webhook(void **state)
{
	struct telling c;
	(void)state;
	make(&c);
	assert_string_equal(printed(&c.m, &hook, ""),
		"{\"receiver\":\"ml\",\"status\":\"firing\",\"alerts\":["
		"{\"status\":\"firing\",\"labels\":{\"alertname\":\"HighTTFT\",\"replica\":\"r1\",\"service\":\"llama-8b\",\"severity\":\"page\",\"team\":\"ml\"},"
		"\"annotations\":{\"runbook_url\":\"https://runbooks.example/ttft\",\"summary\":\"TTFT p95 4.2s > 2s\"},\"startsAt\":\"2026-11-23T15:01:39Z\","
		"\"endsAt\":\"0001-01-01T00:00:00Z\",\"generatorURL\":\"http://pw.example\",\"fingerprint\":\"7a5e0fd6182e4ef2\"},"
		"{\"status\":\"firing\",\"labels\":{\"alertname\":\"HighTTFT\",\"replica\":\"r2\",\"service\":\"llama-8b\",\"severity\":\"page\",\"team\":\"ml\"},"
		"\"annotations\":{\"summary\":\"TTFT p95 3.9s > 2s\"},\"startsAt\":\"2026-11-23T15:01:39Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
		"\"generatorURL\":\"http://pw.example\",\"fingerprint\":\"60d743edabe69ea7\"}],"
		"\"groupLabels\":{\"alertname\":\"HighTTFT\",\"service\":\"llama-8b\"},"
		"\"commonLabels\":{\"alertname\":\"HighTTFT\",\"service\":\"llama-8b\",\"severity\":\"page\",\"team\":\"ml\"},\"commonAnnotations\":{},"
		"\"externalURL\":\"http://pw.example\",\"version\":\"4\",\"groupKey\":\"{}:{alertname=\\\"HighTTFT\\\", service=\\\"llama-8b\\\"}\","
		"\"truncatedAlerts\":0}");
	c.m.event = NOTIFY_RESOLVED;
	c.m.n = 1;
	c.m.truncated = 5;
	c.alerts[0].status = NOTIFY_ALERT_RESOLVED;
	c.alerts[0].ends_ms = NOW_MS + 1500;
	const char *text = printed(&c.m, &hook, "");
	assert_non_null(strstr(text, "\"status\":\"resolved\",\"alerts\":[{\"status\":\"resolved\""));
	assert_non_null(strstr(text, "\"endsAt\":\"2026-11-23T15:01:40.500Z\""));
	assert_non_null(strstr(text, "\"truncatedAlerts\":5}"));
	c.alerts[0].status = NOTIFY_ALERT_FLAPPING;
	text = printed(&c.m, &hook, "");
	assert_non_null(strstr(text, "\"annotations\":{\"flapping\":\"flapping: "));
	release(&c);
}

/* The same members of the same types in the same order. */
static void assert_shape(const cJSON *ours, const cJSON *theirs, const char *where)
{
	if ((ours->type & 0xff) != (theirs->type & 0xff))
		fail_msg("%s: another type", where);
	const cJSON *a = ours->child, *b = theirs->child;
	for (; a != NULL && b != NULL && cJSON_IsObject(ours); a = a->next, b = b->next) {
		if (strcmp(a->string, b->string) != 0)
			fail_msg("%s: '%s' where Alertmanager has '%s'", where, a->string, b->string);
		assert_shape(a, b, a->string);
	}
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		assert_shape(a, b, where);
	if (a != NULL || b != NULL)
		fail_msg("%s: %s too %s", where, a != NULL ? a->string : b->string, a != NULL ? "many" : "few");
}

static void test_webhook_sample(void **state)
{
	static const char *const same[] = { "receiver", "status", "groupLabels", "commonLabels", "commonAnnotations", "version", "truncatedAlerts" };
	const char *shared = getenv("PITWALL_SHARED");
	char path[4096];
	struct buf text;
	struct telling c;
	cJSON *theirs = NULL, *ours = NULL;
	(void)state;
	snprintf(path, sizeof path, "%s/samples/ops/alertmanager-live/50-webhook-notifications.ndjson", shared != NULL ? shared : "");
	buf_init(&text, 4 << 20);
	if (shared == NULL || slurp(path, 1 << 20, &text, NULL, NULL) != ERR_OK) {
		print_message("no samples of Alertmanager's webhook are here\n");
		buf_release(&text);
		skip();
		return;
	}
	const char *end = strchr(buf_text(&text), '\n');
	assert_int_equal(json_parse(buf_text(&text), end != NULL ? (size_t)(end - buf_text(&text)) : text.len, NULL, &theirs, NULL), ERR_OK);
	make(&c);
	const char *printed_text = printed(&c.m, &hook, "");
	assert_int_equal(json_parse(printed_text, strlen(printed_text), NULL, &ours, NULL), ERR_OK);
	assert_shape(ours, theirs, "the webhook");
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_row(same[i], cJSON_Compare(cJSON_GetObjectItemCaseSensitive(ours, same[i]), cJSON_GetObjectItemCaseSensitive(theirs, same[i]), 1));
	const cJSON *a = cJSON_GetObjectItemCaseSensitive(ours, "alerts")->child, *b = cJSON_GetObjectItemCaseSensitive(theirs, "alerts")->child;
	for (; a != NULL && b != NULL; a = a->next, b = b->next) {
		assert_true(cJSON_Compare(cJSON_GetObjectItemCaseSensitive(a, "labels"), cJSON_GetObjectItemCaseSensitive(b, "labels"), 1));
		assert_true(cJSON_Compare(cJSON_GetObjectItemCaseSensitive(a, "annotations"), cJSON_GetObjectItemCaseSensitive(b, "annotations"), 1));
		assert_true(cJSON_Compare(cJSON_GetObjectItemCaseSensitive(a, "fingerprint"), cJSON_GetObjectItemCaseSensitive(b, "fingerprint"), 1));
	}
	cJSON_Delete(ours);
	cJSON_Delete(theirs);
	buf_release(&text);
	release(&c);
}

static void test_pagerduty(void **state)
{
	struct telling c;
	cJSON *event = NULL;
	const cJSON *payload;
	const char *s;
	(void)state;
	make(&c);
	const char *text = printed(&c.m, &pager, "0123456789abcdef0123456789abcdef");
	assert_int_equal(json_parse(text, strlen(text), NULL, &event, NULL), ERR_OK);
	assert_int_equal(json_get_string(event, "routing_key", 32, &s, NULL), ERR_OK);
	assert_int_equal(json_get_string(event, "event_action", 32, &s, NULL), ERR_OK);
	assert_string_equal(s, "trigger");
	assert_int_equal(json_get_string(event, "dedup_key", 32, &s, NULL), ERR_OK);
	char key[64];
	snprintf(key, sizeof key, "%s", s);
	assert_int_equal(json_get_object(event, "payload", &payload, NULL), ERR_OK);
	assert_int_equal(json_get_string(payload, "summary", 1024, &s, NULL), ERR_OK);
	assert_string_equal(s, "[FIRING:2] HighTTFT service=llama-8b");
	assert_int_equal(json_get_string(payload, "severity", 16, &s, NULL), ERR_OK);
	assert_string_equal(s, "critical");
	assert_int_equal(json_get_string(payload, "timestamp", 32, &s, NULL), ERR_OK);
	assert_string_equal(s, "2026-11-23T15:01:39Z");
	assert_int_equal(json_get_string(payload, "source", 32, &s, NULL), ERR_OK);
	assert_string_equal(s, "shop");
	assert_non_null(strstr(text, "\"links\":[{\"href\":\"https://runbooks.example/ttft\",\"text\":\"runbook\"}]"));
	cJSON_Delete(event);
	c.m.event = NOTIFY_ACKNOWLEDGED;
	text = printed(&c.m, &pager, "k");
	snprintf(key + 32, sizeof key - 32, "\"}");
	assert_non_null(strstr(text, "\"event_action\":\"acknowledge\",\"dedup_key\":\""));
	assert_string_equal(text + strlen(text) - strlen(key), key); /* the same, and nothing behind it */
	c.m.event = NOTIFY_RESOLVED;
	assert_non_null(strstr(printed(&c.m, &pager, "k"), "\"event_action\":\"resolve\""));
	release(&c);
}

/* However much there is to say, an event has no more than PagerDuty takes. */
static void test_pagerduty_lengths(void **state)
{
	enum { MANY = 100, LONG = 200 * 1000 };
	struct telling c;
	struct notify_alert alerts[MANY];
	cJSON *event = NULL;
	const cJSON *payload;
	const char *s;
	char *big = malloc(LONG + 1);
	(void)state;
	for (int i = 0; i < LONG; i += 2)
		memcpy(big + i, "\xc3\xa4", 2);
	big[LONG] = '\0';
	make(&c);
	c.sets[5] = labels_of("alertname", "X", "node", big, "model", big, NULL);
	c.sets[6] = labels_of("summary", big, NULL);
	c.m.group_labels = c.sets[5];
	for (int i = 0; i < MANY; i++) {
		alerts[i] = c.alerts[0];
		alerts[i].labels = c.sets[5];
		alerts[i].annotations = c.sets[6];
	}
	c.m.alerts = alerts;
	c.m.n = MANY;
	const char *text = printed(&c.m, &pager, "k");
	assert_true(strlen(text) <= 512 * 1000);
	assert_int_equal(json_parse(text, strlen(text), NULL, &event, NULL), ERR_OK);
	assert_int_equal(json_get_object(event, "payload", &payload, NULL), ERR_OK);
	assert_int_equal(json_get_string(payload, "summary", 4096, &s, NULL), ERR_OK);
	assert_true(text_is_utf8_of_at_most(s, 1024));
	assert_int_equal(json_get_string(payload, "source", 1024, &s, NULL), ERR_OK);
	assert_true(text_is_utf8_of_at_most(s, 255));
	cJSON_Delete(event);
	release(&c);
	free(big);
}

static void test_no_key(void **state)
{
	struct telling c;
	struct buf b;
	struct why why = { "" };
	struct notify_context x = { .receiver = &pager, .external_url = "", .host = "", .fleet = "", .version = "", .secret = "" };
	(void)state;
	make(&c);
	buf_init(&b, 1 << 20);
	assert_int_equal(pagerduty_kind.print(&c.m, &x, &b, &why), ERR_FORMAT);
	assert_string_equal(why.text, "the routing key is none: PagerDuty's have 32 characters");
	buf_release(&b);
	release(&c);
}

/* ---- mail ---- */

static void test_mail(void **state)
{
	struct telling c;
	char path[64];
	(void)state;
	make(&c);
	c.m.acked_by = "ann";
	c.m.ack_comment = "on it";
	const char *text = printed(&c.m, &mail, "");
	notify_put_key(&c.m, path);
	assert_non_null(strstr(text, "Date: Mon, 23 Nov 2026 15:02:09 +0000\r\nFrom: pitwall <pitwall@example.com>\r\n"
	                             "To: <a@example.com>,\r\n <b@example.com>\r\nSubject: [FIRING:2] HighTTFT service=llama-8b\r\n"));
	assert_non_null(strstr(text, path));
	assert_non_null(strstr(text, "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr(text, "\r\nacknowledged by ann: on it\r\n"));
	assert_non_null(strstr(text, "\r\n  replica: r2\r\n"));
	assert_non_null(strstr(text, "\r\n  - summary: TTFT p95 4.2s > 2s\r\n"));
	release(&c);
}

/* Lines end in CR LF, none is longer than what may be, and the header has the names it should have and no others. */
static void assert_well_formed(const char *label, const char *text)
{
	static const char *const names[] = { "Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Importance", "Auto-Submitted",
		                             "MIME-Version", "Content-Type", "Content-Transfer-Encoding" };
	bool in_header = true;
	for (const char *line = text; *line != '\0';) {
		const char *end = strchr(line, '\n');
		assert_row(label, end != NULL && end > line && end[-1] == '\r');
		size_t n = (size_t)(end - line) - 1;
		assert_row(label, n <= (in_header ? 998 : 76) && memchr(line, '\r', n) == NULL);
		for (size_t i = 0; i < n; i++)
			assert_row(label, (unsigned char)line[i] >= 0x20 && (unsigned char)line[i] < 0x7f);
		if (n == 0)
			in_header = false;
		bool is_known = !in_header || line[0] == ' ';
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			is_known = is_known || (strncmp(line, names[i], strlen(names[i])) == 0 && line[strlen(names[i])] == ':');
		assert_row(label, is_known);
		line = end + 1;
	}
	assert_row(label, !in_header);
}

/* The subject, its encoded words decoded; lent. */
static const char *subject_of(const char *text)
{
	static char out[8192];
	struct buf b;
	const char *p = strstr(text, "\r\nSubject: ") + 11;
	buf_init(&b, sizeof out - 1);
	for (;;) {
		const char *end = strstr(p, "\r\n");
		if (strncmp(p, "=?UTF-8?B?", 10) == 0) {
			assert_true(end - p <= 75);
			assert_memory_equal(end - 2, "?=", 2);
			char word[80];
			snprintf(word, sizeof word, "%.*s", (int)(end - 2 - (p + 10)), p + 10);
			struct buf one;
			buf_init(&one, 128);
			assert_int_equal(base64_decode(&one, word, strlen(word)), ERR_OK);
			assert_true(text_is_utf8_of_at_most(buf_text(&one), 64)); /* whole characters */
			buf_put(&b, one.data, one.len);
			buf_release(&one);
		} else {
			buf_put(&b, p, (size_t)(end - p));
		}
		if (end[2] != ' ')
			break;
		p = end + 3;
	}
	snprintf(out, sizeof out, "%s", buf_text(&b));
	buf_release(&b);
	return out;
}

static void test_mail_hostile(void **state)
{
	static const struct {
		const char *label, *value, *subject; /* the group's label model; NULL: whatever */
	} rows[] = {
		{ "plain", "m", "[FIRING:1] X model=m" },
		{ "a header put in", "m\r\nBcc: victim@example.com", "[FIRING:1] X model=m\xe2\x90\x8d\xe2\x90\x8a" "Bcc: victim@example.com" },
		{ "a body put in", "m\r\n\r\nHello", NULL },
		{ "a bare CR", "m\rX: y", NULL },
		{ "an encoded word", "=?UTF-8?B?QUJD?=", "[FIRING:1] X model==?UTF-8?B?QUJD?=" },
		{ "umlauts and a rocket", "gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x9a\x80", "[FIRING:1] X model=gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x9a\x80" },
		{ "what is no UTF-8", "\xff\xfe", NULL },
		{ "dots, as SMTP ends a message", "\n.\n.\n", NULL },
		{ "long", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", NULL },
		{ "long and not ASCII", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct telling c;
		make(&c);
		c.sets[5] = labels_of("alertname", "X", "model", rows[i].value, NULL);
		c.sets[6] = labels_of("a\r\nname", rows[i].value, "description", rows[i].value, NULL);
		c.m.group_labels = c.sets[5];
		c.m.ack_comment = c.m.acked_by = rows[i].value;
		c.m.n = 1;
		c.alerts[0].labels = c.sets[5];
		c.alerts[0].annotations = c.sets[6];
		const char *text = printed(&c.m, &mail, "");
		assert_well_formed(rows[i].label, text);
		if (rows[i].subject != NULL && strcmp(subject_of(text), rows[i].subject) != 0)
			fail_msg("%s: the subject is \"%s\"", rows[i].label, subject_of(text));
		subject_of(text);
		release(&c);
	}
}

static void test_chars(void **state)
{
	static const struct {
		const char *label, *in;
		size_t      max;
		const char *want;
	} rows[] = {
		{ "short", "abc", 5, "abc" },
		{ "just", "abcde", 5, "abcde" },
		{ "long", "abcdef", 5, "abcd\xe2\x80\xa6" },
		{ "by characters", "\xc3\xa4\xc3\xa4\xc3\xa4", 3, "\xc3\xa4\xc3\xa4\xc3\xa4" },
		{ "bad bytes", "a\xff" "b", 2, "ab" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b;
		buf_init(&b, 64);
		notify_put_chars(&b, rows[i].in, strlen(rows[i].in), rows[i].max);
		if (strcmp(buf_text(&b), rows[i].want) != 0)
			fail_msg("%s: \"%s\"", rows[i].label, buf_text(&b));
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_webhook), cmocka_unit_test(test_webhook_sample), cmocka_unit_test(test_pagerduty), cmocka_unit_test(test_pagerduty_lengths),
		cmocka_unit_test(test_no_key),  cmocka_unit_test(test_mail),           cmocka_unit_test(test_mail_hostile), cmocka_unit_test(test_chars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
