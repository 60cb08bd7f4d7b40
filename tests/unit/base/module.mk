# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/base/test_buf
tests_unit_base_test_buf_SOURCES = %reldir%/test_buf.c
tests_unit_base_test_buf_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_arena
tests_unit_base_test_arena_SOURCES = %reldir%/test_arena.c
tests_unit_base_test_arena_LDADD   = $(libs_base) $(CMOCKA_LIBS)
