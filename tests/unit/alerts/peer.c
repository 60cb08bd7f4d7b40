/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/alerts/peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUESTS_MAX = 256, REQUEST_BYTES = 1 << 16, POLL_MS = 20 };

struct peer {
	int                 fd, port, n_connections;
	bool                is_smtp;
	struct smtp_manners manners;
	pthread_t           thread;
	pthread_mutex_t     lock;
	bool                is_ending; /* under the lock, as all below */
	char               *requests[REQUESTS_MAX];
	size_t              n_requests;
	int                 n_seen; /* requests, answered or not */
	struct connection {
		struct peer *p;
		pthread_t    thread;
		int          fd;
	} all[CONNECTIONS_MAX];
};

static bool is_ending(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	bool yes = p->is_ending;
	pthread_mutex_unlock(&p->lock);
	return yes;
}

static int count_seen(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	int n = p->n_seen++;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void keep(struct peer *p, const char *text)
{
	pthread_mutex_lock(&p->lock);
	if (p->n_requests < REQUESTS_MAX)
		p->requests[p->n_requests++] = strdup(text);
	pthread_mutex_unlock(&p->lock);
}

/* More bytes behind `*n`; false when the other side has gone, or all ends. */
static bool read_more(struct connection *c, char *to, size_t *n)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	while (!is_ending(c->p)) {
		if (poll(&p, 1, POLL_MS) <= 0)
			continue;
		ssize_t got = recv(c->fd, to + *n, REQUEST_BYTES - 1 - *n, 0);
		if (got <= 0)
			return false;
		*n += (size_t)got;
		to[*n] = '\0';
		return *n < REQUEST_BYTES - 1;
	}
	return false;
}

