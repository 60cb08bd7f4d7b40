/* SPDX-License-Identifier: Apache-2.0
 *
 * What `--dry-run` prints: the whole sheet once word for word, then what must hold of any. */
#include "tests/unit/unit.h"

#include "base/text.h"
#include "deploy/lock.h"
#include "deploy/print_lines.h"
#include "tests/unit/deploy/plan_maker.h"

static struct why why;
static struct maker m;

static int teardown(void **state)
{
	(void)state;
	maker_release(&m);
	return 0;
}

static struct deploy_plan *make(void)
{
	struct deploy_plan *p = NULL;
	assert_ok(planner_make(&m.arena, &m.in, &p, &why));
	return p;
}

static struct buf printed(const struct deploy_plan *p)
{
	struct buf b;
	buf_init(&b, PLAN_BYTES_MAX);
	assert_int_equal(plan_print(p, &b), ERR_OK);
	return b;
}

static void the_whole_sheet(void **state)
{
	(void)state;
	maker_init(&m, 6);
	m.units[1].found = NULL;
	m.units[1].why = "no route to host";
	m.odd = "node-05";
	m.deploy.takes_two = true;
	m.in.took_ms = 252000;
	struct buf b = printed(make());
	assert_string_equal(buf_text(&b),
		"Rollback of ranker\n"
		"  scope       rankers-eu, by driver fake, asked for as ranker\n"
		"  now         v14 on 5 of 6 since 1970-01-20T15:13:20Z, for 1h\n"
		"  then        v13, good here: served 6d 2h, p99 0.81 s, errors 0.1 %\n"
		"  why         p99 is high\n"
		"  alert       7\n"
		"\n"
		"Warnings\n"
		"  SERIOUS     left out: node-02: no route to host\n"
		"  care        the configuration changed between the two versions\n"
		"\n"
		"Difference\n"
		"  tag         v14 -> v13\n"
		"  model       14 -> 13\n"
		"  config      c2 -> c1\n"
		"\n"
		"Waves: 3, at most 1 changed at once\n"
		"  wave 1      node-01\n"
		"  wave 2      node-03, node-04\n"
		"  wave 3      node-05, node-06\n"
		"  left out    node-02: no route to host\n"
		"\n"
		"Steps on node-01\n"
		"   1  take node-01 out of rotation (within 10m)\n"
		"        POST http://node-01.example:8000/drain\n"
		"   2  start v13 (within 15m)\n"
		"        run-model --version v13 --key 0193a5c2-f0e1-1\n"
		"   3  wait until v13 serves, changes nothing (within 10m)\n"
		"        GET http://node-01.example:8000/ready\n"
		"  The same on 3 more, with their own names.\n"
		"  On node-05 instead:\n"
		"   2  start v13 (within 15m)\n"
		"        run-model --version v13 --key 0193a5c2-f0e1-5 --slowly\n"
		"\n"
		"Gate after each wave\n"
		"  each one that was changed serves version v13 within 15m\n"
		"  then for 2m, compared with the 10m before the run and with those not touched yet:\n"
		"    latency p99 at most 1.2 times as long\n"
		"    error ratio at most 1 % points higher\n"
		"    quality at most 2 % points lower\n"
		"    GPU memory at most 1.1 times as much\n"
		"    fewer than 20 requests are no data, and no data is never success\n"
		"  where it does not hold, the run stops and a person decides\n"
		"\n"
		"What undo does, on node-01\n"
		"   1  take node-01 out of rotation (within 10m)\n"
		"   2  start v14 (within 15m)\n"
		"   3  wait until v14 serves, changes nothing (within 10m)\n"
		"  The same on 4 more, with their own names.\n"
		"\n"
		"To confirm\n"
		"  type the name: ranker\n"
		"  and a second person, from a console of their own\n"
		"\n"
		"The last such run took 4m12s\n"
		"\n"
		"Versions, newest first\n"
		"  v14         bad: served 1h, p99 2.4 s, errors 6 %; runs on 5; since 1970-01-20T15:13:20Z; by ci:\n"
		"              merge\n"
		"  v13         good: served 6d 2h, p99 0.81 s, errors 0.1 %; the one to go to; since\n"
		"              1970-01-19T16:13:20Z; by ci: merge\n"
		"  v12         good: served 9d, p99 0.79 s, errors 0.1 %; since 1970-01-18T16:13:20Z; by ci: merge\n");
	buf_release(&b);
}

