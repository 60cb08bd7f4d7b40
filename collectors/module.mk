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
	%reldir%/log_burst.c %reldir%/log_burst.h \
	%reldir%/log_pattern.c %reldir%/log_pattern.h \
	%reldir%/openmetrics.c \
	%reldir%/parse.c %reldir%/parse.h \
	%reldir%/plan.c %reldir%/plan.h \
	%reldir%/said.c %reldir%/said.h \
	%reldir%/shell_quote.c %reldir%/shell_quote.h \
	%reldir%/slice.c %reldir%/slice.h \
	%reldir%/source.h \
	%reldir%/source_container.c %reldir%/source_services.h \
	%reldir%/source_exec.c \
	%reldir%/source_gpu.h \
	%reldir%/source_kernel.c \
	%reldir%/source_log.c \
	%reldir%/source_nvidia.c %reldir%/source_nvidia.h \
	%reldir%/source_nvidia_apps.c \
	%reldir%/source_nvidia_gpu.c \
	%reldir%/source_nvidia_link.c \
	%reldir%/source_nvidia_mig.c \
	%reldir%/source_systemd.c \
	%reldir%/table.c %reldir%/table.h \
	%reldir%/text.c \
	%reldir%/xid.c %reldir%/xid.h \
	%reldir%/xid_table.c
