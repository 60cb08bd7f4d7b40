# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += librules.a
librules_a_SOURCES = \
	%reldir%/eval.h \
	%reldir%/health.c %reldir%/health.h \
	%reldir%/rule_file.h \
	%reldir%/signal.c %reldir%/signal.h
