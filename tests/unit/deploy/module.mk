# SPDX-License-Identifier: Apache-2.0

UNIT_TESTS += tests/unit/deploy/test_ask
tests_unit_deploy_test_ask_SOURCES = %reldir%/test_ask.c
tests_unit_deploy_test_ask_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_option
tests_unit_deploy_test_option_SOURCES = %reldir%/test_option.c
tests_unit_deploy_test_option_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_scope
tests_unit_deploy_test_scope_SOURCES = %reldir%/test_scope.c $(fleet_text) $(faults)
tests_unit_deploy_test_scope_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_scope_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_describe
tests_unit_deploy_test_describe_SOURCES = %reldir%/test_describe.c
tests_unit_deploy_test_describe_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_gate
tests_unit_deploy_test_gate_SOURCES = %reldir%/test_gate.c $(store_folder)
tests_unit_deploy_test_gate_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

run_stage = tests/unit/deploy/run_stage.c tests/unit/deploy/run_stage.h

UNIT_TESTS += tests/unit/deploy/test_run
tests_unit_deploy_test_run_SOURCES = %reldir%/test_run.c $(run_stage)
tests_unit_deploy_test_run_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_run_looks
tests_unit_deploy_test_run_looks_SOURCES = %reldir%/test_run_looks.c $(run_stage)
tests_unit_deploy_test_run_looks_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_run_control
tests_unit_deploy_test_run_control_SOURCES = %reldir%/test_run_control.c $(run_stage)
tests_unit_deploy_test_run_control_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kube_config
tests_unit_deploy_test_kube_config_SOURCES = %reldir%/test_kube_config.c
tests_unit_deploy_test_kube_config_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

kube_bench = %reldir%/kube_bench.c %reldir%/kube_bench.h %reldir%/kube_patch.c %reldir%/kube_patch.h %reldir%/kube_world.c %reldir%/kube_world.h %reldir%/kube_world_private.h %reldir%/kube_controllers.c

UNIT_TESTS += tests/unit/deploy/test_kubernetes
tests_unit_deploy_test_kubernetes_SOURCES = %reldir%/test_kubernetes.c $(kube_bench)
tests_unit_deploy_test_kubernetes_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_secrets
tests_unit_deploy_test_kubernetes_secrets_SOURCES = %reldir%/test_kubernetes_secrets.c $(kube_bench)
tests_unit_deploy_test_kubernetes_secrets_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_actions
tests_unit_deploy_test_kubernetes_actions_SOURCES = %reldir%/test_kubernetes_actions.c $(kube_bench)
tests_unit_deploy_test_kubernetes_actions_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_lock
tests_unit_deploy_test_kubernetes_lock_SOURCES = %reldir%/test_kubernetes_lock.c $(kube_bench)
tests_unit_deploy_test_kubernetes_lock_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_custom
tests_unit_deploy_test_kubernetes_custom_SOURCES = %reldir%/test_kubernetes_custom.c $(kube_bench)
tests_unit_deploy_test_kubernetes_custom_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

hands_bench = tests/unit/deploy/hands_bench.c tests/unit/deploy/hands_bench.h tests/unit/collectors/loop_turn.c \
	tests/unit/collectors/loop_turn.h tests/unit/collectors/sshd.c tests/unit/collectors/sshd.h
small_server = tests/unit/deploy/small_server.c tests/unit/deploy/small_server.h

UNIT_TESTS += tests/unit/deploy/test_hands
tests_unit_deploy_test_hands_SOURCES = %reldir%/test_hands.c $(hands_bench) $(small_server)
tests_unit_deploy_test_hands_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_plan
tests_unit_deploy_test_plan_SOURCES = %reldir%/test_plan.c %reldir%/plan_maker.c %reldir%/plan_maker.h
tests_unit_deploy_test_plan_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_plan_print
tests_unit_deploy_test_plan_print_SOURCES = %reldir%/test_plan_print.c %reldir%/plan_maker.c %reldir%/plan_maker.h
tests_unit_deploy_test_plan_print_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_planner
tests_unit_deploy_test_planner_SOURCES = %reldir%/test_planner.c %reldir%/plan_maker.c %reldir%/plan_maker.h
tests_unit_deploy_test_planner_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
driver_bench = tests/unit/deploy/driver_bench.c tests/unit/deploy/driver_bench.h $(hands_bench)

