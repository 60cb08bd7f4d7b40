# SPDX-License-Identifier: Apache-2.0
fleet_text = tests/unit/config/fleet_text.c tests/unit/config/fleet_text.h

UNIT_TESTS += tests/unit/config/test_range
tests_unit_config_test_range_SOURCES = %reldir%/test_range.c
tests_unit_config_test_range_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_secret
tests_unit_config_test_secret_SOURCES = %reldir%/test_secret.c
tests_unit_config_test_secret_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_fleet
tests_unit_config_test_fleet_SOURCES = %reldir%/test_fleet.c $(fleet_text)
tests_unit_config_test_fleet_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_keys
tests_unit_config_test_keys_SOURCES = %reldir%/test_keys.c
tests_unit_config_test_keys_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_profile
tests_unit_config_test_profile_SOURCES = %reldir%/test_profile.c
tests_unit_config_test_profile_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_faults
tests_unit_config_test_faults_SOURCES = %reldir%/test_faults.c $(faults)
tests_unit_config_test_faults_LDFLAGS = $(fault_ldflags)
tests_unit_config_test_faults_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_ways
tests_unit_config_test_ways_SOURCES = %reldir%/test_ways.c
tests_unit_config_test_ways_LDADD   = $(libs_config) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/config/test_slo
tests_unit_config_test_slo_SOURCES = %reldir%/test_slo.c
tests_unit_config_test_slo_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_roles
tests_unit_config_test_roles_SOURCES = %reldir%/test_roles.c $(fleet_text)
tests_unit_config_test_roles_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_receivers
tests_unit_config_test_receivers_SOURCES = %reldir%/test_receivers.c $(fleet_text)
tests_unit_config_test_receivers_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_alerting
tests_unit_config_test_alerting_SOURCES = %reldir%/test_alerting.c $(fleet_text)
tests_unit_config_test_alerting_LDADD   = $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/config/test_deploying
tests_unit_config_test_deploying_SOURCES = %reldir%/test_deploying.c $(fleet_text)
tests_unit_config_test_deploying_LDADD   = $(libs_config) $(CMOCKA_LIBS)
