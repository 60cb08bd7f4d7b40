# SPDX-License-Identifier: Apache-2.0
# Scripts that check the house itself, in TAP.
HOUSE_TESTS = %reldir%/banned.sh %reldir%/floors.sh %reldir%/headers.sh %reldir%/man.sh %reldir%/symbols.sh
TESTS      += $(HOUSE_TESTS)
EXTRA_DIST += $(HOUSE_TESTS) tests/house/listed.sh
TESTS      += %reldir%/peers.sh
EXTRA_DIST += %reldir%/peers.sh tools/peers.sh

# A release that lacks a source is not made.
dist-hook:
	PITWALL_SRCDIR='$(top_srcdir)' $(SHELL) $(top_srcdir)/tests/house/listed.sh
