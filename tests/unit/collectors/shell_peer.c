/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/shell_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { DEADLINE_MS = 60000 };

size_t shell_peer_request_bytes;

static bool find_program(const char *name, char *path, size_t size)
{
	static const char *const folders[] = { "/usr/bin", "/bin", "/usr/local/bin" };
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, size, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void link_tool(const struct shell_peer *s, const char *target, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", s->folder, name);
	assert_int_equal(symlink(target, path), 0);
}

bool shell_peer_init(struct shell_peer *s, const char *shell)
{
	static const char *const applets[] = { "cat", "date", "df", "grep", "head", "id", "printf", "sed", "sleep", "stat", "timeout", "tr",
	                                       "true", "uname", "yes" };
	char target[256];
	const char *tmp = getenv("TMPDIR");
	memset(s, 0, sizeof *s);
	if (!find_program(shell, target, sizeof target))
		return false;
	snprintf(s->folder, sizeof s->folder, "%s/pitwall-peer-XXXXXX", tmp != NULL && strlen(tmp) < 200 ? tmp : "/tmp");
	assert_non_null(mkdtemp(s->folder));
	s->to = s->from = -1;
	s->is_busybox = strcmp(shell, "busybox") == 0;
	link_tool(s, target, "sh");
	for (size_t i = 0; s->is_busybox && i < sizeof applets / sizeof applets[0]; i++)
		link_tool(s, target, applets[i]);
	return true;
}

void shell_peer_release(struct shell_peer *s)
{
	shell_peer_stop(s);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", s->folder, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

void shell_peer_tool(const struct shell_peer *s, const char *name, const char *script)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", s->folder, name);
	FILE *f = fopen(path, "w");
	assert_row(path, f != NULL);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

static void run_login_shell(const struct shell_peer *s, const char *login, const char *command)
{
	char path[4096], own[512];
	const char *old = getenv("PATH");
	snprintf(path, sizeof path, "%s:%s", s->folder, old != NULL ? old : "/usr/bin:/bin");
	setenv("PATH", path, 1);
	unsetenv("LC_ALL");
	setenv("LANG", "C.UTF-8", 1);
	snprintf(own, sizeof own, "%s/sh", s->folder);
	if (strcmp(login, "sh") == 0)
		execl(own, "sh", "-c", command, (char *)NULL);
	execlp(login, login, "-c", command, (char *)NULL);
	_exit(127);
}

void shell_peer_start(struct shell_peer *s, const char *login, const char *command)
{
	int in[2], out[2];
	shell_peer_stop(s);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(out[1], 2);
		run_login_shell(s, login, command);
	}
	close(in[0]);
	close(out[1]);
	s->to = in[1];
	s->from = out[0];
}

void shell_peer_stop(struct shell_peer *s)
{
	if (s->pid == 0)
		return;
	close(s->to);
	close(s->from);
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

static void send_request(struct shell_peer *s, struct gather *g)
{
	struct buf request;
	struct why why = { "" };
	buf_init(&request, GATHER_REQUEST_MAX);
	if (gather_request(g, &request, &why) != ERR_OK)
		fail_msg("gather_request: %s", why.text);
	shell_peer_request_bytes = request.len;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	sigaction(SIGPIPE, &ignore, &old); /* it may have ended: that is then read */
	for (size_t at = 0; at < request.len;) {
		ssize_t n = write(s->to, request.data + at, request.len - at);
		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	sigaction(SIGPIPE, &old, NULL);
	buf_release(&request);
}

static enum gather_state feed(struct gather *g, const char *bytes, size_t n, size_t piece, struct why *why)
{
	enum gather_state state = GATHER_MORE;
	for (size_t at = 0; at < n && state == GATHER_MORE; at += piece)
		state = gather_feed(g, bytes + at, n - at < piece ? n - at : piece, why);
	return state;
}

enum gather_state shell_peer_gather(struct shell_peer *s, struct gather *g, size_t piece, struct why *why)
{
	static char bytes[65536];
	int64_t deadline_ms = clock_mono_ms(clock_system()) + DEADLINE_MS;
	send_request(s, g);
	for (;;) {
		struct pollfd p = { .fd = s->from, .events = POLLIN };
		int64_t left_ms = deadline_ms - clock_mono_ms(clock_system());
		if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
			fail_msg("the shell did not answer in time");
		ssize_t n = read(s->from, bytes, sizeof bytes);
		if (n <= 0) {
			gather_closed(g, why);
			return GATHER_MORE;
		}
		enum gather_state state = feed(g, bytes, (size_t)n, piece != 0 ? piece : (size_t)n, why);
		if (state != GATHER_MORE)
			return state;
	}
}
