# SPDX-License-Identifier: Apache-2.0
# The simulated fleet. It uses base/ alone.
noinst_LIBRARIES += libsim.a
libsim_a_SOURCES = \
	%reldir%/control.c %reldir%/control.h \
	%reldir%/control_ray.c \
	%reldir%/control_tfserving.c \
	%reldir%/control_torchserve.c \
	%reldir%/control_triton.c \
	%reldir%/control_vllm.c \
	%reldir%/exporter.c %reldir%/exporter.h \
	%reldir%/exporter_dcgm.c \
	%reldir%/exporter_tfserving.c \
	%reldir%/exporter_torchserve.c \
	%reldir%/exporter_triton.c \
	%reldir%/exporter_vllm.c \
	%reldir%/incident.c %reldir%/incident.h \
	%reldir%/model.c %reldir%/model.h \
	%reldir%/page.c %reldir%/page.h \
	%reldir%/random.h \
	%reldir%/roster.c %reldir%/roster.h \
	%reldir%/server.c %reldir%/server.h \
	%reldir%/sim.c %reldir%/sim.h
