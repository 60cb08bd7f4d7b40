/* SPDX-License-Identifier: Apache-2.0
 *
 * Hands on a loop of their own, and asks that are waited for, on this machine, over a real sshd, or to a server of the test's. Whatever goes wrong in it fails the test
 * that calls. */
#ifndef PITWALL_TESTS_HANDS_BENCH_H
#define PITWALL_TESTS_HANDS_BENCH_H

#include "base/loop.h"
#include "deploy/hands.h"
#include "tests/unit/collectors/sshd.h"

#include <stdbool.h>

struct hands_bench {
	struct loop  *loop;
	struct hands *hands;
	struct sshd  *server;     /* NULL: none */
	const struct settings *settings; /* of the driver; NULL: none */
	char          config[512];
	bool          is_closed;
};

/* An answer, kept. */
struct heard {
	int           n;       /* how often */
	struct answer answer;  /* its texts are those below */
	char          why[1024];
	char         *text;
};

/* `server` may be NULL. Its host keys are known under its address and each name that begins with m. */
void hands_bench_init(struct hands_bench *b, struct sshd *server);
void hands_bench_release(struct hands_bench *b);

struct unit hands_bench_here(void);                            /* this machine */
struct unit hands_bench_there(const struct hands_bench *b);    /* the same by way of the sshd */

extern const struct fleet_deploy hands_bench_deploy; /* without auth and tls */

struct errand *hands_bench_begin(struct hands_bench *b, const struct fleet_deploy *d, const struct unit *u, const struct ask *a, struct heard *h);
void           hands_bench_await(struct hands_bench *b, struct heard *h, const char *label);
/* Both; heard_release afterwards. */
void           hands_bench_ask(struct hands_bench *b, const struct unit *u, const struct ask *a, struct heard *h);
void           heard_release(struct heard *h);

#endif
