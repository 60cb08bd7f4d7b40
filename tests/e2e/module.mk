# SPDX-License-Identifier: Apache-2.0
# Programs on a pty, looked at through libvterm.
EXTRA_DIST += tests/e2e/pty.c tests/e2e/pty.h

check_PROGRAMS += tests/e2e/console_program
tests_e2e_console_program_SOURCES = %reldir%/console_program.c
tests_e2e_console_program_LDADD   = $(libs_tui)

UNIT_TESTS += tests/e2e/test_terminal
tests_e2e_test_terminal_SOURCES = %reldir%/test_terminal.c %reldir%/pty.c %reldir%/pty.h
tests_e2e_test_terminal_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_terminal_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil

# No test: makes the picture of the console in the README, `make picture`.
check_PROGRAMS += tests/e2e/picture
tests_e2e_picture_SOURCES = %reldir%/picture.c %reldir%/pty.c %reldir%/pty.h
tests_e2e_picture_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_picture_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil
picture: pitwall$(EXEEXT) tests/e2e/picture$(EXEEXT)
	tests/e2e/picture$(EXEEXT) ./pitwall$(EXEEXT) $(top_srcdir)/docs/console.svg
.PHONY: picture

# The command line, and what its JSON is looked at with.
check_PROGRAMS += tests/e2e/json_at
tests_e2e_json_at_SOURCES = %reldir%/json_at.c
tests_e2e_json_at_LDADD   = $(DEPS_LIBS)
TESTS      += %reldir%/cli.sh
EXTRA_DIST += %reldir%/cli.sh
# The program itself; it must have been built, which `make check` sees to.

SLOW_TESTS += tests/e2e/test_console
tests_e2e_test_console_SOURCES = %reldir%/test_console.c %reldir%/pty.c %reldir%/pty.h
tests_e2e_test_console_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_console_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil

UNIT_TESTS += tests/e2e/test_hostile
tests_e2e_test_hostile_SOURCES = %reldir%/test_hostile.c %reldir%/pty.c %reldir%/pty.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h
tests_e2e_test_hostile_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_hostile_LDADD   = $(DEPS_LIBS) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil

# The program on a small fleet of the test's own.
small_fleet = tests/e2e/small_fleet.c tests/e2e/small_fleet.h tests/e2e/pty.c tests/e2e/pty.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h
EXTRA_DIST += tests/e2e/small_fleet.c tests/e2e/small_fleet.h

SLOW_TESTS += tests/e2e/test_answers
tests_e2e_test_answers_SOURCES = %reldir%/test_answers.c $(small_fleet)
tests_e2e_test_answers_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_answers_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_leaving
tests_e2e_test_leaving_SOURCES = %reldir%/test_leaving.c %reldir%/command.c %reldir%/command.h $(small_fleet)
tests_e2e_test_leaving_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_leaving_LDADD   = $(libs_base) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_link
tests_e2e_test_link_SOURCES = %reldir%/test_link.c $(small_fleet)
tests_e2e_test_link_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_link_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_mouse
tests_e2e_test_mouse_SOURCES = %reldir%/test_mouse.c $(small_fleet)
tests_e2e_test_mouse_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_mouse_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

SLOW_TESTS += tests/e2e/test_takeover
tests_e2e_test_takeover_SOURCES = %reldir%/test_takeover.c $(small_fleet)
tests_e2e_test_takeover_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_takeover_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

SLOW_TESTS += tests/e2e/test_machine
tests_e2e_test_machine_SOURCES = %reldir%/test_machine.c $(small_fleet)
tests_e2e_test_machine_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_machine_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_lend
tests_e2e_test_lend_SOURCES = %reldir%/test_lend.c $(small_fleet)
tests_e2e_test_lend_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_lend_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

SLOW_TESTS += tests/e2e/test_access
tests_e2e_test_access_SOURCES = %reldir%/test_access.c $(small_fleet) tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
tests_e2e_test_access_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_access_LDADD   = $(libs_base) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_logs
tests_e2e_test_logs_SOURCES = %reldir%/test_logs.c $(small_fleet)
tests_e2e_test_logs_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_logs_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_doctor
tests_e2e_test_doctor_SOURCES = %reldir%/test_doctor.c tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
tests_e2e_test_doctor_LDADD   = $(libs_base) $(CMOCKA_LIBS)

