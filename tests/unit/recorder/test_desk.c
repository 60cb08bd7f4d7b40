/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs of alerting, with a clock of the test's own. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "alerts/spool.h"
#include "recorder/desk.h"
#include "tests/unit/store_folder.h"

enum { NOW_MS = 2000000000, HOUR_MS = 3600 * 1000, STEP_MS = 20 * 1000 };

struct fixture {
	struct store_folder at;
	struct test_clock   clock;
	struct store       *store;
	struct desk        *desk;
	struct fleet        fleet;
	struct labels      *labels, *none;
};

static struct why why;

static int setup(void **state)
{
	static const char *const group_by[] = { "alertname" };
	struct fixture *f = calloc(1, sizeof *f);
	store_folder_make(&f->at, "desk");
	test_clock_init(&f->clock, NOW_MS);
	f->labels = labels_of("alertname", "A", NULL);
	assert_ok(labels_new(NULL, 0, &f->none, &why));
	f->fleet = (struct fleet){ .name = "", .path = "", .alerting = { .group_by = group_by, .n_group_by = 1, .interval_ms = 10000 } };
	assert_ok(store_open(&(struct store_options){ .path = f->at.path, .clock = &f->clock.clock }, &f->store, &why));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char spool[128];
	desk_free(f->desk);
	store_close(f->store);
	labels_unref(f->labels);
	labels_unref(f->none);
	snprintf(spool, sizeof spool, "%s-requests", f->at.path);
	rmdir(spool);
	store_folder_remove(&f->at);
	free(f);
	return 0;
}

/* What comes of a job is written, as recorder/alerting.c does. */
static void work(struct fixture *f, const struct fleet *use)
{
	struct desk_job job = { .use = use };
	desk_work(f->desk, &job);
	for (size_t i = 0; i < job.n_pieces; i++) {
		struct changes *c = job.pieces[i].changes;
		job.pieces[i].changes = NULL;
		assert_ok(store_commit(f->store, c, NULL, &why));
	}
	assert_ok(store_flush(f->store, &why));
	desk_job_release(&job);
}

static enum err count(void *ctx, const struct alert_row *a)
{
	(void)a;
	++*(size_t *)ctx;
	return ERR_OK;
}

static size_t alerts(const struct fixture *f)
{
	size_t n = 0;
	struct reader *r = NULL;
	assert_ok(reader_open(f->at.path, READER_OWN, &r, &why));
	assert_ok(reader_alert_history(r, 0, NOW_MS + HOUR_MS, NULL, 100, count, &n, &why));
	reader_close(r);
	return n;
}

static void put(struct fixture *f, int64_t id, int64_t resolved_ms)
{
	struct changes *c = NULL;
	assert_ok(changes_new(&c, &why));
	changes_alert(c, &(struct alert_row){ .id = id, .rule = "A", .source = "f;g", .expr = "x", .group_key = "k", .labels = f->labels, .result = f->none,
	                                      .annotations = f->none, .active_ms = 10, .fired_ms = 10, .resolved_ms = resolved_ms });
	assert_ok(store_commit(f->store, c, NULL, &why));
	assert_ok(store_flush(f->store, &why));
}

static void begin(struct fixture *f, int64_t keep_ms)
{
	put(f, 1, NOW_MS - HOUR_MS - ALERT_RESOLVED_KEPT_MS - 1000); /* older than an hour and what a list shows as just over */
	put(f, 2, NOW_MS - HOUR_MS + 5 * 60 * 1000);
	put(f, 3, NOW_MS - 1000);
	f->fleet.alerting.keep_ms = keep_ms;
	assert_ok(desk_new(f->at.path, &f->clock.clock, &f->desk, &why));
	work(f, &f->fleet);
}

static void pass(struct fixture *f, int steps)
{
	for (int i = 0; i < steps; i++) {
		test_clock_advance(&f->clock, STEP_MS);
		work(f, NULL);
	}
}

static void what_is_older_than_keep_goes(void **state)
{
	struct fixture *f = *state;
	begin(f, HOUR_MS);
	assert_int_equal(alerts(f), 3);
	pass(f, 4);
	assert_int_equal(alerts(f), 2);
}

static void without_keep_nothing_goes(void **state)
{
	struct fixture *f = *state;
	begin(f, 0);
	pass(f, 10);
	assert_int_equal(alerts(f), 3);
}

/* A clock that is wrong for a moment makes all that there is look old. */
static void a_clock_that_jumps_ahead_takes_nothing_along(void **state)
{
	struct fixture *f = *state;
	begin(f, HOUR_MS);
	f->clock.now_wall_ms += INT64_C(365) * 24 * HOUR_MS;
	pass(f, 10);
	assert_int_equal(alerts(f), 3);
	f->clock.now_wall_ms -= INT64_C(365) * 24 * HOUR_MS;
	pass(f, 4);
	assert_int_equal(alerts(f), 2);
}

/* Jobs, until there is nothing to do: a machine that stands still for a second between two lines has the folder of requests looked at again. */
static void work_off(struct fixture *f)
{
	for (int n = 0; desk_is_due(f->desk); n++) {
		assert_true(n < 100);
		work(f, NULL);
	}
}

static void a_job_is_due_when_there_is_something_to_do(void **state)
{
	struct fixture *f = *state;
	static const char *const keys[] = { "{alertname=\"A\"}" };
	const struct spool_way way = { .store = f->at.path };
	struct request ack = { .kind = REQUEST_ACK, .asked_ms = NOW_MS, .who = "alice", .keys = keys, .n_keys = 1 };
	char path[160];
	assert_ok(desk_new(f->at.path, &f->clock.clock, &f->desk, &why));
	assert_true(desk_is_due(f->desk)); /* nobody could ask for anything yet */
	work(f, NULL);
	assert_false(desk_is_due(f->desk)); /* of no fleet there is nothing to do */
	work(f, &f->fleet);
	work_off(f);
	test_clock_advance(&f->clock, STEP_MS);
	assert_true(desk_is_due(f->desk)); /* a round */
	work_off(f);
	f->clock.now_wall_ms -= STEP_MS;
	assert_true(desk_is_due(f->desk)); /* the clock was set back */
	work_off(f);
	assert_ok(request_new_id(ack.asked_ms, ack.id, &why));
	assert_ok(spool_put(&way, &ack, &why));
	assert_true(desk_is_due(f->desk));
	work_off(f);
	snprintf(path, sizeof path, "%s-requests/%s.json", f->at.path, ack.id);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_older_than_keep_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(without_keep_nothing_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clock_that_jumps_ahead_takes_nothing_along, setup, teardown),
		cmocka_unit_test_setup_teardown(a_job_is_due_when_there_is_something_to_do, setup, teardown),
	};
	return cmocka_run_group_tests_name("jobs of alerting", tests, NULL, NULL);
}
