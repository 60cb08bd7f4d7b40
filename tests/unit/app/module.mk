# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/app/test_help
tests_unit_app_test_help_SOURCES = %reldir%/test_help.c
tests_unit_app_test_help_LDADD   = $(libs_app) $(CMOCKA_LIBS)
