/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder and a real Alertmanager that owns the silences: what is made, changed and ended on one side is so on the other, its alerts are listed, and
 * a recorder that is killed, or an Alertmanager that is away, loses and doubles nothing. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/slurp.h"
#include "tests/e2e/alertmanager.h"
#include "tests/e2e/command.h"

enum { OUTPUT_MAX = 1 << 20, DEADLINE_MS = 120 * 1000, STEP_MS = 50 };

static struct {
	char            folder[64], fleet[96], store[96];
	struct service *am;
	pid_t           recorder;
	struct command_run ran; /* the last command */
} t;
static struct why why;

/* ---- the program ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void write_fleet(const char *more, int port)
{
	char text[2000];
	snprintf(text, sizeof text,
	         "fleet: shop\n"
	         "alerts: { interval: 1s, builtin: off }\n"
	         "rules: [ rules.yml ]\n"
	         "alertmanagers: [ { name: am, url: \"http://127.0.0.1:%d\", %s } ]\n"
	         "groups: [ { name: g, profile: vllm, targets: [ \"http://127.0.0.1:1/metrics\" ], interval: 10s } ]\n", port, more);
	write_text(t.fleet, text);
}

static void start_recorder(void)
{
	const char *const words[] = { "pitwall", "record", "--config", t.fleet, "--store", t.store, NULL };
	t.recorder = command_start(t.folder, "recorder", words);
}

static void end_recorder(int with)
{
	int status;
	if (t.recorder == 0)
		return;
	kill(t.recorder, with);
	assert_int_equal(waitpid(t.recorder, &status, 0), t.recorder);
	t.recorder = 0;
}

static void run(const char *line)
{
	const char *const more[] = { "--config", t.fleet, "--store", t.store, NULL };
	t.ran.folder = t.folder;
	t.ran.more = more;
	command_run(&t.ran, line);
}

/* The command again and again until it says so; both may be NULL. */
static void wait_for(const char *line, const char *says, const char *says_not)
{
	int64_t until_ms = clock_mono_ms(clock_system()) + DEADLINE_MS;
	for (;;) {
		run(line);
		if (t.ran.code == 0 && (says == NULL || strstr(t.ran.out, says) != NULL) && (says_not == NULL || strstr(t.ran.out, says_not) == NULL))
			return;
		if (clock_mono_ms(clock_system()) > until_ms) {
			char log[4096] = "";
			command_read(t.folder, "recorder.err", t.ran.err);
			snprintf(log, sizeof log, "%.4000s", t.ran.err);
			fail_msg("'%s' never says '%s' without '%s':\n%s\nthe recorder: %s", line, says != NULL ? says : "", says_not != NULL ? says_not : "", t.ran.out, log);
		}
		(void)poll(NULL, 0, STEP_MS);
	}
}

/* ---- the Alertmanager ---- */

static void ask(const char *method, const char *path, const char *body, struct buf *answer)
{
	struct buf ignored;
	buf_init(&ignored, OUTPUT_MAX);
	long status = service_ask(t.am, method, path, body, answer != NULL ? answer : &ignored);
	if (status != 200)
		fail_msg("%s %s: %ld %s", method, path, status, buf_text(answer != NULL ? answer : &ignored));
	buf_release(&ignored);
}

/* Its silences that hold and whose comment has that in it; the id of the last. */
static size_t count_there(const char *comment, char id[64])
{
	struct buf answer;
	cJSON *tree = NULL;
	size_t n = 0;
	buf_init(&answer, OUTPUT_MAX);
	ask("GET", "/api/v2/silences", NULL, &answer);
	assert_ok(json_parse(buf_text(&answer), answer.len, NULL, &tree, &why));
	for (const cJSON *one = tree->child; one != NULL; one = one->next) {
		const char *said, *state, *name;
		const cJSON *status;
		assert_ok(json_get_string(one, "comment", 4096, &said, &why));
		assert_ok(json_get_object(one, "status", &status, &why));
		assert_ok(json_get_string(status, "state", 100, &state, &why));
		assert_ok(json_get_string(one, "id", 63, &name, &why));
		if (strstr(said, comment) == NULL || strcmp(state, "expired") == 0)
			continue;
		n++;
		if (id != NULL)
			snprintf(id, 64, "%s", name);
	}
	cJSON_Delete(tree);
	buf_release(&answer);
	return n;
}

static void wait_there(const char *comment, size_t n, char id[64])
{
	int64_t until_ms = clock_mono_ms(clock_system()) + DEADLINE_MS;
	while (count_there(comment, id) != n) {
		if (clock_mono_ms(clock_system()) > until_ms)
			fail_msg("there are %zu silences '%s', not %zu", count_there(comment, NULL), comment, n);
		(void)poll(NULL, 0, STEP_MS);
	}
}

