/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/sshd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { HOST_KEYS_MAX = 6, START_MS = 20000, RUN_MS = 30000, END_MS = 5000, LOOK_MS = 10, PORT_TRIES = 5, FOLDER = 40, PATH = 96 };

static const char server[] = "/usr/sbin/sshd"; /* it starts itself anew and wants its whole path */

struct sshd {
	pid_t pid;
	int   port;
	char  folder[FOLDER], config[PATH], log[PATH], user[64], user_key[PATH];
	bool  has_shell, asks;
	int   n_host_keys;
	struct host_key {
		char type[16], text[2048];
	} host_keys[HOST_KEYS_MAX];
};

int         sshd_port(const struct sshd *s) { return s->port; }
const char *sshd_folder(const struct sshd *s) { return s->folder; }
const char *sshd_config(const struct sshd *s) { return s->config; }
const char *sshd_user(const struct sshd *s) { return s->user; }
bool        sshd_has_shell(const struct sshd *s) { return s->has_shell; }
const char *sshd_user_key(const struct sshd *s) { return s->user_key; }

const char *sshd_host_key(const struct sshd *s, const char *type)
{
	for (int i = 0; i < s->n_host_keys; i++) {
		if (strcmp(s->host_keys[i].type, type) == 0)
			return s->host_keys[i].text;
	}
	return NULL;
}

static int64_t now_ms(void) { return clock_mono_ms(clock_system()); }

/* ---- programs ---- */

/* In the child: output to `fd`, nothing to read, and no life after the test's. */
static void become(const char *const *argv, int fd)
{
	int null = open("/dev/null", O_RDONLY);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	union { const char *const *from; char *const *to; } words = { .from = argv }; /* execvp changes none of them */
	execvp(argv[0], words.to);
	_exit(127);
}

static bool wait_until(pid_t pid, int64_t deadline_ms, int *status)
{
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (now_ms() >= deadline_ms)
			return false;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return true;
}

