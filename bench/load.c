/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/load: thousands of inference nodes on loopback, each with an address of its own (127.1.0.1, 127.1.0.2, ...) and all on one port, in one
 * thread. It says the port on standard output ("port N") when it is ready. SIGUSR1 begins a window; SIGUSR2 ends it and prints what was
 * asked and missed, how late, and what it cost itself, one "name value unit" a line, "window 1 closed" at last.
 *
 * Arguments: nodes, series a node, interval in seconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "bench/load_address.h"
#include "bench/load_page.h"
#include "bench/load_truth.h"

enum { HEAD_BYTES = 256, REQUEST_MAX = 8192, EVENTS = 256, TRIES = 50, BACKLOG = 64, SEND_BYTES = 1 << 20 };

/* A listening socket, or a connection to one. */
struct end {
	int     fd;
	bool    is_listener, wants_out;
	size_t  node;
	char   *rest;             /* of an answer, where the socket did not take it whole */
	size_t  rest_at, rest_len;
	size_t  n_request;
	char    request[];        /* REQUEST_MAX, of a connection */
};

struct load {
	int                epoll, signals;
	size_t             nodes;
	int64_t            interval_us;
	struct page       *page;
	struct page_node **node;
	int64_t           *asked_us; /* when each node was asked last */
	struct truth      *truth;
	char              *answer;   /* HEAD_BYTES, and a page */
	uint64_t           series, total_asked;
	double             cpu_s;    /* when the window began */
};

