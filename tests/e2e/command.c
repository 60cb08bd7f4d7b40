/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/command.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slurp.h"

enum { WORDS_MAX = 48, LINE_MAX_ = 1000, PATH_MAX_ = 4096, DEADLINE_MS = 120 * 1000, STEP_MS = 5 };

static struct why why;

static int open_file(const char *folder, const char *name)
{
	char path[PATH_MAX_];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

void command_read(const char *folder, const char *name, char *to)
{
	char path[PATH_MAX_];
	struct buf b;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	buf_init(&b, COMMAND_OUTPUT_MAX - 1);
	assert_ok(slurp(path, COMMAND_OUTPUT_MAX - 1, &b, NULL, &why));
	memcpy(to, buf_text(&b), b.len + 1);
	buf_release(&b);
}

pid_t command_start(const char *folder, const char *name, const char *const *words)
{
	char path[PATH_MAX_], errors[64];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	snprintf(errors, sizeof errors, "%s.err", name);
	int out = open_file(folder, name), err = open_file(folder, errors), in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2)
			execv(path, (char *const *)(uintptr_t)words);
		_exit(127);
	}
	close(in);
	close(out);
	close(err);
	assert_true(child > 0);
	return child;
}

/* Cuts the text in place. */
static void split(const struct command_run *c, char *text, const char *words[WORDS_MAX])
{
	size_t n = 0;
	for (char *p = text; *p != '\0';) {
		assert_true(n < WORDS_MAX - 1);
		words[n++] = p;
		char *end = p + strcspn(p, " ");
		for (char *blank = p; c->has_blanks && n > 2 && blank < end; blank++)
			if (*blank == '_')
				*blank = ' ';
		p = end;
		if (*p != '\0')
			*p++ = '\0';
	}
	for (size_t i = 0; c->more != NULL && c->more[i] != NULL; i++) {
		assert_true(n < WORDS_MAX - 1);
		words[n++] = c->more[i];
	}
	words[n] = NULL;
}

void command_run(struct command_run *c, const char *line)
{
	char text[LINE_MAX_];
	const char *words[WORDS_MAX];
	int status = 0;
	assert_true((size_t)snprintf(text, sizeof text, "pitwall %s", line) < sizeof text);
	split(c, text, words);
	int64_t until_ms = clock_mono_ms(clock_system()) + DEADLINE_MS;
	pid_t child = command_start(c->folder, "out", words);
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (c->meanwhile != NULL) {
			command_read(c->folder, "out", c->out);
			c->meanwhile(child, c->out);
		}
		(void)poll(NULL, 0, STEP_MS);
		if (clock_mono_ms(clock_system()) > until_ms) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			fail_msg("'%s' does not end", line);
		}
	}
	c->code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	command_read(c->folder, "out", c->out);
	command_read(c->folder, "out.err", c->err);
}