static void silence_there(const char *node, const char *by, const char *comment, char id[64])
{
	char body[1000], from[TIME_TEXT], until[TIME_TEXT];
	struct buf answer;
	cJSON *tree = NULL;
	const char *name;
	int64_t now_ms = clock_wall_ms(clock_system());
	snprintf(body, sizeof body, "{\"matchers\":[{\"name\":\"node\",\"value\":\"%s\",\"isRegex\":false,\"isEqual\":true}],\"startsAt\":\"%s\",\"endsAt\":\"%s\","
	         "\"createdBy\":\"%s\",\"comment\":\"%s\"}", node, format_time(now_ms, from), format_time(now_ms + 3600000, until), by, comment);
	buf_init(&answer, OUTPUT_MAX);
	ask("POST", "/api/v2/silences", body, &answer);
	assert_ok(json_parse(buf_text(&answer), answer.len, NULL, &tree, &why));
	assert_ok(json_get_string(tree, "silenceID", 63, &name, &why));
	snprintf(id, 64, "%s", name);
	cJSON_Delete(tree);
	buf_release(&answer);
}

static void expire_there(const char *id)
{
	char path[128];
	snprintf(path, sizeof path, "/api/v2/silence/%s", id);
	ask("DELETE", path, NULL, NULL);
}

/* ---- each case with both ---- */

static bool begin(const char *more)
{
	if (!alertmanager_is_there()) {
		print_message("no Alertmanager is installed here: set PITWALL_ALERTMANAGER, or install prometheus-alertmanager\n");
		skip();
		return false;
	}
	assert_ok(alertmanager_start("route: { receiver: page, group_by: [ alertname ] }\nreceivers: [ { name: page } ]\n", &t.am, &why));
	write_fleet(more, service_port(t.am));
	start_recorder();
	return true;
}

