# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += \
	tests/unit/collectors/test_decimal \
	tests/unit/collectors/test_exposition \
	tests/unit/collectors/test_exposition_samples \
	tests/unit/collectors/test_faults \
	tests/unit/collectors/test_http \
	tests/unit/collectors/test_http_tls \
	tests/unit/collectors/test_identify \
	tests/unit/collectors/test_predict
tests_unit_collectors_test_decimal_SOURCES = %reldir%/test_decimal.c $(comma_locale)
tests_unit_collectors_test_decimal_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_exposition_SOURCES = %reldir%/test_exposition.c
tests_unit_collectors_test_exposition_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_exposition_samples_SOURCES = %reldir%/test_exposition_samples.c
tests_unit_collectors_test_exposition_samples_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_predict_SOURCES = %reldir%/test_predict.c
tests_unit_collectors_test_predict_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
http_bench = %reldir%/http_bench.c %reldir%/http_bench.h %reldir%/raw_server.c %reldir%/raw_server.h
tests_unit_collectors_test_http_SOURCES = %reldir%/test_http.c $(http_bench)
tests_unit_collectors_test_http_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_http_tls_SOURCES = %reldir%/test_http_tls.c $(http_bench)
tests_unit_collectors_test_http_tls_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_identify_SOURCES = %reldir%/test_identify.c
tests_unit_collectors_test_identify_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_faults_SOURCES = %reldir%/test_faults.c $(faults)
tests_unit_collectors_test_faults_LDFLAGS = $(fault_ldflags)
tests_unit_collectors_test_faults_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
