# SPDX-License-Identifier: Apache-2.0
# A fuzz target is tests/fuzz/fuzz_NAME.c with a corpus in tests/fuzz/corpus/NAME/ and two lines here. `make check` replays the corpora. After
# `configure --enable-fuzzers --enable-sanitizers CC=clang CXX=clang++`, `make fuzz` looks for new inputs, FUZZ_SECONDS a target, in
# tests/fuzz/work/ of the build folder; what crashes is left there as NAME-crash-*.
FUZZ_TARGETS += tests/fuzz/fuzz_alertmanager
tests_fuzz_fuzz_alertmanager_LDADD = $(FUZZ_MAIN) $(libs_alerts)

FUZZ_TARGETS += tests/fuzz/fuzz_block
tests_fuzz_fuzz_block_LDADD = $(FUZZ_MAIN) $(libs_store)

FUZZ_TARGETS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_LDADD = $(FUZZ_MAIN) $(libs_store)

FUZZ_TARGETS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_LDADD = $(FUZZ_MAIN) $(libs_base)

FUZZ_TARGETS += tests/fuzz/fuzz_labels
tests_fuzz_fuzz_labels_LDADD = $(FUZZ_MAIN) $(libs_base)

FUZZ_TARGETS += tests/fuzz/fuzz_matcher_set
tests_fuzz_fuzz_matcher_set_LDADD = $(FUZZ_MAIN) $(libs_base)

FUZZ_TARGETS += tests/fuzz/fuzz_rule_file
tests_fuzz_fuzz_rule_file_LDADD = $(FUZZ_MAIN) $(libs_rules)
FUZZ_TARGETS += tests/fuzz/fuzz_query
tests_fuzz_fuzz_query_LDADD = $(FUZZ_MAIN) $(libs_query)

FUZZ_TARGETS += tests/fuzz/fuzz_query_eval
tests_fuzz_fuzz_query_eval_SOURCES = %reldir%/fuzz_query_eval.c
tests_fuzz_fuzz_query_eval_LDADD = $(FUZZ_MAIN) $(libs_query)

FUZZ_TARGETS += tests/fuzz/fuzz_store
tests_fuzz_fuzz_store_LDADD = $(FUZZ_MAIN) $(libs_store)

FUZZ_TARGETS += tests/fuzz/fuzz_template
tests_fuzz_fuzz_template_LDADD = $(FUZZ_MAIN) $(libs_rules)

FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_LDADD = $(FUZZ_MAIN) $(libs_base)

FUZZ_TARGETS += tests/fuzz/fuzz_time
tests_fuzz_fuzz_time_LDADD = $(FUZZ_MAIN) $(libs_base)

FUZZ_TARGETS += tests/fuzz/fuzz_fleet
tests_fuzz_fuzz_fleet_LDADD = $(FUZZ_MAIN) $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_range
tests_fuzz_fuzz_range_LDADD = $(FUZZ_MAIN) $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_plan
tests_fuzz_fuzz_plan_LDADD = $(FUZZ_MAIN) $(libs_deploy)

FUZZ_TARGETS += tests/fuzz/fuzz_ceiling
tests_fuzz_fuzz_ceiling_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_exposition
tests_fuzz_fuzz_exposition_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_known_hosts
tests_fuzz_fuzz_known_hosts_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_shell_quote
tests_fuzz_fuzz_shell_quote_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_openmetrics
tests_fuzz_fuzz_openmetrics_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_predict
tests_fuzz_fuzz_predict_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_nvidia_smi
tests_fuzz_fuzz_nvidia_smi_SOURCES = %reldir%/fuzz_nvidia_smi.c %reldir%/fuzz_source.h
tests_fuzz_fuzz_nvidia_smi_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_amd_smi
tests_fuzz_fuzz_amd_smi_SOURCES = %reldir%/fuzz_amd_smi.c %reldir%/fuzz_source.h
tests_fuzz_fuzz_amd_smi_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_xpu_smi
tests_fuzz_fuzz_xpu_smi_SOURCES = %reldir%/fuzz_xpu_smi.c %reldir%/fuzz_source.h
tests_fuzz_fuzz_xpu_smi_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_xid
tests_fuzz_fuzz_xid_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_gather
tests_fuzz_fuzz_gather_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)


FUZZ_TARGETS += tests/fuzz/fuzz_input
tests_fuzz_fuzz_input_LDADD = $(FUZZ_MAIN) $(libs_tui)

FUZZ_TARGETS += tests/fuzz/fuzz_key_file
tests_fuzz_fuzz_key_file_LDADD = $(FUZZ_MAIN) $(libs_tui)

FUZZ_TARGETS += tests/fuzz/fuzz_theme
tests_fuzz_fuzz_theme_LDADD = $(FUZZ_MAIN) $(libs_tui)

