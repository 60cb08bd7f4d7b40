/* SPDX-License-Identifier: Apache-2.0
 *
 * A real Prometheus on loopback, for one test (tests/e2e/service.h). */
#ifndef PITWALL_TESTS_PROMETHEUS_H
#define PITWALL_TESTS_PROMETHEUS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cJSON;
struct prometheus;

/* False where none is installed ($PITWALL_PROMETHEUS, or prometheus in PATH): the test is to skip then, and say so. */
bool prometheus_is_there(void);

/* A folder for it, nothing runs yet. */
enum err    prometheus_new(struct prometheus **out, struct why *why);
/* It scrapes 127.0.0.1:port each second as job "j". `rules` is its one rule file. Returns when it is ready; a failure carries what it said. */
enum err    prometheus_start(struct prometheus *p, int port, const char *rules, struct why *why);
void        prometheus_stop(struct prometheus *p); /* its folder goes too; NULL is fine */
const char *prometheus_rule_file(const struct prometheus *p); /* absolute */

/* data.result of an instant query, at_ms 0: as of now; the caller deletes it (cJSON_Delete). NULL: no answer, or an error. */
struct cJSON *prometheus_query(struct prometheus *p, const char *expression, int64_t at_ms);

#endif
