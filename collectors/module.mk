# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libcollectors.a
libcollectors_a_SOURCES = \
	%reldir%/ceiling.c %reldir%/ceiling.h \
	%reldir%/check_file.c \
	%reldir%/decimal.c %reldir%/decimal.h \
	%reldir%/digest.c %reldir%/digest.h \
	%reldir%/draft.c %reldir%/draft.h \
	%reldir%/exposition.c %reldir%/exposition.h \
	%reldir%/findings.c %reldir%/findings.h \
	%reldir%/gather.c %reldir%/gather.h \
	%reldir%/gather_feed.c \
	%reldir%/gather_private.h \
	%reldir%/gather_program.c \
	%reldir%/http.c %reldir%/http.h \
	%reldir%/http_ask.c \
	%reldir%/http_get.c \
	%reldir%/http_mail.c \
	%reldir%/http_send.c \
	%reldir%/http_socket.c \
	%reldir%/http_peer.c \
	%reldir%/http_private.h \
	%reldir%/http_target.c \
	%reldir%/http_tls.c \
	%reldir%/http_transfer.c \
	%reldir%/http_url.c \
	%reldir%/identify.c %reldir%/identify.h \
	%reldir%/known.c %reldir%/known.h \
	%reldir%/known_hosts.c %reldir%/known_hosts.h \
	%reldir%/known_hosts_add.c \
	%reldir%/known_hosts_line.c \
	%reldir%/known_hosts_private.h \
	%reldir%/layout.c \
	%reldir%/log_burst.c %reldir%/log_burst.h \
	%reldir%/log_follow.c %reldir%/log_follow.h %reldir%/log_status.h \
	%reldir%/log_list.c %reldir%/log_list.h \
	%reldir%/log_program.c %reldir%/log_program.h \
	%reldir%/log_pattern.c %reldir%/log_pattern.h \
	%reldir%/log_ring.c %reldir%/log_ring.h \
	%reldir%/machine.c %reldir%/machine.h \
	%reldir%/openmetrics.c \
	%reldir%/parse.c %reldir%/parse.h \
	%reldir%/plan.c %reldir%/plan.h \
	%reldir%/predict.c \
	%reldir%/wide.c %reldir%/wide.h \
	%reldir%/chunk.c %reldir%/chunk.h \
	%reldir%/notes.c %reldir%/notes.h \
	%reldir%/series_pool.c %reldir%/series_pool.h \
	%reldir%/pow5.h \
	%reldir%/reach.h \
	%reldir%/said.c %reldir%/said.h \
	%reldir%/schedule.c %reldir%/schedule.h \
	%reldir%/shell_quote.c %reldir%/shell_quote.h \
	%reldir%/slice.c %reldir%/slice.h \
	%reldir%/source.h \
	%reldir%/source_amd.c %reldir%/source_amd.h \
	%reldir%/source_amd_smi.c \
	%reldir%/source_container.c \
	%reldir%/source_exec.c \
	%reldir%/source_filesystem.c \
	%reldir%/source_gpu.h \
	%reldir%/source_host.c %reldir%/source_host.h \
	%reldir%/source_host_devices.c \
	%reldir%/source_host_private.h \
	%reldir%/source_kernel.c \
	%reldir%/source_log.c \
	%reldir%/source_machine.c %reldir%/source_machine.h \
	%reldir%/source_nvidia.c %reldir%/source_nvidia.h \
	%reldir%/source_nvidia_apps.c \
	%reldir%/source_nvidia_gpu.c \
	%reldir%/source_nvidia_link.c \
	%reldir%/source_nvidia_mig.c \
	%reldir%/source_rocm_smi.c \
	%reldir%/source_roster.c %reldir%/source_roster.h \
	%reldir%/source_sensors.c \
	%reldir%/source_services.h \
	%reldir%/source_systemd.c \
	%reldir%/source_users.c %reldir%/source_users.h \
	%reldir%/source_xpu.c \
	%reldir%/sources.c \
	%reldir%/ssh.c %reldir%/ssh.h \
	%reldir%/ssh_agent.c %reldir%/ssh_agent.h \
	%reldir%/ssh_algorithms.c \
	%reldir%/ssh_blob.h \
	%reldir%/ssh_channel.c \
	%reldir%/ssh_check.c %reldir%/ssh_check.h \
	%reldir%/ssh_config.c %reldir%/ssh_config.h \
	%reldir%/ssh_config_expand.c \
	%reldir%/ssh_config_file.c \
	%reldir%/ssh_config_match.c \
	%reldir%/ssh_config_private.h \
	%reldir%/ssh_config_result.c \
	%reldir%/ssh_config_value.c \
	%reldir%/ssh_config_words.c \
	%reldir%/ssh_control.c %reldir%/ssh_control.h \
	%reldir%/ssh_destination.c \
	%reldir%/ssh_heap.c \
	%reldir%/ssh_pem.c %reldir%/ssh_pem.h \
	%reldir%/ssh_key.c %reldir%/ssh_key.h \
	%reldir%/ssh_keywords.c %reldir%/ssh_keywords.h \
	%reldir%/ssh_local.c \
	%reldir%/ssh_login.c \
	%reldir%/ssh_pattern.c %reldir%/ssh_pattern.h \
	%reldir%/ssh_private.h \
	%reldir%/ssh_route.c %reldir%/ssh_route.h \
	%reldir%/ssh_scan.c %reldir%/ssh_scan.h \
	%reldir%/ssh_session.c \
	%reldir%/table.c %reldir%/table.h \
	%reldir%/text.c \
	%reldir%/transport.c %reldir%/transport.h \
	%reldir%/transport_process.c \
	%reldir%/xid.c %reldir%/xid.h \
	%reldir%/xid_table.c
