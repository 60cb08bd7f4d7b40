/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in where a human must answer: how is worked out on a worker, then the terminal is lent to `ssh-add` or to an `ssh` that stays as a master,
 * which the recorder rides on. Masters of ours end with the console. */
#include "tui/access_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/lend.h"
#include "tui/view.h"

/* What the worker reads and finds. */
struct planning {
	struct access        *access;
	char                 *destination, *user;
	int                   port;
	enum reach            failure;
	bool                  is_on_the_way;
	struct ssh_login_plan plan;
	enum err              err;
	struct why            why;
};

/* A master that the person is being asked for, until the client has ended. */
struct asked {
	struct access *access;
	bool           is_key, is_jump;
	char           path[CONTROL_PATH], destination[256];
};

/* ---- masters ---- */

static void remember_master(struct access *a, const char *path)
{
	for (size_t i = 0; i < a->n_masters; i++)
		if (strcmp(a->masters[i], path) == 0)
			return;
	if (a->n_masters < MASTERS_MAX)
		snprintf(a->masters[a->n_masters++], sizeof a->masters[0], "%s", path);
}

static void exit_work(void *ctx)
{
	struct access *a = ctx;
	for (size_t i = 0; i < a->n_masters; i++)
		ssh_control_exit(a->masters[i]);
}

static void exit_done(void *ctx, bool is_cancelled)
{
	(void)is_cancelled;
	access_part_gone(ctx);
}

void access_end_logins(struct access *a)
{
	if (a->n_masters == 0)
		return;
	a->n_parts++;
	if (loop_work_new(a->o.loop, exit_work, exit_done, a, NULL, NULL) != ERR_OK)
		a->n_parts--; /* they end by themselves, ten minutes after the last that rides */
}

/* ---- asking ---- */

static void on_asked(void *ctx, int status)
{
	struct asked *q = ctx;
	struct access *a = q->access;
	bool is_good = status == 0 && (q->is_key || ssh_control_is_there(q->path));
	if (is_good && !q->is_key)
		remember_master(a, q->path);
	if (is_good && a->recorder_is_other)
		access_show(a, ROLE_OK, "logged in to '%s': a recorder of yours on this machine uses it, one of another user cannot", q->destination);
	else if (is_good && q->is_key)
		access_show(a, ROLE_OK, "the agent has the key; '%s' is asked again soon", q->destination);
	else if (is_good)
		access_show(a, ROLE_OK, "logged in to %s'%s'; what needs it is asked again soon", q->is_jump ? "jump host " : "", q->destination);
	free(q);
}

static struct lend *lend_add_key(const struct ssh_login_plan *p)
{
	char socket_of_agent[200], name[400];
	const char *const argv[] = { "env", socket_of_agent, "ssh-add", "--", p->file, NULL };
	snprintf(socket_of_agent, sizeof socket_of_agent, "SSH_AUTH_SOCK=%s", p->agent);
	snprintf(name, sizeof name, "ssh-add %.380s", p->file);
	return lend_new(argv, name, "");
}

/* What the user's file says of forwardings and commands is not for a connection that only carries others. */
static struct lend *lend_master(const struct access *a, const struct ssh_login_plan *p)
{
	static const char *const fixed[] = { "ControlMaster=yes",    "ControlPersist=10m",    "ClearAllForwardings=yes", "PermitLocalCommand=no",
		                             "RemoteCommand=none",   "BatchMode=no",          "ServerAliveInterval=10",  "ServerAliveCountMax=3" };
	const struct way w = { .host = p->destination, .user = p->user, .port = p->port };
	const char *argv[SSH_WORDS_MAX] = { "ssh", "-M", "-N", "-f" };
	struct ssh_words_room room;
	char path[CONTROL_PATH + 16], name[320], advice[400];
	size_t n = 4;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		argv[n++] = "-o";
		argv[n++] = fixed[i];
	}
	snprintf(path, sizeof path, "ControlPath=%s", p->path);
	argv[n++] = "-o";
	argv[n++] = path;
	access_words(a, &w, &room, argv, n);
	snprintf(name, sizeof name, "ssh %s%s, to log in", p->is_jump ? "to the jump host " : "", p->destination);
	snprintf(advice, sizeof advice, "not logged in; `pitwall doctor %s` walks the way there step by step", p->destination);
	return lend_new(argv, name, advice);
}

