/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/lend.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { GRACE_MS = 500 };

struct loan {
	const struct lend  *what;
	int                 fd;
	pid_t               pid;          /* the leader of its group; 0: it was waited for */
	struct termios      modes_before;
	bool                has_modes;
	struct loop_signal *child;
	struct loop_timer  *grace;
	void              (*over)(void *ctx, int status, const char *text);
	void               *ctx;
};

/* ---- what is to be run ---- */

void lend_free(struct lend *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; l->argv != NULL && l->argv[i] != NULL; i++)
		free(l->argv[i]);
	free(l->argv);
	free(l->name);
	free(l->advice);
	free(l);
}

struct lend *lend_new(const char *const *argv, const char *name, const char *advice)
{
	struct lend *l = calloc(1, sizeof *l);
	size_t n = 0;
	while (argv[n] != NULL)
		n++;
	if (l == NULL || n == 0 || n > LEND_WORDS_MAX) {
		free(l);
		return NULL;
	}
	l->argv = calloc(n + 1, sizeof *l->argv);
	l->name = strdup(name);
	l->advice = strdup(advice);
	bool is_whole = l->argv != NULL && l->name != NULL && l->advice != NULL;
	for (size_t i = 0; is_whole && i < n; i++) {
		l->argv[i] = strdup(argv[i]);
		is_whole = l->argv[i] != NULL;
	}
	if (is_whole)
		return l;
	lend_free(l);
	return NULL;
}

/* ---- the foreground ---- */

/* From the background either would stop us. `modes` may be NULL. */
static void set_foreground(int fd, pid_t group, const struct termios *modes)
{
	sigset_t out, before;
	sigemptyset(&out);
	sigaddset(&out, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &out, &before);
	tcsetpgrp(fd, group);
	if (modes != NULL)
		tcsetattr(fd, TCSANOW, modes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void take_back(const struct loan *l)
{
	set_foreground(l->fd, getpgrp(), l->has_modes ? &l->modes_before : NULL);
}

static int start(const struct lend *what, pid_t *pid)
{
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int failed = posix_spawnattr_init(&attributes);
	if (failed != 0)
		return failed;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	failed = posix_spawnp(pid, what->argv[0], NULL, &attributes, what->argv, environ);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

/* ---- its end ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static void tell_over(struct loan *l, int wait_status)
{
	char text[512] = "";
	const char *name = base_name(l->what->argv[0]), *advice = l->what->advice;
	int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	if (WIFSIGNALED(wait_status))
		snprintf(text, sizeof text, "%s was ended by signal %d (%s)", name, WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else if (status != 0)
		snprintf(text, sizeof text, "%s ended with %d%s%s", name, status, status == 255 && advice[0] != '\0' ? ": " : "",
		         status == 255 ? advice : "");
	l->pid = 0;
	loop_timer_stop(l->grace);
	take_back(l);
	l->over(l->ctx, status, text);
}

/* Our own child alone is waited for. One that was stopped (Ctrl-Z, or for reading before it had the foreground) goes on: there is no shell here
 * that could bring it back. */
static void on_child(void *ctx, int number)
{
	struct loan *l = ctx;
	int status = 0;
	(void)number;
	pid_t got = l->pid > 0 ? waitpid(l->pid, &status, WNOHANG | WUNTRACED) : 0;
	if (got <= 0)
		return;
	if (WIFSTOPPED(status))
		loan_go_on(l);
	else
		tell_over(l, status);
}

static void on_grace(void *ctx)
{
	struct loan *l = ctx;
	if (l->pid > 0)
		kill(-l->pid, SIGKILL);
}

void loan_end(struct loan *l)
{
	if (l->pid <= 0)
		return;
	kill(-l->pid, SIGHUP);
	kill(-l->pid, SIGCONT);
	loop_timer_start(l->grace, GRACE_MS, GRACE_MS);
}

void loan_go_on(struct loan *l)
{
	if (l->pid <= 0)
		return;
	set_foreground(l->fd, l->pid, NULL);
	kill(-l->pid, SIGCONT);
}

/* ---- life ---- */

static void release(struct loan *l)
{
	loop_signal_close(l->child);
	loop_timer_close(l->grace);
	free(l);
}

enum err loan_new(struct loop *loop, int fd, const struct lend *what, void (*over)(void *ctx, int status, const char *text), void *ctx,
                  struct loan **out, struct why *why)
{
	struct loan *l = calloc(1, sizeof *l);
	if (l == NULL)
		return why_memory(why);
	*l = (struct loan){ .what = what, .fd = fd, .over = over, .ctx = ctx };
	l->has_modes = tcgetattr(fd, &l->modes_before) == 0;
	enum err e = loop_timer_new(loop, on_grace, l, &l->grace, why);
	if (e == ERR_OK)
		e = loop_signal_new(loop, SIGCHLD, on_child, l, &l->child, why); /* before there is a child whose end could be missed */
	int failed = e == ERR_OK ? start(what, &l->pid) : 0;
	if (failed != 0) {
		l->pid = 0;
		e = why_errno(why, failed, "cannot run '%s'", what->argv[0]);
	}
	if (e != ERR_OK) {
		release(l);
		return e;
	}
	set_foreground(fd, l->pid, NULL);
	*out = l;
	return ERR_OK;
}

void loan_free(struct loan *l)
{
	if (l == NULL)
		return;
	if (l->pid > 0) {
		kill(-l->pid, SIGKILL);
		while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		take_back(l);
	}
	release(l);
}