/* Each row changes one thing, and one line tells of it. */
static void begin_forbidden(void) { m.in.active = "bob rolls ranker back"; }
static void begin_undo(void) { m.deploy.on_failure = GATE_UNDO; }
static void begin_redeploy(void) { m.in.kind = DEPLOY_REDEPLOY; }
static void begin_there(void)
{
	m.found[2].versions[0].is_running = false;
	m.found[2].versions[1].is_running = true;
}
static void begin_alike(void)
{
	for (size_t i = 0; i < 4; i++) {
		m.found[i].versions[1].tag = "v14";
		m.found[i].versions[1].model_version = "14";
		m.found[i].versions[1].config_hash = "c2";
		m.found[i].versions[1].id = "a13"; /* the health of "13" is not its own any more */
	}
}
static void begin_unknown(void) { m.deploy.running = VERSION_UNKNOWN; }
static void begin_no_limits(void) { m.deploy.gate.error_add = 0; }
static void begin_nothing(void) { }

static void what_it_says(void **state)
{
	(void)state;
	static const struct { const char *label; void (*begin)(void); const char *has, *has_not; } rows[] = {
		{ "one key",                 begin_nothing,   "To confirm\n  y\n", "type the name" },
		{ "no run is on record",     begin_nothing,   "How long it takes is not known", "took" },
		{ "forbidden",               begin_forbidden, "To confirm\n  it can't be: bob rolls ranker back\n", "  y\n" },
		{ "and that first",          begin_forbidden, "Warnings\n  FORBIDDEN   bob rolls", NULL },
		{ "a failed gate undoes",    begin_undo,      "all that was touched is undone", "a person decides" },
		{ "a redeploy",              begin_redeploy,  "Redeploy of ranker\n", "Rollback" },
		{ "nothing differs",         begin_redeploy,  "the same image, tag, model version and configuration", "->" },
		{ "one runs it already",     begin_there,     "  no change   node-03: there already\n", NULL },
		{ "several run now",         begin_there,     "  now         v14 on 3 of 4 since 1970-01-20T15:13:20Z, for 1h\n              v13 on 1 of 4 since", NULL },
		{ "another name, all alike", begin_alike,     "Difference\n  the same image", "c1" },
		{ "nothing is known",        begin_unknown,   "  now         not known\n  then        no version\n", "Steps on" },
		{ "a limit that is none",    begin_no_limits, "latency p99", "error ratio" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 4);
		rows[i].begin();
		m.in.wished = rows[i].begin == begin_alike ? "a13" : "";
		struct buf b = printed(make());
		if (strstr(buf_text(&b), rows[i].has) == NULL || (rows[i].has_not != NULL && strstr(buf_text(&b), rows[i].has_not) != NULL))
			fail_msg("%s: it says\n%s", rows[i].label, buf_text(&b));
		buf_release(&b);
		maker_release(&m);
	}
	maker_init(&m, 0);
}

/* ---- alike but for their names ---- */

