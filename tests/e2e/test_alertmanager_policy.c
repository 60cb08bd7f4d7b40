/* SPDX-License-Identifier: Apache-2.0
 *
 * Silences, matchers and inhibition against a real Alertmanager: it is given the same inhibit rules (the text that our fleet file has too), the same
 * alerts and the same silences, and what it says of each alert is what we say. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <poll.h>
#include <stdbool.h>

#include "alerts/inhibit.h"
#include "alerts/silence.h"
#include "base/clock.h"
#include "base/json.h"
#include "config/fleet.h"
#include "tests/e2e/alertmanager.h"

enum { WAIT_MS = 30000, LOOK_MS = 20, ANSWER_MAX = 16 << 20, PAIRS_MAX = 4, MINUTE_MS = 60000 };

/* As they stand in Alertmanager's file; in ours they stand two columns further in. */
static const char *const rules[] = {
	"inhibit_rules:",
	"- source_matchers: [ scene=\"equal\", alertname=\"Down\" ]",
	"  target_matchers: [ scene=\"equal\", alertname!=\"Down\" ]",
	"  equal: [ node ]",
	"- source_matchers: [ scene=\"missing\", alertname=\"Down\" ]",
	"  target_matchers: [ scene=\"missing\", alertname=\"Slow\" ]",
	"  equal: [ zone ]",
	"- source_matchers: [ scene=\"both\", severity=\"page\" ]",
	"  target_matchers: [ scene=\"both\", alertname=~\".+\" ]",
	"  equal: [ node ]",
	"- source_matchers: [ scene=\"one side\", node=\"a\" ]",
	"  target_matchers: [ scene=\"one side\", alertname=~\"B|C\" ]",
	"  equal: [ node ]",
	"- source_matchers: [ scene=chain, alertname=A ]",
	"  target_matchers: [ scene=chain, alertname=B ]",
	"- source_matchers: [ scene=chain, alertname=B ]",
	"  target_matchers: [ scene=chain, alertname=C ]",
	"- source_matchers: [ scene=other, alertname=A ]",
	"  target_matchers: [ scene=other, alertname=B ]",
	"- source_matchers: [ scene=other, alertname=B ]",
	"  target_matchers: [ scene=other, alertname=A ]",
	"- source_matchers: [ scene=over, alertname=Down ]",
	"  target_matchers: [ scene=over, alertname=Slow ]",
	"- source_match: { scene: older, alertname: Down }",
	"  target_match: { scene: older }",
	"  target_match_re: { alertname: 'S.*' }",
	"  equal: [ node, gpu ]",
	"- source_matchers: [ scene=silenced, alertname=Down ]",
	"  target_matchers: [ scene=silenced, alertname=Slow ]",
	"- source_matchers: [ '{scene=\"text\", alertname=\"Down\",}' ]",
	"  target_matchers: [ 'scene=\"text\",alertname!~\"Down|H.*\"' ]",
	"- source_matchers: [ scene=end, alertname=Down ]",
	"  target_matchers: [ scene=end, alertname=Slow ]",
	NULL,
};

/* The last is posted alone, when all others are in: once it inhibits, Alertmanager has looked at them. `differs_from`: the version from which on
 * Alertmanager keeps one source for each set of values of `equal`, and so overlooks others. */
