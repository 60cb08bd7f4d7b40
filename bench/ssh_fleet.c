/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ssh_fleet.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/process.h"

enum {
	LISTEN_MAX = 16, /* addresses that an sshd listens on at the most (MAX_LISTEN_SOCKS of OpenSSH) */
	SSHDS_MAX = 16,
	MUTE_MAX = 64,
	BACKLOG = 128,   /* connections of one node that nobody ever accepts */
	START_MS = 10000,
	LOOK_MS = 50,
	DEPTH_MAX = 16,
};

static const char server[] = "/usr/sbin/sshd"; /* it starts itself anew and wants its whole path */

static const char *const names[] = {
#define X(id, name, how) name,
	SSH_NODE_LIST(X)
#undef X
};

static struct {
	struct { pid_t pid; enum ssh_node_kind kind; } sshds[SSHDS_MAX];
	int n_sshds;
	int mute[MUTE_MAX];
	int n_mute;
	int ports[SSH_NODE_COUNT];
} fleet;

const char *ssh_node_name(enum ssh_node_kind k) { return names[k]; }

static void give_up(const char *what, const char *which)
{
	fprintf(stderr, "bench: cannot %s '%s': %s\n", what, which, strerror(errno));
	exit(1);
}

bool ssh_fleet_is_possible(void)
{
	const struct passwd *me = getpwuid(geteuid());
	bool has_shell = me != NULL && strstr(me->pw_shell, "nologin") == NULL && strstr(me->pw_shell, "false") == NULL;
	if (access(server, X_OK) == 0 && access("/usr/bin/ssh-keygen", X_OK) == 0 && has_shell)
		return true;
	fprintf(stderr, "bench: sshd, ssh-keygen or this account's shell is missing: SSH is not measured\n");
	return false;
}

/* ---- files ---- */

static FILE *create(const char *name)
{
	FILE *f = fopen(process_file(name), "w");
	if (f == NULL)
		give_up("write", process_file(name));
	return f;
}

static void finish(FILE *f, const char *name)
{
	if (fclose(f) != 0)
		give_up("write", process_file(name));
}

static void make_key(const char *name)
{
	const char *const argv[] = { "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", process_file(name), NULL };
	if (process_wait(process_start(argv, "keygen.out", "keygen.log")) != 0)
		give_up("make the key", process_file(name));
}

/* "TYPE BASE64" of a key's public half. */
static const char *public_half(const char *name)
{
	static char line[512];
	char path[4200];
	snprintf(path, sizeof path, "%s.pub", process_file(name));
	FILE *f = fopen(path, "r");
	if (f == NULL || fgets(line, sizeof line, f) == NULL)
		give_up("read", path);
	fclose(f);
	char *comment = strrchr(line, ' ');
	if (comment != NULL)
		*comment = '\0';
	return line;
}

/* What a driver that hangs makes of it: it waits, and no SIGTERM ends it. */
static void write_hanging_tool(void)
{
	FILE *f = create("nvidia-smi");
	fputs("#!/bin/sh\ntrap '' TERM\nexec sleep 600\n", f);
	finish(f, "nvidia-smi");
	if (chmod(process_file("nvidia-smi"), 0755) != 0)
		give_up("make runnable", process_file("nvidia-smi"));
}

static void write_keys(void)
{
	make_key("host_key");
	make_key("user_key");
	FILE *f = create("authorized_keys");
	fprintf(f, "%s\n", public_half("user_key"));
	finish(f, "authorized_keys");
	f = create("known_hosts");
	fprintf(f, "bench %s\n", public_half("host_key"));
	finish(f, "known_hosts");
}

