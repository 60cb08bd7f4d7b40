/* SPDX-License-Identifier: Apache-2.0
 *
 * A server whose metrics attack who looks at them: what its labels say goes through a scrape into the store, and out through everything
 * that prints. What comes out acts on no terminal and keeps to its format. */
#include "tests/unit/unit.h"

#include "tests/e2e/pty.h"
#include "tests/unit/recorder/page_server.h"

#include <cjson/cJSON.h>
#include <ftw.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 8 * 1024 * 1024, LONG_LABEL = 10000 };

/* A title, a cleared screen, a reply that would be typed, an 8-bit CSI in UTF-8, an override of the writing direction, wide characters, a
 * formula. */
#define ATTACK "=cmd|calc\033]0;owned\007\033[2J\033[6n\302\2332J\342\200\256gpj\347\225\214\347\225\214\\\"',\\n\\\\end"

static struct page_server *server;
static char folder[] = "/tmp/pitwall-hostile-XXXXXX", fleet[64], store[64];
static char *output;

static const char *program(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static void set_page(const char *end)
{
	static char page[LONG_LABEL + 4096];
	static char many[LONG_LABEL + 1];
	memset(many, 'w', LONG_LABEL);
	snprintf(page, sizeof page,
	         "vllm:num_requests_running{model_name=\"" ATTACK "\"} 3\nvllm:num_requests_waiting{model_name=\"" ATTACK "\"} 4\n"
	         "vllm:generation_tokens_total{model_name=\"" ATTACK "\"} 5\n"
	         "evil{x=\"" ATTACK "\"} 7\nlong{x=\"%s\"} 8\n%s", many, end);
	page_server_set(server, "/metrics", page);
}

static int set_up(void **state)
{
	(void)state;
	server = page_server_start();
	output = malloc(OUTPUT_MAX + 1);
	if (server == NULL || output == NULL || mkdtemp(folder) == NULL)
		return -1;
	snprintf(fleet, sizeof fleet, "%s/fleet.yml", folder);
	snprintf(store, sizeof store, "%s/a.db", folder);
	FILE *f = fopen(fleet, "w");
	if (f == NULL)
		return -1;
	fprintf(f, "defaults: { interval: 1s, timeout: 1s }\n"
		   "groups: [ { name: g, model: \"m\\u4e16\\u754c, \\\"q\\\"\", targets: [ \"http://127.0.0.1:%d/metrics\" ] } ]\n",
	        page_server_port(server));
	set_page("");
	return fclose(f);
}

static int tear_down(void **state)
{
	(void)state;
	page_server_stop(server);
	free(output);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs pitwall with these words; its output (errors too) goes to `output`. */
static int run(const char *const *words)
{
	const char *argv[16] = { program() };
	int fds[2], status = -1;
	size_t n = 0;
	for (size_t i = 0; words[i] != NULL && i < 14; i++)
		argv[i + 1] = words[i];
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], (char **)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	for (ssize_t got; n < OUTPUT_MAX && (got = read(fds[0], output + n, OUTPUT_MAX - n)) > 0;)
		n += (size_t)got;
	output[n] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(strlen(output), n);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Bytes that act on a terminal, and characters that turn text around: none but line ends. */
static void assert_safe(const char *what, const char *text)
{
	static const char *const bad[] = { "\033", "\007", "\b", "\302\233", "\302\235", "\342\200\256", "\342\200\255", "\342\201\246" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (strstr(text, bad[i]) != NULL)
			fail_msg("%s: byte %02x comes through: %.300s", what, (unsigned char)bad[i][0], text);
	for (const char *p = text; (p = strchr(p, '\r')) != NULL; p++)
		if (p[1] != '\n') /* CSV ends its lines so */
			fail_msg("%s: a carriage return comes through: %.300s", what, text);
}

static void assert_json(const char *what, const char *text)
{
	cJSON *json = cJSON_Parse(text);
	if (json == NULL)
		fail_msg("%s is no JSON: %.300s", what, text);
	cJSON_Delete(json);
}

/* Every row has the columns of the first, and no cell begins as a formula does. Source: RFC 4180. */
static void assert_csv(const char *what, const char *text)
{
	size_t columns = 0, n = 1;
	bool is_quoted = false, is_first = true;
	for (const char *p = text; *p != '\0'; p++) {
		if (is_first && (*p == '=' || *p == '@' || (*p == '"' && (p[1] == '=' || p[1] == '@'))))
			fail_msg("%s: a cell is a formula: %.80s", what, p);
		is_first = false;
		is_quoted = *p == '"' ? !is_quoted : is_quoted;
		if (is_quoted || (*p != ',' && *p != '\n'))
			continue;
		is_first = true;
		if (*p == ',') {
			n++;
			continue;
		}
		columns = columns == 0 ? n : columns;
		if (n != columns)
			fail_msg("%s: %zu columns, and then %zu: %.300s", what, columns, n, text);
		n = 1;
	}
	assert_false(is_quoted);
}

static void printed(void **state)
{
	static const struct {
		const char *label, *words[8], *format;
	} rows[] = {
		{ "status table", { "status", NULL }, "table" },
		{ "status json", { "status", NULL }, "json" },
		{ "status csv", { "status", NULL }, "csv" },
		{ "query table", { "query", "{x=~\".+\"}", NULL }, "table" },
		{ "query json", { "query", "{x=~\".+\"}", NULL }, "json" },
		{ "query csv", { "query", "{x=~\".+\"}", NULL }, "csv" },
		{ "range table", { "query", "evil", "--start", "1m ago", "--step", "5s", NULL }, "table" },
		{ "range json", { "query", "evil", "--start", "1m ago", "--step", "5s", NULL }, "json" },
		{ "range csv", { "query", "evil", "--start", "1m ago", "--step", "5s", NULL }, "csv" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *words[16] = { rows[i].words[0], "--store", store, "--format", rows[i].format };
		size_t n = 5;
		if (strcmp(words[0], "status") == 0) {
			words[n++] = "--config";
			words[n++] = fleet;
		}
		for (size_t k = 1; rows[i].words[k] != NULL; k++)
			words[n++] = rows[i].words[k];
		if (run(words) != 0)
			fail_msg("%s: %.300s", rows[i].label, output);
		bool is_query = strcmp(words[0], "query") == 0;
		if (is_query && strstr(output, "gpj") == NULL)
			fail_msg("%s: the label is not there: %.300s", rows[i].label, output);
		assert_safe(rows[i].label, output);
		if (strcmp(rows[i].format, "json") == 0)
			assert_json(rows[i].label, output);
		if (strcmp(rows[i].format, "csv") == 0)
			assert_csv(rows[i].label, output);
	}
}

/* The page's own bytes come back in a complaint, which becomes an event. */
static void told(void **state)
{
	const char *const words[] = { "status", "--config", fleet, "--store", store, NULL };
	(void)state;
	set_page("broken \033[31m\302\2332J\342\200\256\n");
	int code = run(words);
	assert_true(code == 0 || code == 1);
	assert_safe("status of a broken page", output);
	set_page("");
}

/* What is ours: the sequences of the terminal description, and none of theirs. */
static void shown(void **state)
{
	static const char *const theirs[] = { "\033]0;owned", "\302\233", "\342\200\256", "\302\235" };
	const char *const argv[] = { program(), "--config", fleet, "--store", store, NULL };
	const struct pty_options o = { .rows = 30, .cols = 120, .argv = argv };
	size_t n;
	(void)state;
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "1 ok");
	pty_send(p, "t");
	pty_wait_text(p, "127.0.0.1");
	pty_send(p, "\r");
	pty_wait_text(p, "NODE");
	set_page("broken \033]0;owned\007\302\2332J\n");
	pty_wait_text(p, "DOWN");
	pty_wait_quiet(p, 300);
	const char *bytes = pty_bytes(p, &n);
	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
		if (memmem(bytes, n, theirs[i], strlen(theirs[i])) != NULL)
			fail_msg("'%s' comes through", theirs[i]);
	pty_signal(p, SIGTERM);
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
	pty_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(printed), cmocka_unit_test(told), cmocka_unit_test(shown) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
