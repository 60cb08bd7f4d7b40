/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` on a bench: a fleet's options, a cluster in memory, and a pair of hands that carries asks between them. */
#ifndef PITWALL_TESTS_KUBE_BENCH_H
#define PITWALL_TESTS_KUBE_BENCH_H

#include "tests/unit/unit.h"

#include "base/diagnostics.h"
#include "base/yaml.h"
#include "deploy/driver.h"
#include "tests/unit/deploy/kube_world.h"

enum { BENCH_NOW_S = 1795446000 }; /* 2026-11-23T15:00:00Z */

struct kube_bench {
	struct kube_world  *world;
	const struct driver *driver;
	struct arena        arena;
	struct yaml        *yaml;
	struct diagnostics  diagnostics;
	struct fleet_deploy deploy;
	struct settings     settings;
	struct unit         unit;
	struct look         look;
	struct steps        forward, back;
	struct planning     planning;
	struct verdict      last;  /* of the step that ended last */
	int64_t             waited_ms;
	/* instead of the cluster in memory */
	void              (*carry)(void *ctx, const struct ask *ask, struct answer *out); /* the answer's text lives until the next */
	void               *ctx;
	char               *text;  /* of the last answer */
};

/* Options as in a fleet file. */
void kube_bench_begin(struct kube_bench *b, const char *options);
void kube_bench_end(struct kube_bench *b);

/* Carries one ask to the cluster and back; the answer's text lives until the next. */
void kube_bench_ask(struct kube_bench *b, const struct ask *ask, struct answer *out);
/* Looks; the found stays in b->look.found. False: it failed, why says why. */
bool kube_bench_look(struct kube_bench *b, struct why *why);
/* Plans to the version whose tag, name or id that is (NULL: the running one). */
enum err kube_bench_plan(struct kube_bench *b, enum deploy_kind kind, const char *version, struct why *why);
/* Takes one step until it is done or failed, at most `turns` answers long (0: 60). What is left when they are used up is VERDICT_AGAIN. */
enum verdict_kind kube_bench_step(struct kube_bench *b, const struct step *s, int turns);
/* The step's probe. */
enum verdict_kind kube_bench_probe(struct kube_bench *b, const struct step *s);
/* All of them; the index of the one that was not done, or the number of steps. */
size_t kube_bench_run(struct kube_bench *b, const struct steps *steps);

const struct version *kube_bench_version(const struct kube_bench *b, const char *tag);
/* Whether one of the warnings of look or plan, of that level, holds that text. */
bool kube_bench_warns(const struct kube_bench *b, enum warning_level level, const char *part);

#endif
