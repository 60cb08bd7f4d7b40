# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/alerts/test_life
tests_unit_alerts_test_life_SOURCES = %reldir%/test_life.c
tests_unit_alerts_test_life_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_rule_test
tests_unit_alerts_test_rule_test_SOURCES = %reldir%/test_rule_test.c
tests_unit_alerts_test_rule_test_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_recent
tests_unit_alerts_test_recent_SOURCES = %reldir%/test_recent.c $(store_folder)
tests_unit_alerts_test_recent_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)
