/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NODES_MAX = 64, PAIRS_MAX = 256, PIECE = 65536, BACKLOG = 32 };

struct pair {
	int  ends[2]; /* who connected, where it goes */
	bool is_up;   /* the last bytes went up */
};

static struct relay_counts *counts; /* shared with the relay */

static void give_up(const char *what)
{
	fprintf(stderr, "bench: the relay cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

struct relay_counts relay_counts(void)
{
	return *counts;
}

static int listen_at(int node, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	a.sin_addr.s_addr = htonl(0x7f000900u | (uint32_t)node);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(fd, BACKLOG) != 0)
		give_up("listen");
	return fd;
}

static bool send_all(int fd, const char *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, bytes + at, n - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		at += (size_t)sent;
	}
	return true;
}

/* False: one of the ends is gone. */
static bool carry(struct pair *p, int from)
{
	static char bytes[PIECE];
	ssize_t n = recv(p->ends[from], bytes, sizeof bytes, 0);
	if (n <= 0)
		return false;
	if (from == 0) {
		counts->up += (uint64_t)n;
	} else {
		counts->down += (uint64_t)n;
		counts->turns += p->is_up;
	}
	p->is_up = from == 0;
	return send_all(p->ends[1 - from], bytes, (size_t)n);
}

static bool take(struct pair *p, int listener, const struct sockaddr_in *to)
{
	p->is_up = false;
	p->ends[0] = accept(listener, NULL, NULL);
	p->ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->ends[0] >= 0 && p->ends[1] >= 0 && connect(p->ends[1], (const struct sockaddr *)to, sizeof *to) == 0)
		return true;
	close(p->ends[0]);
	close(p->ends[1]);
	return false;
}

/* Bytes wait nowhere: each read is written before the next. */
static void run(const int *listeners, const struct sockaddr_in *to, int n)
{
	static struct pair pairs[PAIRS_MAX];
	static struct pollfd polled[NODES_MAX + 2 * PAIRS_MAX];
	int n_pairs = 0;
	for (;;) {
		for (int i = 0; i < n; i++)
			polled[i] = (struct pollfd){ .fd = listeners[i], .events = POLLIN };
		for (int i = 0; i < 2 * n_pairs; i++)
			polled[n + i] = (struct pollfd){ .fd = pairs[i / 2].ends[i % 2], .events = POLLIN };
		if (poll(polled, (nfds_t)(n + 2 * n_pairs), -1) < 0)
			continue;
		int had = n_pairs;
		for (int i = 0; i < n && n_pairs < PAIRS_MAX; i++)
			if (polled[i].revents != 0)
				n_pairs += take(&pairs[n_pairs], listeners[i], &to[i]);
		for (int i = had - 1; i >= 0; i--) { /* from the last, since one that ends gives its place to the last */
			bool lives = true;
			for (int end = 0; end < 2 && lives; end++)
				if (polled[n + 2 * i + end].revents != 0)
					lives = carry(&pairs[i], end);
			if (lives)
				continue;
			close(pairs[i].ends[0]);
			close(pairs[i].ends[1]);
			pairs[i] = pairs[--n_pairs];
		}
	}
}

static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	int fd = listen_at(1, 0);
	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		give_up("find a port");
	close(fd);
	return ntohs(a.sin_port);
}

int relay_start(const struct sockaddr_in *to, int n)
{
	int port = free_port(), listeners[NODES_MAX];
	pid_t parent = getpid();
	if (n > NODES_MAX)
		give_up("carry that many");
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		give_up("count");
	for (int i = 0; i < n; i++)
		listeners[i] = listen_at(i + 1, port);
	pid_t pid = fork();
	if (pid < 0)
		give_up("begin");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		run(listeners, to, n);
	}
	for (int i = 0; i < n; i++)
		close(listeners[i]);
	return port;
}
