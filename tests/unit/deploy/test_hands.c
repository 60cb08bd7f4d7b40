/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands, files and requests that are really sent: on this machine and over a real sshd. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/fleet.h"
#include "deploy/driver.h"
#include "deploy/remote.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/deploy/hands_bench.h"
#include "tests/unit/deploy/small_server.h"

static struct why why;
static struct hands_bench bench;
static struct arena arena;
static char folder[128];

static int set_up(void **state)
{
	struct sshd *server = NULL;
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/pitwall-hands-XXXXXX");
	assert_non_null(mkdtemp(folder));
	if (sshd_is_there())
		assert_ok(sshd_start(&(const struct sshd_options){ .user_key = NULL }, &server, &why));
	hands_bench_init(&bench, server);
	arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };
	char said[64];
	(void)state;
	hands_bench_release(&bench);
	sshd_stop(bench.server);
	arena_release(&arena);
	sshd_run(argv, said, sizeof said);
	return 0;
}

static bool can_log_in(void) { return bench.server != NULL && sshd_has_shell(bench.server); }

/* 0: here, 1: over SSH. */
static struct unit way(int i) { return i == 0 ? hands_bench_here() : hands_bench_there(&bench); }
static int n_ways(void) { return can_log_in() ? 2 : 1; }

static const char *in_folder(const char *name) { return arena_printf(&arena, "%s/%s", folder, name); }

static const char *read_file(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

static void expect(const char *label, const struct heard *h, enum err err, bool was_sent, int status, const char *text)
{
	if (h->n != 1 || h->answer.err != err || h->answer.was_sent != was_sent || h->answer.status != status || strcmp(h->text, text) != 0)
		fail_msg("%s: %s '%s', sent %d, status %d, '%s'", label, err_text(h->answer.err), h->why, h->answer.was_sent, h->answer.status, h->text);
}

/* ---- commands ---- */

static const struct {
	const char *label;
	const char *argv[8];
	const char *input;
	int         status;
	const char *text;
} commands[] = {
	{ "says nothing", { "true" }, NULL, 0, "" },
	{ "says something", { "echo", "a" }, NULL, 0, "a\n" },
	{ "no newline at its end", { "printf", "%s", "a" }, NULL, 0, "a" },
	{ "words stay words", { "printf", "<%s>", "a b", "$HOME", "`id`", "it's", "" }, NULL, 0, "<a b><$HOME><`id`><it's><>" },
	{ "what shells act on", { "printf", "<%s>", "a\nb", "!x", "\\", "*", "~" }, NULL, 0, "<a\nb><!x><\\><*><~>" },
	{ "words that look like options", { "printf", "%s", "--", "-n" }, NULL, 0, "---n" },
	{ "bytes beyond ASCII", { "printf", "%s", "\xc3\xa4\xff" }, NULL, 0, "\xc3\xa4\xff" },
	{ "standard error too", { "sh", "-c", "echo out; echo err >&2" }, NULL, 0, "out\nerr\n" },
	{ "its status", { "sh", "-c", "echo x; exit 3" }, NULL, 3, "x\n" },
	{ "killed by a signal", { "sh", "-c", "kill -9 $$" }, NULL, 137, "" },
	{ "input", { "cat" }, "a\nb", 0, "a\nb" },
	{ "input that nobody reads", { "true" }, "a\nb", 0, "" },
	{ "empty input ends", { "wc", "-c" }, "", 0, "0\n" },
	{ "without input there is nothing to read", { "cat" }, NULL, 0, "" },
	{ "a status line that it makes up", { "sh", "-c", "printf '\\n@@pitwall 0123456789abcdef0123456789abcdef end 0\\n'; exit 4" }, NULL, 4,
	  "\n@@pitwall 0123456789abcdef0123456789abcdef end 0\n" },
	{ "texts in C's language, without a pager", { "sh", "-c", "echo $LC_ALL $PAGER $SYSTEMD_COLORS" }, NULL, 0, "C cat 0\n" },
	{ "no builtin of the shell's", { "eval", "echo x" }, NULL, 127, NULL },
};

static void test_commands(void **state)
{
	(void)state;
	for (int w = 0; w < n_ways(); w++)
		for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
			struct unit u = way(w);
			struct heard h;
			struct ask a = { .kind = ASK_RUN, .argv = commands[i].argv, .input = commands[i].input };
			while (commands[i].argv[a.n_argv] != NULL || (a.n_argv < 7 && commands[i].argv[a.n_argv + 1] != NULL))
				a.n_argv++;
			hands_bench_ask(&bench, &u, &a, &h);
			expect(commands[i].label, &h, ERR_OK, true, commands[i].status, commands[i].text != NULL ? commands[i].text : h.text);
			heard_release(&h);
		}
}

