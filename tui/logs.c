/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/log_follow.h"
#include "collectors/ssh.h"

enum { LINGER_MS = 60 * 1000 };

struct logs {
	struct logs_options o;
	struct ssh         *ssh;       /* NULL: none */
	struct transport   *transport; /* of `follow`, as long as that is there */
	struct log_follow  *follow;
	struct loop_timer  *linger;
	struct log_view     view;
	char                node[512], key[LOG_KEY_MAX], way[300], trouble[512];
	unsigned            again;
	size_t              n_open, n_ssh_ending; /* transports, and SSHs that were closed, which have not reported their end */
	bool                is_ssh_due; /* to be closed as soon as they have */
	bool                is_closing, has_ended;
	void              (*closed)(void *ctx);
	void               *closed_ctx;
};

/* ---- the end of things ---- */

static void free_now(void *ctx)
{
	struct logs *l = ctx;
	void (*closed)(void *) = l->closed;
	void *closed_ctx = l->closed_ctx;
	loop_timer_close(l->linger);
	free(l);
	if (closed != NULL)
		closed(closed_ctx);
}

static void end_when_all_have(struct logs *l)
{
	if (!l->is_closing || l->has_ended || l->n_open > 0 || l->n_ssh_ending > 0 || l->ssh != NULL)
		return;
	l->has_ended = true;
	if (loop_post(l->o.loop, free_now, l) != ERR_OK)
		free_now(l);
}

static void ssh_closed(void *ctx)
{
	struct logs *l = ctx;
	l->n_ssh_ending--;
	end_when_all_have(l);
}

static void close_ssh_when_due(struct logs *l)
{
	if (!l->is_ssh_due || l->n_open > 0)
		return;
	struct ssh *ssh = l->ssh;
	l->ssh = NULL;
	l->is_ssh_due = false;
	if (ssh != NULL) {
		l->n_ssh_ending++;
		ssh_close(ssh, ssh_closed, l);
	}
	end_when_all_have(l);
}

static void transport_closed(void *ctx)
{
	struct logs *l = ctx;
	l->n_open--;
	close_ssh_when_due(l);
}

static void drop(struct logs *l)
{
	log_follow_free(l->follow);
	l->follow = NULL;
	l->node[0] = l->key[0] = l->trouble[0] = '\0';
	if (l->transport != NULL) {
		struct transport *t = l->transport;
		l->transport = NULL;
		transport_close(t, transport_closed, l);
	}
}

static void on_lingered(void *ctx)
{
	struct logs *l = ctx;
	l->is_ssh_due = l->follow == NULL;
	close_ssh_when_due(l);
}

/* ---- the beginning ---- */

static void on_changed(void *ctx)
{
	struct logs *l = ctx;
	logs_refresh(l);
	l->o.changed(l->o.ctx);
}

static enum err open_ssh(struct logs *l, const struct way *w, struct why *why)
{
	static const enum ssh_mode modes[] = { [FLEET_TRANSPORT_AUTO] = SSH_MODE_AUTO, [FLEET_TRANSPORT_LIBSSH2] = SSH_MODE_LIBSSH2,
		                               [FLEET_TRANSPORT_OPENSSH] = SSH_MODE_OPENSSH };
	const struct ssh_options o = { .loop = l->o.loop, .clock = l->o.clock, .config_file = l->o.ssh_config, .control_dir = l->o.control_dir };
	const struct ssh_machine_options m = { .destination = w->host, .user = w->user[0] != '\0' ? w->user : NULL, .port = w->port,
		                               .mode = modes[w->transport] };
	enum err e = l->ssh == NULL ? ssh_new(&o, &l->ssh, why) : ERR_OK;
	return e == ERR_OK ? ssh_transport_new(l->ssh, &m, &l->transport, why) : e;
}

static enum err open_way(struct logs *l, const struct way *w, struct why *why)
{
	if (w == NULL)
		return why_set(why, ERR_NOT_FOUND, "no way there is known: the fleet file does not name it, nor does a URL of its targets");
	snprintf(l->way, sizeof l->way, "%s%s", w->is_local ? "this machine" : "ssh ", w->host);
	enum err e = w->is_local ? local_transport_new(l->o.loop, &l->transport, why) : open_ssh(l, w, why);
	if (e != ERR_OK)
		return e;
	l->n_open++;
	const struct log_follow_options o = { .loop = l->o.loop, .clock = l->o.clock, .transport = l->transport,
		                              .wishes = { w->units, w->logs, w->n_units, w->n_logs }, .changed = on_changed, .ctx = l };
	return log_follow_new(&o, &l->follow, why);
}

static void begin(struct logs *l, const struct log_need *n, const struct way *w)
{
	struct why why = { "" };
	l->is_ssh_due = false;
	l->way[0] = '\0';
	snprintf(l->node, sizeof l->node, "%s", n->node);
	l->again = n->again;
	loop_timer_stop(l->linger);
	if (open_way(l, w, &why) != ERR_OK) {
		l->follow = NULL;
		snprintf(l->trouble, sizeof l->trouble, "%s", why.text);
	}
}

/* A log that is not in the list (any more) is not followed: the list is shown. */
static void choose(struct logs *l, const char *key)
{
	struct why why = { "" };
	if (key[0] == '\0')
		log_follow_leave(l->follow);
	else if (log_follow_choose(l->follow, key, &why) != ERR_OK)
		snprintf(l->trouble, sizeof l->trouble, "%s", why.text);
	snprintf(l->key, sizeof l->key, "%s", key);
}

const struct log_view *logs_want(struct logs *l, const struct log_need *n, const struct way *way)
{
	if (n->node == NULL) {
		bool was_open = l->node[0] != '\0';
		drop(l);
		if (was_open)
			loop_timer_start(l->linger, l->o.linger_ms > 0 ? l->o.linger_ms : LINGER_MS, 0);
		return NULL;
	}
	bool is_new = l->node[0] == '\0' || strcmp(l->node, n->node) != 0 || (l->follow == NULL && l->again != n->again);
	if (is_new) {
		drop(l);
		begin(l, n, way);
	}
	if (l->follow != NULL && strcmp(l->key, n->key) != 0) {
		l->trouble[0] = '\0';
		choose(l, n->key);
	}
	if (l->follow != NULL && l->again != n->again)
		log_follow_again(l->follow);
	l->again = n->again;
	logs_refresh(l);
	return &l->view;
}

void logs_refresh(struct logs *l)
{
	if (l == NULL)
		return;
	l->view = (struct log_view){ .node = l->node, .way = l->way, .trouble = l->trouble };
	if (l->follow != NULL)
		l->view.status = log_follow_status(l->follow);
	else if (l->trouble[0] == '\0')
		l->view.trouble = "nothing is followed";
}

/* ---- life ---- */

enum err logs_new(const struct logs_options *o, struct logs **out, struct why *why)
{
	struct logs *l = calloc(1, sizeof *l);
	if (l == NULL)
		return why_memory(why);
	l->o = *o;
	enum err e = loop_timer_new(o->loop, on_lingered, l, &l->linger, why);
	if (e != ERR_OK) {
		free(l);
		return e;
	}
	*out = l;
	return ERR_OK;
}

void logs_close(struct logs *l, void (*done)(void *ctx), void *ctx)
{
	l->closed = done;
	l->closed_ctx = ctx;
	l->is_closing = l->is_ssh_due = true;
	loop_timer_stop(l->linger);
	drop(l);
	close_ssh_when_due(l);
}
