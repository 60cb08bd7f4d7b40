/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/raw_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUEST_MAX = 65536 };

struct raw_server {
	int             fd, port, n;
	bool            is_ending;
	pthread_t       thread;
	pthread_mutex_t lock;
	char            last[8192];
	struct connection {
		struct raw_server *s;
		pthread_t          thread;
		int                fd;
	} all[CONNECTIONS_MAX];
};

static bool put(int fd, const void *bytes, size_t n)
{
	for (const char *p = bytes; n > 0;) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool puts_to(int fd, const char *text) { return put(fd, text, strlen(text)); }

static bool answer(int fd, const char *status, const char *extra, const char *body)
{
	char head[1024];
	snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\n%sContent-Length: %zu\r\n\r\n", status, extra,
	         strlen(body));
	return puts_to(fd, head) && puts_to(fd, body);
}

/* Waits; false when the server ends or the other side has gone. */
static bool pause_ms(struct connection *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	return poll(&p, 1, ms) == 0 && !c->s->is_ending;
}

static bool endless(struct connection *c)
{
	if (!puts_to(c->fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"))
		return false;
	char chunk[4096 + 16];
	int  head = snprintf(chunk, sizeof chunk, "%x\r\n", 4096);
	for (int i = 0; i < 1024; i++)
		memcpy(chunk + head + (size_t)i * 4, "a 1\n", 4);
	memcpy(chunk + head + 4096, "\r\n", 2);
	while (put(c->fd, chunk, (size_t)head + 4096 + 2))
		;
	return false;
}

static bool drip(struct connection *c)
{
	if (!puts_to(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
		return false;
	while (pause_ms(c, 50) && puts_to(c->fd, "#"))
		;
	return false;
}

static bool flood(struct connection *c)
{
	if (!puts_to(c->fd, "HTTP/1.1 200 OK\r\n"))
		return false;
	while (puts_to(c->fd, "X-Much: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"))
		;
	return false;
}

/* A gzip stream made by hand: one block of fixed codes, "\n", then copies of 258 bytes at distance 1 (13 bits each), for about 64 MiB.
 * Source: RFC 1951, 3.2.6. */
static bool bomb(struct connection *c)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	enum { COPIES = 260000 };
	size_t         size = sizeof gzip + COPIES * 13 / 8 + 16, bit = 0;
	unsigned char *data = calloc(1, size);
	if (data == NULL)
		return false;
	memcpy(data, gzip, sizeof gzip);
	/* most significant bit of a code first, into the least significant free bit */
#define CODE(value, bits)                                                                   \
	for (int b = (bits) - 1; b >= 0; b--, bit++)                                         \
		data[sizeof gzip + bit / 8] = (unsigned char)(data[sizeof gzip + bit / 8] | (((value) >> b & 1) << bit % 8))
	CODE(1, 1);          /* the last block */
	CODE(2, 2);          /* fixed codes: 01, its low bit first */
	CODE(0x30 + '\n', 8);
	for (int i = 0; i < COPIES; i++) {
		CODE(0xc5, 8); /* symbol 285: length 258 */
		CODE(0, 5);    /* distance 1 */
	}
#undef CODE
	char head[256];
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", size);
	if (puts_to(c->fd, head))
		put(c->fd, data, size);
	free(data);
	return false;
}

static const char authorized[] = "Authorization: Bearer s3cret\r\n";
static const char basic[] = "Authorization: Basic dXNlcjpwYXNz\r\n"; /* user:pass */

static bool is_path(const char *request, const char *path)
{
	size_t n = strlen(path);
	return strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, path, n) == 0 && request[4 + n] == ' ';
}

/* True: the connection is kept. */
static bool serve(struct connection *c, const char *request)
{
	int fd = c->fd;
	if (is_path(request, "/ok"))
		return answer(fd, "200 OK", "", "a{x=\"1\"} 1\nb 2\n");
	if (is_path(request, "/once"))
		return answer(fd, "200 OK", "", "a 1\n") && false;
	if (is_path(request, "/stray"))
		return answer(fd, "200 OK", "", "a 1\n") && pause_ms(c, 20) && puts_to(fd, "stray");
	if (is_path(request, "/malformed"))
		return answer(fd, "200 OK", "", "a 1\nb x\n");
	if (is_path(request, "/endless"))
		return endless(c);
	if (is_path(request, "/huge"))
		return puts_to(fd, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\na 1\n") && pause_ms(c, 10000);
	if (is_path(request, "/drip"))
		return drip(c);
	if (is_path(request, "/silent"))
		return pause_ms(c, 60000);
	if (is_path(request, "/flood"))
		return flood(c);
	if (is_path(request, "/bomb"))
		return bomb(c);
	if (is_path(request, "/short"))
		return puts_to(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n") && false;
	if (is_path(request, "/hangup"))
		return false;
	if (is_path(request, "/noise"))
		return puts_to(fd, "SSH-2.0-OpenSSH_9.2\r\n") && false;
	if (is_path(request, "/redirect"))
		return answer(fd, "302 Found", "Location: /ok\r\n", "");
	if (is_path(request, "/bearer"))
		return answer(fd, strstr(request, authorized) != NULL ? "200 OK" : "401 Unauthorized", "", "a 1\n");
	if (is_path(request, "/basic"))
		return answer(fd, strstr(request, basic) != NULL ? "200 OK" : "403 Forbidden", "", "a 1\n");
	if (is_path(request, "/broken"))
		return answer(fd, "503 Service Unavailable", "", "loading\n");
	return answer(fd, "404 Not Found", "", "no such path\n");
}

static void *converse(void *ctx)
{
	struct connection *c = ctx;
	char              *request = malloc(REQUEST_MAX + 1);
	size_t             len = 0;
	for (ssize_t n; request != NULL && (n = recv(c->fd, request + len, REQUEST_MAX - len, 0)) > 0;) {
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n") == NULL && len < REQUEST_MAX)
			continue;
		pthread_mutex_lock(&c->s->lock);
		snprintf(c->s->last, sizeof c->s->last, "%s", request);
		pthread_mutex_unlock(&c->s->lock);
		if (!serve(c, request))
			break;
		len = 0;
	}
	free(request);
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void *listen_on(void *ctx)
{
	struct raw_server *s = ctx;
	for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
		pthread_mutex_lock(&s->lock);
		if (s->n == CONNECTIONS_MAX || s->is_ending) {
			pthread_mutex_unlock(&s->lock);
			close(fd);
			continue;
		}
		struct connection *c = &s->all[s->n];
		*c = (struct connection){ .s = s, .fd = fd };
		if (pthread_create(&c->thread, NULL, converse, c) == 0)
			s->n++;
		else
			close(fd);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

struct raw_server *raw_server_start(void)
{
	struct raw_server *s = calloc(1, sizeof *s);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof a;
	if (s == NULL)
		abort();
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(s->fd, 64) != 0 ||
	    getsockname(s->fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	s->port = ntohs(a.sin_port);
	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&s->thread, NULL, listen_on, s) != 0)
		abort();
	return s;
}

void raw_server_stop(struct raw_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	shutdown(s->fd, SHUT_RDWR);
	for (int i = 0; i < s->n; i++)
		shutdown(s->all[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < s->n; i++) {
		pthread_join(s->all[i].thread, NULL);
		close(s->all[i].fd);
	}
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int raw_server_port(const struct raw_server *s) { return s->port; }

int raw_server_connections(struct raw_server *s)
{
	pthread_mutex_lock(&s->lock);
	int n = s->n;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void raw_server_last(struct raw_server *s, char *to, unsigned long size)
{
	pthread_mutex_lock(&s->lock);
	snprintf(to, size, "%s", s->last);
	pthread_mutex_unlock(&s->lock);
}