static void test_much(void **state)
{
	enum { MUCH = 1500 * 1024 };
	char *input = malloc(MUCH + 1);
	(void)state;
	assert_non_null(input);
	memset(input, 'a', MUCH);
	input[MUCH] = '\0';
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		struct heard h;
		struct ask a;
		ask_run(&arena, &a, "wc", "-c", NULL);
		a.input = input;
		hands_bench_ask(&bench, &u, &a, &h);
		expect("much input", &h, ERR_OK, true, 0, "1536000\n");
		heard_release(&h);
		ask_run(&arena, &a, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; exit 7", NULL);
		hands_bench_ask(&bench, &u, &a, &h);
		assert_int_equal(h.answer.status, 7);
		assert_true(h.answer.is_cut);
		assert_int_equal(h.answer.n, ASK_OUTPUT_MAX);
		heard_release(&h);
	}
	free(input);
}

static bool is_gone(const void *what) { return kill(*(const pid_t *)what, 0) != 0 && errno == ESRCH; }

static void test_a_command_that_takes_too_long_is_ended(void **state)
{
	(void)state;
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		struct heard h;
		struct ask a;
		const char *file = in_folder("pid");
		char said[64];
		ask_run(&arena, &a, "sh", "-c", "echo $$ >\"$1\"; exec sleep 300", "sh", file, NULL);
		unlink(file);
		/* A machine that has much to do may not have begun it by then. */
		for (a.timeout_ms = 1500; access(file, F_OK) != 0 && a.timeout_ms < 60 * 1000; a.timeout_ms *= 2) {
			hands_bench_ask(&bench, &u, &a, &h);
			expect("too long", &h, ERR_TIMEOUT, true, 0, "");
			snprintf(said, sizeof said, "no answer within %g s", (double)a.timeout_ms / 1000);
			assert_string_equal(h.why, said);
			heard_release(&h);
		}
		pid_t pid = (pid_t)strtol(read_file(file), NULL, 10);
		assert_true(pid > 1);
		loop_turn_until(bench.loop, is_gone, &pid, "the command's end");
	}
}

static bool is_file_there(const void *what) { return access(what, F_OK) == 0; }

static void test_a_connection_that_breaks_is_no_success(void **state)
{
	struct unit u = hands_bench_there(&bench);
	struct heard h;
	struct ask a;
	(void)state;
	if (!can_log_in()) {
		print_message("# no sshd here, or nobody who could log in\n");
		skip();
	}
	const char *file = in_folder("began");
	ask_run(&arena, &a, "sh", "-c", ": >\"$1\"; sleep 300", "sh", file, NULL);
	hands_bench_begin(&bench, &hands_bench_deploy, &u, &a, &h);
	loop_turn_until(bench.loop, is_file_there, file, "the command's beginning");
	sshd_cut(bench.server);
	hands_bench_await(&bench, &h, "the end");
	expect("cut", &h, ERR_NETWORK, true, 0, "");
	heard_release(&h);
	ask_run(&arena, &a, "echo", "again", NULL);
	int64_t until_ms = clock_mono_ms(clock_system()) + 60 * 1000;
	hands_bench_ask(&bench, &u, &a, &h);
	while (h.answer.err != ERR_OK && clock_mono_ms(clock_system()) < until_ms) { /* of the connection that has just gone */
		assert_false(h.answer.was_sent);
		heard_release(&h);
		loop_turn_once(bench.loop);
		hands_bench_ask(&bench, &u, &a, &h);
	}
	expect("a new connection", &h, ERR_OK, true, 0, "again\n");
	heard_release(&h);
}

