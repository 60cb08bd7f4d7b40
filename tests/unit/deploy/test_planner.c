/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "deploy/plan_compare.h"
#include "tests/unit/deploy/plan_maker.h"

static struct why why;
static struct maker m;

static struct deploy_plan *make(void)
{
	struct deploy_plan *p = NULL;
	assert_ok(planner_make(&m.arena, &m.in, &p, &why));
	return p;
}

/* A warning of that level that holds the text. */
static bool warns(const struct deploy_plan *p, enum warning_level level, const char *text)
{
	for (size_t i = 0; i < p->n_warnings; i++)
		if (p->warnings[i].level == level && strstr(p->warnings[i].text, text) != NULL)
			return true;
	return false;
}

/* "1 3 6 2": how many each wave has. */
static const char *sizes(const struct deploy_plan *p, char to[256])
{
	size_t at = 0;
	to[0] = '\0';
	for (size_t w = 0; w < p->n_waves; w++) {
		size_t n = 0;
		for (size_t i = 0; i < p->n_units; i++)
			n += plan_unit_acts(&p->units[i]) && p->units[i].wave == w;
		at += (size_t)snprintf(to + at, 256 - at, "%s%zu", w > 0 ? " " : "", n);
	}
	return to;
}

static void waves_have_their_sizes(void **state)
{
	(void)state;
	static const struct { const char *label; size_t n; struct fleet_wave waves[4]; size_t n_waves; struct fleet_wave max; bool is_whole; const char *want; size_t at_once; } rows[] = {
		{ "a canary, then shares",          12,  { { false, 1 }, { true, 0.25 }, { true, 0.5 } }, 3, { true, 0.25 }, false, "1 3 6 2", 3 },
		{ "the last size again and again",  10,  { { false, 1 }, { false, 4 } }, 2, { false, 2 }, false, "1 4 4 1", 2 },
		{ "shares are rounded up",          10,  { { true, 0.25 } }, 1, { true, 0.25 }, false, "3 3 3 1", 2 },
		{ "a tenth of thirty is three",     30,  { { true, 0.1 } }, 1, { true, 0.1 }, false, "3 3 3 3 3 3 3 3 3 3", 3 },
		{ "all at once",                    5,   { { true, 1 } }, 1, { true, 1 }, false, "5", 5 },
		{ "more than there are",            3,   { { false, 50 } }, 1, { false, 50 }, false, "3", 50 },
		{ "at least one at a time",         3,   { { true, 0.01 } }, 1, { true, 0.01 }, false, "1 1 1", 1 },
		{ "a single one",                   1,   { { false, 1 }, { true, 0.5 } }, 2, { true, 0.5 }, false, "1", 1 },
		{ "nothing declared",               8,   { { false, 0 } }, 0, { false, 0 }, false, "1 2 2 2 1", 1 },
		{ "a driver of the whole",          1,   { { true, 0.25 } }, 1, { true, 0.5 }, true, "1", 1 },
		{ "a hundred in waves of 25",       100, { { false, 25 } }, 1, { false, 25 }, false, "25 25 25 25", 25 },
	};
	char got[256];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, rows[i].n);
		memcpy(m.deploy.waves, rows[i].waves, sizeof rows[i].waves);
		m.deploy.n_waves = rows[i].n_waves;
		m.deploy.max_unavailable = rows[i].max;
		m.driver.is_whole = rows[i].is_whole;
		struct deploy_plan *p = make();
		if (strcmp(sizes(p, got), rows[i].want) != 0 || p->at_once != rows[i].at_once)
			fail_msg("%s: %s, %zu at once", rows[i].label, got, p->at_once);
		maker_release(&m);
	}
}

static void the_canary_is_one_that_is_well(void **state)
{
	(void)state;
	maker_init(&m, 6);
	m.units[0].is_up = false;
	m.found[1].is_ready = false;
	struct deploy_plan *p = make();
	assert_string_equal(p->units[0].unit.name, "node-03");
	assert_string_equal(p->units[1].unit.name, "node-01");
	for (size_t i = 0; i < 6; i++)
		m.units[i].is_up = m.found[i].is_ready = false;
	p = make();
	assert_string_equal(p->units[0].unit.name, "node-01");
	maker_release(&m);
}

