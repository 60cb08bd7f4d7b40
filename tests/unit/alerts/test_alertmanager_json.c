/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "alerts/alertmanager_json.h"
#include "alerts/alertmanager_mirror.h"
#include "alerts/fingerprint.h"
#include "base/slurp.h"

#define NOW_MS INT64_C(1795446099000) /* 2026-11-23T15:01:39Z */

#define ALERT(status)                                                                                                                              \
	"{\"annotations\":{\"summary\":\"hot\"},\"endsAt\":\"2026-11-23T15:06:39.112Z\",\"fingerprint\":\"055dc798e8dec832\",\"receivers\":[{\"name\":\"x\"}],"   \
	"\"startsAt\":\"2026-11-23T15:01:39.112Z\",\"status\":" status ",\"updatedAt\":\"2026-11-23T15:01:39.112Z\","                                   \
	"\"labels\":{\"alertname\":\"NodeDown\",\"node\":\"gpu-7\",\"severity\":\"page\"}}"
#define ACTIVE "{\"inhibitedBy\":[],\"silencedBy\":[\"a-1\"],\"state\":\"suppressed\"}"
#define SILENCE(matchers)                                                                                                                          \
	"{\"id\":\"030a9251-bafa-4f26-9be5-8f8f14b5f727\",\"status\":{\"state\":\"active\"},\"updatedAt\":\"2026-11-23T15:01:42.234Z\","                  \
	"\"comment\":\"ACK!  looking into it\",\"createdBy\":\"alice\",\"endsAt\":\"2026-11-23T15:16:42.000Z\",\"matchers\":" matchers ","                 \
	"\"startsAt\":\"2026-11-23T15:01:42.234Z\"}"

static void test_alerts(void **state)
{
	struct am_alerts a;
	struct why why = { "" };
	static const char text[] = "[" ALERT(ACTIVE) "]";
	(void)state;
	assert_int_equal(am_alerts_parse(text, sizeof text - 1, &a, &why), ERR_OK);
	assert_int_equal(a.n, 1);
	assert_true(a.items[0].fingerprint == UINT64_C(0x055dc798e8dec832));
	assert_int_equal(a.items[0].starts_ms, NOW_MS + 112);
	assert_int_equal(a.items[0].ends_ms, NOW_MS + 300112);
	assert_int_equal(a.items[0].state, AM_SUPPRESSED);
	assert_int_equal(a.items[0].n_silenced_by, 1);
	assert_string_equal(a.items[0].silenced_by[0], "a-1");
	assert_string_equal(labels_get(a.items[0].annotations, "summary"), "hot");
	am_alerts_release(&a);
}

static void test_silences(void **state)
{
	struct am_silences s;
	struct why why = { "" };
	static const char text[] = "[" SILENCE("[{\"isEqual\":true,\"isRegex\":false,\"name\":\"alertname\",\"value\":\"X\"},"
	                                       "{\"isRegex\":true,\"name\":\"node\",\"value\":\"gpu-.*\"}]") "," SILENCE(
		"[{\"isRegex\":true,\"isEqual\":true,\"name\":\"a\",\"value\":\"(\"}]") "]";
	(void)state;
	assert_int_equal(am_silences_parse(text, sizeof text - 1, &s, &why), ERR_OK);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.n_odd, 1); /* a matcher that is no regular expression costs its silence alone */
	assert_int_equal(s.items[0].matchers.n, 2);
	assert_int_equal(s.items[0].matchers.items[1].kind, MATCH_REGEX);
	assert_int_equal(s.items[0].state, AM_SILENCE_ACTIVE);
	assert_int_equal(s.items[0].starts_ms, NOW_MS + 3234);
	assert_true(am_silence_is_ack(&s.items[0]));
	assert_string_equal(am_ack_comment(&s.items[0]), "looking into it");
	assert_string_equal(s.items[0].created_by, "alice");
	am_silences_release(&s);
}

