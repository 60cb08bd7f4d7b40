# SPDX-License-Identifier: Apache-2.0
# Scripts that check the house itself, in TAP.
HOUSE_TESTS = %reldir%/banned.sh %reldir%/floors.sh %reldir%/headers.sh
TESTS      += $(HOUSE_TESTS)
EXTRA_DIST += $(HOUSE_TESTS)