/* What is down already is away as well. */
static void nodes_that_are_down_count(void **state)
{
	static const struct { const char *label; size_t n_down, n_out, beside; double capacity; enum warning_level level; const char *warning; enum confirm confirm; } rows[] = {
		{ "none",                           0, 0, 0,  100, WARNING_NOTE,    NULL, CONFIRM_KEY },
		{ "one that is changed",            1, 0, 0,  100, WARNING_NOTE,    "1 node is down already, among those that may be away", CONFIRM_KEY },
		{ "two elsewhere in the scope",     0, 0, 2,  100, WARNING_SERIOUS, "2 nodes are down already and stay so: max_unavailable allows 2 to be away", CONFIRM_NAME },
		{ "two that are left out",          2, 2, 0,  100, WARNING_SERIOUS, "2 nodes are down already and stay so", CONFIRM_NAME },
		{ "half of all, with what is down", 0, 0, 1,   41, WARNING_NOTE,    "49 % of the capacity of ranker is touched, 2 % more is down", CONFIRM_NAME },
		{ "half of all, without",           0, 0, 0,   41, WARNING_NOTE,    NULL, CONFIRM_KEY },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 20);
		m.in.n_down = rows[i].beside;
		m.in.capacity = rows[i].capacity;
		for (size_t k = 0; k < rows[i].n_down; k++) {
			m.units[k].is_up = false;
			m.units[k].is_down = true;
			if (k < rows[i].n_out)
				m.units[k].found = NULL;
		}
		struct deploy_plan *p = make();
		assert_row(rows[i].label, rows[i].warning == NULL || warns(p, rows[i].level, rows[i].warning));
		assert_row(rows[i].label, rows[i].warning != NULL || (!warns(p, WARNING_NOTE, "down") && !warns(p, WARNING_SERIOUS, "down")));
		assert_row(rows[i].label, p->confirm == rows[i].confirm && p->at_once == 2 && plan_n_down(p) == rows[i].n_down + rows[i].beside);
		struct buf text;
		struct arena a;
		struct deploy_plan *back = NULL;
		arena_init(&a);
		buf_init(&text, PLAN_BYTES_MAX);
		assert_ok(plan_write(p, &text));
		assert_ok(plan_read(&a, buf_text(&text), text.len, &back, &why));
		assert_row(rows[i].label, plan_n_down(back) == plan_n_down(p) && back->n_down == p->n_down);
		buf_release(&text);
		arena_release(&a);
		maker_release(&m);
	}
}

/* Room is warned of by what the machines' signals say, once for all that are alike. */
static void machines_without_room_are_told(void **state)
{
	static const struct { const char *label; double memory, disk; enum warning_level level; const char *warning; enum confirm confirm; } rows[] = {
		{ "nothing known", 0,    0,    WARNING_NOTE,    NULL, CONFIRM_KEY },
		{ "enough",        0.5,  0.89, WARNING_NOTE,    NULL, CONFIRM_KEY },
		{ "memory",        0.95, 0.1,  WARNING_CARE,    "main memory is short: over 92 % in use", CONFIRM_KEY },
		{ "no memory",     0.99, 0.1,  WARNING_CARE,    "main memory is short: over 98 % in use", CONFIRM_KEY },
		{ "disk",          0.1,  0.9,  WARNING_CARE,    "a file system is nearly full: over 90 % in use", CONFIRM_KEY },
		{ "no disk",       0.1,  1,    WARNING_SERIOUS, "a file system is nearly full: over 97 % in use", CONFIRM_NAME },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 20);
		m.in.capacity = 100;
		for (size_t k = 0; k < 2; k++) {
			m.units[k].memory_used = rows[i].memory;
			m.units[k].disk_used = rows[i].disk;
		}
		struct deploy_plan *p = make();
		size_t n = 0;
		for (size_t k = 0; k < p->n_warnings; k++)
			n += strstr(p->warnings[k].text, "in use") != NULL;
		assert_row(rows[i].label, n == (rows[i].warning != NULL) && (n == 0 || warns(p, rows[i].level, rows[i].warning)));
		assert_row(rows[i].label, p->confirm == rows[i].confirm);
		maker_release(&m);
	}
}

/* ---- who has its lock ---- */

