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
	%reldir%/slice.c %reldir%/slice.h \
	%reldir%/source.h \
	%reldir%/source_amd.c %reldir%/source_amd.h \
	%reldir%/source_amd_smi.c \
	%reldir%/source_gpu.h \
	%reldir%/source_nvidia.c %reldir%/source_nvidia.h \
	%reldir%/source_nvidia_apps.c \
	%reldir%/source_nvidia_gpu.c \
	%reldir%/source_nvidia_link.c \
	%reldir%/source_nvidia_mig.c \
	%reldir%/source_xpu.c \
	%reldir%/source_rocm_smi.c \
	%reldir%/source_roster.c %reldir%/source_roster.h \
	%reldir%/source_users.c %reldir%/source_users.h \
	%reldir%/table.c %reldir%/table.h \
	%reldir%/text.c \
	%reldir%/xid.c %reldir%/xid.h \
	%reldir%/xid_table.c
