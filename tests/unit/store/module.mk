# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/store/test_codec tests/unit/store/test_faults tests/unit/store/test_store tests/unit/store/test_stranger
tests_unit_store_test_codec_SOURCES = %reldir%/test_codec.c
tests_unit_store_test_codec_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_store_SOURCES = %reldir%/test_store.c
tests_unit_store_test_store_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_faults_SOURCES = %reldir%/test_faults.c
tests_unit_store_test_faults_LDADD   = $(libs_store) $(CMOCKA_LIBS)
tests_unit_store_test_stranger_SOURCES = %reldir%/test_stranger.c
tests_unit_store_test_stranger_LDADD   = $(libs_store) $(CMOCKA_LIBS)
