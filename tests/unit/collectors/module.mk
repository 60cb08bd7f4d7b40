# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += \
	tests/unit/collectors/test_ceiling \
	tests/unit/collectors/test_decimal \
	tests/unit/collectors/test_exposition \
	tests/unit/collectors/test_exposition_samples \
	tests/unit/collectors/test_faults \
	tests/unit/collectors/test_gather \
	tests/unit/collectors/test_gather_frames \
	tests/unit/collectors/test_http \
	tests/unit/collectors/test_http_tls \
	tests/unit/collectors/test_identify \
	tests/unit/collectors/test_known_hosts \
	tests/unit/collectors/test_known_hosts_add \
	tests/unit/collectors/test_known_hosts_openssh \
	tests/unit/collectors/test_log_follow \
	tests/unit/collectors/test_log_list \
	tests/unit/collectors/test_log_pattern \
	tests/unit/collectors/test_log_ring \
	tests/unit/collectors/test_predict \
	tests/unit/collectors/test_schedule \
	tests/unit/collectors/test_shell_quote \
	tests/unit/collectors/test_source_amd \
	tests/unit/collectors/test_source_container \
	tests/unit/collectors/test_source_exec \
	tests/unit/collectors/test_source_host \
	tests/unit/collectors/test_source_kernel \
	tests/unit/collectors/test_source_log \
	tests/unit/collectors/test_source_nvidia \
	tests/unit/collectors/test_source_systemd \
	tests/unit/collectors/test_source_xpu \
	tests/unit/collectors/test_ssh \
	tests/unit/collectors/test_ssh_certificates \
	tests/unit/collectors/test_ssh_children \
	tests/unit/collectors/test_ssh_config \
	tests/unit/collectors/test_ssh_conformance \
	tests/unit/collectors/test_ssh_hostile \
	tests/unit/collectors/test_ssh_key \
	tests/unit/collectors/test_ssh_pattern \
	tests/unit/collectors/test_ssh_soak \
	tests/unit/collectors/test_xid
http_bench = %reldir%/http_bench.c %reldir%/http_bench.h %reldir%/raw_server.c %reldir%/raw_server.h
source_bench = %reldir%/source_bench.c %reldir%/source_bench.h
ssh_bench = tests/unit/collectors/ssh_bench.c tests/unit/collectors/ssh_bench.h tests/unit/collectors/loop_turn.c \
	tests/unit/collectors/loop_turn.h tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
keygen = tests/unit/collectors/keygen.c tests/unit/collectors/keygen.h
source_kit = tests/unit/collectors/source_kit.c tests/unit/collectors/source_kit.h
tests_unit_collectors_test_decimal_SOURCES = %reldir%/test_decimal.c $(comma_locale)
tests_unit_collectors_test_decimal_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_exposition_SOURCES = %reldir%/test_exposition.c
tests_unit_collectors_test_exposition_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_exposition_samples_SOURCES = %reldir%/test_exposition_samples.c
tests_unit_collectors_test_exposition_samples_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_faults_SOURCES = %reldir%/test_faults.c $(faults)
tests_unit_collectors_test_faults_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_faults_LDFLAGS = $(fault_ldflags)
tests_unit_collectors_test_gather_SOURCES = %reldir%/test_gather.c %reldir%/shell_peer.c %reldir%/shell_peer.h
tests_unit_collectors_test_gather_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_gather_frames_SOURCES = %reldir%/test_gather_frames.c
tests_unit_collectors_test_gather_frames_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_http_SOURCES = %reldir%/test_http.c $(http_bench)
tests_unit_collectors_test_http_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_http_tls_SOURCES = %reldir%/test_http_tls.c $(http_bench)
tests_unit_collectors_test_http_tls_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_identify_SOURCES = %reldir%/test_identify.c
tests_unit_collectors_test_identify_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_known_hosts_SOURCES = %reldir%/test_known_hosts.c %reldir%/known_files.h
tests_unit_collectors_test_known_hosts_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_known_hosts_add_SOURCES = %reldir%/test_known_hosts_add.c %reldir%/known_files.h
tests_unit_collectors_test_known_hosts_add_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_known_hosts_openssh_SOURCES = %reldir%/test_known_hosts_openssh.c %reldir%/known_files.h %reldir%/sshd.c %reldir%/sshd.h
tests_unit_collectors_test_known_hosts_openssh_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_log_pattern_SOURCES = %reldir%/test_log_pattern.c $(source_bench)
tests_unit_collectors_test_log_pattern_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_machine_SOURCES = %reldir%/test_machine.c %reldir%/loop_turn.c %reldir%/loop_turn.h %reldir%/sshd.c %reldir%/sshd.h
tests_unit_collectors_test_machine_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ceiling_SOURCES = %reldir%/test_ceiling.c
tests_unit_collectors_test_ceiling_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)

