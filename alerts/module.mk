# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
libalerts_a_SOURCES = \
	%reldir%/group.c %reldir%/group.h \
	%reldir%/life.c %reldir%/life.h \
	%reldir%/request.c %reldir%/request.h \
	%reldir%/fingerprint.c %reldir%/fingerprint.h \
	%reldir%/notify_message.c %reldir%/notify_message.h \
	%reldir%/notify_plan.c %reldir%/notify_plan.h \
	%reldir%/notify_told.c %reldir%/notify_told.h \
	%reldir%/rule_test.c %reldir%/rule_test.h
libalerts_a_SOURCES += %reldir%/ack.c %reldir%/ack.h
libalerts_a_SOURCES += %reldir%/grouping.c %reldir%/grouping.h
libalerts_a_SOURCES += %reldir%/inhibit.c %reldir%/inhibit.h
libalerts_a_SOURCES += %reldir%/silence.c %reldir%/silence.h
libalerts_a_SOURCES += %reldir%/spool.c %reldir%/spool.h %reldir%/spool_private.h
libalerts_a_SOURCES += %reldir%/spool_put.c
