# SPDX-License-Identifier: Apache-2.0

faulty_disk  = %reldir%/faulty_disk.c %reldir%/faulty_disk.h
store_sql    = %reldir%/store_sql.c %reldir%/store_sql.h
rollup_check = %reldir%/rollup_check.c %reldir%/rollup_check.h $(store_sql)

UNIT_TESTS += tests/unit/store/test_alerts

UNIT_TESTS += tests/unit/store/test_codec tests/unit/store/test_faults tests/unit/store/test_store tests/unit/store/test_stranger

UNIT_TESTS += tests/unit/store/test_memory tests/unit/store/test_migration
tests_unit_store_test_alerts_SOURCES = %reldir%/test_alerts.c
tests_unit_store_test_alerts_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_codec_SOURCES = %reldir%/test_codec.c
tests_unit_store_test_codec_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_store_SOURCES = %reldir%/test_store.c
tests_unit_store_test_store_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_faults_SOURCES = %reldir%/test_faults.c $(faulty_disk) $(store_sql)
tests_unit_store_test_faults_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_stranger_SOURCES = %reldir%/test_stranger.c
tests_unit_store_test_stranger_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_memory_SOURCES = %reldir%/test_memory.c $(store_folder) $(rollup_check)
tests_unit_store_test_memory_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
tests_unit_store_test_migration_SOURCES = %reldir%/test_migration.c $(store_sql)
tests_unit_store_test_migration_LDADD   = $(libs_store) $(CMOCKA_LIBS)
EXTRA_DIST += %reldir%/data

UNIT_TESTS += tests/unit/store/test_tail
tests_unit_store_test_tail_SOURCES = %reldir%/test_tail.c $(store_folder)
tests_unit_store_test_tail_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_span
tests_unit_store_test_span_SOURCES = %reldir%/test_span.c $(store_folder) $(store_sql)
tests_unit_store_test_span_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_deployments
tests_unit_store_test_deployments_SOURCES = %reldir%/test_deployments.c
tests_unit_store_test_deployments_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_prune
tests_unit_store_test_prune_SOURCES = %reldir%/test_prune.c $(store_folder)
tests_unit_store_test_prune_LDADD   = $(libs_store) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/store/test_retain
tests_unit_store_test_retain_SOURCES = %reldir%/test_retain.c $(store_folder)
tests_unit_store_test_retain_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_verify
tests_unit_store_test_verify_SOURCES = %reldir%/test_verify.c $(store_folder)
tests_unit_store_test_verify_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_layouts
tests_unit_store_test_layouts_SOURCES = %reldir%/test_layouts.c $(store_folder)
tests_unit_store_test_layouts_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_power_cut
tests_unit_store_test_power_cut_SOURCES = %reldir%/test_power_cut.c $(store_folder) $(rollup_check)
tests_unit_store_test_power_cut_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_block
tests_unit_store_test_block_SOURCES = %reldir%/test_block.c %reldir%/block_values.h
tests_unit_store_test_block_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_block_memory
tests_unit_store_test_block_memory_SOURCES = %reldir%/test_block_memory.c %reldir%/block_values.h
tests_unit_store_test_block_memory_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_block_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

UNIT_TESTS += tests/unit/store/test_usage
tests_unit_store_test_usage_SOURCES = %reldir%/test_usage.c $(store_folder)
tests_unit_store_test_usage_LDADD   = $(libs_store) $(CMOCKA_LIBS)
# The same tests of the store, with frames folded into blocks after every few.
store_folding         = %reldir%/fold_at_once.c
store_folding_ldflags = $(AM_LDFLAGS) -Wl,--wrap=store_open

UNIT_TESTS += tests/unit/store/test_store_folding
tests_unit_store_test_store_folding_SOURCES = %reldir%/test_store.c $(store_folding)
tests_unit_store_test_store_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_store_folding_LDFLAGS = $(store_folding_ldflags)

UNIT_TESTS += tests/unit/store/test_tail_folding
tests_unit_store_test_tail_folding_SOURCES = %reldir%/test_tail.c $(store_folder) $(store_folding)
tests_unit_store_test_tail_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_tail_folding_LDFLAGS = $(store_folding_ldflags)

SLOW_TESTS += tests/unit/store/test_faults_folding
tests_unit_store_test_faults_folding_SOURCES = %reldir%/test_faults.c $(faulty_disk) $(store_folding) $(store_sql)
tests_unit_store_test_faults_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_faults_folding_LDFLAGS = $(store_folding_ldflags)

UNIT_TESTS += tests/unit/store/test_memory_folding
tests_unit_store_test_memory_folding_SOURCES = %reldir%/test_memory.c $(store_folder) $(rollup_check) $(store_folding)
tests_unit_store_test_memory_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_memory_folding_LDFLAGS = $(store_folding_ldflags) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup

UNIT_TESTS += tests/unit/store/test_layouts_folding
tests_unit_store_test_layouts_folding_SOURCES = %reldir%/test_layouts.c $(store_folder) $(store_folding)
tests_unit_store_test_layouts_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_layouts_folding_LDFLAGS = $(store_folding_ldflags)

UNIT_TESTS += tests/unit/store/test_power_cut_folding
tests_unit_store_test_power_cut_folding_SOURCES = %reldir%/test_power_cut.c $(store_folder) $(rollup_check) $(store_folding)
tests_unit_store_test_power_cut_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_power_cut_folding_LDFLAGS = $(store_folding_ldflags)

SLOW_TESTS += tests/unit/store/test_fold
tests_unit_store_test_fold_SOURCES = %reldir%/test_fold.c $(store_folder) $(store_sql)
tests_unit_store_test_fold_LDADD   = $(libs_store) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/store/test_retain_folding
tests_unit_store_test_retain_folding_SOURCES = %reldir%/test_retain.c $(store_folder) $(store_folding)
tests_unit_store_test_retain_folding_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_retain_folding_LDFLAGS = $(store_folding_ldflags)

UNIT_TESTS += tests/unit/store/test_rollup
tests_unit_store_test_rollup_SOURCES = %reldir%/test_rollup.c $(store_folder) $(rollup_check)
tests_unit_store_test_rollup_LDADD   = $(libs_store) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/store/test_rollup_faults
tests_unit_store_test_rollup_faults_SOURCES = %reldir%/test_rollup_faults.c $(store_folder) $(faulty_disk) $(rollup_check)
tests_unit_store_test_rollup_faults_LDADD   = $(libs_store) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/store/test_select
tests_unit_store_test_select_SOURCES = %reldir%/test_select.c $(store_folder)
tests_unit_store_test_select_LDADD   = $(libs_store) $(CMOCKA_LIBS)
