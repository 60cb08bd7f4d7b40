# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%reldir%/asset.c %reldir%/asset.h \
	%reldir%/arena.c %reldir%/arena.h \
	%reldir%/base64.c %reldir%/base64.h \
	%reldir%/buf.c %reldir%/buf.h \
	%reldir%/clock.c %reldir%/clock.h \
	%reldir%/err.c %reldir%/err.h \
	%reldir%/hash.c %reldir%/hash.h \
	%reldir%/json.c %reldir%/json.h \
	%reldir%/labels.c %reldir%/labels.h \
	%reldir%/labels_index.c %reldir%/labels_index.h \
	%reldir%/log.c %reldir%/log.h \
	%reldir%/loop.c %reldir%/loop.h \
	%reldir%/matcher.c %reldir%/matcher.h \
	%reldir%/matcher_set.c %reldir%/matcher_set.h \
	%reldir%/num.c %reldir%/num.h \
	%reldir%/room.c %reldir%/room.h \
	%reldir%/regex.cc %reldir%/regex.h \
	%reldir%/stale.h \
	%reldir%/text.c %reldir%/text.h %reldir%/text_table.h \
	%reldir%/varint.h
# The C++ runtime is only what RE2 needs of it: programs are linked by the C compiler, with the C++ library among DEPS_LIBS. The vptr
# sanitizer would need the C++ half of the sanitizer runtime, which that link does not bring.
libbase_a_CXXFLAGS = $(AM_CXXFLAGS) -fno-exceptions -fno-sanitize=vptr
libbase_a_SOURCES += \
	%reldir%/account.c %reldir%/account.h \
	%reldir%/person.c %reldir%/person.h \
	%reldir%/diagnostics.c %reldir%/diagnostics.h \
	%reldir%/slurp.c %reldir%/slurp.h \
	%reldir%/suggest.c %reldir%/suggest.h \
	%reldir%/yaml.c %reldir%/yaml.h \
	%reldir%/yaml_get.c

# Themes, profiles and rule packs are built in, so that the binary alone is enough. Their folders name them in ASSET_FILES.
nodist_libbase_a_SOURCES = base/asset_data.c
BUILT_SOURCES += base/asset_data.c
CLEANFILES    += base/asset_data.c
EXTRA_DIST    += tools/embed.sh tools/glyph_table.py $(ASSET_FILES)
base/asset_data.c: $(ASSET_FILES) $(top_srcdir)/tools/embed.sh Makefile
	$(AM_V_GEN)$(MKDIR_P) base && AWK='$(AWK)' $(SHELL) $(top_srcdir)/tools/embed.sh '$(top_srcdir)' $(ASSET_FILES) >$@.new && mv $@.new $@
