# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/base/test_buf
tests_unit_base_test_buf_SOURCES = %reldir%/test_buf.c
tests_unit_base_test_buf_LDADD   = $(libs_base) $(CMOCKA_LIBS)