static void ask_person(struct access *a, const struct ssh_login_plan *p)
{
	struct why why = { "" };
	if (!p->is_key && ssh_control_is_there(p->path)) {
		access_show(a, ROLE_TEXT, "somebody has logged in to '%s' already: that login is used where keys are refused", p->destination);
		return;
	}
	if (!p->is_key && ssh_control_make(a->o.control_dir, &why) != ERR_OK) {
		access_show(a, ROLE_WARN, "%s", why.text);
		return;
	}
	struct asked *q = calloc(1, sizeof *q);
	struct lend *l = p->is_key ? lend_add_key(p) : lend_master(a, p);
	if (q == NULL || l == NULL) {
		free(q);
		lend_free(l);
		access_show(a, ROLE_CRIT, "out of memory");
		return;
	}
	*q = (struct asked){ .access = a, .is_key = p->is_key, .is_jump = p->is_jump };
	snprintf(q->path, sizeof q->path, "%s", p->path);
	snprintf(q->destination, sizeof q->destination, "%s", p->destination);
	l->ended = on_asked;
	l->ctx = q;
	a->o.lend(a->o.ctx, l);
}

/* ---- working it out ---- */

static void plan_work(void *ctx)
{
	struct planning *p = ctx;
	const struct access *a = p->access;
	p->err = ssh_login_plan(a->o.control_dir, p->destination, p->user, p->port, a->o.ssh_config, p->failure, p->is_on_the_way, &p->plan, &p->why);
}

static void free_planning(struct planning *p)
{
	free(p->destination);
	free(p->user);
	free(p);
}

static void plan_done(void *ctx, bool is_cancelled)
{
	struct planning *p = ctx;
	struct access *a = p->access;
	(void)is_cancelled;
	a->is_planning = false;
	if (p->err != ERR_OK)
		access_show(a, ROLE_WARN, "cannot log in: %s", p->why.text);
	else if (!a->is_closing)
		ask_person(a, &p->plan);
	free_planning(p);
	access_part_gone(a);
}

/* Why the machine itself does not answer, as it was recorded: "login refused: jump host ops@jump:22 takes ...". */
static const char *recorded_failure(const struct view *v, const char *node)
{
	const struct node_view *n = v->node != NULL && strcmp(v->node->node, node) == 0 ? v->node : NULL;
	for (size_t i = 0; n != NULL && i < n->n_targets; i++)
		if (!n->targets[i].is_up && strncmp(n->targets[i].url, "ssh://", 6) == 0)
			return n->targets[i].error;
	const struct node_row *row = n == NULL ? view_node(v, node) : NULL; /* the details are not there yet */
	return row != NULL ? row->reason : "";
}

enum next access_login(struct access *a, const struct way *w, const struct view *v, struct requests *out)
{
	const char *failure = recorded_failure(v, out->node), *sentence = strstr(failure, ": ");
	if (w->is_local || !w->is_machine)
		return access_say(a, out, "this node is not asked over SSH: there is nothing to log in to for it");
	if (a->o.control_dir == NULL || a->is_planning)
		return access_say(a, out, a->is_planning ? "still looking for the way to log in" : "there is no folder to keep logins in");
	struct planning *p = calloc(1, sizeof *p);
	if (p == NULL)
		return access_say(a, out, "out of memory");
	a->recorder_is_other = strcmp(v->recorder, "this console") != 0;
	p->access = a;
	p->destination = strdup(w->host);
	p->user = w->user[0] != '\0' ? strdup(w->user) : NULL;
	p->port = w->port;
	p->failure = reach_of_sentence(failure);
	p->is_on_the_way = sentence != NULL && strncmp(sentence + 2, "jump host ", 10) == 0;
	a->n_parts++;
	a->is_planning = true;
	if (p->destination != NULL && (w->user[0] == '\0' || p->user != NULL) &&
	    loop_work_new(a->o.loop, plan_work, plan_done, p, NULL, NULL) == ERR_OK)
		return access_say(a, out, "looking for the way to log in to %s", w->host);
	a->is_planning = false;
	a->n_parts--;
	free_planning(p);
	return access_say(a, out, "out of memory");
}
