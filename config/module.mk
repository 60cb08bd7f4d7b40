# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	%reldir%/check.h \
	%reldir%/fleet.h \
	%reldir%/profile.h \
	%reldir%/range.c %reldir%/range.h \
	%reldir%/secret.c %reldir%/secret.h
