# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += \
	tests/unit/collectors/test_decimal \
	tests/unit/collectors/test_exposition \
	tests/unit/collectors/test_exposition_samples \
	tests/unit/collectors/test_http \
	tests/unit/collectors/test_identify \
	tests/unit/collectors/test_log_pattern \
	tests/unit/collectors/test_predict \
	tests/unit/collectors/test_shell_quote \
	tests/unit/collectors/test_source_container \
	tests/unit/collectors/test_source_exec \
	tests/unit/collectors/test_source_kernel \
	tests/unit/collectors/test_source_log \
	tests/unit/collectors/test_source_nvidia \
	tests/unit/collectors/test_source_systemd \
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
# A source on a machine of the test's: shell, tools, memory.
source_bench = %reldir%/source_bench.c %reldir%/source_bench.h
tests_unit_collectors_test_log_pattern_SOURCES = %reldir%/test_log_pattern.c $(source_bench)
tests_unit_collectors_test_log_pattern_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_container_SOURCES = %reldir%/test_source_container.c $(source_bench)
tests_unit_collectors_test_source_container_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_xid_SOURCES = %reldir%/test_xid.c
tests_unit_collectors_test_xid_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
source_kit = %reldir%/source_kit.c %reldir%/source_kit.h
tests_unit_collectors_test_source_nvidia_SOURCES = %reldir%/test_source_nvidia.c $(source_kit)
tests_unit_collectors_test_source_nvidia_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_kernel_SOURCES = %reldir%/test_source_kernel.c $(source_bench)
tests_unit_collectors_test_source_kernel_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_systemd_SOURCES = %reldir%/test_source_systemd.c $(source_bench)
tests_unit_collectors_test_source_systemd_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_log_SOURCES = %reldir%/test_source_log.c $(source_bench)
tests_unit_collectors_test_source_log_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_exec_SOURCES = %reldir%/test_source_exec.c $(source_bench)
tests_unit_collectors_test_source_exec_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_shell_quote_SOURCES = %reldir%/test_shell_quote.c
tests_unit_collectors_test_shell_quote_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
