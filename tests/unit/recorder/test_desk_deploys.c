/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests about redeploys and rollbacks at the desk: who may is handed on whole, who may not stands in the audit, and a file stays until it is answered. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "recorder/desk.h"
#include "tests/unit/store_folder.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct bench {
	struct store_folder folder;
	struct store       *store;
	struct profiles    *profiles;
	struct fleet       *fleet;
	struct desk        *desk;
	struct account      account;
};

static struct why why;

/* `roles`: the word that the test's own account has. */
static void begin(struct bench *b, const char *rank)
{
	static const char *const none[] = { "/nowhere" };
	char text[500];
	*b = (struct bench){ 0 };
	store_folder_make(&b->folder, "desk");
	const struct store_options o = { .path = b->folder.path, .clock = clock_system(), .commit_ms = 10 };
	assert_ok(store_open(&o, &b->store, &why));
	assert_ok(profiles_load(none, 1, NULL, &b->profiles, &why));
	assert_ok(account_find(geteuid(), &b->account, &why));
	int n = snprintf(text, sizeof text, "groups: [ { name: g, targets: [ \"http://127.0.0.1:1/\" ] } ]\nroles: { %s: [ '%s' ], default: none }\n", rank, b->account.name);
	assert_ok(fleet_parse(text, (size_t)n, "f", b->profiles, NULL, &b->fleet, &why));
	assert_ok(desk_new(b->folder.path, clock_system(), &b->desk, &why));
	struct desk_job job = { .use = b->fleet };
	desk_work(b->desk, &job);
	assert_true(job.has_used);
	desk_job_release(&job);
}

static void end(struct bench *b)
{
	char spool[sizeof b->folder.path + 16];
	desk_free(b->desk);
	fleet_free(b->fleet);
	profiles_free(b->profiles);
	account_release(&b->account);
	store_close(b->store);
	snprintf(spool, sizeof spool, "%s-requests", b->folder.path);
	assert_int_equal(rmdir(spool), 0); /* no file was left */
	store_folder_remove(&b->folder);
}

static void leave(const struct bench *b, struct request *r)
{
	const struct spool_way way = { .store = b->folder.path };
	if (r->asked_ms == 0)
		r->asked_ms = clock_wall_ms(clock_system());
	assert_ok(request_new_id(r->asked_ms, r->id, &why));
	assert_ok(spool_put(&way, r, &why));
}

static void remove_file(struct bench *b, const char *id)
{
	struct desk_job job = { .n_remove = 1 };
	job.remove = calloc(1, sizeof *job.remove);
	assert_non_null(job.remove);
	snprintf(job.remove[0], REQUEST_ID, "%s", id);
	desk_work(b->desk, &job);
	assert_int_equal(job.n_deploys, 0); /* given once */
	desk_job_release(&job);
}

static void test_handed_on(void **state)
{
	static const struct request kinds[] = {
		{ .kind = REQUEST_PLAN, .verb = "rollback", .target = "ranker", .to = "v41", .comment = "p99 is up", .who = "alice", .origin = "192.0.2.7" },
		{ .kind = REQUEST_CONFIRM, .deployment = 3, .hash = HASH, .name = "ranker" },
		{ .kind = REQUEST_CONTROL, .deployment = 3, .verb = "undo", .comment = "worse" },
	};
	struct bench b;
	(void)state;
	begin(&b, "operator");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct request r = kinds[i];
		struct desk_job job = { .use = NULL };
		leave(&b, &r);
		desk_work(b.desk, &job);
		assert_int_equal(job.n_deploys, 1);
		const struct request *got = job.deploys[0].request;
		const struct actor actor = desk_deploy_actor(&job.deploys[0]);
		assert_string_equal(got->id, r.id);
		assert_int_equal(got->kind, r.kind);
		assert_int_equal(got->deployment, r.deployment);
		assert_string_equal(got->comment, r.comment != NULL ? r.comment : "");
		assert_string_equal(actor.account, b.account.name);
		assert_string_equal(actor.who, r.who != NULL ? r.who : b.account.name);
		assert_string_equal(actor.origin, r.origin != NULL ? r.origin : "");
		for (size_t p = 0; p < job.n_pieces; p++) { /* nothing says that it is done */
			assert_string_equal(job.pieces[p].request, "");
			assert_true(changes_is_empty(job.pieces[p].changes));
		}
		desk_job_release(&job);
		assert_true(spool_is_waiting(b.folder.path, r.id));
		remove_file(&b, r.id);
		assert_false(spool_is_waiting(b.folder.path, r.id));
	}
	end(&b);
}

