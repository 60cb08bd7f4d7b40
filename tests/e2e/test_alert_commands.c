/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands about alerts, the real program against a store of the test's own. The test records it: it takes the requests that the commands leave,
 * notes what they asked for, and answers. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/rule_health.h"
#include "alerts/spool.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/person.h"
#include "base/slurp.h"
#include "store/alerts.h"
#include "tests/e2e/command.h"

enum { DEADLINE_MS = 120 * 1000 };

#define NODE_DOWN "{alertname=\"NodeDown\",model=\"ranker\"}"
#define LATENCY   "{alertname=\"HighLatency\",model=\"chat\"}"
#define SILENCE_ID "3d1f7b1e-0a6c-4c39-9f5e-6b0f4f9d2c11"

static struct {
	char          folder[64], path[96], requests[128], fleet[96];
	struct store *store;
	struct spool *spool;
	int64_t       now_ms;
	/* of the last command */
	struct command_run ran;
	/* of the last request */
	size_t        n_asked;
	struct { enum request_kind kind; char who[80], comment[80], keys[400], matchers[400], silence[80], node[80]; int64_t until_ms, from_ms, alert, at_ms; uint32_t uid; } asked;
	enum err      answer;
} t;
static struct why why;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static struct changes *changes(void)
{
	struct changes *c = NULL;
	assert_ok(changes_new(&c, &why));
	return c;
}

static void commit(struct changes *c)
{
	assert_ok(store_commit(t.store, c, NULL, &why));
	assert_ok(store_flush(t.store, &why));
}

/* ---- what is in the store ---- */

static void put_alert(struct changes *c, int64_t id, const char *name, const char *node, const char *model, const char *key, int64_t fired_ms, int64_t resolved_ms)
{
	struct labels *l = labels_of("alertname", name, "node", node, "model", model, "severity", "critical", NULL);
	struct labels *a = labels_of("summary", "=it is \033[31mred", NULL);
	const struct alert_row r = { .id = id, .rule = name, .source = "pitwall:nodes;nodes", .expr = "up == 0", .group_key = key, .labels = l, .result = l,
		                     .annotations = a, .severity = SEVERITY_CRIT, .value = id == 2 ? (double)NAN : 0.5, .active_ms = t.now_ms - 600000, .fired_ms = fired_ms,
		                     .resolved_ms = resolved_ms };
	changes_alert(c, &r);
	changes_transition(c, &(struct transition_row){ id, t.now_ms - 600000, TRANSITION_PENDING, 0.5, 0 });
	if (fired_ms != 0)
		changes_transition(c, &(struct transition_row){ id, fired_ms, TRANSITION_FIRING, 0.5, 0 });
	if (resolved_ms != 0)
		changes_transition(c, &(struct transition_row){ id, resolved_ms, TRANSITION_RESOLVED, 0.5, 0 });
	labels_unref(l);
	labels_unref(a);
}

static void put_information(void)
{
	struct changes *c = changes();
	struct labels *l = labels_of("alertname", "Watchdog", "severity", "info", NULL);
	changes_alert(c, &(struct alert_row){ .id = 5, .rule = "Watchdog", .source = "pitwall:watching;watching", .expr = "vector(1)", .group_key = "{alertname=\"Watchdog\"}",
	                                      .labels = l, .result = l, .annotations = l, .severity = SEVERITY_INFO, .value = 1, .active_ms = t.now_ms - 600000,
	                                      .fired_ms = t.now_ms - 600000 });
	labels_unref(l);
	commit(c);
}