static const struct {
	const char *scene, *name, *pairs[2 * PAIRS_MAX + 1];
	bool        is_over, is_any; /* is_any: several inhibit it, and Alertmanager names any of them */
	int         differs_from;    /* 0.30 is 30 */
} alerts[] = {
	{ "equal", "Down", { "node", "a" }, 0, 0, 0 },
	{ "equal", "Slow", { "node", "a" }, 0, 0, 0 },
	{ "equal", "Slow", { "node", "a", "gpu", "1" }, 0, 0, 0 },
	{ "equal", "Slow", { "node", "b" }, 0, 0, 0 },
	{ "equal", "Slow", { NULL }, 0, 0, 0 },
	{ "missing", "Down", { "node", "a" }, 0, 0, 0 },
	{ "missing", "Slow", { "node", "b" }, 0, 0, 0 },
	{ "missing", "Slow", { "zone", "x" }, 0, 0, 0 },
	{ "both", "A", { "node", "a", "severity", "page" }, 0, 0, 0 },
	{ "both", "B", { "node", "a", "severity", "page" }, 0, 0, 0 },
	{ "both", "C", { "node", "a" }, 0, true, 0 },
	{ "both", "C", { "node", "b" }, 0, 0, 0 },
	{ "one side", "A", { "node", "a" }, 0, 0, 0 },
	{ "one side", "B", { "node", "a" }, 0, 0, 30 },
	{ "one side", "C", { "node", "a" }, 0, 0, 30 },
	{ "one side", "C", { "node", "b" }, 0, 0, 0 },
	{ "chain", "A", { NULL }, 0, 0, 0 },
	{ "chain", "B", { NULL }, 0, 0, 0 },
	{ "chain", "C", { NULL }, 0, 0, 0 },
	{ "other", "A", { NULL }, 0, 0, 0 },
	{ "other", "B", { NULL }, 0, 0, 0 },
	{ "over", "Down", { NULL }, true, 0, 0 },
	{ "over", "Slow", { NULL }, 0, 0, 0 },
	{ "older", "Down", { "node", "a", "gpu", "0" }, 0, 0, 0 },
	{ "older", "Slow", { "node", "a", "gpu", "0" }, 0, 0, 0 },
	{ "older", "Stuck", { "node", "a", "gpu", "1" }, 0, 0, 0 },
	{ "older", "Hot", { "node", "a", "gpu", "0" }, 0, 0, 0 },
	{ "silenced", "Down", { NULL }, 0, 0, 0 },
	{ "silenced", "Slow", { NULL }, 0, 0, 0 },
	{ "text", "Down", { NULL }, 0, 0, 0 },
	{ "text", "Slow", { "path", "C:\\x \"y\"\nz" }, 0, 0, 0 },
	{ "text", "Hot", { NULL }, 0, 0, 0 },
	{ "end", "Slow", { NULL }, 0, 0, 0 },
	{ "end", "Down", { NULL }, 0, 0, 0 },
};
enum { N_ALERTS = sizeof alerts / sizeof *alerts };

/* Silences, whether Alertmanager takes them or not: matchers; from and until in minutes from now. */
static const struct {
	const char *label, *matchers;
	int64_t     from, until;
} silences_posted[] = {
	{ "equal", "scene=silenced,alertname=Down", 0, 10 },
	{ "an expression", "alertname=~\"S.*\",node=a", 0, 10 },
	{ "an expression is anchored", "alertname=~\"lo\"", 0, 10 },
	{ "not equal: what has no such label too", "scene=both,severity!=page", 0, 10 },
	{ "not matching", "scene=\"one side\",alertname!~\"A|B\"", 0, 10 },
	{ "the empty value: what has no such label", "scene=missing,zone=\"\"", 0, 10 },
	{ "an expression over lines", "scene=text,path=~\"C:.*z\"", 0, 10 },
	{ "escapes", "path=\"C:\\\\x \\\"y\\\"\\nz\"", 0, 10 },
	{ "to come", "alertname=Slow", 5, 10 },
	{ "begun in the past", "scene=chain", -5, 10 },
	{ "only what takes the empty value", "severity=\"\",node=~\".*\"", 0, 10 },
	{ "not equal alone", "scene!=none", 0, 10 },
	{ "not matching alone", "node!~\".+\"", 0, 10 },
	{ "no matcher", "", 0, 10 },
	{ "end before its begin", "scene=chain", 10, 5 },
	{ "end at its begin", "scene=chain", 5, 5 },
	{ "end in the past", "scene=chain", -10, -5 },
};
enum { N_SILENCES = sizeof silences_posted / sizeof *silences_posted };

/* One matcher as people write it, asked as a filter. */
static const char *const filters[] = {
	"alertname=\"Slow\"", "alertname=Slow", "alertname = Slow ", "alertname!=Slow", "alertname=~S.*", "alertname=~\"S(low|tuck)\"", "alertname!~\"S.*\"",
	"zone=", "zone=\"\"", "zone!=\"\"", "scene=one side", "scene=\"one side\"", "path=~\"C:\\\\\\\\x.*\"", "path=\"C:\\x \\\"y\\\"\\nz\"", "path=~\"(?i)c:.*\"",
	"path=C:\\\\x \\\"y\\\"\\nz",
	/* wrong */
	"alertname", "alertname!Slow", "=Slow", "alertname=\"Slow", "alertname=Slow\"", "alertname=\"S\"low", "alertname=~\"(\"", "alertname=~\"S{2,1}\"", "\"",
	"alertname=\"Slow\\\"", "alert name=Slow", "alertname=S\"l\"ow",
};