static void reap(pid_t pid)
{
	int status;
	kill(pid, SIGTERM);
	if (!wait_until(pid, now_ms() + END_MS, &status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
}

int sshd_run(const char *const *argv, char *to, unsigned long size)
{
	int      ends[2], status = 0;
	size_t   len = 0;
	int64_t  deadline_ms = now_ms() + RUN_MS;
	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		become(argv, ends[1]);
	close(ends[1]);
	for (;;) {
		struct pollfd p = { .fd = ends[0], .events = POLLIN };
		char          piece[4096];
		int64_t       left = deadline_ms - now_ms();
		if (pid < 0 || left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		ssize_t n = read(ends[0], piece, sizeof piece);
		if (n <= 0)
			break;
		size_t take = len + (size_t)n < size ? (size_t)n : size - 1 - len;
		memcpy(to + len, piece, take);
		len += take;
	}
	to[len] = '\0';
	close(ends[0]);
	if (pid < 0)
		return -1;
	if (!wait_until(pid, deadline_ms, &status)) {
		reap(pid);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has_program(const char *name, const char *option)
{
	char said[4096];
	int  status = sshd_run((const char *const[]){ name, option, NULL }, said, sizeof said);
	return status >= 0 && status != 127;
}

bool sshd_is_there(void)
{
	return access(server, X_OK) == 0 && has_program("ssh", "-V") && has_program("ssh-keygen", "-?");
}

/* In a mount namespace of its own, where the folder $0 is PAM's; the rest are the words of what is run. */
static const char with_pam[] = "mount --bind \"$0\" /etc/pam.d && exec \"$@\"";

bool sshd_can_ask(void)
{
	char said[1024];
	const char *const argv[] = { "unshare", "--mount", "sh", "-c", with_pam, "/etc/pam.d", "find", "/lib", "/usr/lib", "-name", "pam_exec.so",
		                         NULL };
	return geteuid() == 0 && access("/etc/pam.d", X_OK) == 0 && sshd_run(argv, said, sizeof said) == 0 && strstr(said, "pam_exec.so") != NULL;
}

/* ---- its folder ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static enum err make_key(const char *type, const char *path, struct why *why)
{
	char said[1024];
	const char *bits = strchr(type, '-');
	char name[16];
	snprintf(name, sizeof name, "%.*s", (int)strcspn(type, "-"), type);
	const char *const argv[] = { "ssh-keygen", "-q", "-t", name, "-N", "", "-C", "test", "-f", path, bits != NULL ? "-b" : NULL,
		                         bits != NULL ? bits + 1 : NULL, NULL };
	return sshd_run(argv, said, sizeof said) == 0 ? ERR_OK : why_set(why, ERR_IO, "ssh-keygen cannot make a key of type %s: %s", type, said);
}

/* "TYPE BASE64" of a public key's file. */
static enum err read_key(const char *path, char *to, int size, struct why *why)
{
	char  name[PATH + 8], comment_free[2048] = "";
	FILE *f;
	snprintf(name, sizeof name, "%s.pub", path);
	f = fopen(name, "r");
	if (f == NULL || fgets(comment_free, sizeof comment_free, f) == NULL)
		comment_free[0] = '\0';
	if (f != NULL)
		fclose(f);
	char *blank = strchr(comment_free, ' ');
	if (blank == NULL)
		return why_set(why, ERR_FORMAT, "'%s' holds no key", name);
	blank[1 + strcspn(blank + 1, " \n")] = '\0';
	return snprintf(to, (size_t)size, "%s", comment_free) < size ? ERR_OK : why_set(why, ERR_LIMIT, "the key in '%s' is too long", name);
}

static enum err make_host_keys(struct sshd *s, const char *const *types, struct why *why)
{
	static const char *const usual[] = { "ed25519", NULL };
	enum err e = ERR_OK;
	for (types = types != NULL ? types : usual; e == ERR_OK && *types != NULL && s->n_host_keys < HOST_KEYS_MAX; types++) {
		struct host_key *k = &s->host_keys[s->n_host_keys++];
		char             path[PATH];
		snprintf(k->type, sizeof k->type, "%s", *types);
		snprintf(path, sizeof path, "%s/host_%s", s->folder, k->type);
		e = make_key(*types, path, why);
		if (e == ERR_OK)
			e = read_key(path, k->text, sizeof k->text, why);
	}
	return e;
}

static enum err make_user_key(struct sshd *s, const struct sshd_options *o, struct why *why)
{
	char path[PATH], key[2048];
	snprintf(s->user_key, sizeof s->user_key, "%s/user", s->folder);
	snprintf(path, sizeof path, "%s/authorized_keys", s->folder);
	enum err e = make_key(o->user_key != NULL ? o->user_key : "ed25519", s->user_key, why);
	if (e == ERR_OK)
		e = read_key(s->user_key, key, sizeof key, why);
	if (e != ERR_OK)
		return e;
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return why_errno(why, errno, "cannot write '%s'", path);
	fprintf(f, "%s%s%s\n%s", o->authorized != NULL ? o->authorized : "", o->authorized != NULL ? " " : "", key,
	        o->more_keys != NULL ? o->more_keys : "");
	return fclose(f) == 0 ? ERR_OK : why_errno(why, errno, "cannot write '%s'", path);
}

static enum err write_file(const struct sshd *s, const char *name, mode_t mode, const char *text, struct why *why)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s/%s", s->folder, name);
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return why_errno(why, errno, "cannot write '%s'", path);
	bool is_good = fputs(text, f) >= 0 && fchmod(fileno(f), mode) == 0;
	return fclose(f) == 0 && is_good ? ERR_OK : why_set(why, ERR_IO, "cannot write '%s'", path);
}

/* PAM asks for a word, once a try, and a script of the test's looks whether it is the right one. */
static enum err make_pam(const struct sshd *s, const char *code, struct why *why)
{
	char path[PATH], text[512];
	snprintf(path, sizeof path, "%s/pam.d", s->folder);
	if (mkdir(path, 0755) != 0)
		return why_errno(why, errno, "cannot make '%s'", path);
	snprintf(text, sizeof text, "#!/bin/sh\n[ \"$(tr -d '\\000')\" = '%s' ]\n", code);
	enum err e = write_file(s, "ask", 0755, text, why);
	snprintf(text, sizeof text,
	         "auth requisite pam_exec.so type=auth expose_authtok quiet %s/ask\nauth required pam_permit.so\n"
	         "account required pam_permit.so\nsession required pam_permit.so\n",
	         s->folder);
	return e == ERR_OK ? write_file(s, "pam.d/sshd", 0644, text, why) : e;
}

/* sshd takes the first value of an option that it meets. What the user's own start-up files do, and wait for, is no part of a test: home is
 * the folder, where there are none. */
static enum err write_config(struct sshd *s, const struct sshd_options *o, struct why *why)
{
	FILE *f = fopen(s->config, "w");
	if (f == NULL)
		return why_errno(why, errno, "cannot write '%s'", s->config);
	for (const char *const *lines = o->config; lines != NULL && *lines != NULL; lines++)
		fprintf(f, "%s\n", *lines);
	if (s->asks)
		fprintf(f, "UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods %skeyboard-interactive\n",
		        o->wants_key ? "publickey," : "");
	for (int i = 0; i < s->n_host_keys; i++)
		fprintf(f, "HostKey %s/host_%s\n", s->folder, s->host_keys[i].type);
	fprintf(f,
	        "ListenAddress 127.0.0.1\nPidFile none\nAuthorizedKeysFile %s/authorized_keys\nStrictModes no\nUsePAM no\nUseDNS no\n"
	        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nLogLevel VERBOSE\n"
	        "PrintMotd no\nPrintLastLog no\nSubsystem sftp internal-sftp\nSetEnv HOME=%s\n",
	        s->folder, s->folder);
	return fclose(f) == 0 ? ERR_OK : why_errno(why, errno, "cannot write '%s'", s->config);
}

static enum err make_folder(struct sshd *s, const struct sshd_options *o, struct why *why)
{
	const struct passwd *me = getpwuid(geteuid());
	if (me == NULL)
		return why_set(why, ERR_NOT_FOUND, "this user has no name");
	snprintf(s->user, sizeof s->user, "%s", me->pw_name);
	s->has_shell = strstr(me->pw_shell, "nologin") == NULL && strstr(me->pw_shell, "false") == NULL;
	snprintf(s->folder, sizeof s->folder, "/tmp/pitwall-sshd-XXXXXX");
	if (mkdtemp(s->folder) == NULL)
		return why_errno(why, errno, "cannot make a folder in /tmp");
	snprintf(s->config, sizeof s->config, "%s/sshd_config", s->folder);
	snprintf(s->log, sizeof s->log, "%s/log", s->folder);
	if (geteuid() == 0 && mkdir("/run/sshd", 0755) != 0 && errno != EEXIST)
		return why_errno(why, errno, "cannot make '/run/sshd'");
	enum err e = make_host_keys(s, o->host_keys, why);
	if (e == ERR_OK)
		e = make_user_key(s, o, why);
	s->asks = o->code != NULL;
	if (e == ERR_OK && s->asks)
		e = make_pam(s, o->code, why);
	return e == ERR_OK ? write_config(s, o, why) : e;
}

/* ---- its life ---- */

/* A port that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof a;
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0;
	if (fd >= 0)
		close(fd);
	return ok ? ntohs(a.sin_port) : 0;
}

void sshd_log(const struct sshd *s, char *to, unsigned long size)
{
	int     fd = open(s->log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, to, size - 1) : 0;
	to[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* True once it listens; it may be gone when false. */
static bool listens(struct sshd *s, struct why *why)
{
	char    wanted[64], said[8192];
	int64_t deadline_ms = now_ms() + START_MS;
	int     status;
	snprintf(wanted, sizeof wanted, "Server listening on 127.0.0.1 port %d.", s->port);
	for (;;) {
		bool is_gone = waitpid(s->pid, &status, WNOHANG) == s->pid;
		sshd_log(s, said, sizeof said);
		if (!is_gone && strstr(said, wanted) != NULL)
			return true;
		if (is_gone)
			s->pid = 0;
		if (is_gone || now_ms() >= deadline_ms) {
			why_set(why, ERR_IO, "sshd does not listen: %s", said);
			return false;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static bool launch_on(struct sshd *s, struct why *why)
{
	char port[16], pam[PATH];
	snprintf(port, sizeof port, "%d", s->port);
	snprintf(pam, sizeof pam, "%s/pam.d", s->folder);
	const char *const argv[] = { "unshare", "--mount", "sh", "-c", with_pam, pam, server, "-D", "-e", "-f", s->config, "-p", port, NULL };
	int fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || s->port == 0) {
		why_errno(why, errno, "cannot write '%s' or find a port", s->log);
		return false;
	}
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		become(s->asks ? argv : argv + 6, fd);
	close(fd);
	if (s->pid < 0) {
		s->pid = 0;
		why_errno(why, errno, "cannot start sshd");
		return false;
	}
	return listens(s, why);
}

static bool launch(struct sshd *s, struct why *why)
{
	s->port = free_port();
	return launch_on(s, why);
}

enum err sshd_start(const struct sshd_options *options, struct sshd **out, struct why *why)
{
	if (!sshd_is_there())
		return why_set(why, ERR_NOT_FOUND, "sshd, ssh or ssh-keygen is not installed (in Debian: openssh-server, openssh-client)");
	struct sshd *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	enum err e = make_folder(s, options, why);
	bool     is_up = false;
	for (int i = 0; e == ERR_OK && !is_up && i < PORT_TRIES; i++) { /* somebody else may take the port first */
		is_up = launch(s, why);
		if (!is_up && s->pid > 0)
			break;
	}
	if (e == ERR_OK && is_up) {
		*out = s;
		return ERR_OK;
	}
	sshd_stop(s);
	return e != ERR_OK ? e : ERR_IO;
}

/* Ends all that a process has begun, what those have begun first. */
static void end_children(pid_t pid, int depth)
{
	char path[64];
	int  child;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fscanf(f, "%d", &child) == 1) {
		if (depth < 8)
			end_children(child, depth + 1);
		kill(child, SIGKILL);
	}
	if (f != NULL)
		fclose(f);
}

static void signal_children(pid_t pid, int number, int depth)
{
	char path[64];
	int  child;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fscanf(f, "%d", &child) == 1) {
		kill(child, number);
		if (depth < 8)
			signal_children(child, number, depth + 1);
	}
	if (f != NULL)
		fclose(f);
}

void sshd_freeze(struct sshd *s) { signal_children(s->pid, SIGSTOP, 0); }

/* At once: else a command that dies a moment before its connection could still say so over it. */
void sshd_cut(struct sshd *s)
{
	sshd_freeze(s);
	end_children(s->pid, 0);
}

void sshd_thaw(struct sshd *s) { signal_children(s->pid, SIGCONT, 0); }

void sshd_end(struct sshd *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGSTOP); /* no new ones meanwhile */
	end_children(s->pid, 0);
	kill(s->pid, SIGCONT);
	reap(s->pid);
	s->pid = 0;
}

enum err sshd_again(struct sshd *s, struct why *why)
{
	return launch_on(s, why) ? ERR_OK : ERR_IO;
}

enum err sshd_authorize(struct sshd *s, const char *line)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s/authorized_keys", s->folder);
	FILE *f = fopen(path, "a");
	if (f == NULL)
		return ERR_IO;
	fprintf(f, "%s\n", line);
	return fclose(f) == 0 ? ERR_OK : ERR_IO;
}

void sshd_stop(struct sshd *s)
{
	if (s == NULL)
		return;
	sshd_end(s);
	if (s->folder[0] != '\0')
		nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(s);
}
