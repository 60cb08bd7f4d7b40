/* SPDX-License-Identifier: Apache-2.0
 *
 * This machine, as the reader of ssh_config sees it: files that are safe to follow, globs, commands with a time limit. */
#include "collectors/ssh_config.h"

#include "base/clock.h"
#include "base/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAMES_MAX = 64 * 1024, MATCHES_MAX = 4096 };

/* ---- files ---- */

static enum err check(const char *path, const struct stat *st, struct why *why)
{
	if (st->st_uid != 0 && st->st_uid != getuid())
		return why_set(why, ERR_DENIED, "'%s' belongs to another user (uid %lu): what it says is not followed", path, (unsigned long)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return why_set(why, ERR_DENIED, "others may write to '%s': what it says is not followed; mend it with: chmod go-w '%s'", path, path);
	return ERR_OK;
}

static enum err read_file(void *arg, const char *path, struct buf *to, struct why *why)
{
	struct stat st;
	size_t before = to->len;
	(void)arg;
	if (stat(path, &st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return ERR_OK;
	enum err e = slurp(path, SSH_FILE_MAX, to, &st, why);
	e = e == ERR_OK ? check(path, &st, why) : e;
	if (e != ERR_OK)
		to->len = before;
	return e;
}

static enum err list_files(void *arg, const char *pattern, enum err (*each)(const char *path, void *each_arg), void *each_arg, struct why *why)
{
	glob_t found = { 0 };
	enum err e = ERR_OK;
	(void)arg;
	switch (glob(pattern, 0, NULL, &found)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		goto out;
	case GLOB_NOSPACE:
		e = why_memory(why);
		goto out;
	default:
		e = why_set(why, ERR_IO, "cannot look for files '%s'", pattern);
		goto out;
	}
	if (found.gl_pathc > MATCHES_MAX)
		e = why_set(why, ERR_LIMIT, "'%s' are more than %d files", pattern, MATCHES_MAX);
	for (size_t i = 0; i < found.gl_pathc && e == ERR_OK; i++)
		e = each(found.gl_pathv[i], each_arg);
out:
	globfree(&found);
	return e;
}

/* ---- users and environment ---- */

static enum err home_of(void *arg, const char *user, struct buf *to, struct why *why)
{
	struct passwd entry, *found = NULL;
	(void)arg;
	char *names = malloc(NAMES_MAX);
	if (names == NULL)
		return why_memory(why);
	int failed = getpwnam_r(user, &entry, names, NAMES_MAX, &found);
	enum err e = ERR_OK;
	if (found != NULL)
		e = buf_puts(to, entry.pw_dir);
	else if (failed != 0)
		e = why_errno(why, failed, "cannot look up user '%s'", user);
	else
		e = why_set(why, ERR_NOT_FOUND, "there is no user '%s'", user);
	free(names);
	return e;
}

static const char *environment(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

/* ---- commands ---- */

/* Starts the user's shell with the command, in a process group of its own, with /dev/null for all three streams. */
static enum err start(const char *shell, const char *command, pid_t *pid, struct why *why)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	char *name = strdup(shell), *text = strdup(command), option[] = "-c";
	char *argv[] = { name, option, text, NULL };
	int failed = name == NULL || text == NULL ? ENOMEM : posix_spawn_file_actions_init(&files);
	if (failed != 0)
		goto out;
	failed = posix_spawnattr_init(&attributes);
	if (failed != 0)
		goto out_files;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	failed = failed == 0 ? posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) : failed;
	failed = failed == 0 ? posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) : failed;
	failed = failed == 0 ? posix_spawn(pid, shell, &files, &attributes, argv, environ) : failed;
	posix_spawnattr_destroy(&attributes);
out_files:
	posix_spawn_file_actions_destroy(&files);
out:
	free(name);
	free(text);
	return failed != 0 ? why_errno(why, failed, "cannot run '%s'", shell) : ERR_OK;
}

static enum err reap(pid_t pid, const char *command, int *status, struct why *why)
{
	int64_t deadline_ms = clock_mono_ms(clock_system()) + SSH_EXEC_TIMEOUT_MS;
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid)
			return ERR_OK;
		if (got < 0 && errno != EINTR)
			return why_errno(why, errno, "cannot tell how '%s' ended", command);
		if (clock_mono_ms(clock_system()) >= deadline_ms) {
			kill(-pid, SIGKILL);
			while (waitpid(pid, status, 0) < 0 && errno == EINTR)
				;
			return why_set(why, ERR_TIMEOUT, "'%s' took longer than %d s and was stopped", command, SSH_EXEC_TIMEOUT_MS / 1000);
		}
		(void)poll(NULL, 0, 2);
	}
}

static enum err run_command(void *arg, const char *command, bool *succeeded, struct why *why)
{
	const char *shell = getenv("SHELL");
	int status = 0;
	pid_t pid = 0;
	(void)arg;
	enum err e = start(shell != NULL && *shell != '\0' ? shell : "/bin/sh", command, &pid, why);
	e = e == ERR_OK ? reap(pid, command, &status, why) : e;
	if (e != ERR_OK)
		return e;
	if (!WIFEXITED(status))
		return why_set(why, ERR_IO, "'%s' was ended by signal %d", command, WTERMSIG(status));
	*succeeded = WEXITSTATUS(status) == 0;
	return ERR_OK;
}

/* ---- */

enum err ssh_local_init(struct ssh_local *l, struct why *why)
{
	struct passwd entry, *found = NULL;
	struct ssh_local made = { .machine = { .uid = getuid(), .read = read_file, .list = list_files, .run = run_command,
						.home_of = home_of, .environment = environment } };
	char name[256] = "";
	char *names = malloc(NAMES_MAX);
	if (names == NULL)
		return why_memory(why);
	arena_init(&made.arena);
	int failed = getpwuid_r(getuid(), &entry, names, NAMES_MAX, &found);
	enum err e = ERR_OK;
	if (found == NULL) {
		e = failed != 0 ? why_errno(why, failed, "cannot look up who runs this (uid %lu)", (unsigned long)getuid()) :
			why_set(why, ERR_NOT_FOUND, "no user has the id %lu that this runs with", (unsigned long)getuid());
	} else if (gethostname(name, sizeof name - 1) != 0) {
		e = why_errno(why, errno, "cannot tell this machine's name");
	} else {
		made.machine.user = arena_text(&made.arena, entry.pw_name);
		made.machine.home = arena_text(&made.arena, entry.pw_dir);
		made.machine.name = arena_text(&made.arena, name);
		e = arena_failed(&made.arena) ? why_memory(why) : ERR_OK;
	}
	free(names);
	if (e == ERR_OK)
		*l = made;
	else
		arena_release(&made.arena);
	return e;
}

void ssh_local_release(struct ssh_local *l)
{
	arena_release(&l->arena);
	*l = (struct ssh_local){ 0 };
}