static void test_what_could_not_be_sent(void **state)
{
	static const struct {
		const char *label, *destination, *user;
		int         port;
		enum err    err;
		const char *says;
	} rows[] = {
		{ "nothing listens there", "m1", "", 1, ERR_NETWORK, "refused" },
		{ "an account that does not take the key", "m1", "nobody-at-all", 0, ERR_DENIED, "login refused" },
	};
	(void)state;
	if (bench.server == NULL)
		skip();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct unit u = hands_bench_there(&bench);
		struct heard h;
		struct ask a;
		u.destination = rows[i].destination;
		u.user = rows[i].user;
		u.port = rows[i].port;
		ask_run(&arena, &a, "true", NULL);
		hands_bench_ask(&bench, &u, &a, &h);
		expect(rows[i].label, &h, rows[i].err, false, 0, "");
		assert_row(rows[i].label, strstr(h.why, rows[i].says) != NULL);
		heard_release(&h);
	}
}

static void test_an_unknown_host_key_sends_nothing(void **state)
{
	struct unit u = hands_bench_there(&bench);
	struct heard h;
	struct ask a;
	char known[512], kept[4096];
	(void)state;
	if (bench.server == NULL)
		skip();
	struct sshd *other = NULL;
	assert_ok(sshd_start(&(const struct sshd_options){ .user_key = NULL }, &other, &why)); /* another key */
	snprintf(known, sizeof known, "%s/hands_known", sshd_folder(bench.server));
	snprintf(kept, sizeof kept, "%s", read_file(known));
	u.port = sshd_port(other);
	u.destination = "m2";
	ask_run(&arena, &a, "true", NULL);
	hands_bench_ask(&bench, &u, &a, &h);
	expect("unknown", &h, ERR_DENIED, false, 0, "");
	assert_non_null(strstr(h.why, "host key"));
	assert_string_equal(read_file(known), kept);
	heard_release(&h);
	sshd_stop(other);
}

/* sshd takes ten commands on one connection at once; more wait here. */
static void test_many_at_once_share_a_connection(void **state)
{
	enum { MANY = 40 };
	struct heard heard[MANY];
	struct ask a;
	(void)state;
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		ask_run(&arena, &a, "sh", "-c", "sleep 0.05; echo done", NULL);
		for (size_t i = 0; i < MANY; i++)
			hands_bench_begin(&bench, &hands_bench_deploy, &u, &a, &heard[i]);
		for (size_t i = 0; i < MANY; i++) {
			hands_bench_await(&bench, &heard[i], "one of many");
			expect("one of many", &heard[i], ERR_OK, true, 0, "done\n");
			heard_release(&heard[i]);
		}
	}
}

static void test_what_is_dropped_does_not_answer(void **state)
{
	struct heard dropped[3], h;
	struct ask a;
	(void)state;
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		struct errand *e[3];
		ask_run(&arena, &a, "sleep", "300", NULL);
		for (size_t i = 0; i < 3; i++)
			e[i] = hands_bench_begin(&bench, &hands_bench_deploy, &u, &a, &dropped[i]);
		errand_drop(e[1]);
		ask_run(&arena, &a, "echo", "x", NULL);
		hands_bench_ask(&bench, &u, &a, &h);
		heard_release(&h);
		errand_drop(e[0]);
		errand_drop(e[2]);
		hands_bench_ask(&bench, &u, &a, &h);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(dropped[i].n, 0);
		heard_release(&h);
	}
}

static void test_asks_that_are_not_whole(void **state)
{
	static const char *const option[] = { "-x" }, *const assignment[] = { "A=b" };
	static const struct {
		const char *label;
		struct ask  ask;
	} rows[] = {
		{ "nothing", { .kind = ASK_NONE } },
		{ "no words", { .kind = ASK_RUN } },
		{ "a command that is an option", { .kind = ASK_RUN, .argv = option, .n_argv = 1 } },
		{ "a command that is an assignment", { .kind = ASK_RUN, .argv = assignment, .n_argv = 1 } },
		{ "no URL", { .kind = ASK_HTTP, .method = "GET" } },
		{ "a path that is not whole", { .kind = ASK_PUT, .path = "x", .body = "" } },
		{ "no body", { .kind = ASK_PUT, .path = "/x" } },
	};
	struct unit here = hands_bench_here(), nowhere = here;
	struct errand *e;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].label, hands_ask(bench.hands, &hands_bench_deploy, NULL, &here, &rows[i].ask, NULL, NULL, &e, &why) == ERR_USAGE);
	nowhere.is_local = false;
	const struct ask run = { .kind = ASK_RUN, .argv = assignment, .n_argv = 1 };
	assert_int_equal(hands_ask(bench.hands, &hands_bench_deploy, NULL, &nowhere, &run, NULL, NULL, &e, &why), ERR_USAGE);
	assert_non_null(strstr(why.text, "no machine is known for 'here'"));
}

