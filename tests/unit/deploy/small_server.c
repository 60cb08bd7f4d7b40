/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/small_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 4 * 1024 * 1024, ANSWER_MAX = 4 * 1024 * 1024 };

struct small_server {
	int         fd, port;
	pthread_t   thread;
	small_serve serve;
	void       *ctx;
	char       *request, *answer;
};

/* The bytes that the header says the body has. */
static size_t body_bytes(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length:");
	return at != NULL ? strtoul(at + 17, NULL, 10) : 0;
}

static char *read_request(struct small_server *s, int fd)
{
	size_t len = 0;
	for (ssize_t n; (n = recv(fd, s->request + len, REQUEST_MAX - len, 0)) > 0;) {
		len += (size_t)n;
		s->request[len] = '\0';
		char *end = strstr(s->request, "\r\n\r\n");
		if (end != NULL && len >= (size_t)(end + 4 - s->request) + body_bytes(s->request))
			return end + 4;
	}
	return NULL;
}

static void converse(struct small_server *s, int fd)
{
	struct small_request r = { .head = s->request, .body = read_request(s, fd) };
	if (r.body == NULL || sscanf(s->request, "%15s %1023s", r.method, r.path) != 2)
		return;
	s->answer[0] = '\0';
	s->serve(s->ctx, &r, s->answer, ANSWER_MAX);
	size_t left = strlen(s->answer);
	for (const char *at = s->answer; left > 0;) {
		ssize_t n = send(fd, at, left, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		at += n;
		left -= (size_t)n;
	}
}

static void *listen_on(void *ctx)
{
	struct small_server *s = ctx;
	for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0; close(fd))
		converse(s, fd);
	return NULL;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
		abort();
	return fd;
}

static int listen_loopback(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	*port = ntohs(a.sin_port);
	return fd;
}

struct small_server *small_server_start(const char *socket_path, small_serve serve, void *ctx)
{
	struct small_server *s = calloc(1, sizeof *s);
	if (s == NULL || (s->request = malloc(REQUEST_MAX + 1)) == NULL || (s->answer = malloc(ANSWER_MAX)) == NULL)
		abort();
	s->serve = serve;
	s->ctx = ctx;
	s->fd = socket_path != NULL ? listen_unix(socket_path) : listen_loopback(&s->port);
	if (listen(s->fd, 64) != 0 || pthread_create(&s->thread, NULL, listen_on, s) != 0)
		abort();
	return s;
}

int small_server_port(const struct small_server *s) { return s->port; }

void small_server_stop(struct small_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	free(s->request);
	free(s->answer);
	free(s);
}

void small_answer(char *to, size_t size, const char *status, const char *more, const char *body)
{
	snprintf(to, size, "HTTP/1.1 %s\r\n%sContent-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status, more, strlen(body), body);
}
