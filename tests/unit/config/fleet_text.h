/* SPDX-License-Identifier: Apache-2.0
 *
 * Fleet files as text in tests, and what is said about them. */
#ifndef PITWALL_TESTS_FLEET_TEXT_H
#define PITWALL_TESTS_FLEET_TEXT_H

#include "config/fleet.h"

/* The least that a fleet file has to have; other keys may follow. */
#define FLEET_TEXT_LEAST "groups: [ { name: g, targets: [ \"http://127.0.0.1:1/metrics\" ] } ]\n"

/* For cmocka_run_group_tests: the built-in profiles are there in between. */
int                    fleet_text_set_up(void **state);
int                    fleet_text_tear_down(void **state);
const struct profiles *fleet_text_profiles(void);

/* What is wrong with `head` and `text` behind it, "" where nothing is; lent until the next call. The fleet goes to *out (may be NULL) where it is good. */
const char *fleet_text_said(const char *head, const char *text, struct fleet **out);

#endif