/* ---- what both are given ---- */

static struct fleet        *fleet;
static struct service *am;
static struct alert_row     rows[N_ALERTS];
static int64_t              by[N_ALERTS]; /* what we say */
static struct silences      taken;        /* with the ids that Alertmanager gave */
static int64_t              began_ms;
static int                  version;      /* 0.25 is 25 */

static int64_t wall_ms(void) { return clock_wall_ms(clock_system()); }

static void make_fleet(void)
{
	struct buf text;
	struct profiles *profiles = NULL;
	struct why why = { "" };
	static const char *const none[] = { "/nowhere" };
	buf_init(&text, 1 << 16);
	buf_puts(&text, "groups: [ { name: g, targets: [ \"127.0.0.1:1\" ] } ]\nalerts:\n  builtin: off\n");
	for (size_t i = 0; rules[i] != NULL; i++)
		buf_printf(&text, "  %s\n", rules[i]);
	assert_ok(profiles_load(none, 1, NULL, &profiles, &why));
	assert_ok(fleet_parse(buf_text(&text), text.len, "f", profiles, NULL, &fleet, &why));
	profiles_free(profiles);
	buf_release(&text);
}

static void start_alertmanager(void)
{
	struct buf text;
	struct why why = { "" };
	buf_init(&text, 1 << 16);
	buf_puts(&text, "route: { receiver: none }\nreceivers: [ { name: none } ]\n");
	for (size_t i = 0; rules[i] != NULL; i++)
		buf_printf(&text, "%s\n", rules[i]);
	assert_ok(alertmanager_start(buf_text(&text), &am, &why));
	buf_release(&text);
}

/* The last alert began last. */
static void make_rows(void)
{
	for (size_t i = 0; i < N_ALERTS; i++) {
		struct labels_builder b;
		struct labels *l = NULL;
		struct why why = { "" };
		labels_builder_init(&b);
		labels_builder_set(&b, "alertname", alerts[i].name);
		labels_builder_set(&b, "scene", alerts[i].scene);
		for (size_t p = 0; alerts[i].pairs[p] != NULL; p += 2)
			labels_builder_set(&b, alerts[i].pairs[p], alerts[i].pairs[p + 1]);
		assert_ok(labels_builder_build(&b, &l, &why));
		labels_builder_release(&b);
		int64_t fired = began_ms - MINUTE_MS + (int64_t)i;
		rows[i] = (struct alert_row){ .id = (int64_t)i + 1, .labels = l, .group_key = "", .active_ms = fired, .fired_ms = fired,
			                      .resolved_ms = alerts[i].is_over ? began_ms - 1000 : 0 };
	}
}

/* ---- talking ---- */

static struct cJSON *parse(const struct buf *answer)
{
	struct cJSON *tree = NULL;
	struct why why = { "" };
	assert_ok(json_parse(buf_text(answer), answer->len, NULL, &tree, &why));
	return tree;
}

static struct cJSON *get(const char *path)
{
	struct buf answer;
	buf_init(&answer, ANSWER_MAX);
	assert_int_equal(service_ask(am, "GET", path, NULL, &answer), 200);
	struct cJSON *tree = parse(&answer);
	buf_release(&answer);
	return tree;
}

static void put_alert(struct buf *to, const struct alert_row *r)
{
	char time[TIME_TEXT];
	buf_puts(to, "{\"labels\":{");
	for (size_t i = 0; i < labels_count(r->labels); i++) {
		const struct label *l = labels_at(r->labels, i);
		buf_puts(to, i > 0 ? "," : "");
		json_put_string(to, l->name, l->name_len);
		buf_putc(to, ':');
		json_put_string(to, l->value, l->value_len);
	}
	buf_printf(to, "},\"startsAt\":\"%s\"", format_time(r->fired_ms, time));
	buf_printf(to, ",\"endsAt\":\"%s\"}", format_time(r->resolved_ms != 0 ? r->resolved_ms : began_ms + 60 * MINUTE_MS, time));
}

