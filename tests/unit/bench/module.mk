# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/bench/test_load
tests_unit_bench_test_load_SOURCES = %reldir%/test_load.c bench/load_page.c bench/load_page.h bench/load_families.c bench/load_families.h \
	bench/load_truth.c bench/load_truth.h
tests_unit_bench_test_load_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
