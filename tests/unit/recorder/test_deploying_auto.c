/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a model may be rolled back by itself once more: the day's number, the dead band, and runs that are active, out of the journal. */
#include "tests/unit/unit.h"

#include "recorder/deploying_private.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };
static const int64_t NOW = INT64_C(1790000000000);

static struct why why;

enum { RUNS = 3 };
struct past {
	const char           *model;
	bool                  by_itself;
	int64_t               began, ended; /* before now; began 0: no such run, or planned only; ended 0: still going on */
	enum deployment_state last;
};

static void write_run(struct changes *c, int64_t id, const struct past *p)
{
	const struct actor actor = { p->by_itself ? "pitwall" : "kim", "pitwall", p->by_itself ? DEPLOYING_POLICY : "10.0.0.5" }, nobody = { "", "", "" };
	int64_t planned_ms = NOW - p->began - 1000;
	changes_deployment(c, &(struct deployment_row){ .id = id, .kind = "rollback", .scope = "s", .model = p->model, .driver = "systemd", .target = "t", .from = "2",
	                                                .to = "1", .plan = "{}", .hash = "h", .request = "", .actor = actor, .reason = "", .planned_ms = planned_ms });
	changes_deployment_change(c, &(struct deployment_change){ .deployment = id, .at_ms = planned_ms, .state = DEPLOYMENT_PLANNED, .actor = nobody, .text = "" });
	if (p->last == DEPLOYMENT_EXPIRED) {
		changes_deployment_change(c, &(struct deployment_change){ .deployment = id, .at_ms = NOW - p->ended, .state = p->last, .actor = nobody, .text = "" });
		return;
	}
	changes_deployment_change(c, &(struct deployment_change){ .deployment = id, .at_ms = NOW - p->began, .state = DEPLOYMENT_RUNNING, .actor = nobody, .text = "" });
	if (p->last != DEPLOYMENT_RUNNING)
		changes_deployment_change(c, &(struct deployment_change){ .deployment = id, .at_ms = NOW - p->ended, .state = p->last, .actor = nobody, .text = "" });
}

static void test_may(void **state)
{
	static const struct {
		const char *label;
		int         per_day;
		int64_t     pause;
		struct past past[RUNS];
		bool        may;
	} rows[] = {
		{ "nothing ran", 1, HOUR, { { .model = NULL } }, true },
		{ "one by itself today", 1, HOUR, { { "m", true, 5 * HOUR, 4 * HOUR, DEPLOYMENT_DONE } }, false },
		{ "of two that may be", 2, HOUR, { { "m", true, 5 * HOUR, 4 * HOUR, DEPLOYMENT_DONE } }, true },
		{ "one by itself, a day and a minute ago", 1, HOUR, { { "m", true, 24 * HOUR + MINUTE, 23 * HOUR, DEPLOYMENT_DONE } }, true },
		{ "one by a person today", 1, HOUR, { { "m", false, 5 * HOUR, 4 * HOUR, DEPLOYMENT_DONE } }, true },
		{ "one by a person in the dead band", 1, HOUR, { { "m", false, 2 * HOUR, 59 * MINUTE, DEPLOYMENT_DONE } }, false },
		{ "at its end", 1, HOUR, { { "m", false, 2 * HOUR, 60 * MINUTE, DEPLOYMENT_DONE } }, true },
		{ "undone in the dead band", 1, HOUR, { { "m", false, 2 * HOUR, 10 * MINUTE, DEPLOYMENT_UNDONE } }, false },
		{ "of another model", 1, HOUR, { { "other", true, 2 * HOUR, 10 * MINUTE, DEPLOYMENT_DONE } }, true },
		{ "planned and never begun", 1, HOUR, { { "m", false, 20 * MINUTE, 5 * MINUTE, DEPLOYMENT_EXPIRED } }, true },
		{ "running", 5, MINUTE, { { "m", false, 20 * MINUTE, 0, DEPLOYMENT_RUNNING } }, false },
		{ "stopped, and left so for days", 5, MINUTE, { { "m", false, 100 * HOUR, 99 * HOUR, DEPLOYMENT_STOPPED } }, false },
		{ "a dead band of days, two days ago", 5, 72 * HOUR, { { "m", true, 48 * HOUR, 47 * HOUR, DEPLOYMENT_DONE } }, false },
		{ "four days ago", 5, 72 * HOUR, { { "m", true, 96 * HOUR, 95 * HOUR, DEPLOYMENT_DONE } }, true },
		{ "the last of several counts", 5, HOUR,
		  { { "m", true, 9 * HOUR, 8 * HOUR, DEPLOYMENT_DONE }, { "m", false, HOUR, 30 * MINUTE, DEPLOYMENT_DONE }, { "m", true, 20 * HOUR, 19 * HOUR, DEPLOYMENT_DONE } }, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store_folder at;
		struct test_clock clock;
		struct store *store = NULL;
		struct reader *r = NULL;
		struct changes *c = NULL;
		struct auto_runs runs;
		const struct fleet_auto_rollback a = { .is_on = true, .per_day = rows[i].per_day, .pause_ms = rows[i].pause };
		store_folder_make(&at, "auto");
		test_clock_init(&clock, NOW);
		assert_ok(store_open(&(struct store_options){ .path = at.path, .clock = &clock.clock }, &store, &why));
		assert_ok(changes_new(&c, &why));
		for (size_t k = 0; k < RUNS && rows[i].past[k].model != NULL; k++)
			write_run(c, (int64_t)k + 1, &rows[i].past[k]);
		assert_ok(store_commit(store, c, NULL, &why));
		assert_ok(store_flush(store, &why));
		assert_ok(reader_open(at.path, READER_OWN, &r, &why));
		assert_ok(deploying_auto_runs(r, "m", a.pause_ms, NOW, &runs, &why));
		assert_row(rows[i].label, deploying_auto_may(&runs, &a, NOW) == rows[i].may);
		reader_close(r);
		store_close(store);
		store_folder_remove(&at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_may),
	};
	return cmocka_run_group_tests_name("deploying_auto", tests, NULL, NULL);
}
