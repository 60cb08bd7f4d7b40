# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/unit/sim/test_model tests/unit/sim/test_incident tests/unit/sim/test_page tests/unit/sim/test_sim tests/unit/sim/test_parses
tests_unit_sim_test_model_SOURCES    = %reldir%/test_model.c
tests_unit_sim_test_model_LDADD      = $(libs_sim) $(CMOCKA_LIBS)
tests_unit_sim_test_incident_SOURCES = %reldir%/test_incident.c
tests_unit_sim_test_incident_LDADD   = $(libs_sim) $(CMOCKA_LIBS)
tests_unit_sim_test_page_SOURCES     = %reldir%/test_page.c
tests_unit_sim_test_page_LDADD       = $(libs_sim) $(CMOCKA_LIBS)
tests_unit_sim_test_sim_SOURCES      = %reldir%/test_sim.c
tests_unit_sim_test_sim_LDADD        = $(libs_sim) $(CMOCKA_LIBS)
# What the sim says is what the collectors' parser takes.
tests_unit_sim_test_parses_SOURCES   = %reldir%/test_parses.c
tests_unit_sim_test_parses_LDADD     = libsim.a libcollectors.a $(libs_config) $(MHD_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/sim/test_control
tests_unit_sim_test_control_SOURCES  = %reldir%/test_control.c
tests_unit_sim_test_control_LDADD    = $(libs_sim) $(CMOCKA_LIBS)
