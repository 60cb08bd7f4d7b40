/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/service.h"

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

enum { START_MS = 60000, END_MS = 10000, LOOK_MS = 10, PORT_TRIES = 5, PATH = 512, ANSWER_MAX = 1 << 20 };

struct service {
	const struct service_kind *kind;
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

static bool find_program(const struct service_kind *k, char path[PATH])
{
	const char *given = getenv(k->variable);
	if (given != NULL && given[0] != '\0') {
		snprintf(path, PATH, "%s", given);
		return access(path, X_OK) == 0;
	}
	for (size_t i = 0; k->names[i] != NULL; i++)
		if (find_in_path(k->names[i], path))
			return true;
	return false;
}

bool service_is_there(const struct service_kind *k)
{
	char path[PATH];
	return find_program(k, path);
}

int         service_port(const struct service *s) { return s->port; }
const char *service_folder(const struct service *s) { return s->folder; }

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
static void become(const struct service *s, const char *program)
{
	char config[PATH], storage[PATH], listen[64], log[PATH];
	snprintf(config, sizeof config, "--config.file=%s/config.yml", s->folder);
	snprintf(storage, sizeof storage, "%s=%s/data", s->kind->storage, s->folder);
	snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%d", s->port);
	snprintf(log, sizeof log, "%s/log", s->folder);
	int null = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	execl(program, program, config, storage, listen, s->kind->more, (char *)NULL);
	_exit(127);
}

static bool has_ended(struct service *s)
{
	if (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == s->pid)
		s->pid = 0;
	return s->pid == 0;
}

static void end_program(struct service *s)
{
	if (has_ended(s))
		return;
	kill(s->pid, SIGTERM);
	for (int64_t until = now_ms() + END_MS; !has_ended(s) && now_ms() < until;)
		poll(NULL, 0, LOOK_MS);
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		s->pid = 0;
	}
}

/* The end of what it said. */
static enum err say_log(const struct service *s, struct why *why)
{
	char path[PATH], text[400] = "";
	snprintf(path, sizeof path, "%s/log", s->folder);
	FILE *f = fopen(path, "r");
	if (f != NULL && fseek(f, -(long)(sizeof text - 1), SEEK_END) != 0)
		rewind(f);
	size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return why_set(why, ERR_IO, "%s does not start: %s", s->kind->title, text);
}

static bool is_ready(struct service *s)
{
	struct buf answer;
	buf_init(&answer, ANSWER_MAX);
	long status = service_ask(s, "GET", "/-/ready", NULL, &answer);
	buf_release(&answer);
	return status == 200;
}

static enum err run_program(struct service *s, const char *program, struct why *why)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		s->port = free_port();
		s->pid = fork();
		if (s->pid == 0)
			become(s, program);
		if (s->pid < 0)
			return why_errno(why, errno, "cannot fork");
		for (int64_t until = now_ms() + START_MS; !has_ended(s) && now_ms() < until;) {
			if (is_ready(s))
				return ERR_OK;
			poll(NULL, 0, LOOK_MS);
		}
		end_program(s); /* somebody else took the port, perhaps */
	}
	return say_log(s, why);
}

enum err service_write(const struct service *s, const char *name, const char *text, struct why *why)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s/%s", s->folder, name);
	FILE *f = fopen(path, "w");
	bool is_good = f != NULL && fputs(text, f) >= 0;
	if (f != NULL && fclose(f) != 0)
		is_good = false;
	return is_good ? ERR_OK : why_errno(why, errno, "cannot write '%s'", path);
}

enum err service_new(const struct service_kind *k, struct service **out, struct why *why)
{
	struct service *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->kind = k;
	snprintf(s->folder, sizeof s->folder, "/tmp/pitwall-service-XXXXXX");
	if (mkdtemp(s->folder) == NULL) {
		free(s);
		return why_errno(why, errno, "cannot make a folder");
	}
	s->curl = curl_easy_init();
	if (s->curl == NULL) {
		service_stop(s);
		return why_memory(why);
	}
	*out = s;
	return ERR_OK;
}

enum err service_start(struct service *s, struct why *why)
{
	char program[PATH];
	if (!find_program(s->kind, program))
		return why_set(why, ERR_NOT_FOUND, "%s is not installed", s->kind->title);
	return run_program(s, program, why);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void service_stop(struct service *s)
{
	if (s == NULL)
		return;
	end_program(s);
	nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	curl_easy_cleanup(s->curl);
	free(s);
}

/* ---- asking ---- */

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	return buf_put(arg, data, size * n) == ERR_OK ? size * n : 0;
}

long service_ask(struct service *s, const char *method, const char *path, const char *body, struct buf *answer)
{
	char url[4096];
	long status = -1;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	snprintf(url, sizeof url, "http://127.0.0.1:%d%s", s->port, path);
	curl_easy_reset(s->curl);
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, answer);
	if (body != NULL)
		curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(s->curl) != CURLE_OK || curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		status = -1;
	curl_slist_free_all(headers);
	return status;
}

enum err service_put_escaped(struct buf *path, const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	if (escaped == NULL)
		return ERR_MEMORY;
	enum err e = buf_puts(path, escaped);
	curl_free(escaped);
	return e;
}
