# SPDX-License-Identifier: Apache-2.0
# Benchmarks print "name value unit" lines. `make bench` builds them and runs all; bench/run does so with -O2 in a folder of its own.
BENCHES = \
	bench/bench_details \
	bench/bench_gather \
	bench/bench_ingest \
	bench/bench_log \
	bench/bench_parser \
	bench/bench_query \
	bench/bench_rules \
	bench/bench_screen \
	bench/bench_sim \
	bench/bench_store
if HAVE_TEST_LIBS
BENCHES += bench/bench_console
BENCHES += bench/bench_ssh
endif
EXTRA_PROGRAMS += bench/bench_console bench/bench_gather bench/bench_ingest bench/bench_log bench/bench_parser bench/bench_query bench/bench_rules bench/bench_screen bench/bench_sim bench/bench_store
CLEANFILES     += bench/bench_console bench/bench_gather bench/bench_ingest bench/bench_log bench/bench_parser bench/bench_query bench/bench_rules bench/bench_screen bench/bench_sim bench/bench_store
EXTRA_DIST     += bench/run

bench_on_pty = %reldir%/keys.c %reldir%/keys.h %reldir%/process.c %reldir%/process.h tests/e2e/pty.c tests/e2e/pty.h
bench_bench_console_SOURCES = %reldir%/bench_console.c $(bench_on_pty)
bench_bench_console_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
bench_bench_console_LDADD   = $(libs_base) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil
EXTRA_PROGRAMS += bench/bench_details
CLEANFILES     += bench/bench_details
bench_bench_details_SOURCES = %reldir%/bench_details.c
bench_bench_details_LDADD   = $(libs_tui)
bench_bench_ingest_SOURCES  = %reldir%/bench_ingest.c %reldir%/process.c %reldir%/process.h
bench_bench_ingest_LDADD    = $(libs_base)
bench_bench_log_SOURCES     = %reldir%/bench_log.c
bench_bench_log_LDADD       = $(libs_tui)
bench_bench_parser_SOURCES  = %reldir%/bench_parser.c $(load_page)
bench_bench_parser_LDADD    = libcollectors.a $(libs_config)
bench_bench_query_SOURCES   = %reldir%/bench_query.c
bench_bench_query_LDADD     = $(libs_query)
bench_bench_rules_SOURCES   = %reldir%/bench_rules.c
bench_bench_rules_LDADD     = $(libs_rules)
bench_bench_screen_SOURCES  = %reldir%/bench_screen.c
bench_bench_screen_LDADD    = $(libs_tui)
bench_bench_sim_SOURCES     = %reldir%/bench_sim.c
bench_bench_sim_LDADD       = $(libs_sim)
bench_bench_store_SOURCES   = %reldir%/bench_store.c
bench_bench_store_LDADD     = $(libs_store)

benches: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(BENCHES) bench/load
bench: benches
	@for bench in $(BENCHES); do PITWALL_BUILDDIR='$(abs_top_builddir)' ./$$bench || exit 1; done
.PHONY: bench benches
bench_bench_gather_SOURCES  = %reldir%/bench_gather.c
bench_bench_gather_LDADD    = libcollectors.a $(libs_config)
EXTRA_PROGRAMS += bench/bench_ssh
CLEANFILES     += bench/bench_ssh
bench_bench_ssh_SOURCES = %reldir%/bench_ssh.c %reldir%/ssh_fleet.c %reldir%/ssh_fleet.h $(bench_on_pty)
bench_bench_ssh_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
bench_bench_ssh_LDADD   = $(libs_recorder) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil
BENCHES        += bench/bench_ssh_cost
EXTRA_PROGRAMS += bench/bench_ssh_cost
CLEANFILES     += bench/bench_ssh_cost
bench_bench_ssh_cost_SOURCES = %reldir%/bench_ssh_cost.c %reldir%/process.c %reldir%/process.h %reldir%/relay.c %reldir%/relay.h \
	%reldir%/ssh_fleet.c %reldir%/ssh_fleet.h
bench_bench_ssh_cost_LDADD   = libcollectors.a $(libs_config)
BENCHES        += bench/bench_alerts
EXTRA_PROGRAMS += bench/bench_alerts
CLEANFILES     += bench/bench_alerts
bench_bench_alerts_SOURCES = %reldir%/bench_alerts.c
bench_bench_alerts_LDADD   = $(libs_alerts)
BENCHES        += bench/bench_changed
EXTRA_PROGRAMS += bench/bench_changed
CLEANFILES     += bench/bench_changed
bench_bench_changed_SOURCES = %reldir%/bench_changed.c
bench_bench_changed_LDADD   = $(libs_alerts)

