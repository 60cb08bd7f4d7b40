/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/loop.h"

enum {
	CONNECTIONS_EACH = 6,          /* open at once on an endpoint, on average; more are refused */
	CONNECTION_BYTES = 8 * 1024,   /* headers and all; a longer request line is answered 414, longer headers 431 */
	IDLE_S = 60,
	BODY_MAX = 64 * 1024,          /* of a request; a longer one ends the connection */
	REPLY_MAX = 32 << 20,
	CHECK_MS = 200,                /* how often is_open is asked */
	BACKLOG = 64,
	SPARE_FILES = 64,
};

struct endpoint {
	struct server    *server;
	struct loop_poll *poll; /* NULL: closed */
	int               fd, port;
};

struct server {
	struct server_handler handler;
	struct loop          *loop;
	struct loop_timer    *timeout, *check;
	struct loop_poll     *poll; /* of the daemon's epoll descriptor */
	struct MHD_Daemon    *daemon;
	struct endpoint      *endpoints;
	size_t                n;
	int                  *owners;  /* by descriptor of a connection: its endpoint, or -1 */
	size_t                n_owners;
	struct buf            body;
	struct buf            query;
	pthread_t             thread;
	bool                  has_thread;
};

/* ---- requests ---- */

static enum MHD_Result send_reply(struct MHD_Connection *c, const struct reply *r)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(r->body->len, (void *)(uintptr_t)buf_text(r->body),
	                                                                MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	if (r->type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	if (r->allow != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, r->allow);
	enum MHD_Result result = MHD_queue_response(c, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return result;
}

static int owner_of(const struct server *s, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info == NULL || info->connect_fd < 0 || (size_t)info->connect_fd >= s->n_owners)
		return -1;
	return s->owners[info->connect_fd];
}

static enum MHD_Result on_argument(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	buf_printf(context, "&%s=%s", name, value != NULL ? value : "");
	return MHD_YES;
}

/* Called with the headers first, then for each piece of a body, then to answer. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
	struct server *s = context;
	struct buf    *in = *state; /* the body so far */
	(void)version;
	if (in == NULL) {
		in = calloc(1, sizeof *in);
		*state = in;
		if (in != NULL)
			buf_init(in, BODY_MAX);
		return in != NULL ? MHD_YES : MHD_NO;
	}
	if (*upload_size > 0) {
		enum err e = buf_put(in, upload, *upload_size);
		*upload_size = 0;
		return e == ERR_OK ? MHD_YES : MHD_NO;
	}
	int owner = owner_of(s, c);
	if (owner < 0)
		return MHD_NO;
	buf_clear(&s->body);
	struct reply reply = { .status = 500, .body = &s->body };
	buf_clear(&s->query);
	MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, on_argument, &s->query);
	const char *authorization = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	const struct request request = { .method = method, .path = url, .body = buf_text(in), .query = buf_text(&s->query), .authorization = authorization != NULL ? authorization : "" };
	s->handler.answer(s->handler.context, (size_t)owner, &request, &reply);
	return s->body.err == ERR_OK ? send_reply(c, &reply) : MHD_NO;
}

static void on_end(void *context, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
	struct buf *in = *state;
	(void)context;
	(void)c;
	(void)code;
	if (in != NULL)
		buf_release(in);
	free(in);
	*state = NULL;
}

/* A descriptor may be used anew after this. */
static void on_connection(void *context, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct server *s = context;
	(void)socket_context;
	if (code != MHD_CONNECTION_NOTIFY_CLOSED)
		return;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL && info->connect_fd >= 0 && (size_t)info->connect_fd < s->n_owners)
		s->owners[info->connect_fd] = -1;
}

/* ---- the loop ---- */

/* Lets libmicrohttpd do what is due, and arms the timer for what is due next. */
static void run_daemon(void *context)
{
	struct server         *s = context;
	MHD_UNSIGNED_LONG_LONG ms;
	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
		loop_timer_start(s->timeout, (int64_t)ms, 0);
	else
		loop_timer_stop(s->timeout);
}

