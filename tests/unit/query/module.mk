# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/query/test_promqltest
tests_unit_query_test_promqltest_SOURCES = %reldir%/test_promqltest.c
tests_unit_query_test_promqltest_LDADD   = $(libs_query) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/query/test_parse
tests_unit_query_test_parse_SOURCES = %reldir%/test_parse.c
tests_unit_query_test_parse_LDADD   = $(libs_query) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/query/test_shortcuts
tests_unit_query_test_shortcuts_SOURCES = %reldir%/test_shortcuts.c
tests_unit_query_test_shortcuts_LDADD   = $(libs_query) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/query/test_eval
tests_unit_query_test_eval_SOURCES = %reldir%/test_eval.c
tests_unit_query_test_eval_LDADD   = $(libs_query) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/query/test_batch
tests_unit_query_test_batch_SOURCES = %reldir%/test_batch.c
tests_unit_query_test_batch_LDADD   = $(libs_query) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/query/test_faults
tests_unit_query_test_faults_SOURCES = %reldir%/test_faults.c $(faults)
tests_unit_query_test_faults_LDFLAGS = $(fault_ldflags)
tests_unit_query_test_faults_LDADD   = $(libs_query) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/query/test_rollups
tests_unit_query_test_rollups_SOURCES = %reldir%/test_rollups.c $(store_folder)
tests_unit_query_test_rollups_LDADD   = $(libs_query) $(CMOCKA_LIBS)
