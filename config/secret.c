/* SPDX-License-Identifier: Apache-2.0
 *
 * A secret is read straight into pages of its own (mmap): they are locked, kept out of core dumps and of forked children, and wiped
 * before they are given back. No copy goes through stdio or a struct buf, which would leave pieces behind when they grow. */
#include "config/secret.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for a secret of SECRET_MAX bytes, a byte more to see that it is longer, and a NUL. */
static enum err take_pages(struct secret *s, struct why *why)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (SECRET_MAX + 2 + 2 + page - 1) / page * page;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return why_memory(why);
	/* Each of these may be refused (RLIMIT_MEMLOCK, an old kernel): the secret is then merely as safe as other memory. */
	(void)mlock(at, size);
	(void)madvise(at, size, MADV_DONTDUMP);
	(void)madvise(at, size, MADV_DONTFORK);
	*s = (struct secret){ .text = at, .mapped = size };
	return ERR_OK;
}

void secret_release(struct secret *s)
{
	if (s->text != NULL) {
		explicit_bzero(s->text, s->mapped);
		munlock(s->text, s->mapped);
		munmap(s->text, s->mapped);
	}
	*s = (struct secret){ 0 };
}

/* What one read() may still take: up to two bytes past the limit, for a line end and to see an excess. */
static size_t room(const struct secret *s)
{
	return SECRET_MAX + 2 + 1 - s->len;
}

static enum err finish(struct secret *s, const char *what, const char *name, struct why *why)
{
	if (s->len > 0 && s->text[s->len - 1] == '\n')
		s->len--;
	if (s->len > 0 && s->text[s->len - 1] == '\r')
		s->len--;
	s->text[s->len] = '\0';
	if (s->len == 0)
		return why_set(why, ERR_FORMAT, "the secret from %s '%s' is empty", what, name);
	if (s->len > SECRET_MAX)
		return why_set(why, ERR_LIMIT, "the secret from %s '%s' is longer than %d bytes", what, name, SECRET_MAX);
	for (size_t i = 0; i < s->len; i++) {
		if (s->text[i] == '\n' || s->text[i] == '\r' || s->text[i] == '\0')
			return why_set(why, ERR_FORMAT, "the secret from %s '%s' is more than one line", what, name);
	}
	return ERR_OK;
}

static enum err from_env(const struct secret_source *from, struct secret *s, struct why *why)
{
	const char *value = getenv(from->name);
	if (value == NULL)
		return why_set(why, ERR_NOT_FOUND, "the environment has no variable '%s' for the secret", from->name);
	size_t n = strlen(value);
	if (n > room(s))
		n = room(s);
	memcpy(s->text, value, n);
	s->len = n;
	return finish(s, "variable", from->name, why);
}

static enum err from_file(const struct secret_source *from, struct secret *s, struct why *why)
{
	struct stat st;
	int fd = open(from->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return why_errno(why, errno, "cannot open secret file '%s'", from->name);
	enum err e = ERR_OK;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = why_set(why, ERR_UNSUPPORTED, "secret file '%s' is not a regular file", from->name);
	while (e == ERR_OK && room(s) > 0) {
		ssize_t n = read(fd, s->text + s->len, room(s));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = why_errno(why, errno, "cannot read secret file '%s'", from->name);
		if (n <= 0)
			break;
		s->len += (size_t)n;
	}
	close(fd);
	return e == ERR_OK ? finish(s, "file", from->name, why) : e;
}

/* ---- commands ---- */

/* Starts the command in a process group of its own with /dev/null as its input and error output, and the pipe as its output. */
static enum err start(const struct secret_source *from, int pipe_write, pid_t *pid, struct why *why)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	if (posix_spawn_file_actions_init(&files) != 0)
		return why_memory(why);
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return why_memory(why);
	}
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, pipe_write, 1);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	/* posix_spawnp's type has no const; it does not write to the words. */
	union {
		const char *const *lent;
		char *const       *words;
	} argv = { .lent = from->argv };
	int failed = posix_spawnp(pid, from->argv[0], &files, &attributes, argv.words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return failed != 0 ? why_errno(why, failed, "cannot run secret command '%s'", from->argv[0]) : ERR_OK;
}

