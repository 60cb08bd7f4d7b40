# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
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
libalerts_a_SOURCES += %reldir%/silence.c %reldir%/silence.h