/* ---- login shells ---- */

static void test_every_login_shell_reads_it_alike(void **state)
{
	static const char *const shells[] = { "dash", "bash", "csh", "tcsh", "fish", "ksh", "zsh" };
	struct unit here = hands_bench_here();
	char mark[REMOTE_MARK];
	(void)state;
	remote_mark(mark);
	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
		struct buf program;
		struct heard h;
		struct ask inner, outer;
		ask_run(&arena, &inner, "sh", "-c", "printf '<%s>' \"$@\"; cat; exit 5", "sh", "it's", "a\nb", "!", "\\", NULL);
		inner.input = "in\nput";
		buf_init(&program, REMOTE_MAX);
		assert_ok(remote_program(&inner, NULL, mark, 5000, &program, &why));
		ask_run(&arena, &outer, shells[i], "-c", remote_command(), NULL);
		outer.input = buf_text(&program);
		hands_bench_ask(&bench, &here, &outer, &h);
		if (h.answer.status == 127) {
			print_message("# %s is not installed\n", shells[i]);
		} else {
			const char *want = arena_printf(&arena, "\n@@pitwall ready\n\n@@pitwall %s begin\n<it's><a\nb><!><\\>in\nput\n@@pitwall %s end 5\n", mark, mark);
			assert_row(shells[i], h.answer.status == 0 && strcmp(h.text, want) == 0);
		}
		buf_release(&program);
		heard_release(&h);
	}
}

/* ---- files ---- */

static struct heard put(const struct unit *u, const char *path, const char *body)
{
	struct heard h;
	const struct ask a = { .kind = ASK_PUT, .path = path, .body = body };
	hands_bench_ask(&bench, u, &a, &h);
	return h;
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_files(void **state)
{
	static const char awkward[] = "a 'b'\n$c \\ \xc3\xa4\n\n";
	struct stat before, after;
	(void)state;
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		const char *path = in_folder("it's a $file");
		unlink(path);
		struct heard h = put(&u, path, awkward);
		expect("a new file", &h, ERR_OK, true, 0, "");
		assert_string_equal(read_file(path), awkward);
		heard_release(&h);

		assert_int_equal(chmod(path, 0640), 0);
		assert_int_equal(stat(path, &before), 0);
		h = put(&u, path, "new");
		expect("in another's place", &h, ERR_OK, true, 0, "");
		assert_string_equal(read_file(path), "new");
		assert_int_equal(mode_of(path), 0640);
		assert_int_equal(stat(path, &after), 0);
		assert_true(before.st_ino != after.st_ino); /* whoever had it open reads the old one to its end */
		heard_release(&h);

		const char *link = in_folder("link");
		unlink(link);
		assert_int_equal(symlink(path, link), 0);
		h = put(&u, link, "by way of a link");
		expect("a link", &h, ERR_OK, true, 0, "");
		assert_string_equal(read_file(path), "by way of a link");
		assert_int_equal(lstat(link, &after), 0);
		assert_true(S_ISLNK(after.st_mode));
		heard_release(&h);

		h = put(&u, in_folder("none/x"), "x");
		assert_int_equal(h.answer.status, 4);
		assert_non_null(strstr(h.text, "is not there"));
		heard_release(&h);
		h = put(&u, folder, "x");
		assert_int_equal(h.answer.status, 4);
		assert_non_null(strstr(h.text, "is a folder"));
		heard_release(&h);
		h = put(&u, path, "");
		expect("empty", &h, ERR_OK, true, 0, "");
		assert_string_equal(read_file(path), "");
		heard_release(&h);
	}
}