static void names_are_words(void **state)
{
	(void)state;
	static const struct { const char *label, *first, *second; bool is_same; } rows[] = {
		{ "only their names",               "stop node-01",          "stop node-02",          true },
		{ "another word besides",           "stop node-01 -f",       "stop node-02",          false },
		{ "a name within a word",           "stop xnode-01",         "stop xnode-02",         false },
		{ "a name that begins another",     "stop node-011",         "stop node-021",         false },
		{ "each the other's",               "stop node-02",          "stop node-01",          false },
		{ "a name in a path",               "rm /srv/node-01/a",     "rm /srv/node-02/a",     true },
		{ "the mark of a name is no name",  "stop \001" "0.",        "stop node-02",          false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		maker_init(&m, 2);
		struct deploy_plan *p = make();
		const char *const argv[2][1] = { { rows[i].first }, { rows[i].second } };
		for (size_t k = 0; k < 2; k++) {
			p->units[k].forward.items[1].ask.argv = argv[k];
			p->units[k].forward.items[1].ask.n_argv = 1;
		}
		struct buf b = printed(p);
		assert_row(rows[i].label, (strstr(buf_text(&b), "On node-02 instead:") == NULL) == rows[i].is_same);
		buf_release(&b);
		maker_release(&m);
	}
	maker_init(&m, 0);
}

/* Each unit is another one: there are some, and then one line for the rest. */
static void many_kinds_are_not_listed_without_end(void **state)
{
	(void)state;
	maker_init(&m, 60);
	struct deploy_plan *p = make();
	char words[60][16];
	const char *argv[60][1];
	for (size_t i = 0; i < p->n_units; i++) {
		snprintf(words[i], sizeof words[i], "w%u", (unsigned)i);
		argv[i][0] = words[i];
		p->units[i].forward.items[1].ask.argv = argv[i];
		p->units[i].forward.items[1].ask.n_argv = 1;
	}
	struct buf b = printed(p);
	assert_non_null(strstr(buf_text(&b), "and 40 more, which differ among themselves too:"));
	buf_release(&b);
}

/* ---- what must hold of any text ---- */

static void check_lines(const char *label, const struct buf *b)
{
	for (const char *p = buf_text(b); *p != '\0';) {
		size_t n = strcspn(p, "\n");
		struct buf safe;
		buf_init(&safe, 1 << 20);
		assert_int_equal(text_safe(&safe, p, n), ERR_OK);
		if (text_width(p, n) > PLAN_COLUMNS)
			fail_msg("%s: %d columns: %.*s", label, text_width(p, n), (int)n, p);
		assert_row(label, safe.len == n && (n == 0 || memcmp(safe.data, p, n) == 0)); /* it was safe already */
		buf_release(&safe);
		p += n + (p[n] == '\n');
	}
}

static void lines_are_broken_and_nothing_is_lost(void **state)
{
	(void)state;
	static const struct { const char *label, *in; int first, rest; } rows[] = {
		{ "short",               "a b", 0, 2 },
		{ "empty",               "", 4, 4 },
		{ "words",               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccc ddddddddddddddddddddddd eeeee", 0, 4 },
		{ "exactly a line",      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, 4 },
		{ "one more",            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, 4 },
		{ "wide ones",           "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac", 91, 95 },
		{ "blanks at a break",   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa   b", 0, 4 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b, got, want;
		buf_init(&b, 4096);
		buf_init(&got, 4096);
		buf_init(&want, 4096);
		line_put(&b, rows[i].first, rows[i].rest, rows[i].in, strlen(rows[i].in));
		check_lines(rows[i].label, &b);
		for (const char *p = buf_text(&b); *p != '\0'; p++)
			if (*p != ' ' && *p != '\n')
				buf_putc(&got, *p);
		for (const char *p = rows[i].in; *p != '\0'; p++)
			if (*p != ' ')
				buf_putc(&want, *p);
		assert_string_equal(buf_text(&got), buf_text(&want));
		buf_release(&b);
		buf_release(&got);
		buf_release(&want);
	}
	maker_init(&m, 0);
}

static void hostile_texts_stay_in_their_lines(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"\x1b[2J\x1b]0;x\x07", "a\nTo confirm\n  y", "\xff\xfe", "\xe2\x80\xae turned", "\t\t\r", "e\xcc\x81\xcc\x81\xcc\x81", "%s%n%1000d",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *t = texts[i];
		maker_init(&m, 4);
		for (size_t k = 0; k < 4; k++) {
			struct version *v = &m.found[k].versions[1];
			v->name = v->image = v->tag = v->config_hash = v->by = v->cause = t;
			m.found[k].warnings[m.found[k].n_warnings++] = (struct warning){ WARNING_CARE, t };
		}
		m.health[1].evidence = m.in.reason = m.in.active = t;
		m.units[3].found = NULL;
		m.units[3].why = t;
		m.units[2].unit.destination = m.units[2].unit.group = t;
		m.deploy.name = m.deploy.model = m.in.target = t;
		struct buf b = printed(make());
		check_lines(t, &b);
		assert_row(t, strstr(buf_text(&b), "\nTo confirm\n  y") == NULL); /* it is forbidden, and no text can say otherwise */
		buf_release(&b);
		maker_release(&m);
	}
	maker_init(&m, 0);
}

/* A long body and a long command are there to the last byte. */
static void what_is_sent_is_printed_whole(void **state)
{
	(void)state;
	char body[3000], word[600];
	for (size_t i = 0; i < sizeof body - 1; i++)
		body[i] = (char)('a' + i * 7 % 26);
	for (size_t i = 0; i < sizeof word - 1; i++)
		word[i] = (char)('A' + i * 5 % 26);
	body[sizeof body - 1] = word[sizeof word - 1] = '\0';
	maker_init(&m, 1);
	struct deploy_plan *p = make();
	struct step *s = p->units[0].forward.items;
	s[0].ask.body = body;
	const char *argv[] = { "x", word, "y z" };
	s[1].ask.argv = argv;
	s[1].ask.n_argv = 3;
	struct buf b = printed(p), joined;
	buf_init(&joined, 1 << 20);
	check_lines("long", &b);
	for (const char *c = buf_text(&b); *c != '\0'; c++)
		if (*c != ' ' && *c != '\n')
			buf_putc(&joined, *c);
	assert_non_null(strstr(buf_text(&joined), body));
	assert_non_null(strstr(buf_text(&joined), word));
	assert_non_null(strstr(buf_text(&joined), "'yz'"));
	buf_release(&joined);
	buf_release(&b);
}

/* A request that is made of what another answers: both stand there, and in the journal. */
static void what_is_made_of_an_answer(void **state)
{
	(void)state;
	maker_init(&m, 1);
	struct deploy_plan *p = make(), *back = NULL;
	struct step *s = &p->units[0].forward.items[1];
	ask_http(&m.arena, &s->ask, "GET", "http://h/revisions/2", NULL);
	ask_http(&m.arena, &s->shown, "PATCH", "http://h/workload", "{\"key\":\"****\"}");
	struct buf text = { 0 }, b;
	buf_init(&text, PLAN_BYTES_MAX);
	assert_int_equal(plan_write(p, &text), ERR_OK);
	assert_ok(plan_read(&m.arena, buf_text(&text), text.len, &back, &why));
	assert_int_equal(back->units[0].forward.items[0].shown.kind, ASK_NONE);
	b = printed(back);
	assert_non_null(strstr(buf_text(&b), "   2  start v13 (within 15m)\n"
	                                     "        GET http://h/revisions/2\n"
	                                     "          and, with what stands there in place of ****:\n"
	                                     "          PATCH http://h/workload\n"
	                                     "          Content-Type: application/json\n"
	                                     "          {\"key\":\"****\"}\n"));
	buf_release(&text);
	buf_release(&b);
}

/* Without its blanks, which are where lines are broken. */
static const char *squeezed(const char *text)
{
	char *to = arena_zeroed(&m.arena, strlen(text) + 1, 1), *end = to;
	assert_non_null(to);
	for (; *text != '\0'; text++)
		if (*text != ' ' && *text != '\n' && *text != '\t')
			*end++ = *text;
	return to;
}

static void assert_holds(const char *sheet, const struct ask *ask)
{
	struct buf text;
	buf_init(&text, PLAN_BYTES_MAX);
	assert_ok(ask_print(ask, PLAN_BYTES_MAX, &text));
	if (strstr(squeezed(sheet), squeezed(buf_text(&text))) == NULL)
		fail_msg("%s is not in %s", buf_text(&text), sheet);
	buf_release(&text);
}

/* Word for word what the recorder will send (recorder/deploying_lock.c), but for who confirms and where. */
static void what_locks_is_printed_whole(void **state)
{
	struct lock_seen seen[3] = { { .state = LOCK_FREE }, { .state = LOCK_STALE, .key = "key-of-kim", .text = "kim has it" }, { .state = LOCK_FREE } };
	const struct lock_holder h = { "0193a5c2-f0e1", "{who}", "{host}", "rollback of rankers-eu to v13" };
	struct ask take, give_back;
	(void)state;
	maker_init(&m, 3);
	m.in.lock = "/tmp/.pitwall-lock-ranker-1";
	for (size_t i = 0; i < 3; i++)
		m.units[i].lock = &seen[i];
	struct buf b = printed(make());
	lock_ask_take(&m.arena, m.in.lock, &h, "", &take);
	lock_ask_free(&m.arena, m.in.lock, h.key, &give_back);
	assert_holds(buf_text(&b), &take);
	assert_holds(buf_text(&b), &give_back);
	assert_non_null(strstr(buf_text(&b), "Lock of each of them, as of node-01\n"));
	assert_non_null(strstr(squeezed(buf_text(&b)), squeezed("on node-02 with 'key-of-kim' as its last word: the lock that is taken over")));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_whole_sheet, teardown),
		cmocka_unit_test_teardown(what_it_says, teardown),
		cmocka_unit_test_teardown(names_are_words, teardown),
		cmocka_unit_test_teardown(many_kinds_are_not_listed_without_end, teardown),
		cmocka_unit_test_teardown(lines_are_broken_and_nothing_is_lost, teardown),
		cmocka_unit_test_teardown(hostile_texts_stay_in_their_lines, teardown),
		cmocka_unit_test_teardown(what_is_sent_is_printed_whole, teardown),
		cmocka_unit_test_teardown(what_is_made_of_an_answer, teardown),
		cmocka_unit_test_teardown(what_locks_is_printed_whole, teardown),
	};
	return cmocka_run_group_tests_name("the sheet as text", tests, NULL, NULL);
}