static void on_daemon(void *context, unsigned events)
{
	(void)events;
	run_daemon(context);
}

static void hand_over(struct server *s, struct endpoint *e, int fd, const struct sockaddr *address, socklen_t size)
{
	int one = 1;
	if ((size_t)fd >= s->n_owners) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	s->owners[fd] = (int)(e - s->endpoints);
	/* On failure libmicrohttpd has closed the socket. */
	if (MHD_add_connection(s->daemon, fd, address, size) != MHD_YES)
		s->owners[fd] = -1;
}

static void on_accept(void *context, unsigned events)
{
	struct endpoint *e = context;
	struct server   *s = e->server;
	(void)events;
	for (int i = 0; i < BACKLOG; i++) {
		struct sockaddr_storage address;
		socklen_t               size = sizeof address;
		int fd = accept4(e->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		hand_over(s, e, fd, (struct sockaddr *)&address, size);
	}
	run_daemon(s);
}

/* ---- sockets ---- */

static enum err bind_port(int port, int *out_fd, int *out_port, struct why *why)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t          size = sizeof address;
	int                one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return why_errno(why, errno, "cannot make a socket");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		int error = errno;
		close(fd);
		return why_errno(why, error, "cannot use port %d of 127.0.0.1", port);
	}
	*out_fd = fd;
	*out_port = ntohs(address.sin_port);
	return ERR_OK;
}

/* A socket of its own for an endpoint that has lost its; the port is the same for ever, and read from any thread. */
static enum err bind_again(struct endpoint *e, struct why *why)
{
	int same;
	return bind_port(e->port, &e->fd, &same, why);
}

/* Ports stay ours while nobody listens: a bound socket that does not listen refuses connections. */
static enum err open_endpoint(struct endpoint *e, struct why *why)
{
	if (e->fd < 0) {
		enum err err = bind_again(e, why);
		if (err != ERR_OK)
			return err;
	}
	if (listen(e->fd, BACKLOG) != 0)
		return why_errno(why, errno, "cannot listen on port %d", e->port);
	enum err err = loop_poll_new(e->server->loop, e->fd, on_accept, e, &e->poll, why);
	return err == ERR_OK ? loop_poll_set(e->poll, LOOP_READABLE, why) : err;
}

static void close_endpoint(struct endpoint *e)
{
	struct server *s = e->server;
	loop_poll_close(e->poll);
	e->poll = NULL;
	close(e->fd);
	e->fd = -1;
	bind_again(e, NULL); /* where that fails, opening tries again */
	for (size_t fd = 0; fd < s->n_owners; fd++)
		if (s->owners[fd] == (int)(e - s->endpoints))
			shutdown((int)fd, SHUT_RDWR);
}

static void on_check(void *context)
{
	struct server *s = context;
	for (size_t i = 0; i < s->n; i++) {
		struct endpoint *e = &s->endpoints[i];
		bool             should = s->handler.is_open(s->handler.context, i);
		if (should && e->poll == NULL)
			open_endpoint(e, NULL); /* tried again at the next check */
		else if (!should && e->poll != NULL)
			close_endpoint(e);
	}
}

/* ---- life ---- */

static enum err need_files(size_t n, size_t *out, struct why *why)
{
	struct rlimit limit;
	rlim_t        need = (rlim_t)(n * (1 + CONNECTIONS_EACH) + SPARE_FILES), least = (rlim_t)(n * 2 + SPARE_FILES);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return why_errno(why, errno, "cannot ask how many files may be open");
	if (limit.rlim_cur < need) {
		struct rlimit raised = { .rlim_cur = limit.rlim_max < need ? limit.rlim_max : need, .rlim_max = limit.rlim_max };
		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	if (limit.rlim_cur < least)
		return why_set(why, ERR_LIMIT, "%zu ports need %zu open files and %zu are allowed; raise `ulimit -n` or take fewer nodes",
		               n, (size_t)least, (size_t)limit.rlim_cur);
	*out = (size_t)need * 2; /* descriptors of others in the process stand between ours */
	return ERR_OK;
}

static enum err start_daemon(struct server *s, struct why *why)
{
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0, NULL, NULL, on_request, s,
	                             MHD_OPTION_CONNECTION_LIMIT, (unsigned)(s->n * CONNECTIONS_EACH + SPARE_FILES),
	                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
	                             (unsigned)IDLE_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_end, s,
	                             MHD_OPTION_END);
	if (s->daemon == NULL)
		return why_set(why, ERR_IO, "cannot start libmicrohttpd");
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL)
		return why_set(why, ERR_UNSUPPORTED, "libmicrohttpd has no epoll");
	enum err err = loop_poll_new(s->loop, info->epoll_fd, on_daemon, s, &s->poll, why);
	return err == ERR_OK ? loop_poll_set(s->poll, LOOP_READABLE, why) : err;
}

