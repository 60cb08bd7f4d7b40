# SPDX-License-Identifier: Apache-2.0
tui_golden = tests/unit/tui/golden.c tests/unit/tui/golden.h
EXTRA_DIST += $(tui_golden) tests/unit/tui/golden
libs_console = $(libs_tui)

UNIT_TESTS += tests/unit/tui/test_canvas
tests_unit_tui_test_canvas_SOURCES = %reldir%/test_canvas.c $(tui_golden)
tests_unit_tui_test_canvas_LDADD   = $(libs_console) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_encode
tests_unit_tui_test_encode_SOURCES = %reldir%/test_encode.c
tests_unit_tui_test_encode_LDADD   = $(libs_console) $(CMOCKA_LIBS) $(VTERM_LIBS)

UNIT_TESTS += tests/unit/tui/test_input
tests_unit_tui_test_input_SOURCES = %reldir%/test_input.c
tests_unit_tui_test_input_LDADD   = $(libs_console) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_theme
tests_unit_tui_test_theme_SOURCES = %reldir%/test_theme.c
tests_unit_tui_test_theme_LDADD   = $(libs_console) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_fleet_state
tests_unit_tui_test_fleet_state_SOURCES = %reldir%/test_fleet_state.c
tests_unit_tui_test_fleet_state_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

screen_test_helpers = $(tui_golden) tests/unit/tui/sample_view.c tests/unit/tui/sample_view.h

UNIT_TESTS += tests/unit/tui/test_screens_golden
tests_unit_tui_test_screens_golden_SOURCES = %reldir%/test_screens_golden.c $(screen_test_helpers)
tests_unit_tui_test_screens_golden_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_screens_sizes
tests_unit_tui_test_screens_sizes_SOURCES = %reldir%/test_screens_sizes.c $(screen_test_helpers)
tests_unit_tui_test_screens_sizes_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_screens_commands
tests_unit_tui_test_screens_commands_SOURCES = %reldir%/test_screens_commands.c $(screen_test_helpers)
tests_unit_tui_test_screens_commands_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_node_gpus
tests_unit_tui_test_node_gpus_SOURCES = %reldir%/test_node_gpus.c $(store_folder)
tests_unit_tui_test_node_gpus_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_promql_text
tests_unit_tui_test_promql_text_SOURCES = %reldir%/test_promql_text.c
tests_unit_tui_test_promql_text_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_console
tests_unit_tui_test_console_SOURCES = %reldir%/test_console.c $(screen_test_helpers)
tests_unit_tui_test_console_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_heat_scale
tests_unit_tui_test_heat_scale_SOURCES = %reldir%/test_heat_scale.c
tests_unit_tui_test_heat_scale_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_session
tests_unit_tui_test_session_SOURCES = %reldir%/test_session.c
tests_unit_tui_test_session_LDADD   = $(libs_tui) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/tui/test_faults
tests_unit_tui_test_faults_SOURCES = %reldir%/test_faults.c tests/unit/tui/sample_view.c tests/unit/tui/sample_view.h $(faults) \
	tests/unit/tui/sample_deploys.c tests/unit/tui/sample_deploys.h
tests_unit_tui_test_faults_LDFLAGS = $(fault_ldflags)
tests_unit_tui_test_faults_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_log_screen
tests_unit_tui_test_log_screen_SOURCES = %reldir%/test_log_screen.c $(tui_golden)
tests_unit_tui_test_log_screen_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_node_facts
tests_unit_tui_test_node_facts_SOURCES = %reldir%/test_node_facts.c $(store_folder)
tests_unit_tui_test_node_facts_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_logs
tests_unit_tui_test_logs_SOURCES = %reldir%/test_logs.c tests/unit/collectors/loop_turn.c tests/unit/collectors/loop_turn.h
tests_unit_tui_test_logs_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_alerts
tests_unit_tui_test_alerts_SOURCES = %reldir%/test_alerts.c $(screen_test_helpers)
tests_unit_tui_test_alerts_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_alerts_read
tests_unit_tui_test_alerts_read_SOURCES = %reldir%/test_alerts_read.c $(store_folder)
tests_unit_tui_test_alerts_read_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_calling
tests_unit_tui_test_calling_SOURCES = %reldir%/test_calling.c
tests_unit_tui_test_calling_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_marks
tests_unit_tui_test_marks_SOURCES = %reldir%/test_marks.c $(faults) $(store_folder)
tests_unit_tui_test_marks_LDFLAGS = $(fault_ldflags)
tests_unit_tui_test_marks_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_chart_feed
tests_unit_tui_test_chart_feed_SOURCES = %reldir%/test_chart_feed.c $(store_folder)
tests_unit_tui_test_chart_feed_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=query_range
tests_unit_tui_test_chart_feed_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_attention
tests_unit_tui_test_attention_SOURCES = %reldir%/test_attention.c
tests_unit_tui_test_attention_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_arming
tests_unit_tui_test_arming_SOURCES = %reldir%/test_arming.c
tests_unit_tui_test_arming_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_deploys
tests_unit_tui_test_deploys_SOURCES = %reldir%/test_deploys.c %reldir%/deploys_stage.c %reldir%/deploys_stage.h tests/unit/tui/sample_deploys.c tests/unit/tui/sample_deploys.h $(screen_test_helpers)
tests_unit_tui_test_deploys_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_deploy_runs
tests_unit_tui_test_deploy_runs_SOURCES = %reldir%/test_deploy_runs.c %reldir%/deploys_stage.c %reldir%/deploys_stage.h tests/unit/tui/sample_deploys.c tests/unit/tui/sample_deploys.h $(screen_test_helpers)
tests_unit_tui_test_deploy_runs_LDADD   = $(libs_tui) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/tui/test_deploys_read
tests_unit_tui_test_deploys_read_SOURCES = %reldir%/test_deploys_read.c tests/unit/tui/sample_deploys.c tests/unit/tui/sample_deploys.h $(screen_test_helpers) $(store_folder)
tests_unit_tui_test_deploys_read_LDADD   = $(libs_tui) $(CMOCKA_LIBS)
