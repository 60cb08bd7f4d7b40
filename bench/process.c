/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, FILES = 64, TEXT_MAX = 65536, SIM_DEADLINE_MS = 20000, LOOK_MS = 100, SETTLED_LOOKS = 4 };

static void give_up(const char *what, const char *which)
{
	fprintf(stderr, "bench: cannot %s '%s': %s\n", what, which, strerror(errno));
	exit(1);
}

void process_sleep_ms(int64_t ms)
{
	poll(NULL, 0, (int)ms);
}

const char *process_pitwall(void)
{
	static char path[PATH_BYTES];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	if (access(path, X_OK) != 0)
		give_up("run", path);
	return path;
}

/* ---- files ---- */

const char *process_folder(void)
{
	static char path[PATH_BYTES];
	if (path[0] == '\0') {
		const char *under = getenv("TMPDIR");
		snprintf(path, sizeof path, "%s/pitwall-bench-XXXXXX", under == NULL ? "/tmp" : under);
		if (mkdtemp(path) == NULL)
			give_up("make the folder", path);
	}
	return path;
}

const char *process_file(const char *name)
{
	static struct {
		char name[32], path[PATH_BYTES];
	} files[FILES];
	static int n;
	for (int i = 0; i < n; i++)
		if (strcmp(files[i].name, name) == 0)
			return files[i].path;
	if (n == FILES || snprintf(files[n].name, sizeof files[n].name, "%s", name) >= (int)sizeof files[n].name ||
	    snprintf(files[n].path, PATH_BYTES, "%s/%s", process_folder(), name) >= PATH_BYTES)
		give_up("name the file", name);
	return files[n++].path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void process_remove_folder(void)
{
	nftw(process_folder(), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

double process_file_bytes(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 ? (double)s.st_size : 0;
}

static double tree_bytes;

static int add_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)path, (void)where;
	if (type == FTW_F)
		tree_bytes += (double)st->st_blocks * 512;
	return 0;
}

/* A folder; or a file, and what SQLite has beside it. */
static void each_of_tree(const char *path, int (*fn)(const char *, const struct stat *, int, struct FTW *))
{
	static const char *const beside[] = { "", "-wal", "-shm" };
	char one[PATH_BYTES];
	for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++)
		if (snprintf(one, sizeof one, "%s%s", path, beside[i]) < PATH_BYTES)
			nftw(one, fn, 16, FTW_DEPTH | FTW_PHYS);
}

double process_tree_bytes(const char *path)
{
	tree_bytes = 0;
	each_of_tree(path, add_one);
	return tree_bytes;
}

void process_remove_tree(const char *path)
{
	each_of_tree(path, remove_one);
}

const char *process_in_path(const char *program)
{
	static char path[PATH_BYTES];
	for (const char *p = getenv("PATH"); p != NULL; p = strchr(p, ':') == NULL ? NULL : strchr(p, ':') + 1)
		if (snprintf(path, sizeof path, "%.*s/%s", (int)strcspn(p, ":"), p, program) < PATH_BYTES && access(path, X_OK) == 0)
			return path;
	return NULL;
}

static size_t read_text(const char *path, char to[TEXT_MAX])
{
	FILE *f = fopen(path, "r");
	if (f == NULL)
		give_up("read", path);
	size_t n = fread(to, 1, TEXT_MAX - 1, f);
	fclose(f);
	to[n] = '\0';
	return n;
}

/* ---- children ---- */

static void redirect(const char *file, int to)
{
	int fd = open(process_file(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, to) < 0)
		give_up("write", file);
}

pid_t process_start(const char *const *argv, const char *out, const char *err)
{
	process_folder(); /* before the fork, so that both have the same */
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		give_up("start", argv[0]);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	redirect(out, STDOUT_FILENO);
	redirect(err, STDERR_FILENO);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	give_up("run", argv[0]);
	return -1;
}

int process_wait(pid_t pid)
{
	int status = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void process_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	process_wait(pid);
}

pid_t process_start_sim(int nodes)
{
	char count[16];
	snprintf(count, sizeof count, "%d", nodes);
	const char *const argv[] = { process_pitwall(), "sim", "--seed", "1", "--nodes", count, NULL };
	pid_t pid = process_start(argv, "fleet.yml", "sim.log");
	double bytes = 0;
	int settled = 0;
	for (int64_t ms = 0; settled < SETTLED_LOOKS; ms += LOOK_MS) {
		if (ms > SIM_DEADLINE_MS || waitpid(pid, NULL, WNOHANG) != 0)
			give_up("start", "pitwall sim");
		process_sleep_ms(LOOK_MS);
		double now = process_file_bytes(process_file("fleet.yml"));
		settled = now > 0 && now == bytes ? settled + 1 : 0;
		bytes = now;
	}
	return pid;
}

double process_query(const char *store, const char *expression)
{
	static char text[TEXT_MAX];
	const char *const argv[] = { process_pitwall(), "query", "--store", store, "--format", "csv", expression, NULL };
	int status = process_wait(process_start(argv, "query.csv", "query.log"));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		give_up("evaluate", expression);
	read_text(process_file("query.csv"), text);
	const char *row = strchr(text, '\n'), *comma = row == NULL ? NULL : strrchr(row, ',');
	return comma == NULL ? 0 : strtod(comma + 1, NULL);
}

/* ---- what they cost ---- */

double process_cpu_seconds(pid_t pid)
{
	static char text[TEXT_MAX];
	char path[64];
	unsigned long user = 0, system_time = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	read_text(path, text);
	const char *p = strrchr(text, ')');
	if (p == NULL || sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system_time) != 2)
		give_up("understand", path);
	return (double)(user + system_time) / (double)sysconf(_SC_CLK_TCK);
}

static double status_number(pid_t pid, const char *field)
{
	static char text[TEXT_MAX];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	read_text(path, text);
	const char *p = strstr(text, field);
	return p == NULL ? 0 : strtod(p + strlen(field), NULL);
}

double process_rss_mb(pid_t pid)
{
	return status_number(pid, "VmRSS:") / 1024;
}

double process_peak_mb(pid_t pid)
{
	return status_number(pid, "VmHWM:") / 1024;
}

double process_written_bytes(pid_t pid)
{
	static char text[TEXT_MAX];
	static const char field[] = "\nwrite_bytes:";
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
	read_text(path, text);
	const char *p = strstr(text, field);
	return p == NULL ? 0 : strtod(p + sizeof field - 1, NULL);
}

int process_threads(pid_t pid)
{
	return (int)status_number(pid, "Threads:");
}

int process_descriptors(pid_t pid)
{
	char path[64];
	int n = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	if (d == NULL)
		give_up("look into", path);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}
