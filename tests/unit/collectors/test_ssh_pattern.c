/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/ssh_pattern.h"

static void test_patterns(void **state)
{
	static const struct {
		const char *label, *pattern, *text;
		bool        want;
	} rows[] = {
		{ "itself", "gpu-1", "gpu-1", true },
		{ "upper case differs", "GPU-1", "gpu-1", false },
		{ "not a part", "gpu", "gpu-1", false },
		{ "nothing and nothing", "", "", true },
		{ "nothing and something", "", "a", false },
		{ "a star and nothing", "*", "", true },
		{ "a star", "*", "anything at all", true },
		{ "a star in front", "*.pool", "gpu-1.pool", true },
		{ "a star in front, no dot", "*.pool", "gpu-1pool", false },
		{ "a star behind", "gpu-*", "gpu-", true },
		{ "a star that is stretched", "*ab", "aab", true },
		{ "two stars", "a*b*c", "a-b-b-c-b-c", true },
		{ "two stars, no end", "a*b*c", "a-b-b-c-b", false },
		{ "stars in a row", "a***c", "abc", true },
		{ "one byte", "gpu-?", "gpu-7", true },
		{ "one byte too few", "gpu-?", "gpu-", false },
		{ "one byte too many", "gpu-?", "gpu-17", false },
		{ "a star and a byte", "*?", "", false },
		{ "a star and two bytes", "a*??", "abc", true },
		{ "a port in brackets", "[gpu-?]:2222", "[gpu-1]:2222", true },
		{ "no class", "[abc]", "a", false },
		{ "no escape", "\\*", "*", false },
		{ "a '!' is a byte", "!a", "!a", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_row(rows[i].label, ssh_pattern_match(rows[i].pattern, rows[i].text) == rows[i].want);
}

static void test_lists(void **state)
{
	static const struct {
		const char             *label, *list, *text;
		bool                    fold;
		enum ssh_pattern_answer want;
	} rows[] = {
		{ "one", "gpu-1", "gpu-1", false, SSH_PATTERN_YES },
		{ "the second", "a,gpu-*", "gpu-1", false, SSH_PATTERN_YES },
		{ "none", "a,b", "gpu-1", false, SSH_PATTERN_NO },
		{ "an exclusion behind", "gpu-*,!gpu-1", "gpu-1", false, SSH_PATTERN_NEGATED },
		{ "an exclusion in front", "!gpu-1,gpu-*", "gpu-1", false, SSH_PATTERN_NEGATED },
		{ "an exclusion of another", "!gpu-2,gpu-*", "gpu-1", false, SSH_PATTERN_YES },
		{ "exclusions alone", "!gpu-2", "gpu-1", false, SSH_PATTERN_NO },
		{ "nothing", "", "gpu-1", false, SSH_PATTERN_NO },
		{ "blanks count", "a, gpu-1", "gpu-1", false, SSH_PATTERN_NO },
		{ "upper case differs", "GPU-*", "gpu-1", false, SSH_PATTERN_NO },
		{ "upper case in the list", "GPU-*", "gpu-1", true, SSH_PATTERN_YES },
		{ "upper case in the text", "gpu-*", "GPU-1", true, SSH_PATTERN_YES },
		{ "empty patterns", ",,gpu-1,", "gpu-1", false, SSH_PATTERN_YES },
		{ "an empty pattern and text", "a,,b", "", false, SSH_PATTERN_YES },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_row(rows[i].label, ssh_pattern_list_match(rows[i].list, rows[i].text, rows[i].fold) == rows[i].want);
}

/* OpenSSH gives up on a list with a pattern that is too long for its buffer, whatever stands in front. */
static void test_long_patterns(void **state)
{
	char list[SSH_PATTERN_MAX + 8] = "a,";
	(void)state;
	memset(list + 2, '*', SSH_PATTERN_MAX - 1);
	assert_int_equal(ssh_pattern_list_match(list, "a", false), SSH_PATTERN_YES);
	memset(list + 2, '*', SSH_PATTERN_MAX);
	assert_int_equal(ssh_pattern_list_match(list, "a", false), SSH_PATTERN_NO);
}

/* Tried recursively, this would take longer than anyone waits. */
static void test_many_stars(void **state)
{
	char pattern[201], text[4001];
	(void)state;
	for (size_t i = 0; i < 200; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	memset(text, 'a', 4000);
	text[4000] = '\0';
	pattern[200] = '\0';
	pattern[199] = 'b';
	assert_false(ssh_pattern_match(pattern, text));
	text[3999] = 'b';
	assert_true(ssh_pattern_match(pattern, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns), cmocka_unit_test(test_lists), cmocka_unit_test(test_long_patterns), cmocka_unit_test(test_many_stars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
