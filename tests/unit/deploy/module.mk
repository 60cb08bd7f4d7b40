# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/deploy/test_ask
tests_unit_deploy_test_ask_SOURCES = %reldir%/test_ask.c
tests_unit_deploy_test_ask_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_option
tests_unit_deploy_test_option_SOURCES = %reldir%/test_option.c
tests_unit_deploy_test_option_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_gate
tests_unit_deploy_test_gate_SOURCES = %reldir%/test_gate.c $(store_folder)
tests_unit_deploy_test_gate_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_run
tests_unit_deploy_test_run_SOURCES = %reldir%/test_run.c
tests_unit_deploy_test_run_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_plan
tests_unit_deploy_test_plan_SOURCES = %reldir%/test_plan.c %reldir%/plan_maker.c %reldir%/plan_maker.h
tests_unit_deploy_test_plan_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_plan_print
tests_unit_deploy_test_plan_print_SOURCES = %reldir%/test_plan_print.c %reldir%/plan_maker.c %reldir%/plan_maker.h
tests_unit_deploy_test_plan_print_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_planner
tests_unit_deploy_test_planner_SOURCES = %reldir%/test_planner.c %reldir%/plan_maker.c %reldir%/plan_maker.h
tests_unit_deploy_test_planner_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_plan_faults
tests_unit_deploy_test_plan_faults_SOURCES = %reldir%/test_plan_faults.c %reldir%/plan_maker.c %reldir%/plan_maker.h $(faults)
tests_unit_deploy_test_plan_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_plan_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