static void test_hostile(void **state)
{
	static const struct {
		const char *label, *alerts, *silences; /* NULL: not tried */
		const char *want; /* in the sentence */
	} rows[] = {
		{ "nothing", "", "", "" },
		{ "no list", "{}", "{}", "the answer is no list" },
		{ "no JSON", "becaus", "<html>", "" },
		{ "a list of numbers", "[1]", "[1]", "1: " },
		{ "labels of numbers", "[{\"labels\":{\"a\":1}}]", NULL, "alert 1: 'labels' holds what is no text" },
		{ "an empty label name", "[{\"labels\":{\"\":\"a\"}}]", NULL, "alert 1: " },
		{ "a label twice", "[{\"labels\":{\"a\":\"1\",\"a\":\"2\"},\"annotations\":3}]", NULL, "alert 1: " },
		{ "no status", "[" ALERT("{}") "]", NULL, "alert 1: " },
		{ "an unknown state", "[" ALERT("{\"inhibitedBy\":[],\"silencedBy\":[],\"state\":\"\\u001b[31m\"}") "]", NULL, "alert 1: 'state' is none" },
		{ "a receiver that is no object", "[" ALERT(ACTIVE) ",{\"labels\":{},\"annotations\":{},\"startsAt\":\"2026-11-24T00:00:00Z\",\"endsAt\":\"2026-11-24T00:00:00Z\","
		  "\"status\":{\"inhibitedBy\":[],\"silencedBy\":[],\"state\":\"active\"},\"receivers\":[7]}]", NULL, "alert 2: " },
		{ "silenced by a number", "[" ALERT("{\"inhibitedBy\":[],\"silencedBy\":[7],\"state\":\"active\"}") "]", NULL, "alert 1: 'silencedBy' holds" },
		{ "an id with a path in it", NULL, "[{\"id\":\"../../x\"}]", "silence 1: 'id' is no id" },
		{ "an empty id", NULL, "[{\"id\":\"\"}]", "silence 1: 'id' is no id" },
		{ "a long id", NULL, "[{\"id\":\"00000000000000000000000000000000000000000000000000000000000000000000000000000000\"}]", "silence 1: " },
		{ "a time that is none", NULL,
		  "[{\"id\":\"a\",\"status\":{\"state\":\"active\"},\"startsAt\":\"now\",\"endsAt\":\"now\"}]", "silence 1: 'startsAt' is no time" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct am_alerts a;
		struct am_silences s;
		struct why why = { "" };
		if (rows[i].alerts != NULL)
			assert_row(rows[i].label, am_alerts_parse(rows[i].alerts, strlen(rows[i].alerts), &a, &why) != ERR_OK && strstr(why.text, rows[i].want) != NULL);
		why.text[0] = '\0';
		if (rows[i].silences != NULL)
			assert_row(rows[i].label, am_silences_parse(rows[i].silences, strlen(rows[i].silences), &s, &why) != ERR_OK && strstr(why.text, rows[i].want) != NULL);
	}
}

static void test_ids(void **state)
{
	char id[AM_ID_MAX + 1] = "";
	(void)state;
	assert_int_equal(am_silence_id_parse("{\"silenceID\":\"ab-12\"}", 21, id, NULL), ERR_OK);
	assert_string_equal(id, "ab-12");
	assert_int_equal(am_silence_id_parse("{\"silenceID\":\"ab/12\"}", 21, id, NULL), ERR_FORMAT);
	assert_true(am_is_id("0b264157-d70a-443b-bd04-69c891434ae3"));
	assert_false(am_is_id("") || am_is_id("x") || am_is_id("a b") || am_is_id("a/../b"));
}

static void test_what_is_told(void **state)
{
	struct buf b;
	struct matcher_set m;
	struct labels *l = labels_of("alertname", "X \"quoted\"", "node", "a", NULL);
	struct am_push push = { l, NULL, NOW_MS, NOW_MS + 60000 };
	struct am_silence_put put = { .id = "", .matchers = &m, .starts_ms = NOW_MS, .ends_ms = NOW_MS + 1500, .created_by = "ann", .comment = "ACK! \"x\"" };
	(void)state;
	buf_init(&b, 4096);
	matcher_set_init(&m);
	assert_int_equal(am_put_alerts(&b, &push, 1, ""), ERR_OK);
	assert_string_equal(buf_text(&b), "[{\"labels\":{\"alertname\":\"X \\\"quoted\\\"\",\"node\":\"a\"},\"annotations\":{},\"startsAt\":\"2026-11-23T15:01:39Z\","
	                                  "\"endsAt\":\"2026-11-23T15:02:39Z\"}]");
	buf_clear(&b);
	assert_int_equal(matcher_set_parse(&m, "node!~\"a|b\"", NULL), ERR_OK);
	assert_int_equal(am_put_silence(&b, &put), ERR_OK);
	assert_string_equal(buf_text(&b), "{\"matchers\":[{\"name\":\"node\",\"value\":\"a|b\",\"isRegex\":true,\"isEqual\":false}],\"startsAt\":\"2026-11-23T15:01:39Z\","
	                                  "\"endsAt\":\"2026-11-23T15:01:40.500Z\",\"createdBy\":\"ann\",\"comment\":\"ACK! \\\"x\\\"\"}");
	matcher_set_release(&m);
	buf_release(&b);
	labels_unref(l);
}

/* Answers of a real one. */
static void test_samples(void **state)
{
	static const char *const names[] = { "11-get-alerts", "22-get-alerts-silenced", "41-get-alerts-after-resolve", "21-get-silences", "25-get-silences-after-edit" };
	const char *shared = getenv("PITWALL_SHARED");
	struct buf text;
	(void)state;
	if (shared == NULL) {
		print_message("no samples of Alertmanager's answers are here\n");
		skip();
		return;
	}
	buf_init(&text, 2 << 20);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[4096];
		struct am_alerts a = { 0 };
		struct am_silences s = { 0 };
		struct why why = { "" };
		bool of_silences = strstr(names[i], "get-silences") != NULL;
		snprintf(path, sizeof path, "%s/samples/ops/alertmanager-live/%s.http", shared, names[i]);
		buf_clear(&text);
		if (slurp(path, 1 << 20, &text, NULL, &why) != ERR_OK)
			fail_msg("%s", why.text);
		const char *body = strstr(buf_text(&text), "\n[");
		assert_row(names[i], body != NULL);
		enum err e = of_silences ? am_silences_parse(body, strlen(body), &s, &why) : am_alerts_parse(body, strlen(body), &a, &why);
		if (e != ERR_OK)
			fail_msg("%s: %s", names[i], why.text);
		assert_row(names[i], (of_silences ? s.n : a.n) > 0 && s.n_odd == 0);
		for (size_t k = 0; k < a.n; k++) {
			char hex[FINGERPRINT_TEXT]; /* ours is what it says */
			assert_row(names[i], strstr(body, fingerprint_print(a.items[k].fingerprint, hex)) != NULL);
		}
		am_alerts_release(&a);
		am_silences_release(&s);
	}
	buf_release(&text);
}

