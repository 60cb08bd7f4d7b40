# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	%reldir%/auth.c \
	%reldir%/check.c %reldir%/check.h \
	%reldir%/fleet.c %reldir%/fleet.h \
	%reldir%/fleet_build.h \
	%reldir%/fleet_default.c \
	%reldir%/groups.c \
	%reldir%/keys.c %reldir%/keys.h \
	%reldir%/machine.c \
	%reldir%/profile.c %reldir%/profile.h \
	%reldir%/receivers.c %reldir%/receivers.h \
	%reldir%/range.c %reldir%/range.h \
	%reldir%/roles.c %reldir%/roles.h \
	%reldir%/secret.c %reldir%/secret.h \
	%reldir%/settings.c \
	%reldir%/slo.c %reldir%/slo.h \
	%reldir%/target_file.c \
	%reldir%/targets.c \
	%reldir%/watch.c \
	%reldir%/ways.c %reldir%/ways.h \
	%reldir%/words.c %reldir%/words.h
libconfig_a_SOURCES += %reldir%/alerting.c %reldir%/alerting.h
libconfig_a_SOURCES += %reldir%/deploying.c %reldir%/deploying.h
