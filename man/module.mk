# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += %reldir%/pitwall-fleet.5

# The program prints its own page, from the records that make --help and the key map.
nodist_man_MANS += man/pitwall.1
CLEANFILES      += man/pitwall.1
man/pitwall.1: pitwall$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && ./pitwall$(EXEEXT) --man >$@.new && mv $@.new $@
