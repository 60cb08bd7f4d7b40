# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += \
	tests/unit/collectors/test_decimal \
	tests/unit/collectors/test_exposition \
	tests/unit/collectors/test_exposition_samples \
	tests/unit/collectors/test_http \
	tests/unit/collectors/test_identify \
	tests/unit/collectors/test_predict \
	tests/unit/collectors/test_shell_quote
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
tests_unit_collectors_test_shell_quote_SOURCES = %reldir%/test_shell_quote.c
tests_unit_collectors_test_shell_quote_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
