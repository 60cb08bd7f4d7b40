# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/unit/tui/golden.c tests/unit/tui/golden.h

UNIT_TESTS += tests/unit/tui/test_fleet_state
tests_unit_tui_test_fleet_state_SOURCES = %reldir%/test_fleet_state.c
tests_unit_tui_test_fleet_state_LDADD   = libtui.a $(libs_recorder) $(CMOCKA_LIBS)