static bool say(struct connection *c, const char *text)
{
	return send(c->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* ---- HTTP ---- */

static void answer(struct connection *c, int status, const char *extra)
{
	char text[512];
	snprintf(text, sizeof text, "HTTP/1.1 %d Said\r\n%sContent-Length: 6\r\nContent-Type: text/plain\r\n\r\nbecaus", status, extra);
	say(c, text);
}

static void tear_down(struct connection *c)
{
	struct linger now = { .l_onoff = 1 };
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	shutdown(c->fd, SHUT_RD);
}

static bool react(struct connection *c, const char *path)
{
	int n = count_seen(c->p);
	char *end;
	long number = strncmp(path, "/status/", 8) == 0 ? strtol(path + 8, &end, 10) : 0;
	if (number != 0) {
		answer(c, (int)number, "");
	} else if (strncmp(path, "/fail/", 6) == 0) {
		answer(c, n < strtol(path + 6, &end, 10) ? 500 : 200, "");
	} else if (strncmp(path, "/reset/", 7) == 0 && n < strtol(path + 7, &end, 10)) {
		tear_down(c);
		return false;
	} else if (strncmp(path, "/later", 6) == 0 && n == 0) {
		answer(c, 429, "Retry-After: 1\r\n");
	} else if (strncmp(path, "/hang", 5) != 0) {
		answer(c, 200, "");
	}
	return true;
}

static void serve_http(struct connection *c)
{
	char *text = malloc(REQUEST_BYTES);
	size_t n = 0;
	text[0] = '\0';
	for (;;) {
		char *head_end, path[256] = "";
		while ((head_end = strstr(text, "\r\n\r\n")) == NULL)
			if (!read_more(c, text, &n))
				goto out;
		const char *length = strcasestr(text, "\r\nContent-Length:");
		size_t head = (size_t)(head_end - text) + 4, body = length != NULL && length < head_end ? strtoul(length + 17, NULL, 10) : 0;
		while (n < head + body)
			if (!read_more(c, text, &n))
				goto out;
		keep(c->p, text);
		const char *at = strchr(text, ' ');
		if (at == NULL || sscanf(at + 1, "%255s", path) != 1 || !react(c, path))
			goto out;
		n = 0;
		text[0] = '\0';
	}
out:
	free(text);
}

/* ---- SMTP (RFC 5321) ---- */

static bool read_line(struct connection *c, char *text, size_t *n, char *line, size_t size)
{
	char *end;
	while ((end = strstr(text, "\r\n")) == NULL)
		if (!read_more(c, text, n))
			return false;
	snprintf(line, size, "%.*s", (int)(end - text), text);
	*n -= (size_t)(end + 2 - text);
	memmove(text, end + 2, *n + 1);
	return true;
}

/* A message up to its lone dot, behind who it is for. */
static bool take_message(struct connection *c, char *text, size_t *n, char *mail, size_t size)
{
	char line[2048];
	if (!say(c, "354 go on\r\n"))
		return false;
	while (read_line(c, text, n, line, sizeof line)) {
		if (strcmp(line, ".") == 0) {
			keep(c->p, mail);
			return say(c, "250 taken\r\n");
		}
		size_t at = strlen(mail);
		snprintf(mail + at, size - at, "%s\n", line[0] == '.' ? line + 1 : line);
	}
	return false;
}

static bool react_smtp(struct connection *c, const char *line, bool *is_known, char *mail, size_t size)
{
	const struct smtp_manners *m = &c->p->manners;
	size_t at = strlen(mail);
	if (strncasecmp(line, "EHLO", 4) == 0)
		return say(c, m->knows_auth ? "250-peer\r\n250 AUTH PLAIN\r\n" : "250 peer\r\n");
	if (strncasecmp(line, "AUTH PLAIN", 10) == 0) {
		if (line[10] == '\0')
			return say(c, "334 \r\n");
		snprintf(mail + at, size - at, "%s\n", line);
		*is_known = true;
		return say(c, "235 fine\r\n");
	}
	if (strncasecmp(line, "MAIL", 4) == 0 && m->knows_auth && !*is_known)
		return say(c, "530 who are you\r\n");
	if (strncasecmp(line, "MAIL", 4) == 0 || strncasecmp(line, "RCPT", 4) == 0) {
		snprintf(mail + at, size - at, "%s\n", line);
		if (line[0] == 'R' && m->rcpt_reply != NULL)
			return say(c, m->rcpt_reply);
		return say(c, "250 ok\r\n");
	}
	if (line[0] != '\0' && strncasecmp(line, "QUIT", 4) != 0 && strncasecmp(line, "RSET", 4) != 0) {
		snprintf(mail + at, size - at, "%s\n", line); /* what answers a 334 */
		*is_known = true;
		return say(c, "235 fine\r\n");
	}
	say(c, "221 bye\r\n");
	return strncasecmp(line, "QUIT", 4) != 0;
}

static void serve_smtp(struct connection *c)
{
	char *text = malloc(REQUEST_BYTES), *mail = malloc(REQUEST_BYTES), line[2048];
	size_t n = 0;
	bool is_known = false;
	text[0] = mail[0] = '\0';
	if (count_seen(c->p) < c->p->manners.fail_first) {
		say(c, "421 not now\r\n");
		goto out;
	}
	say(c, "220 peer\r\n");
	while (read_line(c, text, &n, line, sizeof line)) {
		bool goes_on = strcasecmp(line, "DATA") == 0 ? take_message(c, text, &n, mail, REQUEST_BYTES) : react_smtp(c, line, &is_known, mail, REQUEST_BYTES);
		if (!goes_on)
			break;
	}
out:
	free(text);
	free(mail);
}

/* ---- threads ---- */

static void *serve(void *arg)
{
	struct connection *c = arg;
	if (c->p->is_smtp)
		serve_smtp(c);
	else
		serve_http(c);
	close(c->fd);
	return NULL;
}

static void *listen_on(void *arg)
{
	struct peer *p = arg;
	struct pollfd poll_for = { .fd = p->fd, .events = POLLIN };
	while (!is_ending(p)) {
		if (poll(&poll_for, 1, POLL_MS) <= 0 || p->n_connections == CONNECTIONS_MAX)
			continue;
		struct connection *c = &p->all[p->n_connections];
		c->p = p;
		c->fd = accept(p->fd, NULL, NULL);
		if (c->fd >= 0 && pthread_create(&c->thread, NULL, serve, c) == 0)
			p->n_connections++;
	}
	return NULL;
}

static struct peer *start(bool is_smtp, const struct smtp_manners *m)
{
	struct peer *p = calloc(1, sizeof *p);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	p->is_smtp = is_smtp;
	if (m != NULL)
		p->manners = *m;
	pthread_mutex_init(&p->lock, NULL);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(p->fd, 64) != 0 ||
	    getsockname(p->fd, (struct sockaddr *)&at, &size) != 0 || pthread_create(&p->thread, NULL, listen_on, p) != 0)
		abort();
	p->port = ntohs(at.sin_port);
	return p;
}

struct peer *peer_http_start(void) { return start(false, NULL); }
struct peer *peer_smtp_start(const struct smtp_manners *m) { return start(true, m); }
int          peer_port(const struct peer *p) { return p->port; }

void peer_stop(struct peer *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_ending = true;
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	for (int i = 0; i < p->n_connections; i++)
		pthread_join(p->all[i].thread, NULL);
	close(p->fd);
	for (size_t i = 0; i < p->n_requests; i++)
		free(p->requests[i]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

size_t peer_count(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->n_requests;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void peer_request(struct peer *p, size_t i, char *to, size_t size)
{
	pthread_mutex_lock(&p->lock);
	snprintf(to, size, "%s", i < p->n_requests ? p->requests[i] : "");
	pthread_mutex_unlock(&p->lock);
}
