/* SPDX-License-Identifier: Apache-2.0
 *
 * Deployments printed and followed: lists, journals that grow, hostile texts, and all ways in which following ends. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>

#include "app/deploy_follow.h"
#include "app/deployments_print.h"
#include "base/json.h"
#include "tests/unit/store_folder.h"

#define AT(seconds) (INT64_C(1795000000000) + (seconds) * 1000) /* 2026-11-18T11:06:40Z */

static const struct actor alice = { "alice", "ops", "192.0.2.7" }, nobody = { "", "", "" };
static struct why why;

struct bench {
	struct store_folder folder;
	struct store       *store;
	struct reader      *reader;
	struct changes     *changes;
	struct buf          text;
};

static void begin(struct bench *b)
{
	*b = (struct bench){ 0 };
	store_folder_make(&b->folder, "deploys");
	assert_ok(store_open(&(struct store_options){ .path = b->folder.path, .clock = clock_system(), .commit_ms = 10 }, &b->store, &why));
	assert_ok(reader_open(b->folder.path, READER_OWN, &b->reader, &why));
	buf_init(&b->text, 1 << 20);
}

static void end(struct bench *b)
{
	reader_close(b->reader);
	if (b->store != NULL)
		store_close(b->store);
	store_folder_remove(&b->folder);
	buf_release(&b->text);
}

static struct changes *changes(struct bench *b)
{
	if (b->changes == NULL)
		assert_ok(changes_new(&b->changes, &why));
	return b->changes;
}

static void commit(struct bench *b)
{
	struct changes *c = changes(b);
	b->changes = NULL;
	assert_ok(store_commit(b->store, c, NULL, &why));
	assert_ok(store_flush(b->store, &why));
}

static void put_row(struct bench *b, int64_t id, const char *to, const char *reason)
{
	changes_deployment(changes(b), &(struct deployment_row){ .id = id, .kind = "rollback", .scope = "rankers-eu", .model = "ranker", .driver = "systemd", .target = "ranker",
	                                                         .from = "v42", .to = to, .plan = "{\"units\":[\"\\u001b[2J\"]}", .hash = "abc", .request = "", .actor = alice,
	                                                         .reason = reason, .alert = 7, .planned_ms = AT(id * 100) });
}

static void put_change(struct bench *b, int64_t id, int64_t at_ms, enum deployment_state s, const struct actor *by, const char *text)
{
	changes_deployment_change(changes(b), &(struct deployment_change){ .deployment = id, .at_ms = at_ms, .state = s, .actor = *by, .text = text });
}

static void put_step(struct bench *b, int64_t seq, const char *unit, enum step_direction direction, int64_t began_ms, int64_t ended_ms, enum step_state s, const char *text,
                     double progress)
{
	changes_deployment_step(changes(b), &(struct deployment_step){ .deployment = 1, .seq = seq, .wave = 0, .unit = unit, .direction = direction, .index = 0, .title = "restart",
	                                                               .key = "k", .began_ms = began_ms, .ended_ms = ended_ms, .state = s, .text = text, .progress = progress });
}

static void put_story(struct bench *b)
{
	put_row(b, 1, "v41", "p99 is \033[2Jup");
	put_change(b, 1, AT(100), DEPLOYMENT_PLANNED, &alice, "");
	put_change(b, 1, AT(110), DEPLOYMENT_RUNNING, &alice, "confirmed");
	put_step(b, 1, "eu-1", STEP_FORWARD, AT(111), AT(120), STEP_DONE, "active", (double)NAN);
	put_step(b, 2, "", STEP_FORWARD, AT(120), AT(240), STEP_GATE_FAILED, "p99 1.4 times\nerrors fine", (double)NAN);
	put_change(b, 1, AT(240), DEPLOYMENT_UNDOING, &nobody, "the gate failed");
	put_step(b, 3, "eu-1", STEP_BACK, AT(241), 0, STEP_BEGUN, "loading", 0.43);
	commit(b);
}

