# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libalerts.a
libalerts_a_SOURCES = \
	%reldir%/group.c %reldir%/group.h \
	%reldir%/life.c %reldir%/life.h \
	%reldir%/request.c %reldir%/request.h \
	%reldir%/spool.c %reldir%/spool.h %reldir%/spool_private.h \
	%reldir%/spool_put.c \
	%reldir%/rule_test.c %reldir%/rule_test.h