static void test_nothing_is_left_of_a_file_that_was_put(void **state)
{
	struct unit here = hands_bench_here();
	const char *inner = in_folder("inner");
	(void)state;
	assert_int_equal(mkdir(inner, 0755), 0);
	struct heard h = put(&here, in_folder("inner/x"), "x");
	heard_release(&h);
	h = put(&here, in_folder("inner"), "x");
	heard_release(&h);
	DIR *d = opendir(inner);
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		assert_true(entry->d_name[0] == 'x' || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
	closedir(d);
}

/* ---- requests ---- */

static const char token[] = "t0ken-that-nobody-may-see";

/* Whether any process was started with the token among its words. */
static bool is_in_a_list_of_processes(void)
{
	DIR *d = opendir("/proc");
	bool found = false;
	for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
		char path[300], text[4096];
		snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
		FILE *f = fopen(path, "r");
		size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
		if (f != NULL)
			fclose(f);
		found = found || memmem(text, n, token, sizeof token - 1) != NULL;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

static void serve(void *ctx, const struct small_request *r, char *to, size_t size)
{
	char text[512];
	(void)ctx;
	if (strcmp(r->path, "/hang-up") == 0)
		return;
	if (strcmp(r->path, "/busy") == 0) {
		small_answer(to, size, "503 Service Unavailable", "Retry-After: 7\r\n", "loading");
	} else if (strcmp(r->path, "/token") == 0) {
		snprintf(text, sizeof text, "Authorization: Bearer %s\r\n", token);
		bool is_told = strstr(r->head, text) != NULL, is_seen = is_in_a_list_of_processes();
		small_answer(to, size, "200 OK", "", !is_told ? "not told" : is_seen ? "seen" : "told and not seen");
	} else if (strcmp(r->path, "/body") == 0) {
		snprintf(text, sizeof text, "%s %zu %.20s", r->method, strlen(r->body), r->body);
		small_answer(to, size, "200 OK", "", text);
	} else if (strcmp(r->path, "/header") == 0) {
		small_answer(to, size, "200 OK", "", strstr(r->head, "X-Awkward: a \"b\" \\ 'c' $d\r\n") != NULL ? "yes" : "no");
	} else if (strcmp(r->path, "/moved") == 0) {
		small_answer(to, size, "302 Found", "Location: /body\r\n", "moved");
	} else {
		small_answer(to, size, "404 Not Found", "", r->path);
	}
}

static const struct {
	const char *label, *method, *path, *body;
	enum err    err;
	int         status;
	const char *text;
	int64_t     retry_after_ms;
} requests[] = {
	{ "a status and a body", "GET", "/a%2Fb/%2E%2E", NULL, ERR_OK, 404, "/a%2Fb/%2E%2E", 0 },
	{ "a bad status is an answer", "GET", "/busy", NULL, ERR_OK, 503, "loading", 7000 },
	{ "a redirect is not followed", "POST", "/moved", "x", ERR_OK, 302, "moved", 0 },
	{ "a body", "POST", "/body", "{\"a\": \"b\n'c'\"}", ERR_OK, 200, "POST 14 {\"a\": \"b\n'c'\"}", 0 },
	{ "no body", "POST", "/body", NULL, ERR_OK, 200, "POST 0 ", 0 },
	{ "another method", "DELETE", "/body", NULL, ERR_OK, 200, "DELETE 0 ", 0 },
	{ "a header", "GET", "/header", NULL, ERR_OK, 200, "yes", 0 },
	{ "hung up on", "POST", "/hang-up", "x", ERR_NETWORK, 0, "", 0 },
};

/* On loopback and on a socket; straight and by way of a machine. */
static void ask_all(const struct unit *u, const char *base, const char *socket, bool is_on_machine)
{
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct heard h;
		const struct ask a = { .kind = ASK_HTTP, .method = requests[i].method, .url = arena_printf(&arena, "%s%s", base, requests[i].path), .socket = socket,
			                   .is_on_machine = is_on_machine, .headers = { { "X-Awkward", "a \"b\" \\ 'c' $d" } }, .n_headers = 1, .body = requests[i].body };
		hands_bench_ask(&bench, u, &a, &h);
		expect(requests[i].label, &h, requests[i].err, true, requests[i].status, requests[i].text);
		assert_row(requests[i].label, h.answer.retry_after_ms == requests[i].retry_after_ms);
		heard_release(&h);
	}
}

static void test_requests(void **state)
{
	const char *socket = in_folder("socket");
	(void)state;
	struct small_server *tcp = small_server_start(NULL, serve, NULL), *local = small_server_start(socket, serve, NULL);
	const char *base = arena_printf(&arena, "http://127.0.0.1:%d", small_server_port(tcp));
	struct unit here = hands_bench_here(), there = hands_bench_there(&bench);
	ask_all(&here, base, NULL, false);
	ask_all(&here, base, NULL, true);
	ask_all(&here, "http://localhost", socket, false);
	if (can_log_in()) {
		ask_all(&there, base, NULL, true);
		ask_all(&there, "http://localhost", socket, false);
	}
	small_server_stop(tcp);
	small_server_stop(local);
}

static void test_a_large_body_either_way(void **state)
{
	enum { LARGE = 1200 * 1024 };
	char *body = malloc(LARGE + 1);
	struct small_server *tcp = small_server_start(NULL, serve, NULL);
	(void)state;
	assert_non_null(body);
	memset(body, 'x', LARGE);
	body[LARGE] = '\0';
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		struct heard h;
		const struct ask a = { .kind = ASK_HTTP, .method = "PUT", .is_on_machine = true, .body = body,
			                   .url = arena_printf(&arena, "http://127.0.0.1:%d/body", small_server_port(tcp)) };
		hands_bench_ask(&bench, &u, &a, &h);
		expect("large", &h, ERR_OK, true, 200, "PUT 1228800 xxxxxxxxxxxxxxxxxxxx");
		heard_release(&h);
	}
	free(body);
	small_server_stop(tcp);
}

