# SPDX-License-Identifier: Apache-2.0
noinst_PROGRAMS += bench/bench_sim
bench_bench_sim_SOURCES = %reldir%/bench_sim.c
bench_bench_sim_LDADD   = $(libs_sim)
noinst_PROGRAMS += bench/bench_parser
bench_bench_parser_SOURCES = %reldir%/bench_parser.c
bench_bench_parser_LDADD   = libcollectors.a $(libs_config)

noinst_PROGRAMS += bench/bench_rules
bench_bench_rules_SOURCES = %reldir%/bench_rules.c
bench_bench_rules_LDADD   = $(libs_rules)
noinst_PROGRAMS += bench/bench_store
bench_bench_store_SOURCES = %reldir%/bench_store.c
bench_bench_store_LDADD   = $(libs_store)
noinst_PROGRAMS += bench/bench_query
bench_bench_query_SOURCES = %reldir%/bench_query.c tests/unit/query/memory_source.c tests/unit/query/memory_source.h
bench_bench_query_LDADD   = $(libs_query)
