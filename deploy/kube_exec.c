/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/kube_config.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum { COMPLAINT_MAX = 4096, COMPLAINT_SHOWN = 200, LEEWAY_MS = 10 * 1000, ENV_MAX = 4096 };

/* ---- what it printed ---- */

static bool is_pem(const char *text)
{
	return strncmp(text, "-----BEGIN ", 11) == 0 && strlen(text) <= LOGIN_PEM_MAX;
}

static enum err take_status(const cJSON *status, struct login *out, struct why *why)
{
	const char *token = "", *cert = "", *key = "";
	static const char *const names[] = { "token", "clientCertificateData", "clientKeyData" };
	const char **to[] = { &token, &cert, &key };
	for (size_t i = 0; i < 3; i++) {
		enum err e = json_get_string(status, names[i], LOGIN_PEM_MAX, to[i], NULL);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return why_set(why, e, "status.%s of its answer is no text, or too long", names[i]);
	}
	if ((cert[0] != '\0') != (key[0] != '\0'))
		return why_set(why, ERR_FORMAT, "its answer has a certificate or a key without the other");
	if (token[0] == '\0' && cert[0] == '\0')
		return why_set(why, ERR_FORMAT, "its answer has neither a token nor a certificate");
	if (cert[0] != '\0' && (!is_pem(cert) || !is_pem(key)))
		return why_set(why, ERR_FORMAT, "the certificate or key of its answer is no PEM");
	if (cert[0] != '\0') {
		out->cert = strdup(cert);
		out->key = strdup(key);
		if (out->cert == NULL || out->key == NULL)
			return why_memory(why);
	}
	if (token[0] == '\0')
		return ERR_OK;
	out->auth = LOGIN_BEARER;
	return secret_of(token, strlen(token), &out->secret, why);
}

/* What cJSON copied is wiped too. */
static void wipe(cJSON *o)
{
	for (cJSON *one = o; one != NULL; one = one->next) {
		if (one->valuestring != NULL)
			explicit_bzero(one->valuestring, strlen(one->valuestring));
		wipe(one->child);
	}
}

enum err kube_credential_read(const char *text, size_t n, const char *version, int64_t now_ms, struct login *out, struct why *why)
{
	cJSON *o = NULL;
	const cJSON *status = NULL;
	const char *kind = "", *is = "", *end = "";
	struct why quiet;
	int64_t end_ms = now_ms + KUBE_REUSE_EXEC_MS;
	if (json_parse(text, n, NULL, &o, &quiet) != ERR_OK) /* its sentence may quote */
		return why_set(why, ERR_FORMAT, "its answer is no JSON");
	json_get_string(o, "kind", 64, &kind, NULL);
	json_get_string(o, "apiVersion", 64, &is, NULL);
	json_get_object(o, "status", &status, NULL);
	enum err e = ERR_OK;
	if (strcmp(kind, "ExecCredential") != 0 || strcmp(is, version) != 0)
		e = why_set(why, ERR_FORMAT, "its answer is no ExecCredential of %s", version);
	else if (status == NULL)
		e = why_set(why, ERR_FORMAT, "its answer has no status");
	if (e == ERR_OK && json_get_string(status, "expirationTimestamp", 64, &end, NULL) == ERR_OK && (strchr(end, 'T') == NULL || parse_time(end, now_ms, &end_ms, NULL) != ERR_OK))
		e = why_set(why, ERR_FORMAT, "status.expirationTimestamp of its answer is no time");
	if (e == ERR_OK)
		e = take_status(status, out, why);
	if (e == ERR_OK)
		out->until_ms = end_ms - LEEWAY_MS > now_ms ? end_ms - LEEWAY_MS : 0;
	wipe(o);
	cJSON_Delete(o);
	return e;
}

/* ---- running it ---- */

/* Ours with those of the kubeconfig before them: the first of a name counts with getenv. */
static const char **environment(const char *const *more)
{
	const char **all = calloc(ENV_MAX + 1, sizeof *all);
	size_t n = 0;
	for (; all != NULL && *more != NULL && n < ENV_MAX; more++)
		all[n++] = *more;
	size_t n_more = n;
	for (char **one = environ; all != NULL && *one != NULL && n < ENV_MAX; one++) {
		size_t name = strcspn(*one, "="), i = 0;
		while (i < n_more && (strncmp(all[i], *one, name) != 0 || all[i][name] != '='))
			i++;
		if (i == n_more)
			all[n++] = *one;
	}
	return all;
}

/* A process group of its own, nothing on its input. */
static enum err start(const struct kube_command *c, int out, int err, pid_t *pid, struct why *why)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	const char **env = environment(c->env);
	if (env == NULL)
		return why_memory(why);
	if (posix_spawn_file_actions_init(&files) != 0) {
		free(env);
		return why_memory(why);
	}
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		free(env);
		return why_memory(why);
	}
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, err, 2);
	/* posix_spawnp's types have no const; it does not write to the words. */
	union {
		const char *const *lent;
		char *const       *words;
	} argv = { .lent = c->argv }, envp = { .lent = env };
	int failed = posix_spawnp(pid, c->argv[0], &files, &attributes, argv.words, envp.words);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	free(env);
	return failed != 0 ? why_errno(why, failed, "cannot run '%.200s', which gives the credentials", c->argv[0]) : ERR_OK;
}

