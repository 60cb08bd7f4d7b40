/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/arena.h"

static void texts_and_arrays_live_until_the_release(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a);
	char *first = arena_text(&a, "first");
	int *numbers = arena_zeroed(&a, 10000, sizeof *numbers); /* larger than a chunk */
	char *none = arena_text(&a, NULL);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(numbers[i], 0);
		numbers[i] = i;
	}
	assert_string_equal(first, "first");
	assert_string_equal(none, "");
	assert_int_equal((uintptr_t)arena_zeroed(&a, 1, 1) % sizeof(double), 0);
	assert_int_equal((uintptr_t)arena_zeroed(&a, 1, 1) % sizeof(double), 0);
	assert_false(arena_failed(&a));
	arena_release(&a);
}

static void an_impossible_size_fails_and_sticks(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a);
	assert_null(arena_zeroed(&a, SIZE_MAX / 2, 16));
	assert_true(arena_failed(&a));
	assert_string_equal(arena_text(&a, "still works"), "still works");
	assert_true(arena_failed(&a));
	arena_release(&a);
}

static void it_is_as_new_after_a_reset(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a);
	for (size_t round = 0; round < 5; round++) {
		for (size_t i = 0; i < 200 * (round + 1); i++) {
			size_t n = i % 50 == 49 ? 20000 : 1 + i * 7 % 900; /* now and then larger than any chunk */
			unsigned char *bytes = arena_zeroed(&a, n, 1);
			for (size_t k = 0; k < n; k++) {
				assert_int_equal(bytes[k], 0);
				bytes[k] = 0xee;
			}
		}
		assert_null(arena_zeroed(&a, SIZE_MAX / 2, 16));
		arena_reset(&a);
		assert_false(arena_failed(&a));
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_arrays_live_until_the_release),
		cmocka_unit_test(an_impossible_size_fails_and_sticks),
		cmocka_unit_test(it_is_as_new_after_a_reset),
	};
	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
