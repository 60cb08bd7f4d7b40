/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes, and what all sessions share. */
#include "collectors/ssh_private.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "collectors/shell_quote.h"

enum { PROXY_MAX = 8000, BACK_OFF_MS = 1000, BACK_OFF_DOUBLINGS = 6, BACK_OFF_MOST = 60 };

/* One reading of a route, on a worker. It outlives its node where that is closed meanwhile. */
struct route_work {
	struct ssh      *pool;
	struct ssh_node *node; /* NULL: nobody wants it any more */
	char            *destination, *user;
	int              port;
	struct route     route;
};

/* ---- what all share ---- */

void pool_tell(struct ssh *p, enum ssh_step step, const char *host, enum reach result, const char *text)
{
	const struct ssh_progress progress = { .step = step, .host = host, .result = result, .text = text, .ms = -1 };
	if (p->o.progress != NULL)
		p->o.progress(p->o.ctx, &progress);
}

/* Half of it is by chance, so that the many behind a jump host that came back do not come all at once. */
int64_t pool_back_off(struct ssh *p, int n_failures)
{
	int64_t base = p->o.back_off_ms > 0 ? p->o.back_off_ms : BACK_OFF_MS, wait = base;
	for (int i = 1; i < n_failures && i <= BACK_OFF_DOUBLINGS; i++)
		wait *= 2;
	if (wait > base * BACK_OFF_MOST)
		wait = base * BACK_OFF_MOST;
	p->random = hash64(&p->random, sizeof p->random, p->random);
	return wait / 2 + (int64_t)(p->random % (uint64_t)(wait / 2 + 1));
}

void pool_mark(struct ssh *p, struct ssh_session *s)
{
	if (s != NULL && !s->is_marked) {
		s->is_marked = true;
		s->next_marked = p->marked;
		p->marked = s;
	}
	if (!p->is_running && !p->is_closing && !loop_timer_is_active(p->soon))
		loop_timer_start(p->soon, 0, 0);
}

void pool_turns(struct ssh *p)
{
	p->has_turns = true;
	pool_mark(p, NULL);
}

static void node_go_on(struct ssh_node *n);
static void free_done(struct ssh *p);

