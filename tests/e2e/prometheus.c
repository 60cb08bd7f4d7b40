/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/prometheus.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
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
#include "base/json.h"

enum { START_MS = 60000, END_MS = 10000, LOOK_MS = 20, PORT_TRIES = 5, PATH = 512, ANSWER_MAX = 64 << 20 };

struct prometheus {
	pid_t pid;
	int   port;
	char  folder[64], rules[96];
	CURL *curl;
};

static int64_t now_ms(void) { return clock_mono_ms(clock_system()); }

static bool find_program(char path[PATH])
{
	const char *given = getenv("PITWALL_PROMETHEUS"), *dirs = getenv("PATH");
	if (given != NULL && given[0] != '\0') {
		snprintf(path, PATH, "%s", given);
		return access(path, X_OK) == 0;
	}
	for (const char *p = dirs != NULL ? dirs : ""; *p != '\0';) {
		size_t n = strcspn(p, ":");
		snprintf(path, PATH, "%.*s/prometheus", (int)n, p);
		if (n > 0 && access(path, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

bool prometheus_is_there(void)
{
	char path[PATH];
	return find_program(path);
}

const char *prometheus_rule_file(const struct prometheus *p) { return p->rules; }

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
static void become(const struct prometheus *p, const char *program)
{
	char config[PATH], storage[PATH], listen[64], log[PATH];
	snprintf(config, sizeof config, "--config.file=%s/config.yml", p->folder);
	snprintf(storage, sizeof storage, "--storage.tsdb.path=%s/data", p->folder);
	snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%d", p->port);
	snprintf(log, sizeof log, "%s/log", p->folder);
	int null = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	execl(program, program, config, storage, listen, "--log.level=warn", (char *)NULL);
	_exit(127);
}

static bool has_ended(struct prometheus *p)
{
	if (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == p->pid)
		p->pid = 0;
	return p->pid == 0;
}

static void end_program(struct prometheus *p)
{
	if (has_ended(p))
		return;
	kill(p->pid, SIGTERM);
	for (int64_t until = now_ms() + END_MS; !has_ended(p) && now_ms() < until;)
		poll(NULL, 0, LOOK_MS);
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		p->pid = 0;
	}
}

static enum err write_file(const char *folder, const char *name, const char *text, struct why *why)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	bool is_good = f != NULL && fputs(text, f) >= 0;
	if (f != NULL && fclose(f) != 0)
		is_good = false;
	return is_good ? ERR_OK : why_errno(why, errno, "cannot write '%s'", path);
}

/* ---- asking ---- */

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	return buf_put(arg, data, size * n) == ERR_OK ? size * n : 0;
}

static long ask(struct prometheus *p, const char *path, struct buf *answer)
{
	char url[4096];
	long status = -1;
	snprintf(url, sizeof url, "http://127.0.0.1:%d%s", p->port, path);
	curl_easy_reset(p->curl);
	curl_easy_setopt(p->curl, CURLOPT_URL, url);
	curl_easy_setopt(p->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, answer);
	if (curl_easy_perform(p->curl) != CURLE_OK || curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		return -1;
	return status;
}

struct cJSON *prometheus_query(struct prometheus *p, const char *expression, int64_t at_ms)
{
	struct buf answer;
	struct why why = { "" };
	char path[2048], *escaped = curl_easy_escape(NULL, expression, 0);
	cJSON *tree = NULL, *result = NULL;
	buf_init(&answer, ANSWER_MAX);
	size_t n = (size_t)snprintf(path, sizeof path, "/api/v1/query?query=%s", escaped);
	if (at_ms != 0 && n < sizeof path)
		snprintf(path + n, sizeof path - n, "&time=%lld.%03d", (long long)(at_ms / 1000), (int)(at_ms % 1000));
	curl_free(escaped);
	if (ask(p, path, &answer) == 200 && json_parse(answer.data, answer.len, NULL, &tree, &why) == ERR_OK)
		result = cJSON_DetachItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(tree, "data"), "result");
	cJSON_Delete(tree);
	buf_release(&answer);
	return result;
}

/* ---- life ---- */

static bool is_ready(struct prometheus *p)
{
	struct buf answer;
	buf_init(&answer, ANSWER_MAX);
	long status = ask(p, "/-/ready", &answer);
	buf_release(&answer);
	return status == 200;
}

static enum err say_log(const struct prometheus *p, struct why *why)
{
	char path[PATH], text[400] = "";
	snprintf(path, sizeof path, "%s/log", p->folder);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return why_set(why, ERR_IO, "Prometheus does not start: %s", text);
}

static enum err run_program(struct prometheus *p, const char *program, struct why *why)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		p->port = free_port();
		p->pid = fork();
		if (p->pid == 0)
			become(p, program);
		if (p->pid < 0)
			return why_errno(why, errno, "cannot fork");
		for (int64_t until = now_ms() + START_MS; !has_ended(p) && now_ms() < until;) {
			if (is_ready(p))
				return ERR_OK;
			poll(NULL, 0, LOOK_MS);
		}
		end_program(p); /* somebody else took the port, perhaps */
	}
	return say_log(p, why);
}

static enum err write_files(const struct prometheus *p, int port, const char *rules, struct why *why)
{
	char config[1024];
	snprintf(config, sizeof config,
	         "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
	         "rule_files: [ '%s' ]\n"
	         "scrape_configs:\n"
	         "  - job_name: j\n"
	         "    static_configs: [ { targets: [ '127.0.0.1:%d' ] } ]\n",
	         p->rules, port);
	enum err e = write_file(p->folder, "config.yml", config, why);
	return e == ERR_OK ? write_file(p->folder, "rules.yml", rules, why) : e;
}

enum err prometheus_new(struct prometheus **out, struct why *why)
{
	struct prometheus *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	snprintf(p->folder, sizeof p->folder, "/tmp/pitwall-prometheus-XXXXXX");
	if (mkdtemp(p->folder) == NULL) {
		free(p);
		return why_errno(why, errno, "cannot make a folder");
	}
	snprintf(p->rules, sizeof p->rules, "%s/rules.yml", p->folder);
	p->curl = curl_easy_init();
	if (p->curl == NULL) {
		prometheus_stop(p);
		return why_memory(why);
	}
	*out = p;
	return ERR_OK;
}

enum err prometheus_start(struct prometheus *p, int port, const char *rules, struct why *why)
{
	char program[PATH];
	enum err e = find_program(program) ? ERR_OK : why_set(why, ERR_NOT_FOUND, "Prometheus is not installed");
	if (e == ERR_OK)
		e = write_files(p, port, rules, why);
	return e == ERR_OK ? run_program(p, program, why) : e;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void prometheus_stop(struct prometheus *p)
{
	if (p == NULL)
		return;
	end_program(p);
	nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	curl_easy_cleanup(p->curl);
	free(p);
}
