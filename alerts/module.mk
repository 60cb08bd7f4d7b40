# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
libalerts_a_SOURCES =
libalerts_a_SOURCES += %reldir%/ack.c %reldir%/ack.h
libalerts_a_SOURCES += %reldir%/changed.c %reldir%/changed.h
libalerts_a_SOURCES += %reldir%/changed_alert.c
libalerts_a_SOURCES += %reldir%/changed_events.c
libalerts_a_SOURCES += %reldir%/changed_labels.c
libalerts_a_SOURCES += %reldir%/changed_private.h
libalerts_a_SOURCES += %reldir%/changed_read.c
libalerts_a_SOURCES += %reldir%/changed_text.c
libalerts_a_SOURCES += %reldir%/fingerprint.c %reldir%/fingerprint.h
libalerts_a_SOURCES += %reldir%/group.c %reldir%/group.h
libalerts_a_SOURCES = \
	%reldir%/group.c %reldir%/group.h \
	%reldir%/life.c %reldir%/life.h \
	%reldir%/recent.c %reldir%/recent.h %reldir%/recent_held.c %reldir%/recent_private.h %reldir%/recent_select.c \
	%reldir%/request.c %reldir%/request.h \
	%reldir%/fingerprint.c %reldir%/fingerprint.h \
	%reldir%/notify_message.c %reldir%/notify_message.h \
	%reldir%/notify_plan.c %reldir%/notify_plan.h \
	%reldir%/notify_told.c %reldir%/notify_told.h \
	%reldir%/rule_test.c %reldir%/rule_test.h \
	%reldir%/rulebook.c %reldir%/rulebook.h
libalerts_a_SOURCES += %reldir%/rules_frame.c %reldir%/rules_frame.h
libalerts_a_SOURCES += %reldir%/manager.c %reldir%/manager.h %reldir%/manager_people.c %reldir%/manager_private.h %reldir%/manager_restore.c \
	%reldir%/manager_rows.c
libalerts_a_SOURCES += %reldir%/ack.c %reldir%/ack.h
libalerts_a_SOURCES += %reldir%/grouping.c %reldir%/grouping.h
libalerts_a_SOURCES += %reldir%/inhibit.c %reldir%/inhibit.h
libalerts_a_SOURCES += %reldir%/life.c %reldir%/life.h
libalerts_a_SOURCES += %reldir%/manager.h
libalerts_a_SOURCES += %reldir%/notifier.c %reldir%/notifier.h
libalerts_a_SOURCES += %reldir%/notifier_private.h
libalerts_a_SOURCES += %reldir%/notify_command.c
libalerts_a_SOURCES += %reldir%/notify_email.c
libalerts_a_SOURCES += %reldir%/notify_kind.c %reldir%/notify_kind.h
libalerts_a_SOURCES += %reldir%/notify_message.c %reldir%/notify_message.h
libalerts_a_SOURCES += %reldir%/notify_pagerduty.c
libalerts_a_SOURCES += %reldir%/notify_plan.c %reldir%/notify_plan.h
libalerts_a_SOURCES += %reldir%/notify_process.c %reldir%/notify_process.h
libalerts_a_SOURCES += %reldir%/notify_send.c
libalerts_a_SOURCES += %reldir%/notify_told.c %reldir%/notify_told.h
libalerts_a_SOURCES += %reldir%/notify_webhook.c
libalerts_a_SOURCES += %reldir%/recent.c %reldir%/recent.h
libalerts_a_SOURCES += %reldir%/recent_held.c
libalerts_a_SOURCES += %reldir%/recent_private.h
libalerts_a_SOURCES += %reldir%/recent_select.c
libalerts_a_SOURCES += %reldir%/request.c %reldir%/request.h
libalerts_a_SOURCES += %reldir%/rule_test.c %reldir%/rule_test.h
libalerts_a_SOURCES += %reldir%/rulebook.c %reldir%/rulebook.h
libalerts_a_SOURCES += %reldir%/rules_frame.c %reldir%/rules_frame.h
libalerts_a_SOURCES += %reldir%/shift.c %reldir%/shift.h
libalerts_a_SOURCES += %reldir%/silence.c %reldir%/silence.h
libalerts_a_SOURCES += %reldir%/spool.c %reldir%/spool.h
libalerts_a_SOURCES += %reldir%/spool_private.h
libalerts_a_SOURCES += %reldir%/spool_put.c
