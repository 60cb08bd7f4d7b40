/* SPDX-License-Identifier: Apache-2.0
 *
 * A real Alertmanager on loopback, for one test, without a cluster. */
#ifndef PITWALL_TESTS_ALERTMANAGER_H
#define PITWALL_TESTS_ALERTMANAGER_H

#include "tests/e2e/service.h"

/* False where none is installed ($PITWALL_ALERTMANAGER, prometheus-alertmanager or alertmanager in PATH): the test is to skip then, and say so. */
bool alertmanager_is_there(void);

/* `config` is its file. */
enum err alertmanager_start(const char *config, struct service **out, struct why *why);

#endif
