# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/alerts/test_life
tests_unit_alerts_test_life_SOURCES = %reldir%/test_life.c
tests_unit_alerts_test_life_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_rule_test
tests_unit_alerts_test_rule_test_SOURCES = %reldir%/test_rule_test.c
tests_unit_alerts_test_rule_test_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_packs
tests_unit_alerts_test_packs_SOURCES = %reldir%/test_packs.c
tests_unit_alerts_test_packs_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

# The simulator's pages through the collectors' parser, as in life.
UNIT_TESTS += tests/unit/alerts/test_incidents
tests_unit_alerts_test_incidents_SOURCES = %reldir%/test_incidents.c
tests_unit_alerts_test_incidents_LDADD   = libsim.a libcollectors.a $(libs_alerts) $(MHD_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_slo
tests_unit_alerts_test_slo_SOURCES = %reldir%/test_slo.c
tests_unit_alerts_test_slo_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)
