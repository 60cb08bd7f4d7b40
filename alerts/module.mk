# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
libalerts_a_SOURCES = \
	%reldir%/group.c %reldir%/group.h \
	%reldir%/life.c %reldir%/life.h \
	%reldir%/recent.c %reldir%/recent.h %reldir%/recent_held.c %reldir%/recent_private.h %reldir%/recent_select.c \
	%reldir%/rule_test.c %reldir%/rule_test.h