static void post_alerts(size_t from, size_t to)
{
	struct buf body, answer;
	buf_init(&body, ANSWER_MAX);
	buf_init(&answer, ANSWER_MAX);
	buf_putc(&body, '[');
	for (size_t i = from; i < to; i++) {
		buf_puts(&body, i > from ? "," : "");
		put_alert(&body, &rows[i]);
	}
	assert_int_equal(buf_putc(&body, ']'), ERR_OK);
	long status = service_ask(am, "POST", "/api/v2/alerts", buf_text(&body), &answer);
	if (status != 200)
		fail_msg("%ld: %s", status, buf_text(&answer));
	buf_release(&body);
	buf_release(&answer);
}

static size_t row_with(const struct cJSON *labels_tree)
{
	struct labels_builder b;
	struct labels *l = NULL;
	struct why why = { "" };
	const cJSON *pair;
	size_t i = 0;
	labels_builder_init(&b);
	cJSON_ArrayForEach(pair, labels_tree)
		labels_builder_set(&b, pair->string, cJSON_IsString(pair) ? pair->valuestring : "");
	assert_ok(labels_builder_build(&b, &l, &why));
	labels_builder_release(&b);
	while (i < N_ALERTS && !labels_equal(rows[i].labels, l))
		i++;
	labels_unref(l);
	assert_true(i < N_ALERTS);
	return i;
}

/* What Alertmanager says of each alert; NULL for those it does not have. */
static void find_items(const struct cJSON *tree, const struct cJSON *items[N_ALERTS])
{
	const cJSON *item;
	memset(items, 0, N_ALERTS * sizeof *items);
	cJSON_ArrayForEach(item, tree)
		items[row_with(cJSON_GetObjectItemCaseSensitive(item, "labels"))] = item;
}

static const struct cJSON *list_in(const struct cJSON *item, const char *key)
{
	const struct cJSON *status = NULL, *list = NULL;
	struct why why = { "" };
	assert_ok(json_get_object(item, "status", &status, &why));
	assert_ok(json_get_array(status, key, 1000, &list, &why));
	return list;
}

static bool is_inhibited(const struct cJSON *item)
{
	return item != NULL && cJSON_GetArraySize(list_in(item, "inhibitedBy")) > 0;
}

/* Until what was posted last inhibits: Alertmanager takes alerts one by one, in their order. */
static struct cJSON *wait_for_all(void)
{
	const struct cJSON *items[N_ALERTS];
	for (int64_t until = clock_mono_ms(clock_system()) + WAIT_MS;; poll(NULL, 0, LOOK_MS)) {
		struct cJSON *tree = get("/api/v2/alerts");
		find_items(tree, items);
		if (is_inhibited(items[N_ALERTS - 2]))
			return tree;
		cJSON_Delete(tree);
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("Alertmanager has not taken in all alerts");
	}
}

/* ---- tests ---- */

static void read_version(void)
{
	struct cJSON *tree = get("/api/v2/status");
	const struct cJSON *info = NULL;
	const char *text = "";
	struct why why = { "" };
	assert_ok(json_get_object(tree, "versionInfo", &info, &why));
	assert_ok(json_get_string(info, "version", 64, &text, &why));
	version = strncmp(text, "0.", 2) == 0 ? (int)strtol(text + 2, NULL, 10) : 1000;
	print_message("# Alertmanager %s\n", text);
	cJSON_Delete(tree);
}

static void assert_inhibited_by(size_t i, const struct cJSON *item, const struct cJSON *items[N_ALERTS])
{
	const struct cJSON *list = list_in(item, "inhibitedBy");
	const char *fingerprint = "";
	struct why why = { "" };
	if (alerts[i].differs_from != 0 && version >= alerts[i].differs_from)
		return;
	if ((cJSON_GetArraySize(list) > 0) != (by[i] != 0))
		fail_msg("%s, alert %zu: inhibited %s", alerts[i].scene, i, by[i] != 0 ? "by us alone" : "by Alertmanager alone");
	if (by[i] == 0 || alerts[i].is_any)
		return;
	assert_ok(json_get_string(items[by[i] - 1], "fingerprint", 16, &fingerprint, &why));
	const cJSON *first = cJSON_GetArrayItem(list, 0);
	if (!cJSON_IsString(first) || strcmp(first->valuestring, fingerprint) != 0)
		fail_msg("%s, alert %zu: inhibited by another alert", alerts[i].scene, i);
}

