# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libcollectors.a
libcollectors_a_SOURCES = \
	%reldir%/decimal.c %reldir%/decimal.h %reldir%/pow5.h \
	%reldir%/exposition.h \
	%reldir%/http.h \
	%reldir%/identify.h