struct seen {
	char text[400];
};

static enum err see(void *ctx, const struct audit_row *a)
{
	struct seen *s = ctx;
	snprintf(s->text, sizeof s->text, "%s %s", a->action, a->subject);
	return ERR_OK;
}

static enum err see_answer(void *ctx, const struct request_row *q)
{
	struct seen *s = ctx;
	snprintf(s->text, sizeof s->text, "%s: %s", err_text(q->err), q->text);
	return ERR_OK;
}

/* As the recorder does. */
static void commit(struct bench *b, struct desk_job *job)
{
	uint64_t ticket = 0;
	for (size_t i = 0; i < job->n_pieces; i++) {
		struct changes *c = job->pieces[i].changes;
		job->pieces[i].changes = NULL;
		if (changes_is_empty(c))
			changes_free(c);
		else
			assert_ok(store_commit(b->store, c, &ticket, &why));
	}
	if (ticket != 0)
		assert_ok(store_flush(b->store, &why));
}

static void test_denied(void **state)
{
	static const struct {
		const char    *label, *rank;
		struct request request;
		const char    *audit, *says;
	} rows[] = {
		{ "a viewer plans", "viewer", { .kind = REQUEST_PLAN, .verb = "rollback", .target = "ranker" }, "denied rollback ranker", "takes the role operator" },
		{ "a viewer confirms", "viewer", { .kind = REQUEST_CONFIRM, .deployment = 3, .hash = HASH }, "denied confirm deployment 3", "takes the role operator" },
		{ "a viewer aborts", "viewer", { .kind = REQUEST_CONTROL, .deployment = 3, .verb = "abort" }, "denied abort deployment 3", "takes the role operator" },
		{ "an operator passes a gate", "operator", { .kind = REQUEST_CONTROL, .deployment = 3, .verb = "pass" }, "denied pass deployment 3", "takes the role admin" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench b;
		struct request r = rows[i].request;
		struct desk_job job = { .use = NULL };
		struct reader *reader = NULL;
		struct seen seen = { "" };
		begin(&b, rows[i].rank);
		leave(&b, &r);
		desk_work(b.desk, &job);
		assert_row(rows[i].label, job.n_deploys == 0);
		commit(&b, &job);
		desk_job_release(&job);
		assert_ok(reader_open(b.folder.path, READER_OWN, &reader, &why));
		assert_ok(reader_audit(reader, 0, see, &seen, &why));
		assert_string_equal(seen.text, rows[i].audit);
		assert_ok(reader_request(reader, r.id, see_answer, &seen, &why));
		assert_row(rows[i].label, strstr(seen.text, rows[i].says) != NULL && strncmp(seen.text, "permission denied", 17) == 0);
		reader_close(reader);
		remove_file(&b, r.id);
		end(&b);
	}
}

/* What lay in the folder while nobody recorded is not done by surprise. */
static void test_old(void **state)
{
	struct bench b;
	struct request r = { .kind = REQUEST_CONTROL, .deployment = 3, .verb = "undo", .asked_ms = clock_wall_ms(clock_system()) - 10 * 60 * 1000 };
	struct desk_job job = { .use = NULL };
	struct reader *reader = NULL;
	struct seen seen = { "" };
	(void)state;
	begin(&b, "operator");
	leave(&b, &r);
	desk_work(b.desk, &job);
	assert_int_equal(job.n_deploys, 0);
	commit(&b, &job);
	desk_job_release(&job);
	assert_ok(reader_open(b.folder.path, READER_OWN, &reader, &why));
	assert_ok(reader_request(reader, r.id, see_answer, &seen, &why));
	assert_string_equal(seen.text, "timed out: it was asked for too long ago: ask again");
	reader_close(reader);
	remove_file(&b, r.id);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_handed_on), cmocka_unit_test(test_denied), cmocka_unit_test(test_old) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
