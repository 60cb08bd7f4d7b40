# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/unit/tui/golden.c tests/unit/tui/golden.h