static void test_list(void **state)
{
	struct bench b;
	(void)state;
	begin(&b);
	put_story(&b);
	put_row(&b, 2, "=1+1", "");
	put_change(&b, 2, AT(200), DEPLOYMENT_PLANNED, &alice, "");
	commit(&b);
	assert_ok(deployments_print(b.reader, AT(0), AT(300), CELLS_TABLE, &b.text, &why));
	assert_string_equal(buf_text(&b.text),
	                    "    ID STATE        KIND      SCOPE                FROM                     TO                       PLANNED                  TOOK WHO\n"
	                    "     2 planned      rollback  rankers-eu           v42                      =1+1                     2026-11-18T11:10:00Z          alice\n"
	                    "     1 undoing      rollback  rankers-eu           v42                      v41                      2026-11-18T11:08:20Z    3m10s alice\n");
	buf_clear(&b.text);
	assert_ok(deployments_print(b.reader, AT(0), AT(150), CELLS_CSV, &b.text, &why)); /* as it was then */
	assert_string_equal(buf_text(&b.text),
	                    "id,state,kind,scope,model,driver,from,to,planned,began,ended,who,reason\r\n"
	                    "1,\"running\",\"rollback\",\"rankers-eu\",\"ranker\",\"systemd\",\"v42\",\"v41\",2026-11-18T11:08:20Z,2026-11-18T11:08:30Z,,\"alice\",\"p99 is \xe2\x90\x9b[2Jup\"\r\n");
	buf_clear(&b.text);
	assert_ok(deployments_print(b.reader, AT(0), AT(300), CELLS_JSON, &b.text, &why));
	cJSON *tree = NULL;
	assert_ok(json_parse(buf_text(&b.text), b.text.len, NULL, &tree, &why));
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "deployments"), 1);
	assert_string_equal(cJSON_GetObjectItem(first, "state")->valuestring, "undoing");
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(first, "by"), "account")->valuestring, "ops");
	assert_int_equal(cJSON_GetObjectItem(first, "steps_done")->valueint, 1);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(first, "ended")));
	cJSON_Delete(tree);
	end(&b);
}

static const char head[] =
	"deployment 1: rollback of rankers-eu, undoing\n"
	"now          the gate failed\n"
	"model        ranker\n"
	"driver       systemd\n"
	"target       ranker\n"
	"from         v42\n"
	"to           v41\n"
	"who          alice\n"
	"reason       p99 is \xe2\x90\x9b[2Jup\n"
	"planned      2026-11-18T11:08:20Z\n"
	"took         3m10s\n"
	"\n";
static const char journal[] =
	"11:08:20 planned by alice\n"
	"11:08:30 running by alice: confirmed\n"
	"11:08:40 eu-1: restart: done, active\n"
	"11:10:40 gate of wave 1: failed, p99 1.4 times; errors fine\n"
	"11:10:40 undoing: the gate failed\n"
	"11:10:41 eu-1: back: restart: 43 %, loading\n";

static void test_show(void **state)
{
	struct bench b;
	cJSON *tree = NULL;
	(void)state;
	begin(&b);
	put_story(&b);
	assert_ok(deployment_print(b.reader, 1, AT(300), CELLS_TABLE, &b.text, &why));
	assert_int_equal(strncmp(buf_text(&b.text), head, strlen(head)), 0);
	assert_string_equal(buf_text(&b.text) + strlen(head), journal);
	buf_clear(&b.text);
	assert_ok(deployment_print(b.reader, 1, AT(300), CELLS_JSON, &b.text, &why));
	assert_null(strchr(buf_text(&b.text), '\033'));
	assert_ok(json_parse(buf_text(&b.text), b.text.len, NULL, &tree, &why));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "changes")), 3);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "journal")), 3);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(tree, "plan"), "units")), 1);
	cJSON_Delete(tree);
	assert_int_equal(deployment_print(b.reader, 9, AT(300), CELLS_TABLE, &b.text, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "there is no deployment number 9; 'pitwall deployments' lists them");
	end(&b);
}

/* A plan that is no JSON, in a stranger's store, does not become a part of ours. */
static void test_hostile_plan(void **state)
{
	struct bench b;
	(void)state;
	begin(&b);
	changes_deployment(changes(&b), &(struct deployment_row){ .id = 1, .kind = "rollback", .scope = "s", .model = "m", .driver = "d", .target = "t", .from = "", .to = "",
	                                                          .plan = "1},\033[2J{", .hash = "", .request = "", .actor = alice, .reason = "", .planned_ms = AT(1) });
	put_change(&b, 1, AT(1), DEPLOYMENT_PLANNED, &alice, "");
	commit(&b);
	assert_int_equal(deployment_print(b.reader, 1, AT(300), CELLS_JSON, &b.text, &why), ERR_FORMAT);
	end(&b);
}

