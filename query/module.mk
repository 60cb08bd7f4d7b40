# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libquery.a
libquery_a_SOURCES = \
	%reldir%/aggregate.c \
	%reldir%/ast.c %reldir%/ast.h \
	%reldir%/batch.c %reldir%/batch.h \
	%reldir%/batch_classes.c \
	%reldir%/batch_private.h \
	%reldir%/binary.c \
	%reldir%/check.c \
	%reldir%/eval.c %reldir%/eval.h \
	%reldir%/eval_memory.c \
	%reldir%/eval_over.c \
	%reldir%/eval_rollup.c \
	%reldir%/eval_select.c \
	%reldir%/format.c %reldir%/format.h \
	%reldir%/function.h \
	%reldir%/functions.c \
	%reldir%/functions_counter.c \
	%reldir%/functions_label.c \
	%reldir%/functions_math.c \
	%reldir%/functions_over_time.c \
	%reldir%/functions_time.c \
	%reldir%/functions_vector.c \
	%reldir%/groups.c %reldir%/groups.h \
	%reldir%/histogram.c \
	%reldir%/lexer.c %reldir%/lexer.h \
	%reldir%/memo.c %reldir%/memo.h \
	%reldir%/memory_source.c %reldir%/memory_source.h \
	%reldir%/numerics.c \
	%reldir%/parser.c %reldir%/parser.h \
	%reldir%/parser_selector.c \
	%reldir%/pick.c \
	%reldir%/print.c %reldir%/print.h \
	%reldir%/query.c %reldir%/query.h \
	%reldir%/series_text.c %reldir%/series_text.h \
	%reldir%/signature.c \
	%reldir%/source.h \
	%reldir%/store_source.c %reldir%/store_source.h \
	%reldir%/threshold.c