static void locks_are_told(void **state)
{
	static const struct {
		const char *label; enum lock_state one, rest; bool needs_machine;
		enum warning_level level; const char *warning; bool has_lock; const char *no_lock, *takes; enum confirm confirm;
	} rows[] = { /* of the first unit, and the others */
		{ "free",                  LOCK_FREE,    LOCK_FREE,   true,  WARNING_NOTE,    NULL, true, "", "", CONFIRM_KEY },
		{ "somebody acts",         LOCK_HELD,    LOCK_FREE,   true,  WARNING_FORBIDS, "node-01: kim has it", true, "", "", CONFIRM_NAME },
		{ "on all of them",        LOCK_HELD,    LOCK_HELD,   true,  WARNING_FORBIDS, "kim has it", true, "", "", CONFIRM_NAME },
		{ "one was left",          LOCK_STALE,   LOCK_FREE,   true,  WARNING_SERIOUS, "node-01: kim has it: confirming takes its lock over", true, "", "key-1", CONFIRM_NAME },
		{ "one can have none",     LOCK_CANNOT,  LOCK_FREE,   true,  WARNING_CARE,    "node-01: it cannot be locked against other stores: kim has it", true, "kim has it", "", CONFIRM_KEY },
		{ "none can",              LOCK_CANNOT,  LOCK_CANNOT, true,  WARNING_CARE,    "it cannot be locked against other stores: kim has it", false, "kim has it", "", CONFIRM_KEY },
		{ "not known yet",         LOCK_UNKNOWN, LOCK_FREE,   true,  WARNING_NOTE,    NULL, true, "", "", CONFIRM_KEY },
		{ "no SSH, and none needed", LOCK_UNKNOWN, LOCK_FREE, false, WARNING_CARE,    "node-01: it cannot be locked", true, "kim has it", "", CONFIRM_KEY },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lock_seen seen[20];
		maker_init(&m, 20);
		m.in.lock = "/tmp/.pitwall-lock-x";
		m.in.capacity = 100;
		m.driver.needs_machine = rows[i].needs_machine;
		for (size_t k = 0; k < 20; k++) {
			seen[k] = (struct lock_seen){ .state = k == 0 ? rows[i].one : rows[i].rest, .key = "key-1", .text = "kim has it" };
			m.units[k].lock = &seen[k];
		}
		struct deploy_plan *p = make();
		const struct plan_unit *u = &p->units[0];
		const char *forbidden;
		assert_string_equal(u->unit.name, "node-01");
		assert_row(rows[i].label, rows[i].warning == NULL ? !warns(p, WARNING_CARE, "lock") && !warns(p, WARNING_SERIOUS, "lock") : warns(p, rows[i].level, rows[i].warning));
		assert_row(rows[i].label, plan_is_forbidden(p, &forbidden) == (rows[i].level == WARNING_FORBIDS));
		assert_row(rows[i].label, p->confirm == rows[i].confirm && (p->lock[0] != '\0') == rows[i].has_lock && (p->no_lock[0] == '\0') == rows[i].has_lock);
		assert_row(rows[i].label, strcmp(u->no_lock, rows[i].no_lock) == 0 && strcmp(u->takes_lock, rows[i].takes) == 0);
		struct buf text;
		struct arena a;
		struct deploy_plan *back = NULL;
		arena_init(&a);
		buf_init(&text, PLAN_BYTES_MAX);
		assert_ok(plan_write(p, &text));
		assert_ok(plan_read(&a, buf_text(&text), text.len, &back, &why));
		assert_row(rows[i].label, strcmp(back->lock, p->lock) == 0 && strcmp(back->no_lock, p->no_lock) == 0 && strcmp(back->units[0].no_lock, u->no_lock) == 0 &&
		                          strcmp(back->units[0].takes_lock, u->takes_lock) == 0);
		buf_clear(&text);
		assert_ok(plan_print(p, &text));
		assert_row(rows[i].label, strstr(buf_text(&text), rows[i].has_lock ? "/tmp/.pitwall-lock-x, made on each of them first" : "none, so that a run of another store") != NULL);
		buf_release(&text);
		arena_release(&a);
		maker_release(&m);
	}
}

/* ---- what a wave is about to touch ---- */

