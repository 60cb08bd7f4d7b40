# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/deploy/test_ask
tests_unit_deploy_test_ask_SOURCES = %reldir%/test_ask.c
tests_unit_deploy_test_ask_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_option
tests_unit_deploy_test_option_SOURCES = %reldir%/test_option.c
tests_unit_deploy_test_option_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

hands_bench = tests/unit/deploy/hands_bench.c tests/unit/deploy/hands_bench.h tests/unit/collectors/loop_turn.c \
	tests/unit/collectors/loop_turn.h tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
small_server = tests/unit/deploy/small_server.c tests/unit/deploy/small_server.h
UNIT_TESTS += tests/unit/deploy/test_hands
tests_unit_deploy_test_hands_SOURCES = %reldir%/test_hands.c $(hands_bench) $(small_server)
tests_unit_deploy_test_hands_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

driver_bench = tests/unit/deploy/driver_bench.c tests/unit/deploy/driver_bench.h $(hands_bench)
UNIT_TESTS += tests/unit/deploy/test_systemd
tests_unit_deploy_test_systemd_SOURCES = %reldir%/test_systemd.c $(driver_bench)
tests_unit_deploy_test_systemd_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_release
tests_unit_deploy_test_release_SOURCES = %reldir%/test_release.c $(driver_bench)
tests_unit_deploy_test_release_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_systemd_live
tests_unit_deploy_test_systemd_live_SOURCES = %reldir%/test_systemd_live.c $(driver_bench)
tests_unit_deploy_test_systemd_live_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_command_http
tests_unit_deploy_test_command_http_SOURCES = %reldir%/test_command_http.c $(driver_bench) $(small_server)
tests_unit_deploy_test_command_http_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_hands_faults
tests_unit_deploy_test_hands_faults_SOURCES = %reldir%/test_hands_faults.c $(driver_bench) $(faults)
tests_unit_deploy_test_hands_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_hands_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
