# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libcollectors.a
libcollectors_a_SOURCES = \
	%reldir%/check_file.c \
	%reldir%/decimal.c %reldir%/decimal.h %reldir%/pow5.h \
	%reldir%/draft.c %reldir%/draft.h \
	%reldir%/exposition.c %reldir%/exposition.h \
	%reldir%/findings.c %reldir%/findings.h \
	%reldir%/http.c %reldir%/http.h %reldir%/http_private.h \
	%reldir%/http_get.c \
	%reldir%/http_peer.c \
	%reldir%/http_target.c \
	%reldir%/http_transfer.c \
	%reldir%/http_url.c \
	%reldir%/identify.c %reldir%/identify.h \
	%reldir%/layout.c \
	%reldir%/openmetrics.c \
	%reldir%/parse.c %reldir%/parse.h \
	%reldir%/plan.c %reldir%/plan.h \
	%reldir%/shell_quote.c %reldir%/shell_quote.h \
	%reldir%/source.h \
	%reldir%/table.c %reldir%/table.h \
	%reldir%/text.c