static void a_unit_is_looked_at_again(void **state)
{
	static const struct {
		const char *label; enum deploy_kind kind; enum version_source running;
		bool is_gone, is_forbidden, is_ready; const char *runs, *signal; enum plan_match want; const char *text;
	} rows[] = {
		{ "as it was",            DEPLOY_ROLLBACK, VERSION_DRIVER, false, false, true,  "v14", "",   PLAN_MATCHES,          "" },
		{ "another version",      DEPLOY_ROLLBACK, VERSION_DRIVER, false, false, true,  "v12", "",   PLAN_DIFFERS,          "it runs v12 by now, and ran v14 when this was planned" },
		{ "the one meant",        DEPLOY_ROLLBACK, VERSION_DRIVER, false, false, true,  "v13", "",   PLAN_DIFFERS,          "it runs v13 by now" },
		{ "one never seen",       DEPLOY_ROLLBACK, VERSION_DRIVER, false, false, true,  "v99", "",   PLAN_DIFFERS,          "it runs v99 by now" },
		{ "not known any more",   DEPLOY_ROLLBACK, VERSION_DRIVER, false, false, true,  "",    "",   PLAN_MATCHES,          "" },
		{ "the signal as it was", DEPLOY_ROLLBACK, VERSION_SIGNAL, false, false, true,  "v12", "14", PLAN_MATCHES,          "" },
		{ "another by signal",    DEPLOY_ROLLBACK, VERSION_SIGNAL, false, false, true,  "v14", "12", PLAN_DIFFERS,          "it runs v12 by now" },
		{ "a new one by signal",  DEPLOY_ROLLBACK, VERSION_SIGNAL, false, false, true,  "v14", "15", PLAN_DIFFERS,          "it runs 15 by now" },
		{ "the signal is silent", DEPLOY_ROLLBACK, VERSION_SIGNAL, false, false, true,  "v14", "",   PLAN_MATCHES,          "" },
		{ "it does not answer",   DEPLOY_ROLLBACK, VERSION_DRIVER, true,  false, true,  "v14", "",   PLAN_DIFFERS,          "it cannot be looked at: no route to host" },
		{ "it must not be",       DEPLOY_ROLLBACK, VERSION_DRIVER, false, true,  true,  "v14", "",   PLAN_DIFFERS,          "it is paused" },
		{ "ill, to be mended",    DEPLOY_ROLLBACK, VERSION_DRIVER, false, false, false, "v14", "",   PLAN_MATCHES,          "" },
		{ "ill, to be restarted", DEPLOY_REDEPLOY, VERSION_DRIVER, false, false, false, "v14", "",   PLAN_DIFFERS_BEARABLY, "it is not ready, and was" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[PLAN_DIFFERENCE];
		maker_init(&m, 2);
		m.in.kind = rows[i].kind;
		m.deploy.running = rows[i].running;
		m.units[0].running = m.units[1].running = "14";
		struct deploy_plan *p = make();
		struct found now = m.found[0];
		now.is_ready = rows[i].is_ready;
		now.versions[0].id = now.versions[0].name = rows[i].runs;
		now.versions[0].is_running = rows[i].runs[0] != '\0';
		if (rows[i].is_forbidden)
			now.warnings[now.n_warnings++] = (struct warning){ WARNING_FORBIDS, "it is paused" };
		const struct plan_sight sight = { .deploy = &m.deploy, .found = rows[i].is_gone ? NULL : &now, .why = "no route to host", .label = rows[i].signal };
		enum plan_match got = plan_compare(p, &p->units[0], &sight, text);
		if (got != rows[i].want || (rows[i].text[0] == '\0' ? text[0] != '\0' : strstr(text, rows[i].text) == NULL))
			fail_msg("%s: %d '%s'", rows[i].label, (int)got, text);
		maker_release(&m);
	}
}

/* ---- the version to go to ---- */

static void the_last_healthy_version_is_chosen(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		enum health health[3]; /* of v14, which runs, v13, v12 */
		bool        present[3];
		const char *wished, *to; /* "" none: it is forbidden */
		enum warning_level level;
		const char *warning;     /* NULL: none above a note */
	} rows[] = {
		{ "the one before was good",        { HEALTH_BAD, HEALTH_GOOD, HEALTH_GOOD },          { true, true, true }, "", "v13", WARNING_CARE, "configuration changed" },
		{ "the one before was bad",         { HEALTH_BAD, HEALTH_BAD, HEALTH_GOOD },           { true, true, true }, "", "v12", WARNING_CARE, "configuration changed" },
		{ "the one before is not known",    { HEALTH_BAD, HEALTH_UNKNOWN, HEALTH_GOOD },       { true, true, true }, "", "v12", WARNING_CARE, "configuration changed" },
		{ "the good one is gone",           { HEALTH_BAD, HEALTH_GOOD, HEALTH_GOOD },          { true, false, true }, "", "v12", WARNING_CARE, "configuration" },
		{ "all good ones are gone",         { HEALTH_BAD, HEALTH_GOOD, HEALTH_UNKNOWN },       { true, false, true }, "", "v13", WARNING_SERIOUS, "v13 is not there" },
		{ "none was ever healthy here",     { HEALTH_GOOD, HEALTH_UNKNOWN, HEALTH_UNKNOWN },   { true, true, true }, "", "v13", WARNING_SERIOUS,
		                                    "it is not known that version v13 ever was healthy here" },
		{ "bad ones are never offered",     { HEALTH_GOOD, HEALTH_BAD, HEALTH_UNKNOWN },       { true, true, true }, "", "v12", WARNING_SERIOUS, "v12 ever was healthy" },
		{ "all others are bad",             { HEALTH_GOOD, HEALTH_BAD, HEALTH_BAD },           { true, true, true }, "", "", WARNING_FORBIDS, "no version to go back to" },
		{ "a person chooses another",       { HEALTH_BAD, HEALTH_GOOD, HEALTH_GOOD },          { true, true, true }, "v12", "v12", WARNING_CARE, "configuration" },
		{ "a person chooses a bad one",     { HEALTH_GOOD, HEALTH_BAD, HEALTH_GOOD },          { true, true, true }, "v13", "v13", WARNING_SERIOUS,
		                                    "version v13 was not healthy here" },
		{ "a person chooses what is not",   { HEALTH_BAD, HEALTH_GOOD, HEALTH_GOOD },          { true, true, true }, "v99", "", WARNING_FORBIDS, "'v99' is not known" },
		{ "a person chooses what runs",     { HEALTH_GOOD, HEALTH_GOOD, HEALTH_GOOD },         { true, true, true }, "v14", "v14", WARNING_FORBIDS, "nothing to do" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 4);
		for (size_t k = 0; k < 3; k++) {
			m.health[k].health = rows[i].health[k];
			for (size_t n = 0; n < 4; n++)
				m.found[n].versions[k].is_present = rows[i].present[k];
		}
		m.in.wished = rows[i].wished;
		struct deploy_plan *p = make();
		const char *reason, *to = p->to != NULL ? p->to->version.id : "";
		if (strcmp(to, rows[i].to) != 0)
			fail_msg("%s: %s", rows[i].label, to);
		assert_row(rows[i].label, warns(p, rows[i].level, rows[i].warning));
		assert_row(rows[i].label, plan_is_forbidden(p, &reason) == (rows[i].level == WARNING_FORBIDS));
		assert_row(rows[i].label, p->confirm == (rows[i].level >= WARNING_SERIOUS ? CONFIRM_NAME : CONFIRM_KEY));
		assert_string_equal(p->from->version.id, "v14");
		maker_release(&m);
	}
}

