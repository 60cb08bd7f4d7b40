# SPDX-License-Identifier: Apache-2.0
recorder_bench = \
	%reldir%/bench.c %reldir%/bench.h \
	%reldir%/page_server.c %reldir%/page_server.h

UNIT_TESTS += tests/unit/recorder/test_recorder
tests_unit_recorder_test_recorder_SOURCES = %reldir%/test_recorder.c $(recorder_bench)
tests_unit_recorder_test_recorder_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/recorder/test_bad_input
tests_unit_recorder_test_bad_input_SOURCES = %reldir%/test_bad_input.c $(recorder_bench) \
	tests/unit/collectors/raw_server.c tests/unit/collectors/raw_server.h
tests_unit_recorder_test_bad_input_LDADD   = $(libs_recorder) $(libs_sim) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_standby
tests_unit_recorder_test_standby_SOURCES = %reldir%/test_standby.c $(recorder_bench)
tests_unit_recorder_test_standby_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/recorder/test_deploy_secrets
tests_unit_recorder_test_deploy_secrets_SOURCES = %reldir%/test_deploy_secrets.c $(recorder_bench) \
	tests/unit/deploy/kube_world.c tests/unit/deploy/kube_world.h tests/unit/deploy/kube_world_private.h tests/unit/deploy/kube_controllers.c tests/unit/deploy/kube_patch.c tests/unit/deploy/kube_patch.h \
	tests/unit/deploy/kube_server.c tests/unit/deploy/kube_server.h tests/unit/deploy/small_server.c tests/unit/deploy/small_server.h
tests_unit_recorder_test_deploy_secrets_LDADD   = $(libs_recorder) $(MHD_LIBS) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/recorder/test_deploy_cluster
tests_unit_recorder_test_deploy_cluster_SOURCES = %reldir%/test_deploy_cluster.c $(recorder_bench) \
	tests/unit/deploy/kube_world.c tests/unit/deploy/kube_world.h tests/unit/deploy/kube_world_private.h tests/unit/deploy/kube_controllers.c tests/unit/deploy/kube_patch.c tests/unit/deploy/kube_patch.h \
	tests/unit/deploy/kube_server.c tests/unit/deploy/kube_server.h
tests_unit_recorder_test_deploy_cluster_LDADD   = $(libs_recorder) $(MHD_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_deploying_auto
tests_unit_recorder_test_deploying_auto_SOURCES = %reldir%/test_deploying_auto.c $(store_folder)
tests_unit_recorder_test_deploying_auto_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_deploying_before
tests_unit_recorder_test_deploying_before_SOURCES = %reldir%/test_deploying_before.c $(store_folder)
tests_unit_recorder_test_deploying_before_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_desk_deploys
tests_unit_recorder_test_desk_deploys_SOURCES = %reldir%/test_desk_deploys.c $(store_folder)
tests_unit_recorder_test_desk_deploys_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_desk
tests_unit_recorder_test_desk_SOURCES = %reldir%/test_desk.c $(store_folder)
tests_unit_recorder_test_desk_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_alerting_deploys
tests_unit_recorder_test_alerting_deploys_SOURCES = %reldir%/test_alerting_deploys.c $(store_folder)
tests_unit_recorder_test_alerting_deploys_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/recorder/test_alone
tests_unit_recorder_test_alone_SOURCES = %reldir%/test_alone.c $(recorder_bench)
tests_unit_recorder_test_alone_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/recorder/test_cardinality
tests_unit_recorder_test_cardinality_SOURCES = %reldir%/test_cardinality.c $(recorder_bench)
tests_unit_recorder_test_cardinality_LDADD   = $(libs_recorder) $(libs_sim) $(CMOCKA_LIBS)
