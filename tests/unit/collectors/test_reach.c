/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/transport.h"

/* What is recorded of a failure is read back by screens. */
static void every_reason_is_found_again(void **state)
{
	(void)state;
	for (int r = REACH_OK + 1; r < REACH_COUNT; r++) {
		char text[200];
		reach_sentence((enum reach)r, "ops@gpu-a-1:22 says so", text, sizeof text);
		assert_row(reach_name((enum reach)r), reach_of_sentence(text) == (enum reach)r);
		reach_sentence((enum reach)r, "", text, sizeof text);
		assert_string_equal(text, reach_words((enum reach)r));
		assert_row(reach_name((enum reach)r), reach_of_sentence(text) == (enum reach)r);
	}
}

static void other_sentences_are_none(void **state)
{
	static const char *const rows[] = { "", "connection refused", "timeouts: many", "host key unknown:x", "answers again after 3 m" };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i], reach_of_sentence(rows[i]) == REACH_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_found_again),
		cmocka_unit_test(other_sentences_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