/* Its next piece; false: the end. What is past the ceiling is read and dropped. */
static bool take(int fd, struct buf *to, size_t max)
{
	char piece[4096];
	ssize_t n = read(fd, piece, sizeof piece);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n > 0 && to->len + (size_t)n <= max)
		buf_put(to, piece, (size_t)n);
	else if (n > 0)
		to->err = ERR_LIMIT;
	explicit_bzero(piece, sizeof piece);
	return n > 0;
}

/* Both outputs until their ends. False: the deadline has passed. */
static bool collect(const int fds[2], struct buf *said, struct buf *complained, int64_t deadline_ms)
{
	struct pollfd waiting[2] = { { .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN } };
	while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
		int64_t left = deadline_ms - clock_mono_ms(clock_system());
		if (left <= 0)
			return false;
		if (poll(waiting, 2, left > 1000 ? 1000 : (int)left) <= 0)
			continue;
		if (waiting[0].revents != 0 && !take(fds[0], said, KUBE_EXEC_OUTPUT_MAX))
			waiting[0].fd = -1;
		if (waiting[1].revents != 0 && !take(fds[1], complained, COMPLAINT_MAX))
			waiting[1].fd = -1;
	}
	return true;
}

/* Until it has ended; past the deadline it is made to. False: it was. */
static bool reap(pid_t pid, int64_t deadline_ms, int *status)
{
	bool in_time = true;
	*status = 0;
	for (;;) {
		pid_t got = waitpid(pid, status, in_time ? WNOHANG : 0);
		if (got == pid || (got < 0 && errno == ECHILD))
			return in_time;
		if (in_time && clock_mono_ms(clock_system()) >= deadline_ms) {
			kill(-pid, SIGKILL);
			in_time = false;
		}
		if (in_time)
			(void)poll(NULL, 0, 5);
	}
}

/* Its last line, made safe. */
static void put_complaint(const struct buf *complained, struct buf *to)
{
	const char *text = buf_text(complained);
	size_t n = complained->len;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	size_t from = n;
	while (from > 0 && text[from - 1] != '\n')
		from--;
	if (n > from) {
		buf_puts(to, ": ");
		text_cut(to, text + from, n - from, COMPLAINT_SHOWN);
	}
}

static enum err failed(const struct kube_command *c, int status, const struct buf *complained, struct why *why)
{
	struct buf text;
	buf_init(&text, 8 * COMPLAINT_MAX);
	put_complaint(complained, &text);
	enum err e;
	if (WIFSIGNALED(status))
		e = why_set(why, ERR_IO, "'%.100s', which gives the credentials, was killed by signal %d", c->argv[0], WTERMSIG(status));
	else
		e = why_set(why, WEXITSTATUS(status) == 127 ? ERR_NOT_FOUND : ERR_IO, "'%.100s', which gives the credentials, failed with status %d%s", c->argv[0],
		            WEXITSTATUS(status), buf_text(&text));
	buf_release(&text);
	return e;
}

static void close_both(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static enum err run(const struct kube_command *c, struct buf *said, struct buf *complained, struct why *why)
{
	int out[2], err[2], status = 0;
	pid_t pid;
	int64_t deadline_ms = clock_mono_ms(clock_system()) + (c->timeout_ms > 0 ? c->timeout_ms : KUBE_EXEC_TIMEOUT_MS);
	if (pipe2(out, O_CLOEXEC) != 0)
		return why_errno(why, errno, "cannot make a pipe");
	if (pipe2(err, O_CLOEXEC) != 0) {
		close_both(out);
		return why_errno(why, errno, "cannot make a pipe");
	}
	enum err e = start(c, out[1], err[1], &pid, why);
	close(out[1]);
	close(err[1]);
	if (e == ERR_OK) {
		const int fds[2] = { out[0], err[0] };
		bool in_time = collect(fds, said, complained, deadline_ms);
		if (!in_time)
			kill(-pid, SIGKILL);
		in_time = reap(pid, deadline_ms, &status) && in_time;
		if (!in_time)
			e = why_set(why, ERR_TIMEOUT, "'%.200s', which gives the credentials, took too long and was stopped", c->argv[0]);
		else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			e = failed(c, status, complained, why);
	}
	close(out[0]);
	close(err[0]);
	return e;
}

enum err kube_command_login(const struct kube_command *c, struct login *out, struct why *why)
{
	struct buf said, complained;
	buf_init(&said, KUBE_EXEC_OUTPUT_MAX);
	buf_init(&complained, COMPLAINT_MAX);
	if (buf_room(&said, KUBE_EXEC_OUTPUT_MAX - 1) == NULL) { /* at once: growing would leave copies behind */
		buf_release(&said);
		return why_memory(why);
	}
	enum err e = run(c, &said, &complained, why);
	if (e == ERR_OK && said.err != ERR_OK)
		e = why_set(why, ERR_LIMIT, "'%.200s', which gives the credentials, says more than %d bytes", c->argv[0], KUBE_EXEC_OUTPUT_MAX);
	if (e == ERR_OK) {
		e = kube_credential_read(buf_text(&said), said.len, c->version, c->now_ms, out, why);
		if (e != ERR_OK)
			why_prefix(why, e, "'%.100s', which gives the credentials", c->argv[0]);
	}
	if (said.data != NULL)
		explicit_bzero(said.data, said.len);
	buf_release(&said);
	buf_release(&complained);
	return e;
}