tests_unit_collectors_test_predict_SOURCES = %reldir%/test_predict.c
tests_unit_collectors_test_predict_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_schedule_SOURCES = %reldir%/test_schedule.c
tests_unit_collectors_test_schedule_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_shell_quote_SOURCES = %reldir%/test_shell_quote.c %reldir%/shell_peer.c %reldir%/shell_peer.h
tests_unit_collectors_test_shell_quote_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_amd_SOURCES = %reldir%/test_source_amd.c $(source_kit)
tests_unit_collectors_test_source_amd_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_container_SOURCES = %reldir%/test_source_container.c $(source_bench)
tests_unit_collectors_test_source_container_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_exec_SOURCES = %reldir%/test_source_exec.c $(source_bench)
tests_unit_collectors_test_source_exec_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_host_SOURCES = %reldir%/test_source_host.c %reldir%/shell_peer.c %reldir%/shell_peer.h
tests_unit_collectors_test_source_host_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_kernel_SOURCES = %reldir%/test_source_kernel.c $(source_bench)
tests_unit_collectors_test_source_kernel_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_log_SOURCES = %reldir%/test_source_log.c $(source_bench)
tests_unit_collectors_test_source_log_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_nvidia_SOURCES = %reldir%/test_source_nvidia.c $(source_kit)
tests_unit_collectors_test_source_nvidia_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_systemd_SOURCES = %reldir%/test_source_systemd.c $(source_bench)
tests_unit_collectors_test_source_systemd_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_source_xpu_SOURCES = %reldir%/test_source_xpu.c $(source_kit)
tests_unit_collectors_test_source_xpu_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_SOURCES = %reldir%/test_ssh.c $(ssh_bench)
tests_unit_collectors_test_ssh_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_certificates_SOURCES = %reldir%/test_ssh_certificates.c $(ssh_bench) $(keygen)
tests_unit_collectors_test_ssh_certificates_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_children_SOURCES = %reldir%/test_ssh_children.c $(ssh_bench)
tests_unit_collectors_test_ssh_children_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_config_SOURCES = %reldir%/test_ssh_config.c %reldir%/ssh_memory.c %reldir%/ssh_memory.h
tests_unit_collectors_test_ssh_config_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_conformance_SOURCES = %reldir%/test_ssh_conformance.c %reldir%/ssh_oracle.c %reldir%/ssh_oracle.h
tests_unit_collectors_test_ssh_conformance_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_hostile_SOURCES = %reldir%/test_ssh_hostile.c %reldir%/ssh_liar.c %reldir%/ssh_liar.h $(ssh_bench)
tests_unit_collectors_test_ssh_hostile_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_key_SOURCES = %reldir%/test_ssh_key.c %reldir%/sample_keys.h
tests_unit_collectors_test_ssh_key_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_keys_SOURCES = %reldir%/test_ssh_keys.c $(ssh_bench) $(keygen)
tests_unit_collectors_test_ssh_keys_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_pattern_SOURCES = %reldir%/test_ssh_pattern.c
tests_unit_collectors_test_ssh_pattern_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_soak_SOURCES = %reldir%/test_ssh_soak.c $(ssh_bench)
tests_unit_collectors_test_ssh_soak_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_ssh_way_SOURCES = %reldir%/test_ssh_way.c $(ssh_bench)
tests_unit_collectors_test_ssh_way_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_xid_SOURCES = %reldir%/test_xid.c
tests_unit_collectors_test_xid_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_log_follow_SOURCES = %reldir%/test_log_follow.c %reldir%/loop_turn.c %reldir%/loop_turn.h %reldir%/sshd.c %reldir%/sshd.h
tests_unit_collectors_test_log_follow_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_log_list_SOURCES = %reldir%/test_log_list.c
tests_unit_collectors_test_log_list_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
tests_unit_collectors_test_log_ring_SOURCES = %reldir%/test_log_ring.c
tests_unit_collectors_test_log_ring_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/collectors/test_reach
tests_unit_collectors_test_reach_SOURCES = %reldir%/test_reach.c
tests_unit_collectors_test_reach_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/collectors/test_ssh_scan
tests_unit_collectors_test_ssh_scan_SOURCES = %reldir%/test_ssh_scan.c %reldir%/loop_turn.c %reldir%/loop_turn.h %reldir%/sshd.c %reldir%/sshd.h
tests_unit_collectors_test_ssh_scan_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/collectors/test_ssh_control
tests_unit_collectors_test_ssh_control_SOURCES = %reldir%/test_ssh_control.c %reldir%/sshd.c %reldir%/sshd.h
tests_unit_collectors_test_ssh_control_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/collectors/test_series_pool
tests_unit_collectors_test_series_pool_SOURCES = %reldir%/test_series_pool.c
tests_unit_collectors_test_series_pool_LDADD   = libcollectors.a $(libs_config) $(CMOCKA_LIBS)
SLOW_TESTS += tests/unit/collectors/test_machine
SLOW_TESTS += tests/unit/collectors/test_ssh_way
SLOW_TESTS += tests/unit/collectors/test_ssh_keys
