# SPDX-License-Identifier: Apache-2.0
# All but main itself is a library too, so that tests can link it.
noinst_LIBRARIES += libapp.a
libapp_a_SOURCES = \
	%reldir%/cells.c %reldir%/cells.h \
	%reldir%/cli.c %reldir%/cli.h \
	%reldir%/cmd_check.c \
	%reldir%/cmd_console.c \
	%reldir%/cmd_demo.c \
	%reldir%/cmd_doctor.c \
	%reldir%/cmd_export.c \
	%reldir%/cmd_query.c \
	%reldir%/cmd_record.c \
	%reldir%/cmd_replay.c \
	%reldir%/cmd_sim.c \
	%reldir%/cmd_status.c \
	%reldir%/cmd_test_rules.c \
	%reldir%/commands.c %reldir%/commands.h \
	%reldir%/console_run.c %reldir%/console_run.h \
	%reldir%/context.c %reldir%/context.h \
	%reldir%/doctor_config.c \
	%reldir%/doctor_host.c %reldir%/doctor_host.h \
	%reldir%/help.c \
	%reldir%/paths.c %reldir%/paths.h \
	%reldir%/round.c %reldir%/round.h \
	%reldir%/sim_options.c %reldir%/sim_options.h \
	%reldir%/status_print.c %reldir%/status_print.h
libapp_a_SOURCES += %reldir%/headless.c %reldir%/headless.h
libapp_a_SOURCES += %reldir%/settle.c %reldir%/settle.h
libapp_a_SOURCES += %reldir%/alerts_print.c %reldir%/alerts_print.h
libapp_a_SOURCES += %reldir%/rules_print.c %reldir%/rules_print.h
libapp_a_SOURCES += %reldir%/asking.c %reldir%/asking.h
libapp_a_SOURCES += %reldir%/groups_named.c
libapp_a_SOURCES += %reldir%/cmd_ack.c
libapp_a_SOURCES += %reldir%/cmd_alerts.c
libapp_a_SOURCES += %reldir%/cmd_audit.c
libapp_a_SOURCES += %reldir%/cmd_note.c
libapp_a_SOURCES += %reldir%/cmd_silence.c
libapp_a_SOURCES += %reldir%/cmd_stats.c
libapp_a_SOURCES += %reldir%/cmd_store.c
libapp_a_SOURCES += %reldir%/cmd_compact.c
libapp_a_SOURCES += %reldir%/doctor_store.c
libapp_a_SOURCES += %reldir%/team_store.h
libapp_a_SOURCES += %reldir%/cmd_why.c
libapp_a_SOURCES += %reldir%/cmd_deploy.c
libapp_a_SOURCES += %reldir%/cmd_deployments.c
libapp_a_SOURCES += %reldir%/deploy_confirm.c %reldir%/deploy_confirm.h
libapp_a_SOURCES += %reldir%/deploy_follow.c %reldir%/deploy_follow.h
libapp_a_SOURCES += %reldir%/deployments_print.c %reldir%/deployments_print.h
bin_PROGRAMS += pitwall
pitwall_SOURCES = %reldir%/main.c
libs_app        = libapp.a libtui.a librecorder.a libdeploy.a libalerts.a libcollectors.a librules.a libquery.a libstore.a libconfig.a libsim.a libbase.a $(MHD_LIBS) $(DEPS_LIBS)
pitwall_LDADD   = $(libs_app)
