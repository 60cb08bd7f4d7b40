/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder that is left alone: when it goes on, and what is told of that. With runs under way: tests/e2e/test_hangup.c. */
#include "tests/unit/unit.h"

#include "recorder/alone.h"
#include "store/reader.h"
#include "tests/unit/recorder/bench.h"

static void test_decision(void **state)
{
	static const struct {
		const char         *label;
		enum fleet_hangup   choice;
		enum departure_kind kind;
		size_t              n_acting;
		enum alone_state    want;
	} rows[] = {
		{ "lost, finish, nothing runs",           FLEET_HANGUP_FINISH,    DEPARTURE_LOST,      0, ALONE_OVER },
		{ "lost, finish, a run",                  FLEET_HANGUP_FINISH,    DEPARTURE_LOST,      1, ALONE_GOES_ON },
		{ "lost, record, nothing runs",           FLEET_HANGUP_RECORD,    DEPARTURE_LOST,      0, ALONE_GOES_ON },
		{ "lost, record, runs",                   FLEET_HANGUP_RECORD,    DEPARTURE_LOST,      3, ALONE_GOES_ON },
		{ "lost, interrupt, nothing runs",        FLEET_HANGUP_INTERRUPT, DEPARTURE_LOST,      0, ALONE_OVER },
		{ "lost, interrupt, a run",               FLEET_HANGUP_INTERRUPT, DEPARTURE_LOST,      1, ALONE_OVER },
		{ "let go, finish, nothing runs any more", FLEET_HANGUP_FINISH,   DEPARTURE_LET_GO,    0, ALONE_OVER },
		{ "let go, finish, a run",                FLEET_HANGUP_FINISH,    DEPARTURE_LET_GO,    1, ALONE_GOES_ON },
		{ "let go, record, nothing runs",         FLEET_HANGUP_RECORD,    DEPARTURE_LET_GO,    0, ALONE_GOES_ON },
		{ "let go, whatever the file says",       FLEET_HANGUP_INTERRUPT, DEPARTURE_LET_GO,    1, ALONE_GOES_ON },
		{ "a person interrupts, finish",          FLEET_HANGUP_FINISH,    DEPARTURE_INTERRUPT, 1, ALONE_OVER },
		{ "a person interrupts, record",          FLEET_HANGUP_RECORD,    DEPARTURE_INTERRUPT, 1, ALONE_OVER },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].label, alone_decide(rows[i].choice, rows[i].kind, rows[i].n_acting) == rows[i].want);
}

static enum err count_audit(void *ctx, const struct audit_row *a)
{
	*(size_t *)ctx += strcmp(a->action, "hangup") == 0 && strcmp(a->actor.who, "kim") == 0 && strcmp(a->actor.origin, "192.0.2.7") == 0;
	return ERR_OK;
}

static size_t audited(struct bench *b)
{
	struct reader *r = NULL;
	struct why why = { "" };
	size_t n = 0;
	assert_ok(store_flush(b->store, &why));
	assert_ok(reader_open(b->store_path, READER_OWN, &r, &why));
	assert_ok(reader_audit(r, 0, count_audit, &n, &why));
	reader_close(r);
	return n;
}

/* Nothing runs: it goes on only where the fleet file says so, and only that is told. The second call changes nothing. */
static void test_told(void **state)
{
	static const struct {
		const char      *label, *setting;
		enum alone_state want;
		size_t           n_told;
	} rows[] = {
		{ "not said",  "",                       ALONE_OVER,    0 },
		{ "record",    "on_hangup: record\n",    ALONE_GOES_ON, 1 },
		{ "interrupt", "on_hangup: interrupt\n", ALONE_OVER,    0 },
	};
	const struct departure lost = { .kind = DEPARTURE_LOST, .actor = { .who = "kim", .account = "ops", .origin = "192.0.2.7" } };
	const struct departure left = { .kind = DEPARTURE_INTERRUPT, .actor = lost.actor };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench b;
		bench_open(&b);
		bench_write(&b, "fleet.yml", "%sgroups: [ { name: g, interval: 500ms, timeout: 500ms, targets: [ \"http://127.0.0.1:9/metrics\" ] } ]\n", rows[i].setting);
		bench_go(&b);
		assert_row(rows[i].label, recorder_progress(b.recorder).alone == ALONE_NOT && recorder_progress(b.recorder).n_acting == 0);
		recorder_leave_alone(b.recorder, &lost);
		assert_row(rows[i].label, recorder_progress(b.recorder).alone == rows[i].want);
		recorder_leave_alone(b.recorder, &left);
		assert_row(rows[i].label, recorder_progress(b.recorder).alone == rows[i].want);
		assert_row(rows[i].label, audited(&b) == rows[i].n_told);
		assert_row(rows[i].label, bench_events(&b, "recorder", "kim's console has lost its terminal: it goes on recording in the background") == rows[i].n_told);
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_decision), cmocka_unit_test(test_told) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