/* Collects output until its end. ERR_TIMEOUT where the deadline passes first. */
static enum err collect(int fd, struct secret *s, int64_t deadline_ms, const char *name, struct why *why)
{
	while (room(s) > 0) {
		int64_t left = deadline_ms - clock_mono_ms(clock_system());
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		if (left <= 0)
			return why_set(why, ERR_TIMEOUT, "secret command '%s' took too long and was stopped", name);
		int ready = poll(&waiting, 1, left > 1000 ? 1000 : (int)left);
		if (ready <= 0)
			continue; /* a second is over, or a signal came */
		ssize_t n = read(fd, s->text + s->len, room(s));
		if (n == 0)
			return ERR_OK;
		if (n < 0 && errno != EINTR)
			return why_errno(why, errno, "cannot read what secret command '%s' says", name);
		s->len += n > 0 ? (size_t)n : 0;
	}
	return why_set(why, ERR_LIMIT, "the secret from command '%s' is longer than %d bytes", name, SECRET_MAX);
}

/* Waits until the command ends or the deadline passes; one that closed its output and lingers is no better than one that never spoke. */
static enum err reap(pid_t pid, int64_t deadline_ms, const char *name, struct why *why)
{
	int status = 0;
	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			break;
		if (got < 0 && errno == ECHILD) /* somebody else's handler was faster: its status is lost, its output is whole */
			return ERR_OK;
		if (clock_mono_ms(clock_system()) >= deadline_ms) {
			kill(-pid, SIGKILL);
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
			return why_set(why, ERR_TIMEOUT, "secret command '%s' took too long and was stopped", name);
		}
		(void)poll(NULL, 0, 5);
	}
	if (WIFSIGNALED(status))
		return why_set(why, ERR_IO, "secret command '%s' was killed by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) == 127)
		return why_set(why, ERR_NOT_FOUND, "secret command '%s' was not found", name);
	if (WEXITSTATUS(status) != 0)
		return why_set(why, ERR_IO, "secret command '%s' failed with status %d", name, WEXITSTATUS(status));
	return ERR_OK;
}

static enum err from_command(const struct secret_source *from, int64_t timeout_ms, struct secret *s, struct why *why)
{
	int ends[2];
	pid_t pid;
	int64_t deadline_ms = clock_mono_ms(clock_system()) + (timeout_ms > 0 ? timeout_ms : SECRET_TIMEOUT_MS);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return why_errno(why, errno, "cannot make a pipe for secret command '%s'", from->argv[0]);
	enum err e = start(from, ends[1], &pid, why);
	close(ends[1]);
	if (e == ERR_OK) {
		e = collect(ends[0], s, deadline_ms, from->argv[0], why);
		if (e != ERR_OK)
			kill(-pid, SIGKILL);
		enum err ended = reap(pid, deadline_ms, from->argv[0], e == ERR_OK ? why : NULL);
		e = e == ERR_OK ? ended : e;
	}
	close(ends[0]);
	return e == ERR_OK ? finish(s, "command", from->argv[0], why) : e;
}

enum err secret_read(const struct secret_source *from, int64_t timeout_ms, struct secret *out, struct why *why)
{
	struct secret s;
	enum err e = take_pages(&s, why);
	if (e != ERR_OK)
		return e;
	switch (from->kind) {
	case SECRET_ENV:
		e = from_env(from, &s, why);
		break;
	case SECRET_FILE:
		e = from_file(from, &s, why);
		break;
	case SECRET_COMMAND:
		e = from_command(from, timeout_ms, &s, why);
		break;
	case SECRET_NONE:
	default:
		e = why_set(why, ERR_NOT_FOUND, "no source is set for the secret");
		break;
	}
	if (e == ERR_OK)
		*out = s;
	else
		secret_release(&s);
	return e;
}

enum err secret_of(const char *text, size_t n, struct secret *out, struct why *why)
{
	struct secret s;
	if (n == 0 || n > SECRET_MAX)
		return n == 0 ? why_set(why, ERR_FORMAT, "the secret is empty") : why_set(why, ERR_LIMIT, "the secret is longer than %d bytes", SECRET_MAX);
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\n' || text[i] == '\r' || text[i] == '\0')
			return why_set(why, ERR_FORMAT, "the secret is more than one line");
	enum err e = take_pages(&s, why);
	if (e != ERR_OK)
		return e;
	memcpy(s.text, text, n);
	s.text[n] = '\0';
	s.len = n;
	*out = s;
	return ERR_OK;
}

enum err secret_check(const struct secret_source *from, struct why *why)
{
	struct stat st;
	if (from->kind != SECRET_FILE || stat(from->name, &st) != 0 || (st.st_mode & S_IRWXO) == 0)
		return ERR_OK;
	return why_set(why, ERR_DENIED, "secret file '%s' can be read by everybody on this machine; chmod o-rwx it", from->name);
}
