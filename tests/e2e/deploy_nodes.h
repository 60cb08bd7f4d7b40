/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes that die: each has a real sshd and a server of its own on loopback, and a folder that says which version it runs and what was done to it. Driver `command` goes
 * there over SSH. Jump hosts: real recorders, each with a store of its own. Whatever goes wrong in it fails the test that calls. */
#ifndef PITWALL_TESTS_DEPLOY_NODES_H
#define PITWALL_TESTS_DEPLOY_NODES_H

#include "alerts/request.h"
#include "deploy/plan.h"
#include "store/deployments.h"
#include "tests/unit/collectors/sshd.h"
#include "tests/unit/recorder/page_server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DEPLOY_NODES = 4, DEPLOY_NODES_TEXT = 512, DEPLOY_PATH = 160 };

/* They run v12, and could run v11 and v10. n1 is changed first. */
struct deploy_nodes {
	char                folder[64], config[DEPLOY_PATH], ssh_config[DEPLOY_PATH], lock[DEPLOY_PATH]; /* lock: the folder, one for all of them, since they are one machine */
	struct sshd        *sshd[DEPLOY_NODES];
	struct page_server *server[DEPLOY_NODES];
	const char         *soak;                 /* of the gates; NULL: none. Before deploy_nodes_make, as the next */
	const char         *machines_interval;    /* how often the machines are asked about themselves; NULL: never */
};

/* A recorder with its store, as on a jump host of its own. */
struct deploy_post {
	struct deploy_nodes *nodes;
	char                 store[DEPLOY_PATH];
	const char          *who;      /* sits there */
	pid_t                recorder;
	struct reader       *reader;
};

struct deploy_planned {
	int64_t id;
	char    hash[PLAN_HASH], name[128];
	char    forbidden[DEPLOY_NODES_TEXT]; /* why it can't be confirmed; "" */
	char    text[8 * 1024];  /* the sheet */
	bool    takes_name;
	size_t  n_down;
};

/* False, and a sentence was printed: there is no sshd that could be used. `more`: lines of `deploy`, "      on_failure: undo\n". */
bool deploy_nodes_make(struct deploy_nodes *n, const char *more);
void deploy_nodes_remove(struct deploy_nodes *n);

/* Power off: no server, no sshd, and what ran there is gone; and on again, running what it ran. */
void deploy_node_dies(struct deploy_nodes *n, size_t i);
void deploy_node_lives(struct deploy_nodes *n, size_t i);
/* The server alone. */
void deploy_node_serves(struct deploy_nodes *n, size_t i, bool does);
/* From now on that verb ("drain", "apply", "ready", ...) waits there, or fails; until it is taken back. */
void deploy_node_holds(struct deploy_nodes *n, size_t i, const char *verb, bool does);
void deploy_node_fails(struct deploy_nodes *n, size_t i, const char *verb, bool does);
void deploy_node_set(struct deploy_nodes *n, size_t i, const char *version); /* by somebody else */
bool deploy_node_runs(const struct deploy_nodes *n, size_t i, const char *version);
bool deploy_node_is_drained(const struct deploy_nodes *n, size_t i);
/* How often that was begun there. */
size_t deploy_node_count(const struct deploy_nodes *n, size_t i, const char *verb);
bool   deploy_node_is_untouched(const struct deploy_nodes *n, size_t i); /* no drain, no apply, no undrain */
void   deploy_node_await(const struct deploy_nodes *n, size_t i, const char *verb, size_t count); /* until it was begun so often */
bool   deploy_nodes_are_locked(const struct deploy_nodes *n);
void   deploy_nodes_age_lock(const struct deploy_nodes *n); /* as if nothing had been heard of its holder for years */

/* `name` is of the store, and of who sits there. Returns when all nodes were polled, and `n_up` of them serve. */
void deploy_post_start(struct deploy_post *p, struct deploy_nodes *n, const char *name, size_t n_up);
void deploy_post_restart(struct deploy_post *p); /* kill -9, and a new one */
void deploy_post_stop(struct deploy_post *p);
/* The newest value of an expression; NAN: none. Waits until it is `want`. */
void deploy_post_await(struct deploy_post *p, const char *expr, double want);

/* Returns the error of what it was answered. */
enum err deploy_post_plan(struct deploy_post *p, const char *verb, const char *target, const char *to, struct deploy_planned *out, struct why *why);
enum err deploy_post_confirm(struct deploy_post *p, const struct deploy_planned *d, struct why *why);
void     deploy_post_confirm_soon(struct deploy_post *p, const struct deploy_planned *d); /* does not wait for the answer */
enum err deploy_post_control(struct deploy_post *p, int64_t id, const char *verb, struct why *why);
/* Fails after a deadline, and says what it did last. */
void deploy_post_await_state(struct deploy_post *p, int64_t id, enum deployment_state s);
enum deployment_state deploy_post_state(struct deploy_post *p, int64_t id);
/* The sentence of the last change of state. Lent until the next call. */
const char *deploy_post_text(struct deploy_post *p, int64_t id);
/* The last row of the journal about this unit; its texts are kept until the next call. */
struct deployment_step deploy_post_last(struct deploy_post *p, int64_t id, const char *unit);
size_t deploy_post_n_steps(struct deploy_post *p, int64_t id, const char *unit); /* rows about it */

#endif
