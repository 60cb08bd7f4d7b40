/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall redeploy, rollback and deployments, the real program on a terminal or without one, against a store of the test's own. The test records it: it takes what the
 * commands ask, plans, and lets runs end as the row wants it. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/slurp.h"
#include "deploy/plan.h"
#include "store/deployments.h"
#include "tests/e2e/command.h"
#include "tests/e2e/pty.h"



/* What the recorder of the test does. */
struct script {
	enum confirm          confirm;
	bool                  is_forbidden, takes_two, is_refused /* planning is */, is_late /* confirming is refused */;
	enum deployment_state end; /* of the run; RUNNING: it goes on */
};

static struct {
	char          folder[64], path[96], program[4096];
	struct store *store;
	struct spool *spool;
	struct script script;
	int64_t       last_id;
	/* of the last command */
	struct command_run ran;
	const char   *when; /* SIGINT is sent when it has printed that; NULL: not (any more) */
	/* of the last request */
	char          done[REQUEST_ID];
	size_t        n_asked;
	enum request_kind kind;
	char          verb[40], target[80], to[80], comment[80], name[80], hash[80];
	int64_t       deployment, alert;
} t;
static struct why why;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static void open_store(void)
{
	assert_ok(store_open(&(struct store_options){ .path = t.path, .clock = clock_system(), .commit_ms = 10 }, &t.store, &why));
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
	const char *dir = getenv("PITWALL_BUILDDIR");
	memset(&t, 0, sizeof t);
	snprintf(t.folder, sizeof t.folder, "/tmp/pitwall-deploy-XXXXXX");
	if (mkdtemp(t.folder) == NULL)
		return -1;
	snprintf(t.path, sizeof t.path, "%s/s.db", t.folder);
	snprintf(t.program, sizeof t.program, "%s/pitwall", dir == NULL ? "." : dir);
	setenv("HOME", t.folder, 1);
	setenv("XDG_CONFIG_HOME", t.folder, 1);
	unsetenv("PITWALL_CONFIG");
	unsetenv("PITWALL_STORE");
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close_store();
	return nftw(t.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the recorder ---- */

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

static int64_t now(void) { return clock_wall_ms(clock_system()); }

/* One unit, and a warning that a terminal must not see as it is. */
static void write_plan(struct buf *to)
{
	struct plan_version versions[2] = { { .version = { .id = "v42", .name = "v42", .is_running = true }, .evidence = "" },
		                            { .version = { .id = "v41", .name = "v41", .is_present = true }, .health = HEALTH_GOOD, .evidence = "served 6d" } };
	struct warning warning = { WARNING_FORBIDS, "the version is gone\033[2J" };
	struct plan_unit *unit = calloc(1, sizeof *unit);
	assert_non_null(unit);
	for (size_t i = 0; i < 2; i++) {
		struct version *v = &versions[i].version;
		versions[i].label = "";
		v->image = v->tag = v->model_version = v->config_hash = v->by = v->cause = v->data = "";
	}
	unit->unit = (struct unit){ .name = "eu-1", .node = "eu-1", .model = "ranker", .group = "rankers-eu", .url = "", .destination = "eu-1", .user = "" };
	unit->from = "v42";
	unit->key = "k-1";
	unit->skipped = "";
	unit->found.before = "";
	const struct deploy_plan p = { .kind = DEPLOY_ROLLBACK, .key = "k", .scope = "rankers-eu", .model = "ranker", .driver = "systemd", .target = t.target, .versions = versions,
		                       .n_versions = 2, .from = &versions[0], .to = &versions[1], .units = unit, .n_units = 1, .n_waves = 1, .at_once = 1,
		                       .warnings = &warning, .n_warnings = t.script.is_forbidden, .confirm = t.script.confirm, .name = "ranker",
		                       .takes_two = t.script.takes_two, .reason = "", .made_ms = now() };
	assert_ok(plan_write(&p, to));
	free(unit);
}

static void put_change(struct changes *c, int64_t id, enum deployment_state s, const char *text)
{
	changes_deployment_change(c, &(struct deployment_change){ .deployment = id, .at_ms = now(), .state = s, .actor = { "alice", "root", "" }, .text = text });
}

static void put_plan(struct changes *c, const struct request *r)
{
	struct buf text;
	char hash[PLAN_HASH];
	buf_init(&text, PLAN_BYTES_MAX);
	write_plan(&text);
	plan_hash(buf_text(&text), text.len, hash);
	int64_t id = ++t.last_id;
	changes_deployment(c, &(struct deployment_row){ .id = id, .kind = r->verb, .scope = "rankers-eu", .model = "ranker", .driver = "systemd", .target = r->target, .from = "v42",
	                                                .to = "v41", .plan = buf_text(&text), .hash = hash, .request = r->id, .actor = { r->who, "root", r->origin },
	                                                .reason = r->comment, .alert = r->alert, .planned_ms = now() });
	put_change(c, id, DEPLOYMENT_PLANNED, "");
	buf_release(&text);
}

static void put_run(struct changes *c, const struct request *r)
{
	put_change(c, r->deployment, DEPLOYMENT_RUNNING, "confirmed");
	changes_deployment_step(c, &(struct deployment_step){ .deployment = r->deployment, .seq = 1, .unit = "eu-1", .direction = STEP_FORWARD, .title = "restart ranker.service",
	                                                      .key = "k", .began_ms = now(), .ended_ms = now(), .state = STEP_DONE, .text = "active\033[2J", .progress = 1 });
	if (t.script.end != DEPLOYMENT_RUNNING)
		put_change(c, r->deployment, t.script.end, "so it ended");
}

static void note(const struct request *r)
{
	t.n_asked++;
	t.kind = r->kind;
	t.deployment = r->deployment;
	t.alert = r->alert;
	snprintf(t.verb, sizeof t.verb, "%s", r->verb);
	snprintf(t.target, sizeof t.target, "%s", r->target);
	snprintf(t.to, sizeof t.to, "%s", r->to);
	snprintf(t.comment, sizeof t.comment, "%s", r->comment);
	snprintf(t.name, sizeof t.name, "%s", r->name);
	snprintf(t.hash, sizeof t.hash, "%s", r->hash);
}

static enum err take(void *ctx, const struct spool_item *item)
{
	const struct request *r = item->request;
	struct changes *c = changes();
	(void)ctx;
	assert_non_null(r);
	note(r);
	bool is_refused = r->kind == REQUEST_PLAN ? t.script.is_refused : r->kind == REQUEST_CONFIRM && t.script.is_late;
	if (!is_refused && r->kind == REQUEST_PLAN)
		put_plan(c, r);
	else if (!is_refused && r->kind == REQUEST_CONFIRM)
		put_run(c, r);
	else if (!is_refused)
		put_change(c, r->deployment, t.script.end, r->verb);
	changes_request(c, &(struct request_row){ .id = item->id, .at_ms = now(), .err = is_refused ? ERR_DENIED : ERR_OK, .text = is_refused ? "bob acts on ranker" : "it is done" });
	commit(c);
	snprintf(t.done, sizeof t.done, "%s", item->id);
	return ERR_OK;
}

/* A command asks one thing after the other: there is one file at most. */
static void record(void)
{
	const struct spool_calls calls = { .request = take };
	if (t.spool == NULL)
		return;
	t.done[0] = '\0';
	assert_ok(spool_round(t.spool, &calls, &why));
	if (t.done[0] != '\0')
		assert_ok(spool_remove(t.spool, t.done, &why));
}

/* ---- running a command without a terminal ---- */

static void answer_meanwhile(pid_t child, const char *printed)
{
	record();
	if (t.when != NULL && strstr(printed, t.when) != NULL && kill(child, SIGINT) == 0)
		t.when = NULL;
}

/* What is asked meanwhile is answered. `when` (may be NULL): a text of its output at which SIGINT is sent. */
static void run(const char *line, const char *when)
{
	const char *const more[] = { "--store", t.path, NULL };
	t.n_asked = 0;
	t.when = when;
	t.ran.folder = t.folder;
	t.ran.more = more;
	t.ran.has_blanks = true;
	t.ran.meanwhile = answer_meanwhile;
	command_run(&t.ran, line);
}

static void check(const char *line, int code, const char *out, const char *err)
{
	run(line, NULL);
	if (t.ran.code != code || (out != NULL && strstr(t.ran.out, out) == NULL) || (err != NULL && strstr(t.ran.err, err) == NULL))
		fail_msg("'%s': %d, not %d\n%s\n%s", line, t.ran.code, code, t.ran.out, t.ran.err);
	for (const char *p = t.ran.out; *p != '\0'; p++)
		if (*p != '\n' && *p != '\r' && ((unsigned char)*p < 0x20 || *p == 0x7f))
			fail_msg("'%s' prints a control character", line);
}

static void script(struct script s) { t.script = s; }

/* ---- planning and confirming ---- */

static void test_dry_run(void **state)
{
	cJSON *tree = NULL;
	(void)state;
	script((struct script){ .confirm = CONFIRM_NAME, .end = DEPLOYMENT_DONE });
	check("rollback ranker --dry-run --to v41 --reason p99_is_up --alert 7", 0, "ranker", NULL);
	assert_int_equal(t.n_asked, 1);
	assert_int_equal(t.kind, REQUEST_PLAN);
	assert_string_equal(t.verb, "rollback");
	assert_string_equal(t.target, "ranker");
	assert_string_equal(t.to, "v41");
	assert_string_equal(t.comment, "p99 is up");
	assert_int_equal(t.alert, 7);
	assert_non_null(strstr(t.ran.out, "v41"));
	check("redeploy ranker --dry-run --format json", 0, "{\"id\":", NULL);
	assert_string_equal(t.verb, "redeploy");
	assert_ok(json_parse(t.ran.out, strlen(t.ran.out), NULL, &tree, &why));
	assert_string_equal(cJSON_GetObjectItem(tree, "state")->valuestring, "planned");
	assert_true(cJSON_IsObject(cJSON_GetObjectItem(tree, "plan")));
	cJSON_Delete(tree);
	script((struct script){ .is_forbidden = true });
	check("rollback ranker --dry-run", 1, "the version is gone\xe2\x90\x9b", NULL);
}

static void test_confirmed(void **state)
{
	static const struct {
		const char           *label, *words;
		enum confirm          confirm;
		enum deployment_state end;
		int                   code;
		size_t                n_asked;
		const char           *out, *err, *name;
	} rows[] = {
		{ "by a key", "--yes", CONFIRM_KEY, DEPLOYMENT_DONE, 0, 2, "eu-1: restart ranker.service: done, active\xe2\x90\x9b[2J", NULL, "" },
		{ "by the name", "--confirm ranker", CONFIRM_NAME, DEPLOYMENT_DONE, 0, 2, " done by alice: so it ended", NULL, "ranker" },
		{ "by the name though a key is enough", "--confirm ranker", CONFIRM_KEY, DEPLOYMENT_DONE, 0, 2, " done by alice", NULL, "ranker" },
		{ "a key is not enough", "--yes", CONFIRM_NAME, DEPLOYMENT_DONE, 2, 1, NULL, "by its name alone: --confirm 'ranker'", NULL },
		{ "by another name", "--confirm rankers", CONFIRM_NAME, DEPLOYMENT_DONE, 2, 1, NULL, "by --confirm 'ranker', not 'rankers'", NULL },
		{ "by nobody", "", CONFIRM_KEY, DEPLOYMENT_DONE, 2, 1, NULL, "--yes confirms", NULL },
		{ "undone", "--yes", CONFIRM_KEY, DEPLOYMENT_UNDONE, 1, 2, " undone by alice", NULL, "" },
		{ "stopped", "--yes", CONFIRM_KEY, DEPLOYMENT_STOPPED, 1, 2, " stopped by alice", "a person decides: pitwall deployments resume", "" },
		{ "detached", "--yes --detach", CONFIRM_KEY, DEPLOYMENT_RUNNING, 0, 2, "confirmed; pitwall deployments watch", NULL, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[200];
		script((struct script){ .confirm = rows[i].confirm, .end = rows[i].end });
		snprintf(line, sizeof line, "rollback ranker%s%s", rows[i].words[0] != '\0' ? " " : "", rows[i].words);
		check(line, rows[i].code, rows[i].out, rows[i].err);
		assert_row(rows[i].label, t.n_asked == rows[i].n_asked);
		assert_row(rows[i].label, rows[i].name == NULL || (t.kind == REQUEST_CONFIRM && strcmp(t.name, rows[i].name) == 0 && t.deployment == t.last_id));
	}
}

static void test_refused(void **state)
{
	(void)state;
	script((struct script){ .is_refused = true });
	check("rollback ranker --yes", 2, NULL, "bob acts on ranker");
	script((struct script){ .is_late = true });
	check("rollback ranker --yes", 2, NULL, "bob acts on ranker");
	script((struct script){ .is_forbidden = true });
	check("rollback ranker --yes", 2, NULL, "this can't be done: the version is gone");
	assert_int_equal(t.n_asked, 1);
	check("rollback ranker --yes --read-only", 2, NULL, "--read-only was given");
	check("rollback ranker --alert x", 2, NULL, "--alert wants the number");
	assert_int_equal(t.n_asked, 0);
}

/* Nothing is left in the folder for whoever records one day. */
static void test_nobody_records(void **state)
{
	(void)state;
	script((struct script){ .confirm = CONFIRM_KEY, .end = DEPLOYMENT_RUNNING });
	check("rollback ranker --yes --detach", 0, "confirmed", NULL);
	close_store();
	check("rollback ranker --yes", 1, NULL, "nobody records");
	check("deployments undo 1", 1, NULL, "nobody records");
	check("deployments watch 1", 1, " running by alice: confirmed", "nobody records the store any more");
	check("deployments", 0, " running ", NULL);
	open_store();
	t.n_asked = 0;
	record();
	assert_int_equal(t.n_asked, 0);
}

/* ---- following ---- */

static void test_interrupt(void **state)
{
	(void)state;
	script((struct script){ .confirm = CONFIRM_KEY, .end = DEPLOYMENT_RUNNING });
	run("rollback ranker --yes", " running by alice");
	assert_int_equal(t.ran.code, 0);
	assert_non_null(strstr(t.ran.err, "detached; the run goes on in the recorder: pitwall deployments watch 1"));
	assert_int_equal(t.kind, REQUEST_CONFIRM); /* and nothing else was asked */
	assert_int_equal(t.n_asked, 2);
}

static void test_controls(void **state)
{
	static const char *const verbs[] = { "pause", "resume", "abort", "undo", "abandon", "skip", "pass" };
	(void)state;
	script((struct script){ .confirm = CONFIRM_KEY, .end = DEPLOYMENT_RUNNING });
	check("rollback ranker --yes --detach", 0, NULL, NULL);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		char line[100];
		snprintf(line, sizeof line, "deployments %s 1 --reason for_bob", verbs[i]);
		check(line, 0, "it is done", NULL);
		assert_int_equal(t.kind, REQUEST_CONTROL);
		assert_string_equal(t.verb, verbs[i]);
		assert_string_equal(t.comment, "for bob");
		assert_int_equal(t.deployment, 1);
	}
	check("deployments show 1", 0, "deployment 1: rollback of rankers-eu, running", NULL);
	script((struct script){ .end = DEPLOYMENT_UNDONE });
	check("deployments undo 1 --watch", 1, " undone by alice: undo", NULL);
	check("deployments resume 1", 2, NULL, "deployment 1 is over: undone");
	check("deployments confirm 1", 2, NULL, "deployment 1 is undone: there is nothing to confirm");
	check("deployments pause 9", 2, NULL, "there is no deployment number 9");
	check("deployments pause x", 2, NULL, "'x' is no number of a deployment");
	check("deployments paus 1", 2, NULL, "did you mean 'pause'?");
	check("deployments show", 2, NULL, "'show' wants the number");
	check("deployments list --format csv", 0, "id,state,kind,scope", NULL);
}

static void test_second_person(void **state)
{
	(void)state;
	script((struct script){ .confirm = CONFIRM_NAME, .end = DEPLOYMENT_DONE });
	check("rollback ranker", 2, NULL, "by its name alone");
	check("deployments confirm 1 --confirm ranker", 0, " done by alice", NULL);
	assert_string_equal(t.name, "ranker");
	assert_int_equal(strlen(t.hash), PLAN_HASH - 1);
}

/* ---- on a terminal ---- */

static bool pump(struct pty *p, const void *text)
{
	record();
	return pty_has_text(p, text);
}

static struct pty *on_terminal(const char *target)
{
	const char *const argv[] = { t.program, "rollback", target, "--store", t.path, NULL };
	char home[100];
	snprintf(home, sizeof home, "HOME=%s", t.folder);
	const char *const env[] = { home, NULL };
	return pty_start(&(struct pty_options){ .rows = 50, .cols = 120, .argv = argv, .env = env });
}

static void test_typed(void **state)
{
	static const struct {
		const char  *label, *before, *after;
		enum confirm confirm;
		int          code;
		size_t       n_asked;
	} rows[] = {
		{ "y", "", "y\n", CONFIRM_KEY, 0, 2 },
		{ "n", "", "n\n", CONFIRM_KEY, 1, 1 },
		{ "Enter alone", "", "\n", CONFIRM_KEY, 1, 1 },
		{ "y typed ahead, then n", "y\n", "n\n", CONFIRM_KEY, 1, 1 },
		{ "the name", "", "ranker\n", CONFIRM_NAME, 0, 2 },
		{ "y for the name", "", "y\n", CONFIRM_NAME, 1, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *question = rows[i].confirm == CONFIRM_KEY ? "do it? [y/N]" : "type ranker to confirm:";
		script((struct script){ .confirm = rows[i].confirm, .end = DEPLOYMENT_DONE });
		t.n_asked = 0;
		struct pty *p = on_terminal("ranker");
		pty_send(p, rows[i].before);
		pty_wait(p, pump, question, "the question");
		pty_send(p, rows[i].after);
		pty_wait(p, pump, rows[i].code == 0 ? "so it ended" : "nothing was done", "the end");
		int status = pty_wait_exit(p);
		assert_row(rows[i].label, WIFEXITED(status) && WEXITSTATUS(status) == rows[i].code && t.n_asked == rows[i].n_asked);
		pty_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dry_run, set_up, tear_down),       cmocka_unit_test_setup_teardown(test_confirmed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),       cmocka_unit_test_setup_teardown(test_nobody_records, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupt, set_up, tear_down),     cmocka_unit_test_setup_teardown(test_controls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_person, set_up, tear_down), cmocka_unit_test_setup_teardown(test_typed, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
