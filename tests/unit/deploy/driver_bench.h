/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver with its options, driven: by answers of the test's, or by hands. Whatever goes wrong in it fails the test that calls. */
#ifndef PITWALL_TESTS_DRIVER_BENCH_H
#define PITWALL_TESTS_DRIVER_BENCH_H

#include "base/yaml.h"
#include "deploy/driver.h"
#include "tests/unit/deploy/hands_bench.h"

#include <stdbool.h>

struct driver_bench {
	const struct driver *driver;
	struct arena         arena;
	struct yaml         *yaml;
	struct diagnostics   diagnostics;
	struct fleet_deploy  deploy;
	struct settings      settings;
	struct unit          unit;
	struct look          look;
	struct planning      planning;
	struct steps         forward, back;
	enum err             err;   /* of reading the options and their check, or of the plan */
	struct why           why;
};

/* Options as YAML; err is what the driver makes of them. The unit is this machine's. */
void driver_bench_init(struct driver_bench *b, const struct driver *d, const char *options);
void driver_bench_release(struct driver_bench *b);

/* An answer that came. */
struct answer answered(int status, const char *text);

/* One turn: NULL begins. */
enum look_turn driver_bench_look(struct driver_bench *b, const struct answer *a);
/* A look with these answers, to its end. */
enum look_turn driver_bench_look_all(struct driver_bench *b, const struct answer *answers, size_t n);
/* By hands. */
enum look_turn driver_bench_look_live(struct driver_bench *b, struct hands_bench *hands);

/* err and the steps; `to` by id, which may be none of what was found. */
enum err driver_bench_plan(struct driver_bench *b, enum deploy_kind kind, const char *to);

/* `at` is kept by the caller. */
void driver_bench_judge(struct driver_bench *b, const struct step *s, const struct answer *a, bool is_probe, int64_t after_ms, int *at, struct verdict *v);
/* Takes the step by hands until it is done or has failed, asking again as it says, but at most after 200 ms each time. */
void driver_bench_take(struct driver_bench *b, struct hands_bench *hands, const struct step *s, struct verdict *v);
/* All of them, one after another; false: one failed, `v` says why. */
bool driver_bench_take_all(struct driver_bench *b, struct hands_bench *hands, const struct steps *steps, struct verdict *v);

/* The words of a step's command, with a blank between two. */
const char *driver_bench_words(struct driver_bench *b, const struct ask *a);
bool        driver_bench_warns(const struct driver_bench *b, enum warning_level level, const char *says); /* of look or plan */
const struct step *driver_bench_step(const struct steps *s, const char *title); /* whose title begins so; fails where there is none */

#endif
