/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ssh_control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "collectors/ssh_route.h"

enum { DIR_MAX = CONTROL_PATH - 1 - CONTROL_NAME - 1, EXIT_MS = 3000, LOOK_MS = 5, WHO_MAX = 8 * 1024 };

/* ---- the folder ---- */

/* No character that ssh's configuration, or a shell, could take for anything. */
static bool is_plain(const char *path)
{
	return path[0] == '/' && path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")] == '\0';
}

enum err ssh_control_dir(struct buf *to, struct why *why)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (runtime != NULL && is_plain(runtime) && strlen(runtime) + strlen("/pitwall") <= DIR_MAX)
		buf_printf(to, "%s/pitwall", runtime);
	else
		buf_printf(to, "/tmp/pitwall-%lu", (unsigned long)geteuid());
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "no folder for logins: %s", err_text(to->err));
}

static bool is_ours_alone(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 077) == 0;
}

enum err ssh_control_make(const char *dir, struct why *why)
{
	struct stat st;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return why_errno(why, errno, "cannot make folder '%s'", dir);
	if (lstat(dir, &st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", dir);
	if (!is_ours_alone(&st))
		return why_set(why, ERR_DENIED, "'%s' is not a folder that is yours alone: logins are not kept there", dir);
	return ERR_OK;
}

/* ---- sockets ---- */

/* A digest, lest a name that somebody else chose be made to mean another machine's socket. */
static bool name_socket(const char *dir, const char *who, char to[CONTROL_PATH])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	size_t len = strlen(dir);
	if (len > DIR_MAX || EVP_Digest(who, strlen(who), digest, &n, EVP_sha256(), NULL) != 1 || n < CONTROL_NAME / 2)
		return false;
	memcpy(to, dir, len);
	to[len++] = '/';
	for (size_t i = 0; i < CONTROL_NAME / 2; i++)
		len += (size_t)snprintf(to + len, CONTROL_PATH - len, "%02x", digest[i]);
	return true;
}

bool ssh_control_path(const char *dir, const char *destination, const char *user, int port, char to[CONTROL_PATH])
{
	char who[WHO_MAX];
	int n = snprintf(who, sizeof who, "machine|%s|%s|%d", destination, user != NULL ? user : "", port);
	return n < (int)sizeof who && name_socket(dir, who, to);
}

bool ssh_control_jump_path(const char *dir, const char *hop_key, char to[CONTROL_PATH])
{
	char who[WHO_MAX];
	int n = snprintf(who, sizeof who, "jump|%s", hop_key);
	return n < (int)sizeof who && name_socket(dir, who, to);
}

bool ssh_control_is_there(const char *path)
{
	char dir[CONTROL_PATH];
	struct stat st;
	const char *slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) >= sizeof dir)
		return false;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid() && lstat(dir, &st) == 0 && is_ours_alone(&st);
}

/* ---- ending one ---- */

static int start(char *const *argv, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	int failed = posix_spawn_file_actions_init(&files);
	if (failed != 0)
		return failed;
	failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	failed = failed == 0 ? posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) : failed;
	failed = failed == 0 ? posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) : failed;
	failed = failed == 0 ? posix_spawnp(pid, argv[0], &files, NULL, argv, environ) : failed;
	posix_spawn_file_actions_destroy(&files);
	return failed;
}

/* The client speaks to the socket alone, so that the host's name is of no matter. */
void ssh_control_exit(const char *path)
{
	char ssh[] = "ssh", no_file[] = "-F", none[] = "none", socket_option[] = "-S", order[] = "-O", leave[] = "exit", end[] = "--", host[] = "master";
	char socket_path[CONTROL_PATH];
	char *const argv[] = { ssh, no_file, none, socket_option, socket_path, order, leave, end, host, NULL };
	int64_t deadline_ms = clock_mono_ms(clock_system()) + EXIT_MS;
	pid_t pid = 0;
	if (!ssh_control_is_there(path) || snprintf(socket_path, sizeof socket_path, "%s", path) >= (int)sizeof socket_path || start(argv, &pid) != 0)
		return;
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_mono_ms(clock_system()) >= deadline_ms)
			kill(pid, SIGKILL);
		(void)poll(NULL, 0, LOOK_MS);
	}
}

/* ---- how a person logs in ---- */

static const char *locked_key(const struct route_hop *h)
{
	for (size_t i = 0; i < h->n_keys; i++)
		if (h->keys[i].state == ROUTE_KEY_LOCKED)
			return h->keys[i].path;
	return NULL;
}

static bool is_socket(const char *path)
{
	struct stat st;
	return path != NULL && stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void plan_key(const struct route_hop *h, enum reach failure, struct ssh_login_plan *p)
{
	const char *key = locked_key(h), *agent = h->settings.identity_agent;
	p->is_key = failure == REACH_PASSPHRASE && key != NULL && is_socket(agent) && strlen(key) < sizeof p->file && strlen(agent) < sizeof p->agent;
	if (!p->is_key)
		return;
	snprintf(p->file, sizeof p->file, "%s", key);
	snprintf(p->agent, sizeof p->agent, "%s", agent);
}

/* `h` NULL: the machine as it was asked for. */
static enum err fill_plan(const struct route_hop *h, const char *dir, enum reach failure, struct ssh_login_plan *p, struct why *why)
{
	bool has_path;
	p->is_jump = p->is_jump && h != NULL;
	if (h != NULL)
		plan_key(h, failure, p);
	if (h != NULL && p->is_jump) {
		snprintf(p->destination, sizeof p->destination, "%s", h->settings.destination);
		snprintf(p->user, sizeof p->user, "%s", h->settings.user);
		p->port = h->settings.port;
		has_path = ssh_control_jump_path(dir, h->key, p->path);
	} else {
		has_path = ssh_control_path(dir, p->destination, p->user, p->port, p->path);
	}
	return has_path ? ERR_OK : why_set(why, ERR_LIMIT, "the path '%s' is too long for a socket", dir);
}

enum err ssh_login_plan(const char *dir, const char *destination, const char *user, int port, const char *config_file, enum reach failure,
                        bool is_on_the_way, struct ssh_login_plan *out, struct why *why)
{
	struct ssh_local local;
	struct route route;
	enum err e = ssh_local_init(&local, why);
	if (e != ERR_OK)
		return e;
	memset(out, 0, sizeof *out);
	snprintf(out->destination, sizeof out->destination, "%s", destination);
	snprintf(out->user, sizeof out->user, "%s", user != NULL ? user : "");
	out->port = port;
	route_read(&route, &local.machine, destination, user, port, config_file);
	out->is_jump = is_on_the_way && route.n > 1;
	e = fill_plan(route.n == 0 ? NULL : &route.hops[route.n - (out->is_jump ? 2 : 1)], dir, failure, out, why);
	if (route.result == REACH_CONFIG)
		e = why_set(why, ERR_FORMAT, "%s", route.text);
	route_release(&route);
	ssh_local_release(&local);
	return e;
}