static void test_a_token_is_sent_and_never_seen(void **state)
{
	const struct fleet_auth auth = { .kind = FLEET_AUTH_BEARER, .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_TOKEN" } };
	struct fleet_deploy d = hands_bench_deploy;
	struct small_server *tcp = small_server_start(NULL, serve, NULL);
	(void)state;
	d.auth = &auth;
	const struct ask a = { .kind = ASK_HTTP, .method = "GET", .is_on_machine = true,
		                   .url = arena_printf(&arena, "http://127.0.0.1:%d/token", small_server_port(tcp)) };
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		struct heard h;
		assert_int_equal(setenv("PITWALL_TEST_TOKEN", token, 1), 0);
		hands_bench_begin(&bench, &d, &u, &a, &h);
		hands_bench_await(&bench, &h, "token");
		expect("token", &h, ERR_OK, true, 200, "told and not seen");
		heard_release(&h);
		unsetenv("PITWALL_TEST_TOKEN");
		hands_bench_begin(&bench, &d, &u, &a, &h);
		hands_bench_await(&bench, &h, "no token");
		expect("no token", &h, ERR_DENIED, false, 0, "");
		assert_non_null(strstr(h.why, "PITWALL_TEST_TOKEN"));
		heard_release(&h);
		errand_drop(hands_bench_begin(&bench, &d, &u, &a, &h)); /* while it is looked up */
	}
	small_server_stop(tcp);
}

static void test_a_server_that_is_not_there_got_nothing(void **state)
{
	(void)state;
	for (int w = 0; w < n_ways(); w++) {
		struct unit u = way(w);
		struct heard h;
		struct ask a = { .kind = ASK_HTTP, .method = "POST", .url = "http://127.0.0.1:1/x", .is_on_machine = true };
		hands_bench_ask(&bench, &u, &a, &h);
		expect("refused", &h, ERR_NETWORK, false, 0, "");
		heard_release(&h);
		a.url = "http://localhost/x";
		a.socket = in_folder("no-socket");
		hands_bench_ask(&bench, &u, &a, &h);
		expect("no socket", &h, ERR_NETWORK, false, 0, "");
		heard_release(&h);
	}
	struct unit here = hands_bench_here();
	struct heard h;
	const struct ask a = { .kind = ASK_HTTP, .method = "POST", .url = "nonsense://x/y" };
	hands_bench_ask(&bench, &here, &a, &h);
	expect("a scheme that nobody knows", &h, ERR_UNSUPPORTED, false, 0, "");
	heard_release(&h);
}