static void without_a_source_of_truth_nothing_is_planned(void **state)
{
	(void)state;
	static const struct { const char *label; enum version_source running, history; bool has_running, has_history; const char *want; } rows[] = {
		{ "the driver tells both",         VERSION_DRIVER,  VERSION_DRIVER,  true,  true,  NULL },
		{ "signal and store tell",         VERSION_SIGNAL,  VERSION_STORE,   false, false, NULL },
		{ "nothing tells what runs",       VERSION_UNKNOWN, VERSION_DRIVER,  true,  true,  "declare `running: driver` or `running: signal` in `deploy:` of 'rankers-eu'" },
		{ "nothing tells what there was",  VERSION_DRIVER,  VERSION_UNKNOWN, true,  true,  "declare `history: driver` or `history: store`" },
		{ "a driver that doesn't know",    VERSION_DRIVER,  VERSION_STORE,   false, true,  "driver 'fake' can't tell which version runs" },
		{ "a driver without a history",    VERSION_DRIVER,  VERSION_DRIVER,  true,  false, "driver 'fake' can't tell which versions there were" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 4);
		m.deploy.running = rows[i].running;
		m.deploy.history = rows[i].history;
		m.driver.has_running = rows[i].has_running;
		m.driver.has_history = rows[i].has_history;
		for (size_t k = 0; k < 4; k++)
			m.units[k].running = "14";
		const char *reason = "";
		struct deploy_plan *p = make();
		assert_row(rows[i].label, plan_is_forbidden(p, &reason) == (rows[i].want != NULL));
		assert_row(rows[i].label, rows[i].want == NULL || strstr(reason, rows[i].want) != NULL);
		assert_row(rows[i].label, (p->n_waves == 0) == (rows[i].want != NULL));
		m.in.kind = DEPLOY_REDEPLOY; /* what runs is started again, whatever it is */
		assert_row(rows[i].label, !plan_is_forbidden(make(), &reason));
		maker_release(&m);
	}
}

/* Only the store's signals know of versions: by their labels. */
static void the_store_may_be_all_that_knows(void **state)
{
	(void)state;
	maker_init(&m, 4);
	m.deploy.running = VERSION_SIGNAL;
	m.deploy.history = VERSION_STORE;
	m.driver.has_running = m.driver.has_history = false;
	for (size_t k = 0; k < 4; k++) {
		m.units[k].running = "14";
		m.found[k].n_versions = 0;
	}
	struct deploy_plan *p = make();
	assert_string_equal(p->to->version.id, "13");
	assert_string_equal(p->from->version.id, "14");
	assert_int_equal(p->n_versions, 3);
	assert_string_equal(p->units[0].forward.items[1].ask.argv[2], "13");
	m.in.wished = "rc-1";
	p = make();
	assert_string_equal(p->to->version.id, "rc-1"); /* nobody has seen it yet, and the driver has no list */
	assert_true(warns(p, WARNING_SERIOUS, "version rc-1 ever was healthy"));
	maker_release(&m);
}

/* A driver that fetches what is not there goes to what nobody has seen yet, but never back to it. */
static void a_version_that_is_fetched_may_be_named(void **state)
{
	(void)state;
	maker_init(&m, 4);
	m.driver.may_fetch = true;
	m.in.wished = "v99";
	m.in.kind = DEPLOY_REDEPLOY;
	struct deploy_plan *p = make();
	assert_non_null(p->to);
	assert_string_equal(p->to->version.id, "v99");
	assert_false(warns(p, WARNING_FORBIDS, "v99") || warns(p, WARNING_SERIOUS, "version v99 is not there"));
	m.in.kind = DEPLOY_ROLLBACK;
	p = make();
	assert_true(warns(p, WARNING_FORBIDS, "'v99' is not known"));
	maker_release(&m);
}

static bool is_pause(const struct settings *s, const char *word)
{
	(void)s;
	return strcmp(word, "pause") == 0;
}

/* What a driver can do to what runs is asked for as a version is, and stays that version: nothing is said of a version that nobody knows. */
static void an_action_is_no_version(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 2; n++) { /* of several units it is not known which version stands for them */
		maker_init(&m, n);
		m.driver.is_action = is_pause;
		m.in.wished = "pause";
		m.in.kind = DEPLOY_REDEPLOY;
		struct deploy_plan *p = make();
		assert_string_equal(p->to->version.id, "pause");
		assert_string_equal(p->to->version.name, n == 1 ? "pause, v14" : "pause");
		assert_string_equal(p->to->version.tag, n == 1 ? "v14" : "");
		assert_true(p->units[0].forward.n > 0);
		assert_false(warns(p, WARNING_FORBIDS, "") || warns(p, WARNING_SERIOUS, ""));
		m.in.kind = DEPLOY_ROLLBACK;
		assert_true(warns(make(), WARNING_FORBIDS, "'pause' is not known"));
		maker_release(&m);
	}
}

