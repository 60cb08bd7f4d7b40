/* SPDX-License-Identifier: Apache-2.0
 *
 * Curl's sockets on the loop. Curl wants a connection watched while a request is on it and no more after; taken at its word, that is a
 * watcher made and given up a request, and four calls into the kernel. So a connection's watcher stays from the first request until curl
 * closes it: between requests what comes means that the server has closed, and is looked at by curl before the next one.
 *
 * Invariants: (1) a socket that curl opened through open_socket is in c->socks at its number until close_socket, or until curl lets go of
 * it before it was connected: those curl (7.88) closes without a word; (2) others (those with which curl wakes itself up) have a watcher
 * while curl wants one. */
#include "collectors/http_private.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKS_MAX = 1 << 20 };

struct sock {
	uv_poll_t              poll;
	struct http_collector *c;
	int                    events; /* that the loop looks for */
	bool                   has_poll;
	bool                   is_kept;   /* one of ours: between requests, too */
	bool                   is_wanted; /* by curl */
};

/* ---- watching ---- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct sock           *s = poll->data;
	struct http_collector *c = s->c;
	uv_os_fd_t             fd;
	int                    flags = 0;
	if (!s->is_wanted) {
		uv_poll_stop(poll);
		s->events = 0;
		return;
	}
	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if ((events & UV_READABLE) != 0)
		flags |= CURL_CSELECT_IN;
	if ((events & UV_WRITABLE) != 0)
		flags |= CURL_CSELECT_OUT;
	if (uv_fileno((const uv_handle_t *)poll, &fd) == 0)
		http_socket_ready(c, fd, flags);
}

static void watch(struct sock *s, int events)
{
	if (s->events != events && uv_poll_start(&s->poll, events, on_event) == 0)
		s->events = events;
}

static void on_closed(uv_handle_t *h)
{
	struct sock *s = h->data;
	http_handle_closed(s->c);
	free(s);
}

static void sock_free(struct sock *s)
{
	if (!s->has_poll) {
		free(s);
		return;
	}
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, on_closed);
}

static struct sock *sock_new(struct http_collector *c, bool is_kept)
{
	struct sock *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->c = c;
	s->poll.data = s;
	s->is_kept = is_kept;
	return s;
}

static bool add_poll(struct sock *s, curl_socket_t fd)
{
	if (!s->has_poll && uv_poll_init_socket(s->c->o.loop, &s->poll, fd) == 0) {
		s->poll.data = s;
		s->has_poll = true;
		s->c->handles++;
	}
	return s->has_poll;
}

/* ---- what curl calls ---- */

static bool reserve(struct http_collector *c, size_t n)
{
	size_t cap = c->cap_socks == 0 ? 64 : c->cap_socks;
	while (cap < n)
		cap *= 2;
	if (cap == c->cap_socks)
		return true;
	struct sock **more = realloc(c->socks, cap * sizeof(struct sock *));
	if (more == NULL)
		return false;
	for (size_t i = c->cap_socks; i < cap; i++)
		more[i] = NULL;
	c->socks = more;
	c->cap_socks = cap;
	return true;
}

static struct sock *kept_at(const struct http_collector *c, curl_socket_t fd)
{
	return fd >= 0 && (size_t)fd < c->cap_socks ? c->socks[fd] : NULL;
}

static void forget(struct http_collector *c, curl_socket_t fd)
{
	struct sock *s = kept_at(c, fd);
	if (s == NULL)
		return;
	c->socks[fd] = NULL;
	sock_free(s);
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct http_collector *c = ctx;
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (fd < SOCKS_MAX && reserve(c, (size_t)fd + 1)) {
		forget(c, fd); /* one of that number that was closed without a word */
		if ((c->socks[fd] = sock_new(c, true)) != NULL)
			return fd;
	}
	close(fd);
	return CURL_SOCKET_BAD;
}

static int close_socket(void *ctx, curl_socket_t fd)
{
	forget(ctx, fd);
	return close(fd);
}

/* Who waits for nothing but bytes is connected. */
static int drop(struct http_collector *c, curl_socket_t fd, struct sock *s)
{
	if (s == NULL)
		return 0;
	s->is_wanted = false;
	if (s->is_kept && s->events == UV_READABLE)
		return 0;
	curl_multi_assign(c->multi, fd, NULL);
	if (s->is_kept)
		forget(c, fd);
	else
		sock_free(s);
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *sock_ctx)
{
	struct http_collector *c = ctx;
	struct sock           *s = kept_at(c, fd) != NULL ? kept_at(c, fd) : sock_ctx;
	(void)easy;
	if (what == CURL_POLL_REMOVE)
		return drop(c, fd, s);
	if (s == NULL && (s = sock_new(c, false)) == NULL)
		return -1;
	if (!add_poll(s, fd)) {
		if (!s->is_kept)
			free(s);
		return -1;
	}
	if (!s->is_kept)
		curl_multi_assign(c->multi, fd, s);
	s->is_wanted = true;
	watch(s, ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0));
	return 0;
}

void http_sockets_begin(struct http_collector *c)
{
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
}

void http_sockets_end(struct http_collector *c)
{
	for (size_t i = 0; i < c->cap_socks; i++)
		free(c->socks[i]); /* without a watcher, which would have been counted */
	free(c->socks);
	c->socks = NULL;
	c->cap_socks = 0;
}

void http_sockets_of(struct http_collector *c, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, c);
}
