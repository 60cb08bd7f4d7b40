# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libdeploy.a
libdeploy_a_SOURCES =
libdeploy_a_SOURCES += %reldir%/ask.c %reldir%/ask.h
libdeploy_a_SOURCES += %reldir%/driver.c %reldir%/driver.h
libdeploy_a_SOURCES += %reldir%/drivers.c %reldir%/drivers.h
libdeploy_a_SOURCES += %reldir%/option.c %reldir%/option.h
libdeploy_a_SOURCES += %reldir%/gate.c %reldir%/gate.h
libdeploy_a_SOURCES += %reldir%/hands.h
libdeploy_a_SOURCES += %reldir%/health.c %reldir%/health.h
libdeploy_a_SOURCES += %reldir%/plan.h
libdeploy_a_SOURCES += %reldir%/run.c %reldir%/run.h
libdeploy_a_SOURCES += %reldir%/hands.c %reldir%/hands.h %reldir%/hands_private.h
libdeploy_a_SOURCES += %reldir%/hands_http.c %reldir%/hands_login.c %reldir%/hands_shell.c
libdeploy_a_SOURCES += %reldir%/login.c %reldir%/login.h
libdeploy_a_SOURCES += %reldir%/plan.h
libdeploy_a_SOURCES += %reldir%/remote.c %reldir%/remote.h
libdeploy_a_SOURCES += %reldir%/remote_http.c %reldir%/remote_http.h
libdeploy_a_SOURCES += %reldir%/run.h
<<<<<<< HEAD
libdeploy_a_SOURCES += %reldir%/scope.c %reldir%/scope.h
=======
libdeploy_a_SOURCES += %reldir%/driver_kubernetes.c
libdeploy_a_SOURCES += %reldir%/driver_kubernetes.h
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_found.c
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_found.h
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_json.c
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_judge.c
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_look.c
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_plan.c
libdeploy_a_SOURCES += %reldir%/driver_kubernetes_state.c
libdeploy_a_SOURCES += %reldir%/kube_config.c %reldir%/kube_config.h
libdeploy_a_SOURCES += %reldir%/kube_exec.c
>>>>>>> e85103761316928248acac99bc76b3ce0e3fc9fc