/* What the driver calls v14 the signals call 14. */
static void a_signals_label_is_the_drivers_version(void **state)
{
	(void)state;
	maker_init(&m, 4);
	m.deploy.running = VERSION_SIGNAL;
	m.units[0].running = m.units[1].running = m.units[2].running = "14";
	m.units[3].running = "13";
	struct deploy_plan *p = make();
	assert_null(p->from);
	assert_string_equal(p->to->version.id, "v13");
	assert_true(p->versions[0].n_units == 3 && p->versions[1].n_units == 1 && p->n_versions == 3);
	assert_true(p->units[3].is_same && strcmp(p->units[3].unit.name, "node-04") == 0);
	maker_release(&m);
}

static void versions_are_merged_in_their_order(void **state)
{
	(void)state;
	maker_init(&m, 3);
	m.found[0].versions[0] = m.found[0].versions[1]; /* this one has not got v14 yet */
	m.found[0].versions[0].is_running = true;
	m.found[0].versions[1] = m.found[0].versions[2];
	m.found[0].n_versions = 2;
	m.found[2].versions[2].id = "\xff"; /* can't be written down */
	struct deploy_plan *p = make();
	assert_int_equal(p->n_versions, 3);
	assert_string_equal(p->versions[0].version.id, "v14");
	assert_string_equal(p->versions[1].version.id, "v13");
	assert_string_equal(p->versions[2].version.id, "v12");
	assert_true(p->versions[0].n_units == 2 && p->versions[1].n_units == 1 && !p->versions[2].version.is_present);
	assert_true(warns(p, WARNING_NOTE, "2 versions run side by side"));
	maker_release(&m);
}

/* ---- units ---- */

static void what_cant_be_changed_is_left_out(void **state)
{
	(void)state;
	char got[256];
	const char *reason;
	maker_init(&m, 8);
	m.units[1].found = m.units[2].found = NULL;
	m.units[1].why = m.units[2].why = "no route to host";
	m.unsupported = "node-05";
	m.found[6].versions[0].is_running = false; /* runs v13 already */
	m.found[6].versions[1].is_running = true;
	struct deploy_plan *p = make();
	assert_string_equal(sizes(p, got), "1 1 2");
	assert_false(plan_is_forbidden(p, &reason));
	assert_true(warns(p, WARNING_SERIOUS, "left out: node-02, node-03: no route to host"));
	assert_true(warns(p, WARNING_SERIOUS, "left out: node-05: the unit is masked"));
	assert_int_equal(p->confirm, CONFIRM_NAME);
	for (size_t i = 0; i < p->n_units; i++)
		assert_true(plan_unit_acts(&p->units[i]) == (p->units[i].forward.n > 0));
	assert_true(p->units[7].is_same && strcmp(p->units[7].unit.name, "node-07") == 0);
	maker_release(&m);
}

static void when_nothing_is_left_it_is_forbidden(void **state)
{
	(void)state;
	const char *reason = "";
	maker_init(&m, 2);
	m.units[0].found = m.units[1].found = NULL;
	m.units[0].why = m.units[1].why = "no route to host";
	assert_true(plan_is_forbidden(make(), &reason));
	maker_release(&m);
	maker_init(&m, 1);
	m.unsupported = "node-01";
	assert_true(plan_is_forbidden(make(), &reason));
	assert_string_equal(reason, "left out: node-01: the unit is masked");
	maker_release(&m);
	maker_init(&m, 0);
	assert_true(plan_is_forbidden(make(), &reason));
	maker_release(&m);
}

/* ---- warnings and the confirmation ---- */

static void warnings_say_where(void **state)
{
	(void)state;
	maker_init(&m, 4);
	for (size_t i = 0; i < 4; i++)
		m.found[i].warnings[m.found[i].n_warnings++] = (struct warning){ WARNING_NOTE, "everywhere" };
	for (size_t i = 1; i < 4; i++)
		m.found[i].warnings[m.found[i].n_warnings++] = (struct warning){ WARNING_CARE, "memory is short" };
	m.warned = "node-03";
	m.level = WARNING_SERIOUS;
	struct deploy_plan *p = make();
	size_t n = 0;
	for (size_t i = 0; i < p->n_warnings; i++) {
		n += strstr(p->warnings[i].text, "everywhere") != NULL;
		assert_true(i == 0 || p->warnings[i].level <= p->warnings[i - 1].level);
	}
	assert_int_equal(n, 1);
	assert_true(warns(p, WARNING_NOTE, "everywhere") && warns(p, WARNING_CARE, "node-02 and 2 more: memory is short"));
	assert_true(warns(p, WARNING_SERIOUS, "node-03: the disk is nearly full"));
	maker_release(&m);
}

