/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/known_files.h"

#include "base/clock.h"
#include "tests/unit/collectors/sample_keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

static struct known_files files;
static struct buf         key_a, key_b;

static int begin(void **state)
{
	(void)state;
	known_files_make(&files);
	known_files_blob(ED_A, &key_a);
	known_files_blob(ED_B, &key_b);
	return 0;
}

static int end(void **state)
{
	(void)state;
	known_files_remove(&files);
	buf_release(&key_a);
	buf_release(&key_b);
	return 0;
}

static enum err add(const char *name, const struct buf *key, bool hash_it, struct why *why)
{
	return known_hosts_add(files.user, name, key->data, key->len, hash_it, why);
}

static void assert_text(const char *label, const char *path, const char *want)
{
	struct buf text;
	known_files_text(path, &text);
	assert_row(label, strcmp(buf_text(&text), want) == 0);
	buf_release(&text);
}

static enum host_key_verdict verdict_of(const char *host, int port, const struct buf *key)
{
	const char *const only[] = { files.user };
	const struct known_hosts_query q = { .files = only, .n_files = 1, .host = host, .port = port };
	struct known_hosts_result r;
	assert_int_equal(known_hosts_check(&q, key->data, key->len, NULL, &r, NULL), ERR_OK);
	assert_int_equal(r.notes.n, 0);
	return r.verdict;
}

