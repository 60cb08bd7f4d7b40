# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/app/test_help
tests_unit_app_test_help_SOURCES = %reldir%/test_help.c
tests_unit_app_test_help_LDADD   = $(libs_app) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/app/test_asking
tests_unit_app_test_asking_SOURCES = %reldir%/test_asking.c
tests_unit_app_test_asking_LDADD   = $(libs_app) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/app/test_deployments
tests_unit_app_test_deployments_SOURCES = %reldir%/test_deployments.c $(store_folder)
tests_unit_app_test_deployments_LDADD   = $(libs_app) $(CMOCKA_LIBS)