/* What forbids at one node leaves it out; the others go on. */
static void a_driver_that_forbids_leaves_the_node_out(void **state)
{
	(void)state;
	const char *reason;
	maker_init(&m, 4);
	m.warned = "node-03";
	m.level = WARNING_FORBIDS;
	struct deploy_plan *p = make();
	assert_false(plan_is_forbidden(p, &reason));
	assert_true(warns(p, WARNING_SERIOUS, "left out: node-03: the disk is nearly full"));
	maker_release(&m);
}

static void others_are_told_of(void **state)
{
	(void)state;
	maker_init(&m, 4);
	m.in.last_ms = MAKER_NOW_MS - 12 * 60000;
	m.in.alert_model = "embedder";
	struct deploy_plan *p = make();
	assert_true(warns(p, WARNING_CARE, "another deployment of ranker ended 12m") && warns(p, WARNING_CARE, "the alert is about embedder, not about ranker"));
	m.in.last_ms = MAKER_NOW_MS - PLANNER_RECENT_MS;
	m.in.alert = 0;
	p = make();
	assert_false(warns(p, WARNING_CARE, "another deployment") || warns(p, WARNING_CARE, "the alert"));
	m.in.active = "bob rolls ranker back since 4m";
	p = make();
	assert_true(warns(p, WARNING_FORBIDS, "bob rolls ranker back since 4m"));
	maker_release(&m);
}

static void what_takes_a_typed_name(void **state)
{
	(void)state;
	static const struct { const char *label; double capacity, of_one; size_t n_same; bool is_protected; enum confirm want; } rows[] = {
		{ "a third of the model",          12, 1, 0, false, CONFIRM_KEY },
		{ "half of it",                    8,  1, 0, false, CONFIRM_KEY },
		{ "more than half of it",          7,  1, 0, false, CONFIRM_NAME },
		{ "all of it",                     0,  0, 0, false, CONFIRM_NAME },
		{ "half of it runs that already",  0,  0, 2, false, CONFIRM_KEY },
		{ "the first carries most",        0,  5, 3, false, CONFIRM_NAME },
		{ "protected",                     12, 1, 0, true,  CONFIRM_NAME },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 4);
		m.in.capacity = rows[i].capacity;
		m.units[0].capacity = rows[i].of_one;
		m.deploy.is_protected = rows[i].is_protected;
		for (size_t k = 0; k < rows[i].n_same; k++) {
			m.found[3 - k].versions[0].is_running = false;
			m.found[3 - k].versions[1].is_running = true;
		}
		struct deploy_plan *p = make();
		assert_row(rows[i].label, p->confirm == rows[i].want);
		assert_string_equal(p->name, "ranker");
		maker_release(&m);
	}
}

/* ---- what must hold of any plan ---- */

static uint32_t roll(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static void shuffle(uint32_t *seed, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = roll(seed) % i;
		struct planner_unit one = m.units[i - 1];
		m.units[i - 1] = m.units[k];
		m.units[k] = one;
	}
}

static void make_any(uint32_t seed, char names[32])
{
	size_t n = roll(&seed) % 60;
	maker_init(&m, n);
	m.deploy.n_waves = roll(&seed) % 4;
	for (size_t i = 0; i < m.deploy.n_waves; i++)
		m.deploy.waves[i] = roll(&seed) % 2 == 0 ? (struct fleet_wave){ true, (1 + roll(&seed) % 100) / 100.0 } : (struct fleet_wave){ false, 1 + roll(&seed) % 9 };
	m.deploy.max_unavailable = (struct fleet_wave){ true, (roll(&seed) % 101) / 100.0 };
	m.in.kind = roll(&seed) % 3 == 0 ? DEPLOY_REDEPLOY : DEPLOY_ROLLBACK;
	for (size_t i = 0; i < n; i++) {
		m.units[i].is_up = roll(&seed) % 4 != 0;
		m.found[i].is_ready = roll(&seed) % 5 != 0;
		size_t runs = roll(&seed) % 4; /* one in four tells of none */
		for (size_t k = 0; k < 3; k++) {
			m.found[i].versions[k].is_running = k == runs;
			m.found[i].versions[k].is_present = roll(&seed) % 6 != 0;
		}
		if (roll(&seed) % 7 == 0) {
			m.units[i].found = NULL;
			m.units[i].why = "no answer";
		}
	}
	if (n > 0 && roll(&seed) % 3 == 0) {
		snprintf(names, 32, "node-%02u", (unsigned)(1 + roll(&seed) % n));
		m.unsupported = names;
	}
	shuffle(&seed, n);
}

