/* SPDX-License-Identifier: Apache-2.0
 *
 * What the writer of a plan and its reader share. */
#ifndef PITWALL_DEPLOY_PLAN_PRIVATE_H
#define PITWALL_DEPLOY_PLAN_PRIVATE_H

#include "deploy/plan.h"

enum {
	PLAN_FORMAT     = 1,       /* member "plan" of the JSON: one that is read differently gets another number */
	PLAN_VALUES_MAX = 2000000, /* of the JSON; a value takes some 64 bytes to read */
	PLAN_DEPTH_MAX  = 12,
	PLAN_TEXT_MAX   = 64 * 1024,       /* bytes of a text for people */
	PLAN_DATA_MAX   = 2 * 1024 * 1024, /* of what a driver keeps as its own */
	PLAN_UNIT_KEY   = 65,
};

/* Names as in JSON, by their enums. */
extern const char *const plan_kind_names[DEPLOY_KIND_COUNT];
extern const char *const plan_health_names[HEALTH_COUNT];
extern const char *const plan_warning_names[WARNING_LEVEL_COUNT];
extern const char *const plan_phase_names[PHASE_COUNT];
extern const char *const plan_confirm_names[CONFIRM_COUNT];
extern const char *const plan_failure_names[2]; /* enum gate_failed */

/* The limits of a gate, by their names in JSON. */
struct plan_gate_number {
	const char *key;
	size_t      offset; /* in struct fleet_gate */
	bool        is_integer; /* int64_t, else double */
};
enum { PLAN_GATE_NUMBERS = 8 };
extern const struct plan_gate_number plan_gate_numbers[PLAN_GATE_NUMBERS];

#endif
