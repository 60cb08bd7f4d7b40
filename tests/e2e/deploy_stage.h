/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulated fleet of which one group has two versions, one of them bad, with a real recorder or two consoles, of which the first records; and what people ask there about deployments, and what the
 * journal says. Everything fails the test that calls it. */
#ifndef PITWALL_TESTS_E2E_DEPLOY_STAGE_H
#define PITWALL_TESTS_E2E_DEPLOY_STAGE_H

#include "alerts/request.h"
#include "base/clock.h"
#include "deploy/plan.h"
#include "sim/sim.h"
#include "store/deployments.h"
#include "store/reader.h"
#include "tests/e2e/small_fleet.h"
#include "tests/unit/store_folder.h"

#include <sys/types.h>

enum { STAGE_NODES = 24 /* at most */, STAGE_DEADLINE_MS = 120 * 1000, STAGE_POLL_MS = 20 };

/* The simulator's time runs faster, so that loading a version does not take its seconds. */
struct fast_clock {
	struct clock clock;
	int64_t      start_us;
};

struct stage {
	bool                is_auto; /* it rolls back by itself */
	bool                takes_two, is_shared; /* a second person has to confirm; several people use this account */
	struct store_folder folder;
	char                config[128], rules[128];
	struct fast_clock   clock;
	struct sim         *sim;
	char                group[64], old[64], new[64];
	size_t              first, n; /* nodes of the group */
	int                 nodes;        /* 0: FEW_NODES */
	const char         *severity;     /* of the alert; NULL: critical, which no gate passes that began before it */
	bool                has_consoles; /* two of them; the first records, and there is no other recorder */
	pid_t               recorder;
	struct pty         *consoles[2]; /* NULL: it was not begun, or is gone */
	struct reader      *reader;
};

/* On the heap: where a test fails, its simulator still runs. */
struct stage *stage_new(struct stage of);
/* With fleet, recorder (or consoles) and reader. `of`: takes_two, is_shared, has_consoles. */
struct stage *stage_make(struct stage of);
/* The parts of that. */
void stage_make_fleet(struct stage *s, const char *incident);
void stage_find_group(struct stage *s);
void stage_start_recorder(struct stage *s);
void stage_start_console(struct stage *s, size_t i);
void stage_open_reader(struct stage *s);
void stage_stop_recorder(struct stage *s, int signal_number);
void stage_drop(struct stage *s);
/* PITWALL_KILLS=all. */
bool stage_takes_all(void);
/* Time goes by, and what consoles write meanwhile is read. */
void stage_pass(struct stage *s, int ms);

/* ---- what is asked, and what comes of it ---- */

struct outcome_of {
	enum err err;
	char     text[512];
};

struct planned {
	int64_t id;
	char    hash[PLAN_HASH], name[128], target[128];
	bool    takes_name;
};

/* Gives it an id and leaves it for the recorder. */
void stage_ask(struct stage *s, struct request *r, const char *who);
void stage_wait_answer(struct stage *s, const struct request *r, struct outcome_of *to);
/* A rollback of the group, which is not forbidden. */
void stage_plan(struct stage *s, const char *who, struct planned *to);
/* Lent from the plan. */
struct request stage_confirmation(const struct planned *p);
/* Is obeyed. */
void stage_control(struct stage *s, int64_t id, const char *verb);

/* ---- the journal ---- */

enum deployment_state stage_state(struct stage *s, int64_t id);
/* How many beginnings and ends of steps and gates stand there. */
int stage_moments(struct stage *s, int64_t id);
enum deployment_state stage_wait_state(struct stage *s, int64_t id, bool (*is_it)(enum deployment_state));
bool stage_is_settled(enum deployment_state s);
/* It was being undone at some time. */
bool stage_is_undone(struct stage *s, int64_t id);
/* Which nodes of the group have the bad version. */
void stage_look_at_versions(struct stage *s, bool *is_new);
/* What the nodes serve is what the journal says; `was_new`: of stage_look_at_versions, before. */
void stage_check_end(struct stage *s, int64_t id, enum deployment_state state, const bool *was_new);

#endif