static void check_any(const struct deploy_plan *p, uint32_t seed)
{
	char label[32];
	snprintf(label, sizeof label, "seed %u", (unsigned)seed);
	size_t in_waves[MAKER_NODES_MAX + 1] = { 0 }, acting = 0;
	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = &p->units[i];
		assert_row(label, plan_unit_acts(u) ? u->wave < p->n_waves && u->forward.n > 0 && u->key[0] != '\0' : u->wave == p->n_waves && u->forward.n == 0);
		for (size_t k = 0; k < i; k++)
			assert_row(label, strcmp(p->units[k].unit.name, u->unit.name) != 0);
		in_waves[u->wave]++;
		acting += plan_unit_acts(u);
	}
	assert_row(label, p->n_units == m.in.n_units && p->at_once >= 1);
	for (size_t w = 0; w < p->n_waves; w++) {
		static const struct fleet_wave otherwise[] = { { false, 1 }, { true, 0.25 } };
		const struct fleet_wave *waves = m.deploy.n_waves > 0 ? m.deploy.waves : otherwise;
		size_t n = m.deploy.n_waves > 0 ? m.deploy.n_waves : 2;
		const struct fleet_wave *size = &waves[w < n ? w : n - 1];
		double most = size->is_share ? size->n * (double)acting + 1 : size->n;
		assert_row(label, in_waves[w] >= 1 && (double)in_waves[w] <= (most > 1 ? most : 1));
	}
	const char *reason;
	assert_row(label, (acting == 0) == plan_is_forbidden(p, &reason));
}

/* What is found out once a plan is made comes to stand where its level belongs. */
static void one_more_warning_is_told(void **state)
{
	static const struct {
		const char        *label;
		enum warning_level level;
		bool               forbids;
	} rows[] = { { "a note", WARNING_NOTE, false }, { "care", WARNING_CARE, false }, { "serious", WARNING_SERIOUS, false }, { "forbids", WARNING_FORBIDS, true } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *reason = "";
		maker_init(&m, 6);
		m.in.last_ms = m.in.now_ms - 60000; /* care */
		struct deploy_plan *p = make();
		size_t n = p->n_warnings, found = 0;
		enum confirm before = p->confirm;
		assert_ok(planner_tell(&m.arena, p, rows[i].level, "what was found", &why));
		assert_row(rows[i].label, p->n_warnings == n + 1);
		for (size_t k = 0; k < p->n_warnings; k++) {
			assert_row(rows[i].label, k == 0 || p->warnings[k - 1].level >= p->warnings[k].level);
			found += strcmp(p->warnings[k].text, "what was found") == 0 && p->warnings[k].level == rows[i].level;
		}
		assert_row(rows[i].label, found == 1 && plan_is_forbidden(p, &reason) == rows[i].forbids);
		assert_row(rows[i].label, p->confirm == (rows[i].level >= WARNING_SERIOUS ? CONFIRM_NAME : before));
		while (p->n_warnings < PLAN_WARNINGS_MAX)
			assert_ok(planner_tell(&m.arena, p, WARNING_NOTE, "many", &why));
		assert_ok(planner_tell(&m.arena, p, WARNING_FORBIDS, "one too many", &why));
		assert_row(rows[i].label, p->n_warnings == PLAN_WARNINGS_MAX && plan_is_forbidden(p, &reason));
		maker_release(&m);
	}
}

static void any_plan_is_whole_and_the_same_again(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 400; seed++) {
		char names[32];
		struct buf first, second;
		struct deploy_plan *p, *back = NULL;
		buf_init(&first, PLAN_BYTES_MAX);
		buf_init(&second, PLAN_BYTES_MAX);
		make_any(seed, names);
		p = make();
		check_any(p, seed);
		assert_int_equal(plan_write(p, &first), ERR_OK);
		assert_ok(plan_read(&m.arena, buf_text(&first), first.len, &back, &why));
		uint32_t other = seed + 1000;
		shuffle(&other, m.in.n_units); /* in whatever order the units are given */
		assert_int_equal(plan_write(make(), &second), ERR_OK);
		assert_string_equal(buf_text(&first), buf_text(&second));
		buf_release(&first);
		buf_release(&second);
		maker_release(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waves_have_their_sizes),
		cmocka_unit_test(one_more_warning_is_told),
		cmocka_unit_test(machines_without_room_are_told),
		cmocka_unit_test(nodes_that_are_down_count), cmocka_unit_test(locks_are_told), cmocka_unit_test(a_unit_is_looked_at_again),
		cmocka_unit_test(the_canary_is_one_that_is_well),
		cmocka_unit_test(the_last_healthy_version_is_chosen),
		cmocka_unit_test(without_a_source_of_truth_nothing_is_planned),
		cmocka_unit_test(the_store_may_be_all_that_knows),
		cmocka_unit_test(a_version_that_is_fetched_may_be_named),
		cmocka_unit_test(an_action_is_no_version),
		cmocka_unit_test(a_signals_label_is_the_drivers_version),
		cmocka_unit_test(versions_are_merged_in_their_order),
		cmocka_unit_test(what_cant_be_changed_is_left_out),
		cmocka_unit_test(when_nothing_is_left_it_is_forbidden),
		cmocka_unit_test(warnings_say_where),
		cmocka_unit_test(a_driver_that_forbids_leaves_the_node_out),
		cmocka_unit_test(others_are_told_of),
		cmocka_unit_test(what_takes_a_typed_name),
		cmocka_unit_test(any_plan_is_whole_and_the_same_again),
	};
	return cmocka_run_group_tests_name("the planner", tests, NULL, NULL);
}
