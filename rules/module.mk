# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += librules.a
librules_a_SOURCES = \
	%reldir%/catalogue.c \
	%reldir%/detail.c %reldir%/detail.h \
	%reldir%/detail_engine.c \
	%reldir%/eval.c %reldir%/eval.h %reldir%/eval_private.h \
	%reldir%/health.c %reldir%/health.h \
	%reldir%/pack.c %reldir%/pack.h \
	%reldir%/prime.c %reldir%/prime.h \
	%reldir%/rule_file.c %reldir%/rule_file.h \
	%reldir%/ruleset.c %reldir%/ruleset.h \
	%reldir%/signal.c %reldir%/signal.h \
	%reldir%/slo.c %reldir%/slo.h \
	%reldir%/template.h %reldir%/template_private.h \
	%reldir%/template_expand.c %reldir%/template_functions.c %reldir%/template_parse.c \
	%reldir%/template_printf.c %reldir%/template_prometheus.c %reldir%/template_value.c \
	%reldir%/window.c %reldir%/window.h