# A storm of alerts on the screen.
BENCHES        += bench/bench_storm
EXTRA_PROGRAMS += bench/bench_storm
CLEANFILES     += bench/bench_storm
bench_bench_storm_SOURCES = %reldir%/bench_storm.c
bench_bench_storm_LDADD   = $(libs_tui)

# Ten consoles and a recorder on one store.
if HAVE_TEST_LIBS
BENCHES += bench/bench_colleagues
endif
EXTRA_PROGRAMS += bench/bench_colleagues
CLEANFILES     += bench/bench_colleagues
bench_bench_colleagues_SOURCES = %reldir%/bench_colleagues.c tests/e2e/colleagues.c tests/e2e/colleagues.h tests/e2e/small_fleet.c tests/e2e/small_fleet.h \
	tests/unit/recorder/page_server.c tests/unit/recorder/page_server.h $(bench_on_pty)
bench_bench_colleagues_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
bench_bench_colleagues_LDADD   = $(libs_base) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil -lpthread
# The journal of a large deployment, and a large plan; redeploys of the whole program, by the command and on a pty.
if HAVE_TEST_LIBS
BENCHES += bench/bench_deploy
endif
EXTRA_PROGRAMS += bench/bench_deploy
CLEANFILES     += bench/bench_deploy
bench_bench_deploy_SOURCES = %reldir%/bench_deploy.c %reldir%/deploy_figures.h %reldir%/deploy_wire.c %reldir%/deploy_waves.c \
	%reldir%/deploy_peer.c %reldir%/deploy_peer.h $(bench_on_pty)
bench_bench_deploy_CFLAGS  = $(AM_CFLAGS) $(VTERM_CFLAGS)
bench_bench_deploy_LDADD   = $(libs_deploy) $(libs_sim) $(CMOCKA_LIBS) $(VTERM_LIBS) -lutil

# Rules that look back over hours.
BENCHES        += bench/bench_windows
EXTRA_PROGRAMS += bench/bench_windows
CLEANFILES     += bench/bench_windows
bench_bench_windows_SOURCES = %reldir%/bench_windows.c
bench_bench_windows_LDADD   = $(libs_alerts)

# Frames folded into blocks.
BENCHES        += bench/bench_block
EXTRA_PROGRAMS += bench/bench_block
CLEANFILES     += bench/bench_block
bench_bench_block_SOURCES = %reldir%/bench_block.c %reldir%/node_values.c %reldir%/node_values.h
bench_bench_block_LDADD   = $(libs_store)

# The store engine beside Prometheus and VictoriaMetrics, on a load of simulated nodes.
BENCHES        += bench/bench_engine
EXTRA_PROGRAMS += bench/bench_engine bench/load
CLEANFILES     += bench/bench_engine bench/load
load_page       = %reldir%/load_page.c %reldir%/load_page.h %reldir%/load_families.c %reldir%/load_families.h
load_truth      = %reldir%/load_truth.c %reldir%/load_truth.h
bench_load_SOURCES = %reldir%/load.c %reldir%/load_address.h $(load_page) $(load_truth)
bench_load_LDADD   = $(libs_base)
bench_bench_engine_SOURCES = %reldir%/bench_engine.c %reldir%/engine_rules.c %reldir%/engine_rules.h %reldir%/load_address.h %reldir%/process.c %reldir%/process.h
bench_bench_engine_LDADD   = $(libs_base)

# A day of a store of a hundred nodes.
BENCHES        += bench/bench_day
EXTRA_PROGRAMS += bench/bench_day
CLEANFILES     += bench/bench_day
bench_bench_day_SOURCES = %reldir%/bench_day.c %reldir%/node_values.c %reldir%/node_values.h
bench_bench_day_LDADD   = $(libs_store)

# Questions about a fleet, through a store.
BENCHES        += bench/bench_fleet
EXTRA_PROGRAMS += bench/bench_fleet
CLEANFILES     += bench/bench_fleet
bench_bench_fleet_SOURCES = %reldir%/bench_fleet.c %reldir%/node_values.c %reldir%/node_values.h
bench_bench_fleet_LDADD   = $(libs_query)
