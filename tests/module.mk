# SPDX-License-Identifier: Apache-2.0
# `make check`: every unit test is a cmocka program that speaks TAP, so that each of its cases counts; every fuzz target is replayed over
# its corpus; scripts check the house itself.
TEST_EXTENSIONS    = .sh
LOG_DRIVER         = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER       = $(SHELL) $(top_srcdir)/tests/tap.sh
SH_LOG_DRIVER      = $(LOG_DRIVER)
EXTRA_DIST        += tests/tap.sh tests/unit/unit.h
if FUZZERS
pitwall_fuzzers = yes
else
pitwall_fuzzers = no
endif
AM_TESTS_ENVIRONMENT = \
	PITWALL_FUZZERS='$(pitwall_fuzzers)'; export PITWALL_FUZZERS; \
	PITWALL_SLOW_TESTS='$(SLOW_TESTS)'; export PITWALL_SLOW_TESTS; \
	PITWALL_CC='$(CC)'; export PITWALL_CC; \
	PITWALL_CFLAGS='$(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) -std=gnu11 $(WARN_CFLAGS)'; export PITWALL_CFLAGS; \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	PITWALL_SRCDIR='$(abs_top_srcdir)'; export PITWALL_SRCDIR; \
	PITWALL_BUILDDIR='$(abs_top_builddir)'; export PITWALL_BUILDDIR; \
	PITWALL_SHARED="$${PITWALL_SHARED:-$(abs_top_srcdir)/../shared}"; export PITWALL_SHARED; \
	test -d "$$PITWALL_SHARED" || unset PITWALL_SHARED; \
	ASAN_OPTIONS="$${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}"; export ASAN_OPTIONS; \
	UBSAN_OPTIONS="$${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"; export UBSAN_OPTIONS;

# Allocations that fail (tests/unit/faults.h).
faults        = tests/unit/faults.c tests/unit/faults.h
store_folder  = tests/unit/store_folder.c tests/unit/store_folder.h
fault_ldflags = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup -Wl,--wrap=strndup

include tests/unit/base/module.mk
include tests/unit/config/module.mk
include tests/unit/store/module.mk
include tests/unit/query/module.mk
include tests/unit/collectors/module.mk
include tests/unit/rules/module.mk
include tests/unit/alerts/module.mk
include tests/unit/deploy/module.mk
include tests/unit/recorder/module.mk
include tests/unit/tui/module.mk
include tests/unit/sim/module.mk
include tests/unit/app/module.mk
include tests/unit/bench/module.mk
include tests/rules/module.mk
include tests/fuzz/module.mk
include tests/house/module.mk
include tests/e2e/module.mk

# A unit test of floor X stands in tests/unit/X/, is named in X's module.mk there and links $(libs_X) and cmocka.
check_PROGRAMS += $(SLOW_TESTS) $(UNIT_TESTS)
TESTS          += $(SLOW_TESTS) $(UNIT_TESTS)

# What `make check` does in short, at length: SOAK connections. Best in a build without sanitizers.
SOAK = 10000
.PHONY: soak
soak: tests/unit/collectors/test_ssh_soak soak-alerts soak-kill soak-deploy soak-power
	PITWALL_SOAK=$(SOAK) tests/unit/collectors/test_ssh_soak

# KILLS kills of a recorder, and of who asks it for something.
KILLS = 200
.PHONY: soak-kill
soak-kill: pitwall$(EXEEXT) tests/e2e/test_kill
	PITWALL_KILLS=$(KILLS) PITWALL_BUILDDIR='$(abs_top_builddir)' tests/e2e/test_kill

# A rollback whose recorder is killed at every moment of it, two people who confirm at the same instant, 100 times, on one store and on two, and nodes that die in each step.
.PHONY: soak-deploy
soak-deploy: pitwall$(EXEEXT) tests/e2e/test_deploy tests/e2e/test_deploy_nodes tests/e2e/test_deploy_lock
	PITWALL_KILLS=all PITWALL_BUILDDIR='$(abs_top_builddir)' tests/e2e/test_deploy
	PITWALL_KILLS=all PITWALL_BUILDDIR='$(abs_top_builddir)' tests/e2e/test_deploy_nodes
	PITWALL_KILLS=all PITWALL_BUILDDIR='$(abs_top_builddir)' tests/e2e/test_deploy_lock

# A whole day of the simulated fleet under the rule pack: none of its alerts may fire.
SOAK_NODES = 48
.PHONY: soak-alerts
soak-alerts: tests/unit/alerts/test_incidents
	PITWALL_SOAK=$(SOAK_NODES) tests/unit/alerts/test_incidents

# CUTS power cuts of a disk that keeps only what was synced.
CUTS = 1000
.PHONY: soak-power
soak-power: tests/unit/store/test_power_cut
	PITWALL_CUTS=$(CUTS) tests/unit/store/test_power_cut