FUZZ_TARGETS += tests/fuzz/fuzz_ssh_config
tests_fuzz_fuzz_ssh_config_SOURCES = %reldir%/fuzz_ssh_config.c tests/unit/collectors/ssh_memory.c tests/unit/collectors/ssh_memory.h
tests_fuzz_fuzz_ssh_config_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_ssh_session
tests_fuzz_fuzz_ssh_session_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_source_systemd
tests_fuzz_fuzz_source_systemd_SOURCES = %reldir%/fuzz_source_systemd.c %reldir%/fuzz_services.h
tests_fuzz_fuzz_source_systemd_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_source_container
tests_fuzz_fuzz_source_container_SOURCES = %reldir%/fuzz_source_container.c %reldir%/fuzz_services.h
tests_fuzz_fuzz_source_container_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_source_kernel
tests_fuzz_fuzz_source_kernel_SOURCES = %reldir%/fuzz_source_kernel.c %reldir%/fuzz_services.h
tests_fuzz_fuzz_source_kernel_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_source_log
tests_fuzz_fuzz_source_log_SOURCES = %reldir%/fuzz_source_log.c %reldir%/fuzz_services.h
tests_fuzz_fuzz_source_log_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_log
tests_fuzz_fuzz_log_SOURCES = %reldir%/fuzz_log.c
tests_fuzz_fuzz_log_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)
FUZZ_TARGETS += tests/fuzz/fuzz_source_exec
tests_fuzz_fuzz_source_exec_SOURCES = %reldir%/fuzz_source_exec.c %reldir%/fuzz_services.h
tests_fuzz_fuzz_source_exec_LDADD = $(FUZZ_MAIN) libcollectors.a $(libs_config)

FUZZ_TARGETS += tests/fuzz/fuzz_request
tests_fuzz_fuzz_request_LDADD = $(FUZZ_MAIN) $(libs_alerts)

FUZZ_TARGETS += tests/fuzz/fuzz_kubernetes
tests_fuzz_fuzz_kubernetes_LDADD = $(FUZZ_MAIN) $(libs_deploy)
FUZZ_TARGETS += tests/fuzz/fuzz_mask
tests_fuzz_fuzz_mask_LDADD = $(FUZZ_MAIN) $(libs_deploy)
FUZZ_TARGETS += tests/fuzz/fuzz_kube_config
tests_fuzz_fuzz_kube_config_LDADD = $(FUZZ_MAIN) $(libs_deploy)
FUZZ_TARGETS += tests/fuzz/fuzz_docker
tests_fuzz_fuzz_docker_LDADD = $(FUZZ_MAIN) $(libs_deploy)
FUZZ_TARGETS += tests/fuzz/fuzz_deploy_machine
tests_fuzz_fuzz_deploy_machine_LDADD = $(FUZZ_MAIN) $(libs_deploy)

FUZZ_TARGETS += tests/fuzz/fuzz_model_servers
tests_fuzz_fuzz_model_servers_LDADD = $(FUZZ_MAIN) $(libs_deploy)

FUZZ_TARGETS += tests/fuzz/fuzz_lock
tests_fuzz_fuzz_lock_LDADD = $(FUZZ_MAIN) $(libs_deploy)
FUZZ_TARGETS += tests/fuzz/fuzz_remote
tests_fuzz_fuzz_remote_LDADD = $(FUZZ_MAIN) $(libs_deploy)

if FUZZERS
FUZZ_MAIN = $(FUZZ_ENGINE)
else
FUZZ_MAIN = tests/fuzz/libreplay.a
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = %reldir%/replay.c
endif
EXTRA_DIST     += tests/fuzz/fuzz.h tests/fuzz/corpus
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS          += $(FUZZ_TARGETS)

FUZZ_SECONDS = 60

# libFuzzer writes what it finds into the first folder it is given, so that is never the one in the source tree.
.PHONY: fuzz
fuzz: all $(FUZZ_TARGETS)
if FUZZERS
	@for target in $(FUZZ_TARGETS); do \
		name=$${target##*/fuzz_}; work=tests/fuzz/work; \
		$(MKDIR_P) $$work/$$name || exit 1; \
		echo "  FUZZ     $$name ($(FUZZ_SECONDS) s)"; \
		$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=65536 -verbosity=0 \
			-artifact_prefix=$$work/$$name- $$work/$$name $(top_srcdir)/tests/fuzz/corpus/$$name >$$work/$$name.log 2>&1 || \
			{ tail -40 $$work/$$name.log; exit 1; }; \
	done
else
	@echo 'make fuzz: needs libFuzzer; configure with --enable-fuzzers --enable-sanitizers CC=clang CXX=clang++' >&2; exit 1
endif

clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	rm -rf tests/fuzz/work