SLOW_TESTS += tests/e2e/test_prometheus_alerts
tests_e2e_test_prometheus_alerts_SOURCES = %reldir%/test_prometheus_alerts.c %reldir%/prometheus.c %reldir%/prometheus.h %reldir%/service.c %reldir%/service.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h $(store_folder)
tests_e2e_test_prometheus_alerts_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/e2e/test_alert_commands
tests_e2e_test_alert_commands_SOURCES = %reldir%/test_alert_commands.c %reldir%/command.c %reldir%/command.h
tests_e2e_test_alert_commands_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/e2e/test_team_store
tests_e2e_test_team_store_SOURCES = %reldir%/test_team_store.c tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
tests_e2e_test_team_store_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

UNIT_TESTS += tests/e2e/test_alerts
tests_e2e_test_alerts_SOURCES = %reldir%/test_alerts.c $(small_fleet)
tests_e2e_test_alerts_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_alerts_LDADD   = $(libs_store) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

# A real Alertmanager, where it is installed.

UNIT_TESTS += tests/e2e/test_alertmanager_policy
tests_e2e_test_alertmanager_policy_SOURCES = %reldir%/test_alertmanager_policy.c %reldir%/alertmanager.c %reldir%/alertmanager.h %reldir%/service.c %reldir%/service.h
tests_e2e_test_alertmanager_policy_LDADD   = $(libs_alerts) $(CMOCKA_LIBS)

SLOW_TESTS += tests/e2e/test_kill
tests_e2e_test_kill_SOURCES = %reldir%/test_kill.c %reldir%/small_fleet.c %reldir%/small_fleet.h %reldir%/pty.c %reldir%/pty.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h
tests_e2e_test_kill_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_kill_LDADD   = $(libs_alerts) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil

# test_deploy, the longest of all, is the first of SLOW_TESTS (Makefile.am).
tests_e2e_test_deploy_SOURCES = %reldir%/test_deploy.c %reldir%/deploy_stage.c %reldir%/deploy_stage.h %reldir%/small_fleet.c %reldir%/small_fleet.h %reldir%/pty.c %reldir%/pty.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h $(store_folder)
tests_e2e_test_deploy_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_deploy_LDADD   = $(libs_recorder) $(libs_sim) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil

UNIT_TESTS += tests/e2e/test_deploy_commands
tests_e2e_test_deploy_commands_SOURCES = %reldir%/test_deploy_commands.c %reldir%/command.c %reldir%/command.h %reldir%/pty.c %reldir%/pty.h
tests_e2e_test_deploy_commands_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_deploy_commands_LDADD   = $(libs_recorder) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil
# Ten consoles on one store.
EXTRA_DIST += tests/e2e/colleagues.c tests/e2e/colleagues.h

UNIT_TESTS += tests/e2e/test_colleagues
tests_e2e_test_colleagues_SOURCES = %reldir%/test_colleagues.c %reldir%/colleagues.c %reldir%/colleagues.h $(small_fleet)
tests_e2e_test_colleagues_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_colleagues_LDADD   = $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

UNIT_TESTS += tests/e2e/test_alertmanager_shown
tests_e2e_test_alertmanager_shown_SOURCES = %reldir%/test_alertmanager_shown.c %reldir%/command.c %reldir%/command.h %reldir%/alertmanager.c %reldir%/alertmanager.h %reldir%/service.c %reldir%/service.h
tests_e2e_test_alertmanager_shown_LDADD   = $(libs_base) $(DEPS_LIBS) $(CMOCKA_LIBS)

SLOW_TESTS += tests/e2e/test_hangup
tests_e2e_test_hangup_SOURCES = %reldir%/test_hangup.c %reldir%/small_fleet.c %reldir%/small_fleet.h %reldir%/pty.c %reldir%/pty.h \
	tests/unit/deploy/small_server.c tests/unit/deploy/small_server.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h
tests_e2e_test_hangup_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_hangup_LDADD   = $(libs_recorder) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

SLOW_TESTS += tests/e2e/test_deploy_nodes
deploy_nodes = %reldir%/deploy_nodes.c %reldir%/deploy_nodes.h $(small_fleet) tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
tests_e2e_test_deploy_nodes_SOURCES = %reldir%/test_deploy_nodes.c $(deploy_nodes)
tests_e2e_test_deploy_nodes_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_deploy_nodes_LDADD   = $(libs_recorder) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

SLOW_TESTS += tests/e2e/test_deploy_full_disk
tests_e2e_test_deploy_full_disk_SOURCES = %reldir%/test_deploy_full_disk.c $(deploy_nodes)
tests_e2e_test_deploy_full_disk_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_deploy_full_disk_LDADD   = $(libs_recorder) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread

SLOW_TESTS += tests/e2e/test_deploy_lock
tests_e2e_test_deploy_lock_SOURCES = %reldir%/test_deploy_lock.c $(deploy_nodes)
tests_e2e_test_deploy_lock_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
tests_e2e_test_deploy_lock_LDADD   = $(libs_recorder) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread
