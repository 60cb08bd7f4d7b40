/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/alertmanager.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { START_MS = 60000, END_MS = 10000, LOOK_MS = 10, PORT_TRIES = 5, PATH = 512, ANSWER_MAX = 16 << 20 };

struct alertmanager {
	pid_t pid;
	int   port;
	char  folder[64];
	CURL *curl;
};

static int64_t now_ms(void) { return clock_mono_ms(clock_system()); }

/* ---- the program ---- */

static bool find_in_path(const char *name, char path[PATH])
{
	const char *dirs = getenv("PATH");
	for (const char *p = dirs != NULL ? dirs : ""; *p != '\0';) {
		size_t n = strcspn(p, ":");
		snprintf(path, PATH, "%.*s/%s", (int)n, p, name);
		if (n > 0 && access(path, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

static bool find_program(char path[PATH])
{
	const char *given = getenv("PITWALL_ALERTMANAGER");
	if (given != NULL && given[0] != '\0') {
		snprintf(path, PATH, "%s", given);
		return access(path, X_OK) == 0;
	}
	return find_in_path("prometheus-alertmanager", path) || find_in_path("alertmanager", path);
}

bool alertmanager_is_there(void)
{
	char path[PATH];
	return find_program(path);
}

int alertmanager_port(const struct alertmanager *a) { return a->port; }

/* One that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0)
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

/* In the child. */
static void become(const struct alertmanager *a, const char *program)
{
	char config[PATH], storage[PATH], listen[64], log[PATH];
	snprintf(config, sizeof config, "--config.file=%s/config.yml", a->folder);
	snprintf(storage, sizeof storage, "--storage.path=%s/data", a->folder);
	snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%d", a->port);
	snprintf(log, sizeof log, "%s/log", a->folder);
	int null = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	execl(program, program, config, storage, listen, "--cluster.listen-address=", (char *)NULL);
	_exit(127);
}

static bool has_ended(struct alertmanager *a)
{
	if (a->pid > 0 && waitpid(a->pid, NULL, WNOHANG) == a->pid)
		a->pid = 0;
	return a->pid == 0;
}

static void end_program(struct alertmanager *a)
{
	if (has_ended(a))
		return;
	kill(a->pid, SIGTERM);
	for (int64_t until = now_ms() + END_MS; !has_ended(a) && now_ms() < until;)
		poll(NULL, 0, LOOK_MS);
	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		waitpid(a->pid, NULL, 0);
		a->pid = 0;
	}
}

/* The end of what it said. */
static enum err say_log(const struct alertmanager *a, struct why *why)
{
	char path[PATH], text[400] = "";
	snprintf(path, sizeof path, "%s/log", a->folder);
	FILE *f = fopen(path, "r");
	if (f != NULL && fseek(f, -(long)(sizeof text - 1), SEEK_END) != 0)
		rewind(f);
	size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return why_set(why, ERR_IO, "Alertmanager does not start: %s", text);
}

static bool is_ready(struct alertmanager *a)
{
	struct buf answer;
	buf_init(&answer, ANSWER_MAX);
	long status = alertmanager_ask(a, "GET", "/-/ready", NULL, &answer);
	buf_release(&answer);
	return status == 200;
}

static enum err run_program(struct alertmanager *a, const char *program, struct why *why)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		a->port = free_port();
		a->pid = fork();
		if (a->pid == 0)
			become(a, program);
		if (a->pid < 0)
			return why_errno(why, errno, "cannot fork");
		for (int64_t until = now_ms() + START_MS; !has_ended(a) && now_ms() < until;) {
			if (is_ready(a))
				return ERR_OK;
			poll(NULL, 0, LOOK_MS);
		}
		end_program(a); /* somebody else took the port, perhaps */
	}
	return say_log(a, why);
}

static enum err write_config(const struct alertmanager *a, const char *config, struct why *why)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s/config.yml", a->folder);
	FILE *f = fopen(path, "w");
	bool is_good = f != NULL && fputs(config, f) >= 0;
	if (f != NULL && fclose(f) != 0)
		is_good = false;
	return is_good ? ERR_OK : why_errno(why, errno, "cannot write '%s'", path);
}

enum err alertmanager_start(const char *config, struct alertmanager **out, struct why *why)
{
	char program[PATH];
	struct alertmanager *a = calloc(1, sizeof *a);
	if (a == NULL)
		return why_memory(why);
	snprintf(a->folder, sizeof a->folder, "/tmp/pitwall-alertmanager-XXXXXX");
	enum err e = find_program(program) ? ERR_OK : why_set(why, ERR_NOT_FOUND, "Alertmanager is not installed");
	if (mkdtemp(a->folder) == NULL) {
		free(a);
		return why_errno(why, errno, "cannot make a folder");
	}
	a->curl = curl_easy_init();
	if (e == ERR_OK && a->curl == NULL)
		e = why_memory(why);
	if (e == ERR_OK)
		e = write_config(a, config, why);
	if (e == ERR_OK)
		e = run_program(a, program, why);
	if (e == ERR_OK)
		*out = a;
	else
		alertmanager_stop(a);
	return e;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void alertmanager_stop(struct alertmanager *a)
{
	if (a == NULL)
		return;
	end_program(a);
	nftw(a->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	curl_easy_cleanup(a->curl);
	free(a);
}

/* ---- asking ---- */

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	return buf_put(arg, data, size * n) == ERR_OK ? size * n : 0;
}

long alertmanager_ask(struct alertmanager *a, const char *method, const char *path, const char *body, struct buf *answer)
{
	char url[4096];
	long status = -1;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	snprintf(url, sizeof url, "http://127.0.0.1:%d%s", a->port, path);
	curl_easy_reset(a->curl);
	curl_easy_setopt(a->curl, CURLOPT_URL, url);
	curl_easy_setopt(a->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(a->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(a->curl, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, answer);
	if (body != NULL)
		curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(a->curl) != CURLE_OK || curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		status = -1;
	curl_slist_free_all(headers);
	return status;
}

enum err alertmanager_put_escaped(struct buf *path, const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	if (escaped == NULL)
		return ERR_MEMORY;
	enum err e = buf_puts(path, escaped);
	curl_free(escaped);
	return e;
}