/* All machines have one host key, which is known under one name; each is a session of its own all the same. */
static void write_ssh_config(const int counts[SSH_NODE_COUNT])
{
	FILE *f = create("ssh_config");
	for (int k = 0; k < SSH_NODE_COUNT; k++)
		for (int i = 1; i <= counts[k]; i++)
			fprintf(f, "Host %s-%d\n\tHostName 127.0.%d.%d\n\tPort %d\n", names[k], i, k + 1, i, fleet.ports[k]);
	fprintf(f,
	        "Host *\n\tHostKeyAlias bench\n\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile none\n\tStrictHostKeyChecking yes\n"
	        "\tIdentityFile %s\n\tIdentityAgent none\n",
	        process_file("known_hosts"), process_file("user_key"));
	finish(f, "ssh_config");
}

static void write_fleet_file(const int counts[SSH_NODE_COUNT], int interval_s)
{
	FILE *f = create("fleet.yml");
	fprintf(f, "fleet: machines\ndefaults: { interval: %ds, timeout: 5s, ssh: yes }\ngroups:\n", interval_s);
	for (int k = 0; k < SSH_NODE_COUNT; k++)
		if (counts[k] > 0)
			fprintf(f, "  - { name: %s, nodes: [ \"%s-[1-%d]\" ] }\n", names[k], names[k], counts[k]);
	finish(f, "fleet.yml");
}

/* ---- sshd ---- */

static struct sockaddr_in address_of(enum ssh_node_kind k, int i, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	a.sin_addr.s_addr = htonl(0x7f000000u | (uint32_t)(k + 1) << 8 | (uint32_t)i);
	return a;
}

struct sockaddr_in ssh_fleet_address(enum ssh_node_kind k, int n)
{
	return address_of(k, n, fleet.ports[k]);
}

/* That was free a moment ago on the kind's first address. */
static int free_port(enum ssh_node_kind k)
{
	struct sockaddr_in a = address_of(k, 1, 0);
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		give_up("find a port for", names[k]);
	close(fd);
	return ntohs(a.sin_port);
}

/* A login is not refused because many come at once, and this account's own ~/.bashrc is left out; the rest is as OpenSSH has it. */
static void write_sshd_config(const char *name, enum ssh_node_kind k, int first, int n)
{
	FILE *f = create(name);
	for (int i = first; i < first + n; i++)
		fprintf(f, "ListenAddress 127.0.%d.%d:%d\n", (int)k + 1, i, fleet.ports[k]);
	fprintf(f, "SetEnv HOME=%s%s%s%s\n", process_folder(), k == SSH_NODE_GPU ? " PATH=" : "", k == SSH_NODE_GPU ? process_folder() : "",
	        k == SSH_NODE_GPU ? ":/usr/local/bin:/usr/bin:/bin" : "");
	if (k == SSH_NODE_SHELL)
		fputs("ForceCommand exec sleep 600\n", f);
	fprintf(f,
	        "HostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nUsePAM no\nUseDNS no\nPasswordAuthentication no\n"
	        "KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 200\nPrintMotd no\nPrintLastLog no\n",
	        process_file("host_key"), process_file("authorized_keys"));
	finish(f, name);
}

