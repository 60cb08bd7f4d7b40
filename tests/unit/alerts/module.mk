# SPDX-License-Identifier: Apache-2.0

UNIT_TESTS += tests/unit/alerts/test_life
tests_unit_alerts_test_life_SOURCES = %reldir%/test_life.c
tests_unit_alerts_test_life_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_rule_test
tests_unit_alerts_test_rule_test_SOURCES = %reldir%/test_rule_test.c
tests_unit_alerts_test_rule_test_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_shift
tests_unit_alerts_test_shift_SOURCES = %reldir%/test_shift.c
tests_unit_alerts_test_shift_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_changed
tests_unit_alerts_test_changed_SOURCES = %reldir%/test_changed.c $(faults)
tests_unit_alerts_test_changed_LDFLAGS = $(fault_ldflags)
tests_unit_alerts_test_changed_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/alerts/test_changed_incidents
tests_unit_alerts_test_changed_incidents_SOURCES = %reldir%/test_changed_incidents.c $(store_folder)
tests_unit_alerts_test_changed_incidents_LDADD   = $(libs_alerts) $(libs_sim) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/alerts/test_recent
tests_unit_alerts_test_recent_SOURCES = %reldir%/test_recent.c $(store_folder)
tests_unit_alerts_test_recent_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_request
tests_unit_alerts_test_request_SOURCES = %reldir%/test_request.c $(faults)
tests_unit_alerts_test_request_LDFLAGS = $(fault_ldflags)
tests_unit_alerts_test_request_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_spool
tests_unit_alerts_test_spool_SOURCES = %reldir%/test_spool.c
tests_unit_alerts_test_spool_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_grouping
tests_unit_alerts_test_grouping_SOURCES = %reldir%/test_grouping.c
tests_unit_alerts_test_grouping_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_silence
tests_unit_alerts_test_silence_SOURCES = %reldir%/test_silence.c
tests_unit_alerts_test_silence_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_inhibit
tests_unit_alerts_test_inhibit_SOURCES = %reldir%/test_inhibit.c
tests_unit_alerts_test_inhibit_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_ack
tests_unit_alerts_test_ack_SOURCES = %reldir%/test_ack.c
tests_unit_alerts_test_ack_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_notify_plan
tests_unit_alerts_test_notify_plan_SOURCES = %reldir%/test_notify_plan.c
tests_unit_alerts_test_notify_plan_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_notify_kinds
tests_unit_alerts_test_notify_kinds_SOURCES = %reldir%/test_notify_kinds.c
tests_unit_alerts_test_notify_kinds_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_notifier
tests_unit_alerts_test_notifier_SOURCES = %reldir%/test_notifier.c %reldir%/peer.c %reldir%/peer.h tests/unit/collectors/loop_turn.c tests/unit/collectors/loop_turn.h
tests_unit_alerts_test_notifier_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_alertmanager_json
tests_unit_alerts_test_alertmanager_json_SOURCES = %reldir%/test_alertmanager_json.c
tests_unit_alerts_test_alertmanager_json_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_alertmanager
tests_unit_alerts_test_alertmanager_SOURCES = %reldir%/test_alertmanager.c %reldir%/peer.c %reldir%/peer.h tests/unit/collectors/loop_turn.c tests/unit/collectors/loop_turn.h
tests_unit_alerts_test_alertmanager_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/alerts/test_packs
tests_unit_alerts_test_packs_SOURCES = %reldir%/test_packs.c
tests_unit_alerts_test_packs_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

# The simulator's pages through the collectors' parser, as in life.

SLOW_TESTS += tests/unit/alerts/test_incidents
tests_unit_alerts_test_incidents_SOURCES = %reldir%/test_incidents.c
tests_unit_alerts_test_incidents_LDADD   = libsim.a libcollectors.a $(libs_alerts) $(MHD_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_slo
tests_unit_alerts_test_slo_SOURCES = %reldir%/test_slo.c
tests_unit_alerts_test_slo_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_rulebook
tests_unit_alerts_test_rulebook_SOURCES = %reldir%/test_rulebook.c
tests_unit_alerts_test_rulebook_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

alert_bench = %reldir%/alert_bench.c %reldir%/alert_bench.h $(store_folder)

UNIT_TESTS += tests/unit/alerts/test_manager
tests_unit_alerts_test_manager_SOURCES = %reldir%/test_manager.c $(alert_bench)
tests_unit_alerts_test_manager_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_manager_faults
tests_unit_alerts_test_manager_faults_SOURCES = %reldir%/test_manager_faults.c $(alert_bench) $(faults)
tests_unit_alerts_test_manager_faults_LDFLAGS = $(fault_ldflags)
tests_unit_alerts_test_manager_faults_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_notify_faults
tests_unit_alerts_test_notify_faults_SOURCES = %reldir%/test_notify_faults.c $(faults)
tests_unit_alerts_test_notify_faults_LDFLAGS = $(fault_ldflags)
tests_unit_alerts_test_notify_faults_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_policy_faults
tests_unit_alerts_test_policy_faults_SOURCES = %reldir%/test_policy_faults.c $(faults)
tests_unit_alerts_test_policy_faults_LDFLAGS = $(fault_ldflags)
tests_unit_alerts_test_policy_faults_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_rule_health
tests_unit_alerts_test_rule_health_SOURCES = %reldir%/test_rule_health.c $(alert_bench)
tests_unit_alerts_test_rule_health_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/alerts/test_alertmanager_sync
tests_unit_alerts_test_alertmanager_sync_SOURCES = %reldir%/test_alertmanager_sync.c
tests_unit_alerts_test_alertmanager_sync_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)
