# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += librecorder.a
librecorder_a_SOURCES = \
	%reldir%/alerting.c %reldir%/alerting.h \
	%reldir%/alone.c %reldir%/alone.h \
	%reldir%/deploying_acting.c \
	%reldir%/credentials.c %reldir%/credentials.h \
	%reldir%/deploying.c %reldir%/deploying.h %reldir%/deploying_auto.c %reldir%/deploying_gate.c %reldir%/deploying_lock.c %reldir%/deploying_load.c %reldir%/deploying_private.h \
	%reldir%/deploying_run.c %reldir%/deploying_survey.c \
	%reldir%/deploying_trial.c \
	%reldir%/deploying_before.c \
	%reldir%/deploying_looks.c \
	%reldir%/desk.c %reldir%/desk.h %reldir%/desk_private.h %reldir%/desk_news.c %reldir%/desk_requests.c %reldir%/desk_tell.c \
	%reldir%/desk.c %reldir%/desk.h %reldir%/desk_private.h %reldir%/desk_news.c %reldir%/desk_peers.c %reldir%/desk_requests.c %reldir%/desk_tell.c \
	%reldir%/peers.c %reldir%/peers.h \
	%reldir%/loss.c %reldir%/loss.h \
	%reldir%/machine_settings.c %reldir%/machine_settings.h \
	%reldir%/recorder.c %reldir%/recorder.h \
	%reldir%/report.c %reldir%/report.h \
	%reldir%/reserved.c %reldir%/reserved.h \
	%reldir%/standby.c %reldir%/standby.h \
	%reldir%/thread.c %reldir%/thread.h \
	%reldir%/versions.c %reldir%/versions.h \
	%reldir%/watch.c %reldir%/watch.h
