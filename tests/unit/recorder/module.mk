# SPDX-License-Identifier: Apache-2.0
recorder_bench = \
	%reldir%/bench.c %reldir%/bench.h \
	%reldir%/page_server.c %reldir%/page_server.h

UNIT_TESTS += tests/unit/recorder/test_recorder
tests_unit_recorder_test_recorder_SOURCES = %reldir%/test_recorder.c $(recorder_bench)
tests_unit_recorder_test_recorder_LDADD   = $(libs_recorder) $(CMOCKA_LIBS)