static void appends_a_line(void **state)
{
	static const struct { const char *label, *before, *name, *after; } rows[] = {
		{ "no file", NULL, "db1.example", "db1.example " ED_A "\n" },
		{ "empty file", "", "Db1.Example", "db1.example " ED_A "\n" },
		{ "behind a line", "# x\n", "[db1.example]:2222", "# x\n[db1.example]:2222 " ED_A "\n" },
		{ "behind half a line", "db1.example " ED_B, "db1.example", "db1.example " ED_B "\ndb1.example " ED_A "\n" },
		{ "it is there", "*.example " ED_A "\n", "db1.example", "*.example " ED_A "\n" },
		{ "there for another name", "db2.example " ED_A "\n", "db1.example", "db2.example " ED_A "\ndb1.example " ED_A "\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		known_files_write(files.user, rows[i].before, rows[i].before != NULL ? strlen(rows[i].before) : 0);
		enum err e = add(rows[i].name, &key_a, false, &why);
		if (e != ERR_OK)
			print_error("%s: %s\n", rows[i].label, why.text);
		assert_row(rows[i].label, e == ERR_OK);
		assert_text(rows[i].label, files.user, rows[i].after);
	}
}

static void hashes_with_a_salt_of_its_own(void **state)
{
	struct buf first, second;
	(void)state;
	assert_int_equal(add("[Db1.Example]:2222", &key_a, true, NULL), ERR_OK);
	known_files_text(files.user, &first);
	assert_null(strstr(buf_text(&first), "db1"));
	assert_int_equal(strncmp(buf_text(&first), "|1|", 3), 0);
	assert_int_equal(verdict_of("db1.example", 2222, &key_a), HOST_KEY_OK);
	assert_int_equal(verdict_of("db1.example", 2222, &key_b), HOST_KEY_CHANGED);
	assert_int_equal(verdict_of("db1.example", 22, &key_a), HOST_KEY_UNKNOWN);
	unlink(files.user);
	assert_int_equal(add("[db1.example]:2222", &key_a, true, NULL), ERR_OK);
	known_files_text(files.user, &second);
	assert_string_not_equal(buf_text(&first), buf_text(&second));
	buf_release(&first);
	buf_release(&second);
}

static void makes_folder_and_file_for_the_user_alone(void **state)
{
	char        folder[128], path[160], deep[200];
	struct stat st;
	mode_t      before = umask(0);
	(void)state;
	snprintf(folder, sizeof folder, "%s/.ssh", files.folder);
	snprintf(path, sizeof path, "%s/known_hosts", folder);
	assert_int_equal(known_hosts_add(path, "h", key_a.data, key_a.len, false, NULL), ERR_OK);
	umask(before);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(path, 0640), 0); /* what the user chose stays */
	assert_int_equal(known_hosts_add(path, "i", key_a.data, key_a.len, false, NULL), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	snprintf(deep, sizeof deep, "%s/a/b/known_hosts", files.folder);
	assert_int_equal(known_hosts_add(deep, "h", key_a.data, key_a.len, false, NULL), ERR_NOT_FOUND);
	unlink(path);
	rmdir(folder);
}

static void refuses_places_of_others(void **state)
{
	struct why why = { "" };
	(void)state;
	known_files_write(files.user, "# x\n", 4);
	assert_int_equal(chmod(files.user, 0666), 0);
	assert_int_equal(add("h", &key_a, false, &why), ERR_DENIED);
	assert_non_null(strstr(why.text, "chmod o-w"));
	assert_int_equal(chmod(files.user, 0600), 0);
	assert_int_equal(chmod(files.folder, 01777), 0); /* the file's own folder, sticky or not */
	assert_int_equal(add("h", &key_a, false, NULL), ERR_DENIED);
	assert_int_equal(chmod(files.folder, 0700), 0);
	assert_int_equal(add("h", &key_a, false, NULL), ERR_OK);

	char inner[128], path[160], link[128];
	snprintf(inner, sizeof inner, "%s/inner", files.folder);
	snprintf(path, sizeof path, "%s/known_hosts", inner);
	snprintf(link, sizeof link, "%s/link", files.folder);
	assert_int_equal(mkdir(inner, 0700), 0);
	assert_int_equal(chmod(files.folder, 0777), 0); /* a folder above */
	assert_int_equal(known_hosts_add(path, "h", key_a.data, key_a.len, false, NULL), ERR_DENIED);
	assert_int_equal(chmod(files.folder, 0700), 0);
	assert_int_equal(symlink(path, link), 0); /* a link that leads nowhere makes no file there */
	assert_int_not_equal(known_hosts_add(link, "h", key_a.data, key_a.len, false, NULL), ERR_OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(known_hosts_add(path, "h", key_a.data, key_a.len, false, NULL), ERR_OK);
	assert_int_equal(known_hosts_add(link, "i", key_a.data, key_a.len, false, NULL), ERR_OK);
	assert_text("through a link", path, "h " ED_A "\ni " ED_A "\n");
	assert_int_equal(chmod(inner, 0777), 0); /* where the link leads */
	assert_int_equal(known_hosts_add(link, "j", key_a.data, key_a.len, false, NULL), ERR_DENIED);
	unlink(link);
	unlink(path);
	rmdir(inner);
}

static void refuses_what_is_no_entry(void **state)
{
	struct buf certificate;
	(void)state;
	known_files_blob(EC_CERT, &certificate);
	assert_int_equal(add("h", &certificate, false, NULL), ERR_UNSUPPORTED);
	buf_release(&certificate);
	static const char *const names[] = { "", "a b", "a\nb", "a,b", "*", "!a", "@revoked", "#a", "|1|a|b", "a\"b", "a\x7f" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_row(names[i], add(names[i], &key_a, false, NULL) == ERR_USAGE);
		assert_row(names[i], add(names[i], &key_a, true, NULL) == ERR_USAGE);
	}
	assert_int_equal(known_hosts_add(files.user, "h", key_a.data, key_a.len - 1, false, NULL), ERR_FORMAT);
	assert_int_equal(access(files.user, F_OK), -1);
	assert_int_equal(known_hosts_add("", "h", key_a.data, key_a.len, false, NULL), ERR_USAGE);
	assert_int_equal(known_hosts_add("/tmp/", "h", key_a.data, key_a.len, false, NULL), ERR_USAGE);
	assert_int_equal(known_hosts_add(files.folder, "h", key_a.data, key_a.len, false, NULL), ERR_DENIED); /* in /tmp itself */
	assert_int_equal(mkfifo(files.user, 0600), 0);
	assert_int_equal(add("h", &key_a, false, NULL), ERR_UNSUPPORTED);
	unlink(files.user);
	known_files_write(files.user, "@revoked * " ED_A "\n", strlen("@revoked * " ED_A "\n"));
	assert_int_equal(add("h", &key_a, false, NULL), ERR_DENIED);
	assert_text("revoked", files.user, "@revoked * " ED_A "\n");
}

/* A full disk, played by a limit on the size of files: nothing of the line is left. */
static void a_line_goes_in_whole_or_not_at_all(void **state)
{
	struct rlimit before, small;
	struct why    why = { "" };
	(void)state;
	known_files_write(files.user, "# x", 3);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 3 + 20;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum err e = add("h", &key_a, false, &why);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, handler);
	assert_int_equal(e, ERR_FULL);
	assert_non_null(strstr(why.text, "cannot write"));
	assert_text("cut", files.user, "# x");
	assert_int_equal(add("h", &key_a, false, NULL), ERR_OK);
	assert_text("whole", files.user, "# x\nh " ED_A "\n");
}

struct adder {
	pthread_t thread;
	int       number;
	enum err  e;
};

enum { ADDERS = 8, LINES = 20 };

static void *add_some(void *ctx)
{
	struct adder *a = ctx;
	for (int i = 0; i < LINES && a->e == ERR_OK; i++) {
		char name[32];
		snprintf(name, sizeof name, "n%d-%d", a->number, i);
		a->e = add(name, &key_a, false, NULL);
		if (a->e == ERR_OK)
			a->e = add("all", &key_b, false, NULL);
	}
	return NULL;
}

static void many_may_add_at_once(void **state)
{
	struct adder all[ADDERS];
	struct buf   text;
	size_t       lines = 0;
	(void)state;
	for (int i = 0; i < ADDERS; i++) {
		all[i] = (struct adder){ .number = i, .e = ERR_OK };
		assert_int_equal(pthread_create(&all[i].thread, NULL, add_some, &all[i]), 0);
	}
	for (int i = 0; i < ADDERS; i++) {
		pthread_join(all[i].thread, NULL);
		assert_int_equal(all[i].e, ERR_OK);
	}
	known_files_text(files.user, &text);
	for (const char *c = buf_text(&text); *c != '\0'; c++)
		lines += *c == '\n';
	buf_release(&text);
	assert_int_equal(lines, ADDERS * LINES + 1);
	for (int i = 0; i < ADDERS * LINES; i++) {
		char name[32];
		snprintf(name, sizeof name, "n%d-%d", i / LINES, i % LINES);
		assert_row(name, verdict_of(name, 22, &key_a) == HOST_KEY_OK);
	}
	assert_int_equal(verdict_of("all", 22, &key_b), HOST_KEY_OK);
}

/* How many of our descriptors are open on this file. */
static int open_on(const char *path)
{
	DIR           *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int            n = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char    to[PATH_MAX];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, to, sizeof to - 1);
		to[len > 0 ? len : 0] = '\0';
		n += strcmp(to, path) == 0;
	}
	closedir(dir);
	return n;
}