static void give_up(const char *what)
{
	fprintf(stderr, "load: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void) { return clock_mono_us(clock_system()); }

static double own_cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- sockets ---- */

static struct end *end_new(struct load *l, int fd, size_t node, bool is_listener)
{
	struct end *e = calloc(1, sizeof *e + (is_listener ? 0 : REQUEST_MAX + 1));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = e };
	if (e == NULL || epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		give_up("watch a socket");
	e->fd = fd;
	e->node = node;
	e->is_listener = is_listener;
	return e;
}

static void end_free(struct end *e)
{
	close(e->fd);
	free(e->rest);
	free(e);
}

static int listen_at(size_t node, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(load_address(node)) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		give_up("make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&to, sizeof to) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof a;
	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		give_up("find the port");
	return ntohs(a.sin_port);
}

/* A port that is free at all addresses: one that the kernel chose for the first, if the others have it too. */
static uint16_t listen_at_all(struct load *l)
{
	int *fds = calloc(l->nodes, sizeof *fds);
	if (fds == NULL)
		give_up("listen");
	for (int tries = 0; tries < TRIES; tries++) {
		uint16_t port = 0;
		size_t   n = 0;
		for (; n < l->nodes && (fds[n] = listen_at(n, port)) >= 0; n++)
			port = port_of(fds[n]);
		for (size_t i = 0; n == l->nodes && i < n; i++)
			end_new(l, fds[i], i, true);
		if (n == l->nodes) {
			free(fds);
			return port;
		}
		if (errno != EADDRINUSE)
			give_up("listen");
		while (n > 0)
			close(fds[--n]);
	}
	give_up("find a port that is free at all addresses");
	return 0;
}

static void take_connection(struct load *l, const struct end *listener)
{
	int fd, one = 1, bytes = SEND_BYTES;
	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
		end_new(l, fd, listener->node, false);
	}
}

/* ---- requests ---- */

static bool watch_out(struct load *l, struct end *e, bool wants)
{
	struct epoll_event ev = { .events = EPOLLIN | (wants ? (uint32_t)EPOLLOUT : 0), .data.ptr = e };
	if (e->wants_out != wants && epoll_ctl(l->epoll, EPOLL_CTL_MOD, e->fd, &ev) != 0)
		return false;
	e->wants_out = wants;
	return true;
}

/* False: the connection is over. */
static bool send_all(struct load *l, struct end *e, const char *bytes, size_t n)
{
	ssize_t sent = send(e->fd, bytes, n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return false;
	size_t done = sent < 0 ? 0 : (size_t)sent;
	if (done == n)
		return true;
	e->rest = malloc(n - done);
	if (e->rest == NULL)
		return false;
	memcpy(e->rest, bytes + done, n - done);
	e->rest_at = 0;
	e->rest_len = n - done;
	return watch_out(l, e, true);
}

static bool send_rest(struct load *l, struct end *e)
{
	ssize_t sent = send(e->fd, e->rest + e->rest_at, e->rest_len - e->rest_at, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN;
	e->rest_at += (size_t)sent;
	if (e->rest_at < e->rest_len)
		return true;
	free(e->rest);
	e->rest = NULL;
	return watch_out(l, e, false);
}

static bool answer_metrics(struct load *l, struct end *e)
{
	char    head[HEAD_BYTES], *body = l->answer + HEAD_BYTES;
	int64_t now = now_us();
	double  seconds = (double)(now - l->asked_us[e->node]) / 1e6;
	truth_asked(l->truth, e->node, now);
	l->asked_us[e->node] = now;
	l->total_asked++;
	size_t len = page_render(l->page, l->node[e->node], seconds, body);
	int    n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %zu\r\n\r\n", len);
	memcpy(body - n, head, (size_t)n);
	return send_all(l, e, body - n, (size_t)n + len);
}

static bool answer(struct load *l, struct end *e)
{
	static const char nothing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", wanted[] = "GET /metrics ";
	if (strncmp(e->request, wanted, sizeof wanted - 1) == 0)
		return answer_metrics(l, e);
	return send_all(l, e, nothing, sizeof nothing - 1);
}

/* Requests have no bodies. While an answer is still being sent, the next one waits. */
static bool answer_all(struct load *l, struct end *e)
{
	char *end;
	while (e->rest == NULL && (end = strstr(e->request, "\r\n\r\n")) != NULL) {
		if (!answer(l, e))
			return false;
		e->n_request -= (size_t)(end + 4 - e->request);
		memmove(e->request, end + 4, e->n_request + 1);
	}
	return e->n_request < REQUEST_MAX;
}

static bool take_requests(struct load *l, struct end *e)
{
	ssize_t got = recv(e->fd, e->request + e->n_request, REQUEST_MAX - e->n_request, 0);
	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	e->n_request += (size_t)got;
	e->request[e->n_request] = '\0';
	return answer_all(l, e);
}

static void on_event(struct load *l, struct end *e, uint32_t events)
{
	bool lives = true;
	if (e->is_listener) {
		take_connection(l, e);
		return;
	}
	if (e->rest != NULL)
		lives = (events & (EPOLLERR | EPOLLHUP)) == 0 && ((events & EPOLLOUT) == 0 || (send_rest(l, e) && answer_all(l, e)));
	else
		lives = take_requests(l, e);
	if (!lives)
		end_free(e);
}

/* ---- the window ---- */

static void report(const struct load *l)
{
	struct truth_report r;
	if (!truth_report(l->truth, now_us(), &r))
		give_up("report");
	double cpu = own_cpu() - l->cpu_s, samples = (double)r.asked * (double)l->series;
	printf("asked %llu scrapes\nexpected %llu scrapes\nmissed %llu scrapes\nextra %llu scrapes\n", (unsigned long long)r.asked,
	       (unsigned long long)r.expected, (unsigned long long)r.missed, (unsigned long long)r.extra);
	printf("late_p50 %.2f ms\nlate_p99 %.2f ms\nlate_max %.2f ms\n", r.late_p50_ms, r.late_p99_ms, r.late_max_ms);
	printf("load_cpu %.3f s/Msamples\nasked_in_all %llu scrapes\n%swindow 1 closed\n", samples > 0 ? cpu / samples * 1e6 : 0, (unsigned long long)l->total_asked,
	       r.is_cut ? "cut 1 yes\n" : "");
	fflush(stdout);
}

/* False: it is to end. */
static bool on_signal(struct load *l)
{
	struct signalfd_siginfo info;
	if (read(l->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return true;
	if (info.ssi_signo == SIGUSR1) {
		truth_begin(l->truth, now_us());
		l->cpu_s = own_cpu();
	} else if (info.ssi_signo == SIGUSR2) {
		report(l);
	}
	return info.ssi_signo == SIGUSR1 || info.ssi_signo == SIGUSR2;
}

static void run(struct load *l)
{
	struct epoll_event events[EVENTS];
	for (bool goes_on = true; goes_on;) {
		int n = epoll_wait(l->epoll, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			give_up("wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				goes_on = on_signal(l);
			else
				on_event(l, events[i].data.ptr, events[i].events);
		}
	}
}

/* ---- the beginning ---- */

static void watch_signals(struct load *l)
{
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signals < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->signals, &ev) != 0)
		give_up("watch signals");
}

static void make_nodes(struct load *l)
{
	struct why why = { "" };
	if (page_new((size_t)l->series, &l->page, &why) != ERR_OK) {
		fprintf(stderr, "load: %s\n", why.text);
		exit(2);
	}
	l->node = calloc(l->nodes, sizeof(struct page_node *));
	l->asked_us = calloc(l->nodes, sizeof *l->asked_us);
	l->truth = truth_new(l->nodes, l->interval_us);
	l->answer = malloc(HEAD_BYTES + page_bytes_max(l->page));
	if (l->node == NULL || l->asked_us == NULL || l->truth == NULL || l->answer == NULL)
		give_up("make the nodes");
	for (size_t i = 0; i < l->nodes; i++) {
		l->node[i] = page_node_new(l->page, i);
		l->asked_us[i] = now_us();
		if (l->node[i] == NULL)
			give_up("make the nodes");
	}
	truth_begin(l->truth, now_us());
}

static int64_t argument(int argc, char **argv, int at, int64_t most, int64_t otherwise)
{
	int64_t v = otherwise;
	if (argc > at && parse_i64(argv[at], 1, most, &v) != ERR_OK) {
		fprintf(stderr, "load: '%s' is no number from 1 to %lld; usage: load [NODES [SERIES [SECONDS]]]\n", argv[at], (long long)most);
		exit(2);
	}
	return v;
}

int main(int argc, char **argv)
{
	struct load l = { .nodes = (size_t)argument(argc, argv, 1, LOAD_NODES_MAX, 1000),
		          .series = (uint64_t)argument(argc, argv, 2, PAGE_SERIES_MAX, 500),
		          .interval_us = argument(argc, argv, 3, 3600, 5) * 1000000 };
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.epoll < 0)
		give_up("make an epoll set");
	watch_signals(&l);
	make_nodes(&l);
	printf("port %d\n", listen_at_all(&l));
	fflush(stdout);
	run(&l);
	return 0;
}