static void fill(void)
{
	struct changes *c = changes();
	struct labels *node = labels_of("node", "gpu-a-01", "job", "triton", NULL);
	int64_t id;
	assert_ok(store_target(t.store, node, "http://gpu-a-01:8002/metrics", &id, &why));
	labels_unref(node);
	put_alert(c, 1, "NodeDown", "gpu-a-01", "ranker", NODE_DOWN, t.now_ms - 300000, 0);
	put_alert(c, 2, "NodeDown", "gpu-a-02", "ranker", NODE_DOWN, t.now_ms - 200000, 0);
	put_alert(c, 3, "HighLatency", "gpu-b-01", "chat", LATENCY, 0, 0);
	put_alert(c, 4, "QueueGrowing", "gpu-b-01", "chat", "{alertname=\"QueueGrowing\",model=\"chat\"}", t.now_ms - 500000, t.now_ms - 100000);
	changes_silence(c, &(struct silence_row){ .id = SILENCE_ID, .matchers = "[{\"name\":\"node\",\"value\":\"gpu-z\",\"isRegex\":false,\"isEqual\":true}]",
	                                          .from_ms = t.now_ms - 1000, .until_ms = t.now_ms + 3600000, .actor = { "bob", "bob", "" }, .comment = "work",
	                                          .created_ms = t.now_ms - 1000, .remote = "", .remote_id = "" });
	changes_audit(c, &(struct audit_row){ .at_ms = t.now_ms - 1000, .actor = { "bob", "bob", "192.0.2.7" }, .action = "silence", .subject = "{node=\"gpu-z\"}",
	                                      .detail = "" });
	commit(c);
}

static void open_store(void)
{
	assert_ok(store_open(&(struct store_options){ .path = t.path, .clock = clock_system() }, &t.store, &why));
	assert_ok(spool_open(t.path, &t.spool, &why));
}

