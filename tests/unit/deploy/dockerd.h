/* SPDX-License-Identifier: Apache-2.0
 *
 * A real dockerd of the test's own: its data, socket and mounts are in a scratch folder and a mount namespace of its own, it makes no
 * networks and writes no firewall rules, and ends with the test. Whatever goes wrong in it fails the test that calls. */
#ifndef PITWALL_TESTS_DOCKERD_H
#define PITWALL_TESTS_DOCKERD_H

#include "tests/unit/deploy/hands_bench.h"

#include <sys/types.h>

struct dockerd {
	struct hands_bench *hands;
	pid_t               pid; /* 0: it does not run */
	char                folder[64], socket[96], tools[200];
};

/* Why there can't be one; NULL. */
const char *dockerd_absent(void);
/* NULL: it answers. Call it before any thread of the test's is started: it enters another mount namespace. */
const char *dockerd_start(struct dockerd *d, struct hands_bench *hands);
void        dockerd_stop(struct dockerd *d);

/* A script of sh with docker's client for it, in the scratch folder: its exit status, and the first line of what it says. */
int         dockerd_try(struct dockerd *d, const char *script, char *said, size_t size);
const char *dockerd_do(struct dockerd *d, const char *script); /* which must succeed; the line is the next call's too */
/* An image with /bin/sh, /bin/sleep, /bin/cat, and /FILE, by which images differ; its variable FROM_IMAGE is FILE. */
void        dockerd_make_image(struct dockerd *d, const char *ref, const char *file);

#endif