static bool has_said(const char *name, const char *what)
{
	static char text[65536];
	FILE *f = fopen(process_file(name), "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);
	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	return strstr(text, what) != NULL;
}

static void start_sshd(enum ssh_node_kind k, int first, int n)
{
	char config[32], log[32], out[32], listens[80];
	int at = fleet.n_sshds++;
	snprintf(config, sizeof config, "sshd_config.%d", at);
	snprintf(log, sizeof log, "sshd_log.%d", at);
	snprintf(out, sizeof out, "sshd_out.%d", at);
	snprintf(listens, sizeof listens, "Server listening on 127.0.%d.%d port %d.", (int)k + 1, first + n - 1, fleet.ports[k]);
	write_sshd_config(config, k, first, n);
	const char *const argv[] = { server, "-D", "-e", "-f", process_file(config), NULL };
	fleet.sshds[at].kind = k;
	fleet.sshds[at].pid = process_start(argv, out, log);
	for (int ms = 0; !has_said(log, listens); ms += LOOK_MS) {
		if (ms > START_MS)
			give_up("start the sshd of", process_file(config));
		process_sleep_ms(LOOK_MS);
	}
}

/* The kernel accepts; nobody ever reads. */
static void start_mute(int i)
{
	struct sockaddr_in a = address_of(SSH_NODE_MUTE, i, fleet.ports[SSH_NODE_MUTE]);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	if (fd < 0 || fleet.n_mute == MUTE_MAX || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0)
		give_up("listen for", names[SSH_NODE_MUTE]);
	fleet.mute[fleet.n_mute++] = fd;
}

static void start_kind(enum ssh_node_kind k, int n)
{
	for (int i = 1; i <= n && k == SSH_NODE_MUTE; i++)
		start_mute(i);
	for (int first = 1; first <= n && k != SSH_NODE_MUTE; first += LISTEN_MAX) {
		if (fleet.n_sshds == SSHDS_MAX)
			give_up("start more sshds than", "16");
		start_sshd(k, first, n - first + 1 < LISTEN_MAX ? n - first + 1 : LISTEN_MAX);
	}
}

void ssh_fleet_start(const int counts[SSH_NODE_COUNT], int interval_s)
{
	if (geteuid() == 0 && mkdir("/run/sshd", 0755) != 0 && errno != EEXIST)
		give_up("make", "/run/sshd");
	write_keys();
	write_hanging_tool();
	for (int k = 0; k < SSH_NODE_COUNT; k++)
		fleet.ports[k] = free_port((enum ssh_node_kind)k);
	write_ssh_config(counts);
	write_fleet_file(counts, interval_s);
	for (int k = 0; k < SSH_NODE_COUNT; k++)
		start_kind((enum ssh_node_kind)k, counts[k]);
}

/* ---- the end ---- */

/* To all that a process has begun, those that began first. */
static void signal_children(pid_t pid, int number, int depth)
{
	char path[64];
	int child;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && depth < DEPTH_MAX && fscanf(f, "%d", &child) == 1) {
		signal_children(child, number, depth + 1);
		kill(child, number);
	}
	if (f != NULL)
		fclose(f);
}

void ssh_fleet_freeze(void)
{
	for (int i = 0; i < fleet.n_sshds; i++) {
		if (fleet.sshds[i].kind != SSH_NODE_STOPPED)
			continue;
		kill(fleet.sshds[i].pid, SIGSTOP);
		signal_children(fleet.sshds[i].pid, SIGSTOP, 0);
	}
}

/* What a session leaves behind when it ends (a shell that sleeps) is nobody's child any more: it is known by its HOME, which is our
 * folder. */
static bool has_our_home(const char *pid)
{
	static char environment[65536];
	char path[64], wanted[4200];
	snprintf(path, sizeof path, "/proc/%.16s/environ", pid);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(environment, 1, sizeof environment, f) : 0;
	if (f != NULL)
		fclose(f);
	int len = snprintf(wanted, sizeof wanted, "HOME=%s", process_folder());
	return memmem(environment, n, wanted, (size_t)len + 1) != NULL;
}

static void end_what_is_left(void)
{
	DIR *d = opendir("/proc");
	if (d == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 1 && pid != getpid() && has_our_home(entry->d_name))
			kill(pid, SIGKILL);
	}
	closedir(d);
}

void ssh_fleet_end(void)
{
	for (int i = 0; i < fleet.n_sshds; i++) {
		kill(fleet.sshds[i].pid, SIGSTOP); /* no new ones meanwhile */
		signal_children(fleet.sshds[i].pid, SIGKILL, 0);
		kill(fleet.sshds[i].pid, SIGKILL);
		process_wait(fleet.sshds[i].pid);
	}
	for (int i = 0; i < fleet.n_mute; i++)
		close(fleet.mute[i]);
	end_what_is_left();
	fleet.n_sshds = fleet.n_mute = 0;
}