static void close_store(void)
{
	spool_close(t.spool);
	store_close(t.store);
	t.spool = NULL;
	t.store = NULL;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof t);
	snprintf(t.folder, sizeof t.folder, "/tmp/pitwall-commands-XXXXXX");
	if (mkdtemp(t.folder) == NULL)
		return -1;
	snprintf(t.path, sizeof t.path, "%s/s.db", t.folder);
	snprintf(t.requests, sizeof t.requests, "%s/s.db-requests", t.folder);
	snprintf(t.fleet, sizeof t.fleet, "%s/fleet.yml", t.folder);
	setenv("HOME", t.folder, 1);
	setenv("XDG_CONFIG_HOME", t.folder, 1);
	unsetenv("PITWALL_CONFIG");
	unsetenv("PITWALL_STORE");
	t.now_ms = clock_wall_ms(clock_system());
	open_store();
	fill();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close_store();
	return nftw(t.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the recorder ---- */

static void keep_text(char *to, size_t size, const char *text) { snprintf(to, size, "%s", text); }

static void do_it(struct changes *c, const struct request *r)
{
	static const int64_t both[] = { 1, 2 };
	const struct actor actor = { .who = r->who, .account = "root", .origin = r->origin };
	if (r->kind == REQUEST_ACK)
		changes_ack(c, &(struct ack_row){ .id = 1, .group_key = r->keys[0], .at_ms = t.now_ms, .until_ms = r->until_ms, .actor = actor, .comment = r->comment,
		                                  .severity = SEVERITY_CRIT, .alerts = both, .n_alerts = 2, .ended_by = { "", "", "" } });
}

static enum err take(void *ctx, const struct spool_item *item)
{
	const struct request *r = item->request;
	struct changes *c = changes();
	(void)ctx;
	assert_non_null(r);
	t.n_asked++;
	t.asked.kind = r->kind;
	t.asked.uid = item->uid;
	keep_text(t.asked.who, sizeof t.asked.who, r->who);
	keep_text(t.asked.comment, sizeof t.asked.comment, r->comment);
	keep_text(t.asked.matchers, sizeof t.asked.matchers, r->matchers);
	keep_text(t.asked.silence, sizeof t.asked.silence, r->silence);
	keep_text(t.asked.node, sizeof t.asked.node, r->node);
	t.asked.keys[0] = '\0';
	for (size_t i = 0; i < r->n_keys; i++) {
		size_t n = strlen(t.asked.keys);
		snprintf(t.asked.keys + n, sizeof t.asked.keys - n, "%s;", r->keys[i]);
	}
	t.asked.until_ms = r->until_ms;
	t.asked.from_ms = r->from_ms;
	t.asked.alert = r->alert;
	t.asked.at_ms = r->at_ms;
	if (t.answer == ERR_OK)
		do_it(c, r);
	changes_request(c, &(struct request_row){ .id = item->id, .at_ms = t.now_ms, .err = t.answer, .text = t.answer == ERR_OK ? "it is done" : "you may not" });
	commit(c);
	return ERR_OK;
}

static void record(void)
{
	const struct spool_calls calls = { .request = take };
	if (t.spool != NULL)
		assert_ok(spool_round(t.spool, &calls, &why));
}

/* ---- running a command ---- */

static void answer_meanwhile(pid_t child, const char *printed)
{
	(void)child;
	(void)printed;
	record();
}

/* What is asked meanwhile is answered. */
static void run(const char *line)
{
	const char *const more[] = { "--store", t.path, NULL };
	t.n_asked = 0;
	t.ran.folder = t.folder;
	t.ran.more = more;
	t.ran.has_blanks = true;
	t.ran.meanwhile = answer_meanwhile;
	command_run(&t.ran, line);
}

static void check(const char *line, int code, const char *out, const char *err)
{
	run(line);
	if (t.ran.code != code || (out != NULL && strstr(t.ran.out, out) == NULL) || (err != NULL && strstr(t.ran.err, err) == NULL))
		fail_msg("'%s': %d, not %d\n%s\n%s", line, t.ran.code, code, t.ran.out, t.ran.err);
	for (const char *p = t.ran.out; *p != '\0'; p++)
		if (*p != '\n' && *p != '\r' && ((unsigned char)*p < 0x20 || *p == 0x7f))
			fail_msg("'%s' prints a control character", line);
}

/* ---- reading ---- */

static void test_alerts(void **state)
{
	(void)state;
	check("alerts", 0, "2 firing (2 that nobody has), 1 pending, 1 resolved  as of ", NULL);
	assert_non_null(strstr(t.ran.out, "nobody NodeDown     ranker gpu-a-01 =it is \xe2\x90\x9b[31mred"));
	assert_non_null(strstr(t.ran.out, "     3 pending  crit"));
	assert_non_null(strstr(t.ran.out, "     4 resolved crit"));
	assert_true(strstr(t.ran.out, "firing   crit") < strstr(t.ran.out, "pending  crit"));
	check("alerts --exit-code", 1, "nobody", NULL);
	check("alerts --at 9m_ago", 0, "0 firing (0 that nobody has), 4 pending, 0 resolved", NULL);
	check("alerts --at 9m_ago --exit-code", 0, NULL, NULL);
	check("alerts --at 20m_ago", 0, "0 firing (0 that nobody has), 0 pending, 0 resolved", NULL);
	check("alerts --format csv", 0, "id,state,severity,active_at,fired_at,resolved_at,owner,alertname,model,node,value,summary,group,from\r\n", NULL);
	assert_non_null(strstr(t.ran.out, "\"'=it is")); /* no formula */
	check("alerts --format xml", 2, NULL, "unknown format 'xml'");
	check("alerts --search x", 2, NULL, "--search goes with --history");
}

static void put_rule_health(void)
{
	struct labels *name = labels_of(TARGET_RULES, RULE_HEALTH_SOURCE, NULL), *series[RULE_FACTS];
	const struct layout *l;
	int64_t target;
	const double at_s = (double)(t.now_ms / 1000 - 5), values[RULE_FACTS] = { at_s, 0.0125, 3, 2, 1 };
	for (int f = 0; f < RULE_FACTS; f++)
		series[f] = labels_of("__name__", rule_fact_metric((enum rule_fact)f), "source", "/etc/rules/a.yml;g", "rule", "Busy", "kind", "alert", "line", "12",
		                      "number", "1", NULL);
	assert_ok(store_target(t.store, name, "", &target, &why));
	assert_ok(store_layout(t.store, series, RULE_FACTS, &l, &why));
	assert_ok(store_append(t.store, target, STREAM_SIGNAL, t.now_ms, l, values, &why));
	assert_ok(store_append_event(t.store, &(struct event){ .wall_ms = t.now_ms, .kind = "rule", .text = "it fails",
	                                                       .data = "{\"source\":\"/etc/rules/a.yml;g\",\"number\":1,\"error\":\"\\u001b[31mtwo of one kind\"}" }, &why));
	assert_ok(store_flush(t.store, &why));
	for (int f = 0; f < RULE_FACTS; f++)
		labels_unref(series[f]);
	labels_unref(name);
}

static void test_rules(void **state)
{
	(void)state;
	check("alerts --rules --exit-code", 0, "nobody evaluated rules as of ", NULL);
	check("alerts --rules --format json", 0, "{\"time\":null,\"failing\":0,\"rules\":[", NULL);
	put_rule_health();
	check("alerts --rules", 0, "1 rules, 1 of them fail  as of ", NULL);
	assert_non_null(strstr(t.ran.out, "12.5 ms       3       2 g     a.yml:12 \xe2\x90\x9b[31mtwo of one kind\n"));
	check("alerts --rules --exit-code", 1, NULL, NULL);
	check("alerts --rules --format csv", 0, ",0.0125,3,2,\"g\",\"/etc/rules/a.yml:12\",", NULL);
	check("alerts --rules --format json", 0, "\"duration_seconds\":0.0125,\"results\":3,\"firing\":2,\"group\":\"g\",\"file\":\"/etc/rules/a.yml\",\"line\":12}", NULL);
	check("alerts --rules --at 20m_ago", 0, "nobody evaluated rules", NULL);
	check("alerts --rules --history", 2, NULL, "--rules does not go with --history");
}

static cJSON *parsed(const char *line)
{
	cJSON *tree = NULL;
	check(line, 0, "{", NULL);
	assert_ok(json_parse(t.ran.out, strlen(t.ran.out), NULL, &tree, &why));
	return tree;
}

static void test_json(void **state)
{
	const cJSON *groups, *alerts, *labels;
	const char *text;
	int64_t n;
	(void)state;
	cJSON *tree = parsed("alerts --format json");
	assert_ok(json_get_array(tree, "groups", 100, &groups, &why));
	assert_int_equal(cJSON_GetArraySize(groups), 3);
	assert_ok(json_get_string(groups->child, "key", 100, &text, &why));
	assert_string_equal(text, NODE_DOWN);
	assert_ok(json_get_i64(groups->child, "firing", 0, 10, &n, &why));
	assert_int_equal(n, 2);
	assert_int_equal(json_get_object(groups->child, "acknowledgement", &labels, &why), ERR_NOT_FOUND);
	assert_ok(json_get_array(groups->child, "alerts", 100, &alerts, &why));
	assert_ok(json_get_object(alerts->child, "labels", &labels, &why));
	assert_ok(json_get_string(labels, "node", 100, &text, &why));
	assert_ok(json_get_object(alerts->child, "annotations", &labels, &why));
	assert_ok(json_get_string(labels, "summary", 100, &text, &why));
	assert_string_equal(text, "=it is \033[31mred");
	cJSON_Delete(tree);
	tree = parsed("alerts --history --format json");
	assert_ok(json_get_array(tree, "alerts", 100, &alerts, &why));
	assert_int_equal(cJSON_GetArraySize(alerts), 3); /* what was only pending did not fire */
	cJSON_Delete(tree);
	tree = parsed("silence list --format json");
	assert_ok(json_get_array(tree, "silences", 100, &alerts, &why));
	assert_ok(json_get_array(alerts->child, "matchers", 100, &labels, &why));
	assert_ok(json_get_string(labels->child, "value", 100, &text, &why));
	assert_string_equal(text, "gpu-z");
	cJSON_Delete(tree);
	tree = parsed("audit list --format json");
	assert_ok(json_get_array(tree, "rows", 100, &alerts, &why));
	assert_ok(json_get_string(alerts->child, "action", 100, &text, &why));
	assert_string_equal(text, "silence");
	cJSON_Delete(tree);
}

static void test_history(void **state)
{
	(void)state;
	check("alerts --history", 0, "QueueGrowing", NULL);
	check("alerts --history --search queue", 0, "QueueGrowing", NULL);
	assert_null(strstr(t.ran.out, "NodeDown"));
	check("alerts --history --limit 1", 0, "and older ones", NULL);
	check("alerts --history --format csv --search gpu-a-02", 0, "NodeDown", NULL);
	assert_null(strstr(t.ran.out, "gpu-a-01"));
	check("alerts --history --since now", 2, NULL, "--since is not before");
	check("alerts --history --limit 0", 2, NULL, "--limit wants a number");
}

static void test_audit(void **state)
{
	(void)state;
	check("audit list", 0, "192.0.2.7", NULL);
	check("audit list --format csv", 0, "id,at,who,account,origin,action,subject,detail\r\n1,", NULL);
	check("audit list --since 1s_ago", 0, "WHO", NULL);
	check("audit verify", 0, "all 1 rows are as they were written", NULL);
	check("audit verify --format json", 0, "{\"good\":true,\"rows\":1,", NULL);
	check("audit mend", 2, NULL, "list and verify");
}

/* ---- asking ---- */

static void test_ack(void **state)
{
	struct person me;
	(void)state;
	person_here(&me);
	check("ack NodeDown --comment on_it", 0, "it is done\n", NULL);
	assert_int_equal(t.asked.kind, REQUEST_ACK);
	assert_int_equal(t.asked.uid, geteuid());
	assert_string_equal(t.asked.who, me.login);
	assert_string_equal(t.asked.keys, NODE_DOWN ";");
	assert_string_equal(t.asked.comment, "on it");
	assert_int_equal(t.asked.until_ms, 0);
	check("alerts --exit-code", 0, me.login, NULL); /* somebody has it */
	put_information();
	check("alerts --exit-code", 0, "3 firing (0 that nobody has)", NULL); /* what is for information wants nobody */
	check("alerts --format json", 0, "\"comment\":\"on it\"", NULL);
	check("ack 2 NodeDown node=gpu-a-01 --until 2h --as alice", 0, "it is done\n", NULL); /* all the same group */
	assert_string_equal(t.asked.keys, NODE_DOWN ";");
	assert_string_equal(t.asked.who, "alice");
	assert_in_range(t.asked.until_ms, t.now_ms + 7200000, t.now_ms + 7200000 + DEADLINE_MS);
	check("ack NodeDown --format json", 0, "\"state\":\"done\",\"text\":\"it is done\"}", NULL);
	check("unack NodeDown", 0, "it is done", NULL);
	assert_int_equal(t.asked.kind, REQUEST_UNACK);
	check("unack HighLatency", 2, NULL, "nobody has acknowledged");
	assert_int_equal(t.n_asked, 0);
}

static void test_ack_mistakes(void **state)
{
	static const struct { const char *line, *says; } rows[] = {
		{ "ack NodeDwon", "did you mean 'NodeDown'?" },
		{ "ack Nothing", "there is no alert 'Nothing' now" },
		{ "ack 99", "there is no alert number 99 now" },
		{ "ack node=gpu-x", "matches 'node=gpu-x'" },
		{ "ack node=~[", "'node=~['" },
		{ "ack HighLatency", "there is nothing to acknowledge" },
		{ "ack NodeDown --until 5m_ago", "is past" },
		{ "ack NodeDown --until soon", "is no time to come" },
		{ "ack NodeDown --comment a\033[2J", "control character" },
		{ "ack NodeDown --as a\033[2J", "control character" },
		{ "ack NodeDown --wait forever", "--wait wants a duration" },
		{ "ack NodeDown --format csv", "formats table and json" },
		{ "ack NodeDown --read-only", "asks the recorder for something, and --read-only was given" },
		{ "note x --read-only", "--read-only was given" },
		{ "silence add node=a --until 2h --yes --read-only", "--read-only was given" },
		{ "ack", "wants ALERT..." },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		check(rows[i].line, 2, NULL, rows[i].says);
		assert_row(rows[i].line, t.n_asked == 0);
	}
}

static void test_refused(void **state)
{
	(void)state;
	t.answer = ERR_DENIED;
	check("ack NodeDown", 2, NULL, "pitwall: you may not");
	assert_int_equal(t.n_asked, 1);
	check("ack NodeDown --format json", 2, "\"state\":\"refused\",\"text\":\"you may not\"}", NULL);
}

static void test_nobody_records(void **state)
{
	(void)state;
	close_store();
	check("ack NodeDown", 1, NULL, "the request is kept, and done when a recorder runs");
	check("ack NodeDown --format json", 1, "\"state\":\"kept\"", NULL);
	open_store();
	t.n_asked = 0;
	record();
	assert_int_equal(t.n_asked, 2);
}

/* A recorder that is there and does not come to it. */
static void test_slow(void **state)
{
	(void)state;
	spool_close(t.spool);
	t.spool = NULL;
	check("ack NodeDown --wait 300ms", 1, NULL, "has not answered yet");
	assert_ok(spool_open(t.path, &t.spool, &why));
}

static void test_silence(void **state)
{
	(void)state;
	check("silence add alertname=NodeDown node=~\"gpu-a-.*\" --until 2h --comment work", 1, "hides 2 alerts of 1 group now, and would have hidden 2 in the last day",
	      "nothing was silenced; --yes makes it");
	assert_non_null(strstr(t.ran.out, "firing   NodeDown"));
	assert_int_equal(t.n_asked, 0);
	check("silence add alertname=NodeDown node=~\"gpu-a-.*\" --until 2h --from 1h --comment work --yes", 0, "it is done\n", NULL);
	assert_int_equal(t.asked.kind, REQUEST_SILENCE);
	assert_string_equal(t.asked.matchers, "[{\"name\":\"alertname\",\"value\":\"NodeDown\",\"isRegex\":false,\"isEqual\":true},"
	                                      "{\"name\":\"node\",\"value\":\"gpu-a-.*\",\"isRegex\":true,\"isEqual\":true}]");
	assert_true(t.asked.until_ms - t.asked.from_ms == 3600000);
	assert_string_equal(t.asked.comment, "work");
	check("silence list", 0, "{node=\"gpu-z\"}", NULL);
	check("silence list --format csv", 0, SILENCE_ID, NULL);
	check("silence expire 3d1f7b1e", 0, "it is done", NULL);
	assert_int_equal(t.asked.kind, REQUEST_UNSILENCE);
	assert_string_equal(t.asked.silence, SILENCE_ID);
	check("silence expire 3d1", 2, NULL, "too short");
	check("silence expire 4d1f7b1e", 2, NULL, "no silence whose id begins with");
	check("silence expire", 2, NULL, "which silence");
	check("silence add node=a", 2, NULL, "until when");
	check("silence add --until 2h", 2, NULL, "say what to silence");
	check("silence add node=~\".*\" --until 2h --yes", 2, NULL, NULL); /* hides all: no matcher that needs a label */
	check("silence add node=~\"(\" --until 2h --yes", 2, NULL, "node=~");
	check("silence mend", 2, NULL, "add, list and expire");
}

static void test_note(void **state)
{
	(void)state;
	check("note fan_replaced", 0, "it is done", NULL);
	assert_int_equal(t.asked.kind, REQUEST_NOTE);
	assert_string_equal(t.asked.comment, "fan replaced");
	check("note 1 fan_replaced --at 1m_ago", 0, "it is done", NULL);
	assert_int_equal(t.asked.alert, 1);
	assert_in_range(t.asked.at_ms, t.now_ms - 60000, t.now_ms + DEADLINE_MS);
	check("note gpu-a-01 fan_replaced", 0, "it is done", NULL);
	assert_string_equal(t.asked.node, "gpu-a-01");
	check("note gpu-a-10 fan_replaced", 2, NULL, "did you mean 'gpu-a-01'?");
	check("note 77 fan_replaced", 2, NULL, "there is no alert number 77");
	check("note a b c", 2, NULL, "unexpected word");
}

/* On an account that several people use, somebody says who it is. */
static void test_shared_account(void **state)
{
	struct person me;
	char line[300];
	(void)state;
	person_here(&me);
	FILE *f = fopen(t.fleet, "w");
	assert_non_null(f);
	fprintf(f, "groups: [ { name: g, targets: [ 'http://a:1/' ] } ]\nroles: { shared_accounts: [ '%s' ] }\n", me.login);
	assert_int_equal(fclose(f), 0);
	snprintf(line, sizeof line, "ack NodeDown --config %s", t.fleet);
	check(line, 2, NULL, "say who you are with --as NAME");
	snprintf(line, sizeof line, "ack NodeDown --config %s --as alice", t.fleet);
	check(line, 0, "it is done", NULL);
	assert_string_equal(t.asked.who, "alice");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_alerts), TEST(test_rules), TEST(test_json),   TEST(test_history),        TEST(test_audit), TEST(test_ack),     TEST(test_ack_mistakes),
		TEST(test_refused), TEST(test_nobody_records), TEST(test_slow), TEST(test_silence), TEST(test_note), TEST(test_shared_account),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
