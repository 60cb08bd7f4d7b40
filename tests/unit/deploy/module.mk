# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/deploy/test_ask
tests_unit_deploy_test_ask_SOURCES = %reldir%/test_ask.c
tests_unit_deploy_test_ask_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_option
tests_unit_deploy_test_option_SOURCES = %reldir%/test_option.c
tests_unit_deploy_test_option_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_scope
tests_unit_deploy_test_scope_SOURCES = %reldir%/test_scope.c $(fleet_text)
tests_unit_deploy_test_scope_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_describe
tests_unit_deploy_test_describe_SOURCES = %reldir%/test_describe.c
tests_unit_deploy_test_describe_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
