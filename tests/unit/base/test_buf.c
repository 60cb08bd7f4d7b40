/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/buf.h"

static void grows_and_keeps_a_terminator(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_printf(&b, "%d,", i), ERR_OK);
	assert_int_equal(b.len, 290);
	assert_int_equal(b.data[b.len], '\0');
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	buf_release(&b);
}

static void the_ceiling_sticks_and_cuts_nothing_in_half(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 5);
	assert_int_equal(buf_puts(&b, "abc"), ERR_OK);
	assert_int_equal(buf_puts(&b, "def"), ERR_LIMIT);
	assert_int_equal(buf_putc(&b, 'd'), ERR_LIMIT);
	assert_string_equal(buf_text(&b), "abc");
	assert_null(buf_take(&b));
	buf_clear(&b);
	assert_int_equal(buf_printf(&b, "%s", "abcde"), ERR_OK);
	assert_string_equal(buf_text(&b), "abcde");
	buf_release(&b);
}

static void take_moves_the_bytes_out(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	char *empty = buf_take(&b);
	assert_string_equal(empty, "");
	free(empty);
	buf_put(&b, "x\0y", 3);
	char *taken = buf_take(&b);
	assert_memory_equal(taken, "x\0y", 4);
	assert_int_equal(b.len, 0);
	free(taken);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_a_terminator),
		cmocka_unit_test(the_ceiling_sticks_and_cuts_nothing_in_half),
		cmocka_unit_test(take_moves_the_bytes_out),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