static void sweep(struct ssh *p)
{
	for (struct ssh_session **at = &p->sessions; *at != NULL;) {
		struct ssh_session *s = *at;
		if (!session_may_go(s)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		session_free(s);
	}
}

void pool_run(struct ssh *p)
{
	if (p->is_running)
		return;
	p->is_running = true;
	for (struct ssh_node *n = p->nodes; n != NULL; n = n->next)
		if (n->waiting.first != NULL)
			node_go_on(n);
	while (p->marked != NULL || (p->has_turns && !p->is_closing)) {
		struct ssh_session *s = p->marked;
		if (s == NULL) {
			p->has_turns = false;
			sessions_begin(p);
			continue;
		}
		p->marked = s->next_marked;
		s->is_marked = false;
		session_step(s);
	}
	sweep(p);
	p->is_running = false;
	free_done(p);
}

static void on_soon(void *ctx)
{
	pool_run(ctx);
}

void nodes_hear(struct ssh *p, struct ssh_session *s)
{
	for (struct ssh_node *n = p->nodes; n != NULL; n = n->next)
		if (n->session == s && n->waiting.first != NULL)
			node_go_on(n);
}

/* ---- a node ---- */

static void fail_waiting(struct ssh_node *n, enum reach result, const char *text)
{
	struct channel_list failed = n->waiting; /* what is run in a callback waits anew */
	n->waiting = (struct channel_list){ NULL, NULL };
	while (failed.first != NULL) {
		struct ssh_channel *c = failed.first;
		channel_remove(&failed, c);
		channel_end(c, result, text);
	}
}

static void node_failed(struct ssh_node *n, enum reach result, const char *text)
{
	n->failed = result;
	snprintf(n->failed_text, sizeof n->failed_text, "%s", text);
	n->retry_ms = loop_now_ms(n->pool->o.loop) + pool_back_off(n->pool, ++n->n_failures);
	fail_waiting(n, result, n->failed_text);
}

/* ---- the OpenSSH client takes over ---- */

static void inner_output(void *ctx, const char *bytes, size_t n)
{
	struct ssh_channel *c = ctx;
	if (c->events.output != NULL)
		c->events.output(c->ctx, bytes, n);
}

static void inner_ended(void *ctx, enum reach result, const char *text)
{
	struct ssh_channel *c = ctx;
	c->inner = NULL;
	if (result == REACH_OK)
		c->node->n_failures = 0;
	else
		node_failed(c->node, result, text);
	channel_end(c, result, text);
}

static void hand_over(struct ssh_node *n)
{
	static const struct command_events events = { inner_output, inner_ended };
	while (n->waiting.first != NULL) {
		struct ssh_channel *c = n->waiting.first;
		struct why why = { "" };
		channel_remove(&n->waiting, c);
		if (transport_run(n->openssh, c->line, &events, c, &c->inner, &why) != ERR_OK) {
			c->inner = NULL;
			channel_end(c, REACH_FAILED, why.text);
			continue;
		}
		c->state = CHANNEL_RUNNING;
		if (c->out.len > c->out_at)
			command_write(c->inner, c->out.data + c->out_at, c->out.len - c->out_at);
	}
}

/* Has somebody logged in to this machine, or to the last host on the way there? */
static enum ride ride_of(const struct ssh_node *n)
{
	const char *dir = n->pool->o.control_dir;
	char path[CONTROL_PATH];
	if (n->master[0] != '\0' && ssh_control_is_there(n->master))
		return RIDE_OWN;
	const struct ssh_session *jump = n->session != NULL ? n->session->below : NULL;
	bool is_wanted = dir != NULL && jump != NULL && jump->state != SESSION_READY;
	return is_wanted && ssh_control_jump_path(dir, jump->key, path) && ssh_control_is_there(path) ? RIDE_JUMP : RIDE_NONE;
}

/* Words for a shell, in a value in which "%" means something to ssh. */
static enum err put_words(struct buf *to, const char *const *words, size_t n, struct why *why)
{
	struct buf quoted;
	buf_init(&quoted, PROXY_MAX);
	enum err e = shell_quote(&quoted, words, n, why);
	for (const char *c = buf_text(&quoted); e == ERR_OK && *c != '\0'; c++) {
		if (*c == '%')
			buf_putc(to, '%');
		e = buf_putc(to, *c);
	}
	buf_release(&quoted);
	return e;
}

/* The way through a jump host's master. */
static enum err write_proxy(const struct ssh_node *n, struct buf *to, struct why *why)
{
	const struct ssh_session *jump = n->session->below;
	const struct ssh_settings *o = &jump->hop.settings;
	const char *file = n->pool->o.config_file;
	char path[CONTROL_PATH], port[16];
	const char *const client[] = { "ssh", "-o", "BatchMode=yes", "-o", "ControlMaster=no", "-S", path, "-F", file };
	const char *const host[] = { "-l", o->user, "-p", port, "--", o->destination };
	if (!ssh_control_jump_path(n->pool->o.control_dir, jump->key, path))
		return why_set(why, ERR_LIMIT, "the path of a socket is too long");
	snprintf(port, sizeof port, "%d", o->port);
	enum err e = put_words(to, client, sizeof client / sizeof *client - (file == NULL ? 2 : 0), why);
	if (e == ERR_OK)
		e = buf_puts(to, " -W '[%h]:%p' ");
	if (e == ERR_OK)
		e = put_words(to, host, sizeof host / sizeof *host, why);
	return e == ERR_OK ? e : why_set(why, e, "the way through the jump host's login is too long");
}

static bool take_openssh(struct ssh_node *n, const char *reason)
{
	struct openssh_options o = { .destination = n->destination, .config_file = n->pool->o.config_file, .user = n->user, .port = n->port,
		                     .connect_timeout_s = 10 };
	struct why why = { "" };
	struct buf proxy;
	enum ride ride = ride_of(n);
	enum err e = ERR_OK;
	if (n->openssh != NULL)
		return true;
	buf_init(&proxy, PROXY_MAX);
	if (ride == RIDE_OWN)
		o.control_path = n->master;
	else if (ride == RIDE_JUMP && (e = write_proxy(n, &proxy, &why)) == ERR_OK)
		o.proxy_command = buf_text(&proxy);
	if (e == ERR_OK)
		e = openssh_transport_new(n->pool->o.loop, &o, &n->openssh, &why);
	buf_release(&proxy);
	if (e != ERR_OK) {
		n->openssh = NULL;
		node_failed(n, REACH_FAILED, why.text);
		return false;
	}
	n->ride = ride;
	n->retry_ms = 0;
	snprintf(n->openssh_why, sizeof n->openssh_why, "%s", reason);
	pool_tell(n->pool, SSH_STEP_FALLBACK, n->destination, REACH_OK, reason);
	return true;
}

/* A login came or went: what is asked next goes another way. A command that still runs the old way may end it. */
static void follow_logins(struct ssh_node *n)
{
	if (n->openssh == NULL || n->ride == ride_of(n))
		return;
	transport_close(n->openssh, NULL, NULL);
	n->openssh = NULL;
	n->retry_ms = 0;
	n->n_failures = 0;
}

static bool may_ride(const struct ssh_node *n)
{
	bool is_refused = n->session->why_ended == REACH_AUTH || n->session->why_ended == REACH_PASSPHRASE;
	return n->mode == SSH_MODE_AUTO && is_refused && ride_of(n) != RIDE_NONE;
}

/* ---- from destination to session ---- */

static void route_taken(struct ssh_node *n, struct route *r)
{
	struct ssh_session *below = NULL, *s = NULL;
	for (size_t i = 0; i < r->n; i++) {
		enum err e = session_get(n->pool, r->hops[i].key, below, &s);
		if (below != NULL)
			session_leave(below); /* the one above has a hold of it now */
		if (e != ERR_OK) {
			node_failed(n, REACH_FAILED, "out of memory");
			return;
		}
		session_start(s, &r->hops[i]);
		below = s;
	}
	if (n->session != NULL)
		session_leave(n->session);
	n->session = s;
	n->n_failures = 0;
	n->retry_ms = 0;
}

static void read_work(void *ctx)
{
	struct route_work *w = ctx;
	route_read(&w->route, &w->pool->local.machine, w->destination, w->user, w->port, w->pool->o.config_file);
}

/* Configuration and name are read in one go, and told one after the other. */
static void tell_read(struct ssh *p, const char *name, const struct route *r)
{
	bool is_configured = r->result == REACH_OK || r->result == REACH_DNS;
	const struct ssh_progress config = { .step = SSH_STEP_CONFIG, .host = name, .result = is_configured ? REACH_OK : r->result,
		                                 .text = is_configured && !r->needs_openssh ? "" : r->text, .ms = r->config_ms };
	if (p->o.progress == NULL)
		return;
	p->o.progress(p->o.ctx, &config);
	if (!is_configured || r->needs_openssh)
		return;
	const struct ssh_progress found = { .step = SSH_STEP_NAME, .host = r->hops[0].name, .result = r->result,
		                                .text = r->result == REACH_OK ? r->found : r->text, .ms = r->name_ms };
	p->o.progress(p->o.ctx, &found);
}

static void read_done(void *ctx, bool is_cancelled)
{
	struct route_work *w = ctx;
	struct ssh *p = w->pool;
	struct ssh_node *n = w->node;
	(void)is_cancelled;
	p->n_reading--;
	if (n != NULL) {
		n->reading = NULL;
		const char *name = w->route.n > 0 ? w->route.hops[w->route.n - 1].name : n->destination;
		tell_read(p, name, &w->route);
		if (w->route.result != REACH_DNS && w->route.result != REACH_OK)
			node_failed(n, w->route.result, w->route.text);
		else if (w->route.needs_openssh && n->mode == SSH_MODE_AUTO)
			take_openssh(n, w->route.text);
		else if (w->route.needs_openssh)
			node_failed(n, REACH_CONFIG, w->route.text);
		else if (w->route.result == REACH_DNS)
			node_failed(n, REACH_DNS, w->route.text);
		else
			route_taken(n, &w->route);
	}
	route_release(&w->route);
	free(w->destination);
	free(w->user);
	free(w);
	for (struct ssh_node *other = p->nodes; other != NULL; other = other->next) /* whoever comes first now; some may not want to any more */
		other->waits_to_read = false;
	pool_run(p);
	pool_handle_gone(p);
}

static void read_route(struct ssh_node *n)
{
	struct ssh *p = n->pool;
	if (n->reading != NULL)
		return;
	n->waits_to_read = p->n_reading >= SSH_READING_MAX;
	if (n->waits_to_read)
		return;
	struct route_work *w = calloc(1, sizeof *w);
	if (w == NULL)
		return;
	w->pool = p;
	w->node = n;
	w->port = n->port;
	w->destination = strdup(n->destination);
	w->user = n->user != NULL ? strdup(n->user) : NULL;
	p->n_handles++;
	p->n_reading++;
	if (w->destination != NULL && loop_work_new(p->o.loop, read_work, read_done, w, NULL, NULL) == ERR_OK) {
		n->reading = w;
		return;
	}
	p->n_handles--;
	p->n_reading--;
	free(w->destination);
	free(w->user);
	free(w);
	node_failed(n, REACH_FAILED, "out of memory");
}

static void use_session(struct ssh_node *n)
{
	while (n->waiting.first != NULL) {
		struct ssh_channel *c = n->waiting.first;
		channel_remove(&n->waiting, c);
		c->session = n->session;
		c->state = CHANNEL_OPENING;
		channel_append(&n->session->channels, c);
	}
	pool_mark(n->pool, n->session);
}

/* Commands wait at this node: what is the next thing to do for them? */
static void node_go_on(struct ssh_node *n)
{
	struct ssh_session *s = n->session;
	int64_t now = loop_now_ms(n->pool->o.loop);
	follow_logins(n);
	if (n->mode == SSH_MODE_OPENSSH && n->openssh == NULL && !take_openssh(n, "the fleet file says so"))
		return;
	if (n->openssh != NULL && now < n->retry_ms) {
		fail_waiting(n, n->failed, n->failed_text);
	} else if (n->openssh != NULL) {
		hand_over(n);
	} else if (n->reading != NULL || n->waits_to_read) {
		return;
	} else if (s != NULL && s->state == SESSION_READY) {
		use_session(n);
	} else if (s != NULL && s->state != SESSION_ENDED) {
		return;
	} else if (s != NULL && now < s->retry_ms) { /* it ended just now, or not long ago */
		if (n->mode == SSH_MODE_AUTO && s->is_for_openssh && take_openssh(n, s->why_text))
			hand_over(n);
		else if (may_ride(n) && take_openssh(n, "a person has logged in there, and that login is used"))
			hand_over(n);
		else
			fail_waiting(n, s->why_ended, s->why_text);
	} else if (s == NULL && now < n->retry_ms) {
		fail_waiting(n, n->failed, n->failed_text);
	} else {
		read_route(n);
	}
}

/* ---- transports ---- */

static enum err node_run(struct transport *t, const char *command_line, const struct command_events *ev, void *ctx, struct command **out,
                         struct why *why)
{
	struct ssh_node *n = (struct ssh_node *)(void *)t;
	struct ssh_channel *c = channel_new();
	if (c == NULL || (c->line = strdup(command_line)) == NULL) {
		if (c != NULL)
			channel_free(c);
		return why_memory(why);
	}
	c->node = n;
	c->events = *ev;
	c->ctx = ctx;
	channel_append(&n->waiting, c);
	pool_mark(n->pool, NULL);
	*out = &c->base;
	return ERR_OK;
}

static enum err node_write(struct command *command, const char *bytes, size_t n)
{
	struct ssh_channel *c = (struct ssh_channel *)(void *)command;
	if (c->inner != NULL)
		return command_write(c->inner, bytes, n);
	if (c->out_at > 0 && c->out_at == c->out.len) {
		buf_clear(&c->out);
		c->out_at = 0;
	}
	enum err e = buf_put(&c->out, bytes, n);
	if (c->session != NULL)
		pool_mark(c->node->pool, c->session);
	return e;
}

static void node_close_command(struct command *command)
{
	struct ssh_channel *c = (struct ssh_channel *)(void *)command;
	c->is_unwanted = true;
	c->events = (struct command_events){ NULL, NULL };
	if (c->inner != NULL) {
		command_close(c->inner);
		c->inner = NULL;
		channel_free(c);
	} else if (c->session == NULL) {
		channel_remove(&c->node->waiting, c);
		channel_free(c);
	} else {
		c->node = NULL; /* the session ends it; the node may be gone by then */
		pool_mark(c->session->pool, c->session);
	}
}

static void node_free(struct ssh_node *n)
{
	void (*closed)(void *) = n->closed;
	void *ctx = n->closed_ctx;
	free(n->destination);
	free(n->user);
	free(n);
	if (closed != NULL)
		closed(ctx);
}

static struct ssh_node *find_done(struct ssh *p)
{
	struct ssh_node *n = p->nodes;
	while (n != NULL && !n->is_done)
		n = n->next;
	return n;
}

/* `closed` may do anything, closing the pool too. */
static void free_done(struct ssh *p)
{
	for (struct ssh_node *n; (n = find_done(p)) != NULL;) {
		if (n->prev != NULL)
			n->prev->next = n->next;
		else
			p->nodes = n->next;
		if (n->next != NULL)
			n->next->prev = n->prev;
		node_free(n);
		bool is_last = p->n_handles == 1;
		pool_handle_gone(p);
		if (is_last)
			return;
	}
}

static void openssh_closed(void *ctx)
{
	struct ssh_node *n = ctx;
	n->is_done = true;
	if (n->pool->is_closing)
		free_done(n->pool);
	else
		pool_mark(n->pool, NULL);
}

static void node_close(struct transport *t, void (*closed)(void *ctx), void *ctx)
{
	struct ssh_node *n = (struct ssh_node *)(void *)t;
	assert(n->waiting.first == NULL && !n->is_closing);
	n->is_closing = true;
	n->closed = closed;
	n->closed_ctx = ctx;
	if (n->reading != NULL)
		n->reading->node = NULL;
	if (n->session != NULL)
		session_leave(n->session);
	n->session = NULL;
	if (n->openssh != NULL)
		transport_close(n->openssh, openssh_closed, n);
	else
		openssh_closed(n);
}

const struct transport_kind ssh_kind = {
	.name = "libssh2", .run = node_run, .write = node_write, .close_command = node_close_command, .close = node_close,
};

enum err ssh_transport_new(struct ssh *s, const struct ssh_machine_options *o, struct transport **out, struct why *why)
{
	struct ssh_node *n = calloc(1, sizeof *n);
	if (n == NULL)
		return why_memory(why);
	n->base.kind = &ssh_kind;
	n->pool = s;
	n->port = o->port;
	n->mode = o->mode;
	n->destination = strdup(o->destination);
	n->user = o->user != NULL ? strdup(o->user) : NULL;
	if (n->destination == NULL || (o->user != NULL && n->user == NULL)) {
		free(n->destination);
		free(n->user);
		free(n);
		return why_memory(why);
	}
	if (s->o.control_dir == NULL || !ssh_control_path(s->o.control_dir, n->destination, n->user, n->port, n->master))
		n->master[0] = '\0';
	n->next = s->nodes;
	if (s->nodes != NULL)
		s->nodes->prev = n;
	s->nodes = n;
	s->n_handles++;
	*out = &n->base;
	return ERR_OK;
}

/* ---- the pool ---- */

/* libssh2 counts how often it was begun, without a lock; the recorder's pool and the console's live on two threads. */
static pthread_mutex_t library_gate = PTHREAD_MUTEX_INITIALIZER;

static bool library_begin(void)
{
	pthread_mutex_lock(&library_gate);
	int failed = libssh2_init(0);
	pthread_mutex_unlock(&library_gate);
	return failed == 0;
}

static void library_end(void)
{
	pthread_mutex_lock(&library_gate);
	libssh2_exit();
	pthread_mutex_unlock(&library_gate);
}

enum err ssh_new(const struct ssh_options *o, struct ssh **out, struct why *why)
{
	struct ssh *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	p->o = *o;
	p->random = (uint64_t)clock_mono_us(clock_system());
	enum err e = library_begin() ? ERR_OK : why_set(why, ERR_IO, "libssh2 cannot begin");
	if (e == ERR_OK)
		e = ssh_local_init(&p->local, why);
	if (e == ERR_OK) {
		e = loop_timer_new(o->loop, on_soon, p, &p->soon, why);
		if (e != ERR_OK)
			ssh_local_release(&p->local);
	}
	if (e != ERR_OK) {
		free(p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

static void end_pool(void *ctx)
{
	struct ssh *p = ctx;
	void (*closed)(void *) = p->closed;
	void *closed_ctx = p->closed_ctx;
	while (p->sessions != NULL) {
		struct ssh_session *s = p->sessions;
		p->sessions = s->next;
		session_free(s);
	}
	ssh_local_release(&p->local);
	free(p);
	library_end();
	if (closed != NULL)
		closed(closed_ctx);
}

void pool_handle_gone(struct ssh *p)
{
	if (--p->n_handles == 0 && p->is_closing)
		end_pool(p);
}

/* A pool without anything under way ends in the loop's next turn all the same: the call that closes it counts as one handle. */
static void close_soon(void *ctx)
{
	pool_handle_gone(ctx);
}

void ssh_close(struct ssh *p, void (*closed)(void *ctx), void *ctx)
{
	p->closed = closed;
	p->closed_ctx = ctx;
	p->n_handles++; /* this call itself */
	p->is_closing = true;
	for (struct ssh_session *s = p->sessions; s != NULL; s = s->next)
		if (s->state != SESSION_ENDED)
			session_fail(s, REACH_CLOSED, "pitwall ends");
	pool_run(p);
	loop_timer_close(p->soon);
	if (loop_post(p->o.loop, close_soon, p) != ERR_OK)
		pool_handle_gone(p);
}

struct ssh_stats ssh_stats(const struct ssh *p)
{
	struct ssh_stats stats = p->stats;
	stats.sessions = 0;
	for (const struct ssh_session *s = p->sessions; s != NULL; s = s->next)
		stats.sessions += s->state == SESSION_READY;
	return stats;
}