/* ssh-keygen -R puts another file in the place of the one whose lock is waited for: the line goes into the new one. */
static void a_file_may_be_replaced_meanwhile(void **state)
{
	struct adder a = { .number = 0, .e = ERR_OK };
	(void)state;
	known_files_write(files.user, "# old\n", 6);
	known_files_write(files.system, "# new\n", 6);
	int fd = open(files.user, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(pthread_create(&a.thread, NULL, add_some, &a), 0);
	int64_t deadline_ms = clock_mono_ms(clock_system()) + 1500;
	while (open_on(files.user) < 2 && clock_mono_ms(clock_system()) < deadline_ms)
		sched_yield();
	int seen = open_on(files.user);
	assert_int_equal(rename(files.system, files.user), 0);
	close(fd);
	pthread_join(a.thread, NULL);
	assert_int_equal(seen, 2);
	assert_int_equal(a.e, ERR_OK);
	assert_int_equal(verdict_of("n0-0", 22, &key_a), HOST_KEY_OK);
}

static void a_lock_of_another_is_waited_for_and_not_for_ever(void **state)
{
	struct why why = { "" };
	(void)state;
	known_files_write(files.user, "# x\n", 4);
	int fd = open(files.user, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(add("h", &key_a, false, &why), ERR_TIMEOUT);
	assert_text("locked", files.user, "# x\n");
	close(fd);
	assert_int_equal(add("h", &key_a, false, &why), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(appends_a_line, begin, end),
		cmocka_unit_test_setup_teardown(hashes_with_a_salt_of_its_own, begin, end),
		cmocka_unit_test_setup_teardown(makes_folder_and_file_for_the_user_alone, begin, end),
		cmocka_unit_test_setup_teardown(refuses_places_of_others, begin, end),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_entry, begin, end),
		cmocka_unit_test_setup_teardown(a_line_goes_in_whole_or_not_at_all, begin, end),
		cmocka_unit_test_setup_teardown(many_may_add_at_once, begin, end),
		cmocka_unit_test_setup_teardown(a_file_may_be_replaced_meanwhile, begin, end),
		cmocka_unit_test_setup_teardown(a_lock_of_another_is_waited_for_and_not_for_ever, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
