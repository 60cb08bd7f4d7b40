/* SPDX-License-Identifier: Apache-2.0
 *
 * Which keys are a yes, and which are not. A script is a line of letters: S the screen was shown, U shown after something else was, q a while in which
 * nothing was typed has passed, n one in which something was, 2 another subject, 0 none, P a paste, E Enter, X Esc, B Backspace; any other letter is that key, by
 * itself, and one behind an apostrophe comes right after the key before it. */
#include "tests/unit/unit.h"

#include "tui/arming.h"

static int run(struct arming *a, const char *script, const char *name)
{
	int n_yes = 0;
	for (const char *p = script; *p != '\0'; p++) {
		int64_t quiet = *p == '\'' ? 0 : 1000;
		p += *p == '\'';
		switch (*p) {
		case 'S': arming_shown(a, false); break;
		case 'U': arming_shown(a, true); break;
		case 'q': n_yes += arming_settled(a, true); break;
		case 'n': n_yes += arming_settled(a, false); break;
		case '2': arming_about(a, 2, name); break;
		case '0': arming_about(a, 0, NULL); break;
		case 'P': arming_paste(a); break;
		case 'E': arming_key(a, (struct key){ .code = KEY_ENTER }, quiet); break;
		case 'X': arming_key(a, (struct key){ .code = KEY_ESCAPE }, quiet); break;
		case 'B': arming_key(a, (struct key){ .code = KEY_BACKSPACE }, quiet); break;
		default: arming_key(a, (struct key){ .code = (uint32_t)*p }, quiet); break;
		}
	}
	return n_yes;
}

static void test_a_key(void **state)
{
	static const struct {
		const char *label, *script;
		int         n_yes;
	} rows[] = {
		{ "shown, waited, y, nothing more", "SqySq", 1 },
		{ "typed ahead", "ySq", 0 },
		{ "typed in the half second", "SyqSq", 0 },
		{ "leant on: it never arms", "SyqSynSynSynSq", 0 },
		{ "let go of, and then meant", "SySqySq", 1 },
		{ "something was typed meanwhile", "SnySq", 0 },
		{ "then a quiet half second", "SnSqySq", 1 },
		{ "y behind another key of a paste without brackets", "Sqd'ySq", 0 },
		{ "y before other keys of one", "Sqy'eSq", 0 },
		{ "y, and something was still waiting to be read", "SqySn", 0 },
		{ "y twice at once", "Sqy'ySq", 0 },
		{ "a paste with brackets", "SqPSq", 0 },
		{ "after a paste it wants its half second again", "SqPySq", 0 },
		{ "the plan changed after the key", "Sqy2SqSq", 0 },
		{ "the plan changed before the key", "Sq2ySq", 0 },
		{ "the plan changed, and was looked at", "Sq2SqySq", 1 },
		{ "covered by another view", "SqUySq", 0 },
		{ "uncovered and looked at", "SqUqySq", 1 },
		{ "said once", "SqySqSqySq", 1 },
		{ "nothing to say yes to", "0SqySq", 0 },
		{ "another key", "SqYSq", 0 },
		{ "Enter is none", "SqESq", 0 },
		{ "the time passes without the frame being out", "qyq", 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arming a = { 0 };
		arming_about(&a, 1, NULL);
		assert_row(rows[i].label, run(&a, rows[i].script, NULL) == rows[i].n_yes);
	}
}

static void test_a_name(void **state)
{
	static const struct {
		const char *label, *script;
		int         n_yes;
	} rows[] = {
		{ "y, the name, Enter", "SqywestESq", 1 },
		{ "y alone", "SqySq", 0 },
		{ "the name alone", "SqwestESq", 0 },
		{ "another name", "SqywesESq", 0 },
		{ "corrected", "SqywesxBtESq", 1 },
		{ "pasted without brackets", "Sqyw'e's't'ESq", 0 },
		{ "Enter right behind the last letter", "Sqywest'ESq", 0 },
		{ "pasted with brackets", "SqyPESq", 0 },
		{ "two letters at once on a slow line", "Sqyw'e'stESq", 1 },
		{ "left", "SqywesXtESq", 0 },
		{ "a letter behind Enter", "SqywestE'xSq", 0 },
		{ "the plan changed while it was typed", "Sqywe2stESq", 0 },
		{ "the y in a name is a letter", "SqyweytESq", 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arming a = { 0 };
		arming_about(&a, 1, "west");
		assert_row(rows[i].label, run(&a, rows[i].script, "west") == rows[i].n_yes);
	}
}

static void test_times(void **state)
{
	struct arming a = { 0 };
	(void)state;
	arming_about(&a, 1, NULL);
	assert_int_equal(arming_shown(&a, false), ARMING_MS);
	assert_int_equal(arming_shown(&a, false), 0); /* its time runs */
	assert_false(arming_settled(&a, true));
	assert_int_equal(a.phase, ARMING_ARMED);
	assert_int_equal(arming_shown(&a, false), 0);
	assert_true(arming_key(&a, (struct key){ .code = 'y' }, 500));
	assert_int_equal(arming_shown(&a, false), ARMING_HOLD_MS);
	/* The same again is no change. */
	arming_about(&a, 1, NULL);
	assert_int_equal(a.phase, ARMING_HELD);
	assert_true(arming_settled(&a, true));
	assert_int_equal(a.phase, ARMING_NOTHING);
}

/* A name that is longer than can be typed is never said. */
static void test_long_names(void **state)
{
	char name[400];
	struct arming a = { 0 };
	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	arming_about(&a, 1, name);
	assert_int_equal(run(&a, "Sqy", NULL), 0);
	for (int i = 0; i < 500; i++)
		arming_key(&a, (struct key){ .code = 0x6f22 }, 1000);
	assert_true(strlen(a.typed) <= ARMING_NAME_MAX);
	assert_int_equal(run(&a, "ESq", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key),
		cmocka_unit_test(test_a_name),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_long_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