static enum err open_all(struct server *s, int first_port, struct why *why)
{
	for (size_t i = 0; i < s->n; i++) {
		struct endpoint *e = &s->endpoints[i];
		enum err err = bind_port(first_port > 0 ? first_port + (int)i : 0, &e->fd, &e->port, why);
		if (err == ERR_OK && s->handler.is_open(s->handler.context, i))
			err = open_endpoint(e, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err open_loop(struct server *s, struct why *why)
{
	enum err err = loop_new(&s->loop, why);
	if (err == ERR_OK)
		err = loop_timer_new(s->loop, run_daemon, s, &s->timeout, why);
	if (err == ERR_OK)
		err = loop_timer_new(s->loop, on_check, s, &s->check, why);
	if (err == ERR_OK)
		loop_timer_start(s->check, CHECK_MS, CHECK_MS);
	return err;
}

enum err server_new(size_t n, int first_port, const struct server_handler *h, struct server **out, struct why *why)
{
	size_t   files = 0;
	enum err err = need_files(n, &files, why);
	if (err != ERR_OK)
		return err;
	struct server *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	*s = (struct server){ .handler = *h, .n = n, .n_owners = files };
	buf_init(&s->body, REPLY_MAX);
	buf_init(&s->query, BODY_MAX);
	s->endpoints = calloc(n, sizeof *s->endpoints);
	s->owners = malloc(files * sizeof *s->owners);
	if (s->endpoints == NULL || s->owners == NULL) {
		s->n = 0;
		server_free(s);
		return why_memory(why);
	}
	memset(s->owners, 0xff, files * sizeof *s->owners);
	for (size_t i = 0; i < n; i++)
		s->endpoints[i] = (struct endpoint){ .server = s, .fd = -1 };
	err = open_loop(s, why);
	if (err == ERR_OK)
		err = start_daemon(s, why);
	if (err == ERR_OK)
		err = open_all(s, first_port, why);
	if (err != ERR_OK) {
		server_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

int server_port(const struct server *s, size_t endpoint) { return s->endpoints[endpoint].port; }

static void *run_thread(void *context)
{
	struct server *s = context;
	loop_run(s->loop);
	return NULL;
}

enum err server_start(struct server *s, struct why *why)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own thread */
	int error = pthread_create(&s->thread, NULL, run_thread, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return why_errno(why, error, "cannot start a thread");
	s->has_thread = true;
	return ERR_OK;
}

void server_free(struct server *s)
{
	if (s == NULL)
		return;
	if (s->has_thread) {
		loop_stop(s->loop);
		pthread_join(s->thread, NULL);
	}
	for (size_t i = 0; i < s->n; i++)
		loop_poll_close(s->endpoints[i].poll);
	loop_poll_close(s->poll);
	loop_timer_close(s->timeout);
	loop_timer_close(s->check);
	if (s->loop != NULL)
		loop_free(s->loop);
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);
	for (size_t i = 0; i < s->n; i++)
		if (s->endpoints[i].fd >= 0)
			close(s->endpoints[i].fd);
	buf_release(&s->body);
	buf_release(&s->query);
	free(s->endpoints);
	free(s->owners);
	free(s);
}