/* ---- the mirror ---- */

enum { SILENCES_MAX = 8 };

static enum err print_step(void *ctx, const struct am_mirror_step *s)
{
	static const char *const acts[] = { [AM_MIRROR_CREATE] = "create", [AM_MIRROR_RENEW] = "renew", [AM_MIRROR_EXPIRE] = "expire" };
	struct buf *to = ctx;
	buf_printf(to, "%s%s", to->len > 0 ? "; " : "", acts[s->act]);
	if (s->act == AM_MIRROR_EXPIRE)
		return buf_printf(to, " %s", s->id);
	if (s->put.id[0] != '\0')
		buf_printf(to, " %s from %lld", s->put.id, (long long)(s->put.starts_ms - NOW_MS) / 1000);
	buf_putc(to, ' ');
	matcher_set_print(s->put.matchers, to);
	return buf_printf(to, " %lld s by %s: %s", (long long)(s->put.ends_ms - NOW_MS) / 1000, s->put.created_by, s->put.comment);
}

static void test_mirror(void **state)
{
	static const struct {
		const char *label;
		const char *acked;    /* letters of alerts that ann has taken on */
		int         until_s;
		const char *comment;
		struct {
			const char *id, *matchers, *who, *comment;
			int         from_s, until_s;
		} silences[SILENCES_MAX];
		const char *want;
	} rows[] = {
		{ "nothing", "", 0, "", { { .id = NULL } }, "" },
		{ "a new one", "a", 0, "on it", { { .id = NULL } }, "create {alertname=\"X\",node=\"a\"} 900 s by ann: ACK! on it [pitwall f]" },
		{ "without a comment", "a", 0, "", { { .id = NULL } }, "create {alertname=\"X\",node=\"a\"} 900 s by ann: ACK! [pitwall f]" },
		{ "until", "a", 60, "", { { .id = NULL } }, "create {alertname=\"X\",node=\"a\"} 60 s by ann: ACK! [pitwall f]" },
		{ "running out", "a", 0, "", { { "s1", "alertname=X,node=a", "ann", "ACK! [pitwall f]", -600, 300 } },
		  "renew s1 from -600 {alertname=\"X\",node=\"a\"} 900 s by ann: ACK! [pitwall f]" },
		{ "lasting", "a", 0, "", { { "s1", "node=a,alertname=X", "ann", "ACK! [pitwall f]", -10, 890 } }, "" },
		{ "lasting to its end", "a", 60, "", { { "s1", "node=a,alertname=X", "ann", "ACK! [pitwall f]", -10, 60 } }, "" },
		{ "of somebody else by now", "a", 0, "", { { "s1", "alertname=X,node=a", "bob", "ACK! [pitwall f]", -10, 890 } },
		  "renew s1 from -10 {alertname=\"X\",node=\"a\"} 900 s by ann: ACK! [pitwall f]" },
		{ "over", "", 0, "", { { "s1", "alertname=X,node=a", "ann", "ACK! [pitwall f]", -10, 890 } }, "expire s1" },
		{ "one of two over", "b", 0, "", { { "s1", "alertname=X,node=a", "ann", "ACK! [pitwall f]", -10, 890 },
		                                  { "s2", "alertname=X,node=b", "ann", "ACK! [pitwall f]", -10, 890 } }, "expire s1" },
		{ "twice", "a", 0, "", { { "s1", "alertname=X,node=a", "ann", "ACK! [pitwall f]", -10, 800 },
		                        { "s2", "alertname=X,node=a", "ann", "ACK! [pitwall f]", -10, 890 } }, "expire s1" },
		{ "broader than an alert", "a", 0, "", { { "s1", "alertname=~\"X|Y\",node=a", "ann", "ACK! [pitwall f]", -10, 890 } },
		  "expire s1; create {alertname=\"X\",node=\"a\"} 900 s by ann: ACK! [pitwall f]" },
		{ "others' silences", "", 0, "", { { "s1", "alertname=X", "karma", "ACK! by karma", -10, 890 }, { "s2", "a=b", "eve", "planned", -1, 9 },
		                                  { "s3", "a=b", "eve", "ACK! [pitwall other]", -1, 9 } }, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct labels *alerts[4];
		const struct labels *lent[4];
		struct am_ack ack = { .who = "ann", .comment = rows[i].comment, .until_ms = rows[i].until_s > 0 ? NOW_MS + 1000 * rows[i].until_s : 0, .alerts = lent };
		struct am_silence items[SILENCES_MAX];
		struct am_silences silences = { .items = items };
		struct buf said;
		struct why why = { "" };
		for (const char *p = rows[i].acked; *p != '\0'; p++) {
			char name[2] = { *p, '\0' };
			alerts[ack.n] = labels_of("alertname", "X", "node", name, NULL);
			lent[ack.n] = alerts[ack.n];
			ack.n++;
		}
		for (size_t k = 0; k < SILENCES_MAX && rows[i].silences[k].id != NULL; k++) {
			items[k] = (struct am_silence){ .id = rows[i].silences[k].id, .created_by = rows[i].silences[k].who, .comment = rows[i].silences[k].comment,
				                        .starts_ms = NOW_MS + 1000 * rows[i].silences[k].from_s, .ends_ms = NOW_MS + 1000 * rows[i].silences[k].until_s };
			matcher_set_init(&items[k].matchers);
			assert_int_equal(matcher_set_parse(&items[k].matchers, rows[i].silences[k].matchers, NULL), ERR_OK);
			silences.n++;
		}
		buf_init(&said, 1 << 16);
		assert_int_equal(am_mirror_plan(&ack, ack.n > 0, &silences, NOW_MS, 900000, "f", print_step, &said, &why), ERR_OK);
		if (strcmp(buf_text(&said), rows[i].want) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].label, buf_text(&said), rows[i].want);
		buf_release(&said);
		for (size_t k = 0; k < ack.n; k++)
			labels_unref(alerts[k]);
		for (size_t k = 0; k < silences.n; k++)
			matcher_set_release(&items[k].matchers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alerts), cmocka_unit_test(test_silences),     cmocka_unit_test(test_hostile), cmocka_unit_test(test_ids),
		cmocka_unit_test(test_what_is_told), cmocka_unit_test(test_samples), cmocka_unit_test(test_mirror),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
