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

UNIT_TESTS += tests/unit/deploy/test_scope
tests_unit_deploy_test_scope_SOURCES = %reldir%/test_scope.c $(fleet_text)
tests_unit_deploy_test_scope_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

hands_bench = tests/unit/deploy/hands_bench.c tests/unit/deploy/hands_bench.h tests/unit/collectors/loop_turn.c \
	tests/unit/collectors/loop_turn.h tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
small_server = tests/unit/deploy/small_server.c tests/unit/deploy/small_server.h
UNIT_TESTS += tests/unit/deploy/test_hands
tests_unit_deploy_test_hands_SOURCES = %reldir%/test_hands.c $(hands_bench) $(small_server)
tests_unit_deploy_test_hands_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kube_config
tests_unit_deploy_test_kube_config_SOURCES = %reldir%/test_kube_config.c
tests_unit_deploy_test_kube_config_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/deploy/test_describe
tests_unit_deploy_test_describe_SOURCES = %reldir%/test_describe.c
tests_unit_deploy_test_describe_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