static void test_inhibition(void **state)
{
	const struct cJSON *items[N_ALERTS];
	struct why why = { "" };
	size_t n_inhibited = 0;
	if (am == NULL)
		skip();
	(void)state;
	assert_ok(alerts_inhibit(fleet->alerting.inhibit, fleet->alerting.n_inhibit, rows, N_ALERTS, by, &why));
	struct cJSON *tree = wait_for_all();
	find_items(tree, items);
	for (size_t i = 0; i < N_ALERTS; i++) {
		n_inhibited += by[i] != 0;
		assert_true((items[i] == NULL) == alerts[i].is_over);
		if (items[i] != NULL)
			assert_inhibited_by(i, items[i], items);
	}
	assert_in_range(n_inhibited, 10, N_ALERTS - 10);
	cJSON_Delete(tree);
}

static void put_silence(struct buf *to, const struct matcher_set *m, int64_t from_ms, int64_t until_ms)
{
	char time[TIME_TEXT];
	buf_puts(to, "{\"matchers\":");
	matcher_set_put_json(m, to);
	buf_printf(to, ",\"startsAt\":\"%s\"", format_time(from_ms, time));
	buf_printf(to, ",\"endsAt\":\"%s\",\"createdBy\":\"test\",\"comment\":\"test\"}", format_time(until_ms, time));
}

/* Both take it, or both do not; what is taken is kept under Alertmanager's id. */
static void post_silence(size_t i)
{
	struct matcher_set m;
	struct buf body, answer, json;
	struct why why = { "" };
	matcher_set_init(&m);
	buf_init(&body, ANSWER_MAX);
	buf_init(&answer, ANSWER_MAX);
	buf_init(&json, ANSWER_MAX);
	assert_ok(matcher_set_parse(&m, silences_posted[i].matchers, &why));
	int64_t now = wall_ms(), from = now + silences_posted[i].from * MINUTE_MS, until = now + silences_posted[i].until * MINUTE_MS;
	enum err e = silence_check(&m, from, until, now, &why);
	put_silence(&body, &m, from, until);
	long status = service_ask(am, "POST", "/api/v2/silences", buf_text(&body), &answer);
	if ((e == ERR_OK) != (status == 200))
		fail_msg("%s: %ld %s, and we say: %s", silences_posted[i].label, status, buf_text(&answer), why.text);
	if (e == ERR_OK) {
		struct cJSON *tree = parse(&answer);
		struct silence_row row = { .id = "", .from_ms = silence_begin(from, now), .until_ms = until };
		assert_ok(json_get_string(tree, "silenceID", 64, &row.id, &why));
		assert_int_equal(matcher_set_put_json(&m, &json), ERR_OK);
		row.matchers = buf_text(&json);
		assert_ok(silences_add(&taken, &row, &why));
		cJSON_Delete(tree);
	}
	matcher_set_release(&m);
	buf_release(&body);
	buf_release(&answer);
	buf_release(&json);
}

static void assert_silenced_by(size_t i, const struct cJSON *item)
{
	size_t which[N_SILENCES], n = silences_of(&taken, rows[i].labels, wall_ms(), which, N_SILENCES);
	const struct cJSON *list = list_in(item, "silencedBy");
	size_t n_theirs = (size_t)cJSON_GetArraySize(list), n_same = 0;
	for (size_t w = 0; w < n; w++) {
		const cJSON *id;
		cJSON_ArrayForEach(id, list)
			n_same += cJSON_IsString(id) && strcmp(id->valuestring, taken.items[which[w]].id) == 0;
	}
	if (n_same != n || n_same != n_theirs)
		fail_msg("%s, alert %zu: %zu silences by us, %zu by Alertmanager, %zu the same", alerts[i].scene, i, n, n_theirs, n_same);
}

