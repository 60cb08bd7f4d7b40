/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/dockerd.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/collectors/loop_turn.h"

enum { PATH_ROOM = 256, SCRIPT_ROOM = 8192 };

const char *dockerd_absent(void)
{
	const char *program = getenv("PITWALL_DOCKERD");
	if (program == NULL)
		program = "/usr/sbin/dockerd";
	if (access(program, X_OK) != 0)
		return "no Docker is there (PITWALL_DOCKERD names one; tools/peers.sh unpacks it)";
	if (geteuid() != 0)
		return "Docker starts for root alone";
	return NULL;
}

static pid_t start(const struct dockerd *d, const char *program)
{
	char host[PATH_ROOM], data[PATH_ROOM], exec[PATH_ROOM], pid_file[PATH_ROOM], log[PATH_ROOM];
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	snprintf(host, sizeof host, "unix://%s", d->socket);
	snprintf(data, sizeof data, "%s/data", d->folder);
	snprintf(exec, sizeof exec, "%s/exec", d->folder);
	snprintf(pid_file, sizeof pid_file, "%s/pid", d->folder);
	snprintf(log, sizeof log, "%s/log", d->folder);
	int null = open("/dev/null", O_RDONLY), to = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, 0);
	dup2(to, 1);
	dup2(to, 2);
	setsid();
	execl(program, program, "-H", host, "--data-root", data, "--exec-root", exec, "-p", pid_file, "--iptables=false",
	      "--ip6tables=false", "--bridge=none", "--storage-driver=vfs", (char *)NULL);
	_exit(127);
}

static bool answers(const void *what)
{
	const struct dockerd *d = what;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (waitpid(d->pid, NULL, WNOHANG) != 0)
		fail_msg("dockerd ended; '%s/log' tells why", d->folder);
	snprintf(to.sun_path, sizeof to.sun_path, "%s", d->socket);
	bool is_up = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
	close(fd);
	return is_up;
}

const char *dockerd_start(struct dockerd *d, struct hands_bench *hands)
{
	const char *program = getenv("PITWALL_DOCKERD"), *absent = dockerd_absent();
	*d = (struct dockerd){ .hands = hands };
	if (absent != NULL)
		return absent;
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return "this account may not make a mount namespace";
	snprintf(d->folder, sizeof d->folder, "/tmp/pitwall-docker-XXXXXX");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->socket, sizeof d->socket, "%s/d.sock", d->folder);
	program = program != NULL ? program : "/usr/sbin/dockerd";
	snprintf(d->tools, sizeof d->tools, "%.*s/usr/bin", (int)(strrchr(program, '/') - program), program);
	d->pid = start(d, program);
	loop_turn_until(hands->loop, answers, d, "dockerd");
	return NULL;
}

int dockerd_try(struct dockerd *d, const char *script, char *said, size_t size)
{
	char whole[SCRIPT_ROOM];
	struct heard h;
	struct unit here = hands_bench_here();
	int n = snprintf(whole, sizeof whole, "PATH=%s:$PATH; export PATH DOCKER_HOST=unix://%s HOME=%s; cd %s || exit\n%s", d->tools,
	                 d->socket, d->folder, d->folder, script);
	assert_true(n > 0 && (size_t)n < sizeof whole);
	const struct ask a = { .kind = ASK_RUN, .argv = (const char *const[]){ "sh", "-euc", whole }, .n_argv = 3, .timeout_ms = 60 * 1000 };
	hands_bench_ask(d->hands, &here, &a, &h);
	if (h.answer.err != ERR_OK)
		fail_msg("%s: %s", script, h.why);
	snprintf(said, size, "%s", h.text);
	said[strcspn(said, "\n")] = '\0';
	int status = h.answer.status;
	heard_release(&h);
	return status;
}

const char *dockerd_do(struct dockerd *d, const char *script)
{
	static char said[SCRIPT_ROOM];
	if (dockerd_try(d, script, said, sizeof said) != 0)
		fail_msg("%s: %s", script, said);
	return said;
}

/* A shell, sleep and the libraries of both: no image comes from anywhere. */
void dockerd_make_image(struct dockerd *d, const char *ref, const char *file)
{
	char script[SCRIPT_ROOM];
	snprintf(script, sizeof script,
	         "rm -rf root; mkdir -p root/tmp\n"
	         "for program in /bin/sh /bin/sleep /bin/cat; do\n"
	         "  mkdir -p root/bin; cp -L $program root$program\n"
	         "  for lib in $(ldd $program | grep -o '/[^ ]*'); do mkdir -p \"root${lib%%/*}\"; cp -L $lib root$lib; done\n"
	         "done\n"
	         "echo %s >root/%s\n"
	         "tar -C root -c . | docker import --change 'ENV FROM_IMAGE=%s' --change 'VOLUME /scratch' --change 'CMD [\"/bin/sh\"]' - "
	         "%s >/dev/null",
	         ref, file, file, ref);
	dockerd_do(d, script);
}

void dockerd_stop(struct dockerd *d)
{
	char said[64];
	const char *const argv[] = { "rm", "-rf", d->folder, NULL };
	if (d->pid == 0)
		return;
	dockerd_try(d, "for c in $(docker ps -aq); do docker rm -f $c >/dev/null 2>&1; done", said, sizeof said);
	kill(d->pid, SIGTERM);
	waitpid(d->pid, NULL, 0);
	sshd_run(argv, said, sizeof said);
}