UNIT_TESTS += tests/unit/deploy/test_systemd
tests_unit_deploy_test_systemd_SOURCES = %reldir%/test_systemd.c $(driver_bench)
tests_unit_deploy_test_systemd_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_lock
tests_unit_deploy_test_lock_SOURCES = %reldir%/test_lock.c $(hands_bench)
tests_unit_deploy_test_lock_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_release
tests_unit_deploy_test_release_SOURCES = %reldir%/test_release.c $(driver_bench)
tests_unit_deploy_test_release_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/deploy/test_systemd_live
tests_unit_deploy_test_systemd_live_SOURCES = %reldir%/test_systemd_live.c $(driver_bench)
tests_unit_deploy_test_systemd_live_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_command_http
tests_unit_deploy_test_command_http_SOURCES = %reldir%/test_command_http.c $(driver_bench) $(small_server)
tests_unit_deploy_test_command_http_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_server
tests_unit_deploy_test_kubernetes_server_SOURCES = %reldir%/test_kubernetes_server.c %reldir%/kube_server.c %reldir%/kube_server.h $(kube_bench) \
	tests/unit/collectors/loop_turn.c tests/unit/collectors/loop_turn.h
tests_unit_deploy_test_kubernetes_server_LDADD   = $(libs_deploy) $(MHD_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_samples
tests_unit_deploy_test_kubernetes_samples_SOURCES = %reldir%/test_kubernetes_samples.c $(kube_bench)
tests_unit_deploy_test_kubernetes_samples_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_kubernetes_faults
tests_unit_deploy_test_kubernetes_faults_SOURCES = %reldir%/test_kubernetes_faults.c $(kube_bench) $(faults)
tests_unit_deploy_test_kubernetes_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_kubernetes_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_hands_faults
tests_unit_deploy_test_hands_faults_SOURCES = %reldir%/test_hands_faults.c $(driver_bench) $(faults)
tests_unit_deploy_test_hands_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_hands_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_plan_faults
tests_unit_deploy_test_plan_faults_SOURCES = %reldir%/test_plan_faults.c %reldir%/plan_maker.c %reldir%/plan_maker.h $(faults)
tests_unit_deploy_test_plan_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_plan_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_triton
tests_unit_deploy_test_triton_SOURCES = %reldir%/test_triton.c $(driver_bench)
tests_unit_deploy_test_triton_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_torchserve
tests_unit_deploy_test_torchserve_SOURCES = %reldir%/test_torchserve.c $(driver_bench)
tests_unit_deploy_test_torchserve_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_ray
tests_unit_deploy_test_ray_SOURCES = %reldir%/test_ray.c $(driver_bench)
tests_unit_deploy_test_ray_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_ray_faults
tests_unit_deploy_test_ray_faults_SOURCES = %reldir%/test_ray_faults.c $(driver_bench) $(faults)
tests_unit_deploy_test_ray_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_ray_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_tfserving
tests_unit_deploy_test_tfserving_SOURCES = %reldir%/test_tfserving.c $(driver_bench)
tests_unit_deploy_test_tfserving_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_vllm
tests_unit_deploy_test_vllm_SOURCES = %reldir%/test_vllm.c $(driver_bench)
tests_unit_deploy_test_vllm_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_model_config
tests_unit_deploy_test_model_config_SOURCES = %reldir%/test_model_config.c
tests_unit_deploy_test_model_config_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_model_servers_live
tests_unit_deploy_test_model_servers_live_SOURCES = %reldir%/test_model_servers_live.c $(driver_bench)
tests_unit_deploy_test_model_servers_live_LDADD   = libsim.a $(libs_deploy) $(MHD_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_server_api
tests_unit_deploy_test_server_api_SOURCES = %reldir%/test_server_api.c $(driver_bench)
tests_unit_deploy_test_server_api_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

SLOW_TESTS += tests/unit/deploy/test_docker_live
tests_unit_deploy_test_docker_live_SOURCES = %reldir%/test_docker_live.c %reldir%/dockerd.c %reldir%/dockerd.h $(driver_bench)
tests_unit_deploy_test_docker_live_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

docker_bench = tests/unit/deploy/docker_bench.c tests/unit/deploy/docker_bench.h $(driver_bench)

UNIT_TESTS += tests/unit/deploy/test_docker
tests_unit_deploy_test_docker_SOURCES = %reldir%/test_docker.c $(docker_bench)
tests_unit_deploy_test_docker_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_docker_steps
tests_unit_deploy_test_docker_steps_SOURCES = %reldir%/test_docker_steps.c $(docker_bench)
tests_unit_deploy_test_docker_steps_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_docker_samples
tests_unit_deploy_test_docker_samples_SOURCES = %reldir%/test_docker_samples.c $(driver_bench)
tests_unit_deploy_test_docker_samples_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/deploy/test_docker_faults
tests_unit_deploy_test_docker_faults_SOURCES = %reldir%/test_docker_faults.c $(driver_bench) $(faults)
tests_unit_deploy_test_docker_faults_LDFLAGS = $(fault_ldflags)
tests_unit_deploy_test_docker_faults_LDADD   = $(libs_deploy) $(CMOCKA_LIBS)
