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
<<<<<<< HEAD
libdeploy_a_SOURCES += %reldir%/run.c %reldir%/run.h
=======
libdeploy_a_SOURCES += %reldir%/run.h
libdeploy_a_SOURCES += %reldir%/scope.c %reldir%/scope.h
>>>>>>> da621c7716327decdfd124f015db3a19b8712109
