# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/rules/test_profile_details
tests_unit_rules_test_profile_details_SOURCES = %reldir%/test_profile_details.c $(source_kit) $(store_folder)
tests_unit_rules_test_profile_details_LDADD   = libcollectors.a $(libs_rules) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/rules/test_detail
tests_unit_rules_test_detail_SOURCES    = %reldir%/test_detail.c $(store_folder)
tests_unit_rules_test_detail_LDADD      = $(libs_rules) $(CMOCKA_LIBS)
UNIT_TESTS += \
	tests/unit/rules/test_eval \
	tests/unit/rules/test_faults \
	tests/unit/rules/test_health \
	tests/unit/rules/test_prime \
	tests/unit/rules/test_profiles \
	tests/unit/rules/test_rule_file \
	tests/unit/rules/test_signal \
	tests/unit/rules/test_template \
	tests/unit/rules/test_window
tests_unit_rules_test_eval_SOURCES      = %reldir%/test_eval.c
tests_unit_rules_test_eval_LDADD        = $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_health_SOURCES    = %reldir%/test_health.c
tests_unit_rules_test_health_LDADD      = $(libs_rules) $(CMOCKA_LIBS)
# Payloads go through the parser that reads them in earnest.
tests_unit_rules_test_profiles_SOURCES  = %reldir%/test_profiles.c $(source_kit)
tests_unit_rules_test_profiles_LDADD    = libcollectors.a $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_prime_SOURCES     = %reldir%/test_prime.c $(store_folder)
tests_unit_rules_test_prime_LDADD       = $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_rule_file_SOURCES = %reldir%/test_rule_file.c
tests_unit_rules_test_rule_file_LDADD   = $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_signal_SOURCES    = %reldir%/test_signal.c
tests_unit_rules_test_signal_LDADD      = $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_window_SOURCES    = %reldir%/test_window.c
tests_unit_rules_test_window_LDADD      = $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_faults_SOURCES    = %reldir%/test_faults.c $(faults)
tests_unit_rules_test_faults_LDFLAGS    = $(fault_ldflags)
tests_unit_rules_test_faults_LDADD      = $(libs_rules) $(CMOCKA_LIBS)
tests_unit_rules_test_template_SOURCES  = %reldir%/test_template.c
tests_unit_rules_test_template_LDADD    = $(libs_rules) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/rules/test_pack
tests_unit_rules_test_pack_SOURCES      = %reldir%/test_pack.c
tests_unit_rules_test_pack_LDADD        = $(libs_rules) $(CMOCKA_LIBS)
