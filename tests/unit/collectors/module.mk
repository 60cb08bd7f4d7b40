# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += \
	tests/unit/collectors/test_decimal \
	tests/unit/collectors/test_exposition \
	tests/unit/collectors/test_exposition_samples \
	tests/unit/collectors/test_http \
	tests/unit/collectors/test_identify \
	tests/unit/collectors/test_predict \
	tests/unit/collectors/test_source_amd \
	tests/unit/collectors/test_source_nvidia \
	tests/unit/collectors/test_source_xpu \
	tests/unit/collectors/test_xid
tests_unit_collectors_test_decimal_SOURCES = %reldir%/test_decimal.c
tests_unit_collectors_test_decimal_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_exposition_SOURCES = %reldir%/test_exposition.c
tests_unit_collectors_test_exposition_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_exposition_samples_SOURCES = %reldir%/test_exposition_samples.c
tests_unit_collectors_test_exposition_samples_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_predict_SOURCES = %reldir%/test_predict.c
tests_unit_collectors_test_predict_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_http_SOURCES = %reldir%/test_http.c %reldir%/raw_server.c %reldir%/raw_server.h
tests_unit_collectors_test_http_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_identify_SOURCES = %reldir%/test_identify.c
tests_unit_collectors_test_identify_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_xid_SOURCES = %reldir%/test_xid.c
tests_unit_collectors_test_xid_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
source_kit = tests/unit/collectors/source_kit.c tests/unit/collectors/source_kit.h
tests_unit_collectors_test_source_nvidia_SOURCES = %reldir%/test_source_nvidia.c $(source_kit)
tests_unit_collectors_test_source_nvidia_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_amd_SOURCES = %reldir%/test_source_amd.c $(source_kit)
tests_unit_collectors_test_source_amd_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_xpu_SOURCES = %reldir%/test_source_xpu.c $(source_kit)
tests_unit_collectors_test_source_xpu_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
