# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%reldir%/arena.c %reldir%/arena.h \
	%reldir%/buf.c %reldir%/buf.h \
	%reldir%/clock.h \
	%reldir%/err.c %reldir%/err.h \
	%reldir%/hash.c %reldir%/hash.h \
	%reldir%/labels.h \
	%reldir%/matcher.h \
	%reldir%/num.h \
	%reldir%/regex.h \
	%reldir%/stale.h \
	%reldir%/varint.h
