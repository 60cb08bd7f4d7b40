/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/rescue.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
enum { SIGNALS = sizeof numbers / sizeof numbers[0], TEXT_MAX = 512 };

/* Written only while no handler is installed, read only by the handler. */
static struct {
	int              fd;
	char             text[TEXT_MAX];
	size_t           n;
	struct termios   modes;
	struct sigaction before[SIGNALS];
	bool             is_armed;
} rescue;

/* Only async-signal-safe calls: write, tcsetattr, sigaction, raise. */
static void handle(int number)
{
	const char *p = rescue.text;
	size_t left = rescue.n;
	while (left > 0) {
		ssize_t n = write(rescue.fd, p, left);
		if (n <= 0)
			break;
		p += n;
		left -= (size_t)n;
	}
	tcsetattr(rescue.fd, TCSANOW, &rescue.modes);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(numbers[i], &rescue.before[i], NULL);
	raise(number); /* pending until we return, then what was there before (a core dump, a sanitizer's report) takes over */
}

void rescue_arm(int fd, const char *text, size_t n, const struct termios *modes)
{
	struct sigaction act;
	rescue_disarm();
	rescue.fd = fd;
	rescue.n = n < TEXT_MAX ? n : TEXT_MAX;
	memcpy(rescue.text, text, rescue.n);
	rescue.modes = *modes;
	memset(&act, 0, sizeof act);
	act.sa_handler = handle;
	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(numbers[i], &act, &rescue.before[i]);
	rescue.is_armed = true;
}

void rescue_disarm(void)
{
	if (!rescue.is_armed)
		return;
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(numbers[i], &rescue.before[i], NULL);
	rescue.is_armed = false;
}
