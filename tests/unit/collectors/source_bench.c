/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/source_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUSYBOX "/bin/busybox"

static const char *const tools[] = { "awk", "cat", "cut", "date", "dd", "grep", "head", "id", "ls", "sed", "sh", "tail", "timeout", "tr",
                                       "wc" };

static const char *find_tool(const char *name, char to[128])
{
	static const char *const folders[] = { "/bin", "/usr/bin", "/usr/local/bin" };
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(to, 128, "%s/%s", folders[i], name);
		if (access(to, X_OK) == 0)
			return to;
	}
	return NULL;
}

const char *source_bench_path(const struct source_bench *b, const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", b->folder, name);
	return path;
}

bool source_bench_open(struct source_bench *b, const struct source *s, bool is_busybox)
{
	char path[128], link[256];
	memset(b, 0, sizeof *b);
	if (is_busybox && access(BUSYBOX, X_OK) != 0)
		return false;
	b->source = s;
	b->is_busybox = is_busybox;
	b->now_ms = 1700000600000;
	b->memory = calloc(1, s->memory_size > 0 ? s->memory_size : 1);
	findings_init(&b->out);
	buf_init(&b->said, SECTION_MAX + 1);
	snprintf(b->folder, sizeof b->folder, "/tmp/pitwall-source-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	assert_int_equal(mkdir(source_bench_path(b, "bin"), 0700), 0);
	for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
		const char *target = is_busybox ? BUSYBOX : find_tool(tools[i], path);
		snprintf(link, sizeof link, "%s/bin/%s", b->folder, tools[i]);
		assert_row(tools[i], target != NULL && symlink(target, link) == 0);
	}
	return true;
}