static int set_up(void **state)
{
	char path[128];
	(void)state;
	memset(&t, 0, sizeof t);
	snprintf(t.folder, sizeof t.folder, "/tmp/pitwall-shown-XXXXXX");
	if (mkdtemp(t.folder) == NULL)
		return -1;
	snprintf(t.fleet, sizeof t.fleet, "%s/fleet.yml", t.folder);
	snprintf(t.store, sizeof t.store, "%s/s.db", t.folder);
	snprintf(path, sizeof path, "%s/rules.yml", t.folder);
	write_text(path, "groups: [ { name: x, rules: [ { alert: Ours, expr: vector(1), labels: { severity: critical, node: a } } ] } ]\n");
	setenv("HOME", t.folder, 1);
	setenv("XDG_CONFIG_HOME", t.folder, 1);
	unsetenv("PITWALL_CONFIG");
	unsetenv("PITWALL_STORE");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	end_recorder(SIGTERM);
	service_stop(t.am);
	return nftw(t.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define OWNER "show: 1s, owns_silences: true"

/* ---- cases ---- */

static void silences_made_there_hold_here(void **state)
{
	char id[64];
	(void)state;
	if (!begin(OWNER))
		return;
	wait_for("alerts", "nobody", NULL);
	silence_there("a", "karl", "work", id);
	wait_for("silence list", id, NULL);
	wait_for("alerts", "silenced", NULL); /* they act on ours */
	expire_there(id);
	wait_for("silence list", NULL, id);
	wait_for("alerts", "nobody", NULL);
	/* And one is ended from here. */
	silence_there("a", "karl", "again", id);
	wait_for("silence list", id, NULL);
	char line[200];
	snprintf(line, sizeof line, "silence expire %s --as alice", id);
	run(line);
	if (t.ran.code != 0 || strstr(t.ran.out, "expired in Alertmanager 'am'") == NULL)
		fail_msg("%d %s %s", t.ran.code, t.ran.out, t.ran.err);
	wait_there("again", 0, NULL);
	wait_for("silence list --all --format csv", "\"again\",\"am\",\"", NULL);
}

static void silences_made_here_are_made_there(void **state)
{
	char id[64];
	(void)state;
	if (!begin(OWNER))
		return;
	wait_for("alerts --format json", "\"answers\":true", NULL); /* it was asked once */
	run("silence add node=\"b\" --until 1h --comment deploy --yes --as bob");
	if (t.ran.code != 0 || strstr(t.ran.out, "made in Alertmanager 'am' too") == NULL)
		fail_msg("%d %s %s", t.ran.code, t.ran.out, t.ran.err);
	wait_there("deploy [pitwall silence ", 1, id);
	wait_for("silence list --format json", id, NULL); /* its id there is kept */
	/* The recorder that comes next makes no other. */
	end_recorder(SIGKILL);
	start_recorder();
	wait_for("alerts --format json", "\"answers\":true", NULL);
	run("silence add node=\"c\" --until 1h --comment second --yes --as bob --wait 60s");
	wait_there("second", 1, NULL);
	assert_int_equal(count_there("deploy", NULL), 1);
	/* It ends there, and so here. */
	expire_there(id);
	wait_for("silence list", "second", "deploy");
}

static void nothing_is_lost_while_it_is_away(void **state)
{
	(void)state;
	if (!begin(OWNER))
		return;
	int port = service_port(t.am);
	wait_for("alerts --format json", "\"answers\":true", NULL);
	end_recorder(SIGTERM);
	write_fleet(OWNER, 1); /* nobody answers there */
	start_recorder();
	wait_for("alerts", "Alertmanager 'am' has not answered since ", NULL);
	run("silence add node=\"a\" --until 1h --comment kept --yes --as bob");
	if (t.ran.code != 0 || strstr(t.ran.out, "when that answers") == NULL)
		fail_msg("%d %s %s", t.ran.code, t.ran.out, t.ran.err);
	wait_for("silence list", "am: not yet", NULL);
	wait_for("alerts", "silenced", NULL); /* it holds here meanwhile */
	end_recorder(SIGKILL);
	write_fleet(OWNER, port);
	start_recorder();
	wait_there("kept", 1, NULL);
	wait_for("silence list", "kept", "not yet");
	wait_for("alerts", NULL, "has not answered");
}

static void its_own_alerts_are_listed_and_ours_not_twice(void **state)
{
	(void)state;
	if (!begin("show: 1s, mirror_acks: 2m"))
		return;
	ask("POST", "/api/v2/alerts", "[{\"labels\":{\"alertname\":\"Theirs\",\"node\":\"z\",\"severity\":\"critical\"},\"annotations\":{\"summary\":\"it burns\"}}]", NULL);
	wait_for("alerts", "it burns", NULL);
	wait_for("alerts --format json", "\"receivers\":\"page\"", NULL);
	wait_for("alerts --format csv", ",\"am\"\r\n", NULL);
	wait_for("alerts --format csv", ",\"Ours\",", NULL);
	/* Ours came back, and is there once: one line of it, and one of theirs. */
	char *first = strstr(t.ran.out, ",\"Ours\",");
	assert_non_null(first);
	assert_null(strstr(first + 1, ",\"Ours\","));
	run("ack Theirs --as alice");
	assert_int_equal(t.ran.code, 2);
	assert_non_null(strstr(t.ran.err, "an Alertmanager's own"));
	run("ack Ours --comment mine --as alice");
	assert_int_equal(t.ran.code, 0);
	wait_there("ACK! mine [pitwall shop]", 1, NULL);
	wait_for("alerts", "alice", NULL);
	run("silence list");
	assert_null(strstr(t.ran.out, "ACK!")); /* the mirror of it is none of theirs */
}

static void an_acknowledgement_given_there_is_shown(void **state)
{
	char id[64];
	(void)state;
	if (!begin("show: 1s"))
		return;
	wait_for("alerts", "nobody", NULL);
	silence_there("a", "karl", "ACK! I have it", id);
	wait_for("alerts", "karl", "silenced");
	run("alerts --exit-code");
	assert_int_equal(t.ran.code, 0);
	wait_for("silence list --format json", "\"acknowledgement\":true", NULL);
	expire_there(id);
	wait_for("alerts", "nobody", NULL);
}

/* One that the fleet file does not have any more can end nothing: its silences are over, those made here are ours alone. */
static void what_is_not_shown_any_more_goes(void **state)
{
	char id[64];
	(void)state;
	if (!begin(OWNER))
		return;
	wait_for("alerts --format json", "\"answers\":true", NULL);
	silence_there("q", "karl", "theirs", id);
	ask("POST", "/api/v2/alerts", "[{\"labels\":{\"alertname\":\"Theirs\"}}]", NULL);
	run("silence add node=\"b\" --until 1h --comment deploy --yes --as bob");
	wait_there("deploy", 1, NULL);
	wait_for("silence list", id, "not yet");
	wait_for("alerts", "Theirs", NULL);
	end_recorder(SIGTERM);
	write_fleet("send: true", service_port(t.am));
	start_recorder();
	wait_for("silence list", "deploy", id);
	wait_for("silence list", "here", " am ");
	wait_for("alerts", "Ours", "Theirs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(silences_made_there_hold_here, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silences_made_here_are_made_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_lost_while_it_is_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_own_alerts_are_listed_and_ours_not_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_acknowledgement_given_there_is_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_shown_any_more_goes, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("an Alertmanager shown", tests, NULL, NULL);
}
