/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/let_go.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 2000, LOOK_MS = 2 };

static void look_away(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return; /* a terminal that is gone gives errors, and nobody minds them */
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

/* In a child of a process with threads: only async-signal-safe calls. The job is continued once the shell has taken the terminal; before that it would not notice that the job had
 * stopped. */
static void continue_later(int tty, pid_t job)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	for (int ms = 0; ms < WAIT_MS && tcgetpgrp(tty) == job; ms += LOOK_MS)
		nanosleep(&pause, NULL);
	kill(-job, SIGCONT);
	_exit(0);
}

/* The whole job stops, as by the terminal's key: a script or sudo that we were started from is what the shell waits for. The child, which is of the job too, has SIGTSTP blocked. A
 * process group that no shell looks after is not stopped by the kernel. */
static void hand_over(int tty)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL }, before;
	sigset_t stop, mask;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &stop, &mask);
	pid_t job = getpgrp(), child = tcgetpgrp(tty) == job ? fork() : -1;
	if (child == 0)
		continue_later(tty, job);
	sigaction(SIGTSTP, &by_default, &before);
	if (child > 0)
		kill(0, SIGTSTP);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	sigaction(SIGTSTP, &before, NULL);
}

void let_go(bool to_shell)
{
	int tty = to_shell ? fcntl(0, F_DUPFD_CLOEXEC, 3) : -1;
	look_away();
	if (tty < 0)
		return;
	hand_over(tty);
	close(tty);
}
