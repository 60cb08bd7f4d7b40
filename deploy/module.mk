# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libdeploy.a
libdeploy_a_SOURCES =
libdeploy_a_SOURCES += %reldir%/ask.c %reldir%/ask.h
libdeploy_a_SOURCES += %reldir%/driver.c %reldir%/driver.h
libdeploy_a_SOURCES += %reldir%/drivers.c %reldir%/drivers.h
libdeploy_a_SOURCES += %reldir%/option.c %reldir%/option.h
libdeploy_a_SOURCES += %reldir%/hands.h
libdeploy_a_SOURCES += %reldir%/plan.h
libdeploy_a_SOURCES += %reldir%/run.h
libdeploy_a_SOURCES += %reldir%/scope.c %reldir%/scope.h
libdeploy_a_SOURCES += %reldir%/describe.c %reldir%/describe.h
