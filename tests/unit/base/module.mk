# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/base/test_arena
tests_unit_base_test_arena_SOURCES = %reldir%/test_arena.c
tests_unit_base_test_arena_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_asset
tests_unit_base_test_asset_SOURCES = %reldir%/test_asset.c
tests_unit_base_test_asset_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_base64
tests_unit_base_test_base64_SOURCES = %reldir%/test_base64.c
tests_unit_base_test_base64_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_buf
tests_unit_base_test_buf_SOURCES = %reldir%/test_buf.c
tests_unit_base_test_buf_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_clock
tests_unit_base_test_clock_SOURCES = %reldir%/test_clock.c
tests_unit_base_test_clock_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_err
tests_unit_base_test_err_SOURCES = %reldir%/test_err.c
tests_unit_base_test_err_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_json
tests_unit_base_test_json_SOURCES = %reldir%/test_json.c
tests_unit_base_test_json_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_labels
tests_unit_base_test_labels_SOURCES = %reldir%/test_labels.c
tests_unit_base_test_labels_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_log
tests_unit_base_test_log_SOURCES = %reldir%/test_log.c
tests_unit_base_test_log_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_loop
tests_unit_base_test_loop_SOURCES = %reldir%/test_loop.c
tests_unit_base_test_loop_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_matcher
tests_unit_base_test_matcher_SOURCES = %reldir%/test_matcher.c
tests_unit_base_test_matcher_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_matcher_set
tests_unit_base_test_matcher_set_SOURCES = %reldir%/test_matcher_set.c
tests_unit_base_test_matcher_set_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_num
comma_locale = tests/unit/base/comma_locale.c tests/unit/base/comma_locale.h
tests_unit_base_test_num_SOURCES = %reldir%/test_num.c $(comma_locale)
tests_unit_base_test_num_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_text
tests_unit_base_test_text_SOURCES = %reldir%/test_text.c
tests_unit_base_test_text_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_diagnostics
tests_unit_base_test_diagnostics_SOURCES = %reldir%/test_diagnostics.c
tests_unit_base_test_diagnostics_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_yaml
tests_unit_base_test_yaml_SOURCES = %reldir%/test_yaml.c
tests_unit_base_test_yaml_LDADD   = $(libs_base) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/base/test_person
tests_unit_base_test_person_SOURCES = %reldir%/test_person.c
tests_unit_base_test_person_LDADD   = $(libs_base) $(CMOCKA_LIBS)
