# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	%reldir%/alerts.c %reldir%/alerts.h \
	%reldir%/deployments.c %reldir%/deployments.h \
	%reldir%/audit.c \
	%reldir%/changes.c %reldir%/changes.h \
	%reldir%/block.h %reldir%/block_bits.h %reldir%/block_private.h \
	%reldir%/block_column.c %reldir%/block_column.h \
	%reldir%/block_order.c %reldir%/block_read.c %reldir%/block_write.c \
	%reldir%/block_pack.c %reldir%/block_pack.h \
	%reldir%/chain.c %reldir%/chain.h \
	%reldir%/clock_watch.c %reldir%/clock_watch.h \
	%reldir%/codec.c %reldir%/codec.h \
	%reldir%/codec_delta.c %reldir%/codec_delta.h \
	%reldir%/compact.c %reldir%/compact.h \
	%reldir%/db.c %reldir%/db.h \
	%reldir%/decimal.c %reldir%/decimal.h \
	%reldir%/export.c %reldir%/export.h \
	%reldir%/export_rollups.c %reldir%/export_rollups.h \
	%reldir%/fold.c %reldir%/fold.h \
	%reldir%/fold_order.c %reldir%/fold_order.h \
	%reldir%/fs.c %reldir%/fs.h \
	%reldir%/heads.c \
	%reldir%/layout.c %reldir%/layout.h \
	%reldir%/layout_table.c %reldir%/layout_table.h \
	%reldir%/lease.c %reldir%/lease.h \
	%reldir%/ledger.c %reldir%/ledger.h \
	%reldir%/retain.c %reldir%/retain.h \
	%reldir%/retain_layouts.c %reldir%/retain_layouts.h \
	%reldir%/reader.c %reldir%/reader.h %reldir%/reader_private.h %reldir%/reader_blocks.c \
	%reldir%/reader_rows.c \
	%reldir%/rollup.h %reldir%/rollup_cell.c \
	%reldir%/rollup_make.c %reldir%/rollup_make.h \
	%reldir%/rollup_read.c \
	%reldir%/schema.c %reldir%/schema.h \
	%reldir%/select.c %reldir%/select_private.h \
	%reldir%/select_columns.c \
	%reldir%/select.c \
	%reldir%/span.c %reldir%/span.h \
	%reldir%/store.c %reldir%/store.h \
	%reldir%/stranger.c %reldir%/stranger.h \
	%reldir%/tail.c %reldir%/tail.h \
	%reldir%/verify.c %reldir%/verify.h \
	%reldir%/usage.c %reldir%/usage.h %reldir%/usage_private.h %reldir%/usage_walk.c \
	%reldir%/uses.c %reldir%/uses.h \
	%reldir%/walk.c \
	%reldir%/writer.c %reldir%/writer.h