void source_bench_close(struct source_bench *b)
{
	if (b->source->forget != NULL)
		b->source->forget(b->memory);
	free(b->memory);
	findings_release(&b->out);
	buf_release(&b->said);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", b->folder, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

void source_bench_file(const struct source_bench *b, const char *name, const char *mode, const char *text, size_t n)
{
	FILE *f = fopen(source_bench_path(b, name), mode);
	assert_row(name, f != NULL);
	assert_row(name, fwrite(text, 1, n, f) == n);
	assert_row(name, fclose(f) == 0);
}

void source_bench_tool(const struct source_bench *b, const char *name, const char *body)
{
	char path[64];
	struct buf text;
	buf_init(&text, 1 << 20);
	buf_printf(&text, "#!/bin/sh\nhere=%s\n%s\n", b->folder, body);
	snprintf(path, sizeof path, "bin/%s", name);
	source_bench_file(b, path, "w", text.data, text.len);
	assert_int_equal(chmod(source_bench_path(b, path), 0700), 0);
	buf_release(&text);
}

/* ---- asking ---- */

static void child(const struct source_bench *b, int out, const char *argument)
{
	char path[256], script[256];
	snprintf(path, sizeof path, "%s/bin", b->folder);
	snprintf(script, sizeof script, "%s/script", b->folder);
	setenv("PATH", path, 1);
	setenv("XDG_RUNTIME_DIR", b->folder, 1);
	int nothing = open("/dev/null", O_RDONLY);
	dup2(nothing, 0);
	dup2(out, 1);
	dup2(out, 2);
	close(out);
	close(nothing);
	if (b->is_busybox)
		execl(BUSYBOX, "busybox", "sh", script, argument, (char *)NULL);
	else
		execl(access("/bin/dash", X_OK) == 0 ? "/bin/dash" : "/bin/sh", "dash", script, argument, (char *)NULL);
	_exit(127);
}

/* Reads to the end, for 20 seconds at the most. */
static void read_all(struct source_bench *b, int in)
{
	time_t until = time(NULL) + 20;
	for (;;) {
		struct pollfd p = { .fd = in, .events = POLLIN };
		if (poll(&p, 1, 1000) == 0) {
			assert_row(b->source->name, time(NULL) < until);
			continue;
		}
		char *at = buf_room(&b->said, 65536);
		assert_row(b->source->name, at != NULL);
		ssize_t n = read(in, at, 65536);
		if (n <= 0)
			break;
		b->said.len += (size_t)n;
	}
	assert_row(b->source->name, buf_room(&b->said, 0) != NULL);
	b->said.data[b->said.len] = '\0';
}

static int run(struct source_bench *b, const char *argument)
{
	int pipe_of[2], status;
	assert_int_equal(pipe2(pipe_of, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(b, pipe_of[1], argument);
	close(pipe_of[1]);
	read_all(b, pipe_of[0]);
	close(pipe_of[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static enum err parse(struct source_bench *b, int status, bool is_cut)
{
	struct section in = { .text = buf_text(&b->said), .n = b->said.len, .status = status, .is_cut = is_cut,
	                      .asked_ms = b->now_ms - 50, .answered_ms = b->now_ms };
	findings_clear(&b->out);
	b->why.text[0] = '\0';
	return b->source->parse(&in, &b->settings, b->memory, &b->out, &b->why);
}

enum err source_bench_ask(struct source_bench *b)
{
	struct buf script, argument;
	buf_init(&script, 1 << 20);
	buf_init(&argument, 512);
	buf_puts(&script, "bounded() { timeout 15 \"$@\"; }\nasked() {\n");
	if (b->source->write_script != NULL)
		assert_int_equal(b->source->write_script(&b->settings, &script, &b->why), ERR_OK);
	else
		buf_puts(&script, b->source->script);
	buf_puts(&script, "\n}\nasked \"$1\"\n");
	assert_int_equal(script.err, ERR_OK);
	source_bench_file(b, "script", "w", script.data, script.len);
	if (b->source->ask != NULL)
		b->source->ask(b->memory, &argument);
	assert_int_equal(argument.err, ERR_OK);
	assert_int_equal(strspn(buf_text(&argument), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=;:.,/@+-"), argument.len);
	buf_clear(&b->said);
	int status = run(b, buf_text(&argument));
	buf_release(&script);
	buf_release(&argument);
	return parse(b, status, false);
}

enum err source_bench_parse(struct source_bench *b, const char *text, size_t n, int status, bool is_cut)
{
	buf_clear(&b->said);
	buf_put(&b->said, text, n);
	return parse(b, status, is_cut);
}

/* ---- what was found ---- */

bool source_bench_has(const struct source_bench *b, const char *line)
{
	const char *page = buf_text(&b->out.page);
	size_t n = strlen(line);
	for (const char *at = page; (at = strstr(at, line)) != NULL; at++)
		if ((at == page || at[-1] == '\n') && (at[n] == '\n' || at[n] == '\0'))
			return true;
	return false;
}

bool source_bench_told(const struct source_bench *b, const char *text)
{
	for (size_t i = 0; i < b->out.n_events; i++)
		if (strstr(b->out.events[i].text, text) != NULL)
			return true;
	return false;
}

void source_bench_print(const struct source_bench *b)
{
	print_error("said:\n%s\nfound:\n%s\nwhy: %s\n", buf_text(&b->said), buf_text(&b->out.page), b->why.text);
	for (size_t i = 0; i < b->out.n_events; i++)
		print_error("event %lld %d %s: %s\n", (long long)b->out.events[i].wall_ms, (int)b->out.events[i].severity, b->out.events[i].kind,
		            b->out.events[i].text);
}

struct buf source_bench_sample(const char *name)
{
	char path[4096];
	const char *shared = getenv("PITWALL_SHARED");
	struct buf text;
	buf_init(&text, 4 << 20);
	snprintf(path, sizeof path, "%s/samples/%s", shared != NULL ? shared : "../shared", name);
	FILE *f = fopen(path, "rbe");
	if (f == NULL) {
		print_message("# skipped: no capture at '%s' (set PITWALL_SHARED)\n", path);
		skip();
	}
	for (size_t n = 1; n > 0; text.len += n)
		n = fread(buf_room(&text, 65536), 1, 65536, f);
	fclose(f);
	text.data[text.len] = '\0';
	return text;
}
