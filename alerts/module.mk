# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
libalerts_a_SOURCES = \
	%reldir%/group.c %reldir%/group.h \
	%reldir%/life.c %reldir%/life.h \
	%reldir%/recent.c %reldir%/recent.h %reldir%/recent_held.c %reldir%/recent_private.h %reldir%/recent_select.c \
	%reldir%/request.c %reldir%/request.h \
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
libalerts_a_SOURCES += %reldir%/ack.c %reldir%/ack.h

# what changed when an alert began
libalerts_a_SOURCES += \
	%reldir%/changed.c %reldir%/changed.h %reldir%/changed_private.h \
	%reldir%/changed_alert.c \
	%reldir%/changed_events.c \
	%reldir%/changed_labels.c \
	%reldir%/changed_read.c \
	%reldir%/changed_text.c \
	%reldir%/shift.c %reldir%/shift.h

	%reldir%/rule_test.c %reldir%/rule_test.h \
	%reldir%/rulebook.c %reldir%/rulebook.h
libalerts_a_SOURCES += %reldir%/rules_frame.c %reldir%/rules_frame.h
libalerts_a_SOURCES += %reldir%/ack.h
libalerts_a_SOURCES += %reldir%/grouping.c %reldir%/grouping.h
libalerts_a_SOURCES += %reldir%/inhibit.c %reldir%/inhibit.h
libalerts_a_SOURCES += %reldir%/silence.c %reldir%/silence.h
libalerts_a_SOURCES += %reldir%/spool.c %reldir%/spool.h %reldir%/spool_private.h
libalerts_a_SOURCES += %reldir%/spool_put.c
