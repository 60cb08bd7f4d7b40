# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += pitwall
pitwall_SOURCES = %reldir%/main.c
pitwall_LDADD   = $(libs_base)
