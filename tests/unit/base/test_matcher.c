/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/matcher.h"
#include "base/regex.h"

static void each_kind_matches_as_in_promql(void **state)
{
	(void)state;
	struct labels *l = labels_of("__name__", "up", "job", "vllm", NULL);
	static const struct { const char *label; enum match kind; const char *name, *value; bool want; } rows[] = {
		{ "equal", MATCH_EQUAL, "job", "vllm", true },
		{ "equal, prefix only", MATCH_EQUAL, "job", "vll", false },
		{ "not equal", MATCH_NOT_EQUAL, "job", "vllm", false },
		{ "not equal, other", MATCH_NOT_EQUAL, "job", "x", true },
		{ "absent is empty", MATCH_EQUAL, "gone", "", true },
		{ "absent is not x", MATCH_NOT_EQUAL, "gone", "x", true },
		{ "present is not empty", MATCH_NOT_EQUAL, "job", "", true },
		{ "regex", MATCH_REGEX, "job", "v.*", true },
		{ "regex is anchored in front", MATCH_REGEX, "job", "llm", false },
		{ "regex is anchored behind", MATCH_REGEX, "job", "vll", false },
		{ "alternation is anchored as a whole", MATCH_REGEX, "job", "v|m", false },
		{ "alternation", MATCH_REGEX, "job", "a|vllm|b", true },
		{ "regex of nothing on absent", MATCH_REGEX, "gone", ".*", true },
		{ "something on absent", MATCH_REGEX, "gone", ".+", false },
		{ "not regex", MATCH_NOT_REGEX, "job", "v.*", false },
		{ "not regex on absent", MATCH_NOT_REGEX, "gone", ".+", true },
		{ "case can be folded", MATCH_REGEX, "job", "(?i)VLLM", true },
		{ "metric name", MATCH_EQUAL, "__name__", "up", true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct matcher m;
		struct why why;
		assert_row(rows[i].label, matcher_init(&m, rows[i].kind, rows[i].name, rows[i].value, &why) == ERR_OK);
		assert_row(rows[i].label, matcher_matches(&m, l) == rows[i].want);
		matcher_release(&m);
		matcher_release(&m);
	}
	labels_unref(l);
}

static void all_of_them_must_match(void **state)
{
	(void)state;
	struct labels *l = labels_of("a", "1", "b", "2", NULL);
	struct matcher m[2];
	assert_int_equal(matcher_init(&m[0], MATCH_EQUAL, "a", "1", NULL), ERR_OK);
	assert_int_equal(matcher_init(&m[1], MATCH_REGEX, "b", "[0-1]", NULL), ERR_OK);
	assert_true(matchers_match(m, 0, l));
	assert_true(matchers_match(m, 1, l));
	assert_false(matchers_match(m, 2, l));
	matcher_release(&m[0]);
	matcher_release(&m[1]);
	labels_unref(l);
}

static void wrong_patterns_say_where(void **state)
{
	(void)state;
	static const struct { const char *pattern, *part; } rows[] = {
		{ "a(b", "a(b" }, { "a)|(b", ")" }, { "[z-a]", "z-a" }, { "*", "*" }, { "a(?=b)", "(?=" }, { "(a)\\1", "\\1" }, { "x{1001}", "{1001}" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		struct regex *r = NULL;
		assert_row(rows[i].pattern, regex_new(rows[i].pattern, &r, &why) == ERR_FORMAT);
		assert_row(rows[i].pattern, r == NULL && strstr(why.text, rows[i].part) != NULL);
		struct matcher m;
		assert_row(rows[i].pattern, matcher_init(&m, MATCH_NOT_REGEX, "a", rows[i].pattern, &why) == ERR_FORMAT);
	}
}

static void patterns_have_ceilings(void **state)
{
	(void)state;
	struct why why;
	struct regex *r = NULL;
	char *pattern = malloc(REGEX_PATTERN_MAX + 2);
	memset(pattern, 'a', REGEX_PATTERN_MAX + 1);
	pattern[REGEX_PATTERN_MAX + 1] = '\0';
	assert_int_equal(regex_new(pattern, &r, &why), ERR_LIMIT);
	pattern[REGEX_PATTERN_MAX] = '\0';
	assert_int_equal(regex_new(pattern, &r, &why), ERR_OK);
	assert_true(regex_matches(r, pattern, REGEX_PATTERN_MAX));
	regex_free(r);
	free(pattern);
	r = NULL;
	assert_int_equal(regex_new("((((\\pL{100}){10}){10}){10})", &r, &why), ERR_FORMAT);
	assert_int_equal(regex_new("\\pL{900}\\pL{900}\\pL{900}\\pL{900}", &r, &why), ERR_LIMIT);
	assert_null(r);
}

/* With a backtracking matcher this takes 2^n steps. */
static void matching_takes_linear_time(void **state)
{
	(void)state;
	struct regex *r;
	size_t n = 200000;
	char *text = malloc(n + 1);
	memset(text, 'a', n);
	text[n] = '\0';
	assert_int_equal(regex_new("(a*)*(a|aa)*(a?){50}b", &r, NULL), ERR_OK);
	int64_t before = clock_mono_ms(clock_system());
	assert_false(regex_matches(r, text, n));
	assert_true(clock_mono_ms(clock_system()) - before < 5000);
	regex_free(r);
	free(text);
}

static void a_dot_matches_a_newline_and_bytes_count(void **state)
{
	(void)state;
	struct regex *r;
	assert_int_equal(regex_new("a.b", &r, NULL), ERR_OK);
	assert_true(regex_matches(r, "a\nb", 3));
	assert_true(regex_matches(r, "a\0b", 3));
	assert_true(regex_matches(r, "a\xe2\x82\xac""b", 5));
	assert_false(regex_matches(r, "a\nb\n", 4));
	regex_free(r);
}

static void groups_are_expanded_as_go_does(void **state)
{
	(void)state;
	static const struct { const char *label, *pattern, *text, *replacement; bool matched; const char *want; } rows[] = {
		{ "numbers", "(.*):(\\d+)", "host:80", "$2/$1", true, "80/host" },
		{ "the whole", "a(b)c", "abc", "[$0]", true, "[abc]" },
		{ "braces", "(a)(b)", "ab", "${1}x${2}", true, "axb" },
		{ "the longest name counts", "(a)", "a", "$1x", true, "" },
		{ "names", "(?P<host>\\w+)-(?P<n>\\d+)", "gpu-7", "$n:${host}", true, "7:gpu" },
		{ "an unknown group", "(a)", "a", "<$2><$nope>", true, "<><>" },
		{ "a dollar", "a", "a", "$$1 $", true, "$1 $" },
		{ "malformed stays", "(a)", "a", "${1 $-", true, "${1 $-" },
		{ "a leading zero is a name", "(a)", "a", "<$01>", true, "<>" },
		{ "a group that took no part", "(a)|(b)", "b", "<$1$2>", true, "<b>" },
		{ "a huge number", "(a)", "a", "<$99999999999999999999>", true, "<>" },
		{ "no match", "b", "a", "x", false, "" },
		{ "only a part", "a", "ab", "x", false, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct regex *r;
		struct buf to;
		bool matched = !rows[i].matched;
		buf_init(&to, 1000);
		assert_row(rows[i].label, regex_new(rows[i].pattern, &r, NULL) == ERR_OK);
		assert_row(rows[i].label, regex_expand(r, rows[i].text, strlen(rows[i].text), rows[i].replacement, &to, &matched) == ERR_OK);
		assert_row(rows[i].label, matched == rows[i].matched);
		assert_string_equal(buf_text(&to), rows[i].want);
		regex_free(r);
		buf_release(&to);
	}
	regex_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_matches_as_in_promql),
		cmocka_unit_test(all_of_them_must_match),
		cmocka_unit_test(wrong_patterns_say_where),
		cmocka_unit_test(patterns_have_ceilings),
		cmocka_unit_test(matching_takes_linear_time),
		cmocka_unit_test(a_dot_matches_a_newline_and_bytes_count),
		cmocka_unit_test(groups_are_expanded_as_go_does),
	};
	return cmocka_run_group_tests_name("matcher", tests, NULL, NULL);
}
