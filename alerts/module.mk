# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
libalerts_a_SOURCES = \
	%reldir%/group.c %reldir%/group.h \
	%reldir%/life.c %reldir%/life.h \
	%reldir%/request.c %reldir%/request.h \
	%reldir%/alertmanager.c %reldir%/alertmanager.h %reldir%/alertmanager_private.h \
	%reldir%/alertmanager_json.c %reldir%/alertmanager_json.h \
	%reldir%/alertmanager_push.c \
	%reldir%/alertmanager_silence.c \
	%reldir%/alertmanager_mirror.c %reldir%/alertmanager_mirror.h \
	%reldir%/fingerprint.c %reldir%/fingerprint.h \
	%reldir%/notifier.c %reldir%/notifier.h %reldir%/notifier_private.h \
	%reldir%/notify_command.c \
	%reldir%/notify_email.c \
	%reldir%/notify_kind.c %reldir%/notify_kind.h \
	%reldir%/notify_message.c %reldir%/notify_message.h \
	%reldir%/notify_pagerduty.c \
	%reldir%/notify_webhook.c \
	%reldir%/notify_plan.c %reldir%/notify_plan.h \
	%reldir%/notify_process.c %reldir%/notify_process.h \
	%reldir%/notify_send.c \
	%reldir%/notify_told.c %reldir%/notify_told.h \
	%reldir%/rule_test.c %reldir%/rule_test.h
libalerts_a_SOURCES += %reldir%/ack.h
libalerts_a_SOURCES += %reldir%/grouping.c %reldir%/grouping.h
libalerts_a_SOURCES += %reldir%/inhibit.c %reldir%/inhibit.h
libalerts_a_SOURCES += %reldir%/silence.c %reldir%/silence.h