/* What Alertmanager has under each id reads as what we have, in the same state. */
static void assert_same_silences(void)
{
	struct cJSON *tree = get("/api/v2/silences");
	assert_int_equal(cJSON_GetArraySize(tree), (int)taken.n);
	const cJSON *item;
	cJSON_ArrayForEach(item, tree) {
		const char *id = "", *word = "";
		const struct cJSON *status = NULL, *list = NULL;
		struct matcher_set m;
		struct why why = { "" };
		size_t i = 0;
		matcher_set_init(&m);
		assert_ok(json_get_string(item, "id", 64, &id, &why));
		assert_ok(json_get_object(item, "status", &status, &why));
		assert_ok(json_get_string(status, "state", 16, &word, &why));
		assert_ok(json_get_array(item, "matchers", MATCHER_SET_MAX, &list, &why));
		assert_ok(matcher_set_from_tree(&m, list, &why));
		while (i < taken.n && strcmp(taken.items[i].id, id) != 0)
			i++;
		assert_true(i < taken.n && matcher_set_equal(&m, &taken.items[i].matchers));
		const struct silence_row row = { .from_ms = taken.items[i].from_ms, .until_ms = taken.items[i].until_ms };
		assert_string_equal(word, silence_state_name(silence_state(&row, wall_ms())));
		matcher_set_release(&m);
	}
	cJSON_Delete(tree);
}

static void test_silences(void **state)
{
	const struct cJSON *items[N_ALERTS];
	if (am == NULL)
		skip();
	(void)state;
	for (size_t i = 0; i < N_SILENCES; i++)
		post_silence(i);
	assert_in_range(taken.n, 10, N_SILENCES - 3);
	struct cJSON *tree = get("/api/v2/alerts");
	find_items(tree, items);
	for (size_t i = 0; i < N_ALERTS; i++) {
		if (items[i] != NULL)
			assert_silenced_by(i, items[i]);
	}
	cJSON_Delete(tree);
	assert_same_silences();
}

/* A silenced alert inhibits as before. */
static void test_inhibition_with_silences(void **state)
{
	test_inhibition(state);
}

static void test_filters(void **state)
{
	if (am == NULL)
		skip();
	(void)state;
	for (size_t f = 0; f < sizeof filters / sizeof *filters; f++) {
		struct buf path, answer;
		struct matcher_set m;
		struct why why = { "" };
		matcher_set_init(&m);
		buf_init(&path, 4096);
		buf_init(&answer, ANSWER_MAX);
		buf_puts(&path, "/api/v2/alerts?filter=");
		assert_int_equal(service_put_escaped(&path, filters[f]), ERR_OK);
		enum err e = matcher_set_parse(&m, filters[f], &why);
		long status = service_ask(am, "GET", buf_text(&path), NULL, &answer);
		if ((status == 200) != (e == ERR_OK))
			fail_msg("%s: %ld %s, and we say: %s", filters[f], status, buf_text(&answer), why.text);
		if (e == ERR_OK) {
			const struct cJSON *items[N_ALERTS];
			struct cJSON *tree = parse(&answer);
			find_items(tree, items);
			for (size_t i = 0; i < N_ALERTS; i++)
				assert_row(filters[f], (items[i] != NULL) == (matcher_set_matches(&m, rows[i].labels) && !alerts[i].is_over));
			cJSON_Delete(tree);
		}
		matcher_set_release(&m);
		buf_release(&path);
		buf_release(&answer);
	}
}

static int set_up(void **state)
{
	(void)state;
	silences_init(&taken);
	if (!alertmanager_is_there()) {
		print_message("# Alertmanager is not installed ($PITWALL_ALERTMANAGER, or prometheus-alertmanager in PATH): nothing is compared\n");
		return 0;
	}
	began_ms = wall_ms();
	make_fleet();
	make_rows();
	start_alertmanager();
	read_version();
	post_alerts(0, N_ALERTS - 1);
	post_alerts(N_ALERTS - 1, N_ALERTS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	service_stop(am);
	silences_release(&taken);
	fleet_free(fleet);
	for (size_t i = 0; i < N_ALERTS; i++)
		labels_unref((struct labels *)(uintptr_t)rows[i].labels);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inhibition),
		cmocka_unit_test(test_silences),
		cmocka_unit_test(test_inhibition_with_silences),
		cmocka_unit_test(test_filters),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
