/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "base/err.h"

static void every_error_has_its_own_text(void **state)
{
	(void)state;
	for (int a = 0; a < ERR_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(err_text((enum err)a), err_text((enum err)b));
	assert_string_equal(err_text((enum err)ERR_COUNT), "unknown error");
}

static void errno_values_become_errors(void **state)
{
	(void)state;
	static const struct { const char *label; int number; enum err want; } rows[] = {
		{ "disk full", ENOSPC, ERR_FULL },       { "quota", EDQUOT, ERR_FULL },      { "denied", EACCES, ERR_DENIED },
		{ "missing", ENOENT, ERR_NOT_FOUND },    { "exists", EEXIST, ERR_EXISTS },   { "read-only", EROFS, ERR_READ_ONLY },
		{ "memory", ENOMEM, ERR_MEMORY },        { "else", EPIPE, ERR_IO },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why;
		assert_row(rows[i].label, why_errno(&why, rows[i].number, "cannot open '%s'", "x") == rows[i].want);
		assert_row(rows[i].label, strncmp(why.text, "cannot open 'x': ", 17) == 0 && why.text[17] != '\0');
	}
}

static void a_sentence_gets_its_context(void **state)
{
	(void)state;
	struct why why;
	assert_int_equal(why_set(&why, ERR_IO, "b %d", 1), ERR_IO);
	assert_int_equal(why_prefix(&why, ERR_FORMAT, "a %s", "x"), ERR_FORMAT);
	assert_string_equal(why.text, "a x: b 1");
	assert_int_equal(why_prefix(NULL, ERR_FORMAT, "a"), ERR_FORMAT);
}

static void a_cut_is_seen_and_leaves_no_half_character(void **state)
{
	(void)state;
	char text[2000];
	for (size_t pad = 0; pad < 4; pad++) {
		struct why why;
		memset(text, 'x', pad);
		for (size_t i = pad; i + 3 < sizeof text; i += 2)
			memcpy(text + i, "\xc3\xa9", 3);
		why_set(&why, ERR_IO, "%s", text);
		size_t n = strlen(why.text);
		assert_true(n >= sizeof why.text - 6 && n < sizeof why.text);
		assert_string_equal(why.text + n - 3, "...");
		assert_int_equal((unsigned char)why.text[n - 4], pad == n - 3 ? 'x' : 0xa9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_its_own_text),
		cmocka_unit_test(errno_values_become_errors),
		cmocka_unit_test(a_sentence_gets_its_context),
		cmocka_unit_test(a_cut_is_seen_and_leaves_no_half_character),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
