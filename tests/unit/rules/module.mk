# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/rules/test_signal tests/unit/rules/test_health
tests_unit_rules_test_signal_SOURCES = %reldir%/test_signal.c
tests_unit_rules_test_signal_LDADD   = $(libs_for_rules_tests)
tests_unit_rules_test_health_SOURCES = %reldir%/test_health.c
tests_unit_rules_test_health_LDADD   = $(libs_for_rules_tests)
# The floors below that are not built yet are left out until they are.
libs_for_rules_tests = librules.a $(libs_base) $(CMOCKA_LIBS)
