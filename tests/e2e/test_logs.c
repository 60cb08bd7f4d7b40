/* SPDX-License-Identifier: Apache-2.0
 *
 * The console follows a log of this machine: a file of the fleet file is chosen, grows, is searched, and what ran for it is gone with the screen. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

struct stage {
	char folder[64], config[96], store[96], log[96];
};

static void append(const struct stage *s, const char *text)
{
	FILE *f = fopen(s->log, "a");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void set_up(struct stage *s)
{
	snprintf(s->folder, sizeof s->folder, "/tmp/pitwall-e2e-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->config, sizeof s->config, "%s/fleet.yml", s->folder);
	snprintf(s->store, sizeof s->store, "%s/s.db", s->folder);
	snprintf(s->log, sizeof s->log, "%s/server.log", s->folder);
	append(s, "it begins\nERROR the first\n");
	FILE *f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "fleet: here\ndefaults: { interval: 2s, timeout: 2s }\ngroups:\n  - name: g\n    ssh: { logs: [ %s ] }\n"
		   "    targets: [ { url: \"local:\", node: gpu-a-1 } ]\n", s->log);
	assert_int_equal(fclose(f), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static struct pty *start(const struct stage *s)
{
	const char *const argv[] = { pitwall_path(), "--config", s->config, "--store", s->store, NULL };
	const struct pty_options o = { .rows = 24, .cols = 100, .argv = argv };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "1 ok");
	pty_send(p, "t");
	pty_wait_text(p, "gpu-a-1");
	pty_send(p, "\r");
	pty_wait_text(p, "NODE");
	return p;
}

/* Is there a process with the log's name in its command line? */
static bool is_tail_there(const char *log)
{
	DIR *d = opendir("/proc");
	bool found = false;
	for (struct dirent *e; d != NULL && !found && (e = readdir(d)) != NULL;) {
		char path[64], text[1024];
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%.20s/cmdline", e->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
		if (fd >= 0)
			close(fd);
		found = n > 0 && memcmp(text, "tail", 5) == 0 && memmem(text, (size_t)n, log, strlen(log)) != NULL;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

static bool is_tail_gone(struct pty *p, const void *log)
{
	(void)p;
	return !is_tail_there(log);
}

static bool has_rule_with(struct pty *p, const void *text)
{
	return strstr(pty_row(p, 1), text) != NULL;
}

static void a_log_is_followed_and_searched(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s);
	struct pty *p = start(&s);
	pty_send(p, "l");
	pty_wait_text(p, "logs of gpu-a-1");
	pty_wait_text(p, "26 bytes");
	if (!pty_has_text(p, "ERROR the first")) /* a machine with other logs too: the fleet file's comes first */
		pty_send(p, "\r");
	pty_wait_text(p, "ERROR the first");
	pty_wait_text(p, "following on this machine");
	append(&s, "and it goes on\nno GPU is free\033[2J\033[31m today\033[0m\nNVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus\n");
	pty_wait_text(p, "no GPU is free today");
	assert_true(is_tail_there(s.log));
	pty_send(p, "/gpu\r");
	pty_wait(p, has_rule_with, "/gpu 2 lines", "two lines match");
	pty_send(p, "f");
	pty_wait_no_text(p, "it begins");
	assert_true(pty_has_text(p, "no GPU is free today"));
	pty_send(p, "f");
	pty_wait_text(p, "it begins");
	for (int i = 0; i < 60; i++)
		append(&s, i < 59 ? "and more\n" : "the sixtieth\n");
	pty_wait_text(p, "the sixtieth");
	pty_send(p, "N");
	pty_wait_text(p, "a GPU does not answer any more");
	pty_wait(p, has_rule_with, "paused, 41 new below", "it stands still");
	append(&s, "meanwhile\n");
	pty_wait(p, has_rule_with, "paused, 42 new below", "and goes on below");
	pty_send(p, "G");
	pty_wait_text(p, "meanwhile");
	pty_wait_text(p, "following on this machine");
	pty_send(p, "?");
	pty_wait_text(p, "keys of LOGS");
	append(&s, "while covered\n");
	pty_send(p, "q");
	pty_wait_text(p, "while covered");
	pty_send(p, "q");
	pty_wait_text(p, "NODE");
	pty_wait(p, is_tail_gone, s.log, "tail ends with the screen");
	pty_send(p, "q");
	pty_wait_text(p, "FLEET");
	console_leave(p);
	assert_int_equal(nftw(s.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The console ends while a log is followed: so does what runs for it. */
static void leaving_ends_it_too(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s);
	struct pty *p = start(&s);
	pty_send(p, "l");
	pty_wait_text(p, "26 bytes");
	if (!pty_has_text(p, "ERROR the first"))
		pty_send(p, "\r");
	pty_wait_text(p, "ERROR the first");
	pty_signal(p, SIGTERM);
	pty_wait_exit(p);
	for (int i = 0; i < 3000 && is_tail_there(s.log); i++)
		poll(NULL, 0, 10);
	assert_false(is_tail_there(s.log));
	pty_free(p);
	assert_int_equal(nftw(s.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_log_is_followed_and_searched), cmocka_unit_test(leaving_ends_it_too) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
