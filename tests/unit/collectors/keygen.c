/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/keygen.h"

#include <ftw.h>
#include <signal.h>
#include <unistd.h>

#include "tests/unit/collectors/sshd.h"

enum { SAID = 4096 };

void keygen_run(const char *const *argv)
{
	char said[SAID];
	int status = sshd_run(argv, said, sizeof said);
	if (status != 0)
		fail_msg("%s %s ...: %d: %s", argv[0], argv[1], status, said);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void keygen_folder(char to[64])
{
	snprintf(to, 64, "/tmp/pitwall-keys-XXXXXX");
	assert_non_null(mkdtemp(to));
}

void keygen_remove(const char *folder) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

void keygen_make(const char *path, const char *type, const char *format, const char *passphrase)
{
	char name[16];
	const char *bits = strchr(type, '-');
	const char *argv[16] = { "ssh-keygen", "-q", "-t", name, "-N", passphrase, "-C", "test", "-f", path };
	size_t n = 10;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(type, "-"), type);
	if (bits != NULL) {
		argv[n++] = "-b";
		argv[n++] = bits + 1;
	}
	if (format != NULL) {
		argv[n++] = "-m";
		argv[n++] = format;
	}
	keygen_run(argv);
}

void keygen_public(const char *path, char *to, size_t size)
{
	char name[256];
	snprintf(name, sizeof name, "%s.pub", path);
	FILE *f = fopen(name, "r");
	assert_non_null(f);
	assert_non_null(fgets(to, (int)size, f));
	fclose(f);
	to[strcspn(to, "\n")] = '\0';
}

void keygen_certify(const char *path, const char *authority, const char *principal, const char *valid, int of_host)
{
	char name[256];
	snprintf(name, sizeof name, "%s.pub", path);
	const char *argv[16] = { "ssh-keygen", "-q", "-s", authority, "-I", "test", "-n", principal };
	size_t n = 8;
	if (valid != NULL) {
		argv[n++] = "-V";
		argv[n++] = valid;
	}
	if (of_host)
		argv[n++] = "-h";
	argv[n] = name;
	keygen_run(argv);
}

/* ---- the agent ---- */

void agent_start(struct agent *a, const char *folder)
{
	char said[SAID];
	snprintf(a->path, sizeof a->path, "%s/agent", folder);
	unlink(a->path);
	assert_int_equal(sshd_run((const char *const[]){ "ssh-agent", "-a", a->path, NULL }, said, sizeof said), 0);
	const char *pid = strstr(said, "SSH_AGENT_PID=");
	assert_non_null(pid);
	a->pid = (pid_t)strtol(pid + 14, NULL, 10);
	assert_true(a->pid > 1);
}

void agent_add(const struct agent *a, const char *key, const char *extra)
{
	char said[SAID];
	const char *const argv[] = { "ssh-add", extra != NULL ? extra : "-q", key, NULL };
	assert_int_equal(setenv("SSH_AUTH_SOCK", a->path, 1), 0);
	int status = sshd_run(argv, said, sizeof said);
	unsetenv("SSH_AUTH_SOCK");
	if (status != 0)
		fail_msg("ssh-add %s: %s", key, said);
}

void agent_stop(struct agent *a)
{
	if (a->pid > 1)
		kill(a->pid, SIGTERM);
	a->pid = 0;
	unlink(a->path);
}