/* Where the machine has no curl. The program is the same but for that. */
static void test_python_takes_the_place_of_curl(void **state)
{
	struct small_server *tcp = small_server_start(NULL, serve, NULL);
	const struct login nobody = { 0 };
	char mark[REMOTE_MARK];
	struct unit here = hands_bench_here();
	(void)state;
	remote_mark(mark);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct buf program;
		struct answer answer;
		struct heard h;
		struct ask outer;
		const struct ask a = { .kind = ASK_HTTP, .method = requests[i].method, .body = requests[i].body, .headers = { { "X-Awkward", "a \"b\" \\ 'c' $d" } },
			                   .n_headers = 1, .url = arena_printf(&arena, "http://127.0.0.1:%d%s", small_server_port(tcp), requests[i].path) };
		buf_init(&program, REMOTE_MAX);
		assert_ok(remote_program(&a, &nobody, mark, 5000, &program, &why));
		char *at = strstr(program.data, "command -v curl");
		assert_non_null(at);
		memcpy(at, "command -v curx", 15);
		ask_run(&arena, &outer, "sh", "-c", remote_command(), NULL);
		outer.input = buf_text(&program);
		hands_bench_ask(&bench, &here, &outer, &h);
		struct remote_reader r;
		remote_reader_init(&r, mark, ASK_ANSWER_MAX);
		for (size_t taken = 0, n = 0; n < h.answer.n && r.state != REMOTE_ENDED; n += taken)
			remote_feed(&r, h.text + n, h.answer.n - n, &taken);
		assert_int_equal(r.state, REMOTE_ENDED);
		remote_http_answer(&r.text, r.status, r.is_cut, &answer, &why);
		if (answer.err == ERR_UNSUPPORTED) {
			print_message("# python3 is not installed\n");
			i = sizeof requests / sizeof requests[0] - 1;
		} else if (answer.err != requests[i].err || answer.status != requests[i].status || strcmp(answer.text, requests[i].text) != 0) {
			fail_msg("%s: %s '%s', status %d, '%s'", requests[i].label, err_text(answer.err), answer.why, answer.status, answer.text);
		}
		remote_reader_release(&r);
		buf_release(&program);
		heard_release(&h);
	}
	small_server_stop(tcp);
}

/* ---- the end ---- */

static void on_closed(void *ctx) { ((struct hands_bench *)ctx)->is_closed = true; }

static void close_hands(void *ctx, const struct answer *a)
{
	struct hands_bench *b = ctx;
	(void)a;
	hands_close(b->hands, on_closed, b);
}

static void never(void *ctx, const struct answer *a)
{
	(void)ctx;
	fail_msg("an answer after the end: %s", a->why);
}

static bool is_closed(const void *what) { return ((const struct hands_bench *)what)->is_closed; }

static void test_hands_may_be_closed_while_they_answer(void **state)
{
	(void)state;
	for (int w = 0; w < n_ways(); w++) {
		struct hands_bench b;
		struct unit u = way(w);
		struct errand *e;
		struct ask a;
		hands_bench_init(&b, w == 1 ? bench.server : NULL);
		ask_run(&arena, &a, "sleep", "300", NULL);
		assert_ok(hands_ask(b.hands, &hands_bench_deploy, NULL, &u, &a, never, NULL, &e, &why));
		ask_run(&arena, &a, "true", NULL);
		assert_ok(hands_ask(b.hands, &hands_bench_deploy, NULL, &u, &a, close_hands, &b, &e, &why));
		loop_turn_until(b.loop, is_closed, &b, "closing");
		loop_free(b.loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_a_command_that_takes_too_long_is_ended),
		cmocka_unit_test(test_a_connection_that_breaks_is_no_success),
		cmocka_unit_test(test_what_could_not_be_sent),
		cmocka_unit_test(test_an_unknown_host_key_sends_nothing),
		cmocka_unit_test(test_many_at_once_share_a_connection),
		cmocka_unit_test(test_what_is_dropped_does_not_answer),
		cmocka_unit_test(test_asks_that_are_not_whole),
		cmocka_unit_test(test_every_login_shell_reads_it_alike),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_nothing_is_left_of_a_file_that_was_put),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_a_large_body_either_way),
		cmocka_unit_test(test_a_token_is_sent_and_never_seen),
		cmocka_unit_test(test_a_server_that_is_not_there_got_nothing),
		cmocka_unit_test(test_python_takes_the_place_of_curl),
		cmocka_unit_test(test_hands_may_be_closed_while_they_answer),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