/* Only what is new, and what a step says now. */
static void test_journal_grows(void **state)
{
	struct bench b;
	struct journal_seen seen = { 0 };
	(void)state;
	begin(&b);
	put_story(&b);
	assert_ok(journal_print(b.reader, 1, AT(300), &seen, &b.text, &why));
	assert_string_equal(buf_text(&b.text), journal);
	buf_clear(&b.text);
	assert_ok(journal_print(b.reader, 1, AT(300), &seen, &b.text, &why));
	assert_string_equal(buf_text(&b.text), "");
	put_step(&b, 3, "eu-1", STEP_BACK, AT(241), 0, STEP_BEGUN, "loading", 0.8);
	commit(&b);
	assert_ok(journal_print(b.reader, 1, AT(300), &seen, &b.text, &why));
	assert_string_equal(buf_text(&b.text), "11:10:41 eu-1: back: restart: 80 %, loading\n");
	buf_clear(&b.text);
	put_step(&b, 3, "eu-1", STEP_BACK, AT(241), AT(260), STEP_DONE, "", (double)NAN);
	put_change(&b, 1, AT(261), DEPLOYMENT_UNDONE, &nobody, "");
	commit(&b);
	assert_ok(journal_print(b.reader, 1, AT(300), &seen, &b.text, &why));
	assert_string_equal(buf_text(&b.text), "11:11:00 eu-1: back: restart: done\n11:11:01 undone\n");
	journal_seen_release(&seen);
	end(&b);
}

static void test_follow(void **state)
{
	static const struct {
		const char           *label;
		enum deployment_state state;
		bool                  is_interrupted, is_unrecorded;
		enum follow_end       want;
	} rows[] = {
		{ "done", DEPLOYMENT_DONE, false, false, FOLLOW_OVER },
		{ "undone", DEPLOYMENT_UNDONE, false, false, FOLLOW_OVER },
		{ "refused", DEPLOYMENT_REFUSED, false, false, FOLLOW_OVER },
		{ "stopped", DEPLOYMENT_STOPPED, false, false, FOLLOW_DECIDE },
		{ "interrupted", DEPLOYMENT_INTERRUPTED, false, false, FOLLOW_DECIDE },
		{ "a key that ends it", DEPLOYMENT_RUNNING, true, false, FOLLOW_DETACHED },
		{ "while it is paused", DEPLOYMENT_PAUSED, true, false, FOLLOW_DETACHED },
		{ "nobody records", DEPLOYMENT_RUNNING, false, true, FOLLOW_UNRECORDED },
	};
	sigset_t set, before, pending;
	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench b;
		char *said = NULL;
		size_t n = 0;
		enum follow_end ended = FOLLOW_OVER;
		enum deployment_state s = DEPLOYMENT_PLANNED;
		begin(&b);
		put_row(&b, 1, "v41", "");
		put_change(&b, 1, AT(110), rows[i].state, &alice, "so");
		commit(&b);
		if (rows[i].is_unrecorded) {
			store_close(b.store);
			b.store = NULL;
		}
		if (rows[i].is_interrupted)
			assert_int_equal(raise(SIGINT), 0);
		FILE *out = open_memstream(&said, &n);
		assert_non_null(out);
		const struct asker a = { .reader = b.reader };
		assert_ok(deploy_follow(&a, 1, out, &ended, &s, &why));
		assert_int_equal(fclose(out), 0);
		assert_row(rows[i].label, ended == rows[i].want && s == rows[i].state);
		assert_row(rows[i].label, strstr(said, deployment_state_name(rows[i].state)) != NULL && strstr(said, " by alice: so\n") != NULL);
		free(said);
		assert_int_equal(sigpending(&pending), 0);
		assert_row(rows[i].label, sigismember(&pending, SIGINT) == 0); /* it ends nothing else */
		end(&b);
	}
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_list),          cmocka_unit_test(test_show),   cmocka_unit_test(test_hostile_plan),
		                            cmocka_unit_test(test_journal_grows), cmocka_unit_test(test_follow) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
