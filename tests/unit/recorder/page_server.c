/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/recorder/page_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_MS = 20, REQUEST_MAX = 8192 };

struct page_server {
	int             fd, port; /* fd -1: down */
	bool            is_ending, wants_up, is_up;
	pthread_t       thread;
	pthread_mutex_t lock;
	pthread_cond_t  changed;
	char            path[256], last[REQUEST_MAX];
	unsigned long   count;
	char           *body;
};

static int listen_at(int port, int *got)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	*got = ntohs(a.sin_port);
	return fd;
}

static void put(int fd, const char *bytes, size_t n)
{
	for (ssize_t sent; n > 0 && (sent = send(fd, bytes, n, MSG_NOSIGNAL)) > 0; bytes += sent, n -= (size_t)sent)
		;
}

/* Reads until the empty line; a client that does not get there within two seconds is dropped. */
static bool take_request(int fd, char *to)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	for (size_t len = 0; len < REQUEST_MAX - 1;) {
		ssize_t n = poll(&p, 1, 2000) == 1 ? recv(fd, to + len, REQUEST_MAX - 1 - len, 0) : -1;
		if (n <= 0)
			return false;
		len += (size_t)n;
		to[len] = '\0';
		if (strstr(to, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

static void serve(struct page_server *s, int fd)
{
	char request[REQUEST_MAX], head[256], want[300];
	if (!take_request(fd, request))
		return;
	pthread_mutex_lock(&s->lock);
	snprintf(s->last, sizeof s->last, "%s", request);
	s->count++;
	snprintf(want, sizeof want, "GET %s ", s->path);
	bool is_there = strncmp(request, want, strlen(want)) == 0;
	char *body = strdup(is_there && s->body != NULL ? s->body : "");
	pthread_mutex_unlock(&s->lock);
	snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
	         is_there ? "200 OK" : "404 Not Found", strlen(body));
	put(fd, head, strlen(head));
	put(fd, body, strlen(body));
	free(body);
	shutdown(fd, SHUT_WR);
}

/* The listening socket is this thread's alone. */
static void *run(void *ctx)
{
	struct page_server *s = ctx;
	for (;;) {
		pthread_mutex_lock(&s->lock);
		bool wants_up = s->wants_up, is_ending = s->is_ending;
		if (!wants_up && s->fd >= 0) {
			close(s->fd);
			s->fd = -1;
		} else if (wants_up && s->fd < 0) {
			s->fd = listen_at(s->port, &s->port);
		}
		s->is_up = s->fd >= 0;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
		if (is_ending)
			return NULL;
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		int fd = poll(&p, s->fd >= 0, LOOK_MS) == 1 ? accept(s->fd, NULL, NULL) : -1;
		if (fd < 0)
			continue;
		serve(s, fd);
		close(fd);
	}
}

struct page_server *page_server_start(void)
{
	struct page_server *s = calloc(1, sizeof *s);
	if (s == NULL)
		abort();
	s->fd = listen_at(0, &s->port);
	s->wants_up = s->is_up = true;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		abort();
	return s;
}

void page_server_stop(struct page_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	if (s->fd >= 0)
		close(s->fd);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->body);
	free(s);
}

int page_server_port(const struct page_server *s)
{
	return s->port;
}

void page_server_set(struct page_server *s, const char *path, const char *body)
{
	char *copy = strdup(body);
	pthread_mutex_lock(&s->lock);
	snprintf(s->path, sizeof s->path, "%s", path);
	free(s->body);
	s->body = copy;
	pthread_mutex_unlock(&s->lock);
}

void page_server_set_up(struct page_server *s, bool is_up)
{
	pthread_mutex_lock(&s->lock);
	s->wants_up = is_up;
	while (s->is_up != is_up)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void page_server_last(struct page_server *s, char *to, unsigned long size)
{
	pthread_mutex_lock(&s->lock);
	snprintf(to, size, "%s", s->last);
	pthread_mutex_unlock(&s->lock);
}

unsigned long page_server_count(struct page_server *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned long count = s->count;
	pthread_mutex_unlock(&s->lock);
	return count;
}
